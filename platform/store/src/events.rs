//! Events: the numbered log of everything that happened. Written in the transaction of the change
//! itself; numbers have no gap and are committed in their order. Read by cursor: from memory at
//! the head of the log, from the disk behind it.

use crate::migrations::{Migration, step};
use crate::sql::{Backend, Plain, Run, SqlRow};
use crate::{Shared, Store, Tx, cursors};
use kernel::events::{Event, EventKind};
use kernel::{Fault, Time};
use sea_query::{ColumnDef, Expr, ExprTrait, Func, Order, Query, SelectStatement, Table};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Events fetched from the disk at once, at most.
const PAGE: u64 = 1024;
/// Events removed in one transaction, at most: pruning must not hold up writers.
const PRUNE_PAGE: i64 = 256;
/// How often the disk is asked for events of other processes while somebody waits.
const POLL: Duration = Duration::from_millis(250);

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "events_1",
        statements: |backend| {
            let mut steps = vec![step(
                Table::create()
                    .table("events")
                    .col(ColumnDef::new("seq").big_integer().not_null().primary_key())
                    .col(ColumnDef::new("at").big_integer().not_null())
                    .col(ColumnDef::new("kind").big_integer().not_null())
                    .col(ColumnDef::new("about").text().not_null())
                    .col(ColumnDef::new("body").blob().not_null())
                    .to_owned(),
            )];
            if backend == Backend::Postgres {
                // Bodies are compressed already; PostgreSQL's own attempt only costs time.
                steps.push(step(Plain(
                    "ALTER TABLE events ALTER COLUMN body SET STORAGE EXTERNAL",
                )));
            }
            steps
        },
    }]
}

/// Events of a transaction that is not committed yet.
#[derive(Default)]
pub(crate) struct PendingEvents {
    events: Vec<Event>,
    /// The catalogue of items changed: see [`Store::catalogue_changes`].
    pub(crate) catalogue: bool,
}

impl PendingEvents {
    /// Makes committed events known.
    pub(crate) fn publish(self, shared: &Shared) {
        if self.catalogue {
            shared.catalogue.fetch_add(1, Ordering::AcqRel);
        }
        let Some(last) = self.events.last().map(|event| event.seq) else {
            return;
        };
        shared.tail.lock().push(self.events);
        shared
            .news
            .send_modify(|known| *known = std::cmp::max(last, *known));
    }
}

/// Writes an event within the transaction of the change it tells of and returns its number. Known
/// to readers once the transaction is committed.
pub async fn append(
    tx: &mut Tx,
    at: Time,
    kind: EventKind,
    about: &str,
    body: &[u8],
) -> Result<i64, Fault> {
    let before = match tx.heads().event {
        Some(last) => last,
        None => last(tx).await?,
    };
    let seq = before + 1;
    let statement = Query::insert()
        .into_table("events")
        .columns(["seq", "at", "kind", "about", "body"])
        .values_panic([
            Expr::val(seq),
            Expr::val(at.0),
            Expr::val(kind as i64),
            Expr::val(about),
            Expr::val(body.to_vec()),
        ])
        .to_owned();
    tx.execute_later(&statement).await?;
    let event = Event {
        seq,
        at,
        kind,
        about: about.into(),
        body: body.into(),
    };
    tx.pending.events.push(event);
    tx.heads().event = Some(seq);
    Ok(seq)
}

/// The number of the last event as seen by `run`; 0 when there was none yet. Pruning always leaves
/// the last event, so numbers never start again.
async fn last(run: &mut impl Run) -> Result<i64, Fault> {
    let statement = Query::select()
        .expr_as(Func::max(Expr::col("seq")), "last")
        .from("events")
        .to_owned();
    let row = run.fetch_optional(&statement).await?;
    Ok(row
        .map_or(Ok(None), |row| row.opt_i64("last"))?
        .unwrap_or(0))
}

fn event(row: &SqlRow) -> Result<Event, Fault> {
    let number = row.i64("kind")?;
    let kind = u8::try_from(number).ok().and_then(EventKind::from_u8);
    Ok(Event {
        seq: row.i64("seq")?,
        at: Time(row.i64("at")?),
        kind: kind
            .ok_or_else(|| Fault::internal("reading the log", format!("event kind {number}")))?,
        about: row.text("about")?.into(),
        body: row.bytes("body")?.into(),
    })
}

/// The log of a store, for reading.
pub struct Events(Store);

impl Events {
    pub(crate) fn new(store: Store) -> Events {
        Events(store)
    }

    /// The number of the last committed event this process knows of; 0 when there is none. Other
    /// processes on the same database may be ahead of it by the polling interval.
    pub fn last_seq(&self) -> i64 {
        self.0.shared.tail.lock().last()
    }

    /// Events after `after` in order, up to `limit_bytes` of bodies and [`PAGE`] in number, at
    /// least one when there is one. Empty at the end of the log; see [`Events::wait_beyond`].
    pub async fn read(&self, after: i64, limit_bytes: usize) -> Result<Vec<Event>, Fault> {
        let from_memory = self.0.shared.tail.lock().read(after, limit_bytes);
        match from_memory {
            Some(events) => Ok(events),
            None => self.read_disk(after, limit_bytes).await,
        }
    }

    /// The same from the disk. Sizes are asked for first, so that memory stays within the limit.
    async fn read_disk(&self, after: i64, limit_bytes: usize) -> Result<Vec<Event>, Fault> {
        let mut reader = self.0.reader().await?;
        let sizes = Query::select()
            .column("seq")
            .expr_as(
                Func::cust("length")
                    .arg(Expr::col("body"))
                    .cast_as("bigint"),
                "size",
            )
            .from("events")
            .and_where(Expr::col("seq").gt(after))
            .order_by("seq", Order::Asc)
            .limit(PAGE)
            .to_owned();
        let mut bytes = 0;
        let mut upto = None;
        for row in reader.fetch_all(&sizes).await? {
            bytes += row.i64("size")? as usize;
            if upto.is_some() && bytes > limit_bytes {
                break;
            }
            upto = Some(row.i64("seq")?);
        }
        let Some(upto) = upto else { return Ok(vec![]) };
        let rows = reader.fetch_all(&between(after, upto)).await?;
        rows.iter().map(event).collect()
    }

    /// The number of the last event on the disk.
    pub(crate) async fn last_on_disk(&self) -> Result<i64, Fault> {
        last(&mut self.0.reader().await?).await
    }

    /// Waits until there is an event after `seq` and returns the last number. May be dropped at
    /// any time.
    pub async fn wait_beyond(&self, seq: i64) -> Result<i64, Fault> {
        let mut news = self.0.shared.news.subscribe();
        loop {
            let last = *news.borrow_and_update();
            if last > seq {
                return Ok(last);
            }
            // Other processes may write to the same log, and they cannot wake us.
            if tokio::time::timeout(POLL, news.changed()).await.is_err() {
                self.look_for_others().await?;
            }
        }
    }

    /// Takes note of events other processes have committed. However many wait, one looks.
    async fn look_for_others(&self) -> Result<(), Fault> {
        let shared = &self.0.shared;
        {
            let mut looked = shared.looked.lock();
            if looked.is_some_and(|at| at.elapsed() < POLL) {
                return Ok(());
            }
            *looked = Some(Instant::now());
        }
        let last = self.last_on_disk().await?;
        let mut tail = shared.tail.lock();
        if last > tail.last() {
            tail.restart(last);
            drop(tail);
            shared
                .news
                .send_modify(|known| *known = std::cmp::max(last, *known));
        }
        Ok(())
    }

    /// Removes events up to `up_to`, but never one that some cursor has not passed, and never the
    /// last; without any cursor nothing is removed. Returns how many went. Works in small
    /// transactions and may be stopped and repeated at any time.
    pub async fn prune(&self, up_to: i64) -> Result<u64, Fault> {
        let mut removed = 0;
        loop {
            let mut tx = self.0.begin().await?;
            let floor = cursors::floor(&mut tx).await?.unwrap_or(0);
            let newest = last(&mut tx).await?;
            let until = [up_to, floor, newest - 1]
                .into_iter()
                .fold(i64::MAX, std::cmp::min);
            let first = first(&mut tx).await?;
            if first > until {
                return Ok(removed);
            }
            let end = std::cmp::min(until, first + PRUNE_PAGE - 1);
            let page = Query::delete()
                .from_table("events")
                .and_where(Expr::col("seq").lte(end))
                .to_owned();
            removed += tx.execute(&page).await?;
            tx.commit().await?;
            self.0.shared.tail.lock().forget(end);
        }
    }
}

/// The number of the oldest event still kept; far away when there is none.
async fn first(run: &mut impl Run) -> Result<i64, Fault> {
    let statement = Query::select()
        .expr_as(Func::min(Expr::col("seq")), "first")
        .from("events")
        .to_owned();
    let row = run.fetch_optional(&statement).await?;
    Ok(row
        .map_or(Ok(None), |row| row.opt_i64("first"))?
        .unwrap_or(i64::MAX))
}

fn between(after: i64, upto: i64) -> SelectStatement {
    Query::select()
        .columns(["seq", "at", "kind", "about", "body"])
        .from("events")
        .and_where(Expr::col("seq").gt(after))
        .and_where(Expr::col("seq").lte(upto))
        .order_by("seq", Order::Asc)
        .to_owned()
}
