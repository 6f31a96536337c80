//! Publishing: a drawing becomes the next version of its processes. Cases that run stay on theirs.

use super::Engine;
use super::work::audit;
use crate::bpmn::{self, Model, NodeKind, TaskKind};
use kernel::access::Actor;
use kernel::cases::Process;
use kernel::fault::Problem;
use kernel::{Fault, Time, Verb, Words};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::audit as log;
use store::cases::{NEVER, Writes, outbox, processes, write};

/// Timers of a process, at most.
const TIMERS: u64 = bpmn::START_TIMERS as u64;

impl Engine {
    pub(super) async fn publish_file(
        &self,
        by: &Actor,
        name: &str,
        xml: &str,
    ) -> Result<Vec<Process>, Fault> {
        let by = self.demand(by, Verb::Operate, "processes")?;
        let model =
            Arc::new(bpmn::read_new(name, xml, &*self.means.expressions).map_err(Fault::invalid)?);
        self.all_there(name, &model).await?;
        self.no_circle(name, &model)?;
        let hash = Sha256::digest(xml.as_bytes());
        let digest: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = self.clock.now();
        let (mut published, mut jobs, mut problems) = (vec![], BTreeMap::new(), vec![]);
        let mut tx = self.store.begin().await?;
        for (id, drawing) in &model.processes {
            let last = processes::last(&mut tx, id).await?;
            let same = last.as_ref().is_some_and(|(_, known)| *known == digest);
            let before = last.map_or(0, |(version, _)| version);
            let mut process = Process {
                process: id.clone(),
                version: before + i64::from(!same),
                name: drawing.name.clone(),
                published_at: now,
                published_by: by.account.clone(),
                digest: digest.clone(),
                open: 0,
                begins_at: None,
            };
            let there = outbox::starts(&mut tx, Some(id), "", TIMERS).await?;
            let mut moments: Vec<i64> = there.iter().map(|job| job.next_at).collect();
            // The same file sets its timers when it was published by a program that knew none.
            if !same || there.is_empty() {
                moments.clear();
                match self.starts_of(name, &process, drawing, &by) {
                    Ok(starts) => {
                        moments.extend(starts.values().flatten().map(|job| job.next_at));
                        jobs.extend(starts);
                    }
                    Err(fault) => problems.extend(fault.problems),
                }
                outbox::drop_starts(&mut tx, id).await?;
            }
            let next = moments.into_iter().min().filter(|at| *at < NEVER);
            process.begins_at = next.map(Time);
            if !same {
                processes::put(&mut tx, &process, xml).await?;
                let details = json!({ "version": process.version, "digest": digest });
                let entry = audit(now, &by, "publish", "processes", id, details);
                log::append(&mut tx, &entry).await?;
            }
            published.push(process);
        }
        if !problems.is_empty() {
            return Err(Fault::invalid(problems));
        }
        let writes = Writes {
            jobs,
            ..Writes::default()
        };
        write::write(&mut tx, &writes, &BTreeSet::new()).await?;
        tx.commit().await?;
        for process in &published {
            self.shelf
                .put(&process.process, process.version, model.clone());
        }
        Ok(published)
    }

    /// What is called must be there: processes in the file or published already, decisions.
    async fn all_there(&self, name: &str, model: &Model) -> Result<(), Fault> {
        let mut problems = vec![];
        let mut deciding = BTreeMap::new();
        let mut reader = self.store.reader().await?;
        for id in model.processes.keys() {
            let now = self.clock.now();
            let expressions = self.deciding(&mut reader, model, id, now).await?;
            deciding.insert(id, expressions);
        }
        drop(reader);
        let nodes = model.processes.iter();
        let nodes = nodes.flat_map(|(id, drawing)| drawing.nodes.iter().map(move |n| (id, n)));
        for (id, node) in nodes {
            let words = match &node.kind {
                NodeKind::Call { process } => {
                    let known = model.processes.contains_key(process)
                        || self.shelf.newest(process).is_some();
                    (!known).then(|| not_published(process))
                }
                NodeKind::Task(TaskKind::Rule { decision, .. }) => {
                    let missing = deciding[id].check_decision(decision).is_err();
                    missing.then(|| {
                        Words::new(
                            format!("没有决策“{decision}”"),
                            format!("there is no decision \"{decision}\""),
                        )
                    })
                }
                _ => None,
            };
            if let Some(words) = words {
                let id = &node.id;
                problems.push(Problem {
                    at: format!("{name}:{}", node.line),
                    words: Words::new(format!("{id}：{}", words.zh), format!("{id}: {}", words.en)),
                });
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Fault::invalid(problems))
        }
    }

    /// Processes that call each other in a circle would never end. What is published already and
    /// what is in the file are looked at together.
    fn no_circle(&self, name: &str, model: &Model) -> Result<(), Fault> {
        let mut calls: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (process, _, known) in self.shelf.all_newest() {
            calls.insert(process.clone(), called(&known, &process));
        }
        for process in model.processes.keys() {
            calls.insert(process.clone(), called(model, process));
        }
        let mut problems = vec![];
        for (process, drawing) in &model.processes {
            for node in &drawing.nodes {
                let NodeKind::Call { process: target } = &node.kind else {
                    continue;
                };
                if reaches(&calls, target, process) {
                    let words = Words::new(
                        format!("调用“{target}”会形成循环：它又会调用“{process}”"),
                        format!("calling \"{target}\" is a circle: it leads back to \"{process}\""),
                    );
                    let at = format!("{name}:{}", node.line);
                    problems.push(Problem { at, words });
                }
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Fault::invalid(problems))
        }
    }
}

/// A process that is called is not there.
pub(super) fn not_published(process: &str) -> Words {
    Words::new(
        format!("被调用的流程“{process}”没有发布"),
        format!("the process \"{process}\" it calls is not published"),
    )
}

fn called(model: &Model, process: &str) -> BTreeSet<String> {
    let nodes = model.processes.get(process).map(|p| p.nodes.as_slice());
    let called = nodes.unwrap_or_default().iter().filter_map(|node| {
        let NodeKind::Call { process } = &node.kind else {
            return None;
        };
        Some(process.clone())
    });
    called.collect()
}

/// Does a process lead to another by calls?
fn reaches(calls: &BTreeMap<String, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
    while let Some(at) = next.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            next.extend(calls.get(at).into_iter().flatten().map(String::as_str));
        }
    }
    false
}
