//! Settings of the gateway, each with the value it has when nobody says otherwise.

use crate::codec::Key;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Settings. Every limit is finite unless its comment says that 0 lifts it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: String,
    /// Open connections at most; further ones are closed at once and counted.
    pub max_connections: usize,
    /// Open connections from one address at most; 0 lifts the limit.
    pub max_connections_per_address: usize,
    /// Devices known at most.
    pub max_devices: usize,
    /// Longest frame or line, in bytes.
    pub max_line_bytes: usize,
    /// Frames per second read from one connection; beyond it reading pauses, nothing is dropped.
    /// 0 lifts the limit.
    pub frames_per_s: u32,
    /// A connection that sends nothing for so long is closed (half-open connections too).
    pub idle_time_out_s: u64,
    /// A frame must be complete so long after its first byte, or the connection is closed.
    pub frame_time_out_s: u64,
    /// A station must take an answer within so long, or the connection is closed.
    pub write_time_out_s: u64,
    /// Batches of one connection that may wait for the disk at once; then reading pauses.
    pub batches_in_flight: usize,
    /// Memory for batches that wait for the disk, all connections together, in MiB.
    pub in_flight_mib: usize,
    /// An overloaded engine is asked again for so long; then the connection is closed, and the
    /// station sends again what was not acknowledged.
    pub overload_patience_s: u64,
    /// Answer a wrong check value with QnRtn=9 instead of dropping it.
    pub answer_wrong_check: bool,
    /// Set the clock of a station that wishes it (CN 1013).
    pub answer_time_wish: bool,
    /// Time to wait for the answer to a command (OverTime of HJ 212, 10 s on ordinary lines).
    pub command_time_out_s: u64,
    /// Times a command is sent again (ReCount).
    pub command_retries: u32,
    /// Time to wait for the result after a command was accepted or sent data.
    pub execution_time_out_s: u64,
    /// Stations (MN) that send the end of a period as DataTime instead of its start.
    pub period_end: BTreeSet<String>,
    /// Length of the stations' minute period, in minutes; needed for `period_end`.
    pub minute_interval_min: u32,
    /// SM4 keys of stations (MN): 16 characters or 32 hexadecimal digits.
    pub keys: BTreeMap<String, String>,
    /// A clock further off than this is noted as wrong.
    pub clock_tolerance_s: u32,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: "0.0.0.0:9212".into(),
            max_connections: 12_000,
            max_connections_per_address: 0,
            max_devices: 100_000,
            max_line_bytes: 4096,
            frames_per_s: 5_000,
            idle_time_out_s: 30 * 60,
            frame_time_out_s: 60,
            write_time_out_s: 10,
            batches_in_flight: 8,
            in_flight_mib: 128,
            overload_patience_s: 60,
            answer_wrong_check: false,
            answer_time_wish: true,
            command_time_out_s: 10,
            command_retries: 3,
            execution_time_out_s: 60,
            period_end: BTreeSet::new(),
            minute_interval_min: 10,
            keys: BTreeMap::new(),
            clock_tolerance_s: 120,
        }
    }
}

impl Config {
    /// The keys, or the first station whose key is none.
    pub(super) fn parsed_keys(&self) -> Result<BTreeMap<String, Key>, String> {
        let parse = |(mn, text): (&String, &String)| {
            let key = Key::parse(text).ok_or_else(|| mn.clone())?;
            Ok((mn.clone(), key))
        };
        self.keys.iter().map(parse).collect()
    }
}
