//! Arrivals of the past, drawn with few words, and a question about them.

use crate::house::{at, object};
use crate::stage::{Small, file};
use cases::bpmn::read;
use cases::clock::Calendar;
use cases::simulate::{Did, Drawing, Past, PastCase, PastTask, simulate};
use kernel::cases::{NodeFigures, Simulated, Simulation, Spread, TaskState};
use kernel::{Fault, Time};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

/// A moment of November 2026; the 24th is a Tuesday.
pub fn on(text: &str) -> Time {
    at(&format!("2026-11-{text}:00+08:00"))
}

pub fn drawing(body: &str, flows: &str) -> Drawing {
    let model = read("f", &file(&format!("{ENDS}{body}"), flows));
    Drawing {
        model: Arc::new(model.unwrap_or_else(|faults| panic!("{faults:#?}"))),
        process: "p".into(),
    }
}

pub fn user(node: &str, role: &str) -> String {
    format!(r#"<userTask id="{node}" name="{node}" j:roles="{role}"/>"#)
}

/// A task taken, and done, by somebody; it set these variables.
pub fn done(node: &str, by: &str, claimed: Time, ended: Time, set: Value) -> PastTask {
    PastTask {
        node: node.into(),
        opened: claimed,
        claimed: Some(claimed),
        ended: Some(ended),
        state: TaskState::Done,
        by: Some(by.into()),
        did: Some(Did::Brought(object(set))),
    }
}

pub fn case(number: usize, started: Time, ended: Option<Time>, tasks: Vec<PastTask>) -> PastCase {
    PastCase {
        number: format!("N{number}"),
        started,
        ended,
        tasks,
        ..PastCase::default()
    }
}

pub fn past(drawing: &Drawing, cases: Vec<PastCase>) -> Past {
    Past {
        drawings: vec![drawing.clone()],
        arrivals: cases.len(),
        cases,
        ..Past::default()
    }
}

/// The day of the 24th, unless told otherwise.
pub fn question() -> Simulation {
    Simulation {
        process: "p".into(),
        from: on("24T09:00"),
        to: on("24T17:30"),
        ..Simulation::default()
    }
}

pub fn play(past: &Past, changed: &Drawing, what: &Simulation) -> Result<Simulated, Fault> {
    let stop = AtomicBool::new(false);
    simulate(past, changed, what, &Small, &Calendar::new(), &stop)
}

pub fn replay(past: &Past, changed: &Drawing, what: &Simulation) -> Simulated {
    play(past, changed, what).unwrap_or_else(|fault| panic!("{fault}"))
}

pub fn spread(count: usize, mean: f64, p50: f64, p90: f64) -> Spread {
    Spread {
        count,
        mean,
        p50,
        p90,
    }
}

pub fn node<'a>(found: &'a Simulated, node: &str) -> &'a NodeFigures {
    found.by_node.iter().find(|row| row.node == node).unwrap()
}

pub fn says(found: &Simulated, text: &str) -> bool {
    found
        .assumptions
        .iter()
        .any(|words| words.en.contains(text))
}

/// Three cases half an hour apart, one officer, an hour each: they wait 0, 30 and 60 minutes.
pub fn queue_of_three() -> (Drawing, Past) {
    let drawing = drawing(&user("a", "clerk"), "start>a a>end");
    let times = ["24T09:00", "24T09:30", "24T10:00"];
    let begun = ["24T09:00", "24T10:00", "24T11:00"];
    let ended = ["24T10:00", "24T11:00", "24T12:00"];
    let cases = (0..3).map(|n| {
        let mut task = done("a", "li", on(begun[n]), on(ended[n]), json!({}));
        task.opened = on(times[n]);
        case(n, on(times[n]), Some(on(ended[n])), vec![task])
    });
    let past = past(&drawing, cases.collect());
    (drawing, past)
}
