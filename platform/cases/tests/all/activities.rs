//! Activities: 13.3 of the standard.

use crate::stage::{NOW, Play, draw, users};
use cases::machine::{Awaited, Effect, Happened, Place, Standing};
use serde_json::{Map, json};

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

#[test]
fn tasks_wait_for_what_they_are() {
    let body = format!(
        r#"{ENDS}<task id="a"/><userTask id="u"/><manualTask id="m"/><serviceTask id="s" j:function="look_up"/>
        <scriptTask id="c" j:result="sum"><script>n + 1</script></scriptTask>
        <businessRuleTask id="d" j:decision="fee" j:result="fee"/>
        <sendTask id="o" messageRef="m1"/><receiveTask id="r" messageRef="m1"/>"#
    );
    let mut play = Play::begin(
        &body,
        "start>a a>u u>m m>s s>c c>d d>o o>r r>end",
        json!({ "n": 1, "number": "A7" }),
    );
    assert_eq!(play.left(), "start a");
    play.expect("u").come("u").expect("m").come("m").expect("s");
    let service = &play.instance.waits[&play.wait("s")];
    assert_eq!(
        service.what,
        Awaited::Service {
            function: "look_up".into()
        }
    );
    play.come("s").expect("r");
    assert_eq!(play.variable("sum"), json!(2));
    assert_eq!(play.variable("fee"), json!("fee of 3"));
    let sent = play.effects.iter().find_map(|e| match e {
        Effect::Sent { name, key, .. } => Some((name.as_str(), key.clone())),
        _ => None,
    });
    assert_eq!(sent, Some(("paid", json!("A7"))));
    let received = &play.instance.waits[&play.wait("r")];
    assert_eq!(
        received.what,
        Awaited::Message {
            name: "paid".into(),
            key: json!("A7")
        }
    );
    play.come("r").ended(Standing::Completed);
}

#[test]
fn a_wait_is_over_once() {
    let body = format!("{ENDS}{}", users("a b"));
    let mut play = Play::begin(&body, "start>a a>b b>end", json!({}));
    let wait = play.wait("a");
    play.come("a").expect("b");
    let again = Happened::Came {
        wait,
        variables: Map::new(),
    };
    let fault = cases::machine::step(
        &play.model,
        &play.instance,
        again,
        &crate::stage::Small,
        NOW,
    )
    .unwrap_err();
    assert_eq!(fault.code, "input.conflict");
    play.come("b");
    let late = Happened::Came {
        wait,
        variables: Map::new(),
    };
    let fault = cases::machine::step(&play.model, &play.instance, late, &crate::stage::Small, NOW)
        .unwrap_err();
    assert_eq!(fault.code, "input.conflict");
}

#[test]
fn a_script_that_fails_sticks_and_can_be_tried_again() {
    let body = format!(
        r#"{ENDS}<scriptTask id="c" j:result="x"><script>fails</script></scriptTask>{}"#,
        users("a")
    );
    let mut play = Play::begin(&body, "start>c c>a a>end", json!({}));
    let token = play.token("c");
    assert!(
        matches!(&play.instance.tokens[&token].place, Place::Stuck { en, .. } if en.contains("fault"))
    );
    play.happen(Happened::Retry { token });
    assert!(
        matches!(play.instance.tokens[&token].place, Place::Stuck { .. }),
        "it failed again"
    );
}

#[test]
fn a_sub_process_ends_when_all_within_it_ended() {
    let body = format!(
        r#"{ENDS}<subProcess id="s"><startEvent id="s1"/><parallelGateway id="f"/>{}<endEvent id="e1"/><endEvent id="e2"/>{}</subProcess>{}"#,
        users("a b"),
        draw("s1>f f>a f>b a>e1 b>e2"),
        users("c")
    );
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({}));
    play.expect("a b")
        .come("a")
        .expect("b")
        .come("b")
        .expect("c")
        .come("c")
        .ended(Standing::Completed);
}

#[test]
fn terminate_ends_its_scope_only() {
    let body = format!(
        r#"{ENDS}<subProcess id="s"><startEvent id="s1"/><parallelGateway id="f"/>{}
        <endEvent id="e1"><terminateEventDefinition/></endEvent><endEvent id="e2"/>{}</subProcess>{}"#,
        users("a b"),
        draw("s1>f f>a f>b a>e1 b>e2"),
        users("c")
    );
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({}));
    play.expect("a b")
        .come("a")
        .expect("c")
        .come("c")
        .ended(Standing::Completed);
}

#[test]
fn a_call_waits_for_the_other_process() {
    let body = format!(
        r#"{ENDS}<callActivity id="k" calledElement="other"/>{}"#,
        users("a")
    );
    let mut play = Play::begin(&body, "start>k k>a a>end", json!({}));
    assert_eq!(
        play.instance.waits[&play.wait("k")].what,
        Awaited::Call {
            process: "other".into()
        }
    );
    play.bring("k", json!({ "answer": 42 })).expect("a");
    assert_eq!(play.variable("answer"), json!(42));
}

#[test]
fn parallel_instances_all_begin_and_gather_results() {
    let body = format!(
        r#"{ENDS}<userTask id="ask"><multiInstanceLoopCharacteristics j:collection="offices" j:item="office" j:result="opinion" j:results="opinions"/></userTask>{}"#,
        users("a")
    );
    let mut play = Play::begin(
        &body,
        "start>ask ask>a a>end",
        json!({ "offices": ["x", "y", "z"] }),
    );
    play.expect("ask ask ask");
    let waits: Vec<u64> = play.instance.waits.keys().copied().collect();
    let seen: Vec<_> = waits
        .iter()
        .map(|w| play.instance.variables(play.instance.waits[w].scope)["office"].clone())
        .collect();
    assert_eq!(seen, [json!("x"), json!("y"), json!("z")]);
    // Finished in another order, gathered in theirs; what one says does not touch the others.
    for (wait, opinion) in [(waits[2], "no"), (waits[0], "yes"), (waits[1], "yes")] {
        let variables = Map::from_iter([("opinion".to_string(), json!(opinion))]);
        play.happen(Happened::Came { wait, variables });
    }
    play.expect("a");
    assert_eq!(play.variable("opinions"), json!(["yes", "yes", "no"]));
    assert_eq!(play.variable("opinion"), json!(null));
}

#[test]
fn enough_opinions_end_the_rest() {
    let body = format!(
        r#"{ENDS}<userTask id="ask"><multiInstanceLoopCharacteristics><loopCardinality>5</loopCardinality>
        <completionCondition>numberOfCompletedInstances >= 2</completionCondition></multiInstanceLoopCharacteristics></userTask>{}"#,
        users("a")
    );
    let mut play = Play::begin(&body, "start>ask ask>a a>end", json!({}));
    play.expect("ask ask ask ask ask")
        .come("ask")
        .expect("ask ask ask ask")
        .come("ask")
        .expect("a")
        .come("a");
    play.ended(Standing::Completed);
}

#[test]
fn sequential_instances_come_one_after_the_other() {
    let body = format!(
        r#"{ENDS}<subProcess id="s"><multiInstanceLoopCharacteristics isSequential="true" j:collection="list" j:item="x" j:result="x" j:results="all"/>
        <startEvent id="s1"/>{}<endEvent id="e1"/>{}</subProcess>{}"#,
        users("a b"),
        draw("s1>a a>b b>e1"),
        users("c")
    );
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({ "list": [1, 2] }));
    play.expect("a")
        .come("a")
        .expect("b")
        .come("b")
        .expect("a")
        .come("a")
        .come("b")
        .expect("c");
    assert_eq!(play.variable("all"), json!([1, 2]));
    play.come("c").ended(Standing::Completed);
}

#[test]
fn nothing_to_repeat_is_done_at_once() {
    for items in [json!([]), json!(0)] {
        let looped = if items.is_array() {
            r#"j:collection="n""#
        } else {
            ""
        };
        let number = if items.is_array() {
            ""
        } else {
            "<loopCardinality>n</loopCardinality>"
        };
        let body = format!(
            r#"{ENDS}<userTask id="ask"><multiInstanceLoopCharacteristics {looped}>{number}</multiInstanceLoopCharacteristics></userTask>{}"#,
            users("a")
        );
        Play::begin(&body, "start>ask ask>a a>end", json!({ "n": items })).expect("a");
    }
}

#[test]
fn a_wrong_collection_sticks() {
    let body = format!(
        r#"{ENDS}<userTask id="ask"><multiInstanceLoopCharacteristics j:collection="n"/></userTask>"#
    );
    let mut play = Play::begin(&body, "start>ask ask>end", json!({ "n": "none" }));
    let token = play.token("ask");
    assert!(matches!(
        play.instance.tokens[&token].place,
        Place::Stuck { .. }
    ));
    play.set(json!({ "n": [1] }))
        .happen(Happened::Retry { token })
        .expect("ask")
        .come("ask")
        .ended(Standing::Completed);
}

#[test]
fn a_standard_loop_goes_on_while_its_condition_holds() {
    let body = |before: &str, most: &str| {
        format!(
            r#"{ENDS}<userTask id="t"><standardLoopCharacteristics testBefore="{before}" {most}><loopCondition>n &lt; 3</loopCondition></standardLoopCharacteristics></userTask>{}"#,
            users("a")
        )
    };
    let flows = "start>t t>a a>end";
    let mut play = Play::begin(&body("false", ""), flows, json!({ "n": 9 }));
    play.expect("t").come("t").expect("a");
    Play::begin(&body("true", ""), flows, json!({ "n": 9 })).expect("a");
    let mut play = Play::begin(&body("true", ""), flows, json!({ "n": 1 }));
    play.expect("t")
        .bring("t", json!({ "n": 2 }))
        .expect("t")
        .bring("t", json!({ "n": 3 }))
        .expect("a");
    let mut play = Play::begin(
        &body("false", r#"loopMaximum="2""#),
        flows,
        json!({ "n": 0 }),
    );
    play.come("t").expect("t").come("t").expect("a");
}

#[test]
fn compensation_undoes_in_reverse_with_the_variables_of_then() {
    let done = |name: &str| {
        format!(
            r#"<userTask id="{name}"/><boundaryEvent id="b{name}" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent>
            <userTask id="undo_{name}" isForCompensation="true"/><association id="as{name}" sourceRef="b{name}" targetRef="undo_{name}"/>"#
        )
    };
    let body = format!(
        r#"{ENDS}{}{}<intermediateThrowEvent id="c"><compensateEventDefinition/></intermediateThrowEvent>{}"#,
        done("pay"),
        done("book"),
        users("a")
    );
    let mut play = Play::begin(&body, "start>pay pay>book book>c c>a a>end", json!({}));
    play.bring("pay", json!({ "sum": 5 }))
        .bring("book", json!({ "sum": 7 }))
        .expect("undo_book");
    play.come("undo_book").expect("undo_pay");
    let scope = play.instance.waits[&play.wait("undo_pay")].scope;
    assert_eq!(play.instance.variables(scope)["sum"], json!(5));
    play.come("undo_pay")
        .expect("a")
        .come("a")
        .ended(Standing::Completed);
}

#[test]
fn what_was_done_within_a_sub_process_is_undone_too_and_only_once() {
    let body = format!(
        r#"<startEvent id="start"/><subProcess id="s"><startEvent id="s1"/><userTask id="pay"/><endEvent id="e1"/>
        <boundaryEvent id="bp" attachedToRef="pay"><compensateEventDefinition/></boundaryEvent>
        <userTask id="undo" isForCompensation="true"/><association id="as" sourceRef="bp" targetRef="undo"/>{}</subProcess>
        <intermediateThrowEvent id="c"><compensateEventDefinition/></intermediateThrowEvent>
        <endEvent id="again"><compensateEventDefinition/></endEvent>{}"#,
        draw("s1>pay pay>e1"),
        users("a")
    );
    let mut play = Play::begin(&body, "start>s s>c c>a a>again", json!({}));
    play.come("pay")
        .expect("undo")
        .come("undo")
        .expect("a")
        .come("a")
        .ended(Standing::Completed);
}

/// A sub-process P with X (which `ux` undoes), Y that fails, and an event sub-process that catches
/// the error, throws compensation and goes on to Z.
fn undoing_in_an_event_sub_process(activity: &str) -> String {
    let handler = |inner: &str| {
        format!(
            r#"<subProcess id="h" triggeredByEvent="true"><startEvent id="hs"><errorEventDefinition errorRef="e1"/></startEvent><intermediateThrowEvent id="c"><compensateEventDefinition{inner}/></intermediateThrowEvent><userTask id="z"/><endEvent id="he"/>{}</subProcess>"#,
            draw("hs>c c>z z>he")
        )
    };
    let undone = |name: &str| {
        format!(
            r#"<userTask id="{name}"/><boundaryEvent id="b{name}" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent><userTask id="u{name}" isForCompensation="true"/><association id="a{name}" sourceRef="b{name}" targetRef="u{name}"/>"#
        )
    };
    format!(
        r#"{ENDS}{}<subProcess id="p"><startEvent id="ps"/>{}{}<userTask id="y"/><endEvent id="bad"><errorEventDefinition errorRef="e1"/></endEvent>{}{}</subProcess>"#,
        undone("o"),
        undone("x"),
        undone("w"),
        draw("ps>x x>w w>y y>bad"),
        handler(activity)
    )
}

#[test]
fn compensation_in_an_event_sub_process_undoes_what_surrounds_it() {
    let flows = "start>o o>p p>end";
    let mut play = Play::begin(&undoing_in_an_event_sub_process(""), flows, json!({}));
    play.come("o").come("x").come("w").come("y");
    // In the reverse order; what was done outside the sub-process is not seen.
    play.expect("uw").come("uw").expect("ux").come("ux");
    play.expect("z").come("z").ended(Standing::Completed);
    let one = undoing_in_an_event_sub_process(r#" activityRef="x""#);
    let mut play = Play::begin(&one, flows, json!({}));
    play.come("o").come("x").come("w").come("y");
    play.expect("ux").come("ux").expect("z");
    play.come("z").ended(Standing::Completed);
    // What has not been done is not undone.
    let mut play = Play::begin(&one, flows, json!({}));
    play.come("o").fail("x", "E1").expect("z");
}

#[test]
fn an_activity_the_throw_does_not_see_is_refused() {
    for (activity, seen) in [
        ("x", true),
        ("w", true),
        ("o", false),
        ("p", false),
        ("ps", false),
    ] {
        let body = undoing_in_an_event_sub_process(&format!(r#" activityRef="{activity}""#));
        let xml = crate::stage::file(&body, "start>o o>p p>end");
        let faults = cases::bpmn::read("f", &xml).err().unwrap_or_default();
        let said: Vec<&str> = faults.iter().map(|f| f.words.en.as_str()).collect();
        assert_eq!(said.is_empty(), seen, "{activity}: {said:?}");
        assert!(seen || said[0].contains("c: activityRef names an activity that is not seen"));
        assert!(cases::bpmn::read_stored("f", &xml).is_ok());
    }
}

/// A turn that is taken back is undone once, as it was done the last time.
#[test]
fn a_turn_done_again_is_undone_once() {
    let body = format!(
        r#"{ENDS}<userTask id="m"><multiInstanceLoopCharacteristics j:collection="people" j:item="who"/></userTask>
        <boundaryEvent id="bm" attachedToRef="m"><compensateEventDefinition/></boundaryEvent>
        <userTask id="undo" isForCompensation="true"/><association id="as" sourceRef="bm" targetRef="undo"/>
        <intermediateThrowEvent id="c"><compensateEventDefinition/></intermediateThrowEvent>{}"#,
        users("last")
    );
    let people = json!({ "people": ["a", "b"] });
    let mut play = Play::begin(&body, "start>m m>c c>last last>end", people);
    play.bring("m", json!({ "said": "no" })).expect("m");
    let mut scopes = play.instance.scopes.iter();
    let (count, _) = scopes.find(|(_, scope)| scope.repeats.is_some()).unwrap();
    let again = Happened::TakeBackTurn {
        count: *count,
        number: 0,
    };
    play.happen(again).expect("m m");
    play.bring("m", json!({ "said": "yes" }));
    play.bring("m", json!({ "said": "yes" }));
    for _ in 0..2 {
        play.expect("undo");
        let scope = play.instance.waits[&play.wait("undo")].scope;
        assert_eq!(play.instance.variables(scope)["said"], "yes");
        play.come("undo");
    }
    play.expect("last").come("last").ended(Standing::Completed);
}
