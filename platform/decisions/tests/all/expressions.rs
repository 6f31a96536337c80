//! Expressions: values, conditions, where faults are, and what is refused for its cost.

use crate::{engine, memory};
use kernel::decisions::Expressions;
use kernel::fault::Fault;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => panic!("an object is wanted"),
    }
}

/// Evaluates texts over a context and compares what they come to.
async fn check(cases: &[(&str, Value, Value)]) {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    for (text, context, expected) in cases {
        let found = feel.evaluate(text, &object(context.clone()));
        let found = found.unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(&found.value, expected, "{text}: {:?}", found.why_null);
    }
}

#[tokio::test]
async fn values_go_in_and_come_out_as_the_contract_says() {
    check(&[
        ("a + b", json!({"a": 1, "b": 2}), json!(3)),
        ("= a * 2", json!({"a": 0.1}), json!(0.2)),
        ("0.1 + 0.2", json!({}), json!(0.3)),
        (
            "9007199254740993",
            json!({}),
            json!({"@number": "9007199254740993"}),
        ),
        (
            "1/3",
            json!({}),
            json!({"@number": "0.3333333333333333333333333333333333"}),
        ),
        (
            "x",
            json!({"x": {"@number": "12345678901234567890.12"}}),
            json!({"@number": "12345678901234567890.12"}),
        ),
        (
            "date(\"2026-11-25\") + duration(\"P1D\")",
            json!({}),
            json!({"@date": "2026-11-26"}),
        ),
        ("d.year", json!({"d": {"@date": "2026-11-25"}}), json!(2026)),
        (
            "t",
            json!({"t": {"@time": "10:32:00+08:00"}}),
            json!({"@time": "10:32:00+08:00"}),
        ),
        (
            "t",
            json!({"t": {"@date-time": "2026-11-25T10:32:00+08:00"}}),
            json!({"@date-time": "2026-11-25T10:32:00+08:00"}),
        ),
        (
            "p",
            json!({"p": {"@duration": "P1Y2M"}}),
            json!({"@duration": "P1Y2M"}),
        ),
        (
            "p",
            json!({"p": {"@duration": "P1DT2H"}}),
            json!({"@duration": "P1DT2H"}),
        ),
        ("[1..3]", json!({}), json!({"@range": "[1..3]"})),
        (
            "[1, \"二\", null, true]",
            json!({}),
            json!([1, "二", null, true]),
        ),
        (
            "{a: 1, b: {c: [2]}}",
            json!({}),
            json!({"a": 1, "b": {"c": [2]}}),
        ),
        (
            "申请人.年龄 >= 80",
            json!({"申请人": {"年龄": 81}}),
            json!(true),
        ),
        ("applicant age + 1", json!({"applicant age": 80}), json!(81)),
        ("birth-date", json!({"birth-date": "x"}), json!("x")),
        ("a-b", json!({"a": 3, "b": 1}), json!(2)),
        ("x in (>5, 1)", json!({"x": 1}), json!(true)),
        ("\"2026-11-25\"", json!({}), json!("2026-11-25")),
        // Beijing time, by the city's clock and not the machine's.
        ("today()", json!({}), json!({"@date": "2026-11-25"})),
        (
            "now()",
            json!({}),
            json!({"@date-time": "2026-11-25T10:00:00+08:00"}),
        ),
        ("today", json!({"today": 7}), json!(7)),
        ("for i in 1..3 return i * i", json!({}), json!([1, 4, 9])),
        (
            "for i in 1..2, j in [10, 20] return i + j",
            json!({}),
            json!([11, 21, 12, 22]),
        ),
        (
            "for i in 1..4 return if i < 3 then 1 else sum(partial[-1], partial[-2])",
            json!({}),
            json!([1, 1, 2, 3]),
        ),
        (
            "some x in [1, 2], y in [2, 3] satisfies x = y",
            json!({}),
            json!(true),
        ),
        (
            "every x in [1, 2], y in [2, 3] satisfies x < y",
            json!({}),
            json!(false),
        ),
        ("every x in [] satisfies false", json!({}), json!(true)),
        ("[1, 2, 3, 4][item > 2]", json!({}), json!([3, 4])),
        ("[1, 2, 3][-1]", json!({}), json!(3)),
        ("[{a: 1}, {a: 2}][a = 2].a", json!({}), json!([2])),
        ("{f: function(n) n + 1, r: f(2)}.r", json!({}), json!(3)),
        (
            "{f: function(n) if n <= 1 then 1 else n * f(n - 1), r: f(10)}.r",
            json!({}),
            json!(3_628_800),
        ),
        (
            "sort([3, 1, 2], function(a, b) a < b)",
            json!({}),
            json!([1, 2, 3]),
        ),
        ("replace(\"abc\", \"b\", \"-\")", json!({}), json!("a-c")),
        (
            "string join([\"a\", \"b\"], \", \")",
            json!({}),
            json!("a, b"),
        ),
        (
            "string join(list: [\"a\", \"b\"], delimiter: \"/\")",
            json!({}),
            json!("a/b"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn json_that_no_digit_may_be_lost_of_comes_back_as_it_was() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let number = any::<f64>()
        .prop_filter("finite", |n| n.is_finite())
        .prop_map(|n| json!(n));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-(1_i64 << 53)..=(1_i64 << 53)).prop_map(|n| json!(n)),
        number,
        ".{0,12}".prop_map(Value::String),
    ];
    let value = leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    proptest!(ProptestConfig::with_cases(300), |(value in value)| {
        let context = object(json!({"x": value}));
        let found = feel.evaluate("x", &context).unwrap().value;
        prop_assert!(alike(&context["x"], &found), "{} came back as {found}", context["x"]);
    });
}

/// Equal, numbers by value: 1.0 is 1.
fn alike(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| alike(a, b)))
        }
        (a, b) => a == b,
    }
}

#[tokio::test]
async fn only_true_holds_and_the_rest_says_why() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let condition = |text: &str, context: Value| feel.condition(text, &object(context)).unwrap();
    let plain = condition("amount > 100", json!({"amount": 101}));
    assert!(plain.holds && plain.reason.is_none());
    let not = condition("amount > 100", json!({"amount": 100}));
    assert!(!not.holds && not.reason.is_none());
    let missing = condition("amount > 100", json!({}));
    assert!(!missing.holds);
    assert!(missing.reason.unwrap().zh.contains("null"));
    let no_truth = condition("amount", json!({"amount": 3}));
    assert!(!no_truth.holds);
    assert!(no_truth.reason.unwrap().en.contains("number"));
}

fn refused(what: &str, outcome: Result<impl Sized, Fault>) -> Fault {
    match outcome {
        Ok(_) => panic!(
            "this should be refused: {}",
            what.chars().take(80).collect::<String>()
        ),
        Err(fault) => fault,
    }
}

#[tokio::test]
async fn a_fault_is_named_with_its_place_in_both_languages() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    for (text, at, what) in [
        ("a + * b", "1:5", "\"*\" is not expected"),
        ("a +\n  b) > 1", "2:4", "\")\" is not expected"),
        ("if a then b", "1:12", "not finished"),
        ("[1, 2", "1:1", "not closed"),
        ("x = \"open", "1:5", "quotation mark"),
        (
            "for x in [1] satisfies x",
            "1:14",
            "\"satisfies\" is not expected",
        ),
        (
            "some x in [1] return x",
            "1:15",
            "\"return\" is not expected",
        ),
        ("x between 1 2", "1:13", "\"2\" is not expected"),
        ("{a: 1, b 2}", "1:11", "\"}\" is not expected"),
        ("", "1:1", "empty"),
        ("  = ", "1:4", "empty"),
        ("__jc_turn()", "1:1", "__jc"),
        (
            "function(a) external {java: {class: \"x\", method signature: \"y()\"}}",
            "1:13",
            "external",
        ),
    ] {
        let fault = refused(text, feel.compile(text, &[]));
        assert_eq!(fault.code, "input.invalid", "{text}");
        let problem = &fault.problems[0];
        assert!(
            problem.words.en.contains(what),
            "{text}: {}",
            problem.words.en
        );
        assert_eq!(problem.at, at, "{text}: {}", problem.words.en);
        assert!(!problem.words.zh.is_ascii(), "{text}");
    }
}

#[tokio::test]
async fn what_would_not_end_is_stopped_in_time() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let long = "x".repeat(4_001);
    let context = object(json!({"long": long, "list": vec![1; 15_000], "s": "0123456789"}));
    for text in [
        "for i in 1..1000000000000 return i",
        "count(for i in 1..10000000 return 1)",
        "for i in 1..1000000, j in 1..1000000, k in [] return i",
        "for i in list, j in list return i",
        "some i in list, j in list, k in list satisfies false",
        "for d in date(\"2000-01-01\")..date(\"9999-12-31\") return d",
        "for i in 1..1000 return for j in 1..1000 return i * j",
        "list[some x in list satisfies x > item]",
        "{f: function(n) f(n + 1), r: f(1)}.r",
        "(function(f) f(f))(function(f) f(f))",
        "{f: function(n) if n = 0 then 0 else 1 + f(n - 1), r: f(150000)}.r",
        "for i in 1..60 return if i = 1 then s else partial[-1] + partial[-1]",
        "for i in 1..60 return if i = 1 then [1] else concatenate(partial[-1], partial[-1])",
        "replace(long, \".\", long)",
        "replace(input: long, pattern: \".\", replacement: long)",
        "string join(list, long)",
        "sort(list, function(a, b) every x in list satisfies x > 0)",
    ] {
        let begun = Instant::now();
        let fault = refused(text, feel.evaluate(text, &context));
        assert_eq!(fault.code, "decisions.budget", "{text}: {fault}");
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{text}: {:?}",
            begun.elapsed()
        );
    }
    // And the next one is served as if nothing had happened.
    assert_eq!(
        feel.evaluate("for i in 1..2 return i", &context)
            .unwrap()
            .value,
        json!([1, 2])
    );
}

#[tokio::test]
async fn what_cannot_be_interrupted_holds_nobody_for_long() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let context = object(json!({"list": (0..19_000).collect::<Vec<_>>()}));
    let begun = Instant::now();
    let outcome = feel.evaluate("count(distinct values(list))", &context);
    eprintln!("distinct values of 19,000: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_secs(10));
    match outcome {
        Ok(answer) => assert_eq!(answer.value, json!(19_000)),
        Err(fault) => assert_eq!(fault.code, "decisions.budget"),
    }
}

#[tokio::test]
async fn doubling_in_a_context_is_stopped() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let entries: Vec<String> = (1..60)
        .map(|n| format!("a{n}: a{} + a{}", n - 1, n - 1))
        .collect();
    let text = format!("{{a0: \"0123456789\", {}}}", entries.join(", "));
    let fault = refused(&text, feel.evaluate(&text, &Map::new()));
    assert_eq!(fault.code, "decisions.budget");
}

#[tokio::test]
async fn what_is_too_long_or_too_deep_is_refused() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let nothing = Map::new();
    for text in [
        "1+".repeat(10_000),
        "(".repeat(1_000),
        format!("{}1{}", "(".repeat(1_000), ")".repeat(1_000)),
        format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000)),
        format!("{}1", "-".repeat(15_000)),
        format!("1{}", "+1".repeat(7_000)),
        format!("{}1", "if true then ".repeat(1_000)),
        format!("{}1{}", "{a:".repeat(2_000), "}".repeat(2_000)),
        format!("x{}", ".x".repeat(7_000)),
        format!("x{}", "[1]".repeat(5_000)),
        "not(".repeat(3_000),
    ] {
        let fault = refused(&text, feel.evaluate(&text, &nothing));
        assert!(
            ["input.invalid", "decisions.budget"].contains(&fault.code),
            "{fault}"
        );
    }
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    for context in [
        json!({"x": deep}),
        json!({"x": vec![0; 30_000]}),
        json!({"x": "长".repeat(500_000)}),
        json!({"x": {"@date": "2026-02-30"}}),
        json!({"x": {"@number": "NaN"}}),
        json!({"x": {"@number": "1e999999"}}),
        json!({"x": {"@colour": "red"}}),
    ] {
        let fault = refused("x", feel.evaluate("x", &object(context)));
        assert_eq!(fault.code, "input.invalid");
        assert!(
            fault.problems[0].at.starts_with("/x"),
            "{}",
            fault.problems[0].at
        );
    }
    let fault = refused("function", feel.evaluate("function(a) a", &nothing));
    assert_eq!(fault.code, "input.invalid", "a function is no data");
}

#[tokio::test]
async fn no_text_takes_the_process_down() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    let piece = prop::sample::select(vec![
        "1",
        "-",
        "+",
        "*",
        "/",
        "**",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ".",
        "..",
        "\"a\"",
        "\"\\uD83D\"",
        "\"\\U10FFFF\"",
        "@\"2026-01-01\"",
        "@\"PT1H\"",
        "@\"x\"",
        "a",
        "b c",
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "function",
        "external",
        "instance of",
        "list<number>",
        "context<a: number>",
        "date",
        "time(",
        "duration(\"P1D\")",
        "date and time(",
        "not(",
        "substring(",
        "replace(",
        "matches(",
        "1e6144",
        "1e-6176",
        "null",
        "true",
        "between",
        "and",
        "or",
        "item",
        "partial",
        "?",
        "string(",
        "number(",
        "mode(",
        "sort(",
        "range(\"[1..2]\")",
        "split(",
        "decimal(1,",
        "time(24,60,61)",
        "date(999999999,12,31)",
        "@\"-999999999-01-01\"",
        "=",
        "!=",
        "<",
        "//",
        "/*",
        "*/",
        "\n",
        "汉字",
        "day of week(",
        "years and months duration(",
        "..]",
        "sum(",
    ]);
    let texts = prop_oneof![
        prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.join(" ")),
        ".{0,40}",
    ];
    proptest!(ProptestConfig::with_cases(4_000), |(text in texts)| {
        let context = object(json!({"a": [1, "x", {"@date": "2026-01-01"}], "b c": {"a": 1}}));
        if let Err(fault) = feel.evaluate(&text, &context) {
            prop_assert!(["input.invalid", "decisions.budget", "decisions.failed"].contains(&fault.code));
        }
    });
}

#[tokio::test]
async fn arguments_that_make_the_library_panic_are_a_fault_or_a_value() {
    let (_place, store) = memory().await;
    let feel = engine(&store).expressions();
    for text in [
        "time(1, 2, 3.9999999999999999999999999999999999)",
        "time(23, 59, 60, duration(\"PT99H\"))",
        "time(0, 0, -1)",
        "date(2026, 13, 1)",
        "date(99999999999999, 1, 1)",
        "date and time(\"2026-01-01T25:00:00\")",
        "@\"2026-01-01T00:00:00@Nowhere/Land\"",
        "duration(\"P99999999999999999999D\")",
        "duration(\"P9223372036854775807M\") + duration(\"P9223372036854775807M\")",
        "date(\"2026-01-31\") + duration(\"P9999999999Y\")",
        "decimal(1, 99999999999)",
        "round up(1, -99999)",
        "1 / 0",
        "modulo(1, 0)",
        "exp(1000000)",
        "10 ** 100000",
        "sqrt(-1)",
        "log(0)",
        "substring(\"abc\", 0)",
        "substring(\"\u{1F600}b\", -1, 1)",
        "sublist([1], 0, 99999999999999999999)",
        "[1][99999999999999999999999999]",
        "insert before([1], 0, 1)",
        "list replace([1], 9, 1)",
        "range(\"[z..a]\")",
        "matches(\"a\", \"(\")",
        "split(\"a\", \"[\")",
        "replace(\"a\", \"(a)\", \"$9\")",
        "median([])",
        "mode([])",
        "stddev([1])",
        "context put({}, [], 1)",
        "get value({}, 1)",
        "day of year(@\"-999999999-01-01\")",
        "week of year(@\"999999999-12-31\")",
        "@\"999999999-12-31\" + duration(\"P1D\")",
        "for d in @\"999999999-12-30\"..@\"999999999-12-31\" return d",
        "number(\"1,000.00\", \",\", \".\")",
        "string(1e6144)",
        "string(1e-6176)",
        "-9999999999999999999999999999999999e6111",
    ] {
        if let Err(fault) = feel.evaluate(text, &Map::new()) {
            let known = ["input.invalid", "decisions.budget", "decisions.failed"];
            assert!(known.contains(&fault.code), "{text}: {fault}");
            eprintln!("{text}: {fault}");
        }
    }
    assert_eq!(feel.evaluate("1 + 1", &Map::new()).unwrap().value, json!(2));
}
