//! Files in the Cedar language: what they can say, and every fault with file and line.

use crate::{ROLES, actor, engine, faults, files, seated, site};
use kernel::access::{Decision, Missing, Policy, Verb};
use kernel::facts::Filter;
use proptest::prelude::*;

const GOOD: &str = r#"// Large sites only in daylight.
@purpose("巡查") @basis("法八")
permit (
  principal in Role::"citizen",
  action == Action::"read",
  resource is register::site
) when { resource.fields has size && resource.fields.size < 10 && !(resource.fields has note) };

forbid (
  principal,
  action in [Action::"read", Action::"write"],
  resource is register::site
) when { resource.fields has area && resource.fields.area == "130102" }
unless { principal in Role::"duty" };
"#;

#[test]
fn conditions_and_prohibitions_hold() {
    let policy = engine(&[("more.cedar", GOOD)]);
    let citizen = actor("c", &["citizen"]);
    let mut facts = site("s", "o1");
    let may = |facts: &_| policy.may_this(&citizen, Verb::Read, "register.site", facts);
    match may(&facts) {
        Decision::Allowed {
            role,
            purpose,
            basis,
        } => {
            assert_eq!(
                (role.as_str(), purpose.as_str(), basis.as_str()),
                ("citizen", "巡查", "法八")
            );
        }
        denied => panic!("{denied:?}"),
    }
    facts.fields.insert("size".into(), 10.into());
    let Decision::Denied { missing, .. } = may(&facts) else {
        panic!("allowed")
    };
    assert_eq!(
        missing,
        [Missing::Condition("systems/s/access/more.cedar:2".into())]
    );
    // The prohibition, for those the other grants allow.
    let chief = seated("b", &["chief"], &["o1"], &["o1"]);
    let mut there = site("s", "o1");
    there.fields.insert("area".into(), "130102".into());
    let may = |who, facts: &_| policy.may_this(who, Verb::Read, "register.site", facts);
    assert!(may(&chief, &site("s", "o1")).allowed());
    let Decision::Denied { missing, .. } = may(&chief, &there) else {
        panic!("allowed")
    };
    assert_eq!(
        missing,
        [Missing::Condition("systems/s/access/more.cedar:9".into())]
    );
    assert!(may(&actor("d", &["duty"]), &there).allowed());
    let Filter::Where(narrowing) = policy.filter(&chief, Verb::Read, "register.site") else {
        panic!("not narrowed");
    };
    assert!(narrowing.holds(&site("s", "o1")) && !narrowing.holds(&there));
}

#[test]
fn what_cannot_be_said_of_fields_asks_about_each_record() {
    let text = r#"@purpose("x") @basis("y") permit (principal in Role::"citizen", action == Action::"read",
        resource is register::site) when { resource.fields has note && resource.fields.note like "公开*" };"#;
    let policy = engine(&[("more.cedar", text)]);
    assert_eq!(
        policy.filter(&actor("c", &["citizen"]), Verb::Read, "register.site"),
        Filter::Ask
    );
}

#[test]
fn every_fault_comes_with_file_and_line() {
    let check = |name: &str, text: &str, expect: &[(usize, &str)]| {
        let found = faults(ROLES, &[(name, text)]);
        assert_eq!(found.len(), expect.len(), "{found:#?}");
        for (line, word) in expect {
            let at = format!("systems/s/access/{name}:{line}: ");
            assert!(
                found.iter().any(|f| f.starts_with(&at) && f.contains(word)),
                "{line} {word}: {found:#?}"
            );
        }
    };
    check("good.cedar", GOOD, &[]);
    check(
        "a.cedar",
        "permit (principal, action, resource);",
        &[(1, "@purpose"), (1, "@basis")],
    );
    check(
        "b.cedar",
        "\n\npermit (principal, actio, resource);",
        &[(3, "actio")],
    );
    check(
        "c.cedar",
        "@purpose(\"p\") @basis(\"b\")\npermit (principal in Role::\"clerk\", action, resource is alerts)\nwhen { principal.wealth > 3 };\n\n\
         forbid (principal in Role::\"ghost\", action, resource)\nwhen { principal.proofing == \"high\" };",
        &[(3, "wealth"), (5, "ghost"), (6, "")],
    );
    check(
        "d.cedar",
        "forbid (principal, action == Action::\"steal\", resource);\nforbid (principal, action, resource is moons);",
        &[(1, "steal"), (2, "moons")],
    );
    check(
        "e.cedar",
        "permit (principal == ?principal, action, resource);",
        &[(1, "template")],
    );
    // Kinds of which no single record is known have nothing to ask about.
    check(
        "f.cedar",
        "forbid (principal, action, resource is metrics) when { resource.owner == \"o1\" };",
        &[(1, "owner")],
    );
}

#[test]
fn grants_that_make_no_sense_are_refused() {
    let check = |grant: &str, word: &str| {
        let roles =
            format!("roles:\n  r:\n    title: {{zh: 角, en: R}}\n    may:\n      - {grant}\n");
        let found = faults(&roles, &[]);
        let at = "systems/s/access/roles.yaml:5: ";
        assert!(
            found.iter().any(|f| f.starts_with(at) && f.contains(word)),
            "{grant}: {found:#?}"
        );
    };
    check(
        "{do: [read], on: [metrics], scope: own, purpose: p, basis: b}",
        "metrics",
    );
    check(
        "{do: [read], on: [register.site], scope: own_person, purpose: p, basis: b}",
        "person",
    );
    check(
        "{do: [read], on: [register.site], scope: handling, purpose: p, basis: b}",
        "handler",
    );
    check(
        "{do: [read], on: [register.person], fields: [area], purpose: p, basis: b}",
        "area",
    );
    check(
        "{do: [read], on: [register.site], scope: mine, purpose: p, basis: b}",
        "mine",
    );
    check(
        "{do: [read], on: [register.site], level: 4, purpose: p, basis: b}",
        "level",
    );
    check(
        "{do: [read], on: [register.site], colour: red, purpose: p, basis: b}",
        "colour",
    );
}

#[test]
fn nesting_without_end_is_refused_and_does_not_break_the_check() {
    for text in [
        format!(
            "permit (principal, action, resource) when {{ {}true{} }};",
            "(".repeat(20_000),
            ")".repeat(20_000)
        ),
        format!(
            "permit (principal, action, resource) when {{ {}true }};",
            "!".repeat(50_000)
        ),
        "[".repeat(100_000),
        format!(
            "permit (principal, action, resource) when {{ {}true }};",
            "true && ".repeat(20_000)
        ),
        format!(
            "permit (principal, action, resource) when {{ {}true }};",
            "if true then true else ".repeat(5_000)
        ),
        format!(
            "permit (principal, action, resource) when {{ resource{} }};",
            ".a".repeat(50_000)
        ),
    ] {
        assert!(!faults(ROLES, &[("deep.cedar", &text)]).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in a file, `check` answers.
    #[test]
    fn any_text_is_answered(
        pieces in proptest::collection::vec(
            prop_oneof![
                Just("permit ("), Just("forbid ("), Just("principal"), Just(", action"), Just(", resource"), Just(");"),
                Just(" when { "), Just(" unless { "), Just(" }"), Just("resource.fields.size"), Just(" < 3"), Just(" && "),
                Just("@purpose(\"x\")"), Just("@basis(\"y\")"), Just(" in Role::\"duty\""), Just(" is register::site"),
                Just("\""), Just("\\u{1F600}"), Just("("), Just("["), Just("张三"), Just("\n"), Just("9223372036854775808"),
                Just("?principal"), Just("if "), Just(" then "), Just(" else "), Just(".contains("), Just("like \"*\""),
            ],
            0..30,
        ),
        noise in "\\PC{0,20}",
    ) {
        let text = format!("{}{noise}", pieces.concat());
        let (declared, _) = kernel::declare::check::load_all(&files(ROLES, &[("any.cedar", &text)]));
        let _ = policy::check(&declared);
    }
}

/// On sixteen megabytes, since frames of a debug build are some ten times those of a release.
#[test]
fn the_longest_policies_allowed_are_answered() {
    let thread = std::thread::Builder::new().stack_size(16 << 20);
    thread.spawn(longest).unwrap().join().unwrap();
}

fn longest() {
    for condition in [
        format!("{}true", "true && ".repeat(125)),
        format!("{}true", "principal.second_factor || ".repeat(75)),
        format!("{}true", "resource.fields has size && ".repeat(52)),
        format!("{}true{}", "(".repeat(55), ")".repeat(55)),
    ] {
        let text = format!(
            "@purpose(\"x\") @basis(\"y\") permit (principal in Role::\"citizen\", action, resource is register::site)\n\
             when {{ {condition} }} when {{ resource.fields has open }};"
        );
        let policy = engine(&[("long.cedar", &text)]);
        let citizen = actor("c", &["citizen"]);
        let decision = policy.may_this(&citizen, Verb::Read, "register.site", &site("s", "o1"));
        assert!(decision.allowed(), "{condition:.60} {decision:?}");
        assert!(matches!(
            policy.filter(&citizen, Verb::Read, "register.site"),
            Filter::Where(_)
        ));
    }
}
