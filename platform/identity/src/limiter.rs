//! Slowing down guesses without locking anybody out. Failures are counted per account *and*
//! network address, so whoever guesses at an account delays only themselves; a device the account
//! was used on before is counted by itself, so that a guesser in the same office delays nobody
//! there either. One address that fails at many accounts waits too. An attempt is charged before
//! the password is looked at, so that many at once gain nothing. Bounded in memory.

use kernel::network::network;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// What failures cost.
#[derive(Clone, Copy)]
struct Rule {
    /// Failures that cost nothing.
    free: u32,
    /// Longest delay, seconds.
    longest_s: i64,
}

/// An account from one network or one known device.
const PAIR: Rule = Rule {
    free: 5,
    longest_s: 900,
};
/// Whatever accounts from one network: one password tried at many names.
const NETWORK: Rule = Rule {
    free: 100,
    longest_s: 60,
};
/// A failure is forgotten after so many seconds without another.
const FORGOTTEN_S: i64 = 3600;
/// Pairs and networks remembered, at most.
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
    fn until(self, rule: Rule) -> i64 {
        if self.count <= rule.free {
            return self.last;
        }
        let doublings = (self.count - rule.free - 1).min(20);
        self.last + (1_i64 << doublings).min(rule.longest_s) * SECOND
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

/// Who tries at what.
#[derive(Clone, Copy)]
pub(crate) struct Who<'a> {
    /// Account, known or not; empty where none is named.
    pub(crate) account: &'a str,
    /// Network address.
    pub(crate) address: &'a str,
    /// A device the account was used on before, once that is sure.
    pub(crate) device: Option<&'a str>,
}

/// An attempt that was let through; tell it how it ended, or it counts as a failure.
pub(crate) struct Attempt<'a> {
    limiter: &'a Limiter,
    keys: Vec<u64>,
    /// What a success forgets altogether.
    pair: Option<u64>,
    place: u64,
}

impl Limiter {
    /// The key of the pair first, and what is counted besides.
    fn keys(&self, who: Who<'_>) -> (u64, Vec<(u64, Rule)>) {
        if let Some(device) = who.device {
            let pair = self.keyed.hash_one((who.account, "device", device));
            return (pair, vec![(pair, PAIR)]);
        }
        let network = network(who.address);
        let pair = self.keyed.hash_one((who.account, &network));
        let place = self.keyed.hash_one(&network);
        let keys = match who.account {
            "" => vec![(place, NETWORK)],
            _ => vec![(pair, PAIR), (place, NETWORK)],
        };
        (place, keys)
    }

    /// Lets an attempt through, or says after how many seconds to try again.
    pub(crate) fn begin(&self, who: Who<'_>, now: i64) -> Result<Attempt<'_>, u32> {
        let (place, keys) = self.keys(who);
        let mut state = self.state.lock();
        if state.under_way.get(&place).is_some_and(|n| *n >= AT_ONCE) {
            return Err(1);
        }
        let fresh = |state: &State, key: &u64| {
            let known = state.pairs.get(key).copied();
            known.filter(|f| now - f.last < FORGOTTEN_S * SECOND)
        };
        for (key, rule) in &keys {
            if let Some(failures) = fresh(&state, key)
                && now < failures.until(*rule)
            {
                let wait = (failures.until(*rule) - now + SECOND - 1) / SECOND;
                return Err(wait as u32);
            }
        }
        for (key, _) in &keys {
            if !state.pairs.contains_key(key) && state.pairs.len() >= PAIRS {
                make_room(&mut state.pairs, now);
            }
            let count = fresh(&state, key).map_or(1, |f| f.count.saturating_add(1));
            state.pairs.insert(*key, Failures { count, last: now });
        }
        *state.under_way.entry(place).or_insert(0) += 1;
        let pair = keys.first().filter(|_| !who.account.is_empty());
        Ok(Attempt {
            limiter: self,
            pair: pair.map(|(key, _)| *key),
            keys: keys.into_iter().map(|(key, _)| key).collect(),
            place,
        })
    }

    /// Forgets what failed at an account from here before an instant; true when there was any.
    pub(crate) fn forgive(&self, who: Who<'_>, until: i64) -> bool {
        let (_, keys) = self.keys(who);
        let mut state = self.state.lock();
        let Some((pair, _)) = keys.first() else {
            return false;
        };
        let old = state.pairs.get(pair).is_some_and(|f| f.last <= until);
        if old {
            state.pairs.remove(pair);
        }
        old
    }
}

/// Forgets what is old, or else the quarter that failed longest ago: seldom, so that a flood of
/// addresses does not pay for it at every attempt.
fn make_room(pairs: &mut HashMap<u64, Failures>, now: i64) {
    pairs.retain(|_, f| now - f.last < FORGOTTEN_S * SECOND);
    if pairs.len() < PAIRS {
        return;
    }
    let mut times: Vec<i64> = pairs.values().map(|f| f.last).collect();
    let (_, quarter, _) = times.select_nth_unstable(PAIRS / 4);
    let quarter = *quarter;
    let mut too_many = PAIRS / 4;
    pairs.retain(|_, f| {
        let old = f.last <= quarter && too_many > 0;
        too_many -= usize::from(old);
        !old
    });
}

impl Attempt<'_> {
    /// It was right: all failures of this pair are forgotten.
    pub(crate) fn succeeded(self) {
        self.take_back();
        let mut state = self.limiter.state.lock();
        if let Some(pair) = self.pair {
            state.pairs.remove(&pair);
        }
    }

    /// Nothing was looked at: as if it had not been tried.
    pub(crate) fn not_tried(self) {
        self.take_back();
    }

    fn take_back(&self) {
        let mut state = self.limiter.state.lock();
        for key in &self.keys {
            if let Some(failures) = state.pairs.get_mut(key) {
                failures.count = failures.count.saturating_sub(1);
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state.lock();
        if let Some(count) = state.under_way.get_mut(&self.place) {
            *count -= 1;
            if *count == 0 {
                state.under_way.remove(&self.place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who<'a>(account: &'a str, address: &'a str) -> Who<'a> {
        Who {
            account,
            address,
            device: None,
        }
    }

    #[test]
    fn delays_double_for_the_pair_and_nobody_else() {
        let limiter = Limiter::default();
        let (li, wang) = (who("li", "10.0.0.1"), who("wang", "10.0.0.1"));
        let mut now = 0;
        for _ in 0..5 {
            assert!(limiter.begin(li, now).is_ok());
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            assert!(limiter.begin(li, now).is_ok());
            assert_eq!(limiter.begin(li, now).err(), Some(wait));
            now += i64::from(wait) * SECOND;
        }
        limiter.begin(li, now).ok().unwrap().succeeded();
        assert!(limiter.begin(li, now).is_ok());
        for _ in 0..6 {
            let _ = limiter.begin(wang, now);
        }
        assert!(limiter.begin(wang, now).is_err());
        assert!(limiter.begin(who("wang", "10.0.0.2"), now).is_ok());
        assert!(limiter.begin(who("zhao", "10.0.0.1"), now).is_ok());
        let device = Some("her phone");
        assert!(limiter.begin(Who { device, ..wang }, now).is_ok());
        assert!(limiter.begin(wang, now + 3600 * SECOND).is_ok());
    }

    #[test]
    fn one_password_at_many_names_is_slowed_down_and_known_devices_are_not() {
        let limiter = Limiter::default();
        let mut let_through = 0;
        for n in 0..1_000 {
            let name = format!("a{n}");
            let_through += u32::from(limiter.begin(who(&name, "10.0.0.1"), 0).is_ok());
        }
        assert_eq!(let_through, 101);
        assert!(limiter.begin(who("li", "10.0.0.1"), 0).is_err());
        assert!(limiter.begin(who("li", "10.0.0.2"), 0).is_ok());
        let device = Some("her phone");
        let known = Who {
            device,
            ..who("li", "10.0.0.1")
        };
        assert!(limiter.begin(known, 0).is_ok());
    }

    #[test]
    fn what_failed_before_it_was_unlocked_is_forgotten() {
        let limiter = Limiter::default();
        let li = who("li", "10.0.0.1");
        for _ in 0..6 {
            assert!(limiter.begin(li, 10).is_ok());
        }
        assert!(limiter.begin(li, 10).is_err());
        assert!(!limiter.forgive(li, 9));
        assert!(limiter.forgive(li, 10));
        assert!(limiter.begin(li, 10).is_ok());
    }

    #[test]
    fn one_address_has_a_few_attempts_under_way() {
        let limiter = Limiter::default();
        let name = |n: u32| format!("a{n}");
        let names: Vec<String> = (0..AT_ONCE).map(name).collect();
        let held: Vec<_> = names
            .iter()
            .map(|name| limiter.begin(who(name, "2001:db8::1"), 0).ok().unwrap())
            .collect();
        assert!(limiter.begin(who("b", "2001:db8::2"), 0).is_err());
        assert!(limiter.begin(who("b", "2001:db8:0:1::2"), 0).is_ok());
        assert!(limiter.begin(who("b", "::ffff:10.0.0.1"), 0).is_ok());
        drop(held);
        assert!(limiter.begin(who("b", "2001:db8::2"), 0).is_ok());
        assert!(limiter.state.lock().under_way.is_empty());
    }

    #[test]
    fn an_attempt_not_tried_costs_nothing() {
        let limiter = Limiter::default();
        for _ in 0..200 {
            limiter
                .begin(who("li", "10.0.0.1"), 0)
                .ok()
                .unwrap()
                .not_tried();
        }
        assert!(limiter.begin(who("li", "10.0.0.1"), 0).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::default();
        for n in 0..2 * PAIRS {
            let name = n.to_string();
            let address = format!("10.{}.{}.{}", n / 65_536, n / 256 % 256, n % 256);
            let _ = limiter.begin(who(&name, &address), n as i64);
        }
        let held = limiter.state.lock().pairs.len();
        assert!(held <= PAIRS && held > PAIRS / 2, "{held}");
    }
}
