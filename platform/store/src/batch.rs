//! Batch: write transactions that wait for one commit. While others queue at the gate, a finished
//! transaction leaves the database's transaction open for the next one, which begins at a
//! savepoint; the last of them commits for all. Each is acknowledged after that commit and not
//! before, so many share one fsync and none is acknowledged without.
//!
//! Whoever queued when a batch was left open belongs to it, nobody later: the one who commits
//! queues behind them. Alone at the gate a transaction begins and commits as if there were no
//! batches.

use crate::events::PendingEvents;
use crate::sql::{Backend, Link, Plain, Run};
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
    /// The savepoint of the last member is still set: the next one sets its own in its place with
    /// one statement. A commit releases it too.
    set: bool,
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
    /// It joined a batch and its savepoint is set: before that it has written nothing.
    placed: bool,
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
        let mut turn = Turn {
            shared,
            connection: Some(connection),
            placed: false,
            broke: None,
            heads: batch.heads.clone(),
            batch: Some(batch),
        };
        if !begins {
            let set = turn.batch.as_mut().is_some_and(|batch| batch.set);
            let place = match set {
                true => Plain("RELEASE SAVEPOINT member; SAVEPOINT member"),
                false => Plain("SAVEPOINT member"),
            };
            turn.execute(&place).await?;
            turn.placed = true;
            return Ok(turn);
        }
        // At once, not at the first write: what it reads is then what it changes.
        let begin = match backend {
            Backend::Sqlite => Plain("BEGIN IMMEDIATE"),
            Backend::Postgres => Plain("BEGIN"),
        };
        turn.execute(&begin).await?;
        if backend == Backend::Postgres {
            turn.execute(&LOCK).await?;
        }
        turn.heads = Heads::default();
        if let Some(batch) = &mut turn.batch {
            batch.set = false;
            batch.number += 1;
            batch.began = Some(Instant::now());
        }
        Ok(turn)
    }

    /// Ends the turn and returns when what was written is on the disk.
    pub(crate) async fn finish(mut self, pending: PendingEvents) -> Result<(), Fault> {
        // PostgreSQL takes one statement at a time.
        let later = self.shared.pools.backend() == Backend::Sqlite;
        if self.placed && !later {
            self.execute(&Plain("RELEASE SAVEPOINT member")).await?;
        }
        let (Some(mut batch), Some(connection)) = (self.batch.take(), self.connection.take())
        else {
            return Err(Fault::internal("ending a transaction", "it has ended"));
        };
        let (told, answer) = oneshot::channel();
        batch.members.push(Member { pending, told });
        batch.heads = std::mem::take(&mut self.heads);
        batch.set = self.placed && later;
        let first = batch.members.len() == 1;
        let full = batch.members.len() >= MEMBERS;
        let old = batch.began.is_none_or(|began| began.elapsed() > OPEN_LIMIT);
        let others = self.shared.gate.queued.load(Ordering::Acquire) > 0;
        if others && !full && !old {
            batch.open = Some(connection);
            drop(batch);
            if first {
                tokio::spawn(close(self.shared.clone()));
            }
        } else {
            settle(&self.shared, batch, connection).await;
        }
        let gone = |_| Err(faults::unavailable("committing", "the program is ending"));
        answer.await.unwrap_or_else(gone)
    }
}

impl Run for Turn {
    fn link(&mut self) -> Link<'_> {
        match &mut self.connection {
            Some(connection) => connection.link(),
            None => unreachable!("the connection is taken only by the end of its turn"),
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
        let (shared, placed) = (self.shared.clone(), self.placed);
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
                true => Plain("ROLLBACK TO SAVEPOINT member"),
                false => Plain("SELECT 1"),
            };
            let mut undone = connection.execute(&undo).await;
            if placed && undone.is_ok() {
                undone = connection.execute(&Plain("RELEASE SAVEPOINT member")).await;
            }
            match undone {
                // At once: somebody may wait to read what was seen.
                Ok(_) => settle(&shared, batch, connection).await,
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
        settle(&shared, batch, connection).await;
    }
}

/// Commits an open batch, if there is one, and keeps the gate shut until the guard is dropped.
pub(crate) async fn shut(shared: &Arc<Shared>) -> OwnedMutexGuard<Batch> {
    loop {
        let mut batch = shared.gate.batch.clone().lock_owned().await;
        match batch.open.take() {
            Some(connection) => settle(shared, batch, connection).await,
            None => return batch,
        }
    }
}

/// Commits, and tells every member how it ended.
async fn settle(shared: &Shared, mut batch: OwnedMutexGuard<Batch>, mut connection: Connection) {
    let outcome = connection.execute(&Plain("COMMIT")).await;
    shared.wrote(outcome.as_ref().map(|_| ()));
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
