//! Clocks: how long the law gives an office, counted in working days of China. The calendar of a
//! year (holidays, and the weekend days worked instead) is published by the State Council in the
//! November before and sometimes changed late, so it is data; a clock is counted anew whenever it
//! changes.

mod calendar;
mod counted;
mod limit;

pub use calendar::{Calendar, Day};
pub use counted::Counted;
pub use kernel::cases::{Count, Left, Light, Limit, Pause, PauseKind};
pub use limit::Clock;
