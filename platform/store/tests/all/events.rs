//! The log.
use kernel::{Time, events::EventKind};
use store::events;
use testkit::each_store;

#[tokio::test]
async fn an_event_is_read_back() {
    each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let seq = events::append(&mut tx, Time(5), EventKind::Alert, "x", b"body")
            .await
            .unwrap();
        assert_eq!(seq, 1);
        tx.commit().await.unwrap();
        let read = store.events().read(0, 100).await.unwrap();
        assert_eq!(&*read[0].body, b"body");
    })
    .await;
}
