//! metering: who used how much, and how much they may. Counters in memory, sharded so that cores
//! do not wait for each other, written down as additive deltas once a second; limits answered from
//! those counters; rates by token bucket.
//!
//! A crash loses what was counted since the last flush, a second at most, and never counts twice:
//! each flush carries a number that is committed with it.

mod engine;
mod quotas;
mod rates;
mod tally;

pub use engine::{Engine, Usage, UsageQuestion};
pub use quotas::{QuotaChange, QuotaInfo};
pub use rates::{Rate, Rates};
