//! Sealing: what a licence says lies under the city's keys, bound to its place; numbers, names and
//! sources are found again by keyed digests. The key of the digests is made once, and kept sealed.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Fault;
use kernel::crypto::{Crypto, Ring};
use kernel::fault::FaultKind;
use serde_json::json;
use sha2::Sha256;
use std::sync::Arc;
use store::{Store, documents};

const CONTEXT: &[u8] = b"licences/lookup-key";

/// The city's keys as this engine uses them.
pub(crate) struct Sealing {
    pub(crate) crypto: Arc<dyn Crypto>,
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
            if let Some(known) = store.documents().get("licences", "lookup_key").await? {
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
            match documents::put(&mut tx, "licences", "lookup_key", &document, Some(0)).await {
                Ok(_) => tx.commit().await?,
                Err(fault) if fault.kind == FaultKind::Conflict => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::internal("making the lookup key", "written twice"))
    }

    /// Is the key of the digests under the newest key, and so everything before it?
    pub(crate) async fn is_done(&self, store: &Store) -> Result<bool, Fault> {
        let known = store.documents().get("licences", "lookup_key").await?;
        let sealed = known.and_then(|known| known.json["sealed"].as_str().and_then(unhex));
        Ok(sealed.is_some_and(|sealed| self.crypto.is_current(Ring::Secrets, &sealed)))
    }

    /// Puts the key of the digests under the newest key.
    pub(crate) async fn finish(&self, store: &Store) -> Result<(), Fault> {
        let sealed = self.crypto.seal(Ring::Secrets, CONTEXT, &self.key)?;
        let document = json!({ "sealed": hex(&sealed) });
        let mut tx = store.begin().await?;
        documents::put(&mut tx, "licences", "lookup_key", &document, None).await?;
        tx.commit().await
    }

    fn keyed(&self, kind: &str, value: &str) -> [u8; 32] {
        let mut mac = self.lookup.clone();
        mac.update(&(kind.len() as u64).to_be_bytes());
        mac.update(kind.as_bytes());
        mac.update(value.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Keyed digest of a value of one kind.
    pub(crate) fn digest(&self, kind: &str, value: &str) -> String {
        hex(&self.keyed(kind, value))
    }

    /// Digest a holder is found by.
    pub(crate) fn holder(&self, number: &str) -> String {
        self.digest("holder", number)
    }

    /// Digest of a holder's name on one licence.
    pub(crate) fn name(&self, identifier: &str, name: &str) -> String {
        self.digest("name", &format!("{identifier}/{name}"))
    }

    /// Where the licence of this number among all stands: its status list and the place in it.
    /// Places of one list do not follow one another, so that they do not tell when it was issued.
    pub(crate) fn status_place(&self, seq: i64, capacity: i64) -> (i64, i64) {
        let (list, place) = (seq / capacity, seq % capacity);
        let keyed = self.keyed("status_list", &list.to_string());
        let number = |bytes: &[u8]| {
            let part = bytes.iter().take(4);
            part.fold(0_i64, |sum, b| sum * 256 + i64::from(*b))
        };
        // An odd step walks through every place of a list whose length is a power of two.
        let (offset, step) = (number(&keyed[..4]), number(&keyed[4..8]) | 1);
        (list, (offset + place * step) % capacity)
    }

    /// Seals bytes for one place.
    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        self.crypto.seal(Ring::Secrets, place.as_bytes(), plain)
    }
    /// Opens what was sealed for this place.
    pub(crate) fn open_bytes(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        self.crypto.open(Ring::Secrets, place.as_bytes(), sealed)
    }
}
