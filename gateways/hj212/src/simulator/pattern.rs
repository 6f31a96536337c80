//! What a simulated station measures: a pure function of seed, station, factor and time, so that
//! the same demonstration can be had again. Diurnal shapes follow what the factor is known for.

use super::{Scenario, SimProperty, SimStation};
use crate::vocabulary;
use kernel::time::{BEIJING_OFFSET, DAY, HOUR};
use kernel::{Span, Time};
use std::f64::consts::TAU;

/// Smallest, mean and largest of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub min: f64,
    pub mean: f64,
    pub max: f64,
}

/// The reading of a factor at an instant.
pub(super) fn reading(seed: u64, station: &SimStation, property: &SimProperty, at: Time) -> f64 {
    // A copying station shows what the other one measures, to the last digit.
    let identity = match &station.scenario {
        Scenario::CopyOf(other) => other,
        _ => &station.mn,
    };
    let at = match station.scenario {
        Scenario::Constant => at.floor(Span::days(1)),
        _ => at,
    };
    let key = mix(seed ^ text(identity) ^ text(&property.code).rotate_left(17));
    let hour = (at.0 + BEIJING_OFFSET).rem_euclid(DAY) as f64 / HOUR as f64;
    let swing = property.amplitude * (0.7 * shape(&property.code, hour) + 0.5 * drift(key, at));
    let jitter = property.noise * unit(mix(key ^ (at.0 / 1_000_000) as u64));
    let mut value = property.base + swing + jitter;
    if is_pollutant(&property.code) {
        match station.scenario {
            Scenario::Exceeding => value *= 2.5,
            Scenario::TreatmentOff => value *= 1.8,
            _ => {}
        }
    }
    // The meters of a treatment that is off stand at nothing.
    if station.scenario == Scenario::TreatmentOff && property.code.contains("treatment") {
        value = 0.0;
    }
    if property.base >= 0.0 && !may_be_negative(&property.code) {
        value = value.max(0.0);
    }
    round(value, digits(property))
}

/// The readings of a period, taken at twelve instants of it.
pub(super) fn summary(
    seed: u64,
    station: &SimStation,
    property: &SimProperty,
    from: Time,
    length: Span,
) -> Summary {
    const SAMPLES: i64 = 12;
    let sample = |n| reading(seed, station, property, from + Span(length.0 * n / SAMPLES));
    let values: Vec<f64> = (0..SAMPLES).map(sample).collect();
    let digits = digits(property);
    Summary {
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        mean: round(values.iter().sum::<f64>() / SAMPLES as f64, digits),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    }
}

/// Decimal places: the standard's (two when it names none), and for values below one as many as
/// leave three digits.
pub(super) fn digits(property: &SimProperty) -> u8 {
    let standard = vocabulary::factor(&property.code).and_then(|f| f.digits);
    let needed = match property.base.abs() {
        base if base > 0.0 && base < 1.0 => (2.0 - base.log10().floor()).min(6.0) as u8,
        _ => 0,
    };
    standard.unwrap_or(2).max(needed)
}

/// A concentration that treatment lowers, and no flow, temperature, pressure, oxygen or the like.
pub(super) fn is_pollutant(code: &str) -> bool {
    let other = [
        "w00000", "w01001", "w01010", "w01009", "w01014", "a00000", "a19001",
    ];
    let kind = code.as_bytes().first();
    matches!(kind, Some(b'a' | b'w')) && !other.contains(&code) && !code.starts_with("a010")
}

fn may_be_negative(code: &str) -> bool {
    matches!(code, "a01001" | "a01013" | "w01010")
}

/// The course of a day, between about -1 and 1.
fn shape(code: &str, hour: f64) -> f64 {
    let peak = |at: f64, width: f64| {
        let away = (hour - at + 36.0).rem_euclid(24.0) - 12.0;
        (-(away / width).powi(2)).exp()
    };
    match code {
        // Ozone is made by the sun and highest in the afternoon.
        "a05024" => ((hour - 15.0) / 24.0 * TAU).cos(),
        // Particles gather under the low ceiling of morning and night.
        "a34001" | "a34002" | "a34004" | "a34005" => {
            1.4 * peak(8.0, 3.0) + 1.6 * peak(22.0, 4.0) - 0.8
        }
        // Traffic: two rush hours.
        "a21002" | "a21003" | "a21004" | "a21005" => {
            1.6 * peak(8.0, 2.0) + 1.7 * peak(19.0, 2.5) - 0.7
        }
        // Sewers: after breakfast and after supper.
        "w00000" | "w01018" | "w21003" | "w21001" | "w21011" => {
            1.5 * peak(9.5, 2.5) + 1.4 * peak(20.5, 2.5) - 0.7
        }
        // Works run by shifts: full by day, half by night.
        "a00000" | "a21026" | "a34013" => 1.6 * peak(13.0, 6.0) - 0.7,
        "a01001" | "a01012" | "w01010" => ((hour - 14.5) / 24.0 * TAU).cos(),
        "a01002" => -((hour - 14.5) / 24.0 * TAU).cos(),
        _ => ((hour - 12.0) / 24.0 * TAU).cos(),
    }
}

/// A slow wandering between -1 and 1: knots every two hours, smoothly joined.
fn drift(key: u64, at: Time) -> f64 {
    let step = 2 * HOUR;
    let knot = at.0.div_euclid(step);
    let part = at.0.rem_euclid(step) as f64 / step as f64;
    let smooth = part * part * (3.0 - 2.0 * part);
    let value = |n: i64| unit(mix(key ^ (n as u64).wrapping_mul(0x9E37_79B9)));
    value(knot) + (value(knot + 1) - value(knot)) * smooth
}

pub(super) fn round(value: f64, digits: u8) -> f64 {
    let power = 10f64.powi(i32::from(digits));
    (value * power).round() / power
}

/// A number between -1 and 1 from random bits.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

/// FNV-1a of a text.
pub(super) fn text(text: &str) -> u64 {
    let hash = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, hash)
}

/// The finaliser of SplitMix64.
pub(super) fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
