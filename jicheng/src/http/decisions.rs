//! Decisions over HTTP: DMN models and their versions, checking and trying them, deciding, and how
//! a decision that was kept came about.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::Listing;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::decisions::{Decisions, EvaluationFilter, Keeping, NewModel, Question};
use kernel::{Access, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const READ: Access = Access::May(Verb::Read, "decisions");
const OPERATE: Access = Access::May(Verb::Operate, "decisions");

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_models(table);
    table.add(
        line(
            "POST /api/v1/decisions/check",
            OPERATE,
            "检查决策模型",
            "Check a model without publishing it",
        )
        .takes("ModelCheck")
        .gives("ModelShape"),
        check,
    );
    table.add(
        line(
            "POST /api/v1/decisions/try",
            OPERATE,
            "试算未发布的模型",
            "Try out a model that is not published",
        )
        .takes("ModelTrial")
        .gives("Outcome"),
        try_out,
    );
    table.add(
        line(
            "POST /api/v1/decisions/{model}/decide",
            READ,
            "决策",
            "Decide",
        )
        .takes("DecisionQuestion")
        .gives("Outcome"),
        decide,
    );
    table.add(
        line(
            "GET /api/v1/decisions/evaluations",
            READ,
            "留存的决策",
            "Decisions that were kept",
        )
        .query(&[
            "model: string",
            "case: string",
            "person: string",
            "before: string",
            "limit: number",
        ])
        .gives("Evaluations"),
        evaluations,
    );
    table.add(
        line(
            "GET /api/v1/decisions/evaluations/{id}",
            READ,
            "一次决策及其理由",
            "A decision that was kept, and why it came out so",
        )
        .gives("Evaluation"),
        evaluation,
    );
}

fn add_models(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/decisions",
            READ,
            "决策模型",
            "Models of decisions",
        )
        .query(&["after: string", "limit: number"])
        .gives("Models"),
        models,
    );
    table.add(
        line(
            "POST /api/v1/decisions",
            OPERATE,
            "发布决策模型",
            "Publish a model",
        )
        .takes("NewModel")
        .gives("ModelVersion"),
        publish,
    );
    table.add(
        line(
            "GET /api/v1/decisions/{model}/versions",
            READ,
            "模型的各版本",
            "Versions of a model",
        )
        .query(&["before: number", "limit: number"])
        .gives("Models"),
        versions,
    );
    table.add(
        line(
            "GET /api/v1/decisions/{model}/xml",
            READ,
            "模型（DMN）",
            "A model (DMN)",
        )
        .query(&["version: number"])
        .gives("ModelText"),
        xml,
    );
}

fn version(query: &Query, name: &str) -> Option<i64> {
    query.choice(name, "1, 2 …", |t| {
        t.parse::<i64>().ok().filter(|n| *n > 0)
    })
}

async fn models(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let (after, limit) = (query.text("after"), query.number("limit", 1, 500, 200));
    query.finish()?;
    let items = app.decisions.models(after.as_deref(), limit as u64).await?;
    let next = (items.len() == limit)
        .then(|| items.last().map(|m| m.model.clone()))
        .flatten();
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewModel>,
) -> Answer<Response> {
    let published = app.decisions.publish(caller.actor()?, &new).await?;
    app.matters.learn(&published.model).await?;
    Ok((StatusCode::CREATED, axum::Json(published)).into_response())
}

async fn versions(
    State(app): State<Arc<App>>,
    Path(model): Path<String>,
    query: Query,
) -> Answer<Response> {
    let before = version(&query, "before");
    let limit = query.number("limit", 1, 500, 100);
    query.finish()?;
    let items = app.decisions.versions(&model, before, limit as u64).await?;
    Ok(Listing::whole(items).into_response())
}

async fn xml(
    State(app): State<Arc<App>>,
    Path(model): Path<String>,
    query: Query,
) -> Answer<Response> {
    let number = version(&query, "version");
    query.finish()?;
    let (version, xml) = app.decisions.xml(&model, number).await?;
    let ready = app.decisions.ready(&model, Some(version.version)).await?;
    let body = json!({ "version": version, "xml": xml, "shape": ready.shape() });
    Ok(axum::Json(body).into_response())
}

/// A model to check.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelCheck {
    xml: String,
}

async fn check(State(app): State<Arc<App>>, Json(model): Json<ModelCheck>) -> Answer<Response> {
    Ok(axum::Json(app.decisions.check(&model.xml).await?).into_response())
}

/// A model to try out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelTrial {
    xml: String,
    decision: String,
    #[serde(default)]
    input: Map<String, Value>,
}

async fn try_out(State(app): State<Arc<App>>, Json(trial): Json<ModelTrial>) -> Answer<Response> {
    let outcome = app
        .decisions
        .try_out(&trial.xml, &trial.decision, &trial.input)
        .await?;
    Ok(axum::Json(outcome).into_response())
}

/// A decision to make, and whether it is kept.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DecisionQuestion {
    decision: String,
    #[serde(default)]
    version: Option<i64>,
    #[serde(default)]
    input: Map<String, Value>,
    #[serde(default)]
    keeping: Option<Keeping>,
}

async fn decide(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(model): Path<String>,
    Json(asked): Json<DecisionQuestion>,
) -> Answer<Response> {
    let question = Question {
        model,
        version: asked.version,
        decision: asked.decision,
        input: asked.input,
    };
    let outcome = app.decisions.decide(&question).await?;
    let mut body = json!(outcome);
    if let (Some(keeping), Some(body)) = (asked.keeping, body.as_object_mut()) {
        let id = app
            .decisions
            .keep(caller.actor()?, &outcome, &keeping)
            .await?;
        body.insert("id".into(), id.into());
    }
    Ok(axum::Json(body).into_response())
}

async fn evaluations(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
) -> Answer<Response> {
    let filter = EvaluationFilter {
        model: query.text("model"),
        case: query.text("case"),
        person: query.text("person"),
        before: query.text("before"),
    };
    let limit = query.number("limit", 1, 200, 50);
    query.finish()?;
    let page = app.decisions.page(caller.actor()?, &filter, limit as u64);
    let (items, next) = page.await?;
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn evaluation(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    Ok(axum::Json(app.decisions.evaluation(caller.actor()?, &id).await?).into_response())
}
