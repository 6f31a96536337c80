//! Tests of the HJ 212 gateway: codec and vocabulary by tables and corpora.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first wrong thing"
)]

mod codec;
mod commands;
mod corpus;
mod fakes;
mod limits;
mod replay;
mod server;
mod simulator;
mod speed;
mod splitter;
mod station;
mod vocabulary;

use std::path::PathBuf;

/// A folder of the corpora, or `None` (said aloud) when it is not there.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora");
    let root = std::env::var("JICHENG_CORPORA").unwrap_or_else(|_| beside.into());
    let path = PathBuf::from(root).join(folder);
    if path.is_dir() {
        Some(path)
    } else {
        eprintln!("skipped: no corpus at {}", path.display());
        None
    }
}
