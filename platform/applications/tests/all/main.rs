//! Tests of the applications engine, each on both databases. People and firms are synthetic: area
//! 130199, valid check characters.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first wrong thing"
)]

mod accepting;
mod bundles;
mod crash;
mod drafting;
mod ending;
mod house;
mod merged;
mod races;
mod secrecy;
mod stage;
mod submitting;
mod wholes;
