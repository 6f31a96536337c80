//! BPMN 2.0: a process as it is drawn. [`read`] makes a [`Model`] of the XML or names every fault
//! with its line; nothing that is not understood is passed over in silence.

mod elements;
mod events;
mod model;
mod read;
mod shape;
mod ties;

pub use elements::{Fate, SUBSET};
pub use model::{
    Assignment, EventWhat, Flow, FlowIndex, Loop, Model, Moment, Named, Node, NodeIndex, NodeKind,
    Process, TaskKind, Trigger,
};
pub use read::read;
