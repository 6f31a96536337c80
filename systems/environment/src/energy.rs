//! Energy of key enterprises: electricity from meter readings (or from power where there is no
//! meter), coal from the feed.

use crate::quality::Hour;
use crate::suspects::Reading;

/// Kilowatt-hours between the first and the last of meter readings in order of time. A meter only
/// grows; where it falls it was exchanged or wrapped around, and that step counts nothing.
/// `None` with fewer than two readings.
pub fn metered_kwh(readings: &[Reading]) -> Option<f64> {
    if readings.len() < 2 {
        return None;
    }
    let steps = readings.windows(2).map(|w| w[1].1 - w[0].1);
    Some(steps.filter(|step| *step > 0.0).sum())
}

/// The sum over hours of a rate per hour (kW to kWh, t/h to t), each hour by the share of it for
/// which data came. `None` without data.
pub fn summed(hours: &[Hour]) -> Option<f64> {
    let known = hours.iter().filter(|h| h.mean.is_finite());
    let amounts: Vec<f64> = known.map(|h| h.mean * h.share()).collect();
    (!amounts.is_empty()).then(|| amounts.iter().sum())
}
