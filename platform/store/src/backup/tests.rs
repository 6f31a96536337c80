//! Archives of other editions: an older one is brought up to this, a newer one is refused.

use super::*;
use crate::events;
use kernel::events::EventKind;

async fn archive_of_older_edition(dir: &Path) -> PathBuf {
    let address = format!("sqlite:{}", dir.join("old.db").display());
    let store = Store::connect(&address).await.unwrap();
    let then = ["events_1", "audit_1"].map(String::from).into();
    let mut tx = store.begin().await.unwrap();
    migrations::take(&mut tx, &crate::migrations(), Some(&then))
        .await
        .unwrap();
    events::append(&mut tx, Time(1), EventKind::Record, "old", b"body")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let archive = dir.join("old.backup");
    let manifest = store.backup(&archive, Time(2)).await.unwrap();
    assert_eq!(manifest.migrations, ["events_1", "audit_1"]);
    assert_eq!(manifest.tables.len(), 2);
    store.close().await;
    archive
}

#[tokio::test]
async fn an_archive_of_an_older_edition_is_brought_up() {
    let dir = tempfile::tempdir().unwrap();
    let archive = archive_of_older_edition(dir.path()).await;
    let on_sqlite = format!("sqlite:{}", dir.path().join("new.db").display());
    for address in [on_sqlite, testkit::fresh_postgres()] {
        Store::restore(&archive, &address).await.unwrap();
        let store = Store::open(&address).await.unwrap();
        assert_eq!(&*store.events().read(0, 100).await.unwrap()[0].about, "old");
        assert_eq!(
            store.cursors().list().await.unwrap(),
            [],
            "the table is there"
        );
        store.close().await;
    }
}

#[tokio::test]
async fn an_archive_of_a_newer_edition_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let archive = archive_of_older_edition(dir.path()).await;
    let mut connection = SqliteConnectOptions::new()
        .filename(&archive)
        .connect()
        .await
        .map(Archive)
        .unwrap();
    let mut manifest = connection.read_manifest().await.unwrap();
    manifest.migrations.push("from_tomorrow_1".into());
    let replaced = Query::update()
        .table(MANIFEST)
        .value("json", serde_json::to_string(&manifest).unwrap())
        .to_owned();
    assert_eq!(connection.execute(&replaced).await.unwrap(), 1);
    connection.close().await.unwrap();
    let into = format!("sqlite:{}", dir.path().join("new.db").display());
    let fault = Store::restore(&archive, &into).await.unwrap_err();
    assert_eq!(fault.code, "input.invalid");
    assert!(fault.to_string().contains("newer edition"), "{fault}");
}
