//! A register ready for use: its declaration, the compiled JSON Schema, and how its fields become
//! cells of the store's table.

use crate::problems;
use jsonschema::{Draft, PatternOptions, Validator};
use kernel::declare::{FieldDecl, FieldKind, RegisterDecl};
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Time, Words};
use serde_json::{Map, Value};
use store::records::{Cell, CellKind, Column, Shape};

/// A record larger than this, as JSON, is refused.
const RECORD_LIMIT: usize = 64 * 1024;
/// A key longer than this is refused, characters.
const KEY_LIMIT: usize = 200;

/// A compiled register.
pub(crate) struct Register {
    /// As declared.
    pub(crate) decl: RegisterDecl,
    /// Its table.
    pub(crate) shape: Shape,
    /// Numbers of the columns that text is searched in.
    pub(crate) searched: Vec<usize>,
    /// Numbers of the columns of longitude and latitude.
    pub(crate) place: Option<(usize, usize)>,
    validator: Validator,
}

impl Register {
    /// Compiles a declaration; fails as `declaration.invalid`. No reference is ever fetched.
    pub(crate) fn compile(decl: &RegisterDecl) -> Result<Register, Fault> {
        let fields: Vec<&FieldDecl> = decl.fields.iter().filter(|f| has_column(decl, f)).collect();
        let columns: Vec<Column> = fields.iter().map(|f| column(f)).collect();
        let number = |name: &str| columns.iter().position(|c| c.field == name);
        let place = decl
            .place
            .as_ref()
            .and_then(|(lon, lat)| Some((number(lon)?, number(lat)?)));
        let searched = (0..fields.len())
            .filter(|i| {
                matches!(
                    fields[*i].kind,
                    FieldKind::Text | FieldKind::Reference { .. }
                )
            })
            .collect();
        Ok(Register {
            shape: Shape::new(&decl.name, columns)?
                .narrowed_by(decl.access.named().map(|(_, field)| field)),
            searched,
            place,
            validator: compile_schema(decl)?,
            decl: decl.clone(),
        })
    }

    /// The fields that have a column, with its number.
    pub(crate) fn column(&self, field: &str) -> Option<(usize, &FieldDecl)> {
        let number = self.shape.columns().iter().position(|c| c.field == field)?;
        Some((number, self.decl.field(field)?))
    }

    /// Everything wrong with the fields of one record; `prefix` is put before the JSON pointers.
    pub(crate) fn check(&self, fields: &Map<String, Value>, prefix: &str) -> Vec<Problem> {
        let record = Value::Object(fields.clone());
        let mut found: Vec<Problem> = self
            .validator
            .iter_errors(&record)
            .flat_map(|error| problems::of(&self.decl, &error, prefix))
            .collect();
        for (name, value) in fields {
            let at = || format!("{prefix}/{name}");
            let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            if value.as_str().is_some_and(|text| text.contains(control)) {
                found.push(Problem {
                    at: at(),
                    words: Words::new("含有控制字符", "contains control characters"),
                });
            }
            let whole = self.decl.field(name).map(|f| &f.kind) == Some(&FieldKind::Integer);
            let fraction = value.as_f64().is_some_and(|n| n.fract() != 0.0);
            if whole && value.is_number() && !fraction && integer(value).is_none() {
                found.push(Problem {
                    at: at(),
                    words: Words::new("整数超出范围", "the whole number is out of range"),
                });
            }
        }
        if record.to_string().len() > RECORD_LIMIT {
            found.push(Problem {
                at: prefix.into(),
                words: Words::new("记录超过 64 KB", "the record is larger than 64 kB"),
            });
        }
        found
    }

    /// What is wrong with a key, and with fields that carry another.
    pub(crate) fn check_key(
        &self,
        key: &str,
        fields: Option<&Map<String, Value>>,
        prefix: &str,
    ) -> Option<Problem> {
        let at = format!("{prefix}/{}", self.decl.key);
        if key.trim().is_empty() || key.trim() != key || key.chars().count() > KEY_LIMIT {
            let words = Words::new(
                "主键不能为空、不能以空格开头或结尾，不超过 200 个字",
                "a key has 1 to 200 characters and no blanks around it",
            );
            return Some(Problem { at, words });
        }
        let inside = scalar(fields?.get(&self.decl.key)?);
        (inside != key).then(|| Problem {
            at,
            words: Words::new(
                format!("主键“{inside}”与地址中的“{key}”不一致"),
                format!("the key \"{inside}\" is not the \"{key}\" of the address"),
            ),
        })
    }

    /// Keys of other registers a record refers to: field, register, key.
    pub(crate) fn references<'a>(
        &'a self,
        fields: &Map<String, Value>,
    ) -> Vec<(&'a str, &'a str, String)> {
        let mut found = vec![];
        for field in &self.decl.fields {
            if let FieldKind::Reference { register } = &field.kind
                && let Some(value) = fields.get(&field.name)
            {
                found.push((field.name.as_str(), register.as_str(), scalar(value)));
            }
        }
        found
    }

    /// Cells of some columns, from the fields of a record.
    pub(crate) fn cells(&self, columns: &[Column], fields: &Map<String, Value>) -> Vec<Cell> {
        let one = |column: &Column| {
            let kind = self.decl.field(&column.field).map(|f| &f.kind);
            let value = fields.get(&column.field);
            match (kind, value) {
                (Some(kind), Some(value)) => cell(kind, value).unwrap_or(empty(column.kind)),
                _ => empty(column.kind),
            }
        };
        columns.iter().map(one).collect()
    }
}

fn compile_schema(decl: &RegisterDecl) -> Result<Validator, Fault> {
    let mut schema = decl.schema.clone();
    if let Value::Object(top) = &mut schema {
        top.remove("$schema");
        top.remove("$id");
        top.insert("type".into(), "object".into());
        top.insert("additionalProperties".into(), false.into());
    }
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        // Matches in time linear in the text, so that no record can keep the machine busy.
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|error| {
            Fault::new(
                FaultKind::Invalid,
                "declaration.invalid",
                format!("登记簿 {} 的 JSON Schema 有误：{error}", decl.name),
                format!("the JSON Schema of register {}: {error}", decl.name),
            )
        })
}

fn has_column(decl: &RegisterDecl, field: &FieldDecl) -> bool {
    let of_place = decl
        .place
        .as_ref()
        .is_some_and(|(lon, lat)| *lon == field.name || *lat == field.name);
    field.index || of_place
}

fn column(field: &FieldDecl) -> Column {
    let kind = match field.kind {
        FieldKind::Integer | FieldKind::Boolean | FieldKind::Time => CellKind::Integer,
        FieldKind::Number => CellKind::Double,
        _ => CellKind::Text,
    };
    Column {
        field: field.name.clone(),
        kind,
    }
}

/// The cell of a field the record does not have.
pub(crate) fn empty(kind: CellKind) -> Cell {
    match kind {
        CellKind::Text => Cell::Text(None),
        CellKind::Integer => Cell::Integer(None),
        CellKind::Double => Cell::Double(None),
    }
}

/// The cell of a value; `None` when the value is not of the kind. Text that says a number, a
/// truth or a time is understood too, because filters come from addresses as text.
pub(crate) fn cell(kind: &FieldKind, value: &Value) -> Option<Cell> {
    Some(match kind {
        FieldKind::Integer => Cell::Integer(Some(match value {
            Value::String(text) => text.trim().parse().ok()?,
            other => integer(other)?,
        })),
        FieldKind::Boolean => Cell::Integer(Some(match value {
            Value::String(text) => i64::from(text.parse::<bool>().ok()?),
            other => i64::from(other.as_bool()?),
        })),
        FieldKind::Time => Cell::Integer(Some(Time::parse(value.as_str()?)?.0)),
        FieldKind::Number => {
            let number: f64 = match value {
                Value::String(text) => text.trim().parse().ok()?,
                other => other.as_f64()?,
            };
            Cell::Double(Some(number).filter(|n| n.is_finite())?.into())
        }
        _ => match value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Cell::Text(Some(scalar(value))),
            _ => return None,
        },
    })
}

/// A whole number that fits; JSON Schema counts `5.0` as one too.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    let whole = |n: &f64| n.fract() == 0.0 && n.abs() <= 9_007_199_254_740_992.0;
    value
        .as_i64()
        .or_else(|| value.as_f64().filter(whole).map(|n| n as i64))
}

/// A scalar as text, the form of keys.
pub(crate) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Fields without those that are `null`: an empty field of a form is a field left out.
pub(crate) fn without_nulls(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().filter(|(_, v)| !v.is_null()).collect()
}
