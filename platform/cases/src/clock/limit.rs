//! A limit and the clock that runs against it, with the pauses the law allows.

use super::calendar::{Calendar, Day};
use kernel::Time;
use kernel::cases::{Count, Left, Light, Limit, Pause};
use serde::{Deserialize, Serialize};

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

    /// The first instant of the first day on which its light is yellow; `None` when it goes from
    /// green to red.
    pub fn yellow(&self, calendar: &Calendar, now: Time) -> Option<Time> {
        if self.limit.days < 2 {
            return None;
        }
        let (threshold, started) = (self.threshold(), Day::of(self.started));
        let mut day = self.last_day(calendar, now);
        let mut left = 0;
        // Backwards from the end, as long as no more than the threshold are left after the day.
        while day > started {
            left += match self.limit.count {
                Count::WorkingDays => i64::from(calendar.is_worked(day) && self.counts(day, now)),
                Count::CalendarDays => 1,
            };
            if left > threshold {
                break;
            }
            day = day.plus(-1);
        }
        Some(std::cmp::max(day.begins(), self.started))
    }

    /// Days left from which on the light is yellow.
    fn threshold(&self) -> i64 {
        i64::from(self.limit.days / 5).max(1)
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
        } else if days <= self.threshold() && self.limit.days > 1 {
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
