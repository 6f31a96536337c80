//! Attacks on residents' accounts, on what ties persons, and on personal data: enumeration, guessed
//! codes, somebody else's identifications, agents beyond their scope, ties that are over, fields
//! that are not one's to set, names made to deceive.

use crate::access::concrete;
use crate::city::{Answer, PASSWORD, TestCity};
use kernel::numbers::credit_check;
use kernel::{Access, ManualClock, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) struct Resident {
    pub(crate) account: String,
    pub(crate) token: String,
    pub(crate) serial: u32,
}

pub(crate) struct Town {
    pub(crate) city: TestCity,
    pub(crate) clock: Arc<ManualClock>,
}

fn phone(serial: u32) -> String {
    format!("1390000{serial:04}")
}

fn claim((number, name): (String, String)) -> Value {
    json!({"document": "citizen_number", "number": number, "name": name})
}

fn person(serial: u32) -> Value {
    claim(parties::demo_person(serial))
}

fn code_of(answer: &Answer) -> String {
    answer.json()["code"].as_str().unwrap_or("").to_string()
}

impl Town {
    pub(crate) async fn start(at: &str) -> Town {
        let clock = Arc::new(ManualClock::new(Time::parse(at).expect("a time")));
        let city = TestCity::start_demonstration(clock.clone()).await;
        let system = kernel::Actor::system();
        for (name, role) in [("clerk", "window_clerk")] {
            let new = identity::NewAccount {
                name: name.into(),
                display: name.into(),
                password: PASSWORD.into(),
                roles: vec![role.into()],
                organisation: None,
            };
            let made = city.running.app.identity.create(&system, new);
            made.await.expect(name);
        }
        Town { city, clock }
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Answer {
        self.city.call("POST", path, token, Some(body)).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Answer {
        self.city.call("GET", path, Some(token), None).await
    }

    fn messages(&self, to: &str) -> Vec<String> {
        let catcher = self.city.running.app.catcher.as_ref().expect("a catcher");
        let all = catcher.caught().into_iter();
        all.filter(|c| c.to == to && c.text.contains("验证码是"))
            .map(|c| c.text)
            .collect()
    }

    /// The newest code sent to a number, when there are this many.
    async fn code(&self, to: &str, count: usize) -> String {
        for _ in 0..400 {
            let messages = self.messages(to);
            if messages.len() >= count {
                let text = messages[0].split("验证码是 ").nth(1).expect("a code");
                return text.chars().take(6).collect();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("no message to {to}");
    }

    async fn registered(&self, serial: u32) -> Resident {
        let new = json!({"display": "小冀", "password": PASSWORD, "consent": true});
        let made = self.post("/api/v1/registrations", None, new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let account = made.json()["account"].as_str().expect("a name").to_string();
        let token = self.city.token(&account).await;
        Resident {
            account,
            token,
            serial,
        }
    }

    /// A resident proven to level 2.
    pub(crate) async fn resident(&self, serial: u32) -> Resident {
        let resident = self.registered(serial).await;
        let token = Some(resident.token.as_str());
        let sent = self
            .post("/api/v1/me/phone", token, json!({"phone": phone(serial)}))
            .await;
        assert_eq!(sent.status, 202, "{}", sent.text);
        let answer = json!({"challenge": sent.json()["challenge"], "code": self.code(&phone(serial), 1).await});
        let proven = self.post("/api/v1/me/phone/proof", token, answer).await;
        assert_eq!(proven.json()["level"], 1, "{}", proven.text);
        let proven = self
            .post("/api/v1/me/identity", token, person(serial))
            .await;
        assert_eq!(proven.json()["level"], 2, "{}", proven.text);
        resident
    }

    /// An enterprise represented by this resident; its party.
    pub(crate) async fn firm(&self, of: &Resident) -> String {
        let clerk = self.city.token("clerk").await;
        let first = "91130199MA0000001";
        let new = json!({
            "code": format!("{first}{}", credit_check(first).expect("a check")), "name": "冀城演示有限公司",
            "representative": person(of.serial), "evidence": "营业执照 001", "purpose": "开通企业账号",
        });
        let made = self.post("/api/v1/parties/legal", Some(&clerk), new).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["id"].as_str().expect("a party").to_string()
    }

    /// An agent of the firm who has accepted; the tie.
    pub(crate) async fn agent(
        &self,
        boss: &Resident,
        firm: &str,
        agent: &Resident,
        scope: &[&str],
    ) -> String {
        let new = json!({
            "principal": firm, "identity": person(agent.serial), "scope": scope, "days": 30,
            "evidence": "授权书 001",
        });
        let tie = self.post("/api/v1/me/agents", Some(&boss.token), new).await;
        assert_eq!(tie.status, 201, "{}", tie.text);
        let id = tie.json()["id"].as_str().expect("a tie").to_string();
        let accept = format!("/api/v1/me/ties/{id}/accept");
        let accepted = self
            .city
            .call("POST", &accept, Some(&agent.token), None)
            .await;
        assert_eq!(accepted.status, 204, "{}", accepted.text);
        id
    }

    pub(crate) async fn act(&self, who: &Resident, tie: Option<&str>) -> Answer {
        self.post(
            "/api/v1/session/acting-for",
            Some(&who.token),
            json!({"tie": tie}),
        )
        .await
    }
}

const START: &str = "2026-11-25T10:00:00+08:00";

#[tokio::test(flavor = "multi_thread")]
async fn registration_and_recovery_tell_nothing() {
    let town = Town::start(START).await;
    let known = town.resident(1).await;
    town.clock.advance(Span::minutes(5));
    // The name of an account that exists, wished for again.
    let wish =
        json!({"name": known.account, "display": "小冀", "password": PASSWORD, "consent": true});
    let first = town.post("/api/v1/registrations", None, wish.clone()).await;
    let wish = json!({"name": "r-none", "display": "小冀", "password": PASSWORD, "consent": true});
    let second = town.post("/api/v1/registrations", None, wish).await;
    assert_eq!(
        (first.status, second.status),
        (201, 201),
        "{} {}",
        first.text,
        second.text
    );

    let ask = |serial: u32| town.post("/api/v1/recovery", None, json!({"phone": phone(serial)}));
    let (here, away) = (ask(1).await, ask(2).await);
    assert_eq!((here.status, away.status), (202, 202));
    let shape = |answer: &Answer| {
        let mut body = answer.json();
        let length = body["challenge"].as_str().map(str::len);
        body["challenge"] = json!(length);
        let names: Vec<String> = answer
            .headers
            .iter()
            .map(|(n, _)| n.clone())
            .filter(|n| n != "date")
            .collect();
        (body, names)
    };
    assert_eq!(shape(&here), shape(&away));
    assert_eq!((ask(1).await.status, ask(2).await.status), (429, 429));
    // Wrong codes at both, with and without an identity: one answer.
    let mut answers = vec![];
    for challenge in [&here, &away] {
        for identity in [Value::Null, person(1)] {
            let guess = json!({"challenge": challenge.json()["challenge"], "code": "000000",
                "password": "another-Password-1", "identity": identity});
            let answer = town.post("/api/v1/recovery/proof", None, guess).await;
            answers.push((answer.status, answer.text));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, 422);
    // Sign-in by a number: the same whether it is proven for somebody.
    let wrong = |serial: u32| json!({"account": phone(serial), "password": "wrong-Password-1"});
    let (here, away) = (
        town.post("/api/v1/session", None, wrong(1)).await,
        town.post("/api/v1/session", None, wrong(2)).await,
    );
    assert_eq!((here.status, here.text), (away.status, away.text));
    // And the person of the number signs in by it.
    let right = json!({"account": phone(1), "password": PASSWORD});
    let signed = town.post("/api/v1/session", None, right).await;
    assert_eq!(
        signed.json()["account"],
        known.account.as_str(),
        "{}",
        signed.text
    );
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proven_number_is_refused_as_if_it_were_wrong() {
    let town = Town::start(START).await;
    town.resident(1).await;
    let thief = town.registered(2).await;
    let token = Some(thief.token.as_str());
    let sent = town
        .post("/api/v1/me/phone", token, json!({"phone": phone(2)}))
        .await;
    let answer =
        json!({"challenge": sent.json()["challenge"], "code": town.code(&phone(2), 1).await});
    assert_eq!(
        town.post("/api/v1/me/phone/proof", token, answer)
            .await
            .status,
        200
    );
    let taken = town.post("/api/v1/me/identity", token, person(1)).await;
    let (number, _) = parties::demo_person(3);
    let wrong = town
        .post(
            "/api/v1/me/identity",
            token,
            claim((number, "诸葛无".into())),
        )
        .await;
    assert_eq!((taken.status, &taken.text), (wrong.status, &wrong.text));
    assert_eq!(code_of(&taken), "parties.not_proven");
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_cannot_be_guessed_or_used_twice() {
    let town = Town::start(START).await;
    let victim = town.resident(1).await;
    town.clock.advance(Span::minutes(5));
    let sent = town
        .post("/api/v1/recovery", None, json!({"phone": phone(1)}))
        .await
        .json();
    let right = town.code(&phone(1), 2).await;
    let guess = |code: String, identity: Value| {
        let body = json!({"challenge": sent["challenge"], "code": code, "password": "another-Password-1", "identity": identity});
        town.post("/api/v1/recovery/proof", None, body)
    };
    let mut tried = 0;
    for n in 0..30 {
        let code = format!("{n:06}");
        if code == right {
            continue;
        }
        let answer = guess(code, person(1)).await;
        assert!([422, 429].contains(&answer.status), "{}", answer.text);
        tried += 1;
    }
    assert!(tried >= 29);
    let late = guess(right, person(1)).await;
    assert_eq!(code_of(&late), "parties.code", "five guesses used it up");
    town.clock.advance(Span::hours(1));

    let sent = town
        .post("/api/v1/recovery", None, json!({"phone": phone(1)}))
        .await
        .json();
    let right = town.code(&phone(1), 3).await;
    let body = |identity: Value| json!({"challenge": sent["challenge"], "code": right, "password": "another-Password-1", "identity": identity});
    // The telephone alone does not open an account proven to level 2.
    assert_eq!(
        code_of(
            &town
                .post("/api/v1/recovery/proof", None, body(Value::Null))
                .await
        ),
        "parties.code"
    );
    let done = town
        .post("/api/v1/recovery/proof", None, body(person(1)))
        .await;
    assert_eq!(
        done.json()["account"],
        victim.account.as_str(),
        "{}",
        done.text
    );
    let again = town
        .post("/api/v1/recovery/proof", None, body(person(1)))
        .await;
    assert_eq!(code_of(&again), "parties.code", "used already");
    // Every session of before is over.
    assert_eq!(town.get("/api/v1/me", &victim.token).await.status, 401);
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_party_through_every_route() {
    let town = Town::start(START).await;
    let (boss, agent, stranger) = (
        town.resident(1).await,
        town.resident(2).await,
        town.resident(3).await,
    );
    let firm = town.firm(&boss).await;
    let tie = town.agent(&boss, &firm, &agent, &["data"]).await;
    let asked = json!({"kind": "correction", "text": "更正姓名"});
    let request = town
        .post("/api/v1/me/requests", Some(&boss.token), asked)
        .await;
    assert_eq!(request.status, 201, "{}", request.text);
    let request = request.json()["id"]
        .as_str()
        .expect("a request")
        .to_string();
    let ids = [firm.clone(), tie.clone(), request, boss.account.clone()];
    let bodies = [
        json!({"reason": "我要撤销"}),
        json!({"purpose": "看看"}),
        json!({"done": true, "reason": "好的"}),
    ];
    let (_, routes) = jicheng::http::table(&town.city.running.app);
    let mut tried = 0;
    for route in routes {
        let ours = [
            "/api/v1/me",
            "/api/v1/parties",
            "/api/v1/session/acting-for",
        ];
        if !ours.iter().any(|path| route.path.starts_with(path)) {
            continue;
        }
        let counter = matches!(route.access, Access::May(..));
        if counter && !route.path.contains("{id}") {
            let answer = town
                .city
                .call(
                    route.method,
                    &concrete(&route.path),
                    Some(&stranger.token),
                    Some(bodies[0].clone()),
                )
                .await;
            assert_eq!(
                answer.status, 403,
                "{} {}: {}",
                route.method, route.path, answer.text
            );
            tried += 1;
        }
        if !route.path.contains("{id}") {
            continue;
        }
        for id in &ids {
            for body in &bodies {
                let path = route.path.replace("{id}", id);
                let body = Some(body.clone()).filter(|_| route.method != "GET");
                let answer = town
                    .city
                    .call(route.method, &path, Some(&stranger.token), body)
                    .await;
                let expected: &[u16] = if counter { &[403] } else { &[404, 422] };
                assert!(
                    expected.contains(&answer.status),
                    "{} {path}: {} {}",
                    route.method,
                    answer.status,
                    answer.text
                );
                tried += 1;
            }
        }
    }
    // In bodies: somebody else's enterprise, somebody else's tie.
    let new = json!({"principal": firm, "identity": person(3), "scope": ["data"], "days": 3, "evidence": "伪造授权书"});
    assert_eq!(
        town.post("/api/v1/me/agents", Some(&agent.token), new)
            .await
            .status,
        404
    );
    assert_eq!(town.act(&stranger, Some(&tie)).await.status, 404);
    assert_eq!(town.act(&boss, Some(&tie)).await.status, 404);
    assert!(tried >= 40, "only {tried} tried");
    // Nothing happened to any of it.
    let ties = town.get("/api/v1/me/ties", &agent.token).await.json();
    assert_eq!(ties["items"][0]["state"], "active", "{ties}");
    assert!(
        town.get("/api/v1/me/ties", &stranger.token).await.json()["items"]
            .as_array()
            .is_some_and(Vec::is_empty)
    );
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_beyond_scope_and_after_revocation() {
    let town = Town::start(START).await;
    let (boss, agent) = (town.resident(1).await, town.resident(2).await);
    let firm = town.firm(&boss).await;
    let tie = town.agent(&boss, &firm, &agent, &["environment"]).await;
    let chosen = town.act(&agent, Some(&tie)).await;
    assert_eq!(
        chosen.json()["now"]["display"],
        "冀城演示有限公司",
        "{}",
        chosen.text
    );
    let may = |matter: &str| {
        let path = format!("/api/v1/me/may?matter={matter}");
        let (town, token) = (&town, agent.token.clone());
        async move { town.get(&path, &token).await }
    };
    assert_eq!(may("environment").await.status, 200);
    assert_eq!(code_of(&may("taxes").await), "parties.beyond_scope");
    assert_eq!(may("everything").await.status, 422);
    assert_eq!(
        code_of(&town.get("/api/v1/me/enterprise", &agent.token).await),
        "parties.beyond_scope"
    );
    let ask = json!({"kind": "correction", "text": "更正企业名称"});
    assert_eq!(
        code_of(
            &town
                .post("/api/v1/me/requests", Some(&agent.token), ask.clone())
                .await
        ),
        "parties.beyond_scope"
    );
    // Another session of the same agent acts for nobody.
    let second = town.city.token(&agent.account).await;
    assert!(town.get("/api/v1/session/acting-for", &second).await.json()["now"].is_null());

    let revoke = format!("/api/v1/me/ties/{tie}/revoke");
    let revoked = town
        .post(&revoke, Some(&boss.token), json!({"reason": "离职"}))
        .await;
    assert_eq!(revoked.status, 204, "{}", revoked.text);
    // At the next request: nothing can be changed, not even for oneself, before choosing anew.
    let refused = town
        .post("/api/v1/me/requests", Some(&agent.token), ask)
        .await;
    assert_eq!(code_of(&refused), "parties.tie_ended", "{}", refused.text);
    let now = town
        .get("/api/v1/session/acting-for", &agent.token)
        .await
        .json();
    assert_eq!(
        (now["ended"].as_bool(), now["now"].is_null()),
        (Some(true), true)
    );
    // Replayed.
    assert_eq!(town.act(&agent, Some(&tie)).await.status, 404);
    assert_eq!(town.act(&agent, None).await.status, 200);
    assert_eq!(
        town.city
            .call("GET", "/api/v1/me", Some(&agent.token), None)
            .await
            .status,
        200
    );
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guardian_after_the_eighteenth_birthday() {
    let town = Town::start("2036-05-31T23:00:00+08:00").await;
    let mother = town.resident(7).await;
    let ward =
        json!({"identity": claim(parties::demo_child(7, 2018)), "evidence": "出生医学证明 001"});
    let tie = town
        .post("/api/v1/me/wards", Some(&mother.token), ward.clone())
        .await;
    assert_eq!(tie.status, 201, "{}", tie.text);
    let id = tie.json()["id"].as_str().expect("a tie").to_string();
    assert_eq!(town.act(&mother, Some(&id)).await.status, 200);
    // For a child only what is a child's: consent and erasure are one's own.
    let erase = json!({"kind": "erasure", "text": "注销"});
    assert_eq!(
        town.post("/api/v1/me/requests", Some(&mother.token), erase)
            .await
            .status,
        422
    );
    town.clock.advance(Span::hours(1));
    let ask = json!({"kind": "correction", "text": "更正"});
    let refused = town
        .post("/api/v1/me/requests", Some(&mother.token), ask)
        .await;
    assert_eq!(code_of(&refused), "parties.tie_ended", "{}", refused.text);
    assert_eq!(town.act(&mother, Some(&id)).await.status, 404);
    assert_eq!(town.act(&mother, None).await.status, 200);
    assert_eq!(
        town.post("/api/v1/me/wards", Some(&mother.token), ward)
            .await
            .status,
        422
    );
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_not_ones_own_to_set_and_names_made_to_deceive() {
    let town = Town::start(START).await;
    let plain = json!({"display": "小冀", "password": PASSWORD, "consent": true});
    for (field, value) in [
        ("level", json!(3)),
        ("person", json!("130199199001010019")),
        ("roles", json!(["operator"])),
        ("party", json!("x")),
        ("proofing", json!(3)),
        ("account", json!("operator")),
    ] {
        let mut body = plain.clone();
        body[field] = value;
        let answer = town.post("/api/v1/registrations", None, body).await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.text);
    }
    let resident = town.resident(1).await;
    let token = Some(resident.token.as_str());
    for (path, body) in [
        (
            "/api/v1/me/phone",
            json!({"phone": phone(9), "account": "operator"}),
        ),
        (
            "/api/v1/me/phone/proof",
            json!({"challenge": "x", "code": "000000", "level": 3}),
        ),
        (
            "/api/v1/me/identity",
            json!({"document": "citizen_number", "number": "1", "name": "李明", "level": 3}),
        ),
        (
            "/api/v1/session/acting-for",
            json!({"tie": null, "party": "91130199MA0000001"}),
        ),
        (
            "/api/v1/me/requests",
            json!({"kind": "correction", "text": "更正", "party": "x", "state": "done"}),
        ),
        (
            "/api/v1/me/agents",
            json!({"identity": person(2), "scope": ["data"], "days": 3, "evidence": "授权书", "state": "active"}),
        ),
    ] {
        let answer = town.post(path, token, body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
    }
    let names = [
        "李\u{0}明".to_string(),
        "L\u{456} Ming".into(),
        "李明\u{202e}".into(),
        "李\u{200b}明".into(),
        "李".repeat(10_000),
        "<img src=x onerror=alert(1)>".into(),
        "=1+1".into(),
        "\u{fffd}".into(),
        String::new(),
        "李明李ming".into(),
    ];
    for name in &names {
        let claim = json!({"document": "citizen_number", "number": parties::demo_person(2).0, "name": name});
        let agent = json!({"identity": claim, "scope": ["data"], "days": 3, "evidence": "授权书"});
        let answer = town.post("/api/v1/me/agents", token, agent).await;
        assert_eq!(answer.status, 422, "{name:.20}: {}", answer.text);
        let mut body = plain.clone();
        body["display"] = json!(format!("<{name}>"));
        assert_eq!(
            town.post("/api/v1/registrations", None, body).await.status / 100,
            4
        );
    }
    for text in ["\u{0}\u{0}", "更正\u{0}"] {
        let answer = town
            .post(
                "/api/v1/me/requests",
                token,
                json!({"kind": "correction", "text": text}),
            )
            .await;
        assert_eq!(answer.status, 422, "{}", answer.text);
    }
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_never_makes_an_error_of_ours() {
    let town = Town::start(START).await;
    let resident = town.resident(1).await;
    let clerk = town.city.token("clerk").await;
    let (_, routes) = jicheng::http::table(&town.city.running.app);
    let long = "9".repeat(20_000);
    let nonsense = [
        json!(null),
        json!([]),
        json!({}),
        json!("x"),
        json!(-1),
        json!({"phone": long}),
        json!({"tie": long}),
        json!({"phone": "\u{0}"}),
        json!({"challenge": "\u{0}", "code": "\u{0}"}),
        json!({"document": "passport", "number": "\u{0}", "name": "\u{0}", "birth": "0000-00-00"}),
        json!({"document": "citizen_number", "number": long, "name": long}),
        json!({"reason": "\u{0}\u{0}"}),
        json!({"account": "\u{0}", "level": -9, "reason": "理由充分"}),
        json!({"document": "credit_code", "number": "\u{ff11}", "purpose": "看看"}),
        json!({"challenge": "x", "code": "１２３４５６", "password": "another-Password-1"}),
    ];
    let mut tried = 0;
    let ours = [
        "/api/v1/me",
        "/api/v1/parties",
        "/api/v1/session/acting-for",
        "/api/v1/recovery",
        "/api/v1/registrations",
    ];
    for route in routes
        .iter()
        .filter(|r| ours.iter().any(|path| r.path.starts_with(path)))
    {
        for body in &nonsense {
            for id in ["none", "%00", "..%2f..", "%F0%9F%92%A9"] {
                let path = route.path.replace("{id}", id);
                let body = Some(body.clone()).filter(|_| route.method != "GET");
                let token = if matches!(route.access, Access::May(..)) {
                    &clerk
                } else {
                    &resident.token
                };
                let answer = town.city.call(route.method, &path, Some(token), body).await;
                assert!(
                    answer.status < 500,
                    "{} {path}: {} {}",
                    route.method,
                    answer.status,
                    answer.text
                );
                tried += 1;
                if !route.path.contains("{id}") {
                    break;
                }
            }
        }
    }
    assert!(tried > 300, "only {tried} tried");
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_data_need_a_fresh_proof_and_are_written_down() {
    let town = Town::start(START).await;
    let resident = town.resident(1).await;
    let (number, name) = parties::demo_person(1);
    let masked = town.get("/api/v1/me", &resident.token).await.text;
    assert!(
        !masked.contains(&number) && !masked.contains(&name) && !masked.contains(&phone(1)),
        "{masked}"
    );
    let full = town
        .city
        .call("POST", "/api/v1/me/export", Some(&resident.token), None)
        .await;
    assert!(
        full.text.contains(&number) && full.text.contains(&phone(1)),
        "{}",
        full.text
    );
    town.clock.advance(Span::minutes(11));
    for path in [
        "/api/v1/me/reveal",
        "/api/v1/me/export",
        "/api/v1/me/requests",
    ] {
        let answer = town
            .city
            .call("POST", path, Some(&resident.token), None)
            .await;
        assert_eq!(
            code_of(&answer),
            "access.step_up",
            "{path}: {}",
            answer.text
        );
    }
    // Codes, numbers and names are in no audit entry.
    let operator = town.city.token("operator").await;
    let log = town
        .get("/api/v1/operator/audit?limit=1000", &operator)
        .await;
    assert_eq!(log.status, 200);
    assert!(
        !log.text.contains(&number) && !log.text.contains(&name) && !log.text.contains(&phone(1))
    );
    // Caught messages are for operators of a demonstration.
    assert_eq!(
        town.get("/api/v1/operator/messages", &resident.token)
            .await
            .status,
        403
    );
    assert_eq!(
        town.get("/api/v1/operator/messages", &operator)
            .await
            .status,
        200
    );
    town.city.stop().await;
    let real = TestCity::start().await;
    let operator = real.token("operator").await;
    assert_eq!(
        real.call("GET", "/api/v1/operator/messages", Some(&operator), None)
            .await
            .status,
        404
    );
    let wish = json!({"phone": phone(1)});
    let answer = real
        .call("POST", "/api/v1/recovery", None, Some(wish))
        .await;
    assert_eq!(code_of(&answer), "parties.unavailable", "{}", answer.text);
    real.stop().await;
}
