//! The person's answer to an application: what it asks for, and whether they agree.

use super::{no_session, visitor, with_request};
use crate::app::App;
use crate::http::guard::Caller;
use crate::http::input::{Json, Query};
use crate::http::problem::Answer;
use ::openid::Step;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::Words;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn asked(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let sealed = query.demand("request");
    query.finish()?;
    drop(query);
    let pending = app.openid.open_pending(&sealed)?;
    let visitor = visitor(&app, &headers).await?.ok_or_else(no_session)?;
    let asked = app.openid.asked(&pending, &visitor.actor.account).await?;
    let scopes: Vec<Value> = asked
        .scopes
        .iter()
        .map(|(name, words)| json!({ "name": name, "words": words }))
        .collect();
    let organisation = asked.organisation.map(|code| {
        let known = app
            .city
            .declared
            .city
            .organisations
            .iter()
            .find(|o| o.code == code);
        known.map_or(Words::new(&code, &code), |known| known.title.clone())
    });
    Ok(axum::Json(json!({
        "client": asked.client, "name": asked.name, "purpose": asked.purpose,
        "organisation": organisation, "host": asked.host, "scopes": scopes, "agreed": asked.agreed,
        "account": visitor.actor.account, "display": visitor.actor.display,
    }))
    .into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Consent {
    request: String,
    agrees: bool,
    #[serde(default)]
    remember: bool,
}

pub(super) async fn consent(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    caller: Caller,
    Json(input): Json<Consent>,
) -> Answer<Response> {
    caller.actor()?;
    let pending = app.openid.open_pending(&input.request)?;
    let visitor = visitor(&app, &headers).await?.ok_or_else(no_session)?;
    let step = app
        .openid
        .decide(&pending, &visitor, input.agrees, input.remember)
        .await?;
    let to = match step {
        Step::Return(address) => address,
        // The sign-in became too old while the page was open.
        _ => with_request("/oauth2/continue", &input.request, &[]),
    };
    Ok(axum::Json(json!({ "to": to })).into_response())
}
