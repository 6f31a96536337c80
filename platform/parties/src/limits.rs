//! Limits: how often one network or one account may try something in a while. Counted in memory,
//! bounded; whoever tries too often delays only themselves.

use kernel::{Span, Time};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

/// Counters remembered, at most.
const COUNTERS: usize = 65_536;

/// What is counted, how many in which span.
#[derive(Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) name: &'static str,
    pub(crate) most: u32,
    pub(crate) per: Span,
}

/// Accounts made from one network.
pub(crate) const REGISTER: Limit = limit("register", 40, Span::hours(1));
/// Codes asked for from one network.
pub(crate) const CODES: Limit = limit("codes", 20, Span::hours(1));
/// Guesses at codes from one network.
pub(crate) const GUESSES: Limit = limit("guesses", 60, Span::hours(1));
/// Proofs on line tried by one account.
pub(crate) const PROOFS: Limit = limit("proofs", 5, Span::hours(1));
/// Ties asked for by one account.
pub(crate) const TIES: Limit = limit("ties", 30, Span::hours(1));
/// Requests about one's data by one account.
pub(crate) const REQUESTS: Limit = limit("requests", 20, Span::hours(24));

const fn limit(name: &'static str, most: u32, per: Span) -> Limit {
    Limit { name, most, per }
}

#[derive(Default)]
pub(crate) struct Limits {
    counters: Mutex<HashMap<u64, (u32, i64)>>,
    keyed: RandomState,
}

/// One household or office of IPv6 is one address here, as it is in IPv4.
pub(crate) fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => format!("{:x?}", &v6.segments()[..4]),
        },
        _ => address.to_string(),
    }
}

impl Limits {
    /// Counts an attempt; refused, the seconds to wait.
    pub(crate) fn count(&self, limit: Limit, who: &str, now: Time) -> Result<(), u32> {
        let key = self.keyed.hash_one((limit.name, who));
        let mut counters = self.counters.lock();
        if counters.len() >= COUNTERS && !counters.contains_key(&key) {
            counters.retain(|_, (_, until)| *until > now.0);
            let soonest = counters.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(key) = soonest
                .map(|(key, _)| *key)
                .filter(|_| counters.len() >= COUNTERS)
            {
                counters.remove(&key);
            }
        }
        let (count, until) = counters.entry(key).or_insert((0, (now + limit.per).0));
        if *until <= now.0 {
            (*count, *until) = (0, (now + limit.per).0);
        }
        if *count >= limit.most {
            return Err(((*until - now.0) / 1_000_000 + 1) as u32);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_while_and_memory_is_bounded() {
        let limits = Limits::default();
        let limit = limit("x", 2, Span::hours(1));
        assert!(limits.count(limit, "a", Time(0)).is_ok());
        assert!(limits.count(limit, "a", Time(0)).is_ok());
        assert_eq!(limits.count(limit, "a", Time(0)), Err(3601));
        assert!(limits.count(limit, "b", Time(0)).is_ok());
        assert!(limits.count(limit, "a", Time(3_600_000_000)).is_ok());
        for n in 0..COUNTERS + 10 {
            let _ = limits.count(limit, &n.to_string(), Time(0));
        }
        assert!(limits.counters.lock().len() <= COUNTERS);
        assert_eq!(network("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(network("2001:db8::1"), network("2001:db8::2"));
    }
}
