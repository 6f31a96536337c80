//! A permit from draft to licence through the running city: a clerk applies for somebody at the
//! counter, accepts it, the declared process has it inspected and approved, letters are signed, the
//! licence is issued and verified; and nobody else learns of any of it.

use crate::city::{Answer, PASSWORD, TestCity};
use serde_json::{Value, json};

pub(crate) async fn officer(city: &TestCity, name: &str, roles: &[&str]) -> String {
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

fn good(path: &str, answer: Answer) -> Answer {
    let status = answer.status;
    assert!(
        (200..300).contains(&status),
        "{path}: {status} {}",
        answer.text
    );
    answer
}

pub(crate) async fn post(city: &TestCity, path: &str, token: &str, body: Value) -> Value {
    let answer = city.call("POST", path, Some(token), Some(body)).await;
    good(path, answer).json()
}

pub(crate) async fn get(city: &TestCity, path: &str, token: &str) -> Value {
    let answer = city.call("GET", path, Some(token), None).await;
    good(path, answer).json()
}

/// The one open task of the case at this node, as the officer's inbox shows it.
pub(crate) async fn task(city: &TestCity, token: &str, node: &str, number: &str) -> String {
    let mut inbox = Value::Null;
    for _ in 0..100 {
        inbox = get(city, &format!("/api/v1/tasks?text={number}"), token).await;
        if inbox["total"] == 1 && inbox["items"][0]["node"] == node {
            return inbox["items"][0]["id"].as_str().expect("a task").into();
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no task {node}: {inbox}")
}

async fn complete(city: &TestCity, token: &str, task: &str, data: Value) -> Value {
    let path = format!("/api/v1/tasks/{task}/verbs");
    post(city, &path, token, json!({"verb": "claim"})).await;
    let done = json!({"verb": "complete", "data": data});
    post(city, &path, token, done).await
}

/// A PDF of one empty page.
pub(crate) const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000053 00000 n \n0000000102 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n164\n%%EOF\n";

pub(crate) async fn upload(
    city: &TestCity,
    token: &str,
    draft: &str,
    name: &str,
    bytes: &str,
) -> Answer {
    let path = format!("/api/v1/uploads/{draft}/safety_rules?name={name}");
    let body = Some(("application/octet-stream", bytes));
    city.raw("POST", &path, Some(token), &[], body).await
}

/// A draft for a shop, filled in at the counter; answers its identification.
pub(crate) async fn draft(
    city: &TestCity,
    clerk: &str,
    n: u32,
    business: &str,
    area: i64,
) -> String {
    let (number, name) = parties::demo_person(n);
    let holder = json!({"document": "citizen_number", "number": number, "name": name});
    let behalf = json!({"holder": holder, "mobile": "13900000001", "seen": "核对身份证原件"});
    let new = json!({"item": "food_business_permit", "channel": "counter", "on_behalf": behalf});
    let made = post(city, "/api/v1/drafts", clerk, new).await;
    let id = made["id"].as_str().expect("an id").to_string();
    let path = format!("/api/v1/drafts/{id}");
    let early = city
        .call("POST", &format!("{path}/submit"), Some(clerk), None)
        .await;
    assert_eq!(early.status, 422, "{}", early.text);
    let faults = early.json()["problems"].as_array().map_or(0, Vec::len);
    assert!(faults > 5, "every fault is named: {}", early.text);
    let mut answers = json!({
        "has_licence": false, "premises": "示例路 1 号", "area": area, "business": business,
        "items": "热食类食品制售", "online": false, "responsible": name,
        "responsible_mobile": "139 0000 0001", "safety_manager": "演示管理员",
    });
    let mut change = json!({"delivery": {"way": "electronic"}});
    if business == "catering" {
        answers["raw_food"] = json!(false);
        answers["seats"] = json!(20);
        change["following"] = json!(["layout"]);
    }
    change["answers"] = answers;
    let saved = city.call("PATCH", &path, Some(clerk), Some(change)).await;
    good(&path, saved);
    id
}

pub(crate) async fn hand_in(city: &TestCity, clerk: &str, id: &str) -> Value {
    good("upload", upload(city, clerk, id, "rules.pdf", PDF).await);
    let path = format!("/api/v1/drafts/{id}/submit");
    let answer = city.call("POST", &path, Some(clerk), None).await;
    let first = good(&path, answer).json();
    let answer = city.call("POST", &path, Some(clerk), None).await;
    let again = good(&path, answer).json();
    assert_eq!(again["application"]["id"], first["application"]["id"]);
    first
}

/// Until the application stands there.
pub(crate) async fn until(
    city: &TestCity,
    token: &str,
    id: &str,
    state: &str,
    letters: usize,
) -> Value {
    let path = format!("/api/v1/service-applications/{id}");
    let mut file = Value::Null;
    for _ in 0..300 {
        file = get(city, &path, token).await;
        let written = file["letters"].as_array().map_or(0, |all| {
            all.iter().filter(|l| l["file"].is_string()).count()
        });
        if file["application"]["state"] == state && written >= letters {
            return file;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("not {state} with {letters} letters: {file}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permit_is_applied_for_inspected_granted_and_verified() {
    let city = TestCity::start().await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let inspector = officer(&city, "inspector", &["permit_inspector"]).await;
    let approver = officer(&city, "approver", &["permit_approver"]).await;
    let nobody = city.token("nobody").await;

    let id = draft(&city, &clerk, 14, "catering", 80).await;
    // What is no document is refused, and nobody else reaches the draft.
    let wrong = upload(&city, &clerk, &id, "rules.pdf", "MZ no document").await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    assert_eq!(upload(&city, &nobody, &id, "a.pdf", PDF).await.status, 404);
    let path = format!("/api/v1/drafts/{id}");
    let peek = city.call("GET", &path, Some(&nobody), None).await;
    assert_eq!(peek.status, 404, "{}", peek.text);

    let receipt = hand_in(&city, &clerk, &id).await;
    let application = receipt["application"]["id"].as_str().expect("an id");
    let number = receipt["application"]["number"].as_str().expect("number");
    let check = receipt["check"].as_str().expect("a code");
    let path = format!("/api/v1/service-applications/{application}");
    for path in [path.clone(), format!("{path}/letters/x")] {
        let peek = city.call("GET", &path, Some(&nobody), None).await;
        assert_eq!(peek.status, 404, "{path}: {}", peek.text);
    }
    // Anybody with number and code sees how far it is, and no person.
    let progress = format!("/api/v1/progress?number={number}&check={check}");
    let seen = good(&progress, city.call("GET", &progress, None, None).await);
    let (_, name) = parties::demo_person(14);
    assert!(!seen.text.contains(&name), "{}", seen.text);
    let wrong = format!("/api/v1/progress?number={number}&check=000000");
    assert_eq!(city.call("GET", &wrong, None, None).await.status, 404);

    let verbs = format!("{path}/handle");
    let accept = json!({"verb": "accept", "note": ""});
    let refused = city
        .call("POST", &verbs, Some(&nobody), Some(accept.clone()))
        .await;
    assert_eq!(refused.status, 404, "{}", refused.text);
    post(&city, &verbs, &clerk, accept.clone()).await;
    let late = city.call("POST", &verbs, Some(&clerk), Some(accept)).await;
    assert_eq!(late.status, 409, "{}", late.text);

    // A restaurant of 80 m² is inspected: row 2 of the table.
    let file = until(&city, &clerk, application, "accepted", 2).await;
    let case = file["application"]["case"].as_str().expect("a case");
    let case = get(&city, &format!("/api/v1/cases/{case}"), &clerk).await;
    assert_eq!(case["data"]["risk"], "high", "{case}");
    assert!(!case.to_string().contains(&name), "a case holds no person");
    let number = case["case"]["number"].as_str().expect("a number");
    let inspect = task(&city, &inspector, "inspect", number).await;
    let found = json!({"passed": true, "inspected_on": "2026-01-05", "findings": "符合"});
    complete(&city, &inspector, &inspect, found).await;
    let approve = task(&city, &approver, "approve", number).await;
    complete(&city, &approver, &approve, json!({"approved": true})).await;
    // Who comes second is told by whom it was done.
    let again = json!({"verb": "complete", "data": {}});
    let verbs = format!("/api/v1/tasks/{approve}/verbs");
    let late = city
        .call("POST", &verbs, Some(&approver), Some(again))
        .await;
    assert_eq!(late.status, 409, "{}", late.text);
    assert!(late.text.contains("approver"), "{}", late.text);

    let mut file = until(&city, &clerk, application, "approved", 3).await;
    for _ in 0..100 {
        if file["licences"][0].is_string() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        file = get(&city, &path, &clerk).await;
    }
    letters(&city, &clerk, &path, &file).await;
    let licence = file["licences"][0].as_str().expect("a licence");
    verified(&city, &approver, licence, &name).await;
    city.stop().await;
}

/// Every letter is a PDF this city signed; a changed byte is found.
async fn letters(city: &TestCity, clerk: &str, path: &str, file: &Value) {
    let kinds: Vec<&str> = file["letters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|l| l["kind"].as_str())
        .collect();
    assert_eq!(kinds, ["receipt", "acceptance", "approval"], "{file}");
    for letter in file["letters"].as_array().into_iter().flatten() {
        let id = letter["file"].as_str().expect("a file");
        let path = format!("{path}/letters/{id}");
        let answer = city.call("GET", &path, Some(clerk), None).await;
        let answer = good(&path, answer);
        assert_eq!(answer.header("content-type"), Some("application/pdf"));
        assert!(answer.text.starts_with("%PDF-"), "{letter}");
        assert!(letter["number"].as_str().is_some_and(|n| n.contains("〔")));
    }
}

/// Anybody verifies the licence with what is printed on it, and sees the least that serves.
async fn verified(city: &TestCity, approver: &str, identifier: &str, name: &str) {
    let shown = json!({
        "shown": {"by": "identifier", "identifier": identifier, "name": name},
        "why": {"verifier": "走查超市", "purpose": "核对供应商资质"},
    });
    let verify = "/api/v1/licences/verify";
    let found = city.call("POST", verify, None, Some(shown.clone())).await;
    assert_eq!(found.json()["verdict"], "valid", "{}", found.text);
    assert!(!found.text.contains("示例路"), "{}", found.text);
    let change = format!("/api/v1/licences/{identifier}/change");
    let suspend = json!({"to": "suspended", "reason": "整改期间暂停"});
    post(city, &change, approver, suspend).await;
    let found = city.call("POST", verify, None, Some(shown)).await;
    assert_eq!(found.json()["verdict"], "suspended", "{}", found.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_shop_is_corrected_and_refused_with_a_reason() {
    let city = TestCity::start().await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let approver = officer(&city, "approver", &["permit_approver"]).await;
    let id = draft(&city, &clerk, 16, "retail", 500).await;
    let receipt = hand_in(&city, &clerk, &id).await;
    let application = receipt["application"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/service-applications/{application}");
    let verbs = format!("{path}/handle");
    let missing = json!([{"at": "answers/premises", "what": "请写明门牌号和房间号"}]);
    let tell = json!({"verb": "correction", "missing": missing});
    post(&city, &verbs, &clerk, tell).await;
    until(&city, &clerk, application, "correction", 2).await;
    // Only what was named may change.
    let own = format!("{path}/own");
    let other = json!({"verb": "correct", "answers": {"area": 20}});
    let refused = city.call("POST", &own, Some(&clerk), Some(other)).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let named = json!({"verb": "correct", "answers": {"premises": "示例路 1 号 101 室"}});
    post(&city, &own, &clerk, named).await;
    post(&city, &verbs, &clerk, json!({"verb": "accept"})).await;
    let file = until(&city, &clerk, application, "accepted", 3).await;
    assert_eq!(file["answers"]["premises"], "示例路 1 号 101 室");
    assert_eq!(file["answers"]["responsible_mobile"], "13900000001");
    let case = file["application"]["case"].as_str().expect("a case");
    let case = get(&city, &format!("/api/v1/cases/{case}"), &clerk).await;
    assert_eq!(case["data"]["risk"], "low", "{case}");
    let number = case["case"]["number"].as_str().expect("a number");
    let approve = task(&city, &approver, "approve", number).await;
    let no = json!({"approved": false, "opinion": "经营场所不符合要求"});
    complete(&city, &approver, &approve, no).await;
    let file = until(&city, &clerk, application, "refused", 4).await;
    assert_eq!(file["licences"], json!([]));
    // The table explains itself.
    let asked = json!({"decision": "risk", "input": {"business": "catering", "area": 80}});
    let outcome = post(&city, "/api/v1/decisions/food_risk/decide", &clerk, asked).await;
    assert_eq!(outcome["result"], "high", "{outcome}");
    let matched = &outcome["explanation"][0]["tables"][0]["matched"][0];
    assert_eq!(matched["row"], 2, "{outcome}");
    city.stop().await;
}

/// The short messages the mobile of an application got, the newest first, once there are so many.
async fn told(city: &TestCity, number: &str, count: usize) -> Vec<String> {
    let operator = city.token("operator").await;
    let mut said = vec![];
    for _ in 0..300 {
        let all = get(city, "/api/v1/operator/messages", &operator).await;
        let items = all["items"].as_array().cloned().unwrap_or_default();
        let of_it = items
            .iter()
            .filter_map(|one| Some((one["to"].as_str()?, one["text"].as_str()?)))
            .filter(|(to, text)| *to == "13900000001" && text.contains(number));
        said = of_it.map(|(_, text)| text.to_string()).collect();
        if said.len() >= count {
            return said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{count} messages of {number} expected: {said:?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_applies_is_told_of_every_step() {
    let city = TestCity::start_demonstration(std::sync::Arc::new(kernel::SystemClock)).await;
    let clerk = officer(&city, "window", &["acceptance_clerk"]).await;
    let id = draft(&city, &clerk, 17, "retail", 500).await;
    let receipt = hand_in(&city, &clerk, &id).await;
    let number = receipt["application"]["number"].as_str().expect("number");
    let said = told(&city, number, 1).await;
    assert!(said[0].contains("已收到您的申请"), "{said:?}");
    let application = receipt["application"]["id"].as_str().expect("an id");
    let verbs = format!("/api/v1/service-applications/{application}/handle");
    post(&city, &verbs, &clerk, json!({"verb": "accept"})).await;
    let said = told(&city, number, 2).await;
    assert!(said.iter().any(|text| text.contains("已受理")), "{said:?}");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_how_an_item_is_handled_but_not_by_whom() {
    let city = TestCity::start().await;
    let path = "/api/v1/items/food_business_permit/flow";
    let flow = city.call("GET", path, None, None).await;
    let xml = good(path, flow).json()["xml"].as_str().map(String::from);
    let xml = xml.expect("a drawing");
    assert!(xml.contains("BPMNShape"), "the figure");
    assert!(xml.contains("现场核查"), "names of its steps");
    let clerk = officer(&city, "window", &["acceptance_clerk"]).await;
    let whole = get(&city, "/api/v1/processes/food_permit/drawing", &clerk).await;
    let whole = whole["xml"].as_str().expect("a drawing");
    for inner in ["jicheng:roles", "jicheng:function", "conditionExpression"] {
        assert!(whole.contains(inner), "{inner} stands in the drawing");
        assert!(!xml.contains(inner), "{inner} is shown to everybody");
    }
    let none = city.call("GET", "/api/v1/items/nothing/flow", None, None);
    assert_eq!(none.await.status, 404);
}
