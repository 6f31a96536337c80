//! Alerts: what rules raise and officers handle.

use crate::access::Actor;
use crate::fault::{Fault, Words};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Gravity, in the national colours of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// 蓝 IV.
    Blue = 1,
    /// 黄 III.
    Yellow = 2,
    /// 橙 II.
    Orange = 3,
    /// 红 I.
    Red = 4,
}

impl Level {
    /// All levels, lightest first.
    pub const ALL: [Level; 4] = [Level::Blue, Level::Yellow, Level::Orange, Level::Red];
    /// The word in files and the API.
    pub fn word(self) -> &'static str {
        ["blue", "yellow", "orange", "red"][self as usize - 1]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Level> {
        Level::ALL.into_iter().find(|l| l.word() == word)
    }
}

/// Where an alert stands with the officers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Nobody has looked yet.
    Open,
    /// Somebody has seen it.
    Acknowledged,
    /// Somebody has it.
    Assigned,
    /// Finished, with a reason.
    Closed,
}

impl AlertState {
    /// The word in files and the API.
    pub fn word(self) -> &'static str {
        ["open", "acknowledged", "assigned", "closed"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<AlertState> {
        [
            AlertState::Open,
            AlertState::Acknowledged,
            AlertState::Assigned,
            AlertState::Closed,
        ]
        .into_iter()
        .find(|s| s.word() == word)
    }
}

/// One thing that happened to an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlertStep {
    /// When.
    pub at: Time,
    /// Who; `rule` for the engine itself.
    pub by: String,
    /// `raised`, `level`, `ended`, `escalated`, `acknowledged`, `assigned`, `comment`, `closed`.
    pub what: String,
    /// Text: a comment, a reason, a name.
    pub text: String,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Deterministic: rule, thing and instant of the first breach, so that reading the log again
    /// makes no second one.
    pub id: String,
    /// System that declares the rule.
    pub system: String,
    /// Rule.
    pub rule: String,
    /// Title of the rule.
    pub title: Words,
    /// Thing it is about.
    pub thing: String,
    /// Property, when one is concerned.
    pub property: Option<String>,
    /// Kind of the series, when one is concerned.
    pub kind: Option<String>,
    /// Gravity now.
    pub level: Level,
    /// Where it stands.
    pub state: AlertState,
    /// The condition began (device time).
    pub since: Time,
    /// Raised by the rule (city's clock).
    pub raised_at: Time,
    /// The condition ended; `None` while it lasts.
    pub ended_at: Option<Time>,
    /// Value that raised it, or the worst since.
    pub value: Option<f64>,
    /// Limit it was compared with.
    pub limit: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// What to say about it.
    pub message: Words,
    /// Who has it.
    pub assignee: Option<String>,
    /// Role it was escalated to.
    pub escalated_to: Option<String>,
    /// Everything that happened to it, oldest first (bounded to 200).
    pub steps: Vec<AlertStep>,
    /// Number of this version; the ETag.
    pub version: i64,
}

/// Which alerts to list. Parts combine with "and".
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Only these states (empty: all).
    pub states: Vec<AlertState>,
    /// Only these levels (empty: all).
    pub levels: Vec<Level>,
    /// Only of this rule.
    pub rule: Option<String>,
    /// Only about this thing.
    pub thing: Option<String>,
    /// Only whose condition lasts (or has ended).
    pub active: Option<bool>,
    /// Part of the thing, title or message.
    pub text: Option<String>,
    /// Only of this assignee.
    pub assignee: Option<String>,
    /// Only raised at or after.
    pub from: Option<Time>,
    /// Only raised before.
    pub to: Option<Time>,
    /// Continue after this cursor.
    pub after: Option<String>,
    /// At most so many (capped at 1,000).
    pub limit: usize,
}

/// What an officer does with an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum AlertVerb {
    /// Seen.
    Acknowledge,
    /// Give to a person.
    Assign {
        /// Account name.
        to: String,
    },
    /// Say something.
    Comment {
        /// What.
        text: String,
    },
    /// Finish, with a reason.
    Close {
        /// Why.
        reason: String,
    },
}

/// The alerts of the city, as kept by the rules engine. Newest and gravest first.
#[async_trait]
pub trait Alerts: Send + Sync {
    /// One alert.
    async fn get(&self, id: &str) -> Result<Option<Alert>, Fault>;
    /// A page: alerts, cursor of the next page, how many match in all.
    async fn list(&self, filter: &AlertFilter) -> Result<(Vec<Alert>, Option<String>, u64), Fault>;
    /// Numbers of alerts that are not closed, by level (blue, yellow, orange, red).
    async fn open_counts(&self) -> Result<[u64; 4], Fault>;
    /// An officer acts; refused with `alerts.closed`, or `input.stale` when `expect_version`
    /// is not the current one.
    async fn act(
        &self,
        actor: &Actor,
        id: &str,
        verb: AlertVerb,
        expect_version: Option<i64>,
    ) -> Result<Alert, Fault>;
}
