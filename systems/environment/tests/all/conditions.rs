//! Production against treatment.

use environment::conditions::{States, runs, states, together, untreated};
use kernel::{Span, Time};

fn minute(n: i64) -> Time {
    Time(0) + Span::minutes(n)
}

/// States every minute from `0`, one letter each: `#` runs, `.` does not, blank says nothing.
fn line(text: &str) -> States {
    let letters = text.chars().enumerate().filter(|(_, c)| *c != ' ');
    letters.map(|(n, c)| (minute(n as i64), c == '#')).collect()
}

fn check(production: &[&str], treatment: &[&str], expect: &[(i64, i64)]) {
    let lines = |texts: &[&str]| texts.iter().map(|t| line(t)).collect::<Vec<_>>();
    let found = untreated(&lines(production), &lines(treatment), minute(60));
    let found: Vec<(Time, Time)> = found.iter().map(|s| (s.from, s.to)).collect();
    let expect: Vec<(Time, Time)> = expect
        .iter()
        .map(|(a, b)| (minute(*a), minute(*b)))
        .collect();
    assert_eq!(found, expect, "{production:?} {treatment:?}");
}

#[test]
fn stretches_without_treatment() {
    let on = "#".repeat(60);
    let off = ".".repeat(60);
    check(&[&on], &[&on], &[]);
    check(&[&off], &[&off], &[]);
    check(&[&on], &[&off], &[(0, 60)]);
    let fails = format!("{}{}{}", "#".repeat(10), ".".repeat(20), "#".repeat(30));
    check(&[&on], &[&fails], &[(10, 30)]);
    // A change-over of nine minutes is none.
    let short = format!("{}{}{}", "#".repeat(10), ".".repeat(9), "#".repeat(41));
    check(&[&on], &[&short], &[]);
    // One of two treatment facilities stands still.
    check(&[&on], &[&on, &off], &[(0, 60)]);
    // One of two production lines runs.
    check(&[&off, &on], &[&off], &[(0, 60)]);
}

#[test]
fn silence_is_no_finding() {
    let on = "#".repeat(60);
    check(&[&on], &[], &[]);
    check(&[], &[&".".repeat(60)], &[]);
    // The last state speaks for 15 minutes, then nothing is known.
    check(&[&on], &["....."], &[(0, 19)]);
    check(&["#####"], &[&".".repeat(60)], &[(0, 19)]);
}

#[test]
fn what_running_means() {
    let cases = [
        ("SB1", false, 1.0, true),
        ("SB1", false, 0.0, false),
        ("SB1", true, 3.0, false),
        ("SB1", true, 5.0, true),
        ("treatment_running", true, 1.0, true),
        ("e_power_production", false, 50.0, true),
        ("e_power_production", false, 49.0, false),
        ("e_power_treatment", true, 6.0, true),
        ("e_power_treatment", true, 4.0, false),
        ("a00000", true, 0.2, true),
    ];
    for (property, treatment, value, expect) in cases {
        assert_eq!(
            runs(property, treatment, value),
            expect,
            "{property} {value}"
        );
    }
    let read = states("SB1", false, &[(minute(0), 1.0), (minute(1), 0.0)]);
    assert_eq!(read, [(minute(0), true), (minute(1), false)]);
    assert_eq!(together(&[], true), None);
    assert_eq!(together(&[false, true], true), Some(true));
    assert_eq!(together(&[false, true], false), Some(false));
}
