//! The running city as the handlers see it: the engines, what is configured, what is counted.

use crate::config::Config;
use kernel::city::Report;
use kernel::crypto::Crypto;
use kernel::devices::Gateway;
use kernel::organisations::OpenWork;
use kernel::{Actor, City, Decision, Fault, Time, Verb};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use store::Store;
use tokio::sync::{OwnedMutexGuard, Semaphore, watch};

/// How long an answer is remembered for its `Idempotency-Key`.
pub const KEY_LIFE: kernel::Span = kernel::Span::days(1);

/// Everything the handlers need.
pub struct App {
    /// The city's engines behind the kernel's traits (gateways are in [`App::gateways`]).
    pub city: City,
    /// The store, for what only the operator sees.
    pub store: Store,
    /// Accounts and sessions.
    pub identity: Arc<identity::Engine>,
    /// The keys of the city, behind the kernel's trait.
    pub crypto: Arc<dyn Crypto>,
    /// The same as an engine, for those who keep them.
    pub key_rings: Arc<crypto::Engine>,
    /// Who may do what, and why.
    pub policy: Arc<policy::Engine>,
    /// Natural and legal persons.
    pub parties: Arc<parties::Engine>,
    /// Messages of a demonstration.
    pub catcher: Option<Arc<parties::Catcher>>,
    /// Who used how much.
    pub metering: Arc<metering::Engine>,
    /// How fast callers come.
    pub rates: metering::Rates,
    /// Who knows how safe the city is.
    pub evidence: parking_lot::RwLock<Vec<Arc<dyn kernel::posture::Evidence>>>,
    /// The audit log: recording in bulk, trees, proofs, what residents ask.
    pub log: Arc<audit::Engine>,
    /// Legal holds.
    pub holds: Arc<retention::Engine>,
    /// The backup.
    pub backups: Arc<crate::backups::Backups>,
    /// The OpenID provider.
    pub openid: Arc<openid::Engine>,
    /// Makes calls to other machines.
    pub caller: Arc<crate::fetch::Caller>,
    /// The tree of organisations, its people and delegations.
    pub organisations: Arc<organisations::Engine>,
    /// Cases and their tasks.
    pub cases: Arc<cases::Engine>,
    /// Decisions, and expressions.
    pub decisions: Arc<decisions::Engine>,
    /// What cases ask of decisions and other engines.
    pub matters: Arc<crate::matters::Matters>,
    /// Electronic licences.
    pub licences: Arc<licences::Engine>,
    /// Items of service.
    pub items: Arc<items::Engine>,
    /// Applications for them.
    pub applications: Arc<applications::Engine>,
    /// Files and letters.
    pub documents: Arc<documents::Engine>,
    /// Messages.
    pub messages: Arc<office::Centre>,
    /// The office platform.
    pub office: Arc<office::Engine>,
    /// Service halls.
    pub visits: Arc<visits::Engine>,
    /// Who works where.
    pub staff: Arc<crate::window::Staff>,
    /// Kinds of work that are handed over when somebody moves.
    pub open_work: Vec<Arc<dyn OpenWork>>,
    /// Registers, for import.
    pub registers: Arc<registers::Engine>,
    /// Observations, for batches and export.
    pub observations: Arc<observations::Engine>,
    /// Indicators.
    pub indicators: Arc<indicators::Engine>,
    /// The HJ 212 gateway, once it listens.
    pub hj212: OnceLock<Arc<hj212::Server>>,
    /// Reports bound by the systems, by system and name.
    pub reports: BTreeMap<(String, String), Report>,
    /// Configuration in force.
    pub config: Config,
    /// When the program started.
    pub started_at: Time,
    /// The data come from the simulator.
    pub simulated: bool,
    /// The data are a replay of recorded ones.
    pub replaying: bool,
    /// Room for requests in work.
    pub room: Arc<Semaphore>,
    /// Room for readers of the live stream.
    pub live_room: Arc<Semaphore>,
    /// Requests since the start.
    pub requests_total: AtomicU64,
    /// Turns of requests with the same `Idempotency-Key`.
    pub keys: Turns,
    /// Becomes true when the program stops.
    pub stopping: watch::Receiver<bool>,
    /// Who came in at the web's door.
    pub door: Arc<crate::listen::Door>,
    /// TLS of the web, once it listens.
    pub tls: OnceLock<Arc<crate::listen::tls::Tls>>,
    /// Questions of certificate authorities that are open now.
    pub questions: crate::listen::tls::Questions,
    /// The door to other machines.
    pub outgoing: crate::outgoing::Outgoing,
    /// Background jobs.
    pub jobs: OnceLock<Arc<store::jobs::Jobs>>,
}

impl App {
    /// Gateways that are running.
    pub fn gateways(&self) -> Vec<Arc<dyn Gateway>> {
        self.hj212
            .get()
            .map(|g| g.clone() as Arc<dyn Gateway>)
            .into_iter()
            .collect()
    }

    /// The city with its running gateways.
    pub fn city_with_gateways(&self) -> City {
        City {
            gateways: self.gateways(),
            ..self.city.clone()
        }
    }

    /// How the audit log knows the natural person behind an actor, once proven.
    pub fn pseudonym_of(&self, actor: &Actor) -> Option<String> {
        let person = actor.standing.person.as_deref()?;
        self.log.pseudonym(person)
    }

    /// Is there a role of this name?
    pub fn knows_role(&self, name: &str) -> bool {
        self.city
            .declared
            .roles()
            .iter()
            .any(|role| role.name == name)
    }

    /// Requests being worked on.
    pub fn requests_in_work(&self) -> usize {
        (self.config.number("max_requests") as usize).saturating_sub(self.room.available_permits())
    }

    /// Writes a deed into the audit log, with the purpose and basis of the grant that allows it.
    pub async fn audit(
        &self,
        actor: &Actor,
        verb: Verb,
        object: &str,
        subject: &str,
        details: Value,
    ) -> Result<(), Fault> {
        self.audit_as("done", actor, verb, object, subject, details)
            .await
    }

    /// The same with another outcome: `begun` for what ends later, `failed`.
    pub async fn audit_as(
        &self,
        outcome: &str,
        actor: &Actor,
        verb: Verb,
        object: &str,
        subject: &str,
        details: Value,
    ) -> Result<(), Fault> {
        let (purpose, basis) = match self.city.policy.may(actor, verb, object) {
            Decision::Allowed { purpose, basis, .. } => (purpose, basis),
            Decision::Denied { .. } => (String::new(), String::new()),
        };
        let entry = store::audit::AuditEntry {
            at: self.city.clock.now(),
            account: actor.account.clone(),
            verb: verb.word().into(),
            object: object.into(),
            subject: subject.into(),
            purpose,
            basis,
            details: actor.on_behalf(details),
            outcome: outcome.into(),
        };
        self.log.record(vec![entry]).await
    }

    /// The answer given before for this key, if it is remembered.
    pub async fn kept_answer(&self, key: &str) -> Result<Option<(u16, String)>, Fault> {
        let found = self.store.documents().get("idempotency", key).await?;
        Ok(found.and_then(|d| {
            let at = d.json["at"].as_i64()?;
            let fresh = self.city.clock.now().0 - at < KEY_LIFE.0;
            let status = d.json["status"].as_u64()? as u16;
            fresh.then(|| (status, d.json["body"].as_str().unwrap_or("").to_string()))
        }))
    }

    /// Remembers an answer.
    pub async fn keep_answer(&self, key: &str, status: u16, body: String) -> Result<(), Fault> {
        let json = json!({"at": self.city.clock.now().0, "status": status, "body": body});
        let mut tx = self.store.begin().await?;
        store::documents::put(&mut tx, "idempotency", key, &json, None).await?;
        tx.commit().await
    }

    /// Forgets answers whose time is over; a job.
    pub async fn forget_answers(&self) -> Result<(), Fault> {
        let now = self.city.clock.now().0;
        let mut after: Option<String> = None;
        loop {
            let page = self
                .store
                .documents()
                .list_by_prefix("idempotency", "", after.as_deref(), 500)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.key.clone());
            let mut tx = self.store.begin().await?;
            for old in page
                .iter()
                .filter(|d| now - d.json["at"].as_i64().unwrap_or(0) > KEY_LIFE.0)
            {
                store::documents::delete(&mut tx, "idempotency", &old.key).await?;
            }
            tx.commit().await?;
        }
    }
}

/// One turn at a time for each key; keys without anybody waiting take no memory.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits for the key's turn.
    pub async fn turn(&self, key: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut keys = self.0.lock();
            keys.retain(|_, lock| Arc::strong_count(lock) > 1);
            keys.entry(key.to_string()).or_default().clone()
        };
        lock.lock_owned().await
    }
}
