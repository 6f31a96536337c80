//! Rates: how fast a caller may come, by token bucket. One number for each caller: the moment at
//! which its bucket will be full again (GCRA). Bounded: who has not come for the time of a whole
//! bucket is forgotten, and costs nothing.

use kernel::Time;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::hash::{BuildHasher, Hash, RandomState};

/// Parts that are locked apart.
const PARTS: usize = 64;
/// Callers remembered in one part, at most; then the oldest make room.
const CALLERS: usize = 2_000;

/// So many a second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: u32,
    /// Requests at once after a pause.
    pub burst: u32,
}

/// What a caller may still do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Requests that are left now.
    pub left: u32,
    /// Seconds until all are there again.
    pub full_in_s: u32,
}

/// Callers that are locked together.
#[derive(Default)]
struct Part {
    /// When each bucket is full again, microseconds.
    full_at: FxHashMap<u64, i64>,
    /// When the full ones were last thrown out: at most once a second, or a flood of callers would
    /// cost more than it is worth.
    swept_at: i64,
}

impl Part {
    /// Is there room for one more?
    fn sweep(&mut self, now: i64) -> bool {
        if self.full_at.len() >= CALLERS && now - self.swept_at >= 1_000_000 {
            self.swept_at = now;
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        self.full_at.len() < CALLERS
    }
}

/// The buckets of many callers.
pub struct Rates {
    parts: Vec<Mutex<Part>>,
    hasher: RandomState,
}

impl Default for Rates {
    fn default() -> Rates {
        Rates {
            parts: (0..PARTS).map(|_| Mutex::default()).collect(),
            // With a seed of its own: nobody can choose names that meet in one bucket.
            hasher: RandomState::new(),
        }
    }
}

impl Rates {
    /// Takes one from the caller's bucket: what is left, or after how many seconds to come again.
    pub fn take(&self, caller: &impl Hash, rate: Rate, now: Time) -> Result<Room, u32> {
        let interval = 1_000_000 / i64::from(rate.per_second.max(1));
        let whole = interval * i64::from(rate.burst.max(1));
        let key = self.hasher.hash_one(caller);
        let mut part = self.parts[key as usize % PARTS].lock();
        if !part.full_at.contains_key(&key) && !part.sweep(now.0) {
            // All are busy: this one is let in unremembered rather than everybody kept out.
            return Ok(Room {
                left: 0,
                full_in_s: 1,
            });
        }
        let full_at = part.full_at.entry(key).or_insert(now.0);
        let next = (*full_at).max(now.0) + interval;
        if next - now.0 > whole {
            let wait = next - now.0 - whole;
            return Err(whole_seconds(wait).max(1));
        }
        *full_at = next;
        let missing = next - now.0;
        Ok(Room {
            left: u32::try_from((whole - missing) / interval).unwrap_or(0),
            full_in_s: whole_seconds(missing),
        })
    }

    /// Callers remembered.
    pub fn callers(&self) -> usize {
        self.parts.iter().map(|p| p.lock().full_at.len()).sum()
    }
}

fn whole_seconds(micros: i64) -> u32 {
    let seconds = micros.max(0).unsigned_abs().div_ceil(1_000_000);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Span;

    const RATE: Rate = Rate {
        per_second: 10,
        burst: 20,
    };

    #[test]
    fn a_burst_then_the_rate() {
        let (rates, begin) = (Rates::default(), Time(1_764_000_000_000_000));
        for left in (0..20).rev() {
            assert_eq!(rates.take(&"a", RATE, begin).unwrap().left, left);
        }
        assert_eq!(rates.take(&"a", RATE, begin), Err(1));
        assert!(
            rates.take(&"b", RATE, begin).is_ok(),
            "another caller has their own"
        );
        // For ten seconds, forty tries a second: ten a second pass.
        let mut passed = 0;
        for tick in 1..=400 {
            let now = begin + Span(tick * 25_000);
            passed += i64::from(rates.take(&"a", RATE, now).is_ok());
        }
        assert_eq!(passed, 100);
    }

    #[test]
    fn a_flood_of_callers_is_bounded() {
        let (rates, now) = (Rates::default(), Time(1_764_000_000_000_000));
        for caller in 0..300_000u32 {
            let _ = rates.take(&caller, RATE, now);
        }
        assert!(rates.callers() <= PARTS * CALLERS);
        // Later all of them are forgotten as others come.
        let later = now + Span::minutes(1);
        for caller in 300_000..600_000u32 {
            let _ = rates.take(&caller, RATE, later);
        }
        assert!(rates.take(&"late", RATE, later).is_ok());
    }
}
