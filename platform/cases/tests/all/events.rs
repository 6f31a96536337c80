//! Events: 10.5 and 13.5 of the standard.

use crate::stage::{NOW, Play, draw, users};
use cases::machine::{Awaited, Effect, Happened, Standing};
use kernel::Span;
use serde_json::{Map, Value, json};

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

fn catch(id: &str, what: &str) -> String {
    format!(r#"<intermediateCatchEvent id="{id}">{what}</intermediateCatchEvent>"#)
}

fn boundary(id: &str, host: &str, interrupting: bool, what: &str) -> String {
    format!(
        r#"<boundaryEvent id="{id}" attachedToRef="{host}" cancelActivity="{interrupting}">{what}</boundaryEvent>"#
    )
}

const TIMER: &str =
    "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>";
const MESSAGE: &str = r#"<messageEventDefinition messageRef="m1"/>"#;
const SIGNAL: &str = r#"<signalEventDefinition signalRef="s1"/>"#;
const CONDITION: &str =
    "<conditionalEventDefinition><condition>level > 5</condition></conditionalEventDefinition>";

fn due(play: &Play, node: &str) -> (i64, Option<i64>, Option<u32>) {
    match &play.instance.waits[&play.wait(node)].what {
        Awaited::Timer {
            due,
            every_us,
            left,
            ..
        } => ((due.0 - NOW.0) / 1_000_000, *every_us, *left),
        other => panic!("{other:?}"),
    }
}

#[test]
fn catching_events_wait() {
    let body = format!(
        "{ENDS}{}{}{}{}",
        catch("t", TIMER),
        catch("m", MESSAGE),
        catch("s", SIGNAL),
        catch("c", CONDITION)
    );
    let mut play = Play::begin(&body, "start>t t>m m>s s>c c>end", json!({ "number": 7 }));
    play.expect("t");
    assert_eq!(due(&play, "t"), (3600, None, None));
    play.come("t").expect("m").come("m").expect("s");
    play.happen(Happened::Signal {
        name: "calm".into(),
        variables: Map::new(),
    })
    .expect("s");
    play.happen(Happened::Signal {
        name: "storm".into(),
        variables: Map::new(),
    })
    .expect("c");
    play.set(json!({ "level": 3 }))
        .expect("c")
        .set(json!({ "level": 6 }))
        .ended(Standing::Completed);
}

#[test]
fn a_condition_that_holds_already_does_not_wait() {
    let body = format!("{ENDS}{}", catch("c", CONDITION));
    Play::begin(&body, "start>c c>end", json!({ "level": 9 })).ended(Standing::Completed);
}

#[test]
fn timers_read_dates_durations_and_expressions() {
    let timer = |what: &str| {
        format!(
            "{ENDS}{}",
            catch(
                "t",
                &format!("<timerEventDefinition>{what}</timerEventDefinition>")
            )
        )
    };
    let begin = |what: &str| Play::begin(&timer(what), "start>t t>end", json!({ "when": "P2D" }));
    assert_eq!(
        due(&begin("<timeDuration>when</timeDuration>"), "t").0,
        2 * 86_400
    );
    let at = (NOW + Span::hours(5)).rfc3339();
    assert_eq!(
        due(&begin(&format!("<timeDate>{at}</timeDate>")), "t").0,
        5 * 3_600
    );
    let play = begin("<timeDuration>nothing</timeDuration>");
    assert!(
        play.effects
            .iter()
            .any(|e| matches!(e, Effect::Stuck { .. }))
    );
}

#[test]
fn boundary_events_interrupt_or_not() {
    let flows = "start>a a>end b>x x>end";
    for what in [TIMER, MESSAGE, SIGNAL, CONDITION] {
        for interrupting in [true, false] {
            let body = format!(
                "{ENDS}{}{}",
                users("a x"),
                boundary("b", "a", interrupting, what)
            );
            let mut play = Play::begin(&body, flows, json!({ "number": 1 }));
            play.expect("a b");
            match what {
                SIGNAL => play.happen(Happened::Signal {
                    name: "storm".into(),
                    variables: Map::new(),
                }),
                CONDITION => play.set(json!({ "level": 9 })),
                _ => play.come("b"),
            };
            match (interrupting, what) {
                (true, _) => play.expect("x"),
                (false, TIMER) => play.expect("a x"),
                // May come again.
                (false, _) => play.expect("a b x"),
            };
            play.come("x");
            if !interrupting {
                play.come("a");
            }
            play.ended(Standing::Completed);
        }
    }
}

#[test]
fn an_activity_that_is_done_waits_for_its_boundary_no_more() {
    let body = format!("{ENDS}{}{}", users("a x"), boundary("b", "a", true, TIMER));
    Play::begin(&body, "start>a a>end b>x x>end", json!({}))
        .come("a")
        .ended(Standing::Completed);
}

#[test]
fn a_cycle_fires_so_many_times() {
    let cycle = "<timerEventDefinition><timeCycle>R3/PT10M</timeCycle></timerEventDefinition>";
    let body = format!("{ENDS}{}{}", users("a x"), boundary("b", "a", false, cycle));
    let mut play = Play::begin(&body, "start>a a>end b>x x>end", json!({}));
    assert_eq!(due(&play, "b"), (600, Some(600_000_000), Some(2)));
    play.come("b")
        .expect("a b x")
        .come("b")
        .expect("a b x x")
        .come("b")
        .expect("a x x x");
}

#[test]
fn a_timer_that_an_older_program_kept_goes_on() {
    let old = json!({ "timer": { "due": NOW, "every_us": 600_000_000, "left": 1 } });
    let read: Awaited = serde_json::from_value(old.clone()).unwrap();
    let new = Awaited::Timer {
        due: NOW,
        every_us: Some(600_000_000),
        left: Some(1),
        anchored: false,
        days: None,
    };
    assert_eq!(read, new);
    assert_eq!(serde_json::to_value(new).unwrap(), old);
}

#[test]
fn an_interrupting_event_ends_everything_within() {
    let body = format!(
        r#"{ENDS}<subProcess id="s"><startEvent id="s1"/><parallelGateway id="f"/>{}<endEvent id="e1"/>{}</subProcess>{}{}"#,
        users("a b"),
        draw("s1>f f>a f>b a>e1 b>e1"),
        boundary("t", "s", true, TIMER),
        users("x")
    );
    let mut play = Play::begin(&body, "start>s s>end t>x x>end", json!({}));
    play.expect("a b t")
        .come("a")
        .expect("b t")
        .come("t")
        .expect("x")
        .come("x")
        .ended(Standing::Completed);
}

#[test]
fn errors_go_outwards_to_the_nearest_that_catches() {
    let body = |inner: &str, outer: &str| {
        format!(
            r#"{ENDS}<subProcess id="s"><startEvent id="s1"/><userTask id="a"/><endEvent id="bad"><errorEventDefinition errorRef="e1"/></endEvent>{}{}</subProcess>{}{}"#,
            inner,
            draw("s1>a a>bad"),
            outer,
            users("x y")
        )
    };
    let own = r#"<boundaryEvent id="b1" attachedToRef="s"><errorEventDefinition errorRef="e1"/></boundaryEvent>"#;
    let any = r#"<boundaryEvent id="b2" attachedToRef="s"><errorEventDefinition/></boundaryEvent>"#;
    let other = r#"<boundaryEvent id="b1" attachedToRef="s"><errorEventDefinition errorRef="e2"/></boundaryEvent>"#;
    // The one that names the error comes before the one that catches all.
    let mut play = Play::begin(
        &body("", &format!("{any}{own}")),
        "start>s s>end b1>x b2>y x>end y>end",
        json!({}),
    );
    play.come("a").expect("x");
    let mut play = Play::begin(
        &body("", &format!("{other}{any}")),
        "start>s s>end b1>x b2>y x>end y>end",
        json!({}),
    );
    play.come("a").expect("y");
    // A function that fails at a task, with nobody to catch it.
    let mut play = Play::begin(&format!("{ENDS}{}", users("a")), "start>a a>end", json!({}));
    play.fail("a", "E9")
        .ended(Standing::Failed { code: "E9".into() });
}

#[test]
fn an_error_at_a_task_is_caught_at_its_edge() {
    let edge = r#"<boundaryEvent id="b" attachedToRef="a"><errorEventDefinition errorRef="e1"/></boundaryEvent>"#;
    let body = format!("{ENDS}{}{edge}", users("a x"));
    let mut play = Play::begin(&body, "start>a a>end b>x x>end", json!({}));
    play.fail("a", "E1")
        .expect("x")
        .come("x")
        .ended(Standing::Completed);
    Play::begin(&body, "start>a a>end b>x x>end", json!({}))
        .fail("a", "E2")
        .ended(Standing::Failed { code: "E2".into() });
}

#[test]
fn an_escalation_may_leave_its_thrower_running() {
    let body = |interrupting: bool| {
        format!(
            r#"{ENDS}<subProcess id="s"><startEvent id="s1"/><intermediateThrowEvent id="up"><escalationEventDefinition escalationRef="x1"/></intermediateThrowEvent>{}<endEvent id="e1"/>{}</subProcess>{}{}"#,
            users("a"),
            draw("s1>up up>a a>e1"),
            boundary(
                "b",
                "s",
                interrupting,
                r#"<escalationEventDefinition escalationRef="x1"/>"#
            ),
            users("x")
        )
    };
    let flows = "start>s s>end b>x x>end";
    Play::begin(&body(false), flows, json!({}))
        .expect("a x")
        .come("a")
        .come("x")
        .ended(Standing::Completed);
    Play::begin(&body(true), flows, json!({}))
        .expect("x")
        .come("x")
        .ended(Standing::Completed);
    // Nobody catches it: those outside are told and it goes on.
    let alone = format!(
        r#"{ENDS}<intermediateThrowEvent id="up"><escalationEventDefinition escalationRef="x1"/></intermediateThrowEvent>{}"#,
        users("a")
    );
    let mut play = Play::begin(&alone, "start>up up>a a>end", json!({}));
    play.expect("a");
    assert!(
        play.effects
            .contains(&Effect::Escalated { code: "X1".into() })
    );
}

fn by_event(interrupting: bool, what: &str) -> String {
    format!(
        r#"<subProcess id="ev" triggeredByEvent="true"><startEvent id="es" isInterrupting="{interrupting}">{what}</startEvent>{}<endEvent id="ee"/>{}</subProcess>"#,
        users("x"),
        draw("es>x x>ee")
    )
}

#[test]
fn event_sub_processes_interrupt_or_stand_beside() {
    for what in [TIMER, MESSAGE, SIGNAL, CONDITION] {
        let begin = |interrupting: bool| {
            let body = format!("{ENDS}{}{}", users("a"), by_event(interrupting, what));
            Play::begin(&body, "start>a a>end", json!({ "number": 1 }))
        };
        let trigger = |play: &mut Play| {
            match what {
                SIGNAL => play.happen(Happened::Signal {
                    name: "storm".into(),
                    variables: Map::new(),
                }),
                CONDITION => play.set(json!({ "level": 9 })),
                _ => play.come("es"),
            };
        };
        let mut play = begin(true);
        play.expect("a es");
        trigger(&mut play);
        play.expect("x").come("x").ended(Standing::Completed);
        let mut play = begin(false);
        trigger(&mut play);
        play.expect(if what == TIMER { "a x" } else { "a es x" });
        // The process is done only when what stands beside it is.
        play.come("a").come("x").ended(Standing::Completed);
        begin(true).come("a").ended(Standing::Completed);
    }
}

#[test]
fn a_conditional_start_begins_again_only_after_the_condition_ceased_to_hold() {
    let body = format!("{ENDS}{}{}", users("a"), by_event(false, CONDITION));
    let mut play = Play::begin(&body, "start>a a>end", json!({ "level": 1 }));
    for (level, waits) in [
        (3, "a es"),
        (6, "a es x"),
        // It holds still: it has not become true.
        (8, "a es x"),
        (5, "a es x"),
        (9, "a es x x"),
    ] {
        play.set(json!({ "level": level })).expect(waits);
    }
    // Also when what a step brings makes it true, and in a sub-process.
    let inner = format!(
        r#"<subProcess id="s"><startEvent id="s0"/><endEvent id="s2"/>{}{}{}</subProcess>"#,
        users("a b"),
        by_event(true, CONDITION),
        draw("s0>a a>b b>s2")
    );
    let mut play = Play::begin(
        &format!("{ENDS}{inner}{}", users("c")),
        "start>s s>c c>end",
        json!({}),
    );
    play.bring("a", json!({ "level": 7 })).expect("x");
    play.come("x")
        .expect("c")
        .come("c")
        .ended(Standing::Completed);
    // Before the sub-process nothing is begun by it, after it neither.
    let mut play = Play::begin(
        &format!("{ENDS}{inner}{}", users("c")),
        "start>s s>c c>end",
        json!({}),
    );
    play.come("a")
        .come("b")
        .set(json!({ "level": 7 }))
        .expect("c");
}

#[test]
fn an_event_sub_process_catches_errors_of_its_scope() {
    let what = r#"<errorEventDefinition errorRef="e1"/>"#;
    let body = format!("{ENDS}{}{}", users("a"), by_event(true, what));
    let mut play = Play::begin(&body, "start>a a>end", json!({}));
    play.expect("a")
        .fail("a", "E1")
        .expect("x")
        .come("x")
        .ended(Standing::Completed);
}

#[test]
fn an_error_within_an_event_sub_process_is_not_its_own() {
    let body = format!(
        r#"{ENDS}{}<subProcess id="ev" triggeredByEvent="true"><startEvent id="es"><errorEventDefinition/></startEvent>{}<endEvent id="ee"/>{}</subProcess>"#,
        users("a"),
        users("x"),
        draw("es>x x>ee")
    );
    let mut play = Play::begin(&body, "start>a a>end", json!({}));
    play.fail("a", "E1")
        .expect("x")
        .fail("x", "E1")
        .ended(Standing::Failed { code: "E1".into() });
}

#[test]
fn thrown_messages_and_signals_go_out() {
    let body = format!(
        r#"{ENDS}<intermediateThrowEvent id="m"><messageEventDefinition messageRef="m1"/></intermediateThrowEvent>
        <intermediateThrowEvent id="n"/><endEvent id="s"><signalEventDefinition signalRef="s1"/></endEvent>"#
    );
    let play = Play::begin(
        &body.replace(r#"<endEvent id="end"/>"#, ""),
        "start>m m>n n>s",
        json!({ "number": 3 }),
    );
    let out: Vec<Value> = play
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Sent { name, key, .. } => Some(json!([name, key])),
            Effect::Signalled { name, .. } => Some(json!([name])),
            _ => None,
        })
        .collect();
    assert_eq!(out, [json!(["paid", 3]), json!(["storm"])]);
    play.ended(Standing::Completed);
}

#[test]
fn cancelling_leaves_nothing_behind() {
    let body = format!(
        "{ENDS}{}{}{}",
        users("a"),
        boundary("b", "a", true, TIMER),
        by_event(false, SIGNAL)
    );
    let mut play = Play::begin(&body, "start>a a>end b>end", json!({}));
    play.expect("a b es")
        .happen(Happened::Cancel)
        .ended(Standing::Cancelled);
    assert_eq!(play.effects.last(), Some(&Effect::Ended));
}
