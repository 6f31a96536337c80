//! A new department in a running city, by the API and by files, from nothing to its officers at
//! work, without a restart; and what must be refused on the way.

use crate::city::{Answer, PASSWORD, TestCity};
use serde_json::{Value, json};
use std::time::Instant;

const NEW: &str = "Fresh-words-4711";

impl TestCity {
    async fn post(&self, token: &str, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(token), Some(body)).await
    }

    async fn done(&self, token: &str, path: &str, body: Value) -> Value {
        let answer = self.post(token, path, body).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
        answer.json()
    }

    async fn get(&self, token: &str, path: &str) -> Answer {
        self.call("GET", path, Some(token), None).await
    }

    /// Signs in with the password of the invitation and takes one of their own.
    async fn first_day(&self, account: &str, first: &str) -> String {
        let body = json!({"account": account, "password": first});
        let answer = self.call("POST", "/api/v1/session", None, Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        assert_eq!(
            body["must"], "change_password",
            "a password of others is changed first"
        );
        let token = body["token"].as_str().expect("token").to_string();
        let change = json!({"old": first, "new": NEW});
        let changed = self.post(&token, "/api/v1/session/password", change).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let body = json!({"account": account, "password": NEW});
        let answer = self.call("POST", "/api/v1/session", None, Some(body)).await;
        answer.json()["token"].as_str().expect("token").to_string()
    }

    /// An organisation with a manager's and a duty officer's position; answers their
    /// identifications.
    async fn department(&self, operator: &str, code: &str) -> (String, String) {
        let act = json!({"reason": "石政〔2026〕12 号", "act": {"do": "found", "organisations": [
            {"code": code, "title": {"zh": format!("{code}局"), "en": code}, "parent": "city_government"},
            {"code": format!("{code}_1"), "title": {"zh": "一科", "en": "Section"}, "parent": code},
        ]}});
        self.done(operator, "/api/v1/operator/organisations/acts", act)
            .await;
        let path = format!("/api/v1/organisations/{code}/positions");
        let position = |title: &str, roles: &[&str], rank: &str| json!({"organisation": code, "title": {"zh": title, "en": title}, "roles": roles, "rank": rank});
        let head = position("局长", &["organisation_manager", "duty_officer"], "head");
        let head = self.done(operator, &path, head).await;
        let clerk = self
            .done(
                operator,
                &path,
                position("值班员", &["duty_officer"], "staff"),
            )
            .await;
        let id = |made: &Value| made["id"].as_str().expect("id").to_string();
        (id(&head), id(&clerk))
    }

    async fn invite(&self, by: &str, code: &str, account: &str, position: &str) -> String {
        let body = json!({"account": account, "name": format!("{account} 某"), "position": position, "phone": "0311-8600"});
        let path = format!("/api/v1/organisations/{code}/invitations");
        let invited = self.done(by, &path, body).await;
        invited["password"].as_str().expect("password").to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_department_works_without_a_restart() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let began = Instant::now();
    let (head, clerk) = city.department(&operator, "heating").await;
    let (other_head, _) = city.department(&operator, "gardens").await;
    let first = city
        .invite(&operator, "heating", "heating.head", &head)
        .await;
    let head_token = city.first_day("heating.head", &first).await;
    // The head brings in an officer; the operator is needed no more.
    let first = city
        .invite(&head_token, "heating", "heating.duty", &clerk)
        .await;
    let duty = city.first_day("heating.duty", &first).await;
    let alerts = city.get(&duty, "/api/v1/alerts").await;
    assert_eq!(alerts.status, 200, "{}", alerts.text);
    eprintln!(
        "a department from nothing to an officer at work: {:?}",
        began.elapsed()
    );

    let session = city.get(&duty, "/api/v1/session").await.json();
    assert!(
        session["roles"].to_string().contains("duty_officer"),
        "{session}"
    );
    let directory = city
        .get(&duty, "/api/v1/directory?text=heating")
        .await
        .json();
    assert_eq!(directory["total"], 2, "{directory}");
    // Within the scope, and nothing beyond it.
    let own = city.get(&head_token, "/api/v1/members/heating.duty").await;
    assert_eq!(own.status, 200, "{}", own.text);
    let first = city
        .invite(&operator, "gardens", "gardens.head", &other_head)
        .await;
    city.first_day("gardens.head", &first).await;
    let foreign = city.get(&head_token, "/api/v1/members/gardens.head").await;
    assert_eq!(
        foreign.status, 404,
        "nobody learns who is there: {}",
        foreign.text
    );
    let body = json!({"account": "spy", "name": "某", "position": other_head});
    let refused = city
        .post(
            &head_token,
            "/api/v1/organisations/gardens/invitations",
            body.clone(),
        )
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let mixed = city
        .post(
            &head_token,
            "/api/v1/organisations/heating/invitations",
            body,
        )
        .await;
    assert_eq!(
        mixed.status, 422,
        "a position of another organisation: {}",
        mixed.text
    );
    // A manager makes no operator of themselves.
    let wide = json!({"organisation": "heating", "title": {"zh": "王", "en": "King"}, "roles": ["operator"]});
    let refused = city
        .post(&head_token, "/api/v1/organisations/heating/positions", wide)
        .await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let act = json!({"reason": "x", "act": {"do": "abolish", "code": "gardens"}});
    let refused = city
        .post(&head_token, "/api/v1/operator/organisations/acts", act)
        .await;
    assert_eq!(refused.status, 403);
    let peek = city.get(&duty, "/api/v1/members/heating.head").await;
    assert_eq!(
        peek.status, 404,
        "a colleague's leave is not theirs to read"
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_department_comes_from_files() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let began = Instant::now();
    let organisations = "organisations:\n  metro:\n    title: {zh: 轨道办, en: Metro office}\n    \
         parent: city_government\n    positions:\n      \
         - {title: {zh: 主任, en: Director}, roles: [organisation_manager], rank: head}\n      \
         - {title: {zh: 值班员, en: Duty officer}, roles: [duty_officer]}\n";
    let members = "account,name,organisation,position,main,phone\n\
         metro.head,钱某,metro,主任,,0311-1\nmetro.duty,孙某,metro,值班员,,\n";
    let import = "/api/v1/operator/organisations/import?format=yaml";
    let people = "/api/v1/operator/members/import";
    let send = async |path: &str, text: &str| {
        let body = Some(("application/octet-stream", text));
        city.raw("POST", path, Some(&operator), &[], body).await
    };
    let early = send(people, members).await;
    assert_eq!(
        early.status, 422,
        "no such organisation yet: {}",
        early.text
    );
    let dry = send(&format!("{import}&dry_run=true"), organisations).await;
    assert_eq!((dry.status, &dry.json()["created"]), (200, &json!(3)));
    assert_eq!(send(import, organisations).await.status, 200);
    let wrong = members
        .replace("metro.duty", "Metro Duty")
        .replace("主任", "没有");
    let refused = send(people, &wrong).await;
    let at: Vec<String> = refused.json()["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|p| p["at"].as_str().unwrap_or("").to_string())
        .collect();
    assert_eq!(at, ["line 3/name", "line 2"], "{}", refused.text);
    let done = send(people, members).await.json();
    assert_eq!(done["created"], 2, "{done}");
    let first = done["accounts"][1]["password"].as_str().expect("password");
    let duty = city.first_day("metro.duty", first).await;
    assert_eq!(city.get(&duty, "/api/v1/alerts").await.status, 200);
    eprintln!(
        "a department from files to an officer at work: {:?}",
        began.elapsed()
    );
    let again = send(people, members).await.json();
    assert_eq!(
        (&again["unchanged"], &again["accounts"]),
        (&json!(2), &json!([]))
    );
    assert_eq!(send(import, organisations).await.json()["unchanged"], 3);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delegation_lends_and_is_written_down_with_both_names() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let (head, clerk) = city.department(&operator, "heating").await;
    let first = city.invite(&operator, "heating", "li", &clerk).await;
    let li = city.first_day("li", &first).await;
    let nobody = city.token("nobody").await;
    let give =
        json!({"receiver": "nobody", "to": "2099-01-01", "objects": ["alerts"], "reason": "出差"});
    let refused = city.post(&li, "/api/v1/me/delegations", give.clone()).await;
    assert_eq!(refused.status, 422, "more than 400 days: {}", refused.text);
    let tomorrow = kernel::Clock::now(&kernel::SystemClock) + kernel::Span::days(1);
    let mut give = give;
    give["to"] = json!(tomorrow);
    let too_wide =
        json!({"receiver": "nobody", "to": tomorrow, "roles": ["operator"], "reason": "x"});
    assert_eq!(
        city.post(&li, "/api/v1/me/delegations", too_wide)
            .await
            .status,
        422
    );
    let foreign =
        json!({"receiver": "nobody", "to": tomorrow, "objects": ["accounts"], "reason": "x"});
    assert_eq!(
        city.post(&li, "/api/v1/me/delegations", foreign)
            .await
            .status,
        422
    );
    let made = city.done(&li, "/api/v1/me/delegations", give).await;
    let id = made["id"].as_str().expect("id").to_string();
    let under = async |token: &str, method: &str, path: &str, body: Option<&str>| {
        let body = body.map(|text| ("application/json", text));
        city.raw(method, path, Some(token), &[("x-delegation", &id)], body)
            .await
    };
    assert_eq!(
        city.get(&nobody, "/api/v1/alerts").await.status,
        403,
        "not by itself"
    );
    assert_eq!(
        under(&nobody, "GET", "/api/v1/alerts", None).await.status,
        200
    );
    assert_eq!(
        under(&nobody, "GET", "/api/v1/registers", None)
            .await
            .status,
        403,
        "alerts only"
    );
    assert_eq!(
        under(&operator, "GET", "/api/v1/alerts", None).await.status,
        403,
        "not theirs"
    );
    let on = format!("{{\"receiver\":\"resident\",\"to\":\"{tomorrow}\",\"reason\":\"x\"}}");
    let further = under(&nobody, "POST", "/api/v1/me/delegations", Some(&on)).await;
    assert_eq!(further.status, 422, "not further: {}", further.text);
    let audit = city
        .get(&operator, "/api/v1/operator/audit?verb=act_for")
        .await
        .json();
    let line = &audit["items"]
        .as_array()
        .expect("items")
        .last()
        .expect("a line")["details"];
    assert_eq!(
        (&line["by"], &line["for"]),
        (&json!("nobody"), &json!("li")),
        "{audit}"
    );
    // Both see it; the giver takes it back, at once.
    let seen = city.get(&nobody, "/api/v1/me/delegations").await.json();
    assert_eq!(seen["total"], 1);
    let path = format!("/api/v1/me/delegations/{id}?reason=back");
    let ended = city.call("DELETE", &path, Some(&li), None).await;
    assert_eq!(ended.status, 200, "{}", ended.text);
    assert_eq!(
        under(&nobody, "GET", "/api/v1/alerts", None).await.status,
        403
    );
    let _ = head;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_hands_over_and_cannot_come_back() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    let (head, clerk) = city.department(&operator, "heating").await;
    let first = city.invite(&operator, "heating", "boss", &head).await;
    let boss = city.first_day("boss", &first).await;
    let first = city.invite(&boss, "heating", "li", &clerk).await;
    let li = city.first_day("li", &first).await;
    let work = city.get(&boss, "/api/v1/members/li/work").await;
    assert_eq!(work.status, 200, "{}", work.text);
    let plan = json!({"leaves_service": true, "to": {"account": "gone"}, "reason": "调离"});
    let refused = city.post(&boss, "/api/v1/members/li/hand-over", plan).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    let plan = json!({"leaves_service": true, "to": "queue", "reason": "调离"});
    let strange = city
        .post(
            &city.token("duty").await,
            "/api/v1/members/li/hand-over",
            plan.clone(),
        )
        .await;
    assert_eq!(strange.status, 403);
    let done = city.done(&boss, "/api/v1/members/li/hand-over", plan).await;
    assert_eq!(done["appointments"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        city.get(&li, "/api/v1/session").await.status,
        401,
        "the session ended"
    );
    let body = json!({"account": "li", "password": NEW});
    assert_eq!(
        city.call("POST", "/api/v1/session", None, Some(body))
            .await
            .status,
        401
    );
    let receive = json!({"receiver": "li", "to": "2027-01-01", "reason": "x"});
    let refused = city.post(&boss, "/api/v1/me/delegations", receive).await;
    assert_eq!(refused.status, 422, "nobody who left receives anything");
    let _ = PASSWORD;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_letters_are_one_each_and_merged_people_are_found() {
    let city = TestCity::start().await;
    let operator = city.token("operator").await;
    city.department(&operator, "heating").await;
    city.department(&operator, "gardens").await;
    let letters = async |code: &str| {
        let path = format!("/api/v1/organisations/{code}");
        city.get(&operator, &path).await.json()["letters"].clone()
    };
    assert_eq!(letters("heating").await, "heating", "made of its name");
    assert_eq!(
        letters("urban_bureau").await,
        "城市管理综合行政执法",
        "whole"
    );
    // Two sections of one name: the department above tells them apart.
    assert_eq!(letters("heating_1").await, "heating一科");
    assert_eq!(letters("gardens_1").await, "gardens一科");
    let acts = "/api/v1/operator/organisations/acts";
    let word = |code: &str, word: &str| json!({"reason": "石政〔2026〕13 号", "act": {"do": "change", "code": code, "letter_word": word}});
    city.done(&operator, acts, word("heating", "石供热")).await;
    assert_eq!(letters("heating").await, "石供热");
    for (code, text) in [("gardens", "石供热"), ("gardens", "石〔园〕")] {
        let refused = city.post(&operator, acts, word(code, text)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["problems"][0]["at"], "gardens");
    }
    city.done(&operator, acts, word("heating", "")).await;
    assert_eq!(letters("heating").await, "heating");

    // Who has no position belongs where their department went.
    let app = &city.running.app;
    let new = identity::NewAccount {
        name: "old.hand".into(),
        display: "老同志".into(),
        password: PASSWORD.into(),
        roles: vec![],
        organisation: Some("gardens".into()),
    };
    let by = kernel::Actor::system();
    app.identity.create(&by, new).await.expect("an account");
    let merge = json!({"reason": "机构改革", "act": {"do": "merge", "from": ["gardens"], "into": "heating"}});
    city.done(&operator, acts, merge).await;
    app.staff.refresh().await.expect("the staff is read");
    let found = kernel::office::Members::member(app.staff.as_ref(), "old.hand");
    let found = found.expect("in the directory of the office");
    assert_eq!(found.organisation, "heating");
    city.stop().await;
}
