//! What is to be done after a step: timers that are due, and jobs.

use super::rows::names;
use super::small::{JOB, JobRow, JobState, TIMER, TimerRow};
use crate::Tx;
use crate::sql::Run;
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, Func, Order, Query};

/// The kind of a job that begins a case at a time. Its name is the process, its wait the version.
pub const START: &str = "start";

/// Timers that are due, the earliest first.
pub async fn due_timers(run: &mut impl Run, now: Time, limit: u64) -> Result<Vec<TimerRow>, Fault> {
    let question = Query::select()
        .columns(names(TIMER))
        .from("case_timers")
        .and_where(Expr::col("aside").eq(0))
        .and_where(Expr::col("due_at").lte(now.0))
        .order_by("due_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TimerRow::read).collect()
}

/// Jobs that are due: those that wait, and those whose reservation ran out. Services, except those
/// of some names, or everything but services.
pub async fn due_jobs(
    run: &mut impl Run,
    now: Time,
    services: bool,
    but: &[String],
    limit: u64,
) -> Result<Vec<JobRow>, Fault> {
    let mut found = vec![];
    for state in [JobState::Waiting, JobState::Reserved] {
        let mut question = Query::select();
        question
            .columns(names(JOB))
            .from("case_jobs")
            .and_where(Expr::col("state").eq(state as i64))
            .and_where(Expr::col("next_at").lte(now.0));
        if services {
            question.and_where(Expr::col("kind").eq("service"));
        } else {
            question.and_where(Expr::col("kind").ne("service"));
        }
        if !but.is_empty() {
            question.and_where(Expr::col("name").is_not_in(but.iter().map(String::as_str)));
        }
        question
            .order_by("next_at", Order::Asc)
            .order_by("id", Order::Asc)
            .limit(limit);
        for row in run.fetch_all(&question).await? {
            found.push(JobRow::read(&row)?);
        }
    }
    Ok(found)
}

/// Jobs of a kind that a case has left to do, those set aside too, in order; 1,000 at most.
pub async fn jobs_of(run: &mut impl Run, case: &str, kind: &str) -> Result<Vec<JobRow>, Fault> {
    let question = Query::select()
        .columns(names(JOB))
        .from("case_jobs")
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("kind").eq(kind))
        .order_by("at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(1000)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(JobRow::read).collect()
}

/// What begins cases at a time, after an identification, in order: of one process, or of all.
pub async fn starts(
    run: &mut impl Run,
    process: Option<&str>,
    after: &str,
    limit: u64,
) -> Result<Vec<JobRow>, Fault> {
    let mut question = Query::select();
    question
        .columns(names(JOB))
        .from("case_jobs")
        .and_where(Expr::col("kind").eq(START))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(limit);
    if let Some(process) = process {
        question.and_where(Expr::col("name").eq(process));
    }
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(JobRow::read).collect()
}

/// Takes away what begins cases of a process at a time.
pub async fn drop_starts(tx: &mut Tx, process: &str) -> Result<(), Fault> {
    let statement = Query::delete()
        .from_table("case_jobs")
        .and_where(Expr::col("kind").eq(START))
        .and_where(Expr::col("name").eq(process))
        .to_owned();
    tx.execute(&statement).await.map(drop)
}

/// Reserves a job until a time, counting the attempt; `false` when somebody else has it, or it is
/// there no more. While it is reserved `next_at` is when the reservation runs out.
pub async fn reserve(tx: &mut Tx, job: &JobRow, until: Time, now: Time) -> Result<bool, Fault> {
    let statement = Query::update()
        .table("case_jobs")
        .value("state", JobState::Reserved as i64)
        .value("attempts", job.attempts + 1)
        .value("next_at", until.0)
        .value("lease_until", until.0)
        .value("at", now.0)
        .and_where(Expr::col("id").eq(job.id.as_str()))
        .and_where(Expr::col("state").eq(job.state as i64))
        .and_where(Expr::col("attempts").eq(job.attempts))
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// Gives every reservation up: at the start, when nobody else can hold one.
pub async fn release_all(tx: &mut Tx, now: Time) -> Result<u64, Fault> {
    let statement = Query::update()
        .table("case_jobs")
        .value("state", JobState::Waiting as i64)
        .value("next_at", now.0)
        .and_where(Expr::col("state").eq(JobState::Reserved as i64))
        .to_owned();
    tx.execute(&statement).await
}

/// Notes how an attempt that failed leaves a job, if it is still there.
pub async fn failed(tx: &mut Tx, job: &JobRow) -> Result<(), Fault> {
    let statement = Query::update()
        .table("case_jobs")
        .value("state", job.state as i64)
        .value("attempts", job.attempts)
        .value("next_at", job.next_at)
        .value("error", job.error.as_str())
        .value("at", job.at)
        .and_where(Expr::col("id").eq(job.id.as_str()))
        .to_owned();
    tx.execute(&statement).await.map(drop)
}

/// The same of a timer.
pub async fn timer_failed(tx: &mut Tx, timer: &TimerRow) -> Result<(), Fault> {
    let statement = Query::update()
        .table("case_timers")
        .value("aside", timer.aside)
        .value("attempts", timer.attempts)
        .value("due_at", timer.due_at)
        .value("error", timer.error.as_str())
        .and_where(Expr::col("id").eq(timer.id.as_str()))
        .to_owned();
    tx.execute(&statement).await.map(drop)
}

/// A job.
pub async fn job(run: &mut impl Run, id: &str) -> Result<Option<JobRow>, Fault> {
    let question = Query::select()
        .columns(names(JOB))
        .from("case_jobs")
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| JobRow::read(&row)).transpose()
}

/// A timer.
pub async fn timer(run: &mut impl Run, id: &str) -> Result<Option<TimerRow>, Fault> {
    let question = Query::select()
        .columns(names(TIMER))
        .from("case_timers")
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| TimerRow::read(&row)).transpose()
}

/// Jobs set aside, the oldest first.
pub async fn jobs_aside(run: &mut impl Run, limit: u64) -> Result<Vec<JobRow>, Fault> {
    let question = Query::select()
        .columns(names(JOB))
        .from("case_jobs")
        .and_where(Expr::col("state").eq(JobState::Aside as i64))
        .order_by("next_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(JobRow::read).collect()
}

/// Timers set aside, the oldest first.
pub async fn timers_aside(run: &mut impl Run, limit: u64) -> Result<Vec<TimerRow>, Fault> {
    let question = Query::select()
        .columns(names(TIMER))
        .from("case_timers")
        .and_where(Expr::col("aside").eq(1))
        .order_by("due_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TimerRow::read).collect()
}

/// How many jobs and timers are set aside.
pub async fn count_aside(run: &mut impl Run) -> Result<i64, Fault> {
    let mut all = 0;
    for (table, aside) in [
        ("case_jobs", Expr::col("state").eq(JobState::Aside as i64)),
        ("case_timers", Expr::col("aside").eq(1)),
    ] {
        let question = Query::select()
            .expr_as(Func::count(Expr::col("id")), "rows")
            .from(table)
            .and_where(aside)
            .to_owned();
        if let Some(row) = run.fetch_optional(&question).await? {
            all += row.i64("rows")?;
        }
    }
    Ok(all)
}

/// Numbers of these cases (1,000 at most) with their identifications, in no order.
pub async fn numbers(run: &mut impl Run, ids: &[String]) -> Result<Vec<(String, String)>, Fault> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let question = Query::select()
        .columns(["id", "number"])
        .from("cases")
        .and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)))
        .to_owned();
    let mut found = vec![];
    for row in run.fetch_all(&question).await? {
        found.push((row.text("id")?, row.text("number")?));
    }
    Ok(found)
}
