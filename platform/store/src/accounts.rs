//! Accounts: the tables of accounts, roles and sessions.

use crate::migrations::Migration;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![]
}
