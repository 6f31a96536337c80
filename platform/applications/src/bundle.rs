//! Bundles (一件事一次办): the parent follows its parts. It waits for the applicant while one of them
//! does, and is in hand until all of them have ended; approved when all were, refused when one was,
//! and its steps tell which. Its clock is that of the part that is due last.

use crate::change::Open;
use crate::{Engine, change::Change};
use kernel::access::Actor;
use kernel::applications::{ApplicationState, MaterialState, Missing, PartCounts};
use kernel::{Fault, Time, Words};
use serde_json::json;
use store::applications::read::{self, By};
use store::applications::{ApplicationRow, NEVER, Put, Write};

/// Bundles brought into agreement with their parts in one round.
const ROUND: u64 = 200;

/// Where a bundle stands whose parts stand so.
pub(crate) fn state_of(parts: &[ApplicationState]) -> ApplicationState {
    use ApplicationState::*;
    let all = |state| parts.iter().all(|part| *part == state);
    let any = |state| parts.contains(&state);
    if any(Correction) {
        return Correction;
    }
    if !parts.iter().all(|part| part.ended()) {
        let begun = parts.iter().any(|part| *part != Submitted);
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

/// How parts stand, counted.
pub(crate) fn counts_of(parts: &[Open]) -> PartCounts {
    use ApplicationState::*;
    let mut counts = PartCounts::default();
    for part in parts {
        counts.total += 1;
        let one = match part.state() {
            Submitted => &mut counts.submitted,
            Correction => &mut counts.correction,
            Accepted if part.body.paused => &mut counts.paused,
            Accepted => &mut counts.accepted,
            Approved => &mut counts.approved,
            Refused | NotAccepted => &mut counts.refused,
            Withdrawn | Terminated => &mut counts.dropped,
        };
        *one += 1;
        let open = part.body.bills.iter().any(|bill| bill.state == "open");
        counts.unpaid += u32::from(open);
        counts.undelivered += u32::from(part.row.undelivered == 1);
    }
    counts
}

/// What parts wait for, each point once.
pub(crate) fn missing_of(parts: &[Open]) -> Vec<Missing> {
    let mut all: Vec<Missing> = vec![];
    let waiting = parts
        .iter()
        .filter(|part| part.state() == ApplicationState::Correction);
    for point in waiting.flat_map(|part| part.body.missing()) {
        if !all.contains(point) {
            all.push(point.clone());
        }
    }
    all
}

/// The materials of an application; of a bundle with the files that came to its parts.
pub(crate) fn materials_of(open: &Open, parts: &[Open]) -> Vec<MaterialState> {
    let mut all = open.body.materials.clone();
    for material in &mut all {
        let of_parts = parts.iter().flat_map(|part| &part.body.materials);
        let mut of_parts = of_parts.filter(|m| m.name == material.name).peekable();
        if of_parts.peek().is_some() {
            material.following = false;
        }
        for part in of_parts {
            material.following |= part.following;
            for file in &part.files {
                if !material.files.iter().any(|known| known.id == file.id) {
                    material.files.push(file.clone());
                }
            }
        }
    }
    all
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
    /// The parts of a bundle, in order; none of anything else.
    pub(crate) async fn opened_parts(&self, row: &ApplicationRow) -> Result<Vec<Open>, Fault> {
        if row.bundle != 1 {
            return Ok(vec![]);
        }
        let rows = read::parts(&mut self.store.reader().await?, &row.id).await?;
        rows.into_iter().map(|row| self.opened(row)).collect()
    }

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
        change.quiet = !state_changed;
        if state_changed {
            tell_part(&mut change, part, self.state_words(part).await?);
            self.parent_becomes(&mut change, state_of(&states)).await?;
        }
        change.open.take_clock(clocks);
        self.add_changed(change, write)
    }

    /// Adds a change to a write as it is: what it means for a bundle is told already.
    fn add_changed(&self, change: Change, write: &mut Write) -> Result<(), Fault> {
        let Change {
            mut open,
            was,
            quiet,
            write: more,
            ..
        } = change;
        open.row.version = was + 1;
        if !quiet {
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

    /// A bundle and the parts of it that were changed with it, as one thing to write; `parts` are
    /// all of them as they were. What the change of the bundle says is all that it tells.
    pub(crate) fn finish_whole(
        &self,
        mut whole: Change,
        changed: Vec<Change>,
        parts: &[Open],
    ) -> Result<Write, Fault> {
        let mut write = Write {
            day: whole.write.day,
            ..Write::default()
        };
        let (mut states, mut clocks) = (vec![], vec![]);
        for part in parts {
            let now = changed.iter().find(|c| c.open.row.id == part.row.id);
            if now.is_none() {
                write.guards.push((part.row.id.clone(), part.row.version));
            }
            let now = now.map_or(part, |change| &change.open);
            states.push(now.state());
            clocks.push(now.clock());
        }
        let state = state_of(&states);
        if state != whole.open.state() {
            let at = whole.now;
            stands(&mut whole.open, state, at);
        }
        whole.open.take_clock(clocks);
        for change in changed.into_iter().chain([whole]) {
            self.add_changed(change, &mut write)?;
        }
        Ok(write)
    }

    async fn parent_becomes(
        &self,
        change: &mut Change,
        state: ApplicationState,
    ) -> Result<(), Fault> {
        if state == change.open.state() {
            return Ok(());
        }
        let at = change.now;
        change.becomes(state);
        stands(&mut change.open, state, at);
        let what = state.word();
        // The office in charge of the bundle says so, unless the applicant took everything back.
        let office = state != ApplicationState::Withdrawn;
        let words = self.state_words(&change.open).await?;
        change.step(what, words, None, office);
        change.event(what);
        change.audit(&Actor::system(), "write", "follow", json!({}));
        if matches!(
            state,
            ApplicationState::Approved | ApplicationState::Refused
        ) {
            change.notice(&format!("application_{what}"));
        }
        Ok(())
    }

    /// Brings bundles into agreement whose parts wait for the applicant while they say otherwise,
    /// as those do that an earlier version wrote; says how many.
    pub(crate) async fn align_bundles(&self) -> Result<u64, Fault> {
        let mut done = 0;
        loop {
            let waiting = ApplicationState::Correction as i64;
            let open = [ApplicationState::Submitted, ApplicationState::Accepted];
            let rows = {
                let mut reader = self.store.reader().await?;
                read::unlike_parts(&mut reader, &open.map(|s| s as i64), waiting, ROUND).await?
            };
            let before = done;
            for row in rows {
                let parts = self.opened_parts(&row).await?;
                let states: Vec<ApplicationState> = parts.iter().map(Open::state).collect();
                let mut change = self.change(self.opened(row)?);
                self.parent_becomes(&mut change, state_of(&states)).await?;
                let write = self.finish_whole(change, vec![], &parts)?;
                // Changed at this moment: whoever did it has brought it into agreement.
                done += u64::from(self.put(write).await?.is_some());
            }
            if done == before {
                return Ok(done);
            }
        }
    }
}

/// A step of the bundle that says how a part stands now.
fn tell_part(change: &mut Change, part: &Open, state: Words) {
    let title = part.title();
    let words = Words::new(
        format!("{}：{}", title.zh, state.zh),
        format!("{}: {}", title.en, state.en),
    );
    change.step("part", words, None, false);
    if let Some(step) = change.open.body.steps.last_mut() {
        step.office = Some(part.row.organisation.clone());
    }
}

/// A bundle stands so from a moment on.
fn stands(open: &mut Open, state: ApplicationState, at: Time) {
    open.row.state = state as i64;
    if state == ApplicationState::Accepted {
        open.row.accepted_at.get_or_insert(at.0);
    }
    if state.ended() {
        open.row.decided_at = Some(at.0);
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
        check(&[Submitted, Correction], Correction);
        check(&[Accepted, Correction, Submitted], Correction);
        check(&[Refused, Correction, Approved], Correction);
        check(&[Accepted, Approved, Refused], Accepted);
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
