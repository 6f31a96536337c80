//! Observations: the tables of the observations engine.

use crate::migrations::Migration;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![]
}
