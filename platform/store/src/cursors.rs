//! Cursors: how far each named reader of the log has come. A reader moves its cursor in the same
//! transaction as what it wrote because of the events, so that a restart neither misses nor
//! repeats. The log is never pruned past the slowest.

use crate::migrations::{Migration, step};
use crate::sql::Run;
use crate::{Store, Tx};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, ExprTrait, Func, OnConflict, Query, Table};

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "cursors_1",
        statements: |_| {
            vec![step(
                Table::create()
                    .table("cursors")
                    .col(ColumnDef::new("name").text().not_null().primary_key())
                    .col(ColumnDef::new("seq").big_integer().not_null())
                    .to_owned(),
            )]
        },
    }]
}

/// Sets a cursor: this reader has dealt with everything up to event `seq`. Makes it when new; a
/// reader that is to hold the log back must set its cursor before it first reads.
pub async fn set(tx: &mut Tx, name: &str, seq: i64) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("cursors")
        .columns(["name", "seq"])
        .values_panic([Expr::val(name), Expr::val(seq)])
        .on_conflict(OnConflict::column("name").update_column("seq").to_owned())
        .to_owned();
    tx.execute(&statement).await.map(drop)
}

/// Removes a cursor whose reader no longer exists, so that it holds the log back no more.
pub async fn remove(tx: &mut Tx, name: &str) -> Result<(), Fault> {
    let statement = Query::delete()
        .from_table("cursors")
        .and_where(Expr::col("name").eq(name))
        .to_owned();
    tx.execute(&statement).await.map(drop)
}

/// The slowest cursor as seen by `run`; `None` when there is none.
pub(crate) async fn floor(run: &mut impl Run) -> Result<Option<i64>, Fault> {
    let statement = Query::select()
        .expr_as(Func::min(Expr::col("seq")), "floor")
        .from("cursors")
        .to_owned();
    let row = run.fetch_optional(&statement).await?;
    row.map_or(Ok(None), |row| row.opt_i64("floor"))
}

/// The cursors of a store, for reading.
pub struct Cursors(Store);

impl Cursors {
    pub(crate) fn new(store: Store) -> Cursors {
        Cursors(store)
    }

    /// How far this reader has come; `None` when it never set its cursor.
    pub async fn get(&self, name: &str) -> Result<Option<i64>, Fault> {
        let statement = Query::select()
            .column("seq")
            .from("cursors")
            .and_where(Expr::col("name").eq(name))
            .to_owned();
        let row = self.0.reader().await?.fetch_optional(&statement).await?;
        row.map(|row| row.i64("seq")).transpose()
    }

    /// The slowest cursor; `None` when there is none. The log is pruned at most up to here.
    pub async fn floor(&self) -> Result<Option<i64>, Fault> {
        floor(&mut self.0.reader().await?).await
    }

    /// Every cursor by name, for the operator's page.
    pub async fn list(&self) -> Result<Vec<(String, i64)>, Fault> {
        let statement = Query::select()
            .columns(["name", "seq"])
            .from("cursors")
            .order_by("name", sea_query::Order::Asc)
            .to_owned();
        let rows = self.0.reader().await?.fetch_all(&statement).await?;
        rows.iter()
            .map(|row| Ok((row.text("name")?, row.i64("seq")?)))
            .collect()
    }
}
