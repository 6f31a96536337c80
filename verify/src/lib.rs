//! verify: checks the audit log of a city from outside, with nothing but its public key. It shares
//! no line of code with the city; the tree arithmetic is `ct-merkle`'s, the rest is here.
//!
//! What it can prove: a checkpoint was signed by the holder of the key; an entry is in the log a
//! checkpoint speaks of; a later log only added to an earlier one; and of a whole exported log,
//! which entry was altered, is missing or was slipped in.

pub mod entry;
pub mod keys;
pub mod log;
pub mod note;
pub mod proofs;

/// A hash of either digest.
pub type Hash = [u8; 32];

/// Bytes from hexadecimal digits.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// A hash from hexadecimal digits.
pub fn hash(text: &str) -> Option<Hash> {
    unhex(text)?.try_into().ok()
}
