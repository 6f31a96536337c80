//! From the answer of a report to the number of an indicator.

use kernel::Words;
use serde_json::Value;

/// The number a JSON pointer leads to, or why there is none.
pub(crate) fn number(answer: &Value, pointer: &str) -> Result<f64, Words> {
    match answer.pointer(pointer) {
        None => Err(Words::new(
            format!("报表中没有 {pointer}"),
            format!("the report has no {pointer}"),
        )),
        Some(Value::Null) => Err(Words::new(
            format!("报表的 {pointer} 目前没有数值"),
            format!("the report's {pointer} has no value at present"),
        )),
        Some(found) => match found.as_f64().filter(|n| n.is_finite()) {
            Some(number) => Ok(number),
            None => Err(Words::new(
                format!("报表的 {pointer} 不是数值"),
                format!("the report's {pointer} is no number"),
            )),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_what_is_none() {
        let answer = json!({"city": {"aqi": 61, "level": null, "title": "良"}, "list": [1.5]});
        let check = |pointer, expect: Result<f64, &str>| {
            let found = number(&answer, pointer).map_err(|words| words.en);
            assert_eq!(found, expect.map_err(String::from), "{pointer}");
        };
        check("/city/aqi", Ok(61.0));
        check("/list/0", Ok(1.5));
        check("/city/pm", Err("the report has no /city/pm"));
        check(
            "/city/level",
            Err("the report's /city/level has no value at present"),
        );
        check("/city/title", Err("the report's /city/title is no number"));
    }
}
