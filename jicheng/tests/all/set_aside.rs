//! Work set aside after too many failures, over real HTTP: who may see it and try it again, of cases
//! and of applications; what is not set aside is not found; the page of health counts it.

use crate::city::{Answer, PASSWORD, TestCity};
use serde_json::{Value, json};
use std::time::Duration;
use store::applications::{JobRow, Write};
use store::cases::{JobRow as CaseJob, JobState, Writes};

const OF_CASES: &str = "/api/v1/cases/set-aside";
const OF_APPLICATIONS: &str = "/api/v1/service-applications/set-aside";

const PROCESS: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x"><process id="waits" name="等待" isExecutable="true"><startEvent id="s"/><userTask id="t" name="审查"/><endEvent id="e"/><sequenceFlow id="f1" sourceRef="s" targetRef="t"/><sequenceFlow id="f2" sourceRef="t" targetRef="e"/></process></definitions>"#;

async fn officer(city: &TestCity, name: &str, role: &str) -> String {
    let new = identity::NewAccount {
        name: name.into(),
        display: name.into(),
        password: PASSWORD.into(),
        roles: vec![role.into()],
        organisation: Some("data_bureau".into()),
    };
    let identity = &city.running.app.identity;
    let made = identity.create(&kernel::Actor::system(), new).await;
    made.expect("an account");
    city.token(name).await
}

async fn get(city: &TestCity, path: &str, token: &str) -> Value {
    let answer = city.call("GET", path, Some(token), None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

async fn retry(city: &TestCity, list: &str, id: &str, token: &str) -> Answer {
    let path = format!("{list}/{}/retry", id.replace('/', "%2F"));
    city.call("POST", &path, Some(token), None).await
}

/// Until the list no longer holds it.
async fn gone(city: &TestCity, list: &str, id: &str, token: &str) {
    let mut found = Value::Null;
    for _ in 0..100 {
        found = get(city, list, token).await;
        let items = found["items"].as_array().expect("a list");
        if items.iter().all(|item| item["id"] != id) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{id} is still set aside: {found}")
}

/// Two jobs of applications: one that succeeds when it is tried again, one nobody can do.
async fn of_applications(city: &TestCity) {
    let mut write = Write::default();
    for (n, kind, name) in [(1, "files", "forget"), (2, "riddle", "x")] {
        write.jobs.push(JobRow {
            id: format!("draft-{n}/{kind}/{name}"),
            application: format!("draft-{n}"),
            kind: kind.into(),
            name: name.into(),
            at: n,
            next_at: n * 1_000_000,
            attempts: 30,
            aside: 1,
            error: "outgoing.failed: nobody answers".into(),
        });
    }
    let mut tx = city.running.app.store.begin().await.expect("a transaction");
    let put = store::applications::write::apply(&mut tx, &mut write, &|_, _| {}).await;
    put.expect("jobs");
    tx.commit().await.expect("committed");
}

/// A case, and a job of it; answers its number.
async fn of_cases(city: &TestCity, designer: &str, clerk: &str) -> String {
    let new = json!({"name": "waits.bpmn", "xml": PROCESS});
    let path = "/api/v1/processes";
    let made = city.call("POST", path, Some(designer), Some(new)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let new = json!({"process": "waits", "title": "走查", "data": {}});
    let path = "/api/v1/cases";
    let made = city.call("POST", path, Some(clerk), Some(new)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let case = made.json();
    let job = CaseJob {
        id: "job-1".into(),
        case_id: case["id"].as_str().expect("an id").into(),
        wait: 77,
        kind: "service".into(),
        name: "nobody.does_this".into(),
        body: "{}".into(),
        state: JobState::Aside,
        attempts: 10,
        error: "system.internal: it broke".into(),
        at: 1_000_000,
        ..CaseJob::default()
    };
    let mut writes = Writes::default();
    writes.jobs.insert(job.id.clone(), Some(job));
    let mut tx = city.running.app.store.begin().await.expect("a transaction");
    let put = store::cases::write::write(&mut tx, &writes, &Default::default()).await;
    put.expect("a job");
    tx.commit().await.expect("committed");
    case["number"].as_str().expect("a number").into()
}

#[tokio::test(flavor = "multi_thread")]
async fn work_set_aside_is_seen_and_tried_again_by_who_may() {
    let city = TestCity::start().await;
    let designer = officer(&city, "designer", "service_designer").await;
    let clerk = officer(&city, "clerk", "acceptance_clerk").await;
    let (operator, nobody) = (city.token("operator").await, city.token("nobody").await);
    for list in [OF_CASES, OF_APPLICATIONS] {
        let empty = get(&city, list, &designer).await;
        assert_eq!(empty, json!({"items": [], "next": null, "total": 0}));
    }
    of_applications(&city).await;
    let number = of_cases(&city, &designer, &clerk).await;

    // Whoever watches over the machine is told how much it is; not whose.
    let health = get(&city, "/api/v1/operator/health", &operator).await;
    assert_eq!(
        health["set_aside"],
        json!({"cases": 1, "service_applications": 2})
    );
    // Nobody else sees it, or does anything.
    for (list, id) in [
        (OF_CASES, "job-1"),
        (OF_APPLICATIONS, "draft-1/files/forget"),
    ] {
        for token in [&nobody, &clerk] {
            let peek = city.call("GET", list, Some(token), None).await;
            assert_eq!(peek.status, 403, "{list}: {}", peek.text);
            let tried = retry(&city, list, id, token).await;
            assert_eq!(tried.status, 403, "{list}: {}", tried.text);
        }
        let wrong = format!("{list}?limit=0&colour=red");
        let wrong = city.call("GET", &wrong, Some(&designer), None).await;
        assert_eq!(wrong.status, 422, "{}", wrong.text);
    }
    assert_eq!(retry(&city, OF_CASES, "job-1", &operator).await.status, 403);

    let cases = get(&city, OF_CASES, &designer).await;
    let work = &cases["items"][0];
    assert_eq!(cases["total"], 1, "{cases}");
    assert_eq!(work["number"], number.as_str(), "{work}");
    assert_eq!(work["name"], "nobody.does_this");
    let found = get(&city, OF_APPLICATIONS, &designer).await;
    assert_eq!(found["total"], 2, "{found}");
    let first = &found["items"][0];
    assert_eq!(first["application"], "draft-1", "the oldest first");
    assert_eq!(first["number"], Value::Null, "a draft has none");
    assert_eq!(first["attempts"], 30);
    assert_eq!(first["at"], "1970-01-01T08:00:01+08:00");
    // As an older program kept it: its code, and one language for both.
    assert_eq!(first["error"]["code"], "outgoing.failed");
    assert_eq!(first["error"]["words"]["zh"], "nobody answers");
    let one = get(&city, &format!("{OF_APPLICATIONS}?limit=1"), &designer).await;
    assert_eq!(one["items"].as_array().map(Vec::len), Some(1));

    for (list, id) in [
        (OF_CASES, "none"),
        (OF_APPLICATIONS, "none"),
        (OF_APPLICATIONS, "draft-1/files/none"),
    ] {
        let lost = retry(&city, list, id, &designer).await;
        assert_eq!(lost.status, 404, "{id}: {}", lost.text);
        assert_eq!(lost.json()["code"], "input.not_found");
    }
    // An operator may try the work of applications again; of two who do, the second is told.
    let id = "draft-1/files/forget";
    let done = retry(&city, OF_APPLICATIONS, id, &operator).await;
    assert_eq!(done.status, 204, "{}", done.text);
    let again = retry(&city, OF_APPLICATIONS, id, &designer).await;
    assert_eq!(again.status, 404, "{}", again.text);
    gone(&city, OF_APPLICATIONS, id, &designer).await;
    // What fails once more waits for its next turn, and is not lost.
    let id = "draft-2/riddle/x";
    let done = retry(&city, OF_APPLICATIONS, id, &designer).await;
    assert_eq!(done.status, 204, "{}", done.text);
    gone(&city, OF_APPLICATIONS, id, &designer).await;
    let mut reader = city.running.app.store.reader().await.expect("a reader");
    let left = store::applications::read::jobs_of(&mut reader, "draft-2").await;
    assert_eq!(left.expect("jobs").len(), 1);
    drop(reader);
    let done = retry(&city, OF_CASES, "job-1", &designer).await;
    assert_eq!(done.status, 204, "{}", done.text);
    gone(&city, OF_CASES, "job-1", &designer).await;
    let again = retry(&city, OF_CASES, "job-1", &designer).await;
    assert_eq!(again.status, 404, "{}", again.text);

    written(&city).await;
    city.stop().await;
}

/// Who tried what again is in the audit log, under the purpose of the grant.
async fn written(city: &TestCity) {
    let filter = store::audit::AuditFilter {
        verb: Some("try_again".into()),
        limit: 10,
        ..Default::default()
    };
    let rows = city.running.app.store.audit().list(&filter).await;
    let rows = rows.expect("the audit log");
    let mut seen: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.entry.account.as_str(), row.entry.subject.as_str()))
        .collect();
    seen.sort_unstable();
    let expected = [
        ("designer", "draft-2"),
        ("designer", "job-1"),
        ("operator", "draft-1"),
    ];
    assert_eq!(seen, expected);
    assert!(rows.iter().all(|row| !row.entry.purpose.is_empty()));
}
