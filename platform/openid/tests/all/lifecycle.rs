//! The life of applications, consent, tokens: registered, changed, given a new secret, disabled;
//! given, taken back; revoked, asked about, over.

use crate::*;
use openid::ClientChange;
use testkit::each_store;

#[tokio::test]
async fn wrong_registrations_are_refused_whole_with_every_fault() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let wrong = ClientSpec {
            name: Words::new("", "x"),
            purpose: Words::new("用途", ""),
            redirect_uris: vec!["http://app.example/cb".into(), "https://*.example".into()],
            backchannel_logout_uri: Some("cn.app:/hear".into()),
            scopes: vec!["profile".into(), "everything".into()],
            method: Method::PrivateKeyJwt,
            ..spec()
        };
        let fault = house.engine.register(&operator(), wrong).await.unwrap_err();
        let mut at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        at.sort();
        let expected = [
            "backchannel_logout_uri/0",
            "jwks",
            "name",
            "purpose",
            "redirect_uris/0",
            "redirect_uris/1",
            "scopes",
            "scopes",
        ];
        assert_eq!(at, expected);
        assert!(house.engine.clients("", 10).await.unwrap().items.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_shown_once_rotated_with_an_overlap_and_never_stored() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let secret = app.secret.clone().unwrap();
        let info = &house.engine.clients("", 10).await.unwrap().items[0];
        assert!(!json!(info).to_string().contains(&secret[..20]));
        let mut reader = house.store.reader().await.unwrap();
        let row = store::openid::client(&mut reader, &app.id)
            .await
            .unwrap()
            .unwrap();
        drop(reader);
        assert!(
            !format!("{row:?}").contains(&secret[4..]),
            "only a hash is kept"
        );
        let new = house
            .engine
            .rotate_secret(&operator(), &app.id, false)
            .await
            .unwrap();
        let newer = App {
            secret: Some(new),
            ..app.clone()
        };
        for app in [&app, &newer] {
            assert_eq!(
                word(house.refresh(app, "x").await),
                "invalid_grant",
                "both count for a day"
            );
        }
        house.clock.advance(Span::hours(25));
        assert_eq!(word(house.refresh(&app, "x").await), "invalid_client");
        assert_eq!(word(house.refresh(&newer, "x").await), "invalid_grant");
        let last = house
            .engine
            .rotate_secret(&operator(), &app.id, true)
            .await
            .unwrap();
        assert_eq!(
            word(house.refresh(&newer, "x").await),
            "invalid_client",
            "it leaked: at once"
        );
        let last = App {
            secret: Some(last),
            ..app.clone()
        };
        assert_eq!(word(house.refresh(&last, "x").await), "invalid_grant");
        assert_eq!(
            house.deeds(&app).await,
            ["secret rotated", "secret rotated", "application registered"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_disabled_application_is_out_at_once() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let tokens = house.tokens(&app, "li", "openid offline_access").await;
        let pending = house.ask(&app, &[]).await.unwrap();
        let off = |disabled| ClientChange {
            disabled: Some(disabled),
            ..ClientChange::default()
        };
        let stale = house
            .engine
            .change_client(&operator(), &app.id, off(true), Some(9))
            .await;
        assert_eq!(stale.unwrap_err().code, "input.stale");
        house
            .engine
            .change_client(&operator(), &app.id, off(true), Some(1))
            .await
            .unwrap();
        assert_eq!(house.error(&app, &[]).await, "shown");
        assert!(
            house
                .engine
                .proceed(&pending, Some(&house.visitor("li")))
                .await
                .is_err()
        );
        assert_eq!(
            word(house.refresh(&app, &text(&tokens, "refresh_token")).await),
            "invalid_client"
        );
        let access = text(&tokens, "access_token");
        assert_eq!(word(house.engine.userinfo(&access).await), "invalid_token");
        // Enabled again it starts anew.
        house
            .engine
            .change_client(&operator(), &app.id, off(false), None)
            .await
            .unwrap();
        assert_eq!(word(house.engine.userinfo(&access).await), "invalid_token");
        assert_eq!(house.error(&app, &[]).await, "Ask");
    })
    .await;
}

#[tokio::test]
async fn consent_is_listed_and_taken_back() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let visitor = house.visitor("li");
        let pending = house
            .ask(&app, &[("scope", "openid email offline_access")])
            .await
            .unwrap();
        let step = house
            .engine
            .decide(&pending, &visitor, true, true)
            .await
            .unwrap();
        let Step::Return(address) = step else {
            panic!("{step:?}")
        };
        let tokens = house
            .exchange(&app, &query(&address)["code"], &[])
            .await
            .unwrap();
        let list = house.engine.connected("li").await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].client.as_str(), list[0].offline),
            (app.id.as_str(), true)
        );
        assert_eq!(list[0].remembered, ["openid", "email", "offline_access"]);
        assert!(house.engine.connected("wang").await.unwrap().is_empty());
        let missing = house
            .engine
            .disconnect(&house.visitor("wang").actor, &app.id)
            .await;
        assert_eq!(missing.unwrap_err().code, "input.not_found");
        house
            .engine
            .disconnect(&visitor.actor, &app.id)
            .await
            .unwrap();
        assert!(house.engine.connected("li").await.unwrap().is_empty());
        assert_eq!(
            word(house.refresh(&app, &text(&tokens, "refresh_token")).await),
            "invalid_grant"
        );
        assert_eq!(
            word(house.engine.userinfo(&text(&tokens, "access_token")).await),
            "invalid_token"
        );
        assert_eq!(
            house.error(&app, &[("prompt", "none")]).await,
            "consent_required"
        );
    })
    .await;
}

#[tokio::test]
async fn who_does_not_agree_gives_nothing() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let pending = house.ask(&app, &[]).await.unwrap();
        let visitor = house.visitor("li");
        let asked = house.engine.asked(&pending, "li").await.unwrap();
        assert_eq!(asked.host.as_deref(), Some("app.example"));
        let scopes: Vec<&str> = asked.scopes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(scopes, ["openid", "profile"]);
        let step = house
            .engine
            .decide(&pending, &visitor, false, true)
            .await
            .unwrap();
        let Step::Return(address) = step else {
            panic!("{step:?}")
        };
        let found = query(&address);
        assert_eq!(found["error"], "access_denied");
        assert!(!found.contains_key("code"));
        assert_eq!(
            house.error(&app, &[("prompt", "none")]).await,
            "consent_required"
        );
        assert_eq!(house.deeds(&app).await[0], "refused");
    })
    .await;
}

#[tokio::test]
async fn revocation_and_introspection_follow_their_rfcs() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let other = house.register(spec()).await;
        let server = house.register(ClientSpec { introspects: true, ..spec() }).await;
        let public = house.register(ClientSpec { method: Method::None, ..spec() }).await;
        let tokens = house.tokens(&app, "li", "openid profile offline_access").await;
        let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        let ask = async |by: &App, token: &str| {
            let pairs = form(&[("token", token), ("token_type_hint", "access_token")]);
            house.engine.introspect(&pairs, &by.proof()).await.unwrap()
        };
        let now = START.0 / 1_000_000;
        let expected = json!({
            "active": true, "client_id": app.id, "sub": "li", "scope": "openid profile offline_access",
            "iss": ISSUER, "iat": now, "exp": now + 600, "token_type": "Bearer", "username": "li",
        });
        assert_eq!(ask(&app, &access).await, expected);
        assert_eq!(ask(&server, &access).await, expected);
        assert_eq!(ask(&other, &access).await, json!({ "active": false }));
        assert_eq!(ask(&app, "garbage").await, json!({ "active": false }));
        assert_eq!(ask(&app, &refresh).await["active"], true);
        let pairs = form(&[("token", &access), ("client_id", &public.id)]);
        let refused = house.engine.introspect(&pairs, &public.proof()).await;
        assert_eq!(word(refused), "invalid_client");
        let revoke = async |by: &App, token: &str| {
            house.engine.revoke_token(&form(&[("token", token)]), &by.proof()).await.unwrap();
        };
        revoke(&other, &access).await;
        assert_eq!(ask(&app, &access).await["active"], true, "only its own");
        revoke(&app, "garbage").await;
        revoke(&app, &access).await;
        assert_eq!(ask(&app, &access).await, json!({ "active": false }));
        let next = house.refresh(&app, &refresh).await.unwrap();
        revoke(&app, &text(&next, "refresh_token")).await;
        assert_eq!(ask(&app, &text(&next, "access_token")).await, json!({ "active": false }));
        assert_eq!(word(house.refresh(&app, &text(&next, "refresh_token")).await), "invalid_grant");
    })
    .await;
}

#[tokio::test]
async fn a_disabled_account_is_out_of_its_applications_at_once() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let tokens = house.tokens(&app, "wang", "openid offline_access").await;
        let mut tx = house.store.begin().await.unwrap();
        let mut row = store::accounts::account(&mut tx, "wang")
            .await
            .unwrap()
            .unwrap();
        row.disabled = true;
        store::accounts::update_account(&mut tx, &row)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(
            word(house.refresh(&app, &text(&tokens, "refresh_token")).await),
            "invalid_grant"
        );
        row.disabled = false;
        let mut tx = house.store.begin().await.unwrap();
        store::accounts::update_account(&mut tx, &row)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let again = house.refresh(&app, &text(&tokens, "refresh_token")).await;
        assert_eq!(
            word(again),
            "invalid_grant",
            "it does not come back by itself"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_over_is_over_and_swept() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let tokens = house.tokens(&app, "li", "openid offline_access").await;
        let access = text(&tokens, "access_token");
        house.clock.advance(Span::minutes(10));
        assert_eq!(word(house.engine.userinfo(&access).await), "invalid_token");
        assert!(house.engine.recognise(&access).await.unwrap().is_none());
        house.clock.advance(Span::days(29));
        let next = house
            .refresh(&app, &text(&tokens, "refresh_token"))
            .await
            .unwrap();
        house.clock.advance(Span::days(31));
        let late = house.refresh(&app, &text(&next, "refresh_token")).await;
        assert_eq!(word(late), "invalid_grant", "idle for too long");
        // A code, an access token and a refresh token of each of two rounds.
        assert!(house.engine.tidy().await.unwrap() >= 4);
        assert_eq!(house.engine.tidy().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_access_token_stands_for_the_person_as_they_are_now() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let tokens = house.tokens(&app, "li", "openid offline_access").await;
        let bearer = house
            .engine
            .recognise(&text(&tokens, "access_token"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (bearer.person.account.as_str(), bearer.client.as_str()),
            ("li", app.id.as_str())
        );
        assert!(bearer.may("openid") && !bearer.may("city.read"));
        for not_one in [
            text(&tokens, "refresh_token"),
            text(&tokens, "id_token"),
            "jco_".into(),
        ] {
            assert!(house.engine.recognise(&not_one).await.unwrap().is_none());
        }
    })
    .await;
}
