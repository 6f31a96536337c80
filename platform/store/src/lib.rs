//! store: the only room that speaks SQL. SQLite (one file, embedded profile) or PostgreSQL (city
//! profile) behind one door and one code path; both mean the same, and every test runs on both.
//!
//! What it keeps for everybody: the numbered log of events that changes are written to in their
//! own transaction ([`events`]), the cursors of its readers ([`cursors`]), the chained audit log
//! ([`audit`]), jobs ([`jobs`]) and small engine state ([`documents`]). What it keeps for one
//! engine stands in a module named after what it holds; an engine calls its functions and never
//! sees a statement.
//!
//! Writing goes through one [`Tx`] at a time, so that the numbers of events are committed in
//! their order; those that queue share one commit. Reading is pooled and never waits for a writer.

pub mod accounts;
pub mod alerts;
pub mod applications;
pub mod audit;
pub mod audit_tree;
pub mod backup;
mod batch;
pub mod cases;
pub mod cursors;
pub mod decisions;
pub mod devices;
pub mod documents;
pub mod events;
pub mod factors;
mod faults;
pub mod files;
pub mod grants;
pub mod items;
pub mod jobs;
pub mod keys;
pub mod licences;
mod limits;
pub mod messages;
pub mod metering;
mod migrations;
pub mod observations;
pub mod office;
pub mod openid;
pub mod organisations;
pub mod parties;
mod pools;
pub mod questions;
pub mod records;
mod shelf;
pub mod sql;
mod tables;
mod tail;
pub mod together;
mod transaction;
pub mod visits;
pub mod wal;

pub use sql::{Backend, Run, SqlRow, Statement};
pub use transaction::{Reader, Tx};

use kernel::Fault;
use migrations::Migration;
use parking_lot::Mutex;
use pools::Pools;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use tail::Tail;

/// The store of a city. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
}

/// What all clones of a store share.
pub(crate) struct Shared {
    pub(crate) pools: Pools,
    /// Where the write transactions of this process queue.
    pub(crate) gate: batch::Gate,
    /// The newest events, in memory.
    pub(crate) tail: Mutex<Tail>,
    /// When the disk was last asked for events of other processes.
    pub(crate) looked: Mutex<Option<std::time::Instant>>,
    /// Wakes those who wait for events.
    pub(crate) news: tokio::sync::watch::Sender<i64>,
    /// How often this process changed the catalogue of items.
    pub(crate) catalogue: AtomicU64,
    /// Why the last attempt to write failed, when the store is to blame for it.
    trouble: Mutex<Option<Fault>>,
    /// Notes when transactions were committed, once somebody ships the log.
    pub(crate) stamps: OnceLock<Arc<wal::Stamps>>,
}

impl Shared {
    /// Notes how an attempt to write ended: a full disk or a lost database stays known until
    /// something is written again.
    pub(crate) fn wrote(&self, outcome: Result<(), &Fault>) {
        match outcome {
            Ok(()) => *self.trouble.lock() = None,
            Err(fault) if fault.code.starts_with("store.") => {
                *self.trouble.lock() = Some(fault.clone());
            }
            Err(_) => {}
        }
    }
}

/// Every step of every module, in the order they are taken. New steps of a module go to the end
/// of its own list.
fn migrations() -> Vec<Migration> {
    [
        events::migrations(),
        cursors::migrations(),
        audit::migrations(),
        documents::migrations(),
        jobs::migrations(),
        observations::migrations(),
        devices::migrations(),
        records::migrations(),
        accounts::migrations(),
        alerts::migrations(),
        keys::migrations(),
        parties::migrations(),
        metering::migrations(),
        factors::migrations(),
        grants::migrations(),
        audit_tree::migrations(),
        questions::migrations(),
        openid::migrations(),
        organisations::migrations(),
        cases::migrations(),
        decisions::migrations(),
        licences::migrations(),
        items::migrations(),
        files::migrations(),
        messages::migrations(),
        office::migrations(),
        visits::migrations(),
        applications::migrations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Store {
    /// Opens the store at `sqlite:/path/file.db` (made when missing) or `postgres://…` and brings
    /// its tables up to this edition. Fails with `store.unavailable` when the database cannot be
    /// reached, was written by a newer edition, or (PostgreSQL) does not sort by bytes.
    pub async fn open(url: &str) -> Result<Store, Fault> {
        Store::open_as(url, false).await
    }

    /// The same for a store whose log is shipped ([`Store::own_wal`]): nothing but its owner folds
    /// the log from the first moment on.
    pub async fn open_shipped(url: &str) -> Result<Store, Fault> {
        Store::open_as(url, true).await
    }

    async fn open_as(url: &str, shipped: bool) -> Result<Store, Fault> {
        let store = Store::connect_as(url, shipped).await?;
        let mut tx = store.begin().await?;
        migrations::take(&mut tx, &migrations(), None).await?;
        tx.commit().await?;
        let last = store.events().last_on_disk().await?;
        store.shared.tail.lock().restart(last);
        store.shared.news.send_replace(last);
        Ok(store)
    }

    /// Opens the SQLite store `jicheng.db` in this folder, making both when missing.
    pub async fn in_folder(dir: &Path) -> Result<Store, Fault> {
        std::fs::create_dir_all(dir)
            .map_err(|e| faults::unavailable("making the data folder", &e.to_string()))?;
        Store::open(&format!("sqlite:{}", dir.join("jicheng.db").display())).await
    }

    /// Connects without touching the tables.
    async fn connect(url: &str) -> Result<Store, Fault> {
        Store::connect_as(url, false).await
    }

    async fn connect_as(url: &str, shipped: bool) -> Result<Store, Fault> {
        let shared = Shared {
            pools: Pools::open(url, shipped).await?,
            gate: batch::Gate::new(),
            tail: Mutex::new(Tail::new(tail::BUDGET)),
            looked: Mutex::default(),
            news: tokio::sync::watch::Sender::new(0),
            catalogue: AtomicU64::new(0),
            trouble: Mutex::default(),
            stamps: OnceLock::new(),
        };
        Ok(Store {
            shared: Arc::new(shared),
        })
    }

    /// Begins the one write transaction, waiting for the one before. Refused with
    /// `system.overloaded` after [`transaction::WAIT_LIMIT`].
    pub async fn begin(&self) -> Result<Tx, Fault> {
        Tx::begin(self.shared.clone()).await
    }

    /// A connection to read with. Each statement sees what is committed when it starts, and what
    /// was seen in a transaction given up before.
    pub async fn reader(&self) -> Result<Reader, Fault> {
        self.settled().await.ok();
        Reader::open(&self.shared.pools).await
    }

    /// A connection to read with whose statements all see one state: that of the first of them.
    pub async fn snapshot(&self) -> Result<Reader, Fault> {
        self.settled().await.ok();
        Reader::snapshot(&self.shared.pools).await
    }

    /// How often this process changed the catalogue of items; `None` where others write to the
    /// same store and must be asked about.
    pub fn catalogue_changes(&self) -> Option<u64> {
        match self.backend() {
            Backend::Sqlite => Some(self.shared.catalogue.load(Ordering::Acquire)),
            Backend::Postgres => None,
        }
    }

    /// Bytes the store takes on the disk, about.
    pub async fn size_bytes(&self) -> Result<u64, Fault> {
        let question = match self.backend() {
            Backend::Sqlite => sql::Plain(
                "SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size",
            ),
            Backend::Postgres => sql::Plain("SELECT pg_database_size(current_database()) AS size"),
        };
        let row = self.reader().await?.fetch_optional(&question).await?;
        let size = row.map_or(Ok(0), |row| row.i64("size"))?;
        Ok(size.unsigned_abs())
    }

    /// Gives room that nothing uses any more back to the disk, in small transactions. PostgreSQL
    /// does so by itself.
    pub async fn reclaim(&self) -> Result<(), Fault> {
        if self.backend() == Backend::Postgres {
            return Ok(());
        }
        loop {
            let mut tx = self.begin().await?;
            tx.fetch_all(&sql::Plain("PRAGMA incremental_vacuum(1024)"))
                .await?;
            let free = tx.fetch_optional(&sql::Plain(
                "SELECT freelist_count AS free FROM pragma_freelist_count",
            ));
            let free = free.await?.map_or(Ok(0), |row| row.i64("free"))?;
            tx.commit().await?;
            if free == 0 {
                return Ok(());
            }
        }
    }

    /// Why nothing can be written at present: `store.disk_full` or `store.unavailable`, from the
    /// last attempt until one succeeds.
    pub fn trouble(&self) -> Option<Fault> {
        self.shared.trouble.lock().clone()
    }

    /// Which database this store lives in.
    pub fn backend(&self) -> Backend {
        self.shared.pools.backend()
    }

    /// The log of everything that happened.
    pub fn events(&self) -> events::Events {
        events::Events::new(self.clone())
    }

    /// The named cursors of the readers of the log.
    pub fn cursors(&self) -> cursors::Cursors {
        cursors::Cursors::new(self.clone())
    }

    /// Who did what.
    pub fn audit(&self) -> audit::Audit {
        audit::Audit::new(self.clone())
    }

    /// Small state of engines.
    pub fn documents(&self) -> documents::Documents {
        documents::Documents::new(self.clone())
    }

    /// Waits until nothing that was seen in a transaction of this process, and not committed by it,
    /// can be lost any more; refused when it was. For whoever answers somebody elsewhere.
    pub async fn settled(&self) -> Result<(), Fault> {
        self.shared.gate.settled().await
    }

    /// Closes every connection; a store on SQLite folds its write-ahead log into the file.
    pub async fn close(&self) {
        self.shared.pools.close().await;
    }
}
