//! Wrong input over a real connection: everything refused is counted by its reason and kept raw,
//! what is odd but true is taken, and an unknown station waits until somebody answers for it.

use crate::program::{PATIENCE, Place, Program, Station, device, message, real_time, until};
use kernel::time::{MINUTE, SECOND};
use kernel::{Clock, Span, SystemClock, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Something wrong, the reason it is refused for, and how its kept raw form begins.
struct Wrong {
    bytes: Vec<u8>,
    reason: &'static str,
    begins: String,
}

fn wrong(bytes: impl Into<Vec<u8>>, reason: &'static str) -> Wrong {
    let bytes = bytes.into();
    let first: Vec<u8> = bytes.iter().copied().take(40).collect();
    let begins = String::from_utf8_lossy(&first).trim_end().to_string();
    Wrong {
        bytes,
        reason,
        begins,
    }
}

fn with_line_break(bytes: &[u8]) -> Vec<u8> {
    [bytes, b"\r\n"].concat()
}

/// Every kind of wrong input. `mn` is a station that also sends right frames.
fn wrong_inputs(mn: &str, now: Time) -> Vec<Wrong> {
    let good = real_time("31", mn, now, "a21026-Rtd=1.0,a21026-Flag=N");
    let text = String::from_utf8(good.clone()).expect("text");
    let segment = |head: &str, cp: &str| {
        message(&format!(
            "QN=20251124000000000;ST=31;CN=2011;PW=123456;{head};Flag=5;CP=&&{cp}&&"
        ))
    };
    let of = |cp: &str| segment(&format!("MN={mn}"), cp);
    let digits = text.len() - 6;
    let other_check = format!("{}0000\r\n", &text[..digits]);
    let stated: usize = text[2..6].parse().expect("a length");
    let shorter = format!("##{:04}{}", stated - 5, &text[6..]);
    let longer = format!("##{:04}{}", stated + 5, &text[6..]);
    let garbage: Vec<u8> = (0..3000u32).map(|n| (n * 7 % 127 + 128) as u8).collect();
    let long_line = [vec![b'A'; 64 * 1024], b"\r\n".to_vec()].concat();
    let long_frame = [
        b"##9999".to_vec(),
        vec![b'B'; 9_999],
        b"&&0000\r\n".to_vec(),
    ]
    .concat();
    vec![
        wrong(with_line_break(&good[..60]), "crc"),
        wrong(&good[30..], "crc"),
        wrong(other_check, "crc"),
        wrong(shorter, "length"),
        wrong(longer, "length"),
        wrong(long_line, "too_long"),
        wrong(long_frame, "too_long"),
        wrong(with_line_break(&garbage), "not_a_frame"),
        wrong("GET / HTTP/1.1\r\n", "not_a_frame"),
        wrong("##\r\n", "not_a_frame"),
        wrong(
            segment("X=1", "DataTime=20251124000000;a-Rtd=1"),
            "no_device",
        ),
        wrong(
            segment("MN=../../etc", "DataTime=20251124000000;a-Rtd=1"),
            "no_device",
        ),
        wrong(of("DataTime=20251332000000;a21026-Rtd=1"), "bad_time"),
        wrong(of("DataTime=00000000000000;a21026-Rtd=1"), "bad_time"),
        wrong(of("a21026-Rtd=1"), "bad_time"),
        wrong(of("{0x4CE3A8A8B2F0A1B2C3D4E5F607182939}"), "encrypted"),
    ]
}

async fn counts(program: &Program) -> BTreeMap<String, u64> {
    let answer = program.get("/api/v1/frames/rejected/counts").await;
    let items = answer["items"].as_array().expect("items").iter();
    let pair = |i: &Value| {
        (
            i["reason"].as_str().expect("a reason").to_string(),
            i["count"].as_u64().expect("a count"),
        )
    };
    items.map(pair).collect()
}

async fn kept(program: &Program, reason: &str) -> Vec<String> {
    let path = format!("/api/v1/frames/rejected?reason={reason}&limit=1000");
    let answer = program.get(&path).await;
    let items = answer["items"].as_array().expect("items").iter();
    items
        .map(|i| i["raw"].as_str().expect("raw").to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_counted_by_reason_and_kept_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), &[]);
    let program = place.serve().await;
    let now = Time(SystemClock.now().0 / SECOND * SECOND);
    let mn = device("31", 1);
    let mut station = Station::connect(program.gateway, "31", &mn).await;
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    let inputs = wrong_inputs(&mn, now);
    for (number, input) in inputs.iter().enumerate() {
        station.send(&input.bytes).await;
        *expected.entry(input.reason.into()).or_default() += 1;
        // The very next right frame on the same connection is taken and answered.
        let time = now + Span::seconds(number as i64 - 100);
        station
            .report(time, &format!("a21026-Rtd={number},a21026-Flag=N"))
            .await;
        assert_eq!(
            counts(&program).await,
            expected,
            "after {:?} …",
            input.begins
        );
    }
    let values = program
        .values(&mn, "a21026", now - Span::hours(1), now)
        .await;
    assert_eq!(values.len(), inputs.len());
    program.terminate().await;
    let program = place.serve().await;
    assert_eq!(counts(&program).await, expected, "after a restart");
    for input in &inputs {
        let kept = kept(&program, input.reason).await;
        assert_eq!(kept.len() as u64, expected[input.reason]);
        assert!(
            kept.iter()
                .any(|raw| raw.starts_with(&shown(&input.begins)) && raw.len() <= 3 * 4096),
            "{} {:?} … is not kept: {kept:?}",
            input.reason,
            input.begins
        );
    }
    println!(
        "{} wrong inputs of {} reasons",
        inputs.len(),
        expected.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_frames_are_taken_for_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &[]).serve().await;
    let now = Time(SystemClock.now().0 / SECOND * SECOND);
    let mut station = Station::connect(program.gateway, "31", &device("31", 2)).await;
    let mn = station.mn.clone();

    // A command nobody knows is answered, kept raw, and stores nothing.
    let unknown = format!("QN=20251124000000000;ST=31;CN=7777;PW=123456;MN={mn};Flag=5;CP=&&x=1&&");
    station.send(&message(&unknown)).await;
    let answer = station.line(PATIENCE).await.expect("an answer");
    assert!(
        answer.contains("QN=20251124000000000") && answer.contains("CN=901"),
        "{answer}"
    );
    assert_eq!(program.counter("/unknown_commands").await, 1);
    let frames = program.get(&format!("/api/v1/devices/{mn}/frames")).await;
    assert!(
        frames["items"][0]["raw"]
            .as_str()
            .is_some_and(|raw| raw.contains("CN=7777")),
        "{frames}"
    );

    // Values that are no numbers are left out; the rest of the frame stands.
    let fields = "a21026-Rtd=NaN;a21002-Rtd=----;a34013-Rtd=1e999;a19001-Rtd=,a19001-Flag=D;a01012-Rtd=55.5,a01012-Flag=N";
    station.report(now, fields).await;
    assert_eq!(program.counter("/non_numeric").await, 4);
    assert_eq!(program.counter("/values_received").await, 1);
    let from = now - Span::minutes(1);
    assert_eq!(
        program
            .values(&mn, "a01012", from, now + Span::seconds(1))
            .await,
        [(now, 55.5)]
    );
    assert!(
        program
            .values(&mn, "a21026", from, now + Span::seconds(1))
            .await
            .is_empty()
    );

    // A clock of the year 2000: kept under the time it says, and noted on the device.
    let then = Time::parse("2000-01-01T00:05:00+08:00").expect("a time");
    station.report(then, "a01012-Rtd=9,a01012-Flag=N").await;
    let past = program
        .values(&mn, "a01012", then, then + Span::seconds(1))
        .await;
    assert_eq!(past, [(then, 9.0)]);
    let path = format!("/api/v1/devices/{mn}");
    let device = until("the clock is noted", PATIENCE, async || {
        let device = program.call("GET", &path, None).await.json();
        (device["notes"]["clock_wrong"] == true).then_some(device)
    });
    let offset = device.await["clock_offset_s"].as_f64().expect("an offset");
    assert!(offset < -20.0 * 365.0 * 86_400.0, "{offset}");
    // What is old does not become the latest value.
    let series = json!({"series": [{"thing": mn, "property": "a01012", "kind": "real_time"}]});
    let latest = program
        .call("POST", "/api/v1/series/latest", Some(series))
        .await;
    assert_eq!(latest.json()["items"][0]["value"], 55.5, "{}", latest.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicated_and_reordered_frames_are_stored_once_and_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &[]).serve().await;
    let begin = Time(SystemClock.now().0 / SECOND * SECOND) - Span::hours(1);
    let mut station = Station::connect(program.gateway, "32", &device("32", 3)).await;
    let mn = station.mn.clone();
    // Backwards, each twice, all in one piece; then forwards once more.
    let frame = |n: i64| {
        let fields = format!("w01018-Rtd={n}.25,w01018-Flag=N");
        real_time("32", &mn, begin + Span::seconds(n * 7), &fields)
    };
    let order: Vec<i64> = (0..100).rev().flat_map(|n| [n, n]).chain(0..100).collect();
    let bytes: Vec<u8> = order.iter().flat_map(|n| frame(*n)).collect();
    for piece in bytes.chunks(1_000) {
        station.send(piece).await;
    }
    for number in &order {
        station
            .acknowledged(begin + Span::seconds(number * 7))
            .await;
    }
    let expected: Vec<(Time, f64)> = (0..100)
        .map(|n| (begin + Span::seconds(n * 7), n as f64 + 0.25))
        .collect();
    let end = begin + Span::hours(1);
    assert_eq!(program.values(&mn, "w01018", begin, end).await, expected);
    assert_eq!(program.counter("/values_received").await, 300);
    assert_eq!(program.counter("/values_stored").await, 100);
    assert_eq!(program.counter("/duplicates").await, 200);
    assert_eq!(program.counter("/corrected").await, 0);
    // Another value for a time that is there corrects it; the first is not forgotten.
    let time = begin + Span::seconds(7);
    station.report(time, "w01018-Rtd=99,w01018-Flag=N").await;
    assert_eq!(program.counter("/corrected").await, 1);
    assert_eq!(
        program.values(&mn, "w01018", begin, end).await[1],
        (time, 99.0)
    );
}

/// Reports a pH of 10 at these ages in minutes.
async fn sour(station: &mut Station, now: Time, ages: &[i64]) {
    for age in ages {
        let time = now - Span(age * MINUTE);
        station.report(time, "w01001-Rtd=10.2,w01001-Flag=N").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_station_is_kept_apart_until_it_is_claimed_and_then_judged() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &[]).serve().await;
    let now = Time(SystemClock.now().0 / SECOND * SECOND);
    let mn = device("32", 4);
    let mut station = Station::connect(program.gateway, "32", &mn).await;
    sour(&mut station, now, &[90, 78, 66]).await;
    let path = format!("/api/v1/devices/{mn}");
    until("the device is in the book", PATIENCE, async || {
        let page = program.get("/api/v1/devices?state=quarantined").await;
        (page["items"][0]["thing"] == mn.as_str()).then_some(())
    })
    .await;
    // The rules have read the log to its end and raised nothing.
    until("the rules have read it", PATIENCE, async || {
        let health = program.get("/api/v1/operator/health").await;
        let cursors = health["cursors"].as_array()?.clone();
        let rules = cursors
            .iter()
            .find(|c| c["name"].as_str().is_some_and(|n| n.contains("rules")))?;
        (rules["lag"] == 0).then_some(())
    })
    .await;
    let alerts = format!("/api/v1/alerts?thing={mn}");
    assert_eq!(program.get(&alerts).await["total"], 0);
    let from = now - Span::hours(2);
    assert_eq!(program.values(&mn, "w01001", from, now).await.len(), 3);

    // A claim with faults changes nothing; a right one writes the station down.
    let claim = format!("{path}/claim");
    let fields = json!({"fields": {"name": "演示废水站", "kind": "rocket"}});
    let refused = program.call("POST", &claim, Some(fields)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(program.get(&path).await["state"], "quarantined");
    let fields = json!({"fields": {"name": "演示废水站", "kind": "waste_water", "st": "32", "state": "running"}});
    let claimed = program.call("POST", &claim, Some(fields)).await;
    assert_eq!(claimed.status, 201, "{}", claimed.text);
    assert_eq!(claimed.json()["state"], "claimed");
    let record = program
        .get(&format!("/api/v1/registers/station/{mn}"))
        .await;
    assert_eq!(record["fields"]["mn"], mn.as_str());

    // From now on it is judged; what was kept is still there.
    sour(&mut station, now, &[30, 22, 14]).await;
    let alert = until("an alert", PATIENCE, async || {
        let page = program.get(&alerts).await;
        let items = page["items"].as_array()?;
        items
            .iter()
            .find(|a| a["rule"].as_str().is_some_and(|r| r.ends_with("ph_high")))
            .cloned()
    })
    .await;
    assert_eq!(
        (&alert["level"], &alert["ended_at"]),
        (&json!("yellow"), &Value::Null),
        "{alert}"
    );
    // What was heard before the claim was not judged.
    let since = alert["since"].as_str().and_then(Time::parse);
    assert!(
        since.is_some_and(|t| t >= now - Span::minutes(30)),
        "{alert}"
    );
    assert_eq!(program.values(&mn, "w01001", from, now).await.len(), 6);
    let device = until("the gateway agrees", PATIENCE, async || {
        let device = program.get(&path).await;
        (device["frames"] == 6).then_some(device)
    });
    assert_eq!(device.await["state"], "claimed");
}

/// The beginning of a frame as people see it: its password hidden, like in the whole of it.
fn shown(begins: &str) -> String {
    hj212::without_passwords(begins)
}
