//! What a running city tells those who watch over it: health, readiness, metrics, the live stream
//! and the log, each in its form.

use crate::program::{PATIENCE, Place, Station, device, until};
use kernel::time::SECOND;
use kernel::{Clock, SystemClock, Time};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn now() -> Time {
    Time(SystemClock.now().0 / SECOND * SECOND)
}

/// Reads Prometheus text (format 0.0.4) strictly: samples by name and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut kinds: BTreeMap<&str, &str> = BTreeMap::new();
    let mut closed: BTreeSet<&str> = BTreeSet::new();
    let mut found = BTreeMap::new();
    let mut last = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a kind");
            assert!(["gauge", "counter"].contains(&kind), "{line}");
            assert!(kinds.insert(name, kind).is_none(), "{name} has two types");
            continue;
        }
        let (series, value) = line.rsplit_once(' ').expect("a sample");
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{line}"
        );
        let kind = kinds
            .get(name)
            .unwrap_or_else(|| panic!("no type before {line}"));
        assert_eq!(*kind == "counter", name.ends_with("_total"), "{line}");
        if name != last {
            assert!(
                closed.insert(name),
                "samples of {name} do not stand together"
            );
            last = name;
        }
        let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
        for label in labels.split(',').filter(|l| !l.is_empty()) {
            let (_, quoted) = label.split_once('=').expect("a label");
            assert!(
                quoted.len() >= 2 && quoted.starts_with('"') && quoted.ends_with('"'),
                "{line}"
            );
        }
        let value: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
        assert!(
            found.insert(series.to_string(), value).is_none(),
            "{series} comes twice"
        );
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_have_their_forms() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &[]).serve().await;
    let mut station = Station::connect(program.gateway, "31", &device("31", 1)).await;
    let time = now();
    station
        .report(
            time,
            "a21026-Rtd=4,a21026-Flag=N;a21002-Rtd=5,a21002-Flag=N",
        )
        .await;
    station.send(b"garbage\r\n##0010garbage\r\n").await;
    station.report(time, "a21026-Rtd=4,a21026-Flag=N").await;
    for (path, word) in [("/health", "ok"), ("/ready", "ready")] {
        let answer = program.call("GET", path, None).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.json()["status"], word);
    }
    let answer = program.call("GET", "/metrics", None).await;
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; version=0.0.4")
    );
    let samples = samples(&answer.text);
    let sample = |name: &str| {
        *samples
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {samples:?}"))
    };
    // The city's own indicators are series too.
    assert!(sample("jicheng_things") >= 1.0 && sample("jicheng_series") >= 2.0);
    assert!(sample("jicheng_values_total") >= 2.0);
    assert_eq!(sample("jicheng_connections{gateway=\"hj212\"}"), 1.0);
    assert_eq!(
        sample("jicheng_frames_rejected_total{gateway=\"hj212\",reason=\"not_a_frame\"}"),
        1.0
    );
    assert_eq!(sample("jicheng_alerts_open{level=\"red\"}"), 0.0);
    let memory = sample("jicheng_memory_bytes") / 1024.0;
    let real = program.memory_kib() as f64;
    assert!(
        (0.5..2.0).contains(&(memory / real)),
        "{memory} KiB said, {real} KiB held"
    );
    assert!(
        samples
            .keys()
            .any(|name| name.starts_with("jicheng_cursor_lag{"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_of_the_live_stream_are_limited() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &["max_live=2"]).serve().await;
    let first = program.live().await;
    let _second = program.live().await;
    let third = program.call("GET", "/api/v1/live", None).await;
    assert_eq!(third.status, 503, "{}", third.text);
    assert!(third.header("retry-after").is_some());
    // One that leaves makes room.
    drop(first);
    until("there is room", PATIENCE, async || {
        let mut stream = TcpStream::connect(program.http).await.ok()?;
        let head = format!(
            "GET /api/v1/live HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            program.token()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.ok()?;
        (&answer == b"HTTP/1.1 200").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_structured_or_plain() {
    for format in ["json", "text"] {
        let folder = tempfile::tempdir().expect("a folder");
        let form = format!("log_format={format}");
        let place = Place::bare(folder.path(), &["log=info", &form]);
        let log = place.log_of_a_short_life().await;
        assert!(log.lines().count() >= 3, "{log}");
        for line in log.lines() {
            if format == "json" {
                let entry: Value =
                    serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
                assert!(
                    entry["timestamp"].is_string() && entry["level"].is_string(),
                    "{line}"
                );
                assert!(entry["fields"]["message"].is_string(), "{line}");
            } else {
                assert!(
                    line.starts_with("20") && !line.contains('\u{1b}'),
                    "{line:?}"
                );
            }
        }
    }
}
