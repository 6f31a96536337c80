//! Measurements, ignored by default:
//! `cargo test --release -p hj212 speed -- --ignored --nocapture --test-threads 1`.

use crate::fakes::town;
use flate2::read::GzDecoder;
use hj212::codec::*;
use hj212::replay::{Options, Speed, send};
use hj212::{Config, Server};
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Instant;

fn files() -> Option<Vec<PathBuf>> {
    let folder = crate::corpus("hj212-shijiazhuang")?;
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "gz"));
    files.sort();
    Some(files)
}

/// Splitting, checking, reading every number and the time: one core.
#[test]
#[ignore = "a measurement"]
fn speed_of_the_codec() {
    let Some(files) = files() else { return };
    let mut stream = vec![];
    for file in files {
        GzDecoder::new(std::fs::File::open(file).unwrap())
            .read_to_end(&mut stream)
            .unwrap();
    }
    let begun = Instant::now();
    let (mut frames, mut values, mut times) = (0u64, 0u64, 0u64);
    for _ in 0..10 {
        let mut splitter = Splitter::new(4096);
        for packet in stream.chunks(64 * 1024) {
            splitter.feed(packet);
            while let Some(piece) = splitter.next_piece() {
                let Piece::Frame(envelope) = piece else {
                    continue;
                };
                let mut plain = vec![];
                let Ok(frame) = decode(envelope, |_| None, &mut plain) else {
                    continue;
                };
                let mut numbers = vec![];
                frame.measurements(&mut numbers);
                frames += 1;
                values += numbers.len() as u64;
                times += u64::from(
                    frame
                        .field("DataTime")
                        .and_then(|t| parse_time(t.as_bytes()))
                        .is_some(),
                );
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "codec: {:.0} frames/s, {:.0} values/s, {:.0} MB/s on one core ({times} times)",
        frames as f64 / seconds,
        values as f64 / seconds,
        stream.len() as f64 * 10.0 / seconds / 1e6
    );
    assert!(frames as f64 / seconds > 60_000.0);
}

/// Replay and gateway over TCP in one process, with an engine that only counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn speed_of_the_gateway() {
    let Some(files) = files() else { return };
    let town = town();
    town.observations.forgets.store(true, SeqCst);
    let config = Config {
        listen: "127.0.0.1:0".into(),
        frames_per_s: 0,
        ..Config::default()
    };
    let server = Server::start(town.city.clone(), config).await.unwrap();
    let options = Options {
        to: server.local_addr(),
        connections: 8,
        speed: Speed::Max,
        copies: 4,
    };
    let report = send(&files, &options, Default::default()).await.unwrap();
    println!(
        "replay and gateway: {:.0} frames/s, {:.0} values/s, {report:?}",
        report.sent as f64 / report.elapsed_s,
        server.counters().values_stored as f64 / report.elapsed_s
    );
}
