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

use super::guard::{Caller, no_session_cookie, token};
use super::input::{Json, Query, body};
use super::problem::{Answer, Refusal, document};
use super::table::{Table, line};
use crate::app::App;
use ::openid::{
    Engine, LogoutStep, NotAuthorised, OAuthError, Params, Pending, Proof, Step, TOTAL_LIMIT,
    Visitor,
};
use axum::extract::{ConnectInfo, RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::access::Standing;
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Actor, Verb, Words};
use serde::Deserialize;
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

/// Whom a request to the protocol comes from. Its own endpoints know their own credentials (client
/// secrets as Basic, access tokens), and a POST by another site brings no cookie: nobody. An access
/// token at the API is the person, within its scopes. `None`: not ours to say.
pub async fn identify(app: &App, parts: &Parts) -> Result<Option<Option<Actor>>, Refusal> {
    let path = parts.uri.path();
    if path.starts_with("/oauth2/") {
        let by_cookie = matches!(token(app, &parts.headers), Some((_, true)));
        let look = parts.method == Method::GET && by_cookie;
        return Ok(if look { None } else { Some(None) });
    }
    match token(app, &parts.headers) {
        Some((text, false)) if Engine::is_access_token(&text) => {
            let Some(bearer) = app.openid.recognise(&text).await? else {
                return Ok(Some(None));
            };
            let standing = Standing {
                application: Some(bearer.client),
                scopes: bearer.scopes.split(' ').map(String::from).collect(),
                factors: bearer.factors,
                ..Standing::default()
            };
            Ok(Some(Some(Actor {
                account: bearer.person.account,
                display: bearer.person.display,
                roles: bearer.person.roles,
                organisation: bearer.person.organisation.map(|(code, _)| code),
                standing,
                ..Actor::default()
            })))
        }
        _ => Ok(None),
    }
}

/// What an application may do with a person's rights: look with `city.read`, act with
/// `city.write`; never what runs the machine or concerns the account itself.
pub fn within_scopes(access: Access, actor: &Actor) -> Result<(), Fault> {
    if actor.standing.application.is_none() {
        return Ok(());
    }
    let needed = match access {
        Access::Public => return Ok(()),
        Access::May(Verb::Read | Verb::Export, _) => "city.read",
        Access::May(Verb::Write | Verb::Handle, _) => "city.write",
        _ => "",
    };
    if actor.standing.scopes.iter().any(|scope| scope == needed) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Denied,
        "access.denied",
        "应用的访问范围不含此操作",
        "the scopes of this application do not cover this",
    ))
}

/// Who sits before the browser: a session of our own, not a token. One that lacks something first
/// (a password of one's own, a second factor) signs on to nothing.
pub async fn visitor(app: &App, headers: &HeaderMap) -> Result<Option<Visitor>, Fault> {
    let Some((token, _)) = token(app, headers) else {
        return Ok(None);
    };
    let Some(found) = app.identity.recognise(&token).await? else {
        return Ok(None);
    };
    let Some(session) = found.session else {
        return Ok(None);
    };
    match found.must {
        Some(must) => Err(must.fault()),
        None => Ok(Some(Visitor {
            auth_time: found.actor.standing.auth_time,
            actor: found.actor,
            session,
        })),
    }
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

/// Shuts out everything but the words.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A small page of our own, without script.
fn page(status: StatusCode, title: &str, head: &str, words: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{head}\
         <style>body{{font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.2rem;color:#1f2733}}\
         a{{color:#0b5cad}}code{{color:#5a6675}}</style></head><body><main>{words}</main></body></html>"
    );
    let head = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    (status, head, text).into_response()
}

/// The page that moves on by itself; see the head of this file.
pub fn bounce(to: &str) -> Response {
    let to = escaped(to);
    let head = format!("<meta http-equiv=\"refresh\" content=\"0;url={to}\">");
    let words = format!("<p>正在登录… Signing in…</p><p><a href=\"{to}\">继续 Continue</a></p>");
    page(StatusCode::OK, "登录 Sign in", &head, &words)
}

/// A fault shown to the person, who is sent nowhere.
pub fn fault_page(fault: &Fault) -> Response {
    let status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::BAD_REQUEST);
    if fault.kind == FaultKind::Internal || fault.code.starts_with("store.") {
        tracing::error!(code = fault.code, "{}", fault.words.en);
    }
    let shown = document(fault);
    let words = format!(
        "<h1>无法登录应用</h1><p>{}</p><h2>Cannot sign in to the application</h2><p>{}</p>\
         <p><code>{}</code></p><p><a href=\"/\">返回首页 Home</a></p>",
        escaped(&fault.words.zh),
        escaped(shown["detail_en"].as_str().unwrap_or("")),
        fault.code,
    );
    page(status, "无法登录 Cannot sign in", "", &words)
}

/// A browser goes elsewhere; nobody keeps the answer.
pub fn send(to: &str) -> Response {
    let head = [(header::LOCATION, to), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SEE_OTHER, head).into_response()
}

fn with_request(path: &str, sealed: &str, more: &[(&str, &str)]) -> String {
    let mut address = format!("{path}?request={sealed}");
    for (name, value) in more {
        address.push_str(&format!("&{name}={}", escape(value)));
    }
    address
}

/// Percent encoding of everything that is not plain.
fn escape(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let mut out = String::new();
    for byte in text.bytes() {
        match plain(byte) {
            true => out.push(byte as char),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
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

async fn logout_get(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    logout(&app, &Params::read(&query.unwrap_or_default())).await
}

async fn logout_post(State(app): State<Arc<App>>, request: Request) -> Response {
    match form(request).await {
        Ok(params) => logout(&app, &params).await,
        Err(error) => fault_page(&Fault::invalid_at(
            "body",
            "请求内容有误",
            error.description,
        )),
    }
}

/// A valid ID token of a session is proof enough that the application speaks for it, and may end
/// it; otherwise the person is asked on a page of our own.
async fn logout(app: &App, params: &Params) -> Response {
    let next = async {
        Ok(match app.openid.logout(params).await? {
            LogoutStep::End {
                session,
                account,
                to,
            } => {
                let by = Actor {
                    account: account.clone(),
                    ..Actor::default()
                };
                match app.identity.revoke(&by, &account, &session).await {
                    Err(fault) if fault.kind != FaultKind::Missing => return Err(fault),
                    _ => {}
                }
                app.openid.session_over(&session).await?;
                deliver_soon(app);
                send(&to.unwrap_or_else(|| "/signed-out".into()))
            }
            LogoutStep::Ask(ask) => {
                let sealed = app.openid.seal_logout(&ask)?;
                send(&with_request("/sign-out", &sealed, &[]))
            }
        })
    };
    next.await.unwrap_or_else(|fault: Fault| fault_page(&fault))
}

/// Delivers logout messages now and not at the job's next time; the job stays responsible.
pub fn deliver_soon(app: &App) {
    let (openid, caller) = (app.openid.clone(), app.caller.clone());
    tokio::spawn(async move {
        if let Err(fault) = openid.deliver(&*caller).await {
            tracing::warn!(%fault, "logout messages were not delivered; the job tries again");
        }
    });
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

async fn asked(State(app): State<Arc<App>>, headers: HeaderMap, query: Query) -> Answer<Response> {
    let sealed = query.demand("request");
    query.finish()?;
    drop(query);
    let pending = app.openid.open_pending(&sealed)?;
    let visitor = visitor(&app, &headers).await?.ok_or_else(no_session)?;
    let asked = app.openid.asked(&pending, &visitor.actor.account).await?;
    let scopes: Vec<Value> = asked
        .scopes
        .iter()
        .map(|(name, words)| json!({ "name": name, "words": words }))
        .collect();
    let organisation = asked.organisation.map(|code| {
        let known = app
            .city
            .declared
            .city
            .organisations
            .iter()
            .find(|o| o.code == code);
        known.map_or(Words::new(&code, &code), |known| known.title.clone())
    });
    Ok(axum::Json(json!({
        "client": asked.client, "name": asked.name, "purpose": asked.purpose,
        "organisation": organisation, "host": asked.host, "scopes": scopes, "agreed": asked.agreed,
        "account": visitor.actor.account, "display": visitor.actor.display,
    }))
    .into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    request: String,
    agrees: bool,
    #[serde(default)]
    remember: bool,
}

async fn consent(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    caller: Caller,
    Json(input): Json<Consent>,
) -> Answer<Response> {
    caller.actor()?;
    let pending = app.openid.open_pending(&input.request)?;
    let visitor = visitor(&app, &headers).await?.ok_or_else(no_session)?;
    let step = app
        .openid
        .decide(&pending, &visitor, input.agrees, input.remember)
        .await?;
    let to = match step {
        Step::Return(address) => address,
        // The sign-in became too old while the page was open.
        _ => with_request("/oauth2/continue", &input.request, &[]),
    };
    Ok(axum::Json(json!({ "to": to })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogoutConfirm {
    #[serde(default)]
    request: Option<String>,
}

async fn logout_confirm(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(input): Json<LogoutConfirm>,
) -> Answer<Response> {
    let to = match &input.request {
        Some(sealed) => app.openid.open_logout(sealed)?.to,
        None => None,
    };
    super::session::leave(&app, &headers).await?;
    let gone = [(header::SET_COOKIE, no_session_cookie(&app))];
    Ok((gone, axum::Json(json!({ "to": to }))).into_response())
}
