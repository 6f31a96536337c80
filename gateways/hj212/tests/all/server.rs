//! What the server answers, over real TCP against a city in memory.

use crate::station::{QUIET, Station, begin, config, now_text, until};
use hj212::Config;
use hj212::codec::{Check, enclose, format_time};
use kernel::Time;
use kernel::devices::DeviceState;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::sleep;

#[tokio::test]
async fn an_answer_comes_only_after_the_commit_and_in_order() {
    let (town, server) = begin(config()).await;
    let gate = town.observations.gate.clone();
    let held = gate.clone().acquire_many_owned(1_000_000).await.unwrap();
    let mut station = Station::connect(&server).await;
    for n in 1..=3 {
        station
            .send(&format!("QN=2026010108000000{n};ST=22;CN=2011;PW=123456;MN=KNOWN;Flag=5;CP=&&DataTime=2026010108000{n};a34004-Rtd=3{n}.5,a34004-Flag=N&&"))
            .await;
        sleep(Duration::from_millis(30)).await;
    }
    assert_eq!(
        station.hear(QUIET).await,
        None,
        "nothing is acknowledged before it is durable"
    );
    drop(held);
    for n in 1..=3 {
        station
            .expect(&format!(
                "QN=2026010108000000{n};ST=91;CN=9014;PW=123456;MN=KNOWN;Flag=4;CP=&&&&"
            ))
            .await;
    }
    assert_eq!(
        town.observations
            .value("KNOWN", "real_time", "a34004", "2026-01-01T08:00:02+08:00"),
        Some(32.5)
    );
    let counters = server.counters();
    assert_eq!(
        (
            counters.accepted,
            counters.values_stored,
            counters.answers_sent
        ),
        (3, 3, 3)
    );
    server.stop().await;
    let device = town.devices.devices.lock()["KNOWN"].clone();
    assert_eq!(
        (device.state, device.edition.as_str()),
        (DeviceState::Claimed, "2017")
    );
    assert_eq!(
        (device.frames, device.values, device.connected),
        (3, 3, false)
    );
}

#[tokio::test]
async fn answers_follow_the_edition_and_the_kind_of_frame() {
    let (_town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    station.send("QN=20160823235559979;ST=32;CN=2072;PW=1;MN=OLD;Flag=1;CP=&&AlarmTime=20160823235559;B01-Ala=16.00,AlarmType=1&&").await;
    station
        .expect("ST=91;CN=9013;PW=1;MN=OLD;Flag=0;CP=&&QN=20160823235559979&&")
        .await;
    station
        .send("ST=91;CN=9015;PW=1;MN=OLD;Flag=0;CP=&&DataTime=20160824070054000;CON-RT=0&&")
        .await;
    station
        .send("ST=91;CN=9011;PW=1;MN=OLD;Flag=1;CP=&&QN=20160823235559979;QnRtn=1&&")
        .await;
    station
        .send("QN=20260101080000001;ST=91;CN=9015;MN=NEW;Flag=9;CP=&&&&")
        .await;
    station
        .expect("QN=20260101080000001;ST=91;CN=9013;MN=NEW;Flag=8;CP=&&&&")
        .await;
    station
        .send("QN=20260101080000002;ST=31;CN=7777;MN=NEW;Flag=9;CP=&&&&")
        .await;
    station
        .expect("QN=20260101080000002;ST=91;CN=9014;MN=NEW;Flag=8;CP=&&&&")
        .await;
    let modbus = enclose(
        b"QN=20260101080000003;ST=31;CN=2011;MN=MB;Flag=5;CP=&&&&",
        Check::Modbus,
    );
    station.raw(&modbus).await;
    station
        .expect("QN=20260101080000003;ST=91;CN=9014;MN=MB;Flag=4;CP=&&&&")
        .await;
    let counters = server.counters();
    assert_eq!(
        (
            counters.heartbeats,
            counters.unknown_commands,
            counters.devices
        ),
        (2, 1, 3)
    );
    server.stop().await;
}

#[tokio::test]
async fn a_wish_for_the_time_is_fulfilled() {
    let (_town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    station
        .send("ST=91;CN=1013;PW=123456;MN=LD1;Flag=1;CP=&&QN=20160824001252000&&")
        .await;
    station
        .expect("ST=91;CN=9013;PW=123456;MN=LD1;Flag=0;CP=&&QN=20160824001252000&&")
        .await;
    let order = station.hear(Duration::from_secs(5)).await.unwrap();
    assert!(
        order.contains(";CN=1012;PW=123456;MN=LD1;Flag=1;CP=&&SystemTime=20"),
        "{order}"
    );
    server.stop().await;
}

#[tokio::test]
async fn garbage_is_counted_kept_and_survived() {
    let (town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    station
        .raw(b"\0\x01garbage##test13912345678\0\r\n2BC0\r\n")
        .await;
    let mut broken = enclose(
        b"ST=31;CN=2011;MN=A1;CP=&&DataTime=20260101080000;01-Rtd=1&&",
        Check::Standard,
    );
    broken[20] ^= 1;
    station.raw(&broken).await;
    station.raw(&vec![b'x'; 10_000]).await;
    station.raw(b"\r\n").await;
    station
        .send("ST=31;CN=2011;MN=A1;CP=&&DataTime=2026;01-Rtd=1&&")
        .await;
    station
        .send("ST=31;CN=2011;CP=&&DataTime=20260101080000;01-Rtd=1&&")
        .await;
    station
        .send("QN=1;ST=31;CN=2011;MN=A1;Flag=5;CP=&&DataTime=20260101080000;01-Rtd=x;02-Rtd=7&&")
        .await;
    station
        .expect("QN=1;ST=91;CN=9014;MN=A1;Flag=4;CP=&&&&")
        .await;
    let counters = server.counters();
    assert_eq!(
        (counters.not_frames, counters.accepted, counters.frames_read),
        (2, 1, 5)
    );
    let rejected: Vec<(&str, u64)> = counters
        .rejected
        .iter()
        .map(|(k, v)| (k.as_str(), *v))
        .collect();
    assert_eq!(
        rejected,
        [
            ("bad_time", 1),
            ("crc", 1),
            ("no_device", 1),
            ("too_long", 1)
        ]
    );
    assert_eq!((counters.non_numeric, counters.values_stored), (1, 1));
    let frames = town.devices.frames.lock();
    let kept: Vec<&str> = frames
        .iter()
        .map(|f| f.rejected.as_deref().unwrap_or("-"))
        .collect();
    assert_eq!(
        kept,
        [
            "not_a_frame",
            "not_a_frame",
            "crc",
            "too_long",
            "bad_time",
            "no_device",
            "-"
        ]
    );
    assert!(frames.iter().all(|f| f.raw.len() <= 4096));
    assert_eq!(frames[4].thing, "A1");
}

#[tokio::test]
async fn a_wrong_check_value_is_answered_when_configured() {
    let (_town, server) = begin(Config {
        answer_wrong_check: true,
        ..config()
    })
    .await;
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=31;CN=2011;MN=A1;Flag=5;CP=&&&&")
        .await;
    station
        .expect("QN=1;ST=91;CN=9014;MN=A1;Flag=4;CP=&&&&")
        .await;
    station
        .raw(b"##0039QN=2;ST=31;CN=2011;MN=A1;Flag=5;CP=&&&&FFFF\r\n")
        .await;
    station
        .expect("ST=91;CN=9014;MN=A1;Flag=4;CP=&&QnRtn=9&&")
        .await;
}

#[tokio::test]
async fn times_clocks_and_repeats_are_handled() {
    let (town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    station
        .send("ST=32;CN=2061;MN=KNOWN_END;CP=&&DataTime=20260101090000;011-Avg=5&&")
        .await;
    station.send("ST=32;CN=2011;MN=Q1;CP=&&DataTime=20000202000000000;B01-Rtd=19.5;B01-Rtd=16.3;B01-Rtd=16.3&&").await;
    station
        .send("ST=32;CN=2021;MN=Q1;CP=&&DataTime=20260101090000;SB1-RS=1;SB2-RS=0&&")
        .await;
    let future = Time::parse("2099-01-01").unwrap();
    station
        .send(&format!(
            "QN={};ST=32;CN=2011;MN=Q2;Flag=5;CP=&&DataTime={};w01018-Rtd=1&&",
            "20990101000000000",
            format_time(future)
        ))
        .await;
    station
        .expect("QN=20990101000000000;ST=91;CN=9014;MN=Q2;Flag=4;CP=&&&&")
        .await;
    let value = |thing, kind, property, time| town.observations.value(thing, kind, property, time);
    assert_eq!(
        value("KNOWN_END", "hour.mean", "w01018", "2026-01-01T08:00+08:00"),
        Some(5.0)
    );
    assert_eq!(value("Q1", "real_time", "w00000", "2000-02-02"), Some(16.3));
    assert_eq!(
        value("Q1", "real_time", "SB1", "2026-01-01T09:00+08:00"),
        Some(1.0)
    );
    assert_eq!(value("Q2", "real_time", "w01018", "2099-01-01"), Some(1.0));
    let counters = server.counters();
    assert_eq!((counters.values_received, counters.values_stored), (5, 4));
    assert_eq!((counters.duplicates, counters.corrected), (1, 1));
    assert_eq!((counters.states_received, counters.states_stored), (2, 2));
    assert_eq!(counters.future_dated, 1);
    server.stop().await;
    let devices = town.devices.devices.lock();
    assert!(devices["Q1"].clock_offset_s.unwrap() < -1e6);
    assert!(devices["Q2"].clock_offset_s.unwrap() > 1e6);
    assert_eq!(devices["Q1"].notes["clock_wrong"], true);
    assert_eq!(devices["Q1"].state, DeviceState::Quarantined);
}

#[tokio::test]
async fn packets_of_one_message_share_its_time() {
    let (town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    let head = "ST=22;CN=2061;MN=P1;Flag=7;PNUM=2;PNO";
    station
        .send(&format!(
            "QN=1;{head}=1;CP=&&DataTime=20260101080000;a34004-Avg=1&&"
        ))
        .await;
    station
        .send(&format!("QN=1;{head}=2;CP=&&a34002-Avg=2&&"))
        .await;
    station
        .send(&format!("QN=2;{head}=2;CP=&&a34002-Avg=3&&"))
        .await;
    for _ in 0..2 {
        station
            .expect("QN=1;ST=91;CN=9014;MN=P1;Flag=4;CP=&&&&")
            .await;
    }
    assert_eq!(
        town.observations
            .value("P1", "hour.mean", "a34002", "2026-01-01T08:00+08:00"),
        Some(2.0)
    );
    until("refused", || {
        server.counters().rejected.get("bad_time") == Some(&1)
    })
    .await;
}

#[tokio::test]
async fn a_change_of_the_check_value_is_noted() {
    let (town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    let data = format!(
        "QN=1;ST=31;CN=2011;MN=A1;Flag=5;CP=&&DataTime={};01-Rtd=1&&",
        now_text()
    );
    station.send(&data).await;
    station.raw(&enclose(data.as_bytes(), Check::Modbus)).await;
    for _ in 0..2 {
        station
            .expect("QN=1;ST=91;CN=9014;MN=A1;Flag=4;CP=&&&&")
            .await;
    }
    server.stop().await;
    let device = town.devices.devices.lock()["A1"].clone();
    assert_eq!(device.check, "modbus");
    assert!(
        device.notes["check_changed"]
            .as_str()
            .unwrap()
            .starts_with("standard → modbus")
    );
    assert!(!device.notes.contains_key("clock_wrong"));
}

#[tokio::test]
async fn stopping_commits_and_answers_what_is_under_way() {
    let (town, server) = begin(config()).await;
    let gate = town.observations.gate.clone();
    let held = gate.clone().acquire_many_owned(1_000_000).await.unwrap();
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=31;CN=2011;MN=A1;Flag=5;CP=&&DataTime=20260101080000;01-Rtd=1&&")
        .await;
    until("read", || server.counters().accepted == 1).await;
    let stopping = tokio::spawn({
        let server = server.clone();
        async move { server.stop().await }
    });
    sleep(Duration::from_millis(50)).await;
    drop(held);
    station
        .expect("QN=1;ST=91;CN=9014;MN=A1;Flag=4;CP=&&&&")
        .await;
    station.expect("closed").await;
    stopping.await.unwrap();
    assert!(TcpStream::connect(server.local_addr()).await.is_err());
}
