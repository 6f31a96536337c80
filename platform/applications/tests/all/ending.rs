//! Decisions, bills, licences, delivery, ratings, figures.

use crate::stage::*;
use kernel::Span;
use kernel::applications::*;
use kernel::cases::Served;
use serde_json::json;
use std::sync::atomic::Ordering;
use testkit::each_store;

fn input(id: &str, more: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    let mut input = object(more);
    input.insert("application".into(), json!({ "id": id }));
    input.insert("case".into(), format!("case-{id}").into());
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_decides_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let id = house.accepted(1).await.id;
        let decide = |key: &'static str, more| {
            let (engine, input) = (engine.clone(), input(&id, more));
            async move { engine.serve("applications.decide", key, &input).await }
        };
        let wrong = decide("k0", json!({})).await;
        assert_eq!(places(wrong), ["approved"]);
        let wrong = decide("k0", json!({ "approved": false })).await;
        assert_eq!(places(wrong), ["reason", "basis"], "a refusal says why");
        let yes = json!({ "approved": true });
        let first = decide("k1", yes.clone()).await.unwrap();
        let again = decide("k1", yes.clone()).await.unwrap();
        assert_eq!(first, again);
        assert_eq!(first, Served::Done(object(json!({ "approved": true }))));
        // Another key, another decision: it has ended.
        let late = decide(
            "k2",
            json!({ "approved": false, "reason": "不符", "basis": "依据" }),
        )
        .await;
        let Served::Refused { code, variables } = late.unwrap() else {
            panic!("refused");
        };
        assert_eq!(code, "application_ended");
        assert_eq!(variables["application_state"], "approved");
        let application = house.one(&id).await;
        assert_eq!(application.state, ApplicationState::Approved);
        assert_eq!(application.decided_at, Some(at(START)));
        assert_eq!(application.delivery.unwrap().state, "waiting");
        let unknown = engine
            .serve("applications.eat", "k", &input(&id, json!({})))
            .await;
        assert_eq!(crate::stage::code(unknown), "input.not_found");
        let none = engine
            .serve("applications.note", "k", &object(json!({})))
            .await;
        assert_eq!(places(none), ["application"]);
        let words = json!({ "words": { "zh": "现场核查完成", "en": "inspected" } });
        let note = engine
            .serve("applications.note", "n", &input(&id, words))
            .await;
        note.unwrap();
        let file = engine.application(&resident(1), &id).await.unwrap();
        assert_eq!(file.steps.last().unwrap().words.zh, "现场核查完成");
        engine.work().await.unwrap();
        let letters = house.outside.letters.lock().unwrap().clone();
        assert_eq!(letters.values().filter(|l| l.kind == "approval").count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bills_are_paid_once_and_the_case_goes_on() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let id = house.accepted(1).await.id;
        let served = engine
            .serve("applications.bill", "b", &input(&id, json!({})))
            .await;
        let Served::Done(answer) = served.unwrap() else {
            panic!("done");
        };
        assert_eq!(answer["fees_fen"], 5_000);
        let bill = answer["bills"][0].as_str().unwrap().to_string();
        let again = engine
            .serve("applications.bill", "b", &input(&id, json!({})))
            .await;
        assert_eq!(again.unwrap(), Served::Done(answer));
        assert_eq!(code(engine.paid(&bill, 4_999, "w1").await), "input.invalid");
        assert_eq!(code(engine.paid(&bill, 5_000, "").await), "input.invalid");
        assert_eq!(
            code(engine.paid("nothing-1", 5_000, "w1").await),
            "input.not_found"
        );
        assert_eq!(
            code(engine.paid(&format!("{id}-9"), 5_000, "w1").await),
            "input.not_found"
        );
        house.cases.broken.store(true, Ordering::SeqCst);
        engine.paid(&bill, 5_000, "w1").await.unwrap();
        engine.paid(&bill, 5_000, "w1").await.unwrap();
        // Money that came twice is refused whenever it is told, and stands once where all see it.
        for _ in 0..2 {
            assert_eq!(
                code(engine.paid(&bill, 5_000, "w2").await),
                "input.conflict"
            );
        }
        let file = engine.application(&resident(1), &id).await.unwrap();
        let refunds = file.steps.iter().filter(|step| step.what == "to_refund");
        let refunds: Vec<_> = refunds.collect();
        assert_eq!(refunds.len(), 1);
        assert!(refunds[0].words.zh.contains("w2"));
        assert_eq!(file.bills[0].reference.as_deref(), Some("w1"));
        let counter = Clerk::Paid {
            bill: bill.clone(),
            reference: "收据 1".into(),
        };
        let late = engine.handle(&clerk("li"), &id, None, counter).await;
        assert_eq!(code(late), "input.conflict");
        // The case does not wait for it yet: told again until it does, once.
        engine.work().await.unwrap();
        assert_eq!(house.cases.messages.lock().unwrap().len(), 0);
        house.cases.broken.store(false, Ordering::SeqCst);
        house.clock.advance(Span::minutes(1));
        engine.work().await.unwrap();
        engine.work().await.unwrap();
        let messages = house.cases.messages.lock().unwrap().clone();
        assert_eq!(messages.len(), 1);
        assert_eq!(
            (messages[0].name.as_str(), &messages[0].key),
            ("paid", &json!(id))
        );
        let file = engine.application(&resident(1), &id).await.unwrap();
        let paid = &file.bills[0];
        assert_eq!(
            (paid.state.as_str(), paid.paid_by.as_deref()),
            ("paid", Some("service"))
        );
        assert_eq!(paid.reference.as_deref(), Some("w1"));
        // Taken back: what is open is void, and cannot be paid.
        let second = house.accepted(2).await.id;
        let served = engine
            .serve("applications.bill", "b2", &input(&second, json!({})))
            .await;
        served.unwrap();
        let withdraw = Own::Withdraw {
            reason: "不办了".into(),
        };
        engine
            .own(&resident(2), &second, None, withdraw)
            .await
            .unwrap();
        let void = engine.paid(&format!("{second}-1"), 5_000, "w3").await;
        assert_eq!(code(void), "input.conflict");
        engine.work().await.unwrap();
        let cancelled = house.cases.cancelled.lock().unwrap().clone();
        assert_eq!(cancelled, [format!("case-{second}")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_licence_is_issued_to_the_applicant() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let id = house.accepted(1).await.id;
        let issue = |key: &'static str| {
            let (engine, input) = (engine.clone(), input(&id, json!({})));
            async move {
                engine
                    .serve("applications.licence", key, &input)
                    .await
                    .unwrap()
            }
        };
        let first = issue("l1").await;
        assert_eq!(first, issue("l1").await);
        assert_eq!(first, issue("l2").await, "one source, one licence");
        let issued = house.licences.issued.lock().unwrap().clone();
        let licence = &issued[&format!("application/{id}/licence")];
        assert_eq!(licence.holder.number, citizen(1));
        assert_eq!(licence.fields["premises"], "示例路1号");
        let file = engine.application(&resident(1), &id).await.unwrap();
        assert_eq!(file.licences.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_handed_over_once() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, li) = (&house.engine, clerk("li"));
        let deliver = |taken_by: Option<&str>| Clerk::Deliver {
            tracking: None,
            taken_by: taken_by.map(String::from),
        };
        let early = house.accepted(1).await.id;
        let refused = engine
            .handle(&li, &early, None, deliver(Some("本人持身份证")))
            .await;
        assert_eq!(code(refused), "input.conflict");
        let id = house.decided(2, true).await.id;
        let waiting = ApplicationFilter {
            undelivered: true,
            ..ApplicationFilter::default()
        };
        assert_eq!(engine.applications(&li, &waiting).await.unwrap().count, 1);
        let refused = engine.handle(&li, &id, None, deliver(None)).await;
        assert_eq!(places(refused), ["taken_by"]);
        let done = engine
            .handle(&li, &id, None, deliver(Some("本人持身份证")))
            .await;
        assert_eq!(done.unwrap().delivery.unwrap().state, "handed_over");
        let again = engine
            .handle(&clerk("ma"), &id, None, deliver(Some("他人")))
            .await;
        let fault = again.err().unwrap();
        assert_eq!(fault.code, "input.conflict");
        assert!(fault.words.zh.contains("li 同志"), "{}", fault.words.zh);
        assert_eq!(engine.applications(&li, &waiting).await.unwrap().count, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_are_given_once_and_bad_ones_answered() {
    each_store(|store| async move {
        let house = house(&store).await;
        let (engine, by, li) = (&house.engine, resident(1), clerk("li"));
        let rate = |mark| Own::Rate {
            mark,
            about: vec!["等候时间长".into()],
            text: "三次才办成".into(),
        };
        let early = house.accepted(9).await.id;
        let refused = engine.own(&resident(9), &early, None, rate(5)).await;
        assert_eq!(code(refused), "input.conflict", "once it has ended");
        let id = house.decided(1, true).await.id;
        assert_eq!(places(engine.own(&by, &id, None, rate(6)).await), ["mark"]);
        assert_eq!(
            code(engine.own(&li, &id, None, rate(5)).await),
            "access.denied"
        );
        assert_eq!(
            code(engine.own(&resident(2), &id, None, rate(5)).await),
            "input.not_found"
        );
        engine.own(&by, &id, None, rate(1)).await.unwrap();
        assert_eq!(
            code(engine.own(&by, &id, None, rate(5)).await),
            "input.conflict"
        );
        let bad = ApplicationFilter {
            unanswered: true,
            ..ApplicationFilter::default()
        };
        assert_eq!(engine.applications(&li, &bad).await.unwrap().count, 1);
        let file = engine.application(&by, &id).await.unwrap();
        let due = file.rating.unwrap().answer_due.unwrap();
        assert_eq!(due, at("2026-12-17"), "fifteen working days");
        let answer = |visited| Clerk::Answer {
            text: "已致歉并改进叫号".into(),
            visited,
        };
        engine.handle(&li, &id, None, answer(false)).await.unwrap();
        let again = engine.handle(&li, &id, None, answer(false)).await;
        assert_eq!(code(again), "input.conflict");
        engine.handle(&li, &id, None, answer(true)).await.unwrap();
        let rating = engine.application(&by, &id).await.unwrap().rating.unwrap();
        assert!(rating.visited && rating.answer.is_some());
        assert_eq!(engine.applications(&li, &bad).await.unwrap().count, 0);
        // A good one needs no answer; a bad one answered too late is counted as such.
        let good = house.decided(3, false).await.id;
        engine
            .own(&resident(3), &good, None, rate(4))
            .await
            .unwrap();
        assert_eq!(
            code(engine.handle(&li, &good, None, answer(false)).await),
            "input.conflict"
        );
        let late = house.decided(4, true).await.id;
        engine
            .own(&resident(4), &late, None, rate(2))
            .await
            .unwrap();
        house.clock.advance(Span::days(40));
        engine
            .handle(&li, &late, None, answer(false))
            .await
            .unwrap();
        let figures = engine
            .figures(&by, at("2026-11-25"), at("2026-11-25T12:00"))
            .await;
        let all = &figures.unwrap()[0];
        let marks = (all.rated, all.rated_good, all.bad, all.bad_answered);
        assert_eq!(marks, (3, 1, 2, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_by_organisation_and_period() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let by = kernel::access::Actor::default();
        house.decided(1, true).await;
        house.food(2).await;
        house.clock.advance(Span::days(60));
        let late = house.accepted(3).await.id;
        house.clock.advance(Span::days(60));
        let yes = input(&late, json!({ "approved": true }));
        engine
            .serve("applications.decide", "late", &yes)
            .await
            .unwrap();
        let figures = |from, to| {
            let (engine, by) = (engine.clone(), by.clone());
            async move { engine.figures(&by, at(from), at(to)).await.unwrap() }
        };
        let all = figures("2026-01-01", "2028-01-01").await;
        assert_eq!(all[0].organisation, "");
        assert_eq!(
            (all[0].items, all[0].items_online, all[0].items_one_visit),
            (5, 5, 5)
        );
        assert_eq!((all[0].submitted, all[0].submitted_online), (3, 3));
        assert_eq!(
            (all[0].decided, all[0].decided_on_time),
            (2, 1),
            "one was too late"
        );
        let market = all.iter().find(|f| f.organisation == "market").unwrap();
        assert_eq!((market.items, market.submitted, market.decided), (1, 3, 2));
        let civil = all.iter().find(|f| f.organisation == "civil").unwrap();
        assert_eq!((civil.items, civil.submitted), (2, 0));
        let day = figures("2026-11-25", "2026-11-26").await;
        assert_eq!((day[0].submitted, day[0].decided), (2, 1));
        let before = figures("2026-11-24", "2026-11-25").await;
        assert_eq!(before[0].submitted, 0);
        let wrong = engine
            .figures(&by, at("2026-11-25"), at("2026-11-25"))
            .await;
        assert_eq!(places(wrong), ["to"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_decides_its_own_application_only() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let (one, two) = (house.accepted(1).await.id, house.accepted(2).await.id);
        let words = json!({ "zh": "现场核查完成", "en": "inspected" });
        let more = json!({ "approved": true, "words": words });
        for (key, case) in [("a", Some(&two)), ("b", None)] {
            for function in ["decide", "licence", "bill", "note"] {
                let mut input = input(&one, more.clone());
                match case {
                    Some(other) => input.insert("case".into(), format!("case-{other}").into()),
                    None => input.remove("case"),
                };
                let name = format!("applications.{function}");
                let served = engine
                    .serve(&name, &format!("{function}-{key}"), &input)
                    .await;
                assert_eq!(places(served), ["application"], "{name}");
            }
        }
        assert_eq!(house.one(&one).await.state, ApplicationState::Accepted);
        let file = engine.application(&resident(1), &one).await.unwrap();
        assert!(file.bills.is_empty() && file.licences.is_empty());
        let own = engine
            .serve("applications.decide", "own", &input(&one, more))
            .await;
        assert!(matches!(own.unwrap(), Served::Done(_)));
        let item = engine
            .item_of_case(&format!("case-{two}"), &two)
            .await
            .unwrap();
        assert_eq!(item.unwrap().item, "food");
        assert!(
            engine
                .item_of_case("elsewhere", &two)
                .await
                .unwrap()
                .is_none()
        );
    })
    .await;
}
