//! Licences over HTTP: types, issuing and changing for those who issue, the wallet of those who
//! hold, and verification for anybody. Codes and documents are secrets of their holder.

use super::guard::{Caller, From};
use super::input::{Json, Query};
use super::output::{Listing, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::licences::{Change, Licence, Licences, Shown, Use};
use kernel::{Access, Actor, Problem, Span, Verb};
use licences::{NewPresentation, Reissue};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

const READ: Access = Access::May(Verb::Read, "licences");
const WRITE: Access = Access::May(Verb::Write, "licences");

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_office(table);
    add_wallet(table);
    table.add(
        line(
            "POST /api/v1/licences/verify",
            Access::Public,
            "核验证照",
            "Verify a licence that is shown",
        )
        .takes("LicenceVerification")
        .gives("Verification"),
        verify,
    );
    table.add(
        line(
            "GET /licences/status/{list}",
            Access::Public,
            "证照状态表（签名）",
            "Status list of licences, signed (Token Status List)",
        ),
        status_list,
    );
    table.add(
        line(
            "GET /licences/status/{list}/es256",
            Access::Public,
            "证照状态表（ES256）",
            "The same signed with ES256, for wallets of others",
        ),
        status_list_for_wallets,
    );
}

fn add_office(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/licence-types",
            Access::Public,
            "证照类型",
            "Types of licences",
        )
        .gives("LicenceTypes"),
        types,
    );
    table.add(
        line(
            "POST /api/v1/licences",
            WRITE,
            "签发证照",
            "Issue licences, all or none",
        )
        .takes("NewLicences")
        .gives("LicencesIssued")
        .large(),
        issue,
    );
    table.add(
        line(
            "GET /api/v1/licences",
            READ,
            "某类证照",
            "Licences of a type",
        )
        .query(&["type: string", "before: string"])
        .gives("LicenceStandings"),
        list,
    );
    table.add(
        line(
            "GET /api/v1/licences/{identifier}",
            READ,
            "一份证照及其经过、使用记录",
            "A licence with its history and uses",
        )
        .gives("LicenceLooked"),
        look,
    );
    table.add(
        line(
            "POST /api/v1/licences/{identifier}/change",
            WRITE,
            "暂停、恢复、撤销、注销、吊销",
            "Suspend, resume, withdraw, cancel, take away",
        )
        .takes("LicenceChange")
        .gives("Licence"),
        change,
    );
    table.add(
        line(
            "POST /api/v1/licences/{identifier}/reissue",
            WRITE,
            "换发、补发",
            "Issue a licence in place of this one",
        )
        .takes("LicenceReissue")
        .gives("Licence"),
        reissue,
    );
}

fn add_wallet(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line("GET /api/v1/me/licences", own, "我的证照", "My licences")
            .query(&["before: string"])
            .gives("LicenceList"),
        wallet,
    );
    table.add(
        line(
            "GET /api/v1/me/licences/{identifier}",
            own,
            "我的一份证照",
            "A licence of mine",
        )
        .gives("WalletPage"),
        wallet_page,
    );
    table.add(
        line(
            "GET /api/v1/me/licences/{identifier}/uses",
            own,
            "谁用过我的证照",
            "Who used a licence of mine",
        )
        .query(&["before: string"])
        .gives("LicenceUses"),
        wallet_uses,
    );
    table.add(
        line(
            "POST /api/v1/me/licences/{identifier}/present",
            own,
            "出示证照：一次有效的短时码",
            "Show a licence: a code that is good once and briefly",
        )
        .takes("NewPresentation")
        .gives("Presentation")
        .secret(),
        present,
    );
    table.add(
        line(
            "POST /api/v1/me/licences/{identifier}/document",
            own,
            "下载可离线核验的签名文件（SD-JWT VC）",
            "A signed document that is verified without asking (SD-JWT VC)",
        )
        .takes("LicenceFields")
        .gives("LicenceDocument")
        .secret(),
        document,
    );
}

async fn types(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(Listing::whole(app.licences.types()).into_response())
}

/// Licences to issue.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLicences {
    licences: Vec<Value>,
}

/// What was issued, and what of it a print will show as a mark only.
#[derive(Serialize)]
struct Issued {
    #[serde(flatten)]
    list: Listing<Licence>,
    warnings: Vec<Problem>,
}

async fn issue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewLicences>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let issued = app.licences.issue_rows(actor, &new.licences).await?;
    let warnings = issued.iter().enumerate();
    let warnings = warnings.flat_map(|(n, licence)| undrawn(&app, &format!("rows/{n}/"), licence));
    let issued = Issued {
        warnings: warnings.collect(),
        list: Listing::whole(issued),
    };
    Ok((StatusCode::CREATED, axum::Json(issued)).into_response())
}

/// Characters of a licence that no font of the machine has: it counts all the same, and a print
/// shows a mark in their place.
fn undrawn(app: &App, within: &str, licence: &Licence) -> Vec<Problem> {
    let own = licence.fields.iter().filter_map(|(name, value)| {
        let text = value.as_str()?;
        Some((format!("{within}fields/{name}"), text))
    });
    let holder = (format!("{within}holder/name"), licence.holder.name.as_str());
    let number = (format!("{within}number"), licence.number.as_str());
    let all = [holder, number].into_iter().chain(own);
    all.filter_map(|(at, text)| app.documents.undrawn(&at, text))
        .collect()
}

async fn reissue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(asked): Json<Reissue>,
) -> Answer<Response> {
    let issued = app
        .licences
        .reissue_as_office(caller.actor()?, &identifier, &asked)
        .await?;
    let answer = with_version(issued.version, &issued);
    Ok((StatusCode::CREATED, answer).into_response())
}

async fn list(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let (kind, before) = (query.demand("type"), query.text("before"));
    query.finish()?;
    let items = app
        .licences
        .list(caller.actor()?, &kind, before.as_deref())
        .await?;
    let next = items
        .last()
        .map(|l| l.id.clone())
        .filter(|_| items.len() >= 50);
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn look(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
) -> Answer<Response> {
    let looked = app.licences.look(caller.actor()?, &identifier).await?;
    Ok(with_version(looked.licence.version, &looked))
}

async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(change): Json<Change>,
) -> Answer<Response> {
    let licence = app
        .licences
        .change(caller.actor()?, &identifier, &change)
        .await?;
    Ok(with_version(licence.version, &licence))
}

/// Names of fields; all, or the minimum, when there are none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    #[serde(default)]
    fields: Vec<String>,
}

async fn wallet(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let before = query.text("before");
    query.finish()?;
    let (items, next) = app
        .licences
        .wallet(caller.actor()?, before.as_deref())
        .await?;
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn wallet_page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
) -> Answer<Response> {
    let page = app
        .licences
        .wallet_page(caller.actor()?, &identifier)
        .await?;
    Ok(axum::Json(page).into_response())
}

async fn wallet_uses(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    query: Query,
) -> Answer<Response> {
    let before = query.text("before");
    query.finish()?;
    let items = app
        .licences
        .wallet_uses(caller.actor()?, &identifier, before.as_deref())
        .await?;
    let next = items
        .last()
        .map(|u| u.id.clone())
        .filter(|_| items.len() >= 50);
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn present(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(new): Json<NewPresentation>,
) -> Answer<Response> {
    let made = app
        .licences
        .present(caller.actor()?, &identifier, &new)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

async fn document(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
    Json(asked): Json<Fields>,
) -> Answer<Response> {
    let document = app
        .licences
        .document(caller.actor()?, &identifier, &asked.fields)
        .await?;
    Ok(axum::Json(json!({ "document": document })).into_response())
}

/// What is shown, and why somebody looks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Verification {
    shown: Shown,
    why: Use,
}

async fn verify(
    State(app): State<Arc<App>>,
    from: From,
    caller: Caller,
    Json(asked): Json<Verification>,
) -> Answer<Response> {
    let stranger = Actor::default();
    let actor = caller.actor().unwrap_or(&stranger);
    let found = app
        .licences
        .verify_from(actor, &asked.shown, &asked.why, &from.0.address)
        .await?;
    Ok(axum::Json(found).into_response())
}

async fn status_list(State(app): State<Arc<App>>, Path(list): Path<String>) -> Answer<Response> {
    signed_statuses(&app, &list, false).await
}

async fn status_list_for_wallets(
    State(app): State<Arc<App>>,
    Path(list): Path<String>,
) -> Answer<Response> {
    signed_statuses(&app, &list, true).await
}

async fn signed_statuses(app: &App, list: &str, for_wallets: bool) -> Answer<Response> {
    let number = list
        .parse::<i64>()
        .map_err(|_| kernel::Fault::missing(list))?;
    let text = app.licences.status_list(number, for_wallets).await?;
    let head = [
        (header::CONTENT_TYPE, "application/statuslist+jwt".into()),
        (header::CACHE_CONTROL, public_for(licences::STATUS_TTL)),
    ];
    Ok((head, text).into_response())
}

/// Public and signed: others may keep it as long as its own `ttl` says.
pub(super) fn public_for(span: Span) -> String {
    format!("public, max-age={}", span.0 / 1_000_000)
}
