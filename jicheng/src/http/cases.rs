//! Cases over HTTP: processes and their drawings, cases and what happened in them, messages and
//! signals, work set aside, the calendar of working days. What somebody may see and do is the
//! engine's to say; a route demands the least that is always needed.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::cases::{
    CalendarDay, CaseFilter, CaseState, CaseVerb, Cases, Message, Migration, NewCase, Simulation,
};
use kernel::metering::{Meter, Meters, Payer};
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Rows of a page unless asked for otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);
/// Entries of a history in one answer, at most.
const HISTORY: usize = 1000;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_processes(table);
    add_cases(table);
    add_steering(table);
    let read = Access::May(Verb::Read, "calendar");
    table.add(
        line(
            "GET /api/v1/calendar/{year}",
            read,
            "一年的工作日历",
            "Working days of a year",
        )
        .gives("CalendarYear"),
        calendar,
    );
    let operate = Access::May(Verb::Operate, "calendar");
    table.add(
        line(
            "PUT /api/v1/calendar/{year}",
            operate,
            "发布一年的工作日历并重算时限",
            "Publish the working days of a year; clocks are counted anew",
        )
        .query(&["dry: boolean"])
        .takes("CalendarChange")
        .gives("CalendarMoved"),
        set_calendar,
    );
}

fn add_processes(table: &mut Table) {
    let read = Access::May(Verb::Read, "processes");
    let operate = Access::May(Verb::Operate, "processes");
    table.add(
        line("GET /api/v1/processes", read, "流程", "Processes").gives("Processes"),
        processes,
    );
    table.add(
        line(
            "POST /api/v1/processes",
            operate,
            "发布流程",
            "Publish processes",
        )
        .takes("NewProcess")
        .gives("Processes"),
        publish,
    );
    table.add(
        line(
            "POST /api/v1/processes/simulate",
            operate,
            "用过去的办件推演改动后的流程",
            "Replay past cases through a changed process",
        )
        .takes("Simulation")
        .gives("Simulated"),
        simulate,
    );
    table.add(
        line(
            "POST /api/v1/processes/migrate",
            operate,
            "把在办件迁移到流程的另一版本；可先试算",
            "Move running cases to another version of their process; a dry run only asks",
        )
        .takes("Migration")
        .gives("MigratedList"),
        migrate,
    );
    table.add(
        line(
            "GET /api/v1/processes/{process}/versions",
            read,
            "流程的各版本",
            "Versions of a process",
        )
        .gives("Processes"),
        versions,
    );
    table.add(
        line(
            "GET /api/v1/processes/{process}/drawing",
            read,
            "流程图（BPMN 2.0）",
            "Drawing of a process (BPMN 2.0)",
        )
        .query(&["version: number"])
        .gives("Drawing"),
        drawing,
    );
}

fn add_cases(table: &mut Table) {
    table.add(
        line(
            "POST /api/v1/cases",
            Access::May(Verb::Write, "cases"),
            "发起办件",
            "Start a case",
        )
        .takes("NewCase")
        .gives("Case"),
        start,
    );
    table.add(
        line(
            "GET /api/v1/cases",
            Access::SignedIn,
            "办件",
            "Cases one may read",
        )
        .query(&[
            "state: string",
            "process: string",
            "organisation: string",
            "mine: boolean",
            "stuck: boolean",
            "text: string",
            "after: string",
            "limit: number",
        ])
        .gives("Cases"),
        cases,
    );
    table.add(
        line(
            "GET /api/v1/cases/{case}",
            Access::SignedIn,
            "一个办件",
            "A case",
        )
        .gives("CaseFile"),
        case,
    );
    table.add(
        line(
            "GET /api/v1/cases/{case}/history",
            Access::SignedIn,
            "办件经过",
            "What happened in a case",
        )
        .query(&["after: number", "limit: number"])
        .gives("CaseHistory"),
        history,
    );
    table.add(
        line(
            "POST /api/v1/cases/{case}/verbs",
            Access::SignedIn,
            "对办件的操作：中止、恢复、终止、暂停计时、移动",
            "Act on a case: suspend, resume, cancel, stop its clock, move",
        )
        .takes("CaseVerb")
        .gives("Case"),
        rule,
    );
}

fn add_steering(table: &mut Table) {
    let operate = Access::May(Verb::Operate, "cases");
    table.add(
        line(
            "POST /api/v1/cases/messages",
            Access::May(Verb::Write, "cases"),
            "把消息送给等它的办件",
            "Bring a message to the case that waits for it",
        )
        .takes("CaseMessage")
        .gives("Correlated"),
        message,
    );
    table.add(
        line(
            "POST /api/v1/cases/signals",
            operate,
            "发出信号",
            "Give a signal",
        )
        .takes("Signal"),
        signal,
    );
    table.add(
        line(
            "GET /api/v1/cases/set-aside",
            operate,
            "多次失败而搁置的工作",
            "Work that failed too often and was set aside",
        )
        .query(&["limit: number"])
        .gives("SetAsideList"),
        set_aside,
    );
    table.add(
        line(
            "POST /api/v1/cases/set-aside/{id}/retry",
            operate,
            "再试一次",
            "Try work set aside once more",
        ),
        retry,
    );
}

async fn processes(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(Listing::whole(app.cases.processes().await?).into_response())
}

/// A BPMN file to publish.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProcess {
    name: String,
    xml: String,
}

async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewProcess>,
) -> Answer<Response> {
    let published = app
        .cases
        .publish(caller.actor()?, &new.name, &new.xml)
        .await?;
    Ok((StatusCode::CREATED, Listing::whole(published)).into_response())
}

async fn simulate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(what): Json<Simulation>,
) -> Answer<Response> {
    let found = app.cases.simulate(caller.actor()?, &what).await?;
    Ok(axum::Json(found).into_response())
}

async fn migrate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(what): Json<Migration>,
) -> Answer<Response> {
    let outcomes = app.cases.migrate(caller.actor()?, &what).await?;
    Ok(Listing::whole(outcomes).into_response())
}

async fn versions(State(app): State<Arc<App>>, Path(process): Path<String>) -> Answer<Response> {
    Ok(Listing::whole(app.cases.versions(&process).await?).into_response())
}

async fn drawing(
    State(app): State<Arc<App>>,
    Path(process): Path<String>,
    query: Query,
) -> Answer<Response> {
    let version = query.choice("version", "1, 2 …", |t| {
        t.parse::<i64>().ok().filter(|n| *n > 0)
    });
    query.finish()?;
    let xml = app.cases.drawing(&process, version).await?;
    let body = json!({ "process": process, "version": version, "xml": xml });
    Ok(axum::Json(body).into_response())
}

async fn start(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewCase>,
) -> Answer<Response> {
    let case = app.cases.start(caller.actor()?, new).await?;
    let payer = Payer::of(Some(caller.actor()?));
    app.metering.count(payer, Meter::Cases, 1);
    Ok((StatusCode::CREATED, with_version(case.revision, &case)).into_response())
}

async fn cases(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let filter = CaseFilter {
        states: query.choices(
            "state",
            "running, suspended, completed, failed, cancelled",
            CaseState::parse,
        ),
        process: query.text("process"),
        organisation: query.text("organisation"),
        mine: query.flag("mine").unwrap_or(false),
        stuck: query.flag("stuck").unwrap_or(false),
        text: query.text("text"),
        after: query.text("after"),
        limit: query.number("limit", 1, PAGE.1, PAGE.0),
    };
    query.finish()?;
    let page = app.cases.cases(caller.actor()?, &filter).await?;
    let listing = Listing {
        items: page.rows,
        next: page.next,
        total: page.count.unsigned_abs(),
    };
    Ok(listing.into_response())
}

async fn case(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(case): Path<String>,
) -> Answer<Response> {
    let file = app.cases.case(caller.actor()?, &case).await?;
    Ok(with_version(file.case.revision, &file))
}

async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(case): Path<String>,
    query: Query,
) -> Answer<Response> {
    let after = query.number("after", 0, usize::MAX >> 1, 0) as i64;
    let limit = query.number("limit", 1, HISTORY, HISTORY);
    query.finish()?;
    let entries = app
        .cases
        .history(caller.actor()?, &case, after, limit)
        .await?;
    Ok(Listing::whole(entries).into_response())
}

async fn rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(case): Path<String>,
    headers: HeaderMap,
    Json(verb): Json<CaseVerb>,
) -> Answer<Response> {
    let seen = if_match(&headers)?;
    let case = app.cases.rule(caller.actor()?, &case, seen, verb).await?;
    Ok(with_version(case.revision, &case))
}

async fn message(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(message): Json<Message>,
) -> Answer<Response> {
    let reached = app.cases.message(caller.actor()?, message).await?;
    Ok(axum::Json(reached).into_response())
}

/// A signal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signal {
    name: String,
    #[serde(default)]
    data: Map<String, Value>,
}

async fn signal(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(signal): Json<Signal>,
) -> Answer<Response> {
    app.cases
        .signal(caller.actor()?, &signal.name, signal.data)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set_aside(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, PAGE.1, PAGE.0);
    query.finish()?;
    Ok(Listing::whole(app.cases.set_aside(caller.actor()?, limit).await?).into_response())
}

async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    app.cases.try_again(caller.actor()?, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn calendar(State(app): State<Arc<App>>, Path(year): Path<String>) -> Answer<Response> {
    let days = app.cases.calendar(year_of(&year)?).await?;
    Ok(Listing::whole(days).into_response())
}

/// Days of a year that are not what their weekday says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalendarChange {
    days: Vec<CalendarDay>,
}

async fn set_calendar(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(year): Path<String>,
    query: Query,
    Json(change): Json<CalendarChange>,
) -> Answer<Response> {
    let dry = query.flag("dry").unwrap_or(false);
    query.finish()?;
    let moved = app
        .cases
        .set_calendar(caller.actor()?, year_of(&year)?, change.days, dry)
        .await?;
    Ok(Listing::whole(moved).into_response())
}

fn year_of(text: &str) -> Answer<i16> {
    let year = text
        .parse::<i16>()
        .ok()
        .filter(|year| (1950..=2200).contains(year));
    year.ok_or_else(|| kernel::Fault::missing(text).into())
}
