//! Tests of the decisions engine.
#![allow(clippy::unwrap_used)]

mod delivered;
mod expressions;
mod models;
mod published;
mod sheet;
mod tables;
mod tck;

use async_trait::async_trait;
use decisions::{Engine, Sight};
use kernel::{Actor, Fault, ManualClock, Time};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

/// A store of its own on SQLite, for tests that keep nothing.
pub(crate) async fn memory() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    (dir, store)
}

pub(crate) fn at(text: &str) -> Time {
    Time::parse(text).unwrap()
}

pub(crate) fn engine(store: &Store) -> Arc<Engine> {
    engine_on(
        store,
        Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00"))),
    )
}

pub(crate) fn engine_on(store: &Store, clock: Arc<ManualClock>) -> Arc<Engine> {
    let engine = Engine::open(store.clone(), clock).unwrap();
    engine.know_cases(Arc::new(Cases));
    engine
}

/// Officer `zhang` may see the cases `C-1`, whose number is `2026-1`, and `C-2`; `auditor` sees every
/// evaluation.
struct Cases;

#[async_trait]
impl Sight for Cases {
    async fn cases(&self, by: &Actor, names: &[String]) -> Result<BTreeMap<String, String>, Fault> {
        let known = [("C-1", "C-1"), ("2026-1", "C-1"), ("C-2", "C-2")];
        let known = known.map(|(name, id)| (name.to_owned(), id.to_owned()));
        let asked = |(name, _): &(String, String)| by.account == "zhang" && names.contains(name);
        Ok(known.into_iter().filter(asked).collect())
    }
    fn every(&self, by: &Actor) -> bool {
        by.account == "auditor"
    }
}
