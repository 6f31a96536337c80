//! How many visitors a second a hall gets through: take, call, start, finish, each on disk.
//!
//! `cargo run --release -p visits --example queue` (SQLite in a temporary folder; four windows).
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::messages::{NewMessage, Outbox, Queued};
use kernel::numbers::Day;
use kernel::visits::*;
use kernel::{Fault, SystemClock, Words};
use std::any::Any;
use std::sync::Arc;
use std::time::Instant;
use visits::{Engine, Limits, Means};

const VISITORS: usize = 2000;
const WINDOWS: usize = 4;

struct Everything;

impl Policy for Everything {
    fn may(&self, _: &Actor, _: Verb, _: &str) -> Decision {
        Decision::Allowed {
            role: "r".into(),
            purpose: "p".into(),
            basis: "b".into(),
        }
    }
}

struct Nobody;

#[async_trait]
impl Outbox for Nobody {
    async fn send(&self, _: &Actor, new: NewMessage) -> Result<Queued, Fault> {
        let id = new.once;
        Ok(Queued { id, fresh: true })
    }
    async fn send_within(
        &self,
        _: &mut (dyn Any + Send),
        by: &Actor,
        new: NewMessage,
    ) -> Result<Queued, Fault> {
        self.send(by, new).await
    }
}

fn hall() -> NewHall {
    let words = || Words::new("大厅", "Hall");
    let always = Hours {
        from: "00:00".into(),
        to: "24:00".into(),
    };
    let window = |number: usize| Window {
        code: number.to_string(),
        title: words(),
        matters: vec!["m".into()],
    };
    NewHall {
        code: "h".into(),
        title: words(),
        organisation: "o".into(),
        address: words(),
        matters: vec![HallMatter {
            code: "m".into(),
            title: words(),
            letter: 'A',
            minutes: 10,
            capacity: 0,
        }],
        windows: (0..WINDOWS).map(window).collect(),
        hours: vec![vec![always]; 7],
        closed: vec![],
        days_ahead: 30,
    }
}

#[tokio::main]
async fn main() {
    let folder = std::env::temp_dir().join(format!("visits-queue-{}", std::process::id()));
    let store = store::Store::in_folder(&folder).await.unwrap();
    let means = Means {
        policy: Arc::new(Everything),
        crypto: Arc::new(testkit::FakeCrypto::default()),
        days: Arc::new(|_: Day| true),
        outbox: Arc::new(Nobody),
        remind_by: vec![],
    };
    let engine = Engine::open(
        store.clone(),
        Arc::new(SystemClock),
        means,
        Limits::default(),
    );
    let engine = engine.await.unwrap();
    let by = Actor::system();
    engine.set_hall(&by, hall(), 0).await.unwrap();
    let begun = Instant::now();
    let mut windows = tokio::task::JoinSet::new();
    for window in 0..WINDOWS {
        let engine = engine.clone();
        windows.spawn(async move {
            let (by, window) = (Actor::system(), window.to_string());
            for _ in 0..VISITORS / WINDOWS {
                let new = NewTicket {
                    hall: "h".into(),
                    matter: "m".into(),
                    priority: Priority::Ordinary,
                };
                engine.take(&by, new).await.unwrap();
                let called = engine.call_next(&by, "h", &window).await.unwrap();
                let Some(called) = called else { continue };
                for act in [TicketAct::Start, TicketAct::Finish] {
                    engine.act(&by, &window, &called.id, act).await.unwrap();
                }
            }
        });
    }
    while let Some(done) = windows.join_next().await {
        done.unwrap();
    }
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{VISITORS} visitors (take, call, start, finish) in {took:.1} s: {:.0} a second",
        VISITORS as f64 / took
    );
    store.close().await;
    let _ = std::fs::remove_dir_all(folder);
}
