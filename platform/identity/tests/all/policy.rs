//! Policy: denied unless granted, roles of several systems joined, and reasons given.

use crate::{declared, house};
use identity::RolePolicy;
use kernel::access::{Actor, Decision, Policy, Verb};
use testkit::each_store;

fn actor(roles: &[&str]) -> Actor {
    Actor {
        account: "x".into(),
        display: "x".into(),
        roles: roles.iter().map(|r| r.to_string()).collect(),
        ..Actor::default()
    }
}

#[test]
fn nothing_is_allowed_that_no_grant_names() {
    let policy = RolePolicy::new(&declared());
    let check = |roles: &[&str], verb, object, expect: Result<&str, &[&str]>| {
        let found = match policy.may(&actor(roles), verb, object) {
            Decision::Allowed { role, .. } => Ok(role),
            Decision::Denied { would } => Err(would),
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
    check(&["operator"], Verb::Read, "devices", Ok("operator"));
    check(&["operator"], Verb::Operate, "accounts", Ok("operator"));
    check(&["operator"], Verb::Handle, "alerts", Err(&["duty"]));
    check(
        &["duty", "operator"],
        Verb::Operate,
        "system",
        Ok("operator"),
    );
    check(&["nobody"], Verb::Read, "alerts", Err(&["duty"]));
    check(&[], Verb::Read, "", Err(&[]));
    let machine = policy.may(&Actor::system(), Verb::Read, "alerts");
    assert_eq!(
        machine,
        Decision::Denied {
            would: vec!["duty".into()]
        }
    );
    let fault = policy
        .demand(&actor(&["duty"]), Verb::Operate, "system")
        .unwrap_err();
    assert_eq!((fault.code, fault.status()), ("access.denied", 403));
    let list: Vec<String> = policy
        .may_list(&actor(&["duty"]))
        .iter()
        .map(|(verb, object)| format!("{} {object}", verb.word()))
        .collect();
    assert_eq!(list, ["read alerts", "read register.*", "handle alerts"]);
    assert!(policy.may_list(&actor(&[])).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_can_be_explained() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let explain = house
            .engine
            .explain("liming", Verb::Handle, "alerts")
            .await
            .unwrap();
        let Decision::Allowed { purpose, basis, .. } = explain else {
            panic!("{explain:?}");
        };
        assert_eq!(
            (purpose.as_str(), basis.as_str()),
            ("值守", "大气污染防治法第三十条")
        );
        let missing = house
            .engine
            .explain("nobody", Verb::Read, "alerts")
            .await
            .unwrap_err();
        assert_eq!(missing.code, "input.not_found");
    })
    .await;
}
