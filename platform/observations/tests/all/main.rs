//! Tests of the observations engine through its public door, on both databases.

#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod corpus;
mod devices;
mod help;
mod kill;
mod ranges;
mod restart;
mod rollups;
mod writing;
