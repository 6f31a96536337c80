//! Emission totals: what the device summed up for an hour where it did, else concentration times
//! flow of the hours that have both (HJ 212-2017 appendix D).

use crate::gas::{mass_kg, water_m3};
use crate::quality::Hour;
use kernel::Time;
use std::collections::BTreeMap;

const SECONDS_OF_AN_HOUR: f64 = 3600.0;

/// A total and the hours it stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Kilograms, or cubic metres of a flow.
    pub amount: f64,
    /// Hours counted.
    pub hours: u64,
}

impl Total {
    /// Adds another.
    pub fn add(&mut self, other: Total) {
        self.amount += other.amount;
        self.hours += other.hours;
    }
}

/// Total of one property of one station. `stated` are the device's own hourly totals in kg;
/// `concentration` (mg/m³ or mg/L) and `flow` (m³/s or L/s) fill the hours without one. Nothing is
/// estimated for hours that lack either.
pub fn total(stated: &[(Time, f64)], concentration: &[Hour], flow: &[Hour]) -> Total {
    let mut by_hour: BTreeMap<Time, f64> = BTreeMap::new();
    let flows: BTreeMap<Time, f64> = flow
        .iter()
        .filter_map(|h| Some((h.start, h.valid_mean()?)))
        .collect();
    for hour in concentration {
        if let (Some(mean), Some(flow)) = (hour.valid_mean(), flows.get(&hour.start)) {
            by_hour.insert(
                hour.start,
                mass_kg(mean.max(0.0), flow.max(0.0), SECONDS_OF_AN_HOUR),
            );
        }
    }
    by_hour.extend(stated.iter().copied().filter(|(_, kg)| *kg >= 0.0));
    sum(&by_hour)
}

/// Volume that flowed in the valid hours, in m³; `water` flows in L/s, gas in m³/s.
pub fn volume(flow: &[Hour], water: bool) -> Total {
    let valid = flow
        .iter()
        .filter_map(|h| Some((h.start, h.valid_mean()?.max(0.0))));
    let amount = |flow: f64| match water {
        true => water_m3(flow, SECONDS_OF_AN_HOUR),
        false => flow * SECONDS_OF_AN_HOUR,
    };
    sum(&valid.map(|(start, flow)| (start, amount(flow))).collect())
}

fn sum(by_hour: &BTreeMap<Time, f64>) -> Total {
    Total {
        amount: by_hour.values().sum(),
        hours: by_hour.len() as u64,
    }
}
