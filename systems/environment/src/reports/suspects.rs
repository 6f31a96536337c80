//! `suspects?from=&to=`: values that never move and stretches that stand twice.

use super::{Given, begin};
use crate::data::Data;
use crate::stations::{Station, title, words};
use crate::suspects::{Reading, constants, copies};
use kernel::observations::{Basis, Kind, Period, Statistic};
use kernel::time::HOUR;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

/// Days looked through at once.
const DAYS: i64 = 3;
/// Readings looked through for one property, over all stations.
const READINGS: usize = 300_000;
/// At most so many are listed; all are counted.
const LISTED: usize = 1_000;
/// Equal readings in a row that make a constant, over at least three hours.
const CONSTANT_AT_LEAST: usize = 12;
const CONSTANT_LASTING: i64 = 3 * HOUR;

const PROPERTIES: [&str; 6] = ["a34013", "a21026", "a21002", "w01018", "w21003", "w21001"];

/// Answers the report.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let range = ask.range(Span::days(1), DAYS);
    ask.finish()?;
    let data = Data::new(city)?;
    let items = find(&data, range).await?;
    Ok(json!({
        "from": range.0,
        "to": range.1,
        "count": items.len(),
        "cut": items.len() > LISTED,
        "items": items.into_iter().take(LISTED).collect::<Vec<_>>(),
    }))
}

/// All suspects of a range, property by property, the longest first.
pub async fn find(data: &Data, range: (Time, Time)) -> Result<Vec<Value>, Fault> {
    let sources = data.stations.iter();
    let sources: Vec<Arc<Station>> = sources
        .filter(|s| matches!(s.kind.as_str(), "flue_gas" | "waste_water"))
        .cloned()
        .collect();
    let limit = (READINGS / sources.len().max(1)).clamp(200, 5_000);
    let mut items = vec![];
    for property in PROPERTIES {
        let ask = |data: Data, station: Arc<Station>| async move {
            readings(&data, &station, property, range, limit).await
        };
        let series = data.each(sources.clone(), ask).await?;
        for (station, readings) in sources.iter().zip(&series) {
            for found in constants(readings, CONSTANT_AT_LEAST, CONSTANT_LASTING) {
                let count = [("count", found.count.to_string())];
                items.push(json!({
                    "station": station.key, "name": station.name, "other": null,
                    "property": property, "title": title(&data.city, property),
                    "from": found.from, "to": found.to, "count": found.count,
                    "value": found.value, "finding": "constant",
                    "reason": words(&data.city, "constant", &count),
                }));
            }
        }
        for found in copies(&series) {
            let (station, other) = (&sources[found.series], &sources[found.other]);
            let finding = match found.series == found.other {
                true => "repeated",
                false => "copied",
            };
            let count = [("count", found.count.to_string())];
            items.push(json!({
                "station": station.key, "name": station.name, "other": other.key,
                "other_name": other.name, "property": property,
                "title": title(&data.city, property), "from": found.from, "to": found.to,
                "other_from": found.other_from, "count": found.count, "finding": finding,
                "reason": words(&data.city, finding, &count),
            }));
        }
    }
    Ok(items)
}

/// Minutes where the device sends them, else real-time readings.
async fn readings(
    data: &Data,
    station: &Station,
    property: &str,
    range: (Time, Time),
    limit: usize,
) -> Result<Vec<Reading>, Fault> {
    let minute = Kind {
        period: Period::Minute,
        statistic: Statistic::Mean,
        basis: Basis::Measured,
    };
    let of_minutes = data.readings(&station.key, property, minute, range, limit);
    let of_minutes = of_minutes.await?;
    if !of_minutes.is_empty() {
        return Ok(of_minutes);
    }
    let real_time = data.readings(&station.key, property, Kind::REAL_TIME, range, limit);
    real_time.await
}
