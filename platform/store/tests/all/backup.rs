//! Backup and restore, from each database to each.

use kernel::Time;
use kernel::events::EventKind;
use sea_query::{ColumnDef, Expr, Index, Query, Table};
use serde_json::json;
use std::path::Path;
use store::backup::Manifest;
use store::{Run, Store, audit, cursors, documents, events};
use testkit::{each_address, each_store};

/// Puts something into every table of the core, and into one made while the city runs.
async fn furnish(store: &Store) {
    let mut tx = store.begin().await.unwrap();
    let made = Table::create()
        .table("reg_lamp")
        .col(ColumnDef::new("key").text().not_null().primary_key())
        .col(ColumnDef::new("height").double())
        .col(ColumnDef::new("count").big_integer().not_null())
        .to_owned();
    tx.execute(&made).await.unwrap();
    let index = Index::create()
        .name("reg_lamp_by_count")
        .table("reg_lamp")
        .col("count")
        .unique()
        .to_owned();
    tx.execute(&index).await.unwrap();
    for n in 0..450_i64 {
        let row = Query::insert()
            .into_table("reg_lamp")
            .columns(["key", "height", "count"])
            .values_panic([
                Expr::val(format!("灯-{n}")),
                Expr::val((n % 3 > 0).then_some(n as f64 / 3.0)),
                Expr::val(i64::MAX - n),
            ])
            .to_owned();
        tx.execute(&row).await.unwrap();
        let body: Vec<u8> = (0..n * 50).map(|byte| byte as u8).collect();
        events::append(&mut tx, Time(n), EventKind::Record, "灯", &body)
            .await
            .unwrap();
        let entry = audit::AuditEntry {
            at: Time(n),
            account: "operator".into(),
            verb: "write".into(),
            object: "register.lamp".into(),
            subject: format!("灯-{n}"),
            purpose: "养护".into(),
            basis: "职责".into(),
            details: json!({}),
            outcome: "done".into(),
        };
        audit::append(&mut tx, &entry).await.unwrap();
    }
    documents::put(&mut tx, "rules", "灯", &json!({ "n": 1.5 }), None)
        .await
        .unwrap();
    cursors::set(&mut tx, "rules", 17).await.unwrap();
    tx.commit().await.unwrap();
}

/// Compares two archives table by table.
fn assert_same_contents(left: &Manifest, right: &Manifest) {
    let names = |manifest: &Manifest| {
        manifest
            .tables
            .iter()
            .map(|table| table.shape.name.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(left), names(right));
    for (left, right) in left.tables.iter().zip(&right.tables) {
        assert_eq!(left, right);
    }
}

async fn back_up(store: &Store, to: &Path) -> Manifest {
    let manifest = store.backup(to, Time(5)).await.unwrap();
    assert!(to.exists());
    manifest
}

#[tokio::test]
async fn a_backup_restored_on_either_database_is_the_same_city() {
    each_store(|store| async move {
        furnish(&store).await;
        let dir = tempfile::tempdir().unwrap();
        let archive = dir.path().join("city.backup");
        let manifest = back_up(&store, &archive).await;
        assert!(
            manifest
                .tables
                .iter()
                .any(|t| t.shape.name == "reg_lamp" && t.rows == 450)
        );
        let dir = &dir;
        let manifest = &manifest;
        let number = std::sync::atomic::AtomicU32::new(0);
        let number = &number;
        each_address(|address| {
            let archive = archive.clone();
            async move {
                assert_eq!(&Store::restore(&archive, &address).await.unwrap(), manifest);
                let restored = Store::open(&address).await.unwrap();
                let n = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let again = back_up(&restored, &dir.path().join(format!("again-{n}"))).await;
                assert_same_contents(&again, manifest);
                let verdict = restored
                    .audit()
                    .verify_against(&manifest.audit)
                    .await
                    .unwrap();
                assert_eq!((verdict.damage, verdict.checked), (None, 450));
                assert_eq!(restored.events().last_seq(), 450);
                assert_eq!(restored.cursors().get("rules").await.unwrap(), Some(17));
                let document = restored
                    .documents()
                    .get("rules", "灯")
                    .await
                    .unwrap()
                    .unwrap();
                assert_eq!(document.json, json!({ "n": 1.5 }));
                let mut tx = restored.begin().await.unwrap();
                let kind = EventKind::Alert;
                let seq = events::append(&mut tx, Time(1), kind, "", b"")
                    .await
                    .unwrap();
                assert_eq!(seq, 451, "life goes on");
                tx.commit().await.unwrap();
                restored.close().await;
            }
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_city_is_one_state() {
    each_store(|store| async move {
        let writing = tokio::spawn({
            let store = store.clone();
            async move {
                for n in 1..=300 {
                    let mut tx = store.begin().await.unwrap();
                    let body = [n as u8; 2000];
                    let kind = EventKind::Alert;
                    let seq = events::append(&mut tx, Time(n), kind, "", &body)
                        .await
                        .unwrap();
                    cursors::set(&mut tx, "writer", seq).await.unwrap();
                    tx.commit().await.unwrap();
                }
            }
        });
        let dir = tempfile::tempdir().unwrap();
        store.events().wait_beyond(20).await.unwrap();
        let archive = dir.path().join("running.backup");
        let manifest = back_up(&store, &archive).await;
        writing.await.unwrap();
        let address = format!("sqlite:{}", dir.path().join("restored.db").display());
        Store::restore(&archive, &address).await.unwrap();
        let restored = Store::open(&address).await.unwrap();
        let last = restored.events().last_seq();
        assert!(last > 20, "{last}");
        assert_eq!(restored.cursors().get("writer").await.unwrap(), Some(last));
        let rows = manifest
            .tables
            .iter()
            .find(|t| t.shape.name == "events")
            .unwrap()
            .rows;
        assert_eq!(rows as i64, last, "no event of it is missing");
        restored.close().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_over() {
    each_address(|address| async move {
        let store = Store::open(&address).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let archive = dir.path().join("a");
        back_up(&store, &archive).await;
        let fault = store.backup(&archive, Time(6)).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        store.close().await;
        let fault = Store::restore(&archive, &address).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict", "{fault}");
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    })
    .await;
}

#[tokio::test]
async fn a_damaged_archive_is_refused_whole() {
    each_address(|address| async move {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        furnish(&store).await;
        let archive = dir.path().join("city.backup");
        back_up(&store, &archive).await;
        store.close().await;
        let bytes = std::fs::read(&archive).unwrap();
        // One letter of the records, then half of the file, then no archive at all. Pages keep
        // old copies of what moved, so the letter is altered wherever it stands.
        let mut altered = bytes.clone();
        let places = bytes
            .windows(13)
            .enumerate()
            .filter(|(_, text)| *text == b"register.lamp");
        for (place, _) in places {
            altered[place] = b'R';
        }
        let cases: [&[u8]; 3] = [&altered, &bytes[..bytes.len() / 2], b"not an archive"];
        for (n, case) in cases.iter().enumerate() {
            std::fs::write(&archive, case).unwrap();
            let fault = Store::restore(&archive, &address)
                .await
                .map(drop)
                .unwrap_err();
            assert_eq!(fault.code, "input.invalid", "case {n}: {fault}");
        }
        std::fs::write(&archive, &bytes).unwrap();
        Store::restore(&archive, &address).await.unwrap();
    })
    .await;
}
