//! Applications: the operator's register of OpenID clients, and the list of those a person is
//! connected with.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use ::openid::{ClientChange, ClientSpec, SCOPES};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    let operate = Access::May(Verb::Operate, "applications");
    table.add(
        line(
            "GET /api/v1/account/applications",
            own,
            "已连接的应用",
            "Applications one is connected with",
        )
        .gives("ConnectedList"),
        connected,
    );
    table.add(
        line(
            "DELETE /api/v1/account/applications/{client}",
            own,
            "断开应用",
            "Take everything back from one",
        ),
        disconnect,
    );
    table.add(
        line(
            "GET /api/v1/operator/applications",
            operate,
            "应用列表",
            "List applications",
        )
        .query(&["after: cursor", "limit: number"])
        .gives("ApplicationList"),
        list,
    );
    table.add(
        line(
            "POST /api/v1/operator/applications",
            operate,
            "登记应用",
            "Register an application",
        )
        .takes("NewApplication")
        .gives("RegisteredApplication")
        .secret(),
        register,
    );
    table.add(
        line(
            "PATCH /api/v1/operator/applications/{client}",
            operate,
            "修改或停用应用",
            "Change or disable an application",
        )
        .takes("ApplicationChange")
        .gives("Application"),
        change,
    );
    table.add(
        line(
            "POST /api/v1/operator/applications/{client}/secret",
            operate,
            "更换应用密钥",
            "Give an application a new secret",
        )
        .takes("NewSecret")
        .gives("ApplicationSecret")
        .secret(),
        rotate,
    );
    table.add(
        line(
            "GET /api/v1/operator/applications/{client}/usage",
            operate,
            "应用使用情况",
            "What an application's use amounts to",
        )
        .gives("ApplicationUsage"),
        usage,
    );
}

/// A secret is in this answer only: nobody may keep it.
fn secret_answer(status: StatusCode, body: Value) -> Response {
    (
        status,
        [(header::CACHE_CONTROL, "no-store")],
        axum::Json(body),
    )
        .into_response()
}

async fn connected(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let list = app.openid.connected(&caller.actor()?.account).await?;
    Ok(Listing::whole(list).into_response())
}

async fn disconnect(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(client): Path<String>,
) -> Answer<Response> {
    app.openid.disconnect(caller.actor()?, &client).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let after = query.text("after").unwrap_or_default();
    let limit = query.number("limit", 1, 500, 100);
    query.finish()?;
    drop(query);
    let page = app.openid.clients(&after, limit as u64).await?;
    let scopes: Vec<Value> = SCOPES
        .iter()
        .map(|s| json!({ "name": s.name, "words": { "zh": s.zh, "en": s.en } }))
        .collect();
    let issuer = app.openid.issuer();
    let body =
        json!({ "items": page.items, "next": page.next, "scopes": scopes, "issuer": *issuer });
    Ok(axum::Json(body).into_response())
}

async fn register(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(spec): Json<ClientSpec>,
) -> Answer<Response> {
    let (client, secret) = app.openid.register(caller.actor()?, spec).await?;
    let body = json!({ "application": client, "secret": secret });
    Ok(secret_answer(StatusCode::CREATED, body))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(client): Path<String>,
    headers: HeaderMap,
    Json(change): Json<ClientChange>,
) -> Answer<Response> {
    let version = if_match(&headers)?;
    let changed = app
        .openid
        .change_client(caller.actor()?, &client, change, version)
        .await?;
    Ok(with_version(changed.version, &changed))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    #[serde(default)]
    at_once: bool,
}

async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(client): Path<String>,
    Json(input): Json<NewSecret>,
) -> Answer<Response> {
    let secret = app
        .openid
        .rotate_secret(caller.actor()?, &client, input.at_once)
        .await?;
    Ok(secret_answer(StatusCode::OK, json!({ "secret": secret })))
}

async fn usage(State(app): State<Arc<App>>, Path(client): Path<String>) -> Answer<Response> {
    Ok(axum::Json(app.openid.usage(&client).await?).into_response())
}
