//! Tests of the kernel: declarations are read whole or refused with every fault, file and line.

use kernel::declare::check::load;
use std::collections::BTreeMap;

fn sound() -> BTreeMap<String, String> {
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n",
        ),
        (
            "systems/lamps/system.yaml",
            "title: {zh: 路灯, en: Lamps}\nowner: o1\nuses: [registers, rules]\nmaturity: draft\n",
        ),
        (
            "systems/lamps/registers/lamp.schema.json",
            r#"{"title": "路灯", "x-title-en": "Lamp", "x-owner": "o1", "x-key": "id", "x-cached": true,
"type": "object", "additionalProperties": false, "required": ["id"],
"properties": {
  "id": {"type": "string", "title": "编号", "x-title-en": "Id"},
  "state": {"type": "string", "title": "状态", "x-title-en": "State", "enum": ["on", "off"],
            "x-choices": {"on": ["亮", "On"], "off": ["灭", "Off"]}}
}}"#,
        ),
        (
            "systems/lamps/observations/power.yaml",
            "lamp_power: {title: {zh: 功率, en: Power}, unit: W}\n",
        ),
        (
            "systems/lamps/rules/dark.yaml",
            "title: {zh: 灭灯, en: Dark lamp}\nabout: lamp\nwhen:\n  observation: lamp_power\n  below: 5 W\n  for: 10 min\n  \
             while: {from: '18:00', to: '06:00'}\nalert: {level: yellow, message: {zh: 灭, en: dark}}\n",
        ),
    ];
    files
        .into_iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect()
}

#[test]
fn a_sound_system_is_read() {
    let declared = load(&sound()).unwrap();
    assert_eq!(declared.register("lamp").unwrap().fields.len(), 2);
    assert_eq!(declared.property("lamp_power").unwrap().unit, "W");
    let rule = declared.rules().next().unwrap();
    assert_eq!(rule.when.series().len(), 1);
}

/// Replaces `from` by `to` in `file` and expects exactly these faults (place, English).
fn check(file: &str, from: &str, to: &str, expect: &[(&str, &str)]) {
    let mut files = sound();
    let text = files.get_mut(file).expect(file);
    assert!(text.contains(from), "{from} is not in {file}");
    *text = text.replace(from, to);
    let faults = load(&files).expect_err("the change should be refused");
    let found: Vec<(&str, &str)> = faults
        .iter()
        .map(|p| (p.at.as_str(), p.words.en.as_str()))
        .collect();
    assert_eq!(found, expect);
    assert!(faults.iter().all(|p| !p.words.zh.is_empty()));
}

#[test]
fn every_fault_has_its_file_and_line() {
    let rule = "systems/lamps/rules/dark.yaml";
    check(
        rule,
        "below: 5 W",
        "beneath: 5 W",
        &[
            (
                "systems/lamps/rules/dark.yaml:4",
                "exactly one of above, below is needed",
            ),
            ("systems/lamps/rules/dark.yaml:4", "\"above\" is missing"),
            ("systems/lamps/rules/dark.yaml:5", "unknown key \"beneath\""),
        ],
    );
    check(
        rule,
        "10 min",
        "ten minutes",
        &[(
            "systems/lamps/rules/dark.yaml:6",
            "for: \"ten minutes\" is no span (such as 10 min)",
        )],
    );
    check(
        rule,
        "lamp_power",
        "power",
        &[(
            "systems/lamps/rules/dark.yaml:4",
            "there is no property \"power\"",
        )],
    );
    check(
        rule,
        "level: yellow",
        "level: pink",
        &[
            (
                "systems/lamps/rules/dark.yaml:8",
                "level: expected blue, yellow, orange or red",
            ),
            (
                "systems/lamps/rules/dark.yaml:8",
                "level: level or levels is missing",
            ),
        ],
    );
    check(
        rule,
        "about: lamp",
        "about: lantern",
        &[(
            "systems/lamps/rules/dark.yaml:2",
            "there is no register \"lantern\"",
        )],
    );
    let register = "systems/lamps/registers/lamp.schema.json";
    check(
        register,
        "\"x-key\": \"id\"",
        "\"x-key\": \"nr\"",
        &[
            (
                "systems/lamps/registers/lamp.schema.json:1",
                "x-key: there is no field \"nr\"",
            ),
            (
                "systems/lamps/registers/lamp.schema.json:1",
                "x-key: the key field must be in required",
            ),
        ],
    );
    check(
        "systems/lamps/system.yaml",
        "owner: o1",
        "owner: o2\nowner: o3",
        &[
            (
                "systems/lamps/system.yaml:3",
                "cannot be read: the key \"owner\" stands twice",
            ),
            (
                "systems/lamps/system.yaml:1",
                "system.yaml or its title is missing",
            ),
        ],
    );
}

#[test]
fn a_file_of_no_known_kind_is_refused() {
    let mut files = sound();
    files.insert("systems/lamps/rulez/x.yaml".into(), "a: 1".into());
    files.insert("elsewhere.yaml".into(), "a: 1".into());
    let faults = load(&files).unwrap_err();
    assert_eq!(faults.len(), 2);
}

const LICENCE: &str = "cities/c/licences/food.yaml";

fn with_licence() -> BTreeMap<String, String> {
    let mut files = sound();
    let text = "code: 11130199000000019E001
title: {zh: 食品经营许可证, en: Food business permit}
issuer: o1
issuer_code: 11130199000000019E
holder: either
grade: B
validity: {years: 5}
basis: 法
fields:
  category: {title: {zh: 业态, en: Category}, type: choice, choices: {a: [甲, A]}, required: true}
  manager: {title: {zh: 负责人, en: Manager}, personal: true, longest: 40}
minimum: [holder_name, category]
public: [category]
";
    files.insert(LICENCE.into(), text.into());
    files
}

#[test]
fn a_type_of_licence_is_read() {
    use kernel::declare::{FieldKind, Validity};
    let declared = load(&with_licence()).unwrap();
    let licence = declared.licences().next().unwrap();
    assert_eq!(
        (licence.name.as_str(), licence.system.as_str()),
        ("food", "")
    );
    assert_eq!(licence.validity, Validity::Years(5));
    assert!(matches!(licence.fields[0].kind, FieldKind::Choice { .. }));
    let (manager, category) = (&licence.fields[1], &licence.fields[0]);
    assert!(category.required && manager.personal && manager.longest == 40);
    let types = kernel::licences::types(&declared);
    assert_eq!(types["food"].authority_code, "11130199000000019E");
    assert_eq!(types["food"].authority.zh, "局");
    // The organisation's own code is taken when the type says none; types survive their way
    // through the store.
    let text = serde_json::to_string(&types["food"]).unwrap();
    let read: kernel::licences::LicenceType = serde_json::from_str(&text).unwrap();
    assert_eq!(read, types["food"]);
    // Every key has its place in the schema that editors use.
    let schemas = kernel::declare::check::schemas(&with_licence());
    let known = &schemas["licence"]["properties"];
    for key in ["code", "validity", "template", "minimum", "issuer_code"] {
        assert!(known.get(key).is_some(), "{key}");
    }
    assert_eq!(schemas["licence"]["additionalProperties"], false);
}

#[test]
fn faults_of_types_of_licences() {
    let check = |from: &str, to: &str, expect: &[(usize, &str)]| {
        let mut files = with_licence();
        let text = files.get_mut(LICENCE).expect(LICENCE);
        assert!(text.contains(from), "{from} is not there");
        *text = text.replace(from, to);
        let faults = load(&files).expect_err(to);
        let found: Vec<(String, &str)> = faults
            .iter()
            .map(|p| (p.at.clone(), p.words.en.as_str()))
            .collect();
        let expect: Vec<(String, &str)> = expect
            .iter()
            .map(|(line, en)| (format!("{LICENCE}:{line}"), *en))
            .collect();
        assert_eq!(found, expect);
    };
    check(
        "code: 11130199000000019E001",
        "code: 11130199000000019F001",
        &[(
            1,
            "code: expected a unified social credit code and three digits (GB/T 36904)",
        )],
    );
    check(
        "issuer_code: 11130199000000019E\n",
        "",
        &[(
            3,
            "the issuing organisation has no credit code; register it or write issuer_code",
        )],
    );
    check(
        "issuer: o1",
        "issuer: o9",
        &[(3, "there is no organisation \"o9\"")],
    );
    check(
        "{years: 5}",
        "{years: 5, days: 3}",
        &[(
            7,
            "expected years or days, a whole number; leave validity out for no end",
        )],
    );
    check(
        "type: choice, ",
        "",
        &[(10, "choices: choices and type: choice belong together")],
    );
    check(
        "  manager:",
        "  holder_number:",
        &[(
            11,
            "the field name \"holder_number\" should be 1 to 40 of a-z 0-9 _, and no element of every licence",
        )],
    );
    check(
        "[holder_name, category]",
        "[holder_name, colour]",
        &[(12, "minimum: there is no field \"colour\"")],
    );
    check(
        "public: [category]",
        "public: [manager, holder_number]",
        &[
            (13, "public: \"manager\" is personal and cannot be public"),
            (
                13,
                "public: \"holder_number\" is personal and cannot be public",
            ),
        ],
    );
    check(
        "grade: B",
        "grade: E",
        &[(6, "grade: \"E\" should be one of A, B, C, D")],
    );
    check("basis: 法\n", "", &[(1, "\"basis\" is missing")]);
    // A code and a name stand once in the whole city.
    let mut files = with_licence();
    let text = files[LICENCE].clone();
    files.insert("systems/lamps/licences/food.yaml".into(), text);
    let faults = load(&files).expect_err("twice");
    let found: Vec<&str> = faults.iter().map(|p| p.words.en.as_str()).collect();
    assert_eq!(
        found,
        [
            "the code belongs to \"food\" already",
            "licence \"food\" is declared already"
        ]
    );
}
