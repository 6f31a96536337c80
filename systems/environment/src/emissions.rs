//! Emission totals: what the device summed up for an hour where it did, else concentration times
//! flow of the hours that have both (HJ 212-2017 appendix D).

use crate::gas::mass_kg;
use crate::quality::Hour;
use kernel::Time;
use std::collections::BTreeMap;

/// A total and the hours it stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// Kilograms.
    pub kg: f64,
    /// Hours counted.
    pub hours: u64,
}

impl Total {
    /// Adds another.
    pub fn add(&mut self, other: Total) {
        self.kg += other.kg;
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
            by_hour.insert(hour.start, mass_kg(mean.max(0.0), flow.max(0.0), 3600.0));
        }
    }
    by_hour.extend(stated.iter().copied().filter(|(_, kg)| *kg >= 0.0));
    Total {
        kg: by_hour.values().sum(),
        hours: by_hour.len() as u64,
    }
}
