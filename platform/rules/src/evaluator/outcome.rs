//! What the evaluator decides. An outcome is plain data: the engine writes it, the scenario
//! runner keeps it in memory.

use kernel::Time;
use kernel::alerts::Level;
use kernel::observations::Kind;
use std::sync::Arc;

/// Something that happens to the alert of a rule, a thing and a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Number of the rule, in the order of declaration.
    pub rule: u32,
    /// Name of the thing.
    pub thing: Arc<str>,
    /// Property, when the rule judges one.
    pub property: Option<Arc<str>>,
    /// Kind of the series, when the rule judges one.
    pub kind: Option<Kind>,
    /// The condition began (device time; for silence, the city's clock).
    pub since: Time,
    /// The city's clock when it was decided: reception of the value, or the deadline passed.
    pub at: Time,
    /// What happens.
    pub change: Change,
}

/// What happens to an alert.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// It is raised.
    Raise {
        /// Gravity.
        level: Level,
        /// Worst value until now.
        value: Option<f64>,
        /// Limit it was compared with.
        limit: Option<f64>,
    },
    /// It became graver, or its worst value grew by a tenth.
    Worsen {
        /// Gravity now.
        level: Level,
        /// Worst value until now.
        value: Option<f64>,
    },
    /// The condition ended.
    End {
        /// When (device time; for silence, the city's clock).
        at: Time,
        /// Worst value of all.
        value: Option<f64>,
        /// Why.
        why: Ending,
    },
}

/// Why a condition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It holds no longer.
    Over,
    /// The thing is no longer on record, or no longer of the kind the rule is about.
    OffRecord,
    /// The rule is no longer declared, or declared otherwise.
    RuleGone,
}

impl Outcome {
    /// Identification of the alert: the same for the same beginning, so that reading the log
    /// again makes no second one.
    pub fn alert_id(&self, rule_name: &str) -> String {
        let property = self.property.as_deref().unwrap_or("");
        format!("{rule_name}:{}:{property}:{}", self.thing, self.since.0)
    }
}
