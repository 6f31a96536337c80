//! The counter: officials who prove identities in person, enter legal persons and guardianships,
//! and decide requests. Numbers to search by travel in bodies, never in addresses.

use super::super::guard::Caller;
use super::super::input::{Json, Query};
use super::super::problem::Answer;
use super::super::table::{Table, line};
use super::acting::Reason;
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Access, Verb};
use parties::{CounterProof, NewGuardianship, NewLegal};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "parties");
    let write = Access::May(Verb::Write, "parties");
    table.add(
        line(
            "GET /api/v1/parties",
            read,
            "自然人与法人（脱敏）",
            "Parties, masked",
        )
        .query(&["kind: natural or legal", "after: cursor", "limit: number"])
        .gives("PartyPage"),
        list,
    );
    table.add(
        line(
            "POST /api/v1/parties/search",
            read,
            "按证件号码查找",
            "Find a party by its number",
        )
        .takes("PartySearch")
        .gives("PartySearchResult")
        .secret(),
        search,
    );
    table.add(
        line(
            "GET /api/v1/parties/requests",
            read,
            "待办的个人信息申请",
            "Requests about personal data that wait",
        )
        .query(&["after: cursor", "limit: number"])
        .gives("PartyRequestPage"),
        requests,
    );
    table.add(
        line(
            "POST /api/v1/parties/requests/{id}",
            write,
            "办结个人信息申请",
            "Decide a request",
        )
        .takes("PartyDecision")
        .gives("PartyRequest"),
        decide,
    );
    table.add(
        line(
            "GET /api/v1/parties/{id}",
            read,
            "当事人详情（脱敏）",
            "A party, masked",
        )
        .gives("PartyFound"),
        party,
    );
    table.add(
        line(
            "POST /api/v1/parties/{id}/reveal",
            read,
            "查看完整证件信息",
            "A natural person in full, for a stated purpose",
        )
        .takes("Purpose")
        .gives("PartyInFull")
        .secret(),
        reveal,
    );
    table.add(
        line(
            "POST /api/v1/parties/proofs",
            write,
            "窗口当面核验",
            "Prove an identity in person",
        )
        .takes("CounterProof")
        .gives("Level"),
        proof,
    );
    table.add(
        line(
            "POST /api/v1/parties/withdrawals",
            write,
            "降低核验等级",
            "Withdraw a proof, with a reason",
        )
        .takes("ProofWithdrawal")
        .gives("Level"),
        withdraw,
    );
    table.add(
        line(
            "POST /api/v1/parties/legal",
            write,
            "登记法人及法定代表人",
            "Enter a legal person and its representative",
        )
        .takes("NewLegal")
        .gives("Party"),
        legal,
    );
    table.add(
        line(
            "POST /api/v1/parties/guardianships",
            write,
            "登记监护关系",
            "Enter a guardianship",
        )
        .takes("NewGuardianship")
        .gives("PartyTie"),
        guardianship,
    );
    table.add(
        line(
            "POST /api/v1/parties/ties/{id}/revoke",
            write,
            "终止代办关系",
            "End a tie, with a reason",
        )
        .takes("Reason"),
        revoke,
    );
}

async fn list(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let kind = query.choice("kind", "natural, legal", |text| {
        ["natural", "legal"]
            .contains(&text)
            .then(|| text.to_string())
    });
    let after = query.text("after").unwrap_or_default();
    let limit = query.number("limit", 1, 1000, 50);
    query.finish()?;
    let page = app
        .parties
        .list(caller.actor()?, kind.as_deref(), &after, limit)
        .await?;
    Ok(axum::Json(page).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    document: String,
    number: String,
    purpose: String,
}

async fn search(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<Search>,
) -> Answer<Response> {
    let found = app
        .parties
        .find(
            caller.actor()?,
            &input.document,
            &input.number,
            &input.purpose,
        )
        .await?;
    Ok(axum::Json(json!({"party": found})).into_response())
}

async fn requests(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let after = query.text("after").unwrap_or_default();
    let limit = query.number("limit", 1, 1000, 50);
    query.finish()?;
    Ok(axum::Json(app.parties.requests(&after, limit).await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartyDecision {
    done: bool,
    reason: String,
}

async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<PartyDecision>,
) -> Answer<Response> {
    let decided = app
        .parties
        .decide(caller.actor()?, &id, input.done, &input.reason)
        .await?;
    Ok(axum::Json(decided).into_response())
}

async fn party(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    Ok(axum::Json(app.parties.party(caller.actor()?, &id).await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Purpose {
    purpose: String,
}

async fn reveal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<Purpose>,
) -> Answer<Response> {
    let full = app
        .parties
        .reveal(caller.actor()?, &id, &input.purpose)
        .await?;
    Ok(axum::Json(full).into_response())
}

async fn proof(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<CounterProof>,
) -> Answer<Response> {
    let level = app
        .parties
        .prove_at_counter(caller.actor()?, &input)
        .await?;
    Ok(axum::Json(json!({"level": level})).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawal {
    account: String,
    level: i64,
    reason: String,
}

async fn withdraw(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(input): Json<Withdrawal>,
) -> Answer<Response> {
    let level = app
        .parties
        .withdraw(caller.actor()?, &input.account, input.level, &input.reason)
        .await?;
    Ok(axum::Json(json!({"level": level})).into_response())
}

/// The name must be the one in the enterprise register, where the city keeps one.
async fn legal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewLegal>,
) -> Answer<Response> {
    let declared = app
        .city
        .declared
        .registers()
        .any(|r| r.name == "enterprise");
    let code = kernel::numbers::CreditCode::parse(&new.code);
    let registered = match code {
        Ok(code) if declared => {
            let record = app
                .city
                .registers
                .get("enterprise", code.as_str(), None, None);
            record
                .await?
                .and_then(|r| r.fields["name"].as_str().map(String::from))
        }
        _ => None,
    };
    let party = app
        .parties
        .enter_legal(caller.actor()?, new, registered)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(party)).into_response())
}

async fn guardianship(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewGuardianship>,
) -> Answer<Response> {
    let tie = app.parties.enter_guardianship(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(tie)).into_response())
}

async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<Reason>,
) -> Answer<Response> {
    app.parties
        .end_at_counter(caller.actor()?, &id, &input.reason)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
