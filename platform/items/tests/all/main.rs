//! Tests of the items engine.
#![allow(clippy::unwrap_used)]

mod carry;
mod check;
mod declared;
mod delivered;
mod judge;
mod properties;
mod search;
mod versions;

use async_trait::async_trait;
use items::{Engine, Surroundings};
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::declare::{Declared, LicenceDecl, PolicyFile, RegisterDecl};
use kernel::items::{Item, ItemContent, ItemState};
use kernel::{Fault, ManualClock, Problem, Time};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

pub(crate) const FOOD: &str = include_str!("fixtures/food_permit.yaml");
pub(crate) const CERTIFICATE: &str = include_str!("fixtures/birth_certificate.yaml");
pub(crate) const INSURANCE: &str = include_str!("fixtures/newborn_insurance.yaml");
pub(crate) const BIRTH: &str = include_str!("fixtures/birth.yaml");

/// A city with one organisation, two processes, two types of licences and a register.
struct SmallCity(Declared);

impl SmallCity {
    fn new() -> SmallCity {
        let licence = |fields: &str| {
            format!(
                "code: 11130199MB0000001R001\ntitle: {{ zh: 证, en: L }}\nissuer: data_bureau\nholder: either\nbasis: 演示\nfields:\n{fields}"
            )
        };
        let files: BTreeMap<String, String> = [
            (
                "systems/s/licences/food_business_permit.yaml",
                licence(
                    "  premises: { title: { zh: 经营场所, en: Premises }, required: true, longest: 100 }
  business: { title: { zh: 主体业态, en: Business }, type: choice, required: true, choices: { retail: [销售, R], catering: [餐饮, C], canteen: [食堂, K] } }
  items: { title: { zh: 经营项目, en: Items }, required: true, longest: 200 }
  responsible: { title: { zh: 负责人, en: Person in charge }, personal: true, longest: 60 }
  seats: { title: { zh: 座位, en: Seats }, type: integer }
",
                ),
            ),
            (
                "systems/s/licences/business_licence.yaml",
                licence("  scope: { title: { zh: 经营范围, en: Scope }, longest: 100 }\n")
                    .replace("holder: either", "holder: legal"),
            ),
            (
                "systems/s/registers/enterprise.schema.json",
                json!({ "title": "企业", "x-title-en": "Enterprises", "x-key": "code",
                    "x-owner": "data_bureau", "type": "object", "required": ["code"],
                    "properties": {
                        "code": { "type": "string", "title": "代码", "x-title-en": "Code" },
                        "capital": { "type": "integer", "title": "资本", "x-title-en": "Capital" } } })
                .to_string(),
            ),
        ]
        .into_iter()
        .map(|(file, text)| (file.to_string(), text))
        .collect();
        // Names of the rest of the city are not resolved here.
        SmallCity(kernel::declare::check::load_all(&files).0)
    }
}

#[async_trait]
impl Surroundings for SmallCity {
    async fn organisation(&self, code: &str) -> Result<bool, Fault> {
        Ok(code == "data_bureau")
    }
    fn successor(&self, code: &str) -> Option<String> {
        (code == "closed_bureau").then(|| "data_bureau".into())
    }
    async fn process(&self, name: &str) -> Result<bool, Fault> {
        Ok(matches!(name, "food_permit" | "confirm" | "measured"))
    }
    async fn process_forms(&self, name: &str) -> Result<Vec<String>, Fault> {
        let forms: &[&str] = match name {
            "food_permit" => &["accept", "inspect", "approve"],
            "measured" => &["measure"],
            _ => &[],
        };
        Ok(forms.iter().map(|form| form.to_string()).collect())
    }
    async fn licence(&self, name: &str) -> Result<Option<LicenceDecl>, Fault> {
        Ok(self.0.licences().find(|decl| decl.name == name).cloned())
    }
    async fn register(&self, name: &str) -> Result<Option<RegisterDecl>, Fault> {
        Ok(self.0.register(name).cloned())
    }
}

/// Whoever has the role `designer` may do everything.
struct Designers;

impl Policy for Designers {
    fn may(&self, actor: &Actor, _: Verb, _: &str) -> Decision {
        match actor.roles.iter().any(|role| role == "designer") {
            true => Decision::Allowed {
                purpose: "事项管理".into(),
                basis: "演示".into(),
                role: "designer".into(),
            },
            false => Decision::Denied {
                would: vec![],
                missing: vec![],
            },
        }
    }
}

pub(crate) fn designer(account: &str) -> Actor {
    Actor {
        account: account.into(),
        roles: vec!["designer".into()],
        ..Actor::default()
    }
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(crate) async fn engine(store: &Store) -> Arc<Engine> {
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    Engine::open(
        store.clone(),
        clock,
        Arc::new(Designers),
        Arc::new(SmallCity::new()),
    )
    .await
    .unwrap()
}

/// An engine on a store of its own on SQLite, for what keeps nothing.
pub(crate) async fn alone() -> (tempfile::TempDir, Arc<Engine>) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let engine = engine(&store).await;
    (dir, engine)
}

pub(crate) fn content(text: &str) -> ItemContent {
    match items::read_declared(text) {
        Ok(content) => content,
        Err(problems) => panic!("{problems:#?}"),
    }
}

pub(crate) fn value(text: &str) -> Value {
    serde_json::to_value(content(text)).unwrap()
}

pub(crate) fn files(all: &[(&str, &str)]) -> Vec<PolicyFile> {
    let file = |(name, text): &(&str, &str)| PolicyFile {
        file: format!("systems/services/items/{name}.yaml"),
        text: text.to_string(),
    };
    all.iter().map(file).collect()
}

/// An item with this form and nothing else of interest.
pub(crate) fn item(version: i64, form: Value) -> Item {
    let mut content = content(FOOD);
    content.form = form;
    Item {
        item: "x".into(),
        version,
        state: ItemState::InForce,
        published_at: None,
        published_by: None,
        note: String::new(),
        successors: vec![],
        content,
    }
}

pub(crate) fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Places of problems, in order, each once.
pub(crate) fn places(problems: &[Problem]) -> Vec<&str> {
    let mut places: Vec<&str> = problems.iter().map(|p| p.at.as_str()).collect();
    places.dedup();
    places
}

/// Every problem is said in both languages.
pub(crate) fn in_both_languages(problems: &[Problem]) {
    for problem in problems {
        assert!(!problem.words.zh.is_empty() && !problem.words.en.is_empty());
    }
}
