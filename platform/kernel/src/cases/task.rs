//! Tasks: what a case gives to people, and what they may do with it.

use super::clock::{Left, Light};
use super::{Case, CaseState};
use crate::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What kind of task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Drawn in the process; the case waits for it.
    Task,
    /// 加签: a colleague's opinion; the task it belongs to waits for it.
    Signer,
    /// 传阅: to be read; nothing waits for it.
    Reading,
}

impl TaskKind {
    /// All of them.
    pub const ALL: [TaskKind; 3] = [TaskKind::Task, TaskKind::Signer, TaskKind::Reading];
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// To be done.
    Open,
    /// Done.
    Done,
    /// Sent back.
    SentBack,
    /// Taken back: by who had done what came before, or an opinion of a countersign by who gave it.
    Withdrawn,
    /// No longer to be done: the way of the case left it, or the case ended.
    Dropped,
}

impl TaskState {
    /// All of them.
    pub const ALL: [TaskState; 5] = [
        TaskState::Open,
        TaskState::Done,
        TaskState::SentBack,
        TaskState::Withdrawn,
        TaskState::Dropped,
    ];
}

/// A task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Identification.
    pub id: String,
    /// Case.
    pub case: String,
    /// Number of the case.
    pub number: String,
    /// What the case is about.
    pub title: String,
    /// Process.
    pub process: String,
    /// Node of the drawing.
    pub node: String,
    /// Name for people.
    pub name: String,
    /// What kind.
    pub kind: TaskKind,
    /// How it stands.
    pub state: TaskState,
    /// Account that has it in hand.
    pub assignee: Option<String>,
    /// 委托: account for whom it is done.
    pub owner: Option<String>,
    /// Roles that may take it; with an organisation, members of that only.
    pub roles: Vec<String>,
    /// Organisation whose members may take it.
    pub organisation: Option<String>,
    /// Task a signer's opinion is for.
    pub parent: Option<String>,
    /// Name of the form.
    pub form: Option<String>,
    /// Since when it is open.
    pub opened_at: Time,
    /// When it was taken.
    pub claimed_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Account that ended it.
    pub ended_by: Option<String>,
    /// Its clock.
    pub left: Option<Left>,
    /// Times it was urged.
    pub urged: i64,
    /// Changes so far; whoever acts may say which they saw.
    pub revision: i64,
}

/// What an officer may do at a task. A task offered to several is done by the first who takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskVerb {
    /// 签收: takes it in hand.
    Claim,
    /// Gives it back to those it was offered to.
    Release,
    /// 办结: done, with what was found. Also a signer's opinion.
    Complete {
        /// Variables that are set.
        #[serde(default)]
        data: Map<String, Value>,
    },
    /// 转办: it is another's from now on.
    Transfer {
        /// Account.
        to: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// 委托: another does it for its owner.
    Delegate {
        /// Account.
        to: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// 加签: a colleague must give an opinion before it can be done; or, where the task is of a
    /// countersign (会签), signs it as one more and counts like those drawn.
    AddSigner {
        /// Account.
        to: String,
        /// What is asked.
        #[serde(default)]
        reason: String,
        /// As one more countersigner, and where; only an opinion when `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        countersign: Option<Place>,
    },
    /// 减签: it can be done without that opinion, or without that countersigner, who has not signed
    /// yet.
    RemoveSigner {
        /// The signer's task, or [`Countersigner::signer`].
        signer: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// 驳回: back to a task that was done before, of the case or of one that called it; to who did
    /// it. A case sent back to its caller ends.
    SendBack {
        /// Node of the drawing.
        to: String,
        /// Identification of the case that called this one, or of one further out; the case itself
        /// when `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        case: Option<String>,
        /// Why.
        reason: String,
    },
    /// 退回发起人: back to the first task of the case, to who started the case.
    ReturnToStarter {
        /// Why.
        reason: String,
    },
    /// 撤回: whoever did a task takes it back while nobody has gone on with what followed; an opinion
    /// of a countersign, until the countersign is over.
    Withdraw {
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// 传阅: others are to read; the task goes on meanwhile.
    Circulate {
        /// Accounts, 100 at most.
        to: Vec<String>,
        /// What for.
        #[serde(default)]
        reason: String,
    },
    /// 催办: asks to hurry, once an hour at most.
    Urge {
        /// What is said.
        #[serde(default)]
        words: String,
    },
}

/// Where one more countersigner signs. Where all sign at once both are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// After the present one.
    Next,
    /// After all others.
    Last,
}

/// A task opened: what its form shows, who signs with it, where it may be sent back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFile {
    /// The task.
    pub task: Task,
    /// Variables it sees.
    pub data: Map<String, Value>,
    /// The countersign it is of, if it is and that is not over.
    pub countersign: Option<Countersign>,
    /// Tasks that were done and lead to it: of its case, then of those that called it.
    pub targets: Vec<Target>,
}

/// A countersign (会签) that is going on: a task that each of several does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Countersign {
    /// They sign one after the other.
    pub sequential: bool,
    /// How many there are.
    pub instances: usize,
    /// How many have signed.
    pub done: u32,
    /// They, in the order they sign in; 500 at most.
    pub signers: Vec<Countersigner>,
}

/// How a countersigner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signed {
    /// Has signed.
    Done,
    /// Is to sign now.
    Open,
    /// Signs later.
    Pending,
}

/// One of those who sign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Countersigner {
    /// Identification: of the task, once there is one.
    pub signer: String,
    /// Account, as far as it is known.
    pub account: Option<String>,
    /// Organisation whose members may take it.
    pub organisation: Option<String>,
    /// How it stands.
    pub state: Signed,
    /// Account that added them to those drawn.
    pub added_by: Option<String>,
    /// The asker may do without them (减签).
    pub removable: bool,
}

/// A task that may be sent back to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Case: the task's own, or one that called it.
    pub case: String,
    /// Its number.
    pub number: String,
    /// Name of its process.
    pub process: String,
    /// Node of the drawing.
    pub node: String,
    /// Name for people.
    pub name: String,
}

/// After something was done at a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acted {
    /// The task as it stands.
    pub task: Task,
    /// The case as it stands.
    pub case: Case,
    /// Tasks that opened.
    pub opened: Vec<Task>,
}

impl Acted {
    /// Did the case end with it?
    pub fn ended(&self) -> bool {
        self.case.state != CaseState::Running
    }
}

/// Whose tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// In the asker's hand, and those the asker may take.
    #[default]
    All,
    /// In the asker's hand.
    Mine,
    /// Those the asker may take.
    Offered,
}

/// Which tasks are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboxFilter {
    /// Whose.
    #[serde(default)]
    pub whose: Whose,
    /// Of this process.
    #[serde(default)]
    pub process: Option<String>,
    /// Whose clock stands so.
    #[serde(default)]
    pub light: Option<Light>,
    /// Number, title or name contains this.
    #[serde(default)]
    pub text: Option<String>,
    /// Cursor of the page before.
    #[serde(default)]
    pub after: Option<String>,
    /// Rows at most; 50 when 0, 200 at most.
    #[serde(default)]
    pub limit: usize,
}

/// A page of the inbox, the most pressing first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inbox {
    /// The rows.
    pub rows: Vec<Task>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
    /// How many match in all, exactly.
    pub count: i64,
}
