//! Reports of the systems: one route each, with the access their `system.yaml` declares.

use super::guard::Caller;
use super::input::Query;
use super::output::Listing;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::city::Report;
use kernel::declare::Declared;
use kernel::{Access, Verb};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Adds a route for every declared report, and the indicators.
pub fn add(table: &mut Table, declared: &Declared, bound: &BTreeMap<(String, String), Report>) {
    for system in &declared.systems {
        for report in &system.reports {
            let Some(function) = bound
                .get(&(system.folder.clone(), report.name.clone()))
                .copied()
            else {
                continue;
            };
            let access = if report.public {
                Access::Public
            } else {
                // The table lives as long as the program; so may the name.
                Access::May(
                    Verb::Read,
                    Box::leak(report.object.clone().into_boxed_str()),
                )
            };
            let route = format!("GET /api/v1/{}/{}", system.folder, report.name);
            let title = &report.title;
            let handler =
                move |State(app): State<Arc<App>>, query: Query| answer(app, function, query);
            table.add(
                line(&route, access, &title.zh, &title.en).query(&["see the report: its own"]),
                handler,
            );
        }
    }
    table.add(
        line(
            "GET /api/v1/indicators",
            Access::Public,
            "指标（公开）",
            "Indicators (open figures)",
        )
        .gives("IndicatorPage"),
        indicators,
    );
}

async fn answer(app: Arc<App>, function: Report, query: Query) -> Answer<Response> {
    let value = function(app.city_with_gateways(), query.all()).await?;
    Ok(axum::Json(value).into_response())
}

async fn indicators(State(app): State<Arc<App>>, _caller: Caller) -> Answer<Response> {
    let mut items = vec![];
    for value in app.indicators.list() {
        let trend = app.indicators.trend(&value.system, &value.name).await?;
        let mut item = json!(value);
        item["trend"] = json!(trend);
        items.push(item);
    }
    Ok(Listing::whole(items).into_response())
}
