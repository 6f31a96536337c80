//! The city on PostgreSQL: the same deeds in a city on SQLite and in one on PostgreSQL, and every
//! answer compared, before and after a restart.

use crate::program::{PATIENCE, Place, Program, Station, device, until};
use kernel::time::{MINUTE, SECOND};
use kernel::{Clock, Span, SystemClock, Time};
use serde_json::{Value, json};
use testkit::PostgresServer;

/// Takes away what two cities cannot have in common: identifications and moments of their own.
fn comparable(value: Value) -> Value {
    const OWN: [&str; 16] = [
        "at",
        "raised_at",
        "recorded_at",
        "recorded_from",
        "hash",
        "size_bytes",
        "last_used",
        "last_run",
        "next_run",
        "last_seen",
        "first_seen",
        "peer",
        "clock_offset_s",
        "valid_from",
        "valid_to",
        "superseded_at",
    ];
    match value {
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter(|(name, _)| !OWN.contains(&name.as_str()));
            kept.map(|(name, value)| (name, comparable(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(comparable).collect(),
        other => other,
    }
}

/// What happens in the city: a station on record, frames that raise an alert, a batch, an officer
/// who acts.
async fn live_through(program: &Program, now: Time) {
    let mn = device("32", 1);
    let path = format!("/api/v1/registers/station/{mn}");
    let fields = json!({"mn": mn, "name": "演示废水站", "kind": "waste_water", "st": "32", "state": "running"});
    let made = program
        .call(
            "PUT",
            &path,
            Some(json!({"fields": fields, "reason": "test"})),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mut renamed = fields.clone();
    renamed["name"] = json!("演示废水站（改名）");
    let changed = program
        .call("PUT", &path, Some(json!({"fields": renamed})))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);

    let mut station = Station::connect(program.gateway, "32", &mn).await;
    for age in [40, 30, 20, 10] {
        let fields = "w01001-Rtd=10.2,w01001-Flag=N;w01018-Rtd=12.5,w01018-Flag=N";
        station.report(now - Span(age * MINUTE), fields).await;
    }
    station.send(b"GET / HTTP/1.1\r\n").await;
    let lines: String = (0..500)
        .map(|n| {
            format!(
                "T1,period=hour a34004.mean={n}.5,a21026.mean=7 {}\n",
                1_764_000_000_000i64 + n * 3_600_000
            )
        })
        .collect();
    let stored = program.post_lines(&lines).await;
    assert_eq!(
        stored.json(),
        json!({"stored": 1000, "duplicates": 0, "corrected": 0}),
        "{}",
        stored.text
    );
    let again = program.post_lines(&lines).await;
    assert_eq!(
        again.json(),
        json!({"stored": 0, "duplicates": 1000, "corrected": 0})
    );

    let alert = until("an alert", PATIENCE, async || {
        let page = program.get("/api/v1/alerts").await;
        page["items"].as_array()?.first().cloned()
    })
    .await;
    let path = format!("/api/v1/alerts/{}", alert["id"].as_str().expect("an id"));
    let acts = [
        json!({"do": "acknowledge"}),
        json!({"do": "comment", "text": "到现场核实"}),
        json!({"do": "close", "reason": "已处理"}),
    ];
    for act in acts {
        let done = program.call("POST", &path, Some(act)).await;
        assert_eq!(done.status, 200, "{}", done.text);
    }
    let run = program
        .call("POST", "/api/v1/operator/jobs/tidy_sessions/run", None)
        .await;
    assert_eq!(run.status, 202, "{}", run.text);
    until("the device is in the book", PATIENCE, async || {
        let device = program
            .call("GET", &format!("/api/v1/devices/{mn}"), None)
            .await
            .json();
        (device["frames"] == 4).then_some(())
    })
    .await;
}

/// What the city answers about it.
async fn answers(program: &Program, now: Time) -> Vec<(String, Value)> {
    let mn = device("32", 1);
    let (from, to) = ((now - Span::hours(2)).0 / 1000, now.0 / 1000);
    let range =
        format!("/api/v1/series/range?thing={mn}&property=w01001&from={from}&to={to}&step=raw");
    let days = "/api/v1/series/range?thing=T1&property=a34004&kind=hour.mean&from=2025-11-01&to=2026-01-31&step=1%20d";
    let mut all = vec![];
    for path in [
        format!("/api/v1/registers/station/{mn}"),
        format!("/api/v1/registers/station/{mn}/history"),
        "/api/v1/registers/station?f.kind=waste_water".into(),
        "/api/v1/registers".into(),
        range,
        days.into(),
        format!("/api/v1/series?thing={mn}"),
        "/api/v1/series?thing=T1".into(),
        "/api/v1/alerts".into(),
        "/api/v1/alerts/counts".into(),
        "/api/v1/rules".into(),
        "/api/v1/frames/rejected/counts".into(),
        "/api/v1/devices".into(),
        format!("/sta/v1.1/Things('{mn}')/Datastreams?$count=true&$top=5&$orderby=name"),
    ] {
        let value = comparable(program.get(&path).await);
        all.push((path, value));
    }
    let verified = program
        .call("POST", "/api/v1/operator/audit/verify", None)
        .await
        .json();
    assert_eq!(verified["ok"], true, "{verified}");
    let jobs = program.get("/api/v1/operator/jobs").await;
    let items = jobs["items"].as_array().expect("jobs").iter();
    let jobs: Vec<Value> = items.map(|job| job["name"].clone()).collect();
    assert!(jobs.len() >= 4, "{jobs:?}");
    all.push(("jobs".into(), jobs.into()));
    let audit = program.get("/api/v1/operator/audit?limit=1000").await;
    let items = audit["items"].as_array().expect("entries").iter();
    let deeds = items
        .map(|e| json!([e["verb"], e["object"], e["account"]]))
        .collect();
    all.push(("audit".into(), deeds));
    all
}

fn same(left: &[(String, Value)], right: &[(String, Value)], what: &str) {
    for ((path, a), (_, b)) in left.iter().zip(right) {
        assert_eq!(a, b, "{what}: {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_on_postgresql_answers_as_one_on_sqlite() {
    let server = PostgresServer::start().expect("PostgreSQL");
    let folder = tempfile::tempdir().expect("a folder");
    let now = Time(SystemClock.now().0 / SECOND * SECOND);
    let store = format!("store={}", server.create_database().expect("a database"));
    let places = [
        Place::new(&folder.path().join("sqlite"), &[]),
        Place::new(&folder.path().join("postgres"), &[&store]),
    ];
    let mut before = vec![];
    for (place, kind) in places.iter().zip(["sqlite", "postgres"]) {
        let program = place.serve().await;
        let health = program.get("/api/v1/operator/health").await;
        assert_eq!(health["store"]["kind"], kind);
        live_through(&program, now).await;
        before.push(answers(&program, now).await);
        let (took, status) = program.terminate().await;
        assert!(
            status.success(),
            "{kind} stopped with {status} after {took:?}"
        );
    }
    same(&before[0], &before[1], "SQLite and PostgreSQL");
    let mut files: Vec<_> = std::fs::read_dir(folder.path().join("postgres"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    files.sort();
    assert_eq!(
        files,
        ["audit-checkpoints.txt", "master.key"],
        "a city on PostgreSQL keeps no data in its folder"
    );
    let page = before[1]
        .iter()
        .find(|(path, _)| path == "/api/v1/alerts")
        .expect("alerts");
    assert_eq!(
        (&page.1["total"], &page.1["items"][0]["state"]),
        (&json!(1), &json!("closed"))
    );

    for (place, before) in places.iter().zip(&before) {
        let program = place.serve().await;
        let after = answers(&program, now).await;
        same(before, &after, "before and after a restart");
        // It goes on: the next frame of the station is taken and stored.
        let mut station = Station::connect(program.gateway, "32", &device("32", 1)).await;
        station.report(now, "w01001-Rtd=7.1,w01001-Flag=N").await;
        let values = program
            .values(&station.mn, "w01001", now, now + Span::seconds(1))
            .await;
        assert_eq!(values, [(now, 7.1)]);
    }
}
