//! OGC SensorThings API 1.1 (read side) at its conventional path, beside our own API.

use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Access, Verb};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "observations");
    let words = ("SensorThings 1.1（只读）", "SensorThings 1.1 (read)");
    table.add(line("GET /sta/v1.1", read, words.0, words.1), answer);
    table.add(line("GET /sta/v1.1/", read, words.0, words.1), answer);
    table.add(
        line("GET /sta/v1.1/{*path}", read, words.0, words.1)
            .query(&["$filter $expand $orderby $top $skip $select $count"]),
        answer,
    );
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Answer<Response> {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("localhost");
    let base = format!("http://{host}/sta/v1.1");
    let path = request
        .uri()
        .path()
        .trim_start_matches("/sta/v1.1")
        .trim_start_matches('/')
        .to_string();
    let query = request.uri().query().unwrap_or("").to_string();
    let answer = sensorthings::answer(&app.city_with_gateways(), &base, &path, &query).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok((status, axum::Json(answer.body)).into_response())
}
