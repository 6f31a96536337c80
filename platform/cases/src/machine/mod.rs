//! The machine: from the state of an instance and something that happened to the next state and
//! what follows from it. Pure: no store, no clock, no network. Whoever calls it writes state and
//! effects in one transaction, so that a step happened whole or not at all.
//!
//! Semantics are those of chapter 13 of BPMN 2.0 (ISO/IEC 19510). Where the standard leaves a choice
//! it is said at the function that makes it.

mod activity;
mod events;
mod happen;
mod join;
mod migrate;
mod repeat;
mod rewind;
mod run;
mod state;
pub(crate) mod timer;
mod turns;
mod undo;
mod waiting;

pub use migrate::migrate;
pub use rewind::leads;
pub use state::{
    Added, Awaited, Days, Done, Id, Instance, Place, ROOT, Repeats, Scope, Standing, Token, Wait,
};

use crate::bpmn::{Model, NodeIndex};
pub use kernel::cases::Expressions;
use kernel::decisions::Outcome;
use kernel::{Fault, Time, Words};
use run::Run;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// What a wait waited for came: a person or a function finished, a message arrived, a called
    /// process ended, a moment came. The variables are set first.
    Came {
        /// The wait.
        wait: Id,
        /// What it brought.
        variables: Map<String, Value>,
    },
    /// What a wait waited for failed with a BPMN error.
    Failed {
        /// The wait.
        wait: Id,
        /// Code of the error.
        code: String,
        /// What it brought.
        variables: Map<String, Value>,
    },
    /// What a wait waited for cannot come: its token is stuck until somebody has looked.
    Blocked {
        /// The wait.
        wait: Id,
        /// Why.
        words: Words,
    },
    /// A called process escalated, and goes on or has ended.
    Escalated {
        /// The wait for it.
        wait: Id,
        /// Code of the escalation.
        code: String,
    },
    /// A signal was given; everything that waits for it goes on.
    Signal {
        /// Its name.
        name: String,
        /// What it brought.
        variables: Map<String, Value>,
    },
    /// Somebody set variables; conditions are looked at again.
    Set {
        /// Scope.
        scope: Id,
        /// The variables.
        variables: Map<String, Value>,
    },
    /// A stuck token tries again.
    Retry {
        /// The token.
        token: Id,
    },
    /// A token is taken to another node: sent back, withdrawn, led on. Back to a node that was
    /// passed, what came after it is taken back as well.
    Move {
        /// The token.
        token: Id,
        /// Where to.
        to: NodeIndex,
    },
    /// A repeated activity is done once more than drawn (加签): one turn more.
    AddTurn {
        /// Scope that counts its turns.
        count: Id,
        /// Item of the turn.
        item: Value,
        /// For whom, and by whom.
        added: Added,
        /// The next of those that come one after the other; else the last.
        next: bool,
    },
    /// A turn that is not done is done without (减签).
    RemoveTurn {
        /// Scope that counts its turns.
        count: Id,
        /// Its number.
        number: u32,
    },
    /// A turn that was done is done again (撤回 of one opinion).
    TakeBackTurn {
        /// Scope that counts its turns.
        count: Id,
        /// Its number.
        number: u32,
    },
    /// The instance is cancelled.
    Cancel,
}

/// What follows from a step, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A node was entered.
    Entered {
        /// The node.
        node: NodeIndex,
        /// The token.
        token: Id,
    },
    /// A node was left: it is done.
    Left {
        /// The node.
        node: NodeIndex,
        /// The token.
        token: Id,
    },
    /// A node was given up: interrupted or cancelled.
    Cancelled {
        /// The node.
        node: NodeIndex,
        /// The token.
        token: Id,
    },
    /// Something is waited for from now on.
    Opened {
        /// The wait.
        wait: Id,
    },
    /// A wait is over, whatever ended it.
    Closed {
        /// The wait.
        wait: Id,
    },
    /// A message is to be sent.
    Sent {
        /// Its name.
        name: String,
        /// What tells for whom it is.
        key: Value,
        /// What it brings.
        variables: Map<String, Value>,
    },
    /// A signal is given to everybody, this instance included.
    Signalled {
        /// Its name.
        name: String,
        /// What it brings.
        variables: Map<String, Value>,
    },
    /// An escalation that nothing in the instance caught.
    Escalated {
        /// Its code.
        code: String,
    },
    /// A decision was made; why it came out so is to be kept.
    Decided {
        /// Where.
        node: NodeIndex,
        /// The decision.
        outcome: Box<Outcome>,
    },
    /// A token cannot go on.
    Stuck {
        /// The token.
        token: Id,
    },
    /// The instance ended.
    Ended,
}

/// A step: the next state and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The next state.
    pub instance: Instance,
    /// What follows.
    pub effects: Vec<Effect>,
}

/// Begins an instance at the start event of nothing, or at `start` when a message, signal or timer
/// began it.
pub fn begin(
    model: &Model,
    process: &str,
    start: Option<NodeIndex>,
    variables: Map<String, Value>,
    expressions: &dyn Expressions,
    now: Time,
) -> Result<Step, Fault> {
    let mut run = Run::begin(model, process, variables, expressions, now)?;
    run.enter_process(start);
    run.finish()
}

/// Takes the next step. `input.conflict` when the wait is over already or the instance has ended:
/// somebody else was first.
pub fn step(
    model: &Model,
    instance: &Instance,
    happened: Happened,
    expressions: &dyn Expressions,
    now: Time,
) -> Result<Step, Fault> {
    let mut run = Run::resume(model, instance, expressions, now)?;
    run.happen(happened)?;
    run.finish()
}
