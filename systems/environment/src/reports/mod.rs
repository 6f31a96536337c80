//! Reports: the questions the system answers at `GET /api/v1/environment/<report>`. Each reads its
//! parameters, looks at what the city holds, and answers JSON. What is not known is null with a
//! reason, never a guess.

pub mod air;
pub mod alerts;
pub mod bulletin;
pub mod conditions;
pub mod exceedances;
pub mod map;
pub mod rates;
pub mod standing;
pub mod station;
pub mod suspects;
pub mod totals;
pub mod vitals;

use kernel::ask::Ask;
use kernel::time::{DAY, HOUR};
use kernel::{Bindings, City, Span, Time};
use serde_json::Value;
use std::collections::BTreeMap;

/// Binds every report under the name that `system.yaml` declares.
pub fn bind(names: &mut Bindings) {
    names.report("air", |city, given| Box::pin(air::now(city, given)));
    names.report("air_history", |city, given| {
        Box::pin(air::history(city, given))
    });
    names.report("air_daily", |city, given| Box::pin(air::daily(city, given)));
    names.report("air_good_share", |city, given| {
        Box::pin(air::good_share(city, given))
    });
    names.report("map", |city, given| Box::pin(map::answer(city, given)));
    names.report("vitals", |city, given| {
        Box::pin(vitals::answer(city, given))
    });
    names.report("station", |city, given| {
        Box::pin(station::answer(city, given))
    });
    names.report("exceedances", |city, given| {
        Box::pin(exceedances::answer(city, given))
    });
    names.report("rates", |city, given| Box::pin(rates::answer(city, given)));
    names.report("suspects", |city, given| {
        Box::pin(suspects::answer(city, given))
    });
    names.report("working_conditions", |city, given| {
        Box::pin(conditions::answer(city, given))
    });
    names.report("emissions", |city, given| {
        Box::pin(totals::emissions(city, given))
    });
    names.report("energy", |city, given| {
        Box::pin(totals::energy(city, given))
    });
    names.report("alerts_handled", |city, given| {
        Box::pin(alerts::handled(city, given))
    });
    names.report("bulletin", |city, given| {
        Box::pin(bulletin::answer(city, given))
    });
}

/// Parameters of a report as they came.
type Given = BTreeMap<String, String>;

fn begin(city: &City, given: Given) -> Ask {
    Ask::new(given, city.clock.now())
}

/// The whole hours of a range; at least one.
fn whole_hours((from, to): (Time, Time)) -> (Time, Time) {
    let from = from.floor(Span(HOUR));
    let to = to.floor(Span(HOUR));
    (from, to.max(from + Span(HOUR)))
}

/// The whole days of a range; at least one.
fn whole_days((from, to): (Time, Time)) -> (Time, Time) {
    let from = from.floor(Span(DAY));
    let to = to.floor(Span(DAY));
    (from, to.max(from + Span(DAY)))
}

/// Milliseconds since the epoch, as charts want them.
fn millis(time: Time) -> i64 {
    time.0.div_euclid(1000)
}

/// A number rounded for JSON; null when it is none.
fn figure(value: impl Into<Option<f64>>, digits: i32) -> Value {
    let power = 10f64.powi(digits);
    match value.into() {
        Some(value) if value.is_finite() => Value::from((value * power).round() / power),
        _ => Value::Null,
    }
}

/// Hours between two instants.
fn hours_between(from: Time, to: Time) -> u64 {
    u64::try_from(to.since(from).0 / HOUR).unwrap_or(0)
}
