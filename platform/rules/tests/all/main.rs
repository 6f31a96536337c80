//! Tests of the rules through their public doors: scenarios for what is judged, both databases
//! for what is written.

#![allow(clippy::unwrap_used)] // clippy knows tests, but not their helpers

mod engine;
mod fakes;
mod judging;
mod restarts;
mod speed;
