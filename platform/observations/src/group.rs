//! A group in memory: the newest values of one thing and period, and its *head*, the rows that are
//! in the log but not yet in blocks, packed in order of arrival.

use crate::batches::{BatchNumber, Batches};
use crate::block::Block;
use crate::cells::Cells;
use kernel::observations::{Cell, FUTURE_LIMIT, Receipt, Row};

/// A row of a head; its cells lie in `Group::bytes` from `offset` to the next row's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadRow {
    pub time: i64,
    pub batch: BatchNumber,
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
pub(crate) fn make_room<T>(vec: &mut Vec<T>, extra: usize) {
    if vec.capacity() - vec.len() < extra {
        vec.reserve_exact(extra.max(vec.len() / 4));
    }
}

impl Group {
    /// Newest time that is in blocks.
    pub fn flushed_max(&self) -> i64 {
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

    pub fn append(&mut self, time: i64, batch: BatchNumber, cells: &[u8], count: u32) {
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
    pub fn note(&mut self, time: i64, received: i64, cells: impl Iterator<Item = Cell>) -> u64 {
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
    pub fn head_block(&self, upto_batch: BatchNumber, batches: &Batches) -> Block {
        let mut block = Block::default();
        for (at, row) in self.rows.iter().enumerate() {
            if !row.batch.before(upto_batch) {
                break;
            }
            block.push(row.time, batches.get(row.batch).received, self.cells_of(at));
        }
        block.finish();
        block.sort();
        block
    }

    /// Forgets rows of the head before `upto_batch`: they are in blocks now.
    pub fn drop_flushed(&mut self, upto_batch: BatchNumber) -> u32 {
        let count = self.rows.partition_point(|r| r.batch.before(upto_batch));
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
    pub fn take_back(&mut self, from_batch: BatchNumber) -> u32 {
        let count = self.rows.partition_point(|r| r.batch.before(from_batch));
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

/// Leaves only the cells that are not there already: equal ones are duplicates, different ones
/// corrections.
pub(crate) fn keep_new(
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
