//! The backup over HTTP: where the repository stands, what drills found. Bases, verification and
//! drills are jobs and are started like any other.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::Listing;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use crate::backups::COLLECTION;
use crate::drill;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Bases shown, the newest.
const BASES_SHOWN: usize = 60;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "backups");
    table.add(
        line(
            "GET /api/v1/operator/backups",
            read,
            "备份库状态",
            "Where the backup repository stands",
        )
        .gives("Backups"),
        show,
    );
    table.add(
        line(
            "GET /api/v1/operator/backups/drills",
            read,
            "恢复演练记录",
            "Restore drills, newest first",
        )
        .query(&["limit: number"])
        .gives("Drills"),
        drills,
    );
    add_holds(table);
}

fn add_holds(table: &mut Table) {
    let read = Access::May(Verb::Read, "holds");
    let operate = Access::May(Verb::Operate, "holds");
    table.add(
        line(
            "GET /api/v1/operator/holds",
            read,
            "法律保全（冻结清理）",
            "Legal holds and what last expired",
        )
        .gives("Holds"),
        holds,
    );
    table.add(
        line(
            "POST /api/v1/operator/holds",
            operate,
            "设置法律保全",
            "Place a legal hold",
        )
        .takes("NewHold")
        .gives("Hold"),
        place_hold,
    );
    table.add(
        line(
            "POST /api/v1/operator/holds/{id}/release",
            operate,
            "解除法律保全",
            "Release a legal hold",
        )
        .takes("HoldRelease")
        .gives("Hold"),
        release_hold,
    );
}

async fn holds(State(app): State<Arc<App>>) -> Answer<Response> {
    let now = app.city.clock.now();
    let items: Vec<Value> = app
        .holds
        .list()
        .into_iter()
        .map(|hold| json!({"in_force": hold.in_force(now), "hold": hold}))
        .collect();
    let body = json!({
        "total": items.len(),
        "items": items,
        "last_expiry": found(&app, "last_expiry").await?,
    });
    Ok(axum::Json(body).into_response())
}

async fn place_hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<retention::NewHold>,
) -> Answer<Response> {
    let hold = app.holds.place(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(hold)).into_response())
}

/// Why a hold ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    reason: String,
}

async fn release_hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(release): Json<Release>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let hold = app.holds.release(actor, &id, &release.reason).await?;
    Ok(axum::Json(hold).into_response())
}

async fn found(app: &App, key: &str) -> Answer<Value> {
    let document = app.store.documents().get(COLLECTION, key).await?;
    Ok(document.map_or(Value::Null, |d| d.json))
}

fn contents_shown(contents: &backup::Contents) -> Value {
    let newest = contents.bases.iter().rev().take(BASES_SHOWN);
    let bases: Vec<Value> = newest
        .map(|b| {
            json!({"number": b.facts.number, "at": b.facts.at, "bytes": b.bytes,
                "chain": b.facts.chain, "edition": b.facts.edition})
        })
        .collect();
    json!({
        "bases": bases,
        "base_count": contents.bases.len(),
        "segment_count": contents.segments.len(),
        "segment_bytes": contents.segments.iter().map(|s| s.bytes).sum::<u64>(),
        "bytes": contents.bytes(),
        "oldest": contents.bases.first().map(|b| b.facts.at),
        "newest": contents.newest(),
    })
}

async fn show(State(app): State<Arc<App>>) -> Answer<Response> {
    let now = app.city.clock.now();
    let repository = match &app.backups.shipper {
        Some(shipper) => {
            let repository = shipper.repository().clone();
            let mut shown = json!({
                "id": repository.identity().id,
                "folder": repository.folder().display().to_string(),
                "state": shipper.state(),
            });
            let held = app.backups.contents(repository, contents_shown).await?;
            if let (Value::Object(shown), Value::Object(held)) = (&mut shown, held) {
                shown.extend(held);
            }
            shown
        }
        None => Value::Null,
    };
    let body = json!({
        "now": now,
        "store": match app.store.backend() {
            store::Backend::Sqlite => "sqlite",
            store::Backend::Postgres => "postgres",
        },
        "repository": repository,
        "age_s": app.backups.age_s(now),
        "late": app.backups.late(&app.config, app.started_at, now),
        "interval_s": app.config.number("backup_interval_s"),
        "keep": app.config.text("backup_keep"),
        "copy_folder": app.config.text("backup_copy_folder"),
        "doing": app.backups.doing(),
        "last_verify": found(&app, "last_verify").await?,
        "last_forget": found(&app, "last_forget").await?,
        "last_copy": found(&app, "last_copy").await?,
    });
    Ok(axum::Json(body).into_response())
}

async fn drills(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, 200, 50);
    query.finish()?;
    let documents = app.store.documents();
    let mut items: Vec<Value> = vec![];
    let mut after: Option<String> = None;
    // A drill a month: hundreds in a lifetime.
    loop {
        let page = documents
            .list_by_prefix(drill::COLLECTION, "", after.as_deref(), 500)
            .await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        items.extend(page.into_iter().map(|d| d.json));
    }
    let total = items.len() as u64;
    items.reverse();
    items.truncate(limit);
    Ok(Listing {
        items,
        next: None,
        total,
    }
    .into_response())
}

/// What the health page says of the backup.
pub fn brief(app: &App) -> Value {
    let now = app.city.clock.now();
    let trouble = app.backups.shipper.as_ref().and_then(|s| s.state().trouble);
    json!({
        "on": app.backups.shipper.is_some(),
        "age_s": app.backups.age_s(now),
        "late": app.backups.late(&app.config, app.started_at, now),
        "trouble": trouble,
    })
}

/// Figures for `/metrics`.
pub async fn metrics(app: &App) -> Answer<Vec<(&'static str, &'static str, f64)>> {
    let Some(shipper) = &app.backups.shipper else {
        return Ok(vec![]);
    };
    let now = app.city.clock.now();
    let state = shipper.state();
    let mut all = vec![
        ("backup_segments_total", "counter", state.segments as f64),
        ("backup_bytes_total", "counter", state.bytes as f64),
        ("backup_chains_broken_total", "counter", state.broken as f64),
    ];
    if let Some(age) = app.backups.age_s(now) {
        all.push(("backup_age_seconds", "gauge", age));
    }
    if let Some(at) = state.base_at {
        let age = now.since(at).as_seconds();
        all.push(("backup_base_age_seconds", "gauge", age));
    }
    let late = app.backups.late(&app.config, app.started_at, now);
    all.push((
        "backup_late",
        "gauge",
        f64::from(u8::from(late == Some(true))),
    ));
    Ok(all)
}
