//! The reports against a city in memory.

use crate::city::Town;
use crate::town::{AIR, DAY, GAS, POWER, WATER, alert, ask, find, town};
use environment::Environment;
use kernel::alerts::Level;
use kernel::devices::Device;
use kernel::observations::Flag;
use kernel::{Bindings, Span, System};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

#[test]
fn every_declared_report_is_bound_and_the_reverse() {
    let declared = crate::declarations::declared();
    let mut files: Vec<&str> = declared.systems[0]
        .reports
        .iter()
        .map(|r| r.name.as_str())
        .collect();
    files.sort_unstable();
    let mut names = Bindings::default();
    Environment.bind(&mut names);
    let bound: Vec<&str> = names.reports.keys().copied().collect();
    assert_eq!(files, bound);
}

#[tokio::test]
async fn an_empty_city_answers_with_nulls_and_reasons() {
    let (city, _) = Town::at("2026-06-02T00:05:00+08:00").city();
    let mut names = Bindings::default();
    Environment.bind(&mut names);
    for name in names.reports.keys().filter(|n| **n != "station") {
        let answer = ask(&city, name, &[]).await.unwrap();
        assert!(answer.is_object(), "{name}");
    }
    let air = ask(&city, "air", &[]).await.unwrap();
    assert_eq!(air["city"]["aqi"], Value::Null);
    assert_eq!(air["city"]["reason"]["zh"], "没有环境空气站点");
    let rates = ask(&city, "rates", &[]).await.unwrap();
    assert_eq!(rates["total"]["transmission_rate"], Value::Null);
    assert_eq!(
        ask(&city, "alerts_handled", &[]).await.unwrap()["share"],
        Value::Null
    );
    let missing = ask(&city, "station", &[("station", "130199310000000000000999")]).await;
    assert_eq!(missing.unwrap_err().code, "input.not_found");
}

#[tokio::test]
async fn parameters_are_refused_whole() {
    let (city, _) = Town::at("2026-06-02T00:05:00+08:00").city();
    let given = [("from", "yesterday"), ("by", "street"), ("colour", "blue")];
    let fault = ask(&city, "rates", &given).await.unwrap_err();
    let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
    assert_eq!(at, ["from", "by", "colour"]);
    let check = async |report: &str, given: &[(&str, &str)]| {
        let fault = ask(&city, report, given).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid", "{report} {given:?}");
    };
    check("station", &[]).await;
    check("rates", &[("from", "2026-06-01"), ("to", "2026-05-01")]).await;
    check("rates", &[("from", "2020-06-01"), ("to", "2026-05-01")]).await;
    check("emissions", &[("from", "0001-01-01")]).await;
    check("suspects", &[("from", "2026-05-01"), ("to", "2026-05-10")]).await;
    check("air_history", &[("hours", "-3")]).await;
    check("air_history", &[("hours", "1e9")]).await;
}

#[tokio::test]
async fn air_now_and_of_a_day() {
    let (city, town) = town().city();
    let air = ask(&city, "air", &[]).await.unwrap();
    assert_eq!(air["edition"], "HJ 633-2026");
    let station = find(&air, "station", AIR);
    // PM2.5 61 is 101 by the edition of 2026; SO₂ 12 µg/m³ reads 4.
    assert_eq!(station["aqi"], 101);
    assert_eq!(station["primary"], json!(["a34004"]));
    assert_eq!(station["level"]["number"], 3);
    assert_eq!(station["concentrations"]["a21026"]["value"], 12.0);
    assert_eq!(station["concentrations"]["a21026"]["iaqi"], 4);
    assert_eq!(station["period_start"], "2026-06-01T23:00:00+08:00");
    assert_eq!(air["city"]["aqi"], 101);

    // In the first hour of the next day nothing came.
    let later = ask(&city, "air", &[("at", "2026-06-02T01:00:00+08:00")])
        .await
        .unwrap();
    assert_eq!(later["items"][0]["aqi"], Value::Null);
    assert_eq!(later["items"][0]["reason"]["en"], "no data for this time");

    let daily = ask(&city, "air_daily", &[]).await.unwrap();
    // O₃ 120 over eight hours reads 67; PM2.5 61 leads.
    assert_eq!(daily["items"][0]["aqi"], 101);
    assert_eq!(daily["items"][0]["concentrations"]["a05024"]["iaqi"], 67);
    let history = ask(&city, "air_history", &[("station", AIR), ("hours", "26")])
        .await
        .unwrap();
    let items = history["items"].as_array().unwrap();
    assert_eq!(items.len(), 26);
    assert_eq!(
        (&items[0]["aqi"], &items[25]["aqi"]),
        (&Value::Null, &json!(101))
    );
    let share = ask(&city, "air_good_share", &[("days", "3")])
        .await
        .unwrap();
    assert_eq!(
        (&share["good"], &share["valid"], &share["share"]),
        (&json!(0), &json!(1), &json!(0.0))
    );
    assert!(town.asked.load(Ordering::SeqCst) < 60);
}

#[tokio::test]
async fn unpublished_stations_stay_out_of_public_reports() {
    let mut town = town();
    town.record("station", AIR, json!({"name": "演示空气站", "kind": "air"}));
    let (city, _) = town.city();
    let air = ask(&city, "air", &[]).await.unwrap();
    assert!(air["items"].as_array().unwrap().is_empty());
    let history = ask(&city, "air_history", &[("station", AIR)]).await;
    assert_eq!(history.unwrap_err().code, "input.not_found");
}

#[tokio::test]
async fn exceedances_are_judged_on_valid_means() {
    let (city, _) = town().city();
    let range = [("from", "2026-06-01"), ("to", "2026-06-02")];
    let answer = ask(&city, "exceedances", &range).await.unwrap();
    // Two hours of SO₂ by the device's own conversion; twelve of dust converted by us.
    assert_eq!(answer["count"], 14);
    let so2: Vec<&Value> = answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|i| i["property"] == "a21026")
        .collect();
    assert_eq!(so2.len(), 2);
    assert_eq!(so2[0]["period_start"], "2026-06-01T11:00:00+08:00");
    assert_eq!(
        (&so2[0]["mean"], &so2[0]["ratio"]),
        (&json!(70.0), &json!(2.0))
    );
    let dust = find(&answer, "property", "a34013");
    assert_eq!(dust["mean"], 11.6667);
    // The day: SO₂ stays within its limit, dust has too few valid hours.
    let of_day = [
        ("from", "2026-06-01"),
        ("to", "2026-06-02"),
        ("period", "day"),
    ];
    assert_eq!(
        ask(&city, "exceedances", &of_day).await.unwrap()["count"],
        0
    );
    let elsewhere = [
        ("from", "2026-06-01"),
        ("to", "2026-06-02"),
        ("district", "130102"),
    ];
    assert_eq!(
        ask(&city, "exceedances", &elsewhere).await.unwrap()["count"],
        0
    );
}

#[tokio::test]
async fn an_hour_of_flagged_values_is_not_judged() {
    let mut town = town();
    let name = (
        GAS.to_string(),
        "a21026".to_string(),
        "minute.mean.converted".to_string(),
    );
    for point in &mut town.series.get_mut(&name).unwrap()[66..69] {
        point.flag = Flag(b'M');
    }
    let (city, _) = town.city();
    let given = [
        ("from", "2026-06-01"),
        ("to", "2026-06-02"),
        ("property", "a21026"),
    ];
    let answer = ask(&city, "exceedances", &given).await.unwrap();
    assert_eq!(answer["count"], 1, "11:00 has 30 valid minutes only");
    assert_eq!(
        answer["items"][0]["period_start"],
        "2026-06-01T10:00:00+08:00"
    );
}

#[tokio::test]
async fn rates_by_station_and_district() {
    let (city, _) = town().city();
    let given = [("from", "2026-06-01"), ("to", "2026-06-02")];
    let stations = ask(&city, "rates", &given).await.unwrap();
    let gas = find(&stations, "key", GAS);
    // Two limited properties: 24 + 12 of 48 hours.
    assert_eq!(
        (&gas["expected"], &gas["received"], &gas["valid"]),
        (&json!(48), &json!(36), &json!(36))
    );
    assert_eq!(
        (&gas["transmission_rate"], &gas["online_rate"]),
        (&json!(75.0), &json!(100.0))
    );
    let by = [
        ("from", "2026-06-01"),
        ("to", "2026-06-02"),
        ("by", "enterprise"),
    ];
    let answer = ask(&city, "rates", &by).await.unwrap();
    let firm = find(&answer, "key", "91130199MA00123747");
    assert_eq!(firm["title"]["zh"], "演示热电");
    // The water station has a class with limits for more than it measures: what never came there
    // is not owed. The energy station sent no e_power at all and owes it.
    let water = find(&stations, "key", WATER);
    assert_eq!(
        (&water["expected"], &water["received"]),
        (&json!(24), &json!(12))
    );
    assert_eq!(
        (&firm["expected"], &firm["received"]),
        (&json!(72), &json!(36))
    );
}

#[tokio::test]
async fn totals_conditions_and_suspects() {
    let (city, _) = town().city();
    let given = [("from", "2026-06-01"), ("to", "2026-06-02")];
    let answer = ask(&city, "emissions", &given).await.unwrap();
    // 20 mg/m³ × 100 m³/s × 86,400 s.
    assert_eq!(find(&answer, "property", "a21026")["total"], 172.8);
    assert_eq!(find(&answer, "property", "a34013")["hours"], 12);
    let energy = ask(&city, "energy", &given).await.unwrap();
    let firm = find(&energy, "enterprise", "91130199MA00123747");
    assert_eq!(
        (&firm["electricity_kwh"], &firm["coal_t"]),
        (&json!(1150.0), &json!(72.0))
    );
    let found = ask(&city, "working_conditions", &given).await.unwrap();
    let finding = find(&found, "station", GAS);
    assert_eq!(finding["from"], "2026-06-01T10:00:00+08:00");
    assert_eq!(finding["to"], "2026-06-01T10:30:00+08:00");
    let suspects = ask(&city, "suspects", &given).await.unwrap();
    let water = find(&suspects, "station", WATER);
    assert_eq!(
        (&water["finding"], &water["count"]),
        (&json!("constant"), &json!(72))
    );
    assert_eq!(water["reason"]["zh"], "连续 72 个数值一字不变");
}

#[tokio::test]
async fn the_map_shows_who_is_heard_and_who_exceeds() {
    let mut town = town();
    town.devices.push(Device {
        thing: "UNKNOWN1".into(),
        ..Device::default()
    });
    town.alerts.push(alert(
        WATER,
        Level::Orange,
        "2026-06-01T23:50:00+08:00",
        None,
    ));
    town.record(
        "station",
        POWER,
        json!({"name": "演示热电用电", "kind": "energy", "state": "stopped"}),
    );
    town.values(
        WATER,
        ("w01018", "real_time"),
        "2026-06-02T00:00:00+08:00",
        Span::minutes(1),
        [60.0],
    );
    let (city, _) = town.city();
    let map = ask(&city, "map", &[]).await.unwrap();
    let state = |key: &str| find(&map, "station", key)["state"].clone();
    assert_eq!(state(AIR), "online");
    assert_eq!(state(WATER), "alert");
    assert_eq!(state(POWER), "stopped");
    assert_eq!(state("UNKNOWN1"), "quarantined");
    let water = find(&map, "station", WATER);
    assert_eq!(
        (&water["level"], &water["headline"]["ratio"]),
        (&json!("orange"), &json!(1.2))
    );
    assert_eq!(find(&map, "station", AIR)["aqi"], 101);

    // At eleven in the morning the stack was above its limit and nobody had raised an alert.
    let past = ask(&city, "map", &[("at", "2026-06-01T11:05:00+08:00")])
        .await
        .unwrap();
    let gas = find(&past, "station", GAS);
    assert_eq!(
        (&gas["state"], &gas["headline"]["value"]),
        (&json!("exceeding"), &json!(70.0))
    );
    assert_eq!(find(&past, "station", WATER)["state"], "online");
    let before = ask(&city, "map", &[("at", "2026-05-01T11:05:00+08:00")])
        .await
        .unwrap();
    assert_eq!(find(&before, "station", GAS)["state"], "offline");
}

#[tokio::test]
async fn vitals_and_the_station_page() {
    let mut town = town();
    town.alerts.push(alert(
        GAS,
        Level::Red,
        "2026-06-01T10:10:00+08:00",
        Some(10),
    ));
    let (city, town) = town.city();
    let vitals = ask(&city, "vitals", &[]).await.unwrap();
    assert_eq!(vitals["stations"]["value"], 4);
    assert_eq!(
        vitals["offline"]["value"], 1,
        "the water station stopped sending at noon"
    );
    assert_eq!(vitals["alerting"]["value"], 1);
    assert_eq!(vitals["aqi_city"]["value"], 101);
    assert_eq!(vitals["transmission_rate"]["target"], 95.0);
    assert_eq!(
        vitals["transmission_rate"]["trend"]
            .as_array()
            .unwrap()
            .len(),
        24
    );
    assert_eq!(vitals["values_today"]["value"], Value::Null);
    assert!(vitals["values_total"]["value"].as_u64().unwrap() > 5_000);
    assert_eq!(vitals["open_alerts"]["red"], 3);
    assert!(town.asked.load(Ordering::SeqCst) < 40, "{:?}", town.asked);

    // What the city knew before noon, when the water station still sent and the alert lasted.
    let past = ask(&city, "vitals", &[("at", "2026-06-01T10:15:00+08:00")])
        .await
        .unwrap();
    assert_eq!(past["at"], "2026-06-01T10:15:00+08:00");
    assert_eq!(past["offline"]["value"], 0);
    assert_eq!(past["open_alerts"]["red"], 1);
    assert_eq!(past["values_total"]["value"], Value::Null);
    let before = ask(&city, "vitals", &[("at", "2026-05-01T00:00:00+08:00")])
        .await
        .unwrap();
    assert_eq!(before["open_alerts"]["red"], 0);
    assert_eq!(before["offline"]["value"], 4);

    let page = ask(&city, "station", &[("station", GAS)]).await.unwrap();
    assert_eq!(page["record"]["key"], GAS);
    assert_eq!(page["enterprise"]["fields"]["name"], "演示热电");
    assert_eq!(page["limits"].as_array().unwrap().len(), 2);
    assert_eq!(page["rates"]["transmission"], 75.0);
    assert_eq!(
        page["conditions"],
        json!({"production": true, "treatment": true})
    );
    let properties = page["properties"].as_array().unwrap();
    let of = |kind: &str| {
        properties
            .iter()
            .find(|p| p["property"] == "a21026" && p["kind"] == kind)
            .unwrap()
    };
    assert_eq!(of("minute.mean.converted")["limit"], 35.0);
    assert_eq!(
        of("minute.mean")["limit"],
        Value::Null,
        "the limit is for converted values"
    );
}

#[tokio::test]
async fn answers_in_time_are_counted() {
    let mut town = town();
    let day = "2026-06-01T10:00:00+08:00";
    town.alerts = vec![
        alert(GAS, Level::Red, day, Some(29)),
        alert(GAS, Level::Orange, day, Some(31)),
        alert(GAS, Level::Orange, day, None),
        alert(GAS, Level::Yellow, day, None),
        // Still has its time.
        alert(GAS, Level::Red, "2026-06-01T23:59:00+08:00", None),
    ];
    // Over before anybody had to answer.
    let mut brief = alert(GAS, Level::Red, day, None);
    brief.ended_at = Some(brief.raised_at + Span::minutes(5));
    town.alerts.push(brief);
    let (city, _) = town.city();
    let answer = ask(&city, "alerts_handled", &[]).await.unwrap();
    assert_eq!(
        (&answer["in_time"], &answer["due"], &answer["share"]),
        (&json!(1), &json!(3), &json!(33.33))
    );
}

#[tokio::test]
async fn the_bulletin_has_everything() {
    let (city, town) = town().city();
    let answer = ask(&city, "bulletin", &[]).await.unwrap();
    assert_eq!(answer["date"], "2026-06-01T00:00:00+08:00");
    assert_eq!(answer["complete"], true);
    assert_eq!(answer["exceedances"]["count"], 14);
    assert_eq!(answer["air"]["city"]["aqi"], 101);
    assert_eq!(answer["suspects"]["count"], 3, "{}", answer["suspects"]);
    assert_eq!(answer["working_conditions"].as_array().unwrap().len(), 1);
    assert_eq!(answer["remark"], Value::Null);
    assert!(answer["rates"]["total"]["transmission_rate"].is_number());
    let so2 = answer["emissions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["property"] == "a21026");
    assert_eq!(so2.unwrap()["total"], 172.8);
    // Series are fetched once for all parts of the page.
    assert!(town.asked.load(Ordering::SeqCst) < 60, "{:?}", town.asked);
    let today = ask(&city, "bulletin", &[("date", "2026-06-02")])
        .await
        .unwrap();
    assert_eq!(today["complete"], false);
    assert_eq!(today["remark"]["zh"], "当日没有超标，也没有未处理的告警。");
}

#[tokio::test]
async fn every_indicator_points_at_a_number() {
    let mut town = town();
    town.alerts.push(alert(
        GAS,
        Level::Red,
        "2026-06-01T10:10:00+08:00",
        Some(10),
    ));
    let (city, _) = town.city();
    let indicators = &city.declared.systems[0].indicators;
    assert!(indicators.len() >= 7);
    for indicator in indicators {
        let answer = ask(&city, &indicator.report, &[]).await.unwrap();
        let number = answer.pointer(&indicator.field).and_then(Value::as_f64);
        assert!(number.is_some(), "{} {}", indicator.name, indicator.field);
    }
}

#[tokio::test]
async fn gases_in_micrograms_are_compared_in_micrograms() {
    let mut town = Town::at("2026-06-02T00:05:00+08:00");
    let fields = json!({"name": "演示空气站", "kind": "air", "class": "air", "limits_from": "class",
                        "gas_unit": "ug", "published": true});
    town.record("station", AIR, fields);
    // 250 µg/m³ of ozone is above the hourly 0.2 mg/m³; 9 mg/m³ of carbon monoxide is below 10.
    for (property, value) in [("a05024", 250.0), ("a21026", 400.0), ("a21005", 9.0)] {
        town.values(
            AIR,
            (property, "hour.mean"),
            DAY,
            Span::hours(1),
            vec![value; 24],
        );
    }
    let (city, _) = town.city();
    let given = [
        ("from", "2026-06-01T10:00:00+08:00"),
        ("to", "2026-06-01T11:00:00+08:00"),
    ];
    let answer = ask(&city, "exceedances", &given).await.unwrap();
    assert_eq!(answer["count"], 1, "{answer}");
    let ozone = &answer["items"][0];
    assert_eq!(
        (&ozone["limit"], &ozone["ratio"]),
        (&json!(200.0), &json!(1.25))
    );
    assert_eq!(ozone["unit"], "µg/m³");
    let air = ask(&city, "air", &[]).await.unwrap();
    assert_eq!(air["items"][0]["concentrations"]["a05024"]["value"], 250.0);
    assert_eq!(
        air["items"][0]["aqi"], 125,
        "published, for it is above 100 without the others"
    );
}
