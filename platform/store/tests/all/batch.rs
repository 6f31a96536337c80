//! Transactions that share a commit: each stands or falls by itself, and what was acknowledged is
//! on the disk.

use kernel::Time;
use kernel::events::EventKind;
use sea_query::{Expr, ExprTrait, Query};
use serde_json::json;
use std::time::Duration;
use store::audit::{self, AuditEntry};
use store::{Run, Store, Tx, events};
use testkit::each_store;
use tokio::task::JoinSet;

const MANY: i64 = 200;

async fn write(tx: &mut Tx, n: i64) -> i64 {
    let about = format!("n{n}");
    let entry = AuditEntry {
        at: Time(n),
        account: "somebody".into(),
        verb: "write".into(),
        object: "tests".into(),
        subject: about.clone(),
        purpose: String::new(),
        basis: String::new(),
        details: json!({}),
        outcome: "done".into(),
    };
    audit::append(tx, &entry).await.unwrap();
    events::append(tx, Time(n), EventKind::Record, &about, b"x")
        .await
        .unwrap()
}

/// What the events on the disk are about, in their order; their numbers have no gap.
async fn abouts(store: &Store) -> Vec<String> {
    let question = Query::select()
        .columns(["seq", "about"])
        .from("events")
        .order_by("seq", sea_query::Order::Asc)
        .to_owned();
    let rows = store.reader().await.unwrap().fetch_all(&question).await;
    let rows = rows.unwrap();
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row.i64("seq").unwrap(), n as i64 + 1);
    }
    rows.iter().map(|row| row.text("about").unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_that_queue_stand_or_fall_each_by_itself() {
    each_store(|store| async move {
        let mut tasks = JoinSet::new();
        for n in 0..MANY {
            let store = store.clone();
            tasks.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let seq = write(&mut tx, n).await;
                match n % 5 {
                    // Given up.
                    0 => return None,
                    // A statement of it fails.
                    1 => {
                        let twice = Query::insert()
                            .into_table("events")
                            .columns(["seq", "at", "kind", "about", "body"])
                            .values_panic([
                                Expr::val(seq),
                                Expr::val(0_i64),
                                Expr::val(1_i64),
                                Expr::val("twice"),
                                Expr::val(vec![0_u8]),
                            ])
                            .to_owned();
                        let fault = tx.execute(&twice).await.unwrap_err();
                        assert_eq!(fault.code, "input.conflict");
                        assert!(tx.commit().await.is_err());
                        return None;
                    }
                    _ => tx.commit().await.unwrap(),
                }
                // Acknowledged: another connection sees it.
                let mine = Query::select()
                    .column("about")
                    .from("events")
                    .and_where(Expr::col("seq").eq(seq))
                    .to_owned();
                let row = store.reader().await.unwrap().fetch_optional(&mine).await;
                let about = row.unwrap().unwrap().text("about").unwrap();
                assert_eq!(about, format!("n{n}"));
                Some(about)
            });
        }
        let mut stood = vec![];
        while let Some(one) = tasks.join_next().await {
            stood.extend(one.unwrap());
        }
        let mut kept = abouts(&store).await;
        assert_eq!(store.events().last_seq(), kept.len() as i64);
        let known = store.events().read(0, 1 << 20).await.unwrap();
        assert!(
            known
                .iter()
                .map(|e| &*e.about)
                .eq(kept.iter().map(|a| a.as_str()))
        );
        kept.sort();
        stood.sort();
        assert_eq!(kept, stood);
        let verdict = store.audit().verify().await.unwrap();
        assert_eq!((verdict.checked, verdict.damage), (kept.len() as u64, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_no_longer_waits_harms_nobody() {
    each_store(|store| async move {
        let mut patient = JoinSet::new();
        for n in 0..MANY {
            let one = store.clone();
            let work = async move {
                let mut tx = one.begin().await.unwrap();
                write(&mut tx, n).await;
                tx.commit().await.unwrap();
            };
            if n % 3 == 0 {
                let hasty = tokio::spawn(work);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_micros((n * 337 % 9000) as u64)).await;
                    hasty.abort();
                });
            } else {
                patient.spawn(work);
            }
        }
        while let Some(one) = patient.join_next().await {
            one.unwrap();
        }
        let kept = abouts(&store).await;
        for n in (0..MANY).filter(|n| n % 3 != 0) {
            assert!(kept.contains(&format!("n{n}")), "n{n} is lost");
        }
        assert_eq!(store.audit().verify().await.unwrap().damage, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_seen_of_others_is_on_the_disk_before_it_is_told() {
    each_store(|store| async move {
        let shut = store.begin().await.unwrap();
        let (one, two) = (store.clone(), store.clone());
        let writes = tokio::spawn(async move {
            let mut tx = one.begin().await.unwrap();
            write(&mut tx, 1).await;
            tx.commit().await.unwrap();
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        let looks = tokio::spawn(async move {
            let mut tx = two.begin().await.unwrap();
            let all = Query::select().column("seq").from("events").to_owned();
            let seen = tx.fetch_all(&all).await.unwrap().len();
            drop(tx);
            two.settled().await.unwrap();
            (seen, abouts(&two).await.len())
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(shut);
        assert_eq!(looks.await.unwrap(), (1, 1));
        writes.await.unwrap();
    })
    .await;
}
