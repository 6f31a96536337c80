//! `working_conditions?from=&to=`: stretches in which production ran without treatment.

use super::{Given, begin};
use crate::conditions::{States, states, untreated};
use crate::data::Data;
use crate::stations::{Station, words};
use kernel::observations::Kind;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

/// Days looked through at once.
const DAYS: i64 = 7;
/// Readings of one facility: a week of minutes.
const READINGS: usize = 10_080;

/// Answers the report.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let range = ask.range(Span::days(1), DAYS);
    ask.finish()?;
    let data = Data::new(city)?;
    let items = find(&data, range).await?;
    Ok(json!({ "from": range.0, "to": range.1, "items": items }))
}

/// All findings of a range, station by station.
pub async fn find(data: &Data, range: (Time, Time)) -> Result<Vec<Value>, Fault> {
    let told = |s: &&Arc<Station>| !s.production.is_empty() && !s.treatment.is_empty();
    let stations: Vec<Arc<Station>> = data.stations.iter().filter(told).cloned().collect();
    let ask = |data: Data, station: Arc<Station>| async move {
        let production = facilities(&data, &station, &station.production, false, range);
        let production = production.await?;
        let treatment = facilities(&data, &station, &station.treatment, true, range);
        let until = range.1.min(data.city.clock.now());
        let stretches = untreated(&production, &treatment.await?, until);
        let finding = words(&data.city, "treatment_off", &[]);
        let item = |stretch: &crate::conditions::Stretch| {
            json!({
                "station": station.key, "name": station.name, "enterprise": station.enterprise,
                "from": stretch.from, "to": stretch.to, "production": true, "treatment": false,
                "finding": finding,
            })
        };
        Ok(stretches.iter().map(item).collect::<Vec<Value>>())
    };
    let found = data.each(stations, ask).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn facilities(
    data: &Data,
    station: &Station,
    properties: &[String],
    treatment: bool,
    range: (Time, Time),
) -> Result<Vec<States>, Fault> {
    let mut found = vec![];
    for property in properties {
        let readings = data.readings(&station.key, property, Kind::REAL_TIME, range, READINGS);
        found.push(states(property, treatment, &readings.await?));
    }
    Ok(found)
}
