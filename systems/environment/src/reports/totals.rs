//! `emissions?from=&to=&by=station|enterprise|district` and `energy?from=&to=`: amounts.

use super::{Given, begin, figure, whole_hours};
use crate::data::Data;
use crate::emissions::{Total, total, volume};
use crate::energy::{metered_kwh, summed};
use crate::stations::{Station, group_key, name_of, title};
use kernel::observations::{Basis, Kind, Period, Statistic};
use kernel::{City, Fault, Span, Time};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const HOUR_TOTAL: Kind = Kind {
    period: Period::Hour,
    statistic: Statistic::Total,
    basis: Basis::Measured,
};

/// Answers `emissions`.
pub async fn emissions(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let range = whole_hours(ask.range(Span::days(1), 400));
    let by = ask.choice("by", &["station", "enterprise", "district"]);
    ask.finish()?;
    let data = Data::new(city)?;
    let totals = emission_totals(&data, range).await?;
    let mut groups: BTreeMap<(&str, &str), Total> = BTreeMap::new();
    for (station, property, total) in &totals {
        if let Some(key) = group_key(station, by) {
            groups.entry((key, property)).or_default().add(*total);
        }
    }
    let item = |((key, property), total): (&(&str, &str), &Total)| {
        json!({
            "key": key, "title": name_of(&data.city, by, key), "property": property,
            "property_title": title(&data.city, property), "total": figure(total.amount, 3),
            "unit": amount_unit(property), "hours": total.hours,
        })
    };
    let items: Vec<Value> = groups.iter().map(item).collect();
    Ok(json!({ "from": range.0, "to": range.1, "by": by, "items": items }))
}

/// Totals of each source and property that have at least one hour.
pub async fn emission_totals(
    data: &Data,
    range: (Time, Time),
) -> Result<Vec<(Arc<Station>, &'static str, Total)>, Fault> {
    let emits = |s: &&Arc<Station>| !emitted(&s.kind).1.is_empty();
    let sources: Vec<Arc<Station>> = data.stations.iter().filter(emits).cloned().collect();
    data.bounded(sources.len(), range.0, range.1)?;
    let ask = |data: Data, station: Arc<Station>| async move {
        let (carrier, properties) = emitted(&station.kind);
        let flow = data.hours(&station.key, carrier, Basis::Measured, range);
        let flow = flow.await?;
        let mut found = vec![];
        let flowed = volume(&flow, carrier == "w00000");
        if flowed.hours > 0 {
            found.push((station.clone(), carrier, flowed));
        }
        for property in properties {
            let concentration = data.hours(&station.key, property, Basis::Measured, range);
            let stated = data.readings(&station.key, property, HOUR_TOTAL, range, 10_000);
            let total = total(&stated.await?, &concentration.await?, &flow);
            if total.hours > 0 {
                found.push((station.clone(), *property, total));
            }
        }
        Ok(found)
    };
    let found = data.each(sources, ask).await?;
    Ok(found.into_iter().flatten().collect())
}

/// Unit of the amounts of a property: flows sum up to cubic metres, the rest to kilograms.
pub fn amount_unit(property: &str) -> &'static str {
    match property {
        "a00000" | "w00000" => "m³",
        _ => "kg",
    }
}

/// The flow of a kind of source, and what it carries.
fn emitted(kind: &str) -> (&'static str, &'static [&'static str]) {
    match kind {
        "flue_gas" => (
            "a00000",
            &["a34013", "a21026", "a21002", "a21005", "a24088"],
        ),
        "waste_water" => ("w00000", &["w01018", "w21003", "w21001", "w21011"]),
        _ => ("", &[]),
    }
}

/// Answers `energy`.
pub async fn energy(city: City, given: Given) -> Result<Value, Fault> {
    let mut ask = begin(&city, given);
    let range = whole_hours(ask.range(Span::days(1), 400));
    ask.finish()?;
    let data = Data::new(city)?;
    let items = energy_items(&data, range).await?;
    Ok(json!({ "from": range.0, "to": range.1, "items": items }))
}

/// Electricity and coal of each enterprise with an energy station.
pub async fn energy_items(data: &Data, range: (Time, Time)) -> Result<Vec<Value>, Fault> {
    let stations = data.of_kind("energy");
    data.bounded(stations.len(), range.0, range.1)?;
    let ask = |data: Data, station: Arc<Station>| async move {
        let key = &station.key;
        let meter = data.extremes(key, "e_energy", range).await?;
        let electricity = match metered_kwh(&meter) {
            Some(kwh) => Some(kwh),
            None => {
                let power = data.hours(key, "e_power", Basis::Measured, range);
                summed(&power.await?)
            }
        };
        let coal = data.hours(key, "coal_feed", Basis::Measured, range);
        let coal = summed(&coal.await?);
        Ok((station.enterprise.clone(), electricity, coal))
    };
    type Amounts = (Option<f64>, Option<f64>);
    let mut sums: BTreeMap<String, Amounts> = BTreeMap::new();
    for (enterprise, electricity, coal) in data.each(stations, ask).await? {
        let Some(enterprise) = enterprise else {
            continue;
        };
        let sum = sums.entry(enterprise).or_default();
        *sum = (plus(sum.0, electricity), plus(sum.1, coal));
    }
    let item = |(enterprise, (electricity, coal)): (String, Amounts)| {
        json!({
            "title": name_of(&data.city, "enterprise", &enterprise),
            "enterprise": enterprise,
            "electricity_kwh": figure(electricity, 1),
            "coal_t": figure(coal, 2),
        })
    };
    Ok(sums.into_iter().map(item).collect())
}

fn plus(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, other) => one.or(other),
    }
}
