//! A measurement, not a test: how many tasks a second are done durably, how soon, how large the state
//! of a case is, what a case of 308 tasks costs at its end, and how soon the page of an inbox comes
//! among a million open cases.
//!
//! ```text
//! cargo run --release -p cases --example tasks -- tasks [cases] [at once] [sqlite:… | postgres://…]
//! cargo run --release -p cases --example tasks -- long [sqlite:… | postgres://…]
//! cargo run --release -p cases --example tasks -- race [rounds] [sqlite:… | postgres://…]
//! cargo run --release -p cases --example tasks -- inbox [cases] [sqlite:… | postgres://…]
//! ```
//! `benches/cases.py` runs it beside its peer. The drawings are the very files the peer reads; they
//! are written next to the store. A task is done when its completion is on the disk (fsync): state,
//! history, event, audit and the next task in one transaction.

use async_trait::async_trait;
use cases::{Engine, Means, Tuning};
use kernel::access::{Actor, Decision};
use kernel::cases::{
    Cases, Expressions, Inbox, InboxFilter, Light, NewCase, People, Served, Services, TaskVerb,
    Worker,
};
use kernel::decisions::Outcome;
use kernel::{Fault, Policy, SystemClock, Time, Verb, new_id};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;
use store::Store;
use store::cases::{CaseRow, Queue, TaskRow, Writes, read, write};

/// Literals and names: what the drawings here need.
struct Plain;

impl Expressions for Plain {
    fn evaluate(&self, text: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        let text = text.trim();
        if let Ok(value) = serde_json::from_str(text) {
            return Ok(value);
        }
        Ok(variables.get(text).cloned().unwrap_or(Value::Null))
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

fn officer(account: &str, organisation: &str, roles: &[&str]) -> Actor {
    Actor {
        account: account.into(),
        display: account.into(),
        roles: roles.iter().map(|role| role.to_string()).collect(),
        organisation: Some(organisation.into()),
        ..Actor::default()
    }
}

/// `count` user tasks one after the other, offered to clerks of the organisation in charge.
fn drawing(id: &str, count: usize) -> String {
    let mut body = String::from(r#"<startEvent id="start"/><endEvent id="end"/>"#);
    let mut before = "start".to_string();
    for n in 0..count {
        body.push_str(&format!(
            r#"<userTask id="t{n}" name="t{n}" j:roles="clerk" j:organisation="office"/><sequenceFlow id="f{n}" sourceRef="{before}" targetRef="t{n}"/>"#
        ));
        before = format!("t{n}");
    }
    body.push_str(&format!(
        r#"<sequenceFlow id="last" sourceRef="{before}" targetRef="end"/>"#
    ));
    format!(
        r#"<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1" id="d" targetNamespace="urn:bench"><process id="{id}" isExecutable="true">{body}</process></definitions>"#
    )
}

/// What an application of a citizen looks like, about 1 kB.
fn application(n: usize) -> Map<String, Value> {
    let value = json!({
        "office": "housing",
        "applicant": format!("张三{n}"), "phone": "13800000000", "item": "住房公积金提取",
        "address": "示例市示例区示例街道示例路 1 号 2 单元 301 室", "amount": 35_000 + n,
        "bank": "示例银行示例支行", "account": format!("62220000{n:011}"),
        "materials": (0..8).map(|m| json!({ "code": format!("M{m:03}"), "source": "register", "key": format!("doc-{n}-{m}") })).collect::<Vec<_>>(),
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(0.0)
}

async fn engine(store: &Store) -> Result<Arc<Engine>, Fault> {
    let means = Means {
        expressions: Arc::new(Plain),
        services: Arc::new(NoServices),
        forms: Arc::new(kernel::cases::NoForms),
        policy: Arc::new(Everybody),
        people: Arc::new(Known),
    };
    Engine::open(
        store.clone(),
        Arc::new(SystemClock),
        means,
        Tuning::default(),
    )
    .await
}

fn new_case(process: &str, n: usize) -> NewCase {
    NewCase {
        process: process.into(),
        title: format!("住房公积金提取 {n}"),
        organisation: Some("housing".into()),
        data: application(n),
        ..NewCase::default()
    }
}

/// Officers work through cases of five tasks, `at_once` of them at the same time.
async fn tasks(store: &Store, cases: usize, at_once: usize) -> Result<(), Fault> {
    let engine = engine(store).await?;
    engine
        .publish(&Actor::system(), "five.bpmn", &drawing("five", 5))
        .await?;
    let started = Instant::now();
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut officers = tokio::task::JoinSet::new();
    for n in 0..at_once {
        let (engine, next) = (engine.clone(), next.clone());
        officers.spawn(async move {
            let clerk = officer(&format!("clerk{n}"), "housing", &["clerk"]);
            let mut times = vec![];
            loop {
                let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                if number >= cases {
                    return Ok::<_, Fault>(times);
                }
                let case = engine.start(&clerk, new_case("five", number)).await?;
                let mut task = format!(
                    "{}-{}",
                    case.id,
                    first_wait(&engine, &clerk, &case.id).await?
                );
                loop {
                    let data = json!({ "opinion": "同意", "step": times.len() });
                    let Value::Object(data) = data else { break };
                    let at = Instant::now();
                    let verb = TaskVerb::Complete { data };
                    let acted = engine.act(&clerk, &task, None, verb).await?;
                    times.push(at.elapsed().as_secs_f64() * 1000.0);
                    match acted.opened.first() {
                        Some(opened) => task = opened.id.clone(),
                        None => break,
                    }
                }
            }
        });
    }
    let mut times: Vec<f64> = vec![];
    while let Some(done) = officers.join_next().await {
        times.extend(done.map_err(|e| Fault::internal("measuring", e))??);
    }
    let seconds = started.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    println!(
        "{}",
        json!({
            "what": "tasks", "cases": cases, "at_once": at_once, "seconds": seconds,
            "completions_per_s": times.len() as f64 / seconds,
            "deeds_per_s": (times.len() + cases) as f64 / seconds,
            "p50_ms": percentile(&times, 0.50), "p99_ms": percentile(&times, 0.99),
            "max_ms": times.last(), "state_bytes": state(store).await?,
        })
    );
    Ok(())
}

/// The first task of a case: its number is that of its wait, which a case of these has one of.
async fn first_wait(engine: &Engine, clerk: &Actor, case: &str) -> Result<u64, Fault> {
    // Token 2, wait 3 after the start event: asked of the store once, then known.
    static WAIT: tokio::sync::OnceCell<u64> = tokio::sync::OnceCell::const_new();
    let found = WAIT.get_or_try_init(|| async {
        let file = engine.case(clerk, case).await?;
        let task = file.tasks.first().ok_or_else(|| Fault::missing(case))?;
        let wait = task.id.rsplit('-').next().and_then(|n| n.parse().ok());
        wait.ok_or_else(|| Fault::missing(case))
    });
    Ok(*found.await?)
}

/// Bytes of the largest state kept.
async fn state(store: &Store) -> Result<i64, Fault> {
    use sea_query::{Expr, Func, Query};
    use store::Run;
    let size = Func::cust("length").arg(Expr::col("body"));
    let question = Query::select()
        .expr_as(Func::max(Expr::from(size)), "size")
        .from("cases")
        .to_owned();
    let row = store.reader().await?.fetch_optional(&question).await?;
    row.map_or(Ok(0), |row| row.i64("size"))
}

/// One case of 308 tasks: what a step costs at its beginning and at its end.
async fn long(store: &Store) -> Result<(), Fault> {
    const TASKS: usize = 308;
    let engine = engine(store).await?;
    engine
        .publish(&Actor::system(), "long.bpmn", &drawing("long", TASKS))
        .await?;
    let clerk = officer("clerk", "housing", &["clerk"]);
    let mut steps: Vec<Vec<f64>> = vec![vec![]; TASKS];
    for round in 0..10 {
        let case = engine.start(&clerk, new_case("long", round)).await?;
        let mut task = format!(
            "{}-{}",
            case.id,
            first_wait(&engine, &clerk, &case.id).await?
        );
        for step in steps.iter_mut() {
            let at = Instant::now();
            let verb = TaskVerb::Complete { data: Map::new() };
            let acted = engine.act(&clerk, &task, None, verb).await?;
            step.push(at.elapsed().as_secs_f64() * 1000.0);
            if let Some(opened) = acted.opened.first() {
                task = opened.id.clone();
            }
        }
    }
    let median = |range: std::ops::Range<usize>| {
        let mut some: Vec<f64> = steps[range].iter().flatten().copied().collect();
        some.sort_by(f64::total_cmp);
        percentile(&some, 0.5)
    };
    println!(
        "{}",
        json!({
            "what": "long", "tasks": TASKS, "first_50_ms": median(0..50),
            "middle_50_ms": median(129..179), "last_50_ms": median(258..308),
            "state_bytes": state(store).await?,
        })
    );
    Ok(())
}

/// One case of 308 officers who sign at the same time: a step at the beginning, where all are
/// open, and at the end; the largest state of all.
async fn parallel(store: &Store) -> Result<(), Fault> {
    const SIGNERS: usize = 308;
    let engine = engine(store).await?;
    let xml = r#"<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1" id="d" targetNamespace="urn:bench"><process id="parallel" isExecutable="true"><startEvent id="start"/><userTask id="sign" name="sign" j:assignee="signer"><multiInstanceLoopCharacteristics j:collection="signers" j:item="signer"/></userTask><endEvent id="end"/><sequenceFlow id="a" sourceRef="start" targetRef="sign"/><sequenceFlow id="b" sourceRef="sign" targetRef="end"/></process></definitions>"#;
    engine
        .publish(&Actor::system(), "parallel.bpmn", xml)
        .await?;
    let mut new = new_case("parallel", 0);
    let signers = (0..SIGNERS).map(|n| format!("signer{n}"));
    new.data.insert("signers".into(), signers.collect());
    let case = engine.start(&Actor::system(), new).await?;
    let (mut times, mut largest) = (vec![], state(store).await?);
    for n in 0..SIGNERS {
        let signer = officer(&format!("signer{n}"), "housing", &[]);
        let inbox = engine.inbox(&signer, &InboxFilter::default()).await?;
        let task = inbox.rows.first().ok_or_else(|| Fault::missing(&case.id))?;
        let at = Instant::now();
        let verb = TaskVerb::Complete { data: Map::new() };
        engine.act(&signer, &task.id, None, verb).await?;
        times.push(at.elapsed().as_secs_f64() * 1000.0);
        largest = std::cmp::max(largest, state(store).await?);
    }
    let median = |some: &[f64]| {
        let mut some = some.to_vec();
        some.sort_by(f64::total_cmp);
        percentile(&some, 0.5)
    };
    let ended = engine.case(&Actor::system(), &case.id).await?.case.state;
    println!(
        "{}",
        json!({
            "what": "parallel", "signers": SIGNERS, "ended": ended,
            "first_50_ms": median(&times[..50]), "last_50_ms": median(&times[SIGNERS - 50..]),
            "state_bytes": largest,
        })
    );
    Ok(())
}

/// Two officers complete the same task, again and again: one winner each, the loser told by whom.
async fn race(store: &Store, rounds: usize) -> Result<(), Fault> {
    const AT_ONCE: usize = 32;
    let engine = engine(store).await?;
    let xml = drawing("five", 5);
    engine.publish(&Actor::system(), "five.bpmn", &xml).await?;
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut pairs = tokio::task::JoinSet::new();
    let started = Instant::now();
    for _ in 0..AT_ONCE {
        let (engine, next) = (engine.clone(), next.clone());
        pairs.spawn(async move {
            let one = officer("one", "housing", &["clerk"]);
            let two = officer("two", "housing", &["clerk"]);
            let (mut won, mut wrong) = ([0usize; 2], 0usize);
            'cases: loop {
                let case = engine.start(&one, new_case("five", 0)).await?;
                let wait = first_wait(&engine, &one, &case.id).await?;
                let mut task = Some(format!("{}-{wait}", case.id));
                while let Some(id) = task {
                    let round = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    if round >= rounds {
                        break 'cases;
                    }
                    // In tasks of their own, on whichever thread comes first.
                    let run = |actor: &Actor| {
                        let (engine, actor, id) = (engine.clone(), actor.clone(), id.clone());
                        let verb = TaskVerb::Complete { data: Map::new() };
                        tokio::spawn(async move { engine.act(&actor, &id, None, verb).await })
                    };
                    // Now one is asked first, now the other.
                    let (a, b) = if round.is_multiple_of(2) {
                        let a = run(&one);
                        (a, run(&two))
                    } else {
                        let b = run(&two);
                        (run(&one), b)
                    };
                    let broken = |e| Fault::internal("measuring", e);
                    let (a, b) = (a.await.map_err(broken)?, b.await.map_err(broken)?);
                    let (winner, acted, fault) = match (a, b) {
                        (Ok(acted), Err(fault)) => (0, acted, fault),
                        (Err(fault), Ok(acted)) => (1, acted, fault),
                        _ => {
                            wrong += 1;
                            break;
                        }
                    };
                    won[winner] += 1;
                    let told = fault.problems.first().map(|p| p.words.en.as_str());
                    wrong += usize::from(told != Some(["one", "two"][winner]));
                    task = acted.opened.first().map(|opened| opened.id.clone());
                }
            }
            Ok::<_, Fault>((won, wrong))
        });
    }
    let (mut won, mut wrong) = ([0; 2], 0);
    while let Some(done) = pairs.join_next().await {
        let (some, bad) = done.map_err(|e| Fault::internal("measuring", e))??;
        (won[0], won[1], wrong) = (won[0] + some[0], won[1] + some[1], wrong + bad);
    }
    println!(
        "{}",
        json!({
            "what": "race", "rounds": won[0] + won[1], "won": won, "wrong": wrong,
            "seconds": started.elapsed().as_secs_f64(),
        })
    );
    Ok(())
}

/// Fills the store with open cases by the rows of one, then asks for pages of inboxes.
async fn inbox(store: &Store, cases: usize) -> Result<(), Fault> {
    let engine = engine(store).await?;
    let xml = drawing("five", 5);
    engine.publish(&Actor::system(), "five.bpmn", &xml).await?;
    let clerk = officer("clerk", "housing", &["clerk"]);
    let model = engine.start(&clerk, new_case("five", 0)).await?;
    let wait = first_wait(&engine, &clerk, &model.id).await?;
    let (case, task) = {
        let mut reader = store.reader().await?;
        let case = read::cases(&mut reader, std::slice::from_ref(&model.id))
            .await?
            .pop();
        let id = format!("{}-{wait}", model.id);
        let task = read::tasks(&mut reader, &[id]).await?.pop();
        let missing = || Fault::missing(&model.id);
        (case.ok_or_else(missing)?, task.ok_or_else(missing)?)
    };
    let filled = Instant::now();
    let present = engine.inbox(&chief(), &InboxFilter::default()).await?.count as usize;
    let mut done = present;
    while done < cases {
        let upto = (done + 2_000).min(cases);
        fill(store, &case, &task, done..upto).await?;
        done = upto;
        if done.is_multiple_of(200_000) {
            eprintln!("{done} cases after {:.0} s", filled.elapsed().as_secs_f64());
        }
    }
    let bytes = store.size_bytes().await?;
    println!(
        "{}",
        json!({ "what": "filled", "cases": cases, "seconds": filled.elapsed().as_secs_f64(), "bytes": bytes })
    );
    let people = [
        (
            "officer of one of 100 organisations",
            officer("o7", "org7", &["clerk"]),
        ),
        (
            "officer of the largest organisation",
            officer("h", "hall", &["clerk"]),
        ),
        ("officer who sees all of them", chief()),
    ];
    for (who, actor) in people {
        for (filter, name) in [
            (InboxFilter::default(), "first page"),
            (deep(&engine, &actor).await?, "page in the middle"),
            (
                InboxFilter {
                    light: Some(Light::Red),
                    ..InboxFilter::default()
                },
                "red light",
            ),
            (
                InboxFilter {
                    process: Some("five".into()),
                    ..InboxFilter::default()
                },
                "one process",
            ),
        ] {
            let mut times = vec![];
            let mut page: Option<Inbox> = None;
            for _ in 0..60 {
                let at = Instant::now();
                page = Some(engine.inbox(&actor, &filter).await?);
                times.push(at.elapsed().as_secs_f64() * 1000.0);
            }
            times.sort_by(f64::total_cmp);
            let page = page.map(|page| (page.rows.len(), page.count));
            println!(
                "{}",
                json!({
                    "what": "inbox", "who": who, "page": name, "rows_and_count": page,
                    "p50_ms": percentile(&times, 0.5), "p95_ms": percentile(&times, 0.95),
                })
            );
        }
    }
    Ok(())
}

/// Holds the role of every organisation.
fn chief() -> Actor {
    let mut actor = officer("chief", "hall", &["clerk"]);
    actor.standing.organisations = (0..100).map(|n| format!("org{n}")).collect();
    actor
}

/// The page after half of the rows, found by a moment in the middle.
async fn deep(engine: &Engine, actor: &Actor) -> Result<InboxFilter, Fault> {
    let first = engine.inbox(actor, &InboxFilter::default()).await?;
    let due = first
        .rows
        .first()
        .and_then(|row| row.left)
        .map(|left| left.due);
    let due = due.unwrap_or(Time(0));
    let middle = due.0 + 15 * 86_400_000_000;
    Ok(InboxFilter {
        after: Some(format!("{middle}.0")),
        ..InboxFilter::default()
    })
}

/// Half of the cases are of the hall, the rest of a hundred organisations; due over thirty days, a
/// third of them past.
async fn fill(
    store: &Store,
    case: &CaseRow,
    task: &TaskRow,
    range: std::ops::Range<usize>,
) -> Result<(), Fault> {
    let mut writes = Writes::default();
    let now = kernel::Clock::now(&SystemClock);
    for n in range {
        let id = new_id(now);
        let organisation = match n % 2 {
            0 => "hall".to_string(),
            _ => format!("org{}", n / 2 % 100),
        };
        let day = (n as i64 * 7919 % 3000) * 864_000_000;
        let due = now.0 - 10 * 86_400_000_000 + day;
        let clock = json!({ "started": now.0 - 86_400_000_000, "due": due });
        let mut task = TaskRow {
            id: format!("{id}-{}", task.wait),
            case_id: id.clone(),
            number: format!("130199-2026-{n:08}"),
            organisation: Some(organisation.clone()),
            due_at: due,
            yellow_at: due - 86_400_000_000,
            clock: Some(clock.to_string()),
            ..task.clone()
        };
        let queue: Queue = task.place();
        task.queue = Some(queue.id);
        writes.queues.entry(queue.id).or_insert((queue, 0)).1 += 1;
        let case = CaseRow {
            id: id.clone(),
            number: task.number.clone(),
            organisation: Some(organisation),
            ..case.clone()
        };
        writes.begun.insert(id.clone());
        writes.cases.insert(id, case);
        writes.tasks.insert(task.id.clone(), task);
    }
    let mut tx = store.begin().await?;
    write::write(&mut tx, &writes, &Default::default()).await?;
    tx.commit().await
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: usize| {
        let found = given.iter().filter_map(|text| text.parse().ok()).nth(at);
        found.unwrap_or(usual)
    };
    let dir = tempfile::tempdir().map_err(|e| Fault::internal("making a folder", e))?;
    let here = format!("sqlite:{}", dir.path().join("bench.db").display());
    let address = given.iter().find(|text| text.contains(':'));
    let store = Store::open(address.unwrap_or(&here)).await?;
    match given.first().map(String::as_str) {
        Some("long") => {
            long(&store).await?;
            parallel(&store).await?;
        }
        Some("race") => race(&store, number(0, 100_000)).await?,
        Some("inbox") => inbox(&store, number(0, 1_000_000)).await?,
        Some("drawings") => {
            println!("{}", drawing("five", 5));
            println!("{}", drawing("long", 308));
        }
        _ => tasks(&store, number(0, 4_000), number(1, 32)).await?,
    }
    store.close().await;
    Ok(())
}
