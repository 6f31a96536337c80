//! What is remembered of one judge and one thing, and the life every condition leads: calm,
//! pending (it holds, but not long enough yet), raised, and calm again.

use kernel::Span;
use kernel::alerts::Level;
use std::collections::VecDeque;

/// No instant: before all others.
pub(crate) const NEVER: i64 = i64::MIN;

/// The worst value is reported again once it has grown by this share.
const GROWTH: f64 = 0.1;

/// A jump is looked for among at most so many earlier values.
const WINDOW: usize = 128;

/// Where a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// It does not hold.
    Calm = 0,
    /// It holds, but not long enough yet.
    Pending = 1,
    /// It holds and was raised.
    Raised = 2,
}

/// What one value says of a condition.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    /// It holds.
    Holds {
        value: f64,
        limit: f64,
        /// Decides the level.
        ratio: f64,
        /// Orders values from bad to worse.
        badness: f64,
    },
    /// It neither holds nor is over: within the hysteresis.
    Between,
    /// It is over.
    Over,
}

/// What follows for the alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Raise,
    Worsen,
    End,
}

/// Memory of one judge about one thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// The resolved limit; NaN when there is none. Parts of a combination have their own.
    pub limit: f64,
    /// Limits are resolved anew when this is not the evaluator's generation.
    pub generation: u32,
    /// A timer of this state waits in the queue.
    pub queued: bool,
    pub phase: Phase,
    pub level: Level,
    /// Device time of the newest value taken.
    pub last: i64,
    /// Device time at which the condition began to hold.
    pub since: i64,
    /// The city's clock at that moment.
    pub began: i64,
    pub worst: f64,
    pub badness: f64,
    pub ratio: f64,
    /// The limit the worst value was compared with.
    pub against: f64,
    /// The worst value that was reported.
    pub reported: f64,
    pub memory: Memory,
}

/// What some tests remember besides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Memory {
    Nothing,
    /// A value seen again and again: since when (device time), how often.
    Run {
        value: f64,
        first: i64,
        count: u32,
    },
    /// Recent values.
    Window(VecDeque<(i64, f64)>),
    /// Latest of each part.
    Parts(Box<[PartState]>),
}

/// The latest of one part of a combined condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PartState {
    pub limit: f64,
    pub last: i64,
    pub holds: bool,
    pub value: f64,
    pub ratio: f64,
}

impl PartState {
    pub const UNSEEN: PartState = PartState {
        limit: f64::NAN,
        last: NEVER,
        holds: false,
        value: f64::NAN,
        ratio: 0.0,
    };
}

/// An instant on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Device time.
    pub time: i64,
    /// The city's clock.
    pub received: i64,
}

impl State {
    pub fn new(memory: Memory) -> State {
        State {
            limit: f64::NAN,
            generation: 0,
            queued: false,
            phase: Phase::Calm,
            level: Level::Blue,
            last: NEVER,
            since: NEVER,
            began: NEVER,
            worst: f64::NAN,
            badness: f64::NAN,
            ratio: 0.0,
            against: f64::NAN,
            reported: f64::NAN,
            memory,
        }
    }

    /// Moves on by a signal. The condition must hold for `hold` in device time from `start`.
    pub fn turn(
        &mut self,
        signal: Signal,
        at: Moment,
        start: i64,
        hold: Span,
        levels: &[(Level, f64)],
    ) -> Option<Turn> {
        let Signal::Holds {
            value,
            limit,
            ratio,
            badness,
        } = signal
        else {
            return self.turn_off(signal);
        };
        if self.phase == Phase::Calm {
            self.phase = Phase::Pending;
            self.since = start;
            self.began = at.received;
            self.badness = f64::NEG_INFINITY;
        }
        if badness >= self.badness {
            self.badness = badness;
            self.worst = value;
            self.ratio = ratio;
            self.against = limit;
        }
        if self.phase == Phase::Pending {
            return (at.time - self.since >= hold.0).then(|| self.raise(levels));
        }
        let level = level_of(levels, self.ratio).max(self.level);
        let grown = (self.worst - self.reported).abs() > GROWTH * self.reported.abs();
        if level > self.level || grown {
            self.level = level;
            self.reported = self.worst;
            return Some(Turn::Worsen);
        }
        None
    }

    fn turn_off(&mut self, signal: Signal) -> Option<Turn> {
        match (self.phase, signal) {
            (Phase::Raised, Signal::Over) => {
                self.phase = Phase::Calm;
                Some(Turn::End)
            }
            (Phase::Pending, _) => {
                self.phase = Phase::Calm;
                None
            }
            _ => None,
        }
    }

    /// From pending to raised.
    pub fn raise(&mut self, levels: &[(Level, f64)]) -> Turn {
        self.phase = Phase::Raised;
        self.level = level_of(levels, self.ratio);
        self.reported = self.worst;
        Turn::Raise
    }
}

/// The level for a ratio: the gravest whose ratio is reached, else the lightest.
pub(crate) fn level_of(levels: &[(Level, f64)], ratio: f64) -> Level {
    let reached = levels.iter().rev().find(|(_, from)| ratio >= *from);
    let chosen = reached.or_else(|| levels.first());
    chosen.map_or(Level::Blue, |(level, _)| *level)
}

/// Adds a value to the window of `over` and answers the earlier value it has jumped from most, as
/// (earlier, ratio of the jump to `by`), when the jump is large enough.
pub(crate) fn jump(
    window: &mut VecDeque<(i64, f64)>,
    time: i64,
    value: f64,
    over: Span,
    size: impl Fn(f64) -> f64,
) -> Option<(f64, f64)> {
    while window
        .front()
        .is_some_and(|(at, _)| time - at > over.0 || window.len() >= WINDOW)
    {
        window.pop_front();
    }
    if window.back().is_some_and(|(at, _)| *at == time) {
        window.pop_back(); // a correction replaces the value
    }
    let sizes = window.iter().map(|(_, earlier)| (*earlier, size(*earlier)));
    let largest = sizes.max_by(|a, b| a.1.total_cmp(&b.1));
    window.push_back((time, value));
    largest.filter(|(_, ratio)| *ratio >= 1.0)
}
