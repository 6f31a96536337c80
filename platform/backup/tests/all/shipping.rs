//! What is shipped is restored: at every moment, over restarts, over folding, and when somebody
//! else meddles with the log.

use crate::fake::{City, FakeKeys, keys, last_event, quick, slow};
use backup::{Moment, Repository, restore};
use kernel::Time;
use kernel::crypto::{Crypto, Suite};
use std::path::{Path, PathBuf};
use std::sync::Arc;

async fn restored(dir: &Path, moment: Moment, name: &str) -> (i64, backup::Restored) {
    restored_with(dir, moment, name, keys()).await
}

async fn restored_with(
    dir: &Path,
    moment: Moment,
    name: &str,
    keys: Arc<dyn Crypto>,
) -> (i64, backup::Restored) {
    let repository = Repository::open(&dir.join("backup")).unwrap();
    let into: PathBuf = dir.join(name);
    let done = restore(&repository, &*keys, moment, &into, |_| {})
        .await
        .unwrap();
    (last_event(&into).await, done)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_moment_can_be_restored() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::start(dir.path(), quick()).await;
    city.shipper.base().await.unwrap();
    let mut acknowledged = vec![];
    for n in 0..400 {
        acknowledged.push(city.write(n * 10 + 100).await);
        if n % 7 == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        }
        if n == 200 {
            city.shipper.base().await.unwrap();
        }
    }
    city.shipper.look().await.unwrap();
    let state = city.shipper.state();
    assert_eq!((state.broken, state.trouble), (0, None));
    assert!(state.segments > 3, "{}", state.segments);
    let generations = city.shipper.repository().contents().unwrap().segments;
    let generations = generations.last().unwrap().facts.generation;
    assert!(generations > 2, "the log was folded on the way");
    for at in [3, 50, 123, 199, 200, 201, 202, 300, 398, 399] {
        let (seq, moment) = acknowledged[at];
        let (last, done) = restored(dir.path(), Moment::At(moment), &format!("at-{at}")).await;
        assert_eq!(last, seq, "to the moment {at} was acknowledged: {done:?}");
        assert!(!done.short);
        // Just before the next one was begun, too.
    }
    let (last, _) = restored(dir.path(), Moment::Latest, "latest").await;
    assert_eq!(last, 400);
    let before = Time(acknowledged[0].1.0 - 3_600_000_000);
    let repository = Repository::open(&dir.path().join("backup")).unwrap();
    let fault = restore(
        &repository,
        &*keys(),
        Moment::At(before),
        &dir.path().join("no"),
        |_| {},
    )
    .await
    .unwrap_err();
    assert_eq!(fault.code, "backup.not_there");
    let taken = dir.path().join("latest");
    let fault = restore(&repository, &*keys(), Moment::Latest, &taken, |_| {})
        .await
        .unwrap_err();
    assert_eq!(fault.code, "input.conflict");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_holds_what_its_census_says() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::start(dir.path(), quick()).await;
    // The first base begins by itself; the one asked for must be another.
    city.shipper.base().await.unwrap();
    for _ in 0..50 {
        city.write(2000).await;
    }
    city.shipper.base().await.unwrap();
    for _ in 0..50 {
        city.write(2000).await;
    }
    city.shipper.look().await.unwrap();
    let contents = city.shipper.repository().contents().unwrap();
    let base = contents.bases.last().unwrap().facts.clone();
    let (last, _) = restored(dir.path(), Moment::OfBase(base.number), "base").await;
    assert_eq!(last, 50);
    let store = store::Store::in_folder(&dir.path().join("base"))
        .await
        .unwrap();
    assert_eq!(store.census().await.unwrap().tables, base.tables);
    store.close().await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_that_stopped_in_order_continues_its_chain() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::start(dir.path(), slow()).await;
    city.shipper.base().await.unwrap();
    city.write(100).await;
    city.stop().await;
    let city = City::start(dir.path(), slow()).await;
    let (seq, moment) = city.write(100).await;
    city.shipper.look().await.unwrap();
    city.write(100).await;
    city.shipper.look().await.unwrap();
    assert_eq!(city.shipper.state().broken, 0);
    let contents = city.shipper.repository().contents().unwrap();
    assert_eq!(contents.bases.len(), 1, "no new base is needed");
    let (last, _) = restored(dir.path(), Moment::At(moment), "then").await;
    assert_eq!(last, seq);
    let (last, _) = restored(dir.path(), Moment::Latest, "latest").await;
    assert_eq!(last, 3);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_meanwhile_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let city = City::start(dir.path(), slow()).await;
    city.shipper.base().await.unwrap();
    city.write(100).await;
    city.stop().await;
    // The city is opened by something that ships nothing, which folds the log when it leaves.
    let other = store::Store::in_folder(&dir.path().join("data"))
        .await
        .unwrap();
    let mut tx = other.begin().await.unwrap();
    let kind = kernel::events::EventKind::Record;
    store::events::append(&mut tx, Time(1), kind, "x", b"other")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    other.close().await;
    let city = City::start(dir.path(), slow()).await;
    city.write(100).await;
    city.shipper.look().await.unwrap();
    assert_eq!(city.shipper.state().broken, 1, "that was noticed");
    city.shipper.base().await.unwrap();
    city.write(100).await;
    city.shipper.look().await.unwrap();
    let (last, _) = restored(dir.path(), Moment::Latest, "latest").await;
    assert_eq!(last, 4, "the other's is there");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_national_suite_seals_with_sm4() {
    let dir = tempfile::tempdir().unwrap();
    let keys: Arc<dyn Crypto> = Arc::new(FakeKeys {
        suite: Suite::National,
        key: [9; 32],
    });
    let city = City::start_with(dir.path(), slow(), keys.clone()).await;
    city.write(100_000).await;
    city.shipper.base().await.unwrap();
    city.write(3_000_000).await;
    city.shipper.look().await.unwrap();
    let (last, _) = restored_with(dir.path(), Moment::Latest, "latest", keys).await;
    assert_eq!(last, 2);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_fails_does_not_stop_the_city() {
    let dir = tempfile::tempdir().unwrap();
    let options = backup::Options {
        log_limit_bytes: 500_000,
        ..quick()
    };
    let city = City::start(dir.path(), options).await;
    city.shipper.base().await.unwrap();
    city.write(1000).await;
    city.shipper.look().await.unwrap();
    // The disk is gone: a file where the folder of segments was.
    let segments = dir.path().join("backup/segments");
    let away = dir.path().join("away");
    std::fs::rename(&segments, &away).unwrap();
    std::fs::write(&segments, b"").unwrap();
    for _ in 0..100 {
        city.write(20_000).await;
    }
    assert!(city.shipper.look().await.is_err());
    assert!(city.shipper.state().trouble.is_some());
    city.write(1000).await;
    let log = dir.path().join("data/jicheng.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() < 5_000_000);
    // And is there again.
    std::fs::remove_file(&segments).unwrap();
    std::fs::rename(&away, &segments).unwrap();
    city.write(1000).await;
    city.shipper.look().await.unwrap();
    city.shipper.base().await.unwrap();
    assert_eq!(city.shipper.state().trouble, None);
    let (last, _) = restored(dir.path(), Moment::Latest, "latest").await;
    assert_eq!(last, 103);
    city.stop().await;
}
