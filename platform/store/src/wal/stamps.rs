//! Stamps: when each transaction was committed. The log itself keeps no times; without them a
//! restore could only choose between the moments at which something was copied. Noted under the
//! writers' gate after the commit and before it is acknowledged, for the price of one small read.

use kernel::{Clock, Time};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Stamps kept while nobody fetches them; beyond it every second one is forgotten, which makes the
/// times of what was committed coarser and nothing else.
const LIMIT: usize = 200_000;

/// Everything up to this frame of this generation was committed by this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: Time,
    /// Salts of the generation.
    pub salts: [u32; 2],
    /// Frames in the log then.
    pub frame: u32,
}

/// The stamps not fetched yet.
pub(crate) struct Stamps {
    clock: Arc<dyn Clock>,
    /// The index of the log, which SQLite keeps beside it for all processes.
    index: File,
    kept: Mutex<VecDeque<Stamp>>,
}

impl Stamps {
    pub(crate) fn new(clock: Arc<dyn Clock>, index: File) -> Stamps {
        Stamps {
            clock,
            index,
            kept: Mutex::default(),
        }
    }

    /// Notes a commit just made by the one writer of this process.
    pub(crate) fn committed(&self) {
        let Some((salts, frame)) = self.end_of_log() else {
            return;
        };
        let mut kept = self.kept.lock();
        let mut at = self.clock.now();
        if let Some(last) = kept.back_mut() {
            // A clock set back must not make a later commit older than an earlier one.
            at = std::cmp::max(at, last.at);
            if (last.salts, last.frame) == (salts, frame) {
                return;
            }
        }
        kept.push_back(Stamp { at, salts, frame });
        if kept.len() > LIMIT {
            let mut odd = false;
            kept.retain(|_| {
                odd = !odd;
                !odd
            });
        }
    }

    /// Takes the stamps of this generation up to this frame; those of older ones are forgotten.
    pub(crate) fn take(&self, salts: [u32; 2], until_frame: u32) -> Vec<Stamp> {
        let mut kept = self.kept.lock();
        let end = kept
            .iter()
            .rposition(|stamp| stamp.salts == salts && stamp.frame <= until_frame);
        let Some(end) = end else {
            return vec![];
        };
        let taken = kept.drain(..=end);
        taken.filter(|stamp| stamp.salts == salts).collect()
    }

    /// The salts and the number of frames, from the two copies of the index's header; `None` while
    /// another process writes them.
    fn end_of_log(&self) -> Option<([u32; 2], u32)> {
        let mut both = [0; 96];
        self.index.read_exact_at(&mut both, 0).ok()?;
        let (one, two) = both.split_at(48);
        if one != two {
            return None;
        }
        let word = |at: usize| [one[at], one[at + 1], one[at + 2], one[at + 3]];
        // The salts are kept as they are in the log, the rest as the machine has it.
        let salts = [u32::from_be_bytes(word(32)), u32::from_be_bytes(word(36))];
        Some((salts, u32::from_ne_bytes(word(16))))
    }
}
