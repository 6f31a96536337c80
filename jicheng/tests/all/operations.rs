//! What an operator does with a running city: copies it, proves its audit log, stops it and speaks
//! to its stations.

use crate::program::{PATIENCE, Place, Program, Station, device, until};
use hj212::codec::Edition;
use hj212::simulator::{self, Options, Scenario, SimProperty, SimStation, StationKind, Stats};
use kernel::time::{HOUR, SECOND};
use kernel::{Clock, Span, SystemClock, Time};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use testkit::PostgresServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

fn now() -> Time {
    Time(SystemClock.now().0 / SECOND * SECOND)
}

/// What a copy must answer like its original.
async fn answers(program: &Program, from: Time, to: Time) -> Vec<Value> {
    let mn = device("31", 1);
    let values = program.values(&mn, "a21026", from, to).await;
    let values = values
        .iter()
        .map(|(time, value)| json!([time.0, value]))
        .collect();
    let mut all = vec![values];
    for path in [
        format!("/api/v1/registers/station/{mn}"),
        format!("/api/v1/registers/station/{mn}/history"),
        "/api/v1/registers/station".into(),
        "/api/v1/alerts".into(),
        "/api/v1/operator/tokens".into(),
    ] {
        all.push(program.get(&path).await);
    }
    // When a token was last used goes on by itself.
    for token in all[5]["items"].as_array_mut().expect("tokens") {
        token["last_used"] = Value::Null;
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_is_copied_while_frames_arrive_and_both_copies_answer_like_it() {
    let server = PostgresServer::start().expect("PostgreSQL");
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(&folder.path().join("city"), &[]);
    let program = place.serve().await;
    let (mn, begin) = (device("31", 1), now() - Span::hours(10));
    let fields =
        json!({"fields": {"mn": mn, "name": "演示废气站", "kind": "flue_gas", "state": "stopped"}});
    let path = format!("/api/v1/registers/station/{mn}");
    assert_eq!(program.call("PUT", &path, Some(fields)).await.status, 201);

    let acknowledged = Arc::new(AtomicI64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut station = Station::connect(program.gateway, "31", &mn).await;
    let feeding = {
        let (acknowledged, stop) = (acknowledged.clone(), stop.clone());
        tokio::spawn(async move {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let fields =
                    format!("a21026-Rtd={number}.5,a21026-Flag=N;a21002-Rtd=30,a21002-Flag=N");
                station.report(begin + Span::seconds(number), &fields).await;
                number += 1;
                acknowledged.store(number, Ordering::Relaxed);
            }
        })
    };
    let arrived = |n: i64| {
        let acknowledged = acknowledged.clone();
        async move {
            until("frames arrive", PATIENCE, async || {
                (acknowledged.load(Ordering::Relaxed) >= n).then_some(())
            })
            .await;
        }
    };
    arrived(200).await;
    let until_then = acknowledged.load(Ordering::Relaxed);
    let file = folder.path().join("copy.jicheng");
    let name = file.display().to_string();
    let (done, said, fault) = place.command(&["backup", "--open", &name]);
    assert!(done, "{said}{fault}");
    arrived(acknowledged.load(Ordering::Relaxed) + 100).await;
    stop.store(true, Ordering::Relaxed);
    feeding.await.expect("the station");
    let end = begin + Span::seconds(until_then);
    let original = answers(&program, begin, end).await;
    assert_eq!(
        original[0].as_array().map(Vec::len),
        Some(until_then as usize)
    );
    drop(program);

    let database = format!("store={}", server.create_database().expect("a database"));
    let copies = [
        Place::bare(&folder.path().join("sqlite"), &[]),
        Place::bare(&folder.path().join("postgres"), &[&database]),
    ];
    for copy in copies {
        let (done, said, fault) = copy.command(&["restore", &name]);
        assert!(done, "{said}{fault}");
        // The keys of the copy stay closed until its master key is brought along.
        assert!(said.contains("master.key"), "{said}");
        let (started, _, fault) = copy.command(&["keys", "list"]);
        assert!(!started && fault.contains("crypto.master_key"), "{fault}");
        copy.take_master_key_of(&place);
        let (again, _, fault) = copy.command(&["restore", &name]);
        assert!(!again, "a city that is there was written over");
        assert!(
            fault.contains("input.conflict") || fault.contains("store."),
            "{fault}"
        );
        let (whole, said, fault) = copy.command(&["audit", "verify"]);
        assert!(whole, "{said}{fault}");
        let copy = copy.with_token_of(&place);
        let program = copy.serve().await;
        assert_eq!(answers(&program, begin, end).await, original);
        // A copy is a city: it goes on.
        let mut station = Station::connect(program.gateway, "31", &mn).await;
        station.report(now(), "a21026-Rtd=1,a21026-Flag=N").await;
    }
    println!("copied after {until_then} frames, all of them in both copies");
}

/// Changes a row of the store behind the program's back; false when there is no Python.
fn tamper(file: &Path, statement: &str) -> bool {
    let script = "import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nn = c.execute(sys.argv[2]).rowcount\nc.commit()\nassert n == 1, n";
    let done = Command::new("python3")
        .args(["-c", script])
        .arg(file)
        .arg(statement)
        .output();
    match done {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
            true
        }
        Err(_) => false,
    }
}

/// Entries of the log, which must verify.
fn counted(place: &Place) -> u64 {
    let (whole, said, fault) = place.command(&["audit", "verify"]);
    assert!(whole, "{said}{fault}");
    let digits = said.split(" entries").next();
    let digits = digits.and_then(|before| before.rsplit(' ').next());
    let number = digits.and_then(|digits| digits.parse().ok());
    number.unwrap_or_else(|| panic!("no number of entries: {said}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_or_removed_audit_entry_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), &[]);
    let program = place.serve().await;
    let begun = counted(&place);
    for number in 0..10 {
        let mn = device("31", number);
        let body = json!({"fields": {"mn": mn, "name": "演示站", "kind": "air"}});
        let made = program
            .call(
                "PUT",
                &format!("/api/v1/registers/station/{mn}"),
                Some(body),
            )
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    assert_eq!(counted(&place), begun + 10, "one entry for each record");
    let file = folder.path().join("jicheng.db");
    if !tamper(&file, "UPDATE audit SET account = 'somebody' WHERE seq = 5") {
        eprintln!("skipped: there is no python3 to alter a row with");
        return;
    }
    let (whole, said, fault) = place.command(&["audit", "verify"]);
    assert!(
        !whole && fault.contains("entry 5 ") && fault.contains("Altered"),
        "{said}{fault}"
    );
    let verdict = program
        .call("POST", "/api/v1/operator/audit/verify", None)
        .await
        .json();
    assert_eq!(
        (&verdict["ok"], &verdict["first_altered"]["seq"]),
        (&json!(false), &json!(5)),
        "{verdict}"
    );
    let account = program.get("/api/v1/operator/audit?subject=").await;
    assert!(account["items"].is_array());
    assert!(tamper(&file, "DELETE FROM audit WHERE seq = 3"));
    let (whole, said, fault) = place.command(&["audit", "verify"]);
    assert!(
        !whole && fault.contains("entry 3 ") && fault.contains("Missing"),
        "{said}{fault}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_stop_it_ends_in_time_whoever_is_connected() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = Place::new(folder.path(), &[]);
    let program = place.serve().await;
    let (mn, time) = (device("31", 1), now());
    let mut station = Station::connect(program.gateway, "31", &mn).await;
    let mut stream = program.live().await;
    station.report(time, "a21026-Rtd=4,a21026-Flag=N").await;
    // The stream tells of it.
    let mut heard = String::new();
    while !heard.contains(&mn) || !heard.contains("a21026") {
        let mut bytes = vec![0; 4096];
        let count = tokio::time::timeout(PATIENCE, stream.read(&mut bytes)).await;
        let count = count.expect("in time").expect("the stream");
        assert!(count > 0, "the stream ended: {heard}");
        heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
    // Others that hold on: a connection kept alive, half a request, a body that does not come,
    // a frame that is not finished.
    let mut idle = TcpStream::connect(program.http).await.expect("the web");
    idle.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("write");
    let mut half = TcpStream::connect(program.http).await.expect("the web");
    half.write_all(b"GET /health HT").await.expect("write");
    let mut body = TcpStream::connect(program.http).await.expect("the web");
    let head = "POST /api/v1/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    body.write_all(head.as_bytes()).await.expect("write");
    let mut unfinished = Station::connect(program.gateway, "31", &device("31", 2)).await;
    unfinished.send(b"##0123QN=2025").await;
    until("they are all there", PATIENCE, async || {
        let page = program.get("/api/v1/operator/connections").await;
        (page["total"] == 2).then_some(())
    })
    .await;
    let (took, status) = program.terminate().await;
    println!("stopped after {took:.2?}");
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(10), "it took {took:?}");
    assert_eq!(
        station.line(PATIENCE).await,
        None,
        "the connection of the station is closed"
    );
    let program = place.serve().await;
    let values = program
        .values(&mn, "a21026", time, time + Span::seconds(1))
        .await;
    assert_eq!(values, [(time, 4.0)]);
}

/// Gives a command and waits for the end of its dialogue.
async fn command(program: &Program, mn: &str, body: Value) -> Value {
    let path = format!("/api/v1/devices/{mn}/commands");
    let given = program.call("POST", &path, Some(body)).await;
    assert_eq!(given.status, 202, "{}", given.text);
    let id = given.json()["id"].clone();
    until("the end of the dialogue", PATIENCE, async || {
        let page = program.get(&path).await;
        let command = page["items"]
            .as_array()?
            .iter()
            .find(|c| c["id"] == id)?
            .clone();
        let over = ["done", "failed", "timed_out"]
            .iter()
            .any(|s| command["state"] == *s);
        over.then_some(command)
    })
    .await
}

fn steps(command: &Value) -> String {
    let steps = command["steps"].as_array().expect("steps").iter();
    steps
        .map(|s| format!("{}\n", s[1].as_str().unwrap_or("")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_station_is_set_right_and_asked_for_its_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Place::new(folder.path(), &[]).serve().await;
    let mn = device("31", 9);
    let property = |code: &str, base| SimProperty {
        code: code.into(),
        base,
        amplitude: 1.0,
        noise: 0.1,
    };
    let options = Options {
        to: program.gateway,
        stations: vec![SimStation {
            mn: mn.clone(),
            st: "31".into(),
            edition: Edition::E2017,
            kind: StationKind::FlueGas,
            properties: vec![property("a21026", 20.0), property("a34013", 5.0)],
            scenario: Scenario::WrongClock,
        }],
        interval: Duration::from_secs(1),
        minute_interval_min: 10,
        backfill_hours: 0,
        seed: 7,
        connects_per_s: 10,
    };
    let (stop, stopping) = watch::channel(false);
    let simulated = tokio::spawn(simulator::run(
        Arc::new(SystemClock),
        options,
        Arc::new(Stats::default()),
        stopping,
    ));
    let path = format!("/api/v1/devices/{mn}");
    let wrong = |wrong: bool| {
        let (program, path) = (&program, &path);
        async move {
            until("the book knows its clock", PATIENCE, async || {
                let device = program.call("GET", path, None).await.json();
                let known = device["clock_offset_s"].is_number();
                (known && device["notes"].get("clock_wrong").is_some() == wrong).then_some(())
            })
            .await;
        }
    };
    wrong(true).await;
    let set = command(&program, &mn, json!({"name": "set_time"})).await;
    assert_eq!(set["state"], "done", "{set}");
    let said = steps(&set);
    for expected in [
        "→ ##",
        "CN=1012",
        "SystemTime=",
        "← 9011 QnRtn=1",
        "← 9012 ExeRtn=1",
    ] {
        assert!(said.contains(expected), "{expected} is missing in\n{said}");
    }
    wrong(false).await;

    let hour = Time(now().0 / HOUR * HOUR);
    let (from, to) = (hour - Span::hours(5), hour - Span::hours(1));
    let body =
        json!({"name": "extract_hour", "parameters": {"from": from.rfc3339(), "to": to.rfc3339()}});
    let extracted = command(&program, &mn, body).await;
    assert_eq!(extracted["state"], "done", "{extracted}");
    assert!(steps(&extracted).contains("CN=2061"), "{extracted}");
    let range = format!(
        "/api/v1/series/range?thing={mn}&property=a21026&kind=hour.mean&from={}&to={}&step=raw",
        from.0 / 1000,
        to.0 / 1000
    );
    let hours = program.get(&range).await;
    assert_eq!(hours["points"].as_array().map(Vec::len), Some(4), "{hours}");

    // Wrong commands are refused with every fault, and leave nothing behind.
    let path = format!("{path}/commands");
    let body = json!({"name": "extract_hour", "parameters": {"from": "soon", "colour": "red"}});
    let refused = program.call("POST", &path, Some(body)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(
        refused.json()["problems"].as_array().map(Vec::len),
        Some(3),
        "{}",
        refused.text
    );
    let unknown = program
        .call("POST", &path, Some(json!({"name": "explode"})))
        .await;
    assert_eq!(
        (unknown.status, &unknown.json()["code"]),
        (422, &json!("commands.unsupported"))
    );
    assert_eq!(
        program.get(&path).await["items"].as_array().map(Vec::len),
        Some(2)
    );

    // Who gave which command stands in the audit log, with purpose and basis.
    let audit = program
        .get(&format!("/api/v1/operator/audit?verb=command&subject={mn}"))
        .await;
    let entries = audit["items"].as_array().expect("entries");
    let outcomes: Vec<&str> = entries
        .iter()
        .filter_map(|e| e["outcome"].as_str())
        .collect();
    assert_eq!(
        outcomes,
        ["failed", "begun", "failed", "begun", "begun", "begun"],
        "newest first: two refused, two sent"
    );
    for (entry, id) in entries[4..].iter().zip([&extracted["id"], &set["id"]]) {
        assert_eq!(&entry["details"]["id"], id, "{entry}");
        assert!(
            entry["purpose"].as_str().is_some_and(|p| !p.is_empty()),
            "{entry}"
        );
        assert!(
            entry["basis"].as_str().is_some_and(|b| !b.is_empty()),
            "{entry}"
        );
    }
    let _ = stop.send(true);
    simulated.await.expect("the simulator");
    let gone = until("it is gone", PATIENCE, async || {
        let answer = program
            .call("POST", &path, Some(json!({"name": "set_time"})))
            .await;
        (answer.status == 409).then_some(answer)
    });
    assert_eq!(gone.await.json()["code"], "commands.not_connected");
}
