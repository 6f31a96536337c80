//! Formulas of HJ 212-2017 appendix D.

use environment::emissions::{Total, total, volume};
use environment::energy::{metered_kwh, summed};
use environment::gas::*;
use environment::quality::Hour;
use kernel::{Span, Time};

fn near(found: f64, expect: f64) {
    assert!(
        (found - expect).abs() < 1e-9 * expect.abs().max(1.0),
        "{found} {expect}"
    );
}

#[test]
fn reference_oxygen() {
    // Coal boiler, 9 %: 100 mg/m³ measured at 12 % oxygen is 133.3 at 9 %.
    near(
        at_reference_oxygen(100.0, 12.0, 9.0).unwrap(),
        100.0 * 12.0 / 9.0,
    );
    near(at_reference_oxygen(50.0, 6.0, 6.0).unwrap(), 50.0);
    // A stopped boiler breathes air: nothing sensible comes out.
    for oxygen in [20.0, 20.9, 21.0, 25.0, -1.0, f64::NAN] {
        assert_eq!(at_reference_oxygen(100.0, oxygen, 6.0), None, "{oxygen}");
    }
    assert_eq!(at_reference_oxygen(f64::NAN, 6.0, 6.0), None);
}

#[test]
fn state_and_composition() {
    near(dry(90.0, 0.1).unwrap(), 100.0);
    assert_eq!(dry(90.0, 1.0), None);
    // 1 ppm SO₂ (64 g/mol) is 2.857 mg/m³.
    near(from_ppm(1.0, 64.0), 64.0 / 22.4);
    near(nitrogen_oxides(30.0, 10.0), 56.0);
    near(at_standard_state(100.0, 0.0, 0.0, 101.325, 0.0), 100.0);
    near(at_standard_state(100.0, 273.0, 0.0, 101.325, 0.1), 45.0);
}

#[test]
fn amounts() {
    // The standard's own example: 17.5 L/s for ten minutes is 10.5 m³.
    near(water_m3(17.5, 600.0), 10.5);
    near(mass_kg(50.0, 100.0, 3600.0), 18.0);
    assert_eq!(weighted_by_flow(&[]), None);
    assert_eq!(weighted_by_flow(&[(10.0, 1.0), (40.0, 3.0)]), Some(32.5));
    assert_eq!(weighted_by_flow(&[(10.0, 0.0), (40.0, -2.0)]), Some(25.0));
}

fn hour(n: i64, mean: f64, minutes: f64) -> Hour {
    let start = Time(0) + Span::hours(n);
    Hour {
        start,
        mean,
        minutes,
    }
}

#[test]
fn a_total_takes_what_was_stated_and_multiplies_the_rest() {
    let at = |n: i64| Time(0) + Span::hours(n);
    let concentration = [
        hour(0, 50.0, 60.0),
        hour(1, 50.0, 60.0),
        hour(2, 50.0, 30.0),
        hour(3, 50.0, 60.0),
    ];
    let flow = [
        hour(0, 100.0, 60.0),
        hour(1, 100.0, 60.0),
        hour(2, 100.0, 60.0),
    ];
    // Hour 0 stated, hour 1 multiplied, hour 2 invalid, hour 3 without flow.
    let found = total(&[(at(0), 20.0)], &concentration, &flow);
    assert_eq!(
        found,
        Total {
            amount: 38.0,
            hours: 2
        }
    );
    assert_eq!(total(&[], &[], &flow), Total::default());
    // 100 m³/s and 100 L/s over three hours.
    assert_eq!(volume(&flow, false).amount, 1_080_000.0);
    assert_eq!(volume(&flow, true).amount, 1_080.0);
    assert_eq!(volume(&concentration[2..3], true), Total::default());
    assert_eq!(total(&[(at(0), -3.0)], &[], &[]), Total::default());
}

#[test]
fn energy_from_meters_and_powers() {
    let reading = |n: i64, value: f64| (Time(0) + Span::hours(n), value);
    assert_eq!(metered_kwh(&[reading(0, 5.0)]), None);
    assert_eq!(
        metered_kwh(&[reading(0, 100.0), reading(1, 130.0), reading(2, 150.0)]),
        Some(50.0)
    );
    // The meter is exchanged between the second and the third reading.
    assert_eq!(
        metered_kwh(&[
            reading(0, 100.0),
            reading(1, 130.0),
            reading(2, 0.0),
            reading(3, 7.0)
        ]),
        Some(37.0)
    );
    assert_eq!(summed(&[]), None);
    assert_eq!(
        summed(&[
            hour(0, 100.0, 60.0),
            hour(1, 100.0, 30.0),
            hour(2, f64::NAN, 0.0)
        ]),
        Some(150.0)
    );
}
