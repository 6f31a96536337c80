//! What cases ask of the other engines: FEEL and decisions within a step, functions that service
//! tasks call; and the processes and models that the declarations bring.

use crate::config::Config;
use crate::window::{Serving, refused};
use async_trait::async_trait;
use kernel::cases::{Cases, Expressions, Served, Services};
use kernel::decisions::{Decisions, Expressions as Feel, NewModel, Outcome, ReadyModel};
use kernel::declare::Declared;
use kernel::licences::{Holder, Licences, NewLicence};
use kernel::{Actor, Fault, Policy, Time, Verb};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Variable that says which licence a service task issues.
const LICENCE: &str = "licence";
/// Models read at the start, at most.
const MODELS: u64 = 500;

/// Decisions, expressions and functions for cases.
pub struct Matters {
    feel: decisions::FeelExpressions,
    decisions: Arc<decisions::Engine>,
    licences: Arc<licences::Engine>,
    serving: Serving,
}

/// What the variable `licence` holds.
#[derive(Deserialize)]
struct Wanted {
    kind: String,
    holder: Holder,
    #[serde(default)]
    fields: Map<String, Value>,
}

impl Matters {
    /// Nothing is known yet; see [`Matters::publish_declared`].
    pub fn new(
        decisions: Arc<decisions::Engine>,
        licences: Arc<licences::Engine>,
        serving: Serving,
    ) -> Arc<Matters> {
        Arc::new(Matters {
            feel: decisions.expressions(),
            decisions,
            licences,
            serving,
        })
    }

    /// Makes the newest version of a model ready, so that no step waits until it is read.
    pub async fn learn(&self, model: &str) -> Result<(), Fault> {
        self.decisions.ready(model, None).await.map(drop)
    }

    /// Publishes what the declarations hold, unless it is the newest version already, and takes in
    /// every model. A process that an office has changed since stays as the office left it.
    pub async fn publish_declared(
        &self,
        declared: &Declared,
        cases: &dyn Cases,
    ) -> Result<(), Fault> {
        let system = Actor::system();
        let there = self.decisions.models(None, MODELS).await?;
        for file in declared.systems.iter().flat_map(|s| &s.decisions) {
            let model = stem(&file.file).to_string();
            if there.iter().any(|known| known.model == model) {
                continue;
            }
            let new = NewModel {
                model,
                xml: file.text.clone(),
                note: file.file.clone(),
                after_version: None,
            };
            let published = self.decisions.publish(&system, &new).await;
            published.map_err(|fault| at(&file.file, fault))?;
        }
        for calendar in declared.systems.iter().flat_map(|s| &s.calendars) {
            if cases.calendar(calendar.year).await?.is_empty() {
                let days = calendar.days.clone();
                let set = cases.set_calendar(&system, calendar.year, days, false);
                set.await.map_err(|fault| at(&calendar.file, fault))?;
            }
        }
        // A process is not published before what it asks for: decisions, processes it calls.
        for model in self.decisions.models(None, MODELS).await? {
            self.learn(&model.model).await?;
        }
        let known = cases.processes().await?;
        let mut left: Vec<_> = declared
            .systems
            .iter()
            .flat_map(|s| s.processes.iter().map(|file| (&s.owner, file)))
            .filter(|(_, file)| !known.iter().any(|p| p.process == stem(&file.file)))
            .collect();
        while !left.is_empty() {
            let (before, mut refused) = (left.len(), None);
            for (owner, file) in std::mem::take(&mut left) {
                // What begins by itself begins on behalf of who owns the system.
                let by = Actor {
                    organisation: Some(owner.clone()),
                    ..system.clone()
                };
                let published = cases.publish(&by, stem(&file.file), &file.text);
                if let Err(fault) = published.await {
                    left.push((owner, file));
                    refused.get_or_insert(at(&file.file, fault));
                }
            }
            if let Some(fault) = refused.filter(|_| left.len() == before) {
                return Err(fault);
            }
        }
        Ok(())
    }

    async fn issue(&self, key: &str, input: &Map<String, Value>) -> Result<Served, Fault> {
        let wanted = input.get(LICENCE).cloned().unwrap_or_default();
        let wanted: Wanted = match serde_json::from_value(wanted) {
            Ok(wanted) => wanted,
            Err(why) => {
                return Ok(refused(&Fault::invalid_at(
                    LICENCE,
                    "证照内容有误",
                    why.to_string(),
                )));
            }
        };
        let new = NewLicence {
            kind: wanted.kind,
            source: format!("case/{key}"),
            holder: wanted.holder,
            fields: wanted.fields,
            number: None,
            serial: None,
            valid_from: None,
            valid_to: None,
            grade: None,
            issued_on: None,
        };
        match self.licences.issue(&Actor::system(), &[new]).await {
            Ok(issued) => {
                let identifier = issued.first().map(|l| l.identifier.clone());
                Ok(Served::Done(Map::from_iter([(
                    "licence_identifier".to_string(),
                    json!(identifier),
                )])))
            }
            // What is wrong with it will be wrong the next time.
            Err(fault) if fault.kind == kernel::fault::FaultKind::Invalid => Ok(refused(&fault)),
            Err(fault) => Err(fault),
        }
    }
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name)
}

/// The fault of a declared file, with its name before every line.
fn at(file: &str, mut fault: Fault) -> Fault {
    for problem in &mut fault.problems {
        problem.at = format!("{file}:{}", problem.at);
    }
    fault
}

#[async_trait]
impl Expressions for Matters {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        Ok(self.feel.evaluate(expression, variables)?.value)
    }

    fn check(&self, expression: &str, names: &[&str]) -> Result<(), Fault> {
        self.feel.compile(expression, names).map(drop)
    }

    /// Only a case decides, by the versions it began under: see [`Expressions::of_case`].
    fn decide(&self, decision: &str, _: &Map<String, Value>) -> Result<Outcome, Fault> {
        Err(Fault::missing(decision))
    }

    async fn of_case(
        &self,
        run: &mut (dyn Any + Send),
        decisions: &[&str],
        began: Time,
    ) -> Result<Option<Arc<dyn Expressions>>, Fault> {
        let mut models = HashMap::new();
        for named in decisions {
            let model = parts(named).0;
            if models.contains_key(model) {
                continue;
            }
            let ready = match self.decisions.ready_at(run, model, began).await {
                // A model that is not there, or wrong, is told by the step that asks for it.
                Err(fault) if !fault.code.starts_with("input.") => return Err(fault),
                ready => ready,
            };
            models.insert(model.to_string(), ready);
        }
        Ok(Some(Arc::new(OfCase {
            feel: self.feel.clone(),
            models,
        })))
    }
}

/// What one case decides by.
struct OfCase {
    feel: decisions::FeelExpressions,
    /// By model, the version that was in force when the case began.
    models: HashMap<String, Result<Arc<dyn ReadyModel>, Fault>>,
}

/// Model and decision in `model:decision`; without a decision the last of the model is meant.
fn parts(named: &str) -> (&str, &str) {
    let (model, decision) = named.split_once(':').unwrap_or((named, ""));
    (model.trim(), decision.trim())
}

impl OfCase {
    fn model(&self, named: &str) -> Result<&Arc<dyn ReadyModel>, Fault> {
        let model = parts(named).0;
        let ready = self.models.get(model);
        let ready = ready.ok_or_else(|| Fault::missing(model))?;
        ready.as_ref().map_err(Clone::clone)
    }
}

impl Expressions for OfCase {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        Ok(self.feel.evaluate(expression, variables)?.value)
    }

    fn check(&self, expression: &str, names: &[&str]) -> Result<(), Fault> {
        self.feel.compile(expression, names).map(drop)
    }

    fn check_decision(&self, named: &str) -> Result<(), Fault> {
        let name = parts(named).1;
        let shape = self.model(named)?.shape();
        let known = match name {
            "" => !shape.decisions.is_empty(),
            name => {
                shape.decisions.iter().any(|d| d.name == name)
                    || shape.services.iter().any(|service| service == name)
            }
        };
        known.then_some(()).ok_or_else(|| Fault::missing(named))
    }

    fn decide(&self, named: &str, variables: &Map<String, Value>) -> Result<Outcome, Fault> {
        let decision = parts(named).1;
        let ready = self.model(named)?;
        let shape = ready.shape();
        let last = shape.decisions.last().map(|d| d.name.as_str());
        let decision = match decision {
            "" => last.ok_or_else(|| Fault::missing(named))?,
            name => name,
        };
        let input = shape.inputs.iter().filter_map(|input| {
            let value = variables.get(&input.name)?;
            Some((input.name.clone(), value.clone()))
        });
        let outcome = ready.decide(decision, &input.collect())?;
        // It is kept with its reasons; what cannot be is not acted on.
        let size = serde_json::to_vec(&outcome).map_or(usize::MAX, |json| json.len());
        if size > decisions::limits::KEPT_LIMIT {
            return Err(Fault::new(
                kernel::fault::FaultKind::TooLarge,
                "input.too_large",
                "决策及其说明过大，不能保存",
                "the decision and its explanation are too large to keep",
            ));
        }
        Ok(outcome)
    }
}

#[async_trait]
impl Services for Matters {
    async fn call(
        &self,
        name: &str,
        key: &str,
        input: Map<String, Value>,
    ) -> Result<Served, Fault> {
        match name {
            "licences.issue" => self.issue(key, &input).await,
            _ => match self.serving.call(name, key, &input).await {
                Some(answer) => answer,
                None => Ok(refused(&Fault::missing(name))),
            },
        }
    }
}

/// Who may see the evaluations of which case.
pub struct Sight {
    /// Cases.
    pub cases: Arc<cases::Engine>,
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
}

#[async_trait]
impl decisions::Sight for Sight {
    async fn cases(&self, by: &Actor, names: &[String]) -> Result<BTreeMap<String, String>, Fault> {
        self.cases.known(by, names).await
    }

    fn every(&self, by: &Actor) -> bool {
        let may = |verb, object| self.policy.may(by, verb, object).allowed();
        may(Verb::Operate, "decisions") || may(Verb::Audit, "audit")
    }
}

/// What the licences engine takes from the configuration.
pub fn licence_settings(config: &Config, declared: &Declared) -> licences::Settings {
    let issuer = match config.text("public_url").trim_end_matches('/') {
        "" => format!("http://{}", config.text("http")),
        url => url.to_string(),
    };
    licences::Settings {
        issuer,
        name: declared.city.title.clone(),
        identifiers: Default::default(),
        state_codes: Default::default(),
    }
}
