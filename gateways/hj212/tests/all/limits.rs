//! Load: an engine that is slow or refuses, senders that are slow, silent, fast or too many.

use crate::station::{QUIET, Station, begin, config, until};
use hj212::Config;
use hj212::codec::{Check, enclose};
use kernel::devices::Gateway;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test]
async fn an_overloaded_engine_is_asked_again_and_the_station_waits() {
    let (town, server) = begin(config()).await;
    town.observations.refuse.store(3, SeqCst);
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=31;CN=2011;MN=A1;Flag=5;CP=&&DataTime=20260101080000;01-Rtd=1&&")
        .await;
    assert_eq!(station.hear(QUIET).await, None);
    station
        .expect("QN=1;ST=91;CN=9014;MN=A1;Flag=4;CP=&&&&")
        .await;
    assert_eq!(server.counters().write_retries, 3);
}

#[tokio::test]
async fn a_correction_waits_behind_what_it_corrects() {
    let (town, server) = begin(config()).await;
    town.observations.refuse.store(2, SeqCst);
    let mut station = Station::connect(&server).await;
    for n in 1..=3 {
        station
            .send(&format!(
                "QN={n};ST=31;CN=2011;MN=A1;Flag=5;CP=&&DataTime=20260101080000;01-Rtd={n}&&"
            ))
            .await;
        sleep(Duration::from_millis(20)).await;
    }
    for n in 1..=3 {
        station
            .expect(&format!("QN={n};ST=91;CN=9014;MN=A1;Flag=4;CP=&&&&"))
            .await;
    }
    let stored = town
        .observations
        .value("A1", "real_time", "a34013", "2026-01-01T08:00+08:00");
    assert_eq!(stored, Some(3.0));
    let counters = server.counters();
    assert_eq!((counters.corrected, counters.write_retries), (2, 2));
}

#[tokio::test]
async fn what_cannot_be_stored_is_never_acknowledged() {
    let (town, server) = begin(Config {
        overload_patience_s: 0,
        ..config()
    })
    .await;
    town.observations.refuse.store(1, SeqCst);
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=31;CN=2011;MN=A1;Flag=5;CP=&&DataTime=20260101080000;01-Rtd=1&&")
        .await;
    station.expect("closed").await;
    until("counted", || {
        server.counters().closed.contains_key("overload")
    })
    .await;
    assert_eq!(server.counters().values_stored, 0);
}

#[tokio::test]
async fn a_stalled_engine_holds_the_reading_and_the_memory() {
    let (town, server) = begin(Config {
        batches_in_flight: 2,
        ..config()
    })
    .await;
    let gate = town.observations.gate.clone();
    let held = gate.clone().acquire_many_owned(1_000_000).await.unwrap();
    let mut station = Station::connect(&server).await;
    let frame = enclose(
        b"ST=31;CN=2011;MN=A1;CP=&&DataTime=20260101080000;01-Rtd=1&&",
        Check::Standard,
    );
    let many = frame.repeat(1000);
    // Ten megabytes and more do not go through while two batches of 64 KiB wait for the disk.
    let flood = async {
        for _ in 0..400 {
            station.raw(&many).await;
        }
    };
    assert!(
        timeout(Duration::from_secs(1), flood).await.is_err(),
        "the station is held back"
    );
    assert!(server.counters().accepted <= 2 * 64 * 1024 / frame.len() as u64);
    drop(held);
    until("it goes on", || server.counters().accepted > 10_000).await;
}

#[tokio::test]
async fn a_slow_sender_and_a_silent_one_are_let_go() {
    let (_town, server) = begin(Config {
        frame_time_out_s: 1,
        idle_time_out_s: 3,
        ..config()
    })
    .await;
    let mut slow = Station::connect(&server).await;
    let mut silent = Station::connect(&server).await;
    silent.send("ST=91;CN=9015;MN=S1;Flag=0;CP=&&&&").await;
    for byte in b"##0100ST=31;CN=2011;MN=A1".iter().take(8) {
        slow.raw(&[*byte]).await;
        sleep(Duration::from_millis(50)).await;
    }
    slow.expect("closed").await;
    assert_eq!(server.counters().closed.get("slow_frame"), Some(&1));
    silent.expect("closed").await;
    until("counted", || {
        server.counters().closed.get("idle") == Some(&1)
    })
    .await;
}

#[tokio::test]
async fn connections_beyond_the_limits_are_turned_away() {
    let (_town, server) = begin(Config {
        max_connections: 3,
        ..config()
    })
    .await;
    let mut stations = vec![];
    for _ in 0..3 {
        stations.push(Station::connect(&server).await);
    }
    until("three", || server.open_connections() == 3).await;
    Station::connect(&server).await.expect("closed").await;
    assert_eq!(server.counters().connections_refused, 1);
    stations.pop();
    until("two", || server.open_connections() == 2).await;
    let mut again = Station::connect(&server).await;
    again.send("QN=1;ST=91;CN=9015;MN=S1;Flag=5;CP=&&&&").await;
    again
        .expect("QN=1;ST=91;CN=9013;MN=S1;Flag=4;CP=&&&&")
        .await;
    let named: Vec<_> = server
        .connections()
        .into_iter()
        .filter_map(|c| c.thing)
        .collect();
    assert_eq!(named, ["S1"]);

    let (_town, server) = begin(Config {
        max_connections_per_address: 1,
        ..config()
    })
    .await;
    let _first = Station::connect(&server).await;
    Station::connect(&server).await.expect("closed").await;
}

#[tokio::test]
async fn a_fast_sender_is_slowed_and_loses_nothing() {
    let (_town, server) = begin(Config {
        frames_per_s: 1000,
        ..config()
    })
    .await;
    let mut station = Station::connect(&server).await;
    let begun = std::time::Instant::now();
    for n in 0..4000 {
        let time = format!("20260101{:02}{:02}{:02}", n / 3600, n / 60 % 60, n % 60);
        station
            .send(&format!(
                "ST=31;CN=2011;MN=A1;CP=&&DataTime={time};01-Rtd=1&&"
            ))
            .await;
    }
    until("all", || server.counters().values_stored == 4000).await;
    assert!(
        begun.elapsed() > Duration::from_millis(1500),
        "{:?}",
        begun.elapsed()
    );
}
