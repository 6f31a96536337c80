//! Batches that are still in heads, by running number. Numbers take four bytes in every row of a
//! head, so they go round: only numbers less than two thousand million apart may be compared, and
//! the first of a run is near the end, so that every run and every test goes round soon.

use std::collections::VecDeque;

/// Running number of a batch in this run of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchNumber(u32);

impl BatchNumber {
    /// The first number of a run.
    const FIRST: BatchNumber = BatchNumber(u32::MAX - 50);

    /// Whether this batch came before the other.
    pub fn before(self, other: BatchNumber) -> bool {
        (other.0.wrapping_sub(self.0) as i32) > 0
    }

    /// The batch so many after this.
    pub fn plus(self, count: usize) -> BatchNumber {
        BatchNumber(self.0.wrapping_add(count as u32))
    }

    /// How many batches after `earlier` this is.
    pub fn since(self, earlier: BatchNumber) -> usize {
        self.0.wrapping_sub(earlier.0) as usize
    }
}

impl Default for BatchNumber {
    fn default() -> BatchNumber {
        BatchNumber::FIRST
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
    first: BatchNumber,
    list: VecDeque<Batch>,
}

impl Batches {
    /// Adds a batch and gives its number.
    pub fn push(&mut self, batch: Batch) -> BatchNumber {
        self.list.push_back(batch);
        self.first.plus(self.list.len() - 1)
    }

    pub fn get(&self, number: BatchNumber) -> Batch {
        let known = self.list.get(number.since(self.first)).copied();
        known.unwrap_or(Batch {
            seq: 0,
            received: 0,
            cells: 0,
        })
    }

    pub fn get_mut(&mut self, number: BatchNumber) -> Option<&mut Batch> {
        self.list.get_mut(number.since(self.first))
    }

    /// Values of all batches from `number` on: how long the log is that cannot be pruned.
    pub fn cells_from(&self, number: BatchNumber) -> u64 {
        let rest = self.list.iter().skip(number.since(self.first));
        rest.map(|batch| u64::from(batch.cells)).sum()
    }

    /// Forgets batches no head refers to.
    pub fn forget_before(&mut self, number: BatchNumber) {
        while self.first.before(number) && self.list.pop_front().is_some() {
            self.first = self.first.plus(1);
        }
    }

    /// Forgets this batch and all after it.
    pub fn forget_from(&mut self, number: BatchNumber) {
        self.list.truncate(number.since(self.first));
    }

    /// The oldest of some batches.
    pub fn oldest(&self, some: impl Iterator<Item = BatchNumber>) -> Option<BatchNumber> {
        some.min_by_key(|number| number.since(self.first))
    }
}
