//! Simulation of cases that really were: read from the store, replayed, and nothing touched.

use crate::house::{House, admin, at, object, offered, officer, own};
use crate::stage::file;
use kernel::cases::{CaseFilter, CaseVerb, Cases, Message, NewCase, Simulation, TaskVerb};
use kernel::{Fault, Span, Time};
use sea_query::{Expr, Func, Query};
use serde_json::json;
use store::audit::AuditFilter;
use store::{Run, Store};
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/><exclusiveGateway id="g"/>"#;
const FLOWS: &str = "start>a a>b b>g g>end:ok=1 g>r:ok=0 r>end";

fn body() -> String {
    format!(
        r#"{ENDS}{}{}<receiveTask id="r" messageRef="m2"/>"#,
        offered("a", "clerk", ""),
        offered("b", "judge", "")
    )
}

fn question(house: &House) -> Simulation {
    use kernel::Clock;
    Simulation {
        process: "p".into(),
        from: at("2026-11-25T00:00:00+08:00"),
        to: house.clock.now(),
        ..Simulation::default()
    }
}

/// Rows of everything a case or another engine could see change.
async fn rows(store: &Store) -> Vec<i64> {
    let mut counts = vec![];
    let mut reader = store.reader().await.unwrap();
    for table in [
        "events",
        "cases",
        "case_tasks",
        "case_history",
        "case_timers",
        "case_waits",
        "case_jobs",
        "case_processes",
        "case_queues",
    ] {
        let question = Query::select()
            .expr_as(Func::count(Expr::val(1)), "rows")
            .from(table)
            .to_owned();
        let row = reader.fetch_optional(&question).await.unwrap().unwrap();
        counts.push(row.i64("rows").unwrap());
    }
    counts
}

/// Takes the only task of an officer, works at it for so many minutes, and completes it.
async fn work(house: &House, by: &kernel::access::Actor, minutes: i64, set: serde_json::Value) {
    let task = house.only(by).await;
    house.act(by, &task.id, TaskVerb::Claim).await.unwrap();
    house.clock.advance(Span::minutes(minutes));
    let data = object(set);
    house
        .act(by, &task.id, TaskVerb::Complete { data })
        .await
        .unwrap();
}

/// Three cases: one straight on, one that waits for a message, one sent back once.
async fn lived(house: &House) {
    house.publish(&body(), FLOWS).await;
    let (li, wang) = (officer("li", "", "clerk"), officer("wang", "", "judge"));
    house.start(json!({ "ok": 7 })).await;
    work(house, &li, 10, json!({ "n": 1 })).await;
    work(house, &wang, 20, json!({ "ok": 1 })).await;
    let second = house.start(json!({ "ok": 7 })).await;
    work(house, &li, 10, json!({})).await;
    work(house, &wang, 5, json!({ "ok": 0 })).await;
    house.clock.advance(Span::minutes(15));
    let message = Message {
        name: "hello".into(),
        case: Some(second.id),
        data: object(json!({ "paid": true })),
        ..Message::default()
    };
    house.engine.message(&admin(), message).await.unwrap();
    house.clock.set(at("2026-11-25T14:00:00+08:00"));
    house.start(json!({ "ok": 7 })).await;
    work(house, &li, 10, json!({})).await;
    let task = house.only(&wang).await;
    house.act(&wang, &task.id, TaskVerb::Claim).await.unwrap();
    house.clock.advance(Span::minutes(5));
    let back = TaskVerb::SendBack {
        to: "a".into(),
        case: None,
        reason: "缺材料".into(),
    };
    house.act(&wang, &task.id, back).await.unwrap();
    work(house, &li, 20, json!({})).await;
    work(house, &wang, 25, json!({ "ok": 1 })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_really_was_is_replayed_to_the_minute_and_nothing_is_touched() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        lived(&house).await;
        let before = rows(&store).await;
        let what = question(&house);
        let found = house.engine.simulate(&admin(), &what).await.unwrap();
        assert_eq!((found.arrivals, found.compared), (3, 3), "{found:#?}");
        assert_eq!(found.baseline, found.changed);
        // 30, 30 and 60 minutes.
        assert_eq!(found.baseline.minutes.mean, 40.0);
        let calibration = found.calibration.unwrap();
        assert_eq!((calibration.error, calibration.of_a_case), (0.0, 0.0));
        assert!(found.unplayed.is_empty());
        let said: Vec<&str> = found.assumptions.iter().map(|w| w.en.as_str()).collect();
        assert_eq!(said.len(), 4, "{said:#?}");
        let again = house.engine.simulate(&admin(), &what).await.unwrap();
        assert_eq!(found, again);
        assert_eq!(rows(&store).await, before);
        // That it was done is in the audit log.
        let filter = AuditFilter {
            verb: Some("simulate".into()),
            ..AuditFilter::default()
        };
        let rows = store.audit().list(&filter).await.unwrap();
        assert_eq!((rows.len(), rows[0].entry.subject.as_str()), (2, "p"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_steps_brought_is_not_shown_with_the_history() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        lived(&house).await;
        let cases = house
            .engine
            .cases(&admin(), &CaseFilter::default())
            .await
            .unwrap();
        for case in cases.rows {
            let entries = house
                .engine
                .history(&admin(), &case.id, 0, 0)
                .await
                .unwrap();
            assert!(entries.len() > 3);
            for entry in entries {
                assert!(!entry.details.to_string().contains("brought"), "{entry:?}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpublished_drawing_is_replayed_and_not_published() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        lived(&house).await;
        let mut what = question(&house);
        // Both at once, the decision last.
        let fork = r#"<parallelGateway id="f"/><parallelGateway id="j"/>"#;
        let flows = "start>f f>a f>b a>j b>j j>g g>end:ok=1 g>r:ok=0 r>end";
        what.xml = Some(file(&format!("{}{fork}", body()), flows));
        let found = house.engine.simulate(&admin(), &what).await.unwrap();
        // What was sent back leaves its own branch, and the two never join again: the replay shows it
        // before anybody publishes it.
        assert_eq!(found.compared, 2, "{found:#?}");
        assert_eq!(
            found.unplayed[0].reason.en,
            "j: not all branches that join there came"
        );
        assert!(found.unplayed[0].changed);
        assert!(found.changed.minutes.mean < found.baseline.minutes.mean);
        let versions = house.engine.versions("p").await.unwrap();
        assert_eq!(versions.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_still_open_or_ruled_by_hand_are_said() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        lived(&house).await;
        let open = house.start(json!({ "ok": 7 })).await;
        let cancelled = house.start(json!({ "ok": 7 })).await;
        let verb = CaseVerb::Cancel {
            reason: "撤销申请".into(),
        };
        house
            .engine
            .rule(&admin(), &cancelled.id, None, verb)
            .await
            .unwrap();
        house.clock.advance(Span::minutes(1));
        let mut what = question(&house);
        let found = house.engine.simulate(&admin(), &what).await.unwrap();
        assert_eq!(found.arrivals, 5);
        let by_hand = found
            .unplayed
            .iter()
            .find(|row| row.numbers.contains(&cancelled.number));
        assert!(by_hand.unwrap().reason.en.contains("cancelled by hand"));
        let drawn = "a: 1 times the case has no record; drawn from others by the seed";
        assert!(
            found.assumptions.iter().any(|w| w.en.contains(drawn)),
            "{found:#?}"
        );
        assert!(
            !found
                .unplayed
                .iter()
                .any(|row| row.numbers.contains(&open.number) && !row.reason.en.contains("hello"))
        );
        // Of five the first two.
        what.limit = 2;
        let found = house.engine.simulate(&admin(), &what).await.unwrap();
        assert_eq!((found.arrivals, found.compared), (5, 2));
        let left = "3 cases were beyond the limit and left out";
        assert!(found.assumptions.iter().any(|w| w.en == left));
        // Before the first one: nothing.
        (what.to, what.limit) = (at("2026-11-25T09:00:00+08:00"), 0);
        let found = house.engine.simulate(&admin(), &what).await.unwrap();
        assert_eq!((found.arrivals, found.calibration), (0, None));
    })
    .await;
}

async fn refused(house: &House, change: impl FnOnce(&mut Simulation)) -> Fault {
    let mut what = question(house);
    change(&mut what);
    house.engine.simulate(&admin(), &what).await.unwrap_err()
}

fn places(fault: &Fault) -> Vec<&str> {
    fault
        .problems
        .iter()
        .map(|problem| problem.at.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_question_is_refused_with_every_fault_named() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        lived(&house).await;
        // The body stands from line 8 of the file on.
        let fault = refused(&house, |what| {
            let wrong = format!(
                "{}\n<complexGateway id=\"c\"/>\n<transaction id=\"t\"/>",
                body()
            );
            what.xml = Some(file(&wrong, FLOWS));
        })
        .await;
        assert_eq!(places(&fault), ["xml:9", "xml:10"]);
        assert!(fault.problems[0].words.en.contains("complexGateway"));
        let fault = refused(&house, |what| {
            what.to = Time(what.to.0 + 1);
            what.from = Time(what.to.0 - Span::days(93).0);
            what.limit = 10_001;
            what.capacity.insert("nobody".into(), 1);
            what.service.insert("nowhere".into(), 1.0);
        })
        .await;
        let expected = ["to", "to", "limit", "/capacity/nobody", "/service/nowhere"];
        assert_eq!(places(&fault), expected);
        let fault = refused(&house, |what| what.from = what.to).await;
        assert_eq!(places(&fault), ["to"]);
        let fault = refused(&house, |what| {
            (what.version, what.xml) = (Some(1), Some(file(&body(), FLOWS)));
        })
        .await;
        assert_eq!(places(&fault), ["version"]);
        let other = file(&body(), FLOWS).replace("process id=\"p\"", "process id=\"q\"");
        let fault = refused(&house, |what| what.xml = Some(other)).await;
        assert_eq!(places(&fault), ["xml"]);
        for change in [
            (|what: &mut Simulation| what.process = "q".into()) as fn(&mut Simulation),
            |what| what.version = Some(9),
        ] {
            assert_eq!(refused(&house, change).await.code, "input.not_found");
        }
        let fault = house
            .engine
            .simulate(&officer("li", "", "clerk"), &question(&house))
            .await;
        assert_eq!(fault.unwrap_err().status(), 403);
    })
    .await;
}

/// Cases begun before histories kept what steps brought: what they knew last stands in, and it is
/// said.
#[tokio::test(flavor = "multi_thread")]
async fn cases_without_a_record_take_what_they_knew_last() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        lived(&house).await;
        let mut tx = store.begin().await.unwrap();
        let mut update = Query::update();
        update.table("case_history").value(
            "details",
            sea_query::Expr::cust("replace(details, '\"brought\"', '\"before\"')"),
        );
        tx.execute(&update).await.unwrap();
        tx.commit().await.unwrap();
        let found = house
            .engine
            .simulate(&admin(), &question(&house))
            .await
            .unwrap();
        let said = "3 cases have no record of what they began with";
        assert!(
            found.assumptions.iter().any(|w| w.en.starts_with(said)),
            "{found:#?}"
        );
        // The decision of the second case led to a message nobody knows when it came.
        assert_eq!(found.compared, 2);
        assert_eq!(
            found.unplayed[0].reason.en,
            "r: \"hello\" did not come in the period"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let nothing = (own("a", "li"), NewCase::default());
        house
            .publish(&format!("{ENDS}{}", nothing.0), "start>a a>g g>end")
            .await;
        for n in 0..30 {
            house.start(json!({ "n": n })).await;
        }
        house.clock.advance(Span::minutes(1));
        let what = question(&house);
        let by = admin();
        let all = (0..8).map(|_| house.engine.simulate(&by, &what));
        let all = futures::future::join_all(all).await;
        assert!(all.iter().any(Result::is_ok));
        for refused in all.into_iter().filter_map(Result::err) {
            assert_eq!(refused.code, "system.overloaded");
        }
        // And free again afterwards.
        assert!(house.engine.simulate(&by, &what).await.is_ok());
    })
    .await;
}
