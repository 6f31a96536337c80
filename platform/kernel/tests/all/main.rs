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
