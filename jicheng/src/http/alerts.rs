//! Alerts over HTTP: the queue, one alert, and what officers do with them.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, TableFormat, csv_text, table_file, with_version};
use super::problem::{Answer, Refusal, document};
use super::scope;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::alerts::{Alert, AlertFilter, AlertState, AlertVerb, Level};
use kernel::facts::Facts;
use kernel::fault::Fault;
use kernel::{Access, Actor, Verb};
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

/// Alerts looked at for one page, at most, when they are shown or left out one by one.
const LOOKED_AT: usize = 20_000;

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
    let actor = caller.actor()?;
    if let Some(format) = format {
        app.city.policy.demand(actor, Verb::Export, "alerts")?;
        return export(&app, actor, &mut filter, format).await;
    }
    let (items, next, total) = page(&app, actor, Verb::Read, &filter).await?;
    Ok(Listing { items, next, total }.into_response())
}

/// What is known of an alert: whose thing it is about, and who has it in hand.
fn facts(app: &App, alert: &Alert) -> Facts {
    Facts {
        key: alert.id.clone(),
        handler: alert.assignee.clone(),
        ..scope::facts_of_thing(app, &alert.thing)
    }
}

/// A page of the alerts within the caller's reach. When that is not all of them, alerts are looked
/// at one by one, a bounded number for a page, and the total counts the page.
async fn page(
    app: &App,
    actor: &Actor,
    verb: Verb,
    filter: &AlertFilter,
) -> Answer<(Vec<Alert>, Option<String>, u64)> {
    let within = scope::Within::of(app, actor, verb, "alerts");
    if within.everything() {
        return Ok(app.city.alerts.list(filter).await?);
    }
    let (mut found, mut looked_at) = (vec![], 0);
    let mut filter = filter.clone();
    loop {
        // Never more than still fit, so that the cursor stands behind the last one shown.
        let wanted = filter.limit - found.len();
        let part = AlertFilter {
            limit: wanted,
            ..filter.clone()
        };
        let (items, next, _) = app.city.alerts.list(&part).await?;
        looked_at += items.len();
        let mine = |alert: &Alert| within.has(|| facts(app, alert));
        found.extend(items.into_iter().filter(mine));
        filter.after = next;
        if filter.after.is_none() || found.len() >= filter.limit || looked_at >= LOOKED_AT {
            let total = found.len() as u64;
            return Ok((found, filter.after, total));
        }
    }
}

async fn export(
    app: &App,
    actor: &Actor,
    filter: &mut AlertFilter,
    format: TableFormat,
) -> Answer<Response> {
    let mut rows = vec![];
    filter.limit = 1000;
    loop {
        let (items, next, total) = page(app, actor, Verb::Export, filter).await?;
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

/// Counts of the open alerts within the caller's reach.
async fn open_counts(app: &App, actor: &Actor) -> Answer<[u64; 4]> {
    if scope::Within::of(app, actor, Verb::Read, "alerts").everything() {
        return Ok(app.city.alerts.open_counts().await?);
    }
    let mut counts = [0; 4];
    let mut filter = AlertFilter {
        states: vec![
            AlertState::Open,
            AlertState::Acknowledged,
            AlertState::Assigned,
        ],
        limit: 1000,
        ..AlertFilter::default()
    };
    for _ in 0..LOOKED_AT / 1000 {
        let (items, next, _) = page(app, actor, Verb::Read, &filter).await?;
        items
            .iter()
            .for_each(|alert| counts[alert.level as usize - 1] += 1);
        filter.after = next;
        if filter.after.is_none() {
            break;
        }
    }
    Ok(counts)
}

async fn counts(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let [blue, yellow, orange, red] = open_counts(&app, caller.actor()?).await?;
    Ok(
        axum::Json(json!({"blue": blue, "yellow": yellow, "orange": orange, "red": red}))
            .into_response(),
    )
}

/// The alert, when it is within the caller's reach; not found otherwise.
async fn reach(app: &App, actor: &Actor, verb: Verb, id: &str) -> Answer<Alert> {
    let alert = app.city.alerts.get(id).await?;
    let within = scope::Within::of(app, actor, verb, "alerts");
    let mine = |alert: &Alert| within.has(|| facts(app, alert));
    alert
        .filter(mine)
        .ok_or_else(|| Refusal(Fault::missing(id)))
}

async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let alert = reach(&app, caller.actor()?, Verb::Read, &id).await?;
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
    reach(&app, caller.actor()?, Verb::Handle, &id).await?;
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
    let actor = caller.actor()?;
    for id in batch.ids {
        let acted = match reach(&app, actor, Verb::Handle, &id).await {
            Ok(_) => {
                app.city
                    .alerts
                    .act(actor, &id, batch.verb.clone(), None)
                    .await
            }
            Err(refusal) => Err(refusal.0),
        };
        match acted {
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
