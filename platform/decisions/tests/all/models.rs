//! Models: what is refused, and with which line; inputs of the wrong type; what would not end; and
//! that nothing is ever asked of another machine.

use crate::sheet::{decision, literal, model, table};
use crate::{engine, memory};
use decisions::Engine;
use kernel::decisions::ReadyModel;
use kernel::fault::Fault;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn refused(engine: &Engine, what: &str, xml: &str) -> Fault {
    match engine.build(&[xml]) {
        Ok(_) => panic!("this should be refused: {what}"),
        Err(fault) => {
            assert_eq!(fault.code, "input.invalid", "{what}: {fault}");
            fault
        }
    }
}

#[tokio::test]
async fn what_a_model_may_not_have_is_named_with_its_line() {
    let (_place, store) = memory().await;
    let engine = engine(&store);
    let fine = decision("fee", "number", &["amount"], &[], &literal("amount * 2"));
    let inputs = [("amount", "number")];
    let with = |elements: &str| model(&inputs, &format!("{fine}{elements}"));
    assert!(engine.build(&[&with("")]).is_ok());
    let cases = [
        (
            "dtd",
            with("").replace(
                "<definitions ",
                "<!DOCTYPE definitions [<!ENTITY a \"b\">]><definitions ",
            ),
            "line 1",
            "document type",
        ),
        ("no xml", "amount > 3".to_owned(), "line 1", "well-formed"),
        ("cut off", with("")[..300].to_owned(), "line", "well-formed"),
        (
            "another language",
            "<definitions xmlns=\"http://www.omg.org/spec/BPMN/20100524/MODEL\"/>".to_owned(),
            "line 1",
            "DMN 1.3",
        ),
        (
            "import",
            with("<import namespace=\"x\" name=\"y\" importType=\"z\"/>"),
            "line 7",
            "import",
        ),
        ("unknown element", with("<miracle/>"), "line 7", "miracle"),
        (
            "missing decision",
            with(&decision("x", "", &[], &["gone"], &literal("gone"))),
            "line 7",
            "#d_gone",
        ),
        (
            "missing type",
            with(&decision("x", "tFee", &["amount"], &[], &literal("1"))),
            "line 7",
            "tFee",
        ),
        ("twice", with(&fine), "line 7", "two decisions"),
        ("java", with(&java()), "line 7", "Java"),
        (
            "external",
            with(&decision(
                "x",
                "",
                &["amount"],
                &[],
                &literal(
                    "{f: function(a) external {java: {class: \"java.lang.Math\", method signature: \"cos(double)\"}}, r: f(1)}.r",
                ),
            )),
            "line 8",
            "external",
        ),
        (
            "our names",
            with(&decision(
                "x",
                "",
                &["amount"],
                &[],
                &literal("__jc(\"on\", 0)"),
            )),
            "line 8",
            "__jc",
        ),
        (
            "syntax",
            with(&decision(
                "x",
                "",
                &["amount"],
                &[],
                &literal("amount +\n * 2"),
            )),
            "line 9",
            "\"*\" is not expected",
        ),
        (
            "cell",
            with(&decision(
                "x",
                "",
                &["amount"],
                &[],
                &table("", &["amount"], &[("", "")], &["1 + * 2 | 2"]),
            )),
            "line 9",
            "not expected",
        ),
        (
            "cells",
            with(&decision(
                "x",
                "",
                &["amount"],
                &[],
                &table("", &["amount"], &[("", "")], &["1; 2 | 2"]),
            )),
            "line 9",
            "row 1",
        ),
        (
            "policy",
            with(&decision(
                "x",
                "",
                &["amount"],
                &[],
                &table("hitPolicy=\"BEST\"", &["amount"], &[("", "")], &["1 | 2"]),
            )),
            "line 8",
            "BEST",
        ),
        (
            "language",
            with(&decision(
                "x",
                "",
                &[],
                &[],
                "<literalExpression expressionLanguage=\"https://javascript\"><text>1</text></literalExpression>",
            )),
            "line 8",
            "javascript",
        ),
        (
            "cycle",
            with(
                &[
                    decision("x", "", &[], &["y"], &literal("y")),
                    decision("y", "", &[], &["x"], &literal("x")),
                ]
                .concat(),
            ),
            "line",
            "cycle",
        ),
        (
            "type of itself",
            with(
                "<itemDefinition name=\"tA\"><itemComponent name=\"a\"><typeRef>tA</typeRef></itemComponent></itemDefinition>",
            ),
            "line 7",
            "made of itself",
        ),
    ];
    for (what, xml, line, words) in cases {
        let fault = refused(&engine, what, &xml);
        let found = fault.problems.iter().find(|p| p.words.en.contains(words));
        let found = found.unwrap_or_else(|| panic!("{what}: {fault}"));
        assert!(
            found.at.starts_with(line),
            "{what}: {} {}",
            found.at,
            found.words.en
        );
        assert!(!found.words.zh.is_ascii(), "{what}");
    }
    // Every fault at once.
    let both = with(
        &[
            decision("x", "tFee", &[], &["gone"], &literal("1")),
            "<miracle/>".into(),
        ]
        .concat(),
    );
    assert!(refused(&engine, "both", &both).problems.len() >= 3);
}

/// A function another machine would carry out, called with one argument.
fn java() -> String {
    "<decision id=\"d_j\" name=\"j\"><variable name=\"j\"/><context><contextEntry><variable name=\"f\"/><functionDefinition kind=\"Java\"><formalParameter name=\"a\" typeRef=\"number\"/><context><contextEntry><variable name=\"class\"/><literalExpression><text>\"java.lang.Math\"</text></literalExpression></contextEntry><contextEntry><variable name=\"method signature\"/><literalExpression><text>\"cos(double)\"</text></literalExpression></contextEntry></context></functionDefinition></contextEntry><contextEntry><literalExpression><text>f(1)</text></literalExpression></contextEntry></context></decision>".into()
}

#[tokio::test]
async fn bombs_are_refused_at_once() {
    let (_place, store) = memory().await;
    let engine = engine(&store);
    let laughs: String = (1..20)
        .map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10)))
        .collect();
    let layers = |width: usize, depth: usize| -> String {
        let mut elements = decision("n0x0", "", &["amount"], &[], &literal("amount"));
        for other in 1..width {
            elements += &decision(
                &format!("n0x{other}"),
                "",
                &["amount"],
                &[],
                &literal("amount"),
            );
        }
        for layer in 1..depth {
            let below: Vec<String> = (0..width).map(|n| format!("n{}x{n}", layer - 1)).collect();
            let below: Vec<&str> = below.iter().map(String::as_str).collect();
            for n in 0..width {
                let name = format!("n{layer}x{n}");
                elements += &decision(&name, "", &[], &below, &literal(below[0]));
            }
        }
        model(&[("amount", "number")], &elements)
    };
    let deep = |levels: usize| {
        let open = "<list>".repeat(levels);
        let logic = format!("{open}{}{}", literal("1"), "</list>".repeat(levels));
        model(&[], &decision("fee", "", &[], &[], &logic))
    };
    let cases = [
        (
            "entities",
            format!("<!DOCTYPE d [<!ENTITY l0 \"ha\">{laughs}]><definitions>&l19;</definitions>"),
        ),
        ("deep", deep(200)),
        ("very deep", deep(60_000)),
        ("large", model(&[], &" ".repeat(2 << 20))),
        ("many", model(&[], &"<group/>".repeat(110_000))),
        (
            "long text",
            model(
                &[],
                &decision("fee", "", &[], &[], &literal(&"1+".repeat(20_000))),
            ),
        ),
        (
            "deep text",
            model(
                &[],
                &decision(
                    "fee",
                    "",
                    &[],
                    &[],
                    &literal(&format!("{}1{}", "(".repeat(2_000), ")".repeat(2_000))),
                ),
            ),
        ),
        (
            "deep tree",
            model(
                &[],
                &decision(
                    "fee",
                    "",
                    &[],
                    &[],
                    &literal(&format!("1{}", "+1".repeat(5_000))),
                ),
            ),
        ),
        ("asked too often", layers(3, 20)),
        ("too long a chain", layers(1, 400)),
    ];
    for (what, xml) in cases {
        let begun = Instant::now();
        refused(&engine, what, &xml);
        assert!(
            begun.elapsed() < Duration::from_secs(12),
            "{what}: {:?}",
            begun.elapsed()
        );
    }
}

fn fees() -> String {
    let types = "<itemDefinition name=\"tPerson\"><itemComponent name=\"birth\"><typeRef>date</typeRef></itemComponent><itemComponent name=\"level\"><typeRef>string</typeRef><allowedValues><text>\"A\",\"B\"</text></allowedValues></itemComponent><itemComponent name=\"tags\" isCollection=\"true\"><typeRef>string</typeRef></itemComponent></itemDefinition>";
    let fee = decision(
        "fee",
        "number",
        &["person", "amount"],
        &[],
        &literal(
            "if person.birth &lt; date(\"1946-11-25\") then 0 else amount * count(person.tags)",
        )
        .replace("&amp;lt;", "&lt;"),
    );
    model(
        &[("person", "tPerson"), ("amount", "number")],
        &format!("{types}{fee}"),
    )
}

#[tokio::test]
async fn inputs_are_read_by_their_types_and_wrong_ones_are_named() {
    let (_place, store) = memory().await;
    let engine = engine(&store);
    let model = engine.build(&[&fees()]).unwrap();
    let ask = |input: Value| model.decide("fee", input.as_object().unwrap());
    let person = json!({"birth": "1940-01-01", "level": "A", "tags": ["x"]});
    assert_eq!(
        ask(json!({"person": person, "amount": 5})).unwrap().result,
        json!(0)
    );
    let young = json!({"birth": {"@date": "1990-01-01"}, "level": null, "tags": ["x", "y"]});
    assert_eq!(
        ask(json!({"person": young, "amount": 5})).unwrap().result,
        json!(10)
    );
    let missing = ask(json!({"person": young})).unwrap();
    assert_eq!(missing.result, Value::Null);
    let wrong = json!({
        "person": {"birth": "yesterday", "level": "C", "tags": [1]},
        "amount": "many",
        "colour": "red",
    });
    let fault = ask(wrong).unwrap_err();
    assert_eq!(fault.code, "input.invalid");
    let mut at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
    at.sort_unstable();
    assert_eq!(
        at,
        [
            "/input/amount",
            "/input/colour",
            "/input/person/birth",
            "/input/person/level",
            "/input/person/tags/0"
        ]
    );
    let fault = ask(json!({"person": "somebody"})).unwrap_err();
    assert_eq!(fault.problems[0].at, "/input/person");
    let unknown = model
        .decide("tax", json!({}).as_object().unwrap())
        .unwrap_err();
    assert_eq!(unknown.code, "input.not_found");
}

#[tokio::test]
async fn a_decision_that_would_not_end_is_stopped_and_others_go_on() {
    let (_place, store) = memory().await;
    let engine = engine(&store);
    let boxed = format!(
        "<for iteratorVariable=\"i\"><in>{}</in><return><for iteratorVariable=\"j\"><in>{}</in><return>{}</return></for></return></for>",
        literal("for i in 1..3000 return i"),
        literal("for i in 1..3000 return i"),
        literal("i * j"),
    );
    let recursive = "<context><contextEntry><variable name=\"f\"/><functionDefinition><formalParameter name=\"n\"/><literalExpression><text>f(n + 1)</text></literalExpression></functionDefinition></contextEntry><contextEntry><literalExpression><text>f(1)</text></literalExpression></contextEntry></context>";
    let cell = table(
        "",
        &["amount"],
        &[("", "")],
        &["count(for i in 1..100000000 return ?) > 0 | 1"],
    );
    let nested = table(
        "hitPolicy=\"COLLECT\"",
        &["amount"],
        &[("", "")],
        &["- | for i in 1..100000000 return i"],
    );
    for (what, logic) in [
        ("for", literal("for i in 1..100000000 return i")),
        (
            "count",
            literal("count(for i in 1..100000000 return amount)"),
        ),
        (
            "filter",
            literal(
                "(for i in 1..2000 return i)[count((for i in 1..2000 return i)[item = 1]) > item]",
            ),
        ),
        ("boxed", boxed),
        ("recursion", recursive.to_owned()),
        ("cell", cell),
        ("output", nested),
        (
            "replace",
            literal(
                "replace(string join(for i in 1..5000 return \"0123456789\", \"\"), \".\", string join(for i in 1..5000 return \"0123456789\", \"\"))",
            ),
        ),
    ] {
        let xml = model(
            &[("amount", "number")],
            &decision("fee", "", &["amount"], &[], &logic),
        );
        let model = engine
            .build(&[&xml])
            .unwrap_or_else(|fault| panic!("{what}: {fault}"));
        let begun = Instant::now();
        match model.decide("fee", json!({"amount": 1}).as_object().unwrap()) {
            Ok(outcome) => panic!("{what} came to {}", outcome.result),
            Err(fault) => assert_eq!(fault.code, "decisions.budget", "{what}: {fault}"),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "{what}: {:?}",
            begun.elapsed()
        );
    }
    let model = engine.build(&[&fees()]).unwrap();
    let input = json!({"person": {"tags": []}, "amount": 1});
    assert!(model.decide("fee", input.as_object().unwrap()).is_ok());
}

/// The library calls external functions at this address.
const OUTSIDE: &str = "127.0.0.1:22023";

#[tokio::test]
async fn nothing_is_ever_asked_of_another_machine() {
    let Ok(listener) = std::net::TcpListener::bind(OUTSIDE) else {
        panic!("the test needs {OUTSIDE} for itself");
    };
    listener.set_nonblocking(true).unwrap();
    let (_place, store) = memory().await;
    let engine: Arc<Engine> = engine(&store);
    let feel = engine.expressions();
    let call = "{f: function(a) external {java: {class: \"java.lang.Math\", method signature: \"cos(double)\"}}, r: f(1)}.r";
    let split = "{f: function(a)\n external  {java: {class: \"java.lang.Math\", method signature: \"cos(double)\"}}, r: f(1)}.r";
    use kernel::decisions::Expressions;
    for text in [
        "range(\"[(function() external {java: {class: \\\"java.lang.Math\\\", method signature: \\\"random()\\\"}})()..1]\")",
        "range(\"[1..count(for i in 1..100000000 return i)]\")",
    ] {
        let begun = Instant::now();
        let found = feel.evaluate(text, &serde_json::Map::new());
        assert!(
            found.map_or(true, |answer| answer.value.is_null()),
            "{text}"
        );
        assert!(begun.elapsed() < Duration::from_secs(3), "{text}");
    }
    for text in [
        call,
        split,
        "function(a) external {pmml: {document: \"http://127.0.0.1:22023/\", model: \"m\"}}",
    ] {
        assert!(
            feel.evaluate(text, &serde_json::Map::new()).is_err(),
            "{text}"
        );
    }
    let cells = table("", &["amount"], &[("", "")], &["- | 1"])
        .replace("<text>1</text>", &format!("<text>{call}</text>"));
    for xml in [
        model(&[], &java()),
        model(&[], &decision("fee", "", &[], &[], &literal(call))),
        model(
            &[("amount", "number")],
            &decision("fee", "", &["amount"], &[], &cells),
        ),
        model(
            &[("amount", "number")],
            &decision(
                "fee",
                "",
                &["amount"],
                &[],
                &cells.replace("outputEntry", "inputEntry"),
            ),
        ),
    ] {
        if let Ok(model) = engine.build(&[&xml]) {
            panic!(
                "it was taken: {:?}",
                model.decide("fee", json!({"amount": 1}).as_object().unwrap())
            );
        }
    }
    if let Ok(dir) = std::env::var("JICHENG_CORPORA") {
        let path = std::path::Path::new(&dir)
            .join("dmn-tck/compliance-level-3/0076-feel-external-java/0076-feel-external-java.dmn");
        let xml = std::fs::read_to_string(path).unwrap();
        assert!(engine.build(&[&xml]).is_err());
    }
    std::thread::sleep(Duration::from_millis(200));
    assert!(listener.accept().is_err(), "somebody called");
}
