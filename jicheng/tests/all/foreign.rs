//! A foreign OpenID client, the `openidconnect` crate, signs a person on and off; it checks what it
//! gets by its own rules. (Another one, Authlib of Python, is in `tests/clients`.)

use crate::city::{TestCity, request};
use crate::openid::{Browser, agree, bounced, location, parameter, register};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest,
    HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope,
    TokenResponse,
};
use serde_json::json;
use std::net::SocketAddr;

/// The client's requests, over real HTTP.
async fn http(address: SocketAddr, call: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let path = call.uri().path_and_query().expect("a path").to_string();
    let headers: Vec<(String, String)> = call
        .headers()
        .iter()
        .filter(|(name, _)| *name != "content-type")
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_string()))
        .collect();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let kind = call
        .headers()
        .get("content-type")
        .map(|v| v.to_str().expect("text").to_string());
    let body = String::from_utf8(call.body().clone()).expect("text");
    let body = kind.as_deref().map(|kind| (kind, body.as_str()));
    let method = call.method().as_str();
    let answer = request(address, method, &path, None, &headers, body).await;
    let mut response = openidconnect::http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    Ok(response.body(answer.text.into_bytes()).expect("a response"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openidconnect_crate_signs_a_person_on_and_off() {
    let city = TestCity::start().await;
    let app = register(&city, json!({ "method": "client_secret_basic" })).await;
    let address = city.running.http.expect("http");
    let http = |call: HttpRequest| http(address, call);
    let issuer = IssuerUrl::new(format!("http://{address}")).expect("an issuer");
    let metadata = CoreProviderMetadata::discover_async(issuer, &http)
        .await
        .expect("discovery");
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new(app.id.clone()),
        Some(ClientSecret::new(app.secret.clone())),
    )
    .set_redirect_uri(RedirectUrl::new("https://app.example/callback".into()).expect("an address"));
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("profile".into()))
        .add_scope(Scope::new("offline_access".into()))
        .set_pkce_challenge(challenge)
        .url();

    let officer = Browser::signed_in(&city, "officer").await;
    let path = format!("{}?{}", url.path(), url.query().expect("a query"));
    let first = city.call("GET", &path, None, None).await;
    let consent = location(&officer.get(&bounced(&first)).await);
    let back = agree(&officer, &consent).await;
    assert_eq!(parameter(&back, "state"), *state.secret());
    assert_eq!(parameter(&back, "iss"), format!("http://{address}"));

    let tokens = client
        .exchange_code(AuthorizationCode::new(parameter(&back, "code")))
        .expect("a token endpoint")
        .set_pkce_verifier(verifier)
        .request_async(&http)
        .await
        .expect("tokens");
    let id_token = tokens.id_token().expect("an ID token");
    let believer = client.id_token_verifier();
    let claims = id_token.claims(&believer, &nonce).expect("believed");
    let hash = AccessTokenHash::from_token(
        tokens.access_token(),
        id_token.signing_alg().expect("an algorithm"),
        id_token.signing_key(&believer).expect("a key"),
    )
    .expect("a hash");
    assert_eq!(claims.access_token_hash(), Some(&hash));
    assert!(
        id_token
            .claims(&believer, &Nonce::new("another".into()))
            .is_err()
    );

    let info: CoreUserInfoClaims = client
        .user_info(
            tokens.access_token().to_owned(),
            Some(claims.subject().to_owned()),
        )
        .expect("a userinfo endpoint")
        .request_async(&http)
        .await
        .expect("userinfo");
    assert_eq!(
        info.preferred_username().map(|name| name.as_str()),
        Some("officer")
    );

    let old = tokens.refresh_token().expect("a refresh token");
    let next = client
        .exchange_refresh_token(old)
        .expect("a token endpoint")
        .request_async(&http)
        .await
        .expect("the next tokens");
    assert_ne!(
        next.refresh_token().expect("the next").secret(),
        old.secret()
    );
    let replayed = client
        .exchange_refresh_token(old)
        .expect("a token endpoint")
        .request_async(&http);
    assert!(replayed.await.is_err(), "a replayed refresh token");

    let bye = format!(
        "/oauth2/logout?id_token_hint={id_token}&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye"
    );
    assert_eq!(
        location(&city.call("GET", &bye, None, None).await),
        "https://app.example/bye"
    );
    assert_eq!(officer.get("/api/v1/session").await.status, 401);
    city.stop().await;
}
