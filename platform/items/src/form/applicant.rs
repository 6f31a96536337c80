//! Who applies: a form may say which field tells what the applicant is to whom it is about, and
//! which holds that person's number; the server compares both with the applicant.

use super::judge::{at, label};
use super::part::{Faults, Part};
use super::{Form, Kind};
use crate::say::problem;
use kernel::Problem;
use serde_json::{Map, Value};

/// Which field says who applies, and which holds the number of whom it is about.
pub(super) struct Applies {
    /// One choice: what the applicant is to whom it is about.
    field: String,
    /// The choice of who applies for themselves.
    own: String,
    /// The number of whom it is about.
    number: String,
}

/// Reads `x-applicant` at the top of a form.
pub(super) fn read(top: &mut Part<'_>, faults: &Faults) -> Option<Applies> {
    let place = format!("{}/x-applicant", top.at);
    let mut part = Part::of(top.get("x-applicant")?, place, faults)?;
    let rule = Applies {
        field: part.demand("field", 40),
        own: part.demand("self", 60),
        number: part.demand("number", 40),
    };
    part.finish();
    Some(rule)
}

/// What it names must be there, and be of the kind.
pub(super) fn compare(form: &Form, at: &str, faults: &Faults) {
    let Some(rule) = &form.applicant else {
        return;
    };
    let wrong = |key: &str, zh: &str, en: &str| {
        let place = format!("{at}/x-applicant/{key}");
        faults.borrow_mut().push(problem(place, zh, en));
    };
    match form.field(&rule.field) {
        Some(field) if field.kind == Kind::Choice => {
            if !field.choices.iter().any(|(value, _)| *value == rule.own) {
                wrong("self", "不是该字段的选项", "is no choice of that field");
            }
        }
        _ => wrong(
            "field",
            "应是一个单选字段",
            "should be a field of one choice",
        ),
    }
    let number = form.field(&rule.number);
    if number.is_none_or(|field| field.kind != Kind::CitizenNumber) {
        let (zh, en) = (
            "应是一个身份号码字段",
            "should be a field of a citizen number",
        );
        wrong("number", zh, en);
    }
}

/// What speaks against an applicant of this number: who says they apply for themselves gives their
/// own number, who applies for somebody else gives that person's.
pub(crate) fn judge_applicant(
    form: &Form,
    answers: &Map<String, Value>,
    applicant: &str,
) -> Vec<Problem> {
    let Some(rule) = &form.applicant else {
        return vec![];
    };
    let said = |name: &str| answers.get(name).and_then(Value::as_str);
    let (Some(who), Some(number)) = (said(&rule.field), said(&rule.number)) else {
        // What is missing is named already.
        return vec![];
    };
    let (Some(field), Some(numbered)) = (form.field(&rule.field), form.field(&rule.number)) else {
        return vec![];
    };
    let own = number.trim().eq_ignore_ascii_case(applicant);
    let (who_label, number_label) = (label(field), label(numbered));
    let chosen = field.choice(who);
    if who == rule.own && !own {
        return vec![problem(
            at(&rule.number),
            format!(
                "{}选了“{}”，{}应是申请人本人的号码；替他人申请的，请改选与其关系",
                who_label.zh, chosen.zh, number_label.zh
            ),
            format!(
                "{} is answered \"{}\", so {} must be the applicant's own; who applies for somebody else says what they are to them",
                who_label.en, chosen.en, number_label.en
            ),
        )];
    }
    if who != rule.own && own {
        let itself = field.choice(&rule.own);
        return vec![problem(
            at(&rule.field),
            format!(
                "{}是申请人本人的号码：为自己申请的，{}请选“{}”；替他人申请的，请填写其号码",
                number_label.zh, who_label.zh, itself.zh
            ),
            format!(
                "{} is the applicant's own: who applies for themselves answers {} with \"{}\", who applies for somebody else gives their number",
                number_label.en, who_label.en, itself.en
            ),
        )];
    }
    vec![]
}
