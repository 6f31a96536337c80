//! Access over HTTP: why somebody may or may not, who may what, grants for some time, and the glass
//! that is broken in an emergency and reviewed afterwards.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::Listing;
use super::problem::Answer;
use super::scope;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kernel::facts::Facts;
use kernel::organisations::Organisations;
use kernel::{Access, Actor, Decision, Policy, Verb};
use policy::{Break, Cited, Explained, NewGrant, Review};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/access/explain",
            Access::SignedIn,
            "解释访问权限",
            "Why may (or may not) a person do this",
        )
        .query(&["account: text", "do: verb", "on: object or object/key"])
        .gives("Explanation"),
        explain,
    );
    table.add(
        line(
            "GET /api/v1/access/rights",
            Access::SignedIn,
            "个人权限清单",
            "Everything a person may do",
        )
        .query(&["account: text"]),
        rights,
    );
    table.add(
        line(
            "GET /api/v1/access/matrix",
            Access::May(Verb::Audit, "audit"),
            "权限矩阵",
            "Everything granted to roles",
        ),
        matrix,
    );
    table.add(
        line(
            "GET /api/v1/access/roles",
            Access::SignedIn,
            "角色名称",
            "Titles of the declared roles",
        )
        .gives("RolePage"),
        titles,
    );
    table.add(
        line(
            "GET /api/v1/access/break-glass",
            Access::SignedIn,
            "可紧急访问的对象",
            "What one could open in an emergency, and what is open",
        ),
        breakable,
    );
    table.add(
        line(
            "POST /api/v1/access/break-glass",
            Access::SignedIn,
            "紧急访问",
            "Break the glass",
        )
        .takes("BreakGlass")
        .gives("Grant"),
        break_glass,
    );
    operator(table);
}

fn operator(table: &mut Table) {
    let grant = Access::May(Verb::Operate, "grants");
    table.add(
        line(
            "GET /api/v1/operator/grants",
            Access::May(Verb::Read, "grants"),
            "限时授权与紧急访问",
            "Grants for some time, newest first",
        )
        .query(&["unreviewed: boolean", "after: cursor", "limit: number"])
        .gives("GrantPage"),
        list,
    );
    table.add(
        line(
            "POST /api/v1/operator/grants",
            grant,
            "限时授权",
            "Grant for some time",
        )
        .takes("NewGrant")
        .gives("Grant"),
        give,
    );
    table.add(
        line(
            "DELETE /api/v1/operator/grants/{id}",
            grant,
            "提前终止授权",
            "End a grant before its time",
        )
        .query(&["reason: text"])
        .gives("Grant"),
        end,
    );
    table.add(
        line(
            "POST /api/v1/operator/grants/{id}/review",
            Access::May(Verb::Handle, "grants"),
            "复核紧急访问",
            "Review broken glass",
        )
        .takes("GrantReview")
        .gives("Grant"),
        review,
    );
}

/// Oneself, or somebody else when one keeps the accounts or audits.
async fn whom(app: &App, caller: &Actor, account: Option<String>) -> Answer<Actor> {
    let Some(account) = account.filter(|account| *account != caller.account) else {
        return Ok(caller.clone());
    };
    if app
        .city
        .policy
        .demand(caller, Verb::Audit, "audit")
        .is_err()
    {
        app.city.policy.demand(caller, Verb::Operate, "accounts")?;
    }
    let mut actor = app.identity.account(&account).await?.actor();
    app.organisations.dress(&mut actor);
    Ok(actor)
}

/// What is known of one member of a kind. One that is not there is asked about like one of which
/// nothing is known, so that nobody learns from the answer whether it is there.
async fn facts_of(app: &App, object: &str, key: &str) -> Answer<Facts> {
    let nothing = Facts {
        key: key.into(),
        ..Facts::default()
    };
    if let Some(name) = object.strip_prefix("register.") {
        let Some(register) = app.city.declared.register(name) else {
            return Ok(nothing);
        };
        let record = app.city.registers.get(name, key, None, None).await?;
        return Ok(record.map_or(nothing, |record| Facts::of(register, &record)));
    }
    Ok(match object {
        "alerts" => match app.city.alerts.get(key).await? {
            Some(alert) => Facts {
                key: key.into(),
                handler: alert.assignee,
                ..scope::facts_of_thing(app, &alert.thing)
            },
            None => nothing,
        },
        _ => scope::facts_of_thing(app, key),
    })
}

/// Anybody may ask about themselves; about others, those who keep the accounts or audit.
async fn explain(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let account = query.text("account");
    let verb = query.choice(
        "do",
        "read, export, write, handle, command, operate, audit",
        Verb::parse,
    );
    let on = query.demand("on");
    query.demand("do");
    query.finish()?;
    let verb = verb.unwrap_or(Verb::Read);
    let actor = whom(&app, caller.actor()?, account).await?;
    let (object, key) = match on.split_once('/') {
        Some((object, key)) => (object.to_string(), Some(key)),
        None => (on.clone(), None),
    };
    let facts = match key {
        Some(key) => Some(facts_of(&app, &object, key).await?),
        None => None,
    };
    let why = app.policy.explain(&actor, verb, &object, facts.as_ref());
    Ok(axum::Json(said(&why)).into_response())
}

/// An explanation as JSON.
pub fn said(why: &Explained) -> Value {
    let missing = |list: &[kernel::access::Missing]| -> Vec<Value> {
        list.iter()
            .map(|m| json!({"is": m.word(), "words": m.words()}))
            .collect()
    };
    let cited = |policy: &Cited| {
        json!({
            "at": policy.at, "source": policy.source, "permits": policy.permits, "role": policy.role,
            "account": policy.account, "purpose": policy.purpose, "basis": policy.basis, "text": policy.text,
            "missing": missing(&policy.missing),
        })
    };
    let (allowed, role, purpose, basis, would, lacks) = match &why.decision {
        Decision::Allowed {
            role,
            purpose,
            basis,
        } => (true, Some(role), Some(purpose), Some(basis), vec![], vec![]),
        Decision::Denied { would, missing: m } => {
            (false, None, None, None, would.clone(), missing(m))
        }
    };
    json!({
        "allowed": allowed, "role": role, "purpose": purpose, "basis": basis, "would": would, "missing": lacks,
        "determining": why.determining.iter().map(cited).collect::<Vec<_>>(),
        "others": why.others.iter().map(cited).collect::<Vec<_>>(),
        "filter": why.filter, "mask": why.mask,
    })
}

async fn rights(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let account = query.text("account");
    query.finish()?;
    let actor = whom(&app, caller.actor()?, account).await?;
    let mut items = vec![];
    let mut seen = std::collections::BTreeSet::new();
    let lines = app.policy.matrix();
    let mine = lines
        .iter()
        .filter(|l| actor.roles_for(&l.object).any(|role| role == l.role));
    for line in mine {
        let decision = app.policy.may(&actor, line.verb, &line.object);
        let new = seen.insert((
            line.role.clone(),
            line.object.clone(),
            line.verb,
            line.at.clone(),
        ));
        if new {
            items.push(json!({
                "role": line.role, "object": line.object, "verb": line.verb, "marks": line.marks,
                "purpose": line.purpose, "basis": line.basis, "at": line.at, "now": decision.allowed(),
            }));
        }
    }
    Ok(Listing::whole(items).into_response())
}

async fn matrix(State(app): State<Arc<App>>) -> Response {
    let roles = role_titles(&app);
    axum::Json(json!({"roles": roles, "lines": app.policy.matrix()})).into_response()
}

fn role_titles(app: &App) -> Vec<Value> {
    let roles = app.policy.roles();
    roles
        .iter()
        .map(|role| json!({"name": role.name, "title": role.title}))
        .collect()
}

async fn titles(State(app): State<Arc<App>>) -> Response {
    Listing::whole(role_titles(&app)).into_response()
}

async fn breakable(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let actor = caller.actor()?;
    let open = app.policy.open_glass(actor).await?;
    let body = json!({"could": app.policy.breakable(actor), "open": open, "minutes": policy::GLASS_MINUTES});
    Ok(axum::Json(body).into_response())
}

async fn break_glass(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(wish): Json<Break>,
) -> Answer<Response> {
    let given = app.policy.break_glass(caller.actor()?, wish).await?;
    tracing::warn!(account = %given.granted_by, object = %given.object, grant = %given.id, "glass broken");
    Ok((StatusCode::CREATED, axum::Json(given)).into_response())
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let unreviewed = query.flag("unreviewed").unwrap_or(false);
    let after = query.text("after");
    let limit = query.number("limit", 1, 1000, 100);
    query.finish()?;
    let items = app
        .policy
        .grants(unreviewed, after.as_deref(), limit)
        .await?;
    let full = items.len() == limit;
    let next = items.last().filter(|_| full).map(|grant| grant.id.clone());
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn give(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewGrant>,
) -> Answer<Response> {
    if let Some(account) = &new.account {
        app.identity.account(account).await?;
    }
    let given = app.policy.give(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(given)).into_response())
}

async fn end(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    let reason = query.demand("reason");
    query.finish()?;
    let ended = app.policy.end(caller.actor()?, &id, &reason).await?;
    Ok(axum::Json(ended).into_response())
}

async fn review(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(review): Json<Review>,
) -> Answer<Response> {
    let done = app.policy.review(caller.actor()?, &id, review).await?;
    Ok(axum::Json(done).into_response())
}
