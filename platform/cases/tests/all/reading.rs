//! Reading: every fault by name and line, nothing passed over in silence.

use crate::stage::file;
use cases::bpmn::{Fate, SUBSET, read, read_new, read_stored};
use kernel::ManualClock;
use kernel::cases::Expressions;
use kernel::decisions::{Expressions as Feel, Outcome};
use serde_json::{Map, Value};
use std::sync::Arc;

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

/// Tasks that say something outside the subset, each with what is said of it.
const WITHIN: &[(&str, &str)] = &[
    (
        r#"<userTask id="a"><potentialOwner><resourceAssignmentExpression/></potentialOwner></userTask>"#,
        "potentialOwner : is outside the subset",
    ),
    (
        r#"<userTask id="a"><humanPerformer/></userTask>"#,
        "humanPerformer : is outside the subset",
    ),
    (
        r#"<callActivity id="a" calledElement="q"><resourceRole/></callActivity>"#,
        "resourceRole : is outside the subset",
    ),
    (
        r#"<task id="a"><ioSpecification id="io"/></task>"#,
        "ioSpecification io: is outside the subset",
    ),
    (
        r#"<manualTask id="a"><dataInputAssociation/></manualTask>"#,
        "dataInputAssociation : is outside the subset",
    ),
    (
        r#"<serviceTask id="a" j:function="f"><dataOutputAssociation/></serviceTask>"#,
        "dataOutputAssociation : is outside the subset",
    ),
    (
        r#"<userTask id="a" completionQuantity="2"/>"#,
        "userTask a: completionQuantity may only be 1",
    ),
    (
        r#"<userTask id="a" startQuantity="3"/>"#,
        "userTask a: startQuantity may only be 1",
    ),
    (
        r#"<userTask id="a"><multiInstanceLoopCharacteristics behavior="One" j:collection="l"/></userTask>"#,
        "multiInstanceLoopCharacteristics : behavior may only be All",
    ),
    (
        r#"<userTask id="a"><multiInstanceLoopCharacteristics j:collection="l"><loopDataInputRef>x</loopDataInputRef></multiInstanceLoopCharacteristics></userTask>"#,
        "loopDataInputRef : is outside the subset",
    ),
    (
        r#"<userTask id="a"><multiInstanceLoopCharacteristics j:collection="l"><inputDataItem id="i"/></multiInstanceLoopCharacteristics></userTask>"#,
        "inputDataItem i: is outside the subset",
    ),
    (
        r#"<userTask id="a"><multiInstanceLoopCharacteristics j:collection="l"><complexBehaviorDefinition/></multiInstanceLoopCharacteristics></userTask>"#,
        "complexBehaviorDefinition : is outside the subset",
    ),
    (
        r#"<userTask id="a"><script>1</script></userTask>"#,
        "script : does not belong here",
    ),
    (
        r#"<userTask id="a" j:asignee="x"/>"#,
        "userTask a: there is no attribute jicheng:asignee here, but assignee, roles, organisation, form, due",
    ),
    (
        r#"<userTask id="a" j:role="x"/>"#,
        "userTask a: there is no attribute jicheng:role here",
    ),
    (
        r#"<sendTask id="a" messageRef="m2" j:function="x"/>"#,
        "sendTask a: there is no attribute jicheng:function here",
    ),
    (
        r#"<userTask id="a"><extensionElements><j:assignee/></extensionElements></userTask>"#,
        "assignee : there are attributes in urn:jicheng:bpmn:1, no elements",
    ),
    (
        r#"<receiveTask id="a" messageRef="m2" operationRef="o"/>"#,
        "receiveTask a: operationRef is outside the subset",
    ),
];

#[test]
fn nothing_said_within_a_task_is_passed_over() {
    for (task, expect) in WITHIN {
        let body = format!("<startEvent id=\"start\"/><endEvent id=\"end\"/>\n{task}");
        check(&body, "start>a a>end", &[&format!("f:9 {expect}")]);
        // What an older program took goes on.
        let stored = read_stored("f", &file(&body, "start>a a>end"));
        assert!(stored.is_ok(), "{task}");
    }
}

#[test]
fn what_other_makers_and_drawings_say_is_not_in_the_way() {
    let task = r#"<userTask id="a" j:roles="x" xmlns:z="urn:other" z:own="1"><documentation>d</documentation>
        <extensionElements><z:properties><z:property name="n"/></z:properties></extensionElements></userTask>"#;
    check(
        &format!("<startEvent id=\"start\"/><endEvent id=\"end\"/>{task}"),
        "start>a a>end",
        &[],
    );
}

/// FEEL as the program has it.
struct Real(decisions::FeelExpressions);

impl Expressions for Real {
    fn evaluate(&self, text: &str, variables: &Map<String, Value>) -> Result<Value, kernel::Fault> {
        Ok(self.0.evaluate(text, variables)?.value)
    }
    fn check(&self, text: &str, names: &[&str]) -> Result<(), kernel::Fault> {
        self.0.compile(text, names).map(drop)
    }
    fn decide(&self, _: &str, _: &Map<String, Value>) -> Result<Outcome, kernel::Fault> {
        Ok(Outcome::default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_languages_and_times_are_read_before_they_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let store = store::Store::in_folder(folder.path()).await.unwrap();
    let clock = Arc::new(ManualClock::new(crate::stage::NOW));
    let real = Real(decisions::Engine::open(store, clock).unwrap().expressions());
    let check = |body: &str, expect: &str| {
        let body = format!("<startEvent id=\"start\"/><endEvent id=\"end\"/>\n{body}");
        let xml = file(&body, "start>a a>end");
        let found = match read_new("f", &xml, &real) {
            Ok(_) => vec![],
            Err(faults) => faults,
        };
        if expect.is_empty() {
            return assert!(found.is_empty(), "{body}: {found:#?}");
        }
        assert_eq!(found.len(), 1, "{body}: {found:#?}");
        assert_eq!(found[0].at, "f:9", "{body}");
        let said = &found[0].words;
        assert!(said.en.contains(expect) && !said.zh.is_empty(), "{said:?}");
        assert!(read_stored("f", &xml).is_ok(), "{body}");
    };
    let script = |text: &str| {
        format!(r#"<scriptTask id="a" j:result="age of x"><script>{text}</script></scriptTask>"#)
    };
    check(&script("1 + 2"), "");
    check(&script("= age of x + 1"), "");
    check(
        &script("1 +"),
        "scriptTask a: script \"1 +\" is no FEEL expression",
    );
    check(&script("birth of y"), "is no FEEL expression");
    let user = |more: &str| format!(r#"<userTask id="a" {more}/>"#);
    check(&user("j:assignee='\"li\"'"), "");
    check(
        &user("j:assignee='(li'"),
        "userTask a: jicheng:assignee \"(li\" is no FEEL",
    );
    check(&user("j:organisation='a b c'"), "jicheng:organisation");
    for good in [
        "5 working days",
        "5个工作日",
        "PT4H",
        "limit",
        "2026-11-25T10:00:00+08:00",
    ] {
        check(&user(&format!("j:due='{good}'")), "");
    }
    for wrong in [
        "5 workin days",
        "P1Y",
        "five days",
        "\"soon\"",
        "2026-13-45T10:00:00+08:00",
    ] {
        check(&user(&format!("j:due='{wrong}'")), "jicheng:due");
    }
    let timer = |kind: &str, text: &str| {
        format!(
            r#"<intermediateCatchEvent id="a"><timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition></intermediateCatchEvent>"#
        )
    };
    for (kind, good) in [
        ("timeDuration", "P3D"),
        ("timeDuration", "\"P3D\""),
        ("timeDuration", "5 working days"),
        ("timeDuration", "5个工作日"),
        ("timeDuration", "if urgent then \"PT1H\" else \"P1D\""),
        ("timeCycle", "R3/PT10M"),
        ("timeCycle", "R/2026-12-01T08:00:00+08:00/P1D"),
        ("timeDate", "when"),
        ("timeDate", "2026-11-25T10:00:00+08:00"),
    ] {
        check(&timer(kind, good), "");
    }
    for (kind, wrong) in [
        ("timeDuration", "ten days"),
        ("timeDuration", "P1Y"),
        ("timeDuration", "5 workin days"),
        ("timeDuration", "PT5"),
        ("timeDuration", "\"soon\""),
        ("timeCycle", "R3/P1M"),
        ("timeCycle", "R3/2026-12-01T08:00:00+08:00/P1M"),
        ("timeCycle", "R3/soon/P1D"),
        ("timeDate", "2026-13-25"),
    ] {
        check(&timer(kind, wrong), kind);
    }
    let catch = |condition: &str| {
        format!(
            r#"<intermediateCatchEvent id="a"><conditionalEventDefinition>{condition}</conditionalEventDefinition></intermediateCatchEvent>"#
        )
    };
    check(
        &catch(
            "<condition language=\"https://www.omg.org/spec/DMN/20191111/FEEL/\">a &lt; 1</condition>",
        ),
        "",
    );
    check(
        &catch("<condition>a &lt;</condition>"),
        "condition \"a <\" is no FEEL",
    );
    check(
        &catch("<condition language=\"http://www.ecma.org/javaScript\">a</condition>"),
        "language: only FEEL",
    );
    let turns = |attributes: &str, inner: &str| {
        format!(
            r#"<userTask id="a"><multiInstanceLoopCharacteristics {attributes}>{inner}</multiInstanceLoopCharacteristics></userTask>"#
        )
    };
    check(
        &turns(
            "j:collection='people' j:item='who' j:result='who.answer'",
            "",
        ),
        "",
    );
    check(&turns("j:collection='[1, 2'", ""), "jicheng:collection");
    check(
        &turns("", "<loopCardinality>2 *</loopCardinality>"),
        "loopCardinality",
    );
    check(
        &turns(
            "j:collection='l'",
            "<completionCondition>count(</completionCondition>",
        ),
        "completionCondition",
    );
    // A flow stands in the line of the others.
    let body = "<startEvent id=\"start\"/><endEvent id=\"end\"/><exclusiveGateway id=\"a\"/><userTask id=\"b\"/>";
    let faults = read_new("f", &file(body, "start>a a>b:x_< a>end:x b>end"), &real).unwrap_err();
    let said: Vec<&str> = faults.iter().map(|f| f.words.en.as_str()).collect();
    assert!(
        said.len() == 1 && said[0].contains("sequenceFlow a-b: conditionExpression \"x <\""),
        "{said:?}"
    );
}

#[test]
fn a_start_that_would_never_begin_anything_is_refused() {
    let start = |what: &str| {
        format!(
            "<endEvent id=\"end\"/><userTask id=\"a\"/>\n<startEvent id=\"start\">{what}</startEvent>"
        )
    };
    let condition =
        "<conditionalEventDefinition><condition>x</condition></conditionalEventDefinition>";
    let body = start(condition);
    check(
        &body,
        "start>a a>end",
        &["f:9 start: a process is not begun by a condition: before a case there are no data"],
    );
    assert!(read_stored("f", &file(&body, "start>a a>end")).is_ok());
    let timer = "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>";
    check(&start(timer), "start>a a>end", &[]);
    let signal = start(r#"<signalEventDefinition signalRef="s1"/>"#);
    check(&signal, "start>a a>end", &[]);
}
