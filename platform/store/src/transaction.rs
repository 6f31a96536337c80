//! Transactions: the one that writes, and connections that read.
//!
//! The library's own transactions are not used: SQLite ends a transaction by itself when the disk
//! is full, and the library then takes the connection for busy for ever. Here a transaction that
//! cannot be rolled back costs its connection, and the next one gets a new one.

use crate::batch::{Heads, Turn};
use crate::events::PendingEvents;
use crate::pools::Pools;
use crate::shelf::Lent;
use crate::sql::{Backend, Link, Owed, Plain, Run, Statement};
use crate::{Shared, faults};
use kernel::Fault;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use std::sync::Arc;
use std::time::Duration;

/// How long a writer waits for the one before it.
pub const WAIT_LIMIT: Duration = Duration::from_secs(30);

pub(crate) enum Connection {
    Sqlite(Lent),
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    pub(crate) async fn of_writer(pools: &Pools) -> Result<Connection, Fault> {
        let fault = |e| faults::from_sqlx("beginning a transaction", e);
        Ok(match pools {
            Pools::Sqlite { writer, .. } => Connection::Sqlite(writer.lend().await.map_err(fault)?),
            Pools::Postgres { writer, .. } => {
                Connection::Postgres(writer.acquire().await.map_err(fault)?)
            }
        })
    }

    async fn of_reader(pools: &Pools) -> Result<Connection, Fault> {
        let fault = |e| faults::from_sqlx("reading", e);
        Ok(match pools {
            Pools::Sqlite { readers, .. } => {
                Connection::Sqlite(readers.lend().await.map_err(fault)?)
            }
            Pools::Postgres { readers, .. } => {
                Connection::Postgres(readers.acquire().await.map_err(fault)?)
            }
        })
    }

    /// A new connection is made in place of this one.
    pub(crate) fn give_up(&mut self) {
        match self {
            Connection::Sqlite(connection) => connection.give_up(),
            Connection::Postgres(connection) => connection.close_on_drop(),
        }
    }
}

impl Run for Connection {
    fn link(&mut self) -> Link<'_> {
        match self {
            Connection::Sqlite(connection) => Link::Sqlite(connection),
            Connection::Postgres(connection) => Link::Postgres(connection),
        }
    }
    fn answered(&mut self) {
        if let Connection::Sqlite(connection) = self {
            connection.answered();
        }
    }
}

/// A read connection in a transaction. Dropped, the transaction is ended by a task of its own
/// because that takes a moment, and only then is the connection free.
struct Held {
    /// `None` only when dropped.
    connection: Option<Connection>,
}

impl Run for Held {
    fn link(&mut self) -> Link<'_> {
        match &mut self.connection {
            Some(connection) => connection.link(),
            None => unreachable!("the connection is taken only when it is dropped"),
        }
    }
    fn answered(&mut self) {
        if let Some(connection) = &mut self.connection {
            connection.answered();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            connection.give_up();
            return;
        };
        runtime.spawn(async move {
            if connection.execute(&Plain("ROLLBACK")).await.is_err() {
                connection.give_up();
            }
        });
    }
}

/// The write transaction. Dropped without [`Tx::commit`] it leaves nothing behind. After a
/// statement failed it can only be dropped.
pub struct Tx {
    turn: Turn,
    failed: bool,
    pub(crate) pending: PendingEvents,
    shared: Arc<Shared>,
}

impl Tx {
    pub(crate) async fn begin(shared: Arc<Shared>) -> Result<Tx, Fault> {
        let turn = Turn::begin(shared.clone()).await;
        Ok(Tx {
            turn: turn.inspect_err(|fault| shared.wrote(Err(fault)))?,
            failed: false,
            pending: PendingEvents::default(),
            shared,
        })
    }

    /// The newest rows of the logs, as far as they are known without asking.
    pub(crate) fn heads(&mut self) -> &mut Heads {
        &mut self.turn.heads
    }

    /// Runs a statement whose count of rows nobody needs, at the latest before the transaction
    /// ends: SQLite is told of several in one breath. What is wrong with it is then said by the
    /// statement that follows, or by [`Tx::commit`].
    pub(crate) async fn execute_later(&mut self, statement: &impl Statement) -> Result<(), Fault> {
        match self.backend() {
            Backend::Sqlite => {
                let put_off = self.turn.put_off(statement).await;
                put_off.inspect_err(|fault| self.failed(fault))
            }
            Backend::Postgres => self.execute(statement).await.map(drop),
        }
    }

    /// Makes everything durable, and then known to the readers of the log. Once begun it is
    /// finished even if the caller no longer waits.
    pub async fn commit(self) -> Result<(), Fault> {
        if self.failed {
            let cause = "a statement of it failed before";
            return Err(Fault::internal("committing a transaction", cause));
        }
        let Tx { turn, pending, .. } = self;
        let outcome = tokio::spawn(turn.finish(pending)).await;
        outcome.unwrap_or_else(|e| Err(Fault::internal("committing a transaction", e)))
    }
}

impl Run for Tx {
    fn link(&mut self) -> Link<'_> {
        self.turn.link()
    }
    fn owed(&mut self) -> Option<Owed> {
        self.turn.owed()
    }
    fn answered(&mut self) {
        self.turn.answered();
    }
    fn failed(&mut self, fault: &Fault) {
        self.turn.failed(fault);
        self.failed = true;
        self.shared.wrote(Err(fault));
    }
}

/// A connection to read with; it cannot write. Given back when dropped.
pub struct Reader(ReaderInner);

enum ReaderInner {
    Free(Connection),
    Snapshot(Held),
}

impl Reader {
    pub(crate) async fn open(pools: &Pools) -> Result<Reader, Fault> {
        Ok(Reader(ReaderInner::Free(
            Connection::of_reader(pools).await?,
        )))
    }

    pub(crate) async fn snapshot(pools: &Pools) -> Result<Reader, Fault> {
        let begin = match pools.backend() {
            Backend::Sqlite => Plain("BEGIN"),
            Backend::Postgres => Plain("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        };
        let mut held = Held {
            connection: Some(Connection::of_reader(pools).await?),
        };
        held.execute(&begin).await?;
        Ok(Reader(ReaderInner::Snapshot(held)))
    }
}

impl Run for Reader {
    fn link(&mut self) -> Link<'_> {
        match &mut self.0 {
            ReaderInner::Free(connection) => connection.link(),
            ReaderInner::Snapshot(held) => held.link(),
        }
    }
    fn answered(&mut self) {
        match &mut self.0 {
            ReaderInner::Free(connection) => connection.answered(),
            ReaderInner::Snapshot(held) => held.answered(),
        }
    }
}
