//! How fast values are judged. Measured, and held to a bound that only a mistake can miss: tests
//! run unoptimised, on busy machines. `cargo test --release -p rules speed -- --nocapture` shows
//! the numbers.

use super::fakes::{at, declared};
use kernel::observations::*;
use kernel::{Span, Time};
use rules::{Evaluator, Facts};
use std::sync::Arc;
use std::time::Instant;

const THINGS: u32 = 1000;
const COLUMNS: u32 = 10;

/// A thousand stations with ten columns, of which the first is `so2`.
struct Many;

impl Facts for Many {
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>> {
        Some(format!("S{}", id.0).into())
    }
    fn find_thing(&self, name: &str) -> Option<ThingId> {
        Some(ThingId(name.strip_prefix('S')?.parse().ok()?))
    }
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        let property = match id.0 {
            0 => "so2".into(),
            n => format!("other{n}").into(),
        };
        Some(Arc::new(Column {
            property,
            statistic: Statistic::Value,
            basis: Basis::Measured,
        }))
    }
}

fn record(key: String) -> Arc<kernel::records::Record> {
    Arc::new(kernel::records::Record {
        register: "station".into(),
        key,
        fields: Default::default(),
        valid_from: Time(0),
        valid_to: None,
        recorded_at: at(12, 0),
        superseded_at: None,
        version: 1,
        by: "test".into(),
        reason: None,
    })
}

/// Values a second, one in ten of them watched.
fn measure(on_record: bool) -> f64 {
    let rules = [
        (
            "above",
            "when: {observation: so2, above: 50, for: 10 min}\nalert: {level: red, MESSAGE}",
        ),
        (
            "silent",
            "when: {absent: 30 min}\nalert: {level: blue, MESSAGE}",
        ),
    ];
    let mut evaluator = Evaluator::new(&declared(&rules), Arc::new(Many));
    let mut out = vec![];
    if on_record {
        let records: Vec<_> = (0..THINGS).map(|n| record(format!("S{n}"))).collect();
        evaluator.load("station", &records, &mut out);
    }
    let row = |thing: u32, time: Time| Row {
        thing: ThingId(thing),
        period: Period::RealTime,
        time,
        cells: (0..COLUMNS)
            .map(|column| Cell {
                column: ColumnId(column),
                value: f64::from(thing % 40),
                flag: Flag::NORMAL,
            })
            .collect(),
    };
    let rounds = if cfg!(debug_assertions) { 20 } else { 400 };
    let mut rows: Vec<Row> = (0..THINGS).map(|thing| row(thing, at(12, 0))).collect();
    let begun = Instant::now();
    for round in 0..rounds {
        let now = at(12, 0) + Span::seconds(round * 30);
        for row in &mut rows {
            row.time = now;
            evaluator.feed(now, row, &mut out);
        }
    }
    let values = f64::from(THINGS * COLUMNS) * rounds as f64;
    assert!(out.is_empty());
    values / begun.elapsed().as_secs_f64()
}

#[test]
fn values_a_second() {
    for (name, on_record) in [("on record", true), ("quarantined", false)] {
        let speed = measure(on_record);
        eprintln!("{name}: {speed:.0} values/s");
        let least = if cfg!(debug_assertions) { 1e5 } else { 1e6 };
        assert!(speed > least, "{name}: {speed:.0} values/s");
    }
}
