//! `vitals?at=`: the figures at the edge of the command map, each with the 24 hours before; at a
//! past moment those the city had then.

use super::air::{air_hours, city_hours, published};
use super::rates::{expected_stations, main_hours};
use super::standing::{State, known, lasting, levels};
use super::{Given, begin, millis};
use crate::data::Data;
use crate::quality::{Counts, Hour, percent};
use crate::stations::{Station, words};
use kernel::devices::DeviceFilter;
use kernel::time::HOUR;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers the report.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let past = ask.time("at").filter(|at| *at < city.clock.now());
    ask.finish()?;
    let data = Data::new(city)?;
    let now = past.unwrap_or(data.city.clock.now());
    let standing = standing(&data, past, now).await?;
    let of = |state: State| standing.iter().filter(|s| **s == state).count();
    let heard = standing.len() - of(State::Stopped) - of(State::Offline);
    let expected = standing.len() - of(State::Stopped);

    let to = now.floor(Span(HOUR));
    let range = (to - Span::hours(24), to);
    let stations = expected_stations(&data);
    let hours = main_hours(&data, &stations, range).await?;
    let by_hour = by_hour(&hours, range);
    let mut whole = Counts::default();
    by_hour.iter().for_each(|(_, counts)| whole.add(counts));
    let trend = |rate: fn(&Counts) -> Option<f64>| -> Vec<Value> {
        let points = by_hour.iter();
        points
            .map(|(at, c)| json!([millis(*at), rate(c)]))
            .collect()
    };

    let air_stations = published(&data);
    let air = air_hours(&data, &air_stations, range).await?;
    let indices = city_hours(&air, range.0, range.1);
    let aqi_now = indices.last().and_then(|(_, index)| index.aqi);
    let aqi: Vec<Value> = indices
        .iter()
        .map(|(at, i)| json!([millis(*at), i.aqi]))
        .collect();

    let counts = open_alerts(&data, past).await?;
    let online: Vec<Value> = by_hour
        .iter()
        .map(|(at, c)| json!([millis(*at), c.online_hours]))
        .collect();
    let uncounted = json!({
        "value": null, "unit": "", "trend": [], "reason": words(&data.city, "not_counted", &[]),
    });
    let (values, frames) = match past {
        Some(_) => (uncounted.clone(), uncounted.clone()),
        None => {
            let (values, frames) = totals(&data);
            let figure = |n: u64| json!({ "value": n, "unit": "", "trend": [] });
            (figure(values), figure(frames))
        }
    };
    Ok(json!({
        "at": now,
        "stations": { "value": standing.len(), "unit": "", "trend": [] },
        "online": { "value": heard, "unit": "", "trend": online },
        "offline": { "value": of(State::Offline), "unit": "", "trend": [] },
        "exceeding": { "value": of(State::Exceeding), "unit": "", "trend": [] },
        "alerting": { "value": of(State::Alert), "unit": "", "trend": [] },
        "open_alerts": {
            "blue": counts[0], "yellow": counts[1], "orange": counts[2], "red": counts[3],
        },
        "online_rate": {
            "value": percent(heard as u64, expected as u64), "unit": "%",
            "target": target(&data, "online_rate"), "trend": trend(Counts::online),
        },
        "transmission_rate": {
            "value": whole.transmission(), "unit": "%",
            "target": target(&data, "transmission_rate"), "trend": trend(Counts::transmission),
        },
        "validity_rate": {
            "value": whole.validity(), "unit": "%",
            "target": target(&data, "validity_rate"), "trend": trend(Counts::validity),
        },
        "aqi_city": {
            "value": aqi_now, "unit": "", "target": target(&data, "city_aqi"), "trend": aqi,
        },
        "values_today": uncounted,
        "frames_today": uncounted,
        "values_total": values,
        "frames_total": frames,
    }))
}

/// States of all stations, now or at a past moment.
async fn standing(data: &Data, past: Option<Time>, at: Time) -> Result<Vec<State>, Fault> {
    let levels = Arc::new(levels(data, past).await?);
    let stations = data.stations.as_ref().clone();
    let ask = |data: Data, station: Arc<Station>| {
        let levels = levels.clone();
        async move {
            let level = levels.get(&station.key).copied();
            let (values, heard) = known(&data, &station, past).await?;
            Ok(State::of(&station, &values, heard, level, at))
        }
    };
    data.each(stations, ask).await
}

/// Alerts nobody has closed, by level from the lightest; at a past moment those that lasted.
async fn open_alerts(data: &Data, past: Option<Time>) -> Result<[u64; 4], Fault> {
    if past.is_none() {
        return data.city.alerts.open_counts().await;
    }
    let mut counts = [0; 4];
    for alert in lasting(data, past).await? {
        counts[alert.level as usize - 1] += 1;
    }
    Ok(counts)
}

/// Counts of all stations, hour by hour.
fn by_hour(stations: &[Vec<Arc<Vec<Hour>>>], (from, to): (Time, Time)) -> Vec<(Time, Counts)> {
    let mut found = vec![];
    let mut start = from;
    while start < to {
        let mut counts = Counts::default();
        for properties in stations {
            let of_hour: Vec<&[Hour]> = properties.iter().map(|h| within(h, start)).collect();
            counts.add(&Counts::of_station(&of_hour, start, 1));
        }
        found.push((start, counts));
        start = start + Span(HOUR);
    }
    found
}

/// The one hour of a series that begins at `start`, or nothing.
fn within(hours: &[Hour], start: Time) -> &[Hour] {
    let at = hours.partition_point(|h| h.start < start);
    let end = at + usize::from(hours.get(at).is_some_and(|h| h.start == start));
    &hours[at..end]
}

fn target(data: &Data, indicator: &str) -> Option<f64> {
    let mut declared = data.city.declared.indicators();
    declared.find(|i| i.name == indicator)?.target
}

/// Values stored since the store was made, and frames accepted from the devices known.
fn totals(data: &Data) -> (u64, u64) {
    let mut filter = DeviceFilter {
        limit: 1_000,
        ..DeviceFilter::default()
    };
    let mut frames = 0;
    for _ in 0..crate::stations::STATIONS_LIMIT / 1_000 * 5 {
        let (devices, _) = data.city.devices.list(&filter);
        frames += devices.iter().map(|d| d.frames).sum::<u64>();
        match devices.last() {
            Some(last) if devices.len() >= filter.limit => filter.after = Some(last.thing.clone()),
            _ => break,
        }
    }
    (data.city.observations.counters().values, frames)
}
