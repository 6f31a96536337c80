//! Transactions: the one that writes, and connections that read.

use crate::events::PendingEvents;
use crate::pools::Pools;
use crate::sql::{Link, Plain, Run};
use crate::{Shared, faults};
use kernel::Fault;
use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite, Transaction};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a writer waits for the one before it.
pub const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// Held by the one transaction that writes to a PostgreSQL store, whichever process it is in, so
/// that the numbers of events are committed in their order. The number is arbitrary and ours.
const LOCK: Plain = Plain("SELECT pg_advisory_xact_lock(5281436190251)");

enum Inner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// The write transaction. Dropped without [`Tx::commit`] it leaves nothing behind. After a
/// statement failed it can only be dropped.
pub struct Tx {
    // Declared before the gate: the transaction must be over when the next one may begin.
    inner: Inner,
    failed: bool,
    pub(crate) pending: PendingEvents,
    shared: Arc<Shared>,
    gate: OwnedMutexGuard<()>,
}

impl Tx {
    pub(crate) async fn begin(shared: Arc<Shared>) -> Result<Tx, Fault> {
        let gate = tokio::time::timeout(WAIT_LIMIT, shared.gate.clone().lock_owned())
            .await
            .map_err(|_| Fault::overloaded("store", 5))?;
        let fault = |e| faults::from_sqlx("beginning a transaction", e);
        let inner = match &shared.pools {
            Pools::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?)
            }
            Pools::Postgres { writer, .. } => Inner::Postgres(writer.begin().await.map_err(fault)?),
        };
        let pending = PendingEvents::default();
        let mut tx = Tx {
            inner,
            failed: false,
            pending,
            shared,
            gate,
        };
        if matches!(tx.inner, Inner::Postgres(_)) {
            tx.execute(&LOCK).await?;
        }
        Ok(tx)
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
            inner,
            pending,
            shared,
            gate,
            ..
        } = self;
        let outcome = match inner {
            Inner::Sqlite(transaction) => transaction.commit().await,
            Inner::Postgres(transaction) => transaction.commit().await,
        };
        outcome.map_err(|e| faults::from_sqlx("committing a transaction", e))?;
        pending.publish(&shared);
        drop(gate);
        Ok(())
    }
}

impl Run for Tx {
    fn link(&mut self) -> Link<'_> {
        match &mut self.inner {
            Inner::Sqlite(transaction) => Link::Sqlite(transaction),
            Inner::Postgres(transaction) => Link::Postgres(transaction),
        }
    }
    fn failed(&mut self) {
        self.failed = true;
    }
}

enum ReaderInner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    SqliteSnapshot(Transaction<'static, Sqlite>),
    PostgresSnapshot(Transaction<'static, Postgres>),
}

/// A connection to read with; it cannot write. Given back when dropped.
pub struct Reader(ReaderInner);

fn reading(error: sqlx::Error) -> Fault {
    faults::from_sqlx("reading", error)
}

impl Reader {
    pub(crate) async fn open(pools: &Pools) -> Result<Reader, Fault> {
        Ok(Reader(match pools {
            Pools::Sqlite { readers, .. } => {
                ReaderInner::Sqlite(readers.acquire().await.map_err(reading)?)
            }
            Pools::Postgres { readers, .. } => {
                ReaderInner::Postgres(readers.acquire().await.map_err(reading)?)
            }
        }))
    }

    pub(crate) async fn snapshot(pools: &Pools) -> Result<Reader, Fault> {
        Ok(Reader(match pools {
            Pools::Sqlite { readers, .. } => {
                ReaderInner::SqliteSnapshot(readers.begin().await.map_err(reading)?)
            }
            Pools::Postgres { readers, .. } => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                ReaderInner::PostgresSnapshot(readers.begin_with(begin).await.map_err(reading)?)
            }
        }))
    }
}

impl Run for Reader {
    fn link(&mut self) -> Link<'_> {
        match &mut self.0 {
            ReaderInner::Sqlite(connection) => Link::Sqlite(connection),
            ReaderInner::Postgres(connection) => Link::Postgres(connection),
            ReaderInner::SqliteSnapshot(transaction) => Link::Sqlite(transaction),
            ReaderInner::PostgresSnapshot(transaction) => Link::Postgres(transaction),
        }
    }
}
