//! Published: versions of models and evaluations that were kept, on both databases.

use crate::sheet::{decision, literal, model, table};
use crate::{at, engine};
use kernel::access::{Actor, Grant};
use kernel::decisions::{Decisions, EvaluationFilter, Keeping, NewModel, Outcome, Question};
use kernel::{ManualClock, Span};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::audit::AuditFilter;
use store::{Run, Store};

fn officer() -> Actor {
    Actor {
        account: "zhang".into(),
        grant: Grant {
            purpose: "高龄津贴审核".into(),
            basis: "《河北省老年人权益保障条例》".into(),
        },
        ..Actor::default()
    }
}

fn actor(account: &str) -> Actor {
    Actor {
        account: account.into(),
        ..Actor::default()
    }
}

/// A model whose fee is the amount times this.
fn fees(factor: i32) -> String {
    let rules = ["< 100 | amount * 1 | 小额", "- | amount * FACTOR | 其余"]
        .map(|rule| rule.replace("FACTOR", &factor.to_string()));
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let logic = table("hitPolicy=\"FIRST\"", &["amount"], &[("", "")], &rules);
    model(
        &[("amount", "number")],
        &decision("fee", "number", &["amount"], &[], &logic),
    )
}

fn new(code: &str, xml: String, after: Option<i64>) -> NewModel {
    NewModel {
        model: code.into(),
        xml,
        note: "第一版".into(),
        after_version: after,
    }
}

fn question(version: Option<i64>, amount: Value) -> Question {
    let mut input = Map::new();
    input.insert("amount".into(), amount);
    Question {
        model: "fees".into(),
        version,
        decision: "fee".into(),
        input,
    }
}

fn keeping(case: &str) -> Keeping {
    Keeping {
        purpose: "高龄津贴审核".into(),
        basis: "《河北省老年人权益保障条例》".into(),
        case: Some(case.into()),
        person: Some("P-1".into()),
    }
}

#[tokio::test]
async fn versions_stay_and_the_newest_decides_unless_one_is_named() {
    testkit::each_store(|store| async move {
        let engine = engine(&store);
        let by = officer();
        let first = engine
            .publish(&by, &new("fees", fees(2), Some(0)))
            .await
            .unwrap();
        assert_eq!((first.version, first.title.as_str()), (1, "fees"));
        assert_eq!(first.published_by, "zhang");
        let same = engine
            .publish(&by, &new("fees", fees(2), None))
            .await
            .unwrap();
        assert_eq!(same, first, "the same XML is the same version");
        let late = engine
            .publish(&by, &new("fees", fees(3), Some(0)))
            .await
            .unwrap_err();
        assert_eq!(late.code, "input.stale");
        let second = engine
            .publish(&by, &new("fees", fees(3), Some(1)))
            .await
            .unwrap();
        assert_eq!(second.version, 2);
        let newest = engine.decide(&question(None, json!(200))).await.unwrap();
        assert_eq!((newest.version, newest.result), (2, json!(600)));
        let pinned = engine.decide(&question(Some(1), json!(200))).await.unwrap();
        assert_eq!((pinned.version, pinned.result), (1, json!(400)));
        // Another process finds the same.
        let other = crate::engine(&store);
        assert_eq!(
            other
                .decide(&question(Some(1), json!(200)))
                .await
                .unwrap()
                .result,
            json!(400)
        );
        engine
            .publish(&by, &new("a.fees", fees(9), None))
            .await
            .unwrap();
        let codes: Vec<(String, i64)> = engine
            .models(None, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|m| (m.model, m.version))
            .collect();
        assert_eq!(codes, [("a.fees".to_owned(), 1), ("fees".to_owned(), 2)]);
        assert_eq!(engine.models(Some("a.fees"), 10).await.unwrap().len(), 1);
        assert_eq!(engine.models(None, 1).await.unwrap().len(), 1);
        let versions: Vec<i64> = engine
            .versions("fees", None, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|m| m.version)
            .collect();
        assert_eq!(versions, [2, 1]);
        assert_eq!(engine.versions("fees", Some(2), 10).await.unwrap().len(), 1);
        let (row, xml) = engine.xml("fees", Some(1)).await.unwrap();
        assert_eq!((row, xml), (first, fees(2)));
        let ready = engine.ready("fees", None).await.unwrap();
        assert_eq!(ready.shape().decisions[0].logic, "decision_table");
        assert_eq!(ready.shape().inputs[0].type_name, "number");
        let log = store.audit().list(&AuditFilter::default()).await.unwrap();
        assert_eq!(
            log.iter()
                .filter(|row| row.entry.object == "decisions")
                .count(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_nothing_is_written() {
    testkit::each_store(|store| async move {
        let engine = engine(&store);
        let by = officer();
        let mut wrong = new("Fees 1", "<definitions".into(), None);
        wrong.note = "x".repeat(3_000);
        let fault = engine.publish(&by, &wrong).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
        assert_eq!(fault.problems.len(), 3, "{fault}");
        assert!(engine.publish(&by, &new("", fees(2), None)).await.is_err());
        assert!(engine.models(None, 10).await.unwrap().is_empty());
        assert_eq!(
            engine
                .decide(&question(None, json!(1)))
                .await
                .unwrap_err()
                .code,
            "input.not_found"
        );
        engine
            .publish(&by, &new("fees", fees(2), None))
            .await
            .unwrap();
        for (version, code) in [(Some(7), "input.not_found"), (Some(-1), "input.not_found")] {
            assert_eq!(
                engine
                    .decide(&question(version, json!(1)))
                    .await
                    .unwrap_err()
                    .code,
                code
            );
        }
        assert_eq!(
            engine.xml("gone", None).await.unwrap_err().code,
            "input.not_found"
        );
        assert_eq!(
            engine.versions("gone", None, 9).await.unwrap_err().code,
            "input.not_found"
        );
        assert_eq!(
            engine
                .decide(&question(None, json!("x")))
                .await
                .unwrap_err()
                .code,
            "input.invalid"
        );
        assert_eq!(
            engine.check("<a/>").await.unwrap_err().code,
            "input.invalid"
        );
        assert_eq!(engine.check(&fees(2)).await.unwrap().inputs.len(), 1);
        let tried = engine
            .try_out(&fees(5), "fee", &question(None, json!(200)).input)
            .await
            .unwrap();
        assert_eq!((tried.version, tried.result.clone()), (0, json!(1000)));
        let fault = engine.keep(&by, &tried, &keeping("C-1")).await.unwrap_err();
        assert_eq!(
            fault.code, "input.invalid",
            "what is not published is not kept"
        );
        let outcome = engine.decide(&question(None, json!(1))).await.unwrap();
        let without = Keeping::default();
        assert_eq!(
            engine
                .keep(&by, &outcome, &without)
                .await
                .unwrap_err()
                .problems[0]
                .at,
            "/purpose"
        );
        assert_eq!(
            engine.evaluation(&by, "gone").await.unwrap_err().code,
            "input.not_found"
        );
        let fault = engine
            .evaluations(&by, &EvaluationFilter::default(), 10)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "input.invalid");
    })
    .await;
}

/// Entries of the audit log about decisions: verb, subject, purpose.
async fn log(store: &Store) -> Vec<(String, String, String)> {
    let rows = store.audit().list(&AuditFilter::default()).await.unwrap();
    let rows = rows
        .into_iter()
        .map(|row| row.entry)
        .filter(|e| e.object == "decisions");
    rows.map(|e| (e.verb, e.subject, e.purpose)).collect()
}

#[tokio::test]
async fn an_evaluation_that_was_kept_is_explained_later_and_its_reading_is_logged() {
    testkit::each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let engine = crate::engine_on(&store, clock.clone());
        let by = officer();
        engine
            .publish(&by, &new("fees", fees(2), None))
            .await
            .unwrap();
        let outcome = engine.decide(&question(None, json!(200))).await.unwrap();
        let id = engine.keep(&by, &outcome, &keeping("C-1")).await.unwrap();
        clock.advance(Span(1_000_000));
        engine
            .publish(&by, &new("fees", fees(3), None))
            .await
            .unwrap();
        let later = engine.decide(&question(None, json!(200))).await.unwrap();
        let second = engine.keep(&by, &later, &keeping("C-2")).await.unwrap();
        let found = engine.evaluation(&by, &id).await.unwrap();
        assert_eq!(
            found.outcome, outcome,
            "inputs, rows and version as they were"
        );
        assert_eq!(found.keeping, keeping("C-1"));
        assert_eq!(found.account, "zhang");
        let row = &found.outcome.explanation[0].tables[0].matched[0];
        assert_eq!((row.row, row.annotations[0].1.as_str()), (2, "其余"));
        let (then, now) = engine.decide_again(&by, &id).await.unwrap();
        assert_eq!(
            (then.outcome.result, now.result, now.version),
            (json!(400), json!(400), 1)
        );
        let of = |case: Option<&str>, person: Option<&str>| EvaluationFilter {
            case: case.map(str::to_owned),
            person: person.map(str::to_owned),
            ..EvaluationFilter::default()
        };
        let one = engine
            .evaluations(&by, &of(Some("C-2"), None), 10)
            .await
            .unwrap();
        assert_eq!(one.len(), 1);
        assert_eq!(
            (one[0].id.as_str(), one[0].outcome.result.clone()),
            (second.as_str(), json!(600))
        );
        assert!(one[0].outcome.input.is_empty(), "lists tell no inputs");
        let both = engine
            .evaluations(&by, &of(None, Some("P-1")), 10)
            .await
            .unwrap();
        assert_eq!(
            both.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(),
            [second.as_str(), id.as_str()]
        );
        let mut page = of(None, Some("P-1"));
        page.before = Some(second.clone());
        assert_eq!(engine.evaluations(&by, &page, 10).await.unwrap()[0].id, id);
        let log = log(&store).await;
        let reads = log
            .iter()
            .filter(|(verb, _, purpose)| verb == "read" && purpose == "高龄津贴审核");
        assert_eq!(reads.count(), 5, "{log:?}");
        assert!(log.contains(&("write".into(), id.clone(), "高龄津贴审核".into())));
        // The person it is about finds the readings.
        let about = store
            .audit()
            .about(&["party/P-1".to_owned()], None, 10)
            .await
            .unwrap();
        assert!(about.1 >= 3, "{}", about.1);
        engine.forget(&by, &id).await.unwrap();
        assert_eq!(
            engine.evaluation(&by, &id).await.unwrap_err().code,
            "input.not_found"
        );
        assert_eq!(
            engine.forget(&by, &id).await.unwrap_err().code,
            "input.not_found"
        );
    })
    .await;
}

#[tokio::test]
async fn what_belongs_to_a_case_is_seen_by_who_may_see_the_case() {
    testkit::each_store(|store| async move {
        let engine = engine(&store);
        let (by, other) = (officer(), actor("wang"));
        engine
            .publish(&by, &new("fees", fees(2), None))
            .await
            .unwrap();
        let outcome = engine.decide(&question(None, json!(200))).await.unwrap();
        // Under its number or identification, and under no case one cannot see.
        let id = engine
            .keep(&by, &outcome, &keeping("2026-1"))
            .await
            .unwrap();
        for (who, case) in [(&other, "C-1"), (&other, "C-9"), (&by, "C-9")] {
            let refused = engine.keep(who, &outcome, &keeping(case)).await;
            assert_eq!(refused.unwrap_err().code, "input.not_found", "{case}");
        }
        let of_none = Keeping {
            case: None,
            ..keeping("")
        };
        let loose = engine.keep(&other, &outcome, &of_none).await.unwrap();
        let filters = [
            r#"{"case": "C-1"}"#,
            r#"{"case": "2026-1"}"#,
            r#"{"person": "P-1"}"#,
            r#"{"model": "fees"}"#,
        ];
        for (who, sees) in [(&by, true), (&other, false), (&actor("auditor"), true)] {
            let one = engine.evaluation(who, &id).await;
            assert_eq!(one.is_ok(), sees, "{}: {one:?}", who.account);
            assert_eq!(engine.decide_again(who, &id).await.is_ok(), sees);
            for filter in filters {
                // Nobody who sees no case learns which number is whose.
                if who.account == "auditor" && filter.contains("2026-1") {
                    continue;
                }
                let filter = serde_json::from_str(filter).unwrap();
                let found = engine.evaluations(who, &filter, 10).await.unwrap();
                let found: Vec<&str> = found.iter().map(|e| e.id.as_str()).collect();
                assert_eq!(
                    found.contains(&id.as_str()),
                    sees,
                    "{}: {filter:?}",
                    who.account
                );
                // One of no case is shown to who made it, and to those who see all.
                let shown = filter.case.is_none() && who.account != by.account;
                let at = format!("{}: {filter:?}", who.account);
                assert_eq!(found.contains(&loose.as_str()), shown, "{at}");
            }
            let one = engine.evaluation(who, &loose).await.is_ok();
            assert_eq!(one, who.account != by.account, "{}", who.account);
        }
        // Without a program that says who may see a case, nobody but the machine does.
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let bare = decisions::Engine::open(store.clone(), clock).unwrap();
        assert!(bare.evaluation(&by, &id).await.is_err());
        assert!(bare.evaluation(&Actor::system(), &id).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn pages_go_on_behind_what_is_not_seen() {
    testkit::each_store(|store| async move {
        let engine = engine(&store);
        let by = officer();
        engine
            .publish(&by, &new("fees", fees(2), None))
            .await
            .unwrap();
        let outcome = engine.decide(&question(None, json!(200))).await.unwrap();
        let (mut seen, system) = (vec![], Actor::system());
        for number in 0..12 {
            let (who, case) = match number % 4 {
                0 => (&by, "C-1"),
                _ => (&system, "C-9"),
            };
            let id = engine.keep(who, &outcome, &keeping(case)).await.unwrap();
            if number % 4 == 0 {
                seen.push(id);
            }
        }
        seen.sort_unstable_by(|a, b| b.cmp(a));
        let mut filter = EvaluationFilter {
            model: Some("fees".into()),
            ..EvaluationFilter::default()
        };
        let mut found = vec![];
        loop {
            let (rows, next) = engine.page(&by, &filter, 2).await.unwrap();
            assert!(rows.len() <= 2);
            found.extend(rows.into_iter().map(|row| row.id));
            filter.before = next;
            if filter.before.is_none() {
                break;
            }
        }
        assert_eq!(found, seen);
    })
    .await;
}

#[tokio::test]
async fn the_version_in_force_at_a_moment_is_the_newest_of_then() {
    testkit::each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let engine = crate::engine_on(&store, clock.clone());
        for factor in [2, 3] {
            engine
                .publish(&officer(), &new("fees", fees(factor), None))
                .await
                .unwrap();
            clock.advance(Span(60_000_000));
        }
        let mut reader = store.reader().await.unwrap();
        for (moment, version) in [
            ("2026-11-25T09:00:00+08:00", 1),
            ("2026-11-25T10:00:00+08:00", 1),
            ("2026-11-25T10:00:59+08:00", 1),
            ("2026-11-25T10:01:00+08:00", 2),
            ("2027-11-25T10:00:00+08:00", 2),
        ] {
            let ready = engine.ready_at(&mut reader, "fees", at(moment)).await;
            assert_eq!(ready.unwrap().version().version, version, "{moment}");
        }
        let none = engine.ready_at(&mut reader, "none", at("2026-11-25T10:00:00+08:00"));
        assert_eq!(none.await.err().unwrap().code, "input.not_found");
        // A transaction sees what it is written with.
        let mut tx = store.begin().await.unwrap();
        let moment = at("2026-11-25T10:05:00+08:00");
        assert!(engine.ready_at(&mut tx, "fees", moment).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_decision_is_kept_with_the_step_it_belongs_to_or_not_at_all() {
    testkit::each_store(|store| async move {
        let engine = engine(&store);
        let by = officer();
        engine
            .publish(&by, &new("fees", fees(2), None))
            .await
            .unwrap();
        let outcome: Outcome = engine.decide(&question(None, json!(200))).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let lost = engine
            .keep_in(&mut tx, &by, &outcome, &keeping("C-1"))
            .await
            .unwrap();
        drop(tx);
        assert_eq!(
            engine.evaluation(&by, &lost).await.unwrap_err().code,
            "input.not_found"
        );
        let mut tx = store.begin().await.unwrap();
        let id = engine
            .keep_in(&mut tx, &by, &outcome, &keeping("C-1"))
            .await
            .unwrap();
        assert_eq!(tx.backend(), store.backend());
        tx.commit().await.unwrap();
        assert_eq!(engine.evaluation(&by, &id).await.unwrap().outcome, outcome);
        let mut other = 5_i32;
        let fault = engine
            .keep_in(&mut other, &by, &outcome, &keeping("C-1"))
            .await
            .unwrap_err();
        assert_eq!(fault.code, "system.internal");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_officers_who_publish_at_once_do_not_overwrite_each_other() {
    testkit::each_store(|store| async move {
        let engine = engine(&store);
        engine
            .publish(&officer(), &new("fees", fees(2), None))
            .await
            .unwrap();
        let mut both = vec![];
        for factor in 3..9 {
            let engine = engine.clone();
            both.push(tokio::spawn(async move {
                engine
                    .publish(&officer(), &new("fees", fees(factor), Some(1)))
                    .await
            }));
        }
        let mut won = 0;
        for one in both {
            match one.await.unwrap() {
                Ok(version) => {
                    won += 1;
                    assert_eq!(version.version, 2);
                }
                Err(fault) => assert_eq!(fault.code, "input.stale"),
            }
        }
        assert_eq!(won, 1);
    })
    .await;
}

#[tokio::test]
async fn a_literal_that_asks_for_the_day_asks_the_citys_clock() {
    let (_place, store) = crate::memory().await;
    let engine = engine(&store);
    let xml = model(&[], &decision("day", "date", &[], &[], &literal("today()")));
    let outcome = engine.try_out(&xml, "day", &Map::new()).await.unwrap();
    assert_eq!(outcome.result, json!({"@date": "2026-11-25"}));
}
