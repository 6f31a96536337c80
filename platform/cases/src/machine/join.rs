//! Joining gateways.

use super::run::Run;
use super::state::{Id, Place};
use crate::bpmn::{FlowIndex, NodeIndex, NodeKind};
use std::collections::{BTreeMap, BTreeSet};

impl Run<'_> {
    /// Tokens that wait at a gateway, by the flow they came by.
    fn waiting_at(&self, node: NodeIndex, scope: Id) -> BTreeMap<FlowIndex, Id> {
        let mut by_flow = BTreeMap::new();
        for (id, token) in &self.instance.tokens {
            if let Place::Joining(flow) = token.place
                && token.node == node
                && token.scope == scope
            {
                by_flow.entry(flow).or_insert(*id);
            }
        }
        by_flow
    }

    /// A parallel gateway takes one token of every flow that leads to it, once all have one.
    pub(super) fn join_parallel(&mut self, node: NodeIndex, scope: Id) {
        let waiting = self.waiting_at(node, scope);
        if waiting.len() == self.node(node).incoming.len() {
            let joined: Vec<Id> = waiting.into_values().collect();
            self.join(&joined, node, scope);
        }
    }

    /// An inclusive gateway takes its tokens once no other can still come to it by a flow that has
    /// none (13.4.3: a token that can also come by a flow that has one is not waited for). Answers
    /// whether one of them went on.
    pub(super) fn join_inclusive(&mut self) -> bool {
        let places = self.instance.tokens.values().filter(|token| {
            matches!(token.place, Place::Joining(_))
                && matches!(self.node(token.node).kind, NodeKind::Inclusive)
        });
        let places: BTreeSet<(NodeIndex, Id)> =
            places.map(|token| (token.node, token.scope)).collect();
        for (node, scope) in places {
            let waiting = self.waiting_at(node, scope);
            let filled: BTreeSet<FlowIndex> = waiting.keys().copied().collect();
            let others = self.instance.tokens.values().filter(|token| {
                token.scope == scope
                    && !(token.node == node && matches!(token.place, Place::Joining(_)))
            });
            let awaited = others.into_iter().any(|token| {
                let reached = self.reached(token.node, node);
                let comes_empty = reached.iter().any(|flow| !filled.contains(flow));
                let comes_filled = reached.iter().any(|flow| filled.contains(flow));
                comes_empty && !comes_filled
            });
            if !awaited {
                let joined: Vec<Id> = waiting.into_values().collect();
                self.join(&joined, node, scope);
                return true;
            }
        }
        false
    }

    /// Flows into `gateway` that a token at `from` may come by without passing it.
    fn reached(&self, from: NodeIndex, gateway: NodeIndex) -> BTreeSet<FlowIndex> {
        let mut reached = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(at) = next.pop() {
            if !seen.insert(at) {
                continue;
            }
            let node = self.node(at);
            let boundary = node
                .boundary
                .iter()
                .flat_map(|event| &self.node(*event).outgoing);
            for flow in node.outgoing.iter().chain(boundary) {
                let target = self.process.flows[*flow].target;
                if target == gateway {
                    reached.insert(*flow);
                } else {
                    next.push(target);
                }
            }
        }
        reached
    }
}
