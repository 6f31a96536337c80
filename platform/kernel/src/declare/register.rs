//! A register: JSON Schema 2020-12 plus `x-` keywords, one file `registers/<name>.schema.json`.
//!
//! Top level: `title` (Chinese), `x-title-en`, `x-key` (field), `x-owner` (organisation code),
//! `x-place` (`[longitude field, latitude field]`), `x-cached` (small, asked at every frame),
//! `x-summary` (fields shown in lists), `x-access` (`{owner, district, person, handler}`: fields that
//! say whose a record is). On a property: `title`, `x-title-en`, `x-index`,
//! `x-personal`, `x-reference` (register), `x-unit`, `x-choices` (`{value: [zh, en]}`).

use super::read::Reader;
use crate::fault::Words;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A declared register.
#[derive(Clone, Debug, Serialize)]
pub struct RegisterDecl {
    /// System that declares it.
    pub system: String,
    /// Name: the file's stem.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Organisation that owns the data (一数一源).
    pub owner: String,
    /// Field that is the key.
    pub key: String,
    /// Longitude and latitude fields, degrees CGCS2000.
    pub place: Option<(String, String)>,
    /// Fields that say whose a record is.
    pub access: RecordAccess,
    /// Kept in memory.
    pub cached: bool,
    /// Fields shown in lists, in order.
    pub summary: Vec<String>,
    /// Fields in order of the file.
    pub fields: Vec<FieldDecl>,
    /// The whole schema, for validation.
    #[serde(skip)]
    pub schema: Value,
}

/// Which fields say whose a record is (`x-access`); the policy asks them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecordAccess {
    /// Organisation that owns the record; without it the register's owner does.
    pub owner: Option<String>,
    /// District or county.
    pub district: Option<String>,
    /// The natural person it is about (citizen number).
    pub person: Option<String>,
    /// Account that has it in hand.
    pub handler: Option<String>,
}

impl RecordAccess {
    /// The fields named, with what they say.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            ("owner", &self.owner),
            ("district", &self.district),
            ("person", &self.person),
            ("handler", &self.handler),
        ]
        .into_iter()
        .filter_map(|(what, field)| Some((what, field.as_ref()?)))
    }
}

/// A field of a register.
#[derive(Clone, Debug, Serialize)]
pub struct FieldDecl {
    /// Name in the record.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Type.
    pub kind: FieldKind,
    /// Must be there.
    pub required: bool,
    /// Can be searched, filtered and ordered by.
    pub index: bool,
    /// Personal data: reading needs a purpose and is logged.
    pub personal: bool,
    /// Unit of a number.
    pub unit: Option<String>,
}

/// Type of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FieldKind {
    /// Text.
    Text,
    /// Whole number.
    Integer,
    /// Number.
    Number,
    /// Yes or no.
    Boolean,
    /// `2026-11-21`.
    Date,
    /// RFC 3339.
    Time,
    /// One of these values.
    Choice {
        /// Values with their words.
        of: Vec<(String, Words)>,
    },
    /// Key of a record of another register.
    Reference {
        /// Which.
        register: String,
    },
}

impl RegisterDecl {
    /// A field by name.
    pub fn field(&self, name: &str) -> Option<&FieldDecl> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// Reads one schema file; faults go to the reader.
    pub fn read(system: &str, name: &str, top: &mut Reader<'_>) -> RegisterDecl {
        top.ignore(&[
            "$schema",
            "$id",
            "$comment",
            "description",
            "additionalProperties",
            "type",
        ]);
        let title = Words::new(top.text("title"), top.text("x-title-en"));
        let mut decl = RegisterDecl {
            system: system.into(),
            name: name.into(),
            title,
            owner: top.text("x-owner"),
            key: top.text("x-key"),
            place: None,
            access: RecordAccess::default(),
            cached: top.flag("x-cached", false),
            summary: top.texts_or("x-summary", &[]),
            fields: vec![],
            schema: top.json(),
        };
        let place = top.texts_or("x-place", &[]);
        match place.as_slice() {
            [] => {}
            [lon, lat] => decl.place = Some((lon.clone(), lat.clone())),
            _ => top.fault(
                "x-place",
                "应为 [经度字段, 纬度字段]",
                "expected [longitude field, latitude field]",
            ),
        }
        top.part_opt("x-access", |part| {
            decl.access = RecordAccess {
                owner: part.optional_text("owner"),
                district: part.optional_text("district"),
                person: part.optional_text("person"),
                handler: part.optional_text("handler"),
            };
        });
        let required = top.texts_or("required", &[]);
        top.each("properties", |field_name, field| {
            decl.fields.push(read_field(field_name, field, &required));
        });
        check_names(&decl, &required, top);
        decl
    }
}

fn read_field(name: &str, field: &mut Reader<'_>, required: &[String]) -> FieldDecl {
    field.ignore(&[
        "$comment",
        "description",
        "minLength",
        "maxLength",
        "pattern",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "default",
        "examples",
    ]);
    let title = Words::new(field.text("title"), field.text("x-title-en"));
    let format = field.text_or("format", "");
    let values = field.texts_or("enum", &[]);
    let reference = field.optional_text("x-reference");
    let mut choices: Vec<(String, Words)> = vec![];
    field.each_opt("x-choices", |value, words| {
        let pair = words.own_texts();
        if pair.len() == 2 {
            choices.push((value.into(), Words::new(&pair[0], &pair[1])));
        } else {
            words.fault("", "应为 [中文, English]", "expected [Chinese, English]");
        }
    });
    let of_type = field.one_of("type", &["string", "integer", "number", "boolean"]);
    let kind = match (of_type.as_str(), reference) {
        (_, Some(register)) => FieldKind::Reference { register },
        ("integer", _) => FieldKind::Integer,
        ("number", _) => FieldKind::Number,
        ("boolean", _) => FieldKind::Boolean,
        _ if !values.is_empty() => {
            for (value, _) in &choices {
                if !values.contains(value) {
                    field.fault(
                        "x-choices",
                        format!("{value} 不在 enum 中"),
                        format!("{value} is not in enum"),
                    );
                }
            }
            let words = |v: &String| {
                let found = choices.iter().find(|(c, _)| c == v);
                found
                    .map(|(_, w)| w.clone())
                    .unwrap_or_else(|| Words::new(v, v))
            };
            FieldKind::Choice {
                of: values.iter().map(|v| (v.clone(), words(v))).collect(),
            }
        }
        _ if format == "date" => FieldKind::Date,
        _ if format == "date-time" => FieldKind::Time,
        _ => FieldKind::Text,
    };
    FieldDecl {
        name: name.into(),
        title,
        kind,
        required: required.iter().any(|r| r == name),
        index: field.flag("x-index", false),
        personal: field.flag("x-personal", false),
        unit: field.optional_text("x-unit"),
    }
}

fn check_names(decl: &RegisterDecl, required: &[String], top: &mut Reader<'_>) {
    let place = decl.place.iter().flat_map(|(lon, lat)| [lon, lat]);
    let named = required
        .iter()
        .map(|n| ("required", n))
        .chain(decl.summary.iter().map(|n| ("x-summary", n)))
        .chain(place.map(|n| ("x-place", n)))
        .chain(decl.access.named().map(|(_, n)| ("x-access", n)))
        .chain([("x-key", &decl.key)]);
    for (at, name) in named {
        if decl.field(name).is_none() {
            top.fault(
                at,
                format!("没有名为“{name}”的字段"),
                format!("there is no field \"{name}\""),
            );
        }
    }
    if !required.contains(&decl.key) {
        top.fault(
            "x-key",
            "主键字段必须列入 required",
            "the key field must be in required",
        );
    }
}
