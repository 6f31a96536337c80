//! observations: what devices measure. Behind the kernel's traits `Observations` and `Devices`.
//!
//! A *group* is a thing and a period; its rows share their columns and their times, so they are
//! stored together: packed in memory while they are new (the *head*, `group`), then as columnar
//! blocks in the store (`block`). Nothing home-made holds the bytes: a batch is made durable as
//! one event of the store's log (`commit`), blocks are rows of a table (`flush`).
//!
//! - **Durable before acknowledged.** One committer takes everything that waits, drops what is
//!   there already, writes the rest as one compressed event with the new names in one
//!   transaction, shows it and answers. While one batch is being synced the next is prepared.
//! - **Start-up** reads the names, one directory row per group, and the part of the log that is
//!   not in blocks, whose length is bounded ([`Options::flush_values`]).
//! - **Duplicates, corrections.** The same value at the same place is counted and dropped; a
//!   different one is kept beside the older, and reads show the newest received (`as_of`: the
//!   newest received by then). Of one place the newest 256 versions are kept.
//! - **Future-dated rows** (more than an hour ahead of reception) never become the newest value;
//!   a series with no other rows is not listed.
//! - **Rollups.** Minute and ten-minute buckets are computed from raw rows when asked for: a
//!   thousand rows unpack in some ten microseconds. Hours and days are kept (one row per group
//!   and day, `rollup`) where raw rows are dense, and always before raw rows expire. Late rows
//!   remove the kept rollup of their day in the transaction that stores them, and it is made
//!   anew; after expiry late rows are added to it.
//! - **Everything is bounded**: names, the queue, the head, pages, rings of frames.

mod batches;
mod block;
mod cells;
mod codec;
mod commit;
mod devices;
mod directory;
mod engine;
mod flush;
mod frames;
mod group;
pub mod line_protocol;
mod names;
pub mod ndjson;
mod number;
pub mod parsed;
mod range;
mod rollup;
mod series;
mod table;
mod thin;

pub use commit::LiveBatch;
pub use engine::{Engine, Options, Retention};
pub use line_protocol::Precision;
pub use names::{MAX_COLUMNS, MAX_THINGS};
pub use rollup::Expired;
