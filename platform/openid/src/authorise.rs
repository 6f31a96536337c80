//! The authorisation request (OpenID Connect Core 3.1.2.1): read, compared with what the
//! application registered, and kept sealed while the person signs in and agrees. Until the address
//! to return to is known to be the application's own, a fault is shown to the person and sent to
//! nobody.

use crate::clients::Client;
use crate::oauth::OAuthError;
use crate::params::Params;
use crate::{Engine, claims, uris};
use kernel::fault::FaultKind;
use kernel::{Fault, Span};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// How long a person may take to sign in and agree.
const PENDING_LIFE: Span = Span::minutes(20);
const CONTEXT: &str = "openid.request";
/// Bytes of `state`, `nonce` and hints, at most.
const TEXT_LIMIT: usize = 2048;

/// A request that was found sound, while the person signs in and agrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// Which application.
    pub client: String,
    /// Where to return to.
    pub redirect_uri: String,
    /// What is asked for and may be, separated by blanks.
    pub scopes: String,
    /// To be echoed.
    pub state: Option<String>,
    /// To be echoed in the ID token.
    pub nonce: Option<String>,
    /// PKCE challenge.
    pub challenge: String,
    /// May not show anything.
    pub silent: bool,
    /// Must sign in anew.
    pub again: bool,
    /// Must be asked.
    pub ask: bool,
    /// The sign-in must not be older, seconds.
    pub max_age: Option<i64>,
    /// Account to suggest.
    pub login_hint: Option<String>,
    /// Subject that must be the one signed in.
    pub subject: Option<String>,
    /// When it was received.
    pub at: i64,
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq)]
pub enum NotAuthorised {
    /// To be shown to the person: the address to return to is not to be trusted.
    Show(Fault),
    /// To be told to the application, by sending the browser here.
    Return(String),
}

impl From<Fault> for NotAuthorised {
    fn from(fault: Fault) -> NotAuthorised {
        NotAuthorised::Show(fault)
    }
}

fn show(zh: &str, en: impl Into<String>) -> NotAuthorised {
    NotAuthorised::Show(Fault::new(
        FaultKind::Invalid,
        "openid.request",
        format!("应用发来的登录请求有误：{zh}。请返回该应用重试，或联系其管理员。"),
        en,
    ))
}

impl Pending {
    /// Where the browser goes with an error.
    pub(crate) fn refused(&self, issuer: &str, error: &OAuthError) -> String {
        let mut pairs = vec![
            ("error", error.error),
            ("error_description", &error.description),
        ];
        if let Some(state) = &self.state {
            pairs.push(("state", state));
        }
        pairs.push(("iss", issuer));
        uris::with(&self.redirect_uri, &pairs)
    }

    /// Where the browser goes with a code.
    pub(crate) fn granted(&self, issuer: &str, code: &str) -> String {
        let mut pairs = vec![("code", code)];
        if let Some(state) = &self.state {
            pairs.push(("state", state));
        }
        pairs.push(("iss", issuer));
        uris::with(&self.redirect_uri, &pairs)
    }
}

/// Is this an S256 challenge: 43 characters of base64 for addresses?
fn is_challenge(text: &str) -> bool {
    text.len() == 43
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn short<'a>(params: &'a Params, name: &str) -> Result<Option<&'a str>, OAuthError> {
    match params.get(name) {
        Some(text) if text.len() > TEXT_LIMIT => Err(OAuthError::new(
            "invalid_request",
            format!("{name} is longer than {TEXT_LIMIT} bytes"),
        )),
        other => Ok(other),
    }
}

impl Engine {
    /// Reads an authorisation request.
    pub async fn authorise(&self, params: &Params) -> Result<Pending, NotAuthorised> {
        let (client, redirect_uri) = self.trusted_return(params).await?;
        let mut pending = Pending {
            client: client.id.clone(),
            redirect_uri,
            scopes: String::new(),
            state: params
                .get("state")
                .filter(|s| s.len() <= TEXT_LIMIT)
                .map(String::from),
            nonce: None,
            challenge: String::new(),
            silent: false,
            again: false,
            ask: false,
            max_age: None,
            login_hint: None,
            subject: None,
            at: self.clock.now().0,
        };
        match self.fill(&mut pending, &client, params) {
            Ok(()) => Ok(pending),
            Err(error) => Err(NotAuthorised::Return(
                pending.refused(&self.issuer(), &error),
            )),
        }
    }

    /// The application and its own address to return to: byte for byte one it registered.
    async fn trusted_return(
        &self,
        params: &Params,
    ) -> Result<(Arc<Client>, String), NotAuthorised> {
        let Some(id) = params.get("client_id") else {
            return Err(show("缺少 client_id", "the parameter client_id is missing"));
        };
        let Some(client) = self.client(id).await? else {
            return Err(show(
                "没有登记此应用，或已停用",
                "there is no such application, or it is disabled",
            ));
        };
        let Some(uri) = params.get("redirect_uri") else {
            return Err(show(
                "缺少 redirect_uri",
                "the parameter redirect_uri is missing",
            ));
        };
        // A parameter given twice might be read differently elsewhere.
        if let Err(error) = params.sound() {
            return Err(show("参数有误", error.description));
        }
        match client.spec.redirect_uris.iter().any(|known| known == uri) {
            true => Ok((client, uri.into())),
            false => Err(show(
                "回调地址与登记的不一致",
                "the address to return to is not one this application registered",
            )),
        }
    }

    fn fill(&self, to: &mut Pending, client: &Client, params: &Params) -> Result<(), OAuthError> {
        let invalid = |what: &str| OAuthError::new("invalid_request", what);
        for (name, error) in [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ] {
            if params.get(name).is_some() {
                return Err(OAuthError::new(error, format!("{name} is not supported")));
            }
        }
        short(params, "state")?;
        if params.need("response_type")? != "code" {
            return Err(OAuthError::new(
                "unsupported_response_type",
                "only response_type=code is supported",
            ));
        }
        if params
            .get("response_mode")
            .is_some_and(|mode| mode != "query")
        {
            return Err(invalid("only response_mode=query is supported"));
        }
        to.nonce = short(params, "nonce")?.map(String::from);
        to.login_hint = short(params, "login_hint")?.map(String::from);
        to.scopes = scopes(client, params.need("scope")?)?;
        to.challenge = challenge(params)?;
        prompt(to, params.get("prompt"))?;
        if let Some(text) = params.get("max_age") {
            let age = text.parse::<i64>().ok().filter(|age| *age >= 0);
            to.max_age = Some(age.ok_or_else(|| invalid("max_age is not a number of seconds"))?);
        }
        if let Some(hint) = params.get("id_token_hint") {
            let claims = self.hinted(hint)?;
            let claims = claims.filter(|claims| claims["aud"] == json!(client.id));
            let claims = claims.ok_or_else(|| invalid("id_token_hint is no ID token of yours"))?;
            to.subject = claims["sub"].as_str().map(String::from);
        }
        Ok(())
    }

    /// The claims of an ID token of ours, over or not.
    pub(crate) fn hinted(&self, token: &str) -> Result<Option<serde_json::Value>, Fault> {
        // Logout tokens are ours too, and no ID tokens.
        if crate::jose::typ_of(token).as_deref() != Some("JWT") {
            return Ok(None);
        }
        let claims = crate::jose::verify_own(&*self.crypto, token)?;
        Ok(claims.filter(|claims| claims["iss"] == json!(*self.issuer())))
    }

    /// Seals a request for the way through the person's browser.
    pub fn seal_pending(&self, pending: &Pending) -> Result<String, Fault> {
        self.seal(CONTEXT, &json!(pending))
    }

    /// Opens a sealed request; the person took too long, or it is not ours: a fault for them.
    pub fn open_pending(&self, text: &str) -> Result<Pending, Fault> {
        let wrong = |zh: &str, en: &str| Fault::new(FaultKind::Invalid, "openid.request", zh, en);
        let pending = self
            .unseal(CONTEXT, text)
            .and_then(|value| serde_json::from_value::<Pending>(value).ok())
            .ok_or_else(|| {
                wrong(
                    "登录请求无效，请返回应用重新登录",
                    "this sign-in request is not valid; go back to the application and sign in again",
                )
            })?;
        let age = self.clock.now().0 - pending.at;
        if !(-self.settings.skew.0..=PENDING_LIFE.0).contains(&age) {
            return Err(wrong(
                "登录请求已过期，请返回应用重新登录",
                "this sign-in request is over; go back to the application and sign in again",
            ));
        }
        Ok(pending)
    }
}

/// What may be asked for, of what is: unknown and unregistered scopes are left out.
fn scopes(client: &Client, asked: &str) -> Result<String, OAuthError> {
    let mut kept: Vec<&str> = vec![];
    for word in asked.split(' ').filter(|word| !word.is_empty()) {
        let known = client.spec.scopes.iter().any(|scope| scope == word);
        if known && !kept.contains(&word) {
            kept.push(word);
        }
    }
    let kept = kept.join(" ");
    match claims::has(&kept, "openid") {
        true => Ok(kept),
        false => Err(OAuthError::new("invalid_scope", "scope must hold openid")),
    }
}

fn challenge(params: &Params) -> Result<String, OAuthError> {
    let invalid = |what: &str| OAuthError::new("invalid_request", what);
    let challenge = params
        .get("code_challenge")
        .ok_or_else(|| invalid("code_challenge is missing: PKCE is required"))?;
    if params.get("code_challenge_method") != Some("S256") {
        return Err(invalid("only code_challenge_method=S256 is supported"));
    }
    match is_challenge(challenge) {
        true => Ok(challenge.into()),
        false => Err(invalid("code_challenge is not of S256")),
    }
}

fn prompt(to: &mut Pending, prompt: Option<&str>) -> Result<(), OAuthError> {
    let words: Vec<&str> = prompt
        .unwrap_or("")
        .split(' ')
        .filter(|w| !w.is_empty())
        .collect();
    for word in &words {
        match *word {
            "none" => to.silent = true,
            "login" | "select_account" => to.again = true,
            "consent" => to.ask = true,
            _ => {
                return Err(OAuthError::new(
                    "invalid_request",
                    "prompt has an unknown word",
                ));
            }
        }
    }
    if to.silent && words.len() > 1 {
        return Err(OAuthError::new(
            "invalid_request",
            "prompt=none goes with no other word",
        ));
    }
    Ok(())
}
