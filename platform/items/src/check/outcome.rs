//! The result of an item: the licence it issues, and where each of its fields comes from.

use super::Facts;
use crate::form::{Field, Form, Kind};
use crate::say::{brief, escape, problem};
use kernel::Problem;
use kernel::declare::{FieldKind, HolderKind, LicenceDecl, LicenceField};
use kernel::items::{ItemContent, Serves};
use kernel::numbers::Day;

type Words = (String, String);

/// Everything wrong with the result.
pub(super) fn check(content: &ItemContent, form: &Form, facts: &Facts) -> Vec<Problem> {
    let outcome = &content.outcome;
    let mut found = holder(content, form);
    let Some(name) = &outcome.licence else {
        if !outcome.fields.is_empty() {
            found.push(problem(
                "/outcome/fields",
                "没有证照，就没有证照字段",
                "there are no fields without a licence",
            ));
        }
        return found;
    };
    let Some(decl) = facts.licence(name) else {
        let name = brief(name);
        found.push(problem(
            "/outcome/licence",
            format!("没有证照类型“{name}”"),
            format!("there is no type of licence \"{name}\""),
        ));
        return found;
    };
    if let Some((zh, en)) = wrong_holder(content, form, decl) {
        found.push(problem("/outcome/licence", zh, en));
    }
    for (name, path) in &outcome.fields {
        let at = format!("/outcome/fields/{}", escape(name));
        let wrong = match decl.field(name) {
            None => Some((
                "此类证照没有这个字段".into(),
                "licences of this type have no such field".into(),
            )),
            Some(field) => wrong_path(field, path, form),
        };
        if let Some((zh, en)) = wrong {
            found.push(problem(at, zh, en));
        }
    }
    for field in decl.fields.iter().filter(|field| field.required) {
        if !outcome.fields.contains_key(&field.name) {
            found.push(problem(
                format!("/outcome/fields/{}", field.name),
                format!("证照必填字段“{}”没有来源", field.title.zh),
                format!("the required field \"{}\" has no source", field.title.en),
            ));
        }
    }
    found
}

fn of_form<'a>(path: &str, form: &'a Form) -> Option<&'a Field> {
    form.field(path.strip_prefix("form.")?)
}

/// Always answered when the form is whole.
fn always(field: &Field) -> bool {
    field.required && field.when.is_empty()
}

fn holder(content: &ItemContent, form: &Form) -> Vec<Problem> {
    let Some(paths) = &content.outcome.holder else {
        return vec![];
    };
    let mut found = vec![];
    let number = of_form(&paths.number, form).is_some_and(|field| {
        always(field) && matches!(field.kind, Kind::CitizenNumber | Kind::CreditCode)
    });
    if !number {
        found.push(problem(
            "/outcome/holder/number",
            "应为 form.<必填的身份号码或统一社会信用代码字段>",
            "expected form.<required field of a citizen number or credit code>",
        ));
    }
    let name = of_form(&paths.name, form).is_some_and(|f| always(f) && f.kind == Kind::Text);
    if !name {
        found.push(problem(
            "/outcome/holder/name",
            "应为 form.<必填的文字字段>",
            "expected form.<required text field>",
        ));
    }
    found
}

/// Are licences of the type not issued to those the item serves?
fn wrong_holder(content: &ItemContent, form: &Form, decl: &LicenceDecl) -> Option<Words> {
    let paths = content.outcome.holder.as_ref();
    let (natural, legal) = match paths.map(|paths| of_form(&paths.number, form)) {
        Some(number) => {
            let kind = number?.kind;
            (kind == Kind::CitizenNumber, kind == Kind::CreditCode)
        }
        None => (
            content.serves != Serves::Legal,
            content.serves != Serves::Natural,
        ),
    };
    let wrong = match decl.holder {
        HolderKind::Either => false,
        HolderKind::Natural => legal,
        HolderKind::Legal => natural,
    };
    wrong.then(|| {
        (
            "此类证照不发给事项的服务对象".into(),
            "licences of this type are not issued to those the item serves".into(),
        )
    })
}

fn wrong_path(to: &LicenceField, path: &str, form: &Form) -> Option<Words> {
    if let Some(constant) = path.strip_prefix('=') {
        return (!is_constant(to, constant)).then(|| {
            (
                "这个常量不能填入证照字段".into(),
                "the constant does not fit the field of the licence".into(),
            )
        });
    }
    if matches!(path, "applicant.name" | "applicant.number" | "number") {
        return (!matches!(to.kind, FieldKind::Text)).then(|| {
            (
                "证照字段不是文字".into(),
                "the field of the licence takes no text".into(),
            )
        });
    }
    let Some(field) = of_form(path, form) else {
        return Some((
            "应为 form.<字段>、applicant.name、applicant.number、number，或 = 后写常量".into(),
            "expected form.<field>, applicant.name, applicant.number, number, or a constant behind ="
                .into(),
        ));
    };
    if to.required && !always(field) {
        return Some((
            format!("“{}”不是一定填写的字段，而证照字段必填", field.title.zh),
            format!(
                "\"{}\" is not always answered, but the licence needs it",
                field.title.en
            ),
        ));
    }
    if !fits(field, to) {
        let kind = field.kind.words();
        return Some((
            format!("“{}”（{}）与证照字段的类型不符", field.title.zh, kind.zh),
            format!(
                "\"{}\" ({}) does not fit the type of the field of the licence",
                field.title.en, kind.en
            ),
        ));
    }
    let longest = match field.kind {
        Kind::Text | Kind::Lines => field.longest,
        _ => 0,
    };
    (longest > to.longest as u64).then(|| {
        let (most, title) = (to.longest, &field.title);
        (
            format!(
                "“{}”可填 {longest} 个字，证照只能放 {most} 个；请写 maxLength",
                title.zh
            ),
            format!(
                "\"{}\" takes {longest} characters, the licence {most}; set maxLength",
                title.en
            ),
        )
    })
}

fn fits(field: &Field, to: &LicenceField) -> bool {
    match &to.kind {
        FieldKind::Text | FieldKind::Time | FieldKind::Reference { .. } => field.kind.is_text(),
        FieldKind::Integer => matches!(field.kind, Kind::Integer | Kind::Money),
        FieldKind::Number => field.kind.is_number(),
        FieldKind::Boolean => field.kind == Kind::Boolean,
        FieldKind::Date => field.kind == Kind::Date,
        FieldKind::Choice { of } => {
            field.kind == Kind::Choice
                && field
                    .choices
                    .iter()
                    .all(|(value, _)| of.iter().any(|(known, _)| known == value))
        }
    }
}

fn is_constant(to: &LicenceField, constant: &str) -> bool {
    match &to.kind {
        FieldKind::Integer => constant.parse::<i64>().is_ok(),
        FieldKind::Number => constant.parse::<f64>().is_ok_and(f64::is_finite),
        FieldKind::Boolean => matches!(constant, "true" | "false"),
        FieldKind::Date => Day::parse(constant).is_some(),
        FieldKind::Choice { of } => of.iter().any(|(known, _)| known == constant),
        _ => (1..=to.longest).contains(&constant.chars().count()),
    }
}
