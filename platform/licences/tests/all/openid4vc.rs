//! OpenID4VCI and OpenID4VP with a wallet of our own making (its keys and tokens by `p256`), as
//! the protocols say it; and everything that can go wrong between the two.

use crate::attacks::taken_apart;
use crate::*;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use kernel::licences::Verdict;
use licences::openid4vc::{Ask, Stop};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest, Sha256};
use testkit::each_store;

/// A wallet with one key.
pub(crate) struct Wallet(SigningKey);

impl Wallet {
    pub(crate) fn new(n: u8) -> Wallet {
        Wallet(SigningKey::from_slice(&[n; 32]).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "x": B64.encode(x), "y": B64.encode(y)})
    }

    fn sign(&self, header: Value, claims: Value) -> String {
        let part = |value: Value| B64.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature: Signature = self.0.sign(message.as_bytes());
        format!("{message}.{}", B64.encode(signature.to_bytes()))
    }

    pub(crate) fn proof(&self, nonce: &str, aud: &str, iat: i64) -> String {
        let header = json!({"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": self.jwk()});
        self.sign(header, json!({"aud": aud, "iat": iat, "nonce": nonce}))
    }

    /// A document with these disclosures, bound to a request.
    pub(crate) fn bind(
        &self,
        document: &str,
        names: &[&str],
        aud: &str,
        nonce: &str,
        iat: i64,
    ) -> String {
        let (issued, named) = taken_apart(document);
        let chosen: Vec<&str> = names.iter().map(|name| named[*name].as_str()).collect();
        let before = match chosen.is_empty() {
            true => format!("{issued}~"),
            false => format!("{issued}~{}~", chosen.join("~")),
        };
        let hash = B64.encode(Sha256::digest(&before));
        let header = json!({"typ": "kb+jwt", "alg": "ES256"});
        let claims = json!({"aud": aud, "nonce": nonce, "iat": iat, "sd_hash": hash});
        format!("{before}{}", self.sign(header, claims))
    }
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect()
}

pub(crate) const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

pub(crate) fn error<T>(outcome: Result<T, Stop>) -> (u16, String) {
    match outcome {
        Ok(_) => (200, "ok".into()),
        Err(Stop::Refused(refusal)) => {
            assert_eq!(refusal.json()["error"], refusal.error);
            (refusal.status, refusal.error.into())
        }
        Err(Stop::Fault(fault)) => (fault.status(), fault.code.into()),
    }
}

pub(crate) fn seconds(house: &House) -> i64 {
    house.clock_now().0 / 1_000_000
}

/// What a wallet showed, or said instead; `None` while none has answered.
pub(crate) async fn found_of(
    engine: &Engine,
    actor: &Actor,
    state: &str,
) -> Result<Option<Result<Verification, String>>, Fault> {
    let outcome = engine.vp_result(actor, state).await?;
    let said = outcome.request.error.map(Err);
    Ok(said.or(outcome.verification.map(Ok)))
}

/// Code of an offer, and what the holder types.
pub(crate) async fn offered(house: &House, serial: u32, licence: &Licence) -> (String, String) {
    let me = resident(&citizen(serial));
    let offer = house
        .engine
        .vci_offer(&me, &licence.identifier)
        .await
        .unwrap();
    assert_eq!(offer.offer["credential_issuer"], ISSUER);
    assert_eq!(
        offer.offer["credential_configuration_ids"],
        json!([licence.kind])
    );
    assert!(
        offer
            .url
            .starts_with("openid-credential-offer://?credential_offer=%7B")
    );
    let code = offer.offer["grants"][GRANT]["pre-authorized_code"]
        .as_str()
        .unwrap();
    (code.into(), offer.code)
}

pub(crate) async fn access(house: &House, code: &str, typed: &str) -> Result<String, Stop> {
    let form = form(&[
        ("grant_type", GRANT),
        ("pre-authorized_code", code),
        ("tx_code", typed),
    ]);
    let answer = house.engine.vci_token(&form).await?;
    assert_eq!(answer["token_type"], "Bearer");
    Ok(answer["access_token"].as_str().unwrap().into())
}

pub(crate) async fn nonce(house: &House) -> String {
    let answer = house.engine.vci_nonce().await.unwrap();
    answer["c_nonce"].as_str().unwrap().into()
}

/// A licence in a wallet.
pub(crate) async fn fetched(
    house: &House,
    wallet: &Wallet,
    serial: u32,
    licence: &Licence,
) -> String {
    let (code, typed) = offered(house, serial, licence).await;
    let access = access(house, &code, &typed).await.unwrap();
    let proof = wallet.proof(&nonce(house).await, ISSUER, seconds(house));
    let request = json!({
        "credential_configuration_id": licence.kind,
        "proofs": { "jwt": [proof] },
    });
    let answer = house
        .engine
        .vci_credential(&access, &request)
        .await
        .unwrap();
    answer["credentials"][0]["credential"]
        .as_str()
        .unwrap()
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_fetches_a_licence_and_shows_it() {
    for suite in [Suite::International, Suite::National] {
        each_store(|store| async move {
            let house = house_with(&store, suite).await;
            let serial = 1 + suite as u32;
            let licence = house.issue(driver(serial)).await;
            let wallet = Wallet::new(7);
            let document = fetched(&house, &wallet, serial, &licence).await;
            let me = resident(&citizen(serial));
            let uses = house
                .engine
                .wallet_uses(&me, &licence.identifier, None)
                .await
                .unwrap();
            assert_eq!(
                uses[0].way, "wallet",
                "the holder sees that it was handed over"
            );
            house.wait(Span::seconds(1));

            let clerk = officer("market");
            let ask = Ask {
                kind: "driver_permit".into(),
                fields: vec!["vehicle_class".into()],
                why: why(),
            };
            let asked = house.engine.vp_ask(&clerk, &ask, None).await.unwrap();
            let waiting = found_of(&house.engine, &clerk, &asked.state).await;
            assert!(waiting.unwrap().is_none());
            let request = &asked.request;
            assert!(
                asked
                    .url
                    .starts_with("openid4vp://?client_id=redirect_uri%3Ahttps")
            );
            assert_eq!(request["response_mode"], "direct_post");
            let query = &request["dcql_query"]["credentials"][0];
            assert_eq!(query["format"], "dc+sd-jwt");
            assert_eq!(query["claims"], json!([{"path": ["vehicle_class"]}]));
            let (aud, nonce) = (
                request["client_id"].as_str().unwrap(),
                request["nonce"].as_str().unwrap(),
            );
            // The wallet discloses more than was asked: only what was asked is shown.
            let names = ["vehicle_class", "holder_name"];
            let bound = wallet.bind(&document, &names, aud, nonce, seconds(&house));
            let post = form(&[
                ("state", &asked.state),
                ("vp_token", &json!({"licence": [bound]}).to_string()),
            ]);
            assert_eq!(house.engine.vp_response(&post).await.unwrap(), json!({}));
            let found = found_of(&house.engine, &clerk, &asked.state)
                .await
                .unwrap()
                .unwrap()
                .unwrap();
            assert_eq!(found.verdict, Verdict::Valid);
            assert_eq!(shown(&found), [("vehicle_class", &json!("C1"))]);
            // Once; for its asker only.
            assert_eq!(
                error(house.engine.vp_response(&post).await).1,
                "invalid_request"
            );
            let other = found_of(&house.engine, &officer("transport"), &asked.state).await;
            assert_eq!(crate::code(other), "input.not_found");
            let uses = house
                .engine
                .wallet_uses(&me, &licence.identifier, None)
                .await
                .unwrap();
            assert_eq!(uses[0].verifier, "示例超市");
            assert_eq!(uses[0].fields, ["vehicle_class"]);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offers_are_good_once_for_who_knows_the_code() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let (code, typed) = offered(&house, 1, &licence).await;
        let wrong = if typed == "000000" {
            "000001"
        } else {
            "000000"
        };
        let ask = |pairs: &[(&str, &str)]| {
            let (engine, form) = (house.engine.clone(), form(pairs));
            async move { error(engine.vci_token(&form).await) }
        };
        assert_eq!(ask(&[]).await, (400, "unsupported_grant_type".into()));
        assert_eq!(
            ask(&[("grant_type", GRANT)]).await,
            (400, "invalid_request".into())
        );
        let spent = (400, "invalid_grant".to_string());
        let pairs = [
            ("grant_type", GRANT),
            ("pre-authorized_code", "x"),
            ("tx_code", &typed),
        ];
        assert_eq!(ask(&pairs).await, spent);
        assert_eq!(error(access(&house, &code, wrong).await), spent);
        assert_eq!(error(access(&house, &code, "").await), spent);
        assert_eq!(
            error(access(&house, &code, &typed).await),
            (200, "ok".into())
        );
        assert_eq!(error(access(&house, &code, &typed).await), spent, "used");
        // Three wrong guesses end an offer, and ten minutes do.
        let (code, typed) = offered(&house, 1, &licence).await;
        for _ in 0..3 {
            assert_eq!(error(access(&house, &code, "abc").await), spent);
        }
        assert_eq!(error(access(&house, &code, &typed).await), spent);
        let (code, typed) = offered(&house, 1, &licence).await;
        house.wait(Span::minutes(10));
        assert_eq!(error(access(&house, &code, &typed).await), spent);
        // A code of a QR is no offer.
        let shown = house.present(1, &licence).await;
        assert_eq!(error(access(&house, &shown.token, &typed).await), spent);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_that_do_not_prove() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let (code, typed) = offered(&house, 1, &licence).await;
        let token = access(&house, &code, &typed).await.unwrap();
        let (wallet, now) = (Wallet::new(7), seconds(&house));
        let kind = json!("driver_permit");
        let ask = |request: Value, token: &str| {
            let (engine, token) = (house.engine.clone(), token.to_string());
            async move { error(engine.vci_credential(&token, &request).await) }
        };
        let with = |proof: String| json!({"credential_configuration_id": kind, "proofs": {"jwt": [proof]}});
        let good = nonce(&house).await;
        let sound = wallet.proof(&good, ISSUER, now);
        for (request, token, expect) in [
            (with(sound.clone()), "x", (401, "invalid_token")),
            (with(sound.clone()), &*code, (401, "invalid_token")),
            (json!({"proofs": {"jwt": [sound]}}), &*token, (400, "invalid_credential_request")),
            (json!({"credential_configuration_id": "food_permit"}), &*token, (400, "unknown_credential_configuration")),
            (json!({"credential_configuration_id": kind}), &*token, (400, "invalid_proof")),
            (json!({"credential_configuration_id": kind, "proofs": {"jwt": [sound, sound]}}), &*token, (400, "invalid_proof")),
            (with("a.b.c".into()), &*token, (400, "invalid_proof")),
            (with(wallet.proof(&good, "https://evil.example", now)), &*token, (400, "invalid_proof")),
            (with(wallet.proof(&good, ISSUER, now - 301)), &*token, (400, "invalid_proof")),
            (with(wallet.proof(&good, ISSUER, i64::MIN)), &*token, (400, "invalid_proof")),
            (with(wallet.proof("", ISSUER, now)), &*token, (400, "invalid_nonce")),
            (with(wallet.proof("mine", ISSUER, now)), &*token, (400, "invalid_nonce")),
        ] {
            let (status, name) = ask(request.clone(), token).await;
            assert_eq!((status, name.as_str()), expect, "{request}");
        }
        // The key of one under the signature of another.
        let header = json!({"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": Wallet::new(8).jwk()});
        let forged = wallet.sign(header, json!({"aud": ISSUER, "iat": now, "nonce": good}));
        assert_eq!(ask(with(forged), &token).await.1, "invalid_proof");
        // None of that used the token or the nonce up; after success both are.
        assert_eq!(ask(with(sound.clone()), &token).await.1, "ok");
        assert_eq!(ask(with(sound.clone()), &token).await.1, "invalid_token");
        let (code, typed) = offered(&house, 1, &licence).await;
        let token = access(&house, &code, &typed).await.unwrap();
        assert_eq!(ask(with(sound), &token).await.1, "invalid_nonce", "replayed");
        // Revoked between token and credential: denied, and the token still good for nothing else.
        house.change(&licence, State::Cancelled).await.unwrap();
        let fresh = wallet.proof(&nonce(&house).await, ISSUER, seconds(&house));
        assert_eq!(ask(with(fresh), &token).await.1, "credential_request_denied");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn presentations_that_do_not_count() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (one, firm) = (house.issue(driver(1)).await, house.issue(food(1)).await);
        let wallet = Wallet::new(7);
        let document = fetched(&house, &wallet, 1, &one).await;
        let bearer = house
            .engine
            .document(&resident(&citizen(1)), &one.identifier, &[])
            .await
            .unwrap();
        let mut agent = resident(&citizen(1));
        agent.standing.acts_for = Some(kernel::access::Party {
            tie: kernel::access::Tie::Agent,
            party: crate::firm(1),
            display: String::new(),
            document: "T".into(),
        });
        let clerk = officer("market");
        let ask = || async {
            let ask = Ask {
                kind: "driver_permit".into(),
                fields: vec![],
                why: why(),
            };
            let asked = house.engine.vp_ask(&clerk, &ask, None).await.unwrap();
            let text = |name: &str| asked.request[name].as_str().unwrap().to_string();
            (asked.state.clone(), text("client_id"), text("nonce"))
        };
        let post = |state: &str, document: String| {
            let engine = house.engine.clone();
            let form = form(&[
                ("state", state),
                ("vp_token", &json!({"licence": [document]}).to_string()),
            ]);
            async move { engine.vp_response(&form).await }
        };
        let verdict = |state: String| {
            let (engine, clerk) = (house.engine.clone(), clerk.clone());
            async move {
                found_of(&engine, &clerk, &state)
                    .await
                    .unwrap()
                    .unwrap()
                    .unwrap()
                    .verdict
            }
        };
        let now = seconds(&house);
        let names = ["holder_name", "vehicle_class"];
        // Signed for another request, another audience, by another key, long ago, or not at all.
        let (_, _, old_nonce) = ask().await;
        for n in 0..6 {
            let (state, aud, nonce) = ask().await;
            let bound = match n {
                0 => wallet.bind(&document, &names, &aud, &old_nonce, now),
                1 => wallet.bind(
                    &document,
                    &names,
                    "redirect_uri:https://evil.example",
                    &nonce,
                    now,
                ),
                2 => Wallet::new(8).bind(&document, &names, &aud, &nonce, now),
                3 => wallet.bind(&document, &names, &aud, &nonce, now - 301),
                4 => document.clone(),
                _ => bearer.clone(),
            };
            post(&state, bound).await.unwrap();
            assert_eq!(verdict(state).await, Verdict::Unknown, "{n}");
        }
        // A disclosure put in after the holder signed.
        let (state, aud, nonce) = ask().await;
        let bound = wallet.bind(&document, &["vehicle_class"], &aud, &nonce, now);
        let (_, named) = taken_apart(&document);
        let (issued, rest) = bound.split_once('~').unwrap();
        let more = format!("{issued}~{}~{rest}", named["holder_number"]);
        post(&state, more).await.unwrap();
        assert_eq!(verdict(state).await, Verdict::Unknown);
        // A request of another type, one that is over, one that never was, and nonsense.
        let (state, _, _) = ask().await;
        let theirs = house.engine.vci_offer(&agent, &firm.identifier).await;
        assert!(theirs.is_ok());
        for token in [
            "",
            "{}",
            "[]",
            "{\"licence\": []}",
            "{\"licence\": [1]}",
            "x",
        ] {
            let form = form(&[("state", &state), ("vp_token", token)]);
            assert_eq!(
                error(house.engine.vp_response(&form).await).1,
                "invalid_request"
            );
        }
        assert_eq!(error(post("x", bearer.clone()).await).1, "invalid_request");
        house.wait(Span::minutes(5));
        assert_eq!(error(post(&state, bearer).await).1, "invalid_request");
        // The holder says no.
        let (state, _, _) = ask().await;
        let no = form(&[("state", &state), ("error", "access_denied")]);
        house.engine.vp_response(&no).await.unwrap();
        let answer = found_of(&house.engine, &clerk, &state)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(answer.err().as_deref(), Some("access_denied"));
        // Revoked after it was fetched.
        house.change(&one, State::Withdrawn).await.unwrap();
        let (state, aud, nonce) = ask().await;
        let bound = wallet.bind(&document, &names, &aud, &nonce, seconds(&house));
        post(&state, bound).await.unwrap();
        assert_eq!(verdict(state).await, Verdict::Revoked);
    })
    .await;
}

/// A query is answered whole: a wallet that keeps back what was asked for verifies nothing, and
/// what is missing is named; the holder sees what the verifier was told.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_wallet_withholds_is_named() {
    each_store(|store| async move {
        let house = house(&store).await;
        let licence = house.issue(driver(1)).await;
        let wallet = Wallet::new(7);
        let document = fetched(&house, &wallet, 1, &licence).await;
        let clerk = officer("market");
        let fields = ["holder_name", "vehicle_class", "first_issued"];
        for (shown, missing) in [
            (&[][..], &fields[..]),
            (&["vehicle_class"][..], &["holder_name", "first_issued"][..]),
            (
                &["holder_name", "holder_number", "first_issued"][..],
                &["vehicle_class"][..],
            ),
            (&fields[..], &[][..]),
        ] {
            house.wait(Span::seconds(1));
            let ask = Ask {
                kind: "driver_permit".into(),
                fields: fields.map(String::from).to_vec(),
                why: why(),
            };
            let asked = house.engine.vp_ask(&clerk, &ask, None).await.unwrap();
            let text = |name: &str| asked.request[name].as_str().unwrap().to_string();
            let (aud, nonce) = (text("client_id"), text("nonce"));
            let bound = wallet.bind(&document, shown, &aud, &nonce, seconds(&house));
            let post = form(&[
                ("state", &asked.state),
                ("vp_token", &json!({"licence": [bound]}).to_string()),
            ]);
            house.engine.vp_response(&post).await.unwrap();
            let found = found_of(&house.engine, &clerk, &asked.state).await;
            let found = found.unwrap().unwrap().unwrap();
            assert_eq!(found.missing, missing);
            let me = resident(&citizen(1));
            let uses = house.engine.wallet_uses(&me, &licence.identifier, None);
            let told = uses.await.unwrap()[0].clone();
            if missing.is_empty() {
                assert_eq!(found.verdict, Verdict::Valid);
                assert_eq!(told.fields.len(), 3);
                continue;
            }
            assert_eq!(found.verdict, Verdict::Incomplete);
            assert!(found.fields.is_empty() && told.fields.is_empty());
            assert_eq!(told.verdict, "incomplete");
            if missing.contains(&"vehicle_class") {
                assert!(found.words.zh.contains("准驾车型"), "{}", found.words.zh);
                assert!(found.words.en.contains("Class"), "{}", found.words.en);
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_wallets_are_told_before() {
    each_store(|store| async move {
        let house = house(&store).await;
        let told = house.engine.issuer_metadata();
        assert_eq!(told["credential_issuer"], ISSUER);
        let driver = &told["credential_configurations_supported"]["driver_permit"];
        assert_eq!(driver["format"], "dc+sd-jwt");
        assert_eq!(
            driver["vct"],
            format!("{ISSUER}/licences/types/driver_permit")
        );
        let server = house.engine.authorization_metadata();
        assert_eq!(server["grant_types_supported"], json!([GRANT]));
        let kind = house.engine.type_metadata("driver_permit").unwrap();
        assert_eq!(kind["vct"], driver["vct"]);
        assert_eq!(house.engine.type_metadata("none"), None);
        let keys = house.engine.jwt_vc_issuer().unwrap();
        assert_eq!(keys["issuer"], ISSUER);
        assert_eq!(keys["jwks"]["keys"][0]["crv"], "P-256");
    })
    .await;
}
