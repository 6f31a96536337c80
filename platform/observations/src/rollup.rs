//! Rollups: hours kept ready, one row per group and day, so that long ranges need no raw rows and
//! something is left when raw rows expire. A day is one [`Block`] whose rows are hours and whose
//! columns are five to each of the group's: count, valid, smallest, largest, sum.
//!
//! - A *kept* rollup repeats raw rows that are still there: made for closed days with at least
//!   [`DENSE_ROWS`] rows, where it is much smaller than they are; for sparser days the raw rows
//!   are as quick. Late rows remove it in the transaction that stores them.
//! - A *final* rollup stands in place of raw rows that have expired: it holds exactly the values
//!   that are no longer in blocks, so rollup and raw always add up, even where a block or a day
//!   is half expired or a row comes later than its retention. What is final cannot be compared
//!   any more: a row sent again after it expired counts twice.

use crate::block::{Block, BlockColumn};
use crate::directory::{self, Entry};
use crate::engine::Engine;
use crate::flush::unpack;
use crate::group::Tail;
use kernel::observations::{Bucket, Flag};
use kernel::{Fault, Span, Time};
use std::collections::BTreeMap;
use store::observations::{self as tables, BlockRow, GroupRow, RollupRow};

/// A day with fewer rows is not worth a kept rollup.
const DENSE_ROWS: usize = 960;
/// Blocks and rollups read at once.
const PAGE: u64 = 32;
const DAY: Span = Span::days(1);
const HOUR: Span = Span::hours(1);
/// Columns of a rollup to one of the group.
const PARTS: u32 = 5;

/// A bucket without values.
pub(crate) fn empty(time: Time) -> Bucket {
    let nan = f64::NAN;
    Bucket {
        time,
        count: 0,
        valid: 0,
        min: nan,
        max: nan,
        sum: nan,
    }
}

/// Adds a value to a bucket.
#[inline]
pub(crate) fn add(bucket: &mut Bucket, value: f64, flag: Flag) {
    bucket.count += 1;
    if flag.valid() {
        // `min` and `max` pass over NaN, which is what an empty bucket holds.
        bucket.min = bucket.min.min(value);
        bucket.max = bucket.max.max(value);
        bucket.sum = if bucket.valid == 0 {
            value
        } else {
            bucket.sum + value
        };
        bucket.valid += 1;
    }
}

/// Adds what another bucket holds.
pub(crate) fn join(bucket: &mut Bucket, other: &Bucket) {
    bucket.count += other.count;
    if other.valid > 0 {
        bucket.min = bucket.min.min(other.min);
        bucket.max = bucket.max.max(other.max);
        bucket.sum = if bucket.valid == 0 {
            other.sum
        } else {
            bucket.sum + other.sum
        };
        bucket.valid += other.valid;
    }
}

/// Hours of some days of one group: by day, then by hour and column.
#[derive(Default)]
struct Hours(BTreeMap<i64, Day>);

#[derive(Default)]
struct Day {
    rows: usize,
    hours: BTreeMap<(i64, u32), Bucket>,
}

impl Hours {
    /// Adds the newest value at each time of the columns that `wanted` names.
    fn add_block(&mut self, block: &Block, wanted: impl Fn(u32) -> bool) {
        for (at, &time) in block.times.iter().enumerate() {
            if at == 0 || block.times[at - 1] != time {
                self.0.entry(Time(time).floor(DAY).0).or_default().rows += 1;
            }
        }
        for column in block.columns.iter().filter(|c| wanted(c.id)) {
            let present: Vec<usize> = (0..block.rows())
                .filter(|&at| !column.values[at].is_nan())
                .collect();
            for (n, &at) in present.iter().enumerate() {
                let time = block.times[at];
                if present
                    .get(n + 1)
                    .is_some_and(|&next| block.times[next] == time)
                {
                    continue;
                }
                let (day, hour) = (Time(time).floor(DAY).0, Time(time).floor(HOUR));
                let day = self.0.entry(day).or_default();
                let bucket = day
                    .hours
                    .entry((hour.0, column.id))
                    .or_insert_with(|| empty(hour));
                add(bucket, column.values[at], Flag(column.flags[at]));
            }
        }
    }
}

impl Day {
    fn join(&mut self, other: &[(u32, Bucket)]) {
        for (column, bucket) in other {
            let key = (bucket.time.0, *column);
            join(
                self.hours.entry(key).or_insert_with(|| empty(bucket.time)),
                bucket,
            );
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut block = Block::default();
        for (hour, _) in self.hours.keys() {
            if block.times.last() != Some(hour) {
                block.times.push(*hour);
                block.received.push(0);
            }
        }
        let rows = block.rows();
        let mut columns: BTreeMap<u32, [Vec<f64>; PARTS as usize]> = BTreeMap::new();
        for ((hour, column), bucket) in &self.hours {
            let parts = columns
                .entry(*column)
                .or_insert_with(|| std::array::from_fn(|_| vec![f64::NAN; rows]));
            let row = block.times.partition_point(|t| t < hour);
            let numbers = [
                f64::from(bucket.count),
                f64::from(bucket.valid),
                bucket.min,
                bucket.max,
                bucket.sum,
            ];
            for (part, number) in parts.iter_mut().zip(numbers) {
                part[row] = number;
            }
        }
        for (column, parts) in columns {
            for (part, values) in (0..).zip(parts) {
                block.columns.push(BlockColumn {
                    id: column * PARTS + part,
                    values,
                    flags: vec![0; rows],
                });
            }
        }
        block.encode()
    }
}

/// Hours of a stored rollup by column; with `only`, of one column.
pub(crate) fn decode(row: &RollupRow, only: Option<u32>) -> Result<Vec<(u32, Bucket)>, Fault> {
    let block = Block::decode(&row.body, None).map_err(|e| {
        Fault::internal(
            "reading a rollup",
            format!("group {} day {}: {e}", row.group, row.day),
        )
    })?;
    let mut buckets = Vec::new();
    for parts in block.columns.chunks_exact(PARTS as usize) {
        let column = parts[0].id / PARTS;
        if only.is_some_and(|only| only != column) {
            continue;
        }
        for (at, &time) in block.times.iter().enumerate() {
            let number = |part: usize| parts[part].values[at];
            if !number(0).is_nan() {
                let (count, valid) = (number(0) as u32, number(1) as u32);
                let bucket = Bucket {
                    time: Time(time),
                    count,
                    valid,
                    min: number(2),
                    max: number(3),
                    sum: number(4),
                };
                buckets.push((column, bucket));
            }
        }
    }
    Ok(buckets)
}

/// Makes the kept rollups of days that have closed since the last time.
pub(crate) async fn keep(engine: &Engine) -> Result<(), Fault> {
    let due: Vec<u32> = {
        let table = engine.table.read();
        // Two days: the last block is still being written.
        let closed = |tail: Tail| Time(tail.start).floor(DAY).0 - DAY.0;
        table
            .groups()
            .filter(|(_, g)| g.tail.rows > 0 && closed(g.tail) > g.rolled_to)
            .map(|(id, _)| id)
            .collect()
    };
    let late = std::mem::take(&mut *engine.late_days.lock());
    for (group, day) in late {
        let _busy = engine.flushing.lock().await;
        roll(engine, group, day, day + DAY.0).await?;
    }
    for group in due {
        let _busy = engine.flushing.lock().await;
        keep_group(engine, group).await?;
        if *engine.stop.borrow() {
            break;
        }
    }
    Ok(())
}

async fn keep_group(engine: &Engine, group: u32) -> Result<(), Fault> {
    let Some((from, tail)) = engine
        .table
        .read()
        .group(group)
        .map(|g| (g.rolled_to, g.tail))
    else {
        return Ok(());
    };
    let to = Time(tail.start).floor(DAY).0;
    roll(engine, group, from, to).await?;
    let mut tx = engine.store.begin().await?;
    put_directory(engine, &mut tx, group, tail, to).await?;
    tx.commit().await?;
    if let Some(group) = engine.table.write().group_mut(group) {
        group.rolled_to = to;
    }
    Ok(())
}

/// Makes the kept rollups of the dense days in `from..to`, both starts of days.
async fn roll(engine: &Engine, group: u32, from: i64, to: i64) -> Result<(), Fault> {
    let mut reader = engine.store.reader().await?;
    let first = tables::block_before(&mut reader, group, from).await?;
    let mut next = first.map_or(from, |row| row.start);
    let mut hours = Hours::default();
    loop {
        let rows = tables::blocks_between(&mut reader, group, next, to, PAGE).await?;
        for row in &rows {
            hours.add_block(&unpack(row, None)?, |_| true);
        }
        let last = rows.len() < PAGE as usize;
        next = rows.last().map_or(next, |row| row.start + 1);
        // The day the next block starts in may go on; those before it are whole.
        let whole = if last { to } else { Time(next).floor(DAY).0 };
        let open = hours.0.split_off(&whole);
        let days = std::mem::replace(&mut hours.0, open);
        let days = days.into_iter().filter(|(day, _)| *day >= from);
        store_kept(engine, &mut reader, group, days).await?;
        if last {
            return Ok(());
        }
    }
}

async fn store_kept(
    engine: &Engine,
    reader: &mut store::Reader,
    group: u32,
    days: impl Iterator<Item = (i64, Day)>,
) -> Result<(), Fault> {
    let dense: Vec<(i64, Day)> = days.filter(|(_, d)| d.rows >= DENSE_ROWS).collect();
    let (Some((first, _)), Some((last, _))) = (dense.first(), dense.last()) else {
        return Ok(());
    };
    let known =
        tables::rollups_between(reader, group, *first, last + 1, dense.len() as u64 * 2).await?;
    let is_final = |day: i64| known.iter().any(|row| row.day == day && row.is_final);
    let rows = dense.iter().filter(|(day, _)| !is_final(*day));
    let rows: Vec<RollupRow> = rows
        .map(|(day, hours)| RollupRow {
            group,
            day: *day,
            is_final: false,
            body: hours.encode(),
        })
        .collect();
    let mut tx = engine.store.begin().await?;
    tables::put_rollups(&mut tx, &rows).await?;
    tx.commit().await
}

/// Writes the directory row of a group with another last block or other rolled days.
async fn put_directory(
    engine: &Engine,
    tx: &mut store::Tx,
    id: u32,
    tail: Tail,
    rolled_to: i64,
) -> Result<(), Fault> {
    let row = {
        let table = engine.table.read();
        let Some(group) = table.group(id) else {
            return Ok(());
        };
        // Newest values of rows still in the head may stand in it: they are in the log as well,
        // and taking them again at start changes nothing.
        let entry = Entry {
            tail,
            stored: group.stored,
            received: group.received,
            rolled_to,
            series: &group.series,
        };
        GroupRow {
            group: id,
            flushed_seq: group.flushed_seq,
            body: directory::encode(&entry),
        }
    };
    tables::put_groups(tx, &[row]).await
}

impl Engine {
    /// Makes the hours of dense days that have closed, and of those with late rows, at once; the
    /// engine does so by itself every ten minutes.
    pub async fn keep_rollups(&self) -> Result<(), Fault> {
        keep(self).await
    }

    /// Removes raw rows that have outlived the retention of their property, leaving their hours,
    /// and hours that have outlived theirs. A block goes when all of it is old enough. May be
    /// stopped and repeated at any time.
    pub async fn expire(&self) -> Result<Expired, Fault> {
        let mut expired = Expired::default();
        if self.options.retention.is_empty() {
            return Ok(expired);
        }
        self.flush().await?;
        let groups: Vec<u32> = self.table.read().groups().map(|(id, _)| id).collect();
        for group in groups {
            let _busy = self.flushing.lock().await;
            expire_group(self, group, &mut expired).await?;
            if *self.stop.borrow() {
                break;
            }
        }
        Ok(expired)
    }

    /// Nothing of this group from then on may go: a legal hold on its thing.
    fn held_from(&self, group: u32) -> Option<i64> {
        let holds = self.options.holds.as_ref()?;
        let thing = self.names.read().thing_name(group >> 2).cloned()?;
        let subject = kernel::holds::Subject {
            thing: Some(&thing),
            ..Default::default()
        };
        holds.held_from(&subject).map(|from| from.0)
    }

    /// Until when raw values and hours of a column have expired; `i64::MIN` when never.
    fn expiry(&self, column: u32) -> (i64, i64) {
        let now = self.clock.now().0;
        let names = self.names.read();
        let kept = names
            .column_meaning(column)
            .and_then(|c| self.options.retention.get(&*c.property));
        kept.map_or((i64::MIN, i64::MIN), |(raw, hours)| {
            (now.saturating_sub(raw.0), now.saturating_sub(hours.0))
        })
    }
}

/// What a run of [`Engine::expire`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Expired {
    /// Raw values; their hours stay.
    pub values: u64,
    /// Days of rollups.
    pub rollups: u64,
    /// Groups (a thing and a period) of which something is kept only because it is held.
    pub held: u64,
}

async fn expire_group(engine: &Engine, group: u32, sum: &mut Expired) -> Result<(), Fault> {
    let Some((columns, mut tail, rolled_to)) = engine.table.read().group(group).map(|g| {
        (
            g.series.iter().map(|s| s.column).collect::<Vec<u32>>(),
            g.tail,
            g.rolled_to,
        )
    }) else {
        return Ok(());
    };
    let held = engine.held_from(group);
    let mut kept_by_hold = false;
    let mut until = |column: u32| {
        let (raw, hours) = engine.expiry(column);
        let Some(held) = held else {
            return (raw, hours);
        };
        kept_by_hold |= held < raw;
        (raw.min(held), hours.min(held))
    };
    let expiry: BTreeMap<u32, (i64, i64)> = columns.into_iter().map(|c| (c, until(c))).collect();
    sum.held += u64::from(kept_by_hold);
    let newest = expiry.values().map(|e| e.0).max().unwrap_or(i64::MIN);
    let mut next = i64::MIN;
    while next < newest && tail.rows > 0 {
        let mut reader = engine.store.reader().await?;
        let rows = tables::blocks_between(&mut reader, group, next, newest, PAGE).await?;
        let Some(last) = rows.last() else { break };
        next = last.start + 1;
        let mut gone = Gone::default();
        for row in &rows {
            gone.take(row, &expiry, &mut tail)?;
        }
        if gone.removed.is_empty() {
            continue;
        }
        let finals = gone.finals(&mut reader, group).await?;
        drop(reader);
        sum.values += gone.values;
        let mut tx = engine.store.begin().await?;
        tables::delete_blocks(&mut tx, &gone.removed).await?;
        tables::put_blocks(&mut tx, &gone.left).await?;
        tables::put_rollups(&mut tx, &finals).await?;
        put_directory(engine, &mut tx, group, tail, rolled_to).await?;
        let _gate = engine.gate.lock().await;
        tx.commit().await?;
        if let Some(group) = engine.table.write().group_mut(group) {
            group.tail = tail;
        }
    }
    // The longest of the group decides. Of columns kept for ever only kept rollups go with it,
    // and those their raw rows answer for.
    let hours = expiry
        .values()
        .map(|e| e.1)
        .filter(|&until| until > i64::MIN);
    if let Some(oldest) = hours.min() {
        let mut tx = engine.store.begin().await?;
        sum.rollups +=
            tables::delete_rollups_before(&mut tx, group, oldest.saturating_sub(DAY.0)).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What leaves the blocks of a page.
#[derive(Default)]
struct Gone {
    removed: Vec<(u32, i64)>,
    left: Vec<BlockRow>,
    hours: Hours,
    /// Values that go.
    values: u64,
}

impl Gone {
    fn take(
        &mut self,
        row: &BlockRow,
        expiry: &BTreeMap<u32, (i64, i64)>,
        tail: &mut Tail,
    ) -> Result<(), Fault> {
        let expired = |column: u32| expiry.get(&column).is_some_and(|e| row.end < e.0);
        let mut block = unpack(row, None)?;
        if !block.columns.iter().any(|c| expired(c.id)) {
            return Ok(());
        }
        self.hours.add_block(&block, expired);
        let before = block.cells();
        block.retain_columns(|column| !expired(column));
        self.values += (before - block.cells()) as u64;
        self.removed.push((row.group, row.start));
        let left = block
            .times
            .first()
            .copied()
            .zip(block.times.last().copied());
        if row.start == tail.start {
            *tail = left.map_or(Tail::default(), |(start, end)| Tail {
                start,
                end,
                rows: block.rows() as u32,
            });
        }
        if let Some((start, end)) = left {
            self.left.push(BlockRow {
                group: row.group,
                start,
                end,
                body: block.encode(),
            });
        }
        Ok(())
    }

    /// The final rollups that take their place, joined with those already there.
    async fn finals(
        &mut self,
        reader: &mut store::Reader,
        group: u32,
    ) -> Result<Vec<RollupRow>, Fault> {
        let days = &mut self.hours.0;
        days.retain(|_, day| !day.hours.is_empty());
        let mut finals = Vec::with_capacity(days.len());
        for (&day, hours) in days.iter_mut() {
            let known = tables::rollups_between(reader, group, day, day + 1, 1)
                .await?
                .pop();
            if let Some(known) = known.filter(|row| row.is_final) {
                hours.join(&decode(&known, None)?);
            }
            finals.push(RollupRow {
                group,
                day,
                is_final: true,
                body: hours.encode(),
            });
        }
        Ok(finals)
    }
}
