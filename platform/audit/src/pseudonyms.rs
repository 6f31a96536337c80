//! Names of persons in the audit log: keyed digests of citizen numbers. The key is made once and
//! kept sealed.

use hmac::{Hmac, KeyInit, Mac};
use kernel::Fault;
use kernel::crypto::{Crypto, Ring};
use kernel::fault::FaultKind;
use serde_json::json;
use store::{Store, documents};

const CONTEXT: &[u8] = b"audit/lookup_key";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// The key of a store, made when there is none. It is sealed anew at every start, so that a
/// rotated ring's old key can be retired.
pub(crate) async fn key(store: &Store, crypto: &dyn Crypto) -> Result<Vec<u8>, Fault> {
    // Two processes may start at once: whoever comes second reads what the first one wrote.
    for _ in 0..3 {
        let known = store.documents().get("audit", "lookup_key").await?;
        let (key, version) = match known {
            Some(document) => {
                let sealed = document.json["sealed"].as_str().and_then(unhex);
                let sealed = sealed.unwrap_or_default();
                let key = crypto.open(Ring::Secrets, CONTEXT, &sealed)?;
                (key, document.version)
            }
            None => (rand::random::<[u8; 32]>().to_vec(), 0),
        };
        let sealed = crypto.seal(Ring::Secrets, CONTEXT, &key)?;
        let document = json!({"sealed": hex(&sealed)});
        let mut tx = store.begin().await?;
        match documents::put(&mut tx, "audit", "lookup_key", &document, Some(version)).await {
            Ok(_) => {
                tx.commit().await?;
                return Ok(key);
            }
            Err(fault) if fault.kind == FaultKind::Conflict => {}
            Err(fault) => return Err(fault),
        }
    }
    let busy = "written by others again and again";
    Err(Fault::internal("making the lookup key", busy))
}

/// The name of a person.
pub(crate) fn of(key: &[u8], person: &str) -> String {
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes a key of any length");
    };
    mac.update(person.as_bytes());
    hex(&mac.finalize().into_bytes()[..16])
}
