//! What must be true of the tree at every moment, checked after each change over the part that
//! changed: no two versions at once, a parent for the whole time, no circle, no two with one
//! credit code or one word of letters. Every fault is named.

use crate::book::Draft;
use kernel::organisations::{Organisation, credit_code_fault, letter_word_fault};
use kernel::{Problem, Time, Words};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeSet;

/// Steps from the top, at most.
pub(crate) const DEEPEST: usize = 32;
/// Organisations in all, at most.
pub(crate) const MOST: usize = 200_000;
/// Letters of a name, at most.
const LONGEST_NAME: usize = 120;

/// A problem at a place.
pub(crate) fn problem(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

fn day(at: Time) -> String {
    at.for_people()
}

/// Everything wrong with what the draft touched.
pub(crate) fn problems(draft: &Draft) -> Vec<Problem> {
    let touched: FxHashSet<&str> = draft.codes().collect();
    if touched.is_empty() {
        return vec![];
    }
    let mut found = vec![];
    if draft.book.organisations.len() > MOST {
        found.push(problem(
            "organisations",
            format!("机构总数超过上限 {MOST}"),
            format!("there are more than {MOST} organisations"),
        ));
    }
    for code in &touched {
        shape(code, draft.book.versions(code), &mut found);
    }
    for (code, versions) in &draft.book.organisations {
        for version in versions.iter() {
            let Some(parent) = &version.parent else {
                continue;
            };
            if touched.contains(code.as_str()) || touched.contains(parent.as_str()) {
                covered(draft, version, parent, &mut found);
            }
        }
    }
    shared(draft, &touched, &mut found);
    // A circle or a missing parent above makes walking up pointless to report twice.
    if found.is_empty() {
        circles(draft, &touched, &mut found);
    }
    found.sort_by(|a, b| a.at.cmp(&b.at));
    found
}

fn shape(code: &str, versions: &[Organisation], found: &mut Vec<Problem>) {
    let mut add = |zh: String, en: String| found.push(problem(code, zh, en));
    let letter = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if !(1..=64).contains(&code.len()) || !code.chars().all(letter) {
        add(
            format!("机构代码“{code}”须为 1 至 64 个字母、数字、_ 或 -"),
            format!("the code \"{code}\" must have 1 to 64 letters, digits, _ or -"),
        );
    }
    for version in versions {
        for (name, needed) in [(&version.title.zh, true), (&version.title.en, false)] {
            let length = name.chars().count();
            if length > LONGEST_NAME
                || name.contains(char::is_control)
                || (needed && name.trim().is_empty())
            {
                add(
                    format!("名称须为 1 至 {LONGEST_NAME} 个字"),
                    format!("a name has 1 to {LONGEST_NAME} letters"),
                );
            }
        }
        if let Some(words) = version.credit_code.as_deref().and_then(credit_code_fault) {
            add(words.zh, words.en);
        }
        if let Some(words) = version.letter_word.as_deref().and_then(letter_word_fault) {
            add(words.zh, words.en);
        }
        if let Some(division) = &version.division
            && !(matches!(division.len(), 2 | 4 | 6 | 9 | 12)
                && division.bytes().all(|b| b.is_ascii_digit()))
        {
            add(
                format!("行政区划码“{division}”须为 2、4、6、9 或 12 位数字"),
                format!("the division code \"{division}\" must have 2, 4, 6, 9 or 12 digits"),
            );
        }
        if version.valid_to.is_some_and(|to| to <= version.valid_from) {
            add(
                "止期须晚于起期".into(),
                "it must end after it begins".into(),
            );
        }
    }
    for pair in versions.windows(2) {
        if pair[0].valid_to.is_none_or(|to| to > pair[1].valid_from) {
            add(
                format!("有效期重叠：{}", day(pair[1].valid_from)),
                format!("two versions are valid at {}", day(pair[1].valid_from)),
            );
        }
    }
}

/// The parent must stand for as long as the child does.
fn covered(draft: &Draft, child: &Organisation, parent: &str, found: &mut Vec<Problem>) {
    let mut reached = child.valid_from;
    for version in draft.book.versions(parent) {
        if version.stands_at(reached) {
            match version.valid_to {
                None => return,
                Some(to) => reached = to,
            }
            if child.valid_to.is_some_and(|to| to <= reached) {
                return;
            }
        }
    }
    found.push(problem(
        &child.code,
        format!(
            "“{}”（{}）自 {} 起没有上级：“{parent}”当时不存在",
            child.title.zh,
            child.code,
            day(reached)
        ),
        format!(
            "\"{}\" would be an orphan from {}: its parent \"{parent}\" does not exist then",
            child.code,
            day(reached)
        ),
    ));
}

/// No two organisations have one credit code, or one word of letters, at the same time: numbers of
/// applications and of letters would be the same.
fn shared(draft: &Draft, touched: &FxHashSet<&str>, found: &mut Vec<Problem>) {
    let credit = |o: &Organisation| o.credit_code.clone();
    one_each(draft, touched, credit, |value, holder, other| {
        found.push(problem(
            other,
            format!("统一社会信用代码 {value} 已由“{holder}”使用"),
            format!("the credit code {value} belongs to \"{holder}\""),
        ));
    });
    let word = |o: &Organisation| o.letter_word.clone();
    one_each(draft, touched, word, |value, holder, other| {
        found.push(problem(
            other,
            format!("机关代字“{value}”已由“{holder}”使用，文号会相同"),
            format!("the word of letters \"{value}\" is that of \"{holder}\": their numbers would be the same"),
        ));
    });
}

/// Tells of each value that two organisations have at once, one of them touched: value, whose it
/// is, who has it too.
fn one_each(
    draft: &Draft,
    touched: &FxHashSet<&str>,
    value: impl Fn(&Organisation) -> Option<String>,
    mut tell: impl FnMut(&str, &str, &str),
) {
    let mut holders: FxHashMap<String, Vec<&Organisation>> = FxHashMap::default();
    for version in draft.book.organisations.values().flat_map(|v| v.iter()) {
        if let Some(value) = value(version) {
            holders.entry(value).or_default().push(version);
        }
    }
    let overlap = |a: &Organisation, b: &Organisation| {
        a.valid_to.is_none_or(|to| b.valid_from < to)
            && b.valid_to.is_none_or(|to| a.valid_from < to)
    };
    for (value, versions) in holders {
        for (n, one) in versions.iter().enumerate() {
            for other in &versions[n + 1..] {
                let ours =
                    touched.contains(one.code.as_str()) || touched.contains(other.code.as_str());
                if !ours || one.code == other.code || !overlap(one, other) {
                    continue;
                }
                // Whoever takes it now is told whose it is.
                match touched.contains(other.code.as_str()) {
                    true => tell(&value, &one.code, &other.code),
                    false => tell(&value, &other.code, &one.code),
                }
            }
        }
    }
}

/// Walks up from every touched organisation at every moment at which something begins.
fn circles(draft: &Draft, touched: &FxHashSet<&str>, found: &mut Vec<Problem>) {
    let starts: BTreeSet<Time> = draft
        .book
        .organisations
        .values()
        .flat_map(|versions| versions.iter().map(|v| v.valid_from))
        .collect();
    let mut named = FxHashSet::default();
    for code in touched {
        for version in draft.book.versions(code) {
            let end = version.valid_to.unwrap_or(Time(i64::MAX));
            for at in starts.range(version.valid_from..end) {
                let mut depth = 0;
                let mut up = version.parent.as_deref();
                while let Some(parent) = up {
                    depth += 1;
                    if parent == *code || depth > DEEPEST {
                        if named.insert(*code) {
                            found.push(circle(code, parent == *code, *at));
                        }
                        break;
                    }
                    let above = draft.book.organisation(parent, *at);
                    up = above.and_then(|o| o.parent.as_deref());
                }
            }
        }
    }
}

fn circle(code: &str, is_circle: bool, at: Time) -> Problem {
    if is_circle {
        problem(
            code,
            format!("“{code}”在 {} 会成为自己的上级", day(at)),
            format!("\"{code}\" would be above itself at {}", day(at)),
        )
    } else {
        problem(
            code,
            format!("“{code}”上面的层级超过 {DEEPEST}"),
            format!("\"{code}\" would have more than {DEEPEST} levels above it"),
        )
    }
}
