//! How one's own account is protected: second factors, recovery codes; and what an operator does
//! for somebody who lost theirs.

use super::guard::{Caller, From};
use super::input::Json;
use super::problem::Answer;
use super::session::{listed, opened, own_token, with_session};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use identity::Enrolled;
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    let line = |route: &str, zh: &str, en: &str| line(route, own, zh, en);
    table.add(
        line(
            "GET /api/v1/account/security",
            "我的账号安全设置",
            "How one's own account is protected",
        )
        .gives("AccountSecurity"),
        security,
    );
    table.add(
        line(
            "POST /api/v1/account/factors/totp",
            "开始设置动态验证码",
            "Begin a one-time code",
        )
        .takes("FactorName")
        .gives("NewTotp")
        .fresh()
        .secret(),
        begin_totp,
    );
    table.add(
        line(
            "POST /api/v1/account/factors/totp/{id}",
            "确认动态验证码",
            "Confirm a one-time code by its first code",
        )
        .takes("FactorCode")
        .gives("Enrolled")
        .fresh()
        .secret(),
        confirm_totp,
    );
    table.add(
        line(
            "POST /api/v1/account/factors/passkey",
            "开始添加通行密钥",
            "Begin a passkey",
        )
        .gives("SignInStep")
        .fresh()
        .secret(),
        begin_passkey,
    );
    table.add(
        line(
            "PUT /api/v1/account/factors/passkey",
            "保存通行密钥",
            "Keep the passkey the browser made",
        )
        .takes("NewPasskey")
        .gives("Enrolled")
        .fresh(),
        finish_passkey,
    );
    table.add(
        line(
            "PATCH /api/v1/account/factors/{id}",
            "重命名验证方式",
            "Rename a second factor",
        )
        .takes("FactorName"),
        rename,
    );
    table.add(
        line(
            "DELETE /api/v1/account/factors/{id}",
            "删除验证方式",
            "Remove a second factor",
        )
        .fresh(),
        remove,
    );
    table.add(
        line(
            "POST /api/v1/account/recovery-codes",
            "重新生成恢复码",
            "New recovery codes in place of the old",
        )
        .gives("RecoveryCodes")
        .fresh()
        .secret(),
        recovery,
    );
    add_operator(table);
}

fn add_operator(table: &mut Table) {
    let accounts = Access::May(Verb::Operate, "accounts");
    let line = |route: &str, zh: &str, en: &str| line(route, accounts, zh, en);
    table.add(
        line(
            "POST /api/v1/operator/accounts/{name}/reset-password",
            "重置密码（临时密码）",
            "Give a temporary password to somebody who lost theirs",
        )
        .takes("Reason")
        .gives("TemporaryPassword")
        .fresh()
        .secret(),
        reset_password,
    );
    table.add(
        line(
            "POST /api/v1/operator/accounts/{name}/reset-factors",
            "清除第二重验证",
            "Take the second factors from somebody who lost them",
        )
        .takes("Reason")
        .gives("Removed")
        .fresh(),
        reset_factors,
    );
    table.add(
        line(
            "POST /api/v1/operator/accounts/{name}/unlock",
            "解除尝试限制",
            "Let somebody try again at once who failed too often",
        ),
        unlock,
    );
    table.add(
        line(
            "GET /api/v1/operator/accounts/{name}/sessions",
            "账号的会话",
            "The sessions of an account",
        )
        .gives("SessionPage"),
        sessions,
    );
    table.add(
        line(
            "DELETE /api/v1/operator/accounts/{name}/sessions",
            "结束账号的全部会话",
            "End every session of an account",
        ),
        end_sessions,
    );
    table.add(
        line(
            "DELETE /api/v1/operator/accounts/{name}/sessions/{id}",
            "结束账号的一个会话",
            "End one session of an account",
        ),
        end_session,
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPasskey {
    ticket: String,
    name: String,
    passkey: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

async fn security(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let security = app.identity.security(&caller.actor()?.account).await?;
    Ok(axum::Json(security).into_response())
}

async fn begin_totp(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<Named>,
) -> Answer<Response> {
    let account = &caller.actor()?.account;
    let new = app.identity.begin_totp(account, &input.name).await?;
    Ok((StatusCode::CREATED, axum::Json(new)).into_response())
}

fn enrolled(app: &App, enrolled: &Enrolled) -> Answer<Response> {
    let body = json!({
        "factor": enrolled.factor, "recovery_codes": enrolled.recovery_codes,
        "session": opened(&enrolled.session),
    });
    with_session(app, &enrolled.session, body)
}

async fn confirm_totp(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(input): Json<Code>,
) -> Answer<Response> {
    let token = own_token(&app, &headers);
    let done = app
        .identity
        .confirm_totp(&token, &id, &input.code, &origin)
        .await?;
    enrolled(&app, &done)
}

async fn begin_passkey(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let begun = app
        .identity
        .begin_passkey_registration(caller.actor()?)
        .await?;
    Ok(axum::Json(begun).into_response())
}

async fn finish_passkey(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<NewPasskey>,
) -> Answer<Response> {
    let token = own_token(&app, &headers);
    let NewPasskey {
        ticket,
        name,
        passkey,
    } = input;
    let done = app
        .identity
        .finish_passkey_registration(&token, &ticket, &name, passkey, &origin)
        .await?;
    enrolled(&app, &done)
}

async fn rename(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<Named>,
) -> Answer<Response> {
    let account = &caller.actor()?.account;
    app.identity
        .rename_factor(account, &id, &input.name)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let account = &caller.actor()?.account;
    app.identity.remove_factor(account, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn recovery(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let account = &caller.actor()?.account;
    let codes = app.identity.new_recovery_codes(account).await?;
    Ok(axum::Json(json!({"recovery_codes": codes})).into_response())
}

async fn reset_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(input): Json<Reason>,
) -> Answer<Response> {
    let by = caller.actor()?;
    let password = app
        .identity
        .reset_password(by, &name, &input.reason)
        .await?;
    Ok(axum::Json(json!({"password": password})).into_response())
}

async fn reset_factors(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(input): Json<Reason>,
) -> Answer<Response> {
    let by = caller.actor()?;
    let removed = app.identity.reset_factors(by, &name, &input.reason).await?;
    Ok(axum::Json(json!({"removed": removed})).into_response())
}

async fn unlock(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Answer<Response> {
    app.identity.unlock(caller.actor()?, &name).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn sessions(State(app): State<Arc<App>>, Path(name): Path<String>) -> Answer<Response> {
    app.identity.account(&name).await?;
    listed(app.identity.sessions(&name).await?, None)
}

async fn end_sessions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Answer<Response> {
    let ended = app
        .identity
        .revoke_all(caller.actor()?, &name, None)
        .await?;
    Ok(axum::Json(json!({"ended": ended})).into_response())
}

async fn end_session(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((name, id)): Path<(String, String)>,
) -> Answer<Response> {
    app.identity.revoke(caller.actor()?, &name, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
