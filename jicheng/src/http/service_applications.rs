//! Applications for items of service over HTTP (办件): drafts, handing in, what clerks and
//! applicants do, progress without sign-in, figures. Whose application somebody may see is the
//! engine's to say: one that is not theirs is not there.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, if_match, with_version};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::applications::{
    ApplicationFilter, ApplicationState, Applications, Clerk, DraftChange, NewDraft, Own,
};
use kernel::documents::Documents;
use kernel::items::Channel;
use kernel::metering::{Meter, Meters, Payer};
use kernel::{Access, Fault, Span, Verb};
use serde::Deserialize;
use std::sync::Arc;

/// Rows of a page unless asked for otherwise, and at most.
const PAGE: (usize, usize) = (50, 200);
/// A period of figures reaches over so many days at most.
const FIGURES_DAYS: i64 = 400;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_drafts(table);
    add_applications(table);
    add_set_aside(table);
    let open = Access::Public;
    table.add(
        line(
            "GET /api/v1/progress",
            open,
            "凭办件编号和查询码查询进度",
            "Progress by number and check code",
        )
        .query(&["number: string (required)", "check: string (required)"])
        .gives("Progress"),
        progress,
    );
    table.add(
        line(
            "GET /api/v1/service-figures",
            open,
            "政务服务指标：网办率、最多跑一次、按时办结、好评",
            "Figures of the service by organisation",
        )
        .query(&["from: time", "to: time"])
        .gives("ServiceFiguresList"),
        figures,
    );
    table.add(
        line(
            "POST /api/v1/payments/callback",
            open,
            "缴费结果通知（签名）",
            "A payment service says that a bill was paid (signed)",
        )
        .takes("PaymentNotice"),
        paid,
    );
}

fn add_drafts(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line("POST /api/v1/drafts", own, "开始申请", "Begin a draft")
            .takes("NewDraft")
            .gives("Draft"),
        begin,
    );
    table.add(
        line("GET /api/v1/drafts", own, "我的草稿", "My drafts").gives("DraftLines"),
        drafts,
    );
    table.add(
        line("GET /api/v1/drafts/{id}", own, "草稿", "A draft").gives("Draft"),
        draft,
    );
    table.add(
        line("PATCH /api/v1/drafts/{id}", own, "保存草稿", "Save a draft")
            .takes("DraftChange")
            .gives("Draft"),
        save,
    );
    table.add(
        line(
            "DELETE /api/v1/drafts/{id}",
            own,
            "删除草稿",
            "Forget a draft",
        ),
        discard,
    );
    table.add(
        line(
            "POST /api/v1/drafts/{id}/submit",
            own,
            "提交申请",
            "Hand a draft in",
        )
        .gives("ApplicationReceipt"),
        submit,
    );
}

fn add_applications(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line(
            "GET /api/v1/service-applications",
            own,
            "办件",
            "Applications one may see",
        )
        .query(&[
            "mine: boolean",
            "state: string",
            "item: string",
            "organisation: string",
            "channel: string",
            "text: string",
            "undelivered: boolean",
            "unanswered: boolean",
            "after: string",
            "limit: number",
        ])
        .gives("ServiceApplications"),
        applications,
    );
    table.add(
        line(
            "GET /api/v1/service-applications/{id}",
            own,
            "一件申请",
            "An application",
        )
        .gives("ServiceApplicationFile"),
        application,
    );
    table.add(
        line(
            "POST /api/v1/service-applications/{id}/own",
            own,
            "申请人：补正、撤回、评价",
            "The applicant supplies, takes back, rates",
        )
        .takes("ApplicantVerb")
        .gives("ServiceApplication"),
        act,
    );
    table.add(
        line(
            "POST /api/v1/service-applications/{id}/handle",
            own,
            "受理人员：受理、补正告知、不予受理、转办、送达、收费、答复差评",
            "A clerk accepts, says what is missing, refuses, transfers, delivers, answers",
        )
        .takes("ClerkVerb")
        .gives("ServiceApplication"),
        handle,
    );
    table.add(
        line(
            "GET /api/v1/service-applications/{id}/letters/{file}",
            own,
            "文书（签名的 PDF）",
            "A letter of the office, a signed PDF",
        ),
        letter,
    );
}

fn add_set_aside(table: &mut Table) {
    let operate = Access::May(Verb::Operate, "service_applications");
    table.add(
        line(
            "GET /api/v1/service-applications/set-aside",
            operate,
            "多次失败而搁置的后续工作",
            "Work after a change that failed too often and was set aside",
        )
        .query(&["limit: number"])
        .gives("ApplicationSetAsideList"),
        set_aside,
    );
    table.add(
        line(
            "POST /api/v1/service-applications/set-aside/{id}/retry",
            operate,
            "再试一次",
            "Try work set aside once more",
        ),
        retry,
    );
}

async fn set_aside(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let limit = query.number("limit", 1, PAGE.1, PAGE.0);
    query.finish()?;
    let found = app.applications.set_aside(caller.actor()?, limit).await?;
    Ok(Listing::whole(found).into_response())
}

async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    app.applications.try_again(caller.actor()?, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewDraft>,
) -> Answer<Response> {
    let draft = app.applications.begin(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, with_version(draft.version, &draft)).into_response())
}

async fn drafts(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    Ok(Listing::whole(app.applications.drafts(caller.actor()?).await?).into_response())
}

async fn draft(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let draft = app.applications.draft(caller.actor()?, &id).await?;
    Ok(with_version(draft.version, &draft))
}

async fn save(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(change): Json<DraftChange>,
) -> Answer<Response> {
    let seen = if_match(&headers)?;
    let draft = app
        .applications
        .save(caller.actor()?, &id, seen, change)
        .await?;
    Ok(with_version(draft.version, &draft))
}

async fn discard(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    app.applications.discard(caller.actor()?, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn submit(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let receipt = app.applications.submit(actor, &id).await?;
    app.metering.count(Payer::of(Some(actor)), Meter::Cases, 1);
    Ok((StatusCode::CREATED, axum::Json(receipt)).into_response())
}

fn channel(word: &str) -> Option<Channel> {
    serde_json::from_value(word.into()).ok()
}

async fn applications(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
) -> Answer<Response> {
    let states =
        "submitted, correction, not_accepted, accepted, approved, refused, withdrawn, terminated";
    let filter = ApplicationFilter {
        mine: query.flag("mine").unwrap_or(false),
        states: query.choices("state", states, ApplicationState::parse),
        item: query.text("item"),
        organisation: query.text("organisation"),
        channel: query.choice("channel", "web, phone, counter, terminal, hotline", channel),
        text: query.text("text"),
        undelivered: query.flag("undelivered").unwrap_or(false),
        unanswered: query.flag("unanswered").unwrap_or(false),
        after: query.text("after"),
        limit: query.number("limit", 1, PAGE.1, PAGE.0),
    };
    query.finish()?;
    let page = app
        .applications
        .applications(caller.actor()?, &filter)
        .await?;
    let listing = Listing {
        items: page.rows,
        next: page.next,
        total: page.count.unsigned_abs(),
    };
    Ok(listing.into_response())
}

async fn application(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    let file = app.applications.application(caller.actor()?, &id).await?;
    Ok(with_version(file.application.version, &file))
}

async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(verb): Json<Own>,
) -> Answer<Response> {
    let seen = if_match(&headers)?;
    let application = app
        .applications
        .own(caller.actor()?, &id, seen, verb)
        .await?;
    Ok(with_version(application.version, &application))
}

async fn handle(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(verb): Json<Clerk>,
) -> Answer<Response> {
    let seen = if_match(&headers)?;
    let application = app
        .applications
        .handle(caller.actor()?, &id, seen, verb)
        .await?;
    Ok(with_version(application.version, &application))
}

async fn letter(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((id, file)): Path<(String, String)>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    app.applications.may_read_file(actor, &id, &file).await?;
    let found = app.documents.get(actor, &file).await?;
    Ok(super::uploads::file(&found))
}

async fn progress(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let (number, check) = (query.demand("number"), query.demand("check"));
    query.finish()?;
    let progress = app.applications.progress(&number, &check).await?;
    Ok(axum::Json(progress).into_response())
}

async fn figures(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let now = app.city.clock.now();
    let to = query.time("to").unwrap_or(now);
    let from = query.time("from").unwrap_or(to - Span::days(30));
    query.finish()?;
    if from.0 >= to.0 || to.0 - from.0 > Span::days(FIGURES_DAYS).0 {
        return Err(Refusal(Fault::invalid_at(
            "from",
            format!("起止时间有误，或超过 {FIGURES_DAYS} 天"),
            format!("the period must end after it begins and last {FIGURES_DAYS} days at most"),
        )));
    }
    let nobody = kernel::Actor::default();
    let actor = caller.actor().unwrap_or(&nobody);
    let rows = app.applications.figures(actor, from, to).await?;
    Ok(Listing::whole(rows).into_response())
}

/// What a payment service says. The signature is HMAC-SHA256 over `bill\nfen\nreference` with the
/// secret of the configuration, hexadecimal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentNotice {
    bill: String,
    fen: i64,
    reference: String,
    signature: String,
}

async fn paid(State(app): State<Arc<App>>, Json(notice): Json<PaymentNotice>) -> Answer<Response> {
    let signed = format!("{}\n{}\n{}", notice.bill, notice.fen, notice.reference);
    let secret = app.config.text("payment_secret");
    if secret.is_empty() || !crate::payments::is_signed(secret, &signed, &notice.signature) {
        return Err(Refusal(Fault::new(
            kernel::fault::FaultKind::Denied,
            "access.denied",
            "签名不正确，或未配置缴费服务",
            "the signature is wrong, or no payment service is configured",
        )));
    }
    app.applications
        .paid(&notice.bill, notice.fen, &notice.reference)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
