//! The run of one step: tokens arrive, enter, leave, until every one of them waits.

use super::state::{Id, Instance, Place, ROOT, Scope, Standing, Token};
use super::{Effect, Expressions, Step};
use crate::bpmn::{FlowIndex, Model, Node, NodeIndex, NodeKind, Process};
use kernel::fault::FaultKind;
use kernel::{Fault, Time, Words};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};

/// Nodes entered in one step, at most: a drawing that turns in a circle without ever waiting is
/// stopped here.
const STEP_LIMIT: usize = 10_000;
/// Tokens of an instance, at most.
const TOKEN_LIMIT: usize = 10_000;

/// A run.
pub(super) struct Run<'a> {
    pub(super) model: &'a Model,
    pub(super) process: &'a Process,
    pub(super) expressions: &'a dyn Expressions,
    pub(super) now: Time,
    pub(super) instance: Instance,
    pub(super) effects: Vec<Effect>,
    /// Tokens that are to enter their node.
    pub(super) queue: VecDeque<Id>,
    entered: usize,
    /// The step went beyond a limit and is not to be taken.
    overrun: Option<Words>,
}

fn unknown(process: &str) -> Fault {
    Fault::missing(&format!("process {process}"))
}

/// Somebody else was first.
pub(super) fn over() -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        "该环节已结束或已由他人办理",
        "this is over already; somebody else was first",
    )
}

impl<'a> Run<'a> {
    pub(super) fn begin(
        model: &'a Model,
        process: &str,
        variables: Map<String, Value>,
        expressions: &'a dyn Expressions,
        now: Time,
    ) -> Result<Run<'a>, Fault> {
        let root = Scope {
            variables,
            ..Scope::default()
        };
        let instance = Instance {
            process: process.into(),
            state: Standing::Running,
            scopes: BTreeMap::from([(ROOT, root)]),
            tokens: BTreeMap::new(),
            waits: BTreeMap::new(),
            next: ROOT,
        };
        Run::resume(model, &instance, expressions, now)
    }

    pub(super) fn resume(
        model: &'a Model,
        instance: &Instance,
        expressions: &'a dyn Expressions,
        now: Time,
    ) -> Result<Run<'a>, Fault> {
        let process = model.processes.get(&instance.process);
        Ok(Run {
            model,
            process: process.ok_or_else(|| unknown(&instance.process))?,
            expressions,
            now,
            instance: instance.clone(),
            effects: vec![],
            queue: VecDeque::new(),
            entered: 0,
            overrun: None,
        })
    }

    /// Moves tokens until all of them wait, and looks at conditions and joins on the way.
    pub(super) fn finish(mut self) -> Result<Step, Fault> {
        loop {
            while let Some(token) = self.queue.pop_front() {
                self.enter(token);
                if let Some(words) = self.overrun.take() {
                    return Err(Fault::invalid_at("process", words.zh, words.en));
                }
            }
            if self.instance.ended() || !(self.join_inclusive() || self.fire_condition()) {
                break;
            }
        }
        self.stick_at_joins();
        Ok(Step {
            instance: self.instance,
            effects: self.effects,
        })
    }

    pub(super) fn node(&self, at: NodeIndex) -> &'a Node {
        &self.process.nodes[at]
    }

    /// Opens the waits of the event sub-processes of the process and puts the first tokens.
    pub(super) fn enter_process(&mut self, start: Option<NodeIndex>) {
        self.open_event_subprocesses(ROOT, None);
        let entries = match start {
            Some(start) => vec![start],
            None => self.process.entries(None),
        };
        for node in entries {
            self.put(node, ROOT);
        }
        self.end_scope_if_empty(ROOT);
    }

    /// A new token that is to enter a node.
    pub(super) fn put(&mut self, node: NodeIndex, scope: Id) -> Id {
        let id = self.instance.number();
        let token = Token {
            node,
            scope,
            place: Place::Arriving,
        };
        self.instance.tokens.insert(id, token);
        self.queue.push_back(id);
        if self.instance.tokens.len() > TOKEN_LIMIT {
            self.overrun(
                format!("流程实例的并行分支超过 {TOKEN_LIMIT} 个"),
                format!("the instance has more than {TOKEN_LIMIT} tokens"),
            );
        }
        id
    }

    /// The whole step is not to be taken.
    pub(super) fn refuse(&mut self, words: Words) {
        self.overrun.get_or_insert(words);
    }

    fn overrun(&mut self, zh: String, en: String) {
        self.overrun.get_or_insert(Words::new(zh, en));
    }

    pub(super) fn place(&mut self, token: Id, place: Place) {
        if let Some(token) = self.instance.tokens.get_mut(&token) {
            token.place = place;
        }
    }

    pub(super) fn scope_of(&self, token: Id) -> Id {
        self.instance.tokens.get(&token).map_or(ROOT, |t| t.scope)
    }

    /// A token cannot go on; the instance waits for somebody to look.
    pub(super) fn stick(&mut self, token: Id, words: Words) {
        let place = Place::Stuck {
            zh: words.zh,
            en: words.en,
        };
        self.place(token, place);
        self.effects.push(Effect::Stuck { token });
    }

    fn enter(&mut self, id: Id) {
        let Some(token) = self.instance.tokens.get(&id) else {
            return;
        };
        let at = token.node;
        self.entered += 1;
        if self.entered > STEP_LIMIT {
            return self.overrun(
                format!("流程在一步之内经过超过 {STEP_LIMIT} 个节点，可能存在没有等待的循环"),
                format!("more than {STEP_LIMIT} nodes in one step: a circle without a wait"),
            );
        }
        self.effects.push(Effect::Entered {
            node: at,
            token: id,
        });
        match &self.node(at).kind {
            NodeKind::Exclusive | NodeKind::Inclusive | NodeKind::Parallel => self.leave(id),
            NodeKind::EventBased => self.choose(id),
            NodeKind::Event { moment, what } => self.event(id, *moment, what),
            NodeKind::Task(_) | NodeKind::SubProcess { .. } | NodeKind::Call { .. } => {
                self.begin_activity(id);
            }
        }
    }

    /// A token is done with its node and takes the ways out.
    pub(super) fn leave(&mut self, id: Id) {
        let Some(token) = self.instance.tokens.get(&id).cloned() else {
            return;
        };
        let ways = match self.ways(&token) {
            Ok(ways) => ways,
            Err(words) => return self.stick(id, words),
        };
        self.effects.push(Effect::Left {
            node: token.node,
            token: id,
        });
        self.instance.tokens.remove(&id);
        for flow in ways {
            self.follow(flow, token.scope);
        }
        self.end_scope_if_empty(token.scope);
    }

    /// Which flows a token leaves by.
    fn ways(&mut self, token: &Token) -> Result<Vec<FlowIndex>, Words> {
        let node = self.node(token.node);
        let single = node.outgoing.len() < 2 && node.default.is_none();
        let unconditional = |flow: &FlowIndex| self.process.flows[*flow].condition.is_none();
        if matches!(node.kind, NodeKind::Parallel)
            || (single && node.outgoing.iter().all(unconditional))
        {
            return Ok(node.outgoing.clone());
        }
        let first_only = matches!(node.kind, NodeKind::Exclusive);
        let variables = self.instance.variables(token.scope);
        let mut ways = vec![];
        let mut held = false;
        for flow in node
            .outgoing
            .iter()
            .filter(|flow| node.default != Some(**flow))
        {
            match &self.process.flows[*flow].condition {
                None => ways.push(*flow),
                Some(condition) if self.holds(condition, &variables)? => {
                    ways.push(*flow);
                    held = true;
                }
                Some(_) => continue,
            }
            if first_only {
                return Ok(ways);
            }
        }
        if !held {
            ways.extend(node.default);
        }
        if ways.is_empty() {
            let id = &node.id;
            return Err(Words::new(
                format!("{id}：没有一个出口的条件成立，也没有默认流"),
                format!("{id}: no way out whose condition holds, and no default"),
            ));
        }
        Ok(ways)
    }

    pub(super) fn evaluate(
        &self,
        expression: &str,
        variables: &Map<String, Value>,
    ) -> Result<Value, Words> {
        self.expressions
            .evaluate(expression, variables)
            .map_err(|fault| fault.words)
    }

    /// Does a condition hold? Anything but `true` does not, as FEEL has it for `null`.
    pub(super) fn holds(
        &self,
        expression: &str,
        variables: &Map<String, Value>,
    ) -> Result<bool, Words> {
        Ok(self.evaluate(expression, variables)? == Value::Bool(true))
    }

    /// A token takes a flow.
    fn follow(&mut self, flow: FlowIndex, scope: Id) {
        let target = self.process.flows[flow].target;
        let node = self.node(target);
        let joins = node.incoming.len() > 1
            && matches!(node.kind, NodeKind::Parallel | NodeKind::Inclusive);
        if !joins {
            self.put(target, scope);
            return;
        }
        self.put_joining(flow, scope);
        if matches!(node.kind, NodeKind::Parallel) {
            self.join_parallel(target, scope);
        }
    }

    /// A token that came by a flow and waits for the others of its joining gateway.
    pub(super) fn put_joining(&mut self, flow: FlowIndex, scope: Id) {
        let id = self.instance.number();
        let token = Token {
            node: self.process.flows[flow].target,
            scope,
            place: Place::Joining(flow),
        };
        self.instance.tokens.insert(id, token);
    }

    /// One token goes on where others came together.
    pub(super) fn join(&mut self, joined: &[Id], node: NodeIndex, scope: Id) {
        for token in joined {
            self.instance.tokens.remove(token);
        }
        self.put(node, scope);
    }

    /// Tokens that wait at joins while nothing else is waited for would wait for ever, unseen.
    fn stick_at_joins(&mut self) {
        if self.instance.ended() || !self.instance.waits.is_empty() {
            return;
        }
        let tokens = self.instance.tokens.iter();
        let joining = tokens.filter(|(_, token)| matches!(token.place, Place::Joining(_)));
        let joining: Vec<Id> = joining.map(|(id, _)| *id).collect();
        let others = |token: &Token| {
            !matches!(
                token.place,
                Place::Joining(_) | Place::Inside | Place::Stuck { .. }
            )
        };
        if self.instance.tokens.values().any(others) {
            return;
        }
        for token in joining {
            let words = Words::new(
                "在汇合处等待的分支不会再到达；请核对流程图，或重试以直接通过",
                "what is waited for at this join can never come; mend the drawing, or try again to pass",
            );
            self.stick(token, words);
        }
    }

    /// Takes a token away with everything within its activity.
    pub(super) fn cancel(&mut self, token: Id) {
        self.close_waits_of(token);
        let scopes = self.instance.scopes.iter();
        let inside: Vec<Id> = scopes
            .filter(|(_, s)| s.host == Some(token))
            .map(|(id, _)| *id)
            .collect();
        for scope in inside {
            self.cancel_scope(scope);
        }
        if let Some(gone) = self.instance.tokens.remove(&token) {
            self.effects.push(Effect::Cancelled {
                node: gone.node,
                token,
            });
        }
    }

    /// Takes everything of a scope away, and the scope.
    pub(super) fn cancel_scope(&mut self, scope: Id) {
        self.empty_scope(scope);
        self.instance.scopes.remove(&scope);
    }

    /// Takes everything of a scope away.
    pub(super) fn empty_scope(&mut self, scope: Id) {
        let tokens: Vec<Id> = self.tokens_in(scope);
        for token in tokens {
            self.cancel(token);
        }
        let children = self.instance.scopes.iter();
        let children: Vec<Id> = children
            .filter(|(_, s)| s.parent == Some(scope))
            .map(|(id, _)| *id)
            .collect();
        for child in children {
            self.cancel_scope(child);
        }
        let waits = self.instance.waits.iter();
        let waits: Vec<Id> = waits
            .filter(|(_, w)| w.scope == scope)
            .map(|(id, _)| *id)
            .collect();
        for wait in waits {
            self.close(wait);
        }
    }

    pub(super) fn tokens_in(&self, scope: Id) -> Vec<Id> {
        let tokens = self.instance.tokens.iter();
        tokens
            .filter(|(_, t)| t.scope == scope)
            .map(|(id, _)| *id)
            .collect()
    }

    /// A scope without tokens and without event sub-processes under way is done.
    pub(super) fn end_scope_if_empty(&mut self, scope: Id) {
        let busy = self.instance.tokens.values().any(|t| t.scope == scope)
            || self
                .instance
                .scopes
                .values()
                .any(|s| s.parent == Some(scope));
        if busy || !self.instance.scopes.contains_key(&scope) {
            return;
        }
        self.end_scope(scope);
    }

    /// A scope is done.
    pub(super) fn end_scope(&mut self, scope: Id) {
        self.empty_scope(scope);
        if scope == ROOT {
            return self.end_instance(Standing::Completed);
        }
        let Some(ended) = self.instance.scopes.remove(&scope) else {
            return;
        };
        match ended.host {
            Some(host) => self.inner_done(host, ended),
            // An event sub-process: what surrounds it may be done now.
            None => {
                if let Some(around) = ended.parent {
                    self.remember_event_subprocess(around, ended);
                    self.end_scope_if_empty(around);
                }
            }
        }
    }

    /// The instance is at its end. The variables of the process stay to be read.
    pub(super) fn end_instance(&mut self, state: Standing) {
        if self.instance.ended() {
            return;
        }
        self.empty_scope(ROOT);
        self.queue.clear();
        self.instance.state = state;
        self.effects.push(Effect::Ended);
    }

    pub(super) fn set_all(&mut self, scope: Id, variables: Map<String, Value>) {
        for (name, value) in variables {
            self.instance.set(scope, &name, value);
        }
    }
}
