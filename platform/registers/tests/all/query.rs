//! Questions: filters, search, boxes, orders, and pages that neither skip nor repeat.

use crate::{House, change, house, officer, problems};
use kernel::records::{RecordChange, RecordQuery, Registers};
use serde_json::{Value, json};
use testkit::each_store;

fn fill() -> Vec<RecordChange> {
    let one = |key: &str, mut fields: Value| {
        fields["id"] = json!(key);
        change("station", key, fields)
    };
    vec![
        one(
            "A",
            json!({"name": "裕华站", "state": "on", "power": 5, "open": true, "lon": 114.5, "lat": 38.0}),
        ),
        one(
            "B",
            json!({"name": "Bridge North", "state": "off", "power": 0.1, "lon": 114.9, "lat": 38.4}),
        ),
        one(
            "C",
            json!({"name": "桥西_站", "state": "on", "power": 5, "checked": "2026-01-01T00:00:00+08:00"}),
        ),
        one(
            "D",
            json!({"name": "桥西%站", "state": "off", "checked": "2025-12-31T17:00:00Z"}),
        ),
        one(
            "E",
            json!({"name": "长安站", "power": 5, "lon": -179.5, "lat": 10.0}),
        ),
        one(
            "F",
            json!({"name": "bridge south", "power": 0.30000000000000004, "open": false}),
        ),
    ]
}

async fn keys(house: &House, query: &RecordQuery) -> String {
    let page = house.engine.list("station", query).await.unwrap();
    assert_eq!(page.total as usize, page.records.len());
    assert_eq!(page.next, None);
    page.records.iter().map(|r| r.key.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_search_and_boxes() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.engine.apply(&officer(), fill()).await.unwrap();
        let equals = async |field: &str, value: Value, expect: &str| {
            let query = RecordQuery {
                equals: vec![(field.into(), value)],
                ..RecordQuery::default()
            };
            assert_eq!(keys(&house, &query).await, expect, "{field}");
        };
        equals("state", json!("on"), "AC").await;
        equals("state", Value::Null, "EF").await;
        equals("power", json!("5.0"), "ACE").await;
        equals("power", json!(0.1), "B").await;
        equals("open", json!("true"), "A").await;
        equals("open", json!(false), "F").await;
        equals("id", json!("C"), "C").await;
        equals("checked", json!("2025-12-31T16:00:00Z"), "C").await;
        let text = async |text: &str, expect: &str| {
            let query = RecordQuery {
                text: Some(text.into()),
                ..RecordQuery::default()
            };
            assert_eq!(keys(&house, &query).await, expect, "{text}");
        };
        text("桥西", "CD").await;
        text("BRIDGE", "BF").await;
        text("_", "C").await;
        text("%", "D").await;
        text("!", "").await;
        text("'; DROP TABLE reg_station; --", "").await;
        text("  ", "ABCDEF").await;
        let inside = async |inside: [f64; 4], expect: &str| {
            let query = RecordQuery {
                inside: Some(inside),
                ..RecordQuery::default()
            };
            assert_eq!(keys(&house, &query).await, expect, "{inside:?}");
        };
        inside([114.0, 37.0, 115.0, 39.0], "AB").await;
        inside([114.0, 37.0, 114.5, 38.0], "A").await;
        inside([170.0, -20.0, -170.0, 20.0], "E").await;
        let both = RecordQuery {
            equals: vec![("state".into(), json!("on")), ("power".into(), json!(5))],
            text: Some("站".into()),
            ..RecordQuery::default()
        };
        assert_eq!(keys(&house, &both).await, "AC");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_any_order() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.engine.apply(&officer(), fill()).await.unwrap();
        let order = async |order: Option<&str>, expect: &str| {
            for limit in [1, 2, 3, 6] {
                let mut query = RecordQuery {
                    order: order.map(String::from),
                    limit,
                    ..RecordQuery::default()
                };
                let mut seen = String::new();
                loop {
                    let page = house.engine.list("station", &query).await.unwrap();
                    assert_eq!(page.total, 6);
                    assert!(page.records.len() <= limit && !page.records.is_empty());
                    seen.extend(page.records.iter().map(|r| r.key.as_str()));
                    match page.next {
                        Some(next) => query.after = Some(next),
                        None => break,
                    }
                }
                assert_eq!(seen, expect, "{order:?} by {limit}");
            }
        };
        order(None, "ABCDEF").await;
        order(Some("id"), "ABCDEF").await;
        order(Some("-id"), "FEDCBA").await;
        order(Some("power"), "BFACED").await;
        order(Some("-power"), "ACEFBD").await;
        order(Some("checked"), "CDABEF").await;
        order(Some("-open"), "AFBCDE").await;
        order(Some("state"), "BDACEF").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions_are_refused_with_every_fault() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.engine.apply(&officer(), fill()).await.unwrap();
        let by_power = RecordQuery {
            order: Some("power".into()),
            limit: 2,
            ..RecordQuery::default()
        };
        let next = house.engine.list("station", &by_power).await.unwrap().next;
        let query = RecordQuery {
            equals: vec![
                ("phone".into(), json!("1")),
                ("power".into(), json!("many")),
                ("nothing".into(), json!(1)),
            ],
            inside: Some([f64::NAN, 0.0, 0.0, 0.0]),
            order: Some("-phone".into()),
            after: next.clone(),
            ..RecordQuery::default()
        };
        let fault = house.engine.list("station", &query).await.unwrap_err();
        assert_eq!(
            problems(&fault),
            [
                ("f.phone", "this field cannot be filtered by"),
                ("f.power", "the value is not of the field's type"),
                ("f.nothing", "this field cannot be filtered by"),
                ("bbox", "should be west,south,east,north"),
                ("order", "this field cannot be ordered by"),
                ("after", "the cursor is not one of this order"),
            ]
        );
        for forged in ["zz", "00", "é", &next.unwrap()[2..]] {
            let query = RecordQuery {
                after: Some(forged.into()),
                ..by_power.clone()
            };
            let fault = house.engine.list("station", &query).await.unwrap_err();
            assert_eq!(
                problems(&fault),
                [("after", "the cursor is not one of this order")]
            );
        }
        // A cursor whose cell is of another type than the column it is compared with.
        let text: String = json!(["power", {"t": "x"}, "A"])
            .to_string()
            .bytes()
            .map(|b| format!("{b:02x}"))
            .collect();
        let query = RecordQuery {
            after: Some(text),
            ..by_power
        };
        assert_eq!(
            house.engine.list("station", &query).await.unwrap_err().code,
            "input.invalid"
        );
    })
    .await;
}
