//! Faults over HTTP: RFC 9457 problem+json with a stable code, both languages and every problem.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use serde_json::{Map, Value, json};

/// A fault on its way to a client.
pub struct Refusal(pub Fault);

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal(fault)
    }
}

/// What a handler answers.
pub type Answer<T> = Result<T, Refusal>;

/// The problem document of a fault.
pub fn document(fault: &Fault) -> Value {
    let mut body = Map::new();
    body.insert("type".into(), json!(format!("/docs/errors/{}", fault.code)));
    body.insert("code".into(), json!(fault.code));
    body.insert("title".into(), json!(fault.words.zh));
    body.insert("detail".into(), json!(fault.words.zh));
    // The cause of an internal fault is for the log, not for the client.
    let detail_en = match fault.code {
        "system.internal" => "internal error",
        "store.disk_full" => "the disk of the store is full, nothing was changed",
        "store.unavailable" => "the store cannot be used, nothing was changed",
        _ => fault.words.en.as_str(),
    };
    body.insert("detail_en".into(), json!(detail_en));
    body.insert("status".into(), json!(fault.status()));
    body.insert("problems".into(), json!(fault.problems));
    if let Some(seconds) = fault.retry_after_s {
        body.insert("retry_after_s".into(), json!(seconds));
    }
    Value::Object(body)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let fault = self.0;
        if fault.kind == FaultKind::Internal || fault.code.starts_with("store.") {
            tracing::error!(code = fault.code, "{}", fault.words.en);
        }
        let status =
            StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, document(&fault).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = fault.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
