//! Showing and verifying: each way, each verdict, minimum fields, uses seen by the holder.

use crate::*;
use kernel::licences::Verdict;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn issued_presented_verified() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let me = resident(&citizen(1));
        let (mine, next) = house.engine.wallet(&me, None).await.unwrap();
        assert_eq!(mine.len(), 1);
        assert_eq!(next, None);
        assert_eq!(mine[0].holder.name, "李明");
        assert_eq!(mine[0].fields["vehicle_class"], "C1");

        let code = house.present(1, &licence).await;
        assert_eq!(code.url, format!("{ISSUER}/verify#{}", code.token));
        assert_eq!(code.expires_at, house.clock_now() + Span::seconds(60));
        let found = house.verify_token(&code.token).await;
        assert_eq!(found.verdict, Verdict::Valid);
        assert_eq!(found.as_of, house.clock_now());
        assert_eq!(
            shown(&found),
            [
                ("holder_name", &json!("李明")),
                ("vehicle_class", &json!("C1"))
            ]
        );
        assert_eq!(
            found.identifier.as_deref(),
            Some(licence.identifier.as_str())
        );
        assert!(
            found.watermark.zh.contains("示例超市") && found.watermark.zh.contains("核对从业资格")
        );
        let text = serde_json::to_string(&found).unwrap();
        assert!(!text.contains(&citizen(1)), "the minimum only: {text}");

        // The holder sees who, why, and what.
        let page = house
            .engine
            .wallet_page(&me, &licence.identifier)
            .await
            .unwrap();
        assert_eq!(page.verdict, Verdict::Valid);
        assert_eq!(page.steps.len(), 1);
        let used = &page.uses[0];
        assert_eq!(
            (used.verifier.as_str(), used.purpose.as_str()),
            ("示例超市", "核对从业资格")
        );
        assert_eq!(used.fields, ["holder_name", "vehicle_class"]);
        assert_eq!(
            (used.way.as_str(), used.verdict.as_str()),
            ("token", "valid")
        );
        let audit = house.audit().await;
        let read = audit.iter().find(|e| e.entry.verb == "read").unwrap();
        assert_eq!(read.entry.purpose, "核对从业资格");
        assert_eq!(read.entry.subject, licence.identifier);
        // It stands under "who saw my data" as well.
        let names = ["person-001".to_string()];
        let (about, _) = house.store.audit().about(&names, None, 10).await.unwrap();
        assert_eq!(about.len(), 1);
        assert_eq!(about[0].entry.details["verifier"], "示例超市");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_chooses_what_is_shown() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let me = resident(&citizen(1));
        let present = |fields: &[&str], seconds: Option<i64>| {
            let fields = fields.iter().map(|f| f.to_string()).collect();
            let new = NewPresentation { fields, seconds };
            let (engine, me, id) = (house.engine.clone(), me.clone(), licence.identifier.clone());
            async move { engine.present(&me, &id, &new).await }
        };
        let code = present(&["vehicle_class"], Some(120)).await.unwrap();
        let found = house.verify_token(&code.token).await;
        assert_eq!(shown(&found), [("vehicle_class", &json!("C1"))]);
        assert_eq!(places(present(&["colour"], None).await), ["fields"]);
        for seconds in [0, 9, 121, i64::MAX, -1] {
            assert_eq!(places(present(&[], Some(seconds)).await), ["seconds"]);
        }
        // So many codes at once, no more.
        for _ in 0..10 {
            present(&[], None).await.unwrap();
        }
        assert_eq!(crate::code(present(&[], None).await), "input.too_many");
        house.wait(Span::seconds(61));
        assert_eq!(crate::code(present(&[], None).await), "ok");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verdict_as_of_its_time() {
    each_store(|store| async move {
        let house = house(&store).await;
        let tomorrow = kernel::numbers::Day::parse("2026-11-26");
        let new = NewLicence {
            valid_from: tomorrow,
            valid_to: tomorrow,
            ..driver(1)
        };
        let licence = house.issue(new).await;
        let check = |expect: Verdict| {
            let (house, licence) = (&house, &licence);
            async move {
                let code = house.present(1, licence).await;
                let me = resident(&citizen(1));
                let document = house
                    .engine
                    .document(&me, &licence.identifier, &[])
                    .await
                    .unwrap();
                let by_name = Shown::Identifier {
                    identifier: licence.identifier.clone(),
                    name: " 李明 ".into(),
                };
                for found in [
                    house.verify_token(&code.token).await,
                    house.verify_document(&document).await,
                    house.verify(by_name).await,
                ] {
                    assert_eq!(found.verdict, expect);
                    assert_eq!(found.fields.is_empty(), expect != Verdict::Valid);
                    assert_eq!(found.as_of, house.clock_now());
                    assert!(!found.words.zh.is_empty() && !found.words.en.is_empty());
                }
            }
        };
        check(Verdict::NotYetValid).await;
        house.clock.set(at("2026-11-26T00:00:00+08:00"));
        check(Verdict::Valid).await;
        house.change(&licence, State::Suspended).await.unwrap();
        check(Verdict::Suspended).await;
        house.change(&licence, State::InForce).await.unwrap();
        house.clock.set(at("2026-11-26T23:59:59+08:00"));
        check(Verdict::Valid).await;
        house.clock.set(at("2026-11-27T00:00:00+08:00"));
        check(Verdict::Expired).await;
        house.change(&licence, State::Penalty).await.unwrap();
        check(Verdict::Revoked).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_identifier_only_what_is_public() {
    each_store(|store| async move {
        let house = house(&store).await;
        let permit = house.issue(food(1)).await;
        let name = permit.holder.name.clone();
        let ask = |name: &str| Shown::Identifier {
            identifier: permit.identifier.to_lowercase(),
            name: name.into(),
        };
        let found = house.verify(ask(&name)).await;
        assert_eq!(
            shown(&found),
            [
                ("holder_name", &json!(name)),
                ("category", &json!("restaurant"))
            ]
        );
        let found = house.verify(ask("别的公司")).await;
        assert_eq!(found.verdict, Verdict::Unknown);
        assert_eq!(found.identifier, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_uses_a_licence_in_place_of_paper() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let holder = driver(1).holder;
        let held = house.engine.held(&holder, "driver_permit").await.unwrap();
        assert_eq!(held, std::slice::from_ref(&licence.identifier));
        assert!(
            house
                .engine
                .held(&holder, "food_permit")
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            house
                .engine
                .held(&driver(2).holder, "driver_permit")
                .await
                .unwrap()
                .is_empty()
        );
        let mut clerk = officer("market");
        clerk.standing.case = Some("CASE-7".into());
        clerk.grant.purpose = "核验申请材料".into();
        let ask = ["holder_number".to_string(), "vehicle_class".into()];
        let found = house
            .engine
            .consult(&clerk, &licence.identifier, &ask)
            .await
            .unwrap();
        assert_eq!(shown(&found)[0], ("holder_number", &json!(citizen(1))));
        let me = resident(&citizen(1));
        let uses = house
            .engine
            .wallet_uses(&me, &licence.identifier, None)
            .await
            .unwrap();
        assert_eq!(uses.len(), 1, "held() is no use");
        assert_eq!(
            (uses[0].verifier.as_str(), uses[0].matter.as_str()),
            ("局 market", "CASE-7")
        );
        assert_eq!(uses[0].basis, clerk.grant.basis);
        // Without a purpose and a basis nobody looks.
        let bare = Actor {
            grant: Grant::default(),
            ..clerk.clone()
        };
        let refused = house.engine.consult(&bare, &licence.identifier, &[]).await;
        assert_eq!(code(refused), "access.denied");
        house.change(&licence, State::Cancelled).await.unwrap();
        assert!(
            house
                .engine
                .held(&holder, "driver_permit")
                .await
                .unwrap()
                .is_empty()
        );
        // The issuer's own desk: a list without names, one of them whole and written down.
        let desk = officer("transport");
        let list = house
            .engine
            .list(&desk, "driver_permit", None)
            .await
            .unwrap();
        assert_eq!(list[0].state, State::Cancelled);
        assert!(
            house
                .engine
                .list(&officer("market"), "driver_permit", None)
                .await
                .is_err()
        );
        let looked = house.engine.look(&desk, &licence.identifier).await.unwrap();
        assert_eq!(looked.licence.holder.name, "李明");
        let uses = house
            .engine
            .wallet_uses(&me, &licence.identifier, None)
            .await
            .unwrap();
        assert_eq!(uses.len(), 3, "consulted, cancelled, looked at");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_a_use_are_needed() {
    each_store(|store| async move {
        let house = house(&store).await;
        let ask = |verifier: &str, purpose: &str, basis: &str| {
            let why = Use {
                verifier: verifier.into(),
                purpose: purpose.into(),
                basis: basis.into(),
            };
            let engine = house.engine.clone();
            async move {
                let shown = Shown::Token { token: "x".into() };
                engine.verify(&Actor::default(), &shown, &why).await
            }
        };
        assert_eq!(
            places(ask("", "", "x").await),
            ["verifier", "purpose", "basis"]
        );
        assert_eq!(
            places(ask("a\u{202e}b", &"x".repeat(10_000), "").await),
            ["verifier", "purpose"]
        );
        assert_eq!(
            ask("商店", "核对", "").await.unwrap().verdict,
            Verdict::Unknown
        );
    })
    .await;
}
