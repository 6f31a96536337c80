//! Restart: what was acknowledged is there again, once, wherever it lay.

use crate::help::*;
use kernel::observations::*;
use testkit::each_store;

/// Everything the engine says of its series and their points.
async fn picture(bench: &Bench) -> Vec<String> {
    let mut lines = vec![];
    let series = bench.engine.list_series(&SeriesFilter {
        limit: 10_000,
        ..SeriesFilter::default()
    });
    for info in series {
        let points = bench
            .points(&info.name.thing, &info.name.property, None)
            .await;
        lines.push(format!(
            "{:?} {} {:?} {points}",
            info.name, info.first, info.latest
        ));
    }
    let counters = bench.engine.counters();
    lines.push(format!(
        "{} {} {}",
        counters.things, counters.series, counters.values
    ));
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_nothing() {
    each_store(|store| async move {
        let mut bench = Bench::open(store).await;
        for round in 0..4 {
            for n in 0..30 {
                let late = if n % 7 == 0 { -500 } else { 0 };
                let at = minute(round * 30 + n + late);
                let cells = format!("a={} b={}.25N", n % 5, n);
                bench.put(&format!("S{}", n % 3), at, &cells).await;
                if n == 15 && round % 2 == 0 {
                    bench.engine.flush().await.unwrap();
                }
            }
            let before = picture(&bench).await;
            bench = bench.reopen(round % 2 == 1).await;
            assert_eq!(picture(&bench).await, before, "round {round}");
        }
        bench.engine.shutdown().await;
        let unflushed = bench.engine.counters().unflushed;
        assert_eq!(unflushed, 0);
    })
    .await;
}
