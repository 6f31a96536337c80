//! Acceptance: by a clerk, once said what is missing, by silence; transfer; the case that follows.

use crate::stage::*;
use kernel::Span;
use kernel::applications::*;
use kernel::cases::{Left, Light};
use serde_json::json;
use std::sync::atomic::Ordering;
use testkit::each_store;

fn correction(points: &[&str]) -> Clerk {
    let missing = |at: &&str| Missing {
        at: at.to_string(),
        what: "王小明 13812345678 所交不清晰，请重交".into(),
    };
    Clerk::Correction {
        missing: points.iter().map(missing).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_told_which_answers_a_register_gave() {
    each_store(|store| async move {
        let house = house(&store).await;
        for n in [1, 2] {
            let shop = object(json!({ "name": "示例餐馆" }));
            let key = ("shops".to_string(), citizen(n));
            house.registers.0.lock().unwrap().insert(key, shop);
            house.licences.cards.lock().unwrap().insert(citizen(n));
        }
        let known = async |n: u32| {
            let id = house.accepted(n).await.id;
            house.cases.data(&id)["application"]["known"].clone()
        };
        assert_eq!(known(1).await, json!(["grade", "number", "phone", "shop"]));
        // What somebody typed over it is theirs, not the register's.
        let by = resident(2);
        let draft = house.engine.begin(&by, new_draft("food")).await.unwrap();
        let change = DraftChange {
            answers: object(json!({ "grade": "特级", "shop": null })),
            ..DraftChange::default()
        };
        let saved = house.engine.save(&by, &draft.id, None, change).await;
        saved.unwrap();
        assert_eq!(known(2).await, json!(["number", "phone"]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_begins_with_what_is_not_personal() {
    each_store(|store| async move {
        let house = house(&store).await;
        let due = Left {
            due: at("2026-12-20"),
            days: 15,
            light: Light::Green,
            provisional: false,
        };
        *house.cases.due.lock().unwrap() = Some(due);
        let application = house.accepted(1).await;
        assert_eq!(application.state, ApplicationState::Accepted);
        assert_eq!(application.accepted_at, Some(at(START)));
        assert_eq!(application.due.unwrap().due, at("2026-12-20"));
        let id = &application.id;
        assert_eq!(application.case, Some(format!("case-{id}")));
        let (new, _) = house.cases.started.lock().unwrap()[id].clone();
        assert_eq!(new.number.as_deref(), Some("market-20261125-00001"));
        assert_eq!(new.organisation.as_deref(), Some("market"));
        assert_eq!(
            (new.statutory.unwrap().days, new.promised.unwrap().days),
            (20, 10)
        );
        let about = &new.data["application"];
        assert_eq!(about["id"], *id);
        assert_eq!(about["natural"], true);
        assert_eq!(about["channel"], "web");
        assert_eq!(
            about["form"],
            json!({ "premises": "示例路1号", "kitchen": false })
        );
        let text = format!("{new:?}");
        assert!(
            !text.contains(&citizen(1)) && !text.contains("138123") && !text.contains("王小明")
        );
        house.engine.work().await.unwrap();
        let letters = house.outside.letters.lock().unwrap().clone();
        assert!(
            letters
                .values()
                .any(|l| l.kind == "acceptance" && l.fields["deemed"] == false)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_cannot_begin_begins_later_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.cases.broken.store(true, Ordering::SeqCst);
        let application = house.accepted(1).await;
        assert_eq!(application.state, ApplicationState::Accepted);
        assert_eq!(application.case, None);
        // The process stops here; another one takes it up.
        let house = house.again().await;
        house.cases.broken.store(false, Ordering::SeqCst);
        house.clock.advance(Span::minutes(1));
        assert_eq!(
            house.engine.repair().await.unwrap(),
            0,
            "the job is still there"
        );
        let application = house.one(&application.id).await;
        assert!(application.case.is_some());
        house.engine.repair().await.unwrap();
        assert_eq!(*house.cases.starts.lock().unwrap(), 1);
        // A job that was lost, or set aside after too many failures, is made again.
        house.cases.broken.store(true, Ordering::SeqCst);
        let second = house.accepted(2).await;
        let mut tries = 0;
        loop {
            house.clock.advance(Span::hours(1));
            house.engine.work().await.unwrap();
            let operator = officer("op", "operator", "market");
            if !house
                .engine
                .set_aside(&operator, 10)
                .await
                .unwrap()
                .is_empty()
            {
                break;
            }
            tries += 1;
            assert!(tries < 100, "it is set aside in the end");
        }
        let denied = house.engine.set_aside(&clerk("li"), 10).await;
        assert_eq!(code(denied), "access.denied");
        house.cases.broken.store(false, Ordering::SeqCst);
        assert_eq!(house.engine.repair().await.unwrap(), 1);
        assert!(house.one(&second.id).await.case.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_set_aside_is_tried_again_by_an_operator_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.cases.broken.store(true, Ordering::SeqCst);
        let application = house.accepted(1).await;
        let operator = officer("op", "operator", "market");
        let engine = &house.engine;
        for _ in 0..100 {
            house.clock.advance(Span::hours(1));
            engine.work().await.unwrap();
            if engine.count_aside().await.unwrap() > 0 {
                break;
            }
        }
        let aside = engine.set_aside(&operator, 10).await.unwrap();
        assert_eq!(aside.len(), 1, "{aside:?}");
        let work = &aside[0];
        assert_eq!(work.number.as_deref(), Some(application.number.as_str()));
        assert_eq!(work.application, application.id);
        assert_eq!(work.at, kernel::Clock::now(&*house.clock), "it failed now");
        // What waits for its turn is not set aside, and a clerk may not.
        let (id, clerk) = (work.id.as_str(), clerk("li"));
        let denied = engine.try_again(&clerk, id).await;
        assert_eq!(code(denied), "access.denied");
        let unknown = engine.try_again(&operator, "none/case/start").await;
        assert_eq!(code(unknown), "input.not_found");
        house.cases.broken.store(false, Ordering::SeqCst);
        engine.try_again(&operator, id).await.unwrap();
        let again = engine.try_again(&operator, id).await;
        assert_eq!(code(again), "input.not_found", "somebody was quicker");
        engine.work().await.unwrap();
        assert!(house.one(&application.id).await.case.is_some());
        assert_eq!(engine.count_aside().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by, li) = (&house.engine, resident(1), clerk("li"));
        let id = house.food(1).await.application.id;
        let wrong = Clerk::Correction {
            missing: vec![
                Missing {
                    at: "answers/hat".into(),
                    what: "x".into(),
                },
                Missing {
                    at: "materials/lease".into(),
                    what: "缺少签字页".into(),
                },
            ],
        };
        let refused = engine.handle(&li, &id, None, wrong).await;
        assert_eq!(places(refused), ["missing/0/at", "missing/0/what"]);
        let empty = engine.handle(&li, &id, None, correction(&[])).await;
        assert_eq!(places(empty), ["missing"]);
        let points = ["materials/lease", "answers/premises"];
        let asked = engine.handle(&li, &id, None, correction(&points)).await;
        assert_eq!(asked.unwrap().state, ApplicationState::Correction);
        let file = engine.application(&by, &id).await.unwrap();
        assert_eq!(file.missing.len(), 2);
        assert!(
            file.application.due.is_none(),
            "the clock does not run meanwhile"
        );
        house.clock.advance(Span::days(30));
        assert_eq!(engine.deem_accepted().await.unwrap(), 0);
        // Everything still missing is named; what was not asked for cannot be changed.
        let correct = |answers| Own::Correct {
            answers: object(answers),
            note: String::new(),
        };
        let refused = engine
            .own(&by, &id, None, correct(json!({ "area": 7 })))
            .await;
        let all = ["/answers/area", "/materials/lease", "/answers/premises"];
        assert_eq!(places(refused), all);
        let plan = engine.may_upload(&by, &id, "plan").await;
        assert_eq!(code(plan), "input.conflict");
        let noted = engine
            .note_file(&by, &id, "lease", house.file("lease-new"), false)
            .await;
        noted.unwrap();
        let first = engine
            .note_file(&by, &id, "lease", house.file("lease-1"), true)
            .await;
        assert_eq!(code(first), "input.not_found", "what was handed in stays");
        let again = correct(json!({ "premises": "示例路9号" }));
        let back = engine.own(&by, &id, None, again).await.unwrap();
        assert_eq!(back.state, ApplicationState::Submitted);
        let due = back.due.unwrap().due;
        assert_eq!(
            due,
            at("2027-01-02"),
            "the clock begins anew: 2026-12-25 and five working days"
        );
        // Not a second time for something new; again where it is still wrong.
        let refused = engine
            .handle(&li, &id, None, correction(&["materials/plan"]))
            .await;
        assert_eq!(code(refused), "input.conflict");
        let anything = engine.handle(&li, &id, None, correction(&[""])).await;
        assert_eq!(code(anything), "input.conflict");
        let same = engine
            .handle(&li, &id, None, correction(&["materials/lease"]))
            .await;
        assert_eq!(same.unwrap().state, ApplicationState::Correction);
        engine.work().await.unwrap();
        let letters = house.outside.letters.lock().unwrap().clone();
        let corrections: Vec<_> = letters
            .values()
            .filter(|l| l.kind == "correction")
            .collect();
        assert_eq!(corrections.len(), 2);
        assert!(
            house
                .outside
                .handed_in
                .lock()
                .unwrap()
                .contains("lease-new")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_accepts_from_the_day_it_was_received() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let id = house.food(1).await.application.id;
        house.clock.set(at("2026-12-02T23:59:59+08:00"));
        assert_eq!(
            engine.deem_accepted().await.unwrap(),
            0,
            "the fifth day is not over"
        );
        house.clock.set(at("2026-12-03T00:00:00+08:00"));
        assert_eq!(engine.deem_accepted().await.unwrap(), 1);
        assert_eq!(engine.deem_accepted().await.unwrap(), 0);
        let application = house.one(&id).await;
        assert_eq!(application.state, ApplicationState::Accepted);
        assert_eq!(application.accepted_at, Some(at(START)));
        engine.work().await.unwrap();
        assert!(house.one(&id).await.case.is_some());
        let begun = house.cases.started.lock().unwrap()[&id].0.since;
        assert_eq!(begun, Some(at(START)), "its limits run from that day too");
        let letters = house.outside.letters.lock().unwrap().clone();
        assert!(
            letters
                .values()
                .any(|l| l.kind == "acceptance" && l.fields["deemed"] == true)
        );
        let late = engine
            .handle(&clerk("li"), &id, None, correction(&[""]))
            .await;
        assert_eq!(code(late), "input.conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn not_accepting_says_why_and_passing_on_keeps_the_clock() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, li) = (&house.engine, clerk("li"));
        let id = house.food(1).await.application.id;
        let transfer = |organisation: &str| Clerk::Transfer {
            organisation: organisation.into(),
            reason: "不属本机构职权".into(),
        };
        for wrong in ["nowhere", "market"] {
            let refused = engine.handle(&li, &id, None, transfer(wrong)).await;
            assert_eq!(places(refused), ["organisation"]);
        }
        let before = house.one(&id).await.due.unwrap().due;
        house.clock.advance(Span::days(1));
        let moved = engine
            .handle(&li, &id, None, transfer("police"))
            .await
            .unwrap();
        assert_eq!(moved.organisation, "police");
        assert_eq!(moved.due.unwrap().due, before);
        // The office before knows no more of it.
        assert_eq!(code(engine.application(&li, &id).await), "input.not_found");
        let police = officer("sun", "clerk", "police");
        let no = |reason: &str, basis: &str| Clerk::NotAccept {
            reason: reason.into(),
            basis: basis.into(),
        };
        let refused = engine.handle(&police, &id, None, no("", "")).await;
        assert_eq!(places(refused), ["reason", "basis"]);
        let verb = no("依法不需要取得许可", "《行政许可法》第三十二条第一项");
        let done = engine.handle(&police, &id, None, verb).await.unwrap();
        assert_eq!(done.state, ApplicationState::NotAccepted);
        engine.work().await.unwrap();
        let letters = house.outside.letters.lock().unwrap().clone();
        let letter = letters
            .values()
            .find(|l| l.kind == "non_acceptance")
            .unwrap();
        assert_eq!(letter.organisation, "police");
        assert_eq!(letter.fields["reason"], "依法不需要取得许可");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_case_is_followed() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        assert_eq!(engine.follow().await.unwrap(), 0);
        let application = house.accepted(1).await;
        let case = application.case.clone().unwrap();
        let happens = |what: &'static str| house.happens(&case, what);
        house.hearing();
        happens("paused").await;
        assert_eq!(engine.follow().await.unwrap(), 1);
        assert_eq!(engine.follow().await.unwrap(), 0, "once");
        let file = engine
            .application(&resident(1), &application.id)
            .await
            .unwrap();
        assert_eq!(file.application.due.unwrap().light, Light::Paused);
        let step = file.steps.last().unwrap();
        assert_eq!(step.what, "paused");
        assert!(step.words.zh.contains("听证"));
        happens("unpaused").await;
        happens("started").await;
        engine.follow().await.unwrap();
        // The case ends without a decision.
        happens("ended").await;
        engine.follow().await.unwrap();
        let ended = house.one(&application.id).await;
        assert_eq!(ended.state, ApplicationState::Terminated);
        engine.case_ended(&case).await.unwrap();
        engine.case_ended("no such case").await.unwrap();
        let words: Vec<String> = engine
            .application(&resident(1), &application.id)
            .await
            .unwrap()
            .steps
            .into_iter()
            .map(|step| step.what)
            .collect();
        let expect = ["submitted", "accepted", "paused", "resumed", "terminated"];
        assert_eq!(words, expect);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_clerk_comes_in_the_order_it_is_due() {
    each_store(|store| async move {
        let house = house(&store).await;
        let mut expect = vec![];
        for n in 0..3 {
            expect.push(house.food(n).await.application.id);
            house.clock.advance(Span::days(1));
        }
        // Corrected, the clock of the oldest begins anew: it is the least pressing now.
        let oldest = expect.remove(0);
        let asked = correction(&["answers/premises"]);
        let li = clerk("li");
        house
            .engine
            .handle(&li, &oldest, None, asked)
            .await
            .unwrap();
        house.clock.advance(Span::days(2));
        let own = Own::Correct {
            answers: object(json!({ "premises": "示例路9号" })),
            note: String::new(),
        };
        let by = resident(0);
        house.engine.own(&by, &oldest, None, own).await.unwrap();
        expect.push(oldest);
        let mut filter = ApplicationFilter {
            states: vec![ApplicationState::Submitted],
            limit: 2,
            ..ApplicationFilter::default()
        };
        let first = house.engine.applications(&li, &filter).await.unwrap();
        filter.after = first.next.clone();
        let second = house.engine.applications(&li, &filter).await.unwrap();
        assert_eq!((first.count, second.next), (3, None));
        let rows = first.rows.iter().chain(&second.rows);
        let found: Vec<String> = rows.map(|row| row.id.clone()).collect();
        assert_eq!(found, expect);
    })
    .await;
}
