//! Decisions of cases over real HTTP: explained afterwards to whoever may see the case, and to nobody
//! else; a case keeps its version over a stop.

use crate::city::{Answer, PASSWORD, TestCity, open};
use kernel::SystemClock;
use serde_json::{Value, json};
use std::sync::Arc;

const PROCESS: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1" targetNamespace="urn:x"><process id="levied" name="收费" isExecutable="true"><startEvent id="s"/><userTask id="apply" name="受理" j:assignee='"clerk"'/><businessRuleTask id="rule" name="定费" j:decision="levy:fee" j:result="fee"/><userTask id="pay" name="缴费" j:assignee='"clerk"'/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="apply"/><sequenceFlow id="f2" sourceRef="apply" targetRef="rule"/><sequenceFlow id="f3" sourceRef="rule" targetRef="pay"/><sequenceFlow id="f4" sourceRef="pay" targetRef="e"/></process></definitions>"#;

/// A model whose fee is that of these rules, `amount | fee`; one may match.
fn levy(rules: &[(&str, &str)]) -> Value {
    let rule = |(amount, fee): &(&str, &str)| {
        let amount = amount.replace('<', "&lt;");
        format!(
            "<rule><inputEntry><text>{amount}</text></inputEntry><outputEntry><text>{fee}</text></outputEntry></rule>"
        )
    };
    let rules: String = rules.iter().map(rule).collect();
    let xml = format!(
        r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="levy" name="levy" namespace="urn:levy"><inputData id="i" name="amount"><variable name="amount" typeRef="number"/></inputData><decision id="d" name="fee"><variable name="fee" typeRef="number"/><informationRequirement><requiredInput href="#i"/></informationRequirement><decisionTable hitPolicy="UNIQUE"><input><inputExpression><text>amount</text></inputExpression></input><output/>{rules}</decisionTable></decision></definitions>"##
    );
    json!({ "model": "levy", "xml": xml })
}

async fn officer(city: &TestCity, name: &str, role: &str) -> String {
    let new = identity::NewAccount {
        name: name.into(),
        display: name.into(),
        password: PASSWORD.into(),
        roles: vec![role.into()],
        organisation: None,
    };
    let identity = &city.running.app.identity;
    let made = identity.create(&kernel::Actor::system(), new).await;
    made.expect("an account");
    city.token(name).await
}

async fn get(city: &TestCity, token: &str, path: &str) -> Answer {
    city.call("GET", path, Some(token), None).await
}

async fn post(city: &TestCity, token: &str, path: &str, body: Value) -> Answer {
    city.call("POST", path, Some(token), Some(body)).await
}

async fn done(city: &TestCity, token: &str, path: &str, body: Value) -> Value {
    let answer = post(city, token, path, body).await;
    assert!(answer.status < 300, "{path}: {}", answer.text);
    answer.json()
}

/// A case with this amount, with its first task before it; its identification.
async fn begin(city: &TestCity, clerk: &str, amount: i64) -> String {
    let new = json!({"process": "levied", "title": "走查", "data": {"amount": amount}});
    let case = done(city, clerk, "/api/v1/cases", new).await;
    case["id"].as_str().expect("an id").to_string()
}

/// The clerk does the first task of a case, after which the fee is decided.
async fn apply(city: &TestCity, clerk: &str, case: &str) -> Value {
    let file = get(city, clerk, &format!("/api/v1/cases/{case}"))
        .await
        .json();
    let task = file["tasks"][0]["id"].as_str().expect("a task");
    let verb = json!({"verb": "complete", "data": {}});
    done(city, clerk, &format!("/api/v1/tasks/{task}/verbs"), verb).await;
    get(city, clerk, &format!("/api/v1/cases/{case}"))
        .await
        .json()
}

/// Evaluations of a case, as somebody sees them.
async fn kept(city: &TestCity, token: &str, case: &str) -> Vec<Value> {
    let path = format!("/api/v1/decisions/evaluations?case={case}");
    let answer = get(city, token, &path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_of_a_case_are_explained_to_who_may_see_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = open(folder.path(), Arc::new(SystemClock)).await;
    let city = TestCity::of(running, folder);
    let designer = officer(&city, "designer", "service_designer").await;
    let clerk = officer(&city, "clerk", "acceptance_clerk").await;
    let stranger = officer(&city, "stranger", "market_reviewer").await;
    let models = "/api/v1/decisions";
    done(
        &city,
        &designer,
        models,
        levy(&[("< 100", "5"), (">= 100", "9")]),
    )
    .await;
    let file = json!({"name": "levied.bpmn", "xml": PROCESS});
    done(&city, &designer, "/api/v1/processes", file).await;
    let early = begin(&city, &clerk, 150).await;
    // Another version is published meanwhile: the case keeps the one it began under, a later one
    // has the new.
    done(
        &city,
        &designer,
        models,
        levy(&[("< 200", "1"), ("> 100", "2")]),
    )
    .await;
    let (broken, late) = (
        begin(&city, &clerk, 150).await,
        begin(&city, &clerk, 50).await,
    );
    assert_eq!(apply(&city, &clerk, &early).await["data"]["fee"], 9);
    assert_eq!(apply(&city, &clerk, &late).await["data"]["fee"], 1);
    let held = apply(&city, &clerk, &broken).await;
    assert_eq!(held["case"]["stuck"], 1, "{held}");
    assert!(
        held["marks"][0]["stuck"]["en"]
            .as_str()
            .is_some_and(|w| w.contains("rows 1, 2"))
    );

    for (case, version, result) in [
        (&early, 1, json!(9)),
        (&late, 2, json!(1)),
        (&broken, 2, json!(null)),
    ] {
        let found = kept(&city, &clerk, case).await;
        assert_eq!(found.len(), 1, "{case}");
        let outcome = &found[0]["outcome"];
        assert_eq!(
            (&outcome["version"], &outcome["result"]),
            (&json!(version), &result)
        );
        let id = found[0]["id"].as_str().expect("an id");
        let one = format!("/api/v1/decisions/evaluations/{id}");
        let whole = get(&city, &clerk, &one).await.json();
        assert!(whole["outcome"]["input"]["amount"].is_number(), "{whole}");
        let matched = &whole["outcome"]["explanation"][0]["tables"][0]["matched"];
        assert!(matched[0]["row"].is_number(), "{whole}");
        // Who may not see the case sees none of it; whoever administers decisions does.
        let hidden = get(&city, &stranger, &format!("/api/v1/cases/{case}")).await;
        assert_eq!(hidden.status, 404);
        assert_eq!(get(&city, &stranger, &one).await.status, 404);
        assert!(kept(&city, &stranger, case).await.is_empty());
        assert_eq!(get(&city, &designer, &one).await.status, 200);
    }
    let all = "/api/v1/decisions/evaluations?model=levy";
    let counts = [(&stranger, 0), (&clerk, 3), (&designer, 3)];
    for (who, count) in counts {
        let list = get(&city, who, all).await.json();
        assert_eq!(
            list["items"].as_array().map(Vec::len),
            Some(count),
            "{list}"
        );
    }
    // Nobody keeps one under a case they cannot see.
    let question = json!({
        "decision": "fee", "input": {"amount": 1}, "keeping": {"purpose": "走查", "case": early},
    });
    let path = "/api/v1/decisions/levy/decide";
    assert_eq!(
        post(&city, &stranger, path, question.clone()).await.status,
        404
    );
    assert!(post(&city, &clerk, path, question).await.status < 300);
    assert_eq!(kept(&city, &clerk, &early).await.len(), 2);
    // One of no case: whoever made it, and whoever administers decisions; nobody unrelated.
    let loose = json!({"decision": "fee", "input": {"amount": 1}, "keeping": {"purpose": "走查"}});
    let loose = done(&city, &clerk, path, loose).await;
    let one = loose["id"].as_str().expect("an id");
    let path = format!("/api/v1/decisions/evaluations/{one}");
    for (who, status) in [(&clerk, 200), (&designer, 200), (&stranger, 404)] {
        assert_eq!(get(&city, who, &path).await.status, status);
        let list = get(&city, who, all).await.text;
        assert_eq!(list.contains(one), status == 200, "{list}");
    }
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_keeps_its_version_over_a_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let running = open(folder.path(), Arc::new(SystemClock)).await;
    let city = TestCity::of(running, folder);
    let designer = officer(&city, "designer", "service_designer").await;
    let clerk = officer(&city, "clerk", "acceptance_clerk").await;
    let file = json!({"name": "levied.bpmn", "xml": PROCESS});
    done(&city, &designer, "/api/v1/decisions", levy(&[("-", "5")])).await;
    done(&city, &designer, "/api/v1/processes", file).await;
    let case = begin(&city, &clerk, 1).await;
    for fee in ["6", "7"] {
        done(&city, &designer, "/api/v1/decisions", levy(&[("-", fee)])).await;
    }
    let city = city.again().await;
    let clerk = city.token("clerk").await;
    assert_eq!(apply(&city, &clerk, &case).await["data"]["fee"], 5);
    assert_eq!(kept(&city, &clerk, &case).await[0]["outcome"]["version"], 1);
    city.stop().await;
}
