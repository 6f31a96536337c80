//! Sessions and tokens: opened, recognised, ended; and what an attacker learns: nothing.

use crate::{PASSWORD, START, cheap, done, house, open, origin};
use identity::{HashCost, NewToken, Settings};
use kernel::access::Actor;
use kernel::{Span, Time};
use std::time::Instant;
use store::Run;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lives_and_ends() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        assert_eq!(house.who(&token).await.unwrap().roles, ["duty"]);
        assert_eq!(
            house.engine.account("liming").await.unwrap().last_sign_in,
            Some(START)
        );
        // Idle.
        house.wait(Span::minutes(119));
        assert!(house.who(&token).await.is_some());
        house.wait(Span::minutes(119));
        assert!(
            house.who(&token).await.is_some(),
            "used two hours before, not more"
        );
        house.wait(Span::minutes(120));
        assert!(house.who(&token).await.is_none());
        // At most twelve hours, however busy.
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        for _ in 0..11 {
            house.wait(Span::hours(1));
            assert!(house.who(&token).await.is_some());
            house.engine.tidy().await.unwrap();
        }
        house.wait(Span::hours(1));
        assert!(house.who(&token).await.is_none());
        assert_eq!(house.engine.tidy().await.unwrap(), 1);
        // Signed out.
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        house.engine.sign_out(&token).await.unwrap();
        assert!(house.who(&token).await.is_none());
        house.engine.sign_out(&token).await.unwrap();
        for forged in [
            "",
            "jcs_",
            "x",
            &format!("jcs_{}", "0".repeat(64)),
            "jcs_' OR 1=1",
        ] {
            assert!(house.who(forged).await.is_none(), "{forged}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_use_survives_in_memory_and_in_the_store() {
    each_store(|store| async move {
        let first = house(&store).await;
        first.make("liming", "duty").await;
        let token = first.sign_in("liming", PASSWORD).await.unwrap();
        first.wait(Span::minutes(100));
        assert!(first.who(&token).await.is_some());
        first.engine.tidy().await.unwrap();
        let second = house(&store).await;
        second.wait(Span::minutes(200));
        assert!(second.who(&token).await.is_some());
        let sessions = second.engine.sessions("liming").await.unwrap();
        assert_eq!(sessions[0].last_used, START + Span::minutes(200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_bounded_and_revoked() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let mut tokens = vec![];
        for _ in 0..4 {
            house.wait(Span::seconds(1));
            tokens.push(house.sign_in("liming", PASSWORD).await.unwrap());
        }
        assert!(house.who(&tokens[0]).await.is_none(), "three at most");
        let sessions = house.engine.sessions("liming").await.unwrap();
        assert_eq!(sessions.len(), 3);
        assert_eq!(
            (sessions[0].address.as_str(), sessions[0].agent.as_str()),
            ("10.0.0.1", "test")
        );
        let by = Actor::system();
        house
            .engine
            .revoke(&by, "liming", &sessions[0].id)
            .await
            .unwrap();
        assert!(house.who(&tokens[3]).await.is_none());
        let foreign = house
            .engine
            .revoke(&by, "wang", &sessions[1].id)
            .await
            .unwrap_err();
        assert_eq!(foreign.code, "input.not_found");
        assert!(house.who(&tokens[2]).await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_the_password_ends_the_other_sessions() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let other = house.sign_in("liming", PASSWORD).await.unwrap();
        let mine = house.sign_in("liming", PASSWORD).await.unwrap();
        let here = origin("10.0.0.1");
        let change =
            async |old: &str, new: &str| house.engine.change_password(&mine, old, new, &here).await;
        let weak = change(PASSWORD, "password").await.unwrap_err();
        assert_eq!(
            (weak.code, weak.problems[0].at.as_str()),
            ("input.invalid", "new")
        );
        let wrong = change("wrong horse", "battery staple").await.unwrap_err();
        assert_eq!((wrong.code, wrong.status()), ("access.wrong_password", 422));
        assert!(house.who(&other).await.is_some());
        let renewed = change(PASSWORD, "battery staple").await.unwrap();
        assert!(house.who(&other).await.is_none());
        assert!(
            house.who(&mine).await.is_none(),
            "a copied secret is worth nothing"
        );
        assert!(house.who(&renewed.token).await.is_some());
        assert!(house.sign_in("liming", PASSWORD).await.is_err());
        house.sign_in("liming", "battery staple").await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_which_accounts_exist() {
    each_store(|store| async move {
        // A hash dear enough that leaving it out would show.
        let settings = Settings {
            cost: HashCost {
                memory_kib: 8192,
                passes: 2,
                lanes: 1,
            },
            ..cheap()
        };
        let house = open(&store, settings).await;
        house.make("liming", "duty").await;
        let mut faults = vec![];
        let mut fastest = [u128::MAX; 2];
        // The fastest of many, taken in turns: what else the machine does slows either.
        for _ in 0..5 {
            for (number, name) in ["liming", "nobody"].into_iter().enumerate() {
                let begun = Instant::now();
                faults.push(house.sign_in(name, "wrong horse").await.unwrap_err());
                fastest[number] = fastest[number].min(begun.elapsed().as_micros());
            }
        }
        assert!(faults.iter().all(|fault| *fault == faults[0]));
        assert_eq!(
            (faults[0].code, faults[0].status()),
            ("access.wrong_password", 401)
        );
        assert!(
            fastest[1] * 2 > fastest[0],
            "known {}, unknown {} µs",
            fastest[0],
            fastest[1]
        );
        let subjects: Vec<String> = house
            .audit()
            .await
            .into_iter()
            .map(|e| e.entry.subject)
            .collect();
        assert!(
            !subjects.contains(&"nobody".to_string()),
            "may be a mistyped password"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_delays_the_guesser_and_nobody_else() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let mut wait = None;
        for _ in 0..20 {
            let fault = house.sign_in("liming", "wrong horse").await.unwrap_err();
            if fault.code == "access.locked" {
                assert_eq!(fault.status(), 429);
                wait = fault.retry_after_s;
                break;
            }
        }
        assert_eq!(wait, Some(1));
        // The right password does not help within the delay, and neither does asking at once.
        assert_eq!(
            house.sign_in("liming", PASSWORD).await.unwrap_err().code,
            "access.locked"
        );
        let elsewhere = house
            .engine
            .sign_in("liming", PASSWORD, &origin("10.0.0.2"))
            .await;
        assert_eq!(done(elsewhere.unwrap()).actor.account, "liming");
        house.wait(Span::seconds(1));
        house.sign_in("liming", PASSWORD).await.unwrap();
        let denied = house.audit().await;
        let denied = denied
            .iter()
            .filter(|e| e.entry.outcome == "denied")
            .count();
        assert_eq!(denied, 6);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_sign_ins_is_turned_away_and_not_counted() {
    each_store(|store| async move {
        let settings = Settings {
            cost: HashCost {
                memory_kib: 2048,
                passes: 1,
                lanes: 1,
            },
            hashing_at_once: 1,
            ..cheap()
        };
        let house = open(&store, settings).await;
        house.make("liming", "duty").await;
        let storm = (0..300).map(|n| {
            let engine = house.engine.clone();
            tokio::spawn(async move {
                let here = origin(&format!("10.1.{}.{}", n / 250, n % 250));
                engine
                    .sign_in("liming", "wrong horse", &here)
                    .await
                    .unwrap_err()
                    .code
            })
        });
        let mut codes = vec![];
        for one in storm.collect::<Vec<_>>() {
            codes.push(one.await.unwrap());
        }
        let overloaded = codes.iter().filter(|c| **c == "system.overloaded").count();
        let wrong = codes
            .iter()
            .filter(|c| **c == "access.wrong_password")
            .count();
        assert_eq!(overloaded + wrong, 300, "{codes:?}");
        assert!(overloaded > 0 && wrong >= 65, "{overloaded} {wrong}");
        house.sign_in("liming", PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_have_tokens_of_their_own() {
    each_store(|store| async move {
        let house = house(&store).await;
        let by = Actor::system();
        let new = |name: &str, role: &str, days| NewToken {
            name: name.into(),
            roles: vec![role.into()],
            organisation: None,
            days,
        };
        let fault = house
            .engine
            .create_token(&by, new(" x", "king", 0))
            .await
            .unwrap_err();
        let places: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(places, ["roles", "name", "days"]);
        let (info, secret) = house
            .engine
            .create_token(&by, new("frost", "duty", 2))
            .await
            .unwrap();
        assert!(secret.starts_with("jct_") && secret.len() == 68);
        let taken = house
            .engine
            .create_token(&by, new("frost", "duty", 2))
            .await
            .unwrap_err();
        assert_eq!(taken.code, "input.conflict");
        let actor = house.who(&secret).await.unwrap();
        assert_eq!(
            (actor.account.as_str(), actor.roles),
            ("token:frost", vec!["duty".to_string()])
        );
        house.engine.tidy().await.unwrap();
        assert_eq!(
            house.engine.tokens().await.unwrap()[0].last_used,
            Some(START)
        );
        house.wait(Span::days(2));
        assert!(house.who(&secret).await.is_none());
        let (second, secret) = house
            .engine
            .create_token(&by, new("grafana", "duty", 2))
            .await
            .unwrap();
        house.engine.revoke_token(&by, &second.id).await.unwrap();
        assert!(house.who(&secret).await.is_none());
        let again = house
            .engine
            .revoke_token(&by, &second.id)
            .await
            .unwrap_err();
        assert_eq!(again.code, "input.not_found");
        assert_eq!(info.expires_at, Time(START.0 + Span::days(2).0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_in_the_store() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        let mut reader = store.reader().await.unwrap();
        let rows = store::accounts::sessions_of(&mut reader, "liming")
            .await
            .unwrap();
        assert_eq!(rows.len(), 1);
        assert!(!format!("{rows:?}").contains(&token[4..]));
        assert_eq!(reader.backend(), store.backend());
        let audit: String = house
            .audit()
            .await
            .iter()
            .map(|e| format!("{e:?}"))
            .collect();
        assert!(!audit.contains(&token[4..]) && !audit.contains(PASSWORD));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_remembers_a_pair_only_while_it_is_right() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let here = origin("10.0.0.1");
        let basic = async |password: &str| {
            let actor = house.engine.basic("liming", password, &here).await;
            actor.map(|a| a.account).map_err(|fault| fault.code)
        };
        assert_eq!(basic(PASSWORD).await, Ok("liming".into()));
        assert_eq!(basic(PASSWORD).await, Ok("liming".into()));
        assert_eq!(basic("wrong horse").await, Err("access.wrong_password"));
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        house
            .engine
            .change_password(&token, PASSWORD, "battery staple", &here)
            .await
            .unwrap();
        assert_eq!(basic(PASSWORD).await, Err("access.wrong_password"));
        assert_eq!(basic("battery staple").await, Ok("liming".into()));
        let off = identity::AccountChange {
            disabled: Some(true),
            ..identity::AccountChange::default()
        };
        house
            .engine
            .change(&Actor::system(), "liming", off, None)
            .await
            .unwrap();
        assert_eq!(basic("battery staple").await, Err("access.wrong_password"));
    })
    .await;
}
