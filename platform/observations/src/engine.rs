//! The engine: opening, stopping, and the kernel's trait over names, table, committer, flusher.

use crate::commit::{self, LiveBatch, Queue};
use crate::devices::{self, Book};
use crate::line_protocol::{self, Precision};
use crate::names::Names;
use crate::ndjson;
use crate::parsed::Parsed;
use crate::table::Table;
use crate::{directory, flush};
use async_trait::async_trait;
use kernel::observations::*;
use kernel::{Clock, Fault, Span, Time};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::Store;
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinHandle;

/// Name of the engine's cursor in the log: what is before it is in blocks.
pub(crate) const CURSOR: &str = "observations.flush";
/// Batches a slow live reader may fall behind before it loses the oldest.
const LIVE_BATCHES: usize = 64;
/// Directory rows and events read at once at start.
const PAGE: u64 = 4096;
const LOG_PAGE_BYTES: usize = 16 << 20;

/// By property, how long raw rows and how long their rollups are kept; a property that is not
/// named is kept for ever.
pub type Retention = BTreeMap<String, (Span, Span)>;

/// Limits and habits of the engine.
#[derive(Clone)]
pub struct Options {
    /// Values that may wait for the next commit; past it a write is refused as overloaded.
    pub queue_values: usize,
    /// Values kept in memory before the fullest groups are written as blocks. Memory is some
    /// eight bytes each, start-up some fifty nanoseconds each, the log up to twice as many.
    /// Twice the number saves a tenth of the CPU time of ingest and costs log and memory.
    pub flush_values: u64,
    /// Rows older than this since reception are written as blocks however few.
    pub flush_age: Span,
    /// How long rows are kept.
    pub retention: Retention,
    /// What is kept longer, because it is held.
    pub holds: Option<Arc<dyn kernel::holds::Holds>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            queue_values: 400_000,
            flush_values: 1_000_000,
            flush_age: Span::minutes(30),
            retention: Retention::new(),
            holds: None,
        }
    }
}

/// The observations engine. Made by [`Engine::open`], ended by [`Engine::shutdown`].
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: Options,
    pub(crate) names: RwLock<Names>,
    pub(crate) table: RwLock<Table>,
    pub(crate) queue: Mutex<Queue>,
    /// Wakes the committer.
    pub(crate) work: Notify,
    /// Wakes the flusher.
    pub(crate) full: Notify,
    /// Wakes a committer that waits for room in memory.
    pub(crate) room: Notify,
    /// Held while a batch is compared with blocks, and while heads give way to blocks.
    pub(crate) gate: tokio::sync::Mutex<()>,
    /// Held by the one flush or maintenance under way.
    pub(crate) flushing: tokio::sync::Mutex<()>,
    /// Days whose kept rollups late rows have removed: group and day, to be made anew.
    pub(crate) late_days: Mutex<BTreeSet<(u32, i64)>>,
    pub(crate) live: broadcast::Sender<Arc<LiveBatch>>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) book: Book,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the engine over its tables in the store, takes what is only in the log into memory
    /// and starts its tasks. Must be called within a tokio runtime.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Engine>, Fault> {
        let (things, columns) = store::observations::load_names(&store).await?;
        let mut names = Names::default();
        names.load(things, columns);
        let mut table = Table::default();
        load_groups(&store, &mut table).await?;
        replay(&store, &mut table).await?;
        let book = Book::load(&store).await?;
        let engine = Arc::new(Engine {
            store,
            clock,
            options,
            names: RwLock::new(names),
            table: RwLock::new(table),
            queue: Mutex::default(),
            work: Notify::new(),
            full: Notify::new(),
            room: Notify::new(),
            gate: tokio::sync::Mutex::default(),
            flushing: tokio::sync::Mutex::default(),
            late_days: Mutex::default(),
            live: broadcast::channel(LIVE_BATCHES).0,
            stop: watch::Sender::new(false),
            book,
            tasks: Mutex::default(),
        });
        let tasks = vec![
            tokio::spawn(commit::run(engine.clone())),
            tokio::spawn(flush::run(engine.clone())),
            tokio::spawn(devices::run(engine.clone())),
        ];
        *engine.tasks.lock() = tasks;
        Ok(engine)
    }

    /// Writes every row in memory as blocks.
    pub async fn flush(&self) -> Result<(), Fault> {
        flush::everything(self).await
    }

    /// Takes no more writes, commits what waits, writes blocks and ends the tasks. What could not
    /// be written as blocks is in the log and comes back at the next start.
    pub async fn shutdown(&self) {
        self.queue.lock().closed = true;
        self.stop.send_replace(true);
        self.work.notify_one();
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a task of the observations engine ended badly");
            }
        }
        if let Err(fault) = self.flush().await {
            tracing::error!(%fault, "observations could not be written as blocks; they stay in the log");
        }
    }

    /// Reads a batch in line protocol and writes it whole, or refuses it whole with every fault.
    pub async fn write_lines(&self, bytes: &[u8], precision: Precision) -> Result<Receipt, Fault> {
        let parsed = line_protocol::parse(bytes, precision, self.clock.now());
        let rows = self.rows(&parsed.map_err(Fault::invalid)?)?;
        self.write(rows).await
    }

    /// Reads a batch of JSON lines and writes it whole, or refuses it whole with every fault.
    pub async fn write_ndjson(&self, bytes: &[u8]) -> Result<Receipt, Fault> {
        let parsed = ndjson::parse(bytes, self.clock.now()).map_err(Fault::invalid)?;
        let rows = self.rows(&parsed)?;
        self.write(rows).await
    }

    /// Committed batches as they come. A reader that falls behind by 64 batches loses the oldest
    /// and is told so; the log has them.
    pub fn live(&self) -> broadcast::Receiver<Arc<LiveBatch>> {
        self.live.subscribe()
    }

    /// Rows of a parsed batch with their names made numbers; new names are interned.
    pub fn rows(&self, parsed: &Parsed<'_>) -> Result<Vec<Row>, Fault> {
        let mut columns = Vec::with_capacity(parsed.fields.len());
        for field in &parsed.fields {
            columns.push(self.column(&field.property, field.statistic, field.basis)?);
        }
        let mut rows = Vec::with_capacity(parsed.rows.len());
        for row in &parsed.rows {
            let cells = parsed.cells[row.cells.clone()].iter();
            let cells = cells.map(|c| Cell {
                column: columns[c.field as usize],
                value: c.value,
                flag: c.flag,
            });
            let thing = self.thing(&row.thing)?;
            rows.push(Row {
                thing,
                period: row.period,
                time: row.time,
                cells: cells.collect(),
            });
        }
        Ok(rows)
    }
}

async fn load_groups(store: &Store, table: &mut Table) -> Result<(), Fault> {
    let mut after = None;
    loop {
        let rows = store::observations::load_groups(store, after, PAGE).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = Some(last.group);
        for row in rows {
            let group = directory::decode(&row.body, row.flushed_seq);
            let group = group.ok_or_else(|| {
                Fault::internal(
                    "opening observations",
                    format!("directory row {} is damaged", row.group),
                )
            })?;
            table.load(row.group, group);
        }
    }
}

async fn replay(store: &Store, table: &mut Table) -> Result<(), Fault> {
    let mut after = match store.cursors().get(CURSOR).await? {
        Some(seq) => seq,
        None => {
            // Before anything is written: from now on the log waits for this reader.
            let mut tx = store.begin().await?;
            store::cursors::set(&mut tx, CURSOR, 0).await?;
            tx.commit().await?;
            0
        }
    };
    table.committed_seq = after;
    loop {
        let events = store.events().read(after, LOG_PAGE_BYTES).await?;
        let Some(last) = events.last() else {
            return Ok(());
        };
        after = last.seq;
        for event in &events {
            if event.kind != kernel::events::EventKind::Observations {
                continue;
            }
            let body = store::observations::read_batch(event)?;
            if !table.replay(event.seq, &body) {
                return Err(Fault::internal(
                    "opening observations",
                    format!("event {} is damaged", event.seq),
                ));
            }
        }
    }
}

#[async_trait]
impl Observations for Engine {
    fn thing(&self, name: &str) -> Result<ThingId, Fault> {
        if let Some(known) = self.find_thing(name) {
            return Ok(known);
        }
        self.names.write().thing(name)
    }

    fn find_thing(&self, name: &str) -> Option<ThingId> {
        self.names.read().find_thing(name)
    }

    fn thing_name(&self, id: ThingId) -> Option<Arc<str>> {
        self.names.read().thing_name(id.0).cloned()
    }

    fn column(
        &self,
        property: &str,
        statistic: Statistic,
        basis: Basis,
    ) -> Result<ColumnId, Fault> {
        let known = self.names.read().find_column(property, statistic, basis);
        match known {
            Some(known) => Ok(ColumnId(known)),
            None => self.names.write().column(property, statistic, basis),
        }
    }

    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        self.names.read().column_meaning(id.0).cloned()
    }

    async fn write(&self, rows: Vec<Row>) -> Result<Receipt, Fault> {
        commit::write(self, rows).await
    }

    fn latest(&self, series: &[SeriesName]) -> Vec<Option<Latest>> {
        crate::series::latest(self, series)
    }

    fn latest_of_thing(&self, thing: &str) -> Vec<(SeriesName, Latest)> {
        let filter = SeriesFilter {
            thing: Some(thing.to_string()),
            limit: usize::MAX,
            ..SeriesFilter::default()
        };
        let infos = crate::series::list(self, &filter);
        infos
            .into_iter()
            .map(|info| (info.name, info.latest))
            .collect()
    }

    fn last_received(&self, thing: &str) -> Option<Time> {
        crate::series::last_received(self, thing)
    }

    fn list_series(&self, filter: &SeriesFilter) -> Vec<SeriesInfo> {
        crate::series::list(self, filter)
    }

    async fn range(&self, query: RangeQuery) -> Result<RangeAnswer, Fault> {
        crate::range::range(self, query).await
    }

    fn counters(&self) -> EngineCounters {
        let queued_rows = self.queue.lock().rows as u64;
        let things = self.names.read().counts().0 as u64;
        let table = self.table.read();
        EngineCounters {
            things,
            series: table.series,
            values: table.stored,
            unflushed: table.unflushed,
            queued_rows,
        }
    }
}
