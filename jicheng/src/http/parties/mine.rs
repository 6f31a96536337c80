//! One's own identity: what is held, masked; the mobile number and the proof on line; everything
//! in full after a fresh proof of who one is; requests about one's own data.

use super::super::guard::{Caller, From};
use super::super::input::Json;
use super::super::output::Listing;
use super::super::problem::Answer;
use super::super::table::{Table, line};
use super::PhoneNumber;
use crate::app::App;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::Access;
use kernel::parties::Claim;
use parties::NewRequest;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) fn add(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line(
            "GET /api/v1/me",
            own,
            "我的身份（脱敏）",
            "One's own identity, masked",
        )
        .gives("Mine"),
        mine,
    );
    table.add(
        line(
            "POST /api/v1/me/phone",
            own,
            "验证手机号：发送验证码",
            "Prove a mobile number: send a code",
        )
        .takes("PhoneNumber")
        .gives("CodeSent")
        .secret(),
        phone,
    );
    table.add(
        line(
            "POST /api/v1/me/phone/proof",
            own,
            "验证手机号：提交验证码",
            "Prove a mobile number: the code",
        )
        .takes("CodeAnswer")
        .gives("Level"),
        phone_proof,
    );
    table.add(
        line(
            "POST /api/v1/me/identity",
            own,
            "在线实名核验",
            "Prove one's identity by document on line",
        )
        .takes("IdentityClaim")
        .gives("Level"),
        identity,
    );
    table.add(
        line(
            "POST /api/v1/me/reveal",
            own,
            "查看本人完整信息",
            "One's own data in full",
        )
        .gives("PartyInFull")
        .fresh()
        .secret(),
        reveal,
    );
    table.add(
        line(
            "POST /api/v1/me/export",
            own,
            "导出本人全部信息",
            "Everything held about oneself, as a file",
        )
        .gives("PersonalExport")
        .fresh()
        .secret(),
        export,
    );
    table.add(
        line(
            "GET /api/v1/me/requests",
            own,
            "我的个人信息申请",
            "One's own requests about one's data",
        )
        .gives("PartyRequestPage"),
        requests,
    );
    table.add(
        line(
            "POST /api/v1/me/requests",
            own,
            "申请更正、撤回同意或注销",
            "Ask for correction, withdraw consent, erase",
        )
        .takes("NewPartyRequest")
        .gives("PartyRequest")
        .fresh(),
        request,
    );
}

async fn mine(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    Ok(axum::Json(app.parties.mine(&caller.actor()?.account).await?).into_response())
}

async fn phone(
    State(app): State<Arc<App>>,
    caller: Caller,
    From(origin): From,
    Json(input): Json<PhoneNumber>,
) -> Answer<Response> {
    let account = &caller.actor()?.account;
    let sent = app
        .parties
        .begin_phone(account, &input.phone, &origin.address)
        .await?;
    Ok((StatusCode::ACCEPTED, axum::Json(sent)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeAnswer {
    challenge: String,
    code: String,
}

async fn phone_proof(
    State(app): State<Arc<App>>,
    caller: Caller,
    From(origin): From,
    Json(input): Json<CodeAnswer>,
) -> Answer<Response> {
    let account = &caller.actor()?.account;
    let level = app
        .parties
        .prove_phone(account, &input.challenge, &input.code, &origin.address)
        .await?;
    Ok(axum::Json(json!({"level": level})).into_response())
}

async fn identity(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(claim): Json<Claim>,
) -> Answer<Response> {
    let level = app.parties.prove_online(caller.actor()?, &claim).await?;
    Ok(axum::Json(json!({"level": level})).into_response())
}

async fn reveal(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    Ok(axum::Json(app.parties.reveal_mine(caller.actor()?).await?).into_response())
}

async fn export(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let all = app.parties.export_mine(caller.actor()?).await?;
    let name = "attachment; filename=\"my-data.json\"";
    Ok(([(header::CONTENT_DISPOSITION, name)], axum::Json(all)).into_response())
}

async fn requests(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let all = app.parties.my_requests(&caller.actor()?.account).await?;
    Ok(Listing::whole(all).into_response())
}

async fn request(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewRequest>,
) -> Answer<Response> {
    let made = app.parties.request(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}
