//! Kill -9 in the middle of a busy hall: what was said to a visitor or an officer stands, every
//! number is there once, and no window has two in hand.

use crate::*;
use kernel::page::Part;
use kernel::{Clock, SystemClock};
use std::collections::{BTreeMap, BTreeSet};
use testkit::{killed, lines};

const ADDRESS: &str = "VISITS_TEST_ADDRESS";
const KILLS: usize = 3;
const PATIENCE: usize = 40;

/// A hall that is open day and night.
async fn engine(store: &Store) -> Arc<Engine> {
    let means = Means {
        policy: Arc::new(Roles),
        crypto: Arc::new(testkit::FakeCrypto::default()),
        days: Arc::new(|_: Day| true),
        outbox: Arc::new(Said::default()),
        remind_by: vec![],
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let engine = Engine::open(store.clone(), clock, means, Limits::default());
    let engine = engine.await.unwrap();
    let mut hall = hall("h");
    let always = Hours {
        from: "00:00".into(),
        to: "24:00".into(),
    };
    hall.hours = vec![vec![always]; 7];
    // It stands from the first round on.
    let _ = engine.set_hall(&operator(), hall, 0).await;
    engine
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_serves_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let engine = engine(&store).await;
    let mut windows = tokio::task::JoinSet::new();
    for window in ["1", "2"] {
        let engine = engine.clone();
        windows.spawn(async move {
            let by = officer();
            loop {
                let new = NewTicket {
                    hall: "h".into(),
                    matter: "birth".into(),
                    priority: Priority::Ordinary,
                };
                let ticket = engine.take(&by, new).await.unwrap();
                println!("\nsaid {} waiting", ticket.number);
                let held = engine.in_hand(&by, "h", window).await.unwrap();
                let called = match held {
                    Some(held) => Some(held),
                    None => engine.call_next(&by, "h", window).await.unwrap(),
                };
                let Some(called) = called else { continue };
                println!("\nsaid {} called", called.number);
                if called.state == TicketState::Called {
                    let start = engine.act(&by, window, &called.id, TicketAct::Start);
                    start.await.unwrap();
                }
                let ended = engine.act(&by, window, &called.id, TicketAct::Finish).await;
                println!("\nsaid {} finished", ended.unwrap().number);
            }
        });
    }
    windows.join_next().await;
}

fn order(state: &str) -> usize {
    let states = ["waiting", "called", "serving", "finished"];
    states.iter().position(|s| *s == state).unwrap()
}

async fn run_and_kill(address: &str) -> Vec<(String, String)> {
    let stands = |line: &str| {
        let (number, state) = line.strip_prefix("said ")?.split_once(' ')?;
        let known = ["waiting", "called", "finished"].contains(&state);
        known.then(|| (number.to_string(), state.to_string()))
    };
    let enough = lines(PATIENCE, move |line| stands(line).is_some());
    let said = killed(
        "crash::child_serves_until_killed",
        &[(ADDRESS, address)],
        enough,
    )
    .await;
    said.iter().filter_map(|line| stands(line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_stands_after_a_kill() {
    testkit::each_address(|address| async move {
        let mut least: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..KILLS {
            for (number, state) in run_and_kill(&address).await {
                let known = least.entry(number).or_default();
                *known = std::cmp::max(*known, order(&state));
            }
        }
        let store = Store::open(&address).await.unwrap();
        let engine = engine(&store).await;
        let (mut all, mut after) = (vec![], None);
        loop {
            let part = Part {
                after,
                limit: Some(200),
            };
            let page = engine.queue(&officer(), "h", &part).await.unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let numbers: BTreeSet<&str> = all.iter().map(|t| t.number.as_str()).collect();
        let want: Vec<String> = (1..=all.len()).map(|n| format!("A{n:03}")).collect();
        assert!(numbers.iter().copied().eq(want.iter().map(String::as_str)));
        let mut busy = BTreeSet::new();
        for ticket in &all {
            let stands = order(ticket.state.word());
            let said = least.remove(&ticket.number).unwrap_or(0);
            assert!(stands >= said, "{ticket:?}");
            if matches!(ticket.state, TicketState::Called | TicketState::Serving) {
                assert!(
                    busy.insert(ticket.window.clone()),
                    "two at {:?}",
                    ticket.window
                );
            }
        }
        assert!(least.is_empty(), "said and lost: {least:?}");
        store.close().await;
    })
    .await;
}
