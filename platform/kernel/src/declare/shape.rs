//! Shapes: what the readers of declarations ask of a file, written down while they read. A JSON
//! Schema of each kind of file is printed from it (`schemas/declarations/`), so that an editor
//! knows what `jicheng check` knows and neither can drift from the other.

use super::read::{Faults, Reader};
use super::yaml;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What [`crate::Span::parse`] reads.
const SPAN: &str = "^[0-9]+(\\.[0-9]+)? ?(ms|s|min|h|d|y)$";

/// What a reader took a value for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Take {
    /// A single value, read as text.
    Text,
    /// A number.
    Number,
    /// `true` or `false`.
    Flag,
    /// A span such as `10 min`.
    Span,
    /// One text or a list of them.
    Texts,
    /// A list of numbers.
    Numbers,
    /// A mapping.
    Mapping,
    /// A list of mappings.
    List,
    /// Nobody's business here.
    Anything,
}

/// What was asked of the values at one place of a kind of file.
#[derive(Debug, Default)]
pub struct Shape(RefCell<Asked>);

#[derive(Debug, Default)]
struct Asked {
    /// Mappings read here.
    visits: usize,
    takes: BTreeSet<Take>,
    words: BTreeSet<String>,
    /// Key → times it was demanded, and the shape of its value.
    keys: BTreeMap<String, (usize, Rc<Shape>)>,
    /// Keys of a mapping that names its entries itself.
    entries: Option<Rc<Shape>>,
    items: Option<Rc<Shape>>,
}

/// Shapes by kind of file.
pub(super) type Shapes = RefCell<BTreeMap<&'static str, Rc<Shape>>>;

impl Shape {
    /// A reader begins to read a mapping here.
    pub(super) fn visit(&self) {
        self.0.borrow_mut().visits += 1;
    }

    /// A key was asked for.
    pub(super) fn asked(&self, key: &str, demanded: bool) -> Rc<Shape> {
        let mut asked = self.0.borrow_mut();
        let entry = asked.keys.entry(key.into()).or_default();
        entry.0 += usize::from(demanded);
        entry.1.clone()
    }

    /// The value was taken for this.
    pub(super) fn take(&self, take: Take) {
        self.0.borrow_mut().takes.insert(take);
    }

    /// The value should be one of these words.
    pub(super) fn choose(&self, words: &[&str]) {
        let mut asked = self.0.borrow_mut();
        asked.takes.insert(Take::Text);
        asked
            .words
            .extend(words.iter().map(|word| word.to_string()));
    }

    /// The shape of the entries of a mapping that names them itself.
    pub(super) fn entries(&self) -> Rc<Shape> {
        let mut asked = self.0.borrow_mut();
        asked.takes.insert(Take::Mapping);
        asked.entries.get_or_insert_default().clone()
    }

    /// The shape of the items of a list.
    pub(super) fn items(&self) -> Rc<Shape> {
        let mut asked = self.0.borrow_mut();
        asked.takes.insert(Take::List);
        asked.items.get_or_insert_default().clone()
    }

    /// As JSON Schema 2020-12.
    fn schema(&self) -> Value {
        let asked = self.0.borrow();
        let mut parts: Vec<Value> = vec![];
        for take in &asked.takes {
            let part = match take {
                Take::Anything => return json!({}),
                Take::Text if asked.words.is_empty() => {
                    json!({ "type": ["string", "number", "boolean"] })
                }
                Take::Text => json!({ "enum": asked.words }),
                Take::Number => json!({ "type": "number" }),
                Take::Flag => json!({ "type": "boolean" }),
                Take::Span => json!({ "type": "string", "pattern": SPAN }),
                Take::Texts => {
                    let one = json!({ "type": ["string", "number", "boolean"] });
                    json!({ "anyOf": [one.clone(), { "type": "array", "items": one }] })
                }
                Take::Numbers => json!({ "type": "array", "items": { "type": "number" } }),
                Take::Mapping => continue,
                Take::List => {
                    let items = asked
                        .items
                        .as_ref()
                        .map_or(json!({}), |items| items.schema());
                    json!({ "type": "array", "items": items })
                }
            };
            parts.push(part);
        }
        if asked.visits > 0 || asked.takes.contains(&Take::Mapping) {
            parts.extend(asked.mapping(parts.is_empty()));
        }
        match parts.len() {
            0 => json!({}),
            1 => parts.swap_remove(0),
            _ => json!({ "anyOf": parts }),
        }
    }
}

impl Asked {
    /// The schema of a mapping; `None` when a value of its place is only ever taken as a whole.
    fn mapping(&self, only: bool) -> Option<Value> {
        if self.keys.is_empty() && self.entries.is_none() && !only {
            return None;
        }
        let properties: Map<String, Value> = self
            .keys
            .iter()
            .map(|(key, (_, shape))| (key.clone(), shape.schema()))
            .collect();
        let required: Vec<&String> = self
            .keys
            .iter()
            .filter(|(_, (demanded, _))| self.visits > 0 && *demanded >= self.visits)
            .map(|(key, _)| key)
            .collect();
        let mut schema = json!({ "type": "object" });
        if !properties.is_empty() {
            schema["properties"] = Value::Object(properties);
        }
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema["additionalProperties"] = match &self.entries {
            Some(entries) => entries.schema(),
            None => json!(self.keys.is_empty()),
        };
        Some(schema)
    }
}

/// Conditions and forms that no delivered file happens to use, so that their keys are known too.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "licence",
        "code: 11130199000000019E001
title: { zh: 示例, en: Example }
issuer: example
issuer_code: 11130199000000019E
holder: either
grade: A
validity: { years: 5 }
basis: 示例
template: example
fields:
  category: { title: { zh: 类别, en: Category }, type: choice, choices: { a: [甲, A] }, required: true, personal: false, longest: 20 }
minimum: [holder_name, category]
public: [category]
",
    ),
    (
        "licence",
        "code: 11130199000000019E002
title: { zh: 示例, en: Example }
issuer: example
holder: natural
validity: { days: 30 }
basis: 示例
fields:
  category: { title: { zh: 类别, en: Category } }
",
    ),
    (
    "rule",
    "title: { zh: 示例, en: Example }
about: station
only: { kind: [flue_gas] }
when: { all: [ { observation: a, above: 5 }, { observation: [b], below: { register: r, key: k, field: f, or: 1 } } ], for: 5 min }
alert: { level: red, message: { zh: 示例, en: Example } }
escalate: { after: 30 min, to: duty_officer }
close: manual
",
    ),
];

/// Lets the examples of a kind be read, for their shapes.
pub(super) fn examples(kind: &str, shape: &Rc<Shape>, read: impl Fn(&mut Reader<'_>)) {
    for (_, text) in EXAMPLES.iter().filter(|(of, _)| *of == kind) {
        let faults = Faults::default();
        if let Ok(node) = yaml::parse(text) {
            Reader::whole("example", &node, &faults, Some(shape.clone()), &read);
        }
        debug_assert!(faults.borrow().is_empty(), "{:?}", faults.borrow());
    }
}

/// Every kind's schema, by name.
pub(super) fn print(shapes: &Shapes) -> BTreeMap<String, Value> {
    let shapes = shapes.borrow();
    let print = |(kind, shape): (&&'static str, &Rc<Shape>)| {
        let mut schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("jicheng {kind}"),
        });
        if let (Value::Object(top), Value::Object(of)) = (&mut schema, shape.schema()) {
            top.extend(of);
        }
        (kind.to_string(), schema)
    };
    shapes.iter().map(print).collect()
}
