//! Records: the tables of the registers engine. Each declared register has a table `reg_<name>`:
//! one row per stretch of valid time that the city believes or once believed, with the record as
//! JSON text and one typed column per indexed field. Tables are made and extended from the
//! declarations when the engine opens; which columns are filled is kept in `register_columns`.
//!
//! Open ends of time are [`FOREVER`], so that comparing needs no case for NULL.

mod prepare;
mod select;

pub use prepare::prepare;
pub use select::{Selection, Test, page};

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use kernel::fault::FaultKind;
use sea_query::{
    Alias, ColumnDef, Expr, ExprTrait, Func, Index, Order, Query, SelectStatement, Table,
};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The end of what has no end: "still valid", "still believed".
pub const FOREVER: i64 = i64::MAX;
/// Rows of one insert and keys of one question: keeps below the databases' parameter limits.
const BATCH: usize = 200;
/// Names longer than this would not fit into PostgreSQL's 63 bytes together with ours.
const NAME_LIMIT: usize = 48;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "records_1",
        statements: |_| {
            vec![step(
                Table::create()
                    .table("register_columns")
                    .col(ColumnDef::new("register").text().not_null())
                    .col(ColumnDef::new("name").text().not_null())
                    .col(ColumnDef::new("filled").big_integer().not_null())
                    .primary_key(Index::create().col("register").col("name"))
                    .to_owned(),
            )]
        },
    }]
}

/// Type of a column made from a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// Text, compared by bytes.
    Text,
    /// Whole number; times are microseconds, truth is 0 or 1.
    Integer,
    /// Double.
    Double,
}

/// A value of such a column; `None` is a field the record does not have.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Of a text column.
    Text(Option<String>),
    /// Of an integer column.
    Integer(Option<i64>),
    /// Of a double column.
    Double(Option<f64>),
}

impl Cell {
    /// The record does not have the field.
    pub fn is_none(&self) -> bool {
        matches!(
            self,
            Cell::Text(None) | Cell::Integer(None) | Cell::Double(None)
        )
    }

    fn expr(&self) -> Expr {
        match self {
            Cell::Text(value) => Expr::val(value.clone()),
            Cell::Integer(value) => Expr::val(*value),
            Cell::Double(value) => Expr::val(*value),
        }
    }
}

/// A field that has a column of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Field of the record.
    pub field: String,
    /// Type.
    pub kind: CellKind,
}

impl Column {
    /// The type is part of the name: a field that changes its type gets another column.
    fn name(&self) -> Alias {
        let kind = match self.kind {
            CellKind::Text => "t",
            CellKind::Integer => "i",
            CellKind::Double => "d",
        };
        Alias::new(format!("f_{}_{kind}", self.field))
    }
}

/// Columns of the index for narrowed lists, at most.
const REACH_LIMIT: usize = 16;

/// The table of a register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    register: String,
    columns: Vec<Column>,
    /// Fields that say whose a record is.
    access: Vec<String>,
}

impl Shape {
    /// The table of `register` with these columns. Names other than `a-z0-9_` of up to 48
    /// characters are refused as `declaration.invalid`.
    pub fn new(register: &str, columns: Vec<Column>) -> Result<Shape, Fault> {
        let names = columns.iter().map(|c| c.field.as_str());
        for name in names.chain([register]) {
            let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if name.is_empty() || name.len() > NAME_LIMIT || !name.chars().all(sound) {
                return Err(Fault::new(
                    FaultKind::Invalid,
                    "declaration.invalid",
                    format!(
                        "登记簿或字段名“{name}”须由小写字母、数字、下划线组成，不超过 48 个字符"
                    ),
                    format!("the name \"{name}\" must be 1 to 48 of a-z, 0-9 and _"),
                ));
            }
        }
        Ok(Shape {
            register: register.into(),
            columns,
            access: vec![],
        })
    }

    /// Lists are narrowed by these fields for most people: one index answers which rows are within
    /// reach, and how many, without the rows themselves.
    pub fn narrowed_by<'a>(mut self, fields: impl IntoIterator<Item = &'a String>) -> Shape {
        self.access = fields.into_iter().cloned().collect();
        self
    }

    /// Columns of that index: what says whose a record is, and numbers, which conditions compare.
    /// No other texts: they may be longer than an index of PostgreSQL takes.
    fn reach(&self) -> Vec<String> {
        let asked =
            |column: &&Column| self.access.contains(&column.field) || column.kind != CellKind::Text;
        let columns = self.columns.iter().filter(asked).take(REACH_LIMIT);
        columns.map(|column| column.name().0.to_string()).collect()
    }

    /// Columns in order; cells of a row come in the same order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    fn table(&self) -> Alias {
        Alias::new(format!("reg_{}", self.register))
    }

    fn index_name(&self, columns: &str) -> String {
        let digest = Sha256::digest(columns.as_bytes());
        let mark: String = digest[..4].iter().map(|b| format!("{b:02x}")).collect();
        format!("ix_reg_{}_{mark}", self.register)
    }
}

/// Computes the cells of some columns from a record's JSON.
pub type CellsOf<'a> = dyn Fn(&[Column], &str) -> Result<Vec<Cell>, Fault> + Sync + 'a;

/// One row: a stretch of valid time of a record, believed from `recorded_at` to `superseded_at`.
/// Times are microseconds UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRow {
    /// Number of the row within its table.
    pub id: i64,
    /// Key of the record.
    pub key: String,
    /// Number of the change that brought this stretch.
    pub version: i64,
    /// Number of the latest change of the record, kept while the row is believed.
    pub revision: i64,
    /// Valid from (inclusive).
    pub valid_from: i64,
    /// Valid to (exclusive).
    pub valid_to: i64,
    /// Believed from (inclusive).
    pub recorded_at: i64,
    /// Believed to (exclusive).
    pub superseded_at: i64,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// The record as JSON.
    pub body: String,
}

const FIXED: [&str; 11] = [
    "id",
    "key",
    "version",
    "revision",
    "valid_from",
    "valid_to",
    "recorded_at",
    "superseded_at",
    "by_account",
    "reason",
    "body",
];

fn read(row: &SqlRow) -> Result<RecordRow, Fault> {
    Ok(RecordRow {
        id: row.i64("id")?,
        key: row.text("key")?,
        version: row.i64("version")?,
        revision: row.i64("revision")?,
        valid_from: row.i64("valid_from")?,
        valid_to: row.i64("valid_to")?,
        recorded_at: row.i64("recorded_at")?,
        superseded_at: row.i64("superseded_at")?,
        by: row.text("by_account")?,
        reason: row.opt_text("reason")?,
        body: row.text("body")?,
    })
}

fn rows_of(shape: &Shape) -> SelectStatement {
    Query::select()
        .columns(FIXED)
        .from(shape.table())
        .to_owned()
}

/// What a register holds of some records: the believed rows in order of key and valid time, and
/// for every key that was ever used its latest version and when that was recorded.
pub struct Held {
    /// Believed rows.
    pub standing: Vec<RecordRow>,
    /// Key → latest version, latest time of recording.
    pub latest: BTreeMap<String, (i64, i64)>,
}

/// What the register holds of these records.
pub async fn held(run: &mut impl Run, shape: &Shape, keys: &[String]) -> Result<Held, Fault> {
    let mut held = Held {
        standing: vec![],
        latest: BTreeMap::new(),
    };
    for part in keys.chunks(BATCH) {
        let part = part.iter().map(String::as_str);
        let believed = rows_of(shape)
            .and_where(Expr::col("key").is_in(part.clone()))
            .and_where(Expr::col("superseded_at").eq(FOREVER))
            .order_by("key", Order::Asc)
            .order_by("valid_from", Order::Asc)
            .to_owned();
        for row in run.fetch_all(&believed).await? {
            held.standing.push(read(&row)?);
        }
        let latest = Query::select()
            .column("key")
            .expr_as(Func::max(Expr::col("version")), "version")
            .expr_as(Func::max(Expr::col("recorded_at")), "recorded_at")
            .from(shape.table())
            .and_where(Expr::col("key").is_in(part))
            .group_by_col("key")
            .to_owned();
        for row in run.fetch_all(&latest).await? {
            let numbers = (row.i64("version")?, row.i64("recorded_at")?);
            held.latest.insert(row.text("key")?, numbers);
        }
    }
    Ok(held)
}

/// Believed rows that are valid at or after `from`, for keeping a register in memory; in order of
/// key and valid time, `limit` at most.
pub async fn believed_from(
    run: &mut impl Run,
    shape: &Shape,
    from: i64,
    limit: u64,
) -> Result<Vec<RecordRow>, Fault> {
    let question = rows_of(shape)
        .and_where(Expr::col("superseded_at").eq(FOREVER))
        .and_where(Expr::col("valid_to").gt(from))
        .order_by("key", Order::Asc)
        .order_by("valid_from", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(read).collect()
}

/// Which of these keys belong to records that are valid at or after `from`.
pub async fn existing(
    run: &mut impl Run,
    shape: &Shape,
    keys: &[String],
    from: i64,
) -> Result<BTreeSet<String>, Fault> {
    let mut found = BTreeSet::new();
    for part in keys.chunks(BATCH) {
        let question = Query::select()
            .distinct()
            .column("key")
            .from(shape.table())
            .and_where(Expr::col("key").is_in(part.iter().map(String::as_str)))
            .and_where(Expr::col("superseded_at").eq(FOREVER))
            .and_where(Expr::col("valid_to").gt(from))
            .to_owned();
        for row in run.fetch_all(&question).await? {
            found.insert(row.text("key")?);
        }
    }
    Ok(found)
}

/// Rows of one record, newest version first, `limit` at most.
pub async fn history(
    run: &mut impl Run,
    shape: &Shape,
    key: &str,
    limit: u64,
) -> Result<Vec<RecordRow>, Fault> {
    let question = rows_of(shape)
        .and_where(Expr::col("key").eq(key))
        .order_by("version", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(read).collect()
}

/// The highest number of a row; 0 for an empty table.
pub async fn last_id(tx: &mut Tx, shape: &Shape) -> Result<i64, Fault> {
    let question = Query::select()
        .expr_as(Func::max(Expr::col("id")), "last")
        .from(shape.table())
        .to_owned();
    let row = tx.fetch_optional(&question).await?;
    Ok(row
        .map_or(Ok(None), |row| row.opt_i64("last"))?
        .unwrap_or(0))
}

/// Ends the belief in these rows at `at`.
pub async fn supersede(tx: &mut Tx, shape: &Shape, ids: &[i64], at: i64) -> Result<(), Fault> {
    for part in ids.chunks(BATCH) {
        let update = Query::update()
            .table(shape.table())
            .value("superseded_at", at)
            .and_where(Expr::col("id").is_in(part.iter().copied()))
            .to_owned();
        tx.execute(&update).await?;
    }
    Ok(())
}

/// Notes the latest version on the believed rows of a record.
pub async fn set_revision(
    tx: &mut Tx,
    shape: &Shape,
    key: &str,
    revision: i64,
) -> Result<(), Fault> {
    let update = Query::update()
        .table(shape.table())
        .value("revision", revision)
        .and_where(Expr::col("key").eq(key))
        .and_where(Expr::col("superseded_at").eq(FOREVER))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}

/// Writes rows with their cells (in the order of [`Shape::columns`]).
pub async fn insert(
    tx: &mut Tx,
    shape: &Shape,
    rows: &[(RecordRow, Vec<Cell>)],
) -> Result<(), Fault> {
    let fixed = FIXED.iter().map(|name| Alias::new(*name));
    let columns: Vec<Alias> = fixed
        .chain(shape.columns.iter().map(Column::name))
        .collect();
    for part in rows.chunks(BATCH) {
        let mut statement = Query::insert();
        statement.into_table(shape.table()).columns(columns.clone());
        for (row, cells) in part {
            let fixed = [
                Expr::val(row.id),
                Expr::val(row.key.as_str()),
                Expr::val(row.version),
                Expr::val(row.revision),
                Expr::val(row.valid_from),
                Expr::val(row.valid_to),
                Expr::val(row.recorded_at),
                Expr::val(row.superseded_at),
                Expr::val(row.by.as_str()),
                Expr::val(row.reason.clone()),
                Expr::val(row.body.as_str()),
            ];
            let values = fixed.into_iter().chain(cells.iter().map(Cell::expr));
            statement
                .values(values)
                .map_err(|e| Fault::internal("writing records", e))?;
        }
        tx.execute(&statement).await?;
    }
    Ok(())
}
