//! Signing in through a provider in front of this city, and the operator's register of those.
//!
//! The way back from a provider is a request another site starts, so the `Strict` session cookie
//! does not come along; what binds it to the browser that began is a cookie of its own, `Lax`,
//! sealed, for this path and ten minutes. It gives no rights: it only opens what was asked.

use super::guard::{Caller, From, session_cookies};
use super::input::{Json, Query};
use super::openid::{bounce, fault_page, send, visitor};
use super::output::Listing;
use super::problem::Answer;
use super::table::{Table, line};
use crate::app::App;
use ::openid::{Arrival, Params, UpstreamSpec};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Actor, Verb};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Name of the cookie that a sign-in under way is bound to its browser by.
const COOKIE: &str = "jicheng_upstream";

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let open = Access::Public;
    let operate = Access::May(Verb::Operate, "applications");
    table.add(
        line(
            "GET /api/v1/session/providers",
            open,
            "可用的外部登录",
            "Providers one may sign in through",
        )
        .gives("ProviderChoices"),
        choices,
    );
    table.add(
        line(
            "GET /oauth2/upstream/{id}",
            open,
            "前往外部登录",
            "Go to a provider to sign in",
        )
        .query(&["then: text", "link: boolean"]),
        begin,
    );
    table.add(
        line(
            "GET /oauth2/upstream/{id}/callback",
            open,
            "从外部登录返回",
            "Back from a provider",
        ),
        back,
    );
    table.add(
        line(
            "GET /api/v1/operator/providers",
            operate,
            "外部登录服务",
            "Providers in front of the city",
        )
        .gives("ProviderList"),
        list,
    );
    table.add(
        line(
            "PUT /api/v1/operator/providers/{id}",
            operate,
            "设置外部登录服务",
            "Set up a provider",
        )
        .takes("ProviderChange")
        .gives("Provider"),
        put,
    );
    table.add(
        line(
            "POST /api/v1/operator/providers/{id}/links",
            Access::May(Verb::Operate, "accounts"),
            "关联账号与外部身份",
            "Link an account to an identity there",
        )
        .takes("ProviderLink"),
        link,
    );
}

async fn choices(State(app): State<Arc<App>>) -> Answer<Response> {
    let all = app.openid.upstreams().await?;
    let offered = all.into_iter().filter(|one| !one.disabled);
    let items: Vec<Value> = offered
        .map(|one| json!({ "id": one.id, "name": one.spec.name }))
        .collect();
    Ok(Listing::whole(items).into_response())
}

/// The cookie of a sign-in under way; empty takes it away.
fn bound(app: &App, value: &str) -> String {
    let secure = if app.openid.issuer().starts_with("https://") {
        "; Secure"
    } else {
        ""
    };
    let age = if value.is_empty() { 0 } else { 600 };
    format!(
        "{COOKIE}={value}; Path=/oauth2/upstream; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"
    )
}

/// The cookie as the browser brought it.
fn brought(headers: &HeaderMap) -> String {
    let lines = headers.get_all(header::COOKIE).iter();
    let mut pairs = lines
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == COOKIE);
    found.map_or(String::new(), |(_, value)| value.to_string())
}

fn with_cookies(mut response: Response, cookies: Vec<String>) -> Response {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

async fn begin(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Response {
    let then = query.text("then").unwrap_or_else(|| "/".into());
    let linking = query.flag("link").unwrap_or(false);
    drop(query);
    let next = async {
        let mut link_to = None;
        if linking {
            let here = visitor(&app, &headers)
                .await?
                .ok_or_else(super::openid::no_session)?;
            link_to = Some(here.actor.account);
        }
        let begun = app
            .openid
            .begin_upstream(&*app.caller, &id, &then, link_to)
            .await?;
        Ok(with_cookies(
            send(&begun.to),
            vec![bound(&app, &begun.cookie)],
        ))
    };
    next.await.unwrap_or_else(|fault: Fault| fault_page(&fault))
}

async fn back(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    From(origin): From,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let next = async {
        let params = Params::read(&query.unwrap_or_default());
        let cookie = brought(&headers);
        let arrival = app
            .openid
            .finish_upstream(&*app.caller, &id, &params, &cookie)
            .await?;
        enter(&app, arrival, &origin).await
    };
    let response = next.await.unwrap_or_else(|fault: Fault| fault_page(&fault));
    with_cookies(response, vec![bound(&app, "")])
}

/// Lets in who arrived: under the account linked to them, or a new one where that is allowed.
async fn enter(app: &App, arrival: Arrival, origin: &identity::Origin) -> Result<Response, Fault> {
    let by = Actor {
        account: format!("provider:{}", arrival.upstream),
        ..Actor::default()
    };
    if let Some(account) = &arrival.link_to {
        app.openid
            .link(&by, &arrival.upstream, &arrival.subject, account)
            .await?;
        return Ok(bounce(&arrival.then));
    }
    let account = match arrival.account {
        Some(account) => {
            follow(app, &by, &account, arrival.roles, arrival.organisation).await?;
            account
        }
        None if arrival.makes_accounts => {
            let roles = arrival.roles.unwrap_or_default();
            let made = create(
                app,
                &by,
                &arrival.wish,
                &arrival.display,
                roles,
                arrival.organisation,
            )
            .await?;
            app.openid
                .link(&by, &arrival.upstream, &arrival.subject, &made)
                .await?;
            made
        }
        None => {
            return Err(Fault::new(
                FaultKind::Denied,
                "openid.upstream",
                "该身份在本平台没有关联账号；请用本地账号登录后在“我的账号”中关联，或联系运维",
                "no account here is linked to this identity; sign in with an account of this city and link it, or ask an operator",
            ));
        }
    };
    let session = app.identity.sign_in_federated(&account, origin).await?;
    let cookies = session_cookies(app, &session.token, &session.device);
    Ok(with_cookies(bounce(&arrival.then), cookies))
}

/// Gives an account what its provider says of it now. Where the provider says nothing of roles,
/// they stay as they are.
async fn follow(
    app: &App,
    by: &Actor,
    account: &str,
    roles: Option<Vec<String>>,
    organisation: Option<String>,
) -> Result<(), Fault> {
    let now = app.identity.account(account).await?;
    let mut mine = now.roles.clone();
    mine.sort();
    let roles = roles.filter(|roles| *roles != mine);
    let organisation = organisation.filter(|code| Some(code) != now.organisation.as_ref());
    if roles.is_none() && organisation.is_none() {
        return Ok(());
    }
    let change = identity::AccountChange {
        roles,
        organisation,
        ..identity::AccountChange::default()
    };
    app.identity
        .change(by, account, change, None)
        .await
        .map(drop)
}

/// Makes an account for somebody new, under a name of its own: that an account here is called like
/// somebody there says nothing, so nobody gets one that exists.
async fn create(
    app: &App,
    by: &Actor,
    wish: &str,
    display: &str,
    roles: Vec<String>,
    organisation: Option<String>,
) -> Result<String, Fault> {
    let plain = wish.split('@').next().unwrap_or("").to_lowercase();
    let fits = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(*c);
    let plain: String = plain.chars().filter(fits).take(24).collect();
    let plain = plain.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let base = if plain.len() < 2 { "person" } else { plain };
    for attempt in 0..20_u32 {
        let name = match attempt {
            0 => base.to_string(),
            1..10 => format!("{base}-{}", attempt + 1),
            _ => format!("{base}-{:06x}", rand::random::<u32>() & 0xff_ffff),
        };
        // Nobody knows it: this account is entered through its provider.
        let password: [u8; 24] = rand::random();
        let password: String = password.iter().map(|byte| format!("{byte:02x}")).collect();
        let new = identity::NewAccount {
            name: name.clone(),
            display: display.into(),
            password,
            roles: roles.clone(),
            organisation: organisation.clone(),
        };
        match app.identity.create(by, new).await {
            Ok(_) => return Ok(name),
            Err(fault) if fault.code == "input.conflict" => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(Fault::internal("making an account", "every name was taken"))
}

async fn list(State(app): State<Arc<App>>) -> Answer<Response> {
    Ok(Listing::whole(app.openid.upstreams().await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderChange {
    spec: UpstreamSpec,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    disabled: bool,
}

/// Whoever may hand out roles by a mapping hands out roles: the same right is demanded.
async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<ProviderChange>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    app.city.policy.demand(actor, Verb::Operate, "accounts")?;
    let made = app
        .openid
        .put_upstream(actor, &id, input.spec, input.secret, input.disabled)
        .await?;
    Ok(axum::Json(made).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProviderLink {
    subject: String,
    account: String,
}

async fn link(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(input): Json<ProviderLink>,
) -> Answer<Response> {
    app.openid.upstream(&id).await?;
    app.identity.account(&input.account).await?;
    if input.subject.is_empty() || input.subject.len() > 255 {
        return Err(Fault::invalid_at("subject", "1 至 255 个字符", "1 to 255 characters").into());
    }
    app.openid
        .link(caller.actor()?, &id, &input.subject, &input.account)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
