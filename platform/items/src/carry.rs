//! Carrying over: what answers written under one version of a form mean under another. What fits
//! stays; the rest is kept apart, and the person is told.

use crate::form::{Field, Form, Kind, Reason, convert, is_blank};
use crate::say::{brief, escape, problem};
use kernel::Problem;
use kernel::items::CarriedOver;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Takes answers of one form over to another.
pub(crate) fn carry_over(from: &Form, to: &Form, answers: &Map<String, Value>) -> CarriedOver {
    let mut carried = CarriedOver::default();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for field in &to.fields {
        let Some(old) = old_name(from, to, field) else {
            continue;
        };
        let Some(answer) = answers.get(old) else {
            continue;
        };
        taken.insert(old);
        if is_blank(Some(answer)) {
            continue;
        }
        match fit(from.field(old), field, answer) {
            Ok((value, converted)) => {
                if converted {
                    carried.changes.push(said(
                        field,
                        "填写方式有变化，已按您原来的内容转换，请核对",
                        "is asked in another way; what you wrote was converted, please check it",
                    ));
                }
                carried.answers.insert(field.name.clone(), value);
            }
            Err(change) => {
                carried.left_over.insert(old.to_owned(), answer.clone());
                carried.changes.push(change);
            }
        }
    }
    for (name, answer) in answers {
        if taken.contains(name.as_str()) || is_blank(Some(answer)) {
            continue;
        }
        carried.left_over.insert(name.clone(), answer.clone());
        let change = match from.field(name) {
            Some(field) => gone(field),
            None => problem(
                format!("/answers/{}", escape(name)),
                "这一项不在表单中，内容已另存",
                "is no field of the form; the answer is kept apart",
            ),
        };
        carried.changes.push(change);
    }
    settle(from, to, &mut carried);
    carried
}

/// The name its answers had. A field of the old form keeps its name even if another claims it.
fn old_name<'a>(from: &Form, to: &Form, field: &'a Field) -> Option<&'a str> {
    if from.field(&field.name).is_some() {
        return Some(&field.name);
    }
    let was = field.was.as_deref()?;
    (from.field(was).is_some() && to.field(was).is_none()).then_some(was)
}

/// The value as the new field takes it, and whether it was converted; otherwise why it does not fit.
fn fit(from: Option<&Field>, to: &Field, answer: &Value) -> Result<(Value, bool), Problem> {
    let value = match from {
        Some(from) => convert(from, to, answer),
        None => Some(answer.clone()),
    };
    let Some(value) = value else {
        return Err(again(to));
    };
    let faults = to.values.faults(to, &value);
    match faults.first() {
        None => {
            let converted = value != *answer;
            Ok((value, converted))
        }
        Some((Reason::Choice, _)) => Err(choice_gone(from, to, answer)),
        Some((Reason::Kind, _)) => Err(again(to)),
        Some((Reason::Bound, words)) => Err(said(
            to,
            &format!("的要求有变化（{}），请重新填写；原内容已另存", words.zh),
            &format!(
                "has other bounds now ({}); please fill it in again, what you wrote is kept apart",
                words.en
            ),
        )),
    }
}

fn again(field: &Field) -> Problem {
    let kind = field.kind.words();
    said(
        field,
        &format!("现在要填{}，请重新填写；原内容已另存", kind.zh),
        &format!(
            "is {} now; please fill it in again, what you wrote is kept apart",
            kind.en
        ),
    )
}

fn choice_gone(from: Option<&Field>, to: &Field, answer: &Value) -> Problem {
    let values: Vec<&str> = match answer {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let gone = values
        .iter()
        .filter(|value| !to.choices.iter().any(|(known, _)| known == *value));
    let names: Vec<_> = gone
        .map(|value| from.map_or_else(|| to.choice(value), |from| from.choice(value)))
        .collect();
    let zh: Vec<String> = names.iter().map(|words| brief(&words.zh)).collect();
    let en: Vec<String> = names.iter().map(|words| brief(&words.en)).collect();
    said(
        to,
        &format!("的选项“{}”已取消，请重新选择", zh.join("、")),
        &format!(
            "no longer has the choice \"{}\"; please choose again",
            en.join(", ")
        ),
    )
}

fn said(field: &Field, zh: &str, en: &str) -> Problem {
    problem(
        format!("/answers/{}", field.name),
        format!("“{}”{zh}", field.title.zh),
        format!("\"{}\" {en}", field.title.en),
    )
}

fn gone(field: &Field) -> Problem {
    said(
        field,
        "不再需要填写，您填写的内容已另存",
        "is not asked any more; what you wrote is kept apart",
    )
}

/// Answers to questions that are not asked now are kept apart; questions that are new are named.
fn settle(from: &Form, to: &Form, carried: &mut CarriedOver) {
    let asked = to.asked(&carried.answers);
    for (field, asked) in to.fields.iter().zip(asked) {
        if !asked {
            if let Some(value) = carried.answers.shift_remove(&field.name) {
                let old = old_name(from, to, field).unwrap_or(&field.name);
                carried.left_over.insert(old.to_owned(), value);
                let at = format!("/answers/{}", field.name);
                carried.changes.retain(|change| change.at != at);
                carried.changes.push(gone(field));
            }
            continue;
        }
        let new = old_name(from, to, field).is_none();
        if new && field.required && !carried.answers.contains_key(&field.name) {
            let (zh, en) = match field.kind {
                Kind::Choice | Kind::Choices | Kind::Boolean => {
                    ("是新增的问题，请选择", "is a new question; please choose")
                }
                _ => (
                    "是新增的问题，请填写",
                    "is a new question; please fill it in",
                ),
            };
            carried.changes.push(said(field, zh, en));
        }
    }
}
