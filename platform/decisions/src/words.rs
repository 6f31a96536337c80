//! Words: which words of an expression are names. FEEL lets a name contain spaces and operators, and
//! the library takes the longest one that is known: of `a + b` with nothing known it makes one name.
//! So every single word of a text is made known before it is read, except those that FEEL itself
//! gives a meaning where they stand. Longer names must be named by whoever asks.

use crate::position::tokens;

/// Words that are no names.
const KEYWORDS: [&str; 24] = [
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "function",
    "external",
    "instance",
    "of",
    "between",
    "and",
    "or",
    "not",
    "true",
    "false",
    "null",
    "list",
    "context",
    "range",
    "item",
];

/// Words of types, which are types where a type may stand.
const TYPES: [&str; 11] = [
    "Any", "Null", "boolean", "number", "string", "date", "time", "years", "months", "days",
    "duration",
];

/// Functions of FEEL whose names are more than one word.
const FUNCTIONS: [&str; 35] = [
    "date and time",
    "years and months duration",
    "day of week",
    "day of year",
    "week of year",
    "month of year",
    "string length",
    "string join",
    "upper case",
    "lower case",
    "substring before",
    "substring after",
    "starts with",
    "ends with",
    "list contains",
    "list replace",
    "insert before",
    "index of",
    "distinct values",
    "get value",
    "get entries",
    "context put",
    "context merge",
    "round up",
    "round down",
    "round half up",
    "round half down",
    "met by",
    "overlaps before",
    "overlaps after",
    "finished by",
    "started by",
    "date",
    "time",
    "duration",
];

/// The words of a text that are names.
pub(crate) fn names(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let word = |place: usize| tokens.get(place).map_or("", |t| &text[t.start..t.end]);
    let mut found = vec![];
    let mut place = 0;
    while place < tokens.len() {
        let function = FUNCTIONS.iter().find_map(|function| {
            let mut length = 0;
            for part in function.split(' ') {
                if word(place + length) != part {
                    return None;
                }
                length += 1;
            }
            (word(place + length) == "(").then_some(length)
        });
        if let Some(length) = function {
            place += length;
            continue;
        }
        let name = word(place);
        let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if begins && !KEYWORDS.contains(&name) && !TYPES.contains(&name) {
            found.push(name.to_owned());
        }
        place += 1;
    }
    found.sort_unstable();
    found.dedup();
    found
}
