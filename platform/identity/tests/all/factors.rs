//! Second factors: enrolled, used, replayed, stolen, lost.

use crate::{House, PASSWORD, asked, cheap, done, house, new_account, open, origin};
use identity::{Again, Origin, Proof, Restriction, Settings};
use kernel::Span;
use kernel::access::Actor;
use kernel::fault::FaultKind;
use testkit::{Authenticator, each_store, one_time_code};

const HERE: &str = "http://localhost:8080";

impl House {
    fn code(&self, secret: &str) -> String {
        use kernel::Clock;
        one_time_code(secret, self.clock.now().0)
    }

    /// A session, and the secret of a one-time code added to its account.
    async fn with_totp(&self, name: &str) -> (String, String, Vec<String>) {
        let token = self.sign_in(name, PASSWORD).await.unwrap();
        let new = self.engine.begin_totp(name, "手机").await.unwrap();
        let code = self.code(&new.secret);
        let here = origin("10.0.0.1");
        let enrolled = self
            .engine
            .confirm_totp(&token, &new.id, &code, &here)
            .await
            .unwrap();
        assert!(self.who(&token).await.is_none(), "the old secret is gone");
        self.wait(Span::seconds(60));
        (enrolled.session.token, new.secret, enrolled.recovery_codes)
    }

    async fn ticket(&self, name: &str) -> String {
        let here = origin("10.0.0.1");
        asked(self.engine.sign_in(name, PASSWORD, &here).await.unwrap()).ticket
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_asked_for_and_works_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let here = origin("10.0.0.1");
        // Begun and not confirmed: nothing is asked for.
        let new = house.engine.begin_totp("liming", "旧手机").await.unwrap();
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        let wrong = house
            .engine
            .confirm_totp(&token, &new.id, "000000", &here)
            .await;
        assert_eq!(wrong.unwrap_err().code, "access.wrong_factor");
        let (token, secret, recovery) = house.with_totp("liming").await;
        assert_eq!(recovery.len(), 10);
        let who = house.who(&token).await.unwrap();
        assert_eq!(who.standing.factors, ["pwd", "otp"]);
        let engine = &house.engine;
        let challenge = asked(engine.sign_in("liming", PASSWORD, &here).await.unwrap());
        assert_eq!(challenge.methods, ["totp", "recovery"]);
        let try_with = async |ticket: &str, code: String| {
            engine.second_step(ticket, Proof::Code(code), &here).await
        };
        let refused = try_with(&challenge.ticket, "000001".into())
            .await
            .unwrap_err();
        assert_eq!(
            (refused.code, refused.status()),
            ("access.wrong_factor", 401)
        );
        let code = house.code(&secret);
        let session = try_with(&challenge.ticket, code.clone()).await.unwrap();
        assert_eq!(house.who(&session.token).await.unwrap().account, "liming");
        // Neither the ticket nor the code is good again.
        let again = try_with(&challenge.ticket, code.clone()).await.unwrap_err();
        assert!(["access.wrong_factor", "access.sign_in_expired"].contains(&again.code));
        let ticket = house.ticket("liming").await;
        assert_eq!(
            try_with(&ticket, code).await.unwrap_err().code,
            "access.wrong_factor"
        );
        house.wait(Span::seconds(30));
        try_with(&ticket, house.code(&secret)).await.unwrap();
        // A ticket ends after five minutes and with a change of the password.
        let ticket = house.ticket("liming").await;
        house.wait(Span::minutes(5));
        let late = try_with(&ticket, house.code(&secret)).await.unwrap_err();
        assert_eq!(late.code, "access.sign_in_expired");
        let ticket = house.ticket("liming").await;
        engine
            .reset_password(&Actor::system(), "liming", "遗失")
            .await
            .unwrap();
        let stale = try_with(&ticket, house.code(&secret)).await.unwrap_err();
        assert_eq!(stale.code, "access.sign_in_expired");
        for forged in ["", "x", &ticket[1..], &format!("{ticket}A")] {
            let fault = try_with(forged, house.code(&secret)).await.unwrap_err();
            assert_eq!(fault.code, "access.sign_in_expired");
        }
        // HTTP Basic knows no second step.
        let basic = engine.basic("liming", PASSWORD, &here).await.unwrap_err();
        assert!(basic.code.starts_with("access."), "{}", basic.code);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn six_digits_cannot_be_guessed_from_many_addresses() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let (_, secret, _) = house.with_totp("liming").await;
        // Her own browser is known before the attack.
        let here = origin("10.0.0.1");
        let ticket = house.ticket("liming").await;
        let proof = Proof::Code(house.code(&secret));
        let known = house
            .engine
            .second_step(&ticket, proof, &here)
            .await
            .unwrap();
        let mut looked_at = 0;
        for n in 0..400 {
            let there = origin(&format!("10.9.{}.{}", n / 250, n % 250));
            let step = house
                .engine
                .sign_in("liming", PASSWORD, &there)
                .await
                .unwrap();
            let proof = Proof::Code(format!("{n:06}"));
            let fault = house
                .engine
                .second_step(&asked(step).ticket, proof, &there)
                .await;
            looked_at += u32::from(fault.unwrap_err().code == "access.wrong_factor");
        }
        assert_eq!(looked_at, 6, "of 400 guesses at one moment");
        let device = Origin {
            device: Some(known.device),
            ..here
        };
        house.wait(Span::seconds(30));
        let step = house
            .engine
            .sign_in("liming", PASSWORD, &device)
            .await
            .unwrap();
        let proof = Proof::Code(house.code(&secret));
        house
            .engine
            .second_step(&asked(step).ticket, proof, &device)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recovery_codes_work_once_each() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        house.make("wang", "duty").await;
        let (_, _, codes) = house.with_totp("liming").await;
        house.with_totp("wang").await;
        let here = origin("10.0.0.1");
        let use_code = async |account: &str, code: &str| {
            let ticket = house.ticket(account).await;
            let proof = Proof::Recovery(code.into());
            house.engine.second_step(&ticket, proof, &here).await
        };
        let session = use_code("liming", &codes[0].to_lowercase()).await.unwrap();
        assert_eq!(session.actor.standing.factors, ["pwd", "recovery"]);
        for (account, code) in [("liming", &codes[0]), ("wang", &codes[1])] {
            let fault = use_code(account, code).await.unwrap_err();
            assert_eq!(fault.code, "access.wrong_factor");
        }
        let security = house.engine.security("liming").await.unwrap();
        assert_eq!((security.recovery_left, security.factors.len()), (9, 1));
        // Two at once: one of them is right.
        let (first, second) =
            tokio::join!(use_code("liming", &codes[2]), use_code("liming", &codes[2]));
        assert!(first.is_ok() != second.is_ok());
        let fresh = house.engine.new_recovery_codes("liming").await.unwrap();
        assert!(use_code("liming", &codes[3]).await.is_err());
        use_code("liming", &fresh[3]).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_alone_and_after_a_password() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        house.make("wang", "duty").await;
        let engine = &house.engine;
        let here = origin("10.0.0.1");
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        let who = house.who(&token).await.unwrap();
        let mut key = Authenticator::new(HERE, "localhost");
        let begun = engine.begin_passkey_registration(&who).await.unwrap();
        let made = key.create(begun.passkey.as_ref().unwrap());
        let wangs = house.sign_in("wang", PASSWORD).await.unwrap();
        let stolen = engine
            .finish_passkey_registration(&wangs, &begun.ticket, "钥匙", made.clone(), &here)
            .await;
        assert!(stolen.is_err(), "a ticket belongs to its account");
        let added = engine
            .finish_passkey_registration(&token, &begun.ticket, "钥匙", made.clone(), &here)
            .await
            .unwrap();
        assert_eq!(
            (added.recovery_codes.len(), added.factor.name.as_str()),
            (10, "钥匙")
        );
        let token = added.session.token;
        let again = engine.finish_passkey_registration(&token, &begun.ticket, "再", made, &here);
        assert!(again.await.is_err(), "a ticket makes one passkey");

        // Alone.
        let question = engine.begin_passkey().unwrap();
        let answer = key.get(question.passkey.as_ref().unwrap());
        let proof = || Proof::Passkey(answer.clone());
        let session = engine
            .second_step(&question.ticket, proof(), &here)
            .await
            .unwrap();
        assert_eq!(session.actor.account, "liming");
        assert_eq!(session.actor.standing.factors, ["passkey"]);
        assert!(
            engine
                .second_step(&question.ticket, proof(), &here)
                .await
                .is_err(),
            "replayed"
        );
        // After the password.
        let challenge = asked(engine.sign_in("liming", PASSWORD, &here).await.unwrap());
        assert_eq!(challenge.methods, ["passkey", "recovery"]);
        let answer = key.get(challenge.passkey.as_ref().unwrap());
        let proof = Proof::Passkey(answer);
        let session = engine
            .second_step(&challenge.ticket, proof, &here)
            .await
            .unwrap();
        assert_eq!(session.actor.standing.factors, ["pwd", "passkey"]);
        // Again within the session, but not in another's.
        for (session, right) in [(&session.token, true), (&wangs, false)] {
            let question = engine.begin_passkey().unwrap();
            let answer = key.get(question.passkey.as_ref().unwrap());
            let again = Again::Passkey(question.ticket, answer);
            assert_eq!(engine.step_up(session, again, &here).await.is_ok(), right);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_of_another_place_or_a_copy_is_refused() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let engine = &house.engine;
        let here = origin("10.0.0.1");
        let token = house.sign_in("liming", PASSWORD).await.unwrap();
        let who = house.who(&token).await.unwrap();
        for (origin, rp_id, verifies) in [
            ("https://evil.example", "localhost", true),
            (HERE, "evil.example", true),
            (HERE, "localhost", false),
        ] {
            let mut key = Authenticator::new(origin, rp_id);
            key.verifies_user = verifies;
            let begun = engine.begin_passkey_registration(&who).await.unwrap();
            let made = key.create(begun.passkey.as_ref().unwrap());
            let fault = engine
                .finish_passkey_registration(&token, &begun.ticket, "k", made, &here)
                .await
                .unwrap_err();
            assert_eq!(fault.code, "input.invalid", "{origin} {rp_id} {verifies}");
        }
        let mut key = Authenticator::new(HERE, "localhost");
        let begun = engine.begin_passkey_registration(&who).await.unwrap();
        let made = key.create(begun.passkey.as_ref().unwrap());
        engine
            .finish_passkey_registration(&token, &begun.ticket, "k", made, &here)
            .await
            .unwrap();
        type Change = fn(&mut Authenticator);
        let wrong: [(&str, Change); 5] = [
            ("another page", |k| k.origin = "https://evil.example".into()),
            ("a page without the name", |k| {
                k.origin = "http://localhost.evil.example".into()
            }),
            ("another party", |k| k.rp_id = "evil.example".into()),
            ("no finger", |k| k.verifies_user = false),
            ("an old counter", |k| k.counter = 1),
        ];
        let sign_in = async |key: &mut Authenticator, alone: bool| {
            let challenge = match alone {
                true => engine.begin_passkey().unwrap(),
                false => asked(engine.sign_in("liming", PASSWORD, &here).await.unwrap()),
            };
            let answer = key.get(challenge.passkey.as_ref().unwrap());
            let proof = Proof::Passkey(answer);
            engine.second_step(&challenge.ticket, proof, &here).await
        };
        sign_in(&mut key, true).await.unwrap();
        for (what, change) in wrong {
            for alone in [true, false] {
                let mut thief = key.clone();
                change(&mut thief);
                let fault = sign_in(&mut thief, alone).await.unwrap_err();
                assert_eq!(fault.code, "access.wrong_factor", "{what}");
                house.wait(Span::minutes(20));
            }
        }
        // An answer to one question is none to another; another key is not hers.
        let (first, second) = (
            engine.begin_passkey().unwrap(),
            engine.begin_passkey().unwrap(),
        );
        let answer = key.get(first.passkey.as_ref().unwrap());
        let fault = engine
            .second_step(&second.ticket, Proof::Passkey(answer), &here)
            .await;
        assert_eq!(fault.unwrap_err().code, "access.wrong_factor");
        let mut strange = Authenticator::new(HERE, "localhost");
        assert!(sign_in(&mut strange, true).await.is_err());
        sign_in(&mut key, false).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_may_demand_a_second_factor() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "guarded").await;
        let here = origin("10.0.0.1");
        let first = done(
            house
                .engine
                .sign_in("liming", PASSWORD, &here)
                .await
                .unwrap(),
        );
        assert_eq!(first.must, Some(Restriction::SecondFactor));
        let known = house.engine.recognise(&first.token).await.unwrap().unwrap();
        assert_eq!(known.must, Some(Restriction::SecondFactor));
        let new = house.engine.begin_totp("liming", "手机").await.unwrap();
        let code = house.code(&new.secret);
        let enrolled = house
            .engine
            .confirm_totp(&first.token, &new.id, &code, &here)
            .await
            .unwrap();
        assert_eq!(enrolled.session.must, None);
        let fault = house
            .engine
            .remove_factor("liming", &new.id)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        // The phone is lost: an operator takes the factor away, and she begins anew.
        house
            .engine
            .reset_factors(&Actor::system(), "liming", "手机遗失")
            .await
            .unwrap();
        assert!(house.who(&enrolled.session.token).await.is_none());
        let anew = done(
            house
                .engine
                .sign_in("liming", PASSWORD, &here)
                .await
                .unwrap(),
        );
        assert_eq!(anew.must, Some(Restriction::SecondFactor));
        // A city may demand it of everybody.
        let settings = Settings {
            second_factor_for_all: true,
            ..cheap()
        };
        let strict = open(&store, settings).await;
        strict.make("wang", "duty").await;
        let session = done(
            strict
                .engine
                .sign_in("wang", PASSWORD, &here)
                .await
                .unwrap(),
        );
        assert_eq!(session.must, Some(Restriction::SecondFactor));
        let basic = strict
            .engine
            .basic("wang", PASSWORD, &here)
            .await
            .unwrap_err();
        assert_eq!(
            (basic.code, basic.kind),
            ("access.factor_required", FaultKind::Denied)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_of_others_are_changed_first_and_old_ones_not_used_again() {
    each_store(|store| async move {
        let settings = Settings {
            passwords_remembered: 2,
            password_life: Span::days(90),
            ..cheap()
        };
        let house = open(&store, settings).await;
        let operator = Actor {
            account: "yunwei".into(),
            ..Actor::default()
        };
        house
            .engine
            .create(&operator, new_account("liming", "duty"))
            .await
            .unwrap();
        let here = origin("10.0.0.1");
        let enter = async |password: &str| {
            done(
                house
                    .engine
                    .sign_in("liming", password, &here)
                    .await
                    .unwrap(),
            )
        };
        let session = enter(PASSWORD).await;
        assert_eq!(session.must, Some(Restriction::ChangePassword));
        let change = async |token: &str, old: &str, new: &str| {
            house.wait(Span::seconds(1));
            house.engine.change_password(token, old, new, &here).await
        };
        let leaked = change(&session.token, PASSWORD, "Iloveyou1").await;
        let same = change(&session.token, PASSWORD, PASSWORD)
            .await
            .unwrap_err();
        assert_eq!(
            (same.code, same.problems[0].at.as_str()),
            ("input.invalid", "new")
        );
        assert!(leaked.is_err());
        let session = change(&session.token, PASSWORD, "second horse")
            .await
            .unwrap();
        assert_eq!(session.must, None);
        let session = change(&session.token, "second horse", "third horse")
            .await
            .unwrap();
        for used in [PASSWORD, "second horse", "third horse"] {
            assert!(
                change(&session.token, "third horse", used).await.is_err(),
                "{used}"
            );
        }
        let session = change(&session.token, "third horse", "fourth horse")
            .await
            .unwrap();
        change(&session.token, "fourth horse", PASSWORD)
            .await
            .unwrap();
        // It grows old.
        house.wait(Span::days(91));
        assert_eq!(
            enter(PASSWORD).await.must,
            Some(Restriction::ChangePassword)
        );
        // An operator's password is for one sign-in.
        let by = Actor::system();
        assert!(
            house
                .engine
                .reset_password(&by, "liming", " ")
                .await
                .is_err()
        );
        let password = house
            .engine
            .reset_password(&by, "liming", "忘记密码")
            .await
            .unwrap();
        assert_eq!(
            enter(&password).await.must,
            Some(Restriction::ChangePassword)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_known_again_and_locked_accounts_unlocked() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let office = origin("10.0.0.1");
        let first = done(
            house
                .engine
                .sign_in("liming", PASSWORD, &office)
                .await
                .unwrap(),
        );
        let own = Origin {
            device: Some(first.device.clone()),
            session: Some(first.token.clone()),
            ..office.clone()
        };
        house.wait(Span::seconds(1));
        let second = done(
            house
                .engine
                .sign_in("liming", PASSWORD, &own)
                .await
                .unwrap(),
        );
        assert_eq!(second.device, first.device);
        assert!(
            house.who(&first.token).await.is_none(),
            "one session a browser"
        );
        house.wait(Span::seconds(1));
        let strange = done(
            house
                .engine
                .sign_in("liming", PASSWORD, &office)
                .await
                .unwrap(),
        );
        let sessions = house.engine.sessions("liming").await.unwrap();
        let new: Vec<bool> = sessions.iter().map(|s| s.new_device).collect();
        assert_eq!(new, [true, false]);
        assert_ne!(strange.device, first.device);
        // A colleague in the same office guesses; her own browser is not held up.
        for _ in 0..8 {
            let _ = house.engine.sign_in("liming", "wrong horse", &office).await;
        }
        let blocked = house
            .engine
            .sign_in("liming", PASSWORD, &office)
            .await
            .unwrap_err();
        assert_eq!(blocked.code, "access.locked");
        let own = Origin {
            session: None,
            ..own
        };
        done(
            house
                .engine
                .sign_in("liming", PASSWORD, &own)
                .await
                .unwrap(),
        );
        // A device that is only claimed helps nobody.
        let claimed = Origin {
            device: Some(format!("jcd_{}", "0".repeat(64))),
            ..office.clone()
        };
        let fault = house
            .engine
            .sign_in("liming", PASSWORD, &claimed)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "access.locked");
        house
            .engine
            .unlock(&Actor::system(), "liming")
            .await
            .unwrap();
        done(
            house
                .engine
                .sign_in("liming", PASSWORD, &office)
                .await
                .unwrap(),
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_in_the_store() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.make("liming", "duty").await;
        let (_, secret, codes) = house.with_totp("liming").await;
        let mut reader = house.store.reader().await.unwrap();
        let rows = store::factors::factors_of(&mut reader, "liming")
            .await
            .unwrap();
        let plain: Vec<u8> = secret.bytes().collect();
        assert!(
            !rows[0]
                .sealed
                .windows(plain.len())
                .any(|part| part == plain)
        );
        let left = store::factors::recovery_left(&mut reader, "liming")
            .await
            .unwrap();
        assert_eq!((left, codes.len()), (10, 10));
        drop(reader);
        // Moved to another row, a sealed secret does not open.
        house.make("wang", "duty").await;
        let mut tx = house.store.begin().await.unwrap();
        let mut moved = rows[0].clone();
        (moved.id, moved.account) = ("01MOVED".into(), "wang".into());
        store::factors::insert_factor(&mut tx, &moved)
            .await
            .unwrap();
        let mut wang = store::accounts::account(&mut tx, "wang")
            .await
            .unwrap()
            .unwrap();
        wang.second_factors = 1;
        store::accounts::update_account(&mut tx, &wang)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let ticket = house.ticket("wang").await;
        let proof = Proof::Code(house.code(&secret));
        let refused = house
            .engine
            .second_step(&ticket, proof, &origin("10.0.0.1"))
            .await;
        assert!(refused.is_err());
    })
    .await;
}
