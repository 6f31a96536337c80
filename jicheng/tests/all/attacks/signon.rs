//! Attacks on signing in: guessing, locking others out, learning who exists, fixation, CSRF,
//! replay, copies, mass assignment, oversized input.

use crate::access::concrete;
use crate::city::{Answer, PASSWORD, TestCity};
use kernel::{Access, Actor, Clock, ManualClock, Span, SystemClock};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;
use testkit::{Authenticator, one_time_code};

const HERE: &str = "http://localhost:8080";

fn post(body: Value) -> (&'static str, String) {
    ("application/json", body.to_string())
}

/// The pairs of the cookies an answer sets.
fn cookies(answer: &Answer) -> Vec<(String, String)> {
    let set = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    set.filter_map(|(_, value)| value.split(';').next()?.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

async fn clocked() -> (TestCity, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    (TestCity::start_on(clock.clone()).await, clock)
}

impl TestCity {
    async fn try_password(
        &self,
        account: &str,
        password: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (kind, body) = post(json!({"account": account, "password": password}));
        let body = Some((kind, body.as_str()));
        self.raw("POST", "/api/v1/session", None, headers, body)
            .await
    }

    async fn step(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.call("POST", path, token, Some(body)).await
    }

    /// A session with a one-time code added: its token, the secret, the recovery codes.
    async fn with_totp(&self, account: &str, now: i64) -> (String, String, Vec<String>) {
        let token = self.token(account).await;
        let path = "/api/v1/account/factors/totp";
        let new = self
            .step(path, Some(&token), json!({"name": "手机"}))
            .await
            .json();
        let secret = new["secret"].as_str().expect("a secret").to_string();
        let path = format!("{path}/{}", new["id"].as_str().expect("an id"));
        let code = json!({"code": one_time_code(&secret, now)});
        let done = self.step(&path, Some(&token), code).await;
        assert_eq!(done.status, 200, "{}", done.text);
        let done = done.json();
        let codes = done["recovery_codes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let codes = codes
            .iter()
            .filter_map(|c| c.as_str().map(String::from))
            .collect();
        let token = done["session"]["token"].as_str().expect("a token").into();
        (token, secret, codes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changing_route_needs_the_header_other_sites_cannot_send() {
    let city = TestCity::start().await;
    let token = city.token("operator").await;
    let cookie = format!("jicheng_session={token}");
    let (_, routes) = jicheng::http::table(&city.running.app);
    let mut tried = 0;
    for route in routes.iter().filter(|route| route.method != "GET") {
        let path = concrete(&route.path);
        let headers = [("cookie", cookie.as_str())];
        let answer = city
            .raw(
                route.method,
                &path,
                None,
                &headers,
                Some(("text/plain", "{}")),
            )
            .await;
        // Other sites post to the provider by design: there the cookie means nothing.
        if path.starts_with("/oauth2/") {
            let body = Some(("text/plain", "{}"));
            let bare = city.raw(route.method, &path, None, &[], body).await;
            assert_eq!(
                (answer.status, answer.text),
                (bare.status, bare.text),
                "{path}"
            );
            continue;
        }
        assert_eq!(
            answer.status, 403,
            "{} {path}: {}",
            route.method, answer.text
        );
        assert_eq!(
            answer.json()["code"],
            "access.denied",
            "{} {path}",
            route.method
        );
        tried += 1;
    }
    println!("{tried} changing routes refuse a cookie without X-CSRF");
    assert!(tried > 25, "only {tried} routes");
    // Nobody is signed in by another site either, with or without a session.
    for site in ["cross-site", "same-site"] {
        let answer = city
            .try_password("officer", PASSWORD, &[("sec-fetch-site", site)])
            .await;
        assert_eq!(answer.status, 403, "{site}: {}", answer.text);
    }
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_takes_a_field_it_does_not_know() {
    let city = TestCity::start().await;
    let roles = city.running.app.city.declared.roles();
    let all = identity::NewAccount {
        name: "all".into(),
        display: "all".into(),
        password: PASSWORD.into(),
        roles: roles.into_iter().map(|role| role.name).collect(),
        organisation: None,
    };
    let identity = &city.running.app.identity;
    identity
        .create(&Actor::system(), all)
        .await
        .expect("an account");
    let token = city.token("all").await;
    let (_, routes) = jicheng::http::table(&city.running.app);
    let mut tried = 0;
    let json = |takes: &str| !["", "ObservationBatch"].contains(&takes);
    for route in routes.iter().filter(|route| json(route.takes)) {
        let path = concrete(&route.path);
        for body in [
            r#"{"roles_of_mine_": ["operator"]}"#,
            r#"{"__proto__": {"disabled": false}}"#,
        ] {
            let token = Some(token.as_str());
            let body = Some(("application/json", body));
            let answer = city.raw(route.method, &path, token, &[], body).await;
            let refused = [400, 422].contains(&answer.status);
            assert!(
                refused,
                "{} {path}: {} {}",
                route.method, answer.status, answer.text
            );
            tried += 1;
        }
    }
    println!("{tried} bodies with unknown fields are refused");
    assert!(tried > 20, "only {tried} bodies");
    // A role cannot be slipped into what a person may change of their own.
    let mine = city.token("resident").await;
    let body = json!({"old": PASSWORD, "new": "Another-9f3b-words", "roles": ["operator"]});
    let answer = city
        .step("/api/v1/session/password", Some(&mine), body)
        .await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let session = city
        .call("GET", "/api/v1/session", Some(&mine), None)
        .await
        .json();
    assert_eq!(session["roles"], json!(["resident"]));
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_lacks_something_opens_nothing_else() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let body =
        json!({"name": "neu", "display": "新人", "password": PASSWORD, "roles": ["operator"]});
    let made = city
        .step("/api/v1/operator/accounts", Some(&operator), body)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = city.token("neu").await;
    let (_, routes) = jicheng::http::table(&city.running.app);
    let open = ["/api/v1/session", "/api/v1/session/password"];
    let mut tried = 0;
    for route in routes.iter().filter(|route| route.access != Access::Public) {
        if open.contains(&route.path.as_str()) {
            continue;
        }
        let path = concrete(&route.path);
        let answer = city.call(route.method, &path, Some(&token), None).await;
        let code = answer.json()["code"].clone();
        let expect = "access.password_change_required";
        assert_eq!(
            (answer.status, code),
            (403, json!(expect)),
            "{} {path}",
            route.method
        );
        tried += 1;
    }
    println!("{tried} routes wait for the password to be changed");
    let body = json!({"old": PASSWORD, "new": "Chosen-9f3b-by-me"});
    let changed = city
        .step("/api/v1/session/password", Some(&token), body)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let token = changed.json()["token"]
        .as_str()
        .expect("a token")
        .to_string();
    let health = city
        .call("GET", "/api/v1/operator/health", Some(&token), None)
        .await;
    assert_eq!(health.status, 200, "{}", health.text);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slow_and_locks_nobody_else_out() {
    let city = TestCity::start().await;
    // Her own browser has been here before.
    let first = city.try_password("officer", PASSWORD, &[]).await;
    let device = cookies(&first)
        .into_iter()
        .find(|(name, _)| name == "jicheng_device");
    let (name, value) = device.expect("a device cookie");
    let known = format!("{name}={value}");
    let mut looked_at = 0;
    for n in 0..40 {
        let answer = city
            .try_password("officer", &format!("guess-{n}-words"), &[])
            .await;
        match answer.status {
            401 => looked_at += 1,
            429 => {
                let wait = answer
                    .header("retry-after")
                    .and_then(|s| s.parse::<u32>().ok());
                assert!(wait.is_some_and(|s| s >= 1), "{answer:?}");
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    println!("{looked_at} of 40 guesses were looked at");
    assert!(looked_at <= 8, "{looked_at}");
    let own = city
        .try_password("officer", PASSWORD, &[("cookie", &known), ("x-csrf", "1")])
        .await;
    assert_eq!(
        own.status, 200,
        "her own browser at the same address: {}",
        own.text
    );
    let other = city.try_password("duty", PASSWORD, &[]).await;
    assert_eq!(
        other.status, 200,
        "another account at the same address: {}",
        other.text
    );
    // The forwarded address of somebody who is no proxy of ours counts for nothing.
    let forged = city
        .try_password("officer", PASSWORD, &[("x-forwarded-for", "203.0.113.9")])
        .await;
    assert_eq!(forged.status, 429, "{}", forged.text);
    city.stop().await;
}

/// The rank sum of `a` among both, as a number of standard deviations from what chance gives.
fn rank_sum(a: &[u128], b: &[u128]) -> f64 {
    let mut all: Vec<(u128, bool)> = a.iter().map(|t| (*t, true)).collect();
    all.extend(b.iter().map(|t| (*t, false)));
    all.sort();
    let ranks = all.iter().enumerate().filter(|(_, (_, mine))| *mine);
    let sum: f64 = ranks.map(|(rank, _)| rank as f64 + 1.0).sum();
    let (n, m) = (a.len() as f64, b.len() as f64);
    let expect = n * (n + m + 1.0) / 2.0;
    (sum - expect) / (n * m * (n + m + 1.0) / 12.0).sqrt()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_which_accounts_exist() {
    let city = TestCity::start().await;
    let identity = &city.running.app.identity;
    for n in 0..10 {
        let new = identity::NewAccount {
            name: format!("known{n}"),
            display: "x".into(),
            password: PASSWORD.into(),
            roles: vec![],
            organisation: None,
        };
        identity
            .create(&Actor::system(), new)
            .await
            .expect("an account");
        let off = identity::AccountChange {
            disabled: Some(n >= 5),
            ..identity::AccountChange::default()
        };
        let name = format!("known{n}");
        identity
            .change(&Actor::system(), &name, off, None)
            .await
            .expect("a change");
    }
    let mut times = [vec![], vec![]];
    let mut words = vec![];
    for round in 0..4 {
        for n in 0..10 {
            // In either order: what comes second may find the machine in another state.
            let mut pair = [(0, format!("known{n}")), (1, format!("nobody{n}"))];
            if (round + n) % 2 == 1 {
                pair.reverse();
            }
            for (kind, name) in pair {
                let begun = Instant::now();
                let answer = city.try_password(&name, "Wrong-9f3b-words", &[]).await;
                times[kind].push(begun.elapsed().as_micros());
                words.push((answer.status, answer.text));
                assert_eq!(words[0], words[words.len() - 1], "round {round} {name}");
            }
        }
    }
    // A disabled account with the right password says the same.
    let disabled = city.try_password("known9", PASSWORD, &[]).await;
    assert_eq!((disabled.status, disabled.text), words[0]);
    let z = rank_sum(&times[0], &times[1]);
    for list in &mut times {
        list.sort();
    }
    println!(
        "median known {} µs, unknown {} µs, rank sum {z:.2} standard deviations, {} each",
        times[0][20],
        times[1][20],
        times[0].len()
    );
    assert!(z.abs() < 4.0, "the time tells who exists: {z:.2}");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_never_one_the_attacker_knows() {
    let city = TestCity::start().await;
    let planted = format!("jcs_{}", "a".repeat(64));
    let attacker = city.token("resident").await;
    for before in [planted, attacker] {
        let cookie = format!("jicheng_session={before}");
        let headers = [("cookie", cookie.as_str()), ("x-csrf", "1")];
        let answer = city.try_password("officer", PASSWORD, &headers).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["token"]
            .as_str()
            .expect("a token")
            .to_string();
        assert_ne!(token, before);
        let path = "/api/v1/session";
        let old = city.call("GET", path, Some(&before), None).await;
        assert_eq!(
            old.status, 401,
            "what was planted is worth nothing: {}",
            old.text
        );
        // A new proof brings a new secret, too.
        let body = json!({"password": PASSWORD});
        let again = city
            .step("/api/v1/session/step-up", Some(&token), body)
            .await;
        assert_eq!(again.status, 200, "{}", again.text);
        assert_eq!(city.call("GET", path, Some(&token), None).await.status, 401);
    }
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_ends_with_the_password() {
    let city = TestCity::start().await;
    let (stolen, mine) = (city.token("officer").await, city.token("officer").await);
    let body = json!({"old": PASSWORD, "new": "Renewed-9f3b-words"});
    let changed = city
        .step("/api/v1/session/password", Some(&mine), body)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let fresh = changed.json()["token"]
        .as_str()
        .expect("a token")
        .to_string();
    for (token, status) in [(&stolen, 401), (&mine, 401), (&fresh, 200)] {
        let answer = city.call("GET", "/api/v1/session", Some(token), None).await;
        assert_eq!(answer.status, status, "{}", answer.text);
    }
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_not_replayed_and_recovery_codes_not_reused() {
    let (city, clock) = clocked().await;
    let (_, secret, recovery) = city.with_totp("officer", clock.now().0).await;
    let ask = async || {
        let answer = city.try_password("officer", PASSWORD, &[]).await.json();
        assert!(
            answer.get("token").is_none(),
            "no session before the second step"
        );
        answer["ticket"].as_str().expect("a ticket").to_string()
    };
    let show = async |ticket: &str, what: &str, value: &str| {
        let body = json!({"ticket": ticket, what: value});
        city.step("/api/v1/session/factor", None, body).await
    };
    clock.advance(Span::seconds(30));
    let code = one_time_code(&secret, clock.now().0);
    let ticket = ask().await;
    assert_eq!(show(&ticket, "code", &code).await.status, 200);
    let replayed = [
        show(&ticket, "code", &code).await,
        show(&ask().await, "code", &code).await,
        show(&ticket, "recovery", &recovery[5]).await,
    ];
    for answer in replayed {
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    assert_eq!(
        show(&ask().await, "recovery", &recovery[0]).await.status,
        200
    );
    let again = show(&ask().await, "recovery", &recovery[0]).await;
    assert_eq!(
        (again.status, again.json()["code"].as_str()),
        (401, Some("access.wrong_factor"))
    );
    // Two proofs at once, none, or a ticket for something else.
    let ticket = ask().await;
    let both = json!({"ticket": ticket, "code": code, "recovery": recovery[1]});
    assert_eq!(
        city.step("/api/v1/session/factor", None, both).await.status,
        422
    );
    let token = city.token("duty").await;
    let other = city
        .step("/api/v1/account/factors/passkey", Some(&token), json!({}))
        .await;
    let other = other.json()["ticket"]
        .as_str()
        .expect("a ticket")
        .to_string();
    let mixed = show(&other, "code", &code).await;
    assert_eq!(
        mixed.json()["code"],
        "access.sign_in_expired",
        "{}",
        mixed.text
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_is_bound_to_this_city() {
    let city = TestCity::start().await;
    let token = city.token("officer").await;
    let path = "/api/v1/account/factors/passkey";
    let begun = city.step(path, Some(&token), json!({})).await.json();
    let mut key = Authenticator::new(HERE, "localhost");
    let made = key.create(&begun["passkey"]);
    let body = json!({"ticket": begun["ticket"], "name": "钥匙", "passkey": made});
    let kept = city.call("PUT", path, Some(&token), Some(body)).await;
    assert_eq!(kept.status, 200, "{}", kept.text);
    let sign_in = async |key: &mut Authenticator| {
        let asked = city
            .step("/api/v1/session/passkey", None, json!({}))
            .await
            .json();
        let answer = key.get(&asked["passkey"]);
        let body = json!({"ticket": asked["ticket"], "passkey": answer});
        city.step("/api/v1/session/factor", None, body).await
    };
    let session = sign_in(&mut key).await;
    assert_eq!(
        session.json()["factors"],
        json!(["passkey"]),
        "{}",
        session.text
    );
    let mut phished = key.clone();
    phished.origin = "https://login.evil.example".into();
    let mut elsewhere = key.clone();
    elsewhere.rp_id = "evil.example".into();
    let mut copied = key.clone();
    copied.counter = 1;
    for thief in [&mut phished, &mut elsewhere, &mut copied] {
        let answer = sign_in(thief).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        assert_eq!(answer.json()["code"], "access.wrong_factor");
    }
    assert_eq!(sign_in(&mut key).await.status, 200);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dangerous_acts_ask_again_and_their_secrets_are_not_kept() {
    let (city, clock) = clocked().await;
    let (token, secret, _) = city.with_totp("operator", clock.now().0).await;
    clock.advance(Span::minutes(11));
    let (_, routes) = jicheng::http::table(&city.running.app);
    let fresh: Vec<_> = routes.iter().filter(|route| route.fresh).collect();
    assert!(fresh.len() >= 8, "{}", fresh.len());
    for route in &fresh {
        let path = concrete(&route.path);
        let answer = city.call(route.method, &path, Some(&token), None).await;
        let code = answer.json()["code"].clone();
        assert_eq!(
            (answer.status, code),
            (403, json!("access.step_up")),
            "{path}"
        );
    }
    let body = json!({"code": one_time_code(&secret, clock.now().0)});
    let again = city
        .step("/api/v1/session/step-up", Some(&token), body)
        .await
        .json();
    let token = again["token"].as_str().expect("a token").to_string();
    let path = "/api/v1/account/recovery-codes";
    let key = [("idempotency-key", "once")];
    let answer = city.raw("POST", path, Some(&token), &key, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let kept = city.running.app.store.documents();
    let kept = kept
        .list_by_prefix("idempotency", "", None, 10)
        .await
        .expect("documents");
    assert!(kept.is_empty(), "a secret was kept for a repeated request");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_are_for_this_host_and_no_script() {
    let plain = TestCity::start().await;
    let https = [
        ("public_url", "https://city.example.cn"),
        ("also_hosts", "localhost"),
    ];
    let secure = TestCity::start_with(&https).await;
    for (city, prefix, secured) in [(&plain, "", false), (&secure, "__Host-", true)] {
        let answer = city.try_password("officer", PASSWORD, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let set = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie");
        let set: Vec<&String> = set.map(|(_, value)| value).collect();
        assert_eq!(set.len(), 2, "{set:?}");
        for cookie in set {
            assert!(cookie.starts_with(&format!("{prefix}jicheng_")), "{cookie}");
            for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict"] {
                assert!(cookie.contains(attribute), "{cookie}");
            }
            assert!(!cookie.contains("Domain"), "{cookie}");
            assert_eq!(cookie.contains("; Secure"), secured, "{cookie}");
        }
        // A cookie of the other name, as a neighbouring host could set it, is nobody's session.
        let token = answer.json()["token"]
            .as_str()
            .expect("a token")
            .to_string();
        for (name, status) in [("jicheng_session", 200), ("__Host-jicheng_session", 401)] {
            let status = if secured { 601 - status } else { status };
            let cookie = format!("{name}={token}");
            let answer = city
                .raw("GET", "/api/v1/session", None, &[("cookie", &cookie)], None)
                .await;
            assert_eq!(answer.status, status, "{name}: {}", answer.text);
        }
    }
    plain.stop().await;
    secure.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_input_is_refused_unseen() {
    let city = TestCity::start().await;
    let long = "x".repeat(100_000);
    let begun = Instant::now();
    for (account, password) in [(long.as_str(), "x"), ("officer", long.as_str())] {
        let answer = city.try_password(account, password, &[]).await;
        assert_eq!(
            answer.json()["code"],
            "access.wrong_password",
            "{}",
            answer.text
        );
    }
    let huge = "x".repeat(400_000);
    for body in [
        json!({"account": huge, "password": "x"}),
        json!({"account": "x", "password": huge}),
    ] {
        assert_eq!(city.step("/api/v1/session", None, body).await.status, 413);
    }
    let body = json!({"ticket": long, "code": "000000"});
    let answer = city.step("/api/v1/session/factor", None, body).await;
    assert_eq!(answer.json()["code"], "access.sign_in_expired");
    let cookie = format!("jicheng_session=jcs_{long}");
    let answer = city
        .raw("GET", "/api/v1/session", None, &[("cookie", &cookie)], None)
        .await;
    assert!([401, 431].contains(&answer.status), "{}", answer.status);
    let token = format!("jcs_{}", "x".repeat(2_000_000));
    let answer = city
        .call("GET", "/api/v1/session", Some(&token), None)
        .await;
    assert!([0, 400, 431].contains(&answer.status), "{}", answer.status);
    println!("oversized input was refused within {:?}", begun.elapsed());
    assert_eq!(
        city.try_password("officer", PASSWORD, &[]).await.status,
        200
    );
    city.stop().await;
}
