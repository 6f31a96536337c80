//! Tasks over HTTP: what there is to do for whoever asks, and what they do with it. Whose task it
//! is the engine knows, so the routes ask for a session only.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::{Answer, document};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::cases::{Cases, InboxFilter, Light, TaskVerb, Whose};
use kernel::{Access, Actor, Fault};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Tasks of one batch, at most.
const BATCH: usize = 100;

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
    add_batch(table);
}

fn add_batch(table: &mut Table) {
    table.add(
        line(
            "POST /api/v1/tasks/batch",
            Access::SignedIn,
            "批量办理：对多项任务做同一操作，各自给出结果",
            "Do the same at several tasks; each has an outcome of its own",
        )
        .takes("TaskBatch")
        .gives("TaskOutcomes"),
        batch,
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
    let file = app.cases.task(caller.actor()?, &task).await?;
    Ok(with_version(file.task.revision, &file))
}

/// A task of a batch, and the revision of it that was seen.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    id: String,
    #[serde(default)]
    revision: Option<i64>,
}

/// The same for several tasks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskBatch {
    tasks: Vec<Chosen>,
    act: TaskVerb,
}

async fn batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(batch): Json<TaskBatch>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let ids: BTreeSet<&str> = batch.tasks.iter().map(|task| task.id.as_str()).collect();
    if ids.is_empty() || ids.len() > BATCH || ids.len() < batch.tasks.len() {
        let fault = Fault::invalid_at(
            "tasks",
            format!("应为 1 至 {BATCH} 项互不相同的任务"),
            format!("1 to {BATCH} tasks, each once"),
        );
        return Err(fault.into());
    }
    // Together: those that arrive at the same time share one transaction.
    let acts = batch
        .tasks
        .iter()
        .map(|task| one(&app, actor, task, &batch.act));
    let outcomes = futures::future::join_all(acts).await;
    Ok(Listing::whole(outcomes).into_response())
}

/// What became of one task of a batch.
async fn one(app: &App, actor: &Actor, task: &Chosen, verb: &TaskVerb) -> Value {
    let acted = app.cases.act(actor, &task.id, task.revision, verb.clone());
    match acted.await {
        Ok(acted) => json!({ "task": task.id, "acted": acted, "problem": null }),
        Err(fault) => json!({ "task": task.id, "acted": null, "problem": document(&fault) }),
    }
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
