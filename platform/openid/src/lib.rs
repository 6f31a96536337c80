//! openid: the city as an OpenID provider, so that other departments' applications join with one
//! sign-on, and the providers the city itself may stand behind. Authorisation code with PKCE,
//! rotated refresh tokens, discovery, keys, userinfo, logout in both directions, consent, pairwise
//! subjects. Nothing here speaks HTTP: the program carries requests in ([`Params`]) and out
//! ([`Fetch`]).
//!
//! Access tokens are opaque: revoking one counts at once, and what an application may see of a
//! person is asked, not carried about. Of every code, token and secret only the SHA-256 is kept.

mod authenticate;
mod authorise;
mod claims;
mod clients;
mod connected;
mod desk;
mod discovery;
mod ends;
mod fetch;
mod jose;
mod limiter;
mod logout;
mod oauth;
mod params;
mod proceed;
mod secrets;
mod token;
mod upstream;
mod uris;

pub use authenticate::Proof;
pub use authorise::{NotAuthorised, Pending};
pub use claims::{ACR_MULTI, ACR_SINGLE, Person, SCOPES, Scope};
pub use clients::{Client, ClientChange, ClientInfo, ClientPage, ClientSpec, Method, SubjectKind};
pub use connected::Connected;
pub use ends::Bearer;
pub use fetch::{Fetch, Incoming, Outgoing};
pub use jose::{ALGORITHMS, ForeignKey, Unsound, keys_of, typ_of, verify_foreign};
pub use logout::{LogoutAsk, LogoutStep};
pub use oauth::OAuthError;
pub use params::{Params, TOTAL_LIMIT};
pub use proceed::{Asked, Step, Visitor};
pub use upstream::{Arrival, Begun, Upstream, UpstreamInfo, UpstreamSpec};

use async_trait::async_trait;
use desk::Desk;
use kernel::access::Actor;
use kernel::crypto::{Crypto, Ring};
use kernel::{Clock, Fault, Span, Time};
use limiter::Limiter;
use parking_lot::{Mutex, RwLock};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::{Store, Tx, documents, openid as table};

/// What can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name: `https://city.example`, without a slash at the end.
    pub issuer: String,
    /// An authorisation code counts so long.
    pub code_life: Span,
    /// An access token counts so long.
    pub access_life: Span,
    /// An ID token counts so long.
    pub id_life: Span,
    /// A refresh token not used for so long is over.
    pub refresh_idle: Span,
    /// What one authorisation gave is over after so long in any case.
    pub grant_life: Span,
    /// How far the clock of an application may be from ours.
    pub skew: Span,
    /// How long a secret still counts after it was replaced.
    pub secret_overlap: Span,
}

impl Default for Settings {
    /// Codes of one minute, access tokens of ten, refresh tokens of 30 days idle and 180 at most,
    /// clocks within one minute.
    fn default() -> Settings {
        Settings {
            issuer: "http://127.0.0.1:8080".into(),
            code_life: Span::minutes(1),
            access_life: Span::minutes(10),
            id_life: Span::minutes(10),
            refresh_idle: Span::days(30),
            grant_life: Span::days(180),
            skew: Span::minutes(1),
            secret_overlap: Span::hours(24),
        }
    }
}

/// Asked about the people applications are told of.
#[async_trait]
pub trait People: Send + Sync {
    /// What is known of the holder of an account; `None` when there is none or it is disabled.
    async fn person(&self, account: &str) -> Result<Option<Person>, Fault>;
}

/// The OpenID engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    crypto: Arc<dyn Crypto>,
    people: Arc<dyn People>,
    settings: Settings,
    issuer: RwLock<Arc<str>>,
    /// Mixed into derived subjects, so that nobody else can derive them.
    salt: Vec<u8>,
    limiter: Limiter,
    desk: Desk,
    known: Mutex<HashMap<String, (i64, Arc<Client>)>>,
    remembered: upstream::Remembered,
}

impl Engine {
    /// Opens the engine.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        crypto: Arc<dyn Crypto>,
        people: Arc<dyn People>,
        settings: Settings,
    ) -> Result<Arc<Engine>, Fault> {
        let salt = salt(&store, &*crypto).await?;
        let desk = Desk::start(store.clone(), clock.clone(), settings.clone());
        Ok(Arc::new(Engine {
            issuer: RwLock::new(settings.issuer.as_str().into()),
            store,
            clock,
            crypto,
            people,
            settings,
            salt,
            limiter: Limiter::default(),
            desk,
            known: Mutex::default(),
            remembered: upstream::Remembered::default(),
        }))
    }

    /// Our name.
    pub fn issuer(&self) -> Arc<str> {
        self.issuer.read().clone()
    }

    /// Sets our name once it is known where the program listens.
    pub fn set_issuer(&self, issuer: &str) {
        *self.issuer.write() = issuer.trim_end_matches('/').into();
    }

    fn seal(&self, context: &str, value: &Value) -> Result<String, Fault> {
        let sealed = self.crypto.seal(
            Ring::Secrets,
            context.as_bytes(),
            value.to_string().as_bytes(),
        )?;
        Ok(jose::encode(&sealed))
    }

    /// Opens what [`Engine::seal`] made; `None` for anything else.
    fn unseal(&self, context: &str, text: &str) -> Option<Value> {
        let sealed = jose::decode(text)?;
        let plain = self
            .crypto
            .open(Ring::Secrets, context.as_bytes(), &sealed)
            .ok()?;
        serde_json::from_slice(&plain).ok()
    }

    /// Removes codes, tokens and grants that are over. May be repeated; meant to run every hour.
    pub async fn tidy(&self) -> Result<u64, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let day_before = (now - Span::days(1)).0;
        let mut removed = table::sweep(&mut tx, now.0, day_before).await?;
        removed += table::sweep_logouts(&mut tx, (now - Span::days(30)).0).await?;
        tx.commit().await?;
        Ok(removed)
    }
}

/// The salt of derived subjects, made at the first start and kept sealed.
async fn salt(store: &Store, crypto: &dyn Crypto) -> Result<Vec<u8>, Fault> {
    let context = b"openid.salt";
    let wrong = |what: &str| Fault::internal("reading the salt of subjects", what);
    if let Some(kept) = store.documents().get("openid", "salt").await? {
        let text = kept.json["sealed"].as_str().unwrap_or("");
        let sealed = jose::decode(text).ok_or_else(|| wrong("it is not base64"))?;
        return crypto.open(Ring::Secrets, context, &sealed);
    }
    let salt: [u8; 32] = rand::random();
    let sealed = jose::encode(&crypto.seal(Ring::Secrets, context, &salt)?);
    let mut tx = store.begin().await?;
    documents::put(
        &mut tx,
        "openid",
        "salt",
        &json!({ "sealed": sealed }),
        Some(0),
    )
    .await?;
    tx.commit().await?;
    Ok(salt.to_vec())
}

/// What is written down about a deed.
struct Deed<'a> {
    at: Time,
    by: &'a Actor,
    verb: &'a str,
    subject: &'a str,
    details: Value,
    outcome: &'a str,
}

/// Writes a deed into the audit log.
async fn record(tx: &mut Tx, deed: Deed<'_>) -> Result<(), Fault> {
    let entry = AuditEntry {
        at: deed.at,
        account: deed.by.account.clone(),
        verb: deed.verb.into(),
        object: "applications".into(),
        subject: deed.subject.into(),
        purpose: deed.by.grant.purpose.clone(),
        basis: deed.by.grant.basis.clone(),
        details: deed.details,
        outcome: deed.outcome.into(),
    };
    audit::append(tx, &entry).await?;
    Ok(())
}
