//! Observations: what devices measure. A *thing* has *series* (thing × property × kind) of
//! *observations* (time, value, flag). Rows of one thing, one period and one time travel together,
//! because that is how devices send them and how they are stored.
//!
//! Rules the engine keeps: a row is acknowledged only after commit. The same value at the same
//! place again is a duplicate: counted, not stored. A different value at the same place is a
//! correction: the newer one is shown, the older stays visible in the past. Late rows are taken
//! and correct the rollups. A row dated more than [`FUTURE_LIMIT`] ahead of the clock is stored,
//! flagged by the gateway's clock check, and never becomes the latest value.

pub mod wire;

use crate::fault::Fault;
use crate::time::{Span, Time};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A row dated further ahead of the clock than this never becomes the latest value.
pub const FUTURE_LIMIT: Span = Span::minutes(60);

/// A thing, interned by the engine; stable for the life of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThingId(pub u32);

/// A column (property × statistic × basis), interned by the engine; stable likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u32);

/// How long one observation speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Period {
    /// A reading of the moment (HJ 212 CN 2011).
    RealTime = 0,
    /// A few minutes, as the device is set (CN 2051).
    Minute = 1,
    /// An hour (CN 2061).
    Hour = 2,
    /// A day (CN 2031).
    Day = 3,
}

/// What was computed over the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Statistic {
    /// The reading itself (Rtd).
    Value = 0,
    /// Arithmetic mean (Avg).
    Mean = 1,
    /// Smallest (Min).
    Min = 2,
    /// Largest (Max).
    Max = 3,
    /// Cumulative amount (Cou).
    Total = 4,
}

/// Whether a concentration is as measured or converted to reference oxygen (HJ 212 "Zs").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Basis {
    /// As measured.
    Measured = 0,
    /// Converted to reference conditions (折算).
    Converted = 1,
}

/// Period, statistic and basis together; written `real_time`, `minute.mean`, `hour.total`,
/// `real_time.converted`, `minute.max.converted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// How long one observation speaks for.
    pub period: Period,
    /// What was computed.
    pub statistic: Statistic,
    /// Measured or converted.
    pub basis: Basis,
}

impl Period {
    /// All periods in order of their numbers.
    pub const ALL: [Period; 4] = [Period::RealTime, Period::Minute, Period::Hour, Period::Day];
    /// The word in kinds and files.
    pub fn word(self) -> &'static str {
        ["real_time", "minute", "hour", "day"][self as usize]
    }
    /// From its stored number.
    pub fn from_u8(n: u8) -> Option<Period> {
        Period::ALL.get(n as usize).copied()
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Period> {
        Period::ALL.into_iter().find(|p| p.word() == word)
    }
}

impl Statistic {
    /// All statistics in order of their numbers.
    pub const ALL: [Statistic; 5] = [
        Statistic::Value,
        Statistic::Mean,
        Statistic::Min,
        Statistic::Max,
        Statistic::Total,
    ];
    /// The word in kinds and files.
    pub fn word(self) -> &'static str {
        ["value", "mean", "min", "max", "total"][self as usize]
    }
    /// From its stored number.
    pub fn from_u8(n: u8) -> Option<Statistic> {
        Statistic::ALL.get(n as usize).copied()
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Statistic> {
        Statistic::ALL.into_iter().find(|s| s.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.period.word())?;
        if self.statistic != Statistic::Value {
            write!(f, ".{}", self.statistic.word())?;
        }
        if self.basis == Basis::Converted {
            f.write_str(".converted")?;
        }
        Ok(())
    }
}

impl Kind {
    /// A real-time reading as measured.
    pub const REAL_TIME: Kind = Kind {
        period: Period::RealTime,
        statistic: Statistic::Value,
        basis: Basis::Measured,
    };

    /// Reads the written form; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Kind> {
        let mut parts = text.split('.').peekable();
        let period = Period::parse(parts.next()?)?;
        let mut kind = Kind {
            period,
            statistic: Statistic::Value,
            basis: Basis::Measured,
        };
        if let Some(statistic) = parts.peek().and_then(|p| Statistic::parse(p)) {
            kind.statistic = statistic;
            parts.next();
        }
        match parts.next() {
            None => {}
            Some("converted") => kind.basis = Basis::Converted,
            Some(_) => return None,
        }
        parts.next().is_none().then_some(kind)
    }
}

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Kind, D::Error> {
        let text = String::deserialize(from)?;
        Kind::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("not a kind: {text}")))
    }
}

/// Quality flag of a value: the letter of HJ 212 (N normal, F stopped, M maintenance, S typed in,
/// D fault, C calibrating, T over range, B no contact), or 0 when the device gave none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flag(pub u8);

impl Flag {
    /// Given as normal.
    pub const NORMAL: Flag = Flag(b'N');
    /// The device said nothing; taken as valid.
    pub const UNSTATED: Flag = Flag(0);
    /// Counts towards means and exceedances: normal, or nothing stated.
    pub fn valid(self) -> bool {
        matches!(self.0, 0 | b'N')
    }
    /// The letter, or an empty string.
    pub fn text(self) -> String {
        if self.0 == 0 {
            String::new()
        } else {
            (self.0 as char).to_string()
        }
    }
}

/// What a column means.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Column {
    /// Property name: a factor code of HJ 212-2017 where there is one (`a21026`), else a name.
    pub property: Arc<str>,
    /// What was computed.
    pub statistic: Statistic,
    /// Measured or converted.
    pub basis: Basis,
}

/// One value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// Which column.
    pub column: ColumnId,
    /// The number; never NaN or infinite.
    pub value: f64,
    /// Its quality.
    pub flag: Flag,
}

/// Values of one thing for one period that share a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whose.
    pub thing: ThingId,
    /// How long they speak for.
    pub period: Period,
    /// The device's time; for a period, its start.
    pub time: Time,
    /// Cells in any order, no column twice.
    pub cells: Vec<Cell>,
}

/// What became of a written batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Receipt {
    /// Values that were new.
    pub stored: u64,
    /// Values that were there already, equal.
    pub duplicates: u64,
    /// Values that replaced a different one (also counted in `stored`).
    pub corrected: u64,
}

/// Names a series: thing, property, kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeriesName {
    /// Name of the thing.
    pub thing: String,
    /// Name of the property.
    pub property: String,
    /// Period, statistic, basis.
    pub kind: Kind,
}

/// The newest observation of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Latest {
    /// Device time.
    pub time: Time,
    /// Number.
    pub value: f64,
    /// Quality.
    pub flag: Flag,
}

/// A series with its extent.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesInfo {
    /// Its name.
    pub name: SeriesName,
    /// First observation's time.
    pub first: Time,
    /// Newest observation.
    pub latest: Latest,
}

/// How observations of a range are to be put together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// As stored.
    Raw,
    /// As stored, thinned to at most so many points that keep the shape (LTTB).
    Thin(usize),
    /// Buckets of this length (minute, 10 minutes, hour, day use the kept rollups).
    Bucket(Span),
    /// The engine chooses so that at most so many points come back.
    Auto(usize),
}

/// A question for a range of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeQuery {
    /// Which series.
    pub series: SeriesName,
    /// First instant, inclusive.
    pub from: Time,
    /// Last instant, exclusive.
    pub to: Time,
    /// How to put together.
    pub step: Step,
    /// Answer as the city knew it at this instant; `None` for now.
    pub as_of: Option<Time>,
    /// At most so many points (the engine caps it at 100,000); the answer says when cut.
    pub limit: usize,
}

/// One stored observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Device time.
    pub time: Time,
    /// Number.
    pub value: f64,
    /// Quality.
    pub flag: Flag,
    /// When the city received it.
    pub received: Time,
}

/// One bucket of a rollup; statistics are over valid values only, `count` over all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Start of the bucket.
    pub time: Time,
    /// Values in it, valid or not.
    pub count: u32,
    /// Valid ones.
    pub valid: u32,
    /// Smallest valid value (NaN when none is valid; likewise the rest).
    pub min: f64,
    /// Largest valid value.
    pub max: f64,
    /// Sum of valid values.
    pub sum: f64,
}

impl Bucket {
    /// Mean of the valid values; NaN when there is none.
    pub fn mean(&self) -> f64 {
        self.sum / self.valid as f64
    }
}

/// Answer to a range question.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeAnswer {
    /// Stored observations in order of time, and whether the limit cut them.
    Points(Vec<Point>, bool),
    /// Buckets in order of time with their length, and whether the limit cut them.
    Buckets(Vec<Bucket>, Span, bool),
}

/// Which series to list. Parts combine with "and".
#[derive(Clone, Debug, Default)]
pub struct SeriesFilter {
    /// Only of this thing.
    pub thing: Option<String>,
    /// Only of this property.
    pub property: Option<String>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Continue after this series (thing, property, kind in this order).
    pub after: Option<SeriesName>,
    /// At most so many (capped at 10,000).
    pub limit: usize,
}

/// Counters of the engine for the operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct EngineCounters {
    /// Things known.
    pub things: u64,
    /// Series known.
    pub series: u64,
    /// Values stored since the store was made.
    pub values: u64,
    /// Values held in memory and in the log, not yet in blocks.
    pub unflushed: u64,
    /// Rows waiting for the next commit.
    pub queued_rows: u64,
}

/// The observations engine as others see it.
#[async_trait]
pub trait Observations: Send + Sync {
    /// The number of a thing, making it when new. Refused with `input.too_many` past the limit.
    fn thing(&self, name: &str) -> Result<ThingId, Fault>;
    /// The number of a thing that exists.
    fn find_thing(&self, name: &str) -> Option<ThingId>;
    /// The name of a thing.
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>>;
    /// The number of a column, making it when new. Refused with `input.too_many` past the limit.
    fn column(&self, property: &str, statistic: Statistic, basis: Basis)
    -> Result<ColumnId, Fault>;
    /// The meaning of a column.
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>>;

    /// Writes rows; returns after they are on disk. `system.overloaded` when the queue is full:
    /// then nothing was taken.
    async fn write(&self, rows: Vec<Row>) -> Result<Receipt, Fault>;

    /// Newest value of each series, in the order asked.
    fn latest(&self, series: &[SeriesName]) -> Vec<Option<Latest>>;
    /// Newest values of all series of one thing.
    fn latest_of_thing(&self, thing: &str) -> Vec<(SeriesName, Latest)>;
    /// Newest time at which anything of the thing was *received*, for absence rules.
    fn last_received(&self, thing: &str) -> Option<Time>;
    /// Pages through series in order of thing, property, kind.
    fn list_series(&self, filter: &SeriesFilter) -> Vec<SeriesInfo>;
    /// Observations or buckets of a range.
    async fn range(&self, query: RangeQuery) -> Result<RangeAnswer, Fault>;
    /// Counters for the operator and `/metrics`.
    fn counters(&self) -> EngineCounters;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_and_print_alike() {
        for text in [
            "real_time",
            "minute.mean",
            "hour.total",
            "real_time.converted",
            "day.max.converted",
        ] {
            assert_eq!(Kind::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "week",
            "minute.median",
            "real_time.converted.x",
            "real_time.x",
        ] {
            assert_eq!(Kind::parse(text), None, "{text}");
        }
    }
}
