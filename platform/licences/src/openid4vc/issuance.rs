//! Issuance (OpenID4VCI 1.0): the wallet of a holder redeems the code of their offer ([`super::offers`])
//! for an access token, proves its key over a nonce of ours, and gets the licence bound to that
//! key. Code, token and nonce are good once.

use super::offers::GUESSES;
use super::{Refusal, Stop, refused};
use crate::uses::Entry;
use crate::wallet::secret;
use crate::{Engine, jose, sd_jwt};
use jose::Token;
use kernel::licences::Verdict;
use kernel::{Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::licences::{self as rows, LicenceRow, TokenRow, UseRow};

/// The grant of the flow.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// How long an access token is good.
const ACCESS: Span = Span::minutes(10);
/// How long a nonce is good.
const NONCE: Span = Span::minutes(5);
/// How old a proof may be, in seconds.
const PROOF_AGE_S: i64 = 300;

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986).
pub(super) fn percent(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

pub(super) fn blank(kind: &str, digest: String, licence: &str, now: Time, life: Span) -> TokenRow {
    TokenRow {
        digest,
        kind: kind.into(),
        licence: licence.into(),
        body: "{}".into(),
        sealed: None,
        created_at: now.0,
        expires_at: (now + life).0,
        used_at: None,
    }
}

impl Engine {
    /// The token endpoint: form parameters in, token response out (OpenID4VCI 6).
    pub async fn vci_token(&self, form: &BTreeMap<String, String>) -> Result<Value, Stop> {
        if form.get("grant_type").map(String::as_str) != Some(GRANT) {
            return Err(refused(
                "unsupported_grant_type",
                "only the pre-authorized code grant is supported here",
            ));
        }
        let code = form.get("pre-authorized_code").filter(|c| c.len() <= 200);
        let code =
            code.ok_or_else(|| refused("invalid_request", "pre-authorized_code is needed"))?;
        let typed = form.get("tx_code").map(String::as_str).unwrap_or_default();
        let now = self.clock.now();
        let spent = || {
            refused(
                "invalid_grant",
                "the code is unknown, used or over, or tx_code is wrong",
            )
        };
        let digest = self.sealing.digest("offer", code);
        let mut tx = self.store.begin().await?;
        let known = rows::token(&mut tx, &digest).await?;
        let mut offer = known.filter(|row| row.kind == "offer").ok_or_else(spent)?;
        if offer.used_at.is_some() || offer.expires_at <= now.0 {
            return Err(spent());
        }
        let body: Value = serde_json::from_str(&offer.body).unwrap_or_default();
        let right = self.sealing.digest("tx_code", &format!("{code}/{typed}"));
        if body["tx_code"].as_str() != Some(right.as_str()) {
            let guesses = body["guesses"].as_i64().unwrap_or(0) + 1;
            offer.body = json!({ "tx_code": body["tx_code"], "guesses": guesses }).to_string();
            offer.used_at = (guesses >= GUESSES).then_some(now.0);
            rows::put_token(&mut tx, &offer).await?;
            tx.commit().await?;
            return Err(spent());
        }
        if !rows::use_token(&mut tx, &digest, now.0).await? {
            return Err(spent());
        }
        let access = secret();
        let digest = self.sealing.digest("access", &access);
        let mut given = blank("access", digest, &offer.licence, now, ACCESS);
        given.body = json!({ "offer": offer.digest }).to_string();
        rows::add_token(&mut tx, &given).await?;
        tx.commit().await?;
        Ok(json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": ACCESS.0 / 1_000_000,
        }))
    }

    /// The nonce endpoint (OpenID4VCI 7). To be answered with `Cache-Control: no-store`. Nothing is
    /// kept of it until it is used: strangers may ask for as many as they like.
    pub async fn vci_nonce(&self) -> Result<Value, Stop> {
        let until = (self.clock.now() + NONCE).0 / 1_000_000;
        let body = format!("{until}.{}", secret());
        let mark = self.sealing.digest("c_nonce", &body);
        Ok(json!({ "c_nonce": format!("{body}.{mark}") }))
    }

    /// Until when a nonce of ours is good.
    fn nonce_end(&self, nonce: &str) -> Option<Time> {
        let (body, mark) = nonce.rsplit_once('.')?;
        let (until, _) = body.split_once('.')?;
        // A keyed digest compared by its own digest tells nothing by how long it takes.
        let ours = self.sealing.digest("c_nonce", body);
        let same = self.sealing.digest("mark", &ours) == self.sealing.digest("mark", mark);
        let until = until.parse::<i64>().ok().filter(|_| same)?;
        Some(Time(until.checked_mul(1_000_000)?))
    }

    /// The credential endpoint: the access token of `Authorization: Bearer`, the JSON body, and
    /// out comes the licence as SD-JWT VC, bound to the wallet's key (OpenID4VCI 8).
    pub async fn vci_credential(&self, access: &str, request: &Value) -> Result<Value, Stop> {
        self.demand_wallet_keys()?;
        let now = self.clock.now();
        let (digest, row) = self.licence_of_access(access, now).await?;
        if let Some(id) = request.get("credential_configuration_id")
            && id.as_str() != Some(row.kind.as_str())
        {
            return Err(refused(
                "unknown_credential_configuration",
                "the access token is for another credential configuration",
            ));
        }
        let named = ["credential_configuration_id", "credential_identifier"];
        if !named.iter().any(|name| request.get(name).is_some()) {
            return Err(refused(
                "invalid_credential_request",
                "credential_configuration_id is needed",
            ));
        }
        let (key, nonce) = self.proven_key(request, now)?;
        let stale = || {
            refused(
                "invalid_nonce",
                "the nonce is unknown, used or over: fetch a new one",
            )
        };
        let end = self.nonce_end(&nonce).filter(|end| *end > now);
        let end = end.ok_or_else(stale)?;
        let content = self.content(&row)?;
        let found = self.found(row, &[], "wallet", now)?;
        let denied = || refused("credential_request_denied", "this licence counts no more");
        let content = content.ok_or_else(denied)?;
        if !matches!(found.verdict, Verdict::Valid | Verdict::NotYetValid) {
            return Err(denied());
        }
        let (issued, disclosures) = self.signed_document(&found.row, &content, true, Some(&key))?;
        let document = sd_jwt::compose(&issued, disclosures.iter().map(|(_, text)| text.as_str()));
        let entry = Entry {
            row: handed_over(&found.row, found.verdict, now),
            identifier: found.row.identifier.clone(),
            uses_up: vec![digest],
            spends: Some(TokenRow {
                used_at: Some(now.0),
                expires_at: end.0,
                ..blank(
                    "nonce",
                    self.sealing.digest("nonce", &nonce),
                    "",
                    now,
                    NONCE,
                )
            }),
            becomes: None,
            details: json!({}),
        };
        if !self.uses.write(entry).await? {
            return Err(stale());
        }
        Ok(json!({ "credentials": [{ "credential": document }] }))
    }

    async fn licence_of_access(
        &self,
        access: &str,
        now: Time,
    ) -> Result<(String, LicenceRow), Stop> {
        let none = || {
            Stop::Refused(Refusal {
                status: 401,
                error: "invalid_token",
                description: "the access token is unknown, used or over",
            })
        };
        if access.len() > 200 {
            return Err(none());
        }
        let digest = self.sealing.digest("access", access);
        let mut reader = self.store.reader().await?;
        let known = rows::token(&mut reader, &digest).await?;
        drop(reader);
        let open = known
            .filter(|row| row.kind == "access" && row.used_at.is_none() && row.expires_at > now.0);
        let open = open.ok_or_else(none)?;
        let row = self.licence_of_token(&open).await?.ok_or_else(none)?;
        Ok((digest, row))
    }

    /// The key a wallet proves to hold, and the nonce it signed (OpenID4VCI, appendix F.1).
    fn proven_key(&self, request: &Value, now: Time) -> Result<(Value, String), Stop> {
        let wrong = |why| refused("invalid_proof", why);
        let proofs = request["proofs"]["jwt"].as_array();
        let proofs = proofs.ok_or_else(|| wrong("proofs with one jwt are needed"))?;
        let [Value::String(proof)] = proofs.as_slice() else {
            return Err(wrong("exactly one proof is taken at a time"));
        };
        let token = Token::parse(proof).ok_or_else(|| wrong("the proof is no signed token"))?;
        if token.typ() != "openid4vci-proof+jwt" {
            return Err(wrong("its typ is not openid4vci-proof+jwt"));
        }
        let key = jose::public_part(&token.header["jwk"]);
        let key = key.ok_or_else(|| wrong("its header needs a jwk of P-256 or Ed25519"))?;
        if !token.is_signed_by(&key) {
            return Err(wrong("its signature does not fit its jwk"));
        }
        if token.text("aud") != self.issuer() {
            return Err(wrong("its aud is not this credential issuer"));
        }
        let age = token.claims["iat"]
            .as_i64()
            .map(|at| now.0.div_euclid(1_000_000).saturating_sub(at));
        if !age.is_some_and(|age| (-60..=PROOF_AGE_S).contains(&age)) {
            return Err(wrong("its iat is not now"));
        }
        let nonce = token.text("nonce");
        if nonce.is_empty() || nonce.len() > 200 {
            return Err(refused("invalid_nonce", "the proof needs a nonce of ours"));
        }
        Ok((key, nonce.into()))
    }
}

/// What the holder sees of it.
fn handed_over(row: &LicenceRow, verdict: Verdict, now: Time) -> UseRow {
    UseRow {
        id: kernel::new_id(now),
        licence: row.id.clone(),
        at: now.0,
        way: "wallet".into(),
        by_account: String::new(),
        organisation: String::new(),
        verifier: "本人的电子钱包 the holder's own wallet".into(),
        purpose: "持证主体领取电子凭证".into(),
        basis: String::new(),
        fields: "[]".into(),
        verdict: verdict.word().into(),
        matter: String::new(),
    }
}
