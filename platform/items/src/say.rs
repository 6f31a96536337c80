//! Words: how problems are said, and what names and texts may be.

use kernel::{Problem, Words};

/// One problem at a place.
pub(crate) fn problem(
    at: impl Into<String>,
    zh: impl Into<String>,
    en: impl Into<String>,
) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

/// A key as part of a JSON pointer, 60 characters at most.
pub(crate) fn escape(name: &str) -> String {
    let short: String = name.chars().take(60).collect();
    short.replace('~', "~0").replace('/', "~1")
}

/// A text for a message, 40 characters at most.
pub(crate) fn brief(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Is it `a-z0-9_`, begun with a letter, of at most this many characters?
pub(crate) fn is_name(text: &str, most: usize) -> bool {
    text.len() <= most
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A character nobody types on purpose: controls, and those that turn the direction of a line or
/// take no room.
pub(crate) fn is_hidden(c: char, lines: bool) -> bool {
    let line = lines && matches!(c, '\n' | '\r' | '\t');
    (c.is_control() && !line)
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
