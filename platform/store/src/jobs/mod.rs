//! Jobs: work the city does by itself, such as folding the log, pruning, a nightly backup. A job
//! takes no input and may be repeated: it looks at what there is to do and does it. Its state is
//! in the store, where the operator sees it, and survives a restart; a time that was missed while
//! the city was down is made up for once.
//!
//! A failed run is tried again after a growing wait, a bounded number of times; then the job is
//! marked failed until its next regular time. [`runner`] runs them.

mod runner;

pub use runner::{Handler, Jobs};

use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::{Fault, Span, Time};
use sea_query::{ColumnDef, Order, Query, SelectStatement, Table};
use serde::Serialize;

const COLUMNS: [&str; 10] = [
    "name",
    "state",
    "next_at",
    "started_at",
    "ended_at",
    "lease_until",
    "attempts",
    "runs",
    "failures",
    "error",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "jobs_1",
        statements: |_| {
            vec![step(
                Table::create()
                    .table("jobs")
                    .col(ColumnDef::new("name").text().not_null().primary_key())
                    .col(ColumnDef::new("state").text().not_null())
                    .col(ColumnDef::new("next_at").big_integer().not_null())
                    .col(ColumnDef::new("started_at").big_integer())
                    .col(ColumnDef::new("ended_at").big_integer())
                    .col(ColumnDef::new("lease_until").big_integer())
                    .col(ColumnDef::new("attempts").big_integer().not_null())
                    .col(ColumnDef::new("runs").big_integer().not_null())
                    .col(ColumnDef::new("failures").big_integer().not_null())
                    .col(ColumnDef::new("error").text())
                    .to_owned(),
            )]
        },
    }]
}

/// When a job is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// This long after the run before.
    Every(Span),
    /// Every day, this long after Beijing midnight.
    DailyAt(Span),
}

impl Schedule {
    /// The next regular time after `now`.
    fn next(self, now: Time) -> Time {
        let day = Span::days(1);
        match self {
            Schedule::Every(span) => now + span,
            Schedule::DailyAt(offset) => {
                let today = now.floor(day) + offset;
                if today > now { today } else { today + day }
            }
        }
    }
}

/// How a job is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlan {
    /// Unique name, such as `prune_events`.
    pub name: &'static str,
    /// When it is due.
    pub schedule: Schedule,
    /// Wait after the first failure; doubles with each further one.
    pub retry_wait: Span,
    /// The wait does not grow beyond this.
    pub retry_wait_limit: Span,
    /// Runs in a row that may fail before the job is marked failed.
    pub attempts: u32,
    /// A run that takes longer is stopped and has failed.
    pub time_limit: Span,
}

impl JobPlan {
    /// A plan with usual limits: five attempts, ten seconds between the first two, at most ten
    /// minutes between the last, half an hour for a run.
    pub fn new(name: &'static str, schedule: Schedule) -> JobPlan {
        JobPlan {
            name,
            schedule,
            retry_wait: Span::seconds(10),
            retry_wait_limit: Span::minutes(10),
            attempts: 5,
            time_limit: Span::minutes(30),
        }
    }

    /// The wait after this many failures in a row.
    fn wait_after(&self, failures: u32) -> Span {
        let doublings = std::cmp::min(failures.saturating_sub(1), 40);
        let wait = self.retry_wait.0.saturating_mul(1 << doublings);
        Span(std::cmp::min(wait, self.retry_wait_limit.0))
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time.
    Waiting,
    /// Is being run.
    Running,
    /// Failed and will be tried again.
    Retrying,
    /// Failed at every attempt; waits for its next regular time.
    Failed,
}

impl JobState {
    const ALL: [JobState; 4] = [
        JobState::Waiting,
        JobState::Running,
        JobState::Retrying,
        JobState::Failed,
    ];

    /// The word in the store and the API.
    pub fn word(self) -> &'static str {
        ["waiting", "running", "retrying", "failed"][self as usize]
    }
}

/// A job as the operator sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JobStatus {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: JobState,
    /// When it is due next.
    pub next_at: Time,
    /// When its last run began.
    pub started_at: Option<Time>,
    /// When its last run ended.
    pub ended_at: Option<Time>,
    /// While it runs: when it is given up, should the process running it be gone.
    pub lease_until: Option<Time>,
    /// Failures in a row.
    pub attempts: u32,
    /// Runs that ended, ever.
    pub runs: u64,
    /// Of them failed.
    pub failures: u64,
    /// What the last failure was; kept until a run succeeds.
    pub error: Option<String>,
}

fn status(row: &SqlRow) -> Result<JobStatus, Fault> {
    let word = row.text("state")?;
    let state = JobState::ALL.into_iter().find(|state| state.word() == word);
    Ok(JobStatus {
        name: row.text("name")?,
        state: state.ok_or_else(|| Fault::internal("reading a job", format!("state {word}")))?,
        next_at: Time(row.i64("next_at")?),
        started_at: row.opt_i64("started_at")?.map(Time),
        ended_at: row.opt_i64("ended_at")?.map(Time),
        lease_until: row.opt_i64("lease_until")?.map(Time),
        attempts: u32::try_from(row.i64("attempts")?).unwrap_or(u32::MAX),
        runs: row.i64("runs")? as u64,
        failures: row.i64("failures")? as u64,
        error: row.opt_text("error")?,
    })
}

fn all_jobs() -> SelectStatement {
    Query::select()
        .columns(COLUMNS)
        .from("jobs")
        .order_by("name", Order::Asc)
        .limit(1000)
        .to_owned()
}

async fn read_all(run: &mut impl Run) -> Result<Vec<JobStatus>, Fault> {
    run.fetch_all(&all_jobs())
        .await?
        .iter()
        .map(status)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_limit() {
        let plan = JobPlan::new("x", Schedule::Every(Span::hours(1)));
        let check = |failures, seconds| {
            assert_eq!(
                plan.wait_after(failures),
                Span::seconds(seconds),
                "{failures}"
            );
        };
        check(1, 10);
        check(2, 20);
        check(3, 40);
        check(6, 320);
        check(7, 600);
        check(1000, 600);
    }

    #[test]
    fn daily_jobs_run_at_their_beijing_hour() {
        let schedule = Schedule::DailyAt(Span::hours(3));
        let check = |now: &str, next: &str| {
            let parse = |text| Time::parse(text).unwrap();
            assert_eq!(schedule.next(parse(now)), parse(next), "{now}");
        };
        check("2026-11-21T02:59:59+08:00", "2026-11-21T03:00:00+08:00");
        check("2026-11-21T03:00:00+08:00", "2026-11-22T03:00:00+08:00");
        check("2026-11-21T23:00:00Z", "2026-11-23T03:00:00+08:00");
    }
}
