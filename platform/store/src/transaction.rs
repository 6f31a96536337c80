//! Transactions: the one that writes, and connections that read.
//!
//! The library's own transactions are not used: SQLite ends a transaction by itself when the disk
//! is full, and the library then takes the connection for busy for ever. Here a transaction that
//! cannot be rolled back costs its connection, and the next one gets a new one.

use crate::events::PendingEvents;
use crate::pools::Pools;
use crate::sql::{Backend, Link, Plain, Run};
use crate::{Shared, faults};
use kernel::Fault;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a writer waits for the one before it.
pub const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// Held by the one transaction that writes to a PostgreSQL store, whichever process it is in, so
/// that the numbers of events are committed in their order. The number is arbitrary and ours.
const LOCK: Plain = Plain("SELECT pg_advisory_xact_lock(5281436190251)");

enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    async fn of_writer(pools: &Pools) -> Result<Connection, Fault> {
        let fault = |e| faults::from_sqlx("beginning a transaction", e);
        Ok(match pools {
            Pools::Sqlite { writer, .. } => {
                Connection::Sqlite(writer.acquire().await.map_err(fault)?)
            }
            Pools::Postgres { writer, .. } => {
                Connection::Postgres(writer.acquire().await.map_err(fault)?)
            }
        })
    }

    async fn of_reader(pools: &Pools) -> Result<Connection, Fault> {
        let fault = |e| faults::from_sqlx("reading", e);
        Ok(match pools {
            Pools::Sqlite { readers, .. } => {
                Connection::Sqlite(readers.acquire().await.map_err(fault)?)
            }
            Pools::Postgres { readers, .. } => {
                Connection::Postgres(readers.acquire().await.map_err(fault)?)
            }
        })
    }

    /// The pool makes a new connection in place of this one.
    fn give_up(&mut self) {
        match self {
            Connection::Sqlite(connection) => connection.close_on_drop(),
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
}

/// A connection in a transaction. Dropped before [`Held::commit`] it is rolled back, by a task of
/// its own because that takes a moment, and only then do the connection and the gate become free.
struct Held {
    /// `None` only after the end.
    connection: Option<Connection>,
    /// Held by the one writer of this process.
    gate: Option<OwnedMutexGuard<()>>,
}

impl Held {
    async fn begin(
        connection: Connection,
        gate: Option<OwnedMutexGuard<()>>,
        statement: Plain,
    ) -> Result<Held, Fault> {
        let mut held = Held {
            connection: Some(connection),
            gate,
        };
        held.execute(&statement).await?;
        Ok(held)
    }

    /// Commits, and makes the connection free; returns the gate, still held.
    async fn commit(mut self) -> Result<Option<OwnedMutexGuard<()>>, Fault> {
        self.execute(&Plain("COMMIT")).await?;
        drop(self.connection.take());
        Ok(self.gate.take())
    }
}

impl Run for Held {
    fn link(&mut self) -> Link<'_> {
        match &mut self.connection {
            Some(connection) => connection.link(),
            None => unreachable!("the connection is taken only by the end of its transaction"),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let gate = self.gate.take();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            connection.give_up();
            return;
        };
        runtime.spawn(async move {
            if connection.execute(&Plain("ROLLBACK")).await.is_err() {
                connection.give_up();
            }
            drop(connection);
            drop(gate);
        });
    }
}

/// The write transaction. Dropped without [`Tx::commit`] it leaves nothing behind. After a
/// statement failed it can only be dropped.
pub struct Tx {
    held: Held,
    failed: bool,
    pub(crate) pending: PendingEvents,
    shared: Arc<Shared>,
}

impl Tx {
    pub(crate) async fn begin(shared: Arc<Shared>) -> Result<Tx, Fault> {
        let outcome = Tx::begin_on(shared.clone()).await;
        outcome.inspect_err(|fault| shared.wrote(Err(fault)))
    }

    async fn begin_on(shared: Arc<Shared>) -> Result<Tx, Fault> {
        let gate = tokio::time::timeout(WAIT_LIMIT, shared.gate.clone().lock_owned())
            .await
            .map_err(|_| Fault::overloaded("store", 5))?;
        let connection = Connection::of_writer(&shared.pools).await?;
        let backend = shared.pools.backend();
        let begin = match backend {
            // At once, not at the first write: what it reads is then what it changes.
            Backend::Sqlite => Plain("BEGIN IMMEDIATE"),
            Backend::Postgres => Plain("BEGIN"),
        };
        let mut held = Held::begin(connection, Some(gate), begin).await?;
        if backend == Backend::Postgres {
            held.execute(&LOCK).await?;
        }
        let pending = PendingEvents::default();
        Ok(Tx {
            held,
            failed: false,
            pending,
            shared,
        })
    }

    /// Makes everything durable, and then known to the readers of the log. Once begun it is
    /// finished even if the caller no longer waits.
    pub async fn commit(self) -> Result<(), Fault> {
        if self.failed {
            let cause = "a statement of it failed before";
            return Err(Fault::internal("committing a transaction", cause));
        }
        let outcome = tokio::spawn(self.finish()).await;
        outcome.unwrap_or_else(|e| Err(Fault::internal("committing a transaction", e)))
    }

    async fn finish(self) -> Result<(), Fault> {
        let Tx {
            held,
            pending,
            shared,
            ..
        } = self;
        let outcome = held.commit().await;
        shared.wrote(outcome.as_ref().map(|_| ()));
        let gate = outcome?;
        if let Some(stamps) = shared.stamps.get() {
            stamps.committed();
        }
        // The next writer begins after this, so events become known in their order.
        pending.publish(&shared);
        drop(gate);
        Ok(())
    }
}

impl Run for Tx {
    fn link(&mut self) -> Link<'_> {
        self.held.link()
    }
    fn failed(&mut self, fault: &Fault) {
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
        let held = Held::begin(Connection::of_reader(pools).await?, None, begin).await?;
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
}
