//! What is known: how a wait will go, where a case begins, why one that nothing moves did not end.

use super::super::past::{Did, Drawing, Outcome};
use super::{Live, Replay};
use crate::bpmn::{EventWhat, Moment, NodeIndex, NodeKind, Process};
use crate::machine::Awaited;
use kernel::Words;
use kernel::time::MINUTE;
use serde_json::Map;

/// Working minutes of a task nobody knows anything of.
pub const UNKNOWN_MINUTES: i64 = 60;

impl Replay<'_> {
    /// How a wait will go: as it did in this case, else as in another one, else as is said; `None`
    /// when nothing will come.
    pub(super) fn outcome(
        &mut self,
        case: usize,
        process: &Process,
        at: NodeIndex,
        visit: usize,
        what: &Awaited,
    ) -> Option<Outcome> {
        let node = &process.nodes[at];
        let learnt = self.set.learnt;
        let said = self.set.service.get(&node.id);
        let said = said.map(|minutes| (minutes * MINUTE as f64).round() as i64);
        let of = |(case, visit): (usize, usize)| {
            let list = learnt.own.get(case)?.get(&node.id)?;
            list.get(visit)?.clone()
        };
        let message = matches!(what, Awaited::Message { .. });
        let mut found = of((case, visit));
        if found.is_none() && !(message && optional(process, at)) {
            let all = learnt.all.get(&node.id).map_or(&[][..], Vec::as_slice);
            if !all.is_empty() {
                let chance = draw(self.set.seed, case, &node.id, visit);
                found = of(all[(chance % all.len() as u64) as usize]);
                *self.noted.drawn.entry(node.id.clone()).or_default() += 1;
            }
        }
        let person = *what == Awaited::Person;
        if let Some(found) = &mut found
            && matches!(what, Awaited::Service { .. } | Awaited::Call { .. })
        {
            let median = learnt.median.get(&node.id);
            found.took = median.copied().unwrap_or(found.took);
        }
        if found.is_none() && (!message || said.is_some()) {
            let took = if person { UNKNOWN_MINUTES * MINUTE } else { 0 };
            found = Some(Outcome {
                did: Did::Brought(Map::new()),
                took,
            });
            let unknown = &mut self.noted.unknown;
            unknown.insert(node.id.clone(), (person, said.is_some()));
        }
        let mut found = found?;
        found.took = said.unwrap_or(found.took).max(0);
        Some(found)
    }

    /// Why a token cannot go on: where, and not with which data, which are not the asker's to see.
    pub(super) fn stuck(&self, case: usize, at: Option<NodeIndex>) -> Words {
        let node = at.and_then(|at| Some(self.process(case)?.nodes.get(at)?.id.as_str()));
        let node = node.unwrap_or_default();
        let kind = at.and_then(|at| Some(&self.process(case)?.nodes.get(at)?.kind));
        if matches!(kind, Some(NodeKind::Parallel)) {
            return not_joined(node);
        }
        Words::new(
            format!("{node}：无法继续（表达式无法求值，或没有条件成立的出口）"),
            format!("{node}: cannot go on (an expression fails, or no way out holds)"),
        )
    }

    /// Why a case that nothing moves any more did not end.
    pub(super) fn waits_for(&self, case: usize, live: &Live) -> Words {
        let process = self.process(case);
        let wait = live.instance.waits.values().find(|wait| {
            let what = &wait.what;
            matches!(what, Awaited::Message { .. } | Awaited::Signal { .. }) && wait.token.is_some()
        });
        let wait = wait.or_else(|| live.instance.waits.values().next());
        let node = wait.and_then(|wait| Some(&process?.nodes.get(wait.node)?.id));
        match (node, wait.map(|wait| &wait.what)) {
            (Some(node), Some(Awaited::Message { name, .. } | Awaited::Signal { name })) => {
                Words::new(
                    format!("{node}：期间没有收到“{name}”"),
                    format!("{node}: \"{name}\" did not come in the period"),
                )
            }
            (Some(node), _) => Words::new(
                format!("{node}：等待的条件未出现"),
                format!("{node}: what it waits for did not happen"),
            ),
            (None, _) => {
                let joins = live.instance.tokens.values();
                let joins = joins.map(|token| token.node).next();
                let node = joins.and_then(|at| Some(process?.nodes.get(at)?.id.as_str()));
                not_joined(node.unwrap_or_default())
            }
        }
    }
}

fn not_joined(node: &str) -> Words {
    Words::new(
        format!("{node}：应汇合的分支未全部到达"),
        format!("{node}: not all branches that join there came"),
    )
}

/// May the case go on without this message? At a boundary, behind an event-based gateway, and at
/// the start of an event sub-process it may.
pub(super) fn optional(process: &Process, at: NodeIndex) -> bool {
    let node = &process.nodes[at];
    let on_the_way = !matches!(
        node.kind,
        NodeKind::Event {
            moment: Moment::Boundary { .. } | Moment::Start { .. },
            ..
        }
    );
    let behind_a_choice = node.incoming.iter().any(|flow| {
        let source = process.flows[*flow].source;
        matches!(process.nodes[source].kind, NodeKind::EventBased)
    });
    !on_the_way || behind_a_choice
}

/// Where a case begins: as the drawing says; when it has no plain start event, where it began
/// really, else at its first start event.
pub(super) fn start_of(process: &Process, began: Option<&str>) -> Option<NodeIndex> {
    let start = |at: &NodeIndex| {
        let node = &process.nodes[*at];
        let starts = matches!(
            node.kind,
            NodeKind::Event {
                moment: Moment::Start { .. },
                ..
            }
        );
        starts && node.parent.is_none()
    };
    let plain = |at: NodeIndex| {
        matches!(
            process.nodes[at].kind,
            NodeKind::Event {
                what: EventWhat::None,
                ..
            }
        )
    };
    let began = began.and_then(|id| process.find(id)).filter(start);
    if began.is_some_and(|at| !plain(at)) {
        return began;
    }
    let all: Vec<NodeIndex> = (0..process.nodes.len()).filter(start).collect();
    if all.is_empty() || all.iter().any(|at| plain(*at)) {
        return None;
    }
    all.first().copied()
}

/// Does a process give this signal itself?
pub(super) fn gives(drawing: &Drawing, name: &str) -> bool {
    let nodes = drawing.drawn().map_or(&[][..], |process| &process.nodes);
    nodes.iter().any(|node| match &node.kind {
        NodeKind::Event {
            moment: Moment::Throw | Moment::End,
            what: EventWhat::Signal(id),
        } => drawing
            .model
            .signals
            .get(id)
            .is_some_and(|s| s.name == name),
        _ => false,
    })
}

/// A number that looks like chance, made of the seed and what it is for (SplitMix64).
pub(super) fn draw(seed: u64, case: usize, node: &str, visit: usize) -> u64 {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    let mut mix = |value: u64| {
        state = (state ^ value).wrapping_add(0x9E37_79B9_7F4A_7C15);
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
    };
    mix(case as u64);
    mix(visit as u64);
    node.bytes().for_each(|byte| mix(u64::from(byte)));
    state
}
