//! The log.
use kernel::{Time, events::EventKind};
use store::{Store, events};

#[tokio::test]
async fn an_event_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let seq = events::append(&mut tx, Time(5), EventKind::Alert, "x", b"body").await.unwrap();
    assert_eq!(seq, 1);
    tx.commit().await.unwrap();
    let read = store.events().read(0, 100).await.unwrap();
    assert_eq!(&*read[0].body, b"body");
    store.close().await;
    let store = Store::in_folder(dir.path()).await.unwrap();
    let read = store.events().read(0, 100).await.unwrap();
    assert_eq!(&*read[0].body, b"body");
    assert_eq!(store.events().last_seq(), 1);
}
