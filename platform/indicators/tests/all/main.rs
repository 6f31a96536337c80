//! Tests of the indicators through their public door, on both databases.

#![allow(clippy::unwrap_used)] // clippy knows tests, but not their helpers

mod fakes;

use fakes::{Fake, at};
use indicators::{Engine, IndicatorValue};
use kernel::city::{Report, ReportFuture};
use kernel::declare::{Declared, check};
use kernel::{City, Fault, ManualClock, Span};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::Store;

static ASKED: AtomicU64 = AtomicU64::new(0);

/// Works until 12:10, fails until 12:20, has no value until 12:30, breaks off until 12:40, works.
fn vitals(city: City, _: BTreeMap<String, String>) -> ReportFuture {
    ASKED.fetch_add(1, Ordering::SeqCst);
    Box::pin(async move {
        match city.clock.now().since(at(0)).0 / Span::minutes(10).0 {
            0 => Ok(json!({"online": 97.5, "total": 288})),
            1 => Err(Fault::missing("station")),
            2 => Ok(json!({"online": null, "total": 288})),
            3 => panic!("a fault of ours"),
            _ => Ok(json!({"online": 91, "total": 289})),
        }
    })
}

fn declared() -> Arc<Declared> {
    let files = [
        (
            "cities/c/city.yaml",
            "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
        ),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n",
        ),
        (
            "systems/e/system.yaml",
            "title: {zh: 环境, en: Environment}\nowner: o1\nuses: [indicators]\nmaturity: draft\n\
             reports:\n  vitals: {title: {zh: 概况, en: Vitals}, public: true}\n",
        ),
        (
            "systems/e/indicators/online.yaml",
            "title: {zh: 在线率, en: Online}\nunit: '%'\nreport: vitals\nfield: /online\ntarget: 95\nevery: 5 min\nsource: HJ\n",
        ),
        (
            "systems/e/indicators/stations.yaml",
            "title: {zh: 站点, en: Stations}\nreport: vitals\nfield: /total\nevery: 5 min\n",
        ),
    ];
    let files: BTreeMap<String, String> = files
        .into_iter()
        .map(|(file, text)| (file.to_string(), text.to_string()))
        .collect();
    Arc::new(check::load(&files).unwrap_or_else(|problems| panic!("{problems:#?}")))
}

async fn engine(store: &Store, clock: &Arc<ManualClock>, fake: &Arc<Fake>) -> Arc<Engine> {
    let name = ("e".to_string(), "vitals".to_string());
    let reports = BTreeMap::from([(name, vitals as Report)]);
    let city = fake.city(clock.clone());
    Engine::prepare(store.clone(), clock.clone(), declared(), reports, city)
        .await
        .unwrap()
}

/// Number, since when it fails, and why.
fn told(value: &IndicatorValue) -> (Option<f64>, Option<kernel::Time>, Option<&str>) {
    let error = value.error.as_ref().map(|words| &*words.en);
    (value.value, value.failing_since, error)
}

#[tokio::test]
async fn numbers_failures_and_what_is_said_of_them() {
    testkit::each_store(|store| async move {
        ASKED.store(0, Ordering::SeqCst);
        let clock = Arc::new(ManualClock::new(at(0)));
        let fake = Arc::new(Fake::default());
        let mut indicators = engine(&store, &clock, &fake).await;
        assert_eq!(told(&indicators.list()[0]), (None, None, None));

        // Two indicators, one question; asked again only after five minutes.
        for (minute, asked) in [(0, 1), (4, 1), (5, 2)] {
            clock.set(at(minute));
            indicators.compute_due().await.unwrap();
            assert_eq!(ASKED.load(Ordering::SeqCst), asked, "{minute}");
        }
        let [online, stations] = &indicators.list()[..] else {
            panic!("two are declared");
        };
        assert_eq!(told(online), (Some(97.5), None, None));
        assert_eq!((online.target, &*online.better), (Some(95.0), "higher"));
        assert_eq!(told(stations), (Some(288.0), None, None));
        assert_eq!(online.computed_at, Some(at(5)));

        // A failing report leaves the number with its time and says since when; after a restart
        // as well.
        clock.set(at(10));
        indicators.compute_due().await.unwrap();
        let failed = (Some(97.5), Some(at(10)), Some("not found: station"));
        assert_eq!(told(&indicators.list()[0]), failed);
        indicators = engine(&store, &clock, &fake).await;
        let online = indicators.list().swap_remove(0);
        assert_eq!(
            told(&online),
            (Some(97.5), Some(at(10)), Some("the report failed"))
        );
        assert_eq!(online.computed_at, Some(at(5)));
        for (minute, expect) in [
            (25, "the report's /online has no value at present"),
            (35, "the report broke off"),
        ] {
            clock.set(at(minute));
            indicators.compute_due().await.unwrap();
            let online = &indicators.list()[0];
            assert_eq!(told(online), (Some(97.5), Some(at(10)), Some(expect)));
        }
        assert_eq!(told(&indicators.list()[1]).1, Some(at(35)));

        // And recovers, in memory and after a restart.
        clock.set(at(40));
        indicators.compute_due().await.unwrap();
        assert_eq!(told(&indicators.list()[0]), (Some(91.0), None, None));
        indicators = engine(&store, &clock, &fake).await;
        assert_eq!(told(&indicators.list()[0]), (Some(91.0), None, None));

        let trend = indicators.trend("e", "online").await.unwrap();
        let millis = |minute| at(minute).0 / 1000;
        let expect = [(millis(0), 97.5), (millis(5), 97.5), (millis(40), 91.0)];
        assert_eq!(trend, expect);
        let unknown = indicators.trend("e", "other").await.unwrap_err();
        assert_eq!(unknown.code, "input.not_found");
    })
    .await;
}

#[tokio::test]
async fn a_report_that_is_not_bound_is_a_fault() {
    testkit::each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(at(0)));
        let city = Arc::new(Fake::default()).city(clock.clone());
        let opened = Engine::open(store, clock, declared(), BTreeMap::new(), city).await;
        assert_eq!(opened.err().unwrap().code, "system.internal");
    })
    .await;
}
