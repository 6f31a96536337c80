//! What a browser is answered on its way through a sign-on: small pages of our own without script,
//! and addresses to go on at.

use crate::http::problem::document;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};

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

pub(super) fn with_request(path: &str, sealed: &str, more: &[(&str, &str)]) -> String {
    let mut address = format!("{path}?request={sealed}");
    for (name, value) in more {
        address.push_str(&format!("&{name}={}", escape(value)));
    }
    address
}

/// Percent encoding of everything that is not plain.
pub(super) fn escape(text: &str) -> String {
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
