//! Signing in and out, one's own password, and why one may or may not do something.

use super::guard::{COOKIE, Caller, token};
use super::input::{Json, Query};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::organisations::Organisations;
use kernel::{Access, Decision, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line("POST /api/v1/session", Access::Public, "登录", "Sign in")
            .takes("SignIn")
            .gives("Session"),
        sign_in,
    );
    table.add(
        line(
            "GET /api/v1/session",
            own,
            "当前会话",
            "The current session",
        )
        .gives("Session"),
        current,
    );
    table.add(
        line("DELETE /api/v1/session", own, "退出", "Sign out"),
        sign_out,
    );
    table.add(
        line(
            "POST /api/v1/session/password",
            own,
            "修改密码",
            "Change one's password",
        )
        .takes("PasswordChange"),
        password,
    );
    table.add(
        line(
            "GET /api/v1/access/explain",
            own,
            "权限说明",
            "Why may (or may not) a person do this",
        )
        .query(&["account: text", "do: verb", "on: object"]),
        explain,
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    account: String,
    password: String,
}

fn origin(peer: SocketAddr, headers: &HeaderMap) -> identity::Origin {
    let agent = headers
        .get(header::USER_AGENT)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    identity::Origin {
        address: peer.ip().to_string(),
        agent: agent.into(),
    }
}

async fn sign_in(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(input): Json<SignIn>,
) -> Answer<Response> {
    let session = app
        .identity
        .sign_in(&input.account, &input.password, &origin(peer, &headers))
        .await?;
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict",
        session.token
    );
    let body = json!({
        "account": session.actor.account, "display": session.actor.display, "roles": session.actor.roles,
        "organisation": session.actor.organisation, "token": session.token, "expires_at": session.expires_at,
    });
    Ok(([(header::SET_COOKIE, cookie)], axum::Json(body)).into_response())
}

async fn current(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let actor = caller.actor()?;
    let may = app.policy.may_list(actor);
    let may: Vec<Value> = may
        .iter()
        .map(|(verb, on)| json!({"do": verb, "on": on}))
        .collect();
    Ok(axum::Json(json!({
        "account": actor.account, "display": actor.display, "roles": actor.roles,
        "organisation": actor.organisation, "may": may,
    }))
    .into_response())
}

async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer<Response> {
    if let Some((token, _)) = token(&headers) {
        app.identity.sign_out(&token).await?;
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    old: String,
    new: String,
}

async fn password(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    caller: Caller,
    Json(input): Json<PasswordChange>,
) -> Answer<Response> {
    let session = match token(&headers) {
        Some((token, _)) => app
            .identity
            .recognise(&token)
            .await?
            .and_then(|r| r.session),
        None => None,
    };
    let (account, origin) = (&caller.actor()?.account, origin(peer, &headers));
    app.identity
        .change_password(account, &input.old, &input.new, session.as_deref(), &origin)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Anybody may ask about themselves; about others, those who keep the accounts.
async fn explain(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let actor = caller.actor()?;
    let account = query
        .text("account")
        .unwrap_or_else(|| actor.account.clone());
    let verb = query.choice(
        "do",
        "read, export, write, handle, command, operate, audit",
        Verb::parse,
    );
    let object = query.demand("on");
    query.demand("do");
    query.finish()?;
    let verb = verb.unwrap_or(Verb::Read);
    let decision = if account == actor.account {
        app.city.policy.may(actor, verb, &object)
    } else {
        app.city.policy.demand(actor, Verb::Operate, "accounts")?;
        let mut asked = app.identity.account(&account).await?.actor();
        app.organisations.dress(&mut asked);
        app.city.policy.may(&asked, verb, &object)
    };
    let body = match decision {
        Decision::Allowed {
            role,
            purpose,
            basis,
        } => {
            json!({"allowed": true, "role": role, "purpose": purpose, "basis": basis, "would": []})
        }
        Decision::Denied { would, .. } => {
            json!({"allowed": false, "role": null, "purpose": null, "basis": null, "would": would})
        }
    };
    Ok(axum::Json(body).into_response())
}
