//! Activities: tasks, sub-processes, calls; how they begin and how they are done.

use super::Effect;
use super::run::Run;
use super::state::{Awaited, Done, Id, Place, Scope, Wait};
use crate::bpmn::{EventWhat, Moment, NodeIndex, NodeKind, TaskKind};
use kernel::Words;
use serde_json::{Map, Value};

impl Run<'_> {
    /// Is this token one turn of a repeated activity?
    pub(super) fn is_turn(&self, token: Id) -> bool {
        let scope = self.scope_of(token);
        self.instance
            .scopes
            .get(&scope)
            .is_some_and(|scope| scope.turn.is_some())
    }

    /// A token enters an activity.
    pub(super) fn begin_activity(&mut self, id: Id) {
        if self.is_turn(id) {
            return self.start(id);
        }
        if let Err(words) = self.open_boundary(id) {
            self.close_waits_of(id);
            return self.stick(id, words);
        }
        let node = self.node_of(id);
        if self.node(node).repeats.is_some() {
            self.begin_repeats(id);
        } else {
            self.start(id);
        }
    }

    pub(super) fn node_of(&self, token: Id) -> NodeIndex {
        self.instance.tokens.get(&token).map_or(0, |t| t.node)
    }

    /// Waits for what the boundary events of an activity wait for. Errors, escalations and undoing
    /// are not waited for: whoever throws looks for who catches.
    pub(super) fn open_boundary(&mut self, id: Id) -> Result<(), Words> {
        let (node, scope) = (self.node_of(id), self.scope_of(id));
        for event in &self.node(node).boundary {
            let NodeKind::Event { what, .. } = &self.node(*event).kind else {
                continue;
            };
            let passive = matches!(
                what,
                EventWhat::Error(_) | EventWhat::Escalation(_) | EventWhat::Compensation(_)
            );
            if !passive {
                let what = self.awaited(what, scope)?;
                self.open(Some(id), scope, *event, what);
            }
        }
        Ok(())
    }

    /// An activity is begun: once, or one turn of it.
    fn start(&mut self, id: Id) {
        let (node, scope) = (self.node_of(id), self.scope_of(id));
        let what = match &self.node(node).kind {
            NodeKind::SubProcess { .. } => return self.open_subprocess(id, node, scope),
            NodeKind::Call { process } => Awaited::Call {
                process: process.clone(),
            },
            NodeKind::Task(task) => match self.start_task(task, node, scope) {
                Ok(Some(what)) => what,
                Ok(None) => return self.activity_done(id),
                Err(words) => return self.stick_closed(id, words),
            },
            _ => return self.leave(id),
        };
        self.place(id, Place::Waiting);
        self.open(Some(id), scope, node, what);
    }

    /// Sticks with nothing waited for, so that trying again begins anew.
    pub(super) fn stick_closed(&mut self, id: Id, words: Words) {
        self.close_waits_of(id);
        self.stick(id, words);
    }

    /// What a task waits for; `None` when it is done at once.
    fn start_task(
        &mut self,
        task: &TaskKind,
        node: NodeIndex,
        scope: Id,
    ) -> Result<Option<Awaited>, Words> {
        let variables = self.instance.variables(scope);
        Ok(match task {
            TaskKind::Abstract => None,
            TaskKind::User(_) | TaskKind::Manual(_) => Some(Awaited::Person),
            TaskKind::Service(function) => Some(Awaited::Service {
                function: function.clone(),
            }),
            TaskKind::Script { expression, result } => {
                let value = self.evaluate(expression, &variables)?;
                self.instance.set(scope, result, value);
                None
            }
            TaskKind::Rule { decision, result } => {
                let value = self.decide(node, decision, &variables)?;
                self.instance.set(scope, result, value);
                None
            }
            TaskKind::Send(message) => {
                self.send(message, scope)?;
                None
            }
            TaskKind::Receive(message) => Some(self.message(message, &variables)?),
        })
    }

    /// The result of a decision, which is kept with its reasons. Where no rule matches it is `null`
    /// and the case goes on; a table that breaks its hit policy has no result to go on with.
    fn decide(
        &mut self,
        node: NodeIndex,
        decision: &str,
        variables: &Map<String, Value>,
    ) -> Result<Value, Words> {
        let made = self.expressions.decide(decision, variables);
        let outcome = made.map_err(|fault| {
            let mut words = fault.words;
            if let Some(problem) = fault.problems.first() {
                words.zh += &format!("（{}：{}）", problem.at, problem.words.zh);
                words.en += &format!(" ({}: {})", problem.at, problem.words.en);
            }
            words
        })?;
        let (violated, value) = (outcome.violated(), outcome.result.clone());
        let outcome = Box::new(outcome);
        self.effects.push(Effect::Decided { node, outcome });
        violated.map_or(Ok(value), Err)
    }

    /// A message goes out, with what the sender sees.
    pub(super) fn send(&mut self, message: &str, scope: Id) -> Result<(), Words> {
        let variables = self.instance.variables(scope);
        if let Awaited::Message { name, key } = self.message(message, &variables)? {
            self.effects.push(Effect::Sent {
                name,
                key,
                variables,
            });
        }
        Ok(())
    }

    fn open_subprocess(&mut self, id: Id, node: NodeIndex, around: Id) {
        let scope = self.instance.number();
        let opened = Scope {
            parent: Some(around),
            host: Some(id),
            node: Some(node),
            ..Scope::default()
        };
        self.instance.scopes.insert(scope, opened);
        self.place(id, Place::Inside);
        self.open_event_subprocesses(scope, Some(node));
        for entry in self.process.entries(Some(node)) {
            self.put(entry, scope);
        }
        self.end_scope_if_empty(scope);
    }

    /// An activity, or one turn of it, is done.
    pub(super) fn activity_done(&mut self, id: Id) {
        self.close_waits_of(id);
        self.remember_done(id, vec![]);
        if self.is_turn(id) {
            self.turn_done(id);
        } else {
            self.leave(id);
        }
    }

    /// The scope that a token opened is done.
    pub(super) fn inner_done(&mut self, host: Id, ended: Scope) {
        let Some(token) = self.instance.tokens.get(&host) else {
            return;
        };
        if matches!(token.place, Place::Undoing(_)) {
            return self.undo_next(host);
        }
        self.close_waits_of(host);
        self.remember_done(host, ended.done);
        if self.is_turn(host) {
            self.turn_done(host);
        } else {
            self.leave(host);
        }
    }

    /// Keeps what is needed to undo an activity later; nothing for what cannot be undone.
    fn remember_done(&mut self, id: Id, within: Vec<Done>) {
        let (node, scope) = (self.node_of(id), self.scope_of(id));
        if !self.can_be_undone(node, &within) {
            return;
        }
        // The list of the scope the activity is drawn in: turns and their count are not drawn.
        let mut home = scope;
        while let Some(here) = self.instance.scopes.get(&home)
            && (here.turn.is_some() || here.repeats.is_some())
            && let Some(parent) = here.parent
        {
            home = parent;
        }
        let variables = self.instance.variables(scope);
        if let Some(home) = self.instance.scopes.get_mut(&home) {
            home.done.push(Done {
                node,
                variables,
                within,
            });
        }
    }

    /// What an event sub-process did is undone with what surrounds it (10.7 of the standard).
    pub(super) fn remember_event_subprocess(&mut self, around: Id, ended: Scope) {
        let Some(node) = ended.node else { return };
        if self.process.undoing_start(node).is_some() || !self.can_be_undone(node, &ended.done) {
            return;
        }
        let variables = self.instance.variables(around);
        if let Some(home) = self.instance.scopes.get_mut(&around) {
            home.done.push(Done {
                node,
                variables,
                within: ended.done,
            });
        }
    }

    fn can_be_undone(&self, node: NodeIndex, within: &[Done]) -> bool {
        let handler = self.node(node).compensation.is_some();
        handler || !within.is_empty() || self.process.undoes_within(node).is_some()
    }

    /// What a wait waited for came.
    pub(super) fn came(&mut self, id: Id, wait: &Wait) {
        let Some(token) = wait.token else {
            return self.event_subprocess_begins(id, wait);
        };
        let (at, scope) = (self.node_of(token), self.scope_of(token));
        match &self.node(wait.node).kind {
            NodeKind::Event {
                moment: Moment::Boundary { interrupting, .. },
                ..
            } => {
                if *interrupting {
                    self.cancel(token);
                } else {
                    self.again_or_close(id, &wait.what);
                }
                self.put(wait.node, scope);
            }
            kind => {
                self.close_waits_of(token);
                if at != wait.node {
                    // An event-based gateway: the event takes the token over.
                    self.effects.push(Effect::Left { node: at, token });
                    if let Some(token) = self.instance.tokens.get_mut(&token) {
                        token.node = wait.node;
                    }
                    self.effects.push(Effect::Entered {
                        node: wait.node,
                        token,
                    });
                }
                if matches!(kind, NodeKind::Event { .. }) {
                    self.leave(token);
                } else {
                    if wait.what == Awaited::Person {
                        self.note_signed(token, id);
                    }
                    self.activity_done(token);
                }
            }
        }
    }

    /// A wait that does not interrupt goes on, except a timer that has fired for the last time.
    pub(super) fn again_or_close(&mut self, id: Id, what: &Awaited) {
        match what {
            Awaited::Timer { .. } => match what.again(self.now) {
                Some(next) => {
                    if let Some(wait) = self.instance.waits.get_mut(&id) {
                        wait.what = next;
                        self.effects.push(Effect::Opened { wait: id });
                    }
                }
                None => self.close(id),
            },
            Awaited::Condition { .. } | Awaited::Message { .. } | Awaited::Signal { .. } => {}
            _ => self.close(id),
        }
    }

    /// A token waits for the first of the events behind its gateway.
    pub(super) fn choose(&mut self, id: Id) {
        let (node, scope) = (self.node_of(id), self.scope_of(id));
        let mut awaited = vec![];
        for flow in &self.node(node).outgoing {
            let target = self.process.flows[*flow].target;
            let found = match &self.node(target).kind {
                NodeKind::Event { what, .. } => self.awaited(what, scope),
                NodeKind::Task(TaskKind::Receive(message)) => {
                    let variables = self.instance.variables(scope);
                    self.message(message, &variables)
                }
                _ => continue,
            };
            match found {
                Ok(what) => awaited.push((target, what)),
                Err(words) => return self.stick(id, words),
            }
        }
        self.place(id, Place::Waiting);
        for (target, what) in awaited {
            self.open(Some(id), scope, target, what);
        }
    }

    /// The value of an expression that must be a list.
    pub(super) fn list(&self, expression: &str, scope: Id) -> Result<Vec<Value>, Words> {
        let variables = self.instance.variables(scope);
        match self.evaluate(expression, &variables)? {
            Value::Array(items) => Ok(items),
            other => Err(Words::new(
                format!("“{expression}”应为列表，得到 {other}"),
                format!("\"{expression}\" should be a list, it is {other}"),
            )),
        }
    }
}
