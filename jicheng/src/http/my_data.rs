//! My data and who saw it: the resident's view of the audit log, their questions and objections,
//! and the desk of those who answer them.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use audit::questions::{Access as Look, Kind, Measure, State as Stage, Subject};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Actor, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    let read = Access::May(Verb::Read, "data_questions");
    let handle = Access::May(Verb::Handle, "data_questions");
    table.add(
        line(
            "GET /api/v1/me/data-access",
            own,
            "谁看过我的数据",
            "Who looked at my data, and why",
        )
        .query(&["after: cursor", "limit: number"])
        .gives("DataAccessPage"),
        looks,
    );
    table.add(
        line(
            "POST /api/v1/me/data-access/{seq}/question",
            own,
            "就一次查看提问或提出异议",
            "Ask about, or object to, a look at my data",
        )
        .takes("NewDataQuestion")
        .gives("DataQuestion"),
        ask,
    );
    table.add(
        line(
            "GET /api/v1/me/data-questions",
            own,
            "我的提问与异议",
            "My questions and objections",
        )
        .query(&["after: cursor", "limit: number"])
        .gives("DataQuestionPage"),
        asked,
    );
    table.add(
        line(
            "GET /api/v1/data-questions",
            read,
            "居民的提问与异议",
            "Questions and objections of residents",
        )
        .query(&["state: open|answered", "after: cursor", "limit: number"])
        .gives("DataQuestionCasePage"),
        cases,
    );
    table.add(
        line(
            "POST /api/v1/data-questions/{id}/answer",
            handle,
            "答复提问或异议",
            "Answer a question or objection",
        )
        .takes("DataQuestionAnswer")
        .gives("DataQuestionCase"),
        answer,
    );
}

/// The person behind an account as the audit log knows them; `None` while nobody has proven who
/// they are.
fn subject(app: &App, actor: &Actor) -> Option<Subject> {
    let number = actor.standing.person.as_deref()?;
    app.log.subject(number, None)
}

fn proven(app: &App, actor: &Actor) -> Answer<Subject> {
    subject(app, actor).ok_or_else(|| {
        Refusal(Fault::new(
            FaultKind::Denied,
            "access.denied",
            "请先完成实名认证",
            "prove your identity first",
        ))
    })
}

/// A look with the words of what was looked at.
fn shown(app: &App, look: &Look) -> Value {
    let declared = &app.city.declared;
    let register = look.object.strip_prefix("register.");
    let register = register.and_then(|name| declared.register(name));
    let titles = |name: &String| match register.and_then(|r| r.field(name)) {
        Some(field) => json!({"name": name, "title": field.title}),
        None => json!({"name": name, "title": null}),
    };
    let mut value = json!(look);
    value["object_title"] = json!(register.map(|register| &register.title));
    value["fields"] = look.fields.iter().map(titles).collect();
    value
}

async fn looks(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, 1000, 50);
    let before = query.choice("after", "cursor", |text| text.parse::<i64>().ok());
    query.finish()?;
    // Somebody unproven is told so, and sees nothing.
    let Some(subject) = subject(&app, caller.actor()?) else {
        let body = json!({"proven": false, "items": [], "next": null, "total": 0});
        return Ok(axum::Json(body).into_response());
    };
    let (found, total) = app.log.accesses(&subject, before, limit as u64).await?;
    let next = match found.last() {
        Some(last) if found.len() == limit => Some(last.seq.to_string()),
        _ => None,
    };
    let items: Vec<Value> = found.iter().map(|look| shown(&app, look)).collect();
    let body = json!({"proven": true, "items": items, "next": next, "total": total});
    Ok(axum::Json(body).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewQuestion {
    kind: Kind,
    text: String,
}

async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(seq): Path<String>,
    Json(new): Json<NewQuestion>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let subject = proven(&app, actor)?;
    let number = seq.parse().map_err(|_| Refusal(Fault::missing(&seq)))?;
    let question = app
        .log
        .ask(actor, &subject, number, new.kind, &new.text)
        .await?;
    Ok((
        StatusCode::CREATED,
        with_version(question.version, &question),
    )
        .into_response())
}

async fn asked(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, 1000, 50);
    let before = query.text("after");
    query.finish()?;
    let Some(subject) = subject(&app, caller.actor()?) else {
        return Ok(Listing::<Value>::whole(vec![]).into_response());
    };
    let before = before.as_deref();
    let (items, total) = app.log.asked(&subject, before, limit as u64).await?;
    let next = match items.last() {
        Some(last) if items.len() == limit => Some(last.id.clone()),
        _ => None,
    };
    Ok(Listing { items, next, total }.into_response())
}

async fn cases(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, 200, 50);
    let before = query.text("after");
    let state = query.choice("state", "open, answered", |text| match text {
        "open" => Some(Stage::Open),
        "answered" => Some(Stage::Answered),
        _ => None,
    });
    query.finish()?;
    let before = before.as_deref();
    let (found, total) = app.log.cases(state, before, limit as u64).await?;
    let next = match found.last() {
        Some(last) if found.len() == limit => Some(last.question.id.clone()),
        _ => None,
    };
    let items: Vec<Value> = found.iter().map(|case| with_look(&app, case)).collect();
    Ok(Listing { items, next, total }.into_response())
}

fn with_look(app: &App, case: &audit::questions::Case) -> Value {
    let mut value = json!(case);
    value["entry"] = json!(case.entry.as_ref().map(|look| shown(app, look)));
    value
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAnswer {
    measure: Measure,
    answer: String,
}

async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewAnswer>,
) -> Answer<Response> {
    let expected = if_match(&headers)?;
    let case = app
        .log
        .answer(caller.actor()?, &id, new.measure, &new.answer, expected)
        .await?;
    Ok(with_version(case.question.version, &with_look(&app, &case)))
}
