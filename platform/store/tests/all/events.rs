//! The log: numbers, order, cursors, pruning.

use kernel::Time;
use kernel::events::{Event, EventKind};
use std::time::Duration;
use store::{Store, cursors, events};
use testkit::{each_address, each_store};

/// Appends one event in a transaction of its own.
async fn append(store: &Store, about: &str, body: &[u8]) -> i64 {
    let mut tx = store.begin().await.unwrap();
    let seq = events::append(&mut tx, Time(7), EventKind::Record, about, body)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    seq
}

async fn set_cursor(store: &Store, name: &str, seq: i64) {
    let mut tx = store.begin().await.unwrap();
    cursors::set(&mut tx, name, seq).await.unwrap();
    tx.commit().await.unwrap();
}

fn numbers(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.seq).collect()
}

/// Everything in the log after `after`, read page by page.
async fn read_all(store: &Store, mut after: i64) -> Vec<Event> {
    let mut all = vec![];
    loop {
        let page = store.events().read(after, 1 << 20).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = last.seq;
        all.extend(page);
    }
}

#[tokio::test]
async fn an_event_comes_back_as_it_went_from_memory_and_from_disk() {
    each_address(|address| async move {
        let store = Store::open(&address).await.unwrap();
        let body: Vec<u8> = (0..=255).collect();
        assert_eq!(append(&store, "站点-1", &body).await, 1);
        assert_eq!(append(&store, "", b"").await, 2);
        let check = |events: Vec<Event>| {
            assert_eq!(numbers(&events), [1, 2]);
            assert_eq!((&*events[0].about, &*events[0].body), ("站点-1", &*body));
            assert_eq!((events[0].at, events[0].kind), (Time(7), EventKind::Record));
            assert_eq!((&*events[1].about, events[1].body.len()), ("", 0));
        };
        check(read_all(&store, 0).await);
        store.close().await;
        let store = Store::open(&address).await.unwrap();
        assert_eq!(store.events().last_seq(), 2);
        check(read_all(&store, 0).await);
        assert_eq!(
            append(&store, "x", b"y").await,
            3,
            "numbers go on after a restart"
        );
        assert_eq!(
            numbers(&read_all(&store, 1).await),
            [2, 3],
            "part disk, part memory"
        );
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_committed_does_not_exist() {
    each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        for _ in 0..3 {
            events::append(&mut tx, Time(1), EventKind::Alert, "a", b"b")
                .await
                .unwrap();
        }
        drop(tx);
        assert_eq!(store.events().last_seq(), 0);
        assert_eq!(
            append(&store, "c", b"d").await,
            1,
            "the numbers are given again"
        );
        assert_eq!(&*read_all(&store, 0).await[0].about, "c");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_at_the_head_sees_every_number_in_order_while_many_write() {
    const WRITERS: i64 = 8;
    const EACH: i64 = 25;
    each_store(|store| async move {
        let reading = {
            let store = store.clone();
            tokio::spawn(async move {
                let mut seen = vec![];
                while seen.len() < (WRITERS * EACH * 2) as usize {
                    let after = seen.last().copied().unwrap_or(0);
                    store.events().wait_beyond(after).await.unwrap();
                    seen.extend(numbers(&store.events().read(after, 100).await.unwrap()));
                }
                seen
            })
        };
        let mut writing = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let store = store.clone();
            writing.spawn(async move {
                for n in 0..EACH {
                    let mut tx = store.begin().await.unwrap();
                    let about = format!("{writer}/{n}");
                    for body in [b"first", b"then."] {
                        let kind = EventKind::Device;
                        events::append(&mut tx, Time(n), kind, &about, body)
                            .await
                            .unwrap();
                    }
                    // Some go back: their numbers must not be missed.
                    if n % 5 == 0 {
                        drop(tx);
                        tx = store.begin().await.unwrap();
                        for body in [b"first", b"then."] {
                            let kind = EventKind::Device;
                            events::append(&mut tx, Time(n), kind, &about, body)
                                .await
                                .unwrap();
                        }
                    }
                    tx.commit().await.unwrap();
                }
            });
        }
        while let Some(done) = writing.join_next().await {
            done.unwrap();
        }
        let seen = tokio::time::timeout(Duration::from_secs(60), reading)
            .await
            .unwrap()
            .unwrap();
        let expected: Vec<i64> = (1..=WRITERS * EACH * 2).collect();
        assert_eq!(seen, expected);
        let stored = read_all(&store, 0).await;
        assert_eq!(numbers(&stored), expected);
        assert!(
            stored.chunks(2).all(|pair| pair[0].about == pair[1].about),
            "a pair stays one"
        );
    })
    .await;
}

#[tokio::test]
async fn another_process_on_the_same_database_is_heard() {
    each_address(|address| async move {
        let here = Store::open(&address).await.unwrap();
        let there = Store::open(&address).await.unwrap();
        assert_eq!(append(&here, "1", b"").await, 1);
        assert_eq!(append(&there, "2", b"").await, 2);
        let wait = here.events().wait_beyond(1).await;
        assert_eq!(wait.unwrap(), 2);
        assert_eq!(numbers(&read_all(&here, 0).await), [1, 2]);
        assert_eq!(append(&here, "3", b"").await, 3);
        assert_eq!(append(&there, "4", b"").await, 4);
        assert_eq!(append(&here, "5", b"").await, 5);
        assert_eq!(numbers(&read_all(&here, 1).await), [2, 3, 4, 5]);
        here.close().await;
        there.close().await;
    })
    .await;
}

#[tokio::test]
async fn pages_are_bounded_in_bytes() {
    each_address(|address| async move {
        let store = Store::open(&address).await.unwrap();
        for _ in 0..5 {
            append(&store, "x", &[1; 100]).await;
        }
        store.close().await;
        // Reopened, events 1 to 5 are only on the disk; those appended then are in memory.
        let store = Store::open(&address).await.unwrap();
        for _ in 0..5 {
            append(&store, "x", &[1; 100]).await;
        }
        let check = async |after, limit, expect: &[i64]| {
            let page = store.events().read(after, limit).await.unwrap();
            assert_eq!(numbers(&page), expect, "after {after} up to {limit} bytes");
        };
        check(0, 1, &[1]).await;
        check(0, 250, &[1, 2]).await;
        check(5, 1, &[6]).await;
        check(5, 250, &[6, 7]).await;
        check(4, 300, &[5, 6, 7]).await;
        check(7, 300, &[8, 9, 10]).await;
        check(10, 300, &[]).await;
        check(99, 300, &[]).await;
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn pruning_stops_at_the_slowest_cursor_and_leaves_the_last_event() {
    each_store(|store| async move {
        for _ in 0..600 {
            append(&store, "x", b"y").await;
        }
        assert_eq!(
            store.events().prune(600).await.unwrap(),
            0,
            "nobody has read anything"
        );
        set_cursor(&store, "rules", 400).await;
        set_cursor(&store, "search", 0).await;
        assert_eq!(store.cursors().floor().await.unwrap(), Some(0));
        assert_eq!(store.events().prune(600).await.unwrap(), 0);
        set_cursor(&store, "search", 500).await;
        assert_eq!(store.cursors().floor().await.unwrap(), Some(400));
        assert_eq!(store.events().prune(10).await.unwrap(), 10);
        assert_eq!(store.events().prune(600).await.unwrap(), 390);
        assert_eq!(
            read_all(&store, 0).await.first().map(|event| event.seq),
            Some(401)
        );
        set_cursor(&store, "rules", 600).await;
        set_cursor(&store, "search", 600).await;
        assert_eq!(store.events().prune(i64::MAX).await.unwrap(), 199);
        assert_eq!(
            append(&store, "x", b"y").await,
            601,
            "numbers never start again"
        );
    })
    .await;
}

#[tokio::test]
async fn a_cursor_moves_with_the_transaction_of_its_reader() {
    each_store(|store| async move {
        assert_eq!(store.cursors().get("rules").await.unwrap(), None);
        assert_eq!(store.cursors().floor().await.unwrap(), None);
        set_cursor(&store, "rules", 3).await;
        let mut tx = store.begin().await.unwrap();
        cursors::set(&mut tx, "rules", 9).await.unwrap();
        drop(tx);
        assert_eq!(store.cursors().get("rules").await.unwrap(), Some(3));
        set_cursor(&store, "lake", 5).await;
        let all = [("lake".to_owned(), 5), ("rules".to_owned(), 3)];
        assert_eq!(store.cursors().list().await.unwrap(), all);
        let mut tx = store.begin().await.unwrap();
        cursors::remove(&mut tx, "rules").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(store.cursors().floor().await.unwrap(), Some(5));
    })
    .await;
}

#[tokio::test]
async fn room_of_pruned_events_goes_back_to_the_disk() {
    each_store(|store| async move {
        let body = vec![7u8; 100_000];
        // Empty tables take room too.
        let empty = store.size_bytes().await.unwrap();
        for _ in 0..100 {
            append(&store, "x", &body).await;
        }
        set_cursor(&store, "reader", 100).await;
        let full = store.size_bytes().await.unwrap();
        assert_eq!(store.events().prune(100).await.unwrap(), 99);
        store.reclaim().await.unwrap();
        let after = store.size_bytes().await.unwrap();
        if store.backend() == store::Backend::Sqlite {
            let left = after.saturating_sub(empty);
            let words = format!("{empty}, then {full} bytes shrank to {after} only");
            assert!(left * 5 < full - empty, "{words}");
        }
        assert_eq!(read_all(&store, 0).await.len(), 1);
    })
    .await;
}
