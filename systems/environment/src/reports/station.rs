//! `station?station=KEY`: one station with everything that belongs on its page.

use super::rates::{counts_of, main_hours};
use super::standing::{State, levels, values_now};
use super::{Given, begin, figure};
use crate::conditions::{runs, together};
use crate::data::Data;
use crate::stations::{Station, property, title};
use kernel::time::HOUR;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};

/// A state older than this says nothing about the present.
const STATE_SPEAKS_FOR: Span = Span::minutes(15);

/// Answers the report.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let key = ask.demand("station");
    ask.finish()?;
    let data = Data::new(city)?;
    let station = data.station(&key).ok_or_else(|| Fault::missing(&key))?;
    let now = data.city.clock.now();
    let to = now.floor(Span(HOUR));
    let range = (to - Span::hours(24), to);
    let hours = main_hours(&data, std::slice::from_ref(&station), range).await?;
    let counts = hours.first().map(|hours| counts_of(hours, range));
    let rates = counts.unwrap_or_default();
    let values = values_now(&data, &station);
    let heard = data.city.observations.last_received(&key);
    let level = levels(&data, None).await?.get(&key).copied();
    let linked = |register: &str, key: &Option<String>| {
        let found = key
            .as_ref()
            .and_then(|key| data.city.registers.cached(register, key));
        found.map(|record| json!(*record))
    };
    let limits: Vec<Value> = station
        .limits
        .iter()
        .map(|(property, limit)| {
            json!({
                "property": property, "title": title(&data.city, property), "limit": limit.limit,
                "unit": station.unit(&data.city, property), "source": limit.source,
            })
        })
        .collect();
    Ok(json!({
        "record": *station.record,
        "outlet": linked("outlet", &station.outlet),
        "enterprise": linked("enterprise", &station.enterprise),
        "device": data.city.devices.get(&key),
        "state": State::of(&station, &values, heard, level, now).word(),
        "level": level,
        "last_received": heard,
        "limits": limits,
        "properties": properties(&data, &station, &values),
        "rates": {
            "transmission": rates.transmission(),
            "validity": rates.validity(),
            "online": rates.online(),
            "from": range.0,
            "to": range.1,
        },
        "conditions": conditions(&data, &station, now),
    }))
}

fn properties(data: &Data, station: &Station, values: &[super::standing::Value]) -> Vec<Value> {
    let city = &data.city;
    let each = values.iter().map(|value| {
        let name = &value.series.property;
        json!({
            "property": name,
            "title": title(city, name),
            "unit": station.unit(city, name),
            "digits": property(city, name).map_or(2, |p| p.digits),
            "kind": value.series.kind,
            "latest": { "time": value.time, "value": value.value, "flag": value.flag.text() },
            "limit": value.limit.as_ref().map(|l| l.limit),
            "source": value.limit.as_ref().map(|l| &l.source),
            "ratio": figure(value.ratio(), 3),
        })
    });
    each.collect()
}

/// Whether production and treatment run now; null when the station tells nothing about either.
fn conditions(data: &Data, station: &Station, now: Time) -> Value {
    let latest = data.latest(&station.key);
    let states = |names: &[String], treatment: bool| -> Vec<bool> {
        let known = latest.iter().filter(|(name, newest)| {
            names.contains(&name.property)
                && name.kind == kernel::observations::Kind::REAL_TIME
                && now.since(newest.time) <= STATE_SPEAKS_FOR
        });
        known
            .map(|(name, newest)| runs(&name.property, treatment, newest.value))
            .collect()
    };
    let production = together(&states(&station.production, false), true);
    let treatment = together(&states(&station.treatment, true), false);
    if production.is_none() && treatment.is_none() {
        return Value::Null;
    }
    json!({ "production": production, "treatment": treatment })
}
