//! A measurement, not a test: how fast the engine takes values, what they weigh on disk and in
//! memory, and how soon it answers with many stored.
//!
//! ```text
//! cargo run --release -p observations --example ingest -- [things] [rows] [writers] [lines] [folder]
//! ```
//! `lines` is how many lines one write carries (1,000; 1 is how stations send).
//! Things report ten columns each every 15 minutes, interleaved by time, with values like those
//! of stations: two to four digits, drifting, some constant. 27,500 things × 37 rows make 10.2
//! million values in 275,000 series; 10,000 × 500 make 50 million in 100,000.

use kernel::observations::*;
use kernel::{Fault, SystemClock, Time};
use observations::{Engine, Options, Precision, line_protocol};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use store::Store;

const COLUMNS: usize = 10;
const START_MS: i64 = 1_795_190_400_000;
const STEP_MS: i64 = 900_000;

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|f| f.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn memory_mb(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|l| {
        l.strip_prefix(line)?
            .split_whitespace()
            .next()?
            .parse::<u64>()
            .ok()
    });
    found.unwrap_or(0) / 1024
}

/// A number that looks random but is the same every time.
fn noise(thing: usize, column: usize, row: usize) -> u64 {
    let mut x = (thing as u64) << 40 ^ (column as u64) << 32 ^ row as u64;
    x = (x ^ x >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ x >> 31
}

fn value(thing: usize, column: usize, row: usize) -> String {
    let n = noise(thing, column, row) % 100;
    let level = noise(thing, column, usize::MAX) % 500;
    match column {
        0 => "0.00".into(),
        1 => format!("{}.{:02}", level / 10 + n / 40, n),
        2 | 3 => format!("{:.1}", level as f64 / 10.0 + n as f64 / 10.0),
        4 => format!("{:.3}", (level + n) as f64 / 1000.0),
        5 => format!("{}", level + n / 10),
        6 => format!("{:.2}", (100_000 + row as u64 * 37 + level) as f64 / 100.0),
        7 => {
            if n < 80 {
                format!("{level}")
            } else {
                format!("{}", level + 1)
            }
        }
        _ => format!("{:.2}", level as f64 + n as f64 / 100.0),
    }
}

fn lines(thing: usize, count: usize, row: usize) -> String {
    let mut text = String::with_capacity(count * 160);
    for thing in thing..thing + count {
        text.push_str(&format!("LD1301{thing:08},period=real_time "));
        for column in 0..COLUMNS {
            let comma = if column == 0 { "" } else { "," };
            text.push_str(&format!(
                "{comma}a{:05}={}",
                21000 + column,
                value(thing, column, row)
            ));
        }
        text.push_str(&format!(" {}\n", START_MS + row as i64 * STEP_MS));
    }
    text
}

fn folder_bytes(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    files
        .filter_map(|f| f.metadata().ok())
        .map(|m| m.len())
        .sum()
}

async fn writer(
    engine: Arc<Engine>,
    turn: usize,
    writers: usize,
    things: usize,
    rows: usize,
    lines_each: usize,
) -> Result<f64, Fault> {
    let mut making = 0.0;
    for row in 0..rows {
        for thing in (turn * lines_each..things).step_by(writers * lines_each) {
            let start = Instant::now();
            let text = lines(thing, lines_each.min(things - thing), row);
            making += start.elapsed().as_secs_f64();
            loop {
                match engine
                    .write_lines(text.as_bytes(), Precision::Milliseconds)
                    .await
                {
                    Ok(_) => break,
                    Err(fault) if fault.code == "system.overloaded" => {
                        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    }
                    Err(fault) => return Err(fault),
                }
            }
        }
    }
    Ok(making)
}

async fn ask(engine: &Engine, things: usize, rows: usize) -> Result<(), Fault> {
    let series: Vec<SeriesName> = (0..things.min(10_000))
        .flat_map(|t| {
            (0..COLUMNS).map(move |c| SeriesName {
                thing: format!("LD1301{t:08}"),
                property: format!("a{:05}", 21000 + c),
                kind: Kind::REAL_TIME,
            })
        })
        .collect();
    let start = Instant::now();
    let found = engine.latest(&series).iter().flatten().count();
    println!(
        "latest of {found} series: {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
    for (text, step) in [
        ("raw", Step::Raw),
        ("10 min", Step::Bucket(kernel::Span::minutes(10))),
        ("hour", Step::Bucket(kernel::Span::hours(1))),
        ("thin 500", Step::Thin(500)),
    ] {
        let start = Instant::now();
        let asked = 20;
        let mut points = 0;
        for n in 0..asked {
            let query = RangeQuery {
                series: series[(n * 997) % series.len()].clone(),
                from: Time(START_MS * 1000),
                to: Time((START_MS + rows as i64 * STEP_MS) * 1000),
                step,
                as_of: None,
                limit: 100_000,
            };
            points += match engine.range(query).await? {
                RangeAnswer::Points(points, _) => points.len(),
                RangeAnswer::Buckets(buckets, ..) => buckets.len(),
            };
        }
        println!(
            "range {text}: {} points each, {:.2} ms",
            points / asked,
            start.elapsed().as_secs_f64() * 1e3 / asked as f64
        );
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise: usize| {
        arguments
            .next()
            .and_then(|a| a.parse().ok())
            .unwrap_or(otherwise)
    };
    let (things, rows, writers, lines_each) = (number(27_500), number(37), number(8), number(1000));
    let given = std::env::args().nth(5).map(PathBuf::from);
    let dir = given
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("ingest-{}", std::process::id())));
    let text = lines(0, 1000, 5);
    let start = Instant::now();
    for _ in 0..50 {
        let parsed = line_protocol::parse(text.as_bytes(), Precision::Milliseconds, Time(0));
        assert_eq!(parsed.map(|p| p.rows.len()).unwrap_or(0), 1000);
    }
    println!(
        "parser: {:.1} M values/s on one core",
        0.5 / start.elapsed().as_secs_f64()
    );

    let values = (things * rows * COLUMNS) as f64;
    let store = Store::in_folder(&dir).await?;
    let engine = Engine::open(store.clone(), Arc::new(SystemClock), Options::default()).await?;
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let tasks: Vec<_> = (0..writers)
        .map(|turn| {
            tokio::spawn(writer(
                engine.clone(),
                turn,
                writers,
                things,
                rows,
                lines_each,
            ))
        })
        .collect();
    let mut making = 0.0;
    for task in tasks {
        making += task.await??;
    }
    let (taken, burnt) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu - making);
    println!(
        "{values} values acknowledged in {taken:.2} s ({:.0}/s), making them took {making:.1} CPU s of that; engine {burnt:.1} CPU s",
        values / taken
    );
    println!(
        "{:?}, {} MB on disk, {} MB resident, {} MB peak",
        engine.counters(),
        folder_bytes(&dir) >> 20,
        memory_mb("VmRSS:"),
        memory_mb("VmHWM:")
    );
    let (cpu, start) = (cpu_seconds(), Instant::now());
    engine.shutdown().await;
    println!(
        "flush and stop: {:.2} s, {:.1} CPU s",
        start.elapsed().as_secs_f64(),
        cpu_seconds() - cpu
    );
    store.close().await;
    println!(
        "{:.2} bytes a value on disk ({} MB)",
        folder_bytes(&dir) as f64 / values,
        folder_bytes(&dir) >> 20
    );
    drop(engine);

    let start = Instant::now();
    let store = Store::in_folder(&dir).await?;
    let opened = start.elapsed();
    let engine = Engine::open(store.clone(), Arc::new(SystemClock), Options::default()).await?;
    println!(
        "opened in {:.0} ms (store {:.0} ms), {} MB resident",
        start.elapsed().as_secs_f64() * 1e3,
        opened.as_secs_f64() * 1e3,
        memory_mb("VmRSS:")
    );
    ask(&engine, things, rows).await?;
    engine.shutdown().await;
    store.close().await;
    if given.is_none() {
        std::fs::remove_dir_all(&dir)?;
    }
    Ok(())
}
