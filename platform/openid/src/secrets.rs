//! Secrets that are shown once and kept only as their SHA-256, and what is derived from hashes.

use crate::jose::encode;
use sha2::{Digest, Sha256};

/// Begins an authorisation code.
pub(crate) const CODE: &str = "jcg_";
/// Begins an access token.
pub(crate) const ACCESS: &str = "jco_";
/// Begins a refresh token.
pub(crate) const REFRESH: &str = "jcr_";
/// Begins the secret of an application.
pub(crate) const CLIENT: &str = "jcc_";

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

/// Random text for addresses: 256 bits.
pub(crate) fn nonce() -> String {
    let bits: [u8; 32] = rand::random();
    encode(&bits)
}

/// Could this be a secret of this kind? Anything else need not be looked up.
pub(crate) fn is_one(kind: &str, text: &str) -> bool {
    text.strip_prefix(kind)
        .is_some_and(|bits| bits.len() == 64 && bits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The PKCE challenge of a verifier (RFC 7636, S256).
pub(crate) fn challenge(verifier: &str) -> String {
    encode(&Sha256::digest(verifier.as_bytes()))
}

/// `at_hash`: the left half of the SHA-256 of the access token.
pub(crate) fn half(token: &str) -> String {
    encode(&Sha256::digest(token.as_bytes())[..16])
}

/// Both hashes the same, in a time that says nothing.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let different = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && different == 0
}
