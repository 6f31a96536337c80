//! Handing in: whole or not at all, with numbers, receipt, check code and everything that follows.

use crate::stage::*;
use kernel::Span;
use kernel::applications::*;
use kernel::items::{DeliveryWay, ItemState};
use serde_json::json;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_missing_is_named_at_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let draft = engine.begin(&by, new_draft("food")).await.unwrap();
        let change = DraftChange {
            answers: object(json!({ "kitchen": true, "area": "big" })),
            delivery: Some(WantedDelivery {
                way: DeliveryWay::Post,
                address: Some(Address {
                    name: "王".into(),
                    mobile: "1".into(),
                    address: "x".into(),
                }),
            }),
            following: Some(vec!["plan".into()]),
            step: None,
        };
        engine.save(&by, &draft.id, None, change).await.unwrap();
        let refused = engine.submit(&by, &draft.id).await;
        let mut all = places(refused);
        all.sort();
        let expect = [
            "/answers/area",
            "/answers/chef",
            "/answers/premises",
            "/delivery/address/address",
            "/delivery/address/mobile",
            "/delivery/address/name",
            "/materials/health",
            "/materials/lease",
        ];
        assert_eq!(all, expect, "the plan follows, so it is not missing");
        let page = engine
            .applications(&clerk("li"), &ApplicationFilter::default())
            .await;
        assert_eq!(page.unwrap().count, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_with_number_and_check_code() {
    each_store(|store| async move {
        let house = house(&store).await;
        let receipt = house.food(1).await;
        let application = &receipt.application;
        assert_eq!(application.number, "market-20261125-00001");
        assert_eq!(application.state, ApplicationState::Submitted);
        let due = application.due.unwrap();
        assert_eq!((due.due, due.days), (at("2026-12-03"), 5), "working days");
        assert!(receipt.check.len() == 6 && receipt.check.bytes().all(|b| b.is_ascii_digit()));
        let next = house.food(2).await;
        assert_eq!(next.application.number, "market-20261125-00002");
        house.clock.advance(Span::days(1));
        let next = house.food(3).await;
        assert_eq!(
            next.application.number, "market-20261126-00001",
            "a new day"
        );
        // Handed in again it is the same, also after a restart.
        let house = house.again().await;
        let draft = house.engine.drafts(&resident(1)).await.unwrap();
        assert_eq!(draft, [], "no longer open");
        house.engine.work().await.unwrap();
        let letters = house.outside.letters.lock().unwrap().clone();
        let letter = letters
            .values()
            .find(|l| l.fields["number"] == "market-20261125-00001")
            .unwrap();
        assert_eq!(letter.kind, "receipt");
        assert_eq!(letter.fields["check"], receipt.check);
        assert!(
            !letter.fields["applicant_number"]
                .to_string()
                .contains("19900101")
        );
        let file = house
            .engine
            .application(&resident(1), &application.id)
            .await;
        let file = file.unwrap();
        assert_eq!(file.letters[0].kind, "receipt");
        assert!(file.letters[0].file.is_some() && !file.letters[0].number.is_empty());
        assert_eq!(file.steps[0].what, "submitted");
        let told = house.outside.notices.lock().unwrap().clone();
        assert!(
            told.values()
                .any(|(what, to)| what == "application_submitted" && to == "13812345678")
        );
        assert!(house.outside.handed_in.lock().unwrap().contains("lease-1"));
        let progress = house
            .engine
            .progress(&application.number, &receipt.check)
            .await
            .unwrap();
        assert_eq!(progress.state, ApplicationState::Submitted);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instant_items_are_accepted_at_once_unless_something_follows() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let draft = engine.begin(&by, new_draft("instant")).await.unwrap();
        let change = DraftChange {
            answers: object(json!({ "reason": "迁入" })),
            ..DraftChange::default()
        };
        engine.save(&by, &draft.id, None, change).await.unwrap();
        let receipt = engine.submit(&by, &draft.id).await.unwrap();
        assert_eq!(receipt.application.state, ApplicationState::Accepted);
        engine.work().await.unwrap();
        let id = &receipt.application.id;
        let file = engine.application(&by, id).await.unwrap();
        assert_eq!(file.application.case, Some(format!("case-{id}")));
        assert_eq!(
            house.cases.data(id)["application"]["form"]["reason"],
            "迁入"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_follow_the_rules_of_their_material() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let draft = engine.begin(&by, new_draft("food")).await.unwrap();
        let id = &draft.id;
        let rule = engine.may_upload(&by, id, "lease").await.unwrap();
        assert_eq!((rule.left, rule.formats.len()), (5, 4));
        let photo = engine.may_upload(&by, id, "photo").await;
        assert_eq!(code(photo), "input.not_found", "asked with a kitchen only");
        let kitchen = DraftChange {
            answers: object(json!({ "kitchen": true })),
            ..DraftChange::default()
        };
        engine.save(&by, id, None, kitchen).await.unwrap();
        let rule = engine.may_upload(&by, id, "photo").await.unwrap();
        assert_eq!(rule.formats, ["jpeg"]);
        let file = house.file("a");
        let note = |file: FileLine, removed| {
            let (engine, by, id) = (engine.clone(), by.clone(), id.clone());
            async move { engine.note_file(&by, &id, "photo", file, removed).await }
        };
        note(file.clone(), false).await.unwrap();
        note(file.clone(), false).await.unwrap();
        assert_eq!(engine.may_upload(&by, id, "photo").await.unwrap().left, 0);
        assert_eq!(code(note(house.file("b"), false).await), "input.conflict");
        engine.may_read_file(&by, id, "a").await.unwrap();
        note(file.clone(), true).await.unwrap();
        assert_eq!(code(note(file, true).await), "input.not_found");
        assert_eq!(
            code(engine.may_read_file(&by, id, "a").await),
            "input.not_found"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_promised_follows() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let draft = engine.begin(&by, new_draft("food")).await.unwrap();
        for material in ["lease", "health"] {
            let file = house.file(material);
            let noted = engine
                .note_file(&by, &draft.id, material, file, false)
                .await;
            noted.unwrap();
        }
        let change = DraftChange {
            following: Some(vec!["plan".into()]),
            ..food_answers()
        };
        engine.save(&by, &draft.id, None, change).await.unwrap();
        let receipt = engine.submit(&by, &draft.id).await.unwrap();
        let id = &receipt.application.id;
        let lease = engine.may_upload(&by, id, "lease").await;
        assert_eq!(
            code(lease),
            "input.conflict",
            "handed in: it stays as it is"
        );
        assert_eq!(engine.may_upload(&by, id, "plan").await.unwrap().about, *id);
        let verb = Clerk::Accept {
            note: String::new(),
        };
        engine.handle(&clerk("li"), id, None, verb).await.unwrap();
        let data = house.cases.data(id);
        assert_eq!(data["application"]["following"], json!(["plan"]));
        let noted = engine
            .note_file(&by, id, "plan", house.file("late"), false)
            .await;
        noted.unwrap();
        let file = engine.application(&by, id).await.unwrap();
        let plan = file.materials.iter().find(|m| m.name == "plan").unwrap();
        assert!(!plan.following && plan.files.len() == 1);
        assert_eq!(file.steps.last().unwrap().what, "supplied");
        engine.work().await.unwrap();
        assert!(house.outside.handed_in.lock().unwrap().contains("late"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_that_is_no_longer_offered() {
    each_store(|store| async move {
        let house = house(&store).await;
        let draft = house.food_draft(1).await;
        let other = house.food_draft(2).await;
        house.items.set_state("food", ItemState::Suspended);
        let engine = &house.engine;
        let refused = engine.submit(&resident(1), &draft.id).await.err().unwrap();
        assert_eq!(refused.code, "input.conflict");
        assert!(refused.words.zh.contains("暂停办理"), "{refused}");
        let kept = engine.draft(&resident(1), &draft.id).await.unwrap();
        assert_eq!((kept.submitted_as, kept.answers), (None, draft.answers));
        house.items.set_state("food", ItemState::InForce);
        engine.submit(&resident(1), &draft.id).await.unwrap();
        house.items.set_state("food", ItemState::Cancelled);
        let refused = engine.submit(&resident(2), &other.id).await;
        assert_eq!(code(refused), "input.conflict");
        // The level is asked again at the moment of handing in.
        house.items.set_state("food", ItemState::InForce);
        let mut low = resident(2);
        low.standing.proofing = 1;
        let refused = engine.submit(&low, &other.id).await;
        assert_eq!(code(refused), "parties.level");
    })
    .await;
}
