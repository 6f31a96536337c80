//! Services outside over real HTTP: a carrier of messages and a service that verifies identities,
//! connected by configuration, answering, wrong, and gone.

use crate::city::{PASSWORD, TestCity};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the two services were asked, and what the prover is to answer.
#[derive(Default)]
struct Outside {
    messages: Mutex<Vec<Value>>,
    asked: Mutex<Vec<Value>>,
    answer: Mutex<Value>,
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    headers.get("authorization").and_then(|v| v.to_str().ok()) == Some(token)
}

async fn outside() -> (Arc<Outside>, String) {
    let state = Arc::new(Outside::default());
    let router = axum::Router::new()
        .route(
            "/sms",
            post(
                |State(s): State<Arc<Outside>>,
                 h: HeaderMap,
                 axum::Json(body): axum::Json<Value>| async move {
                    assert!(has_token(&h, "Bearer sms-t0k"));
                    s.messages.lock().push(body);
                },
            ),
        )
        .route(
            "/prove",
            post(
                |State(s): State<Arc<Outside>>,
                 h: HeaderMap,
                 axum::Json(body): axum::Json<Value>| async move {
                    assert!(has_token(&h, "Bearer prove-t0k"));
                    s.asked.lock().push(body);
                    axum::Json(s.answer.lock().clone())
                },
            ),
        )
        .with_state(state.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (state, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn residents_are_proven_by_services_outside() {
    let (services, address) = outside().await;
    let (sms, prover) = (format!("{address}/sms"), format!("{address}/prove"));
    let city = TestCity::start_with(&[
        ("sms_url", &sms),
        ("sms_token", "sms-t0k"),
        ("prover_url", &prover),
        ("prover_token", "prove-t0k"),
        ("outgoing_allow", "127.0.0.1"),
    ])
    .await;
    let terms = city
        .call("GET", "/api/v1/registrations/terms", None, None)
        .await
        .json();
    assert_eq!(
        (&terms["messages"], &terms["demonstration"]),
        (&json!(true), &json!(false))
    );
    let new = json!({"display": "小冀", "password": PASSWORD, "consent": true});
    let made = city
        .call("POST", "/api/v1/registrations", None, Some(new))
        .await
        .json();
    let token = city.token(made["account"].as_str().expect("a name")).await;
    let post = |path: &str, body: Value| {
        let (city, path, token) = (&city, path.to_string(), token.clone());
        async move { city.call("POST", &path, Some(&token), Some(body)).await }
    };
    let sent = post("/api/v1/me/phone", json!({"phone": "13900000001"})).await;
    assert_eq!(sent.status, 202, "{}", sent.text);
    let mut text = String::new();
    for _ in 0..200 {
        if let Some(message) = services.messages.lock().first() {
            assert_eq!(message["to"], "13900000001");
            text = message["text"].as_str().unwrap_or("").into();
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let code: String = text
        .split("验证码是 ")
        .nth(1)
        .expect("a code")
        .chars()
        .take(6)
        .collect();
    let answer = json!({"challenge": sent.json()["challenge"], "code": code});
    assert_eq!(
        post("/api/v1/me/phone/proof", answer).await.json()["level"],
        1
    );

    let (number, name) = parties::demo_person(1);
    let claim = json!({"document": "citizen_number", "number": number, "name": name});
    for (says, expect) in [
        (json!({"match": false}), "parties.not_proven"),
        (json!({"match": "yes"}), "parties.unavailable"),
        (json!(null), "parties.unavailable"),
    ] {
        *services.answer.lock() = says.clone();
        let refused = post("/api/v1/me/identity", claim.clone()).await;
        assert_eq!(refused.json()["code"], expect, "{says}: {}", refused.text);
    }
    *services.answer.lock() = json!({"match": true});
    let proven = post("/api/v1/me/identity", claim).await;
    assert_eq!(proven.json()["level"], 2, "{}", proven.text);
    let asked = services.asked.lock().last().cloned().expect("asked");
    assert_eq!(asked["person"]["number"], number.as_str());
    assert_eq!(asked["mobile"], "13900000001");
    city.stop().await;
}
