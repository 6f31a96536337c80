//! Tests of the backup: shipping and restoring, crashes, damage, forgetting.

mod crash;
mod damage;
mod fake;
mod shipping;
mod speed;
