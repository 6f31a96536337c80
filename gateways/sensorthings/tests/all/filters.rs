//! `$filter` on entities, and arbitrary text thrown at its parser.

use crate::city::{A, B, C};
use crate::{get, ids};
use proptest::prelude::*;
use sensorthings::check_filter;

#[tokio::test]
async fn things_are_found() {
    let check = async |filter: &str, expect: &[&str]| {
        assert_eq!(
            ids("Things", &format!("$filter={filter}")).await,
            expect,
            "{filter}"
        );
    };
    check("name eq '一号站'", &[A]).await;
    check("name ne '一号站'", &[B, C]).await;
    check("substringof('号站',name)", &[A, B]).await;
    check("contains(name,'号站') and not startswith(name,'一')", &[B]).await;
    check("endswith(name,'/1')", &[C]).await;
    check("@iot.id eq '外来 ''X''/1'", &[C]).await;
    check(&format!("id eq '{A}' or id eq '{B}'"), &[A, B]).await;
    check("length(name) eq 3", &[A, B]).await;
    check("tolower(properties/register) eq 'station'", &[A, B]).await;
    check("properties/record/lon gt 114.5", &[B]).await;
    check("properties/record/lon add 1 gt 115.5 and true", &[B]).await;
    check("-properties/record/lon lt -114.5", &[B]).await;
    check("properties/none eq null", &[A, B, C]).await;
    check("Datastreams/ObservedProperty/@iot.id eq 'w01018'", &[C]).await;
    check("Datastreams/properties/kind eq 'minute.mean'", &[A]).await;
    let square = "geography'POLYGON((114 37,114.5 37,114.5 39,114 39,114 37))'";
    check(&format!("st_within(Locations/location,{square})"), &[A]).await;
    let near = "geo.distance(Locations/location,geography'POINT(114.6 38.1)') lt 0.15";
    check(near, &[B]).await;
    check(
        "(name eq '一号站' or name eq '二号站') and properties/record/lon lt 114.5",
        &[A],
    )
    .await;
}

#[tokio::test]
async fn observations_are_found() {
    let check = async |filter: &str, expect: &[f64]| {
        let path = format!("Datastreams('{A}:a34004:hour.mean')/Observations");
        let body = get(&path, &format!("$filter={filter}&$count=true")).await;
        let values = body["value"].as_array().unwrap();
        let results: Vec<f64> = values
            .iter()
            .map(|v| v["result"].as_f64().unwrap())
            .collect();
        assert_eq!(results, expect, "{filter}");
        assert_eq!(body["@iot.count"], expect.len(), "{filter}");
    };
    check("result ge 45", &[45.0, 46.0, 47.0]).await;
    check("result mod 20 eq 0 and result gt 0", &[20.0, 40.0]).await;
    check("phenomenonTime lt 2026-11-21T02:00:00+08:00", &[0.0, 1.0]).await;
    check("phenomenonTime le 2026-11-20T17:00:00Z", &[0.0, 1.0]).await;
    check("2026-11-22T22:00:00+08:00 le resultTime", &[46.0, 47.0]).await;
    check("resultTime gt '2026-11-22T22:00:00+08:00'", &[47.0]).await;
    check("phenomenonTime eq 2026-11-21T05:00:00+08:00", &[5.0]).await;
    check("phenomenonTime ge now() sub duration'PT2H'", &[46.0, 47.0]).await;
    check(
        "during(phenomenonTime,2026-11-21T03:00:00+08:00/2026-11-21T05:00:00+08:00)",
        &[3.0, 4.0],
    )
    .await;
    check(
        "hour(phenomenonTime) eq 7 and day(phenomenonTime) eq 22",
        &[31.0],
    )
    .await;
    check("resultQuality eq 'D' and result lt 4", &[1.0, 3.0]).await;
    check("Datastream/Thing/name eq '二号站'", &[]).await;
    check("result gt 10 and result lt 5", &[]).await;
}

#[tokio::test]
async fn ids_in_a_filter_narrow_what_is_read() {
    let first = |filter: String| async move {
        let body = get("Observations", &format!("$filter={filter}&$count=true")).await;
        body["@iot.count"].as_u64().unwrap()
    };
    assert_eq!(
        first(format!("Datastream/id eq '{A}:a34004:hour.mean'")).await,
        48
    );
    assert_eq!(
        first(format!("Datastream/Thing/@iot.id eq '{B}'")).await,
        10
    );
    assert_eq!(
        first("Datastream/ObservedProperty/id eq 'w01018'".into()).await,
        3
    );
    assert_eq!(
        first(format!("FeatureOfInterest/id eq '{B}' and result gt 7")).await,
        2
    );
    assert_eq!(first("Datastream/id eq 'nonsense'".into()).await, 0);
    assert_eq!(
        first(format!(
            "Datastream/Thing/id eq '{A}' and Datastream/Thing/id eq '{B}'"
        ))
        .await,
        0
    );
}

#[tokio::test]
async fn an_unescaped_plus_in_an_offset_is_understood() {
    let path = format!("Datastreams('{A}:a34004:hour.mean')/Observations");
    let query = "$filter=phenomenonTime lt 2026-11-21T02:00:00 08:00 and result lt 1";
    assert_eq!(ids(&path, query).await.len(), 1);
}

#[test]
fn nesting_is_limited() {
    let nested = |n: usize| format!("{}true{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(check_filter(&nested(64)), Ok(()));
    assert!(
        check_filter(&nested(65))
            .unwrap_err()
            .contains("too deeply")
    );
    for text in [
        "not ".repeat(100_000) + "true",
        "- ".repeat(100_000) + "1",
        "(".repeat(100_000),
        "tolower(".repeat(100_000),
        "1 add ".repeat(100_000) + "1",
    ] {
        assert!(check_filter(&text).is_err());
    }
    // Long but flat is no harm.
    assert_eq!(check_filter(&("true and ".repeat(5_000) + "true")), Ok(()));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let _ = check_filter(&text);
    }

    #[test]
    fn any_words_are_read_or_refused(words in proptest::collection::vec(
        prop_oneof![
            Just("("), Just(")"), Just(","), Just("'"), Just("-"), Just("and"), Just("or"),
            Just("not"), Just("eq"), Just("add"), Just("1.5e"), Just("2026-11-21T00:00:00Z"),
            Just("2026-"), Just("/"), Just("name"), Just("duration'PT"), Just("geography'POLYGON(("),
            Just("substring("), Just("9999999999999999999999"), Just("now()"), Just("@iot.id"),
        ], 0..60)
    ) {
        let _ = check_filter(&words.join(" "));
        let _ = check_filter(&words.concat());
    }

    #[test]
    fn what_is_well_formed_is_accepted(
        value in -1e9f64..1e9, depth in 0usize..60, op in prop::sample::select(vec!["eq", "lt", "ge"])
    ) {
        let text = format!("{}result {op} {value}{}", "(".repeat(depth), ")".repeat(depth));
        prop_assert_eq!(check_filter(&text), Ok(()));
    }
}
