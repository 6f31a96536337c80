//! A city behind another provider, over real HTTP: here a second city plays the province.

use crate::city::{Answer, TestCity};
use crate::openid::{Browser, agree, bounced, location, parameter, register};
use serde_json::{Value, json};

/// The cookie an answer sets, as a browser sends it back.
fn cookie(answer: &Answer, name: &str) -> String {
    let set = answer
        .headers
        .iter()
        .filter(|(known, _)| known == "set-cookie");
    let found = set
        .map(|(_, value)| value)
        .find(|value| value.starts_with(name));
    let found = found.unwrap_or_else(|| panic!("{name} in {:?}", answer.headers));
    found.split(';').next().expect("a pair").to_string()
}

/// Signs in at the province; the path of the city's own it sends the browser back to.
async fn there(province: &TestCity, begun: &Answer, who: &str) -> String {
    let asked = url::Url::parse(&location(begun)).expect("an address");
    let path = format!("{}?{}", asked.path(), asked.query().expect("a query"));
    let browser = Browser::signed_in(province, who).await;
    let first = province.call("GET", &path, None, None).await;
    let consent = location(&browser.get(&bounced(&first)).await);
    let back = url::Url::parse(&agree(&browser, &consent).await).expect("an address");
    format!("{}?{}", back.path(), back.query().expect("a query"))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_of_the_province_sign_in_with_mapped_roles_or_link_their_account() {
    let province = TestCity::start().await;
    let far = province.running.http.expect("http").to_string();
    let city = TestCity::start_with(&[("outgoing_allow", &far)]).await;
    let near = city.running.http.expect("http");
    let callback = format!("http://{near}/oauth2/upstream/province/callback");
    let there_app = register(
        &province,
        json!({ "method": "client_secret_basic", "redirect_uris": [callback], "scopes": ["openid", "profile", "roles"] }),
    )
    .await;
    let operator = city.token("operator").await;
    let mut spec = json!({
        "name": { "zh": "省统一认证", "en": "Province" }, "issuer": format!("http://{far}"), "client_id": there_app.id,
        "scopes": ["profile", "roles"], "roles_claim": "roles", "roles": { "environment_officer": ["resident"] },
        "makes_accounts": true,
    });
    let put = async |spec: &Value| {
        let body = json!({ "spec": spec, "secret": there_app.secret });
        let made = city
            .call(
                "PUT",
                "/api/v1/operator/providers/province",
                Some(&operator),
                Some(body),
            )
            .await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_eq!(made.json()["callback"], callback);
        assert!(!made.text.contains(&there_app.secret));
    };
    put(&spec).await;
    let choices = city
        .call("GET", "/api/v1/session/providers", None, None)
        .await
        .json();
    assert_eq!(choices["items"][0]["id"], "province");

    let enter = async |who: &str, then: &str| {
        let begun = city
            .call(
                "GET",
                &format!("/oauth2/upstream/province?then={then}"),
                None,
                None,
            )
            .await;
        let bound = cookie(&begun, "jicheng_upstream=");
        let back = there(&province, &begun, who).await;
        // Another browser brings no cookie, and gets nowhere.
        let elsewhere = city.call("GET", &back, None, None).await;
        assert_eq!(elsewhere.status, 403, "{}", elsewhere.text);
        city.raw("GET", &back, None, &[("cookie", &bound)], None)
            .await
    };
    // Somebody new: an account of their own, with the roles their claims give here.
    let inside = enter("officer", "%2Fdesk").await;
    assert_eq!(bounced(&inside), "/desk");
    let session = cookie(&inside, "jicheng_session=");
    let me = city
        .raw(
            "GET",
            "/api/v1/session",
            None,
            &[("cookie", &session)],
            None,
        )
        .await
        .json();
    // An account called `officer` is here already and is somebody else's.
    assert_eq!(
        (me["account"].as_str(), &me["roles"]),
        (Some("officer-2"), &json!(["resident"]))
    );
    // The same person again: the same account, and what the mapping says now.
    spec["roles"] = json!({ "environment_officer": ["duty_officer"] });
    put(&spec).await;
    let session = cookie(&enter("officer", "%2F").await, "jicheng_session=");
    let me = city
        .raw(
            "GET",
            "/api/v1/session",
            None,
            &[("cookie", &session)],
            None,
        )
        .await
        .json();
    assert_eq!(
        (me["account"].as_str(), &me["roles"]),
        (Some("officer-2"), &json!(["duty_officer"]))
    );

    // Where no accounts are made, nobody new comes in until they link one they have.
    spec["makes_accounts"] = json!(false);
    spec["roles_claim"] = Value::Null;
    put(&spec).await;
    assert_eq!(enter("duty", "%2F").await.status, 403);
    let resident = Browser::signed_in(&city, "resident").await;
    let linking = "/oauth2/upstream/province?link=true&then=%2Faccount";
    assert_eq!(
        city.call("GET", linking, None, None).await.status,
        401,
        "not without a session"
    );
    let begun = resident.get(linking).await;
    let bound = cookie(&begun, "jicheng_upstream=");
    let back = there(&province, &begun, "duty").await;
    let linked = city
        .raw("GET", &back, None, &[("cookie", &bound)], None)
        .await;
    assert_eq!(bounced(&linked), "/account");
    let session = cookie(&enter("duty", "%2F").await, "jicheng_session=");
    let me = city
        .raw(
            "GET",
            "/api/v1/session",
            None,
            &[("cookie", &session)],
            None,
        )
        .await
        .json();
    assert_eq!(me["account"], "resident");
    assert_eq!(me["factors"], json!(["federated"]));
    // What the page of a sign-in gone wrong says names no cause an attacker could use.
    let begun = city
        .call("GET", "/oauth2/upstream/province", None, None)
        .await;
    let bound = cookie(&begun, "jicheng_upstream=");
    let mixed = format!(
        "/oauth2/upstream/province/callback?code=x&state={}&iss=https%3A%2F%2Fevil.example",
        parameter(&location(&begun), "state")
    );
    let mixed = city
        .raw("GET", &mixed, None, &[("cookie", &bound)], None)
        .await;
    assert_eq!(mixed.status, 403);
    city.stop().await;
    province.stop().await;
}
