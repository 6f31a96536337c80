//! Lists agree with single decisions: for random people, policies and records, the condition a
//! list is narrowed by lets through exactly the records the policy allows one by one.

use crate::{declared, engine};
use kernel::access::{Actor, Party, Policy, Standing, Tie, Verb};
use kernel::facts::{Facts, Filter};
use proptest::prelude::*;
use serde_json::{Map, Value};

const CEDAR: &str = r#"
@purpose("a") @basis("b")
permit (principal in Role::"f1", action == Action::"read", resource is register::site)
when { resource.fields has size && (resource.fields.size >= 3 || resource.fields.size < 1) };
@purpose("a") @basis("b")
permit (principal in Role::"f2", action == Action::"read", resource is register::site)
when { if resource.fields has open then resource.fields.open else resource.fields has area };
@purpose("a") @basis("b")
permit (principal in Role::"f3", action == Action::"read", resource is register::site)
when { principal has organisation && resource has owner && principal.organisation == resource.owner }
unless { resource.fields has area && ["a1", "a2"].contains(resource.fields.area) };
@purpose("a") @basis("b")
permit (principal in Role::"f4", action == Action::"read", resource == register::site::"k1");
forbid (principal, action == Action::"read", resource is register::site)
when { resource.fields has area && resource.fields.area != "a0" && principal.proofing < 2 };
forbid (principal, action, resource is register::site)
when { resource.fields.code == "k3" } unless { principal.second_factor };
"#;

const ROLES: [&str; 9] = [
    "duty",
    "inspector",
    "chief",
    "clerk",
    "citizen",
    "f1",
    "f2",
    "f3",
    "f4",
];

fn some(of: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    proptest::option::of((0..of.len()).prop_map(move |n| of[n].to_string()))
}

fn list(of: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec((0..of.len()).prop_map(move |n| of[n].to_string()), 0..most)
}

fn who() -> impl Strategy<Value = Actor> {
    let orgs = &["o1", "o2", "o3", "o4"];
    (
        (
            some(&["wang", "li"]),
            list(&ROLES, 4),
            some(orgs),
            list(orgs, 3),
            list(orgs, 4),
        ),
        (
            some(&["p1", "p2"]),
            0..4u8,
            list(&["pwd", "otp"], 3),
            some(&["p1", "wang"]),
            some(&["受理", "a", "好奇"]),
        ),
    )
        .prop_map(
            |(
                (account, roles, organisation, own, scope),
                (person, proofing, factors, party, purpose),
            )| Actor {
                account: account.unwrap_or_default(),
                roles,
                organisation,
                standing: Standing {
                    organisations: own,
                    scope: scope.into(),
                    person,
                    proofing,
                    factors,
                    purpose,
                    acts_for: party.map(|party| Party {
                        tie: if party == "wang" {
                            Tie::Delegation
                        } else {
                            Tie::Guardian
                        },
                        party,
                        display: String::new(),
                        document: "d".into(),
                    }),
                    ..Standing::default()
                },
                ..Actor::default()
            },
        )
}

fn record() -> impl Strategy<Value = (Map<String, Value>, Map<String, Value>)> {
    let code = some(&["k1", "k2", "k3"]);
    let area = some(&["a0", "a1", "a2"]);
    let size = proptest::option::of(0..5i64);
    let open = proptest::option::of(any::<bool>());
    (
        code,
        some(&["o1", "o2", "o3", "o4"]),
        area,
        size,
        open,
        some(&["p1", "p2"]),
        some(&["wang", "li"]),
    )
        .prop_map(|(code, org, area, size, open, id, clerk)| {
            let (mut site, mut person) = (Map::new(), Map::new());
            let put = |of: &mut Map<String, Value>, name: &str, value: Option<Value>| {
                of.extend(value.map(|v| (name.to_string(), v)));
            };
            let code = code.unwrap_or("k2".into());
            put(&mut site, "code", Some(code.into()));
            put(&mut site, "org", org.map(Value::from));
            put(&mut site, "area", area.clone().map(Value::from));
            put(&mut site, "size", size.map(Value::from));
            put(&mut site, "open", open.map(Value::from));
            put(&mut person, "id", Some(id.unwrap_or("p9".into()).into()));
            put(&mut person, "area", area.map(Value::from));
            put(&mut person, "clerk", clerk.map(Value::from));
            (site, person)
        })
}

#[test]
fn filters_agree_with_decisions() {
    let roles: String = ["f1", "f2", "f3", "f4"]
        .map(|r| format!("  {r}:\n    title: {{zh: 角, en: R}}\n    may: []\n"))
        .concat();
    let mut files = crate::files(&format!("{}{roles}", crate::ROLES), &[("all.cedar", CEDAR)]);
    files.retain(|_, text| !text.is_empty());
    let town = kernel::declare::check::load(&files).unwrap();
    let clock = std::sync::Arc::new(kernel::ManualClock::new(crate::START));
    let policy = policy::Engine::new(clock, &town).unwrap();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(600));
    let (narrowed, decided) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let outcome = runner.run(
        &(who(), proptest::collection::vec(record(), 1..8)),
        |(who, records)| {
            for (object, register) in [("register.site", "site"), ("register.person", "person")] {
                let register = town.register(register).unwrap();
                let filter = policy.filter(&who, Verb::Read, object);
                let some = !matches!(filter, Filter::Nothing);
                prop_assert!(
                    !some || policy.may(&who, Verb::Read, object).allowed(),
                    "a route would stop what a list shows"
                );
                for (site, person) in &records {
                    let fields = if register.name == "site" {
                        site
                    } else {
                        person
                    };
                    let key = fields[&register.key].as_str().unwrap();
                    let facts = Facts::of_fields(register, key, fields);
                    let one = policy.may_this(&who, Verb::Read, object, &facts).allowed();
                    let many = match &filter {
                        Filter::Everything => true,
                        Filter::Nothing => false,
                        Filter::Where(narrowing) => {
                            narrowed.set(narrowed.get() + 1);
                            narrowing.holds(&facts)
                        }
                        Filter::Ask => one,
                    };
                    decided.set(decided.get() + usize::from(one));
                    prop_assert_eq!(one, many, "{:?} {:?} {:?}", who, facts, filter);
                }
            }
            Ok(())
        },
    );
    outcome.unwrap();
    // The test is worth something only when conditions were compared and some records allowed.
    assert!(
        narrowed.get() > 500 && decided.get() > 500,
        "{} {}",
        narrowed.get(),
        decided.get()
    );
    let _ = (declared(&[]), engine(&[]));
}
