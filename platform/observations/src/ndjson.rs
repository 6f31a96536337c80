//! Newline-delimited JSON, the other form of the batch interface: one row a line,
//! `{"thing":"LD1","period":"real_time","time":"2026-11-21T10:00:00+08:00","values":{"a21026":0.02,"a34013.mean":[3.1,"N"]}}`.
//! `period` may be absent (`real_time`); `time` is RFC 3339 or milliseconds since 1970; without
//! it the row gets `now`. Unknown keys are refused, as is the whole batch at any fault.

use crate::parsed::{
    Field, MAX_THING_BYTES, Parsed, ParsedCell, ParsedRow, Problems, field, valid_name,
};
use kernel::observations::{Flag, Period};
use kernel::{Problem, Time};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// Reads a batch; lines without a time get `now`.
pub fn parse(bytes: &[u8], now: Time) -> Result<Parsed<'static>, Vec<Problem>> {
    let mut parsed = Parsed::default();
    let mut numbers = HashMap::new();
    let mut problems = Problems::default();
    for (at, line) in bytes.split(|&b| b == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let first = parsed.cells.len();
        match row(line, now, &mut parsed, &mut numbers) {
            Ok(row) => parsed.rows.push(row),
            Err((zh, en)) => {
                parsed.cells.truncate(first);
                problems.add(at + 1, zh, en);
                if problems.full() {
                    break;
                }
            }
        }
    }
    if problems.0.is_empty() {
        Ok(parsed)
    } else {
        Err(problems.0)
    }
}

type Wrong = (String, String);

fn row(
    line: &[u8],
    now: Time,
    parsed: &mut Parsed<'static>,
    numbers: &mut HashMap<String, u32>,
) -> Result<ParsedRow<'static>, Wrong> {
    let object: Map<String, Value> = serde_json::from_slice(line).map_err(|e| {
        (
            format!("不是 JSON 对象：{e}"),
            format!("not a JSON object: {e}"),
        )
    })?;
    if let Some(key) = object
        .keys()
        .find(|k| !matches!(k.as_str(), "thing" | "period" | "time" | "values"))
    {
        return Err((format!("未知的键“{key}”"), format!("unknown key '{key}'")));
    }
    let thing = object
        .get("thing")
        .and_then(Value::as_str)
        .filter(|t| valid_name(t, MAX_THING_BYTES));
    let thing = thing.ok_or_else(|| {
        (
            "thing 缺失或无效".to_string(),
            "thing is absent or not a name".to_string(),
        )
    })?;
    let period = match object.get("period") {
        None => Some(Period::RealTime),
        Some(word) => word.as_str().and_then(Period::parse),
    };
    let period = period.ok_or_else(|| {
        (
            "period 应为 real_time、minute、hour 或 day".to_string(),
            "period is not real_time, minute, hour or day".to_string(),
        )
    })?;
    let time = match object.get("time") {
        None => Some(now),
        Some(Value::String(text)) => Time::parse(text),
        Some(ms) => ms.as_i64().and_then(|ms| ms.checked_mul(1000)).map(Time),
    };
    let time = time.ok_or_else(|| {
        (
            "time 应为 RFC 3339 或毫秒数".to_string(),
            "time is neither RFC 3339 nor milliseconds".to_string(),
        )
    })?;
    let values = object
        .get("values")
        .and_then(Value::as_object)
        .filter(|v| !v.is_empty());
    let values = values.ok_or_else(|| {
        (
            "values 缺失或为空".to_string(),
            "values is absent or empty".to_string(),
        )
    })?;
    let first = parsed.cells.len();
    for (name, value) in values {
        let cell = cell(name, value, parsed, numbers)?;
        if parsed.cells[first..].iter().any(|c| c.field == cell.field) {
            return Err((format!("“{name}”重复"), format!("'{name}' stands twice")));
        }
        parsed.cells.push(cell);
    }
    let cells = first..parsed.cells.len();
    Ok(ParsedRow {
        thing: Cow::Owned(thing.to_string()),
        period,
        time,
        cells,
    })
}

fn cell(
    name: &str,
    value: &Value,
    parsed: &mut Parsed<'static>,
    numbers: &mut HashMap<String, u32>,
) -> Result<ParsedCell, Wrong> {
    let bad_value = || {
        (
            format!("“{name}”应为数字或 [数字, 标记]"),
            format!("'{name}' is neither a number nor [number, flag]"),
        )
    };
    let (number, flag) = match value {
        Value::Array(pair) => match pair.as_slice() {
            [number, Value::String(flag)]
                if flag.len() <= 1 && flag.bytes().all(|b| b.is_ascii_alphanumeric()) =>
            {
                (number, Flag(flag.bytes().next().unwrap_or(0)))
            }
            _ => return Err(bad_value()),
        },
        number => (number, Flag::UNSTATED),
    };
    let value = number
        .as_f64()
        .filter(|v| v.is_finite())
        .ok_or_else(bad_value)?;
    if let Some(&field) = numbers.get(name) {
        return Ok(ParsedCell { field, value, flag });
    }
    let (property, statistic, basis) = field(name).ok_or_else(|| {
        (
            format!("“{name}”不是有效的要素名"),
            format!("'{name}' is not a property[.statistic][.converted]"),
        )
    })?;
    let made = Field {
        property: Cow::Owned(property.to_string()),
        statistic,
        basis,
    };
    let index = parsed
        .fields
        .iter()
        .position(|f| *f == made)
        .unwrap_or_else(|| {
            parsed.fields.push(made);
            parsed.fields.len() - 1
        }) as u32;
    numbers.insert(name.to_string(), index);
    Ok(ParsedCell {
        field: index,
        value,
        flag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expect: Result<usize, &str>) {
        let got = parse(input.as_bytes(), Time(7)).map(|p| p.cells.len());
        let got = got.map_err(|p| format!("{} {}", p[0].at, p[0].words.en));
        assert_eq!(got, expect.map_err(String::from), "{input}");
    }

    #[test]
    fn lines_right_and_wrong() {
        check(
            r#"{"thing":"S","values":{"a":1,"b.mean":[2.5,"N"]}}"#,
            Ok(2),
        );
        check(
            "{\"thing\":\"S\",\"period\":\"day\",\"time\":5,\"values\":{\"a\":1}}\n\n{\"thing\":\"S\",\"time\":\"2026-01-01T00:00:00Z\",\"values\":{\"a\":1}}",
            Ok(2),
        );
        check(
            r#"{"thing":"S","values":{"a":1},"x":1}"#,
            Err("line:1 unknown key 'x'"),
        );
        check(
            r#"{"values":{"a":1}}"#,
            Err("line:1 thing is absent or not a name"),
        );
        check(
            r#"{"thing":"S","values":{}}"#,
            Err("line:1 values is absent or empty"),
        );
        check(
            r#"{"thing":"S","values":{"a":"1"}}"#,
            Err("line:1 'a' is neither a number nor [number, flag]"),
        );
        check(
            r#"{"thing":"S","values":{"a":1,"a.value":2}}"#,
            Err("line:1 'a.value' stands twice"),
        );
        check(
            r#"{"thing":"S","period":"week","values":{"a":1}}"#,
            Err("line:1 period is not real_time, minute, hour or day"),
        );
        check(
            r#"{"thing":"S","time":"noon","values":{"a":1}}"#,
            Err("line:1 time is neither RFC 3339 nor milliseconds"),
        );
        assert!(parse(b"[1]", Time(0)).is_err());
    }
}
