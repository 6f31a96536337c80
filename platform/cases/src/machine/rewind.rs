//! Going back: a token returns to a node that was passed. What was done after that node is taken
//! back with it, wherever it runs by now; what other branches did beside it stands, so that a join
//! passed since is not waited at for ever.
//!
//! BPMN knows no such step. What is "after" a node is read off the drawing: what its flows and
//! boundary events lead to. In a circle that is every node of it, so ways that come round to a node
//! all ways to the target lead through anyway are not followed, unless the token came round itself.

use super::Effect;
use super::run::{Run, over};
use super::state::{Id, Place, Scope};
use crate::bpmn::{Moment, Node, NodeIndex, NodeKind, Process};
use kernel::Fault;
use petgraph::algo::dominators::simple_fast;
use petgraph::graph::{DiGraph, NodeIndex as At};
use std::collections::BTreeSet;

type Nodes = BTreeSet<NodeIndex>;

/// Does `to` lead to `from`, so that going there is going back? A node of a sub-process leads where
/// its sub-process does.
pub fn leads(process: &Process, to: NodeIndex, from: NodeIndex) -> bool {
    let (to_chain, from_chain) = (chain(process, to), chain(process, from));
    // The innermost scope both are in, and what stands in it for each.
    let parent = |at: &NodeIndex| process.nodes.get(*at).and_then(|node| node.parent);
    to_chain.iter().any(|to| {
        from_chain.iter().any(|from| {
            parent(to) == parent(from) && reach(process, *to, &|_| false).contains(from)
        })
    })
}

/// A node and the sub-processes around it, the innermost first.
fn chain(process: &Process, node: NodeIndex) -> Vec<NodeIndex> {
    let around = |at: &NodeIndex| process.nodes.get(*at).and_then(|node| node.parent);
    std::iter::successors(Some(node), around).collect()
}

/// Where one gets from a node in one step.
fn next(process: &Process, node: NodeIndex) -> impl Iterator<Item = NodeIndex> {
    let node = &process.nodes[node];
    let flows = node.outgoing.iter();
    let targets = flows.map(|flow| process.flows[*flow].target);
    targets.chain(node.boundary.iter().copied())
}

/// What a node leads to; itself only when it comes round. Nodes that are closed are not entered.
fn reach(process: &Process, from: NodeIndex, closed: &dyn Fn(NodeIndex) -> bool) -> Nodes {
    let mut reached = Nodes::new();
    let mut open: Vec<NodeIndex> = vec![from];
    while let Some(at) = open.pop() {
        for target in next(process, at) {
            if !closed(target) && reached.insert(target) {
                open.push(target);
            }
        }
    }
    reached
}

/// Nodes of the same scope that every way to `node` leads through, itself not among them.
fn before(process: &Process, node: NodeIndex) -> Nodes {
    let home = process.nodes[node].parent;
    let mut graph = DiGraph::<(), ()>::new();
    let points: Vec<At> = process.nodes.iter().map(|_| graph.add_node(())).collect();
    let root = graph.add_node(());
    for entry in process.entries(home) {
        graph.add_edge(root, points[entry], ());
    }
    for (at, _) in process.within(home) {
        for target in next(process, at) {
            graph.add_edge(points[at], points[target], ());
        }
    }
    let dominators = simple_fast(&graph, root);
    let above = dominators.strict_dominators(points[node]);
    let above = above.into_iter().flatten().map(|point| point.index());
    above.filter(|at| *at < process.nodes.len()).collect()
}

fn enterable(node: &Node) -> bool {
    !matches!(
        node.kind,
        NodeKind::Event {
            moment: Moment::Boundary { .. } | Moment::Start { .. },
            ..
        } | NodeKind::SubProcess { by_event: true }
    )
}

fn elsewhere() -> Fault {
    Fault::invalid_at(
        "to",
        "不能转到该节点（须与当前环节同属一个流程，且不在多实例或事件子流程内）",
        "that node cannot be gone to from here; not into a repeated or event sub-process",
    )
}

impl Run<'_> {
    /// Takes a token elsewhere. Back to a node that was passed, what came after that is taken back;
    /// anywhere else, only the token goes.
    pub(super) fn lead(&mut self, token: Id, to: NodeIndex) -> Result<(), Fault> {
        let process = self.process;
        let found = self.instance.tokens.get(&token).cloned().ok_or_else(over)?;
        if !process.nodes.get(to).is_some_and(enterable) || process.is_compensation(found.node) {
            return Err(elsewhere());
        }
        let path = chain(process, to);
        let (token, scope) = self.climb(token, found.scope, &path)?;
        let from = self.node_of(token);
        let here = self.node(from).parent;
        let level = path.iter().position(|at| self.node(*at).parent == here);
        let level = level.ok_or_else(elsewhere)?;
        let mut inward = path[..=level].to_vec();
        let Some(target) = inward.pop() else {
            return Err(elsewhere());
        };
        if !inward.is_empty() && from != target {
            // Into a sub-process: all around it can be entered only as a whole.
            self.may_enter(target, &inward)?;
        }
        self.take_back(token, scope, target);
        self.cancel(token);
        inward.reverse();
        if inward.is_empty() {
            self.put(target, scope);
        } else {
            self.put_within(target, &inward, scope)?;
        }
        Ok(())
    }

    /// The token of the innermost activity around one that is in a scope which the path knows. A
    /// turn of a repeated activity belongs to the others of it: the whole goes.
    fn climb(&self, mut token: Id, mut scope: Id, path: &[NodeIndex]) -> Result<(Id, Id), Fault> {
        loop {
            (token, scope) = self.outermost_turn(token, scope);
            let here = self.node(self.node_of(token)).parent;
            if path.iter().any(|at| self.node(*at).parent == here) {
                return Ok((token, scope));
            }
            let host = self.instance.scopes.get(&scope).and_then(|s| s.host);
            token = host.ok_or_else(elsewhere)?;
            scope = self.scope_of(token);
        }
    }

    fn may_enter(&self, target: NodeIndex, inward: &[NodeIndex]) -> Result<(), Fault> {
        let subprocesses = inward.iter().skip(1).chain([&target]);
        for at in subprocesses {
            let node = self.node(*at);
            let plain = matches!(node.kind, NodeKind::SubProcess { by_event: false });
            if !plain || node.repeats.is_some() {
                return Err(elsewhere());
            }
        }
        Ok(())
    }

    /// Takes back what came after a node in a scope, `token` excepted, and lets stand at the joins
    /// it passed since what came there from elsewhere.
    fn take_back(&mut self, token: Id, scope: Id, target: NodeIndex) {
        let process = self.process;
        let from = self.node_of(token);
        let whole = reach(process, target, &|_| false);
        if !whole.contains(&from) {
            return;
        }
        let before = before(process, target);
        let straight = reach(process, target, &|at| before.contains(&at));
        let after = if straight.contains(&from) {
            straight
        } else {
            whole
        };
        for other in self.tokens_in(scope) {
            let Some(found) = self.instance.tokens.get(&other) else {
                continue;
            };
            let gone = match found.place {
                Place::Joining(flow) => {
                    let source = process.flows[flow].source;
                    source == target || after.contains(&source)
                }
                _ => after.contains(&found.node),
            };
            if gone && other != token {
                self.cancel(other);
            }
        }
        let passed = |join: &NodeIndex| {
            reach(process, *join, &|at| at == target).contains(&from) && *join != from
        };
        let joins: Vec<NodeIndex> = after.into_iter().filter(passed).collect();
        self.let_stand(&joins, target, scope, Some(token));
    }

    /// At parallel joins after `target`, a token for every flow that does not come from it and by
    /// which nothing can come any more.
    fn let_stand(&mut self, joins: &[NodeIndex], target: NodeIndex, scope: Id, but: Option<Id>) {
        let process = self.process;
        for join in joins.iter().copied() {
            let node = self.node(join);
            if node.incoming.len() < 2 || !matches!(node.kind, NodeKind::Parallel) {
                continue;
            }
            let mut coming = reach(process, target, &|at| at == join);
            coming.insert(target);
            for other in self.tokens_in(scope) {
                let Some(found) = self
                    .instance
                    .tokens
                    .get(&other)
                    .filter(|_| but != Some(other))
                else {
                    continue;
                };
                if !(found.node == join && matches!(found.place, Place::Joining(_))) {
                    coming.extend(reach(process, found.node, &|at| at == join));
                    coming.insert(found.node);
                }
            }
            for flow in node.incoming.iter().copied() {
                let there = self.instance.tokens.values().any(|token| {
                    token.scope == scope
                        && token.node == join
                        && token.place == Place::Joining(flow)
                });
                if !there && !coming.contains(&process.flows[flow].source) {
                    self.put_joining(flow, scope);
                }
            }
        }
    }

    /// Enters sub-processes from the outside in, and in the last of them a node instead of its
    /// start. Everything in them was done once: joins after the node wait for nothing else.
    fn put_within(
        &mut self,
        target: NodeIndex,
        inward: &[NodeIndex],
        mut scope: Id,
    ) -> Result<(), Fault> {
        let mut at = target;
        for inner in inward.iter().copied() {
            let host = self.instance.number();
            let token = super::Token {
                node: at,
                scope,
                place: Place::Inside,
            };
            self.instance.tokens.insert(host, token);
            self.effects.push(Effect::Entered {
                node: at,
                token: host,
            });
            self.open_boundary(host)
                .map_err(|words| Fault::invalid_at("to", words.zh, words.en))?;
            let opened = self.instance.number();
            let within = Scope {
                parent: Some(scope),
                host: Some(host),
                node: Some(at),
                ..Scope::default()
            };
            self.instance.scopes.insert(opened, within);
            self.open_event_subprocesses(opened, Some(at));
            (at, scope) = (inner, opened);
            let joins: Vec<NodeIndex> = reach(self.process, at, &|_| false).into_iter().collect();
            self.let_stand(&joins, at, scope, None);
        }
        self.put(at, scope);
        Ok(())
    }
}
