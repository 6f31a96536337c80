//! Rows of the tables of licences, and how they are read and written.

use crate::sql::SqlRow;
use kernel::Fault;
use sea_query::Value;

pub(super) const LICENCE: [&str; 26] = [
    "id",
    "identifier",
    "kind",
    "kind_version",
    "holder",
    "person",
    "name",
    "source",
    "request",
    "sealed",
    "signed_by",
    "algorithm",
    "signature",
    "state",
    "reason",
    "status",
    "status_list",
    "status_index",
    "valid_from",
    "valid_to",
    "issued_at",
    "expired_at",
    "replaces",
    "replaced_by",
    "seq",
    "version",
];
pub(super) const STEP: [&str; 8] = [
    "licence",
    "version",
    "at",
    "by_account",
    "what",
    "state",
    "reason",
    "details",
];
pub(super) const USE: [&str; 12] = [
    "id",
    "licence",
    "at",
    "way",
    "by_account",
    "organisation",
    "verifier",
    "purpose",
    "basis",
    "fields",
    "verdict",
    "matter",
];
pub(super) const TOKEN: [&str; 8] = [
    "digest",
    "kind",
    "licence",
    "body",
    "sealed",
    "created_at",
    "expires_at",
    "used_at",
];

/// A licence. Times are microseconds UTC. What is personal is sealed; what it is found by is a
/// keyed digest.
#[derive(Clone, Debug, PartialEq)]
pub struct LicenceRow {
    /// Identification (ULID).
    pub id: String,
    /// Identifier of GB/T 36904.
    pub identifier: String,
    /// Name of its type.
    pub kind: String,
    /// Version of the type it was issued under.
    pub kind_version: i64,
    /// Keyed digest of the holder's number.
    pub holder: String,
    /// The holder as the audit log knows natural persons (a pseudonym).
    pub person: Option<String>,
    /// Keyed digest of the holder's name, bound to the identifier.
    pub name: String,
    /// Keyed digest of the reference it was issued for.
    pub source: String,
    /// Keyed digest of what was asked for.
    pub request: String,
    /// The signed content, sealed.
    pub sealed: Vec<u8>,
    /// Key that signed it.
    pub signed_by: String,
    /// Algorithm of the signature.
    pub algorithm: String,
    /// Signature over the content.
    pub signature: Vec<u8>,
    /// `in_force`, `suspended`, `withdrawn`, `cancelled`, `penalty`, `replaced`.
    pub state: String,
    /// Why it stands so.
    pub reason: Option<String>,
    /// Value in the status list.
    pub status: i64,
    /// Number of its status list.
    pub status_list: i64,
    /// Its place in that list.
    pub status_index: i64,
    /// Valid from.
    pub valid_from: i64,
    /// Valid to, exclusive.
    pub valid_to: Option<i64>,
    /// Issued at.
    pub issued_at: i64,
    /// When its end was written into its history.
    pub expired_at: Option<i64>,
    /// Identifier of the licence it replaces.
    pub replaces: Option<String>,
    /// Identifier of the licence that replaces it.
    pub replaced_by: Option<String>,
    /// Number among all licences, from 0.
    pub seq: i64,
    /// Number of changes, from 1.
    pub version: i64,
}

/// One step in the history of a licence.
#[derive(Clone, Debug, PartialEq)]
pub struct StepRow {
    /// Identification of the licence.
    pub licence: String,
    /// Number of the step, from 1.
    pub version: i64,
    /// When.
    pub at: i64,
    /// Account that took it.
    pub by_account: String,
    /// `issue`, `reissue`, `replace`, `suspend`, `resume`, `revoke`, `expire`, `sign`.
    pub what: String,
    /// State afterwards.
    pub state: String,
    /// Why.
    pub reason: String,
    /// JSON; nothing personal.
    pub details: String,
}

/// Somebody used a licence.
#[derive(Clone, Debug, PartialEq)]
pub struct UseRow {
    /// Identification (ULID).
    pub id: String,
    /// Identification of the licence.
    pub licence: String,
    /// When.
    pub at: i64,
    /// `token`, `identifier`, `document`, `wallet`, `office`.
    pub way: String,
    /// Account; empty for somebody not signed in.
    pub by_account: String,
    /// Organisation of an office.
    pub organisation: String,
    /// Who, as they said.
    pub verifier: String,
    /// For which purpose.
    pub purpose: String,
    /// On which basis.
    pub basis: String,
    /// Fields shown, a JSON list of names.
    pub fields: String,
    /// What was found.
    pub verdict: String,
    /// The matter in hand, when one was named.
    pub matter: String,
}

/// A secret that is good once: a code of a QR, an offer to a wallet, its access, a nonce, a
/// request for a presentation. Only its digest is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    /// Digest of the secret.
    pub digest: String,
    /// `present`, `offer`, `access`, `nonce`, `request`.
    pub kind: String,
    /// Identification of the licence; empty when it is for none.
    pub licence: String,
    /// JSON; nothing personal.
    pub body: String,
    /// What of it is personal, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Made at.
    pub created_at: i64,
    /// Good until.
    pub expires_at: i64,
    /// Used at.
    pub used_at: Option<i64>,
}

pub(super) fn read_licence(row: &SqlRow) -> Result<LicenceRow, Fault> {
    Ok(LicenceRow {
        id: row.text("id")?,
        identifier: row.text("identifier")?,
        kind: row.text("kind")?,
        kind_version: row.i64("kind_version")?,
        holder: row.text("holder")?,
        person: row.opt_text("person")?,
        name: row.text("name")?,
        source: row.text("source")?,
        request: row.text("request")?,
        sealed: row.bytes("sealed")?,
        signed_by: row.text("signed_by")?,
        algorithm: row.text("algorithm")?,
        signature: row.bytes("signature")?,
        state: row.text("state")?,
        reason: row.opt_text("reason")?,
        status: row.i64("status")?,
        status_list: row.i64("status_list")?,
        status_index: row.i64("status_index")?,
        valid_from: row.i64("valid_from")?,
        valid_to: row.opt_i64("valid_to")?,
        issued_at: row.i64("issued_at")?,
        expired_at: row.opt_i64("expired_at")?,
        replaces: row.opt_text("replaces")?,
        replaced_by: row.opt_text("replaced_by")?,
        seq: row.i64("seq")?,
        version: row.i64("version")?,
    })
}

pub(super) fn read_step(row: &SqlRow) -> Result<StepRow, Fault> {
    Ok(StepRow {
        licence: row.text("licence")?,
        version: row.i64("version")?,
        at: row.i64("at")?,
        by_account: row.text("by_account")?,
        what: row.text("what")?,
        state: row.text("state")?,
        reason: row.text("reason")?,
        details: row.text("details")?,
    })
}

pub(super) fn read_use(row: &SqlRow) -> Result<UseRow, Fault> {
    Ok(UseRow {
        id: row.text("id")?,
        licence: row.text("licence")?,
        at: row.i64("at")?,
        way: row.text("way")?,
        by_account: row.text("by_account")?,
        organisation: row.text("organisation")?,
        verifier: row.text("verifier")?,
        purpose: row.text("purpose")?,
        basis: row.text("basis")?,
        fields: row.text("fields")?,
        verdict: row.text("verdict")?,
        matter: row.text("matter")?,
    })
}

pub(super) fn read_token(row: &SqlRow) -> Result<TokenRow, Fault> {
    Ok(TokenRow {
        digest: row.text("digest")?,
        kind: row.text("kind")?,
        licence: row.text("licence")?,
        body: row.text("body")?,
        sealed: row.opt_bytes("sealed")?,
        created_at: row.i64("created_at")?,
        expires_at: row.i64("expires_at")?,
        used_at: row.opt_i64("used_at")?,
    })
}

pub(super) fn values_of_licence(row: &LicenceRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.identifier.clone().into(),
        row.kind.clone().into(),
        row.kind_version.into(),
        row.holder.clone().into(),
        row.person.clone().into(),
        row.name.clone().into(),
        row.source.clone().into(),
        row.request.clone().into(),
        row.sealed.clone().into(),
        row.signed_by.clone().into(),
        row.algorithm.clone().into(),
        row.signature.clone().into(),
        row.state.clone().into(),
        row.reason.clone().into(),
        row.status.into(),
        row.status_list.into(),
        row.status_index.into(),
        row.valid_from.into(),
        row.valid_to.into(),
        row.issued_at.into(),
        row.expired_at.into(),
        row.replaces.clone().into(),
        row.replaced_by.clone().into(),
        row.seq.into(),
        row.version.into(),
    ]
}

pub(super) fn values_of_step(row: &StepRow) -> Vec<Value> {
    vec![
        row.licence.clone().into(),
        row.version.into(),
        row.at.into(),
        row.by_account.clone().into(),
        row.what.clone().into(),
        row.state.clone().into(),
        row.reason.clone().into(),
        row.details.clone().into(),
    ]
}

pub(super) fn values_of_use(row: &UseRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.licence.clone().into(),
        row.at.into(),
        row.way.clone().into(),
        row.by_account.clone().into(),
        row.organisation.clone().into(),
        row.verifier.clone().into(),
        row.purpose.clone().into(),
        row.basis.clone().into(),
        row.fields.clone().into(),
        row.verdict.clone().into(),
        row.matter.clone().into(),
    ]
}

pub(super) fn values_of_token(row: &TokenRow) -> Vec<Value> {
    vec![
        row.digest.clone().into(),
        row.kind.clone().into(),
        row.licence.clone().into(),
        row.body.clone().into(),
        row.sealed.clone().into(),
        row.created_at.into(),
        row.expires_at.into(),
        row.used_at.into(),
    ]
}
