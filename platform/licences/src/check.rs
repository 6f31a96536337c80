//! Checking what a licence is to be issued from: everything that is wrong with it is named, each
//! at its place.

use crate::identifier::is_serial;
use crate::{is_invisible, problem, said};
use kernel::declare::{FieldKind, HolderKind, LicenceField, Validity};
use kernel::licences::{Holder, HolderDocument, LicenceType, NewLicence};
use kernel::numbers::{self, CitizenNumber, CreditCode, Day};
use kernel::{Problem, Span, Time};
use serde_json::Value;

/// Whole numbers every program reads exactly (RFC 8785 asks for no more).
const WHOLE: i64 = 9_007_199_254_740_991;

/// A sound request: numbers and names in the form they are kept in, and from when to when.
pub(crate) struct Sound {
    pub(crate) new: NewLicence,
    pub(crate) valid_from: Time,
    pub(crate) valid_to: Option<Time>,
}

/// Judges a request; every problem is named.
pub(crate) fn check(
    kind: &LicenceType,
    new: &NewLicence,
    now: Time,
) -> Result<Sound, Vec<Problem>> {
    let mut problems: Vec<Problem> = said("source", &new.source, 200).into_iter().collect();
    let holder = check_holder(kind.decl.holder, &new.holder, &mut problems);
    if let Some(number) = &new.number {
        problems.extend(said("number", number, 60));
    }
    if new
        .serial
        .as_deref()
        .is_some_and(|serial| !is_serial(serial))
    {
        problems.push(problem(
            "serial",
            "流水号应为 1 至 40 个数字或大写字母",
            "expected 1 to 40 of 0-9 and A-Z",
        ));
    }
    if new.grade.is_some_and(|grade| grade < kind.decl.grade) {
        problems.push(problem(
            "grade",
            "可信等级不能高于此类证照的等级",
            "the trust grade cannot be higher than that of the type",
        ));
    }
    if new.issued_on.is_some_and(|day| day > Day::of(now)) {
        problems.push(problem(
            "issued_on",
            "颁发日期在将来",
            "the day of issue is in the future",
        ));
    }
    check_fields(kind, new, &mut problems);
    let (valid_from, valid_to) = check_days(kind, new, now, &mut problems);
    let Some(holder) = holder.filter(|_| problems.is_empty()) else {
        return Err(problems);
    };
    Ok(Sound {
        new: NewLicence {
            holder,
            ..new.clone()
        },
        valid_from,
        valid_to,
    })
}

fn check_days(
    kind: &LicenceType,
    new: &NewLicence,
    now: Time,
    problems: &mut Vec<Problem>,
) -> (Time, Option<Time>) {
    let first = new.valid_from.or(new.issued_on);
    let first = first.unwrap_or_else(|| Day::of(now));
    // The day after the last is the first on which it does not count.
    let after = |day: Day| day.starts() + Span::days(1);
    let valid_to = match (new.valid_to, kind.decl.validity) {
        (Some(last), _) => Some(after(last)),
        (None, Validity::Unlimited) => None,
        (None, Validity::Years(years)) => Some(first.years_later(years).starts()),
        (None, Validity::Days(days)) => Some(first.starts() + Span::days(days.into())),
    };
    if valid_to.is_some_and(|to| to <= first.starts()) {
        problems.push(problem(
            "valid_to",
            "有效期止不能早于有效期起",
            "the last day is before the first",
        ));
    }
    (first.starts(), valid_to)
}

fn check_holder(
    allowed: HolderKind,
    holder: &Holder,
    problems: &mut Vec<Problem>,
) -> Option<Holder> {
    let natural = holder.is_natural();
    let fits = match allowed {
        HolderKind::Natural => natural,
        HolderKind::Legal => !natural,
        HolderKind::Either => true,
    };
    if !fits {
        problems.push(problem(
            "holder/document",
            "此类证照不发给这类持证主体",
            "licences of this type are not issued to such a holder",
        ));
    }
    let number = match holder.document {
        HolderDocument::CreditCode => {
            CreditCode::parse(&holder.number).map(|code| code.as_str().into())
        }
        HolderDocument::Passport => numbers::passport(&holder.number),
        HolderDocument::CitizenNumber | HolderDocument::ResidencePermit => {
            CitizenNumber::parse(&holder.number).map(|number| number.as_str().into())
        }
    };
    let name = if natural {
        numbers::person_name(&holder.name)
    } else {
        Some(holder.name.trim().to_string()).filter(|name| said("", name, 100).is_none())
    };
    if let Err(fault) = &number {
        problems.push(Problem {
            at: "holder/number".into(),
            words: fault.words(),
        });
    }
    if name.is_none() {
        problems.push(problem(
            "holder/name",
            "名称须与证件一致",
            "the name as in the document is needed",
        ));
    }
    Some(Holder {
        document: holder.document,
        number: number.ok()?,
        name: name?,
    })
}

fn check_fields(kind: &LicenceType, new: &NewLicence, problems: &mut Vec<Problem>) {
    for name in new.fields.keys() {
        if kind.decl.field(name).is_none() {
            let name: String = name.chars().take(60).collect();
            problems.push(problem(
                format!("fields/{name}"),
                "此类证照没有这个字段",
                "licences of this type have no such field",
            ));
        }
    }
    for field in &kind.decl.fields {
        let at = format!("fields/{}", field.name);
        match new.fields.get(&field.name) {
            None | Some(Value::Null) if field.required => {
                problems.push(problem(at, "必须填写", "it must be there"));
            }
            None => {}
            Some(Value::Null) => {
                problems.push(problem(
                    at,
                    "没有值的字段请不要写",
                    "leave a field without a value out",
                ));
            }
            Some(value) => {
                if let Some((zh, en)) = wrong(field, value) {
                    problems.push(problem(at, zh, en));
                }
            }
        }
    }
}

/// What is wrong with a value.
fn wrong(field: &LicenceField, value: &Value) -> Option<(String, String)> {
    let sound = match &field.kind {
        FieldKind::Text | FieldKind::Time | FieldKind::Reference { .. } => {
            let longest = field.longest;
            let plain = |text: &str| {
                let length = text.chars().count();
                (1..=longest).contains(&length) && !text.contains(is_invisible)
            };
            return (!value.as_str().is_some_and(plain)).then(|| {
                (
                    format!("应为 1 至 {longest} 个字"),
                    format!("expected 1 to {longest} characters"),
                )
            });
        }
        FieldKind::Integer => value.as_i64().is_some_and(|n| n.abs() <= WHOLE),
        FieldKind::Number => value.as_f64().is_some_and(|n| n.abs() <= WHOLE as f64),
        FieldKind::Boolean => value.is_boolean(),
        FieldKind::Date => value
            .as_str()
            .is_some_and(|text| Day::parse(text).is_some()),
        FieldKind::Choice { of } => {
            let words: Vec<&str> = of.iter().map(|(word, _)| word.as_str()).collect();
            return (!value.as_str().is_some_and(|text| words.contains(&text))).then(|| {
                (
                    format!("应为 {} 之一", words.join("、")),
                    format!("expected one of {}", words.join(", ")),
                )
            });
        }
    };
    let (zh, en) = match &field.kind {
        FieldKind::Integer => ("应为整数", "expected a whole number"),
        FieldKind::Number => ("应为数值", "expected a number"),
        FieldKind::Boolean => ("应为 true 或 false", "expected true or false"),
        _ => (
            "应为日期（如 2026-11-21）",
            "expected a date such as 2026-11-21",
        ),
    };
    (!sound).then(|| (zh.into(), en.into()))
}
