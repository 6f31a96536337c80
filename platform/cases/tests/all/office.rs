//! The verbs of Chinese offices as far as they move tokens: sent back (驳回, 退回), withdrawn
//! (撤回), led on. Who may do so and what is written down is the engine's.

use crate::stage::{NOW, Play, Small, draw, users};
use cases::machine::{Effect, Happened, Standing, step};
use serde_json::json;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

#[test]
fn sent_back_to_any_node_of_the_scope() {
    let body = format!("{ENDS}{}", users("apply check approve"));
    let mut play = Play::begin(
        &body,
        "start>apply apply>check check>approve approve>end",
        json!({}),
    );
    play.come("apply").come("check").expect("approve");
    let (token, to) = (play.token("approve"), play.node("apply"));
    play.happen(Happened::Move { token, to }).expect("apply");
    play.come("apply")
        .come("check")
        .come("approve")
        .ended(Standing::Completed);
}

#[test]
fn sending_back_ends_what_was_within_and_all_turns() {
    let body = format!(
        r#"{ENDS}{}<subProcess id="s"><multiInstanceLoopCharacteristics j:collection="list" j:item="x"/>
        <startEvent id="s1"/>{}<endEvent id="e1"/>{}</subProcess>"#,
        users("apply"),
        users("a"),
        draw("s1>a a>e1")
    );
    let mut play = Play::begin(
        &body,
        "start>apply apply>s s>end",
        json!({ "list": [1, 2, 3] }),
    );
    play.come("apply").expect("a a a");
    // By the token of the whole.
    let token = *play
        .instance
        .tokens
        .iter()
        .find(|(_, t)| t.scope == 1)
        .unwrap()
        .0;
    let to = play.node("apply");
    play.happen(Happened::Move { token, to }).expect("apply");
    assert_eq!(play.instance.scopes.len(), 1);
    // By the token of one turn.
    play.come("apply").expect("a a a");
    let turn = *play
        .instance
        .tokens
        .iter()
        .find(|(_, t)| t.node == play.node("s") && t.scope != 1)
        .unwrap()
        .0;
    play.happen(Happened::Move { token: turn, to })
        .expect("apply");
    assert_eq!(play.instance.tokens.len(), 1);
}

/// Takes the token at `from` back to `to`.
fn back(play: &mut Play, from: &str, to: &str) {
    let (token, to) = (play.token(from), play.node(to));
    play.happen(Happened::Move { token, to });
}

/// apply → b1 → b2 and c side by side → join → approve.
fn side_by_side() -> Play {
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><parallelGateway id="j"/>{}"#,
        users("apply b1 b2 c approve")
    );
    let flows = "start>apply apply>f f>b1 b1>b2 b2>j f>c c>j j>approve approve>end";
    Play::begin(&body, flows, json!({}))
}

#[test]
fn back_from_after_a_join_the_other_branch_stands() {
    let mut play = side_by_side();
    play.come("apply").come("b1").come("c").come("b2");
    back(play.expect("approve"), "approve", "b1");
    play.expect("b1").come("b1").come("b2").expect("approve");
    back(&mut play, "approve", "c");
    play.expect("c").come("c").expect("approve").come("approve");
    play.ended(Standing::Completed);
}

#[test]
fn back_before_a_split_both_branches_are_taken_back() {
    for (from, other) in [
        ("b1", None),
        ("c", None),
        ("b2", Some("b1")),
        ("b1", Some("c")),
    ] {
        let mut play = side_by_side();
        play.come("apply");
        if let Some(other) = other {
            play.come(other);
        }
        back(&mut play, from, "apply");
        play.expect("apply").come("apply").expect("b1 c");
        play.come("c").come("b1").come("b2").expect("approve");
        play.come("approve").ended(Standing::Completed);
    }
}

#[test]
fn back_within_a_branch_the_other_goes_on() {
    let mut play = side_by_side();
    play.come("apply").come("b1");
    back(play.expect("b2 c"), "b2", "b1");
    play.expect("b1 c").come("c").come("b1").come("b2");
    play.expect("approve")
        .come("approve")
        .ended(Standing::Completed);
}

#[test]
fn in_a_circle_back_is_within_this_round() {
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><parallelGateway id="j"/>
        <exclusiveGateway id="g" default="g-end"/>{}"#,
        users("apply b1 b2 c")
    );
    let flows = "start>apply apply>f f>b1 b1>b2 b2>j f>c c>j j>g g>apply:again g>end";
    let mut play = Play::begin(&body, flows, json!({ "again": true }));
    for _ in 0..2 {
        play.come("apply").come("b1");
        back(play.expect("b2 c"), "b2", "b1");
        play.expect("b1 c")
            .come("b1")
            .come("b2")
            .come("c")
            .expect("apply");
    }
    // Round about, to a branch of the round before: what stood beside it then stands.
    back(&mut play, "apply", "b2");
    play.set(json!({ "again": false })).expect("b2").come("b2");
    play.ended(Standing::Completed);
}

#[test]
fn nested_joins_stand_inside_and_out() {
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><parallelGateway id="f2"/><parallelGateway id="j2"/>
        <parallelGateway id="j"/>{}"#,
        users("a b c d")
    );
    let flows = "start>f f>a f>f2 f2>b f2>c b>j2 c>j2 j2>j a>j j>d d>end";
    let mut play = Play::begin(&body, flows, json!({}));
    play.come("a").come("b").come("c");
    back(play.expect("d"), "d", "b");
    play.expect("b").come("b").expect("d");
    back(&mut play, "d", "a");
    play.expect("a").come("a").expect("d").come("d");
    play.ended(Standing::Completed);
}

#[test]
fn back_out_of_a_sub_process_and_into_one() {
    let body = format!(
        r#"{ENDS}{}<subProcess id="s"><startEvent id="s1"/><parallelGateway id="f"/>
        <parallelGateway id="j"/>{}<endEvent id="e1"/>{}</subProcess>"#,
        users("apply approve"),
        users("x y z"),
        draw("s1>f f>x f>y x>j y>j j>z z>e1")
    );
    let flows = "start>apply apply>s s>approve approve>end";
    let mut play = Play::begin(&body, flows, json!({}));
    play.come("apply").come("x");
    back(play.expect("y"), "y", "apply");
    play.expect("apply")
        .come("apply")
        .come("x")
        .come("y")
        .come("z");
    back(play.expect("approve"), "approve", "x");
    play.expect("x").come("x").expect("z");
    back(&mut play, "z", "y");
    play.expect("y").come("y").come("z").come("approve");
    play.ended(Standing::Completed);
    let process = &play.model.processes["p"];
    let leads = |to, from| cases::machine::leads(process, play.node(to), play.node(from));
    assert!(leads("x", "approve") && leads("apply", "y") && leads("x", "z"));
    assert!(
        !leads("x", "y") && !leads("approve", "x"),
        "side by side, and after"
    );
}

#[test]
fn waiting_at_joins_alone_is_seen() {
    let body = format!(
        r#"{ENDS}<exclusiveGateway id="g" default="g-b"/><parallelGateway id="j"/>{}"#,
        users("a b c")
    );
    let mut play = Play::begin(
        &body,
        "start>g g>a:n_>_5 g>b a>j b>j j>c c>end",
        json!({ "n": 1 }),
    );
    play.come("b").expect("");
    let token = play.token("j");
    assert!(play.effects.contains(&Effect::Stuck { token }));
    play.happen(Happened::Retry { token }).expect("c");
    play.come("c").ended(Standing::Completed);
}

#[test]
fn a_token_is_led_out_of_its_scope_but_not_into_the_middle_of_turns_or_nowhere() {
    let body = format!(
        r#"{ENDS}<subProcess id="s"><startEvent id="s1"/>{}<endEvent id="e1"/>{}</subProcess>
        <subProcess id="m"><multiInstanceLoopCharacteristics j:collection="[1,2]"/>
        <startEvent id="s2"/>{}<endEvent id="e2"/>{}</subProcess>{}"#,
        users("a"),
        draw("s1>a a>e1"),
        users("t"),
        draw("s2>t t>e2"),
        users("b")
    );
    let mut play = Play::begin(&body, "start>s s>m m>b b>end", json!({}));
    let token = play.token("a");
    for to in [play.node("t"), play.node("s1"), 999] {
        let fault = step(
            &play.model,
            &play.instance,
            Happened::Move { token, to },
            &Small,
            NOW,
        )
        .unwrap_err();
        assert_eq!(fault.code, "input.invalid", "{to}");
    }
    let gone = Happened::Move {
        token: 999,
        to: play.node("b"),
    };
    assert_eq!(
        step(&play.model, &play.instance, gone, &Small, NOW)
            .unwrap_err()
            .code,
        "input.conflict"
    );
    back(&mut play, "a", "b");
    play.expect("b").come("b").ended(Standing::Completed);
}
