//! What the letters about an application say.

use crate::body::Body;
use crate::change::Open;
use kernel::applications::MaterialState;
use kernel::items::Item;
use serde_json::{Map, Value, json};

/// What a letter says, by its kind; `number` is that of its kind, from 1.
pub(crate) fn letter_fields(
    open: &Open,
    item: &Item,
    kind: &str,
    number: usize,
) -> Map<String, Value> {
    let (row, body): (_, &Body) = (&open.row, &open.body);
    let holder = &body.applicant.holder;
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.into(), value);
    };
    put("number", row.number.clone().into());
    put("title", row.title_zh.clone().into());
    put("applicant", holder.name.clone().into());
    put(
        "applicant_number",
        crate::views::applicant_line(&body.applicant, false)
            .number
            .into(),
    );
    put(
        "submitted_at",
        kernel::Time(row.submitted_at).rfc3339().into(),
    );
    match kind {
        "receipt" => {
            put("check", body.check.clone().into());
            let received: Vec<Value> = body.materials.iter().filter_map(received).collect();
            put("materials", received.into());
        }
        "acceptance" => {
            let at = row.accepted_at.map(|at| kernel::Time(at).rfc3339());
            put("at", at.unwrap_or_default().into());
            let deemed = body.steps.iter().any(|s| s.what == "deemed_accepted");
            put("deemed", deemed.into());
            put("days", body.promised.days.into());
        }
        "correction" => {
            let mut told = body.rounds.iter().filter(|round| !round.of_bundle);
            let round = told.nth(number.saturating_sub(1));
            let missing = round.iter().flat_map(|round| &round.missing);
            let points =
                missing.map(|m| json!({ "name": title_of(item, body, &m.at), "problem": m.what }));
            put("missing", points.collect::<Vec<_>>().into());
            let at = round.map(|round| round.at.rfc3339());
            put("at", at.unwrap_or_default().into());
        }
        _ => {
            if let Some(decision) = &body.decision {
                put("reason", decision.reason.clone().into());
                put("basis", decision.basis.clone().into());
                put("at", decision.at.rfc3339().into());
            }
        }
    }
    fields
}

/// A material as the receipt lists it; `None` when there is nothing of it.
fn received(material: &MaterialState) -> Option<Value> {
    let (form, copies) = match (&material.answered_by, material.files.len()) {
        (_, files) if files > 0 => ("电子", files.to_string()),
        (Some((_, from)), _) => {
            return Some(json!({
                "name": material.title.zh, "form": format!("免提交（{}）", from.zh), "copies": "—",
            }));
        }
        _ if material.following => ("承诺后补", "—".into()),
        _ => return None,
    };
    Some(json!({ "name": material.title.zh, "form": form, "copies": copies }))
}

/// What a point of a correction is about, as the form and the list of materials call it.
fn title_of(item: &Item, body: &Body, at: &str) -> String {
    let title = match at.split_once('/') {
        Some(("answers", field)) => {
            let field = item
                .content
                .form
                .get("properties")
                .and_then(|all| all.get(field));
            let title = field.and_then(|field| field.get("title"));
            title.and_then(Value::as_str).map(String::from)
        }
        Some(("materials", name)) => {
            let had = body.materials.iter().find(|m| m.name == name);
            let had = had.map(|material| material.title.zh.clone());
            let asked = || {
                let found = item.content.materials.iter().find(|m| m.name == name);
                found.map(|material| material.title.zh.clone())
            };
            had.or_else(asked)
        }
        _ => None,
    };
    title.unwrap_or_else(|| "其他".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::applications::FileLine;
    use kernel::items::Source;
    use kernel::{Time, Words};

    fn material(files: usize, answered: Option<&str>, following: bool) -> MaterialState {
        let file = FileLine {
            id: "f".into(),
            name: "a.pdf".into(),
            media: "application/pdf".into(),
            bytes: 1,
            at: Time(0),
        };
        let source = Source::Register {
            register: "people".into(),
            key: "person.number".into(),
        };
        MaterialState {
            name: "id_card".into(),
            title: Words::new("居民身份证", "Identity card"),
            required: true,
            may_follow: true,
            following,
            answered_by: answered.map(|title| (source, Words::new(title, ""))),
            files: vec![file; files],
            licence: None,
            note: None,
        }
    }

    #[test]
    fn a_receipt_lists_what_was_handed_in_and_says_what_was_not_asked_for() {
        let check = |material: MaterialState, expect: Value| {
            let row = received(&material).map(|row| json!([row["form"], row["copies"]]));
            assert_eq!(row.unwrap_or(Value::Null), expect);
        };
        check(material(2, None, false), json!(["电子", "2"]));
        check(
            material(0, Some("人口"), false),
            json!(["免提交（人口）", "—"]),
        );
        check(material(0, None, true), json!(["承诺后补", "—"]));
        check(material(0, None, false), Value::Null);
    }
}
