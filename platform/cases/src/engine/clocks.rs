//! Clocks of cases and tasks: when each is over, when its light changes, and the timers that say so.

use super::work::{Kept, Open};
use crate::clock::{Calendar, Clock};
use crate::machine::timer::duration;
use kernel::cases::{Count, Left, Light, Limit, Pause};
use kernel::{Span, Time};
use serde::{Deserialize, Serialize};
use store::cases::{CaseRow, NEVER, TaskRow, TimerRow};

/// Timers by identification; `None` takes one away.
pub(super) type Timers = Vec<(String, Option<TimerRow>)>;

/// Pauses of a case, at most.
pub(super) const PAUSES: usize = 50;

/// What the clock of a task counts: a limit in days, a span of hours, or up to a moment. Days and
/// hours stand still while the case is paused; a moment that was named comes all the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TaskClock {
    started: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Time>,
    /// It was given as a span: pauses put it off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    span: bool,
}

impl TaskClock {
    /// Reads `5 working days`, `PT4H`, or a moment.
    pub(super) fn parse(text: &str, now: Time) -> Option<TaskClock> {
        let mut clock = TaskClock {
            started: now,
            limit: Limit::parse(text),
            due: None,
            span: false,
        };
        if clock.limit.is_none() {
            let span = duration(text).map(|span| now + span);
            clock.span = span.is_some();
            clock.due = span.or_else(|| Time::parse(text));
        }
        (clock.limit.is_some() || clock.due.is_some()).then_some(clock)
    }

    fn of(task: &TaskRow) -> Option<TaskClock> {
        serde_json::from_str(task.clock.as_deref()?).ok()
    }

    fn left(&self, pauses: &[Pause], calendar: &Calendar, now: Time) -> Option<Left> {
        if let Some(limit) = self.limit {
            return Some(counted(self.started, limit, pauses).left(calendar, now));
        }
        let (due, paused) = self.put_off(pauses, now)?;
        let days = due.since(now).0.div_euclid(Span::days(1).0);
        let light = if paused {
            Light::Paused
        } else if now >= due {
            Light::Red
        } else if now >= self.yellow(pauses, calendar, now)? {
            Light::Yellow
        } else {
            Light::Green
        };
        Some(Left {
            due,
            days,
            light,
            provisional: false,
        })
    }

    fn yellow(&self, pauses: &[Pause], calendar: &Calendar, now: Time) -> Option<Time> {
        if let Some(limit) = self.limit {
            return counted(self.started, limit, pauses).yellow(calendar, now);
        }
        let given = self.due?;
        let (due, _) = self.put_off(pauses, now)?;
        Some(Time(due.0 - given.since(self.started).0 / 5))
    }

    /// When a span is over, with the pauses since it began; and whether it stands still now.
    fn put_off(&self, pauses: &[Pause], now: Time) -> Option<(Time, bool)> {
        let (mut due, mut paused) = (self.due?, false);
        if !self.span {
            return Some((due, false));
        }
        for pause in pauses {
            let from = std::cmp::max(pause.from, self.started);
            // What was over already stays so.
            if from >= due {
                break;
            }
            let to = pause.to.unwrap_or(now);
            paused |= pause.to.is_none();
            due = due + Span(to.since(from).0.max(0));
        }
        Some((due, paused))
    }
}

/// The clock of a limit; pauses that were over before it started do not matter to it.
fn counted(started: Time, limit: Limit, pauses: &[Pause]) -> Clock {
    let later = |pause: &&Pause| pause.to.is_none_or(|to| to > started);
    Clock {
        started,
        limit,
        pauses: pauses.iter().filter(later).cloned().collect(),
    }
}

/// Sets when a task is due and when its light turns yellow; answers its timers.
pub(super) fn set_task(
    task: &mut TaskRow,
    pauses: &[Pause],
    calendar: &Calendar,
    now: Time,
) -> Timers {
    let Some(clock) = TaskClock::of(task) else {
        return vec![];
    };
    let Some(left) = clock.left(pauses, calendar, now) else {
        return vec![];
    };
    let (yellow, red) = if left.light == Light::Paused {
        (NEVER - 1, NEVER - 1)
    } else {
        let yellow = clock.yellow(pauses, calendar, now).unwrap_or(left.due);
        (yellow.0, left.due.0)
    };
    (task.yellow_at, task.due_at) = (yellow, red);
    let timer = |kind: &str, at| timer(&task.id, &task.case_id, task.wait, kind, at, now);
    let mut timers = vec![timer("yellow", yellow), timer("red", red)];
    if red <= now.0 {
        timers.push(timer("overdue", overdue(left.due, calendar, now)));
    }
    timers
}

/// When what was due is overdue so long that the next superior hears of it: a working day later, or
/// at once when that is past, over a long stop.
fn overdue(due: Time, calendar: &Calendar, now: Time) -> i64 {
    let limit = Limit {
        days: 1,
        count: Count::WorkingDays,
    };
    // The end of a day is the first instant of the next one.
    let due = Time(due.0 - 1);
    let day_later = Clock::start(due, limit).left(calendar, due).due;
    std::cmp::max(day_later.0, now.0 + 1)
}

/// Takes the timers of a task away.
pub(super) fn drop_task(task: &TaskRow, now: Time) -> Timers {
    if task.clock.is_none() {
        return vec![];
    }
    let kinds = ["yellow", "red", "overdue"];
    let count = if task.due_at <= now.0 { 3 } else { 2 };
    let kinds = kinds.into_iter().take(count);
    kinds
        .map(|kind| (format!("{}-{kind}", task.id), None))
        .collect()
}

/// A timer for a light; none for a moment that is past or never comes.
fn timer(
    of: &str,
    case: &str,
    wait: i64,
    kind: &str,
    at: i64,
    now: Time,
) -> (String, Option<TimerRow>) {
    let id = format!("{of}-{kind}");
    let row = TimerRow {
        id: id.clone(),
        case_id: case.into(),
        wait,
        kind: kind.into(),
        due_at: at,
        ..TimerRow::default()
    };
    (id, (at > now.0 && at < NEVER - 1).then_some(row))
}

/// What is left of a task.
pub(super) fn task_left(
    task: &TaskRow,
    pauses: &[Pause],
    calendar: &Calendar,
    now: Time,
) -> Option<Left> {
    TaskClock::of(task)?.left(pauses, calendar, now)
}

/// When the limits of a case began to run.
fn begun(row: &CaseRow, kept: &Kept) -> Time {
    kept.since.unwrap_or(row.started_at)
}

/// What is left of the limits of a case: the statutory, and the promised. Of a case that has ended,
/// as it stood then.
pub(super) fn case_left(
    row: &CaseRow,
    kept: &Kept,
    calendar: &Calendar,
    now: Time,
) -> (Option<Left>, Option<Left>) {
    let at = row.ended_at.unwrap_or(now);
    let left = |limit: &Option<Limit>| {
        let limit = (*limit)?;
        Some(counted(begun(row, kept), limit, &kept.pauses).left(calendar, at))
    };
    (left(&kept.statutory), left(&kept.promised))
}

/// The timers of the clocks of a case; without a clock, or once it ended, none.
pub(super) fn case_timers(open: &Open, calendar: &Calendar, now: Time) -> Timers {
    let (row, kept) = (&open.row, &open.kept);
    let mut timers = vec![];
    let limits = [("promised", &kept.promised), ("statutory", &kept.statutory)];
    for (name, limit) in limits {
        let Some(limit) = limit else { continue };
        let clock = counted(begun(row, kept), *limit, &kept.pauses);
        let left = clock.left(calendar, now);
        let runs = !row.state.ended() && left.light != Light::Paused;
        let yellow = clock.yellow(calendar, now).unwrap_or(left.due).0;
        let mut lights = vec![("yellow", yellow), ("red", left.due.0)];
        if left.due <= now {
            lights.push(("overdue", overdue(left.due, calendar, now)));
        }
        for (light, at) in lights {
            let at = if runs { at } else { NEVER };
            let kind = format!("{name}-{light}");
            timers.push(timer(&row.id, &row.id, 0, &kind, at, now));
        }
    }
    timers
}
