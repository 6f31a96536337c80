//! `rates?from=&to=&by=station|district|enterprise`: transmission, validity and online rates.

use super::{Given, begin, hours_between, whole_hours};
use crate::data::Data;
use crate::quality::{Counts, Hour};
use crate::stations::{Station, group_key, name_of, words};
use kernel::observations::Basis;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers the report.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let range = whole_hours(ask.range(Span::days(1), 100));
    let by = ask.choice("by", &["station", "district", "enterprise"]);
    ask.finish()?;
    let data = Data::new(city)?;
    let stations = expected_stations(&data);
    let hours = main_hours(&data, &stations, range).await?;
    Ok(grouped(&data, by, range, &stations, &hours))
}

/// Stations from which data are expected: those in operation.
pub fn expected_stations(data: &Data) -> Vec<Arc<Station>> {
    let running = data.stations.iter().filter(|s| s.running);
    running.cloned().collect()
}

/// Hours of the expected properties of each station, in the order of the stations.
pub async fn main_hours(
    data: &Data,
    stations: &[Arc<Station>],
    range: (Time, Time),
) -> Result<Vec<Vec<Arc<Vec<Hour>>>>, Fault> {
    data.bounded(stations.len(), range.0, range.1)?;
    let ask = |data: Data, station: Arc<Station>| async move {
        let mut found = vec![];
        let latest = data.latest(&station.key);
        let came = |property: &str| latest.iter().any(|(name, _)| name.property == property);
        for property in station.expected_properties(came) {
            let hours = data.hours(&station.key, property, Basis::Measured, range);
            let hours = hours.await?;
            // Some stacks send converted concentrations only.
            found.push(match hours.is_empty() {
                true => {
                    let converted = Basis::Converted;
                    data.hours(&station.key, property, converted, range).await?
                }
                false => hours,
            });
        }
        Ok(found)
    };
    data.each(stations.to_vec(), ask).await
}

/// Counts of one station.
pub fn counts_of(hours: &[Arc<Vec<Hour>>], range: (Time, Time)) -> Counts {
    let properties: Vec<&[Hour]> = hours.iter().map(|h| h.as_slice()).collect();
    Counts::of_station(&properties, range.0, hours_between(range.0, range.1))
}

/// Rates by station, district or enterprise, and of all together.
pub fn grouped(
    data: &Data,
    by: &str,
    range: (Time, Time),
    stations: &[Arc<Station>],
    hours: &[Vec<Arc<Vec<Hour>>>],
) -> Value {
    let mut groups: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut whole = Counts::default();
    for (station, hours) in stations.iter().zip(hours) {
        let counts = counts_of(hours, range);
        whole.add(&counts);
        if let Some(key) = group_key(station, by) {
            groups.entry(key).or_default().add(&counts);
        }
    }
    let item = |(key, counts): (&str, Counts)| {
        let mut item = counts_json(&counts);
        item["key"] = json!(key);
        item["title"] = json!(name_of(&data.city, by, key));
        item
    };
    json!({
        "from": range.0,
        "to": range.1,
        "by": by,
        "items": groups.into_iter().map(item).collect::<Vec<_>>(),
        "total": counts_json(&whole),
        "note": words(&data.city, "rate_note", &[]),
    })
}

fn counts_json(counts: &Counts) -> Value {
    json!({
        "expected": counts.expected,
        "received": counts.received,
        "valid": counts.valid,
        "transmission_rate": counts.transmission(),
        "validity_rate": counts.validity(),
        "online_rate": counts.online(),
    })
}
