//! The log of a real store, read as it is written.

use super::*;
use crate::events;
use kernel::events::EventKind;
use kernel::{SystemClock, Time};

async fn write(store: &Store, count: usize) {
    for n in 0..count {
        let mut tx = store.begin().await.unwrap();
        events::append(&mut tx, Time(n as i64), EventKind::Record, "x", &[7; 3000])
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
}

async fn open(dir: &Path) -> (Store, Wal) {
    let url = format!("sqlite:{}", dir.join("jicheng.db").display());
    let store = Store::open_shipped(&url).await.unwrap();
    let wal = store.own_wal(Arc::new(SystemClock)).await.unwrap();
    (store, wal)
}

#[tokio::test]
async fn whole_transactions_are_copied_with_their_times() {
    let dir = tempfile::tempdir().unwrap();
    let (store, wal) = open(dir.path()).await;
    write(&store, 5).await;
    let log = wal.open_log().unwrap();
    let header = WalHeader::read(&log).unwrap().unwrap();
    let (first, place) = copy_after(&log, &header, header.start(), usize::MAX).unwrap();
    assert!(first.commits.len() >= 5);
    assert_eq!(
        first.bytes.len(),
        place.frame as usize * header.frame_bytes()
    );
    let stamps = wal.take_stamps(header.salts, place.frame);
    assert_eq!(stamps.len(), 5, "the migrations came before the owner");
    assert_eq!(stamps.last().unwrap().frame, place.frame);
    for stamp in &stamps {
        assert!(first.commits.contains(&stamp.frame), "{stamp:?}");
    }
    write(&store, 3).await;
    let (more, end) = copy_after(&log, &header, place, usize::MAX).unwrap();
    assert_eq!(more.commits.len(), 3);
    assert!(goes_through(&log, &header, place).unwrap());
    assert!(goes_through(&log, &header, end).unwrap());
    let wrong = Place {
        checksum: [1, 2],
        ..end
    };
    assert!(!goes_through(&log, &header, wrong).unwrap());
    // One at a time when asked for little.
    let (one, _) = copy_after(&log, &header, place, 1).unwrap();
    assert_eq!(one.commits, more.commits[..1]);
    store.close().await;
}

#[tokio::test]
async fn nothing_is_folded_but_by_the_owner_and_the_next_generation_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (store, mut wal) = open(dir.path()).await;
    // More than what a connection folds by itself.
    write(&store, 4200).await;
    let log = wal.open_log().unwrap();
    let header = WalHeader::read(&log).unwrap().unwrap();
    let (_, end) = copy_after(&log, &header, header.start(), usize::MAX).unwrap();
    assert!(end.frame > 4200, "{end:?}");
    // Somebody else may try.
    let mut other = sqlite_options(wal.database().to_str().unwrap())
        .busy_timeout(Duration::from_millis(50))
        .connect()
        .await
        .unwrap();
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut other)
        .await
        .unwrap();
    assert_eq!(row.try_get::<i64, _>(0).unwrap(), 1, "is kept from it");
    write(&store, 1).await;
    assert_eq!(WalHeader::read(&log).unwrap(), Some(header));
    other.close().await.unwrap();
    let pause = wal.pause().await;
    let (_, end) = copy_after(&log, &header, end, usize::MAX).unwrap();
    let folded = wal.fold(&pause).await.unwrap();
    assert!(folded.whole() && folded.in_log == end.frame, "{folded:?}");
    drop(pause);
    write(&store, 1).await;
    let next = WalHeader::read(&log).unwrap().unwrap();
    assert!(next.follows(&header), "{next:?} after {header:?}");
    assert!(!header.follows(&next));
    store.close().await;
}
