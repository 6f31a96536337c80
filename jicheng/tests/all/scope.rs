//! What single people see of single records, over real HTTP: a district's officer the district's,
//! personal fields as the grant shows them, and a purpose that must be one granted.

use crate::city::{PASSWORD, TestCity};
use serde_json::{Value, json};

const HERE: &str = "91130199MA00123747";
const THERE: &str = "91130199MA00247467";

async fn put(city: &TestCity, token: &str, path: &str, fields: Value) {
    let body = json!({"fields": fields});
    let answer = city.call("PUT", path, Some(token), Some(body)).await;
    assert!(answer.status < 300, "{path}: {}", answer.text);
}

async fn furnished() -> (TestCity, String, String) {
    let city = TestCity::start().await;
    let officer = city.token("officer").await;
    for (key, district) in [("S1", "130102"), ("S2", "130104")] {
        let fields = json!({"name": "站点", "kind": "air", "district": district});
        put(
            &city,
            &officer,
            &format!("/api/v1/registers/station/{key}"),
            fields,
        )
        .await;
    }
    for (key, district) in [(HERE, "130102"), (THERE, "130104")] {
        let fields = json!({"name": "演示企业", "district": district, "contact": "王小明", "contact_phone": "13812345678"});
        put(
            &city,
            &officer,
            &format!("/api/v1/registers/enterprise/{key}"),
            fields,
        )
        .await;
    }
    let new = identity::NewAccount {
        name: "changan".into(),
        display: "长安".into(),
        password: PASSWORD.into(),
        roles: vec!["district_officer".into()],
        organisation: Some("130102".into()),
    };
    let made = city
        .running
        .app
        .identity
        .create(&kernel::Actor::system(), new)
        .await;
    made.expect("an account");
    let changan = city.token("changan").await;
    (city, officer, changan)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_a_district_sees_the_district() {
    let (city, _, changan) = furnished().await;
    let get = async |path: &str| city.call("GET", path, Some(&changan), None).await;
    let list = get("/api/v1/registers/station").await.json();
    assert_eq!(
        (&list["total"], &list["items"][0]["key"]),
        (&json!(1), &json!("S1")),
        "{list}"
    );
    let registers = get("/api/v1/registers").await.json();
    let station = registers["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|r| r["name"] == "station");
    assert_eq!(station.expect("stations")["count"], 1);
    assert_eq!(get("/api/v1/registers/station/S1").await.status, 200);
    assert_eq!(
        get("/api/v1/registers/station/S1/history").await.status,
        200
    );
    for hidden in [
        "/api/v1/registers/station/S2",
        "/api/v1/registers/station/S2/history",
        "/api/v1/registers/station/S3",
    ] {
        let answer = get(hidden).await;
        assert_eq!(
            (answer.status, answer.json()["code"].as_str()),
            (404, Some("input.not_found")),
            "{hidden}"
        );
    }
    let map = get("/api/v1/layers/enterprises").await.json();
    assert_eq!(
        map["features"].as_array().map(Vec::len),
        Some(0),
        "no place, no feature: {map}"
    );
    let body = json!({"fields": {"name": "改名", "kind": "air"}});
    let change = city
        .call(
            "PUT",
            "/api/v1/registers/station/S1",
            Some(&changan),
            Some(body),
        )
        .await;
    assert_eq!(change.status, 403);
    let alerts = get("/api/v1/alerts").await;
    assert_eq!((alerts.status, &alerts.json()["total"]), (200, &json!(0)));
    assert_eq!(get("/api/v1/alerts/counts").await.json()["red"], 0);
    assert_eq!(get("/api/v1/devices").await.status, 403);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_fields_are_shown_as_granted_and_every_look_is_written_down() {
    let (city, officer, changan) = furnished().await;
    let duty = city.token("duty").await;
    let path = format!("/api/v1/registers/enterprise/{HERE}");
    let seen = async |token: &str| {
        let record = city.call("GET", &path, Some(token), None).await.json();
        let fields = &record["fields"];
        (
            fields["contact"].clone(),
            fields["contact_phone"].clone(),
            record["hidden"].clone(),
        )
    };
    assert_eq!(
        seen(&officer).await,
        (json!("王小明"), json!("13812345678"), Value::Null)
    );
    let masked = json!({"contact": "masked", "contact_phone": "masked"});
    assert_eq!(
        seen(&changan).await,
        (json!("王**"), json!("138****5678"), masked.clone())
    );
    assert_eq!(
        seen(&duty).await,
        (json!("王**"), json!("138****5678"), masked)
    );
    let csv = city
        .call(
            "GET",
            "/api/v1/registers/enterprise?format=csv",
            Some(&officer),
            None,
        )
        .await;
    assert!(csv.text.contains("13812345678"), "{}", csv.text);
    // A purpose nobody granted opens nothing personal; a granted one is written down.
    let curious = city
        .raw(
            "GET",
            &path,
            Some(&officer),
            &[("X-Purpose", "%E5%A5%BD%E5%A5%87")],
            None,
        )
        .await;
    assert_eq!(
        (curious.status, curious.json()["problems"][0]["at"].as_str()),
        (403, Some("purpose")),
        "{}",
        curious.text
    );
    let operator = city.token("operator").await;
    let audit = "/api/v1/operator/audit?object=register.enterprise&verb=read&account=officer";
    let entries = city.call("GET", audit, Some(&operator), None).await.json();
    let entry = &entries["items"][0];
    let text = entry.to_string();
    assert!(
        text.contains("监督检查") && text.contains("contact_phone"),
        "{text}"
    );
    city.stop().await;
}
