//! The smaller rows of cases: history, timers, waits, jobs, keys.

use super::rows::{optional, text};
use crate::sql::SqlRow;
use kernel::{Fault, Time};
use sea_query::Expr;

pub(super) const ENTRY: &[(&str, char)] = &[
    ("case_id", 't'),
    ("number", 'n'),
    ("at", 'n'),
    ("by", 't'),
    ("what", 't'),
    ("task", 'T'),
    ("node", 'T'),
    ("details", 't'),
];

pub(super) const TIMER: &[(&str, char)] = &[
    ("id", 't'),
    ("case_id", 't'),
    ("wait", 'n'),
    ("kind", 't'),
    ("due_at", 'n'),
    ("aside", 'n'),
    ("attempts", 'n'),
    ("error", 't'),
];

pub(super) const WAIT: &[(&str, char)] = &[
    ("id", 't'),
    ("case_id", 't'),
    ("wait", 'n'),
    ("kind", 't'),
    ("name", 't'),
    ("key", 't'),
];

pub(super) const JOB: &[(&str, char)] = &[
    ("id", 't'),
    ("case_id", 't'),
    ("wait", 'n'),
    ("kind", 't'),
    ("name", 't'),
    ("body", 't'),
    ("state", 'n'),
    ("attempts", 'n'),
    ("next_at", 'n'),
    ("lease_until", 'n'),
    ("error", 't'),
    ("at", 'n'),
];

/// An entry of the history of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryRow {
    /// Case.
    pub case_id: String,
    /// The entry; its number is set.
    pub entry: kernel::cases::Entry,
}

impl EntryRow {
    pub(super) fn values(&self) -> Vec<Expr> {
        let entry = &self.entry;
        vec![
            text(&self.case_id),
            Expr::val(entry.number),
            Expr::val(entry.at.0),
            text(&entry.by),
            text(&entry.what),
            optional(&entry.task),
            optional(&entry.node),
            Expr::val(entry.details.to_string()),
        ]
    }
}

/// A timer of a case, or the moment a light of it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimerRow {
    /// Identification: that of the case and the number of the wait.
    pub id: String,
    /// Case.
    pub case_id: String,
    /// Number of the wait.
    pub wait: i64,
    /// `timer`, `yellow` or `red`.
    pub kind: String,
    /// When.
    pub due_at: i64,
    /// Set aside: 1, else 0.
    pub aside: i64,
    /// Times it was tried.
    pub attempts: i64,
    /// What the last failure was.
    pub error: String,
}

impl TimerRow {
    pub(super) fn values(&self) -> Vec<Expr> {
        vec![
            text(&self.id),
            text(&self.case_id),
            Expr::val(self.wait),
            text(&self.kind),
            Expr::val(self.due_at),
            Expr::val(self.aside),
            Expr::val(self.attempts),
            text(&self.error),
        ]
    }

    pub(super) fn read(row: &SqlRow) -> Result<TimerRow, Fault> {
        Ok(TimerRow {
            id: row.text("id")?,
            case_id: row.text("case_id")?,
            wait: row.i64("wait")?,
            kind: row.text("kind")?,
            due_at: row.i64("due_at")?,
            aside: row.i64("aside")?,
            attempts: row.i64("attempts")?,
            error: row.text("error")?,
        })
    }
}

/// A message or signal that a case waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitRow {
    /// Identification.
    pub id: String,
    /// Case.
    pub case_id: String,
    /// Number of the wait.
    pub wait: i64,
    /// `message` or `signal`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// What tells for which case it is, JSON; `null` for any.
    pub key: String,
}

impl WaitRow {
    pub(super) fn values(&self) -> Vec<Expr> {
        vec![
            text(&self.id),
            text(&self.case_id),
            Expr::val(self.wait),
            text(&self.kind),
            text(&self.name),
            text(&self.key),
        ]
    }

    pub(super) fn read(row: &SqlRow) -> Result<WaitRow, Fault> {
        Ok(WaitRow {
            id: row.text("id")?,
            case_id: row.text("case_id")?,
            wait: row.i64("wait")?,
            kind: row.text("kind")?,
            name: row.text("name")?,
            key: row.text("key")?,
        })
    }
}

/// How a job stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobState {
    /// Waits for its time.
    #[default]
    Waiting,
    /// Reserved by somebody who does it.
    Reserved,
    /// Tried too often.
    Aside,
}

/// Something to be done because of a step, after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobRow {
    /// Identification.
    pub id: String,
    /// Case.
    pub case_id: String,
    /// Number of the wait; 0 when nothing waits for it; of a `start` the version of its process.
    pub wait: i64,
    /// `service`, `message`, `signal`, `call`, `return`, `cancel`, `escalation`, `start`.
    pub kind: String,
    /// Name of the function, message, signal or process.
    pub name: String,
    /// Particulars, JSON.
    pub body: String,
    /// How it stands.
    pub state: JobState,
    /// Times it was tried.
    pub attempts: i64,
    /// When next.
    pub next_at: i64,
    /// Until when it is reserved.
    pub lease_until: i64,
    /// What the last failure was.
    pub error: String,
    /// When it was last changed.
    pub at: i64,
}

impl JobRow {
    pub(super) fn values(&self) -> Vec<Expr> {
        vec![
            text(&self.id),
            text(&self.case_id),
            Expr::val(self.wait),
            text(&self.kind),
            text(&self.name),
            text(&self.body),
            Expr::val(self.state as i64),
            Expr::val(self.attempts),
            Expr::val(self.next_at),
            Expr::val(self.lease_until),
            text(&self.error),
            Expr::val(self.at),
        ]
    }

    pub(super) fn read(row: &SqlRow) -> Result<JobRow, Fault> {
        let state = match row.i64("state")? {
            0 => JobState::Waiting,
            1 => JobState::Reserved,
            _ => JobState::Aside,
        };
        Ok(JobRow {
            id: row.text("id")?,
            case_id: row.text("case_id")?,
            wait: row.i64("wait")?,
            kind: row.text("kind")?,
            name: row.text("name")?,
            body: row.text("body")?,
            state,
            attempts: row.i64("attempts")?,
            next_at: row.i64("next_at")?,
            lease_until: row.i64("lease_until")?,
            error: row.text("error")?,
            at: row.i64("at")?,
        })
    }
}

/// An idempotency key that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Account and key.
    pub key: String,
    /// Case it led to.
    pub case_id: String,
    /// Digest of what was asked, so that another request under the same key is refused.
    pub said: String,
    /// When.
    pub at: Time,
}
