//! When an hour is valid, and the three rates.

use environment::quality::{Counts, Hour, hours_of, minutes_per_value};
use kernel::observations::Bucket;
use kernel::{Span, Time};

/// Buckets of ten minutes: (number of the bucket, values, valid ones), each value 2.
fn buckets(of: impl IntoIterator<Item = (i64, u32, u32)>) -> Vec<Bucket> {
    let each = of.into_iter();
    each.map(|(n, count, valid)| Bucket {
        time: Time(0) + Span::minutes(10 * n),
        count,
        valid,
        min: 2.0,
        max: 2.0,
        sum: 2.0 * f64::from(valid),
    })
    .collect()
}

#[test]
fn the_distance_of_values_is_read_from_them() {
    let check = |of: Vec<(i64, u32, u32)>, expect: f64| {
        assert_eq!(minutes_per_value(&buckets(of.clone())), expect, "{of:?}");
    };
    check(vec![], 0.0);
    check((0..6).map(|n| (n, 20, 20)).collect(), 0.5);
    check((0..6).map(|n| (n, 10, 3)).collect(), 1.0);
    check((0..6).map(|n| (n, 1, 1)).collect(), 10.0);
    check((0..6).map(|n| (n * 3, 1, 1)).collect(), 30.0);
    check((0..6).map(|n| (n * 12, 1, 1)).collect(), 60.0);
}

#[test]
fn an_hour_is_valid_with_forty_five_minutes() {
    let check = |of: Vec<(i64, u32, u32)>, minutes: f64, valid: bool| {
        let hours = hours_of(&buckets(of.clone()));
        assert_eq!(hours.len(), 1, "{of:?}");
        assert!(
            (hours[0].minutes - minutes).abs() < 1e-9,
            "{of:?} {hours:?}"
        );
        assert_eq!(hours[0].valid(), valid, "{of:?}");
    };
    check((0..6).map(|n| (n, 10, 10)).collect(), 60.0, true);
    check(
        (0..6)
            .map(|n| (n, 10, if n < 4 { 10 } else { 0 }))
            .collect(),
        40.0,
        false,
    );
    check(
        (0..6)
            .map(|n| (n, 10, if n < 4 { 10 } else { 3 }))
            .collect(),
        46.0,
        true,
    );
    check((0..5).map(|n| (n, 1, 1)).collect(), 50.0, true);
    check((0..4).map(|n| (n, 1, 1)).collect(), 40.0, false);
    // Values that all carry a flag: something came, nothing is valid, there is no mean.
    check((0..6).map(|n| (n, 10, 0)).collect(), 0.0, false);
    // One value every two hours is all there can be.
    let sparse = hours_of(&buckets([(0, 1, 1), (12, 1, 1), (24, 1, 1)]));
    assert_eq!(sparse.iter().filter(|h| h.valid()).count(), 3);
    assert_eq!(sparse[0].mean, 2.0);
    assert!(hours_of(&[]).is_empty());
}

#[test]
fn rates_count_property_hours() {
    let from = Time(0);
    let hour = |n: i64, minutes: f64| Hour {
        start: from + Span::hours(n),
        mean: 1.0,
        minutes,
    };
    let first = [hour(0, 60.0), hour(1, 60.0), hour(2, 20.0)];
    let second = [hour(0, 60.0)];
    // Outside of the range.
    let third = [hour(4, 60.0), hour(-1, 60.0)];
    let counts = Counts::of_station(&[&first, &second, &third], from, 4);
    let expect = Counts {
        expected: 12,
        received: 4,
        valid: 3,
        station_hours: 4,
        online_hours: 3,
    };
    assert_eq!(counts, expect);
    assert_eq!(counts.transmission(), Some(33.33));
    assert_eq!(counts.validity(), Some(75.0));
    assert_eq!(counts.online(), Some(75.0));
    let none = Counts::default();
    assert_eq!(
        (none.transmission(), none.validity(), none.online()),
        (None, None, None)
    );
}
