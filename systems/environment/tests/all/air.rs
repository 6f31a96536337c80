//! Validity of means: hours, 8 hours, days.

use environment::air::{city_means, day_mean, day_means, hourly_index, largest_eight_hours};
use environment::aqi::Pollutant;
use environment::quality::Hour;
use kernel::{Span, Time};
use std::collections::BTreeMap;

fn start() -> Time {
    Time::parse("2026-06-01").unwrap()
}

/// Hours of a day from (hour of the day, mean, minutes).
pub fn hours(of: impl IntoIterator<Item = (i64, f64, f64)>) -> Vec<Hour> {
    let each = of.into_iter();
    each.map(|(hour, mean, minutes)| Hour {
        start: start() + Span::hours(hour),
        mean,
        minutes,
    })
    .collect()
}

#[test]
fn a_day_needs_twenty_valid_hours() {
    let check = |count: i64, minutes: f64, expect: Option<f64>| {
        let day = hours((0..count).map(|h| (h, h as f64, minutes)));
        assert_eq!(day_mean(&day, start()), expect, "{count} {minutes}");
    };
    check(24, 60.0, Some(11.5));
    check(20, 45.0, Some(9.5));
    check(19, 60.0, None);
    check(24, 44.9, None);
    // The day after does not help.
    let late = hours((5..30).map(|h| (h, 1.0, 60.0)));
    assert_eq!(day_mean(&late, start()), None);
}

#[test]
fn ozone_takes_the_largest_eight_hours() {
    // High in the eight hours from 10:00 on, 20 otherwise.
    let day = |high: f64, missing: &[i64]| {
        let there = (0..24).filter(|h| !missing.contains(h));
        hours(there.map(|h| (h, if (10..18).contains(&h) { high } else { 20.0 }, 60.0)))
    };
    let check = |high: f64, missing: &[i64], expect: Option<f64>| {
        let found = largest_eight_hours(&day(high, missing), start());
        assert_eq!(found, expect, "{high} {missing:?}");
    };
    check(100.0, &[], Some(100.0));
    // Two hours of a window may be missing, three may not: six of the 17 windows fall away, and
    // eleven are too few unless the largest is above the limit.
    check(100.0, &[10, 11], Some(100.0));
    check(100.0, &[10, 11, 12], None);
    check(200.0, &[10, 11, 12], Some(170.0));
    // Too few windows: no answer, unless the largest is above the limit anyway.
    let half = |high: f64| hours((10..20).map(|h| (h, high, 60.0)));
    assert_eq!(largest_eight_hours(&half(150.0), start()), None);
    assert_eq!(largest_eight_hours(&half(161.0), start()), Some(161.0));
    assert_eq!(largest_eight_hours(&[], start()), None);
}

#[test]
fn a_day_reads_ozone_over_eight_hours() {
    let day = hours((0..24).map(|h| (h, if h < 12 { 40.0 } else { 80.0 }, 60.0)));
    let all: BTreeMap<Pollutant, Vec<Hour>> = Pollutant::ALL.map(|p| (p, day.clone())).into();
    let means = day_means(&all, start());
    assert_eq!(means[&Pollutant::O3], 80.0);
    assert_eq!(means[&Pollutant::Pm25], 60.0);
}

#[test]
fn a_city_is_the_mean_of_its_stations() {
    let one = |value: f64| Pollutant::ALL.map(|p| (p, value)).into();
    let mut second: BTreeMap<Pollutant, f64> = one(100.0);
    second.remove(&Pollutant::Co);
    let stations = [one(20.0), second];
    let means = city_means(stations.iter());
    assert_eq!(means[&Pollutant::Pm25], 60.0);
    assert_eq!(
        means[&Pollutant::Co],
        20.0,
        "only stations that have it count"
    );
    assert_eq!(hourly_index(&means, start()).parts.len(), 6);
    assert!(city_means(std::iter::empty()).is_empty());
}
