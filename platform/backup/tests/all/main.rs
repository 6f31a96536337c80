//! Tests of the backup: shipping and restoring, crashes, damage, forgetting.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first wrong thing"
)]

mod crash;
mod damage;
mod fake;
mod shipping;
mod speed;
