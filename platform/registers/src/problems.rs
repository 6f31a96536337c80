//! Problems: what JSON Schema finds wrong, said in Chinese and English to the person who filled
//! in the form, each at its field.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use kernel::declare::{FieldKind, RegisterDecl};
use kernel::{Problem, Words};
use serde_json::Value;

/// Choices named in a message, at most.
const CHOICES_SHOWN: usize = 12;

/// Problems of one finding (several when several fields are unknown). `prefix` is put before the
/// JSON pointer.
pub(crate) fn of(decl: &RegisterDecl, error: &ValidationError<'_>, prefix: &str) -> Vec<Problem> {
    let at = format!("{prefix}{}", error.instance_path());
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| Problem {
                at: format!("{at}/{}", escape(name)),
                words: Words::new(
                    format!("登记簿“{}”没有字段“{name}”", decl.title.zh),
                    format!("{} has no field \"{name}\"", decl.title.en),
                ),
            })
            .collect(),
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let title = decl
                .field(name)
                .map(|f| f.title.clone())
                .unwrap_or_default();
            vec![Problem {
                at: format!("{at}/{}", escape(name)),
                words: Words::new(
                    format!("请填写“{}”", title.zh),
                    format!("\"{}\" is required", title.en),
                ),
            }]
        }
        kind => {
            let path = error.instance_path().to_string();
            let field = decl.field(path.trim_start_matches('/'));
            let words = words(kind, field.map(|f| &f.kind), error);
            vec![Problem { at, words }]
        }
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn words(kind: &Kind, field: Option<&FieldKind>, error: &ValidationError<'_>) -> Words {
    match kind {
        Kind::Type { kind } => of_type(kind),
        Kind::Enum { options } => of_choices(options, field),
        Kind::Pattern { pattern } => Words::new(
            format!("格式不正确，应符合 {pattern}"),
            format!("should match {pattern}"),
        ),
        Kind::Format { format } => of_format(format),
        Kind::MinLength { limit } => Words::new(
            format!("至少 {limit} 个字"),
            format!("at least {limit} characters"),
        ),
        Kind::MaxLength { limit } => Words::new(
            format!("最多 {limit} 个字"),
            format!("at most {limit} characters"),
        ),
        Kind::Minimum { limit } => {
            Words::new(format!("不得小于 {limit}"), format!("at least {limit}"))
        }
        Kind::Maximum { limit } => {
            Words::new(format!("不得大于 {limit}"), format!("at most {limit}"))
        }
        Kind::ExclusiveMinimum { limit } => {
            Words::new(format!("须大于 {limit}"), format!("more than {limit}"))
        }
        Kind::ExclusiveMaximum { limit } => {
            Words::new(format!("须小于 {limit}"), format!("less than {limit}"))
        }
        Kind::MultipleOf { multiple_of } => Words::new(
            format!("须为 {multiple_of} 的整数倍"),
            format!("a multiple of {multiple_of}"),
        ),
        Kind::Constant { expected_value } => Words::new(
            format!("只能是 {expected_value}"),
            format!("can only be {expected_value}"),
        ),
        other => Words::new(
            format!("不符合规则 {}", other.keyword()),
            format!("breaks the rule {}: {}", other.keyword(), error.masked()),
        ),
    }
}

fn of_type(kind: &TypeKind) -> Words {
    let name = match kind {
        TypeKind::Single(name) => name.to_string(),
        TypeKind::Multiple(_) => String::new(),
    };
    match name.as_str() {
        "string" => Words::new("应为文字", "should be text"),
        "integer" => Words::new("应为整数", "should be a whole number"),
        "number" => Words::new("应为数值", "should be a number"),
        "boolean" => Words::new("应为是或否（true 或 false）", "should be true or false"),
        _ => Words::new("类型不正确", "is of the wrong type"),
    }
}

fn of_choices(options: &Value, field: Option<&FieldKind>) -> Words {
    let values: Vec<String> = match options {
        Value::Array(values) => values.iter().map(scalar).collect(),
        other => vec![scalar(other)],
    };
    let title = |value: &String| {
        let Some(FieldKind::Choice { of }) = field else {
            return Words::new(value, value);
        };
        let found = of.iter().find(|(v, w)| v == value && w.zh != *value);
        found.map_or_else(
            || Words::new(value, value),
            |(_, w)| {
                Words::new(
                    format!("{value}（{}）", w.zh),
                    format!("{value} ({})", w.en),
                )
            },
        )
    };
    let shown: Vec<Words> = values.iter().take(CHOICES_SHOWN).map(title).collect();
    let zh: Vec<&str> = shown.iter().map(|w| w.zh.as_str()).collect();
    let en: Vec<&str> = shown.iter().map(|w| w.en.as_str()).collect();
    let (more_zh, more_en) = if values.len() > CHOICES_SHOWN {
        (" 等", " and others")
    } else {
        ("", "")
    };
    Words::new(
        format!("应为其中之一：{}{more_zh}", zh.join("、")),
        format!("should be one of {}{more_en}", en.join(", ")),
    )
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn of_format(format: &str) -> Words {
    match format {
        "date" => Words::new(
            "应为日期，如 2026-11-21",
            "should be a date such as 2026-11-21",
        ),
        "date-time" => Words::new(
            "应为带时区的时间，如 2026-11-21T10:32:00+08:00",
            "should be a time with its offset such as 2026-11-21T10:32:00+08:00",
        ),
        "email" => Words::new("应为电子邮件地址", "should be an e-mail address"),
        "uri" => Words::new("应为网址", "should be a URI"),
        other => Words::new(
            format!("格式应为 {other}"),
            format!("should be of the format {other}"),
        ),
    }
}
