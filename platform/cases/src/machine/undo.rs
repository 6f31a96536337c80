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
            let Some(handler) = self.process.nodes[done.node].compensation else {
                // A sub-process that says nothing of itself: what was done within it.
                rest.extend(done.within);
                continue;
            };
            let opened = Scope {
                parent: Some(scope),
                host: Some(id),
                variables: done.variables,
                ..Scope::default()
            };
            let inner = self.instance.number();
            self.instance.scopes.insert(inner, opened);
            self.put(handler, inner);
            return;
        }
    }
}
