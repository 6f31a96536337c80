//! Public keys as a city hands them out: PEM (SubjectPublicKeyInfo), a JSON Web Key, or a set of
//! them.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use p256::ecdsa::signature::Verifier;
use serde_json::Value;

/// What signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// SM2 with SM3.
    Sm2,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What signs.
    pub algorithm: Algorithm,
    /// x ‖ y, or the 32 bytes of Ed25519.
    pub bytes: Vec<u8>,
}

/// Object identifiers inside a SubjectPublicKeyInfo, and what they mean.
const KINDS: [(&[u8], Algorithm, usize); 3] = [
    (
        &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
        Algorithm::Es256,
        64,
    ),
    (
        &[0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d],
        Algorithm::Sm2,
        64,
    ),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], Algorithm::EdDsa, 32),
];

/// The keys of a file; `None` when there is none or something is wrong with one.
pub fn read(text: &str) -> Option<Vec<Key>> {
    let keys: Option<Vec<Key>> = if text.trim_start().starts_with('{') {
        let value: Value = serde_json::from_str(text).ok()?;
        match value["keys"].as_array() {
            Some(keys) => keys.iter().map(jwk).collect(),
            None => Some(vec![jwk(&value)?]),
        }
    } else {
        let parts = text.split("-----BEGIN PUBLIC KEY-----").skip(1);
        parts.map(pem).collect()
    };
    keys.filter(|keys| !keys.is_empty())
}

fn jwk(value: &Value) -> Option<Key> {
    let part = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(value[name].as_str()?).ok();
    let (algorithm, bytes) = match value["crv"].as_str()? {
        "P-256" => (Algorithm::Es256, [part("x")?, part("y")?].concat()),
        "SM2" => (Algorithm::Sm2, [part("x")?, part("y")?].concat()),
        "Ed25519" => (Algorithm::EdDsa, part("x")?),
        _ => return None,
    };
    Some(Key { algorithm, bytes })
}

fn pem(text: &str) -> Option<Key> {
    let (body, _) = text.split_once("-----END PUBLIC KEY-----")?;
    let body: String = body.split_whitespace().collect();
    let der = BASE64_STANDARD.decode(body).ok()?;
    let (_, algorithm, long) = KINDS
        .iter()
        .find(|(oid, ..)| der.windows(oid.len()).any(|window| window == *oid))?;
    let bytes = der.get(der.len().checked_sub(*long)?..)?.to_vec();
    Some(Key {
        algorithm: *algorithm,
        bytes,
    })
}

impl Key {
    /// Is this a signature of the message by the holder of this key?
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let point = || [&[4], self.bytes.as_slice()].concat();
        let checked = match self.algorithm {
            Algorithm::Es256 => || -> Option<()> {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point()).ok()?;
                let signature = p256::ecdsa::Signature::from_slice(signature).ok()?;
                key.verify(message, &signature).ok()
            }(),
            Algorithm::EdDsa => || -> Option<()> {
                let bytes = self.bytes.as_slice().try_into().ok()?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
                let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
                key.verify_strict(message, &signature).ok()
            }(),
            Algorithm::Sm2 => || -> Option<()> {
                let key = sm2::dsa::VerifyingKey::from_sec1_bytes("1234567812345678", &point());
                let signature = sm2::dsa::Signature::from_slice(signature).ok()?;
                key.ok()?.verify(message, &signature).ok()
            }(),
        };
        checked.is_some()
    }
}
