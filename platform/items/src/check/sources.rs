//! Where the city knows things already: what fields are filled from, and what answers materials.

use super::Facts;
use crate::form::{Field, Form, Kind};
use crate::say::{brief, problem};
use kernel::Problem;
use kernel::declare::FieldKind;
use kernel::items::{ItemContent, Source};

/// What a value from elsewhere is.
enum Given<'a> {
    Text,
    Number,
    Birth,
    Mobile,
    Code,
    Of(&'a FieldKind),
}

/// Can a field take it?
fn takes(field: &Field, given: &Given<'_>) -> bool {
    use Kind::{Choice, CitizenNumber, CreditCode, Date, Integer, Lines, Mobile, Place, Text};
    match given {
        Given::Text => matches!(field.kind, Text | Lines),
        Given::Number => matches!(field.kind, Text | CitizenNumber),
        Given::Birth => field.kind == Date,
        Given::Mobile => matches!(field.kind, Text | Mobile),
        Given::Code => matches!(field.kind, Text | CreditCode),
        Given::Of(FieldKind::Text) => matches!(
            field.kind,
            Text | Lines | CitizenNumber | CreditCode | Mobile | Place
        ),
        Given::Of(FieldKind::Reference { .. } | FieldKind::Time) => field.kind == Text,
        Given::Of(FieldKind::Integer) => matches!(field.kind, Integer | Kind::Number | Kind::Money),
        Given::Of(FieldKind::Number) => field.kind == Kind::Number,
        Given::Of(FieldKind::Boolean) => field.kind == Kind::Boolean,
        Given::Of(FieldKind::Date) => field.kind == Date,
        Given::Of(FieldKind::Choice { of }) => match field.kind {
            Text => true,
            Choice => of
                .iter()
                .any(|(value, _)| field.choices.iter().any(|(known, _)| known == value)),
            _ => false,
        },
    }
}

/// What is at the end of a path, or why there is nothing.
fn given<'a>(path: &str, facts: &'a Facts) -> Result<Given<'a>, (String, String)> {
    let parts: Vec<&str> = path.splitn(3, '.').collect();
    let none = |zh: &str, en: &str, name: &str| {
        let name = brief(name);
        Err((
            format!("没有{zh}“{name}”"),
            format!("there is no {en} \"{name}\""),
        ))
    };
    match parts.as_slice() {
        ["person" | "party", "name"] => Ok(Given::Text),
        ["person", "number"] => Ok(Given::Number),
        ["person", "birth"] => Ok(Given::Birth),
        ["person", "mobile"] => Ok(Given::Mobile),
        ["party", "code"] => Ok(Given::Code),
        ["register", name, field] => match facts.register(name) {
            None => none("登记簿", "register", name),
            Some(decl) => match decl.field(field) {
                None => none("登记簿字段", "field of the register", field),
                Some(field) => Ok(Given::Of(&field.kind)),
            },
        },
        ["licence", name, field] => match facts.licence(name) {
            None => none("证照类型", "type of licence", name),
            Some(decl) => match decl.field(field) {
                None => none("证照字段", "field of the licence", field),
                Some(field) => Ok(Given::Of(&field.kind)),
            },
        },
        _ => Err((
            "应为 person.name、person.number、person.birth、person.mobile、party.name、party.code、register.<登记簿>.<字段>、licence.<类型>.<字段> 之一".into(),
            "expected person.name, person.number, person.birth, person.mobile, party.name, party.code, register.<register>.<field> or licence.<type>.<field>".into(),
        )),
    }
}

/// Every field that is filled from elsewhere.
pub(super) fn prefills(form: &Form, facts: &Facts) -> Vec<Problem> {
    let mut found = vec![];
    for field in &form.fields {
        let Some(path) = &field.prefill else { continue };
        let at = format!("/form/properties/{}/x-prefill", field.name);
        match given(path, facts) {
            Err((zh, en)) => found.push(problem(at, zh, en)),
            Ok(given) if !takes(field, &given) => {
                let kind = field.kind.words();
                found.push(problem(
                    at,
                    format!("“{}”的内容不能填入{}字段", brief(path), kind.zh),
                    format!(
                        "\"{}\" does not fit a field that takes {}",
                        brief(path),
                        kind.en
                    ),
                ));
            }
            Ok(_) => {}
        }
    }
    found
}

/// Names, conditions and sources of materials.
pub(super) fn materials(content: &ItemContent, form: &Form, facts: &Facts) -> Vec<Problem> {
    let mut found = vec![];
    for (n, material) in content.materials.iter().enumerate() {
        let at = format!("/materials/{n}");
        if content.materials[..n]
            .iter()
            .any(|m| m.name == material.name)
        {
            let (zh, en) = ("材料重名", "two materials of one name");
            found.push(problem(format!("{at}/name"), zh, en));
        }
        if material.may_follow && !material.required {
            found.push(problem(
                format!("{at}/may_follow"),
                "非必要的材料无须容缺",
                "what need not be there need not follow",
            ));
        }
        found.extend(form.conditions(&material.when, &format!("{at}/when")));
        for (s, source) in material.sources.iter().enumerate() {
            let at = format!("{at}/sources/{s}");
            found.extend(source_of(source, form, facts, &at));
        }
    }
    found
}

fn source_of(source: &Source, form: &Form, facts: &Facts, at: &str) -> Vec<Problem> {
    let mut found = vec![];
    match source {
        Source::Licence { kind } => {
            if facts.licence(kind).is_none() {
                let name = brief(kind);
                found.push(problem(
                    format!("{at}/kind"),
                    format!("没有证照类型“{name}”"),
                    format!("there is no type of licence \"{name}\""),
                ));
            }
        }
        Source::Register { register, key } => {
            if facts.register(register).is_none() {
                let name = brief(register);
                found.push(problem(
                    format!("{at}/register"),
                    format!("没有登记簿“{name}”"),
                    format!("there is no register \"{name}\""),
                ));
            }
            let field = key.strip_prefix("form.").and_then(|name| form.field(name));
            let known = matches!(key.as_str(), "person.number" | "party.code");
            if !known && !field.is_some_and(|field| field.kind.is_text()) {
                found.push(problem(
                    format!("{at}/key"),
                    "应为 person.number、party.code 或 form.<文字字段>",
                    "expected person.number, party.code or form.<text field>",
                ));
            }
        }
    }
    found
}
