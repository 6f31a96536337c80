//! Tables: every hit policy of clause 8.2.10, and what is told of a decision afterwards.

use crate::sheet::{decision, literal, model, table};
use crate::{engine, memory};
use kernel::decisions::{Outcome, ReadyModel};
use serde_json::{Map, Value, json};

/// Three overlapping rules over one number; outputs `low`, `middle`, `high`.
const RULES: [&str; 4] = [
    "< 10 | \"low\" | 第一条",
    "< 100 | \"middle\" | 第二条",
    "[50..60] | \"high\" | 第三条",
    "7 | \"low\" | 第四条",
];

async fn decide(policy: &str, allowed: &str, rules: &[&str], amount: Value) -> Outcome {
    let (_place, store) = memory().await;
    let logic = table(policy, &["amount"], &[("", allowed)], rules);
    let xml = model(
        &[("amount", "number")],
        &decision("fee", "", &["amount"], &[], &logic),
    );
    let model = engine(&store).build(&[&xml]).unwrap();
    let mut input = Map::new();
    input.insert("amount".into(), amount);
    model.decide("fee", &input).unwrap()
}

/// Result, and rows that matched with whether they count.
fn told(outcome: &Outcome) -> (Value, Vec<(usize, bool)>) {
    let last = outcome.explanation.last().unwrap();
    assert_eq!(last.decision, "fee");
    assert_eq!(last.value, outcome.result);
    let matched = &last.tables[0].matched;
    (
        outcome.result.clone(),
        matched.iter().map(|m| (m.row, m.counted)).collect(),
    )
}

#[tokio::test]
async fn every_hit_policy_decides_and_says_which_rows_counted() {
    let order = "\"high\",\"middle\",\"low\"";
    let numbers = ["< 10 | 1", "< 100 | 2", "[50..60] | 4", "7 | 1"];
    type Case<'a> = (
        &'a str,
        &'a str,
        &'a [&'a str],
        Value,
        Value,
        &'a [(usize, bool)],
    );
    let cases: [Case<'_>; 15] = [
        (
            "hitPolicy=\"UNIQUE\"",
            "",
            &RULES,
            json!(80),
            json!("middle"),
            &[(2, true)],
        ),
        (
            "",
            "",
            &RULES,
            json!(5),
            Value::Null,
            &[(1, false), (2, false)],
        ),
        (
            "hitPolicy=\"ANY\"",
            "",
            &["< 10 | \"low\"", "7 | \"low\""],
            json!(7),
            json!("low"),
            &[(1, true), (2, true)],
        ),
        (
            "hitPolicy=\"ANY\"",
            "",
            &RULES,
            json!(7),
            Value::Null,
            &[(1, false), (2, false), (4, false)],
        ),
        (
            "hitPolicy=\"FIRST\"",
            "",
            &RULES,
            json!(7),
            json!("low"),
            &[(1, true), (2, false), (4, false)],
        ),
        (
            "hitPolicy=\"PRIORITY\"",
            order,
            &RULES,
            json!(55),
            json!("high"),
            &[(2, false), (3, true)],
        ),
        (
            "hitPolicy=\"PRIORITY\"",
            order,
            &RULES,
            json!(7),
            json!("middle"),
            &[(1, false), (2, true), (4, false)],
        ),
        (
            "hitPolicy=\"RULE ORDER\"",
            "",
            &RULES,
            json!(55),
            json!(["middle", "high"]),
            &[(2, true), (3, true)],
        ),
        (
            "hitPolicy=\"OUTPUT ORDER\"",
            order,
            &RULES,
            json!(55),
            json!(["high", "middle"]),
            &[(2, true), (3, true)],
        ),
        (
            "hitPolicy=\"COLLECT\"",
            "",
            &RULES,
            json!(7),
            json!(["low", "middle", "low"]),
            &[(1, true), (2, true), (4, true)],
        ),
        (
            "hitPolicy=\"COLLECT\" aggregation=\"COUNT\"",
            "",
            &RULES,
            json!(7),
            json!(3),
            &[(1, true), (2, true), (4, true)],
        ),
        (
            "hitPolicy=\"COLLECT\" aggregation=\"SUM\"",
            "",
            &numbers,
            json!(55),
            json!(6),
            &[(2, true), (3, true)],
        ),
        (
            "hitPolicy=\"COLLECT\" aggregation=\"MIN\"",
            "",
            &numbers,
            json!(55),
            json!(2),
            &[(2, true), (3, true)],
        ),
        (
            "hitPolicy=\"COLLECT\" aggregation=\"MAX\"",
            "",
            &numbers,
            json!(55),
            json!(4),
            &[(2, true), (3, true)],
        ),
        (
            "hitPolicy=\"FIRST\"",
            "",
            &RULES,
            json!(1000),
            Value::Null,
            &[],
        ),
    ];
    for (policy, allowed, rules, amount, result, rows) in cases {
        let outcome = decide(policy, allowed, rules, amount.clone()).await;
        let found = told(&outcome);
        assert_eq!(
            found,
            (result.clone(), rows.to_vec()),
            "{policy} for {amount}"
        );
        assert_eq!(
            outcome.why_null.is_some(),
            result.is_null(),
            "{policy} for {amount}"
        );
    }
}

#[tokio::test]
async fn a_row_is_told_with_its_cells_outputs_and_annotations() {
    let outcome = decide("hitPolicy=\"FIRST\"", "", &RULES, json!(55)).await;
    let reading = &outcome.explanation[0].tables[0];
    assert_eq!(reading.hit_policy, "F");
    assert_eq!((reading.rules, reading.by_default), (4, false));
    assert_eq!(reading.inputs[0].expression, "amount");
    assert_eq!(reading.inputs[0].value, json!(55));
    let row = &reading.matched[0];
    assert_eq!((row.row, row.id.as_str()), (2, "r2"));
    assert_eq!(row.conditions, ["< 100"]);
    assert_eq!(row.outputs, [json!("middle")]);
    assert_eq!(row.annotations, [("依据".to_owned(), "第二条".to_owned())]);
}

#[tokio::test]
async fn several_outputs_defaults_and_cells_that_speak_of_the_input() {
    let (_place, store) = memory().await;
    let logic = "<decisionTable hitPolicy=\"UNIQUE\"><input><inputExpression><text>tags</text></inputExpression></input><input><inputExpression><text>age</text></inputExpression></input>\
        <output name=\"level\"><defaultOutputEntry><text>\"none\"</text></defaultOutputEntry></output><output name=\"fee\"><defaultOutputEntry><text>0</text></defaultOutputEntry></output>\
        <rule><inputEntry><text>list contains(?, \"a\")</text></inputEntry><inputEntry><text>not(&lt; 18)</text></inputEntry><outputEntry><text>\"full\"</text></outputEntry><outputEntry><text>age * 2</text></outputEntry></rule>\
        <rule><inputEntry><text>some t in ? satisfies t = \"b\"</text></inputEntry><inputEntry><text>&lt; 18, &gt; 60</text></inputEntry><outputEntry><text>\"half\"</text></outputEntry><outputEntry><text>age</text></outputEntry></rule></decisionTable>";
    let xml = model(
        &[("tags", "Any"), ("age", "number")],
        &decision("fee", "", &["tags", "age"], &[], logic),
    );
    let model = engine(&store).build(&[&xml]).unwrap();
    let ask = |tags: Value, age: i32| {
        let input = json!({"tags": tags, "age": age});
        model.decide("fee", input.as_object().unwrap()).unwrap()
    };
    assert_eq!(
        ask(json!(["a"]), 20).result,
        json!({"level": "full", "fee": 40})
    );
    assert_eq!(
        ask(json!(["b"]), 70).result,
        json!({"level": "half", "fee": 70})
    );
    let none = ask(json!(["c"]), 20);
    assert_eq!(none.result, json!({"level": "none", "fee": 0}));
    assert!(none.explanation[0].tables[0].by_default);
    assert_eq!(none.explanation[0].tables[0].outputs, ["level", "fee"]);
}

#[tokio::test]
async fn decisions_that_were_asked_are_told_before_the_one_that_asked() {
    let (_place, store) = memory().await;
    let levels = table(
        "",
        &["amount"],
        &[("", "")],
        &["< 10 | \"low\"", ">= 10 | \"high\""],
    );
    let rates = table(
        "",
        &["level"],
        &[("", "")],
        &["\"low\" | 0.1", "\"high\" | 0.25"],
    );
    let elements = [
        decision("level", "string", &["amount"], &[], &levels),
        decision("rate", "number", &[], &["level"], &rates),
        decision(
            "fee",
            "number",
            &["amount"],
            &["rate", "level"],
            &literal("amount * rate"),
        ),
    ];
    let xml = model(&[("amount", "number")], &elements.concat());
    let model = engine(&store).build(&[&xml]).unwrap();
    let outcome = model
        .decide("fee", json!({"amount": 200}).as_object().unwrap())
        .unwrap();
    assert_eq!(outcome.result, json!(50));
    let names: Vec<&str> = outcome
        .explanation
        .iter()
        .map(|e| e.decision.as_str())
        .collect();
    assert_eq!(names.last(), Some(&"fee"));
    assert_eq!(names.len(), 3, "{names:?}");
    let of = |name: &str| {
        outcome
            .explanation
            .iter()
            .find(|e| e.decision == name)
            .unwrap()
    };
    assert_eq!(of("level").value, json!("high"));
    assert_eq!(of("level").tables[0].matched[0].row, 2);
    assert_eq!(of("rate").value, json!(0.25));
    assert_eq!(of("rate").tables[0].inputs[0].value, json!("high"));
    assert!(of("fee").tables.is_empty());
    // What a decision would come to may be given instead.
    let given = json!({"amount": 200, "rate": 1});
    let outcome = model.decide("fee", given.as_object().unwrap()).unwrap();
    assert_eq!(outcome.result, json!(200));
}

#[tokio::test]
async fn a_table_in_a_function_and_a_service_are_explained_too() {
    let (_place, store) = memory().await;
    let levels = table(
        "hitPolicy=\"FIRST\"",
        &["n"],
        &[("", "")],
        &["< 10 | \"low\"", "- | \"high\""],
    );
    let function = format!(
        "<businessKnowledgeModel id=\"b\" name=\"level of\"><variable name=\"level of\"/><encapsulatedLogic><formalParameter name=\"n\" typeRef=\"number\"/>{levels}</encapsulatedLogic></businessKnowledgeModel>"
    );
    let fee = decision(
        "fee",
        "",
        &["amount"],
        &[],
        &literal("[level of(amount), level of(1)]"),
    );
    let fee = fee.replace(
        "<literal",
        "<knowledgeRequirement><requiredKnowledge href=\"#b\"/></knowledgeRequirement><literal",
    );
    let service = "<decisionService id=\"s\" name=\"counter\"><variable name=\"counter\"/><outputDecision href=\"#d_fee\"/><inputData href=\"#in_amount\"/></decisionService>";
    let xml = model(
        &[("amount", "number")],
        &[function, fee, service.into()].concat(),
    );
    let model = engine(&store).build(&[&xml]).unwrap();
    for asked in ["fee", "counter"] {
        let outcome = model
            .decide(asked, json!({"amount": 50}).as_object().unwrap())
            .unwrap();
        assert_eq!(outcome.result, json!(["high", "low"]), "{asked}");
        let fee = outcome
            .explanation
            .iter()
            .find(|e| e.decision == "fee")
            .unwrap();
        let rows: Vec<usize> = fee.tables.iter().map(|t| t.matched[0].row).collect();
        assert_eq!(rows, [2, 1], "{asked}");
        assert_eq!(fee.tables[0].name, "level of");
        assert_eq!(outcome.explanation.last().unwrap().decision, asked);
    }
}
