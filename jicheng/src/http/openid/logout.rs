//! Signing out: an application asks for it (RP-initiated logout), the person confirms it, and the
//! applications of the session are told.

use super::{fault_page, form, send, with_request};
use crate::app::App;
use crate::http::guard::no_session_cookie;
use crate::http::input::Json;
use crate::http::problem::Answer;
use ::openid::{LogoutStep, Params};
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use kernel::Actor;
use kernel::fault::{Fault, FaultKind};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

pub(super) async fn logout_get(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    logout(&app, &Params::read(&query.unwrap_or_default())).await
}

pub(super) async fn logout_post(State(app): State<Arc<App>>, request: Request) -> Response {
    match form(request).await {
        Ok(params) => logout(&app, &params).await,
        Err(error) => fault_page(&Fault::invalid_at(
            "body",
            "请求内容有误",
            error.description,
        )),
    }
}

/// A valid ID token of a session is proof enough that the application speaks for it, and may end
/// it; otherwise the person is asked on a page of our own.
async fn logout(app: &App, params: &Params) -> Response {
    let next = async {
        Ok(match app.openid.logout(params).await? {
            LogoutStep::End {
                session,
                account,
                to,
            } => {
                let by = Actor {
                    account: account.clone(),
                    ..Actor::default()
                };
                match app.identity.revoke(&by, &account, &session).await {
                    Err(fault) if fault.kind != FaultKind::Missing => return Err(fault),
                    _ => {}
                }
                app.openid.session_over(&session).await?;
                deliver_soon(app);
                send(&to.unwrap_or_else(|| "/signed-out".into()))
            }
            LogoutStep::Ask(ask) => {
                let sealed = app.openid.seal_logout(&ask)?;
                send(&with_request("/sign-out", &sealed, &[]))
            }
        })
    };
    next.await.unwrap_or_else(|fault: Fault| fault_page(&fault))
}

/// Delivers logout messages now and not at the job's next time; the job stays responsible.
pub fn deliver_soon(app: &App) {
    let (openid, caller) = (app.openid.clone(), app.caller.clone());
    tokio::spawn(async move {
        if let Err(fault) = openid.deliver(&*caller).await {
            tracing::warn!(%fault, "logout messages were not delivered; the job tries again");
        }
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogoutConfirm {
    #[serde(default)]
    request: Option<String>,
}

pub(super) async fn logout_confirm(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(input): Json<LogoutConfirm>,
) -> Answer<Response> {
    let to = match &input.request {
        Some(sealed) => app.openid.open_logout(sealed)?.to,
        None => None,
    };
    crate::http::session::leave(&app, &headers).await?;
    let gone = [(header::SET_COOKIE, no_session_cookie(&app))];
    Ok((gone, axum::Json(json!({ "to": to }))).into_response())
}
