//! Tests of the store through its public door, every one on both databases.

// A test that cannot go on should stop where it is.
#![allow(clippy::unwrap_used)]

mod audit;
mod backup;
mod batch;
mod documents;
mod durability;
mod events;
mod jobs;
mod opening;
