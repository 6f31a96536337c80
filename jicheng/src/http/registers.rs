//! Registers over HTTP: what is declared, pages of records at any past moment, one record with
//! its history, changes, import and export.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, TableFormat, if_match, table_file, with_version};
use super::problem::{Answer, Refusal};
use super::scope;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::declare::{FieldKind, RegisterDecl};
use kernel::facts::Facts;
use kernel::fault::Fault;
use kernel::records::{Record, RecordChange, RecordQuery};
use kernel::{Access, Actor, Time, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "register.{register}");
    let write = Access::May(Verb::Write, "register.{register}");
    table.add(
        line(
            "GET /api/v1/registers",
            Access::May(Verb::Read, "registers"),
            "登记簿目录",
            "List registers",
        )
        .gives("RegisterPage"),
        registers,
    );
    table.add(
        line(
            "GET /api/v1/registers/{register}",
            read,
            "记录列表",
            "List records",
        )
        .query(&[
            "text: text",
            "f.<field>: value",
            "order: field or -field",
            "valid_at: time",
            "as_of: time",
            "bbox: west,south,east,north",
            "after: cursor",
            "limit: number",
            "format: csv or xlsx",
        ])
        .gives("RecordPage"),
        list,
    );
    table.add(
        line(
            "GET /api/v1/registers/{register}/{key}",
            read,
            "记录详情",
            "One record",
        )
        .query(&["valid_at: time", "as_of: time"])
        .gives("Record"),
        one,
    );
    table.add(
        line(
            "GET /api/v1/registers/{register}/{key}/history",
            read,
            "记录沿革",
            "Every version of a record",
        )
        .gives("RecordPage"),
        history,
    );
    table.add(
        line(
            "PUT /api/v1/registers/{register}/{key}",
            write,
            "新建或修改记录",
            "Create or change a record",
        )
        .takes("RecordPut")
        .gives("Record"),
        put,
    );
    table.add(
        line(
            "DELETE /api/v1/registers/{register}/{key}",
            write,
            "终止记录",
            "End a record",
        )
        .query(&["reason: text"])
        .gives("Record"),
        end,
    );
    table.add(
        line(
            "POST /api/v1/registers/{register}/import",
            write,
            "导入 CSV",
            "Import CSV",
        )
        .large()
        .gives("Imported"),
        import,
    );
}

fn declared<'a>(app: &'a App, register: &str) -> Answer<&'a RegisterDecl> {
    app.city
        .declared
        .register(register)
        .ok_or_else(|| Refusal(Fault::missing(register)))
}

/// Registers the caller may read. Whoever designs items sees the names and fields of all of them,
/// because forms and materials take from them; of a register they may not read, no number.
async fn registers(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let mut items = vec![];
    let policy = &app.city.policy;
    let designs = policy
        .may(caller.actor()?, Verb::Operate, "items")
        .allowed();
    for register in app.city.declared.registers() {
        let object = format!("register.{}", register.name);
        if policy.demand(caller.actor()?, Verb::Read, &object).is_err() {
            if designs {
                let mut item = json!(register);
                item["count"] = json!(null);
                items.push(item);
            }
            continue;
        }
        let mut wanted = RecordQuery {
            limit: 1,
            ..RecordQuery::default()
        };
        let total = match scope::narrow(&app, caller.actor()?, Verb::Read, register, &mut wanted) {
            // Counted by the query, or not at all: records are not looked at one by one for this.
            true if wanted.keep.is_none() => {
                let page = app.city.registers.list(&register.name, &wanted).await?;
                page.looked_at.is_none().then_some(page.total)
            }
            true => None,
            false => Some(0),
        };
        let mut item = json!(register);
        item["count"] = json!(total);
        items.push(item);
    }
    Ok(Listing::whole(items).into_response())
}

/// The value of a filter in the type of its field.
fn typed(register: &RegisterDecl, name: &str, text: &str) -> Value {
    match register.field(name).map(|f| &f.kind) {
        Some(FieldKind::Integer) => text.parse::<i64>().map_or(json!(text), |n| json!(n)),
        Some(FieldKind::Number) => text.parse::<f64>().map_or(json!(text), |n| json!(n)),
        Some(FieldKind::Boolean) => text.parse::<bool>().map_or(json!(text), |b| json!(b)),
        _ => json!(text),
    }
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(register): Path<String>,
    query: Query,
) -> Answer<Response> {
    let decl = declared(&app, &register)?;
    let equals = query
        .with_prefix("f.")
        .into_iter()
        .map(|(n, v)| (n.clone(), typed(decl, &n, &v)))
        .collect();
    let mut wanted = RecordQuery {
        equals,
        text: query.text("text"),
        inside: query.bbox("bbox"),
        order: query.text("order"),
        valid_at: query.time("valid_at"),
        as_of: query.time("as_of"),
        after: query.text("after"),
        limit: query.number("limit", 1, 1000, 100),
        ..RecordQuery::default()
    };
    let format = query.choice("format", TableFormat::WORDS, TableFormat::parse);
    query.finish()?;
    let actor = caller.actor()?;
    if let Some(format) = format {
        let object = scope::object_of(decl);
        let actor = app.city.policy.demand(actor, Verb::Export, &object)?;
        if !scope::narrow(&app, &actor, Verb::Export, decl, &mut wanted) {
            return Err(Fault::missing(&register).into());
        }
        let mask = |record: &Record| {
            let facts = Facts::of(decl, record);
            app.city
                .policy
                .mask(&actor, Verb::Export, &object, Some(&facts))
        };
        let text = app
            .registers
            .export_csv(&actor, &register, &wanted, Some(&mask))
            .await?;
        return table_file(&register, format, text.into_bytes()).await;
    }
    if !scope::narrow(&app, actor, Verb::Read, decl, &mut wanted) {
        return Ok(Listing::<Value>::whole(vec![]).into_response());
    }
    let page = app.city.registers.list(&register, &wanted).await?;
    let seen = scope::seen(&app, actor, decl, page.records);
    scope::log_personal(&app, actor, decl, &seen).await?;
    let listing = Listing {
        items: seen.records,
        next: page.next,
        total: page.total,
    };
    Ok(match page.looked_at {
        None => listing.into_response(),
        Some(n) => (
            [("x-filtered", format!("one-by-one; looked-at={n}"))],
            listing,
        )
            .into_response(),
    })
}

async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((register, key)): Path<(String, String)>,
    query: Query,
) -> Answer<Response> {
    let (valid_at, as_of) = (query.time("valid_at"), query.time("as_of"));
    query.finish()?;
    let decl = declared(&app, &register)?;
    let registers = &app.city.registers;
    let record = registers.get(&register, &key, valid_at, as_of).await?;
    let actor = scope::reach(
        &app,
        caller.actor()?,
        Verb::Read,
        decl,
        record.as_ref(),
        &key,
    )
    .await?;
    let version = record.as_ref().map_or(0, |r| r.version);
    let seen = scope::seen(&app, &actor, decl, record.into_iter().collect());
    scope::log_personal(&app, &actor, decl, &seen).await?;
    Ok(with_version(version, &seen.records.first()))
}

async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((register, key)): Path<(String, String)>,
) -> Answer<Response> {
    let decl = declared(&app, &register)?;
    let mut versions = app.city.registers.history(&register, &key).await?;
    // Whoever may read the record as it stands sees how it came about, each version as allowed.
    let actor = caller.actor()?;
    scope::reach(&app, actor, Verb::Read, decl, versions.first(), &key).await?;
    let object = scope::object_of(decl);
    versions.retain(|version| {
        let facts = Facts::of(decl, version);
        app.city
            .policy
            .may_this(actor, Verb::Read, &object, &facts)
            .allowed()
    });
    let seen = scope::seen(&app, actor, decl, versions);
    scope::log_personal(&app, actor, decl, &seen).await?;
    Ok(Listing::whole(seen.records).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Put {
    fields: Map<String, Value>,
    valid_from: Option<Time>,
    reason: Option<String>,
}

async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((register, key)): Path<(String, String)>,
    headers: HeaderMap,
    Json(put): Json<Put>,
) -> Answer<Response> {
    let decl = declared(&app, &register)?;
    let mut fields = put.fields;
    fields
        .entry(decl.key.clone())
        .or_insert_with(|| Value::String(key.clone()));
    let mut change = RecordChange {
        register,
        fields: Some(fields),
        key,
        valid_from: put.valid_from,
        expect_version: if_match(&headers)?,
        reason: put.reason,
    };
    let actor = caller.actor()?;
    allowed(&app, actor, decl, &mut change).await?;
    let record = apply(&app, actor, change).await?;
    let status = if record.version == 1 {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, answered(&app, actor, decl, record)).into_response())
}

/// Demands that the caller may make this change. The version that was looked at is the one that is
/// changed: nothing slips in between.
async fn allowed(
    app: &App,
    actor: &Actor,
    decl: &RegisterDecl,
    change: &mut RecordChange,
) -> Answer<()> {
    if scope::everything(app, actor, Verb::Write, decl) && scope::personal(decl).next().is_none() {
        return Ok(());
    }
    let before = app
        .city
        .registers
        .get(&decl.name, &change.key, change.valid_from, None)
        .await?;
    let fields = before.as_ref().map(|r| &r.fields);
    scope::may_change(
        app,
        actor,
        decl,
        &change.key,
        fields,
        change.fields.as_ref(),
    )?;
    if change.expect_version.is_none() {
        change.expect_version = before.map(|r| r.version);
    }
    Ok(())
}

/// A changed record as its author sees it.
fn answered(app: &App, actor: &Actor, decl: &RegisterDecl, record: Record) -> Response {
    let version = record.version;
    let seen = scope::seen(app, actor, decl, vec![record]);
    with_version(version, &seen.records.first())
}

async fn apply(app: &App, actor: &Actor, change: RecordChange) -> Answer<Record> {
    let mut records = app.city.registers.apply(actor, vec![change]).await?;
    records
        .pop()
        .ok_or_else(|| Refusal(Fault::internal("applying a change", "no record came back")))
}

async fn end(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((register, key)): Path<(String, String)>,
    query: Query,
    headers: HeaderMap,
) -> Answer<Response> {
    let decl = declared(&app, &register)?;
    let reason = Some(query.demand("reason"));
    query.finish()?;
    let expect_version = if_match(&headers)?;
    let mut change = RecordChange {
        register,
        fields: None,
        key,
        valid_from: None,
        expect_version,
        reason,
    };
    let actor = caller.actor()?;
    allowed(&app, actor, decl, &mut change).await?;
    let record = apply(&app, actor, change).await?;
    Ok(answered(&app, actor, decl, record))
}

async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(register): Path<String>,
    body: bytes::Bytes,
) -> Answer<Response> {
    let decl = declared(&app, &register)?.clone();
    let actor = caller.actor()?.clone();
    let free = scope::everything(&app, &actor, Verb::Write, &decl)
        && scope::personal(&decl).next().is_none();
    let may: Option<Arc<registers::MayChange>> = (!free).then(|| {
        let (app, actor) = (app.clone(), actor.clone());
        Arc::new(
            move |key: &str, before: Option<&Map<String, Value>>, after: &Map<String, Value>| {
                scope::may_change(&app, &actor, &decl, key, before, Some(after))
            },
        ) as Arc<registers::MayChange>
    });
    let done = app
        .registers
        .import_csv_if(&actor, &register, &body, None, may)
        .await?;
    Ok(axum::Json(done).into_response())
}
