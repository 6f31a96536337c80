//! From hours to an air quality index: which means are valid (GB 3095, HJ 663), the hourly and the
//! daily index of a station, and of a city as the index of the mean concentrations of its stations.

use crate::aqi::{Averaging, Edition, Index, Pollutant, combine, iaqi, round_concentration};
use crate::quality::Hour;
use kernel::time::{DAY, HOUR};
use kernel::{Span, Time};
use std::collections::BTreeMap;

/// Valid hours a daily mean needs (GB 3095, table 4).
pub const HOURS_OF_A_VALID_DAY: usize = 20;
/// Valid hours an 8-hour mean needs.
const HOURS_OF_A_VALID_EIGHT: usize = 6;
/// Valid 8-hour means a daily largest 8-hour mean needs (HJ 663), unless it exceeds the limit.
const EIGHTS_OF_A_VALID_DAY: usize = 14;
/// Grade 2 limit of 8-hour ozone, µg/m³ (GB 3095).
const OZONE_EIGHT_HOURS: f64 = 160.0;

/// Valid mean concentrations, one for each item that has one (µg/m³; CO mg/m³).
pub type Means = BTreeMap<Pollutant, f64>;

/// Means of one hour out of the hours of each item; hours that are not valid are left out.
pub fn hour_means(hours: &BTreeMap<Pollutant, Vec<Hour>>, start: Time) -> Means {
    let mean = |series: &Vec<Hour>| {
        let at = series.binary_search_by_key(&start, |h| h.start).ok()?;
        series[at].valid_mean()
    };
    let found = hours
        .iter()
        .filter_map(|(p, series)| Some((*p, mean(series)?)));
    found.collect()
}

/// The mean of a day that begins at `start`, when at least 20 hours are valid.
pub fn day_mean(hours: &[Hour], start: Time) -> Option<f64> {
    let day = hours
        .iter()
        .filter(|h| h.start >= start && h.start.0 < start.0 + DAY);
    let valid: Vec<f64> = day.filter_map(Hour::valid_mean).collect();
    (valid.len() >= HOURS_OF_A_VALID_DAY).then(|| valid.iter().sum::<f64>() / valid.len() as f64)
}

/// The largest sliding 8-hour mean of ozone of a day that begins at `start`: windows that end
/// from 08:00 to 24:00, each with at least 6 valid hours, at least 14 of them unless the largest
/// is above the limit.
pub fn largest_eight_hours(hours: &[Hour], start: Time) -> Option<f64> {
    let mut day = [None; 24];
    for hour in hours {
        let offset = hour.start.0 - start.0;
        if (0..DAY).contains(&offset) {
            day[(offset / HOUR) as usize] = hour.valid_mean();
        }
    }
    let mut means = vec![];
    for window in day.windows(8) {
        let valid: Vec<f64> = window.iter().copied().flatten().collect();
        if valid.len() >= HOURS_OF_A_VALID_EIGHT {
            means.push(valid.iter().sum::<f64>() / valid.len() as f64);
        }
    }
    let largest = means.iter().copied().fold(f64::NAN, f64::max);
    let enough = means.len() >= EIGHTS_OF_A_VALID_DAY || largest > OZONE_EIGHT_HOURS;
    (enough && largest.is_finite()).then_some(largest)
}

/// Means of a day for the daily index: 24-hour means, and the largest 8-hour mean of ozone.
pub fn day_means(hours: &BTreeMap<Pollutant, Vec<Hour>>, start: Time) -> Means {
    let mean = |pollutant: Pollutant, series: &Vec<Hour>| match pollutant {
        Pollutant::O3 => largest_eight_hours(series, start),
        _ => day_mean(series, start),
    };
    let found = hours.iter();
    found
        .filter_map(|(p, series)| Some((*p, mean(*p, series)?)))
        .collect()
}

/// The index of hourly means observed in the hour that begins at `start`.
pub fn hourly_index(means: &Means, start: Time) -> Index {
    index(means, start, |_| Averaging::Hour)
}

/// The index of the daily means of the day that begins at `start`.
pub fn daily_index(means: &Means, start: Time) -> Index {
    index(means, start, |pollutant| match pollutant {
        Pollutant::O3 => Averaging::EightHours,
        _ => Averaging::Day,
    })
}

fn index(means: &Means, start: Time, averaging: impl Fn(Pollutant) -> Averaging) -> Index {
    let edition = Edition::at(start);
    let parts = Pollutant::ALL.map(|pollutant| {
        let mean = means.get(&pollutant);
        let part = mean.and_then(|mean| iaqi(edition, pollutant, averaging(pollutant), *mean));
        (pollutant, part)
    });
    combine(edition, &parts)
}

/// The mean over stations for each item. One station does not speak for the city: an item counts
/// only when at least half of the stations have it.
pub fn city_means<'a>(stations: impl Iterator<Item = &'a Means>) -> Means {
    let mut sums: BTreeMap<Pollutant, (f64, usize)> = BTreeMap::new();
    let mut all = 0;
    for station in stations {
        all += 1;
        for (pollutant, mean) in station {
            let sum = sums.entry(*pollutant).or_default();
            *sum = (sum.0 + mean, sum.1 + 1);
        }
    }
    let enough = sums.into_iter().filter(|(_, (_, count))| count * 2 >= all);
    enough
        .map(|(p, (sum, count))| (p, sum / count as f64))
        .collect()
}

/// The individual index that a mean has in an index, with the concentration as it was read.
pub fn part(index: &Index, pollutant: Pollutant, mean: f64) -> (f64, Option<u32>) {
    let found = index.parts.iter().find(|(p, _)| *p == pollutant);
    let shown = round_concentration(pollutant, mean);
    (shown, found.map(|(_, part)| *part))
}

/// Beginning of the last whole hour before an instant.
pub fn last_whole_hour(at: Time) -> Time {
    at.floor(Span::hours(1)) - Span::hours(1)
}
