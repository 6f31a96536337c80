//! Messages over HTTP: one's own inbox (站内信), and for operators what the city sent or could not
//! send by short message and e-mail, with the texts it is worded by.

use super::guard::Caller;
use super::input::{Json, Query};
use super::office::{Reason, listing, part};
use super::output::if_match;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use kernel::messages::{
    Channel, InboxFilter, MessageFilter, MessageState, Messages, NewTemplate, Which,
};
use kernel::{Access, Fault, Verb};
use serde_json::json;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let own = Access::SignedIn;
    table.add(
        line("GET /api/v1/messages", own, "我的消息", "My messages")
            .query(&["unread: boolean", "after: string", "limit: number"])
            .gives("InboxEntries"),
        inbox,
    );
    table.add(
        line(
            "GET /api/v1/messages/unread",
            own,
            "未读消息数",
            "How many are unread",
        )
        .gives("Unread"),
        unread,
    );
    table.add(
        line(
            "POST /api/v1/messages/read",
            own,
            "标为已读",
            "Mark as read",
        )
        .takes("WhichMessages")
        .gives("Unread"),
        read,
    );
    let operate = Access::May(Verb::Operate, "messages");
    table.add(
        line(
            "GET /api/v1/outgoing",
            operate,
            "外发消息",
            "Messages on their way out",
        )
        .query(&[
            "state: string",
            "channel: string",
            "about: string",
            "after: string",
            "limit: number",
        ])
        .gives("OutgoingMessages"),
        outgoing,
    );
    table.add(
        line(
            "GET /api/v1/outgoing/counts",
            operate,
            "外发消息统计",
            "How many stand where",
        )
        .gives("MessageCounts"),
        counts,
    );
    table.add(
        line(
            "POST /api/v1/outgoing/{id}/retry",
            operate,
            "重新发送",
            "Try once more",
        )
        .gives("MessageRow"),
        retry,
    );
    table.add(
        line(
            "POST /api/v1/outgoing/{id}/give-up",
            operate,
            "放弃发送",
            "Give up",
        )
        .takes("Reason")
        .gives("MessageRow"),
        give_up,
    );
    table.add(
        line(
            "GET /api/v1/message-templates",
            operate,
            "消息模板",
            "Texts of messages",
        )
        .query(&["after: string", "limit: number"])
        .gives("MessageTemplates"),
        templates,
    );
    table.add(
        line(
            "PUT /api/v1/message-templates",
            operate,
            "修改消息模板",
            "Change the text of a message",
        )
        .takes("NewMessageTemplate")
        .gives("MessageTemplate"),
        put_template,
    );
}

async fn inbox(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let part = part(&query);
    let filter = InboxFilter {
        unread: query.flag("unread").unwrap_or(false),
        after: part.after,
        limit: part.limit,
    };
    query.finish()?;
    Ok(listing(app.messages.inbox(caller.actor()?, &filter).await?))
}

async fn unread(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    let unread = app.messages.unread(caller.actor()?).await?;
    Ok(axum::Json(json!({ "unread": unread })).into_response())
}

async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(which): Json<Which>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    app.messages.mark_read(actor, &which).await?;
    let unread = app.messages.unread(actor).await?;
    Ok(axum::Json(json!({ "unread": unread })).into_response())
}

async fn outgoing(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let part = part(&query);
    let states = "queued, sending, sent, failed, given_up";
    let filter = MessageFilter {
        state: query.choice("state", states, MessageState::parse),
        channel: query.choice("channel", "sms, email, inbox", Channel::parse),
        about: query.text("about"),
        after: part.after,
        limit: part.limit,
    };
    query.finish()?;
    Ok(listing(app.messages.list(caller.actor()?, &filter).await?))
}

async fn counts(State(app): State<Arc<App>>, caller: Caller) -> Answer<Response> {
    Ok(axum::Json(app.messages.counts(caller.actor()?).await?).into_response())
}

async fn retry(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer<Response> {
    Ok(axum::Json(app.messages.retry(caller.actor()?, &id).await?).into_response())
}

async fn give_up(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(why): Json<Reason>,
) -> Answer<Response> {
    let row = app
        .messages
        .give_up(caller.actor()?, &id, &why.reason)
        .await?;
    Ok(axum::Json(row).into_response())
}

async fn templates(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let part = part(&query);
    query.finish()?;
    Ok(listing(
        app.messages.templates(caller.actor()?, &part).await?,
    ))
}

async fn put_template(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(new): Json<NewTemplate>,
) -> Answer<Response> {
    let seen = if_match(&headers)?
        .ok_or_else(|| Fault::invalid_at("If-Match", "缺少版本号", "the version is missing"))?;
    let template = app
        .messages
        .put_template(caller.actor()?, new, seen)
        .await?;
    Ok(super::output::with_version(template.version, &template))
}
