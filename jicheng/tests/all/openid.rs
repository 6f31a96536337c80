//! The OpenID provider over real HTTP, as a browser and an application use it.

use crate::city::{Answer, PASSWORD, TestCity};
use serde_json::{Value, json};

const RETURN: &str = "https://app.example/callback";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: &str = "application/x-www-form-urlencoded";

/// A browser: its session cookie, and requests as it sends them.
pub struct Browser<'a> {
    city: &'a TestCity,
    cookie: String,
}

impl<'a> Browser<'a> {
    /// With a session of this account.
    pub async fn signed_in(city: &'a TestCity, account: &str) -> Browser<'a> {
        let token = city.token(account).await;
        let cookie = format!("jicheng_session={token}");
        Browser { city, cookie }
    }

    /// A page.
    pub async fn get(&self, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str())];
        self.city.raw("GET", path, None, &headers, None).await
    }

    async fn post(&self, path: &str, csrf: bool, body: Value) -> Answer {
        let mut headers = vec![("cookie", self.cookie.as_str())];
        if csrf {
            headers.push(("x-csrf", "1"));
        }
        let text = body.to_string();
        let body = Some(("application/json", text.as_str()));
        self.city.raw("POST", path, None, &headers, body).await
    }
}

/// An application as the operator registered it.
pub struct App {
    /// `client_id`.
    pub id: String,
    /// Its secret, or nothing.
    pub secret: String,
}

/// The operator registers an application.
pub async fn register(city: &TestCity, change: Value) -> App {
    let operator = city.token("operator").await;
    let mut body = json!({
        "name": {"zh": "文化馆", "en": "Culture house"}, "purpose": {"zh": "预约讲座", "en": "book lectures"},
        "method": "client_secret_post", "redirect_uris": [RETURN], "subject": "public",
        "post_logout_redirect_uris": ["https://app.example/bye"],
        "scopes": ["openid", "profile", "roles", "offline_access", "city.read"],
    });
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let made = city
        .call(
            "POST",
            "/api/v1/operator/applications",
            Some(&operator),
            Some(body),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    App {
        id: made["application"]["id"].as_str().expect("an id").into(),
        secret: made["secret"].as_str().unwrap_or("").into(),
    }
}

fn authorise(app: &App, more: &str) -> String {
    format!(
        "/oauth2/authorize?client_id={}&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback&response_type=code\
         &scope=openid%20profile%20offline_access&state=s1&nonce=n1&code_challenge={CHALLENGE}\
         &code_challenge_method=S256{more}",
        app.id
    )
}

/// Where the browser is sent.
pub fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.header("location").expect("a location").to_string()
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> String {
    let url = url::Url::parse(address)
        .unwrap_or_else(|_| url::Url::parse(&format!("http://city{address}")).expect("an address"));
    let mut pairs = url.query_pairs();
    let found = pairs.find(|(known, _)| known == name);
    found
        .unwrap_or_else(|| panic!("{name} in {address}"))
        .1
        .into_owned()
}

/// The address the bouncing page moves on to.
pub fn bounced(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer
            .header("content-security-policy")
            .is_some_and(|p| p.contains("frame-ancestors 'none'"))
    );
    let rest = answer
        .text
        .split("content=\"0;url=")
        .nth(1)
        .expect("a refresh");
    rest.split('"')
        .next()
        .expect("an address")
        .replace("&amp;", "&")
}

/// Agrees on the consent page; where the browser goes then.
pub async fn agree(browser: &Browser<'_>, consent: &str) -> String {
    assert!(consent.starts_with("/consent?request="), "{consent}");
    let request = parameter(consent, "request");
    let agreed = json!({ "request": request, "agrees": true, "remember": false });
    let next = browser.post("/api/v1/openid/consent", true, agreed).await;
    assert_eq!(next.status, 200, "{}", next.text);
    field(&next.json(), "to")
}

/// Through sign-in and consent to a code.
async fn code(browser: &Browser<'_>, app: &App, more: &str) -> String {
    let first = browser
        .city
        .call("GET", &authorise(app, more), None, None)
        .await;
    let consent = location(&browser.get(&bounced(&first)).await);
    let to = agree(browser, &consent).await;
    assert_eq!(parameter(&to, "state"), "s1");
    parameter(&to, "code")
}

async fn form(city: &TestCity, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let text = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    city.raw("POST", path, None, &[], Some((FORM, &text))).await
}

async fn exchange(city: &TestCity, app: &App, code: &str) -> Answer {
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", RETURN),
        ("code_verifier", VERIFIER),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
    ];
    form(city, "/oauth2/token", &pairs).await
}

fn field(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_signs_a_person_on_and_off() {
    let city = TestCity::start().await;
    let app = register(&city, json!({})).await;
    let document = city
        .call("GET", "/.well-known/openid-configuration", None, None)
        .await
        .json();
    let issuer = format!("http://{}", city.running.http.expect("http"));
    assert_eq!(document["issuer"], issuer);

    // Nobody is signed in: the page moves on, and on to the sign-in page with the way back.
    let first = city
        .call("GET", &authorise(&app, "&login_hint=officer"), None, None)
        .await;
    let next = bounced(&first);
    let sign_in = location(&city.call("GET", &next, None, None).await);
    assert!(
        sign_in.starts_with("/sign-in?then=%2Foauth2%2Fcontinue"),
        "{sign_in}"
    );
    assert_eq!(parameter(&sign_in, "hint"), "officer");
    let back = parameter(&sign_in, "then");

    let officer = Browser::signed_in(&city, "officer").await;
    let consent = location(&officer.get(&back).await);
    let request = parameter(&consent, "request");
    let asked = officer
        .get(&format!("/api/v1/openid/request?request={request}"))
        .await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    assert_eq!(asked.json()["host"], "app.example");

    let code = code(&officer, &app, "").await;
    let tokens = exchange(&city, &app, &code).await;
    assert_eq!(
        (tokens.status, tokens.header("cache-control")),
        (200, Some("no-store"))
    );
    let tokens = tokens.json();
    let access = field(&tokens, "access_token");
    let info = city
        .call("GET", "/oauth2/userinfo", Some(&access), None)
        .await;
    assert_eq!(
        (info.status, info.json()["preferred_username"].as_str()),
        (200, Some("officer"))
    );

    // The person sees the application, and the session's end ends what it had.
    let list = officer.get("/api/v1/account/applications").await.json();
    assert_eq!(list["items"][0]["client"], app.id.as_str());
    let hint = field(&tokens, "id_token");
    let bye = format!(
        "/oauth2/logout?id_token_hint={hint}&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye&state=z"
    );
    let away = location(&city.call("GET", &bye, None, None).await);
    assert_eq!(away, "https://app.example/bye?state=z");
    assert_eq!(
        officer.get("/api/v1/session").await.status,
        401,
        "signed out here too"
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ensure_post_request_succeeds_and_userinfo_takes_post() {
    let city = TestCity::start().await;
    let app = register(&city, json!({})).await;
    let officer = Browser::signed_in(&city, "officer").await;
    let query = authorise(&app, "")
        .split_once('?')
        .expect("a query")
        .1
        .to_string();
    // Even with a cookie (from our own site) a POST decides nothing: it bounces.
    for headers in [&[][..], &[("cookie", officer.cookie.as_str())][..]] {
        let answer = city
            .raw(
                "POST",
                "/oauth2/authorize",
                None,
                headers,
                Some((FORM, &query)),
            )
            .await;
        let consent = location(&officer.get(&bounced(&answer)).await);
        assert!(consent.starts_with("/consent"), "{consent}");
    }
    let tokens = exchange(&city, &app, &code(&officer, &app, "").await)
        .await
        .json();
    let access = field(&tokens, "access_token");
    let header = format!("Bearer {access}");
    let by_header = city
        .raw(
            "POST",
            "/oauth2/userinfo",
            None,
            &[("authorization", &header)],
            None,
        )
        .await;
    assert_eq!(by_header.json()["sub"], "officer", "{}", by_header.text);
    let by_body = form(&city, "/oauth2/userinfo", &[("access_token", &access)]).await;
    assert_eq!(by_body.json()["sub"], "officer", "{}", by_body.text);
    let wrong = city
        .call("GET", "/oauth2/userinfo", Some("jco_wrong"), None)
        .await;
    assert_eq!(
        (wrong.status, wrong.header("www-authenticate")),
        (401, Some("Bearer error=\"invalid_token\""))
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn csrf_on_consent_and_a_token_in_place_of_a_session_agree_to_nothing() {
    let city = TestCity::start().await;
    let app = register(&city, json!({})).await;
    let officer = Browser::signed_in(&city, "officer").await;
    let first = city.call("GET", &authorise(&app, ""), None, None).await;
    let consent = location(&officer.get(&bounced(&first)).await);
    let request = parameter(&consent, "request");
    let agreed = json!({ "request": request, "agrees": true });
    // A forged request brings the cookie at most, and no header of ours.
    let forged = officer
        .post("/api/v1/openid/consent", false, agreed.clone())
        .await;
    assert_eq!(forged.status, 403, "{}", forged.text);
    let nobody = city
        .call("POST", "/api/v1/openid/consent", None, Some(agreed.clone()))
        .await;
    assert_eq!(nobody.status, 401);
    // An application's own access token, and a program's, agree for nobody.
    let tokens = exchange(&city, &app, &code(&officer, &app, "").await)
        .await
        .json();
    let access = field(&tokens, "access_token");
    let by_token = city
        .call(
            "POST",
            "/api/v1/openid/consent",
            Some(&access),
            Some(agreed.clone()),
        )
        .await;
    assert_eq!(by_token.status, 403, "{}", by_token.text);
    let mut changed = agreed.clone();
    changed["request"] = json!(request.replace('A', "B"));
    let changed = officer.post("/api/v1/openid/consent", true, changed).await;
    assert_eq!(
        (changed.status, changed.json()["code"].as_str()),
        (422, Some("openid.request"))
    );
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_opens_the_api_within_its_scopes_only() {
    let city = TestCity::start().await;
    let app = register(&city, json!({})).await;
    let officer = Browser::signed_in(&city, "officer").await;
    let narrow = exchange(&city, &app, &code(&officer, &app, "").await)
        .await
        .json();
    let wide = format!("{}%20city.read", "&scope=openid");
    let path = authorise(&app, "").replace("&scope=openid%20profile%20offline_access", &wide);
    let first = city.call("GET", &path, None, None).await;
    let consent = location(&officer.get(&bounced(&first)).await);
    let agreed = json!({ "request": parameter(&consent, "request"), "agrees": true });
    let to = officer
        .post("/api/v1/openid/consent", true, agreed)
        .await
        .json();
    let wide = exchange(&city, &app, &parameter(&field(&to, "to"), "code"))
        .await
        .json();
    let check = async |tokens: &Value, method: &str, path: &str, expect: u16| {
        let token = field(tokens, "access_token");
        let answer = city.call(method, path, Some(&token), None).await;
        assert_eq!(answer.status, expect, "{method} {path}: {}", answer.text);
    };
    let read = "/api/v1/registers/station";
    check(&narrow, "GET", read, 403).await;
    check(&wide, "GET", read, 200).await;
    check(&wide, "PUT", "/api/v1/registers/station/1", 403).await;
    check(&wide, "GET", "/api/v1/session", 403).await;
    check(&wide, "POST", "/api/v1/session/password", 403).await;
    check(&wide, "GET", "/api/v1/account/applications", 403).await;
    // Nor more than the person may: an officer runs no accounts.
    check(&wide, "GET", "/api/v1/operator/accounts", 403).await;
    officer
        .city
        .call(
            "DELETE",
            "/api/v1/session",
            Some(&officer.cookie[16..]),
            None,
        )
        .await;
    check(&wide, "GET", read, 401).await;
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_answered_as_the_rfcs_say() {
    let city = TestCity::start().await;
    let app = register(&city, json!({ "method": "client_secret_basic" })).await;
    // Not to be trusted: shown here, and nobody is sent anywhere.
    let evil = authorise(&app, "").replace("app.example", "evil.example");
    let shown = city.call("GET", &evil, None, None).await;
    assert_eq!(shown.status, 422);
    assert!(shown.header("location").is_none() && !shown.text.contains("evil.example"));
    assert!(
        shown
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    let script = city
        .call(
            "GET",
            "/oauth2/authorize?client_id=%3Cscript%3Ealert(1)%3C/script%3E",
            None,
            None,
        )
        .await;
    assert!(!script.text.contains("<script"), "{}", script.text);
    // To be trusted: told to the application.
    let back = location(
        &city
            .call("GET", &authorise(&app, "&prompt=none"), None, None)
            .await
            .with_bounce(&city)
            .await,
    );
    assert_eq!(
        (
            parameter(&back, "error").as_str(),
            parameter(&back, "state").as_str()
        ),
        ("login_required", "s1")
    );
    assert!(parameter(&back, "iss").starts_with("http://127.0.0.1:"));
    // The token endpoint: JSON, the status, the challenge.
    let refused = form(
        &city,
        "/oauth2/token",
        &[("grant_type", "authorization_code"), ("client_id", &app.id)],
    )
    .await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, Some("Basic realm=\"jicheng\""))
    );
    assert_eq!(refused.json()["error"], "invalid_client");
    let json = city
        .call(
            "POST",
            "/oauth2/token",
            None,
            Some(json!({ "grant_type": "x" })),
        )
        .await;
    assert_eq!(
        (json.status, json.json()["error"].as_str()),
        (400, Some("invalid_request"))
    );
    let long = format!("grant_type={}", "x".repeat(40_000));
    let long = city
        .raw("POST", "/oauth2/token", None, &[], Some((FORM, &long)))
        .await;
    assert_eq!(long.status, 413, "{}", long.text);
    let header = format!("Basic {}", "A".repeat(60_000));
    let header = city
        .raw(
            "POST",
            "/oauth2/token",
            None,
            &[("authorization", &header)],
            Some((FORM, "a=b")),
        )
        .await;
    assert!([401, 431].contains(&header.status), "{}", header.status);
    for path in ["/oauth2/nothing", "/.well-known/nothing"] {
        assert_eq!(city.call("GET", path, None, None).await.status, 404);
    }
    city.stop().await;
}

impl Answer {
    /// Follows the page that moves on.
    async fn with_bounce(self, city: &TestCity) -> Answer {
        match self.status {
            200 => city.call("GET", &bounced(&self), None, None).await,
            _ => self,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_fixation_a_new_sign_in_is_a_new_session_and_old_consent_pages_know_it() {
    let city = TestCity::start().await;
    let app = register(&city, json!({})).await;
    let officer = Browser::signed_in(&city, "officer").await;
    let first = city.call("GET", &authorise(&app, ""), None, None).await;
    let consent = location(&officer.get(&bounced(&first)).await);
    let request = parameter(&consent, "request");
    // Somebody plants a session and lets the victim sign in: what comes is another secret.
    let body = json!({ "account": "duty", "password": PASSWORD }).to_string();
    let planted = [("cookie", officer.cookie.as_str())];
    let answer = city
        .raw(
            "POST",
            "/api/v1/session",
            None,
            &planted,
            Some(("application/json", &body)),
        )
        .await;
    let fresh = match answer.status {
        200 => answer,
        // A cookie on a POST needs the header of our pages even here.
        _ => {
            let planted = [("cookie", officer.cookie.as_str()), ("x-csrf", "1")];
            city.raw(
                "POST",
                "/api/v1/session",
                None,
                &planted,
                Some(("application/json", &body)),
            )
            .await
        }
    };
    assert_eq!(fresh.status, 200, "{}", fresh.text);
    let cookie = fresh.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("SameSite=Strict") && cookie.contains("HttpOnly"));
    assert!(!cookie.contains(&officer.cookie), "a new secret");
    // The consent given on a page opened before counts for whoever is signed in now.
    let duty = Browser {
        city: &city,
        cookie: cookie.split(';').next().expect("a pair").into(),
    };
    let agreed = json!({ "request": request, "agrees": true });
    let to = duty
        .post("/api/v1/openid/consent", true, agreed)
        .await
        .json();
    let tokens = exchange(&city, &app, &parameter(&field(&to, "to"), "code"))
        .await
        .json();
    let info = city
        .call(
            "GET",
            "/oauth2/userinfo",
            Some(&field(&tokens, "access_token")),
            None,
        )
        .await;
    assert_eq!(info.json()["sub"], "duty");
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_messages_reach_an_application_on_an_allowed_host() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("bind");
    let address = listener.local_addr().expect("an address").to_string();
    let city = TestCity::start_with(&[("outgoing_allow", &address)]).await;
    let app = register(
        &city,
        json!({ "backchannel_logout_uri": format!("http://{address}/hear") }),
    )
    .await;
    let officer = Browser::signed_in(&city, "officer").await;
    exchange(&city, &app, &code(&officer, &app, "").await).await;
    let headers = [("cookie", officer.cookie.as_str()), ("x-csrf", "1")];
    let out = city
        .raw("DELETE", "/api/v1/session", None, &headers, None)
        .await;
    assert_eq!(out.status, 204);
    let hear = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut heard = vec![];
        let mut part = [0; 4096];
        while !String::from_utf8_lossy(&heard).contains("logout_token=") {
            let read = stream.read(&mut part).await.expect("read");
            assert!(read > 0, "broke off: {}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&part[..read]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .expect("write");
        String::from_utf8_lossy(&heard).into_owned()
    };
    let heard = tokio::time::timeout(std::time::Duration::from_secs(20), hear)
        .await
        .expect("in time");
    assert!(heard.starts_with("POST /hear HTTP/1.1"), "{heard}");
    city.stop().await;
}
