//! How an application proves who it is: by exactly the method it registered, so that a weaker one
//! cannot stand in for a stronger one. Whatever is wrong, the answer is the same.

use crate::clients::{Client, Method};
use crate::oauth::OAuthError;
use crate::params::Params;
use crate::{Engine, jose, secrets};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use kernel::time::{HOUR, SECOND};
use serde_json::{Value, json};
use std::sync::Arc;
use store::openid as table;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What came with a request besides its parameters.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// Network address it came from.
    pub address: String,
}

/// An application that proved who it is.
pub(crate) struct Proven {
    pub(crate) client: Arc<Client>,
    /// Hash and end of its assertion, to be remembered in the transaction of the deed.
    pub(crate) assertion: Option<(String, i64)>,
}

fn unproven() -> OAuthError {
    OAuthError::client("the application did not prove who it is")
}

/// Identification and secret of HTTP Basic, each form-encoded first (RFC 6749 2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, rest) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > 2048 {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let line = format!("x={}", text.replace('&', "%26"));
        let mut pairs = url::form_urlencoded::parse(line.as_bytes());
        pairs.next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

/// What an assertion claims to be, before anything of it is believed.
fn claimed_by(assertion: &str) -> Option<String> {
    let second = assertion.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&jose::decode(second)?).ok()?;
    claims["sub"].as_str().map(String::from)
}

enum Shown {
    Nothing,
    Basic(String),
    Post(String),
    Assertion(String),
}

/// Who the application says it is, and what it shows for it.
fn shown(params: &Params, proof: &Proof) -> Result<(String, Shown), OAuthError> {
    let twice = || OAuthError::new("invalid_request", "more than one way to prove who it is");
    let named = params.get("client_id");
    if let Some(header) = &proof.authorization {
        let (id, secret) = basic(header).ok_or_else(unproven)?;
        if params.get("client_secret").is_some() || params.get("client_assertion").is_some() {
            return Err(twice());
        }
        if named.is_some_and(|named| named != id) {
            return Err(OAuthError::new(
                "invalid_request",
                "client_id is not that of the header",
            ));
        }
        return Ok((id, Shown::Basic(secret)));
    }
    if let Some(assertion) = params.get("client_assertion") {
        if params.get("client_secret").is_some() {
            return Err(twice());
        }
        if params.get("client_assertion_type") != Some(ASSERTION) {
            return Err(OAuthError::new(
                "invalid_request",
                "client_assertion_type is not known",
            ));
        }
        let id = claimed_by(assertion).ok_or_else(unproven)?;
        if named.is_some_and(|named| named != id) {
            return Err(unproven());
        }
        return Ok((id, Shown::Assertion(assertion.into())));
    }
    let id = named.ok_or_else(unproven)?.to_string();
    Ok(match params.get("client_secret") {
        Some(secret) => (id, Shown::Post(secret.into())),
        None => (id, Shown::Nothing),
    })
}

impl Engine {
    /// The application behind a request, once it proved who it is.
    pub(crate) async fn authenticate(
        &self,
        params: &Params,
        proof: &Proof,
    ) -> Result<Proven, OAuthError> {
        params.sound()?;
        let now = self.clock.now().0;
        let (id, shown) = shown(params, proof)?;
        self.limiter
            .may_try(&id, &proof.address, now)
            .map_err(OAuthError::too_many)?;
        let client = self.client(&id).await?;
        let proven = client.and_then(|client| self.check(client, shown));
        if proven.is_none() {
            self.limiter.failed(&id, &proof.address, now);
        }
        proven.ok_or_else(unproven)
    }

    fn check(&self, client: Arc<Client>, shown: Shown) -> Option<Proven> {
        let mut assertion = None;
        let proven = match (client.spec.method, shown) {
            (Method::None, Shown::Nothing) => true,
            (Method::ClientSecretBasic, Shown::Basic(secret))
            | (Method::ClientSecretPost, Shown::Post(secret)) => self.is_secret(&client, &secret),
            (Method::PrivateKeyJwt, Shown::Assertion(token)) => {
                assertion = self.asserted(&client, &token);
                assertion.is_some()
            }
            _ => false,
        };
        proven.then_some(Proven { client, assertion })
    }

    fn is_secret(&self, client: &Client, secret: &str) -> bool {
        let hash = secrets::hash(secret);
        let row = &client.row;
        let current = row
            .secret
            .as_deref()
            .is_some_and(|own| secrets::same(own, &hash));
        let still = row
            .old_secret_until
            .is_some_and(|until| self.clock.now().0 < until);
        let before = row
            .old_secret
            .as_deref()
            .is_some_and(|own| secrets::same(own, &hash));
        current || still && before
    }

    /// Hash and end of a sound assertion (RFC 7523): signed with ES256, for us, short-lived.
    fn asserted(&self, client: &Client, token: &str) -> Option<(String, i64)> {
        let keys = jose::keys_of(client.spec.jwks.as_ref()?);
        let claims = jose::verify_foreign(token, &keys, &["ES256"]).ok()?;
        let now = self.clock.now().0;
        let skew = self.settings.skew.0;
        let seconds = |name: &str| claims[name].as_i64().and_then(|s| s.checked_mul(SECOND));
        let issuer = self.issuer();
        let endpoint = format!("{issuer}/oauth2/token");
        let ours = |aud: &Value| *aud == json!(*issuer) || *aud == json!(endpoint);
        let aud = &claims["aud"];
        let for_us = ours(aud) || aud.as_array().is_some_and(|list| list.iter().any(ours));
        let own = claims["iss"] == json!(client.id) && claims["sub"] == json!(client.id);
        let exp = seconds("exp")?;
        let timely = exp > now - skew
            && exp <= now + HOUR + skew
            && seconds("nbf").is_none_or(|nbf| nbf <= now + skew)
            && seconds("iat").is_none_or(|iat| iat <= now + skew);
        let jti = claims["jti"]
            .as_str()
            .filter(|jti| !jti.is_empty() && jti.len() <= 200)?;
        let key = secrets::hash(&format!("{} {jti}", client.id));
        (for_us && own && timely).then_some((key, exp + skew))
    }

    /// Remembers an assertion where no other transaction does; a second use is refused.
    pub(crate) async fn first_use(&self, proven: &Proven) -> Result<(), OAuthError> {
        let Some(assertion) = &proven.assertion else {
            return Ok(());
        };
        let mut tx = self.store.begin().await?;
        let fresh = table::new_assertions(&mut tx, std::slice::from_ref(assertion)).await?;
        tx.commit().await?;
        match fresh.is_empty() {
            true => Err(unproven()),
            false => Ok(()),
        }
    }
}
