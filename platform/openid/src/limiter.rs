//! Limits: wrong proofs of an application are slowed down for the address they come from, and one
//! person gets only so many authorisations a minute. Bounded in memory.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Failures that cost nothing.
const FREE: u32 = 10;
/// Longest delay, seconds.
const LONGEST_S: i64 = 900;
/// Failures are forgotten after so many seconds without another.
const FORGOTTEN_S: i64 = 3600;
/// Things remembered, at most.
const HELD: usize = 65_536;
/// Authorisations of one person in a minute.
pub(crate) const A_MINUTE: u32 = 60;

const SECOND: i64 = 1_000_000;

#[derive(Clone, Copy)]
struct Count {
    count: u32,
    at: i64,
}

/// Counts.
#[derive(Default)]
pub(crate) struct Limiter {
    failures: Mutex<HashMap<u64, Count>>,
    acts: Mutex<HashMap<u64, Count>>,
    keyed: RandomState,
}

fn make_room(held: &mut HashMap<u64, Count>, now: i64) {
    if held.len() < HELD {
        return;
    }
    held.retain(|_, count| now - count.at < FORGOTTEN_S * SECOND);
    if held.len() >= HELD
        && let Some(oldest) = held.iter().min_by_key(|(_, c)| c.at).map(|(key, _)| *key)
    {
        held.remove(&oldest);
    }
}

impl Limiter {
    /// May this application try to prove itself from this address? Otherwise after how many
    /// seconds.
    pub(crate) fn may_try(&self, client: &str, address: &str, now: i64) -> Result<(), u32> {
        let key = self.keyed.hash_one((client, address));
        let held = self.failures.lock();
        let Some(count) = held.get(&key).filter(|c| c.count > FREE) else {
            return Ok(());
        };
        let doublings = (count.count - FREE - 1).min(20);
        let until = count.at + (1_i64 << doublings).min(LONGEST_S) * SECOND;
        if now >= until {
            return Ok(());
        }
        Err(((until - now + SECOND - 1) / SECOND) as u32)
    }

    /// It failed to.
    pub(crate) fn failed(&self, client: &str, address: &str, now: i64) {
        let key = self.keyed.hash_one((client, address));
        let mut held = self.failures.lock();
        make_room(&mut held, now);
        let fresh = held
            .get(&key)
            .filter(|count| now - count.at < FORGOTTEN_S * SECOND);
        let count = fresh.map_or(1, |c| c.count.saturating_add(1));
        held.insert(key, Count { count, at: now });
    }

    /// May this person authorise once more in this minute? Otherwise after how many seconds.
    pub(crate) fn act(&self, account: &str, now: i64) -> Result<(), u32> {
        let key = self.keyed.hash_one(account);
        let mut held = self.acts.lock();
        make_room(&mut held, now);
        let count = held.entry(key).or_insert(Count { count: 0, at: now });
        if now - count.at >= 60 * SECOND {
            *count = Count { count: 0, at: now };
        }
        if count.count >= A_MINUTE {
            return Err(((count.at + 60 * SECOND - now + SECOND - 1) / SECOND) as u32);
        }
        count.count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_slow_down_their_address_only() {
        let limiter = Limiter::default();
        for _ in 0..=FREE {
            assert_eq!(limiter.may_try("a", "10.0.0.1", 0), Ok(()));
            limiter.failed("a", "10.0.0.1", 0);
        }
        assert_eq!(limiter.may_try("a", "10.0.0.1", 0), Err(1));
        assert_eq!(limiter.may_try("a", "10.0.0.2", 0), Ok(()));
        assert_eq!(limiter.may_try("a", "10.0.0.1", SECOND), Ok(()));
    }

    #[test]
    fn so_many_authorisations_a_minute() {
        let limiter = Limiter::default();
        for _ in 0..A_MINUTE {
            assert_eq!(limiter.act("li", 0), Ok(()));
        }
        assert_eq!(limiter.act("li", SECOND), Err(59));
        assert_eq!(limiter.act("wang", SECOND), Ok(()));
        assert_eq!(limiter.act("li", 60 * SECOND), Ok(()));
    }
}
