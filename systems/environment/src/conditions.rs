//! Production versus treatment: from the states and powers of facilities to the stretches in which
//! production ran and treatment did not.

use crate::suspects::Reading;
use kernel::Time;
use kernel::time::MINUTE;

/// A state speaks for this long when nothing newer comes.
const SPEAKS_FOR: i64 = 15 * MINUTE;
/// A shorter stretch is a change-over, not a finding.
pub const SHORTEST_FINDING: i64 = 10 * MINUTE;

/// From which value on a facility runs, by the kind of its property; `None` for state codes, which
/// are no amounts.
fn runs_above(property: &str, treatment: bool) -> Option<f64> {
    match property {
        // The thresholds of the rule `treatment_without_power`.
        p if p.starts_with("e_power") => Some(if treatment { 5.0 } else { 50.0 }),
        "a00000" => Some(0.1),
        _ => None,
    }
}

/// Whether a value of a property means that the facility runs. State codes of HJ 212: 0 off,
/// 1 running, 2 calibrating, 3 maintenance, 4 alarm, 5 blow-back.
pub fn runs(property: &str, treatment: bool, value: f64) -> bool {
    match runs_above(property, treatment) {
        Some(limit) => value >= limit,
        None => value == 1.0 || value == 5.0,
    }
}

/// States of one facility in order of time.
pub type States = Vec<(Time, bool)>;

/// States from readings.
pub fn states(property: &str, treatment: bool, readings: &[Reading]) -> States {
    let each = readings.iter();
    each.map(|(time, value)| (*time, runs(property, treatment, *value)))
        .collect()
}

/// A stretch of time with the same conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Beginning.
    pub from: Time,
    /// End.
    pub to: Time,
}

/// Stretches of at least ten minutes in which some production facility ran while some treatment
/// facility was known not to run. Facilities of which nothing is known at a time take no part.
pub fn untreated(production: &[States], treatment: &[States], until: Time) -> Vec<Stretch> {
    let mut times: Vec<Time> = production
        .iter()
        .chain(treatment)
        .flatten()
        .flat_map(|(time, _)| [*time, Time(time.0 + SPEAKS_FOR)])
        .filter(|time| *time < until)
        .collect();
    times.sort_unstable();
    times.dedup();
    let mut found: Vec<Stretch> = vec![];
    for (number, from) in times.iter().enumerate() {
        let to = times.get(number + 1).copied().unwrap_or(until);
        let producing = production.iter().any(|s| at(s, *from) == Some(true));
        let off = treatment.iter().any(|s| at(s, *from) == Some(false));
        if !(producing && off) {
            continue;
        }
        match found.last_mut() {
            Some(last) if last.to == *from => last.to = to,
            _ => found.push(Stretch { from: *from, to }),
        }
    }
    found.retain(|stretch| stretch.to.0 - stretch.from.0 >= SHORTEST_FINDING);
    found
}

/// The state at an instant, while the newest one still speaks.
fn at(states: &States, when: Time) -> Option<bool> {
    let after = states.partition_point(|(time, _)| *time <= when);
    let (time, state) = states.get(after.checked_sub(1)?)?;
    (when.0 - time.0 < SPEAKS_FOR).then_some(*state)
}

/// The present condition of several facilities: `any` for production, all for treatment; `None`
/// when nothing is known.
pub fn together(now: &[bool], any: bool) -> Option<bool> {
    match (now.is_empty(), any) {
        (true, _) => None,
        (_, true) => Some(now.iter().any(|running| *running)),
        (_, false) => Some(now.iter().all(|running| *running)),
    }
}
