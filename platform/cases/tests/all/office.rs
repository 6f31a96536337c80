//! The verbs of Chinese offices as far as they move tokens: sent back (驳回, 退回), withdrawn
//! (撤回), led on. Who may do so and what is written down is the engine's.

use crate::stage::{NOW, Play, Small, draw, users};
use cases::machine::{Happened, Standing, step};
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

#[test]
fn a_token_is_not_led_out_of_its_scope_or_into_nowhere() {
    let body = format!(
        r#"{ENDS}<subProcess id="s"><startEvent id="s1"/>{}<endEvent id="e1"/>{}</subProcess>{}"#,
        users("a"),
        draw("s1>a a>e1"),
        users("b")
    );
    let play = Play::begin(&body, "start>s s>b b>end", json!({}));
    let token = play.token("a");
    for to in [play.node("b"), play.node("s1"), 999] {
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
}
