//! The guard in front of every route: who is this, may they do this, is there room. Deny by
//! default: without a session only `Access::Public` is open.

use super::problem::{Refusal, document};
use crate::app::App;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine};
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Actor};
use std::net::SocketAddr;
use std::sync::Arc;

/// Name of the session cookie.
pub const COOKIE: &str = "jicheng_session";
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

/// The token of a request and whether it came by cookie.
pub fn token(headers: &HeaderMap) -> Option<(String, bool)> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    if let Some(token) = bearer.and_then(|v| v.strip_prefix("Bearer ")) {
        return Some((token.trim().to_string(), false));
    }
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok());
    let mut pairs = cookies
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| (value.to_string(), true))
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

/// Lets a request pass, or answers why not.
pub async fn admit(
    State((app, access)): State<(Arc<App>, Access)>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let Ok(_room) = app.room.clone().try_acquire_owned() else {
        return Err(Fault::overloaded("http", 1).into());
    };
    let (mut parts, body) = request.into_parts();
    let caller = identify(&app, &parts).await?;
    let caller = match caller {
        Some(actor) => Some(super::standing::dress(&app, &parts, actor).await?),
        None => None,
    };
    let caller = demand(&app, access, caller, &mut parts).await?;
    let key = idempotency_key(&parts, &caller)?;
    let acting = caller.as_ref().filter(|a| a.standing.acts_for.is_some());
    let acting = acting.map(|a| {
        (
            a.clone(),
            parts.method.to_string(),
            parts.uri.path().to_string(),
        )
    });
    parts.extensions.insert(Caller(caller));
    let request = Request::from_parts(parts, body);
    let response = match key {
        None => next.run(request).await,
        Some(key) => once(&app, key, request, next).await?,
    };
    if let Some((actor, method, path)) = acting {
        super::standing::note(&app, &actor, &method, &path, response.status().as_u16()).await?;
    }
    Ok(response)
}

async fn identify(app: &App, parts: &Parts) -> Result<Option<Actor>, Refusal> {
    if let Some((account, password)) = basic(&parts.headers) {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|c| c.0);
        let address = peer.map(|p| p.ip().to_string()).unwrap_or_default();
        let origin = identity::Origin {
            address,
            agent: "basic".into(),
        };
        return Ok(Some(
            app.identity.basic(&account, &password, &origin).await?,
        ));
    }
    let Some((token, by_cookie)) = token(&parts.headers) else {
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
    let actor = app.identity.recognise(&token).await?.map(|r| r.actor);
    if let Some(actor) = &actor {
        certified(app, actor, parts)?;
    }
    Ok(actor)
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
