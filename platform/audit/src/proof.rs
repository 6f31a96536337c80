//! Proofs: that an entry is in a signed tree, that a tree grew out of an older one, and entries as
//! lines of a file that others check. Hashes are written in hexadecimal.

use crate::checkpoint::Checkpoint;
use crate::engine::{Engine, hashes};
use crate::tree::{self, Digest, Hash};
use kernel::Fault;
use serde::Serialize;
use std::collections::BTreeSet;
use store::audit::Stored;
use store::audit_tree;

/// Entries of one page of an export.
pub(crate) const PAGE: u64 = 1024;

/// An entry as a line of an export: everything that is hashed, the hashes, and the leaves as the
/// trees keep them. The line of an entry that is gone has its number and leaves only.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// Number.
    pub seq: i64,
    /// When, microseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// The texts, by name; details as the text that was hashed.
    #[serde(flatten)]
    pub texts: serde_json::Map<String, serde_json::Value>,
    /// Hash of the entry before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Hash of this entry in the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Its leaf in the SHA-256 tree; `null` while it is not in the trees.
    pub sha256: Option<String>,
    /// Its leaf in the SM3 tree.
    pub sm3: Option<String>,
    /// The row is not there, only its leaves.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

/// Proof that an entry is in a signed tree.
#[derive(Clone, Debug, Serialize)]
pub struct Inclusion {
    /// The entry.
    pub entry: Export,
    /// Its place in the trees, from 0.
    pub index: u64,
    /// Entries of the trees.
    pub size: u64,
    /// Hashes of the SHA-256 tree, the lowest first.
    pub sha256: Vec<String>,
    /// Hashes of the SM3 tree.
    pub sm3: Vec<String>,
    /// The signed checkpoint of that size.
    pub checkpoint: String,
}

/// Proof that a tree grew out of an older one.
#[derive(Clone, Debug, Serialize)]
pub struct Consistency {
    /// Entries of the older tree.
    pub from: u64,
    /// Entries of the newer one.
    pub to: u64,
    /// Hashes of the SHA-256 trees.
    pub sha256: Vec<String>,
    /// Hashes of the SM3 trees.
    pub sm3: Vec<String>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn entry(row: &Stored, leaves: [Option<&Hash>; 2]) -> Export {
    let [sha256, sm3] = leaves.map(|leaf| leaf.map(|hash| hex(hash)));
    let texts = store::audit::TEXTS.iter().zip(&row.texts);
    Export {
        seq: row.seq,
        at: Some(row.at),
        texts: texts
            .map(|(name, text)| (name.to_string(), text.as_str().into()))
            .collect(),
        previous: Some(hex(&row.previous)),
        hash: Some(hex(&row.hash)),
        sha256,
        sm3,
        missing: false,
    }
}

impl Engine {
    /// Proof that an entry is in the tree of a signed checkpoint: the smallest size asked for, or
    /// the newest, which is made when the entry is younger.
    pub async fn inclusion(&self, seq: i64, size: Option<u64>) -> Result<Inclusion, Fault> {
        let number = u64::try_from(seq).ok().filter(|seq| *seq > 0);
        let number = number.ok_or_else(|| Fault::missing(&seq.to_string()))?;
        let mut found = self.checkpoints(size, 1).await?.into_iter().next();
        if size.is_none() && found.as_ref().is_none_or(|row| row.size < number) {
            self.checkpoint().await?;
            found = self.checkpoints(None, 1).await?.into_iter().next();
        }
        let found = found.filter(|row| row.size >= number && size.is_none_or(|s| s == row.size));
        let checkpoint = found.ok_or_else(|| Fault::missing(&seq.to_string()))?;
        let (index, size) = (number - 1, checkpoint.size);
        let stretches = tree::inclusion(index, size);
        let mut reader = self.shared.store.reader().await?;
        let rows = store::audit::stored_after(&mut reader, seq - 1, 1).await?;
        let row = rows.into_iter().find(|row| row.seq == seq);
        let row = row.ok_or_else(|| Fault::missing(&seq.to_string()))?;
        let mut proofs: [Vec<String>; 2] = Default::default();
        let mut leaves = [[0; 32]; 2];
        for digest in Digest::ALL {
            let mut all = stretches.clone();
            all.push((index, index + 1));
            let mut found = hashes(&mut reader, digest, &all).await?;
            leaves[digest as usize] = found.pop().unwrap_or_default();
            proofs[digest as usize] = found.iter().map(|hash| hex(hash)).collect();
        }
        let [sha256, sm3] = proofs;
        Ok(Inclusion {
            entry: entry(&row, leaves.each_ref().map(Some)),
            index,
            size,
            sha256,
            sm3,
            checkpoint: checkpoint.text,
        })
    }

    /// Proof that the tree of `to` entries grew out of that of `from`.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Consistency, Fault> {
        let size = self.integrate().await?;
        if from == 0 || from > to || to > size {
            return Err(Fault::invalid_at(
                "from",
                format!("应为 0 < from ≤ to ≤ {size}"),
                format!("expected 0 < from ≤ to ≤ {size}"),
            ));
        }
        let stretches = tree::consistency(from, to);
        let mut reader = self.shared.store.reader().await?;
        let mut proofs: [Vec<String>; 2] = Default::default();
        for digest in Digest::ALL {
            let found = hashes(&mut reader, digest, &stretches).await?;
            proofs[digest as usize] = found.iter().map(|hash| hex(hash)).collect();
        }
        let [sha256, sm3] = proofs;
        Ok(Consistency {
            from,
            to,
            sha256,
            sm3,
        })
    }

    /// Lines of an export after a number, one page; empty at the end. Rows that are gone are named
    /// by their leaves.
    pub async fn export(&self, after: i64) -> Result<Vec<Export>, Fault> {
        let mut reader = self.shared.store.reader().await?;
        let rows = store::audit::stored_after(&mut reader, after, PAGE).await?;
        let size = audit_tree::size(&mut reader).await? as i64;
        // The page ends with its last row; after the last row of all, with the last leaf.
        let end = match rows.last() {
            Some(last) if rows.len() as u64 == PAGE => last.seq,
            Some(last) => last.seq.max(size.min(after + PAGE as i64)),
            None => size.min(after + PAGE as i64),
        };
        // A row may bear any number; the gap before it is not filled without limit.
        let end = end
            .min(after + 2 * PAGE as i64)
            .max(rows.first().map_or(0, |row| row.seq));
        let mut leaves: [BTreeSet<(u64, u64)>; 2] = Default::default();
        let from = after.max(0) as u64;
        let to = (end.max(0) as u64).min(size as u64).min(from + 2 * PAGE);
        leaves[0] = (from..to).map(|index| (index, index + 1)).collect();
        let stretches: Vec<(u64, u64)> = leaves[0].iter().copied().collect();
        let mut found: [Vec<Hash>; 2] = Default::default();
        for digest in Digest::ALL {
            found[digest as usize] = hashes(&mut reader, digest, &stretches).await?;
        }
        let leaf = |seq: i64| -> [Option<&Hash>; 2] {
            let at = seq - 1 - after;
            [0, 1].map(|digest: usize| found[digest].get(usize::try_from(at).ok()?))
        };
        let mut lines = vec![];
        let mut next = after + 1;
        let gone = |seq: i64| {
            let [sha256, sm3] = leaf(seq).map(|leaf| leaf.map(|hash| hex(hash)));
            Export {
                seq,
                at: None,
                texts: serde_json::Map::new(),
                previous: None,
                hash: None,
                sha256,
                sm3,
                missing: true,
            }
        };
        for row in rows.iter().take_while(|row| row.seq <= end) {
            while next < row.seq && lines.len() < 2 * PAGE as usize {
                lines.push(gone(next));
                next += 1;
            }
            lines.push(entry(row, leaf(row.seq)));
            next = row.seq + 1;
        }
        while next <= end.min(size) {
            lines.push(gone(next));
            next += 1;
        }
        Ok(lines)
    }

    /// A checkpoint as text, read; for those who show it.
    pub fn read(text: &str) -> Option<Checkpoint> {
        Checkpoint::read(text).map(|(checkpoint, ..)| checkpoint)
    }
}
