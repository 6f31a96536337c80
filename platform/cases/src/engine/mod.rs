//! The engine: cases that survive. Whatever is done to a case is a *deed*; deeds that arrive at the
//! same time are decided one after the other and written in one transaction ([`desk`]), so that many
//! officers share one fsync. What follows from a step and cannot be done within it (service tasks,
//! messages, called processes, timers) is written with it and done afterwards ([`outbox`]).

mod access;
mod admin;
mod api;
mod apply;
mod begun;
mod brought;
mod budget;
mod calendar;
mod callers;
mod clocks;
mod countersign;
mod decided;
mod desk;
mod faults;
mod follow;
mod judging;
mod lights;
mod messages;
mod migration;
mod office;
mod open_work;
mod outbox;
mod people;
mod publish;
mod reading;
mod recount;
mod shelf;
mod signing;
mod simulation;
mod start;
mod tasks;
mod views;
mod work;

use crate::clock::Calendar;
use desk::Desk;
use kernel::cases::{Expressions, Forms, People, Services};
use kernel::{Clock, Fault, Policy, Span};
use parking_lot::{Mutex, RwLock};
use shelf::Shelf;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use store::Store;
use tokio::sync::{Notify, Semaphore};

/// What the program hands over.
pub struct Means {
    /// FEEL and decisions.
    pub expressions: Arc<dyn Expressions>,
    /// Functions of service tasks.
    pub services: Arc<dyn Services>,
    /// Forms of tasks.
    pub forms: Arc<dyn Forms>,
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
    /// Who works where.
    pub people: Arc<dyn People>,
}

/// How patient the engine is.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    /// How often it looks for what is due.
    pub tick: std::time::Duration,
    /// Wait after the first failure; doubles with each further one.
    pub retry_wait: Span,
    /// The wait does not grow beyond this.
    pub retry_wait_limit: Span,
    /// Failures before work is set aside.
    pub attempts: i64,
    /// How long a service may take.
    pub service_limit: Span,
    /// Services called at the same time.
    pub services: usize,
    /// Bytes of the packed state of a case, at most.
    pub state_bytes: usize,
}

impl Default for Tuning {
    fn default() -> Tuning {
        Tuning {
            tick: std::time::Duration::from_millis(250),
            retry_wait: Span::seconds(2),
            retry_wait_limit: Span::minutes(30),
            attempts: 10,
            service_limit: Span::seconds(60),
            services: 16,
            state_bytes: 24_000,
        }
    }
}

/// The engine of cases of a city.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    means: Means,
    tuning: Tuning,
    shelf: Shelf,
    calendar: RwLock<Arc<Calendar>>,
    desk: Arc<Desk>,
    /// Queues whose holders are in the store.
    queues: Mutex<BTreeSet<i64>>,
    /// Wakes who does what is due.
    wake: Notify,
    /// Services this process is calling: name of the function, and the job.
    doing: Mutex<BTreeSet<(String, String)>>,
    /// One simulation at a time.
    simulating: Arc<Semaphore>,
    /// Clocks are counted anew by one at a time.
    recounting: tokio::sync::Mutex<()>,
    myself: Weak<Engine>,
}

impl Engine {
    /// Opens it on a store.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: Means,
        tuning: Tuning,
    ) -> Result<Arc<Engine>, Fault> {
        let engine = Arc::new_cyclic(|myself| Engine {
            store,
            clock,
            means,
            tuning,
            shelf: Shelf::default(),
            calendar: RwLock::default(),
            desk: desk::desk(),
            queues: Mutex::default(),
            wake: Notify::new(),
            doing: Mutex::default(),
            simulating: Arc::new(Semaphore::new(1)),
            recounting: tokio::sync::Mutex::default(),
            myself: myself.clone(),
        });
        engine.load_calendar().await?;
        engine.load_processes().await?;
        engine.recover().await?;
        Ok(engine)
    }

    /// The calendar as it is now.
    fn days(&self) -> Arc<Calendar> {
        self.calendar.read().clone()
    }
}
