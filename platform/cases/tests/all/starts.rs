//! Timers that begin cases: 10.5.2 and 13.5.1 of the standard. Once for each time they are due, once
//! after a long stop, by the newest version only, through kill -9 and with two programs at once (`starts_once`).

use crate::house::{House, admin, at, officer};
use crate::stage::file;
use kernel::cases::{Case, CaseFilter, Cases, Process};
use kernel::{Span, Time};
use testkit::each_store;

/// The moment every house opens at, a Wednesday.
pub const OPENED: &str = "2026-11-25T10:00:00+08:00";

/// A process whose start events are these timers, and a task for whoever is in charge.
fn timed(timers: &[&str]) -> String {
    let starts: String = timers
        .iter()
        .enumerate()
        .map(|(n, timer)| format!("<startEvent id=\"t{n}\"><timerEventDefinition>{timer}</timerEventDefinition></startEvent>\n"))
        .collect();
    let flows: String = (0..timers.len()).map(|n| format!("t{n}>u ")).collect();
    let body = format!(
        r#"<endEvent id="end"/><userTask id="u" name="u"/>{}{starts}"#,
        "\n"
    );
    file(&body, &format!("{flows} u>end"))
}

pub fn cycle(text: &str) -> String {
    format!("<timeCycle>{text}</timeCycle>")
}

/// An officer who publishes for an organisation.
fn publisher() -> kernel::access::Actor {
    officer("zhang", "housing", "admin")
}

pub async fn publish(house: &House, timers: &[&str]) -> Process {
    let (by, xml) = (publisher(), timed(timers));
    let published = house.engine.publish(&by, "p.bpmn", &xml);
    let published = published
        .await
        .unwrap_or_else(|fault| panic!("{fault} {:?}", fault.problems));
    published.into_iter().next().unwrap()
}

pub async fn cases(house: &House) -> Vec<Case> {
    let filter = CaseFilter {
        limit: 200,
        ..CaseFilter::default()
    };
    house.engine.cases(&admin(), &filter).await.unwrap().rows
}

pub async fn next(house: &House) -> Option<Time> {
    house.engine.processes().await.unwrap()[0].begins_at
}

/// When the timers of the cases were due, in order of time.
pub async fn dues(house: &House) -> Vec<String> {
    let mut dues = vec![];
    for case in cases(house).await {
        let entries = house
            .engine
            .history(&admin(), &case.id, 0, 1)
            .await
            .unwrap();
        dues.push(entries[0].details["due"].as_str().unwrap().to_string());
    }
    dues.sort();
    dues
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_begins_a_case_for_the_organisation_of_who_published() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let published = publish(&house, &["<timeDuration>PT1H</timeDuration>"]).await;
        let due = at(OPENED) + Span::hours(1);
        assert_eq!(published.begins_at, Some(due));
        assert_eq!(next(&house).await, Some(due));
        let versions = house.engine.versions("p").await.unwrap();
        assert_eq!(versions[0].begins_at, Some(due));
        house.clock.advance(Span::minutes(59));
        house.engine.settle().await.unwrap();
        assert!(cases(&house).await.is_empty());
        house.clock.advance(Span::minutes(1));
        house.engine.settle().await.unwrap();
        let begun = cases(&house).await;
        assert_eq!(begun.len(), 1);
        assert_eq!(begun[0].organisation.as_deref(), Some("housing"));
        assert_eq!(begun[0].started_by, "zhang");
        assert_eq!(house.history(&begun[0].id).await, "started");
        assert_eq!(dues(&house).await, [due.rfc3339()]);
        let file = house.engine.case(&admin(), &begun[0].id).await.unwrap();
        assert!(file.data.is_empty(), "nobody applied: {:?}", file.data);
        // Whoever is of that organisation finds the task.
        assert_eq!(house.nodes(&officer("li", "housing", "")).await, "u");
        // It was due once.
        house.clock.advance(Span::days(30));
        house.engine.settle().await.unwrap();
        assert_eq!((cases(&house).await.len(), next(&house).await), (1, None));
        // A person cannot begin what has no such beginning.
        let new = kernel::cases::NewCase {
            process: "p".into(),
            ..Default::default()
        };
        let fault = house.engine.start(&admin(), new).await.unwrap_err();
        assert!(
            fault.problems[0].words.en.contains("a timer only"),
            "{fault:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_are_due_when_they_say() {
    each_store(|store| async move {
        // Each timer with moments, how many cases there are then and when the next begins.
        for (timer, moments) in [
            (
                cycle("R2/PT1H"),
                [
                    (
                        "2026-11-25T11:00:00+08:00",
                        1,
                        Some("2026-11-25T12:00:00+08:00"),
                    ),
                    ("2026-11-25T12:00:00+08:00", 2, None),
                    ("2026-11-30T12:00:00+08:00", 2, None),
                ],
            ),
            // A stop of days: once, and then from now on.
            (
                cycle("R/PT1H"),
                [
                    (
                        "2026-11-28T09:30:00+08:00",
                        1,
                        Some("2026-11-28T10:30:00+08:00"),
                    ),
                    (
                        "2026-11-28T10:29:00+08:00",
                        1,
                        Some("2026-11-28T10:30:00+08:00"),
                    ),
                    (
                        "2026-11-28T10:30:00+08:00",
                        2,
                        Some("2026-11-28T11:30:00+08:00"),
                    ),
                ],
            ),
            // Every day at eight, since long ago; it keeps to eight.
            (
                cycle("R/2026-11-01T08:00:00+08:00/P1D"),
                [
                    (
                        "2026-11-26T07:59:00+08:00",
                        0,
                        Some("2026-11-26T08:00:00+08:00"),
                    ),
                    (
                        "2026-11-26T08:00:00+08:00",
                        1,
                        Some("2026-11-27T08:00:00+08:00"),
                    ),
                    (
                        "2026-11-30T21:00:00+08:00",
                        2,
                        Some("2026-12-01T08:00:00+08:00"),
                    ),
                ],
            ),
            // Of three Mondays the first two are past.
            (
                cycle("R3/2026-11-16T08:00:00+08:00/P1W"),
                [
                    (
                        "2026-11-30T07:59:00+08:00",
                        0,
                        Some("2026-11-30T08:00:00+08:00"),
                    ),
                    ("2026-11-30T08:00:00+08:00", 1, None),
                    ("2026-12-30T08:00:00+08:00", 1, None),
                ],
            ),
            // Friday is not worked: see below.
            (
                "<timeDuration>2 working days</timeDuration>".into(),
                [
                    (
                        "2026-11-30T23:59:00+08:00",
                        0,
                        Some("2026-12-01T00:00:00+08:00"),
                    ),
                    ("2026-12-01T00:00:00+08:00", 1, None),
                    ("2026-12-09T00:00:00+08:00", 1, None),
                ],
            ),
            (
                "<timeDate>2026-11-26T08:00:00+08:00</timeDate>".into(),
                [
                    (
                        "2026-11-26T07:00:00+08:00",
                        0,
                        Some("2026-11-26T08:00:00+08:00"),
                    ),
                    ("2026-11-26T08:00:00+08:00", 1, None),
                    ("2026-12-26T08:00:00+08:00", 1, None),
                ],
            ),
        ] {
            let clock = std::sync::Arc::new(kernel::ManualClock::new(at(OPENED)));
            let house = House::again(&store, clock).await;
            let holiday = kernel::cases::CalendarDay {
                day: "2026-11-27".into(),
                worked: false,
                name: "演练".into(),
            };
            let by = admin();
            let set = house.engine.set_calendar(&by, 2026, vec![holiday], false);
            set.await.unwrap();
            let before = cases(&house).await.len();
            publish(&house, &[&timer]).await;
            for (moment, count, due) in moments {
                house.clock.set(at(moment));
                house.engine.settle().await.unwrap();
                let found = (cases(&house).await.len() - before, next(&house).await);
                assert_eq!(found, (count, due.map(at)), "{timer} at {moment}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_version_begins_cases() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let hourly = cycle("R/PT1H");
        publish(&house, &[&hourly]).await;
        house.clock.advance(Span::minutes(30));
        // Published anew it counts anew; both timers of it.
        let once = "<timeDuration>PT4H</timeDuration>";
        let second = publish(&house, &[&cycle("R/PT2H"), once]).await;
        assert_eq!(second.version, 2);
        house.clock.advance(Span::hours(1));
        house.engine.settle().await.unwrap();
        assert!(
            cases(&house).await.is_empty(),
            "the first version had its turn"
        );
        house.clock.advance(Span::hours(1));
        house.engine.settle().await.unwrap();
        assert_eq!(cases(&house).await[0].version, 2);
        // The same file once more is no new version, and sets nothing anew.
        let before = next(&house).await;
        house.clock.advance(Span::minutes(7));
        assert_eq!(
            publish(&house, &[&cycle("R/PT2H"), once]).await.begins_at,
            before
        );
        assert_eq!(next(&house).await, before);
        // Back to the first drawing: a third version, with its own timer.
        let third = publish(&house, &[&hourly]).await;
        assert_eq!(
            (third.version, third.begins_at),
            (3, Some(at("2026-11-25T13:37:00+08:00")))
        );
        // Without a timer nothing begins any more.
        let plain = file(
            r#"<startEvent id="start"/><endEvent id="end"/>"#,
            "start>end",
        );
        let published = house.engine.publish(&publisher(), "p.bpmn", &plain).await;
        assert_eq!(published.unwrap()[0].begins_at, None);
        house.clock.advance(Span::days(9));
        house.engine.settle().await.unwrap();
        assert_eq!((cases(&house).await.len(), next(&house).await), (1, None));
        // What is done for good stays done when the same file is published again.
        publish(&house, &[once]).await;
        house.clock.advance(Span::hours(4));
        house.engine.settle().await.unwrap();
        assert_eq!(publish(&house, &[once]).await.begins_at, None);
        house.clock.advance(Span::days(9));
        house.engine.settle().await.unwrap();
        assert_eq!(cases(&house).await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_older_program_published_begins_once_it_is_published_again() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let xml = timed(&[&cycle("R/PT1H")]);
        let digest = { publish(&house, &[&cycle("R/PT1H")]).await.digest };
        // As the older program left it: the version, and no timer.
        let mut tx = store.begin().await.unwrap();
        store::cases::outbox::drop_starts(&mut tx, "p")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        house.clock.advance(Span::hours(2));
        house.engine.settle().await.unwrap();
        assert!(cases(&house).await.is_empty());
        let again = house
            .engine
            .publish(&publisher(), "p.bpmn", &xml)
            .await
            .unwrap();
        assert_eq!((again[0].version, &again[0].digest), (1, &digest));
        house.clock.advance(Span::hours(1));
        house.engine.settle().await.unwrap();
        assert_eq!(cases(&house).await.len(), 1);
        // One that knows no timers publishes beside us: ours is of an old version.
        let newer = Process {
            version: 2,
            ..again[0].clone()
        };
        let mut tx = store.begin().await.unwrap();
        store::cases::processes::put(&mut tx, &newer, &xml)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        house.clock.advance(Span::hours(5));
        house.engine.settle().await.unwrap();
        assert_eq!((cases(&house).await.len(), next(&house).await), (1, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_that_begin_nothing_or_too_much_are_refused_by_name_and_line() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let apart = "a cycle that begins a process is a minute (PT1M) at least";
        for (timer, expect) in [
            (cycle("R/PT59S"), apart),
            (cycle("R3/2026-12-01T08:00:00+08:00/PT1S"), apart),
            // Said by an expression.
            (cycle("\"R/PT30S\""), apart),
            (
                "<timeDate>2026-11-25T09:59:00+08:00</timeDate>".into(),
                "it is past: nothing would ever begin",
            ),
            (
                cycle("R2/2026-11-01T08:00:00+08:00/P1D"),
                "it is past: nothing would ever begin",
            ),
            (
                "<timeDuration>nothing</timeDuration>".into(),
                "\"null\" is no ISO 8601 text",
            ),
        ] {
            let good = cycle("R/PT1H");
            let xml = timed(&[&good, &timer]);
            let fault = house.engine.publish(&publisher(), "p.bpmn", &xml).await;
            let problems = fault.unwrap_err().problems;
            assert_eq!(problems.len(), 1, "{problems:?}");
            let said = &problems[0];
            assert_eq!(said.at, "p.bpmn:10", "{timer}");
            assert!(
                said.words.en.contains(expect) && said.words.en.starts_with("t1: "),
                "{said:?}"
            );
            assert!(said.words.zh.starts_with("t1：") && said.words.zh != said.words.en);
        }
        let many = vec!["<timeDuration>P1D</timeDuration>"; 21];
        let fault = house
            .engine
            .publish(&publisher(), "p.bpmn", &timed(&many))
            .await;
        let problems = fault.unwrap_err().problems;
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].at, "p.bpmn:29");
        assert!(
            house.engine.processes().await.unwrap().is_empty(),
            "refused whole"
        );
        publish(&house, &many[..20]).await;
        // All of them at once: each begins its case.
        house.clock.advance(Span::days(1));
        house.engine.settle().await.unwrap();
        assert_eq!(cases(&house).await.len(), 20);
        // What came with a system years ago does not keep a new city from starting.
        let past = timed(&["<timeDate>2026-11-25T09:59:00+08:00</timeDate>"]);
        let system = kernel::access::Actor::system();
        let published = house
            .engine
            .publish(&system, "p.bpmn", &past)
            .await
            .unwrap();
        assert_eq!(published[0].begins_at, None);
        house.clock.advance(Span::days(1));
        house.engine.settle().await.unwrap();
        assert_eq!(cases(&house).await.len(), 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_cannot_begin_is_set_aside_and_tried_again() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        // What the case waits for beside its task cannot be told.
        let broken = r#"<subProcess id="ev" triggeredByEvent="true"><startEvent id="es" isInterrupting="false"><timerEventDefinition><timeDuration>nothing</timeDuration></timerEventDefinition></startEvent><endEvent id="ee"/><sequenceFlow id="f" sourceRef="es" targetRef="ee"/></subProcess><endEvent id="end"/>"#;
        let xml = timed(&["<timeDuration>PT1H</timeDuration>"]).replace(r#"<endEvent id="end"/>"#, broken);
        let published = house.engine.publish(&publisher(), "p.bpmn", &xml).await;
        published.unwrap_or_else(|fault| panic!("{:?}", fault.problems));
        for _ in 0..6 {
            house.clock.advance(Span::hours(1));
            house.engine.settle().await.unwrap();
        }
        assert!(cases(&house).await.is_empty());
        let aside = house.engine.set_aside(&admin(), 10).await.unwrap();
        assert_eq!(aside.len(), 1);
        assert_eq!((aside[0].kind.as_str(), aside[0].name.as_str()), ("start", "p"));
        assert!(aside[0].error.words.en.contains("null"), "{:?}", aside[0].error);
        assert_eq!(next(&house).await, None);
        house.engine.try_again(&admin(), &aside[0].id).await.unwrap();
        assert!(next(&house).await.is_some());
        house.engine.settle().await.unwrap();
        assert_eq!(house.engine.set_aside(&admin(), 10).await.unwrap().len(), 0);
    })
    .await;
}
