//! 会签 over real HTTP: one more countersigner and one fewer, an opinion taken back, back into the
//! calling process; and what an unrelated person gets of all that.

use crate::city::TestCity;
use crate::permits::{get, officer, post};
use serde_json::{Value, json};

const ROUND: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1" targetNamespace="urn:x"><process id="round" name="联审" isExecutable="true"><startEvent id="s"/><userTask id="m" name="会签" j:assignee="who"><multiInstanceLoopCharacteristics j:collection="people" j:item="who"/></userTask><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="m"/><sequenceFlow id="f2" sourceRef="m" targetRef="e"/></process><process id="whole" name="一件事" isExecutable="true"><startEvent id="ws"/><userTask id="accept" name="综合受理" j:assignee='"ann"'/><callActivity id="k" calledElement="round"/><endEvent id="we"/><sequenceFlow id="w1" sourceRef="ws" targetRef="accept"/><sequenceFlow id="w2" sourceRef="accept" targetRef="k"/><sequenceFlow id="w3" sourceRef="k" targetRef="we"/></process></definitions>"#;

async fn only(city: &TestCity, token: &str) -> Value {
    for _ in 0..200 {
        let tasks = get(city, "/api/v1/tasks", token).await;
        if tasks["total"] == 1 {
            return tasks["items"][0].clone();
        }
        // A called process begins a moment later.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not one task");
}

fn path(task: &Value, rest: &str) -> String {
    let id = task["id"].as_str().expect("an id");
    format!("/api/v1/tasks/{id}{rest}")
}

#[tokio::test(flavor = "multi_thread")]
async fn countersigners_come_and_go_and_it_goes_back_to_its_caller() {
    let city = TestCity::start().await;
    let designer = officer(&city, "designer", &["service_designer"]).await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let ann = officer(&city, "ann", &["market_reviewer"]).await;
    let bob = officer(&city, "bob", &["market_reviewer"]).await;
    let eva = officer(&city, "eva", &["market_reviewer"]).await;
    let stranger = city.token("resident").await;
    let file = json!({"name": "round.bpmn", "xml": ROUND});
    post(&city, "/api/v1/processes", &designer, file).await;
    let new = json!({"process": "whole", "title": "走查", "data": {"people": ["ann", "bob"]}});
    let whole = post(&city, "/api/v1/cases", &clerk, new).await;
    let complete = json!({"verb": "complete", "data": {}});
    let accept = only(&city, &ann).await;
    post(&city, &path(&accept, "/verbs"), &ann, complete.clone()).await;

    let own = only(&city, &bob).await;
    let add = json!({"verb": "add_signer", "to": "eva", "reason": "涉及", "countersign": "last"});
    let hidden = city
        .call(
            "POST",
            &path(&own, "/verbs"),
            Some(&stranger),
            Some(add.clone()),
        )
        .await;
    assert_eq!(hidden.status, 404, "{}", hidden.text);
    for rest in ["", "/verbs"] {
        let method = if rest.is_empty() { "GET" } else { "POST" };
        let body = (method == "POST").then(|| json!({"verb": "withdraw"}));
        let hidden = city
            .call(method, &path(&own, rest), Some(&stranger), body)
            .await;
        assert_eq!(hidden.status, 404, "{rest}: {}", hidden.text);
    }
    let odd = json!({"verb": "add_signer", "to": "eva", "countersign": "first"});
    let wrong = city
        .call("POST", &path(&own, "/verbs"), Some(&bob), Some(odd))
        .await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    let added = post(&city, &path(&own, "/verbs"), &bob, add).await;
    assert_eq!(added["opened"][0]["assignee"], "eva", "{added}");
    let seen = get(&city, &path(&own, ""), &bob).await;
    assert_eq!(seen["countersign"]["instances"], 3, "{seen}");
    let last = &seen["countersign"]["signers"][2];
    assert_eq!(
        (&last["account"], &last["removable"]),
        (&json!("eva"), &json!(true))
    );
    // Eva added nobody: she takes nobody away. She signs, and takes it back.
    let hers = only(&city, &eva).await;
    let signers = get(&city, &path(&hers, ""), &eva).await;
    let bobs = signers["countersign"]["signers"][1].clone();
    assert_eq!(
        (&bobs["account"], &bobs["removable"]),
        (&json!("bob"), &json!(false))
    );
    let remove = json!({"verb": "remove_signer", "signer": bobs["signer"]});
    let denied = city
        .call("POST", &path(&hers, "/verbs"), Some(&eva), Some(remove))
        .await;
    assert_eq!(denied.status, 403, "{}", denied.text);
    post(&city, &path(&hers, "/verbs"), &eva, complete.clone()).await;
    let withdraw = json!({"verb": "withdraw", "reason": "改意见"});
    let back = post(&city, &path(&hers, "/verbs"), &eva, withdraw).await;
    assert_eq!(
        (&back["task"]["state"], &back["opened"][0]["assignee"]),
        (&json!("withdrawn"), &json!("eva"))
    );
    let again = only(&city, &eva).await;
    let remove = json!({"verb": "remove_signer", "signer": again["id"], "reason": "不涉及"});
    post(&city, &path(&own, "/verbs"), &bob, remove).await;
    assert_eq!(get(&city, "/api/v1/tasks", &eva).await["total"], 0);

    // Back to the clerk's desk of the calling process.
    let seen = get(&city, &path(&own, ""), &bob).await;
    let target = &seen["targets"][0];
    assert_eq!(
        (&target["process"], &target["name"], &target["case"]),
        (&json!("一件事"), &json!("综合受理"), &whole["id"]),
        "{seen}"
    );
    let send = json!({"verb": "send_back", "to": target["node"], "case": target["case"], "reason": "材料不全"});
    let sent = post(&city, &path(&own, "/verbs"), &bob, send).await;
    assert_eq!(
        (&sent["case"]["state"], &sent["opened"][0]["name"]),
        (&json!("cancelled"), &json!("综合受理"))
    );
    assert_eq!(only(&city, &ann).await["case"], whole["id"]);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn drawings_are_for_those_who_work_here() {
    let city = TestCity::start().await;
    let designer = officer(&city, "designer", &["service_designer"]).await;
    let file = json!({"name": "round.bpmn", "xml": ROUND});
    post(&city, "/api/v1/processes", &designer, file).await;
    let path = "/api/v1/processes/round/drawing";
    // Works in an organisation, with no role of its own.
    let member = officer(&city, "member", &[]).await;
    assert!(get(&city, path, &member).await["xml"].is_string());
    for unrelated in ["resident", "nobody"] {
        let token = city.token(unrelated).await;
        let refused = city.call("GET", path, Some(&token), None).await;
        assert_eq!(refused.status, 403, "{unrelated}: {}", refused.text);
    }
    city.stop().await;
}
