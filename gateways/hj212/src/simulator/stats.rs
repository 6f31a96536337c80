//! What the simulated stations have seen, with a histogram of the time to acknowledgement.

use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Eight buckets for each doubling from 1 µs to about 36 minutes.
const BUCKETS: usize = 8 * 31;

/// Counters of all stations of a run; may be read while it runs.
pub struct Stats {
    pub(super) connected: AtomicU64,
    pub(super) connects: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) frames_sent: AtomicU64,
    pub(super) commands: AtomicU64,
    acknowledged: AtomicU64,
    latency: [AtomicU64; BUCKETS],
    longest_us: AtomicU64,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatsSnapshot {
    /// Stations connected now.
    pub connected: u64,
    /// Connections made since the start.
    pub connects: u64,
    /// Connections that failed or broke.
    pub failures: u64,
    /// Frames sent that ask for an answer.
    pub frames_sent: u64,
    /// Of these, frames answered (9013, 9014).
    pub acknowledged: u64,
    /// Commands of the platform carried out.
    pub commands: u64,
    /// Half of the answers came within so many milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 answers came within so many milliseconds.
    pub p99_ms: f64,
    /// The slowest answer, in milliseconds.
    pub longest_ms: f64,
}

impl Default for Stats {
    fn default() -> Stats {
        Stats {
            connected: AtomicU64::new(0),
            connects: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            frames_sent: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            latency: std::array::from_fn(|_| AtomicU64::new(0)),
            longest_us: AtomicU64::new(0),
        }
    }
}

impl Stats {
    pub(super) fn acknowledged(&self, after: Duration) {
        let us = (after.as_micros() as u64).max(1);
        self.acknowledged.fetch_add(1, Relaxed);
        self.longest_us.fetch_max(us, Relaxed);
        self.latency[bucket(us)].fetch_add(1, Relaxed);
    }

    /// Forgets the latencies so far: call after the connecting rush, before measuring.
    pub fn restart_latency(&self) {
        self.latency
            .iter()
            .for_each(|bucket| bucket.store(0, Relaxed));
        self.longest_us.store(0, Relaxed);
    }

    /// Everything at this moment.
    pub fn snapshot(&self) -> StatsSnapshot {
        StatsSnapshot {
            connected: self.connected.load(Relaxed),
            connects: self.connects.load(Relaxed),
            failures: self.failures.load(Relaxed),
            frames_sent: self.frames_sent.load(Relaxed),
            acknowledged: self.acknowledged.load(Relaxed),
            commands: self.commands.load(Relaxed),
            p50_ms: self.quantile_ms(0.5),
            p99_ms: self.quantile_ms(0.99),
            longest_ms: self.longest_us.load(Relaxed) as f64 / 1000.0,
        }
    }

    fn quantile_ms(&self, share: f64) -> f64 {
        let counts: Vec<u64> = self.latency.iter().map(|b| b.load(Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (number, count) in counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return upper_us(number) / 1000.0;
            }
        }
        0.0
    }
}

fn bucket(us: u64) -> usize {
    let power = us.ilog2() as usize;
    let eighth = ((us as f64 / (1u64 << power) as f64 - 1.0) * 8.0) as usize;
    (power * 8 + eighth.min(7)).min(BUCKETS - 1)
}

/// Upper bound of a bucket.
fn upper_us(number: usize) -> f64 {
    (1u64 << (number / 8)) as f64 * (1.0 + (number % 8 + 1) as f64 / 8.0)
}
