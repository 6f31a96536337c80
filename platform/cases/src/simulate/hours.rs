//! Working hours: 9:00 to 12:00 and 13:30 to 17:30 in Beijing on days that are worked. Moments are
//! turned into working time and back.

use crate::clock::{Calendar, Day};
use kernel::Time;
use kernel::cases::WORKING_DAY_MINUTES;
use kernel::time::{HOUR, MINUTE};

/// Working time of a day, in microseconds.
const WORKED: i64 = WORKING_DAY_MINUTES * MINUTE;
/// Begin and end of the hours of a morning and an afternoon, from midnight.
const MORNING: (i64, i64) = (9 * HOUR, 12 * HOUR);
const AFTERNOON: (i64, i64) = (13 * HOUR + 30 * MINUTE, 17 * HOUR + 30 * MINUTE);
/// Days that are counted from the first on: twenty years.
const DAYS: i32 = 7_305;

/// The working hours of twenty years.
pub struct Hours {
    first: Day,
    /// Days worked before each day.
    before: Vec<u32>,
    /// The days worked, in order.
    worked: Vec<Day>,
}

impl Hours {
    /// The hours from the day before `from` on.
    pub fn new(calendar: &Calendar, from: Time) -> Hours {
        let first = Day::of(from).plus(-1);
        let (mut before, mut worked) = (vec![], vec![]);
        for number in 0..DAYS {
            let day = first.plus(number);
            before.push(worked.len() as u32);
            if calendar.is_worked(day) {
                worked.push(day);
            }
        }
        Hours {
            first,
            before,
            worked,
        }
    }

    /// Working time, in microseconds, from the beginning until a moment.
    pub fn until(&self, at: Time) -> i64 {
        let day = Day::of(at);
        let number = i64::from(day.0) - i64::from(self.first.0);
        let Some(before) = usize::try_from(number)
            .ok()
            .and_then(|number| self.before.get(number))
        else {
            let all = self.worked.len() as i64 * WORKED;
            return if number < 0 { 0 } else { all };
        };
        let mut time = i64::from(*before) * WORKED;
        if self.worked.get(*before as usize) == Some(&day) {
            let clock = at.0 - day.begins().0;
            let within = |(from, to): (i64, i64)| clock.clamp(from, to) - from;
            time += within(MORNING) + within(AFTERNOON);
        }
        time
    }

    /// Working time between two moments; 0 when the second is not later.
    pub fn between(&self, from: Time, to: Time) -> i64 {
        (self.until(to) - self.until(from)).max(0)
    }

    /// The moment itself when it is worked, else the next that is; `None` beyond what is counted.
    pub fn next(&self, at: Time) -> Option<Time> {
        let day = Day::of(at);
        let clock = at.0 - day.begins().0;
        let worked = |(from, to): (i64, i64)| from <= clock && clock < to;
        let number = usize::try_from(day.0.saturating_sub(self.first.0)).ok();
        let before = number.and_then(|number| self.before.get(number));
        let is_worked = before.is_some_and(|b| self.worked.get(*b as usize) == Some(&day));
        if is_worked && (worked(MORNING) || worked(AFTERNOON)) {
            return Some(at);
        }
        let time = self.until(at);
        let day = self.worked.get(usize::try_from(time / WORKED).ok()?)?;
        let rest = time % WORKED;
        let morning = MORNING.1 - MORNING.0;
        let clock = if rest < morning {
            MORNING.0 + rest
        } else {
            AFTERNOON.0 + rest - morning
        };
        Some(Time(day.begins().0 + clock))
    }

    /// The moment at which so much working time has gone by since a worked moment; `None` beyond
    /// what is counted.
    pub fn after(&self, from: Time, work: i64) -> Option<Time> {
        if work <= 0 {
            return Some(from);
        }
        let time = self.until(from) + work;
        let days = (time - 1) / WORKED;
        let rest = time - days * WORKED;
        let day = self.worked.get(usize::try_from(days).ok()?)?;
        let morning = MORNING.1 - MORNING.0;
        let clock = if rest <= morning {
            MORNING.0 + rest
        } else {
            AFTERNOON.0 + rest - morning
        };
        Some(Time(day.begins().0 + clock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Time> {
        Time::parse(&format!("2026-{text}:00+08:00"))
    }

    /// From when, so many minutes of work, until when. 2026-11-20 is a Friday; the 21st is worked
    /// instead of the 23rd.
    #[test]
    fn work_goes_over_noon_evenings_and_days_off() {
        let mut calendar = Calendar::new();
        for (day, worked) in [("2026-11-21", true), ("2026-11-23", false)] {
            if let Some(day) = Day::parse(day) {
                calendar.set(day, worked);
            }
        }
        let hours = Hours::new(&calendar, at("11-20T10:00").unwrap_or_default());
        let check = |from: &str, minutes: i64, to: &str| {
            let begun = at(from).and_then(|from| hours.next(from));
            let end = begun.and_then(|begun| hours.after(begun, minutes * MINUTE));
            assert_eq!(end, at(to), "{from} + {minutes}");
            if let (Some(from), Some(to)) = (at(from), at(to)) {
                assert_eq!(hours.between(from, to), minutes * MINUTE, "{from} - {to}");
            }
        };
        check("11-20T09:00", 60, "11-20T10:00");
        check("11-20T11:00", 60, "11-20T12:00");
        check("11-20T11:00", 61, "11-20T13:31");
        check("11-20T12:15", 1, "11-20T13:31");
        check("11-20T17:00", 30, "11-20T17:30");
        check("11-20T17:00", 31, "11-21T09:01");
        check("11-20T23:00", 10, "11-21T09:10");
        check("11-21T17:00", 45, "11-24T09:15");
        check("11-20T09:00", 420, "11-20T17:30");
        check("11-20T09:00", 840, "11-21T17:30");
        check("11-20T09:00", 841, "11-24T09:01");
        check("11-22T10:00", 0, "11-24T09:00");
    }
}
