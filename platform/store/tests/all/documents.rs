//! Small state: versions guard against writing over somebody else's change.

use serde_json::{Value, json};
use store::{Store, documents};
use testkit::each_store;

async fn put(
    store: &Store,
    key: &str,
    json: &Value,
    expect: Option<i64>,
) -> Result<i64, &'static str> {
    let mut tx = store.begin().await.unwrap();
    let version = documents::put(&mut tx, "c", key, json, expect)
        .await
        .map_err(|f| f.code)?;
    tx.commit().await.map_err(|fault| fault.code)?;
    Ok(version)
}

#[tokio::test]
async fn versions_count_and_guard() {
    each_store(|store| async move {
        let json = json!({ "名": [1, 2.5, null, "x"] });
        assert_eq!(put(&store, "a", &json, Some(1)).await, Err("input.stale"));
        assert_eq!(put(&store, "a", &json, Some(0)).await, Ok(1));
        assert_eq!(put(&store, "a", &json, Some(0)).await, Err("input.stale"));
        assert_eq!(put(&store, "a", &json, None).await, Ok(2));
        assert_eq!(put(&store, "a", &json!(null), Some(2)).await, Ok(3));
        assert_eq!(put(&store, "b", &json, Some(0)).await, Ok(1));
        let found = store.documents().get("c", "b").await.unwrap().unwrap();
        assert_eq!((found.json, found.version), (json, 1));
        assert_eq!(store.documents().get("other", "b").await.unwrap(), None);
        let large = Value::String("x".repeat(documents::SIZE_LIMIT));
        assert_eq!(put(&store, "b", &large, None).await, Err("input.too_large"));
    })
    .await;
}

#[tokio::test]
async fn lists_are_by_prefix_in_byte_order() {
    each_store(|store| async move {
        for key in ["站-2", "站-10", "a", "B", "a/b", "a%", "A"] {
            put(&store, key, &json!(key), None).await.unwrap();
        }
        let check = async |prefix, after, limit, expect: &[&str]| {
            let page = store
                .documents()
                .list_by_prefix("c", prefix, after, limit)
                .await
                .unwrap();
            let keys: Vec<&str> = page.iter().map(|document| document.key.as_str()).collect();
            assert_eq!(keys, expect, "{prefix:?} after {after:?}");
        };
        check(
            "",
            None,
            100,
            &["A", "B", "a", "a%", "a/b", "站-10", "站-2"],
        )
        .await;
        check("a", None, 100, &["a", "a%", "a/b"]).await;
        check("a", Some("a"), 1, &["a%"]).await;
        check("站", None, 100, &["站-10", "站-2"]).await;
        let mut tx = store.begin().await.unwrap();
        assert!(documents::delete(&mut tx, "c", "a").await.unwrap());
        assert!(!documents::delete(&mut tx, "c", "a").await.unwrap());
        tx.commit().await.unwrap();
        check("a", None, 100, &["a%", "a/b"]).await;
    })
    .await;
}
