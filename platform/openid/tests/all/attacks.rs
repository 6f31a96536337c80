//! The attackers: each test is one of theirs, and says what it must not reach.

use crate::*;
use ring::hmac;
use testkit::each_store;

#[tokio::test]
async fn a_stolen_refresh_token_ends_the_whole_family() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let other = house.register(spec()).await;
        let first = house.tokens(&app, "li", "openid offline_access").await;
        let stolen = text(&first, "refresh_token");
        // With the proof of another application it is nothing, and stays good for its own.
        assert_eq!(word(house.refresh(&other, &stolen).await), "invalid_grant");
        let second = house.refresh(&app, &stolen).await.unwrap();
        let third = house
            .refresh(&app, &text(&second, "refresh_token"))
            .await
            .unwrap();
        // The thief comes second: everybody is out, the rightful holder too.
        assert_eq!(word(house.refresh(&app, &stolen).await), "invalid_grant");
        assert_eq!(
            word(house.refresh(&app, &text(&third, "refresh_token")).await),
            "invalid_grant"
        );
        for tokens in [&first, &second, &third] {
            let info = house.engine.userinfo(&text(tokens, "access_token")).await;
            assert_eq!(word(info), "invalid_token");
        }
        let deeds = house.deeds(&app).await;
        assert!(
            deeds.contains(&"refresh token replayed".to_string()),
            "{deeds:?}"
        );
        assert!(house.store.audit().verify().await.unwrap().damage.is_none());
    })
    .await;
}

#[tokio::test]
async fn many_at_once_with_one_refresh_token_or_code_get_one_answer() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let tokens = house.tokens(&app, "li", "openid offline_access").await;
        let token = text(&tokens, "refresh_token");
        let code = house.code_for(&app, "li", &[]).await;
        let (refreshes, codes) = tokio::join!(
            async {
                let all = (0..20).map(|_| house.refresh(&app, &token));
                futures_join(all).await
            },
            async {
                let all = (0..20).map(|_| house.exchange(&app, &code, &[]));
                futures_join(all).await
            }
        );
        let good = |all: &[Result<Value, OAuthError>]| all.iter().filter(|a| a.is_ok()).count();
        assert_eq!((good(&refreshes), good(&codes)), (1, 1));
        // And that one is worth nothing any more.
        for answer in refreshes.iter().chain(&codes).flatten() {
            let info = house.engine.userinfo(&text(answer, "access_token")).await;
            assert_eq!(word(info), "invalid_token");
        }
    })
    .await;
}

/// All of them at once, in order.
async fn futures_join<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in all.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test]
async fn an_injected_code_is_useless_to_another_client_verifier_or_address() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let thief = house.register(spec()).await;
        let public = house
            .register(ClientSpec {
                method: Method::None,
                ..spec()
            })
            .await;
        let code = house.code_for(&app, "li", &[]).await;
        let other = "A".repeat(43);
        assert_eq!(
            word(house.exchange(&thief, &code, &[]).await),
            "invalid_grant"
        );
        assert_eq!(
            word(house.exchange(&public, &code, &[]).await),
            "invalid_grant"
        );
        for change in [
            ("code_verifier", other.as_str()),
            ("code_verifier", ""),
            ("code_verifier", "short"),
            ("redirect_uri", "https://app.example/other?tenant=1"),
            ("redirect_uri", ""),
            ("code", "jcg_"),
            ("code", &"x".repeat(15_000)),
            ("grant_type", "password"),
            ("grant_type", "client_credentials"),
            ("grant_type", ""),
        ] {
            let answer = house.exchange(&app, &code, &[change]).await;
            assert!(answer.is_err(), "{change:.60?}");
        }
        let deeds = house.deeds(&thief).await;
        assert!(
            deeds.contains(&"secret of another application shown".to_string()),
            "{deeds:?}"
        );
        // None of it was the rightful exchange.
        assert!(house.exchange(&app, &code, &[]).await.is_ok());
        let late = house.code_for(&app, "li", &[]).await;
        house.clock.advance(Span::seconds(61));
        assert_eq!(
            word(house.exchange(&app, &late, &[]).await),
            "invalid_grant"
        );
    })
    .await;
}

#[tokio::test]
async fn pkce_cannot_be_left_out_or_weakened() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let public = house
            .register(ClientSpec {
                method: Method::None,
                ..spec()
            })
            .await;
        let confidential = house.register(spec()).await;
        for app in [&public, &confidential] {
            for change in [
                ("code_challenge", ""),
                ("code_challenge_method", ""),
                ("code_challenge_method", "plain"),
                ("code_challenge", "short"),
                ("code_challenge", VERIFIER.repeat(2).as_str()),
            ] {
                assert_eq!(
                    house.error(app, &[change]).await,
                    "invalid_request",
                    "{change:?}"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn ensure_registered_redirect_uri_nobody_is_sent_anywhere_else() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let loopback = "http://127.0.0.1:4000/cb";
        let uris = vec![
            RETURN.to_string(),
            loopback.into(),
            "https://app.example/a/".into(),
        ];
        let app = house
            .register(ClientSpec {
                redirect_uris: uris,
                ..spec()
            })
            .await;
        let tricks = [
            "https://app.example/callback/",
            "https://app.example/callback/../evil",
            "https://app.example/callback%2f..%2fevil",
            "https://app.example/callbackevil",
            "https://app.example/callback?x=1",
            "https://app.example/callback?",
            "https://app.example/callback#x",
            "https://app.example/callback%00",
            "https://app.example/callback%0d%0aLocation:%20https://evil.example",
            "https://app.example/callback;evil",
            "https://app.example//callback",
            "https://app.example/Callback",
            "https://APP.example/callback",
            "HTTPS://app.example/callback",
            "http://app.example/callback",
            "https://app.example:443/callback",
            "https://app.example:8443/callback",
            "https://app.example.evil.example/callback",
            "https://evil.example/callback",
            "https://evil.example/https://app.example/callback",
            "https://evil.example?https://app.example/callback",
            "https://evil.example#https://app.example/callback",
            "https://app.example@evil.example/callback",
            "https://app.example:x@evil.example/callback",
            "https://app.example%2f@evil.example/callback",
            "https://evil.example\\@app.example/callback",
            "https:\\\\app.example/callback",
            "https:/app.example/callback",
            "//app.example/callback",
            "/callback",
            "app.example/callback",
            "javascript:alert(1)",
            "javascript://app.example/callback%0aalert(1)",
            "data:text/html,hello",
            "https://app.example/a",
            "https://app.example/a/b",
            "https://app.example/a/..",
            "http://127.0.0.1:4001/cb",
            "http://127.0.0.1/cb",
            "http://localhost:4000/cb",
            "http://[::1]:4000/cb",
            "http://127.1:4000/cb",
            "http://2130706433:4000/cb",
            "http://127.0.0.1.evil.example:4000/cb",
            "http://127.0.0.1:4000@evil.example/cb",
            " https://app.example/callback",
            "https://app.example/callback ",
            "https://аpp.example/callback",
            "",
        ];
        for uri in tricks {
            let found = house.error(&app, &[("redirect_uri", uri)]).await;
            assert_eq!(found, "shown", "{uri}");
            // Nor with anything else wrong, so that an error cannot be made to travel.
            let found = house
                .error(&app, &[("redirect_uri", uri), ("response_type", "x")])
                .await;
            assert_eq!(found, "shown", "{uri}");
        }
        for uri in [RETURN, loopback] {
            assert_eq!(
                house.error(&app, &[("redirect_uri", uri)]).await,
                "Ask",
                "{uri}"
            );
        }
        let twice = format!(
            "client_id={}&redirect_uri={RETURN}&redirect_uri=https://evil.example",
            app.id
        );
        let found = house.engine.authorise(&Params::read(&twice)).await;
        assert!(matches!(found, Err(NotAuthorised::Show(_))), "{found:?}");
        let stranger = App {
            id: "nobody".into(),
            secret: None,
        };
        assert_eq!(house.error(&stranger, &[]).await, "shown");
    })
    .await;
}

#[tokio::test]
async fn tokens_with_a_false_algorithm_key_or_curve_are_not_believed() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        let real = text(&house.tokens(&app, "li", "openid").await, "id_token");
        let body = claims(&real);
        let set = house.engine.jwks().unwrap();
        let public = set["keys"][0]["x"].as_str().unwrap().as_bytes().to_vec();
        let thief = crypto::TestKey::new("key-1");
        let none = |_: &[u8]| vec![];
        let mac = |message: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &public);
            hmac::sign(&key, message).as_ref().to_vec()
        };
        let whole = set.to_string();
        let mac_whole = |message: &[u8]| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, whole.as_bytes());
            hmac::sign(&key, message).as_ref().to_vec()
        };
        let own = |message: &[u8]| thief.sign(message);
        let zero = |_: &[u8]| vec![0; 64];
        let header = |alg: &str, kid: &str| json!({ "alg": alg, "kid": kid, "typ": "JWT" });
        let embedded = json!({
            "alg": "ES256", "kid": "key-1", "typ": "JWT", "jwk": thief.jwks()["keys"][0],
            "jku": "https://evil.example/jwks",
        });
        let critical =
            json!({ "alg": "ES256", "kid": "key-1", "typ": "JWT", "crit": ["x"], "x": 1 });
        let mut forgeries = vec![
            forged(&header("none", "key-1"), &body, none),
            forged(&header("None", "key-1"), &body, none),
            forged(&header("nOnE", "key-1"), &body, own),
            forged(&header("HS256", "key-1"), &body, mac),
            forged(&header("HS256", "key-1"), &body, mac_whole),
            forged(&header("ES256", "key-1"), &body, own),
            forged(&header("ES256", "key-9"), &body, own),
            forged(&header("ES384", "key-1"), &body, own),
            forged(&header("RS256", "key-1"), &body, own),
            forged(&header("ES256K", "key-1"), &body, own),
            forged(&header("ES256", "key-1"), &body, zero),
            forged(&header("ES256", "key-1"), &body, none),
            forged(&embedded, &body, own),
            forged(&critical, &body, own),
            forged(&json!({ "kid": "key-1" }), &body, own),
            forged(&json!([]), &body, own),
        ];
        let (message, signature) = real.rsplit_once('.').unwrap();
        forgeries.push(message.to_string());
        forgeries.push(format!("{message}."));
        forgeries.push(format!("{message}.{signature}."));
        forgeries.push(format!("{message}.{signature}{}", "A".repeat(20_000)));
        for token in &forgeries {
            let found = house
                .error(&app, &[("prompt", "none"), ("id_token_hint", token)])
                .await;
            assert!(
                ["invalid_request", "shown"].contains(&found.as_str()),
                "{found} {token:.90}"
            );
            for algs in [&openid::ALGORITHMS[..], &["ES256", "HS256", "none"]] {
                let believed = openid::verify_foreign(token, &keys(&house), algs);
                assert!(believed.is_err(), "{token:.90}");
            }
        }
        assert_eq!(
            house
                .error(&app, &[("prompt", "none"), ("id_token_hint", &real)])
                .await,
            ""
        );
        // Whoever wants another algorithm does not get this one.
        let unwanted = openid::verify_foreign(&real, &keys(&house), &["RS256"]);
        assert_eq!(unwanted, Err(openid::Unsound::Form));
    })
    .await;
}

#[tokio::test]
async fn a_sealed_request_cannot_be_made_changed_kept_or_moved() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let pending = house.ask(&app, &[]).await.unwrap();
        let sealed = house.engine.seal_pending(&pending).unwrap();
        assert_eq!(house.engine.open_pending(&sealed).unwrap(), pending);
        let mut changed = sealed.clone().into_bytes();
        changed[30] ^= 1;
        let changed = String::from_utf8_lossy(&changed).into_owned();
        let logout = openid::LogoutAsk {
            client: None,
            to: Some("https://evil.example".into()),
            at: START.0,
        };
        let logout = house.engine.seal_logout(&logout).unwrap();
        for text in [
            changed.as_str(),
            &logout,
            "",
            "x",
            &b64(b"{}"),
            &"A".repeat(10_000),
        ] {
            assert!(house.engine.open_pending(text).is_err(), "{text:.40}");
        }
        assert!(house.engine.open_logout(&sealed).is_err());
        house.clock.advance(Span::minutes(21));
        assert!(house.engine.open_pending(&sealed).is_err(), "it is over");
    })
    .await;
}

#[tokio::test]
async fn guesses_at_a_client_secret_are_slowed_down_for_the_guesser_only() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let guess = App {
            secret: Some("jcc_guess".into()),
            ..app.clone()
        };
        let mut statuses = vec![];
        for _ in 0..12 {
            statuses.push(house.refresh(&guess, "x").await.unwrap_err().status);
        }
        assert_eq!(statuses, [vec![401; 11], vec![429]].concat());
        let mut elsewhere = app.proof();
        elsewhere.address = "192.0.2.99".into();
        let pairs = form(&[("grant_type", "refresh_token"), ("refresh_token", "x")]);
        let answer = house.engine.token(&pairs, &elsewhere).await;
        assert_eq!(
            word(answer),
            "invalid_grant",
            "the rightful one elsewhere is not slowed down"
        );
    })
    .await;
}

#[tokio::test]
async fn oversized_and_doubled_parameters_are_refused() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let long = "x".repeat(3000);
        assert_eq!(house.error(&app, &[("state", &long)]).await, "invalid_request");
        assert_eq!(house.error(&app, &[("nonce", &long)]).await, "invalid_request");
        assert_eq!(house.error(&app, &[("login_hint", &long)]).await, "invalid_request");
        let longer = "x".repeat(20_000);
        assert_eq!(house.error(&app, &[("state", &longer)]).await, "shown");
        assert_eq!(house.error(&app, &[("client_id", &longer)]).await, "shown");
        let code = house.code_for(&app, "li", &[]).await;
        let doubled = format!(
            "grant_type=authorization_code&code={code}&code={code}&redirect_uri={RETURN}&code_verifier={VERIFIER}"
        );
        let answer = house.engine.token(&Params::read(&doubled), &app.proof()).await;
        assert_eq!(word(answer), "invalid_request");
        let huge = Proof { authorization: Some(format!("Basic {}", "QQ==".repeat(5000))), address: String::new() };
        assert_eq!(word(house.engine.token(&Params::read("grant_type=x"), &huge).await), "invalid_client");
        assert!(house.exchange(&app, &code, &[]).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn answers_never_say_whether_a_client_exists() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let wrong = App {
            secret: Some("jcc_wrong".into()),
            ..app
        };
        let nobody = App {
            id: "01nobody".into(),
            secret: Some("jcc_wrong".into()),
        };
        let (one, two) = (
            house.refresh(&wrong, "x").await,
            house.refresh(&nobody, "x").await,
        );
        assert_eq!(one, two);
    })
    .await;
}

#[tokio::test]
async fn one_person_gets_so_many_authorisations_a_minute() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        let pending = house.ask(&app, &[]).await.unwrap();
        for _ in 0..60 {
            house
                .engine
                .proceed(&pending, Some(&house.visitor("li")))
                .await
                .unwrap();
        }
        let fault = house
            .engine
            .proceed(&pending, Some(&house.visitor("li")))
            .await
            .unwrap_err();
        assert_eq!((fault.status(), fault.retry_after_s), (429, Some(60)));
        assert!(
            house
                .engine
                .proceed(&pending, Some(&house.visitor("wang")))
                .await
                .is_ok()
        );
    })
    .await;
}
