//! Signing in through a provider: to it with state, nonce and PKCE, all kept in a sealed cookie of
//! this browser; back from it with a code, whose answer is believed only when everything fits:
//! state, issuer, signature, audience, times, nonce.

use super::Upstream;
use super::metadata::{Metadata, failed};
use crate::fetch::{Fetch, Outgoing};
use crate::jose::Unsound;
use crate::params::Params;
use crate::{Engine, jose, secrets, uris};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kernel::time::SECOND;
use kernel::{Fault, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use store::openid as table;

const CONTEXT: &str = "openid.upstream.login";
/// How long a person may take there.
const LIFE: Span = Span::minutes(10);

/// A sign-in on its way to a provider.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where the browser goes.
    pub to: String,
    /// What this browser must bring back, sealed.
    pub cookie: String,
}

/// Somebody back from a provider, all of it verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Arrival {
    /// Which provider.
    pub upstream: String,
    /// Who they are there.
    pub subject: String,
    /// Account here that is linked to them.
    pub account: Option<String>,
    /// Name for people.
    pub display: String,
    /// Account name they would like.
    pub wish: String,
    /// Roles their claims give here; `None` when the provider says nothing of roles.
    pub roles: Option<Vec<String>>,
    /// Organisation their claims give here.
    pub organisation: Option<String>,
    /// An account may be made.
    pub makes_accounts: bool,
    /// Account that wanted to link this identity.
    pub link_to: Option<String>,
    /// Page to go to.
    pub then: String,
}

#[derive(Serialize, Deserialize)]
struct Login {
    upstream: String,
    issuer: String,
    state: String,
    nonce: String,
    verifier: String,
    then: String,
    link_to: Option<String>,
    at: i64,
}

/// A claim by its path: `realm_access.roles`.
fn claim<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    if let Some(value) = claims.get(path) {
        return Some(value);
    }
    path.split('.')
        .try_fold(claims, |value, name| value.get(name))
}

/// The words of a claim: one or a list.
fn words(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).take(200).collect(),
        _ => vec![],
    }
}

impl Engine {
    /// Sends somebody to a provider; `then` is a page of ours, `link_to` an account signed in.
    pub async fn begin_upstream(
        &self,
        fetch: &dyn Fetch,
        id: &str,
        then: &str,
        link_to: Option<String>,
    ) -> Result<Begun, Fault> {
        let upstream = self.upstream(id).await?;
        let metadata = self.metadata(fetch, &upstream, false).await?;
        let inside = then.starts_with('/') && !then.starts_with("//") && !then.contains('\\');
        let login = Login {
            upstream: id.into(),
            issuer: upstream.spec.issuer.clone(),
            state: secrets::nonce(),
            nonce: secrets::nonce(),
            verifier: secrets::nonce(),
            then: if inside && then.len() < 6000 {
                then
            } else {
                "/"
            }
            .into(),
            link_to,
            at: self.clock.now().0,
        };
        let mut scopes = vec!["openid"];
        scopes.extend(upstream.spec.scopes.iter().map(String::as_str));
        let to = uris::with(
            &metadata.authorization,
            &[
                ("response_type", "code"),
                ("client_id", &upstream.spec.client_id),
                ("redirect_uri", &self.callback(id)),
                ("scope", &scopes.join(" ")),
                ("state", &login.state),
                ("nonce", &login.nonce),
                ("code_challenge", &secrets::challenge(&login.verifier)),
                ("code_challenge_method", "S256"),
            ],
        );
        Ok(Begun {
            to,
            cookie: self.seal(CONTEXT, &json!(login))?,
        })
    }

    /// Somebody is back from a provider.
    pub async fn finish_upstream(
        &self,
        fetch: &dyn Fetch,
        id: &str,
        params: &Params,
        cookie: &str,
    ) -> Result<Arrival, Fault> {
        let login = self
            .unseal(CONTEXT, cookie)
            .and_then(|value| serde_json::from_value::<Login>(value).ok())
            .ok_or_else(|| failed("this browser did not begin it"))?;
        let age = self.clock.now().0 - login.at;
        if login.upstream != id || !(0..=LIFE.0).contains(&age) {
            return Err(failed("it was begun elsewhere, or too long ago"));
        }
        params.sound().map_err(|e| failed(e.description))?;
        if !params
            .get("state")
            .is_some_and(|state| secrets::same(state, &login.state))
        {
            return Err(failed("state is not the one sent"));
        }
        let upstream = self.upstream(id).await?;
        if upstream.spec.issuer != login.issuer {
            return Err(failed("the provider was changed meanwhile"));
        }
        let metadata = self.metadata(fetch, &upstream, false).await?;
        // RFC 9207: the answer must come from whom it was asked of.
        match params.get("iss") {
            Some(iss) if iss != login.issuer => return Err(failed("another issuer answered")),
            None if metadata.says_iss => return Err(failed("the answer names no issuer")),
            _ => {}
        }
        if let Some(error) = params.get("error") {
            let plain: String = error
                .chars()
                .filter(|c| c.is_ascii_graphic())
                .take(60)
                .collect();
            return Err(failed(format!("it answered {plain}")));
        }
        let code = params
            .get("code")
            .ok_or_else(|| failed("there is no code"))?;
        let tokens = self
            .redeem(fetch, &upstream, &metadata, code, &login)
            .await?;
        let id_token = tokens["id_token"]
            .as_str()
            .ok_or_else(|| failed("there is no ID token"))?;
        let mut claims = self
            .believed(fetch, &upstream, &metadata, id_token, &login)
            .await?;
        self.ask_more(fetch, &metadata, &tokens, &mut claims)
            .await?;
        self.arrival(&upstream, &claims, login).await
    }

    async fn redeem(
        &self,
        fetch: &dyn Fetch,
        upstream: &Upstream,
        metadata: &Metadata,
        code: &str,
        login: &Login,
    ) -> Result<Value, Fault> {
        let callback = self.callback(&upstream.id);
        let secret = self.upstream_secret(upstream)?;
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", callback.as_str()),
            ("code_verifier", login.verifier.as_str()),
        ];
        let mut headers = vec![(
            "content-type",
            "application/x-www-form-urlencoded".to_string(),
        )];
        match &secret {
            Some(secret) if !upstream.spec.secret_in_body => {
                let plain = |text: &str| -> String {
                    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
                };
                let pair = format!("{}:{}", plain(&upstream.spec.client_id), plain(secret));
                let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
                headers.push(("authorization", basic));
            }
            Some(secret) => {
                pairs.push(("client_id", &upstream.spec.client_id));
                pairs.push(("client_secret", secret));
            }
            None => pairs.push(("client_id", &upstream.spec.client_id)),
        }
        let call = Outgoing {
            method: "POST",
            url: metadata.token.clone(),
            headers,
            body: uris::form(&pairs).into_bytes(),
        };
        let answer = fetch.fetch(call).await.map_err(failed)?;
        if answer.status != 200 {
            return Err(failed(format!(
                "its token endpoint answered {}",
                answer.status
            )));
        }
        serde_json::from_slice(&answer.body).map_err(|_| failed("its tokens are no JSON"))
    }

    /// The claims of an ID token, once everything fits (OpenID Connect Core 3.1.3.7).
    async fn believed(
        &self,
        fetch: &dyn Fetch,
        upstream: &Upstream,
        metadata: &Arc<Metadata>,
        token: &str,
        login: &Login,
    ) -> Result<Value, Fault> {
        let mut outcome = jose::verify_foreign(token, &metadata.keys, &metadata.algs);
        if outcome == Err(Unsound::Key) || outcome == Err(Unsound::Signature) {
            let fresh = self.metadata(fetch, upstream, true).await?;
            outcome = jose::verify_foreign(token, &fresh.keys, &fresh.algs);
        }
        let claims = outcome.map_err(|why| failed(format!("its ID token is unsound: {why:?}")))?;
        let now = self.clock.now().0;
        let skew = self.settings.skew.0;
        let time = |name: &str| claims[name].as_f64().map(|s| (s * SECOND as f64) as i64);
        let own = json!(upstream.spec.client_id);
        let several = claims["aud"].as_array().is_some_and(|list| list.len() > 1);
        let for_us = claims["aud"] == own
            || claims["aud"]
                .as_array()
                .is_some_and(|list| list.contains(&own));
        let presented = claims["azp"] == own || claims["azp"].is_null() && !several;
        let checks = [
            (
                claims["iss"] == json!(login.issuer),
                "it is of another issuer",
            ),
            (for_us && presented, "it is for somebody else"),
            (
                time("exp").is_some_and(|exp| exp > now - skew),
                "it is over",
            ),
            (
                time("iat").is_some_and(|iat| iat <= now + skew),
                "it is of the future",
            ),
            (
                time("nbf").is_none_or(|nbf| nbf <= now + skew),
                "it is of the future",
            ),
            (
                claims["nonce"] == json!(login.nonce),
                "its nonce is not the one sent",
            ),
            (
                claims["sub"]
                    .as_str()
                    .is_some_and(|sub| (1..=255).contains(&sub.len())),
                "it names nobody",
            ),
        ];
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(failed(format!("its ID token is not believed: {why}"))),
            None => Ok(claims),
        }
    }

    /// Adds what userinfo says, when it is about the same person.
    async fn ask_more(
        &self,
        fetch: &dyn Fetch,
        metadata: &Metadata,
        tokens: &Value,
        claims: &mut Value,
    ) -> Result<(), Fault> {
        let (Some(url), Some(access)) = (&metadata.userinfo, tokens["access_token"].as_str())
        else {
            return Ok(());
        };
        let call = Outgoing {
            method: "GET",
            url: url.clone(),
            headers: vec![("authorization", format!("Bearer {access}"))],
            ..Outgoing::default()
        };
        let answer = fetch.fetch(call).await.map_err(failed)?;
        let more: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status != 200 || more["sub"] != claims["sub"] {
            return Err(failed("its userinfo is about somebody else"));
        }
        if let (Some(claims), Some(more)) = (claims.as_object_mut(), more.as_object()) {
            for (name, value) in more {
                // What is signed counts.
                claims.entry(name).or_insert_with(|| value.clone());
            }
        }
        Ok(())
    }

    async fn arrival(
        &self,
        upstream: &Upstream,
        claims: &Value,
        login: Login,
    ) -> Result<Arrival, Fault> {
        let spec = &upstream.spec;
        let subject = claims["sub"].as_str().unwrap_or("").to_string();
        let found = table::link(&mut self.store.reader().await?, &upstream.id, &subject).await?;
        let roles = spec.roles_claim.as_ref().map(|path| {
            let held = words(claim(claims, path));
            let mut roles: Vec<String> = held
                .iter()
                .filter_map(|word| spec.roles.get(*word))
                .flatten()
                .cloned()
                .collect();
            roles.sort();
            roles.dedup();
            roles
        });
        let organisation = spec.organisation_claim.as_ref().and_then(|path| {
            let held = words(claim(claims, path));
            held.iter()
                .find_map(|word| spec.organisations.get(*word))
                .cloned()
        });
        let wish = claims["preferred_username"].as_str().unwrap_or(&subject);
        let display = claims["name"].as_str().unwrap_or(wish);
        Ok(Arrival {
            upstream: upstream.id.clone(),
            account: found.map(|row| row.account),
            display: display
                .chars()
                .filter(|c| !c.is_control())
                .take(100)
                .collect(),
            wish: wish.chars().take(64).collect(),
            subject,
            roles,
            organisation,
            makes_accounts: spec.makes_accounts,
            link_to: login.link_to,
            then: login.then,
        })
    }
}
