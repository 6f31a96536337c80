//! Stations that do not exist: they speak HJ 212 over real TCP like any other, in all three
//! editions, with acknowledgements, history on the first connection, and answers to the platform's
//! commands. Deterministic by seed. Used by the demonstration and for measuring.

mod pattern;
mod station;
mod stats;
mod words;

pub use stats::{Stats, StatsSnapshot};

use crate::codec::Edition;
use kernel::Clock;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a station watches; decides what it sends besides its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StationKind {
    /// Ambient air (ST 22).
    Air,
    /// Flue gas (ST 31): converted values and states of devices too.
    FlueGas,
    /// Waste water (ST 32): states of devices too.
    WasteWater,
    /// Noise (ST 23).
    Noise,
    /// Electricity use of production and treatment (ST 44 of 2025).
    Energy,
}

/// A factor and its course: `base` ± `amplitude` over the day, with `noise` on every reading.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimProperty {
    /// Code of 2017; a 2005 station sends the old code.
    pub code: String,
    /// Middle of the day's course, in the unit the station reports.
    pub base: f64,
    /// Largest swing around it.
    pub amplitude: f64,
    /// Largest deviation of one reading.
    pub noise: f64,
}

/// What is the matter with a station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    /// Nothing.
    #[default]
    Normal,
    /// Its pollutants are two and a half times too high.
    Exceeding,
    /// It delivers its history up to two hours ago and is never heard again.
    Offline,
    /// Its values stand still.
    Constant,
    /// It shows the values of another station (give it the same properties).
    CopyOf(String),
    /// Production (SB1) runs while treatment (SB2) is off; pollutants rise.
    TreatmentOff,
    /// Its clock began anew with the year 2000, until the platform sets it.
    WrongClock,
}

/// A station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SimStation {
    /// Identification.
    pub mn: String,
    /// System code, such as `22`.
    pub st: String,
    /// `2005`, `2017` or `2025`.
    #[serde(with = "words::edition")]
    pub edition: Edition,
    /// What it watches.
    pub kind: StationKind,
    /// Its factors.
    pub properties: Vec<SimProperty>,
    /// What is the matter with it.
    #[serde(default)]
    pub scenario: Scenario,
}

/// A run of the simulator.
#[derive(Clone, Debug)]
pub struct Options {
    /// The gateway.
    pub to: SocketAddr,
    /// The stations.
    pub stations: Vec<SimStation>,
    /// Real-time frames every so often.
    pub interval: Duration,
    /// Minutes of a minute frame: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30.
    pub minute_interval_min: u32,
    /// Hours of hourly history sent on the first connection, with minute data of the last two.
    pub backfill_hours: u32,
    /// Seed of all values.
    pub seed: u64,
    /// Stations connecting per second at the start, so that they do not come as one wave.
    pub connects_per_s: u32,
}

/// Runs all stations until `stop` becomes true (or its sender is gone). `clock` gives the time
/// of the data.
pub async fn run(
    clock: Arc<dyn Clock>,
    options: Options,
    stats: Arc<Stats>,
    mut stop: watch::Receiver<bool>,
) {
    let mut tasks = JoinSet::new();
    let pause = Duration::from_secs_f64(1.0 / f64::from(options.connects_per_s.max(1)));
    let options = Arc::new(options);
    for (number, _) in options.stations.iter().enumerate() {
        let delay = pause * u32::try_from(number).unwrap_or(u32::MAX);
        let station = station::Station::new(clock.clone(), options.clone(), number, stats.clone());
        tasks.spawn(async move {
            tokio::time::sleep(delay).await;
            station.live().await;
        });
    }
    // A closed channel means that nobody can stop the run any more: end it too.
    let _ = stop.wait_for(|stop| *stop).await;
    tasks.shutdown().await;
}
