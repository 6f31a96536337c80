//! Signing in step by step and out, proving oneself again, one's own sessions and password, and
//! why one may or may not do something.

use super::guard::{Caller, From, demand_own_page, no_session_cookie, session_cookies, token};
use super::input::Json;
use super::output::Listing;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use identity::{Again, Proof, SignIn, SignedIn};
use kernel::Access;
use kernel::fault::Fault;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_steps(table);
    let own = Access::SignedIn;
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
            "POST /api/v1/session/step-up",
            own,
            "再次验证身份",
            "Prove again who one is",
        )
        .takes("StepUp")
        .gives("Session")
        .secret(),
        step_up,
    );
    table.add(
        line(
            "GET /api/v1/session/all",
            own,
            "我的全部会话",
            "All of one's own sessions",
        )
        .gives("SessionPage"),
        all,
    );
    table.add(
        line(
            "DELETE /api/v1/session/all",
            own,
            "退出其他全部会话",
            "End all of one's other sessions",
        ),
        end_others,
    );
    table.add(
        line(
            "DELETE /api/v1/session/all/{id}",
            own,
            "退出我的一个会话",
            "End one of one's own sessions",
        ),
        end_one,
    );
    table.add(
        line(
            "POST /api/v1/session/password",
            own,
            "修改密码",
            "Change one's password",
        )
        .takes("PasswordChange")
        .gives("Session")
        .secret(),
        password,
    );
}

fn add_steps(table: &mut Table) {
    let public = Access::Public;
    table.add(
        line(
            "POST /api/v1/session",
            public,
            "登录",
            "Sign in: the password",
        )
        .takes("SignIn")
        .gives("SignInStep")
        .secret(),
        sign_in,
    );
    table.add(
        line(
            "POST /api/v1/session/factor",
            public,
            "登录：第二重验证",
            "Sign in: the second factor, or a passkey alone",
        )
        .takes("FactorStep")
        .gives("Session")
        .secret(),
        factor,
    );
    table.add(
        line(
            "POST /api/v1/session/passkey",
            public,
            "登录：请求通行密钥",
            "Ask for a passkey, to sign in or to prove oneself again",
        )
        .gives("SignInStep")
        .secret(),
        passkey,
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    account: String,
    password: String,
}

/// What a session tells its holder; the secret is in this one answer and in the cookie.
pub fn opened(session: &SignedIn) -> Value {
    let actor = &session.actor;
    json!({
        "account": actor.account, "display": actor.display, "roles": actor.roles,
        "organisation": actor.organisation, "token": session.token,
        "expires_at": session.expires_at, "must": session.must,
        "factors": actor.standing.factors,
    })
}

/// An answer that opens or strengthens a session.
pub fn with_session(app: &App, session: &SignedIn, body: Value) -> Answer<Response> {
    let mut response = axum::Json(body).into_response();
    for cookie in session_cookies(app, &session.token, &session.device) {
        let value = HeaderValue::from_str(&cookie);
        let value = value.map_err(|e| Refusal(Fault::internal("writing a cookie", e)))?;
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    Ok(response)
}

async fn sign_in(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<Credentials>,
) -> Answer<Response> {
    demand_own_page(&headers)?;
    // A proven mobile number stands for its account.
    let account = app.parties.login_name(&input.account).await?;
    let step = app.identity.sign_in(&account, &input.password, &origin);
    match step.await? {
        SignIn::Done(session) => with_session(&app, &session, opened(&session)),
        SignIn::Next(challenge) => Ok(axum::Json(challenge).into_response()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    ticket: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    recovery: Option<String>,
    #[serde(default)]
    passkey: Option<Value>,
}

fn one_proof() -> Refusal {
    Refusal(Fault::invalid_at(
        "body",
        "请只提供一种验证方式",
        "show exactly one proof",
    ))
}

async fn factor(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<Factor>,
) -> Answer<Response> {
    demand_own_page(&headers)?;
    let proof = match (input.code, input.recovery, input.passkey) {
        (Some(code), None, None) => Proof::Code(code),
        (None, Some(code), None) => Proof::Recovery(code),
        (None, None, Some(sent)) => Proof::Passkey(sent),
        _ => return Err(one_proof()),
    };
    let session = app
        .identity
        .second_step(&input.ticket, proof, &origin)
        .await?;
    with_session(&app, &session, opened(&session))
}

async fn passkey(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer<Response> {
    demand_own_page(&headers)?;
    Ok(axum::Json(app.identity.begin_passkey()?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepUp {
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    ticket: Option<String>,
    #[serde(default)]
    passkey: Option<Value>,
}

/// The secret of the session a request came with.
pub fn own_token(app: &App, headers: &HeaderMap) -> String {
    token(app, headers)
        .map(|(token, _)| token)
        .unwrap_or_default()
}

async fn step_up(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<StepUp>,
) -> Answer<Response> {
    let again = match (input.password, input.code, input.ticket, input.passkey) {
        (Some(password), None, None, None) => Again::Password(password),
        (None, Some(code), None, None) => Again::Code(code),
        (None, None, Some(ticket), Some(sent)) => Again::Passkey(ticket, sent),
        _ => return Err(one_proof()),
    };
    let token = own_token(&app, &headers);
    let session = app.identity.step_up(&token, again, &origin).await?;
    with_session(&app, &session, opened(&session))
}

async fn current(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let may = app.policy.may_list(actor);
    let may: Vec<Value> = may
        .iter()
        .map(|(verb, on)| json!({"do": verb, "on": on}))
        .collect();
    let known = app.identity.recognise(&own_token(&app, &headers)).await?;
    Ok(axum::Json(json!({
        "account": actor.account, "display": actor.display, "roles": actor.roles,
        "organisation": actor.organisation, "may": may,
        "must": known.and_then(|k| k.must), "factors": actor.standing.factors,
        "proofing": actor.standing.proofing,
    }))
    .into_response())
}

async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer<Response> {
    leave(&app, &headers).await?;
    let gone = no_session_cookie(&app);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Ends the session of a request, and tells the applications it was used with.
pub async fn leave(app: &App, headers: &HeaderMap) -> Answer<()> {
    let Some((token, _)) = token(app, headers) else {
        return Ok(());
    };
    let found = app.identity.recognise(&token).await?;
    app.identity.sign_out(&token).await?;
    if let Some(session) = found.and_then(|found| found.session) {
        app.openid.session_over(&session).await?;
        super::openid::deliver_soon(app);
    }
    Ok(())
}

/// Sessions as a list, the present one marked.
pub fn listed(sessions: Vec<identity::SessionInfo>, current: Option<&str>) -> Answer<Response> {
    let items: Vec<Value> = sessions
        .into_iter()
        .map(|session| {
            let is_current = Some(session.id.as_str()) == current;
            let mut item = json!(session);
            item["current"] = is_current.into();
            item
        })
        .collect();
    Ok(Listing::whole(items).into_response())
}

async fn all(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let actor = caller.actor()?;
    let sessions = app.identity.sessions(&actor.account).await?;
    listed(sessions, actor.standing.session.as_deref())
}

async fn end_others(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let actor = caller.actor()?;
    let keep = actor.standing.session.as_deref();
    let ended = app.identity.revoke_all(actor, &actor.account, keep).await?;
    Ok(axum::Json(json!({"ended": ended})).into_response())
}

async fn end_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    app.identity.revoke(actor, &actor.account, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    old: String,
    new: String,
}

async fn password(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<PasswordChange>,
) -> Answer<Response> {
    let token = own_token(&app, &headers);
    let changed = app
        .identity
        .change_password(&token, &input.old, &input.new, &origin)
        .await?;
    with_session(&app, &changed, opened(&changed))
}
