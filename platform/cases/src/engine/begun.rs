//! Timers that begin cases. Each start timer of the newest version of a process stands in the store as
//! a job of its own, from the moment that version is published until the next one is: the case, and
//! when its timer is due again, are written in one transaction. One that is done for good stays there,
//! never due, so that the same file published once more does not set it anew.

use super::Engine;
use super::access::is_machine;
use super::budget::Budget;
use super::desk::Reply;
use super::start::Origin;
use super::work::Work;
use crate::bpmn::Process as Drawing;
use crate::clock::Counted;
use crate::machine::Awaited;
use crate::machine::timer;
use kernel::access::Actor;
use kernel::cases::{NewCase, Process};
use kernel::fault::Problem;
use kernel::{Fault, Time, Words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::cases::outbox::START;
use store::cases::{JobRow, NEVER, processes};

/// What is kept of a timer that begins cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Start {
    /// The start event.
    node: String,
    /// When it begins the next case, and then; `None` when it is done for good.
    pub(super) timer: Option<Awaited>,
    /// On whose behalf: the organisation of who published.
    organisation: Option<String>,
    /// Who published, and so is responsible.
    by: String,
}

impl Start {
    pub(super) fn of(job: &JobRow) -> Result<Start, Fault> {
        serde_json::from_str(&job.body).map_err(|e| Fault::internal("reading a timer", e))
    }

    /// The job as it stands with this.
    pub(super) fn put(&self, job: &JobRow, now: Time) -> Result<JobRow, Fault> {
        let next_at = match &self.timer {
            Some(Awaited::Timer { due, .. }) => due.0,
            _ => NEVER,
        };
        Ok(JobRow {
            body: serde_json::to_string(self).map_err(|e| Fault::internal("writing a timer", e))?,
            next_at,
            attempts: 0,
            error: String::new(),
            at: now.0,
            ..job.clone()
        })
    }
}

impl Engine {
    /// The jobs of the timers that begin a version; every fault by name and line otherwise.
    pub(super) fn starts_of(
        &self,
        file: &str,
        process: &Process,
        drawing: &Drawing,
        by: &Actor,
    ) -> Result<BTreeMap<String, Option<JobRow>>, Fault> {
        let calendar = self.days();
        let budget = Budget::new(&*self.means.expressions);
        let counted = Counted {
            expressions: &budget,
            calendar: &calendar,
        };
        let now = process.published_at;
        let (mut jobs, mut problems) = (BTreeMap::new(), vec![]);
        for (at, node, trigger) in drawing.begun_by_timers() {
            let timer = match timer::begins(trigger, &counted, now) {
                // A file that came with a system must not keep the city from starting.
                Ok(None) if !is_machine(by) => Err(Words::new(
                    "时间均已过去，永远不会启动",
                    "it is past: nothing would ever begin",
                )),
                outcome => outcome,
            };
            let timer = match timer {
                Ok(timer) => timer,
                Err(Words { zh, en }) => {
                    let id = &node.id;
                    problems.push(Problem {
                        at: format!("{file}:{}", node.line),
                        words: Words::new(format!("{id}：{zh}"), format!("{id}: {en}")),
                    });
                    continue;
                }
            };
            let start = Start {
                node: node.id.clone(),
                timer,
                organisation: by.organisation.clone(),
                by: by.account.clone(),
            };
            let (process, version) = (&process.process, process.version);
            let job = JobRow {
                id: format!("{START}:{version}:{at}:{process}"),
                kind: START.into(),
                name: process.clone(),
                wait: version,
                ..JobRow::default()
            };
            jobs.insert(job.id.clone(), Some(start.put(&job, now)?));
        }
        if problems.is_empty() {
            Ok(jobs)
        } else {
            Err(Fault::invalid(problems))
        }
    }
}

impl Work<'_> {
    /// A timer begins a case, once for however many times it was missed.
    pub(super) async fn begin_by_timer(&mut self, job: &JobRow) -> Result<Reply, Fault> {
        let (process, version) = (&job.name, job.wait);
        let newest = processes::last(self.tx, process).await?;
        if newest.is_none_or(|(newest, _)| newest != version) {
            // A program that knows no such timers has published a newer version.
            self.put_job(job.id.clone(), None);
            return Ok(Reply::Nothing);
        }
        let mut start = Start::of(job)?;
        let model = self.engine.model(self.tx, process, version).await?;
        let drawing = model.processes.get(process);
        let node = drawing.and_then(|drawing| drawing.find(&start.node));
        let Some(Awaited::Timer { due, .. }) = start.timer else {
            return Ok(Reply::Nothing);
        };
        let by = Actor {
            account: start.by.clone(),
            ..Actor::default()
        };
        let new = NewCase {
            process: process.clone(),
            version: Some(version),
            organisation: start.organisation.clone(),
            ..NewCase::default()
        };
        let origin = Origin {
            node: Some(node.ok_or_else(|| Fault::missing(&start.node))?),
            due: Some(due),
            ..Origin::default()
        };
        self.begin(&by, &new, origin, None).await?;
        start.timer = start.timer.and_then(|timer| timer.again(self.now));
        self.put_job(job.id.clone(), Some(start.put(job, self.now)?));
        Ok(Reply::Nothing)
    }
}
