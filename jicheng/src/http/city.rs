//! What everybody may know: the city, the menu, the map's outlines and layers, the errors.

use super::guard::Caller;
use super::input::Query;
use super::output::Listing;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use crate::embed::ErrorPages;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use kernel::fault::Fault;
use kernel::records::RecordQuery;
use kernel::{Access, Verb};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A layer shows at most so many features; more need a box.
const FEATURE_LIMIT: usize = 20_000;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let layers = Access::May(Verb::Read, "layers");
    table.add(
        line("GET /api/v1/city", Access::Public, "城市概况", "The city").gives("City"),
        city,
    );
    table.add(
        line(
            "GET /api/v1/menu",
            Access::Public,
            "菜单",
            "The menu, with what the caller may open",
        ),
        menu,
    );
    table.add(
        line(
            "GET /api/v1/map/districts",
            Access::Public,
            "区县轮廓（导入后）",
            "District outlines, once imported",
        ),
        districts,
    );
    table.add(
        line("GET /api/v1/layers", layers, "图层目录", "List layers"),
        list_layers,
    );
    table.add(
        line(
            "GET /api/v1/layers/{layer}",
            layers,
            "图层要素（GeoJSON）",
            "Features of a layer (GeoJSON)",
        )
        .query(&["at: time", "bbox: west,south,east,north"]),
        layer,
    );
    table.add(
        line(
            "GET /docs/errors/{code}",
            Access::Public,
            "错误代码说明",
            "The page of an error code",
        ),
        error_page,
    );
}

async fn city(State(app): State<Arc<App>>) -> Response {
    let city = &app.city.declared.city;
    let systems: Vec<Value> = app
        .city
        .declared
        .systems
        .iter()
        .map(|s| json!({"folder": s.folder, "title": s.title, "maturity": s.maturity}))
        .collect();
    let pay = app.config.text("payment_url");
    let pay = (!pay.is_empty()).then_some(pay);
    axum::Json(json!({
        "payment_url": pay,
        "folder": city.folder, "code": city.code, "title": city.title,
        "centre": [city.centre.0, city.centre.1], "zoom": city.zoom,
        "simulated": app.simulated, "replaying": app.replaying,
        "now": app.city.clock.now(), "version": env!("CARGO_PKG_VERSION"),
        "districts": city.districts, "systems": systems,
    }))
    .into_response()
}

async fn menu(State(app): State<Arc<App>>, caller: Caller) -> Response {
    let pages = portal::menu(
        &app.city.declared,
        caller.0.as_ref(),
        app.city.policy.as_ref(),
    );
    axum::Json(json!({"pages": pages})).into_response()
}

async fn districts(State(app): State<Arc<App>>) -> Answer<Response> {
    let imported = app.store.documents().get("map", "districts").await?;
    let found = imported.ok_or_else(|| Refusal(Fault::missing("districts")))?;
    Ok((
        [(header::CONTENT_TYPE, "application/geo+json")],
        found.json.to_string(),
    )
        .into_response())
}

async fn list_layers(State(app): State<Arc<App>>) -> Response {
    let layers: Vec<Value> = app
        .city
        .declared
        .systems
        .iter()
        .flat_map(|s| &s.layers)
        .map(|l| json!(l))
        .collect();
    Listing::whole(layers).into_response()
}

async fn layer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Response> {
    let (at, inside) = (query.time("at"), query.bbox("bbox"));
    query.finish()?;
    let declared = &app.city.declared;
    let layer = declared
        .systems
        .iter()
        .flat_map(|s| &s.layers)
        .find(|l| l.name == name);
    let layer = layer.ok_or_else(|| Refusal(Fault::missing(&name)))?;
    let register = declared.register(&layer.register);
    let register = register.ok_or_else(|| Refusal(Fault::missing(&layer.register)))?;
    let object = super::scope::object_of(register);
    let actor = app
        .city
        .policy
        .demand(caller.actor()?, Verb::Read, &object)?;
    let place = register.place.clone();
    let (lon, lat) = place.ok_or_else(|| Refusal(Fault::missing(&layer.register)))?;
    let mut wanted = RecordQuery {
        valid_at: at,
        as_of: at,
        inside,
        limit: 1000,
        ..RecordQuery::default()
    };
    let mut features = vec![];
    let some = super::scope::narrow(&app, &actor, Verb::Read, register, &mut wanted);
    let mask = app.city.policy.mask(&actor, Verb::Read, &object, None);
    if !some {
        return Ok(collection(&[], false));
    }
    loop {
        let page = app.city.registers.list(&layer.register, &wanted).await?;
        for mut record in page.records {
            // A map carries what may be seen of every record it shows.
            mask.apply(register, &mut record);
            let point = (
                record.fields.get(&lon).and_then(Value::as_f64),
                record.fields.get(&lat).and_then(Value::as_f64),
            );
            let (Some(lon), Some(lat)) = point else {
                continue;
            };
            let mut properties: Map<String, Value> = Map::new();
            properties.insert("key".into(), json!(record.key));
            for field in &layer.fields {
                properties.insert(
                    field.clone(),
                    record.fields.get(field).cloned().unwrap_or(Value::Null),
                );
            }
            features.push(
                json!({"type": "Feature", "id": record.key, "properties": properties,
                "geometry": {"type": "Point", "coordinates": [lon, lat]}}),
            );
        }
        wanted.after = page.next;
        if wanted.after.is_none() || features.len() >= FEATURE_LIMIT {
            break;
        }
    }
    Ok(collection(&features, wanted.after.is_some()))
}

/// Features as GeoJSON, and whether some are left out.
fn collection(features: &[Value], cut: bool) -> Response {
    let body = json!({"type": "FeatureCollection", "cut": cut, "features": features});
    (
        [(header::CONTENT_TYPE, "application/geo+json")],
        body.to_string(),
    )
        .into_response()
}

async fn error_page(Path(code): Path<String>) -> Answer<Response> {
    let known = kernel::fault::CODES.contains(&code.as_str());
    let page = ErrorPages::get(&format!("{code}.md")).filter(|_| known);
    let page = page.ok_or_else(|| Refusal(Fault::missing(&code)))?;
    Ok((
        [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")],
        page.data.into_owned(),
    )
        .into_response())
}
