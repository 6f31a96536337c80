//! What is delivered: the declarations of the systems and of the city are sound, the processes are
//! read and lead to a decision whatever way a case takes, and the samples fit their registers.

use cases::bpmn::{Assignment, NodeKind, Process, TaskKind, read};
use kernel::cases::Limit;
use kernel::declare::check;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Files below a folder of the checkout, by path.
fn gather(folder: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            gather(&path, files);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.insert(path, text);
        }
    }
}

/// Every declaration of every system and of the city.
pub fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    gather("systems", &mut files);
    gather("cities", &mut files);
    let code = |path: &str| {
        path.contains("/src/") || path.contains("/tests/") || path.ends_with("Cargo.toml")
    };
    files.retain(|path, _| !code(path));
    files
}

/// The name of a file without its endings.
pub fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap();
    name.split('.').next().unwrap()
}

/// The declared processes, by name.
pub fn drawings() -> Vec<(String, String)> {
    let found = files()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".bpmn"));
    found
        .map(|(path, text)| (stem(&path).to_string(), text))
        .collect()
}

fn process(name: &str, xml: &str) -> Process {
    let model = read(name, xml).unwrap_or_else(|faults| panic!("{faults:#?}"));
    model.processes.into_values().next().unwrap()
}

fn assignments(process: &Process) -> impl Iterator<Item = (&str, &Assignment)> {
    process.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Task(TaskKind::User(said) | TaskKind::Manual(said)) => {
            Some((node.id.as_str(), said))
        }
        _ => None,
    })
}

#[test]
fn every_declaration_is_sound() {
    let declared = check::load(&files()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    assert!(declared.items().count() >= 12, "items");
}

#[test]
fn every_process_is_read_drawn_and_known_to_whom() {
    let declared = check::load(&files()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let roles = declared.roles();
    let drawings = drawings();
    assert!(drawings.len() >= 12);
    for (name, xml) in &drawings {
        let process = process(name, xml);
        assert_eq!(&process.id, name, "a process is called as its file");
        for node in &process.nodes {
            let shape = format!("bpmnElement=\"{}\"", node.id);
            assert!(xml.contains(&shape), "{name}: {} is not drawn", node.id);
        }
        for (node, said) in assignments(&process) {
            let at = format!("{name}: {node}");
            assert!(
                !said.roles.is_empty(),
                "{at} is offered to nobody in particular"
            );
            for role in &said.roles {
                assert!(
                    roles.iter().any(|r| r.name == *role),
                    "{at}: no role {role}"
                );
            }
            assert!(
                said.organisation.is_some(),
                "{at} is offered in every organisation"
            );
            let literal = said
                .organisation
                .as_deref()
                .and_then(|o| o.strip_prefix('"'));
            if let Some(code) = literal.map(|o| o.trim_end_matches('"')) {
                let known = declared.city.organisations.iter().any(|o| o.code == code);
                assert!(known, "{at}: no organisation {code}");
            }
            let due = said.due.as_deref().and_then(Limit::parse);
            assert!(due.is_some(), "{at}: how long there is");
            assert!(said.form.is_some(), "{at}: which form");
        }
    }
}

/// Functions of the program, as the contract of routes and services lists them.
const FUNCTIONS: &[&str] = &[
    "applications.decide",
    "applications.licence",
    "applications.note",
    "applications.bill",
    "cases.pause",
    "cases.unpause",
    "licences.issue",
];

#[test]
fn no_case_ends_without_a_decision() {
    for (name, xml) in drawings() {
        let process = process(&name, &xml);
        let is = |at: usize, function: &str| matches!(&process.nodes[at].kind, NodeKind::Task(TaskKind::Service(f)) if f == function);
        // Where one can get to without going through the decision.
        let mut seen = vec![false; process.nodes.len()];
        let mut next = process.entries(None);
        while let Some(at) = next.pop() {
            if std::mem::replace(&mut seen[at], true) || is(at, "applications.decide") {
                continue;
            }
            let node = &process.nodes[at];
            assert!(
                !node.outgoing.is_empty(),
                "{name}: {} ends undecided",
                node.id
            );
            next.extend(node.outgoing.iter().map(|flow| process.flows[*flow].target));
        }
        for node in &process.nodes {
            if let NodeKind::Task(TaskKind::Service(function)) = &node.kind {
                assert!(FUNCTIONS.contains(&function.as_str()), "{name}: {function}");
            }
        }
    }
}

#[test]
fn every_task_has_the_form_it_names_and_every_table_stands_beside() {
    let files = files();
    let declared = check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let drawings: BTreeMap<String, String> = drawings().into_iter().collect();
    let mut used = vec![];
    for file in declared.items() {
        let (path, text) = (&file.file, &file.text);
        let content =
            kernel::declare::yaml::parse(text).unwrap_or_else(|e| panic!("{path}: {e:?}"));
        let content: kernel::items::ItemContent =
            serde_json::from_value(content.json()).unwrap_or_else(|e| panic!("{path}: {e}"));
        let Some(name) = &content.process else {
            assert!(
                content.bundle.len() >= 2,
                "{path}: neither a process nor a bundle"
            );
            for part in &content.bundle {
                assert!(files.contains_key(&format!("systems/services/items/{part}.yaml")));
            }
            continue;
        };
        let xml = drawings
            .get(name)
            .unwrap_or_else(|| panic!("{path}: no process {name}"));
        let process = process(name, xml);
        used.push(name.clone());
        for (node, said) in assignments(&process) {
            let form = said.form.as_deref().unwrap_or_default();
            assert!(
                content.desk_forms.contains_key(form),
                "{path}: no form {form} of {node}"
            );
        }
        let forms: Vec<&str> = assignments(&process)
            .filter_map(|(_, a)| a.form.as_deref())
            .collect();
        for form in content.desk_forms.keys() {
            assert!(
                forms.contains(&form.as_str()),
                "{path}: nobody asks for the form {form}"
            );
        }
        let issues = process.nodes.iter().any(|node| {
            matches!(&node.kind, NodeKind::Task(TaskKind::Service(f)) if f == "applications.licence")
        });
        assert_eq!(
            issues,
            content.outcome.licence.is_some(),
            "{path}: is a licence issued?"
        );
        for node in &process.nodes {
            if let NodeKind::Task(TaskKind::Rule { decision, .. }) = &node.kind {
                let model = decision.split(':').next().unwrap();
                let file = format!("systems/services/decisions/{model}.dmn");
                assert!(files.contains_key(&file), "{name}: no {file}");
            }
        }
        // What somebody promised is enough for the longest way of tasks that the clock counts.
        assert!(content.promised.days <= content.statutory.days, "{path}");
    }
    for name in drawings.keys() {
        assert!(used.contains(name), "no item is decided by {name}");
    }
}

#[test]
fn samples_fit_their_registers_and_name_nobody_real() {
    let files = files();
    let declared = check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let mut read = 0;
    for (path, text) in &files {
        if !path.starts_with("systems/services/samples/") {
            continue;
        }
        let name = stem(path);
        let register = declared
            .register(name)
            .unwrap_or_else(|| panic!("{path}: no register"));
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut keys = std::collections::BTreeSet::new();
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            assert_eq!(cells.len(), head.len(), "{path}: {line}");
            for (field, text) in head.iter().zip(cells) {
                let at = format!("{path}: {field} {text}");
                let decl = register.field(field).unwrap_or_else(|| panic!("{at}"));
                assert!(!(decl.required && text.is_empty()), "{at}");
                if register.key == *field {
                    assert!(keys.insert(text), "{at} stands twice");
                }
                if text.is_empty() {
                    continue;
                }
                use kernel::declare::FieldKind;
                let fits = match &decl.kind {
                    FieldKind::Choice { of } => of.iter().any(|(value, _)| value == text),
                    FieldKind::Number => text.parse::<f64>().is_ok(),
                    FieldKind::Integer => text.parse::<i64>().is_ok(),
                    FieldKind::Date => kernel::numbers::Day::parse(text).is_some(),
                    _ => true,
                };
                assert!(fits, "{at}");
                let person = ["number", "mother", "father", "spouse"].contains(field);
                if person || field.ends_with("_number") {
                    let number = kernel::numbers::CitizenNumber::parse(text);
                    assert!(number.is_ok() && text.starts_with("130199"), "{at}");
                }
                if ["uscc", "owner"].contains(field) && text.len() == 18 {
                    let code = kernel::numbers::CreditCode::parse(text);
                    assert!(code.is_ok() && &text[2..8] == "130199", "{at}");
                }
            }
            read += 1;
        }
    }
    assert!(read > 100, "{read}");
}
