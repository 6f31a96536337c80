//! What is known of the past: cases that arrived, what people did at their tasks and how long, what
//! else came and when.

use super::hours::Hours;
use crate::bpmn::{Model, NodeKind, Process, TaskKind};
use kernel::Time;
use kernel::cases::{Expressions, Limit, Pause, TaskState};
use kernel::time::MINUTE;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Work outside of working hours counts as long as it took, up to this.
const OUTSIDE: i64 = 420 * MINUTE;

/// A process as it is drawn in one version.
#[derive(Clone)]
pub struct Drawing {
    /// The file.
    pub model: Arc<Model>,
    /// Its process.
    pub process: String,
}

impl Drawing {
    /// The process; `None` when the file has none of that name.
    pub fn drawn(&self) -> Option<&Process> {
        self.model.processes.get(&self.process)
    }
}

/// The cases of a period.
#[derive(Default)]
pub struct Past {
    /// Versions they ran on.
    pub drawings: Vec<Drawing>,
    /// In the order they arrived.
    pub cases: Vec<PastCase>,
    /// How many arrived.
    pub arrivals: usize,
    /// What each of them decides by, in the same order; what is common when nothing is said.
    pub deciding: Vec<Arc<dyn Expressions>>,
}

/// A case.
#[derive(Clone, Debug, Default)]
pub struct PastCase {
    /// Number people know it by.
    pub number: String,
    /// Which of [`Past::drawings`].
    pub drawing: usize,
    /// When it began.
    pub started: Time,
    /// When it ended.
    pub ended: Option<Time>,
    /// What was done to it by hand, by which it cannot be replayed: the word of its history.
    pub by_hand: Option<String>,
    /// What it began with.
    pub data: Map<String, Value>,
    /// What it began with is not known: `data` is what it knew last.
    pub data_of_the_end: bool,
    /// Something it began with, or that was brought, was too large to be kept in its history.
    pub cut: bool,
    /// First node that was entered.
    pub start: Option<String>,
    /// Its promised limit.
    pub promised: Option<Limit>,
    /// When its clock stood.
    pub pauses: Vec<Pause>,
    /// Its tasks, in the order they opened.
    pub tasks: Vec<PastTask>,
    /// What else came, in order.
    pub others: Vec<PastOther>,
    /// Signals, with how long after its beginning they came, in microseconds.
    pub signals: Vec<(i64, String, Map<String, Value>)>,
}

/// A task of the past.
#[derive(Clone, Debug)]
pub struct PastTask {
    /// Node.
    pub node: String,
    /// When it opened.
    pub opened: Time,
    /// When somebody took it.
    pub claimed: Option<Time>,
    /// When it ended.
    pub ended: Option<Time>,
    /// How it ended.
    pub state: TaskState,
    /// Who ended it.
    pub by: Option<String>,
    /// What came of it, as far as it is known.
    pub did: Option<Did>,
}

/// Something else than a person that was waited for: a function, a message, a called process.
#[derive(Clone, Debug)]
pub struct PastOther {
    /// Node.
    pub node: String,
    /// How long it was waited for, in microseconds.
    pub elapsed: i64,
    /// What came.
    pub did: Did,
}

/// What came of a wait.
#[derive(Clone, Debug, PartialEq)]
pub enum Did {
    /// It brought variables.
    Brought(Map<String, Value>),
    /// It failed with an error of the drawing.
    Failed(String, Map<String, Value>),
    /// Its token was led to this node: sent back, returned, withdrawn.
    Led(String),
}

/// How a wait went.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What came.
    pub did: Did,
    /// Working time of a person, or time until an answer; in microseconds.
    pub took: i64,
}

/// What was learnt of the past.
#[derive(Default)]
pub struct Learnt {
    /// Of each case by node: outcomes in the order of opening; `None` for one that never came.
    pub own: Vec<BTreeMap<String, Vec<Option<Outcome>>>>,
    /// Outcomes by node: case and position in it.
    pub all: BTreeMap<String, Vec<(usize, usize)>>,
    /// Half of the answers of a node came within this, in microseconds.
    pub median: BTreeMap<String, i64>,
    /// People by node.
    pub people: BTreeMap<String, BTreeSet<String>>,
    /// People by what [`group`] says.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Tasks done outside of working hours.
    pub outside: usize,
    /// Tasks nobody had taken before they were done.
    pub unclaimed: usize,
}

/// Who does a task: roles joined by commas; the node itself when no role is named.
pub fn group(drawing: &Process, node: &str) -> String {
    let found = drawing.find(node).map(|at| &drawing.nodes[at].kind);
    match found {
        Some(NodeKind::Task(TaskKind::User(who) | TaskKind::Manual(who)))
            if !who.roles.is_empty() =>
        {
            who.roles.join(",")
        }
        _ => node.into(),
    }
}

/// The time a person had tasks in hand, shared by as many as they had at once.
#[derive(Default)]
struct Hand {
    /// Working time → tasks more or fewer from then on.
    changes: BTreeMap<i64, i64>,
    /// Working time → share that has gone by.
    shares: BTreeMap<i64, f64>,
}

impl Hand {
    fn share(&mut self) {
        let (mut held, mut last, mut share) = (0_i64, 0, 0.0);
        for (at, change) in &self.changes {
            if held > 0 {
                share += (at - last) as f64 / held as f64;
            }
            (held, last) = (held + change, *at);
            self.shares.insert(*at, share);
        }
    }

    fn between(&self, from: i64, to: i64) -> i64 {
        let at = |time| self.shares.get(&time).copied().unwrap_or(0.0);
        (at(to) - at(from)).round() as i64
    }
}

/// From when to when somebody worked at a task that was done.
fn in_hand(task: &PastTask) -> Option<(Time, Time, &str)> {
    let worked = matches!(task.state, TaskState::Done | TaskState::SentBack);
    let (ended, by) = (task.ended?, task.by.as_deref()?);
    let begun = std::cmp::min(task.claimed.unwrap_or(task.opened), ended);
    (worked && by != "system").then_some((begun, ended, by))
}

/// Learns from the past.
pub fn learn(past: &Past, hours: &Hours) -> Learnt {
    let mut hands: BTreeMap<&str, Hand> = BTreeMap::new();
    for task in past.cases.iter().flat_map(|case| &case.tasks) {
        if let Some((from, to, by)) = in_hand(task) {
            let changes = &mut hands.entry(by).or_default().changes;
            let (from, to) = (hours.until(from), hours.until(to));
            if from < to {
                *changes.entry(from).or_default() += 1;
                *changes.entry(to).or_default() -= 1;
            }
        }
    }
    hands.values_mut().for_each(Hand::share);
    let mut learnt = Learnt::default();
    for case in &past.cases {
        let drawing = past.drawings.get(case.drawing).and_then(Drawing::drawn);
        let mut own: BTreeMap<String, Vec<Option<Outcome>>> = BTreeMap::new();
        for task in &case.tasks {
            let outcome = outcome(task, hours, &hands, &mut learnt);
            own.entry(task.node.clone()).or_default().push(outcome);
            if let Some((_, _, by)) = in_hand(task) {
                let group = drawing.map(|drawing| group(drawing, &task.node));
                let groups = learnt.groups.entry(group.unwrap_or_default());
                groups.or_default().insert(by.into());
                let people = learnt.people.entry(task.node.clone());
                people.or_default().insert(by.into());
            }
        }
        for other in &case.others {
            let outcome = Outcome {
                did: other.did.clone(),
                took: other.elapsed,
            };
            let list = own.entry(other.node.clone()).or_default();
            list.push(Some(outcome));
        }
        learnt.own.push(own);
    }
    let mut times: BTreeMap<&String, Vec<i64>> = BTreeMap::new();
    for (number, own) in learnt.own.iter().enumerate() {
        for (node, outcomes) in own {
            for (at, outcome) in outcomes.iter().enumerate() {
                if let Some(outcome) = outcome {
                    let all = learnt.all.entry(node.clone()).or_default();
                    all.push((number, at));
                    times.entry(node).or_default().push(outcome.took);
                }
            }
        }
    }
    for (node, mut times) in times {
        times.sort_unstable();
        let median = times[(times.len() - 1) / 2];
        learnt.median.insert(node.clone(), median);
    }
    learnt
}

fn outcome(
    task: &PastTask,
    hours: &Hours,
    hands: &BTreeMap<&str, Hand>,
    learnt: &mut Learnt,
) -> Option<Outcome> {
    let did = task.did.clone()?;
    let Some((from, to, by)) = in_hand(task) else {
        // Taken back before anybody worked at it, or done by the machine.
        return Some(Outcome { did, took: 0 });
    };
    learnt.unclaimed += usize::from(task.claimed.is_none());
    let (begun, ended) = (hours.until(from), hours.until(to));
    let took = if begun < ended {
        hands.get(by).map_or(0, |hand| hand.between(begun, ended))
    } else {
        learnt.outside += usize::from(from < to);
        std::cmp::min(to.since(from).0, OUTSIDE)
    };
    Some(Outcome { did, took })
}
