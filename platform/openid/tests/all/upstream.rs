//! The city behind another provider: here a second instance of our own, called without a network.
//! A foreign one is tried in `jicheng/tests/clients`.

use crate::*;
use openid::{Arrival, Fetch, Incoming, Outgoing, UpstreamSpec};
use std::collections::BTreeMap;
use std::sync::Mutex;
use testkit::each_store;

const PROVINCE: &str = "https://province.example";

/// The provincial provider as the city reaches it, and what an attacker changes of its answers.
struct Province {
    house: House,
    change: Mutex<Option<Change>>,
    calls: Mutex<Vec<String>>,
}

/// An attacker's hand in an answer: path and JSON.
type Change = Box<dyn Fn(&str, &mut Value) + Send>;

#[async_trait::async_trait]
impl Fetch for Province {
    async fn fetch(&self, call: Outgoing) -> Result<Incoming, String> {
        let engine = &self.house.engine;
        let path = call
            .url
            .strip_prefix(PROVINCE)
            .ok_or("another host")?
            .to_string();
        self.calls.lock().unwrap().push(path.clone());
        let header = call
            .headers
            .iter()
            .find(|(name, _)| *name == "authorization");
        let authorization = header.map(|(_, value)| value.clone());
        let body = String::from_utf8(call.body).unwrap();
        let mut status = 200;
        let mut answer = match path.as_str() {
            "/.well-known/openid-configuration" => engine.discovery(),
            "/oauth2/jwks" => engine.jwks().unwrap(),
            "/oauth2/userinfo" => {
                let token = authorization.unwrap_or_default().replace("Bearer ", "");
                engine.userinfo(&token).await.unwrap()
            }
            "/oauth2/token" => {
                let proof = Proof {
                    authorization,
                    address: "192.0.2.7".into(),
                };
                match engine.token(&Params::read(&body), &proof).await {
                    Ok(answer) => answer,
                    Err(error) => {
                        status = error.status;
                        json!({ "error": error.error })
                    }
                }
            }
            _ => {
                return Ok(Incoming {
                    status: 404,
                    body: vec![],
                });
            }
        };
        if let Some(change) = &*self.change.lock().unwrap() {
            change(&path, &mut answer);
        }
        Ok(Incoming {
            status,
            body: answer.to_string().into_bytes(),
        })
    }
}

async fn set_up(
    store: Store,
    far: Store,
    spec: impl Fn(&mut UpstreamSpec),
) -> (House, Province, App) {
    let city = House::on(store).await;
    let province = House::on(far).await;
    province.engine.set_issuer(PROVINCE);
    let callback = format!("{ISSUER}/oauth2/upstream/province/callback");
    let app = province
        .register(ClientSpec {
            trusted: true,
            redirect_uris: vec![callback],
            ..crate::spec()
        })
        .await;
    let mut upstream = UpstreamSpec {
        name: Words::new("省统一身份认证", "Province"),
        issuer: PROVINCE.into(),
        client_id: app.id.clone(),
        secret_in_body: false,
        scopes: vec!["profile".into(), "roles".into(), "organisation".into()],
        roles_claim: Some("roles".into()),
        roles: BTreeMap::from([("duty".into(), vec!["environment_officer".into()])]),
        organisation_claim: Some("organisation".into()),
        organisations: BTreeMap::from([("o1".into(), "environment_bureau".into())]),
        makes_accounts: true,
    };
    spec(&mut upstream);
    let secret = app.secret.clone();
    city.engine
        .put_upstream(&operator(), "province", upstream, secret, false)
        .await
        .unwrap();
    let province = Province {
        house: province,
        change: Mutex::default(),
        calls: Mutex::default(),
    };
    (city, province, app)
}

/// Signs somebody in at the province for a request of the city; the parameters of the way back.
async fn there(province: &Province, to: &str, who: &str) -> String {
    let asked = url::Url::parse(to).unwrap();
    let params = Params::read(asked.query().unwrap());
    let pending = province.house.engine.authorise(&params).await.unwrap();
    let visitor = province.house.visitor(who);
    let step = province
        .house
        .engine
        .proceed(&pending, Some(&visitor))
        .await
        .unwrap();
    let Step::Return(address) = step else {
        panic!("{step:?}")
    };
    url::Url::parse(&address)
        .unwrap()
        .query()
        .unwrap()
        .to_string()
}

async fn arrive(city: &House, province: &Province) -> Result<Arrival, Fault> {
    let begun = city
        .engine
        .begin_upstream(province, "province", "/desk", None)
        .await?;
    let back = there(province, &begun.to, "li").await;
    let params = Params::read(&back);
    city.engine
        .finish_upstream(province, "province", &params, &begun.cookie)
        .await
}

/// Runs a test on two stores of a kind: the city's and the province's.
async fn each_pair<T: Future<Output = ()>>(test: impl Fn(Store, Store) -> T) {
    let test = &test;
    each_store(|store| async move {
        let folder = tempfile::tempdir().unwrap();
        test(store, Store::in_folder(folder.path()).await.unwrap()).await;
    })
    .await;
}

#[tokio::test]
async fn somebody_of_the_province_arrives_with_mapped_roles_and_is_linked() {
    each_pair(|store, far| async move {
        let (city, province, _) = set_up(store, far, |_| {}).await;
        let arrival = arrive(&city, &province).await.unwrap();
        let expected = Arrival {
            upstream: "province".into(),
            subject: "li".into(),
            account: None,
            display: "李测试".into(),
            wish: "li".into(),
            roles: Some(vec!["environment_officer".into()]),
            organisation: Some("environment_bureau".into()),
            makes_accounts: true,
            link_to: None,
            then: "/desk".into(),
        };
        assert_eq!(arrival, expected);
        city.engine
            .link(&operator(), "province", "li", "wang")
            .await
            .unwrap();
        assert_eq!(
            arrive(&city, &province).await.unwrap().account.as_deref(),
            Some("wang")
        );
        let taken = city.engine.link(&operator(), "province", "li", "li").await;
        assert_eq!(taken.unwrap_err().code, "input.conflict");
        // Discovery and keys were asked once for both.
        let calls = province.calls.lock().unwrap();
        assert_eq!(
            calls
                .iter()
                .filter(|path| path.contains("well-known"))
                .count(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn the_secret_is_sealed_and_never_shown() {
    each_pair(|store, far| async move {
        let (city, _, app) = set_up(store, far, |_| {}).await;
        let secret = app.secret.unwrap();
        let shown = city.engine.upstreams().await.unwrap();
        assert!(shown[0].has_secret && !json!(shown).to_string().contains(&secret));
        let mut reader = city.store.reader().await.unwrap();
        let row = store::openid::upstream(&mut reader, "province")
            .await
            .unwrap()
            .unwrap();
        let sealed = row.secret.unwrap();
        assert!(
            !sealed
                .windows(8)
                .any(|part| secret.as_bytes().windows(8).any(|w| w == part))
        );
    })
    .await;
}

#[tokio::test]
async fn mixed_up_issuers_forged_states_and_other_browsers_sign_nobody_in() {
    each_pair(|store, far| async move {
        let (city, province, _) = set_up(store, far, |_| {}).await;
        let begun = city
            .engine
            .begin_upstream(&province, "province", "/", None)
            .await
            .unwrap();
        let other = city
            .engine
            .begin_upstream(&province, "province", "/", None)
            .await
            .unwrap();
        let back = there(&province, &begun.to, "li").await;
        let finish = async |id: &str, back: &str, cookie: &str| {
            let params = Params::read(back);
            let outcome = city
                .engine
                .finish_upstream(&province, id, &params, cookie)
                .await;
            outcome.err().map(|fault| fault.code)
        };
        let refused = Some("openid.upstream");
        let iss = back
            .split('&')
            .find(|pair| pair.starts_with("iss="))
            .unwrap();
        let state = back
            .split('&')
            .find(|pair| pair.starts_with("state="))
            .unwrap();
        let cookie = &begun.cookie;
        for (what, back) in [
            (
                "another issuer",
                back.replace(iss, "iss=https%3A%2F%2Fevil.example"),
            ),
            ("no issuer", back.replace(&format!("&{iss}"), "")),
            ("another state", back.replace(state, "state=x")),
            ("no state", back.replace(state, "x=y")),
            ("state twice", format!("{back}&{state}")),
            ("an error", format!("error=access_denied&{state}&{iss}")),
            ("no code", format!("{state}&{iss}")),
            (
                "another code",
                format!("code=jcg_{}&{state}&{iss}", "0".repeat(64)),
            ),
        ] {
            assert_eq!(finish("province", &back, cookie).await, refused, "{what}");
        }
        assert_eq!(
            finish("province", &back, &other.cookie).await,
            refused,
            "another browser"
        );
        assert_eq!(finish("province", &back, "x").await, refused, "no browser");
        assert_eq!(
            finish("other", &back, cookie).await,
            refused,
            "another provider's address"
        );
        assert_eq!(finish("province", &back, cookie).await, None);
        assert_eq!(
            finish("province", &back, cookie).await,
            refused,
            "a code is good once"
        );
        let late = city
            .engine
            .begin_upstream(&province, "province", "/", None)
            .await
            .unwrap();
        let back = there(&province, &late.to, "li").await;
        city.clock.advance(Span::minutes(11));
        assert_eq!(
            finish("province", &back, &late.cookie).await,
            refused,
            "too late"
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_provider_says_falsely_is_not_believed() {
    each_pair(|store, far| async move {
        let (city, province, _) = set_up(store, far, |_| {}).await;
        assert!(arrive(&city, &province).await.is_ok());
        let key = crypto::TestKey::new("key-1");
        let forge = move |change: fn(&mut Value, &mut Value)| -> Change {
            let key = crypto::TestKey::new(&key.kid);
            Box::new(move |path, answer| {
                if path == "/oauth2/token" {
                    let mut header = json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" });
                    let mut body = claims(&text(answer, "id_token"));
                    change(&mut header, &mut body);
                    answer["id_token"] = json!(forged(&header, &body, |message| key.sign(message)));
                }
            })
        };
        let hands: Vec<(&str, Change)> = vec![
            ("another key", forge(|_, _| {})),
            (
                "no algorithm",
                forge(|header, _| header["alg"] = json!("none")),
            ),
            (
                "no token",
                Box::new(|path, answer| {
                    if path == "/oauth2/token" {
                        answer["id_token"] = Value::Null;
                    }
                }),
            ),
            (
                "userinfo of another",
                Box::new(|path, answer| {
                    if path == "/oauth2/userinfo" {
                        answer["sub"] = json!("wang");
                    }
                }),
            ),
        ];
        for (what, hand) in hands {
            *province.change.lock().unwrap() = Some(hand);
            let fault = arrive(&city, &province).await.unwrap_err();
            assert_eq!(fault.code, "openid.upstream", "{what}");
            assert!(!fault.words.zh.contains("key"), "people are not told how");
        }
        *province.change.lock().unwrap() = Some(Box::new(|path, answer| {
            if path == "/.well-known/openid-configuration" {
                answer["issuer"] = json!("https://evil.example");
            }
        }));
        city.clock.advance(Span::hours(2));
        province.house.clock.advance(Span::hours(2));
        assert_eq!(
            arrive(&city, &province).await.unwrap_err().code,
            "openid.upstream"
        );
    })
    .await;
}

#[tokio::test]
async fn claims_of_the_wrong_time_nonce_or_audience_sign_nobody_in() {
    each_pair(|store, far| async move {
        let (city, province, app) = set_up(store, far, |_| {}).await;
        // The province's own key, in an attacker's hand: everything but one claim is right.
        let crypto = province.house.crypto.clone();
        let resign = move |name: &'static str, value: Value| -> Change {
            let crypto = crypto.clone();
            Box::new(move |path, answer| {
                if path == "/oauth2/token" {
                    let mut body = claims(&text(answer, "id_token"));
                    body[name] = value.clone();
                    let header = json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT" });
                    answer["id_token"] = json!(forged(&header, &body, |message| {
                        use kernel::crypto::{Crypto, Ring};
                        crypto.sign(Ring::OpenId, message).unwrap().bytes
                    }));
                }
            })
        };
        let now = START.0 / 1_000_000;
        for (name, value, believed) in [
            ("x", json!(1), true),
            ("iss", json!("https://evil.example"), false),
            ("aud", json!("another"), false),
            ("aud", json!([app.id, "another"]), false),
            ("azp", json!("another"), false),
            ("aud", json!([app.id]), true),
            ("exp", json!(now - 61), false),
            ("exp", json!(now - 59), true),
            ("exp", Value::Null, false),
            ("iat", json!(now + 61), false),
            ("iat", json!(now + 59), true),
            ("nbf", json!(now + 61), false),
            ("nonce", json!("another"), false),
            ("nonce", Value::Null, false),
            ("sub", json!(""), false),
            ("sub", json!("x".repeat(256)), false),
        ] {
            *province.change.lock().unwrap() = Some(resign(name, value.clone()));
            let outcome = arrive(&city, &province).await;
            assert_eq!(outcome.is_ok(), believed, "{name} {value:.40}: {outcome:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn rotated_keys_are_fetched_anew_and_the_way_back_stays_inside() {
    each_pair(|store, far| async move {
        let (city, province, _) = set_up(store, far, |_| {}).await;
        assert!(arrive(&city, &province).await.is_ok());
        province.house.crypto.rotate();
        city.clock.advance(Span::seconds(31));
        province.house.clock.advance(Span::seconds(31));
        assert!(arrive(&city, &province).await.is_ok());
        for evil in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "evil",
        ] {
            let begun = city
                .engine
                .begin_upstream(&province, "province", evil, None)
                .await
                .unwrap();
            let back = there(&province, &begun.to, "li").await;
            let params = Params::read(&back);
            let arrival = city
                .engine
                .finish_upstream(&province, "province", &params, &begun.cookie)
                .await;
            assert_eq!(arrival.unwrap().then, "/", "{evil}");
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_providers_are_refused_whole() {
    each_pair(|store, far| async move {
        let (city, _, _) = set_up(store, far, |_| {}).await;
        let wrong = UpstreamSpec {
            name: Words::new("", ""),
            issuer: "http://province.example?x".into(),
            client_id: String::new(),
            secret_in_body: false,
            scopes: vec!["a b".into()],
            roles_claim: None,
            roles: BTreeMap::new(),
            organisation_claim: None,
            organisations: BTreeMap::new(),
            makes_accounts: false,
        };
        let fault = city
            .engine
            .put_upstream(&operator(), "X", wrong, None, false)
            .await
            .unwrap_err();
        let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(
            at,
            ["id", "name", "issuer", "issuer", "client_id", "scopes"]
        );
        assert_eq!(
            city.engine.upstream("X").await.unwrap_err().code,
            "input.not_found"
        );
    })
    .await;
}
