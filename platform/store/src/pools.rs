//! Pools: how the two databases are opened. SQLite: write-ahead log, every commit fsynced, one
//! connection that writes and several that cannot. PostgreSQL: the same division, and it must
//! sort text by bytes as SQLite does, because pages continue after a key.

use crate::faults;
use crate::shelf::Shelf;
use crate::sql::Backend;
use kernel::Fault;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a reader waits for a connection before it is refused.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(10);
/// Statements a connection keeps prepared: a city speaks several hundred, and preparing one costs
/// more than running most.
const STATEMENTS: usize = 400;
/// Bytes of a page of a new SQLite file; large, because most bytes are in blobs.
const PAGE_SIZE: u32 = 8192;
/// Pages in the write-ahead log before they are folded into the file: 32 MiB, so that many
/// commits share the two fsyncs of folding.
const CHECKPOINT_PAGES: u32 = 4096;

/// Connections to one database: one that writes, several that read.
pub(crate) enum Pools {
    /// SQLite.
    Sqlite {
        writer: Arc<Shelf>,
        readers: Arc<Shelf>,
        /// The file.
        path: String,
        /// Somebody ships the log and folds it: connections do not.
        shipped: Arc<AtomicBool>,
    },
    /// PostgreSQL.
    Postgres { writer: PgPool, readers: PgPool },
}

impl Pools {
    pub(crate) async fn open(url: &str, shipped: bool) -> Result<Pools, Fault> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            return open_sqlite(path.strip_prefix("//").unwrap_or(path), shipped).await;
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return open_postgres(url).await;
        }
        let cause = "the address must begin with sqlite: or postgres://";
        Err(faults::unavailable("opening the store", cause))
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Pools::Sqlite { .. } => Backend::Sqlite,
            Pools::Postgres { .. } => Backend::Postgres,
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Pools::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
        }
    }
}

fn fault(error: sqlx::Error) -> Fault {
    faults::from_sqlx("opening the store", error)
}

/// Options for the file; `pub(crate)` because an archive is such a file too.
pub(crate) fn sqlite_options(path: &str) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .page_size(PAGE_SIZE)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(10))
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        .pragma(
            "journal_size_limit",
            (CHECKPOINT_PAGES * PAGE_SIZE).to_string(),
        )
        .pragma("temp_store", "memory")
        .statement_cache_capacity(STATEMENTS)
        // LIKE means the same in both databases.
        .pragma("case_sensitive_like", "on")
        .disable_statement_logging()
}

async fn open_sqlite(path: &str, shipped: bool) -> Result<Pools, Fault> {
    let options = sqlite_options(path);
    let shipped = Arc::new(AtomicBool::new(shipped));
    let writing = options
        .clone()
        .create_if_missing(true)
        // Room left by pruned events and rewritten blocks can be given back: `Store::reclaim`.
        // Not for readers: setting it takes the lock of the one who writes, and a writer that
        // waits for a new reader would wait for itself.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .pragma("cache_size", "-16384");
    let first = (shipped.clone(), "PRAGMA wal_autocheckpoint = 0");
    let writer = Shelf::open(writing, 1, ACQUIRE_LIMIT, Some(first));
    let writer = writer.await.map_err(fault)?;
    let reading = options
        .pragma("cache_size", "-8192")
        .pragma("query_only", "on");
    let readers = Shelf::open(reading, READERS, ACQUIRE_LIMIT, None);
    let readers = readers.await.map_err(fault)?;
    Ok(Pools::Sqlite {
        writer,
        readers,
        path: path.to_owned(),
        shipped,
    })
}

async fn open_postgres(url: &str) -> Result<Pools, Fault> {
    let options = PgConnectOptions::from_str(url)
        .map_err(fault)?
        .application_name("jicheng")
        .disable_statement_logging();
    refuse_other_order(&options).await?;
    // What a server sets for everybody must not weaken what an acknowledgement means.
    let writing = options
        .clone()
        .options([("synchronous_commit", "on"), ("lock_timeout", "30s")]);
    let reading = options.options([("default_transaction_read_only", "on")]);
    let writer = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_with(writing)
        .await
        .map_err(fault)?;
    let readers = PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(ACQUIRE_LIMIT)
        .connect_with(reading)
        .await
        .map_err(fault)?;
    Ok(Pools::Postgres { writer, readers })
}

/// Text must sort by bytes and be UTF-8, as in SQLite.
async fn refuse_other_order(options: &PgConnectOptions) -> Result<(), Fault> {
    let mut connection = options.connect().await.map_err(fault)?;
    let (collation, encoding): (String, String) = sqlx::query_as(
        "SELECT datcollate, pg_encoding_to_char(encoding)::text FROM pg_database \
         WHERE datname = current_database()",
    )
    .fetch_one(&mut connection)
    .await
    .map_err(fault)?;
    connection.close().await.map_err(fault)?;
    let by_bytes = matches!(collation.as_str(), "C" | "POSIX" | "C.UTF-8" | "C.utf8");
    if by_bytes && encoding == "UTF8" {
        return Ok(());
    }
    let cause = format!(
        "the database sorts by {collation} in {encoding}; make it with \
         CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'"
    );
    Err(faults::unavailable("opening the store", &cause))
}
