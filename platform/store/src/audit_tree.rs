//! The Merkle trees over the audit log: nodes as tiles of 256 hashes, and the checkpoints signed so
//! far. What the hashes are is the audit engine's business.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Cond, Expr, ExprTrait, Index, OnConflict, Order, Query, Table};
use std::collections::BTreeMap;

/// Where a tile stands: level (of tiles) and number in it.
pub type TileId = (u8, u64);
/// Checkpoints of one page, at most.
pub const PAGE_LIMIT: u64 = 1000;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "audit_tree_1",
        statements: |_| {
            vec![
                step(
                    Table::create()
                        .table("audit_tree")
                        .col(
                            ColumnDef::new("number")
                                .big_integer()
                                .not_null()
                                .primary_key(),
                        )
                        .col(ColumnDef::new("size").big_integer().not_null())
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("audit_tiles")
                        .col(ColumnDef::new("digest").text().not_null())
                        .col(ColumnDef::new("level").big_integer().not_null())
                        .col(ColumnDef::new("number").big_integer().not_null())
                        .col(ColumnDef::new("hashes").blob().not_null())
                        .primary_key(Index::create().col("digest").col("level").col("number"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("audit_checkpoints")
                        .col(
                            ColumnDef::new("size")
                                .big_integer()
                                .not_null()
                                .primary_key(),
                        )
                        .col(ColumnDef::new("at").big_integer().not_null())
                        .col(ColumnDef::new("text").text().not_null())
                        .to_owned(),
                ),
            ]
        },
    }]
}

/// A signed checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointRow {
    /// Entries of the tree.
    pub size: u64,
    /// When it was signed, microseconds UTC.
    pub at: i64,
    /// The signed note.
    pub text: String,
}

/// Entries that are in the trees.
pub async fn size(run: &mut impl Run) -> Result<u64, Fault> {
    let query = Query::select()
        .column("size")
        .from("audit_tree")
        .and_where(Expr::col("number").eq(1))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    Ok(row.map_or(Ok(0), |row| row.i64("size"))?.unsigned_abs())
}

/// Notes how many entries are in the trees.
pub async fn set_size(tx: &mut Tx, size: u64) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("audit_tree")
        .columns(["number", "size"])
        .values_panic([Expr::val(1), Expr::val(size)])
        .on_conflict(
            OnConflict::column("number")
                .update_column("size")
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// The tiles asked for that there are.
pub async fn tiles(
    run: &mut impl Run,
    digest: &str,
    wanted: impl IntoIterator<Item = TileId>,
) -> Result<BTreeMap<TileId, Vec<u8>>, Fault> {
    let mut any = Cond::any();
    for (level, number) in wanted {
        // The whole key in each branch: only so SQLite looks up every one instead of walking all.
        any = any.add(
            Expr::col("digest")
                .eq(digest)
                .and(Expr::col("level").eq(level))
                .and(Expr::col("number").eq(number)),
        );
    }
    if any.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = Query::select()
        .columns(["level", "number", "hashes"])
        .from("audit_tiles")
        .cond_where(any)
        .to_owned();
    let rows = run.fetch_all(&query).await?;
    let tile = |row: &SqlRow| {
        let level = u8::try_from(row.i64("level")?)
            .map_err(|e| Fault::internal("reading a tile of the audit tree", e))?;
        let id = (level, row.i64("number")?.unsigned_abs());
        Ok((id, row.bytes("hashes")?))
    };
    rows.iter().map(tile).collect()
}

/// Writes a tile, whole or in part.
pub async fn put_tile(
    tx: &mut Tx,
    digest: &str,
    (level, number): TileId,
    hashes: &[u8],
) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("audit_tiles")
        .columns(["digest", "level", "number", "hashes"])
        .values_panic([
            Expr::val(digest),
            Expr::val(level),
            Expr::val(number),
            Expr::val(hashes),
        ])
        .on_conflict(
            OnConflict::columns(["digest", "level", "number"])
                .update_column("hashes")
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// Keeps a signed checkpoint.
pub async fn add_checkpoint(tx: &mut Tx, checkpoint: &CheckpointRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("audit_checkpoints")
        .columns(["size", "at", "text"])
        .values_panic([
            Expr::val(checkpoint.size),
            Expr::val(checkpoint.at),
            Expr::val(checkpoint.text.as_str()),
        ])
        .on_conflict(
            OnConflict::column("size")
                .update_columns(["at", "text"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// Checkpoints up to a size, the largest first.
pub async fn checkpoints(
    run: &mut impl Run,
    up_to: Option<u64>,
    limit: u64,
) -> Result<Vec<CheckpointRow>, Fault> {
    let mut query = Query::select();
    query
        .columns(["size", "at", "text"])
        .from("audit_checkpoints")
        .and_where_option(up_to.map(|size| Expr::col("size").lte(size)))
        .order_by("size", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT));
    let rows = run.fetch_all(&query).await?;
    let checkpoint = |row: &SqlRow| {
        Ok(CheckpointRow {
            size: row.i64("size")?.unsigned_abs(),
            at: row.i64("at")?,
            text: row.text("text")?,
        })
    };
    rows.iter().map(checkpoint).collect()
}

/// How many checkpoints there are.
pub async fn checkpoint_count(run: &mut impl Run) -> Result<u64, Fault> {
    let query = Query::select()
        .expr_as(Expr::col("size").count(), "total")
        .from("audit_checkpoints")
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    Ok(row.map_or(Ok(0), |row| row.i64("total"))?.unsigned_abs())
}
