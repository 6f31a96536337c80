//! The HTTP face of the program: one table of routes, one guard before each, one form of fault.

pub mod access;
pub mod account;
pub mod alerts;
pub mod applications;
pub mod attachments;
pub mod audit;
pub mod backups;
pub mod cases;
pub mod city;
pub mod consult;
pub mod decisions;
pub mod devices;
pub mod front;
pub mod guard;
pub mod input;
pub mod items;
mod json_words;
pub mod keys;
pub mod licences;
pub mod live;
pub mod members;
pub mod messages;
pub mod meter;
pub mod meters;
pub mod my_data;
pub mod office;
pub mod openapi;
pub mod openid;
pub mod operator;
pub mod organisations;
pub mod output;
pub mod parties;
pub mod posture;
pub mod prints;
pub mod problem;
pub mod registers;
pub mod reports;
pub mod scope;
pub mod series;
pub mod service_applications;
pub mod session;
pub mod sta;
pub mod standing;
pub mod table;
pub mod tasks;
pub mod uploads;
pub mod upstream;
pub mod visits;
pub mod wallets;
pub mod web;

use crate::app::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use kernel::Access;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use table::{Route, Table, line};
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

/// A request body holds at most so many bytes, compressed or not.
const BODY_LIMIT: usize = 64 * 1024 * 1024;

/// Every route of the program with its handler.
pub fn table(app: &Arc<App>) -> (Router<Arc<App>>, Vec<Route>) {
    let mut table = Table::new(app.clone());
    session::add(&mut table);
    account::add(&mut table);
    openid::add(&mut table);
    applications::add(&mut table);
    upstream::add(&mut table);
    city::add(&mut table);
    registers::add(&mut table);
    series::add(&mut table);
    live::add(&mut table);
    alerts::add(&mut table);
    devices::add(&mut table);
    reports::add(&mut table, &app.city.declared, &app.reports);
    operator::add(&mut table);
    parties::add(&mut table);
    access::add(&mut table);
    meters::add(&mut table);
    posture::add(&mut table);
    audit::add(&mut table);
    my_data::add(&mut table);
    backups::add(&mut table);
    organisations::add(&mut table);
    members::add(&mut table);
    keys::add(&mut table);
    cases::add(&mut table);
    tasks::add(&mut table);
    decisions::add(&mut table);
    licences::add(&mut table);
    consult::add(&mut table);
    prints::add(&mut table);
    wallets::add(&mut table);
    items::add(&mut table);
    service_applications::add(&mut table);
    uploads::add(&mut table);
    office::add(&mut table);
    messages::add(&mut table);
    visits::add(&mut table);
    sta::add(&mut table);
    table.add(
        line("GET /api/v1/openapi.json", Access::Public, "OpenAPI 文档", "The OpenAPI document"),
        |State(app): State<Arc<App>>| async move { axum::Json(openapi::document(&self::table(&app).1)) },
    );
    table.finish()
}

/// The whole service: routes, pages, limits.
pub fn service(app: Arc<App>) -> Router {
    let (router, _) = table(&app);
    router
        .fallback(web::serve)
        .layer(from_fn_with_state(app.clone(), count))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        // A body that stops coming gives its place back.
        .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(20)))
        .layer(RequestDecompressionLayer::new())
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(120),
        ))
        .layer(from_fn_with_state(app.clone(), front::front))
        .with_state(app)
}

async fn count(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    app.requests_total.fetch_add(1, Ordering::Relaxed);
    next.run(request).await
}
