//! The shape of an item's content, as a table: what is written by a designer or in a file is compared
//! with it as a whole, so that every fault has its place, before types take over. A JSON Schema is
//! printed from the same table.

use crate::say::{brief, escape, is_name, problem};
use kernel::Problem;
use serde_json::{Map, Value, json};

/// What stands at a place.
pub(crate) enum Shape {
    /// `{ zh, en }`, of so many characters each, at least and at most.
    Words(usize, usize),
    /// A text of so many characters.
    Text(usize, usize),
    /// `a-z0-9_`, begun with a letter, so many at most.
    Name(usize),
    Flag,
    /// A whole number between these.
    Whole(i64, i64),
    OneOf(&'static [&'static str]),
    /// A list with so many entries.
    List(&'static Shape, usize, usize),
    /// A mapping that names its entries itself, so many at most.
    Map(&'static Shape, usize),
    Object(&'static [Key]),
    /// An object whose `from` says which keys it has.
    Tagged(&'static [(&'static str, &'static [Key])]),
    Anything,
}

/// A key of an object.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) of: Shape,
}

/// Must a key be there?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Must,
    May,
    /// It may be there and be `null`.
    Null,
}

use Need::{May, Must, Null};

const fn key(name: &'static str, need: Need, of: Shape) -> Key {
    Key { name, need, of }
}

const TITLE: Shape = Shape::Words(1, 200);
const LONG: Shape = Shape::Words(0, 2_000);
const LIMIT: Shape = Shape::Object(&[
    key("days", Must, Shape::Whole(1, 3_660)),
    key(
        "count",
        Must,
        Shape::OneOf(&["working_days", "calendar_days"]),
    ),
]);
const WHEN: Shape = Shape::List(
    &Shape::Object(&[
        key("field", Must, Shape::Name(40)),
        key("in", Must, Shape::List(&Shape::Anything, 1, 100)),
    ]),
    0,
    20,
);
const SOURCE: Shape = Shape::Tagged(&[
    ("licence", &[key("kind", Must, Shape::Text(1, 60))]),
    (
        "register",
        &[
            key("register", Must, Shape::Text(1, 60)),
            key("key", Must, Shape::Text(1, 60)),
        ],
    ),
]);
const MATERIAL: Shape = Shape::Object(&[
    key("name", Must, Shape::Name(40)),
    key("title", Must, TITLE),
    key("required", May, Shape::Flag),
    key("may_follow", May, Shape::Flag),
    key("when", May, WHEN),
    key("sources", May, Shape::List(&SOURCE, 0, 10)),
    key(
        "formats",
        May,
        Shape::List(&Shape::OneOf(&["pdf", "jpeg", "png", "ofd"]), 0, 4),
    ),
    key("most", Null, Shape::Whole(1, 20)),
    key("note", Null, LONG),
]);
const FEE: Shape = Shape::Object(&[
    key("title", Must, TITLE),
    key("fen", Must, Shape::Whole(1, 10_000_000_000)),
    key("basis", Must, Shape::Text(2, 300)),
    key("when", May, WHEN),
]);
const OUTCOME: Shape = Shape::Object(&[
    key("title", Must, TITLE),
    key("licence", Null, Shape::Text(1, 60)),
    key("fields", May, Shape::Map(&Shape::Text(1, 300), 60)),
    key(
        "holder",
        Null,
        Shape::Object(&[
            key("number", Must, Shape::Text(1, 60)),
            key("name", Must, Shape::Text(1, 60)),
        ]),
    ),
]);
const CHOICE: Shape = Shape::Object(&[
    key("title", Must, TITLE),
    key("next", Null, Shape::Name(40)),
    key("sets", May, Shape::Map(&Shape::Anything, 50)),
    key("item", Null, Shape::Text(2, 60)),
    key("stop", Null, Shape::Words(1, 1_000)),
]);
const QUESTION: Shape = Shape::Object(&[
    key("name", Must, Shape::Name(40)),
    key("ask", Must, TITLE),
    key("options", Must, Shape::List(&CHOICE, 2, 12)),
]);
const ANSWERED: Shape = Shape::Object(&[
    key("question", Must, TITLE),
    key("answer", Must, Shape::Words(1, 2_000)),
]);

/// The content of an item, in the order of [`kernel::items::ItemContent`].
pub(crate) const ITEM: &[Key] = &[
    key("title", Must, Shape::Words(2, 100)),
    key("summary", May, Shape::Words(0, 300)),
    key("catalogue_code", Must, Shape::Text(1, 40)),
    key("task_code", Must, Shape::Text(1, 40)),
    key(
        "type",
        Must,
        Shape::OneOf(&["01", "04", "05", "07", "08", "09", "10", "20"]),
    ),
    key(
        "level",
        Must,
        Shape::OneOf(&["state", "province", "city", "county", "town", "village"]),
    ),
    key("organisation", Must, Shape::Text(1, 60)),
    key(
        "serves",
        Must,
        Shape::OneOf(&["natural", "legal", "either"]),
    ),
    key("keywords", May, Shape::List(&Shape::Text(1, 30), 0, 40)),
    key("subjects", May, Shape::List(&Shape::Text(1, 30), 0, 20)),
    key("basis", Must, Shape::List(&Shape::Text(2, 300), 1, 40)),
    key(
        "conditions",
        May,
        Shape::List(&Shape::Words(1, 1_000), 0, 40),
    ),
    key("instant", May, Shape::Flag),
    key("statutory", Must, LIMIT),
    key("promised", Must, LIMIT),
    key(
        "channels",
        Must,
        Shape::List(
            &Shape::OneOf(&["web", "phone", "counter", "terminal", "hotline"]),
            1,
            5,
        ),
    ),
    key("visits", May, Shape::Whole(0, 20)),
    key(
        "delivery",
        May,
        Shape::List(&Shape::OneOf(&["counter", "post", "electronic"]), 0, 3),
    ),
    key("fees", May, Shape::List(&FEE, 0, 60)),
    key("place", May, LONG),
    key("contact", May, LONG),
    key("matter", Must, Shape::Text(1, 60)),
    key("proofing", May, Shape::Whole(1, 3)),
    key("process", Null, Shape::Text(1, 80)),
    key("bundle", May, Shape::List(&Shape::Text(2, 60), 0, 20)),
    key("form", Must, Shape::Anything),
    key("desk_forms", May, Shape::Map(&Shape::Anything, 30)),
    key("materials", May, Shape::List(&MATERIAL, 0, 100)),
    key("guidance", May, Shape::List(&QUESTION, 0, 100)),
    key("outcome", Must, OUTCOME),
    key("letters", May, Shape::Map(&Shape::Text(1, 4_000), 10)),
    key("questions", May, Shape::List(&ANSWERED, 0, 60)),
];

/// Compares a content with the shape; problems carry JSON pointers.
pub(crate) fn compare(content: &Value) -> Vec<Problem> {
    let mut found = vec![];
    walk(&Shape::Object(ITEM), content, "", &mut found);
    found
}

fn walk(shape: &Shape, value: &Value, at: &str, found: &mut Vec<Problem>) {
    let wrong = match shape {
        Shape::Words(least, most) => match value.as_object() {
            Some(map) => return words(map, *least, *most, at, found),
            None => Some(("应为 { zh, en }".into(), "expected { zh, en }".into())),
        },
        Shape::Text(least, most) => (!is_text(value, *least, *most)).then(|| text(*least, *most)),
        Shape::Name(most) => (!value.as_str().is_some_and(|t| is_name(t, *most))).then(|| {
            (
                format!("应为 1 至 {most} 个小写字母、数字或 _，以字母开头"),
                format!("expected 1 to {most} of a-z 0-9 _, begun with a letter"),
            )
        }),
        Shape::Flag => (!value.is_boolean())
            .then(|| ("应为 true 或 false".into(), "expected true or false".into())),
        Shape::Whole(least, most) => {
            let sound = value.as_i64().is_some_and(|n| (least..=most).contains(&&n));
            (!sound).then(|| {
                (
                    format!("应为 {least} 至 {most} 的整数"),
                    format!("expected a whole number of {least} to {most}"),
                )
            })
        }
        Shape::OneOf(of) => {
            let sound = value.as_str().is_some_and(|text| of.contains(&text));
            (!sound).then(|| {
                (
                    format!("应为 {} 之一", of.join("、")),
                    format!("expected one of {}", of.join(", ")),
                )
            })
        }
        Shape::List(of, least, most) => match value.as_array() {
            Some(list) if (*least..=*most).contains(&list.len()) => {
                for (n, entry) in list.iter().enumerate() {
                    walk(of, entry, &format!("{at}/{n}"), found);
                }
                return;
            }
            _ => Some((
                format!("应为 {least} 至 {most} 项的列表"),
                format!("expected a list of {least} to {most}"),
            )),
        },
        Shape::Map(of, most) => match value.as_object() {
            Some(map) if map.len() <= *most => {
                for (name, entry) in map {
                    walk(of, entry, &format!("{at}/{}", escape(name)), found);
                }
                return;
            }
            _ => Some((
                format!("应为最多 {most} 项的键值结构"),
                format!("expected a mapping of at most {most}"),
            )),
        },
        Shape::Object(keys) => match value.as_object() {
            Some(map) => return object(keys, map, None, at, found),
            None => Some(("应为键值结构".into(), "expected a mapping".into())),
        },
        Shape::Tagged(variants) => {
            let from = value.get("from").and_then(Value::as_str);
            let variant = variants.iter().find(|(name, _)| Some(*name) == from);
            match (variant, value.as_object()) {
                (Some((_, keys)), Some(map)) => return object(keys, map, Some("from"), at, found),
                _ => {
                    let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
                    Some((
                        format!("from 应为 {} 之一", names.join("、")),
                        format!("from should be one of {}", names.join(", ")),
                    ))
                }
            }
        }
        Shape::Anything => None,
    };
    if let Some((zh, en)) = wrong {
        found.push(problem(at, zh, en));
    }
}

fn is_text(value: &Value, least: usize, most: usize) -> bool {
    let hidden = |text: &str| text.contains(|c| crate::say::is_hidden(c, true));
    value.as_str().is_some_and(|text| {
        let length = text.trim().chars().count();
        length >= least && text.chars().count() <= most && !hidden(text)
    })
}

fn text(least: usize, most: usize) -> (String, String) {
    (
        format!("应为 {least} 至 {most} 个字，不含控制字符"),
        format!("expected {least} to {most} characters, no controls"),
    )
}

fn words(map: &Map<String, Value>, least: usize, most: usize, at: &str, found: &mut Vec<Problem>) {
    for (language, most) in [("zh", most), ("en", most * 3)] {
        if !map.get(language).is_some_and(|t| is_text(t, least, most)) {
            let (zh, en) = text(least, most);
            found.push(problem(format!("{at}/{language}"), zh, en));
        }
    }
    unknown(map, |key| matches!(key, "zh" | "en"), at, found);
}

fn object(
    keys: &[Key],
    map: &Map<String, Value>,
    tag: Option<&str>,
    at: &str,
    found: &mut Vec<Problem>,
) {
    for key in keys {
        match map.get(key.name) {
            Some(Value::Null) if key.need == Null => {}
            Some(value) => walk(&key.of, value, &format!("{at}/{}", key.name), found),
            None if key.need == Must => {
                let name = key.name;
                found.push(problem(
                    format!("{at}/{name}"),
                    format!("缺少“{name}”"),
                    format!("\"{name}\" is missing"),
                ));
            }
            None => {}
        }
    }
    let known = |name: &str| tag == Some(name) || keys.iter().any(|key| key.name == name);
    unknown(map, known, at, found);
}

fn unknown(
    map: &Map<String, Value>,
    known: impl Fn(&str) -> bool,
    at: &str,
    found: &mut Vec<Problem>,
) {
    for name in map.keys().filter(|name| !known(name)) {
        let short = brief(name);
        found.push(problem(
            format!("{at}/{}", escape(name)),
            format!("不认识的键“{short}”"),
            format!("unknown key \"{short}\""),
        ));
    }
}

/// A JSON Schema of the content of an item, for editors: `schemas/declarations/item.schema.json`.
pub fn schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "jicheng item",
    });
    if let (Some(top), Value::Object(of)) = (schema.as_object_mut(), print(&Shape::Object(ITEM))) {
        top.extend(of);
    }
    schema
}

fn print(shape: &Shape) -> Value {
    match shape {
        Shape::Words(least, most) => {
            let one = |most| json!({ "type": "string", "minLength": least, "maxLength": most });
            json!({ "type": "object", "required": ["zh", "en"], "additionalProperties": false,
                "properties": { "zh": one(*most), "en": one(most * 3) } })
        }
        Shape::Text(least, most) => {
            json!({ "type": "string", "minLength": least, "maxLength": most })
        }
        Shape::Name(most) => {
            json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": most })
        }
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Shape::OneOf(of) => json!({ "enum": of }),
        Shape::List(of, least, most) => {
            json!({ "type": "array", "items": print(of), "minItems": least, "maxItems": most })
        }
        Shape::Map(of, most) => {
            json!({ "type": "object", "additionalProperties": print(of), "maxProperties": most })
        }
        Shape::Object(keys) => print_object(keys, None),
        Shape::Tagged(variants) => {
            let of = variants
                .iter()
                .map(|(name, keys)| print_object(keys, Some(name)));
            json!({ "oneOf": of.collect::<Vec<_>>() })
        }
        Shape::Anything => json!({}),
    }
}

fn print_object(keys: &[Key], tag: Option<&str>) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = vec![];
    if let Some(tag) = tag {
        properties.insert("from".into(), json!({ "const": tag }));
        required.push("from");
    }
    for key in keys {
        let of = match key.need {
            Null => json!({ "anyOf": [{ "type": "null" }, print(&key.of)] }),
            _ => print(&key.of),
        };
        properties.insert(key.name.into(), of);
        if key.need == Must {
            required.push(key.name);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required,
        "additionalProperties": false })
}
