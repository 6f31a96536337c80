//! Natural and legal persons over HTTP: registering and recovering an account, one's own identity
//! and data ([`mine`]), whom one acts for ([`acting`]), and the counter ([`desk`]).

mod acting;
mod desk;
mod mine;

use super::guard::{Caller, From, demand_own_page};
use super::input::{Json, Query};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::parties::{MATTERS, Parties};
use kernel::{Access, Actor, Fault, Verb};
use parties::{NewRegistration, Recovery};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this folder.
pub fn add(table: &mut Table) {
    let public = Access::Public;
    table.add(
        line(
            "GET /api/v1/registrations/terms",
            public,
            "注册与核验须知",
            "What registering and proving need here",
        )
        .gives("RegistrationTerms"),
        terms,
    );
    table.add(
        line(
            "POST /api/v1/registrations",
            public,
            "市民注册账号",
            "Register an account as a resident",
        )
        .takes("NewRegistration")
        .gives("Registered")
        .secret(),
        register,
    );
    table.add(
        line(
            "POST /api/v1/recovery",
            public,
            "找回账号：发送验证码",
            "Recover an account: send a code",
        )
        .takes("PhoneNumber")
        .gives("CodeSent")
        .secret(),
        begin_recovery,
    );
    table.add(
        line(
            "POST /api/v1/recovery/proof",
            public,
            "找回账号：设置新密码",
            "Recover an account: set a new password",
        )
        .takes("Recovery")
        .gives("Recovered")
        .secret(),
        recover,
    );
    table.add(
        line(
            "GET /api/v1/operator/messages",
            Access::May(Verb::Operate, "system"),
            "演示短信（仅演示城市）",
            "Messages caught, in a demonstration only",
        )
        .gives("CaughtMessages"),
        caught,
    );
    mine::add(table);
    acting::add(table);
    desk::add(table);
}

/// Fills in what is known of a caller's person and for whom they act. A change under a tie that is
/// over is refused, but for choosing anew and signing out.
pub async fn stand(app: &App, actor: &mut Actor, changes: bool, path: &str) -> Result<(), Fault> {
    let program = actor.account.contains(':');
    if program || actor.standing.registered == Some(false) {
        return Ok(());
    }
    let session = actor.standing.session.clone();
    let known = app
        .parties
        .standing(&actor.account, session.as_deref())
        .await?;
    if known.proofing > 0 {
        actor.standing.proofing = known.proofing;
        actor.standing.person = known.person;
    }
    // A delegation among officers is somebody else's to fill in.
    if known.acts_for.is_some() {
        actor.standing.acts_for = known.acts_for;
    }
    let may_go_on = ["/api/v1/session", "/api/v1/session/acting-for"].contains(&path);
    if known.ended && changes && !may_go_on {
        return Err(parties::Engine::refuse_ended());
    }
    Ok(())
}

async fn terms(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    query.finish()?;
    let matters: Vec<Value> = MATTERS
        .iter()
        .map(|(name, zh, en)| json!({"name": name, "title": {"zh": zh, "en": en}}))
        .collect();
    let mut body = app.parties.means();
    body["matters"] = matters.into();
    Ok(axum::Json(body).into_response())
}

async fn register(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(new): Json<NewRegistration>,
) -> Answer<Response> {
    demand_own_page(&headers)?;
    let made = app.parties.register(new, &origin.address).await?;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneNumber {
    phone: String,
}

async fn begin_recovery(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<PhoneNumber>,
) -> Answer<Response> {
    demand_own_page(&headers)?;
    let sent = app
        .parties
        .begin_recovery(&input.phone, &origin.address)
        .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(sent)).into_response())
}

async fn recover(
    State(app): State<Arc<App>>,
    From(origin): From,
    headers: HeaderMap,
    Json(input): Json<Recovery>,
) -> Answer<Response> {
    demand_own_page(&headers)?;
    let account = app.parties.recover(input, &origin.address).await?;
    Ok(axum::Json(json!({"account": account})).into_response())
}

/// Only a demonstration catches messages; elsewhere there is no such thing.
async fn caught(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let catcher = app
        .catcher
        .as_ref()
        .ok_or_else(|| Fault::missing("messages"))?;
    let actor = caller.actor()?;
    let details = json!({"what": "messages of the demonstration"});
    app.audit(actor, Verb::Operate, "system", "", details)
        .await?;
    Ok(axum::Json(json!({"items": catcher.caught()})).into_response())
}
