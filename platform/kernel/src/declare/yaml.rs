//! YAML (and JSON, which YAML contains) as a tree that remembers lines, so that every fault of a
//! declaration can name file and line. Duplicate keys and documents after the first are faults.

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Nesting deeper than this is refused.
const DEPTH_LIMIT: usize = 64;

/// A value with the line it stands on.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Line, from 1.
    pub line: usize,
    /// The value.
    pub data: Data,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number and how it was written.
    Number(f64, String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the file: key, line of the key, value.
    Map(Vec<(String, usize, Node)>),
}

impl Node {
    /// The value under `key` of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.data {
            Data::Map(entries) => entries.iter().find(|(k, _, _)| k == key).map(|(_, _, n)| n),
            _ => None,
        }
    }

    /// A scalar as text; `None` for lists, mappings and nothing.
    pub fn scalar(&self) -> Option<String> {
        match &self.data {
            Data::Text(text) | Data::Number(_, text) => Some(text.clone()),
            Data::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The whole tree as JSON.
    pub fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Number(number, text) => match text.parse::<i64>() {
                Ok(whole) => Value::from(whole),
                Err(_) => Value::from(*number),
            },
            Data::Text(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Node::json).collect()),
            Data::Map(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(k, _, n)| (k.clone(), n.json()))
                    .collect(),
            ),
        }
    }
}

/// Reads one document. An error is a line and what is wrong with it (English; the words of the
/// parser).
pub fn parse(text: &str) -> Result<Node, (usize, String)> {
    let mut events = vec![];
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => events.push((event, span.start.line())),
            Err(error) => return Err((error.marker().line(), error.info().to_string())),
        }
    }
    let mut at = events.into_iter().filter(|(event, _)| {
        !matches!(
            event,
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::Nothing
        )
    });
    let Some(first) = at.next() else {
        return Ok(Node {
            line: 1,
            data: Data::Null,
        });
    };
    if matches!(first.0, Event::DocumentEnd) {
        return Ok(Node {
            line: 1,
            data: Data::Null,
        });
    }
    let node = build(first, &mut at, 0)?;
    match at.find(|(event, _)| !matches!(event, Event::DocumentEnd)) {
        None => Ok(node),
        Some((_, line)) => Err((line, "a second document".into())),
    }
}

fn build<'a>(
    (event, line): (Event<'a>, usize),
    rest: &mut impl Iterator<Item = (Event<'a>, usize)>,
    depth: usize,
) -> Result<Node, (usize, String)> {
    if depth > DEPTH_LIMIT {
        return Err((line, "nested too deeply".into()));
    }
    let short = || (line, "the document ends in the middle".to_string());
    let data = match event {
        Event::Scalar(text, style, _, _) => scalar(&text, style),
        Event::SequenceStart(..) => {
            let mut items = vec![];
            loop {
                match rest.next().ok_or_else(short)? {
                    (Event::SequenceEnd, _) => break Data::List(items),
                    next => items.push(build(next, rest, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries: Vec<(String, usize, Node)> = vec![];
            loop {
                let (event, key_line) = rest.next().ok_or_else(short)?;
                if matches!(event, Event::MappingEnd) {
                    break Data::Map(entries);
                }
                let Event::Scalar(key, ..) = event else {
                    return Err((key_line, "a key must be a plain word".into()));
                };
                if entries.iter().any(|(known, _, _)| *known == *key) {
                    return Err((key_line, format!("the key \"{key}\" stands twice")));
                }
                let value = build(rest.next().ok_or_else(short)?, rest, depth + 1)?;
                entries.push((key.into_owned(), key_line, value));
            }
        }
        Event::Alias(_) => return Err((line, "aliases (*name) are not used here".into())),
        _ => return Err((line, "unexpected here".into())),
    };
    Ok(Node { line, data })
}

fn scalar(text: &str, style: ScalarStyle) -> Data {
    if style != ScalarStyle::Plain {
        return Data::Text(text.into());
    }
    match text {
        "" | "~" | "null" => return Data::Null,
        "true" => return Data::Bool(true),
        "false" => return Data::Bool(false),
        _ => {}
    }
    // A code such as 060 is text, not the number sixty.
    let digits = text.trim_start_matches('-');
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || "-+.".contains(c));
    match text.parse::<f64>() {
        Ok(number) if numeric && !leading_zero && number.is_finite() => {
            Data::Number(number, text.into())
        }
        _ => Data::Text(text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_codes_and_faults() {
        let node = parse("a: 1\nb:\n  - 060\n  - 'x'\n  - {c: 5 W}\n").unwrap();
        assert_eq!(node.get("a").unwrap().data, Data::Number(1.0, "1".into()));
        let Data::List(items) = &node.get("b").unwrap().data else {
            panic!()
        };
        assert_eq!(
            items[0],
            Node {
                line: 3,
                data: Data::Text("060".into())
            }
        );
        assert_eq!(items[2].get("c").unwrap().scalar().unwrap(), "5 W");
        assert_eq!(
            parse("a: 1\na: 2\n").unwrap_err(),
            (2, "the key \"a\" stands twice".into())
        );
        assert_eq!(
            parse("a: 1\n---\nb: 2\n").unwrap_err().1,
            "a second document"
        );
        assert!(parse("a: [1\n").is_err());
        assert_eq!(parse("").unwrap().data, Data::Null);
        assert_eq!(
            parse("{\"a\": [1, \"2\"]}").unwrap().json(),
            serde_json::json!({"a": [1, "2"]})
        );
    }
}
