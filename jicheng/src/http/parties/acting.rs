//! Acting for another: one's ties, agents authorised and answered, wards, and for whom a session
//! acts. A tie that is not one's own does not exist.

use super::super::guard::Caller;
use super::super::input::{Json, Query};
use super::super::output::Listing;
use super::super::problem::{Answer, Refusal};
use super::super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::parties::{Parties, is_matter};
use kernel::{Access, Actor, Fault};
use parties::{NewAgent, NewWard};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) fn add(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line(
            "GET /api/v1/me/ties",
            own,
            "我的企业、经办人、监护关系",
            "One's enterprises, agents, wards and guardians",
        )
        .gives("TiePage"),
        ties,
    );
    table.add(
        line(
            "POST /api/v1/me/agents",
            own,
            "授权经办人",
            "Authorise an agent",
        )
        .takes("NewAgent")
        .gives("PartyTie"),
        invite,
    );
    table.add(
        line(
            "POST /api/v1/me/wards",
            own,
            "登记被监护的未成年人",
            "Enter a minor as one's ward",
        )
        .takes("NewWard")
        .gives("PartyTie"),
        ward,
    );
    table.add(
        line(
            "POST /api/v1/me/ties/{id}/accept",
            own,
            "接受授权",
            "Accept an authority",
        ),
        accept,
    );
    table.add(
        line(
            "POST /api/v1/me/ties/{id}/decline",
            own,
            "谢绝授权",
            "Decline an authority",
        ),
        decline,
    );
    table.add(
        line(
            "POST /api/v1/me/ties/{id}/revoke",
            own,
            "撤销授权",
            "Revoke an authority",
        )
        .takes("Reason"),
        revoke,
    );
    table.add(
        line(
            "GET /api/v1/session/acting-for",
            own,
            "当前代谁办理",
            "For whom the session acts, and could",
        )
        .gives("ActingFor"),
        acting_for,
    );
    table.add(
        line(
            "POST /api/v1/session/acting-for",
            own,
            "切换办理身份",
            "Choose for whom the session acts",
        )
        .takes("ActingChoice")
        .gives("ActingFor"),
        choose,
    );
    table.add(
        line(
            "GET /api/v1/me/enterprise",
            own,
            "所代表企业的登记信息",
            "What is on record of the enterprise one acts for",
        )
        .gives("EnterpriseRecord"),
        enterprise,
    );
    table.add(
        line(
            "GET /api/v1/me/may",
            own,
            "能否代办此类事项",
            "May matters of this kind be handled for whom one acts",
        )
        .query(&["matter: text"])
        .gives("MayHandle"),
        may,
    );
}

async fn ties(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let all = app.parties.ties(&caller.actor()?.account).await?;
    Ok(Listing::whole(all).into_response())
}

async fn invite(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewAgent>,
) -> Answer<Response> {
    let tie = app.parties.invite_agent(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(tie)).into_response())
}

async fn ward(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewWard>,
) -> Answer<Response> {
    let tie = app.parties.add_ward(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(tie)).into_response())
}

async fn accept(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    app.parties.answer_tie(caller.actor()?, &id, true).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn decline(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    app.parties.answer_tie(caller.actor()?, &id, false).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    pub(super) reason: String,
}

async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<Reason>,
) -> Answer<Response> {
    app.parties
        .revoke_tie(caller.actor()?, &id, &input.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn acting_for(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let actor = caller.actor()?;
    answer(&app, actor).await
}

async fn answer(app: &App, actor: &Actor) -> Answer<Response> {
    let session = actor.standing.session.as_deref();
    let now = app.parties.acting_for(&actor.account, session).await?;
    Ok(axum::Json(now).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActingChoice {
    tie: Option<String>,
}

async fn choose(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(choice): Json<ActingChoice>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let session = actor.standing.session.as_deref().ok_or_else(|| {
        Refusal(Fault::invalid_at(
            "tie",
            "只有登录会话可以切换办理身份，程序令牌不能",
            "only a session chooses for whom it acts, not the token of a program",
        ))
    })?;
    app.parties
        .act_for(actor, session, choice.tie.as_deref())
        .await?;
    answer(&app, actor).await
}

/// The record of the enterprise one acts for; agents need the matter `data` in their scope.
async fn enterprise(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let actor = caller.actor()?;
    let missing = || Refusal(Fault::missing("enterprise"));
    let party = actor.standing.acts_for.as_ref().ok_or_else(missing)?;
    app.parties.demand_matter(actor, "data").await?;
    let declared = app
        .city
        .declared
        .registers()
        .any(|r| r.name == "enterprise");
    let record = match declared {
        true => {
            app.city
                .registers
                .get("enterprise", &party.party, None, None)
                .await?
        }
        false => None,
    };
    let details = json!({"what": "own enterprise"});
    app.audit(
        actor,
        kernel::Verb::Read,
        "register.enterprise",
        &party.document,
        details,
    )
    .await?;
    Ok(axum::Json(json!({
        "code": party.party, "name": party.display,
        "fields": record.map(|record| record.fields),
    }))
    .into_response())
}

async fn may(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let matter = query.choice("matter", "name of a kind of matter", |text| {
        is_matter(text).then(|| text.to_string())
    });
    query.demand("matter");
    query.finish()?;
    let actor = caller.actor()?;
    let matter = matter.unwrap_or_default();
    app.parties.demand_matter(actor, &matter).await?;
    Ok(axum::Json(json!({"matter": matter, "may": true})).into_response())
}
