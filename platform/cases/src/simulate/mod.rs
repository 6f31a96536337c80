//! Simulation: the arrivals of a past period once more, through the machine that moves living cases,
//! on a clock of its own. Pure: what was read is handed in ([`Past`]), what comes out are figures.
//! Twice: through the versions the cases ran on, with the people and times of then, and through the
//! changed process. The first is compared with what really was, so that it is known how far the
//! difference of the two can be believed.

mod assumed;
mod figures;
mod hours;
mod past;
mod replay;

pub use assumed::UNREADABLE;
pub use hours::Hours;
pub use past::{Did, Drawing, Past, PastCase, PastOther, PastTask};

use crate::bpmn::{EventWhat, Moment, NodeKind, Process, TaskKind};
use crate::clock::{Calendar, Counted};
use kernel::cases::{Expressions, Simulated, Simulation};
use kernel::fault::Problem;
use kernel::{Fault, Words};
use replay::{Replay, Setting};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

/// Workers of one role, at most.
const WORKERS: u32 = 10_000;
/// Minutes of one task, at most.
const MINUTES: f64 = 100_000.0;
/// Roles and nodes a question names, at most.
const NAMED: usize = 2_000;

/// Everything of a question that does not fit the changed drawing.
pub fn check(what: &Simulation, process: &Process) -> Vec<Problem> {
    let mut problems = vec![];
    let mut say = |at: String, zh: String, en: String| {
        let words = Words::new(zh, en);
        problems.push(Problem { at, words });
    };
    let (mut people, mut waits) = (BTreeSet::new(), BTreeSet::new());
    for node in &process.nodes {
        match &node.kind {
            NodeKind::Task(TaskKind::User(who) | TaskKind::Manual(who)) => {
                people.insert(node.id.as_str());
                people.extend(who.roles.iter().map(String::as_str));
                waits.insert(node.id.as_str());
            }
            NodeKind::Task(TaskKind::Service(_) | TaskKind::Receive(_))
            | NodeKind::Call { .. }
            | NodeKind::Event {
                moment: Moment::Catch | Moment::Boundary { .. } | Moment::Start { .. },
                what: EventWhat::Message(_),
            } => {
                waits.insert(node.id.as_str());
            }
            _ => {}
        }
    }
    for (name, list) in [
        ("capacity", what.capacity.len()),
        ("service", what.service.len()),
    ] {
        if list > NAMED {
            let (zh, en) = (format!("至多 {NAMED} 项"), format!("{NAMED} at most"));
            say(format!("/{name}"), zh, en);
        }
    }
    for (name, workers) in what.capacity.iter().take(NAMED) {
        if !people.contains(name.as_str()) {
            let zh = format!("图中没有任务节点或角色“{name}”");
            let en = format!("the drawing has no task and no role \"{name}\"");
            say(format!("/capacity/{name}"), zh, en);
        } else if !(1..=WORKERS).contains(workers) {
            let (zh, en) = (
                format!("应为 1 至 {WORKERS}"),
                format!("should be 1 to {WORKERS}"),
            );
            say(format!("/capacity/{name}"), zh, en);
        }
    }
    for (name, minutes) in what.service.iter().take(NAMED) {
        if !waits.contains(name.as_str()) {
            let zh = format!("图中没有需要等待的节点“{name}”");
            let en = format!("the drawing has no node \"{name}\" that is waited for");
            say(format!("/service/{name}"), zh, en);
        } else if !(0.0..=MINUTES).contains(minutes) {
            let (zh, en) = (
                format!("应为 0 至 {MINUTES}"),
                format!("should be 0 to {MINUTES}"),
            );
            say(format!("/service/{name}"), zh, en);
        }
    }
    problems
}

/// Replays the past through what it was and through a changed process. `stop` gives it up.
pub fn simulate(
    past: &Past,
    changed: &Drawing,
    what: &Simulation,
    expressions: &dyn Expressions,
    calendar: &Calendar,
    stop: &AtomicBool,
) -> Result<Simulated, Fault> {
    let process = changed.drawn();
    let process = process.ok_or_else(|| Fault::missing(&changed.process))?;
    let problems = check(what, process);
    if !problems.is_empty() {
        return Err(Fault::invalid(problems));
    }
    let expressions = &Counted {
        expressions,
        calendar,
    };
    let hours = Hours::new(calendar, what.from);
    let learnt = past::learn(past, &hours);
    let (nobody, nothing) = (BTreeMap::new(), BTreeMap::new());
    let mut setting = Setting {
        past,
        learnt: &learnt,
        changed: None,
        capacity: &nobody,
        service: &nothing,
        seed: what.seed,
        until: what.to,
        expressions,
        hours: &hours,
        stop,
    };
    let baseline = Replay::run(&setting)?;
    setting.changed = Some(changed);
    (setting.capacity, setting.service) = (&what.capacity, &what.service);
    let after = Replay::run(&setting)?;
    let ended = |number: &usize| {
        baseline.cases[*number].ended.is_some() && after.cases[*number].ended.is_some()
    };
    let compared: Vec<usize> = (0..past.cases.len()).filter(ended).collect();
    let figures = |replayed| figures::figures(past, replayed, &compared, what, &hours, calendar);
    Ok(Simulated {
        arrivals: past.arrivals,
        compared: compared.len(),
        baseline: figures(&baseline),
        changed: figures(&after),
        by_node: figures::by_node(past, changed, &compared, (&baseline, &after)),
        calibration: figures::calibration(past, &baseline, &hours),
        unplayed: figures::unplayed(past, &baseline, &after),
        assumptions: assumed::all(past, &learnt, &baseline.noted, &after.noted),
    })
}
