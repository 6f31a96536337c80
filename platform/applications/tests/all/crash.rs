//! Kill -9 in the middle of the work: every save, receipt and acceptance that was acknowledged is
//! there; numbers have no gaps; what was cut short goes on.

use crate::stage::*;
use kernel::Span;
use kernel::applications::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Store;
use testkit::{each_address, killed, lines};

/// Where the child finds the store.
const ADDRESS: &str = "APPLICATIONS_TEST_ADDRESS";
const KILLS: u32 = 3;
/// Acknowledgements the parent waits for before it kills.
const PATIENCE: usize = 90;

/// The child: residents hand in and a clerk accepts, until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_works_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let house = Arc::new(house(&store).await);
    let mut residents = tokio::task::JoinSet::new();
    for task in 0..4 {
        let house = house.clone();
        residents.spawn(async move {
            for n in (0..).map(|n| task * 200 + n % 200) {
                one(&house, n).await;
            }
        });
    }
    residents.join_next().await;
}

async fn one(house: &House, n: u32) {
    let (engine, by) = (&house.engine, resident(n));
    let draft = engine.begin(&by, new_draft("card")).await.unwrap();
    let change = DraftChange {
        answers: object(json!({ "address": format!("示例路{n}号") })),
        ..DraftChange::default()
    };
    let saved = engine.save(&by, &draft.id, None, change).await.unwrap();
    println!("\nacknowledged saved {n} {} .", saved.id);
    let receipt = engine.submit(&by, &draft.id).await.unwrap();
    let (number, check) = (&receipt.application.number, &receipt.check);
    println!("\nacknowledged receipt {number} {check} .");
    let police = officer("sun", "clerk", "police");
    let verb = Clerk::Accept {
        note: String::new(),
    };
    engine.handle(&police, number, None, verb).await.unwrap();
    println!("\nacknowledged accepted {number} - .");
}

/// Runs the child, kills it after some acknowledgements, and returns them.
async fn run_and_kill(address: &str) -> Vec<Vec<String>> {
    let acknowledged = |line: &str| {
        let said: Vec<String> = line.split(' ').map(String::from).collect();
        (said.len() == 5 && said[0] == "acknowledged").then_some(said)
    };
    let enough = lines(PATIENCE, move |line| acknowledged(line).is_some());
    let said = killed(
        "crash::child_works_until_killed",
        &[(ADDRESS, address)],
        enough,
    )
    .await;
    said.iter().filter_map(|line| acknowledged(line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_when_killed() {
    each_address(|address| async move {
        let mut heard = vec![];
        for _ in 0..KILLS {
            heard.extend(run_and_kill(&address).await);
            let store = Store::open(&address).await.unwrap();
            check(&store, &heard).await;
            store.close().await;
        }
    })
    .await;
}

async fn check(store: &Store, heard: &[Vec<String>]) {
    let house = house(store).await;
    let engine = &house.engine;
    house.clock.advance(Span::hours(1));
    engine.repair().await.unwrap();
    let police = officer("sun", "clerk", "police");
    for said in heard {
        match said[1].as_str() {
            "saved" => {
                let by = resident(said[2].parse().unwrap());
                let draft = engine.draft(&by, &said[3]).await.unwrap();
                assert!(draft.answers.contains_key("address"));
            }
            "receipt" => {
                engine.progress(&said[2], &said[3]).await.unwrap();
            }
            _ => {
                let file = engine.application(&police, &said[2]).await.unwrap();
                assert_eq!(file.application.state, ApplicationState::Accepted);
                assert!(file.application.case.is_some(), "its case was begun");
            }
        }
    }
    let mut filter = ApplicationFilter {
        limit: 200,
        ..ApplicationFilter::default()
    };
    let mut numbers = BTreeSet::new();
    loop {
        let page = engine.applications(&police, &filter).await.unwrap();
        numbers.extend(page.rows.into_iter().map(|row| row.number));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    let expect: BTreeSet<String> = (1..=numbers.len())
        .map(|n| format!("police-20261125-{n:05}"))
        .collect();
    assert_eq!(numbers, expect, "no gaps");
    let by = kernel::access::Actor::default();
    let figures = engine.figures(&by, at("2026-11-25"), at("2026-11-26"));
    assert_eq!(figures.await.unwrap()[0].submitted, numbers.len() as i64);
    assert!(store.audit().verify().await.unwrap().damage.is_none());
}
