//! Validity and rates: when an hour counts (GB 3095, HJ 75, HJ 356: 45 minutes of valid data), how
//! many of the hours that should have come did come, and how many of those are valid.

use kernel::Time;
use kernel::observations::Bucket;
use kernel::time::{HOUR, MINUTE};

/// Minutes of valid data that make an hour valid.
pub const MINUTES_OF_A_VALID_HOUR: f64 = 45.0;

/// What is known of one property in one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hour {
    /// Beginning of the hour.
    pub start: Time,
    /// Mean of the valid values; NaN when there is none.
    pub mean: f64,
    /// Minutes for which valid values speak, 0 to 60.
    pub minutes: f64,
}

impl Hour {
    /// Enough valid data to be judged.
    pub fn valid(&self) -> bool {
        self.minutes >= MINUTES_OF_A_VALID_HOUR && self.mean.is_finite()
    }

    /// The mean, when the hour is valid.
    pub fn valid_mean(&self) -> Option<f64> {
        self.valid().then_some(self.mean)
    }

    /// Share of the hour with valid data.
    pub fn share(&self) -> f64 {
        self.minutes / 60.0
    }
}

/// How many minutes one value speaks for, judged from the values themselves, because devices send
/// every 30 seconds or every two hours as they were set: the usual number of values in a bucket
/// of ten minutes, or the usual distance of such buckets when they hold one value each.
pub fn minutes_per_value(buckets: &[Bucket]) -> f64 {
    let filled: Vec<&Bucket> = buckets.iter().filter(|b| b.count > 0).collect();
    let usual = median(filled.iter().map(|b| i64::from(b.count)).collect());
    match usual {
        None => 0.0,
        Some(1) => {
            let gaps = filled.windows(2).map(|w| w[1].time.0 - w[0].time.0);
            let gap = median(gaps.collect()).unwrap_or(10 * MINUTE);
            (gap as f64 / MINUTE as f64).clamp(10.0, 60.0)
        }
        Some(count) => 10.0 / count as f64,
    }
}

fn median(mut numbers: Vec<i64>) -> Option<i64> {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied()
}

/// Hours from buckets of ten minutes in order of time; hours in which nothing came are left out.
pub fn hours_of(buckets: &[Bucket]) -> Vec<Hour> {
    let minutes = minutes_per_value(buckets);
    let mut hours: Vec<(Hour, u32)> = vec![];
    for bucket in buckets.iter().filter(|b| b.count > 0) {
        let start = bucket.time.floor(kernel::Span(HOUR));
        if hours.last().is_none_or(|(hour, _)| hour.start != start) {
            let empty = Hour {
                start,
                mean: 0.0,
                minutes: 0.0,
            };
            hours.push((empty, 0));
        }
        if let Some((hour, valid)) = hours.last_mut()
            && bucket.valid > 0
        {
            hour.mean += bucket.sum;
            *valid += bucket.valid;
            let spoken_for = (f64::from(bucket.valid) * minutes).min(minutes.max(10.0));
            hour.minutes = (hour.minutes + spoken_for).min(60.0);
        }
    }
    let finished = hours.into_iter().map(|(hour, valid)| Hour {
        mean: hour.mean / f64::from(valid),
        ..hour
    });
    finished.collect()
}

/// Counts behind the three rates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Property-hours that should have come.
    pub expected: u64,
    /// Property-hours that came.
    pub received: u64,
    /// Property-hours that came and are valid.
    pub valid: u64,
    /// Station-hours.
    pub station_hours: u64,
    /// Station-hours in which anything came.
    pub online_hours: u64,
}

impl Counts {
    /// Counts one station over `hours` hours: the hours of each property that is expected.
    pub fn of_station(properties: &[&[Hour]], from: Time, hours: u64) -> Counts {
        let mut counts = Counts {
            expected: properties.len() as u64 * hours,
            station_hours: hours,
            ..Counts::default()
        };
        let mut online = vec![false; hours as usize];
        for hour in properties.iter().flat_map(|p| p.iter()) {
            let at = (hour.start.0 - from.0).div_euclid(HOUR);
            if let Some(seen) = usize::try_from(at).ok().and_then(|at| online.get_mut(at)) {
                *seen = true;
                counts.received += 1;
                counts.valid += u64::from(hour.valid());
            }
        }
        counts.online_hours = online.iter().filter(|seen| **seen).count() as u64;
        counts
    }

    /// Adds others.
    pub fn add(&mut self, other: &Counts) {
        self.expected += other.expected;
        self.received += other.received;
        self.valid += other.valid;
        self.station_hours += other.station_hours;
        self.online_hours += other.online_hours;
    }

    /// Received of expected, %; `None` when nothing was expected.
    pub fn transmission(&self) -> Option<f64> {
        percent(self.received, self.expected)
    }

    /// Valid of received, %; `None` when nothing was received.
    pub fn validity(&self) -> Option<f64> {
        percent(self.valid, self.received)
    }

    /// Hours with data of all hours, %; `None` without stations.
    pub fn online(&self) -> Option<f64> {
        percent(self.online_hours, self.station_hours)
    }
}

/// A share in percent with two decimals.
pub fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| (part as f64 / whole as f64 * 10_000.0).round() / 100.0)
}
