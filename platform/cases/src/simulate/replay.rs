//! The replay: arrivals on a clock of its own, people who are busy or not, the machine that moves
//! tokens. Moments in order; at the same moment what was known first comes first. No chance but
//! what the seed gives, and that by case and node, so that two replays draw alike.

use super::assumed::Noted;
use super::hours::Hours;
use super::past::{Did, Drawing, Learnt, Outcome, Past, group};
use crate::bpmn::{EventWhat, Moment, NodeIndex, NodeKind, Process, TaskKind};
use crate::machine::{Awaited, Effect, Happened, Id, Instance, Step, begin, step};
use kernel::cases::Expressions;
use kernel::fault::FaultKind;
use kernel::time::MINUTE;
use kernel::{Fault, Time, Words};
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

/// Steps of a replay, at most.
const STEPS: usize = 2_000_000;
/// Steps of one case, at most.
const STEPS_OF_A_CASE: usize = 5_000;
/// Working minutes of a task nobody knows anything of.
pub const UNKNOWN_MINUTES: i64 = 60;

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

/// People who do the same tasks.
#[derive(Default)]
pub struct People {
    /// Their name.
    pub name: String,
    /// Nodes they do.
    pub nodes: Vec<String>,
    /// How many.
    pub workers: u32,
    /// Working microseconds of the period they were busy, all together.
    pub busy_us: i64,
    busy: u32,
    queue: VecDeque<(usize, Id)>,
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

    fn process(&self, case: usize) -> Option<&'a Process> {
        self.drawing(case).1.drawn()
    }

    /// Says who does which tasks, and how many they are.
    fn hire(&mut self) {
        let drawings: Vec<&Drawing> = match self.set.changed {
            Some(changed) => vec![changed],
            None => self.set.past.drawings.iter().collect(),
        };
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (version, drawing) in drawings.into_iter().enumerate() {
            let Some(process) = drawing.drawn() else {
                continue;
            };
            for (at, node) in process.nodes.iter().enumerate() {
                let NodeKind::Task(TaskKind::User(who) | TaskKind::Manual(who)) = &node.kind else {
                    continue;
                };
                let capacity = self.set.capacity;
                let role = who.roles.iter().find(|role| capacity.contains_key(*role));
                let name = match role {
                    _ if capacity.contains_key(&node.id) => node.id.clone(),
                    Some(role) => role.clone(),
                    None => group(process, &node.id),
                };
                let place = *known.entry(name.clone()).or_insert_with(|| {
                    self.people.push(People {
                        name,
                        ..People::default()
                    });
                    self.people.len() - 1
                });
                self.by_node.insert((version, at), place);
                if !self.people[place].nodes.contains(&node.id) {
                    self.people[place].nodes.push(node.id.clone());
                }
            }
        }
        let learnt = self.set.learnt;
        for people in &mut self.people {
            if let Some(workers) = self.set.capacity.get(&people.name) {
                people.workers = *workers;
                continue;
            }
            let nodes = people.nodes.iter();
            let seen = nodes.filter_map(|node| learnt.people.get(node));
            let seen: std::collections::BTreeSet<&String> = seen
                .chain(learnt.groups.get(&people.name))
                .flatten()
                .collect();
            people.workers = seen.len() as u32;
            if people.workers == 0 {
                people.workers = 1;
                self.noted.nobody.insert(people.name.clone());
            }
        }
    }

    fn happens(&mut self, next: Next, now: Time) {
        match next {
            Next::Arrive(case) => self.arrive(case, now),
            Next::Signal(case, number) => {
                let (_, name, variables) = self.set.past.cases[case].signals[number].clone();
                // One that the drawing gives itself comes when it is given.
                if !gives(self.drawing(case).1, &name) {
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
                }
            }
            Next::Came(case, wait) => self.came(case, wait, now),
        }
    }

    fn arrive(&mut self, number: usize, now: Time) {
        let case = &self.set.past.cases[number];
        let drawing = self.drawing(number).1;
        let Some(process) = drawing.drawn() else {
            return;
        };
        let start = start_of(process, case.start.as_deref());
        let data = case.data.clone();
        let begun = begin(
            &drawing.model,
            &drawing.process,
            start,
            data,
            self.set.expressions,
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
        let expressions = self.set.expressions;
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
                    use crate::machine::Place::Stuck;
                    let token = live.instance.tokens.get(&token);
                    if let Some(Stuck { zh, en }) = token.map(|token| &token.place) {
                        let words = Words::new(zh, en);
                        self.give_up(case, words, now);
                    }
                }
                Effect::Ended => {
                    self.played[case].ended = Some(now);
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

    /// How a wait will go: as it did in this case, else as in another one, else as is said; `None`
    /// when nothing will come.
    fn outcome(
        &mut self,
        case: usize,
        process: &Process,
        at: NodeIndex,
        visit: usize,
        what: &Awaited,
    ) -> Option<Outcome> {
        let node = &process.nodes[at];
        let learnt = self.set.learnt;
        let said = self.set.service.get(&node.id);
        let said = said.map(|minutes| (minutes * MINUTE as f64).round() as i64);
        let of = |(case, visit): (usize, usize)| {
            let list = learnt.own.get(case)?.get(&node.id)?;
            list.get(visit)?.clone()
        };
        let message = matches!(what, Awaited::Message { .. });
        let mut found = of((case, visit));
        if found.is_none() && !(message && optional(process, at)) {
            let all = learnt.all.get(&node.id).map_or(&[][..], Vec::as_slice);
            if !all.is_empty() {
                let chance = draw(self.set.seed, case, &node.id, visit);
                found = of(all[(chance % all.len() as u64) as usize]);
                *self.noted.drawn.entry(node.id.clone()).or_default() += 1;
            }
        }
        let person = *what == Awaited::Person;
        if let Some(found) = &mut found
            && matches!(what, Awaited::Service { .. } | Awaited::Call { .. })
        {
            let median = learnt.median.get(&node.id);
            found.took = median.copied().unwrap_or(found.took);
        }
        if found.is_none() && (!message || said.is_some()) {
            let took = if person { UNKNOWN_MINUTES * MINUTE } else { 0 };
            found = Some(Outcome {
                did: Did::Brought(Map::new()),
                took,
            });
            let unknown = &mut self.noted.unknown;
            unknown.insert(node.id.clone(), (person, said.is_some()));
        }
        let mut found = found?;
        found.took = said.unwrap_or(found.took).max(0);
        Some(found)
    }

    /// Gives the next tasks to people who are free.
    fn dispatch(&mut self, place: usize, now: Time) {
        while self.people[place].busy < self.people[place].workers {
            let Some((case, wait)) = self.people[place].queue.pop_front() else {
                return;
            };
            let live = self.lives[case].as_mut();
            let Some(pending) = live.and_then(|live| live.waits.get_mut(&wait)) else {
                continue; // of no use any more
            };
            let begun = self.set.hours.next(now);
            let ended = begun.and_then(|b| self.set.hours.after(b, pending.outcome.took));
            let (Some(begun), Some(ended)) = (begun, ended) else {
                let words = Words::new("二十年内无法办结", "it would not end within twenty years");
                self.give_up(case, words, now);
                continue;
            };
            pending.begun = Some(begun);
            self.people[place].busy += 1;
            self.push(ended, Next::Came(case, wait));
        }
    }

    /// Whoever had it in hand is free again; answers who.
    fn free(&mut self, pending: &Pending, now: Time) -> Option<usize> {
        let (place, begun) = (pending.people?, pending.begun?);
        let people = &mut self.people[place];
        people.busy -= 1;
        let until = std::cmp::min(now, self.set.until);
        people.busy_us += self.set.hours.between(begun, until);
        Some(place)
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

    /// Why a case that nothing moves any more did not end.
    fn waits_for(&self, case: usize, live: &Live) -> Words {
        let process = self.process(case);
        let wait = live.instance.waits.values().find(|wait| {
            let what = &wait.what;
            matches!(what, Awaited::Message { .. } | Awaited::Signal { .. }) && wait.token.is_some()
        });
        let wait = wait.or_else(|| live.instance.waits.values().next());
        let node = wait.and_then(|wait| Some(&process?.nodes.get(wait.node)?.id));
        match (node, wait.map(|wait| &wait.what)) {
            (Some(node), Some(Awaited::Message { name, .. } | Awaited::Signal { name })) => {
                Words::new(
                    format!("{node}：期间没有收到“{name}”"),
                    format!("{node}: \"{name}\" did not come in the period"),
                )
            }
            (Some(node), _) => Words::new(
                format!("{node}：等待的条件未出现"),
                format!("{node}: what it waits for did not happen"),
            ),
            (None, _) => Words::new("并行分支未能汇合", "branches that join did not all come"),
        }
    }
}

/// May the case go on without this message? At a boundary, behind an event-based gateway, and at
/// the start of an event sub-process it may.
fn optional(process: &Process, at: NodeIndex) -> bool {
    let node = &process.nodes[at];
    let on_the_way = !matches!(
        node.kind,
        NodeKind::Event {
            moment: Moment::Boundary { .. } | Moment::Start { .. },
            ..
        }
    );
    let behind_a_choice = node.incoming.iter().any(|flow| {
        let source = process.flows[*flow].source;
        matches!(process.nodes[source].kind, NodeKind::EventBased)
    });
    !on_the_way || behind_a_choice
}

/// Where a case begins: as the drawing says; when it has no plain start event, where it began
/// really, else at its first start event.
fn start_of(process: &Process, began: Option<&str>) -> Option<NodeIndex> {
    let start = |at: &NodeIndex| {
        let node = &process.nodes[*at];
        let starts = matches!(
            node.kind,
            NodeKind::Event {
                moment: Moment::Start { .. },
                ..
            }
        );
        starts && node.parent.is_none()
    };
    let plain = |at: NodeIndex| {
        matches!(
            process.nodes[at].kind,
            NodeKind::Event {
                what: EventWhat::None,
                ..
            }
        )
    };
    let began = began.and_then(|id| process.find(id)).filter(start);
    if began.is_some_and(|at| !plain(at)) {
        return began;
    }
    let all: Vec<NodeIndex> = (0..process.nodes.len()).filter(start).collect();
    if all.is_empty() || all.iter().any(|at| plain(*at)) {
        return None;
    }
    all.first().copied()
}

/// Does a process give this signal itself?
fn gives(drawing: &Drawing, name: &str) -> bool {
    let nodes = drawing.drawn().map_or(&[][..], |process| &process.nodes);
    nodes.iter().any(|node| match &node.kind {
        NodeKind::Event {
            moment: Moment::Throw | Moment::End,
            what: EventWhat::Signal(id),
        } => drawing
            .model
            .signals
            .get(id)
            .is_some_and(|s| s.name == name),
        _ => false,
    })
}

fn too_long() -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        "input.too_large",
        "仿真耗时过长已停止，请缩短时段或减少办件数",
        "the simulation took too long and was given up; choose a shorter period or fewer cases",
    )
}

/// A number that looks like chance, made of the seed and what it is for (SplitMix64).
fn draw(seed: u64, case: usize, node: &str, visit: usize) -> u64 {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    let mut mix = |value: u64| {
        state = (state ^ value).wrapping_add(0x9E37_79B9_7F4A_7C15);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
    };
    mix(case as u64);
    mix(visit as u64);
    node.bytes().for_each(|byte| mix(u64::from(byte)));
    state
}
