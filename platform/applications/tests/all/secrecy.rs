//! Somebody else's application is not there, through every method; what offices look at is in the
//! log; nothing personal lies open in the store; progress names nobody and cannot be guessed.

use crate::stage::*;
use kernel::Span;
use kernel::access::{Actor, Tie};
use kernel::applications::*;
use kernel::cases::Served;
use serde_json::json;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_is_not_there_through_every_method() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let open = house.food_draft(2).await;
        let application = house.accepted(1).await;
        let (id, number) = (&application.id, &application.number);
        let strangers = [
            resident(3),
            officer("sun", "clerk", "police"),
            officer("sun", "operator", "market"),
            acting(1, Tie::Representative, &credit(5)),
            Actor::default(),
        ];
        for by in &strangers {
            let who = &by.account;
            for about in [id, number, &open.id, &"nothing".to_string()] {
                let about = about.as_str();
                let missing = "input.not_found";
                assert_eq!(code(engine.draft(by, about).await), missing, "{who}");
                let save = engine.save(by, about, None, food_answers()).await;
                assert_eq!(code(save), missing, "{who}");
                assert_eq!(code(engine.discard(by, about).await), missing, "{who}");
                assert_eq!(code(engine.submit(by, about).await), missing, "{who}");
                let upload = engine.may_upload(by, about, "lease").await;
                assert_eq!(code(upload), missing, "{who}");
                let note = engine
                    .note_file(by, about, "lease", house.file("f"), false)
                    .await;
                assert_eq!(code(note), missing, "{who}");
                let read = engine.may_read_file(by, about, "lease-1").await;
                assert_eq!(code(read), missing, "{who}");
                let file = engine.application(by, about).await;
                assert_eq!(code(file), missing, "{who}");
                let accept = Clerk::Accept {
                    note: String::new(),
                };
                let handle = engine.handle(by, about, None, accept).await;
                assert_eq!(code(handle), missing, "{who}");
                let withdraw = Own::Withdraw {
                    reason: "不办了".into(),
                };
                let own = engine.own(by, about, None, withdraw).await;
                assert_eq!(code(own), missing, "{who}");
            }
            assert_eq!(engine.drafts(by).await.unwrap(), [], "{who}");
            let mine = ApplicationFilter {
                mine: true,
                ..ApplicationFilter::default()
            };
            assert_eq!(
                engine.applications(by, &mine).await.unwrap().count,
                0,
                "{who}"
            );
            let all = engine.applications(by, &ApplicationFilter::default()).await;
            let nothing = all.map_or(0, |page| page.count);
            assert_eq!(nothing, 0, "{who}");
        }
        // And the owner still has it, unharmed.
        let mine = engine.application(&resident(1), number).await.unwrap();
        assert_eq!(mine.application.state, ApplicationState::Accepted);
        assert!(engine.draft(&resident(2), &open.id).await.is_ok());
        // A residents' list of the office is refused outright.
        let list = engine
            .applications(&resident(1), &ApplicationFilter::default())
            .await;
        assert_eq!(code(list), "access.denied");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_sees_what_the_authorisation_covers() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let boss = acting(1, Tie::Representative, &credit(1));
        let mut ids = vec![];
        for (item, answers) in [
            ("card", json!({ "address": "示例路1号" })),
            ("social", json!({ "bank": "6222" })),
        ] {
            let draft = engine.begin(&boss, new_draft(item)).await.unwrap();
            let change = DraftChange {
                answers: object(answers),
                ..DraftChange::default()
            };
            engine.save(&boss, &draft.id, None, change).await.unwrap();
            ids.push(
                engine
                    .submit(&boss, &draft.id)
                    .await
                    .unwrap()
                    .application
                    .id,
            );
        }
        let agent = acting(2, Tie::Agent, &credit(1));
        let draft = engine.begin(&agent, new_draft("food")).await.unwrap();
        let mine = ApplicationFilter {
            mine: true,
            ..ApplicationFilter::default()
        };
        assert_eq!(engine.applications(&boss, &mine).await.unwrap().count, 2);
        assert_eq!(engine.applications(&agent, &mine).await.unwrap().count, 0);
        assert_eq!(
            code(engine.application(&agent, &ids[0]).await),
            "input.not_found"
        );
        let drafts = engine.drafts(&boss).await.unwrap();
        assert_eq!(
            drafts[0].id, draft.id,
            "the enterprise's draft, whoever writes it"
        );
        // Acting for themselves the same people see nothing of the enterprise.
        assert_eq!(
            engine
                .applications(&resident(1), &mine)
                .await
                .unwrap()
                .count,
            0
        );
        assert_eq!(
            code(engine.draft(&resident(2), &draft.id).await),
            "input.not_found"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_see_masked_answers_and_every_look_is_logged() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let application = house.accepted(1).await;
        let id = &application.id;
        let before = house.audit().await.len();
        let own = engine.application(&resident(1), id).await.unwrap();
        assert_eq!(own.answers["number"], citizen(1));
        assert_eq!(own.application.applicant.number, citizen(1));
        engine
            .may_read_file(&resident(1), id, "lease-1")
            .await
            .unwrap();
        assert_eq!(house.audit().await.len(), before, "own reads make no noise");
        let reader = officer("zhou", "reader", "market");
        let file = engine.application(&reader, id).await.unwrap();
        let number = citizen(1);
        let masked = format!("1301**********{}", &number[14..]);
        assert_eq!(file.answers["number"], masked);
        assert_eq!(file.answers["phone"], "138****5678");
        assert_eq!(file.answers["premises"], "示例路1号");
        assert_eq!(file.masked, ["number", "phone"]);
        assert_eq!(file.application.applicant.number, masked);
        assert_eq!(
            file.application.applicant.name,
            "王***".get(..4).map_or("", |_| "王**")
        );
        let open = engine.may_read_file(&reader, id, "lease-1").await;
        assert_eq!(code(open), "access.denied");
        let accept = Clerk::Accept {
            note: String::new(),
        };
        let handle = engine.handle(&reader, id, None, accept).await;
        assert_eq!(code(handle), "access.denied");
        let file = engine.application(&clerk("li"), id).await.unwrap();
        assert_eq!(file.answers["number"], number);
        engine
            .may_read_file(&clerk("li"), id, "lease-1")
            .await
            .unwrap();
        let page = engine
            .applications(&clerk("li"), &ApplicationFilter::default())
            .await;
        assert!(page.unwrap().rows[0].applicant.number.contains('*'));
        // Whoever has a task of the case sees it while they have it, whatever their office.
        let expert = officer("expert", "none", "police");
        assert_eq!(
            code(engine.application(&expert, id).await),
            "input.not_found"
        );
        let task = ("expert".to_string(), application.case.clone().unwrap());
        house.cases.tasks.lock().unwrap().push(task);
        let file = engine.application(&expert, id).await.unwrap();
        assert_eq!(file.answers["number"], number);
        house.cases.tasks.lock().unwrap().clear();
        assert_eq!(
            code(engine.application(&expert, id).await),
            "input.not_found"
        );
        let audit = house.audit().await;
        let looks: Vec<_> = audit
            .iter()
            .filter(|row| row.entry.verb == "read" && row.entry.details["what"] != "prefill")
            .collect();
        // The harness accepted and looked as nobody; these are: reader, clerk, file, list, expert.
        assert_eq!(looks.len(), 5);
        for look in &looks {
            let records = &look.entry.details["records"];
            assert!(
                records[0]["person"].is_string(),
                "found by the person concerned"
            );
            assert!(!look.entry.purpose.is_empty() && !look.entry.basis.is_empty());
        }
        let log = format!("{audit:?}");
        for personal in [number.as_str(), "13812345678", "王小明", "示例路1号"] {
            assert!(!log.contains(personal), "{personal} in the audit log");
        }
        let events = house.store.events().read(0, 1 << 20).await.unwrap();
        let events: String = events
            .iter()
            .map(|event| String::from_utf8_lossy(&event.body).into_owned())
            .collect();
        assert!(!events.contains(&number) && !events.contains("王小明"));
        assert!(events.contains("\"what\":\"accepted\""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_personal_lies_open_and_keys_can_be_changed() {
    each_store(|store| async move {
        let house = house(&store).await;
        house.food(1).await;
        house.food_draft(2).await;
        let mut reader = house.store.reader().await.unwrap();
        let rows = store::applications::read::applications_after(&mut reader, "", 10).await;
        let row = rows.unwrap().remove(0);
        let drafts = store::applications::read::drafts_after(&mut reader, "", 10).await;
        let drafts = drafts.unwrap();
        drop(reader);
        for body in drafts.iter().map(|d| &d.body).chain([&row.body]) {
            let text = String::from_utf8_lossy(body);
            assert!(!text.contains("示例路") && !text.contains("1301991990"));
        }
        assert!(!row.owner.contains(&citizen(1)) && row.owner.len() == 64);
        assert_eq!(row.check_digest.len(), 64);
        house.crypto.rotate();
        let resealed = house.engine.reseal().await.unwrap();
        assert_eq!(resealed, 3, "two drafts and an application");
        assert_eq!(house.engine.reseal().await.unwrap(), 0);
        house.crypto.retire();
        let house = house.again().await;
        let mine = ApplicationFilter {
            mine: true,
            ..ApplicationFilter::default()
        };
        let page = house
            .engine
            .applications(&resident(1), &mine)
            .await
            .unwrap();
        let file = house
            .engine
            .application(&resident(1), &page.rows[0].id)
            .await;
        assert_eq!(file.unwrap().answers["premises"], "示例路1号");
        assert_eq!(house.engine.drafts(&resident(2)).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_names_nobody_and_cannot_be_guessed() {
    each_store(|store| async move {
        let house = house(&store).await;
        let engine = &house.engine;
        let receipt = house.food(1).await;
        let number = &receipt.application.number;
        let missing = Missing {
            at: "materials/lease".into(),
            what: "王小明（13812345678）的租赁合同缺页".into(),
        };
        let verb = Clerk::Correction {
            missing: vec![missing],
        };
        let id = &receipt.application.id;
        engine.handle(&clerk("li"), id, None, verb).await.unwrap();
        let seen = engine.progress(number, &receipt.check).await.unwrap();
        assert_eq!(seen.state, ApplicationState::Correction);
        let text = format!("{seen:?}");
        for personal in ["王小明", "13812345678", &citizen(1)] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
        assert_eq!(seen.missing[0].what, "***（***）的租赁合同缺页");
        assert_eq!(places(engine.progress(number, "12").await), ["check"]);
        let wrong = match receipt.check.as_str() {
            "000000" => "000001",
            _ => "000000",
        };
        for _ in 0..5 {
            assert_eq!(
                code(engine.progress(number, wrong).await),
                "input.not_found"
            );
        }
        let fault = engine.progress(number, &receipt.check).await.err().unwrap();
        assert_eq!((fault.code, fault.status()), ("input.too_many", 429));
        assert!(fault.retry_after_s.is_some_and(|wait| wait > 600));
        let other = engine.progress("market-20261125-99999", wrong).await;
        assert_eq!(code(other), "input.not_found", "others may ask");
        house.clock.advance(Span::minutes(16));
        engine.progress(number, &receipt.check).await.unwrap();
        // A service of a process cannot be used to learn of another application.
        let nothing = object(json!({ "application": { "id": "nothing" }, "approved": true }));
        let served = engine.serve("applications.decide", "k", &nothing).await;
        assert!(!matches!(served, Ok(Served::Done(_))));
    })
    .await;
}
