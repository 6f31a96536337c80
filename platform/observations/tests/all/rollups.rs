//! Kept rollups, late data, expiry.

use crate::help::*;
use kernel::observations::*;
use kernel::{Span, Time};
use observations::Options;
use testkit::each_store;

async fn hours(bench: &Bench, property: &str, span: Span) -> Vec<(i64, u32, u32, f64)> {
    let query = RangeQuery {
        series: name("S", property),
        from: T0,
        to: T0 + Span::days(100),
        step: Step::Bucket(span),
        as_of: None,
        limit: 100_000,
    };
    let RangeAnswer::Buckets(buckets, ..) = bench.engine.range(query).await.unwrap() else {
        panic!()
    };
    buckets
        .iter()
        .map(|b| {
            (
                b.time.since(T0).0 / Span::hours(1).0,
                b.count,
                b.valid,
                b.sum,
            )
        })
        .collect()
}

/// Ten days of a value a minute, in blocks; one in ten is not valid.
async fn ten_days(bench: &Bench) {
    for day in 0..10 {
        bench.clock.set(T0 + Span::days(day + 1));
        let row = |n: i64| {
            let flag = if n % 10 == 0 { "D" } else { "" };
            bench.row(
                "S",
                minute(day * 1440 + n),
                &format!("a={}{flag} b={}", n % 60, n % 7),
            )
        };
        bench
            .engine
            .write((0..1440).map(row).collect())
            .await
            .unwrap();
        bench.engine.flush().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_hours_say_what_raw_rows_say() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        ten_days(&bench).await;
        let raw = (
            hours(&bench, "a", Span::hours(1)).await,
            hours(&bench, "b", Span::days(1)).await,
        );
        assert_eq!((raw.0.len(), raw.1.len()), (240, 10));
        assert_eq!(
            raw.0[0],
            (
                0,
                60,
                54,
                (0..60).filter(|n| n % 10 != 0).sum::<i64>() as f64
            )
        );
        bench.engine.keep_rollups().await.unwrap();
        let kept = (
            hours(&bench, "a", Span::hours(1)).await,
            hours(&bench, "b", Span::days(1)).await,
        );
        assert_eq!(kept, raw);
        // A late correction and a late row count at once, and after they are in blocks, and after
        // the rollup has been made anew.
        bench.put("S", minute(61), "a=1000").await;
        bench
            .put("S", minute(62) + Span::seconds(30), "a=500")
            .await;
        let mut expect = raw.0.clone();
        expect[1] = (1, 61, 55, raw.0[1].3 - 1.0 + 1000.0 + 500.0);
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, expect);
        bench.engine.flush().await.unwrap();
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, expect);
        bench.engine.keep_rollups().await.unwrap();
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, expect);
        let bench = bench.reopen(true).await;
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, expect);
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_rows_leave_their_hours() {
    each_store(|store| async move {
        let retention = [("a".to_string(), (Span::days(3), Span::days(3650)))].into();
        let bench = Bench::with(store, Options { retention, ..Options::default() }).await;
        ten_days(&bench).await;
        bench.engine.keep_rollups().await.unwrap();
        let before = (hours(&bench, "a", Span::hours(1)).await, hours(&bench, "b", Span::hours(6)).await);
        bench.engine.expire().await.unwrap();
        let count = |text: String| text.split_whitespace().count();
        let left = count(bench.points("S", "a", None).await);
        // Three days, and what shares a block with them.
        assert!((3 * 1440..4 * 1440 + 1300).contains(&left), "{left} points left");
        assert_eq!(count(bench.points("S", "b", None).await), 14_400);
        let check = async || {
            assert_eq!(hours(&bench, "a", Span::hours(1)).await, before.0);
            assert_eq!(hours(&bench, "b", Span::hours(6)).await, before.1);
        };
        check().await;
        bench.engine.expire().await.unwrap();
        bench.engine.keep_rollups().await.unwrap();
        check().await;
        // Later than its retention: counts beside what is final, then within it.
        bench.put("S", minute(90) + Span::seconds(1), "a=7").await;
        let mut expect = before.0.clone();
        expect[1] = (1, 61, 55, expect[1].3 + 7.0);
        for _ in 0..2 {
            assert_eq!(hours(&bench, "a", Span::hours(1)).await, expect);
            bench.engine.expire().await.unwrap();
        }
        let auto = RangeQuery { series: name("S", "a"), from: T0, to: T0 + Span::days(1), step: Step::Auto(100), as_of: None, limit: 1000 };
        let answer = bench.engine.range(auto).await.unwrap();
        assert!(matches!(answer, RangeAnswer::Buckets(b, span, false) if b.len() == 24 && span == Span::hours(1)));
        // Hours expire too.
        bench.clock.set(T0 + Span::days(4000));
        bench.engine.expire().await.unwrap();
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, []);
        assert_eq!(count(bench.points("S", "a", None).await), 0);
        assert_eq!(bench.put("S", Time(bench.now()), "a=1").await, "1 0 0");
        let bench = bench.reopen(true).await;
        assert_eq!(count(bench.points("S", "a", None).await), 1);
        assert_eq!(hours(&bench, "b", Span::hours(6)).await, before.1);
        bench.engine.shutdown().await;
    })
    .await;
}

/// Holds one thing from one time on.
struct Held(&'static str, std::sync::Mutex<Option<Time>>);

impl kernel::holds::Holds for Held {
    fn held_from(&self, subject: &kernel::holds::Subject<'_>) -> Option<Time> {
        let from = *self.1.lock().unwrap();
        from.filter(|_| subject.thing == Some(self.0))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_does_not_expire_until_it_is_released() {
    each_store(|store| async move {
        let retention = [("a".to_string(), (Span::days(1), Span::days(2)))].into();
        let hold = std::sync::Arc::new(Held("S", std::sync::Mutex::new(Some(T0))));
        let options = Options {
            retention,
            holds: Some(hold.clone()),
            ..Options::default()
        };
        let bench = Bench::with(store, options).await;
        ten_days(&bench).await;
        bench.engine.keep_rollups().await.unwrap();
        let before = hours(&bench, "a", Span::hours(1)).await;
        bench.clock.set(T0 + Span::days(4000));
        let expired = bench.engine.expire().await.unwrap();
        assert_eq!((expired.values, expired.rollups, expired.held), (0, 0, 1));
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, before);
        *hold.1.lock().unwrap() = None;
        let expired = bench.engine.expire().await.unwrap();
        assert!(
            expired.values > 14_000 && expired.rollups >= 10 && expired.held == 0,
            "{expired:?}"
        );
        assert_eq!(hours(&bench, "a", Span::hours(1)).await, []);
        bench.engine.shutdown().await;
    })
    .await;
}
