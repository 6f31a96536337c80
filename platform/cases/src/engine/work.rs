//! The work of one transaction: what was read, what was decided, what is to be written. A deed
//! reads, decides, and hands in a [`Change`]; only then anything changes here, so a refused deed
//! leaves nothing behind.

use super::desk::Deed;
use super::{Engine, faults};
use crate::bpmn::{Model, Process};
use crate::machine::Instance;
use kernel::access::Actor;
use kernel::cases::{Entry, Expressions, Limit, Pause, TaskState};
use kernel::{Fault, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::Tx;
use store::audit::AuditEntry;
use store::cases::{
    CaseRow, EntryRow, JobRow, KeyRow, Queue, TaskRow, WaitRow, Writes, pack, read, unpack, write,
};
use store::decisions::EvaluationRow;

/// What a case knows, as it is kept: bounded, and of what runs only, not of what has been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) instance: Instance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) statutory: Option<Limit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) promised: Option<Limit>,
    /// When the limits began to run; with the case when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Time>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pauses: Vec<Pause>,
}

/// A case in hand.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) row: CaseRow,
    pub(super) kept: Kept,
    pub(super) model: Arc<Model>,
    /// What it decides by.
    pub(super) expressions: Arc<dyn Expressions>,
}

impl Open {
    /// Its drawing.
    pub(super) fn drawing(&self) -> Result<&Process, Fault> {
        let process = self.model.processes.get(&self.row.process);
        process.ok_or_else(|| Fault::missing(&self.row.process))
    }

    /// Does it go on?
    pub(super) fn running(&self) -> Result<(), Fault> {
        match self.row.state {
            kernel::cases::CaseState::Running => Ok(()),
            state => Err(faults::not_running(state)),
        }
    }

    /// Identification of what hangs on a wait.
    pub(super) fn of_wait(&self, wait: u64) -> String {
        format!("{}-{wait}", self.row.id)
    }
}

/// Reads what a case keeps.
pub(super) fn kept(row: &CaseRow) -> Result<Kept, Fault> {
    let json = unpack(&row.body)?;
    serde_json::from_slice(&json).map_err(|e| Fault::internal("reading a case", e))
}

/// What a deed decided.
pub(super) struct Change {
    pub(super) case: Open,
    pub(super) begun: bool,
    pub(super) tasks: Vec<TaskRow>,
    pub(super) entries: Vec<Entry>,
    pub(super) timers: super::clocks::Timers,
    pub(super) waits: Vec<(String, Option<WaitRow>)>,
    pub(super) jobs: Vec<(String, Option<JobRow>)>,
    pub(super) key: Option<KeyRow>,
    pub(super) audits: Vec<AuditEntry>,
    pub(super) evaluations: Vec<(EvaluationRow, String)>,
    /// Tasks that opened.
    pub(super) opened: Vec<String>,
}

impl Change {
    /// Begins with the next revision of a case.
    pub(super) fn of(case: &Open) -> Change {
        let mut case = case.clone();
        case.row.revision += 1;
        Change {
            case,
            begun: false,
            tasks: vec![],
            entries: vec![],
            timers: vec![],
            waits: vec![],
            jobs: vec![],
            key: None,
            audits: vec![],
            evaluations: vec![],
            opened: vec![],
        }
    }

    /// Notes what happened. The number is given when it is handed in.
    pub(super) fn note(
        &mut self,
        at: Time,
        by: &str,
        what: &str,
        task: Option<&TaskRow>,
        details: Value,
    ) {
        self.entries.push(Entry {
            number: 0,
            at,
            by: by.into(),
            what: what.into(),
            task: task.map(|t| t.id.clone()),
            node: task.map(|t| t.node.clone()),
            details,
        });
    }

    /// A deed for the audit log.
    pub(super) fn audit(&mut self, at: Time, by: &Actor, verb: &str, details: Value) {
        let subject = self.case.row.number.clone();
        self.audits
            .push(audit(at, by, verb, "cases", &subject, details));
    }
}

/// A deed for the audit log.
pub(super) fn audit(
    at: Time,
    by: &Actor,
    verb: &str,
    object: &str,
    subject: &str,
    details: Value,
) -> AuditEntry {
    AuditEntry {
        at,
        account: by.account.clone(),
        verb: verb.into(),
        object: object.into(),
        subject: subject.into(),
        purpose: by.grant.purpose.clone(),
        basis: by.grant.basis.clone(),
        details: by.on_behalf(details),
        outcome: "done".into(),
    }
}

pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tx: &'a mut Tx,
    pub(super) now: Time,
    cases: HashMap<String, Arc<Open>>,
    tasks: HashMap<String, TaskRow>,
    pub(super) writes: Writes,
    queues: BTreeSet<i64>,
    wrote: bool,
    jobs: bool,
}

/// After the last deed.
pub(super) struct Done {
    pub(super) wrote: bool,
    /// Queues that are in the store now.
    pub(super) queues: BTreeSet<i64>,
    /// Jobs were written.
    pub(super) jobs: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(engine: &'a Engine, tx: &'a mut Tx) -> Work<'a> {
        Work {
            now: engine.clock.now(),
            engine,
            tx,
            cases: HashMap::new(),
            tasks: HashMap::new(),
            writes: Writes::default(),
            queues: BTreeSet::new(),
            wrote: false,
            jobs: false,
        }
    }

    /// Reads what deeds will surely ask for, in two questions.
    pub(super) async fn load(&mut self, deeds: &[Deed]) -> Result<(), Fault> {
        let (mut cases, mut tasks) = (BTreeSet::new(), BTreeSet::new());
        for deed in deeds {
            match deed {
                Deed::Act(_, task, ..) => {
                    tasks.insert(task.clone());
                    if let Some(case) = case_of(task) {
                        cases.insert(case.to_string());
                    }
                }
                Deed::Fire(timer) => {
                    cases.insert(timer.case_id.clone());
                }
                Deed::Job(job) | Deed::Served(job, _) => {
                    cases.insert(job.case_id.clone());
                }
                _ => {}
            }
        }
        let tasks: Vec<String> = tasks.into_iter().collect();
        for task in read::tasks(self.tx, &tasks).await? {
            self.tasks.insert(task.id.clone(), task);
        }
        let cases: Vec<String> = cases.into_iter().collect();
        for row in read::cases(self.tx, &cases).await? {
            let id = row.id.clone();
            // A case that cannot be read is found by the deed that asks for it.
            match self.open(row).await {
                Ok(open) => {
                    self.cases.insert(id, Arc::new(open));
                }
                Err(fault) => tracing::error!(%fault, case = id, "reading a case"),
            }
        }
        Ok(())
    }

    async fn open(&mut self, row: CaseRow) -> Result<Open, Fault> {
        let model = self
            .engine
            .model(self.tx, &row.process, row.version)
            .await?;
        let deciding = self
            .engine
            .deciding(self.tx, &model, &row.process, row.started_at);
        Ok(Open {
            expressions: deciding.await?,
            kept: kept(&row)?,
            row,
            model,
        })
    }

    /// A case by its identification.
    pub(super) async fn case(&mut self, id: &str) -> Result<Arc<Open>, Fault> {
        if let Some(open) = self.cases.get(id) {
            return Ok(open.clone());
        }
        let found = read::cases(self.tx, &[id.to_string()]).await?;
        let row = found.into_iter().next();
        let open = Arc::new(self.open(row.ok_or_else(|| Fault::missing(id))?).await?);
        self.cases.insert(id.into(), open.clone());
        Ok(open)
    }

    /// A case by its identification or number.
    pub(super) async fn case_or_number(&mut self, name: &str) -> Result<Arc<Open>, Fault> {
        match self.case(name).await {
            Err(fault) if fault.code == "input.not_found" => {}
            outcome => return outcome,
        }
        self.flush().await?;
        let row = read::case_of_number(self.tx, name).await?;
        let id = row.ok_or_else(|| Fault::missing(name))?.id;
        self.case(&id).await
    }

    /// A task.
    pub(super) async fn task(&mut self, id: &str) -> Result<Option<TaskRow>, Fault> {
        if let Some(task) = self.tasks.get(id) {
            return Ok(Some(task.clone()));
        }
        let found = read::tasks(self.tx, &[id.to_string()]).await?;
        let task = found.into_iter().next();
        if let Some(task) = &task {
            self.tasks.insert(task.id.clone(), task.clone());
        }
        Ok(task)
    }

    /// Tasks of a case in a state.
    pub(super) async fn tasks_of(
        &mut self,
        case: &str,
        state: TaskState,
        node: Option<&str>,
    ) -> Result<Vec<TaskRow>, Fault> {
        self.flush().await?;
        let found = read::tasks_of(self.tx, case, state, node, read::TASKS).await?;
        for task in &found {
            self.tasks.insert(task.id.clone(), task.clone());
        }
        Ok(found)
    }

    /// Remembers a task that was read.
    pub(super) fn know(&mut self, task: &TaskRow) {
        self.tasks.insert(task.id.clone(), task.clone());
    }

    /// Remembers how a task stood before it was changed here.
    pub(super) fn known_before(&mut self, task: &TaskRow, due_at: i64) {
        let before = TaskRow {
            due_at,
            ..task.clone()
        };
        self.know(&before);
    }

    /// Takes what a deed decided. Everything that can be refused is refused before.
    pub(super) fn take(&mut self, change: Change) -> Result<Arc<Open>, Fault> {
        let Change {
            mut case,
            begun,
            tasks,
            entries,
            timers,
            waits,
            jobs,
            key,
            audits,
            evaluations,
            ..
        } = change;
        let json =
            serde_json::to_vec(&case.kept).map_err(|e| Fault::internal("keeping a case", e))?;
        case.row.body = pack(&json)?;
        let (size, limit) = (case.row.body.len(), self.engine.tuning.state_bytes);
        if size > limit {
            return Err(Fault::new(
                kernel::fault::FaultKind::TooLarge,
                "input.too_large",
                format!(
                    "办件数据过大（压缩后 {size} 字节，上限 {limit}）；较大的材料请存入登记库，只留编号"
                ),
                format!(
                    "the case would hold {size} bytes, packed; {limit} at most. Keep what is large in a register and its key here"
                ),
            ));
        }
        for mut entry in entries {
            case.row.entries += 1;
            entry.number = case.row.entries;
            let body = json!({
                "case": case.row.id, "number": case.row.number, "process": case.row.process,
                "organisation": case.row.organisation, "what": entry.what, "by": entry.by,
                "task": entry.task, "node": entry.node, "revision": case.row.revision,
            });
            let about = case.row.id.clone();
            self.writes
                .events
                .push((entry.at, about, body.to_string().into_bytes()));
            self.writes.entries.push(EntryRow {
                case_id: case.row.id.clone(),
                entry,
            });
        }
        for task in tasks {
            self.put_task(task);
        }
        self.jobs |= jobs.iter().any(|(_, job)| job.is_some());
        self.writes.timers.extend(timers);
        self.writes.waits.extend(waits);
        self.writes.jobs.extend(jobs);
        self.writes.keys.extend(key);
        self.writes.audits.extend(audits);
        self.writes.evaluations.extend(evaluations);
        if begun {
            self.writes.begun.insert(case.row.id.clone());
        }
        self.writes
            .cases
            .insert(case.row.id.clone(), case.row.clone());
        let case = Arc::new(case);
        self.cases.insert(case.row.id.clone(), case.clone());
        Ok(case)
    }

    /// Puts a task, and counts it in its queue.
    fn put_task(&mut self, mut task: TaskRow) {
        if let Some(before) = self.tasks.get(&task.id)
            && before.queue.is_some()
        {
            let queue = before.place();
            count(&mut self.writes.queues, queue, -1);
        }
        task.queue = None;
        if task.state == TaskState::Open {
            let queue = task.place();
            task.queue = Some(queue.id);
            count(&mut self.writes.queues, queue, 1);
        }
        self.writes.tasks.insert(task.id.clone(), task.clone());
        self.tasks.insert(task.id.clone(), task);
    }

    /// Puts a job that belongs to no change of a case.
    pub(super) fn put_job(&mut self, id: String, job: Option<JobRow>) {
        self.jobs |= job.is_some();
        self.writes.jobs.insert(id, job);
    }

    /// Writes what was decided so far, so that questions to the store see it.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        let writes = std::mem::take(&mut self.writes);
        let Writes {
            cases,
            tasks,
            timers,
            waits,
            jobs,
            keys,
            audits,
            ..
        } = &writes;
        let nothing = cases.is_empty()
            && tasks.is_empty()
            && timers.is_empty()
            && waits.is_empty()
            && jobs.is_empty()
            && keys.is_empty()
            && audits.is_empty();
        if nothing {
            return Ok(());
        }
        self.wrote = true;
        let known = {
            let known = self.engine.queues.lock();
            let touched = writes.queues.keys().copied();
            touched.filter(|id| known.contains(id)).collect()
        };
        write::write(self.tx, &writes, &known).await?;
        self.queues.extend(writes.queues.keys());
        Ok(())
    }

    /// A statement was run that writes.
    pub(super) fn wrote(&mut self) {
        self.wrote = true;
    }

    pub(super) async fn finish(mut self) -> Result<Done, Fault> {
        self.flush().await?;
        Ok(Done {
            wrote: self.wrote,
            queues: self.queues,
            jobs: self.jobs,
        })
    }
}

fn count(queues: &mut BTreeMap<i64, (Queue, i64)>, queue: Queue, by: i64) {
    queues.entry(queue.id).or_insert((queue, 0)).1 += by;
}

/// The case a task belongs to.
pub(super) fn case_of(task: &str) -> Option<&str> {
    task.split_once('-').map(|(case, _)| case)
}
