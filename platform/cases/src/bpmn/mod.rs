//! BPMN 2.0: a process as it is drawn. [`read`] makes a [`Model`] of the XML or names every fault
//! with its line; nothing that is not understood is passed over in silence. What is published is read
//! with [`read_new`], what was published once with [`read_stored`].

mod activities;
mod elements;
mod events;
mod model;
mod outline;
mod read;
mod shape;
mod strict;
mod ties;

pub use elements::{Fate, SUBSET};
pub use model::{
    Assignment, EventWhat, Flow, FlowIndex, Loop, Model, Moment, Named, Node, NodeIndex, NodeKind,
    Process, TaskKind, Trigger,
};
pub use outline::outline;
pub use read::{read, read_new, read_stored};
pub(crate) use strict::START_TIMERS;
