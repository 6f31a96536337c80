//! Decisions that a step rests on: made by the versions in force when the case began; kept with the
//! step, so that each can be explained afterwards, and named in the history of the case.

use super::Engine;
use super::follow::Cause;
use super::work::Change;
use crate::bpmn::{Model, Node, NodeKind, Process, TaskKind};
use crate::machine::Effect;
use crate::simulate::{Drawing, Past};
use kernel::cases::Expressions;
use kernel::decisions::Outcome;
use kernel::{Fault, Time, new_id};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::audit::AuditEntry;
use store::decisions::EvaluationRow;

/// Decisions named in one entry of the history, at most; all are kept.
const NAMED: usize = 100;
/// Characters of a purpose, at most.
const PURPOSE: usize = 500;

impl Engine {
    /// What a case of this drawing decides by that began at this moment.
    pub(super) async fn deciding<R: Send + 'static>(
        &self,
        run: &mut R,
        model: &Model,
        process: &str,
        began: Time,
    ) -> Result<Arc<dyn Expressions>, Fault> {
        let common = &self.means.expressions;
        let decisions: Vec<&str> = asked(model, process).collect();
        if decisions.is_empty() {
            return Ok(common.clone());
        }
        let own = common.of_case(run, &decisions, began).await?;
        Ok(own.unwrap_or_else(|| common.clone()))
    }

    /// The same for every case of the past that is to be replayed: what was in force when it began,
    /// whichever drawing it goes through.
    pub(super) async fn deciding_then(
        &self,
        past: &Past,
        changed: &Drawing,
    ) -> Result<Vec<Arc<dyn Expressions>>, Fault> {
        let drawings = past.drawings.iter().chain([changed]);
        let decisions = drawings.flat_map(|d| asked(&d.model, &d.process));
        let decisions: BTreeSet<&str> = decisions.collect();
        if decisions.is_empty() {
            return Ok(vec![]);
        }
        let decisions: Vec<&str> = decisions.into_iter().collect();
        let common = &self.means.expressions;
        let mut reader = self.store.reader().await?;
        let mut found = vec![];
        for case in &past.cases {
            let own = common
                .of_case(&mut reader, &decisions, case.started)
                .await?;
            found.push(own.unwrap_or_else(|| common.clone()));
        }
        Ok(found)
    }
}

/// The decisions a process asks for.
fn asked<'a>(model: &'a Model, process: &str) -> impl Iterator<Item = &'a str> {
    let drawn = model.processes.get(process);
    let nodes = drawn.into_iter().flat_map(|process| &process.nodes);
    nodes.filter_map(|node| match &node.kind {
        NodeKind::Task(TaskKind::Rule { decision, .. }) => Some(decision.as_str()),
        _ => None,
    })
}

impl Change {
    /// Keeps the decisions of a step.
    pub(super) fn decided(
        &mut self,
        at: Time,
        cause: &Cause,
        effects: &[Effect],
        details: &mut Map<String, Value>,
    ) -> Result<(), Fault> {
        let mut named = vec![];
        for effect in effects {
            let Effect::Decided { node, outcome } = effect else {
                continue;
            };
            let drawing = self.case.drawing()?;
            let node = &drawing.nodes[*node];
            let row = evaluation(
                at,
                cause,
                &self.case.row.id,
                purpose(drawing, node),
                outcome,
            );
            if named.len() < NAMED {
                named.push(json!({
                    "node": node.id, "evaluation": row.id, "model": row.model,
                    "version": row.version, "decision": row.decision,
                }));
            }
            let body = serde_json::to_string(outcome);
            let body = body.map_err(|e| Fault::internal("writing an evaluation", e))?;
            self.audits.push(kept(at, &row));
            self.evaluations.push((row, body));
        }
        if !named.is_empty() {
            details.insert("decided".into(), named.into());
        }
        Ok(())
    }
}

/// What it was decided for: the process and the task, as people call them.
fn purpose(drawing: &Process, node: &Node) -> String {
    let name = match node.name.trim() {
        "" => &node.id,
        name => name,
    };
    let purpose = format!("{}：{name}", drawing.name);
    purpose.chars().take(PURPOSE).collect()
}

fn evaluation(
    at: Time,
    cause: &Cause,
    case: &str,
    purpose: String,
    outcome: &Outcome,
) -> EvaluationRow {
    EvaluationRow {
        id: new_id(at),
        at: at.0,
        account: cause.by.clone(),
        model: outcome.model.clone(),
        version: outcome.version,
        decision: outcome.decision.clone(),
        case: case.into(),
        person: String::new(),
        purpose,
        basis: String::new(),
        result: outcome.result.to_string(),
    }
}

/// The same entry that any evaluation leaves in the audit log when it is kept.
fn kept(at: Time, row: &EvaluationRow) -> AuditEntry {
    AuditEntry {
        at,
        account: row.account.clone(),
        verb: "write".into(),
        object: "decisions".into(),
        subject: row.id.clone(),
        purpose: row.purpose.clone(),
        basis: String::new(),
        details: json!({
            "what": "keep", "model": row.model, "version": row.version,
            "decision": row.decision, "case": row.case,
        }),
        outcome: "done".into(),
    }
}
