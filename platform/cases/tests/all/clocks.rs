//! Clocks against the published calendars of 2007 to 2027, which others keep.

use cases::clock::{Calendar, Clock, Count, Day, Light, Limit};
use kernel::{Span, Time};
use std::path::PathBuf;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

/// The calendars of the corpus, with the number of days that are not what their weekday says.
fn published() -> Option<(Calendar, usize, usize)> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let root = std::env::var("JICHENG_CORPORA").unwrap_or_else(|_| beside.into());
    let Ok(files) = std::fs::read_dir(PathBuf::from(root).join("holiday-cn")) else {
        eprintln!("skipped: the corpus holiday-cn is not here");
        return None;
    };
    let mut calendar = Calendar::new();
    let (mut all, mut worked) = (0, 0);
    let mut files: Vec<PathBuf> = files.map(|f| f.unwrap().path()).collect();
    files.sort();
    for file in files
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "json"))
    {
        let text = std::fs::read_to_string(file).unwrap();
        let year: serde_json::Value = serde_json::from_str(&text).unwrap();
        for entry in year["days"].as_array().unwrap() {
            let off = entry["isOffDay"].as_bool().unwrap();
            calendar.set(day(entry["date"].as_str().unwrap()), !off);
            all += 1;
            worked += usize::from(!off);
        }
    }
    Some((calendar, all, worked))
}

#[test]
fn the_published_calendars_are_read() {
    let Some((calendar, all, worked)) = published() else {
        return;
    };
    assert_eq!((all, worked), (678, 133));
    for (date, expect) in [
        ("2026-10-01", false),
        ("2026-10-10", true),
        ("2026-02-14", true),
        ("2026-02-17", false),
        ("2026-11-25", true),
        ("2026-11-28", false),
    ] {
        assert_eq!(calendar.is_worked(day(date)), expect, "{date}");
    }
}

#[test]
fn twenty_days_from_every_day_agree_with_counting_by_hand() {
    let Some((calendar, ..)) = published() else {
        return;
    };
    let (first, last) = (day("2007-01-01"), day("2026-11-01"));
    for start in (first.0..=last.0).map(Day) {
        let end = calendar.after(start, 20, |_| true);
        // By hand: walk and count.
        let mut counted = 0;
        let mut at = start;
        while counted < 20 {
            at = at.plus(1);
            counted += u32::from(calendar.is_worked(at));
        }
        assert_eq!(end, at, "from {start}");
        assert_eq!(calendar.between(start, end, |_| true), 20);
    }
}

/// Days of 2004 to 2006 that are not what their weekday says, before the corpus begins.
const EARLIER: [(&str, &str); 3] = [
    (
        "2004",
        "0101- 0117+ 0118+ 0122- 0123- 0126- 0127- 0128- 0503- 0504- 0505- 0506- 0507- 0508+ 0509+ 1001- 1004- 1005- 1006- 1007- 1009+ 1010+",
    ),
    (
        "2005",
        "0103- 0205+ 0206+ 0209- 0210- 0211- 0214- 0215- 0430+ 0502- 0503- 0504- 0505- 0506- 0508+ 1003- 1004- 1005- 1006- 1007- 1008+ 1009+",
    ),
    (
        "2006",
        "0102- 0103- 0128+ 0130- 0131- 0201- 0202- 0203- 0205+ 0429+ 0430+ 0501- 0502- 0503- 0504- 0505- 0930+ 1002- 1003- 1004- 1005- 1006- 1008+ 1230+ 1231+",
    ),
];

/// Somebody else's count: the package `chinesecalendar` of PyPI, by `benches/working_days.py`.
#[test]
fn twenty_days_from_every_day_end_where_chinesecalendar_says() {
    use sha2::{Digest, Sha256};
    let Some((mut calendar, ..)) = published() else {
        return;
    };
    for (year, days) in EARLIER {
        for said in days.split(' ') {
            let date = format!("{year}-{}-{}", &said[..2], &said[2..4]);
            calendar.set(day(&date), said.ends_with('+'));
        }
    }
    let (mut hash, mut count) = (Sha256::new(), 0);
    for start in (day("2004-01-01").0..day("2026-12-04").0).map(Day) {
        let clock = clock(20, Count::WorkingDays, &format!("{start}T10:00"));
        let due = clock.left(&calendar, clock.started).due;
        let last = Day::of(Time(due.0 - 1));
        hash.update(format!("{start} {last}\n"));
        count += 1;
    }
    let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    let theirs = "432d55d1aa8a099550605e25c2df9f925eb182241b154e87d8bb459b4387b30d";
    assert_eq!((count, hash.as_str()), (8373, theirs));
}

#[test]
fn the_light_turns_yellow_on_the_day_it_says() {
    let Some((calendar, ..)) = published() else {
        return;
    };
    for (days, count) in [
        (20, Count::WorkingDays),
        (5, Count::WorkingDays),
        (2, Count::WorkingDays),
        (30, Count::CalendarDays),
    ] {
        for start in (day("2026-01-01").0..day("2026-10-01").0)
            .step_by(3)
            .map(Day)
        {
            let clock = clock(days, count, &format!("{start}T10:00"));
            let yellow = clock.yellow(&calendar, clock.started).unwrap();
            let light = |now| clock.left(&calendar, now).light;
            assert_eq!(light(yellow), Light::Yellow, "{days} from {start}");
            let before = Time(yellow.0 - 1);
            if before > clock.started {
                assert_eq!(light(before), Light::Green, "{days} from {start}");
            }
            let due = clock.left(&calendar, clock.started).due;
            assert_eq!(light(Time(due.0 - 1)), Light::Yellow, "{days} from {start}");
            assert_eq!(light(due), Light::Red, "{days} from {start}");
        }
    }
    assert_eq!(
        clock(1, Count::WorkingDays, "2026-11-25T10:00").yellow(&calendar, Time(0)),
        None
    );
}

fn clock(days: u32, count: Count, start: &str) -> Clock {
    Clock::start(Time::parse(start).unwrap(), Limit { days, count })
}

#[test]
fn the_day_it_begins_is_not_counted_and_the_last_day_is_whole() {
    let mut calendar = Calendar::new();
    calendar.set(day("2026-10-01"), false);
    let check = |days, start: &str, due: &str| {
        let clock = clock(days, Count::WorkingDays, start);
        let left = clock.left(&calendar, clock.started);
        assert_eq!(left.due, day(due).ends(), "{days} from {start}");
    };
    // Wednesday; the next day is a holiday, then comes a weekend.
    check(1, "2026-09-30T09:00", "2026-10-02");
    check(2, "2026-09-30T23:59", "2026-10-05");
    // Accepted on a Saturday: Monday is the first day.
    check(1, "2026-10-03T10:00", "2026-10-05");
    check(0, "2026-10-05T10:00", "2026-10-05");
}

#[test]
fn calendar_days_end_on_a_day_that_is_worked() {
    let calendar = Calendar::new();
    let clock = clock(3, Count::CalendarDays, "2026-11-25T10:00");
    // Saturday the 28th moves to Monday the 30th.
    assert_eq!(
        clock.left(&calendar, clock.started).due,
        day("2026-11-30").ends()
    );
}

#[test]
fn pauses_do_not_count() {
    let calendar = Calendar::new();
    let mut clock = clock(5, Count::WorkingDays, "2026-11-02T09:00");
    let now = Time::parse("2026-11-04T12:00").unwrap();
    assert_eq!(clock.left(&calendar, now).due, day("2026-11-09").ends());
    assert_eq!(clock.left(&calendar, now).days, 3);
    clock.pauses.push(cases::clock::Pause {
        from: now,
        to: None,
        kind: cases::clock::PauseKind::Supplement,
        basis: "行政许可法第三十二条".into(),
        note: String::new(),
        by: "li".into(),
    });
    // While it is paused the end moves with every day.
    let later = now + Span::days(2);
    let left = clock.left(&calendar, later);
    assert_eq!(
        (left.light, left.due),
        (Light::Paused, day("2026-11-11").ends())
    );
    // Resumed on the Friday: Thursday and Friday did not count, three days remain.
    clock.pauses[0].to = Some(later);
    let left = clock.left(&calendar, later + Span::hours(1));
    assert_eq!((left.due, left.days), (day("2026-11-11").ends(), 3));
}

#[test]
fn lights_turn_with_the_days_left() {
    let calendar = Calendar::new();
    let clock = clock(10, Count::WorkingDays, "2026-11-02T09:00");
    let check = |at: &str, light, days| {
        let left = clock.left(&calendar, Time::parse(at).unwrap());
        assert_eq!((left.light, left.days), (light, days), "{at}");
    };
    check("2026-11-02T09:00", Light::Green, 10);
    check("2026-11-11T09:00", Light::Green, 3);
    check("2026-11-12T09:00", Light::Yellow, 2);
    check("2026-11-16T23:59", Light::Yellow, 0);
    check("2026-11-17T00:00", Light::Red, -1);
    check("2026-11-23T00:00", Light::Red, -5);
}

#[test]
fn a_late_change_of_the_calendar_moves_the_end() {
    let mut calendar = Calendar::new();
    let clock = clock(2, Count::WorkingDays, "2026-11-25T09:00");
    let before = clock.left(&calendar, clock.started);
    assert_eq!(
        (before.due, before.provisional),
        (day("2026-11-27").ends(), true)
    );
    calendar.set(day("2026-11-26"), false);
    let after = clock.left(&calendar, clock.started);
    assert_eq!(
        (after.due, after.provisional),
        (day("2026-11-30").ends(), false)
    );
}
