//! What is judged: rule text and steps, and the alerts that follow.

use super::fakes::declared;
use rules::scenario;

/// Plays steps with one rule `r` and expects its wishes to be met.
fn check(rule: &str, steps: &str) {
    let declared = declared(&[("r", rule)]);
    let text = format!(
        "given:\n  clock: 2026-01-10T12:00+08:00\n  records:\n    \
         - {{ station: S1, kind: gas, class: boiler }}\n    \
         - {{ station: S2, kind: water, class: kiln }}\n\
         steps:\n{steps}\nexpect: []\n"
    );
    if let Err(problems) = scenario::run(&declared, "scenario", &text) {
        for problem in &problems {
            eprintln!("{}: {}", problem.at, problem.words.en);
        }
        panic!("{rule}\n{text}");
    }
}

const ABOVE: &str = "when: {observation: so2, above: 50, for: 10 min, hysteresis: 10 %}\n\
                     alert: {levels: {yellow: 1, orange: 1.5, red: 2}, MESSAGE}";

#[test]
fn a_breach_must_last() {
    check(
        ABOVE,
        "
  - observe: { station: S1, so2: 60 }
  - wait: 9 min
  - observe: { station: S1, so2: 70 }
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - observe: { station: S1, so2: 55 }
  - expect:
    - alert: { r: S1, level: yellow, property: so2, value: 70, limit: 50, active: true, since: 2026-01-10T12:00 }
    - alerts: 1",
    );
}

#[test]
fn a_breach_interrupted_begins_anew() {
    check(
        ABOVE,
        "
  - observe: { station: S1, so2: 60 }
  - wait: 9 min
  - observe: { station: S1, so2: 50 }
  - wait: 1 min
  - observe: { station: S1, so2: 60 }
  - wait: 9 min
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - expect: [ alert: { r: S1, since: 2026-01-10T12:10 } ]",
    );
}

#[test]
fn a_breach_nobody_follows_up_is_raised_by_the_clock() {
    check(
        ABOVE,
        "
  - observe: { station: S1, so2: 110, late: 3 min }
  - wait: 11 min
  - expect: [ alert: { r: S1, level: red, since: 2026-01-10T11:57 } ]",
    );
}

#[test]
fn hysteresis_keeps_the_alert() {
    check(
        ABOVE,
        "
  - observe: { station: S1, so2: 60 }
    times: 11
    every: 1 min
  - observe: { station: S1, so2: 46 }
  - expect: [ alert: { r: S1, active: true } ]
  - wait: 1 min
  - observe: { station: S1, so2: 45 }
  - expect: [ alert: { r: S1, active: false, state: closed } ]
  - wait: 1 min
  - observe: { station: S1, so2: 60 }
    times: 11
    every: 1 min
  - expect: [ alerts: 2 ]",
    );
}

#[test]
fn the_level_rises_and_never_falls() {
    check(
        ABOVE,
        "
  - observe: { station: S1, so2: 60 }
    times: 11
    every: 1 min
  - observe: { station: S1, so2: 76 }
  - expect: [ alert: { r: S1, level: orange, value: 76 } ]
  - wait: 1 min
  - observe: { station: S1, so2: 51 }
  - expect: [ alert: { r: S1, level: orange, value: 76 } ]
  - wait: 1 min
  - observe: { station: S1, so2: 100 }
  - expect: [ alert: { r: S1, level: red, value: 100 } ]",
    );
}

#[test]
fn what_is_not_valid_neither_raises_nor_ends() {
    check(
        "when: {observation: so2, above: 50}\nalert: {level: red, MESSAGE}",
        "
  - observe: { station: S1, so2: 900, flag: C }
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - observe: { station: S1, so2: 60, flag: N }
  - wait: 1 min
  - observe: { station: S1, so2: 0, flag: D }
  - expect: [ alert: { r: S1, active: true } ]",
    );
}

#[test]
fn late_future_and_repeated_rows() {
    let rule = "when: {observation: so2, above: 50, for: 2 min}\nalert: {level: red, MESSAGE}";
    // Late rows do not interrupt a hold; rows of tomorrow do not begin one.
    check(
        rule,
        "
  - observe: { station: S1, so2: 60 }
  - wait: 1 min
  - observe: { station: S1, so2: 10, late: 5 min }
  - wait: 1 min
  - expect: [ alert: { r: S1 } ]",
    );
    check(
        rule,
        "
  - observe: { station: S1, so2: 60, early: 61 min }
  - wait: 3 h
  - expect: [ alerts: 0 ]",
    );
    // A clock that ran an hour ahead and was set right is judged again at once.
    check(
        rule,
        "
  - observe: { station: S1, so2: 10, early: 50 min }
  - wait: 1 min
  - observe: { station: S1, so2: 60 }
    times: 3
    every: 1 min
  - expect: [ alert: { r: S1 } ]",
    );
    // A correction of the newest value counts.
    check(
        "when: {observation: so2, above: 50}\nalert: {level: red, MESSAGE}",
        "
  - observe: { station: S1, so2: 60 }
  - observe: { station: S1, so2: 40 }
  - expect: [ alert: { r: S1, active: false } ]",
    );
}

#[test]
fn only_things_on_record_that_match() {
    let rule =
        "only: {kind: [gas]}\nwhen: {observation: so2, above: 50}\nalert: {level: red, MESSAGE}";
    check(
        rule,
        "
  - observe: { station: S2, so2: 60 }
  - observe: { station: S9, so2: 60 }
  - expect: [ alerts: 0 ]
  - record: { station: S9, kind: gas }
  - wait: 1 min
  - observe: { station: S9, so2: 60 }
  - expect: [ alert: { r: S9, active: true } ]
  - record: { station: S9, kind: water }
  - expect: [ alert: { r: S9, active: false } ]",
    );
    check(
        rule,
        "
  - observe: { station: S1, so2: 60 }
  - end: { station: S1 }
  - expect: [ alert: { r: S1, active: false } ]",
    );
}

#[test]
fn limits_of_records_and_classes() {
    check(
        "when: {observation: [so2, nox], above: {register: emission_limit, key: '{thing}:{property}', field: limit, or: 80}}\n\
         alert: {level: red, MESSAGE}",
        "
  - record: { emission_limit: 'S1:so2', limit: 20 }
  - observe: { station: S1, so2: 30, nox: 79 }
  - expect:
    - alert: { r: S1, property: so2, limit: 20 }
    - alerts: 1
  - record: { emission_limit: 'S1:so2', limit: 30 }
  - wait: 1 min
  - observe: { station: S1, so2: 30, nox: 81 }
  - expect:
    - alert: { r: S1, property: so2, active: false }
    - alert: { r: S1, property: nox, limit: 80 }",
    );
    check(
        "when: {observation: so2, above: {register: emission_limit, key: '{thing}', field: limit}}\nalert: {level: red, MESSAGE}",
        "
  - observe: { station: S1, so2: 9999 }
  - expect: [ alerts: 0 ]",
    );
    check(
        "when: {observation: [so2, nox], above: {threshold: class}}\nalert: {level: red, MESSAGE}",
        "
  - observe: { station: S1, so2: 51, nox: 9999 }
  - observe: { station: S2, so2: 51 }
  - expect:
    - alert: { r: S1, property: so2, limit: 50 }
    - alerts: 1
  - record: { station: S2, class: boiler }
  - wait: 1 min
  - observe: { station: S2, so2: 51 }
  - expect: [ alert: { r: S2, limit: 50 } ]",
    );
}

#[test]
fn only_in_its_hours() {
    let rule = "when: {observation: so2, above: 50, for: 10 min, while: {from: '22:00', to: '06:00'}}\nalert: {level: red, MESSAGE}";
    check(
        rule,
        "
  - observe: { station: S1, so2: 60 }
    times: 590
    every: 1 min
  - expect: [ alerts: 0 ]
  - observe: { station: S1, so2: 60 }
    times: 30
    every: 1 min
  - expect: [ alert: { r: S1, since: 2026-01-10T22:00, active: true } ]
  - observe: { station: S1, so2: 60 }
    times: 480
    every: 1 min
  - expect: [ alert: { r: S1, active: false } ]",
    );
    // The clock alone does not raise what would have to hold beyond the hours.
    check(
        rule,
        "
  - wait: 1075 min
  - observe: { station: S1, so2: 60 }
  - wait: 1 h
  - expect: [ alerts: 0 ]",
    );
}

#[test]
fn below_a_limit() {
    check(
        "when: {observation: power, below: 5 kW, hysteresis: 20 %}\nalert: {levels: {yellow: 1, red: 2}, MESSAGE}",
        "
  - observe: { station: S1, power: 4 }
  - expect: [ alert: { r: S1, level: yellow, value: 4 } ]
  - wait: 1 min
  - observe: { station: S1, power: 0 }
  - expect: [ alert: { r: S1, level: red, value: 0 } ]
  - wait: 1 min
  - observe: { station: S1, power: 5.5 }
  - expect: [ alert: { r: S1, active: true } ]
  - wait: 1 min
  - observe: { station: S1, power: 6 }
  - expect: [ alert: { r: S1, active: false } ]",
    );
}

#[test]
fn the_same_value_again_and_again() {
    let rule = "when: {observation: so2, constant: {for: 3 h, at_least: 12}}\nalert: {level: yellow, MESSAGE}\nclose: manual";
    check(
        rule,
        "
  - observe: { station: S1, so2: 20.4 }
    times: 12
    every: 16 min
  - expect: [ alerts: 0 ]
  - observe: { station: S1, so2: 20.4 }
  - expect: [ alert: { r: S1, since: 2026-01-10T12:00, value: 20.4 } ]
  - wait: 16 min
  - observe: { station: S1, so2: 20.5 }
  - expect: [ alert: { r: S1, active: false, state: open } ]",
    );
    // Zero is nothing to suspect; few values are too few; duplicates count once.
    check(
        rule,
        "
  - observe: { station: S1, so2: 0 }
    times: 100
    every: 10 min
  - observe: { station: S2, so2: 7 }
    times: 5
    every: 1 h
  - observe: { station: S2, so2: 7 }
    times: 20
  - expect: [ alerts: 0 ]",
    );
}

#[test]
fn a_jump() {
    let rule = "when: {observation: so2, change: {over: 10 min, by: 50 %}}\nalert: {levels: {blue: 1, red: 4}, MESSAGE}";
    check(
        rule,
        "
  - observe: { station: S1, so2: 100 }
  - wait: 5 min
  - observe: { station: S1, so2: 120 }
  - wait: 4 min
  - expect: [ alerts: 0 ]
  - observe: { station: S1, so2: 150 }
  - expect: [ alert: { r: S1, level: blue, value: 150, limit: 100 } ]
  - wait: 11 min
  - observe: { station: S1, so2: 151 }
  - expect: [ alert: { r: S1, active: false } ]
  - wait: 1 min
  - observe: { station: S1, so2: 500 }
  - expect: [ alert: { r: S1, level: red, active: true } ]",
    );
    check(
        "when: {observation: so2, change: {over: 10 min, by: 30 mg/m³}}\nalert: {level: blue, MESSAGE}",
        "
  - observe: { station: S1, so2: 100 }
  - wait: 9 min
  - observe: { station: S1, so2: 71 }
  - wait: 10 min
  - observe: { station: S1, so2: 50 }
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - observe: { station: S1, so2: 20 }
  - expect: [ alert: { r: S1, value: 20, limit: 50 } ]",
    );
}

const SILENT: &str =
    "only: {kind: [gas]}\nwhen: {absent: 30 min}\nalert: {levels: {blue: 1, yellow: 4}, MESSAGE}";

#[test]
fn silence() {
    check(
        SILENT,
        "
  - observe: { station: S1, so2: 1 }
    times: 3
    every: 20 min
  - wait: 9 min
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - expect: [ alert: { r: S1, level: blue, since: 2026-01-10T12:40 } ]
  - wait: 89 min
  - expect: [ alert: { r: S1, level: blue } ]
  - wait: 1 min
  - expect: [ alert: { r: S1, level: yellow, active: true } ]
  - observe: { station: S1, so2: 1, flag: D, late: 9 h }
  - expect: [ alert: { r: S1, active: false } ]
  - wait: 30 min
  - expect: [ alerts: 2 ]
  - observe: { station: S2, so2: 1 }
  - wait: 1 d
  - expect: [ alerts: 2 ]",
    );
}

#[test]
fn a_thing_never_heard_of_is_silent_since_its_record_was_made() {
    check(
        SILENT,
        "
  - wait: 29 min
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - expect: [ alert: { r: S1, since: 2026-01-10T12:00, active: true } ]
  - observe: { station: S1, so2: 1 }
  - expect: [ alert: { r: S1, active: false } ]",
    );
    check(
        SILENT,
        "
  - wait: 10 min
  - end: { station: S1 }
  - wait: 2 h
  - expect: [ alerts: 0 ]",
    );
    // A device that was quarantined and silent is offline as soon as it is claimed.
    check(
        SILENT,
        "
  - observe: { station: S3, so2: 1 }
  - observe: { station: S1, so2: 1 }
    times: 4
    every: 15 min
  - record: { station: S3, kind: gas }
  - wait: 1 s
  - expect: [ alert: { r: S3, since: 2026-01-10T12:00 }, alerts: 1 ]",
    );
}

#[test]
fn several_together() {
    let rule = "when:\n  for: 10 min\n  all:\n    - {observation: power, above: 50 kW}\n    - {observation: nox, below: 5}\n\
                alert: {level: orange, MESSAGE}";
    check(
        rule,
        "
  - observe: { station: S1, power: 60 }
  - wait: 3 min
  - observe: { station: S1, nox: 1 }
  - wait: 9 min
  - observe: { station: S1, power: 61, nox: 1 }
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - observe: { station: S1, power: 62, nox: 1 }
  - expect: [ alert: { r: S1, value: 61, limit: 50, since: 2026-01-10T12:03 } ]
  - wait: 1 min
  - observe: { station: S1, power: 10 }
  - expect: [ alert: { r: S1, active: false } ]",
    );
    // The values of one row belong together.
    check(
        "when:\n  all:\n    - {observation: power, above: 50}\n    - {observation: nox, below: 5}\n\
         alert: {level: orange, MESSAGE}",
        "
  - observe: { station: S1, power: 10, nox: 1 }
  - wait: 1 min
  - observe: { station: S1, power: 60, nox: 100 }
  - expect: [ alerts: 0 ]
  - wait: 1 min
  - observe: { station: S1, power: 60, nox: 1 }
  - expect: [ alerts: 1 ]",
    );
    // A part that has fallen silent says nothing about now.
    check(
        rule,
        "
  - observe: { station: S1, nox: 1 }
  - wait: 16 min
  - observe: { station: S1, power: 60 }
    times: 12
    every: 1 min
  - expect: [ alerts: 0 ]",
    );
}

#[test]
fn nobody_looks() {
    check(
        "when: {observation: so2, above: 50}\nalert: {level: yellow, MESSAGE}\nescalate: {after: 30 min, to: duty}",
        "
  - observe: { station: S1, so2: 60 }
  - wait: 29 min
  - expect: [ alert: { r: S1, level: yellow } ]
  - wait: 1 min
  - expect: [ alert: { r: S1, level: orange, escalated_to: duty } ]
  - wait: 1 d
  - expect: [ alert: { r: S1, level: orange } ]",
    );
}

#[test]
fn messages_are_filled_in() {
    let declared = declared(&[("r", ABOVE)]);
    let text = "given: {clock: 2026-01-10T12:00+08:00, records: [{station: S1}]}\n\
                steps: [{observe: {station: S1, so2: 60.04}}, {wait: 11 min}]\nexpect: []\n";
    let alerts = scenario::run(&declared, "scenario", text).unwrap();
    assert_eq!(
        alerts[0].message.zh,
        "S1的二氧化硫为60mg/m³，限值50，10 分钟"
    );
    assert_eq!(alerts[0].message.en, "60 mg/m³ of S1");
    assert_eq!(alerts[0].unit, "mg/m³");
}

#[test]
fn faults_of_a_scenario_have_their_lines() {
    let declared = declared(&[("r", ABOVE)]);
    let text = "given: {clock: noon}\nsteps:\n  - observe: { station: S1, so3: 1 }\n  - wiat: 1 min\n\
                expect:\n  - alert: { r: S1 }\n  - alert: { q: S1 }\n  - alerts: 3\n";
    let problems = scenario::run(&declared, "f.yaml", text).unwrap_err();
    let found: Vec<(&str, &str)> = problems
        .iter()
        .map(|p| (p.at.as_str(), p.words.en.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("f.yaml:1", "this is no instant"),
            ("f.yaml:3", "there is no property or register \"so3\""),
            (
                "f.yaml:4",
                "unknown key \"wiat\": expected observe, wait, record, end, expect"
            ),
            ("f.yaml:6", "there is no such alert; there are: "),
            ("f.yaml:7", "there is no rule \"q\""),
            ("f.yaml:8", "there are 0 alerts: "),
        ]
    );
}
