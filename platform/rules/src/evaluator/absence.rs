//! Silence: nothing received of a thing on record for longer than a rule allows.

use super::state::{NEVER, level_of};
use super::{Change, Ending, Evaluator, Outcome, Timer};
use kernel::alerts::Level;
use kernel::{Span, Time};
use rustc_hash::FxHashMap;
use std::cmp::Reverse;
use std::sync::Arc;

/// What is remembered of one rule and one record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Absence {
    /// Silent since when, and how grave; `None` while not raised.
    pub raised: Option<(Time, Level)>,
    /// Its one timer; others in the queue are out of date. `NEVER` for none.
    pub timer: i64,
}

/// All pairs of absence rules and records they judge.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Absences {
    pub by_pair: FxHashMap<(u32, Arc<str>), Absence>,
}

impl Absences {
    pub fn len(&self) -> usize {
        self.by_pair.len()
    }

    /// How many alerts of silence are raised about a key.
    pub fn raised_about(&self, rules: &[u32], key: &Arc<str>) -> u32 {
        let raised = |rule: &&u32| {
            let found = self.by_pair.get(&(**rule, key.clone()));
            found.is_some_and(|absence| absence.raised.is_some())
        };
        rules.iter().filter(raised).count() as u32
    }

    pub fn is_raised(&self, rule: u32, key: &str, since: Time) -> bool {
        let found = self.by_pair.get(&(rule, Arc::from(key)));
        found
            .and_then(|absence| absence.raised)
            .is_some_and(|(from, _)| from == since)
    }
}

impl Evaluator {
    fn allowed(&self, rule: u32) -> Span {
        let mut all = self.rules.absences();
        all.find(|(number, ..)| *number == rule)
            .map_or(Span(0), |(_, _, hold)| hold)
    }

    /// Silent since when: the last reception, or the making of the record.
    fn silent_since(&self, rule: u32, key: &str) -> Option<Time> {
        let known = self.records.get(&self.rule(rule).about, key)?;
        let thing = self.facts.find_thing(key);
        let thing = thing.and_then(|id| self.things.get(id.0 as usize));
        Some(thing.and_then(|t| t.received).unwrap_or(known.since))
    }

    /// Begins or ceases to wait for a thing, as its record says.
    pub(super) fn watch_silence(&mut self, rule: u32, key: &str, at: Time, out: &mut Vec<Outcome>) {
        let pair = (rule, Arc::<str>::from(key));
        if self.matches(self.rule(rule), key) {
            if self.absences.by_pair.contains_key(&pair) {
                return;
            }
            if let Some(since) = self.silent_since(rule, key) {
                // What was due before the record was made is due now.
                let due = (since + self.allowed(rule)).max(at);
                let absence = Absence {
                    raised: None,
                    timer: NEVER,
                };
                self.absences.by_pair.insert(pair.clone(), absence);
                self.set_timer(pair, due.0);
            }
        } else if let Some(absence) = self.absences.by_pair.remove(&pair)
            && let Some((since, _)) = absence.raised
        {
            out.push(silence_outcome(
                rule,
                pair.1,
                since,
                at,
                Change::End {
                    at,
                    value: None,
                    why: Ending::OffRecord,
                },
            ));
            if let Some(id) = self.facts.find_thing(key) {
                self.meet(id.0);
            }
        }
    }

    fn set_timer(&mut self, pair: (u32, Arc<str>), due: i64) {
        if let Some(absence) = self.absences.by_pair.get_mut(&pair) {
            absence.timer = due;
            let timer = Timer::Silence(pair.0, pair.1);
            self.timers.push(Reverse((due, timer)));
        }
    }

    pub(super) fn fire_silence(
        &mut self,
        rule: u32,
        key: Arc<str>,
        deadline: i64,
        out: &mut Vec<Outcome>,
    ) {
        let Some(since) = self.silent_since(rule, &key) else {
            return;
        };
        let hold = self.allowed(rule);
        let pair = (rule, key.clone());
        let current = self.absences.by_pair.get_mut(&pair);
        let Some(absence) = current.filter(|absence| absence.timer == deadline) else {
            return; // no longer judged, or judged by a newer timer
        };
        absence.timer = NEVER;
        let before = absence.raised;
        let due = since + hold;
        if before.is_none() && due.0 > deadline {
            self.set_timer(pair, due.0);
            return;
        }
        let levels = self.rule(rule).alert.levels.clone();
        let since = before.map_or(since, |(from, _)| from);
        let ratio = (deadline - since.0) as f64 / hold.0.max(1) as f64;
        let level = level_of(&levels, ratio);
        let change = match before {
            None => Some(Change::Raise {
                level,
                value: None,
                limit: None,
            }),
            Some((_, known)) if level > known => Some(Change::Worsen { level, value: None }),
            Some(_) => None,
        };
        let reached = before.map_or(level, |(_, known)| known.max(level));
        if let Some(absence) = self.absences.by_pair.get_mut(&pair) {
            absence.raised = Some((since, reached));
        }
        if before.is_none()
            && let Some(id) = self.facts.find_thing(&key)
        {
            self.meet(id.0);
        }
        if let Some(change) = change {
            out.push(silence_outcome(
                rule,
                key.clone(),
                since,
                Time(deadline),
                change,
            ));
        }
        self.set_next_level(rule, key, since, deadline, reached, &levels);
    }

    fn set_next_level(
        &mut self,
        rule: u32,
        key: Arc<str>,
        since: Time,
        deadline: i64,
        reached: Level,
        levels: &[(Level, f64)],
    ) {
        let hold = self.allowed(rule).0 as f64;
        let graver = levels.iter().filter(|(level, _)| *level > reached);
        let next = graver
            .map(|(_, ratio)| since.0.saturating_add((hold * ratio).ceil() as i64))
            .filter(|due| *due > deadline)
            .min();
        if let Some(next) = next {
            self.set_timer((rule, key), next);
        }
    }

    /// Something of a thing was received again: its silence is over.
    pub(super) fn heard(&mut self, thing: u32, received: Time, out: &mut Vec<Outcome>) {
        let Some(name) = self.things[thing as usize].name.clone() else {
            return;
        };
        self.things[thing as usize].silent = 0;
        let rules: Vec<(u32, Span)> = self.rules.absences().map(|(r, _, h)| (r, h)).collect();
        for (rule, hold) in rules {
            let Some(absence) = self.absences.by_pair.get_mut(&(rule, name.clone())) else {
                continue;
            };
            let Some((since, _)) = absence.raised.take() else {
                continue;
            };
            let change = Change::End {
                at: received,
                value: None,
                why: Ending::Over,
            };
            out.push(silence_outcome(rule, name.clone(), since, received, change));
            self.set_timer((rule, name.clone()), (received + hold).0);
        }
    }
}

fn silence_outcome(rule: u32, thing: Arc<str>, since: Time, at: Time, change: Change) -> Outcome {
    Outcome {
        rule,
        thing,
        property: None,
        kind: None,
        since,
        at,
        change,
    }
}
