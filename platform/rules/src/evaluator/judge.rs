//! The tests themselves: from a value to a signal.

use super::compile::{Bound, Judge, Test};
use super::state::{Memory, Moment, NEVER, PartState, Signal, State, Turn, jump};
use crate::facts::{Records, as_text};
use kernel::alerts::Level;
use kernel::declare::{Amount, CityPack, Comparison, Limit, RuleDecl, Schedule};
use kernel::observations::Period;
use kernel::time::{BEIJING_OFFSET, DAY, MINUTE};
use kernel::{Span, Time};

/// An older row is taken nevertheless when the newest one is dated this far ahead of its
/// reception: then it was the newest that came from a wrong clock.
const WRONG_CLOCK: i64 = 2 * MINUTE;

/// The memory a test starts with.
pub(crate) fn fresh(test: &Test) -> State {
    State::new(match test {
        Test::Threshold(_) => Memory::Nothing,
        Test::Constant { .. } => Memory::Run {
            value: f64::NAN,
            first: NEVER,
            count: 0,
        },
        Test::Change { .. } => Memory::Window(Default::default()),
        Test::All { parts, .. } => Memory::Parts(vec![PartState::UNSEEN; parts.len()].into()),
    })
}

/// The limit of a bound for a thing; NaN when there is none.
pub(crate) fn resolve(
    bound: &Bound,
    rule: &RuleDecl,
    thing: &str,
    records: &Records,
    city: &CityPack,
) -> f64 {
    let found = match &bound.limit {
        Limit::Number(number) => Some(*number),
        Limit::Record {
            register,
            key,
            field,
            or,
        } => {
            let key = key
                .replace("{thing}", thing)
                .replace("{property}", &bound.property)
                .replace("{kind}", &bound.kind.to_string());
            let known = records.get(register, &key);
            let number = known.and_then(|k| k.fields.get(field)?.as_f64());
            number.or(*or)
        }
        Limit::Threshold { class_field } => records
            .get(&rule.about, thing)
            .and_then(|known| known.fields.get(class_field))
            .and_then(|class| city.threshold(&as_text(class), &bound.property)),
    };
    found.unwrap_or(f64::NAN)
}

/// Resolves every limit of a judge into its state.
pub(crate) fn resolve_all(
    judge: &Judge,
    state: &mut State,
    rule: &RuleDecl,
    thing: &str,
    records: &Records,
    city: &CityPack,
) {
    match (&judge.test, &mut state.memory) {
        (Test::Threshold(bound), _) => state.limit = resolve(bound, rule, thing, records, city),
        (Test::All { parts, .. }, Memory::Parts(states)) => {
            for (bound, part) in parts.iter().zip(states.iter_mut()) {
                part.limit = resolve(bound, rule, thing, records, city);
            }
        }
        _ => {}
    }
}

/// Judges one valid value.
pub(crate) fn take(
    judge: &Judge,
    part: u32,
    state: &mut State,
    at: Moment,
    value: f64,
    levels: &[(Level, f64)],
) -> Option<Turn> {
    if let Test::All { parts, .. } = &judge.test {
        take_part(parts, part as usize, state, at, value);
        return None; // concluded when the whole row has been taken
    }
    if at.time < state.last && state.last <= at.received + WRONG_CLOCK {
        return None;
    }
    let again = at.time == state.last;
    state.last = at.time;
    match (&judge.test, &mut state.memory) {
        (Test::Threshold(bound), _) => {
            let raised = state.phase == super::state::Phase::Raised;
            let signal = compare(bound, state.limit, raised, at.time, value);
            state.turn(signal, at, at.time, bound.hold, levels)
        }
        (
            Test::Constant { hold, at_least },
            Memory::Run {
                value: same,
                first,
                count,
            },
        ) => {
            if *same != value {
                (*same, *first, *count) = (value, at.time, 1);
            } else if !again {
                *count = count.saturating_add(1);
            }
            let (first, count) = (*first, *count);
            let lasted = at.time - first;
            let holds = value != 0.0 && count >= *at_least && lasted >= hold.0;
            let signal = match holds {
                true => Signal::Holds {
                    value,
                    limit: f64::NAN,
                    ratio: lasted as f64 / hold.0.max(1) as f64,
                    badness: lasted as f64,
                },
                false => Signal::Over,
            };
            state.turn(signal, at, first, Span(0), levels)
        }
        (Test::Change { over, by }, Memory::Window(window)) => {
            let by = *by;
            let size = |earlier: f64| match by {
                Amount::Absolute(amount) => (value - earlier).abs() / amount,
                Amount::Share(_) if earlier == 0.0 => 0.0,
                Amount::Share(share) => (value - earlier).abs() / (earlier.abs() * share),
            };
            let signal = match jump(window, at.time, value, *over, size) {
                Some((earlier, ratio)) => Signal::Holds {
                    value,
                    limit: earlier,
                    ratio,
                    badness: ratio,
                },
                None => Signal::Over,
            };
            state.turn(signal, at, at.time, Span(0), levels)
        }
        _ => None,
    }
}

/// Takes a value into its part of a combined condition.
fn take_part(parts: &[Bound], part: usize, state: &mut State, at: Moment, value: f64) {
    let Memory::Parts(states) = &mut state.memory else {
        return;
    };
    let (Some(bound), Some(seen)) = (parts.get(part), states.get_mut(part)) else {
        return;
    };
    if at.time < seen.last && seen.last <= at.received + WRONG_CLOCK {
        return;
    }
    seen.last = at.time;
    seen.value = value;
    match compare(bound, seen.limit, seen.holds, at.time, value) {
        Signal::Holds { ratio, .. } => (seen.holds, seen.ratio) = (true, ratio),
        Signal::Between => {}
        Signal::Over => seen.holds = false,
    }
}

/// Judges a combined condition by the latest values of its parts, after a whole row: the values
/// of a moment belong together.
pub(crate) fn conclude(
    judge: &Judge,
    state: &mut State,
    received: i64,
    levels: &[(Level, f64)],
) -> Option<Turn> {
    let (Test::All { parts, hold }, Memory::Parts(states)) = (&judge.test, &state.memory) else {
        return None;
    };
    // The newest value of any part is the present of the whole.
    let time = states.iter().map(|seen| seen.last).max()?;
    let fresh = |(bound, seen): (&Bound, &PartState)| {
        seen.last != NEVER && time - seen.last <= speaks_for(bound.kind.period).0
    };
    let together = parts.iter().zip(states.iter()).all(fresh) && states.iter().all(|s| s.holds);
    let first = states.first().copied().unwrap_or(PartState::UNSEEN);
    let signal = match together {
        true => Signal::Holds {
            value: first.value,
            limit: first.limit,
            ratio: first.ratio,
            badness: first.ratio,
        },
        false => Signal::Over,
    };
    let at = Moment { time, received };
    state.last = time;
    state.turn(signal, at, time, *hold, levels)
}

/// How long the latest value of a part speaks for its series when others go on.
fn speaks_for(period: Period) -> Span {
    match period {
        Period::RealTime => Span::minutes(15),
        Period::Minute => Span::hours(1),
        Period::Hour => Span::hours(3),
        Period::Day => Span::days(2),
    }
}

/// Compares a value with a limit; `holding` makes the hysteresis count.
fn compare(bound: &Bound, limit: f64, holding: bool, time: i64, value: f64) -> Signal {
    if limit.is_nan() || bound.schedule.is_some_and(|s| !within(s, time)) {
        return Signal::Over;
    }
    let beyond = match bound.comparison {
        Comparison::Above => value - limit,
        Comparison::Below => limit - value,
    };
    if beyond > 0.0 {
        let (over, under) = match bound.comparison {
            Comparison::Above => (value, limit),
            Comparison::Below => (limit, value),
        };
        // A ratio says something between positive numbers only.
        let ratio = match (over > 0.0, under > 0.0) {
            (true, true) => over / under,
            (true, false) => f64::INFINITY,
            _ => 1.0,
        };
        return Signal::Holds {
            value,
            limit,
            ratio,
            badness: beyond,
        };
    }
    let margin = bound.hysteresis * limit.abs();
    if holding && margin > 0.0 && beyond > -margin {
        return Signal::Between;
    }
    Signal::Over
}

/// Whether an instant lies in the hours of a schedule.
pub(crate) fn within(schedule: Schedule, time: i64) -> bool {
    let minute = ((time + BEIJING_OFFSET).rem_euclid(DAY) / MINUTE) as u16;
    if schedule.from <= schedule.to {
        (schedule.from..schedule.to).contains(&minute)
    } else {
        minute >= schedule.from || minute < schedule.to
    }
}

/// A pending condition whose hold has passed on the city's clock while its value is still the
/// newest: when it is raised, and whether its hours allow it.
pub(crate) fn due(judge: &Judge, state: &State) -> (Time, bool) {
    let (hold, schedule) = match &judge.test {
        Test::Threshold(bound) => (bound.hold, bound.schedule),
        Test::All { hold, .. } => (*hold, None),
        _ => (Span(0), None),
    };
    let allowed = schedule.is_none_or(|s| within(s, state.since.saturating_add(hold.0)));
    (Time(state.began) + hold, allowed)
}
