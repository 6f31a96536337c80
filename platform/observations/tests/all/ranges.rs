//! Ranges, buckets, pages of series.

use crate::help::*;
use kernel::observations::*;
use kernel::{Span, Time};
use testkit::each_store;

async fn ask(bench: &Bench, step: Step, from: i64, to: i64, limit: usize) -> RangeAnswer {
    let query = RangeQuery {
        series: name("S", "a"),
        from: minute(from),
        to: minute(to),
        step,
        as_of: None,
        limit,
    };
    bench.engine.range(query).await.unwrap()
}

fn buckets(answer: RangeAnswer) -> Vec<(i64, u32, u32, f64, f64, f64)> {
    let RangeAnswer::Buckets(buckets, ..) = answer else {
        panic!("no buckets")
    };
    buckets
        .iter()
        .map(|b| {
            (
                (b.time.0 - T0.0) / 60_000_000,
                b.count,
                b.valid,
                b.min,
                b.max,
                b.sum,
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_blocks_and_head_together() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        bench.clock.set(minute(100_000));
        let mut rows = vec![];
        for n in 0..5000 {
            let flag = if n % 10 == 9 { "D" } else { "" };
            rows.push(bench.row("S", minute(n), &format!("a={}{flag} b=1", n % 100)));
        }
        bench.engine.write(rows[..3000].to_vec()).await.unwrap();
        bench.engine.flush().await.unwrap();
        bench.engine.write(rows[3000..].to_vec()).await.unwrap();

        let RangeAnswer::Points(points, cut) = ask(&bench, Step::Raw, 500, 4500, 100_000).await else { panic!() };
        assert_eq!((points.len(), cut), (4000, false));
        assert!(points.iter().enumerate().all(|(at, p)| p.time == minute(500 + at as i64) && p.value == ((500 + at) % 100) as f64));
        let RangeAnswer::Points(points, cut) = ask(&bench, Step::Raw, 500, 4500, 10).await else { panic!() };
        assert_eq!((points.len(), cut, points[9].time), (10, true, minute(509)));

        let RangeAnswer::Points(points, _) = ask(&bench, Step::Thin(100), 0, 5000, 1000).await else { panic!() };
        assert_eq!(points.len(), 100);
        assert!(points.iter().any(|p| p.value == 99.0) && points.iter().any(|p| p.value == 0.0));

        let hours = buckets(ask(&bench, Step::Bucket(Span::hours(1)), 0, 120, 1000).await);
        // Minutes 9, 19, … are invalid: counted, not summed.
        let sum = |from: i64, to: i64| (from..to).filter(|n| n % 10 != 9).map(|n| (n % 100) as f64).sum::<f64>();
        assert_eq!(hours, vec![(0, 60, 54, 0.0, 58.0, sum(0, 60)), (60, 60, 54, 0.0, 98.0, sum(60, 120))]);
        let days = buckets(ask(&bench, Step::Bucket(Span::days(1)), 0, 5000, 1000).await);
        assert_eq!(days.iter().map(|d| d.1).sum::<u32>(), 5000);
        assert_eq!(days[1].0, 1440);

        let RangeAnswer::Buckets(list, span, cut) = ask(&bench, Step::Auto(100), 0, 5000, 1000).await else { panic!() };
        assert_eq!((span, list.len(), cut), (Span::hours(1), 84, false));
        assert!(matches!(ask(&bench, Step::Auto(100), 0, 100, 1000).await, RangeAnswer::Points(p, false) if p.len() == 100));
        let query = RangeQuery { series: name("S", "none"), from: T0, to: minute(9), step: Step::Raw, as_of: None, limit: 9 };
        assert_eq!(bench.engine.range(query.clone()).await, Ok(RangeAnswer::Points(vec![], false)));
        let wrong = RangeQuery { step: Step::Bucket(Span(0)), ..query };
        assert_eq!(bench.engine.range(wrong).await.unwrap_err().code, "input.invalid");

        // A late correction moves the bucket it falls into, in the head and in blocks.
        bench.put("S", minute(30), "a=1000").await;
        let first = buckets(ask(&bench, Step::Bucket(Span::hours(1)), 0, 60, 10).await)[0];
        assert_eq!((first.1, first.4, first.5), (60, 1000.0, sum(0, 60) - 30.0 + 1000.0));
        bench.engine.flush().await.unwrap();
        assert_eq!(buckets(ask(&bench, Step::Bucket(Span::hours(1)), 0, 60, 10).await)[0], first);
        bench.engine.shutdown().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_paged_in_order() {
    each_store(|store| async move {
        let bench = Bench::open(store).await;
        for thing in ["B", "A", "C"] {
            bench.put(thing, minute(1), "x=1 y=2").await;
            let mut row = bench.row(thing, minute(1), "x=3");
            row.period = Period::Hour;
            bench.engine.write(vec![row]).await.unwrap();
        }
        let mut filter = SeriesFilter {
            limit: 2,
            ..SeriesFilter::default()
        };
        let mut all = vec![];
        loop {
            let page = bench.engine.list_series(&filter);
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2);
            filter.after = Some(last.name.clone());
            all.extend(
                page.iter()
                    .map(|i| format!("{} {} {}", i.name.thing, i.name.property, i.name.kind)),
            );
        }
        let expect = ["x real_time", "x hour", "y real_time"];
        let expect: Vec<String> = ["A", "B", "C"]
            .iter()
            .flat_map(|t| expect.map(|e| format!("{t} {e}")))
            .collect();
        assert_eq!(all, expect);
        let of = |filter: SeriesFilter| {
            bench
                .engine
                .list_series(&SeriesFilter {
                    limit: 100,
                    ..filter
                })
                .len()
        };
        assert_eq!(
            of(SeriesFilter {
                thing: Some("B".into()),
                ..Default::default()
            }),
            3
        );
        assert_eq!(
            of(SeriesFilter {
                property: Some("x".into()),
                ..Default::default()
            }),
            6
        );
        assert_eq!(
            of(SeriesFilter {
                kind: Kind::parse("hour"),
                ..Default::default()
            }),
            3
        );
        assert_eq!(
            of(SeriesFilter {
                thing: Some("D".into()),
                ..Default::default()
            }),
            0
        );
        assert_eq!(bench.engine.latest_of_thing("C").len(), 3);
        assert_eq!(bench.engine.last_received("C"), Some(minute(60)));
        assert_eq!(bench.engine.last_received("D"), None);
        let mut rows = 0;
        let whole = SeriesFilter::default();
        bench
            .engine
            .export_rows(&whole, Time(0), minute(999), |_, _| {
                rows += 1;
                true
            })
            .await
            .unwrap();
        assert_eq!(rows, 9);
        bench.engine.shutdown().await;
    })
    .await;
}
