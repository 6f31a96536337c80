//! The flusher: turns heads into blocks in small transactions beside the commits, so that memory
//! and the part of the log needed at start stay bounded. Fullest groups first: each block then
//! takes many rows at once and is seldom written again.
//!
//! Blocks of a group never overlap in time. New rows behind the last block start a new one or are
//! joined to it while it is small; late rows are merged into the block that covers their time.

use crate::batches::BatchNumber;
use crate::block::Block;
use crate::directory::{self, Entry};
use crate::engine::{CURSOR, Engine};
use crate::group::{Series, Tail};
use kernel::{Fault, Span, Time};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::observations::{self as tables, BlockRow, GroupRow};

/// Rows of a full block.
pub(crate) const BLOCK_ROWS: usize = 1024;
/// The last block takes further rows while it has fewer than this …
const SMALL_ROWS: u32 = 256;
/// … or is not full and the new rows are at least this part of it.
const WORTH_JOINING: usize = 8;
/// Groups of one transaction: some ten milliseconds in which commits wait.
const GROUPS_PER_STEP: usize = 512;
/// Values unpacked at a time.
const VALUES_PER_STEP: u64 = 400_000;
/// How often age is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Days with late rows remembered at most.
const MAX_LATE_DAYS: usize = 10_000;
/// How often rollups of closed days are made.
const ROLL_EVERY: Duration = Duration::from_secs(600);

/// The flusher's task.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut stop = engine.stop.subscribe();
    let mut rolled = Instant::now();
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = engine.full.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        if rolled.elapsed() > ROLL_EVERY {
            rolled = Instant::now();
            if let Err(fault) = crate::rollup::keep(&engine).await {
                tracing::error!(%fault, "rollups could not be kept; raw rows answer in their place");
            }
        }
        let _busy = engine.flushing.lock().await;
        let due = due(&engine);
        if due.is_empty() {
            continue;
        }
        if let Err(fault) = flush(&engine, &due).await {
            tracing::error!(%fault, "observations could not be written as blocks; they stay in the log");
            tokio::time::sleep(TICK).await;
        }
    }
}

/// Writes every visible row of every head.
pub(crate) async fn everything(engine: &Engine) -> Result<(), Fault> {
    let _busy = engine.flushing.lock().await;
    let all: Vec<u32> = {
        let table = engine.table.read();
        table
            .groups()
            .filter(|(_, g)| !g.rows.is_empty())
            .map(|(id, _)| id)
            .collect()
    };
    flush(engine, &all).await
}

/// Groups to be written now, in order of number: the fullest when memory is full, those that
/// hold back the log when it has become long or old.
fn due(engine: &Engine) -> Vec<u32> {
    let options = &engine.options;
    let table = engine.table.read();
    let mut due = Vec::new();
    if table.unflushed > options.flush_values {
        let mut heads: Vec<(u32, u32)> = table
            .groups()
            .filter(|(_, g)| g.cells > 0)
            .map(|(id, g)| (g.cells, id))
            .collect();
        heads.sort_unstable_by(|a, b| b.cmp(a));
        let mut left = table.unflushed;
        for (cells, id) in heads {
            if left <= options.flush_values / 2 {
                break;
            }
            left -= u64::from(cells);
            due.push(id);
        }
    }
    if let Some(oldest) = table.oldest() {
        let now = engine.clock.now().0;
        let aged = table.batches.get(oldest).received < now.saturating_sub(options.flush_age.0);
        let long = table.batches.cells_from(oldest) > 2 * options.flush_values;
        if aged || long {
            // The older half of the log goes, so that this does not come again at once.
            let upto = oldest.plus(table.committed.since(oldest).div_ceil(2));
            due.extend(
                table
                    .groups()
                    .filter(|(_, g)| g.rows.first().is_some_and(|r| r.batch.before(upto)))
                    .map(|(id, _)| id),
            );
        }
    }
    due.sort_unstable();
    due.dedup();
    due
}

/// Writes these groups, step by step, then moves the cursor and prunes the log.
async fn flush(engine: &Engine, groups: &[u32]) -> Result<(), Fault> {
    let mut rest = groups;
    while !rest.is_empty() {
        let count = {
            let table = engine.table.read();
            let mut values = 0;
            let fits = rest.iter().take(GROUPS_PER_STEP).take_while(|&&id| {
                values += table.group(id).map_or(0, |g| u64::from(g.cells));
                values <= VALUES_PER_STEP
            });
            fits.count().max(1)
        };
        let (now, later) = rest.split_at(count);
        step(engine, now).await?;
        engine.room.notify_one();
        rest = later;
    }
    let settled = engine.table.write().settle();
    if engine.store.cursors().get(CURSOR).await? < Some(settled) {
        let mut tx = engine.store.begin().await?;
        store::cursors::set(&mut tx, CURSOR, settled).await?;
        tx.commit().await?;
        engine.store.events().prune(settled).await?;
    }
    Ok(())
}

/// A group as it was when its step began.
struct Work {
    group: u32,
    upto_batch: BatchNumber,
    flushed_seq: i64,
    tail: Tail,
    stored: u64,
    received: i64,
    rolled_to: i64,
    series: Vec<Series>,
    new: Block,
}

/// What a step writes for a group.
#[derive(Default)]
struct Outcome {
    removed: Vec<(u32, i64)>,
    blocks: Vec<BlockRow>,
    directory: Vec<GroupRow>,
    /// Group, batches that left the head, event, last block.
    settled: Vec<(u32, BatchNumber, i64, Tail)>,
    /// Days whose rollups no longer hold.
    days: Vec<(u32, i64)>,
}

async fn step(engine: &Engine, groups: &[u32]) -> Result<(), Fault> {
    let works = snapshot(engine, groups);
    let days = works.iter().flat_map(rolled_days).collect();
    let mut reader = engine.store.reader().await?;
    let tails: Vec<(u32, i64)> = works
        .iter()
        .filter(|w| wants_tail(w))
        .map(|w| (w.group, w.tail.start))
        .collect();
    let mut tails: HashMap<u32, BlockRow> = tables::blocks_at(&mut reader, &tails)
        .await?
        .into_iter()
        .map(|row| (row.group, row))
        .collect();
    let mut merged = Vec::with_capacity(works.len());
    for mut work in works {
        let late = match work.tail.rows {
            0 => 0,
            _ => work.new.times.partition_point(|&t| t < work.tail.start),
        };
        let mut parts = Vec::new();
        if late > 0 {
            parts = merge_late(&mut reader, &work, late).await?;
            work.new = work.new.part(late, work.new.rows());
        }
        let tail = tails.remove(&work.group);
        merged.push((work, parts, tail));
    }
    drop(reader);
    let outcome = tokio::task::spawn_blocking(move || encode(merged)).await;
    let mut outcome = outcome.map_err(|e| Fault::internal("encoding blocks", e))??;
    outcome.days = days;
    write(engine, &outcome).await?;
    remember_late_days(engine, &outcome.days);
    let _gate = engine.gate.lock().await;
    let mut table = engine.table.write();
    let mut flushed = 0;
    for (id, upto_batch, seq, tail) in outcome.settled {
        let Some(group) = table.group_mut(id) else {
            continue;
        };
        let cells = group.drop_flushed(upto_batch);
        group.stored += u64::from(cells);
        group.tail = tail;
        group.flushed_seq = seq;
        flushed += u64::from(cells);
    }
    table.unflushed -= flushed;
    Ok(())
}

/// Notes removed rollups so that they are made anew soon; the list is bounded, and what falls off
/// is computed from raw rows whenever it is asked for.
fn remember_late_days(engine: &Engine, days: &[(u32, i64)]) {
    let mut late = engine.late_days.lock();
    for day in days.iter().take(MAX_LATE_DAYS.saturating_sub(late.len())) {
        late.insert(*day);
    }
}

async fn write(engine: &Engine, outcome: &Outcome) -> Result<(), Fault> {
    let mut tx = engine.store.begin().await?;
    tables::delete_blocks(&mut tx, &outcome.removed).await?;
    tables::put_blocks(&mut tx, &outcome.blocks).await?;
    tables::put_groups(&mut tx, &outcome.directory).await?;
    tables::delete_rollups(&mut tx, &outcome.days).await?;
    tx.commit().await
}

fn snapshot(engine: &Engine, groups: &[u32]) -> Vec<Work> {
    let table = engine.table.read();
    let work = |&id: &u32| {
        let group = table.group(id)?;
        let new = group.head_block(table.committed, &table.batches);
        (new.rows() > 0).then(|| Work {
            group: id,
            upto_batch: table.committed,
            flushed_seq: table.committed_seq,
            tail: group.tail,
            stored: group.stored + new.cells() as u64,
            received: group.received,
            rolled_to: group.rolled_to,
            series: group.series.clone(),
            new,
        })
    };
    groups.iter().filter_map(work).collect()
}

/// Days that are rolled up and get late rows: what is kept of them no longer holds.
fn rolled_days(work: &Work) -> Vec<(u32, i64)> {
    let late = work
        .new
        .times
        .iter()
        .take_while(|&&time| time < work.rolled_to);
    let mut days: Vec<_> = late
        .map(|&time| (work.group, Time(time).floor(Span::days(1)).0))
        .collect();
    days.dedup();
    days
}

/// Whether the last block is to be joined with the new rows.
fn wants_tail(work: &Work) -> bool {
    let Tail { end, rows, .. } = work.tail;
    let Some(&newest) = work.new.times.last() else {
        return false;
    };
    if rows == 0 || newest < work.tail.start {
        return false;
    }
    let behind = work.new.times.partition_point(|&t| t < work.tail.start);
    let overlaps = work.new.times[behind] <= end;
    let room = rows < SMALL_ROWS
        || (rows < BLOCK_ROWS as u32 && work.new.rows() * WORTH_JOINING >= rows as usize);
    overlaps || room
}

/// Reads a body, with the fault that names the block.
pub(crate) fn unpack(row: &BlockRow, only: Option<u32>) -> Result<Block, Fault> {
    Block::decode(&row.body, only).map_err(|e| {
        Fault::internal(
            "reading a block",
            format!("group {} at {}: {e}", row.group, row.start),
        )
    })
}

/// Merges the first `late` rows, which are before the last block, each with the last block that
/// starts before it; rows before every block make one of their own. Returns the start of the
/// block that is replaced and what takes its place.
async fn merge_late(
    reader: &mut store::Reader,
    work: &Work,
    late: usize,
) -> Result<Vec<(Option<i64>, Block)>, Fault> {
    let mut parts = Vec::new();
    let mut from = 0;
    while from < late {
        let time = work.new.times[from];
        let before = tables::block_before(reader, work.group, time).await?;
        let after = before.as_ref().map_or(i64::MIN, |row| row.start + 1);
        let next = tables::blocks_between(reader, work.group, after, i64::MAX, 1)
            .await?
            .pop();
        // The last block is met by the rows that are not late.
        let next_start = next.as_ref().map_or(work.tail.start, |row| row.start);
        let to = from + work.new.times[from..late].partition_point(|&t| t < next_start);
        let rows = work.new.part(from, to);
        parts.push(match before {
            Some(row) => {
                let mut block = unpack(&row, None)?;
                block.append(&rows);
                (Some(row.start), block)
            }
            None => (None, rows),
        });
        from = to;
    }
    Ok(parts)
}

type Merged = (Work, Vec<(Option<i64>, Block)>, Option<BlockRow>);

fn encode(merged: Vec<Merged>) -> Result<Outcome, Fault> {
    let mut outcome = Outcome::default();
    for (work, late, tail) in merged {
        let mut last = work.tail;
        for (host, block) in late {
            put(&mut outcome, work.group, host, block);
        }
        if work.new.rows() > 0 {
            let (host, block) = match tail {
                Some(row) => {
                    let mut block = unpack(&row, None)?;
                    block.append(&work.new);
                    (Some(row.start), block)
                }
                None => (None, work.new),
            };
            last = put(&mut outcome, work.group, host, block);
        }
        let entry = Entry {
            tail: last,
            stored: work.stored,
            received: work.received,
            rolled_to: work.rolled_to,
            series: &work.series,
        };
        outcome.directory.push(GroupRow {
            group: work.group,
            flushed_seq: work.flushed_seq,
            body: directory::encode(&entry),
        });
        outcome
            .settled
            .push((work.group, work.upto_batch, work.flushed_seq, last));
    }
    Ok(outcome)
}

/// Sorts, cuts and encodes a block in place of `host`; returns the last piece.
fn put(outcome: &mut Outcome, group: u32, host: Option<i64>, mut block: Block) -> Tail {
    block.sort();
    block.fold_versions();
    let pieces = if block.rows() > BLOCK_ROWS + BLOCK_ROWS / 4 {
        block.pieces(BLOCK_ROWS)
    } else {
        vec![block]
    };
    let mut last = Tail::default();
    let mut starts = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let (Some(&start), Some(&end)) = (piece.times.first(), piece.times.last()) else {
            continue;
        };
        last = Tail {
            start,
            end,
            rows: piece.rows() as u32,
        };
        starts.push(start);
        outcome.blocks.push(BlockRow {
            group,
            start,
            end,
            body: piece.encode(),
        });
    }
    outcome.removed.extend(
        host.filter(|start| !starts.contains(start))
            .map(|start| (group, start)),
    );
    last
}
