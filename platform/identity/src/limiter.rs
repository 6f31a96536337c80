//! Slowing down guesses without locking anybody out: failures are counted per account *and*
//! address, so whoever guesses at an account delays only themselves. An attempt is charged before
//! the password is looked at, so that many at once gain nothing. Bounded in memory.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

/// Failures that cost nothing.
const FREE: u32 = 5;
/// Longest delay, seconds.
const LONGEST_S: i64 = 900;
/// A failure is forgotten after so many seconds without another.
const FORGOTTEN_S: i64 = 3600;
/// Pairs of account and address remembered, at most.
const PAIRS: usize = 65_536;
/// Attempts one address may have under way at once, so that it cannot fill the queue.
const AT_ONCE: u32 = 8;

const SECOND: i64 = 1_000_000;

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: i64,
}

impl Failures {
    /// When the next attempt is allowed.
    fn until(self) -> i64 {
        if self.count <= FREE {
            return self.last;
        }
        let doublings = (self.count - FREE - 1).min(20);
        self.last + (1_i64 << doublings).min(LONGEST_S) * SECOND
    }
}

#[derive(Default)]
struct State {
    pairs: HashMap<u64, Failures>,
    under_way: HashMap<u64, u32>,
}

/// Counts failures.
#[derive(Default)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    keyed: RandomState,
}

/// An attempt that was let through; tell it how it ended, or it counts as a failure.
pub(crate) struct Attempt<'a> {
    limiter: &'a Limiter,
    pair: u64,
    address: u64,
}

/// One household or office of IPv6 is one address here, as it is in IPv4.
fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => format!("{:x?}", &v6.segments()[..4]),
        },
        _ => address.to_string(),
    }
}

impl Limiter {
    /// Lets an attempt through, or says after how many seconds to try again.
    pub(crate) fn begin(&self, account: &str, address: &str, now: i64) -> Result<Attempt<'_>, u32> {
        let network = network(address);
        let pair = self.keyed.hash_one((account, &network));
        let address = self.keyed.hash_one(&network);
        let mut state = self.state.lock();
        if state.under_way.get(&address).is_some_and(|n| *n >= AT_ONCE) {
            return Err(1);
        }
        let known = state.pairs.get(&pair).copied();
        let fresh = known.filter(|f| now - f.last < FORGOTTEN_S * SECOND);
        if let Some(failures) = fresh
            && now < failures.until()
        {
            let wait = (failures.until() - now + SECOND - 1) / SECOND;
            return Err(wait as u32);
        }
        if known.is_none() && state.pairs.len() >= PAIRS {
            make_room(&mut state.pairs, now);
        }
        let count = fresh.map_or(1, |f| f.count.saturating_add(1));
        state.pairs.insert(pair, Failures { count, last: now });
        *state.under_way.entry(address).or_insert(0) += 1;
        Ok(Attempt {
            limiter: self,
            pair,
            address,
        })
    }
}

/// Forgets what is old, or else the pair that failed longest ago.
fn make_room(pairs: &mut HashMap<u64, Failures>, now: i64) {
    pairs.retain(|_, f| now - f.last < FORGOTTEN_S * SECOND);
    if pairs.len() >= PAIRS {
        let oldest = pairs
            .iter()
            .min_by_key(|(_, f)| f.last)
            .map(|(pair, _)| *pair);
        if let Some(oldest) = oldest {
            pairs.remove(&oldest);
        }
    }
}

impl Attempt<'_> {
    /// The password was right: all failures of this pair are forgotten.
    pub(crate) fn succeeded(self) {
        self.limiter.state.lock().pairs.remove(&self.pair);
    }

    /// Nothing was looked at: as if it had not been tried.
    pub(crate) fn not_tried(self) {
        if let Some(failures) = self.limiter.state.lock().pairs.get_mut(&self.pair) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state.lock();
        if let Some(count) = state.under_way.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.under_way.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_for_the_pair_and_nobody_else() {
        let limiter = Limiter::default();
        let mut now = 0;
        for _ in 0..5 {
            assert!(limiter.begin("li", "10.0.0.1", now).is_ok());
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert!(limiter.begin("li", "10.0.0.1", now).is_ok());
            assert_eq!(limiter.begin("li", "10.0.0.1", now).err(), Some(wait));
            now += i64::from(wait) * SECOND;
        }
        limiter
            .begin("li", "10.0.0.1", now)
            .ok()
            .unwrap()
            .succeeded();
        assert!(limiter.begin("li", "10.0.0.1", now).is_ok());
        for _ in 0..6 {
            let _ = limiter.begin("wang", "10.0.0.1", now);
        }
        assert!(limiter.begin("wang", "10.0.0.1", now).is_err());
        assert!(limiter.begin("wang", "10.0.0.2", now).is_ok());
        assert!(limiter.begin("zhao", "10.0.0.1", now).is_ok());
        assert!(
            limiter
                .begin("wang", "10.0.0.1", now + 3600 * SECOND)
                .is_ok()
        );
    }

    #[test]
    fn one_address_has_a_few_attempts_under_way() {
        let limiter = Limiter::default();
        let name = |n: u32| format!("a{n}");
        let held: Vec<_> = (0..AT_ONCE)
            .map(|n| limiter.begin(&name(n), "2001:db8::1", 0).ok().unwrap())
            .collect();
        assert!(limiter.begin("b", "2001:db8::2", 0).is_err());
        assert!(limiter.begin("b", "2001:db8:0:1::2", 0).is_ok());
        assert!(limiter.begin("b", "::ffff:10.0.0.1", 0).is_ok());
        drop(held);
        assert!(limiter.begin("b", "2001:db8::2", 0).is_ok());
        assert!(limiter.state.lock().under_way.is_empty());
    }

    #[test]
    fn an_attempt_not_tried_costs_nothing() {
        let limiter = Limiter::default();
        for _ in 0..20 {
            limiter.begin("li", "10.0.0.1", 0).ok().unwrap().not_tried();
        }
        assert!(limiter.begin("li", "10.0.0.1", 0).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        for n in 0..PAIRS + 10 {
            let _ = limiter.begin(&n.to_string(), "10.0.0.1", n as i64);
        }
        assert_eq!(limiter.state.lock().pairs.len(), PAIRS);
    }
}
