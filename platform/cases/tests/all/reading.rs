//! Reading: every fault by name and line, nothing passed over in silence.

use crate::stage::file;
use cases::bpmn::{Fate, SUBSET, read};

fn faults(body: &str, flows: &str) -> Vec<String> {
    match read("f", &file(body, flows)) {
        Ok(_) => vec![],
        Err(faults) => faults
            .into_iter()
            .map(|f| format!("{} {}", f.at, f.words.en))
            .collect(),
    }
}

/// The body stands from line 8 of the file on.
fn check(body: &str, flows: &str, expect: &[&str]) {
    let found = faults(body, flows);
    for expected in expect {
        assert!(
            found.iter().any(|f| f.contains(expected)),
            "{expected} is not among {found:#?}"
        );
    }
    assert_eq!(found.len(), expect.len(), "{found:#?}");
}

const OK: &str = r#"<startEvent id="start"/><endEvent id="end"/><userTask id="a"/>"#;

#[test]
fn a_sound_process_is_read() {
    check(OK, "start>a a>end", &[]);
}

#[test]
fn what_is_outside_the_subset_is_refused_by_name_and_line() {
    let body = format!(
        "{OK}\n<transaction id=\"t\"/>\n<complexGateway id=\"g\"/>\n<adHocSubProcess id=\"h\"/>"
    );
    check(
        &body,
        "start>a a>end",
        &[
            "f:9 transaction t: is outside the subset",
            "f:10 complexGateway g: is outside the subset",
            "f:11 adHocSubProcess h: is outside the subset",
        ],
    );
    let timer = r#"<intermediateThrowEvent id="x"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition></intermediateThrowEvent>"#;
    check(
        &format!("{OK}{timer}"),
        "start>x x>a a>end",
        &["may not stand here"],
    );
    let cancel = r#"<endEvent id="x"><cancelEventDefinition/></endEvent>"#;
    check(
        &format!("{OK}{cancel}"),
        "start>a a>end a>x",
        &["cancelEventDefinition : is outside the subset"],
    );
}

#[test]
fn all_faults_come_at_once() {
    let body = r#"<startEvent id="start"/>
<serviceTask id="s"/>
<scriptTask id="c" scriptFormat="javascript"><script>1</script></scriptTask>
<callActivity id="k"/>
<receiveTask id="r" messageRef="nobody"/>
<exclusiveGateway id="g" default="nowhere"/>
<userTask id="lost"/><endEvent id="end"/>"#;
    check(
        body,
        "start>g g>end g>r r>end",
        &[
            "serviceTask s: jicheng:function is missing",
            "scriptTask c: only FEEL scripts are carried out",
            "scriptTask c: jicheng:result is missing",
            "callActivity k: calledElement is missing",
            "receiveTask r: messageRef: there is no \"nobody\"",
            "g: the default flow \"nowhere\" does not leave it",
            "g: every way out has a condition or is the default",
            "f:14 lost: nothing ever leads to it",
        ],
    );
}

#[test]
fn shapes_that_cannot_be_played_are_refused() {
    check(
        &format!("{OK}<userTask id=\"b\"/>"),
        "start>a a>b b>start a>end",
        &["start: a start event has no way in"],
    );
    check(
        &format!("{OK}<exclusiveGateway id=\"g\"/>"),
        "start>a a>end a>g",
        &["g: a gateway needs a way out"],
    );
    check(
        &format!("{OK}<userTask id=\"b\"/><userTask id=\"c\"/>"),
        "start>a a>end b>c c>b",
        &["b: nothing ever leads to it", "c: nothing ever leads to it"],
    );
    check(
        &format!("{OK}<eventBasedGateway id=\"g\"/><userTask id=\"b\"/>"),
        "start>g g>a g>b a>end b>end",
        &["g: behind an event-based gateway stand events"],
    );
    let edge =
        r#"<boundaryEvent id="b" attachedToRef="end"><errorEventDefinition/></boundaryEvent>"#;
    check(
        &format!("{OK}{edge}"),
        "start>a a>end b>end",
        &[
            "b: a boundary event is attached to an activity",
            "b: nothing ever leads to it",
        ],
    );
    let soft = r#"<boundaryEvent id="b" attachedToRef="a" cancelActivity="false"><errorEventDefinition/></boundaryEvent>"#;
    check(
        &format!("{OK}{soft}"),
        "start>a a>end b>end",
        &["an error always ends its activity"],
    );
    let two = r#"<startEvent id="start2"/>"#;
    check(
        &format!("{OK}{two}"),
        "start>a start2>a a>end",
        &["p: there may be one start event without a trigger"],
    );
}

#[test]
fn flows_stay_in_their_scope() {
    let body =
        format!(r#"{OK}<subProcess id="s"><startEvent id="s1"/><endEvent id="e1"/></subProcess>"#);
    let found = faults(&body, "start>s s>a a>end s1>a");
    assert!(
        found.iter().any(|f| f.contains("may not cross the edge")),
        "{found:?}"
    );
}

#[test]
fn hostile_files_are_refused() {
    let check = |xml: &str, expect: &str| {
        let faults = read("f", xml).unwrap_err();
        assert!(
            faults.iter().any(|f| f.words.en.contains(expect)),
            "{faults:?}"
        );
    };
    check("", "not well-formed");
    check("<a>", "not well-formed");
    check("<a/>", "no BPMN 2.0 file");
    check(
        r#"<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>"#,
        "not well-formed",
    );
    check(&" ".repeat(3 << 20), "larger than 2 MiB");
    let deep = format!(
        "{}{}",
        r#"<subProcess id="s">"#.repeat(40),
        "</subProcess>".repeat(40)
    );
    check(
        &file(&format!("{OK}{deep}"), "start>a a>end"),
        "nested too deeply",
    );
    let wide: String = (0..2_100)
        .map(|n| format!(r#"<userTask id="t{n}"/>"#))
        .collect();
    let faults = read("f", &file(&wide, "")).unwrap_err();
    assert!(faults.iter().any(|f| f.words.en.contains("at most 2,000")) && faults.len() <= 200);
}

#[test]
fn drawings_lanes_and_notes_are_not_in_the_way() {
    let body = format!(
        r#"<laneSet id="ls"><lane id="l"><flowNodeRef>a</flowNodeRef></lane></laneSet>{OK}
        <textAnnotation id="n"><text>x</text></textAnnotation><association id="as" sourceRef="a" targetRef="n"/>
        <dataObject id="d"/><group id="gr"/><documentation>words</documentation>"#
    );
    check(&body, "start>a a>end", &[]);
}

#[test]
fn the_published_subset_names_each_element_once() {
    let mut names: Vec<&str> = SUBSET.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(SUBSET.iter().any(|(_, fate)| *fate == Fate::Drawn));
}
