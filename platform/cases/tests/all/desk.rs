//! Cases that survive: begun, found in an inbox, done; by one of two; and nobody else's.

use crate::house::{House, admin, object, offered, officer, own};
use kernel::cases::{
    CaseState, Cases, InboxFilter, Migration, NewCase, Process, TaskState, TaskVerb, Whose,
};
use serde_json::json;
use std::sync::Arc;
use testkit::each_store;

const ENDS: &str = r#"<startEvent id="start"/><endEvent id="end"/>"#;

fn complete() -> TaskVerb {
    TaskVerb::Complete {
        data: object(json!({})),
    }
}

/// Accept, offered to clerks of housing; then decide, for the chief.
async fn two_steps(house: &House) {
    let body = format!(
        "{ENDS}{}{}",
        offered("accept", "clerk", "housing"),
        own("decide", "chief")
    );
    house
        .publish(&body, "start>accept accept>decide decide>end")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_inbox_to_inbox_to_its_end() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        let case = house.start(json!({ "applicant": "甲" })).await;
        let (clerk, chief) = (
            officer("li", "housing", "clerk"),
            officer("chief", "housing", ""),
        );
        assert_eq!(house.nodes(&clerk).await, "accept");
        assert_eq!(house.nodes(&chief).await, "");
        let task = house.only(&clerk).await;
        let claimed = house.act(&clerk, &task.id, TaskVerb::Claim).await.unwrap();
        assert_eq!(claimed.task.assignee.as_deref(), Some("li"));
        let acted = house.complete(&clerk, json!({ "sound": true })).await;
        assert_eq!(acted.task.state, TaskState::Done);
        assert_eq!(acted.opened.len(), 1);
        assert_eq!(house.nodes(&clerk).await, "");
        assert_eq!(house.nodes(&chief).await, "decide");
        let opened = house.engine.task(&chief, &acted.opened[0].id).await;
        let data = opened.unwrap().data;
        assert_eq!(data["sound"], true);
        assert_eq!(data["applicant"], "甲");
        // A stop in between loses nothing.
        let house = House::again(&store, house.clock.clone()).await;
        let acted = house.complete(&chief, json!({})).await;
        assert!(acted.ended());
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        assert_eq!(file.case.state, CaseState::Completed);
        assert_eq!(file.passed, ["accept", "decide"]);
        assert!(file.tasks.is_empty() && file.marks.is_empty());
        assert_eq!(file.data["sound"], true);
        assert_eq!(
            house.history(&case.id).await,
            "started claimed completed completed ended"
        );
        assert!(store.audit().verify().await.unwrap().damage.is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_task_is_offered_to() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            "{ENDS}{}{}{}{}",
            offered("a", "clerk", "housing"),
            offered("b", "clerk", ""),
            offered("c", "", "housing"),
            own("d", "li")
        );
        let flows = "start>a start>b start>c start>d a>end b>end c>end d>end";
        house.publish(&body, flows).await;
        house.start(json!({})).await;
        let check = async |organisation: &str, roles: &str, account: &str, expect: &str| {
            let actor = officer(account, organisation, roles);
            let mut nodes: Vec<String> = vec![];
            for row in house.inbox(&actor).await.rows {
                nodes.push(row.node);
            }
            nodes.sort();
            assert_eq!(nodes.join(" "), expect, "{organisation} {roles} {account}");
        };
        check("housing", "clerk", "wang", "a b c").await;
        check("water", "clerk", "wang", "b").await;
        check("housing", "chief", "wang", "c").await;
        check("housing", "clerk chief", "li", "a b c d").await;
        check("", "", "li", "d").await;
        check("", "", "", "").await;
        let filter = |whose| InboxFilter {
            whose,
            ..InboxFilter::default()
        };
        let li = officer("li", "housing", "clerk");
        let mine = house.engine.inbox(&li, &filter(Whose::Mine)).await.unwrap();
        assert_eq!(mine.count, 1);
        let offered = house
            .engine
            .inbox(&li, &filter(Whose::Offered))
            .await
            .unwrap();
        assert_eq!(offered.count, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_others_is_not_there() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        let case = house.start(json!({})).await;
        let li = officer("li", "housing", "clerk");
        let stranger = officer("zhao", "water", "clerk");
        let task = house.only(&li).await.id;
        let missing = |outcome: Result<_, kernel::Fault>| {
            assert_eq!(outcome.map(|_: ()| ()).unwrap_err().code, "input.not_found");
        };
        for verb in [
            TaskVerb::Claim,
            complete(),
            TaskVerb::Transfer {
                to: "zhao".into(),
                reason: String::new(),
            },
            TaskVerb::Urge {
                words: String::new(),
            },
            TaskVerb::Withdraw {
                reason: String::new(),
            },
            TaskVerb::Circulate {
                to: vec!["zhao".into()],
                reason: String::new(),
            },
        ] {
            missing(house.act(&stranger, &task, verb).await.map(drop));
        }
        missing(house.engine.task(&stranger, &task).await.map(drop));
        missing(house.engine.case(&stranger, &case.id).await.map(drop));
        let entries = house.engine.history(&stranger, &case.id, 0, 0).await;
        missing(entries.map(drop));
        let set = kernel::cases::CaseVerb::Cancel { reason: "x".into() };
        missing(
            house
                .engine
                .rule(&stranger, &case.id, None, set)
                .await
                .map(drop),
        );
        assert_eq!(house.inbox(&stranger).await.count, 0);
        // Taken by a colleague it can be looked at no more than done.
        house.act(&li, &task, TaskVerb::Claim).await.unwrap();
        let colleague = officer("wang", "housing", "clerk");
        let fault = house.act(&colleague, &task, complete()).await.unwrap_err();
        assert_eq!(fault.code, "input.conflict");
        assert!(fault.words.en.contains("li"), "{fault}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_officers_one_is_first_and_the_other_is_told_by_whom() {
    each_store(|store| async move {
        let house = Arc::new(House::open(&store).await);
        two_steps(&house).await;
        let one = officer("one", "housing", "clerk");
        let two = officer("two", "housing", "clerk");
        for round in 0..60 {
            house.start(json!({})).await;
            let task = house.only(&one).await.id;
            let race = |actor: kernel::access::Actor| {
                let (house, task) = (house.clone(), task.clone());
                tokio::spawn(async move { house.act(&actor, &task, complete()).await })
            };
            let (a, b) = (race(one.clone()), race(two.clone()));
            let (a, b) = (a.await.unwrap(), b.await.unwrap());
            let (winner, fault) = match (a, b) {
                (Ok(_), Err(fault)) => ("one", fault),
                (Err(fault), Ok(_)) => ("two", fault),
                (a, b) => panic!("round {round}: {a:?} {b:?}"),
            };
            assert_eq!(fault.code, "input.conflict", "round {round}");
            assert_eq!(fault.problems[0].words.en, winner, "round {round}");
            assert!(fault.words.zh.contains(winner), "{fault}");
        }
        let chief = officer("chief", "", "");
        assert_eq!(house.inbox(&chief).await.count, 60, "each went on once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_it_was_seen_is_refused() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        house.start(json!({})).await;
        let li = officer("li", "housing", "clerk");
        let task = house.only(&li).await;
        house.act(&li, &task.id, TaskVerb::Claim).await.unwrap();
        let seen = Some(task.revision);
        let stale = house.engine.act(&li, &task.id, seen, complete()).await;
        assert_eq!(stale.unwrap_err().code, "input.conflict");
        let seen = Some(task.revision + 1);
        house
            .engine
            .act(&li, &task.id, seen, complete())
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_starts_one_case_and_numbers_are_unique() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        let new = |number: &str, once: Option<&str>| NewCase {
            process: "p".into(),
            number: Some(number.into()),
            once: once.map(String::from),
            ..NewCase::default()
        };
        let start = async |new| house.engine.start(&admin(), new).await;
        let first = start(new("A-1", Some("k"))).await.unwrap();
        let again = start(new("A-1", Some("k"))).await.unwrap();
        assert_eq!(first.id, again.id);
        let other = start(new("A-2", Some("k"))).await.unwrap_err();
        assert_eq!(other.code, "input.conflict", "the key was used for another");
        let taken = start(new("A-1", None)).await.unwrap_err();
        assert_eq!(taken.code, "input.conflict", "the number is in use");
        let window = officer("window", "", "window");
        let theirs = house.engine.start(&window, new("A-3", Some("k"))).await;
        assert_ne!(theirs.unwrap().id, first.id, "a key is its account's");
        let nobody = officer("nobody", "", "");
        let denied = house.engine.start(&nobody, new("A-4", None)).await;
        assert_eq!(denied.unwrap_err().code, "access.denied");
        let found = house.engine.case(&admin(), "A-1").await.unwrap();
        assert_eq!(found.case.id, first.id);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_input_is_refused_whole_with_every_fault() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        let limit = |days| kernel::cases::Limit {
            days,
            count: kernel::cases::Count::WorkingDays,
        };
        let wrong = NewCase {
            process: String::new(),
            title: "长".repeat(201),
            number: Some(" ".into()),
            statutory: Some(limit(5)),
            promised: Some(limit(6)),
            since: kernel::Time::parse("2099-01-01T00:00:00+08:00"),
            ..NewCase::default()
        };
        let fault = house.engine.start(&admin(), wrong).await.unwrap_err();
        let at: Vec<&str> = fault.problems.iter().map(|p| p.at.as_str()).collect();
        assert_eq!(at, ["process", "title", "number", "promised", "since"]);
        let ancient = NewCase {
            process: "p".into(),
            since: kernel::Time::parse("0001-01-01T00:00:00+08:00"),
            ..NewCase::default()
        };
        assert!(ancient.since.is_some());
        let fault = house.engine.start(&admin(), ancient).await.unwrap_err();
        assert_eq!(fault.problems[0].at, "since");
        let large = NewCase {
            process: "p".into(),
            data: object(json!({ "x": "x".repeat(300_000) })),
            ..NewCase::default()
        };
        let fault = house.engine.start(&admin(), large).await.unwrap_err();
        assert_eq!(fault.code, "input.too_large");
        // Beyond the state of a case, though not beyond one request.
        let noise: Vec<u64> = (0..20_000u64)
            .map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15))
            .collect();
        let noisy = NewCase {
            process: "p".into(),
            data: object(json!({ "x": noise[..10_000] })),
            ..NewCase::default()
        };
        let fault = house.engine.start(&admin(), noisy).await.unwrap_err();
        assert_eq!(fault.code, "input.too_large");
        let unknown = NewCase {
            process: "q".into(),
            ..NewCase::default()
        };
        let fault = house.engine.start(&admin(), unknown).await.unwrap_err();
        assert_eq!(fault.code, "input.not_found");
        let cases = house.engine.cases(&admin(), &Default::default()).await;
        assert_eq!(cases.unwrap().count, 0, "nothing was begun");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_stay_on_their_version() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        let old = house.start(json!({})).await;
        let body = format!("{ENDS}{}", own("only", "li"));
        house.publish(&body, "start>only only>end").await;
        house.publish(&body, "start>only only>end").await; // the same again
        let new = house.start(json!({})).await;
        assert_eq!((old.version, new.version), (1, 2));
        let house = House::again(&store, house.clock.clone()).await;
        let versions = house.engine.versions("p").await.unwrap();
        let open: Vec<(i64, i64)> = versions.iter().map(|v| (v.version, v.open)).collect();
        assert_eq!(open, [(2, 1), (1, 1)]);
        house
            .complete(&officer("x", "housing", "clerk"), json!({}))
            .await;
        house.complete(&officer("chief", "", ""), json!({})).await;
        assert_eq!(house.case(&old.id).await.state, CaseState::Completed);
        let first = house.engine.drawing("p", Some(1)).await.unwrap();
        assert!(first.contains("accept"));
        let newest: Vec<Process> = house.engine.processes().await.unwrap();
        assert_eq!((newest.len(), newest[0].version), (1, 2));
        let nobody = officer("x", "", "clerk");
        let denied = house.engine.publish(&nobody, "p.bpmn", &first).await;
        assert_eq!(denied.unwrap_err().code, "access.denied");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_inbox_meet_without_a_gap_and_the_count_is_exact() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            "{ENDS}{}{}",
            offered("a", "clerk", "housing"),
            own("b", "li")
        );
        house.publish(&body, "start>a start>b a>end b>end").await;
        for _ in 0..25 {
            house.start(json!({})).await;
        }
        let li = officer("li", "housing", "clerk");
        let mut filter = InboxFilter {
            limit: 7,
            ..InboxFilter::default()
        };
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let page = house.engine.inbox(&li, &filter).await.unwrap();
            assert_eq!(page.count, 50);
            for row in page.rows {
                assert!(seen.insert(row.id), "no row twice");
            }
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 50);
        let one = seen.iter().next().unwrap().split('-').next().unwrap();
        let text = InboxFilter {
            text: Some(one.into()),
            ..InboxFilter::default()
        };
        assert_eq!(house.engine.inbox(&li, &text).await.unwrap().count, 2);
        let other = InboxFilter {
            process: Some("q".into()),
            ..InboxFilter::default()
        };
        assert_eq!(house.engine.inbox(&li, &other).await.unwrap().count, 0);
        let bad = InboxFilter {
            after: Some("x".into()),
            ..InboxFilter::default()
        };
        let fault = house.engine.inbox(&li, &bad).await.unwrap_err();
        assert_eq!(fault.code, "input.invalid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn running_cases_move_to_another_version_as_the_dry_run_said() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        two_steps(&house).await;
        let (clerk, chief) = (officer("li", "housing", "clerk"), officer("chief", "", ""));
        let early = house.start(json!({})).await;
        house.complete(&clerk, json!({})).await;
        house.clock.advance(kernel::Span::seconds(1)); // identifications in order
        let late = house.start(json!({})).await;
        // `decide` is called `rule` now, a check comes before it, and `accept` is gone.
        let body = format!(
            "{ENDS}{}{}{}",
            own("check", "checker"),
            own("rule", "chief"),
            own("last", "archive")
        );
        house
            .publish(&body, "start>check check>rule rule>last last>end")
            .await;
        let migration = |dry| Migration {
            process: "p".into(),
            from: 1,
            to: 2,
            mapping: [("decide".to_string(), "rule".to_string())].into(),
            cases: vec![],
            dry,
        };
        let would = house
            .engine
            .migrate(&admin(), &migration(true))
            .await
            .unwrap();
        let fits: Vec<(&str, usize)> = would
            .iter()
            .map(|m| (m.case.as_str(), m.problems.len()))
            .collect();
        assert_eq!(fits, [(early.id.as_str(), 0), (late.id.as_str(), 1)]);
        assert_eq!(would[1].problems[0].at, "accept");
        assert_eq!(
            (&would[0].nodes, &would[1].nodes),
            (&vec!["decide".to_string()], &vec!["accept".to_string()])
        );
        let one = Migration {
            cases: vec![late.number.clone(), "no-such".into()],
            ..migration(true)
        };
        let named = house.engine.migrate(&admin(), &one).await.unwrap();
        assert_eq!(named.len(), 2, "{named:?}");
        assert_eq!(named[0], would[1]);
        assert!(named[1].problems[0].words.en.contains("no-such"));
        assert_eq!(house.case(&early.id).await.version, 1, "it was only asked");
        let did = house
            .engine
            .migrate(&admin(), &migration(false))
            .await
            .unwrap();
        assert_eq!(did, would);
        assert_eq!(house.case(&early.id).await.version, 2);
        assert_eq!(
            house.case(&late.id).await.version,
            1,
            "it goes on as it was"
        );
        assert_eq!(house.nodes(&chief).await, "rule");
        house.complete(&chief, json!({})).await;
        house.complete(&officer("archive", "", ""), json!({})).await;
        assert_eq!(house.case(&early.id).await.state, CaseState::Completed);
        house.complete(&clerk, json!({})).await;
        assert_eq!(house.nodes(&chief).await, "decide");
        let wrong = Migration {
            mapping: [("accept".to_string(), "nowhere".to_string())].into(),
            ..migration(true)
        };
        let fault = house.engine.migrate(&admin(), &wrong).await.unwrap_err();
        assert_eq!(fault.problems[0].at, "/mapping/accept");
        let denied = house.engine.migrate(&clerk, &migration(true)).await;
        assert_eq!(denied.unwrap_err().code, "access.denied");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_sign_at_the_same_time_within_a_small_state() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<userTask id="sign" j:assignee="signer"><multiInstanceLoopCharacteristics j:collection="signers" j:item="signer"/></userTask>"#
        );
        house.publish(&body, "start>sign sign>end").await;
        let signers: Vec<String> = (0..308).map(|n| format!("s{n}")).collect();
        let case = house.start(json!({ "signers": signers })).await;
        for signer in signers {
            assert_eq!(house.case(&case.id).await.state, CaseState::Running);
            house.complete(&officer(&signer, "", ""), json!({})).await;
        }
        assert_eq!(house.case(&case.id).await.state, CaseState::Completed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_many_queues_is_in_order() {
    each_store(|store| async move {
        let house = House::open(&store).await;
        let body = format!(
            r#"{ENDS}<userTask id="u" j:roles="clerk" j:organisation="office" j:due="due"/>"#
        );
        house.publish(&body, "start>u u>end").await;
        let many = 260;
        for n in 0..many {
            // Uneven: half of all tasks are of one office.
            let office = if n % 2 == 0 { 0 } else { n / 2 % 130 };
            let data = json!({ "office": format!("org{office}"), "due": format!("PT{}H", n * 7919 % 500 + 1) });
            house.start(data).await;
        }
        let mut chief = officer("chief", "", "clerk");
        chief.standing.organisations = (0..130).map(|n| format!("org{n}")).collect();
        for limit in [7, 100, 200] {
            let mut filter = InboxFilter {
                limit,
                ..InboxFilter::default()
            };
            let (mut dues, mut seen) = (vec![], std::collections::BTreeSet::new());
            loop {
                let page = house.engine.inbox(&chief, &filter).await.unwrap();
                assert_eq!(page.count, many);
                for row in page.rows {
                    dues.push(row.left.unwrap().due);
                    assert!(seen.insert(row.id), "no row twice");
                }
                filter.after = page.next;
                if filter.after.is_none() {
                    break;
                }
            }
            assert_eq!(seen.len() as i64, many);
            assert!(dues.is_sorted(), "the most pressing first");
        }
        let green = InboxFilter {
            light: Some(kernel::cases::Light::Green),
            ..InboxFilter::default()
        };
        let page = house.engine.inbox(&chief, &green).await.unwrap();
        assert_eq!((page.count, page.rows.len()), (many, 50));
    })
    .await;
}
