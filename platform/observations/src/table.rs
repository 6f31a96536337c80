//! The state in memory: one group per thing and period, with its newest values and its *head*,
//! the rows that are in the log but not yet in blocks. A batch is *staged* (appended, invisible),
//! then, once it is on disk, *applied* (visible, newest values moved); should the commit fail it
//! is taken back. Nothing here waits or does input and output.

use crate::block::Block;
use crate::cells::{self, Cells, group_of};
use kernel::observations::wire::{put_i64, put_u64};
use kernel::observations::{Cell, FUTURE_LIMIT, Receipt, Row};
use std::collections::{HashMap, VecDeque};

/// A row of a head; its cells lie in `Group::bytes` from `offset` to the next row's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadRow {
    pub time: i64,
    pub batch: u32,
    pub offset: u32,
}

/// A series of a group: its extent and newest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Series {
    pub column: u32,
    pub flag: u8,
    /// Time of the newest value; `i64::MIN` while there is none (only future-dated ones).
    pub time: i64,
    pub value: f64,
    pub first: i64,
}

/// The last block of a group, to which new rows may be added.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tail {
    pub start: i64,
    pub end: i64,
    /// 0 while the group has no block.
    pub rows: u32,
}

/// Everything of one thing and period.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub rows: Vec<HeadRow>,
    pub bytes: Vec<u8>,
    /// Cells in the head.
    pub cells: u32,
    /// Times of the head never step back.
    pub sorted: bool,
    pub head_max: i64,
    /// In order of column.
    pub series: Vec<Series>,
    /// Rows of events up to this number are in blocks.
    pub flushed_seq: i64,
    pub tail: Tail,
    /// Cells in blocks.
    pub stored: u64,
    /// Newest reception.
    pub received: i64,
    /// Hours and days before this time are rolled up (see `rollup`).
    pub rolled_to: i64,
}

impl Default for Group {
    fn default() -> Group {
        Group {
            rows: Vec::new(),
            bytes: Vec::new(),
            cells: 0,
            sorted: true,
            head_max: i64::MIN,
            series: Vec::new(),
            flushed_seq: 0,
            tail: Tail::default(),
            stored: 0,
            received: 0,
            rolled_to: i64::MIN,
        }
    }
}

/// Makes room in steps of a quarter: tens of thousands of heads grow together, and doubling each
/// would leave half of the memory empty.
fn make_room<T>(vec: &mut Vec<T>, extra: usize) {
    if vec.capacity() - vec.len() < extra {
        vec.reserve_exact(extra.max(vec.len() / 4));
    }
}

impl Group {
    /// Newest time that is in blocks.
    fn flushed_max(&self) -> i64 {
        if self.tail.rows == 0 {
            i64::MIN
        } else {
            self.tail.end
        }
    }

    pub fn series(&self, column: u32) -> Option<&Series> {
        self.series
            .binary_search_by_key(&column, |s| s.column)
            .ok()
            .map(|at| &self.series[at])
    }

    /// Packed cells of a row of the head.
    pub fn cells_of(&self, row: usize) -> Cells<'_> {
        let from = self.rows[row].offset as usize;
        let to = self
            .rows
            .get(row + 1)
            .map_or(self.bytes.len(), |next| next.offset as usize);
        Cells(&self.bytes[from..to])
    }

    /// Rows of the head at this very time, oldest first.
    fn rows_at(&self, time: i64) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let range = if self.sorted {
            let from = self.rows.partition_point(|r| r.time < time);
            from..from + self.rows[from..].partition_point(|r| r.time == time)
        } else {
            0..self.rows.len()
        };
        range.filter(move |&row| self.rows[row].time == time)
    }

    fn append(&mut self, time: i64, batch: u32, cells: &[u8], count: u32) {
        make_room(&mut self.rows, 1);
        make_room(&mut self.bytes, cells.len());
        self.rows.push(HeadRow {
            time,
            batch,
            offset: self.bytes.len() as u32,
        });
        self.bytes.extend_from_slice(cells);
        self.cells += count;
        self.sorted &= time >= self.head_max;
        self.head_max = self.head_max.max(time);
    }

    /// Moves extent and newest values along; `received` in place of now, so that a restart
    /// decides as the first run did. True for series that are new.
    fn note(&mut self, time: i64, received: i64, cells: impl Iterator<Item = Cell>) -> u64 {
        let current = time <= received.saturating_add(FUTURE_LIMIT.0);
        self.received = self.received.max(received);
        let mut hint = 0;
        let mut new = 0;
        for cell in cells {
            let id = cell.column.0;
            let at = match self.series.get(hint) {
                Some(series) if series.column == id => hint,
                _ => self
                    .series
                    .binary_search_by_key(&id, |s| s.column)
                    .unwrap_or_else(|at| {
                        new += 1;
                        make_room(&mut self.series, 1);
                        let made = Series {
                            column: id,
                            flag: 0,
                            time: i64::MIN,
                            value: 0.0,
                            first: time,
                        };
                        self.series.insert(at, made);
                        at
                    }),
            };
            hint = at + 1;
            let series = &mut self.series[at];
            series.first = series.first.min(time);
            if current && time >= series.time {
                series.time = time;
                series.value = cell.value;
                series.flag = cell.flag.0;
            }
        }
        new
    }

    /// The visible part of the head as a block in order of time.
    pub fn head_block(&self, upto_batch: u32, batches: &Batches) -> Block {
        let mut block = Block::default();
        for (at, row) in self.rows.iter().enumerate() {
            if row.batch >= upto_batch {
                break;
            }
            block.push(row.time, batches.get(row.batch).received, self.cells_of(at));
        }
        block.finish();
        block.sort();
        block
    }

    /// Forgets rows of the head before `upto_batch`: they are in blocks now.
    pub fn drop_flushed(&mut self, upto_batch: u32) -> u32 {
        let count = self.rows.partition_point(|r| r.batch < upto_batch);
        let cells: u32 = (0..count)
            .map(|row| self.cells_of(row).count() as u32)
            .sum();
        let offset = self
            .rows
            .get(count)
            .map_or(self.bytes.len(), |r| r.offset as usize);
        let rows = self.rows[count..].iter().map(|r| HeadRow {
            offset: r.offset - offset as u32,
            ..*r
        });
        self.rows = rows.collect();
        self.bytes = self.bytes[offset..].to_vec();
        self.cells -= cells;
        self.refresh();
        cells
    }

    /// Takes back rows of a batch that could not be committed, and of any after it.
    fn take_back(&mut self, from_batch: u32) -> u32 {
        let count = self.rows.partition_point(|r| r.batch < from_batch);
        let cells: u32 = (count..self.rows.len())
            .map(|row| self.cells_of(row).count() as u32)
            .sum();
        if let Some(first) = self.rows.get(count) {
            self.bytes.truncate(first.offset as usize);
        }
        self.rows.truncate(count);
        self.cells -= cells;
        self.refresh();
        cells
    }

    fn refresh(&mut self) {
        self.sorted = self.rows.is_sorted_by_key(|r| r.time);
        self.head_max = self.rows.iter().map(|r| r.time).max().unwrap_or(i64::MIN);
    }
}

/// A batch of the log that is still in heads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub seq: i64,
    pub received: i64,
    pub cells: u32,
}

/// Batches by their running number.
#[derive(Debug, Default)]
pub(crate) struct Batches {
    first: u32,
    list: VecDeque<Batch>,
}

impl Batches {
    pub fn next(&self) -> u32 {
        self.first + self.list.len() as u32
    }
    pub fn get(&self, number: u32) -> Batch {
        self.list
            .get((number - self.first) as usize)
            .copied()
            .unwrap_or(Batch {
                seq: 0,
                received: 0,
                cells: 0,
            })
    }
    /// Values of all batches from `number` on: how long the log is that cannot be pruned.
    pub fn cells_from(&self, number: u32) -> u64 {
        self.list
            .iter()
            .skip((number.saturating_sub(self.first)) as usize)
            .map(|b| u64::from(b.cells))
            .sum()
    }
    fn forget_before(&mut self, number: u32) {
        while self.first < number && self.list.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// Cells found in blocks for rows whose time is not newer than the blocks: group and time to
/// column, value, flag.
pub(crate) type Found = HashMap<(u32, i64), Vec<(u32, f64, u8)>>;

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Table {
    groups: Vec<Option<Box<Group>>>,
    pub batches: Batches,
    /// Batches before this number are on disk and visible.
    pub committed: u32,
    /// Event number of the newest visible batch.
    pub committed_seq: i64,
    /// Cells in heads.
    pub unflushed: u64,
    /// Cells ever stored.
    pub stored: u64,
    /// Series known.
    pub series: u64,
    /// Reception never steps back.
    pub last_received: i64,
}

/// A batch on its way to disk.
#[derive(Default)]
pub(crate) struct Staged {
    pub batch: u32,
    pub received: i64,
    /// The body of the event.
    pub body: Vec<u8>,
    /// Rows with the cells that are new.
    pub rows: Vec<Row>,
    pub cells: u32,
    before: i64,
}

impl Table {
    pub fn group(&self, id: u32) -> Option<&Group> {
        self.groups.get(id as usize)?.as_deref()
    }

    pub fn group_mut(&mut self, id: u32) -> Option<&mut Group> {
        self.groups.get_mut(id as usize)?.as_deref_mut()
    }

    pub fn make(&mut self, id: u32) -> &mut Group {
        let at = id as usize;
        if at >= self.groups.len() {
            let extra = at + 1 - self.groups.len();
            make_room(&mut self.groups, extra);
            self.groups.resize_with(at + 1, || None);
        }
        self.groups[at].get_or_insert_default()
    }

    /// Takes a group from its directory row at start.
    pub fn load(&mut self, id: u32, group: Group) {
        self.stored += group.stored;
        self.series += group.series.len() as u64;
        self.last_received = self.last_received.max(group.received);
        *self.make(id) = group;
    }

    pub fn groups(&self) -> impl Iterator<Item = (u32, &Group)> {
        self.groups
            .iter()
            .enumerate()
            .filter_map(|(id, g)| Some((id as u32, g.as_deref()?)))
    }

    /// Whether a row has to be compared with blocks before it may be staged.
    pub fn needs_blocks(&self, row: &Row) -> bool {
        let Some(group) = self.group(group_of(row.thing, row.period)) else {
            return false;
        };
        row.time.0 <= group.flushed_max()
            && !row.cells.iter().all(|c| {
                group
                    .series(c.column.0)
                    .is_some_and(|s| s.time == row.time.0)
            })
    }

    /// Starts a batch received at `now`; times of reception are whole milliseconds and never
    /// step back.
    pub fn start(&mut self, now: i64) -> Staged {
        let received = (now.div_euclid(1000) * 1000).max(self.last_received);
        self.last_received = received;
        let batch = self.batches.next();
        self.batches.list.push_back(Batch {
            seq: i64::MAX,
            received,
            cells: 0,
        });
        let mut body = Vec::new();
        kernel::observations::wire::start(&mut body, kernel::Time(received));
        Staged {
            batch,
            received,
            body,
            ..Staged::default()
        }
    }

    /// Stages a row: what is new goes into the body and, unseen as yet, into the head.
    pub fn stage(
        &mut self,
        staged: &mut Staged,
        mut row: Row,
        found: &Found,
        receipt: &mut Receipt,
    ) {
        let id = group_of(row.thing, row.period);
        let time = row.time.0;
        let group = self.make(id);
        if time <= group.head_max || time <= group.flushed_max() {
            keep_new(group, &mut row, found.get(&(id, time)), receipt);
        }
        if row.cells.is_empty() {
            return;
        }
        receipt.stored += row.cells.len() as u64;
        let body = &mut staged.body;
        put_u64(body, u64::from(row.thing.0));
        body.push(row.period as u8);
        put_i64(body, time.wrapping_sub(staged.before));
        staged.before = time;
        put_u64(body, row.cells.len() as u64);
        let from = body.len();
        row.cells.iter().for_each(|cell| cells::put(body, cell));
        let count = row.cells.len() as u32;
        group.append(time, staged.batch, &body[from..], count);
        staged.cells += count;
        self.unflushed += u64::from(count);
        staged.rows.push(row);
    }

    /// The batch is on disk as event `seq`: shows it.
    pub fn apply(&mut self, staged: &Staged, seq: i64) {
        for row in &staged.rows {
            let group = self.make(group_of(row.thing, row.period));
            let new = group.note(row.time.0, staged.received, row.cells.iter().copied());
            self.series += new;
        }
        self.stored += u64::from(staged.cells);
        self.commit(staged.batch, seq, staged.cells);
    }

    fn commit(&mut self, batch: u32, seq: i64, cells: u32) {
        let at = (batch - self.batches.first) as usize;
        if let Some(known) = self.batches.list.get_mut(at) {
            known.seq = seq;
            known.cells = cells;
        }
        self.committed = batch + 1;
        self.committed_seq = seq;
    }

    /// The commit failed: takes the batch and any staged after it back.
    pub fn take_back(&mut self, staged: &Staged) {
        for row in &staged.rows {
            let id = group_of(row.thing, row.period);
            let cells = self.group_mut(id).map_or(0, |g| g.take_back(staged.batch));
            self.unflushed -= u64::from(cells);
        }
        let keep = staged.batch.saturating_sub(self.batches.first) as usize;
        self.batches.list.truncate(keep);
    }

    /// Takes an event of the log at start; rows already in blocks are passed over. False when the
    /// body is damaged.
    pub fn replay(&mut self, seq: i64, body: &[u8]) -> bool {
        let batch = self.batches.next();
        let mut cells = 0;
        let mut rows = Vec::new();
        let received = cells::walk(body, |id, time, packed| {
            rows.push((
                id,
                time,
                packed.as_ptr() as usize - body.as_ptr() as usize,
                packed.len(),
            ))
        });
        let Some(received) = received else {
            return false;
        };
        self.batches.list.push_back(Batch {
            seq,
            received,
            cells: 0,
        });
        for (id, time, from, length) in rows {
            let packed = &body[from..from + length];
            let group = self.make(id);
            if seq <= group.flushed_seq {
                continue;
            }
            let count = Cells(packed).count() as u32;
            group.append(time, batch, packed, count);
            self.series += self.make(id).note(time, received, Cells(packed));
            cells += count;
        }
        self.unflushed += u64::from(cells);
        self.stored += u64::from(cells);
        self.last_received = self.last_received.max(received);
        self.commit(batch, seq, cells);
        true
    }

    /// Forgets batches no head refers to; the log is not needed up to the number returned.
    pub fn settle(&mut self) -> i64 {
        let oldest = self
            .groups()
            .filter_map(|(_, g)| g.rows.first())
            .map(|r| r.batch)
            .min();
        let oldest = oldest.unwrap_or(self.committed).min(self.committed);
        self.batches.forget_before(oldest);
        match self.batches.list.front() {
            Some(front) if oldest < self.committed => front.seq - 1,
            _ => self.committed_seq,
        }
    }
}

/// Leaves only the cells that are not there already: equal ones are duplicates, different ones
/// corrections.
fn keep_new(
    group: &Group,
    row: &mut Row,
    found: Option<&Vec<(u32, f64, u8)>>,
    receipt: &mut Receipt,
) {
    let time = row.time.0;
    let same_time: Vec<usize> = group.rows_at(time).rev().collect();
    row.cells.retain(|cell| {
        let id = cell.column.0;
        let in_head = same_time.iter().find_map(|&at| {
            let cells = group.cells_of(at).filter(|c| c.column.0 == id);
            cells.last().map(|c| (c.value, c.flag.0))
        });
        let newest = || {
            group
                .series(id)
                .filter(|s| s.time == time)
                .map(|s| (s.value, s.flag))
        };
        let in_blocks = || {
            let cells = found?.iter().find(|(column, ..)| *column == id)?;
            Some((cells.1, cells.2))
        };
        match in_head.or_else(newest).or_else(in_blocks) {
            Some((value, flag)) if value == cell.value && flag == cell.flag.0 => {
                receipt.duplicates += 1;
                false
            }
            Some(_) => {
                receipt.corrected += 1;
                true
            }
            None => true,
        }
    });
}
