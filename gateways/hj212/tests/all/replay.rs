//! Replay over real TCP: the whole capture through the server into a city in memory.

use crate::fakes::town;
use hj212::codec::{Check, enclose};
use hj212::replay::{Options, Progress, Speed, send};
use hj212::{Config, Server};
use std::path::PathBuf;
use std::sync::Arc;

async fn replay(
    files: &[PathBuf],
    connections: usize,
    copies: u32,
    speed: Speed,
) -> (hj212::GatewayCounters, hj212::replay::Report) {
    let town = town();
    let config = Config {
        listen: "127.0.0.1:0".into(),
        frames_per_s: 0,
        ..Config::default()
    };
    let server = Server::start(town.city.clone(), config).await.unwrap();
    let options = Options {
        to: server.local_addr(),
        connections,
        speed,
        copies,
    };
    let report = send(files, &options, Arc::new(Progress::default()))
        .await
        .unwrap();
    let counters = server.counters();
    assert_eq!(
        counters.values_received,
        counters.values_stored + counters.duplicates
    );
    assert_eq!(counters.answers_sent, report.answers);
    (counters, report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_capture_through_a_socket() {
    let Some(folder) = crate::corpus("hj212-shijiazhuang") else {
        return;
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "gz"));
    files.sort();
    let (counters, report) = replay(&files, 1, 1, Speed::Max).await;
    println!("{counters:#?}\n{report:#?}");
    assert_eq!(
        (report.lines, counters.frames_read, counters.not_frames),
        (79_954, 79_945, 9)
    );
    assert_eq!((counters.accepted, counters.devices), (79_906, 288));
    let rejected: Vec<(&str, u64)> = counters
        .rejected
        .iter()
        .map(|(k, v)| (k.as_str(), *v))
        .collect();
    assert_eq!(rejected, [("crc", 38), ("length", 1)]);
    assert_eq!(counters.values_received, 734_234);
    // 712,242 by device, command, DataTime as written and name; some stations send the same
    // instant once with 14 digits and once with 17, which makes 972 fewer places.
    assert_eq!(counters.values_stored - counters.corrected, 712_242 - 972);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_and_pace() {
    let frame = |n: u32, rtd: u32| {
        let data = format!(
            "QN=1;ST=31;CN=2011;MN=A{};Flag=5;CP=&&DataTime=2026010108{:02}00;01-Rtd={rtd}&&",
            n % 3,
            n
        );
        enclose(data.as_bytes(), Check::Modbus)
    };
    let mut text: Vec<u8> = (0..30).flat_map(|n| frame(n, n)).collect();
    text.extend_from_slice(b"rubbish\r\n\r\n");
    let path = std::env::temp_dir().join(format!("hj212-replay-{}", std::process::id()));
    std::fs::write(&path, &text).unwrap();
    let (counters, report) = replay(std::slice::from_ref(&path), 4, 5, Speed::Max).await;
    assert_eq!(
        (report.lines, report.sent, report.answers),
        (31, 31 + 30 * 4, 150)
    );
    assert_eq!(
        (counters.accepted, counters.devices, counters.not_frames),
        (150, 15, 1)
    );
    assert_eq!(counters.values_stored, 150);
    // Twenty-nine minutes at 1,740 times the pace are one second.
    let (_, report) = replay(std::slice::from_ref(&path), 1, 1, Speed::Times(1740.0)).await;
    assert!(
        (0.8..3.0).contains(&report.elapsed_s),
        "{}",
        report.elapsed_s
    );
    assert_eq!(
        report.bytes,
        text.len() as u64 - 2,
        "as captured, without the empty line"
    );
    std::fs::remove_file(path).unwrap();
    let missing = send(
        &["/nonexistent".into()],
        &Options {
            to: ([127, 0, 0, 1], 1).into(),
            connections: 1,
            speed: Speed::Max,
            copies: 1,
        },
        Arc::default(),
    )
    .await;
    assert!(missing.is_err());
}
