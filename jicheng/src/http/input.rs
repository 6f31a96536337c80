//! Reading requests: queries and bodies. Every fault of a query is named at once; unknown
//! parameters are faults, not silence.

use super::json_words;
use super::problem::Refusal;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use kernel::fault::{Fault, FaultKind, Problem, Words};
use kernel::{Span, Time};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The query of a request, read name by name; call [`Query::finish`] before use of the values.
pub struct Query {
    values: BTreeMap<String, String>,
    asked: RefCell<BTreeSet<String>>,
    problems: RefCell<Vec<Problem>>,
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query, Refusal> {
        Ok(Query::read(parts.uri.query().unwrap_or("")))
    }
}

impl Query {
    fn read(text: &str) -> Query {
        let query = Query {
            values: BTreeMap::new(),
            asked: RefCell::default(),
            problems: RefCell::default(),
        };
        let mut query = query;
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (unescape(name), unescape(value));
            if query.values.insert(name.clone(), value).is_some() {
                query.problem(&name, "参数重复", "given twice");
            }
        }
        query
    }

    fn problem(&self, name: &str, zh: &str, en: &str) {
        let problem = Problem {
            at: name.into(),
            words: Words::new(zh, en),
        };
        self.problems.borrow_mut().push(problem);
    }

    /// A text, `None` when absent or empty.
    pub fn text(&self, name: &str) -> Option<String> {
        self.asked.borrow_mut().insert(name.into());
        self.values.get(name).filter(|v| !v.is_empty()).cloned()
    }

    /// A text that must be there.
    pub fn demand(&self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problem(name, "缺少此参数", "is missing");
            String::new()
        })
    }

    fn parsed<T>(
        &self,
        name: &str,
        zh: &str,
        en: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.problem(name, zh, en);
        }
        value
    }

    /// An instant.
    pub fn time(&self, name: &str) -> Option<Time> {
        let parse = |t: &str| {
            t.parse::<i64>()
                .map(|ms| Time(ms.saturating_mul(1000)))
                .ok()
                .or_else(|| Time::parse(t))
        };
        self.parsed(
            name,
            "应为时间（RFC 3339）",
            "expected a time (RFC 3339)",
            parse,
        )
    }

    /// A span such as `10 min`.
    pub fn span(&self, name: &str) -> Option<Span> {
        self.parsed(
            name,
            "应为时长（如 10 min）",
            "expected a span such as 10 min",
            Span::parse,
        )
    }

    /// A whole number between these, or this one.
    pub fn number(&self, name: &str, least: usize, most: usize, otherwise: usize) -> usize {
        let parse = |t: &str| {
            t.parse::<usize>()
                .ok()
                .filter(|n| (least..=most).contains(n))
        };
        let (zh, en) = (
            format!("应为 {least} 到 {most} 的整数"),
            format!("expected a number from {least} to {most}"),
        );
        self.parsed(name, &zh, &en, parse).unwrap_or(otherwise)
    }

    /// `true` or `false`.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.parsed(
            name,
            "应为 true 或 false",
            "expected true or false",
            |t| t.parse().ok(),
        )
    }

    /// Anything with a parser; `words` says what is expected.
    pub fn choice<T>(
        &self,
        name: &str,
        words: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.parsed(
            name,
            &format!("应为：{words}"),
            &format!("expected {words}"),
            parse,
        )
    }

    /// A list separated by commas, each read by `parse`.
    pub fn choices<T>(&self, name: &str, words: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let all = |t: &str| t.split(',').map(&parse).collect::<Option<Vec<T>>>();
        self.choice(name, words, all).unwrap_or_default()
    }

    /// Four numbers separated by commas.
    pub fn bbox(&self, name: &str) -> Option<[f64; 4]> {
        self.choice(name, "west,south,east,north", |t| {
            let numbers: Vec<f64> = t
                .split(',')
                .map(|n| n.trim().parse().ok())
                .collect::<Option<_>>()?;
            numbers.try_into().ok()
        })
    }

    /// Parameters that begin with `prefix`, without it.
    pub fn with_prefix(&self, prefix: &str) -> Vec<(String, String)> {
        let mut asked = self.asked.borrow_mut();
        let found = self.values.iter().filter_map(|(name, value)| {
            let rest = name.strip_prefix(prefix)?;
            asked.insert(name.clone());
            Some((rest.to_string(), value.clone()))
        });
        found.collect()
    }

    /// All parameters as they are, for reports that read their own.
    pub fn all(self) -> BTreeMap<String, String> {
        self.values
    }

    /// Every fault found, and every parameter nobody asked for.
    pub fn finish(&self) -> Result<(), Refusal> {
        let asked = self.asked.borrow();
        for name in self.values.keys().filter(|n| !asked.contains(*n)) {
            self.problem(name, "不认识的参数", "unknown parameter");
        }
        let problems = std::mem::take(&mut *self.problems.borrow_mut());
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Refusal(Fault::invalid(problems)))
        }
    }
}

/// Percent and plus decoding; what is no valid UTF-8 becomes the replacement character.
pub fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                bytes.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                rest = after;
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A JSON body; faults name line and column.
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Json<T>, Refusal> {
        let bytes = body(request, state).await?;
        serde_json::from_slice(&bytes).map(Json).map_err(|error| {
            let at = format!("body:{}:{}", error.line(), error.column());
            Refusal(Fault::invalid_at(
                at,
                format!("无法读取 JSON：{}", json_words::chinese(&error)),
                format!("cannot read the JSON: {error}"),
            ))
        })
    }
}

/// The whole body within the route's limit.
pub async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<bytes::Bytes, Refusal> {
    bytes::Bytes::from_request(request, state)
        .await
        .map_err(|_| {
            Refusal(Fault::new(
                FaultKind::TooLarge,
                "input.too_large",
                "请求内容过大或中断，未做任何更改",
                "the body is too large or broke off; nothing was changed",
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_query_is_named() {
        let query = Query::read("from=yesterday&limit=0&x=1&thing=a%20b+%E5%8E%82&thing=c");
        assert_eq!(query.text("thing").as_deref(), Some("c"));
        assert_eq!(query.time("from"), None);
        assert_eq!(query.number("limit", 1, 10, 5), 5);
        query.demand("to");
        let fault = query.finish().unwrap_err().0;
        let mut at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        at.sort();
        assert_eq!(at, ["from", "limit", "thing", "to", "x"]);
        assert_eq!(unescape("a%20b+%E5%8E%82%"), "a b 厂%");
    }
}
