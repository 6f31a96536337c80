//! Bundles: one form, one application with a part for each item, each with its own office.

use crate::stage::*;
use kernel::applications::*;
use kernel::cases::Light;
use serde_json::json;
use testkit::each_store;

async fn birth(house: &House) -> Receipt {
    let (engine, by) = (&house.engine, resident(1));
    let draft = engine.begin(&by, new_draft("birth")).await.unwrap();
    let missing: Vec<&str> = draft.problems.iter().map(|p| p.at.as_str()).collect();
    assert_eq!(
        missing,
        ["/answers/child", "/answers/address", "/answers/bank"]
    );
    let change = DraftChange {
        answers: object(json!({ "address": "示例路1号", "bank": "6222", "child": "王小小" })),
        ..DraftChange::default()
    };
    engine.save(&by, &draft.id, None, change).await.unwrap();
    let receipt = engine.submit(&by, &draft.id).await.unwrap();
    let again = engine.submit(&by, &draft.id).await.unwrap();
    assert!(again == receipt);
    receipt
}

async fn accept_and_decide(house: &House, office: &str, part: &Application, approved: bool) {
    let officer = officer(office, "clerk", office);
    let verb = Clerk::Accept {
        note: String::new(),
    };
    let accepted = house.engine.handle(&officer, &part.id, None, verb).await;
    assert!(accepted.unwrap().case.is_some());
    let input = object(json!({
        "application": { "id": part.id }, "case": format!("case-{}", part.id), "approved": approved, "reason": "理由", "basis": "依据",
    }));
    let key = format!("decide-{}", part.id);
    house
        .engine
        .serve("applications.decide", &key, &input)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_office_gets_its_part_and_the_bundle_follows() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let by = resident(1);
        let receipt = birth(&house).await;
        assert_eq!(receipt.application.number, "hall-20261125-00001");
        let numbers: Vec<&str> = receipt.parts.iter().map(|p| p.number.as_str()).collect();
        assert_eq!(numbers, ["civil-20261125-00001", "police-20261125-00001"]);
        let (social, card) = (&receipt.parts[0], &receipt.parts[1]);
        assert_eq!(card.part_of.as_deref(), Some("hall-20261125-00001"));
        let police = officer("police", "clerk", "police");
        let page = engine
            .applications(&police, &ApplicationFilter::default())
            .await;
        let page = page.unwrap();
        assert_eq!((page.count, &page.rows[0].id), (1, &card.id));
        let file = engine.application(&police, &card.id).await.unwrap();
        assert_eq!(
            file.answers,
            object(json!({ "address": "示例路1号", "child": "王小小" }))
        );
        assert_eq!(
            code(engine.application(&police, &social.id).await),
            "input.not_found"
        );
        // Mine shows the bundle, with its parts inside.
        let mine = ApplicationFilter {
            mine: true,
            ..ApplicationFilter::default()
        };
        assert_eq!(engine.applications(&by, &mine).await.unwrap().count, 1);
        let hall = officer("hall", "clerk", "hall");
        let verb = Clerk::NotAccept {
            reason: "不属于本机关".into(),
            basis: "依据".into(),
        };
        let refused = engine
            .handle(&hall, &receipt.application.id, None, verb)
            .await;
        assert_eq!(code(refused), "input.conflict", "handled part by part");
        let whole = || async {
            let file = engine.application(&by, &receipt.application.id).await;
            file.unwrap().application
        };
        accept_and_decide(&house, "police", card, true).await;
        assert_eq!(
            whole().await.state,
            ApplicationState::Accepted,
            "in hand until all ended"
        );
        accept_and_decide(&house, "civil", social, true).await;
        assert_eq!(whole().await.state, ApplicationState::Approved);
        assert_eq!(whole().await.due, None);
        let file = engine
            .application(&by, &receipt.application.id)
            .await
            .unwrap();
        let told: Vec<&str> = file.steps.iter().map(|s| s.words.zh.as_str()).collect();
        assert_eq!(told.len(), 7, "{told:?}");
        assert_eq!(file.parts.len(), 2);
        // Counted: the parts, not the bundle.
        let figures = engine
            .figures(&by, at("2026-11-25"), at("2026-11-26"))
            .await;
        let figures = figures.unwrap();
        assert_eq!((figures[0].submitted, figures[0].decided), (2, 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_refuses_and_withdrawing_takes_back_what_is_open() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let by = resident(1);
        let receipt = birth(&house).await;
        let (social, card) = (&receipt.parts[0], &receipt.parts[1]);
        accept_and_decide(&house, "police", card, true).await;
        accept_and_decide(&house, "civil", social, false).await;
        let id = &receipt.application.id;
        let bundle = engine.application(&by, id).await.unwrap();
        assert_eq!(bundle.application.state, ApplicationState::Refused);
        let withdraw = Own::Withdraw {
            reason: "不办了".into(),
        };
        let late = engine.own(&by, id, None, withdraw).await;
        assert_eq!(code(late), "input.conflict");
    })
    .await;
    each_store(|store| async move {
        let house = house(&store).await;
        let receipt = birth(&house).await;
        let withdraw = Own::Withdraw {
            reason: "不办了".into(),
        };
        let id = &receipt.application.id;
        let done = house.engine.own(&resident(1), id, None, withdraw).await;
        assert_eq!(done.unwrap().state, ApplicationState::Withdrawn);
        for part in &receipt.parts {
            let part = house.engine.application(&resident(1), &part.id).await;
            assert_eq!(part.unwrap().application.state, ApplicationState::Withdrawn);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_offices_that_decide_at_once_leave_a_bundle_that_is_right() {
    each_store(|store| async move {
        let house = house(&store).await;
        let receipt = birth(&house).await;
        let (social, card) = (&receipt.parts[0], &receipt.parts[1]);
        let one = accept_and_decide(&house, "police", card, true);
        let other = accept_and_decide(&house, "civil", social, true);
        tokio::join!(one, other);
        let bundle = house
            .engine
            .application(&resident(1), &receipt.application.id)
            .await
            .unwrap();
        assert_eq!(bundle.application.state, ApplicationState::Approved);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_a_bundle_is_that_of_the_part_due_last() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let receipt = birth(&house).await;
        let id = receipt.application.id.as_str();
        let ends = |one: &Application| one.due.as_ref().unwrap().due;
        let (first, whole) = (&receipt.parts[0], &receipt.application);
        assert_eq!(ends(first), ends(whole), "all parts wait to be accepted");
        // Only the offices of the parts say something, or their silence does.
        house.clock.set(at("2026-12-03T00:00:00+08:00"));
        assert_eq!(engine.deem_accepted().await.unwrap(), 2);
        engine.work().await.unwrap();
        let file = engine.application(&resident(1), id).await.unwrap();
        assert_eq!(file.application.state, ApplicationState::Accepted);
        assert!(file.steps.iter().all(|step| step.what != "deemed_accepted"));
        let parts = &file.parts;
        assert_eq!(
            Some(ends(&file.application)),
            parts.iter().map(ends).max(),
            "the part that is due last"
        );
        // The clocks of the parts stop for a hearing.
        house.hearing();
        for part in parts {
            house.happens(part.case.as_ref().unwrap(), "paused").await;
        }
        engine.follow().await.unwrap();
        let file = engine.application(&resident(1), id).await.unwrap();
        assert_eq!(file.application.due.unwrap().light, Light::Paused);
        assert!(
            file.steps.iter().all(|step| step.what != "paused"),
            "what a part's clock does is told in the part"
        );
    })
    .await;
}
