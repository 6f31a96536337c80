//! `bulletin?date=`: everything on the page of the daily bulletin in one answer.

use super::exceedances::{Which, find, item};
use super::rates::{expected_stations, grouped, main_hours};
use super::standing::alerts;
use super::{Given, air, begin, conditions, figure, suspects, totals};
use crate::data::Data;
use crate::emissions::Total;
use crate::stations::{title, words};
use kernel::alerts::{Alert, AlertFilter, AlertState, Level};
use kernel::time::DAY;
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Exceedances, suspects and alerts that are printed; all are counted.
const PRINTED: usize = 100;

/// Answers the report; yesterday unless a day is named.
pub async fn answer(city: City, given: Given) -> Result<Value, Fault> {
    let now = city.clock.now();
    let mut ask = begin(&city, given);
    let start = ask.date("date", now - Span(DAY));
    ask.finish()?;
    let data = Data::new(city)?;
    let range = (start, start + Span(DAY));
    let city = &data.city;

    let exceedances = find(&data, Which::default(), range).await?;
    let printed = exceedances.iter().take(PRINTED);
    let printed: Vec<Value> = printed.map(|e| item(city, e)).collect();
    let stations = expected_stations(&data);
    let hours = main_hours(&data, &stations, range).await?;
    let rates = grouped(&data, "district", range, &stations, &hours);
    let suspects = suspects::find(&data, range).await?;
    let untreated = conditions::find(&data, range).await?;
    let filter = AlertFilter {
        from: Some(range.0),
        to: Some(range.1),
        ..AlertFilter::default()
    };
    let (raised, _) = alerts(&data, filter).await?;
    let open = raised.iter().any(|a| a.state != AlertState::Closed);
    let quiet = exceedances.is_empty() && !open;
    Ok(json!({
        "date": start,
        "generated_at": now,
        "complete": range.1 <= now,
        "stations": data.stations.len(),
        "air": air::day(&data, start).await?,
        "exceedances": {
            "count": exceedances.len(), "items": printed,
            "valid_rule": words(city, "valid_rule", &[]),
        },
        "rates": rates,
        "alerts": alerts_json(&raised),
        "suspects": {
            "count": suspects.len(),
            "items": suspects.into_iter().take(PRINTED).collect::<Vec<_>>(),
        },
        "working_conditions": untreated,
        "emissions": emissions(&data, range).await?,
        "energy": totals::energy_items(&data, range).await?,
        "remark": quiet.then(|| words(city, "bulletin_quiet", &[])),
    }))
}

fn alerts_json(raised: &[Alert]) -> Value {
    let by_level = Level::ALL.map(|level| {
        let count = raised.iter().filter(|a| a.level == level).count();
        (level.word().to_string(), json!(count))
    });
    let closed = raised.iter().filter(|a| a.state == AlertState::Closed);
    let mut gravest: Vec<&Alert> = raised.iter().collect();
    gravest.sort_by_key(|a| std::cmp::Reverse((a.level, a.raised_at)));
    gravest.truncate(PRINTED);
    json!({
        "raised": serde_json::Map::from_iter(by_level),
        "closed": closed.count(),
        "count": raised.len(),
        "items": gravest,
    })
}

/// Totals of the whole city by property.
async fn emissions(data: &Data, range: (Time, Time)) -> Result<Vec<Value>, Fault> {
    let mut sums: BTreeMap<&str, Total> = BTreeMap::new();
    for (_, property, total) in totals::emission_totals(data, range).await? {
        sums.entry(property).or_default().add(total);
    }
    let item = |(property, total): (&str, Total)| {
        json!({
            "property": property, "title": title(&data.city, property),
            "total": figure(total.amount, 3), "unit": totals::amount_unit(property), "hours": total.hours,
        })
    };
    Ok(sums.into_iter().map(item).collect())
}
