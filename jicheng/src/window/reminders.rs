//! Reminders of deadlines: when the light of a case or task turns yellow or red, or somebody urges
//! it, whoever has it in hand finds that in their messages; when it is red, so do their colleagues
//! who may take it. The log of events is read by a cursor of its own: nothing is missed over a
//! stop, and nothing is said twice.

use super::people::Staff;
use crate::app::App;
use kernel::cases::{CaseFile, Cases, Light, Task};
use kernel::events::{Event, EventKind};
use kernel::fault::FaultKind;
use kernel::messages::{Channel, NewMessage, Outbox, Recipient};
use kernel::office::Members;
use kernel::organisations::Organisations;
use kernel::{Actor, Fault, Time};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Store, cursors};

/// Name of the cursor of the log.
const CURSOR: &str = "deadline_reminders";
/// Bytes of events read at once.
const BYTES: usize = 4 << 20;
/// People told of one thing, at most.
const PEOPLE: usize = 50;
/// Accounts of an organisation looked at for it, at most.
const LOOKED_AT: usize = 1_000;
/// Templates of the message centre: `title`, `number`, `step`, and the two of deadlines `due`.
const NEAR: &str = "case_deadline_near";
const OVER: &str = "case_deadline_over";
const URGED: &str = "case_urged";

/// Reminds of deadlines.
pub struct Reminders {
    /// The log and its cursor.
    store: Store,
    /// Cases.
    cases: Arc<cases::Engine>,
    /// Carries the messages.
    messages: Arc<office::Centre>,
    /// Who works where.
    staff: Arc<Staff>,
    /// Accounts and their roles.
    identity: Arc<identity::Engine>,
    /// Positions and theirs.
    organisations: Arc<organisations::Engine>,
}

impl Reminders {
    /// Of a running city.
    pub fn of(app: &App) -> Reminders {
        Reminders {
            store: app.store.clone(),
            cases: app.cases.clone(),
            messages: app.messages.clone(),
            staff: app.staff.clone(),
            identity: app.identity.clone(),
            organisations: app.organisations.clone(),
        }
    }

    /// Reads what happened since last time and reminds; says how many messages were taken. In a new
    /// city the log is followed from now on.
    pub async fn follow(&self) -> Result<u64, Fault> {
        let Some(mut seen) = self.store.cursors().get(CURSOR).await? else {
            self.come_to(self.store.events().last_seq()).await?;
            return Ok(0);
        };
        let mut told = 0;
        loop {
            let events = self.store.events().read(seen, BYTES).await?;
            let Some(last) = events.last().map(|event| event.seq) else {
                return Ok(told);
            };
            for event in events.iter().filter(|e| e.kind == EventKind::Case) {
                told += self.event(event).await?;
            }
            seen = last;
            self.come_to(seen).await?;
        }
    }

    async fn come_to(&self, seq: i64) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        cursors::set(&mut tx, CURSOR, seq).await?;
        tx.commit().await
    }

    async fn event(&self, event: &Event) -> Result<u64, Fault> {
        let body: Value = serde_json::from_slice(&event.body).unwrap_or_default();
        let what = body["what"].as_str().unwrap_or("");
        if !["light", "urged"].contains(&what) {
            return Ok(0);
        }
        let file = match self.cases.case(&Actor::system(), &event.about).await {
            Ok(file) => file,
            Err(fault) if fault.kind == FaultKind::Missing => return Ok(0),
            Err(fault) => return Err(fault),
        };
        let named = body["task"].as_str();
        let mut told = 0;
        for task in file
            .tasks
            .iter()
            .filter(|t| named.is_none_or(|id| id == t.id))
        {
            let urged = (what == "urged").then_some(event.seq);
            told += self.remind(&file, task, urged).await?;
        }
        Ok(told)
    }

    /// Tells of one task how it stands now; what changed back meanwhile is not told.
    async fn remind(&self, file: &CaseFile, task: &Task, urged: Option<i64>) -> Result<u64, Fault> {
        let lefts = [&task.left, &file.case.promised, &file.case.statutory];
        let pressing = lefts
            .into_iter()
            .flatten()
            .filter(|left| left.light != Light::Green);
        let pressing = pressing.filter(|left| left.light != Light::Paused);
        let left = pressing.min_by_key(|left| left.due);
        let red = left.is_some_and(|left| left.light == Light::Red);
        let mut fields = BTreeMap::from([
            ("title".to_string(), file.case.title.clone()),
            ("number".to_string(), file.case.number.clone()),
            ("step".to_string(), task.name.clone()),
        ]);
        let (template, key) = match (urged, left) {
            (Some(seq), _) => (URGED, format!("urged-{seq}")),
            (None, Some(left)) => {
                fields.insert("due".into(), last_day(left.due));
                let template = if red { OVER } else { NEAR };
                // A deadline that moves is another one.
                (template, format!("{template}-{}", left.due.0))
            }
            (None, None) => return Ok(0),
        };
        let mut told = 0;
        for account in self.hands(file, task, red && urged.is_none()).await? {
            let message = NewMessage {
                to: Recipient::Account(account.clone()),
                channel: Channel::Inbox,
                template: template.into(),
                fields: fields.clone(),
                once: format!("task/{}/{key}/{account}", task.id),
                about: format!("task/{}", task.id),
                not_before: None,
                until: None,
            };
            let sent = self.messages.send(&Actor::system(), message).await?;
            told += u64::from(sent.fresh);
        }
        Ok(told)
    }

    /// Whoever has the task; when nobody has it, or `all`, those of its organisation who may take it.
    async fn hands(
        &self,
        file: &CaseFile,
        task: &Task,
        all: bool,
    ) -> Result<BTreeSet<String>, Fault> {
        let mut hands: BTreeSet<String> = task.assignee.iter().cloned().collect();
        if !hands.is_empty() && !all {
            return Ok(hands);
        }
        let organisation = task
            .organisation
            .as_deref()
            .or(file.case.organisation.as_deref());
        let Some(organisation) = organisation else {
            return Ok(hands);
        };
        let members = self
            .staff
            .of_organisation(Some(organisation))
            .unwrap_or_default();
        for name in members.into_iter().take(LOOKED_AT) {
            if hands.len() >= PEOPLE {
                break;
            }
            if self.may_take(&name, task).await? {
                hands.insert(name);
            }
        }
        Ok(hands)
    }

    async fn may_take(&self, name: &str, task: &Task) -> Result<bool, Fault> {
        let account = match self.identity.account(name).await {
            Ok(account) if !account.disabled => account,
            Ok(_) => return Ok(false),
            Err(fault) if fault.kind == FaultKind::Missing => return Ok(false),
            Err(fault) => return Err(fault),
        };
        let mut actor = account.actor();
        self.organisations.dress(&mut actor);
        let may = |role: &String| actor.roles.contains(role);
        Ok(task.roles.iter().any(may))
    }
}

/// The last day before an instant, in Beijing.
fn last_day(due: Time) -> String {
    // The end of a day may be given as the first instant of the next.
    let (year, month, day, ..) = Time(due.0 - 1).beijing_fields();
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_day_is_named() {
        let due = Time::parse("2026-12-01T00:00:00+08:00").expect("a time");
        assert_eq!(last_day(due), "2026-11-30");
        assert_eq!(last_day(due - kernel::Span::hours(1)), "2026-11-30");
    }
}
