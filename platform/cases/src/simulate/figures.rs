//! Figures of two replays.

use super::hours::Hours;
use super::past::{Drawing, Past, PastCase};
use super::replay::{Played, Replayed};
use crate::bpmn::{NodeKind, TaskKind};
use crate::clock::{Calendar, Clock};
use kernel::cases::{
    Calibration, Figures, NodeFigures, NodeLoad, Simulation, Spread, Unplayed, Used,
    WORKING_DAY_MINUTES,
};
use kernel::time::MINUTE;
use kernel::{Time, Words};
use std::collections::BTreeMap;

/// Numbers of cases named with a reason.
const NUMBERS: usize = 5;
/// Reasons named, at most.
const REASONS: usize = 50;

/// Minutes of microseconds.
fn minutes(us: i64) -> f64 {
    us as f64 / MINUTE as f64
}

/// How values spread.
pub fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    if count == 0 {
        return Spread::default();
    }
    let rank = |tenths: usize| values[(count * tenths).div_ceil(10).max(1) - 1];
    Spread {
        count,
        mean: values.iter().sum::<f64>() / count as f64,
        p50: rank(5),
        p90: rank(9),
    }
}

fn in_days(spread: Spread) -> Spread {
    let day = WORKING_DAY_MINUTES as f64;
    Spread {
        count: spread.count,
        mean: spread.mean / day,
        p50: spread.p50 / day,
        p90: spread.p90 / day,
    }
}

/// Did a case that ended then keep what was promised?
fn kept(case: &PastCase, ended: Time, calendar: &Calendar) -> Option<bool> {
    let later = |pause: &&kernel::cases::Pause| pause.to.is_none_or(|to| to > case.started);
    let clock = Clock {
        started: case.started,
        limit: case.promised?,
        pauses: case.pauses.iter().filter(later).cloned().collect(),
    };
    Some(ended < clock.left(calendar, ended).due)
}

/// Figures of a replay, of the cases that are compared.
pub fn figures(
    past: &Past,
    replayed: &Replayed,
    compared: &[usize],
    what: &Simulation,
    hours: &Hours,
    calendar: &Calendar,
) -> Figures {
    let (mut took, mut waiting, mut work) = (vec![], vec![], vec![]);
    let (mut promised, mut within) = (0, 0);
    let mut waits: BTreeMap<&str, i64> = BTreeMap::new();
    for number in compared {
        let (case, played) = (&past.cases[*number], &replayed.cases[*number]);
        let Some(ended) = played.ended else { continue };
        took.push(minutes(hours.between(case.started, ended)));
        waiting.push(minutes(played.visits.iter().map(|visit| visit.1).sum()));
        work.push(minutes(played.visits.iter().map(|visit| visit.2).sum()));
        for (node, waited, _) in &played.visits {
            *waits.entry(node).or_default() += waited;
        }
        if let Some(kept) = kept(case, ended, calendar) {
            promised += 1;
            within += usize::from(kept);
        }
    }
    let most = waits.into_iter().filter(|(_, waited)| *waited > 0);
    // Of equals the first by name.
    let most = most.max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
    let minutes = spread(took);
    Figures {
        days: in_days(minutes),
        minutes,
        waiting: spread(waiting),
        work: spread(work),
        promised,
        within: (promised > 0).then(|| within as f64 / promised as f64),
        people: people(replayed, hours.between(what.from, what.to)),
        congested: most.map(|(node, _)| node.to_string()),
    }
}

fn people(replayed: &Replayed, period_us: i64) -> Vec<Used> {
    let people = replayed.people.iter();
    people
        .map(|people| {
            let all = i64::from(people.workers) * period_us;
            let share = people.busy_us as f64 / all as f64;
            Used {
                name: people.name.clone(),
                nodes: people.nodes.clone(),
                workers: people.workers,
                share: if all > 0 { share } else { 0.0 },
            }
        })
        .collect()
}

/// Tasks in both replays, in the order of the drawings: the changed one first.
pub fn by_node(
    past: &Past,
    changed: &Drawing,
    compared: &[usize],
    replays: (&Replayed, &Replayed),
) -> Vec<NodeFigures> {
    let mut rows: Vec<NodeFigures> = vec![];
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let drawings = std::iter::once((changed, true));
    let drawings = drawings.chain(past.drawings.iter().map(|drawing| (drawing, false)));
    for (drawing, is_changed) in drawings {
        let nodes = drawing.drawn().map_or(&[][..], |process| &process.nodes);
        for node in nodes {
            if !matches!(
                node.kind,
                NodeKind::Task(TaskKind::User(_) | TaskKind::Manual(_))
            ) {
                continue;
            }
            let place = *places.entry(node.id.clone()).or_insert(rows.len());
            if place == rows.len() {
                rows.push(NodeFigures {
                    node: node.id.clone(),
                    name: node.name.clone(),
                    ..NodeFigures::default()
                });
            }
            let load = Some(NodeLoad::default());
            if is_changed {
                rows[place].changed = load;
            } else {
                rows[place].baseline = load;
            }
        }
    }
    for (replayed, is_changed) in [(replays.0, false), (replays.1, true)] {
        let mut found: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); rows.len()];
        for number in compared {
            for (node, waited, worked) in &replayed.cases[*number].visits {
                if let Some(place) = places.get(node) {
                    found[*place].0.push(minutes(*waited));
                    found[*place].1.push(minutes(*worked));
                }
            }
        }
        for (row, (waiting, work)) in rows.iter_mut().zip(found) {
            let load = if is_changed {
                &mut row.changed
            } else {
                &mut row.baseline
            };
            if let Some(load) = load {
                *load = NodeLoad {
                    waiting: spread(waiting),
                    work: spread(work),
                };
            }
        }
    }
    rows
}

/// How near the baseline comes to what was.
pub fn calibration(past: &Past, baseline: &Replayed, hours: &Hours) -> Option<Calibration> {
    let (mut actual, mut replayed, mut differences) = (vec![], vec![], 0.0);
    for (case, played) in past.cases.iter().zip(&baseline.cases) {
        if let (Some(was), Some(is)) = (case.ended, played.ended) {
            let was = minutes(hours.between(case.started, was));
            let is = minutes(hours.between(case.started, is));
            differences += (was - is).abs();
            actual.push(was);
            replayed.push(is);
        }
    }
    if actual.is_empty() {
        return None;
    }
    let of_a_case = differences / actual.len() as f64;
    let (actual, replayed) = (spread(actual), spread(replayed));
    let error = if actual.mean > 0.0 {
        (replayed.mean - actual.mean) / actual.mean
    } else {
        replayed.mean.signum() * f64::from(replayed.mean > 0.0)
    };
    Some(Calibration {
        actual,
        replayed,
        error,
        of_a_case,
    })
}

/// Cases that could not be replayed, by reason, the most frequent first.
pub fn unplayed(past: &Past, baseline: &Replayed, changed: &Replayed) -> Vec<Unplayed> {
    let mut rows: BTreeMap<(bool, String), Unplayed> = BTreeMap::new();
    for (replayed, changed) in [(baseline, false), (changed, true)] {
        for (case, played) in past.cases.iter().zip(&replayed.cases) {
            let Some(reason) = reason(played) else {
                continue;
            };
            let row = rows.entry((changed, reason.en.clone()));
            let row = row.or_insert_with(|| Unplayed {
                reason: reason.clone(),
                changed,
                cases: 0,
                numbers: vec![],
            });
            row.cases += 1;
            if row.numbers.len() < NUMBERS {
                row.numbers.push(case.number.clone());
            }
        }
    }
    let mut rows: Vec<Unplayed> = rows.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.cases));
    rows.truncate(REASONS);
    rows
}

fn reason(played: &Played) -> Option<&Words> {
    played.reason.as_ref().filter(|_| played.ended.is_none())
}
