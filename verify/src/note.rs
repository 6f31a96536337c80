//! Checkpoints: signed notes (C2SP signed-note) with a tree head (C2SP tlog-checkpoint) inside.
//! Nothing of a note is used before its signature held.

use crate::Hash;
use crate::keys::{Algorithm, Key};
use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::Digest;

const MARK: &str = "\u{2014} ";

/// A tree head whose signature held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root of the SHA-256 tree.
    pub sha256: Hash,
    /// Root of the SM3 tree.
    pub sm3: Hash,
    /// When it was signed, as it says.
    pub at: String,
    /// Name of the key that signed.
    pub by: String,
}

/// Why a note is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not a checkpoint.
    Malformed,
    /// None of the given keys signed it.
    Unsigned,
}

fn key_hash(name: &str, key: &Key) -> [u8; 4] {
    let algorithm: &[u8] = match key.algorithm {
        Algorithm::EdDsa => &[0x01],
        Algorithm::Es256 => &[0x02],
        Algorithm::Sm2 => b"\xffSM2",
    };
    let parts = [name.as_bytes(), b"\n", algorithm, &key.bytes].concat();
    let digest = sha2::Sha256::digest(parts);
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Reads a note and checks its signature.
pub fn open(note: &str, keys: &[Key]) -> Result<Checkpoint, Refusal> {
    let (body, signatures) = note.split_once("\n\n").ok_or(Refusal::Malformed)?;
    let body = format!("{body}\n");
    let signer = signatures
        .lines()
        .filter_map(|line| {
            let (name, text) = line.strip_prefix(MARK)?.rsplit_once(' ')?;
            Some((name, BASE64_STANDARD.decode(text).ok()?))
        })
        .find(|(name, bytes)| {
            let Some((hash, signature)) = bytes.split_at_checked(4) else {
                return false;
            };
            keys.iter()
                .any(|key| key_hash(name, key) == hash && key.verify(body.as_bytes(), signature))
        });
    let (by, _) = signer.ok_or(Refusal::Unsigned)?;
    head(&body, by).ok_or(Refusal::Malformed)
}

fn head(body: &str, by: &str) -> Option<Checkpoint> {
    let mut lines = body.lines();
    let (origin, size, sha256) = (lines.next()?, lines.next()?, lines.next()?);
    let rest: Vec<&str> = lines.collect();
    let named = |name: &str| rest.iter().find_map(|line| line.strip_prefix(name));
    let hash = |text: &str| -> Option<Hash> { BASE64_STANDARD.decode(text).ok()?.try_into().ok() };
    Some(Checkpoint {
        origin: origin.into(),
        size: size.parse().ok()?,
        sha256: hash(sha256)?,
        sm3: hash(named("sm3 ")?)?,
        at: named("at ")?.into(),
        by: by.into(),
    })
}

/// The notes of a file of one or many, in their order.
pub fn split(file: &str) -> Vec<String> {
    let mut found = vec![];
    let mut note = String::new();
    let mut signed = false;
    for line in file.lines() {
        let signature = line.starts_with(MARK);
        if signed && !signature {
            found.push(std::mem::take(&mut note));
        }
        signed = signature;
        if note.is_empty() && line.is_empty() {
            continue;
        }
        note.push_str(line);
        note.push('\n');
    }
    if !note.is_empty() {
        found.push(note);
    }
    found
}
