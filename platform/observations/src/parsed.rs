//! What the parsers of the batch interface hand over: rows whose names are not yet numbers. A
//! batch is refused whole, so nothing may be interned before the last line is known to be right.

use kernel::observations::{Basis, Flag, Period, Statistic};
use kernel::{Problem, Time, Words};
use std::borrow::Cow;
use std::ops::Range;

/// A refused batch names at most so many problems.
pub const MAX_PROBLEMS: usize = 100;
/// Longest name of a thing, in bytes.
pub const MAX_THING_BYTES: usize = 128;
/// Longest name of a property, in bytes.
pub const MAX_PROPERTY_BYTES: usize = 64;

/// A column by its words: `a21026`, `a34013.mean`, `a21026.max.converted`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// Property.
    pub property: Cow<'a, str>,
    /// What was computed.
    pub statistic: Statistic,
    /// Measured or converted.
    pub basis: Basis,
}

/// One cell: a number into [`Parsed::fields`], the value, the flag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParsedCell {
    /// Index into [`Parsed::fields`].
    pub field: u32,
    /// Finite number.
    pub value: f64,
    /// Quality.
    pub flag: Flag,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedRow<'a> {
    /// Name of the thing.
    pub thing: Cow<'a, str>,
    /// Period.
    pub period: Period,
    /// Device time.
    pub time: Time,
    /// Its cells in [`Parsed::cells`].
    pub cells: Range<usize>,
}

/// A whole batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed<'a> {
    /// Rows in the order given.
    pub rows: Vec<ParsedRow<'a>>,
    /// Cells of all rows.
    pub cells: Vec<ParsedCell>,
    /// Every column that occurs, once.
    pub fields: Vec<Field<'a>>,
}

/// Reads `property[.statistic][.converted]`; `None` when the property is empty, too long or
/// holds control characters.
pub fn field(text: &str) -> Option<(&str, Statistic, Basis)> {
    let (text, basis) = match text.strip_suffix(".converted") {
        Some(rest) => (rest, Basis::Converted),
        None => (text, Basis::Measured),
    };
    let (property, statistic) = match text.rsplit_once('.') {
        Some((rest, word)) => match Statistic::parse(word) {
            Some(statistic) => (rest, statistic),
            None => (text, Statistic::Value),
        },
        None => (text, Statistic::Value),
    };
    valid_name(property, MAX_PROPERTY_BYTES).then_some((property, statistic, basis))
}

/// Not empty, not too long, no control characters.
pub fn valid_name(name: &str, longest: usize) -> bool {
    !name.is_empty() && name.len() <= longest && !name.chars().any(char::is_control)
}

/// Collects problems up to [`MAX_PROBLEMS`].
#[derive(Default)]
pub(crate) struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a problem of a line (counted from 1).
    pub fn add(&mut self, line: usize, zh: impl Into<String>, en: impl Into<String>) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(Problem {
                at: format!("line:{line}"),
                words: Words::new(zh, en),
            });
        }
    }
    /// Nothing more would be kept.
    pub fn full(&self) -> bool {
        self.0.len() >= MAX_PROBLEMS
    }
}
