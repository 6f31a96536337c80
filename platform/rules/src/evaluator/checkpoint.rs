//! The evaluator's memory as bytes, so that a restart goes on where the last checkpoint stood.
//! Judges are named by signature: what belongs to a rule that is gone is left out, and the engine
//! ends its alerts.
//!
//! ```text
//! state    = version(1 byte = 1) now judges rules things states absences
//! judges   = n (text)*          rules = n (text)*        text = length bytes
//! things   = n (id received)*
//! states   = n (thing judge last phase [level since began f64*5] memory)*
//! absences = n (rule text timer raised [since level])*
//! ```

use super::state::{Memory, NEVER, PartState, Phase, State};
use super::{Evaluator, Outcome, Timer, absence::Absence, judge};
use crate::facts::Records;
use kernel::Time;
use kernel::alerts::Level;
use kernel::observations::wire::{WireError, put_i64, put_u64, take_i64, take_u64};
use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

const VERSION: u8 = 1;

/// Why a checkpoint could not be read; the engine then begins anew from the start of the log.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The bytes are damaged.
    #[error("the checkpoint is damaged: {0}")]
    Damaged(#[from] WireError),
    /// The records are damaged.
    #[error("the checkpoint's records are damaged: {0}")]
    Records(#[from] serde_json::Error),
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    put_u64(to, text.len() as u64);
    to.extend_from_slice(text.as_bytes());
}

fn put_f64(to: &mut Vec<u8>, n: f64) {
    to.extend_from_slice(&n.to_le_bytes());
}

fn take<'a>(from: &mut &'a [u8], n: usize) -> Result<&'a [u8], WireError> {
    let (head, rest) = from.split_at_checked(n).ok_or(WireError::Short)?;
    *from = rest;
    Ok(head)
}

fn take_f64(from: &mut &[u8]) -> Result<f64, WireError> {
    let mut eight = [0; 8];
    eight.copy_from_slice(take(from, 8)?);
    Ok(f64::from_le_bytes(eight))
}

fn take_text(from: &mut &[u8]) -> Result<String, WireError> {
    let length = take_u64(from)? as usize;
    let bytes = take(from, length)?.to_vec();
    String::from_utf8(bytes).map_err(|_| WireError::Impossible("text"))
}

fn take_u32(from: &mut &[u8]) -> Result<u32, WireError> {
    u32::try_from(take_u64(from)?).map_err(|_| WireError::Impossible("number"))
}

fn take_level(from: &mut &[u8]) -> Result<Level, WireError> {
    let number = take_u64(from)? as usize;
    let level = Level::ALL.into_iter().find(|l| *l as usize == number);
    level.ok_or(WireError::Impossible("level"))
}

/// Puts a state; limits are left out, they are resolved anew.
fn put_state(to: &mut Vec<u8>, state: &State) {
    put_i64(to, state.last);
    to.push(state.phase as u8);
    if state.phase != Phase::Calm {
        put_u64(to, state.level as u64);
        put_i64(to, state.since);
        put_i64(to, state.began);
        for n in [
            state.worst,
            state.badness,
            state.ratio,
            state.against,
            state.reported,
        ] {
            put_f64(to, n);
        }
    }
    match &state.memory {
        Memory::Nothing => to.push(0),
        Memory::Run {
            value,
            first,
            count,
        } => {
            to.push(1);
            put_f64(to, *value);
            put_i64(to, *first);
            put_u64(to, u64::from(*count));
        }
        Memory::Window(window) => {
            to.push(2);
            put_u64(to, window.len() as u64);
            for (time, value) in window {
                put_i64(to, *time);
                put_f64(to, *value);
            }
        }
        Memory::Parts(parts) => {
            to.push(3);
            put_u64(to, parts.len() as u64);
            for part in parts {
                put_i64(to, part.last);
                to.push(u8::from(part.holds));
                put_f64(to, part.value);
                put_f64(to, part.ratio);
            }
        }
    }
}

fn take_state(from: &mut &[u8]) -> Result<State, WireError> {
    let mut state = State::new(Memory::Nothing);
    state.last = take_i64(from)?;
    state.phase = match take(from, 1)?[0] {
        0 => Phase::Calm,
        1 => Phase::Pending,
        2 => Phase::Raised,
        _ => return Err(WireError::Impossible("phase")),
    };
    if state.phase != Phase::Calm {
        state.level = take_level(from)?;
        state.since = take_i64(from)?;
        state.began = take_i64(from)?;
        state.worst = take_f64(from)?;
        state.badness = take_f64(from)?;
        state.ratio = take_f64(from)?;
        state.against = take_f64(from)?;
        state.reported = take_f64(from)?;
    }
    state.memory = match take(from, 1)?[0] {
        0 => Memory::Nothing,
        1 => Memory::Run {
            value: take_f64(from)?,
            first: take_i64(from)?,
            count: take_u32(from)?,
        },
        2 => {
            let mut window = VecDeque::new();
            for _ in 0..take_u64(from)? {
                window.push_back((take_i64(from)?, take_f64(from)?));
            }
            Memory::Window(window)
        }
        3 => {
            let mut parts = vec![];
            for _ in 0..take_u64(from)? {
                parts.push(PartState {
                    last: take_i64(from)?,
                    holds: take(from, 1)?[0] == 1,
                    value: take_f64(from)?,
                    ratio: take_f64(from)?,
                    ..PartState::UNSEEN
                });
            }
            Memory::Parts(parts.into())
        }
        _ => return Err(WireError::Impossible("memory")),
    };
    Ok(state)
}

/// A kept state fits a judge when it has the memory its test starts with.
fn fits(kept: &Memory, fresh: &Memory) -> bool {
    match (kept, fresh) {
        (Memory::Parts(a), Memory::Parts(b)) => a.len() == b.len(),
        _ => std::mem::discriminant(kept) == std::mem::discriminant(fresh),
    }
}

impl Evaluator {
    /// Everything remembered, as bytes.
    pub fn checkpoint(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(64 + self.states.len() * 32 + self.things.len() * 12);
        to.push(VERSION);
        put_i64(&mut to, self.now);
        put_u64(&mut to, self.rules.judges.len() as u64);
        for judge in &self.rules.judges {
            put_text(&mut to, &judge.signature);
        }
        put_u64(&mut to, self.rules.rules.len() as u64);
        for rule in &self.rules.rules {
            put_text(&mut to, &rule.decl.name);
        }
        let numbered = self.things.iter().enumerate();
        let seen: Vec<(usize, Time)> = numbered
            .filter_map(|(id, thing)| Some((id, thing.received?)))
            .collect();
        put_u64(&mut to, seen.len() as u64);
        for (id, received) in seen {
            put_u64(&mut to, id as u64);
            put_i64(&mut to, received.0);
        }
        put_u64(&mut to, self.states.len() as u64);
        for ((thing, judge), state) in &self.states {
            put_u64(&mut to, u64::from(*thing));
            put_u64(&mut to, u64::from(*judge));
            put_state(&mut to, state);
        }
        put_u64(&mut to, self.absences.len() as u64);
        for ((rule, key), absence) in &self.absences.by_pair {
            put_u64(&mut to, u64::from(*rule));
            put_text(&mut to, key);
            put_i64(&mut to, absence.timer);
            to.push(u8::from(absence.raised.is_some()));
            if let Some((since, level)) = absence.raised {
                put_i64(&mut to, since.0);
                put_u64(&mut to, level as u64);
            }
        }
        to
    }

    /// The projected records as JSON, when they changed since the last time this was asked.
    pub fn checkpoint_records(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.records_changed) {
            return None;
        }
        serde_json::to_string(&self.records).ok()
    }

    /// The records that were asked for could not be kept: they are to be given again.
    pub fn records_not_kept(&mut self) {
        self.records_changed = true;
    }

    /// Takes over a checkpoint; to be called before anything else. Answers the registers that
    /// must be loaded because the rules ask more of them than was kept.
    pub fn restore(
        &mut self,
        mut state: &[u8],
        records: &str,
    ) -> Result<Vec<String>, CheckpointError> {
        let kept: Records = serde_json::from_str(records)?;
        let missing = self.records.adopt(kept);
        self.records_changed = !missing.is_empty();
        let from = &mut state;
        if take(from, 1)?[0] != VERSION {
            return Err(WireError::Impossible("version").into());
        }
        self.now = take_i64(from)?;
        let judges = self.rules.judges.iter().enumerate();
        let by_name: HashMap<&str, u32> = judges
            .map(|(n, j)| (j.signature.as_str(), n as u32))
            .collect();
        let judges = take_numbers(from, &by_name)?;
        let absent = self.rules.absences();
        let by_name: HashMap<&str, u32> = absent.map(|(n, d, _)| (d.name.as_str(), n)).collect();
        let rules = take_numbers(from, &by_name)?;
        for _ in 0..take_u64(from)? {
            let id = take_u32(from)?;
            let received = Time(take_i64(from)?);
            self.meet(id);
            self.things[id as usize].received = Some(received);
        }
        for _ in 0..take_u64(from)? {
            let thing = take_u32(from)?;
            let judge = take_u32(from)? as usize;
            let state = take_state(from)?;
            let known = judges.get(judge).ok_or(WireError::Impossible("judge"))?;
            if let Some(judge) = *known {
                self.put_back(thing, judge, state);
            }
        }
        for _ in 0..take_u64(from)? {
            let rule = take_u32(from)? as usize;
            let key: Arc<str> = take_text(from)?.into();
            let timer = take_i64(from)?;
            let raised = match take(from, 1)?[0] {
                0 => None,
                _ => Some((Time(take_i64(from)?), take_level(from)?)),
            };
            let known = rules.get(rule).ok_or(WireError::Impossible("rule"))?;
            if let Some(rule) = *known {
                let absence = Absence { raised, timer };
                self.absences.by_pair.insert((rule, key.clone()), absence);
                if timer != NEVER {
                    self.timers
                        .push(Reverse((timer, Timer::Silence(rule, key))));
                }
            }
        }
        Ok(missing)
    }

    fn put_back(&mut self, thing: u32, number: u32, mut state: State) {
        let judge = &self.rules.judges[number as usize];
        if !fits(&state.memory, &judge::fresh(&judge.test).memory) {
            return;
        }
        if state.phase == Phase::Pending {
            state.queued = true;
            let due = judge::due(judge, &state).0;
            let timer = Timer::Hold((thing, number));
            self.timers.push(Reverse((due.0, timer)));
        }
        self.states.insert((thing, number), state);
    }

    /// After `restore` and `load`: what the declarations say now holds for everything remembered.
    pub fn settle(&mut self, out: &mut Vec<Outcome>) {
        let at = Time(self.now.max(0));
        for id in 0..self.things.len() as u32 {
            self.meet(id);
            if let Some(name) = self.things[id as usize].name.clone() {
                self.leave(id, &name, at, out);
            }
        }
        for rule in self.absence_rules.clone() {
            let about = self.rule(rule).about.clone();
            let on_record = self.records.all(&about).map(|(key, _)| key.clone());
            let mut keys: Vec<String> = on_record.collect();
            let judged = self.absences.by_pair.keys().filter(|(r, _)| *r == rule);
            keys.extend(judged.map(|(_, key)| key.to_string()));
            keys.sort();
            keys.dedup();
            for key in keys {
                self.watch_silence(rule, &key, at, out);
            }
        }
    }
}

/// Reads names and finds each among those known now.
fn take_numbers(
    from: &mut &[u8],
    by_name: &HashMap<&str, u32>,
) -> Result<Vec<Option<u32>>, WireError> {
    let mut numbers = vec![];
    for _ in 0..take_u64(from)? {
        let name = take_text(from)?;
        numbers.push(by_name.get(name.as_str()).copied());
    }
    Ok(numbers)
}
