//! Gateways: 13.4 of the standard.

use crate::stage::{Play, users};
use cases::machine::{Effect, Place, Standing};
use serde_json::json;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

#[test]
fn exclusive_takes_the_first_that_holds_else_the_default() {
    let body = format!(
        r#"{ENDS}<exclusiveGateway id="g" default="g-c"/>{}"#,
        users("a b c")
    );
    let flows = "start>g g>a:n_>_5 g>b:n_>_3 g>c a>end b>end c>end";
    for (n, expect) in [(9, "a"), (4, "b"), (1, "c")] {
        Play::begin(&body, flows, json!({ "n": n }))
            .expect(expect)
            .come(expect)
            .ended(Standing::Completed);
    }
}

#[test]
fn exclusive_passes_every_token_that_comes() {
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><exclusiveGateway id="m"/>{}"#,
        users("a b c")
    );
    let mut play = Play::begin(&body, "start>f f>a f>b a>m b>m m>c c>end", json!({}));
    play.expect("a b")
        .come("a")
        .expect("b c")
        .come("b")
        .expect("c c")
        .come("c")
        .expect("c")
        .come("c");
    play.ended(Standing::Completed);
}

#[test]
fn without_a_way_out_the_token_sticks_and_goes_on_when_tried_again() {
    let body = format!(r#"{ENDS}<exclusiveGateway id="g"/>{}"#, users("a b"));
    let mut play = Play::begin(
        &body,
        "start>g g>a:n_>_5 g>b:n_<_3 a>end b>end",
        json!({ "n": 4 }),
    );
    play.expect("");
    let token = play.token("g");
    assert!(matches!(
        play.instance.tokens[&token].place,
        Place::Stuck { .. }
    ));
    assert!(play.effects.contains(&Effect::Stuck { token }));
    play.set(json!({ "n": 6 }))
        .happen(cases::machine::Happened::Retry { token })
        .expect("a");
}

#[test]
fn parallel_goes_all_ways_and_waits_for_all() {
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><parallelGateway id="j"/>{}"#,
        users("a b c d")
    );
    let mut play = Play::begin(
        &body,
        "start>f f>a f>b f>c a>j b>j c>j j>d d>end",
        json!({}),
    );
    play.expect("a b c")
        .come("b")
        .expect("a c")
        .come("a")
        .expect("c")
        .come("c")
        .expect("d")
        .come("d");
    play.ended(Standing::Completed);
}

#[test]
fn parallel_joins_one_of_each_flow_and_keeps_the_rest() {
    // Two tokens come by the same flow: the second waits for a second of the other.
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><exclusiveGateway id="m"/><parallelGateway id="j"/>{}"#,
        users("a b c d")
    );
    let mut play = Play::begin(
        &body,
        "start>f f>a f>b f>c a>m b>m m>j c>j j>d d>end",
        json!({}),
    );
    play.expect("a b c")
        .come("a")
        .come("b")
        .expect("c")
        .come("c")
        .expect("d")
        .come("d");
    assert_eq!(
        play.instance.state,
        Standing::Running,
        "one token still waits at the join"
    );
    assert_eq!(play.instance.tokens.len(), 1);
}

#[test]
fn inclusive_takes_every_way_that_holds_and_waits_for_these_only() {
    let body = format!(
        r#"{ENDS}<inclusiveGateway id="f" default="f-c"/><inclusiveGateway id="j"/>{}"#,
        users("a b c d")
    );
    let flows = "start>f f>a:n_>_1 f>b:n_>_5 f>c a>j b>j c>j j>d d>end";
    Play::begin(&body, flows, json!({ "n": 9 }))
        .expect("a b")
        .come("b")
        .expect("a")
        .come("a")
        .expect("d");
    Play::begin(&body, flows, json!({ "n": 3 }))
        .expect("a")
        .come("a")
        .expect("d")
        .come("d")
        .ended(Standing::Completed);
    Play::begin(&body, flows, json!({ "n": 0 }))
        .expect("c")
        .come("c")
        .expect("d");
}

#[test]
fn inclusive_waits_for_a_token_that_is_still_far() {
    // b is two steps from the join; until it chose the end, the join waits.
    let body = format!(
        r#"{ENDS}<endEvent id="away"/><parallelGateway id="f"/><exclusiveGateway id="x" default="x-c"/><inclusiveGateway id="j"/>{}"#,
        users("a b c d")
    );
    let flows = "start>f f>a f>b a>j b>x x>away:n_>_5 x>c c>j j>d d>end";
    let mut play = Play::begin(&body, flows, json!({ "n": 9 }));
    play.expect("a b")
        .come("a")
        .expect("b")
        .come("b")
        .expect("d")
        .come("d");
    play.ended(Standing::Completed);
    let mut play = Play::begin(&body, flows, json!({ "n": 1 }));
    play.come("a")
        .come("b")
        .expect("c")
        .come("c")
        .expect("d")
        .come("d")
        .ended(Standing::Completed);
}

#[test]
fn inclusive_in_a_circle_does_not_wait_for_itself() {
    let body = format!(
        r#"{ENDS}<inclusiveGateway id="j"/><exclusiveGateway id="x" default="x-end"/>{}"#,
        users("a")
    );
    let mut play = Play::begin(
        &body,
        "start>j j>a a>x x>j:again_=_1 x>end",
        json!({ "again": 1 }),
    );
    play.expect("a")
        .come("a")
        .expect("a")
        .bring("a", json!({ "again": 0 }));
    play.ended(Standing::Completed);
}

#[test]
fn the_first_event_behind_an_event_based_gateway_wins() {
    let body = format!(
        r#"{ENDS}<eventBasedGateway id="g"/>
        <intermediateCatchEvent id="t"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
        <intermediateCatchEvent id="m"><messageEventDefinition messageRef="m1"/></intermediateCatchEvent>
        <receiveTask id="r" messageRef="m2"/>{}"#,
        users("late paid hello")
    );
    let flows = "start>g g>t g>m g>r t>late m>paid r>hello late>end paid>end hello>end";
    for (event, expect) in [("t", "late"), ("m", "paid"), ("r", "hello")] {
        let mut play = Play::begin(&body, flows, json!({ "number": "A1" }));
        play.expect("m r t")
            .come(event)
            .expect(expect)
            .come(expect)
            .ended(Standing::Completed);
    }
}

#[test]
fn ways_out_of_an_activity_may_have_conditions() {
    let body = format!(
        r#"{ENDS}<userTask id="t" default="t-c"/>{}"#,
        users("a b c")
    );
    let flows = "start>t t>a:n_>_1 t>b:n_>_5 t>c a>end b>end c>end";
    Play::begin(&body, flows, json!({ "n": 9 }))
        .expect("t")
        .come("t")
        .expect("a b");
    Play::begin(&body, flows, json!({ "n": 0 }))
        .come("t")
        .expect("c");
}

#[test]
fn a_circle_without_a_wait_is_stopped() {
    let body =
        format!(r#"{ENDS}<exclusiveGateway id="g"/><exclusiveGateway id="h" default="h-g"/>"#);
    let xml = crate::stage::file(&body, "start>g g>h h>g h>end:false");
    let model = cases::bpmn::read("bomb", &xml).unwrap();
    let fault = cases::machine::begin(
        &model,
        "p",
        None,
        Default::default(),
        &crate::stage::Small,
        crate::stage::NOW,
    )
    .unwrap_err();
    assert_eq!(fault.code, "input.invalid");
    assert!(fault.problems[0].words.en.contains("circle"), "{fault}");
}
