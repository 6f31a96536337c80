//! Tasks over HTTP: what there is to do for whoever asks, and what they do with it. Whose task it
//! is the engine knows, so the routes ask for a session only.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::Access;
use kernel::cases::{Cases, InboxFilter, Light, TaskVerb, Whose};
use serde_json::json;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/tasks",
            Access::SignedIn,
            "我的待办",
            "What there is to do for me",
        )
        .query(&[
            "whose: string",
            "process: string",
            "light: string",
            "text: string",
            "after: string",
            "limit: number",
        ])
        .gives("Tasks"),
        inbox,
    );
    table.add(
        line(
            "GET /api/v1/tasks/{task}",
            Access::SignedIn,
            "一项待办",
            "A task",
        )
        .gives("TaskFile"),
        task,
    );
    table.add(
        line(
            "POST /api/v1/tasks/{task}/verbs",
            Access::SignedIn,
            "办理：签收、办结、转办、委托、加签、减签、驳回、退回、撤回、传阅、催办",
            "Act: claim, complete, transfer, delegate, add or remove a signer, send back, return, withdraw, circulate, urge",
        )
        .takes("TaskVerb")
        .gives("Acted"),
        act,
    );
}

fn whose(word: &str) -> Option<Whose> {
    match word {
        "all" => Some(Whose::All),
        "mine" => Some(Whose::Mine),
        "offered" => Some(Whose::Offered),
        _ => None,
    }
}

fn light(word: &str) -> Option<Light> {
    match word {
        "green" => Some(Light::Green),
        "yellow" => Some(Light::Yellow),
        "red" => Some(Light::Red),
        "paused" => Some(Light::Paused),
        _ => None,
    }
}

async fn inbox(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let filter = InboxFilter {
        whose: query
            .choice("whose", "all, mine, offered", whose)
            .unwrap_or_default(),
        process: query.text("process"),
        light: query.choice("light", "green, yellow, red, paused", light),
        text: query.text("text"),
        after: query.text("after"),
        limit: query.number("limit", 1, 200, 50),
    };
    query.finish()?;
    let page = app.cases.inbox(caller.actor()?, &filter).await?;
    let listing = Listing {
        items: page.rows,
        next: page.next,
        total: page.count.unsigned_abs(),
    };
    Ok(listing.into_response())
}

async fn task(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(task): Path<String>,
) -> Answer<Response> {
    let (task, data) = app.cases.task(caller.actor()?, &task).await?;
    Ok(with_version(
        task.revision,
        &json!({ "task": task, "data": data }),
    ))
}

async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(task): Path<String>,
    headers: HeaderMap,
    Json(verb): Json<TaskVerb>,
) -> Answer<Response> {
    let seen = if_match(&headers)?;
    let acted = app.cases.act(caller.actor()?, &task, seen, verb).await?;
    Ok(with_version(acted.task.revision, &acted))
}
