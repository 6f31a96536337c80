//! What the tests of the engine share: a short way to say rows and to ask for them.

use kernel::observations::*;
use kernel::{Fault, ManualClock, Span, Time};
use observations::{Engine, Options};
use std::sync::Arc;
use store::Store;

/// 2026-11-21T00:00 in Beijing.
pub const T0: Time = Time(1_795_190_400_000_000);

/// A time so many minutes after [`T0`].
pub fn minute(n: i64) -> Time {
    T0 + Span::minutes(n)
}

/// An engine with its clock, as tests hold it.
pub struct Bench {
    pub engine: Arc<Engine>,
    pub clock: Arc<ManualClock>,
    pub store: Store,
}

impl Bench {
    pub async fn open(store: Store) -> Bench {
        Bench::with(store, Options::default()).await
    }

    pub async fn with(store: Store, options: Options) -> Bench {
        let clock = Arc::new(ManualClock::new(minute(60)));
        let engine = Engine::open(store.clone(), clock.clone(), options)
            .await
            .unwrap();
        Bench {
            engine,
            clock,
            store,
        }
    }

    /// Stops and opens again on the same store; without `tidy` the first is left as a crash
    /// leaves it, with nothing flushed.
    pub async fn reopen(self, tidy: bool) -> Bench {
        if tidy {
            self.engine.shutdown().await;
        }
        let engine = Engine::open(self.store.clone(), self.clock.clone(), Options::default())
            .await
            .unwrap();
        Bench { engine, ..self }
    }

    /// The clock, in microseconds.
    pub fn now(&self) -> i64 {
        kernel::Clock::now(self.clock.as_ref()).0
    }

    /// A row of real-time values: `"a=1 b=2D"`, the letter being the flag.
    pub fn row(&self, thing: &str, time: Time, cells: &str) -> Row {
        let cell = |text: &str| {
            let (name, value) = text.split_once('=').unwrap();
            let letter = value.bytes().last().filter(u8::is_ascii_alphabetic);
            let value = value
                .trim_end_matches(|c: char| c.is_ascii_alphabetic())
                .parse()
                .unwrap();
            let column = self
                .engine
                .column(name, Statistic::Value, Basis::Measured)
                .unwrap();
            Cell {
                column,
                value,
                flag: Flag(letter.unwrap_or(0)),
            }
        };
        let cells = cells.split(' ').map(cell).collect();
        Row {
            thing: self.engine.thing(thing).unwrap(),
            period: Period::RealTime,
            time,
            cells,
        }
    }

    /// Writes one row and says "stored duplicates corrected".
    pub async fn put(&self, thing: &str, time: Time, cells: &str) -> String {
        said(self.engine.write(vec![self.row(thing, time, cells)]).await)
    }

    /// All points of a series as "minute=value" in words, as of a time.
    pub async fn points(&self, thing: &str, property: &str, as_of: Option<Time>) -> String {
        let query = RangeQuery {
            series: name(thing, property),
            from: Time(i64::MIN / 2),
            to: Time(i64::MAX / 2),
            step: Step::Raw,
            as_of,
            limit: 100_000,
        };
        let RangeAnswer::Points(points, cut) = self.engine.range(query).await.unwrap() else {
            panic!("no points")
        };
        assert!(!cut);
        let word = |p: &Point| {
            format!(
                "{}={}{}",
                (p.time.0 - T0.0) / 60_000_000,
                p.value,
                p.flag.text()
            )
        };
        points.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// The newest value of a series as "minute=value".
    pub fn newest(&self, thing: &str, property: &str) -> String {
        let latest = self.engine.latest(&[name(thing, property)]).pop().unwrap();
        latest.map_or("none".into(), |l| {
            format!(
                "{}={}{}",
                (l.time.0 - T0.0) / 60_000_000,
                l.value,
                l.flag.text()
            )
        })
    }
}

pub fn name(thing: &str, property: &str) -> SeriesName {
    SeriesName {
        thing: thing.into(),
        property: property.into(),
        kind: Kind::REAL_TIME,
    }
}

pub fn said(outcome: Result<Receipt, Fault>) -> String {
    match outcome {
        Ok(r) => format!("{} {} {}", r.stored, r.duplicates, r.corrected),
        Err(fault) => fault.code.to_string(),
    }
}
