//! The desk of offers and requests for wallets: what is listed for whom and for how long, and what is
//! taken back.

use crate::openid4vc::{GRANT, Wallet, access, error, fetched, form, nonce, seconds};
use crate::*;
use kernel::licences::Verdict;
use licences::openid4vc::Ask;
use testkit::each_store;

/// A request is listed for whoever asked, with its outcome and nothing that was shown; what was shown
/// is gone a day later, the line of the list a month later.
#[tokio::test(flavor = "multi_thread")]
async fn requests_are_listed_for_whoever_asked() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (mine, other) = (house.issue(driver(1)).await, house.issue(driver(2)).await);
        let wallet = Wallet::new(7);
        let mut clerk = officer("market");
        clerk.standing.case = Some("A-1".into());
        let papers = Papers {
            holder: driver(1).holder,
            kinds: Default::default(),
        };
        let ask = Ask {
            kind: "driver_permit".into(),
            fields: vec!["holder_name".into()],
            why: why(),
        };
        let engine = &house.engine;
        let mut shown_by = vec![];
        for (serial, licence, of_applicant) in [(1, &mine, true), (2, &other, false)] {
            let document = fetched(&house, &wallet, serial, licence).await;
            let asked = engine.vp_ask(&clerk, &ask, Some(&papers)).await.unwrap();
            let text = |name: &str| asked.request[name].as_str().unwrap().to_string();
            let (aud, nonce) = (text("client_id"), text("nonce"));
            let bound = wallet.bind(&document, &["holder_name"], &aud, &nonce, seconds(&house));
            let token = json!({"licence": [bound]}).to_string();
            let post = form(&[("state", &asked.state), ("vp_token", &token)]);
            engine.vp_response(&post).await.unwrap();
            shown_by.push((asked, of_applicant));
            house.wait(Span::seconds(1));
        }
        let declined = engine.vp_ask(&clerk, &ask, None).await.unwrap();
        let no = form(&[("state", &declined.state), ("error", "access_denied")]);
        engine.vp_response(&no).await.unwrap();
        house.wait(Span::seconds(1));
        let waiting = engine.vp_ask(&clerk, &ask, None).await.unwrap();

        let list = engine.vp_requests(&clerk, None).await.unwrap();
        let ids: Vec<&str> = list.iter().map(|each| each.id.as_str()).collect();
        let (first, second) = (&shown_by[0].0, &shown_by[1].0);
        assert_eq!(ids, [&waiting.id, &declined.id, &second.id, &first.id]);
        let states: Vec<String> = list
            .iter()
            .map(|each| json!(each.state).to_string())
            .collect();
        let said = [
            "\"waiting\"",
            "\"declined\"",
            "\"answered\"",
            "\"answered\"",
        ];
        assert_eq!(states, said);
        assert!(!serde_json::to_string(&list).unwrap().contains("李明"));
        let rest = engine.vp_requests(&clerk, Some(&second.id)).await.unwrap();
        assert_eq!(rest.len(), 1);
        for (asked, of_applicant) in &shown_by {
            for name in [&asked.state, &asked.id] {
                let found = engine.vp_result(&clerk, name).await.unwrap();
                assert_eq!(found.request.of_applicant, Some(*of_applicant));
                assert_eq!(found.request.verdict, Some(Verdict::Valid));
                assert_eq!(found.request.matter.as_deref(), Some("A-1"));
                let found = found.verification.unwrap();
                assert_eq!(shown(&found), [("holder_name", &json!("李明"))]);
            }
        }
        // Nobody else's.
        let others = officer("transport");
        assert!(engine.vp_requests(&others, None).await.unwrap().is_empty());
        for name in [&first.id, &first.state] {
            let refused = engine.vp_result(&others, name).await;
            assert_eq!(crate::code(refused), "input.not_found");
        }
        house.wait(Span::minutes(24 * 60 + 6));
        engine.tidy().await.unwrap();
        let found = engine.vp_result(&clerk, &first.id).await.unwrap();
        assert!(found.verification.is_none());
        assert_eq!(found.request.verdict, Some(Verdict::Valid));
        let late = engine.vp_result(&clerk, &waiting.id).await.unwrap();
        assert_eq!(json!(late.request.state), "over");
        house.wait(Span::days(30));
        engine.tidy().await.unwrap();
        assert!(engine.vp_requests(&clerk, None).await.unwrap().is_empty());
    })
    .await;
}

/// An offer is taken back before a wallet has the licence: its code, or the access it gave, is good
/// Everything that is wrong with a request is named, and nothing is asked.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_request_is_named() {
    each_store(|store| async move {
        let house = house(&store).await;
        let clerk = officer("market");
        let faults = async |kind: &str, fields: &[&str], purpose: &str| {
            let ask = Ask {
                kind: kind.into(),
                fields: fields.iter().map(|name| (*name).into()).collect(),
                why: Use {
                    purpose: purpose.into(),
                    ..why()
                },
            };
            let fault = house.engine.vp_ask(&clerk, &ask, None).await;
            let fault = fault.err().expect(kind);
            let at = fault.problems.into_iter().map(|problem| problem.at);
            at.collect::<Vec<_>>()
        };
        assert_eq!(faults("none", &["x"], "").await, ["purpose", "kind"]);
        assert_eq!(
            faults("driver_permit", &["x", "holder_name", "y"], "").await,
            ["purpose", "fields", "fields"]
        );
        let asked = house.engine.vp_requests(&clerk, None).await.unwrap();
        assert!(asked.is_empty());
    })
    .await;
}

/// no more; by its holder only, and not when the licence is fetched.
#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_taken_back() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (licence, wallet) = (house.issue(driver(1)).await, Wallet::new(7));
        let (me, engine) = (resident(&citizen(1)), &house.engine);
        let id = &licence.identifier;
        let states = || async {
            let list = engine.vci_offers(&me, id).await.unwrap();
            list.into_iter()
                .map(|each| json!(each.state))
                .collect::<Vec<_>>()
        };
        let code_of = |offer: &licences::openid4vc::Offer| {
            let code = &offer.offer["grants"][GRANT]["pre-authorized_code"];
            code.as_str().unwrap().to_string()
        };
        let request = |proof: String| {
            json!({
                "credential_configuration_id": licence.kind, "proofs": { "jwt": [proof] },
            })
        };
        // Before anybody came.
        let offer = engine.vci_offer(&me, id).await.unwrap();
        assert_eq!(states().await, ["open"]);
        let thief = resident(&citizen(2));
        let refused = engine.vci_take_back(&thief, id, &offer.id).await;
        assert_eq!(crate::code(refused), "input.not_found");
        assert_eq!(
            crate::code(engine.vci_offers(&thief, id).await),
            "input.not_found"
        );
        let taken = engine.vci_take_back(&me, id, &offer.id).await.unwrap();
        assert_eq!(json!(taken.state), "taken_back");
        let late = access(&house, &code_of(&offer), &offer.code).await;
        assert_eq!(error(late).1, "invalid_grant");
        let again = engine.vci_take_back(&me, id, &offer.id).await;
        assert_eq!(crate::code(again), "input.conflict");
        // When the wallet has access already.
        house.wait(Span::seconds(1));
        let offer = engine.vci_offer(&me, id).await.unwrap();
        let token = access(&house, &code_of(&offer), &offer.code).await.unwrap();
        assert_eq!(states().await, ["redeemed", "taken_back"]);
        engine.vci_take_back(&me, id, &offer.id).await.unwrap();
        let proof = wallet.proof(&nonce(&house).await, ISSUER, seconds(&house));
        let late = engine.vci_credential(&token, &request(proof)).await;
        assert_eq!(error(late), (401, "invalid_token".into()));
        // Not when it is fetched; and the one that was fetched stays so.
        house.wait(Span::seconds(1));
        let offer = engine.vci_offer(&me, id).await.unwrap();
        let token = access(&house, &code_of(&offer), &offer.code).await.unwrap();
        let proof = wallet.proof(&nonce(&house).await, ISSUER, seconds(&house));
        engine
            .vci_credential(&token, &request(proof))
            .await
            .unwrap();
        let late = engine.vci_take_back(&me, id, &offer.id).await;
        assert_eq!(crate::code(late), "input.conflict");
        // Over, by time or by guesses.
        house.wait(Span::seconds(1));
        let offer = engine.vci_offer(&me, id).await.unwrap();
        for _ in 0..3 {
            let wrong = access(&house, &code_of(&offer), "x").await;
            assert_eq!(error(wrong).1, "invalid_grant");
        }
        house.wait(Span::seconds(1));
        engine.vci_offer(&me, id).await.unwrap();
        house.wait(Span::minutes(10));
        let all = ["over", "guessed", "fetched", "taken_back", "taken_back"];
        assert_eq!(states().await, all);
    })
    .await;
}
