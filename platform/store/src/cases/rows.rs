//! Rows of cases, and how each is read and written.

use crate::sql::SqlRow;
use kernel::cases::{CaseState, TaskKind, TaskState};
use kernel::{Fault, Time};
use sea_query::Expr;

/// A moment that never comes: due of what has no limit. One before it: of a clock that is stopped.
pub const NEVER: i64 = i64::MAX;
/// The state of a case is packed from so many bytes on.
const PACK_FROM: usize = 2_048;
/// A packed state unpacks to at most this.
const UNPACKED_LIMIT: usize = 4 << 20;

pub(super) const CASE: &[(&str, char)] = &[
    ("id", 't'),
    ("number", 't'),
    ("process", 't'),
    ("version", 'n'),
    ("title", 't'),
    ("organisation", 'T'),
    ("state", 'n'),
    ("error", 'T'),
    ("started_by", 't'),
    ("started_at", 'n'),
    ("ended_at", 'N'),
    ("parent", 'T'),
    ("parent_wait", 'n'),
    ("depth", 'n'),
    ("stuck", 'n'),
    ("clocked", 'n'),
    ("revision", 'n'),
    ("entries", 'n'),
    ("body", 'b'),
];

pub(super) const TASK: &[(&str, char)] = &[
    ("id", 't'),
    ("case_id", 't'),
    ("wait", 'n'),
    ("number", 't'),
    ("title", 't'),
    ("process", 't'),
    ("node", 't'),
    ("name", 't'),
    ("kind", 'n'),
    ("state", 'n'),
    ("queue", 'N'),
    ("assignee", 'T'),
    ("owner", 'T'),
    ("roles", 't'),
    ("organisation", 'T'),
    ("parent", 'T'),
    ("form", 'T'),
    ("opened_at", 'n'),
    ("opened_in", 'n'),
    ("claimed_at", 'N'),
    ("ended_at", 'N'),
    ("ended_in", 'n'),
    ("ended_by", 'T'),
    ("ended_name", 't'),
    ("due_at", 'n'),
    ("yellow_at", 'n'),
    ("clock", 'T'),
    ("signers", 'n'),
    ("urged", 'n'),
    ("urged_at", 'N'),
    ("revision", 'n'),
];

pub(super) fn names(
    columns: &'static [(&'static str, char)],
) -> impl Iterator<Item = &'static str> {
    columns.iter().map(|(name, _)| *name)
}

/// A case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRow {
    /// Identification.
    pub id: String,
    /// Number people know it by.
    pub number: String,
    /// Process.
    pub process: String,
    /// Its version.
    pub version: i64,
    /// What it is about.
    pub title: String,
    /// Organisation in charge.
    pub organisation: Option<String>,
    /// How it stands.
    pub state: CaseState,
    /// Code of the error that ended it.
    pub error: Option<String>,
    /// Account that started it.
    pub started_by: String,
    /// When.
    pub started_at: Time,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Case that called it.
    pub parent: Option<String>,
    /// The wait of that case.
    pub parent_wait: i64,
    /// Cases above it.
    pub depth: i64,
    /// Tokens that cannot go on.
    pub stuck: i64,
    /// A clock runs in it: 1, else 0.
    pub clocked: i64,
    /// Steps it has taken.
    pub revision: i64,
    /// Entries of its history.
    pub entries: i64,
    /// Its state, as [`pack`] makes it.
    pub body: Vec<u8>,
}

/// Packs the state of a case.
pub fn pack(json: &[u8]) -> Result<Vec<u8>, Fault> {
    if json.len() < PACK_FROM {
        return Ok([b"0", json].concat());
    }
    let packed = zstd::bulk::compress(json, 1).map_err(|e| Fault::internal("packing a case", e))?;
    Ok([b"1", packed.as_slice()].concat())
}

/// The other way.
pub fn unpack(body: &[u8]) -> Result<Vec<u8>, Fault> {
    match body.split_first() {
        Some((b'0', json)) => Ok(json.to_vec()),
        Some((b'1', packed)) => zstd::bulk::decompress(packed, UNPACKED_LIMIT)
            .map_err(|e| Fault::internal("unpacking a case", e)),
        _ => Err(Fault::internal("unpacking a case", "of no known form")),
    }
}

pub(super) fn optional(text: &Option<String>) -> Expr {
    Expr::val(text.clone())
}

fn moment(time: Option<Time>) -> Expr {
    Expr::val(time.map(|t| t.0))
}

pub(super) fn text(text: &str) -> Expr {
    Expr::val(text)
}

impl CaseRow {
    pub(super) fn values(&self) -> Vec<Expr> {
        vec![
            text(&self.id),
            text(&self.number),
            text(&self.process),
            Expr::val(self.version),
            text(&self.title),
            optional(&self.organisation),
            Expr::val(self.state as i64),
            optional(&self.error),
            text(&self.started_by),
            Expr::val(self.started_at.0),
            moment(self.ended_at),
            optional(&self.parent),
            Expr::val(self.parent_wait),
            Expr::val(self.depth),
            Expr::val(self.stuck),
            Expr::val(self.clocked),
            Expr::val(self.revision),
            Expr::val(self.entries),
            Expr::val(self.body.clone()),
        ]
    }

    pub(super) fn read(row: &SqlRow) -> Result<CaseRow, Fault> {
        let state = row.i64("state")?;
        let state = CaseState::ALL.into_iter().find(|s| *s as i64 == state);
        Ok(CaseRow {
            id: row.text("id")?,
            number: row.text("number")?,
            process: row.text("process")?,
            version: row.i64("version")?,
            title: row.text("title")?,
            organisation: row.opt_text("organisation")?,
            state: state.ok_or_else(|| Fault::internal("reading a case", "its state"))?,
            error: row.opt_text("error")?,
            started_by: row.text("started_by")?,
            started_at: Time(row.i64("started_at")?),
            ended_at: row.opt_i64("ended_at")?.map(Time),
            parent: row.opt_text("parent")?,
            parent_wait: row.i64("parent_wait")?,
            depth: row.i64("depth")?,
            stuck: row.i64("stuck")?,
            clocked: row.i64("clocked")?,
            revision: row.i64("revision")?,
            entries: row.i64("entries")?,
            body: row.bytes("body")?,
        })
    }
}

/// Where a task waits: one for each process and set of people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Queue {
    /// Its number: of process and signature.
    pub id: i64,
    /// Process.
    pub process: String,
    /// Who: holders, in order, one a line. A holder is `a:account`, `o:organisation`, `r:role` or
    /// `r:role@organisation`.
    pub signature: String,
}

impl Queue {
    /// The queue of these people in this process.
    pub fn of(process: &str, holders: &[String]) -> Queue {
        use sha2::{Digest, Sha256};
        let mut holders = holders.to_vec();
        holders.sort_unstable();
        holders.dedup();
        let signature = holders.join("\n");
        let mut hash = Sha256::new();
        hash.update(process.as_bytes());
        hash.update([0]);
        hash.update(signature.as_bytes());
        let hash = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Queue {
            id: i64::from_be_bytes(first),
            process: process.into(),
            signature,
        }
    }
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRow {
    /// Identification: that of the case, the number of its wait, and for added ones a number.
    pub id: String,
    /// Case.
    pub case_id: String,
    /// Number of the wait in the case.
    pub wait: i64,
    /// Number of the case.
    pub number: String,
    /// What the case is about.
    pub title: String,
    /// Process.
    pub process: String,
    /// Node of the drawing.
    pub node: String,
    /// Name for people.
    pub name: String,
    /// What kind.
    pub kind: TaskKind,
    /// How it stands.
    pub state: TaskState,
    /// Queue it waits in; `None` when it is over.
    pub queue: Option<i64>,
    /// Account that has it in hand.
    pub assignee: Option<String>,
    /// Account for whom it is done.
    pub owner: Option<String>,
    /// Roles that may take it.
    pub roles: Vec<String>,
    /// Organisation whose members may take it.
    pub organisation: Option<String>,
    /// Task it belongs to.
    pub parent: Option<String>,
    /// Form.
    pub form: Option<String>,
    /// Since when it is open.
    pub opened_at: Time,
    /// Revision of the case it was opened in.
    pub opened_in: i64,
    /// When it was taken.
    pub claimed_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Revision of the case it ended in; 0 while open.
    pub ended_in: i64,
    /// Account that ended it.
    pub ended_by: Option<String>,
    /// Their name.
    pub ended_name: String,
    /// When its clock is over; [`NEVER`] without one, one less while it is stopped.
    pub due_at: i64,
    /// When its light turns yellow; likewise.
    pub yellow_at: i64,
    /// Its clock, JSON.
    pub clock: Option<String>,
    /// Opinions of added signers that are not there yet.
    pub signers: i64,
    /// Times it was urged.
    pub urged: i64,
    /// When last.
    pub urged_at: Option<Time>,
    /// Changes so far.
    pub revision: i64,
}

impl TaskRow {
    /// The queue it waits in: that of its assignee, else of those it is offered to.
    pub fn place(&self) -> Queue {
        let holders = match (&self.assignee, &self.organisation) {
            (Some(account), _) => vec![format!("a:{account}")],
            (None, Some(organisation)) if self.roles.is_empty() => {
                vec![format!("o:{organisation}")]
            }
            (None, Some(organisation)) => {
                let one = |role: &String| format!("r:{role}@{organisation}");
                self.roles.iter().map(one).collect()
            }
            (None, None) => self.roles.iter().map(|role| format!("r:{role}")).collect(),
        };
        Queue::of(&self.process, &holders)
    }

    pub(super) fn values(&self) -> Vec<Expr> {
        vec![
            text(&self.id),
            text(&self.case_id),
            Expr::val(self.wait),
            text(&self.number),
            text(&self.title),
            text(&self.process),
            text(&self.node),
            text(&self.name),
            Expr::val(self.kind as i64),
            Expr::val(self.state as i64),
            Expr::val(self.queue),
            optional(&self.assignee),
            optional(&self.owner),
            Expr::val(self.roles.join("\n")),
            optional(&self.organisation),
            optional(&self.parent),
            optional(&self.form),
            Expr::val(self.opened_at.0),
            Expr::val(self.opened_in),
            moment(self.claimed_at),
            moment(self.ended_at),
            Expr::val(self.ended_in),
            optional(&self.ended_by),
            text(&self.ended_name),
            Expr::val(self.due_at),
            Expr::val(self.yellow_at),
            optional(&self.clock),
            Expr::val(self.signers),
            Expr::val(self.urged),
            moment(self.urged_at),
            Expr::val(self.revision),
        ]
    }

    pub(super) fn read(row: &SqlRow) -> Result<TaskRow, Fault> {
        let damaged = |what: &str| Fault::internal("reading a task", what);
        let kind = row.i64("kind")?;
        let kind = TaskKind::ALL.into_iter().find(|k| *k as i64 == kind);
        let state = row.i64("state")?;
        let state = TaskState::ALL.into_iter().find(|s| *s as i64 == state);
        let roles = row.text("roles")?;
        Ok(TaskRow {
            id: row.text("id")?,
            case_id: row.text("case_id")?,
            wait: row.i64("wait")?,
            number: row.text("number")?,
            title: row.text("title")?,
            process: row.text("process")?,
            node: row.text("node")?,
            name: row.text("name")?,
            kind: kind.ok_or_else(|| damaged("its kind"))?,
            state: state.ok_or_else(|| damaged("its state"))?,
            queue: row.opt_i64("queue")?,
            assignee: row.opt_text("assignee")?,
            owner: row.opt_text("owner")?,
            roles: roles.split_terminator('\n').map(String::from).collect(),
            organisation: row.opt_text("organisation")?,
            parent: row.opt_text("parent")?,
            form: row.opt_text("form")?,
            opened_at: Time(row.i64("opened_at")?),
            opened_in: row.i64("opened_in")?,
            claimed_at: row.opt_i64("claimed_at")?.map(Time),
            ended_at: row.opt_i64("ended_at")?.map(Time),
            ended_in: row.i64("ended_in")?,
            ended_by: row.opt_text("ended_by")?,
            ended_name: row.text("ended_name")?,
            due_at: row.i64("due_at")?,
            yellow_at: row.i64("yellow_at")?,
            clock: row.opt_text("clock")?,
            signers: row.i64("signers")?,
            urged: row.i64("urged")?,
            urged_at: row.opt_i64("urged_at")?.map(Time),
            revision: row.i64("revision")?,
        })
    }
}
