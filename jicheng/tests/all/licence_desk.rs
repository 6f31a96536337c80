//! The desk of licences over real HTTP: every type is somebody's to manage, an office uses a licence
//! for a matter it works on and for nothing else, a re-issue replaces the former everywhere, names
//! cannot be guessed, and what is public says how long it lasts.

use crate::attacks::parties::{Resident, Town};
use crate::city::{Answer, PASSWORD};
use kernel::Verb;
use serde_json::{Value, json};

pub(crate) const START: &str = "2026-11-25T10:00:00+08:00";

pub(crate) async fn officer(town: &Town, name: &str, organisation: &str, role: &str) -> String {
    let new = identity::NewAccount {
        name: name.into(),
        display: name.into(),
        password: PASSWORD.into(),
        roles: vec![role.into()],
        organisation: Some(organisation.into()),
    };
    let identity = &town.city.running.app.identity;
    let made = identity.create(&kernel::Actor::system(), new).await;
    made.expect("an account");
    town.city.token(name).await
}

pub(crate) fn good(answer: Answer) -> Value {
    assert!(answer.status < 300, "{} {}", answer.status, answer.text);
    answer.json()
}

/// A permit of the transport bureau for the resident, and the token of its approver.
async fn permit(town: &Town, holder: &Resident) -> (String, String) {
    let desk = officer(town, "desk", "transport_bureau", "department_approver").await;
    let permit = issued(town, &desk, "ride_hailing_driver_permit", holder).await;
    (permit, desk)
}

pub(crate) async fn business_licence(town: &Town, desk: &str, holder: &Resident) -> String {
    issued(town, desk, "business_licence", holder).await
}

async fn issued(town: &Town, desk: &str, kind: &str, holder: &Resident) -> String {
    let (number, name) = parties::demo_person(holder.serial);
    let new = json!({"licences": [{
        "kind": kind, "source": format!("case/{kind}/{}", holder.serial),
        "holder": {"document": "citizen_number", "number": number, "name": name},
        "fields": fields_of(town, kind),
    }]});
    let made = good(town.post("/api/v1/licences", Some(desk), new).await);
    assert_eq!(made["warnings"], json!([]));
    made["items"][0]["identifier"].as_str().expect("one").into()
}

/// Something for every field of a type that must be there.
fn fields_of(town: &Town, kind: &str) -> Value {
    use kernel::declare::FieldKind;
    let types = town.city.running.app.licences.types();
    let kind = types
        .into_iter()
        .find(|t| t.decl.name == kind)
        .expect("a type");
    let needed = kind.decl.fields.iter().filter(|field| field.required);
    let value = |kind: &FieldKind| match kind {
        FieldKind::Integer | FieldKind::Number => json!(1),
        FieldKind::Boolean => json!(true),
        FieldKind::Date => json!("2026-01-05"),
        FieldKind::Choice { of } => json!(of[0].0),
        _ => json!("示例"),
    };
    needed
        .map(|field| (field.name.clone(), value(&field.kind)))
        .collect::<serde_json::Map<String, Value>>()
        .into()
}

/// Every type of the delivered city has somebody at its issuer, among the accounts of the
/// demonstration, whose role lets them change it.
#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_licence_is_somebodys_to_manage() {
    let town = Town::start(START).await;
    let app = &town.city.running.app;
    let declared = &app.city.declared;
    let types = app.licences.types();
    assert!(types.len() >= 10, "{}", types.len());
    let roles: Vec<_> = declared.systems.iter().flat_map(|s| &s.roles).collect();
    let writes = |role: &str| {
        let role = roles.iter().filter(|known| known.name == role);
        role.flat_map(|role| &role.may).any(|grant| {
            grant.verbs.contains(&Verb::Write) && grant.objects.iter().any(|on| on == "licences")
        })
    };
    for kind in types {
        let issuer = &kind.decl.issuer;
        let managed = declared.city.accounts.iter().any(|account| {
            let there = &account.organisation == issuer;
            there && account.roles.iter().any(|role| writes(role))
        });
        assert!(managed, "nobody manages {} of {issuer}", kind.decl.name);
    }
    // And it works: the page's own questions, for their types and no others.
    let market = officer(&town, "registrar", "market_bureau", "department_approver").await;
    let list = |kind: &str| format!("/api/v1/licences?type={kind}");
    good(town.get(&list("business_licence"), &market).await);
    let others = town.get(&list("food_business_permit"), &market).await;
    assert_eq!(others.status, 403, "{}", others.text);
    town.city.stop().await;
}

/// A draft for a shop that says it holds a business licence.
pub(crate) async fn shop_with_licence(town: &Town, clerk: &str, n: u32) -> String {
    let id = crate::permits::draft(&town.city, clerk, n, "catering", 80).await;
    let change = json!({"answers": {"has_licence": true, "uscc": "91130199MA0000001F"}});
    let path = format!("/api/v1/drafts/{id}");
    let saved = town.city.call("PATCH", &path, Some(clerk), Some(change));
    good(saved.await);
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_licence_is_used_for_a_matter_of_ones_own_and_its_holder_sees_it() {
    let town = Town::start(START).await;
    let (holder, other) = (town.resident(1).await, town.resident(2).await);
    let market = officer(&town, "market", "market_bureau", "department_approver").await;
    let mine = business_licence(&town, &market, &holder).await;
    let others = business_licence(&town, &market, &other).await;
    let (driving, desk) = permit(&town, &holder).await;
    let clerk = officer(&town, "window", "data_bureau", "acceptance_clerk").await;
    let path = |identifier: &str| format!("/api/v1/licences/{identifier}/consult");
    for (body, at) in [
        (json!({}), "matter"),
        (json!({"matter": " "}), "matter"),
        (json!({"matter": "DATA-20261125-99999"}), "matter"),
    ] {
        let refused = town.post(&path(&mine), Some(&clerk), body).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["problems"][0]["at"], at);
    }
    let draft = shop_with_licence(&town, &clerk, holder.serial).await;
    let receipt = crate::permits::hand_in(&town.city, &clerk, &draft).await;
    let number = receipt["application"]["number"].as_str().expect("a number");
    let file = format!("/api/v1/service-applications/{number}");
    let file = good(town.get(&file, &clerk).await);
    let paper = &file["materials"][0];
    assert_eq!(paper["licence"], mine.as_str(), "{paper}");
    let ask = json!({"matter": number, "fields": ["entity_name"]});
    // Somebody else's of the same type, and one of the applicant's that nobody asked for.
    for (identifier, at) in [(&others, "identifier"), (&driving, "kind")] {
        let ask = json!({"matter": number});
        let refused = town.post(&path(identifier), Some(&clerk), ask).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        let refused = refused.json();
        assert_eq!(refused["code"], "licences.not_of_matter");
        assert_eq!(refused["problems"][0]["at"], at, "{refused}");
        assert_eq!(refused["problems"].as_array().map(Vec::len), Some(1));
    }
    let uses = |identifier: &str| format!("/api/v1/me/licences/{identifier}/uses");
    let none = good(town.get(&uses(&others), &other.token).await);
    assert_eq!(none["total"], 0, "{none}");
    let found = good(town.post(&path(&mine), Some(&clerk), ask.clone()).await);
    assert_eq!(found["verdict"], "valid", "{found}");
    assert_eq!(found["fields"][0]["name"], "entity_name");
    // The office of another matter may not know of this one, or not use licences for it.
    let refused = town.post(&path(&mine), Some(&desk), ask).await;
    assert!([403, 422].contains(&refused.status), "{}", refused.text);
    let uses = good(town.get(&uses(&mine), &holder.token).await);
    let all = uses["items"].as_array().cloned().unwrap_or_default();
    let used: Vec<_> = all.iter().filter(|used| used["way"] == "office").collect();
    assert_eq!(used.len(), 1, "{uses}");
    let used = used[0];
    assert_eq!(used["matter"], number, "{used}");
    assert_eq!(used["fields"], json!(["entity_name"]));
    assert!(
        used["purpose"]
            .as_str()
            .is_some_and(|p| p.starts_with("办理"))
    );
    let seen = good(town.get("/api/v1/me/data-access", &holder.token).await);
    let seen = seen["items"].as_array().cloned().unwrap_or_default();
    let look = seen
        .iter()
        .find(|look| look["object"] == "licences" && look["display"] == "window");
    let look = look.unwrap_or_else(|| panic!("a look: {seen:?}"));
    assert_eq!(look["organisation"], "data_bureau", "{look}");
    assert_eq!(look["case"], number, "{look}");
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reissue_replaces_the_former_everywhere() {
    let town = Town::start(START).await;
    let (holder, other) = (town.resident(1).await, town.resident(2).await);
    let (old, desk) = permit(&town, &holder).await;
    town.clock.advance(kernel::Span::minutes(1));
    let path = format!("/api/v1/licences/{old}/reissue");
    let body = json!({"reason": "证件遗失补发"});
    let refused = town.post(&path, Some(&other.token), body.clone()).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let abroad = officer(&town, "abroad", "market_bureau", "department_approver").await;
    let refused = town.post(&path, Some(&abroad), body.clone()).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    let wrong = json!({"reason": "x", "valid_to": "2020-01-01"});
    let refused = town.post(&path, Some(&desk), wrong).await;
    assert_eq!(refused.status, 422, "{}", refused.text);

    let made = town.post(&path, Some(&desk), body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    let new = made["identifier"].as_str().expect("one");
    assert_eq!(made["replaces"], old.as_str());
    let again = good(town.post(&path, Some(&desk), body).await);
    assert_eq!(again["identifier"], new);
    let (_, name) = parties::demo_person(1);
    let shown = json!({
        "shown": {"by": "identifier", "identifier": old, "name": name},
        "why": {"verifier": "走查平台", "purpose": "核对从业资格"},
    });
    let found = town.post("/api/v1/licences/verify", None, shown).await;
    assert_eq!(found.json()["verdict"], "revoked", "{}", found.text);
    assert!(found.text.contains("已换发") && !found.text.contains(new));
    let wallet = good(town.get("/api/v1/me/licences", &holder.token).await);
    assert_eq!(wallet["items"][0]["identifier"], new, "{wallet}");
    assert_eq!(wallet["items"][1]["state"], "replaced", "{wallet}");
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_guess_no_names_and_lists_may_be_kept() {
    let town = Town::start(START).await;
    let holder = town.resident(1).await;
    let (identifier, _) = permit(&town, &holder).await;
    let (_, name) = parties::demo_person(1);
    let verify = "/api/v1/licences/verify";
    let ask = |name: &str| {
        json!({
            "shown": {"by": "identifier", "identifier": identifier, "name": name},
            "why": {"verifier": "走查平台", "purpose": "核对从业资格"},
        })
    };
    for n in 0..10 {
        let found = town.post(verify, None, ask(&format!("王{n}"))).await;
        assert_eq!(found.json()["verdict"], "unknown", "{}", found.text);
    }
    for name in ["王芳", &name] {
        let refused = town.post(verify, None, ask(name)).await;
        assert_eq!(refused.status, 429, "{}", refused.text);
        assert_eq!(refused.json()["code"], "licences.guesses");
        let wait = refused
            .header("retry-after")
            .and_then(|s| s.parse::<u32>().ok());
        assert!(wait.is_some_and(|s| (1..=900).contains(&s)), "{wait:?}");
    }
    // A code its holder shows is answered all the same.
    let path = format!("/api/v1/me/licences/{identifier}/present");
    let code = good(town.post(&path, Some(&holder.token), json!({})).await);
    let shown = json!({
        "shown": {"by": "token", "token": code["token"]},
        "why": {"verifier": "走查平台", "purpose": "核对从业资格"},
    });
    let found = good(town.post(verify, None, shown).await);
    assert_eq!(found["verdict"], "valid", "{found}");
    // What is public and signed may be kept as long as its `ttl` says; personal answers by nobody.
    for path in [
        "/licences/status/0",
        "/licences/status/0/es256",
        "/.well-known/jwt-vc-issuer",
    ] {
        let answer = town.city.call("GET", path, None, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=300"),
            "{path}"
        );
    }
    town.city.stop().await;
}
