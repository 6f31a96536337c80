//! The keys of the city over HTTP: what rings there are, their public halves, a new version, the
//! end of an old one. No secret passes here; shares of the master key are for the command line.

use super::guard::Caller;
use super::input::Json;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use crate::commands::keys::key_set;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::crypto::{Crypto, Ring};
use kernel::fault::Fault;
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "keys");
    let operate = Access::May(Verb::Operate, "keys");
    table.add(
        line(
            "GET /api/v1/operator/keys",
            read,
            "密钥环与密钥",
            "Rings of keys and their versions",
        )
        .gives("KeyRings"),
        list,
    );
    table.add(
        line(
            "GET /api/v1/operator/keys/{ring}/public",
            read,
            "密钥环的公钥（JWK Set）",
            "Public keys of a ring (JWK Set)",
        )
        .gives("KeySet"),
        public,
    );
    table.add(
        line(
            "POST /api/v1/operator/keys/{ring}/rotate",
            operate,
            "轮换密钥",
            "Make a new version of a ring",
        )
        .takes("KeyReason")
        .gives("KeyVersion"),
        rotate,
    );
    table.add(
        line(
            "POST /api/v1/operator/keys/{ring}/{key}/retire",
            operate,
            "使旧密钥退役",
            "Retire an old version",
        )
        .takes("KeyReason")
        .gives("KeyVersion"),
        retire,
    );
}

fn ring(word: &str) -> Answer<Ring> {
    Ring::parse(word).ok_or_else(|| Refusal(Fault::missing(word)))
}

async fn list(State(app): State<Arc<App>>) -> Answer<Response> {
    let keys = &app.key_rings;
    let body = json!({
        "suite": keys.suite(),
        "master": {"id": keys.master_id()},
        "now": app.city.clock.now(),
        "rings": keys.rings(),
    });
    Ok(axum::Json(body).into_response())
}

async fn public(State(app): State<Arc<App>>, Path(word): Path<String>) -> Answer<Response> {
    let keys = app.key_rings.public_keys(ring(&word)?)?;
    Ok(axum::Json(key_set(&keys)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

async fn rotate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(word): Path<String>,
    Json(input): Json<Reason>,
) -> Answer<Response> {
    let ring = ring(&word)?;
    let key = app
        .key_rings
        .rotate(caller.actor()?, ring, &input.reason)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(key)).into_response())
}

async fn retire(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((word, key)): Path<(String, String)>,
    Json(input): Json<Reason>,
) -> Answer<Response> {
    let ring = ring(&word)?;
    let actor = caller.actor()?;
    if ring == Ring::Secrets {
        // What lies under the old key would be lost with it.
        app.parties.reseal().await?;
    }
    let key = app
        .key_rings
        .retire(actor, ring, &key, &input.reason)
        .await?;
    Ok(axum::Json(key).into_response())
}
