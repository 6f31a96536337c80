//! The model: nodes and flows of the processes of one file, as the machine reads them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Position of a node in [`Process::nodes`].
pub type NodeIndex = usize;
/// Position of a flow in [`Process::flows`].
pub type FlowIndex = usize;

/// One file: its processes and what they name in common.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Processes by identification.
    pub processes: BTreeMap<String, Process>,
    /// Messages by identification.
    pub messages: BTreeMap<String, Named>,
    /// Signals by identification.
    pub signals: BTreeMap<String, Named>,
    /// Errors by identification; the code is what catches.
    pub errors: BTreeMap<String, Named>,
    /// Escalations by identification.
    pub escalations: BTreeMap<String, Named>,
}

/// A message, signal, error or escalation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Name of a message or signal, code of an error or escalation.
    pub name: String,
    /// Expression whose value tells which instance a message is for; messages only.
    pub correlation: Option<String>,
}

/// A process: a graph of nodes, those of its sub-processes included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Identification.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Nodes; a sub-process comes before its own.
    pub nodes: Vec<Node>,
    /// Sequence flows.
    pub flows: Vec<Flow>,
}

/// A node of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Identification.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Line in the file.
    pub line: usize,
    /// What it is.
    pub kind: NodeKind,
    /// Sub-process it is in; `None` for the process itself.
    pub parent: Option<NodeIndex>,
    /// Flows that come in, in order of the file.
    pub incoming: Vec<FlowIndex>,
    /// Flows that go out, in order of the file.
    pub outgoing: Vec<FlowIndex>,
    /// Flow taken when no other is.
    pub default: Option<FlowIndex>,
    /// Done several times.
    pub repeats: Option<Loop>,
    /// Boundary events attached to it.
    pub boundary: Vec<NodeIndex>,
    /// What undoes it when compensated.
    pub compensation: Option<NodeIndex>,
}

/// A sequence flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Identification.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// From.
    pub source: NodeIndex,
    /// To.
    pub target: NodeIndex,
    /// Expression that must hold.
    pub condition: Option<String>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// A task.
    Task(TaskKind),
    /// One way out, the first whose condition holds.
    Exclusive,
    /// All ways at once; waits for all ways in.
    Parallel,
    /// Every way whose condition holds; waits for all that can still come.
    Inclusive,
    /// Waits for the first of the events behind it.
    EventBased,
    /// An event.
    Event {
        /// Where it stands.
        moment: Moment,
        /// What it is of.
        what: EventWhat,
    },
    /// A process within the process.
    SubProcess {
        /// Started by an event and not by a flow.
        by_event: bool,
    },
    /// Another process, as a part of this one.
    Call {
        /// Its identification.
        process: String,
    },
}

/// A kind of task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Nothing but a name; done at once.
    Abstract,
    /// Done by a person.
    User(Assignment),
    /// Done by a person outside the system, who only says so.
    Manual(Assignment),
    /// Done by a function bound under this name.
    Service(String),
    /// An expression, whose value goes into this variable.
    Script {
        /// FEEL.
        expression: String,
        /// Variable.
        result: String,
    },
    /// A decision, whose result goes into this variable.
    Rule {
        /// Identification of the decision.
        decision: String,
        /// Variable.
        result: String,
    },
    /// Sends a message of this identification.
    Send(String),
    /// Waits for a message of this identification.
    Receive(String),
}

/// Who may do a task, and until when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Expression for the account.
    pub assignee: Option<String>,
    /// Roles, any of which may take it.
    pub roles: Vec<String>,
    /// Expression for the organisation whose members may take it.
    pub organisation: Option<String>,
    /// Name of the form.
    pub form: Option<String>,
    /// Time allowed, such as `5 working days`, or an expression.
    pub due: Option<String>,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// At the beginning of a process or sub-process; of an event sub-process it interrupts what
    /// surrounds it or not.
    Start {
        /// Whether it does.
        interrupting: bool,
    },
    /// On the way, waited for.
    Catch,
    /// On the way, caused.
    Throw,
    /// At the end.
    End,
    /// At the edge of an activity, which it ends or not.
    Boundary {
        /// The activity.
        attached: NodeIndex,
        /// Whether it ends it.
        interrupting: bool,
    },
}

/// What an event is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventWhat {
    /// Nothing.
    None,
    /// Message of this identification.
    Message(String),
    /// Signal of this identification.
    Signal(String),
    /// Time.
    Timer(Trigger),
    /// Error of this identification; every error when `None`.
    Error(Option<String>),
    /// Escalation of this identification; every one when `None`.
    Escalation(Option<String>),
    /// An expression that becomes true.
    Conditional(String),
    /// Undoing: of this activity, or of all that are done in the scope.
    Compensation(Option<String>),
    /// Ends everything in its scope.
    Terminate,
}

/// When a timer fires; expressions that give ISO 8601 texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// At this moment.
    Date(String),
    /// After this span.
    Duration(String),
    /// Again and again.
    Cycle(String),
}

/// How an activity is repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loop {
    /// While a condition holds.
    Standard {
        /// Asked before the first time, not after it.
        test_before: bool,
        /// Times at most.
        maximum: Option<u32>,
        /// Expression.
        condition: Option<String>,
    },
    /// Once for each item of a collection, or a number of times.
    Instances {
        /// One after the other.
        sequential: bool,
        /// Expression for the collection.
        collection: Option<String>,
        /// Variable for the item.
        item: Option<String>,
        /// Expression for the number, when there is no collection.
        number: Option<String>,
        /// Expression for what each time contributes, gathered in `results`.
        result: Option<String>,
        /// Variable for the list of contributions.
        results: Option<String>,
        /// Expression; when it holds the rest is not done.
        until: Option<String>,
    },
}

impl Process {
    /// A node by identification.
    pub fn find(&self, id: &str) -> Option<NodeIndex> {
        self.nodes.iter().position(|node| node.id == id)
    }

    /// Nodes directly within a scope, by position.
    pub fn within(&self, scope: Option<NodeIndex>) -> impl Iterator<Item = (NodeIndex, &Node)> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(move |(_, node)| node.parent == scope)
    }

    /// The start event a token enters a scope by: the one of nothing, else any start event; a scope
    /// without start events is entered by every node without a way in.
    pub fn entries(&self, scope: Option<NodeIndex>) -> Vec<NodeIndex> {
        let mut plain = vec![];
        let mut open = vec![];
        for (at, node) in self.within(scope) {
            match &node.kind {
                NodeKind::Event {
                    moment: Moment::Start { .. },
                    what: EventWhat::None,
                } => plain.push(at),
                NodeKind::Event { .. } | NodeKind::SubProcess { by_event: true } => {}
                _ if node.incoming.is_empty() && !self.is_compensation(at) => open.push(at),
                _ => {}
            }
        }
        if plain.is_empty() { open } else { plain }
    }

    /// Timers that begin the process: start events of the process itself.
    pub fn begun_by_timers(&self) -> impl Iterator<Item = (NodeIndex, &Node, &Trigger)> {
        self.within(None).filter_map(|(at, node)| match &node.kind {
            NodeKind::Event {
                moment: Moment::Start { .. },
                what: EventWhat::Timer(trigger),
            } => Some((at, node, trigger)),
            _ => None,
        })
    }

    /// The compensation start event of an event sub-process; `None` for any other node.
    pub fn undoing_start(&self, at: NodeIndex) -> Option<NodeIndex> {
        let by_event = matches!(self.nodes[at].kind, NodeKind::SubProcess { by_event: true });
        let mut inner = self.within(by_event.then_some(Some(at))?);
        let start = inner.find(|(_, node)| {
            matches!(
                node.kind,
                NodeKind::Event {
                    moment: Moment::Start { .. },
                    what: EventWhat::Compensation(_),
                }
            )
        });
        start.map(|(start, _)| start)
    }

    /// The event sub-process that undoes the sub-process it stands in, with its start event.
    pub fn undoes_within(&self, at: NodeIndex) -> Option<(NodeIndex, NodeIndex)> {
        let mut inner = self.within(Some(at));
        inner.find_map(|(handler, _)| Some((handler, self.undoing_start(handler)?)))
    }

    /// Is this node done only to undo another?
    pub fn is_compensation(&self, at: NodeIndex) -> bool {
        self.nodes.iter().any(|node| node.compensation == Some(at))
    }
}
