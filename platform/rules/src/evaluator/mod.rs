//! The evaluator: decides, and does nothing else. It takes rows and changes of records in the
//! order of the event log and the passing of the city's clock, and answers what becomes of
//! alerts. The same log gives the same outcomes, however often the clock ticked between: a
//! deadline fires at its own instant, before any event received after it.
//!
//! Rules of judgement:
//! - Only things on record in the rule's `about` register (key = name of the thing) that match
//!   `only` are judged; a quarantined device feeds no rule.
//! - A value whose flag is not valid neither raises nor ends anything.
//! - A row older than the newest one judged is late: it corrects the stored series, but no hold,
//!   run or window (unless the newest came from a clock running ahead). A row at the same time is
//!   a duplicate or a correction and is judged again; it does not count twice.
//! - A row dated more than `FUTURE_LIMIT` ahead of its reception is only a sign of life.
//! - `for` is counted in device time between values; when no further value comes, on the city's
//!   clock from the reception of the first one.
//! - Silence is counted on the city's clock from the last reception of anything of the thing, and
//!   for a thing never heard of from the moment its record was made.

mod absence;
mod checkpoint;
mod compile;
mod judge;
mod outcome;
mod state;

use crate::facts::{Facts, Records};
use absence::Absences;
use compile::{Judge, Rules, Test, Watch};
use kernel::Time;
use kernel::declare::{CityPack, Declared, RuleDecl};
use kernel::observations::{Cell, ColumnId, FUTURE_LIMIT, Period, Row};
use kernel::records::Record;
use rustc_hash::FxHashMap;
use state::{Moment, NEVER, Phase, State, Turn};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

pub use checkpoint::CheckpointError;
pub(crate) use compile::PropertyWords;
pub use outcome::{Change, Ending, Outcome};

/// A thing and a judge, or a thing and a rule.
type Pair = (u32, u32);

/// A deadline on the city's clock. Ordered by instant, then by what it is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// A pending condition may have held long enough.
    Hold(Pair),
    /// A thing may have been silent too long: rule, key.
    Silence(u32, Arc<str>),
}

/// What is known of a thing.
#[derive(Clone, Default)]
struct Thing {
    /// Empty until it is first seen.
    name: Option<Arc<str>>,
    /// Last reception of anything; `NEVER` until then.
    received: Option<Time>,
    /// Rules that judge it, one bit each; `None` when none does.
    rules: Option<Box<[u64]>>,
    /// Alerts of silence that are raised.
    silent: u32,
}

/// The watches of one column, by period.
type Watches = [Box<[Watch]>; 4];

/// The evaluator of all rules.
pub struct Evaluator {
    facts: Arc<dyn Facts>,
    city: CityPack,
    rules: Rules,
    records: Records,
    records_changed: bool,
    columns: Vec<Option<Watches>>,
    things: Vec<Thing>,
    states: FxHashMap<Pair, State>,
    absences: Absences,
    absence_rules: Vec<u32>,
    timers: BinaryHeap<Reverse<(i64, Timer)>>,
    /// Combined conditions to be concluded at the end of a row.
    touched: Vec<u32>,
    /// Counts changes of records: limits resolved before the last one are resolved again.
    generation: u32,
    now: i64,
}

impl Evaluator {
    /// An evaluator that knows the declarations and no record, thing or value yet.
    pub fn new(declared: &Declared, facts: Arc<dyn Facts>) -> Evaluator {
        let rules = Rules::compile(declared);
        Evaluator {
            facts,
            city: declared.city.clone(),
            absence_rules: rules.absences().map(|(rule, ..)| rule).collect(),
            rules,
            records: Records::needed_by(declared),
            records_changed: true,
            columns: vec![],
            things: vec![],
            states: FxHashMap::default(),
            absences: Absences::default(),
            timers: BinaryHeap::new(),
            touched: vec![],
            generation: 1,
            now: NEVER,
        }
    }

    /// Registers the rules ask for.
    pub fn registers(&self) -> Vec<String> {
        self.records.names().map(String::from).collect()
    }

    /// The declaration of a rule by its number in outcomes.
    pub fn rule(&self, number: u32) -> &RuleDecl {
        &self.rules.rules[number as usize].decl
    }

    /// Words of a property.
    pub(crate) fn property(&self, name: &str) -> PropertyWords {
        self.rules.properties.get(name).cloned().unwrap_or_default()
    }

    /// How far the city's clock has been followed.
    pub fn now(&self) -> Time {
        Time(self.now)
    }

    /// Takes one row received at `received`.
    #[inline]
    pub fn feed(&mut self, received: Time, row: &Row, out: &mut Vec<Outcome>) {
        if received.0 > self.now {
            self.tick(received, out);
        }
        let number = row.thing.0 as usize;
        if number >= self.things.len() || self.things[number].name.is_none() {
            self.meet(row.thing.0);
        }
        let thing = &mut self.things[number];
        thing.received = thing.received.max(Some(received));
        if thing.silent > 0 {
            self.heard(row.thing.0, received, out);
        }
        if self.things[number].rules.is_none() || row.time > received + FUTURE_LIMIT {
            return;
        }
        let at = Moment {
            time: row.time.0,
            received: received.0,
        };
        for cell in &row.cells {
            if cell.flag.valid() {
                self.take(row.thing.0, row.period, at, cell, out);
            }
        }
        if !self.touched.is_empty() {
            self.conclude(row.thing.0, received, out);
        }
    }

    #[inline]
    fn take(
        &mut self,
        thing: u32,
        period: Period,
        at: Moment,
        cell: &Cell,
        out: &mut Vec<Outcome>,
    ) {
        let column = cell.column.0 as usize;
        if column >= self.columns.len() || self.columns[column].is_none() {
            self.learn_column(cell.column);
        }
        let Some(Some(watches)) = self.columns.get(column) else {
            return;
        };
        for index in 0..watches[period as usize].len() {
            // Borrowed anew each time: `judge` needs the rest of the evaluator.
            let Some(Some(watches)) = self.columns.get(column) else {
                return;
            };
            let watch = watches[period as usize][index];
            self.judge(thing, watch, at, cell.value, out);
        }
    }

    fn judge(&mut self, thing: u32, watch: Watch, at: Moment, value: f64, out: &mut Vec<Outcome>) {
        let judge = &self.rules.judges[watch.judge as usize];
        let known = &self.things[thing as usize];
        if !has_bit(known.rules.as_deref(), judge.rule) {
            return;
        }
        let rule = &self.rules.rules[judge.rule as usize].decl;
        let pair = (thing, watch.judge);
        let state = self.states.entry(pair);
        let state = state.or_insert_with(|| judge::fresh(&judge.test));
        if state.generation != self.generation {
            let name = known.name.as_deref().unwrap_or("");
            judge::resolve_all(judge, state, rule, name, &self.records, &self.city);
            state.generation = self.generation;
        }
        if matches!(judge.test, Test::All { .. }) && !self.touched.contains(&watch.judge) {
            self.touched.push(watch.judge);
        }
        let levels = &rule.alert.levels;
        let turn = judge::take(judge, watch.part, state, at, value, levels);
        if turn.is_some() || (state.phase == Phase::Pending && !state.queued) {
            self.follow_up(pair, turn, at, out);
        }
    }

    /// Judges the combined conditions that a row has touched.
    fn conclude(&mut self, thing: u32, received: Time, out: &mut Vec<Outcome>) {
        while let Some(number) = self.touched.pop() {
            let judge = &self.rules.judges[number as usize];
            let levels = &self.rules.rules[judge.rule as usize].decl.alert.levels;
            let Some(state) = self.states.get_mut(&(thing, number)) else {
                continue;
            };
            let turn = judge::conclude(judge, state, received.0, levels);
            let at = Moment {
                time: state.last,
                received: received.0,
            };
            self.follow_up((thing, number), turn, at, out);
        }
    }

    /// Sets the timer of a pending state and tells what follows.
    fn follow_up(&mut self, pair: Pair, turn: Option<Turn>, at: Moment, out: &mut Vec<Outcome>) {
        let Some(state) = self.states.get_mut(&pair) else {
            return;
        };
        let judge = &self.rules.judges[pair.1 as usize];
        if state.phase == Phase::Pending && !state.queued {
            state.queued = true;
            let deadline = judge::due(judge, state).0;
            self.timers.push(Reverse((deadline.0, Timer::Hold(pair))));
        }
        if let Some(turn) = turn {
            let name = self.things[pair.0 as usize].name.clone();
            let name = name.unwrap_or_else(|| "".into());
            let why = (Time(at.time), Ending::Over);
            out.push(outcome(judge, state, name, turn, Time(at.received), why));
        }
    }

    /// Follows the city's clock: fires every deadline that has passed, each at its own instant.
    pub fn tick(&mut self, now: Time, out: &mut Vec<Outcome>) {
        while let Some(Reverse((deadline, _))) = self.timers.peek()
            && *deadline <= now.0
        {
            let Some(Reverse((deadline, timer))) = self.timers.pop() else {
                break;
            };
            match timer {
                Timer::Hold(pair) => self.fire_hold(pair, deadline, out),
                Timer::Silence(rule, key) => self.fire_silence(rule, key, deadline, out),
            }
        }
        self.now = self.now.max(now.0);
    }

    fn fire_hold(&mut self, pair: Pair, deadline: i64, out: &mut Vec<Outcome>) {
        let judge = &self.rules.judges[pair.1 as usize];
        let Some(state) = self.states.get_mut(&pair) else {
            return;
        };
        state.queued = false;
        if state.phase != Phase::Pending {
            return;
        }
        let (due, allowed) = judge::due(judge, state);
        if due.0 > deadline {
            // It was calm in between: the hold began later than when this timer was set.
            state.queued = true;
            self.timers.push(Reverse((due.0, Timer::Hold(pair))));
            return;
        }
        if !allowed {
            state.phase = Phase::Calm;
            return;
        }
        let rule = &self.rules.rules[judge.rule as usize].decl;
        let turn = state.raise(&rule.alert.levels);
        let name = self.things[pair.0 as usize].name.clone();
        let name = name.unwrap_or_else(|| "".into());
        let why = (due, Ending::Over);
        out.push(outcome(judge, state, name, turn, Time(deadline), why));
    }

    /// Makes the acquaintance of a thing: its name and the rules that judge it.
    fn meet(&mut self, thing: u32) {
        let number = thing as usize;
        if number >= self.things.len() {
            self.things.resize(number + 1, Thing::default());
        }
        let Some(name) = self.facts.thing_name(kernel::observations::ThingId(thing)) else {
            return;
        };
        self.things[number].rules = self.applying(&name);
        self.things[number].silent = self.absences.raised_about(&self.absence_rules, &name);
        self.things[number].name = Some(name);
    }

    /// The rules that judge a thing, as bits.
    fn applying(&self, name: &str) -> Option<Box<[u64]>> {
        let mut bits = vec![0u64; self.rules.rules.len().div_ceil(64)];
        for (number, rule) in self.rules.rules.iter().enumerate() {
            if self.matches(&rule.decl, name) {
                bits[number / 64] |= 1 << (number % 64);
            }
        }
        bits.iter()
            .any(|b| *b != 0)
            .then(|| bits.into_boxed_slice())
    }

    fn matches(&self, rule: &RuleDecl, key: &str) -> bool {
        let Some(known) = self.records.get(&rule.about, key) else {
            return false;
        };
        rule.only.iter().all(|(field, values)| {
            let value = known.fields.get(field).map(crate::facts::as_text);
            value.is_some_and(|value| values.contains(&value))
        })
    }

    fn learn_column(&mut self, id: ColumnId) {
        let number = id.0 as usize;
        if number >= self.columns.len() {
            self.columns.resize_with(number + 1, || None);
        }
        // An unknown column is asked for again: its name may come with the next commit.
        let Some(column) = self.facts.column_meaning(id) else {
            return;
        };
        let watched = self.rules.watches(&column);
        let of = |period: Period| {
            let fitting = watched.iter().filter(|(p, _)| *p == period);
            fitting.map(|(_, watch)| *watch).collect::<Box<[Watch]>>()
        };
        self.columns[number] = Some(Period::ALL.map(of));
    }

    /// Takes over a record at `at`, or its end (`None`).
    pub fn record(
        &mut self,
        register: &str,
        key: &str,
        record: Option<&Record>,
        at: Time,
        out: &mut Vec<Outcome>,
    ) {
        if at.0 > self.now {
            self.tick(at, out);
        }
        if !self.records.put(register, key, record) {
            return;
        }
        self.records_changed = true;
        self.generation = self.generation.wrapping_add(1).max(1);
        self.judge_record(register, key, at, out);
    }

    /// Takes over all records of a register that is not known yet.
    pub fn load(&mut self, register: &str, records: &[Arc<Record>], out: &mut Vec<Outcome>) {
        for record in records {
            let at = record.recorded_at;
            if self.records.put(register, &record.key, Some(record)) {
                self.records_changed = true;
                self.generation = self.generation.wrapping_add(1).max(1);
                self.judge_record(register, &record.key, at, out);
            }
        }
    }

    /// Makes what is known of a register equal to `records`.
    pub fn refresh(
        &mut self,
        register: &str,
        records: &[Arc<Record>],
        now: Time,
        out: &mut Vec<Outcome>,
    ) {
        let standing: rustc_hash::FxHashSet<&str> = records.iter().map(|r| &*r.key).collect();
        let known = self.records.all(register).map(|(key, _)| key.clone());
        let ended: Vec<String> = known.filter(|key| !standing.contains(&**key)).collect();
        for key in ended {
            self.record(register, &key, None, now, out);
        }
        for record in records {
            self.record(register, &record.key, Some(record), now, out);
        }
    }

    /// A record of an `about` register has changed: who is judged by what, and since when silent.
    fn judge_record(&mut self, register: &str, key: &str, at: Time, out: &mut Vec<Outcome>) {
        let about = |rule: &compile::Rule| rule.decl.about == register;
        if !self.rules.rules.iter().any(about) {
            return;
        }
        let thing = self.facts.find_thing(key).map(|id| id.0);
        if let Some(thing) = thing {
            self.meet(thing);
            self.leave(thing, key, at, out);
        }
        for rule in self.absence_rules.clone() {
            if self.rule(rule).about == register {
                self.watch_silence(rule, key, at, out);
            }
        }
    }

    /// Ends what is raised about a thing by rules that judge it no longer.
    fn leave(&mut self, thing: u32, key: &str, at: Time, out: &mut Vec<Outcome>) {
        let bits = self.things[thing as usize].rules.as_deref();
        for (number, judge) in self.rules.judges.iter().enumerate() {
            if has_bit(bits, judge.rule) {
                continue;
            }
            if let Some(mut state) = self.states.remove(&(thing, number as u32))
                && state.phase == Phase::Raised
            {
                state.phase = Phase::Calm;
                let why = (at, Ending::OffRecord);
                out.push(outcome(judge, &state, key.into(), Turn::End, at, why));
            }
        }
    }

    /// Whether the evaluator holds this alert to be raised; the engine ends others.
    pub fn is_raised(&self, rule: &str, thing: &str, property: Option<&str>, since: Time) -> bool {
        let absent = self.rules.absences().find(|(_, decl, _)| decl.name == rule);
        if let Some((number, ..)) = absent {
            return self.absences.is_raised(number, thing, since);
        }
        let Some(id) = self.facts.find_thing(thing) else {
            return false;
        };
        let mut judges = self.rules.judges.iter().enumerate();
        judges.any(|(number, judge)| {
            let named = self.rule(judge.rule).name == rule
                && judge.series.as_ref().map(|(property, _)| &**property) == property;
            let state = self.states.get(&(id.0, number as u32));
            named && state.is_some_and(|s| s.phase == Phase::Raised && s.since == since.0)
        })
    }

    /// How many states are kept, for the operator.
    pub fn size(&self) -> usize {
        self.states.len() + self.absences.len()
    }
}

fn has_bit(bits: Option<&[u64]>, number: u32) -> bool {
    bits.is_some_and(|bits| bits[number as usize / 64] >> (number % 64) & 1 == 1)
}

fn outcome(
    judge: &Judge,
    state: &State,
    thing: Arc<str>,
    turn: Turn,
    at: Time,
    (ended, why): (Time, Ending),
) -> Outcome {
    let number = |n: f64| Some(n).filter(|n| n.is_finite());
    let value = number(state.worst);
    let change = match turn {
        Turn::Raise => Change::Raise {
            level: state.level,
            value,
            limit: number(state.against),
        },
        Turn::Worsen => Change::Worsen {
            level: state.level,
            value,
        },
        Turn::End => Change::End {
            at: ended,
            value,
            why,
        },
    };
    let (property, kind) = match &judge.series {
        Some((property, kind)) => (Some(property.clone()), Some(*kind)),
        None => (None, None),
    };
    Outcome {
        rule: judge.rule,
        thing,
        property,
        kind,
        since: Time(state.since),
        at,
        change,
    }
}
