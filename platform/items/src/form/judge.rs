//! Judging answers: everything that is wrong, field by field, in words a resident understands.

use super::value;
use super::{Bound, DateRule, Field, Form, Kind, is_blank};
use crate::say::{escape, problem};
use kernel::numbers::{CitizenNumber, Day};
use kernel::{Problem, Words};
use serde_json::{Map, Value};

/// Answers that are no fields named in a message, at most.
const UNKNOWN: usize = 20;

/// What is wrong with answers on this day, in order of the form; with `whole` also what is missing.
pub(crate) fn judge(
    form: &Form,
    answers: &Map<String, Value>,
    whole: bool,
    today: Day,
) -> Vec<Problem> {
    let mut found = vec![];
    let asked = form.asked(answers);
    for (field, is_asked) in form.fields.iter().zip(&asked) {
        let answer = answers.get(&field.name);
        let mut said: Vec<Words> = vec![];
        match answer {
            Some(_) if !is_asked => {
                let (zh, en) = ("现在不用填写", "is not asked for");
                let label = label(field);
                said.push(Words::new(
                    format!("{}{zh}", label.zh),
                    format!("{} {en}", label.en),
                ));
            }
            Some(Value::Null) => said.push(with_label(
                field,
                &Words::new(
                    "没有内容时请不要写",
                    "leave it out when there is nothing to say",
                ),
            )),
            Some(answer) if !is_blank(Some(answer)) || !fits_blank(field, answer) => {
                let faults = field.values.faults(field, answer);
                said.extend(faults.iter().map(|(_, words)| with_label(field, words)));
                if faults.is_empty() {
                    said.extend(judge_dates(form, &asked, field, answer, answers, today));
                    said.extend(judge_age(field, answer, today));
                }
            }
            _ if whole && *is_asked && field.required => said.push(missing(field)),
            _ => {}
        }
        found.extend(said.into_iter().map(|words| Problem {
            at: at(&field.name),
            words,
        }));
    }
    let unknown = answers.keys().filter(|name| form.field(name).is_none());
    for name in unknown.take(UNKNOWN) {
        found.push(problem(
            at(name),
            "表单没有这一项",
            "the form has no such field",
        ));
    }
    found
}

pub(super) fn at(name: &str) -> String {
    format!("/answers/{}", escape(name))
}

/// A blank text stands for nothing only where text is wanted, an empty list where a list is.
fn fits_blank(field: &Field, answer: &Value) -> bool {
    match answer {
        Value::String(_) => field.kind.is_text(),
        Value::Array(_) => field.kind == Kind::Choices,
        _ => false,
    }
}

pub(super) fn label(field: &Field) -> Words {
    Words::new(
        format!("“{}”", field.title.zh),
        format!("\"{}\"", field.title.en),
    )
}

fn with_label(field: &Field, words: &Words) -> Words {
    let label = label(field);
    Words::new(
        format!("{}：{}", label.zh, words.zh),
        format!("{}: {}", label.en, words.en),
    )
}

/// What to say when a required field is missing.
fn missing(field: &Field) -> Words {
    let label = label(field);
    match field.kind {
        Kind::Choice | Kind::Choices | Kind::Boolean | Kind::Date => Words::new(
            format!("请选择{}", label.zh),
            format!("please choose {}", label.en),
        ),
        Kind::Place => Words::new(
            format!("请在地图上选择{}", label.zh),
            format!("please choose {} on the map", label.en),
        ),
        _ => Words::new(
            format!("请填写{}", label.zh),
            format!("please fill in {}", label.en),
        ),
    }
}

fn judge_dates(
    form: &Form,
    asked: &[bool],
    field: &Field,
    answer: &Value,
    answers: &Map<String, Value>,
    today: Day,
) -> Vec<Words> {
    let Some(day) = answer.as_str().and_then(Day::parse) else {
        return vec![];
    };
    let mut found = vec![];
    for DateRule { is, other } in &field.dates {
        let (bound, name) = match other {
            None => (today, Words::new("今天", "today")),
            Some(other) => {
                let index = form.fields.iter().position(|f| f.name == *other);
                let index = index.filter(|at| asked[*at]);
                let Some(other) = index.map(|at| &form.fields[at]) else {
                    continue;
                };
                let bound = answers.get(&other.name).and_then(Value::as_str);
                let bound = bound.and_then(|text| match is {
                    // A passport says nothing of it.
                    Bound::BirthOf => CitizenNumber::parse(text).ok().map(|n| n.birth()),
                    _ => Day::parse(text),
                });
                let Some(bound) = bound else {
                    continue;
                };
                (bound, label(other))
            }
        };
        let (kept, zh, en) = match is {
            Bound::NotBefore => (day >= bound, "不能早于", "cannot be before"),
            Bound::NotAfter => (day <= bound, "不能晚于", "cannot be after"),
            Bound::After => (day > bound, "应晚于", "should be after"),
            Bound::BirthOf => (day == bound, "不符合", "does not agree with"),
        };
        if !kept {
            let label = label(field);
            found.push(Words::new(
                format!("{}{zh}{}", label.zh, name.zh),
                format!("{} {en} {}", label.en, name.en),
            ));
        }
    }
    found
}

/// Somebody is old enough from the month of that birthday on.
fn judge_age(field: &Field, answer: &Value, today: Day) -> Option<Words> {
    let least = field.least_age?;
    let born = answer.as_str().and_then(Day::parse)?;
    let birthday = born.years_later(i16::try_from(least).ok()?);
    let month = |day: Day| day.to_string().get(..7).map(String::from);
    (month(today) < month(birthday)).then(|| {
        let label = label(field);
        Words::new(
            format!("{}：年满 {least} 周岁的当月起才能申请", label.zh),
            format!(
                "{}: one can apply from the month of the birthday number {least}",
                label.en
            ),
        )
    })
}

/// Answers as they are kept; nothing given is left out.
pub(crate) fn tidy(form: &Form, answers: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, answer) in answers {
        let tidied = match form.field(name) {
            None => Some(answer.clone()),
            Some(_) if answer.is_null() => None,
            Some(field) if is_blank(Some(answer)) && fits_blank(field, answer) => None,
            Some(field) => value::tidy(field, answer),
        };
        if let Some(tidied) = tidied {
            kept.insert(name.clone(), tidied);
        }
    }
    kept
}
