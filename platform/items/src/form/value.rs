//! Values of a field: JSON Schema judges type and bounds, the formats of the state and of the city
//! are judged here. Words are for the resident who fills the form in.

use super::{Field, Kind};
use crate::say::is_hidden;
use jsonschema::error::{ValidationError, ValidationErrorKind as Wrong};
use jsonschema::{Draft, PatternOptions, Validator};
use kernel::Words;
use kernel::numbers::{self, CitizenNumber, CreditCode, Day};
use serde_json::{Value, json};

/// Whole numbers every program reads exactly (RFC 8785).
pub(super) const WHOLE: i64 = 9_007_199_254_740_991;

/// Choices in one answer, at most: more than any field has.
const MOST: usize = 500;

/// Bytes of a compiled pattern, at most.
const PATTERN_BYTES: usize = 1 << 18;

/// Bounds of a field's values.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    pub(super) min_length: Option<u64>,
    pub(super) max_length: Option<u64>,
    pub(super) pattern: Option<String>,
    pub(super) minimum: Option<Value>,
    pub(super) maximum: Option<Value>,
    pub(super) multiple_of: Option<Value>,
}

impl Limits {
    /// Characters when nothing is said.
    pub(super) fn longest(&self, kind: Kind) -> u64 {
        if kind == Kind::Lines { 2_000 } else { 200 }
    }
}

/// Why a value does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is of another type, or of another format.
    Kind,
    /// It is none of the choices.
    Choice,
    /// It breaks a bound.
    Bound,
}

/// Judges values of a field.
#[derive(Default)]
pub(crate) struct Values(Option<Validator>);

impl Values {
    /// `None` when the pattern cannot be used.
    pub(super) fn build(
        kind: Kind,
        choices: &[(String, Words)],
        limits: &Limits,
    ) -> Option<Values> {
        let values: Vec<&str> = choices.iter().map(|(value, _)| value.as_str()).collect();
        let mut schema = match kind {
            Kind::Choice => json!({ "type": "string", "enum": values }),
            Kind::Choices => json!({ "type": "array", "uniqueItems": true,
                "items": { "type": "string", "enum": values } }),
            Kind::Integer => json!({ "type": "integer", "minimum": -WHOLE, "maximum": WHOLE }),
            Kind::Money => json!({ "type": "integer", "minimum": 0, "maximum": WHOLE }),
            Kind::Number => json!({ "type": "number", "minimum": -WHOLE, "maximum": WHOLE }),
            Kind::Boolean => json!({ "type": "boolean" }),
            _ => json!({ "type": "string" }),
        };
        let mut set = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                schema[key] = value;
            }
        };
        if kind == Kind::Choices {
            set("minItems", limits.min_length.map(Value::from));
            set("maxItems", limits.max_length.map(Value::from));
        } else if kind.is_text() && kind != Kind::Choice {
            let most = limits.max_length.unwrap_or(limits.longest(kind));
            set("minLength", limits.min_length.map(Value::from));
            set("maxLength", Some(most.into()));
            set("pattern", limits.pattern.clone().map(Value::from));
        }
        set("minimum", limits.minimum.clone());
        set("maximum", limits.maximum.clone());
        set("multipleOf", limits.multiple_of.clone());
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            // Matches in time linear in the text, so that no answer can keep the machine busy.
            .with_pattern_options(
                PatternOptions::regex()
                    .size_limit(PATTERN_BYTES)
                    .dfa_size_limit(PATTERN_BYTES),
            )
            .build(&schema);
        Some(Values(Some(validator.ok()?)))
    }

    /// What is wrong with a value, for a message that begins with the label of the field.
    pub(crate) fn faults(&self, field: &Field, value: &Value) -> Vec<(Reason, Words)> {
        if let Some(words) = wrong_kind(field, value) {
            return vec![(Reason::Kind, words)];
        }
        let errors = self
            .0
            .iter()
            .flat_map(|validator| validator.iter_errors(value));
        let mut found: Vec<(Reason, Words)> =
            errors.map(|error| said(field, &error)).take(5).collect();
        found.dedup();
        if let (true, Some(text)) = (found.is_empty(), value.as_str()) {
            found.extend(wrong_format(field.kind, text));
        }
        found
    }
}

fn words(zh: impl Into<String>, en: impl Into<String>) -> Words {
    Words::new(zh, en)
}

/// The value is of another JSON type than the field's.
fn wrong_kind(field: &Field, value: &Value) -> Option<Words> {
    let sound = match field.kind {
        Kind::Integer | Kind::Money => value.as_i64().is_some_and(|n| n.abs() <= WHOLE),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Choices => value
            .as_array()
            .is_some_and(|list| list.len() <= MOST && list.iter().all(Value::is_string)),
        _ => value.is_string(),
    };
    (!sound).then(|| match field.kind {
        Kind::Integer => words("应填整数", "should be a whole number"),
        Kind::Money => words("应填金额", "should be an amount of money"),
        Kind::Number => words("应填数值", "should be a number"),
        Kind::Boolean => words("请选择是或否", "choose yes or no"),
        Kind::Choices => words(
            "请在选项中选择（可多选）",
            "choose one or more of the choices",
        ),
        Kind::Choice => words("请在选项中选择", "choose one of the choices"),
        _ => words("应填文字", "should be text"),
    })
}

/// What JSON Schema found, in words.
fn said(field: &Field, error: &ValidationError<'_>) -> (Reason, Words) {
    let unit = |n: &dyn std::fmt::Display| match &field.unit {
        Some(unit) => format!("{n} {unit}"),
        None => n.to_string(),
    };
    let bound = |zh: String, en: String| (Reason::Bound, words(zh, en));
    match error.kind() {
        Wrong::Enum { .. } => (
            Reason::Choice,
            words("请在选项中选择", "choose one of the choices"),
        ),
        Wrong::UniqueItems => bound("同一选项选了两次".into(), "one choice twice".into()),
        Wrong::MinItems { limit } => bound(
            format!("至少选 {limit} 项"),
            format!("choose at least {limit}"),
        ),
        Wrong::MaxItems { limit } => bound(
            format!("最多选 {limit} 项"),
            format!("choose at most {limit}"),
        ),
        Wrong::MinLength { limit } => bound(
            format!("至少 {limit} 个字"),
            format!("at least {limit} characters"),
        ),
        Wrong::MaxLength { limit } => bound(
            format!("最多 {limit} 个字"),
            format!("at most {limit} characters"),
        ),
        Wrong::Minimum { limit } if field.kind == Kind::Money => {
            let yuan = yuan(limit);
            bound(
                format!("不得少于 {yuan} 元"),
                format!("at least {yuan} yuan"),
            )
        }
        Wrong::Maximum { limit } if field.kind == Kind::Money => {
            let yuan = yuan(limit);
            bound(
                format!("不得超过 {yuan} 元"),
                format!("at most {yuan} yuan"),
            )
        }
        Wrong::Minimum { limit } => bound(
            format!("不得小于 {}", unit(limit)),
            format!("at least {}", unit(limit)),
        ),
        Wrong::Maximum { limit } => bound(
            format!("不得大于 {}", unit(limit)),
            format!("at most {}", unit(limit)),
        ),
        Wrong::MultipleOf { multiple_of } => bound(
            format!("应为 {multiple_of} 的整数倍"),
            format!("should be a multiple of {multiple_of}"),
        ),
        Wrong::Pattern { .. } => match (&field.rule, &field.help) {
            (Some(rule), _) => bound(rule.zh.clone(), rule.en.clone()),
            (None, Some(help)) => bound(
                format!("格式不正确：{}", help.zh),
                format!("not in the form wanted: {}", help.en),
            ),
            (None, None) => bound(
                "格式不正确，请核对".into(),
                "not in the form wanted, please check".into(),
            ),
        },
        _ => (Reason::Kind, words("填写的内容不对", "does not fit")),
    }
}

fn yuan(fen: &Value) -> String {
    let fen = fen.as_i64().unwrap_or_default();
    match fen % 100 {
        0 => (fen / 100).to_string(),
        rest => format!("{}.{rest:02}", fen / 100),
    }
}

/// What is wrong with a text.
fn wrong_format(kind: Kind, text: &str) -> Option<(Reason, Words)> {
    if text.contains(|c| is_hidden(c, kind == Kind::Lines)) {
        let said = words(
            "含有看不见的字符，请重新输入",
            "holds characters that cannot be seen; please type it again",
        );
        return Some((Reason::Bound, said));
    }
    let wrong = match kind {
        Kind::Date => Day::parse(text).is_none().then(|| {
            words(
                "应为日期，如 2026-11-21",
                "should be a date such as 2026-11-21",
            )
        }),
        Kind::CitizenNumber => match CitizenNumber::parse(text) {
            Err(fault) => Some(fault.words()),
            Ok(number) => kept_as(text, number.as_str()),
        },
        Kind::CreditCode => match CreditCode::parse(text) {
            Err(fault) => Some(fault.words()),
            Ok(code) => kept_as(text, code.as_str()),
        },
        Kind::Mobile => match numbers::mobile(text) {
            None => Some(words(
                "应为 11 位手机号码",
                "should be a mobile number of 11 digits",
            )),
            Some(number) => kept_as(text, &number),
        },
        Kind::Place => place(text)
            .is_none()
            .then(|| words("请在地图上选择位置", "choose a place on the map")),
        _ => None,
    };
    Some((Reason::Kind, wrong?))
}

fn kept_as(text: &str, kept: &str) -> Option<Words> {
    (text != kept).then(|| {
        words(
            "请不要有空格，字母用大写",
            "no blanks, please, and capital letters",
        )
    })
}

/// Longitude and latitude of `114.502461,38.045474`, in degrees.
pub(super) fn place(text: &str) -> Option<(f64, f64)> {
    let (lon, lat) = text.split_once(',')?;
    let number = |text: &str, most: f64| {
        let plain = text.len() <= 20
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
        let number: f64 = text.parse().ok().filter(|_| plain)?;
        (number.abs() <= most).then_some(number)
    };
    Some((number(lon, 180.0)?, number(lat, 90.0)?))
}

/// A value in the form it is kept in; `None` for nothing.
pub(super) fn tidy(field: &Field, value: &Value) -> Option<Value> {
    let Value::String(text) = value else {
        return Some(value.clone());
    };
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let kept = match field.kind {
        Kind::CitizenNumber => CitizenNumber::parse(trimmed)
            .ok()
            .map(|n| n.as_str().into()),
        Kind::CreditCode => CreditCode::parse(trimmed).ok().map(|c| c.as_str().into()),
        Kind::Mobile => numbers::mobile(trimmed),
        Kind::Choice => Some(text.clone()),
        Kind::Lines => Some(trimmed.replace("\r\n", "\n")),
        _ => None,
    };
    Some(Value::String(kept.unwrap_or_else(|| trimmed.to_owned())))
}

/// The value for another field, if it can be one: text and number, number and whole number, one
/// choice and several. Units and money are never converted.
pub(crate) fn convert(from: &Field, to: &Field, value: &Value) -> Option<Value> {
    let money = (from.kind == Kind::Money) != (to.kind == Kind::Money);
    if from.unit != to.unit || money {
        return None;
    }
    let converted = match (value, to.kind) {
        (Value::String(text), Kind::Integer) => Value::from(text.trim().parse::<i64>().ok()?),
        (Value::String(text), Kind::Number) => {
            let number: f64 = text.trim().parse().ok()?;
            Value::Number(serde_json::Number::from_f64(number)?)
        }
        (Value::Number(number), Kind::Integer | Kind::Money) if number.as_i64().is_none() => {
            let number = number.as_f64().filter(|n| n.fract() == 0.0)?;
            if number.abs() > WHOLE as f64 {
                return None;
            }
            Value::from(number as i64)
        }
        (Value::Number(number), Kind::Text | Kind::Lines) => Value::String(number.to_string()),
        (Value::String(one), Kind::Choices) => json!([one]),
        (Value::Array(several), Kind::Choice | Kind::Text) => match several.as_slice() {
            [Value::String(one)] => Value::String(one.clone()),
            _ => return None,
        },
        _ => value.clone(),
    };
    Some(converted)
}
