//! Validation: every fault of every change, at its field, and nothing half done.

use crate::{PUMP, STATION, change, house, object, officer, open, problems, station};
use kernel::records::{RecordQuery, Registers};
use serde_json::json;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn each_keyword_has_its_words() {
    each_store(|store| async move {
        let house = house(&store).await;
        let check = async |fields: serde_json::Value, expect: &[(&str, &str)]| {
            let mut record = json!({"id": "A", "name": "甲站"});
            for (name, value) in object(fields) {
                record[name] = value;
            }
            let fault = house.put(change("station", "A", record)).await.unwrap_err();
            assert_eq!(fault.code, "input.invalid");
            assert_eq!(problems(&fault), expect);
        };
        check(json!({"name": "x"}), &[("/name", "at least 2 characters")]).await;
        check(json!({"name": null}), &[("/name", "\"Name\" is required")]).await;
        check(
            json!({"state": "broken"}),
            &[("/state", "should be one of on (Running), off (Stopped)")],
        )
        .await;
        check(json!({"power": -1}), &[("/power", "at least 0")]).await;
        check(json!({"power": 1001}), &[("/power", "at most 1000")]).await;
        check(json!({"power": "5"}), &[("/power", "should be a number")]).await;
        check(
            json!({"floors": 1.5}),
            &[("/floors", "should be a whole number")],
        )
        .await;
        check(
            json!({"floors": 1e300}),
            &[("/floors", "the whole number is out of range")],
        )
        .await;
        check(
            json!({"open": "yes"}),
            &[("/open", "should be true or false")],
        )
        .await;
        check(
            json!({"built": "2026-02-30"}),
            &[("/built", "should be a date such as 2026-11-21")],
        )
        .await;
        check(
            json!({"checked": "2026-02-03 10:00"}),
            &[(
                "/checked",
                "should be a time with its offset such as 2026-11-21T10:32:00+08:00",
            )],
        )
        .await;
        check(
            json!({"a/b": 1}),
            &[("/a~1b", "Station has no field \"a/b\"")],
        )
        .await;
        check(
            json!({"phone": "1\u{0}2"}),
            &[("/phone", "contains control characters")],
        )
        .await;
        check(
            json!({"phone": "1".repeat(70_000)}),
            &[("", "the record is larger than 64 kB")],
        )
        .await;
        check(
            json!({"name": "x", "power": -1, "state": 3, "else": true}),
            &[
                ("/name", "at least 2 characters"),
                ("/power", "at least 0"),
                ("/state", "should be text"),
                ("/state", "should be one of on (Running), off (Stopped)"),
                ("/else", "Station has no field \"else\""),
            ],
        )
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_changes_are_refused_together_with_every_fault() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.put(station("A", "甲站")).await.unwrap();
        let before = store.events().last_seq();
        let mut exists = station("A", "甲站");
        exists.expect_version = Some(0);
        let changes = vec![
            station("B", "乙站"),
            change("station", "C", json!({"id": "D", "name": "丙站"})),
            change("pump", "1", json!({"nr": 1, "station": "Z"})),
            change("pump", "2", json!({"nr": 2, "station": "B"})),
            exists,
            change("station", "gone", json!(null)),
        ];
        let fault = house.engine.apply(&officer(), changes).await.unwrap_err();
        assert_eq!((fault.code, fault.status()), ("input.invalid", 422));
        assert_eq!(
            problems(&fault),
            [
                ("/1/id", "the key \"D\" is not the \"C\" of the address"),
                ("/2/station", "there is no \"Z\" in Station"),
                ("/4/id", "\"A\" exists already; nothing was changed"),
                ("/5/id", "\"gone\" does not exist or has ended"),
            ]
        );
        let page = house
            .engine
            .list("station", &RecordQuery::default())
            .await
            .unwrap();
        assert_eq!(page.total, 1);
        assert!(house.engine.cached("station", "B").is_none());
        assert_eq!(store.events().last_seq(), before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_may_lead_to_a_record_of_the_same_call() {
    each_store(|store| async move {
        let house = house(&store).await;
        let changes = vec![
            change("pump", "1", json!({"nr": 1, "station": "A"})),
            station("A", "甲站"),
        ];
        let records = house.engine.apply(&officer(), changes).await.unwrap();
        assert_eq!(records[0].key, "1");
        house.wait(10);
        house
            .put(change("station", "A", json!(null)))
            .await
            .unwrap();
        let late = change("pump", "2", json!({"nr": 2, "station": "A"}));
        assert_eq!(
            problems(&house.put(late).await.unwrap_err()),
            [("/station", "there is no \"A\" in Station")]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_registers_and_bad_declarations_are_named() {
    each_store(|store| async move {
        let house = house(&store).await;
        let fault = house.put(change("lamp", "A", json!({}))).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found");
        let check = async |from: &str, to: &str, expect: &str| {
            assert!(STATION.contains(from));
            let text = STATION.replace(from, to);
            let fault = open(&store, &[("station", &text), ("pump", PUMP)]).await.err().unwrap();
            assert_eq!(fault.code, "declaration.invalid");
            assert!(fault.words.en.contains(expect), "{}", fault.words.en);
        };
        check("^[A-Z0-9_%-]+$", "^[A-Z", "^[A-Z").await;
        check("\"date\"", "\"dates\"", "dates").await;
        check(
            "\"power\": {",
            "\"Power\": {\"type\": \"number\", \"title\": \"x\", \"x-title-en\": \"x\", \"x-index\": true}, \"power\": {",
            "\"Power\" must be 1 to 48",
        )
        .await;
    })
    .await;
}
