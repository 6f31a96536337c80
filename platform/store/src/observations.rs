//! Observations: the tables of the observations engine, and how its batches lie in the log. The
//! engine decides what the bytes mean; this module carries them: names of things and columns, one
//! directory row per group (thing × period), blocks of rows, rollups.

use crate::migrations::{Migration, step};
use crate::sql::{Backend, Plain, Run, SqlRow};
use crate::{Store, Tx, events};
use kernel::events::{Event, EventKind};
use kernel::observations::{Basis, Column, Row, Statistic, wire};
use kernel::{Fault, Time};
use sea_query::{
    ColumnDef, Cond, Expr, ExprTrait, Index, OnConflict, Order, Query, SelectStatement, Table,
};
use std::sync::Arc;

/// Rows of one statement: enough to be quick, few enough for every database.
const ROWS: usize = 64;
/// First byte of a compressed batch; the encoding itself starts with its version, 1.
const COMPRESSED: u8 = b'Z';
/// No batch unpacks to more than this.
const MAX_BATCH: usize = 256 << 20;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "observations_1",
        statements: |backend| {
            let integer =
                |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
            let bytes = || ColumnDef::new("body").blob().not_null().to_owned();
            let mut steps = vec![
                step(
                    Table::create()
                        .table("obs_things")
                        .col(integer("id").primary_key())
                        .col(ColumnDef::new("name").text().not_null())
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("obs_columns")
                        .col(integer("id").primary_key())
                        .col(ColumnDef::new("property").text().not_null())
                        .col(integer("statistic"))
                        .col(integer("basis"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("obs_groups")
                        .col(integer("id").primary_key())
                        .col(integer("flushed_seq"))
                        .col(bytes())
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("obs_blocks")
                        .col(integer("group_id"))
                        .col(integer("start_time"))
                        .col(integer("end_time"))
                        .col(bytes())
                        .primary_key(Index::create().col("group_id").col("start_time"))
                        .to_owned(),
                ),
                step(
                    Table::create()
                        .table("obs_rollups")
                        .col(integer("group_id"))
                        .col(integer("day"))
                        .col(integer("final"))
                        .col(bytes())
                        .primary_key(Index::create().col("group_id").col("day"))
                        .to_owned(),
                ),
            ];
            if backend == Backend::Postgres {
                // Bodies are compressed already; PostgreSQL's own attempt only costs time.
                steps.push(step(Plain(
                    "ALTER TABLE obs_blocks ALTER COLUMN body SET STORAGE EXTERNAL",
                )));
            }
            steps
        },
    }]
}

/// Compresses the encoding of a batch (`kernel::observations::wire`) for the log. Slow work of
/// milliseconds for large batches: call it where blocking is allowed.
pub fn pack_batch(encoded: &[u8]) -> Vec<u8> {
    // A lone row would only grow.
    if encoded.len() < 128 {
        return encoded.to_vec();
    }
    let Ok(packed) = zstd::bulk::compress(encoded, 1) else {
        return encoded.to_vec();
    };
    let mut body = Vec::with_capacity(packed.len() + 5);
    body.push(COMPRESSED);
    body.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
    body.extend_from_slice(&packed);
    body
}

/// Writes a batch made by [`pack_batch`] to the log; returns its number.
pub async fn append_batch(tx: &mut Tx, at: Time, packed: &[u8]) -> Result<i64, Fault> {
    events::append(tx, at, EventKind::Observations, "", packed).await
}

/// Batches after event `after` as they are on disk, whatever the memory of the log says; at most
/// 256, for an engine that did not hear how its last commit ended.
pub async fn batches_after(store: &Store, after: i64) -> Result<Vec<Event>, Fault> {
    let select = Query::select()
        .columns(["seq", "at", "body"])
        .from("events")
        .and_where(Expr::col("seq").gt(after))
        .and_where(Expr::col("kind").eq(EventKind::Observations as i64))
        .order_by("seq", Order::Asc)
        .limit(256)
        .to_owned();
    let rows = store.reader().await?.fetch_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok(Event {
                seq: row.i64("seq")?,
                at: Time(row.i64("at")?),
                kind: EventKind::Observations,
                about: "".into(),
                body: row.bytes("body")?.into(),
            })
        })
        .collect()
}

/// The encoding of a batch of the log, for `kernel::observations::wire::decode`. A damaged body
/// is a fault.
pub fn read_batch(event: &Event) -> Result<Vec<u8>, Fault> {
    let damaged = |what: &str| {
        Fault::internal(
            "reading a batch of the log",
            format!("event {}: {what}", event.seq),
        )
    };
    let Some((&tag, rest)) = event.body.split_first() else {
        return Err(damaged("empty"));
    };
    if tag != COMPRESSED {
        return Ok(event.body.to_vec());
    }
    let (length, packed) = rest
        .split_first_chunk::<4>()
        .ok_or_else(|| damaged("cut short"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_BATCH {
        return Err(damaged("too long"));
    }
    let encoded = zstd::bulk::decompress(packed, length).map_err(|_| damaged("not zstd"))?;
    if encoded.len() == length {
        Ok(encoded)
    } else {
        Err(damaged("length"))
    }
}

/// Writes new names of things and columns.
pub async fn add_names(
    tx: &mut Tx,
    things: &[(u32, Arc<str>)],
    columns: &[(u32, Arc<Column>)],
) -> Result<(), Fault> {
    for some in things.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("obs_things")
            .columns(["id", "name"])
            .to_owned();
        for (id, name) in some {
            insert.values_panic([Expr::val(i64::from(*id)), Expr::val(&**name)]);
        }
        tx.execute(&insert).await?;
    }
    for some in columns.chunks(ROWS) {
        let names = ["id", "property", "statistic", "basis"];
        let mut insert = Query::insert()
            .into_table("obs_columns")
            .columns(names)
            .to_owned();
        for (id, column) in some {
            insert.values_panic([
                Expr::val(i64::from(*id)),
                Expr::val(&*column.property),
                Expr::val(column.statistic as i64),
                Expr::val(column.basis as i64),
            ]);
        }
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Names of all things and meanings of all columns, each in order of number from 0 without a gap.
pub async fn load_names(store: &Store) -> Result<(Vec<String>, Vec<Column>), Fault> {
    let mut reader = store.reader().await?;
    let select = Query::select()
        .columns(["id", "name"])
        .from("obs_things")
        .order_by("id", Order::Asc)
        .to_owned();
    let things = reader.fetch_all(&select).await?;
    let things = things
        .iter()
        .map(|row| row.text("name"))
        .collect::<Result<Vec<_>, _>>()?;
    let select = Query::select()
        .columns(["id", "property", "statistic", "basis"])
        .from("obs_columns")
        .order_by("id", Order::Asc)
        .to_owned();
    let mut columns = Vec::new();
    for row in reader.fetch_all(&select).await? {
        let statistic = u8::try_from(row.i64("statistic")?)
            .ok()
            .and_then(Statistic::from_u8);
        columns.push(Column {
            property: row.text("property")?.into(),
            statistic: statistic
                .ok_or_else(|| Fault::internal("reading columns", "unknown statistic"))?,
            basis: if row.i64("basis")? == 1 {
                Basis::Converted
            } else {
                Basis::Measured
            },
        });
    }
    Ok((things, columns))
}

/// Directory row of a group.
pub struct GroupRow {
    /// Thing × 4 + period.
    pub group: u32,
    /// Rows of events up to this number are in blocks.
    pub flushed_seq: i64,
    /// Columns, extent, newest values, in the engine's encoding.
    pub body: Vec<u8>,
}

/// Groups after `after` in order of number, at most `limit`.
pub async fn load_groups(
    store: &Store,
    after: Option<u32>,
    limit: u64,
) -> Result<Vec<GroupRow>, Fault> {
    let select = Query::select()
        .columns(["id", "flushed_seq", "body"])
        .from("obs_groups")
        .and_where(Expr::col("id").gt(after.map_or(-1, i64::from)))
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = store.reader().await?.fetch_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok(GroupRow {
                group: row.i64("id")? as u32,
                flushed_seq: row.i64("flushed_seq")?,
                body: row.bytes("body")?,
            })
        })
        .collect()
}

/// Writes directory rows in place of those before.
pub async fn put_groups(tx: &mut Tx, groups: &[GroupRow]) -> Result<(), Fault> {
    for some in groups.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("obs_groups")
            .columns(["id", "flushed_seq", "body"])
            .to_owned();
        for group in some {
            insert.values_panic([
                Expr::val(i64::from(group.group)),
                Expr::val(group.flushed_seq),
                Expr::val(group.body.clone()),
            ]);
        }
        insert.on_conflict(
            OnConflict::column("id")
                .update_columns(["flushed_seq", "body"])
                .to_owned(),
        );
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// A block of rows of one group. Blocks of a group never overlap in time.
#[derive(Clone, Debug)]
pub struct BlockRow {
    /// Thing × 4 + period.
    pub group: u32,
    /// First time in it, microseconds.
    pub start: i64,
    /// Last time in it, microseconds.
    pub end: i64,
    /// Rows, in the engine's encoding.
    pub body: Vec<u8>,
}

fn block(row: &SqlRow) -> Result<BlockRow, Fault> {
    Ok(BlockRow {
        group: row.i64("group_id")? as u32,
        start: row.i64("start_time")?,
        end: row.i64("end_time")?,
        body: row.bytes("body")?,
    })
}

fn select_blocks() -> SelectStatement {
    Query::select()
        .columns(["group_id", "start_time", "end_time", "body"])
        .from("obs_blocks")
        .to_owned()
}

/// Writes blocks in place of those that start at the same time.
pub async fn put_blocks(tx: &mut Tx, blocks: &[BlockRow]) -> Result<(), Fault> {
    let names = ["group_id", "start_time", "end_time", "body"];
    for some in blocks.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("obs_blocks")
            .columns(names)
            .to_owned();
        for block in some {
            insert.values_panic([
                Expr::val(i64::from(block.group)),
                Expr::val(block.start),
                Expr::val(block.end),
                Expr::val(block.body.clone()),
            ]);
        }
        let conflict = OnConflict::columns(["group_id", "start_time"])
            .update_columns(["end_time", "body"])
            .to_owned();
        insert.on_conflict(conflict);
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Any of these groups with their starts.
fn any_of(keys: &[(u32, i64)], second: &'static str) -> Cond {
    keys.iter().fold(Cond::any(), |any, (group, start)| {
        any.add(
            Cond::all()
                .add(Expr::col("group_id").eq(i64::from(*group)))
                .add(Expr::col(second).eq(*start)),
        )
    })
}

/// Removes the blocks that start at these times.
pub async fn delete_blocks(tx: &mut Tx, keys: &[(u32, i64)]) -> Result<(), Fault> {
    for some in keys.chunks(ROWS) {
        let delete = Query::delete()
            .from_table("obs_blocks")
            .cond_where(any_of(some, "start_time"))
            .to_owned();
        tx.execute(&delete).await?;
    }
    Ok(())
}

/// The blocks that start at these times, in any order.
pub async fn blocks_at(run: &mut impl Run, keys: &[(u32, i64)]) -> Result<Vec<BlockRow>, Fault> {
    let mut blocks = Vec::with_capacity(keys.len());
    for some in keys.chunks(ROWS) {
        let select = select_blocks()
            .cond_where(any_of(some, "start_time"))
            .to_owned();
        for row in run.fetch_all(&select).await? {
            blocks.push(block(&row)?);
        }
    }
    Ok(blocks)
}

/// The last block of a group that starts at or before `time`.
pub async fn block_before(
    run: &mut impl Run,
    group: u32,
    time: i64,
) -> Result<Option<BlockRow>, Fault> {
    let select = select_blocks()
        .and_where(Expr::col("group_id").eq(i64::from(group)))
        .and_where(Expr::col("start_time").lte(time))
        .order_by("start_time", Order::Desc)
        .limit(1)
        .to_owned();
    run.fetch_optional(&select)
        .await?
        .map(|row| block(&row))
        .transpose()
}

/// Blocks of a group that start in `from..to`, in order, at most `limit`.
pub async fn blocks_between(
    run: &mut impl Run,
    group: u32,
    from: i64,
    to: i64,
    limit: u64,
) -> Result<Vec<BlockRow>, Fault> {
    let select = select_blocks()
        .and_where(Expr::col("group_id").eq(i64::from(group)))
        .and_where(Expr::col("start_time").gte(from))
        .and_where(Expr::col("start_time").lt(to))
        .order_by("start_time", Order::Asc)
        .limit(limit)
        .to_owned();
    run.fetch_all(&select).await?.iter().map(block).collect()
}

/// Hours and the day of one group, rolled up.
#[derive(Clone, Debug)]
pub struct RollupRow {
    /// Thing × 4 + period.
    pub group: u32,
    /// Start of the day, microseconds.
    pub day: i64,
    /// The raw rows of the day have expired: this is all there is.
    pub is_final: bool,
    /// Buckets, in the engine's encoding.
    pub body: Vec<u8>,
}

/// Writes rollups in place of those of the same days.
pub async fn put_rollups(tx: &mut Tx, rollups: &[RollupRow]) -> Result<(), Fault> {
    let names = ["group_id", "day", "final", "body"];
    for some in rollups.chunks(ROWS) {
        let mut insert = Query::insert()
            .into_table("obs_rollups")
            .columns(names)
            .to_owned();
        for rollup in some {
            insert.values_panic([
                Expr::val(i64::from(rollup.group)),
                Expr::val(rollup.day),
                Expr::val(i64::from(rollup.is_final)),
                Expr::val(rollup.body.clone()),
            ]);
        }
        insert.on_conflict(
            OnConflict::columns(["group_id", "day"])
                .update_columns(["final", "body"])
                .to_owned(),
        );
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// Removes rollups of these days, but none that is final.
pub async fn delete_rollups(tx: &mut Tx, keys: &[(u32, i64)]) -> Result<(), Fault> {
    for some in keys.chunks(ROWS) {
        let delete = Query::delete()
            .from_table("obs_rollups")
            .and_where(Expr::col("final").eq(0))
            .cond_where(any_of(some, "day"))
            .to_owned();
        tx.execute(&delete).await?;
    }
    Ok(())
}

/// Removes rollups of a group for days before `day`, final or not.
pub async fn delete_rollups_before(tx: &mut Tx, group: u32, day: i64) -> Result<u64, Fault> {
    let delete = Query::delete()
        .from_table("obs_rollups")
        .and_where(Expr::col("group_id").eq(i64::from(group)))
        .and_where(Expr::col("day").lt(day))
        .to_owned();
    tx.execute(&delete).await
}

/// Rollups of a group for days in `from..to`, in order, at most `limit`.
pub async fn rollups_between(
    run: &mut impl Run,
    group: u32,
    from: i64,
    to: i64,
    limit: u64,
) -> Result<Vec<RollupRow>, Fault> {
    let select = Query::select()
        .columns(["group_id", "day", "final", "body"])
        .from("obs_rollups")
        .and_where(Expr::col("group_id").eq(i64::from(group)))
        .and_where(Expr::col("day").gte(from))
        .and_where(Expr::col("day").lt(to))
        .order_by("day", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&select).await?;
    rows.iter()
        .map(|row| {
            Ok(RollupRow {
                group: row.i64("group_id")? as u32,
                day: row.i64("day")?,
                is_final: row.i64("final")? != 0,
                body: row.bytes("body")?,
            })
        })
        .collect()
}

/// Calls `each` with the reception and every row of a batch of the log. Other events have none.
pub fn each_row(event: &Event, each: impl FnMut(Time, Row)) -> Result<(), Fault> {
    if event.kind != EventKind::Observations {
        return Ok(());
    }
    let encoded = read_batch(event)?;
    let read = wire::decode(&encoded, each);
    read.map(drop)
        .map_err(|e| Fault::internal("reading a batch of the log", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_come_back_as_they_went() {
        for length in [0, 1, 127, 128, 100_000] {
            let mut encoded: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            encoded.insert(0, 1);
            let body: Arc<[u8]> = pack_batch(&encoded).into();
            let event = Event {
                seq: 1,
                at: Time(0),
                kind: EventKind::Observations,
                about: "".into(),
                body,
            };
            assert_eq!(read_batch(&event), Ok(encoded));
        }
    }

    #[test]
    fn a_damaged_batch_is_a_fault() {
        for body in [&b""[..], b"Z", b"Z\xff\xff\xff\xff", b"Z\x05\0\0\0rubbish"] {
            let event = Event {
                seq: 1,
                at: Time(0),
                kind: EventKind::Observations,
                about: "".into(),
                body: body.into(),
            };
            assert!(read_batch(&event).is_err(), "{body:?}");
        }
    }
}
