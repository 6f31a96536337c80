//! Counters of the metering engine: what each organisation's applications used, by meter and
//! window. Rows only ever grow by deltas; the number of the last flush of each process is written
//! in the same transaction, so that a flush whose answer was lost is not counted twice.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use kernel::metering::{Meter, Window};
use sea_query::{ColumnDef, Cond, Expr, ExprTrait, Index, OnConflict, Order, Query, Table};

/// Rows of one statement, at most.
const ROWS: usize = 100;
/// Rows of one answer, at most.
pub const PAGE_LIMIT: u64 = 100_000;
const KEY: [&str; 5] = ["organisation", "application", "meter", "span", "start"];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "metering_1",
        statements: |_| {
            let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
            let number =
                |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
            let mut key = Index::create();
            for column in KEY {
                key.col(column);
            }
            vec![
                step(
                    Table::create()
                        .table("metering_counters")
                        .col(text("organisation"))
                        .col(text("application"))
                        .col(text("meter"))
                        .col(text("span"))
                        .col(number("start"))
                        .col(number("amount"))
                        .primary_key(&mut key)
                        .to_owned(),
                ),
                step(
                    Index::create()
                        .name("metering_counters_by_time")
                        .table("metering_counters")
                        .col("span")
                        .col("start")
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("metering_flushes")
                        .col(text("process").primary_key())
                        .col(number("seq"))
                        .col(number("at"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("metering_warnings")
                        .col(text("quota"))
                        .col(text("subject"))
                        .col(number("start"))
                        .primary_key(Index::create().col("quota").col("subject").col("start"))
                        .to_owned(),
                ),
            ]
        },
    }]
}

/// What was used by one application of one organisation of one meter in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRow {
    /// Organisation; empty for nobody's.
    pub organisation: String,
    /// Application.
    pub application: String,
    /// Meter.
    pub meter: Meter,
    /// Window.
    pub window: Window,
    /// Its start, microseconds UTC.
    pub start: i64,
    /// How much.
    pub amount: i64,
}

fn counter(row: &SqlRow) -> Result<CounterRow, Fault> {
    let unknown = |what: &str| Fault::internal("reading counters", format!("unknown {what}"));
    Ok(CounterRow {
        organisation: row.text("organisation")?,
        application: row.text("application")?,
        meter: Meter::parse(&row.text("meter")?).ok_or_else(|| unknown("meter"))?,
        window: Window::parse(&row.text("span")?).ok_or_else(|| unknown("window"))?,
        start: row.i64("start")?,
        amount: row.i64("amount")?,
    })
}

/// Adds these amounts to what is there.
pub async fn add(tx: &mut Tx, rows: &[CounterRow]) -> Result<(), Fault> {
    for some in rows.chunks(ROWS) {
        let mut insert = Query::insert();
        insert
            .into_table("metering_counters")
            .columns(KEY.into_iter().chain(["amount"]));
        for row in some {
            insert.values_panic([
                Expr::val(row.organisation.clone()),
                Expr::val(row.application.clone()),
                Expr::val(row.meter.word()),
                Expr::val(row.window.word()),
                Expr::val(row.start),
                Expr::val(row.amount),
            ]);
        }
        let sum = Expr::col(("metering_counters", "amount")).add(Expr::col(("excluded", "amount")));
        insert.on_conflict(OnConflict::columns(KEY).value("amount", sum).to_owned());
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// The number of the last flush of a process that was committed; 0 for none.
pub async fn last_flush(run: &mut impl Run, process: &str) -> Result<i64, Fault> {
    let query = Query::select()
        .column("seq")
        .from("metering_flushes")
        .and_where(Expr::col("process").eq(process))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map_or(Ok(0), |row| row.i64("seq"))
}

/// Notes the number of a flush.
pub async fn note_flush(tx: &mut Tx, process: &str, seq: i64, at: i64) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("metering_flushes")
        .columns(["process", "seq", "at"])
        .values_panic([Expr::val(process), Expr::val(seq), Expr::val(at)])
        .on_conflict(
            OnConflict::column("process")
                .update_columns(["seq", "at"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await.map(drop)
}

/// Notes that somebody was warned; false when they had been already.
pub async fn note_warning(
    tx: &mut Tx,
    quota: &str,
    subject: &str,
    start: i64,
) -> Result<bool, Fault> {
    let insert = Query::insert()
        .into_table("metering_warnings")
        .columns(["quota", "subject", "start"])
        .values_panic([Expr::val(quota), Expr::val(subject), Expr::val(start)])
        .on_conflict(
            OnConflict::columns(["quota", "subject", "start"])
                .do_nothing()
                .to_owned(),
        )
        .to_owned();
    Ok(tx.execute(&insert).await? > 0)
}

/// The counters of these windows.
pub async fn current(
    run: &mut impl Run,
    windows: &[(Window, i64)],
) -> Result<Vec<CounterRow>, Fault> {
    let any = windows.iter().fold(Cond::any(), |any, (window, start)| {
        any.add(
            Cond::all()
                .add(Expr::col("span").eq(window.word()))
                .add(Expr::col("start").eq(*start)),
        )
    });
    let query = Query::select()
        .columns(KEY.into_iter().chain(["amount"]))
        .from("metering_counters")
        .cond_where(any)
        .limit(PAGE_LIMIT)
        .to_owned();
    let rows = run.fetch_all(&query).await?;
    rows.iter().map(counter).collect()
}

/// Which counters to list.
#[derive(Clone, Debug)]
pub struct CounterFilter {
    /// Window.
    pub window: Window,
    /// First start, microseconds UTC.
    pub from: i64,
    /// Starts before this.
    pub to: i64,
    /// Only this meter.
    pub meter: Option<Meter>,
    /// Only this organisation.
    pub organisation: Option<String>,
    /// Only this application.
    pub application: Option<String>,
    /// At most so many, capped at [`PAGE_LIMIT`].
    pub limit: u64,
}

/// Counters in order of time, organisation, application and meter.
pub async fn list(run: &mut impl Run, filter: &CounterFilter) -> Result<Vec<CounterRow>, Fault> {
    let equal = |column: &'static str, value: &Option<String>| {
        value.as_ref().map(|v| Expr::col(column).eq(v.clone()))
    };
    let mut query = Query::select();
    query
        .columns(KEY.into_iter().chain(["amount"]))
        .from("metering_counters")
        .and_where(Expr::col("span").eq(filter.window.word()))
        .and_where(Expr::col("start").gte(filter.from))
        .and_where(Expr::col("start").lt(filter.to))
        .and_where_option(filter.meter.map(|m| Expr::col("meter").eq(m.word())))
        .and_where_option(equal("organisation", &filter.organisation))
        .and_where_option(equal("application", &filter.application))
        .limit(std::cmp::min(filter.limit, PAGE_LIMIT));
    for column in ["start", "organisation", "application", "meter"] {
        query.order_by(column, Order::Asc);
    }
    let rows = run.fetch_all(&query).await?;
    rows.iter().map(counter).collect()
}

/// Removes counters of a window that began before this, and what only they needed.
pub async fn prune(tx: &mut Tx, window: Window, before: i64) -> Result<u64, Fault> {
    let counters = Query::delete()
        .from_table("metering_counters")
        .and_where(Expr::col("span").eq(window.word()))
        .and_where(Expr::col("start").lt(before))
        .to_owned();
    tx.execute(&counters).await
}

/// Removes warnings and numbers of flushes from before this.
pub async fn prune_notes(tx: &mut Tx, before: i64) -> Result<(), Fault> {
    for (table, column) in [("metering_warnings", "start"), ("metering_flushes", "at")] {
        let mut delete = Query::delete();
        delete
            .from_table(table)
            .and_where(Expr::col(column).lt(before));
        if table == "metering_warnings" {
            // Limits without an end warn once.
            delete.and_where(Expr::col(column).gt(0));
        }
        tx.execute(&delete).await?;
    }
    Ok(())
}
