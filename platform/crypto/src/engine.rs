//! The engine: the rings in memory, and the few acts that change them. Every act is one
//! transaction with its entry in the audit log.

use crate::keys::{self, Key};
use crate::master::{MasterKey, MasterSource, fault};
use crate::suites;
use kernel::crypto::{Algorithm, Crypto, PublicKey, Ring, Signature, Suite};
use kernel::fault::{Fault, FaultKind};
use kernel::{Actor, Clock, Time};
use parking_lot::RwLock;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::audit::AuditEntry;
use store::keys::MasterRow;
use store::{Store, Tx};

/// What only the master key of a store opens.
const PROOF: &[u8] = b"jicheng master key";
/// Characters of a reason, at most.
const REASON_LIMIT: usize = 500;

/// How to open the engine.
pub struct Options {
    /// Suite of new keys.
    pub suite: Suite,
    /// Where the master key comes from.
    pub master: MasterSource,
}

/// The rings, each newest first.
type Rings = BTreeMap<Ring, Vec<Arc<Key>>>;

/// The software provider.
pub struct Engine {
    store: Option<Store>,
    clock: Arc<dyn Clock>,
    suite: Suite,
    master: MasterKey,
    place: String,
    rings: RwLock<Arc<Rings>>,
}

/// A version of a ring, for people.
#[derive(Clone, Debug, Serialize)]
pub struct KeyInfo {
    /// Identification.
    pub id: String,
    /// 1 for the first.
    pub version: i64,
    /// Suite it was made for.
    pub suite: Suite,
    /// What signs.
    pub algorithm: Algorithm,
    /// What seals.
    pub cipher: &'static str,
    /// When it was made.
    pub created_at: Time,
    /// Since when it is used for nothing.
    pub retired_at: Option<Time>,
    /// Signs and seals now.
    pub current: bool,
    /// Why it was made or retired.
    pub reason: String,
}

/// A ring, for people.
#[derive(Clone, Debug, Serialize)]
pub struct RingInfo {
    /// The ring.
    pub ring: Ring,
    /// Its versions, newest first.
    pub keys: Vec<KeyInfo>,
}

impl Engine {
    /// Opens the keys of a store, making those that do not exist yet. Fails with
    /// `crypto.master_key` when the master key is absent or another.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Arc<Engine>, Fault> {
        let mut tx = store.begin().await?;
        let master = match store::keys::master(&mut tx).await? {
            Some(row) => known_master(&options.master, &row)?,
            None => {
                let master = options.master.read_or_make()?;
                bind(&mut tx, &master, clock.now()).await?;
                master
            }
        };
        let rows = store::keys::all(&mut tx).await?;
        let mut rings = Rings::new();
        for row in rows {
            let key = Key::open(&master, row)?;
            rings.entry(key.ring).or_default().push(Arc::new(key));
        }
        for ring in Ring::ALL {
            let newest = rings.get(&ring).and_then(|keys| keys.first());
            let wanted = keys::algorithm(ring, options.suite);
            let reason = match newest {
                Some(key) if key.algorithm == wanted && key.suite == options.suite => continue,
                Some(_) => "the suite of the city was changed",
                None => "first start",
            };
            let version = newest.map_or(1, |key| key.version + 1);
            let now = clock.now();
            let row = keys::make(&master, ring, version, options.suite, now.0, reason)?;
            store::keys::add(&mut tx, &row).await?;
            write_down(&mut tx, &Actor::system(), now, "rotate", &row.id, reason).await?;
            let key = Arc::new(Key::open(&master, row)?);
            rings.entry(ring).or_default().insert(0, key);
        }
        tx.commit().await?;
        Ok(Arc::new(Engine {
            store: Some(store),
            clock,
            suite: options.suite,
            master,
            place: options.master.place(),
            rings: RwLock::new(Arc::new(rings)),
        }))
    }

    /// Keys that live only in memory: for tools and tests without a store.
    pub fn in_memory(suite: Suite, clock: Arc<dyn Clock>) -> Result<Arc<Engine>, Fault> {
        let master = MasterKey::random();
        let mut rings = Rings::new();
        for ring in Ring::ALL {
            let row = keys::make(&master, ring, 1, suite, clock.now().0, "in memory")?;
            rings.insert(ring, vec![Arc::new(Key::open(&master, row)?)]);
        }
        Ok(Arc::new(Engine {
            store: None,
            clock,
            suite,
            master,
            place: "memory".into(),
            rings: RwLock::new(Arc::new(rings)),
        }))
    }

    /// Does this master key belong to the store? Says no with `crypto.master_key`.
    pub async fn check_master(store: &Store, master: &MasterKey) -> Result<(), Fault> {
        match store::keys::master(&mut store.reader().await?).await? {
            Some(row) => proven(master, &row),
            None => Err(fault(
                "存储中还没有密钥，无从核对",
                "the store has no keys yet, there is nothing to check against",
            )),
        }
    }

    /// Reads the keys anew: another process may have rotated a ring.
    pub async fn refresh(&self) -> Result<(), Fault> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let rows = store::keys::all(&mut store.reader().await?).await?;
        let known = self.rings.read().clone();
        let same = |key: &Key, row: &store::keys::KeyRow| {
            key.id == row.id && key.retired_at == row.retired_at
        };
        let mut rings = Rings::new();
        for row in rows {
            let held = known.values().flatten().find(|key| same(key, &row));
            let key = match held {
                Some(key) => key.clone(),
                None => Arc::new(Key::open(&self.master, row)?),
            };
            rings.entry(key.ring).or_default().push(key);
        }
        *self.rings.write() = Arc::new(rings);
        Ok(())
    }

    /// Makes a new version of a ring; from now on it signs and seals.
    pub async fn rotate(&self, actor: &Actor, ring: Ring, reason: &str) -> Result<KeyInfo, Fault> {
        let reason = reasonable(reason)?;
        let mut tx = self.store()?.begin().await?;
        let rows = store::keys::all(&mut tx).await?;
        let newest = rows.iter().find(|row| row.ring == ring.word());
        let version = newest.map_or(1, |row| row.version + 1);
        if rows.len() as u64 >= store::keys::LIMIT {
            return Err(Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                "密钥过多",
                "there are too many keys",
            ));
        }
        let now = self.clock.now();
        let row = keys::make(&self.master, ring, version, self.suite, now.0, reason)?;
        store::keys::add(&mut tx, &row).await?;
        write_down(&mut tx, actor, now, "rotate", &row.id, reason).await?;
        tx.commit().await?;
        let id = row.id;
        self.refresh().await?;
        self.info(ring, &id)
    }

    /// Retires an old version: it verifies and opens nothing any more. The current one is refused.
    pub async fn retire(
        &self,
        actor: &Actor,
        ring: Ring,
        id: &str,
        reason: &str,
    ) -> Result<KeyInfo, Fault> {
        let reason = reasonable(reason)?;
        self.refresh().await?;
        let found = self.info(ring, id)?;
        if found.current || found.retired_at.is_some() {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "正在使用或已经退役的密钥不能退役；请先轮换",
                "this key is in use or retired already; rotate the ring first",
            ));
        }
        let now = self.clock.now();
        let mut tx = self.store()?.begin().await?;
        if store::keys::retire(&mut tx, id, now.0, reason).await? {
            write_down(&mut tx, actor, now, "retire", id, reason).await?;
        }
        tx.commit().await?;
        self.refresh().await?;
        self.info(ring, id)
    }

    /// Splits the master key into shares, and writes down that it was done (not the shares).
    pub async fn escrow(
        &self,
        actor: &Actor,
        shares: u8,
        threshold: u8,
    ) -> Result<Vec<zeroize::Zeroizing<String>>, Fault> {
        let parts = crate::escrow::split(&self.master, shares, threshold)?;
        let mut tx = self.store()?.begin().await?;
        let about = format!("{threshold} of {shares}");
        let subject = format!("master-{}", self.master.id());
        write_down(&mut tx, actor, self.clock.now(), "escrow", &subject, &about).await?;
        tx.commit().await?;
        Ok(parts)
    }

    /// Identification of the master key.
    pub fn master_id(&self) -> String {
        self.master.id()
    }

    /// Where the master key comes from, for people.
    pub fn master_place(&self) -> &str {
        &self.place
    }

    /// All rings with their versions.
    pub fn rings(&self) -> Vec<RingInfo> {
        let rings = self.rings.read().clone();
        let info = |(ring, keys): (&Ring, &Vec<Arc<Key>>)| RingInfo {
            ring: *ring,
            keys: keys
                .iter()
                .enumerate()
                .map(|(number, key)| describe(key, number == 0))
                .collect(),
        };
        rings.iter().map(info).collect()
    }

    fn info(&self, ring: Ring, id: &str) -> Result<KeyInfo, Fault> {
        let rings = self.rings();
        let keys = rings.into_iter().filter(|info| info.ring == ring);
        let found = keys.flat_map(|info| info.keys).find(|key| key.id == id);
        found.ok_or_else(|| Fault::missing(id))
    }

    fn store(&self) -> Result<&Store, Fault> {
        let none = || Fault::internal("changing keys", "these keys live in memory only");
        self.store.as_ref().ok_or_else(none)
    }

    fn current(&self, ring: Ring) -> Result<Arc<Key>, Fault> {
        let rings = self.rings.read();
        let newest = rings.get(&ring).and_then(|keys| keys.first());
        let newest = newest.filter(|key| key.retired_at.is_none()).cloned();
        newest.ok_or_else(|| Fault::internal("finding a key", format!("no {}", ring.word())))
    }

    fn usable(&self, ring: Ring, id: &str) -> Option<Arc<Key>> {
        let rings = self.rings.read();
        let mut keys = rings.get(&ring)?.iter();
        keys.find(|key| key.id == id && key.retired_at.is_none())
            .cloned()
    }
}

impl Crypto for Engine {
    fn suite(&self) -> Suite {
        self.suite
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        suites::digest(self.suite, bytes)
    }

    fn sign(&self, ring: Ring, message: &[u8]) -> Result<Signature, Fault> {
        let key = self.current(ring)?;
        let bytes = key.sign(message);
        Ok(Signature {
            key: key.id.clone(),
            algorithm: key.algorithm,
            bytes: bytes.ok_or_else(|| Fault::internal("signing", "the key refused"))?,
        })
    }

    fn verify(&self, ring: Ring, message: &[u8], signature: &Signature) -> Result<bool, Fault> {
        let Some(key) = self.usable(ring, &signature.key) else {
            return Ok(false);
        };
        // The key decides the algorithm, never the signature.
        Ok(key.algorithm == signature.algorithm
            && suites::verify(key.algorithm, &key.public, message, &signature.bytes))
    }

    fn public_keys(&self, ring: Ring) -> Result<Vec<PublicKey>, Fault> {
        let rings = self.rings.read();
        let keys = rings.get(&ring).into_iter().flatten().enumerate();
        Ok(keys
            .filter(|(_, key)| key.retired_at.is_none())
            .map(|(number, key)| key.public_key(number == 0))
            .collect())
    }

    fn seal(&self, ring: Ring, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let sealed = self.current(ring)?.seal(context, plain);
        sealed.ok_or_else(|| Fault::internal("sealing", "the cipher refused"))
    }

    fn is_current(&self, ring: Ring, sealed: &[u8]) -> bool {
        let newest = self.current(ring).ok();
        let parts = keys::parts(sealed);
        newest.is_some_and(|key| parts.is_some_and(|parts| parts.key == key.id))
    }

    fn open(&self, ring: Ring, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let opened = keys::parts(sealed).and_then(|parts| {
            let key = self.usable(ring, parts.key)?;
            key.open_sealed(context, &parts)
        });
        opened.ok_or_else(|| {
            Fault::new(
                FaultKind::Internal,
                "crypto.not_opened",
                format!("加密内容无法解开（{}）", ring.word()),
                format!("sealed content cannot be opened ({})", ring.word()),
            )
        })
    }
}

fn describe(key: &Key, newest: bool) -> KeyInfo {
    KeyInfo {
        id: key.id.clone(),
        version: key.version,
        suite: key.suite,
        algorithm: key.algorithm,
        cipher: match key.suite {
            Suite::International => "AES-256-GCM",
            Suite::National => "SM4-GCM",
        },
        created_at: Time(key.created_at),
        retired_at: key.retired_at.map(Time),
        current: newest && key.retired_at.is_none(),
        reason: key.reason.clone(),
    }
}

fn known_master(source: &MasterSource, row: &MasterRow) -> Result<MasterKey, Fault> {
    let Some(master) = source.read()? else {
        let (place, id) = (source.place(), &row.id);
        return Err(fault(
            format!(
                "没有找到主密钥（{place}）；此存储的密钥由主密钥 {id} 加密。请放回原文件，或用份额恢复：jicheng keys recover"
            ),
            format!(
                "the master key is not at {place}; the keys of this store are encrypted under {id}. Bring the file back, or recover it from its shares: jicheng keys recover"
            ),
        ));
    };
    proven(&master, row)?;
    Ok(master)
}

fn proven(master: &MasterKey, row: &MasterRow) -> Result<(), Fault> {
    let opened = keys::unwrap(master, Suite::International, &row.id, &row.proof);
    if opened.is_some_and(|proof| proof.as_slice() == PROOF) {
        return Ok(());
    }
    let (given, wanted) = (master.id(), &row.id);
    Err(fault(
        format!("主密钥不对：给出的是 {given}，此存储的密钥由 {wanted} 加密"),
        format!(
            "this is another master key: {given} was given, the keys of this store are encrypted under {wanted}"
        ),
    ))
}

async fn bind(tx: &mut Tx, master: &MasterKey, now: Time) -> Result<(), Fault> {
    let id = master.id();
    let proof = keys::wrap(master, Suite::International, &id, PROOF)
        .ok_or_else(|| Fault::internal("wrapping the proof", "the cipher refused"))?;
    let row = MasterRow {
        id,
        proof,
        created_at: now.0,
    };
    store::keys::bind_master(tx, &row).await
}

fn reasonable(reason: &str) -> Result<&str, Fault> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LIMIT {
        return Err(Fault::invalid_at(
            "reason",
            format!("请写明原因（不超过 {REASON_LIMIT} 字）"),
            format!("a reason is needed, at most {REASON_LIMIT} characters"),
        ));
    }
    Ok(reason)
}

async fn write_down(
    tx: &mut Tx,
    actor: &Actor,
    now: Time,
    act: &str,
    subject: &str,
    reason: &str,
) -> Result<(), Fault> {
    let entry = AuditEntry {
        at: now,
        account: actor.account.clone(),
        verb: "operate".into(),
        object: "keys".into(),
        subject: subject.into(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: json!({"act": act, "reason": reason}),
        outcome: "done".into(),
    };
    store::audit::append(tx, &entry).await.map(|_| ())
}
