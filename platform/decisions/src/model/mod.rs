//! Model: a DMN model that was read, checked and made ready to decide.
//!
//! The library evaluates the model; what it is given is not quite what the author wrote. Every
//! decision first calls [`crate::native`]'s dispatcher, which notes down what the decision sees and
//! takes a step of the budget; every table asks it to be read by us ([`crate::table`]), and so does
//! every expression that could loop, grow or call a function. The dispatcher is a business knowledge
//! model named `__jc`, of no effect by itself; it is replaced by a function of ours handed over with
//! the input. It is not at hand for decisions inside a decision service that a FEEL expression calls:
//! there the author's own expressions are carried out by the library, and only such are accepted as
//! cannot run for long.

mod cells;
mod check;
mod dispatch;
mod edit;
mod ready;
mod scan;
mod types;
mod xml;

pub use ready::Model;
pub(crate) use scan::Scan;

use crate::feel::Grammar;
use crate::table::{Prepared, Table};
use dsntk_feel::Evaluator;
use kernel::decisions::DecisionShape;
use std::collections::BTreeSet;
use std::sync::OnceLock;
use types::Book;

/// DMN namespaces that are read: 1.3, 1.4, 1.5.
pub(crate) const NAMESPACES: [&str; 3] = [
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// A decision of the model.
pub(crate) struct Decision {
    pub(crate) shape: DecisionShape,
    /// Name of its variable: what those who ask it see.
    pub(crate) variable: String,
    /// Places of the decisions it asks.
    pub(crate) asks: Vec<usize>,
}

/// A text that must be laced before it is evaluated.
pub(crate) struct Laced {
    pub(crate) text: String,
    /// `None` inside once it was found that it cannot be read here.
    pub(crate) evaluator: OnceLock<Option<Evaluator>>,
}

/// A table and what was read of it.
pub(crate) struct Cells {
    pub(crate) table: Table,
    pub(crate) prepared: OnceLock<Option<Prepared>>,
}

/// What the dispatcher needs to know of a model (or of several, when one imports others).
#[derive(Default)]
pub(crate) struct Program {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) tables: Vec<Cells>,
    pub(crate) texts: Vec<Laced>,
    /// Names of everything that has one: what an expression may speak of.
    pub(crate) names: BTreeSet<String>,
}

/// A decision service: its name and what it gives.
pub(crate) struct Service {
    pub(crate) name: String,
    /// Places of its output decisions.
    pub(crate) outputs: Vec<usize>,
}

/// Everything read from one XML text.
pub(crate) struct Source {
    pub(crate) namespace: String,
    pub(crate) title: String,
    pub(crate) services: Vec<Service>,
    pub(crate) inputs: Vec<(String, String)>,
    pub(crate) book: Book,
    /// The XML as the library is given it.
    pub(crate) edited: String,
    /// Texts with their places, to find the one that is wrong.
    pub(crate) texts: Vec<Placed>,
}

/// An expression and where it stands in the XML.
pub(crate) struct Placed {
    pub(crate) text: String,
    pub(crate) line: usize,
    pub(crate) grammar: Grammar,
}
