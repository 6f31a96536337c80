//! Table: decision tables (clause 8 of DMN 1.5), read and evaluated by us, so that what explains a
//! decision is what made it: which rules matched, and which of them count. Cells are FEEL and are
//! evaluated by the library. An input is evaluated once, not once a rule; outputs of a rule only
//! when it matches.

use crate::feel::{Grammar, parse};
use crate::instrument::instrument;
use crate::run;
use crate::trace::Read;
use crate::tree::every;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value;
use dsntk_feel::{Evaluator, FeelScope, Name, value_null};
use dsntk_feel_parser::AstNode;
use std::cmp::Ordering;

/// How rules that match make one result (clause 8.2.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HitPolicy {
    Unique,
    Any,
    Priority,
    First,
    RuleOrder,
    OutputOrder,
    Collect,
    Sum,
    Min,
    Max,
    Count,
}

impl HitPolicy {
    /// From the attributes of a table.
    pub(crate) fn parse(policy: &str, aggregation: Option<&str>) -> Option<HitPolicy> {
        Some(match (policy, aggregation) {
            ("UNIQUE", _) => HitPolicy::Unique,
            ("ANY", _) => HitPolicy::Any,
            ("PRIORITY", _) => HitPolicy::Priority,
            ("FIRST", _) => HitPolicy::First,
            ("RULE ORDER", _) => HitPolicy::RuleOrder,
            ("OUTPUT ORDER", _) => HitPolicy::OutputOrder,
            ("COLLECT", None | Some("LIST")) => HitPolicy::Collect,
            ("COLLECT", Some("SUM")) => HitPolicy::Sum,
            ("COLLECT", Some("MIN")) => HitPolicy::Min,
            ("COLLECT", Some("MAX")) => HitPolicy::Max,
            ("COLLECT", Some("COUNT")) => HitPolicy::Count,
            _ => return None,
        })
    }

    /// Its letter in a table.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            HitPolicy::Unique => "U",
            HitPolicy::Any => "A",
            HitPolicy::Priority => "P",
            HitPolicy::First => "F",
            HitPolicy::RuleOrder => "R",
            HitPolicy::OutputOrder => "O",
            HitPolicy::Collect => "C",
            HitPolicy::Sum => "C+",
            HitPolicy::Min => "C<",
            HitPolicy::Max => "C>",
            HitPolicy::Count => "C#",
        }
    }
}

/// A column of inputs.
#[derive(Debug, Default)]
pub(crate) struct Input {
    pub(crate) label: String,
    pub(crate) expression: String,
    pub(crate) allowed: Option<String>,
}

/// A column of outputs.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) allowed: Option<String>,
    pub(crate) default: Option<String>,
}

/// A row.
#[derive(Debug, Default)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) annotations: Vec<(String, String)>,
}

/// A table as it is written.
#[derive(Debug)]
pub(crate) struct Table {
    /// Name of the decision or function it stands in.
    pub(crate) of: String,
    pub(crate) policy: HitPolicy,
    pub(crate) inputs: Vec<Input>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) rules: Vec<Rule>,
}

/// A table whose cells were read.
pub(crate) struct Prepared {
    inputs: Vec<(Evaluator, Option<Evaluator>)>,
    /// By column; `None` takes part in the order of priorities as nothing.
    allowed: Vec<Option<Evaluator>>,
    defaults: Vec<Option<Evaluator>>,
    names: Vec<Name>,
    rules: Vec<(Vec<Option<Evaluator>>, Vec<Evaluator>)>,
}

fn prepare(node: AstNode) -> Evaluator {
    dsntk_feel_evaluator::prepare(&instrument(node))
}

/// What the cells of an input column are asked about.
fn asked() -> AstNode {
    AstNode::Name("?".into())
}

/// A cell as a question about `?`: is it among the tests, or does a test that speaks of `?` itself
/// hold (clause 7.3.9)?
fn cell(tests: AstNode) -> AstNode {
    let question = |node: AstNode| {
        let itself = every(&node).any(|n| matches!(n, AstNode::Name(name) if name.as_str() == "?"));
        match itself {
            true => AstNode::Eq(Box::new(node), Box::new(AstNode::Boolean(true))),
            false => AstNode::In(Box::new(asked()), Box::new(node)),
        }
    };
    match tests {
        AstNode::ExpressionList(all) if all.len() > 1 => {
            let mut questions = all.into_iter().map(question);
            let first = questions.next().unwrap_or(AstNode::Null);
            questions.fold(first, |a, b| AstNode::Or(Box::new(a), Box::new(b)))
        }
        AstNode::ExpressionList(mut all) if all.len() == 1 => question(all.remove(0)),
        other => question(other),
    }
}

impl Table {
    /// Reads the cells in a scope; `None` when one is not understood.
    pub(crate) fn prepare(&self, scope: &FeelScope) -> Option<Prepared> {
        let mut known = FeelContext::default();
        known.set_null("?".into());
        scope.push(known);
        let prepared = self.prepare_in(scope);
        scope.pop();
        prepared
    }

    fn prepare_in(&self, scope: &FeelScope) -> Option<Prepared> {
        let expression = |text: &str| parse(Grammar::Expression, scope, text);
        let tests = |text: &str| parse(Grammar::Tests, scope, text);
        let is_in = |node| prepare(AstNode::In(Box::new(asked()), Box::new(node)));
        let optional = |text: &Option<String>| -> Option<Option<AstNode>> {
            match text {
                Some(text) => Some(Some(tests(text)?)),
                None => Some(None),
            }
        };
        let mut inputs = vec![];
        for input in &self.inputs {
            let allowed = optional(&input.allowed)?.map(is_in);
            inputs.push((prepare(expression(&input.expression)?), allowed));
        }
        let (mut allowed, mut defaults) = (vec![], vec![]);
        for output in &self.outputs {
            allowed.push(optional(&output.allowed)?);
            defaults.push(optional(&output.default)?.map(prepare));
        }
        let mut rules = vec![];
        for rule in &self.rules {
            let mut cells = vec![];
            for text in &rule.inputs {
                cells.push(match text.trim() {
                    "-" => None,
                    text => Some(prepare(cell(tests(text)?))),
                });
            }
            let mut outputs = vec![];
            for (text, allowed) in rule.outputs.iter().zip(&allowed) {
                let node = expression(text)?;
                outputs.push(prepare(match allowed {
                    Some(allowed) => AstNode::Out(Box::new(node), Box::new(allowed.clone())),
                    None => node,
                }));
            }
            rules.push((cells, outputs));
        }
        Some(Prepared {
            inputs,
            allowed: allowed.into_iter().map(|node| node.map(prepare)).collect(),
            defaults,
            names: self
                .outputs
                .iter()
                .map(|o| o.name.as_str().into())
                .collect(),
            rules,
        })
    }
}

/// A rule that matched: its place and outputs.
struct Hit {
    place: usize,
    outputs: Vec<Value>,
}

impl Prepared {
    /// Evaluates the table in a scope; also what is to be told of it. `table` is its place.
    pub(crate) fn evaluate(&self, table: &Table, place: usize, scope: &FeelScope) -> (Value, Read) {
        run::step(1 + self.rules.len() as u64 / 8);
        let mut inputs = vec![];
        let mut fits = true;
        for (expression, allowed) in &self.inputs {
            let value = expression(scope);
            if let Some(allowed) = allowed {
                fits &= about(scope, &value, allowed).is_true();
            }
            inputs.push(value);
        }
        let mut hits = vec![];
        if fits {
            for (place, (cells, outputs)) in self.rules.iter().enumerate() {
                let matches = cells.iter().zip(&inputs).all(|(cell, value)| match cell {
                    Some(cell) => about(scope, value, cell).is_true(),
                    None => true,
                });
                if matches {
                    let outputs = outputs.iter().map(|output| output(scope)).collect();
                    hits.push(Hit { place, outputs });
                }
            }
        }
        let (value, counted) = self.result(table.policy, scope, &hits);
        let read = Read {
            table: place,
            inputs,
            by_default: hits.is_empty() && self.defaults.iter().any(Option::is_some),
            matched: hits
                .into_iter()
                .map(|hit| (hit.place, hit.outputs, counted.contains(&hit.place)))
                .collect(),
        };
        (value, read)
    }

    /// The result, and the places of the rules that take part in it.
    fn result(&self, policy: HitPolicy, scope: &FeelScope, hits: &[Hit]) -> (Value, Vec<usize>) {
        let Some(first) = hits.first() else {
            return (self.by_default(scope), vec![]);
        };
        let all = || hits.iter().map(|hit| hit.place).collect::<Vec<_>>();
        let list = |hits: &[&Hit]| Value::List(hits.iter().map(|hit| self.of(hit)).collect());
        let folded = |fold: fn(Vec<Value>) -> Value| match self.names.len() {
            1 => fold(hits.iter().map(|hit| self.of(hit)).collect()),
            _ => value_null!("an aggregation needs a table with one output"),
        };
        match policy {
            HitPolicy::Unique if hits.len() > 1 => {
                let rows = hits.iter().map(|hit| (hit.place + 1).to_string());
                let rows = rows.collect::<Vec<_>>().join(", ");
                (
                    value_null!("rules {} match, but the hit policy is unique", rows),
                    vec![],
                )
            }
            HitPolicy::Unique | HitPolicy::First => (self.of(first), vec![first.place]),
            HitPolicy::Any => {
                let value = self.of(first);
                match hits.iter().all(|hit| self.of(hit) == value) {
                    true => (value, all()),
                    false => (
                        value_null!(
                            "rules with different outputs match, but the hit policy is any"
                        ),
                        vec![],
                    ),
                }
            }
            HitPolicy::Priority => {
                let best = self.by_priority(scope, hits)[0];
                (self.of(best), vec![best.place])
            }
            HitPolicy::OutputOrder => (list(&self.by_priority(scope, hits)), all()),
            HitPolicy::RuleOrder | HitPolicy::Collect => {
                (list(&hits.iter().collect::<Vec<_>>()), all())
            }
            HitPolicy::Count => (Value::Number(hits.len().into()), all()),
            HitPolicy::Sum => (folded(dsntk_feel_evaluator::evaluate_sum), all()),
            HitPolicy::Min => (folded(dsntk_feel_evaluator::evaluate_min), all()),
            HitPolicy::Max => (folded(dsntk_feel_evaluator::evaluate_max), all()),
        }
    }

    /// What a rule gives: a value, or a context of several.
    fn of(&self, hit: &Hit) -> Value {
        self.combine(hit.outputs.clone())
    }

    fn combine(&self, mut values: Vec<Value>) -> Value {
        if values.len() == 1 {
            return values.remove(0);
        }
        let mut context = FeelContext::default();
        for (name, value) in self.names.iter().zip(values) {
            context.set_entry(name, value);
        }
        Value::Context(context)
    }

    fn by_default(&self, scope: &FeelScope) -> Value {
        if self.defaults.iter().all(Option::is_none) {
            return value_null!("no rule matches, and there is no default output");
        }
        let values = self.defaults.iter().map(|default| match default {
            Some(default) => match default(scope) {
                Value::ExpressionList(mut values) if values.len() == 1 => values.remove(0),
                other => other,
            },
            None => value_null!("no default output"),
        });
        self.combine(values.collect())
    }

    /// Rules in the order of the values their outputs may have, the first column first.
    fn by_priority<'h>(&self, scope: &FeelScope, hits: &'h [Hit]) -> Vec<&'h Hit> {
        let order: Vec<Vec<Value>> = self
            .allowed
            .iter()
            .map(
                |allowed| match allowed.as_ref().map(|evaluator| evaluator(scope)) {
                    Some(Value::ExpressionList(values)) => values,
                    Some(value) => vec![value],
                    None => vec![],
                },
            )
            .collect();
        let rank = |column: usize, value: &Value| {
            let place = order[column].iter().position(|v| v == value);
            place.unwrap_or(usize::MAX)
        };
        let mut sorted: Vec<&Hit> = hits.iter().collect();
        sorted.sort_by(|a, b| {
            let columns = a.outputs.iter().zip(&b.outputs).enumerate();
            columns
                .map(|(column, (a, b))| rank(column, a).cmp(&rank(column, b)))
                .find(|order| *order != Ordering::Equal)
                .unwrap_or(Ordering::Equal)
        });
        sorted
    }
}

/// Evaluates a cell about a value.
fn about(scope: &FeelScope, value: &Value, cell: &Evaluator) -> Value {
    let mut context = FeelContext::default();
    context.set_entry(&"?".into(), value.clone());
    scope.push(context);
    let outcome = cell(scope);
    scope.pop();
    outcome
}
