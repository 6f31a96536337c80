//! Counting clocks anew by another calendar: of cases, of their tasks, and timers that count days. A
//! clock that cannot be counted is left as it is and said in the log; it keeps no other one back.

use super::begun::Start;
use super::clocks;
use super::desk::Deed;
use super::work::{Change, Work, kept};
use crate::clock::{Calendar, Clock};
use crate::machine::Awaited;
use kernel::cases::Moved;
use kernel::{Fault, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use store::cases::{CaseRow, JobRow, JobState, NEVER, TaskRow, TimerRow, calendar, outbox};

/// Clocks counted in one transaction, at most.
const PAGE: u64 = 200;
/// What moved is named up to this many.
const NAMED: usize = 10_000;

/// What has clocks, in the order it is counted in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Cases,
    Tasks,
    Timers,
    Starts,
}

pub(super) const KINDS: [Kind; 4] = [Kind::Cases, Kind::Tasks, Kind::Timers, Kind::Starts];

/// A count: by which calendars, and what moved.
pub(super) struct Count {
    before: Arc<Calendar>,
    after: Arc<Calendar>,
    pub(super) dry: bool,
    pub(super) moved: Vec<Moved>,
}

impl Count {
    pub(super) fn new(before: Arc<Calendar>, after: Arc<Calendar>) -> Count {
        Count {
            before,
            after,
            dry: true,
            moved: vec![],
        }
    }

    /// Counts the page behind an identification; the last one of it, `None` when there is none.
    pub(super) async fn page(
        &mut self,
        work: &mut Work<'_>,
        kind: Kind,
        last: &str,
    ) -> Result<Option<String>, Fault> {
        let mut end = None;
        match kind {
            Kind::Cases => {
                for row in calendar::clocked_cases(work.tx, last, PAGE).await? {
                    let id = row.id.clone();
                    counted(&id, self.case(work, row).await)?;
                    end = Some(id);
                }
            }
            Kind::Tasks => {
                for row in calendar::clocked_tasks(work.tx, last, PAGE).await? {
                    let id = row.id.clone();
                    counted(&id, self.task(work, row).await)?;
                    end = Some(id);
                }
            }
            Kind::Timers => {
                let rows = calendar::drawn_timers(work.tx, last, PAGE).await?;
                let deeds: Vec<Deed> = rows.iter().cloned().map(Deed::Fire).collect();
                work.load(&deeds).await?;
                for row in rows {
                    let id = row.id.clone();
                    counted(&id, self.timer(work, row).await)?;
                    end = Some(id);
                }
            }
            Kind::Starts => {
                for job in outbox::starts(work.tx, None, last, PAGE).await? {
                    let id = job.id.clone();
                    counted(&id, self.start(work, &job))?;
                    end = Some(id);
                }
            }
        }
        Ok(end)
    }

    /// Sets the timers of a case with a clock anew. The case is not changed by it: when it is due is
    /// counted whenever it is asked.
    async fn case(&mut self, work: &mut Work<'_>, row: CaseRow) -> Result<(), Fault> {
        let now = work.now;
        let kept = kept(&row)?;
        let due = |calendar: &Calendar| {
            let (statutory, promised) = clocks::case_left(&row, &kept, calendar, now);
            promised.or(statutory).map(|left| left.due)
        };
        let (was, is) = (due(&self.before), due(&self.after));
        if was == is {
            return Ok(());
        }
        if !self.dry {
            let open = work.case(&row.id).await?;
            let mut change = Change::of(&open);
            change.timers = clocks::case_timers(&open, &self.after, now);
            let details = json!({ "due": is.map(Time::rfc3339) });
            change.note(now, "system", "recounted", None, details);
            work.take(change)?;
        }
        self.note("case", &row.id, was, is);
        Ok(())
    }

    async fn task(&mut self, work: &mut Work<'_>, mut task: TaskRow) -> Result<(), Fault> {
        let now = work.now;
        let open = work.case(&task.case_id).await?;
        let was = task.due_at;
        let pauses = &open.kept.pauses;
        let timers = clocks::set_task(&mut task, pauses, &self.after, now);
        if task.due_at == was {
            return Ok(());
        }
        let (id, is) = (task.id.clone(), task.due_at);
        if !self.dry {
            let mut change = Change::of(&open);
            change.timers = timers;
            let details = json!({ "due": Time(task.due_at).rfc3339() });
            change.note(now, "system", "recounted", Some(&task), details);
            work.known_before(&task, was);
            change.tasks.push(task);
            work.take(change)?;
        }
        let moment = |at: i64| (at < NEVER - 1).then_some(Time(at));
        self.note("task", &id, moment(was), moment(is));
        Ok(())
    }

    /// A timer of a drawing that counts days. What fired is waited for no more.
    async fn timer(&mut self, work: &mut Work<'_>, mut row: TimerRow) -> Result<(), Fault> {
        let now = work.now;
        let open = work.case(&row.case_id).await?;
        let wait = row.wait as u64;
        let Some(found) = open.kept.instance.waits.get(&wait) else {
            return Ok(());
        };
        let Some((is, was, due)) = recounted(&found.what, &self.after) else {
            return Ok(());
        };
        let id = row.id.clone();
        if !self.dry {
            let mut change = Change::of(&open);
            if let Some(wait) = change.case.kept.instance.waits.get_mut(&wait) {
                wait.what = is;
            }
            let node = open.drawing()?.nodes.get(found.node).map(|node| &node.id);
            let details = json!({ "due": due.rfc3339(), "node": node });
            change.note(now, "system", "recounted", None, details);
            row.due_at = due.0;
            change.timers.push((row.id.clone(), Some(row)));
            work.take(change)?;
        }
        self.note("timer", &id, Some(was), Some(due));
        Ok(())
    }

    /// A timer that counts days until it begins a case.
    fn start(&mut self, work: &mut Work<'_>, job: &JobRow) -> Result<(), Fault> {
        if job.state != JobState::Waiting {
            // What was set aside is looked at by somebody.
            return Ok(());
        }
        let mut start = Start::of(job)?;
        let timer = start.timer.as_ref();
        let Some((is, was, due)) = timer.and_then(|timer| recounted(timer, &self.after)) else {
            return Ok(());
        };
        if !self.dry {
            start.timer = Some(is);
            let job = start.put(job, work.now)?;
            work.put_job(job.id.clone(), Some(job));
        }
        self.note("start", &job.name, Some(was), Some(due));
        Ok(())
    }

    fn note(&mut self, kind: &str, id: &str, before: Option<Time>, after: Option<Time>) {
        if self.moved.len() < NAMED {
            self.moved.push(Moved {
                kind: kind.into(),
                id: id.into(),
                before,
                after,
            });
        }
    }
}

/// What cannot be counted is said and left; a store that fails is the fault of no clock.
fn counted(id: &str, outcome: Result<(), Fault>) -> Result<(), Fault> {
    match outcome {
        Err(fault) if !fault.code.starts_with("store.") => {
            tracing::error!(%fault, id, "a clock cannot be counted anew");
            Ok(())
        }
        outcome => outcome,
    }
}

/// A timer whose days end elsewhere by another calendar: as it is then, and when it was and is due.
fn recounted(timer: &Awaited, after: &Calendar) -> Option<(Awaited, Time, Time)> {
    let days = |since, limit| Clock::start(since, limit).left(after, since).due;
    let is = timer.recounted(days)?;
    match (timer, &is) {
        (Awaited::Timer { due: was, .. }, Awaited::Timer { due, .. }) => {
            let (was, due) = (*was, *due);
            Some((is, was, due))
        }
        _ => None,
    }
}
