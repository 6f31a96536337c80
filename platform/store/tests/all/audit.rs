//! The audit log: it lists, and it names the row that was touched.

use kernel::Time;
use sea_query::{Expr, ExprTrait, Query};
use serde_json::json;
use store::audit::{self, AuditDamage, AuditEntry, AuditFilter, AuditHead};
use store::{Run, Statement, Store};
use testkit::each_store;

fn entry(n: i64) -> AuditEntry {
    AuditEntry {
        at: Time(n * 1000),
        account: if n % 2 == 0 { "duty" } else { "operator" }.into(),
        verb: "handle".into(),
        object: "alerts".into(),
        subject: format!("alert-{n}"),
        purpose: "处置告警".into(),
        basis: "职责规定第三条".into(),
        details: json!({ "n": n, "note": "引号\" and \\" }),
        outcome: "done".into(),
    }
}

async fn fill(store: &Store, count: i64) {
    let mut tx = store.begin().await.unwrap();
    for n in 1..=count {
        assert_eq!(audit::append(&mut tx, &entry(n)).await.unwrap(), n);
    }
    tx.commit().await.unwrap();
}

async fn tamper(store: &Store, statement: &impl Statement) {
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.execute(statement).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

async fn damage(store: &Store) -> Option<(i64, AuditDamage)> {
    store.audit().verify().await.unwrap().damage
}

#[tokio::test]
async fn entries_come_back_newest_first_and_filtered() {
    each_store(|store| async move {
        fill(&store, 10).await;
        let check = async |filter: AuditFilter, expect: &[i64]| {
            let rows = store.audit().list(&filter).await.unwrap();
            let numbers: Vec<i64> = rows.iter().map(|row| row.seq).collect();
            assert_eq!(numbers, expect, "{filter:?}");
            assert!(rows.iter().all(|row| row.entry == entry(row.seq)));
        };
        let all = AuditFilter::default;
        check(AuditFilter { limit: 3, ..all() }, &[10, 9, 8]).await;
        check(
            AuditFilter {
                limit: 3,
                before: Some(3),
                ..all()
            },
            &[2, 1],
        )
        .await;
        check(
            AuditFilter {
                account: Some("duty".into()),
                limit: 2,
                ..all()
            },
            &[10, 8],
        )
        .await;
        check(
            AuditFilter {
                subject: Some("alert-4".into()),
                ..all()
            },
            &[4],
        )
        .await;
        check(
            AuditFilter {
                verb: Some("read".into()),
                ..all()
            },
            &[],
        )
        .await;
        let (from, to) = (Some(Time(3000)), Some(Time(5000)));
        check(AuditFilter { from, to, ..all() }, &[4, 3]).await;
    })
    .await;
}

#[tokio::test]
async fn a_whole_chain_longer_than_a_page_verifies() {
    each_store(|store| async move {
        assert_eq!(damage(&store).await, None, "an empty log is whole");
        fill(&store, 1500).await;
        let verdict = store.audit().verify().await.unwrap();
        assert_eq!((verdict.damage, verdict.checked), (None, 1500));
        assert_eq!(verdict.head, store.audit().head().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn every_altered_column_is_named() {
    each_store(|store| async move {
        fill(&store, 12).await;
        let texts = [
            "account", "verb", "object", "subject", "purpose", "basis", "details", "outcome",
        ];
        for (seq, column) in (2..).zip(texts) {
            let row = |value: &str| {
                Query::update()
                    .table("audit")
                    .value(column, value)
                    .and_where(Expr::col("seq").eq(seq))
                    .to_owned()
            };
            let page = AuditFilter {
                before: Some(seq + 1),
                limit: 1,
                ..Default::default()
            };
            let before = serde_json::to_value(&store.audit().list(&page).await.unwrap()[0]);
            let before = match &before.unwrap()[column] {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            tamper(&store, &row("somebody else")).await;
            assert_eq!(
                damage(&store).await,
                Some((seq, AuditDamage::Altered)),
                "{column}"
            );
            tamper(&store, &row(&before)).await;
            assert_eq!(damage(&store).await, None, "{column} put back");
        }
        let at = Query::update()
            .table("audit")
            .value("at", 1)
            .and_where(Expr::col("seq").eq(11))
            .to_owned();
        tamper(&store, &at).await;
        assert_eq!(damage(&store).await, Some((11, AuditDamage::Altered)));
    })
    .await;
}

#[tokio::test]
async fn a_removed_row_is_missed() {
    each_store(|store| async move {
        fill(&store, 5).await;
        let anchor = store.audit().head().await.unwrap();
        let remove = |seq: i64| {
            Query::delete()
                .from_table("audit")
                .and_where(Expr::col("seq").eq(seq))
                .to_owned()
        };
        tamper(&store, &remove(5)).await;
        assert_eq!(
            damage(&store).await,
            None,
            "the end cut off shows only against a noted head"
        );
        let verdict = store.audit().verify_against(&anchor).await.unwrap();
        assert_eq!(verdict.damage, Some((5, AuditDamage::Missing)));
        tamper(&store, &remove(2)).await;
        assert_eq!(damage(&store).await, Some((2, AuditDamage::Missing)));
    })
    .await;
}

#[tokio::test]
async fn a_row_forged_with_a_hash_of_its_own_breaks_the_chain() {
    each_store(|store| async move {
        fill(&store, 5).await;
        let noted = store.audit().head().await.unwrap();
        // The forger takes the end off and writes it anew, properly chained.
        for seq in [5, 4] {
            let remove = Query::delete()
                .from_table("audit")
                .and_where(Expr::col("seq").eq(seq))
                .to_owned();
            tamper(&store, &remove).await;
        }
        let mut tx = store.begin().await.unwrap();
        for n in [7, 8] {
            audit::append(&mut tx, &entry(n)).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(damage(&store).await, None);
        let verdict = store.audit().verify_against(&noted).await.unwrap();
        assert_eq!(verdict.damage, Some((5, AuditDamage::Unchained)));
        // Or copies a row of another chain over: what follows no longer fits.
        let copied = Query::update()
            .table("audit")
            .value("previous", vec![0_u8; 32])
            .and_where(Expr::col("seq").eq(3))
            .to_owned();
        tamper(&store, &copied).await;
        assert_eq!(damage(&store).await, Some((3, AuditDamage::Altered)));
        let fine = AuditHead {
            seq: 0,
            hash: String::new(),
        };
        assert!(
            store
                .audit()
                .verify_against(&fine)
                .await
                .unwrap()
                .damage
                .is_some()
        );
    })
    .await;
}
