//! Inspection from inside: the whole log against its chain, both trees, the last checkpoint, and
//! the index by which residents find entries. The program's own word; an outsider does not take it
//! and runs `jicheng-verify`.

use crate::engine::{Engine, hashes};
use crate::tree::{self, Digest};
use kernel::Fault;
use serde::Serialize;
use std::collections::BTreeSet;
use store::audit::{AuditDamage, AuditHead, Stored};
use store::audit_tree;

/// Entries of one page.
const PAGE: u64 = 1024;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// The content of this entry is not what was written.
    Altered,
    /// The entry of this number is not there.
    Missing,
    /// The entry does not follow the one before it.
    Unchained,
    /// The entry follows, but is not the one that was put into the trees: the chain was made anew.
    Rewritten,
    /// The trees were made anew: they contradict the checkpoint signed at this size.
    Checkpoint,
    /// The entry is kept from a person it concerns, or shown to one it does not.
    Subjects,
}

/// Outcome of [`Engine::verify`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// Entries checked, up to the damage if there is one.
    pub checked: u64,
    /// The first damaged entry by number.
    pub damage: Option<(i64, Damage)>,
    /// The head of the chain that was reached.
    pub head: AuditHead,
    /// Entries in the trees.
    pub tree_size: u64,
    /// Size of the last checkpoint; 0 when there is none.
    pub checkpoint_size: u64,
}

impl Engine {
    /// Checks everything, page by page, and names the first damaged entry.
    pub async fn verify(&self) -> Result<Verdict, Fault> {
        let mut reader = self.shared.store.reader().await?;
        let size = audit_tree::size(&mut reader).await?;
        let last = self.checkpoints(None, 1).await?.into_iter().next();
        let mut verdict = Verdict {
            checked: 0,
            damage: None,
            head: AuditHead {
                seq: 0,
                hash: String::new(),
            },
            tree_size: size,
            checkpoint_size: last.as_ref().map_or(0, |row| row.size),
        };
        let (mut seq, mut hash) = (0, vec![]);
        loop {
            let rows = store::audit::stored_after(&mut reader, seq, PAGE).await?;
            if rows.is_empty() {
                break;
            }
            let mut damage = None;
            let (first, mut kept) = (seq, vec![]);
            for row in rows {
                damage = row.damage(seq, &hash).map(|(seq, what)| (seq, named(what)));
                if damage.is_some() {
                    break;
                }
                (seq, hash) = (row.seq, row.hash.clone());
                kept.push(row);
            }
            // An earlier entry may contradict the trees or the index.
            let other = self.page(first, &kept, size).await?;
            damage = other.or(damage);
            verdict.checked = seq.unsigned_abs();
            verdict.damage = damage;
            if damage.is_some() {
                break;
            }
        }
        if verdict.damage.is_none() && seq.unsigned_abs() < size {
            verdict.damage = Some((seq + 1, Damage::Missing));
        }
        verdict.head = AuditHead {
            seq,
            hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        if verdict.damage.is_none()
            && let Some(last) = last
            && !self.agrees(&last.text).await?
        {
            verdict.damage = Some((last.size as i64, Damage::Checkpoint));
        }
        Ok(verdict)
    }

    /// The first entry of a page that is not the leaf it was, or whose subjects are not its own.
    async fn page(
        &self,
        after: i64,
        rows: &[Stored],
        size: u64,
    ) -> Result<Option<(i64, Damage)>, Fault> {
        let Some(last) = rows.last() else {
            return Ok(None);
        };
        let mut reader = self.shared.store.reader().await?;
        let from = after.unsigned_abs();
        let in_trees = rows.len().min(size.saturating_sub(from) as usize);
        let stretches: Vec<(u64, u64)> =
            (from..from + in_trees as u64).map(|i| (i, i + 1)).collect();
        let mut found = vec![];
        for digest in Digest::ALL {
            let leaves = hashes(&mut reader, digest, &stretches).await?;
            let wrong = rows
                .iter()
                .zip(&leaves)
                .find(|(row, leaf)| tree::leaf(digest, &row.canonical()) != **leaf);
            found.extend(wrong.map(|(row, _)| (row.seq, Damage::Rewritten)));
        }
        let index = store::audit::subjects_between(&mut reader, after, last.seq).await?;
        let mut own = BTreeSet::new();
        for row in rows {
            own.extend(row.persons().into_iter().map(|person| (row.seq, person)));
        }
        let differs = index.symmetric_difference(&own).map(|(seq, _)| *seq).min();
        found.extend(differs.map(|seq| (seq, Damage::Subjects)));
        Ok(found.into_iter().min_by_key(|(seq, _)| *seq))
    }

    /// Are the trees those of a checkpoint?
    async fn agrees(&self, text: &str) -> Result<bool, Fault> {
        let Some(checkpoint) = Engine::read(text) else {
            return Ok(false);
        };
        let mut reader = self.shared.store.reader().await?;
        for digest in Digest::ALL {
            let roots = hashes(&mut reader, digest, &[(0, checkpoint.size)]).await;
            match roots {
                Ok(roots) if roots[0] == checkpoint.root(digest) => {}
                Ok(_) => return Ok(false),
                Err(fault) if fault.code == "audit.altered" => return Ok(false),
                Err(fault) => return Err(fault),
            }
        }
        Ok(true)
    }
}

fn named(damage: AuditDamage) -> Damage {
    match damage {
        AuditDamage::Altered => Damage::Altered,
        AuditDamage::Missing => Damage::Missing,
        AuditDamage::Unchained => Damage::Unchained,
    }
}
