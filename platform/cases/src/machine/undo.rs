//! Undoing (compensation): activities that are done are undone in the reverse of the order they
//! were done in, each by the activity tied to it, with the variables as they were.

use super::run::Run;
use super::state::{Done, Id, Place, Scope};

impl Run<'_> {
    /// A token throws: everything done in its scope, or one activity, is undone before it goes on.
    pub(super) fn begin_undo(&mut self, id: Id, activity: Option<&str>) {
        let scope = self.scope_of(id);
        let wanted = activity.and_then(|activity| self.process.find(activity));
        let Some(here) = self.instance.scopes.get_mut(&scope) else {
            return;
        };
        let all = std::mem::take(&mut here.done);
        let (undone, kept): (Vec<Done>, Vec<Done>) = all
            .into_iter()
            .partition(|done| activity.is_none() || Some(done.node) == wanted);
        here.done = kept;
        self.place(id, Place::Undoing(undone));
        self.undo_next(id);
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
