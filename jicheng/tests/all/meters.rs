//! Meters, limits, rates and the posture over real HTTP: what is left is in every answer, a limit
//! refuses with 429 and says when to come again, everybody's work is counted where it belongs.

use crate::city::TestCity;
use serde_json::{Value, json};
use std::time::Duration;

async fn program_token(city: &TestCity, name: &str, organisation: &str) -> String {
    let new = json!({"name": name, "roles": ["feeder"], "organisation": organisation, "days": 1});
    let new = serde_json::from_value(new).expect("a token");
    let by = kernel::Actor::system();
    let made = city.running.app.identity.create_token(&by, new).await;
    made.expect("a token").1
}

async fn quota(city: &TestCity, operator: &str, name: &str, body: Value) -> crate::city::Answer {
    let path = format!("/api/v1/operator/quotas/{name}");
    city.call("PUT", &path, Some(operator), Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_refuse_and_every_answer_tells_what_is_left() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let program = program_token(&city, "feeder_1", "data_bureau").await;
    let body = json!({"organisation": "data_bureau", "application": "feeder_1", "meter": "requests",
        "window": "ever", "limit": 5, "reason": "a test"});
    let set = quota(&city, &operator, "few", body).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let ask = || city.call("GET", "/api/v1/meters/mine", Some(&program), None);
    for left in (0..5).rev() {
        let answer = ask().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let header = answer.header("ratelimit").expect("RateLimit");
        assert!(header.contains(&format!("\"few\";r={left}")), "{header}");
        let policy = answer.header("ratelimit-policy").expect("RateLimit-Policy");
        assert!(policy.contains("\"few\";q=5"), "{policy}");
    }
    let refused = ask().await;
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (429, &json!("metering.quota"))
    );
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    assert!(
        refused
            .header("retry-after")
            .is_some_and(|s| s.parse::<u32>().is_ok_and(|n| n > 0))
    );
    assert!(
        refused
            .header("ratelimit")
            .is_some_and(|h| h.contains("\"few\";r=0"))
    );
    // Another application of the same organisation goes on; so does this one with a higher limit.
    let other = program_token(&city, "feeder_2", "data_bureau").await;
    assert_eq!(
        city.call("GET", "/api/v1/meters/mine", Some(&other), None)
            .await
            .status,
        200
    );
    let body = json!({"organisation": "data_bureau", "application": "feeder_1", "meter": "requests",
        "window": "ever", "limit": 50, "reason": "more is needed"});
    assert_eq!(quota(&city, &operator, "few", body).await.status, 200);
    assert_eq!(ask().await.status, 200);
    // A wrong one is refused whole, every fault named.
    let body = json!({"organisation": "nobody", "meter": "requests", "window": "day", "limit": 1, "reason": ""});
    let wrong = quota(&city, &operator, "Bad-name", body).await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert_eq!(wrong.json()["problems"].as_array().map(Vec::len), Some(3));
    // Who may only read may not set.
    let duty = city.token("duty").await;
    let body = json!({"meter": "requests", "window": "day", "limit": 1, "reason": "why not"});
    assert_eq!(quota(&city, &duty, "q", body).await.status, 403);
    let gone = city
        .call(
            "DELETE",
            "/api/v1/operator/quotas/few?reason=over",
            Some(&operator),
            None,
        )
        .await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_counted_where_it_belongs_and_handed_out_as_a_file() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let program = program_token(&city, "=cmd|calc", "data_bureau").await;
    let lines = "T1,period=real_time a21026=1,a34013=2 1764000000000\n";
    let kind = Some(("text/plain", lines));
    let path = "/api/v1/observations?precision=ms";
    for _ in 0..2 {
        let sent = city.raw("POST", path, Some(&program), &[], kind).await;
        assert_eq!(sent.status, 200, "{}", sent.text);
    }
    let big = city
        .call("GET", "/api/v1/openapi.json", None, None)
        .await
        .text
        .len();
    let app = city.running.app.clone();
    app.metering.flush().await.expect("a flush");
    let usage = city
        .call(
            "GET",
            "/api/v1/operator/meters?window=ever",
            Some(&operator),
            None,
        )
        .await;
    let usage = usage.json();
    let amount = |organisation: &str, application: &str, meter: &str| {
        let rows = usage["items"].as_array().expect("rows");
        let row = rows.iter().find(|r| {
            r["organisation"] == organisation
                && r["application"] == application
                && r["meter"] == meter
        });
        row.map_or(0, |r| r["amount"].as_u64().expect("a number"))
    };
    let mine = |meter| amount("data_bureau", "=cmd|calc", meter);
    assert_eq!(mine("requests"), 2);
    // The second batch was there already.
    assert_eq!(mine("observations"), 2);
    assert_eq!(mine("bytes_in"), 2 * lines.len() as u64);
    assert_eq!(mine("storage_bytes"), 2 * lines.len() as u64);
    assert!(mine("bytes_out") > 20);
    assert!(amount("", "pages", "bytes_out") >= big as u64, "{usage}");
    // A name that a spreadsheet would run is disarmed.
    let csv = city
        .call(
            "GET",
            "/api/v1/operator/meters?window=ever&format=csv",
            Some(&operator),
            None,
        )
        .await;
    assert!(csv.text.contains(",'=cmd|calc,"), "{}", csv.text);
    let wrong = city
        .call(
            "GET",
            "/api/v1/operator/meters?window=year",
            Some(&operator),
            None,
        )
        .await;
    assert_eq!(wrong.status, 422);
    let metrics = city.call("GET", "/metrics", None, None).await.text;
    // The city's own engines may have written some as well.
    let used = metrics
        .lines()
        .find_map(|l| l.strip_prefix("jicheng_used_total{meter=\"observations\"} "));
    let used = used.and_then(|n| n.parse::<u64>().ok());
    assert!(used.is_some_and(|n| n >= 2), "{metrics}");
    assert!(metrics.contains("jicheng_http_connections "));
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_come_too_fast_wait_and_others_do_not() {
    let city = TestCity::start_with(&[("rate_caller_per_s", "2")]).await;
    let (fast, other) = (city.token("operator").await, city.token("duty").await);
    let mut refused = None;
    for _ in 0..40 {
        let answer = city.call("GET", "/api/v1/session", Some(&fast), None).await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("a refusal");
    assert_eq!(refused.json()["code"], "metering.rate");
    let wait: u64 = refused
        .header("retry-after")
        .and_then(|s| s.parse().ok())
        .expect("seconds");
    assert!(
        refused
            .header("ratelimit")
            .is_some_and(|h| h.starts_with("\"rate\";r=0"))
    );
    assert_eq!(
        city.call("GET", "/api/v1/session", Some(&other), None)
            .await
            .status,
        200
    );
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(
        city.call("GET", "/api/v1/session", Some(&fast), None)
            .await
            .status,
        200
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_posture_is_computed_and_changes_with_the_city() {
    let city = TestCity::start_with(&[("public_url", "http://localhost")]).await;
    let operator = city.token("operator").await;
    let posture = || city.call("GET", "/api/v1/operator/posture", Some(&operator), None);
    let answer = posture().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let state = |body: &Value, name: &str| {
        let items = body["items"].as_array().expect("items");
        let item = items.iter().find(|i| i["name"] == name);
        item.map(|i| i["state"].as_str().expect("a state").to_string())
    };
    let is = |body: &Value, name: &str, expected: &str| {
        assert_eq!(
            state(body, name).as_deref(),
            Some(expected),
            "{name}: {body}"
        );
    };
    is(&body, "remote_protected", "not_met");
    is(&body, "physical", "not_ours");
    is(&body, "access_control", "met");
    // The operator of this city pack may manage accounts and audit: it shows.
    is(&body, "separation", "not_met");
    // An account of the demonstration that may sign in shows; disabled it does not.
    let demo = |body: &Value| {
        let text = body.to_string();
        let at = text.find("\"demonstration\":").expect("figures") + 16;
        text[at..]
            .split('}')
            .next()
            .and_then(|n| n.parse::<u64>().ok())
            .expect("a number")
    };
    let before = demo(&body);
    assert!(before >= 1);
    let path = "/api/v1/operator/accounts/resident";
    let change = json!({"disabled": true});
    assert_eq!(
        city.call("PATCH", path, Some(&operator), Some(change))
            .await
            .status,
        200
    );
    assert_eq!(demo(&posture().await.json()), before - 1);
    let csv = city
        .call(
            "GET",
            "/api/v1/operator/posture?format=csv",
            Some(&operator),
            None,
        )
        .await;
    assert_eq!(
        csv.text.lines().count(),
        1 + body["items"].as_array().expect("items").len()
    );
    let nobody = city.token("nobody").await;
    let denied = city
        .call("GET", "/api/v1/operator/posture", Some(&nobody), None)
        .await;
    assert_eq!(denied.status, 403);
    city.stop().await;
}
