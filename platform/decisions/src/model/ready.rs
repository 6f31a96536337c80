//! Ready: a model the library has built, and decisions with it.

use super::dispatch::dispatcher;
use super::{Program, Scan, Source};
use crate::feel::{read, scope_of};
use crate::limits::{READ_LIMIT, STACK_LIMIT};
use crate::native::PREFIX;
use crate::pool::Pool;
use crate::run::{self, Run};
use crate::trace::{Made, Trace};
use crate::values::{self, Reader, to_json, why_null};
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_model_evaluator::ModelEvaluator;
use kernel::decisions::{
    Explained, InputShape, MatchedRule, ModelShape, ModelVersion, Outcome, ReadyModel, TableInput,
    TableReading,
};
use kernel::fault::{Fault, Problem, Words};
use kernel::{Clock, Time};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A model ready to decide.
pub struct Model {
    shared: Arc<Shared>,
    shape: ModelShape,
    version: ModelVersion,
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
}

/// What the threads of the pool work on.
struct Shared {
    evaluator: Arc<ModelEvaluator>,
    program: Arc<Program>,
    source: Source,
    natives: Feel,
}

/// How an input is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// A wrong type, an unknown name and a value not allowed are faults.
    Faults,
    /// They are the library's business, which makes `null` of them (the TCK wants that).
    Nulls,
}

impl Model {
    /// Reads and builds a model, `xmls` being it and what it imports; several only where imports
    /// are allowed.
    pub(crate) fn read(
        xmls: &[&str],
        version: ModelVersion,
        pool: &Arc<Pool>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Model, Fault> {
        let owned: Vec<String> = xmls.iter().map(|xml| (*xml).to_owned()).collect();
        let now = clock.now();
        let shared = pool.run_within(READ_LIMIT, move || {
            let run = Run::new(now, STACK_LIMIT);
            run::under(run, || build(&owned))?.0
        })?;
        let mut version = version;
        version.title.clone_from(&shared.source.title);
        Ok(Model {
            shape: shape(&shared.source, &shared.program),
            shared: Arc::new(shared),
            version,
            pool: pool.clone(),
            clock: clock.clone(),
        })
    }

    fn decided(
        &self,
        decision: &str,
        input: &Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Outcome, Fault> {
        let shared = self.shared.clone();
        let (name, given) = (decision.to_owned(), input.clone());
        let now = self.clock.now();
        let (result, why, explanation) = self
            .pool
            .run(move || shared.decide(&name, &given, now, strictness))?;
        Ok(Outcome {
            model: self.version.model.clone(),
            version: self.version.version,
            decision: decision.to_owned(),
            input: input.clone(),
            result,
            why_null: why,
            explanation,
        })
    }

    /// Decides as the library does with an input whose types are not checked first: what the
    /// compatibility kit of the standard expects.
    #[doc(hidden)]
    pub fn decide_unchecked(
        &self,
        decision: &str,
        input: &Map<String, Value>,
    ) -> Result<Outcome, Fault> {
        self.decided(decision, input, Strictness::Nulls)
    }
}

impl ReadyModel for Model {
    fn version(&self) -> &ModelVersion {
        &self.version
    }

    fn shape(&self) -> &ModelShape {
        &self.shape
    }

    fn decide(&self, decision: &str, input: &Map<String, Value>) -> Result<Outcome, Fault> {
        self.decided(decision, input, Strictness::Faults)
    }
}

/// Reads, checks and builds; the last text is the model itself.
fn build(xmls: &[String]) -> Result<Shared, Fault> {
    let mut scan = Scan {
        imports: xmls.len() > 1,
        ..Scan::default()
    };
    for xml in xmls {
        scan.add(xml);
    }
    if !scan.problems.is_empty() {
        return Err(Fault::invalid(scan.problems));
    }
    let program = scan.program;
    let evaluator = built(&scan.sources, |source| &source.edited);
    let evaluator = match evaluator {
        Ok(evaluator) => evaluator,
        Err(cause) => {
            return Err(Fault::invalid(blamed(&scan.sources, &program, &cause)));
        }
    };
    let Some(source) = scan.sources.pop() else {
        return Err(Fault::internal("reading a model", "there is none"));
    };
    let program = Arc::new(program);
    Ok(Shared {
        evaluator,
        natives: dispatcher(program.clone()),
        program,
        source,
    })
}

fn built(
    sources: &[Source],
    text: impl Fn(&Source) -> &str,
) -> Result<Arc<ModelEvaluator>, String> {
    let mut definitions = vec![];
    for source in sources {
        definitions.push(dsntk_model::parse(text(source)).map_err(|e| e.to_string())?);
    }
    ModelEvaluator::new(&definitions).map_err(|e| e.to_string())
}

/// Which text the library did not understand; when none is found, what it said.
fn blamed(sources: &[Source], program: &Program, cause: &str) -> Vec<Problem> {
    let mut problems = vec![];
    for source in sources {
        for placed in &source.texts {
            let scope = scope_of(program.names.iter().map(String::as_str).chain(["?"]));
            if let Err(wrong) = read(placed.grammar, &scope, &placed.text)
                && problems.len() < 100
            {
                let line = placed.line + wrong.line - 1;
                problems.push(Problem {
                    at: format!("line {line}"),
                    words: Words::new(
                        format!("“{}”：{}", placed.text.trim(), wrong.words.zh),
                        format!("\"{}\": {}", placed.text.trim(), wrong.words.en),
                    ),
                });
            }
        }
    }
    if problems.is_empty() {
        let cause: String = cause.chars().take(500).collect();
        problems.push(Problem {
            at: "line 1".into(),
            words: Words::new(
                format!("模型无法使用：{cause}"),
                format!("the model cannot be used: {cause}"),
            ),
        });
    }
    problems
}

fn shape(source: &Source, program: &Program) -> ModelShape {
    ModelShape {
        title: source.title.clone(),
        decisions: program.decisions.iter().map(|d| d.shape.clone()).collect(),
        services: source.services.iter().map(|s| s.name.clone()).collect(),
        inputs: source
            .inputs
            .iter()
            .map(|(name, type_name)| InputShape {
                name: name.clone(),
                type_name: type_name.clone(),
            })
            .collect(),
    }
}

type Decided = (Value, Option<String>, Vec<Explained>);

impl Shared {
    fn decide(
        &self,
        name: &str,
        input: &Map<String, Value>,
        now: Time,
        strictness: Strictness,
    ) -> Result<Decided, Fault> {
        let run = Run::new(now, STACK_LIMIT);
        let act = || {
            let mut context = self.input(input, strictness)?;
            context.set_entry(&PREFIX.into(), self.natives.clone());
            let value = self.ask(name, &context);
            let service = self.source.services.iter().find(|s| s.name == name);
            // A service hides what it is given from our function; its decisions are asked once
            // more, one by one, to be explained.
            for output in service.iter().flat_map(|s| &s.outputs) {
                let decision = &self.program.decisions[*output];
                let value = self.ask(&decision.shape.name, &context);
                run::with(|run| run.trace.saw(*output, value));
            }
            Ok((value, service.is_some()))
        };
        let is_decision = self.program.decisions.iter().any(|d| d.shape.name == name);
        let is_service = self.source.services.iter().any(|s| s.name == name);
        if !is_decision && !is_service && strictness == Strictness::Faults {
            return Err(Fault::missing(&format!("{}：{name}", self.source.title)));
        }
        let (outcome, run) = run::under(run, act)?;
        let (value, service) = outcome?;
        let (result, why) = (to_json(&value)?, why_null(&value));
        let mut explanation = self.explain(&run.trace)?;
        match (service, explanation.last_mut()) {
            (false, Some(last)) if last.decision == name => {
                last.value = result.clone();
                last.why_null.clone_from(&why);
            }
            _ => explanation.push(Explained {
                decision: name.to_owned(),
                value: result.clone(),
                why_null: why.clone(),
                tables: vec![],
            }),
        }
        Ok((result, why, explanation))
    }

    fn ask(&self, name: &str, context: &FeelContext) -> Feel {
        let Source {
            namespace, title, ..
        } = &self.source;
        self.evaluator
            .evaluate_invocable(namespace, title, name, context)
    }

    /// The input as the library wants it.
    fn input(
        &self,
        input: &Map<String, Value>,
        strictness: Strictness,
    ) -> Result<FeelContext, Fault> {
        let mut reader = Reader::default();
        if strictness == Strictness::Nulls {
            let context = reader.context("", input, 0);
            reader.finish()?;
            return Ok(context);
        }
        let mut context = FeelContext::default();
        for (key, value) in input {
            let at = format!("/input/{}", values::pointer(key));
            let name = values::name(key);
            let named = |n: &str| values::name(n) == name;
            let declared = self.source.inputs.iter().find(|(n, _)| named(n));
            let value = match declared {
                Some((_, type_name)) => self.source.book.read(&mut reader, &at, value, type_name),
                // What a decision would come to may be given instead of being decided.
                None => match self.program.decisions.iter().find(|d| named(&d.variable)) {
                    Some(decision) => {
                        let type_name = &decision.shape.type_name;
                        self.source.book.read(&mut reader, &at, value, type_name)
                    }
                    None => {
                        reader.wrong(
                            &at,
                            format!("模型没有输入“{key}”"),
                            format!("the model has no input \"{key}\""),
                        );
                        continue;
                    }
                },
            };
            context.set_entry(&name, value);
        }
        reader.finish()?;
        Ok(context)
    }

    fn explain(&self, trace: &Trace) -> Result<Vec<Explained>, Fault> {
        trace
            .decisions
            .iter()
            .map(|made| {
                let value = made.value.as_ref();
                Ok(Explained {
                    decision: self.program.decisions[made.decision].shape.name.clone(),
                    value: value.map_or(Ok(Value::Null), told)?,
                    why_null: value.and_then(why_null),
                    tables: self.readings(made),
                })
            })
            .collect()
    }

    fn readings(&self, made: &Made) -> Vec<TableReading> {
        let readings = made.tables.iter().map(|read| {
            let table = &self.program.tables[read.table].table;
            let told = |value: &Feel| told(value).unwrap_or(Value::Null);
            TableReading {
                name: table.of.clone(),
                hit_policy: table.policy.letter().to_owned(),
                inputs: table
                    .inputs
                    .iter()
                    .zip(&read.inputs)
                    .map(|(input, value)| TableInput {
                        label: input.label.clone(),
                        expression: input.expression.trim().to_owned(),
                        value: told(value),
                    })
                    .collect(),
                outputs: table.outputs.iter().map(|o| o.name.clone()).collect(),
                matched: read
                    .matched
                    .iter()
                    .map(|(place, outputs, counted)| {
                        let rule = &table.rules[*place];
                        MatchedRule {
                            row: place + 1,
                            id: rule.id.clone(),
                            conditions: rule.inputs.iter().map(|t| t.trim().to_owned()).collect(),
                            outputs: outputs.iter().map(told).collect(),
                            annotations: rule.annotations.clone(),
                            counted: *counted,
                        }
                    })
                    .collect(),
                rules: table.rules.len(),
                by_default: read.by_default,
            }
        });
        readings.collect()
    }
}

/// A value within an explanation: a function is told as its type.
fn told(value: &Feel) -> Result<Value, Fault> {
    Ok(to_json(value).unwrap_or_else(|_| Value::String(value.type_of().to_string())))
}
