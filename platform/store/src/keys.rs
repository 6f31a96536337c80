//! Keys of the city, encrypted: rows of the crypto engine. This module never sees a key in the
//! clear; what opens them is not in the store.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, ExprTrait, Index, Order, Query, Table};

/// Keys there can be, at most; reading takes them all.
pub const LIMIT: u64 = 10_000;

const COLUMNS: [&str; 10] = [
    "ring",
    "version",
    "id",
    "suite",
    "algorithm",
    "public",
    "sealed",
    "created_at",
    "retired_at",
    "reason",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "keys_1",
        statements: |_| {
            vec![
                step(
                    Table::create()
                        .table("crypto_master")
                        .col(
                            ColumnDef::new("number")
                                .big_integer()
                                .not_null()
                                .primary_key(),
                        )
                        .col(ColumnDef::new("id").text().not_null())
                        .col(ColumnDef::new("proof").blob().not_null())
                        .col(ColumnDef::new("created_at").big_integer().not_null())
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("crypto_keys")
                        .col(ColumnDef::new("ring").text().not_null())
                        .col(ColumnDef::new("version").big_integer().not_null())
                        .col(ColumnDef::new("id").text().not_null().unique_key())
                        .col(ColumnDef::new("suite").text().not_null())
                        .col(ColumnDef::new("algorithm").text().not_null())
                        .col(ColumnDef::new("public").blob().not_null())
                        .col(ColumnDef::new("sealed").blob().not_null())
                        .col(ColumnDef::new("created_at").big_integer().not_null())
                        .col(ColumnDef::new("retired_at").big_integer())
                        .col(ColumnDef::new("reason").text().not_null())
                        .primary_key(Index::create().col("ring").col("version"))
                        .to_owned(),
                ),
            ]
        },
    }]
}

/// One version of a ring.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyRow {
    /// Word of the ring.
    pub ring: String,
    /// 1 for the first of its ring.
    pub version: i64,
    /// Identification.
    pub id: String,
    /// Suite it was made for.
    pub suite: String,
    /// What signs.
    pub algorithm: String,
    /// Public half.
    pub public: Vec<u8>,
    /// The secrets, encrypted under the master key.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: i64,
    /// Since when it is used for nothing.
    pub retired_at: Option<i64>,
    /// Why it was made; once retired, why it was.
    pub reason: String,
}

/// What tells the master key of this store from any other.
#[derive(Clone, Debug, PartialEq)]
pub struct MasterRow {
    /// Identification of the master key.
    pub id: String,
    /// Something only that key opens.
    pub proof: Vec<u8>,
    /// When it was made.
    pub created_at: i64,
}

fn key(row: &SqlRow) -> Result<KeyRow, Fault> {
    Ok(KeyRow {
        ring: row.text("ring")?,
        version: row.i64("version")?,
        id: row.text("id")?,
        suite: row.text("suite")?,
        algorithm: row.text("algorithm")?,
        public: row.bytes("public")?,
        sealed: row.bytes("sealed")?,
        created_at: row.i64("created_at")?,
        retired_at: row.opt_i64("retired_at")?,
        reason: row.text("reason")?,
    })
}

/// The master key this store belongs to; `None` before the first start.
pub async fn master(run: &mut impl Run) -> Result<Option<MasterRow>, Fault> {
    let query = Query::select()
        .columns(["id", "proof", "created_at"])
        .from("crypto_master")
        .and_where(Expr::col("number").eq(1))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map(|row| {
        Ok(MasterRow {
            id: row.text("id")?,
            proof: row.bytes("proof")?,
            created_at: row.i64("created_at")?,
        })
    })
    .transpose()
}

/// Binds a new store to its master key.
pub async fn bind_master(tx: &mut Tx, master: &MasterRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("crypto_master")
        .columns(["number", "id", "proof", "created_at"])
        .values_panic([
            Expr::val(1),
            Expr::val(master.id.as_str()),
            Expr::val(master.proof.as_slice()),
            Expr::val(master.created_at),
        ])
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// Every key, by ring, the newest of each first.
pub async fn all(run: &mut impl Run) -> Result<Vec<KeyRow>, Fault> {
    let query = Query::select()
        .columns(COLUMNS)
        .from("crypto_keys")
        .order_by("ring", Order::Asc)
        .order_by("version", Order::Desc)
        .limit(LIMIT)
        .to_owned();
    run.fetch_all(&query).await?.iter().map(key).collect()
}

/// Adds a key.
pub async fn add(tx: &mut Tx, row: &KeyRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("crypto_keys")
        .columns(COLUMNS)
        .values_panic([
            Expr::val(row.ring.as_str()),
            Expr::val(row.version),
            Expr::val(row.id.as_str()),
            Expr::val(row.suite.as_str()),
            Expr::val(row.algorithm.as_str()),
            Expr::val(row.public.as_slice()),
            Expr::val(row.sealed.as_slice()),
            Expr::val(row.created_at),
            Expr::val(row.retired_at),
            Expr::val(row.reason.as_str()),
        ])
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// Marks a key as retired; says whether it was in use until now.
pub async fn retire(tx: &mut Tx, id: &str, at: i64, reason: &str) -> Result<bool, Fault> {
    let statement = Query::update()
        .table("crypto_keys")
        .value("retired_at", at)
        .value("reason", reason)
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::col("retired_at").is_null())
        .to_owned();
    Ok(tx.execute(&statement).await? > 0)
}
