//! Where a station stands at a moment: its newest values against their limits, whether it is heard
//! of, and the gravest alert about it. The map, the vital figures and the station page share it.

use crate::data::Data;
use crate::stations::{Limit, Station};
use kernel::alerts::{Alert, AlertFilter, AlertState, Level};
use kernel::observations::{Basis, Flag, Kind, Period, SeriesName, Statistic};
use kernel::{Fault, Span, Time};
use std::collections::HashMap;

/// A value older than this says nothing about the present.
const VALUE_SPEAKS_FOR: Span = Span::hours(2);

/// A station not heard of for this long is offline, as in the rules `station_offline` and
/// `section_offline`.
pub fn offline_after(station: &Station) -> Span {
    match station.kind.as_str() {
        "surface_water" => Span::hours(6),
        _ => Span::minutes(30),
    }
}

/// How long a value of a station speaks for its present.
fn speaks_for(station: &Station) -> Span {
    VALUE_SPEAKS_FOR.max(offline_after(station))
}

/// Pages of alerts looked through at most, of 1,000 each.
const ALERT_PAGES: usize = 5;

/// One value with its limit.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its series.
    pub series: SeriesName,
    /// Device time.
    pub time: Time,
    /// Number.
    pub value: f64,
    /// Quality.
    pub flag: Flag,
    /// Limit it is to be compared with.
    pub limit: Option<Limit>,
}

impl Value {
    /// Value over limit; only for valid values that have a limit above zero.
    pub fn ratio(&self) -> Option<f64> {
        let limit = self.limit.as_ref()?.limit;
        (limit > 0.0 && self.flag.valid()).then(|| self.value / limit)
    }
}

/// Kinds that show the present of a property, best first.
pub fn present_kinds(basis: Basis) -> [Kind; 3] {
    [
        (Period::RealTime, Statistic::Value),
        (Period::Minute, Statistic::Mean),
        (Period::Hour, Statistic::Mean),
    ]
    .map(|(period, statistic)| Kind {
        period,
        statistic,
        basis,
    })
}

/// Whether the limit of a property is meant for converted concentrations.
fn judged_converted(station: &Station, property: &str) -> bool {
    station.kind == "flue_gas" && property != "a24088"
}

/// Newest values of a station, for each property and basis the best kind, with the limit where the
/// basis is the one it is meant for (or the only one there is).
pub fn values_now(data: &Data, station: &Station) -> Vec<Value> {
    let latest = data.latest(&station.key);
    let mut properties: Vec<&str> = latest.iter().map(|(n, _)| n.property.as_str()).collect();
    properties.sort_unstable();
    properties.dedup();
    let mut values = vec![];
    for property in properties {
        let best = |basis: Basis| {
            present_kinds(basis).into_iter().find_map(|kind| {
                let fits = |n: &SeriesName| n.property == property && n.kind == kind;
                latest.iter().find(|(name, _)| fits(name))
            })
        };
        let (measured, converted) = (best(Basis::Measured), best(Basis::Converted));
        let to_converted = converted.is_some() && judged_converted(station, property);
        for (found, judged) in [(measured, !to_converted), (converted, to_converted)] {
            let Some((name, newest)) = found else {
                continue;
            };
            values.push(Value {
                series: name.clone(),
                time: newest.time,
                value: newest.value,
                flag: newest.flag,
                limit: station.limits.get(property).filter(|_| judged).cloned(),
            });
        }
    }
    values
}

/// Values of the main properties of a station as they stood at a past moment; of all properties
/// where it has none of the main ones.
pub async fn values_at(data: &Data, station: &Station, at: Time) -> Result<Vec<Value>, Fault> {
    let mut values = values_now(data, station);
    let main = station.main_properties();
    let is_main = |v: &Value| main.contains(&v.series.property.as_str());
    if values.iter().any(is_main) {
        values.retain(is_main);
    }
    let mut then = vec![];
    for value in values {
        let name = &value.series;
        let range = (at - speaks_for(station), at + Span(1));
        let readings = data.readings(&name.thing, &name.property, name.kind, range, 10_000);
        if let Some((time, number)) = readings.await?.last().copied() {
            then.push(Value {
                time,
                value: number,
                flag: Flag::UNSTATED,
                ..value
            });
        }
    }
    Ok(then)
}

/// The value to show for a station: the one nearest to (or furthest beyond) its limit, else the
/// first of the main properties.
pub fn headline<'a>(station: &Station, values: &'a [Value], at: Time) -> Option<&'a Value> {
    let fresh = |v: &&Value| at.since(v.time) <= speaks_for(station);
    let worst = values
        .iter()
        .filter(fresh)
        .filter_map(|v| Some((v, v.ratio()?)));
    let worst = worst.max_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((value, _)) = worst.filter(|_| station.kind != "air") {
        return Some(value);
    }
    let preferred: &[&str] = match station.kind.as_str() {
        "air" => &["a34004"],
        "energy" => &["e_power", "e_power_production"],
        _ => &[],
    };
    let main = preferred.iter().copied().chain(station.main_properties());
    main.into_iter()
        .find_map(|p| values.iter().filter(fresh).find(|v| v.series.property == p))
}

/// Where a station stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not in operation according to the register.
    Stopped,
    /// Not heard of.
    Offline,
    /// An alert about it lasts.
    Alert,
    /// A newest value is above its limit.
    Exceeding,
    /// Heard of, nothing wrong.
    Online,
}

impl State {
    /// The word in the API.
    pub fn word(self) -> &'static str {
        match self {
            State::Stopped => "stopped",
            State::Offline => "offline",
            State::Alert => "alert",
            State::Exceeding => "exceeding",
            State::Online => "online",
        }
    }

    /// Puts together what is known.
    pub fn of(
        station: &Station,
        values: &[Value],
        heard: Option<Time>,
        level: Option<Level>,
        at: Time,
    ) -> State {
        let silent = heard.is_none_or(|heard| at.since(heard) > offline_after(station));
        let fresh = |v: &&Value| at.since(v.time) <= speaks_for(station);
        let above = |v: &Value| v.ratio().is_some_and(|ratio| ratio > 1.0);
        if !station.running {
            State::Stopped
        } else if silent {
            State::Offline
        } else if level.is_some() {
            State::Alert
        } else if station.kind != "air" && values.iter().filter(fresh).any(above) {
            State::Exceeding
        } else {
            State::Online
        }
    }
}

/// Newest values of a station and when it was last heard of, now or at a past moment.
pub async fn known(
    data: &Data,
    station: &Station,
    past: Option<Time>,
) -> Result<(Vec<Value>, Option<Time>), Fault> {
    let Some(at) = past else {
        let heard = data.city.observations.last_received(&station.key);
        return Ok((values_now(data, station), heard));
    };
    let values = values_at(data, station, at).await?;
    let heard = values.iter().map(|v| v.time).max();
    Ok((values, heard))
}

/// Lasting alerts. At a past moment: those raised by then whose condition lasted.
pub async fn lasting(data: &Data, at: Option<Time>) -> Result<Vec<Alert>, Fault> {
    let filter = match at {
        None => AlertFilter {
            states: vec![
                AlertState::Open,
                AlertState::Acknowledged,
                AlertState::Assigned,
            ],
            active: Some(true),
            ..AlertFilter::default()
        },
        Some(at) => AlertFilter {
            from: Some(at - Span::days(7)),
            to: Some(at + Span(1)),
            ..AlertFilter::default()
        },
    };
    let (mut alerts, _) = alerts(data, filter).await?;
    alerts.retain(|alert| {
        let over = at.is_some_and(|at| alert.ended_at.is_some_and(|ended| ended <= at));
        !over
    });
    Ok(alerts)
}

/// Lasting alerts by thing: the gravest level, now or at a past moment.
pub async fn levels(data: &Data, at: Option<Time>) -> Result<HashMap<String, Level>, Fault> {
    let mut levels: HashMap<String, Level> = HashMap::new();
    for alert in lasting(data, at).await? {
        let level = levels.entry(alert.thing).or_insert(alert.level);
        *level = (*level).max(alert.level);
    }
    Ok(levels)
}

/// Alerts of a filter, page by page, and whether there were more than are looked through.
pub async fn alerts(data: &Data, mut filter: AlertFilter) -> Result<(Vec<Alert>, bool), Fault> {
    filter.limit = 1_000;
    let mut all = vec![];
    for _ in 0..ALERT_PAGES {
        let (page, next, _) = data.city.alerts.list(&filter).await?;
        all.extend(page);
        if next.is_none() {
            return Ok((all, false));
        }
        filter.after = next;
    }
    Ok((all, true))
}
