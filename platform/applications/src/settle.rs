//! Answers and what is asked: an answer to a question that is not asked any more is kept apart, one
//! that is asked again comes back, and what the city knew already is filled in.

use crate::body::DraftBody;
use kernel::Fault;
use kernel::fault::Problem;
use kernel::items::{Item, Items};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

use crate::faults::problem;

/// Bytes of all answers of a draft as JSON, at most.
pub(crate) const ANSWERS: usize = 128 << 10;
/// Rounds until answers and questions agree; a form that asks in circles stops there.
const ROUNDS: usize = 8;

/// Is there a field of this name in the form at all?
pub(crate) fn knows(item: &Item, field: &str) -> bool {
    let properties = item.content.form.get("properties");
    properties.is_some_and(|fields| fields.get(field).is_some())
}

/// Brings answers into agreement with what is asked.
pub(crate) fn settle(items: &dyn Items, item: &Item, body: &mut DraftBody) {
    for _ in 0..ROUNDS {
        let asked: BTreeSet<String> = items.asked(item, &body.answers).into_iter().collect();
        let mut changed = false;
        let gone: Vec<String> = body
            .answers
            .keys()
            .filter(|field| !asked.contains(*field))
            .cloned()
            .collect();
        for field in gone {
            if let Some(value) = body.answers.remove(&field) {
                body.left_over.insert(field, value);
                changed = true;
            }
        }
        for field in &asked {
            if body.answers.contains_key(field) {
                continue;
            }
            let back = body.left_over.remove(field);
            let known = || {
                let known = body.prefilled.get(field);
                known
                    .filter(|_| !body.cleared.contains(field))
                    .map(|p| p.value.clone())
            };
            if let Some(value) = back.or_else(known) {
                body.answers.insert(field.clone(), value);
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}

/// The answers a part of a bundle asks for.
pub(crate) fn of_part(
    items: &dyn Items,
    part: &Item,
    answers: &Map<String, Value>,
) -> Map<String, Value> {
    let mut own: Map<String, Value> = answers
        .iter()
        .filter(|(field, _)| knows(part, field))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    for _ in 0..ROUNDS {
        let asked: BTreeSet<String> = items.asked(part, &own).into_iter().collect();
        let before = own.len();
        own.retain(|field, _| asked.contains(field));
        if own.len() == before {
            break;
        }
    }
    own
}

/// What is wrong with a change of answers as such: fields nobody asks for.
pub(crate) fn unknown(
    item: &Item,
    before: Option<&Item>,
    answers: &Map<String, Value>,
) -> Vec<Problem> {
    let known =
        |field: &String| knows(item, field) || before.is_some_and(|before| knows(before, field));
    let unknown = answers.keys().filter(|field| !known(field));
    unknown
        .take(100)
        .map(|field| {
            let field: String = field.chars().take(60).collect();
            problem(
                format!("/answers/{field}"),
                "表单中没有这一项",
                "the form has no such field",
            )
        })
        .collect()
}

/// Answers that are not too many.
pub(crate) fn size(answers: &Map<String, Value>) -> Result<(), Fault> {
    let bytes = serde_json::to_vec(answers).map_or(usize::MAX, |json| json.len());
    if bytes <= ANSWERS {
        return Ok(());
    }
    Err(Fault::new(
        kernel::fault::FaultKind::TooLarge,
        "input.too_large",
        format!("填报内容过大（上限 {ANSWERS} 字节）"),
        format!("the answers are larger than {ANSWERS} bytes"),
    ))
}
