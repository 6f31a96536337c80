//! A change of one application: the row, what it holds, and everything that follows from it. It is
//! put together in memory and written whole.

use crate::body::{Body, Last, LetterBody, StepBody};
use crate::faults::{stale, too_late};
use crate::sealing::application_place;
use crate::{Engine, desk};
use kernel::access::Actor;
use kernel::applications::{ApplicationState, LetterLine};
use kernel::{Fault, Time, Words};
use serde_json::{Value, json};
use store::applications::{ApplicationRow, Counts, DayRow, JobRow, NEVER, Put, Write};
use store::audit::AuditEntry;

/// Steps kept of one application, at most: what comes after is not noted.
const STEPS: usize = 300;

/// An application as it is kept.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) row: ApplicationRow,
    pub(crate) body: Body,
}

impl Open {
    /// Where it stands.
    pub(crate) fn state(&self) -> ApplicationState {
        let number = usize::try_from(self.row.state).unwrap_or_default();
        let state = ApplicationState::ALL.get(number).copied();
        state.unwrap_or(ApplicationState::Terminated)
    }
    /// Title of the item.
    pub(crate) fn title(&self) -> Words {
        Words::new(&self.row.title_zh, &self.row.title_en)
    }
}

impl Engine {
    /// A row with what it holds.
    pub(crate) fn opened(&self, row: ApplicationRow) -> Result<Open, Fault> {
        let body = self
            .sealing
            .open_value(&application_place(&row.id), &row.body)?;
        Ok(Open { row, body })
    }

    /// The row of an application as it is to be.
    pub(crate) fn closed(&self, open: Open) -> Result<ApplicationRow, Fault> {
        let Open { mut row, body } = open;
        row.body = self.sealing.seal(&application_place(&row.id), &body)?;
        Ok(row)
    }

    /// Begins a change.
    pub(crate) fn change(&self, open: Open) -> Change {
        let now = self.clock.now();
        Change {
            was: open.row.version,
            state_was: open.state(),
            clock_was: open.clock(),
            open,
            now,
            quiet: false,
            write: Write {
                day: desk::one_day(now.0),
                ..Write::default()
            },
        }
    }

    /// The natural person an application is of, as the audit log knows them.
    pub(crate) fn person_of(&self, open: &Open) -> Option<String> {
        let holder = &open.body.applicant.holder;
        let number = holder.is_natural().then_some(holder.number.as_str())?;
        (self.means.pseudonym)(number)
    }
}

/// A change being put together.
pub(crate) struct Change {
    pub(crate) open: Open,
    pub(crate) was: i64,
    pub(crate) state_was: ApplicationState,
    /// When it was due, and whether that clock was stopped.
    clock_was: (i64, bool),
    pub(crate) now: Time,
    /// Only notes what was done afterwards: whoever saw it before may still act.
    pub(crate) quiet: bool,
    pub(crate) write: Write,
}

impl Change {
    /// Refuses unless it stands so; whoever comes too late is told who was first.
    pub(crate) fn demand(&self, states: &[ApplicationState]) -> Result<(), Fault> {
        let state = self.open.state();
        if states.contains(&state) {
            return Ok(());
        }
        Err(too_late(state, self.open.body.last.as_ref()))
    }

    /// Refuses when it is not what the person saw.
    pub(crate) fn demand_seen(&self, seen: Option<i64>) -> Result<(), Fault> {
        match seen {
            Some(seen) if seen > self.was || seen < self.open.body.touched.min(self.was) => {
                Err(stale(seen, self.was, self.open.body.last.as_ref()))
            }
            _ => Ok(()),
        }
    }

    /// Notes a step the applicant sees.
    pub(crate) fn step(&mut self, what: &str, words: Words, note: Option<&str>, office: bool) {
        if self.open.body.steps.len() >= STEPS {
            return;
        }
        let office = office.then(|| self.open.row.organisation.clone());
        self.open.body.steps.push(StepBody {
            at: self.now,
            what: what.into(),
            words,
            note: note.filter(|note| !note.is_empty()).map(String::from),
            office,
        });
    }

    /// It stands so from now on; nothing is due unless something is said afterwards.
    pub(crate) fn becomes(&mut self, state: ApplicationState) {
        self.open.row.state = state as i64;
        self.open.row.due_at = NEVER;
        if state.ended() {
            for bill in &mut self.open.body.bills {
                let unpaid = bill.state == "open" && state != ApplicationState::Approved;
                if unpaid {
                    bill.state = "void".into();
                }
            }
        }
    }

    /// Who did it, for whoever comes too late.
    pub(crate) fn last(&mut self, by: &Actor) {
        let display = match by.display.is_empty() {
            true => by.account.clone(),
            false => by.display.clone(),
        };
        self.open.body.last = Some(Last {
            account: by.account.clone(),
            display,
            at: self.now,
        });
    }

    /// Something to be done afterwards, once for its kind and name.
    pub(crate) fn job(&mut self, kind: &str, name: &str) {
        let application = self.open.row.id.clone();
        self.write.jobs.push(JobRow {
            id: format!("{application}/{kind}/{name}"),
            application,
            kind: kind.into(),
            name: name.into(),
            at: self.now.0,
            next_at: self.now.0,
            attempts: 0,
            aside: 0,
            error: String::new(),
        });
    }

    /// A letter to be written.
    pub(crate) fn letter(&mut self, kind: &str) {
        let letters = &mut self.open.body.letters;
        let before = letters.iter().filter(|l| l.line.kind == kind).count();
        let key = format!("{kind}-{}", before + 1);
        letters.push(LetterBody {
            key: key.clone(),
            line: LetterLine {
                kind: kind.into(),
                number: String::new(),
                file: None,
                at: self.now,
            },
        });
        self.job("letter", &key);
    }

    /// A message to be sent; told once for its version of the application.
    pub(crate) fn notice(&mut self, what: &str) {
        let name = format!("{what}-{}", self.was + 1);
        self.job("notice", &name);
    }

    /// The case is to be told that everything is paid.
    pub(crate) fn message(&mut self) {
        let name = format!("paid-{}", self.was + 1);
        self.job("message", &name);
    }

    /// Counts something on the day of a moment.
    pub(crate) fn count(&mut self, at: Time, counts: Counts) {
        self.write.days.push(DayRow {
            organisation: self.open.row.organisation.clone(),
            day: desk::one_day(at.0),
            counts,
        });
    }

    /// Writes it into the audit log.
    pub(crate) fn audit(&mut self, by: &Actor, verb: &str, what: &str, details: Value) {
        let mut all = json!({
            "what": what,
            "number": self.open.row.number,
            "item": self.open.row.item,
            "state": self.open.state().word(),
        });
        if let (Some(all), Some(more)) = (all.as_object_mut(), details.as_object()) {
            all.extend(more.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        self.write.audits.push(AuditEntry {
            at: self.now,
            account: by.account.clone(),
            verb: verb.into(),
            object: crate::OBJECT.into(),
            subject: self.open.row.id.clone(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: by.on_behalf(all),
            outcome: "done".into(),
        });
    }

    /// Tells the log of events; nothing personal.
    pub(crate) fn event(&mut self, what: &str) {
        let row = &self.open.row;
        let body = json!({
            "application": row.id, "number": row.number, "item": row.item,
            "organisation": row.organisation, "state": self.open.state().word(), "what": what,
            "version": self.was + 1,
        });
        let about = row.id.clone();
        self.write.events.push((self.now, about, body));
    }
}

impl Engine {
    /// The change as one thing to write, with what it means for its bundle.
    pub(crate) async fn finish(&self, change: Change) -> Result<(Write, Open), Fault> {
        let Change {
            mut open,
            was,
            state_was,
            clock_was,
            now,
            quiet,
            mut write,
        } = change;
        open.row.version = was + 1;
        if !quiet {
            open.body.touched = was + 1;
        }
        let state_changed = open.state() != state_was;
        if open.row.parent.is_some() && (state_changed || open.clock() != clock_was) {
            self.follow_part(&open, was, state_changed, now, &mut write)
                .await?;
        }
        let row = self.closed(open.clone())?;
        write.applications.push(Put { row, was });
        Ok((write, open))
    }
}
