//! Hours: when a hall is open, and the half hours appointments are booked for. Pure.

use crate::say::problem;
use kernel::numbers::Day;
use kernel::time::{BEIJING_OFFSET, DAY};
use kernel::visits::{Hours, NewHall, SLOT_MIN, WorkingDays};
use kernel::{Problem, Span, Time};

/// Minutes after midnight of `09:30`: full or half hours, up to `24:00`.
fn minutes(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let minutes = hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?;
    let sound = minute.parse::<i64>().ok()? < 60 && minutes <= 24 * 60 && minutes % SLOT_MIN == 0;
    sound.then_some(minutes)
}

fn span(hours: &Hours) -> Option<(i64, i64)> {
    let (from, to) = (minutes(&hours.from)?, minutes(&hours.to)?);
    (from < to).then_some((from, to))
}

/// Everything wrong with the hours of a week.
pub(crate) fn problems(week: &[Vec<Hours>]) -> Vec<Problem> {
    if week.len() != 7 {
        return vec![problem(
            "hours",
            "应为周一至周日共七项",
            "seven lists, Monday first",
        )];
    }
    let mut found = vec![];
    for (number, day) in week.iter().enumerate() {
        if day.len() > 4 {
            found.push(problem(
                format!("hours/{number}"),
                "每天最多四段",
                "four at most on a day",
            ));
            continue;
        }
        let mut last = 0;
        for (piece, hours) in day.iter().enumerate() {
            let at = format!("hours/{number}/{piece}");
            match span(hours) {
                Some((from, to)) if from >= last => last = to,
                Some(_) => found.push(problem(
                    at,
                    "时间段须按先后排列，不能重叠",
                    "in their order, without overlap",
                )),
                None => found.push(problem(
                    at,
                    "应为整点或半点，如 09:00 至 11:30",
                    "full or half hours, such as 09:00 to 11:30",
                )),
            }
        }
    }
    found
}

/// Monday is 0.
fn weekday(day: Day) -> usize {
    let days = (day.starts().0 + BEIJING_OFFSET).div_euclid(DAY);
    // 1970-01-01 was a Thursday.
    usize::try_from((days + 3).rem_euclid(7)).unwrap_or(0)
}

/// When a hall is open on a day.
pub(crate) fn periods(hall: &NewHall, day: Day, days: &dyn WorkingDays) -> Vec<(Time, Time)> {
    if hall.closed.contains(&day) {
        return vec![];
    }
    let weekday = weekday(day);
    let working = days.is_working(day);
    let own = hall.hours.get(weekday);
    let hours = match own {
        _ if weekday < 5 && !working => return vec![],
        // A weekend that is worked: the hours of a Monday.
        Some(own) if own.is_empty() && working => hall.hours.first(),
        other => other,
    };
    let start = day.starts();
    let period = |hours: &Hours| {
        let (from, to) = span(hours)?;
        Some((start + Span::minutes(from), start + Span::minutes(to)))
    };
    hours.into_iter().flatten().filter_map(period).collect()
}

/// Is it open now?
pub(crate) fn is_open(hall: &NewHall, now: Time, days: &dyn WorkingDays) -> bool {
    let periods = periods(hall, Day::of(now), days);
    periods.iter().any(|(from, to)| *from <= now && now < *to)
}

/// Are numbers given out now? From half an hour before it opens until it closes.
pub(crate) fn gives_numbers(hall: &NewHall, now: Time, days: &dyn WorkingDays) -> bool {
    let periods = periods(hall, Day::of(now), days);
    let early = Span::minutes(SLOT_MIN);
    periods
        .iter()
        .any(|(from, to)| *from - early <= now && now < *to)
}

/// The half hours of a day that can be booked now.
pub(crate) fn slots(
    hall: &NewHall,
    day: Day,
    now: Time,
    days: &dyn WorkingDays,
) -> Vec<(Time, Time)> {
    let last = now + Span::days(i64::from(hall.days_ahead));
    if day < Day::of(now) || day > Day::of(last) {
        return vec![];
    }
    let half = Span::minutes(SLOT_MIN);
    let mut found = vec![];
    for (from, to) in periods(hall, day, days) {
        let mut begin = from;
        while begin < to {
            if begin > now {
                found.push((begin, begin + half));
            }
            begin = begin + half;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Words;

    fn hall() -> NewHall {
        let morning = Hours {
            from: "09:00".into(),
            to: "11:30".into(),
        };
        let saturday = Hours {
            from: "10:00".into(),
            to: "11:00".into(),
        };
        let mut hours = vec![vec![morning]; 5];
        hours.push(vec![saturday]);
        hours.push(vec![]);
        NewHall {
            code: "h".into(),
            title: Words::default(),
            organisation: "o".into(),
            address: Words::default(),
            matters: vec![],
            windows: vec![],
            hours,
            closed: vec![Day::parse("2026-11-26").unwrap()],
            days_ahead: 7,
        }
    }

    #[test]
    fn a_hall_is_open_as_its_week_and_the_calendar_say() {
        // 2026-11-25 is a Wednesday; the holiday and the make-up Sunday are made up.
        let holiday = |day: Day| day == Day::parse("2026-11-30").unwrap();
        let worked = |day: Day| day == Day::parse("2026-11-29").unwrap();
        let days = |day: Day| worked(day) || (!holiday(day) && weekday(day) < 5);
        for (day, want) in [
            ("2026-11-25", 1),
            // closed
            ("2026-11-26", 0),
            ("2026-11-27", 1),
            // Saturday with hours
            ("2026-11-28", 1),
            // Sunday without hours, worked: as on Monday
            ("2026-11-29", 1),
            // holiday on a Monday
            ("2026-11-30", 0),
        ] {
            let day = Day::parse(day).unwrap();
            assert_eq!(periods(&hall(), day, &days).len(), want, "{day:?}");
        }
        let now = Time::parse("2026-11-25T09:00:00+08:00").unwrap();
        let bookable = |day: &str| slots(&hall(), Day::parse(day).unwrap(), now, &days).len();
        // 09:00 has begun; five half hours in a morning.
        assert_eq!(bookable("2026-11-25"), 4);
        assert_eq!(bookable("2026-11-27"), 5);
        assert_eq!(bookable("2026-12-02"), 5);
        assert_eq!(bookable("2026-12-03"), 0);
        assert_eq!(bookable("2026-11-24"), 0);
    }

    #[test]
    fn hours_that_are_none_are_named() {
        let day = |from: &str, to: &str| {
            let hours = Hours {
                from: from.into(),
                to: to.into(),
            };
            let mut week = vec![vec![]; 7];
            week[0] = vec![hours];
            problems(&week).len()
        };
        assert_eq!(day("09:00", "11:30"), 0);
        assert_eq!(day("00:00", "24:00"), 0);
        for (from, to) in [
            ("9:00", "11:00"),
            ("09:15", "11:00"),
            ("11:00", "09:00"),
            ("09:00", "09:00"),
            ("23:00", "24:30"),
            ("09:60", "11:00"),
            ("", ""),
            ("+9:00", "11:00"),
        ] {
            assert_eq!(day(from, to), 1, "{from}-{to}");
        }
        assert_eq!(problems(&[]).len(), 1);
    }
}
