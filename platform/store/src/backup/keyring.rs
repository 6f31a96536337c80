//! The keyring: the city's keys as they are in the store, encrypted under its master key, to be
//! kept beside a backup. Without them nothing of a backup could be opened on a new machine, and
//! with them nobody can open it who does not have the master key.

use crate::keys::{self, KeyRow, MasterRow};
use crate::{Store, Tx};
use kernel::Fault;
use serde::{Deserialize, Serialize};

/// The keys of a city, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyring {
    /// What tells the master key from others.
    pub master: String,
    proof: Vec<u8>,
    created_at: i64,
    keys: Vec<KeptKey>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptKey {
    ring: String,
    version: i64,
    id: String,
    suite: String,
    algorithm: String,
    public: Vec<u8>,
    sealed: Vec<u8>,
    created_at: i64,
    retired_at: Option<i64>,
    reason: String,
}

impl Keyring {
    /// Reads the keys of a store; `None` when it has none yet.
    pub async fn read(store: &Store) -> Result<Option<Keyring>, Fault> {
        let mut reader = store.snapshot().await?;
        let Some(master) = keys::master(&mut reader).await? else {
            return Ok(None);
        };
        let keep = |row: KeyRow| KeptKey {
            ring: row.ring,
            version: row.version,
            id: row.id,
            suite: row.suite,
            algorithm: row.algorithm,
            public: row.public,
            sealed: row.sealed,
            created_at: row.created_at,
            retired_at: row.retired_at,
            reason: row.reason,
        };
        let rows = keys::all(&mut reader).await?;
        Ok(Some(Keyring {
            master: master.id,
            proof: master.proof,
            created_at: master.created_at,
            keys: rows.into_iter().map(keep).collect(),
        }))
    }

    /// Puts the keys into a store that has none, so that they can be opened with the master key.
    pub async fn put_into(&self, store: &Store) -> Result<(), Fault> {
        let mut tx: Tx = store.begin().await?;
        let master = MasterRow {
            id: self.master.clone(),
            proof: self.proof.clone(),
            created_at: self.created_at,
        };
        keys::bind_master(&mut tx, &master).await?;
        for key in &self.keys {
            let row = KeyRow {
                ring: key.ring.clone(),
                version: key.version,
                id: key.id.clone(),
                suite: key.suite.clone(),
                algorithm: key.algorithm.clone(),
                public: key.public.clone(),
                sealed: key.sealed.clone(),
                created_at: key.created_at,
                retired_at: key.retired_at,
                reason: key.reason.clone(),
            };
            keys::add(&mut tx, &row).await?;
        }
        tx.commit().await
    }
}
