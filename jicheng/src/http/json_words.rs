//! What is wrong with a JSON body, in Chinese: the reader says it in English only.

/// What the reader said of a body, in Chinese; its own words where they are not known.
pub fn chinese(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = said.strip_suffix(&place).unwrap_or(&said);
    let place = match error.line() {
        0 => String::new(),
        line => format!("（第 {line} 行第 {} 列）", error.column()),
    };
    format!("{}{place}", of(words).unwrap_or_else(|| words.into()))
}

fn of(words: &str) -> Option<String> {
    let plain = match words {
        "expected value" => "此处应有一个值",
        "expected ident" => "应为 true、false 或 null",
        "key must be a string" => "字段名应为带引号的文本",
        "invalid number" => "数字写法不对",
        "number out of range" => "数字超出范围",
        "invalid escape" => "转义写法不对",
        "invalid unicode code point" | "lone leading surrogate in hex escape" => "字符编码不对",
        "trailing characters" => "内容结束后还有多余的字符",
        "trailing comma" => "多了一个逗号",
        "recursion limit exceeded" => "嵌套过深",
        words if words.starts_with("EOF while parsing") => "内容不完整，提前结束",
        words if words.starts_with("control character") => "文本中有未转义的控制字符",
        _ => "",
    };
    if !plain.is_empty() {
        return Some(plain.into());
    }
    if let Some(field) = words.strip_prefix("missing field ") {
        return Some(format!("缺少字段 {field}"));
    }
    if let Some(field) = words.strip_prefix("duplicate field ") {
        return Some(format!("字段 {field} 重复"));
    }
    for (start, zh) in [
        ("unknown field ", "没有字段"),
        ("unknown variant ", "没有取值"),
        ("invalid type: ", "类型不对："),
        ("invalid value: ", "值不对："),
        ("invalid length ", "长度不对："),
    ] {
        let Some(rest) = words.strip_prefix(start) else {
            continue;
        };
        // What came may hold the same words; what was expected comes last.
        let (came, expected) = match rest.rsplit_once(", expected ") {
            Some((came, expected)) => (came, wanted(expected)),
            None => (rest, String::new()),
        };
        let space = if zh.ends_with('：') { "" } else { " " };
        return Some(format!("{zh}{space}{}{expected}", thing(came)));
    }
    let expected = words.strip_prefix("expected ")?;
    Some(format!("应为 {}", expected.replace(" or ", " 或 ")))
}

/// What came: its kind in Chinese, its value as it is.
fn thing(came: &str) -> String {
    for (en, zh) in [
        ("string", "文本"),
        ("integer", "整数"),
        ("floating point", "小数"),
        ("boolean", "布尔值"),
        ("null", "空值"),
        ("sequence", "数组"),
        ("map", "对象"),
    ] {
        if came == en {
            return zh.into();
        }
        if let Some(value) = came
            .strip_prefix(en)
            .and_then(|rest| rest.strip_prefix(' '))
        {
            return format!("{zh} {value}");
        }
    }
    came.into()
}

fn wanted(expected: &str) -> String {
    let zh = match expected {
        "a string" | "a borrowed string" => "文本",
        "u8" | "u16" | "u32" | "u64" | "usize" => "不小于零的整数",
        "i8" | "i16" | "i32" | "i64" | "isize" => "整数",
        "f32" | "f64" => "数值",
        "a boolean" => " true 或 false",
        "a sequence" => "数组",
        "a map" => "对象",
        "there are no fields" => return "，此处不能有字段".into(),
        words if words.starts_with("struct ") || words.starts_with("internally tagged") => "对象",
        words => {
            let words = words.strip_prefix("one of ");
            let words = words.unwrap_or(expected);
            return format!(
                "，应为 {}",
                words.replace(" or ", " 或 ").replace(", ", "、")
            );
        }
    };
    format!("，应为{zh}")
}

#[cfg(test)]
mod tests {
    use super::chinese;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Body {
        bill: String,
        fen: u64,
        way: Option<Way>,
        parts: Option<Vec<bool>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Way {
        Cash,
        Card,
        Transfer,
    }

    #[test]
    fn faults_of_a_body_are_said_in_chinese() {
        for (body, expected) in [
            (r#"{"fen": 1}"#, "缺少字段 `bill`（第 1 行第 10 列）"),
            (
                r#"{"bil": 1}"#,
                "没有字段 `bil`，应为 `bill`、`fen`、`way`、`parts`（第 1 行第 6 列）",
            ),
            (
                r#"{"bill": 1}"#,
                "类型不对：整数 `1`，应为文本（第 1 行第 10 列）",
            ),
            (
                r#"{"bill": "b", "fen": "1"}"#,
                "类型不对：文本 \"1\"，应为不小于零的整数（第 1 行第 24 列）",
            ),
            (
                r#"{"bill": "b", "fen": -1}"#,
                "值不对：整数 `-1`，应为不小于零的整数（第 1 行第 23 列）",
            ),
            (
                r#"{"bill": "b", "bill": "b"}"#,
                "字段 `bill` 重复（第 1 行第 20 列）",
            ),
            (
                r#"{"way": "gold"}"#,
                "没有取值 `gold`，应为 `cash`、`card`、`transfer`（第 1 行第 14 列）",
            ),
            (
                r#"{"parts": [1]}"#,
                "类型不对：整数 `1`，应为 true 或 false（第 1 行第 12 列）",
            ),
            (
                r#"{"parts": 1}"#,
                "类型不对：整数 `1`，应为数组（第 1 行第 11 列）",
            ),
            // A list is read as the fields in their order.
            ("[]", "长度不对：0，应为对象（第 1 行第 2 列）"),
            ("7", "类型不对：整数 `7`，应为对象（第 1 行第 1 列）"),
            ("{\n", "内容不完整，提前结束（第 2 行第 0 列）"),
            ("x", "此处应有一个值（第 1 行第 1 列）"),
            (r#"{"bill": "b" 1"#, "应为 `,` 或 `}`（第 1 行第 14 列）"),
            (
                r#"{"bill": "b", "fen": 1}}"#,
                "内容结束后还有多余的字符（第 1 行第 24 列）",
            ),
        ] {
            let error = serde_json::from_str::<Body>(body).expect_err(body);
            let said = chinese(&error);
            assert_eq!(said, expected, "{error}");
        }
    }
}
