//! Tests of the SensorThings door, all through `answer`, on a small made-up city.

// A test that cannot go on should stop where it is.
#![allow(clippy::unwrap_used)]

mod city;
mod filters;
mod paging;

use city::{A, B, C, START, city};
use kernel::Actor;
use sensorthings::{Answer, answer, answer_for};
use serde_json::{Value, json};

const BASE: &str = "http://city.example/sta/v1.1";

/// Asks for `path?query` (query not yet percent-encoded but for `&`).
pub async fn ask(path: &str, query: &str) -> Answer {
    let query: String = query
        .chars()
        .map(|c| match c {
            ' ' => "%20".to_string(),
            '+' => "%2B".to_string(),
            other => other.to_string(),
        })
        .collect();
    answer(&city(false), BASE, path, &query).await
}

/// Asks and expects success.
pub async fn get(path: &str, query: &str) -> Value {
    let answer = ask(path, query).await;
    assert_eq!(answer.status, 200, "{path}?{query}: {}", answer.body);
    answer.body
}

/// Ids of a collection.
pub async fn ids(path: &str, query: &str) -> Vec<String> {
    let body = get(path, query).await;
    let values = body["value"].as_array().unwrap();
    values
        .iter()
        .map(|v| v["@iot.id"].as_str().unwrap().to_string())
        .collect()
}

#[tokio::test]
async fn the_root_names_every_set_and_each_answers() {
    let root = get("", "").await;
    let sets = root["value"].as_array().unwrap();
    assert_eq!(sets.len(), 8);
    for set in sets {
        let url = set["url"].as_str().unwrap();
        let body = get(url.strip_prefix(BASE).unwrap(), "$top=2&$count=true").await;
        assert!(
            body["value"].is_array() && body["@iot.count"].is_u64(),
            "{body}"
        );
    }
    assert!(
        root["serverSettings"]["conformance"]
            .as_array()
            .unwrap()
            .len()
            >= 3
    );
}

#[tokio::test]
async fn a_thing_shows_its_record_but_nothing_personal() {
    let thing = get(&format!("Things('{A}')"), "").await;
    assert_eq!(thing["name"], "一号站");
    assert_eq!(thing["properties"]["state"], "claimed");
    assert_eq!(thing["properties"]["record"]["state"], "running");
    assert_eq!(thing["properties"]["record"]["lon"], 114.4);
    assert!(!thing.to_string().contains("00000000000"), "{thing}");
    assert_eq!(thing["@iot.selfLink"], format!("{BASE}/Things('{A}')"));
    let place = get(&format!("Things('{A}')/Locations"), "").await;
    assert_eq!(
        place["value"][0]["location"],
        json!({"type": "Point", "coordinates": [114.4, 38.0]})
    );
}

#[tokio::test]
async fn things_on_record_and_things_only_heard_of_are_all_there() {
    assert_eq!(ids("Things", "").await, [A, B, C]);
    assert_eq!(ids("Locations", "").await, [A, B]);
    assert_eq!(ids("Sensors", "").await, [A, B, C]);
    assert_eq!(ids("ObservedProperties", "").await, ["a34004", "w01018"]);
    assert_eq!(ids("FeaturesOfInterest", "").await, [A, B, C]);
    assert!(ids("HistoricalLocations", "").await.is_empty());
    let unknown = get("Things", "$filter=properties/state eq 'quarantined'").await;
    let link = unknown["value"][0]["@iot.selfLink"]
        .as_str()
        .unwrap()
        .to_string();
    let again = get(link.strip_prefix(BASE).unwrap(), "").await;
    assert_eq!(again["@iot.id"], C);
}

#[tokio::test]
async fn paths_lead_from_entity_to_entity() {
    let series = format!("{A}:a34004:hour.mean");
    let first = format!("{series}@{}", START.0);
    let check = async |path: String, field: &str, expect: Value| {
        let body = get(&path, "").await;
        assert_eq!(body[field], expect, "{path}");
    };
    check(
        format!("Datastreams('{series}')/Thing"),
        "@iot.id",
        json!(A),
    )
    .await;
    check(
        format!("Datastreams('{series}')/Sensor"),
        "metadata",
        json!("hj212 2017"),
    )
    .await;
    check(
        format!("Datastreams('{series}')/ObservedProperty"),
        "name",
        json!("细颗粒物"),
    )
    .await;
    check(format!("Observations('{first}')"), "result", json!(0.0)).await;
    check(
        format!("Observations('{first}')/Datastream/Thing/Locations('{A}')"),
        "@iot.id",
        json!(A),
    )
    .await;
    check(
        format!("Observations('{first}')/FeatureOfInterest"),
        "@iot.id",
        json!(A),
    )
    .await;
    check(
        format!("Things('{A}')/Datastreams('{series}')"),
        "@iot.id",
        json!(series),
    )
    .await;
    check(format!("Things('{A}')/name"), "name", json!("一号站")).await;
    check(
        format!("Things('{A}')/properties/state"),
        "state",
        json!("claimed"),
    )
    .await;
    let bare = ask(&format!("Things('{A}')/name/$value"), "").await;
    assert_eq!(
        (bare.content_type, bare.bytes()),
        ("text/plain", "一号站".into())
    );
    let refs = get(&format!("Things('{A}')/Datastreams/$ref"), "").await;
    assert_eq!(
        refs["value"][0],
        json!({"@iot.selfLink": format!("{BASE}/Datastreams('{A}:a34004:minute.mean')")})
    );
}

#[tokio::test]
async fn a_datastream_says_what_it_measures() {
    let stream = get(&format!("Datastreams('{A}:a34004:hour.mean')"), "").await;
    assert_eq!(stream["name"], "细颗粒物 小时均值 一号站");
    assert_eq!(
        stream["unitOfMeasurement"],
        json!({"name": "μg/m³", "symbol": "μg/m³", "definition": "ucum:ug/m3"})
    );
    assert_eq!(
        stream["phenomenonTime"],
        "2026-11-21T00:00:00+08:00/2026-11-22T23:00:00+08:00"
    );
    assert_eq!(stream["observedArea"]["type"], "Point");
}

#[tokio::test]
async fn expand_and_select_nest() {
    let query = "$expand=Datastreams($select=name;$top=1;$count=true;\
                 $expand=Observations($top=2;$orderby=phenomenonTime desc;$select=result)),\
                 Locations&$select=name,Datastreams";
    let thing = get(&format!("Things('{A}')"), query).await;
    let streams = thing["Datastreams"].as_array().unwrap();
    assert_eq!(streams.len(), 1);
    assert_eq!(thing["Datastreams@iot.count"], 2);
    assert!(
        thing["Datastreams@iot.nextLink"]
            .as_str()
            .unwrap()
            .contains("$skiptoken=")
    );
    let results = &streams[0]["Observations"];
    assert_eq!(results, &json!([{"result": 999.0}, {"result": 998.0}]));
    assert_eq!(thing["Locations"][0]["@iot.id"], A);
    assert!(thing.get("description").is_none());
    let slashed = get(
        "Things",
        "$top=1&$expand=Datastreams/ObservedProperty,Datastreams",
    )
    .await;
    assert_eq!(
        slashed["value"][0]["Datastreams"][0]["ObservedProperty"]["@iot.id"],
        "a34004"
    );
}

#[tokio::test]
async fn observations_come_as_data_arrays() {
    let query = "$resultFormat=dataArray&$top=3&$select=id,result";
    let body = get(
        &format!("Datastreams('{B}:a34004:hour.mean')/Observations"),
        query,
    )
    .await;
    let group = &body["value"][0];
    assert_eq!(group["components"], json!(["id", "result"]));
    assert_eq!(group["dataArray@iot.count"], 3);
    assert_eq!(group["dataArray"][2][1], 2.0);
}

#[tokio::test]
async fn wrong_requests_are_refused_with_a_reason() {
    let check = async |path: &str, query: &str, status: u16, says: &str| {
        let answer = ask(path, query).await;
        assert_eq!(answer.status, status, "{path}?{query}: {}", answer.body);
        assert_eq!(answer.body["code"], status);
        let message = answer.body["message"].as_str().unwrap();
        assert!(message.contains(says), "{message}");
    };
    check("Cars", "", 404, "Cars").await;
    check("Things('none')", "", 404, "none").await;
    check(&format!("Things('{A}')/colour"), "", 404, "colour").await;
    check(
        &format!("Things('{B}')/Datastreams('{A}:a34004:hour.mean')"),
        "",
        404,
        A,
    )
    .await;
    check("Observations('x@y')", "", 404, "x@y").await;
    check("Things", "$filter=colour eq 1", 400, "no property colour").await;
    check("Things", "$filter=name eq", 400, "ends too early").await;
    check("Things", "$filter=frobnicate(name)", 501, "frobnicate").await;
    check(
        "Things",
        "$filter=Datastreams/Observations/result gt 1",
        501,
        "Observations",
    )
    .await;
    check("Things", "$expand=Wheels", 400, "Wheels").await;
    check("Things", "$top=many", 400, "$top").await;
    check("Things", "$apply=x", 501, "$apply").await;
    check("Things", "$select=colour", 400, "colour").await;
    check("Things('", "", 400, "malformed").await;
    check("Things", "$filter=%zz", 400, "percent").await;
}

#[tokio::test]
async fn records_show_only_to_those_who_may_read_their_register() {
    let check = async |role: &str, path: &str, shows: &str, expect: bool| {
        let reader = Actor {
            roles: vec![role.into()],
            ..Actor::system()
        };
        let answer = answer_for(&city(false), &reader, BASE, path, "").await;
        let text = answer.body.to_string();
        assert_eq!(text.contains(shows), expect, "{role} {path}: {text}");
    };
    for (role, may) in [("officer", true), ("stranger", false)] {
        check(role, "Things", "一号站", may).await;
        check(role, "Locations", "coordinates", may).await;
        check(role, "Datastreams", "一号站", may).await;
        check(role, "Datastreams", "observedArea", may).await;
        check(role, "FeaturesOfInterest", "114.4", may).await;
        // What was observed shows to both, under the bare name.
        check(role, "Things", A, true).await;
    }
}

#[test]
fn the_answer_may_travel_between_threads() {
    fn demand_send<T: Send>(_: T) {}
    demand_send(answer(&city(false), BASE, "", ""));
}
