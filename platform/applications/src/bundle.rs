//! Bundles (一件事一次办): the parent follows its parts. It is in hand until all of them have ended;
//! approved when all were, refused when one was, and its steps tell which. Its clock is that of the
//! part that is due last.

use crate::change::Open;
use crate::faults::state_words;
use crate::{Engine, change::Change};
use kernel::access::Actor;
use kernel::applications::ApplicationState;
use kernel::{Fault, Time, Words};
use serde_json::json;
use store::applications::read::{self, By};
use store::applications::{NEVER, Put, Write};

/// Where a bundle stands whose parts stand so.
pub(crate) fn state_of(parts: &[ApplicationState]) -> ApplicationState {
    use ApplicationState::*;
    let all = |state| parts.iter().all(|part| *part == state);
    let any = |state| parts.contains(&state);
    if !parts.iter().all(|part| part.ended()) {
        let begun = parts
            .iter()
            .any(|part| !matches!(part, Submitted | Correction));
        return if begun { Accepted } else { Submitted };
    }
    if all(Approved) {
        Approved
    } else if any(Refused) || any(NotAccepted) {
        Refused
    } else if all(Withdrawn) {
        Withdrawn
    } else {
        Terminated
    }
}

impl Open {
    /// When it is due, and whether that clock is stopped.
    pub(crate) fn clock(&self) -> (i64, bool) {
        (self.row.due_at, self.body.paused)
    }

    /// Takes the clock of its parts: of those that run or are stopped, the one that ends last.
    pub(crate) fn take_clock(&mut self, parts: impl IntoIterator<Item = (i64, bool)>) {
        let known = parts.into_iter().filter(|(due, _)| *due != NEVER);
        (self.row.due_at, self.body.paused) = known.max().unwrap_or((NEVER, false));
    }
}

impl Engine {
    /// Adds to a write what a changed part means for its bundle: of a part that only has another
    /// clock, only the clock.
    pub(crate) async fn follow_part(
        &self,
        part: &Open,
        part_was: i64,
        state_changed: bool,
        now: Time,
        write: &mut Write,
    ) -> Result<(), Fault> {
        let Some(parent) = &part.row.parent else {
            return Ok(());
        };
        let (parent, parts) = {
            let mut reader = self.store.snapshot().await?;
            let row = read::application(&mut reader, By::Id, parent).await?;
            let row = row.ok_or_else(|| Fault::internal("following a part", "no bundle"))?;
            (row, read::parts(&mut reader, parent).await?)
        };
        let (mut states, mut clocks) = (vec![], vec![]);
        for row in parts {
            if row.id == part.row.id {
                if row.version != part_was {
                    // Changed meanwhile: the write is stale anyway.
                    write.guards.push((row.id, part_was));
                }
                states.push(part.state());
                clocks.push(part.clock());
            } else {
                write.guards.push((row.id.clone(), row.version));
                let other = self.opened(row)?;
                states.push(other.state());
                clocks.push(other.clock());
            }
        }
        let mut change = self.change(self.opened(parent)?);
        change.now = now;
        if state_changed {
            self.tell_part(&mut change, part);
            self.parent_becomes(&mut change, state_of(&states));
        }
        change.open.take_clock(clocks);
        let Change {
            mut open,
            was,
            write: more,
            ..
        } = change;
        open.row.version = was + 1;
        if state_changed {
            open.body.touched = was + 1;
        }
        let row = self.closed(open)?;
        write.applications.push(Put { row, was });
        write.jobs.extend(more.jobs);
        write.events.extend(more.events);
        write.audits.extend(more.audits);
        write.days.extend(more.days);
        Ok(())
    }

    /// A step of the bundle that says how a part stands now.
    fn tell_part(&self, change: &mut Change, part: &Open) {
        let (title, state) = (part.title(), state_words(part.state()));
        let words = Words::new(
            format!("{}：{}", title.zh, state.zh),
            format!("{}: {}", title.en, state.en),
        );
        change.step("part", words, None, false);
        if let Some(step) = change.open.body.steps.last_mut() {
            step.office = Some(part.row.organisation.clone());
        }
    }

    fn parent_becomes(&self, change: &mut Change, state: ApplicationState) {
        if state == change.open.state() {
            return;
        }
        change.becomes(state);
        let words = state_words(state);
        let what = state.word();
        if state == ApplicationState::Accepted {
            change.open.row.accepted_at = Some(change.now.0);
        }
        if state.ended() {
            change.open.row.decided_at = Some(change.now.0);
        }
        change.step(what, words, None, false);
        change.event(what);
        change.audit(&Actor::system(), "write", "follow", json!({}));
        if matches!(
            state,
            ApplicationState::Approved | ApplicationState::Refused
        ) {
            change.notice(&format!("application_{what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ApplicationState::*;

    #[test]
    fn a_bundle_stands_as_its_parts_let_it() {
        let check = |parts: &[ApplicationState], expect| assert_eq!(state_of(parts), expect);
        check(&[Submitted, Submitted], Submitted);
        check(&[Submitted, Correction], Submitted);
        check(&[Submitted, Accepted], Accepted);
        check(&[Approved, Submitted], Accepted);
        check(&[Approved, Approved], Approved);
        check(&[Approved, Refused], Refused);
        check(&[NotAccepted, Approved], Refused);
        check(&[Withdrawn, Withdrawn], Withdrawn);
        check(&[Withdrawn, Approved], Terminated);
        check(&[Terminated, Approved], Terminated);
    }
}
