//! Alerts: the tables of the rules engine and its alerts.

use crate::migrations::Migration;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![]
}
