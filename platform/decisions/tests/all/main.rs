//! Tests of the decisions engine.
#![allow(clippy::unwrap_used)]

mod delivered;
mod expressions;
mod models;
mod published;
mod sheet;
mod tables;
mod tck;

use decisions::Engine;
use kernel::{ManualClock, Time};
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
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    Engine::open(store.clone(), clock).unwrap()
}
