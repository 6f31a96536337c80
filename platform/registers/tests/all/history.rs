//! History: versions, corrections of the past, what was known when, and the record in memory.

use crate::{PUMP, START, STATION, change, house, officer, open, problems, station};
use kernel::events::EventKind;
use kernel::records::{Record, RecordChange, RecordQuery, Registers};
use kernel::{Span, Time};
use serde_json::{Value, json};
use store::audit::AuditFilter;
use testkit::each_store;

fn after(seconds: i64) -> Time {
    START + Span::seconds(seconds)
}

fn dated(change: RecordChange, from: Time) -> RecordChange {
    RecordChange {
        valid_from: Some(from),
        ..change
    }
}

fn based(change: RecordChange, version: i64) -> RecordChange {
    RecordChange {
        expect_version: Some(version),
        ..change
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_follow_each_other_and_stale_ones_are_refused() {
    each_store(|store| async move {
        let house = house(&store).await;
        let first = house.put(based(station("A", "甲站"), 0)).await.unwrap();
        assert_eq!((first.version, first.valid_from), (1, START));
        let again = house.put(based(station("A", "甲站"), 0)).await.unwrap_err();
        assert_eq!((again.code, again.status()), ("input.conflict", 409));
        house.wait(10);
        let second = house.put(based(station("A", "甲二"), 1)).await.unwrap();
        assert_eq!((second.version, second.valid_to), (2, None));
        let stale = house.put(based(station("A", "甲三"), 1)).await.unwrap_err();
        assert_eq!((stale.code, stale.status()), ("input.stale", 409));
        assert!(stale.words.zh.contains("第 2 版"), "{}", stale.words.zh);
        house.wait(10);
        let mut end = based(change("station", "A", json!(null)), 2);
        end.reason = Some("拆除".into());
        let ended = house.put(end.clone()).await.unwrap();
        assert_eq!((ended.valid_to, ended.version), (Some(after(20)), 3));
        assert_eq!(
            house.engine.get("station", "A", None, None).await.unwrap(),
            None
        );
        end.expect_version = None;
        let twice = house.put(end).await.unwrap_err();
        assert_eq!((twice.code, twice.status()), ("input.not_found", 404));
        let history = house.engine.history("station", "A").await.unwrap();
        assert_eq!(history[0].reason.as_deref(), Some("拆除"));
        house.wait(10);
        let reborn = house.put(based(station("A", "甲四"), 0)).await.unwrap();
        assert_eq!(reborn.version, 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_the_past_is_known_from_its_recording_on() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.put(station("A", "v1")).await.unwrap();
        house.wait(100);
        house.put(station("A", "v2")).await.unwrap();
        house.wait(100);
        let corrected = dated(station("A", "v3"), after(50));
        let corrected = house.put(based(corrected, 2)).await.unwrap();
        assert_eq!(
            (corrected.valid_from, corrected.valid_to, corrected.version),
            (after(50), Some(after(100)), 3)
        );
        let name = async |valid_at: i64, as_of: Option<i64>| {
            let as_of = as_of.map(after);
            let found = house
                .engine
                .get("station", "A", Some(after(valid_at)), as_of)
                .await;
            found
                .unwrap()
                .map(|r| r.fields["name"].as_str().unwrap_or_default().to_string())
        };
        assert_eq!(name(49, None).await.as_deref(), Some("v1"));
        assert_eq!(name(50, None).await.as_deref(), Some("v3"));
        assert_eq!(name(99, None).await.as_deref(), Some("v3"));
        assert_eq!(name(100, None).await.as_deref(), Some("v2"));
        assert_eq!(name(60, Some(199)).await.as_deref(), Some("v1"));
        assert_eq!(name(60, Some(200)).await.as_deref(), Some("v3"));
        assert_eq!(name(150, Some(99)).await.as_deref(), Some("v1"));
        assert_eq!(name(-1, None).await, None);
        // The event tells how the record stands, not the stretch of the past that was corrected.
        let events = store.events().read(0, 1 << 20).await.unwrap();
        let told: Record = serde_json::from_slice(&events.last().unwrap().body).unwrap();
        assert_eq!(
            (told.fields["name"].as_str(), told.valid_to, told.version),
            (Some("v2"), None, 3)
        );
        // Whoever edits the present must have seen the correction.
        let now = house
            .engine
            .get("station", "A", None, None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(now.version, 3);
        assert!(house.put(based(station("A", "v4"), 2)).await.is_err());
        house.put(based(station("A", "v4"), 3)).await.unwrap();
        let all = house.engine.history("station", "A").await.unwrap();
        assert_eq!(all[0].version, 4);
        let believed: Vec<&Record> = all.iter().filter(|r| r.superseded_at.is_none()).collect();
        assert_eq!(believed.len(), 4);
        assert_eq!(all.len(), 7);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_in_memory_is_always_the_one_that_stands() {
    each_store(|store| async move {
        let house = house(&store).await;
        let name = |key: &str| {
            let found = house.engine.cached("station", key);
            found.map(|r| r.fields["name"].as_str().unwrap_or_default().to_string())
        };
        house.put(station("B", "乙站")).await.unwrap();
        house.put(station("A", "v1")).await.unwrap();
        house
            .put(dated(station("A", "v2"), after(60)))
            .await
            .unwrap();
        assert_eq!(name("A").as_deref(), Some("v1"));
        house.wait(60);
        assert_eq!(name("A").as_deref(), Some("v2"));
        let end = dated(change("station", "B", Value::Null), after(120));
        house.put(end).await.unwrap();
        assert_eq!(name("B").as_deref(), Some("乙站"));
        let reopened = open(&store, &[("station", STATION), ("pump", PUMP)])
            .await
            .unwrap();
        reopened.wait(60);
        assert_eq!(reopened.engine.cached_all("station").len(), 2);
        house.wait(60);
        assert_eq!(name("B"), None);
        let keys: Vec<String> = house
            .engine
            .cached_all("station")
            .iter()
            .map(|r| r.key.clone())
            .collect();
        assert_eq!(keys, ["A"]);
        let stands = house.engine.get("station", "A", None, None).await.unwrap();
        assert_eq!(
            stands.as_ref(),
            house.engine.cached("station", "A").as_deref()
        );
        assert!(house.engine.cached("pump", "1").is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_record_has_its_event_and_its_audit_entry() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut first = station("A", "甲站");
        first.reason = Some("新建".into());
        if let Some(fields) = &mut first.fields {
            fields.insert("phone".into(), "19900001111".into());
        }
        house
            .engine
            .apply(&officer(), vec![first, station("B", "乙站")])
            .await
            .unwrap();
        let events = store.events().read(0, 1 << 20).await.unwrap();
        let records: Vec<Record> = events
            .iter()
            .filter(|e| e.kind == EventKind::Record)
            .map(|e| serde_json::from_slice(&e.body).unwrap())
            .collect();
        assert_eq!(records.len(), 2);
        assert_eq!(&*events[0].about, "station/A");
        assert_eq!(records[1].fields["name"], "乙站");
        let filter = AuditFilter {
            limit: 10,
            ..AuditFilter::default()
        };
        let entries = store.audit().list(&filter).await.unwrap();
        assert_eq!(entries.len(), 2);
        let entry = entries.iter().find(|e| e.entry.subject == "A").unwrap();
        assert_eq!(
            (entry.entry.verb.as_str(), entry.entry.account.as_str()),
            ("write", "wang")
        );
        assert_eq!(entry.entry.object, "register.station");
        assert_eq!(
            entry.entry.details["fields"],
            json!(["id", "name", "phone"])
        );
        assert_eq!(entry.entry.details["reason"], "新建");
        let text = entry.entry.details.to_string();
        assert!(!text.contains("19900001111"), "{text}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_may_gain_and_lose_indexes() {
    each_store(|store| async move {
        let plain = r#""phone": {"type": "string", "title": "电话", "x-title-en": "Phone", "x-personal": true}"#;
        assert!(STATION.contains(plain));
        let indexed = plain.replace("true}", "true, \"x-index\": true}");
        let with = STATION.replace(plain, &indexed);
        let query = |phone: &str| RecordQuery {
            equals: vec![("phone".into(), json!(phone))],
            ..RecordQuery::default()
        };
        let write = |key: &str, phone: &str| {
            change("station", key, json!({"id": key, "name": "站点", "phone": phone}))
        };
        let first = open(&store, &[("station", STATION)]).await.unwrap();
        first.put(write("A", "1")).await.unwrap();
        let fault = first.engine.list("station", &query("1")).await.unwrap_err();
        assert_eq!(problems(&fault), [("f.phone", "this field cannot be filtered by")]);
        let second = open(&store, &[("station", &with)]).await.unwrap();
        assert_eq!(second.engine.list("station", &query("1")).await.unwrap().total, 1);
        // Written while the field has no index, found once it has one again.
        let third = open(&store, &[("station", STATION)]).await.unwrap();
        third.put(write("B", "1")).await.unwrap();
        let fourth = open(&store, &[("station", &with)]).await.unwrap();
        assert_eq!(fourth.engine.list("station", &query("1")).await.unwrap().total, 2);
        // A field that changes its type is read anew.
        let number = with.replace(&indexed, &indexed.replace("\"string\"", "\"integer\""));
        let fifth = open(&store, &[("station", &number)]).await.unwrap();
        assert_eq!(fifth.engine.list("station", &query("01")).await.unwrap().total, 2);
        let all = fifth.engine.list("station", &RecordQuery::default()).await.unwrap();
        assert_eq!(all.total, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_once_do_not_lose_each_other() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.put(station("A", "v0")).await.unwrap();
        let tries = (0..8).map(|n| {
            let engine = house.engine.clone();
            let change = based(station("A", &format!("n{n}")), 1);
            tokio::spawn(async move { engine.apply(&officer(), vec![change]).await.is_ok() })
        });
        let mut won = 0;
        for attempt in tries.collect::<Vec<_>>() {
            won += usize::from(attempt.await.unwrap());
        }
        assert_eq!(won, 1);
        let stands = house.engine.get("station", "A", None, None).await.unwrap();
        assert_eq!(
            stands.as_ref(),
            house.engine.cached("station", "A").as_deref()
        );
        assert_eq!(stands.unwrap().version, 2);
    })
    .await;
}
