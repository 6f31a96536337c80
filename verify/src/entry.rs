//! An entry of an exported log: one JSON line. What is hashed is laid out here once more, from the
//! description of the format and not from the city's code: the hash before, the number, the time,
//! then eight texts, each with its length before it.

use crate::{Hash, hash, unhex};
use serde_json::Value;
use sha2::Digest;

/// The texts in the order in which they are hashed.
const TEXTS: [&str; 8] = [
    "account", "verb", "object", "subject", "purpose", "basis", "details", "outcome",
];

/// A line.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Number.
    pub seq: u64,
    /// Leaf in the SHA-256 tree as the city keeps it.
    pub sha256: Option<Hash>,
    /// Leaf in the SM3 tree as the city keeps it.
    pub sm3: Option<Hash>,
    /// `None` when the city itself says that the row is gone.
    pub content: Option<Content>,
}

/// What an entry says.
#[derive(Clone, Debug)]
pub struct Content {
    /// The bytes that are hashed.
    pub bytes: Vec<u8>,
    /// Hash of the entry before.
    pub previous: Vec<u8>,
    /// Hash of this one, as stated.
    pub hash: Vec<u8>,
    /// For people: when, who, what.
    pub about: String,
}

impl Entry {
    /// Reads a line; `None` when it is not an entry.
    pub fn read(line: &Value) -> Option<Entry> {
        let seq = line["seq"].as_u64().filter(|seq| *seq > 0)?;
        let leaf = |name: &str| match &line[name] {
            Value::Null => Some(None),
            Value::String(text) => hash(text).map(Some),
            _ => None,
        };
        let content = match line["missing"].as_bool() {
            Some(true) => None,
            _ => Some(content(seq, line)?),
        };
        Some(Entry {
            seq,
            sha256: leaf("sha256")?,
            sm3: leaf("sm3")?,
            content,
        })
    }
}

fn content(seq: u64, line: &Value) -> Option<Content> {
    let at = line["at"].as_i64()?;
    let previous = unhex(line["previous"].as_str()?)?;
    let mut bytes = vec![];
    bytes.extend((previous.len() as u64).to_be_bytes());
    bytes.extend(&previous);
    bytes.extend(seq.to_be_bytes());
    bytes.extend(at.to_be_bytes());
    for name in TEXTS {
        let text = line[name].as_str()?;
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    let text = |name: &str| line[name].as_str().unwrap_or("");
    Some(Content {
        bytes,
        previous,
        hash: unhex(line["hash"].as_str()?)?,
        about: format!("{} {} {}", text("account"), text("verb"), text("object")),
    })
}

impl Content {
    /// Its hash in the chain.
    pub fn chain(&self) -> Vec<u8> {
        sha2::Sha256::digest(&self.bytes).to_vec()
    }
    /// Its leaf in the SHA-256 tree.
    pub fn sha256(&self) -> Hash {
        sha2::Sha256::digest([&[0], self.bytes.as_slice()].concat()).into()
    }
    /// Its leaf in the SM3 tree.
    pub fn sm3(&self) -> Hash {
        sm3::Sm3::digest([&[0], self.bytes.as_slice()].concat()).into()
    }
}
