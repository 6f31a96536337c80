//! What a provider says of itself, and its keys: asked when needed and remembered for an hour. A
//! key that is not known asks once more, at most every half minute, because keys are rotated.

use super::Upstream;
use crate::fetch::{Fetch, Outgoing};
use crate::jose::{self, ForeignKey};
use crate::{Engine, jose::ALGORITHMS};
use kernel::fault::FaultKind;
use kernel::{Fault, Span};
use serde_json::Value;
use std::sync::Arc;

const LIFE: Span = Span::hours(1);
const AGAIN: Span = Span::seconds(30);

/// What is known of a provider.
pub(crate) struct Metadata {
    pub(crate) authorization: String,
    pub(crate) token: String,
    pub(crate) userinfo: Option<String>,
    /// It says who it is in its answers.
    pub(crate) says_iss: bool,
    pub(crate) algs: Vec<&'static str>,
    pub(crate) keys: Vec<ForeignKey>,
    asked_at: i64,
}

/// The provider cannot be used at present, or answered what we do not believe.
pub(crate) fn failed(why: impl std::fmt::Display) -> Fault {
    Fault::new(
        FaultKind::Denied,
        "openid.upstream",
        "无法通过该登录服务登录，请稍后重试或联系管理员",
        format!("signing in through this provider failed: {why}"),
    )
}

async fn ask(fetch: &dyn Fetch, url: &str) -> Result<Value, Fault> {
    let call = Outgoing {
        method: "GET",
        url: url.into(),
        ..Outgoing::default()
    };
    let answer = fetch.fetch(call).await.map_err(failed)?;
    if answer.status != 200 {
        return Err(failed(format!("{url} answered {}", answer.status)));
    }
    serde_json::from_slice(&answer.body).map_err(|_| failed(format!("{url} answered no JSON")))
}

async fn read(fetch: &dyn Fetch, issuer: &str, now: i64) -> Result<Metadata, Fault> {
    let well_known = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let document = ask(fetch, &well_known).await?;
    // A document that names another issuer is the first step of a mix-up.
    if document["issuer"].as_str() != Some(issuer) {
        return Err(failed("its discovery document names another issuer"));
    }
    let text = |name: &str| document[name].as_str().map(String::from);
    let need = |name: &str| text(name).ok_or_else(|| failed(format!("it says no {name}")));
    let keys = ask(fetch, &need("jwks_uri")?).await?;
    let said = document["id_token_signing_alg_values_supported"].as_array();
    let algs = ALGORITHMS
        .into_iter()
        .filter(|alg| said.is_none_or(|list| list.iter().any(|word| word == alg)));
    Ok(Metadata {
        authorization: need("authorization_endpoint")?,
        token: need("token_endpoint")?,
        userinfo: text("userinfo_endpoint"),
        says_iss: document["authorization_response_iss_parameter_supported"] == true,
        algs: algs.collect(),
        keys: jose::keys_of(&keys),
        asked_at: now,
    })
}

impl Engine {
    /// What is known of a provider; `afresh` when a key was missing.
    pub(crate) async fn metadata(
        &self,
        fetch: &dyn Fetch,
        upstream: &Upstream,
        afresh: bool,
    ) -> Result<Arc<Metadata>, Fault> {
        let issuer = &upstream.spec.issuer;
        let now = self.clock.now().0;
        let life = if afresh { AGAIN.0 } else { LIFE.0 };
        let known = self.remembered.metadata.lock().get(issuer).cloned();
        if let Some(known) = known.filter(|known| now - known.asked_at < life) {
            return Ok(known);
        }
        let fresh = Arc::new(read(fetch, issuer, now).await?);
        let mut held = self.remembered.metadata.lock();
        held.insert(issuer.clone(), fresh.clone());
        Ok(fresh)
    }
}
