//! Which case calls: a process acts on the application it decides, and on no other. What the
//! variables of a case name is not enough; the application knows its case.

use crate::Engine;
use crate::change::Open;
use crate::faults::problem;
use kernel::Fault;
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::items::Item;
use serde_json::{Map, Value};
use std::sync::Arc;
use store::applications::read::{self, By};

/// How deep processes call each other, looked at.
const DEPTH: usize = 8;

impl Engine {
    /// The application a service task is about: `application.id` of its variables, if the calling
    /// case is its own or was called by it.
    pub(crate) async fn of_input(&self, input: &Map<String, Value>) -> Result<Open, Fault> {
        let about = input.get("application");
        let id = about.and_then(|about| about["id"].as_str().or(about.as_str()));
        let missing = || {
            Fault::invalid_at(
                "application",
                "流程变量中没有办件",
                "the variables of the process name no application",
            )
        };
        let open = self.find(id.ok_or_else(missing)?).await?;
        let open = open.ok_or_else(|| Fault::missing("application"))?;
        let calling = input.get("case").and_then(Value::as_str).unwrap_or("");
        let Some(own) = &open.row.case_id else {
            // Its case began a moment ago, and is written down in another.
            return Err(Fault::overloaded("applications", 1));
        };
        let mut at = Some(calling.to_string());
        for _ in 0..DEPTH {
            let Some(case) = at.filter(|case| !case.is_empty()) else {
                break;
            };
            if case == *own {
                return Ok(open);
            }
            at = self.caller(&case).await?;
        }
        tracing::warn!(
            calling,
            application = open.row.id,
            "a case of something else"
        );
        Err(Fault::invalid(vec![problem(
            "application",
            "流程变量所指的办件不由本流程办理",
            "the application the variables name is not decided by this case",
        )]))
    }

    /// The case that called this one.
    async fn caller(&self, case: &str) -> Result<Option<String>, Fault> {
        match self.cases()?.case(&Actor::system(), case).await {
            Ok(file) => Ok(file.case.parent),
            Err(fault) if fault.kind == FaultKind::Missing => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// The item of the application a case decides, in the version it was handed in by; `None` for
    /// a case of something else. `named` is the application its variables name.
    pub async fn item_of_case(&self, case: &str, named: &str) -> Result<Option<Arc<Item>>, Fault> {
        let mut at = Some(case.to_string());
        for _ in 0..DEPTH {
            let Some(case) = at else { break };
            let found = {
                let mut reader = self.store.reader().await?;
                read::application(&mut reader, By::Case, &case).await?
            };
            if let Some(row) = found {
                let item = self.version_of(&row.item, row.item_version).await?;
                return Ok(Some(item));
            }
            at = self.caller(&case).await?;
        }
        let begins = self.find(named).await?;
        match begins.is_some_and(|open| open.row.case_id.is_none() && !open.state().ended()) {
            true => Err(Fault::overloaded("applications", 1)),
            false => Ok(None),
        }
    }
}
