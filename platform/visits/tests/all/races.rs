//! Races: many at once for what is there once.

use crate::*;
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_for_the_last_place_one_wins() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let from = "2026-11-26T09:00:00+08:00";
        // Two places; one is gone.
        house
            .engine
            .book(&resident("first"), booking("birth", from))
            .await
            .unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..1000 {
            let engine = house.engine.clone();
            tasks.spawn(async move {
                let by = resident(&format!("r{number}"));
                code(engine.book(&by, booking("birth", from)).await)
            });
        }
        let mut outcomes: BTreeMap<&str, u32> = BTreeMap::new();
        while let Some(outcome) = tasks.join_next().await {
            *outcomes.entry(outcome.unwrap()).or_default() += 1;
        }
        assert_eq!(outcomes, BTreeMap::from([("ok", 1), ("visits.full", 999)]));
        let slots = house
            .engine
            .slots("h", "birth", day("2026-11-26"))
            .await
            .unwrap();
        assert_eq!(slots[0].free, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_person_at_many_doors_gets_one_appointment() {
    testkit::each_store(|store| async move {
        let house = house(&store).await;
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..50 {
            let engine = house.engine.clone();
            let from = format!(
                "2026-11-26T{:02}:{:02}:00+08:00",
                9 + number % 3,
                30 * (number % 2)
            );
            tasks.spawn(async move {
                code(engine.book(&resident("li"), booking("birth", &from)).await)
            });
        }
        let mut won = 0;
        while let Some(outcome) = tasks.join_next().await {
            match outcome.unwrap() {
                "ok" => won += 1,
                other => assert_eq!(other, "visits.booked"),
            }
        }
        assert_eq!(won, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn windows_that_call_at_once_never_call_one_number() {
    testkit::each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let house = open(&store, clock, Limits::default()).await;
        let mut hall = hall("h");
        hall.windows = (0..20)
            .map(|n| window(&n.to_string(), &["birth", "tax"]))
            .collect();
        house.engine.set_hall(&operator(), hall, 0).await.unwrap();
        for _ in 0..60 {
            house.take("birth", Priority::Ordinary).await;
        }
        let mut tasks = tokio::task::JoinSet::new();
        for number in 0..20 {
            let engine = house.engine.clone();
            tasks.spawn(async move {
                let (by, window) = (officer(), number.to_string());
                let mut mine = vec![];
                while let Some(ticket) = engine.call_next(&by, "h", &window).await.unwrap() {
                    mine.push(ticket.number);
                    // A second call of the same window meanwhile is refused.
                    let again = engine.call_next(&by, "h", &window).await;
                    assert_eq!(code(again), "input.conflict");
                    for act in [TicketAct::Start, TicketAct::Finish] {
                        engine.act(&by, &window, &ticket.id, act).await.unwrap();
                    }
                }
                mine
            });
        }
        let mut called = vec![];
        while let Some(mine) = tasks.join_next().await {
            called.extend(mine.unwrap());
        }
        called.sort();
        let all: Vec<String> = (1..=60).map(|n| format!("A{n:03}")).collect();
        assert_eq!(called, all);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_taken_at_once_have_no_gap_and_no_twin() {
    testkit::each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let limits = Limits {
            waiting: 80,
            ..Limits::default()
        };
        let house = open(&store, clock, limits).await;
        house
            .engine
            .set_hall(&operator(), hall("h"), 0)
            .await
            .unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let engine = house.engine.clone();
            tasks.spawn(async move {
                let new = NewTicket {
                    hall: "h".into(),
                    matter: "birth".into(),
                    priority: Priority::Ordinary,
                };
                engine.take(&officer(), new).await
            });
        }
        let (mut numbers, mut refused) = (vec![], 0);
        while let Some(outcome) = tasks.join_next().await {
            match outcome.unwrap() {
                Ok(ticket) => numbers.push(ticket.number),
                Err(fault) => {
                    assert_eq!(fault.code, "system.overloaded");
                    refused += 1;
                }
            }
        }
        numbers.sort();
        let all: Vec<String> = (1..=80).map(|n| format!("A{n:03}")).collect();
        assert_eq!((numbers, refused), (all, 20));
    })
    .await;
}
