//! Races: one winner each, the loser told by whom; numbers without gaps; a process that stops.

use crate::stage::*;
use kernel::applications::*;
use serde_json::json;
use std::collections::BTreeSet;
use testkit::each_store;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_submits_of_one_draft_are_one_application() {
    each_store(|store| async move {
        let house = house(&store).await;
        let draft = house.food_draft(1).await;
        let mut all = JoinSet::new();
        for _ in 0..64 {
            let (engine, id) = (house.engine.clone(), draft.id.clone());
            all.spawn(async move { engine.submit(&resident(1), &id).await.unwrap() });
        }
        let receipts = all.join_all().await;
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0]));
        let page = house
            .engine
            .applications(&clerk("li"), &ApplicationFilter::default())
            .await;
        assert_eq!(page.unwrap().count, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_have_numbers_without_gaps() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut all = JoinSet::new();
        for n in 0..200 {
            let engine = house.engine.clone();
            all.spawn(async move {
                let by = resident(n);
                let draft = engine.begin(&by, new_draft("card")).await.unwrap();
                let change = DraftChange {
                    answers: object(json!({ "address": format!("示例路{n}号") })),
                    ..DraftChange::default()
                };
                engine.save(&by, &draft.id, None, change).await.unwrap();
                engine
                    .submit(&by, &draft.id)
                    .await
                    .unwrap()
                    .application
                    .number
            });
        }
        let numbers: BTreeSet<String> = all.join_all().await.into_iter().collect();
        let expect: BTreeSet<String> = (1..=200)
            .map(|n| format!("police-20261125-{n:05}"))
            .collect();
        assert_eq!(numbers, expect);
        // Pages of the list hold every one of them once, the count is exact.
        let police = officer("sun", "clerk", "police");
        let mut filter = ApplicationFilter {
            states: vec![ApplicationState::Submitted],
            limit: 70,
            ..ApplicationFilter::default()
        };
        let mut seen = BTreeSet::new();
        loop {
            let page = house.engine.applications(&police, &filter).await.unwrap();
            assert_eq!(page.count, 200);
            seen.extend(page.rows.into_iter().map(|row| row.number));
            match page.next {
                Some(next) => filter.after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen, expect);
        filter.after = Some("no cursor".into());
        assert_eq!(
            places(house.engine.applications(&police, &filter).await),
            ["after"]
        );
        let text = ApplicationFilter {
            text: Some("police-20261125-0001".into()),
            ..ApplicationFilter::default()
        };
        assert_eq!(
            house
                .engine
                .applications(&police, &text)
                .await
                .unwrap()
                .count,
            10
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clerks_accept_and_one_is_told_by_whom() {
    each_store(|store| async move {
        let house = house(&store).await;
        for n in 0..10 {
            let id = house.food(n).await.application.id;
            let mut both = JoinSet::new();
            for name in ["li", "ma"] {
                let (engine, id) = (house.engine.clone(), id.clone());
                both.spawn(async move {
                    let verb = Clerk::Accept {
                        note: String::new(),
                    };
                    let done = engine.handle(&clerk(name), &id, None, verb).await;
                    (name, done.err())
                });
            }
            let outcomes = both.join_all().await;
            let winner = outcomes
                .iter()
                .find(|(_, fault)| fault.is_none())
                .unwrap()
                .0;
            let faults: Vec<_> = outcomes
                .iter()
                .filter_map(|(_, fault)| fault.as_ref())
                .collect();
            assert_eq!(faults.len(), 1, "one winner");
            assert_eq!(faults[0].code, "input.conflict");
            let told = &faults[0].words;
            assert!(told.zh.contains(&format!("{winner} 同志")), "{}", told.zh);
            assert_eq!(faults[0].problems[0].words.zh, winner);
        }
        assert_eq!(*house.cases.starts.lock().unwrap(), 10, "one case each");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_seen_an_older_version_looks_again() {
    each_store(|store| async move {
        let house = house(&store).await;
        let receipt = house.food(1).await;
        let id = &receipt.application.id;
        let seen = Some(receipt.application.version);
        let transfer = || Clerk::Transfer {
            organisation: "police".into(),
            reason: "不属本机构".into(),
        };
        // A letter is written meanwhile: that changes nothing for whoever looked before.
        house.engine.work().await.unwrap();
        assert!(house.one(id).await.version > receipt.application.version);
        let older = Some(receipt.application.version - 1);
        let stale = house
            .engine
            .handle(&clerk("li"), id, older, transfer())
            .await;
        assert_eq!(code(stale), "input.stale", "it was handed in since");
        let done = house
            .engine
            .handle(&clerk("li"), id, seen, transfer())
            .await;
        assert_eq!(code(done), "no fault");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_while_a_clerk_accepts_leaves_no_case_behind() {
    each_store(|store| async move {
        let house = house(&store).await;
        for n in 0..10 {
            let id = house.food(n).await.application.id;
            let accept = {
                let (engine, id) = (house.engine.clone(), id.clone());
                tokio::spawn(async move {
                    let verb = Clerk::Accept {
                        note: String::new(),
                    };
                    engine.handle(&clerk("li"), &id, None, verb).await.is_ok()
                })
            };
            let withdraw = Own::Withdraw {
                reason: "不办了".into(),
            };
            let done = house.engine.own(&resident(n), &id, None, withdraw).await;
            assert!(done.is_ok(), "it may be taken back before or after");
            accept.await.unwrap();
            house.engine.work().await.unwrap();
            assert_eq!(house.one(&id).await.state, ApplicationState::Withdrawn);
        }
        let started: BTreeSet<String> = {
            let started = house.cases.started.lock().unwrap();
            started.values().map(|(_, id)| id.clone()).collect()
        };
        let cancelled: BTreeSet<String> = house
            .cases
            .cancelled
            .lock()
            .unwrap()
            .iter()
            .cloned()
            .collect();
        assert_eq!(started, cancelled, "every case that began was cancelled");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_and_decisions_at_once_happen_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let id = house.accepted(1).await.id;
        let input = object(json!({ "application": { "id": id }, "case": format!("case-{id}") }));
        let served = house.engine.serve("applications.bill", "b", &input).await;
        served.unwrap();
        let mut all = JoinSet::new();
        for _ in 0..16 {
            let (engine, bill) = (house.engine.clone(), format!("{id}-1"));
            all.spawn(async move { engine.paid(&bill, 5_000, "w1").await });
        }
        assert!(all.join_all().await.iter().all(Result::is_ok));
        let yes = object(
            json!({ "application": { "id": id }, "case": format!("case-{id}"), "approved": true }),
        );
        let mut all = JoinSet::new();
        for _ in 0..16 {
            let (engine, yes) = (house.engine.clone(), yes.clone());
            all.spawn(async move { engine.serve("applications.decide", "d", &yes).await });
        }
        assert!(all.join_all().await.iter().all(Result::is_ok));
        let file = house.engine.application(&resident(1), &id).await.unwrap();
        let steps: Vec<&str> = file.steps.iter().map(|s| s.what.as_str()).collect();
        let times = |what| steps.iter().filter(|step| **step == what).count();
        assert_eq!((times("paid"), times("approved")), (1, 1));
        let by = kernel::access::Actor::default();
        let figures = house
            .engine
            .figures(&by, at("2026-11-25"), at("2026-11-26"))
            .await;
        assert_eq!(figures.unwrap()[0].decided, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_store_agree() {
    each_store(|store| async move {
        let one = house(&store).await;
        let other = house(&store).await;
        let mut drafts = vec![];
        for n in 0..12 {
            drafts.push((n, one.food_draft(n).await.id));
        }
        let mut all = JoinSet::new();
        for (n, draft) in drafts {
            for engine in [one.engine.clone(), other.engine.clone()] {
                let draft = draft.clone();
                all.spawn(async move {
                    let receipt = engine.submit(&resident(n), &draft).await.unwrap();
                    receipt.application.number
                });
            }
        }
        let numbers = all.join_all().await;
        assert_eq!(numbers.len(), 24);
        let numbers: BTreeSet<String> = numbers.into_iter().collect();
        let expect: BTreeSet<String> = (1..=12)
            .map(|n| format!("market-20261125-{n:05}"))
            .collect();
        assert_eq!(numbers, expect);
    })
    .await;
}
