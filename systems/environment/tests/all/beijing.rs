//! Four years of hourly air of eight Beijing stations through the daily and hourly index: no panic,
//! no index without data, and the picture everybody knows (particles lead in winter, ozone in
//! summer). Skipped by name when the corpus is not there.

use environment::air::{daily_index, day_means, hour_means, hourly_index};
use environment::aqi::Pollutant;
use environment::quality::Hour;
use flate2::read::GzDecoder;
use kernel::{Span, Time};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

fn corpus() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = std::env::var("JICHENG_CORPORA")
        .map_or_else(|_| root.join("../shared/corpora"), PathBuf::from);
    let folder = folder.join("air-beijing");
    folder.is_dir().then_some(folder)
}

type Hours = BTreeMap<Pollutant, Vec<Hour>>;

/// Columns PM2.5, PM10, SO2, NO2, CO, O3 (all µg/m³) of one station.
fn read(text: &str) -> Hours {
    const COLUMNS: [(Pollutant, usize, f64); 6] = [
        (Pollutant::Pm25, 5, 1.0),
        (Pollutant::Pm10, 6, 1.0),
        (Pollutant::So2, 7, 1.0),
        (Pollutant::No2, 8, 1.0),
        (Pollutant::Co, 9, 0.001),
        (Pollutant::O3, 10, 1.0),
    ];
    let mut hours = Hours::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |n: usize| cells[n].trim_matches('"').parse::<i16>().unwrap();
        let small = |n: usize| number(n) as i8;
        let start = Time::from_beijing(number(1), small(2), small(3), small(4), 0, 0, 0).unwrap();
        for (pollutant, column, factor) in COLUMNS {
            if let Ok(value) = cells[column].parse::<f64>() {
                hours.entry(pollutant).or_default().push(Hour {
                    start,
                    mean: value * factor,
                    minutes: 60.0,
                });
            }
        }
    }
    hours
}

#[test]
fn beijing_2013_to_2017() {
    let Some(folder) = corpus() else {
        println!("skipped beijing_2013_to_2017: corpus air-beijing is not there");
        return;
    };
    let mut stations = 0;
    let (mut valid, mut good, mut grave) = (0u32, 0u32, 0u32);
    let mut ozone_leads = [0u32; 13];
    let mut fine_leads = [0u32; 13];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "gz") {
            continue;
        }
        let mut text = String::new();
        let file = std::fs::File::open(path).unwrap();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let hours = read(&text);
        stations += 1;
        let first = Time::parse("2013-03-01").unwrap();
        for day in 0..1461 {
            let start = first + Span::days(day);
            // The hours of the day alone: nothing else decides.
            let of_day = |series: &Vec<Hour>| {
                let from = series.partition_point(|h| h.start < start);
                let to = series.partition_point(|h| h.start < start + Span::days(1));
                series[from..to].to_vec()
            };
            let today: Hours = hours.iter().map(|(p, s)| (*p, of_day(s))).collect();
            let noon = start + Span::hours(12);
            let hourly = hourly_index(&hour_means(&today, noon), noon);
            assert_eq!(hourly.aqi.is_some(), !hourly.parts.is_empty());
            let index = daily_index(&day_means(&today, start), start);
            let Some(aqi) = index.aqi else { continue };
            assert!(aqi <= 500 && index.parts.iter().any(|(_, part)| *part == aqi));
            valid += 1;
            good += u32::from(aqi <= 100);
            grave += u32::from(aqi > 200);
            let month = start.beijing_fields().1 as usize;
            ozone_leads[month] += u32::from(index.primary.contains(&Pollutant::O3));
            fine_leads[month] += u32::from(index.primary.contains(&Pollutant::Pm25));
        }
    }
    assert_eq!(stations, 8);
    let share = |n: u32| f64::from(n) / f64::from(valid);
    println!("{valid} valid station-days, {good} up to 100, {grave} above 200");
    println!("ozone leads by month {ozone_leads:?}\nPM2.5 leads by month {fine_leads:?}");
    assert!(valid > 11_000);
    assert!((0.3..0.7).contains(&share(good)), "{}", share(good));
    assert!((0.05..0.2).contains(&share(grave)), "{}", share(grave));
    assert!(ozone_leads[7] > fine_leads[7] && fine_leads[1] > ozone_leads[1]);
}
