//! The calendar: which days are worked.

use kernel::Time;
use kernel::time::{BEIJING_OFFSET, DAY};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A day in Beijing: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i32);

impl Day {
    /// The day an instant falls on.
    pub fn of(time: Time) -> Day {
        let days = (time.0 + BEIJING_OFFSET).div_euclid(DAY);
        Day(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Its first instant.
    pub fn begins(self) -> Time {
        Time(i64::from(self.0) * DAY - BEIJING_OFFSET)
    }

    /// The instant it is over.
    pub fn ends(self) -> Time {
        self.plus(1).begins()
    }

    /// So many days later.
    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// Its year.
    pub fn year(self) -> i16 {
        self.begins().beijing_fields().0
    }

    /// Reads `2026-11-25`.
    pub fn parse(text: &str) -> Option<Day> {
        (text.len() == 10).then(|| Time::parse(text).map(Day::of))?
    }

    /// Monday is 0, Sunday 6.
    fn weekday(self) -> i32 {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (year, month, day, ..) = self.begins().beijing_fields();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Days that are not what their weekday says, and the years that have been published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Day → worked or not.
    days: BTreeMap<Day, bool>,
    years: BTreeSet<i16>,
}

impl Calendar {
    /// An empty calendar: Monday to Friday are worked, and no year is published.
    pub fn new() -> Calendar {
        Calendar::default()
    }

    /// Says of a day whether it is worked, and that its year is published.
    pub fn set(&mut self, day: Day, worked: bool) {
        self.days.insert(day, worked);
        self.years.insert(day.year());
    }

    /// Is the day worked?
    pub fn is_worked(&self, day: Day) -> bool {
        let said = self.days.get(&day).copied();
        said.unwrap_or_else(|| day.weekday() < 5)
    }

    /// Is the calendar of the day's year published? A limit that ends later is provisional.
    pub fn is_published(&self, day: Day) -> bool {
        self.years.contains(&day.year())
    }

    /// The `n`th worked day after `day` that `counts`; the day itself is not counted (民法典第二百零一
    /// 条). `n` of 0 is the day itself.
    pub fn after(&self, day: Day, n: u32, counts: impl Fn(Day) -> bool) -> Day {
        let mut day = day;
        let mut left = n;
        while left > 0 && day.0 < i32::MAX {
            day = day.plus(1);
            if self.is_worked(day) && counts(day) {
                left -= 1;
            }
        }
        day
    }

    /// Worked days after `from` up to and including `to` that `count`; 0 when `to` is not later.
    pub fn between(&self, from: Day, to: Day, counts: impl Fn(Day) -> bool) -> u32 {
        let days = (from.0.saturating_add(1)..=to.0).map(Day);
        days.filter(|day| self.is_worked(*day) && counts(*day))
            .count() as u32
    }
}
