//! Forms: the subset of JSON Schema 2020-12 with `x-` keywords that `docs/items.md` lists, read into
//! fields. What is not understood is named; what could be read is there all the same, so that one
//! fault does not hide another.

mod applicant;
mod judge;
mod part;
mod read;
mod value;

pub(crate) use applicant::judge_applicant;
pub(crate) use judge::{judge, tidy};
pub(crate) use read::read;
pub(crate) use value::{Reason, Values, convert};

use kernel::Words;
use kernel::items::When;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Fields of a form, at most.
pub(crate) const FIELDS: usize = 300;

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One line.
    Text,
    /// Several lines.
    Lines,
    /// `2026-11-21`.
    Date,
    /// GB 11643.
    CitizenNumber,
    /// GB 32100.
    CreditCode,
    /// Eleven digits.
    Mobile,
    /// `longitude,latitude`.
    Place,
    /// One of some choices.
    Choice,
    /// Several of some choices.
    Choices,
    /// Whole number.
    Integer,
    /// Fen.
    Money,
    /// Number.
    Number,
    /// Yes or no.
    Boolean,
}

impl Kind {
    /// Is its value a JSON string?
    pub(crate) fn is_text(self) -> bool {
        use Kind::{Boolean, Choices, Integer, Money, Number};
        !matches!(self, Choices | Integer | Money | Number | Boolean)
    }
    /// Is its value a JSON number?
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Money | Kind::Number)
    }
    /// What it is called in messages.
    pub(crate) fn words(self) -> Words {
        let (zh, en) = match self {
            Kind::Text => ("文字", "text"),
            Kind::Lines => ("多行文字", "text of several lines"),
            Kind::Date => ("日期", "a date"),
            Kind::CitizenNumber => ("身份号码", "a citizen number"),
            Kind::CreditCode => ("统一社会信用代码", "a credit code"),
            Kind::Mobile => ("手机号码", "a mobile number"),
            Kind::Place => ("位置", "a place"),
            Kind::Choice => ("单选", "one choice"),
            Kind::Choices => ("多选", "several choices"),
            Kind::Integer => ("整数", "a whole number"),
            Kind::Money => ("金额", "an amount of money"),
            Kind::Number => ("数值", "a number"),
            Kind::Boolean => ("是或否", "yes or no"),
        };
        Words::new(zh, en)
    }
}

/// A rule between a date and another day.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DateRule {
    pub(crate) is: Bound,
    /// `None` is today.
    pub(crate) other: Option<String>,
}

/// How the date stands to the other day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    NotBefore,
    NotAfter,
    After,
    /// The day of birth a citizen number says.
    BirthOf,
}

/// A field.
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) title: Words,
    pub(crate) kind: Kind,
    pub(crate) choices: Vec<(String, Words)>,
    pub(crate) required: bool,
    pub(crate) personal: bool,
    pub(crate) when: Vec<When>,
    pub(crate) prefill: Option<String>,
    pub(crate) was: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) help: Option<Words>,
    /// What the pattern wants.
    pub(crate) rule: Option<Words>,
    /// Years somebody born on the answered day reaches by the end of this month, at least.
    pub(crate) least_age: Option<u64>,
    pub(crate) step: Option<String>,
    pub(crate) dates: Vec<DateRule>,
    /// Characters of a text, at most.
    pub(crate) longest: u64,
    pub(crate) values: Values,
}

impl Field {
    /// The words of a choice; the value itself when it has none.
    pub(crate) fn choice(&self, value: &str) -> Words {
        let found = self.choices.iter().find(|(known, _)| known == value);
        found.map_or_else(|| Words::new(value, value), |(_, words)| words.clone())
    }

    /// Can it have this value, or (several choices) this one among its values?
    pub(crate) fn can_be(&self, value: &Value) -> bool {
        match (self.kind, value) {
            (Kind::Choices, Value::String(text)) => {
                self.choices.iter().any(|(known, _)| known == text)
            }
            _ => self.values.faults(self, value).is_empty(),
        }
    }
}

/// A form.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) fields: Vec<Field>,
    pub(crate) steps: Vec<String>,
    /// Compared with the applicant.
    applicant: Option<applicant::Applies>,
    index: HashMap<String, usize>,
}

impl Form {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.index.get(name).map(|at| &self.fields[*at])
    }

    /// For each field, in order: is it asked for these answers? What is not asked settles nothing.
    pub(crate) fn asked(&self, answers: &Map<String, Value>) -> Vec<bool> {
        let mut asked = Vec::with_capacity(self.fields.len());
        for field in &self.fields {
            asked.push(self.hold(&field.when, answers, &asked));
        }
        asked
    }

    /// Do the conditions hold, given which of the first fields are asked?
    fn hold(&self, when: &[When], answers: &Map<String, Value>, asked: &[bool]) -> bool {
        when.iter().all(|when| {
            let at = self.index.get(&when.field);
            let is_asked = at.is_some_and(|at| asked.get(*at).copied().unwrap_or(false));
            let answer = answers.get(&when.field);
            is_asked && answer.is_some_and(|answer| is_one_of(answer, &when.is))
        })
    }

    /// Do the conditions hold for these answers?
    pub(crate) fn holds(&self, when: &[When], answers: &Map<String, Value>) -> bool {
        when.is_empty() || self.hold(when, answers, &self.asked(answers))
    }
}

/// Is the answer, or one of several, among these values?
fn is_one_of(answer: &Value, values: &[Value]) -> bool {
    match answer {
        Value::Array(several) => several
            .iter()
            .any(|one| values.iter().any(|value| same(one, value))),
        one => values.iter().any(|value| same(one, value)),
    }
}

/// Equal as JSON Schema means it: 1 and 1.0 are.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Was nothing given: no value, `null`, blanks, an empty list?
pub(crate) fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(list)) => list.is_empty(),
        _ => false,
    }
}
