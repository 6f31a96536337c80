//! The index against check values of both editions, and against a second derivation that works
//! with exact fractions read from another form of the tables.

use environment::aqi::{Averaging, Edition, Pollutant, class, combine, iaqi, round_concentration};
use kernel::Time;

use Averaging::{Day, EightHours, Hour};
use Edition::{Of2012, Of2026};
use Pollutant::{Co, No2, O3, Pm10, Pm25, So2};

fn check(
    edition: Edition,
    pollutant: Pollutant,
    averaging: Averaging,
    c: f64,
    expect: Option<u32>,
) {
    let found = iaqi(edition, pollutant, averaging, c);
    assert_eq!(found, expect, "{edition:?} {pollutant:?} {averaging:?} {c}");
}

#[test]
fn check_values_of_the_standards() {
    check(Of2026, Pm25, Day, 60.0, Some(100));
    check(Of2012, Pm25, Day, 60.0, Some(82));
    check(Of2026, Pm25, Day, 75.0, Some(114));
    check(Of2012, Pm25, Day, 75.0, Some(100));
    check(Of2026, Pm25, Day, 115.0, Some(150));
    check(Of2012, Pm25, Day, 115.0, Some(150));
    check(Of2026, Pm25, Day, 200.0, Some(250));
    check(Of2012, Pm25, Day, 200.0, Some(250));
    check(Of2026, Pm10, Day, 150.0, Some(112));
    check(Of2012, Pm10, Day, 150.0, Some(100));
    // Hourly particles read the daily table.
    check(Of2026, Pm25, Hour, 61.0, Some(101));
    check(Of2026, Co, Day, 4.0, Some(100));
    check(Of2026, Co, Hour, 4.1, Some(41));
    check(Of2026, No2, Hour, 201.0, Some(101));
    check(Of2026, So2, Day, 0.0, Some(0));
    check(Of2026, So2, Day, 151.0, Some(101));
}

#[test]
fn ends_of_the_tables() {
    check(Of2012, So2, Hour, 800.0, Some(200));
    check(Of2012, So2, Hour, 801.0, None);
    check(Of2026, So2, Hour, 801.0, Some(200));
    check(Of2012, O3, EightHours, 800.0, Some(300));
    check(Of2012, O3, EightHours, 801.0, None);
    check(Of2026, O3, EightHours, 2000.0, Some(300));
    check(Of2026, Pm25, Day, 900.0, Some(500));
    check(Of2026, O3, Day, 100.0, None);
    check(Of2026, Pm25, EightHours, 100.0, None);
    check(Of2026, Pm25, Day, -1.0, None);
    check(Of2026, Pm25, Day, f64::NAN, None);
}

#[test]
fn concentrations_are_rounded_half_to_even_first() {
    let cases = [
        (Pm25, 60.5, 60.0),
        (Pm25, 61.5, 62.0),
        (Pm25, 60.500_001, 61.0),
        (Pm25, 60.499, 60.0),
        (Co, 2.05, 2.0),
        (Co, 2.15, 2.2),
        (Co, 0.25, 0.2),
        (Co, 0.35, 0.4),
        // 0.15 is not exact in binary, nor is 3 × 0.05: noise does not decide.
        (Co, 0.05 * 3.0, 0.2),
        (So2, 0.0605 * 1000.0, 60.0),
    ];
    for (pollutant, concentration, expect) in cases {
        let found = round_concentration(pollutant, concentration);
        assert_eq!(found, expect, "{pollutant:?} {concentration}");
    }
    // 60.5 reads as 60 and stays within grade 2.
    check(Of2026, Pm25, Day, 60.5, Some(100));
    check(Of2026, Pm25, Day, 60.6, Some(101));
}

#[test]
fn the_edition_changes_with_the_first_of_march_2026() {
    let before = Time::parse("2026-02-28T23:59:59+08:00").unwrap();
    let after = Time::parse("2026-03-01T00:00:00+08:00").unwrap();
    assert_eq!(Edition::at(before), Of2012);
    assert_eq!(Edition::at(after), Of2026);
}

/// Segments written out anew: concentration from and to (in tenths), index from and to.
fn segments(edition: Edition, pollutant: Pollutant, averaging: Averaging) -> Vec<[i64; 4]> {
    let new = edition == Of2026;
    let text = match (pollutant, averaging) {
        (So2, Day) => "0 50|50 150|150 475|475 800|800 1600|1600 2100|2100 2620",
        (So2, Hour) => "0 150|150 500|500 650|650 800",
        (No2, Day) => "0 40|40 80|80 180|180 280|280 565|565 750|750 940",
        (No2, Hour) => "0 100|100 200|200 700|700 1200|1200 2340|2340 3090|3090 3840",
        (Co, Day) => "0 2|2 4|4 14|14 24|24 36|36 48|48 60",
        (Co, Hour) => "0 5|5 10|10 35|35 60|60 90|90 120|120 150",
        (O3, EightHours) => "0 100|100 160|160 215|215 265|265 800",
        (O3, Hour) => "0 160|160 200|200 300|300 400|400 800|800 1000|1000 1200",
        (Pm10, Hour | Day) if new => "0 50|50 120|120 250|250 350|350 420|420 500|500 600",
        (Pm10, Hour | Day) => "0 50|50 150|150 250|250 350|350 420|420 500|500 600",
        (Pm25, Hour | Day) if new => "0 35|35 60|60 115|115 150|150 250|250 350|350 500",
        (Pm25, Hour | Day) => "0 35|35 75|75 115|115 150|150 250|250 350|350 500",
        _ => return vec![],
    };
    let levels = [0, 50, 100, 150, 200, 300, 400, 500];
    let parts = text.split('|').enumerate();
    let read = |(n, part): (usize, &str)| {
        let (low, high) = part.split_once(' ').unwrap();
        let tenths = |t: &str| t.parse::<i64>().unwrap() * 10;
        [tenths(low), tenths(high), levels[n], levels[n + 1]]
    };
    parts.map(read).collect()
}

#[test]
fn a_second_derivation_agrees_everywhere() {
    let mut compared = 0;
    for edition in [Of2012, Of2026] {
        for pollutant in Pollutant::ALL {
            for averaging in [Hour, EightHours, Day] {
                let segments = segments(edition, pollutant, averaging);
                let Some(end) = segments.last().map(|s| s[1]) else {
                    continue;
                };
                let step = if pollutant == Co { 1 } else { 10 };
                for tenths in (0..=end).step_by(step) {
                    // The smallest whole index not below the straight line, found by trying.
                    let on = segments.iter().find(|s| tenths <= s[1]).unwrap();
                    let reaches = |index: i64| {
                        (index - on[2]) * (on[1] - on[0]) >= (on[3] - on[2]) * (tenths - on[0])
                    };
                    let expect = (on[2]..=on[3]).find(|index| reaches(*index)).unwrap() as u32;
                    check(
                        edition,
                        pollutant,
                        averaging,
                        tenths as f64 / 10.0,
                        Some(expect),
                    );
                    compared += 1;
                }
            }
        }
    }
    assert!(compared > 25_000, "{compared}");
}

fn index(edition: Edition, parts: [Option<u32>; 6]) -> environment::aqi::Index {
    let found: Vec<(Pollutant, Option<u32>)> = Pollutant::ALL.into_iter().zip(parts).collect();
    combine(edition, &found)
}

#[test]
fn parts_are_put_together() {
    let all = |n: u32| [Some(n); 6];
    assert_eq!(index(Of2026, all(50)).aqi, Some(50));
    assert!(index(Of2026, all(50)).primary.is_empty());
    assert_eq!(
        index(Of2026, all(51)).primary.len(),
        6,
        "ties are all named"
    );
    let mut parts = all(40);
    parts[5] = Some(120);
    let both = [index(Of2012, parts), index(Of2026, parts)];
    assert_eq!(both[0].primary, [Pm25]);
    assert_eq!(both[0].exceeding, [Pm25]);
    assert!(both[1].exceeding.is_empty(), "2026 has no such notion");

    // With items missing, 2026 publishes only above 100.
    parts[0] = None;
    assert_eq!(index(Of2026, parts).aqi, Some(120));
    parts[5] = Some(100);
    let hidden = index(Of2026, parts);
    assert_eq!((hidden.aqi, hidden.missing), (None, vec![So2]));
    assert!(hidden.primary.is_empty());
    assert_eq!(index(Of2012, parts).aqi, Some(100));
    assert_eq!(index(Of2012, [None; 6]).aqi, None);
    assert_eq!(index(Of2026, [None; 6]).aqi, None);
}

#[test]
fn classes_begin_where_the_table_says() {
    let starts = [
        (0, 1),
        (50, 1),
        (51, 2),
        (100, 2),
        (101, 3),
        (150, 3),
        (151, 4),
    ];
    let ends = [(200, 4), (201, 5), (300, 5), (301, 6), (500, 6)];
    for (aqi, number) in starts.into_iter().chain(ends) {
        assert_eq!(class(aqi).number, number, "{aqi}");
    }
    assert_eq!(class(42).colour, "#00e400");
    assert_eq!(class(500).colour, "#7e0023");
}
