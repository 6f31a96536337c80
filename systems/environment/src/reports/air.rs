//! Air quality for everybody: the index of each published station and of the city, now, over the
//! last hours, of a day, and the share of good days.

use super::{Given, begin, figure};
use crate::air::{
    Means, city_means, daily_index, day_means, hour_means, hourly_index, last_whole_hour, part,
};
use crate::aqi::{Edition, Index, Pollutant, class};
use crate::data::Data;
use crate::quality::{Hour, percent};
use crate::stations::{Station, words};
use kernel::observations::Basis;
use kernel::time::{DAY, HOUR};
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Hours of the six items of a station, in the units of the index.
pub type AirHours = BTreeMap<Pollutant, Vec<Hour>>;

/// Stations whose air is shown to the public.
pub fn published(data: &Data) -> Vec<Arc<Station>> {
    let air = data.of_kind("air").into_iter();
    air.filter(|s| s.published).collect()
}

/// Hours of the six items of each station, in the order of the stations.
pub async fn air_hours(
    data: &Data,
    stations: &[Arc<Station>],
    range: (Time, Time),
) -> Result<Vec<AirHours>, Fault> {
    data.bounded(stations.len(), range.0, range.1)?;
    let ask = |data: Data, station: Arc<Station>| async move {
        let mut found = AirHours::new();
        for pollutant in Pollutant::ALL {
            let property = pollutant.property();
            let hours = data.hours(&station.key, property, Basis::Measured, range);
            let factor = to_index_unit(pollutant, station.gas_in_micrograms);
            let scaled = hours.await?;
            let scaled = scaled.iter().map(|hour| Hour {
                mean: hour.mean * factor,
                ..*hour
            });
            found.insert(pollutant, scaled.collect());
        }
        Ok(found)
    };
    data.each(stations.to_vec(), ask).await
}

/// Gases arrive in mg/m³ (HJ 212 table B.2) unless the station says otherwise; the index reads
/// µg/m³ for all but carbon monoxide.
fn to_index_unit(pollutant: Pollutant, gas_in_micrograms: bool) -> f64 {
    match pollutant {
        Pollutant::So2 | Pollutant::No2 | Pollutant::O3 if !gas_in_micrograms => 1000.0,
        _ => 1.0,
    }
}

/// Class of an index with its words; null when there is no index.
pub fn level(city: &City, aqi: Option<u32>) -> Value {
    let Some(aqi) = aqi else { return Value::Null };
    let class = class(aqi);
    json!({
        "number": class.number,
        "title": words(city, &format!("level_{}", class.number), &[]),
        "colour": class.colour,
        "advice": words(city, &format!("advice_{}", class.number), &[]),
    })
}

fn properties(pollutants: &[Pollutant]) -> Vec<&'static str> {
    pollutants.iter().map(|p| p.property()).collect()
}

/// Why there is no index; null when there is one.
fn reason(city: &City, index: &Index, hours: Option<&AirHours>) -> Value {
    if index.aqi.is_some() {
        return Value::Null;
    }
    let came = hours.is_none_or(|h| h.values().any(|series| !series.is_empty()));
    let key = match (index.parts.is_empty(), came) {
        (true, false) => "no_data",
        (true, true) => "too_few_values",
        (false, _) => "incomplete",
    };
    json!(words(city, key, &[]))
}

fn index_json(city: &City, index: &Index, means: &Means, hours: Option<&AirHours>) -> Value {
    let mut concentrations = serde_json::Map::new();
    for pollutant in Pollutant::ALL {
        let mean = means.get(&pollutant);
        let (value, iaqi) = mean.map_or((None, None), |mean| {
            let (value, iaqi) = part(index, pollutant, *mean);
            (Some(value), iaqi)
        });
        let title = crate::stations::title(city, pollutant.property());
        let entry = json!({
            "value": figure(value, 1), "unit": pollutant.unit(), "iaqi": iaqi, "title": title,
        });
        concentrations.insert(pollutant.property().into(), entry);
    }
    json!({
        "aqi": index.aqi,
        "level": level(city, index.aqi),
        "primary": properties(&index.primary),
        "exceeding": properties(&index.exceeding),
        "missing": properties(&index.missing),
        "concentrations": concentrations,
        "reason": reason(city, index, hours),
    })
}

fn station_json(city: &City, station: &Station, index: Value, start: Time) -> Value {
    let mut item = json!({
        "station": station.key,
        "name": station.name,
        "district": station.district,
        "place": station.place_json(),
        "period_start": start,
    });
    if let (Some(item), Value::Object(index)) = (item.as_object_mut(), index) {
        item.extend(index);
    }
    if !station.running {
        item["reason"] = json!(words(city, "not_running", &[]));
    }
    item
}

/// One period: every station, and the city as the index of the stations' means.
struct Period {
    start: Time,
    stations: Vec<Arc<Station>>,
    hours: Vec<AirHours>,
    daily: bool,
}

impl Period {
    fn answer(&self, city: &City) -> Value {
        let means: Vec<Means> = self.hours.iter().map(|h| self.means(h)).collect();
        let mut items = vec![];
        for ((station, means), hours) in self.stations.iter().zip(&means).zip(&self.hours) {
            let index = self.index(means);
            let index = index_json(city, &index, means, Some(hours));
            items.push(station_json(city, station, index, self.start));
        }
        let of_city = city_means(means.iter());
        let mut whole = index_json(city, &self.index(&of_city), &of_city, None);
        if self.stations.is_empty() {
            whole["reason"] = json!(words(city, "no_air_station", &[]));
        }
        json!({
            "period_start": self.start,
            "edition": Edition::at(self.start).name(),
            "items": items,
            "city": whole,
        })
    }

    fn means(&self, hours: &AirHours) -> Means {
        match self.daily {
            true => day_means(hours, self.start),
            false => hour_means(hours, self.start),
        }
    }

    fn index(&self, means: &Means) -> Index {
        match self.daily {
            true => daily_index(means, self.start),
            false => hourly_index(means, self.start),
        }
    }
}

/// `air?at=`: the index of the last whole hour.
pub async fn now(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let at = ask.time("at").unwrap_or(city.clock.now());
    ask.finish()?;
    let data = Data::new(city)?;
    let start = last_whole_hour(at);
    let stations = published(&data);
    let hours = air_hours(&data, &stations, (start, start + Span(HOUR))).await?;
    let period = Period {
        start,
        stations,
        hours,
        daily: false,
    };
    let mut answer = period.answer(&data.city);
    answer["at"] = json!(at);
    Ok(answer)
}

/// `air_daily?date=`: the daily index; yesterday unless a day is named.
pub async fn daily(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let start = ask.date("date", city.clock.now() - Span(DAY));
    ask.finish()?;
    day(&Data::new(city)?, start).await
}

/// The daily index of the day that begins at `start`.
pub async fn day(data: &Data, start: Time) -> Result<Value, Fault> {
    let stations = published(data);
    let hours = air_hours(data, &stations, (start, start + Span(DAY))).await?;
    let period = Period {
        start,
        stations,
        hours,
        daily: true,
    };
    Ok(period.answer(&data.city))
}

/// `air_history?station=&hours=48&at=`: hourly indices of a station, or of the city without one.
pub async fn history(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let key = ask.text("station");
    let count = ask.count("hours", 48, 24 * 31);
    let at = ask.time("at").unwrap_or(city.clock.now());
    ask.finish()?;
    let data = Data::new(city)?;
    let stations = match &key {
        None => published(&data),
        Some(key) => {
            let station = data.station(key).filter(|s| s.kind == "air" && s.published);
            vec![station.ok_or_else(|| Fault::missing(key))?]
        }
    };
    let to = last_whole_hour(at) + Span(HOUR);
    let from = to - Span::hours(count);
    let hours = air_hours(&data, &stations, (from, to)).await?;
    let mut items = vec![];
    for (start, index) in city_hours(&hours, from, to) {
        items.push(json!({
            "time": start, "aqi": index.aqi, "primary": properties(&index.primary),
        }));
    }
    Ok(json!({ "station": key, "items": items }))
}

/// The hourly index of all stations together, hour by hour.
pub fn city_hours(hours: &[AirHours], from: Time, to: Time) -> Vec<(Time, Index)> {
    let mut found = vec![];
    let mut start = from;
    while start < to {
        let means: Vec<Means> = hours.iter().map(|h| hour_means(h, start)).collect();
        found.push((start, hourly_index(&city_means(means.iter()), start)));
        start = start + Span(HOUR);
    }
    found
}

/// `air_good_share?days=30`: days of the city with an index of at most 100, of the days that have
/// one.
pub async fn good_share(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let days = ask.count("days", 30, 366);
    ask.finish()?;
    let data = Data::new(city)?;
    let to = data.city.clock.now().floor(Span(DAY));
    let from = to - Span::days(days);
    let stations = published(&data);
    let hours = air_hours(&data, &stations, (from, to)).await?;
    let (mut good, mut valid) = (0, 0);
    let mut start = from;
    while start < to {
        let means: Vec<Means> = hours.iter().map(|h| day_means(h, start)).collect();
        let index = daily_index(&city_means(means.iter()), start);
        valid += u64::from(index.aqi.is_some());
        good += u64::from(index.aqi.is_some_and(|aqi| aqi <= 100));
        start = start + Span(DAY);
    }
    let share = percent(good, valid);
    let reason = match share {
        None => json!(words(&data.city, "too_few_values", &[])),
        Some(_) => Value::Null,
    };
    Ok(json!({
        "from": from, "to": to, "good": good, "valid": valid, "share": share, "reason": reason,
    }))
}
