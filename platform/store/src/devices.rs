//! Devices: the tables of devices, refused frames and commands.

use crate::migrations::Migration;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![]
}
