//! A permit from application to licence through the running city: the declared process, its decision
//! table, the officers it is offered to, the licence it issues, and who verifies it afterwards.

use crate::city::{PASSWORD, TestCity};
use serde_json::{Value, json};

async fn officer(city: &TestCity, name: &str, roles: &[&str]) -> String {
    let new = identity::NewAccount {
        name: name.into(),
        display: name.into(),
        password: PASSWORD.into(),
        roles: roles.iter().map(|role| role.to_string()).collect(),
        organisation: Some("data_bureau".into()),
    };
    let made = city
        .running
        .app
        .identity
        .create(&kernel::Actor::system(), new)
        .await;
    made.expect("an account");
    city.token(name).await
}

async fn post(city: &TestCity, path: &str, token: &str, body: Value) -> Value {
    let answer = city.call("POST", path, Some(token), Some(body)).await;
    assert!(
        (200..300).contains(&answer.status),
        "{path}: {} {}",
        answer.status,
        answer.text
    );
    answer.json()
}

async fn get(city: &TestCity, path: &str, token: &str) -> Value {
    let answer = city.call("GET", path, Some(token), None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn application(business: &str, area: i64) -> Value {
    json!({
        "process": "food_permit", "title": "走查小吃店食品经营许可", "organisation": "data_bureau",
        "statutory": {"days": 20, "count": "working_days"},
        "data": {
            "applicant": {"document": "credit_code", "number": "91130199MA0000001F", "name": "走查小吃店"},
            "premises": "示例路 1 号", "business": business, "area": area, "items": "热食类食品制售",
        },
    })
}

/// The one open task of the case at this node, as the officer's inbox shows it.
async fn task(city: &TestCity, token: &str, node: &str, number: &str) -> String {
    let inbox = get(city, &format!("/api/v1/tasks?text={number}"), token).await;
    assert_eq!(inbox["total"], 1, "{inbox}");
    assert_eq!(inbox["items"][0]["node"], node, "{inbox}");
    inbox["items"][0]["id"]
        .as_str()
        .expect("a task")
        .to_string()
}

async fn complete(city: &TestCity, token: &str, task: &str, data: Value) -> Value {
    let path = format!("/api/v1/tasks/{task}/verbs");
    post(city, &path, token, json!({"verb": "claim"})).await;
    post(
        city,
        &path,
        token,
        json!({"verb": "complete", "data": data}),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_applied_for_inspected_granted_and_verified() {
    let city = TestCity::start().await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let inspector = officer(&city, "inspector", &["permit_inspector"]).await;
    let approver = officer(&city, "approver", &["permit_approver"]).await;
    let nobody = city.token("nobody").await;

    let case = post(&city, "/api/v1/cases", &clerk, application("catering", 80)).await;
    let (id, number) = (
        case["id"].as_str().expect("id").to_string(),
        case["number"].as_str().expect("number").to_string(),
    );
    assert_eq!(case["statutory"]["light"], "green", "{case}");
    let path = format!("/api/v1/cases/{id}");
    assert_eq!(
        city.call("GET", &path, Some(&nobody), None).await.status,
        404,
        "nobody learns of it"
    );

    // The approver has nothing to do yet, and cannot take the clerk's task.
    let accept = task(&city, &clerk, "accept", &number).await;
    assert_eq!(
        get(&city, &format!("/api/v1/tasks?text={number}"), &approver).await["total"],
        0
    );
    let grab = city
        .call(
            "POST",
            &format!("/api/v1/tasks/{accept}/verbs"),
            Some(&approver),
            Some(json!({"verb": "claim"})),
        )
        .await;
    assert!(
        [403, 404].contains(&grab.status),
        "{} {}",
        grab.status,
        grab.text
    );

    complete(&city, &clerk, &accept, json!({"accepted": true})).await;
    // A restaurant of 80 m² is inspected: row 2 of the table.
    let inspect = task(&city, &inspector, "inspect", &number).await;
    complete(&city, &inspector, &inspect, json!({"inspection": "合格"})).await;
    let approve = task(&city, &approver, "approve", &number).await;
    // Who comes second is told by whom it was done.
    let verbs = format!("/api/v1/tasks/{approve}/verbs");
    complete(&city, &approver, &approve, json!({"approved": true})).await;
    let late = city
        .call(
            "POST",
            &verbs,
            Some(&approver),
            Some(json!({"verb": "complete", "data": {}})),
        )
        .await;
    assert_eq!(late.status, 409, "{}", late.text);
    assert!(late.text.contains("approver"), "{}", late.text);

    // The licence is issued by a service task, soon after.
    let mut file = get(&city, &path, &approver).await;
    for _ in 0..100 {
        if file["case"]["state"] != "running" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        file = get(&city, &path, &approver).await;
    }
    assert_eq!(file["case"]["state"], "completed", "{file}");
    assert_eq!(file["data"]["risk"], "high");
    let identifier = file["data"]["licence_identifier"]
        .as_str()
        .expect("an identifier")
        .to_string();
    let history = get(&city, &format!("{path}/history"), &approver).await;
    assert!(
        history["items"]
            .as_array()
            .is_some_and(|all| all.len() >= 7),
        "{history}"
    );

    // Anybody verifies it with what is printed on it, and sees the least that serves.
    let shown = json!({
        "shown": {"by": "identifier", "identifier": identifier, "name": "走查小吃店"},
        "why": {"verifier": "走查超市", "purpose": "核对供应商资质"},
    });
    let found = city
        .call("POST", "/api/v1/licences/verify", None, Some(shown.clone()))
        .await;
    assert_eq!(found.json()["verdict"], "valid", "{}", found.text);
    assert!(
        !found.text.contains("示例路"),
        "the premises are not public: {}",
        found.text
    );

    let change = format!("/api/v1/licences/{identifier}/change");
    post(
        &city,
        &change,
        &approver,
        json!({"to": "suspended", "reason": "整改期间暂停"}),
    )
    .await;
    let found = city
        .call("POST", "/api/v1/licences/verify", None, Some(shown))
        .await;
    assert_eq!(found.json()["verdict"], "suspended", "{}", found.text);
    let looked = get(&city, &format!("/api/v1/licences/{identifier}"), &approver).await;
    assert!(
        looked["uses"]
            .as_array()
            .is_some_and(|uses| uses.len() >= 2),
        "{looked}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_shop_is_not_inspected_and_a_bad_application_ends() {
    let city = TestCity::start().await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let approver = officer(&city, "approver", &["permit_approver"]).await;
    let case = post(&city, "/api/v1/cases", &clerk, application("retail", 500)).await;
    let number = case["number"].as_str().expect("number").to_string();
    let accept = task(&city, &clerk, "accept", &number).await;
    complete(&city, &clerk, &accept, json!({"accepted": true})).await;
    let approve = task(&city, &approver, "approve", &number).await;
    let acted = complete(&city, &approver, &approve, json!({"approved": false})).await;
    assert_eq!(acted["case"]["state"], "completed", "{acted}");

    let case = post(&city, "/api/v1/cases", &clerk, application("catering", 20)).await;
    let number = case["number"].as_str().expect("number").to_string();
    let accept = task(&city, &clerk, "accept", &number).await;
    let acted = complete(&city, &clerk, &accept, json!({"accepted": false})).await;
    assert_eq!(acted["case"]["state"], "completed", "{acted}");

    // The table explains itself.
    let asked = json!({"decision": "risk", "input": {"business": "catering", "area": 80}});
    let outcome = post(&city, "/api/v1/decisions/food_risk/decide", &clerk, asked).await;
    assert_eq!(outcome["result"], "high", "{outcome}");
    assert_eq!(
        outcome["explanation"][0]["tables"][0]["matched"][0]["row"], 2,
        "{outcome}"
    );
}
