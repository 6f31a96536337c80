//! A licence as a file to print, over real HTTP: its holder, an agent of it and the office that
//! issued it have PDF and OFD with the purpose across; everybody else learns nothing; every print is
//! a use the holder sees; the check page tells genuine from altered and says where the licence stands.

use crate::attacks::parties::{Resident, Town};
use crate::city::{Answer, PASSWORD};
use kernel::Span;
use kernel::numbers::credit_check;
use serde_json::{Value, json};

/// An officer of an organisation, signed in.
async fn officer(town: &Town, name: &str, organisation: &str) -> String {
    let new = identity::NewAccount {
        name: name.into(),
        display: "王审批".into(),
        password: PASSWORD.into(),
        roles: vec!["permit_approver".into()],
        organisation: Some(organisation.into()),
    };
    let identity = &town.city.running.app.identity;
    let made = identity.create(&kernel::Actor::system(), new).await;
    made.expect("an account");
    town.city.token(name).await
}

async fn issue(town: &Town, officer: &str, source: &str, holder: Value) -> String {
    let fields = json!({
        "premises": "石家庄市桥西区示例路 1 号", "business": "catering", "items": "热食类食品制售",
        "responsible": "王某某",
    });
    let new = json!({"licences": [{
        "kind": "food_business_permit", "source": source, "number": format!("JY2130199{source}"),
        "holder": holder, "fields": fields,
    }]});
    let made = town.post("/api/v1/licences", Some(officer), new).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let identifier = made.json()["items"][0]["identifier"].clone();
    identifier.as_str().expect("an identifier").to_string()
}

async fn print(town: &Town, path: &str, token: Option<&str>, body: Value) -> (Answer, Vec<u8>) {
    // Uses are told apart by their instant.
    town.clock.advance(Span::minutes(1));
    let body = body.to_string();
    let sent = ("application/json", body.as_bytes());
    town.city.bytes("POST", path, token, sent).await
}

async fn examine(town: &Town, bytes: &[u8]) -> Value {
    let sent = ("application/pdf", bytes);
    let path = "/api/v1/letters/verify-pdf";
    let (answer, _) = town.city.bytes("POST", path, None, sent).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn uses(town: &Town, holder: &Resident, identifier: &str) -> Vec<Value> {
    let path = format!("/api/v1/me/licences/{identifier}/uses");
    let answer = town.get(&path, &holder.token).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// Text of a PDF by a foreign reader, without spaces; `None` where it is not installed.
fn text_of(bytes: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.pdf");
    std::fs::write(&path, bytes).expect("write");
    if let Ok(out) = std::env::var("LETTERS_OUT") {
        std::fs::write(format!("{out}/of-the-program.pdf"), bytes).expect("write");
    }
    let mut run = std::process::Command::new("pdftotext");
    let output = run.arg("-layout").arg(&path).arg("-").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.chars().filter(|c| !c.is_whitespace()).collect())
}

const START: &str = "2026-11-25T10:00:00+08:00";

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_prints_a_licence_and_it_is_verified() {
    let town = Town::start(START).await;
    let approver = officer(&town, "approver", "data_bureau").await;
    let (holder, other) = (town.resident(1).await, town.resident(2).await);
    let (number, name) = parties::demo_person(1);
    let person = json!({"document": "citizen_number", "number": number, "name": name});
    let identifier = issue(&town, &approver, "000001", person).await;
    let path = format!("/api/v1/me/licences/{identifier}/print");
    let ask = |format: &str, purpose: &str| json!({"format": format, "purpose": purpose});

    // Refused with the fault named in both languages, and no use is written down.
    for (body, at) in [
        (ask("pdf", " "), "purpose"),
        (ask("pdf", &"长".repeat(61)), "purpose"),
        (ask("docx", "办理开户"), "format"),
        (
            json!({"format": "pdf", "purpose": "办理开户", "fields": ["secret"]}),
            "fields",
        ),
    ] {
        let (refused, _) = print(&town, &path, Some(&holder.token), body).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        let problem = &refused.json()["problems"][0];
        assert_eq!(problem["at"], at, "{}", refused.text);
        for language in ["zh", "en"] {
            assert!(problem["words"][language].is_string(), "{}", refused.text);
        }
    }
    assert!(uses(&town, &holder, &identifier).await.is_empty());

    let good = ask("pdf", "办理开户");
    let (answer, pdf) = print(&town, &path, Some(&holder.token), good.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("application/pdf"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let disposition = answer.header("content-disposition").unwrap_or_default();
    // 食品经营许可证JY….pdf, and a name in ASCII beside it.
    let coded = "filename*=UTF-8''%E9%A3%9F%E5%93%81%E7%BB%8F%E8%90%A5%E8%AE%B8%E5%8F%AF%E8%AF%81JY2130199000001.pdf";
    assert!(disposition.contains(coded), "{disposition}");
    assert!(disposition.is_ascii() && disposition.starts_with("attachment"));
    assert!(pdf.starts_with(b"%PDF-"));
    if let Some(text) = text_of(&pdf) {
        let mark = format!("仅供{name}用于办理开户，他用无效（2026-11-25");
        for part in [
            "食品经营许可证",
            &number,
            "餐饮服务经营者",
            "示例路1号",
            &mark,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
    genuine_then_altered(&town, &pdf, &identifier).await;

    let (answer, ofd) = print(&town, &path, Some(&holder.token), ask("ofd", "存档")).await;
    assert_eq!(answer.header("content-type"), Some("application/ofd"));
    assert!(ofd.starts_with(b"PK"));
    // An extract says less, and the use says what.
    let chosen = json!({"format": "pdf", "purpose": "核对业态", "fields": ["business"]});
    let (_, extract) = print(&town, &path, Some(&holder.token), chosen).await;
    if let Some(text) = text_of(&extract) {
        assert!(text.contains("本件为摘录") && text.contains("餐饮服务经营者"));
        assert!(
            !text.contains(&number) && !text.contains("示例路"),
            "{text}"
        );
    }
    let used = uses(&town, &holder, &identifier).await;
    let said: Vec<_> = used.iter().map(|u| (&u["way"], &u["purpose"])).collect();
    assert_eq!(
        json!(said),
        json!([
            ["print", "核对业态"],
            ["print", "存档"],
            ["print", "办理开户"]
        ])
    );
    assert_eq!(
        used[0]["fields"],
        json!(["holder_name", "number", "business"])
    );
    assert_eq!(used[0]["verifier"], name.as_str());

    strangers_learn_nothing(&town, &identifier, &other, &good).await;
    let office = format!("/api/v1/licences/{identifier}/print");
    by_the_office(&town, &office, &approver, &holder, &identifier).await;
    suspended(&town, &identifier, (&approver, &holder), &pdf, &good).await;
    town.city.stop().await;
}

async fn genuine_then_altered(town: &Town, pdf: &[u8], identifier: &str) {
    let found = examine(town, pdf).await;
    assert_eq!(found["verdict"], "valid", "{found}");
    assert_eq!(found["signer"], "石家庄市数据和政务服务局", "{found}");
    assert_eq!(found["licence"]["identifier"], identifier, "{found}");
    assert_eq!(found["licence"]["verdict"], "valid", "{found}");
    // A digit of the identifier, as the signature names it.
    let named = b"/XXLicence<";
    let at = pdf.windows(named.len()).rposition(|part| part == named);
    let mut altered = pdf.to_vec();
    altered[at.expect("its identifier") + named.len()] ^= 1;
    let found = examine(town, &altered).await;
    assert_eq!(found["verdict"], "altered", "{found}");
    assert_eq!(found["licence"], Value::Null, "{found}");
    // A print of many characters embeds many: up to 1 MiB is looked at.
    let found = examine(town, &vec![b'x'; 1 << 20]).await;
    assert_eq!(found["verdict"], "unreadable", "{found}");
}

/// Somebody else's licence, and one there is none of, are refused alike.
async fn strangers_learn_nothing(town: &Town, identifier: &str, other: &Resident, good: &Value) {
    let rules = licences::identifier::Rules::default();
    let (kind, issuer) = ("11130199MB0000001R001", "11130199MB0000001R");
    let none = rules
        .make(kind, issuer, "999999", 1)
        .expect("one")
        .to_string();
    let mut answers = vec![];
    for identifier in [identifier, &none] {
        let path = format!("/api/v1/me/licences/{identifier}/print");
        let (refused, _) = print(town, &path, Some(&other.token), good.clone()).await;
        assert_eq!(refused.status, 404, "{}", refused.text);
        answers.push((
            refused.json()["code"].clone(),
            refused.json()["detail"].clone(),
        ));
        let (refused, _) = print(town, &path, None, good.clone()).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
    }
    assert_eq!(answers[0], answers[1]);
    let abroad = officer(town, "abroad", "water_bureau").await;
    let mut answers = vec![];
    for identifier in [identifier, &none] {
        let path = format!("/api/v1/licences/{identifier}/print");
        let (refused, _) = print(town, &path, Some(&other.token), good.clone()).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        let (refused, _) = print(town, &path, Some(&abroad), good.clone()).await;
        assert_eq!(refused.status, 404, "{}", refused.text);
        answers.push((
            refused.json()["code"].clone(),
            refused.json()["detail"].clone(),
        ));
    }
    assert_eq!(answers[0], answers[1]);
}

/// Its issuer prints it, and the holder sees which office, who and what for; the audit log too.
async fn by_the_office(
    town: &Town,
    path: &str,
    approver: &str,
    holder: &Resident,
    identifier: &str,
) {
    let body = json!({"format": "pdf", "purpose": "持证人丢失手机，窗口补印"});
    let (answer, pdf) = print(town, path, Some(approver), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(examine(town, &pdf).await["verdict"], "valid");
    let used = uses(town, holder, identifier).await;
    assert_eq!(used[0]["way"], "office_print", "{}", used[0]);
    assert_eq!(used[0]["verifier"], "石家庄市数据和政务服务局 王审批");
    assert_eq!(used[0]["purpose"], "持证人丢失手机，窗口补印");
    let seen = town.get("/api/v1/me/data-access", &holder.token).await;
    assert!(seen.text.contains("窗口补印"), "{}", seen.text);
}

/// What counts no more is not printed, by nobody; a print made before is genuine, and the check
/// says that the licence does not count.
async fn suspended(
    town: &Town,
    identifier: &str,
    (approver, holder): (&str, &Resident),
    pdf: &[u8],
    good: &Value,
) {
    let before = uses(town, holder, identifier).await.len();
    let change = format!("/api/v1/licences/{identifier}/change");
    let suspend = json!({"to": "suspended", "reason": "整改期间暂停"});
    let done = town.post(&change, Some(approver), suspend).await;
    assert_eq!(done.status, 200, "{}", done.text);
    for (path, token) in [
        (
            format!("/api/v1/me/licences/{identifier}/print"),
            &*holder.token,
        ),
        (format!("/api/v1/licences/{identifier}/print"), approver),
    ] {
        let (refused, _) = print(town, &path, Some(token), good.clone()).await;
        assert_eq!(refused.status, 409, "{}", refused.text);
        let refused = refused.json();
        assert_eq!(refused["code"], "licences.not_in_force", "{refused}");
        assert!(
            refused["detail"]
                .as_str()
                .is_some_and(|d| d.contains("整改期间暂停"))
        );
    }
    let after = uses(town, holder, identifier).await.len();
    assert_eq!(after, before + 1, "what the change showed, and no print");
    let found = examine(town, pdf).await;
    assert_eq!(found["verdict"], "valid", "{found}");
    assert_eq!(found["licence"]["verdict"], "suspended", "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_prints_the_licence_of_the_firm_within_the_authorisation() {
    let town = Town::start(START).await;
    let approver = officer(&town, "approver", "data_bureau").await;
    let (boss, agent) = (town.resident(1).await, town.resident(2).await);
    let firm = town.firm(&boss).await;
    let first = "91130199MA0000001";
    let code = format!("{first}{}", credit_check(first).expect("a check"));
    let holder = json!({"document": "credit_code", "number": code, "name": "冀城演示有限公司"});
    let identifier = issue(&town, &approver, "000002", holder).await;
    let path = format!("/api/v1/me/licences/{identifier}/print");
    let ask = json!({"format": "pdf", "purpose": "投标"});
    let within = town.agent(&boss, &firm, &agent, &["licences"]).await;
    // For themselves the licence is not there; for the firm it is.
    let (refused, _) = print(&town, &path, Some(&agent.token), ask.clone()).await;
    assert_eq!(refused.status, 404, "{}", refused.text);
    let acting = town.act(&agent, Some(&within)).await;
    assert_eq!(acting.status / 100, 2, "{}", acting.text);
    let (answer, pdf) = print(&town, &path, Some(&agent.token), ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    if let Some(text) = text_of(&pdf) {
        assert!(
            text.contains("仅供冀城演示有限公司（小冀代办）用于投标"),
            "{text}"
        );
    }
    town.city.stop().await;
}
