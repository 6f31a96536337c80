//! The tree of organisations over HTTP: branches and searches of it at any moment, acts on it,
//! positions and those who hold them, the directory. Who keeps all organisations may do
//! everything; a manager may keep the people of their own organisation and those below it.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{if_match, with_version};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use kernel::organisations::{OrganisationKind, Organisations};
use kernel::{Access, Actor, Time, Verb, Words};
use organisations::{
    Format, Found, MemberChange, NewAct, NewAppointment, NewPosition, PositionChange,
};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const OBJECT: &str = "organisations";

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, OBJECT);
    let write = Access::May(Verb::Write, OBJECT);
    let operate = Access::May(Verb::Operate, OBJECT);
    table.add(
        line(
            "GET /api/v1/organisations",
            read,
            "机构列表",
            "A branch of the tree, or a search",
        )
        .query(&[
            "parent: code",
            "text: text",
            "kind: text",
            "at: time",
            "after: cursor",
            "limit: number",
        ])
        .gives("OrganisationPage"),
        list,
    );
    table.add(
        line(
            "GET /api/v1/organisations/{code}",
            read,
            "机构详情",
            "One organisation with its history",
        )
        .query(&["at: time"])
        .gives("OrganisationDetail"),
        one,
    );
    table.add(
        line(
            "GET /api/v1/organisations/{code}/positions",
            read,
            "机构的岗位",
            "Positions of an organisation",
        )
        .query(&["at: time"]),
        positions,
    );
    table.add(
        line(
            "GET /api/v1/organisations/{code}/members",
            read,
            "机构的人员",
            "Those who hold a position there",
        )
        .query(&[
            "at: time",
            "deep: boolean",
            "after: cursor",
            "limit: number",
        ])
        .gives("DirectoryPage"),
        members,
    );
    table.add(
        line(
            "POST /api/v1/operator/organisations/acts",
            operate,
            "设立、变更、合并、拆分、撤销机构",
            "Found, change, merge, split or abolish organisations",
        )
        .query(&["dry_run: boolean"])
        .takes("OrganisationAct")
        .gives("OrganisationActDone"),
        act,
    );
    table.add(
        line(
            "POST /api/v1/operator/organisations/import",
            operate,
            "从文件导入机构与岗位",
            "Organisations and positions from a file",
        )
        .query(&[
            "format: csv, yaml or divisions",
            "parent: code",
            "on: time",
            "dry_run: boolean",
        ])
        .gives("Imported"),
        import,
    );
    table.add(
        line(
            "POST /api/v1/organisations/{code}/positions",
            write,
            "设置岗位",
            "Make a position",
        )
        .takes("NewPosition")
        .gives("Position"),
        make_position,
    );
    table.add(
        line(
            "PATCH /api/v1/positions/{id}",
            write,
            "修改或取消岗位",
            "Change or end a position",
        )
        .takes("PositionChange")
        .gives("Position"),
        change_position,
    );
    table.add(
        line(
            "POST /api/v1/appointments",
            write,
            "任职",
            "Give a position to somebody",
        )
        .takes("NewAppointment"),
        appoint,
    );
    table.add(
        line(
            "POST /api/v1/appointments/{id}/end",
            write,
            "免职",
            "End an appointment",
        )
        .takes("EndAppointment"),
        end_appointment,
    );
    table.add(
        line(
            "GET /api/v1/directory",
            Access::May(Verb::Read, "directory"),
            "通讯录",
            "The directory",
        )
        .query(&[
            "text: text",
            "organisation: code",
            "after: cursor",
            "limit: number",
        ])
        .gives("DirectoryPage"),
        directory,
    );
    table.add(
        line(
            "PATCH /api/v1/members/{account}",
            write,
            "修改人员信息",
            "Change a member's lines of the directory",
        )
        .takes("MemberChange"),
        change_member,
    );
}

/// May they keep this organisation: all of them, or those in their own scope?
pub fn keeps(app: &App, actor: &Actor, code: &str) -> Result<(), Refusal> {
    if app.city.policy.demand(actor, Verb::Operate, OBJECT).is_ok() {
        return Ok(());
    }
    app.city.policy.demand(actor, Verb::Write, OBJECT)?;
    if actor.standing.scope.iter().any(|own| own == code) {
        return Ok(());
    }
    let known = app.organisations.get(code, None);
    let title = known.map_or_else(|| Words::new(code, code), |known| known.title.clone());
    Err(Refusal(Fault::new(
        FaultKind::Denied,
        "access.denied",
        format!("“{}”不在您的管理范围内", title.zh),
        format!("\"{}\" is not within your scope", title.en),
    )))
}

/// Somebody in whose organisation the caller keeps the people: any of those they belong to.
pub fn keeps_member(app: &App, actor: &Actor, account: &str) -> Result<(), Refusal> {
    if app.city.policy.demand(actor, Verb::Operate, OBJECT).is_ok() {
        return Ok(());
    }
    let homes = app.organisations.homes(account);
    let found = homes.iter().find(|code| keeps(app, actor, code).is_ok());
    match found {
        Some(_) => Ok(()),
        // Nobody learns who exists beyond their scope.
        None => Err(Refusal(Fault::missing(&format!("member {account}")))),
    }
}

/// A manager gives no roles they do not hold themselves; those of positions that exist were given
/// by who may.
fn may_give(app: &App, actor: &Actor, roles: &[String]) -> Result<(), Refusal> {
    if app.city.policy.demand(actor, Verb::Operate, OBJECT).is_ok() {
        return Ok(());
    }
    match roles.iter().find(|role| !actor.roles.contains(role)) {
        None => Ok(()),
        Some(role) => {
            let title = app.city.policy.role_title(role);
            Err(Refusal(Fault::new(
                FaultKind::Denied,
                "access.denied",
                format!("您自己没有角色“{}”，不能授予他人", title.zh),
                format!(
                    "you do not hold the role \"{}\" and cannot give it",
                    title.en
                ),
            )))
        }
    }
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let wanted = Found {
        parent: query.text("parent"),
        text: query.text("text"),
        kind: query.choice(
            "kind",
            &OrganisationKind::WORDS.join(", "),
            OrganisationKind::parse,
        ),
        at: query.time("at"),
        after: query.text("after"),
        limit: query.number("limit", 1, 500, 200),
    };
    query.finish()?;
    Ok(axum::Json(app.organisations.list(&wanted)).into_response())
}

async fn one(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    query: Query,
) -> Answer<Response> {
    let at = query.time("at");
    query.finish()?;
    let mut answer = app.organisations.one(&code, at)?;
    let city = &app.city.declared.city.title.zh;
    answer.letters = app.organisations.letter_word(&code, city);
    Ok(axum::Json(answer).into_response())
}

async fn positions(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    query: Query,
) -> Answer<Response> {
    let at = query.time("at");
    query.finish()?;
    let items = app.organisations.positions(&code, at);
    Ok(super::output::Listing::whole(items).into_response())
}

async fn members(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    query: Query,
) -> Answer<Response> {
    let (at, deep) = (query.time("at"), query.flag("deep").unwrap_or(false));
    let (after, limit) = place(&query);
    query.finish()?;
    let page = app
        .organisations
        .directory(Some(&code), deep, None, at, after, limit);
    Ok(axum::Json(page).into_response())
}

fn place(query: &Query) -> (usize, usize) {
    let after = query.choice("after", "cursor", |t| t.parse::<usize>().ok());
    (after.unwrap_or(0), query.number("limit", 1, 500, 100))
}

async fn directory(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let (text, organisation) = (query.text("text"), query.text("organisation"));
    let (after, limit) = place(&query);
    query.finish()?;
    let page = app.organisations.directory(
        organisation.as_deref(),
        true,
        text.as_deref(),
        None,
        after,
        limit,
    );
    Ok(axum::Json(page).into_response())
}

async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
    Json(new): Json<NewAct>,
) -> Answer<Response> {
    let dry = query.flag("dry_run").unwrap_or(false);
    query.finish()?;
    let done = app
        .organisations
        .act_or_try(caller.actor()?, &new, dry)
        .await?;
    let status = if dry {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, axum::Json(done)).into_response())
}

async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
    body: bytes::Bytes,
) -> Answer<Response> {
    let format = query.choice("format", "csv, yaml, divisions", Format::parse);
    let (parent, on) = (query.text("parent"), query.time("on"));
    let dry = query.flag("dry_run").unwrap_or(false);
    query.demand("format");
    query.finish()?;
    let done = app
        .organisations
        .import(
            caller.actor()?,
            format.unwrap_or(Format::Csv),
            &body,
            parent.as_deref(),
            on,
            dry,
            &|role| app.knows_role(role),
        )
        .await?;
    Ok(axum::Json(done).into_response())
}

async fn make_position(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(code): Path<String>,
    Json(new): Json<NewPosition>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    if new.organisation != code {
        return Err(Refusal(Fault::invalid_at(
            "organisation",
            "与路径中的机构不一致",
            "it is not the organisation of the path",
        )));
    }
    keeps(&app, actor, &code)?;
    may_give(&app, actor, &new.roles)?;
    let made = app
        .organisations
        .make_position(actor, new, &|role| app.knows_role(role))
        .await?;
    Ok((StatusCode::CREATED, with_version(made.version, &made)).into_response())
}

async fn change_position(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(change): Json<PositionChange>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let known = app.organisations.position(&id);
    let known = known.ok_or_else(|| Refusal(Fault::missing(&format!("position {id}"))))?;
    keeps(&app, actor, &known.organisation)?;
    let added: Vec<String> = change.roles.iter().flatten().cloned().collect();
    may_give(&app, actor, &added)?;
    let expected = if_match(&headers)?;
    let made = app
        .organisations
        .change_position(actor, &id, change, expected, &|role| app.knows_role(role))
        .await?;
    Ok(with_version(made.version, &made))
}

async fn appoint(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewAppointment>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let position = app.organisations.position(&new.position);
    if let Some(position) = &position {
        keeps(&app, actor, &position.organisation)?;
    }
    let account = app.identity.account(&new.account).await?;
    let made = app
        .organisations
        .appoint(actor, new, &account.display)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndAppointment {
    #[serde(default)]
    on: Option<Time>,
    reason: String,
}

async fn end_appointment(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(end): Json<EndAppointment>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let appointment = app.organisations.appointment(&id);
    let missing = || Refusal(Fault::missing(&format!("appointment {id}")));
    let appointment = appointment.ok_or_else(missing)?;
    let position = app.organisations.position(&appointment.position);
    keeps(&app, actor, &position.ok_or_else(missing)?.organisation)?;
    let ended = app
        .organisations
        .end_appointment(actor, &id, end.on, &end.reason)
        .await?;
    Ok(axum::Json(ended).into_response())
}

async fn change_member(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(account): Path<String>,
    Json(change): Json<MemberChange>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    keeps_member(&app, actor, &account)?;
    let member = app
        .organisations
        .change_member(actor, &account, change)
        .await?;
    Ok(axum::Json(json!(member)).into_response())
}
