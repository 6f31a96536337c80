//! The compatibility kit of the standard (DMN TCK): every case of levels 2 and 3 that is at hand
//! goes through the door everybody uses, JSON in and JSON out. The counts per model are in
//! `golden/tck.txt`; a case that passed and no longer does fails the test, and so does a golden
//! file that does not say what was found.

use crate::{engine, memory};
use decisions::Engine;
use roxmltree::{Document, Node};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn corpora() -> Option<PathBuf> {
    let dir = std::env::var("JICHENG_CORPORA").ok()?;
    let dir = PathBuf::from(dir).join("dmn-tck");
    dir.is_dir().then_some(dir)
}

/// A value of the kit as JSON. What it calls a decimal keeps its digits.
fn value(node: Node) -> Value {
    let nil = |node: &Node| {
        node.attributes()
            .any(|a| a.name() == "nil" && a.value() == "true")
    };
    let child = |name: &str| node.children().find(|n| n.tag_name().name() == name);
    if let Some(list) = child("list") {
        if nil(&list) {
            return Value::Null;
        }
        let items = list.children().filter(|n| n.tag_name().name() == "item");
        return Value::Array(items.map(value).collect());
    }
    if let Some(simple) = child("value") {
        return if nil(&simple) {
            Value::Null
        } else {
            simple_value(simple)
        };
    }
    let mut object = Map::new();
    for part in node
        .children()
        .filter(|n| n.tag_name().name() == "component")
    {
        let name = part.attribute("name").unwrap_or_default().to_owned();
        object.insert(name, if nil(&part) { Value::Null } else { value(part) });
    }
    match object.is_empty() && child("component").is_none() {
        true => Value::Null,
        false => Value::Object(object),
    }
}

fn simple_value(node: Node) -> Value {
    let text = node.text().unwrap_or_default();
    let kind = node.attributes().find(|a| a.name() == "type");
    let kind = kind.map_or("string", |a| {
        a.value().rsplit(':').next().unwrap_or_default()
    });
    match kind {
        "boolean" => json!(text.trim() == "true"),
        "decimal" | "double" | "integer" | "int" | "long" | "float" => {
            json!({"@number": text.trim()})
        }
        "date" => json!({"@date": text.trim()}),
        "time" => json!({"@time": text.trim()}),
        "dateTime" => json!({"@date-time": text.trim()}),
        "duration" | "dayTimeDuration" | "yearMonthDuration" => json!({"@duration": text.trim()}),
        _ => json!(text),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Object(object) => object.get("@number")?.as_str()?.parse().ok(),
        _ => None,
    }
}

/// The same value? Numbers up to the 8 decimals the kit gives.
fn same(expected: &Value, found: &Value) -> bool {
    if let (Some(a), Some(b)) = (number(expected), number(found)) {
        return (a - b).abs() <= 1e-8 * a.abs().max(1.0);
    }
    match (expected, found) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| {
                    let own = |key: &str| key.split_whitespace().collect::<Vec<_>>().join(" ");
                    let b = b.get(key).or_else(|| b.get(&own(key)));
                    b.is_some_and(|b| match (key.as_str(), a, b) {
                        (
                            "@date" | "@time" | "@date-time" | "@duration",
                            Value::String(a),
                            Value::String(b),
                        ) => moment(a) == moment(b),
                        _ => same(a, b),
                    })
                })
        }
        (a, b) => a == b,
    }
}

/// A date, time or duration in one spelling.
fn moment(text: &str) -> String {
    let text = text.replace("+00:00", "Z").replace("-00:00", "Z");
    match text.split_once('.') {
        Some((whole, rest)) => {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            let after = &rest[digits.len()..];
            match digits.trim_end_matches('0') {
                "" => format!("{whole}{after}"),
                digits => format!("{whole}.{digits}{after}"),
            }
        }
        None => text,
    }
}

/// Cases of one folder: passed, failed (with why), refused.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
    refused: usize,
}

fn folder(engine: &Engine, dir: &Path) -> Tally {
    let mut tally = Tally::default();
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let models: Vec<(PathBuf, String)> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "dmn"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    for path in files
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "xml"))
    {
        let text = std::fs::read_to_string(path).unwrap();
        let document = Document::parse(&text).unwrap();
        let wanted = document
            .descendants()
            .find(|n| n.tag_name().name() == "modelName");
        let wanted = wanted.and_then(|n| n.text()).unwrap_or_default().trim();
        let mut xmls: Vec<&(PathBuf, String)> = models.iter().collect();
        // The model itself last, after what it imports.
        xmls.sort_by_key(|(path, _)| path.file_name().is_some_and(|n| n == wanted));
        let xmls: Vec<&str> = xmls.iter().map(|(_, xml)| xml.as_str()).collect();
        let built = engine.build(&xmls);
        for case in document
            .descendants()
            .filter(|n| n.tag_name().name() == "testCase")
        {
            let mut input = Map::new();
            for node in case
                .children()
                .filter(|n| n.tag_name().name() == "inputNode")
            {
                let name = node.attribute("name").unwrap_or_default().to_owned();
                input.insert(name, value(node));
            }
            for node in case
                .children()
                .filter(|n| n.tag_name().name() == "resultNode")
            {
                let id = case.attribute("id").unwrap_or_default();
                let name = node.attribute("name").unwrap_or_default();
                let asked = match case.attribute("type") {
                    Some("decision") | None => name,
                    Some(_) => case.attribute("invocableName").unwrap_or(name),
                };
                let model = match &built {
                    Ok(model) => model,
                    Err(fault) if fault.to_string().contains("external functions") => {
                        tally.refused += 1;
                        continue;
                    }
                    Err(fault) => {
                        tally.failed.push(format!("{id} {name}: {fault}"));
                        continue;
                    }
                };
                let expected = node.children().find(|n| n.tag_name().name() == "expected");
                let expected = expected.map_or(Value::Null, value);
                match model.decide_unchecked(asked, &input) {
                    Ok(outcome) if same(&expected, &outcome.result) => tally.passed += 1,
                    // A service with several outputs gives all of them; the kit asks for each.
                    Ok(outcome) if asked != name && same(&expected, &outcome.result[name]) => {
                        tally.passed += 1;
                    }
                    Ok(outcome) => tally.failed.push(format!(
                        "{id} {name}: expected {expected}, found {} ({:?})",
                        outcome.result, outcome.why_null
                    )),
                    Err(fault) => tally.failed.push(format!("{id} {name}: {fault}")),
                }
            }
        }
    }
    tally
}

#[tokio::test]
async fn every_case_that_passed_passes() {
    let Some(dir) = corpora() else {
        eprintln!("JICHENG_CORPORA does not name a folder with dmn-tck: skipped");
        return;
    };
    let (_place, store) = memory().await;
    let engine = engine(&store);
    let mut found: BTreeMap<String, Tally> = BTreeMap::new();
    for level in ["compliance-level-2", "compliance-level-3"] {
        for entry in std::fs::read_dir(dir.join(level)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let name = format!("{level}/{}", path.file_name().unwrap().to_string_lossy());
                found.insert(name, folder(&engine, &path));
            }
        }
    }
    let (mut text, mut why) = (String::new(), String::new());
    let mut sums = [0; 3];
    for (name, tally) in &found {
        let counts = [tally.passed, tally.failed.len(), tally.refused];
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
        let [passed, failed, refused] = counts;
        writeln!(
            text,
            "{name}: {passed} passed, {failed} failed, {refused} refused"
        )
        .unwrap();
        for failure in &tally.failed {
            writeln!(why, "{name}: {failure}").unwrap();
        }
    }
    let [passed, failed, refused] = sums;
    writeln!(
        text,
        "all: {passed} passed, {failed} failed, {refused} refused of {}",
        passed + failed + refused
    )
    .unwrap();
    eprintln!("{text}{why}");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/tck.txt");
    if std::env::var("BLESS").is_ok() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &text).unwrap();
    }
    let known = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(
        known, text,
        "the counts changed; read why above, then BLESS=1"
    );
}
