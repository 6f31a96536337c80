//! Simulation: the past is read from the store in pages, then replayed on a thread of its own, one
//! at a time, for a limited time. Nothing is written but that it was done.

use super::Engine;
use super::brought::BROUGHT;
use super::work::{audit, kept};
use crate::bpmn::{self, Model, NodeIndex, NodeKind, Process};
use crate::machine::ROOT;
use crate::simulate::{
    Did, Drawing, Past, PastCase, PastOther, PastTask, UNREADABLE, check, simulate,
};
use kernel::access::Actor;
use kernel::cases::{Entry, SIMULATED_CASES, SIMULATED_DAYS, Simulated, Simulation, TaskState};
use kernel::fault::{FaultKind, Problem};
use kernel::{Fault, Span, Time, Verb, Words};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::cases::{CaseRow, TaskRow, past, processes};

/// Cases read at once.
const PAGE: u64 = 200;
/// How long a simulation may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Characters of JSON of what all cases together were brought, at most.
const BROUGHT_LIMIT: usize = 64 << 20;

/// Gives the replay up when whoever asked no longer waits.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    pub(super) async fn replay(&self, by: &Actor, what: &Simulation) -> Result<Simulated, Fault> {
        let by = self.demand(by, Verb::Operate, "processes")?;
        let now = self.clock.now();
        let mut problems = period(what, now);
        let changed = match self.changed(what).await {
            Ok(changed) => changed,
            Err(mut fault) if fault.code == "input.invalid" => {
                problems.append(&mut fault.problems);
                return Err(Fault::invalid(problems));
            }
            Err(fault) => return Err(fault),
        };
        if let Some(drawn) = changed.drawn() {
            problems.extend(check(what, drawn));
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let permit = self.simulating.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Fault::overloaded("simulation", 30))?;
        let mut past = self.past(what).await?;
        past.deciding = self.deciding_then(&past, &changed).await?;
        self.note_simulation(&by, what, now, past.cases.len())
            .await?;
        let stop = Stop(Arc::new(AtomicBool::new(false)));
        let (told, calendar) = (stop.0.clone(), self.days());
        let (expressions, what) = (self.means.expressions.clone(), what.clone());
        let mut replay = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            simulate(&past, &changed, &what, &*expressions, &calendar, &told)
        });
        let broken = |e| Fault::internal("simulating a process", e);
        match tokio::time::timeout(PATIENCE, &mut replay).await {
            Ok(done) => done.map_err(broken)?,
            Err(_) => {
                stop.0.store(true, Ordering::Relaxed);
                replay.await.map_err(broken)?
            }
        }
    }

    /// The drawing the cases are to go through.
    async fn changed(&self, what: &Simulation) -> Result<Drawing, Fault> {
        let process = what.process.clone();
        let mut reader = self.store.reader().await?;
        let last = processes::last(&mut reader, &process).await?;
        let (last, _) = last.ok_or_else(|| Fault::missing(&process))?;
        let model = match (&what.xml, what.version) {
            (Some(_), Some(_)) => {
                return Err(Fault::invalid_at(
                    "version",
                    "不能同时给出版本和图",
                    "give a version or a drawing, not both",
                ));
            }
            (Some(xml), None) => {
                let read = bpmn::read_new("xml", xml, &*self.means.expressions);
                Arc::new(read.map_err(Fault::invalid)?)
            }
            (None, version) => {
                let version = version.unwrap_or(last);
                self.model(&mut reader, &process, version).await?
            }
        };
        if !model.processes.contains_key(&process) {
            return Err(Fault::invalid_at(
                "xml",
                format!("图中没有流程“{process}”"),
                format!("the drawing has no process \"{process}\""),
            ));
        }
        Ok(Drawing { model, process })
    }

    /// Says in the audit log that the cases of a period were read.
    async fn note_simulation(
        &self,
        by: &Actor,
        what: &Simulation,
        now: Time,
        cases: usize,
    ) -> Result<(), Fault> {
        let details = json!({
            "from": what.from.rfc3339(), "to": what.to.rfc3339(), "cases": cases,
            "version": what.version, "drawing": what.xml.is_some(),
        });
        let mut tx = self.store.begin().await?;
        let entry = audit(now, by, "simulate", "processes", &what.process, details);
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await
    }

    /// Reads the cases of the period.
    async fn past(&self, what: &Simulation) -> Result<Past, Fault> {
        let most = if what.limit == 0 {
            SIMULATED_CASES
        } else {
            what.limit
        };
        let period = (what.from, what.to);
        let mut found = Past::default();
        let (mut last, mut weight) = (String::new(), 0);
        let mut versions: BTreeMap<i64, usize> = BTreeMap::new();
        {
            let mut reader = self.store.reader().await?;
            let count = past::count(&mut reader, &what.process, what.from, what.to).await?;
            found.arrivals = usize::try_from(count).unwrap_or(0);
        }
        while found.cases.len() < most {
            let left = std::cmp::min((most - found.cases.len()) as u64, PAGE);
            let mut reader = self.store.snapshot().await?;
            let rows = past::begun(&mut reader, &what.process, period, &last, left).await?;
            let Some(end) = rows.last() else { break };
            last = end.id.clone();
            let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
            let (mut tasks, mut entries) = (HashMap::new(), HashMap::new());
            let all = past::tasks(&mut reader, &ids).await?;
            let histories = past::histories(&mut reader, &ids).await?;
            if all.len() as u64 == past::ROWS || histories.len() as u64 == past::ROWS {
                return Err(too_much());
            }
            for task in all {
                let list: &mut Vec<TaskRow> = tasks.entry(task.case_id.clone()).or_default();
                list.push(task);
            }
            for (case, entry) in histories {
                weight += size(&entry.details[BROUGHT]);
                let list: &mut Vec<Entry> = entries.entry(case).or_default();
                list.push(entry);
            }
            if weight > BROUGHT_LIMIT {
                return Err(too_much());
            }
            for row in rows {
                let tasks = tasks.remove(&row.id).unwrap_or_default();
                let entries = entries.remove(&row.id).unwrap_or_default();
                let model = self.model(&mut reader, &row.process, row.version).await;
                let (mut case, model) = match readable(&row, tasks, entries, model)? {
                    Ok(read) => read,
                    Err(case) => {
                        found.cases.push(case);
                        continue;
                    }
                };
                let process = row.process.clone();
                case.drawing = *versions.entry(row.version).or_insert_with(|| {
                    found.drawings.push(Drawing { model, process });
                    found.drawings.len() - 1
                });
                found.cases.push(case);
            }
        }
        found.cases.sort_by_key(|case| case.started); // stable: of one moment in order
        Ok(found)
    }
}

/// Everything that is wrong with the period and the limit.
fn period(what: &Simulation, now: Time) -> Vec<Problem> {
    let mut problems = vec![];
    let mut say = |at: &str, zh: String, en: String| {
        let words = Words::new(zh, en);
        problems.push(Problem {
            at: at.into(),
            words,
        });
    };
    if what.to > now {
        let (zh, en) = ("不能在将来", "must not be in the future");
        say("to", zh.into(), en.into());
    }
    if what.from >= what.to {
        let (zh, en) = ("应晚于起始时间", "should be later than the beginning");
        say("to", zh.into(), en.into());
    } else if what.to.since(what.from) > Span::days(SIMULATED_DAYS) {
        let zh = format!("时段至多 {SIMULATED_DAYS} 天");
        let en = format!("the period is {SIMULATED_DAYS} days at most");
        say("to", zh, en);
    }
    if what.limit > SIMULATED_CASES {
        let zh = format!("至多 {SIMULATED_CASES} 件");
        let en = format!("{SIMULATED_CASES} cases at most");
        say("limit", zh, en);
    }
    problems
}

fn too_much() -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        "input.too_large",
        "时段内的办件数据过大，请缩短时段或减少办件数",
        "the cases of the period hold too much; choose a shorter period or fewer cases",
    )
}

/// About how many characters of JSON a value is.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(size).sum::<usize>() + 2,
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| name.len() + size(value) + 4;
            fields.iter().map(field).sum::<usize>() + 2
        }
        _ => 8,
    }
}

/// A case and its drawing. One that cannot be read does not stop the others: it is left out.
fn readable(
    row: &CaseRow,
    tasks: Vec<TaskRow>,
    entries: Vec<Entry>,
    model: Result<Arc<Model>, Fault>,
) -> Result<Result<(PastCase, Arc<Model>), PastCase>, Fault> {
    let read = model.and_then(|model| {
        let case = past_case(row, tasks, entries, model.processes.get(&row.process))?;
        Ok((case, model))
    });
    match read {
        Ok(read) => Ok(Ok(read)),
        Err(fault) if fault.code.starts_with("store.") => Err(fault),
        Err(fault) => {
            tracing::warn!(%fault, case = row.id, "reading a case to simulate it");
            Ok(Err(PastCase {
                number: row.number.clone(),
                started: row.started_at,
                by_hand: Some(UNREADABLE.into()),
                ..PastCase::default()
            }))
        }
    }
}

/// A case with what is known of it.
fn past_case(
    row: &CaseRow,
    tasks: Vec<TaskRow>,
    entries: Vec<Entry>,
    drawn: Option<&Process>,
) -> Result<PastCase, Fault> {
    let kept = kept(row)?;
    let mut case = PastCase {
        number: row.number.clone(),
        started: row.started_at,
        ended: row.ended_at,
        promised: kept.promised,
        pauses: kept.pauses,
        ..PastCase::default()
    };
    let mut did: HashMap<String, Did> = HashMap::new();
    let (mut known, mut silent) = (false, false);
    for (number, entry) in entries.iter().enumerate() {
        let brought = &entry.details[BROUGHT];
        case.cut |= brought["cut"] == Value::Bool(true);
        let set = brought["set"].as_object().cloned();
        match (entry.what.as_str(), &entry.task) {
            ("started", _) => {
                let entered = &entry.details["entered"][0];
                case.start = entered.as_str().map(String::from);
                known = set.is_some();
                case.data = set.unwrap_or_default();
            }
            ("cancelled" | "suspended" | "set" | "moved" | "migrated", _) => {
                case.by_hand.get_or_insert_with(|| entry.what.clone());
            }
            ("completed", Some(task)) => {
                silent |= set.is_none();
                did.insert(task.clone(), Did::Brought(set.unwrap_or_default()));
            }
            ("sent_back" | "returned" | "withdrawn", Some(task)) => {
                let to = entry.details["to"].as_str().unwrap_or_default();
                did.insert(task.clone(), Did::Led(to.into()));
            }
            ("signal", _) => {
                let name = entry.details["name"].as_str().unwrap_or_default().into();
                let since = entry.at.since(row.started_at).0;
                case.signals.push((since, name, set.unwrap_or_default()));
            }
            _ => {
                let other = other(number, &entries, set, drawn, row.started_at);
                case.others.extend(other);
            }
        }
    }
    // Begun before histories kept it: what it knew last.
    if !known || silent {
        case.data_of_the_end = true;
        let root = kept.instance.scopes.get(&ROOT);
        case.data = root.map(|root| root.variables.clone()).unwrap_or_default();
    }
    case.tasks = tasks
        .into_iter()
        .map(|task| past_task(task, &mut did))
        .collect();
    Ok(case)
}

fn past_task(task: TaskRow, did: &mut HashMap<String, Did>) -> PastTask {
    let came = match task.state {
        TaskState::Done => Some(Did::Brought(Map::new())),
        _ => None,
    };
    PastTask {
        did: did.remove(&task.id).or(came),
        node: task.node,
        opened: task.opened_at,
        claimed: task.claimed_at,
        ended: task.ended_at,
        state: task.state,
        by: task.ended_by,
    }
}

/// Something else that came: at which node, and how long after it was begun to be waited for.
fn other(
    number: usize,
    entries: &[Entry],
    set: Option<Map<String, Value>>,
    drawn: Option<&Process>,
    started: Time,
) -> Option<PastOther> {
    let entry = &entries[number];
    let node = entry.details[BROUGHT]["node"].as_str()?;
    let waited_at = drawn.map_or(vec![], |process| waited_at(process, node));
    let entered = |earlier: &&Entry| {
        let entered = earlier.details["entered"].as_array();
        let mut entered = entered.into_iter().flatten().filter_map(Value::as_str);
        entered.any(|entered| waited_at.contains(&entered))
    };
    let since = entries[..number].iter().rfind(entered);
    let set = set.unwrap_or_default();
    let code = entry.details[BROUGHT]["code"].as_str();
    Some(PastOther {
        node: node.into(),
        elapsed: entry
            .at
            .since(since.map_or(started, |earlier| earlier.at))
            .0,
        did: match code {
            Some(code) => Did::Failed(code.into(), set),
            None => Did::Brought(set),
        },
    })
}

/// Nodes whose entering begins the wait of a node: itself, the activity it is attached to, the
/// event-based gateway before it.
fn waited_at<'a>(process: &'a Process, node: &'a str) -> Vec<&'a str> {
    let mut found = vec![node];
    let Some(at) = process.find(node) else {
        return found;
    };
    let id = |at: NodeIndex| process.nodes[at].id.as_str();
    for (host, other) in process.nodes.iter().enumerate() {
        if other.boundary.contains(&at) {
            found.push(id(host));
        }
    }
    for flow in &process.nodes[at].incoming {
        let source = process.flows[*flow].source;
        if matches!(process.nodes[source].kind, NodeKind::EventBased) {
            found.push(id(source));
        }
    }
    found
}
