//! The state of an instance between two steps: tokens, scopes and what is waited for. It holds
//! what still runs, not what has been, so that a step costs the same on the first day and in the
//! third year.

use crate::bpmn::NodeIndex;
use kernel::Time;
use kernel::cases::Limit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Number of a token, scope or wait; unique within its instance and never used again.
pub type Id = u64;

/// The scope of the process itself.
pub const ROOT: Id = 1;

/// An instance of a process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Identification of the process.
    pub process: String,
    /// How it stands.
    pub state: Standing,
    /// Scopes that are open, the process itself among them.
    pub scopes: BTreeMap<Id, Scope>,
    /// Tokens.
    pub tokens: BTreeMap<Id, Token>,
    /// What is waited for.
    pub waits: BTreeMap<Id, Wait>,
    /// The next number.
    pub next: Id,
}

/// How an instance stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It runs, or waits.
    Running,
    /// It came to its end.
    Completed,
    /// An error that nothing caught ended it.
    Failed {
        /// Code of the error.
        code: String,
    },
    /// It was cancelled.
    Cancelled,
}

/// Where variables live and what ends together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Scope around it; `None` for the process.
    pub parent: Option<Id>,
    /// Token that is inside the activity meanwhile; `None` for the process and for event
    /// sub-processes.
    pub host: Option<Id>,
    /// Sub-process whose nodes run here; `None` for the process and for a repeated task.
    pub node: Option<NodeIndex>,
    /// Variables of this scope.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub variables: Map<String, Value>,
    /// A repeated activity keeps count here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// One time of a repeated activity: its number from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// New variables stay here: a turn of its own for each item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps: bool,
    /// Activities done here that can be undone, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<Done>,
}

/// The count of a repeated activity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Repeats {
    /// Items, one a turn; `null` for each when only a number was given.
    pub items: Vec<Value>,
    /// Turns begun.
    pub begun: u32,
    /// Turns done.
    pub done: u32,
    /// What the turns contributed, by number.
    pub results: BTreeMap<u32, Value>,
    /// Numbers of the turns still to come, in their order, once that is no longer the order of the
    /// items; `None` before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Vec<u32>>,
    /// Turns that were taken away and do not count.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<u32>,
    /// Turns that were added, by number: for whom, and by whom.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub added: BTreeMap<u32, Added>,
    /// The wait by which a person did a turn, by number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signed: BTreeMap<u32, Id>,
}

/// A turn that the drawing did not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Account it is for.
    pub to: String,
    /// Account that added it.
    pub by: String,
}

impl Repeats {
    /// How many turns count.
    pub fn instances(&self) -> usize {
        self.items.len() - self.removed.len()
    }

    /// Numbers of the turns that have not begun, in their order.
    pub fn to_come(&self) -> Vec<u32> {
        let rest = self.begun..u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.pending.clone().unwrap_or_else(|| rest.collect())
    }
}

/// An activity that was done and can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The activity.
    pub node: NodeIndex,
    /// The variables it saw when it was done.
    pub variables: Map<String, Value>,
    /// What was done within it, of a sub-process.
    pub within: Vec<Done>,
}

/// A token: a place in the process that is being worked on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Where it is.
    pub node: NodeIndex,
    /// Scope it is in.
    pub scope: Id,
    /// What it does there.
    pub place: Place,
}

/// What a token does at its node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Is about to enter it.
    Arriving,
    /// Waits for what is in [`Instance::waits`] under its number.
    Waiting,
    /// Is within a scope that the activity opened.
    Inside,
    /// Came by this flow and waits for the others of a joining gateway.
    Joining(usize),
    /// Waits until everything before it is undone; what remains, the next last.
    Undoing(Vec<Done>),
    /// Cannot go on; somebody must look.
    Stuck {
        /// Chinese.
        zh: String,
        /// English.
        en: String,
    },
}

/// Something waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// Token that waits, or whose activity the boundary event is attached to; `None` for the start
    /// event of an event sub-process.
    pub token: Option<Id>,
    /// Scope in which it is waited.
    pub scope: Id,
    /// Node that waits: a task, a catching event, a boundary event, a start event.
    pub node: NodeIndex,
    /// What for.
    pub what: Awaited,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// A person, at a user task or a manual one.
    Person,
    /// A function bound under this name.
    Service {
        /// Its name.
        function: String,
    },
    /// A message.
    Message {
        /// Its name.
        name: String,
        /// What tells that it is for this instance; `null` when anything is.
        key: Value,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
    },
    /// A moment.
    Timer {
        /// When.
        due: Time,
        /// Then again after so many microseconds.
        every_us: Option<i64>,
        /// So many times more; `None` for ever.
        left: Option<u32>,
        /// Its moments were said, and not only how far apart they are.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        anchored: bool,
        /// The calendar says when it is due.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<Days>,
    },
    /// A condition that becomes true.
    Condition {
        /// Expression.
        expression: String,
        /// Whether it held when it was last looked at: it fires when it begins to hold.
        held: bool,
    },
    /// The end of another process.
    Call {
        /// Its identification.
        process: String,
    },
}

/// A limit of days that a timer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// When it began; that day is not counted.
    pub since: Time,
    /// How long it is.
    pub limit: Limit,
}

impl Instance {
    /// A number nobody has.
    pub(super) fn number(&mut self) -> Id {
        self.next += 1;
        self.next
    }

    /// Has it come to an end, whatever kind?
    pub fn ended(&self) -> bool {
        self.state != Standing::Running
    }

    /// Everything seen from a scope, the inner before the outer.
    pub fn variables(&self, scope: Id) -> Map<String, Value> {
        let mut seen = Map::new();
        let mut next = Some(scope);
        while let Some(scope) = next.and_then(|id| self.scopes.get(&id)) {
            for (name, value) in &scope.variables {
                if !seen.contains_key(name) {
                    seen.insert(name.clone(), value.clone());
                }
            }
            next = scope.parent;
        }
        seen
    }

    /// Sets a variable where it already is, from `scope` outwards; a new one in the innermost turn
    /// of a repeated activity, else in the process.
    pub fn set(&mut self, scope: Id, name: &str, value: Value) {
        let mut at = Some(scope);
        let mut home = ROOT;
        let mut in_turn = false;
        while let Some((id, here)) = at.and_then(|id| Some((id, self.scopes.get(&id)?))) {
            if here.variables.contains_key(name) {
                home = id;
                break;
            }
            if here.keeps && !in_turn {
                (home, in_turn) = (id, true);
            }
            at = here.parent;
        }
        if let Some(home) = self.scopes.get_mut(&home) {
            home.variables.insert(name.into(), value);
        }
    }
}
