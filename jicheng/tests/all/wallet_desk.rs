//! Wallets of other makers over real HTTP: a holder offers a licence and takes the offer back; an office
//! asks for a presentation for an application it works on, and for no other; what one asked for is
//! listed for oneself. And letters of an item looked at before they are published.

use crate::attacks::parties::Town;
use crate::licence_desk::{START, business_licence, good, officer, shop_with_licence};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_listed_and_taken_back() {
    let town = Town::start(START).await;
    let (holder, other) = (town.resident(1).await, town.resident(2).await);
    let market = officer(&town, "market", "market_bureau", "department_approver").await;
    let licence = business_licence(&town, &market, &holder).await;
    let path = format!("/api/v1/me/licences/{licence}");
    let offer = format!("{path}/offer");
    let made = good(town.post(&offer, Some(&holder.token), json!({})).await);
    let offers = good(town.get(&format!("{path}/offers"), &holder.token).await);
    assert_eq!(offers["items"][0]["id"], made["id"], "{offers}");
    assert_eq!(offers["items"][0]["state"], "open");
    for secret in ["code", "url"] {
        let secret = made[secret].as_str().expect(secret);
        assert!(!offers.to_string().contains(secret), "{offers}");
    }
    let one = format!("{path}/offers/{}", made["id"].as_str().expect("an id"));
    for (path, token, status) in [
        (format!("{path}/offers"), &other.token, 404),
        (format!("{path}/offers/none"), &holder.token, 404),
    ] {
        let method = match path.ends_with("none") {
            true => "DELETE",
            false => "GET",
        };
        let refused = town.city.call(method, &path, Some(token), None).await;
        assert_eq!(refused.status, status, "{path}: {}", refused.text);
    }
    let refused = town.city.call("DELETE", &one, Some(&other.token), None);
    assert_eq!(refused.await.status, 404);
    let taken = town.city.call("DELETE", &one, Some(&holder.token), None);
    assert_eq!(good(taken.await)["state"], "taken_back");
    let again = town.city.call("DELETE", &one, Some(&holder.token), None);
    assert_eq!(again.await.status, 409);
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_presentation_is_asked_for_a_matter_of_ones_own() {
    let town = Town::start(START).await;
    let holder = town.resident(1).await;
    let clerk = officer(&town, "window", "data_bureau", "acceptance_clerk").await;
    let abroad = officer(&town, "abroad", "transport_bureau", "department_approver").await;
    let draft = shop_with_licence(&town, &clerk, holder.serial).await;
    let rules =
        crate::permits::upload(&town.city, &clerk, &draft, "rules.pdf", crate::permits::PDF);
    assert!(rules.await.status < 300);
    // Nothing answers the licence: it is shown by wallet instead, later.
    let market = officer(&town, "market", "market_bureau", "department_approver").await;
    business_licence(&town, &market, &holder).await;
    let receipt = crate::permits::hand_in(&town.city, &clerk, &draft).await;
    let number = receipt["application"]["number"].as_str().expect("a number");
    let ask = |matter: &str| {
        json!({
            "kind": "business_licence", "fields": ["entity_name"], "matter": matter,
            "why": {"verifier": "某公安局", "purpose": "核对营业执照"},
        })
    };
    let path = "/api/v1/licences/requests";
    let refused = town.post(path, Some(&abroad), ask(number)).await;
    assert!([403, 422].contains(&refused.status), "{}", refused.text);
    let made = good(town.post(path, Some(&clerk), ask(number)).await);
    // The office asks by its own name, whatever was typed.
    let asks = made["request"]["client_metadata"]["client_name"].as_str();
    let asks = asks.expect("a name");
    assert!(asks.contains("数据") && !asks.contains("公安"), "{asks}");
    let list = good(town.get(path, &clerk).await);
    let line = &list["items"][0];
    assert_eq!(line["id"], made["id"], "{list}");
    assert_eq!(line["matter"], number, "{line}");
    assert_eq!(line["state"], "waiting", "{line}");
    let resident = town.post(path, Some(&holder.token), ask(number)).await;
    assert_eq!(resident.status, 403, "{}", resident.text);
    let state = made["state"].as_str().expect("a state");
    assert!(!list.to_string().contains(state));
    for name in [state, made["id"].as_str().expect("an id")] {
        let found = good(town.get(&format!("{path}/{name}"), &clerk).await);
        assert_eq!(found["answered"], false, "{found}");
        assert_eq!(found["request"]["purpose"], "核对营业执照");
        let other = town.get(&format!("{path}/{name}"), &abroad).await;
        assert_eq!(other.status, 404, "{}", other.text);
    }
    assert_eq!(good(town.get(path, &abroad).await)["items"], json!([]));
    town.city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_is_looked_at_before_it_is_published() {
    let town = Town::start(START).await;
    let designer = officer(&town, "designer", "data_bureau", "service_designer").await;
    let clerk = officer(&town, "window", "data_bureau", "acceptance_clerk").await;
    let path = "/api/v1/items/letters/preview";
    let kinds = [
        "receipt",
        "acceptance",
        "correction",
        "non_acceptance",
        "approval",
        "refusal",
    ];
    for kind in kinds {
        for permit in [true, false] {
            let wanted = json!({"kind": kind, "permit": permit, "organisation": "market_bureau"});
            let drawn = town.post(path, Some(&designer), wanted).await;
            assert_eq!(drawn.status, 200, "{kind}: {}", drawn.text);
            assert_eq!(drawn.header("content-type"), Some("application/pdf"));
            assert!(drawn.text.starts_with("%PDF-"), "{kind}");
        }
    }
    let ask = |kind: &str, text: Value| {
        json!({
            "kind": kind, "permit": true, "text": text, "organisation": "market_bureau",
            "title": "食品经营许可", "basis": "《中华人民共和国食品安全法》第三十五条",
        })
    };
    let own = json!("> {{applicant}}：\n“{{item}}”已经受理。");
    let drawn = town
        .post(path, Some(&designer), ask("acceptance", own.clone()))
        .await;
    assert_eq!(drawn.status, 200, "{}", drawn.text);
    for (kind, text, at) in [
        (
            "acceptance",
            json!("> {{applicant}}：\n{{nothing}}"),
            "text",
        ),
        ("poem", own.clone(), "kind"),
    ] {
        let refused = town.post(path, Some(&designer), ask(kind, text)).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.json()["problems"][0]["at"], at, "{}", refused.text);
    }
    let refused = town.post(path, Some(&clerk), ask("acceptance", own)).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    town.city.stop().await;
}
