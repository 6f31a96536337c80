//! Cases: matters that take their way through offices. A *process* is drawn in BPMN 2.0 and
//! published in versions; it makes *cases*; a case gives *tasks* to people. Systems and routes speak
//! to the engine through [`Cases`]; the program hands the engine what it cannot know itself:
//! [`Expressions`] (FEEL and decisions) and [`Services`] (functions that service tasks call).
//!
//! Who may do what is the engine's to say, and no system can forget to ask: a task belongs to the
//! person it is given to or to whoever holds a role or belongs to an organisation it is offered to;
//! what concerns a case as a whole is asked of the [`crate::Policy`] under the object `cases`, what
//! concerns processes under `processes`.

mod clock;
mod people;
mod simulation;
mod task;

pub use clock::{CalendarDay, Count, Left, Light, Limit, Moved, Pause, PauseKind, Told};
pub use people::{People, Worker};
pub use simulation::{
    Calibration, Figures, NodeFigures, NodeLoad, SIMULATED_CASES, SIMULATED_DAYS, Simulated,
    Simulation, Spread, Unplayed, Used, WORKING_DAY_MINUTES,
};
pub use task::{
    Acted, Countersign, Countersigner, Inbox, InboxFilter, Place, Signed, Target, Task, TaskFile,
    TaskKind, TaskState, TaskVerb, Whose,
};

use crate::access::Actor;
use crate::decisions::Outcome;
use crate::fault::{Fault, Noted, Problem};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Evaluates what a drawing says: FEEL expressions (DMN 1.5) and decisions. Pure and quick; it is
/// called within a step.
#[async_trait]
pub trait Expressions: Send + Sync {
    /// The value of an expression over these variables.
    fn evaluate(&self, expression: &str, variables: &Map<String, Value>) -> Result<Value, Fault>;
    /// Can this expression be read? `names` are variables of several words it may use; single words
    /// are known anyway. A drawing whose expressions cannot be read is not published.
    fn check(&self, _expression: &str, _names: &[&str]) -> Result<(), Fault> {
        Ok(())
    }
    /// When a limit that begins at a moment is over, by the calendar of the city; `None` where nobody
    /// keeps one. The engine of cases answers it.
    fn after(&self, _from: Time, _limit: Limit) -> Option<Time> {
        None
    }
    /// Is there such a decision? A drawing that asks for one that is not there is not published.
    fn check_decision(&self, _decision: &str) -> Result<(), Fault> {
        Ok(())
    }
    /// A decision over these variables, with why it came out so.
    fn decide(&self, decision: &str, variables: &Map<String, Value>) -> Result<Outcome, Fault>;
    /// What a case decides by that began at this moment: of the models these decisions belong to the
    /// versions in force then, made ready. Asked before a step, within `run`: a transaction or a
    /// reader of the store (`store::Tx`, `store::Reader`, which this crate does not know). `None`
    /// when it is this itself.
    async fn of_case(
        &self,
        _run: &mut (dyn Any + Send),
        _decisions: &[&str],
        _began: Time,
    ) -> Result<Option<Arc<dyn Expressions>>, Fault> {
        Ok(None)
    }
}

/// How a service answered, if it did.
#[derive(Clone, Debug, PartialEq)]
pub enum Served {
    /// What it brings: variables that are set.
    Done(Map<String, Value>),
    /// It refuses with an error of the drawing (the code a boundary event catches), not to be tried
    /// again. With a code `input.…` it refuses what it was given: if nothing in the drawing catches
    /// that, the work is set aside, so that the variables can be mended and it is tried again; any
    /// other error nothing catches ends the case.
    Refused {
        /// Code of the error.
        code: String,
        /// What it brings all the same.
        variables: Map<String, Value>,
    },
}

/// Functions bound by name that service tasks call. A fault means "not now": it is tried again
/// after a growing wait, then set aside where an operator sees it. It may be called again for the
/// same task, after a crash for instance, always under the same `key`: what it does outside must be
/// done once for a key.
#[async_trait]
pub trait Services: Send + Sync {
    /// Calls the function `name` with the variables its task sees, and the identification of its
    /// case under `case`.
    async fn call(&self, name: &str, key: &str, input: Map<String, Value>)
    -> Result<Served, Fault>;
}

/// What is handed in at a task that names a form.
#[derive(Clone, Copy, Debug)]
pub struct HandedIn<'a> {
    /// Name of the form, as the drawing has it.
    pub form: &'a str,
    /// Identification of the case.
    pub case: &'a str,
    /// Variables the task sees.
    pub variables: &'a Map<String, Value>,
    /// What is handed in.
    pub data: &'a Map<String, Value>,
}

/// Forms of tasks. The engine asks before a task that names one is completed.
#[async_trait]
pub trait Forms: Send + Sync {
    /// Everything wrong with what is handed in, field by field, fields the form does not have
    /// among them; `None` when there is no form of that name, and anything may be handed in.
    async fn judge(&self, handed_in: HandedIn<'_>) -> Result<Option<Vec<Problem>>, Fault>;
}

/// Knows no form: for tools that play cases without a city.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoForms;

#[async_trait]
impl Forms for NoForms {
    async fn judge(&self, _: HandedIn<'_>) -> Result<Option<Vec<Problem>>, Fault> {
        Ok(None)
    }
}

/// A version of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Identification in the drawing.
    pub process: String,
    /// Its version, from 1.
    pub version: i64,
    /// Name for people.
    pub name: String,
    /// When it was published.
    pub published_at: Time,
    /// Account that published it.
    pub published_by: String,
    /// SHA-256 of the file, hexadecimal.
    pub digest: String,
    /// Cases of this version that have not ended.
    pub open: i64,
    /// When a timer begins the next case; `None` when none does, or none any more.
    pub begins_at: Option<Time>,
}

/// Running cases are to go on by another version of their process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// Process.
    pub process: String,
    /// Version they are on.
    pub from: i64,
    /// Version they go to.
    pub to: i64,
    /// Nodes that have another identification there: old, new.
    #[serde(default)]
    pub mapping: BTreeMap<String, String>,
    /// Identifications or numbers of these cases only, 1,000 at most; all of them when empty.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Only ask.
    #[serde(default)]
    pub dry: bool,
}

/// A case of a migration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// Identification.
    pub case: String,
    /// Number people know it by.
    pub number: String,
    /// Nodes of the drawing it came from where it stands.
    pub nodes: Vec<String>,
    /// Why it cannot go over; empty when it did, or would.
    pub problems: Vec<Problem>,
}

/// A case to be started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCase {
    /// Process.
    pub process: String,
    /// Its version; the newest when `None`.
    #[serde(default)]
    pub version: Option<i64>,
    /// Number people know it by, unique; its identification when `None`.
    #[serde(default)]
    pub number: Option<String>,
    /// What it is about, for people; the name of the process when empty.
    #[serde(default)]
    pub title: String,
    /// Organisation in charge.
    #[serde(default)]
    pub organisation: Option<String>,
    /// Variables to begin with.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// Idempotency key: the same key, from the same account, starts one case only.
    #[serde(default)]
    pub once: Option<String>,
    /// What the law gives the office (法定时限).
    #[serde(default)]
    pub statutory: Option<Limit>,
    /// What the office promised (承诺时限), not longer than the law.
    #[serde(default)]
    pub promised: Option<Limit>,
    /// When both began to run, where that was before the case did: the day of acceptance (受理).
    /// Not in the future, nor more than 3,660 days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// How a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    /// It runs, or waits.
    Running,
    /// Nothing in it goes on until it is resumed.
    Suspended,
    /// It came to its end.
    Completed,
    /// An error nothing caught ended it.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl CaseState {
    /// All of them.
    pub const ALL: [CaseState; 5] = [
        CaseState::Running,
        CaseState::Suspended,
        CaseState::Completed,
        CaseState::Failed,
        CaseState::Cancelled,
    ];
    /// The word in the store and the API.
    pub fn word(self) -> &'static str {
        ["running", "suspended", "completed", "failed", "cancelled"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<CaseState> {
        CaseState::ALL.into_iter().find(|s| s.word() == word)
    }
    /// Has it come to an end?
    pub fn ended(self) -> bool {
        !matches!(self, CaseState::Running | CaseState::Suspended)
    }
}

/// A case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Identification (ULID).
    pub id: String,
    /// Number people know it by.
    pub number: String,
    /// Process.
    pub process: String,
    /// Version it stays on.
    pub version: i64,
    /// What it is about.
    pub title: String,
    /// Organisation in charge.
    pub organisation: Option<String>,
    /// How it stands.
    pub state: CaseState,
    /// Code of the error that ended it.
    pub error: Option<String>,
    /// Account that started it.
    pub started_by: String,
    /// When.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Case that called it, if one did.
    pub parent: Option<String>,
    /// Tokens that cannot go on; somebody must look.
    pub stuck: i64,
    /// Against the statutory limit.
    pub statutory: Option<Left>,
    /// Against the promised limit.
    pub promised: Option<Left>,
    /// Steps it has taken; whoever changes it may say which they saw.
    pub revision: i64,
}

/// A place where a case is being worked on, for the drawing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// Node of the drawing.
    pub node: String,
    /// Number of the token.
    pub token: u64,
    /// Why it cannot go on, if so.
    pub stuck: Option<crate::Words>,
}

/// A case opened: where it is, what it knows, what is to be done in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// Variables of the process.
    pub data: Map<String, Value>,
    /// Where its tokens are.
    pub marks: Vec<Mark>,
    /// Nodes that were done, for the drawing.
    pub passed: Vec<String>,
    /// Open tasks.
    pub tasks: Vec<Task>,
    /// Pauses of its clock.
    pub pauses: Vec<Pause>,
}

/// One thing that happened in a case. Never changed afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number within the case, from 1.
    pub number: i64,
    /// When.
    pub at: Time,
    /// Account that did it; `system` for the engine.
    pub by: String,
    /// What: `started`, `completed`, `claimed`, `sent_back`, `timer`, `served`, `ended` …
    pub what: String,
    /// Task it was done at.
    pub task: Option<String>,
    /// Node it was done at.
    pub node: Option<String>,
    /// Particulars: reason, to whom, nodes entered and left.
    pub details: Value,
}

/// Which cases are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFilter {
    /// In one of these states; any when empty.
    #[serde(default)]
    pub states: Vec<CaseState>,
    /// Of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Of this organisation.
    #[serde(default)]
    pub organisation: Option<String>,
    /// Started by the asker.
    #[serde(default)]
    pub mine: bool,
    /// With a token that cannot go on.
    #[serde(default)]
    pub stuck: bool,
    /// Number or title contains this.
    #[serde(default)]
    pub text: Option<String>,
    /// Cursor of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// Rows at most; 50 when 0, 200 at most.
    #[serde(default)]
    pub limit: usize,
}

/// A page of cases, the newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CasePage {
    /// The rows.
    pub rows: Vec<Case>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// How many match in all, exactly.
    pub count: i64,
}

/// What is done to a case as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum CaseVerb {
    /// 中止: nothing goes on until it is resumed. Clocks go on: stopping them needs a legal reason.
    Suspend {
        /// Why.
        reason: String,
    },
    /// Goes on again.
    Resume,
    /// 终止: it is ended, with everything open in it.
    Cancel {
        /// Why.
        reason: String,
    },
    /// Stops the clocks, for a reason the law knows.
    Pause {
        /// Which.
        kind: PauseKind,
        /// The law and its article.
        basis: String,
        /// Particulars.
        #[serde(default)]
        note: String,
    },
    /// Clocks go on.
    Unpause,
    /// Sets variables.
    Set {
        /// They.
        data: Map<String, Value>,
    },
    /// Tokens that cannot go on try again.
    Retry,
    /// Takes a task of the case elsewhere, whoever holds it.
    Move {
        /// Number of the token.
        token: u64,
        /// Node to go to.
        to: String,
        /// Why.
        reason: String,
    },
}

/// A message for a case that waits for it, or that begins one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Its name in the drawing.
    pub name: String,
    /// What tells for which case it is; compared with what the drawing's correlation says.
    #[serde(default)]
    pub key: Value,
    /// For this very case; a key that is given must fit all the same.
    #[serde(default)]
    pub case: Option<String>,
    /// Variables it brings.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// Idempotency key.
    #[serde(default)]
    pub once: Option<String>,
}

/// What a message did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Correlated {
    /// The case it reached.
    pub case: String,
    /// It began the case.
    pub began: bool,
}

/// Work that was tried too often and set aside, so that it holds nothing up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetAside {
    /// Identification.
    pub id: String,
    /// Case it belongs to.
    pub case: String,
    /// Its number; `None` when it is there no more.
    pub number: Option<String>,
    /// What it is: `service`, `message`, `signal`, `call`, `escalation`, `return`, `timer`.
    pub kind: String,
    /// Name of the function, message, signal or process.
    pub name: String,
    /// Times it was tried.
    pub attempts: i64,
    /// What the last failure was.
    pub error: Noted,
    /// When that was.
    pub at: Time,
}

/// The engine of cases.
#[async_trait]
pub trait Cases: Send + Sync {
    /// Publishes every process of a BPMN file as its next version; one whose drawing is the same
    /// stays as it is. A wrong file is refused whole, each fault with its line; so are calls of
    /// processes and decisions that are not there, and processes that call each other in a circle. Needs `operate` on `processes`.
    async fn publish(&self, by: &Actor, name: &str, xml: &str) -> Result<Vec<Process>, Fault>;
    /// The newest version of every process, by identification.
    async fn processes(&self) -> Result<Vec<Process>, Fault>;
    /// Versions of a process, the newest first.
    async fn versions(&self, process: &str) -> Result<Vec<Process>, Fault>;
    /// The BPMN file of a version; the newest when `None`.
    async fn drawing(&self, process: &str, version: Option<i64>) -> Result<String, Fault>;

    /// Moves the running cases of a version to another one: those that fit; of the others it says
    /// everything that does not. With `dry` nothing is changed and the answer is the same. Needs
    /// `operate` on `processes`.
    async fn migrate(&self, by: &Actor, migration: &Migration) -> Result<Vec<Migrated>, Fault>;

    /// Replays the cases that began in a past period through a changed process, and through theirs,
    /// on a clock of its own; changes nothing that lives. A wrong question or drawing is refused
    /// with every fault named; while another one runs `system.overloaded`; one that would take too
    /// long is given up with `input.too_large`. The reading of the cases is logged. Needs `operate`
    /// on `processes`.
    async fn simulate(&self, by: &Actor, what: &Simulation) -> Result<Simulated, Fault>;

    /// Starts a case. Needs `write` on `cases`.
    async fn start(&self, by: &Actor, new: NewCase) -> Result<Case, Fault>;
    /// A case by identification or number, opened; the reading is logged. `input.not_found` for one
    /// the asker may not know of.
    async fn case(&self, by: &Actor, case: &str) -> Result<CaseFile, Fault>;
    /// What happened in a case after entry `after`, in order, `limit` (1000) at most.
    async fn history(
        &self,
        by: &Actor,
        case: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Entry>, Fault>;
    /// Cases the asker may read.
    async fn cases(&self, by: &Actor, filter: &CaseFilter) -> Result<CasePage, Fault>;
    /// Does something to a case as a whole. Needs `operate` on `cases`; whoever has a task of the
    /// case may stop and start its clocks. `seen` is the revision last seen.
    async fn rule(
        &self,
        by: &Actor,
        case: &str,
        seen: Option<i64>,
        verb: CaseVerb,
    ) -> Result<Case, Fault>;

    /// What there is to do for the asker, the most pressing first.
    async fn inbox(&self, by: &Actor, filter: &InboxFilter) -> Result<Inbox, Fault>;
    /// One task, with what its form shows.
    async fn task(&self, by: &Actor, task: &str) -> Result<TaskFile, Fault>;
    /// Does something at a task. Of two who try, one is first; the other is refused with
    /// `input.conflict`, told by whom and when. `seen` is the revision of the task last seen. What
    /// is handed in at a task with a form is judged by it (see [`Forms`]) and refused whole, every
    /// fault named; variables that say what the case is about are set by no task.
    async fn act(
        &self,
        by: &Actor,
        task: &str,
        seen: Option<i64>,
        verb: TaskVerb,
    ) -> Result<Acted, Fault>;

    /// Brings a message to the case that waits for it, or begins one. Needs `write` on `cases`.
    /// `input.not_found` when nothing waits for it, `input.conflict` when the case named has ended.
    async fn message(&self, by: &Actor, message: Message) -> Result<Correlated, Fault>;
    /// Gives a signal to every case that waits for it; they go on soon after. Needs `operate` on
    /// `cases`.
    async fn signal(&self, by: &Actor, name: &str, data: Map<String, Value>) -> Result<(), Fault>;

    /// Work set aside, the oldest first. Needs `operate` on `cases`.
    async fn set_aside(&self, by: &Actor, limit: usize) -> Result<Vec<SetAside>, Fault>;
    /// Tries work set aside once more. Needs `operate` on `cases`.
    async fn try_again(&self, by: &Actor, id: &str) -> Result<(), Fault>;

    /// The calendar of a year: days that are not what their weekday says. Empty when it is not
    /// published.
    async fn calendar(&self, year: i16) -> Result<Vec<CalendarDay>, Fault>;
    /// Puts the calendar of a year in place of what was there, and counts every running clock anew;
    /// answers what moved. With `dry` nothing is changed: what would move. Needs `operate` on
    /// `calendar`.
    async fn set_calendar(
        &self,
        by: &Actor,
        year: i16,
        days: Vec<CalendarDay>,
        dry: bool,
    ) -> Result<Vec<Moved>, Fault>;
}
