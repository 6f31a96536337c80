//! registers (一库): declared registers as typed, indexed tables with history in valid and recorded
//! time. A change is checked whole, planned as a pure [`timeline`], and written with its audit
//! entry and event in one transaction; nothing is overwritten. What the tables look like is the
//! business of the store; what the records mean is said by the declarations.

mod apply;
mod cache;
mod csv;
mod exchange;
mod narrow;
mod problems;
mod query;
mod schema;
mod timeline;

pub use apply::CHANGES_LIMIT;
pub use exchange::{EXPORT_LIMIT, IMPORT_BYTES_LIMIT, Imported, MayChange};

use async_trait::async_trait;
use cache::Cache;
use kernel::access::Actor;
use kernel::declare::Declared;
use kernel::fault::FaultKind;
use kernel::records::{Record, RecordChange, RecordPage, RecordQuery, Registers};
use kernel::{Clock, Fault, Time};
use schema::Register;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::records::{self, RecordRow, Selection, Test};
use store::{Reader, Store};
use tokio::sync::Mutex;

/// Rows of one record's history, at most; the newest come first.
const HISTORY_LIMIT: u64 = 10_000;

/// The registers engine.
pub struct Engine(Arc<Inner>);

pub(crate) struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    registers: BTreeMap<String, Register>,
    cache: Cache,
    /// Held from planning until the cache is current, so that caches change in order of commit.
    writing: Mutex<()>,
}

impl Engine {
    /// Compiles the declared registers, makes or extends their tables, and loads the cached ones.
    /// Fails as `declaration.invalid` when a schema cannot be used.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
    ) -> Result<Arc<Engine>, Fault> {
        let mut registers = BTreeMap::new();
        for decl in declared.registers() {
            registers.insert(decl.name.clone(), Register::compile(decl)?);
        }
        let mut cache = Cache::default();
        for (name, register) in &registers {
            let cells = |columns: &[records::Column], body: &str| {
                Ok(register.cells(columns, &apply::fields_of(body)?))
            };
            records::prepare(&store, &register.shape, &cells).await?;
            if register.decl.cached {
                let mut reader = store.reader().await?;
                let limit = cache::ROWS_LIMIT + 1;
                let now = clock.now().0;
                let rows = records::believed_from(&mut reader, &register.shape, now, limit).await?;
                if rows.len() as u64 == limit {
                    return Err(Fault::new(
                        FaultKind::Invalid,
                        "declaration.invalid",
                        format!("登记簿 {name} 的记录过多，不能标记 x-cached"),
                        format!("register {name} has too many records to be marked x-cached"),
                    ));
                }
                cache.add(name, &rows)?;
            }
        }
        Ok(Arc::new(Engine(Arc::new(Inner {
            store,
            clock,
            registers,
            cache,
            writing: Mutex::default(),
        }))))
    }

    /// Runs to its end even if the caller no longer waits, so that memory and store agree.
    async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        let outcome = tokio::spawn(work).await;
        outcome.unwrap_or_else(|e| Err(Fault::internal("applying changes", e)))
    }
}

fn read(name: &str, query: &RecordQuery, rows: &[RecordRow]) -> Result<Vec<Record>, Fault> {
    let mut found = vec![];
    for row in rows {
        let mut record = apply::stored(name, row)?;
        if query.as_of.is_some() {
            record.version = row.version;
        }
        found.push(record);
    }
    Ok(found)
}

/// The cursor after a record.
fn after(register: &Register, query: &RecordQuery, selection: &Selection, last: &Record) -> String {
    let order = query.order.as_deref().unwrap_or("");
    query::cursor(register, order, selection.order, &last.key, &last.fields)
}

/// A page whose records are kept or left out one by one, after a bounded number of them.
async fn one_by_one(
    reader: &mut Reader,
    name: &str,
    register: &Register,
    query: &RecordQuery,
    mut selection: Selection,
    in_query: bool,
) -> Result<RecordPage, Fault> {
    let wanted = (selection.limit - 1) as usize;
    selection.limit = query::PAGE_LIMIT as u64;
    let (mut found, mut looked_at, mut next) = (vec![], 0, None);
    'pages: loop {
        let (rows, _) = records::page(reader, &register.shape, &selection).await?;
        let full = rows.len() as u64 == selection.limit;
        let records = read(name, query, &rows)?;
        let last = records
            .last()
            .map(|r| after(register, query, &selection, r));
        let all = records.len();
        for (position, record) in records.into_iter().enumerate() {
            looked_at += 1;
            if !narrow::keeps(register, query, &record, in_query) {
                continue;
            }
            let here = after(register, query, &selection, &record);
            found.push(record);
            if found.len() == wanted {
                next = (full || position + 1 < all).then_some(here);
                break 'pages;
            }
        }
        if !full {
            break;
        }
        next = last;
        if looked_at >= narrow::LOOKED_AT {
            break;
        }
        let order = query.order.as_deref().unwrap_or("");
        selection.after = next
            .as_deref()
            .and_then(|cursor| query::read_cursor(cursor, order));
        next = None;
    }
    Ok(RecordPage {
        total: found.len() as u64,
        records: found,
        next,
        looked_at: Some(looked_at),
    })
}

#[async_trait]
impl Registers for Engine {
    async fn get(
        &self,
        register: &str,
        key: &str,
        valid_at: Option<Time>,
        as_of: Option<Time>,
    ) -> Result<Option<Record>, Fault> {
        let name = register;
        let register = self.0.register(name)?;
        let question = RecordQuery {
            valid_at,
            as_of,
            limit: 1,
            ..RecordQuery::default()
        };
        let mut selection = query::selection(register, &question, self.0.clock.now().0)?;
        selection.tests.push(Test::Key(key.into()));
        let mut reader = self.0.store.reader().await?;
        let (rows, _) = records::page(&mut reader, &register.shape, &selection).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let mut record = apply::stored(name, row)?;
        if as_of.is_some() {
            record.version = row.version;
        }
        Ok(Some(record))
    }

    async fn list(&self, register: &str, query: &RecordQuery) -> Result<RecordPage, Fault> {
        let name = register;
        let register = self.0.register(name)?;
        let mut selection = query::selection(register, query, self.0.clock.now().0)?;
        let test = query.narrowed.as_ref().map(|n| narrow::test(register, n));
        let in_query = !matches!(test, Some(None));
        selection.tests.extend(test.flatten());
        let mut reader = self.0.store.reader().await?;
        if !in_query || query.keep.is_some() {
            return one_by_one(&mut reader, name, register, query, selection, in_query).await;
        }
        let (mut rows, total) = records::page(&mut reader, &register.shape, &selection).await?;
        let more = rows.len() as u64 == selection.limit;
        if more {
            rows.pop();
        }
        let found = read(name, query, &rows)?;
        let last = found.last().filter(|_| more);
        Ok(RecordPage {
            next: last.map(|r| after(register, query, &selection, r)),
            records: found,
            total,
            looked_at: None,
        })
    }

    async fn history(&self, register: &str, key: &str) -> Result<Vec<Record>, Fault> {
        let name = register;
        let shape = &self.0.register(name)?.shape;
        let mut reader = self.0.store.reader().await?;
        let rows = records::history(&mut reader, shape, key, HISTORY_LIMIT).await?;
        rows.iter()
            .map(|row| {
                let mut record = apply::stored(name, row)?;
                record.version = row.version;
                Ok(record)
            })
            .collect()
    }

    async fn apply(&self, actor: &Actor, changes: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        let (inner, actor) = (self.0.clone(), actor.clone());
        self.finish(async move {
            let _writing = inner.writing.lock().await;
            inner.apply(&actor, changes).await
        })
        .await
    }

    fn cached(&self, register: &str, key: &str) -> Option<Arc<Record>> {
        self.0.cache.get(register, key, self.0.clock.now())
    }

    fn cached_all(&self, register: &str) -> Vec<Arc<Record>> {
        self.0.cache.all(register, self.0.clock.now())
    }
}
