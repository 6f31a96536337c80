//! The OpenID provider over HTTP: the endpoints of the protocol under `/oauth2`.
//!
//! **Why a request bounces.** The session cookie is `SameSite=Strict`, which keeps it from every
//! request another site starts; that is half of the defence against forged requests and stays.
//! An application's redirect to `/oauth2/authorize` is such a request, so it arrives as if nobody
//! were signed in. `/oauth2/authorize` therefore only checks the request, seals it and answers a
//! page of our own that moves on to `/oauth2/continue` at once; that step is started by our own
//! page, so the cookie comes along. Nothing is decided on a request without it, the sealed request
//! cannot be made by anybody else, and the person's agreement is a POST of our own page with the
//! usual `X-CSRF`. (A second, `Lax` cookie would do too, but would be one more secret to keep, and
//! weaker.)

mod consent;
mod logout;
mod pages;
mod who;

pub use logout::deliver_soon;
pub use pages::{bounce, fault_page, send};
pub use who::{identify, visitor, within_scopes};

use super::guard::token;
use super::input::{Query, body};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use ::openid::{NotAuthorised, OAuthError, Params, Pending, Proof, Step, TOTAL_LIMIT, Visitor};
use axum::extract::{ConnectInfo, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use consent::{asked, consent};
use kernel::Access;
use kernel::fault::{Fault, FaultKind};
use logout::{logout_confirm, logout_get, logout_post};
use pages::{escape, with_request};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let open = Access::Public;
    table.add(
        line(
            "GET /.well-known/openid-configuration",
            open,
            "OpenID 发现文档",
            "OpenID discovery",
        ),
        discovery,
    );
    table.add(
        line(
            "GET /.well-known/oauth-authorization-server",
            open,
            "OAuth 发现文档",
            "OAuth discovery (RFC 8414)",
        ),
        discovery,
    );
    table.add(
        line(
            "GET /oauth2/jwks",
            open,
            "签名公钥",
            "Keys that tokens are verified with",
        ),
        jwks,
    );
    table.add(
        line(
            "GET /oauth2/authorize",
            open,
            "应用请求登录",
            "An application asks for sign-on",
        ),
        authorise_get,
    );
    table.add(
        line(
            "POST /oauth2/authorize",
            open,
            "应用请求登录",
            "An application asks for sign-on",
        ),
        authorise_post,
    );
    table.add(
        line(
            "GET /oauth2/continue",
            open,
            "继续登录应用",
            "Go on with a sign-on",
        )
        .query(&["request: text (required)"]),
        go_on,
    );
    table.add(
        line(
            "POST /oauth2/token",
            open,
            "换取令牌",
            "Codes and refresh tokens for access tokens",
        ),
        token_post,
    );
    table.add(
        line(
            "GET /oauth2/userinfo",
            open,
            "用户信息",
            "Claims about the person",
        ),
        userinfo_get,
    );
    table.add(
        line(
            "POST /oauth2/userinfo",
            open,
            "用户信息",
            "Claims about the person",
        ),
        userinfo_post,
    );
    table.add(
        line(
            "GET /oauth2/logout",
            open,
            "应用请求退出",
            "An application asks for sign-out",
        ),
        logout_get,
    );
    table.add(
        line(
            "POST /oauth2/logout",
            open,
            "应用请求退出",
            "An application asks for sign-out",
        ),
        logout_post,
    );
    table.add(
        line(
            "POST /oauth2/revoke",
            open,
            "撤销令牌",
            "Revoke a token (RFC 7009)",
        ),
        revoke,
    );
    table.add(
        line(
            "POST /oauth2/introspect",
            open,
            "查询令牌",
            "Ask about a token (RFC 7662)",
        ),
        introspect,
    );
    table.add(
        line(
            "GET /api/v1/openid/request",
            Access::SignedIn,
            "应用请求的内容",
            "What an application asks for",
        )
        .query(&["request: text (required)"])
        .gives("OpenIdRequest"),
        asked,
    );
    table.add(
        line(
            "POST /api/v1/openid/consent",
            Access::SignedIn,
            "同意或拒绝应用",
            "Agree, or not",
        )
        .takes("OpenIdConsent")
        .gives("OpenIdNext"),
        consent,
    );
    table.add(
        line(
            "POST /api/v1/openid/logout",
            open,
            "确认退出",
            "Confirm signing out",
        )
        .takes("OpenIdLogout")
        .gives("OpenIdNext"),
        logout_confirm,
    );
}

async fn discovery(State(app): State<Arc<App>>) -> Response {
    public(app.openid.discovery())
}

async fn jwks(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(public(app.openid.jwks()?))
}

/// What anybody may read, from any page, for a few minutes.
fn public(value: Value) -> Response {
    let head = [
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (head, axum::Json(value)).into_response()
}

/// The parameters of a form, within their limit.
async fn form(request: Request) -> Result<Params, OAuthError> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or("");
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(OAuthError::new(
            "invalid_request",
            "expected application/x-www-form-urlencoded",
        ));
    }
    let long = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok()?.parse::<usize>().ok())
        .is_some_and(|bytes| bytes > TOTAL_LIMIT);
    let too_long = || OAuthError {
        status: 413,
        ..OAuthError::new("invalid_request", "the body is too large")
    };
    if long {
        return Err(too_long());
    }
    let bytes = body(request, &()).await.map_err(|_| too_long())?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| OAuthError::new("invalid_request", "the body is no text"))?;
    Ok(Params::read(text))
}

async fn authorise_get(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    authorise(&app, &headers, &Params::read(&query.unwrap_or_default())).await
}

async fn authorise_post(State(app): State<Arc<App>>, request: Request) -> Response {
    match form(request).await {
        // No cookie is believed here: it bounces, and goes on with one.
        Ok(params) => authorise(&app, &HeaderMap::new(), &params).await,
        Err(error) => fault_page(&Fault::invalid_at(
            "body",
            "请求内容有误",
            error.description,
        )),
    }
}

async fn authorise(app: &App, headers: &HeaderMap, params: &Params) -> Response {
    let pending = match app.openid.authorise(params).await {
        Ok(pending) => pending,
        Err(NotAuthorised::Show(fault)) => return fault_page(&fault),
        Err(NotAuthorised::Return(address)) => return send(&address),
    };
    let next = async {
        match visitor(app, headers).await? {
            Some(visitor) => step(app, &pending, Some(&visitor)).await,
            None => {
                let sealed = app.openid.seal_pending(&pending)?;
                Ok(bounce(&with_request("/oauth2/continue", &sealed, &[])))
            }
        }
    };
    next.await.unwrap_or_else(|fault: Fault| fault_page(&fault))
}

async fn go_on(State(app): State<Arc<App>>, headers: HeaderMap, query: Query) -> Response {
    let sealed = query.text("request").unwrap_or_default();
    drop(query);
    let next = async {
        let pending = app.openid.open_pending(&sealed)?;
        let visitor = visitor(&app, &headers).await?;
        step(&app, &pending, visitor.as_ref()).await
    };
    next.await.unwrap_or_else(|fault: Fault| fault_page(&fault))
}

/// The browser goes where the next step is.
async fn step(app: &App, pending: &Pending, visitor: Option<&Visitor>) -> Result<Response, Fault> {
    let sealed = app.openid.seal_pending(pending)?;
    Ok(match app.openid.proceed(pending, visitor).await? {
        Step::Return(address) => send(&address),
        Step::Ask => send(&with_request("/consent", &sealed, &[])),
        Step::SignIn { again, hint } => {
            let then = with_request("/oauth2/continue", &sealed, &[]);
            let mut address = format!("/sign-in?then={}", escape(&then));
            if again {
                address.push_str("&again=1");
            }
            if let Some(hint) = hint {
                address.push_str(&format!("&hint={}", escape(&hint)));
            }
            send(&address)
        }
    })
}

fn proof(peer: SocketAddr, headers: &HeaderMap) -> Proof {
    let value = headers.get(header::AUTHORIZATION);
    Proof {
        authorization: value.and_then(|v| v.to_str().ok()).map(String::from),
        address: peer.ip().to_string(),
    }
}

/// An answer as OAuth wants it: JSON that nobody keeps.
fn answer(outcome: Result<Value, OAuthError>, scheme: &'static str) -> Response {
    let head = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let error = match outcome {
        Ok(value) => return (head, axum::Json(value)).into_response(),
        Err(error) => error,
    };
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    let value = json!({ "error": error.error, "error_description": error.description });
    let mut response = (status, head, axum::Json(value)).into_response();
    let headers = response.headers_mut();
    if error.status == 401 {
        let challenge = match scheme {
            "Bearer" => format!("Bearer error=\"{}\"", error.error),
            other => format!("{other} realm=\"jicheng\""),
        };
        if let Ok(value) = challenge.parse() {
            headers.insert(header::WWW_AUTHENTICATE, value);
        }
    }
    if let Some(seconds) = error.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

async fn token_post(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let outcome = async {
        app.openid
            .token(&form(request).await?, &proof(peer, &headers))
            .await
    };
    answer(outcome.await, "Basic")
}

async fn revoke(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let outcome = async {
        let params = form(request).await?;
        app.openid
            .revoke_token(&params, &proof(peer, &headers))
            .await?;
        Ok(json!({}))
    };
    answer(outcome.await, "Basic")
}

async fn introspect(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let outcome = async {
        app.openid
            .introspect(&form(request).await?, &proof(peer, &headers))
            .await
    };
    answer(outcome.await, "Basic")
}

fn bearer(app: &App, headers: &HeaderMap) -> Option<String> {
    let shown = token(app, headers).filter(|(_, cookie)| !cookie);
    shown.map(|(token, _)| token)
}

async fn userinfo_get(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let token = bearer(&app, &headers).unwrap_or_default();
    answer(app.openid.userinfo(&token).await, "Bearer")
}

/// By POST the token may also stand in the body (RFC 6750 2.2), never in both.
async fn userinfo_post(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let outcome = async {
        let in_head = bearer(&app, &headers);
        let in_body = match request.headers().contains_key(header::CONTENT_TYPE) {
            true => form(request).await?.get("access_token").map(String::from),
            false => None,
        };
        if in_head.is_some() && in_body.is_some() {
            return Err(OAuthError::new(
                "invalid_request",
                "more than one access token",
            ));
        }
        let token = in_head.or(in_body).unwrap_or_default();
        app.openid.userinfo(&token).await
    };
    answer(outcome.await, "Bearer")
}

/// Nobody is signed in here.
pub fn no_session() -> Fault {
    Fault::new(
        FaultKind::SignIn,
        "access.sign_in",
        "请先登录",
        "please sign in",
    )
}
