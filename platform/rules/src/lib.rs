//! rules: conditions over the stream of observations become alerts (告警), and officers handle
//! them. Three rooms: [`evaluator`] decides (pure: no clock, no disk, the same log gives the same
//! outcomes), [`engine`] reads the event log with a stored cursor and writes what was decided,
//! [`scenario`] runs `systems/*/scenarios/*.yaml` against the evaluator in memory.

pub mod alert;
pub mod engine;
pub mod evaluator;
mod facts;
mod officer;
pub mod scenario;

pub use engine::{Engine, Status};
pub use evaluator::{Change, Ending, Evaluator, Outcome};
pub use facts::Facts;
