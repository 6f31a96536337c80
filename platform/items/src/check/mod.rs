//! Checking a content before it is published: everything that is wrong with it, each at its place.
//! What the rest of the city says is asked first ([`facts`]); the judgement is pure.

mod facts;
mod guidance;
mod outcome;
mod sources;

pub use facts::Surroundings;
pub(crate) use facts::{Ask, Facts};

use crate::desk::STANDARD;
use crate::form::{self, Form};
use crate::say::{brief, escape, is_name, problem};
use crate::shape;
use kernel::cases::{Count, Limit};
use kernel::items::{Item, ItemContent, Serves};
use kernel::numbers::CreditCode;
use kernel::parties::{MATTERS, is_matter};
use kernel::{Fault, Problem};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Kinds of letters an item may word differently.
pub const LETTERS: [&str; 6] = [
    "receipt",
    "acceptance",
    "correction",
    "non_acceptance",
    "approval",
    "refusal",
];

/// Bytes of a content as JSON, at most.
pub const CONTENT_LIMIT: usize = 500_000;

/// Reads a content that may be incomplete: the content with its wrong parts left out, as far as there
/// is any, and what is wrong.
pub(crate) fn read(value: &Value) -> (Option<ItemContent>, Vec<Problem>) {
    let mut found = shape::compare(value);
    let Some(map) = value.as_object() else {
        return (None, found);
    };
    let bad = wrong_parts(&found);
    let mut sound = Map::new();
    for key in shape::ITEM {
        let given = map.get(key.name).filter(|_| !bad.contains(key.name));
        let stand_in = match key.need {
            shape::Need::Must => Some(stand_in(key.name)),
            _ => None,
        };
        if let Some(value) = given.cloned().or(stand_in) {
            sound.insert(key.name.into(), value);
        }
    }
    match serde_json::from_value(Value::Object(sound)) {
        Ok(content) => (Some(content), found),
        Err(why) => {
            found.push(problem(
                "",
                "内容无法读取",
                format!("cannot be read: {why}"),
            ));
            (None, found)
        }
    }
}

/// The keys of the top something is wrong below.
fn wrong_parts(found: &[Problem]) -> BTreeSet<String> {
    let top = |problem: &Problem| {
        let mut parts = problem.at.split('/');
        parts.nth(1).map(str::to_owned)
    };
    found.iter().filter_map(top).collect()
}

/// What stands for a part that is missing or wrong, so that the others can be judged.
fn stand_in(key: &str) -> Value {
    match key {
        "type" => json!("20"),
        "level" => json!("city"),
        "serves" => json!("either"),
        "statutory" | "promised" => json!({ "days": 1, "count": "working_days" }),
        "basis" | "channels" => json!([]),
        "title" => json!({ "zh": "", "en": "" }),
        "outcome" => json!({ "title": { "zh": "", "en": "" } }),
        "form" => json!({}),
        _ => json!(""),
    }
}

/// Everything that is wrong with a content, given what the city says. `own` is the item's name.
pub(crate) async fn check(
    value: &Value,
    own: Option<&str>,
    ask: &impl facts::Ask,
) -> Result<Vec<Problem>, Fault> {
    let (content, mut found) = read(value);
    let Some(content) = content else {
        return Ok(found);
    };
    let bad = wrong_parts(&found);
    let (form, of_form) = form::read(&content.form, "/form");
    let facts = Facts::gather(&content, &form, own, ask).await?;
    let mut judged = of_form;
    judged.extend(judge(&content, &form, own, &facts));
    // A part that is wrong in itself was replaced: what was found in it says nothing. Nor does the
    // code of the type when there is none.
    judged.retain(|problem| {
        let top = problem.at.split('/').nth(1).unwrap_or_default();
        !(bad.contains(top) || top == "task_code" && bad.contains("type"))
    });
    found.extend(judged);
    Ok(found)
}

fn judge(content: &ItemContent, form: &Form, own: Option<&str>, facts: &Facts) -> Vec<Problem> {
    let mut found = head(content, facts);
    for (name, of_desk) in &content.desk_forms {
        let at = format!("/desk_forms/{}", escape(name));
        if !is_name(name, 40) {
            let (zh, en) = ("表单名应为小写字母、数字或 _", "a name of a-z 0-9 _");
            found.push(problem(at.clone(), zh, en));
        }
        let (read, problems) = form::read(of_desk, &at);
        found.extend(problems);
        for field in read.fields.iter().filter(|field| field.prefill.is_some()) {
            found.push(problem(
                format!("{at}/properties/{}/x-prefill", field.name),
                "办理表单不能预填",
                "forms of the desk are not filled in from elsewhere",
            ));
        }
    }
    for (n, fee) in content.fees.iter().enumerate() {
        found.extend(form.conditions(&fee.when, &format!("/fees/{n}/when")));
    }
    for kind in content.letters.keys() {
        if !LETTERS.contains(&kind.as_str()) {
            found.push(problem(
                format!("/letters/{}", escape(kind)),
                format!("文书应为 {} 之一", LETTERS.join("、")),
                format!("expected one of {}", LETTERS.join(", ")),
            ));
        }
    }
    found.extend(facts.letters.iter().map(|(kind, wrong)| Problem {
        at: format!("/letters/{}", escape(kind)),
        words: wrong.words.clone(),
    }));
    found.extend(sources::prefills(form, facts));
    found.extend(sources::materials(content, form, facts));
    found.extend(outcome::check(content, form, facts));
    found.extend(guidance::check(content, form, own, facts));
    found.extend(bundle(content, form, own, facts));
    found
}

fn head(content: &ItemContent, facts: &Facts) -> Vec<Problem> {
    let mut found = codes(content);
    if !facts.organisation {
        let name = brief(&content.organisation);
        found.push(problem(
            "/organisation",
            format!("没有机构“{name}”"),
            format!("there is no organisation \"{name}\""),
        ));
    }
    if !is_matter(&content.matter) {
        let names: Vec<&str> = MATTERS.iter().map(|(name, ..)| *name).collect();
        found.push(problem(
            "/matter",
            format!("应为 {} 之一", names.join("、")),
            format!("expected one of {}", names.join(", ")),
        ));
    }
    if calendar_days(content.promised) > calendar_days(content.statutory) {
        found.push(problem(
            "/promised",
            "承诺时限长于法定时限",
            "the promise is longer than the law gives",
        ));
    }
    if content.instant && content.promised.days > 1 {
        found.push(problem(
            "/promised",
            "即办件的承诺时限应为 1 天",
            "an item decided at once promises one day",
        ));
    }
    for (n, channel) in content.channels.iter().enumerate() {
        if content.channels[..n].contains(channel) {
            let (zh, en) = ("渠道写了两次", "the channel stands twice");
            found.push(problem(format!("/channels/{n}"), zh, en));
        }
    }
    for (n, way) in content.delivery.iter().enumerate() {
        if content.delivery[..n].contains(way) {
            let (zh, en) = ("送达方式写了两次", "the way stands twice");
            found.push(problem(format!("/delivery/{n}"), zh, en));
        }
    }
    found
}

/// Working days count as the calendar days they take, five to seven.
fn calendar_days(limit: Limit) -> u32 {
    match limit.count {
        Count::CalendarDays => limit.days,
        Count::WorkingDays => limit.days + limit.days / 5 * 2,
    }
}

fn codes(content: &ItemContent) -> Vec<Problem> {
    let mut found = vec![];
    let plain = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
    };
    let catalogue = &content.catalogue_code;
    if catalogue.len() != 12 || !plain(catalogue) {
        found.push(problem(
            "/catalogue_code",
            "基本编码应为 12 位数字或大写字母",
            "the code in the base catalogue is 12 digits or capitals",
        ));
    }
    let code = &content.task_code;
    if code.len() != 31 || !plain(code) {
        found.push(problem(
            "/task_code",
            "实施编码应为 31 位：统一社会信用代码 18 位、类型 2 位、序号 11 位",
            "the code is of 31 characters: credit code (18), type (2), number (11)",
        ));
        return found;
    }
    if let Err(fault) = CreditCode::parse(&code[..18]) {
        let words = fault.words();
        found.push(problem(
            "/task_code",
            format!("前 18 位应为统一社会信用代码：{}", words.zh),
            format!("the first 18 should be a credit code: {}", words.en),
        ));
    }
    let kind = serde_json::to_value(content.kind).unwrap_or_default();
    if kind.as_str() != Some(&code[18..20]) {
        found.push(problem(
            "/task_code",
            "第 19、20 位应为事项类型",
            "the characters 19 and 20 should be the type",
        ));
    }
    if !code[20..].bytes().all(|b| b.is_ascii_digit()) {
        found.push(problem(
            "/task_code",
            "后 11 位应为数字",
            "the last 11 should be digits",
        ));
    }
    found
}

/// A process that decides, or items handled together.
fn bundle(content: &ItemContent, form: &Form, own: Option<&str>, facts: &Facts) -> Vec<Problem> {
    let mut found = vec![];
    match (&content.process, content.bundle.is_empty()) {
        (None, true) => found.push(problem(
            "/process",
            "缺少办理流程（一件事则写 bundle）",
            "the process is missing (or the bundle)",
        )),
        (Some(_), false) => found.push(problem(
            "/process",
            "一件事没有自己的流程",
            "a bundle has no process of its own",
        )),
        (Some(process), true) if !facts.process => {
            let name = brief(process);
            found.push(problem(
                "/process",
                format!("没有流程“{name}”"),
                format!("there is no process \"{name}\""),
            ));
        }
        _ => {}
    }
    for name in &facts.process_forms {
        let known = STANDARD.contains(&name.as_str()) || content.desk_forms.contains_key(name);
        if !known {
            let short = brief(name);
            found.push(problem(
                format!("/desk_forms/{}", escape(name)),
                format!("流程的任务要用表单“{short}”，但没有这个表单"),
                format!("a task of the process asks for the form \"{short}\", which is missing"),
            ));
        }
    }
    if content.bundle.len() == 1 {
        let (zh, en) = ("一件事应有 2 个以上事项", "a bundle has two items or more");
        found.push(problem("/bundle", zh, en));
    }
    for (n, name) in content.bundle.iter().enumerate() {
        let at = format!("/bundle/{n}");
        if content.bundle[..n].contains(name) {
            found.push(problem(at, "事项写了两次", "the item stands twice"));
            continue;
        }
        let item = facts.item(name).filter(|_| own != Some(name.as_str()));
        let Some(item) = item else {
            let name = brief(name);
            found.push(problem(
                at,
                format!("没有在用的事项“{name}”"),
                format!("there is no item \"{name}\" in force"),
            ));
            continue;
        };
        if !item.content.bundle.is_empty() {
            let (zh, en) = ("一件事不能再含一件事", "a bundle cannot contain a bundle");
            found.push(problem(at, zh, en));
            continue;
        }
        found.extend(member(content, form, item, &at));
    }
    for around in &facts.bundled_in {
        found.extend(contained(content, form, around));
    }
    found
}

fn may_serve(bundle: Serves, member: Serves) -> bool {
    member == Serves::Either || bundle == member
}

/// What an item of a bundle asks for, the bundle must ask.
fn member(content: &ItemContent, form: &Form, item: &Item, at: &str) -> Vec<Problem> {
    let mut found = vec![];
    let title = &item.content.title;
    if !may_serve(content.serves, item.content.serves) {
        found.push(problem(
            at,
            format!("“{}”的服务对象不同", title.zh),
            format!("\"{}\" serves others", title.en),
        ));
    }
    let (of_member, _) = form::read(&item.content.form, "");
    for (zh, en) in lacking(form, &of_member) {
        found.push(problem(
            at,
            format!("“{}”：{zh}", title.zh),
            format!("\"{}\": {en}", title.en),
        ));
    }
    found
}

/// An item that stands in bundles may not ask for more than they do.
fn contained(content: &ItemContent, form: &Form, around: &Item) -> Vec<Problem> {
    let title = &around.content.title;
    let mut found = vec![];
    if !content.bundle.is_empty() {
        found.push(problem(
            "/bundle",
            format!("此事项属于一件事“{}”，不能再含其他事项", title.zh),
            format!("this item is part of the bundle \"{}\"", title.en),
        ));
    }
    let (of_bundle, _) = form::read(&around.content.form, "");
    for (zh, en) in lacking(&of_bundle, form) {
        found.push(problem(
            "/form",
            format!("一件事“{}”的表单须先改：{zh}", title.zh),
            format!(
                "the form of the bundle \"{}\" must change first: {en}",
                title.en
            ),
        ));
    }
    found
}

/// What the form of a bundle lacks for an item of it.
fn lacking(bundle: &Form, member: &Form) -> Vec<(String, String)> {
    let mut found = vec![];
    for field in &member.fields {
        let (zh, en) = (&field.title.zh, &field.title.en);
        match bundle.field(&field.name) {
            None if field.required => found.push((
                format!("缺少字段 {}（{zh}）", field.name),
                format!("the field {} ({en}) is missing", field.name),
            )),
            Some(other) if other.kind != field.kind => found.push((
                format!("字段 {}（{zh}）的类型不同", field.name),
                format!("the field {} ({en}) is of another type", field.name),
            )),
            Some(other)
                if other
                    .choices
                    .iter()
                    .any(|(value, _)| !field.choices.iter().any(|(known, _)| known == value)) =>
            {
                found.push((
                    format!("字段 {}（{zh}）有它没有的选项", field.name),
                    format!(
                        "the field {} ({en}) has choices it does not know",
                        field.name
                    ),
                ));
            }
            Some(other) if field.required && field.when.is_empty() && !other.required => {
                found.push((
                    format!("字段 {}（{zh}）应为必填", field.name),
                    format!("the field {} ({en}) should be required", field.name),
                ));
            }
            _ => {}
        }
    }
    found
}
