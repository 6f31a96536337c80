//! One connection: reads what is there, commits it in batches of which several may be under way,
//! and answers in order after each commit. Reading pauses while too much is under way, while the
//! rate is exceeded and while an answer is being written; nothing accepted is ever dropped.

use super::Shared;
use super::book::Entry;
use super::counters::Closed;
use super::ingest::{Batch, take};
use crate::codec::Splitter;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use kernel::observations::{Receipt, Row};
use kernel::{Fault, Time};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout};

/// Bytes read at once; one reading makes one batch.
const READ_BYTES: usize = 64 * 1024;
/// Memory one reading may take while it waits for the disk, in KiB: decoded rows, their copy and
/// the answers weigh about four times the frames.
pub(super) const BATCH_KIB: u32 = (READ_BYTES / 1024 * 4) as u32;
/// Commands waiting to be sent on one connection.
const OUTBOX: usize = 32;
/// Devices one connection may speak for and still have them marked as connected.
const SERVED: usize = 10_000;

/// Longer than anything a connection waits for on our side.
const FAR: Duration = Duration::from_secs(3600);

thread_local! {
    /// Read buffer of the thread, so that thousands of quiet connections hold no memory.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A connection as others see it.
pub(super) struct Link {
    pub id: u64,
    pub peer: String,
    pub since: Time,
    pub frames: AtomicU64,
    pub bytes: AtomicU64,
    served: Mutex<Vec<(Arc<Entry>, Box<str>)>>,
    outbox: Mutex<VecDeque<Vec<u8>>>,
    bell: Notify,
    /// Taken by a batch that the engine refused, so that later ones wait behind it: a correction
    /// must not be overtaken by what it corrects. Values and states go separate ways.
    value_turn: Turn,
    state_turn: Turn,
}

type Turn = tokio::sync::Mutex<()>;

impl Link {
    pub fn new(id: u64, peer: String, since: Time) -> Link {
        Link {
            id,
            peer,
            since,
            frames: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            served: Mutex::default(),
            outbox: Mutex::default(),
            bell: Notify::new(),
            value_turn: Turn::default(),
            state_turn: Turn::default(),
        }
    }

    /// Hands over a message to be sent; false when too many wait already.
    pub fn send(&self, message: Vec<u8>) -> bool {
        let mut outbox = self.outbox.lock();
        if outbox.len() >= OUTBOX {
            return false;
        }
        outbox.push_back(message);
        self.bell.notify_one();
        true
    }

    /// Remembers that this connection speaks for a device.
    pub fn serve(&self, entry: &Arc<Entry>, mn: &str) {
        let mut served = self.served.lock();
        let known = |(e, _): &(Arc<Entry>, Box<str>)| Arc::ptr_eq(e, entry);
        // The last one is nearly always the one.
        if !served.last().is_some_and(known) && served.len() < SERVED && !served.iter().any(known) {
            served.push((entry.clone(), mn.into()));
        }
    }

    /// The device this connection speaks for, when it is one.
    pub fn thing(&self) -> Option<String> {
        match self.served.lock().as_slice() {
            [(_, mn)] => Some(mn.to_string()),
            _ => None,
        }
    }

    fn close(self: &Arc<Link>, shared: &Shared) {
        for (entry, _) in std::mem::take(&mut *self.served.lock()) {
            entry.disconnected(self);
            entry.hand_over(&shared.city);
        }
    }
}

/// What the connection is waiting to be allowed to do next.
struct State {
    splitter: Splitter,
    /// Bytes are there to be read; waiting for memory.
    ready: bool,
    /// The other side has sent its last byte.
    ended: bool,
    /// Pieces still allowed by the rate.
    allowance: f64,
    counted: Instant,
    last_byte: Instant,
    /// Since when an incomplete frame has been waiting.
    partial_since: Option<Instant>,
}

/// Serves a connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream, link: Arc<Link>) {
    let why = converse(&shared, &stream, &link).await;
    shared.counters.close(why);
    link.close(&shared);
    tracing::debug!(peer = link.peer, ?why, "connection closed");
}

async fn converse(shared: &Arc<Shared>, stream: &TcpStream, link: &Arc<Link>) -> Closed {
    let mut stopping = shared.stopping.subscribe();
    let mut under_way = FuturesOrdered::new();
    let mut state = State::new(shared);
    loop {
        let stop = *stopping.borrow();
        if (stop || state.ended) && under_way.is_empty() {
            return if stop {
                Closed::Stopping
            } else {
                Closed::ByPeer
            };
        }
        let pause = state.pause(shared);
        let may_read = !stop
            && !state.ended
            && pause.is_none()
            && under_way.len() < shared.config.batches_in_flight.max(1);
        let (deadline, why) = state.deadline(shared);
        // The other side's time runs only while we are the ones who wait.
        let waiting = may_read && !state.ready;
        let wake = match (waiting, pause) {
            (true, _) => deadline,
            (false, Some(pause)) => pause,
            (false, None) => Instant::now() + FAR,
        };
        tokio::select! {
            biased;
            Some(done) = under_way.next(), if !under_way.is_empty() => {
                let Ok(batch) = done else { return Closed::Overload };
                if let Err(why) = answer(shared, stream, batch).await {
                    return why;
                }
            }
            () = link.bell.notified() => {
                let messages = std::mem::take(&mut *link.outbox.lock());
                for message in messages {
                    if let Err(why) = write_all(shared, stream, &message).await {
                        return why;
                    }
                }
            }
            permit = shared.memory.clone().acquire_many_owned(BATCH_KIB), if may_read && state.ready => {
                let Ok(permit) = permit else { return Closed::Stopping };
                state.ready = false;
                let Ok(batch) = read(shared, stream, link, &mut state) else {
                    return Closed::ByPeer;
                };
                if batch.pieces > 0 {
                    under_way.push_back(Box::pin(commit(shared.clone(), link.clone(), batch, permit)));
                }
            }
            readable = stream.readable(), if may_read && !state.ready => {
                if readable.is_err() {
                    return Closed::ByPeer;
                }
                state.ready = true;
            }
            _ = stopping.changed() => {}
            () = sleep_until(wake) => {
                if waiting && under_way.is_empty() {
                    return why;
                }
                if waiting {
                    state.last_byte = Instant::now();
                    state.partial_since = state.partial_since.map(|_| state.last_byte);
                }
            }
        }
    }
}

impl State {
    fn new(shared: &Shared) -> State {
        let now = Instant::now();
        State {
            splitter: Splitter::new(shared.config.max_line_bytes),
            ready: false,
            ended: false,
            allowance: f64::from(shared.config.frames_per_s),
            counted: now,
            last_byte: now,
            partial_since: None,
        }
    }

    /// Until when reading must pause to keep the rate.
    fn pause(&mut self, shared: &Shared) -> Option<Instant> {
        let rate = f64::from(shared.config.frames_per_s);
        if rate == 0.0 {
            return None;
        }
        let now = Instant::now();
        let gained = (now - self.counted).as_secs_f64() * rate;
        self.counted = now;
        self.allowance = (self.allowance + gained).min(rate);
        (self.allowance < 0.0).then(|| now + Duration::from_secs_f64(-self.allowance / rate))
    }

    /// When the connection will have been idle, or a frame incomplete, for too long.
    fn deadline(&self, shared: &Shared) -> (Instant, Closed) {
        let idle = self.last_byte + Duration::from_secs(shared.config.idle_time_out_s);
        let span = Duration::from_secs(shared.config.frame_time_out_s);
        match self.partial_since.map(|since| since + span) {
            Some(slow) if slow < idle => (slow, Closed::SlowFrame),
            _ => (idle, Closed::Idle),
        }
    }
}

/// Reads what is there, at most one buffer full, and decodes every complete frame.
fn read(
    shared: &Shared,
    stream: &TcpStream,
    link: &Arc<Link>,
    state: &mut State,
) -> std::io::Result<Batch> {
    let mut batch = Batch::default();
    SCRATCH.with_borrow_mut(|scratch| {
        let count = match stream.try_read(scratch) {
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(e) => return Err(e),
        };
        link.bytes.fetch_add(count as u64, Relaxed);
        state.splitter.feed(&scratch[..count]);
        state.last_byte = Instant::now();
        state.ended = count == 0;
        Ok(())
    })?;
    while let Some(piece) = state.splitter.next_piece() {
        take(shared, link, piece, &mut batch);
    }
    if state.ended
        && let Some(piece) = state.splitter.finish()
    {
        take(shared, link, piece, &mut batch);
    }
    state.splitter.rest();
    state.allowance -= batch.pieces as f64;
    if state.splitter.pending() == 0 {
        state.partial_since = None;
    } else if batch.pieces > 0 || state.partial_since.is_none() {
        state.partial_since = Some(state.last_byte);
    }
    Ok(batch)
}

/// Makes a batch durable. An overloaded or failing engine is asked again with growing pauses;
/// after the patience of the configuration the connection is given up, unacknowledged.
async fn commit(
    shared: Arc<Shared>,
    link: Arc<Link>,
    mut batch: Batch,
    _memory: OwnedSemaphorePermit,
) -> Result<Batch, Fault> {
    let rows = std::mem::take(&mut batch.rows);
    let states = std::mem::take(&mut batch.states);
    let (values, states) = tokio::join!(
        write(&shared, &link.value_turn, rows),
        write(&shared, &link.state_turn, states)
    );
    let (values, states) = (values?, states?);
    let counters = &shared.counters;
    counters.values_stored.fetch_add(values.stored, Relaxed);
    counters.duplicates.fetch_add(values.duplicates, Relaxed);
    counters.corrected.fetch_add(values.corrected, Relaxed);
    counters.states_stored.fetch_add(states.stored, Relaxed);
    Ok(batch)
}

async fn write(shared: &Shared, turn: &Turn, rows: Vec<Row>) -> Result<Receipt, Fault> {
    if rows.is_empty() {
        return Ok(Receipt::default());
    }
    let mut held = match turn.try_lock() {
        Ok(_) => None,
        Err(_) => Some(turn.lock().await),
    };
    let give_up = Instant::now() + Duration::from_secs(shared.config.overload_patience_s);
    let mut pause = Duration::from_millis(50);
    loop {
        let fault = match shared.city.observations.write(rows.clone()).await {
            Ok(receipt) => return Ok(receipt),
            Err(fault) => fault,
        };
        if Instant::now() + pause > give_up {
            tracing::error!(%fault, rows = rows.len(), "writing given up; station must send again");
            return Err(fault);
        }
        if held.is_none() {
            held = Some(turn.lock().await);
        }
        shared.counters.write_retries.fetch_add(1, Relaxed);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
    }
}

async fn answer(shared: &Shared, stream: &TcpStream, batch: Batch) -> Result<(), Closed> {
    if batch.answers.is_empty() {
        return Ok(());
    }
    write_all(shared, stream, &batch.answers).await?;
    shared
        .counters
        .answers_sent
        .fetch_add(batch.answer_count, Relaxed);
    Ok(())
}

async fn write_all(shared: &Shared, stream: &TcpStream, mut bytes: &[u8]) -> Result<(), Closed> {
    let limit = Duration::from_secs(shared.config.write_time_out_s);
    let writing = async {
        while !bytes.is_empty() {
            stream.writable().await.map_err(|_| Closed::ByPeer)?;
            match stream.try_write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Err(Closed::ByPeer),
            }
        }
        Ok(())
    };
    timeout(limit, writing)
        .await
        .unwrap_or(Err(Closed::SlowReader))
}
