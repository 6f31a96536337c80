//! What a step was brought, kept beside its entry of the history, so that the past can be replayed.
//! It is not shown with the history: what a case knows is read with the case, and that is logged.

use super::work::Open;
use crate::machine::{Awaited, Happened};
use serde_json::{Map, Value, json};

/// Name of it among the details of an entry.
pub(super) const BROUGHT: &str = "brought";
/// Bytes of what one step brought that are kept, at most.
const STEP: usize = 4_096;
/// Bytes of what a case began with that are kept, at most.
const BEGINNING: usize = 16_384;

/// Keeps variables up to so many bytes, small ones first; says whether some were left out.
fn cut(variables: &Map<String, Value>, limit: usize) -> (Map<String, Value>, bool) {
    let size = |name: &str, value: &Value| name.len() + value.to_string().len() + 4;
    let sizes = variables
        .iter()
        .map(|(name, value)| (size(name, value), name));
    let mut sizes: Vec<(usize, &String)> = sizes.collect();
    let total: usize = sizes.iter().map(|(size, _)| size).sum();
    if total <= limit {
        return (variables.clone(), false);
    }
    sizes.sort_unstable();
    let (mut kept, mut used) = (Map::new(), 0);
    for (size, name) in sizes {
        used += size;
        if used > limit {
            break;
        }
        kept.insert(name.clone(), variables[name].clone());
    }
    (kept, true)
}

fn note(variables: &Map<String, Value>, limit: usize) -> Map<String, Value> {
    let (kept, cut) = cut(variables, limit);
    let mut noted = Map::from_iter([("set".to_string(), Value::Object(kept))]);
    if cut {
        noted.insert("cut".into(), json!(true));
    }
    noted
}

/// What a case begins with.
pub(super) fn beginning(data: &Map<String, Value>) -> Value {
    Value::Object(note(data, BEGINNING))
}

/// What a step is brought: at which node, which variables, which error. Nothing for a timer and for
/// what is done to a case by hand.
pub(super) fn step(open: &Open, happened: &Happened) -> Option<Value> {
    let (wait, variables, code) = match happened {
        Happened::Came { wait, variables } => (Some(wait), variables, None),
        Happened::Failed {
            wait,
            code,
            variables,
        } => (Some(wait), variables, Some(code)),
        Happened::Signal { variables, .. } => (None, variables, None),
        _ => return None,
    };
    let mut noted = note(variables, STEP);
    if let Some(wait) = wait {
        let found = open.kept.instance.waits.get(wait)?;
        if matches!(found.what, Awaited::Timer { .. }) {
            return None;
        }
        let node = open.drawing().ok()?.nodes.get(found.node)?;
        noted.insert("node".into(), json!(node.id));
    }
    if let Some(code) = code {
        noted.insert("code".into(), json!(code));
    }
    Some(Value::Object(noted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_left_out_and_said() {
        let long = "长".repeat(3_000);
        let variables = json!({ "a": 1, "b": long, "c": "short" });
        let Value::Object(variables) = variables else {
            return;
        };
        let noted = note(&variables, STEP);
        assert_eq!(noted["set"], json!({ "a": 1, "c": "short" }));
        assert_eq!(noted["cut"], json!(true));
        let all = note(&variables, BEGINNING);
        assert_eq!(all["set"]["b"], json!(long));
        assert!(!all.contains_key("cut"));
    }
}
