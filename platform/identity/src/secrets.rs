//! Secrets that are shown once and kept only as their SHA-256.

use sha2::{Digest, Sha256};

/// Begins the secret of a session.
pub(crate) const SESSION: &str = "jcs_";
/// Begins the token of a program.
pub(crate) const TOKEN: &str = "jct_";

/// Begins the secret by which an account knows a device.
pub(crate) const DEVICE: &str = "jcd_";

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of a text, hexadecimal.
pub(crate) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// A new secret of 256 random bits.
pub(crate) fn new(kind: &str) -> String {
    let bits: [u8; 32] = rand::random();
    format!("{kind}{}", hex(&bits))
}

/// Could this be a secret of ours? Anything else need not be looked up.
pub(crate) fn is_one(text: &str) -> bool {
    is_of(SESSION, text) || is_of(TOKEN, text)
}

/// Has it the form of a secret of this kind?
pub(crate) fn is_of(kind: &str, text: &str) -> bool {
    let bits = text.strip_prefix(kind);
    bits.is_some_and(|bits| bits.len() == 64 && bits.bytes().all(|b| b.is_ascii_hexdigit()))
}
