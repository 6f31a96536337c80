//! The desk of whoever asks wallets for presentations: what was asked, how it stands, what was
//! found. What a wallet showed is kept sealed for a day; that something was asked, for which purpose
//! and with which outcome, for [`KEPT`], to be looked up.

use super::presentation::Kept;
use crate::Engine;
use kernel::access::Actor;
use kernel::licences::{Verdict, Verification};
use kernel::{Fault, Span, Time, Words};
use serde::Serialize;
use serde_json::Value;
use store::licences::{self as rows, TokenRow};

/// How long requests stand in the list of whoever asked.
pub const KEPT: Span = Span::days(30);
/// Requests of a page.
const PAGE: u64 = 50;

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// No wallet has answered yet.
    Waiting,
    /// A wallet showed something; the verdict says what it is worth.
    Answered,
    /// The holder said no, or has no such licence.
    Declined,
    /// Nobody answered in time.
    Over,
}

/// A request in the list of whoever asked: nothing of what was shown.
#[derive(Clone, Debug, Serialize)]
pub struct RequestInfo {
    /// Identification.
    pub id: String,
    /// How it stands.
    pub state: RequestState,
    /// Type of licence.
    pub kind: String,
    /// Its title.
    pub title: Words,
    /// Names of the fields asked for.
    pub fields: Vec<String>,
    /// Who asks, as the holder reads it.
    pub verifier: String,
    /// What for.
    pub purpose: String,
    /// The matter it is for.
    pub matter: Option<String>,
    /// When it was asked.
    pub created_at: Time,
    /// Good until.
    pub expires_at: Time,
    /// When it was answered.
    pub answered_at: Option<Time>,
    /// What was found.
    pub verdict: Option<Verdict>,
    /// Whether the licence shown is that of the applicant of the matter.
    pub of_applicant: Option<bool>,
    /// What the wallet said instead (`access_denied` …).
    pub error: Option<String>,
}

/// A request with what was shown. Personal: no `Debug`.
#[derive(Clone, Serialize)]
pub struct RequestOutcome {
    /// How it stands.
    pub request: RequestInfo,
    /// What was found; `None` while nothing is, and again a day after.
    pub verification: Option<Verification>,
}

/// Under what requests of an account are kept: they are of no licence.
pub(super) fn asked_by(account: &str) -> String {
    format!("account:{account}")
}

pub(super) fn request_place(digest: &str) -> String {
    format!("licences/request/{digest}")
}

fn answer_place(digest: &str) -> String {
    format!("licences/answer/{digest}")
}

impl Engine {
    /// Requests of the asker, newest first, below this one.
    pub async fn vp_requests(
        &self,
        actor: &Actor,
        before: Option<&str>,
    ) -> Result<Vec<RequestInfo>, Fault> {
        let mut reader = self.store.reader().await?;
        let below = match before {
            Some(id) => Some(self.own_request(actor, id).await?.0),
            None => None,
        };
        let below = below.as_ref().map(|row| (row.created_at, &*row.digest));
        let of = asked_by(&actor.account);
        let found = rows::tokens_of(&mut reader, &of, "request", below, PAGE).await?;
        let info = |row: &TokenRow| Ok(self.info(row, &self.kept(row)?));
        found.iter().map(info).collect()
    }

    /// How a request stands and what was found, for whoever asked, by its state or identification.
    pub async fn vp_result(&self, actor: &Actor, name: &str) -> Result<RequestOutcome, Fault> {
        let (row, kept) = self.own_request(actor, name).await?;
        let digest = self.sealing.digest("answer", &row.digest);
        let mut reader = self.store.reader().await?;
        let shown = rows::token(&mut reader, &digest).await?;
        drop(reader);
        let shown = shown.and_then(|row| row.sealed);
        let verification = match shown {
            Some(sealed) => {
                let plain = self
                    .sealing
                    .open_bytes(&answer_place(&row.digest), &sealed)?;
                let found = serde_json::from_slice(&plain);
                Some(found.map_err(|_| Fault::internal("reading a presentation", "form"))?)
            }
            None => None,
        };
        Ok(RequestOutcome {
            request: self.info(&row, &kept),
            verification,
        })
    }

    /// A request by its state or identification, of whoever asked; anybody else's is not there.
    async fn own_request(&self, actor: &Actor, name: &str) -> Result<(TokenRow, Kept), Fault> {
        let missing = || Fault::missing("request");
        if name.len() > 200 {
            return Err(missing());
        }
        let by_state = self.sealing.digest("request", name);
        let row = match self.request_row(&by_state).await? {
            Some(row) => row,
            None => self.request_row(name).await?.ok_or_else(missing)?,
        };
        let kept = self.kept(&row)?;
        if kept.actor.account != actor.account {
            return Err(missing());
        }
        Ok((row, kept))
    }

    pub(super) async fn request_row(&self, digest: &str) -> Result<Option<TokenRow>, Fault> {
        let mut reader = self.store.reader().await?;
        let row = rows::token(&mut reader, digest).await?;
        Ok(row.filter(|row| row.kind == "request"))
    }

    pub(super) fn kept(&self, row: &TokenRow) -> Result<Kept, Fault> {
        let sealed = row.sealed.as_deref().unwrap_or_default();
        let place = request_place(&row.digest);
        let plain = self.sealing.open_bytes(&place, sealed)?;
        serde_json::from_slice(&plain).map_err(|e| Fault::internal("reading a request", e))
    }

    /// What was shown, to be kept beside its request: it is swept away a day later.
    pub(super) fn answer_row(
        &self,
        row: &TokenRow,
        found: &Verification,
        now: Time,
    ) -> Result<TokenRow, Fault> {
        let plain = serde_json::to_vec(found).map_err(|e| Fault::internal("verifying", e))?;
        let sealed = self.sealing.seal(&answer_place(&row.digest), &plain)?;
        Ok(TokenRow {
            digest: self.sealing.digest("answer", &row.digest),
            kind: "answer".into(),
            licence: row.licence.clone(),
            body: "{}".into(),
            sealed: Some(sealed),
            created_at: now.0,
            expires_at: now.0,
            used_at: Some(now.0),
        })
    }

    fn info(&self, row: &TokenRow, kept: &Kept) -> RequestInfo {
        let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
        let error = body["error"].as_str().map(String::from);
        let verdict = body["verdict"].as_str().and_then(Verdict::parse);
        let state = match (row.used_at, &error) {
            (Some(_), Some(_)) => RequestState::Declined,
            (Some(_), None) => RequestState::Answered,
            (None, _) if row.expires_at <= self.clock.now().0 => RequestState::Over,
            (None, _) => RequestState::Waiting,
        };
        let kind = self.current_type(&kept.kind);
        let title = kind.map(|(_, kind)| kind.decl.title.clone());
        RequestInfo {
            id: row.digest.clone(),
            state,
            title: title.unwrap_or_else(|| Words::new(&kept.kind, &kept.kind)),
            kind: kept.kind.clone(),
            fields: kept.fields.clone(),
            verifier: kept.why.verifier.clone(),
            purpose: kept.why.purpose.clone(),
            matter: kept.actor.standing.case.clone(),
            created_at: Time(row.created_at),
            expires_at: Time(row.expires_at),
            answered_at: row.used_at.map(Time),
            verdict,
            of_applicant: body["of_applicant"].as_bool(),
            error,
        }
    }
}
