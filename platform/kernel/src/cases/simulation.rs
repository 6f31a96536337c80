//! Simulation: the arrivals of a past period once more, through a process as it is and as it might
//! be. Nothing that lives is touched; what is not known is said.

use crate::fault::Words;
use crate::time::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Days of a period that is replayed, at most.
pub const SIMULATED_DAYS: i64 = 92;
/// Cases that are replayed, at most; also how many when nobody says.
pub const SIMULATED_CASES: usize = 10_000;
/// Minutes of a working day: 9:00 to 12:00 and 13:30 to 17:30 in Beijing.
pub const WORKING_DAY_MINUTES: i64 = 420;

/// What is to be replayed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// Process whose cases arrived.
    pub process: String,
    /// Version they are to go through instead; the newest when neither this nor a drawing is given.
    #[serde(default)]
    pub version: Option<i64>,
    /// A BPMN file with a drawing of the process that is not published; not together with `version`.
    #[serde(default)]
    pub xml: Option<String>,
    /// Cases that began from then on …
    pub from: Time,
    /// … and before then; not in the future, [`SIMULATED_DAYS`] later at most.
    pub to: Time,
    /// Workers there are to be, by role or by node of a task (the node goes before the role), 1 to
    /// 10,000. Where none is said: as many as different people did such tasks in the period.
    #[serde(default)]
    pub capacity: BTreeMap<String, u32>,
    /// Working minutes a task is to take, by node, 0 to 100,000; minutes until an answer at a node
    /// where something else than a person is waited for. Where none is said: what it took.
    #[serde(default)]
    pub service: BTreeMap<String, f64>,
    /// The same seed gives the same answer.
    #[serde(default)]
    pub seed: u64,
    /// Cases at most, the first of the period; [`SIMULATED_CASES`] when 0.
    #[serde(default)]
    pub limit: usize,
}

/// How values spread. Percentiles are values that came up (nearest rank).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// How many there are; with none the others are 0.
    pub count: usize,
    /// Mean.
    pub mean: f64,
    /// Half are not larger.
    pub p50: f64,
    /// Nine of ten are not larger.
    pub p90: f64,
}

/// People who do the same tasks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Used {
    /// Role, roles joined by commas, or node of the only task.
    pub name: String,
    /// Nodes of the tasks they do.
    pub nodes: Vec<String>,
    /// How many they are.
    pub workers: u32,
    /// Share of their working time of the period spent at work, 0 to 1.
    pub share: f64,
}

/// What a replay came to. Of those cases only that both replays brought to an end, so that the two
/// speak of the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// From beginning to end, in working minutes.
    pub minutes: Spread,
    /// The same in working days of [`WORKING_DAY_MINUTES`].
    pub days: Spread,
    /// Working minutes of a case spent waiting for people, summed over its tasks.
    pub waiting: Spread,
    /// Working minutes of a case people worked at it.
    pub work: Spread,
    /// Cases with a promised limit.
    pub promised: usize,
    /// Share of them that ended within it, 0 to 1; `None` without any.
    pub within: Option<f64>,
    /// People.
    pub people: Vec<Used>,
    /// Node at which cases wait most, all waits together; `None` when nothing waits.
    pub congested: Option<String>,
}

/// A task in a replay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeLoad {
    /// Working minutes from its opening until somebody began.
    pub waiting: Spread,
    /// Working minutes it took then.
    pub work: Spread,
}

/// A task in both replays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeFigures {
    /// Node.
    pub node: String,
    /// Its name.
    pub name: String,
    /// As it is; `None` when it is not drawn there.
    pub baseline: Option<NodeLoad>,
    /// As it would be; likewise.
    pub changed: Option<NodeLoad>,
}

/// How near the replay of what is came to what was: of cases that have ended really and in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Working minutes they took.
    pub actual: Spread,
    /// Working minutes of the replay.
    pub replayed: Spread,
    /// (mean replayed − mean actual) / mean actual; 0 when both are nothing.
    pub error: f64,
    /// Mean difference of a case, its sign aside, in working minutes.
    pub of_a_case: f64,
}

/// Cases that could not be replayed, for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unplayed {
    /// Why.
    pub reason: Words,
    /// In the replay of the changed process; else in that of the process as it is.
    pub changed: bool,
    /// How many.
    pub cases: usize,
    /// Numbers of some, 5 at most.
    pub numbers: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Simulated {
    /// Cases that began in the period.
    pub arrivals: usize,
    /// Of them replayed to their end in both: those the figures speak of.
    pub compared: usize,
    /// The replay through the versions the cases ran on, with the people and times of then.
    pub baseline: Figures,
    /// The replay through the changed process.
    pub changed: Figures,
    /// Tasks, in the order of the drawings.
    pub by_node: Vec<NodeFigures>,
    /// How far the baseline is to be believed; `None` when no case has ended.
    pub calibration: Option<Calibration>,
    /// Cases that could not be replayed.
    pub unplayed: Vec<Unplayed>,
    /// Everything that was assumed because it is not known.
    pub assumptions: Vec<Words>,
}
