//! identity: who somebody is and what they may do. Local accounts with argon2id, second factors
//! (one-time codes, passkeys, recovery codes), sessions, tokens of programs, and the roles they
//! hold; what roles allow is answered by the policy. A password is kept as its hash only, a session
//! or token as its SHA-256 only, the secret of a second factor sealed, and every change of an
//! account is in the audit log.

mod accounts;
mod basic;
mod breach;
mod factors;
mod federated;
mod limiter;
mod passkeys;
mod passwords;
mod recovery;
mod roles;
mod secrets;
mod sessions;
mod steps;
mod tickets;
mod tokens;
mod totp;

pub use accounts::{Account, AccountChange, AccountPage, NewAccount};
pub use breach::import as import_breached;
pub use factors::{Enrolled, FactorInfo, NewTotp, Restriction, Security};
pub use passwords::{HashCost, LONGEST_BYTES, SHORTEST};
pub use sessions::{Origin, Recognised, SessionInfo, SignedIn};
pub use steps::{Again, Challenge, Proof, SignIn};
pub use tickets::Keys;
pub use tokens::{NewToken, TokenInfo};

use breach::Breached;
use kernel::declare::Declared;
use kernel::events::EventKind;
use kernel::organisations::Organisations;
use kernel::{Clock, Fault, Span, Time};
use limiter::Limiter;
use parking_lot::Mutex;
use passwords::Hasher;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use store::audit::{self, AuditEntry};
use store::{Store, Tx, events};

/// What can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Cost of a password hash.
    pub cost: HashCost,
    /// Hashes computed at a time; 0 for half of the processors.
    pub hashing_at_once: usize,
    /// A session ends when it was not used for so long.
    pub idle: Span,
    /// A session ends after so long in any case.
    pub longest: Span,
    /// Sessions of one account; the oldest is ended for another.
    pub sessions_per_account: usize,
    /// Passwords before the present one that may not be used again.
    pub passwords_remembered: u64,
    /// A password must be changed after so long; 0 for never.
    pub password_life: Span,
    /// Everybody needs a second factor, not only the roles that demand one.
    pub second_factor_for_all: bool,
    /// Address at which browsers find the pages, such as `https://city.example`; empty for this
    /// machine. Passkeys are bound to it.
    pub public_url: String,
    /// Leaked passwords beside the built-in list, made by [`import_breached`].
    pub breached: Option<PathBuf>,
    /// The keys that seal second factors.
    pub keys: Keys,
}

impl Default for Settings {
    /// 19 MiB and two passes a hash; sessions of two hours idle, twelve hours at most, twenty an
    /// account.
    fn default() -> Settings {
        Settings {
            cost: HashCost::default(),
            hashing_at_once: 0,
            idle: Span::hours(2),
            longest: Span::hours(12),
            sessions_per_account: 20,
            passwords_remembered: 5,
            password_life: Span(0),
            second_factor_for_all: false,
            public_url: String::new(),
            breached: None,
            keys: Keys::default(),
        }
    }
}

/// The identity engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    declared: Arc<Declared>,
    roles: roles::Roles,
    settings: Settings,
    hasher: Hasher,
    limiter: Limiter,
    /// Of second factors, whose attempts count for themselves.
    factor_limiter: Limiter,
    breached: Breached,
    /// The relying party of passkeys.
    party: Option<webauthn_rs::Webauthn>,
    /// Roles that demand a second factor.
    demanding: HashSet<String>,
    basic: basic::Remembered,
    /// Organisations made while the city runs; those of the files are known anyway.
    organisations: OnceLock<Arc<dyn Organisations>>,
    /// Hash of a session or token → when it was last used, not yet in the store. Bounded.
    used: Mutex<HashMap<String, i64>>,
}

impl Engine {
    /// Opens the engine with the usual settings.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
    ) -> Result<Arc<Engine>, Fault> {
        Engine::open_with(store, clock, declared, Settings::default()).await
    }

    /// Opens the engine with these settings.
    pub async fn open_with(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
        settings: Settings,
    ) -> Result<Arc<Engine>, Fault> {
        let title = format!("{} · 冀城 Jicheng", declared.city.title.zh);
        let demanding = declared.roles().into_iter().filter(|r| r.second_factor);
        let demanding = demanding.map(|r| r.name).collect();
        Ok(Arc::new(Engine {
            store,
            clock,
            roles: roles::Roles::of(&declared),
            demanding,
            breached: Breached::open(settings.breached.as_deref())?,
            party: passkeys::relying_party(&settings.public_url, &title)?,
            factor_limiter: Limiter::default(),
            declared,
            hasher: Hasher::new(settings.cost, settings.hashing_at_once).await?,
            settings,
            limiter: Limiter::default(),
            basic: basic::Remembered::default(),
            organisations: OnceLock::new(),
            used: Mutex::default(),
        }))
    }

    /// Hands over the tree of organisations, so that accounts can belong to those made while the
    /// city runs.
    pub fn know_organisations(&self, organisations: Arc<dyn Organisations>) {
        let _ = self.organisations.set(organisations);
    }

    /// Removes sessions and tokens that are over from the store, and writes into it the times of
    /// last use that memory holds. May be repeated; meant to run every minute. Says how many
    /// sessions and tokens were removed.
    pub async fn tidy(&self) -> Result<u64, Fault> {
        let now = self.clock.now();
        let used: Vec<(String, i64)> = {
            let held = self.used.lock();
            held.iter().map(|(hash, at)| (hash.clone(), *at)).collect()
        };
        let mut tx = self.store.begin().await?;
        store::accounts::touch(&mut tx, &used).await?;
        let idle_since = now - self.settings.idle;
        let removed = store::accounts::sweep(&mut tx, now.0, idle_since.0).await?;
        let begun = now - Span::days(1);
        store::factors::sweep(&mut tx, now.0, begun.0).await?;
        tx.commit().await?;
        let mut held = self.used.lock();
        for (hash, at) in used {
            // Used again meanwhile: for the next time.
            if held.get(&hash) == Some(&at) {
                held.remove(&hash);
            }
        }
        Ok(removed)
    }
}

/// What is written down about a deed of identity.
struct Deed<'a> {
    at: Time,
    by: &'a str,
    verb: &'a str,
    subject: &'a str,
    details: Value,
    outcome: &'a str,
}

/// Writes a deed into the audit log.
async fn record(tx: &mut Tx, deed: Deed<'_>) -> Result<(), Fault> {
    let entry = AuditEntry {
        at: deed.at,
        account: deed.by.into(),
        verb: deed.verb.into(),
        object: "accounts".into(),
        subject: deed.subject.into(),
        purpose: String::new(),
        basis: String::new(),
        details: deed.details,
        outcome: deed.outcome.into(),
    };
    audit::append(tx, &entry).await?;
    Ok(())
}

/// Writes a change of an account into the audit log and the log of events.
async fn record_change(
    tx: &mut Tx,
    at: Time,
    by: &str,
    subject: &str,
    details: Value,
) -> Result<(), Fault> {
    let body = json!({ "account": subject, "by": by, "change": details }).to_string();
    let deed = Deed {
        at,
        by,
        verb: "operate",
        subject,
        details,
        outcome: "done",
    };
    record(tx, deed).await?;
    events::append(tx, at, EventKind::Identity, subject, body.as_bytes()).await?;
    Ok(())
}
