//! OGC SensorThings API 1.1 (read side) at its conventional path, beside our own API. Clients of
//! that world often know only HTTP Basic; the guard understands it.

use super::guard::Caller;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Access, Verb};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "observations");
    let words = ("SensorThings 1.1（只读）", "SensorThings 1.1 (read)");
    table.add(line("GET /sta/v1.1", read, words.0, words.1), answer);
    table.add(line("GET /sta/v1.1/", read, words.0, words.1), answer);
    let options: &[&str] = &[
        "$filter: expression",
        "$expand: paths",
        "$orderby: fields",
        "$top: number",
        "$skip: number",
        "$select: fields",
        "$count: boolean",
        "$resultFormat: dataArray",
        "$skiptoken: cursor",
    ];
    table.add(
        line("GET /sta/v1.1/{*path}", read, words.0, words.1).query(options),
        answer,
    );
}

/// The address links begin with: the public one where there is one, otherwise what the client asked
/// for. What a proxy says of the scheme is not believed: behind one, `public_url` is set.
fn base(app: &App, headers: &HeaderMap) -> String {
    let public = app.config.text("public_url").trim_end_matches('/');
    if !public.is_empty() {
        return format!("{public}/sta/v1.1");
    }
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok());
    let scheme = if app.tls.get().is_some() {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{}/sta/v1.1", host.unwrap_or("localhost"))
}

async fn answer(State(app): State<Arc<App>>, caller: Caller, request: Request) -> Answer<Response> {
    let base = base(&app, request.headers());
    let path = request
        .uri()
        .path()
        .trim_start_matches("/sta/v1.1")
        .trim_start_matches('/')
        .to_string();
    let query = request.uri().query().unwrap_or("").to_string();
    let answer = sensorthings::answer_for(
        &app.city_with_gateways(),
        caller.actor()?,
        &base,
        &path,
        &query,
    )
    .await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((
        status,
        [(header::CONTENT_TYPE, answer.content_type)],
        answer.bytes(),
    )
        .into_response())
}
