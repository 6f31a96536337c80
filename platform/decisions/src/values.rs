//! Values: JSON to FEEL and back, as `kernel::decisions` says. What goes in is bounded and refused
//! with the pointer of every fault; what comes out loses no digit.

use crate::limits::{CHARACTERS_LIMIT, INPUT_DEPTH_LIMIT, VALUES_LIMIT};
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_feel::{FeelNumber, Name};
use kernel::fault::{Fault, Problem, Words};
use serde_json::{Map, Number, Value, json};

/// Reads JSON values and collects what is wrong with them.
#[derive(Default)]
pub(crate) struct Reader {
    /// What was wrong so far.
    pub(crate) problems: Vec<Problem>,
    values: usize,
    characters: usize,
}

impl Reader {
    /// Notes a fault; the first hundred are told.
    pub(crate) fn wrong(&mut self, at: &str, zh: impl Into<String>, en: impl Into<String>) {
        if self.problems.len() < 100 {
            self.problems.push(Problem {
                at: if at.is_empty() { "/".into() } else { at.into() },
                words: Words::new(zh, en),
            });
        }
    }

    /// `input.invalid` with everything that was wrong, if anything was.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        match self.problems.is_empty() {
            true => Ok(()),
            false => Err(Fault::invalid(self.problems)),
        }
    }

    /// Counts a value against the limits; says whether there is room for it.
    pub(crate) fn room(&mut self, at: &str, value: &Value, depth: usize) -> bool {
        self.values += 1;
        if let Value::String(text) = value {
            self.characters += text.len();
        }
        let over = self.values > VALUES_LIMIT || self.characters > CHARACTERS_LIMIT;
        if (over && self.problems.is_empty()) || depth > INPUT_DEPTH_LIMIT {
            self.wrong(
                at,
                format!("输入过大：最多 {VALUES_LIMIT} 个值、{CHARACTERS_LIMIT} 个字符、嵌套 {INPUT_DEPTH_LIMIT} 层"),
                format!("the input is too large: at most {VALUES_LIMIT} values, {CHARACTERS_LIMIT} characters, {INPUT_DEPTH_LIMIT} levels"),
            );
        }
        !over && depth <= INPUT_DEPTH_LIMIT
    }

    /// A value as it stands.
    pub(crate) fn value(&mut self, at: &str, value: &Value, depth: usize) -> Feel {
        if !self.room(at, value, depth) {
            return Feel::Null(None);
        }
        match value {
            Value::Null => Feel::Null(None),
            Value::Bool(truth) => Feel::Boolean(*truth),
            Value::Number(number) => self.number(at, &number.to_string()),
            Value::String(text) => Feel::String(text.clone()),
            Value::Array(items) => Feel::List(
                items
                    .iter()
                    .enumerate()
                    .map(|(place, item)| self.value(&format!("{at}/{place}"), item, depth + 1))
                    .collect(),
            ),
            Value::Object(object) => match tagged(object) {
                Some((tag, text)) => self.tagged(at, tag, text),
                None => Feel::Context(self.context(at, object, depth)),
            },
        }
    }

    /// An object as a context.
    pub(crate) fn context(
        &mut self,
        at: &str,
        object: &Map<String, Value>,
        depth: usize,
    ) -> FeelContext {
        let mut context = FeelContext::default();
        for (key, value) in object {
            let value = self.value(&format!("{at}/{}", pointer(key)), value, depth + 1);
            context.set_entry(&name(key), value);
        }
        context
    }

    fn number(&mut self, at: &str, text: &str) -> Feel {
        match text.parse::<FeelNumber>() {
            Ok(number) => Feel::Number(number),
            Err(_) => {
                self.wrong(
                    at,
                    format!("“{text}”不是可用的数"),
                    format!("\"{text}\" is not a usable number"),
                );
                Feel::Null(None)
            }
        }
    }

    /// A date, time, duration or number under its tag.
    pub(crate) fn tagged(&mut self, at: &str, tag: &str, text: &str) -> Feel {
        let read = match tag {
            "@number" if plain_number(text) => return self.number(at, text),
            "@date" => Feel::try_from_xsd_date(text).ok(),
            "@time" => Feel::try_from_xsd_time(text).ok(),
            "@date-time" => Feel::try_from_xsd_date_time(text).ok(),
            "@duration" => Feel::try_from_xsd_duration(text).ok(),
            _ => None,
        };
        read.unwrap_or_else(|| {
            self.wrong(
                at,
                format!("“{text}”不是有效的 {tag}"),
                format!("\"{text}\" is not a valid {tag}"),
            );
            Feel::Null(None)
        })
    }
}

/// Digits with a sign, a point and an exponent: what may be called a number.
fn plain_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.map(|e| e.trim_start_matches(['+', '-']));
    text.len() <= 100
        && (whole.is_empty() || number(whole))
        && number(part)
        && exponent.is_none_or(|e| number(e) && e.len() <= 5)
}

/// The tag and text of an object such as `{"@date": "2026-11-25"}`.
pub(crate) fn tagged(object: &Map<String, Value>) -> Option<(&str, &str)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((tag, Value::String(text))), None) if tag.starts_with('@') => Some((tag, text)),
        _ => None,
    }
}

/// A key as a name of FEEL: runs of white space are one space.
pub(crate) fn name(key: &str) -> Name {
    if key.contains(char::is_whitespace) {
        key.split_whitespace().collect::<Vec<_>>().join(" ").into()
    } else {
        key.into()
    }
}

/// A key as a part of a JSON pointer (RFC 6901).
pub(crate) fn pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A FEEL value as JSON. Fails for functions and other things that are no data.
pub(crate) fn to_json(value: &Feel) -> Result<Value, Fault> {
    Ok(match value {
        Feel::Null(_) => Value::Null,
        Feel::Boolean(truth) => Value::Bool(*truth),
        Feel::Number(number) => number_to_json(*number),
        Feel::String(text) => Value::String(text.clone()),
        Feel::Date(date) => json!({"@date": date.to_string()}),
        Feel::Time(time) => json!({"@time": time.to_string()}),
        Feel::DateTime(moment) => json!({"@date-time": moment.to_string()}),
        Feel::DaysAndTimeDuration(duration) => json!({"@duration": duration.to_string()}),
        Feel::YearsAndMonthsDuration(duration) => json!({"@duration": duration.to_string()}),
        Feel::List(items) | Feel::ExpressionList(items) => {
            Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?)
        }
        Feel::Context(context) => {
            let mut object = Map::new();
            for (name, value) in context.iter() {
                object.insert(name.to_string(), to_json(value)?);
            }
            Value::Object(object)
        }
        range @ Feel::Range(..) => json!({"@range": range.to_string()}),
        Feel::Transparent(inner) => to_json(inner)?,
        other => {
            let what = other.type_of();
            return Err(Fault::invalid_at(
                "result",
                format!("结果是 {what}，不是数据"),
                format!("the result is {what}, which is no data"),
            ));
        }
    })
}

/// Why a value is `null`, when the library says so; cut to a length for reading.
pub(crate) fn why_null(value: &Feel) -> Option<String> {
    match value {
        Feel::Null(Some(why)) => Some(why.chars().take(300).collect()),
        _ => None,
    }
}

/// A number that a double reads without loss is a JSON number; any other is its decimal text.
fn number_to_json(number: FeelNumber) -> Value {
    let text = number.to_string();
    if number.is_integer()
        && let Ok(whole) = text.parse::<i64>()
        && whole.unsigned_abs() <= 1 << 53
    {
        return Value::Number(whole.into());
    }
    let double = text.parse::<f64>().ok().filter(|d| d.is_finite());
    let same = double.filter(|double| {
        let back = format!("{double:e}").parse::<FeelNumber>();
        back.is_ok_and(|back| back == number)
    });
    match same.and_then(Number::from_f64) {
        Some(number) => Value::Number(number),
        None => json!({"@number": text}),
    }
}
