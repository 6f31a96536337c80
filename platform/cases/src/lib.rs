//! cases: matters that take their way through offices. A process is standard BPMN 2.0 XML, of
//! which [`bpmn`] reads a published subset and refuses the rest by name and line; [`machine`]
//! moves tokens through it, as a pure function from a state and what happened to the next state
//! and what is to be waited for. [`Engine`] keeps cases in the store, gives tasks to people, runs
//! timers and service tasks, and counts the days.

pub mod bpmn;
pub mod clock;
mod engine;
pub mod machine;
pub mod simulate;

pub use engine::{Engine, Means, Tuning};
