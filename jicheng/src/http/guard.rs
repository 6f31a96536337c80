//! The guard in front of every route: who is this, may they do this, is there room. Deny by
//! default: without a session only `Access::Public` is open, and a session that lacks something
//! (a password of one's own, a second factor) opens only what helps to get it.

use super::problem::{Refusal, document};
use crate::app::App;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use identity::Restriction;
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Actor, Span};
use std::net::SocketAddr;
use std::sync::Arc;

/// Name of the session cookie where the pages are not served by https; see [`cookie_name`].
pub const COOKIE: &str = "jicheng_session";
/// Name of the cookie by which a device is known again.
const DEVICE: &str = "jicheng_device";
/// What a session may do that still lacks something.
const OPEN_TO_ALL: [&str; 2] = ["/api/v1/session", "/api/v1/session/password"];
/// What a session may do besides that lacks a second factor only.
const OPEN_FOR_FACTORS: [&str; 3] = [
    "/api/v1/session/step-up",
    "/api/v1/session/passkey",
    "/api/v1/account/security",
];
const FACTORS: &str = "/api/v1/account/factors/";
/// Answers kept for `Idempotency-Key` are at most this large; larger ones are not kept.
const KEPT_ANSWER_BYTES: usize = 256 * 1024;

/// The person behind a request, if any.
#[derive(Clone)]
pub struct Caller(pub Option<Actor>);

impl Caller {
    /// The person; only behind routes that demand one.
    pub fn actor(&self) -> Result<&Actor, Refusal> {
        self.0.as_ref().ok_or_else(|| Refusal(sign_in()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Refusal> {
        Ok(parts
            .extensions
            .get::<Caller>()
            .cloned()
            .unwrap_or(Caller(None)))
    }
}

fn sign_in() -> Fault {
    Fault::new(
        FaultKind::SignIn,
        "access.sign_in",
        "请先登录",
        "please sign in",
    )
}

/// Are the pages served by https? Then cookies are bound to this host and never sent in clear.
fn is_secure(app: &App) -> bool {
    let set = |name| !app.config.text(name).is_empty();
    let tls = set("tls_certificate") || set("tls_acme");
    tls || app.config.text("public_url").starts_with("https://")
}

/// A cookie's name as browsers are asked to keep it.
fn cookie_name(app: &App, name: &str) -> String {
    if is_secure(app) {
        format!("__Host-{name}")
    } else {
        name.into()
    }
}

fn cookie(app: &App, headers: &HeaderMap, name: &str) -> Option<String> {
    let wanted = cookie_name(app, name);
    let cookies = headers.get_all(header::COOKIE).iter();
    let lines = cookies.filter_map(|v| v.to_str().ok());
    let mut pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == wanted);
    found.map(|(_, value)| value.to_string())
}

fn set_cookie(app: &App, name: &str, value: &str, more: &str) -> String {
    let name = cookie_name(app, name);
    let secure = if is_secure(app) { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}")
}

/// The cookies of a session just opened or strengthened.
pub fn session_cookies(app: &App, token: &str, device: &str) -> Vec<String> {
    let mut cookies = vec![set_cookie(app, COOKIE, token, "")];
    if !device.is_empty() {
        cookies.push(set_cookie(app, DEVICE, device, "; Max-Age=34560000"));
    }
    cookies
}

/// The cookie that takes the session's away.
pub fn no_session_cookie(app: &App) -> String {
    set_cookie(app, COOKIE, "", "; Max-Age=0")
}

/// The token of a request and whether it came by cookie.
pub fn token(app: &App, headers: &HeaderMap) -> Option<(String, bool)> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    if let Some(token) = bearer.and_then(|v| v.strip_prefix("Bearer ")) {
        return Some((token.trim().to_string(), false));
    }
    cookie(app, headers, COOKIE).map(|token| (token, true))
}

/// Where a request comes from: its address, program, and the device's and session's secrets.
pub struct From(pub identity::Origin);

impl FromRequestParts<Arc<App>> for From {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<From, Refusal> {
        Ok(From(origin(app, parts)))
    }
}

fn origin(app: &App, parts: &Parts) -> identity::Origin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let agent = parts.headers.get(header::USER_AGENT);
    identity::Origin {
        address: peer.map(|p| p.0.ip().to_string()).unwrap_or_default(),
        agent: agent.and_then(|v| v.to_str().ok()).unwrap_or("").into(),
        device: cookie(app, &parts.headers, DEVICE),
        session: cookie(app, &parts.headers, COOKIE),
    }
}

/// Account and password of HTTP Basic (RFC 7617), which programs of the SensorThings world use.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bytes = BASE64_STANDARD
        .decode(value.strip_prefix("Basic ")?.trim())
        .ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (account, password) = text.split_once(':')?;
    Some((account.into(), password.into()))
}

/// What a route demands of its caller.
#[derive(Clone, Copy)]
pub struct Demand {
    /// Who may call it.
    pub access: Access,
    /// Only shortly after a proof of identity.
    pub fresh: bool,
    /// The answer holds a secret and is not kept.
    pub secret: bool,
}

/// Lets a request pass, or answers why not.
pub async fn admit(
    State((app, wanted)): State<(Arc<App>, Demand)>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let Ok(_room) = app.room.clone().try_acquire_owned() else {
        return Err(Fault::overloaded("http", 1).into());
    };
    let (mut parts, body) = request.into_parts();
    super::meter::within_rate_of_address(&app, &parts)?;
    let mut caller = identify(&app, wanted.access, &parts).await?;
    let pass = match super::meter::admit(&app, caller.as_ref(), wanted.access, &parts) {
        Ok(pass) => pass,
        Err(refused) => return Ok(*refused),
    };
    if let Some(actor) = caller.take() {
        caller = Some(super::standing::dress(&app, &parts, actor).await?);
    }
    if let Some(actor) = &mut caller {
        let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
        super::parties::stand(&app, actor, changes, parts.uri.path()).await?;
        actor.standing.purpose = named(&parts.headers, "x-purpose")?;
        actor.standing.case = named(&parts.headers, "x-case")?;
    }
    let caller = match admitted(&app, wanted, caller, &mut parts).await {
        Ok(caller) => caller,
        Err(refusal) => return Ok(pass.dress(refusal.into_response())),
    };
    let key = idempotency_key(&parts, &caller)?.filter(|_| !wanted.secret);
    let acting = caller.as_ref().filter(|a| a.standing.acts_for.is_some());
    let acting = acting.map(|a| {
        (
            a.clone(),
            parts.method.to_string(),
            parts.uri.path().to_string(),
        )
    });
    parts.extensions.insert(Caller(caller));
    let request = Request::from_parts(parts, pass.count_in(body));
    let response = match key {
        None => next.run(request).await,
        Some(key) => match once(&app, key, request, next).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(),
        },
    };
    if let Some((actor, method, path)) = acting {
        super::standing::note(&app, &actor, &method, &path, response.status().as_u16()).await?;
    }
    // Nobody is told what a crash could still take back.
    if let Err(fault) = app.store.settled().await {
        return Ok(pass.dress(Refusal(fault).into_response()));
    }
    Ok(pass.dress(response))
}

/// The caller, if the route admits them.
async fn admitted(
    app: &App,
    wanted: Demand,
    caller: Option<Actor>,
    parts: &mut Parts,
) -> Result<Option<Actor>, Refusal> {
    let caller = demand(app, wanted.access, caller, parts).await?;
    if let (true, Some(actor)) = (wanted.fresh, &caller) {
        demand_fresh(app, actor)?;
    }
    Ok(caller)
}

/// The purpose or the matter in hand a caller names: UTF-8, percent-encoded where a program cannot
/// send it otherwise.
fn named(headers: &HeaderMap, name: &'static str) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let (bytes, mut plain, mut at) = (value.as_bytes(), vec![], 0);
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let pair = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        let coded = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok());
        plain.push(coded.unwrap_or(*byte));
        at += if coded.is_some() { 3 } else { 1 };
    }
    match String::from_utf8(plain) {
        Ok(text) if (1..=200).contains(&text.trim().chars().count()) => {
            Ok(Some(text.trim().into()))
        }
        _ => Err(Refusal(Fault::invalid_at(
            name,
            "应为 1 到 200 个字符（UTF-8，可用百分号编码）",
            "expected 1 to 200 characters (UTF-8, percent-encoded if need be)",
        ))),
    }
}

async fn identify(app: &App, access: Access, parts: &Parts) -> Result<Option<Actor>, Refusal> {
    if let Some(caller) = super::openid::identify(app, parts).await? {
        return Ok(caller);
    }
    if let Some((account, password)) = basic(&parts.headers) {
        let origin = identity::Origin {
            agent: "basic".into(),
            ..origin(app, parts)
        };
        return Ok(Some(
            app.identity.basic(&account, &password, &origin).await?,
        ));
    }
    let Some((token, by_cookie)) = token(app, &parts.headers) else {
        return Ok(None);
    };
    let changes = !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    if by_cookie && changes && !parts.headers.contains_key("x-csrf") {
        return Err(Refusal(Fault::new(
            FaultKind::Denied,
            "access.denied",
            "缺少 X-CSRF 请求头",
            "the header X-CSRF is missing",
        )));
    }
    let Some(known) = app.identity.recognise(&token).await? else {
        return Ok(None);
    };
    certified(app, &known.actor, parts)?;
    match known.must {
        Some(must) if !helps(must, parts.uri.path()) => match access {
            Access::Public => Ok(None),
            _ => Err(must.fault().into()),
        },
        _ => Ok(Some(known.actor)),
    }
}

/// Does this path help to get what a session lacks?
fn helps(must: Restriction, path: &str) -> bool {
    OPEN_TO_ALL.contains(&path)
        || (must == Restriction::SecondFactor
            && (OPEN_FOR_FACTORS.contains(&path) || path.starts_with(FACTORS)))
}

/// Only shortly after the person proved who they are, so that a session left open at a desk is
/// not enough; a program cannot.
fn demand_fresh(app: &App, actor: &Actor) -> Result<(), Refusal> {
    let longest = Span::minutes(i64::from(app.config.number("step_up_min")));
    if app.city.clock.now().0 < actor.standing.auth_time + longest.0 {
        return Ok(());
    }
    Err(Refusal(Fault::new(
        FaultKind::Denied,
        "access.step_up",
        "此操作须先再次验证身份",
        "prove again who you are before this act",
    )))
}

/// Refuses what another site made the browser send: nobody signs somebody else in.
pub fn demand_own_page(headers: &HeaderMap) -> Result<(), Refusal> {
    let site = headers
        .get("sec-fetch-site")
        .and_then(|v| v.to_str().ok())
        .unwrap_or("none");
    if ["same-origin", "none"].contains(&site) {
        return Ok(());
    }
    Err(Refusal(Fault::new(
        FaultKind::Denied,
        "access.denied",
        "不能从其他网站发起登录",
        "another site cannot sign somebody in",
    )))
}

/// Where an authority for clients is configured, a program shows a certificate beside its token:
/// a stolen token alone opens nothing.
fn certified(app: &App, actor: &Actor, parts: &Parts) -> Result<(), Refusal> {
    let arrived = parts.extensions.get::<crate::listen::Arrived>();
    let shown = arrived.is_some_and(|a| a.client_certificate.is_some());
    let demanded = !app.config.text("tls_clients").is_empty();
    if demanded && !shown && actor.account.starts_with("token:") {
        return Err(Refusal(Fault::new(
            FaultKind::Denied,
            "access.certificate",
            "程序访问须同时出示客户端证书",
            "a program must show a client certificate beside its token",
        )));
    }
    Ok(())
}

/// The caller, if admitted: acting under the grant that admits them.
async fn demand(
    app: &App,
    access: Access,
    caller: Option<Actor>,
    parts: &mut Parts,
) -> Result<Option<Actor>, Refusal> {
    if let Some(actor) = &caller {
        super::openid::within_scopes(access, actor)?;
    }
    let (verb, object) = match access {
        Access::Public => return Ok(caller),
        Access::SignedIn => return caller.map(Some).ok_or_else(|| Refusal(sign_in())),
        Access::May(verb, object) => (verb, object),
    };
    let actor = caller.ok_or_else(|| Refusal(sign_in()))?;
    let mut object = object.to_string();
    if object.contains('{') {
        let params = RawPathParams::from_request_parts(parts, &()).await;
        let params = params.map_err(|_| Refusal(Fault::missing("path")))?;
        for (name, value) in &params {
            object = object.replace(&format!("{{{name}}}"), value);
        }
    }
    Ok(Some(app.city.policy.demand(&actor, verb, &object)?))
}

fn idempotency_key(parts: &Parts, caller: &Option<Actor>) -> Result<Option<String>, Refusal> {
    let Some(key) = parts.headers.get("idempotency-key") else {
        return Ok(None);
    };
    let (true, Some(actor)) = (parts.method == Method::POST, caller) else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= 128 => Ok(Some(format!(
            "{} {} {text}",
            actor.account,
            parts.uri.path()
        ))),
        _ => Err(Refusal(Fault::invalid_at(
            "Idempotency-Key",
            "应为 1 到 128 个字符",
            "expected 1 to 128 characters",
        ))),
    }
}

/// Does the work once per key: a repeated request gets the first one's answer.
async fn once(app: &App, key: String, request: Request, next: Next) -> Result<Response, Refusal> {
    let _turn = app.keys.turn(&key).await;
    if let Some((status, body)) = app.kept_answer(&key).await? {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let kind = if status.is_success() {
            "application/json"
        } else {
            "application/problem+json"
        };
        return Ok((
            status,
            [(header::CONTENT_TYPE, kind), (header::AGE, "0")],
            body,
        )
            .into_response());
    }
    let response = next.run(request).await;
    // Only what took effect is remembered; a refusal may be tried again with the same key.
    if !response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 64 * 1024 * 1024).await;
    let bytes = bytes.map_err(|e| Refusal(Fault::internal("keeping an answer", e)))?;
    if bytes.len() <= KEPT_ANSWER_BYTES {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        app.keep_answer(&key, parts.status.as_u16(), text).await?;
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// The last word for paths nobody has: a problem document, not an empty page.
pub fn nothing_here(path: &str) -> Response {
    let fault = Fault::missing(path);
    let head = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::NOT_FOUND, head, document(&fault).to_string()).into_response()
}
