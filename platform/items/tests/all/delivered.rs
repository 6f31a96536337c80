//! The items that are delivered with the systems: all of them can be published in the city as it is
//! declared, and a birth asks for nothing the city knows.

use crate::at;
use async_trait::async_trait;
use items::{Engine, Surroundings};
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::declare::{Declared, LicenceDecl, RegisterDecl};
use kernel::items::{Channel, Items};
use kernel::{Fault, ManualClock};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use store::Store;

/// The city as its files declare it.
struct City(Declared);

impl City {
    fn drawing(&self, name: &str) -> Option<&str> {
        let file = format!("/{name}.bpmn");
        let mut processes = self.0.systems.iter().flat_map(|s| &s.processes);
        let found = processes.find(|process| process.file.ends_with(&file))?;
        Some(&found.text)
    }
}

#[async_trait]
impl Surroundings for City {
    async fn organisation(&self, code: &str) -> Result<bool, Fault> {
        Ok(self.0.city.organisations.iter().any(|o| o.code == code))
    }
    async fn process(&self, name: &str) -> Result<bool, Fault> {
        Ok(self.drawing(name).is_some())
    }
    async fn process_forms(&self, name: &str) -> Result<Vec<String>, Fault> {
        let drawing = self.drawing(name).unwrap_or_default();
        let given = drawing.split("jicheng:form=\"").skip(1);
        let names = given.filter_map(|rest| rest.split_once('"'));
        Ok(names.map(|(form, _)| form.to_string()).collect())
    }
    async fn licence(&self, name: &str) -> Result<Option<LicenceDecl>, Fault> {
        Ok(self.0.licences().find(|decl| decl.name == name).cloned())
    }
    async fn register(&self, name: &str) -> Result<Option<RegisterDecl>, Fault> {
        Ok(self.0.register(name).cloned())
    }
}

struct Nobody;

impl Policy for Nobody {
    fn may(&self, _: &Actor, _: Verb, _: &str) -> Decision {
        Decision::denied(vec![])
    }
}

fn gather(root: &Path, folder: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            gather(root, &path, files);
        } else if let Ok(text) = std::fs::read_to_string(entry.path()) {
            files.insert(path, text);
        }
    }
}

fn declared() -> Declared {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = BTreeMap::new();
    gather(&root, "systems", &mut files);
    gather(&root, "cities", &mut files);
    files.retain(|path, _| {
        !path.contains("/src/") && !path.contains("/tests/") && !path.ends_with("Cargo.toml")
    });
    kernel::declare::check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

#[tokio::test]
async fn every_delivered_item_is_published_once_and_a_birth_needs_no_paper() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let declared = declared();
    let files: Vec<_> = declared.items().cloned().collect();
    let engine = Engine::open(store, clock, Arc::new(Nobody), Arc::new(City(declared)));
    let engine = engine.await.unwrap();
    let published = engine.publish_declared(&files).await;
    let published = published.unwrap_or_else(|fault| panic!("{fault} {:#?}", fault.problems));
    assert_eq!(published.len(), files.len());
    assert!(published.len() >= 12, "{published:?}");
    assert!(engine.publish_declared(&files).await.unwrap().is_empty());

    let mut online = 0;
    for name in &published {
        let item = engine.item(name, None).await.unwrap();
        online += usize::from(item.content.channels.contains(&Channel::Web));
        for (language, text) in [
            ("zh", &item.content.summary.zh),
            ("en", &item.content.summary.en),
        ] {
            assert!(!text.is_empty(), "{name}: no summary in {language}");
        }
    }
    // The plan's target: 98 of a hundred on line.
    assert!(
        online * 100 >= published.len() * 98,
        "{online} of {}",
        published.len()
    );

    let birth = engine.item("birth_bundle", None).await.unwrap();
    for material in &birth.content.materials {
        let free = !material.required || !material.sources.is_empty();
        assert!(free, "{} has to be brought", material.name);
    }
    let filled: Vec<String> = engine
        .prefills(&birth)
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    for field in [
        "mother_number",
        "father_number",
        "child_birth",
        "child_sex",
        "hospital",
    ] {
        assert!(
            filled.iter().any(|known| known == field),
            "{field} is asked for"
        );
    }
}

/// Every pattern says in words what it wants, in both languages.
fn unexplained(at: &str, node: &serde_json::Value, found: &mut Vec<String>) {
    let Some(map) = node.as_object() else { return };
    let said = |key: &str| {
        map.get(key)
            .and_then(|v| v.as_str())
            .is_some_and(|t| t.len() > 3)
    };
    let is_pattern = map.get("pattern").is_some_and(|v| v.is_string());
    if is_pattern && !(said("x-rule") && said("x-rule-en")) {
        found.push(at.to_string());
    }
    for (name, child) in map {
        unexplained(&format!("{at}/{name}"), child, found);
    }
}

#[tokio::test]
async fn every_pattern_of_a_delivered_form_says_what_it_wants() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let declared = declared();
    let files: Vec<_> = declared.items().cloned().collect();
    let engine = Engine::open(store, clock, Arc::new(Nobody), Arc::new(City(declared)));
    let engine = engine.await.unwrap();
    let mut found = vec![];
    for name in engine.publish_declared(&files).await.unwrap() {
        let item = engine.item(&name, None).await.unwrap();
        unexplained(&name, &item.content.form, &mut found);
        for (form, schema) in &item.content.desk_forms {
            unexplained(&format!("{name}/{form}"), schema, &mut found);
        }
    }
    assert_eq!(found, Vec::<String>::new());

    let item = engine.item("elderly_subsidy", None).await.unwrap();
    let answers = serde_json::json!({ "bank_account": "6222 0212-3456" });
    let wrong = engine.judge(&item, answers.as_object().unwrap(), false);
    assert_eq!(wrong[0].at, "/answers/bank_account");
    assert!(
        wrong[0].words.zh.contains("10 至 30 位数字"),
        "{}",
        wrong[0].words.zh
    );
    assert!(
        wrong[0].words.en.contains("10 to 30 digits"),
        "{}",
        wrong[0].words.en
    );
}

#[tokio::test]
async fn the_subsidy_for_the_very_old_is_for_whom_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let declared = declared();
    let files: Vec<_> = declared.items().cloned().collect();
    let engine = Engine::open(store, clock, Arc::new(Nobody), Arc::new(City(declared)));
    let engine = engine.await.unwrap();
    engine.publish_declared(&files).await.unwrap();
    let item = engine.item("elderly_subsidy", None).await.unwrap();
    let number = |birth: &str| {
        let first = format!("130199{}001", birth.replace('-', ""));
        format!("{first}{}", kernel::numbers::citizen_check(&first).unwrap())
    };
    let young = number("1980-05-01");
    let check = |relation: &str, birth: &str, applicant: &str, expect: &[(&str, &str)]| {
        let answers = serde_json::json!({
            "relation": relation, "number": number(birth), "birth_date": birth,
        });
        let answers = answers.as_object().unwrap();
        let mut found = engine.judge(&item, answers, false);
        found.extend(engine.judge_applicant(&item, answers, applicant));
        let said: Vec<(&str, bool)> = found
            .iter()
            .zip(expect)
            .map(|(p, (_, words))| (p.at.as_str(), p.words.zh.contains(words)))
            .collect();
        let expect: Vec<(&str, bool)> = expect.iter().map(|(at, _)| (*at, true)).collect();
        assert_eq!(
            (found.len(), said),
            (expect.len(), expect),
            "{relation} {birth}: {found:?}"
        );
    };
    let old = number("1946-11-30");
    check("self", "1946-11-30", &old, &[]);
    check("child", "1946-11-30", &young, &[]);
    let early = [("/answers/birth_date", "年满 80 周岁的当月起")];
    check("self", "1946-12-01", &number("1946-12-01"), &early);
    check(
        "self",
        "1946-11-30",
        &young,
        &[("/answers/number", "申请人本人的号码")],
    );
    check(
        "child",
        "1946-11-30",
        &old,
        &[("/answers/relation", "老人本人")],
    );
}
