//! Tests of the metering engine on both databases: what is counted is there after a restart, once;
//! limits hold to the last one; warnings come once.

use kernel::access::Actor;
use kernel::events::EventKind;
use kernel::metering::{Meter, Meters, Payer, Quota, Window};
use kernel::{Clock, ManualClock, Span, Time};
use metering::{Engine, QuotaChange, UsageQuestion};
use std::sync::Arc;
use store::Store;
use testkit::each_store;

const A: Payer<'static> = Payer {
    organisation: "a",
    application: "feeder",
};
const A2: Payer<'static> = Payer {
    organisation: "a",
    application: "pages",
};
const B: Payer<'static> = Payer {
    organisation: "b",
    application: "feeder",
};

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(
        Time::parse("2026-11-25T02:10:30Z").expect("a time"),
    ))
}

fn quota(name: &str, organisation: Option<&str>, application: Option<&str>, limit: u64) -> Quota {
    Quota {
        name: name.into(),
        organisation: organisation.map(String::from),
        application: application.map(String::from),
        meter: Meter::Requests,
        window: Window::Minute,
        limit,
    }
}

async fn open(store: &Store, clock: &Arc<ManualClock>, quotas: Vec<Quota>) -> Arc<Engine> {
    let known = vec!["a".to_string(), "b".to_string()];
    Engine::open(store.clone(), clock.clone(), quotas, known)
        .await
        .expect("an engine")
}

async fn total(engine: &Engine, clock: &ManualClock, window: Window) -> i64 {
    let question = UsageQuestion {
        window,
        from: Time(0),
        to: clock.now() + Span::days(40),
        meter: Some(Meter::Requests),
        organisation: None,
        application: None,
        limit: 1000,
    };
    let usage = engine.usage(&question).await.expect("usage");
    usage.iter().map(|u| u.amount).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_is_kept_once_and_a_crash_loses_the_last_second_only() {
    each_store(|store| async move {
        let clock = clock();
        let engine = open(&store, &clock, vec![]).await;
        engine.count(A, Meter::Requests, 5);
        engine.count(B, Meter::Requests, 2);
        engine.count(A, Meter::BytesIn, 1000);
        engine.flush().await.expect("a flush");
        engine.flush().await.expect("a flush");
        engine.count(A, Meter::Requests, 3);
        // The process dies here: the three are lost, the seven are not.
        drop(engine);
        let engine = open(&store, &clock, vec![]).await;
        for window in Window::ALL {
            assert_eq!(total(&engine, &clock, window).await, 7, "{window:?}");
        }
        engine.count(A, Meter::Requests, 1);
        clock.advance(Span::minutes(1));
        engine.flush().await.expect("a flush");
        assert_eq!(total(&engine, &clock, Window::Minute).await, 8);
        assert_eq!(engine.totals()[0], (Meter::Requests, 8));
        // Two processes of one city add up, and see each other.
        let other = open(&store, &clock, vec![quota("city", None, None, 10)]).await;
        engine.count(A, Meter::Requests, 1);
        engine.flush().await.expect("a flush");
        clock.advance(Span::seconds(11));
        other.flush().await.expect("a flush");
        assert_eq!(other.left(B)[0].used, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_to_the_last_one_and_say_what_is_left() {
    each_store(|store| async move {
        let clock = clock();
        let quotas = vec![
            quota("each_organisation", Some("*"), None, 100),
            quota("b_more", Some("b"), None, 1000),
            quota("pair", Some("*"), Some("feeder"), 60),
        ];
        let engine = open(&store, &clock, quotas).await;
        // Four at the same time, two hundred tries in all: sixty pass.
        let tries = (0..4).map(|_| {
            let engine = engine.clone();
            tokio::task::spawn_blocking(move || {
                (0..50)
                    .filter(|_| engine.admit(A, Meter::Requests, 1).is_ok())
                    .count()
            })
        });
        let mut passed = 0;
        for one in tries.collect::<Vec<_>>() {
            passed += one.await.expect("a try");
        }
        assert!(passed <= 60, "{passed} passed");
        while engine.admit(A, Meter::Requests, 1).is_ok() {
            passed += 1;
        }
        assert_eq!(passed, 60);
        let fault = engine.admit(A, Meter::Requests, 1).expect_err("a refusal");
        assert_eq!(
            (fault.code, fault.status(), fault.retry_after_s),
            ("metering.quota", 429, Some(30))
        );
        // The organisation has forty left for its other applications.
        let left = engine.left(A2);
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!((left[0].used, left[0].left()), (60, 40));
        assert_eq!(
            (0..60)
                .filter(|_| engine.admit(A2, Meter::Requests, 1).is_ok())
                .count(),
            40
        );
        // The closest one is in force for b.
        let left = engine.left(B);
        assert!(left.iter().any(|l| l.quota == "b_more"), "{left:?}");
        assert!(left.iter().all(|l| l.quota != "each_organisation"));
        // Flushing changes nothing of it; the next minute does.
        engine.flush().await.expect("a flush");
        assert!(engine.admit(A, Meter::Requests, 1).is_err());
        clock.advance(Span::seconds(31));
        engine.flush().await.expect("a flush");
        assert!(engine.admit(A, Meter::Requests, 1).is_ok());
        // A restart within the minute remembers.
        engine.flush().await.expect("a flush");
        let again = open(
            &store,
            &clock,
            vec![quota("pair", Some("*"), Some("feeder"), 1)],
        )
        .await;
        assert!(again.admit(A, Meter::Requests, 1).is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_comes_once_in_its_window() {
    each_store(|store| async move {
        let clock = clock();
        let engine = open(&store, &clock, vec![quota("q", Some("*"), None, 10)]).await;
        let warned = async || {
            let events = store.events().read(0, 1 << 20).await.expect("events");
            events
                .iter()
                .filter(|e| e.kind == EventKind::Metering)
                .count()
        };
        engine.count(A, Meter::Requests, 7);
        engine.flush().await.expect("a flush");
        assert_eq!(warned().await, 0);
        for _ in 0..2 {
            engine.count(A, Meter::Requests, 1);
            engine.flush().await.expect("a flush");
            assert_eq!(warned().await, 1);
        }
        engine.count(B, Meter::Requests, 9);
        engine.flush().await.expect("a flush");
        assert_eq!(warned().await, 2, "somebody else's");
        clock.advance(Span::minutes(1));
        engine.flush().await.expect("a flush");
        engine.count(A, Meter::Requests, 8);
        engine.flush().await.expect("a flush");
        assert_eq!(warned().await, 3, "the next minute's");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_set_by_people_stand_over_the_citys_and_are_audited() {
    each_store(|store| async move {
        let clock = clock();
        let engine = open(&store, &clock, vec![quota("q", Some("*"), None, 10)]).await;
        let by = Actor {
            account: "operator".into(),
            ..Actor::default()
        };
        let change = |limit, reason: &str| QuotaChange {
            organisation: Some("*".into()),
            application: None,
            meter: Meter::Requests,
            window: Window::Minute,
            limit,
            reason: reason.into(),
        };
        for (name, bad, at) in [
            ("q", change(5, ""), "reason"),
            ("Q!", change(5, "why not"), "name"),
            ("q", change(u64::MAX, "why not"), "limit"),
            (
                "q",
                QuotaChange {
                    organisation: Some("nobody".into()),
                    ..change(5, "why not")
                },
                "organisation",
            ),
        ] {
            let fault = engine.set_quota(&by, name, bad, None).await.expect_err(at);
            assert_eq!(fault.problems[0].at, at);
        }
        let set = engine
            .set_quota(&by, "q", change(2, "a flood"), None)
            .await
            .expect("set");
        assert_eq!((set.from, set.version), ("page", 1));
        let stale = engine
            .set_quota(&by, "q", change(3, "again"), Some(9))
            .await;
        assert_eq!(stale.expect_err("stale").code, "input.stale");
        assert!(engine.admit(A, Meter::Requests, 2).is_ok());
        assert!(
            engine.admit(A, Meter::Requests, 1).is_err(),
            "in force at once"
        );
        // Another process and a restart know it; taken back, the city's stands again.
        let again = open(&store, &clock, vec![quota("q", Some("*"), None, 10)]).await;
        assert_eq!(again.quotas()[0].quota.limit, 2);
        again
            .unset_quota(&by, "q", "over now")
            .await
            .expect("taken back");
        assert_eq!(again.quotas()[0].quota.limit, 10);
        assert_eq!(
            again
                .unset_quota(&by, "q", "over now")
                .await
                .expect_err("twice")
                .code,
            "input.not_found"
        );
        let head = store.audit().head().await.expect("head");
        assert_eq!(head.seq, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_made_up_names_is_counted_together() {
    each_store(|store| async move {
        let clock = clock();
        let engine = open(&store, &clock, vec![]).await;
        for number in 0..5_000 {
            let application = format!("made-up-{number}");
            engine.count(
                Payer {
                    organisation: "",
                    application: &application,
                },
                Meter::Requests,
                1,
            );
        }
        assert!(engine.payers() <= 4_097);
        assert_eq!(engine.totals()[0], (Meter::Requests, 5_000));
    })
    .await;
}
