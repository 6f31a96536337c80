//! Sealing: personal data under the city's keys, each value bound to its place, and the keyed
//! digests by which a number is found again. The key of the digests is made once, and kept sealed.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Fault;
use kernel::crypto::{Crypto, Ring};
use kernel::fault::FaultKind;
use kernel::parties::{DocumentKind, Identity};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use sha2::Sha256;
use std::sync::Arc;
use store::{Store, documents};

const CONTEXT: &[u8] = b"parties/lookup-key";

/// The city's keys as this engine uses them.
pub(crate) struct Sealing {
    crypto: Arc<dyn Crypto>,
    lookup: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
            if let Some(known) = store.documents().get("parties", "lookup_key").await? {
                let sealed = known.json["sealed"].as_str().and_then(unhex);
                let form = || Fault::internal("reading the lookup key", "form");
                let lookup = crypto.open(Ring::Secrets, CONTEXT, &sealed.ok_or_else(form)?)?;
                return Ok(Sealing { crypto, lookup });
            }
            let lookup: [u8; 32] = rand::random();
            let sealed = crypto.seal(Ring::Secrets, CONTEXT, &lookup)?;
            let document = json!({ "sealed": hex(&sealed) });
            let mut tx = store.begin().await?;
            match documents::put(&mut tx, "parties", "lookup_key", &document, Some(0)).await {
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

    /// Is the key of the digests under the newest key, and so everything before it?
    pub(crate) async fn is_done(&self, store: &Store) -> Result<bool, Fault> {
        let known = store.documents().get("parties", "lookup_key").await?;
        let sealed = known.and_then(|known| known.json["sealed"].as_str().and_then(unhex));
        Ok(sealed.is_some_and(|sealed| self.is_current(&sealed)))
    }

    /// Puts the key of the digests under the newest key.
    pub(crate) async fn finish(&self, store: &Store) -> Result<(), Fault> {
        let sealed = self.crypto.seal(Ring::Secrets, CONTEXT, &self.lookup)?;
        let document = json!({ "sealed": hex(&sealed) });
        let mut tx = store.begin().await?;
        documents::put(&mut tx, "parties", "lookup_key", &document, None).await?;
        tx.commit().await
    }

    /// Keyed digest of a value of one kind.
    fn digest(&self, kind: &str, value: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.lookup) else {
            unreachable!("HMAC takes a key of any length");
        };
        mac.update(&(kind.len() as u64).to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(value.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Digest a natural person is found by.
    pub(crate) fn person_digest(&self, document: DocumentKind, number: &str) -> String {
        self.digest(document.word(), number)
    }
    /// Digest a legal person is found by.
    pub(crate) fn code_digest(&self, code: &str) -> String {
        self.digest("credit_code", code)
    }
    /// Digest a mobile number is found by.
    pub(crate) fn phone_digest(&self, mobile: &str) -> String {
        self.digest("mobile", mobile)
    }
    /// Digest of a code sent, bound to its challenge.
    pub(crate) fn code_sent_digest(&self, challenge: &str, code: &str) -> String {
        self.digest("code", &format!("{challenge}/{code}"))
    }
    /// Digest of the network a request came from.
    pub(crate) fn address_digest(&self, address: &str) -> String {
        self.digest("address", &crate::limits::network(address))
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

    /// The identity of a natural person.
    pub(crate) fn identity(&self, id: &str, sealed: &[u8]) -> Result<Identity, Fault> {
        self.open_value(&format!("parties/{id}"), sealed)
    }
    /// Seals it.
    pub(crate) fn seal_identity(&self, id: &str, identity: &Identity) -> Result<Vec<u8>, Fault> {
        self.seal(&format!("parties/{id}"), identity)
    }
}
