//! Who looked at my data: an officer reads a register with personal data, and the person each
//! record is about finds the reading, with purpose, basis, fields and case; nobody else does.

use crate::api::{follows, problem};
use crate::city::{PASSWORD, TestCity};
use audit::questions::{Kind, Measure};
use jicheng::config::Config;
use jicheng::run::{Parts, Running};
use kernel::{Actor, SystemClock};
use serde_json::{Value, json};
use std::sync::Arc;

const REGISTER: &str = r#"{
  "title": "居民", "x-title-en": "Residents", "x-key": "code", "x-owner": "data_bureau",
  "x-access": {"person": "number"}, "x-summary": ["code", "name"],
  "type": "object", "required": ["code"], "properties": {
    "code": {"type": "string", "title": "编号", "x-title-en": "Code"},
    "number": {"type": "string", "title": "公民身份号码", "x-title-en": "Citizen number", "x-personal": true},
    "name": {"type": "string", "title": "姓名", "x-title-en": "Name", "x-personal": true}
  }}"#;
const ROLES: &str = "
roles:
  clerk:
    title: { zh: 窗口, en: Clerk }
    may:
      - do: [read, write]
        on: [registers, register.resident]
        purpose: 办理户籍业务
        basis: 《中华人民共和国户口登记条例》第三条
";
/// Citizen numbers of the unassigned area 130199 with valid check digits.
const ANNA: &str = "130199199001010014";
const BERT: &str = "130199199001010030";

async fn account(running: &Running, name: &str, role: &str) {
    let new = identity::NewAccount {
        name: name.into(),
        display: format!("{name}（窗口）"),
        password: PASSWORD.into(),
        roles: vec![role.into()],
        organisation: Some("data_bureau".into()),
    };
    let made = running.app.identity.create(&Actor::system(), new).await;
    made.expect(name);
}

async fn city() -> TestCity {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = jicheng::embed::declarations("", "shijiazhuang").expect("declarations");
    let head = "title: { zh: 居民, en: Residents }\nowner: data_bureau\nmaturity: draft\n";
    for (file, text) in [
        ("system.yaml", head),
        ("registers/resident.schema.json", REGISTER),
        ("access/roles.yaml", ROLES),
    ] {
        files.insert(format!("systems/residents/{file}"), text.into());
    }
    let declared = kernel::declare::check::load(&files).unwrap_or_else(|f| panic!("{f:#?}"));
    let flags = [
        ("data", folder.path().join("data").display().to_string()),
        ("http", "127.0.0.1:0".to_string()),
        ("hj212", "127.0.0.1:0".to_string()),
    ];
    let flags = flags.map(|(name, value)| (name.to_string(), value));
    let config = Config::load(None, std::iter::empty(), &flags).expect("a configuration");
    let parts = Parts {
        http: true,
        gateways: false,
        simulated: false,
        replaying: false,
    };
    let running = Running::start(config, declared, Arc::new(SystemClock), parts);
    let running = running.await.expect("a city");
    for (name, role) in [
        ("clerk", "clerk"),
        ("protection", "data_protection_officer"),
        ("resident", "resident"),
        ("auditor", "auditor"),
    ] {
        account(&running, name, role).await;
    }
    TestCity::of(running, folder)
}

async fn put(city: &TestCity, clerk: &str, code: &str, number: &str) {
    let fields = json!({"fields": {"code": code, "number": number, "name": "演示"}});
    let path = format!("/api/v1/registers/resident/{code}");
    let made = city.call("PUT", &path, Some(clerk), Some(fields)).await;
    assert_eq!(made.status, 201, "{}", made.text);
}

async fn looks(city: &TestCity, number: &str) -> Vec<Value> {
    let log = &city.running.app.log;
    let subject = log.subject(number, None).expect("a subject");
    let (found, _) = log.accesses(&subject, None, 100).await.expect("looks");
    found.iter().map(|look| json!(look)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_person_finds_who_read_their_record_and_why_and_is_answered() {
    let city = city().await;
    let clerk = city.token("clerk").await;
    put(&city, &clerk, "r1", ANNA).await;
    put(&city, &clerk, "r2", BERT).await;
    let one = "/api/v1/registers/resident/r1";
    let read = city
        .raw("GET", one, Some(&clerk), &[("x-case", "2026-HJ-17")], None)
        .await;
    assert_eq!(read.status, 200, "{}", read.text);
    let list = "/api/v1/registers/resident?limit=10";
    assert_eq!(city.call("GET", list, Some(&clerk), None).await.status, 200);
    let history = "/api/v1/registers/resident/r1/history";
    assert_eq!(
        city.call("GET", history, Some(&clerk), None).await.status,
        200
    );
    // A list that gives nothing away is no look at anybody.
    let nothing = "/api/v1/registers/resident?text=nowhere";
    city.call("GET", nothing, Some(&clerk), None).await;
    let bad = [("x-case", "")];
    let bad = city.raw("GET", one, Some(&clerk), &bad, None).await;
    problem(&bad, 422, "input.invalid");

    let anna = looks(&city, ANNA).await;
    assert_eq!(anna.len(), 3, "{anna:#?}");
    let first = anna.last().expect("the first look");
    assert_eq!(first["display"], "clerk（窗口）");
    assert_eq!(first["organisation"], "data_bureau");
    assert_eq!(first["purpose"], "办理户籍业务");
    assert_eq!(first["basis"], "《中华人民共和国户口登记条例》第三条");
    assert_eq!(first["case"], "2026-HJ-17");
    assert_eq!(first["fields"], json!(["name", "number"]));
    assert_eq!(looks(&city, BERT).await.len(), 1, "the list only");

    // The log names records and not citizen numbers.
    let auditor = city.token("auditor").await;
    let log = "/api/v1/operator/audit?object=register.resident&verb=read";
    let log = city.call("GET", log, Some(&auditor), None).await;
    assert!(
        log.text.contains("r1") && !log.text.contains(ANNA),
        "{}",
        log.text
    );

    // Without a proven identity nothing is shown, and nothing can be asked.
    let resident = city.token("resident").await;
    let resident = Some(resident.as_str());
    let mine = city
        .call("GET", "/api/v1/me/data-access", resident, None)
        .await;
    follows(&mine, "DataAccessPage");
    assert_eq!(
        (&mine.json()["proven"], &mine.json()["total"]),
        (&json!(false), &json!(0))
    );
    let seq = first["seq"].as_i64().expect("a number");
    let path = format!("/api/v1/me/data-access/{seq}/question");
    let question = Some(json!({"kind": "ask", "text": "为什么"}));
    let refused = city.call("POST", &path, resident, question).await;
    problem(&refused, 403, "access.denied");

    let app = &city.running.app;
    let subject = app.log.subject(ANNA, None).expect("a subject");
    let actor = Actor {
        account: "resident".into(),
        ..Actor::default()
    };
    let asked = app
        .log
        .ask(&actor, &subject, seq, Kind::Object, "我没有办理过业务");
    let asked = asked.await.expect("asked");
    let officer = city.token("protection").await;
    let officer = Some(officer.as_str());
    let cases = "/api/v1/data-questions?state=open";
    let cases = city.call("GET", cases, officer, None).await;
    follows(&cases, "DataQuestionCasePage");
    assert_eq!(cases.json()["total"], 1);
    assert_eq!(cases.json()["items"][0]["entry"]["seq"], seq);
    let path = format!("/api/v1/data-questions/{}/answer", asked.id);
    let answer = |text: &str| Some(json!({"measure": "upheld", "answer": text}));
    let denied = city.call("POST", &path, Some(&clerk), answer("不")).await;
    problem(&denied, 403, "access.denied");
    let empty = city.call("POST", &path, officer, answer(" ")).await;
    problem(&empty, 422, "input.invalid");
    let done = city
        .call("POST", &path, officer, answer("查实，已处理"))
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    follows(&done, "DataQuestionCase");
    let twice = city.call("POST", &path, officer, answer("再答")).await;
    assert_eq!(twice.status, 409, "{}", twice.text);
    let asked = app.log.asked(&subject, None, 10).await;
    let (mine, _) = asked.expect("mine");
    assert_eq!(mine[0].answer.as_deref(), Some("查实，已处理"));
    assert_eq!(json!(mine[0].measure), json!(Measure::Upheld));
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_takes_away_what_a_verifier_needs() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let operator = Some(operator.as_str());
    let get = async |path: &str| city.call("GET", path, operator, None).await;
    let checkpoint = get("/api/v1/operator/audit/checkpoint").await;
    follows(&checkpoint, "Checkpoint");
    let size = checkpoint.json()["size"].as_u64().expect("a size");
    follows(
        &get("/api/v1/operator/audit/checkpoints").await,
        "CheckpointPage",
    );
    let proof = get("/api/v1/operator/audit/2/proof").await;
    follows(&proof, "InclusionProof");
    let path = format!("/api/v1/operator/audit/consistency?from=1&to={size}");
    follows(&get(&path).await, "ConsistencyProof");
    let export = get("/api/v1/operator/audit/export").await;
    assert_eq!(export.header("content-type"), Some("application/x-ndjson"));
    assert!(export.text.lines().count() as u64 >= size);
    for (path, status) in [
        ("/api/v1/operator/audit/0/proof", 404),
        ("/api/v1/operator/audit/x/proof", 404),
        ("/api/v1/operator/audit/9999/proof", 404),
        ("/api/v1/operator/audit/consistency?from=5&to=2", 422),
        ("/api/v1/operator/audit/consistency?from=1", 422),
        ("/api/v1/operator/audit/consistency?from=-1&to=x", 422),
    ] {
        assert_eq!(get(path).await.status, status, "{path}");
    }
    let verdict = city
        .call("POST", "/api/v1/operator/audit/verify", operator, None)
        .await;
    follows(&verdict, "AuditVerdict");
    assert_eq!(verdict.json()["ok"], true, "{}", verdict.text);
    let officer = city.token("officer").await;
    let denied = city
        .call("GET", "/api/v1/operator/audit/export", Some(&officer), None)
        .await;
    problem(&denied, 403, "access.denied");

    // The verifier believes it with the public key alone.
    let set = get("/api/v1/operator/keys/audit/public").await;
    let keys = verify::keys::read(&set.text).expect("keys");
    let (entry, _) = verify::proofs::inclusion(&proof.json(), &keys).expect("a proof");
    assert_eq!(entry.seq, 2);
    let text = checkpoint.json()["text"]
        .as_str()
        .expect("text")
        .to_string();
    let known = verify::note::open(&text, &keys).expect("a signature");
    let report = verify::log::check(export.text.as_bytes(), &[known]).expect("a report");
    assert_eq!((report.faults, report.proved), (vec![], size));
    city.stop().await;
}
