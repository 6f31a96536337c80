//! Answers of one version under the next.

use crate::*;
use kernel::items::{CarriedOver, Items};

fn field(more: Value) -> Value {
    let mut field = json!({ "title": "甲", "x-title-en": "A" });
    for (key, value) in map(more) {
        field[key] = value;
    }
    field
}

fn choices(values: &[&str]) -> Value {
    let words: Map<String, Value> = values
        .iter()
        .map(|v| (v.to_string(), json!({ "zh": format!("选{v}"), "en": v })))
        .collect();
    json!({ "type": "string", "enum": values, "x-words": words })
}

fn form(fields: Value) -> Value {
    json!({ "type": "object", "properties": fields })
}

async fn carry(from: Value, to: Value, answers: Value) -> CarriedOver {
    let (_dir, engine) = alone().await;
    let (from, to) = (item(1, from), item(2, to));
    let carried = engine.carry_over(&from, &to, &map(answers));
    in_both_languages(&carried.changes);
    let problems = engine.judge(&to, &carried.answers, false);
    assert_eq!(problems, vec![], "what was carried over fits");
    carried
}

/// One field becomes another; its answer is carried over as this, or kept apart (`null`).
async fn check(from: Value, to: Value, answer: Value, expect: Value, said: &str) {
    let from = form(json!({ "a": field(from) }));
    let to = form(json!({ "a": field(to) }));
    let carried = carry(from, to, json!({ "a": answer })).await;
    match expect {
        Value::Null => {
            assert_eq!(carried.left_over.get("a"), Some(&answer));
            assert!(carried.answers.is_empty());
        }
        expect => {
            assert_eq!(carried.answers.get("a"), Some(&expect));
            assert!(carried.left_over.is_empty());
        }
    }
    match said {
        "" => assert_eq!(carried.changes, vec![]),
        said => {
            assert_eq!(carried.changes.len(), 1);
            let change = &carried.changes[0];
            assert_eq!(change.at, "/answers/a");
            assert!(change.words.zh.contains(said), "{}", change.words.zh);
        }
    }
}

#[tokio::test]
async fn conversions() {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer" });
    let number = || json!({ "type": "number" });
    let several = |values: &[&str]| {
        let mut items = choices(values);
        items["type"] = json!("string");
        json!({ "type": "array", "items": items })
    };
    check(text(), text(), json!("字"), json!("字"), "").await;
    check(
        text(),
        whole(),
        json!("12"),
        json!(12),
        "已按您原来的内容转换",
    )
    .await;
    check(text(), whole(), json!("十二"), Value::Null, "重新填写").await;
    check(text(), number(), json!("1.5"), json!(1.5), "转换").await;
    check(text(), number(), json!("NaN"), Value::Null, "重新填写").await;
    check(whole(), number(), json!(3), json!(3), "").await;
    check(number(), whole(), json!(3.0), json!(3), "转换").await;
    check(number(), whole(), json!(3.5), Value::Null, "重新填写").await;
    check(whole(), text(), json!(3), json!("3"), "转换").await;
    check(
        whole(),
        json!({ "type": "boolean" }),
        json!(1),
        Value::Null,
        "是或否",
    )
    .await;
    check(
        choices(&["x", "y"]),
        several(&["x", "y"]),
        json!("x"),
        json!(["x"]),
        "转换",
    )
    .await;
    check(
        several(&["x", "y"]),
        choices(&["x", "y"]),
        json!(["y"]),
        json!("y"),
        "转换",
    )
    .await;
    check(
        several(&["x", "y"]),
        choices(&["x", "y"]),
        json!(["x", "y"]),
        Value::Null,
        "重新填写",
    )
    .await;
    check(
        choices(&["x", "y"]),
        choices(&["y"]),
        json!("x"),
        Value::Null,
        "“选x”已取消",
    )
    .await;
    check(
        choices(&["x", "y"]),
        choices(&["y"]),
        json!("y"),
        json!("y"),
        "",
    )
    .await;
    check(
        several(&["x", "y"]),
        several(&["y"]),
        json!(["x", "y"]),
        Value::Null,
        "“选x”已取消",
    )
    .await;
    check(choices(&["x"]), text(), json!("x"), json!("x"), "").await;
    check(
        text(),
        json!({ "type": "string", "format": "date" }),
        json!("2026-01-02"),
        json!("2026-01-02"),
        "",
    )
    .await;
    check(
        text(),
        json!({ "type": "string", "format": "date" }),
        json!("明天"),
        Value::Null,
        "日期",
    )
    .await;
    check(
        text(),
        json!({ "type": "string", "maxLength": 2 }),
        json!("三个字"),
        Value::Null,
        "最多 2 个字",
    )
    .await;
    check(
        whole(),
        json!({ "type": "integer", "maximum": 2 }),
        json!(3),
        Value::Null,
        "不得大于 2",
    )
    .await;
    // Neither money nor units are converted.
    check(
        whole(),
        json!({ "type": "integer", "format": "money-fen" }),
        json!(3),
        Value::Null,
        "金额",
    )
    .await;
    check(
        json!({ "type": "number", "x-unit": "亩" }),
        json!({ "type": "number", "x-unit": "平方米" }),
        json!(3),
        Value::Null,
        "重新填写",
    )
    .await;
}

#[tokio::test]
async fn renamed_removed_added_and_asked_no_more() {
    let text = |title: &str| json!({ "type": "string", "title": title, "x-title-en": title });
    let from = form(
        json!({ "old": text("旧"), "gone": text("去"), "kind": field(choices(&["x", "y"])), "only_x": text("仅x"), "blank": text("空") }),
    );
    let mut renamed = text("新");
    renamed["x-was"] = json!("old");
    let mut conditional = text("仅x");
    conditional["x-when"] = json!([{ "field": "kind", "in": ["x"] }]);
    let mut to = form(
        json!({ "kind": field(choices(&["x", "y"])), "new": renamed, "only_x": conditional, "added": text("加"), "blank": text("空") }),
    );
    to["required"] = json!(["new", "added", "only_x"]);
    let answers =
        json!({ "old": "值", "gone": "没了", "kind": "y", "only_x": "不问了", "blank": "" });
    let carried = carry(from, to, answers).await;
    assert_eq!(
        Value::Object(carried.answers),
        json!({ "kind": "y", "new": "值" })
    );
    assert_eq!(
        Value::Object(carried.left_over),
        json!({ "gone": "没了", "only_x": "不问了" })
    );
    let said: Vec<(&str, &str)> = carried
        .changes
        .iter()
        .map(|c| (c.at.as_str(), c.words.zh.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("/answers/gone", "“去”不再需要填写，您填写的内容已另存"),
            ("/answers/only_x", "“仅x”不再需要填写，您填写的内容已另存"),
            ("/answers/added", "“加”是新增的问题，请填写"),
        ]
    );
}

#[tokio::test]
async fn the_same_version_changes_nothing() {
    let answers = crate::judge::restaurant();
    let form = value(FOOD)["form"].clone();
    let carried = carry(form.clone(), form, answers.clone()).await;
    assert_eq!(Value::Object(carried.answers), answers);
    assert!(carried.left_over.is_empty() && carried.changes.is_empty());
}
