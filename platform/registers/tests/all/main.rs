//! Tests of the registers engine, each on both databases.
#![allow(clippy::unwrap_used)]

mod exchange;
mod history;
mod query;
mod validation;

use kernel::access::Actor;
use kernel::declare::{Declared, check};
use kernel::records::{Record, RecordChange, Registers};
use kernel::{Fault, ManualClock, Span, Time};
use registers::Engine;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

/// A register of stations, cached, and one of pumps that refer to them.
pub(crate) const STATION: &str = r#"{
  "title": "站点", "x-title-en": "Station", "x-owner": "o1", "x-key": "id", "x-cached": true,
  "x-place": ["lon", "lat"], "type": "object", "required": ["id", "name"],
  "properties": {
    "id": {"type": "string", "title": "编号", "x-title-en": "Id", "pattern": "^[A-Z0-9_%-]+$"},
    "name": {"type": "string", "title": "名称", "x-title-en": "Name", "minLength": 2, "x-index": true},
    "state": {"type": "string", "title": "状态", "x-title-en": "State", "enum": ["on", "off"], "x-index": true,
              "x-choices": {"on": ["运行", "Running"], "off": ["停用", "Stopped"]}},
    "power": {"type": "number", "title": "功率", "x-title-en": "Power", "minimum": 0, "maximum": 1000, "x-index": true},
    "floors": {"type": "integer", "title": "层数", "x-title-en": "Floors"},
    "open": {"type": "boolean", "title": "开放", "x-title-en": "Open", "x-index": true},
    "built": {"type": "string", "format": "date", "title": "建成", "x-title-en": "Built"},
    "checked": {"type": "string", "format": "date-time", "title": "检查", "x-title-en": "Checked", "x-index": true},
    "phone": {"type": "string", "title": "电话", "x-title-en": "Phone", "x-personal": true},
    "lon": {"type": "number", "title": "经度", "x-title-en": "Longitude"},
    "lat": {"type": "number", "title": "纬度", "x-title-en": "Latitude"}
  }}"#;

pub(crate) const PUMP: &str = r#"{
  "title": "水泵", "x-title-en": "Pump", "x-owner": "o1", "x-key": "nr",
  "type": "object", "required": ["nr"],
  "properties": {
    "nr": {"type": "integer", "title": "序号", "x-title-en": "Number"},
    "station": {"type": "string", "title": "站点", "x-title-en": "Station", "x-reference": "station", "x-index": true}
  }}"#;

pub(crate) fn declared(registers: &[(&str, &str)]) -> Arc<Declared> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |path: &str, text: &str| files.insert(path.into(), text.into());
    add(
        "cities/c/city.yaml",
        "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
    );
    add(
        "cities/c/organisations.yaml",
        "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n",
    );
    add(
        "systems/s/system.yaml",
        "title: {zh: 系统, en: System}\nowner: o1\nuses: [registers]\nmaturity: draft\n",
    );
    for (name, schema) in registers {
        add(&format!("systems/s/registers/{name}.schema.json"), schema);
    }
    Arc::new(check::load(&files).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

/// The instant tests begin at.
pub(crate) const START: Time = Time(1_700_000_000_000_000);

pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) async fn open(store: &Store, registers: &[(&str, &str)]) -> Result<House, Fault> {
    let clock = Arc::new(ManualClock::new(START));
    let engine = Engine::open(store.clone(), clock.clone(), declared(registers)).await?;
    Ok(House { engine, clock })
}

pub(crate) async fn house(store: &Store) -> House {
    open(store, &[("station", STATION), ("pump", PUMP)])
        .await
        .unwrap()
}

pub(crate) fn officer() -> Actor {
    Actor {
        account: "wang".into(),
        display: "王".into(),
        ..Actor::default()
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub(crate) fn change(register: &str, key: &str, fields: Value) -> RecordChange {
    RecordChange {
        register: register.into(),
        fields: (!fields.is_null()).then(|| object(fields)),
        key: key.into(),
        valid_from: None,
        expect_version: None,
        reason: None,
    }
}

pub(crate) fn station(key: &str, name: &str) -> RecordChange {
    change("station", key, json!({ "id": key, "name": name }))
}

impl House {
    pub(crate) async fn put(&self, change: RecordChange) -> Result<Record, Fault> {
        let mut records = self.engine.apply(&officer(), vec![change]).await?;
        assert_eq!(records.len(), 1);
        Ok(records.remove(0))
    }
    pub(crate) fn wait(&self, seconds: i64) -> Time {
        self.clock.advance(Span::seconds(seconds));
        kernel::Clock::now(&*self.clock)
    }
}

/// Problems as (place, English).
pub(crate) fn problems(fault: &Fault) -> Vec<(&str, &str)> {
    for problem in &fault.problems {
        assert!(!problem.words.zh.is_empty());
        assert_ne!(problem.words.zh, problem.words.en);
    }
    fault
        .problems
        .iter()
        .map(|p| (p.at.as_str(), p.words.en.as_str()))
        .collect()
}
