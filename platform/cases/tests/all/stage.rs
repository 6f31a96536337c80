//! A stage for processes: drawn with few words, played step by step.

use cases::bpmn::{Model, read};
use cases::machine::{Effect, Expressions, Happened, Instance, Standing, Step, begin, step};
use kernel::decisions::Outcome;
use kernel::{Fault, Time};
use serde_json::{Map, Value, json};

/// The moment of every test.
pub const NOW: Time = Time(1_795_000_000_000_000);

/// A file around the body of one process `p`. `flows` are pairs such as `start>a a>b`, each with an
/// optional condition behind a colon.
pub fn file(body: &str, flows: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:j="urn:jicheng:bpmn:1">
<message id="m1" name="paid" j:correlation="number"/><message id="m2" name="hello"/>
<signal id="s1" name="storm"/>
<error id="e1" errorCode="E1"/><error id="e2" errorCode="E2"/>
<escalation id="x1" escalationCode="X1"/>
<process id="p" isExecutable="true">
{body}
{}
</process></definitions>"#,
        draw(flows)
    )
}

/// Sequence flows.
pub fn draw(flows: &str) -> String {
    let one = |text: &str| {
        let (pair, condition) = text.split_once(':').map_or((text, ""), |(p, c)| (p, c));
        let (from, to) = pair.split_once('>').unwrap();
        let condition = if condition.is_empty() {
            String::new()
        } else {
            let condition = condition.replace('_', " ").replace('<', "&lt;");
            format!("<conditionExpression>{condition}</conditionExpression>")
        };
        format!(
            r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}">{condition}</sequenceFlow>"#
        )
    };
    flows.split_whitespace().map(one).collect()
}

/// User tasks of these names.
pub fn users(names: &str) -> String {
    names
        .split_whitespace()
        .map(|n| format!(r#"<userTask id="{n}"/>"#))
        .collect()
}

/// Just enough of FEEL: literals, names, `a op b`, lists, `count(x)`.
pub struct Small;

impl Expressions for Small {
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault> {
        let text = expression.trim();
        let wrong =
            || Fault::invalid_at("expression", "无法求值", format!("cannot evaluate {text}"));
        for (sign, holds) in [
            (">=", (|a, b| a >= b) as fn(f64, f64) -> bool),
            ("<", |a, b| a < b),
            (">", |a, b| a > b),
            ("=", |a, b| a == b),
        ] {
            if let Some((left, right)) = text.split_once(sign) {
                let number =
                    |side: &str| self.evaluate(side, variables)?.as_f64().ok_or_else(wrong);
                return Ok(json!(holds(number(left)?, number(right)?)));
            }
        }
        if let Some((left, right)) = text.split_once('+') {
            let number = |side: &str| self.evaluate(side, variables)?.as_i64().ok_or_else(wrong);
            return Ok(json!(number(left)? + number(right)?));
        }
        if let Ok(value) = serde_json::from_str(text) {
            return Ok(value);
        }
        if text == "slow" {
            std::thread::sleep(std::time::Duration::from_millis(300));
            return Ok(json!(true));
        }
        if text == "fails" {
            return Err(wrong());
        }
        Ok(variables.get(text).cloned().unwrap_or(Value::Null))
    }

    fn check_decision(&self, decision: &str) -> Result<(), Fault> {
        let known = (decision != "nothing").then_some(());
        known.ok_or_else(|| Fault::missing(decision))
    }

    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Outcome, Fault> {
        Ok(Outcome {
            decision: decision.into(),
            result: json!(format!("{decision} of {}", variables.len())),
            ..Outcome::default()
        })
    }
}

/// An instance being played.
pub struct Play {
    pub model: Model,
    pub instance: Instance,
    pub effects: Vec<Effect>,
}

impl Play {
    /// Begins process `p`.
    pub fn begin(body: &str, flows: &str, variables: Value) -> Play {
        let model =
            read("test.bpmn", &file(body, flows)).unwrap_or_else(|faults| panic!("{faults:#?}"));
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        let step = begin(&model, "p", None, variables, &Small, NOW).unwrap();
        Play {
            model,
            instance: step.instance,
            effects: step.effects,
        }
    }

    fn id(&self, node: usize) -> &str {
        &self.model.processes["p"].nodes[node].id
    }

    /// What is waited for: the nodes, in order of their names.
    pub fn waits(&self) -> String {
        let mut waits: Vec<&str> = self
            .instance
            .waits
            .values()
            .map(|w| self.id(w.node))
            .collect();
        waits.sort_unstable();
        waits.join(" ")
    }

    /// The first wait of a node.
    pub fn wait(&self, node: &str) -> u64 {
        let mut waits = self.instance.waits.iter();
        let found = waits.find(|(_, w)| self.id(w.node) == node);
        *found
            .unwrap_or_else(|| panic!("{node} is not waited for, but {}", self.waits()))
            .0
    }

    fn take(&mut self, happened: Happened) {
        let Step { instance, effects } =
            step(&self.model, &self.instance, happened, &Small, NOW).unwrap();
        self.instance = instance;
        self.effects = effects;
    }

    /// What a node waits for came.
    pub fn come(&mut self, node: &str) -> &mut Play {
        self.bring(node, json!({}))
    }

    /// The same, bringing variables.
    pub fn bring(&mut self, node: &str, variables: Value) -> &mut Play {
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        self.take(Happened::Came {
            wait: self.wait(node),
            variables,
        });
        self
    }

    /// What a node waits for failed.
    pub fn fail(&mut self, node: &str, code: &str) -> &mut Play {
        self.take(Happened::Failed {
            wait: self.wait(node),
            code: code.into(),
            variables: Map::new(),
        });
        self
    }

    /// Anything else happens.
    pub fn happen(&mut self, happened: Happened) -> &mut Play {
        self.take(happened);
        self
    }

    /// Sets variables of the process.
    pub fn set(&mut self, variables: Value) -> &mut Play {
        let Value::Object(variables) = variables else {
            panic!("an object")
        };
        self.take(Happened::Set {
            scope: 1,
            variables,
        });
        self
    }

    /// Claims what is waited for now.
    #[track_caller]
    pub fn expect(&mut self, waits: &str) -> &mut Play {
        assert_eq!(self.waits(), waits, "{:#?}", self.instance);
        self
    }

    /// Claims the end, whole: nothing is left over.
    #[track_caller]
    pub fn ended(&self, state: Standing) {
        assert_eq!(self.instance.state, state, "{:#?}", self.instance);
        assert!(
            self.instance.tokens.is_empty() && self.instance.waits.is_empty(),
            "{:#?}",
            self.instance
        );
        assert_eq!(self.instance.scopes.len(), 1);
    }

    /// A variable of the process.
    pub fn variable(&self, name: &str) -> Value {
        self.instance.scopes[&1]
            .variables
            .get(name)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// Nodes left in the last step, in order.
    pub fn left(&self) -> String {
        let left = self.effects.iter().filter_map(|effect| match effect {
            Effect::Left { node, .. } => Some(self.id(*node)),
            _ => None,
        });
        left.collect::<Vec<_>>().join(" ")
    }

    /// The token at a node.
    pub fn token(&self, node: &str) -> u64 {
        let mut tokens = self.instance.tokens.iter();
        *tokens.find(|(_, t)| self.id(t.node) == node).unwrap().0
    }

    /// The number of a node.
    pub fn node(&self, id: &str) -> usize {
        self.model.processes["p"].find(id).unwrap()
    }
}
