//! A city with the delivered processes and the decision tables that stand beside them; the functions
//! of the program are played by hand.

use crate::delivered::{drawings, files, stem};
use crate::house::{Everyone, Rules, admin, at, object, officer};
use async_trait::async_trait;
use cases::{Engine, Means, Tuning};
use kernel::cases::{
    CaseFile, CaseState, CaseVerb, Cases, Count, Expressions, InboxFilter, Limit, NewCase,
    PauseKind, Served, Services, TaskVerb,
};
use kernel::decisions::{Decisions, Expressions as Feel, NewModel, Outcome, ReadyModel};
use kernel::{Fault, ManualClock};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use store::Store;

/// FEEL and the declared decisions, as the program has them.
struct Words {
    feel: decisions::FeelExpressions,
    ready: HashMap<String, Arc<dyn ReadyModel>>,
}

impl Words {
    async fn open(store: &Store, clock: Arc<ManualClock>) -> Words {
        let engine = decisions::Engine::open(store.clone(), clock).unwrap();
        let mut ready = HashMap::new();
        for (path, xml) in files()
            .into_iter()
            .filter(|(path, _)| path.ends_with(".dmn"))
        {
            let model = stem(&path).to_string();
            let new = NewModel {
                model: model.clone(),
                xml,
                note: path.clone(),
                after_version: None,
            };
            let published = engine.publish(&kernel::Actor::system(), &new).await;
            published.unwrap_or_else(|fault| panic!("{path}: {fault} {:?}", fault.problems));
            ready.insert(model.clone(), engine.ready(&model, None).await.unwrap());
        }
        Words {
            feel: engine.expressions(),
            ready,
        }
    }
}

impl Expressions for Words {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        Ok(self.feel.evaluate(expression, variables)?.value)
    }
    fn check(&self, expression: &str, names: &[&str]) -> Result<(), Fault> {
        self.feel.compile(expression, names).map(drop)
    }
    fn check_decision(&self, decision: &str) -> Result<(), Fault> {
        let known = decision.split_once(':').and_then(|(model, name)| {
            let shape = self.ready.get(model)?.shape();
            shape.decisions.iter().find(|d| d.name == name).map(drop)
        });
        known.ok_or_else(|| Fault::missing(decision))
    }
    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Outcome, Fault> {
        let (model, decision) = decision.split_once(':').unwrap();
        let model = &self.ready[model];
        let asked = model.shape().inputs.iter();
        let input = asked.filter_map(|i| Some((i.name.clone(), variables.get(&i.name)?.clone())));
        model.decide(decision, &input.collect())
    }
}

/// The functions of the program: what was decided, licensed and billed, and the clocks stopped.
#[derive(Default)]
struct Program {
    engine: OnceLock<Arc<Engine>>,
    done: Mutex<Vec<(String, Map<String, Value>)>>,
}

#[async_trait]
impl Services for Program {
    async fn call(&self, name: &str, _: &str, input: Map<String, Value>) -> Result<Served, Fault> {
        let case = input["application"]["number"].as_str().unwrap().to_string();
        let mut answer = Map::new();
        let verb = match name {
            "cases.pause" => Some(CaseVerb::Pause {
                kind: serde_json::from_value::<PauseKind>(input["kind"].clone()).unwrap(),
                basis: input["basis"].as_str().unwrap().into(),
                note: String::new(),
            }),
            "cases.unpause" => Some(CaseVerb::Unpause),
            "applications.licence" => {
                answer.insert("licence_identifier".into(), json!("1.2.156"));
                None
            }
            _ => None,
        };
        if let Some(verb) = verb {
            let engine = self.engine.get().unwrap();
            engine.rule(&admin(), &case, None, verb).await?;
        }
        self.done.lock().unwrap().push((name.into(), input));
        Ok(Served::Done(answer))
    }
}

/// A city with the delivered processes.
pub struct City {
    pub engine: Arc<Engine>,
    clock: Arc<ManualClock>,
    program: Arc<Program>,
    _folder: tempfile::TempDir,
}

impl City {
    pub async fn open() -> City {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_folder(folder.path()).await.unwrap();
        // A Wednesday.
        let clock = Arc::new(ManualClock::new(at("2026-11-25T10:00:00+08:00")));
        let program = Arc::new(Program::default());
        let means = Means {
            expressions: Arc::new(Words::open(&store, clock.clone()).await),
            services: program.clone(),
            forms: Arc::new(kernel::cases::NoForms),
            policy: Arc::new(Rules),
            people: Arc::new(Everyone),
        };
        let engine = Engine::open(store, clock.clone(), means, Tuning::default());
        let engine = engine.await.unwrap();
        program.engine.set(engine.clone()).ok().unwrap();
        for (name, xml) in drawings() {
            let published = engine.publish(&admin(), &name, &xml).await;
            published.unwrap_or_else(|fault| panic!("{name}: {fault} {:?}", fault.problems));
        }
        City {
            engine,
            clock,
            program,
            _folder: folder,
        }
    }

    /// An application is accepted: its case begins. What the form holds came from registers, unless
    /// it says `typed_in`.
    pub async fn accept(&self, process: &str, number: &str, form: Value) -> String {
        let days = |days| Limit {
            days,
            count: Count::WorkingDays,
        };
        let known: Vec<&String> = match form.get("typed_in") {
            Some(_) => vec![],
            None => form.as_object().unwrap().keys().collect(),
        };
        let application = json!({
            "id": format!("A-{number}"), "number": number, "item": process, "known": known,
            "form": form,
        });
        let new = NewCase {
            process: process.into(),
            number: Some(number.into()),
            organisation: Some("planning_bureau".into()),
            data: object(json!({ "application": application })),
            statutory: Some(days(20)),
            promised: Some(days(12)),
            ..NewCase::default()
        };
        let case = self.engine.start(&admin(), new).await.unwrap();
        self.engine.settle().await.unwrap();
        case.id
    }

    /// Somebody of a role and an organisation does the one task of the case they are offered.
    pub async fn does(&self, case: &str, who: &str, node: &str, data: Value) {
        let (role, organisation) = who.split_once('@').unwrap();
        let actor = officer(&format!("{role}_{organisation}"), organisation, role);
        let inbox = self
            .engine
            .inbox(&actor, &InboxFilter::default())
            .await
            .unwrap();
        let mut of_case = inbox.rows.iter().filter(|task| task.case == case);
        let task = of_case
            .next()
            .unwrap_or_else(|| panic!("{who} has nothing to do at {node}"));
        assert_eq!(task.node, node, "{who}");
        assert!(of_case.next().is_none(), "{who} has one task only");
        let data = object(data);
        let done = self
            .engine
            .act(&actor, &task.id, None, TaskVerb::Complete { data })
            .await;
        done.unwrap_or_else(|fault| panic!("{node}: {fault}"));
        self.engine.settle().await.unwrap();
    }

    pub async fn file(&self, case: &str) -> CaseFile {
        self.engine.case(&admin(), case).await.unwrap()
    }

    /// The case ended as decided; answers what the function of that name was given.
    pub async fn ended(&self, case: &str) -> Map<String, Value> {
        let file = self.file(case).await;
        assert_eq!(file.case.state, CaseState::Completed, "{:?}", file.marks);
        let done = self.program.done.lock().unwrap();
        let of_case = |(name, input): &&(String, Map<String, Value>)| {
            name == "applications.decide" && input["application"]["number"] == file.case.number
        };
        let decided: Vec<_> = done.iter().filter(of_case).collect();
        assert_eq!(decided.len(), 1, "one decision");
        decided[0].1.clone()
    }

    pub fn called(&self, function: &str) -> usize {
        let done = self.program.done.lock().unwrap();
        done.iter().filter(|(name, _)| name == function).count()
    }

    pub fn go_to(&self, moment: &str) {
        self.clock.set(at(moment));
    }
}
