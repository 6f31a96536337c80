//! The front of the web: what is true of every answer, whoever gives it. Requests for a host that
//! is not ours are turned away; an authority's question is answered; answers carry the headers
//! that keep a browser on the safe side, and personal ones are kept by nobody on the way.

use super::problem::Refusal;
use crate::app::App;
use crate::listen::Arrived;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use kernel::fault::{Fault, FaultKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Where authorities ask (RFC 8555, 8.3).
const QUESTIONS: &str = "/.well-known/acme-challenge/";
/// Paths that probes on the machine ask by its address.
const PROBES: [&str; 3] = ["/health", "/ready", "/metrics"];
/// What an answer that is not a page may do in a browser: nothing.
const NOTHING: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// What every answer says unless its handler said otherwise.
const ALWAYS: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(self), gyroscope=(), \
         magnetometer=(), microphone=(), payment=(), usb=(), \
         publickey-credentials-create=(self), publickey-credentials-get=(self)",
    ),
    ("x-permitted-cross-domain-policies", "none"),
];

/// In front of everything.
pub async fn front(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    if let Some(answer) = proof(&app, request.uri()) {
        return answer;
    }
    let arrived = request.extensions().get::<Arrived>().cloned();
    let secure =
        arrived.is_some_and(|a| a.tls) || app.config.text("public_url").starts_with("https:");
    let path = request.uri().path().to_string();
    let mut response = match host_is_ours(&app, &request) {
        true => {
            find_caller(&app, &mut request);
            next.run(request).await
        }
        false => Refusal(Fault::new(
            FaultKind::Misdirected,
            "input.wrong_host",
            "请使用本系统公布的网址访问",
            "this is not an address of this city",
        ))
        .into_response(),
    };
    dress(response.headers_mut(), &path, secure);
    response
}

fn dress(headers: &mut HeaderMap, path: &str, secure: bool) {
    let mut unless_said = |name: &'static str, value: &'static str| {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    };
    for (name, value) in ALWAYS {
        unless_said(name, value);
    }
    unless_said("content-security-policy", NOTHING);
    // Pages and their files say themselves how long they last; everything else is somebody's.
    if !path.starts_with("/assets/") {
        unless_said("cache-control", "no-store");
    }
    if secure {
        unless_said(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        );
    }
}

fn proof(app: &App, uri: &Uri) -> Option<Response> {
    let token = uri.path().strip_prefix(QUESTIONS)?;
    let answer = app.questions.answer(token);
    let head = [(header::CONTENT_TYPE, "application/octet-stream")];
    Some(match answer {
        Some(answer) => (head, answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

/// Is the request for a host we are known by? Without a public address any host will do, so that
/// a city on a laptop works; the host is then used for nothing but links of the answer itself.
fn host_is_ours(app: &App, request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (named, second) = (hosts.next(), hosts.next());
    let named = named.and_then(|v| v.to_str().ok());
    let named = request.uri().authority().map(|a| a.as_str()).or(named);
    if second.is_some() {
        return false;
    }
    let ours = app.config.web_hosts();
    if ours.is_empty() {
        // HTTP/1.0 has no host.
        let fits = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        return named.is_none_or(|n| n.len() <= 260 && n.chars().all(fits));
    }
    let probe = PROBES.contains(&request.uri().path());
    probe || named.is_some_and(|n| ours.iter().any(|o| o.eq_ignore_ascii_case(n)))
}

/// Behind a proxy of ours the caller is whom the proxy names; anybody else may write what they
/// like into that header.
fn find_caller(app: &App, request: &mut Request) {
    let proxies = app.config.proxies();
    let Some(ConnectInfo(peer)) = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .copied()
    else {
        return;
    };
    if !proxies.contains(&peer.ip().to_canonical()) {
        return;
    }
    let said = request.headers().get_all("x-forwarded-for").iter();
    let said = said.filter_map(|v| v.to_str().ok());
    let said: Vec<IpAddr> = said
        .flat_map(|line| line.split(','))
        .filter_map(|a| a.trim().parse().ok())
        .collect();
    let caller = said.into_iter().rev().find(|a| !proxies.contains(a));
    if let Some(caller) = caller {
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(SocketAddr::new(caller, 0)));
    }
}

/// The service of the plain listener beside TLS.
pub fn redirect(app: Arc<App>) -> Router {
    Router::new()
        .fallback(send_on)
        .layer(from_fn_with_state(app.clone(), only_proofs))
        .with_state(app)
}

async fn only_proofs(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match proof(&app, request.uri()) {
        Some(answer) => answer,
        None => next.run(request).await,
    }
}

/// To the public address and nowhere else: what the client calls the host does not matter.
async fn send_on(State(app): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
    let base = app.config.text("public_url").trim_end_matches('/');
    if base.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    Redirect::permanent(&format!("{base}{path}")).into_response()
}
