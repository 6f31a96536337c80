//! Transactions that share a commit: each stands or falls by itself, and what was acknowledged is
//! on the disk.

use crate::opening::end_connections;
use kernel::events::EventKind;
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, Query};
use serde_json::json;
use std::time::Duration;
use store::audit::{self, AuditEntry};
use store::files::{self, FileRow};
use store::{Run, Store, Tx, events};
use testkit::each_store;
use tokio::task::JoinSet;

const MANY: i64 = 200;

async fn write(tx: &mut Tx, n: i64) -> i64 {
    try_to_write(tx, n).await.unwrap()
}

async fn try_to_write(tx: &mut Tx, n: i64) -> Result<i64, Fault> {
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
    audit::append(tx, &entry).await?;
    events::append(tx, Time(n), EventKind::Record, &about, b"x").await
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

fn file(id: String) -> FileRow {
    FileRow {
        id,
        owner: "draft/1".into(),
        slot: "paper".into(),
        sealed_name: vec![1],
        kind: "pdf".into(),
        size: 1,
        pages: None,
        sha256: String::new(),
        sm3: String::new(),
        chunks: 1,
        person: None,
        created_at: 0,
        created_by: "somebody".into(),
        handed_in: 0,
        scanned_by: None,
        whole: 1,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_put_off_falls_with_whose_it_is() {
    each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        files::add_file(&mut tx, &file("taken".into()))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut tasks = JoinSet::new();
        for n in 0..MANY {
            let store = store.clone();
            tasks.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                let id = match n % 4 {
                    0 => "taken".to_string(),
                    _ => format!("n{n}"),
                };
                // Said when it is written, or at the end: it may not be there twice.
                let added = files::add_file(&mut tx, &file(id)).await;
                if added.is_ok() && n % 4 == 1 {
                    // With a statement that is said, and given up.
                    let (count, _) = files::usage(&mut tx, "draft/1").await.unwrap();
                    assert!(count > 1);
                    return None;
                }
                if added.is_ok() && n % 4 == 2 {
                    // The next statement is refused before anything of it is said.
                    let fault = files::file(&mut tx, "a\0b").await.unwrap_err();
                    assert_eq!(fault.code, "input.invalid");
                    assert!(tx.commit().await.is_err());
                    return None;
                }
                let outcome = match added {
                    Ok(()) if n % 4 == 0 => tx.commit().await,
                    Ok(()) => {
                        write(&mut tx, n).await;
                        tx.commit().await
                    }
                    Err(fault) => Err(fault),
                };
                match outcome {
                    Ok(()) => Some(format!("n{n}")),
                    Err(fault) => {
                        assert_eq!((fault.code, n % 4), ("input.conflict", 0), "{fault}");
                        None
                    }
                }
            });
        }
        let mut stood = vec![];
        while let Some(one) = tasks.join_next().await {
            stood.extend(one.unwrap());
        }
        assert_eq!(stood.len() as i64, MANY / 4);
        let mut kept = abouts(&store).await;
        kept.sort();
        stood.sort();
        assert_eq!(kept, stood);
        let mut reader = store.reader().await.unwrap();
        let rows = files::files_of(&mut reader, "draft/1").await.unwrap();
        let mut ids: Vec<String> = rows.into_iter().map(|row| row.id).collect();
        ids.retain(|id| id != "taken");
        ids.sort();
        assert_eq!(ids, stood);
        let verdict = store.audit().verify().await.unwrap();
        assert_eq!((verdict.checked, verdict.damage), (kept.len() as u64, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn much_that_is_put_off_is_said_in_between() {
    each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let body = vec![7; 10_000];
        for n in 1..=1_000 {
            let seq = events::append(&mut tx, Time(n), EventKind::Record, "x", &body).await;
            assert_eq!(seq, Ok(n));
        }
        tx.commit().await.unwrap();
        assert_eq!(abouts(&store).await.len(), 1_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_writes_nothing() {
    each_store(|store| async move {
        for _ in 0..3 {
            drop(store.begin().await.unwrap());
            store.begin().await.unwrap().commit().await.unwrap();
        }
        let mut tasks = JoinSet::new();
        for n in 0..MANY {
            let store = store.clone();
            tasks.spawn(async move {
                let mut tx = store.begin().await.unwrap();
                match n % 3 {
                    0 => drop(tx),
                    1 => tx.commit().await.unwrap(),
                    _ => {
                        write(&mut tx, n).await;
                        tx.commit().await.unwrap();
                    }
                }
            });
        }
        while let Some(one) = tasks.join_next().await {
            one.unwrap();
        }
        assert_eq!(abouts(&store).await.len() as i64, MANY / 3);
    })
    .await;
}

/// PostgreSQL ends the connection of the batch wherever it is, savepoints and commits included: who
/// was told that it was written has it on the disk, and the others are told that it was not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_whose_connection_dies_tells_nobody_it_was_written() {
    let address = testkit::fresh_postgres();
    let store = Store::open(&address).await.unwrap();
    let mut tasks = JoinSet::new();
    for n in 0..MANY {
        let store = store.clone();
        tasks.spawn(async move {
            tokio::time::sleep(Duration::from_micros((n * 2_399 % 400_000) as u64)).await;
            let mut tx = store.begin().await?;
            try_to_write(&mut tx, n).await?;
            tx.commit().await?;
            Ok::<i64, Fault>(n)
        });
    }
    let ends = tokio::spawn({
        let store = store.clone();
        async move {
            for n in 0..25_u64 {
                tokio::time::sleep(Duration::from_millis(5 + n * 7 % 23)).await;
                end_connections(&store).await;
            }
        }
    });
    let (mut told, mut refused) = (vec![], 0);
    while let Some(one) = tasks.join_next().await {
        match one.unwrap() {
            Ok(n) => told.push(format!("n{n}")),
            Err(fault) => {
                assert!(fault.code.starts_with("store."), "{fault}");
                refused += 1;
            }
        }
    }
    ends.await.unwrap();
    let kept = abouts(&store).await;
    for about in &told {
        assert!(kept.contains(about), "{about} was acknowledged and is lost");
    }
    println!(
        "{} told, {refused} refused, {} kept",
        told.len(),
        kept.len()
    );
    assert!(refused > 0 && !told.is_empty(), "nothing was tried");
    assert_eq!(store.audit().verify().await.unwrap().damage, None);
    store.close().await;
}
