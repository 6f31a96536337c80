//! `exceedances?from=&to=&district=&station=&property=&period=hour|day`: means above their limit,
//! judged only where the mean is valid.

use super::{Given, begin, figure, hours_between, whole_days, whole_hours};
use crate::air::HOURS_OF_A_VALID_DAY;
use crate::data::Data;
use crate::gas::weighted_by_flow;
use crate::quality::Hour;
use crate::stations::{Station, title, words};
use kernel::observations::Basis;
use kernel::time::{DAY, HOUR};
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

/// At most so many are listed; all are counted.
const LISTED: usize = 5_000;

/// A mean above its limit.
pub struct Exceedance {
    /// Whose.
    pub station: Arc<Station>,
    /// Property.
    pub property: String,
    /// Beginning of the hour or day.
    pub start: Time,
    /// Valid mean.
    pub mean: f64,
    /// Share of the period with valid data.
    pub share: f64,
}

/// Which exceedances are asked for.
#[derive(Clone, Default)]
pub struct Which {
    /// Only in this district.
    pub district: Option<String>,
    /// Only of this station.
    pub station: Option<String>,
    /// Only of this property.
    pub property: Option<String>,
    /// Means of days instead of hours.
    pub daily: bool,
}

/// Answers the report; today's hours unless a range is named.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let now = city.clock.now();
    let mut ask = begin(&city, given);
    let today = Span(now.since(now.floor(Span(DAY))).0.max(HOUR));
    let daily = ask.choice("period", &["hour", "day"]) == "day";
    let range = ask.range(today, 400);
    let which = Which {
        district: ask.text("district"),
        station: ask.text("station"),
        property: ask.text("property"),
        daily,
    };
    ask.finish()?;
    let range = if daily {
        whole_days(range)
    } else {
        whole_hours(range)
    };
    let data = Data::new(city)?;
    let found = find(&data, which, range).await?;
    Ok(json!({
        "from": range.0,
        "to": range.1,
        "count": found.len(),
        "cut": found.len() > LISTED,
        "items": found.iter().take(LISTED).map(|e| item(&data.city, e)).collect::<Vec<_>>(),
        "valid_rule": words(&data.city, "valid_rule", &[]),
    }))
}

/// One exceedance as JSON.
pub fn item(city: &City, found: &Exceedance) -> Value {
    let limit = found.station.limits.get(&found.property);
    json!({
        "station": found.station.key,
        "name": found.station.name,
        "kind": found.station.kind,
        "district": found.station.district,
        "property": found.property,
        "title": title(city, &found.property),
        "unit": found.station.unit(city, &found.property),
        "period_start": found.start,
        "mean": figure(found.mean, 4),
        "limit": limit.map(|l| l.limit),
        "ratio": figure(limit.map(|l| found.mean / l.limit), 3),
        "valid_share": figure(found.share, 3),
        "source": limit.map(|l| &l.source),
    })
}

/// All exceedances, newest first, gravest first within a period.
pub async fn find(
    data: &Data,
    which: Which,
    range: (Time, Time),
) -> Result<Vec<Exceedance>, Fault> {
    let wanted = |s: &&Arc<Station>| {
        let district = which.district.as_ref();
        let station = which.station.as_ref();
        !s.limits.is_empty()
            && district.is_none_or(|d| s.district.as_ref() == Some(d))
            && station.is_none_or(|key| s.key == *key)
    };
    let stations: Vec<Arc<Station>> = data.stations.iter().filter(wanted).cloned().collect();
    data.bounded(stations.len(), range.0, range.1)?;
    let ask = |data: Data, station: Arc<Station>| {
        let which = which.clone();
        async move { of_station(&data, station, &which, range).await }
    };
    let mut all: Vec<Exceedance> = data
        .each(stations, ask)
        .await?
        .into_iter()
        .flatten()
        .collect();
    let ratio = |e: &Exceedance| {
        let limit = e.station.limits.get(&e.property);
        limit.map_or(0.0, |l| e.mean / l.limit)
    };
    all.sort_by(|a, b| {
        (b.start.cmp(&a.start))
            .then(ratio(b).total_cmp(&ratio(a)))
            .then_with(|| a.station.key.cmp(&b.station.key))
    });
    Ok(all)
}

async fn of_station(
    data: &Data,
    station: Arc<Station>,
    which: &Which,
    range: (Time, Time),
) -> Result<Vec<Exceedance>, Fault> {
    let mut found = vec![];
    for (property, limit) in &station.limits {
        let skipped = which.property.as_ref().is_some_and(|p| p != property);
        if skipped || limit.limit <= 0.0 {
            continue;
        }
        let hours = data.judged_hours(&station, property, range).await?;
        let means = match which.daily {
            false => hourly(&hours),
            true => daily(data, &station, &hours, range).await?,
        };
        for (start, mean, share) in means {
            if mean > limit.limit {
                found.push(Exceedance {
                    station: station.clone(),
                    property: property.clone(),
                    start,
                    mean,
                    share,
                });
            }
        }
    }
    Ok(found)
}

fn hourly(hours: &[Hour]) -> Vec<(Time, f64, f64)> {
    let valid = hours.iter().filter(|h| h.valid());
    valid.map(|h| (h.start, h.mean, h.share())).collect()
}

/// Valid days: at least 20 valid hours; waste water weighted by its flow (HJ 212 appendix D).
async fn daily(
    data: &Data,
    station: &Station,
    hours: &[Hour],
    range: (Time, Time),
) -> Result<Vec<(Time, f64, f64)>, Fault> {
    let flow = match station.kind.as_str() {
        "waste_water" => {
            let flow = data.hours(&station.key, "w00000", Basis::Measured, range);
            flow.await?
        }
        _ => Arc::default(),
    };
    let mut means = vec![];
    for number in 0..hours_between(range.0, range.1) / 24 {
        let start = range.0 + Span::days(number as i64);
        let of_day = |h: &&Hour| h.valid() && h.start >= start && h.start.0 < start.0 + DAY;
        let valid: Vec<&Hour> = hours.iter().filter(of_day).collect();
        if valid.len() < HOURS_OF_A_VALID_DAY {
            continue;
        }
        let weigh = |hour: &&Hour| {
            let at = flow.binary_search_by_key(&hour.start, |f| f.start);
            (hour.mean, at.ok().map_or(0.0, |at| flow[at].mean.max(0.0)))
        };
        let pairs: Vec<(f64, f64)> = valid.iter().map(weigh).collect();
        if let Some(mean) = weighted_by_flow(&pairs) {
            means.push((start, mean, valid.len() as f64 / 24.0));
        }
    }
    Ok(means)
}
