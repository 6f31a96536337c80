//! Decisions in cases: each is kept with the step that rests on it and explained afterwards; a table
//! that breaks its hit policy holds the case up with words.

use crate::house::{House, admin, at, object, officer, own};
use crate::stage::Small;
use async_trait::async_trait;
use kernel::cases::{
    CaseState, CaseVerb, Cases, Expressions, Migration, NewCase, Simulation, TaskVerb,
};
use kernel::decisions::{Decisions, NewModel, Outcome, ReadyModel};
use kernel::{Actor, Clock, Fault, ManualClock, Span, Time};
use serde_json::{Map, Value, json};
use std::any::Any;
use std::sync::Arc;
use store::Store;
use store::audit::AuditFilter;
use store::decisions::{EvaluationRow, Which};
use testkit::each_store;

/// The decisions engine of a city, with the little FEEL of the stage for everything else.
struct Models(Arc<decisions::Engine>);

/// What one case decides by: its version of the model `levy`.
struct Levy(Arc<dyn ReadyModel>);

impl Models {
    fn open(store: &Store, clock: Arc<ManualClock>) -> Arc<Models> {
        let engine = decisions::Engine::open(store.clone(), clock).unwrap();
        Arc::new(Models(engine))
    }

    /// Publishes a version of the model `levy`, whose fee is that of these rules, `amount | fee`.
    async fn publish(&self, rules: &[(&str, &str)]) {
        let new = NewModel {
            model: "levy".into(),
            xml: levy(rules),
            note: String::new(),
            after_version: None,
        };
        self.0.publish(&Actor::system(), &new).await.unwrap();
    }
}

#[async_trait]
impl Expressions for Models {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        Small.evaluate(expression, variables)
    }

    fn decide(&self, decision: &str, _: &Map<String, Value>) -> Result<Outcome, Fault> {
        Err(Fault::missing(decision))
    }

    async fn of_case(
        &self,
        run: &mut (dyn Any + Send),
        decisions: &[&str],
        began: Time,
    ) -> Result<Option<Arc<dyn Expressions>>, Fault> {
        assert_eq!(decisions, ["levy:fee"]);
        let ready = self.0.ready_at(run, "levy", began).await?;
        Ok(Some(Arc::new(Levy(ready))))
    }
}

impl Expressions for Levy {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        Small.evaluate(expression, variables)
    }

    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Outcome, Fault> {
        let (_, decision) = decision.split_once(':').unwrap();
        let asked = self.0.shape().inputs.iter();
        let input = asked.filter_map(|i| Some((i.name.clone(), variables.get(&i.name)?.clone())));
        self.0.decide(decision, &input.collect())
    }
}

/// A model with one table, of which one rule may match.
fn levy(rules: &[(&str, &str)]) -> String {
    let rule = |(at, (amount, fee)): (usize, &(&str, &str))| {
        let (amount, row) = (amount.replace('<', "&lt;"), at + 1);
        format!(
            r#"<rule id="r{row}"><inputEntry><text>{amount}</text></inputEntry><outputEntry><text>{fee}</text></outputEntry><annotationEntry><text>第{row}条</text></annotationEntry></rule>"#
        )
    };
    let rules: String = rules.iter().enumerate().map(rule).collect();
    format!(
        r##"<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" id="levy" name="levy" namespace="urn:levy">
<inputData id="i" name="amount"><variable name="amount" typeRef="number"/></inputData>
<decision id="d" name="fee"><variable name="fee" typeRef="number"/><informationRequirement><requiredInput href="#i"/></informationRequirement>
<decisionTable hitPolicy="UNIQUE"><input><inputExpression><text>amount</text></inputExpression></input><output/><annotation name="依据"/>
{rules}</decisionTable></decision></definitions>"##
    )
}

/// A house whose process asks for a fee and then has a task for the chief.
async fn house(store: &Store, rules: &[(&str, &str)]) -> (House, Arc<Models>) {
    let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
    let models = Models::open(store, clock.clone());
    models.publish(rules).await;
    let house = House::with(store, clock, models.clone()).await;
    let body = format!(
        r#"<startEvent id="start"/><endEvent id="end"/><businessRuleTask id="rule" name="定费" j:decision="levy:fee" j:result="fee"/>{}"#,
        own("pay", "chief")
    );
    house.publish(&body, "start>rule rule>pay pay>end").await;
    (house, models)
}

/// Evaluations of the model, the newest first, with what they came to.
async fn kept(store: &Store) -> Vec<(EvaluationRow, Outcome)> {
    let mut reader = store.reader().await.unwrap();
    let which = Which {
        model: Some("levy"),
        ..Which::default()
    };
    let mut found = vec![];
    for row in store::decisions::list(&mut reader, &which, 100)
        .await
        .unwrap()
    {
        let whole = store::decisions::get(&mut reader, &row.id).await.unwrap();
        let outcome = serde_json::from_str(&whole.unwrap().1).unwrap();
        found.push((row, outcome));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_of_a_case_is_explained_afterwards() {
    each_store(|store| async move {
        let (house, _) = house(&store, &[("< 100", "5"), (">= 100", "9")]).await;
        let case = house.start(json!({ "amount": 150, "other": "x" })).await;
        let kept = kept(&store).await;
        assert_eq!(kept.len(), 1);
        let (row, outcome) = &kept[0];
        assert_eq!(
            (row.case.as_str(), row.account.as_str()),
            (case.id.as_str(), "admin")
        );
        assert_eq!(
            (row.version, row.decision.as_str(), row.result.as_str()),
            (1, "fee", "9")
        );
        assert!(row.purpose.ends_with("定费"), "{}", row.purpose);
        assert_eq!(
            outcome.input,
            object(json!({ "amount": 150 })),
            "what it was asked"
        );
        let table = &outcome.explanation[0].tables[0];
        assert_eq!((table.matched.len(), table.matched[0].row), (1, 2));
        assert_eq!(table.matched[0].annotations[0].1, "第2条");
        // The case knows the result; its history and the audit log lead to the reasons.
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        assert_eq!(file.data["fee"], 9);
        let history = house
            .engine
            .history(&admin(), &case.id, 0, 0)
            .await
            .unwrap();
        let decided = &history[0].details["decided"][0];
        assert_eq!(
            (&decided["evaluation"], &decided["node"]),
            (&json!(row.id), &json!("rule"))
        );
        let filter = AuditFilter {
            object: Some("decisions".into()),
            subject: Some(row.id.clone()),
            ..AuditFilter::default()
        };
        let audit = store.audit().list(&filter).await.unwrap();
        assert_eq!(audit.len(), 1);
        assert_eq!(audit[0].entry.details["case"], json!(case.id));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_refused_keeps_no_decision() {
    each_store(|store| async move {
        let (house, _) = house(&store, &[("-", "5")]).await;
        // Digits of the square roots of the first numbers: they do not pack.
        let noise: Vec<f64> = (2..9_000).map(|n| f64::from(n).sqrt().fract()).collect();
        let new = NewCase {
            process: "p".into(),
            data: object(json!({ "amount": 1, "noise": noise })),
            ..NewCase::default()
        };
        let refused = house.engine.start(&admin(), new).await.unwrap_err();
        assert_eq!(refused.code, "input.too_large");
        assert!(kept(&store).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rules_where_one_may_match_hold_the_case_up() {
    each_store(|store| async move {
        let (house, models) = house(&store, &[("< 200", "5"), ("> 100", "9")]).await;
        let case = house.start(json!({ "amount": 150 })).await;
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        assert_eq!((file.case.stuck, file.data.get("fee")), (1, None));
        let words = file.marks[0].stuck.clone().unwrap();
        assert!(
            words.zh.contains("fee") && words.zh.contains("1、2"),
            "{words:?}"
        );
        assert!(
            words.en.contains("rows 1, 2") && words.en.contains("hit policy U"),
            "{words:?}"
        );
        let broken = kept(&store).await;
        assert_eq!(
            broken[0].0.case, case.id,
            "what held it up is explained too"
        );
        assert_eq!(broken[0].1.explanation[0].tables[0].matched.len(), 2);
        // The case keeps its version, whatever is published; data that were mended are decided about.
        house.clock.advance(Span::seconds(1));
        models.publish(&[("-", "7")]).await;
        for (amount, stuck, fee) in [(150, 1, None), (250, 0, Some(9))] {
            let data = object(json!({ "amount": amount }));
            for verb in [CaseVerb::Set { data }, CaseVerb::Retry] {
                let done = house.engine.rule(&admin(), &case.id, None, verb).await;
                done.unwrap_or_else(|fault| panic!("{fault}"));
            }
            let file = house.engine.case(&admin(), &case.id).await.unwrap();
            let found = file.data.get("fee").and_then(Value::as_i64);
            assert_eq!((file.case.stuck, found), (stuck, fee));
        }
        assert_eq!(kept(&store).await.len(), 3, "each time it was tried");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_keeps_the_decisions_it_began_under() {
    each_store(|store| async move {
        let (house, models) = house(&store, &[("-", "5")]).await;
        let body = |name: &str| {
            format!(
                r#"<startEvent id="start"/><endEvent id="end"/><businessRuleTask id="rule" name="{name}" j:decision="levy:fee" j:result="fee"/>{}{}"#,
                own("apply", "li"),
                own("pay", "chief")
            )
        };
        let flows = "start>apply apply>rule rule>pay pay>end";
        house.publish(&body("定费"), flows).await;
        let mut cases = vec![];
        for fee in ["9", "11"] {
            cases.push(house.start(json!({ "amount": 1 })).await);
            house.clock.advance(Span::seconds(1));
            models.publish(&[("-", fee)]).await;
        }
        // Neither a stop nor another version of the process changes that.
        let models = Models::open(&store, house.clock.clone());
        let house = House::with(&store, house.clock.clone(), models).await;
        house.publish(&body("核定"), flows).await;
        let migration = Migration {
            process: "p".into(),
            from: 2,
            to: 3,
            ..Migration::default()
        };
        let moved = house.engine.migrate(&admin(), &migration).await.unwrap();
        assert!(moved.len() == 2 && moved.iter().all(|m| m.problems.is_empty()), "{moved:?}");
        cases.push(house.start(json!({ "amount": 1 })).await);
        let li = officer("li", "", "");
        for (case, (version, fee)) in cases.iter().zip([(1, 5), (2, 9), (3, 11)]) {
            let tasks = house.inbox_of(&li, 10).await;
            let task = tasks.iter().find(|task| task.case == case.id).unwrap();
            let data = Map::new();
            house.act(&li, &task.id, TaskVerb::Complete { data }).await.unwrap();
            let file = house.engine.case(&admin(), &case.id).await.unwrap();
            assert_eq!(file.data["fee"], fee);
            let kept = kept(&store).await;
            let of_case = kept.iter().find(|(row, _)| row.case == case.id).unwrap();
            assert_eq!(of_case.0.version, version);
        }
        house.clock.advance(Span::seconds(1));
        // A simulation decides by what was in force when each began.
        let what = Simulation {
            process: "p".into(),
            from: at("2026-11-25T00:00:00+08:00"),
            to: house.clock.now(),
            ..Simulation::default()
        };
        assert_eq!(house.engine.simulate(&admin(), &what).await.unwrap().arrivals, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_rule_matches_the_case_goes_on_and_says_why() {
    each_store(|store| async move {
        let (house, _) = house(&store, &[("< 100", "5")]).await;
        for data in [json!({ "amount": 150 }), json!({})] {
            let case = house.start(data.clone()).await;
            let file = house.engine.case(&admin(), &case.id).await.unwrap();
            assert_eq!((file.case.state, file.case.stuck), (CaseState::Running, 0));
            assert_eq!(file.data["fee"], Value::Null);
            let mut kept = kept(&store).await;
            kept.retain(|(row, _)| row.case == case.id);
            let (_, outcome) = kept.swap_remove(0);
            assert_eq!((kept.len(), outcome.input), (0, object(data)));
            assert!(outcome.why_null.is_some());
            let asked = &outcome.explanation[0].tables[0];
            assert!(asked.matched.is_empty());
        }
        // What is no amount at all cannot be decided about, and the words say which input it is.
        let case = house.start(json!({ "amount": "much" })).await;
        let file = house.engine.case(&admin(), &case.id).await.unwrap();
        let words = file.marks[0].stuck.clone().unwrap();
        assert!(words.en.contains("/input/amount"), "{words:?}");
    })
    .await;
}
