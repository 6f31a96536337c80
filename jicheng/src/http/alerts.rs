//! Alerts over HTTP: the queue, one alert, and what officers do with them.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, TableFormat, csv_text, table_file, with_version};
use super::problem::{Answer, Refusal, document};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::alerts::{Alert, AlertFilter, AlertState, AlertVerb, Level};
use kernel::fault::Fault;
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// A batch touches at most so many alerts.
const BATCH_LIMIT: usize = 500;
/// An export holds at most so many alerts.
const EXPORT_LIMIT: usize = 50_000;

const FILTER: &[&str] = &[
    "state: open,acknowledged,assigned,closed",
    "level: blue,yellow,orange,red",
    "rule: text",
    "thing: text",
    "active: boolean",
    "text: text",
    "assignee: text",
    "from: time",
    "to: time",
    "after: cursor",
    "limit: number",
    "format: csv or xlsx",
];

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "alerts");
    let handle = Access::May(Verb::Handle, "alerts");
    table.add(
        line("GET /api/v1/alerts", read, "告警列表", "List alerts")
            .query(FILTER)
            .gives("AlertPage"),
        list,
    );
    table.add(
        line(
            "GET /api/v1/alerts/counts",
            read,
            "未关闭告警数",
            "Count alerts that are not closed",
        )
        .gives("AlertCounts"),
        counts,
    );
    table.add(
        line("GET /api/v1/alerts/{id}", read, "告警详情", "One alert").gives("Alert"),
        one,
    );
    table.add(
        line(
            "POST /api/v1/alerts/batch",
            handle,
            "批量处理告警",
            "Act on several alerts",
        )
        .takes("AlertBatch"),
        batch,
    );
    table.add(
        line(
            "POST /api/v1/alerts/{id}",
            handle,
            "处理告警",
            "Act on an alert",
        )
        .takes("AlertVerb")
        .gives("Alert"),
        act,
    );
    table.add(
        line("GET /api/v1/rules", read, "规则列表", "List rules"),
        rules,
    );
}

fn filter(query: &Query) -> AlertFilter {
    AlertFilter {
        states: query.choices(
            "state",
            "open,acknowledged,assigned,closed",
            AlertState::parse,
        ),
        levels: query.choices("level", "blue,yellow,orange,red", Level::parse),
        rule: query.text("rule"),
        thing: query.text("thing"),
        active: query.flag("active"),
        text: query.text("text"),
        assignee: query.text("assignee"),
        from: query.time("from"),
        to: query.time("to"),
        after: query.text("after"),
        limit: query.number("limit", 1, 1000, 100),
    }
}

async fn list(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let mut filter = filter(&query);
    let format = query.choice("format", TableFormat::WORDS, TableFormat::parse);
    query.finish()?;
    if let Some(format) = format {
        app.city
            .policy
            .demand(caller.actor()?, Verb::Export, "alerts")?;
        return export(&app, &mut filter, format).await;
    }
    let (items, next, total) = app.city.alerts.list(&filter).await?;
    Ok(Listing { items, next, total }.into_response())
}

async fn export(app: &App, filter: &mut AlertFilter, format: TableFormat) -> Answer<Response> {
    let mut rows = vec![];
    filter.limit = 1000;
    loop {
        let (items, next, total) = app.city.alerts.list(filter).await?;
        // A file that silently lacks rows is worse than none.
        if total > EXPORT_LIMIT as u64 {
            let limit = EXPORT_LIMIT as u64;
            return Err(Fault::from(lake::LakeError::TooLarge { limit }).into());
        }
        rows.extend(items.iter().map(csv_row));
        filter.after = next;
        if filter.after.is_none() || rows.len() > EXPORT_LIMIT {
            break;
        }
    }
    let head = "id,system,rule,title,thing,property,level,state,since,raised_at,ended_at,value,limit,unit,assignee,message";
    table_file("alerts", format, csv_text(head, &rows).into_bytes()).await
}

fn csv_row(alert: &Alert) -> Vec<String> {
    let number = |n: Option<f64>| n.map(|n| n.to_string()).unwrap_or_default();
    vec![
        alert.id.clone(),
        alert.system.clone(),
        alert.rule.clone(),
        alert.title.zh.clone(),
        alert.thing.clone(),
        alert.property.clone().unwrap_or_default(),
        alert.level.word().into(),
        alert.state.word().into(),
        alert.since.rfc3339(),
        alert.raised_at.rfc3339(),
        alert.ended_at.map(|t| t.rfc3339()).unwrap_or_default(),
        number(alert.value),
        number(alert.limit),
        alert.unit.clone(),
        alert.assignee.clone().unwrap_or_default(),
        alert.message.zh.clone(),
    ]
}

async fn counts(State(app): State<Arc<App>>) -> Answer<Response> {
    let [blue, yellow, orange, red] = app.city.alerts.open_counts().await?;
    Ok(
        axum::Json(json!({"blue": blue, "yellow": yellow, "orange": orange, "red": red}))
            .into_response(),
    )
}

async fn one(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer<Response> {
    let alert = app.city.alerts.get(&id).await?;
    let alert = alert.ok_or_else(|| Refusal(Fault::missing(&id)))?;
    Ok(with_version(alert.version, &alert))
}

async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(verb): Json<AlertVerb>,
) -> Answer<Response> {
    let expected = super::output::if_match(&headers)?;
    check(&app, &verb).await?;
    let alert = app
        .city
        .alerts
        .act(caller.actor()?, &id, verb, expected)
        .await?;
    Ok(with_version(alert.version, &alert))
}

/// Texts have limits, and an alert can be given only to somebody who exists and may handle it.
async fn check(app: &App, verb: &AlertVerb) -> Answer<()> {
    let (at, text) = match verb {
        AlertVerb::Acknowledge => return Ok(()),
        AlertVerb::Assign { to } => {
            let account = app.identity.account(to).await;
            let may = account.is_ok_and(|account| {
                let decision = app
                    .city
                    .policy
                    .may(&account.actor(), Verb::Handle, "alerts");
                decision.allowed()
            });
            if !may {
                let (zh, en) = (
                    "没有此账号，或其无权处理告警",
                    "no such account, or it may not handle alerts",
                );
                return Err(Fault::invalid_at("to", zh, en).into());
            }
            return Ok(());
        }
        AlertVerb::Comment { text } => ("text", text),
        AlertVerb::Close { reason } => ("reason", reason),
    };
    if text.trim().is_empty() || text.chars().count() > 2000 {
        return Err(
            Fault::invalid_at(at, "应为 1 到 2000 字", "expected 1 to 2000 characters").into(),
        );
    }
    Ok(())
}

#[derive(Deserialize)]
struct Batch {
    ids: Vec<String>,
    #[serde(flatten)]
    verb: AlertVerb,
}

async fn batch(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(batch): Json<Batch>,
) -> Answer<Response> {
    if batch.ids.is_empty() || batch.ids.len() > BATCH_LIMIT {
        let (zh, en) = (
            format!("应为 1 到 {BATCH_LIMIT} 条"),
            format!("expected 1 to {BATCH_LIMIT}"),
        );
        return Err(Fault::invalid_at("ids", zh, en).into());
    }
    check(&app, &batch.verb).await?;
    let (mut done, mut failed) = (vec![], vec![]);
    for id in batch.ids {
        match app
            .city
            .alerts
            .act(caller.actor()?, &id, batch.verb.clone(), None)
            .await
        {
            Ok(_) => done.push(id),
            Err(fault) => failed.push(json!({"id": id, "problem": document(&fault)})),
        }
    }
    Ok(axum::Json(json!({"done": done, "failed": failed})).into_response())
}

async fn rules(State(app): State<Arc<App>>) -> Answer<Response> {
    let items: Vec<Value> = app
        .city
        .declared
        .rules()
        .map(|r| {
            json!({"system": r.system, "name": r.name, "title": r.title, "about": r.about,
                "message": r.alert.message, "levels": r.alert.levels})
        })
        .collect();
    Ok(Listing::whole(items).into_response())
}
