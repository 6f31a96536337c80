//! Kill -9 in the middle of the work: what was acknowledged is done, once; what was not is whole or
//! not there; nothing is torn.

use crate::house::{House, admin, object, offered, officer};
use kernel::cases::{CalendarDay, CaseFilter, CaseState, Cases, Count, Limit, NewCase, TaskVerb};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;
use testkit::{each_address, killed, lines};

/// Where the child finds the store.
const ADDRESS: &str = "CASES_TEST_ADDRESS";
const KILLS: usize = 4;
/// Acknowledgements the parent waits for before it kills.
const PATIENCE: usize = 60;

/// Three tasks and a service.
async fn publish(house: &House) {
    let body = format!(
        r#"<startEvent id="start"/><endEvent id="end"/><serviceTask id="s" j:function="works"/>{}{}{}"#,
        offered("a", "clerk", "housing"),
        offered("b", "clerk", "housing"),
        offered("c", "clerk", "housing")
    );
    house.publish(&body, "start>a a>s s>b b>c c>end").await;
}

/// The child: begins cases and does whatever is in the inbox, until it is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_works_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let house = Arc::new(House::open(&store).await);
    publish(&house).await;
    let mut officers = tokio::task::JoinSet::new();
    for n in 0..4 {
        let house = house.clone();
        officers.spawn(async move {
            let clerk = officer(&format!("clerk{n}"), "housing", "clerk");
            loop {
                house.start(json!({ "n": n })).await;
                house.engine.settle().await.unwrap();
                for task in house.inbox(&clerk).await.rows {
                    let data = object(json!({ "done": task.node }));
                    let verb = TaskVerb::Complete { data };
                    // Somebody else may have been first.
                    if let Ok(acted) = house.act(&clerk, &task.id, verb).await {
                        println!("\nacknowledged {} {}", acted.task.id, acted.case.revision);
                    }
                }
            }
        });
    }
    officers.join_next().await;
}

/// Runs the child, kills it after some acknowledgements, and returns them: task and revision.
async fn run_and_kill(address: &str) -> Vec<(String, i64)> {
    let acknowledged = |line: &str| {
        let (task, revision) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        Some((task.to_string(), revision.parse().ok()?))
    };
    let enough = lines(PATIENCE, move |line| acknowledged(line).is_some());
    let said = killed(
        "crash::child_works_until_killed",
        &[(ADDRESS, address)],
        enough,
    )
    .await;
    said.iter().filter_map(|line| acknowledged(line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_done_is_lost_or_doubled_when_killed() {
    each_address(|address| async move {
        let mut done: Vec<(String, i64)> = vec![];
        for round in 1..=KILLS {
            done.extend(run_and_kill(&address).await);
            let store = Store::open(&address).await.unwrap();
            check(&store, &done, round).await;
            store.close().await;
        }
    })
    .await;
}

async fn check(store: &Store, done: &[(String, i64)], round: usize) {
    let house = House::open(store).await;
    let mut done_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (task, _) in done {
        let (case, _) = task.split_once('-').unwrap();
        done_of.entry(case).or_default().push(task);
    }
    for (case, tasks) in done_of {
        let entries = house.engine.history(&admin(), case, 0, 0).await.unwrap();
        for (at, entry) in entries.iter().enumerate() {
            assert_eq!(
                entry.number,
                at as i64 + 1,
                "round {round}: a gap in {case}"
            );
        }
        for task in tasks {
            let times = entries
                .iter()
                .filter(|e| e.what == "completed" && e.task.as_deref() == Some(task))
                .count();
            assert_eq!(times, 1, "round {round}: {task} was done {times} times");
        }
    }
    // What was cut short goes on: every service is called, every case can be brought to its end.
    house.clock.advance(kernel::Span::hours(1));
    let clerk = officer("after", "housing", "clerk");
    for _ in 0..10 {
        house.engine.settle().await.unwrap();
        let inbox = house.inbox_of(&clerk, 200).await;
        for task in inbox {
            let data = object(json!({}));
            house
                .act(&clerk, &task.id, TaskVerb::Complete { data })
                .await
                .unwrap();
        }
    }
    let open = CaseFilter {
        states: vec![CaseState::Running, CaseState::Failed],
        ..CaseFilter::default()
    };
    let open = house.engine.cases(&admin(), &open).await.unwrap();
    assert_eq!(open.count, 0, "round {round}: {:?}", open.rows);
    assert_eq!(house.inbox(&clerk).await.count, 0, "counters are exact");
    assert!(store.audit().verify().await.unwrap().damage.is_none());
}

/// Cases whose clocks are counted, several pages of them.
const CLOCKS: usize = 900;
/// Where how far a count is stands.
const MARKS: &str = "calendar_recounts";

fn holiday() -> Vec<CalendarDay> {
    vec![CalendarDay {
        day: "2026-11-27".into(),
        worked: false,
        name: "演练".into(),
    }]
}

/// The child: begins cases with clocks, sets a calendar, and says how far the count is.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_counts_until_killed() {
    let store = Store::open(&std::env::var(ADDRESS).unwrap()).await.unwrap();
    let house = Arc::new(House::open(&store).await);
    let body = r#"<startEvent id="start"/><endEvent id="end"/>
<userTask id="u" name="u" j:roles="clerk" j:organisation='"housing"' j:due="5 working days"/>"#;
    house.publish(body, "start>u u>end").await;
    let mut begun = tokio::task::JoinSet::new();
    for _ in 0..CLOCKS {
        let house = house.clone();
        begun.spawn(async move {
            let new = NewCase {
                process: "p".into(),
                organisation: Some("housing".into()),
                statutory: Some(Limit {
                    days: 20,
                    count: Count::WorkingDays,
                }),
                data: object(json!({})),
                ..NewCase::default()
            };
            house.engine.start(&admin(), new).await.unwrap();
        });
    }
    begun.join_all().await;
    tokio::spawn(async move {
        let by = admin();
        let set = house.engine.set_calendar(&by, 2026, holiday(), false);
        set.await.unwrap();
    });
    loop {
        let mark = store.documents().get(MARKS, "2026").await.unwrap();
        let json = mark.map(|mark| mark.json).unwrap_or_default();
        if json["last"].as_str().is_some_and(|last| !last.is_empty()) {
            println!("\ncounted to {} {}", json["kind"], json["last"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_is_killed_goes_on_and_counts_nothing_twice() {
    each_address(|address| async move {
        let counted = |line: &str| line.starts_with("counted to ");
        killed(
            "crash::child_counts_until_killed",
            &[(ADDRESS, &address)],
            lines(1, counted),
        )
        .await;
        let store = Store::open(&address).await.unwrap();
        let mark = store.documents().get(MARKS, "2026").await.unwrap();
        assert!(mark.is_some(), "it was killed before the end");
        let house = House::open(&store).await;
        let would = async || {
            let by = admin();
            let set = house.engine.set_calendar(&by, 2026, holiday(), true);
            set.await.unwrap().len()
        };
        let left = would().await;
        assert!((1..2 * CLOCKS).contains(&left), "{left} clocks are left");
        let run = async {
            while store
                .documents()
                .get(MARKS, "2026")
                .await
                .unwrap()
                .is_some()
            {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let patience = std::time::Duration::from_secs(60);
        let run = tokio::time::timeout(patience, house.engine.clone().run(run));
        run.await.expect("it is counted to the end");
        let mut cases = vec![];
        let mut filter = CaseFilter {
            limit: 200,
            ..CaseFilter::default()
        };
        loop {
            let page = house.engine.cases(&admin(), &filter).await.unwrap();
            cases.extend(page.rows.into_iter().map(|case| case.id));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!(cases.len(), CLOCKS);
        for case in cases {
            let history = house.history(&case).await;
            let times = history.matches("recounted").count();
            assert_eq!(times, 2, "{case} and its task: {history}");
        }
    })
    .await;
}
