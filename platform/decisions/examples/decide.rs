//! Benchmark: decisions a second of a table with 50 rules, explanation included, and FEEL conditions a
//! second. The peer in the same process is the bare library, without limits, types of inputs or
//! explanation; `benches/decisions.sh` runs npm's engines beside it on the same table.
//!
//! `cargo run --release -p decisions --example decide [FOLDER]`; writes the table to the folder.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use decisions::Engine;
use dsntk_feel::FeelScope;
use dsntk_model::{DmnElement, NamedElement};
use kernel::decisions::{Expressions, ReadyModel};
use kernel::{ManualClock, Time};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(3);
const CONDITION: &str = "applicant.age >= 80 and income < 3000 and status != \"closed\"";

/// Ten bands of age by five of income; the last row takes the rest.
fn model() -> String {
    let mut rules = String::new();
    for n in 0..49 {
        let (age, income) = (60 + n / 5 * 4, n % 5 * 1000);
        write!(
            rules,
            "<rule id=\"r{n}\"><inputEntry id=\"a{n}\"><text>[{age}..{})</text></inputEntry><inputEntry id=\"b{n}\"><text>[{income}..{})</text></inputEntry><inputEntry id=\"c{n}\"><text>\"rural\",\"urban\"</text></inputEntry><outputEntry id=\"d{n}\"><text>{}</text></outputEntry></rule>",
            age + 4,
            income + 1000,
            100 + n * 10,
        )
        .unwrap();
    }
    rules += "<rule id=\"r49\"><inputEntry id=\"a49\"><text>-</text></inputEntry><inputEntry id=\"b49\"><text>-</text></inputEntry><inputEntry id=\"c49\"><text>-</text></inputEntry><outputEntry id=\"d49\"><text>0</text></outputEntry></rule>";
    let inputs: String = [("age", "number"), ("income", "number"), ("district", "string")]
        .map(|(name, kind)| format!("<inputData id=\"{name}\" name=\"{name}\"><variable name=\"{name}\" typeRef=\"{kind}\"/></inputData>"))
        .concat();
    let asks: String = ["age", "income", "district"]
        .map(|name| {
            format!(
                "<informationRequirement><requiredInput href=\"#{name}\"/></informationRequirement>"
            )
        })
        .concat();
    let columns: String = [("age", "number"), ("income", "number"), ("district", "string")]
        .map(|(name, kind)| format!("<input id=\"i_{name}\" label=\"{name}\"><inputExpression id=\"e_{name}\" typeRef=\"{kind}\"><text>{name}</text></inputExpression></input>"))
        .concat();
    format!(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20230324/MODEL/\" id=\"m\" name=\"m\" namespace=\"https://example.org/m\">{inputs}<decision id=\"allowance\" name=\"allowance\"><variable name=\"allowance\" typeRef=\"number\"/>{asks}<decisionTable id=\"t\" hitPolicy=\"FIRST\">{columns}<output id=\"o\" label=\"allowance\" name=\"allowance\" typeRef=\"number\"/>{rules}</decisionTable></decision></definitions>"
    )
}

fn input(n: usize) -> Map<String, Value> {
    let district = ["rural", "urban"][n % 2];
    let input = json!({"age": 55 + n % 50, "income": n * 37 % 6000, "district": district});
    input.as_object().unwrap().clone()
}

/// Does something again and again on as many threads; how often a second.
fn rate(name: &str, threads: usize, act: impl Fn(usize) + Sync) {
    act(0);
    let begun = Instant::now();
    let done: usize = std::thread::scope(|scope| {
        let work = || {
            let mut n = 0;
            while begun.elapsed() < SPAN {
                for _ in 0..50 {
                    n += 1;
                    act(n);
                }
            }
            n
        };
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    let rate = done as f64 / begun.elapsed().as_secs_f64();
    println!("{name:<58} {threads} thread(s) {rate:>10.0}/s");
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target".into());
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let xml = model();
    std::fs::write(folder.join("table.dmn"), &xml).unwrap();
    let store = store::Store::in_folder(&folder).await.unwrap();
    let clock = Arc::new(ManualClock::new(Time(1_764_036_000_000_000)));
    let engine = Engine::open(store, clock).unwrap();
    let table = engine.build(&[&xml]).unwrap();
    let inputs: Vec<Map<String, Value>> = (0..1000).map(input).collect();
    for threads in [1, 2] {
        rate("table of 50 rules, decided and explained", threads, |n| {
            let outcome = table.decide("allowance", &inputs[n % 1000]).unwrap();
            assert_eq!(outcome.explanation[0].tables.len(), 1);
        });
    }
    let definitions = dsntk_model::parse(&xml).unwrap();
    let (namespace, name) = (
        definitions.namespace().to_owned(),
        definitions.name().to_owned(),
    );
    let bare = dsntk_model_evaluator::ModelEvaluator::new(&[definitions]).unwrap();
    let contexts: Vec<_> = inputs
        .iter()
        .map(|input| {
            let text = format!(
                "{{age: {}, income: {}, district: {}}}",
                input["age"], input["income"], input["district"]
            );
            dsntk_feel_evaluator::evaluate_context(&FeelScope::default(), &text).unwrap()
        })
        .collect();
    for threads in [1, 2] {
        rate(
            "the same by the bare library, not explained",
            threads,
            |n| {
                bare.evaluate_invocable(&namespace, &name, "allowance", &contexts[n % 1000]);
            },
        );
    }
    conditions(&engine);
}

fn conditions(engine: &Engine) {
    let feel = engine.expressions();
    let cases: Vec<Map<String, Value>> = (0..1000)
        .map(|n| {
            let case = json!({"applicant": {"age": 60 + n % 40, "name": "张三"}, "income": n * 7 % 6000, "status": "open", "other": [1, 2, 3]});
            case.as_object().unwrap().clone()
        })
        .collect();
    let compiled = feel
        .compile(CONDITION, &["applicant", "income", "status"])
        .unwrap();
    for threads in [1, 2] {
        rate("condition, read once", threads, |n| {
            compiled.condition(&cases[n % 1000]).unwrap();
        });
    }
    rate("condition, by its text", 1, |n| {
        feel.condition(CONDITION, &cases[n % 1000]).unwrap();
    });
    let looped = feel
        .compile("sum(for i in 1..10 return i * income) > 100", &["income"])
        .unwrap();
    rate("condition with a loop of ten turns", 1, |n| {
        looped.condition(&cases[n % 1000]).unwrap();
    });
    let scope = FeelScope::default();
    let context = "{applicant: {age: 81, name: \"张三\"}, income: 2000, status: \"open\"}";
    let context = dsntk_feel_evaluator::evaluate_context(&scope, context).unwrap();
    scope.push(context.clone());
    let node = dsntk_feel_parser::parse_expression(&scope, CONDITION, false).unwrap();
    let bare = dsntk_feel_evaluator::prepare(&node);
    rate(
        "the same condition by the bare library, a scope at hand",
        1,
        |_| {
            let scope: FeelScope = context.clone().into();
            assert!(bare(&scope).is_true());
        },
    );
}
