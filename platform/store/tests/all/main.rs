//! Tests of the store, every one on both databases.
mod events;
