//! decisions: what officials may change, as DMN 1.5 models and FEEL expressions. A model is
//! published in versions that stay; a decision says afterwards which rows of which tables made it;
//! an expression is read once and evaluated often.
//!
//! **On whose shoulders.** The crates `dsntk-*` 0.3 read and evaluate FEEL and the model; they pass
//! nearly all of the compatibility kit of the standard (`tests/all/tck.rs` counts it here, whole
//! corpora). Looked at instead: `zen-engine` (livelier, but its own language and format, not DMN); the
//! JavaScript and Python engines (`feelin`, `dmn-eval-js`, `pyDMNrules`, SpiffWorkflow), which know
//! less of the kit and would be another run-time in the house; writing our own, which would be years
//! behind the kit. What the library lacks is added around it: limits, positions of faults, decision
//! tables that are explained, types of inputs, the city's clock.
//!
//! **No network.** The library's only way out is its client for external Java functions. There are two
//! locks on that door: a model or text with an external function is refused when it is read, by name
//! and line; and the HTTP client the library is built against is a stand-in of ours that can send
//! nothing (`platform/decisions/reqwest`, a `[patch]` in the root manifest, which also spares the
//! forty crates of the real one).
//!
//! **What is bounded** ([`limits`]): length and depth of texts, size, depth and nodes of a model,
//! rules, chains and askings of decisions, size and depth of an input; every turn of a loop, call of
//! a function, table and decision is a step, the steps are counted, and at each the time, the stack
//! and the size of what it brought forth are looked at ([`instrument`]). A panic of the library is a
//! fault. **What is not:** one call of a built-in function on a list of the largest allowed size
//! (`distinct values` of 20,000 takes seconds) is not interrupted, its caller leaves after
//! the time limit and the thread comes back when it is done; there are two such threads, and when
//! both are held others are told `system.overloaded`. Decisions inside a decision service that an
//! expression calls are carried out by the library alone; so they may not loop, nor define or call
//! functions, nor make contexts.

mod engine;
mod feel;
mod instrument;
pub mod limits;
mod model;
mod native;
mod pool;
mod position;
mod run;
mod sight;
mod table;
mod trace;
mod tree;
mod values;
mod words;

pub use engine::{Engine, PAGE_LIMIT};
pub use feel::FeelExpressions;
pub use model::Model;
pub use sight::Sight;
