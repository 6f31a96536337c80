//! Tests of the policy engine: the same answers as roles gave before, narrowed grants, files in the
//! Cedar language, masks, and that lists agree with single decisions.
#![allow(clippy::unwrap_used)]

mod agree;
mod files;
mod grants;
mod narrowed;
mod parity;

use kernel::access::{Actor, Standing};
use kernel::declare::{Declared, check};
use kernel::facts::Facts;
use kernel::{ManualClock, Problem, Time};
use policy::Engine;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) const START: Time = Time(1_700_000_000_000_000);

/// Roles of the town; each test may add Cedar files.
pub(crate) const ROLES: &str = "roles:
  duty:
    title: {zh: 值班, en: Duty}
    may:
      - {do: [read, handle], on: [alerts], purpose: 值守, basis: 法一}
      - {do: [read], on: ['register.*'], purpose: 值守, basis: 法一}
  inspector:
    title: {zh: 检查员, en: Inspector}
    may:
      - {do: [read, write], on: [register.site], scope: own, purpose: 检查, basis: 法二}
      - {do: [handle], on: [alerts], scope: handling, purpose: 处置, basis: 法二}
  chief:
    title: {zh: 科长, en: Chief}
    may:
      - {do: [read, export], on: [register.site], scope: subordinate, purpose: 检查, basis: 法二}
      - {do: [operate], on: [system], second_factor: true, purpose: 运行, basis: 法三}
  clerk:
    title: {zh: 窗口, en: Clerk}
    may:
      - {do: [read], on: [register.person], level: 2, scope: handling, fields: [name, id], masked: [phone], purpose: 受理, basis: 法四}
      - {do: [read], on: [register.person], masked: [name, id], purpose: 统计, basis: 法五}
  citizen:
    title: {zh: 市民, en: Citizen}
    may:
      - {do: [read], on: [register.person], scope: own_person, fields: ['*'], purpose: 本人查询, basis: 法六}
  doctor:
    title: {zh: 医生, en: Doctor}
    may:
      - {do: [read], on: [register.person], break_glass: true, fields: ['*'], purpose: 抢救, basis: 法七}
";

pub(crate) fn files(roles: &str, cedar: &[(&str, &str)]) -> BTreeMap<String, String> {
    let schema = |title: &str, access: &str, properties: &str, key: &str| {
        format!(
            r#"{{"title": "{title}", "x-title-en": "{title}", "x-owner": "o1", "x-key": "{key}",
            "x-access": {access}, "type": "object", "additionalProperties": false,
            "required": ["{key}"], "properties": {{ {properties} }} }}"#
        )
    };
    let text = |name: &str, more: &str| {
        format!(
            r#""{name}": {{"type": "string", "title": "{name}", "x-title-en": "{name}"{more}}}"#
        )
    };
    let index = r#", "x-index": true"#;
    let personal = r#", "x-personal": true, "x-index": true"#;
    let site = [
        text("code", ""),
        text("org", index),
        text("area", index),
        text("note", ""),
        r#""size": {"type": "integer", "title": "size", "x-title-en": "size", "x-index": true}"#
            .into(),
        r#""open": {"type": "boolean", "title": "open", "x-title-en": "open", "x-index": true}"#
            .into(),
    ];
    let person = [
        text("id", r#", "x-personal": true"#),
        text("name", personal),
        text("phone", personal),
        text("area", index),
        text("clerk", index),
    ];
    let mut all: BTreeMap<String, String> = [
        ("cities/c/city.yaml", "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n"),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n  o2: {title: {zh: 科, en: Office}, parent: o1}\n  \
             o3: {title: {zh: 股, en: Section}, parent: o2}\n  o4: {title: {zh: 外局, en: Other}}\n",
        ),
        ("cities/c/roles.yaml", "roles:\n  operator:\n    title: {zh: 运维, en: Operator}\n    may:\n      - {do: [read, operate], on: [accounts, system], purpose: 运行, basis: 法三}\n"),
        ("systems/s/system.yaml", "title: {zh: 系统, en: System}\nowner: o1\nuses: [registers]\nmaturity: draft\n"),
        ("systems/s/access/roles.yaml", roles),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_string(), v.to_string()))
    .collect();
    all.insert(
        "systems/s/registers/site.schema.json".into(),
        schema(
            "site",
            r#"{"owner": "org", "district": "area"}"#,
            &site.join(","),
            "code",
        ),
    );
    all.insert(
        "systems/s/registers/person.schema.json".into(),
        schema(
            "person",
            r#"{"district": "area", "person": "id", "handler": "clerk"}"#,
            &person.join(","),
            "id",
        ),
    );
    for (name, text) in cedar {
        all.insert(format!("systems/s/access/{name}"), text.to_string());
    }
    all
}

pub(crate) fn declared(cedar: &[(&str, &str)]) -> Declared {
    check::load(&files(ROLES, cedar)).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// Faults of policies, as `file:line: English`.
pub(crate) fn faults(roles: &str, cedar: &[(&str, &str)]) -> Vec<String> {
    let (declared, mut faults) = check::load_all(&files(roles, cedar));
    faults.extend(policy::check(&declared));
    let said = |p: &Problem| format!("{}: {}", p.at, p.words.en);
    faults.iter().map(said).collect()
}

pub(crate) fn engine(cedar: &[(&str, &str)]) -> Arc<Engine> {
    let clock = Arc::new(ManualClock::new(START));
    Engine::new(clock, &declared(cedar)).unwrap_or_else(|fault| panic!("{fault}"))
}

pub(crate) fn actor(name: &str, roles: &[&str]) -> Actor {
    Actor {
        account: name.into(),
        display: name.into(),
        roles: roles.iter().map(|r| r.to_string()).collect(),
        ..Actor::default()
    }
}

/// With organisations: the first list as held, the second with everything below.
pub(crate) fn seated(name: &str, roles: &[&str], own: &[&str], scope: &[&str]) -> Actor {
    let texts = |list: &[&str]| list.iter().map(|t| t.to_string()).collect();
    Actor {
        standing: Standing {
            organisations: texts(own),
            scope: texts(scope).into(),
            ..Standing::default()
        },
        ..actor(name, roles)
    }
}

pub(crate) fn site(code: &str, org: &str) -> Facts {
    let declared = declared(&[]);
    let fields = serde_json::json!({"code": code, "org": org, "size": 5, "open": true});
    Facts::of_fields(
        declared.register("site").unwrap(),
        code,
        fields.as_object().unwrap(),
    )
}

pub(crate) fn person(id: &str, clerk: &str) -> Facts {
    let declared = declared(&[]);
    let fields =
        serde_json::json!({"id": id, "name": "张三", "phone": "13812345678", "clerk": clerk});
    Facts::of_fields(
        declared.register("person").unwrap(),
        id,
        fields.as_object().unwrap(),
    )
}
