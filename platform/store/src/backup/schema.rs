//! The shape of tables as both databases tell it, so that rows can be carried from one to the
//! other. Some tables are made while the city runs (one per register), so the shape is asked of
//! the database and not taken from the migrations.

use crate::migrations::step;
use crate::sql::{Backend, Plain, Run, SqlRow, Statement};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, Index, Order, Query, SelectStatement, Table, Value};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The four types that cross the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// 64-bit integer.
    Integer,
    /// Double precision.
    Double,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ColumnKind,
    /// May not be NULL.
    pub not_null: bool,
}

/// An index over plain columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexShape {
    /// Its name.
    pub name: String,
    /// No two rows alike in its columns.
    pub unique: bool,
    /// Its columns in order.
    pub columns: Vec<String>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableShape {
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<ColumnShape>,
    /// The columns of its primary key in order; never empty.
    pub key: Vec<String>,
    /// Its other named indexes over plain columns, by name. Only tables made while the city runs
    /// need them here; the migrations make those of all others, whatever they look like.
    pub indexes: Vec<IndexShape>,
}

const SQLITE_COLUMNS: Plain = Plain(
    "SELECT m.name AS tab, c.name AS col, lower(c.type) AS kind, c.\"notnull\" AS required \
     FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY m.name, c.cid",
);
const SQLITE_KEYS: Plain = Plain(
    "SELECT m.name AS tab, c.name AS col FROM sqlite_master m JOIN pragma_table_info(m.name) c \
     WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite~_%' ESCAPE '~' AND c.pk > 0 \
     ORDER BY m.name, c.pk",
);
const SQLITE_INDEXES: Plain = Plain(
    "SELECT m.name AS tab, i.name AS idx, i.\"unique\" AS is_unique, x.name AS col \
     FROM sqlite_master m JOIN pragma_index_list(m.name) i JOIN pragma_index_info(i.name) x \
     WHERE m.type = 'table' AND i.origin = 'c' AND i.partial = 0 AND NOT EXISTS \
         (SELECT 1 FROM pragma_index_info(i.name) e WHERE e.name IS NULL) \
     ORDER BY m.name, i.name, x.seqno",
);
const POSTGRES_COLUMNS: Plain = Plain(
    "SELECT c.relname::text AS tab, a.attname::text AS col, \
         format_type(a.atttypid, a.atttypmod) AS kind, a.attnotnull::int::bigint AS required \
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') \
         AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname::text COLLATE \"C\", a.attnum",
);
const POSTGRES_KEYS: Plain = Plain(
    "SELECT t.relname::text AS tab, a.attname::text AS col FROM pg_index x \
     JOIN pg_class t ON t.oid = x.indrelid \
     CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place) \
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
     WHERE t.relnamespace = current_schema()::regnamespace AND x.indisprimary \
     ORDER BY t.relname::text COLLATE \"C\", k.place",
);
const POSTGRES_INDEXES: Plain = Plain(
    "SELECT t.relname::text AS tab, i.relname::text AS idx, \
         x.indisunique::int::bigint AS is_unique, a.attname::text AS col FROM pg_index x \
     JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
     CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place) \
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
     WHERE t.relnamespace = current_schema()::regnamespace AND NOT x.indisprimary \
         AND x.indpred IS NULL AND x.indexprs IS NULL \
         AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid) \
     ORDER BY t.relname::text COLLATE \"C\", i.relname::text COLLATE \"C\", k.place",
);

/// Every table of the store in order of name.
pub(crate) async fn tables(run: &mut impl Run) -> Result<Vec<TableShape>, Fault> {
    let (columns, keys, indexes) = match run.backend() {
        Backend::Sqlite => (SQLITE_COLUMNS, SQLITE_KEYS, SQLITE_INDEXES),
        Backend::Postgres => (POSTGRES_COLUMNS, POSTGRES_KEYS, POSTGRES_INDEXES),
    };
    let mut tables: Vec<TableShape> = vec![];
    for row in run.fetch_all(&columns).await? {
        let name = row.text("tab")?;
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(TableShape {
                name,
                columns: vec![],
                key: vec![],
                indexes: vec![],
            });
        }
        let column = column(&row)?;
        if let Some(table) = tables.last_mut() {
            table.columns.push(column);
        }
    }
    for row in run.fetch_all(&keys).await? {
        let name = row.text("tab")?;
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            table.key.push(row.text("col")?);
        }
    }
    for row in run.fetch_all(&indexes).await? {
        let name = row.text("tab")?;
        if let Some(table) = tables.iter_mut().find(|table| table.name == name) {
            add_to_index(table, &row)?;
        }
    }
    for table in &mut tables {
        if table.key.is_empty() {
            let cause = format!("table {} has no primary key", table.name);
            return Err(Fault::internal("reading the shape of the store", cause));
        }
        // PostgreSQL says so of every column of a key, SQLite only where it was written.
        for column in &mut table.columns {
            column.not_null |= table.key.contains(&column.name);
        }
    }
    Ok(tables)
}

fn column(row: &SqlRow) -> Result<ColumnShape, Fault> {
    let name = row.text("col")?;
    let kind = match row.text("kind")?.as_str() {
        "integer" | "bigint" => ColumnKind::Integer,
        "double" | "double precision" | "real" => ColumnKind::Double,
        "text" => ColumnKind::Text,
        "blob" | "bytea" => ColumnKind::Bytes,
        other => {
            let cause = format!("column {}.{name} has the type {other}", row.text("tab")?);
            return Err(Fault::internal("reading the shape of the store", cause));
        }
    };
    Ok(ColumnShape {
        name,
        kind,
        not_null: row.i64("required")? != 0,
    })
}

fn add_to_index(table: &mut TableShape, row: &SqlRow) -> Result<(), Fault> {
    let name = row.text("idx")?;
    let column = row.text("col")?;
    match table.indexes.last_mut() {
        Some(index) if index.name == name => index.columns.push(column),
        _ => {
            let unique = row.i64("is_unique")? != 0;
            table.indexes.push(IndexShape {
                name,
                unique,
                columns: vec![column],
            });
        }
    }
    Ok(())
}

impl TableShape {
    /// The statement that makes the table, without its indexes.
    pub(crate) fn create(&self) -> Box<dyn Statement> {
        let mut create = Table::create();
        create.table(self.name.clone());
        for column in &self.columns {
            let mut def = ColumnDef::new(column.name.clone());
            match column.kind {
                ColumnKind::Integer => def.big_integer(),
                ColumnKind::Double => def.double(),
                ColumnKind::Text => def.text(),
                ColumnKind::Bytes => def.blob(),
            };
            if column.not_null {
                def.not_null();
            }
            create.col(def);
        }
        let mut key = Index::create();
        for column in &self.key {
            key.col(column.clone());
        }
        step(create.primary_key(&mut key).to_owned())
    }

    /// The statements that make its indexes.
    pub(crate) fn create_indexes(&self) -> Vec<Box<dyn Statement>> {
        let statement = |shape: &IndexShape| {
            let mut index = Index::create();
            index.name(shape.name.clone()).table(self.name.clone());
            if shape.unique {
                index.unique();
            }
            for column in &shape.columns {
                index.col(column.clone());
            }
            step(index)
        };
        self.indexes.iter().map(statement).collect()
    }

    /// Every row in order of the key.
    pub(crate) fn select(&self) -> SelectStatement {
        let mut select = Query::select();
        select.columns(self.column_names()).from(self.name.clone());
        for column in &self.key {
            select.order_by(column.clone(), Order::Asc);
        }
        select
    }

    pub(crate) fn column_names(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(|column| column.name.clone())
    }

    /// The cells of a row of [`TableShape::select`].
    pub(crate) fn cells(&self, row: &SqlRow) -> Result<Vec<Cell>, Fault> {
        let cell = |column: &ColumnShape| {
            let name = column.name.as_str();
            Ok(match column.kind {
                ColumnKind::Integer => Cell::Integer(row.opt_i64(name)?),
                ColumnKind::Double => Cell::Double(row.opt_f64(name)?),
                ColumnKind::Text => Cell::Text(row.opt_text(name)?),
                ColumnKind::Bytes => Cell::Bytes(row.opt_bytes(name)?),
            })
        };
        self.columns.iter().map(cell).collect()
    }
}

/// A value of a row.
pub(crate) enum Cell {
    Integer(Option<i64>),
    Double(Option<f64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Cell {
    /// Adds the value to a hash: a byte that says whether it is NULL, and texts and bytes with
    /// their length before them, so that no two different rows have the same bytes.
    pub(crate) fn hash_into(&self, hasher: &mut Sha256) {
        let mut add = |length: Option<usize>, bytes: &[u8]| {
            hasher.update([1]);
            if let Some(length) = length {
                hasher.update((length as u64).to_be_bytes());
            }
            hasher.update(bytes);
        };
        match self {
            Cell::Integer(Some(value)) => add(None, &value.to_be_bytes()),
            Cell::Double(Some(value)) => add(None, &value.to_bits().to_be_bytes()),
            Cell::Text(Some(value)) => add(Some(value.len()), value.as_bytes()),
            Cell::Bytes(Some(value)) => add(Some(value.len()), value),
            _ => hasher.update([0]),
        }
    }

    /// Bytes it takes in memory, about.
    pub(crate) fn size(&self) -> usize {
        match self {
            Cell::Text(Some(value)) => value.len(),
            Cell::Bytes(Some(value)) => value.len(),
            _ => 8,
        }
    }

    /// As a value of a statement.
    pub(crate) fn into_expr(self) -> Expr {
        Expr::val(match self {
            Cell::Integer(value) => Value::BigInt(value),
            Cell::Double(value) => Value::Double(value),
            Cell::Text(value) => Value::String(value),
            Cell::Bytes(value) => Value::Bytes(value),
        })
    }
}
