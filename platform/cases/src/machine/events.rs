//! Events: what is thrown, who catches it, and event sub-processes.

use super::Effect;
use super::run::{Run, over};
use super::state::{Id, Place, Scope, Standing, Wait};
use crate::bpmn::{EventWhat, Moment, NodeIndex, NodeKind};
use kernel::{Fault, Words};

/// Who catches an error or an escalation.
enum Catcher {
    /// A boundary event of the activity that a token is in.
    Boundary {
        host: Id,
        event: NodeIndex,
        interrupting: bool,
    },
    /// An event sub-process of a scope.
    Within {
        scope: Id,
        process: NodeIndex,
        start: NodeIndex,
        interrupting: bool,
    },
}

impl Run<'_> {
    /// A token enters an event.
    pub(super) fn event(&mut self, id: Id, moment: Moment, what: &EventWhat) {
        match moment {
            // Its trigger has come already.
            Moment::Start { .. } | Moment::Boundary { .. } => self.leave(id),
            Moment::Catch => {
                let (node, scope) = (self.node_of(id), self.scope_of(id));
                match self.awaited(what, scope) {
                    Ok(what) => {
                        self.place(id, Place::Waiting);
                        self.open(Some(id), scope, node, what);
                    }
                    Err(words) => self.stick(id, words),
                }
            }
            Moment::Throw | Moment::End => self.throw(id, what),
        }
    }

    fn throw(&mut self, id: Id, what: &EventWhat) {
        let scope = self.scope_of(id);
        match what {
            EventWhat::Message(message) => {
                if let Err(words) = self.send(message, scope) {
                    return self.stick(id, words);
                }
            }
            EventWhat::Signal(signal) => {
                let name = self.model.signals[signal].name.clone();
                let variables = self.instance.variables(scope);
                self.effects.push(Effect::Signalled { name, variables });
            }
            EventWhat::Escalation(Some(escalation)) => {
                let code = self.model.escalations[escalation].name.clone();
                self.throw_escalation(id, &code);
            }
            EventWhat::Error(Some(error)) => {
                let code = self.model.errors[error].name.clone();
                return self.throw_error(id, &code);
            }
            EventWhat::Compensation(activity) => return self.begin_undo(id, activity.as_deref()),
            EventWhat::Terminate => {
                self.effects.push(Effect::Left {
                    node: self.node_of(id),
                    token: id,
                });
                self.instance.tokens.remove(&id);
                return self.end_scope(scope);
            }
            _ => {}
        }
        // An escalation may have taken the token away.
        if self.instance.tokens.contains_key(&id) {
            self.leave(id);
        }
    }

    /// An error: caught by the nearest boundary event or event sub-process outwards; if none
    /// catches it the instance fails.
    pub(super) fn throw_error(&mut self, token: Id, code: &str) {
        let catches = |run: &Self, what: &EventWhat| match what {
            EventWhat::Error(None) => true,
            EventWhat::Error(Some(error)) => run.model.errors[error].name == code,
            _ => false,
        };
        match self.catcher(token, catches) {
            Some(catcher) => self.catch(catcher),
            None => self.end_instance(Standing::Failed { code: code.into() }),
        }
    }

    /// An escalation: caught likewise; if none catches it those outside are told.
    fn throw_escalation(&mut self, token: Id, code: &str) {
        let catches = |run: &Self, what: &EventWhat| match what {
            EventWhat::Escalation(None) => true,
            EventWhat::Escalation(Some(escalation)) => {
                run.model.escalations[escalation].name == code
            }
            _ => false,
        };
        match self.catcher(token, catches) {
            Some(catcher) => self.catch(catcher),
            None => self.effects.push(Effect::Escalated { code: code.into() }),
        }
    }

    /// A called process escalated: as if its call activity had.
    pub(super) fn escalated(&mut self, wait: Id, code: &str) -> Result<(), Fault> {
        let found = self.instance.waits.get(&wait).ok_or_else(over)?;
        let token = found.token.ok_or_else(over)?;
        self.throw_escalation(token, code);
        Ok(())
    }

    /// What is waited for cannot come; trying again enters the activity anew.
    pub(super) fn block(&mut self, wait: Id, words: Words) -> Result<(), Fault> {
        let found = self.instance.waits.get(&wait).ok_or_else(over)?;
        let token = found.token.ok_or_else(over)?;
        self.stick_closed(token, words);
        Ok(())
    }

    fn catch(&mut self, catcher: Catcher) {
        match catcher {
            Catcher::Boundary {
                host,
                event,
                interrupting,
            } => {
                let scope = self.scope_of(host);
                if interrupting {
                    self.cancel(host);
                }
                self.put(event, scope);
            }
            Catcher::Within {
                scope,
                process,
                start,
                interrupting,
            } => {
                self.begin_event_subprocess(scope, process, start, interrupting);
            }
        }
    }

    /// Looks outwards from a token. What names the very error comes before what catches all.
    fn catcher(&self, token: Id, catches: impl Fn(&Self, &EventWhat) -> bool) -> Option<Catcher> {
        let mut at = token;
        loop {
            if !self.is_turn(at)
                && let Some(found) = self.at_boundary(at, &catches)
            {
                return Some(found);
            }
            let mut scope = self.scope_of(at);
            let mut from = None;
            at = loop {
                if let Some(found) = self.in_scope(scope, from, &catches) {
                    return Some(found);
                }
                let here = self.instance.scopes.get(&scope)?;
                match (here.host, here.parent) {
                    (Some(host), _) => break host,
                    (None, Some(parent)) => (scope, from) = (parent, here.node),
                    (None, None) => return None,
                }
            };
        }
    }

    fn at_boundary(
        &self,
        token: Id,
        catches: &impl Fn(&Self, &EventWhat) -> bool,
    ) -> Option<Catcher> {
        let node = self.node(self.node_of(token));
        let events = node
            .boundary
            .iter()
            .filter_map(|event| match &self.node(*event).kind {
                NodeKind::Event {
                    moment: Moment::Boundary { interrupting, .. },
                    what,
                } if catches(self, what) => Some((*event, *interrupting, catches_all(what))),
                _ => None,
            });
        let (event, interrupting, _) = events.min_by_key(|(_, _, all)| *all)?;
        Some(Catcher::Boundary {
            host: token,
            event,
            interrupting,
        })
    }

    /// Event sub-processes of a scope, but not the one it comes from.
    fn in_scope(
        &self,
        scope: Id,
        from: Option<NodeIndex>,
        catches: &impl Fn(&Self, &EventWhat) -> bool,
    ) -> Option<Catcher> {
        let home = self.home(scope)?;
        let found = self
            .event_subprocesses(home)
            .into_iter()
            .filter_map(|(process, start)| {
                let NodeKind::Event {
                    moment: Moment::Start { interrupting },
                    what,
                } = &self.node(start).kind
                else {
                    return None;
                };
                (Some(process) != from && catches(self, what)).then_some((
                    process,
                    start,
                    *interrupting,
                    catches_all(what),
                ))
            });
        let (process, start, interrupting, _) = found.min_by_key(|(_, _, _, all)| *all)?;
        Some(Catcher::Within {
            scope,
            process,
            start,
            interrupting,
        })
    }

    /// The part of the drawing that runs in a scope: the process, or a sub-process. `None` for
    /// scopes that are not drawn (turns, their count) and for what is undone.
    fn home(&self, scope: Id) -> Option<Option<NodeIndex>> {
        // Of a sub-process that is done nothing catches any more.
        if self.is_restored(scope) {
            return None;
        }
        let scope = self.instance.scopes.get(&scope)?;
        match (scope.node, scope.parent) {
            (Some(node), _) => Some(Some(node)),
            (None, None) => Some(None),
            (None, Some(_)) => None,
        }
    }

    /// Event sub-processes of a part of the drawing, each with its start event.
    fn event_subprocesses(&self, home: Option<NodeIndex>) -> Vec<(NodeIndex, NodeIndex)> {
        let by_event = self
            .process
            .within(home)
            .filter(|(_, node)| matches!(node.kind, NodeKind::SubProcess { by_event: true }));
        let with_start = by_event.filter_map(|(at, _)| {
            let mut inner = self.process.within(Some(at));
            let start = inner.find(|(_, node)| {
                matches!(
                    node.kind,
                    NodeKind::Event {
                        moment: Moment::Start { .. },
                        ..
                    }
                )
            })?;
            Some((at, start.0))
        });
        with_start.collect()
    }

    /// Waits for what begins the event sub-processes of a scope.
    pub(super) fn open_event_subprocesses(&mut self, scope: Id, home: Option<NodeIndex>) {
        for (_, start) in self.event_subprocesses(home) {
            let NodeKind::Event { what, .. } = &self.node(start).kind else {
                continue;
            };
            let passive = matches!(
                what,
                EventWhat::Error(_) | EventWhat::Escalation(_) | EventWhat::Compensation(_)
            );
            if passive {
                continue;
            }
            match self.awaited(what, scope) {
                Ok(what) => self.open(None, scope, start, what),
                Err(words) => self.refuse(words),
            }
        }
    }

    /// What begins an event sub-process came.
    pub(super) fn event_subprocess_begins(&mut self, id: Id, wait: &Wait) {
        let NodeKind::Event {
            moment: Moment::Start { interrupting },
            ..
        } = self.node(wait.node).kind
        else {
            return;
        };
        let Some(process) = self.node(wait.node).parent else {
            return;
        };
        if !interrupting {
            self.again_or_close(id, &wait.what);
        }
        self.begin_event_subprocess(wait.scope, process, wait.node, interrupting);
    }

    fn begin_event_subprocess(
        &mut self,
        around: Id,
        process: NodeIndex,
        start: NodeIndex,
        interrupting: bool,
    ) {
        if interrupting {
            self.empty_scope(around);
        }
        self.open_event_subprocess(around, process, start);
    }

    /// Opens the scope of an event sub-process and puts its first token.
    pub(super) fn open_event_subprocess(
        &mut self,
        around: Id,
        process: NodeIndex,
        start: NodeIndex,
    ) {
        let scope = self.instance.number();
        let opened = Scope {
            parent: Some(around),
            node: Some(process),
            ..Scope::default()
        };
        self.instance.scopes.insert(scope, opened);
        self.open_event_subprocesses(scope, Some(process));
        self.put(start, scope);
    }

    /// A signal came: everything that waits for it goes on.
    pub(super) fn signal(&mut self, name: &str) {
        use super::state::Awaited;
        let waiting = |wait: &Wait| matches!(&wait.what, Awaited::Signal { name: awaited } if awaited == name);
        let waits = self.instance.waits.iter().filter(|(_, wait)| waiting(wait));
        let waits: Vec<(Id, Wait)> = waits.map(|(id, wait)| (*id, wait.clone())).collect();
        for (id, wait) in waits {
            // One that went on may have ended another.
            if self.instance.waits.contains_key(&id) {
                self.came(id, &wait);
            }
        }
    }
}

fn catches_all(what: &EventWhat) -> bool {
    matches!(what, EventWhat::Error(None) | EventWhat::Escalation(None))
}
