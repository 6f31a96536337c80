//! What follows after a step: services, timers, messages, calls.

use crate::house::{House, admin, object, officer, own};
use kernel::Span;
use kernel::cases::{CaseState, CaseVerb, Cases, Message};
use serde_json::json;
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

fn service(id: &str, function: &str) -> String {
    format!(r#"<serviceTask id="{id}" j:function="{function}"/>"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_called_until_it_answers() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!("{ENDS}{}{}", service("s", "third"), own("u", "li"));
        house.publish(&body, "start>s s>u u>end").await;
        let case = house.start(json!({ "n": 1 })).await;
        let li = officer("li", "", "");
        for wait in [0, 10, 20] {
            assert_eq!(house.nodes(&li).await, "");
            house.clock.advance(Span::seconds(wait));
            house.engine.settle().await.unwrap();
        }
        assert_eq!(house.nodes(&li).await, "u");
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        // It counts what it was given: the variable and the case that calls.
        assert_eq!(file.data["answer"], 2);
        let calls = house.functions.calls.lock().unwrap()["third"].clone();
        assert_eq!(calls.len(), 3);
        assert!(
            calls.iter().all(|key| *key == calls[0]),
            "one key: {calls:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_service_is_set_aside_and_holds_nobody_up() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}{}{}{}{}{}<exclusiveGateway id="g"/>"#,
            service("a", "poison"),
            service("b", "breaks"),
            service("c", "hangs"),
            service("d", "works"),
            own("u", "li")
        );
        let flows = "start>g g>a:n=1 g>b:n=2 g>c:n=3 g>d:n=4 a>u b>u c>u d>u u>end";
        house.publish(&body, flows).await;
        let mut cases = vec![];
        for n in [1, 2, 3, 4, 4, 4] {
            cases.push(house.start(json!({ "n": n })).await.id);
        }
        let li = officer("li", "", "");
        house.engine.settle().await.unwrap();
        assert_eq!(house.inbox(&li).await.count, 3, "the sound ones went on");
        for _ in 0..8 {
            house.clock.advance(Span::hours(1));
            house.engine.settle().await.unwrap();
        }
        let aside = house.engine.set_aside(&admin(), 100).await.unwrap();
        let mut names: Vec<&str> = aside.iter().map(|a| a.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["breaks", "hangs", "poison"]);
        assert!(
            aside
                .iter()
                .all(|a| a.attempts == 4 && !a.error.words.zh.is_empty()),
            "{aside:?}"
        );
        assert_eq!(house.history(&cases[0]).await, "started set_aside");
        let denied = house.engine.set_aside(&li, 100).await;
        assert_eq!(denied.unwrap_err().code, "access.denied");
        // An operator tries it once more; it is called again.
        let before = house.functions.calls.lock().unwrap()["poison"].len();
        let poison = aside.iter().find(|a| a.name == "poison").unwrap();
        assert_eq!(house.engine.count_aside().await.unwrap(), 3);
        assert!(aside.iter().all(|a| a.number.is_some()), "{aside:?}");
        house.engine.try_again(&admin(), &poison.id).await.unwrap();
        let again = house.engine.try_again(&admin(), &poison.id).await;
        assert_eq!(again.unwrap_err().code, "input.not_found");
        house.engine.settle().await.unwrap();
        let after = house.functions.calls.lock().unwrap()["poison"].len();
        assert_eq!(after, before + 1);
        // A case that is cancelled takes its work with it.
        let cancel = CaseVerb::Cancel {
            reason: "撤诉".into(),
        };
        house
            .engine
            .rule(&admin(), &cases[0], None, cancel)
            .await
            .unwrap();
        let aside = house.engine.set_aside(&admin(), 100).await.unwrap();
        assert!(aside.iter().all(|a| a.name != "poison"), "{aside:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_refuses_is_an_error_of_the_drawing() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}{}<boundaryEvent id="caught" attachedToRef="s"><errorEventDefinition errorRef="e1"/></boundaryEvent>{}"#,
            service("s", "refuses"),
            own("u", "li")
        );
        house.publish(&body, "start>s s>end caught>u u>end").await;
        house.start(json!({})).await;
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&officer("li", "", "")).await, "u");
        let calls = house.functions.calls.lock().unwrap()["refuses"].len();
        assert_eq!(calls, 1, "an answer is not asked for again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_fire_once_after_a_long_stop() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let timer = |id: &str, what: &str| {
            format!(
                r#"<boundaryEvent id="{id}" attachedToRef="wait" cancelActivity="false"><timerEventDefinition>{what}</timerEventDefinition></boundaryEvent>"#
            )
        };
        let body = format!(
            "{ENDS}{}{}{}{}{}",
            own("wait", "li"),
            timer("once", "<timeDuration>PT1H</timeDuration>"),
            timer("often", "<timeCycle>R/PT1H</timeCycle>"),
            own("a", "a"),
            own("b", "b")
        );
        house.publish(&body, "start>wait wait>end once>a often>b a>end b>end").await;
        house.start(json!({})).await;
        house.engine.settle().await.unwrap();
        let (a, b) = (officer("a", "", ""), officer("b", "", ""));
        assert_eq!(house.nodes(&a).await, "");
        // A stop of ten days: each fires once, and the repeated one goes on from now.
        let clock = house.clock.clone();
        clock.advance(Span::days(10));
        let house = House::again(&store, clock).await;
        house.engine.settle().await.unwrap();
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&a).await, "a");
        assert_eq!(house.nodes(&b).await, "b");
        house.clock.advance(Span::minutes(59));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&b).await, "b");
        house.clock.advance(Span::minutes(1));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&b).await, "b b");
        assert_eq!(house.nodes(&a).await, "a");
        // What is left takes its timers with it.
        house.complete(&officer("li", "", ""), json!({})).await;
        house.clock.advance(Span::days(1));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&b).await, "b b");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_find_their_case_by_key_or_say_that_nobody_waits() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<receiveTask id="r" messageRef="m1"/>{}"#,
            own("u", "li")
        );
        house.publish(&body, "start>r r>u u>end").await;
        let one = house.start(json!({ "number": "N-1" })).await;
        let two = house.start(json!({ "number": "N-2" })).await;
        let message = |key: &str, once: Option<&str>| Message {
            name: "paid".into(),
            key: json!(key),
            data: object(json!({ "amount": 5 })),
            once: once.map(String::from),
            ..Message::default()
        };
        let send = async |message| house.engine.message(&admin(), message).await;
        let fault = send(message("N-3", None)).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found");
        let reached = send(message("N-2", Some("k"))).await.unwrap();
        assert_eq!(
            (reached.case.as_str(), reached.began),
            (two.id.as_str(), false)
        );
        let again = send(message("N-2", Some("k"))).await.unwrap();
        assert_eq!(again.case, two.id, "the same message again does nothing");
        let fault = send(message("N-2", None)).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found", "it was taken");
        let li = officer("li", "", "");
        assert_eq!(house.nodes(&li).await, "u");
        // A message for a case that has ended says so.
        house.complete(&li, json!({})).await;
        let late = Message {
            case: Some(two.id.clone()),
            ..message("N-2", None)
        };
        let fault = send(late).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        assert!(fault.words.en.contains("ended"), "{fault}");
        let early = Message {
            case: Some(one.id.clone()),
            name: "hello".into(),
            ..message("", None)
        };
        assert_eq!(send(early).await.unwrap_err().code, "input.not_found");
        let nobody = house.engine.message(&li, message("N-1", None)).await;
        assert_eq!(nobody.unwrap_err().code, "access.denied");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_begins_a_case_and_cases_write_to_each_other() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"<startEvent id="start"><messageEventDefinition messageRef="m2"/></startEvent><endEvent id="end"/>{}"#,
            own("u", "li")
        );
        house.publish(&body, "start>u u>end").await;
        let sender = crate::stage::file(
            r#"<startEvent id="start"/><sendTask id="s" messageRef="m2"/><endEvent id="end"/>"#,
            "start>s s>end",
        );
        let sender = sender.replace(r#"process id="p""#, r#"process id="q""#);
        house.engine.publish(&admin(), "q.bpmn", &sender).await.unwrap();
        let new = kernel::cases::NewCase {
            process: "q".into(),
            data: object(json!({ "from": "q" })),
            ..Default::default()
        };
        house.engine.start(&admin(), new).await.unwrap();
        house.engine.settle().await.unwrap();
        let task = house.only(&officer("li", "", "")).await;
        let file = house.engine.case(&admin(), &task.case).await.unwrap();
        assert_eq!(file.data["from"], "q");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reaches_all_that_wait() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<intermediateCatchEvent id="c"><signalEventDefinition signalRef="s1"/></intermediateCatchEvent>{}"#,
            own("u", "li")
        );
        house.publish(&body, "start>c c>u u>end").await;
        for _ in 0..120 {
            house.start(json!({})).await;
        }
        house.engine.signal(&admin(), "storm", object(json!({ "level": 3 }))).await.unwrap();
        house.engine.settle().await.unwrap();
        assert_eq!(house.inbox(&officer("li", "", "")).await.count, 120);
    })
    .await;
}

fn calling(id: &str, target: &str, task: &str) -> String {
    let body = format!(
        r#"{ENDS}<callActivity id="k" calledElement="{target}"/>{}"#,
        own("after", task)
    );
    let xml = crate::stage::file(&body, "start>k k>after after>end");
    xml.replace(r#"process id="p""#, &format!(r#"process id="{id}""#))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_called_process_comes_back_and_is_cancelled_with_its_caller() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        house
            .publish(&format!("{ENDS}{}", own("u", "li")), "start>u u>end")
            .await;
        let caller = calling("q", "p", "wang");
        house
            .engine
            .publish(&admin(), "q.bpmn", &caller)
            .await
            .unwrap();
        let new = || kernel::cases::NewCase {
            process: "q".into(),
            data: object(json!({ "x": 1 })),
            ..Default::default()
        };
        let (li, wang) = (officer("li", "", ""), officer("wang", "", ""));
        let parent = house.engine.start(&admin(), new()).await.unwrap();
        house.engine.settle().await.unwrap();
        let acted = house.complete(&li, json!({ "found": "y" })).await;
        assert_eq!(acted.case.parent.as_deref(), Some(parent.id.as_str()));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&wang).await, "after");
        let file = house.engine.case(&admin(), &parent.id).await.unwrap();
        assert_eq!(file.data["found"], "y");
        house.complete(&wang, json!({})).await;
        // A caller that is cancelled takes what it called along.
        let parent = house.engine.start(&admin(), new()).await.unwrap();
        house.engine.settle().await.unwrap();
        let task = house.only(&li).await;
        let cancel = CaseVerb::Cancel {
            reason: "撤回申请".into(),
        };
        house
            .engine
            .rule(&admin(), &parent.id, None, cancel)
            .await
            .unwrap();
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&li).await, "");
        assert_eq!(house.case(&task.case).await.state, CaseState::Cancelled);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_call_each_other_in_a_circle_are_refused() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let publish = async |id: &str, target: &str| {
            let xml = calling(id, target, "x");
            house
                .engine
                .publish(&admin(), &format!("{id}.bpmn"), &xml)
                .await
        };
        house
            .publish(&format!("{ENDS}{}", own("u", "x")), "start>u u>end")
            .await;
        publish("q", "p").await.unwrap();
        publish("r", "q").await.unwrap();
        let fault = publish("p", "r").await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
        assert!(fault.problems[0].at.starts_with("p.bpmn:"), "{fault}");
        let fault = publish("s", "s").await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_case_rests() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let timer =
            "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>";
        let body = format!(
            r#"{ENDS}{}<boundaryEvent id="t" attachedToRef="u">{timer}</boundaryEvent>{}"#,
            own("u", "li"),
            own("late", "wang")
        );
        house.publish(&body, "start>u u>end t>late late>end").await;
        let case = house.start(json!({})).await;
        let rule = async |verb| house.engine.rule(&admin(), &case.id, None, verb).await;
        let reason = "等待上级批复".to_string();
        rule(CaseVerb::Suspend { reason }).await.unwrap();
        let li = officer("li", "", "");
        let task = house.only(&li).await.id;
        let data = object(json!({}));
        let done = house
            .act(&li, &task, kernel::cases::TaskVerb::Complete { data })
            .await;
        assert_eq!(done.unwrap_err().code, "input.conflict");
        house.clock.advance(Span::hours(2));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&li).await, "u");
        rule(CaseVerb::Resume).await.unwrap();
        house.clock.advance(Span::minutes(2));
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&officer("wang", "", "")).await, "late");
        assert_eq!(house.nodes(&li).await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_a_service_refuses_is_mended_and_tried_again() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!("{ENDS}{}", service("s", "decides"));
        house.publish(&body, "start>s s>end").await;
        let case = house.start(json!({ "reason": "否" })).await;
        house.engine.settle().await.unwrap();
        // Nothing catches it: the case goes on as soon as the variable is mended.
        assert_eq!(house.case(&case.id).await.state, CaseState::Running);
        let aside = house.engine.set_aside(&admin(), 10).await.unwrap();
        assert_eq!(aside.len(), 1, "{aside:?}");
        assert_eq!(aside[0].error.code.as_deref(), Some("input.invalid"));
        assert_eq!(aside[0].error.words.zh, "须为 2 至 1000 个字");
        assert!(house.history(&case.id).await.ends_with("set_aside"));
        let data = object(json!({ "reason": "户籍不在本市" }));
        let set = kernel::cases::CaseVerb::Set { data };
        house.engine.rule(&admin(), &case.id, None, set).await.unwrap();
        house.engine.try_again(&admin(), &aside[0].id).await.unwrap();
        house.engine.settle().await.unwrap();
        assert_eq!(house.case(&case.id).await.state, CaseState::Completed);

        // Caught, the drawing says what follows.
        let body = format!(
            r#"{ENDS}{}<boundaryEvent id="caught" attachedToRef="s"><errorEventDefinition/></boundaryEvent>{}"#,
            service("s", "decides"),
            own("u", "li")
        );
        house.publish(&body, "start>s s>end caught>u u>end").await;
        house.start(json!({ "reason": "" })).await;
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&officer("li", "", "")).await, "u");
        // What is no fault of the input ends the case, as before.
        let body = format!("{ENDS}{}", service("s", "refuses"));
        house.publish(&body, "start>s s>end").await;
        let case = house.start(json!({})).await;
        house.engine.settle().await.unwrap();
        assert_eq!(house.case(&case.id).await.state, CaseState::Failed);
    })
    .await;
}
