//! Sealing: name and number of visitors without an account under the city's keys, and the keyed
//! digest by which one person is told from another. The key of the digests is made once, and kept
//! sealed.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Fault;
use kernel::crypto::{Crypto, Ring};
use kernel::fault::FaultKind;
use kernel::visits::Visitor;
use serde_json::json;
use sha2::Sha256;
use std::sync::Arc;
use store::{Store, documents};

const CONTEXT: &[u8] = b"visits/lookup-key";
const COLLECTION: &str = "visits";
const KEY: &str = "lookup_key";

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

fn place(id: &str) -> String {
    format!("visit_appointments/{id}")
}

impl Sealing {
    pub(crate) async fn open(store: &Store, crypto: Arc<dyn Crypto>) -> Result<Sealing, Fault> {
        // Two processes may start at once: whoever comes second reads what the first one made.
        for _ in 0..2 {
            if let Some(known) = store.documents().get(COLLECTION, KEY).await? {
                let sealed = known.json["sealed"].as_str().and_then(unhex);
                let form = || Fault::internal("reading the lookup key", "form");
                let lookup = crypto.open(Ring::Secrets, CONTEXT, &sealed.ok_or_else(form)?)?;
                return Ok(Sealing { crypto, lookup });
            }
            let lookup: [u8; 32] = rand::random();
            let sealed = crypto.seal(Ring::Secrets, CONTEXT, &lookup)?;
            let document = json!({ "sealed": hex(&sealed) });
            let mut tx = store.begin().await?;
            match documents::put(&mut tx, COLLECTION, KEY, &document, Some(0)).await {
                Ok(_) => tx.commit().await?,
                Err(fault) if fault.kind == FaultKind::Conflict => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::internal("making the lookup key", "written twice"))
    }

    /// Digest a visitor is found by.
    pub(crate) fn digest(&self, mobile: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.lookup) else {
            unreachable!("HMAC takes a key of any length");
        };
        mac.update(b"mobile/");
        mac.update(mobile.as_bytes());
        hex(&mac.finalize().into_bytes())
    }

    /// Seals who comes to an appointment.
    pub(crate) fn seal(&self, id: &str, visitor: &Visitor) -> Result<Vec<u8>, Fault> {
        let plain = serde_json::to_vec(visitor).map_err(|e| Fault::internal("sealing", e))?;
        self.crypto
            .seal(Ring::Secrets, place(id).as_bytes(), &plain)
    }

    /// Who comes to an appointment.
    pub(crate) fn visitor(&self, id: &str, sealed: &[u8]) -> Result<Visitor, Fault> {
        let plain = self
            .crypto
            .open(Ring::Secrets, place(id).as_bytes(), sealed)?;
        // The text of the error could hold what was sealed.
        serde_json::from_slice(&plain)
            .map_err(|_| Fault::internal("opening a sealed value", "form"))
    }

    /// The same under the newest key; `None` when it is.
    pub(crate) fn anew(&self, id: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if self.crypto.is_current(Ring::Secrets, sealed) {
            return Ok(None);
        }
        self.visitor(id, sealed)
            .and_then(|visitor| self.seal(id, &visitor))
            .map(Some)
    }

    /// Puts the key of the digests under the newest key.
    pub(crate) async fn finish(&self, store: &Store) -> Result<(), Fault> {
        let sealed = self.crypto.seal(Ring::Secrets, CONTEXT, &self.lookup)?;
        let document = json!({ "sealed": hex(&sealed) });
        let mut tx = store.begin().await?;
        documents::put(&mut tx, COLLECTION, KEY, &document, None).await?;
        tx.commit().await
    }
}
