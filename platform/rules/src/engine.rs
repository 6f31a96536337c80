//! The engine: reads the one event log with the stored cursor `rules`, lets the evaluator decide,
//! and writes alerts with their events in one transaction. The evaluator's memory is written now
//! and then together with the cursor; after a restart the log is read again from there. Alerts
//! carry deterministic identifications and the number of the event they were judged by, so what
//! is read twice is written once.

mod open_work;
mod writer;

use crate::evaluator::{Evaluator, Outcome};
use crate::{alert, officer};
use async_trait::async_trait;
use kernel::access::Actor;
use kernel::alerts::{Alert, AlertFilter, AlertState, AlertVerb, Alerts};
use kernel::declare::Declared;
use kernel::events::{Event, EventKind};
use kernel::fault::FaultKind;
use kernel::observations::{Observations, wire};
use kernel::records::{Record, Registers};
use kernel::{Clock, Fault, Span, Time};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use store::audit::AuditEntry;
use store::{Store, alerts as table};
use tokio::sync::watch;
use tokio::time::Instant;
use writer::Escalations;

/// Bodies read from the log at once, at most: some hundred thousand values, judged without a
/// pause.
const READ_BYTES: usize = 256 << 10;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Deadlines are judged this much late on the live clock: a batch received before the deadline
/// may still be on its way to the log.
const GRACE: Span = Span::seconds(2);
/// Pause after the store refused, growing up to the second.
const RETRY: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(10)];
/// Time between checkpoints, at least; larger memories are kept less often, so that keeping them
/// never costs more than [`CHECKPOINT_BYTES`] a second.
const CHECKPOINT: Duration = Duration::from_secs(5);
const CHECKPOINT_BYTES: u64 = 256 << 10;
/// How often the records are compared with the registers: a version that begins in the future
/// comes into force without an event.
const REFRESH: Duration = Duration::from_secs(60);

/// Where the engine stands, for the operator and `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Status {
    /// Number of the last event judged.
    pub cursor: i64,
    /// Events in the log not judged yet.
    pub lag: i64,
    /// The city's clock minus the time of the last event judged, in seconds; 0 without lag.
    pub lag_s: f64,
    /// Values judged since the start.
    pub values: u64,
    /// Outcomes written since the start.
    pub outcomes: u64,
    /// States in memory.
    pub states: u64,
}

/// What the task does now and then.
struct Pace {
    reconciled: bool,
    next_tick: Instant,
    next_checkpoint: Instant,
    next_refresh: Instant,
}

#[derive(Default)]
struct Counters {
    at: AtomicI64,
    values: AtomicU64,
    outcomes: AtomicU64,
    states: AtomicU64,
    /// Cursor and outcomes at the last checkpoint: without news there is nothing to keep.
    kept: parking_lot::Mutex<Option<(i64, u64)>>,
}

/// The rules engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    registers: Arc<dyn Registers>,
    escalations: Escalations,
    counters: Counters,
    /// Number of the last event judged and written.
    cursor: watch::Sender<i64>,
    evaluator: tokio::sync::Mutex<Evaluator>,
    stop: watch::Sender<bool>,
    worker: parking_lot::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Engine {
    /// Takes up the work where the last checkpoint stood and follows the log in a task of its own
    /// until [`Engine::shutdown`].
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
        observations: Arc<dyn Observations>,
        registers: Arc<dyn Registers>,
    ) -> Result<Arc<Engine>, Fault> {
        let engine = Engine::prepare(store, clock, declared, observations, registers).await?;
        let worker = tokio::spawn(engine.clone().follow());
        *engine.worker.lock() = Some(worker);
        Ok(engine)
    }

    /// The engine without its task: for tests and tools that call [`Engine::catch_up`] themselves.
    pub async fn prepare(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
        observations: Arc<dyn Observations>,
        registers: Arc<dyn Registers>,
    ) -> Result<Arc<Engine>, Fault> {
        let make = || Evaluator::new(&declared, Arc::new(observations.clone()));
        let mut evaluator = make();
        let mut missing = evaluator.registers();
        let mut cursor = 0;
        if let Some(memory) = table::memory(&store).await? {
            match evaluator.restore(&memory.state, &memory.records) {
                Ok(names) => (missing, cursor) = (names, memory.cursor),
                Err(error) => {
                    tracing::error!(%error, "the rules begin anew from the start of the log");
                    evaluator = make();
                }
            }
        }
        let mut outcomes = vec![];
        for name in missing {
            let records = registers.cached_all(&name);
            evaluator.load(&name, &records, &mut outcomes);
        }
        evaluator.settle(&mut outcomes);
        let engine = Arc::new(Engine {
            escalations: Escalations::of(&declared),
            counters: Counters::default(),
            cursor: watch::channel(cursor).0,
            evaluator: tokio::sync::Mutex::new(evaluator),
            stop: watch::channel(false).0,
            worker: parking_lot::Mutex::default(),
            store,
            clock,
            registers,
        });
        let mut evaluator = engine.evaluator.lock().await;
        engine.write(&evaluator, &[(cursor, outcomes)]).await?;
        // From now on the log is not pruned past what the rules have read.
        engine.checkpoint(&mut evaluator).await?;
        drop(evaluator);
        Ok(engine)
    }

    /// Stops following and keeps the memory. What cannot be kept is judged again at the next start.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        let worker = self.worker.lock().take();
        if let Some(worker) = worker
            && let Err(error) = worker.await
        {
            tracing::error!(%error, "the rules did not stop cleanly");
        }
        if let Err(fault) = self.keep().await {
            tracing::warn!(%fault, "the memory of the rules was not kept");
        }
    }

    /// Waits until everything up to event `seq` is judged and written.
    pub async fn caught_up(&self, seq: i64) -> Result<(), Fault> {
        let (mut cursor, mut stop) = (self.cursor.subscribe(), self.stop.subscribe());
        tokio::select! {
            reached = cursor.wait_for(|cursor| *cursor >= seq) => {
                reached.map(drop).map_err(|e| Fault::internal("waiting for the rules", e))
            }
            _ = stop.wait_for(|stop| *stop) => Err(Fault::new(
                FaultKind::Overloaded,
                "system.stopping",
                "系统正在停止",
                "the system is stopping",
            )),
        }
    }

    /// Where the engine stands.
    pub fn status(&self) -> Status {
        let cursor = *self.cursor.borrow();
        let lag = (self.store.events().last_seq() - cursor).max(0);
        let behind = self.clock.now().0 - self.counters.at.load(Ordering::Relaxed);
        Status {
            cursor,
            lag,
            lag_s: match lag {
                0 => 0.0,
                _ => Span(behind.max(0)).as_seconds(),
            },
            values: self.counters.values.load(Ordering::Relaxed),
            outcomes: self.counters.outcomes.load(Ordering::Relaxed),
            states: self.counters.states.load(Ordering::Relaxed),
        }
    }

    async fn follow(self: Arc<Engine>) {
        let mut stop = self.stop.subscribe();
        let mut pause = RETRY[0];
        let mut pace = Pace {
            reconciled: false,
            next_tick: Instant::now(),
            next_checkpoint: Instant::now() + CHECKPOINT,
            next_refresh: Instant::now(),
        };
        while !*stop.borrow() {
            let round = self.round(&mut pace).await;
            let wait = match round {
                Ok(()) => {
                    pause = RETRY[0];
                    TICK
                }
                Err(fault) => {
                    tracing::warn!(%fault, "the rules wait for the store");
                    let wait = pause;
                    pause = (pause * 2).min(RETRY[1]);
                    wait
                }
            };
            let cursor = *self.cursor.borrow();
            let events = self.store.events();
            tokio::select! {
                _ = stop.changed() => {}
                // After a refusal the log must not wake us before the pause is over.
                _ = events.wait_beyond(cursor), if pause == RETRY[0] => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    async fn round(&self, pace: &mut Pace) -> Result<(), Fault> {
        self.catch_up().await?;
        if !pace.reconciled {
            self.reconcile().await?;
            pace.reconciled = true;
        }
        if Instant::now() >= pace.next_refresh {
            self.refresh().await?;
            pace.next_refresh = Instant::now() + REFRESH;
        }
        if Instant::now() >= pace.next_tick {
            self.look_at_clock(self.clock.now() - GRACE).await?;
            pace.next_tick = Instant::now() + TICK;
        }
        if Instant::now() >= pace.next_checkpoint {
            let mut evaluator = self.evaluator.lock().await;
            let bytes = self.checkpoint(&mut evaluator).await?;
            let spacing = Duration::from_secs(bytes / CHECKPOINT_BYTES).max(CHECKPOINT);
            pace.next_checkpoint = Instant::now() + spacing;
        }
        Ok(())
    }

    /// Judges everything in the log. Stops between two readings when the engine stops.
    pub async fn catch_up(&self) -> Result<(), Fault> {
        let events = self.store.events();
        while !*self.stop.borrow() {
            let mut evaluator = self.evaluator.lock().await;
            let cursor = *self.cursor.borrow();
            let some = events.read(cursor, READ_BYTES).await?;
            let Some(last) = some.last() else {
                return Ok(());
            };
            let (seq, at) = (last.seq, last.at);
            let judged = self.judge(&mut evaluator, &some);
            self.write_until_done(&evaluator, &judged).await?;
            self.counters.at.store(at.0, Ordering::Relaxed);
            self.cursor.send_replace(seq);
            let states = evaluator.size() as u64;
            self.counters.states.store(states, Ordering::Relaxed);
            drop(evaluator);
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn judge(&self, evaluator: &mut Evaluator, events: &[Event]) -> Vec<(i64, Vec<Outcome>)> {
        let mut judged = vec![];
        for event in events {
            let mut out = vec![];
            match event.kind {
                EventKind::Observations => self.judge_batch(evaluator, event, &mut out),
                EventKind::Record => self.judge_record(evaluator, event, &mut out),
                _ => {}
            }
            if !out.is_empty() {
                judged.push((event.seq, out));
            }
        }
        judged
    }

    fn judge_batch(&self, evaluator: &mut Evaluator, event: &Event, out: &mut Vec<Outcome>) {
        let mut values = 0;
        let read = store::observations::read_batch(event).and_then(|encoded| {
            let each = |received, row: kernel::observations::Row| {
                values += row.cells.len() as u64;
                evaluator.feed(received, &row, out);
            };
            wire::decode(&encoded, each).map_err(|e| Fault::internal("reading a batch", e))
        });
        // A damaged batch stays damaged: the rules go on with the next one, and say so.
        if let Err(fault) = read {
            tracing::error!(seq = event.seq, %fault, "a batch of the log cannot be judged");
        }
        self.counters.values.fetch_add(values, Ordering::Relaxed);
    }

    fn judge_record(&self, evaluator: &mut Evaluator, event: &Event, out: &mut Vec<Outcome>) {
        let Ok(record) = serde_json::from_slice::<Record>(&event.body) else {
            tracing::error!(seq = event.seq, about = %event.about, "a record of the log cannot be read");
            return;
        };
        let ended = record.valid_to.is_some_and(|to| to <= event.at);
        let not_now = record.valid_from > event.at || record.superseded_at.is_some();
        let current = match (ended, not_now) {
            // The register may be ahead of the log: what the event says of its own time counts.
            (true, _) => None,
            (false, false) => Some(Arc::new(record.clone())),
            // What begins in the future says nothing of now; `refresh` sees it come.
            (false, true) => self.registers.cached(&record.register, &record.key),
        };
        let (register, key) = (&record.register, &record.key);
        evaluator.record(register, key, current.as_deref(), event.at, out);
    }

    /// Follows the clock up to `now`: silence, holds and escalation. Everything in the log must
    /// have been judged before.
    pub async fn look_at_clock(&self, now: Time) -> Result<(), Fault> {
        let mut evaluator = self.evaluator.lock().await;
        let mut outcomes = vec![];
        evaluator.tick(now, &mut outcomes);
        let cursor = *self.cursor.borrow();
        if !outcomes.is_empty() {
            self.write_until_done(&evaluator, &[(cursor, outcomes)])
                .await?;
        }
        drop(evaluator);
        self.escalate(now).await
    }

    /// Compares the records the rules judge by with the registers.
    pub async fn refresh(&self) -> Result<(), Fault> {
        let mut evaluator = self.evaluator.lock().await;
        let mut outcomes = vec![];
        for name in evaluator.registers() {
            let records = self.registers.cached_all(&name);
            evaluator.refresh(&name, &records, self.clock.now() - GRACE, &mut outcomes);
        }
        let cursor = *self.cursor.borrow();
        self.write_until_done(&evaluator, &[(cursor, outcomes)])
            .await
    }

    /// Writes the evaluator's memory with the cursor, when there is news; answers its size in bytes.
    async fn checkpoint(&self, evaluator: &mut Evaluator) -> Result<u64, Fault> {
        let outcomes = self.counters.outcomes.load(Ordering::Relaxed);
        let news = Some((*self.cursor.borrow(), outcomes));
        if *self.counters.kept.lock() == news {
            return Ok(0);
        }
        let state = evaluator.checkpoint();
        let records = evaluator.checkpoint_records();
        let cursor = *self.cursor.borrow();
        let write = async {
            let mut tx = self.store.begin().await?;
            table::keep(&mut tx, cursor, &state, records.as_deref()).await?;
            tx.commit().await
        };
        let written = write.await;
        match &written {
            Ok(()) => *self.counters.kept.lock() = news,
            Err(_) if records.is_some() => evaluator.records_not_kept(),
            Err(_) => {}
        }
        written.map(|()| (state.len() + records.map_or(0, |r| r.len())) as u64)
    }

    /// Writes the memory now.
    pub async fn keep(&self) -> Result<(), Fault> {
        let mut evaluator = self.evaluator.lock().await;
        self.checkpoint(&mut evaluator).await.map(drop)
    }
}

#[async_trait]
impl Alerts for Engine {
    async fn get(&self, id: &str) -> Result<Option<Alert>, Fault> {
        let mut reader = self.store.reader().await?;
        Ok(table::get(&mut reader, id).await?.map(|row| row.alert))
    }

    async fn list(&self, filter: &AlertFilter) -> Result<(Vec<Alert>, Option<String>, u64), Fault> {
        table::page(&mut self.store.reader().await?, filter).await
    }

    async fn open_counts(&self) -> Result<[u64; 4], Fault> {
        table::open_counts(&mut self.store.reader().await?).await
    }

    async fn act(
        &self,
        actor: &Actor,
        id: &str,
        verb: AlertVerb,
        expect_version: Option<i64>,
    ) -> Result<Alert, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(mut row) = table::get(&mut tx, id).await? else {
            return Err(Fault::missing(id));
        };
        officer::act(&mut row.alert, actor, &verb, expect_version, now)?;
        if row.alert.state != AlertState::Open {
            row.escalate_at = None; // somebody has looked at it
        }
        let details = serde_json::to_value(&verb)
            .map_err(|e| Fault::internal("writing down what was done with an alert", e))?;
        let entry = AuditEntry {
            at: now,
            account: actor.account.clone(),
            verb: officer::word(&verb).into(),
            object: "alerts".into(),
            subject: id.into(),
            purpose: actor.grant.purpose.clone(),
            basis: actor.grant.basis.clone(),
            details: actor.on_behalf(details),
            outcome: "done".into(),
        };
        writer::put(&mut tx, &row, now).await?;
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(row.alert)
    }
}
