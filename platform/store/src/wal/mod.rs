//! wal: the write-ahead log of a SQLite store, for those who ship it elsewhere. Whoever owns the
//! log decides when it is folded into the file: only after its frames have been copied. Folding is
//! `PASSIVE`, which waits for nobody; a read transaction held in between keeps other processes
//! from folding and beginning the log again behind our back. Writers never wait for copying.

mod frames;
mod stamps;
#[cfg(test)]
mod tests;

pub use frames::{
    FRAME_HEADER_BYTES, Frames, HEADER_BYTES, Place, WalHeader, copy_after, goes_through,
};
pub use stamps::Stamp;
pub(crate) use stamps::Stamps;

use crate::batch::{self, Batch};
use crate::pools::{Pools, sqlite_options};
use crate::{Store, faults};
use kernel::fault::FaultKind;
use kernel::{Clock, Fault};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long folding may wait for a lock held by another process.
const BUSY_LIMIT: Duration = Duration::from_millis(200);

/// While this is held nobody of this process writes.
pub struct Pause(#[expect(dead_code, reason = "held, never read")] OwnedMutexGuard<Batch>);

/// How far the log has been folded into the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folded {
    /// Frames in the log.
    pub in_log: u32,
    /// Of them folded.
    pub folded: u32,
}

impl Folded {
    /// Everything is in the file: the next writer begins the log again unless somebody reads.
    pub fn whole(&self) -> bool {
        self.in_log == self.folded
    }
}

/// The log of an open SQLite store, owned by the caller.
pub struct Wal {
    store: Store,
    file: PathBuf,
    stamps: Arc<Stamps>,
    connection: SqliteConnection,
    held: bool,
}

fn fault(error: sqlx::Error) -> Fault {
    faults::from_sqlx("shipping the write-ahead log", error)
}

fn io_fault(doing: &str, error: std::io::Error) -> Fault {
    match error.kind() {
        std::io::ErrorKind::StorageFull => faults::disk_full(doing, &error.to_string()),
        _ => Fault::internal(doing, error),
    }
}

/// A file beside the database file.
fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Store {
    /// Takes the log of a SQLite store over, from now until [`Wal::release`] or the end of the
    /// process; commits are stamped on this clock. At most once for an open store. Refused for
    /// PostgreSQL, which ships its log itself.
    pub async fn own_wal(&self, clock: Arc<dyn Clock>) -> Result<Wal, Fault> {
        let Pools::Sqlite { path, shipped, .. } = &self.shared.pools else {
            return Err(Fault::new(
                FaultKind::Invalid,
                "input.invalid",
                "PostgreSQL 的日志由其自身归档",
                "PostgreSQL archives its own log",
            ));
        };
        shipped.store(true, std::sync::atomic::Ordering::Relaxed);
        // The connection that exists already; new ones are told as they are made.
        let mut tx = self.begin().await?;
        crate::Run::fetch_all(&mut tx, &crate::sql::Plain("PRAGMA wal_autocheckpoint = 0")).await?;
        drop(tx);
        let file = PathBuf::from(path);
        let connection = sqlite_options(path)
            .busy_timeout(BUSY_LIMIT)
            .pragma("wal_autocheckpoint", "0")
            .connect()
            .await
            .map_err(fault)?;
        let index = File::open(beside(&file, "-shm"))
            .map_err(|e| io_fault("opening the index of the log", e))?;
        let stamps = Arc::new(Stamps::new(clock, index));
        if self.shared.stamps.set(stamps.clone()).is_err() {
            return Err(Fault::internal("taking the log over", "it has an owner"));
        }
        let mut wal = Wal {
            store: self.clone(),
            file,
            stamps,
            connection,
            held: false,
        };
        wal.hold().await?;
        Ok(wal)
    }
}

impl Wal {
    /// The database file.
    pub fn database(&self) -> &Path {
        &self.file
    }

    /// The store it is the log of.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The log, opened for reading.
    pub fn open_log(&self) -> Result<File, Fault> {
        File::open(beside(&self.file, "-wal")).map_err(|e| io_fault("opening the log", e))
    }

    /// Stamps of this generation up to this frame that were not taken before.
    pub fn take_stamps(&self, salts: [u32; 2], until_frame: u32) -> Vec<Stamp> {
        self.stamps.take(salts, until_frame)
    }

    /// Waits until nobody of this process writes, and keeps it so.
    pub async fn pause(&self) -> Pause {
        Pause(batch::shut(&self.store.shared).await)
    }

    /// Folds what no reader needs any more into the file, while writers pause.
    pub async fn fold(&mut self, _: &Pause) -> Result<Folded, Fault> {
        self.let_go().await?;
        let row = sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .fetch_one(&mut self.connection)
            .await;
        let again = self.hold().await;
        let row = row.map_err(fault)?;
        again?;
        let frames = |at: usize| -> Result<u32, Fault> {
            let number: i64 = row.try_get(at).map_err(fault)?;
            Ok(u32::try_from(number).unwrap_or(0))
        };
        Ok(Folded {
            in_log: frames(1)?,
            folded: frames(2)?,
        })
    }

    /// Reads what is committed now, while writers pause: later statements see the same.
    pub async fn snapshot(&self, _: &Pause) -> Result<crate::Reader, Fault> {
        let mut reader = self.store.snapshot().await?;
        let first = crate::sql::Plain("SELECT count(*) AS tables FROM sqlite_master");
        crate::Run::fetch_optional(&mut reader, &first).await?;
        Ok(reader)
    }

    /// Gives the log up. Commits are stamped no more; the connections stay as they are until the
    /// store is closed.
    pub async fn release(mut self) -> Result<(), Fault> {
        self.let_go().await?;
        self.connection.close().await.map_err(fault)
    }

    async fn hold(&mut self) -> Result<(), Fault> {
        for statement in ["BEGIN", "SELECT count(*) FROM sqlite_master"] {
            sqlx::query(statement)
                .execute(&mut self.connection)
                .await
                .map_err(fault)?;
        }
        self.held = true;
        Ok(())
    }

    async fn let_go(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.held) {
            sqlx::query("COMMIT")
                .execute(&mut self.connection)
                .await
                .map_err(fault)?;
        }
        Ok(())
    }
}

/// Puts the log at `<file>-wal` into the database file and removes it: SQLite reads it as after a
/// crash. For files nobody has open. Fails with `input.invalid` when the file is no database.
pub async fn fold_file(file: &Path) -> Result<(), Fault> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .pragma("synchronous", "off")
        .pragma("wal_autocheckpoint", "0")
        .disable_statement_logging()
        .connect()
        .await
        .map_err(fault)?;
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut connection)
        .await
        .map_err(fault)?;
    let busy: i64 = row.try_get(0).map_err(fault)?;
    connection.close().await.map_err(fault)?;
    if busy != 0 {
        return Err(Fault::internal("folding the log", "somebody has it open"));
    }
    Ok(())
}

/// Asks SQLite whether the file is sound in itself; returns what it complains of.
pub async fn check_file(file: &Path) -> Result<Vec<String>, Fault> {
    let mut connection = SqliteConnectOptions::new()
        .filename(file)
        .disable_statement_logging()
        .connect()
        .await
        .map_err(fault)?;
    let rows = sqlx::query("PRAGMA quick_check(20)")
        .fetch_all(&mut connection)
        .await
        .map_err(fault)?;
    connection.close().await.map_err(fault)?;
    let texts: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get(0)).collect();
    let texts = texts.map_err(fault)?;
    Ok(texts.into_iter().filter(|text| text != "ok").collect())
}
