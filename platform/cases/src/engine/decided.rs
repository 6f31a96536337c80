//! Decisions that a step rests on: kept with it, so that each can be explained afterwards, and named
//! in the history of the case.

use super::follow::Cause;
use super::work::Change;
use crate::bpmn::{Node, Process};
use crate::machine::Effect;
use kernel::decisions::Outcome;
use kernel::{Fault, Time, new_id};
use serde_json::{Map, Value, json};
use store::audit::AuditEntry;
use store::decisions::EvaluationRow;

/// Decisions named in one entry of the history, at most; all are kept.
const NAMED: usize = 100;
/// Characters of a purpose, at most.
const PURPOSE: usize = 500;

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
