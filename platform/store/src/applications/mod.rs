//! Applications: drafts, applications (办件), what is to be done for them after a change, numbers
//! of the day and counts of the day. What is personal arrives here sealed; people are searched for
//! by keyed digests only.
//!
//! The engine of applications decides first; [`write::apply`] puts what follows from one decision
//! into the store, and says so when what was decided upon has changed meanwhile.

pub mod lists;
pub mod read;
mod rows;
mod tables;
pub mod write;

pub use lists::{ListQuestion, Test};
pub use rows::{ApplicationRow, Counts, DayRow, DraftRow, JobRow, NEVER};
pub(crate) use tables::migrations;
pub use write::{Applied, Put, Write};
