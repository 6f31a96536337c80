//! Forms of the desk that stand in when an item brings none of that name: acceptance, review,
//! approval, inspection, hearing.

use serde_json::{Value, json};

/// Names of the forms, in the order of the office.
pub const STANDARD: [&str; 5] = ["accept", "review", "approve", "inspect", "hearing"];

/// The form of this name.
pub(crate) fn standard(name: &str) -> Option<Value> {
    let flag = |zh: &str, en: &str| json!({ "type": "boolean", "title": zh, "x-title-en": en });
    let note =
        || json!({ "type": "string", "format": "textarea", "title": "备注", "x-title-en": "Note" });
    let reason = |field: &str, values: Value| {
        json!({ "type": "string", "format": "textarea", "title": "理由", "x-title-en": "Reason",
            "minLength": 2, "maxLength": 1000, "x-when": [{ "field": field, "in": values }] })
    };
    let day = |zh: &str, en: &str| {
        json!({ "type": "string", "format": "date", "title": zh, "x-title-en": en,
            "x-not-after": "today" })
    };
    let long = |zh: &str, en: &str| {
        json!({ "type": "string", "format": "textarea", "title": zh, "x-title-en": en,
            "minLength": 2 })
    };
    Some(match name {
        "accept" => json!({ "type": "object", "required": ["accepted"], "properties": {
            "accepted": flag("符合受理条件", "Fulfils the conditions of acceptance"),
            "note": note() } }),
        "review" => json!({ "type": "object", "required": ["opinion", "reason"], "properties": {
            "opinion": { "type": "string", "title": "审查意见", "x-title-en": "Opinion",
                "enum": ["agree", "disagree"], "x-words": {
                    "agree": { "zh": "同意", "en": "Agree" },
                    "disagree": { "zh": "不同意", "en": "Disagree" } } },
            "reason": reason("opinion", json!(["disagree"])),
            "note": note() } }),
        "approve" => json!({ "type": "object", "required": ["approved", "reason", "basis"],
            "properties": {
                "approved": flag("准予", "Approved"),
                "reason": reason("approved", json!([false])),
                "basis": { "type": "string", "title": "法律依据", "x-title-en": "Legal basis",
                    "minLength": 2, "maxLength": 300,
                    "x-when": [{ "field": "approved", "in": [false] }] },
                "note": note() } }),
        "inspect" => json!({ "type": "object", "required": ["passed", "inspected_on", "findings"],
            "properties": {
                "passed": flag("现场核查合格", "Passed the inspection"),
                "inspected_on": day("核查日期", "Inspected on"),
                "findings": long("核查情况", "Findings") } }),
        "hearing" => json!({ "type": "object", "required": ["held_on", "attended", "record"],
            "properties": {
                "held_on": day("听证日期", "Held on"),
                "attended": flag("申请人到场", "The applicant attended"),
                "record": long("听证记录", "Record of the hearing") } }),
        _ => return None,
    })
}
