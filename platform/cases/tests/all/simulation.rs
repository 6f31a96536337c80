//! Simulation, the pure part: known queues with exact answers, and what is said of what is not
//! known.

use crate::arrivals::*;
use crate::house::object;
use crate::stage::Small;
use cases::clock::Calendar;
use cases::simulate::{Did, Hours, PastOther, simulate};
use kernel::Time;
use kernel::cases::{Limit, Simulation, Spread, TaskState};
use kernel::time::MINUTE;
use proptest::prelude::*;
use serde_json::json;
use std::sync::atomic::AtomicBool;

#[test]
fn a_queue_with_fixed_service_has_exactly_the_waits_it_must_have() {
    let (drawing, past) = queue_of_three();
    let mut what = question();
    what.service.insert("a".into(), 30.0);
    let found = replay(&past, &drawing, &what);
    assert_eq!((found.arrivals, found.compared), (3, 3));
    let before = &found.baseline;
    assert_eq!(before.minutes, spread(3, 90.0, 90.0, 120.0));
    assert_eq!(before.waiting, spread(3, 30.0, 30.0, 60.0));
    assert_eq!(before.work, spread(3, 60.0, 60.0, 60.0));
    assert_eq!(before.days.mean, 90.0 / 420.0);
    assert_eq!(before.congested.as_deref(), Some("a"));
    let [people] = before.people.as_slice() else {
        panic!("{:?}", before.people)
    };
    assert_eq!((people.name.as_str(), people.workers), ("clerk", 1));
    assert_eq!(people.share, 180.0 / 420.0);
    // Half an hour each, half an hour apart: nobody waits.
    assert_eq!(found.changed.minutes, spread(3, 30.0, 30.0, 30.0));
    assert_eq!(found.changed.congested, None);
    let load = node(&found, "a").changed.unwrap();
    assert_eq!((load.waiting.mean, load.work.mean), (0.0, 30.0));
    // The baseline is what really was.
    let calibration = found.calibration.unwrap();
    assert_eq!((calibration.error, calibration.of_a_case), (0.0, 0.0));
    assert_eq!(calibration.actual, before.minutes);
}

#[test]
fn the_calibration_says_how_far_the_baseline_is_from_what_was() {
    let (drawing, mut past) = queue_of_three();
    // Really the last case ended the day after, 420 minutes later: nobody knows why.
    past.cases[2].ended = Some(on("25T12:00"));
    let found = replay(&past, &drawing, &question());
    let calibration = found.calibration.unwrap();
    assert_eq!(calibration.actual.mean, (60.0 + 90.0 + 540.0) / 3.0);
    assert_eq!(calibration.replayed.mean, 90.0);
    assert_eq!(calibration.error, (90.0 - 230.0) / 230.0);
    assert_eq!(calibration.of_a_case, 140.0);
}

#[test]
fn twice_the_workers_halve_the_wait() {
    let drawing = drawing(&user("a", "clerk"), "start>a a>end");
    let task = |n: i64| {
        let begun = Time(on("24T09:00").0 + n * 10 * MINUTE);
        let mut task = done("a", "li", begun, Time(begun.0 + 10 * MINUTE), json!({}));
        task.opened = on("24T09:00");
        task
    };
    let cases = (0..11).map(|n| case(n, on("24T09:00"), None, vec![task(n as i64)]));
    let past = past(&drawing, cases.collect());
    for key in ["clerk", "a"] {
        let mut what = question();
        what.capacity.insert(key.into(), 2);
        let found = replay(&past, &drawing, &what);
        // One: 0, 10 … 100. Two: 0, 0, 10, 10 … 40, 40, 50.
        assert_eq!(found.baseline.waiting.mean, 50.0);
        assert_eq!(found.changed.waiting.mean, 250.0 / 11.0);
        assert!(found.changed.waiting.mean <= found.baseline.waiting.mean / 2.0);
        assert_eq!(found.changed.people[0].workers, 2);
        assert_eq!(found.changed.people[0].name, key);
    }
}

#[test]
fn a_parallel_gateway_shortens() {
    let body = format!("{}{}", user("a", "clerk"), user("b", "judge"));
    let before = drawing(&body, "start>a a>b b>end");
    let fork = r#"<parallelGateway id="f"/><parallelGateway id="j"/>"#;
    let after = drawing(&format!("{body}{fork}"), "start>f f>a f>b a>j b>j j>end");
    let cases = [
        ("24T09:00", "24T10:00", "24T10:40"),
        ("24T13:30", "24T14:30", "24T15:10"),
    ];
    let cases = cases.iter().enumerate().map(|(n, (start, middle, end))| {
        let tasks = vec![
            done("a", "li", on(start), on(middle), json!({})),
            done("b", "wang", on(middle), on(end), json!({})),
        ];
        case(n, on(start), Some(on(end)), tasks)
    });
    let past = past(&before, cases.collect());
    let found = replay(&past, &after, &question());
    assert_eq!(found.baseline.minutes, spread(2, 100.0, 100.0, 100.0));
    assert_eq!(found.changed.minutes, spread(2, 60.0, 60.0, 60.0));
    assert_eq!(found.changed.work.mean, 100.0);
}

#[test]
fn work_stands_still_at_noon_and_at_night_and_the_limit_is_counted_by_the_calendar() {
    let drawing = drawing(&user("a", "clerk"), "start>a a>end");
    let task = done("a", "li", on("24T11:30"), on("24T14:00"), json!({}));
    let mut one = case(0, on("24T11:30"), Some(on("24T14:00")), vec![task]);
    one.promised = Limit::parse("1 working day");
    let past = past(&drawing, vec![one]);
    let mut what = question();
    // It begins at 11:30 and goes on for two and a half days: ended on the 27th, promised the 25th.
    what.service.insert("a".into(), 1050.0);
    let found = replay(&past, &drawing, &what);
    assert_eq!(found.baseline.minutes.mean, 60.0);
    assert_eq!(
        (found.baseline.promised, found.baseline.within),
        (1, Some(1.0))
    );
    assert_eq!(found.changed.minutes.mean, 1050.0);
    assert_eq!(found.changed.within, Some(0.0));
    // Busy until the end of the period only: 30 minutes of the morning and 240 of the afternoon.
    assert_eq!(found.changed.people[0].share, 270.0 / 420.0);
}

/// A decision that was taken is taken again, each time round.
#[test]
fn decisions_are_those_of_the_case_itself() {
    let body = format!(
        r#"{}{}<exclusiveGateway id="g"/>"#,
        user("a", "clerk"),
        user("b", "judge")
    );
    let drawing = drawing(&body, "start>a a>b b>g g>end:ok=1 g>a:ok=0");
    let cases = (0..4).map(|n| {
        let hour = |h: i64| Time(on("24T09:00").0 + (h * 10 + n * 5) * MINUTE);
        let mut tasks = vec![];
        for round in 0..=n {
            let (from, to) = (hour(round), hour(round));
            tasks.push(done("a", "li", from, to, json!({ "round": round })));
            let set = json!({ "ok": i64::from(round == n) });
            tasks.push(done("b", "wang", from, to, set));
        }
        case(n as usize, on("24T09:00"), None, tasks)
    });
    let past = past(&drawing, cases.collect());
    let found = replay(&past, &drawing, &question());
    assert_eq!(found.compared, 4);
    assert_eq!(
        node(&found, "a").baseline.unwrap().work.count,
        1 + 2 + 3 + 4
    );
    assert!(
        !says(&found, "drawn from others"),
        "{:#?}",
        found.assumptions
    );
}

#[test]
fn what_was_sent_back_is_sent_back_again_and_is_done_where_it_cannot_be() {
    let body = format!("{}{}", user("a", "clerk"), user("b", "judge"));
    let before = drawing(&body, "start>a a>b b>end");
    let [t0, t1, t2, t3, t4] = ["24T09:00", "24T09:10", "24T09:20", "24T09:30", "24T09:40"].map(on);
    let mut back = done("b", "wang", t1, t2, json!({}));
    (back.state, back.did) = (TaskState::SentBack, Some(Did::Led("a".into())));
    let tasks = vec![
        done("a", "li", t0, t1, json!({})),
        back,
        done("a", "li", t2, t3, json!({})),
        done("b", "wang", t3, t4, json!({})),
    ];
    let past = past(&before, vec![case(0, t0, Some(t4), tasks)]);
    let found = replay(&past, &before, &question());
    assert_eq!(found.baseline.minutes.mean, 40.0);
    assert_eq!(node(&found, "b").baseline.unwrap().work.count, 2);
    // Without `a` there is nothing to go back to.
    let after = drawing(&user("b", "judge"), "start>b b>end");
    let found = replay(&past, &after, &question());
    assert_eq!(found.changed.minutes.mean, 10.0);
    assert!(says(
        &found,
        "1 times what was sent back to a cannot go there"
    ));
    assert!(says(
        &found,
        "changed: a: 2 records of then found no occasion"
    ));
    assert!(says(
        &found,
        "changed: b: 1 records of then found no occasion"
    ));
    assert!(!says(&found, "baseline: a"));
    assert_eq!(node(&found, "a").changed, None);
}

#[test]
fn a_new_node_takes_what_is_said_or_what_is_stated() {
    let (old, past) = queue_of_three();
    let body = format!("{}{}", user("a", "clerk"), user("new", "seal"));
    let after = drawing(&body, "start>a a>new new>end");
    let found = replay(&past, &after, &question());
    assert_eq!(node(&found, "new").changed.unwrap().work.mean, 60.0);
    assert_eq!(node(&found, "new").baseline, None);
    assert!(says(
        &found,
        "new is new: it takes 60 minutes and sets nothing"
    ));
    assert!(says(&found, "seal: nobody did it in the period"));
    let mut what = question();
    what.service.insert("new".into(), 5.0);
    let found = replay(&past, &after, &what);
    assert_eq!(node(&found, "new").changed.unwrap().work.mean, 5.0);
    assert!(says(&found, "new is new: it takes what was said"));
    // Within the same role it is done by those who are there.
    let same = format!("{}{}", user("a", "clerk"), user("new", "clerk"));
    let found = replay(&past, &drawing(&same, "start>a a>new new>end"), &what);
    assert_eq!(found.changed.people.len(), 1);
    assert_eq!(found.changed.people[0].nodes, ["a", "new"]);
    assert!(!says(&found, "nobody did it"));
    drop(old);
}

#[test]
fn a_message_that_never_came_is_a_reason_and_one_that_came_comes_again() {
    let body = format!(
        r#"{}<receiveTask id="r" messageRef="m2"/>"#,
        user("a", "clerk")
    );
    let after = drawing(&body, "start>a a>r r>end");
    let (before, mut past) = queue_of_three();
    let found = replay(&past, &after, &question());
    assert_eq!(found.compared, 0);
    let [unplayed] = found.unplayed.as_slice() else {
        panic!("{:?}", found.unplayed)
    };
    assert_eq!(
        unplayed.reason.en,
        "r: \"hello\" did not come in the period"
    );
    assert_eq!((unplayed.cases, unplayed.changed), (3, true));
    assert_eq!(unplayed.numbers, ["N0", "N1", "N2"]);
    assert_eq!(found.baseline.minutes, Spread::default());
    // It is said how long it takes to come; to the last case in the break at noon.
    let mut what = question();
    what.service.insert("r".into(), 15.0);
    let found = replay(&past, &after, &what);
    assert_eq!(found.changed.minutes.mean, (75.0 + 105.0 + 120.0) / 3.0);
    // One case knows: the others draw from it.
    past.drawings = vec![after.clone()];
    past.cases[0].others.push(PastOther {
        node: "r".into(),
        elapsed: 20 * MINUTE,
        did: Did::Brought(object(json!({ "n": 1 }))),
    });
    let found = replay(&past, &after, &question());
    assert_eq!(found.compared, 3);
    assert!(says(&found, "r: 2 times the case has no record"));
    drop(before);
}

#[test]
fn timers_fire_on_the_clock_of_the_replay() {
    let boundary = r#"<boundaryEvent id="t" attachedToRef="a"><timerEventDefinition><timeDuration>PT45M</timeDuration></timerEventDefinition></boundaryEvent>"#;
    let (_, past) = queue_of_three();
    let after = drawing(
        &format!("{}{boundary}", user("a", "clerk")),
        "start>a a>end t>end",
    );
    let found = replay(&past, &after, &question());
    // 9:00 to 9:45; then the officer is free: 9:45 to 10:15; then 10:15 to 10:45. Nothing is done.
    assert_eq!(found.changed.minutes, spread(3, 45.0, 45.0, 45.0));
    assert_eq!(node(&found, "a").changed.unwrap().work.count, 0);
    assert_eq!(found.changed.people[0].share, 105.0 / 420.0);
}

#[test]
fn reminders_without_end_do_not_hide_what_never_came() {
    let body = r#"<receiveTask id="r" messageRef="m2"/><boundaryEvent id="t" cancelActivity="false" attachedToRef="r"><timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition></boundaryEvent>"#;
    let (_, past) = queue_of_three();
    let after = drawing(body, "start>r r>end t>end");
    let found = replay(&past, &after, &question());
    let said = &found.unplayed[0];
    assert_eq!(said.reason.en, "r: \"hello\" did not come in the period");
    assert_eq!(said.cases, 3);
}

#[test]
fn who_does_tasks_of_two_roles_is_said() {
    let drawing = drawing(
        &format!("{}{}", user("a", "clerk"), user("b", "judge")),
        "start>a a>b b>end",
    );
    let [t0, t1, t2] = ["24T09:00", "24T09:10", "24T09:20"].map(on);
    let tasks = vec![
        done("a", "li", t0, t1, json!({})),
        done("b", "li", t1, t2, json!({})),
    ];
    let found = replay(
        &past(&drawing, vec![case(0, t0, Some(t2), tasks)]),
        &drawing,
        &question(),
    );
    assert!(says(
        &found,
        "baseline: 1 people did tasks of several roles"
    ));
}

#[test]
fn functions_take_half_of_what_they_took_and_refuse_as_they_refused() {
    let body = r#"<serviceTask id="s" j:function="f"/><boundaryEvent id="e" attachedToRef="s"><errorEventDefinition errorRef="e1"/></boundaryEvent><userTask id="a"/>"#;
    let drawing = drawing(body, "start>s s>end e>a a>end");
    let refused = Did::Failed("E1".into(), serde_json::Map::new());
    let answered = Did::Brought(object(json!({ "x": 1 })));
    let cases = [(answered.clone(), 10), (refused, 20), (answered, 60)];
    let cases = cases.into_iter().enumerate().map(|(n, (did, minutes))| {
        let mut case = case(n, on("24T09:00"), None, vec![]);
        let elapsed = minutes * MINUTE;
        case.others.push(PastOther {
            node: "s".into(),
            elapsed,
            did,
        });
        case
    });
    let past = past(&drawing, cases.collect());
    let found = replay(&past, &drawing, &question());
    assert_eq!(
        found.changed.minutes,
        spread(3, (20.0 + 20.0 + 80.0) / 3.0, 20.0, 80.0)
    );
    assert_eq!(node(&found, "a").changed.unwrap().work.count, 1);
}

#[test]
fn the_same_seed_says_the_same_and_another_one_may_not() {
    let drawing = drawing(&user("a", "clerk"), "start>a a>end");
    let mut cases = vec![];
    for n in 0..20 {
        let begun = on(["24T09:00", "24T09:10", "24T09:30", "24T10:00"][n % 4]);
        let minutes = 5 + (n as i64 % 4) * 7;
        let known = done(
            "a",
            &format!("o{n}"),
            begun,
            Time(begun.0 + minutes * MINUTE),
            json!({}),
        );
        // Half of the cases are still open: how they will end is drawn.
        let tasks = if n < 10 { vec![known] } else { vec![] };
        cases.push(case(n, begun, None, tasks));
    }
    let past = past(&drawing, cases);
    let ask = |seed| {
        let what = Simulation { seed, ..question() };
        replay(&past, &drawing, &what)
    };
    let first = ask(1);
    assert_eq!(first, ask(1));
    assert!(says(&first, "a: 10 times the case has no record"));
    assert!((2..12).any(|seed| ask(seed).baseline != first.baseline));
    // What does not change draws alike.
    assert_eq!(first.baseline, first.changed);
}

#[test]
fn several_tasks_in_hand_share_the_time_of_the_person() {
    let drawing = drawing(&user("a", "clerk"), "start>a a>end");
    // Both taken at nine: the first done at ten, the second at eleven. 30 and 90 minutes of work.
    let tasks =
        ["24T10:00", "24T11:00"].map(|end| done("a", "li", on("24T09:00"), on(end), json!({})));
    let cases = tasks.into_iter().enumerate();
    let cases = cases.map(|(n, task)| case(n, on("24T09:00"), task.ended, vec![task]));
    let found = replay(&past(&drawing, cases.collect()), &drawing, &question());
    let work = node(&found, "a").baseline.unwrap().work;
    assert_eq!(work, spread(2, 60.0, 30.0, 90.0));
}

#[test]
fn a_case_that_was_ruled_by_hand_is_left_out_and_named() {
    let (drawing, mut past) = queue_of_three();
    past.cases[1].by_hand = Some("cancelled".into());
    let found = replay(&past, &drawing, &question());
    assert_eq!((found.arrivals, found.compared), (3, 2));
    let said = found
        .unplayed
        .iter()
        .map(|row| (row.reason.en.as_str(), row.cases));
    let expected = "the case was cancelled by hand, which cannot be replayed";
    assert_eq!(said.collect::<Vec<_>>(), [(expected, 1), (expected, 1)]);
}

#[test]
fn an_expression_that_fails_is_the_reason() {
    let body = format!(r#"{}<exclusiveGateway id="g"/>"#, user("a", "clerk"));
    let after = drawing(&body, "start>a a>g g>end:fails");
    let (_, past) = queue_of_three();
    let found = replay(&past, &after, &question());
    assert_eq!(found.unplayed[0].cases, 3);
    assert!(found.unplayed[0].reason.en.starts_with("g: cannot go on"));
}

#[test]
fn every_name_that_is_not_drawn_is_refused() {
    let (drawing, past) = queue_of_three();
    let mut what = question();
    what.capacity = [("a", 0), ("clerk", 10_001), ("boss", 1)]
        .map(|(k, v)| (k.into(), v))
        .into();
    what.service = [("a", -1.0), ("b", 1.0), ("end", 1.0)]
        .map(|(k, v)| (k.into(), v))
        .into();
    let fault = play(&past, &drawing, &what).unwrap_err();
    let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
    let expected = [
        "/capacity/a",
        "/capacity/boss",
        "/capacity/clerk",
        "/service/a",
        "/service/b",
        "/service/end",
    ];
    assert_eq!(at, expected);
}

#[test]
fn it_stops_when_it_is_told_to() {
    let (drawing, past) = queue_of_three();
    let stop = AtomicBool::new(true);
    let found = simulate(
        &past,
        &drawing,
        &question(),
        &Small,
        &Calendar::new(),
        &stop,
    );
    assert_eq!(found.unwrap_err().code, "input.too_large");
}

#[test]
fn a_circle_that_never_ends_is_given_up() {
    let body = format!(r#"{}<exclusiveGateway id="g"/>"#, user("a", "clerk"));
    let after = drawing(&body, "start>a a>g g>end:ok=1 g>a:ok=0");
    let (_, mut past) = queue_of_three();
    for case in &mut past.cases {
        case.data = object(json!({ "ok": 0 }));
    }
    let mut what = question();
    what.service.insert("a".into(), 0.0);
    let found = replay(&past, &after, &what);
    assert_eq!(
        found.unplayed[0].reason.en,
        "it did not end within 5000 steps"
    );
}

/// A thousand cases of five tasks each take well under two seconds in a release build; here there is
/// room for a debug build on a busy machine.
#[test]
fn a_thousand_cases_are_soon_replayed() {
    let nodes = ["a", "b", "c", "d", "e"];
    let body: String = nodes.iter().map(|node| user(node, node)).collect();
    let drawing = drawing(&body, "start>a a>b b>c c>d d>e e>end");
    let cases = (0..1000).map(|n| {
        let begun = Time(on("24T09:00").0 + n as i64 * MINUTE / 4);
        let task = |node: &&str| {
            done(
                node,
                &format!("{node}{}", n % 40),
                begun,
                Time(begun.0 + 20 * MINUTE),
                json!({ "ok": n }),
            )
        };
        let mut case = case(n, begun, None, nodes.iter().map(task).collect());
        case.data = object(json!({ "office": "housing", "materials": (0..8).collect::<Vec<_>>() }));
        case
    });
    let past = past(&drawing, cases.collect());
    let began = std::time::Instant::now();
    let found = replay(&past, &drawing, &question());
    assert_eq!(found.compared, 1000);
    let took = began.elapsed();
    eprintln!("1,000 cases, 10,000 tasks: {took:?}");
    let limit = if cfg!(debug_assertions) { 30 } else { 2 };
    assert!(took < std::time::Duration::from_secs(limit), "{took:?}");
}

proptest! {
    /// One officer, whatever arrives and however long each takes: the waits are those of Lindley's
    /// recursion W' = max(0, W + S − A), in working time.
    #[test]
    fn waits_follow_lindley(gaps in prop::collection::vec((0i64..3000, 0i64..600), 1..40)) {
        let drawing = drawing(&user("a", "clerk"), "start>a a>end");
        let hours = Hours::new(&Calendar::new(), on("24T09:00"));
        let (mut now, mut cases, mut expected) = (on("24T09:00"), vec![], 0.0);
        let (mut wait, mut last): (i64, Option<(Time, i64)>) = (0, None);
        for (n, (gap, took)) in gaps.iter().enumerate() {
            now = Time(now.0 + gap * MINUTE);
            if let Some((before, service)) = last {
                wait = (wait + service - hours.between(before, now)).max(0);
            }
            last = Some((now, took * MINUTE));
            expected += wait as f64 / MINUTE as f64;
            // Each by an officer of their own, so that nothing is shared; from nine on a day of its
            // own, as long as it takes.
            let begun = hours.next(on("24T09:00")).unwrap();
            let ended = hours.after(begun, took * MINUTE).unwrap();
            let task = done("a", &format!("o{n}"), begun, ended, json!({}));
            cases.push(case(n, now, None, vec![task]));
        }
        let count = cases.len();
        let mut what = question();
        what.capacity.insert("clerk".into(), 1);
        let found = replay(&past(&drawing, cases), &drawing, &what);
        prop_assert_eq!(found.compared, count);
        let mean = found.changed.waiting.mean;
        prop_assert!((mean - expected / count as f64).abs() < 1e-6, "{} {}", mean, expected);
    }
}
