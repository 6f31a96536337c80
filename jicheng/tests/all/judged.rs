//! What officers hand in at a task is judged by the form of the item, whoever sends it: nothing
//! missing, nothing of another kind, nothing the form does not ask, and no other application.

use crate::city::{Answer, TestCity};
use crate::permits::{draft, get, hand_in, officer, post, task, until};
use serde_json::{Value, json};

async fn complete(city: &TestCity, token: &str, task: &str, data: Value) -> Answer {
    let path = format!("/api/v1/tasks/{task}/verbs");
    let body = json!({"verb": "complete", "data": data});
    city.call("POST", &path, Some(token), Some(body)).await
}

async fn refused(city: &TestCity, token: &str, task: &str, data: Value, expected: &[&str]) {
    let answer = complete(city, token, task, data).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let problems = answer.json()["problems"].clone();
    let problems = problems.as_array().expect("every fault");
    let mut at: Vec<&str> = problems.iter().filter_map(|p| p["at"].as_str()).collect();
    at.sort_unstable();
    assert_eq!(at, expected, "{}", answer.text);
    let said = |language: &str| {
        let words = |p: &Value| p["words"][language].as_str().is_some_and(|w| !w.is_empty());
        problems.iter().all(words)
    };
    assert!(said("zh") && said("en"), "{}", answer.text);
}

/// An accepted application that waits for its inspection; the application, its case and its number.
async fn accepted(city: &TestCity, clerk: &str, n: u32) -> [String; 2] {
    let id = draft(city, clerk, n, "catering", 80).await;
    let receipt = hand_in(city, clerk, &id).await;
    let text = |value: &Value| value.as_str().expect("a text").to_string();
    let id = text(&receipt["application"]["id"]);
    let path = format!("/api/v1/service-applications/{id}/handle");
    post(city, &path, clerk, json!({"verb": "accept", "note": ""})).await;
    [id, text(&receipt["application"]["number"])]
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_completed_as_their_form_asks() {
    let city = TestCity::start().await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let inspector = officer(&city, "inspector", &["permit_inspector"]).await;
    let approver = officer(&city, "approver", &["permit_approver"]).await;
    let [one, number] = accepted(&city, &clerk, 21).await;
    let [two, other] = accepted(&city, &clerk, 22).await;

    let inspect = task(&city, &inspector, "inspect", &number).await;
    let wrong = json!({"passed": "yes", "x": 1});
    let expected = [
        "/answers/findings",
        "/answers/inspected_on",
        "/answers/passed",
        "/answers/x",
    ];
    refused(&city, &inspector, &inspect, wrong, &expected).await;
    let mut found = json!({"passed": true, "inspected_on": "2026-01-05", "findings": "符合"});
    found["application"] = json!({"id": two});
    let about = ["/answers/application"];
    refused(&city, &inspector, &inspect, found.clone(), &about).await;
    found
        .as_object_mut()
        .expect("an object")
        .remove("application");
    let done = complete(&city, &inspector, &inspect, found).await;
    assert_eq!(done.status, 200, "{}", done.text);

    // A refusal says why, in more than a character.
    let approve = task(&city, &approver, "approve", &number).await;
    let why = ["/answers/opinion"];
    refused(&city, &approver, &approve, json!({"approved": false}), &why).await;
    let short = json!({"approved": false, "opinion": "否"});
    refused(&city, &approver, &approve, short, &why).await;
    let reason = json!({"approved": false, "opinion": "布局不符合要求"});
    let done = complete(&city, &approver, &approve, reason).await;
    assert_eq!(done.status, 200, "{}", done.text);
    until(&city, &clerk, &one, "refused", 3).await;
    // The other was not touched.
    task(&city, &inspector, "inspect", &other).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_designer_sees_which_registers_there_are_and_no_record() {
    let city = TestCity::start().await;
    let designer = officer(&city, "designer", &["service_designer"]).await;
    let list = get(&city, "/api/v1/registers", &designer).await;
    let items = list["items"].as_array().expect("registers");
    let person = items.iter().find(|r| r["name"] == "person");
    let person = person.expect("the register of persons");
    assert_eq!(person["count"], Value::Null, "{person}");
    let fields = person["fields"].as_array().expect("fields");
    assert!(fields.iter().any(|f| f["name"] == "household_address"));
    let (number, _) = parties::demo_person(1);
    for path in ["", &format!("/{number}"), &format!("/{number}/history")] {
        let path = format!("/api/v1/registers/person{path}");
        let answer = city.call("GET", &path, Some(&designer), None).await;
        assert!(
            [403, 404].contains(&answer.status),
            "{path}: {}",
            answer.text
        );
    }
    city.stop().await;
}
