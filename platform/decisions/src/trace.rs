//! Trace: what an evaluation of a model notes down, so that it can be explained afterwards.

use crate::limits::READINGS_LIMIT;
use dsntk_feel::values::Value;

/// Everything noted down in one evaluation.
#[derive(Default)]
pub(crate) struct Trace {
    /// Decisions in the order they were made, by their place in the program.
    pub(crate) decisions: Vec<Made>,
    /// Readings of tables that are not told because there are too many.
    pub(crate) left_out: usize,
    readings: usize,
}

/// A decision that was made.
pub(crate) struct Made {
    /// Its place in the program.
    pub(crate) decision: usize,
    /// Its value, once a decision that asked for it saw it.
    pub(crate) value: Option<Value>,
    /// Tables that were read for it.
    pub(crate) tables: Vec<Read>,
}

/// A table that was read.
pub(crate) struct Read {
    /// Its place in the program.
    pub(crate) table: usize,
    /// Values of its input columns.
    pub(crate) inputs: Vec<Value>,
    /// Rules that matched: place, outputs, whether they take part in the result.
    pub(crate) matched: Vec<(usize, Vec<Value>, bool)>,
    /// The default output was taken.
    pub(crate) by_default: bool,
}

impl Trace {
    /// A decision begins; a second time replaces the first.
    pub(crate) fn begin(&mut self, decision: usize) {
        self.decisions.retain(|made| made.decision != decision);
        self.decisions.push(Made {
            decision,
            value: None,
            tables: vec![],
        });
    }

    /// What an earlier decision came to.
    pub(crate) fn saw(&mut self, decision: usize, value: Value) {
        if let Some(made) = self.decisions.iter_mut().find(|m| m.decision == decision) {
            made.value = Some(value);
        }
    }

    /// A table was read for the decision that is being made.
    pub(crate) fn read(&mut self, read: Read) {
        if self.readings >= READINGS_LIMIT {
            self.left_out += 1;
        } else if let Some(made) = self.decisions.last_mut() {
            self.readings += 1;
            made.tables.push(read);
        }
    }
}
