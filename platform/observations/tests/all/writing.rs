//! Writing: duplicates, corrections, late and future-dated rows, refusals.

use crate::help::*;
use kernel::observations::*;
use kernel::{Clock, Span, Time};
use observations::Options;
use testkit::each_store;

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_counted_and_corrections_shown() {
    each_store(|store| async move {
        // The same rules before and after rows have gone into blocks.
        for (thing, flush) in [("HEAD", false), ("BLOCK", true)] {
            let bench = Bench::open(store.clone()).await;
            if flush {
                bench.clock.advance(Span::minutes(1));
            }
            let settle = async || {
                if flush {
                    bench.engine.flush().await.unwrap()
                }
            };
            assert_eq!(bench.put(thing, minute(1), "a=1 b=2").await, "2 0 0");
            settle().await;
            assert_eq!(bench.put(thing, minute(1), "a=1 b=2").await, "0 2 0");
            assert_eq!(bench.put(thing, minute(2), "a=5").await, "1 0 0");
            settle().await;
            let known = bench.clock.now();
            bench.clock.advance(Span::seconds(1));
            assert_eq!(bench.put(thing, minute(1), "a=1.5 b=2 c=3").await, "2 1 1");
            settle().await;
            assert_eq!(bench.put(thing, minute(1), "a=1.5").await, "0 1 0");
            // A column twice in one row: as if the second came later.
            assert_eq!(
                bench.put(thing, minute(9), "d=1 d=1 d=2 e=1").await,
                "3 1 1"
            );
            settle().await;
            assert_eq!(bench.points(thing, "d", None).await, "9=2");
            // The flag is part of the observation.
            assert_eq!(bench.put(thing, minute(2), "a=5D").await, "1 0 1");
            assert_eq!(bench.points(thing, "a", None).await, "1=1.5 2=5D");
            assert_eq!(bench.points(thing, "a", Some(known)).await, "1=1 2=5");
            assert_eq!(bench.points(thing, "c", Some(known)).await, "");
            assert_eq!(bench.points(thing, "c", None).await, "1=3");
            // Back to the first value is a correction too.
            bench.clock.advance(Span::seconds(1));
            assert_eq!(bench.put(thing, minute(1), "a=1").await, "1 0 1");
            settle().await;
            assert_eq!(bench.points(thing, "a", None).await, "1=1 2=5D");
            bench.engine.shutdown().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_rows_find_their_place() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        for n in [10, 12, 14] {
            bench.put("S", minute(n), &format!("a={n}")).await;
            bench.engine.flush().await.unwrap();
        }
        for n in [13, 11, 2] {
            assert_eq!(bench.put("S", minute(n), &format!("a={n}")).await, "1 0 0");
        }
        assert_eq!(bench.newest("S", "a"), "14=14");
        assert_eq!(
            bench.points("S", "a", None).await,
            "2=2 10=10 11=11 12=12 13=13 14=14"
        );
        bench.engine.flush().await.unwrap();
        assert_eq!(
            bench.points("S", "a", None).await,
            "2=2 10=10 11=11 12=12 13=13 14=14"
        );
        assert_eq!(bench.put("S", minute(11), "a=11").await, "0 1 0");
        assert_eq!(bench.put("S", minute(2), "a=2").await, "0 1 0");
        // A clock in the year 2000.
        let old = Time::parse("2000-02-02").unwrap();
        assert_eq!(bench.put("S", old, "a=0").await, "1 0 0");
        bench.engine.flush().await.unwrap();
        assert_eq!(bench.put("S", old, "a=0").await, "0 1 0");
        assert_eq!(bench.newest("S", "a"), "14=14");
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_future_date_never_becomes_the_newest() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        // The clock stands at minute 60; 120 is the last that counts as now.
        bench.put("S", minute(121), "a=9").await;
        assert_eq!(bench.newest("S", "a"), "none");
        bench.put("S", minute(120), "a=8").await;
        assert_eq!(bench.newest("S", "a"), "120=8");
        bench.put("S", minute(50), "a=7").await;
        bench.put("S", minute(121), "a=6").await;
        assert_eq!(bench.newest("S", "a"), "120=8");
        assert_eq!(bench.points("S", "a", None).await, "50=7 120=8 121=6");
        let bench = bench.reopen(false).await;
        assert_eq!(bench.newest("S", "a"), "120=8");
        let bench = bench.reopen(true).await;
        assert_eq!(bench.newest("S", "a"), "120=8");
        assert_eq!(bench.put("S", minute(121), "a=6").await, "0 1 0");
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_whole() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        let good = bench.row("S", minute(1), "a=1");
        let check = async |change: fn(&mut Row), expect: &str| {
            let mut bad = good.clone();
            change(&mut bad);
            let outcome = bench.engine.write(vec![good.clone(), bad]).await;
            assert_eq!(said(outcome), expect);
            assert_eq!(bench.newest("S", "a"), "none");
        };
        check(|row| row.cells[0].value = f64::NAN, "input.invalid").await;
        check(|row| row.cells[0].value = f64::INFINITY, "input.invalid").await;
        check(|row| row.thing = ThingId(99), "input.invalid").await;
        check(|row| row.cells[0].column = ColumnId(99), "input.invalid").await;
        check(|row| row.time = Time(i64::MAX), "input.invalid").await;
        check(
            |row| row.cells = vec![row.cells[0]; 1_000_001],
            "input.too_large",
        )
        .await;
        assert_eq!(said(bench.engine.write(vec![]).await), "0 0 0");
        assert_eq!(bench.engine.thing("").unwrap_err().code, "input.invalid");
        assert_eq!(
            bench.engine.thing(&"x".repeat(129)).unwrap_err().code,
            "input.invalid"
        );
        bench.engine.shutdown().await;
        assert_eq!(
            said(bench.engine.write(vec![good.clone()]).await),
            "system.stopping"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_is_a_fault_that_takes_nothing() {
    each_store(|store| async move {
        let options = Options {
            queue_values: 3,
            ..Options::default()
        };
        let bench = Bench::with(store.clone(), options).await;
        // Nothing can be committed while this transaction stands.
        let block = store.begin().await.unwrap();
        let rows: Vec<Row> = (0..50).map(|n| bench.row("S", minute(n), "a=1")).collect();
        let mut tasks = vec![];
        for row in rows {
            let engine = bench.engine.clone();
            tasks.push(tokio::spawn(
                async move { said(engine.write(vec![row]).await) },
            ));
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        drop(block);
        let mut answers = vec![];
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        let taken = answers.iter().filter(|a| *a == "1 0 0").count();
        let refused = answers.iter().filter(|a| *a == "system.overloaded").count();
        assert_eq!(taken + refused, 50, "{answers:?}");
        assert!(
            taken >= 3 && refused > 0,
            "{taken} taken, {refused} refused"
        );
        assert_eq!(bench.points("S", "a", None).await.split(' ').count(), taken);
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_reader_gets_what_was_new() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        bench.put("S", minute(1), "a=1").await;
        let mut live = bench.engine.live();
        bench.put("S", minute(1), "a=1 b=2").await;
        let batch = live.recv().await.unwrap();
        assert_eq!(batch.rows, vec![bench.row("S", minute(1), "b=2")]);
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_commit_takes_nothing() {
    testkit::each_address(|address| async move {
        let store = store::Store::open(&address).await.unwrap();
        let bench = Bench::open(store.clone()).await;
        assert_eq!(bench.put("S", minute(1), "a=1").await, "1 0 0");
        store.close().await;
        for _ in 0..3 {
            let refused = bench.put("S", minute(2), "a=2 b=3").await;
            assert!(
                refused.starts_with("store.") || refused.starts_with("system."),
                "{refused}"
            );
        }
        assert_eq!(
            (bench.newest("S", "a"), bench.newest("S", "b")),
            ("1=1".into(), "none".into())
        );
        assert_eq!(
            (
                bench.engine.counters().values,
                bench.engine.counters().unflushed
            ),
            (1, 1)
        );
        bench.engine.shutdown().await;
        let store = store::Store::open(&address).await.unwrap();
        let bench = Bench::open(store.clone()).await;
        assert_eq!(bench.points("S", "a", None).await, "1=1");
        assert_eq!(bench.put("S", minute(2), "a=2 b=3").await, "2 0 0");
        bench.engine.shutdown().await;
        store.close().await;
    })
    .await;
}
