//! Events: everything that happens is written, in the same transaction as the change itself, to
//! one numbered log. Every reaction reads that log with a named cursor of its own, so a reader
//! that was down catches up and none misses or repeats.

use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What an event is about. Observation batches carry the compact encoding of
/// [`crate::observations::wire`]; all other kinds carry JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum EventKind {
    /// A batch of observations.
    Observations = 1,
    /// A record of a register was created, changed or ended.
    Record = 2,
    /// An alert was raised, changed or closed.
    Alert = 3,
    /// A command to a device changed its state.
    Command = 4,
    /// A device appeared, was claimed, or changed its state.
    Device = 5,
    /// Anything of identity: account made, role given.
    Identity = 6,
    /// The tree of organisations, its members or their delegations changed.
    Organisation = 7,
    /// A restore drill ended, data expired, a legal hold began or ended.
    Backup = 8,
    /// Somebody comes near a limit of theirs.
    Metering = 9,
    /// A case started, went on or ended; a task opened, was taken or done; a light changed.
    Case = 10,
    /// A licence was issued, or changed where it stands.
    Licence = 12,
    /// A message was given up; a notice, document or entry of a calendar changed.
    Office = 16,
    /// A hall, an appointment or a queue number changed.
    Visit = 17,
}

impl EventKind {
    /// The kind of a stored number; `None` for one this edition does not know.
    pub fn from_u8(n: u8) -> Option<EventKind> {
        Some(match n {
            1 => EventKind::Observations,
            2 => EventKind::Record,
            3 => EventKind::Alert,
            4 => EventKind::Command,
            5 => EventKind::Device,
            6 => EventKind::Identity,
            7 => EventKind::Organisation,
            8 => EventKind::Backup,
            9 => EventKind::Metering,
            10 => EventKind::Case,
            12 => EventKind::Licence,
            16 => EventKind::Office,
            17 => EventKind::Visit,
            _ => return None,
        })
    }
}

/// One entry of the log.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number; strictly increasing in the order of commit.
    pub seq: i64,
    /// When it was written.
    pub at: Time,
    /// What kind of body it carries.
    pub kind: EventKind,
    /// The thing, record or alert it is about; empty for batches.
    pub about: Arc<str>,
    /// JSON, or the encoding of `observations::wire` for batches.
    pub body: Arc<[u8]>,
}
