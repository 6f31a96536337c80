//! Sealing: what applicants say lies under the city's keys, each value bound to its place; people
//! are found again by keyed digests, so that "mine" needs no number in plain text. The key of the
//! digests is made once, and kept sealed.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Fault;
use kernel::crypto::{Crypto, Ring};
use kernel::fault::FaultKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::Sha256;
use std::sync::Arc;
use store::{Store, documents};

const CONTEXT: &[u8] = b"applications/lookup-key";

/// The city's keys as this engine uses them.
pub(crate) struct Sealing {
    crypto: Arc<dyn Crypto>,
    lookup: Hmac<Sha256>,
    key: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| (b as char).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
            _ => None,
        })
        .collect()
}

impl Sealing {
    pub(crate) async fn open(store: &Store, crypto: Arc<dyn Crypto>) -> Result<Sealing, Fault> {
        // Two processes may start at once: whoever comes second reads what the first one made.
        for _ in 0..2 {
            let documents = store.documents();
            if let Some(known) = documents.get("applications", "lookup_key").await? {
                let sealed = known.json["sealed"].as_str().and_then(unhex);
                let form = || Fault::internal("reading the lookup key", "form");
                let key = crypto.open(Ring::Secrets, CONTEXT, &sealed.ok_or_else(form)?)?;
                let lookup = Hmac::<Sha256>::new_from_slice(&key);
                let lookup = lookup.map_err(|e| Fault::internal("reading the lookup key", e))?;
                return Ok(Sealing {
                    crypto,
                    lookup,
                    key,
                });
            }
            let key: [u8; 32] = rand::random();
            let sealed = crypto.seal(Ring::Secrets, CONTEXT, &key)?;
            let document = json!({ "sealed": hex(&sealed) });
            let mut tx = store.begin().await?;
            match documents::put(&mut tx, "applications", "lookup_key", &document, Some(0)).await {
                Ok(_) => tx.commit().await?,
                Err(fault) if fault.kind == FaultKind::Conflict => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::internal("making the lookup key", "written twice"))
    }

    /// Is this under the newest key?
    pub(crate) fn is_current(&self, sealed: &[u8]) -> bool {
        self.crypto.is_current(Ring::Secrets, sealed)
    }

    /// The same value under the newest key.
    pub(crate) fn anew(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let plain = self.crypto.open(Ring::Secrets, place.as_bytes(), sealed)?;
        self.crypto.seal(Ring::Secrets, place.as_bytes(), &plain)
    }

    /// Puts the key of the digests under the newest key, unless it is.
    pub(crate) async fn finish(&self, store: &Store) -> Result<(), Fault> {
        let known = store.documents().get("applications", "lookup_key").await?;
        let sealed = known.and_then(|known| known.json["sealed"].as_str().and_then(unhex));
        if sealed.is_some_and(|sealed| self.is_current(&sealed)) {
            return Ok(());
        }
        let sealed = self.crypto.seal(Ring::Secrets, CONTEXT, &self.key)?;
        let document = json!({ "sealed": hex(&sealed) });
        let mut tx = store.begin().await?;
        documents::put(&mut tx, "applications", "lookup_key", &document, None).await?;
        tx.commit().await
    }

    /// Keyed digest of a value of one kind.
    fn digest(&self, kind: &str, value: &str) -> String {
        let mut mac = self.lookup.clone();
        mac.update(&(kind.len() as u64).to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(value.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Digest an applicant is found by: citizen number, passport or credit code.
    pub(crate) fn applicant(&self, number: &str) -> String {
        self.digest("applicant", number)
    }
    /// Digest the drafts of a clerk are found by.
    pub(crate) fn clerk(&self, account: &str) -> String {
        self.digest("clerk", account)
    }
    /// Digest an open draft is found by: one for owner, applicant and item.
    pub(crate) fn open_key(&self, owner: &str, number: &str, item: &str) -> String {
        self.digest("open", &format!("{owner}/{number}/{item}"))
    }
    /// Digest of a check code, bound to its application's number.
    pub(crate) fn check(&self, number: &str, code: &str) -> String {
        self.digest("check", &format!("{number}/{code}"))
    }

    /// Seals a value for one place.
    pub(crate) fn seal<T: Serialize>(&self, place: &str, value: &T) -> Result<Vec<u8>, Fault> {
        let plain = serde_json::to_vec(value).map_err(|e| Fault::internal("sealing", e))?;
        self.crypto.seal(Ring::Secrets, place.as_bytes(), &plain)
    }
    /// Opens what was sealed for this place.
    pub(crate) fn open_value<T: DeserializeOwned>(
        &self,
        place: &str,
        sealed: &[u8],
    ) -> Result<T, Fault> {
        let plain = self.crypto.open(Ring::Secrets, place.as_bytes(), sealed)?;
        // The text of the error could hold what was sealed.
        serde_json::from_slice(&plain)
            .map_err(|_| Fault::internal("opening a sealed value", "form"))
    }
}

/// Where a draft is sealed for.
pub(crate) fn draft_place(id: &str) -> String {
    format!("application_drafts/{id}")
}

/// Where an application is sealed for.
pub(crate) fn application_place(id: &str) -> String {
    format!("applications/{id}")
}
