//! Checkpoints as text: a signed note (C2SP signed-note) whose body is a tree head (C2SP
//! tlog-checkpoint): origin, size, SHA-256 root; then, as extension lines, the root of the SM3 tree
//! and the time.

use crate::tree::{Digest, Hash};
use base64::prelude::{BASE64_STANDARD, Engine};
use kernel::crypto::{Algorithm, PublicKey, Signature};
use kernel::{Fault, Time};
use sha2::Digest as _;

/// Begins a line that carries a signature: an em dash and a blank.
const MARK: &str = "\u{2014} ";

/// Signatures of a note: name of the key; key hash and signature.
pub type Signatures = Vec<(String, Vec<u8>)>;

/// A tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Entries in the trees.
    pub size: u64,
    /// Roots by digest, in the order of [`Digest::ALL`].
    pub roots: [Hash; 2],
    /// When it was made.
    pub at: Time,
}

impl Checkpoint {
    /// The text that is signed, its last newline included.
    pub fn body(&self) -> String {
        let [sha256, sm3] = self.roots.map(|root| BASE64_STANDARD.encode(root));
        format!(
            "{}\n{}\n{sha256}\nsm3 {sm3}\nat {}\n",
            self.origin, self.size, self.at
        )
    }

    /// The whole note with one signature.
    pub fn signed(&self, key: &PublicKey, signature: &Signature) -> String {
        let bytes = [key_hash(key).as_slice(), &signature.bytes].concat();
        let text = BASE64_STANDARD.encode(bytes);
        format!("{}\n{MARK}{} {text}\n", self.body(), signature.key)
    }

    /// Reads a note, believing nothing: the body, what it says, and its signatures (name, key hash
    /// and signature).
    pub fn read(note: &str) -> Option<(Checkpoint, String, Signatures)> {
        let (body, signatures) = note.split_once("\n\n")?;
        let body = format!("{body}\n");
        let mut lines = body.lines();
        let (origin, size, sha256) = (lines.next()?, lines.next()?, lines.next()?);
        let hash =
            |text: &str| -> Option<Hash> { BASE64_STANDARD.decode(text).ok()?.try_into().ok() };
        let rest: Vec<&str> = lines.collect();
        let named = |name: &str| rest.iter().find_map(|line| line.strip_prefix(name));
        let checkpoint = Checkpoint {
            origin: origin.into(),
            size: size.parse().ok()?,
            roots: [hash(sha256)?, hash(named("sm3 ")?)?],
            at: Time::parse(named("at ")?)?,
        };
        let signature = |line: &str| {
            let (name, text) = line.strip_prefix(MARK)?.rsplit_once(' ')?;
            Some((name.to_string(), BASE64_STANDARD.decode(text).ok()?))
        };
        let signatures: Option<Signatures> = signatures.lines().map(signature).collect();
        Some((checkpoint, body, signatures?))
    }

    /// The root of a tree.
    pub fn root(&self, digest: Digest) -> Hash {
        self.roots[digest as usize]
    }
}

/// The first four bytes of a signature line, which tell keys of one name apart.
pub(crate) fn key_hash(key: &PublicKey) -> [u8; 4] {
    let algorithm: &[u8] = match key.algorithm {
        Algorithm::EdDsa => &[0x01],
        Algorithm::Es256 => &[0x02],
        // C2SP has none for SM2: 0xff and a longer name.
        Algorithm::Sm2 => b"\xffSM2",
    };
    let mut hasher = sha2::Sha256::new();
    hasher.update(key.key.as_bytes());
    hasher.update(b"\n");
    hasher.update(algorithm);
    hasher.update(&key.bytes);
    let digest = hasher.finalize();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// The notes of a file of many, in their order.
pub fn notes(file: &str) -> Vec<String> {
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
    if signed {
        found.push(note);
    }
    found
}

/// A fault: the log contradicts what was signed.
pub(crate) fn altered(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    Fault::new(kernel::fault::FaultKind::Internal, "audit.altered", zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint {
            origin: "jicheng/test/audit".into(),
            size,
            roots: [[7; 32], [9; 32]],
            at: Time(1_770_000_000_000_000),
        }
    }

    #[test]
    fn a_note_reads_back_and_many_are_told_apart() {
        let key = PublicKey {
            key: "audit-1".into(),
            algorithm: Algorithm::EdDsa,
            bytes: vec![3; 32],
            created_at: 0,
            current: true,
        };
        let signature = Signature {
            key: "audit-1".into(),
            algorithm: Algorithm::EdDsa,
            bytes: vec![5; 64],
        };
        let text = |size| checkpoint(size).signed(&key, &signature);
        let (read, body, signatures) = Checkpoint::read(&text(12)).unwrap();
        assert_eq!(read, checkpoint(12));
        assert_eq!(body, checkpoint(12).body());
        assert_eq!(signatures.len(), 1);
        assert_eq!(signatures[0].1[4..], [5; 64]);
        let file = format!("\n{}\n{}{}", text(1), text(2), text(3));
        assert_eq!(notes(&file), [text(1), text(2), text(3)]);
        // What was cut off in the middle of a line is no note.
        let cut = &file[..file.len() - 120];
        assert_eq!(notes(cut).len(), 2);
        for wrong in ["", "a\nb\nc\n", "a\n1\nzz\n\n— x y\n"] {
            assert!(Checkpoint::read(wrong).is_none());
        }
    }
}
