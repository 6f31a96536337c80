//! Judges what is handed in for the fields of a letter, and says how values are printed.

use super::{Block, Piece, Shape, Template};
use kernel::{Problem, Words};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Characters of one cell or list entry, at most.
const CELL: usize = 500;

impl Template {
    /// Columns of a table that its pattern names; rows have these and no others.
    pub fn columns(&self, table: &str) -> BTreeSet<&str> {
        let mut columns = BTreeSet::new();
        for block in &self.blocks {
            if let Block::Table { field, cells, .. } = block
                && field == table
            {
                columns.extend(cells.iter().flatten().filter_map(|piece| match piece {
                    Piece::Column(name) => Some(name.as_str()),
                    _ => None,
                }));
            }
        }
        columns
    }

    /// Judges what was handed in for the fields; every fault is named.
    pub(crate) fn judge(&self, fields: &Map<String, Value>) -> Vec<Problem> {
        let mut problems = vec![];
        let mut wrong = |at: String, zh: String, en: String| {
            problems.push(Problem {
                at,
                words: Words::new(zh, en),
            });
        };
        for name in fields.keys() {
            if !self.fields.iter().any(|field| field.name == *name) {
                let name: String = name.chars().take(60).collect();
                wrong(
                    format!("fields/{name}"),
                    format!("“{}”没有这个字段", self.title),
                    format!("{} has no such field", self.kind),
                );
            }
        }
        for field in &self.fields {
            let at = format!("fields/{}", field.name);
            let title = &field.title;
            let value = fields.get(&field.name).unwrap_or(&Value::Null);
            if is_absent(value) {
                if field.required {
                    wrong(at, format!("缺少“{title}”"), format!("{title} is missing"));
                }
                continue;
            }
            match (field.shape, value) {
                (Shape::Text, _) => {
                    if let Err((zh, en)) = judge_text(value, field.most) {
                        wrong(at, format!("“{title}”{zh}"), format!("{title} {en}"));
                    }
                }
                (_, Value::Array(items)) if items.len() <= field.most => {
                    let columns = self.columns(&field.name);
                    for (n, item) in items.iter().enumerate() {
                        for (zh, en) in judge_item(field.shape, item, &columns) {
                            let at = format!("{at}/{n}");
                            wrong(at, format!("“{title}”第 {} 项{zh}", n + 1), en);
                        }
                    }
                }
                _ => wrong(
                    at,
                    format!("“{title}”应为清单，至多 {} 项", field.most),
                    format!("{title} is a list of at most {}", field.most),
                ),
            }
        }
        problems
    }
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A value as it is printed; `None` for what is no text.
pub(crate) fn printed(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(true) => "是".into(),
        Value::Bool(false) => "否".into(),
        _ => return None,
    })
}

fn judge_text(value: &Value, most: usize) -> Result<(), (String, String)> {
    let Some(text) = printed(value) else {
        return Err(("应为文字".into(), "is a text".into()));
    };
    if text.chars().count() > most {
        return Err((
            format!("超过 {most} 个字"),
            format!("is longer than {most} characters"),
        ));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(("含有控制字符".into(), "has control characters".into()));
    }
    Ok(())
}

fn judge_item(shape: Shape, item: &Value, columns: &BTreeSet<&str>) -> Vec<(String, String)> {
    match (shape, item) {
        (Shape::List, _) => judge_text(item, CELL).err().into_iter().collect(),
        (_, Value::Object(row)) => {
            let mut found = vec![];
            for (name, value) in row {
                if !columns.contains(name.as_str()) {
                    let name: String = name.chars().take(60).collect();
                    found.push((
                        format!("没有“{name}”列"),
                        format!("there is no column {name}"),
                    ));
                } else if !value.is_null() {
                    found.extend(judge_text(value, CELL).err());
                }
            }
            found
        }
        _ => vec![("应为对象".into(), "is an object".into())],
    }
}
