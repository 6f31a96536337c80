//! Signing out in both directions.

use crate::*;
use openid::{Fetch, Incoming, LogoutStep, Outgoing};
use std::sync::Mutex;
use testkit::each_store;

/// An application that hears, or not.
#[derive(Default)]
struct Ear {
    status: Mutex<u16>,
    heard: Mutex<Vec<Outgoing>>,
}

#[async_trait::async_trait]
impl Fetch for Ear {
    async fn fetch(&self, call: Outgoing) -> Result<Incoming, String> {
        self.heard.lock().unwrap().push(call);
        match *self.status.lock().unwrap() {
            0 => Err("nobody answers".into()),
            status => Ok(Incoming {
                status,
                body: vec![],
            }),
        }
    }
}

#[tokio::test]
async fn rp_initiated_logout_ends_the_session_and_returns_with_state() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        let tokens = house.tokens(&app, "li", "openid").await;
        let hint = text(&tokens, "id_token");
        let logout = async |pairs: &[(&str, &str)]| house.engine.logout(&form(pairs)).await;
        let bye = "https://app.example/bye";
        let step = logout(&[
            ("id_token_hint", &hint),
            ("post_logout_redirect_uri", bye),
            ("state", "a b"),
        ])
        .await;
        let expected = LogoutStep::End {
            session: "session-li".into(),
            account: "li".into(),
            to: Some(format!("{bye}?state=a+b")),
        };
        assert_eq!(step.unwrap(), expected);
        for evil in [
            "https://app.example/bye/",
            "https://evil.example/",
            "https://app.example/callback",
            "//evil",
        ] {
            let step =
                logout(&[("id_token_hint", &hint), ("post_logout_redirect_uri", evil)]).await;
            assert!(step.is_err(), "{evil}");
            assert!(
                logout(&[("client_id", &app.id), ("post_logout_redirect_uri", evil)])
                    .await
                    .is_err()
            );
        }
        assert!(
            logout(&[("post_logout_redirect_uri", bye)]).await.is_err(),
            "of nobody known"
        );
        assert!(logout(&[("id_token_hint", "x.y.z")]).await.is_err());
        assert!(
            logout(&[("id_token_hint", &hint), ("client_id", "other")])
                .await
                .is_err()
        );
        // Without a hint the person is asked.
        let step = logout(&[("client_id", &app.id), ("post_logout_redirect_uri", bye)])
            .await
            .unwrap();
        let LogoutStep::Ask(ask) = step else {
            panic!("{step:?}")
        };
        let sealed = house.engine.seal_logout(&ask).unwrap();
        assert_eq!(
            house.engine.open_logout(&sealed).unwrap().to.as_deref(),
            Some(bye)
        );
        // Once the session is over, the same hint asks too: there is nothing to end.
        house.engine.session_over("session-li").await.unwrap();
        assert!(matches!(
            logout(&[("id_token_hint", &hint)]).await.unwrap(),
            LogoutStep::Ask(_)
        ));
    })
    .await;
}

#[tokio::test]
async fn back_channel_logout_reaches_every_application_of_the_session_once() {
    each_store(|store| async move {
        let house = House::on(store).await;
        house.open_session("li").await;
        house.open_session("wang").await;
        let app = house.register(spec()).await;
        let deaf = house
            .register(ClientSpec {
                backchannel_logout_uri: None,
                ..spec()
            })
            .await;
        let tokens = house.tokens(&app, "li", "openid").await;
        let offline = house.tokens(&app, "li", "openid offline_access").await;
        house.tokens(&deaf, "li", "openid").await;
        house.tokens(&app, "wang", "openid").await;
        let ear = Ear {
            status: Mutex::new(200),
            ..Ear::default()
        };
        house.engine.look_for_ended().await.unwrap();
        assert_eq!(
            house.engine.deliver(&ear).await.unwrap(),
            0,
            "nobody signed out"
        );
        // The session ends somewhere else: revoked, disabled, over.
        house.end_session("li").await;
        house.engine.look_for_ended().await.unwrap();
        house.engine.session_over("session-li").await.unwrap();
        assert_eq!(house.engine.deliver(&ear).await.unwrap(), 1);
        assert_eq!(house.engine.deliver(&ear).await.unwrap(), 0);
        let heard = ear.heard.lock().unwrap().clone();
        assert_eq!(
            (heard[0].method, heard[0].url.as_str()),
            ("POST", "https://app.example/hear")
        );
        let body = String::from_utf8(heard[0].body.clone()).unwrap();
        let token = body.strip_prefix("logout_token=").unwrap();
        assert_eq!(openid::typ_of(token).as_deref(), Some("logout+jwt"));
        let said = openid::verify_foreign(token, &keys(&house), &["ES256"]).unwrap();
        let id = claims(&text(&tokens, "id_token"));
        for claim in ["iss", "sub", "aud", "sid"] {
            assert_eq!(said[claim], id[claim], "{claim}");
        }
        assert!(said.get("nonce").is_none() && !text(&said, "jti").is_empty());
        let event = "http://schemas.openid.net/event/backchannel-logout";
        assert_eq!(said["events"], json!({ event: {} }));
        // It is no ID token: it hints at nothing.
        let hint = house
            .error(&app, &[("prompt", "none"), ("id_token_hint", token)])
            .await;
        assert_eq!(hint, "invalid_request");
        // What was for the session is over; what is for off line goes on.
        assert_eq!(
            word(house.engine.userinfo(&text(&tokens, "access_token")).await),
            "invalid_token"
        );
        assert!(
            house
                .refresh(&app, &text(&offline, "refresh_token"))
                .await
                .is_ok()
        );
    })
    .await;
}

#[tokio::test]
async fn an_application_that_is_down_hears_of_it_later_with_growing_waits() {
    each_store(|store| async move {
        let house = House::on(store).await;
        let app = house.register(spec()).await;
        house.tokens(&app, "li", "openid").await;
        house.engine.session_over("session-li").await.unwrap();
        let ear = Ear::default();
        let mut tried = vec![];
        for second in 0..=70 {
            house.engine.deliver(&ear).await.unwrap();
            if ear.heard.lock().unwrap().len() > tried.len() {
                tried.push(second);
            }
            house.clock.advance(Span::seconds(1));
        }
        assert_eq!(tried, [0, 10, 30, 70]);
        *ear.status.lock().unwrap() = 503;
        house.clock.advance(Span::seconds(80));
        assert_eq!(house.engine.deliver(&ear).await.unwrap(), 0);
        let usage = house.engine.usage(&app.id).await.unwrap();
        assert_eq!(usage["logouts"][0]["error"], "the application answered 503");
        *ear.status.lock().unwrap() = 204;
        house.clock.advance(Span::hours(1));
        assert_eq!(house.engine.deliver(&ear).await.unwrap(), 1);
        // Another that never answers is given up some time.
        house.tokens(&app, "wang", "openid").await;
        house.engine.session_over("session-wang").await.unwrap();
        *ear.status.lock().unwrap() = 0;
        for _ in 0..20 {
            house.engine.deliver(&ear).await.unwrap();
            house.clock.advance(Span::hours(1));
        }
        let usage = house.engine.usage(&app.id).await.unwrap();
        assert_eq!(
            (
                &usage["logouts"][0]["attempts"],
                &usage["logouts"][0]["next_at"]
            ),
            (&json!(12), &Value::Null)
        );
    })
    .await;
}
