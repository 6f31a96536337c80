//! Constant and copied values, and what must not be taken for them.

use environment::suspects::{Reading, constants, copies};
use kernel::time::HOUR;
use kernel::{Span, Time};

fn series(values: impl IntoIterator<Item = f64>, from_minute: i64) -> Vec<Reading> {
    let each = values.into_iter().enumerate();
    each.map(|(n, value)| (Time(0) + Span::minutes(from_minute + n as i64 * 10), value))
        .collect()
}

/// A signal that looks measured; different for each seed.
fn measured(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 10_000) as f64 / 100.0
    };
    (0..count).map(next).collect()
}

#[test]
fn a_value_that_never_moves() {
    let check = |values: Vec<f64>, expect: &[(usize, f64)]| {
        let found = constants(&series(values, 0), 12, 3 * HOUR);
        let found: Vec<(usize, f64)> = found.iter().map(|c| (c.count, c.value)).collect();
        assert_eq!(found, expect);
    };
    check(vec![], &[]);
    check(vec![4.2; 20], &[(20, 4.2)]);
    check(vec![0.0; 50], &[]);
    // 18 readings of ten minutes last 170 minutes only.
    check(vec![4.2; 18], &[]);
    let mut moving = measured(1, 10);
    moving.extend([7.0; 19]);
    moving.push(7.1);
    moving.extend([9.0; 30]);
    check(moving, &[(19, 7.0), (30, 9.0)]);
}

#[test]
fn a_stretch_that_stands_in_another_station() {
    let mut copied = measured(2, 30);
    copied.extend_from_slice(&measured(1, 100)[40..80]);
    copied.extend(measured(3, 30));
    let all = [
        series(measured(1, 100), 0),
        series(copied, 5),
        series(measured(4, 100), 0),
    ];
    let found = copies(&all);
    assert_eq!(found.len(), 1, "{found:?}");
    let copy = &found[0];
    assert_eq!((copy.series, copy.other, copy.count), (1, 0, 40));
    assert_eq!(copy.from, all[1][30].0);
    assert_eq!(copy.to, all[1][69].0);
    assert_eq!(copy.other_from, all[0][40].0);
}

#[test]
fn a_day_that_is_sent_again() {
    let day = measured(7, 60);
    let twice: Vec<f64> = day.iter().chain(&day).copied().collect();
    let found = copies(&[series(twice, 0)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        (found[0].series, found[0].other, found[0].count),
        (0, 0, 60)
    );
}

#[test]
fn trivial_agreement_is_no_copy() {
    let zeros = || series(vec![0.0; 200], 0);
    assert!(copies(&[zeros(), zeros(), zeros()]).is_empty());
    // Steps of few values, as a stopped analyser or a valve shows.
    let steps = || series((0..200).map(|n| f64::from(n % 4)), 0);
    assert!(copies(&[steps(), steps()]).is_empty());
    // Eleven equal values are one too few.
    let mut short = measured(5, 30);
    short.extend_from_slice(&measured(6, 50)[10..21]);
    short.extend(measured(8, 30));
    assert!(copies(&[series(measured(6, 50), 0), series(short, 0)]).is_empty());
    assert!(copies(&[]).is_empty());
}

#[test]
fn two_copies_with_a_gap_are_two_findings() {
    let source = measured(11, 100);
    let mut copied = source[0..30].to_vec();
    copied.extend(measured(12, 30));
    copied.extend_from_slice(&source[60..100]);
    let found = copies(&[series(source, 0), series(copied, 0)]);
    let counts: Vec<usize> = found.iter().map(|c| c.count).collect();
    assert_eq!(counts, [40, 30]);
}

#[test]
fn many_stations_with_the_same_values_stay_bounded() {
    let all: Vec<Vec<Reading>> = (0..100).map(|_| series(measured(9, 300), 0)).collect();
    let begun = std::time::Instant::now();
    let found = copies(&all);
    // Each later station is matched with at most eight earlier ones.
    assert!(
        found.len() <= 99 * 8 && found.len() >= 99,
        "{}",
        found.len()
    );
    assert!(begun.elapsed().as_secs() < 10);
}
