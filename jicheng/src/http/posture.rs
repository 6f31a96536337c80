//! The security posture over HTTP: every item of the standards with its state and evidence, as
//! JSON or CSV.

use super::input::Query;
use super::output::{TableFormat, csv_text, table_file};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use crate::posture::{Judged, judge};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use kernel::{Access, Verb};
use serde_json::json;
use std::sync::Arc;

/// Adds the route of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/operator/posture",
            Access::May(Verb::Read, "posture"),
            "安全状况（等级保护、密码应用）",
            "The security posture",
        )
        .query(&["format: csv or xlsx"]),
        posture,
    );
}

async fn posture(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let format = query.choice("format", TableFormat::WORDS, TableFormat::parse);
    query.finish()?;
    let items = judge(&app).await?;
    if let Some(format) = format {
        let line = |item: &Judged| {
            let found = item.findings.iter().map(|f| f.words.zh.as_str());
            let english = item.findings.iter().map(|f| f.words.en.as_str());
            let by = item.by.clone().unwrap_or_default();
            vec![
                item.standard.clone(),
                item.title.zh.clone(),
                item.title.en.clone(),
                item.state.to_string(),
                found.collect::<Vec<_>>().join("；"),
                english.collect::<Vec<_>>().join("; "),
                by.zh,
            ]
        };
        let head =
            "标准 standard,条目 item,item (en),状态 state,证据 evidence,evidence (en),责任方 by";
        let lines: Vec<_> = items.iter().map(line).collect();
        return table_file("posture", format, csv_text(head, &lines).into_bytes()).await;
    }
    let count = |state: &str| items.iter().filter(|i| i.state == state).count();
    let body = json!({
        "at": app.city.clock.now(),
        "counts": {
            "met": count("met"), "partly": count("partly"), "not_met": count("not_met"),
            "unknown": count("unknown"), "not_ours": count("not_ours"),
        },
        "items": items,
    });
    Ok(axum::Json(body).into_response())
}
