//! 驳回 out of a called case: it ends, its caller goes back, in one step.

use crate::house::{House, admin, object, officer, own};
use crate::stage::file;
use kernel::Fault;
use kernel::access::Actor;
use kernel::cases::{Acted, Case, CaseState, CaseVerb, Cases, NewCase, TaskState, TaskVerb};
use serde_json::json;
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

async fn publish(house: &House, id: &str, body: &str, flows: &str) {
    let xml = file(body, flows).replace(
        r#"process id="p""#,
        &format!(r#"process id="{id}" name="{id} 流程""#),
    );
    let published = house.engine.publish(&admin(), id, &xml).await;
    published.unwrap_or_else(|fault| panic!("{fault} {:?}", fault.problems));
}

/// `outer`: apply (admin) → check (ann) → calls `middle`; that calls `inner`: look (li) → rule
/// (chief). `inner` is called by `middle` only.
async fn three_deep(house: &House) -> Case {
    let inner = format!("{ENDS}{}{}", own("look", "li"), own("rule", "chief"));
    publish(house, "inner", &inner, "start>look look>rule rule>end").await;
    let middle = format!(
        r#"{ENDS}{}<callActivity id="k" calledElement="inner"/>"#,
        own("weigh", "bob")
    );
    publish(house, "middle", &middle, "start>weigh weigh>k k>end").await;
    let outer = format!(
        r#"{ENDS}{}{}{}<callActivity id="k" calledElement="middle"/>"#,
        own("apply", "admin"),
        own("check", "ann"),
        own("beside", "wu")
    );
    let fork = r#"<parallelGateway id="f"/><parallelGateway id="j"/>"#;
    let flows = "start>apply apply>f f>check f>beside beside>j check>k k>j j>end";
    publish(house, "outer", &format!("{outer}{fork}"), flows).await;
    let new = NewCase {
        process: "outer".into(),
        number: Some("OUT-1".into()),
        ..NewCase::default()
    };
    let case = house.engine.start(&admin(), new).await.unwrap();
    for name in ["admin", "ann", "wu", "bob", "li"] {
        house.engine.settle().await.unwrap();
        let by = if name == "admin" { admin() } else { who(name) };
        house.complete(&by, json!({})).await;
    }
    case
}

fn who(name: &str) -> Actor {
    officer(name, "", "")
}

async fn back(house: &House, by: &str, case: &str, to: &str) -> Result<Acted, Fault> {
    let task = house.only(&who(by)).await.id;
    let verb = TaskVerb::SendBack {
        to: to.into(),
        case: Some(case.into()),
        reason: "勘验数据有误".into(),
    };
    house.act(&who(by), &task, verb).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_called_case_is_sent_back_to_its_caller() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let outer = three_deep(&house).await;
        let task = house.only(&who("chief")).await;
        let file = house.engine.task(&who("chief"), &task.id).await.unwrap();
        let offered: Vec<String> = file
            .targets
            .iter()
            .map(|target| format!("{} {} {}", target.process, target.node, target.name))
            .collect();
        // What another branch of the caller did is not offered.
        assert_eq!(
            offered,
            [
                "inner 流程 look look",
                "middle 流程 weigh weigh",
                "outer 流程 apply apply",
                "outer 流程 check check"
            ]
        );
        assert_eq!(file.targets[2].number, "OUT-1");
        let middle = file.targets[1].case.clone();
        for (case, to, at) in [
            ("nowhere", "check", "case"),
            (task.case.as_str(), "weigh", "to"),
            (middle.as_str(), "check", "to"),
            (outer.id.as_str(), "beside", "to"),
            (outer.id.as_str(), "weigh", "to"),
        ] {
            let fault = back(&house, "chief", case, to).await.unwrap_err();
            let said = (fault.code, fault.problems[0].at.as_str());
            assert_eq!(said, ("input.invalid", at), "{case} {to}");
        }
        let acted = back(&house, "chief", &middle, "weigh").await.unwrap();
        assert_eq!(acted.task.state, TaskState::SentBack);
        assert_eq!(
            (acted.case.state, acted.case.id.as_str()),
            (CaseState::Cancelled, task.case.as_str())
        );
        assert_eq!(acted.opened[0].node, "weigh");
        assert_eq!(
            house.history(&task.case).await,
            "started completed sent_back ended"
        );
        assert_eq!(house.history(&middle).await, "started completed sent_back");
        let again = house.only(&who("bob")).await;
        assert_eq!(
            (again.case.as_str(), again.node.as_str()),
            (middle.as_str(), "weigh")
        );
        // What is left to do afterwards changes nothing: the end of the called case is no return.
        house.engine.settle().await.unwrap();
        assert_eq!(house.nodes(&who("bob")).await, "weigh");
        // On again, to the end of all.
        for name in ["bob", "li", "chief"] {
            house.complete(&who(name), json!({})).await;
            house.engine.settle().await.unwrap();
        }
        assert_eq!(house.case(&outer.id).await.state, CaseState::Completed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn further_out_those_between_end_too() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let outer = three_deep(&house).await;
        let task = house.only(&who("chief")).await;
        let file = house.engine.task(&who("chief"), &task.id).await.unwrap();
        let middle = file.targets[1].case.clone();
        back(&house, "chief", &outer.id, "check").await.unwrap();
        house.engine.settle().await.unwrap();
        for case in [&task.case, &middle] {
            assert_eq!(house.case(case).await.state, CaseState::Cancelled);
        }
        assert_eq!(house.nodes(&who("ann")).await, "check");
        let set_aside = house.engine.set_aside(&admin(), 10).await.unwrap();
        assert!(set_aside.is_empty(), "{set_aside:?}");
        for name in ["ann", "bob", "li", "chief"] {
            house.complete(&who(name), json!({})).await;
            house.engine.settle().await.unwrap();
        }
        assert_eq!(house.case(&outer.id).await.state, CaseState::Completed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_does_not_go_on_is_not_sent_back_to() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let outer = three_deep(&house).await;
        let reason = "x".to_string();
        let suspend = CaseVerb::Suspend { reason };
        let by = admin();
        house
            .engine
            .rule(&by, &outer.id, None, suspend)
            .await
            .unwrap();
        let fault = back(&house, "chief", &outer.id, "check").await.unwrap_err();
        assert!(
            fault.code == "input.conflict" && fault.words.zh.contains("OUT-1"),
            "{fault}"
        );
        house
            .engine
            .rule(&by, &outer.id, None, CaseVerb::Resume)
            .await
            .unwrap();
        // Of two who act one is first, and the other is told by whom.
        let task = house.only(&who("chief")).await.id;
        back(&house, "chief", &outer.id, "check").await.unwrap();
        let data = object(json!({}));
        let late = house
            .act(&who("chief"), &task, TaskVerb::Complete { data })
            .await;
        assert_eq!(late.unwrap_err().problems[0].words.en, "chief");
    })
    .await;
}
