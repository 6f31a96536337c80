//! Tasks over real HTTP: they follow a department that is reorganised, go to officials only, are done
//! several at once; and running cases go on by another version of their process.

use crate::city::{PASSWORD, TestCity};
use crate::permits::{get, post};
use serde_json::{Value, json};

/// One task for joint reviewers of the organisation in the variable `dept`.
fn process(node: &str) -> Value {
    let xml = format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1" targetNamespace="urn:x"><process id="joint" name="会审" isExecutable="true"><startEvent id="s"/><userTask id="{node}" name="会审" j:roles="joint_reviewer" j:organisation="dept"/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="{node}"/><sequenceFlow id="f2" sourceRef="{node}" targetRef="e"/></process></definitions>"#
    );
    json!({"name": "joint.bpmn", "xml": xml})
}

async fn officer(city: &TestCity, name: &str, role: &str, organisation: &str) -> String {
    let new = identity::NewAccount {
        name: name.into(),
        display: name.into(),
        password: PASSWORD.into(),
        roles: vec![role.into()],
        organisation: Some(organisation.into()),
    };
    let identity = &city.running.app.identity;
    let made = identity.create(&kernel::Actor::system(), new).await;
    made.expect("an account");
    city.token(name).await
}

/// A city with departments of these codes, a designer and a clerk, and the process published.
async fn city_with(codes: &[&str]) -> (TestCity, String, String, String) {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let found: Vec<Value> = codes
        .iter()
        .map(|code| json!({"code": code, "title": {"zh": format!("{code}局"), "en": code}, "parent": "city_government"}))
        .collect();
    act(
        &city,
        &operator,
        json!({"do": "found", "organisations": found}),
    )
    .await;
    let designer = officer(&city, "designer", "service_designer", "data_bureau").await;
    let clerk = officer(&city, "clerk", "acceptance_clerk", "data_bureau").await;
    post(&city, "/api/v1/processes", &designer, process("t")).await;
    (city, operator, designer, clerk)
}

async fn act(city: &TestCity, operator: &str, act: Value) {
    let body = json!({"reason": "石政〔2026〕12 号", "act": act});
    post(city, "/api/v1/operator/organisations/acts", operator, body).await;
}

async fn start(city: &TestCity, clerk: &str, dept: &str) -> Value {
    let new =
        json!({"process": "joint", "title": "走查", "organisation": dept, "data": {"dept": dept}});
    post(city, "/api/v1/cases", clerk, new).await
}

async fn inbox(city: &TestCity, token: &str) -> Value {
    get(city, "/api/v1/tasks?limit=200", token).await
}

fn ids(inbox: &Value) -> Vec<String> {
    let items = inbox["items"].as_array().expect("a list").iter();
    items
        .map(|task| task["id"].as_str().expect("an id").to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_follows_a_department_that_is_merged_and_abolished() {
    let (city, operator, designer, clerk) = city_with(&["aud_o3", "aud_new", "aud_x"]).await;
    let old = officer(&city, "rev_old", "joint_reviewer", "aud_o3").await;
    let new = officer(&city, "rev_new", "joint_reviewer", "aud_new").await;
    let other = officer(&city, "rev_x", "joint_reviewer", "aud_x").await;
    let above = officer(&city, "rev_city", "joint_reviewer", "city_government").await;
    start(&city, &clerk, "aud_o3").await;
    let task = ids(&inbox(&city, &old).await).remove(0);
    let path = format!("/api/v1/tasks/{task}");
    assert_eq!(inbox(&city, &new).await["total"], 0);
    let early = city.call("GET", &path, Some(&new), None).await;
    assert_eq!(early.status, 404, "{}", early.text);

    act(
        &city,
        &operator,
        json!({"do": "merge", "from": ["aud_o3"], "into": "aud_new"}),
    )
    .await;
    let seen = inbox(&city, &new).await;
    assert_eq!(ids(&seen), std::slice::from_ref(&task), "{seen}");
    assert_eq!(seen["items"][0]["organisation"], "aud_new", "{seen}");
    assert_eq!(ids(&inbox(&city, &old).await), std::slice::from_ref(&task));
    assert_eq!(get(&city, &path, &new).await["task"]["id"], task.as_str());
    for stranger in [&other, &above] {
        assert_eq!(inbox(&city, stranger).await["total"], 0);
    }
    let hidden = city.call("GET", &path, Some(&other), None).await;
    assert_eq!(hidden.status, 404, "{}", hidden.text);
    let list = get(&city, "/api/v1/cases?organisation=aud_new", &designer).await;
    assert_eq!(list["total"], 1, "{list}");
    assert_eq!(list["items"][0]["organisation"], "aud_new", "{list}");
    // A form that still knows the old code.
    let late = start(&city, &clerk, "aud_o3").await;
    assert_eq!(late["organisation"], "aud_new", "{late}");
    assert_eq!(inbox(&city, &new).await["total"], 2);
    let done = json!({"verb": "complete", "data": {}});
    let done = post(&city, &format!("{path}/verbs"), &new, done).await;
    assert_eq!(done["case"]["state"], "completed");
    let case = done["case"]["id"].as_str().expect("an id");
    let history = get(&city, &format!("/api/v1/cases/{case}/history"), &designer).await;
    assert!(history.to_string().contains("rev_new"), "{history}");

    act(
        &city,
        &operator,
        json!({"do": "abolish", "code": "aud_new"}),
    )
    .await;
    assert_eq!(
        inbox(&city, &above).await["total"],
        1,
        "the one above has it"
    );
    assert_eq!(inbox(&city, &other).await["total"], 0);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_are_done_several_at_once_and_go_to_officials_only() {
    let (city, _, _, clerk) = city_with(&["aud_a", "aud_b"]).await;
    let mine = officer(&city, "rev_a", "joint_reviewer", "aud_a").await;
    let theirs = officer(&city, "rev_b", "joint_reviewer", "aud_b").await;
    for dept in ["aud_a", "aud_a", "aud_a", "aud_b"] {
        start(&city, &clerk, dept).await;
    }
    let own = ids(&inbox(&city, &mine).await);
    let foreign = ids(&inbox(&city, &theirs).await).remove(0);
    let path = "/api/v1/tasks/batch";
    let batch = |ids: &[String], act: Value| {
        let tasks: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "tasks": tasks, "act": act })
    };
    // One that is somebody else's and one that is not there do not stop the others.
    let all = [own.clone(), vec![foreign.clone(), "no-such".into()]].concat();
    let claimed = post(&city, path, &mine, batch(&all, json!({"verb": "claim"}))).await;
    let outcome = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().expect("a list").iter();
        let word = |item: &Value| match item["problem"]["code"].as_str() {
            Some(code) => code.to_string(),
            None => item["acted"]["task"]["assignee"].to_string(),
        };
        items.map(word).collect()
    };
    let (missing, me) = ("input.not_found", r#""rev_a""#);
    assert_eq!(
        outcome(&claimed),
        [me, me, me, missing, missing],
        "{claimed}"
    );
    let order = claimed["items"].as_array().expect("a list").iter();
    let order: Vec<&str> = order
        .map(|item| item["task"].as_str().unwrap_or(""))
        .collect();
    assert_eq!(order, all);
    // 转办 to nobody.
    for to in ["nobody_z", "resident", "nobody"] {
        let transfer = batch(
            &own,
            json!({"verb": "transfer", "to": to, "reason": "出差"}),
        );
        let refused = post(&city, path, &mine, transfer).await;
        for item in refused["items"].as_array().expect("a list") {
            assert_eq!(item["problem"]["code"], "input.invalid", "{to}: {item}");
            assert_eq!(item["problem"]["problems"][0]["at"], "to", "{to}: {item}");
        }
        let add = json!({"verb": "add_signer", "to": to, "reason": "请签署意见"});
        let verbs = format!("/api/v1/tasks/{}/verbs", own[0]);
        let refused = city.call("POST", &verbs, Some(&mine), Some(add)).await;
        assert_eq!(refused.status, 422, "{to}: {}", refused.text);
    }
    let transfer = json!({"verb": "transfer", "to": "rev_b", "reason": "出差"});
    let moved = post(&city, path, &mine, batch(&own[2..], transfer)).await;
    assert_eq!(outcome(&moved), [r#""rev_b""#]);
    // Done once, however often it is sent under the same key.
    let complete = batch(
        &own,
        json!({"verb": "complete", "data": {"opinion": "同意"}}),
    );
    let complete = complete.to_string();
    let mut answers = vec![];
    for _ in 0..2 {
        let headers = [("idempotency-key", "batch-1")];
        let body = Some(("application/json", complete.as_str()));
        let answer = city.raw("POST", path, Some(&mine), &headers, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answers.push(answer.json());
    }
    assert_eq!(answers[0], answers[1]);
    let states: Vec<&Value> = (0..3)
        .map(|n| &answers[0]["items"][n]["acted"]["task"]["state"])
        .collect();
    assert_eq!(states, [&json!("done"), &json!("done"), &Value::Null]);
    // Whole batches that are wrong.
    let many: Vec<String> = (0..101).map(|n| format!("t-{n}")).collect();
    let twice = vec![foreign.clone(), foreign.clone()];
    for wrong in [vec![], many, twice] {
        let body = batch(&wrong, json!({"verb": "claim"}));
        let refused = city.call("POST", path, Some(&mine), Some(body)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
    }
    let stale = json!({"tasks": [{"id": foreign, "revision": 9}], "act": {"verb": "claim"}});
    let stale = post(&city, path, &theirs, stale).await;
    assert_eq!(outcome(&stale), ["input.conflict"]);
    let unsigned = city
        .call(
            "POST",
            path,
            None,
            Some(batch(&own, json!({"verb": "claim"}))),
        )
        .await;
    assert_eq!(unsigned.status, 401, "{}", unsigned.text);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_cases_go_on_by_another_version() {
    let (city, _, designer, clerk) = city_with(&["aud_a"]).await;
    let reviewer = officer(&city, "rev_a", "joint_reviewer", "aud_a").await;
    let first = start(&city, &clerk, "aud_a").await;
    let second = start(&city, &clerk, "aud_a").await;
    post(&city, "/api/v1/processes", &designer, process("review")).await;
    let path = "/api/v1/processes/migrate";
    let ask = |more: Value| {
        let mut body = json!({"process": "joint", "from": 1, "to": 2, "dry": true});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        body
    };
    let whole = json!({"mapping": {"t": "review"}, "dry": false});
    for unrelated in ["nobody", "resident", "duty"] {
        let token = city.token(unrelated).await;
        let refused = city
            .call("POST", path, Some(&token), Some(ask(whole.clone())))
            .await;
        assert_eq!(refused.status, 403, "{unrelated}: {}", refused.text);
    }
    for token in [&clerk, &reviewer] {
        let refused = city
            .call("POST", path, Some(token), Some(ask(whole.clone())))
            .await;
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    // Nothing fits without a word on where `t` went.
    let dry = post(&city, path, &designer, ask(json!({}))).await;
    assert_eq!(dry["total"], 2, "{dry}");
    for item in dry["items"].as_array().expect("a list") {
        assert_eq!(
            (&item["nodes"], &item["problems"][0]["at"]),
            (&json!(["t"]), &json!("t"))
        );
        assert!(item["problems"][0]["words"]["zh"].is_string(), "{item}");
    }
    for (wrong, at) in [
        (json!({"to": 1}), "to"),
        (json!({"mapping": {"t": "nowhere"}}), "/mapping/t"),
    ] {
        let refused = city
            .call("POST", path, Some(&designer), Some(ask(wrong)))
            .await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["problems"][0]["at"], at);
    }
    // One by its number; the dry run says what the run then does.
    let mut one = json!({"mapping": {"t": "review"}, "cases": [first["number"]]});
    let would = post(&city, path, &designer, ask(one.clone())).await;
    one["dry"] = json!(false);
    let did = post(&city, path, &designer, ask(one)).await;
    assert_eq!(would, did);
    assert_eq!(
        (&did["total"], &did["items"][0]["problems"]),
        (&json!(1), &json!([]))
    );
    let version = async |case: &Value| {
        let path = format!("/api/v1/cases/{}", case["id"].as_str().expect("an id"));
        get(&city, &path, &designer).await["case"]["version"].clone()
    };
    assert_eq!(
        (version(&first).await, version(&second).await),
        (json!(2), json!(1))
    );
    let rest = post(&city, path, &designer, ask(whole)).await;
    assert_eq!(
        (&rest["total"], &rest["items"][0]["case"]),
        (&json!(1), &second["id"])
    );
    assert_eq!(version(&second).await, json!(2));
    let tasks = inbox(&city, &reviewer).await;
    assert_eq!(
        (&tasks["total"], &tasks["items"][0]["node"]),
        (&json!(2), &json!("review"))
    );
    let verbs = format!("/api/v1/tasks/{}/verbs", ids(&tasks)[0]);
    let done = json!({"verb": "complete", "data": {}});
    let done = post(&city, &verbs, &reviewer, done).await;
    assert_eq!(done["case"]["state"], "completed", "{done}");
    city.stop().await;
}
