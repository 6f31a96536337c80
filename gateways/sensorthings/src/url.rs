//! Percent encoding, path segments and query pairs. Nothing here knows what they mean.

use crate::Refusal;
use std::fmt::Write;

/// Decodes percent escapes; `plus` says whether `+` means a blank (in queries it does).
pub fn decode(text: &str, plus: bool) -> Result<String, Refusal> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'%' => {
                let hex = text.get(at + 1..at + 3);
                let byte = hex.and_then(|h| u8::from_str_radix(h, 16).ok());
                out.push(byte.ok_or_else(|| bad_escape(text))?);
                at += 2;
            }
            b'+' if plus => out.push(b' '),
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).map_err(|_| bad_escape(text))
}

fn bad_escape(text: &str) -> Refusal {
    Refusal::bad(
        format!("百分号编码有误：{text}"),
        format!("bad percent encoding: {text}"),
    )
}

/// Encodes everything but unreserved characters and those of `keep`.
fn encode(text: &str, keep: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || keep.contains(c) {
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for byte in c.encode_utf8(&mut buffer).bytes() {
                // Writing into a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// An id as it stands in a path, quotes included: `('…')`.
pub fn key(id: &str) -> String {
    format!("('{}')", encode(&id.replace('\'', "''"), ":@,!*'"))
}

/// A query string from pairs.
pub fn query(pairs: &[(String, String)]) -> String {
    let parts: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value, "$,'()/:@*;")))
        .collect();
    parts.join("&")
}

/// Pairs of a query string, decoded.
pub fn pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let mut pairs = vec![];
    for part in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((decode(name, true)?, decode(value, true)?));
    }
    Ok(pairs)
}

/// One step of a path: a name and perhaps a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// `Things`, `name`, `$value` …
    pub name: String,
    /// What stands in the parentheses.
    pub key: Option<String>,
}

/// Splits a path that is still percent-encoded. A slash or parenthesis inside quotes is text.
pub fn segments(path: &str) -> Result<Vec<Segment>, Refusal> {
    let mut segments = vec![];
    for piece in split_outside_quotes(&decode(path, false)?, '/') {
        if piece.is_empty() {
            continue;
        }
        segments.push(segment(&piece)?);
    }
    Ok(segments)
}

fn segment(piece: &str) -> Result<Segment, Refusal> {
    let Some((name, rest)) = piece.split_once('(') else {
        return Ok(Segment {
            name: piece.into(),
            key: None,
        });
    };
    let wrong = || {
        Refusal::bad(
            format!("路径有误：{piece}"),
            format!("malformed path segment: {piece}"),
        )
    };
    let inner = rest.strip_suffix(')').ok_or_else(wrong)?;
    let key = match inner.strip_prefix('\'') {
        Some(quoted) => quoted.strip_suffix('\'').ok_or_else(wrong)?,
        None => inner,
    };
    if key.is_empty() {
        return Err(wrong());
    }
    Ok(Segment {
        name: name.into(),
        key: Some(key.replace("''", "'")),
    })
}

/// Splits at `mark` where it stands outside single quotes and parentheses.
pub fn split_outside(text: &str, mark: char) -> Vec<String> {
    split(text, mark, true)
}

fn split_outside_quotes(text: &str, mark: char) -> Vec<String> {
    split(text, mark, false)
}

fn split(text: &str, mark: char, parentheses: bool) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut depth) = (false, 0usize);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if parentheses && !quoted => depth += 1,
            ')' if parentheses && !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == mark && !quoted && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_a_round_trip() {
        for id in [
            "a:b:real_time",
            "一号站",
            "it's",
            "a/b(c)",
            "x@17",
            "a b+c%",
        ] {
            let path = format!("Things{}/name", key(id));
            let found = segments(&path).unwrap();
            assert_eq!(found[0].key.as_deref(), Some(id), "{path}");
            assert_eq!(found[1].name, "name");
        }
    }

    #[test]
    fn malformed_input_is_refused() {
        for path in [
            "Things(",
            "Things('a'",
            "Things('a)",
            "Things()",
            "%zz",
            "%e4",
        ] {
            assert!(segments(path).is_err(), "{path}");
        }
    }

    #[test]
    fn queries_survive_a_round_trip() {
        let given = vec![("$filter".to_string(), "a eq 'x&y=1+2' and 好".to_string())];
        assert_eq!(pairs(&query(&given)).unwrap(), given);
    }
}
