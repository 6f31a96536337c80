//! indicators: numbers with targets (指标). Each declared indicator is taken from a report of its
//! system at the pace it declares; its history is kept as observations of the thing `indicator`,
//! so that charts, ranges and export work as for everything measured. A report that fails leaves
//! the last number standing, with the time it was computed and since when it fails.

mod engine;
mod take;

pub use engine::{Engine, IndicatorValue, THING};
