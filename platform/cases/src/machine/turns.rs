//! Turns of a repeated activity that are added, taken away or taken back while it goes on: 加签 and
//! 减签 of a countersign, 撤回 of one opinion. The count of the activity follows, so that its
//! condition is asked over what really is. BPMN knows no such steps; what they mean is said at each.

use super::Added;
use super::repeat::TURN_LIMIT;
use super::run::{Run, over};
use super::state::{Id, Repeats};
use crate::bpmn::Loop;
use kernel::Fault;
use serde_json::{Value, json};

fn no_turns() -> Fault {
    Fault::invalid_at(
        "/",
        "该环节不是会签（多实例）环节",
        "that is no activity with an instance for each",
    )
}

impl Run<'_> {
    /// A person did a turn by this wait.
    pub(super) fn note_signed(&mut self, token: Id, wait: Id) {
        // A loop without an end would note without one.
        let repeats = &self.node(self.node_of(token)).repeats;
        if !matches!(repeats, Some(Loop::Instances { .. })) {
            return;
        }
        let turn = self.instance.scopes.get(&self.scope_of(token));
        let Some((count, number)) = turn.and_then(|turn| Some((turn.parent?, turn.turn?))) else {
            return;
        };
        let count = self.instance.scopes.get_mut(&count);
        if let Some(repeats) = count.and_then(|count| count.repeats.as_mut()) {
            repeats.signed.insert(number, wait);
        }
    }

    /// The activity whose turns are counted here: how it is repeated, and its count. The order of
    /// the turns to come is written out, so that it may change.
    fn counting(&mut self, count: Id) -> Result<(Loop, &mut Repeats), Fault> {
        let scope = self.instance.scopes.get(&count).ok_or_else(over)?;
        let node = self.node_of(scope.host.ok_or_else(no_turns)?);
        let looped = self.node(node).repeats.clone();
        let looped = looped.filter(|looped| matches!(looped, Loop::Instances { .. }));
        let looped = looped.ok_or_else(no_turns)?;
        let scope = self.instance.scopes.get_mut(&count);
        let repeats = scope.and_then(|scope| scope.repeats.as_mut());
        let repeats = repeats.ok_or_else(no_turns)?;
        repeats.pending = Some(repeats.to_come());
        Ok((looped, repeats))
    }

    /// One turn more. Where all are under way at once it begins now; where they come one after the
    /// other, after the present one or at the end.
    pub(super) fn add_turn(
        &mut self,
        count: Id,
        item: Value,
        added: Added,
        next: bool,
    ) -> Result<(), Fault> {
        let (looped, repeats) = self.counting(count)?;
        if repeats.items.len() >= TURN_LIMIT {
            return Err(Fault::invalid_at(
                "/",
                format!("至多 {TURN_LIMIT} 次"),
                format!("{TURN_LIMIT} turns at most"),
            ));
        }
        let number = repeats.items.len() as u32;
        repeats.items.push(item);
        repeats.added.insert(number, added);
        let sequential = sequential(&looped);
        if sequential {
            let pending = repeats.pending.get_or_insert_default();
            let at = if next { 0 } else { pending.len() };
            pending.insert(at, number);
        } else {
            repeats.begun += 1;
            self.begin_turn(count, number);
        }
        Ok(())
    }

    /// Without a turn that is under way or to come. The others go on; if they are enough now, the
    /// activity is done.
    pub(super) fn remove_turn(&mut self, count: Id, number: u32) -> Result<(), Fault> {
        let under_way = self.turn(count, number);
        let (looped, repeats) = self.counting(count)?;
        let pending = repeats.pending.get_or_insert_default();
        let waited = pending.len();
        pending.retain(|to_come| *to_come != number);
        let to_come = pending.len() < waited;
        if !to_come && under_way.is_none() {
            return Err(over());
        }
        repeats.removed.insert(number);
        repeats.begun -= u32::from(!to_come);
        if let Some(turn) = under_way {
            self.cancel_scope(turn);
        }
        // Of those that come one after the other the present one goes on, unless the rest is enough.
        let goes_on = sequential(&looped) && self.turns_of(count).next().is_some();
        if !goes_on || self.enough(&looped, count) {
            self.after_turn(&looped, count);
        }
        Ok(())
    }

    /// A turn that is done is done again: what it contributed is taken away, and it begins anew. Where
    /// they come one after the other, the present one, which nobody has touched, comes after it
    /// again.
    pub(super) fn take_back_turn(&mut self, count: Id, number: u32) -> Result<(), Fault> {
        let present: Vec<(Id, u32)> = self.turns_of(count).collect();
        if present.iter().any(|(_, at)| *at == number) {
            return Err(over());
        }
        let (looped, repeats) = self.counting(count)?;
        let signed = repeats.signed.remove(&number);
        let wait = signed.filter(|_| repeats.done > 0).ok_or_else(over)?;
        repeats.done -= 1;
        repeats.results.remove(&number);
        if sequential(&looped) {
            if repeats.signed.values().any(|later| *later > wait) {
                return Err(over());
            }
            let again = repeats.pending.get_or_insert_default();
            again.splice(0..0, present.iter().map(|(_, at)| *at));
            repeats.begun -= present.len() as u32;
            for (turn, _) in present {
                self.cancel_scope(turn);
            }
        }
        self.forget_done(count, number);
        self.begin_turn(count, number);
        Ok(())
    }

    /// What was kept to undo a turn later is of a turn that is done no more.
    fn forget_done(&mut self, count: Id, number: u32) {
        let Some(scope) = self.instance.scopes.get(&count) else {
            return;
        };
        let (Some(home), Some(host)) = (scope.parent, scope.host) else {
            return;
        };
        let node = self.node_of(host);
        let Some(home) = self.instance.scopes.get_mut(&home) else {
            return;
        };
        let of_turn = |done: &super::Done| {
            done.node == node && done.variables.get("loopCounter") == Some(&json!(number + 1))
        };
        if let Some(at) = home.done.iter().rposition(of_turn) {
            home.done.remove(at);
        }
    }

    /// Turns under way: scope and number.
    fn turns_of(&self, count: Id) -> impl Iterator<Item = (Id, u32)> {
        let scopes = self.instance.scopes.iter();
        let of = scopes.filter(move |(_, scope)| scope.parent == Some(count));
        of.filter_map(|(id, scope)| Some((*id, scope.turn?)))
    }

    fn turn(&self, count: Id, number: u32) -> Option<Id> {
        let mut turns = self.turns_of(count);
        turns.find(|(_, at)| *at == number).map(|(id, _)| id)
    }
}

fn sequential(looped: &Loop) -> bool {
    matches!(
        looped,
        Loop::Instances {
            sequential: true,
            ..
        }
    )
}
