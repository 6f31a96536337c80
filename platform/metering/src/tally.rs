//! Tallies: the counters themselves. Each meter has a cell per shard; a thread always counts in
//! the same shard, on a cache line of its own. What was flushed is in `base`, by window.

use kernel::metering::{Meter, Window};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

const METERS: usize = Meter::ALL.len();
const WINDOWS: usize = Window::ALL.len();
/// Shards of a tally; threads share them by turns when there are more.
const SHARDS: usize = 8;

/// Starts of the windows that hold now, microseconds UTC.
pub(crate) type Starts = [i64; WINDOWS];

#[derive(Default)]
#[repr(align(64))]
struct Shard([AtomicI64; METERS]);

/// What was flushed of a meter in a window.
#[derive(Default)]
struct Base {
    start: AtomicI64,
    amount: AtomicI64,
}

/// Counters of one payer, or of several together.
#[derive(Default)]
pub(crate) struct Tally {
    shards: [Shard; SHARDS],
    base: [[Base; WINDOWS]; METERS],
}

thread_local! {
    static MINE: Cell<usize> = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS)
    };
}

impl Tally {
    pub(crate) fn add(&self, meter: Meter, amount: i64) {
        let shard = &self.shards[MINE.with(Cell::get)];
        shard.0[meter as usize].fetch_add(amount, Ordering::Relaxed);
    }

    fn pending(&self, meter: Meter) -> i64 {
        let cells = self.shards.iter().map(|s| &s.0[meter as usize]);
        cells.map(|cell| cell.load(Ordering::Relaxed)).sum()
    }

    /// Used in the window that began at its start.
    pub(crate) fn used(&self, meter: Meter, window: Window, starts: &Starts) -> u64 {
        let base = &self.base[meter as usize][window as usize];
        let flushed = if base.start.load(Ordering::Acquire) == starts[window as usize] {
            base.amount.load(Ordering::Relaxed)
        } else {
            0
        };
        (flushed + self.pending(meter)).max(0).unsigned_abs()
    }

    /// Takes what was counted since the last time, and moves it to the base of the windows that
    /// hold now. Only one thread flushes.
    pub(crate) fn take(&self, starts: &Starts) -> Vec<(Meter, i64)> {
        let mut taken = vec![];
        for meter in Meter::ALL {
            let cells = self.shards.iter().map(|s| &s.0[meter as usize]);
            let amount: i64 = cells.map(|cell| cell.swap(0, Ordering::Relaxed)).sum();
            if amount == 0 {
                continue;
            }
            for window in Window::ALL {
                self.grow(meter, window, starts[window as usize], amount);
            }
            taken.push((meter, amount));
        }
        taken
    }

    fn grow(&self, meter: Meter, window: Window, start: i64, amount: i64) {
        let base = &self.base[meter as usize][window as usize];
        if base.start.load(Ordering::Acquire) == start {
            base.amount.fetch_add(amount, Ordering::Relaxed);
        } else {
            base.amount.store(amount, Ordering::Relaxed);
            base.start.store(start, Ordering::Release);
        }
    }

    /// What was flushed, as the store says. In one step: limits are asked meanwhile.
    pub(crate) fn load(&self, meter: Meter, window: Window, start: i64, amount: i64) {
        let base = &self.base[meter as usize][window as usize];
        base.amount.store(amount, Ordering::Relaxed);
        base.start.store(start, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn nothing_is_lost_between_threads_and_flushes() {
        let tally = Arc::new(Tally::default());
        let starts = [1, 1, 1, 1, 0];
        let counting: Vec<_> = (0..4)
            .map(|_| {
                let tally = tally.clone();
                std::thread::spawn(move || (0..50_000).for_each(|_| tally.add(Meter::Requests, 1)))
            })
            .collect();
        let mut flushed = 0;
        while !counting.iter().all(|c| c.is_finished()) {
            flushed += tally.take(&starts).iter().map(|(_, n)| n).sum::<i64>();
        }
        flushed += tally.take(&starts).iter().map(|(_, n)| n).sum::<i64>();
        assert_eq!(flushed, 200_000);
        assert_eq!(tally.used(Meter::Requests, Window::Hour, &starts), 200_000);
        // In the next hour nothing was used yet, in all still as much.
        let later = [9, 9, 1, 1, 0];
        assert_eq!(tally.used(Meter::Requests, Window::Hour, &later), 0);
        assert_eq!(tally.used(Meter::Requests, Window::Ever, &later), 200_000);
    }
}
