//! The engine: puts entries into the trees, signs checkpoints, and refuses to sign for a log that
//! contradicts what it signed before.

use crate::checkpoint::{Checkpoint, altered, notes};
use crate::pseudonyms;
use crate::record::Waiting;
use crate::tree::{self, Digest, Hash, Tiles};
use kernel::crypto::{Crypto, Ring, Signature};
use kernel::{Clock, Fault};
use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::audit_tree::{self, CheckpointRow};
use store::{Run, Store};
use tokio::sync::watch;

/// Entries put into the trees by one transaction.
const BATCH: u64 = 4096;
/// How often the log is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How often a checkpoint is signed when the log grew.
const SIGN: Duration = Duration::from_secs(60);

/// How to open the engine.
pub struct Options {
    /// First line of every checkpoint: which log this is.
    pub origin: String,
    /// File that checkpoints are appended to, for witnesses.
    pub file: Option<PathBuf>,
}

/// The engine.
pub struct Engine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    /// Absent when the engine only reads.
    crypto: Option<Arc<dyn Crypto>>,
    /// Key of the pseudonyms of persons.
    lookup: Option<Vec<u8>>,
    options: Options,
    pub(crate) waiting: Mutex<VecDeque<Waiting>>,
    /// Held by whoever writes a batch of entries.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Held by whoever changes the trees or signs.
    growing: tokio::sync::Mutex<()>,
    /// The last checkpoint signed, whoever signed it.
    last: Mutex<Option<Checkpoint>>,
    trouble: Mutex<Option<Fault>>,
}

impl Engine {
    /// Opens the engine on the trees of a store. A log that contradicts its checkpoints is opened
    /// all the same (it must go on recording), but nothing is signed for it; see
    /// [`Engine::trouble`].
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        crypto: Arc<dyn Crypto>,
        options: Options,
    ) -> Result<Arc<Engine>, Fault> {
        let lookup = pseudonyms::key(&store, &*crypto).await?;
        Engine::with(store, clock, Some(crypto), Some(lookup), options).await
    }

    /// The same without keys: it exports, proves and verifies, and signs nothing.
    pub async fn reading(
        store: Store,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Engine>, Fault> {
        Engine::with(store, clock, None, None, options).await
    }

    async fn with(
        store: Store,
        clock: Arc<dyn Clock>,
        crypto: Option<Arc<dyn Crypto>>,
        lookup: Option<Vec<u8>>,
        options: Options,
    ) -> Result<Arc<Engine>, Fault> {
        let kept = audit_tree::checkpoints(&mut store.reader().await?, None, 1).await?;
        let mut last = kept
            .first()
            .and_then(|row| Some(Checkpoint::read(&row.text)?.0));
        if let Some(file) = &options.file
            && let Some(outside) = last_of(file)
            && last.as_ref().is_none_or(|c| c.size <= outside.size)
        {
            last = Some(outside);
        }
        let shared = Shared {
            store,
            clock,
            crypto,
            lookup,
            options,
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            growing: tokio::sync::Mutex::default(),
            last: Mutex::new(last),
            trouble: Mutex::default(),
        };
        Ok(Arc::new(Engine {
            shared: Arc::new(shared),
        }))
    }

    /// Keeps the trees up and signs, until told to stop; then once more.
    pub fn start(
        self: &Arc<Engine>,
        mut stopping: watch::Receiver<bool>,
    ) -> tokio::task::JoinHandle<()> {
        let engine = self.clone();
        tokio::spawn(async move {
            let mut signed = tokio::time::Instant::now();
            loop {
                let stop = stopping.wait_for(|stop| *stop);
                let ending = tokio::time::timeout(LOOK, stop).await.is_ok();
                let outcome = if ending || signed.elapsed() >= SIGN {
                    signed = tokio::time::Instant::now();
                    engine.checkpoint().await.map(|_| ())
                } else {
                    engine.integrate().await.map(|_| ())
                };
                if let Err(fault) = outcome {
                    tracing::error!(%fault, "the audit trees");
                }
                if ending {
                    return;
                }
            }
        })
    }

    /// The name under which a person stands in the audit log: a keyed digest of the citizen number,
    /// so that the log can be handed to verifiers and tells them nobody's number.
    pub fn pseudonym(&self, person: &str) -> Option<String> {
        let key = self.shared.lookup.as_ref()?;
        Some(pseudonyms::of(key, person))
    }

    /// Why nothing is signed at present.
    pub fn trouble(&self) -> Option<Fault> {
        self.shared.trouble.lock().clone()
    }

    /// Puts every entry that is not in the trees yet into them; answers their size.
    pub async fn integrate(&self) -> Result<u64, Fault> {
        let _growing = self.shared.growing.lock().await;
        let outcome = self.shared.grow().await;
        self.shared.note(outcome)
    }

    /// The last checkpoint if nothing happened since, or a new one, signed.
    pub async fn checkpoint(&self) -> Result<String, Fault> {
        let _growing = self.shared.growing.lock().await;
        let outcome = self.shared.sign().await;
        self.shared.note(outcome)
    }

    /// Fills the trees with leaves of no entry, for a measurement of proofs.
    #[doc(hidden)]
    pub async fn fill_for_a_measurement(&self, size: u64) -> Result<(), Fault> {
        let _growing = self.shared.growing.lock().await;
        let mut tx = self.shared.store.begin().await?;
        let mut now = audit_tree::size(&mut tx).await?;
        while now < size {
            let next = size.min(now + 65_536);
            for digest in Digest::ALL {
                let leaves: Vec<Hash> = (now..next)
                    .map(|n| tree::leaf(digest, &n.to_be_bytes()))
                    .collect();
                let edge = tree::edge(now);
                let mut tiles: Tiles = audit_tree::tiles(&mut tx, digest.word(), edge).await?;
                for id in tree::grow(digest, &mut tiles, now, &leaves) {
                    audit_tree::put_tile(&mut tx, digest.word(), id, &tiles[&id]).await?;
                }
            }
            now = next;
        }
        audit_tree::set_size(&mut tx, size).await?;
        tx.commit().await
    }

    /// How many checkpoints are kept.
    pub async fn checkpoint_count(&self) -> Result<u64, Fault> {
        audit_tree::checkpoint_count(&mut self.shared.store.reader().await?).await
    }

    /// Checkpoints up to a size, the largest first.
    pub async fn checkpoints(
        &self,
        up_to: Option<u64>,
        limit: u64,
    ) -> Result<Vec<CheckpointRow>, Fault> {
        audit_tree::checkpoints(&mut self.shared.store.reader().await?, up_to, limit).await
    }
}

/// The last checkpoint of a file.
fn last_of(file: &PathBuf) -> Option<Checkpoint> {
    let text = std::fs::read_to_string(file).ok()?;
    let note = notes(&text).pop()?;
    Some(Checkpoint::read(&note)?.0)
}

/// Hashes of stretches, both read from the store and computed.
pub(crate) async fn hashes(
    run: &mut impl Run,
    digest: Digest,
    stretches: &[(u64, u64)],
) -> Result<Vec<Hash>, Fault> {
    let mut wanted = BTreeSet::new();
    for stretch in stretches {
        tree::needed(*stretch, &mut wanted);
    }
    let tiles = audit_tree::tiles(run, digest.word(), wanted).await?;
    let hash = |stretch: &(u64, u64)| {
        tree::root(digest, &tiles, *stretch).map_err(|(level, number)| {
            altered(
                format!("审计树缺少第 {level} 层第 {number} 块"),
                format!("tile {number} of level {level} of the audit tree is missing"),
            )
        })
    };
    stretches.iter().map(hash).collect()
}

impl Shared {
    fn note<T>(&self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        match &outcome {
            Ok(_) => *self.trouble.lock() = None,
            Err(fault) if fault.code == "audit.altered" => {
                *self.trouble.lock() = Some(fault.clone());
            }
            Err(_) => {}
        }
        outcome
    }

    async fn grow(&self) -> Result<u64, Fault> {
        loop {
            let mut reader = self.store.reader().await?;
            let size = audit_tree::size(&mut reader).await?;
            let rows = store::audit::stored_after(&mut reader, size as i64, BATCH).await?;
            drop(reader);
            let full = rows.len() as u64 == BATCH;
            if rows.is_empty() {
                return Ok(size);
            }
            let mut leaves: [Vec<Hash>; 2] = Default::default();
            for (expected, row) in (size as i64 + 1..).zip(&rows) {
                if row.seq != expected {
                    return Err(altered(
                        format!("审计日志缺少第 {expected} 条"),
                        format!("entry {expected} of the audit log is missing"),
                    ));
                }
                let bytes = row.canonical();
                for digest in Digest::ALL {
                    leaves[digest as usize].push(tree::leaf(digest, &bytes));
                }
            }
            let mut tx = self.store.begin().await?;
            // Another process may have been faster.
            if audit_tree::size(&mut tx).await? != size {
                continue;
            }
            for digest in Digest::ALL {
                let edge = tree::edge(size);
                let mut tiles: Tiles = audit_tree::tiles(&mut tx, digest.word(), edge).await?;
                let changed = tree::grow(digest, &mut tiles, size, &leaves[digest as usize]);
                for id in changed {
                    audit_tree::put_tile(&mut tx, digest.word(), id, &tiles[&id]).await?;
                }
            }
            let size = size + rows.len() as u64;
            audit_tree::set_size(&mut tx, size).await?;
            tx.commit().await?;
            if !full {
                return Ok(size);
            }
        }
    }

    /// Both roots of the trees at a size.
    async fn roots(&self, size: u64) -> Result<[Hash; 2], Fault> {
        let mut reader = self.store.reader().await?;
        let mut roots = [[0; 32]; 2];
        for digest in Digest::ALL {
            let found = hashes(&mut reader, digest, &[(0, size)]).await?;
            roots[digest as usize] = found[0];
        }
        Ok(roots)
    }

    /// Signs the trees as they are, after holding them against the last checkpoint.
    async fn sign(&self) -> Result<String, Fault> {
        let size = self.grow().await?;
        let last = self.last.lock().clone();
        if let Some(last) = &last {
            if size < last.size {
                return Err(altered(
                    format!(
                        "审计日志只有 {size} 条，而已签名的检查点有 {} 条",
                        last.size
                    ),
                    format!(
                        "the audit log has {size} entries, a checkpoint signed earlier has {}",
                        last.size
                    ),
                ));
            }
            if self.roots(last.size).await? != last.roots {
                return Err(altered(
                    format!("审计日志的前 {} 条与已签名的检查点不符", last.size),
                    format!(
                        "the first {} entries of the audit log contradict a checkpoint signed earlier",
                        last.size
                    ),
                ));
            }
            let kept = self.store.reader().await;
            let kept = audit_tree::checkpoints(&mut kept?, Some(size), 1).await?;
            if let Some(row) = kept.into_iter().next()
                && row.size == size
            {
                return Ok(row.text);
            }
        }
        let checkpoint = Checkpoint {
            origin: self.options.origin.clone(),
            size,
            roots: self.roots(size).await?,
            at: self.clock.now(),
        };
        let text = self.signed(&checkpoint)?;
        let row = CheckpointRow {
            size,
            at: checkpoint.at.0,
            text: text.clone(),
        };
        let mut tx = self.store.begin().await?;
        audit_tree::add_checkpoint(&mut tx, &row).await?;
        tx.commit().await?;
        self.carry_out(&text);
        *self.last.lock() = Some(checkpoint);
        Ok(text)
    }

    fn signed(&self, checkpoint: &Checkpoint) -> Result<String, Fault> {
        let crypto = self.crypto.as_ref();
        let crypto = crypto.ok_or_else(|| Fault::internal("signing a checkpoint", "no keys"))?;
        let signature: Signature = crypto.sign(Ring::Audit, checkpoint.body().as_bytes())?;
        let keys = crypto.public_keys(Ring::Audit)?;
        let key = keys.iter().find(|key| key.key == signature.key);
        let key = key.ok_or_else(|| Fault::internal("signing a checkpoint", "the key is gone"))?;
        Ok(checkpoint.signed(key, &signature))
    }

    /// Appends a checkpoint to the file. It is in the store already; a full disk is no reason to
    /// stop.
    fn carry_out(&self, text: &str) {
        let Some(path) = &self.options.file else {
            return;
        };
        let opened = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let written = opened.and_then(|mut file| {
            file.write_all(format!("{text}\n").as_bytes())?;
            file.sync_all()
        });
        if let Err(error) = written {
            tracing::warn!(path = %path.display(), %error, "a checkpoint was not written to its file");
        }
    }
}
