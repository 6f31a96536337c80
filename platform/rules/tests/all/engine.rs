//! The engine on both databases: the queue, what officers do, escalation, restarts.

use super::fakes::{Observed, Recorded, at, declared};
use kernel::access::Actor;
use kernel::alerts::{AlertFilter, AlertState, AlertVerb, Alerts, Level};
use kernel::declare::Declared;
use kernel::events::EventKind;
use kernel::observations::Observations;
use kernel::{ManualClock, Span};
use rules::Engine;
use serde_json::json;
use std::sync::Arc;
use store::Store;

const ABOVE: &str = "when: {observation: [so2, nox], above: 50}\n\
                     alert: {levels: {yellow: 1, orange: 1.5, red: 2}, MESSAGE}\n\
                     escalate: {after: 30 min, to: duty}";
const SILENT: &str = "when: {absent: 30 min}\nalert: {level: blue, MESSAGE}";

/// A city with stations S0 to S9 and an engine without its task.
pub struct Stage {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub observed: Arc<Observed>,
    pub recorded: Arc<Recorded>,
    pub declared: Arc<Declared>,
}

impl Stage {
    pub async fn new(store: Store, rules: &[(&str, &str)]) -> Stage {
        let clock = Arc::new(ManualClock::new(at(12, 0)));
        let stage = Stage {
            observed: Observed::new(store.clone(), clock.clone()),
            recorded: Recorded::new(store.clone(), clock.clone()),
            declared: Arc::new(declared(rules)),
            store,
            clock,
        };
        for n in 0..10 {
            let fields = json!({"kind": "gas", "class": "boiler"});
            stage
                .recorded
                .put("station", &format!("S{n}"), fields)
                .await;
        }
        stage
    }

    pub async fn engine(&self) -> Arc<Engine> {
        Engine::prepare(
            self.store.clone(),
            self.clock.clone(),
            self.declared.clone(),
            self.observed.clone(),
            self.recorded.clone(),
        )
        .await
        .unwrap()
    }

    pub async fn observe(&self, thing: &str, property: &str, value: f64) {
        let now = kernel::Clock::now(&*self.clock);
        let row = self.observed.row(thing, property, now, value);
        self.observed.write(vec![row]).await.unwrap();
    }
}

fn officer() -> Actor {
    Actor {
        account: "officer".into(),
        display: "值班员".into(),
        roles: vec!["duty".into()],
        ..Actor::default()
    }
}

#[tokio::test]
async fn the_queue() {
    testkit::each_store(|store| async move {
        let stage = Stage::new(store, &[("r", ABOVE)]).await;
        let engine = stage.engine().await;
        for n in 0..10 {
            stage.clock.advance(Span::seconds(1));
            let value = 60.0 + 10.0 * f64::from(n % 5);
            stage.observe(&format!("S{n}"), "so2", value).await;
        }
        engine.catch_up().await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [0, 4, 4, 2]);

        // Every page once, gravest and newest first.
        let mut filter = AlertFilter {
            limit: 3,
            ..AlertFilter::default()
        };
        let mut seen = vec![];
        loop {
            let (page, next, total) = engine.list(&filter).await.unwrap();
            assert_eq!(total, 10);
            seen.extend(page.into_iter().map(|a| (a.level, a.raised_at, a.thing)));
            let Some(next) = next else { break };
            filter.after = Some(next);
        }
        let things: Vec<&str> = seen.iter().map(|(.., thing)| &**thing).collect();
        assert_eq!(
            things,
            ["S9", "S4", "S8", "S7", "S3", "S2", "S6", "S5", "S1", "S0"]
        );

        let count = |filter: AlertFilter| {
            let engine = engine.clone();
            async move { engine.list(&filter).await.unwrap().2 }
        };
        let all = AlertFilter::default;
        let cases = [
            (
                AlertFilter {
                    levels: vec![Level::Red],
                    ..all()
                },
                2,
            ),
            (
                AlertFilter {
                    states: vec![AlertState::Open],
                    ..all()
                },
                10,
            ),
            (
                AlertFilter {
                    states: vec![AlertState::Closed],
                    ..all()
                },
                0,
            ),
            (
                AlertFilter {
                    thing: Some("S3".into()),
                    ..all()
                },
                1,
            ),
            (
                AlertFilter {
                    rule: Some("r".into()),
                    ..all()
                },
                10,
            ),
            (
                AlertFilter {
                    rule: Some("q".into()),
                    ..all()
                },
                0,
            ),
            (
                AlertFilter {
                    active: Some(true),
                    ..all()
                },
                10,
            ),
            (
                AlertFilter {
                    active: Some(false),
                    ..all()
                },
                0,
            ),
            (
                AlertFilter {
                    text: Some("s7的二氧化硫".into()),
                    ..all()
                },
                1,
            ),
            (
                AlertFilter {
                    text: Some("%".into()),
                    ..all()
                },
                0,
            ),
            (
                AlertFilter {
                    assignee: Some("officer".into()),
                    ..all()
                },
                0,
            ),
            (
                AlertFilter {
                    from: Some(at(12, 0) + Span::seconds(9)),
                    ..all()
                },
                2,
            ),
            (
                AlertFilter {
                    to: Some(at(12, 0) + Span::seconds(9)),
                    ..all()
                },
                8,
            ),
        ];
        for (filter, expect) in cases {
            let text = format!("{filter:?}");
            assert_eq!(count(filter).await, expect, "{text}");
        }
        let wrong = AlertFilter {
            after: Some("x".into()),
            ..all()
        };
        assert_eq!(engine.list(&wrong).await.unwrap_err().code, "input.invalid");
    })
    .await;
}

#[tokio::test]
async fn officers() {
    testkit::each_store(|store| async move {
        let stage = Stage::new(store.clone(), &[("r", ABOVE)]).await;
        let engine = stage.engine().await;
        stage.observe("S1", "so2", 60.0).await;
        engine.catch_up().await.unwrap();
        let (page, ..) = engine.list(&AlertFilter::default()).await.unwrap();
        let id = page[0].id.clone();
        let act = |verb: AlertVerb, version: Option<i64>| {
            let (engine, id) = (engine.clone(), id.clone());
            async move { engine.act(&officer(), &id, verb, version).await }
        };
        let reason = |reason: &str| AlertVerb::Close {
            reason: reason.into(),
        };

        let stale = act(AlertVerb::Acknowledge, Some(7)).await.unwrap_err();
        assert_eq!(stale.code, "input.stale");
        let alert = act(AlertVerb::Acknowledge, Some(1)).await.unwrap();
        assert_eq!((alert.state, alert.version), (AlertState::Acknowledged, 2));
        let alert = act(AlertVerb::Assign { to: "li".into() }, None)
            .await
            .unwrap();
        assert_eq!(alert.assignee.as_deref(), Some("li"));
        let empty = act(reason("  "), None).await.unwrap_err();
        assert_eq!(empty.code, "input.invalid");
        assert_eq!(empty.problems[0].at, "reason");
        let alert = act(reason("检修 maintenance"), None).await.unwrap();
        assert_eq!(alert.state, AlertState::Closed);
        let closed = act(AlertVerb::Acknowledge, None).await.unwrap_err();
        assert_eq!(closed.code, "alerts.closed");
        let words: Vec<&str> = alert.steps.iter().map(|s| &*s.what).collect();
        assert_eq!(words, ["raised", "acknowledged", "assigned", "closed"]);
        assert_eq!(engine.get(&id).await.unwrap(), Some(alert));
        let missing = engine
            .act(&officer(), "none", AlertVerb::Acknowledge, None)
            .await;
        assert_eq!(missing.unwrap_err().code, "input.not_found");

        // Closed by a person, the same condition does not come back, nor become graver.
        stage.clock.advance(Span::minutes(1));
        stage.observe("S1", "so2", 200.0).await;
        engine.catch_up().await.unwrap();
        let alert = engine.get(&id).await.unwrap().unwrap();
        assert_eq!(
            (alert.level, alert.state),
            (Level::Yellow, AlertState::Closed)
        );
        assert_eq!(engine.open_counts().await.unwrap(), [0; 4]);
        // A new one does.
        for value in [10.0, 60.0] {
            stage.clock.advance(Span::minutes(1));
            stage.observe("S1", "so2", value).await;
        }
        engine.catch_up().await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [0, 1, 0, 0]);

        // Every deed is in the audit log and the event log.
        let verbs: Vec<String> = store
            .audit()
            .list(&store::audit::AuditFilter::default())
            .await
            .unwrap()
            .into_iter()
            .map(|row| row.entry.verb)
            .collect();
        assert_eq!(verbs, ["close", "assign", "acknowledge"]);
        let events = store.events().read(0, 1 << 20).await.unwrap();
        let of_alerts = events.iter().filter(|e| e.kind == EventKind::Alert);
        assert_eq!(of_alerts.filter(|e| *e.about == *id).count(), 5);
    })
    .await;
}

#[tokio::test]
async fn steps_are_bounded() {
    testkit::each_store(|store| async move {
        let stage = Stage::new(store, &[("r", ABOVE)]).await;
        let engine = stage.engine().await;
        stage.observe("S1", "so2", 60.0).await;
        engine.catch_up().await.unwrap();
        let (page, ..) = engine.list(&AlertFilter::default()).await.unwrap();
        let comment = || AlertVerb::Comment {
            text: "看过 seen".into(),
        };
        let mut refused = None;
        for _ in 0..200 {
            if let Err(fault) = engine.act(&officer(), &page[0].id, comment(), None).await {
                refused = Some(fault.code);
                break;
            }
        }
        assert_eq!(refused, Some("input.too_many"));
        for n in 0..40 {
            let verb = AlertVerb::Assign {
                to: format!("p{n}"),
            };
            engine
                .act(&officer(), &page[0].id, verb, None)
                .await
                .unwrap();
        }
        let alert = engine.get(&page[0].id).await.unwrap().unwrap();
        assert_eq!(alert.steps.len(), 200);
        assert_eq!(alert.steps[0].what, "raised");
        assert_eq!(alert.steps[199].text, "p39");
    })
    .await;
}

#[tokio::test]
async fn escalation_happens_once_and_not_behind_an_officers_back() {
    testkit::each_store(|store| async move {
        let stage = Stage::new(store, &[("r", ABOVE)]).await;
        let engine = stage.engine().await;
        stage.observe("S1", "so2", 60.0).await;
        stage.observe("S2", "so2", 60.0).await;
        engine.catch_up().await.unwrap();
        let (page, ..) = engine.list(&AlertFilter::default()).await.unwrap();
        let of = |thing: &str| page.iter().find(|a| a.thing == thing).unwrap().id.clone();
        let (seen, unseen) = (of("S1"), of("S2"));
        engine
            .act(&officer(), &seen, AlertVerb::Acknowledge, None)
            .await
            .unwrap();
        for (minute, expect) in [(29, None), (30, Some("duty")), (90, Some("duty"))] {
            engine.look_at_clock(at(12, minute)).await.unwrap();
            let alert = engine.get(&unseen).await.unwrap().unwrap();
            assert_eq!(alert.escalated_to.as_deref(), expect, "{minute}");
            let level = if expect.is_some() {
                Level::Orange
            } else {
                Level::Yellow
            };
            assert_eq!(alert.level, level);
        }
        assert_eq!(engine.get(&seen).await.unwrap().unwrap().escalated_to, None);
    })
    .await;
}

#[tokio::test]
async fn a_restart_goes_on_with_limits_that_stood() {
    testkit::each_store(|store| async move {
        let rule = "when: {observation: so2, above: {register: emission_limit, key: '{thing}', field: limit}}\n\
                    alert: {level: red, MESSAGE}";
        let stage = Stage::new(store, &[("r", rule)]).await;
        stage.recorded.put("emission_limit", "S1", json!({"limit": 100})).await;
        let engine = stage.engine().await;
        engine.catch_up().await.unwrap();
        engine.keep().await.unwrap();
        stage.clock.advance(Span::minutes(1));
        stage.observe("S1", "so2", 60.0).await;
        stage.clock.advance(Span::minutes(1));
        stage.recorded.put("emission_limit", "S1", json!({"limit": 50})).await;
        // The register says 50 already; the value came when it said 100.
        let engine = stage.engine().await;
        engine.catch_up().await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [0; 4]);
        stage.clock.advance(Span::minutes(1));
        stage.observe("S1", "so2", 60.0).await;
        engine.catch_up().await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [0, 0, 0, 1]);
    })
    .await;
}

#[tokio::test]
async fn alerts_of_rules_that_are_gone_end() {
    testkit::each_store(|store| async move {
        let rules = [("r", ABOVE), ("silent", SILENT)];
        let mut stage = Stage::new(store, &rules).await;
        let engine = stage.engine().await;
        stage.observe("S1", "so2", 60.0).await;
        engine.catch_up().await.unwrap();
        engine.look_at_clock(at(12, 31)).await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [10, 0, 1, 0]);
        engine.shutdown().await;
        // Nothing changed: everything goes on.
        let engine = stage.engine().await;
        engine.catch_up().await.unwrap();
        engine.reconcile().await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [10, 0, 1, 0]);
        engine.shutdown().await;
        stage.declared = Arc::new(declared(&[("silent", SILENT)]));
        let engine = stage.engine().await;
        engine.catch_up().await.unwrap();
        engine.reconcile().await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [10, 0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn the_task_follows_the_log_and_stops() {
    testkit::each_store(|store| async move {
        let stage = Stage::new(store.clone(), &[("r", ABOVE)]).await;
        let engine = Engine::open(
            store.clone(),
            stage.clock.clone(),
            stage.declared.clone(),
            stage.observed.clone(),
            stage.recorded.clone(),
        )
        .await
        .unwrap();
        stage.observe("S1", "so2", 60.0).await;
        engine.caught_up(store.events().last_seq()).await.unwrap();
        assert_eq!(engine.open_counts().await.unwrap(), [0, 1, 0, 0]);
        // Its own events are read too; only then nothing is left.
        engine.caught_up(store.events().last_seq()).await.unwrap();
        let status = engine.status();
        assert_eq!((status.lag, status.values, status.outcomes), (0, 1, 1));
        engine.shutdown().await;
        let kept = store.cursors().get("rules").await.unwrap();
        assert_eq!(kept, Some(store.events().last_seq()));
        let stopped = engine.caught_up(i64::MAX).await.unwrap_err();
        assert_eq!(stopped.code, "system.stopping");
    })
    .await;
}
