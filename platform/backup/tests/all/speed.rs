//! What the backup costs and how fast it restores. A benchmark, so not run with the others:
//! `cargo nextest run -p backup --release --run-ignored only --success-output final speed`.

use crate::fake::{City, keys, last_event};
use backup::{Moment, Options, Repository, restore};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Bytes of an event: a batch of some hundred stations.
const BODY: usize = 40_000;
const COMMITS: usize = 3_000;

async fn commits(city: &City) -> f64 {
    let begun = Instant::now();
    for _ in 0..COMMITS {
        city.write(BODY).await;
    }
    COMMITS as f64 / begun.elapsed().as_secs_f64()
}

async fn plain(dir: &Path) -> f64 {
    let store = store::Store::in_folder(dir).await.unwrap();
    let begun = Instant::now();
    let body: Vec<u8> = (0..BODY).map(|n| (n * 31 % 251) as u8).collect();
    for n in 0..COMMITS {
        let mut tx = store.begin().await.unwrap();
        let kind = kernel::events::EventKind::Record;
        store::events::append(&mut tx, kernel::Time(n as i64), kind, "x", &body)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    let speed = COMMITS as f64 / begun.elapsed().as_secs_f64();
    store.close().await;
    speed
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a benchmark"]
async fn speed_of_shipping_and_restoring() {
    let mut ratios = vec![];
    for round in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let without = plain(&dir.path().join("plain")).await;
        let options = Options {
            interval: Duration::from_secs(1),
            ..Options::default()
        };
        let city = City::start(dir.path(), options).await;
        city.shipper.base().await.unwrap();
        let with = commits(&city).await;
        ratios.push(with / without);
        println!(
            "round {round}: {without:.0} commits/s without, {with:.0} with, ratio {:.2}",
            with / without
        );
        if round < 2 {
            city.stop().await;
            continue;
        }
        city.shipper.look().await.unwrap();
        let begun = Instant::now();
        city.shipper.base().await.unwrap();
        let file = dir.path().join("data/jicheng.db");
        let size = std::fs::metadata(&file).unwrap().len() as f64 / 1e6;
        let base = begun.elapsed().as_secs_f64();
        println!(
            "base of {size:.0} MB: {base:.2} s, {:.0} MB/s, sealed",
            size / base
        );
        // The peer: SQLite's own online copy, unsealed.
        for command in [".backup", "VACUUM INTO"] {
            let copy = dir.path().join(command.trim_matches('.').replace(' ', "-"));
            let words = format!("{command} '{}'", copy.display());
            let begun = Instant::now();
            let done = Command::new("sqlite3").arg(&file).arg(words).status();
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "sqlite3 {command}: {seconds:.2} s, {:.0} MB/s ({done:?})",
                size / seconds
            );
        }
        city.stop().await;
        let repository = Repository::open(&dir.path().join("backup")).unwrap();
        let first = repository.contents().unwrap().bases[0].facts.at;
        let segments = repository.contents().unwrap().segments;
        let middle = segments[segments.len() * 9 / 10].facts.until;
        for (name, moment) in [("base", Moment::Latest), ("replay", Moment::At(middle))] {
            let into = dir.path().join(format!("into-{name}"));
            let begun = Instant::now();
            let done = restore(&repository, &*keys(), moment, &into, |_| {})
                .await
                .unwrap();
            let seconds = begun.elapsed().as_secs_f64();
            println!(
                "restore ({name}): {} segments, {:.0} MB in {seconds:.2} s, {:.0} MB/s (since {first:?})",
                done.segments,
                done.bytes as f64 / 1e6,
                done.bytes as f64 / 1e6 / seconds
            );
            last_event(&into).await;
        }
        let sealed = repository.contents().unwrap().bytes() as f64 / 1e6;
        println!("repository {sealed:.0} MB for {size:.0} MB of data");
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "ratio with/without, median of {}: {:.2}",
        ratios.len(),
        ratios[1]
    );
    assert!(ratios[1] > 0.3, "writers are stalled: {ratios:?}");
}
