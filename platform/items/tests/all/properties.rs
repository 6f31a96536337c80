//! Whatever anybody sends: nothing panics, and what is carried over fits.

use crate::*;
use kernel::items::Items;
use proptest::prelude::*;
use std::sync::OnceLock;

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "x",
            "y",
            "z",
            "1",
            "2.5",
            "2026-01-02",
            "114.5,38",
            "catering"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..5)
                .prop_map(|map| { Value::Object(map.into_iter().collect()) }),
        ]
    })
}

/// Keys that mean something somewhere, and others.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "title",
            "zh",
            "en",
            "type",
            "form",
            "properties",
            "enum",
            "x-words",
            "x-when",
            "field",
            "in",
            "items",
            "format",
            "pattern",
            "x-steps",
            "required",
            "outcome",
            "licence",
            "guidance",
            "options",
            "next",
            "a",
            "b",
            "c",
            "business",
            "minimum",
            "multipleOf",
        ])
        .prop_map(str::to_owned),
        ".{0,6}",
    ]
}

/// A field of a form, sound for the most part.
fn field() -> impl Strategy<Value = Value> {
    let of = prop_oneof![
        Just(json!({ "type": "string" })),
        Just(json!({ "type": "string", "maxLength": 3 })),
        Just(json!({ "type": "string", "format": "date" })),
        Just(json!({ "type": "string", "format": "textarea" })),
        Just(json!({ "type": "string", "format": "place" })),
        Just(json!({ "type": "integer" })),
        Just(json!({ "type": "integer", "format": "money-fen" })),
        Just(json!({ "type": "number", "minimum": 0, "x-unit": "米" })),
        Just(json!({ "type": "number" })),
        Just(json!({ "type": "boolean" })),
        choice().prop_map(|c| c),
        choice().prop_map(|items| json!({ "type": "array", "items": items })),
    ];
    (
        of,
        any::<bool>(),
        prop::option::of(prop::sample::select(vec!["a", "b", "c"])),
    )
        .prop_map(|(mut field, conditional, was)| {
            field["title"] = json!("甲");
            field["x-title-en"] = json!("A");
            if conditional {
                field["x-when"] = json!([{ "field": "a", "in": ["x", 1, true] }]);
            }
            if let Some(was) = was {
                field["x-was"] = json!(was);
            }
            field
        })
}

fn choice() -> impl Strategy<Value = Value> {
    prop::sample::subsequence(vec!["x", "y", "z"], 1..=3).prop_map(|values| {
        let words: Map<String, Value> = values
            .iter()
            .map(|v| (v.to_string(), json!({ "zh": v, "en": v })))
            .collect();
        json!({ "type": "string", "enum": values, "x-words": words })
    })
}

fn form() -> impl Strategy<Value = Value> {
    let names = prop::sample::subsequence(vec!["a", "b", "c", "d", "e"], 1..=5);
    (names, prop::collection::vec(field(), 5), any::<bool>()).prop_map(|(names, fields, need)| {
        let properties: Map<String, Value> = names
            .iter()
            .zip(fields)
            .map(|(name, field)| (name.to_string(), field))
            .collect();
        let required = if need { names } else { vec![] };
        json!({ "type": "object", "properties": properties, "required": required })
    })
}

fn answers() -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "d", "e"]).prop_map(str::to_owned),
        1 => ".{0,6}",
    ];
    prop::collection::btree_map(name, any_json(), 0..7).prop_map(|map| map.into_iter().collect())
}

/// One engine for all cases; nothing is kept in it.
fn shared() -> Arc<Engine> {
    static ENGINE: OnceLock<(tempfile::TempDir, Arc<Engine>)> = OnceLock::new();
    ENGINE
        .get_or_init(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let made = runtime.block_on(alone());
            // Its connections live as long as the process.
            std::mem::forget(runtime);
            made
        })
        .1
        .clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_answers_to_any_form_are_judged(form in form(), answers in answers(), whole: bool) {
        let engine = shared();
        let item = item(1, form);
        engine.judge(&item, &answers, whole);
        engine.materials(&item, &answers);
        let tidy = engine.tidy(&item, &answers);
        prop_assert_eq!(engine.tidy(&item, &tidy), tidy.clone(), "tidying twice is tidying once");
        // What is wrong in the whole is what is wrong in the part, and what is missing.
        let part = engine.judge(&item, &tidy, false);
        let all = engine.judge(&item, &tidy, true);
        prop_assert!(part.iter().all(|problem| all.contains(problem)));
    }

    #[test]
    fn a_form_of_anything_is_read(form in any_json(), answers in answers()) {
        let engine = shared();
        let item = item(1, form.clone());
        engine.judge(&item, &answers, true);
        engine.asked(&item, &answers);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(engine.check(&item.content));
    }

    #[test]
    fn what_is_carried_over_fits_and_nothing_is_lost(
        from in form(), to in form(), answers in answers()
    ) {
        let engine = shared();
        let (from, to) = (item(1, from), item(2, to));
        let carried = engine.carry_over(&from, &to, &answers);
        let problems = engine.judge(&to, &carried.answers, false);
        // Rules between dates are the only ones that may not hold; there are none here.
        prop_assert!(problems.is_empty(), "{:?} {:?}", carried, problems);
        let blank = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        let given = answers.values().filter(|value| !blank(value)).count();
        prop_assert_eq!(carried.answers.len() + carried.left_over.len(), given);
    }

    #[test]
    fn any_text_is_read_as_a_file(text in "(.|\n){0,200}", change in any_json(), n in 0usize..40) {
        let _ = items::read_declared(&text);
        let mut lines: Vec<String> = FOOD.lines().map(str::to_owned).collect();
        let at = n % lines.len();
        lines[at] = format!("{}: {change}", lines[at].split(':').next().unwrap_or_default());
        let _ = items::read_declared(&lines.join("\n"));
    }
}
