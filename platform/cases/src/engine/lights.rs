//! Lights of clocks: what is noted when one changes, and who was told of it.

use super::clocks;
use super::desk::{Deed, Reply};
use super::work::{Change, Open, Work, case_of};
use super::{Engine, faults};
use kernel::Fault;
use kernel::cases::{Left, Light, Told};
use serde_json::{Value, json};
use store::cases::{TaskRow, TimerRow, read};

/// People named in one entry, at most.
const PEOPLE: usize = 200;

impl Engine {
    /// Notes in the history of a task who is told of its clock, once for a key; answers who was noted
    /// first. Whoever tells does so afterwards, so that nobody is told who is not noted. Only the
    /// program does this.
    pub async fn note_told(&self, task: &str, told: Told) -> Result<Told, Fault> {
        let deed = Deed::Told(task.into(), told);
        match self.submit(deed).await? {
            Reply::Told(told) => Ok(told),
            _ => Err(Fault::internal("noting who is told", "another answer")),
        }
    }
}

impl Work<'_> {
    /// A light of a clock changes: it is said in the history and in the log of events, by which
    /// others remind and escalate.
    pub(super) async fn light(&mut self, open: &Open, timer: &TimerRow) -> Result<Reply, Fault> {
        let of_task = matches!(timer.kind.as_str(), "yellow" | "red" | "overdue");
        let mut task = match of_task {
            true => self.task(&open.of_wait(timer.wait as u64)).await?,
            false => None,
        };
        let calendar = self.engine.days();
        let red = |left: Option<Left>| left.is_some_and(|left| left.light == Light::Red);
        let is_red = match &task {
            Some(task) => red(clocks::task_left(
                task,
                &open.kept.pauses,
                &calendar,
                self.now,
            )),
            None => {
                let (statutory, promised) =
                    clocks::case_left(&open.row, &open.kept, &calendar, self.now);
                red(statutory) || red(promised)
            }
        };
        if timer.kind.ends_with("overdue") && !is_red {
            // It was put off since.
            self.writes.timers.insert(timer.id.clone(), None);
            return Ok(Reply::Nothing);
        }
        let mut change = Change::of(open);
        let details = json!({ "light": timer.kind });
        change.note(self.now, "system", "light", task.as_ref(), details);
        if let Some(of) = timer.id.strip_suffix("red") {
            let timers = match &mut task {
                Some(task) => clocks::set_task(task, &open.kept.pauses, &calendar, self.now),
                None => clocks::case_timers(open, &calendar, self.now),
            };
            // Only what follows this light: the others may be due as well, and fire on their own.
            let next = format!("{of}overdue");
            let timers = timers.into_iter().filter(|(id, _)| *id == next);
            change.timers.extend(timers);
        }
        change.timers.push((timer.id.clone(), None));
        self.take(change)?;
        Ok(Reply::Nothing)
    }

    pub(super) async fn note_told(&mut self, task: &str, told: &Told) -> Result<Reply, Fault> {
        let row = self.task(task).await?.ok_or_else(|| Fault::missing(task))?;
        let case = case_of(task).ok_or_else(|| Fault::missing(task))?;
        faults::text("key", &told.key, 200)?;
        if let Some(before) = self.told_before(&row, &told.key).await? {
            return Ok(Reply::Told(before));
        }
        let open = self.case(case).await?;
        let mut told = told.clone();
        told.to.truncate(PEOPLE);
        told.superiors.truncate(PEOPLE);
        let mut change = Change::of(&open);
        change.note(self.now, "system", "told", Some(&row), json!(told));
        self.take(change)?;
        Ok(Reply::Told(told))
    }

    async fn told_before(&mut self, task: &TaskRow, key: &str) -> Result<Option<Told>, Fault> {
        self.flush().await?;
        let entries = read::entries_of_task(self.tx, &task.case_id, &task.id).await?;
        let same = |details: &Value| details["key"] == key;
        let found = entries
            .into_iter()
            .find(|entry| entry.what == "told" && same(&entry.details));
        let read = |entry: kernel::cases::Entry| serde_json::from_value(entry.details);
        let told = found.map(read).transpose();
        told.map_err(|e| Fault::internal("reading who was told", e))
    }
}
