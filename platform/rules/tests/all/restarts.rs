//! Neither missed nor repeated: the same log read with restarts at any place, with and without a
//! checkpoint, gives the same alerts as read in one go.

use super::engine::Stage;
use super::fakes::at;
use kernel::alerts::{Alert, AlertFilter, Alerts};
use kernel::observations::Observations;
use kernel::{Clock, Span};
use proptest::prelude::*;
use serde_json::json;
use store::Store;

const RULES: [(&str, &str); 4] = [
    (
        "above",
        "when: {observation: so2, above: {register: emission_limit, key: '{thing}', field: limit, or: 50}, for: 5 min, hysteresis: 10 %}\n\
         alert: {levels: {yellow: 1, red: 2}, MESSAGE}",
    ),
    (
        "silent",
        "when: {absent: 7 min}\nalert: {levels: {blue: 1, yellow: 2}, MESSAGE}",
    ),
    (
        "stuck",
        "when: {observation: nox, constant: {for: 5 min, at_least: 3}}\nalert: {level: blue, MESSAGE}\nclose: manual",
    ),
    (
        "jump",
        "when: {observation: so2, change: {over: 3 min, by: 60 %}}\nalert: {level: blue, MESSAGE}",
    ),
];

/// What happens in the city.
#[derive(Clone, Debug)]
enum Happening {
    /// Thing, property, value, how late.
    Observe(u8, bool, u8, u8),
    /// A new limit for a thing.
    Limit(u8, u8),
    /// A station leaves or comes back.
    Station(u8, bool),
    /// Seconds pass.
    Wait(u16),
}

/// What the engine does between: nothing, judges, judges and keeps, or dies and starts again.
#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Judge,
    Keep,
    Restart,
}

fn happenings() -> impl Strategy<Value = Vec<(Happening, Between)>> {
    let happening = prop_oneof![
        6 => (0..3u8, any::<bool>(), 0..6u8, 0..4u8)
            .prop_map(|(thing, which, value, late)| Happening::Observe(thing, which, value, late)),
        1 => (0..3u8, 1..12u8).prop_map(|(thing, limit)| Happening::Limit(thing, limit)),
        1 => (0..3u8, any::<bool>()).prop_map(|(thing, here)| Happening::Station(thing, here)),
        4 => (1..600u16).prop_map(Happening::Wait),
    ];
    let between = prop_oneof![
        2 => Just(Between::Nothing),
        2 => Just(Between::Judge),
        1 => Just(Between::Keep),
        2 => Just(Between::Restart),
    ];
    prop::collection::vec((happening, between), 1..60)
}

/// Lets everything happen and answers the alerts in the end; `restarts` says whether the engine
/// does anything before it is over.
async fn live(all: &[(Happening, Between)], restarts: bool) -> Vec<Alert> {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let stage = Stage::new(store.clone(), &RULES).await;
    let mut engine = stage.engine().await;
    for (happening, between) in all {
        match happening {
            Happening::Observe(thing, which, value, late) => {
                let property = if *which { "so2" } else { "nox" };
                let time = stage.clock.now() - Span::minutes(i64::from(*late));
                let value = f64::from(*value) * 22.0;
                let row = stage
                    .observed
                    .row(&format!("S{thing}"), property, time, value);
                stage.observed.write(vec![row]).await.unwrap();
            }
            Happening::Limit(thing, limit) => {
                let fields = json!({"limit": f64::from(*limit) * 10.0});
                stage
                    .recorded
                    .put("emission_limit", &format!("S{thing}"), fields)
                    .await;
            }
            Happening::Station(thing, here) => {
                let fields = if *here {
                    json!({"kind": "gas"})
                } else {
                    json!(null)
                };
                stage
                    .recorded
                    .put("station", &format!("S{thing}"), fields)
                    .await;
            }
            Happening::Wait(seconds) => stage.clock.advance(Span::seconds(i64::from(*seconds))),
        }
        if !restarts {
            continue;
        }
        match between {
            Between::Nothing => continue,
            Between::Restart => engine = stage.engine().await,
            Between::Judge | Between::Keep => {}
        }
        engine.catch_up().await.unwrap();
        // The clock is looked at a while late, like the task does.
        engine
            .look_at_clock(stage.clock.now() - Span::seconds(2))
            .await
            .unwrap();
        if matches!(between, Between::Keep) {
            engine.keep().await.unwrap();
        }
    }
    engine.catch_up().await.unwrap();
    engine.reconcile().await.unwrap();
    engine.look_at_clock(stage.clock.now()).await.unwrap();
    let mut filter = AlertFilter::default();
    let mut alerts = vec![];
    loop {
        let (page, next, _) = engine.list(&filter).await.unwrap();
        alerts.extend(page);
        filter.after = next;
        if filter.after.is_none() {
            break;
        }
    }
    store.close().await;
    alerts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn restarts_change_nothing(all in happenings()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (calm, restless) = runtime.block_on(async {
            (live(&all, false).await, live(&all, true).await)
        });
        prop_assert_eq!(calm, restless);
    }
}

#[test]
fn the_log_of_the_tests_raises_something() {
    let wait = |seconds| (Happening::Wait(seconds), Between::Restart);
    let observe = |value| (Happening::Observe(1, true, value, 0), Between::Keep);
    let all = [
        observe(3),
        wait(150),
        observe(5),
        wait(150),
        observe(5),
        wait(900),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let alerts = runtime.block_on(live(&all, true));
    let mut found: Vec<(&str, &str)> = alerts.iter().map(|a| (&*a.rule, &*a.thing)).collect();
    found.sort();
    found.dedup();
    assert_eq!(
        found.iter().filter(|(rule, _)| *rule == "silent").count(),
        10
    );
    assert!(found.contains(&("above", "S1")), "{found:?}");
    assert!(found.contains(&("jump", "S1")), "{found:?}");
    assert_eq!(alerts[0].since, at(12, 0));
}
