//! Deadlines: whoever has a task in hand is told before it is due, their colleagues too once it is
//! over, and whoever is urged is told of that; each once.

use crate::city::TestCity;
use crate::permits::{draft, get, hand_in, officer, post, task};
use jicheng::window::Reminders;
use kernel::{ManualClock, Span, Time};
use serde_json::{Value, json};
use std::sync::Arc;

/// What the account was told, the newest first. A sign-in lasts hours, the clock jumps by days.
async fn inbox(city: &TestCity, account: &str) -> Vec<Value> {
    let token = city.token(account).await;
    let all = get(city, "/api/v1/messages", &token).await;
    all["items"].as_array().cloned().unwrap_or_default()
}

/// Follows the log until the account was told so many things; the newest of them, in Chinese.
async fn told(city: &TestCity, account: &str, count: usize) -> (Value, String) {
    let reminders = Reminders::of(&city.running.app);
    let mut messages = vec![];
    for _ in 0..200 {
        reminders.follow().await.expect("the log is read");
        messages = inbox(city, account).await;
        if messages.len() >= count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(messages.len(), count, "{account}: {messages:?}");
    let said = messages[0]["text"]["zh"].as_str().expect("a text");
    (messages[0].clone(), said.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_task_is_told_before_it_is_due_and_colleagues_when_it_is_over() {
    let start = Time::parse("2026-11-02T10:00:00+08:00").expect("a time");
    let clock = Arc::new(ManualClock::new(start));
    let city = TestCity::start_on(clock.clone()).await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let inspector = officer(&city, "inspector", &["permit_inspector"]).await;
    officer(&city, "colleague", &["permit_inspector"]).await;
    officer(&city, "stranger", &["permit_approver"]).await;
    let app = &city.running.app;
    app.staff.refresh().await.expect("the staff is read");
    let follower = Reminders::of(app);
    follower.follow().await.expect("the log is followed");

    let id = draft(&city, &clerk, 21, "catering", 80).await;
    let receipt = hand_in(&city, &clerk, &id).await;
    let application = receipt["application"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/service-applications/{application}");
    let accept = json!({"verb": "accept", "note": ""});
    post(&city, &format!("{path}/handle"), &clerk, accept).await;
    let number = receipt["application"]["number"].as_str().expect("number");
    let inspect = task(&city, &inspector, "inspect", number).await;
    let verbs = format!("/api/v1/tasks/{inspect}/verbs");
    post(&city, &verbs, &inspector, json!({"verb": "claim"})).await;

    // Urged: the inspector is told, nobody else.
    let urge = json!({"verb": "urge", "words": "请尽快"});
    post(&city, &verbs, &clerk, urge).await;
    let (message, said) = told(&city, "inspector", 1).await;
    assert_eq!(message["about"], format!("task/{inspect}"));
    assert!(said.contains(number) && said.contains("催办"), "{said}");

    // An inspection has five working days, from Tuesday to the Monday after: on Friday the light is
    // yellow.
    clock.set(start + Span::days(4));
    let (_, said) = told(&city, "inspector", 2).await;
    assert!(said.contains("最后一日为 2026-11-09"), "{said}");
    assert!(inbox(&city, "colleague").await.is_empty());

    clock.set(start + Span::days(8));
    for (account, count) in [("inspector", 3), ("colleague", 1)] {
        let (_, said) = told(&city, account, count).await;
        assert!(said.contains("已超过期限"), "{said}");
    }
    assert!(inbox(&city, "stranger").await.is_empty());

    // Nothing is said twice, from the beginning of the log neither.
    let mut tx = app.store.begin().await.expect("a transaction");
    let set = store::cursors::set(&mut tx, "deadline_reminders", 0).await;
    set.expect("a cursor");
    tx.commit().await.expect("a commit");
    let again = follower.follow().await.expect("the log is read");
    assert_eq!(again, 0);
    assert_eq!(inbox(&city, "inspector").await.len(), 3);
    city.stop().await;
}

/// Makes somebody the head of an organisation.
async fn head(city: &TestCity, name: &str, organisation: &str) {
    officer(city, name, &[]).await;
    let by = kernel::Actor::system();
    let organisations = &city.running.app.organisations;
    let new = json!({"organisation": organisation, "title": {"zh": "局长", "en": "Head"}, "rank": "head"});
    let new = serde_json::from_value(new).expect("a position");
    let position = organisations.make_position(&by, new, &|_| true).await;
    let position = position.expect("a position").id;
    let new = json!({"account": name, "position": position, "reason": "任命"});
    let new = serde_json::from_value(new).expect("an appointment");
    let made = organisations.appoint(&by, new, name).await;
    made.expect("an appointment");
}

/// What the history of a case says of who was told: light, those who have it, superiors.
async fn told_of(city: &TestCity, case: &str) -> Vec<(String, Value, Value)> {
    let clerk = city.token("clerk").await;
    let history = get(city, &format!("/api/v1/cases/{case}/history"), &clerk).await;
    let entries = history["items"].as_array().expect("a list").iter();
    let told = entries.filter(|entry| entry["what"] == "told");
    told.map(|entry| {
        assert!(entry["task"].is_string(), "{entry}");
        let details = &entry["details"];
        let light = details["light"].as_str().unwrap_or("").to_string();
        (light, details["to"].clone(), details["superiors"].clone())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn superiors_hear_of_what_is_over_once_each_and_it_is_noted_who() {
    let start = Time::parse("2026-11-02T10:00:00+08:00").expect("a time");
    let clock = Arc::new(ManualClock::new(start));
    let city = TestCity::start_on(clock.clone()).await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    let inspector = officer(&city, "inspector", &["permit_inspector"]).await;
    head(&city, "boss", "data_bureau").await;
    head(&city, "mayor", "city_government").await;
    head(&city, "other_boss", "environment_bureau").await;
    let app = &city.running.app;
    app.staff.refresh().await.expect("the staff is read");
    let follower = Reminders::of(app);
    follower.follow().await.expect("the log is followed");
    let id = draft(&city, &clerk, 21, "catering", 80).await;
    let receipt = hand_in(&city, &clerk, &id).await;
    let application = receipt["application"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/service-applications/{application}");
    let accept = json!({"verb": "accept", "note": ""});
    post(&city, &format!("{path}/handle"), &clerk, accept).await;
    let number = receipt["application"]["number"].as_str().expect("number");
    let inspect = task(&city, &inspector, "inspect", number).await;
    let verbs = format!("/api/v1/tasks/{inspect}/verbs");
    post(&city, &verbs, &inspector, json!({"verb": "claim"})).await;
    let case = inspect.split('-').next().expect("a case").to_string();

    // Yellow: no superior. The day after the last one (Monday the 9th): the head of the office.
    clock.set(start + Span::days(4));
    told(&city, "inspector", 1).await;
    assert!(inbox(&city, "boss").await.is_empty());
    clock.set(start + Span::days(8));
    let (message, said) = told(&city, "boss", 1).await;
    assert_eq!(message["about"], format!("task/{inspect}"));
    assert!(
        said.contains(number) && said.contains("inspector") && said.contains("2026-11-09"),
        "{said}"
    );
    assert!(inbox(&city, "mayor").await.is_empty());
    // A working day later, still not done: the next one above, and nobody twice.
    clock.set(start + Span::days(9));
    told(&city, "mayor", 1).await;
    let expect = [
        ("yellow".to_string(), json!(["inspector"]), json!([])),
        ("red".to_string(), json!(["inspector"]), json!(["boss"])),
        ("overdue".to_string(), json!([]), json!(["mayor"])),
    ];
    assert_eq!(told_of(&city, &case).await, expect);
    // Read from the beginning, nothing is said or noted again.
    let mut tx = app.store.begin().await.expect("a transaction");
    let set = store::cursors::set(&mut tx, "deadline_reminders", 0).await;
    set.expect("a cursor");
    tx.commit().await.expect("a commit");
    assert_eq!(follower.follow().await.expect("the log is read"), 0);
    for (name, count) in [("boss", 1), ("mayor", 1), ("other_boss", 0)] {
        assert_eq!(inbox(&city, name).await.len(), count, "{name}");
    }
    assert_eq!(told_of(&city, &case).await, expect);
    city.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_stop_each_is_told_once_and_nobody_is_their_own_superior() {
    let start = Time::parse("2026-11-02T10:00:00+08:00").expect("a time");
    let clock = Arc::new(ManualClock::new(start));
    let city = TestCity::start_on(clock.clone()).await;
    let clerk = officer(&city, "clerk", &["acceptance_clerk"]).await;
    officer(&city, "inspector", &["permit_inspector"]).await;
    head(&city, "boss", "data_bureau").await;
    head(&city, "mayor", "city_government").await;
    let app = &city.running.app;
    app.staff.refresh().await.expect("the staff is read");
    let follower = Reminders::of(app);
    follower.follow().await.expect("the log is followed");
    let id = draft(&city, &clerk, 21, "catering", 80).await;
    let receipt = hand_in(&city, &clerk, &id).await;
    let application = receipt["application"]["id"].as_str().expect("an id");
    let path = format!("/api/v1/service-applications/{application}");
    let accept = json!({"verb": "accept", "note": ""});
    post(&city, &format!("{path}/handle"), &clerk, accept).await;
    let number = receipt["application"]["number"].as_str().expect("number");
    // The head has it: the first superior is the one above.
    let inspector = city.token("inspector").await;
    let inspect = task(&city, &inspector, "inspect", number).await;
    let verbs = format!("/api/v1/tasks/{inspect}/verbs");
    post(&city, &verbs, &inspector, json!({"verb": "claim"})).await;
    let hand = json!({"verb": "transfer", "to": "boss", "reason": "出差"});
    post(&city, &verbs, &inspector, hand).await;
    clock.set(start + Span::days(40));
    told(&city, "mayor", 1).await;
    follower.follow().await.expect("the log is read");
    let boss = inbox(&city, "boss").await;
    assert_eq!(boss.len(), 1, "as who has it, not as superior: {boss:?}");
    assert_eq!(inbox(&city, "mayor").await.len(), 1);
    city.stop().await;
}
