//! Templates: words with `{{field}}` where a value goes. Nothing else is understood, so a value can
//! never be taken for part of a template.

use crate::say::problem;
use kernel::messages::{NewTemplate, SMS_LIMIT, SUBJECT_LIMIT, TEXT_LIMIT};
use kernel::{Problem, Words};
use std::collections::{BTreeMap, BTreeSet};

/// A piece of a text.
enum Piece<'a> {
    Said(&'a str),
    Field(&'a str),
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 60
        && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// The pieces of a text; `None` when braces do not fit or hold no name.
fn pieces(text: &str) -> Option<Vec<Piece<'_>>> {
    let mut found = vec![];
    let mut rest = text;
    while let Some(open) = rest.find("{{") {
        let (said, behind) = rest.split_at(open);
        let (name, after) = behind[2..].split_once("}}")?;
        if said.contains("}}") || !is_name(name.trim()) {
            return None;
        }
        found.push(Piece::Said(said));
        found.push(Piece::Field(name.trim()));
        rest = after;
    }
    if rest.contains("}}") {
        return None;
    }
    found.push(Piece::Said(rest));
    Some(found)
}

/// Names of the fields of a text.
fn names(text: &str) -> BTreeSet<String> {
    let pieces = pieces(text).unwrap_or_default();
    let names = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Field(name) => Some(name.to_string()),
        Piece::Said(_) => None,
    });
    names.collect()
}

fn both(words: &Words) -> [(&'static str, &str); 2] {
    [("zh", &words.zh), ("en", &words.en)]
}

fn parts(new: &NewTemplate) -> [(&'static str, &Words, usize); 3] {
    [
        ("subject", &new.subject, SUBJECT_LIMIT),
        ("text", &new.text, TEXT_LIMIT),
        ("sms", &new.sms, SMS_LIMIT),
    ]
}

/// Fields of a template, in alphabetical order.
pub(crate) fn fields(new: &NewTemplate) -> Vec<String> {
    let mut all = BTreeSet::new();
    for (_, words, _) in parts(new) {
        for (_, text) in both(words) {
            all.extend(names(text));
        }
    }
    all.into_iter().collect()
}

/// Fields the program does not fill in of a message it sends itself: no such message could be worded.
pub(crate) fn unfilled(new: &NewTemplate) -> Vec<Problem> {
    let Some(filled) = crate::defaults::filled(&new.name) else {
        return vec![];
    };
    let all = filled.join("、");
    let mut found = vec![];
    for (part, words, _) in parts(new) {
        for (language, text) in both(words) {
            for name in names(text).iter().filter(|name| !filled.contains(name)) {
                found.push(problem(
                    format!("{part}/{language}"),
                    format!("这类消息没有字段“{name}”，可用：{all}"),
                    format!(
                        "this message has no field \"{name}\"; there are: {}",
                        filled.join(", ")
                    ),
                ));
            }
        }
    }
    found
}

/// Fields that come into a subject: one line only.
pub(crate) fn subject_fields(new: &NewTemplate) -> BTreeSet<String> {
    let mut all = names(&new.subject.zh);
    all.extend(names(&new.subject.en));
    all
}

/// Everything wrong with a template.
pub(crate) fn problems(new: &NewTemplate) -> Vec<Problem> {
    let mut found = vec![];
    if !is_name(&new.name) {
        found.push(problem(
            "name",
            "名称应为 1 至 60 个小写字母、数字或下划线，以字母开头",
            "1 to 60 of a-z, 0-9 and _, a letter first",
        ));
    }
    for (language, text) in both(&new.title) {
        found.extend(crate::say::line(&format!("title/{language}"), text, 1, 100));
    }
    let has_sms = !new.sms.zh.is_empty() || !new.sms.en.is_empty();
    for (part, words, most) in parts(new) {
        for (language, text) in both(words) {
            let at = format!("{part}/{language}");
            if part == "sms" && !has_sms {
                continue;
            }
            let lines = if part == "text" {
                crate::say::body(&at, text, 1, most)
            } else {
                crate::say::line(&at, text, 1, most)
            };
            found.extend(lines);
            if pieces(text).is_none() {
                found.push(problem(
                    at,
                    "花括号不成对，或其中不是字段名（如 {{number}}）",
                    "braces do not pair, or hold no name of a field such as {{number}}",
                ));
            }
        }
    }
    if fields(new).len() > 50 {
        found.push(problem("text", "字段不能超过 50 个", "50 fields at most"));
    }
    found
}

/// A text with its values; a field without a value stays empty (it was refused before).
pub(crate) fn fill(text: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len() + 64);
    for piece in pieces(text).unwrap_or_default() {
        match piece {
            Piece::Said(said) => filled.push_str(said),
            Piece::Field(name) => filled.push_str(values.get(name).map_or("", |v| v.trim())),
        }
    }
    filled
}

/// Both languages; the English text takes `<field>_en` where there is one.
pub(crate) fn fill_words(words: &Words, values: &BTreeMap<String, String>) -> Words {
    let mut english = values.clone();
    for (name, value) in values {
        if let Some(name) = name.strip_suffix("_en") {
            english.insert(name.into(), value.clone());
        }
    }
    Words::new(fill(&words.zh, values), fill(&words.en, &english))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_takes_english_values() {
        let pair = |name: &str, value: &str| (name.to_string(), value.to_string());
        let values = BTreeMap::from([pair("a", "甲"), pair("a_en", "A"), pair("b", "2")]);
        let words = fill_words(&Words::new("{{a}}{{b}}", "{{a}} {{b}}"), &values);
        assert_eq!(words, Words::new("甲2", "A 2"));
    }

    #[test]
    fn values_are_filled_in_once_and_never_read_again() {
        let values = BTreeMap::from([
            ("a".to_string(), "{{b}}".to_string()),
            ("b".to_string(), "乙".to_string()),
        ]);
        for (text, want) in [
            ("{{a}}{{b}}", Some("{{b}}乙")),
            ("甲{{ b }}丙", Some("甲乙丙")),
            ("no field", Some("no field")),
            ("", Some("")),
            ("{ {b} }", Some("{ {b} }")),
            ("{{b", None),
            ("b}}", None),
            ("b}}{{b}}", None),
            ("{{}}", None),
            ("{{B}}", None),
            ("{{a{{b}}}}", None),
        ] {
            assert_eq!(pieces(text).is_some(), want.is_some(), "{text}");
            if let Some(want) = want {
                assert_eq!(fill(text, &values), want, "{text}");
            }
        }
    }
}
