//! Decisions: FEEL expressions and DMN 1.5 models, so that what an official may change is a table
//! and not `else if`. Whoever meets FEEL in a file (a condition on a flow, the visibility of a
//! field, a formula) asks [`Expressions`]; whoever needs a published decision asks [`Decisions`].
//!
//! How JSON and FEEL (clause 10.3.2.3 of DMN 1.5) are mapped, both ways, unless a decision's own
//! item definitions say otherwise:
//!
//! | JSON | FEEL |
//! |---|---|
//! | `null`, `true`, `false` | the same |
//! | number | number (34 decimal digits); back it is a JSON number as long as a double reads it without loss, else `{"@number": "…"}` with its decimal text |
//! | text | string. A text that looks like a date stays a string; `date(x)` or a type makes a date of it |
//! | `{"@date": "2026-11-25"}`, `{"@time": "10:32:00+08:00"}`, `{"@date-time": "2026-11-25T10:32:00+08:00"}` | date, time, date and time; also the answer of an expression |
//! | `{"@duration": "P1DT2H"}`, `{"@duration": "P1Y2M"}` | days and time duration, years and months duration |
//! | `{"@range": "[1..10]"}` | range, as an answer only |
//! | array, object | list, context; the order of an object is kept where the engine keeps it |
//!
//! A function as an answer is refused.

use crate::access::Actor;
use crate::fault::{Fault, Words};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::any::Any;
use std::sync::Arc;

/// What a condition came to. Only `true` holds; `null` and everything else does not, and says why
/// (three-valued logic, clause 10.3.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Does it hold?
    pub holds: bool,
    /// Why not, when the value was not simply `false`: it was `null` for this cause, or no truth
    /// value at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Words>,
}

/// What an expression came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The value, mapped as the module says.
    pub value: Value,
    /// Why the value is `null`, when the evaluator knows: FEEL turns errors into `null`. In
    /// English, for the person who wrote the expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_null: Option<String>,
}

/// A FEEL expression, read once and evaluated often. Pure: the same context gives the same answer,
/// except for `now()` and `today()`, which ask the city's clock (Beijing time).
pub trait Expression: Send + Sync {
    /// Its text.
    fn text(&self) -> &str;
    /// Its value over these variables. Blocks until it is there, at most as long as the budget
    /// of the engine. Fails with `decisions.budget` when it needs more steps, room or time than it
    /// is given, with `decisions.failed` when the evaluator gives up.
    fn evaluate(&self, context: &Map<String, Value>) -> Result<Answer, Fault>;
    /// Does it hold over these variables? Fails as [`Expression::evaluate`] does.
    fn condition(&self, context: &Map<String, Value>) -> Result<Condition, Fault>;
}

/// Reads and evaluates FEEL (clause 10 of DMN 1.5). Never touches the network.
pub trait Expressions: Send + Sync {
    /// Reads a text; a leading `=`, as modellers write it, is skipped. `names` are variables it may
    /// use: those of more than one word (`applicant age`) or with an operator in them (`birth-date`)
    /// must be among them, single words are recognised anyway. Fails with `input.invalid` and the
    /// position (`line:column`) of what is not understood.
    fn compile(&self, text: &str, names: &[&str]) -> Result<Arc<dyn Expression>, Fault>;
    /// Reads a text and evaluates it; what was read is kept for the next time. The names of the
    /// context are the names the text may use.
    fn evaluate(&self, text: &str, context: &Map<String, Value>) -> Result<Answer, Fault>;
    /// The same for a condition: a flow of a process, a field of a form.
    fn condition(&self, text: &str, context: &Map<String, Value>) -> Result<Condition, Fault>;
}

/// A model to publish.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewModel {
    /// Its code in the city: lower-case letters, digits, `.`, `_`, `-`; 64 at most. Never changes.
    pub model: String,
    /// DMN XML (1.3 to 1.5).
    pub xml: String,
    /// What is new in this version, for people.
    #[serde(default)]
    pub note: String,
    /// The version this one is made of, 0 for none: refused with `input.stale` when another was
    /// published since. `None` asks for no such check.
    #[serde(default)]
    pub after_version: Option<i64>,
}

/// One published version of a model. Versions are numbered from 1 and never change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// Code of the model.
    pub model: String,
    /// Its number.
    pub version: i64,
    /// Name of the model in its XML.
    pub title: String,
    /// SHA-256 of the XML, hexadecimal.
    pub digest: String,
    /// What was new.
    pub note: String,
    /// When it was published.
    pub published_at: Time,
    /// Account that published it.
    pub published_by: String,
}

/// What a model offers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelShape {
    /// Name of the model in its XML.
    pub title: String,
    /// Its decisions, in the order of the XML.
    pub decisions: Vec<DecisionShape>,
    /// Its decision services.
    pub services: Vec<String>,
    /// What it wants to know.
    pub inputs: Vec<InputShape>,
}

/// A decision of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecisionShape {
    /// Its name; what [`Question::decision`] says.
    pub name: String,
    /// The question it answers, as its author put it.
    #[serde(default)]
    pub question: Option<String>,
    /// Type of its result, as written; empty when none is said.
    pub type_name: String,
    /// What it is made of: `decision_table`, `literal_expression`, `context` …
    pub logic: String,
    /// Names of the decisions it asks.
    pub asks: Vec<String>,
    /// Names of the inputs it asks directly.
    pub inputs: Vec<String>,
}

/// An input of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputShape {
    /// Its name; the key in the input of a question.
    pub name: String,
    /// Its type, as written; empty when none is said.
    pub type_name: String,
}

/// A decision to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Code of the model.
    pub model: String,
    /// Which version; `None` for the newest.
    #[serde(default)]
    pub version: Option<i64>,
    /// Name of the decision or decision service.
    pub decision: String,
    /// Inputs by name. Missing ones are `null` in the decision.
    #[serde(default)]
    pub input: Map<String, Value>,
}

/// A decision that was made, and why it came out so.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Code of the model.
    pub model: String,
    /// The version that decided.
    pub version: i64,
    /// Name of the decision.
    pub decision: String,
    /// What was given.
    pub input: Map<String, Value>,
    /// The result; `null` when there is none.
    pub result: Value,
    /// Why the result is `null`, when known; in English, for the author of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_null: Option<String>,
    /// How it came about: one entry a decision that took part, those that were asked first, the
    /// decision itself last.
    pub explanation: Vec<Explained>,
}

impl Outcome {
    /// What to tell when a table that was read broke its hit policy, whatever became of the result:
    /// rules matched, and none of them counts (clause 8.2.10).
    pub fn violated(&self) -> Option<Words> {
        let tables = self.explanation.iter().flat_map(|made| &made.tables);
        let table = tables
            .filter(|table| !table.matched.is_empty())
            .find(|table| table.matched.iter().all(|rule| !rule.counted))?;
        let rows: Vec<String> = table.matched.iter().map(|r| r.row.to_string()).collect();
        let (name, policy) = (&table.name, &table.hit_policy);
        let (zh, en) = match policy.as_str() {
            "U" => ("只允许一行命中", "only one may"),
            _ => ("命中各行的结果须相同", "their results must be the same"),
        };
        Some(Words::new(
            format!(
                "决策表“{name}”（第 {} 版）的第 {} 行同时命中，违反命中策略 {policy}：{zh}",
                self.version,
                rows.join("、"),
            ),
            format!(
                "rows {} of the decision table \"{name}\" (version {}) match, against its hit policy {policy}: {en}",
                rows.join(", "),
                self.version,
            ),
        ))
    }
}

/// One decision that took part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// Its name.
    pub decision: String,
    /// Its value.
    pub value: Value,
    /// Why the value is `null`, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_null: Option<String>,
    /// How the tables in it were read, in this order: its own and those of functions it calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableReading>,
}

/// How a decision table was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableReading {
    /// Name of the decision or business knowledge model it stands in.
    pub name: String,
    /// Hit policy as its letter in a table: `U`, `A`, `P`, `F`, `R`, `O`, `C`, `C+`, `C<`, `C>`, `C#`.
    pub hit_policy: String,
    /// What each column of the table asked, and what it was then.
    pub inputs: Vec<TableInput>,
    /// Names of the output columns; one empty name when the only column has none.
    pub outputs: Vec<String>,
    /// Rules that matched, in the order of the table.
    pub matched: Vec<MatchedRule>,
    /// How many rules the table has.
    pub rules: usize,
    /// No rule matched and the default output was taken.
    #[serde(default)]
    pub by_default: bool,
}

/// One input column of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableInput {
    /// Label of the column, or its expression.
    pub label: String,
    /// The expression.
    pub expression: String,
    /// Its value.
    pub value: Value,
}

/// A rule that matched.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MatchedRule {
    /// Number of the row, from 1.
    pub row: usize,
    /// Identification of the rule in the XML; empty when it has none.
    #[serde(default)]
    pub id: String,
    /// What its cells say, in the order of the input columns.
    pub conditions: Vec<String>,
    /// What it gives, in the order of the output columns.
    pub outputs: Vec<Value>,
    /// What its author wrote beside it: heading and text.
    #[serde(default)]
    pub annotations: Vec<(String, String)>,
    /// Does it take part in the result? False for rules that matched after the first of an `F`
    /// table, or behind a higher priority.
    pub counted: bool,
}

/// Why an evaluation is kept, and about whom it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keeping {
    /// What it was done for; must not be empty.
    pub purpose: String,
    /// Legal basis.
    #[serde(default)]
    pub basis: String,
    /// The case it belongs to.
    #[serde(default)]
    pub case: Option<String>,
    /// The person it is about (identification of the party).
    #[serde(default)]
    pub person: Option<String>,
}

/// An evaluation that was kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Its identification.
    pub id: String,
    /// When it was made.
    pub at: Time,
    /// Account that asked.
    pub account: String,
    /// Why it was kept.
    pub keeping: Keeping,
    /// What was decided, and why. In lists `input` and `explanation` are empty.
    pub outcome: Outcome,
}

/// Which evaluations to list. At least one of `model`, `case` and `person` must be named.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationFilter {
    /// Of this model.
    #[serde(default)]
    pub model: Option<String>,
    /// Of this case.
    #[serde(default)]
    pub case: Option<String>,
    /// About this person.
    #[serde(default)]
    pub person: Option<String>,
    /// Only those before the one with this identification; newest first.
    #[serde(default)]
    pub before: Option<String>,
}

/// A model that is ready to decide, at once and without the store.
pub trait ReadyModel: Send + Sync {
    /// Which version it is.
    fn version(&self) -> &ModelVersion;
    /// What it offers.
    fn shape(&self) -> &ModelShape;
    /// Decides. Blocks until it is done, at most as long as the budget of the engine. Fails with
    /// `input.not_found` for a decision it does not have, `input.invalid` for an input it does not
    /// know or whose type is wrong, `decisions.budget` and `decisions.failed` as
    /// [`Expression::evaluate`].
    fn decide(&self, decision: &str, input: &Map<String, Value>) -> Result<Outcome, Fault>;
}

/// Published decisions. Whoever calls has asked the policy first.
#[async_trait]
pub trait Decisions: Send + Sync {
    /// Reads a model without publishing it. Fails with `input.invalid` and every problem with its
    /// line: no XML, a document type, an element that is not carried out, an expression that is
    /// not understood, an external function (those would call another machine).
    async fn check(&self, xml: &str) -> Result<ModelShape, Fault>;
    /// Decides with a model that is not published: a test run of its author.
    async fn try_out(
        &self,
        xml: &str,
        decision: &str,
        input: &Map<String, Value>,
    ) -> Result<Outcome, Fault>;
    /// Publishes a version, after checking it. The same XML as the newest version is that version.
    async fn publish(&self, by: &Actor, new: &NewModel) -> Result<ModelVersion, Fault>;
    /// The newest version of every model, by code, after this code.
    async fn models(&self, after: Option<&str>, limit: u64) -> Result<Vec<ModelVersion>, Fault>;
    /// Versions of a model, newest first, before this number.
    async fn versions(
        &self,
        model: &str,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<ModelVersion>, Fault>;
    /// The XML of a version; the newest for `None`.
    async fn xml(&self, model: &str, version: Option<i64>)
    -> Result<(ModelVersion, String), Fault>;
    /// A model ready to decide; the newest version for `None`. Kept in memory.
    async fn ready(&self, model: &str, version: Option<i64>) -> Result<Arc<dyn ReadyModel>, Fault>;
    /// The version in force at a moment, ready to decide: the newest that was published by then; the
    /// first when none was. Read within a transaction or by a reader of the store (`store::Tx`,
    /// `store::Reader`, which this crate does not know).
    async fn ready_at(
        &self,
        run: &mut (dyn Any + Send),
        model: &str,
        at: Time,
    ) -> Result<Arc<dyn ReadyModel>, Fault>;
    /// Decides, without keeping anything.
    async fn decide(&self, question: &Question) -> Result<Outcome, Fault>;
    /// Keeps an outcome, in a transaction of its own, and returns its identification.
    async fn keep(&self, by: &Actor, outcome: &Outcome, keeping: &Keeping)
    -> Result<String, Fault>;
    /// The same within a transaction of the store (`store::Tx`, which this crate does not know): a
    /// step of a case and the decision it rests on are written together.
    async fn keep_in(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        outcome: &Outcome,
        keeping: &Keeping,
    ) -> Result<String, Fault>;
    /// An evaluation that was kept; the reading is audited with the purpose of the actor's grant.
    async fn evaluation(&self, by: &Actor, id: &str) -> Result<Evaluation, Fault>;
    /// Evaluations that were kept, newest first, without inputs and explanations; audited too.
    async fn evaluations(
        &self,
        by: &Actor,
        filter: &EvaluationFilter,
        limit: u64,
    ) -> Result<Vec<Evaluation>, Fault>;
    /// Decides once more with the version that decided then: is the result the same?
    async fn decide_again(&self, by: &Actor, id: &str) -> Result<(Evaluation, Outcome), Fault>;
}
