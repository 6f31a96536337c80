//! Between cases: what is called and is not there, signals that begin cases, escalations that leave
//! a called process, messages that bring a key.

use crate::house::{House, admin, object, officer, own};
use crate::stage::file;
use kernel::Time;
use kernel::cases::{CaseState, CaseVerb, Cases, Message, NewCase, Process};
use serde_json::json;
use store::Store;
use store::cases::processes;
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

/// The file of a process of this identification.
fn of(id: &str, body: &str, flows: &str) -> String {
    file(body, flows).replace(r#"process id="p""#, &format!(r#"process id="{id}""#))
}

/// A drawing in the store, as an older program left it there.
async fn left_by_an_older_program(store: &Store, id: &str, xml: &str) {
    let process = Process {
        process: id.into(),
        version: 1,
        name: String::new(),
        published_at: Time(0),
        published_by: "old".into(),
        digest: "0".into(),
        open: 0,
        begins_at: None,
    };
    let mut tx = store.begin().await.unwrap();
    processes::put(&mut tx, &process, xml).await.unwrap();
    tx.commit().await.unwrap();
}

fn new(process: &str) -> NewCase {
    NewCase {
        process: process.into(),
        ..NewCase::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_called_must_be_there() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let call = r#"<callActivity id="k" calledElement="gone"/>"#;
        let rule = r#"<businessRuleTask id="r" j:decision="nothing" j:result="x"/>"#;
        let xml = of("q", &format!("{ENDS}\n{call}\n{rule}"), "start>k k>r r>end");
        let fault = house.engine.publish(&admin(), "q.bpmn", &xml).await;
        let fault = fault.unwrap_err();
        let said: Vec<String> = fault
            .problems
            .iter()
            .map(|p| format!("{} {}", p.at, p.words.en))
            .collect();
        assert_eq!(
            said,
            [
                "q.bpmn:9 k: the process \"gone\" it calls is not published",
                "q.bpmn:10 r: there is no decision \"nothing\"",
            ]
        );
        // Both in one file.
        let gone = format!("{ENDS}{}", own("u", "li"));
        let both = of("q", &format!("{ENDS}{call}"), "start>k k>end");
        let second = of("gone", &gone, "start>u u>end");
        let second = &second[second.find("<process").unwrap()..];
        let both = format!("{}{second}", both.replace("</definitions>", ""));
        house
            .engine
            .publish(&admin(), "both.bpmn", &both)
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_whose_called_process_is_missing_is_stuck_and_says_why() {
    each_store(|store| async move {
        // Taken by an older program: what it passed over is passed over still.
        let body = format!(
            r#"{ENDS}<callActivity id="k" calledElement="gone" completionQuantity="2"/>{}"#,
            own("after", "wang")
        );
        let xml = of("q", &body, "start>k k>after after>end");
        left_by_an_older_program(&store, "q", &xml).await;
        let house = House::open(&store).await;
        let case = house.engine.start(&admin(), new("q")).await.unwrap();
        house.engine.settle().await.unwrap();
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        assert_eq!(file.case.stuck, 1);
        let said = file.marks[0].stuck.clone().unwrap();
        assert!(
            said.en.contains("\"gone\"") && said.zh.contains("gone"),
            "{said:?}"
        );
        assert_eq!(house.history(&case.id).await, "started blocked");
        // Nothing is tried over and over.
        house.clock.advance(kernel::Span::days(2));
        house.engine.settle().await.unwrap();
        assert!(
            house
                .engine
                .set_aside(&admin(), 10)
                .await
                .unwrap()
                .is_empty()
        );
        let gone = of(
            "gone",
            &format!("{ENDS}{}", own("u", "li")),
            "start>u u>end",
        );
        house
            .engine
            .publish(&admin(), "gone.bpmn", &gone)
            .await
            .unwrap();
        let by = admin();
        let retry = house.engine.rule(&by, &case.id, None, CaseVerb::Retry);
        assert_eq!(retry.await.unwrap().stuck, 0);
        house.engine.settle().await.unwrap();
        house.complete(&officer("li", "", ""), json!({})).await;
        house.engine.settle().await.unwrap();
        house.complete(&officer("wang", "", ""), json!({})).await;
        assert_eq!(house.case(&case.id).await.state, CaseState::Completed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_begins_a_case_of_every_process_that_starts_with_it() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let start = r#"<startEvent id="start"><signalEventDefinition signalRef="s1"/></startEvent><endEvent id="end"/>"#;
        let again = r#"<intermediateCatchEvent id="c"><signalEventDefinition signalRef="s1"/></intermediateCatchEvent>"#;
        // What the signal began does not hear it again.
        let body = format!("{start}{again}{}", own("u", "li"));
        let publish = async |id: &str, body: &str, flows: &str| {
            let xml = of(id, body, flows);
            let published = house.engine.publish(&admin(), id, &xml).await;
            published.unwrap_or_else(|fault| panic!("{fault} {:?}", fault.problems));
        };
        publish("one", &body, "start>c c>u u>end").await;
        publish("two", &format!("{start}{}", own("u", "wang")), "start>u u>end").await;
        // Only the newest version counts.
        publish("three", &format!("{start}{}", own("u", "wang")), "start>u u>end").await;
        publish("three", &format!("{ENDS}{}", own("u", "wang")), "start>u u>end").await;
        let data = object(json!({ "level": 3 }));
        house.engine.signal(&admin(), "storm", data).await.unwrap();
        let (li, wang) = (officer("li", "", ""), officer("wang", "", ""));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&li).await, "");
        let task = house.only(&wang).await;
        let file = house.engine.case(&admin(), &task.case).await.unwrap();
        assert_eq!((file.case.process.as_str(), &file.data["level"]), ("two", &json!(3)));
        assert_eq!(file.case.started_by, "admin");
        // Thrown by a case it does the same, and those that wait go on.
        let throw = r#"<startEvent id="start"/><endEvent id="end"><signalEventDefinition signalRef="s1"/></endEvent>"#;
        publish("thrower", throw, "start>end").await;
        house.engine.start(&admin(), new("thrower")).await.unwrap();
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&li).await, "u");
        assert_eq!(house.nodes(&wang).await, "u u");
        let filter = kernel::cases::CaseFilter::default();
        assert_eq!(house.engine.cases(&admin(), &filter).await.unwrap().count, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_for_a_case_goes_where_its_key_fits() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        // Twelve turns that wait, each for its own key, so that waits have numbers of two digits.
        let body = format!(
            r#"{ENDS}<subProcess id="s"><multiInstanceLoopCharacteristics j:collection="numbers" j:item="number"/><startEvent id="s1"/><receiveTask id="r" messageRef="m1"/>{}<endEvent id="e1"/>{}</subProcess>"#,
            own("u", "li"),
            crate::stage::draw("s1>r r>u u>e1")
        );
        house.publish(&body, "start>s s>end").await;
        let numbers: Vec<String> = (1..=12).map(|n| format!("k{n}")).collect();
        let case = house.start(json!({ "numbers": numbers })).await;
        let send = async |key: serde_json::Value, data| {
            let message = Message {
                name: "paid".into(),
                key,
                case: Some(case.id.clone()),
                data: object(data),
                once: None,
            };
            house.engine.message(&admin(), message).await
        };
        let wrong = send(json!("WRONG"), json!({})).await.unwrap_err();
        assert_eq!(wrong.code, "input.not_found");
        let li = officer("li", "", "");
        assert_eq!(house.nodes(&li).await, "", "nothing went on");
        for key in ["k12", "k1", "k7"] {
            send(json!(key), json!({})).await.unwrap();
            let task = house.only(&li).await;
            let shown = house.engine.task(&li, &task.id).await.unwrap().data;
            assert_eq!(shown["number"], key);
            house.complete(&li, json!({})).await;
            let again = send(json!(key), json!({})).await.unwrap_err();
            assert_eq!(again.code, "input.not_found", "it was taken");
        }
        // Without a key: what began to wait first.
        send(json!(null), json!({})).await.unwrap();
        let task = house.only(&li).await;
        let shown = house.engine.task(&li, &task.id).await.unwrap().data;
        assert_eq!(shown["number"], "k2");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escalation_leaves_a_called_process() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let up = |id: &str, kind: &str| {
            format!(r#"<{kind} id="{id}"><escalationEventDefinition escalationRef="x1"/></{kind}>"#)
        };
        let publish = async |id: &str, body: &str, flows: &str| {
            let xml = of(id, body, flows);
            let published = house.engine.publish(&admin(), id, &xml).await;
            published.unwrap_or_else(|fault| panic!("{fault} {:?}", fault.problems));
        };
        let child = format!("{ENDS}{}{}", up("up", "intermediateThrowEvent"), own("in", "li"));
        publish("child", &child, "start>up up>in in>end").await;
        // It escalates with its last breath: that comes before its return.
        let last = format!(r#"<startEvent id="start"/>{}"#, up("end", "endEvent"));
        publish("last", &last, "start>end").await;
        // One that calls another hands on what it does not catch.
        let middle = format!(r#"{ENDS}<callActivity id="m" calledElement="child"/>"#);
        publish("middle", &middle, "start>m m>end").await;
        let (li, wang) = (officer("li", "", ""), officer("wang", "", ""));
        for (called, interrupts) in [
            ("child", true),
            ("child", false),
            ("middle", true),
            ("middle", false),
            ("last", true),
            ("last", false),
        ] {
            let body = format!(
                r#"{ENDS}<callActivity id="k" calledElement="{called}"/><boundaryEvent id="b" attachedToRef="k" cancelActivity="{interrupts}"><escalationEventDefinition escalationRef="x1"/></boundaryEvent>{}{}"#,
                own("told", "wang"),
                own("after", "wang")
            );
            publish("q", &body, "start>k k>after after>end b>told told>end").await;
            let case = house.engine.start(&admin(), new("q")).await.unwrap();
            house.engine.settle().await.unwrap();
            let at = format!("{called} {interrupts}");
            let expect = match (called, interrupts) {
                (_, true) => ("told", ""),
                ("last", false) => ("told after", ""),
                _ => ("told", "in"),
            };
            let rows = house.inbox(&wang).await.rows;
            let mut told: Vec<String> = rows.into_iter().map(|task| task.node).collect();
            told.sort_by_key(|node| node != "told");
            let found = (told.join(" "), house.nodes(&li).await);
            assert_eq!((found.0.as_str(), found.1.as_str()), expect, "{at}");
            if expect.1 == "in" {
                house.complete(&li, json!({})).await;
                house.engine.settle().await.unwrap();
            }
            for task in house.inbox(&wang).await.rows {
                let data = object(json!({}));
                let verb = kernel::cases::TaskVerb::Complete { data };
                house.act(&wang, &task.id, verb).await.unwrap();
            }
            house.engine.settle().await.unwrap();
            let case = house.case(&case.id).await;
            assert_eq!((case.state, case.stuck), (CaseState::Completed, 0), "{at}");
        }
        let filter = kernel::cases::CaseFilter {
            states: vec![CaseState::Running],
            ..Default::default()
        };
        assert_eq!(house.engine.cases(&admin(), &filter).await.unwrap().count, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_escalation_survives_a_stop() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let child = format!(
            r#"{ENDS}{}<intermediateThrowEvent id="up"><escalationEventDefinition escalationRef="x1"/></intermediateThrowEvent>{}"#,
            own("first", "li"),
            own("in", "li")
        );
        let xml = of("child", &child, "start>first first>up up>in in>end");
        house.engine.publish(&admin(), "child", &xml).await.unwrap();
        let body = format!(
            r#"{ENDS}<callActivity id="k" calledElement="child"/><boundaryEvent id="b" attachedToRef="k"><escalationEventDefinition/></boundaryEvent>{}"#,
            own("told", "wang")
        );
        let xml = of("q", &body, "start>k k>end b>told told>end");
        house.engine.publish(&admin(), "q", &xml).await.unwrap();
        house.engine.start(&admin(), new("q")).await.unwrap();
        house.engine.settle().await.unwrap();
        let li = officer("li", "", "");
        house.complete(&li, json!({})).await;
        // The program stops before it told the caller.
        let house = House::again(&store, house.clock.clone()).await;
        assert_eq!(house.nodes(&li).await, "in");
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&officer("wang", "", "")).await, "told");
        assert_eq!(house.nodes(&li).await, "", "what was called is given up");
    })
    .await;
}
