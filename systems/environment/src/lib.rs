//! environment: the ecology and environment system (生态环境). Its shapes, limits, words and access
//! are in the files of this folder; here is what files cannot say: the air quality index, the
//! formulas of HJ 212 appendix D, validity and rates, suspected falsification, production against
//! treatment, and the reports that put them together. No SQL, no HTTP; the clock is the city's.

pub mod air;
pub mod aqi;
pub mod conditions;
mod data;
pub mod emissions;
pub mod energy;
pub mod gas;
pub mod quality;
mod reports;
mod stations;
pub mod suspects;

use kernel::{Bindings, System};

/// The system as the program lists it.
pub struct Environment;

impl System for Environment {
    fn folder(&self) -> &'static str {
        "environment"
    }

    fn bind(&self, names: &mut Bindings) {
        reports::bind(names);
    }
}
