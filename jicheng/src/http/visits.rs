//! Service halls over HTTP: what a hall is, free times, appointments, queue numbers, the windows'
//! calls, the public board. The board and the list of halls name nobody.

use super::guard::Caller;
use super::input::{Json, Query};
use super::office::{listing, part};
use super::output::{Listing, if_match, with_version};
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kernel::numbers::Day;
use kernel::visits::{NewAppointment, NewHall, NewTicket, TicketAct, Visits};
use kernel::{Access, Fault, Verb};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const PAGED: &[&str] = &["after: string", "limit: number"];
const HANDLE: Access = Access::May(Verb::Handle, "visits");

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_halls(table);
    add_visitors(table);
    add_windows(table);
}

fn add_halls(table: &mut Table) {
    let open = Access::Public;
    table.add(
        line("GET /api/v1/halls", open, "政务服务大厅", "Service halls")
            .query(PAGED)
            .gives("Halls"),
        halls,
    );
    table.add(
        line("GET /api/v1/halls/{hall}", open, "一个大厅", "A hall").gives("Hall"),
        hall,
    );
    table.add(
        line(
            "PUT /api/v1/halls/{hall}",
            Access::May(Verb::Operate, "visits"),
            "设置大厅：窗口、事项、开放时间",
            "Set a hall: windows, matters, hours",
        )
        .takes("NewHall")
        .gives("Hall"),
        set_hall,
    );
    table.add(
        line(
            "GET /api/v1/halls/{hall}/slots",
            open,
            "可预约时段",
            "Free times",
        )
        .query(&["matter: string (required)", "day: string (required)"])
        .gives("Slots"),
        slots,
    );
    table.add(
        line(
            "GET /api/v1/halls/{hall}/board",
            open,
            "叫号屏",
            "Who is called now",
        )
        .gives("Board"),
        board,
    );
    table.add(
        line(
            "GET /api/v1/halls/{hall}/queue",
            HANDLE,
            "排队情况",
            "The queue",
        )
        .query(PAGED)
        .gives("Tickets"),
        queue,
    );
    table.add(
        line(
            "GET /api/v1/halls/{hall}/figures",
            Access::May(Verb::Read, "visits"),
            "大厅统计",
            "Figures of a hall",
        )
        .query(&["from: string", "to: string"])
        .gives("WindowFiguresList"),
        figures,
    );
    table.add(
        line(
            "GET /api/v1/halls/{hall}/appointments",
            HANDLE,
            "一天的预约",
            "Appointments of a day",
        )
        .query(&["day: string", "after: string", "limit: number"])
        .gives("VisitAppointments"),
        appointments,
    );
}

fn add_visitors(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line("POST /api/v1/visits", own, "预约", "Book a time")
            .takes("NewVisitAppointment")
            .gives("VisitAppointment"),
        book,
    );
    table.add(
        line("GET /api/v1/me/visits", own, "我的预约", "My appointments")
            .query(PAGED)
            .gives("VisitAppointments"),
        mine,
    );
    table.add(
        line(
            "POST /api/v1/visits/{id}/cancel",
            own,
            "取消预约",
            "Give a time back",
        )
        .gives("VisitAppointment"),
        cancel,
    );
    table.add(
        line(
            "POST /api/v1/visits/{id}/no-show",
            HANDLE,
            "未到",
            "Nobody came",
        )
        .gives("VisitAppointment"),
        no_show,
    );
    table.add(
        line("POST /api/v1/tickets", own, "取号", "Take a number")
            .takes("NewTicket")
            .gives("Ticket"),
        take,
    );
    table.add(
        line(
            "GET /api/v1/tickets/{id}",
            Access::Public,
            "我的号",
            "A number and who is before it",
        )
        .gives("Ticket"),
        ticket,
    );
    table.add(
        line(
            "POST /api/v1/halls/{hall}/check-in",
            own,
            "预约签到",
            "Check in with an appointment",
        )
        .takes("CheckIn")
        .gives("Ticket"),
        check_in,
    );
}

fn add_windows(table: &mut Table) {
    table.add(
        line(
            "GET /api/v1/halls/{hall}/windows/{window}",
            HANDLE,
            "窗口正在办理",
            "What a window has in hand",
        )
        .gives("TicketInHand"),
        in_hand,
    );
    table.add(
        line(
            "POST /api/v1/halls/{hall}/windows/{window}/call",
            HANDLE,
            "叫下一位",
            "Call the next",
        )
        .gives("TicketInHand"),
        call,
    );
    table.add(
        line(
            "POST /api/v1/halls/{hall}/windows/{window}/tickets/{id}",
            HANDLE,
            "重呼、过号、开始、办结、转窗口",
            "Call again, skip, start, finish, transfer",
        )
        .takes("TicketAct")
        .gives("Ticket"),
        act,
    );
}

/// A day of a query; the day of today when it is not said.
fn day(app: &App, query: &Query, name: &str) -> Day {
    let today = Day::of(app.city.clock.now());
    query
        .choice(name, "2026-11-25", Day::parse)
        .unwrap_or(today)
}

async fn halls(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let part = part(&query);
    query.finish()?;
    Ok(listing(app.visits.halls(&part).await?))
}

async fn hall(State(app): State<Arc<App>>, Path(hall): Path<String>) -> Answer<Response> {
    let hall = app.visits.hall(&hall).await?;
    Ok(with_version(hall.version, &hall))
}

async fn set_hall(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hall): Path<String>,
    headers: HeaderMap,
    Json(new): Json<NewHall>,
) -> Answer<Response> {
    if new.code != hall {
        let (zh, en) = ("与地址中的编号不一致", "another code than in the address");
        return Err(Fault::invalid_at("code", zh, en).into());
    }
    let seen = if_match(&headers)?.unwrap_or(0);
    let hall = app.visits.set_hall(caller.actor()?, new, seen).await?;
    Ok(with_version(hall.version, &hall))
}

async fn slots(
    State(app): State<Arc<App>>,
    Path(hall): Path<String>,
    query: Query,
) -> Answer<Response> {
    let (matter, wanted) = (query.demand("matter"), query.demand("day"));
    let day = day(&app, &query, "day");
    query.finish()?;
    debug_assert!(!wanted.is_empty());
    let slots = app.visits.slots(&hall, &matter, day).await?;
    Ok(Listing::whole(slots).into_response())
}

async fn board(State(app): State<Arc<App>>, Path(hall): Path<String>) -> Answer<Response> {
    Ok(axum::Json(app.visits.board(&hall).await?).into_response())
}

async fn queue(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hall): Path<String>,
    query: Query,
) -> Answer<Response> {
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.visits.queue(caller.actor()?, &hall, &part).await?,
    ))
}

async fn figures(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hall): Path<String>,
    query: Query,
) -> Answer<Response> {
    let (from, to) = (day(&app, &query, "from"), day(&app, &query, "to"));
    query.finish()?;
    let rows = app.visits.figures(caller.actor()?, &hall, from, to).await?;
    Ok(Listing::whole(rows).into_response())
}

async fn appointments(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hall): Path<String>,
    query: Query,
) -> Answer<Response> {
    let (day, part) = (day(&app, &query, "day"), part(&query));
    query.finish()?;
    let page = app
        .visits
        .appointments(caller.actor()?, &hall, day, &part)
        .await?;
    Ok(listing(page))
}

async fn book(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewAppointment>,
) -> Answer<Response> {
    let booked = app.visits.book(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(booked)).into_response())
}

async fn mine(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let part = part(&query);
    query.finish()?;
    Ok(listing(app.visits.mine(caller.actor()?, &part).await?))
}

async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    Ok(axum::Json(app.visits.cancel(caller.actor()?, &id).await?).into_response())
}

async fn no_show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    Ok(axum::Json(app.visits.no_show(caller.actor()?, &id).await?).into_response())
}

async fn take(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(new): Json<NewTicket>,
) -> Answer<Response> {
    let ticket = app.visits.take(caller.actor()?, new).await?;
    Ok((StatusCode::CREATED, axum::Json(ticket)).into_response())
}

async fn ticket(State(app): State<Arc<App>>, Path(id): Path<String>) -> Answer<Response> {
    Ok(axum::Json(app.visits.ticket(&id).await?).into_response())
}

/// The code of an appointment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckIn {
    code: String,
}

async fn check_in(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(hall): Path<String>,
    Json(given): Json<CheckIn>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let ticket = app.visits.check_in(actor, &hall, &given.code).await?;
    Ok(axum::Json(ticket).into_response())
}

async fn in_hand(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((hall, window)): Path<(String, String)>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let ticket = app.visits.in_hand(actor, &hall, &window).await?;
    Ok(axum::Json(json!({ "ticket": ticket })).into_response())
}

async fn call(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((hall, window)): Path<(String, String)>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let ticket = app.visits.call_next(actor, &hall, &window).await?;
    Ok(axum::Json(json!({ "ticket": ticket })).into_response())
}

async fn act(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((_, window, id)): Path<(String, String, String)>,
    Json(act): Json<TicketAct>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let ticket = app.visits.act(actor, &window, &id, act).await?;
    Ok(axum::Json(ticket).into_response())
}
