//! A bundle handled as one: what its parts wait for shows on it, the front desk tells once what is
//! missing and accepts the whole, and the applicant answers the shared form once.

use crate::stage::*;
use kernel::applications::*;
use kernel::items::{DeliveryWay, Material};
use kernel::{Actor, Fault, Words};
use serde_json::{Value, json};
use store::applications::{ApplicationRow, Put, Write, read, write};
use testkit::each_store;

async fn birth(house: &House) -> Receipt {
    birth_by(house, None).await
}

async fn birth_by(house: &House, delivery: Option<WantedDelivery>) -> Receipt {
    let (engine, by) = (&house.engine, resident(1));
    let draft = engine.begin(&by, new_draft("birth")).await.unwrap();
    let change = DraftChange {
        answers: object(json!({ "address": "示例路1号", "bank": "6222", "child": "王小小" })),
        delivery,
        ..DraftChange::default()
    };
    engine.save(&by, &draft.id, None, change).await.unwrap();
    engine.submit(&by, &draft.id).await.unwrap()
}

fn hall() -> Actor {
    officer("hall", "clerk", "hall")
}

fn missing(points: &[(&str, &str)]) -> Clerk {
    let one = |(at, what): &(&str, &str)| Missing {
        at: at.to_string(),
        what: what.to_string(),
    };
    Clerk::Correction {
        missing: points.iter().map(one).collect(),
    }
}

fn accept() -> Clerk {
    Clerk::Accept {
        note: String::new(),
    }
}

fn supplied(answers: Value) -> Own {
    Own::Correct {
        answers: object(answers),
        note: String::new(),
    }
}

async fn file(house: &House, id: &str) -> ApplicationFile {
    house.engine.application(&resident(1), id).await.unwrap()
}

async fn states(house: &House, receipt: &Receipt) -> Vec<ApplicationState> {
    let file = file(house, &receipt.application.id).await;
    let parts = file.parts.iter().map(|part| part.state);
    [file.application.state].into_iter().chain(parts).collect()
}

fn placed(outcome: Result<Application, Fault>) -> (&'static str, Vec<String>) {
    let fault = outcome.err().expect("a fault");
    let places = fault.problems.into_iter().map(|p| p.at).collect();
    (fault.code, places)
}

/// Letters and messages so far, by kind.
async fn told(house: &House) -> (Vec<String>, Vec<String>) {
    house.engine.work().await.unwrap();
    let letters = house.outside.letters.lock().unwrap();
    let letters = letters.values();
    let mut letters: Vec<String> = letters
        .map(|letter| format!("{} {}", letter.organisation, letter.kind))
        .collect();
    let notices = house.outside.notices.lock().unwrap();
    let mut notices: Vec<String> = notices.values().map(|(what, _)| what.clone()).collect();
    letters.sort();
    notices.sort();
    (letters, notices)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_of_one_part_waits_on_the_bundle_and_is_answered_there() {
    use ApplicationState::*;
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let receipt = birth(&house).await;
        let id = receipt.application.id.as_str();
        let card = &receipt.parts[1];
        let police = officer("police", "clerk", "police");
        let asks = missing(&[("answers/address", "门牌号不清")]);
        engine.handle(&police, &card.id, None, asks).await.unwrap();
        assert_eq!(
            states(&house, &receipt).await,
            [Correction, Submitted, Correction]
        );
        let todo = ApplicationFilter {
            mine: true,
            states: vec![Correction],
            ..ApplicationFilter::default()
        };
        let found = engine.applications(&by, &todo).await.unwrap();
        assert_eq!((found.count, found.rows[0].id.as_str()), (1, id), "等我办");
        let counts = found.rows[0].parts.unwrap();
        assert_eq!(
            (counts.total, counts.correction, counts.submitted),
            (2, 1, 1)
        );
        let bundle = file(&house, id).await;
        assert_eq!(bundle.missing.len(), 1);
        assert_eq!(bundle.missing[0].at, "answers/address");
        assert_eq!(bundle.application.due, None, "it waits for the applicant");
        let mine: Vec<&str> = bundle
            .steps
            .iter()
            .filter(|s| s.office.is_none())
            .map(|s| s.what.as_str())
            .collect();
        assert_eq!(mine, ["submitted"], "an office asked, not the applicant");
        let progress = engine
            .progress(&receipt.application.number, &receipt.check)
            .await
            .unwrap();
        assert_eq!((progress.state, progress.missing.len()), (Correction, 1));
        // What was not asked stays, what was is due.
        let other = engine
            .own(&by, id, None, supplied(json!({ "bank": "1" })))
            .await;
        assert_eq!(
            placed(other),
            (
                "input.invalid",
                vec!["/answers/bank".into(), "/answers/address".into()]
            )
        );
        engine
            .own(&by, id, None, supplied(json!({ "address": "示例路2号" })))
            .await
            .unwrap();
        assert_eq!(
            states(&house, &receipt).await,
            [Submitted, Submitted, Submitted]
        );
        let part = engine.application(&police, &card.id).await.unwrap();
        assert_eq!(part.answers["address"], "示例路2号");
        let bundle = file(&house, id).await;
        assert_eq!(
            (&bundle.answers["address"], bundle.missing.len()),
            (&json!("示例路2号"), 0)
        );
        assert_eq!(bundle.steps.last().unwrap().what, "corrected");
        assert!(
            bundle.application.due.is_some(),
            "the clocks of its parts run"
        );
        let late = engine
            .own(&by, id, None, supplied(json!({ "address": "3" })))
            .await;
        assert_eq!(code(late), "input.conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_desk_tells_once_and_accepts_the_whole() {
    use ApplicationState::*;
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by, hall) = (&house.engine, resident(1), hall());
        let receipt = birth(&house).await;
        let id = receipt.application.id.as_str();
        let (social, card) = (&receipt.parts[0], &receipt.parts[1]);
        let version = receipt.application.version;
        let police = officer("police", "clerk", "police");
        let stranger = engine.handle(&police, id, None, accept()).await;
        assert_eq!(code(stranger), "input.not_found");
        let unknown = missing(&[("answers/colour", "没有"), ("answers/bank", "")]);
        let refused = engine.handle(&hall, id, None, unknown).await;
        let places = vec!["missing/0/at".to_string(), "missing/1/what".into()];
        assert_eq!(placed(refused), ("input.invalid", places));
        let asks = [
            ("answers/address", "门牌号不清"),
            ("answers/child", "姓名与出生证明不一致"),
        ];
        let done = engine
            .handle(&hall, id, Some(version), missing(&asks))
            .await
            .unwrap();
        assert_eq!(done.state, Correction);
        let stale = engine
            .handle(&hall, id, Some(version), missing(&asks))
            .await;
        assert_eq!(code(stale), "input.conflict");
        assert_eq!(states(&house, &receipt).await, [Correction; 3]);
        // One letter and one message, by the front desk, of everything.
        let (letters, notices) = told(&house).await;
        assert_eq!(
            letters
                .iter()
                .filter(|l| l.ends_with("correction"))
                .collect::<Vec<_>>(),
            ["hall correction"]
        );
        assert_eq!(notices, ["application_correction", "application_submitted"]);
        let key = house
            .outside
            .letters
            .lock()
            .unwrap()
            .values()
            .find(|l| l.kind == "correction")
            .unwrap()
            .fields["missing"]
            .clone();
        assert_eq!(key.as_array().unwrap().len(), 2);
        // Nothing half done: what waits for the applicant is named, and nothing was accepted.
        let early = engine.handle(&hall, id, None, accept()).await;
        let waiting = [social, card].map(|part| format!("parts/{}", part.number));
        assert_eq!(placed(early), ("input.conflict", waiting.to_vec()));
        assert_eq!(states(&house, &receipt).await, [Correction; 3]);
        // The shared form is answered once, for both.
        let half = engine
            .own(&by, id, None, supplied(json!({ "address": "示例路2号" })))
            .await;
        assert_eq!(
            placed(half),
            ("input.invalid", vec!["/answers/child".into()])
        );
        let whole = supplied(json!({ "address": "示例路2号", "child": "王大大" }));
        engine.own(&by, id, None, whole).await.unwrap();
        assert_eq!(states(&house, &receipt).await, [Submitted; 3]);
        for part in [social, card] {
            assert_eq!(file(&house, &part.id).await.answers["child"], "王大大");
        }
        // Said once: a new point is refused, at its place.
        let more = missing(&[("answers/child", "仍不一致"), ("answers/bank", "缺开户行")]);
        let again = engine.handle(&hall, id, None, more).await;
        assert_eq!(placed(again), ("input.conflict", vec!["missing/1".into()]));
        let accepted = engine.handle(&hall, id, None, accept()).await.unwrap();
        assert_eq!(
            (accepted.state, accepted.accepted_at.is_some()),
            (Accepted, true)
        );
        assert_eq!(states(&house, &receipt).await, [Accepted; 3]);
        let parts = file(&house, id).await.parts;
        assert!(
            parts.iter().all(|part| part.case.is_some()),
            "their cases have begun"
        );
        let (letters, notices) = told(&house).await;
        let acceptances = letters.iter().filter(|l| l.ends_with("acceptance"));
        assert_eq!(
            acceptances.collect::<Vec<_>>(),
            ["civil acceptance", "police acceptance"]
        );
        let accepted = notices.iter().filter(|n| *n == "application_accepted");
        assert_eq!(accepted.count(), 1, "told once");
        let late = engine.handle(&hall, id, None, accept()).await;
        assert_eq!(code(late), "input.conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_a_part_says_what_the_part_was_told() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let receipt = birth(&house).await;
        let id = receipt.application.id.as_str();
        let asks = missing(&[("answers/address", "门牌号不清")]);
        engine.handle(&hall(), id, None, asks).await.unwrap();
        engine
            .own(&by, id, None, supplied(json!({ "address": "示例路2号" })))
            .await
            .unwrap();
        let police = officer("police", "clerk", "police");
        let again = missing(&[("answers/address", "仍然不清")]);
        engine
            .handle(&police, &receipt.parts[1].id, None, again)
            .await
            .unwrap();
        engine.work().await.unwrap();
        let letters = house.outside.letters.lock().unwrap();
        let letter = letters
            .values()
            .find(|l| l.organisation == "police" && l.kind == "correction");
        assert_eq!(letter.unwrap().fields["missing"][0]["problem"], "仍然不清");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_bundle_go_to_the_parts_that_want_them() {
    use ApplicationState::*;
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by) = (&house.engine, resident(1));
        let mut card = simple("police", "address");
        card.materials = vec![Material {
            name: "photo".into(),
            title: Words::new("照片", "photo"),
            required: false,
            may_follow: false,
            when: vec![],
            sources: vec![],
            formats: vec![],
            most: Some(1),
            note: None,
        }];
        house.items.publish("card", card);
        let receipt = birth(&house).await;
        let id = receipt.application.id.as_str();
        let early = engine.may_upload(&by, id, "photo").await;
        assert_eq!(code(early), "input.conflict");
        let asks = missing(&[("materials/photo", "请交照片")]);
        engine.handle(&hall(), id, None, asks).await.unwrap();
        assert_eq!(
            states(&house, &receipt).await,
            [Correction, Submitted, Correction]
        );
        let empty = engine.own(&by, id, None, supplied(json!({}))).await;
        assert_eq!(
            placed(empty),
            ("input.invalid", vec!["/materials/photo".into()])
        );
        let rule = engine.may_upload(&by, id, "photo").await.unwrap();
        assert_eq!((rule.about.as_str(), rule.left), (id, 1));
        for _ in 0..2 {
            let noted = engine
                .note_file(&by, id, "photo", house.file("f1"), false)
                .await;
            noted.unwrap();
        }
        let second = engine
            .note_file(&by, id, "photo", house.file("f2"), false)
            .await;
        assert_eq!(code(second), "input.conflict", "as many as it may have");
        let shown = file(&house, id).await;
        assert_eq!(shown.materials[0].files.len(), 1);
        engine.may_read_file(&by, id, "f1").await.unwrap();
        let police = officer("police", "clerk", "police");
        engine
            .may_read_file(&police, &receipt.parts[1].id, "f1")
            .await
            .unwrap();
        engine
            .own(&by, id, None, supplied(json!({})))
            .await
            .unwrap();
        engine.work().await.unwrap();
        assert!(house.outside.handed_in.lock().unwrap().contains("f1"));
        let gone = engine
            .note_file(&by, id, "photo", house.file("f1"), true)
            .await;
        assert_eq!(code(gone), "input.conflict", "it is handed in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_says_how_its_parts_stand() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let mut birth_item = (*house.items.newest("birth")).clone().content;
        birth_item.delivery = vec![DeliveryWay::Counter];
        house.items.publish("birth", birth_item);
        let delivery = WantedDelivery {
            way: DeliveryWay::Counter,
            address: None,
        };
        let receipt = birth_by(&house, Some(delivery)).await;
        let id = receipt.application.id.as_str();
        engine.handle(&hall(), id, None, accept()).await.unwrap();
        let counts = || async { file(&house, id).await.application.parts.unwrap() };
        house.hearing();
        let (social, card) = (&receipt.parts[0], &receipt.parts[1]);
        house.happens(&format!("case-{}", card.id), "paused").await;
        engine.follow().await.unwrap();
        let now = counts().await;
        assert_eq!((now.total, now.accepted, now.paused), (2, 1, 1));
        let decide = |part: &Application, approved: bool| {
            let input = object(json!({
                "application": { "id": part.id }, "case": format!("case-{}", part.id),
                "approved": approved, "reason": "理由", "basis": "依据",
            }));
            (format!("decide-{}", part.id), input)
        };
        for (part, approved) in [(card, false), (social, true)] {
            let (key, input) = decide(part, approved);
            let served = engine.serve("applications.decide", &key, &input).await;
            served.unwrap();
        }
        let now = counts().await;
        assert_eq!((now.approved, now.refused, now.undelivered), (1, 1, 2));
        let civil = officer("civil", "clerk", "civil");
        let handed = Clerk::Deliver {
            tracking: None,
            taken_by: Some("本人，身份证".into()),
        };
        engine
            .handle(&civil, &social.id, None, handed)
            .await
            .unwrap();
        assert_eq!(counts().await.undelivered, 1, "one was handed over");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_of_an_earlier_version_come_to_wait_too() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let receipt = birth(&house).await;
        let id = receipt.application.id.as_str();
        let asks = missing(&[("answers/address", "门牌号不清")]);
        let police = officer("police", "clerk", "police");
        engine
            .handle(&police, &receipt.parts[1].id, None, asks)
            .await
            .unwrap();
        // As it stood before: in hand, whatever its parts wait for.
        let mut reader = store.reader().await.unwrap();
        let row = read::application(&mut reader, read::By::Id, id);
        let row = row.await.unwrap().unwrap();
        drop(reader);
        let was = row.version;
        let row = ApplicationRow {
            state: ApplicationState::Accepted as i64,
            version: was + 1,
            ..row
        };
        let mut old = Write {
            applications: vec![Put { row, was }],
            ..Write::default()
        };
        let mut tx = store.begin().await.unwrap();
        write::apply(&mut tx, &mut old, &|_, _| {}).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(engine.repair().await.unwrap(), 1);
        assert_eq!(
            states(&house, &receipt).await[0],
            ApplicationState::Correction
        );
        assert_eq!(engine.repair().await.unwrap(), 0);
    })
    .await;
}
