//! What the gateway has seen since it started: counted with atomics, read as a snapshot.

use crate::codec::Reason;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A snapshot. `frames_read` = `accepted` + all of `rejected`; lines that are no frame stand in
/// `not_frames` only. `values_received` = `values_stored` + `duplicates` once everything is
/// committed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayCounters {
    /// Frames received, right or wrong (torn ones and oversized lines too).
    pub frames_read: u64,
    /// Lines that are no frame.
    pub not_frames: u64,
    /// Frames accepted.
    pub accepted: u64,
    /// Frames refused, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Devices that sent an accepted frame.
    pub devices: u64,
    /// Measured values in accepted frames.
    pub values_received: u64,
    /// Of these, values that were new (committed).
    pub values_stored: u64,
    /// Of these, values that were there already, equal (committed).
    pub duplicates: u64,
    /// Of the stored, values that replaced a different one.
    pub corrected: u64,
    /// States and running times of devices (`SB…-RS`, `SB…-RT`) received; not among the values.
    pub states_received: u64,
    /// Of these, new ones.
    pub states_stored: u64,
    /// Measurements whose value is no finite number; left out.
    pub non_numeric: u64,
    /// Attributes no edition has, or in commands that carry no measurements; left out.
    pub other_attributes: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// Accepted frames with a command nobody knows; answered, and kept raw.
    pub unknown_commands: u64,
    /// Frames dated further ahead than the limit for latest values.
    pub future_dated: u64,
    /// Acknowledgements and other answers sent.
    pub answers_sent: u64,
    /// Connections taken since the start.
    pub connections: u64,
    /// Connections turned away at a limit.
    pub connections_refused: u64,
    /// Connections closed for a reason of ours: `idle`, `slow_frame`, `slow_reader`, `overload`.
    pub closed: BTreeMap<String, u64>,
    /// Writes repeated because the engine was overloaded or failed.
    pub write_retries: u64,
}

/// Why the gateway closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// The other side closed it, or it broke.
    ByPeer,
    /// The program stops.
    Stopping,
    Idle,
    SlowFrame,
    SlowReader,
    Overload,
}

impl Closed {
    const COUNTED: [(Closed, &'static str); 4] = [
        (Closed::Idle, "idle"),
        (Closed::SlowFrame, "slow_frame"),
        (Closed::SlowReader, "slow_reader"),
        (Closed::Overload, "overload"),
    ];
}

#[derive(Default)]
pub(super) struct Counters {
    pub not_frames: AtomicU64,
    pub accepted: AtomicU64,
    rejected: [AtomicU64; Reason::ALL.len()],
    pub devices: AtomicU64,
    pub values_received: AtomicU64,
    pub values_stored: AtomicU64,
    pub duplicates: AtomicU64,
    pub corrected: AtomicU64,
    pub states_received: AtomicU64,
    pub states_stored: AtomicU64,
    pub non_numeric: AtomicU64,
    pub other_attributes: AtomicU64,
    pub heartbeats: AtomicU64,
    pub unknown_commands: AtomicU64,
    pub future_dated: AtomicU64,
    pub answers_sent: AtomicU64,
    pub connections: AtomicU64,
    pub connections_refused: AtomicU64,
    closed: [AtomicU64; Closed::COUNTED.len()],
    pub write_retries: AtomicU64,
}

impl Counters {
    pub fn reject(&self, reason: Reason) {
        match reason {
            Reason::NotAFrame => self.not_frames.fetch_add(1, Relaxed),
            reason => self.rejected[reason as usize].fetch_add(1, Relaxed),
        };
    }

    pub fn close(&self, why: Closed) {
        if let Some(i) = Closed::COUNTED.iter().position(|(c, _)| *c == why) {
            self.closed[i].fetch_add(1, Relaxed);
        }
    }

    pub fn snapshot(&self) -> GatewayCounters {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let rejected: BTreeMap<String, u64> = Reason::ALL
            .iter()
            .map(|reason| {
                (
                    reason.word().to_owned(),
                    get(&self.rejected[*reason as usize]),
                )
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        let closed = Closed::COUNTED.iter().zip(&self.closed);
        GatewayCounters {
            frames_read: get(&self.accepted) + rejected.values().sum::<u64>(),
            not_frames: get(&self.not_frames),
            accepted: get(&self.accepted),
            rejected,
            devices: get(&self.devices),
            values_received: get(&self.values_received),
            values_stored: get(&self.values_stored),
            duplicates: get(&self.duplicates),
            corrected: get(&self.corrected),
            states_received: get(&self.states_received),
            states_stored: get(&self.states_stored),
            non_numeric: get(&self.non_numeric),
            other_attributes: get(&self.other_attributes),
            heartbeats: get(&self.heartbeats),
            unknown_commands: get(&self.unknown_commands),
            future_dated: get(&self.future_dated),
            answers_sent: get(&self.answers_sent),
            connections: get(&self.connections),
            connections_refused: get(&self.connections_refused),
            closed: closed
                .map(|((_, word), count)| ((*word).to_owned(), get(count)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            write_retries: get(&self.write_retries),
        }
    }
}
