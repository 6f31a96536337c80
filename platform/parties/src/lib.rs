//! parties: natural and legal persons as portal accounts. Who is behind an account and how well
//! that is proven, who may act for whom, and what the law lets everybody do with their own data.
//!
//! Numbers, names and telephone numbers lie sealed in the store; they are found by a keyed digest
//! only. A level of proof rises by proof alone and falls by withdrawal with a reason. One person
//! has one account. Nothing said to a stranger tells whether somebody is known here.

mod acting;
mod codes;
mod demo;
mod desk;
mod limits;
mod mine;
mod prove;
mod recover;
mod register;
mod reseal;
mod rights;
mod sealing;
mod ties;

pub use acting::{ActingFor, ActingOption};
pub use codes::Sent;
pub use demo::{Catcher, Caught, DemoProver, demo_child, demo_person};
pub use desk::{CounterProof, Found, NewGuardianship, NewLegal, PartyInfo, PartyPage, Revealed};
pub use mine::{Export, Mine, StepInfo};
pub use recover::Recovery;
pub use register::{NewRegistration, Registered};
pub use rights::{NewRequest, RequestInfo, RequestPage};
pub use ties::{NewAgent, NewWard, TieInfo};

use kernel::access::Actor;
use kernel::crypto::Crypto;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::parties::{IdentityProver, Messenger, Parties, ResidentAccounts, Standing};
use kernel::{Clock, Fault, Problem, Span, Time, Words};
use limits::Limits;
use sealing::Sealing;
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::parties::{self as rows, PortalAccountRow, StepRow};
use store::{Run, Store, Tx, events};

/// Level of an account whose mobile number is proven.
pub const LEVEL_PHONE: i64 = 1;
/// Level of an account whose holder was proven by document on line.
pub const LEVEL_ONLINE: i64 = 2;
/// Level of an account whose holder was seen at a counter.
pub const LEVEL_COUNTER: i64 = 3;

/// What the engine works with besides the store.
pub struct Means {
    /// Keys: personal data are sealed with them.
    pub crypto: Arc<dyn Crypto>,
    /// Carries codes.
    pub messenger: Arc<dyn Messenger>,
    /// Verifies identities.
    pub prover: Arc<dyn IdentityProver>,
    /// Accounts.
    pub accounts: Arc<dyn ResidentAccounts>,
}

/// The parties engine.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    sealing: Sealing,
    messenger: Arc<dyn Messenger>,
    prover: Arc<dyn IdentityProver>,
    accounts: Arc<dyn ResidentAccounts>,
    limits: Limits,
}

impl Engine {
    /// Opens the engine; makes the key of its digests at the first start.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: Means,
    ) -> Result<Arc<Engine>, Fault> {
        let sealing = Sealing::open(&store, means.crypto).await?;
        Ok(Arc::new(Engine {
            store,
            clock,
            sealing,
            messenger: means.messenger,
            prover: means.prover,
            accounts: means.accounts,
            limits: Limits::default(),
        }))
    }

    /// Can a code be sent, can identities be verified on line, and are those synthetic?
    pub fn means(&self) -> Value {
        json!({
            "messages": self.messenger.is_ready(),
            "online_proof": self.prover.is_ready(),
            "demonstration": self.prover.is_demonstration(),
        })
    }

    /// The account of a login name: a proven mobile number stands for its account.
    pub async fn login_name(&self, login: &str) -> Result<String, Fault> {
        let Some(mobile) = kernel::numbers::mobile(login) else {
            return Ok(login.into());
        };
        let digest = self.sealing.phone_digest(&mobile);
        let mut reader = self.store.reader().await?;
        let found = rows::account_by_phone(&mut reader, &digest).await?;
        Ok(found.map_or_else(|| login.into(), |row| row.account))
    }

    /// The party behind an account, once proven: how the audit log names it.
    pub async fn party_of_account(&self, account: &str) -> Result<Option<String>, Fault> {
        let mut reader = self.store.reader().await?;
        let row = rows::account(&mut reader, account).await?;
        let open = row.filter(|row| row.closed_at.is_none() && row.level >= LEVEL_ONLINE);
        Ok(open.and_then(|row| row.party))
    }

    /// Forgets codes and choices that are long over. A job.
    pub async fn tidy(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        rows::sweep_codes(&mut tx, (now - Span::days(1)).0).await?;
        // No session lives longer than a month.
        rows::sweep_acting(&mut tx, (now - Span::days(31)).0).await?;
        tx.commit().await
    }

    /// The account of a resident that is open; somebody else's kind of account has none.
    async fn open_account(
        &self,
        run: &mut impl Run,
        account: &str,
    ) -> Result<PortalAccountRow, Fault> {
        let found = rows::account(run, account).await?;
        let open = found.filter(|row| row.closed_at.is_none());
        open.ok_or_else(|| Fault::missing("portal account"))
    }
}

#[async_trait::async_trait]
impl Parties for Engine {
    async fn standing(&self, account: &str, session: Option<&str>) -> Result<Standing, Fault> {
        self.stand(account, session).await
    }
    async fn demand_matter(&self, actor: &Actor, matter: &str) -> Result<(), Fault> {
        self.demand(actor, matter).await
    }
}

/// A deed to write down: what was done to which party, account or tie, why, on which basis.
struct Deed<'a> {
    verb: &'a str,
    subject: &'a str,
    what: &'a str,
    details: Value,
    purpose: &'a str,
    basis: &'a str,
    outcome: &'a str,
}

impl<'a> Deed<'a> {
    /// A change that took effect, by somebody in their own affairs.
    fn own(subject: &'a str, what: &'a str, details: Value) -> Deed<'a> {
        Deed {
            verb: "write",
            subject,
            what,
            details,
            purpose: "办理本人事项",
            basis: "《中华人民共和国个人信息保护法》第十三条第一款第一项",
            outcome: "done",
        }
    }

    /// A change by an official, under the grant that admitted it.
    fn official(actor: &'a Actor, subject: &'a str, what: &'a str, details: Value) -> Deed<'a> {
        Deed {
            purpose: &actor.grant.purpose,
            basis: &actor.grant.basis,
            ..Deed::own(subject, what, details)
        }
    }

    fn outcome(mut self, outcome: &'a str) -> Deed<'a> {
        self.outcome = outcome;
        self
    }
    fn verb(mut self, verb: &'a str) -> Deed<'a> {
        self.verb = verb;
        self
    }
    fn under(mut self, purpose: &'a str, basis: &'a str) -> Deed<'a> {
        (self.purpose, self.basis) = (purpose, basis);
        self
    }
}

/// Writes a deed into the audit log.
async fn record(tx: &mut Tx, at: Time, actor: &Actor, deed: Deed<'_>) -> Result<(), Fault> {
    let mut details = deed.details;
    if let Some(object) = details.as_object_mut() {
        object.insert("what".into(), deed.what.into());
    }
    let entry = AuditEntry {
        at,
        account: actor.account.clone(),
        verb: deed.verb.into(),
        object: "parties".into(),
        subject: deed.subject.into(),
        purpose: deed.purpose.into(),
        basis: deed.basis.into(),
        details: actor.on_behalf(details),
        outcome: deed.outcome.into(),
    };
    audit::append(tx, &entry).await?;
    Ok(())
}

/// Writes a change: audit, the log of events, and the history of its subject.
async fn change(
    tx: &mut Tx,
    at: Time,
    actor: &Actor,
    version: i64,
    before: Option<Vec<u8>>,
    deed: Deed<'_>,
) -> Result<(), Fault> {
    let step = StepRow {
        subject: deed.subject.into(),
        version,
        at: at.0,
        by_account: actor.account.clone(),
        what: deed.what.into(),
        details: deed.details.to_string(),
        sealed: before,
    };
    let body = json!({ "subject": deed.subject, "by": actor.account, "what": deed.what });
    rows::add_step(tx, &step).await?;
    let subject = deed.subject.to_string();
    record(tx, at, actor, deed).await?;
    let body = body.to_string();
    events::append(tx, at, EventKind::Identity, &subject, body.as_bytes()).await?;
    Ok(())
}

/// Subject of an account in audit and history.
fn account_subject(account: &str) -> String {
    format!("account:{account}")
}

/// The actor behind an account, where only its name is at hand.
fn actor_of(account: &str) -> Actor {
    Actor {
        account: account.into(),
        ..Actor::default()
    }
}

fn problem(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

fn refuse(problems: Vec<Problem>) -> Result<(), Fault> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

/// A reason, purpose or evidence: 2 to `most` characters that can be printed.
fn said(at: &str, text: &str, most: usize) -> Option<Problem> {
    let length = text.trim().chars().count();
    let sound = (2..=most).contains(&length) && !text.contains(char::is_control);
    (!sound).then(|| {
        problem(
            at,
            format!("须为 2 至 {most} 个字"),
            format!("2 to {most} characters"),
        )
    })
}

fn level_too_low(needed: i64) -> Fault {
    Fault::new(
        FaultKind::Denied,
        "parties.level",
        format!("办理此事项需要实名核验达到 {needed} 级，请先在“我的身份”中提升"),
        format!("this needs an identity proven to level {needed}; raise it under \"my identity\""),
    )
}

fn too_many(wait_s: u32) -> Fault {
    let mut fault = Fault::new(
        FaultKind::TooMany,
        "input.too_many",
        "操作过于频繁，请稍后再试",
        "too many attempts; please try again later",
    );
    fault.retry_after_s = Some(wait_s);
    fault
}
