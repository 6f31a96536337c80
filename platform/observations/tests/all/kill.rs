//! kill -9 in the middle of ingest: what was acknowledged is there, exactly once, whatever the
//! flusher was doing. The test runs itself again as the process that is killed. Five times on
//! each database, or `JICHENG_KILLS` times.

use crate::help::*;
use kernel::SystemClock;
use kernel::observations::Observations;
use observations::{Engine, Options};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};
use store::Store;
use testkit::{each_address, killed};

const ADDRESS: &str = "JICHENG_KILL_ADDRESS";
const FIRST: &str = "JICHENG_KILL_FIRST";
const WRITERS: usize = 4;
const ROWS: i64 = 20;

/// Small enough that heads become blocks, blocks are joined and the log is pruned all the time.
fn options() -> Options {
    Options {
        flush_values: 3_000,
        ..Options::default()
    }
}

/// The process that is killed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below in a process of its own"]
async fn child_writes_until_killed() {
    let address = std::env::var(ADDRESS).unwrap();
    let first: i64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = Store::open(&address).await.unwrap();
    let engine = Engine::open(store.clone(), Arc::new(SystemClock), options())
        .await
        .unwrap();
    let bench = Arc::new(Bench {
        engine,
        clock: Arc::new(kernel::ManualClock::new(T0)),
        store,
    });
    let writers = (0..WRITERS).map(|writer| {
        let bench = bench.clone();
        tokio::spawn(async move {
            let mut next = first;
            loop {
                bench
                    .engine
                    .write(rows(&bench, writer, next))
                    .await
                    .unwrap();
                // One write of a line: the pipe takes it whole before the next can begin.
                let line = format!("acknowledged {writer} {next}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
                std::io::stdout().flush().unwrap();
                next += ROWS;
            }
        })
    });
    // Until it is killed, or a writer fails: then the parent finds nothing acknowledged.
    for writer in writers.collect::<Vec<_>>() {
        let _: Result<(), _> = writer.await;
    }
}

fn rows(bench: &Bench, writer: usize, first: i64) -> Vec<kernel::observations::Row> {
    let row = |n: i64| {
        bench.row(
            &format!("W{writer}"),
            minute(n),
            &format!("a={n} b={}.5", n % 7),
        )
    };
    (first..first + ROWS).map(row).collect()
}

/// Runs the child, kills it so long after its first acknowledgement, and says what it had
/// acknowledged.
async fn run_and_kill(address: &str, first: i64, after: Duration) -> Vec<(usize, i64)> {
    let acknowledged = |line: &str| {
        // libtest writes its own words before the first of ours.
        let (_, said) = line.split_once("acknowledged ")?;
        let (writer, first) = said.split_once(' ')?;
        Some((writer.parse().ok()?, first.parse().ok()?))
    };
    let mut started: Option<Instant> = None;
    let enough = move |line: &str| {
        let said: Option<(usize, i64)> = acknowledged(line);
        said.is_some() && started.get_or_insert_with(Instant::now).elapsed() > after
    };
    let first = first.to_string();
    let environment = [(ADDRESS, address), (FIRST, &first)];
    let said = killed("kill::child_writes_until_killed", &environment, enough).await;
    said.iter().filter_map(|line| acknowledged(line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_or_doubled() {
    let kills: u64 = std::env::var("JICHENG_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(5);
    each_address(|address| async move {
        let mut acknowledged: Vec<(usize, i64)> = vec![];
        for kill in 0..kills {
            // Each run writes times of its own; a tenth of a second to half a second of them.
            let first = kill as i64 * 1_000_000;
            let after = Duration::from_millis(100 + kill * 97 % 400);
            let some = run_and_kill(&address, first, after).await;
            assert!(
                !some.is_empty(),
                "kill {kill} came before anything was acknowledged"
            );
            acknowledged.extend(some);
        }
        let store = Store::open(&address).await.unwrap();
        let bench = Bench::with(store.clone(), options()).await;
        let mut stored = 0;
        for writer in 0..WRITERS {
            let mut found = BTreeMap::new();
            for point in bench
                .points(&format!("W{writer}"), "a", None)
                .await
                .split(' ')
            {
                let (at, value) = point.split_once('=').unwrap();
                assert_eq!(at, value);
                assert_eq!(
                    found.insert(at.parse::<i64>().unwrap(), ()),
                    None,
                    "W{writer} {at} twice"
                );
            }
            stored += found.len() as u64 * 2;
            for (_, first) in acknowledged.iter().filter(|(w, _)| *w == writer) {
                assert!(
                    (*first..first + ROWS).all(|n| found.contains_key(&n)),
                    "W{writer} {first} is lost"
                );
            }
        }
        assert_eq!(bench.engine.counters().values, stored);
        // Sent again, every acknowledged value is known.
        for (writer, first) in &acknowledged {
            let receipt = bench
                .engine
                .write(rows(&bench, *writer, *first))
                .await
                .unwrap();
            assert_eq!((receipt.stored, receipt.duplicates), (0, 2 * ROWS as u64));
        }
        eprintln!(
            "{kills} kills, {} writes acknowledged, {stored} values, none lost, none doubled",
            acknowledged.len()
        );
        bench.engine.shutdown().await;
        store.close().await;
    })
    .await;
}
