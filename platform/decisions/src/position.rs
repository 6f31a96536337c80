//! Position: where in a text a fault is. The library's parser says only that there is one. It is an
//! LALR parser, which shifts no token that cannot be continued to something whole; so the fault lies
//! at the first token with which the text so far can no longer be completed, and that token is
//! looked for by trying completions.

use crate::feel::{Grammar, Wrong, parse};
use dsntk_feel::FeelScope;

/// Line and column, from 1, of a byte of a text.
pub(crate) fn of(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte.min(text.len()))];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

/// A place in a text that begins after `skipped` bytes of another, as a place in the other.
pub(crate) fn shift(text: &str, skipped: usize, (line, column): (usize, usize)) -> (usize, usize) {
    let (lines, columns) = of(text, skipped);
    match line {
        1 => (lines, columns + column - 1),
        _ => (lines + line - 1, column),
    }
}

/// A token, roughly: where it begins and ends, and what it is when it opens or closes something.
pub(crate) struct Token {
    pub(crate) start: usize,
    pub(crate) end: usize,
    bracket: Option<char>,
    closed: bool,
}

/// Splits a text into tokens, as far as finding faults needs it.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut found = vec![];
    let mut rest = text.char_indices().peekable();
    while let Some((start, first)) = rest.next() {
        if first.is_whitespace() {
            continue;
        }
        let next = rest.peek().map(|(_, c)| *c);
        if first == '/' && next == Some('/') {
            while rest.next_if(|(_, c)| *c != '\n').is_some() {}
            continue;
        }
        if first == '/' && next == Some('*') {
            let end = text[start + 2..]
                .find("*/")
                .map_or(text.len(), |e| start + 4 + e);
            while rest.next_if(|(at, _)| *at < end).is_some() {}
            continue;
        }
        let mut closed = true;
        let mut end = start + first.len_utf8();
        if first == '"' {
            closed = false;
            let mut escaped = false;
            for (at, c) in rest.by_ref() {
                end = at + c.len_utf8();
                if c == '"' && !escaped {
                    closed = true;
                    break;
                }
                escaped = c == '\\' && !escaped;
            }
        } else if first.is_alphanumeric() || first == '_' || first == '?' {
            while let Some((at, c)) = rest.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                end = at + c.len_utf8();
            }
        } else if let Some((at, c)) = rest.next_if(|(_, c)| {
            matches!(
                (first, *c),
                ('*', '*') | ('.', '.') | ('<' | '>' | '!', '=') | ('-', '>')
            )
        }) {
            end = at + c.len_utf8();
        }
        found.push(Token {
            start,
            end,
            bracket: "()[]{}".contains(first).then_some(first),
            closed,
        });
    }
    found
}

/// Where brackets first nest deeper than the limit.
pub(crate) fn too_deep(text: &str, limit: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for token in tokens(text) {
        match token.bracket {
            Some('(' | '[' | '{') => depth += 1,
            Some(_) => depth = depth.saturating_sub(1),
            None => {}
        }
        if depth > limit {
            return Some(token.start);
        }
    }
    None
}

/// What may follow a token directly, for something whole to end there.
const ENDS: [&str; 9] = [
    "",
    " x",
    " 1",
    "()",
    ": 1",
    " x: 1",
    " in 1",
    " x in 1",
    " of number",
];

/// What the constructs still open after these tokens want, the innermost first.
fn closing(text: &str, tokens: &[Token]) -> String {
    let mut open: Vec<&str> = vec![];
    for token in tokens {
        match &text[token.start..token.end] {
            "(" => open.push(")"),
            "[" => open.push("]"),
            "{" => open.push("}"),
            ")" | "]" | "}" => while open.pop().is_some_and(|o| !")]}".contains(o)) {},
            "if" => open.push(" then 1 else 1"),
            "for" => open.push(" return 1"),
            "some" | "every" => open.push(" satisfies true"),
            "between" => open.push(" and 1"),
            "then" if open.pop().is_some() => open.push(" else 1"),
            "else" | "return" | "satisfies" => {
                open.pop();
            }
            "and" if open.last() == Some(&" and 1") => {
                open.pop();
            }
            _ => {}
        }
    }
    open.into_iter().rev().collect()
}

/// Can the text up to these tokens still become something whole?
fn viable(grammar: Grammar, scope: &FeelScope, text: &str, tokens: &[Token]) -> bool {
    let Some(last) = tokens.last() else {
        return true;
    };
    let closing = closing(text, tokens);
    ENDS.iter().any(|end| {
        let whole = format!("{}{end}{closing}", &text[..last.end]);
        parse(grammar, scope, &whole).is_some()
    })
}

/// Says where a text that is not understood goes wrong, and what stands there.
pub(crate) fn explain(grammar: Grammar, scope: &FeelScope, text: &str) -> Wrong {
    let tokens = tokens(text);
    let mut open: Vec<(char, usize)> = vec![];
    for token in &tokens {
        if !token.closed {
            return Wrong::at(
                of(text, token.start),
                "文本没有结束的引号",
                "the text has no closing quotation mark",
            );
        }
        match token.bracket {
            Some('(') => open.push((')', token.start)),
            Some('[') => open.push((']', token.start)),
            Some('{') => open.push(('}', token.start)),
            Some(closer) => {
                // An open end of an interval turns its bracket: `]1..5[`, `(1..5]`.
                let turned = matches!(closer, ']' | ')');
                if open.pop().is_none_or(|(c, _)| c != closer) && !turned {
                    return unexpected(text, token);
                }
            }
            None => {}
        }
    }
    // The first token the text cannot go on with: what comes before it can be completed.
    let (mut good, mut bad) = (0, tokens.len() + 1);
    while good + 1 < bad {
        let middle = (good + bad) / 2;
        match middle <= tokens.len() && viable(grammar, scope, text, &tokens[..middle]) {
            true => good = middle,
            false => bad = middle,
        }
    }
    if good < tokens.len() {
        return unexpected(text, &tokens[good]);
    }
    if let Some((_, place)) = open.last() {
        return Wrong::at(
            of(text, *place),
            "括号没有关闭",
            "the bracket is not closed",
        );
    }
    Wrong::at(
        of(text, text.trim_end().len()),
        "表达式没有写完",
        "the expression is not finished",
    )
}

fn unexpected(text: &str, token: &Token) -> Wrong {
    let what: String = text[token.start..token.end].chars().take(40).collect();
    Wrong::at(
        of(text, token.start),
        format!("此处不应出现“{what}”"),
        format!("\"{what}\" is not expected here"),
    )
}
