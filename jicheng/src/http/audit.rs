//! The audit log for those who check it: verification, signed checkpoints, proofs, export.

use super::input::Query;
use super::output::Listing;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use audit::Engine;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use kernel::fault::Fault;
use kernel::{Access, Time, Verb};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let access = Access::May(Verb::Audit, "audit");
    table.add(
        line(
            "POST /api/v1/operator/audit/verify",
            access,
            "校验审计日志",
            "Verify the audit log",
        )
        .gives("AuditVerdict"),
        verify,
    );
    table.add(
        line(
            "GET /api/v1/operator/audit/checkpoint",
            access,
            "最新的已签名检查点",
            "The newest signed checkpoint, made when the log grew",
        )
        .gives("Checkpoint"),
        checkpoint,
    );
    table.add(
        line(
            "GET /api/v1/operator/audit/checkpoints",
            access,
            "已签名的检查点",
            "Signed checkpoints, the newest first",
        )
        .query(&["after: cursor", "limit: number"])
        .gives("CheckpointPage"),
        checkpoints,
    );
    table.add(
        line(
            "GET /api/v1/operator/audit/{seq}/proof",
            access,
            "审计条目的包含证明",
            "Proof that an entry is in the signed log",
        )
        .query(&["size: number"])
        .gives("InclusionProof"),
        proof,
    );
    table.add(
        line(
            "GET /api/v1/operator/audit/consistency",
            access,
            "审计日志的一致性证明",
            "Proof that the log only grew",
        )
        .query(&["from: number", "to: number"])
        .gives("ConsistencyProof"),
        consistency,
    );
    table.add(
        line(
            "GET /api/v1/operator/audit/export",
            access,
            "导出审计日志（NDJSON）",
            "Export the audit log (NDJSON)",
        )
        .query(&["after: cursor"]),
        export,
    );
}

async fn verify(State(app): State<Arc<App>>) -> Answer<Response> {
    let verdict = app.log.verify().await?;
    let damage = verdict
        .damage
        .map(|(seq, what)| json!({"seq": seq, "what": what}));
    let body = json!({
        "ok": damage.is_none(), "checked": verdict.checked, "first_altered": damage,
        "head": verdict.head, "tree_size": verdict.tree_size,
        "checkpoint_size": verdict.checkpoint_size,
    });
    Ok(axum::Json(body).into_response())
}

fn shown(size: u64, at: Time, text: &str) -> Value {
    json!({"size": size, "at": at, "text": text})
}

async fn checkpoint(State(app): State<Arc<App>>) -> Answer<Response> {
    let text = app.log.checkpoint().await?;
    let malformed = || Refusal(Fault::internal("reading a checkpoint", "malformed"));
    let read = Engine::read(&text).ok_or_else(malformed)?;
    Ok(axum::Json(shown(read.size, read.at, &text)).into_response())
}

async fn checkpoints(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, 1000, 100);
    let below = query.choice("after", "cursor", |text| text.parse::<u64>().ok());
    query.finish()?;
    let up_to = below.map(|size| size.saturating_sub(1));
    let rows = match below {
        Some(0) => vec![],
        _ => app.log.checkpoints(up_to, limit as u64).await?,
    };
    let next = match rows.last() {
        Some(last) if rows.len() == limit => Some(last.size.to_string()),
        _ => None,
    };
    let items: Vec<Value> = rows
        .iter()
        .map(|row| shown(row.size, Time(row.at), &row.text))
        .collect();
    let total = app.log.checkpoint_count().await?;
    Ok(Listing { items, next, total }.into_response())
}

async fn proof(
    State(app): State<Arc<App>>,
    Path(seq): Path<String>,
    query: Query,
) -> Answer<Response> {
    let size = query.choice("size", "number", |text| text.parse::<u64>().ok());
    query.finish()?;
    let number = seq.parse().map_err(|_| Refusal(Fault::missing(&seq)))?;
    Ok(axum::Json(app.log.inclusion(number, size).await?).into_response())
}

async fn consistency(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let from = query.choice("from", "number", |text| text.parse::<u64>().ok());
    let to = query.choice("to", "number", |text| text.parse::<u64>().ok());
    query.demand("from");
    query.demand("to");
    query.finish()?;
    let proof = app
        .log
        .consistency(from.unwrap_or(0), to.unwrap_or(0))
        .await?;
    Ok(axum::Json(proof).into_response())
}

/// Page after page, so that a log of any size passes through little memory. A fault in the middle
/// ends the file without its last lines, which the verifier misses.
async fn export(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let after = query.choice("after", "cursor", |text| text.parse::<i64>().ok());
    query.finish()?;
    app.log.integrate().await?;
    let engine = app.log.clone();
    let pages = futures::stream::try_unfold(after.unwrap_or(0).max(0), move |after| {
        let engine = engine.clone();
        async move {
            let page = engine.export(after).await.map_err(|fault| {
                tracing::error!(%fault, "an export of the audit log was cut short");
                std::io::Error::other(fault.to_string())
            })?;
            let Some(last) = page.last().map(|line| line.seq) else {
                return Ok(None);
            };
            let lines = page
                .iter()
                .filter_map(|line| serde_json::to_string(line).ok());
            let text: String = lines.flat_map(|line| [line, "\n".into()]).collect();
            Ok::<_, std::io::Error>(Some((Bytes::from(text), last)))
        }
    });
    let head = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.ndjson\"",
        ),
    ];
    Ok((head, Body::from_stream(pages)).into_response())
}
