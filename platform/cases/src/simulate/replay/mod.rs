//! The replay: arrivals on a clock of its own, people who are busy or not, the machine that moves
//! tokens. Moments in order; at the same moment what was known first comes first. No chance but
//! what the seed gives, and that by case and node, so that two replays draw alike.

mod known;
mod people;

pub use known::UNKNOWN_MINUTES;
pub use people::People;

use super::assumed::Noted;
use super::hours::Hours;
use super::past::{Did, Drawing, Learnt, Outcome, Past};
use crate::bpmn::{NodeIndex, Process};
use crate::machine::{Awaited, Effect, Happened, Id, Instance, Step, begin, step};
use kernel::cases::Expressions;
use kernel::fault::FaultKind;
use kernel::{Fault, Time, Words};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::atomic::{AtomicBool, Ordering};

/// Steps of a replay, at most.
const STEPS: usize = 2_000_000;
/// Steps of one case, at most.
const STEPS_OF_A_CASE: usize = 5_000;
/// Timers of one case that fire one after the other with nothing else to come, at most.
const TIMERS: usize = 500;

/// What a replay is made of.
pub struct Setting<'a> {
    /// Who arrives.
    pub past: &'a Past,
    /// What was learnt of them.
    pub learnt: &'a Learnt,
    /// The changed process; `None` for each case through its own.
    pub changed: Option<&'a Drawing>,
    /// Workers by node or role.
    pub capacity: &'a BTreeMap<String, u32>,
    /// Minutes by node.
    pub service: &'a BTreeMap<String, f64>,
    /// What chance is made of.
    pub seed: u64,
    /// End of the period: up to it the time of people is counted.
    pub until: Time,
    /// FEEL and decisions.
    pub expressions: &'a dyn Expressions,
    /// Working hours.
    pub hours: &'a Hours,
    /// Give up.
    pub stop: &'a AtomicBool,
}

/// What happens, and when it is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Arrive(usize),
    Signal(usize, usize),
    /// Signals that a case gives itself.
    Own(usize, usize),
    Timer(usize, Id),
    /// What a wait waited for is there.
    Came(usize, Id),
}

/// A wait that will be answered.
struct Pending {
    node: NodeIndex,
    opened: Time,
    outcome: Outcome,
    /// People who do it; `None` when it is no task of people.
    people: Option<usize>,
    begun: Option<Time>,
}

struct Live {
    instance: Instance,
    visits: BTreeMap<NodeIndex, usize>,
    waits: BTreeMap<Id, Pending>,
    own_signals: Vec<(String, Map<String, Value>)>,
    steps: usize,
    /// Timers that fired since something else happened.
    timers: usize,
}

/// A task that was done in a replay: its node, working microseconds waited and worked.
pub type Visit = (String, i64, i64);

/// A case after a replay.
#[derive(Default)]
pub struct Played {
    /// When it ended.
    pub ended: Option<Time>,
    /// Why it did not.
    pub reason: Option<Words>,
    /// Tasks that were done.
    pub visits: Vec<Visit>,
}

/// What a replay came to.
#[derive(Default)]
pub struct Replayed {
    /// By case.
    pub cases: Vec<Played>,
    /// People.
    pub people: Vec<People>,
    /// What was assumed.
    pub noted: Noted,
}

/// A replay under way.
pub struct Replay<'a> {
    set: &'a Setting<'a>,
    heap: BinaryHeap<Reverse<(Time, u64, Next)>>,
    next: u64,
    steps: usize,
    lives: Vec<Option<Box<Live>>>,
    played: Vec<Played>,
    people: Vec<People>,
    /// Position in `people`, by version of the past and node; the changed process is version 0.
    by_node: BTreeMap<(usize, NodeIndex), usize>,
    noted: Noted,
}

impl<'a> Replay<'a> {
    /// Replays all cases. `input.too_large` beyond the limits or when told to stop.
    pub fn run(set: &'a Setting<'a>) -> Result<Replayed, Fault> {
        let count = set.past.cases.len();
        let mut replay = Replay {
            set,
            heap: BinaryHeap::new(),
            next: 0,
            steps: 0,
            lives: (0..count).map(|_| None).collect(),
            played: (0..count).map(|_| Played::default()).collect(),
            people: vec![],
            by_node: BTreeMap::new(),
            noted: Noted::default(),
        };
        replay.hire();
        for (number, case) in set.past.cases.iter().enumerate() {
            match &case.by_hand {
                Some(what) => {
                    replay.give_up(number, super::assumed::by_hand(what), case.started);
                }
                None => replay.push(case.started, Next::Arrive(number)),
            }
        }
        while let Some(Reverse((now, _, next))) = replay.heap.pop() {
            if replay.steps > STEPS || set.stop.load(Ordering::Relaxed) {
                return Err(too_long());
            }
            replay.happens(next, now);
        }
        for number in 0..count {
            if let Some(live) = replay.lives[number].take() {
                let words = replay.waits_for(number, &live);
                replay.played[number].reason = Some(words);
            }
        }
        Ok(Replayed {
            cases: replay.played,
            people: replay.people,
            noted: replay.noted,
        })
    }

    fn push(&mut self, at: Time, next: Next) {
        self.next += 1;
        self.heap.push(Reverse((at, self.next, next)));
    }

    fn drawing(&self, case: usize) -> (usize, &'a Drawing) {
        let own = self.set.past.cases[case].drawing;
        match self.set.changed {
            Some(changed) => (0, changed),
            None => (own, &self.set.past.drawings[own]),
        }
    }

    /// What a case decides by.
    fn expressions(&self, case: usize) -> &'a dyn Expressions {
        let own = self.set.past.deciding.get(case);
        own.map_or(self.set.expressions, |own| &**own)
    }

    fn process(&self, case: usize) -> Option<&'a Process> {
        self.drawing(case).1.drawn()
    }

    fn happens(&mut self, next: Next, now: Time) {
        match next {
            Next::Arrive(case) => self.arrive(case, now),
            Next::Signal(case, number) => {
                let (_, name, variables) = self.set.past.cases[case].signals[number].clone();
                // One that the drawing gives itself comes when it is given.
                if !known::gives(self.drawing(case).1, &name) {
                    self.step(case, Happened::Signal { name, variables }, now);
                }
            }
            Next::Own(case, number) => {
                let live = self.lives[case].as_ref();
                if let Some((name, variables)) = live.and_then(|l| l.own_signals.get(number)) {
                    let (name, variables) = (name.clone(), variables.clone());
                    self.step(case, Happened::Signal { name, variables }, now);
                }
            }
            Next::Timer(case, wait) => {
                let found = self.lives[case]
                    .as_ref()
                    .and_then(|l| l.instance.waits.get(&wait));
                if matches!(found.map(|w| &w.what), Some(Awaited::Timer { due, .. }) if *due <= now)
                {
                    let variables = Map::new();
                    self.step(case, Happened::Came { wait, variables }, now);
                    self.only_timers(case, now);
                }
            }
            Next::Came(case, wait) => self.came(case, wait, now),
        }
    }

    /// A case that nothing but its own timers moves any more is given up.
    fn only_timers(&mut self, case: usize, now: Time) {
        let Some(mut live) = self.lives[case].take() else {
            return;
        };
        live.timers = if live.waits.is_empty() {
            live.timers + 1
        } else {
            0
        };
        let words = (live.timers > TIMERS).then(|| self.waits_for(case, &live));
        self.lives[case] = Some(live);
        if let Some(words) = words {
            self.give_up(case, words, now);
        }
    }

    /// Notes what a case that ended really did and had no occasion to do again.
    fn note_unused(&mut self, case: usize) {
        let learnt = self.set.learnt;
        let (Some(process), Some(live)) = (self.process(case), &self.lives[case]) else {
            return;
        };
        for (node, outcomes) in &learnt.own[case] {
            let visits = process.find(node).and_then(|at| live.visits.get(&at));
            let rest = outcomes.iter().skip(visits.copied().unwrap_or(0));
            let unused = rest.flatten().count();
            if unused > 0 {
                *self.noted.unused.entry(node.clone()).or_default() += unused;
            }
        }
    }

    fn arrive(&mut self, number: usize, now: Time) {
        let case = &self.set.past.cases[number];
        let drawing = self.drawing(number).1;
        let Some(process) = drawing.drawn() else {
            return;
        };
        let start = known::start_of(process, case.start.as_deref());
        let data = case.data.clone();
        let begun = begin(
            &drawing.model,
            &drawing.process,
            start,
            data,
            self.expressions(number),
            now,
        );
        match begun {
            Err(fault) => self.give_up(number, fault.words, now),
            Ok(Step { instance, effects }) => {
                self.lives[number] = Some(Box::new(Live {
                    instance,
                    visits: BTreeMap::new(),
                    waits: BTreeMap::new(),
                    own_signals: vec![],
                    steps: 0,
                    timers: 0,
                }));
                for (at, (elapsed, ..)) in case.signals.iter().enumerate() {
                    self.push(Time(now.0 + elapsed), Next::Signal(number, at));
                }
                self.follow(number, effects, now);
            }
        }
    }

    /// Takes a step of a case.
    fn step(&mut self, case: usize, happened: Happened, now: Time) -> bool {
        let drawing = self.drawing(case).1;
        let expressions = self.expressions(case);
        let Some(live) = &mut self.lives[case] else {
            return false;
        };
        self.steps += 1;
        live.steps += 1;
        if live.steps > STEPS_OF_A_CASE {
            let words = Words::new(
                format!("超过 {STEPS_OF_A_CASE} 步仍未结束"),
                format!("it did not end within {STEPS_OF_A_CASE} steps"),
            );
            self.give_up(case, words, now);
            return true;
        }
        match step(&drawing.model, &live.instance, happened, expressions, now) {
            Ok(Step { instance, effects }) => {
                live.instance = instance;
                self.follow(case, effects, now);
                true
            }
            Err(_) => false,
        }
    }

    fn follow(&mut self, case: usize, effects: Vec<Effect>, now: Time) {
        let mut freed = vec![];
        for effect in effects {
            let Some(live) = &mut self.lives[case] else {
                break;
            };
            match effect {
                Effect::Opened { wait } => self.open(case, wait, now),
                Effect::Closed { wait } => {
                    let pending = live.waits.remove(&wait);
                    freed.extend(pending.and_then(|p| self.free(&p, now)));
                }
                Effect::Signalled { name, variables } => {
                    live.own_signals.push((name, variables));
                    let number = live.own_signals.len() - 1;
                    self.noted.signalled += 1;
                    self.push(now, Next::Own(case, number));
                }
                Effect::Sent { .. } => self.noted.sent += 1,
                Effect::Stuck { token } => {
                    let token = live.instance.tokens.get(&token).map(|token| token.node);
                    let words = self.stuck(case, token);
                    self.give_up(case, words, now);
                }
                Effect::Ended => {
                    self.played[case].ended = Some(now);
                    self.note_unused(case);
                    self.leave(case, now);
                }
                _ => {}
            }
        }
        for people in freed {
            self.dispatch(people, now);
        }
    }

    /// Something is waited for from now on.
    fn open(&mut self, case: usize, wait: Id, now: Time) {
        let (version, _) = self.drawing(case);
        let (Some(process), Some(live)) = (self.process(case), &mut self.lives[case]) else {
            return;
        };
        let Some(found) = live.instance.waits.get(&wait).cloned() else {
            return; // over again already
        };
        if let Awaited::Timer { due, .. } = found.what {
            return self.push(std::cmp::max(due, now), Next::Timer(case, wait));
        }
        if matches!(
            found.what,
            Awaited::Condition { .. } | Awaited::Signal { .. }
        ) {
            return;
        }
        let number = live.visits.entry(found.node).or_default();
        let visit = *number;
        *number += 1;
        let Some(outcome) = self.outcome(case, process, found.node, visit, &found.what) else {
            return; // nobody brings it
        };
        let mut pending = Pending {
            node: found.node,
            opened: now,
            outcome,
            people: None,
            begun: None,
        };
        if found.what == Awaited::Person {
            pending.people = self.by_node.get(&(version, found.node)).copied();
        }
        let (people, took) = (pending.people, pending.outcome.took);
        if let Some(live) = &mut self.lives[case] {
            live.waits.insert(wait, pending);
        }
        match people {
            Some(people) => {
                self.people[people].queue.push_back((case, wait));
                self.dispatch(people, now);
            }
            None => {
                if let Awaited::Call { process } = &found.what {
                    self.noted.called.insert(process.clone());
                }
                self.push(Time(now.0.saturating_add(took)), Next::Came(case, wait));
            }
        }
    }

    /// What a wait waited for is there.
    fn came(&mut self, case: usize, wait: Id, now: Time) {
        let process = self.process(case);
        let Some(live) = &mut self.lives[case] else {
            return;
        };
        let (Some(pending), Some(process)) = (live.waits.remove(&wait), process) else {
            return;
        };
        let place = self.free(&pending, now);
        if let (Some(_), Some(begun)) = (place, pending.begun) {
            let hours = self.set.hours;
            let waited = hours.between(pending.opened, begun);
            let node = process.nodes[pending.node].id.clone();
            let visit = (node, waited, hours.between(begun, now));
            self.played[case].visits.push(visit);
        }
        let nothing = Map::new;
        let happened = match pending.outcome.did {
            Did::Brought(variables) => Happened::Came { wait, variables },
            Did::Failed(code, variables) => Happened::Failed {
                wait,
                code,
                variables,
            },
            Did::Led(to) => {
                let token = self.lives[case]
                    .as_ref()
                    .and_then(|l| l.instance.waits.get(&wait)?.token);
                let moved = token.zip(process.find(&to));
                let moved = moved.map(|(token, to)| Happened::Move { token, to });
                if !moved.is_some_and(|moved| self.step(case, moved, now)) {
                    *self.noted.led_nowhere.entry(to).or_default() += 1;
                    let variables = nothing();
                    self.step(case, Happened::Came { wait, variables }, now);
                }
                if let Some(place) = place {
                    self.dispatch(place, now);
                }
                return;
            }
        };
        if !self.step(case, happened, now) {
            let words = Words::new(
                "该环节的结果在图中无法继续",
                "what came of a task does not fit the drawing",
            );
            self.give_up(case, words, now);
        }
        if let Some(place) = place {
            self.dispatch(place, now);
        }
    }

    /// A case leaves; whoever was at it is free.
    fn leave(&mut self, case: usize, now: Time) {
        let Some(live) = self.lives[case].take() else {
            return;
        };
        let freed: Vec<usize> = live
            .waits
            .values()
            .filter_map(|pending| self.free(pending, now))
            .collect();
        for place in freed {
            self.dispatch(place, now);
        }
    }

    fn give_up(&mut self, case: usize, reason: Words, now: Time) {
        self.played[case].reason.get_or_insert(reason);
        self.leave(case, now);
    }
}

fn too_long() -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        "input.too_large",
        "仿真耗时过长已停止，请缩短时段或减少办件数",
        "the simulation took too long and was given up; choose a shorter period or fewer cases",
    )
}
