//! Tables: what modules with many plain rows share. A row type is declared once with [`rows!`],
//! which writes and reads it by its columns; how its table came to be stays in the migrations.

use crate::sql::{Run, SqlRow};
use crate::{Tx, migrations};
use kernel::Fault;
use sea_query::{
    ColumnDef, Cond, Expr, ExprTrait, Func, Index, OnConflict, Order, Query, SelectStatement, Value,
};

/// Rows of one statement: SQLite takes 32,766 values in one.
const ROWS: usize = 500;

pub(crate) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}
pub(crate) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}
pub(crate) fn maybe_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().to_owned()
}
pub(crate) fn maybe_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().to_owned()
}
pub(crate) fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().to_owned()
}
pub(crate) fn maybe_bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().to_owned()
}

/// An index for the list of a migration.
pub(crate) fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Box<dyn crate::Statement> {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    migrations::step(index)
}

/// What a column holds.
pub(crate) trait Cell: Sized {
    fn value(&self) -> Value;
    fn read(row: &SqlRow, name: &str) -> Result<Self, Fault>;
}

macro_rules! cells {
    ($($of:ty => $read:ident),+ $(,)?) => {
        $(impl Cell for $of {
            fn value(&self) -> Value {
                self.clone().into()
            }
            fn read(row: &SqlRow, name: &str) -> Result<Self, Fault> {
                row.$read(name)
            }
        })+
    };
}

cells!(
    String => text,
    i64 => i64,
    Vec<u8> => bytes,
    Option<String> => opt_text,
    Option<i64> => opt_i64,
    Option<Vec<u8>> => opt_bytes,
);

/// A type of row: its table, its columns in order, the first of them its key.
pub(crate) trait Row: Sized {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];
    fn values(&self) -> Vec<Value>;
    fn read(row: &SqlRow) -> Result<Self, Fault>;
}

/// Declares a type of row of a table.
macro_rules! rows {
    ($table:literal, $(#[$about:meta])* pub struct $name:ident {
        $($(#[$what:meta])* pub $field:ident: $of:ty,)+
    }) => {
        $(#[$about])*
        #[derive(Clone, PartialEq)]
        pub struct $name {
            $($(#[$what])* pub $field: $of,)+
        }
        impl crate::tables::Row for $name {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [&'static str] = &[$(stringify!($field)),+];
            fn values(&self) -> Vec<sea_query::Value> {
                vec![$(crate::tables::Cell::value(&self.$field)),+]
            }
            fn read(row: &crate::sql::SqlRow) -> Result<Self, kernel::Fault> {
                Ok($name {
                    $($field: crate::tables::Cell::read(row, stringify!($field))?,)+
                })
            }
        }
    };
}
pub(crate) use rows;

/// A question for rows of this type.
pub(crate) fn select<R: Row>() -> SelectStatement {
    Query::select()
        .columns(R::COLUMNS.iter().copied())
        .from(R::TABLE)
        .to_owned()
}

/// The first row.
pub(crate) async fn one<R: Row>(
    run: &mut impl Run,
    question: &SelectStatement,
) -> Result<Option<R>, Fault> {
    let row = run.fetch_optional(question).await?;
    row.as_ref().map(R::read).transpose()
}

/// Every row; the question carries a limit.
pub(crate) async fn many<R: Row>(
    run: &mut impl Run,
    question: &SelectStatement,
) -> Result<Vec<R>, Fault> {
    run.fetch_all(question).await?.iter().map(R::read).collect()
}

/// The row with this key.
pub(crate) async fn by_key<R: Row>(run: &mut impl Run, key: &str) -> Result<Option<R>, Fault> {
    let question = select::<R>()
        .and_where(Expr::col(R::COLUMNS[0]).eq(key))
        .to_owned();
    one(run, &question).await
}

/// A page of rows that fit, by this column, newest (largest) first or not, after a cursor.
pub(crate) async fn page<R: Row>(
    run: &mut impl Run,
    fits: Cond,
    by: &'static str,
    order: Order,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<R>, Fault> {
    let beyond = after.map(|after| match order {
        Order::Desc => Expr::col(by).lt(after),
        _ => Expr::col(by).gt(after),
    });
    let question = select::<R>()
        .cond_where(fits)
        .and_where_option(beyond)
        .order_by(by, order)
        .limit(limit)
        .to_owned();
    many(run, &question).await
}

/// How many rows fit.
pub(crate) async fn count(
    run: &mut impl Run,
    table: &'static str,
    fits: Cond,
) -> Result<u64, Fault> {
    let question = Query::select()
        .expr_as(Func::count(Expr::col(sea_query::Asterisk)), "n")
        .from(table)
        .cond_where(fits)
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    Ok(row.map_or(Ok(0), |row| row.i64("n"))?.unsigned_abs())
}

/// Adds rows; none of their keys may be there.
pub(crate) async fn add<R: Row>(tx: &mut Tx, rows: &[R]) -> Result<(), Fault> {
    for some in rows.chunks(ROWS) {
        let mut statement = Query::insert();
        statement
            .into_table(R::TABLE)
            .columns(R::COLUMNS.iter().copied());
        for row in some {
            statement.values_panic(row.values().into_iter().map(Expr::val));
        }
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// Adds a row unless one of these columns holds the same already; says whether it was added.
pub(crate) async fn add_unless<R: Row>(
    tx: &mut Tx,
    row: &R,
    same: &[&'static str],
) -> Result<bool, Fault> {
    let statement = Query::insert()
        .into_table(R::TABLE)
        .columns(R::COLUMNS.iter().copied())
        .values_panic(row.values().into_iter().map(Expr::val))
        .on_conflict(
            OnConflict::columns(same.iter().copied())
                .do_nothing()
                .to_owned(),
        )
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// Writes a row but its key as it now is where it fits; says how many rows that were.
pub(crate) async fn put<R: Row>(tx: &mut Tx, row: &R, fits: Cond) -> Result<u64, Fault> {
    let changes = R::COLUMNS
        .iter()
        .copied()
        .zip(row.values().into_iter().map(Expr::val))
        .skip(1);
    let statement = Query::update()
        .table(R::TABLE)
        .values(changes)
        .cond_where(fits)
        .to_owned();
    tx.execute(&statement).await
}

/// Writes the row of its key as it now is.
pub(crate) async fn put_by_key<R: Row>(tx: &mut Tx, row: &R) -> Result<bool, Fault> {
    let key = row.values().swap_remove(0);
    let fits = Cond::all().add(Expr::col(R::COLUMNS[0]).eq(Expr::val(key)));
    Ok(put(tx, row, fits).await? == 1)
}
