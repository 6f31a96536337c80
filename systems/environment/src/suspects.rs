//! Suspected falsification: a value that never moves, and a stretch of values that stands, figure
//! by figure, in another station too or a second time in the same one. Suspects are for an officer
//! to look into, never a verdict.

use kernel::Time;
use std::collections::{HashMap, HashSet};

/// One value of a series.
pub type Reading = (Time, f64);

/// Values in a row that must agree before a copy is suspected.
const COPY_LENGTH: usize = 12;
/// Different values among them: a flat or stepping signal agrees with others by chance.
const COPY_VARIETY: usize = 6;
/// Places remembered for one stretch of values.
const PLACES_OF_A_STRETCH: usize = 8;
/// Pairs of (series, series, shift) followed at most; what lies beyond is a signal of its own.
const PAIRS_FOLLOWED: usize = 20_000;

/// A stretch in which a value never moved.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// First reading.
    pub from: Time,
    /// Last reading.
    pub to: Time,
    /// Readings.
    pub count: usize,
    /// The value.
    pub value: f64,
}

/// Stretches of at least `at_least` equal readings that last `lasting` microseconds or longer.
/// Zero is left out: stopped plants and quiet analysers report it honestly.
pub fn constants(readings: &[Reading], at_least: usize, lasting: i64) -> Vec<Constant> {
    let mut found = vec![];
    let mut first = 0;
    for at in 1..=readings.len() {
        if at < readings.len() && readings[at].1 == readings[first].1 {
            continue;
        }
        let (from, value) = readings[first];
        let to = readings[at - 1].0;
        if value != 0.0 && at - first >= at_least && to.0 - from.0 >= lasting {
            found.push(Constant {
                from,
                to,
                count: at - first,
                value,
            });
        }
        first = at;
    }
    found
}

/// A stretch of one series that stands in another place as well.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// Number of the series it stands in (the later place).
    pub series: usize,
    /// Number of the series it also stands in; the same number for a repetition.
    pub other: usize,
    /// First reading in `series`.
    pub from: Time,
    /// Last reading in `series`.
    pub to: Time,
    /// First reading in `other`.
    pub other_from: Time,
    /// Readings that agree.
    pub count: usize,
}

/// Finds stretches that stand twice among series of one property. Work is bounded by the number of
/// readings handed in: each stretch is looked up once, and few places are kept for each.
pub fn copies(series: &[Vec<Reading>]) -> Vec<Copy> {
    // (series, other, shift) → last index reached and the copy so far.
    let mut open: HashMap<(usize, usize, i64), (usize, Copy)> = HashMap::new();
    let mut found = vec![];
    let mut places: HashMap<u64, Vec<(usize, usize)>> = HashMap::new();
    let stretch = |number: usize, at: usize| &series[number][at..at + COPY_LENGTH];
    for (number, readings) in series.iter().enumerate() {
        for (at, window) in readings.windows(COPY_LENGTH).enumerate() {
            if variety(window) < COPY_VARIETY {
                continue;
            }
            let known = places.entry(fingerprint(window)).or_default();
            for &(other, other_at) in known.iter() {
                // A stretch may not overlap itself: that is a short period, not a copy.
                let overlaps = other == number && at - other_at < COPY_LENGTH;
                let same = |(a, b): (&Reading, &Reading)| a.1 == b.1;
                if overlaps || !window.iter().zip(stretch(other, other_at)).all(same) {
                    continue;
                }
                let pair = (number, other, at as i64 - other_at as i64);
                let grown = Copy {
                    series: number,
                    other,
                    from: window[0].0,
                    to: window[COPY_LENGTH - 1].0,
                    other_from: series[other][other_at].0,
                    count: COPY_LENGTH,
                };
                extend(&mut open, &mut found, pair, at, grown);
            }
            if known.len() < PLACES_OF_A_STRETCH {
                known.push((number, at));
            }
        }
    }
    found.extend(open.into_values().map(|(_, copy)| copy));
    found.sort_by_key(|c| (std::cmp::Reverse(c.count), c.series, c.other, c.from));
    found
}

/// Different values in a stretch.
fn variety(window: &[Reading]) -> usize {
    let bits = window.iter().map(|reading| reading.1.to_bits());
    bits.collect::<HashSet<_>>().len()
}

/// A number that equal stretches share (and others hardly ever: the values are compared after).
fn fingerprint(window: &[Reading]) -> u64 {
    let mix = |sum: u64, reading: &Reading| {
        (sum.rotate_left(5) ^ reading.1.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    window.iter().fold(0, mix)
}

fn extend(
    open: &mut HashMap<(usize, usize, i64), (usize, Copy)>,
    found: &mut Vec<Copy>,
    pair: (usize, usize, i64),
    at: usize,
    grown: Copy,
) {
    if let Some((last, copy)) = open.get_mut(&pair) {
        if at <= *last + COPY_LENGTH {
            copy.count += at - *last;
            copy.to = grown.to;
            *last = at;
            return;
        }
        found.push(std::mem::replace(copy, grown));
        *last = at;
    } else if open.len() < PAIRS_FOLLOWED {
        open.insert(pair, (at, grown));
    }
}
