//! Wrong names: whoever verifies by what is printed must know the holder's name, and a name is soon
//! guessed. Wrong ones are counted for each licence, whoever tries, and for each network, whatever
//! it tries at; identifiers nobody has count alike, so that the limit tells nothing either. A guess
//! is judged after it was looked at: of many at once no more than the limit learn anything. What a
//! holder shows (code, signed document) is never slowed down. Bounded in memory.

use kernel::fault::FaultKind;
use kernel::network::network;
use kernel::{Fault, Span, Time};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Wrong names for one licence before nobody is answered by name any more.
pub(crate) const LICENCE: u32 = 10;
/// Wrong names from one network.
const NETWORK: u32 = 60;
/// From the first wrong name until they are forgotten.
const WINDOW: Span = Span::minutes(15);
/// Licences and networks remembered, at most.
const REMEMBERED: usize = 65_536;

#[derive(Clone, Copy)]
struct Wrong {
    count: u32,
    since: Time,
}

/// Counts wrong names.
#[derive(Default)]
pub(crate) struct Guesses {
    wrong: Mutex<HashMap<u64, Wrong>>,
    keyed: RandomState,
}

impl Guesses {
    /// What is counted: the licence, and the network when it is known.
    fn keys(&self, identifier: &str, address: &str) -> Vec<(u64, u32)> {
        let licence = self.keyed.hash_one(("licence", identifier));
        let mut keys = vec![(licence, LICENCE)];
        if !address.is_empty() {
            let place = self.keyed.hash_one(("network", network(address)));
            keys.push((place, NETWORK));
        }
        keys
    }

    /// Refuses while there were too many wrong names for this licence or from there. Asked before a
    /// name is looked at and again before a right one is answered.
    pub(crate) fn demand(&self, identifier: &str, address: &str, now: Time) -> Result<(), Fault> {
        let keys = self.keys(identifier, address);
        let wrong = self.wrong.lock();
        over(&wrong, &keys, now).map_or(Ok(()), |until| Err(too_many(until.since(now))))
    }

    /// Notes a wrong name; says how many there were for this licence, this one among them. One too
    /// many is refused and not counted, so that going on does not make it longer.
    pub(crate) fn note(&self, identifier: &str, address: &str, now: Time) -> Result<u32, Fault> {
        let keys = self.keys(identifier, address);
        let mut wrong = self.wrong.lock();
        if let Some(until) = over(&wrong, &keys, now) {
            return Err(too_many(until.since(now)));
        }
        let mut count = 0;
        for (n, (key, _)) in keys.iter().enumerate() {
            if !wrong.contains_key(key) && wrong.len() >= REMEMBERED {
                make_room(&mut wrong, now);
            }
            let known = fresh(&wrong, *key, now);
            let next = known.map_or(
                Wrong {
                    count: 1,
                    since: now,
                },
                |known| Wrong {
                    count: known.count + 1,
                    ..known
                },
            );
            wrong.insert(*key, next);
            if n == 0 {
                count = next.count;
            }
        }
        Ok(count)
    }
}

fn fresh(wrong: &HashMap<u64, Wrong>, key: u64, now: Time) -> Option<Wrong> {
    let known = wrong.get(&key).copied();
    known.filter(|known| now < known.since + WINDOW)
}

/// Until when nothing is answered; `None` when nothing stands against it.
fn over(wrong: &HashMap<u64, Wrong>, keys: &[(u64, u32)], now: Time) -> Option<Time> {
    let full = keys.iter().filter_map(|(key, most)| {
        let known = fresh(wrong, *key, now)?;
        (known.count >= *most).then(|| known.since + WINDOW)
    });
    full.max()
}

/// Forgets what is over, or else the quarter that began longest ago: seldom, so that a flood does
/// not pay for it at every guess.
fn make_room(wrong: &mut HashMap<u64, Wrong>, now: Time) {
    wrong.retain(|_, known| now < known.since + WINDOW);
    if wrong.len() < REMEMBERED {
        return;
    }
    let mut times: Vec<Time> = wrong.values().map(|known| known.since).collect();
    let (_, quarter, _) = times.select_nth_unstable(REMEMBERED / 4);
    let quarter = *quarter;
    let mut more = REMEMBERED / 4;
    wrong.retain(|_, known| {
        let old = known.since <= quarter && more > 0;
        more -= usize::from(old);
        !old
    });
}

fn too_many(wait: Span) -> Fault {
    let wait_s = u32::try_from((wait.0 + 999_999) / 1_000_000).unwrap_or(u32::MAX);
    let mut fault = Fault::new(
        FaultKind::TooMany,
        "licences.guesses",
        format!("持证主体名称输错次数过多，请 {wait_s} 秒后再试，或请持证主体出示二维码"),
        format!(
            "too many wrong names of the holder; try again in {wait_s} seconds, or ask the holder for their code"
        ),
    );
    fault.retry_after_s = Some(wait_s);
    fault
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_identifiers_is_bounded_and_takes_many_networks() {
        let guesses = Guesses::default();
        let now = Time(0);
        let from = |n: usize| format!("10.{}.{}.{}", n >> 16, (n >> 8) & 255, n & 255);
        for n in 0..REMEMBERED {
            let _ = guesses.note(&format!("licence {n}"), &from(n / 60), now);
        }
        assert!(guesses.wrong.lock().len() <= REMEMBERED);
        // The sixty-first wrong name from one network, whatever it was at.
        let one = Guesses::default();
        for n in 0..NETWORK {
            assert!(
                one.note(&format!("licence {n}"), "2001:db8::1", now)
                    .is_ok()
            );
        }
        let refused = one.demand("any", "2001:db8::2", now + Span::minutes(5));
        assert_eq!(refused.err().and_then(|f| f.retry_after_s), Some(600));
        assert!(one.demand("any", "2001:db9::1", now).is_ok());
        assert!(one.demand("any", "2001:db8::2", now + WINDOW).is_ok());
    }
}
