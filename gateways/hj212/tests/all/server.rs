//! The server over real TCP against a city in memory.

use crate::fakes::{Town, town};
use hj212::codec::{Check, Piece, Splitter, decode, enclose, format_time};
use hj212::{Config, Server};
use kernel::Time;
use kernel::devices::{Command, CommandState, DeviceState, Gateway};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".into(),
        command_time_out_s: 1,
        command_retries: 2,
        execution_time_out_s: 2,
        ..Config::default()
    }
}

async fn begin(config: Config) -> (Town, Arc<Server>) {
    let town = town();
    let server = Server::start(town.city.clone(), config).await.unwrap();
    (town, server)
}

/// A station at the other end of a real connection.
struct Station {
    stream: TcpStream,
    splitter: Splitter,
}

impl Station {
    async fn connect(server: &Server) -> Station {
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        Station {
            stream,
            splitter: Splitter::new(4096),
        }
    }
    async fn send(&mut self, data: &str) {
        self.raw(&enclose(data.as_bytes(), Check::Standard)).await;
    }
    async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
    /// Data segment of the next frame from the platform; `None` after `wait`, or `closed`.
    async fn hear(&mut self, wait: Duration) -> Option<String> {
        let hearing = async {
            loop {
                if let Some(piece) = self.splitter.next_piece() {
                    let Piece::Frame(envelope) = piece else {
                        panic!("{piece:?}")
                    };
                    decode(envelope, |_| None, &mut vec![]).unwrap();
                    return String::from_utf8(envelope.data.to_vec()).unwrap();
                }
                let mut bytes = [0; 4096];
                match self.stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => return "closed".into(),
                    Ok(n) => self.splitter.feed(&bytes[..n]),
                }
            }
        };
        timeout(wait, hearing).await.ok()
    }
    async fn expect(&mut self, data: &str) {
        assert_eq!(
            self.hear(Duration::from_secs(5)).await.as_deref(),
            Some(data)
        );
    }
}

const QUIET: Duration = Duration::from_millis(150);

fn now_text() -> String {
    format_time(kernel::Clock::now(&kernel::SystemClock))
}

async fn until(what: &str, test: impl Fn() -> bool) {
    for _ in 0..500 {
        if test() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain: {what}");
}

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

fn command(name: &str, parameters: serde_json::Value) -> Command {
    Command {
        id: name.into(),
        thing: "LD1".into(),
        name: name.into(),
        parameters: parameters.as_object().unwrap().clone(),
        ..Command::default()
    }
}

#[tokio::test]
async fn a_command_is_a_dialogue() {
    let (town, server) = begin(config()).await;
    let fault = server
        .send(command("read_time", serde_json::json!({})))
        .await
        .unwrap_err();
    assert_eq!(fault.code, "commands.not_connected");
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=32;CN=2011;PW=654321;MN=LD1;Flag=5;CP=&&&&")
        .await;
    station.hear(QUIET).await.unwrap();
    let order = command(
        "extract_hour",
        serde_json::json!({"from": "2026-01-01T08:00+08:00", "to": "2026-01-01T10:00+08:00"}),
    );
    server.send(order).await.unwrap();
    let asked = station.hear(Duration::from_secs(2)).await.unwrap();
    let request = asked[3..20].to_owned();
    assert_eq!(
        asked,
        format!(
            "QN={request};ST=32;CN=2061;PW=654321;MN=LD1;Flag=5;CP=&&BeginTime=20260101080000,EndTime=20260101100000&&"
        )
    );
    station
        .send(&format!(
            "ST=91;CN=9011;MN=LD1;Flag=4;CP=&&QN={request};QnRtn=1&&"
        ))
        .await;
    station.send(&format!("QN={request};ST=32;CN=2061;MN=LD1;Flag=5;CP=&&DataTime=20260101080000;w01018-Avg=12.5&&")).await;
    station
        .expect(&format!("QN={request};ST=91;CN=9014;MN=LD1;Flag=4;CP=&&&&"))
        .await;
    // What comes unasked during the dialogue is stored as well.
    station
        .send("ST=32;CN=2011;MN=LD1;Flag=4;CP=&&DataTime=20260101100500;w01018-Rtd=7&&")
        .await;
    station
        .send(&format!(
            "QN={request};ST=91;CN=9012;MN=LD1;Flag=4;CP=&&ExeRtn=1&&"
        ))
        .await;
    let done = || {
        town.devices
            .command("extract_hour")
            .is_some_and(|c| c.state == CommandState::Done)
    };
    until("done", done).await;
    let steps = town.devices.command("extract_hour").unwrap().steps;
    assert_eq!(steps.len(), 4, "{steps:?}");
    assert!(steps[2].1.contains("w01018-Avg=12.5"));
    let value = |kind, time| town.observations.value("LD1", kind, "w01018", time);
    assert_eq!(value("hour.mean", "2026-01-01T08:00+08:00"), Some(12.5));
    until("stored", || {
        value("real_time", "2026-01-01T10:05+08:00") == Some(7.0)
    })
    .await;
}

#[tokio::test]
async fn commands_are_retried_refused_and_checked() {
    let (town, server) = begin(config()).await;
    let mut station = Station::connect(&server).await;
    station
        .send("QN=1;ST=32;CN=2011;MN=LD1;Flag=1;CP=&&DataTime=20260101080000;011-Rtd=1&&")
        .await;
    station.hear(Duration::from_secs(2)).await.unwrap();
    server
        .send(command("read_time", serde_json::json!({})))
        .await
        .unwrap();
    let first = station.hear(Duration::from_secs(2)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            station.hear(Duration::from_secs(3)).await.as_ref(),
            Some(&first),
            "the same again"
        );
    }
    let state = |name: &str| town.devices.command(name).map(|c| c.state);
    until("timed out", || {
        state("read_time") == Some(CommandState::TimedOut)
    })
    .await;

    server
        .send(command("start_realtime", serde_json::json!({})))
        .await
        .unwrap();
    let asked = station.hear(Duration::from_secs(2)).await.unwrap();
    station
        .send(&format!(
            "ST=91;CN=9011;MN=LD1;CP=&&QN={};QnRtn=3&&",
            &asked[3..20]
        ))
        .await;
    until("refused", || {
        state("start_realtime") == Some(CommandState::Failed)
    })
    .await;
    server
        .send(command("stop_realtime", serde_json::json!({})))
        .await
        .unwrap();
    let asked = station.hear(Duration::from_secs(2)).await.unwrap();
    station
        .send(&format!("ST=91;CN=9013;MN=LD1;CP=&&QN={}&&", &asked[3..20]))
        .await;
    until("heard", || {
        state("stop_realtime") == Some(CommandState::Done)
    })
    .await;

    for (name, parameters, code) in [
        ("fly", serde_json::json!({}), "commands.unsupported"),
        (
            "set_minute_interval",
            serde_json::json!({"interval_min": 10}),
            "commands.unsupported",
        ),
        (
            "set_realtime_interval",
            serde_json::json!({"interval_s": 5, "x": 1}),
            "input.invalid",
        ),
        (
            "extract_hour",
            serde_json::json!({"from": "yesterday"}),
            "input.invalid",
        ),
        (
            "sample_now",
            serde_json::json!({"factor": "a;CN=1"}),
            "input.invalid",
        ),
    ] {
        let fault = server.send(command(name, parameters)).await.unwrap_err();
        assert_eq!(fault.code, code, "{name}");
        if code == "input.invalid" && name != "sample_now" {
            assert_eq!(fault.problems.len(), 2, "{name}: {fault}");
        }
    }
    assert!(server.command_kinds().len() >= 20);
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
