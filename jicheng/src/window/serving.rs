//! Functions that service tasks of processes call by name: decide an application, issue its
//! licence, bill it, stop and start the clock of its case (whose identification every call carries
//! as `case`).

use super::{Late, there};
use kernel::applications::Applications;
use kernel::cases::{CaseVerb, Cases, PauseKind, Served};
use kernel::fault::FaultKind;
use kernel::{Actor, Fault, Words};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What the functions work with.
pub struct Serving {
    /// Applications.
    pub applications: Arc<applications::Engine>,
    /// Cases, once they are there.
    pub cases: Late<cases::Engine>,
}

/// Names of the functions, for whoever checks drawings and for designers.
pub const FUNCTIONS: [&str; 6] = [
    "applications.decide",
    "applications.bill",
    "applications.note",
    "applications.licence",
    "cases.pause",
    "cases.unpause",
];

/// An error of the drawing with what was wrong.
pub fn refused(fault: &Fault) -> Served {
    let problems: Vec<&Words> = fault.problems.iter().map(|p| &p.words).collect();
    Served::Refused {
        code: fault.code.to_string(),
        variables: Map::from_iter([("problems".to_string(), json!(problems))]),
    }
}

impl Serving {
    /// Calls a function of [`FUNCTIONS`]; `None` for another name.
    pub async fn call(
        &self,
        name: &str,
        key: &str,
        input: &Map<String, Value>,
    ) -> Option<Result<Served, Fault>> {
        Some(match name {
            name if name.starts_with("applications.") => {
                match self.applications.serve(name, key, input).await {
                    // What is wrong with it will be wrong the next time.
                    Err(fault) if fault.kind == FaultKind::Invalid => Ok(refused(&fault)),
                    answer => answer,
                }
            }
            "cases.pause" => self.pause(input).await,
            "cases.unpause" => self.rule(input, CaseVerb::Unpause).await,
            _ => return None,
        })
    }

    async fn pause(&self, input: &Map<String, Value>) -> Result<Served, Fault> {
        let text = |name: &str| input.get(name).and_then(Value::as_str).unwrap_or("");
        let kind: Result<PauseKind, _> = serde_json::from_value(text("kind").into());
        let Ok(kind) = kind else {
            return Ok(refused(&Fault::invalid_at(
                "kind",
                "应为法定的中止事由",
                "expected a reason the law knows",
            )));
        };
        let verb = CaseVerb::Pause {
            kind,
            basis: text("basis").into(),
            note: text("note").into(),
        };
        self.rule(input, verb).await
    }

    /// Stops or starts the clock; done already is done.
    async fn rule(&self, input: &Map<String, Value>, verb: CaseVerb) -> Result<Served, Fault> {
        let cases = there(&self.cases, "cases")?;
        let case = input.get("case").and_then(Value::as_str).unwrap_or("");
        match cases.rule(&Actor::system(), case, None, verb).await {
            Ok(_) => Ok(Served::Done(Map::new())),
            Err(fault) if fault.kind == FaultKind::Conflict => Ok(Served::Done(Map::new())),
            Err(fault) if fault.kind == FaultKind::Invalid => Ok(refused(&fault)),
            Err(fault) => Err(fault),
        }
    }
}
