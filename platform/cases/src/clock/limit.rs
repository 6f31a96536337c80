//! A limit and the clock that runs against it, with the pauses the law allows.

use super::calendar::{Calendar, Day};
use kernel::Time;
use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Working days (工作日); the usual of administrative law (行政许可法第八十二条).
    WorkingDays,
    /// Days of the calendar (自然日). A limit that would end on a day not worked ends on the next one
    /// that is (民法典第二百零三条).
    CalendarDays,
}

/// How long there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Number of days.
    pub days: u32,
    /// Which days.
    pub count: Count,
}

/// A time that does not count against the office: 补正, 公示, 听证, 检测, 鉴定 …
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since.
    pub from: Time,
    /// Until; `None` while it lasts.
    pub to: Option<Time>,
    /// Why, with its legal ground.
    pub reason: String,
}

/// A clock that runs since something was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Since when.
    pub started: Time,
    /// Against which limit.
    pub limit: Limit,
    /// Pauses, in order.
    pub pauses: Vec<Pause>,
}

/// Where a clock stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// In time.
    Green,
    /// A fifth of the days or fewer, or the last one, remain.
    Yellow,
    /// Over.
    Red,
    /// Does not run.
    Paused,
}

/// What is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The end of the last day; of a paused clock, if it went on today.
    pub due: Time,
    /// Days left after today, below zero when it is over, in days of the limit.
    pub days: i64,
    /// How it stands.
    pub light: Light,
    /// The calendar of the year it ends in is not published yet.
    pub provisional: bool,
}

impl Clock {
    /// A clock that starts now.
    pub fn start(started: Time, limit: Limit) -> Clock {
        Clock {
            started,
            limit,
            pauses: vec![],
        }
    }

    /// Is it paused at this moment?
    pub fn is_paused(&self, now: Time) -> bool {
        self.pauses
            .iter()
            .any(|p| p.from <= now && p.to.is_none_or(|to| now < to))
    }

    /// Does a day count? Days after the one a pause began on, up to and including the one it ended
    /// on, do not: the office has used the first, and goes on on the day after the last.
    fn counts(&self, day: Day, now: Time) -> bool {
        !self.pauses.iter().any(|p| {
            let (from, to) = (Day::of(p.from), Day::of(p.to.unwrap_or(now)));
            from < day && day <= to
        })
    }

    fn last_day(&self, calendar: &Calendar, now: Time) -> Day {
        let started = Day::of(self.started);
        match self.limit.count {
            Count::WorkingDays => {
                calendar.after(started, self.limit.days, |day| self.counts(day, now))
            }
            Count::CalendarDays => {
                let (mut day, mut left) = (started, self.limit.days);
                while left > 0 {
                    day = day.plus(1);
                    left -= u32::from(self.counts(day, now));
                }
                while !calendar.is_worked(day) {
                    day = day.plus(1);
                }
                day
            }
        }
    }

    /// Where it stands.
    pub fn left(&self, calendar: &Calendar, now: Time) -> Left {
        let last = self.last_day(calendar, now);
        let today = Day::of(now);
        let days_between = |from: Day, to: Day| match self.limit.count {
            Count::WorkingDays => {
                i64::from(calendar.between(from, to, |day| self.counts(day, now)))
            }
            Count::CalendarDays => i64::from(to.0) - i64::from(from.0),
        };
        let days = if last >= today {
            days_between(today, last)
        } else {
            -days_between(last, today)
        };
        let light = if self.is_paused(now) {
            Light::Paused
        } else if now >= last.ends() {
            Light::Red
        } else if days <= i64::from(self.limit.days / 5).max(1) && self.limit.days > 1 {
            Light::Yellow
        } else {
            Light::Green
        };
        Left {
            due: last.ends(),
            days,
            light,
            provisional: !calendar.is_published(last),
        }
    }
}
