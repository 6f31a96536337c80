//! Forgetting: which backups are kept. Within a window every moment can be restored; before it,
//! single states are kept: the newest of so many days, weeks, months, years. Bases go first, then
//! the segments no base needs any more, so that a crash in between leaves too much and never a
//! base without what it needs.

use crate::repository::{BaseFacts, Contents, Entry, Kind, Repository};
use kernel::{Fault, Span, Time};
use serde::Serialize;
use std::collections::BTreeSet;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Every moment of this long until now.
    pub window: Span,
    /// The newest bases.
    pub last: usize,
    /// The newest of so many hours that have one.
    pub hourly: usize,
    /// The newest of so many days.
    pub daily: usize,
    /// Of so many weeks.
    pub weekly: usize,
    /// Of so many months.
    pub monthly: usize,
    /// Of so many years.
    pub yearly: usize,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            window: Span::days(7),
            last: 2,
            hourly: 0,
            daily: 14,
            weekly: 8,
            monthly: 12,
            yearly: 3,
        }
    }
}

impl Policy {
    /// Reads `window=7d,last=2,daily=14,weekly=8,monthly=12,yearly=3`; what is not named is not
    /// kept, except the window of seven days and the last one.
    pub fn parse(text: &str) -> Option<Policy> {
        let mut policy = Policy {
            last: 1,
            daily: 0,
            weekly: 0,
            monthly: 0,
            yearly: 0,
            ..Policy::default()
        };
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (name, value) = part.split_once('=')?;
            if name == "window" {
                policy.window = Span::parse(value)?;
                continue;
            }
            let number = value.parse().ok()?;
            match name {
                "last" => policy.last = std::cmp::max(1, number),
                "hourly" => policy.hourly = number,
                "daily" => policy.daily = number,
                "weekly" => policy.weekly = number,
                "monthly" => policy.monthly = number,
                "yearly" => policy.yearly = number,
                _ => return None,
            }
        }
        Some(policy)
    }
}

/// What goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Forgotten {
    /// Numbers of bases.
    pub bases: Vec<u64>,
    /// Numbers of segments.
    pub segments: Vec<u64>,
    /// Bytes of all of them.
    pub bytes: u64,
}

type Bucket = fn(Time) -> i64;

fn hour(at: Time) -> i64 {
    at.floor(Span::hours(1)).0
}

fn day(at: Time) -> i64 {
    at.floor(Span::days(1)).0
}

/// Weeks begin on Monday; the first day of 1970 was a Thursday.
fn week(at: Time) -> i64 {
    let beijing = at.0 + Span::hours(8).0;
    (beijing.div_euclid(Span::days(1).0) + 3).div_euclid(7)
}

fn month(at: Time) -> i64 {
    let (year, month, ..) = at.beijing_fields();
    i64::from(year) * 12 + i64::from(month)
}

fn year(at: Time) -> i64 {
    i64::from(at.beijing_fields().0)
}

fn kept_bases(bases: &[Entry<BaseFacts>], policy: &Policy, now: Time) -> BTreeSet<u64> {
    let mut kept = BTreeSet::new();
    let newest_first = || bases.iter().rev().map(|b| &b.facts);
    kept.extend(newest_first().take(policy.last.max(1)).map(|b| b.number));
    let begin = now - policy.window;
    kept.extend(newest_first().filter(|b| b.at >= begin).map(|b| b.number));
    // The one the window begins with.
    kept.extend(newest_first().find(|b| b.at < begin).map(|b| b.number));
    let rules: [(usize, Bucket); 5] = [
        (policy.hourly, hour),
        (policy.daily, day),
        (policy.weekly, week),
        (policy.monthly, month),
        (policy.yearly, year),
    ];
    for (limit, bucket) in rules {
        let mut seen = BTreeSet::new();
        for base in newest_first() {
            if seen.len() < limit && seen.insert(bucket(base.at)) {
                kept.insert(base.number);
            }
        }
    }
    kept
}

/// Decides what goes.
pub fn decide(contents: &Contents, policy: &Policy, now: Time) -> Forgotten {
    let kept = kept_bases(&contents.bases, policy, now);
    let begin = now - policy.window;
    let of_window = contents.bases.iter().rev().map(|b| &b.facts);
    let first = of_window
        .clone()
        .find(|b| b.at < begin)
        .or_else(|| of_window.clone().next_back());
    let needed = |number: u64, chain: &str, generation: u64, first_frame: u32| {
        contents
            .bases
            .iter()
            .map(|b| &b.facts)
            .filter(|b| kept.contains(&b.number) && b.chain == chain && number >= b.segment)
            .any(|base| {
                let whole = first.is_none_or(|first| base.at >= first.at);
                // An older one is kept for its own state only.
                whole || !base.folded && generation == base.generation && first_frame < base.frame
            })
    };
    let newest_chain = contents.bases.last().map(|b| b.facts.chain.as_str());
    let mut forgotten = Forgotten::default();
    for base in &contents.bases {
        if !kept.contains(&base.facts.number) {
            forgotten.bases.push(base.facts.number);
            forgotten.bytes += base.bytes;
        }
    }
    for segment in &contents.segments {
        let facts = &segment.facts;
        // A chain that has no base yet is about to get one.
        let known = contents.bases.iter().any(|b| b.facts.chain == facts.chain);
        let growing = !known && newest_chain != Some(facts.chain.as_str()) && facts.from >= begin;
        let of_kept = needed(facts.number, &facts.chain, facts.generation, facts.first);
        if !of_kept && !growing {
            forgotten.segments.push(facts.number);
            forgotten.bytes += segment.bytes;
        }
    }
    forgotten
}

/// Removes what the policy does not keep.
pub fn forget(repository: &Repository, policy: &Policy, now: Time) -> Result<Forgotten, Fault> {
    let forgotten = decide(&repository.contents()?, policy, now);
    for number in &forgotten.bases {
        repository.remove(Kind::Base, *number)?;
    }
    for number in &forgotten.segments {
        repository.remove(Kind::Segment, *number)?;
    }
    Ok(forgotten)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::SegmentFacts;
    use store::audit::AuditHead;

    /// One base and 24 segments a day for so many days, one chain.
    fn contents(days: u64) -> (Contents, Time) {
        let start = Time::parse("2026-01-01T03:00:00+08:00").unwrap();
        let mut contents = Contents::default();
        for n in 0..days {
            let at = start + Span::days(n as i64);
            contents.bases.push(Entry {
                facts: BaseFacts {
                    number: n + 1,
                    chain: "c".into(),
                    at,
                    generation: n,
                    frame: 0,
                    folded: true,
                    segment: n * 24 + 1,
                    tables: vec![],
                    audit: AuditHead {
                        seq: 0,
                        hash: String::new(),
                    },
                    edition: String::new(),
                },
                bytes: 100,
            });
            for hour in 0..24 {
                contents.segments.push(Entry {
                    facts: SegmentFacts {
                        number: n * 24 + hour + 1,
                        chain: "c".into(),
                        previous: String::new(),
                        from: at + Span::hours(hour as i64),
                        until: at + Span::hours(hour as i64 + 1),
                        generation: n,
                        log: String::new(),
                        first: hour as u32,
                        last: hour as u32 + 1,
                        checksum: [0, 0],
                    },
                    bytes: 10,
                });
            }
        }
        (contents, start + Span::days(days as i64))
    }

    fn left(contents: &Contents, forgotten: &Forgotten) -> Contents {
        let mut left = contents.clone();
        left.bases
            .retain(|b| !forgotten.bases.contains(&b.facts.number));
        left.segments
            .retain(|s| !forgotten.segments.contains(&s.facts.number));
        left
    }

    #[test]
    fn every_moment_of_the_window_and_the_states_before_it_stay() {
        let (all, now) = contents(400);
        let policy =
            Policy::parse("window=7d,last=1,daily=14,weekly=4,monthly=6,yearly=2").unwrap();
        let forgotten = decide(&all, &policy, now);
        let left = left(&all, &forgotten);
        // 14 days, 2 further weeks, 5 further months, 1 further year.
        assert!(
            (18..=24).contains(&left.bases.len()),
            "{}",
            left.bases.len()
        );
        for hours in 0..(7 * 24) {
            let at = now - Span::hours(hours) - Span::minutes(1);
            crate::restore::plan(&left, crate::Moment::At(at)).unwrap();
        }
        for base in &left.bases {
            crate::restore::plan(&left, crate::Moment::OfBase(base.facts.number)).unwrap();
        }
        let whole = left.segments.len();
        assert!((7 * 24..=9 * 24).contains(&whole), "{whole}");
        // Nothing more goes at once.
        assert_eq!(decide(&left, &policy, now), Forgotten::default());
    }

    #[test]
    fn interrupted_anywhere_what_is_left_restores() {
        let (all, now) = contents(60);
        let policy = Policy::parse("window=3d,daily=5,monthly=2").unwrap();
        let forgotten = decide(&all, &policy, now);
        assert!(forgotten.bases.len() > 40 && forgotten.segments.len() > 1000);
        for done in 0..=forgotten.bases.len() + forgotten.segments.len() {
            if done % 37 != 0 {
                continue;
            }
            let bases = std::cmp::min(done, forgotten.bases.len());
            let part = Forgotten {
                bases: forgotten.bases[..bases].to_vec(),
                segments: forgotten.segments[..done - bases].to_vec(),
                bytes: 0,
            };
            let left = left(&all, &part);
            for base in &left.bases {
                crate::restore::plan(&left, crate::Moment::OfBase(base.facts.number)).unwrap();
            }
            let at = now - Span::days(2);
            crate::restore::plan(&left, crate::Moment::At(at)).unwrap();
        }
    }

    #[test]
    fn a_policy_is_read_or_refused() {
        assert_eq!(Policy::parse("window=7d,last=0").unwrap().last, 1);
        for wrong in ["daily", "daily=x", "nightly=3", "window=soon"] {
            assert_eq!(Policy::parse(wrong), None, "{wrong}");
        }
    }
}
