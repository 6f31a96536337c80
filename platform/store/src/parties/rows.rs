//! Rows of the tables of parties, and how they are read and written.

use crate::sql::SqlRow;
use kernel::Fault;
use sea_query::Value;

pub(super) const PARTY: [&str; 11] = [
    "id",
    "kind",
    "document",
    "digest",
    "code",
    "name",
    "sealed",
    "proven",
    "created_at",
    "erased_at",
    "version",
];
pub(super) const ACCOUNT: [&str; 9] = [
    "account",
    "party",
    "level",
    "phone_digest",
    "phone",
    "phone_at",
    "created_at",
    "closed_at",
    "version",
];
pub(super) const TIE: [&str; 17] = [
    "id",
    "tie",
    "holder",
    "principal",
    "scope",
    "note",
    "evidence",
    "by_account",
    "from_at",
    "to_at",
    "state",
    "created_at",
    "accepted_at",
    "ended_at",
    "ended_by",
    "reason",
    "version",
];
pub(super) const STEP: [&str; 7] = [
    "subject",
    "version",
    "at",
    "by_account",
    "what",
    "details",
    "sealed",
];
pub(super) const CODE: [&str; 11] = [
    "id",
    "purpose",
    "account",
    "phone_digest",
    "phone",
    "address",
    "digest",
    "attempts",
    "sent_at",
    "expires_at",
    "used_at",
];
pub(super) const REQUEST: [&str; 10] = [
    "id",
    "account",
    "party",
    "kind",
    "sealed",
    "state",
    "created_at",
    "decided_at",
    "decided_by",
    "reason",
];

/// A natural or legal person. Times are microseconds UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct PartyRow {
    /// Identification.
    pub id: String,
    /// `natural` or `legal`.
    pub kind: String,
    /// Kind of document; `credit_code` for a legal person.
    pub document: String,
    /// Keyed digest of kind and number; `None` once erased.
    pub digest: Option<String>,
    /// Unified social credit code of a legal person: public.
    pub code: Option<String>,
    /// Name of a legal person: public.
    pub name: Option<String>,
    /// Number, name and birth of a natural person, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Number and name were verified, not only claimed by somebody else.
    pub proven: bool,
    /// Made at.
    pub created_at: i64,
    /// Erased at.
    pub erased_at: Option<i64>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// The account of a resident.
#[derive(Clone, Debug, PartialEq)]
pub struct PortalAccountRow {
    /// Account name.
    pub account: String,
    /// The natural person, once proven.
    pub party: Option<String>,
    /// Level of proof, 0 to 3.
    pub level: i64,
    /// Keyed digest of the proven mobile number.
    pub phone_digest: Option<String>,
    /// The proven mobile number, sealed.
    pub phone: Option<Vec<u8>>,
    /// Proven at.
    pub phone_at: Option<i64>,
    /// Made at.
    pub created_at: i64,
    /// Closed at.
    pub closed_at: Option<i64>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// What lets one person act for another.
#[derive(Clone, Debug, PartialEq)]
pub struct TieRow {
    /// Identification.
    pub id: String,
    /// `representative`, `agent`, `guardian_minor`, `guardian_elder`.
    pub tie: String,
    /// Party that acts.
    pub holder: String,
    /// Party acted for.
    pub principal: String,
    /// Kinds of matters, a JSON list; empty for all.
    pub scope: String,
    /// Name of the holder as the principal gave it, sealed.
    pub note: Option<Vec<u8>>,
    /// Identification of the document that proves it.
    pub evidence: String,
    /// Account that made it.
    pub by_account: String,
    /// In force from.
    pub from_at: i64,
    /// In force to (exclusive).
    pub to_at: Option<i64>,
    /// `invited`, `active`, `declined`, `revoked`.
    pub state: String,
    /// Made at.
    pub created_at: i64,
    /// Accepted at.
    pub accepted_at: Option<i64>,
    /// Declined or revoked at.
    pub ended_at: Option<i64>,
    /// By whom.
    pub ended_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Number of changes, from 1.
    pub version: i64,
}

/// One step in the history of a party, an account or a tie.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    /// Identification of the party or tie, or `account:` and its name.
    pub subject: String,
    /// Number of the step, from 1.
    pub version: i64,
    /// When.
    pub at: i64,
    /// Account that took it.
    pub by_account: String,
    /// What was done, a word.
    pub what: String,
    /// JSON; nothing personal.
    pub details: String,
    /// What stood before, sealed, when it was personal.
    pub sealed: Option<Vec<u8>>,
}

/// A code sent to a mobile number.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeRow {
    /// Identification.
    pub id: String,
    /// `phone` or `recovery`.
    pub purpose: String,
    /// Account it is for; `None` when there is none, which nobody is told.
    pub account: Option<String>,
    /// Keyed digest of the mobile number.
    pub phone_digest: String,
    /// The mobile number, sealed.
    pub phone: Option<Vec<u8>>,
    /// Keyed digest of the network it was asked from.
    pub address: String,
    /// Keyed digest of the code.
    pub digest: String,
    /// Wrong guesses.
    pub attempts: i64,
    /// Sent at.
    pub sent_at: i64,
    /// Good until.
    pub expires_at: i64,
    /// Used at.
    pub used_at: Option<i64>,
}

/// A request of somebody about their own data.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRow {
    /// Identification.
    pub id: String,
    /// Account that asks.
    pub account: String,
    /// Party it is about.
    pub party: Option<String>,
    /// `correction`, `erasure`, `consent`.
    pub kind: String,
    /// What is asked, sealed.
    pub sealed: Option<Vec<u8>>,
    /// `open`, `done`, `refused`.
    pub state: String,
    /// Asked at.
    pub created_at: i64,
    /// Decided at.
    pub decided_at: Option<i64>,
    /// By whom.
    pub decided_by: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

pub(super) fn read_party(row: &SqlRow) -> Result<PartyRow, Fault> {
    Ok(PartyRow {
        id: row.text("id")?,
        kind: row.text("kind")?,
        document: row.text("document")?,
        digest: row.opt_text("digest")?,
        code: row.opt_text("code")?,
        name: row.opt_text("name")?,
        sealed: row.opt_bytes("sealed")?,
        proven: row.i64("proven")? != 0,
        created_at: row.i64("created_at")?,
        erased_at: row.opt_i64("erased_at")?,
        version: row.i64("version")?,
    })
}

pub(super) fn read_account(row: &SqlRow) -> Result<PortalAccountRow, Fault> {
    Ok(PortalAccountRow {
        account: row.text("account")?,
        party: row.opt_text("party")?,
        level: row.i64("level")?,
        phone_digest: row.opt_text("phone_digest")?,
        phone: row.opt_bytes("phone")?,
        phone_at: row.opt_i64("phone_at")?,
        created_at: row.i64("created_at")?,
        closed_at: row.opt_i64("closed_at")?,
        version: row.i64("version")?,
    })
}

pub(super) fn read_tie(row: &SqlRow) -> Result<TieRow, Fault> {
    Ok(TieRow {
        id: row.text("id")?,
        tie: row.text("tie")?,
        holder: row.text("holder")?,
        principal: row.text("principal")?,
        scope: row.text("scope")?,
        note: row.opt_bytes("note")?,
        evidence: row.text("evidence")?,
        by_account: row.text("by_account")?,
        from_at: row.i64("from_at")?,
        to_at: row.opt_i64("to_at")?,
        state: row.text("state")?,
        created_at: row.i64("created_at")?,
        accepted_at: row.opt_i64("accepted_at")?,
        ended_at: row.opt_i64("ended_at")?,
        ended_by: row.opt_text("ended_by")?,
        reason: row.opt_text("reason")?,
        version: row.i64("version")?,
    })
}

pub(super) fn read_step(row: &SqlRow) -> Result<StepRow, Fault> {
    Ok(StepRow {
        subject: row.text("subject")?,
        version: row.i64("version")?,
        at: row.i64("at")?,
        by_account: row.text("by_account")?,
        what: row.text("what")?,
        details: row.text("details")?,
        sealed: row.opt_bytes("sealed")?,
    })
}

pub(super) fn read_code(row: &SqlRow) -> Result<CodeRow, Fault> {
    Ok(CodeRow {
        id: row.text("id")?,
        purpose: row.text("purpose")?,
        account: row.opt_text("account")?,
        phone_digest: row.text("phone_digest")?,
        phone: row.opt_bytes("phone")?,
        address: row.text("address")?,
        digest: row.text("digest")?,
        attempts: row.i64("attempts")?,
        sent_at: row.i64("sent_at")?,
        expires_at: row.i64("expires_at")?,
        used_at: row.opt_i64("used_at")?,
    })
}

pub(super) fn read_request(row: &SqlRow) -> Result<RequestRow, Fault> {
    Ok(RequestRow {
        id: row.text("id")?,
        account: row.text("account")?,
        party: row.opt_text("party")?,
        kind: row.text("kind")?,
        sealed: row.opt_bytes("sealed")?,
        state: row.text("state")?,
        created_at: row.i64("created_at")?,
        decided_at: row.opt_i64("decided_at")?,
        decided_by: row.opt_text("decided_by")?,
        reason: row.opt_text("reason")?,
    })
}

pub(super) fn values_of_party(row: &PartyRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.kind.clone().into(),
        row.document.clone().into(),
        row.digest.clone().into(),
        row.code.clone().into(),
        row.name.clone().into(),
        row.sealed.clone().into(),
        i64::from(row.proven).into(),
        row.created_at.into(),
        row.erased_at.into(),
        row.version.into(),
    ]
}

pub(super) fn values_of_account(row: &PortalAccountRow) -> Vec<Value> {
    vec![
        row.account.clone().into(),
        row.party.clone().into(),
        row.level.into(),
        row.phone_digest.clone().into(),
        row.phone.clone().into(),
        row.phone_at.into(),
        row.created_at.into(),
        row.closed_at.into(),
        row.version.into(),
    ]
}

pub(super) fn values_of_tie(row: &TieRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.tie.clone().into(),
        row.holder.clone().into(),
        row.principal.clone().into(),
        row.scope.clone().into(),
        row.note.clone().into(),
        row.evidence.clone().into(),
        row.by_account.clone().into(),
        row.from_at.into(),
        row.to_at.into(),
        row.state.clone().into(),
        row.created_at.into(),
        row.accepted_at.into(),
        row.ended_at.into(),
        row.ended_by.clone().into(),
        row.reason.clone().into(),
        row.version.into(),
    ]
}

pub(super) fn values_of_code(row: &CodeRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.purpose.clone().into(),
        row.account.clone().into(),
        row.phone_digest.clone().into(),
        row.phone.clone().into(),
        row.address.clone().into(),
        row.digest.clone().into(),
        row.attempts.into(),
        row.sent_at.into(),
        row.expires_at.into(),
        row.used_at.into(),
    ]
}

pub(super) fn values_of_request(row: &RequestRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.account.clone().into(),
        row.party.clone().into(),
        row.kind.clone().into(),
        row.sealed.clone().into(),
        row.state.clone().into(),
        row.created_at.into(),
        row.decided_at.into(),
        row.decided_by.clone().into(),
        row.reason.clone().into(),
    ]
}
