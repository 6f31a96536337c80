//! Registering, codes and recovery: limits, and nothing told to strangers.

use crate::*;
use parties::Recovery;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_taken_is_never_told() {
    each_store(|store| async move {
        let house = house(&store).await;
        let first = house
            .engine
            .register(wish(Some("lihua")), HOME)
            .await
            .unwrap();
        let second = house
            .engine
            .register(wish(Some("lihua")), HOME)
            .await
            .unwrap();
        assert!(first.account.starts_with("lihua-") && second.account.starts_with("lihua-"));
        assert_ne!(first.account, second.account);
        assert_eq!(first.level, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_registrations_are_refused_whole() {
    each_store(|store| async move {
        let house = house(&store).await;
        let check = |change: fn(&mut NewRegistration), expect: &'static [&'static str]| {
            let house = &house;
            async move {
                let mut new = wish(None);
                change(&mut new);
                let fault = house.engine.register(new, HOME).await.err().unwrap();
                let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
                assert_eq!(at, expect);
            }
        };
        check(|new| new.consent = false, &["consent"]).await;
        check(|new| new.password = "short".into(), &["password"]).await;
        check(|new| new.display = "李\u{202e}明".into(), &["display"]).await;
        check(|new| new.display = "李\0明".into(), &["display"]).await;
        check(|new| new.display = "李".repeat(10_000), &["display"]).await;
        check(|new| new.display = "<script>".into(), &["display"]).await;
        check(|new| new.name = Some("Li Hua".into()), &["name"]).await;
        check(|new| new.name = Some("lіhua".into()), &["name"]).await; // a Cyrillic letter
        check(
            |new| {
                new.name = Some("a".repeat(10_000));
                new.display = String::new();
                new.password = String::new();
                new.consent = false;
            },
            &["name", "display", "consent", "password"],
        )
        .await;
        assert_eq!(house.accounts.count(), 0);
        // Forms sent back cost nothing; forty accounts an hour from one network, no more.
        for _ in 0..40 {
            assert!(house.engine.register(wish(None), HOME).await.is_ok());
        }
        assert_eq!(
            code(house.engine.register(wish(None), HOME).await),
            "input.too_many"
        );
        assert!(house.engine.register(wish(None), "10.0.0.2").await.is_ok());
        house.wait(Span::hours(1));
        assert!(house.engine.register(wish(None), HOME).await.is_ok());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_good_once_for_ten_minutes_and_five_guesses() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, account) = (&house.engine, house.register().await);
        let phone = phone_of(1);
        let sent = engine.begin_phone(&account, &phone, HOME).await.unwrap();
        assert_eq!(
            code(engine.begin_phone(&account, &phone, HOME).await),
            "input.too_many"
        );
        let right = house.code(&phone).await;
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        let prove = |challenge: String, code: String, account: String| async move {
            crate::code(engine.prove_phone(&account, &challenge, &code, HOME).await)
        };
        // Somebody else's challenge, none at all, and what is no code.
        let other = house.register().await;
        assert_eq!(
            prove(sent.challenge.clone(), right.clone(), other).await,
            "parties.code"
        );
        assert_eq!(
            prove("none".into(), right.clone(), account.clone()).await,
            "parties.code"
        );
        assert_eq!(
            prove(sent.challenge.clone(), "1".repeat(10_000), account.clone()).await,
            "parties.code"
        );
        for _ in 0..5 {
            assert_eq!(
                prove(sent.challenge.clone(), wrong.into(), account.clone()).await,
                "parties.code"
            );
        }
        assert_eq!(
            prove(sent.challenge, right, account.clone()).await,
            "parties.code",
            "guessed at too often"
        );

        house.wait(Span::minutes(2));
        let sent = engine.begin_phone(&account, &phone, HOME).await.unwrap();
        let right = house.code(&phone).await;
        house.wait(Span::minutes(10));
        assert_eq!(
            prove(sent.challenge, right, account.clone()).await,
            "parties.code",
            "too old"
        );

        let sent = engine.begin_phone(&account, &phone, HOME).await.unwrap();
        let right = house.code(&phone).await;
        assert_eq!(
            prove(sent.challenge.clone(), right.clone(), account.clone()).await,
            "ok"
        );
        assert_eq!(
            prove(sent.challenge, right, account.clone()).await,
            "parties.code",
            "used already"
        );
        assert_eq!(house.standing(&account, "s").await.proofing, 1);

        // Five a day from one network, and no message more.
        for _ in 0..2 {
            house.wait(Span::minutes(2));
            engine.begin_phone(&account, &phone, HOME).await.unwrap();
        }
        house.wait(Span::minutes(2));
        assert_eq!(
            code(engine.begin_phone(&account, &phone, HOME).await),
            "input.too_many"
        );
        // Another network is not locked out by that.
        assert!(
            engine
                .begin_phone(&account, &phone, "10.9.9.9")
                .await
                .is_ok()
        );
        // No code and no number is in the audit log or the store's text.
        let log = format!("{:?}", house.audit().await);
        assert!(!log.contains(&phone), "{log}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guesses_at_once_gain_nothing() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.register().await;
        let sent = house
            .engine
            .begin_phone(&account, &phone_of(1), HOME)
            .await
            .unwrap();
        let right = house.code(&phone_of(1)).await;
        let tries = (0..40).map(|n| {
            let (engine, account) = (house.engine.clone(), account.clone());
            let (challenge, guess) = (sent.challenge.clone(), format!("{n:06}"));
            tokio::spawn(async move {
                engine
                    .prove_phone(&account, &challenge, &guess, "10.0.0.9")
                    .await
                    .is_ok()
            })
        });
        let mut lucky = 0;
        for each in tries.collect::<Vec<_>>() {
            lucky += u32::from(each.await.unwrap());
        }
        assert!(lucky <= 1);
        let after = house
            .engine
            .prove_phone(&account, &sent.challenge, &right, HOME)
            .await;
        assert_eq!(code(after), "parties.code");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_given_out_again_leaves_its_old_account() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (old, new) = (house.register().await, house.register().await);
        house.phone(&old, &phone_of(1)).await;
        house.wait(Span::minutes(2));
        house.phone(&new, &phone_of(1)).await;
        assert_eq!(house.standing(&old, "s").await.proofing, 0);
        assert_eq!(house.standing(&new, "s").await.proofing, 1);
        assert_eq!(house.engine.login_name(&phone_of(1)).await.unwrap(), new);
        assert_eq!(
            house.engine.login_name(&phone_of(2)).await.unwrap(),
            phone_of(2)
        );
    })
    .await;
}

fn recovery(challenge: &str, code: &str, identity: Option<Claim>) -> Recovery {
    Recovery {
        challenge: challenge.into(),
        code: code.into(),
        password: "another password".into(),
        identity,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_tells_strangers_nothing() {
    each_store(|store| async move {
        let house = house(&store).await;
        let account = house.register().await;
        house.phone(&account, &phone_of(1)).await;
        house.wait(Span::minutes(2));
        let known = house
            .engine
            .begin_recovery(&phone_of(1), HOME)
            .await
            .unwrap();
        let unknown = house
            .engine
            .begin_recovery(&phone_of(2), HOME)
            .await
            .unwrap();
        assert_eq!(known.expires_at, unknown.expires_at);
        assert_eq!(known.challenge.len(), unknown.challenge.len());
        // Wrong guesses at both get one answer, and both die after five.
        for challenge in [&known.challenge, &unknown.challenge] {
            for _ in 0..6 {
                let guess = recovery(challenge, "000000", None);
                assert_eq!(
                    code(house.engine.recover(guess, HOME).await),
                    "parties.code"
                );
            }
        }
        // Asked again too soon: one answer as well.
        for n in [1, 2] {
            let again = house.engine.begin_recovery(&phone_of(n), HOME).await;
            assert_eq!(code(again), "input.too_many");
        }
        let sent_to_unknown = house.catcher.caught().iter().any(|c| c.to == phone_of(2));
        assert!(!sent_to_unknown);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_needs_what_the_level_rests_on() {
    each_store(|store| async move {
        let house = house(&store).await;
        let plain = house.register().await;
        house.phone(&plain, &phone_of(1)).await;
        let proven = house.resident(2).await;
        house.wait(Span::minutes(2));

        let sent = house
            .engine
            .begin_recovery(&phone_of(1), HOME)
            .await
            .unwrap();
        let right = house.code(&phone_of(1)).await;
        let recovered = house
            .engine
            .recover(recovery(&sent.challenge, &right, None), HOME)
            .await;
        assert_eq!(recovered.unwrap(), plain);
        assert_eq!(house.accounts.password(&plain).unwrap(), "another password");

        let sent = house
            .engine
            .begin_recovery(&phone_of(2), HOME)
            .await
            .unwrap();
        let right = house.code(&phone_of(2)).await;
        for identity in [None, Some(person(3))] {
            let refused = house
                .engine
                .recover(recovery(&sent.challenge, &right, identity), HOME)
                .await;
            assert_eq!(
                code(refused),
                "parties.code",
                "the telephone alone is not enough"
            );
        }
        assert_eq!(house.accounts.password(&proven).unwrap(), PASSWORD);
        let sound = recovery(&sent.challenge, &right, Some(person(2)));
        assert_eq!(house.engine.recover(sound, HOME).await.unwrap(), proven);
        assert_eq!(
            house.accounts.password(&proven).unwrap(),
            "another password"
        );
    })
    .await;
}
