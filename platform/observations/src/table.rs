//! The state in memory: all groups. A batch is *staged* (appended, invisible), then, once it is on
//! disk, *applied* (visible, newest values moved); should the commit fail it is taken back.
//! Nothing here waits or does input and output.

use crate::batches::{Batch, BatchNumber, Batches};
use crate::cells::{self, Cells, group_of};
use crate::group::{Group, keep_new, make_room};
use kernel::observations::wire::{put_i64, put_u64};
use kernel::observations::{Cell, Receipt, Row};
use std::collections::HashMap;

/// Cells found in blocks for rows whose time is not newer than the blocks: group and time to
/// column, value, flag.
pub(crate) type Found = HashMap<(u32, i64), Vec<(u32, f64, u8)>>;

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Table {
    groups: Vec<Option<Box<Group>>>,
    pub batches: Batches,
    /// Batches before this number are on disk and visible.
    pub committed: BatchNumber,
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
    seen: Seen,
}

/// Finds columns given twice in a row with one look at each cell: for each column the number of
/// the last row it was seen in.
#[derive(Debug, Default)]
struct Seen {
    row: u32,
    last: Vec<u32>,
}

impl Seen {
    /// Takes the second and later cells of a column out of a row, if there are any.
    fn split_repeated(&mut self, row: &mut Row) -> Option<Row> {
        self.row = self.row.wrapping_add(1);
        if self.row == 0 {
            self.last.fill(0);
            self.row = 1;
        }
        let mut first = |cell: &Cell| {
            let at = cell.column.0 as usize;
            if at >= self.last.len() {
                self.last.resize(at + 1, 0);
            }
            std::mem::replace(&mut self.last[at], self.row) != self.row
        };
        let repeated = row.cells.iter().filter(|cell| !first(cell)).count();
        if repeated == 0 {
            return None;
        }
        let mut seen = std::collections::HashSet::new();
        let (once, rest) = row
            .cells
            .drain(..)
            .partition(|cell| seen.insert(cell.column));
        row.cells = once;
        Some(Row {
            cells: rest,
            ..row.clone()
        })
    }
}

/// A batch on its way to disk.
#[derive(Default)]
pub(crate) struct Staged {
    pub batch: BatchNumber,
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
        let batch = self.batches.push(Batch {
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

    /// Stages a row: what is new goes into the body and, unseen as yet, into the head. A column
    /// given twice (real devices do) is as if its second value came in a row of its own.
    pub fn stage(
        &mut self,
        staged: &mut Staged,
        mut row: Row,
        found: &Found,
        receipt: &mut Receipt,
    ) {
        while let Some(rest) = self.seen.split_repeated(&mut row) {
            self.stage_once(staged, row, found, receipt);
            row = rest;
        }
        self.stage_once(staged, row, found, receipt);
    }

    fn stage_once(
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

    fn commit(&mut self, batch: BatchNumber, seq: i64, cells: u32) {
        if let Some(known) = self.batches.get_mut(batch) {
            known.seq = seq;
            known.cells = cells;
        }
        self.committed = batch.plus(1);
        self.committed_seq = seq;
    }

    /// The commit failed: takes the batch and any staged after it back.
    pub fn take_back(&mut self, staged: &Staged) {
        for row in &staged.rows {
            let id = group_of(row.thing, row.period);
            let cells = self.group_mut(id).map_or(0, |g| g.take_back(staged.batch));
            self.unflushed -= u64::from(cells);
        }
        self.batches.forget_from(staged.batch);
    }

    /// Takes an event of the log at start; rows already in blocks are passed over. False when the
    /// body is damaged.
    pub fn replay(&mut self, seq: i64, body: &[u8]) -> bool {
        let Some(received) = cells::received(body) else {
            return false;
        };
        let batch = self.batches.push(Batch {
            seq,
            received,
            cells: 0,
        });
        let mut cells = 0;
        let whole = cells::walk(body, |id, time, packed| {
            let group = self.make(id);
            if seq <= group.flushed_seq {
                return;
            }
            let count = Cells(packed).count() as u32;
            group.append(time, batch, packed, count);
            let new = group.note(time, received, Cells(packed));
            self.series += new;
            cells += count;
        });
        self.unflushed += u64::from(cells);
        self.stored += u64::from(cells);
        self.last_received = self.last_received.max(received);
        self.commit(batch, seq, cells);
        whole
    }

    /// The oldest visible batch that is still in a head.
    pub fn oldest(&self) -> Option<BatchNumber> {
        let heads = self.groups().filter_map(|(_, group)| group.rows.first());
        let oldest = self.batches.oldest(heads.map(|row| row.batch));
        oldest.filter(|batch| batch.before(self.committed))
    }

    /// Forgets batches no head refers to; the log is not needed up to the number returned.
    pub fn settle(&mut self) -> i64 {
        let oldest = self.oldest();
        self.batches.forget_before(oldest.unwrap_or(self.committed));
        oldest.map_or(self.committed_seq, |batch| self.batches.get(batch).seq - 1)
    }
}
