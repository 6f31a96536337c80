//! The Basic OP and Config OP certification plans, module by module; docs/openid-conformance.md
//! is the table. Names are those of the modules where one of ours follows one of theirs.

use crate::*;
use testkit::each_store;

#[tokio::test]
async fn server_code_flow_gives_an_id_token_with_every_claim() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let code = house.code_for(&app, "li", &[]).await;
        let answer = house.exchange(&app, &code, &[]).await.unwrap();
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["expires_in"], 600);
        assert_eq!(answer["scope"], "openid profile");
        assert!(answer.get("refresh_token").is_none(), "not asked for");
        let token = text(&answer, "id_token");
        let believed = openid::verify_foreign(&token, &keys(&house), &["ES256"]).unwrap();
        let now = START.0 / 1_000_000;
        let half = &Sha256::digest(text(&answer, "access_token").as_bytes())[..16];
        assert_eq!(
            believed,
            json!({
                "iss": ISSUER, "sub": "li", "aud": app.id, "exp": now + 600, "iat": now,
                "auth_time": now, "acr": openid::ACR_SINGLE, "amr": ["pwd"], "at_hash": b64(half),
                "nonce": "n-0S6_WzA2Mj", "sid": believed["sid"],
            })
        );
        assert_eq!(text(&believed, "sid").len(), 32);
    })
    .await;
}

#[tokio::test]
async fn response_type_missing_is_an_error_to_the_application() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let check = async |change: &[(&str, &str)], expect: &str| {
            assert_eq!(house.error(&app, change).await, expect, "{change:?}");
        };
        check(&[("response_type", "")], "invalid_request").await;
        check(&[("response_type", "token")], "unsupported_response_type").await;
        check(
            &[("response_type", "code id_token")],
            "unsupported_response_type",
        )
        .await;
        check(&[("response_mode", "fragment")], "invalid_request").await;
        check(&[("scope", "")], "invalid_request").await;
        check(&[("scope", "profile")], "invalid_scope").await;
        check(&[("request", "e30.e30.")], "request_not_supported").await;
        check(
            &[("request_uri", "https://app.example/r")],
            "request_uri_not_supported",
        )
        .await;
        check(&[("registration", "{}")], "registration_not_supported").await;
        check(&[("prompt", "dance")], "invalid_request").await;
        check(&[("prompt", "none login")], "invalid_request").await;
        check(&[("max_age", "-1")], "invalid_request").await;
        check(&[("max_age", "soon")], "invalid_request").await;
    })
    .await;
}

#[tokio::test]
async fn state_and_iss_are_returned_and_nonce_is_optional() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let pending = house.ask(&app, &[("nonce", "")]).await.unwrap();
        let visitor = house.visitor("li");
        let step = house
            .engine
            .decide(&pending, &visitor, true, false)
            .await
            .unwrap();
        let Step::Return(address) = step else {
            panic!("{step:?}")
        };
        assert!(
            address.starts_with("https://app.example/callback?code="),
            "{address}"
        );
        let found = query(&address);
        assert_eq!(
            (found["state"].as_str(), found["iss"].as_str()),
            ("s t&ate", ISSUER)
        );
        let answer = house.exchange(&app, &found["code"], &[]).await.unwrap();
        assert!(claims(&text(&answer, "id_token")).get("nonce").is_none());
        // An address that has a query keeps it.
        let other = "https://app.example/other?tenant=1";
        let pending = house.ask(&app, &[("redirect_uri", other)]).await.unwrap();
        let step = house
            .engine
            .decide(&pending, &visitor, true, false)
            .await
            .unwrap();
        let Step::Return(address) = step else {
            panic!("{step:?}")
        };
        assert!(
            address.starts_with("https://app.example/other?tenant=1&code="),
            "{address}"
        );
    })
    .await;
}

#[tokio::test]
async fn userinfo_gives_what_the_scopes_say_and_no_more() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let check = async |scope: &str, expect: Value| {
            let tokens = house.tokens(&app, "li", scope).await;
            let info = house.engine.userinfo(&text(&tokens, "access_token")).await.unwrap();
            assert_eq!(info, expect, "{scope}");
        };
        check("openid", json!({ "sub": "li" })).await;
        let profile = json!({
            "sub": "li", "name": "李测试", "preferred_username": "li", "zoneinfo": "Asia/Shanghai", "locale": "zh-CN",
        });
        check("openid profile", profile).await;
        check("openid email", json!({ "sub": "li", "email": "li@city.example", "email_verified": true })).await;
        let phone = json!({ "sub": "li", "phone_number": "+8613000000000", "phone_number_verified": false });
        check("openid phone", phone).await;
        check("openid address", json!({ "sub": "li" })).await;
        let work = json!({ "sub": "li", "organisation": "o1", "organisation_name": "环保局", "roles": ["duty"] });
        check("openid organisation roles", work).await;
        assert_eq!(word(house.engine.userinfo("jco_x").await), "invalid_token");
    })
    .await;
}

#[tokio::test]
async fn prompt_none_not_logged_in_is_login_required() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let pending = house.ask(&app, &[("prompt", "none")]).await.unwrap();
        let step = house.engine.proceed(&pending, None).await.unwrap();
        let Step::Return(address) = step else {
            panic!("{step:?}")
        };
        let found = query(&address);
        assert_eq!(
            (found["error"].as_str(), found["state"].as_str()),
            ("login_required", "s t&ate")
        );
        let plain = house.ask(&app, &[("login_hint", "li")]).await.unwrap();
        let hint = Some("li".to_string());
        assert_eq!(
            house.engine.proceed(&plain, None).await.unwrap(),
            Step::SignIn { again: false, hint }
        );
    })
    .await;
}

#[tokio::test]
async fn prompt_none_logged_in_needs_consent_once_and_then_nothing() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let visitor = house.visitor("li");
        assert_eq!(
            house.error(&app, &[("prompt", "none")]).await,
            "consent_required"
        );
        let pending = house.ask(&app, &[]).await.unwrap();
        house
            .engine
            .decide(&pending, &visitor, true, true)
            .await
            .unwrap();
        assert_eq!(house.error(&app, &[("prompt", "none")]).await, "");
        // More than was agreed to is asked for again; what was agreed to stays.
        assert_eq!(
            house
                .error(&app, &[("prompt", "none"), ("scope", "openid email")])
                .await,
            "consent_required"
        );
        assert_eq!(house.error(&app, &[("prompt", "consent")]).await, "Ask");
        assert_eq!(house.error(&app, &[]).await, "");
    })
    .await;
}

#[tokio::test]
async fn prompt_login_signs_in_anew_and_auth_time_moves() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        house.clock.advance(Span::minutes(5));
        let pending = house.ask(&app, &[("prompt", "login")]).await.unwrap();
        let mut visitor = house.visitor("li");
        let step = house
            .engine
            .proceed(&pending, Some(&visitor))
            .await
            .unwrap();
        assert_eq!(
            step,
            Step::SignIn {
                again: true,
                hint: None
            }
        );
        house.clock.advance(Span::seconds(5));
        visitor.auth_time = (START + Span::seconds(305)).0;
        let step = house
            .engine
            .proceed(&pending, Some(&visitor))
            .await
            .unwrap();
        let Step::Return(address) = step else {
            panic!("{step:?}")
        };
        let answer = house
            .exchange(&app, &query(&address)["code"], &[])
            .await
            .unwrap();
        let token = claims(&text(&answer, "id_token"));
        assert_eq!(token["auth_time"], START.0 / 1_000_000 + 305);
    })
    .await;
}

#[tokio::test]
async fn max_age_1_signs_in_anew_and_10000_does_not() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        house.clock.advance(Span::seconds(2));
        let check = async |change: &[(&str, &str)], expect: &str| {
            let found = house.error(&app, change).await;
            assert!(found.starts_with(expect), "{change:?}: {found}");
        };
        check(&[("max_age", "1")], "SignIn { again: true").await;
        check(&[("max_age", "1"), ("prompt", "none")], "login_required").await;
        assert_eq!(house.error(&app, &[("max_age", "10000")]).await, "");
        // Signed in for this request: even max_age=0 is content.
        let pending = house.ask(&app, &[("max_age", "0")]).await.unwrap();
        house.clock.advance(Span::seconds(9));
        let mut visitor = house.visitor("li");
        visitor.auth_time = (START + Span::seconds(5)).0;
        let step = house
            .engine
            .proceed(&pending, Some(&visitor))
            .await
            .unwrap();
        assert!(matches!(step, Step::Return(_)), "{step:?}");
    })
    .await;
}

#[tokio::test]
async fn id_token_hint_names_who_must_be_signed_in() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        let other = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        let tokens = house.tokens(&app, "li", "openid").await;
        let of_wang = house.tokens(&app, "wang", "openid").await;
        let of_other = house.tokens(&other, "li", "openid").await;
        let hint = |tokens: &Value| text(tokens, "id_token");
        assert_eq!(
            house
                .error(
                    &app,
                    &[("prompt", "none"), ("id_token_hint", &hint(&tokens))]
                )
                .await,
            ""
        );
        // An ID token that is over is still a hint.
        house.clock.advance(Span::hours(1));
        assert_eq!(
            house
                .error(
                    &app,
                    &[("prompt", "none"), ("id_token_hint", &hint(&tokens))]
                )
                .await,
            ""
        );
        let wrong = house
            .error(
                &app,
                &[("prompt", "none"), ("id_token_hint", &hint(&of_wang))],
            )
            .await;
        assert_eq!(wrong, "login_required");
        for hint in [
            hint(&of_other),
            "x.y.z".into(),
            text(&tokens, "access_token"),
        ] {
            assert_eq!(
                house.error(&app, &[("id_token_hint", &hint)]).await,
                "invalid_request"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn unknown_parameters_display_locales_acr_and_hints_are_no_errors() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        for change in [
            ("display", "page"),
            ("display", "popup"),
            ("ui_locales", "se"),
            ("claims_locales", "se"),
            ("acr_values", "1 2"),
            ("login_hint", "buffy@city.example"),
            ("extra", "foobar"),
            ("claims", "{\"userinfo\":{\"name\":{\"essential\":true}}}"),
        ] {
            assert_eq!(house.error(&app, &[change]).await, "", "{change:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn codereuse_is_refused_and_ends_what_it_gave() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let code = house
            .code_for(&app, "li", &[("scope", "openid offline_access")])
            .await;
        let answer = house.exchange(&app, &code, &[]).await.unwrap();
        // Thirty seconds later, as the plan has it.
        house.clock.advance(Span::seconds(30));
        assert_eq!(
            word(house.exchange(&app, &code, &[]).await),
            "invalid_grant"
        );
        let access = house.engine.userinfo(&text(&answer, "access_token")).await;
        assert_eq!(word(access), "invalid_token");
        assert_eq!(
            word(house.refresh(&app, &text(&answer, "refresh_token")).await),
            "invalid_grant"
        );
        assert!(
            house
                .deeds(&app)
                .await
                .contains(&"code replayed".to_string())
        );
    })
    .await;
}

#[tokio::test]
async fn refresh_token_is_rotated_and_keeps_subject_and_auth_time() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let first = house
            .tokens(&app, "li", "openid profile email offline_access")
            .await;
        house.clock.advance(Span::minutes(20));
        let narrow = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &text(&first, "refresh_token")),
            ("scope", "openid"),
        ];
        let second = house
            .engine
            .token(&form(&narrow), &app.proof())
            .await
            .unwrap();
        assert_ne!(second["refresh_token"], first["refresh_token"]);
        assert_eq!(second["scope"], "openid");
        let (before, after) = (
            claims(&text(&first, "id_token")),
            claims(&text(&second, "id_token")),
        );
        for claim in ["iss", "sub", "aud", "auth_time"] {
            assert_eq!(before[claim], after[claim], "{claim}");
        }
        assert!(after["iat"].as_i64() > before["iat"].as_i64());
        let info = house
            .engine
            .userinfo(&text(&second, "access_token"))
            .await
            .unwrap();
        assert_eq!(info, json!({ "sub": "li" }));
        // The next one stands for all that was agreed to again, and for nothing more.
        let third = house
            .refresh(&app, &text(&second, "refresh_token"))
            .await
            .unwrap();
        assert_eq!(third["scope"], "openid profile email offline_access");
        let wide = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &text(&third, "refresh_token")),
            ("scope", "openid phone"),
        ];
        let refused = house.engine.token(&form(&wide), &app.proof()).await;
        assert_eq!(word(refused), "invalid_scope");
    })
    .await;
}

#[tokio::test]
async fn every_method_of_client_authentication_and_only_the_registered_one() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let post = house
            .register(ClientSpec {
                method: Method::ClientSecretPost,
                ..spec()
            })
            .await;
        let public = house
            .register(ClientSpec {
                method: Method::None,
                ..spec()
            })
            .await;
        let basic = house.register(spec()).await;
        let none = Proof {
            authorization: None,
            address: "192.0.2.1".into(),
        };
        let in_body = |app: &App, code: &str| {
            let mut pairs = vec![
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", RETURN),
                ("code_verifier", VERIFIER),
                ("client_id", &app.id),
            ];
            let secret = app.secret.clone().unwrap_or_default();
            pairs.push(("client_secret", &secret));
            form(&pairs)
        };
        for app in [&post, &public] {
            let code = house.code_for(app, "li", &[]).await;
            let answer = house.engine.token(&in_body(app, &code), &none).await;
            assert!(answer.is_ok(), "{answer:?}");
        }
        let code = house.code_for(&basic, "li", &[]).await;
        let wrong = house
            .engine
            .token(&in_body(&basic, &code), &none)
            .await
            .unwrap_err();
        assert_eq!((wrong.error, wrong.status), ("invalid_client", 401));
        let twice = house
            .engine
            .token(&in_body(&basic, &code), &basic.proof())
            .await;
        assert_eq!(word(twice), "invalid_request");
        let wrong_method = house
            .engine
            .token(&form(&[("client_id", &post.id)]), &post.proof())
            .await;
        assert_eq!(word(wrong_method), "invalid_client");
        assert!(
            house.exchange(&basic, &code, &[]).await.is_ok(),
            "nothing of that used up the code"
        );
    })
    .await;
}

#[tokio::test]
async fn private_key_jwt_proves_an_application_once_per_assertion() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let key = crypto::TestKey::new("app-1");
        let method = Method::PrivateKeyJwt;
        let app = house
            .register(ClientSpec {
                method,
                jwks: Some(key.jwks()),
                ..spec()
            })
            .await;
        let now = START.0 / 1_000_000;
        let sound = json!({
            "iss": app.id, "sub": app.id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": "one",
        });
        let none = Proof {
            authorization: None,
            address: "192.0.2.1".into(),
        };
        let exchange = async |token: String| {
            let code = house.code_for(&app, "li", &[]).await;
            let pairs = [
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", RETURN),
                ("code_verifier", VERIFIER),
                ("client_assertion", &token),
                (
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ),
            ];
            word(house.engine.token(&form(&pairs), &none).await)
        };
        let changed = |name: &str, value: Value| {
            let mut claims = sound.clone();
            claims[name] = value;
            claims["jti"] = if name == "jti" {
                claims["jti"].clone()
            } else {
                json!(name)
            };
            claims
        };
        assert_eq!(exchange(assertion(&key, &sound)).await, "");
        assert_eq!(
            exchange(assertion(&key, &sound)).await,
            "invalid_client",
            "used before"
        );
        let endpoint = changed("aud", json!([format!("{ISSUER}/oauth2/token")]));
        assert_eq!(exchange(assertion(&key, &endpoint)).await, "");
        for (name, value) in [
            ("aud", json!("https://other.example")),
            ("iss", json!("somebody")),
            ("sub", json!("somebody")),
            ("exp", json!(now - 61)),
            ("exp", json!(now + 100_000)),
            ("exp", json!("soon")),
            ("nbf", json!(now + 61)),
            ("iat", json!(now + 61)),
            ("jti", json!("")),
        ] {
            let token = assertion(&key, &changed(name, value.clone()));
            assert_eq!(exchange(token).await, "invalid_client", "{name} {value}");
        }
        // A clock that is off by less than a minute is no reason.
        assert_eq!(
            exchange(assertion(&key, &changed("nbf", json!(now + 59)))).await,
            ""
        );
        let stranger = crypto::TestKey::new("app-1");
        assert_eq!(
            exchange(assertion(&stranger, &changed("x", json!(1)))).await,
            "invalid_client"
        );
    })
    .await;
}

#[tokio::test]
async fn discovery_names_every_endpoint_and_only_what_is_supported() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let document = house.engine.discovery();
        assert_eq!(document["issuer"], ISSUER);
        for (name, path) in [
            ("authorization_endpoint", "authorize"),
            ("token_endpoint", "token"),
            ("userinfo_endpoint", "userinfo"),
            ("jwks_uri", "jwks"),
            ("end_session_endpoint", "logout"),
            ("revocation_endpoint", "revoke"),
            ("introspection_endpoint", "introspect"),
        ] {
            assert_eq!(document[name], format!("{ISSUER}/oauth2/{path}"));
        }
        for (name, list) in [
            ("response_types_supported", json!(["code"])),
            ("subject_types_supported", json!(["public", "pairwise"])),
            ("id_token_signing_alg_values_supported", json!(["ES256"])),
            ("code_challenge_methods_supported", json!(["S256"])),
            (
                "grant_types_supported",
                json!(["authorization_code", "refresh_token"]),
            ),
        ] {
            assert_eq!(document[name], list, "{name}");
        }
        assert_eq!(document["request_parameter_supported"], false);
        assert_eq!(
            document["authorization_response_iss_parameter_supported"],
            true
        );
        let set = house.engine.jwks().unwrap();
        let key = &set["keys"][0];
        assert_eq!(
            (key["kty"].as_str(), key["alg"].as_str()),
            (Some("EC"), Some("ES256"))
        );
        assert!(key.get("d").is_none(), "nothing private");
    })
    .await;
}

#[tokio::test]
async fn keys_are_rotated_and_old_tokens_still_verify() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house
            .register(ClientSpec {
                trusted: true,
                ..spec()
            })
            .await;
        let old = text(&house.tokens(&app, "li", "openid").await, "id_token");
        house.crypto.rotate();
        let new = text(&house.tokens(&app, "li", "openid").await, "id_token");
        assert_eq!(
            house.engine.jwks().unwrap()["keys"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
        for token in [&old, &new] {
            assert!(openid::verify_foreign(token, &keys(&house), &["ES256"]).is_ok());
        }
        assert_eq!(
            house
                .error(&app, &[("prompt", "none"), ("id_token_hint", &old)])
                .await,
            ""
        );
    })
    .await;
}

#[tokio::test]
async fn pairwise_subjects_differ_by_sector_and_stay() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let subject = SubjectKind::Pairwise;
        let pair = |uri: &str, sector: Option<&str>| ClientSpec {
            subject,
            trusted: true,
            redirect_uris: vec![RETURN.into(), uri.into()],
            sector: sector.map(String::from),
            ..spec()
        };
        let same_host = pair("https://app.example/b", None);
        let one = house.register(same_host.clone()).await;
        let two = house.register(same_host).await;
        let far = house
            .register(pair("https://far.example/", Some("far.example")))
            .await;
        let sub = async |app: &App, who: &str| {
            let tokens = house.tokens(app, who, "openid").await;
            let sub = text(&claims(&text(&tokens, "id_token")), "sub");
            let info = house
                .engine
                .userinfo(&text(&tokens, "access_token"))
                .await
                .unwrap();
            assert_eq!(info["sub"], sub, "userinfo says the same");
            sub
        };
        assert_eq!(sub(&one, "li").await, sub(&two, "li").await);
        assert_eq!(sub(&one, "li").await, sub(&one, "li").await);
        assert_ne!(sub(&one, "li").await, sub(&far, "li").await);
        assert_ne!(sub(&one, "li").await, sub(&one, "wang").await);
        assert!(!sub(&one, "li").await.contains("li"));
        let unclear = house
            .engine
            .register(&operator(), pair("https://far.example/", None))
            .await;
        assert_eq!(unclear.unwrap_err().problems[0].at, "sector");
    })
    .await;
}

#[test]
fn every_test_named_in_the_table_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let table = read("docs/openid-conformance.md");
    let mut named = 0;
    for line in table.lines().filter(|line| line.starts_with("| `oidcc-")) {
        let cell = line.split('|').nth(3).unwrap().trim();
        if cell.starts_with("not offered") {
            continue;
        }
        let mut found = false;
        for reference in cell.split('`').filter(|part| part.contains("::")) {
            let (file, test) = reference.split_once("::").unwrap();
            let source = read(file);
            let definition = [format!("fn {test}("), format!("def {test}(")];
            assert!(
                definition.iter().any(|d| source.contains(d)),
                "{reference} of {line}"
            );
            found = true;
            named += 1;
        }
        assert!(found, "no test in {line}");
    }
    assert!(named >= 30, "only {named} tests are named");
}
