//! Undoing (compensation): activities that are done are undone in the reverse of the order they
//! were done in, each by the activity tied to it, with the variables as they were.

use super::run::Run;
use super::state::{Done, Id, Place, Scope};
use crate::bpmn::NodeKind;

impl Run<'_> {
    /// A token throws: everything done that it sees, or one activity, is undone before it goes on.
    /// It sees its own scope; in an event sub-process what surrounds that too (10.5.1 of the
    /// standard).
    pub(super) fn begin_undo(&mut self, id: Id, activity: Option<&str>) {
        let scope = self.scope_of(id);
        let wanted = activity.and_then(|activity| self.process.find(activity));
        let mut undone: Vec<Done> = vec![];
        // What surrounds was done before what the event sub-process did.
        for seen in self.seen_from(scope).into_iter().rev() {
            let Some(here) = self.instance.scopes.get_mut(&seen) else {
                continue;
            };
            let all = std::mem::take(&mut here.done);
            let (wanted, kept): (Vec<Done>, Vec<Done>) = all
                .into_iter()
                .partition(|done| activity.is_none() || Some(done.node) == wanted);
            here.done = kept;
            undone.extend(wanted);
        }
        self.place(id, Place::Undoing(undone));
        self.undo_next(id);
    }

    /// Scopes whose activities a throw in this one sees, the inner before the outer.
    fn seen_from(&self, scope: Id) -> Vec<Id> {
        let mut seen = vec![scope];
        let mut next = scope;
        while let Some(here) = self.instance.scopes.get(&next)
            && let Some(node) = here.node
            && matches!(
                self.process.nodes[node].kind,
                NodeKind::SubProcess { by_event: true }
            )
            && let Some(around) = here.parent
            && !self.is_restored(next)
        {
            seen.push(around);
            next = around;
        }
        seen
    }

    /// Undoes the next, or goes on when nothing remains.
    pub(super) fn undo_next(&mut self, id: Id) {
        let scope = self.scope_of(id);
        loop {
            let Some(token) = self.instance.tokens.get_mut(&id) else {
                return;
            };
            let Place::Undoing(rest) = &mut token.place else {
                return;
            };
            let Some(done) = rest.pop() else {
                return self.leave(id);
            };
            let handler = self.process.nodes[done.node].compensation;
            let within = self.process.undoes_within(done.node);
            if handler.is_none() && within.is_none() {
                // A sub-process that says nothing of itself: what was done within it.
                rest.extend(done.within);
                continue;
            }
            let mut opened = Scope {
                parent: Some(scope),
                host: Some(id),
                variables: done.variables,
                ..Scope::default()
            };
            let inner = self.instance.number();
            if let Some(handler) = handler {
                self.instance.scopes.insert(inner, opened);
                self.put(handler, inner);
            } else if let Some((handler, start)) = within {
                // The sub-process as it was when it was done: what throws compensation in the
                // handler undoes what was done within, and only that (13.5.5).
                (opened.node, opened.done) = (Some(done.node), done.within);
                self.instance.scopes.insert(inner, opened);
                self.open_event_subprocess(inner, handler, start);
            }
            return;
        }
    }

    /// Is this the scope of a sub-process that is done, and being undone?
    pub(super) fn is_restored(&self, scope: Id) -> bool {
        let host = self.instance.scopes.get(&scope).and_then(|s| s.host);
        let token = host.and_then(|host| self.instance.tokens.get(&host));
        token.is_some_and(|token| matches!(token.place, Place::Undoing(_)))
    }
}
