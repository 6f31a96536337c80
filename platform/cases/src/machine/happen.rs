//! Something happened: what it does to an instance.

use super::Happened;
use super::run::{Run, over};
use super::state::{Id, Place, ROOT, Standing};
use crate::bpmn::{NodeIndex, NodeKind};
use kernel::Fault;

impl Run<'_> {
    pub(super) fn happen(&mut self, happened: Happened) -> Result<(), Fault> {
        if self.instance.ended() {
            return Err(over());
        }
        match happened {
            Happened::Came { wait, variables } => {
                let found = self.instance.waits.get(&wait).cloned().ok_or_else(over)?;
                self.set_all(found.scope, variables);
                self.came(wait, &found);
            }
            Happened::Failed {
                wait,
                code,
                variables,
            } => {
                let found = self.instance.waits.get(&wait).cloned().ok_or_else(over)?;
                let token = found.token.ok_or_else(over)?;
                self.set_all(found.scope, variables);
                self.throw_error(token, &code);
            }
            Happened::Blocked { wait, words } => self.block(wait, words)?,
            Happened::Escalated { wait, code } => self.escalated(wait, &code)?,
            Happened::Signal { name, variables } => {
                self.set_all(ROOT, variables);
                self.signal(&name);
            }
            Happened::Set { scope, variables } => {
                if !self.instance.scopes.contains_key(&scope) {
                    return Err(over());
                }
                self.set_all(scope, variables);
            }
            Happened::Retry { token } => {
                let stuck = self
                    .instance
                    .tokens
                    .get(&token)
                    .filter(|t| matches!(t.place, Place::Stuck { .. }));
                let node = stuck.ok_or_else(over)?.node;
                self.place(token, Place::Arriving);
                self.retry(token, node);
            }
            Happened::Move { token, to } => self.lead(token, to)?,
            Happened::AddTurn {
                count,
                item,
                added,
                next,
            } => self.add_turn(count, item, added, next)?,
            Happened::RemoveTurn { count, number } => self.remove_turn(count, number)?,
            Happened::TakeBackTurn { count, number } => self.take_back_turn(count, number)?,
            Happened::Cancel => self.end_instance(Standing::Cancelled),
        }
        Ok(())
    }

    /// A stuck token tries again what it could not do: to enter its node, or to leave it when it is
    /// an activity that is done.
    fn retry(&mut self, token: Id, node: NodeIndex) {
        let gateway = matches!(
            self.node(node).kind,
            NodeKind::Exclusive | NodeKind::Inclusive | NodeKind::Parallel
        );
        if gateway {
            self.leave(token);
        } else {
            self.queue.push_back(token);
        }
    }
}
