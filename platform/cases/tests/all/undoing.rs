//! Undoing of sub-processes: 10.7 and 13.5.5 of the standard. What undoes a sub-process from within,
//! what is done where there is none, and what event sub-processes did.

use crate::stage::{Play, draw, file, users};
use cases::bpmn::read;
use cases::machine::{Happened, Standing};
use serde_json::{Map, Value, json};

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;
const THROW: &str =
    r#"<intermediateThrowEvent id="c"><compensateEventDefinition/></intermediateThrowEvent>"#;

/// A task that `u…` undoes.
fn undone(name: &str) -> String {
    format!(
        r#"<userTask id="{name}"/><boundaryEvent id="b{name}" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent><userTask id="u{name}" isForCompensation="true"/><association id="a{name}" sourceRef="b{name}" targetRef="u{name}"/>"#
    )
}

/// An event sub-process that begins with compensation and takes this way.
fn handler(id: &str, body: &str, way: &str) -> String {
    let ends = format!(
        r#"<startEvent id="{id}s"><compensateEventDefinition/></startEvent><endEvent id="{id}e"/>"#
    );
    format!(
        r#"<subProcess id="{id}" triggeredByEvent="true">{ends}{body}{}</subProcess>"#,
        draw(way)
    )
}

/// A sub-process of these contents.
fn sub(id: &str, more: &str, body: &str, way: &str) -> String {
    format!(
        r#"<subProcess id="{id}">{more}<startEvent id="{id}0"/><endEvent id="{id}1"/>{body}{}</subProcess>"#,
        draw(way)
    )
}

fn again(id: &str, activity: &str) -> String {
    let activity = match activity {
        "" => String::new(),
        activity => format!(r#" activityRef="{activity}""#),
    };
    format!(
        r#"<intermediateThrowEvent id="{id}"><compensateEventDefinition{activity}/></intermediateThrowEvent>"#
    )
}

/// Pays and books in a sub-process, then undoes; the handler of it is this.
fn travel(handler: &str) -> Play {
    let body = format!(
        "{ENDS}{THROW}{}{}",
        users("a"),
        sub(
            "s",
            "",
            &format!("{}{}{handler}", undone("pay"), undone("book")),
            "s0>pay pay>book book>s1"
        )
    );
    let mut play = Play::begin(&body, "start>s s>c c>a a>end", json!({ "sum": 5 }));
    play.come("pay").come("book");
    play
}

/// What is kept between two steps is enough.
fn kept(play: &mut Play) {
    let text = serde_json::to_string(&play.instance).unwrap();
    let read = serde_json::from_str(&text).unwrap();
    assert_eq!(play.instance, read);
}

#[test]
fn without_a_handler_what_was_done_within_is_undone_in_reverse() {
    let mut play = travel("");
    play.expect("ubook")
        .come("ubook")
        .expect("upay")
        .come("upay");
    play.expect("a").come("a").ended(Standing::Completed);
}

#[test]
fn a_handler_within_stands_in_for_undoing_what_was_done() {
    let mut play = travel(&handler("h", &users("tell"), "hs>tell tell>he"));
    kept(&mut play);
    play.expect("tell").come("tell");
    play.expect("a").come("a").ended(Standing::Completed);
}

#[test]
fn a_handler_may_throw_to_undo_what_was_done() {
    let body = format!("{}{}", users("tell thank"), again("t", ""));
    let mut play = travel(&handler("h", &body, "hs>tell tell>t t>thank thank>he"));
    play.expect("tell").come("tell").expect("ubook");
    kept(&mut play);
    play.come("ubook").expect("upay").come("upay");
    play.expect("thank").come("thank");
    play.expect("a").come("a").ended(Standing::Completed);
    // One activity of it only.
    let body = format!("{}{}", users("tell"), again("t", "pay"));
    let mut play = travel(&handler("h", &body, "hs>tell tell>t t>he"));
    play.come("tell").expect("upay").come("upay");
    play.expect("a").come("a").ended(Standing::Completed);
    // What is thrown within does not reach what surrounds the sub-process.
    let body = format!(
        "{ENDS}{THROW}{}{}",
        undone("o"),
        sub(
            "s",
            "",
            &format!(
                "{}{}",
                undone("pay"),
                handler("h", &again("t", ""), "hs>t t>he")
            ),
            "s0>pay pay>s1"
        )
    );
    let mut play = Play::begin(&body, "start>o o>s s>c c>end", json!({}));
    play.come("o").come("pay").expect("upay").come("upay");
    play.expect("uo").come("uo").ended(Standing::Completed);
}

#[test]
fn a_handler_sees_the_variables_of_then() {
    let body = format!(
        "{ENDS}{THROW}{}{}",
        users("later"),
        sub(
            "s",
            "",
            &format!(
                "{}{}",
                users("pay"),
                handler("h", &users("tell"), "hs>tell tell>he")
            ),
            "s0>pay pay>s1"
        )
    );
    let mut play = Play::begin(&body, "start>s s>later later>c c>end", json!({}));
    play.bring("pay", json!({ "sum": 5 }))
        .bring("later", json!({ "sum": 7 }));
    let scope = play.instance.waits[&play.wait("tell")].scope;
    assert_eq!(play.instance.variables(scope)["sum"], json!(5));
    play.bring("tell", json!({ "sum": 6 }))
        .ended(Standing::Completed);
    assert_eq!(play.variable("sum"), json!(7), "what is undone has its own");
}

#[test]
fn only_what_was_done_has_a_handler_and_only_once() {
    let inner = format!(
        "{}{}",
        users("pay"),
        handler("h", &users("tell"), "hs>tell tell>he")
    );
    let timer = r#"<boundaryEvent id="t" attachedToRef="s"><timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>"#;
    let body = format!(
        "{ENDS}{THROW}{timer}{}{}{}",
        users("a"),
        again("d", ""),
        sub("s", "", &inner, "s0>pay pay>s1")
    );
    let flows = "start>s s>c t>c c>a a>d d>end";
    let mut play = Play::begin(&body, flows, json!({}));
    play.come("t")
        .expect("a")
        .come("a")
        .ended(Standing::Completed);
    let mut play = Play::begin(&body, flows, json!({}));
    play.expect("pay t").come("pay").expect("tell").come("tell");
    play.expect("a").come("a").ended(Standing::Completed);
    // Given up in the middle, nothing is left of it.
    let mut play = Play::begin(&body, flows, json!({}));
    play.come("pay").expect("tell").happen(Happened::Cancel);
    play.ended(Standing::Cancelled);
}

#[test]
fn a_named_sub_process_is_undone_by_its_handler_and_so_is_one_within() {
    let inner = sub(
        "i",
        "",
        &format!(
            "{}{}",
            undone("pay"),
            handler("h", &users("tell"), "hs>tell tell>he")
        ),
        "i0>pay pay>i1",
    );
    // The outer one has none: by default what was done in it is undone, the inner one by its handler.
    let outer = sub(
        "s",
        "",
        &format!("{inner}{}", undone("book")),
        "s0>i i>book book>s1",
    );
    for throw in [THROW.to_string(), again("c", "s")] {
        let body = format!("{ENDS}{throw}{outer}{}", undone("o"));
        let mut play = Play::begin(&body, "start>s s>o o>c c>end", json!({}));
        play.come("pay").come("book").come("o");
        if throw == THROW {
            play.expect("uo").come("uo");
        }
        play.expect("ubook")
            .come("ubook")
            .expect("tell")
            .come("tell");
        play.ended(Standing::Completed);
    }
}

#[test]
fn each_turn_of_a_repeated_sub_process_is_undone_with_its_own_item() {
    let turns = r#"<multiInstanceLoopCharacteristics isSequential="true" j:collection="[4, 5]" j:item="n"/>"#;
    let inner = format!(
        "{}{}",
        users("pay"),
        handler("h", &users("tell"), "hs>tell tell>he")
    );
    let body = format!("{ENDS}{THROW}{}", sub("s", turns, &inner, "s0>pay pay>s1"));
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({}));
    play.come("pay").come("pay");
    for n in [5, 4] {
        let scope = play.instance.waits[&play.wait("tell")].scope;
        assert_eq!(play.instance.variables(scope)["n"], json!(n));
        play.come("tell");
    }
    play.ended(Standing::Completed);
}

#[test]
fn what_goes_wrong_in_a_handler_is_not_caught_by_what_it_undoes() {
    let caught = |id: &str, then: &str| {
        format!(
            r#"<subProcess id="{id}" triggeredByEvent="true"><startEvent id="{id}s"><errorEventDefinition/></startEvent><endEvent id="{id}e"/>{}{}</subProcess>"#,
            users(then),
            draw(&format!("{id}s>{then} {then}>{id}e"))
        )
    };
    let inner = format!(
        "{}{}{}",
        users("pay"),
        caught("in", "wrong"),
        handler("h", &users("tell"), "hs>tell tell>he")
    );
    let body = format!(
        "{ENDS}{THROW}{}{}",
        sub("s", "", &inner, "s0>pay pay>s1"),
        caught("out", "right")
    );
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({}));
    play.come("pay").expect("tell").fail("tell", "E1");
    play.expect("right")
        .come("right")
        .ended(Standing::Completed);
}

/// An event sub-process that does something which can be undone.
fn by_event(id: &str, interrupting: bool, what: &str, body: &str, way: &str) -> String {
    format!(
        r#"<subProcess id="{id}" triggeredByEvent="true"><startEvent id="{id}s" isInterrupting="{interrupting}">{what}</startEvent><endEvent id="{id}e"/>{body}{}</subProcess>"#,
        draw(way)
    )
}

const SIGNAL: &str = r#"<signalEventDefinition signalRef="s1"/>"#;
const ERROR: &str = "<errorEventDefinition/>";

fn storm(play: &mut Play) {
    play.happen(Happened::Signal {
        name: "storm".into(),
        variables: Map::<String, Value>::new(),
    });
}

#[test]
fn what_an_event_sub_process_did_is_undone_with_what_surrounds_it() {
    // Beside the process, between two of its steps: in the reverse order of all.
    let beside = by_event("ev", false, SIGNAL, &undone("pay"), "evs>pay pay>eve");
    let body = format!("{ENDS}{THROW}{beside}{}{}", undone("one"), undone("two"));
    let mut play = Play::begin(&body, "start>one one>two two>c c>end", json!({}));
    play.come("one");
    storm(&mut play);
    play.expect("evs pay two").come("pay").come("two");
    for undo in ["utwo", "upay", "uone"] {
        play.expect(&format!("evs {undo}")).come(undo);
        kept(&mut play);
    }
    play.ended(Standing::Completed);
    // Not before it is done: what it is doing is not undone.
    let mut play = Play::begin(&body, "start>one one>two two>c c>end", json!({}));
    storm(&mut play);
    play.come("one")
        .come("two")
        .expect("evs pay utwo")
        .come("utwo");
    play.expect("evs pay uone")
        .come("uone")
        .expect("evs pay")
        .come("pay");
    play.ended(Standing::Completed);
}

#[test]
fn what_an_event_sub_process_did_in_a_sub_process_is_undone_with_that() {
    let catches = by_event("ev", true, ERROR, &undone("mend"), "evs>mend mend>eve");
    let inner = format!("{}{}{catches}", undone("pay"), users("try"));
    let body = format!(
        "{ENDS}{THROW}{}",
        sub("s", "", &inner, "s0>pay pay>try try>s1")
    );
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({}));
    play.come("pay")
        .fail("try", "E1")
        .expect("mend")
        .come("mend");
    play.expect("umend")
        .come("umend")
        .expect("upay")
        .come("upay");
    play.ended(Standing::Completed);
    // An event sub-process may say itself how it is undone.
    let own = handler("h", &users("tell"), "hs>tell tell>he");
    let catches = by_event(
        "ev",
        true,
        ERROR,
        &format!("{}{own}", undone("mend")),
        "evs>mend mend>eve",
    );
    let inner = format!("{}{}{catches}", undone("pay"), users("try"));
    let body = format!(
        "{ENDS}{THROW}{}",
        sub("s", "", &inner, "s0>pay pay>try try>s1")
    );
    let mut play = Play::begin(&body, "start>s s>c c>end", json!({}));
    play.come("pay").fail("try", "E1").come("mend");
    play.expect("tell").come("tell").expect("upay").come("upay");
    play.ended(Standing::Completed);
}

#[test]
fn handlers_that_could_never_undo_are_refused_by_name_and_line() {
    let check = |body: &str, flows: &str, expect: &[&str]| {
        let xml = file(&format!("{ENDS}\n{body}"), flows);
        let faults = read("f", &xml).err().unwrap_or_default();
        let said: Vec<String> = faults
            .iter()
            .map(|f| {
                assert!(!f.words.zh.is_empty());
                format!("{} {}", f.at, f.words.en)
            })
            .collect();
        for expected in expect {
            assert!(
                said.iter().any(|s| s.contains(expected)),
                "{expected}: {said:#?}"
            );
        }
        assert_eq!(said.len(), expect.len(), "{said:#?}");
    };
    let undo = handler("h", &users("tell"), "hs>tell tell>he");
    let within = |more: &str| {
        sub(
            "s",
            "",
            &format!("{}{undo}{more}", users("pay")),
            "s0>pay pay>s1",
        )
    };
    check(&within(""), "start>s s>end", &[]);
    check(
        &format!("{undo}{}", users("a")),
        "start>a a>end",
        &["f:9 hs: a compensation event sub-process stands within the sub-process it undoes"],
    );
    let second = handler("g", &users("tell2"), "gs>tell2 tell2>ge");
    let several = "a sub-process has one compensation event sub-process at most";
    check(
        &within(&second),
        "start>s s>end",
        &[&format!("f:9 hs: {several}"), &format!("f:9 gs: {several}")],
    );
    let soft = within("").replace(
        r#"<startEvent id="hs">"#,
        r#"<startEvent id="hs" isInterrupting="false">"#,
    );
    check(
        &soft,
        "start>s s>end",
        &["f:9 hs: a compensation start event has no form that does not"],
    );
    let named = within("").replace(
        r#"<startEvent id="hs"><compensateEventDefinition/>"#,
        r#"<startEvent id="hs"><compensateEventDefinition activityRef="pay"/>"#,
    );
    check(
        &named,
        "start>s s>end",
        &["f:9 hs: a compensation start event has no activityRef"],
    );
    let edge = r#"<boundaryEvent id="bs" attachedToRef="s"><compensateEventDefinition/></boundaryEvent><userTask id="us" isForCompensation="true"/><association id="as" sourceRef="bs" targetRef="us"/>"#;
    check(
        &format!("{}{edge}", within("")),
        "start>s s>end",
        &["f:9 hs: the sub-process is undone by its boundary event already"],
    );
    let nested = handler(
        "h",
        &format!("{}{second}", users("tell")),
        "hs>tell tell>he",
    );
    check(
        &sub(
            "s",
            "",
            &format!("{}{nested}", users("pay")),
            "s0>pay pay>s1",
        ),
        "start>s s>end",
        &[
            "f:9 gs: what undoes is not undone itself: no compensation event sub-process within another",
        ],
    );
    let undoing = within("").replace(
        r#"<subProcess id="s">"#,
        r#"<subProcess id="s" isForCompensation="true">"#,
    );
    let edge = r#"<userTask id="a"/><boundaryEvent id="ba" attachedToRef="a"><compensateEventDefinition/></boundaryEvent><association id="as" sourceRef="ba" targetRef="s"/>"#;
    check(
        &format!("{undoing}{edge}"),
        "start>a a>end",
        &["f:9 hs: what undoes is not undone itself: it has no compensation event sub-process"],
    );
    let start = r#"<startEvent id="x"><compensateEventDefinition/></startEvent>"#;
    check(
        &format!("{start}{}", users("a")),
        "start>a x>a a>end",
        &["f:9 x: compensation begins event sub-processes only"],
    );
}
