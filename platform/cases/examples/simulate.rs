//! A measurement, not a test: cases of five tasks are done by officers, then the whole period is
//! simulated through a drawing that does two of the tasks at once. How long the reading and both
//! replays take together.
//!
//! ```text
//! cargo run --release -p cases --example simulate -- [cases]
//! ```

use async_trait::async_trait;
use cases::{Engine, Means, Tuning};
use kernel::access::{Actor, Decision};
use kernel::cases::{
    Cases, Expressions, NewCase, People, Served, Services, Simulation, TaskVerb, Worker,
};
use kernel::decisions::Outcome;
use kernel::{Clock, Fault, ManualClock, Policy, Span, Time, Verb};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;
use store::Store;

/// Literals and names: what the drawings here need.
struct Plain;

impl Expressions for Plain {
    fn evaluate(&self, text: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        let literal = serde_json::from_str(text.trim()).ok();
        let known = || variables.get(text.trim()).cloned();
        Ok(literal.or_else(known).unwrap_or(Value::Null))
    }
    fn decide(&self, _: &str, _: &Map<String, Value>) -> Result<Outcome, Fault> {
        Ok(Outcome::default())
    }
}

struct NoServices;

#[async_trait]
impl Services for NoServices {
    async fn call(&self, _: &str, _: &str, _: Map<String, Value>) -> Result<Served, Fault> {
        Ok(Served::Done(Map::new()))
    }
}

/// Everybody works here.
struct Known;

#[async_trait]
impl People for Known {
    async fn worker(&self, _: &str) -> Result<Worker, Fault> {
        Ok(Worker::Official)
    }
    fn successor(&self, _: &str) -> Option<String> {
        None
    }
    fn predecessors(&self, _: &str) -> Vec<String> {
        vec![]
    }
}

struct Everybody;

impl Policy for Everybody {
    fn may(&self, _: &Actor, _: Verb, _: &str) -> Decision {
        Decision::Allowed {
            role: "bench".into(),
            purpose: "bench".into(),
            basis: "bench".into(),
        }
    }
}

/// Five tasks; `at_once`: the second and the third beside each other.
fn drawing(at_once: bool) -> String {
    let tasks: String = (0..5)
        .map(|n| format!(r#"<userTask id="t{n}" name="t{n}" j:roles="role{n}"/>"#))
        .collect();
    let flows = if at_once {
        "s>t0 t0>f f>t1 f>t2 t1>j t2>j j>t3 t3>t4 t4>e"
    } else {
        "s>t0 t0>t1 t1>t2 t2>t3 t3>t4 t4>e"
    };
    let gateways = if at_once {
        r#"<parallelGateway id="f"/><parallelGateway id="j"/>"#
    } else {
        ""
    };
    let flow = |pair: &str| {
        let (from, to) = pair.split_once('>').unwrap_or_default();
        format!(r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}"/>"#)
    };
    let flows: String = flows.split(' ').map(flow).collect();
    format!(
        r#"<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1"><process id="p" isExecutable="true"><startEvent id="s"/><endEvent id="e"/>{tasks}{gateways}{flows}</process></definitions>"#
    )
}

/// Cases that were done, one every two minutes, each task within a minute.
async fn live(engine: &Engine, clock: &ManualClock, cases: usize) -> Result<(), Fault> {
    for n in 0..cases {
        let data = json!({ "office": "housing", "amount": n, "materials": ["M1", "M2", "M3"] });
        let new = NewCase {
            process: "p".into(),
            data: data.as_object().cloned().unwrap_or_default(),
            ..NewCase::default()
        };
        let case = engine.start(&Actor::system(), new).await?;
        let opened = engine.case(&Actor::system(), &case.id).await?;
        let mut next = opened.tasks.first().map(|task| task.id.clone());
        for step in 0.. {
            let Some(task) = next else { break };
            let by = Actor {
                account: format!("officer{}", (n + step) % 40),
                roles: (0..5).map(|n| format!("role{n}")).collect(),
                ..Actor::default()
            };
            engine.act(&by, &task, None, TaskVerb::Claim).await?;
            clock.advance(Span::seconds(24));
            let set = json!({ "opinion": "同意", "step": step });
            let data = set.as_object().cloned().unwrap_or_default();
            let done = engine
                .act(&by, &task, None, TaskVerb::Complete { data })
                .await?;
            next = done.opened.first().map(|task| task.id.clone());
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let cases = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let cases: usize = cases.unwrap_or(1_000);
    let dir = tempfile::tempdir().map_err(|e| Fault::internal("making a folder", e))?;
    let store = Store::open(&format!("sqlite:{}", dir.path().join("bench.db").display())).await?;
    let from = Time::parse("2026-11-24T09:00:00+08:00").unwrap_or_default();
    let clock = Arc::new(ManualClock::new(from));
    let means = Means {
        expressions: Arc::new(Plain),
        services: Arc::new(NoServices),
        forms: Arc::new(kernel::cases::NoForms),
        policy: Arc::new(Everybody),
        people: Arc::new(Known),
    };
    let engine = Engine::open(store.clone(), clock.clone(), means, Tuning::default()).await?;
    let by = Actor::system();
    engine.publish(&by, "p.bpmn", &drawing(false)).await?;
    live(&engine, &clock, cases).await?;
    clock.advance(Span::seconds(1));
    let what = Simulation {
        process: "p".into(),
        xml: Some(drawing(true)),
        from,
        to: clock.now(),
        ..Simulation::default()
    };
    let began = Instant::now();
    let found = engine.simulate(&by, &what).await?;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({
            "what": "simulate", "cases": found.arrivals, "compared": found.compared,
            "seconds": seconds, "baseline_minutes": found.baseline.minutes.mean,
            "changed_minutes": found.changed.minutes.mean,
            "error": found.calibration.map(|c| c.error),
        })
    );
    store.close().await;
    Ok(())
}
