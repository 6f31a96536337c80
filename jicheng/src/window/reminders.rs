//! Reminders of deadlines: when the light of a case or task turns yellow or red, or somebody urges
//! it, whoever has it in hand finds that in their messages; when it is red, so do their colleagues
//! who may take it, and their superiors ([`super::superiors`]). Who is told is noted in the history
//! of the task first. The log of events is read by a cursor of its own: nothing is missed over a
//! stop, and nothing is said twice.

use super::people::Staff;
use super::superiors::{Superiors, superiors};
use crate::app::App;
use kernel::cases::{CaseFile, Cases, Count, Left, Light, Limit, Task, Told};
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
/// Templates of the message centre: `title`, `number`, `step`, those of deadlines `due`, that for
/// superiors `office` and `holder` too.
const NEAR: &str = "case_deadline_near";
const OVER: &str = "case_deadline_over";
const SUPERIOR: &str = "case_deadline_superior";
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
    pub(super) staff: Arc<Staff>,
    /// Accounts and their roles.
    pub(super) identity: Arc<identity::Engine>,
    /// Positions and theirs.
    pub(super) organisations: Arc<organisations::Engine>,
}

/// What is told of a task, filled in for its template.
struct Notice<'a> {
    task: &'a Task,
    template: &'static str,
    /// What makes it another notice.
    key: String,
    fields: BTreeMap<String, String>,
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
        let fields = BTreeMap::from([
            ("title".to_string(), file.case.title.clone()),
            ("number".to_string(), file.case.number.clone()),
            ("step".to_string(), task.name.clone()),
        ]);
        if let Some(seq) = urged {
            let notice = Notice {
                task,
                template: URGED,
                key: format!("urged-{seq}"),
                fields,
            };
            return self
                .tell(&notice, &self.hands(file, task, false).await?)
                .await;
        }
        let lefts = [&task.left, &file.case.promised, &file.case.statutory];
        let pressing = lefts.into_iter().flatten();
        let pressing = pressing.filter(|left| matches!(left.light, Light::Yellow | Light::Red));
        let Some(left) = pressing.min_by_key(|left| left.due) else {
            return Ok(0);
        };
        let mut told = self.of_clock(file, task, left, fields.clone()).await?;
        if left.light == Light::Red && self.long_over(left) {
            told += self.next_superior(file, task, left, fields).await?;
        }
        Ok(told)
    }

    /// Whoever has the task is told; once it is over, their colleagues and the head of their office
    /// too.
    async fn of_clock(
        &self,
        file: &CaseFile,
        task: &Task,
        left: &Left,
        mut fields: BTreeMap<String, String>,
    ) -> Result<u64, Fault> {
        let red = left.light == Light::Red;
        let (template, light) = if red { (OVER, "red") } else { (NEAR, "yellow") };
        let to = self.hands(file, task, red).await?;
        let above = match red {
            true => superiors(self, file, task, 0).await?,
            false => Superiors::default(),
        };
        if to.is_empty() && above.accounts.is_empty() {
            return Ok(0);
        }
        // A deadline that moves is another one.
        let told = above.told(light, left.due, &to);
        let told = self.cases.note_told(&task.id, told).await?;
        fields.insert("due".into(), last_day(left.due));
        let notice = Notice {
            task,
            template,
            key: format!("{template}-{}", left.due.0),
            fields: fields.clone(),
        };
        let sent = self
            .tell(&notice, &told.to.iter().cloned().collect())
            .await?;
        Ok(sent + self.tell_superiors(task, left, fields, &told).await?)
    }

    /// The head of the office above is told when nothing has happened for a working day.
    async fn next_superior(
        &self,
        file: &CaseFile,
        task: &Task,
        left: &Left,
        mut fields: BTreeMap<String, String>,
    ) -> Result<u64, Fault> {
        let above = superiors(self, file, task, 1).await?;
        if above.accounts.is_empty() {
            return Ok(0);
        }
        let told = above.told("overdue", left.due, &BTreeSet::new());
        let told = self.cases.note_told(&task.id, told).await?;
        fields.insert("due".into(), last_day(left.due));
        self.tell_superiors(task, left, fields, &told).await
    }

    async fn tell_superiors(
        &self,
        task: &Task,
        left: &Left,
        mut fields: BTreeMap<String, String>,
        told: &Told,
    ) -> Result<u64, Fault> {
        let holder = task.assignee.clone().unwrap_or_default();
        let named = self.staff.member(&holder).map(|member| member.name);
        let holder = named.or((!holder.is_empty()).then_some(holder));
        fields.insert("holder".into(), holder.unwrap_or_else(|| "—".into()));
        fields.insert("office".into(), self.office(task, told));
        let notice = Notice {
            task,
            template: SUPERIOR,
            key: format!("{SUPERIOR}-{}", left.due.0),
            fields,
        };
        let superiors = told.superiors.iter().cloned().collect();
        self.tell(&notice, &superiors).await
    }

    /// The office that has a task, by name.
    fn office(&self, task: &Task, told: &Told) -> String {
        let member = task.assignee.as_deref();
        let member = member.and_then(|account| self.staff.member(account));
        if let Some(member) = member {
            return member.organisation_title.zh;
        }
        let code = task.organisation.as_ref().or(told.heads_of.first());
        let known = code.and_then(|code| self.organisations.get(code, None));
        known.map(|one| one.title.zh.clone()).unwrap_or_default()
    }

    /// Has it been over for a working day?
    fn long_over(&self, left: &Left) -> bool {
        let day = Limit {
            days: 1,
            count: Count::WorkingDays,
        };
        // The end of a day is the first instant of the next one.
        self.cases.left(Time(left.due.0 - 1), day).light == Light::Red
    }

    async fn tell(&self, notice: &Notice<'_>, to: &BTreeSet<String>) -> Result<u64, Fault> {
        let mut told = 0;
        for account in to {
            let message = NewMessage {
                to: Recipient::Account(account.clone()),
                channel: Channel::Inbox,
                template: notice.template.into(),
                fields: notice.fields.clone(),
                once: format!("task/{}/{}/{account}", notice.task.id, notice.key),
                about: format!("task/{}", notice.task.id),
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
