//! The same answers as roles gave before policies were compiled: the old engine is kept here, and
//! random questions are put to both.

use crate::{actor, declared, engine};
use kernel::ManualClock;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::declare::{Declared, GrantDecl, RoleDecl};
use policy::Engine;
use proptest::prelude::*;
use std::sync::Arc;

/// Does a grant on `granted` cover `object`? `register.*` covers every register.
fn covers(granted: &str, object: &str) -> bool {
    match granted.strip_suffix(".*") {
        Some(kind) => object
            .strip_prefix(kind)
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')),
        None => granted == object,
    }
}

/// The policy of before.
struct RolePolicy(Vec<RoleDecl>);

impl Policy for RolePolicy {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        let mut would = vec![];
        for role in &self.0 {
            let grant = role.may.iter().find(|grant| {
                grant.verbs.contains(&verb) && grant.objects.iter().any(|o| covers(o, object))
            });
            match grant {
                Some(grant) if actor.roles.contains(&role.name) => {
                    return Decision::Allowed {
                        role: role.name.clone(),
                        purpose: grant.purpose.clone(),
                        basis: grant.basis.clone(),
                    };
                }
                Some(_) => would.push(role.name.clone()),
                None => {}
            }
        }
        Decision::denied(would)
    }
}

const OBJECTS: [&str; 8] = [
    "alerts",
    "devices",
    "register.site",
    "register.person",
    "register.*",
    "system",
    "accounts",
    "metrics",
];
const ASKED: [&str; 10] = [
    "alerts",
    "devices",
    "register.site",
    "register.person",
    "register.other",
    "system",
    "registers",
    "register.",
    "register",
    "nothing",
];

fn verb() -> impl Strategy<Value = Verb> {
    (0..Verb::ALL.len()).prop_map(|n| Verb::ALL[n])
}

fn grants() -> impl Strategy<Value = Vec<GrantDecl>> {
    let verbs = proptest::collection::vec(verb(), 0..4);
    let objects = proptest::collection::vec(0..OBJECTS.len(), 0..4);
    let grant = (verbs, objects, 0..3u8).prop_map(|(verbs, objects, purpose)| GrantDecl {
        verbs,
        objects: objects
            .into_iter()
            .map(|n| OBJECTS[n].to_string())
            .collect(),
        purpose: format!("目的“{purpose}”\\\"\n"),
        basis: format!("法第{purpose}条"),
        at: "roles.yaml:1".into(),
        ..GrantDecl::default()
    });
    proptest::collection::vec(grant, 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn answers_are_those_of_before(
        roles in proptest::collection::vec(grants(), 1..4),
        asked in proptest::collection::vec((proptest::collection::vec(0..5usize, 0..3), verb(), 0..ASKED.len()), 1..30),
    ) {
        let mut town: Declared = declared(&[]);
        town.city.roles = roles
            .into_iter()
            .enumerate()
            .map(|(n, may)| RoleDecl { name: format!("r{n}"), title: Default::default(), may, second_factor: false })
            .collect();
        for system in &mut town.systems {
            system.roles.clear();
        }
        let before = RolePolicy(town.roles());
        let now = Engine::new(Arc::new(ManualClock::new(crate::START)), &town).unwrap();
        for (names, verb, object) in asked {
            let names: Vec<String> = names.iter().map(|n| format!("r{n}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let actor = actor("x", &names);
            let object = ASKED[object];
            prop_assert_eq!(before.may(&actor, verb, object), now.may(&actor, verb, object), "{} {}", verb.word(), object);
        }
    }
}

#[test]
fn nothing_is_allowed_that_no_grant_names() {
    let policy = engine(&[]);
    let check = |roles: &[&str], verb, object, expect: Result<&str, &[&str]>| {
        let found = match policy.may(&actor("x", roles), verb, object) {
            Decision::Allowed { role, .. } => Ok(role),
            Decision::Denied { would, .. } => Err(would),
        };
        let expect = expect
            .map(String::from)
            .map_err(|w| w.iter().map(|r| r.to_string()).collect::<Vec<_>>());
        assert_eq!(found, expect, "{roles:?} {verb:?} {object}");
    };
    check(&["duty"], Verb::Read, "alerts", Ok("duty"));
    check(&["duty"], Verb::Write, "alerts", Err(&[]));
    check(&["duty"], Verb::Read, "register.lamp", Ok("duty"));
    check(&["duty"], Verb::Write, "register.lamp", Err(&[]));
    check(&["duty"], Verb::Operate, "accounts", Err(&["operator"]));
    check(&["operator"], Verb::Operate, "accounts", Ok("operator"));
    check(
        &["duty", "operator"],
        Verb::Operate,
        "accounts",
        Ok("operator"),
    );
    check(&["nobody"], Verb::Read, "alerts", Err(&["duty"]));
    check(&[], Verb::Read, "", Err(&[]));
    check(&[], Verb::Read, "register.*", Err(&[]));
    let machine = policy.may(&Actor::system(), Verb::Read, "alerts");
    assert_eq!(machine, Decision::denied(vec!["duty".into()]));
    let fault = policy
        .demand(&actor("x", &["duty"]), Verb::Operate, "accounts")
        .unwrap_err();
    assert_eq!((fault.code, fault.status()), ("access.denied", 403));
    // In plain words: what, and whom to ask by the title of the role.
    let fault = policy
        .demand(&actor("x", &[]), Verb::Handle, "alerts")
        .unwrap_err();
    assert_eq!(fault.words.zh, "您没有权限办理告警；可联系：值班、检查员");
    assert_eq!(
        fault.words.en,
        "you may not handle alerts; who may: Duty, Inspector"
    );
    let list: Vec<String> = policy
        .may_list(&actor("x", &["duty"]))
        .iter()
        .map(|(verb, object)| format!("{} {object}", verb.word()))
        .collect();
    assert_eq!(list, ["read alerts", "read register.*", "handle alerts"]);
    assert!(policy.may_list(&actor("x", &[])).is_empty());
}
