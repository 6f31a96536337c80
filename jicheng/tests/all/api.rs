//! The API over real HTTP: the paths a user walks, wrong input, and every answer held against the
//! components of the OpenAPI document.

use crate::city::{Answer, TestCity};
use jicheng::http::openapi::components;
use serde_json::{Value, json};

/// Holds an answer against its component.
pub fn follows(answer: &Answer, component: &str) {
    let schema = json!({"$ref": format!("#/components/schemas/{component}"), "components": {"schemas": components()}});
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let body = answer.json();
    let faults: Vec<String> = validator
        .iter_errors(&body)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .take(5)
        .collect();
    assert!(
        faults.is_empty(),
        "{component}: {faults:?}\n{}",
        answer.text
    );
}

pub fn problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    follows(answer, "Problem");
    let body = answer.json();
    assert_eq!(body["code"], code, "{}", answer.text);
    assert!(
        !body["title"].as_str().unwrap_or("").is_empty()
            && !body["detail_en"].as_str().unwrap_or("").is_empty()
    );
    body
}

fn station(mn: &str) -> Value {
    json!({"mn": mn, "name": "演示测试站", "kind": "flue_gas", "st": "31", "district": "130102",
        "longitude": 114.5, "latitude": 38.04, "class": "boiler_gas", "state": "running"})
}

#[tokio::test(flavor = "multi_thread")]
async fn records_from_creation_to_their_past() {
    let city = TestCity::start().await;
    let officer = city.token("officer").await;
    let officer = Some(officer.as_str());
    let path = "/api/v1/registers/station/130199310000000000009999";
    let put = |fields: Value| json!({"fields": fields, "reason": "test"});

    let mut wrong = station("130199310000000000009999");
    wrong["kind"] = json!("rocket");
    wrong["longitude"] = json!("east");
    wrong["colour"] = json!("red");
    let body = problem(
        &city.call("PUT", path, officer, Some(put(wrong))).await,
        422,
        "input.invalid",
    );
    assert!(
        body["problems"].as_array().map_or(0, Vec::len) >= 3,
        "every fault is named: {body}"
    );

    let fields = station("130199310000000000009999");
    let made = city
        .call("PUT", path, officer, Some(put(fields.clone())))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    follows(&made, "Record");
    assert_eq!(made.header("etag"), Some("\"1\""));

    let mut renamed = fields.clone();
    renamed["name"] = json!("改名站");
    let body = json!({"fields": renamed}).to_string();
    let body = Some(("application/json", body.as_str()));
    let stale = city
        .raw("PUT", path, officer, &[("if-match", "\"7\"")], body)
        .await;
    problem(&stale, 409, "input.stale");
    let changed = city
        .raw("PUT", path, officer, &[("if-match", "\"1\"")], body)
        .await;
    assert_eq!(
        (changed.status, &changed.json()["fields"]["name"]),
        (200, &json!("改名站"))
    );

    let operator = city.token("operator").await;
    let deeds = "/api/v1/operator/audit?subject=130199310000000000009999";
    let deeds = city.call("GET", deeds, Some(&operator), None).await.json();
    let (purpose, basis) = (&deeds["items"][0]["purpose"], &deeds["items"][0]["basis"]);
    assert!(
        purpose.as_str().is_some_and(|p| !p.is_empty()),
        "a deed names its purpose: {deeds}"
    );
    assert!(
        basis.as_str().is_some_and(|b| !b.is_empty()),
        "a deed names its legal basis: {deeds}"
    );

    let history = city
        .call("GET", &format!("{path}/history"), officer, None)
        .await;
    follows(&history, "RecordPage");
    let past = city
        .call("GET", &format!("{path}?as_of=2020-01-01"), officer, None)
        .await;
    problem(&past, 404, "input.not_found");
    let page = city
        .call(
            "GET",
            "/api/v1/registers/station?f.kind=flue_gas&limit=1",
            officer,
            None,
        )
        .await;
    follows(&page, "RecordPage");
    let registers = city.call("GET", "/api/v1/registers", officer, None).await;
    follows(&registers, "RegisterPage");
    let unknown = city
        .call(
            "GET",
            "/api/v1/registers/station?limit=0&colour=red",
            officer,
            None,
        )
        .await;
    let body = problem(&unknown, 422, "input.invalid");
    assert_eq!(body["problems"].as_array().map(Vec::len), Some(2));
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observations_from_batch_to_answer() {
    let city = TestCity::start().await;
    let officer = city.token("officer").await;
    let officer = Some(officer.as_str());
    let lines = "X1,period=real_time a21026=35.5,a34013.mean=7 1764000000000\nX1,period=real_time a21026=36 1764000060000\n";
    let write = |text: &'static str| {
        city.raw(
            "POST",
            "/api/v1/observations",
            officer,
            &[],
            Some(("text/plain", text)),
        )
    };
    let first = write(lines).await;
    follows(&first, "Receipt");
    assert_eq!(
        first.json(),
        json!({"stored": 3, "duplicates": 0, "corrected": 0}),
        "{}",
        first.text
    );
    assert_eq!(write(lines).await.json()["duplicates"], 3);
    let body = problem(
        &write("X1,period=weekly a=1 5\nX1 a=x 5\n\u{0}\n").await,
        422,
        "input.invalid",
    );
    assert!(
        body["problems"].as_array().map_or(0, Vec::len) >= 3,
        "{body}"
    );

    let series = city
        .call("GET", "/api/v1/series?thing=X1", officer, None)
        .await;
    follows(&series, "SeriesPage");
    assert_eq!(series.json()["total"], 2, "{}", series.text);
    let some = city
        .call(
            "GET",
            "/api/v1/series?property=a21026&limit=1",
            officer,
            None,
        )
        .await;
    assert_eq!(some.json()["total"], 1, "{}", some.text);
    let question = json!({"series": [{"thing": "X1", "property": "a21026", "kind": "real_time"},
        {"thing": "X2", "property": "a21026", "kind": "real_time"}]});
    let latest = city
        .call("POST", "/api/v1/series/latest", officer, Some(question))
        .await;
    follows(&latest, "LatestPage");
    assert_eq!(
        (
            &latest.json()["items"][0]["value"],
            &latest.json()["items"][1]
        ),
        (&json!(36.0), &Value::Null)
    );
    let path = "/api/v1/series/range?thing=X1&property=a21026&from=1764000000000&to=1764000120000";
    let range = city.call("GET", path, officer, None).await;
    follows(&range, "Range");
    assert_eq!(range.json()["points"][0][1], json!(35.5), "{}", range.text);
    let hours = city
        .call("GET", &format!("{path}&step=1%20h"), officer, None)
        .await;
    follows(&hours, "Range");
    let csv = city
        .call(
            "GET",
            "/api/v1/series/export?thing=X1&from=2025-01-01&to=2025-12-31",
            officer,
            None,
        )
        .await;
    assert_eq!(csv.text.lines().count(), 4, "{}", csv.text);
    for list in [
        "/api/v1/registers/station?format=xlsx",
        "/api/v1/alerts?format=xlsx",
        "/api/v1/series/export?property=a21026&from=2026-01-01&to=2026-01-02&format=xlsx",
    ] {
        let book = city.call("GET", list, officer, None).await;
        assert_eq!(book.status, 200, "{list}: {}", book.text);
        let name = book.header("content-disposition").unwrap_or("");
        assert!(name.ends_with(".xlsx\""), "{name}");
        assert!(book.text.starts_with("PK"), "{list} is no workbook");
    }
    problem(
        &city
            .call("GET", "/api/v1/alerts?format=pdf", officer, None)
            .await,
        422,
        "input.invalid",
    );
    let parquet = "/api/v1/series/export?thing=X1&from=2025-01-01&to=2025-12-31&format=parquet";
    let parquet = city.call("GET", parquet, officer, None).await;
    assert!(parquet.status == 200 && parquet.text.starts_with("PAR1"));
    problem(
        &city
            .call("GET", "/api/v1/series/range?thing=X1", officer, None)
            .await,
        422,
        "input.invalid",
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_works_once() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let body = json!({"name": "twice", "display": "t", "password": "Long-enough-7", "roles": ["resident"]}).to_string();
    let call = || {
        city.raw(
            "POST",
            "/api/v1/operator/accounts",
            Some(&operator),
            &[("idempotency-key", "k1")],
            Some(("application/json", body.as_str())),
        )
    };
    let (first, second) = tokio::join!(call(), call());
    assert_eq!(
        (first.status, second.status),
        (201, 201),
        "{} {}",
        first.text,
        second.text
    );
    assert_eq!(first.text, second.text);
    let third = city
        .raw(
            "POST",
            "/api/v1/operator/accounts",
            Some(&operator),
            &[],
            Some(("application/json", body.as_str())),
        )
        .await;
    problem(&third, 409, "input.conflict");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_pages_and_operator_pages_answer_as_described() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let officer = city.token("officer").await;
    for (path, token, component) in [
        ("/api/v1/city", None, "City"),
        ("/api/v1/indicators", None, "IndicatorPage"),
        ("/api/v1/operator/health", Some(&operator), "Health"),
        ("/api/v1/session", Some(&officer), "Session"),
        ("/api/v1/alerts", Some(&officer), "AlertPage"),
        ("/api/v1/alerts/counts", Some(&officer), "AlertCounts"),
        ("/api/v1/devices", Some(&officer), "DevicePage"),
        ("/api/v1/frames/rejected", Some(&officer), "FramePage"),
    ] {
        let answer = city
            .call("GET", path, token.map(String::as_str), None)
            .await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        follows(&answer, component);
    }
    for path in [
        "/health",
        "/ready",
        "/metrics",
        "/api/v1/menu",
        "/api/v1/openapi.json",
        "/docs/errors/input.invalid",
        "/api/v1/environment/air",
    ] {
        let answer = city.call("GET", path, None, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    problem(
        &city.call("GET", "/api/v1/nothing", None, None).await,
        404,
        "input.not_found",
    );
    problem(
        &city
            .call("GET", "/api/v1/alerts/none", Some(&officer), None)
            .await,
        404,
        "input.not_found",
    );
    let verified = city
        .call(
            "POST",
            "/api/v1/operator/audit/verify",
            Some(&operator),
            None,
        )
        .await;
    assert_eq!(verified.json()["ok"], true, "{}", verified.text);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_say_nothing_and_are_slowed_down() {
    let city = TestCity::start().await;
    let attempt = |account: &'static str, password: &'static str| {
        city.call(
            "POST",
            "/api/v1/session",
            None,
            Some(json!({"account": account, "password": password})),
        )
    };
    let known = problem(
        &attempt("officer", "wrong").await,
        401,
        "access.wrong_password",
    );
    let unknown = problem(&attempt("who", "wrong").await, 401, "access.wrong_password");
    assert_eq!(
        known, unknown,
        "an answer must not tell whether an account exists"
    );
    let mut slowed = false;
    for _ in 0..12 {
        slowed |= attempt("officer", "wrong").await.status == 429;
    }
    assert!(slowed, "guessing is never slowed down");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_answers_as_described() {
    let city = TestCity::start_demonstration(std::sync::Arc::new(kernel::SystemClock)).await;
    let tokens = [
        city.token("operator").await,
        city.token("officer").await,
        city.token("resident").await,
        crate::permits::officer(&city, "approver", &["permit_approver", "service_designer"]).await,
    ];
    let document = city.call("GET", "/api/v1/openapi.json", None, None).await;
    let document = document.json();
    let paths = document["paths"].as_object().expect("paths");
    let mut answered = 0;
    for (path, of) in paths {
        let content = &of["get"]["responses"]["200"]["content"];
        let named = content["application/json"]["schema"]["$ref"].as_str();
        let Some((_, component)) = named.and_then(|named| named.rsplit_once('/')) else {
            continue;
        };
        if path.contains('{') {
            continue;
        }
        for token in &tokens {
            let answer = city.call("GET", path, Some(token), None).await;
            if answer.status == 200 {
                follows(&answer, component);
                answered += 1;
            }
        }
    }
    assert!(answered > 100, "{answered} answers");
    city.stop().await;
}
