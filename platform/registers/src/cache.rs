//! Registers kept in memory (`x-cached`): small ones that rules and gateways ask for at every
//! frame. What is valid is decided by the clock when asked, so a version that begins in the future
//! comes into force by itself.

use crate::apply::stored;
use kernel::records::Record;
use kernel::{Fault, Time};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::records::RecordRow;

/// Rows of one cached register, at most: more belongs into the store.
pub(crate) const ROWS_LIMIT: u64 = 100_000;

type Held = BTreeMap<String, Vec<Arc<Record>>>;

/// The cached registers by name.
#[derive(Default)]
pub(crate) struct Cache(HashMap<String, RwLock<Held>>);

fn valid(stretches: &[Arc<Record>], now: Time) -> Option<&Arc<Record>> {
    stretches
        .iter()
        .find(|r| r.valid_from <= now && r.valid_to.is_none_or(|to| now < to))
}

impl Cache {
    /// Begins to keep a register, with its believed rows in order of key and time.
    pub(crate) fn add(&mut self, register: &str, rows: &[RecordRow]) -> Result<(), Fault> {
        let mut held = Held::new();
        for row in rows {
            let record = stored(register, row)?;
            held.entry(row.key.clone())
                .or_default()
                .push(Arc::new(record));
        }
        self.0.insert(register.into(), RwLock::new(held));
        Ok(())
    }

    /// Replaces what is kept of one record, if its register is kept at all.
    pub(crate) fn put(
        &self,
        register: &str,
        key: &str,
        rows: &[RecordRow],
        now: Time,
    ) -> Result<(), Fault> {
        let Some(held) = self.0.get(register) else {
            return Ok(());
        };
        let mut stretches = vec![];
        for row in rows.iter().filter(|row| row.valid_to > now.0) {
            stretches.push(Arc::new(stored(register, row)?));
        }
        let mut held = held.write();
        if stretches.is_empty() {
            held.remove(key);
        } else {
            held.insert(key.into(), stretches);
        }
        Ok(())
    }

    /// The record as it stands.
    pub(crate) fn get(&self, register: &str, key: &str, now: Time) -> Option<Arc<Record>> {
        let held = self.0.get(register)?.read();
        valid(held.get(key)?, now).cloned()
    }

    /// All records as they stand, in order of key.
    pub(crate) fn all(&self, register: &str, now: Time) -> Vec<Arc<Record>> {
        let Some(held) = self.0.get(register) else {
            return vec![];
        };
        let held = held.read();
        held.values()
            .filter_map(|s| valid(s, now))
            .cloned()
            .collect()
    }
}
