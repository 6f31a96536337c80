//! The verbs of Chinese offices, each as it is meant and as it must be refused.

use crate::house::{House, admin, object, offered, officer, own};
use kernel::Span;
use kernel::access::Actor;
use kernel::cases::{CaseState, Cases, TaskState, TaskVerb};
use serde_json::json;
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

/// apply (for the starter) → check (offered to clerks) → decide (chief).
async fn three_steps(house: &House) -> [Actor; 3] {
    let body = format!(
        "{ENDS}{}{}{}",
        own("apply", "admin"),
        offered("check", "clerk", "housing"),
        own("decide", "chief")
    );
    let flows = "start>apply apply>check check>decide decide>end";
    house.publish(&body, flows).await;
    [
        admin(),
        officer("li", "housing", "clerk"),
        officer("chief", "", ""),
    ]
}

fn text(text: &str) -> String {
    text.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn transferred_it_is_another_s() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, _] = three_steps(&house).await;
        house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let task = house.only(&li).await.id;
        let transfer = |to: &str| TaskVerb::Transfer {
            to: to.into(),
            reason: text("出差"),
        };
        house.act(&li, &task, transfer("wang")).await.unwrap();
        assert_eq!(house.nodes(&li).await, "");
        let fault = house.act(&li, &task, transfer("li")).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict", "it is wang's");
        let wang = officer("wang", "", "");
        let fault = house.act(&wang, &task, transfer("wang")).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
        house.complete(&wang, json!({})).await;
        assert_eq!(house.nodes(&officer("chief", "", "")).await, "decide");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn delegated_it_is_done_for_its_owner() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, _] = three_steps(&house).await;
        let case = house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let task = house.only(&li).await.id;
        let delegate = TaskVerb::Delegate {
            to: text("wang"),
            reason: text("休假"),
        };
        house.act(&li, &task, delegate).await.unwrap();
        let wang = officer("wang", "", "");
        assert_eq!(house.only(&wang).await.owner.as_deref(), Some("li"));
        house.complete(&wang, json!({})).await;
        let entries = house.engine.history(&li, &case.id, 0, 0).await.unwrap();
        let done = entries.iter().rfind(|e| e.what == "completed").unwrap();
        assert_eq!(
            (done.by.as_str(), &done.details["for"]),
            ("wang", &json!("li"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_signer_is_waited_for() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, chief] = three_steps(&house).await;
        house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let task = house.only(&li).await.id;
        house.act(&li, &task, TaskVerb::Claim).await.unwrap();
        let add = |to: &str| TaskVerb::AddSigner {
            to: to.into(),
            reason: text("请签署意见"),
            countersign: None,
        };
        house.act(&li, &task, add("one")).await.unwrap();
        let fault = house.act(&li, &task, add("one")).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        house.act(&li, &task, add("two")).await.unwrap();
        let complete = || TaskVerb::Complete {
            data: object(json!({})),
        };
        let fault = house.act(&li, &task, complete()).await.unwrap_err();
        assert!(fault.words.en.contains("2 added signers"), "{fault}");
        house
            .complete(&officer("one", "", ""), json!({ "agree": true }))
            .await;
        // 减签: the other is not waited for any more.
        let two = officer("two", "", "");
        let signer = house.only(&two).await.id;
        let remove = || TaskVerb::RemoveSigner {
            signer: signer.clone(),
            reason: String::new(),
        };
        house.act(&li, &task, remove()).await.unwrap();
        let fault = house.act(&li, &task, remove()).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        assert_eq!(house.nodes(&two).await, "");
        let fault = house.act(&two, &signer, complete()).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        house.act(&li, &task, complete()).await.unwrap();
        assert_eq!(house.nodes(&chief).await, "decide");
    })
    .await;
}

/// Nobody is given work who could not do it; the field is named, and nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn work_goes_to_officials_only() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, _] = three_steps(&house).await;
        house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let before = house.only(&li).await;
        for (who, en) in [
            ("nobody_z", "there is no account"),
            ("gone", "is disabled"),
            ("resident", "is no official"),
        ] {
            let (to, reason) = (text(who), text("x"));
            let verbs = [
                TaskVerb::Transfer {
                    to: to.clone(),
                    reason: reason.clone(),
                },
                TaskVerb::Delegate {
                    to: to.clone(),
                    reason: reason.clone(),
                },
                TaskVerb::AddSigner {
                    to: to.clone(),
                    reason: reason.clone(),
                    countersign: None,
                },
                TaskVerb::Circulate {
                    to: vec![text("wang"), to],
                    reason,
                },
            ];
            for verb in verbs {
                let word = format!("{verb:?}");
                let fault = house.act(&li, &before.id, verb.clone()).await.unwrap_err();
                assert_eq!(fault.code, "input.invalid", "{word}");
                let problem = &fault.problems[0];
                assert_eq!(problem.at, "to", "{word}");
                assert!(problem.words.en.contains(en), "{word}: {:?}", problem.words);
                assert!(
                    problem.words.zh.contains(who),
                    "{word}: {:?}",
                    problem.words
                );
                // Who has no part in the task learns nothing of accounts.
                let stranger = officer("wu", "water", "clerk");
                let fault = house.act(&stranger, &before.id, verb).await.unwrap_err();
                assert_eq!(fault.code, "input.not_found", "{word}");
            }
        }
        assert_eq!(house.only(&li).await, before);
        assert_eq!(house.nodes(&officer("wang", "", "")).await, "");
    })
    .await;
}

/// A drawing that names somebody who is not there: the organisation in charge sees the task.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_for_nobody_is_shown_to_the_organisation_in_charge() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        for (assignee, seen) in [
            ("nobody_z", true),
            ("gone", true),
            ("resident", false),
            ("wang", false),
        ] {
            let body = format!("{ENDS}{}", own("check", assignee));
            house.publish(&body, "start>check check>end").await;
            let case = house.start(json!({})).await;
            let clerk = officer("li", "housing", "");
            let expect = if seen { "check" } else { "" };
            assert_eq!(house.nodes(&clerk).await, expect, "{assignee}");
            let cancel = kernel::cases::CaseVerb::Cancel { reason: text("x") };
            let admin = admin();
            house
                .engine
                .rule(&admin, &case.id, None, cancel)
                .await
                .unwrap();
        }
    })
    .await;
}

/// Work for an organisation that went into another is that one's, from the beginning.
#[tokio::test(flavor = "multi_thread")]
async fn new_work_for_an_organisation_that_ended_goes_to_its_successor() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!("{ENDS}{}", offered("check", "clerk", "old"));
        house.publish(&body, "start>check check>end").await;
        let new = kernel::cases::NewCase {
            process: "p".into(),
            organisation: Some("old".into()),
            ..Default::default()
        };
        let case = house.engine.start(&admin(), new).await.unwrap();
        assert_eq!(case.organisation.as_deref(), Some("housing"));
        let task = house.only(&officer("li", "housing", "clerk")).await;
        assert_eq!(task.organisation.as_deref(), Some("housing"));
        for code in ["housing", "old"] {
            let filter = kernel::cases::CaseFilter {
                organisation: Some(code.into()),
                ..Default::default()
            };
            let found = house.engine.cases(&admin(), &filter).await.unwrap();
            assert_eq!(found.count, i64::from(code == "housing"), "{code}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_back_it_goes_to_who_did_it() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, chief] = three_steps(&house).await;
        let case = house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        house.complete(&li, json!({})).await;
        let task = house.only(&chief).await.id;
        let back = |to: &str, reason: &str| TaskVerb::SendBack {
            to: to.into(),
            case: None,
            reason: reason.into(),
        };
        for (to, reason) in [
            ("check", ""),
            ("decide", "x"),
            ("end", "x"),
            ("nowhere", "x"),
        ] {
            let fault = house
                .act(&chief, &task, back(to, reason))
                .await
                .unwrap_err();
            assert_eq!(fault.code, "input.invalid", "{to}");
        }
        let acted = house
            .act(&chief, &task, back("check", "材料不全"))
            .await
            .unwrap();
        assert_eq!(acted.task.state, TaskState::SentBack);
        // Not offered to all clerks again, but to the one who did it.
        assert_eq!(house.nodes(&officer("other", "housing", "clerk")).await, "");
        assert_eq!(house.nodes(&li).await, "check");
        // Once more from the start: to who started it.
        let task = house.only(&li).await.id;
        let reason = text("请补充");
        let verb = TaskVerb::ReturnToStarter { reason };
        house.act(&li, &task, verb).await.unwrap();
        let first = house.only(&start).await;
        assert_eq!(first.node, "apply");
        let verb = TaskVerb::ReturnToStarter { reason: text("x") };
        let fault = house.act(&start, &first.id, verb).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        house.complete(&start, json!({})).await;
        house.complete(&li, json!({})).await;
        house.complete(&chief, json!({})).await;
        assert_eq!(house.case(&case.id).await.state, CaseState::Completed);
        let expect =
            "started completed completed sent_back returned completed completed completed ended";
        assert_eq!(house.history(&case.id).await, expect);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_back_while_nobody_has_gone_on() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, chief] = three_steps(&house).await;
        house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let done = house.complete(&li, json!({})).await.task.id;
        let withdraw = || TaskVerb::Withdraw {
            reason: text("写错了"),
        };
        let other = officer("other", "housing", "clerk");
        let fault = house.act(&other, &done, withdraw()).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found", "only who did it");
        house.act(&li, &done, withdraw()).await.unwrap();
        assert_eq!(house.nodes(&chief).await, "");
        assert_eq!(house.nodes(&li).await, "check");
        let done = house.complete(&li, json!({})).await.task.id;
        let next = house.only(&chief).await.id;
        house.act(&chief, &next, TaskVerb::Claim).await.unwrap();
        let fault = house.act(&li, &done, withdraw()).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        assert!(fault.words.en.contains("chief"), "{fault}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn circulated_it_is_read_and_nobody_waits() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, _] = three_steps(&house).await;
        let case = house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let task = house.only(&li).await.id;
        let circulate = |to: Vec<String>| TaskVerb::Circulate {
            to,
            reason: text("周知"),
        };
        let fault = house.act(&li, &task, circulate(vec![])).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
        let readers = vec![text("a"), text("b"), text("a")];
        let acted = house.act(&li, &task, circulate(readers)).await.unwrap();
        assert_eq!(acted.opened.len(), 2, "each reads once");
        house.complete(&li, json!({})).await;
        house.complete(&officer("chief", "", ""), json!({})).await;
        assert_eq!(house.case(&case.id).await.state, CaseState::Completed);
        let read = house.complete(&officer("a", "", ""), json!({})).await;
        assert_eq!(read.task.state, TaskState::Done, "also after the end");
        assert_eq!(house.inbox(&officer("b", "", "")).await.count, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urged_once_an_hour_by_who_has_to_do_with_it() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, _] = three_steps(&house).await;
        house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let task = house.only(&li).await.id;
        let urge = || TaskVerb::Urge {
            words: text("请尽快办理"),
        };
        house.act(&start, &task, urge()).await.unwrap();
        let fault = house.act(&start, &task, urge()).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        house.clock.advance(Span::hours(1));
        let acted = house.act(&start, &task, urge()).await.unwrap();
        assert_eq!(acted.task.urged, 2);
        let stranger = officer("x", "", "");
        let fault = house.act(&stranger, &task, urge()).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn given_back_it_is_offered_again() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, chief] = three_steps(&house).await;
        house.start(json!({})).await;
        house.complete(&start, json!({})).await;
        let task = house.only(&li).await.id;
        let other = officer("other", "housing", "clerk");
        house.act(&li, &task, TaskVerb::Claim).await.unwrap();
        assert_eq!(house.nodes(&other).await, "");
        house.act(&li, &task, TaskVerb::Claim).await.unwrap(); // a second click
        house.act(&li, &task, TaskVerb::Release).await.unwrap();
        assert_eq!(house.nodes(&other).await, "check");
        house.complete(&other, json!({})).await;
        let own = house.only(&chief).await.id;
        let fault = house
            .act(&chief, &own, TaskVerb::Release)
            .await
            .unwrap_err();
        assert_eq!(fault.code, "input.conflict");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handed_over_nothing_stays_with_who_has_left() {
    use kernel::organisations::{OpenWork, Successor};
    each_store(|store| async move {
        let house = House::open(&store).await;
        let [start, li, _] = three_steps(&house).await;
        for _ in 0..3 {
            house.start(json!({})).await;
            house.complete(&start, json!({})).await;
            let task = house.only(&li).await.id;
            house.act(&li, &task, TaskVerb::Claim).await.unwrap();
            let transfer = TaskVerb::Transfer {
                to: text("leaver"),
                reason: String::new(),
            };
            house.act(&li, &task, transfer).await.unwrap();
        }
        let items = house.engine.of("leaver", 10).await.unwrap();
        assert_eq!(items.len(), 3);
        assert_eq!(house.engine.of("leaver", 2).await.unwrap().len(), 2);
        let mut tx = store.begin().await.unwrap();
        let to = [
            Successor::Account(text("heir")),
            Successor::Queue,
            Successor::Queue,
        ];
        for (item, to) in items.iter().zip(&to) {
            let tx: &mut (dyn std::any::Any + Send) = &mut tx;
            let handed = house.engine.hand_over(tx, &start, &item.id, "leaver", to);
            assert!(handed.await.unwrap());
        }
        let again: &mut (dyn std::any::Any + Send) = &mut tx;
        let gone = house
            .engine
            .hand_over(again, &start, &items[0].id, "leaver", &to[0]);
        assert!(!gone.await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(house.engine.of("leaver", 10).await.unwrap().len(), 0);
        assert_eq!(house.nodes(&officer("heir", "", "")).await, "check");
        assert_eq!(house.nodes(&li).await, "check check");
    })
    .await;
}

/// apply → split → one (ann) and two (bob) → join → decide (chief).
async fn split(house: &House) {
    let body = format!(
        r#"{ENDS}<parallelGateway id="f"/><parallelGateway id="j"/>{}{}{}{}"#,
        own("apply", "admin"),
        own("one", "ann"),
        own("two", "bob"),
        own("decide", "chief")
    );
    let flows = "start>apply apply>f f>one f>two one>j two>j j>decide decide>end";
    house.publish(&body, flows).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn side_by_side_it_is_sent_back_and_taken_back() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        split(&house).await;
        let (ann, bob) = (officer("ann", "", ""), officer("bob", "", ""));
        let (start, chief) = (admin(), officer("chief", "", ""));
        let case = house.start(json!({})).await;
        let applied = house.complete(&start, json!({})).await.task.id;
        let withdraw = || TaskVerb::Withdraw {
            reason: text("写错了"),
        };
        // Nobody has touched either of the two.
        house.act(&start, &applied, withdraw()).await.unwrap();
        assert_eq!(
            (house.nodes(&ann).await, house.nodes(&bob).await),
            (text(""), text(""))
        );
        house.complete(&start, json!({})).await;
        house.complete(&ann, json!({})).await;
        let back = |to: &str| TaskVerb::SendBack {
            to: to.into(),
            case: None,
            reason: text("重做"),
        };
        // One does not lead to two.
        let two = house.only(&bob).await.id;
        let fault = house.act(&bob, &two, back("one")).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
        let done = house.complete(&bob, json!({})).await.task.id;
        house.act(&bob, &done, withdraw()).await.unwrap();
        assert_eq!(house.nodes(&chief).await, "");
        house.complete(&bob, json!({})).await;
        let decide = house.only(&chief).await.id;
        house.act(&chief, &decide, back("one")).await.unwrap();
        assert_eq!(
            (house.nodes(&ann).await, house.nodes(&bob).await),
            (text("one"), text(""))
        );
        house.complete(&ann, json!({})).await;
        house.complete(&chief, json!({})).await;
        assert_eq!(house.case(&case.id).await.state, CaseState::Completed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sent_back_to_a_countersign_everybody_has_their_own() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<userTask id="m" name="m" j:assignee="who"><multiInstanceLoopCharacteristics
            j:collection="people" j:item="who"/></userTask>{}"#,
            own("decide", "chief")
        );
        house.publish(&body, "start>m m>decide decide>end").await;
        house.start(json!({ "people": ["ann", "bob"] })).await;
        let (ann, bob) = (officer("ann", "", ""), officer("bob", "", ""));
        house.complete(&ann, json!({})).await;
        let done = house.complete(&bob, json!({})).await.task.id;
        let reason = text("x");
        let fault = house.act(&bob, &done, TaskVerb::Withdraw { reason }).await;
        assert_eq!(fault.unwrap_err().code, "input.conflict");
        let chief = officer("chief", "", "");
        let decide = house.only(&chief).await.id;
        let back = TaskVerb::SendBack {
            to: text("m"),
            case: None,
            reason: text("重签"),
        };
        house.act(&chief, &decide, back).await.unwrap();
        assert_eq!(
            (house.nodes(&ann).await, house.nodes(&bob).await),
            (text("m"), text("m"))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_out_is_not_called_back() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}{}<sendTask id="tell" name="告知" messageRef="m2"/>{}"#,
            own("apply", "admin"),
            own("decide", "chief")
        );
        house
            .publish(&body, "start>apply apply>tell tell>decide decide>end")
            .await;
        house.start(json!({})).await;
        let done = house.complete(&admin(), json!({})).await.task.id;
        let reason = text("x");
        let fault = house
            .act(&admin(), &done, TaskVerb::Withdraw { reason })
            .await;
        let fault = fault.unwrap_err();
        assert!(
            fault.code == "input.conflict" && fault.words.zh.contains("告知"),
            "{fault}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_calculates_without_end_is_stopped() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<scriptTask id="s" scriptFormat="feel" j:result="x"><script>slow</script>
            <standardLoopCharacteristics loopMaximum="1000"/></scriptTask>"#
        );
        house.publish(&body, "start>s s>end").await;
        let begun = std::time::Instant::now();
        let case = house.start(json!({})).await;
        assert!(begun.elapsed().as_secs() < 60, "300 s without a budget");
        assert_eq!((case.state, case.stuck), (CaseState::Running, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_in_is_judged_by_the_form() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let form = |node: &str, form: &str| {
            format!(r#"<userTask id="{node}" name="{node}" j:assignee='"li"' j:form="{form}"/>"#)
        };
        let free = r#"<userTask id="free" name="free" j:assignee='"li"'/>"#;
        let body = format!(
            "{ENDS}{}{}{free}",
            form("judged", "review"),
            form("named", "nothing")
        );
        house
            .publish(&body, "start>judged judged>named named>free free>end")
            .await;
        let about = json!({ "application": { "id": "one" }, "applicant": "x" });
        let case = house.start(about).await;
        let li = officer("li", "", "");
        let complete = async |data: serde_json::Value| {
            let data = object(data);
            let task = house.only(&li).await.id;
            let done = house.act(&li, &task, TaskVerb::Complete { data }).await;
            let places = |fault: kernel::Fault| -> Vec<String> {
                assert_eq!(fault.code, "input.invalid");
                fault.problems.into_iter().map(|p| p.at).collect()
            };
            done.map(drop).map_err(places)
        };
        let wrong = complete(json!({ "approved": "yes", "x": 1 }))
            .await
            .unwrap_err();
        assert_eq!(wrong, ["/answers/x", "/answers/approved"]);
        assert_eq!(
            complete(json!({})).await.unwrap_err(),
            ["/answers/approved"]
        );
        // Who may not complete it is told that, and nothing of the form.
        let task = house.only(&li).await.id;
        let data = object(json!({ "approved": "yes" }));
        let other = officer("other", "", "");
        let verb = TaskVerb::Complete { data };
        let fault = house.act(&other, &task, verb.clone()).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found");
        let stale = house
            .engine
            .act(&li, &task, Some(99), verb)
            .await
            .unwrap_err();
        assert_eq!(stale.code, "input.conflict");
        complete(json!({ "approved": true })).await.unwrap();
        // No form of that name, and no form at all: anything but what the case is about.
        for _ in 0..2 {
            let data = json!({
                "application": { "id": "two" }, "case": "c", "item": "i", "licence": "l",
                "note": "好",
            });
            let wrong = complete(data).await.unwrap_err();
            let expected = ["application", "case", "item", "licence"];
            assert_eq!(wrong, expected.map(|name| format!("/answers/{name}")));
            complete(json!({ "note": "好" })).await.unwrap();
        }
        let data = house.engine.case(&admin(), &case.id).await.unwrap().data;
        assert_eq!(data["application"]["id"], "one");
    })
    .await;
}
