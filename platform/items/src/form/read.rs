//! Reading a form.

use super::part::{Faults, Part};
use super::value::{Limits, Values};
use super::{Bound, DateRule, FIELDS, Field, Form, Kind};
use crate::say::{brief, escape, is_name, problem};
use kernel::items::When;
use kernel::{Problem, Words};
use serde_json::Value;
use std::collections::HashMap;

/// Choices of a field, at most.
const CHOICES: usize = 500;
/// Characters of a label.
const TITLE: usize = 100;
/// Characters of a help.
const HELP: usize = 500;

/// Reads the form at this place, with everything that is wrong with it.
pub(crate) fn read(value: &Value, at: &str) -> (Form, Vec<Problem>) {
    let faults = Faults::default();
    let mut form = Form::default();
    if let Some(mut top) = Part::of(value, at.to_owned(), &faults) {
        read_top(&mut form, &mut top, &faults);
        top.finish();
    }
    form.index = form
        .fields
        .iter()
        .enumerate()
        .map(|(at, field)| (field.name.clone(), at))
        .collect();
    compare(&form, at, &faults);
    (form, faults.into_inner())
}

fn read_top(form: &mut Form, top: &mut Part<'_>, faults: &Faults) {
    top.ignore(&["$schema", "title", "x-title-en", "description", "$comment"]);
    if top.get("type").and_then(Value::as_str) != Some("object") {
        top.fault("type", "应为 object", "expected object");
    }
    if let Some(flag) = top.get("additionalProperties")
        && flag != &Value::Bool(false)
    {
        top.fault("additionalProperties", "只能是 false", "can only be false");
    }
    for (n, step) in top.list("x-steps").into_iter().flatten().enumerate() {
        let at = format!("{}/x-steps/{n}", top.at);
        let Some(mut step) = Part::of(step, at, faults) else {
            continue;
        };
        let name = step.demand("name", 40);
        step.demand("title", TITLE);
        step.demand("title-en", TITLE * 3);
        step.pair("help", "help-en", HELP);
        if !is_name(&name, 40) {
            step.fault("name", NAME.0, NAME.1);
        } else if form.steps.contains(&name) {
            step.fault("name", "步骤重名", "two steps of one name");
        }
        step.finish();
        form.steps.push(name);
    }
    form.applicant = super::applicant::read(top, faults);
    if form.steps.len() > 40 {
        top.fault("x-steps", "最多 40 步", "at most 40 steps");
    }
    let required: Vec<&str> = top
        .list("required")
        .into_iter()
        .flatten()
        .map(|name| name.as_str().unwrap_or_default())
        .collect();
    let properties = top.object("properties");
    if properties.is_none_or(|p| p.is_empty() || p.len() > FIELDS) {
        let (zh, en) = (
            format!("应有 1 至 {FIELDS} 个字段"),
            format!("expected 1 to {FIELDS} fields"),
        );
        top.fault("properties", zh, en);
    }
    for (name, field) in properties.into_iter().flatten().take(FIELDS) {
        let at = format!("{}/properties/{}", top.at, escape(name));
        let Some(mut part) = Part::of(field, at, faults) else {
            continue;
        };
        if !is_name(name, 40) {
            part.fault("", NAME.0, NAME.1);
        }
        let field = read_field(name, &mut part, required.contains(&name.as_str()), faults);
        part.finish();
        form.fields.push(field);
    }
    for (n, name) in required.iter().enumerate() {
        let known = properties.is_some_and(|p| p.contains_key(*name));
        if !known || required[..n].contains(name) {
            let name = brief(name);
            top.fault(
                "required",
                format!("“{name}”不是字段，或写了两次"),
                format!("\"{name}\" is no field, or stands twice"),
            );
        }
    }
}

const NAME: (&str, &str) = (
    "名称应为 1 至 40 个小写字母、数字或 _，以字母开头",
    "a name is 1 to 40 of a-z 0-9 _, begun with a letter",
);

fn read_field(name: &str, part: &mut Part<'_>, required: bool, faults: &Faults) -> Field {
    part.ignore(&["description", "$comment"]);
    let title = Words::new(
        part.demand("title", TITLE),
        part.demand("x-title-en", TITLE * 3),
    );
    let kind = read_kind(part);
    let choices = match kind {
        Kind::Choice => read_choices(part),
        Kind::Choices => {
            if !part.has("items") {
                part.fault("items", "缺少选项", "the choices are missing");
            }
            let at = format!("{}/items", part.at);
            let items = part.get("items").and_then(|v| Part::of(v, at, faults));
            items.map_or_else(Vec::new, |mut items| {
                if items.get("type").is_some_and(|t| t != "string") {
                    items.fault("type", "只能是 string", "can only be string");
                }
                let choices = read_choices(&mut items);
                items.finish();
                choices
            })
        }
        _ => vec![],
    };
    let limits = read_limits(part, kind, choices.len());
    let values = Values::build(kind, &choices, &limits).unwrap_or_else(|| {
        part.fault(
            "pattern",
            "正则表达式不正确、过大，或用了环视、反向引用",
            "no regular expression, too large, or with look-around or back-references",
        );
        let without = Limits {
            pattern: None,
            ..limits.clone()
        };
        Values::build(kind, &choices, &without).unwrap_or_default()
    });
    let mut dates = vec![];
    if kind == Kind::Date {
        for (key, is) in [
            ("x-not-before", Bound::NotBefore),
            ("x-not-after", Bound::NotAfter),
            ("x-after", Bound::After),
            ("x-birth-of", Bound::BirthOf),
        ] {
            if let Some(other) = part.text(key, 40) {
                let today = other == "today" && matches!(is, Bound::NotBefore | Bound::NotAfter);
                let other = (!today).then(|| other.to_owned());
                dates.push(DateRule { is, other });
            }
        }
    }
    let is_date = kind == Kind::Date;
    let least_age = is_date.then(|| part.count("x-least-age", 1, 150)).flatten();
    let rule = match kind {
        Kind::Text | Kind::Lines => part.pair("x-rule", "x-rule-en", TITLE),
        _ => None,
    };
    if rule.is_some() && limits.pattern.is_none() {
        part.fault("x-rule", "没有 pattern", "there is no pattern");
    }
    let unit = match kind.is_number() {
        true => part.text("x-unit", 20).map(str::to_owned),
        false => None,
    };
    Field {
        name: name.to_owned(),
        title,
        kind,
        choices,
        required,
        personal: part.flag("x-personal"),
        when: read_when(part),
        prefill: part.text("x-prefill", 100).map(str::to_owned),
        was: part.text("x-was", 40).map(str::to_owned),
        unit,
        help: part.pair("x-help", "x-help-en", HELP),
        rule,
        least_age,
        step: part.text("x-step", 40).map(str::to_owned),
        dates,
        longest: limits.max_length.unwrap_or(limits.longest(kind)),
        values,
    }
}

fn read_kind(part: &mut Part<'_>) -> Kind {
    let of_type = part.get("type").and_then(Value::as_str).unwrap_or_default();
    let chosen = of_type == "string" && part.has("enum");
    let format = match part.get("format") {
        None => "",
        Some(Value::String(format)) => format.as_str(),
        Some(_) => "?",
    };
    let kind = match (of_type, format) {
        ("string", "") if chosen => Kind::Choice,
        ("string", "") => Kind::Text,
        ("string", "textarea") => Kind::Lines,
        ("string", "date") => Kind::Date,
        ("string", "citizen-number") => Kind::CitizenNumber,
        ("string", "credit-code") => Kind::CreditCode,
        ("string", "mobile") => Kind::Mobile,
        ("string", "place") => Kind::Place,
        ("integer", "") => Kind::Integer,
        ("integer", "money-fen") => Kind::Money,
        ("number", "") => Kind::Number,
        ("boolean", "") => Kind::Boolean,
        ("array", "") => Kind::Choices,
        ("string" | "integer" | "number" | "boolean" | "array", other) => {
            let other = brief(other);
            part.fault(
                "format",
                format!("{of_type} 没有格式“{other}”"),
                format!("there is no format \"{other}\" of {of_type}"),
            );
            if of_type == "integer" {
                Kind::Integer
            } else {
                Kind::Text
            }
        }
        _ => {
            part.fault(
                "type",
                "应为 string、integer、number、boolean、array 之一",
                "expected string, integer, number, boolean or array",
            );
            Kind::Text
        }
    };
    if chosen && kind != Kind::Choice {
        part.fault("enum", "有 format 时不能有 enum", "no enum beside a format");
    }
    kind
}

fn read_choices(part: &mut Part<'_>) -> Vec<(String, Words)> {
    let values = part.list("enum");
    let words = part.object("x-words");
    if values.is_none_or(|v| v.is_empty() || v.len() > CHOICES) {
        part.fault(
            "enum",
            format!("应有 1 至 {CHOICES} 个选项"),
            format!("expected 1 to {CHOICES} choices"),
        );
    }
    let mut choices: Vec<(String, Words)> = vec![];
    for value in values.into_iter().flatten().take(CHOICES) {
        let Some(value) = value.as_str().filter(|v| (1..=60).contains(&v.len())) else {
            part.fault(
                "enum",
                "选项的值应为 1 至 60 字节的文字",
                "the value of a choice is a text of 1 to 60 bytes",
            );
            continue;
        };
        if choices.iter().any(|(known, _)| known == value) {
            part.fault(
                "enum",
                format!("“{value}”写了两次"),
                format!("\"{value}\" stands twice"),
            );
            continue;
        }
        let said = words.and_then(|words| words.get(value));
        let said = said.and_then(|w| serde_json::from_value::<Words>(w.clone()).ok());
        let said = said.filter(|w| {
            let fine = |text: &str| (1..=TITLE * 3).contains(&text.trim().chars().count());
            fine(&w.zh) && fine(&w.en)
        });
        if said.is_none() {
            part.fault(
                "x-words",
                format!("缺少选项“{value}”的文字：{{ zh, en }}"),
                format!("the words of the choice \"{value}\" are missing: {{ zh, en }}"),
            );
        }
        let said = said.unwrap_or_else(|| Words::new(value, value));
        choices.push((value.to_owned(), said));
    }
    for name in words.into_iter().flat_map(|words| words.keys()) {
        if !choices.iter().any(|(known, _)| known == name) {
            let name = brief(name);
            part.fault(
                "x-words",
                format!("没有选项“{name}”"),
                format!("there is no choice \"{name}\""),
            );
        }
    }
    choices
}

fn read_limits(part: &mut Part<'_>, kind: Kind, choices: usize) -> Limits {
    let mut limits = Limits::default();
    match kind {
        Kind::Text | Kind::Lines => {
            limits.min_length = part.count("minLength", 0, 5_000);
            limits.max_length = part.count("maxLength", 1, 5_000);
            limits.pattern = part.text("pattern", 200).map(str::to_owned);
            let most = limits.max_length.unwrap_or(limits.longest(kind));
            if limits.min_length.is_some_and(|least| least > most) {
                part.fault("minLength", "大于 maxLength", "is more than maxLength");
            }
        }
        Kind::Choices => {
            let most = choices.max(1) as u64;
            limits.min_length = part.count("minItems", 0, most);
            limits.max_length = part.count("maxItems", 1, most);
            if let (Some(least), Some(most)) = (limits.min_length, limits.max_length)
                && least > most
            {
                part.fault("minItems", "大于 maxItems", "is more than maxItems");
            }
        }
        Kind::Integer | Kind::Money | Kind::Number => {
            limits.minimum = part.number("minimum").cloned();
            limits.maximum = part.number("maximum").cloned();
            limits.multiple_of = part.number("multipleOf").cloned();
            let number = |v: &Option<Value>| v.as_ref().and_then(Value::as_f64);
            if let (Some(least), Some(most)) = (number(&limits.minimum), number(&limits.maximum))
                && least > most
            {
                part.fault("minimum", "大于 maximum", "is more than maximum");
            }
            if number(&limits.multiple_of).is_some_and(|n| n <= 0.0) {
                part.fault("multipleOf", "应大于 0", "should be more than 0");
                limits.multiple_of = None;
            }
        }
        _ => {}
    }
    limits
}

fn read_when(part: &mut Part<'_>) -> Vec<When> {
    let mut found = vec![];
    for (n, when) in part.list("x-when").into_iter().flatten().enumerate() {
        match serde_json::from_value::<When>(when.clone()) {
            Ok(when) => found.push(when),
            Err(_) => part.fault_at(
                &format!("x-when/{n}"),
                "应为 { field: 字段, in: [值] }",
                "expected { field, in: [values] }",
            ),
        }
    }
    found
}

/// What fields say of each other.
fn compare(form: &Form, at: &str, faults: &Faults) {
    let report = |field: &Field, key: &str, zh: String, en: String| {
        let at = format!("{at}/properties/{}/{key}", escape(&field.name));
        faults.borrow_mut().push(problem(at, zh, en));
    };
    super::applicant::compare(form, at, faults);
    let mut olds: HashMap<&str, &str> = HashMap::new();
    let mut last_step = 0;
    for (n, field) in form.fields.iter().enumerate() {
        for (w, when) in field.when.iter().enumerate() {
            let before = form.index.get(&when.field).filter(|at| **at < n);
            let Some(other) = before.map(|at| &form.fields[*at]) else {
                let name = brief(&when.field);
                report(
                    field,
                    &format!("x-when/{w}"),
                    format!("“{name}”不是排在前面的字段"),
                    format!("\"{name}\" is no field before this one"),
                );
                continue;
            };
            if let Some((zh, en)) = impossible(other, when) {
                report(field, &format!("x-when/{w}"), zh, en);
            }
        }
        for rule in &field.dates {
            let Some(other) = &rule.other else { continue };
            let (kind, zh, en) = match rule.is {
                Bound::BirthOf => (
                    Kind::CitizenNumber,
                    "是身份号码字段",
                    "field of a citizen number",
                ),
                _ => (Kind::Date, "是另一个日期字段", "other date field"),
            };
            let fits = form.field(other).is_some_and(|f| f.kind == kind);
            if !fits || *other == field.name {
                let key = match rule.is {
                    Bound::NotBefore => "x-not-before",
                    Bound::NotAfter => "x-not-after",
                    Bound::After => "x-after",
                    Bound::BirthOf => "x-birth-of",
                };
                let other = brief(other);
                report(
                    field,
                    key,
                    format!("“{other}”不{zh}"),
                    format!("\"{other}\" is no {en}"),
                );
            }
        }
        if let Some(was) = &field.was {
            let taken = olds.insert(was, &field.name).is_some();
            if taken || form.field(was).is_some() || !is_name(was, 40) {
                report(
                    field,
                    "x-was",
                    "应为已不再使用的旧字段名，且只写一次".into(),
                    "expected the name of a field that is no more, once".into(),
                );
            }
        }
        let step = field
            .step
            .as_ref()
            .map(|s| form.steps.iter().position(|k| k == s));
        match step {
            None if form.steps.is_empty() => {}
            Some(Some(step)) if step >= last_step => last_step = step,
            Some(Some(_)) => report(
                field,
                "x-step",
                "字段应按步骤的顺序排列".into(),
                "fields stand in the order of the steps".into(),
            ),
            _ => report(
                field,
                "x-step",
                "应为 x-steps 中的一步".into(),
                "expected one of x-steps".into(),
            ),
        }
    }
    for (n, step) in form.steps.iter().enumerate() {
        if !form.fields.iter().any(|f| f.step.as_ref() == Some(step)) {
            let fault = problem(
                format!("{at}/x-steps/{n}"),
                "这一步没有字段",
                "the step has no field",
            );
            faults.borrow_mut().push(fault);
        }
    }
}

/// What is wrong with a condition on this field.
pub(super) fn impossible(field: &Field, when: &When) -> Option<(String, String)> {
    if when.is.is_empty() || when.is.len() > 100 {
        return Some((
            "应有 1 至 100 个值".into(),
            "expected 1 to 100 values".into(),
        ));
    }
    let wrong = when.is.iter().find(|value| !field.can_be(value))?;
    let wrong = brief(&wrong.to_string());
    let name = &field.name;
    Some((
        format!("“{name}”不可能是 {wrong}"),
        format!("\"{name}\" can never be {wrong}"),
    ))
}

impl Form {
    /// What is wrong with conditions that stand outside of the form, at `at/<n>`.
    pub(crate) fn conditions(&self, when: &[When], at: &str) -> Vec<Problem> {
        let mut found = vec![];
        for (n, when) in when.iter().enumerate() {
            let wrong = match self.field(&when.field) {
                Some(field) => impossible(field, when),
                None => {
                    let name = brief(&when.field);
                    Some((
                        format!("表单没有字段“{name}”"),
                        format!("the form has no field \"{name}\""),
                    ))
                }
            };
            if let Some((zh, en)) = wrong {
                found.push(problem(format!("{at}/{n}"), zh, en));
            }
        }
        found
    }
}
