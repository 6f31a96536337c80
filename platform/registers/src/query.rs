//! Questions: what a caller may ask of a register, turned into a selection of the store, and the
//! cursors that continue a page.

use crate::schema::{self, Register};
use kernel::records::RecordQuery;
use kernel::{Fault, Problem, Words};
use serde_json::{Map, Value, json};
use store::records::{Cell, CellKind, Selection, Test};

/// Records of a page when nothing is said.
const PAGE: usize = 100;
/// Records of a page, at most.
pub(crate) const PAGE_LIMIT: usize = 1000;
/// Characters of a searched text, at most.
const TEXT_LIMIT: usize = 200;

/// The selection a query means at `now`; every fault of the query at once.
pub(crate) fn selection(
    register: &Register,
    query: &RecordQuery,
    now: i64,
) -> Result<Selection, Fault> {
    let mut problems = vec![];
    let mut tests = vec![];
    let ordered = query.order.as_deref().map(|o| o.trim_start_matches('-'));
    let named = query
        .equals
        .iter()
        .map(|(field, _)| field.as_str())
        .chain(ordered);
    for field in named.filter(|field| query.hidden.iter().any(|h| h == field)) {
        problems.push(problem(
            &format!("f.{field}"),
            "您看不到该字段的原值，不能据以筛选或排序",
            "you do not see this field as it is: it cannot be filtered or ordered by",
        ));
    }
    for (field, value) in &query.equals {
        match equals(register, field, value) {
            Ok(test) => tests.push(test),
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(text) = query
        .text
        .as_deref()
        .map(str::trim)
        .filter(|t| !t.is_empty())
    {
        if text.chars().count() > TEXT_LIMIT {
            problems.push(problem(
                "text",
                "搜索文字过长",
                "the text to search is too long",
            ));
        }
        let seen = |n: &usize| !query.hidden.contains(&register.shape.columns()[*n].field);
        let searched = register.searched.iter().copied().filter(seen).collect();
        tests.push(Test::Contains(text.into(), searched));
    }
    if let Some(inside) = query.inside {
        match register.place {
            Some((lon, lat)) if inside.iter().all(|n| n.is_finite()) => {
                tests.push(Test::Inside(lon, lat, inside));
            }
            Some(_) => problems.push(problem(
                "bbox",
                "应为 西,南,东,北",
                "should be west,south,east,north",
            )),
            None => problems.push(problem(
                "bbox",
                "该登记簿没有位置",
                "the register has no place",
            )),
        }
    }
    let (order, keys_down) = match order(register, query.order.as_deref()) {
        Ok(order) => order,
        Err(problem) => {
            problems.push(problem);
            (None, false)
        }
    };
    let order_text = query.order.as_deref().unwrap_or("");
    let after = match query.after.as_deref() {
        None => None,
        Some(text) => match read_cursor(text, order_text) {
            Some(after) if fits(register, order, after.0.as_ref()) => Some(after),
            _ => {
                problems.push(problem(
                    "after",
                    "游标无效或不属于此排序",
                    "the cursor is not one of this order",
                ));
                None
            }
        },
    };
    if !problems.is_empty() {
        return Err(Fault::invalid(problems));
    }
    let limit = match query.limit {
        0 => PAGE,
        n => n.min(PAGE_LIMIT),
    };
    Ok(Selection {
        valid_at: query.valid_at.map_or(now, |t| t.0),
        as_of: query.as_of.map(|t| t.0),
        tests,
        order,
        keys_down,
        after,
        limit: limit as u64 + 1,
    })
}

/// A cursor comes from outside: its cell must be of the type of the column it is compared with.
fn fits(register: &Register, order: Option<(usize, bool)>, cell: Option<&Cell>) -> bool {
    let kind = order.map(|(number, _)| register.shape.columns()[number].kind);
    match cell {
        None => true,
        Some(Cell::Text(_)) => kind == Some(CellKind::Text),
        Some(Cell::Integer(_)) => kind == Some(CellKind::Integer),
        Some(Cell::Double(_)) => kind == Some(CellKind::Double),
    }
}

fn problem(at: &str, zh: &str, en: &str) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

fn equals(register: &Register, field: &str, value: &Value) -> Result<Test, Problem> {
    if field == register.decl.key {
        return Ok(Test::Key(schema::scalar(value)));
    }
    let at = format!("f.{field}");
    let Some((number, decl)) = register.column(field) else {
        return Err(problem(
            &at,
            "该字段不能用于筛选",
            "this field cannot be filtered by",
        ));
    };
    if value.is_null() {
        let kind = register.shape.columns()[number].kind;
        return Ok(Test::Equals(number, schema::empty(kind)));
    }
    match schema::cell(&decl.kind, value) {
        Some(cell) => Ok(Test::Equals(number, cell)),
        None => Err(problem(
            &at,
            "筛选值的类型不正确",
            "the value is not of the field's type",
        )),
    }
}

type Order = (Option<(usize, bool)>, bool);

fn order(register: &Register, order: Option<&str>) -> Result<Order, Problem> {
    let text = order.unwrap_or("");
    let (field, down) = match text.strip_prefix('-') {
        Some(field) => (field, true),
        None => (text, false),
    };
    if field.is_empty() || field == register.decl.key {
        return Ok((None, down && !field.is_empty()));
    }
    match register.column(field) {
        Some((number, _)) => Ok((Some((number, down)), false)),
        None => Err(problem(
            "order",
            "该字段不能用于排序",
            "this field cannot be ordered by",
        )),
    }
}

/// The cursor after a record: opaque to the caller, bound to the order it was made for.
pub(crate) fn cursor(
    register: &Register,
    order_text: &str,
    order: Option<(usize, bool)>,
    key: &str,
    fields: &Map<String, Value>,
) -> String {
    let cell = order.map(|(number, _)| {
        let column = &register.shape.columns()[number..=number];
        match register.cells(column, fields).pop() {
            Some(Cell::Text(Some(text))) => json!({ "t": text }),
            Some(Cell::Integer(Some(whole))) => json!({ "i": whole }),
            // As bits: decimal digits would not bring back the very same number.
            Some(Cell::Double(Some(number))) => json!({ "d": number.to_bits() }),
            _ => Value::Null,
        }
    });
    let text = json!([order_text, cell, key]).to_string();
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn read_cursor(text: &str, order_text: &str) -> Option<(Option<Cell>, String)> {
    if text.len() > 8192 || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
    let (order, cell, key): (String, Value, String) = serde_json::from_slice(&bytes?).ok()?;
    if order != order_text {
        return None;
    }
    let cell = match (&cell["t"], &cell["i"], &cell["d"]) {
        (Value::String(text), _, _) => Some(Cell::Text(Some(text.clone()))),
        (_, Value::Number(whole), _) => Some(Cell::Integer(Some(whole.as_i64()?))),
        (_, _, Value::Number(bits)) => Some(Cell::Double(Some(f64::from_bits(bits.as_u64()?)))),
        _ => None,
    };
    Some((cell, key))
}
