//! Uses: who used whose licence, when and for which purpose. Uses that come at once share one
//! transaction; each caller waits until theirs is on the disk, and only then answers.

use kernel::{Fault, Time};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::audit::{self, AuditEntry};
use store::licences::{self as rows, TokenRow, UseRow};
use store::together::{Together, each};
use store::{Store, Tx};

/// Uses of one transaction, at most.
const BATCH: usize = 500;
/// Uses that wait, at most; more are refused with `system.overloaded`.
const WAITING: usize = 10_000;

/// A use to write down.
pub(crate) struct Entry {
    pub(crate) row: UseRow,
    /// Identifier of the licence, for the audit log.
    pub(crate) identifier: String,
    /// Digests of secrets that are used up by it: when one was used before, nothing is written.
    pub(crate) uses_up: Vec<String>,
    /// A row that was not kept before and is kept with it: a secret it uses up too, or what was shown.
    pub(crate) spends: Option<TokenRow>,
    /// What becomes of a secret.
    pub(crate) becomes: Option<TokenRow>,
    /// The actor's delegation or representation, for the audit log.
    pub(crate) details: serde_json::Value,
}

/// Writes uses down.
pub(crate) struct Uses {
    store: Store,
    queue: Arc<Together<Entry, bool>>,
}

impl Uses {
    pub(crate) fn new(store: Store) -> Arc<Uses> {
        Arc::new(Uses {
            store,
            queue: Together::new("licences", BATCH, WAITING),
        })
    }

    /// Writes a use down and answers when it is on the disk; `false` when its secret was used
    /// before or is over, and nothing was written. It is written even if nobody waits any more.
    pub(crate) async fn write(self: &Arc<Uses>, entry: Entry) -> Result<bool, Fault> {
        let uses = self.clone();
        let work = move |entries: Vec<Entry>| {
            let uses = uses.clone();
            async move { each(entries.len(), uses.commit(entries).await) }
        };
        self.queue.ask(entry, work).await
    }

    async fn commit(&self, entries: Vec<Entry>) -> Result<Vec<bool>, Fault> {
        let mut tx = self.store.begin().await?;
        let mut written = Vec::with_capacity(entries.len());
        let (mut uses, mut audits) = (vec![], vec![]);
        let single = singles(&entries);
        let digests: Vec<&str> = single.keys().map(String::as_str).collect();
        let latest = single.values().max().copied().unwrap_or(0);
        let used = rows::use_tokens(&mut tx, &digests, latest).await?;
        for entry in entries {
            let fresh = match entry.uses_up.as_slice() {
                [one] if single.contains_key(one) => used.contains(one),
                _ => use_up(&mut tx, &entry).await?,
            };
            written.push(fresh);
            if !fresh {
                continue;
            }
            if let Some(row) = &entry.becomes {
                rows::put_token(&mut tx, row).await?;
            }
            audits.push(audit_entry(&entry));
            uses.push(entry.row);
        }
        if uses.is_empty() {
            return Ok(written);
        }
        rows::add_uses(&mut tx, &uses).await?;
        audit::append_many(&mut tx, &audits).await?;
        tx.commit().await?;
        Ok(written)
    }
}

/// Writes a use down with a change of the licence it goes with.
pub(crate) async fn write_with(tx: &mut Tx, entry: Entry) -> Result<(), Fault> {
    audit::append(tx, &audit_entry(&entry)).await?;
    rows::add_uses(tx, &[entry.row]).await
}

/// Secrets that are the only one of their entry and of no other entry, with the time of its use:
/// they are used up together.
fn singles(entries: &[Entry]) -> BTreeMap<String, i64> {
    let mut times: BTreeMap<&String, (usize, i64)> = BTreeMap::new();
    for entry in entries {
        let alone = entry.uses_up.len() == 1 && entry.spends.is_none();
        for digest in &entry.uses_up {
            let known = times.entry(digest).or_default();
            // Two entries, or one with more to do.
            known.0 += if alone { 1 } else { 2 };
            known.1 = entry.row.at;
        }
    }
    let once = times.into_iter().filter(|(_, (count, _))| *count == 1);
    once.map(|(digest, (_, at))| (digest.clone(), at)).collect()
}

/// Uses the secrets of an entry up: all of them, or none.
async fn use_up(tx: &mut Tx, entry: &Entry) -> Result<bool, Fault> {
    for (n, digest) in entry.uses_up.iter().enumerate() {
        if rows::use_token(tx, digest, entry.row.at).await? {
            continue;
        }
        for earlier in &entry.uses_up[..n] {
            rows::free_token(tx, earlier).await?;
        }
        return Ok(false);
    }
    let spent = match &entry.spends {
        Some(row) => rows::spend_token(tx, row).await?,
        None => true,
    };
    if !spent {
        for earlier in &entry.uses_up {
            rows::free_token(tx, earlier).await?;
        }
    }
    Ok(spent)
}

fn audit_entry(entry: &Entry) -> AuditEntry {
    let row = &entry.row;
    let fields: serde_json::Value = serde_json::from_str(&row.fields).unwrap_or_default();
    let mut details = json!({
        "what": "use",
        "way": row.way,
        "verifier": row.verifier,
        "fields": fields,
        "verdict": row.verdict,
    });
    if let (Some(details), Some(more)) = (details.as_object_mut(), entry.details.as_object()) {
        details.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    AuditEntry {
        at: Time(row.at),
        account: row.by_account.clone(),
        verb: "read".into(),
        object: "licences".into(),
        subject: entry.identifier.clone(),
        purpose: row.purpose.clone(),
        basis: row.basis.clone(),
        details,
        outcome: "done".into(),
    }
}
