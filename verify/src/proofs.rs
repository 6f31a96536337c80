//! Proofs: that an entry is in the log of a checkpoint, and that a later log only added to an
//! earlier one. Both trees must hold.

use crate::entry::Entry;
use crate::keys::Key;
use crate::note::{self, Checkpoint};
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use serde_json::Value;

/// Why a proof is not one, in Chinese and English.
pub type Wrong = (&'static str, &'static str);

fn path(value: &Value) -> Option<Vec<u8>> {
    let hashes: Option<Vec<Vec<u8>>> = value
        .as_array()?
        .iter()
        .map(|hash| Some(crate::hash(hash.as_str()?)?.to_vec()))
        .collect();
    Some(hashes?.concat())
}

/// Checks the proof of one entry with the checkpoint inside it; answers the entry and that
/// checkpoint.
pub fn inclusion(proof: &Value, keys: &[Key]) -> Result<(Entry, Checkpoint), Wrong> {
    let malformed = ("不是条目证明", "this is not a proof of an entry");
    let entry = Entry::read(&proof["entry"]).ok_or(malformed)?;
    let content = entry.content.clone().ok_or(malformed)?;
    let text = proof["checkpoint"].as_str().ok_or(malformed)?;
    let checkpoint = note::open(text, keys).map_err(|_| {
        (
            "检查点不是用给出的公钥签名的",
            "the checkpoint was not signed by the given key",
        )
    })?;
    if content.chain() != content.hash {
        return Err((
            "条目内容与其散列不符",
            "the content of the entry is not what its hash says",
        ));
    }
    let (size, index) = (checkpoint.size, entry.seq - 1);
    let [sha256, sm3] = ["sha256", "sm3"].map(|name| path(&proof[name]));
    let (sha256, sm3) = (sha256.ok_or(malformed)?, sm3.ok_or(malformed)?);
    let given = InclusionProof::try_from_bytes(sha256).map_err(|_| malformed)?;
    let first = RootHash::<sha2::Sha256>::new(checkpoint.sha256.into(), size).verify_inclusion(
        &content.bytes.as_slice(),
        index,
        &given,
    );
    let given = InclusionProof::try_from_bytes(sm3).map_err(|_| malformed)?;
    let second = RootHash::<sm3::Sm3>::new(checkpoint.sm3.into(), size).verify_inclusion(
        &content.bytes.as_slice(),
        index,
        &given,
    );
    if first.is_err() || second.is_err() {
        return Err((
            "该条目不在此检查点所指的日志中",
            "the entry is not in the log of this checkpoint",
        ));
    }
    Ok((entry, checkpoint))
}

/// Checks that the log of `new` is that of `old` with entries added.
pub fn consistency(proof: &Value, old: &Checkpoint, new: &Checkpoint) -> Result<(), Wrong> {
    let malformed = ("不是一致性证明", "this is not a proof of consistency");
    if old.origin != new.origin {
        return Err((
            "两个检查点属于不同的日志",
            "the checkpoints are of different logs",
        ));
    }
    let sizes = (proof["from"].as_u64(), proof["to"].as_u64());
    if sizes != (Some(old.size), Some(new.size)) {
        return Err((
            "证明的大小与检查点不符",
            "the proof is for other sizes than those of the checkpoints",
        ));
    }
    let [sha256, sm3] = ["sha256", "sm3"].map(|name| path(&proof[name]));
    let (sha256, sm3) = (sha256.ok_or(malformed)?, sm3.ok_or(malformed)?);
    let before = RootHash::<sha2::Sha256>::new(old.sha256.into(), old.size);
    let after = RootHash::<sha2::Sha256>::new(new.sha256.into(), new.size);
    let given = ConsistencyProof::try_from_bytes(sha256).map_err(|_| malformed)?;
    let first = after.verify_consistency(&before, &given);
    let before = RootHash::<sm3::Sm3>::new(old.sm3.into(), old.size);
    let after = RootHash::<sm3::Sm3>::new(new.sm3.into(), new.size);
    let given = ConsistencyProof::try_from_bytes(sm3).map_err(|_| malformed)?;
    let second = after.verify_consistency(&before, &given);
    if first.is_err() || second.is_err() {
        return Err((
            "较新的日志不是在较旧的日志上追加而成：旧条目被改动、删除或插入过",
            "the newer log is not the older one with entries added: older entries were altered, removed or slipped in",
        ));
    }
    Ok(())
}
