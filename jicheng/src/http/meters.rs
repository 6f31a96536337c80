//! Meters over HTTP: who used what, how limits stand, quotas set with a reason; everybody sees
//! what is left for themselves.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, TableFormat, csv_text, if_match, table_file, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::fault::Fault;
use kernel::metering::{Left, Meter, Meters, Payer, Window};
use kernel::{Access, Span, Time, Verb};
use metering::{Usage, UsageQuestion};
use serde_json::{Value, json};
use std::sync::Arc;

/// Rows of one answer, at most.
const ROWS: usize = 50_000;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "meters");
    let operate = Access::May(Verb::Operate, "meters");
    table.add(
        line(
            "GET /api/v1/meters/mine",
            Access::SignedIn,
            "本人所在组织与应用的用量与剩余",
            "What is used and left for one's own organisation and application",
        ),
        mine,
    );
    table.add(
        line("GET /api/v1/operator/meters", read, "用量", "What was used").query(&[
            "window: minute, hour, day, month or ever",
            "from: time",
            "to: time",
            "meter: text",
            "organisation: text",
            "application: text",
            "format: csv or xlsx",
        ]),
        usage,
    );
    table.add(
        line(
            "GET /api/v1/operator/meters/standings",
            read,
            "各限额的剩余",
            "How every limit stands",
        ),
        standings,
    );
    table.add(
        line("GET /api/v1/operator/quotas", read, "限额", "Quotas"),
        quotas,
    );
    table.add(
        line(
            "PUT /api/v1/operator/quotas/{name}",
            operate,
            "设置限额（须说明理由）",
            "Set a quota, with a reason",
        )
        .takes("QuotaChange"),
        set,
    );
    table.add(
        line(
            "DELETE /api/v1/operator/quotas/{name}",
            operate,
            "撤回限额（须说明理由）",
            "Take a quota back, with a reason",
        )
        .query(&["reason: text (required)"]),
        unset,
    );
}

fn left_json(left: &Left) -> Value {
    json!({
        "quota": left.quota, "meter": left.meter, "window": left.window, "limit": left.limit,
        "used": left.used, "left": left.left(), "resets_at": left.resets_at,
    })
}

async fn mine(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let payer = Payer::of(Some(caller.actor()?));
    let now = app.city.clock.now();
    let question = UsageQuestion {
        window: Window::Month,
        from: Window::Month.start(now),
        to: now + Span::seconds(1),
        meter: None,
        organisation: Some(payer.organisation.into()),
        application: Some(payer.application.into()),
        limit: ROWS,
    };
    let used = app.metering.usage(&question).await?;
    let used: Vec<Value> = used
        .iter()
        .map(|u| json!({"meter": u.meter, "amount": u.amount}))
        .collect();
    let left: Vec<Value> = app.metering.left(payer).iter().map(left_json).collect();
    let body = json!({
        "organisation": payer.organisation, "application": payer.application,
        "since": question.from, "used": used, "limits": left,
    });
    Ok(axum::Json(body).into_response())
}

async fn usage(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let now = app.city.clock.now();
    let window = query
        .choice("window", "minute, hour, day, month, ever", Window::parse)
        .unwrap_or(Window::Hour);
    let since = match window {
        Window::Minute => now - Span::hours(3),
        Window::Hour => now - Span::days(2),
        Window::Day => now - Span::days(31),
        // There are few months, and what is counted for ever began at the beginning.
        Window::Month | Window::Ever => Time(0),
    };
    let question = UsageQuestion {
        window,
        from: query.time("from").unwrap_or(since),
        to: query.time("to").unwrap_or(now + Span::seconds(1)),
        meter: query.choice("meter", "requests, bytes_in …", Meter::parse),
        organisation: query.text("organisation"),
        application: query.text("application"),
        limit: ROWS,
    };
    let format = query.choice("format", TableFormat::WORDS, TableFormat::parse);
    query.finish()?;
    let rows = app.metering.usage(&question).await?;
    if rows.len() == ROWS {
        return Err(Fault::invalid_at(
            "from",
            format!("超过 {ROWS} 行，请缩小范围"),
            format!("more than {ROWS} rows; narrow the range"),
        )
        .into());
    }
    if let Some(format) = format {
        let line = |u: &Usage| {
            vec![
                u.start.rfc3339(),
                u.organisation.clone(),
                u.application.clone(),
                u.meter.word().to_string(),
                u.amount.to_string(),
            ]
        };
        let head = "时段 start,组织 organisation,应用 application,计量 meter,数量 amount";
        let lines: Vec<_> = rows.iter().map(line).collect();
        return table_file("meters", format, csv_text(head, &lines).into_bytes()).await;
    }
    Ok(Listing::whole(rows).into_response())
}

async fn standings(State(app): State<Arc<App>>) -> Answer<Response> {
    let rows = app.metering.standings().into_iter();
    let rows = rows.map(|(organisation, application, limits)| {
        let limits: Vec<Value> = limits.iter().map(left_json).collect();
        json!({"organisation": organisation, "application": application, "limits": limits})
    });
    Ok(Listing::whole(rows.take(5_000).collect()).into_response())
}

async fn quotas(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(Listing::whole(app.metering.quotas()).into_response())
}

async fn set(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    headers: HeaderMap,
    Json(change): Json<metering::QuotaChange>,
) -> Answer<Response> {
    let expected = if_match(&headers)?;
    let quota = app
        .metering
        .set_quota(caller.actor()?, &name, change, expected)
        .await?;
    Ok(with_version(quota.version, &quota))
}

async fn unset(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Response> {
    let reason = query.demand("reason");
    query.finish()?;
    app.metering
        .unset_quota(caller.actor()?, &name, &reason)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
