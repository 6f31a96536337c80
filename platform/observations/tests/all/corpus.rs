//! Nine hours of real traffic of Shijiazhuang through the engine: counts, restart, bytes. The
//! reader of frames here is a test's own, no more than these files need. Skipped by name when the
//! corpus is absent.

use crate::help::*;
use flate2::read::GzDecoder;
use kernel::Time;
use kernel::observations::*;
use std::collections::HashSet;
use std::io::Read;
use std::path::PathBuf;
use testkit::each_address;

fn files() -> Option<Vec<PathBuf>> {
    let root = std::env::var_os("JICHENG_CORPORA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| {
        PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../../shared/corpora"
        ))
    });
    let entries = std::fs::read_dir(root.join("hj212-shijiazhuang")).ok()?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "gz"))
        .collect();
    files.sort();
    (!files.is_empty()).then_some(files)
}

fn field<'a>(frame: &'a str, name: &str) -> Option<&'a str> {
    let rest = &frame[frame.find(name)? + name.len()..];
    rest.split([';', '&', ',']).next()
}

/// Device, period, time and values of a frame that has any.
type Reading<'a> = (&'a str, Period, Time, Vec<(&'a str, Statistic, Basis, f64)>);

fn reading(frame: &str) -> Option<Reading<'_>> {
    let period = match field(frame, "CN=")? {
        "2011" => Period::RealTime,
        "2051" => Period::Minute,
        "2061" => Period::Hour,
        "2031" => Period::Day,
        _ => return None,
    };
    let time = field(frame, "DataTime=")?.get(..14)?;
    let part = |range: std::ops::Range<usize>| time[range].parse::<i16>().ok();
    let time = Time::from_beijing(
        part(0..4)?,
        part(4..6)? as i8,
        part(6..8)? as i8,
        part(8..10)? as i8,
        part(10..12)? as i8,
        part(12..14)? as i8,
        0,
    )?;
    let mut values = vec![];
    for item in frame.split("&&").nth(1)?.split([';', ',']) {
        let Some(((property, word), value)) = item
            .split_once('=')
            .and_then(|(n, v)| Some((n.split_once('-')?, v)))
        else {
            continue;
        };
        let (word, basis) = match word.strip_prefix("Zs") {
            Some(word) => (word, Basis::Converted),
            None => (word, Basis::Measured),
        };
        let statistic = match word {
            "Rtd" => Statistic::Value,
            "Avg" => Statistic::Mean,
            "Min" => Statistic::Min,
            "Max" => Statistic::Max,
            "Cou" => Statistic::Total,
            _ => continue,
        };
        if let Some(value) = value.parse().ok().filter(|v: &f64| v.is_finite()) {
            values.push((property, statistic, basis, value));
        }
    }
    Some((field(frame, "MN=")?, period, time, values))
}

/// Where a value stands.
type Place<'a> = (&'a str, Period, Time, &'a str, Statistic, Basis);

#[tokio::test(flavor = "multi_thread")]
async fn real_traffic() {
    let Some(files) = files() else {
        eprintln!("skipped: hj212-shijiazhuang is not there");
        return;
    };
    let text: String = files
        .iter()
        .map(|file| {
            let mut bytes = vec![];
            GzDecoder::new(std::fs::File::open(file).unwrap())
                .read_to_end(&mut bytes)
                .unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        })
        .collect();
    let readings: Vec<Reading> = text.lines().filter_map(reading).collect();
    let mut places: HashSet<Place> = HashSet::new();
    for (thing, period, time, values) in &readings {
        places.extend(
            values
                .iter()
                .map(|v| (*thing, *period, *time, v.0, v.1, v.2)),
        );
    }
    let values: usize = readings.iter().map(|r| r.3.len()).sum();
    assert!(values > 700_000 && places.len() > 700_000);

    each_address(|address| {
        let (readings, places) = (&readings, &places);
        async move {
            let store = store::Store::open(&address).await.unwrap();
            let bench = Bench::open(store.clone()).await;
            bench.clock.set(Time::parse("2026-11-21").unwrap());
            let row = |bench: &Bench, (thing, period, time, values): &Reading| Row {
                thing: bench.engine.thing(thing).unwrap(),
                period: *period,
                time: *time,
                cells: values
                    .iter()
                    .map(|v| Cell {
                        column: bench.engine.column(v.0, v.1, v.2).unwrap(),
                        value: v.3,
                        flag: Flag(0),
                    })
                    .collect(),
            };
            let mut total = Receipt::default();
            for some in readings.chunks(1000) {
                let receipt = bench
                    .engine
                    .write(some.iter().map(|r| row(&bench, r)).collect())
                    .await
                    .unwrap();
                total.stored += receipt.stored;
                total.duplicates += receipt.duplicates;
                total.corrected += receipt.corrected;
            }
            assert_eq!(total.stored + total.duplicates, values as u64);
            // What is stored and no correction is a place of its own.
            assert_eq!(total.stored - total.corrected, places.len() as u64);
            let bench = bench.reopen(true).await;
            assert_eq!(bench.engine.counters().values, total.stored);
            let mut found = 0;
            let whole = SeriesFilter {
                kind: Some(Kind::REAL_TIME),
                ..SeriesFilter::default()
            };
            bench
                .engine
                .export_rows(&whole, Time(i64::MIN / 2), Time(i64::MAX / 2), |_, _| {
                    found += 1;
                    true
                })
                .await
                .unwrap();
            let real_time = |place: &&Place| {
                (place.1, place.4, place.5) == (Period::RealTime, Statistic::Value, Basis::Measured)
            };
            assert_eq!(found, places.iter().filter(real_time).count());
            let mut again = Receipt::default();
            for some in readings[..2_000].chunks(1000) {
                let receipt = bench
                    .engine
                    .write(some.iter().map(|r| row(&bench, r)).collect())
                    .await
                    .unwrap();
                again.stored += receipt.stored - receipt.corrected;
            }
            assert_eq!(again.stored, 0);
            let bytes = bytes_stored(&store).await as f64 / total.stored as f64;
            eprintln!(
                "{values} values, {total:?}, {bytes:.2} bytes a value in blocks and directory"
            );
            assert!(bytes < 2.0, "{bytes} bytes a value");
            bench.engine.shutdown().await;
            store.close().await;
        }
    })
    .await;
}

/// Bytes of all blocks and directory rows.
async fn bytes_stored(store: &store::Store) -> usize {
    let groups = store::observations::load_groups(store, None, 100_000)
        .await
        .unwrap();
    let mut reader = store.reader().await.unwrap();
    let mut bytes = 0;
    for group in groups {
        let blocks = store::observations::blocks_between(
            &mut reader,
            group.group,
            i64::MIN,
            i64::MAX,
            10_000,
        );
        bytes += group.body.len()
            + blocks
                .await
                .unwrap()
                .iter()
                .map(|b| b.body.len())
                .sum::<usize>();
    }
    bytes
}
