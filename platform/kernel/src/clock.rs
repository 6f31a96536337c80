//! The clock is handed in, never taken: rehearsals and tests run on a clock they move themselves.

use crate::time::{Span, Time};
use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

/// The clock of the machine.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time(since.map(|d| d.as_micros() as i64).unwrap_or(0))
    }
}

/// A clock that stands still until it is moved: for tests, rehearsals and replays.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at `now`.
    pub fn new(now: Time) -> ManualClock {
        ManualClock(AtomicI64::new(now.0))
    }
    /// Moves forward by `span`.
    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
    /// Sets the time; never backwards.
    pub fn set(&self, now: Time) {
        self.0.fetch_max(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}
