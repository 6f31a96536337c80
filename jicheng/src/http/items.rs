//! Items of service over HTTP: the catalogue and the guide for everybody, and for designers the
//! working copy, its check, a trial, and publishing. A form page asks `judge` what it asks next.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, named_file};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use crate::window::letters::{Wanted, preview};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use kernel::items::{Item, ItemFilter, ItemState, ItemType, ItemVerb, Items, Serves, WorkingCopy};
use kernel::organisations::Organisations;
use kernel::{Access, Fault, Problem, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a page unless asked for otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_catalogue(table);
    add_designing(table);
}

fn add_catalogue(table: &mut Table) {
    let open = Access::Public;
    table.add(
        line("GET /api/v1/items", open, "办事事项", "Items of service")
            .query(&[
                "text: string",
                "organisation: string",
                "serves: string",
                "subject: string",
                "all: boolean",
                "after: string",
                "limit: number",
            ])
            .gives("ItemLines"),
        items,
    );
    table.add(
        line(
            "GET /api/v1/items/subjects",
            open,
            "事项主题",
            "Subjects of items, with how many there are",
        )
        .gives("ItemSubjects"),
        subjects,
    );
    table.add(
        line(
            "GET /api/v1/items/organisations",
            open,
            "有事项的部门",
            "Organisations with items, with how many there are",
        )
        .gives("ItemOffices"),
        offices,
    );
    table.add(
        line(
            "GET /api/v1/items/{item}",
            open,
            "办事指南与表单",
            "An item: its guide and form",
        )
        .query(&["version: number"])
        .gives("Item"),
        item,
    );
    table.add(
        line(
            "GET /api/v1/items/{item}/versions",
            open,
            "事项的各版本",
            "Versions of an item",
        )
        .gives("ItemVersions"),
        versions,
    );
    table.add(
        line(
            "POST /api/v1/items/{item}/judge",
            open,
            "填写检查：还缺什么、有何错误",
            "What is missing or wrong in answers, and what is asked next",
        )
        .takes("ItemAnswers")
        .gives("ItemJudgement"),
        judge,
    );
}

fn add_designing(table: &mut Table) {
    let operate = Access::May(Verb::Operate, "items");
    table.add(
        line(
            "GET /api/v1/items/{item}/copy",
            operate,
            "事项的编辑稿",
            "Working copy of an item",
        )
        .gives("WorkingCopy"),
        copy,
    );
    table.add(
        line(
            "PUT /api/v1/items/{item}/copy",
            operate,
            "保存事项的编辑稿",
            "Save the working copy of an item",
        )
        .takes("ItemCopy")
        .gives("WorkingCopy"),
        save,
    );
    table.add(
        line(
            "GET /api/v1/items/letters",
            operate,
            "事项文书的统一措辞",
            "The city's letters about applications, as an item may word them differently",
        )
        .query(&["type: string"])
        .gives("ItemLetters"),
        letters,
    );
    table.add(
        line(
            "POST /api/v1/items/letters/preview",
            operate,
            "预览事项文书（PDF 样张）",
            "A letter of an item as a sample PDF",
        )
        .takes("ItemLetterPreview")
        .gives("file: application/pdf"),
        letter_preview,
    );
    table.add(
        line(
            "POST /api/v1/items/check",
            operate,
            "检查事项内容",
            "What is wrong with the content of an item",
        )
        .takes("ItemCopy")
        .gives("ItemProblems"),
        check,
    );
    table.add(
        line(
            "POST /api/v1/items/{item}/try",
            operate,
            "试填编辑稿",
            "Try answers on the working copy",
        )
        .takes("ItemAnswers")
        .gives("ItemJudgement"),
        try_out,
    );
    table.add(
        line(
            "POST /api/v1/items/{item}/verbs",
            operate,
            "发布、回退、暂停、恢复、取消事项",
            "Publish, roll back, suspend, resume, cancel an item",
        )
        .takes("ItemVerb")
        .gives("Item"),
        rule,
    );
}

/// Does the caller design items?
fn designs(app: &App, caller: &Caller) -> bool {
    let actor = caller.actor();
    actor.is_ok_and(|actor| {
        app.city
            .policy
            .demand(actor, Verb::Operate, "items")
            .is_ok()
    })
}

async fn items(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let serves = |word: &str| match word {
        "natural" => Some(Serves::Natural),
        "legal" => Some(Serves::Legal),
        "either" => Some(Serves::Either),
        _ => None,
    };
    let filter = ItemFilter {
        text: query.text("text"),
        organisation: query.text("organisation"),
        serves: query.choice("serves", "natural, legal, either", serves),
        subject: query.text("subject"),
        all: query.flag("all").unwrap_or(false),
        after: query.text("after"),
        limit: query.number("limit", 1, PAGE.1, PAGE.0),
    };
    query.finish()?;
    let actor = caller.actor().ok();
    let page = app.items.items(actor, &filter).await?;
    let listing = Listing {
        items: page.rows,
        next: page.next,
        total: page.count.unsigned_abs(),
    };
    Ok(listing.into_response())
}

async fn subjects(State(app): State<Arc<App>>) -> Answer<Response> {
    let found = app.items.subjects().await?;
    let rows = found
        .into_iter()
        .map(|(subject, count)| json!({ "subject": subject, "count": count }));
    Ok(Listing::whole(rows.collect::<Vec<Value>>()).into_response())
}

async fn offices(State(app): State<Arc<App>>) -> Answer<Response> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut filter = ItemFilter {
        limit: PAGE.1,
        ..ItemFilter::default()
    };
    loop {
        let page = app.items.items(None, &filter).await?;
        for line in page.rows {
            *counts.entry(line.organisation).or_default() += 1;
        }
        filter.after = page.next;
        if filter.after.is_none() {
            break;
        }
    }
    let rows = counts.into_iter().map(|(organisation, count)| {
        let known = app.organisations.get(&organisation, None);
        let title = known.map(|known| known.title.clone()).unwrap_or_default();
        json!({ "organisation": organisation, "title": title, "count": count })
    });
    Ok(Listing::whole(rows.collect::<Vec<Value>>()).into_response())
}

async fn item(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(item): Path<String>,
    query: Query,
) -> Answer<Response> {
    let version = query.choice("version", "1, 2 …", |t| {
        t.parse::<i64>().ok().filter(|n| *n > 0)
    });
    query.finish()?;
    let found = app.items.item(&item, version).await?;
    if found.state == ItemState::Drafted && !designs(&app, &caller) {
        return Err(Fault::missing(&item).into());
    }
    Ok(super::output::with_version(found.version, found.as_ref()))
}

async fn versions(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(item): Path<String>,
) -> Answer<Response> {
    let mut versions = app.items.versions(&item).await?;
    if !designs(&app, &caller) {
        versions.retain(|version| version.version > 0);
    }
    if versions.is_empty() {
        return Err(Fault::missing(&item).into());
    }
    Ok(Listing::whole(versions).into_response())
}

async fn letters(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let types = "01, 04, 05, 07, 08, 09, 10, 20";
    let read = |text: &str| serde_json::from_value::<ItemType>(text.into()).ok();
    let kind = query.choice("type", types, read);
    query.finish()?;
    let permit = kind.is_none_or(|kind| kind == ItemType::Permit);
    let found = crate::window::letters::wordings(&app.documents, permit);
    Ok(Listing::whole(found).into_response())
}

async fn letter_preview(
    State(app): State<Arc<App>>,
    Json(wanted): Json<Wanted>,
) -> Answer<Response> {
    let city = &app.city.declared.city.title.zh;
    let drawn = preview(&app.documents, &app.organisations, city, &wanted);
    let name = format!("{}.pdf", wanted.kind);
    Ok(named_file(&name, &name, "application/pdf", drawn.await?))
}

/// Answers somebody has given so far.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    answers: Map<String, Value>,
    /// Also say what is missing.
    #[serde(default)]
    whole: bool,
}

/// What the form asks and what is wrong.
fn judged(app: &App, item: &Item, given: &Answers) -> Response {
    let items = &app.items;
    let answers = items.tidy(item, &given.answers);
    let fees: i64 = items.fees(item, &answers).iter().map(|fee| fee.fen).sum();
    let body = json!({
        "problems": items.judge(item, &answers, given.whole),
        "asked": items.asked(item, &answers),
        "materials": items.materials(item, &answers),
        "fees_fen": fees,
    });
    axum::Json(body).into_response()
}

async fn judge(
    State(app): State<Arc<App>>,
    Path(item): Path<String>,
    Json(given): Json<Answers>,
) -> Answer<Response> {
    let found = app.items.item(&item, None).await?;
    Ok(judged(&app, &found, &given))
}

async fn try_out(
    State(app): State<Arc<App>>,
    Path(item): Path<String>,
    Json(given): Json<Answers>,
) -> Answer<Response> {
    let found = app.items.item(&item, Some(0)).await?;
    Ok(judged(&app, &found, &given))
}

/// A working copy with its digest as ETag.
fn with_digest(copy: &WorkingCopy) -> Response {
    let tag = format!("\"{}\"", copy.digest);
    ([(header::ETAG, tag)], axum::Json(copy)).into_response()
}

async fn copy(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(item): Path<String>,
) -> Answer<Response> {
    let copy = app.items.working_copy(caller.actor()?, &item).await?;
    Ok(with_digest(&copy))
}

/// The content of an item, complete or not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    content: Value,
}

async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(item): Path<String>,
    headers: HeaderMap,
    Json(new): Json<Content>,
) -> Answer<Response> {
    let seen = digest(&headers)?;
    let copy = app
        .items
        .save(caller.actor()?, &item, seen.as_deref(), &new.content)
        .await?;
    Ok(with_digest(&copy))
}

/// The digest a change is based on: `If-Match: "…"`.
fn digest(headers: &HeaderMap) -> Answer<Option<String>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().ok().map(|t| t.trim().trim_matches('"'));
    let text = text.filter(|t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_hexdigit()));
    text.map(|t| Some(t.to_string())).ok_or_else(|| {
        Refusal(Fault::invalid_at(
            "If-Match",
            "应为编辑稿的 ETag",
            "expected the ETag of the working copy",
        ))
    })
}

async fn check(State(app): State<Arc<App>>, Json(new): Json<Content>) -> Answer<Response> {
    let problems = match serde_json::from_value(new.content) {
        Ok(content) => app.items.check(&content).await,
        Err(why) => vec![Problem {
            at: "/content".into(),
            words: kernel::Words::new(
                format!("内容不完整或有不认识的部分：{why}"),
                format!("incomplete, or something is not known: {why}"),
            ),
        }],
    };
    Ok(axum::Json(json!({ "problems": problems })).into_response())
}

async fn rule(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(item): Path<String>,
    Json(verb): Json<ItemVerb>,
) -> Answer<Response> {
    let item = app.items.rule(caller.actor()?, &item, verb).await?;
    Ok(super::output::with_version(item.version, &item))
}
