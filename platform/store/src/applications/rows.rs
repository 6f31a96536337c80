//! Rows of the tables of applications, and how they are read and written.

use super::tables::Columns;
use crate::sql::SqlRow;
use kernel::Fault;
use sea_query::Value;

/// A moment that never comes: of what is not due.
pub const NEVER: i64 = i64::MAX;

pub(super) const DRAFT: Columns = &[
    ("id", 't'),
    ("open_key", 'T'),
    ("owner", 't'),
    ("item", 't'),
    ("saved_at", 'n'),
    ("expires_at", 'n'),
    ("submitted_as", 'T'),
    ("version", 'n'),
    ("body", 'b'),
];
pub(super) const APPLICATION: Columns = &[
    ("id", 't'),
    ("number", 't'),
    ("item", 't'),
    ("item_version", 'n'),
    ("organisation", 't'),
    ("channel", 't'),
    ("matter", 't'),
    ("owner", 't'),
    ("source", 't'),
    ("parent", 'T'),
    ("bundle", 'n'),
    ("case_id", 'T'),
    ("state", 'n'),
    ("submitted_at", 'n'),
    ("accepted_at", 'N'),
    ("decided_at", 'N'),
    ("due_at", 'n'),
    ("title_zh", 't'),
    ("title_en", 't'),
    ("check_digest", 't'),
    ("undelivered", 'n'),
    ("rating", 'N'),
    ("unanswered", 'n'),
    ("version", 'n'),
    ("body", 'b'),
];
pub(super) const JOB: Columns = &[
    ("id", 't'),
    ("application", 't'),
    ("kind", 't'),
    ("name", 't'),
    ("at", 'n'),
    ("next_at", 'n'),
    ("attempts", 'n'),
    ("aside", 'n'),
    ("error", 't'),
];
pub(super) const DAY: Columns = &[
    ("organisation", 't'),
    ("day", 'n'),
    ("submitted", 'n'),
    ("online", 'n'),
    ("decided", 'n'),
    ("on_time", 'n'),
    ("rated", 'n'),
    ("good", 'n'),
    ("bad", 'n'),
    ("answered", 'n'),
];

/// A draft.
#[derive(Clone, PartialEq)]
pub struct DraftRow {
    /// Identification.
    pub id: String,
    /// Keyed digest of owner, applicant and item; `None` once it was handed in.
    pub open_key: Option<String>,
    /// Keyed digest of whose draft it is.
    pub owner: String,
    /// Item.
    pub item: String,
    /// When it was saved, microseconds UTC.
    pub saved_at: i64,
    /// When it is forgotten.
    pub expires_at: i64,
    /// The application it was handed in as.
    pub submitted_as: Option<String>,
    /// Its version, from 1.
    pub version: i64,
    /// What it holds, sealed.
    pub body: Vec<u8>,
}

/// An application.
#[derive(Clone, PartialEq)]
pub struct ApplicationRow {
    /// Identification.
    pub id: String,
    /// Number; empty until it is given one in the transaction that adds it.
    pub number: String,
    /// Item.
    pub item: String,
    /// Version of the item.
    pub item_version: i64,
    /// Organisation in charge.
    pub organisation: String,
    /// Way it came.
    pub channel: String,
    /// Kind of matter an agent must be authorised for.
    pub matter: String,
    /// Keyed digest of the applicant.
    pub owner: String,
    /// Draft it was handed in as, with `/<item>` for a part: unique.
    pub source: String,
    /// Bundle it is part of.
    pub parent: Option<String>,
    /// 1 when it bundles others.
    pub bundle: i64,
    /// Its case.
    pub case_id: Option<String>,
    /// Number of its state.
    pub state: i64,
    /// When it was handed in.
    pub submitted_at: i64,
    /// When it was accepted.
    pub accepted_at: Option<i64>,
    /// When it was decided, or ended otherwise.
    pub decided_at: Option<i64>,
    /// Until when the clerk must answer; [`NEVER`] when nothing runs.
    pub due_at: i64,
    /// Title in Chinese.
    pub title_zh: String,
    /// Title in English.
    pub title_en: String,
    /// Keyed digest of number and check code; empty until it has a number.
    pub check_digest: String,
    /// 1 while its result waits for delivery.
    pub undelivered: i64,
    /// Mark.
    pub rating: Option<i64>,
    /// 1 while a bad mark is not answered.
    pub unanswered: i64,
    /// Its version, from 1.
    pub version: i64,
    /// What it holds, sealed.
    pub body: Vec<u8>,
}

/// Something to be done for an application after a change.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// Identification: what is done under it is done once.
    pub id: String,
    /// Application; for files of a draft, the draft.
    pub application: String,
    /// `case`, `cancel`, `message`, `letter`, `notice`, `files`.
    pub kind: String,
    /// Which one of its kind.
    pub name: String,
    /// When it was written.
    pub at: i64,
    /// When it is tried next.
    pub next_at: i64,
    /// Attempts so far.
    pub attempts: i64,
    /// 1 when it was tried too often.
    pub aside: i64,
    /// What the last failure was.
    pub error: String,
}

/// What is counted on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed in.
    pub submitted: i64,
    /// Of them on line.
    pub online: i64,
    /// Decided.
    pub decided: i64,
    /// Of them in time.
    pub on_time: i64,
    /// Ratings.
    pub rated: i64,
    /// Of them 3 or better.
    pub good: i64,
    /// Bad marks.
    pub bad: i64,
    /// Of them answered in time.
    pub answered: i64,
}

/// Counts of an organisation on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRow {
    /// Organisation.
    pub organisation: String,
    /// Day, counted from 1970-01-01 in Beijing.
    pub day: i64,
    /// Counts.
    pub counts: Counts,
}

pub(super) fn names(columns: Columns) -> impl Iterator<Item = &'static str> {
    columns.iter().map(|(name, _)| *name)
}

impl DraftRow {
    pub(super) fn read(row: &SqlRow) -> Result<DraftRow, Fault> {
        Ok(DraftRow {
            id: row.text("id")?,
            open_key: row.opt_text("open_key")?,
            owner: row.text("owner")?,
            item: row.text("item")?,
            saved_at: row.i64("saved_at")?,
            expires_at: row.i64("expires_at")?,
            submitted_as: row.opt_text("submitted_as")?,
            version: row.i64("version")?,
            body: row.bytes("body")?,
        })
    }
    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            self.id.clone().into(),
            self.open_key.clone().into(),
            self.owner.clone().into(),
            self.item.clone().into(),
            self.saved_at.into(),
            self.expires_at.into(),
            self.submitted_as.clone().into(),
            self.version.into(),
            self.body.clone().into(),
        ]
    }
}

impl ApplicationRow {
    pub(super) fn read(row: &SqlRow) -> Result<ApplicationRow, Fault> {
        Ok(ApplicationRow {
            id: row.text("id")?,
            number: row.text("number")?,
            item: row.text("item")?,
            item_version: row.i64("item_version")?,
            organisation: row.text("organisation")?,
            channel: row.text("channel")?,
            matter: row.text("matter")?,
            owner: row.text("owner")?,
            source: row.text("source")?,
            parent: row.opt_text("parent")?,
            bundle: row.i64("bundle")?,
            case_id: row.opt_text("case_id")?,
            state: row.i64("state")?,
            submitted_at: row.i64("submitted_at")?,
            accepted_at: row.opt_i64("accepted_at")?,
            decided_at: row.opt_i64("decided_at")?,
            due_at: row.i64("due_at")?,
            title_zh: row.text("title_zh")?,
            title_en: row.text("title_en")?,
            check_digest: row.text("check_digest")?,
            undelivered: row.i64("undelivered")?,
            rating: row.opt_i64("rating")?,
            unanswered: row.i64("unanswered")?,
            version: row.i64("version")?,
            body: row.bytes("body")?,
        })
    }
    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            self.id.clone().into(),
            self.number.clone().into(),
            self.item.clone().into(),
            self.item_version.into(),
            self.organisation.clone().into(),
            self.channel.clone().into(),
            self.matter.clone().into(),
            self.owner.clone().into(),
            self.source.clone().into(),
            self.parent.clone().into(),
            self.bundle.into(),
            self.case_id.clone().into(),
            self.state.into(),
            self.submitted_at.into(),
            self.accepted_at.into(),
            self.decided_at.into(),
            self.due_at.into(),
            self.title_zh.clone().into(),
            self.title_en.clone().into(),
            self.check_digest.clone().into(),
            self.undelivered.into(),
            self.rating.into(),
            self.unanswered.into(),
            self.version.into(),
            self.body.clone().into(),
        ]
    }
}

impl JobRow {
    pub(super) fn read(row: &SqlRow) -> Result<JobRow, Fault> {
        Ok(JobRow {
            id: row.text("id")?,
            application: row.text("application")?,
            kind: row.text("kind")?,
            name: row.text("name")?,
            at: row.i64("at")?,
            next_at: row.i64("next_at")?,
            attempts: row.i64("attempts")?,
            aside: row.i64("aside")?,
            error: row.text("error")?,
        })
    }
    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            self.id.clone().into(),
            self.application.clone().into(),
            self.kind.clone().into(),
            self.name.clone().into(),
            self.at.into(),
            self.next_at.into(),
            self.attempts.into(),
            self.aside.into(),
            self.error.clone().into(),
        ]
    }
}

impl Counts {
    pub(super) fn values(&self) -> [i64; 8] {
        [
            self.submitted,
            self.online,
            self.decided,
            self.on_time,
            self.rated,
            self.good,
            self.bad,
            self.answered,
        ]
    }
    pub(super) fn read(row: &SqlRow) -> Result<Counts, Fault> {
        Ok(Counts {
            submitted: row.i64("submitted")?,
            online: row.i64("online")?,
            decided: row.i64("decided")?,
            on_time: row.i64("on_time")?,
            rated: row.i64("rated")?,
            good: row.i64("good")?,
            bad: row.i64("bad")?,
            answered: row.i64("answered")?,
        })
    }
    /// Adds others.
    pub fn add(&mut self, other: &Counts) {
        self.submitted += other.submitted;
        self.online += other.online;
        self.decided += other.decided;
        self.on_time += other.on_time;
        self.rated += other.rated;
        self.good += other.good;
        self.bad += other.bad;
        self.answered += other.answered;
    }
}
