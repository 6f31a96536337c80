//! The calendar: loaded from the store, set year by year; every running clock is counted anew.

use super::begun::Start;
use super::desk::Deed;
use super::work::{Change, Work, audit, kept};
use super::{Engine, clocks};
use crate::clock::{Calendar, Clock, Day};
use crate::machine::Awaited;
use kernel::access::Actor;
use kernel::cases::{CalendarDay, Left, Limit, Moved};
use kernel::fault::Problem;
use kernel::{Fault, Time, Verb, Words};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::cases::{JobState, NEVER, calendar, outbox};

/// Clocks counted in one transaction, at most.
const PAGE: u64 = 200;
/// What moved is named up to this many.
const NAMED: usize = 10_000;

/// Reads the calendar of a year, naming everything that is wrong.
fn checked(year: i16, days: &[CalendarDay]) -> Result<(), Fault> {
    let mut problems = vec![];
    let mut say = |at: String, zh: &str, en: &str| {
        let words = Words::new(zh, en);
        problems.push(Problem { at, words });
    };
    if !(1990..=2200).contains(&year) {
        say("year".into(), "应为 1990 至 2200", "should be 1990 to 2200");
    }
    if days.is_empty() || days.len() > 366 {
        say("days".into(), "应为 1 至 366 天", "should be 1 to 366 days");
    }
    let mut seen = BTreeSet::new();
    for (at, day) in days.iter().take(400).enumerate() {
        let read = Day::parse(&day.day);
        let at = format!("/days/{at}/day");
        match read {
            None => say(
                at,
                "不是日期（如 2026-10-01）",
                "is no day such as 2026-10-01",
            ),
            Some(read) if read.year() != year => {
                say(at, "不在该年度内", "is not within the year");
            }
            Some(read) if !seen.insert(read) => say(at, "日期重复", "comes twice"),
            Some(_) => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

fn enter(calendar: &mut Calendar, days: &[CalendarDay]) {
    for day in days {
        if let Some(read) = Day::parse(&day.day) {
            calendar.set(read, day.worked);
        }
    }
}

impl Engine {
    pub(super) async fn load_calendar(&self) -> Result<(), Fault> {
        let mut reader = self.store.reader().await?;
        let mut fresh = Calendar::new();
        for (_, days) in calendar::all(&mut reader).await? {
            enter(&mut fresh, &days);
        }
        *self.calendar.write() = Arc::new(fresh);
        Ok(())
    }

    /// Where a clock that started then stands now, if it never paused: what other engines count
    /// their own limits by.
    pub fn left(&self, from: Time, limit: Limit) -> Left {
        let calendar = self.calendar.read().clone();
        crate::clock::Clock::start(from, limit).left(&calendar, self.clock.now())
    }

    /// Is the day of this moment worked, by the calendar that is published?
    pub fn is_worked(&self, at: Time) -> bool {
        self.calendar.read().is_worked(Day::of(at))
    }

    pub(super) async fn year(&self, year: i16) -> Result<Vec<CalendarDay>, Fault> {
        let mut reader = self.store.reader().await?;
        let all = calendar::all(&mut reader).await?;
        let found = all.into_iter().find(|(known, _)| *known == year);
        Ok(found.map(|(_, days)| days).unwrap_or_default())
    }

    /// Sets a year and counts every running clock anew; with `dry` says only what would move.
    pub(super) async fn set_year(
        &self,
        by: &Actor,
        year: i16,
        days: Vec<CalendarDay>,
        dry: bool,
    ) -> Result<Vec<Moved>, Fault> {
        let by = self.demand(by, Verb::Operate, "calendar")?;
        checked(year, &days)?;
        let mut fresh = Calendar::new();
        {
            let mut reader = self.store.reader().await?;
            for (known, known_days) in calendar::all(&mut reader).await? {
                if known != year {
                    enter(&mut fresh, &known_days);
                }
            }
        }
        enter(&mut fresh, &days);
        let before = self.days();
        if !dry {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            calendar::put(&mut tx, year, &days, now, &by.account).await?;
            let details = json!({ "days": days.len() });
            let entry = audit(now, &by, "set", "calendar", &year.to_string(), details);
            store::audit::append(&mut tx, &entry).await?;
            tx.commit().await?;
            *self.calendar.write() = Arc::new(fresh.clone());
        }
        let mut moved = vec![];
        self.count_cases(&before, &fresh, dry, &mut moved).await?;
        self.count_tasks(&fresh, dry, &mut moved).await?;
        self.count_timers(&fresh, dry, &mut moved).await?;
        self.count_starts(&fresh, dry, &mut moved).await?;
        Ok(moved)
    }

    /// Sets the timers of every case with a clock anew. A case is not changed by it: when it is due
    /// is counted whenever it is asked.
    async fn count_cases(
        &self,
        before: &Calendar,
        after: &Calendar,
        dry: bool,
        moved: &mut Vec<Moved>,
    ) -> Result<(), Fault> {
        let mut last = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let mut work = Work::new(self, &mut tx);
            let now = work.now;
            let rows = calendar::clocked_cases(work.tx, &last, PAGE).await?;
            let Some(end) = rows.last().map(|row| row.id.clone()) else {
                return Ok(());
            };
            last = end;
            for row in rows {
                let kept = kept(&row)?;
                let due = |calendar: &Calendar| {
                    let (statutory, promised) = clocks::case_left(&row, &kept, calendar, now);
                    promised.or(statutory).map(|left| left.due)
                };
                let (was, is) = (due(before), due(after));
                if was == is {
                    continue;
                }
                note(moved, "case", &row.id, was, is);
                if !dry {
                    let open = work.case(&row.id).await?;
                    let mut change = Change::of(&open);
                    change.timers = clocks::case_timers(&open, after, now);
                    let details = json!({ "due": is.map(Time::rfc3339) });
                    change.note(now, "system", "recounted", None, details);
                    work.take(change)?;
                }
            }
            if work.finish().await?.wrote {
                tx.commit().await?;
            }
        }
    }

    async fn count_tasks(
        &self,
        after: &Calendar,
        dry: bool,
        moved: &mut Vec<Moved>,
    ) -> Result<(), Fault> {
        let mut last = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let mut work = Work::new(self, &mut tx);
            let now = work.now;
            let rows = calendar::clocked_tasks(work.tx, &last, PAGE).await?;
            let Some(end) = rows.last().map(|row| row.id.clone()) else {
                return Ok(());
            };
            last = end;
            for mut task in rows {
                let open = work.case(&task.case_id).await?;
                let was = task.due_at;
                let pauses = &open.kept.pauses;
                let timers = clocks::set_task(&mut task, pauses, after, now);
                if task.due_at == was {
                    continue;
                }
                let moment = |at: i64| (at < NEVER - 1).then_some(Time(at));
                note(moved, "task", &task.id, moment(was), moment(task.due_at));
                if !dry {
                    let mut change = Change::of(&open);
                    change.timers = timers;
                    let details = json!({ "due": Time(task.due_at).rfc3339() });
                    change.note(now, "system", "recounted", Some(&task), details);
                    work.known_before(&task, was);
                    change.tasks.push(task);
                    work.take(change)?;
                }
            }
            if work.finish().await?.wrote {
                tx.commit().await?;
            }
        }
    }

    /// Timers of drawings that count days, of cases that are open. What fired is waited for no more.
    async fn count_timers(
        &self,
        after: &Calendar,
        dry: bool,
        moved: &mut Vec<Moved>,
    ) -> Result<(), Fault> {
        let mut last = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let mut work = Work::new(self, &mut tx);
            let now = work.now;
            let rows = calendar::drawn_timers(work.tx, &last, PAGE).await?;
            let Some(end) = rows.last().map(|row| row.id.clone()) else {
                return Ok(());
            };
            last = end;
            let deeds: Vec<Deed> = rows.iter().cloned().map(Deed::Fire).collect();
            work.load(&deeds).await?;
            for mut row in rows {
                let open = work.case(&row.case_id).await?;
                let wait = row.wait as u64;
                let Some(found) = open.kept.instance.waits.get(&wait) else {
                    continue;
                };
                let Some((is, was, due)) = recounted(&found.what, after) else {
                    continue;
                };
                note(moved, "timer", &row.id, Some(was), Some(due));
                if !dry {
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
            }
            if work.finish().await?.wrote {
                tx.commit().await?;
            }
        }
    }

    /// Timers that count days until they begin a case.
    async fn count_starts(
        &self,
        after: &Calendar,
        dry: bool,
        moved: &mut Vec<Moved>,
    ) -> Result<(), Fault> {
        let mut last = String::new();
        loop {
            let mut tx = self.store.begin().await?;
            let mut work = Work::new(self, &mut tx);
            let jobs = outbox::starts(work.tx, None, &last, PAGE).await?;
            let Some(end) = jobs.last().map(|job| job.id.clone()) else {
                return Ok(());
            };
            last = end;
            for job in jobs {
                // To be looked at by somebody.
                if job.state != JobState::Waiting {
                    continue;
                }
                let mut start = Start::of(&job)?;
                let moved_to = start
                    .timer
                    .as_ref()
                    .and_then(|timer| recounted(timer, after));
                let Some((is, was, due)) = moved_to else {
                    continue;
                };
                note(moved, "start", &job.name, Some(was), Some(due));
                if !dry {
                    start.timer = Some(is);
                    let job = start.put(&job, work.now)?;
                    work.put_job(job.id.clone(), Some(job));
                }
            }
            if work.finish().await?.wrote {
                tx.commit().await?;
            }
        }
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

fn note(moved: &mut Vec<Moved>, kind: &str, id: &str, before: Option<Time>, after: Option<Time>) {
    if moved.len() < NAMED {
        moved.push(Moved {
            kind: kind.into(),
            id: id.into(),
            before,
            after,
        });
    }
}
