//! The catalogue of five thousand items: words, filters, pages that add up to the count.

use crate::*;
use kernel::items::{ItemFilter, Items, Serves};
use store::items::ItemRow;

/// Writes the catalogue of a large city, as the engine would.
async fn fill(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    for n in 0..5_000 {
        let serves = ["natural", "legal", "either"][n % 3];
        let line = json!({ "title": { "zh": format!("事项 {n} 许可"), "en": format!("Permit {n}") },
            "summary": { "zh": "", "en": "" }, "kind": "01",
            "organisation": format!("office_{}", n % 10), "serves": serves,
            "keywords": if n % 50 == 0 { vec!["开饭店", "Restaurant"] } else { vec![] },
            "subjects": [format!("主题{}", n % 7)], "channels": ["web"],
            "promised": { "days": 5, "count": "working_days" }, "visits": 0, "instant": false,
            "bundle": [] });
        let row = ItemRow {
            item: format!("item_{n:04}"),
            state: if n % 100 == 99 {
                "suspended"
            } else {
                "in_force"
            }
            .into(),
            version: 1,
            revision: 0,
            successors: "[]".into(),
            line: line.to_string(),
            copied: n == 3,
        };
        store::items::put(&mut tx, &row).await.unwrap();
    }
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn five_thousand_items() {
    testkit::each_store(|store| async move {
        fill(&store).await;
        let engine = engine(&store).await;
        let by = designer("zhang");
        let count = async |filter: ItemFilter, by: Option<&Actor>| {
            let page = engine
                .items(
                    by,
                    &ItemFilter {
                        limit: 50,
                        ..filter
                    },
                )
                .await
                .unwrap();
            assert_eq!(page.rows.len(), std::cmp::min(page.count, 50) as usize);
            page.count
        };
        let any = ItemFilter::default;
        assert_eq!(count(any(), None).await, 4_950);
        assert_eq!(count(ItemFilter { all: true, ..any() }, None).await, 4_950);
        assert_eq!(
            count(ItemFilter { all: true, ..any() }, Some(&by)).await,
            5_000
        );
        assert_eq!(
            count(
                ItemFilter {
                    text: Some("开饭店".into()),
                    ..any()
                },
                None
            )
            .await,
            100
        );
        assert_eq!(
            count(
                ItemFilter {
                    text: Some("RESTAURANT 许可".into()),
                    ..any()
                },
                None
            )
            .await,
            100
        );
        assert_eq!(
            count(
                ItemFilter {
                    text: Some("开饭店 不存在".into()),
                    ..any()
                },
                None
            )
            .await,
            0
        );
        assert_eq!(
            count(
                ItemFilter {
                    organisation: Some("office_3".into()),
                    ..any()
                },
                None
            )
            .await,
            500
        );
        assert_eq!(
            count(
                ItemFilter {
                    subject: Some("主题0".into()),
                    serves: Some(Serves::Either),
                    ..any()
                },
                None
            )
            .await,
            engine
                .subjects()
                .await
                .unwrap()
                .iter()
                .find(|(s, _)| s == "主题0")
                .unwrap()
                .1
        );
        let natural = count(
            ItemFilter {
                serves: Some(Serves::Natural),
                all: true,
                ..any()
            },
            Some(&by),
        )
        .await;
        assert_eq!(
            natural,
            1_667 + 1_666,
            "those for natural persons and those for both"
        );

        let begin = std::time::Instant::now();
        for _ in 0..20 {
            count(
                ItemFilter {
                    text: Some("许可 饭店".into()),
                    ..any()
                },
                None,
            )
            .await;
        }
        let each = begin.elapsed() / 20;
        eprintln!("a search of 5,000 items takes {each:?}");
        assert!(each.as_millis() < 200, "{each:?}");

        // Page by page: each once, in force first, in order of names, as many as counted.
        let mut seen: Vec<(bool, String)> = vec![];
        let mut after = None;
        loop {
            let filter = ItemFilter {
                all: true,
                after,
                limit: 173,
                ..any()
            };
            let page = engine.items(Some(&by), &filter).await.unwrap();
            assert_eq!(page.count, 5_000);
            seen.extend(
                page.rows
                    .iter()
                    .map(|row| (row.state != ItemState::InForce, row.item.clone())),
            );
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 5_000);
        assert!(seen.is_sorted(), "in force first, then by name");
        let page = engine
            .items(None, &ItemFilter { limit: 10, ..any() })
            .await
            .unwrap();
        assert!(
            page.rows.iter().all(|row| !row.changed),
            "copies are the designers' business"
        );
        for wrong in [
            ItemFilter {
                after: Some("x".into()),
                ..any()
            },
            ItemFilter {
                after: Some(String::new()),
                ..any()
            },
            ItemFilter {
                text: Some("a ".repeat(11)),
                ..any()
            },
        ] {
            assert_eq!(
                engine.items(None, &wrong).await.unwrap_err().code,
                "input.invalid"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn items_of_an_office_that_is_gone_are_its_heirs() {
    testkit::each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        for (item, office) in [("kept", "data_bureau"), ("taken_over", "closed_bureau")] {
            let line = json!({ "title": { "zh": item, "en": item },
                "summary": { "zh": "", "en": "" }, "kind": "01", "organisation": office,
                "serves": "either", "keywords": [], "subjects": [], "channels": ["web"],
                "promised": { "days": 5, "count": "working_days" }, "visits": 0,
                "instant": false, "bundle": [] });
            let row = ItemRow {
                item: item.into(),
                state: "in_force".into(),
                version: 1,
                revision: 0,
                successors: "[]".into(),
                line: line.to_string(),
                copied: false,
            };
            store::items::put(&mut tx, &row).await.unwrap();
        }
        tx.commit().await.unwrap();
        let engine = engine(&store).await;
        for asked in [None, Some("data_bureau"), Some("closed_bureau")] {
            let filter = ItemFilter {
                organisation: asked.map(String::from),
                limit: 50,
                ..ItemFilter::default()
            };
            let page = engine.items(None, &filter).await.unwrap();
            let shown = page
                .rows
                .iter()
                .map(|line| (line.item.as_str(), line.organisation.as_str()));
            let expect = [("kept", "data_bureau"), ("taken_over", "data_bureau")];
            assert_eq!(shown.collect::<Vec<_>>(), expect, "{asked:?}");
        }
    })
    .await;
}
