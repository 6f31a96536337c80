//! The office platform over HTTP: mail between members, notices, circulated documents, the
//! calendar, the directory. Everybody sees what is theirs; the engine asks the policy.

use super::attachments::{self, Attached};
use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::office::{
    Circulations, Folder, NewCirculation, NewEntry, NewMail, NewNotice, Notices, Office, Opinion,
    Readers,
};
use kernel::page::{PAGE_LIMIT, PAGE_USUAL, Page, Part};
use kernel::{Access, Fault, Span, Time, Verb};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

const READ: Access = Access::May(Verb::Read, "office");
const HANDLE: Access = Access::May(Verb::Handle, "office");
const WRITE: Access = Access::May(Verb::Write, "office");
/// Query of every list.
const PAGED: &[&str] = &["after: string", "limit: number"];
/// Days of the calendar shown unless asked for otherwise.
const SHOWN: Span = Span::days(31);

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/office/waiting",
            READ,
            "待阅数",
            "What waits for me",
        )
        .gives("OfficeWaiting"),
        waiting,
    );
    add_mail(table);
    add_notices(table);
    add_circulars(table);
    attachments::add(table);
    add_calendar(table);
    table.add(
        line(
            "GET /api/v1/office/directory",
            READ,
            "通讯录",
            "Directory of members",
        )
        .query(&[
            "words: string",
            "organisation: string",
            "after: string",
            "limit: number",
        ])
        .gives("OfficeMembers"),
        directory,
    );
}

fn add_mail(table: &mut Table) {
    let list = &["folder: string", "after: string", "limit: number"];
    table.add(
        line("GET /api/v1/office/mail", READ, "内部邮件", "Mail")
            .query(list)
            .gives("OfficeMails"),
        mails,
    );
    table.add(
        line(
            "POST /api/v1/office/mail",
            HANDLE,
            "发内部邮件",
            "Send mail",
        )
        .takes("NewOfficeMail")
        .gives("OfficeMail"),
        send_mail,
    );
    table.add(
        line("GET /api/v1/office/mail/{id}", READ, "一封邮件", "A mail").gives("OfficeMail"),
        mail,
    );
    table.add(
        line(
            "GET /api/v1/office/mail/{id}/thread",
            READ,
            "往来邮件",
            "A thread",
        )
        .gives("OfficeMails"),
        thread,
    );
    table.add(
        line(
            "GET /api/v1/office/mail/{id}/receipts",
            READ,
            "谁已读",
            "Who has read a mail",
        )
        .query(PAGED)
        .gives("OfficeReceipts"),
        receipts,
    );
    table.add(
        line(
            "POST /api/v1/office/mail/{id}/recall",
            HANDLE,
            "撤回邮件",
            "Take a mail back",
        )
        .gives("OfficeRecalled"),
        recall,
    );
}

fn add_notices(table: &mut Table) {
    let list = &["which: string", "after: string", "limit: number"];
    table.add(
        line(
            "GET /api/v1/office/notices",
            READ,
            "通知公告",
            "Notices for me",
        )
        .query(list)
        .gives("OfficeNotices"),
        notices,
    );
    table.add(
        line(
            "POST /api/v1/office/notices",
            WRITE,
            "发布通知",
            "Publish a notice",
        )
        .takes("NewOfficeNotice")
        .gives("OfficeNotice"),
        publish,
    );
    table.add(
        line(
            "GET /api/v1/office/notices/{id}",
            READ,
            "一份通知",
            "A notice",
        )
        .gives("OfficeNotice"),
        notice,
    );
    table.add(
        line(
            "POST /api/v1/office/notices/{id}/confirm",
            READ,
            "确认已读",
            "Confirm a notice",
        )
        .gives("OfficeNotice"),
        confirm,
    );
    table.add(
        line(
            "GET /api/v1/office/notices/{id}/readers",
            READ,
            "阅读情况",
            "Who has read a notice",
        )
        .query(list)
        .gives("OfficeReceipts"),
        readers,
    );
    table.add(
        line(
            "POST /api/v1/office/notices/{id}/withdraw",
            WRITE,
            "撤回通知",
            "Withdraw a notice",
        )
        .takes("Reason")
        .gives("OfficeNotice"),
        withdraw_notice,
    );
    let open = Access::Public;
    table.add(
        line(
            "GET /api/v1/notices",
            open,
            "对外公告",
            "Notices to the public",
        )
        .query(PAGED)
        .gives("OfficeNotices"),
        public_notices,
    );
    table.add(
        line(
            "GET /api/v1/notices/{id}",
            open,
            "一份公告",
            "A notice to the public",
        )
        .gives("OfficeNotice"),
        public_notice,
    );
}

fn add_circulars(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/office/circulars",
            READ,
            "公文传阅",
            "Circulated documents",
        )
        .query(&["which: string", "after: string", "limit: number"])
        .gives("OfficeCirculations"),
        circulars,
    );
    table.add(
        line(
            "POST /api/v1/office/circulars",
            HANDLE,
            "发起传阅、会签",
            "Circulate a document",
        )
        .takes("NewCirculation")
        .gives("Circulation"),
        circulate,
    );
    table.add(
        line(
            "GET /api/v1/office/circulars/{id}",
            READ,
            "一份传阅件",
            "A circulated document",
        )
        .gives("Circulation"),
        circular,
    );
    table.add(
        line(
            "POST /api/v1/office/circulars/{id}/sign",
            HANDLE,
            "签阅",
            "Sign a circulated document",
        )
        .takes("CirculationOpinion")
        .gives("Circulation"),
        sign,
    );
    table.add(
        line(
            "POST /api/v1/office/circulars/{id}/urge",
            HANDLE,
            "催阅",
            "Urge the readers",
        )
        .gives("OfficeUrged"),
        urge,
    );
    table.add(
        line(
            "POST /api/v1/office/circulars/{id}/withdraw",
            HANDLE,
            "收回传阅件",
            "Withdraw a document",
        )
        .takes("Reason")
        .gives("Circulation"),
        withdraw_circular,
    );
}

fn add_calendar(table: &mut Table) {
    let list = &["from: time", "to: time"];
    table.add(
        line("GET /api/v1/office/calendar", READ, "日程", "Calendar")
            .query(list)
            .gives("CalendarEntries"),
        entries,
    );
    table.add(
        line(
            "GET /api/v1/office/calendar.ics",
            READ,
            "日程（iCalendar）",
            "Calendar as iCalendar (RFC 5545)",
        )
        .query(list),
        icalendar,
    );
    table.add(
        line(
            "POST /api/v1/office/calendar",
            HANDLE,
            "新建日程",
            "Add to the calendar",
        )
        .takes("NewCalendarEntry")
        .gives("CalendarEntry"),
        add_entry,
    );
    table.add(
        line(
            "PUT /api/v1/office/calendar/{id}",
            HANDLE,
            "修改日程",
            "Change an entry",
        )
        .takes("NewCalendarEntry")
        .gives("CalendarEntry"),
        change_entry,
    );
    table.add(
        line(
            "POST /api/v1/office/calendar/{id}/cancel",
            HANDLE,
            "取消日程",
            "Cancel an entry",
        )
        .gives("CalendarEntry"),
        cancel_entry,
    );
    table.add(
        line(
            "POST /api/v1/office/calendar/{id}/answer",
            HANDLE,
            "是否参加",
            "Answer an invitation",
        )
        .takes("CalendarAnswer")
        .gives("CalendarEntry"),
        answer,
    );
}

/// Which part of a list a query asks for.
pub fn part(query: &Query) -> Part {
    let limit = query.number("limit", 1, PAGE_LIMIT as usize, PAGE_USUAL as usize);
    Part {
        after: query.text("after"),
        limit: Some(limit as u64),
    }
}

/// A page as lists are answered.
pub fn listing<T: Serialize>(page: Page<T>) -> Response {
    let listing = Listing {
        items: page.items,
        next: page.next,
        total: page.total,
    };
    listing.into_response()
}

/// One of a few words, or the usual one.
fn one<T: Default + for<'a> Deserialize<'a>>(query: &Query, name: &str, words: &str) -> T {
    let parse = |word: &str| serde_json::from_value(word.into()).ok();
    query.choice(name, words, parse).unwrap_or_default()
}

fn json_of<T: Serialize>(body: &T) -> Answer<Response> {
    Ok(axum::Json(body).into_response())
}

fn made<T: Serialize>(body: &T) -> Answer<Response> {
    Ok((StatusCode::CREATED, axum::Json(body)).into_response())
}

/// Why something is withdrawn.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words.
    pub reason: String,
}

async fn waiting(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    json_of(&app.office.waiting(caller.actor()?).await?)
}

async fn mails(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let folder: Folder = one(&query, "folder", "inbox, unread, sent");
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.office.mails(caller.actor()?, folder, &part).await?,
    ))
}

async fn send_mail(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewMail>,
) -> Answer<Response> {
    let mail = app.office.send_mail(caller.actor()?, new).await?;
    attachments::keep(&app, &mail.files).await?;
    made(&mail)
}

async fn mail(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let mail = app.office.mail(caller.actor()?, &id).await?;
    json_of(&Attached::to(&app, &mail, &mail.files).await?)
}

async fn thread(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let mut found = vec![];
    for mail in app.office.thread(caller.actor()?, &id).await? {
        let files = mail.files.clone();
        found.push(Attached::to(&app, mail, &files).await?);
    }
    Ok(Listing::whole(found).into_response())
}

async fn receipts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.office.receipts(caller.actor()?, &id, &part).await?,
    ))
}

async fn recall(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    json_of(&app.office.recall(caller.actor()?, &id).await?)
}

async fn notices(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let which: Notices = one(&query, "which", "mine, unread, published");
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.office.notices(caller.actor()?, which, &part).await?,
    ))
}

async fn publish(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewNotice>,
) -> Answer<Response> {
    let notice = app.office.publish(caller.actor()?, new).await?;
    attachments::keep(&app, &notice.files).await?;
    made(&notice)
}

async fn notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let notice = app.office.notice(caller.actor()?, &id).await?;
    json_of(&Attached::to(&app, &notice, &notice.files).await?)
}

async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    json_of(&app.office.confirm(caller.actor()?, &id).await?)
}

async fn readers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Answer<Response> {
    let which: Readers = one(&query, "which", "read, unread");
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.office
            .readers(caller.actor()?, &id, which, &part)
            .await?,
    ))
}

async fn withdraw_notice(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Answer<Response> {
    json_of(
        &app.office
            .withdraw_notice(caller.actor()?, &id, &why.reason)
            .await?,
    )
}

async fn public_notices(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let part = part(&query);
    query.finish()?;
    Ok(listing(app.office.public_notices(&part).await?))
}

async fn public_notice(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer<Response> {
    let notice = app.office.public_notice(&id).await?;
    json_of(&Attached::to(&app, &notice, &notice.files).await?)
}

async fn circulars(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let which: Circulations = one(&query, "which", "todo, done, sent");
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.office
            .circulations(caller.actor()?, which, &part)
            .await?,
    ))
}

async fn circulate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewCirculation>,
) -> Answer<Response> {
    let circular = app.office.circulate(caller.actor()?, new).await?;
    attachments::keep(&app, &circular.files).await?;
    made(&circular)
}

async fn circular(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let circular = app.office.circulation(caller.actor()?, &id).await?;
    json_of(&Attached::to(&app, &circular, &circular.files).await?)
}

async fn sign(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(opinion): Json<Opinion>,
) -> Answer<Response> {
    json_of(&app.office.sign(caller.actor()?, &id, opinion).await?)
}

async fn urge(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let urged = app.office.urge(caller.actor()?, &id).await?;
    json_of(&json!({ "urged": urged }))
}

async fn withdraw_circular(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    json_of(
        &app.office
            .withdraw_circulation(actor, &id, &why.reason)
            .await?,
    )
}

fn period(app: &App, query: &Query) -> (Time, Time) {
    let from = query.time("from").unwrap_or(app.city.clock.now());
    (from, query.time("to").unwrap_or(from + SHOWN))
}

async fn entries(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let (from, to) = period(&app, &query);
    query.finish()?;
    let entries = app.office.entries(caller.actor()?, from, to).await?;
    Ok(Listing::whole(entries).into_response())
}

async fn icalendar(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let (from, to) = period(&app, &query);
    query.finish()?;
    let text = app.office.icalendar(caller.actor()?, from, to).await?;
    let kind = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
    Ok((kind, text).into_response())
}

async fn add_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewEntry>,
) -> Answer<Response> {
    made(&app.office.add_entry(caller.actor()?, new).await?)
}

async fn change_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewEntry>,
) -> Answer<Response> {
    let seen = if_match(&headers)?
        .ok_or_else(|| Fault::invalid_at("If-Match", "缺少版本号", "the version is missing"))?;
    let entry = app
        .office
        .change_entry(caller.actor()?, &id, new, seen)
        .await?;
    Ok(with_version(entry.version, &entry))
}

async fn cancel_entry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    json_of(&app.office.cancel_entry(caller.actor()?, &id).await?)
}

/// Does an invited person come?
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Coming {
    comes: bool,
}

async fn answer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(coming): Json<Coming>,
) -> Answer<Response> {
    json_of(
        &app.office
            .answer(caller.actor()?, &id, coming.comes)
            .await?,
    )
}

async fn directory(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let words = query.text("words").unwrap_or_default();
    let organisation = query.text("organisation");
    let part = part(&query);
    query.finish()?;
    let actor = caller.actor()?;
    let page = app
        .office
        .directory(actor, &words, organisation.as_deref(), &part)
        .await?;
    Ok(listing(page))
}
