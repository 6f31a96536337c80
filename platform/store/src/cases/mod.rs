//! Cases: what the engine of cases keeps. A case is one row with its state packed into it, of a size
//! that does not grow with its age; what has been is appended to rows of its own. Tasks stand in
//! *queues*: one for each process and set of people a task is offered to, and one for each person
//! who has tasks in hand. A task is in one queue only, so that pages are read along one index and
//! counts are sums of counters, however many tasks wait.
//!
//! The engine decides first; [`write`] puts everything that follows from a batch of steps into the
//! store in a few statements of one transaction.

pub mod calendar;
pub mod lists;
pub mod outbox;
pub mod past;
pub mod processes;
pub mod read;
pub mod rows;
pub mod small;
mod tables;
pub mod write;

pub use rows::{CaseRow, NEVER, Queue, TaskRow, pack, unpack};
pub use small::{EntryRow, JobRow, JobState, KeyRow, TimerRow, WaitRow};
pub(crate) use tables::migrations;
pub use write::Writes;
