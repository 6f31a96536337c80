//! Registers over HTTP: what is declared, pages of records at any past moment, one record with
//! its history, changes, import and export.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, TableFormat, if_match, table_file, with_version};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::declare::{FieldDecl, FieldKind, RegisterDecl};
use kernel::fault::Fault;
use kernel::records::{Record, RecordChange, RecordQuery};
use kernel::{Access, Actor, Time, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
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

async fn registers(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let mut items = vec![];
    for register in app.city.declared.registers() {
        let object = format!("register.{}", register.name);
        if app
            .city
            .policy
            .demand(caller.actor()?, Verb::Read, &object)
            .is_err()
        {
            continue;
        }
        let page = app
            .city
            .registers
            .list(
                &register.name,
                &RecordQuery {
                    limit: 1,
                    ..RecordQuery::default()
                },
            )
            .await?;
        let mut item = json!(register);
        item["count"] = json!(page.total);
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

/// What was read by a request that gives personal data away: written down before it is answered,
/// record by record, with the person each is about. `case` is the matter it is for.
async fn log_personal(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    register: &RegisterDecl,
    records: &[Record],
) -> Answer<()> {
    let personal = |field: &&FieldDecl| field.personal;
    let fields: Vec<&str> = register
        .fields
        .iter()
        .filter(personal)
        .map(|field| field.name.as_str())
        .collect();
    if fields.is_empty() || records.is_empty() {
        return Ok(());
    }
    // Versions of one record are one record.
    let mut seen = BTreeSet::new();
    for record in records {
        let number = register.access.person.as_ref();
        let number = number.and_then(|name| record.fields.get(name)?.as_str());
        let person = number.and_then(|number| app.log.pseudonym(number));
        // A key that is the citizen number itself stays out of the log.
        let key = (number != Some(record.key.as_str())).then_some(record.key.as_str());
        seen.insert((key, person));
    }
    let subject = match seen.first() {
        Some((key, person)) if seen.len() == 1 => key.or(person.as_deref()).unwrap_or(""),
        _ => "",
    };
    let lines = seen.iter();
    let lines: Vec<Value> = lines
        .map(|(key, person)| json!({"key": key, "person": person}))
        .collect();
    let actor = caller.actor()?;
    let details = json!({
        "display": actor.display, "organisation": actor.organisation, "fields": fields,
        "case": case(headers)?, "records": lines,
    });
    let object = format!("register.{}", register.name);
    Ok(app
        .audit(actor, Verb::Read, &object, subject, details)
        .await?)
}

/// The matter a request is for, when it says so: header `X-Case`.
fn case(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get("x-case") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= 100 => Ok(Some(text.into())),
        _ => Err(Refusal(Fault::invalid_at(
            "X-Case",
            "应为 1 到 100 个 ASCII 字符",
            "expected 1 to 100 ASCII characters",
        ))),
    }
}

async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(register): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let decl = declared(&app, &register)?;
    let equals = query
        .with_prefix("f.")
        .into_iter()
        .map(|(n, v)| (n.clone(), typed(decl, &n, &v)))
        .collect();
    let wanted = RecordQuery {
        equals,
        text: query.text("text"),
        inside: query.bbox("bbox"),
        order: query.text("order"),
        valid_at: query.time("valid_at"),
        as_of: query.time("as_of"),
        after: query.text("after"),
        limit: query.number("limit", 1, 1000, 100),
    };
    let format = query.choice("format", TableFormat::WORDS, TableFormat::parse);
    query.finish()?;
    if let Some(format) = format {
        let object = format!("register.{register}");
        app.city
            .policy
            .demand(caller.actor()?, Verb::Export, &object)?;
        let text = app
            .registers
            .export_csv(caller.actor()?, &register, &wanted, false)
            .await?;
        return table_file(&register, format, text.into_bytes()).await;
    }
    let page = app.city.registers.list(&register, &wanted).await?;
    log_personal(&app, &caller, &headers, decl, &page.records).await?;
    Ok(Listing {
        items: page.records,
        next: page.next,
        total: page.total,
    }
    .into_response())
}

async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((register, key)): Path<(String, String)>,
    headers: HeaderMap,
    query: Query,
) -> Answer<Response> {
    let (valid_at, as_of) = (query.time("valid_at"), query.time("as_of"));
    query.finish()?;
    let decl = declared(&app, &register)?;
    let record = app
        .city
        .registers
        .get(&register, &key, valid_at, as_of)
        .await?;
    let record = record.ok_or_else(|| Refusal(Fault::missing(&key)))?;
    let read = std::slice::from_ref(&record);
    log_personal(&app, &caller, &headers, decl, read).await?;
    Ok(with_version(record.version, &record))
}

async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((register, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Answer<Response> {
    let decl = declared(&app, &register)?;
    let versions = app.city.registers.history(&register, &key).await?;
    if versions.is_empty() {
        return Err(Fault::missing(&key).into());
    }
    log_personal(&app, &caller, &headers, decl, &versions).await?;
    Ok(Listing::whole(versions).into_response())
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
    let change = RecordChange {
        register,
        fields: Some(fields),
        key,
        valid_from: put.valid_from,
        expect_version: if_match(&headers)?,
        reason: put.reason,
    };
    let record = apply(&app, caller.actor()?, change).await?;
    let status = if record.version == 1 {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, with_version(record.version, &record)).into_response())
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
    declared(&app, &register)?;
    let reason = Some(query.demand("reason"));
    query.finish()?;
    let expect_version = if_match(&headers)?;
    let change = RecordChange {
        register,
        fields: None,
        key,
        valid_from: None,
        expect_version,
        reason,
    };
    let record = apply(&app, caller.actor()?, change).await?;
    Ok(with_version(record.version, &record))
}

async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(register): Path<String>,
    body: bytes::Bytes,
) -> Answer<Response> {
    declared(&app, &register)?;
    let done = app
        .registers
        .import_csv(caller.actor()?, &register, &body, None)
        .await?;
    Ok(axum::Json(done).into_response())
}
