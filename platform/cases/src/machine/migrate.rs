//! Migration: the state of an instance carried over to another version of its drawing. Pure, so that
//! a dry run and the run are the same.
//!
//! What is waited for stays as it was evaluated; boundary events that only the new drawing has are
//! waited for from the next time their activity is entered.

use super::state::{Done, Instance, Place};
use crate::bpmn::{FlowIndex, NodeIndex, NodeKind, Process};
use kernel::{Problem, Words};
use std::collections::BTreeMap;
use std::mem::discriminant;

struct Carrier<'a> {
    from: &'a Process,
    to: &'a Process,
    mapping: &'a BTreeMap<String, String>,
    problems: BTreeMap<String, Words>,
}

/// Carries an instance over. `mapping` names nodes that have another identification in the new
/// drawing; all others keep theirs. Every node in use that has no fitting one is named: it must be of
/// the same kind, in the same sub-process, and repeated if it was.
pub fn migrate(
    instance: &Instance,
    from: &Process,
    to: &Process,
    mapping: &BTreeMap<String, String>,
) -> Result<Instance, Vec<Problem>> {
    let mut carrier = Carrier {
        from,
        to,
        mapping,
        problems: BTreeMap::new(),
    };
    let mut carried = instance.clone();
    for token in carried.tokens.values_mut() {
        token.node = carrier.node(token.node);
        match &mut token.place {
            Place::Joining(flow) => *flow = carrier.flow(*flow),
            Place::Undoing(done) => done.iter_mut().for_each(|done| carrier.done(done)),
            Place::Arriving | Place::Waiting | Place::Inside | Place::Stuck { .. } => {}
        }
    }
    for wait in carried.waits.values_mut() {
        wait.node = carrier.node(wait.node);
    }
    for scope in carried.scopes.values_mut() {
        scope.node = scope.node.map(|node| carrier.node(node));
        scope.done.iter_mut().for_each(|done| carrier.done(done));
    }
    if carrier.problems.is_empty() {
        return Ok(carried);
    }
    let problems = carrier.problems.into_iter();
    Err(problems.map(|(at, words)| Problem { at, words }).collect())
}

impl Carrier<'_> {
    fn wrong(&mut self, at: &str, zh: String, en: String) {
        self.problems.insert(at.into(), Words::new(zh, en));
    }

    /// The node of the new drawing; 0 and a problem when there is none.
    fn node(&mut self, node: NodeIndex) -> NodeIndex {
        let Some(old) = self.from.nodes.get(node) else {
            return 0;
        };
        let id = self.mapping.get(&old.id).unwrap_or(&old.id);
        let Some(found) = self.to.find(id) else {
            self.wrong(
                &old.id,
                format!("新版中没有节点“{id}”，请指定对应节点"),
                format!("the new version has no node \"{id}\"; say which one takes its place"),
            );
            return 0;
        };
        let new = &self.to.nodes[found];
        let same_kind = match (&old.kind, &new.kind) {
            (NodeKind::Task(a), NodeKind::Task(b)) => discriminant(a) == discriminant(b),
            (
                NodeKind::Event {
                    moment: a,
                    what: what_a,
                },
                NodeKind::Event {
                    moment: b,
                    what: what_b,
                },
            ) => discriminant(a) == discriminant(b) && discriminant(what_a) == discriminant(what_b),
            (a, b) => discriminant(a) == discriminant(b),
        };
        let parent = |process: &Process, at: Option<NodeIndex>| {
            at.and_then(|at| process.nodes.get(at))
                .map(|n| n.id.clone())
        };
        let around = parent(self.from, old.parent);
        let around = around.map(|id| self.mapping.get(&id).cloned().unwrap_or(id));
        if !same_kind {
            self.wrong(
                &old.id,
                format!("新版中的“{id}”类型不同"),
                format!("\"{id}\" is of another kind in the new version"),
            );
        } else if around != parent(self.to, new.parent) {
            self.wrong(
                &old.id,
                format!("新版中的“{id}”在另一层子流程中"),
                format!("\"{id}\" is in another sub-process in the new version"),
            );
        } else if old.repeats.is_some() != new.repeats.is_some() {
            self.wrong(
                &old.id,
                format!("“{id}”只在其中一版是多实例"),
                format!("\"{id}\" is repeated in one of the versions only"),
            );
        }
        found
    }

    /// The flow of the new drawing a token came by: of the same identification, else between the
    /// same nodes.
    fn flow(&mut self, flow: FlowIndex) -> FlowIndex {
        let Some(old) = self.from.flows.get(flow) else {
            return 0;
        };
        let named = self.to.flows.iter().position(|f| f.id == old.id);
        if let Some(found) = named {
            return found;
        }
        let id = old.id.clone();
        let (source, target) = (self.node(old.source), self.node(old.target));
        let between = |f: &crate::bpmn::Flow| f.source == source && f.target == target;
        let found = self.to.flows.iter().position(between);
        if found.is_none() {
            self.wrong(
                &id,
                format!("新版中没有对应的连线“{id}”"),
                format!("the new version has no flow in place of \"{id}\""),
            );
        }
        found.unwrap_or(0)
    }

    fn done(&mut self, done: &mut Done) {
        done.node = self.node(done.node);
        for within in &mut done.within {
            self.done(within);
        }
    }
}
