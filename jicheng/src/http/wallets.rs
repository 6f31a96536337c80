//! Licences in wallets of others: OpenID4VCI 1.0 (a wallet fetches a licence) and OpenID4VP 1.0 (a
//! wallet shows one), at the addresses the protocols say. The protocol is the licences engine's;
//! here stands who may call it, how a refusal looks and what is never stored on the way.

use super::consult::for_matter;
use super::guard::Caller;
use super::input::{Json, Query, body};
use super::output::Listing;
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::applications::Applications;
use kernel::licences::Use;
use kernel::{Access, Fault, Verb};
use licences::openid4vc::{Ask, RequestState, Stop};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    add_metadata(table);
    let (open, own) = (Access::Public, Access::SignedIn);
    table.add(
        line(
            "POST /api/v1/me/licences/{identifier}/offer",
            own,
            "把证照放进其他钱包（OpenID4VCI）",
            "Offer a licence to a wallet of another maker (OpenID4VCI)",
        )
        .gives("WalletOffer")
        .secret(),
        offer,
    );
    table.add(
        line(
            "GET /api/v1/me/licences/{identifier}/offers",
            own,
            "这份证照的领取码",
            "Offers of a licence of mine to wallets",
        )
        .gives("WalletOffers"),
        offers,
    );
    table.add(
        line(
            "DELETE /api/v1/me/licences/{identifier}/offers/{offer}",
            own,
            "收回领取码",
            "Take an offer to a wallet back",
        )
        .gives("WalletOfferInfo"),
        take_back,
    );
    table.add(
        line(
            "POST /openid4vci/token",
            open,
            "钱包换取访问令牌",
            "A wallet's access token (OpenID4VCI 6)",
        ),
        token,
    );
    table.add(
        line(
            "POST /openid4vci/nonce",
            open,
            "钱包取随机数",
            "A nonce for a wallet's proof (OpenID4VCI 7)",
        ),
        nonce,
    );
    table.add(
        line(
            "POST /openid4vci/credential",
            open,
            "钱包领取证照（SD-JWT VC）",
            "A wallet fetches the licence (OpenID4VCI 8)",
        ),
        credential,
    );
    table.add(
        line(
            "POST /api/v1/licences/requests",
            own,
            "请对方用钱包出示证照（OpenID4VP）",
            "Ask for a presentation by a wallet (OpenID4VP)",
        )
        .takes("WalletAsk")
        .gives("WalletAsked")
        .secret(),
        ask,
    );
    table.add(
        line(
            "GET /api/v1/licences/requests",
            own,
            "我请求过的出示",
            "Presentations I asked for",
        )
        .query(&["before: string"])
        .gives("WalletRequests"),
        requests,
    );
    table.add(
        line(
            "GET /api/v1/licences/requests/{state}",
            own,
            "钱包出示的结果",
            "What a wallet showed",
        )
        .gives("WalletAnswer"),
        result,
    );
    table.add(
        line(
            "POST /openid4vp/response",
            open,
            "钱包的应答",
            "A wallet's answer (OpenID4VP, direct_post)",
        ),
        response,
    );
}

fn add_metadata(table: &mut Table) {
    let open = Access::Public;
    table.add(
        line(
            "GET /.well-known/openid-credential-issuer",
            open,
            "证照颁发者元数据",
            "Metadata of the credential issuer (OpenID4VCI 12.2)",
        ),
        |State(app): State<Arc<App>>| async move { axum::Json(app.licences.issuer_metadata()) },
    );
    table.add(
        line(
            "GET /.well-known/oauth-authorization-server/openid4vci",
            open,
            "证照领取的授权服务元数据",
            "Metadata of the authorisation server wallets fetch licences with (RFC 8414)",
        ),
        |State(app): State<Arc<App>>| async move {
            axum::Json(app.licences.authorization_metadata())
        },
    );
    table.add(
        line(
            "GET /.well-known/jwt-vc-issuer",
            open,
            "证照签名公钥",
            "Public keys of signed licences (SD-JWT VC 3.5)",
        ),
        keys,
    );
    table.add(
        line(
            "GET /licences/types/{kind}",
            open,
            "证照类型元数据",
            "What a type of signed licence is (SD-JWT VC 4)",
        ),
        kind,
    );
}

async fn keys(State(app): State<Arc<App>>) -> Answer<Response> {
    let kept = super::licences::public_for(licences::STATUS_TTL);
    let head = [(header::CACHE_CONTROL, kept)];
    Ok((head, axum::Json(app.licences.jwt_vc_issuer()?)).into_response())
}

async fn kind(State(app): State<Arc<App>>, Path(kind): Path<String>) -> Answer<Response> {
    let found = app.licences.type_metadata(&kind);
    let found = found.ok_or_else(|| Fault::missing(&kind))?;
    Ok(axum::Json(found).into_response())
}

async fn offer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
) -> Answer<Response> {
    let made = app.licences.vci_offer(caller.actor()?, &identifier).await?;
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

async fn offers(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(identifier): Path<String>,
) -> Answer<Response> {
    let offers = app.licences.vci_offers(caller.actor()?, &identifier);
    Ok(Listing::whole(offers.await?).into_response())
}

async fn take_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path((identifier, offer)): Path<(String, String)>,
) -> Answer<Response> {
    let actor = caller.actor()?;
    let taken = app.licences.vci_take_back(actor, &identifier, &offer);
    Ok(axum::Json(taken.await?).into_response())
}

/// What is asked for, and for which matter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    kind: String,
    #[serde(default)]
    fields: Vec<String>,
    why: Use,
    #[serde(default)]
    matter: String,
}

/// Asks. For a matter only the office that works on it, by its own name and basis.
async fn ask(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(asked): Json<Asking>,
) -> Answer<Response> {
    let mut ask = Ask {
        kind: asked.kind,
        fields: asked.fields,
        why: asked.why,
    };
    let (actor, matter) = (caller.actor()?, asked.matter.trim());
    let made = match matter {
        "" => app.licences.vp_ask(actor, &ask, None).await?,
        matter => {
            let actor = app.city.policy.demand(actor, Verb::Read, "licences")?;
            let actor = for_matter(&app, &actor, matter).await?;
            let number = actor.standing.case.as_deref().unwrap_or(matter);
            let papers = app.applications.papers(number).await?;
            ask.why.verifier = app.licences.office_of(&actor);
            ask.why.basis.clone_from(&actor.grant.basis);
            app.licences.vp_ask(&actor, &ask, papers.as_ref()).await?
        }
    };
    Ok((StatusCode::CREATED, axum::Json(made)).into_response())
}

async fn requests(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let before = query.text("before");
    query.finish()?;
    let actor = caller.actor()?;
    let items = app.licences.vp_requests(actor, before.as_deref()).await?;
    let full = items.len() >= 50;
    let next = items.last().map(|r| r.id.clone()).filter(|_| full);
    let total = items.len() as u64;
    Ok(Listing { items, next, total }.into_response())
}

async fn result(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(state): Path<String>,
) -> Answer<Response> {
    let found = app.licences.vp_result(caller.actor()?, &state).await?;
    let answered = matches!(
        found.request.state,
        RequestState::Answered | RequestState::Declined
    );
    let mut answer = json!({ "answered": answered, "request": found.request });
    if let Some(verification) = found.verification {
        answer["verification"] = json!(verification);
    }
    if let Some(error) = found.request.error {
        answer["error"] = error.into();
    }
    Ok(axum::Json(answer).into_response())
}

/// An answer of the protocol: never kept on the way (RFC 6749, 5.1).
fn answer(outcome: Result<Value, Stop>) -> Answer<Response> {
    let kept = [(header::CACHE_CONTROL, "no-store")];
    match outcome {
        Ok(body) => Ok((kept, axum::Json(body)).into_response()),
        Err(Stop::Refused(refusal)) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            let mut response = (status, kept, axum::Json(refusal.json())).into_response();
            if status == StatusCode::UNAUTHORIZED {
                let scheme = axum::http::HeaderValue::from_static("Bearer");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, scheme);
            }
            Ok(response)
        }
        Err(Stop::Fault(fault)) => Err(Refusal(fault)),
    }
}

/// The parameters of a form, each once.
async fn form(request: Request) -> Result<BTreeMap<String, String>, Response> {
    let wrong = |why: &str| {
        let body = json!({ "error": "invalid_request", "error_description": why });
        (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
    };
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|v| v.to_str().ok()).unwrap_or("");
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(wrong("expected application/x-www-form-urlencoded"));
    }
    let bytes = body(request, &())
        .await
        .map_err(IntoResponse::into_response)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("the body is no text"))?;
    let mut all = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = super::input::unescape(name);
        if all.insert(name, super::input::unescape(value)).is_some() {
            return Err(wrong("a parameter is given twice"));
        }
    }
    Ok(all)
}

async fn token(State(app): State<Arc<App>>, request: Request) -> Answer<Response> {
    match form(request).await {
        Ok(form) => answer(app.licences.vci_token(&form).await),
        Err(refused) => Ok(refused),
    }
}

async fn nonce(State(app): State<Arc<App>>) -> Answer<Response> {
    answer(app.licences.vci_nonce().await)
}

async fn credential(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Answer<Response> {
    let access = headers.get(header::AUTHORIZATION);
    let access = access.and_then(|v| v.to_str().ok()).unwrap_or("");
    let access = access.strip_prefix("Bearer ").unwrap_or("");
    answer(app.licences.vci_credential(access, &request).await)
}

async fn response(State(app): State<Arc<App>>, request: Request) -> Answer<Response> {
    match form(request).await {
        Ok(form) => answer(app.licences.vp_response(&form).await),
        Err(refused) => Ok(refused),
    }
}
