//! Acknowledged means on disk: the real program is killed with -9 in the middle of ingest at full
//! load, again and again; afterwards every acknowledged value is there, once.
//! `JICHENG_KILLS=20` for the long run; it prints a line for every kill.

use crate::city::open;
use hj212::codec::{Check, enclose};
use kernel::observations::{Kind, RangeAnswer, RangeQuery, SeriesName, Step};
use kernel::time::SECOND;
use kernel::{SystemClock, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const STATIONS: usize = 8;
/// The first frame's time; each station sends one frame for every second after it.
const START: i64 = 1_764_000_000 * SECOND;

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], testkit::free_port()))
}

fn serve(data: &Path, http: SocketAddr, gateway: SocketAddr) -> Child {
    Command::new(env!("CARGO_BIN_EXE_jicheng"))
        .args([
            "--data",
            &data.display().to_string(),
            "--set",
            &format!("http={http}"),
        ])
        .args([
            "--set",
            &format!("hj212={gateway}"),
            "--set",
            "log=warn",
            "--set",
            "hj212_frames_per_s=0",
            "serve",
        ])
        .env_remove("JICHENG_KILLS")
        .stdout(Stdio::null())
        .spawn()
        .expect("the program")
}

async fn connect(gateway: SocketAddr) -> TcpStream {
    let begun = Instant::now();
    loop {
        if let Ok(stream) = TcpStream::connect(gateway).await {
            return stream;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the gateway does not answer"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn device(station: usize) -> String {
    format!("13019931{station:016}")
}

fn frame(station: usize, number: i64) -> Vec<u8> {
    let time = Time(START + number * SECOND);
    let (y, mo, d, h, mi, s) = time.beijing_fields();
    let stamp = format!("{y:04}{mo:02}{d:02}{h:02}{mi:02}{s:02}");
    let data = format!(
        "QN={stamp}000;ST=31;CN=2011;PW=123456;MN={};Flag=5;CP=&&DataTime={stamp};a21026-Rtd={number},a21026-Flag=N;\
         a34013-Rtd={}.5,a34013-Flag=N&&",
        device(station),
        number % 97,
    );
    enclose(data.as_bytes(), Check::Standard)
}

/// Sends as fast as the gateway takes it and notes what is acknowledged, until the line breaks.
async fn load(
    station: usize,
    gateway: SocketAddr,
    next: Arc<Mutex<i64>>,
    acknowledged: Arc<Mutex<BTreeSet<i64>>>,
) {
    let (from, mut to) = connect(gateway).await.into_split();
    let sender = tokio::spawn(async move {
        loop {
            let number = {
                let mut next = next.lock().expect("next");
                *next += 1;
                *next
            };
            if to.write_all(&frame(station, number)).await.is_err() {
                return;
            }
        }
    });
    let mut lines = BufReader::new(from).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !line.contains("CN=9014") {
            continue;
        }
        let stamp = line
            .split("QN=")
            .nth(1)
            .and_then(|t| t.get(..14))
            .expect("a QN");
        let number = |a: usize, b: usize| stamp[a..b].parse::<i16>().expect("digits");
        let small = |a: usize, b: usize| number(a, b) as i8;
        let time = Time::from_beijing(
            number(0, 4),
            small(4, 6),
            small(6, 8),
            small(8, 10),
            small(10, 12),
            small(12, 14),
            0,
        );
        acknowledged
            .lock()
            .expect("acknowledged")
            .insert((time.expect("a time").0 - START) / SECOND);
    }
    sender.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_doubled_by_kill_9() {
    let kills: usize = std::env::var("JICHENG_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(4);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut acknowledged: BTreeMap<usize, Arc<Mutex<BTreeSet<i64>>>> = BTreeMap::new();
    let mut sent: BTreeMap<usize, Arc<Mutex<i64>>> = BTreeMap::new();
    for station in 0..STATIONS {
        acknowledged.insert(station, Arc::default());
        sent.insert(station, Arc::default());
    }
    for kill in 1..=kills {
        let (http, gateway) = (free_address(), free_address());
        let begun = Instant::now();
        let mut program = serve(&data, http, gateway);
        let loads: Vec<_> = (0..STATIONS)
            .map(|s| tokio::spawn(load(s, gateway, sent[&s].clone(), acknowledged[&s].clone())))
            .collect();
        drop(connect(gateway).await);
        let up = begun.elapsed();
        tokio::time::sleep(Duration::from_millis(700 + 137 * (kill as u64 % 7))).await;
        program.kill().expect("kill -9");
        program.wait().expect("the end");
        for load in loads {
            let _ = load.await;
        }
        let total: usize = acknowledged
            .values()
            .map(|a| a.lock().expect("acknowledged").len())
            .sum();
        println!(
            "kill {kill:2}: up after {:4} ms, acknowledged so far {total}",
            up.as_millis()
        );
    }
    let running = open(folder.path(), Arc::new(SystemClock)).await;
    let mut checked = 0;
    for (station, acknowledged) in &acknowledged {
        let acknowledged = acknowledged.lock().expect("acknowledged").clone();
        for (property, value) in [("a21026", None), ("a34013", Some(0.5))] {
            let series = SeriesName {
                thing: device(*station),
                property: property.into(),
                kind: Kind::REAL_TIME,
            };
            let mut kept: BTreeMap<i64, f64> = BTreeMap::new();
            let (mut from, to) = (Time(START), Time(START + 10_000_000 * SECOND));
            loop {
                let query = RangeQuery {
                    series: series.clone(),
                    from,
                    to,
                    step: Step::Raw,
                    as_of: None,
                    limit: 100_000,
                };
                let answer = running.app.city.observations.range(query).await;
                let RangeAnswer::Points(points, cut) = answer.expect("a range") else {
                    panic!("points")
                };
                for point in points {
                    from = Time(point.time.0 + 1);
                    let number = (point.time.0 - START) / SECOND;
                    let before = kept.insert(number, point.value);
                    assert!(before.is_none(), "{station} {number} is doubled");
                }
                if !cut {
                    break;
                }
            }
            for number in acknowledged.iter() {
                let expected = value.map_or(*number as f64, |half| (number % 97) as f64 + half);
                assert_eq!(
                    kept.get(number),
                    Some(&expected),
                    "station {station}, {property}, frame {number} was acknowledged"
                );
                checked += 1;
            }
        }
    }
    println!("{kills} kills, {checked} acknowledged values checked: none lost, none doubled");
    assert!(checked > 100, "only {checked} values were acknowledged");
    running.stop().await;
}
