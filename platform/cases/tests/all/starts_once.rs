//! A due time begins one case: with two programs on one store, and through kill -9.

use crate::house::{House, at};
use crate::starts::{OPENED, cases, cycle, dues, next, publish};
use kernel::{Span, Time};
use std::collections::BTreeSet;
use store::Store;
use testkit::{each_address, each_store, killed, lines};

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_begin_one_case() {
    each_store(|store| async move {
        let one = House::open(&store).await;
        let two = House::again(&store, one.clock.clone()).await;
        publish(
            &one,
            &[&cycle("R/PT1H"), "<timeDuration>PT1H</timeDuration>"],
        )
        .await;
        for hours in 1..=5 {
            one.clock.advance(Span::hours(1));
            let (a, b) = tokio::join!(one.engine.settle(), two.engine.settle());
            a.unwrap();
            b.unwrap();
            assert_eq!(cases(&one).await.len(), hours + 1, "after {hours} h");
        }
        // The other one alone, which did not publish it.
        one.clock.advance(Span::hours(1));
        two.engine.settle().await.unwrap();
        one.engine.settle().await.unwrap();
        assert_eq!(cases(&one).await.len(), 7);
    })
    .await;
}

/// Where the child finds the store.
const ADDRESS: &str = "STARTS_TEST_ADDRESS";
const KILLS: usize = 3;
/// Minutes the parent waits for before it kills.
const PATIENCE: usize = 12;

/// The child: a minute after the other, until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_begins_cases_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let house = House::open(&store).await;
    publish(&house, &[&cycle("R/PT1M")]).await;
    // Where the last one was stopped.
    let next = next(&house).await.unwrap();
    house.clock.set(Time(next.0 - Span::minutes(1).0));
    loop {
        house.clock.advance(Span::minutes(1));
        house.engine.settle().await.unwrap();
        println!("\nminute");
    }
}

async fn run_and_kill(address: &str) {
    let enough = lines(PATIENCE, move |line| line == "minute");
    let child = "starts_once::child_begins_cases_until_killed";
    killed(child, &[(ADDRESS, address)], enough).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_due_time_is_missed_or_begins_twice_when_killed() {
    each_address(|address| async move {
        for round in 1..=KILLS {
            run_and_kill(&address).await;
            let store = Store::open(&address).await.unwrap();
            let house = House::open(&store).await;
            let dues = dues(&house).await;
            let different: BTreeSet<&String> = dues.iter().collect();
            assert_eq!(
                different.len(),
                dues.len(),
                "round {round}: twice for one due time"
            );
            assert!(
                dues.len() >= round * PATIENCE,
                "round {round}: acknowledged and lost"
            );
            for (n, due) in dues.iter().enumerate() {
                let expect = at(OPENED) + Span::minutes(n as i64 + 1);
                assert_eq!(*due, expect.rfc3339(), "round {round}: one was missed");
            }
            store.close().await;
        }
    })
    .await;
}
