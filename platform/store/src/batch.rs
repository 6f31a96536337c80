//! Batch: write transactions that wait for one commit. While others queue at the gate, a finished
//! transaction leaves the database's transaction open for the next one, which begins at a
//! savepoint; the last of them commits for all. Each is acknowledged after that commit and not
//! before, so many share one fsync and none is acknowledged without.
//!
//! The thread that speaks to SQLite is woken for every statement, which costs more than most of
//! them; so what opens a turn is said together with its first statement, and writes that nobody
//! waits for ([`crate::Tx::execute_later`]) with the one that follows them. Savepoints have two
//! names in turn: the one before may still be set.
//!
//! Whoever queued when a batch was left open belongs to it, nobody later: the one who commits
//! queues behind them. Alone at the gate a transaction begins and commits as if there were no
//! batches.

use crate::events::PendingEvents;
use crate::sql::{self, Backend, Link, Owed, Plain, Run, Statement};
use crate::transaction::{Connection, WAIT_LIMIT};
use crate::{Shared, faults};
use kernel::Fault;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};

/// Transactions of one commit, at most.
const MEMBERS: usize = 32;
/// No transaction joins a batch that is older.
const OPEN_LIMIT: Duration = Duration::from_millis(20);

/// Held by the one transaction that writes to a PostgreSQL store, whichever process it is in, so
/// that the numbers of events are committed in their order. The number is arbitrary and ours.
const LOCK: Plain = Plain("SELECT pg_advisory_xact_lock(5281436190251)");

/// A savepoint, in the words for it.
struct Place {
    set: &'static str,
    /// Where the other one is still set.
    instead: &'static str,
    undo: Plain,
    release: Plain,
}

/// Used in turn.
static PLACES: [Place; 2] = [
    Place {
        set: "SAVEPOINT odd",
        instead: "RELEASE SAVEPOINT even; SAVEPOINT odd",
        undo: Plain("ROLLBACK TO SAVEPOINT odd"),
        release: Plain("RELEASE SAVEPOINT odd"),
    },
    Place {
        set: "SAVEPOINT even",
        instead: "RELEASE SAVEPOINT odd; SAVEPOINT even",
        undo: Plain("ROLLBACK TO SAVEPOINT even"),
        release: Plain("RELEASE SAVEPOINT even"),
    },
];

/// What opens a turn and has not been said yet.
enum Opening {
    Said,
    Begin,
    Place,
}

/// What the newest rows of the logs are, as far as this batch knows; asked once and not for every
/// transaction of it.
#[derive(Clone, Default)]
pub(crate) struct Heads {
    /// Number of the last event.
    pub(crate) event: Option<i64>,
    /// Number and hash of the last entry of the audit log.
    pub(crate) audit: Option<(i64, Vec<u8>)>,
}

/// What stands behind the gate.
#[derive(Default)]
pub(crate) struct Batch {
    /// The connection, while its transaction waits for the next member.
    open: Option<Connection>,
    /// The savepoint of the last member, while it is set: the next one sets its own in its place.
    /// A commit releases it too.
    set: Option<usize>,
    members: Vec<Member>,
    heads: Heads,
    number: u64,
    began: Option<Instant>,
}

/// A finished transaction that waits for the commit.
struct Member {
    pending: PendingEvents,
    told: oneshot::Sender<Result<(), Fault>>,
}

/// The one place where transactions that write queue.
pub(crate) struct Gate {
    batch: Arc<Mutex<Batch>>,
    /// Transactions that queue.
    queued: AtomicUsize,
    /// The newest batch whose uncommitted writes somebody may have seen who wrote nothing.
    seen: AtomicU64,
    /// The newest batch that ended, and the newest that was lost.
    ended: watch::Sender<(u64, u64)>,
}

impl Gate {
    pub(crate) fn new() -> Gate {
        Gate {
            batch: Arc::default(),
            queued: AtomicUsize::new(0),
            seen: AtomicU64::new(0),
            ended: watch::Sender::new((0, 0)),
        }
    }

    /// Does anybody queue?
    fn awaited(&self) -> bool {
        self.queued.load(Ordering::Acquire) > 0
    }

    /// Returns once what an abandoned transaction may have seen of others is on the disk, which is
    /// one commit away at most; refused when it never will be.
    pub(crate) async fn settled(&self) -> Result<(), Fault> {
        let seen = self.seen.load(Ordering::Acquire);
        if self.ended.borrow().0 >= seen {
            return Ok(());
        }
        let mut ended = self.ended.subscribe();
        let over = ended.wait_for(|(ended, _)| *ended >= seen);
        match tokio::time::timeout(WAIT_LIMIT, over).await {
            Ok(Ok(state)) if state.1 != seen => Ok(()),
            _ => Err(Fault::overloaded("store", 1)),
        }
    }
}

struct Queued<'a>(&'a AtomicUsize);

impl Queued<'_> {
    fn new(count: &AtomicUsize) -> Queued<'_> {
        count.fetch_add(1, Ordering::AcqRel);
        Queued(count)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A transaction's turn at the gate. Dropped before [`Turn::finish`] what it wrote is rolled back,
/// by a task of its own because that takes a moment, and only then does the next one begin.
pub(crate) struct Turn {
    shared: Arc<Shared>,
    /// `None` only after the end.
    connection: Option<Connection>,
    /// `None` only after the end.
    batch: Option<OwnedMutexGuard<Batch>>,
    opening: Opening,
    /// Which savepoint is its own, when it joined a batch.
    place: usize,
    /// It joined a batch and its savepoint is set: before that it has written nothing.
    placed: bool,
    /// Statements that were put off.
    put_off: Owed,
    /// Why a statement failed.
    broke: Option<Fault>,
    pub(crate) heads: Heads,
}

impl Turn {
    pub(crate) async fn begin(shared: Arc<Shared>) -> Result<Turn, Fault> {
        let queued = Queued::new(&shared.gate.queued);
        let gate = shared.gate.batch.clone().lock_owned();
        let mut batch = tokio::time::timeout(WAIT_LIMIT, gate)
            .await
            .map_err(|_| Fault::overloaded("store", 5))?;
        drop(queued);
        let joined = batch.open.take();
        let begins = joined.is_none();
        let connection = match joined {
            Some(connection) => connection,
            None => Connection::of_writer(&shared.pools).await?,
        };
        let backend = shared.pools.backend();
        let place = batch.set.map_or(0, |other| 1 - other);
        let mut turn = Turn {
            shared,
            connection: Some(connection),
            opening: Opening::Said,
            place,
            placed: false,
            put_off: Owed::default(),
            broke: None,
            heads: batch.heads.clone(),
            batch: Some(batch),
        };
        match (begins, backend) {
            (false, Backend::Sqlite) => turn.opening = Opening::Place,
            (false, Backend::Postgres) => {
                turn.execute(&Plain(PLACES[place].set)).await?;
                turn.placed = true;
            }
            (true, Backend::Sqlite) => turn.opening = Opening::Begin,
            (true, Backend::Postgres) => {
                turn.execute(&Plain("BEGIN")).await?;
                turn.execute(&LOCK).await?;
            }
        }
        if let (true, Some(batch)) = (begins, &mut turn.batch) {
            batch.set = None;
            batch.number += 1;
            batch.began = Some(Instant::now());
            turn.heads = Heads::default();
        }
        Ok(turn)
    }

    /// Puts a statement off until the next one, or until there are many.
    pub(crate) async fn put_off(&mut self, statement: &impl Statement) -> Result<(), Fault> {
        self.put_off.add(statement)?;
        match self.put_off.is_long() {
            true => sql::pay(self).await,
            false => Ok(()),
        }
    }

    /// Ends the turn and returns when what was written is on the disk.
    pub(crate) async fn finish(mut self, pending: PendingEvents) -> Result<(), Fault> {
        let quiet = self.put_off.is_empty();
        if matches!(self.opening, Opening::Begin) && quiet {
            // Not a word was said: nothing is to be made durable.
            self.batch = None;
            return Ok(());
        }
        let shared = self.shared.clone();
        let alone = |batch: &OwnedMutexGuard<Batch>| batch.members.is_empty();
        let last = match self.batch.as_ref().is_some_and(alone) && !shared.gate.awaited() {
            // With the commit, which is nobody else's.
            true => self.owed(),
            false if quiet => None,
            false => {
                let paid = sql::pay(&mut self).await;
                paid.inspect_err(|fault| shared.wrote(Err(fault)))?;
                None
            }
        };
        // PostgreSQL takes one statement at a time.
        let later = shared.pools.backend() == Backend::Sqlite;
        if self.placed && !later {
            self.execute(&PLACES[self.place].release).await?;
        }
        let (Some(mut batch), Some(connection)) = (self.batch.take(), self.connection.take())
        else {
            return Err(Fault::internal("ending a transaction", "it has ended"));
        };
        let (told, answer) = oneshot::channel();
        batch.members.push(Member { pending, told });
        batch.heads = std::mem::take(&mut self.heads);
        if self.placed {
            batch.set = later.then_some(self.place);
        }
        let first = batch.members.len() == 1;
        let full = batch.members.len() >= MEMBERS;
        let old = batch.began.is_none_or(|began| began.elapsed() > OPEN_LIMIT);
        if last.is_none() && shared.gate.awaited() && !full && !old {
            batch.open = Some(connection);
            drop(batch);
            if first {
                tokio::spawn(close(shared));
            }
        } else {
            settle(&shared, batch, connection, last).await;
        }
        let gone = |_| Err(faults::unavailable("committing", "the program is ending"));
        answer.await.unwrap_or_else(gone)
    }
}

impl Run for Turn {
    fn owed(&mut self) -> Option<Owed> {
        let mut owed = Owed::default();
        match std::mem::replace(&mut self.opening, Opening::Said) {
            Opening::Said => {}
            // At once, not at the first write: what it reads is then what it changes.
            Opening::Begin => owed.say("BEGIN IMMEDIATE"),
            Opening::Place => {
                let set = self.batch.as_ref().is_some_and(|batch| batch.set.is_some());
                let place = &PLACES[self.place];
                owed.say(if set { place.instead } else { place.set });
                self.placed = true;
            }
        }
        let put_off = std::mem::take(&mut self.put_off);
        if !put_off.is_empty() {
            owed.append(put_off);
        }
        Some(owed)
    }
    fn link(&mut self) -> Link<'_> {
        match &mut self.connection {
            Some(connection) => connection.link(),
            None => unreachable!("the connection is taken only by the end of its turn"),
        }
    }
    fn answered(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.answered();
        }
    }
    fn failed(&mut self, fault: &Fault) {
        self.broke.get_or_insert_with(|| fault.clone());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (Some(mut batch), Some(mut connection)) = (self.batch.take(), self.connection.take())
        else {
            return;
        };
        if self.placed {
            // Who is told something now may be told of what the others wrote.
            let seen = &self.shared.gate.seen;
            seen.fetch_max(batch.number, Ordering::AcqRel);
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            connection.give_up();
            batch.members.clear();
            return;
        };
        if matches!(self.opening, Opening::Begin) {
            // Not a word was said.
            return;
        }
        let (shared, placed, place) = (self.shared.clone(), self.placed, self.place);
        let broke = self.broke.take();
        runtime.spawn(async move {
            if batch.members.is_empty() {
                if connection.execute(&Plain("ROLLBACK")).await.is_err() {
                    connection.give_up();
                }
                drop(connection);
                return;
            }
            // Without a savepoint of its own it wrote nothing. But if setting it failed, PostgreSQL
            // takes the whole transaction for failed, and would undo it at `COMMIT` without a word.
            let undo = match placed {
                true => &PLACES[place].undo,
                false => &Plain("SELECT 1"),
            };
            let mut undone = connection.execute(undo).await;
            if placed && undone.is_ok() {
                undone = connection.execute(&PLACES[place].release).await;
            }
            match undone {
                // At once: somebody may wait to read what was seen.
                Ok(_) => settle(&shared, batch, connection, None).await,
                Err(_) => {
                    // The database gave the whole transaction up, as SQLite does when the disk
                    // is full: nobody was told yet that anything was written.
                    if connection.execute(&Plain("ROLLBACK")).await.is_err() {
                        connection.give_up();
                    }
                    drop(connection);
                    // A full disk is everybody's, another fault that of the one whose it was.
                    let fault = broke.filter(|fault| fault.code.starts_with("store."));
                    let fault = fault.unwrap_or_else(|| Fault::overloaded("store", 1));
                    lose(&shared, &mut batch, &fault);
                }
            }
        });
    }
}

/// Queues behind those who wait now and commits what is open then.
async fn close(shared: Arc<Shared>) {
    let mut batch = shared.gate.batch.clone().lock_owned().await;
    if let Some(connection) = batch.open.take() {
        settle(&shared, batch, connection, None).await;
    }
}

/// Commits an open batch, if there is one, and keeps the gate shut until the guard is dropped.
pub(crate) async fn shut(shared: &Arc<Shared>) -> OwnedMutexGuard<Batch> {
    loop {
        let mut batch = shared.gate.batch.clone().lock_owned().await;
        match batch.open.take() {
            Some(connection) => settle(shared, batch, connection, None).await,
            None => return batch,
        }
    }
}

/// Commits, after what its only member put off, and tells every member how it ended.
async fn settle(
    shared: &Shared,
    mut batch: OwnedMutexGuard<Batch>,
    mut connection: Connection,
    last: Option<Owed>,
) {
    let outcome = match last {
        Some(last) => sql::execute_after(&mut connection, last, &Plain("COMMIT")).await,
        None => connection.execute(&Plain("COMMIT")).await.map(drop),
    };
    shared.wrote(outcome.as_ref().copied());
    if let Err(fault) = outcome {
        if connection.execute(&Plain("ROLLBACK")).await.is_err() {
            connection.give_up();
        }
        drop(connection);
        return lose(shared, &mut batch, &fault);
    }
    drop(connection);
    if let Some(stamps) = shared.stamps.get() {
        stamps.committed();
    }
    // The next writer begins after this, so events become known in their order.
    let members = std::mem::take(&mut batch.members);
    let tell: Vec<_> = members
        .into_iter()
        .map(|member| {
            member.pending.publish(shared);
            member.told
        })
        .collect();
    shared
        .gate
        .ended
        .send_modify(|(ended, _)| *ended = batch.number);
    for told in tell {
        let _ = told.send(Ok(()));
    }
}

/// Tells every member that nothing of theirs was written.
fn lose(shared: &Shared, batch: &mut Batch, fault: &Fault) {
    let number = batch.number;
    shared.gate.ended.send_replace((number, number));
    for member in std::mem::take(&mut batch.members) {
        let _ = member.told.send(Err(fault.clone()));
    }
}
