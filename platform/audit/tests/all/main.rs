//! Tests of the audit engine: what is recorded is durable and in order, the trees keep up however
//! entries came, checkpoints, proofs, and the resident's questions.

mod questions;

use audit::{Checkpoint, Engine, Options};
use kernel::{ManualClock, Time};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use store::Store;
use store::audit::AuditEntry;
use testkit::{FakeCrypto, each_store};

/// A look at the data of one person of seven.
pub fn entry(n: i64) -> AuditEntry {
    AuditEntry {
        at: Time(n),
        account: "duty".into(),
        verb: "read".into(),
        object: "register.person".into(),
        subject: format!("{n}"),
        purpose: "办理业务".into(),
        basis: "第三条".into(),
        details: json!({"fields": ["name"], "records": [{"key": n.to_string(), "person": format!("p{}", n % 7)}]}),
        outcome: "done".into(),
    }
}

/// The engine on a store.
pub async fn engine(store: &Store, file: Option<PathBuf>) -> Arc<Engine> {
    let options = Options {
        origin: "jicheng/test/audit".into(),
        file,
    };
    let clock = Arc::new(ManualClock::new(Time(1_770_000_000_000_000)));
    let crypto = Arc::new(FakeCrypto::default());
    Engine::open(store.clone(), clock, crypto, options)
        .await
        .expect("it works")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_many_record_at_once_is_all_there_and_each_in_its_order() {
    each_store(|store| async move {
        let engine = engine(&store, None).await;
        let mut tasks = vec![];
        for writer in 0..40 {
            let engine = engine.clone();
            tasks.push(tokio::spawn(async move {
                for step in 0..5 {
                    let some = (0..3)
                        .map(|n| entry(writer * 100 + step * 10 + n))
                        .collect();
                    engine.record(some).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        engine.record(vec![]).await.unwrap();
        let verdict = store.audit().verify().await.unwrap();
        assert_eq!((verdict.checked, verdict.damage), (600, None));
        let mut reader = store.reader().await.unwrap();
        let rows = store::audit::stored_after(&mut reader, 0, 1000)
            .await
            .unwrap();
        for writer in 0..40 {
            let own: Vec<i64> = rows
                .iter()
                .map(|row| row.at)
                .filter(|at| at / 100 == writer)
                .collect();
            assert!(own.is_sorted() && own.len() == 15, "{own:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_leave_take_nobody_with_them() {
    each_store(|store| async move {
        let engine = engine(&store, None).await;
        let (gone, stays) = (engine.clone(), engine.clone());
        let gone = tokio::spawn(async move { gone.record(vec![entry(1)]).await });
        gone.abort();
        stays.record(vec![entry(2)]).await.unwrap();
        assert_eq!(store.audit().verify().await.unwrap().damage, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trees_catch_up_and_two_processes_do_not_disturb_each_other() {
    each_store(|store| async move {
        let (first, second) = (engine(&store, None).await, engine(&store, None).await);
        let mut written = 0;
        for count in [1i64, 255, 1, 4096, 300, 5000] {
            first.record((0..count).map(entry).collect()).await.unwrap();
            written += count as u64;
            let (a, b) = tokio::join!(first.integrate(), second.integrate());
            assert_eq!(a.unwrap().max(b.unwrap()), written);
        }
        let text = second.checkpoint().await.unwrap();
        assert_eq!(Checkpoint::read(&text).unwrap().0.size, written);
        assert_eq!(
            first.checkpoint().await.unwrap(),
            text,
            "nothing happened since"
        );
        let verdict = first.verify().await.unwrap();
        assert_eq!((verdict.damage, verdict.tree_size), (None, written));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_carried_out_and_a_cut_log_is_not_signed_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("audit-checkpoints.txt");
    let store = Store::in_folder(dir.path()).await.unwrap();
    let first = engine(&store, Some(file.clone())).await;
    first.record((0..10).map(entry).collect()).await.unwrap();
    let one = first.checkpoint().await.unwrap();
    first.record((0..10).map(entry).collect()).await.unwrap();
    let two = first.checkpoint().await.unwrap();
    let carried = std::fs::read_to_string(&file).unwrap();
    assert_eq!(audit::notes(&carried), [one, two]);

    // A new store in the same folder: as if everything before had never been.
    store.close().await;
    std::fs::remove_file(dir.path().join("jicheng.db")).unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let again = engine(&store, Some(file.clone())).await;
    again.record((0..5).map(entry).collect()).await.unwrap();
    assert_eq!(again.checkpoint().await.unwrap_err().code, "audit.altered");
    // Longer than before, it still is another log.
    again.record((0..50).map(entry).collect()).await.unwrap();
    assert_eq!(again.checkpoint().await.unwrap_err().code, "audit.altered");
    assert!(again.trouble().is_some());
    again.record(vec![entry(1)]).await.unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), carried);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_up_by_itself_and_signs_once_more_when_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let engine = engine(&store, None).await;
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let task = engine.start(stopping);
    engine.record((0..10).map(entry).collect()).await.unwrap();
    stop.send(true).unwrap();
    task.await.unwrap();
    let kept = engine.checkpoints(None, 10).await.unwrap();
    assert_eq!(kept[0].size, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_what_is_not_there_are_refused() {
    each_store(|store| async move {
        let engine = engine(&store, None).await;
        engine.record((0..10).map(entry).collect()).await.unwrap();
        let proof = engine.inclusion(10, None).await.unwrap();
        assert_eq!((proof.index, proof.size), (9, 10));
        for seq in [i64::MIN, -1, 0, 11, i64::MAX] {
            assert_eq!(
                engine.inclusion(seq, None).await.unwrap_err().code,
                "input.not_found"
            );
        }
        assert!(
            engine.inclusion(3, Some(7)).await.is_err(),
            "no checkpoint of that size"
        );
        for (from, to) in [(0, 5), (6, 5), (5, 11), (u64::MAX, u64::MAX)] {
            assert_eq!(
                engine.consistency(from, to).await.unwrap_err().code,
                "input.invalid"
            );
        }
        assert!(engine.consistency(3, 10).await.is_ok());
    })
    .await;
}
