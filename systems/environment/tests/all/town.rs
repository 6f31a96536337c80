//! A small town with one station of each kind, and how to ask it.

use crate::city::Town;
use environment::Environment;
use kernel::alerts::{Alert, AlertState, AlertStep, Level};
use kernel::fault::Words;
use kernel::{Bindings, City, Fault, Span, System, Time};
use serde_json::{Value, json};

pub const DAY: &str = "2026-06-01";
pub const AIR: &str = "130199220000000000000801";
pub const GAS: &str = "130199310000000000000802";
pub const WATER: &str = "130199320000000000000803";
pub const POWER: &str = "130199440000000000000804";

pub async fn ask(city: &City, report: &str, given: &[(&str, &str)]) -> Result<Value, Fault> {
    let mut names = Bindings::default();
    Environment.bind(&mut names);
    let given = given.iter().map(|(k, v)| (k.to_string(), v.to_string()));
    names.reports[report](city.clone(), given.collect()).await
}

/// One station of each kind; a whole day of data up to 2026-06-02 00:00.
pub fn town() -> Town {
    let mut town = Town::at("2026-06-02T00:05:00+08:00");
    town.record(
        "enterprise",
        "91130199MA00123747",
        json!({"name": "演示热电", "district": "130110"}),
    );
    town.record(
        "station",
        AIR,
        json!({"name": "演示空气站", "kind": "air", "district": "130102", "longitude": 114.5,
               "latitude": 38.0, "published": true, "gas_unit": "mg"}),
    );
    let minutes = 24 * 60;
    for (property, value) in [
        ("a21026", 0.012),
        ("a21004", 0.038),
        ("a05024", 0.120),
        ("a21005", 0.8),
    ] {
        town.values(
            AIR,
            (property, "real_time"),
            DAY,
            Span::minutes(1),
            vec![value; minutes],
        );
    }
    town.values(
        AIR,
        ("a34002", "real_time"),
        DAY,
        Span::minutes(1),
        vec![90.0; minutes],
    );
    town.values(
        AIR,
        ("a34004", "hour.mean"),
        DAY,
        Span::hours(1),
        vec![61.0; 24],
    );
    town.record(
        "station",
        GAS,
        json!({"name": "演示热电一号", "kind": "flue_gas", "district": "130110", "limits_from": "outlet",
               "enterprise": "91130199MA00123747", "standard_o2": 6.0,
               "production_properties": "SB1", "treatment_properties": "SB2"}),
    );
    for (property, limit) in [("a21026", 35.0), ("a34013", 10.0)] {
        town.record(
            "emission_limit",
            &format!("{GAS}:{property}"),
            json!({"station": GAS, "property": property, "limit": limit, "source": "DB 13/2209-2015"}),
        );
    }
    // Sulphur dioxide above its limit from 10:00 to 12:00, by ten-minute means.
    let so2 = (0..144).map(|n| if (60..72).contains(&n) { 70.0 } else { 20.0 });
    town.values(
        GAS,
        ("a21026", "minute.mean.converted"),
        DAY,
        Span::minutes(10),
        so2,
    );
    town.values(
        GAS,
        ("a21026", "minute.mean"),
        DAY,
        Span::minutes(10),
        vec![20.0; 144],
    );
    town.values(
        GAS,
        ("a00000", "minute.mean"),
        DAY,
        Span::minutes(10),
        vec![100.0; 144],
    );
    // Dust is measured only, at 12 % oxygen: 7 mg/m³ is 11.67 converted, above 10.
    town.values(
        GAS,
        ("a34013", "minute.mean"),
        DAY,
        Span::minutes(10),
        vec![7.0; 72],
    );
    town.values(
        GAS,
        ("a19001", "minute.mean"),
        DAY,
        Span::minutes(10),
        vec![12.0; 144],
    );
    town.values(
        GAS,
        ("SB1", "real_time"),
        DAY,
        Span::minutes(1),
        vec![1.0; minutes],
    );
    let treatment = (0..minutes).map(|n| f64::from(u8::from(!(600..630).contains(&n))));
    town.values(GAS, ("SB2", "real_time"), DAY, Span::minutes(1), treatment);
    town.record(
        "station",
        WATER,
        json!({"name": "演示污水厂", "kind": "waste_water", "district": "130104", "limits_from": "class",
               "class": "waste_water_plant"}),
    );
    town.values(
        WATER,
        ("w01018", "real_time"),
        DAY,
        Span::minutes(10),
        vec![42.5; 72],
    );
    town.record(
        "station",
        POWER,
        json!({"name": "演示热电用电", "kind": "energy", "district": "130110",
               "enterprise": "91130199MA00123747"}),
    );
    let meter = (0..24).map(|n| 1000.0 + f64::from(n) * 50.0);
    town.values(POWER, ("e_energy", "real_time"), DAY, Span::hours(1), meter);
    town.values(
        POWER,
        ("coal_feed", "real_time"),
        DAY,
        Span::minutes(10),
        vec![3.0; 144],
    );
    town
}

pub fn alert(thing: &str, level: Level, raised: &str, answered_after: Option<i64>) -> Alert {
    let raised_at = Time::parse(raised).unwrap();
    let step = |minutes: i64| AlertStep {
        at: raised_at + Span::minutes(minutes),
        by: "duty".into(),
        what: "acknowledged".into(),
        text: String::new(),
    };
    Alert {
        id: format!("{thing}-{raised}"),
        system: "environment".into(),
        rule: "flue_gas_above_limit".into(),
        title: Words::new("超标", "above"),
        thing: thing.into(),
        property: None,
        kind: None,
        level,
        state: AlertState::Open,
        since: raised_at,
        raised_at,
        ended_at: None,
        value: None,
        limit: None,
        unit: String::new(),
        message: Words::default(),
        assignee: None,
        escalated_to: None,
        steps: answered_after.map(step).into_iter().collect(),
        version: 1,
    }
}

pub fn find<'a>(answer: &'a Value, field: &str, value: &str) -> &'a Value {
    let items = answer["items"].as_array().unwrap();
    items.iter().find(|i| i[field] == value).unwrap()
}
