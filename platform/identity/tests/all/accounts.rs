//! Accounts: made, changed, disabled, all of it written down; and nothing slipped in.

use crate::{PASSWORD, cheap, house, new_account, open};
use identity::{AccountChange, HashCost, NewAccount, Settings};
use kernel::access::Actor;
use kernel::events::EventKind;
use std::collections::BTreeMap;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_new_account_is_named() {
    each_store(|store| async move {
        let house = house(&store).await;
        let wrong = NewAccount {
            name: "System!".into(),
            display: " ".into(),
            password: "12345678".into(),
            roles: vec!["duty".into(), "king".into()],
            organisation: Some("o9".into()),
        };
        let fault = house
            .engine
            .create(&Actor::system(), wrong)
            .await
            .unwrap_err();
        let places: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(
            places,
            ["name", "display", "roles", "organisation", "password"]
        );
        for name in ["system", "x", "1abc", "Li", "a b", "李明", "token:x", "a\n"] {
            let made = house
                .engine
                .create(&Actor::system(), new_account(name, "duty"))
                .await;
            assert_eq!(made.unwrap_err().problems[0].at, "name", "{name}");
        }
        house.make("liming", "duty").await;
        let twice = house
            .engine
            .create(&Actor::system(), new_account("liming", "duty"))
            .await;
        assert_eq!(twice.unwrap_err().code, "input.conflict");
    })
    .await;
}

#[test]
fn a_body_cannot_carry_more_than_it_may() {
    let slipped = r#"{"display": "x", "version": 9}"#;
    assert!(serde_json::from_str::<AccountChange>(slipped).is_err());
    let slipped = r#"{"name": "x", "display": "x", "password": "x", "disabled": false}"#;
    assert!(serde_json::from_str::<NewAccount>(slipped).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_count_at_once_and_are_written_down() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        let by = Actor {
            account: "boss".into(),
            ..Actor::system()
        };
        let roles = AccountChange {
            roles: Some(vec![]),
            organisation: Some(String::new()),
            ..AccountChange::default()
        };
        let changed = house
            .engine
            .change(&by, "liming", roles, Some(1))
            .await
            .unwrap();
        assert_eq!((changed.version, changed.organisation), (2, None));
        assert!(house.who(&token).await.unwrap().roles.is_empty());
        let stale = house
            .engine
            .change(&by, "liming", AccountChange::default(), Some(1))
            .await;
        assert_eq!(stale.unwrap_err().code, "input.stale");
        let disable = AccountChange {
            disabled: Some(true),
            ..AccountChange::default()
        };
        house
            .engine
            .change(&by, "liming", disable.clone(), None)
            .await
            .unwrap();
        assert_eq!(house.who(&token).await, None);
        let refused = house.sign_in("liming", PASSWORD).await.unwrap_err();
        assert_eq!(refused.code, "access.wrong_password");
        let nobody = house
            .engine
            .change(&by, "nobody", disable, None)
            .await
            .unwrap_err();
        assert_eq!(nobody.code, "input.not_found");
        let entries = house.audit().await;
        let by_boss: Vec<&str> = entries
            .iter()
            .filter(|e| e.entry.account == "boss")
            .map(|e| e.entry.verb.as_str())
            .collect();
        assert_eq!(by_boss, ["operate", "operate"]);
        assert!(
            entries
                .iter()
                .all(|e| !e.entry.details.to_string().contains("argon2"))
        );
        let events = store.events().read(0, 1 << 20).await.unwrap();
        let identity = events
            .iter()
            .filter(|e| e.kind == EventKind::Identity)
            .count();
        assert_eq!(identity, 3);
        assert!(store.audit().verify().await.unwrap().damage.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_operator_stays() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("yunwei", "operator").await;
        house.make("liming", "duty").await;
        let by = Actor::system();
        let disable = AccountChange {
            disabled: Some(true),
            ..AccountChange::default()
        };
        let strip = AccountChange {
            roles: Some(vec!["duty".into()]),
            ..AccountChange::default()
        };
        for change in [&disable, &strip] {
            let fault = house
                .engine
                .change(&by, "yunwei", change.clone(), None)
                .await;
            assert_eq!(fault.unwrap_err().code, "input.conflict");
        }
        house.make("yunwei2", "operator").await;
        house
            .engine
            .change(&by, "yunwei", disable.clone(), None)
            .await
            .unwrap();
        let last = house
            .engine
            .change(&by, "yunwei2", strip, None)
            .await
            .unwrap_err();
        assert_eq!(last.code, "input.conflict");
        house
            .engine
            .change(&by, "liming", disable, None)
            .await
            .unwrap();
        let page = house.engine.accounts("", 2).await.unwrap();
        let names: Vec<&str> = page.items.iter().map(|a| a.name.as_str()).collect();
        assert_eq!((names, page.total), (vec!["liming", "yunwei"], 3));
        let rest = house.engine.accounts(&page.next.unwrap(), 2).await.unwrap();
        assert_eq!((rest.items.len(), rest.next), (1, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn demonstration_accounts_are_made_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut passwords = BTreeMap::from([("yunwei".to_string(), PASSWORD.to_string())]);
        assert!(house.engine.ensure_demo_accounts(&passwords).await.is_err());
        passwords.insert("zhiban".into(), "another horse".into());
        let made = house.engine.ensure_demo_accounts(&passwords).await;
        assert_eq!(made.unwrap(), ["zhiban"]);
        passwords.insert("zhiban".into(), "third horse".into());
        let made = house.engine.ensure_demo_accounts(&passwords).await;
        assert!(made.unwrap().is_empty());
        let token = house.sign_in("zhiban", "another horse").await.unwrap();
        let actor = house.who(&token).await.unwrap();
        assert_eq!(
            (actor.display.as_str(), actor.organisation.as_deref()),
            ("值班员", Some("o1"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_another_cost_is_renewed_on_signing_in() {
    each_store(|store| async move {
        house(&store).await.make("liming", "duty").await;
        let dearer = Settings {
            cost: HashCost {
                memory_kib: 128,
                passes: 2,
                lanes: 1,
            },
            ..cheap()
        };
        let house = open(&store, dearer).await;
        let hash = async || {
            let mut reader = store.reader().await.unwrap();
            store::accounts::account(&mut reader, "liming")
                .await
                .unwrap()
                .unwrap()
                .password
        };
        assert!(hash().await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        house.sign_in("liming", PASSWORD).await.unwrap();
        assert!(hash().await.starts_with("$argon2id$v=19$m=128,t=2,p=1$"));
        house.sign_in("liming", PASSWORD).await.unwrap();
    })
    .await;
}
