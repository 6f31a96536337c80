//! Files attached to mail and notices: brought by a member, read by whoever sees what they are
//! attached to and by nobody else, gone again when they never went out.

use crate::city::TestCity;
use crate::permits::{PDF, get, officer, post};
use kernel::documents::Documents;
use kernel::{Clock, ManualClock, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

async fn bring(city: &TestCity, token: &str, name: &str, bytes: &str) -> crate::city::Answer {
    let path = format!("/api/v1/office/files?name={name}");
    let body = Some(("application/octet-stream", bytes));
    city.raw("POST", &path, Some(token), &[], body).await
}

async fn status(city: &TestCity, path: &str, token: Option<&str>) -> u16 {
    city.call("GET", path, token, None).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_where_what_it_is_attached_to_goes() {
    let start = Time::parse("2026-11-02T10:00:00+08:00").expect("a time");
    let clock = Arc::new(ManualClock::new(start));
    let city = TestCity::start_on(clock.clone()).await;
    let sender = officer(&city, "sender", &["office_member", "office_publisher"]).await;
    let reader = officer(&city, "reader", &["office_member"]).await;
    let other = officer(&city, "other", &["office_member"]).await;
    let app = &city.running.app;
    app.staff.refresh().await.expect("the staff is read");

    // What is no file of a known kind is refused, and says why in both languages.
    let wrong = bring(&city, &sender, "run.pdf", "MZ not a document").await;
    assert_eq!(wrong.status, 422, "{}", wrong.text);
    let words = &wrong.json()["problems"][0]["words"];
    assert!(
        words["zh"].is_string() && words["en"].is_string(),
        "{words}"
    );

    let brought = bring(&city, &sender, "plan.pdf", PDF).await;
    assert_eq!(brought.status, 201, "{}", brought.text);
    let file = brought.json()["id"].as_str().expect("an id").to_string();
    let path = format!("/api/v1/office/files/{file}");
    let mail = json!({
        "to": [{"account": "reader"}], "subject": "方案", "body": "见附件", "files": [file],
    });
    // Nobody passes on what is not theirs.
    let stolen = city
        .call(
            "POST",
            "/api/v1/office/mail",
            Some(&other),
            Some(mail.clone()),
        )
        .await;
    assert_eq!(stolen.status, 422, "{}", stolen.text);
    let sent = post(&city, "/api/v1/office/mail", &sender, mail).await;
    let id = sent["id"].as_str().expect("an id");

    let seen = get(&city, &format!("/api/v1/office/mail/{id}"), &reader).await;
    assert_eq!(seen["attachments"][0]["name"], "plan.pdf", "{seen}");
    let thread = get(&city, &format!("/api/v1/office/mail/{id}/thread"), &reader).await;
    assert_eq!(thread["items"][0]["attachments"][0]["id"], file.as_str());
    let (answer, bytes) = city
        .bytes("GET", &path, Some(&reader), ("text/plain", b""))
        .await;
    assert_eq!((answer.status, bytes.as_slice()), (200, PDF.as_bytes()));
    assert_eq!(status(&city, &path, Some(&sender)).await, 200);
    assert_eq!(status(&city, &path, Some(&other)).await, 404);
    assert_eq!(status(&city, &path, None).await, 401);
    let kept = app.documents.info(&file).await.expect("it is there");
    assert!(kept.handed_in, "what went out stays");
    // The reader passes it on.
    let on = json!({
        "to": [{"account": "other"}], "subject": "转", "body": "请阅", "files": [file], "forward_of": id,
    });
    post(&city, "/api/v1/office/mail", &reader, on).await;
    assert_eq!(status(&city, &path, Some(&other)).await, 200);

    // What waits is bounded for one person, and for nobody else.
    for n in 0..50 {
        let brought = bring(&city, &other, &format!("{n}.pdf"), PDF).await;
        assert_eq!(brought.status, 201, "{}", brought.text);
    }
    assert_eq!(bring(&city, &other, "more.pdf", PDF).await.status, 409);

    // One that never goes out is gone after two days; the others stay.
    let idle = bring(&city, &sender, "idle.pdf", PDF).await.json();
    let idle = idle["id"].as_str().expect("an id").to_string();
    clock.set(clock.now() + Span::hours(50));
    jicheng::http::attachments::tidy(app).await.expect("tidied");
    assert!(app.documents.info(&idle).await.is_err());
    assert!(app.documents.info(&file).await.is_ok());
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_reads_what_is_attached_to_a_public_notice() {
    let city = TestCity::start().await;
    let roles = ["office_member", "office_publisher"];
    let sender = officer(&city, "sender", &roles).await;
    city.running.app.staff.refresh().await.expect("the staff");
    let brought = bring(&city, &sender, "plan.pdf", PDF).await.json();
    let file = brought["id"].as_str().expect("an id");
    let notice = |audience: Value| json!({"title": "公示", "body": "见附件", "files": [file], "audience": audience, "pinned": false, "confirm": false});
    let within = post(
        &city,
        "/api/v1/office/notices",
        &sender,
        notice(json!({"organisations": ["data_bureau"]})),
    )
    .await;
    let within = within["id"].as_str().expect("an id");
    let hidden = format!("/api/v1/notices/{within}/files/{file}");
    assert_eq!(status(&city, &hidden, None).await, 404);
    let open = post(
        &city,
        "/api/v1/office/notices",
        &sender,
        notice(json!("public")),
    )
    .await;
    let open = open["id"].as_str().expect("an id");
    let page = city
        .call("GET", &format!("/api/v1/notices/{open}"), None, None)
        .await;
    assert_eq!(
        page.json()["attachments"][0]["name"],
        "plan.pdf",
        "{}",
        page.text
    );
    assert_eq!(
        status(&city, &format!("/api/v1/notices/{open}/files/{file}"), None).await,
        200
    );
    assert_eq!(
        status(&city, &format!("/api/v1/notices/{open}/files/other"), None).await,
        404
    );
    city.stop().await;
}
