//! Types: what the inputs of a model must be, from its item definitions. A text becomes a date where
//! a date is wanted; a value of the wrong type, or one that is not allowed, is refused and named
//! instead of quietly becoming `null`.

use crate::feel::{Grammar, parse};
use crate::run;
use crate::values::{self, Reader};
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_feel::{Evaluator, FeelScope};
use dsntk_feel_parser::AstNode;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// How deep a type may be made of others.
const DEPTH: usize = 32;

/// An item definition or a component of one.
#[derive(Default)]
pub(crate) struct Item {
    pub(crate) base: Option<String>,
    pub(crate) collection: bool,
    pub(crate) components: Vec<(String, Item)>,
    pub(crate) allowed: Option<Allowed>,
    pub(crate) line: usize,
}

/// Values a type is limited to.
pub(crate) struct Allowed {
    pub(crate) text: String,
    pub(crate) test: OnceLock<Option<Evaluator>>,
}

/// The item definitions of a model, by name.
#[derive(Default)]
pub(crate) struct Book(pub(crate) BTreeMap<String, Item>);

/// A type of FEEL itself (clause 10.3.2.3) under its names in DMN.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    let bare = name.strip_prefix("feel:").unwrap_or(name);
    Some(match bare {
        "Any" | "" => "Any",
        "string" => "string",
        "number" => "number",
        "boolean" => "boolean",
        "date" => "date",
        "time" => "time",
        "dateTime" | "date and time" => "date and time",
        "dayTimeDuration" | "days and time duration" => "days and time duration",
        "yearMonthDuration" | "years and months duration" => "years and months duration",
        "Null" => "Null",
        "context" => "context",
        "list" => "list",
        "function" => "function",
        _ => return None,
    })
}

impl Book {
    /// Is there such a type?
    pub(crate) fn knows(&self, name: &str) -> bool {
        built_in(name).is_some() || self.0.contains_key(name)
    }

    /// Reads a value that should be of a type.
    pub(crate) fn read(
        &self,
        reader: &mut Reader,
        at: &str,
        value: &Value,
        type_name: &str,
    ) -> Feel {
        self.named(reader, at, value, type_name, 0)
    }

    fn named(
        &self,
        reader: &mut Reader,
        at: &str,
        value: &Value,
        type_name: &str,
        depth: usize,
    ) -> Feel {
        match (self.0.get(type_name), built_in(type_name)) {
            (Some(item), _) if depth < DEPTH => self.item(reader, at, value, item, depth + 1),
            (None, Some(basic)) => scalar(reader, at, value, basic, depth),
            _ => reader.value(at, value, depth),
        }
    }

    fn item(
        &self,
        reader: &mut Reader,
        at: &str,
        value: &Value,
        item: &Item,
        depth: usize,
    ) -> Feel {
        if value.is_null() {
            return Feel::Null(None);
        }
        if !item.collection {
            return self.one(reader, at, value, item, depth);
        }
        let Value::Array(items) = value else {
            // A single value stands for a list of it (clause 10.3.2.9.4).
            return Feel::List(vec![self.one(reader, at, value, item, depth)]);
        };
        if !reader.room(at, value, depth) {
            return Feel::Null(None);
        }
        let items = items.iter().enumerate();
        Feel::List(
            items
                .map(|(n, value)| self.one(reader, &format!("{at}/{n}"), value, item, depth + 1))
                .collect(),
        )
    }

    fn one(&self, reader: &mut Reader, at: &str, value: &Value, item: &Item, depth: usize) -> Feel {
        if value.is_null() {
            return Feel::Null(None);
        }
        let before = reader.problems.len();
        let read = match (&item.base, item.components.is_empty(), value) {
            (_, false, Value::Object(object)) => {
                let mut context = FeelContext::default();
                if reader.room(at, value, depth) {
                    for (key, value) in object {
                        let at = format!("{at}/{}", values::pointer(key));
                        let name = values::name(key);
                        let component = item.components.iter().find(|(n, _)| n == name.as_str());
                        let value = match component {
                            Some((_, item)) => self.item(reader, &at, value, item, depth + 1),
                            None => reader.value(&at, value, depth + 1),
                        };
                        context.set_entry(&name, value);
                    }
                }
                Feel::Context(context)
            }
            (_, false, _) => {
                wrong_type(reader, at, "对象（context）", "an object");
                Feel::Null(None)
            }
            (Some(base), true, value) => self.named(reader, at, value, base, depth),
            (None, true, value) => reader.value(at, value, depth),
        };
        if reader.problems.len() == before
            && let Some(allowed) = &item.allowed
            && !allowed.admits(&read)
        {
            let text = allowed.text.trim();
            reader.wrong(
                at,
                format!("此值不在允许的范围内：{text}"),
                format!("this value is not among those allowed: {text}"),
            );
        }
        read
    }
}

impl Allowed {
    fn admits(&self, value: &Feel) -> bool {
        let test = self.test.get_or_init(|| {
            let tests = parse(Grammar::Tests, &FeelScope::default(), &self.text)?;
            let asked = Box::new(AstNode::Name("?".into()));
            Some(dsntk_feel_evaluator::prepare(&AstNode::In(
                asked,
                Box::new(tests),
            )))
        });
        let Some(test) = test else {
            return true;
        };
        run::step(1);
        let scope = FeelScope::default();
        scope.set_value(&"?".into(), value.clone());
        test(&scope).is_true()
    }
}

fn wrong_type(reader: &mut Reader, at: &str, zh: &str, en: &str) {
    reader.wrong(at, format!("应为{zh}"), format!("must be {en}"));
}

/// Reads a value of a type of FEEL itself.
fn scalar(reader: &mut Reader, at: &str, value: &Value, type_name: &str, depth: usize) -> Feel {
    let tag = match type_name {
        "date" => "@date",
        "time" => "@time",
        "date and time" => "@date-time",
        "days and time duration" | "years and months duration" => "@duration",
        _ => "",
    };
    let read = match value {
        Value::String(text) if !tag.is_empty() => {
            if !reader.room(at, value, depth) {
                return Feel::Null(None);
            }
            reader.tagged(at, tag, text)
        }
        value => reader.value(at, value, depth),
    };
    let fits = matches!(
        (&read, type_name),
        (Feel::Null(_), _)
            | (_, "Any")
            | (Feel::String(_), "string")
            | (Feel::Number(_), "number")
            | (Feel::Boolean(_), "boolean")
            | (Feel::Date(_), "date")
            | (Feel::Time(_), "time")
            | (Feel::DateTime(_), "date and time")
            | (Feel::DaysAndTimeDuration(_), "days and time duration")
            | (Feel::YearsAndMonthsDuration(_), "years and months duration")
            | (Feel::Context(_), "context")
            | (Feel::List(_), "list")
    );
    if !fits {
        let (zh, en) = match type_name {
            "string" => ("文本（string）", "a text (string)"),
            "number" => ("数字（number）", "a number"),
            "boolean" => ("真或假（boolean）", "true or false (boolean)"),
            "date" => ("日期（如 2026-11-25）", "a date such as 2026-11-25"),
            "time" => ("时间（如 10:32:00）", "a time such as 10:32:00"),
            "date and time" => (
                "日期和时间（如 2026-11-25T10:32:00+08:00）",
                "a date and time such as 2026-11-25T10:32:00+08:00",
            ),
            "days and time duration" => ("日时时长（如 P1DT2H）", "a duration such as P1DT2H"),
            "years and months duration" => ("年月时长（如 P1Y2M）", "a duration such as P1Y2M"),
            "context" => ("对象（context）", "an object"),
            "list" => ("列表（list）", "a list"),
            _ => ("另一种类型", "of another type"),
        };
        wrong_type(reader, at, zh, en);
        return Feel::Null(None);
    }
    read
}
