//! Clocks of cases and tasks as officers see them: limits, lights, pauses with a legal reason, and a
//! calendar that changes late.

use crate::house::{House, admin, at, object, officer};
use kernel::cases::{
    CalendarDay, Case, CaseVerb, Cases, Count, InboxFilter, Light, Limit, NewCase, PauseKind,
    TaskVerb,
};
use kernel::{Clock, Span, Time};
use serde_json::json;
use store::documents;
use testkit::each_store;

fn days(days: u32) -> Limit {
    Limit {
        days,
        count: Count::WorkingDays,
    }
}

/// One task of five working days, offered to clerks; the case has 20 and promised 10.
async fn begin(house: &House) -> Case {
    let body = r#"<startEvent id="start"/><endEvent id="end"/>
<userTask id="u" name="u" j:roles="clerk" j:organisation='"housing"' j:due="5 working days"/>"#;
    house.publish(body, "start>u u>end").await;
    let new = NewCase {
        process: "p".into(),
        organisation: Some("housing".into()),
        statutory: Some(days(20)),
        promised: Some(days(10)),
        data: object(json!({})),
        ..NewCase::default()
    };
    house.engine.start(&admin(), new).await.unwrap()
}

/// The end of a day in Beijing.
fn end_of(day: &str) -> Time {
    at(&format!("{day}T00:00:00+08:00")) + Span::days(1)
}

fn clerk() -> kernel::access::Actor {
    officer("li", "housing", "clerk")
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_case_that_begins_late_run_from_the_acceptance() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        begin(&house).await;
        // Accepted by silence: from the day it was received, Wednesday a week before.
        let new = NewCase {
            process: "p".into(),
            promised: Some(days(10)),
            since: Some(at("2026-11-18T10:00:00+08:00")),
            once: Some("a".into()),
            ..NewCase::default()
        };
        let case = house.engine.start(&admin(), new.clone()).await.unwrap();
        assert_eq!(case.promised.unwrap().due, end_of("2026-12-02"));
        let again = house.engine.start(&admin(), new).await.unwrap();
        assert_eq!((again.id, again.promised), (case.id.clone(), case.promised));
        let lights = async |day: &str| {
            house.clock.set(end_of(day));
            house.engine.settle().await.unwrap();
            let by = admin();
            let file = house.engine.case(&by, &case.id).await.unwrap();
            file.case.promised.unwrap().light
        };
        assert_eq!(lights("2026-11-26").await, Light::Green);
        assert_eq!(lights("2026-12-02").await, Light::Red);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_run_in_working_days_and_lights_change() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        // Accepted on Wednesday, 25 November 2026.
        let case = begin(&house).await;
        assert_eq!(case.statutory.unwrap().due, end_of("2026-12-23"));
        assert_eq!(case.promised.unwrap().due, end_of("2026-12-09"));
        let left = house.only(&clerk()).await.left.unwrap();
        assert_eq!((left.due, left.light), (end_of("2026-12-02"), Light::Green));
        let lights = async |light: Light| {
            let filter = InboxFilter {
                light: Some(light),
                ..InboxFilter::default()
            };
            let inbox = house.engine.inbox(&clerk(), &filter).await.unwrap();
            assert_eq!(inbox.count, inbox.rows.len() as i64);
            assert!(
                inbox
                    .rows
                    .iter()
                    .all(|row| row.left.unwrap().light == light)
            );
            inbox.count
        };
        let all = async || {
            use Light::{Green, Paused, Red, Yellow};
            [
                lights(Green).await,
                lights(Yellow).await,
                lights(Red).await,
                lights(Paused).await,
            ]
        };
        assert_eq!(all().await, [1, 0, 0, 0]);
        house.clock.set(at("2026-12-01T09:00:00+08:00"));
        assert_eq!(all().await, [0, 1, 0, 0], "a day is left");
        house.clock.set(at("2026-12-03T09:00:00+08:00"));
        assert_eq!(all().await, [0, 0, 1, 0]);
        house.engine.settle().await.unwrap();
        let said = async || {
            let by = admin();
            let entries = house.engine.history(&by, &case.id, 0, 0).await.unwrap();
            let lights = entries.iter().filter(|entry| entry.what == "light");
            let lights = lights.filter_map(|entry| entry.details["light"].as_str());
            lights.collect::<Vec<&str>>().join(" ")
        };
        assert_eq!(said().await, "yellow red", "each light is said once");
        // Red for a working day.
        house.clock.set(at("2026-12-04T09:00:00+08:00"));
        house.engine.settle().await.unwrap();
        assert_eq!(said().await, "yellow red overdue");
        // Over a long stop each is said once too.
        let settle = async |day: &str| {
            house.clock.set(at(&format!("{day}T09:00:00+08:00")));
            house.engine.settle().await.unwrap();
            house.clock.advance(Span::seconds(1));
            house.engine.settle().await.unwrap();
            said().await
        };
        let all_said = "yellow red overdue promised-yellow promised-red statutory-yellow statutory-red promised-overdue";
        assert_eq!(settle("2026-12-24").await, all_said);
        let file = house.case(&case.id).await;
        assert_eq!(file.statutory.unwrap().light, Light::Red);
        let all_said = format!("{all_said} statutory-overdue");
        assert_eq!(settle("2026-12-25").await, all_said);
        assert_eq!(settle("2027-01-20").await, all_said);
    })
    .await;
}

/// What is paused before it is red for a working day is not overdue; going on, it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_clock_is_not_overdue() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let case = begin(&house).await;
        let task = house.only(&clerk()).await.id;
        house.act(&clerk(), &task, TaskVerb::Claim).await.unwrap();
        let overdue = async || {
            house.engine.settle().await.unwrap();
            let by = admin();
            let entries = house.engine.history(&by, &case.id, 0, 0).await.unwrap();
            let mut lights = entries.iter().filter(|entry| entry.what == "light");
            lights.any(|entry| entry.details["light"] == "overdue")
        };
        house.clock.set(at("2026-12-03T09:00:00+08:00"));
        assert!(!overdue().await);
        let pause = CaseVerb::Pause {
            kind: PauseKind::Hearing,
            basis: "行政许可法第四十五条".into(),
            note: String::new(),
        };
        let by = admin();
        house.engine.rule(&by, &case.id, None, pause).await.unwrap();
        house.clock.set(at("2026-12-08T09:00:00+08:00"));
        assert!(!overdue().await);
        house
            .engine
            .rule(&by, &case.id, None, CaseVerb::Unpause)
            .await
            .unwrap();
        house.clock.advance(Span::seconds(1));
        assert!(overdue().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_needs_a_legal_reason_and_does_not_count() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let case = begin(&house).await;
        let rule = async |actor: &kernel::access::Actor, verb| {
            house.engine.rule(actor, &case.id, None, verb).await
        };
        let pause = |basis: &str| CaseVerb::Pause {
            kind: PauseKind::Hearing,
            basis: basis.into(),
            note: String::new(),
        };
        let law = "行政许可法第四十五条";
        let fault = rule(&admin(), pause(" ")).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
        let fault = rule(&clerk(), pause(law)).await.unwrap_err();
        assert_eq!(fault.code, "access.denied", "the task is not in their hand");
        let task = house.only(&clerk()).await.id;
        house.act(&clerk(), &task, TaskVerb::Claim).await.unwrap();
        rule(&clerk(), pause(law)).await.unwrap();
        let fault = rule(&clerk(), pause(law)).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        let paused = house.only(&clerk()).await.left.unwrap();
        assert_eq!(paused.light, Light::Paused);
        // Two weeks pass; no light changes.
        house.clock.set(at("2026-12-09T15:00:00+08:00"));
        house.engine.settle().await.unwrap();
        rule(&clerk(), CaseVerb::Unpause).await.unwrap();
        let left = house.only(&clerk()).await.left.unwrap();
        assert_eq!((left.due, left.light), (end_of("2026-12-16"), Light::Green));
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        assert_eq!(file.case.promised.unwrap().due, end_of("2026-12-23"));
        assert_eq!(file.pauses.len(), 1);
        assert_eq!(file.pauses[0].basis, law);
        let fault = rule(&clerk(), CaseVerb::Unpause).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        assert_eq!(
            house.history(&case.id).await,
            "started claimed paused unpaused"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_that_changes_late_moves_what_is_running() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let case = begin(&house).await;
        let day = |day: &str, worked| CalendarDay {
            day: day.into(),
            worked,
            name: "演练".into(),
        };
        let set = async |days: Vec<CalendarDay>, dry| {
            house.engine.set_calendar(&admin(), 2026, days, dry).await
        };
        // A holiday on a Friday; made up for on the Sunday of the week after.
        let change = vec![day("2026-11-27", false), day("2026-12-06", true)];
        let would = set(change.clone(), true).await.unwrap();
        let kinds: Vec<&str> = would.iter().map(|moved| moved.kind.as_str()).collect();
        assert_eq!(
            kinds,
            ["task"],
            "the case gains the day that the task loses"
        );
        assert_eq!(would[0].after, Some(end_of("2026-12-03")));
        let left = house.only(&clerk()).await.left.unwrap();
        assert_eq!(left.due, end_of("2026-12-02"), "it was only asked");
        let moved = set(change, false).await.unwrap();
        assert_eq!(moved, would, "what was said is what happened");
        let left = house.only(&clerk()).await.left.unwrap();
        assert_eq!(left.due, end_of("2026-12-03"));
        let moved = set(vec![day("2026-11-27", false)], false).await.unwrap();
        assert_eq!(moved.len(), 1);
        assert_eq!(
            (moved[0].kind.as_str(), moved[0].id.as_str()),
            ("case", case.id.as_str())
        );
        // After a stop it is still so, and the light changes at the new time.
        let house = House::again(&store, house.clock.clone()).await;
        assert_eq!(house.engine.calendar(2026).await.unwrap().len(), 1);
        house.clock.set(at("2026-12-03T09:00:00+08:00"));
        house.engine.settle().await.unwrap();
        let left = house.only(&clerk()).await.left.unwrap();
        assert_eq!(left.light, Light::Yellow);
        assert!(!house.history(&case.id).await.contains("red"));
        let wrong = vec![day("2026-13-01", false), day("2025-01-01", true)];
        let fault = house
            .engine
            .set_calendar(&admin(), 2026, wrong, false)
            .await
            .unwrap_err();
        assert_eq!(fault.problems.len(), 2);
        let denied = house
            .engine
            .set_calendar(&clerk(), 2026, vec![day("2026-11-27", false)], true)
            .await;
        assert_eq!(denied.unwrap_err().code, "access.denied");
    })
    .await;
}

/// The calendar was changed and the program stopped before every clock was counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stop_cut_short_is_counted_on() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let case = begin(&house).await;
        let day = CalendarDay {
            day: "2026-11-27".into(),
            worked: false,
            name: "演练".into(),
        };
        let mark = |kind: &str| json!({ "year": 2026, "before": [], "kind": kind, "last": "" });
        let keep = async |kind: &str| {
            let mut tx = store.begin().await.unwrap();
            let days = [day.clone()];
            let put = store::cases::calendar::put(&mut tx, 2026, &days, house.clock.now(), "a");
            put.await.unwrap();
            let mark = mark(kind);
            let put = documents::put(&mut tx, "calendar_recounts", "2026", &mark, None);
            put.await.unwrap();
            tx.commit().await.unwrap();
        };
        let after_a_start = async || {
            let house = House::again(&store, house.clock.clone()).await;
            let look = tokio::time::sleep(std::time::Duration::from_millis(300));
            house.engine.clone().run(look).await;
            let left = store.documents().get("calendar_recounts", "2026").await;
            assert_eq!(left.unwrap(), None, "it is counted to the end");
            let history = house.history(&case.id).await;
            history.matches("recounted").count()
        };
        // Cases and tasks were counted before the stop: they are not counted again.
        keep("timers").await;
        assert_eq!(after_a_start().await, 0);
        keep("cases").await;
        assert_eq!(after_a_start().await, 2, "the case and its task");
        // The light changes at the new time.
        house.clock.set(at("2026-12-02T23:00:00+08:00"));
        house.engine.settle().await.unwrap();
        house.clock.set(at("2026-12-03T09:00:00+08:00"));
        house.engine.settle().await.unwrap();
        assert!(!house.history(&case.id).await.contains("red"));
    })
    .await;
}

/// A case that cannot be read keeps its clocks; all others are counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_cannot_be_counted_keeps_no_other_one_back() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let damaged = begin(&house).await;
        let sound = begin(&house).await;
        let mut tx = store.begin().await.unwrap();
        let id = [damaged.id.clone()];
        let found = store::cases::read::cases(&mut tx, &id).await;
        let mut row = found.unwrap().remove(0);
        row.body = b"nothing".to_vec();
        row.revision += 1;
        let writes = store::cases::Writes {
            cases: [(row.id.clone(), row)].into(),
            ..Default::default()
        };
        let queues = Default::default();
        let write = store::cases::write::write(&mut tx, &writes, &queues);
        write.await.unwrap();
        tx.commit().await.unwrap();

        let house = House::again(&store, house.clock.clone()).await;
        let holiday = CalendarDay {
            day: "2026-11-27".into(),
            worked: false,
            name: "演练".into(),
        };
        let set = async |dry: bool| {
            let days = vec![holiday.clone()];
            let by = admin();
            let set = house.engine.set_calendar(&by, 2026, days, dry);
            let moved = set.await.unwrap();
            let of_sound = |id: &str| id.starts_with(&sound.id);
            assert!(moved.iter().all(|moved| of_sound(&moved.id)), "{moved:?}");
            moved.len()
        };
        assert_eq!(set(true).await, 2, "the case and its task");
        assert_eq!(set(false).await, 2);
        assert_eq!(set(true).await, 0);
        let history = house.history(&sound.id).await;
        assert_eq!(history.matches("recounted").count(), 2);
        let left = store.documents().get("calendar_recounts", "2026").await;
        assert_eq!(left.unwrap(), None, "it is counted to the end");
    })
    .await;
}

/// Whoever set the calendar went away: it is set and counted all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_counted_though_nobody_waits() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let case = begin(&house).await;
        let holiday = CalendarDay {
            day: "2026-11-27".into(),
            worked: false,
            name: "演练".into(),
        };
        let by = admin();
        let set = house.engine.set_calendar(&by, 2026, vec![holiday], false);
        let gone = tokio::time::timeout(std::time::Duration::ZERO, set).await;
        assert!(gone.is_err(), "it takes longer than no time");
        for _ in 0..200 {
            let history = house.history(&case.id).await;
            if history.matches("recounted").count() == 2 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the clocks stand as they did");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_in_hours_stand_still_too() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = r#"<startEvent id="start"/><endEvent id="end"/>
<userTask id="u" name="u" j:assignee='"li"' j:due="PT4H"/>"#;
        house.publish(body, "start>u u>end").await;
        let case = house.start(json!({})).await;
        let rule = async |verb: CaseVerb| {
            let by = admin();
            house.engine.rule(&by, &case.id, None, verb).await.unwrap();
        };
        let left = async || {
            house.engine.settle().await.unwrap();
            house.only(&clerk()).await.left.unwrap()
        };
        let begun = at("2026-11-25T10:00:00+08:00");
        assert_eq!(left().await.due, begun + Span::hours(4));
        house.clock.advance(Span::hours(1));
        rule(CaseVerb::Pause {
            kind: PauseKind::Supplement,
            basis: "行政许可法第三十二条".into(),
            note: String::new(),
        })
        .await;
        house.clock.advance(Span::hours(30));
        assert_eq!(left().await.light, Light::Paused);
        rule(CaseVerb::Unpause).await;
        let after = left().await;
        assert_eq!(
            (after.light, after.due),
            (Light::Green, begun + Span::hours(34))
        );
        house.clock.advance(Span::hours(3));
        assert_eq!(left().await.light, Light::Red);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_in_working_days_move_with_the_calendar() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let timer = |id: &str, text: &str| {
            format!(r#"<intermediateCatchEvent id="{id}"><timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition></intermediateCatchEvent>"#)
        };
        let body = format!(
            r#"<startEvent id="start"/><endEvent id="end"/>{}{}{}{}"#,
            timer("one", "1 working day"),
            timer("two", "2个工作日"),
            timer("hours", "P2D"),
            r#"<userTask id="u" j:assignee='"li"'/><userTask id="v" j:assignee='"li"'/><userTask id="w" j:assignee='"li"'/>"#
        );
        house.publish(&body, "start>one start>two start>hours one>u two>v hours>w u>end v>end w>end").await;
        let case = house.start(json!({})).await;
        let begins = crate::stage::file(
            r#"<endEvent id="end"/><startEvent id="start"><timerEventDefinition><timeDuration>2 working days</timeDuration></timerEventDefinition></startEvent>"#,
            "start>end",
        );
        let begins = begins.replace(r#"process id="p""#, r#"process id="q""#);
        house.engine.publish(&admin(), "q.bpmn", &begins).await.unwrap();
        let next = async || house.engine.versions("q").await.unwrap()[0].begins_at;
        let li = officer("li", "", "");
        // The first fires on Friday.
        house.clock.set(at("2026-11-27T00:00:00+08:00"));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&li).await, "u");
        // On that day it is made known that it is a holiday.
        let holiday = CalendarDay {
            day: "2026-11-27".into(),
            worked: false,
            name: "演练".into(),
        };
        let set = async |dry| {
            let by = admin();
            let set = house.engine.set_calendar(&by, 2026, vec![holiday.clone()], dry);
            set.await.unwrap()
        };
        let would = set(true).await;
        let said: Vec<(&str, Option<Time>, Option<Time>)> = would
            .iter()
            .map(|moved| (moved.kind.as_str(), moved.before, moved.after))
            .collect();
        let (was, is) = (Some(end_of("2026-11-27")), Some(end_of("2026-11-30")));
        assert_eq!(said, [("timer", was, is), ("start", was, is)]);
        assert!(would[0].id.starts_with(&format!("{}-", case.id)));
        assert_eq!(would[1].id, "q");
        assert_eq!(next().await, was, "it was only asked");
        assert_eq!(set(false).await, would, "what was said is what happened");
        assert_eq!(next().await, is);
        assert!(set(false).await.is_empty(), "nothing moves twice");
        assert_eq!(house.history(&case.id).await, "started timer recounted");
        // After a stop too; two days are 48 hours whatever the calendar says.
        let house = House::again(&store, house.clock.clone()).await;
        let filter = kernel::cases::CaseFilter {
            process: Some("q".into()),
            ..Default::default()
        };
        for (until, nodes, begun) in [
            ("2026-11-28T00:00:00+08:00", "u w", 0),
            ("2026-11-30T23:59:00+08:00", "u w", 0),
            ("2026-12-01T00:00:00+08:00", "u v w", 1),
        ] {
            house.clock.set(at(until));
            house.engine.settle().await.unwrap();
            let mut found: Vec<&str> = vec![];
            let inbox = house.inbox(&li).await;
            found.extend(inbox.rows.iter().map(|task| task.node.as_str()));
            found.sort_unstable();
            assert_eq!(found.join(" "), nodes, "{until}");
            let cases = house.engine.cases(&admin(), &filter).await.unwrap();
            assert_eq!(cases.count, begun, "{until}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_of_a_drawing_count_working_days() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let holiday = CalendarDay {
            day: "2026-11-27".into(),
            worked: false,
            name: "演练".into(),
        };
        let by = admin();
        let set = house.engine.set_calendar(&by, 2026, vec![holiday], false);
        set.await.unwrap();
        // Written, and said by an expression.
        let timer = |id: &str, text: &str| {
            format!(r#"<intermediateCatchEvent id="{id}"><timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition></intermediateCatchEvent>"#)
        };
        let body = format!(
            r#"<startEvent id="start"/><endEvent id="end"/>{}{}<userTask id="u" j:assignee='"li"'/><userTask id="v" j:assignee='"li"'/>"#,
            timer("t", "5 working days"),
            timer("s", "how_long")
        );
        house.publish(&body, "start>t start>s t>u s>v u>end v>end").await;
        house.start(json!({ "how_long": "2个工作日" })).await;
        let li = crate::house::officer("li", "", "");
        // From a Wednesday on; the Friday is a holiday.
        for (until, expect) in [
            ("2026-11-30T23:59:00+08:00", ""),
            ("2026-12-01T00:00:00+08:00", "v"),
            ("2026-12-03T23:59:00+08:00", "v"),
            ("2026-12-04T00:00:00+08:00", "u v"),
        ] {
            house.clock.set(at(until));
            house.engine.settle().await.unwrap();
            assert_eq!(house.nodes(&li).await, expect, "{until}");
        }
    })
    .await;
}
