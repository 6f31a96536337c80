//! `map?at=`: every station with its state, for the command map; quarantined devices, which have no
//! place yet, at the end.

use super::air::{air_hours, published};
use super::standing::{State, headline, known, levels};
use super::{Given, begin, figure};
use crate::air::{hour_means, hourly_index, last_whole_hour};
use crate::data::Data;
use crate::stations::{Station, title};
use kernel::alerts::Level;
use kernel::devices::{DeviceFilter, DeviceState};
use kernel::time::HOUR;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Answers the report.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let past = ask.time("at").filter(|at| *at < city.clock.now());
    ask.finish()?;
    let data = Data::new(city)?;
    let at = past.unwrap_or(data.city.clock.now());
    let levels = Arc::new(levels(&data, past).await?);
    let aqi = Arc::new(aqi_by_station(&data, at).await?);
    let stations = data.stations.as_ref().clone();
    let ask = |data: Data, station: Arc<Station>| {
        let (levels, aqi) = (levels.clone(), aqi.clone());
        async move {
            let level = levels.get(&station.key).copied();
            let aqi = aqi.get(&station.key).copied();
            item(&data, &station, past, at, level, aqi).await
        }
    };
    let mut items = data.each(stations, ask).await?;
    if past.is_none() {
        items.extend(quarantined(&data));
    }
    Ok(json!({ "at": at, "items": items }))
}

/// Hourly index of the air stations that have one.
async fn aqi_by_station(data: &Data, at: Time) -> Result<HashMap<String, u32>, Fault> {
    let stations = published(data);
    let start = last_whole_hour(at);
    let hours = air_hours(data, &stations, (start, start + Span(HOUR))).await?;
    let index = |hours| hourly_index(&hour_means(hours, start), start).aqi;
    let pairs = stations.iter().zip(&hours);
    Ok(pairs
        .filter_map(|(s, h)| Some((s.key.clone(), index(h)?)))
        .collect())
}

async fn item(
    data: &Data,
    station: &Station,
    past: Option<Time>,
    at: Time,
    level: Option<Level>,
    aqi: Option<u32>,
) -> Result<Value, Fault> {
    let city = &data.city;
    let (values, heard) = known(data, station, past).await?;
    let state = State::of(station, &values, heard, level, at);
    let headline = headline(station, &values, at).map(|value| {
        let property = &value.series.property;
        json!({
            "property": property,
            "title": title(city, property),
            "value": figure(value.value, 4),
            "unit": station.unit(city, property),
            "ratio": figure(value.ratio(), 3),
        })
    });
    Ok(json!({
        "station": station.key,
        "name": station.name,
        "kind": station.kind,
        "district": station.district,
        "enterprise": station.enterprise,
        "place": station.place_json(),
        "state": state.word(),
        "level": level,
        "aqi": aqi,
        "headline": headline,
        "last_received": heard,
    }))
}

fn quarantined(data: &Data) -> Vec<Value> {
    let filter = DeviceFilter {
        state: Some(DeviceState::Quarantined),
        limit: 1_000,
        ..DeviceFilter::default()
    };
    let (devices, _) = data.city.devices.list(&filter);
    let unknown = devices
        .into_iter()
        .filter(|d| data.station(&d.thing).is_none());
    let items = unknown.map(|device| {
        json!({
            "station": device.thing, "name": device.thing, "kind": "unknown", "district": null,
            "enterprise": null, "place": null, "state": "quarantined", "level": null, "aqi": null,
            "headline": null, "last_received": device.last_seen,
        })
    });
    items.collect()
}
