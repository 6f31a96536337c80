//! The indicators of the plan for government services: taken live from what is declared and done.

use crate::city::TestCity;
use serde_json::{Value, json};

async fn figures(city: &TestCity, query: &str) -> Value {
    let path = format!("/api/v1/services/figures{query}");
    let answer = city.call("GET", &path, None, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_share_of_services_on_line_is_a_live_indicator() {
    let city = TestCity::start().await;
    let found = figures(&city, "").await;
    let parts = found["organisations"].as_array().expect("departments");
    assert!(parts.len() >= 8, "{found}");
    let sum = |name: &str| {
        parts
            .iter()
            .map(|p| p[name].as_i64().expect("a count"))
            .sum::<i64>()
    };
    for name in ["items", "items_online", "items_one_visit"] {
        assert_eq!(found["city"][name], json!(sum(name)), "{name}: {found}");
    }
    assert!(
        parts.iter().all(|p| p["title"]["zh"].is_string()),
        "{found}"
    );
    assert_eq!(
        found["city"]["on_time_share"],
        Value::Null,
        "nothing was decided"
    );

    let wrong = city
        .call("GET", "/api/v1/services/figures?days=0&day=1", None, None)
        .await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert_eq!(wrong.json()["problems"].as_array().map(Vec::len), Some(2));

    // The number of the indicator is that of the report, with the plan's target and its parts.
    let mut shown = Value::Null;
    for _ in 0..100 {
        let all = city
            .call("GET", "/api/v1/indicators", None, None)
            .await
            .json();
        let all = all["items"].as_array().cloned().unwrap_or_default();
        let one = |name: &str| all.iter().find(|i| i["name"] == name).cloned();
        shown = one("service_items_online").expect("the indicator");
        if shown["value"].is_number() {
            let none = one("service_on_time").expect("the indicator");
            assert_eq!(none["value"], Value::Null, "{none}");
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(shown["value"], found["city"]["online_share"], "{shown}");
    assert_eq!(
        (&shown["target"], &shown["page"]),
        (&json!(98.0), &json!("/services/figures"))
    );
    city.stop().await;
}
