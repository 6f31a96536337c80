//! Who comes to the protocol, or by a token of it: by their own session, by what an application
//! presents for them, within its scopes.

use crate::app::App;
use crate::http::guard::token;
use crate::http::problem::Refusal;
use ::openid::{Engine, Visitor};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use kernel::access::Standing;
use kernel::fault::{Fault, FaultKind};
use kernel::{Access, Actor, Verb};

/// Whom a request to the protocol comes from. Its own endpoints know their own credentials (client
/// secrets as Basic, access tokens), and a POST by another site brings no cookie: nobody. An access
/// token at the API is the person, within its scopes. `None`: not ours to say.
pub async fn identify(app: &App, parts: &Parts) -> Result<Option<Option<Actor>>, Refusal> {
    let path = parts.uri.path();
    if path.starts_with("/oauth2/") {
        let by_cookie = matches!(token(app, &parts.headers), Some((_, true)));
        let look = parts.method == Method::GET && by_cookie;
        return Ok(if look { None } else { Some(None) });
    }
    match token(app, &parts.headers) {
        Some((text, false)) if Engine::is_access_token(&text) => {
            let Some(bearer) = app.openid.recognise(&text).await? else {
                return Ok(Some(None));
            };
            let standing = Standing {
                application: Some(bearer.client),
                scopes: bearer.scopes.split(' ').map(String::from).collect(),
                factors: bearer.factors,
                ..Standing::default()
            };
            Ok(Some(Some(Actor {
                account: bearer.person.account,
                display: bearer.person.display,
                roles: bearer.person.roles,
                organisation: bearer.person.organisation.map(|(code, _)| code),
                standing,
                ..Actor::default()
            })))
        }
        _ => Ok(None),
    }
}

/// What an application may do with a person's rights: look with `city.read`, act with
/// `city.write`; never what runs the machine or concerns the account itself.
pub fn within_scopes(access: Access, actor: &Actor) -> Result<(), Fault> {
    if actor.standing.application.is_none() {
        return Ok(());
    }
    let needed = match access {
        Access::Public => return Ok(()),
        Access::May(Verb::Read | Verb::Export, _) => "city.read",
        Access::May(Verb::Write | Verb::Handle, _) => "city.write",
        _ => "",
    };
    if actor.standing.scopes.iter().any(|scope| scope == needed) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::Denied,
        "access.denied",
        "应用的访问范围不含此操作",
        "the scopes of this application do not cover this",
    ))
}

/// Who sits before the browser: a session of our own, not a token. One that lacks something first
/// (a password of one's own, a second factor) signs on to nothing.
pub async fn visitor(app: &App, headers: &HeaderMap) -> Result<Option<Visitor>, Fault> {
    let Some((token, _)) = token(app, headers) else {
        return Ok(None);
    };
    let Some(found) = app.identity.recognise(&token).await? else {
        return Ok(None);
    };
    let Some(session) = found.session else {
        return Ok(None);
    };
    match found.must {
        Some(must) => Err(must.fault()),
        None => Ok(Some(Visitor {
            auth_time: found.actor.standing.auth_time,
            actor: found.actor,
            session,
        })),
    }
}
