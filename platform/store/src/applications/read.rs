//! Reading drafts, applications, jobs and counts.

use super::rows::{
    APPLICATION, ApplicationRow, Counts, DRAFT, DayRow, DraftRow, JOB, JobRow, names,
};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};

/// Rows of one answer, at most.
const MOST: u64 = 1_000;

pub(super) fn select_applications() -> SelectStatement {
    Query::select()
        .columns(names(APPLICATION))
        .from("applications")
        .to_owned()
}

fn select_drafts() -> SelectStatement {
    Query::select()
        .columns(names(DRAFT))
        .from("application_drafts")
        .to_owned()
}

async fn one<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let row = run.fetch_optional(question).await?;
    row.as_ref().map(read).transpose()
}

async fn many<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    run.fetch_all(question).await?.iter().map(read).collect()
}

/// A draft.
pub async fn draft(run: &mut impl Run, id: &str) -> Result<Option<DraftRow>, Fault> {
    let question = select_drafts().and_where(Expr::col("id").eq(id)).to_owned();
    one(run, &question, DraftRow::read).await
}

/// The open draft of this key.
pub async fn open_draft(run: &mut impl Run, key: &str) -> Result<Option<DraftRow>, Fault> {
    let question = select_drafts()
        .and_where(Expr::col("open_key").eq(key))
        .to_owned();
    one(run, &question, DraftRow::read).await
}

/// Open drafts of an owner that have not run out, the newest first.
pub async fn drafts_of(
    run: &mut impl Run,
    owner: &str,
    now: i64,
    limit: u64,
) -> Result<Vec<DraftRow>, Fault> {
    many(run, &open_of(owner, now, limit), DraftRow::read).await
}

fn open_of(owner: &str, now: i64, limit: u64) -> SelectStatement {
    select_drafts()
        .and_where(Expr::col("owner").eq(owner))
        .and_where(Expr::col("open_key").is_not_null())
        .and_where(Expr::col("expires_at").gt(now))
        .order_by("saved_at", Order::Desc)
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned()
}

/// Drafts that have run out: open ones and those handed in long ago.
pub async fn drafts_over(run: &mut impl Run, now: i64, limit: u64) -> Result<Vec<DraftRow>, Fault> {
    let question = select_drafts()
        .and_where(Expr::col("expires_at").lte(now))
        .order_by("expires_at", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, DraftRow::read).await
}

/// Drafts after an identification, in order: for sealing anew.
pub async fn drafts_after(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<DraftRow>, Fault> {
    let question = select_drafts()
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, DraftRow::read).await
}

/// What an application is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Identification.
    Id,
    /// Number.
    Number,
    /// Draft it was handed in as.
    Source,
    /// Case.
    Case,
}

/// An application.
pub async fn application(
    run: &mut impl Run,
    by: By,
    value: &str,
) -> Result<Option<ApplicationRow>, Fault> {
    let column = match by {
        By::Id => "id",
        By::Number => "number",
        By::Source => "source",
        By::Case => "case_id",
    };
    let question = select_applications()
        .and_where(Expr::col(column).eq(value))
        .limit(1)
        .to_owned();
    one(run, &question, ApplicationRow::read).await
}

/// Parts of a bundle, in the order they were made.
pub async fn parts(run: &mut impl Run, parent: &str) -> Result<Vec<ApplicationRow>, Fault> {
    let question = select_applications()
        .and_where(Expr::col("parent").eq(parent))
        .order_by("number", Order::Asc)
        .limit(MOST)
        .to_owned();
    many(run, &question, ApplicationRow::read).await
}

/// Bundles in one of these states of which a part is in the given one.
pub async fn unlike_parts(
    run: &mut impl Run,
    states: &[i64],
    part: i64,
    limit: u64,
) -> Result<Vec<ApplicationRow>, Fault> {
    let waiting = Query::select()
        .column("parent")
        .from("applications")
        .and_where(Expr::col("state").eq(part))
        .and_where(Expr::col("parent").is_not_null())
        .to_owned();
    let question = select_applications()
        .and_where(Expr::col("bundle").eq(1))
        .and_where(Expr::col("state").is_in(states.iter().copied()))
        .and_where(Expr::col("id").in_subquery(waiting))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, ApplicationRow::read).await
}

/// Applications in a state that are due, the longest first; not bundles, which only follow their
/// parts.
pub async fn due(
    run: &mut impl Run,
    state: i64,
    now: i64,
    limit: u64,
) -> Result<Vec<ApplicationRow>, Fault> {
    let question = select_applications()
        .and_where(Expr::col("state").eq(state))
        .and_where(Expr::col("due_at").lte(now))
        .and_where(Expr::col("bundle").eq(0))
        .order_by("due_at", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, ApplicationRow::read).await
}

/// Applications in a state whose case is not known, after an identification.
pub async fn without_case(
    run: &mut impl Run,
    state: i64,
    after: &str,
    limit: u64,
) -> Result<Vec<ApplicationRow>, Fault> {
    let question = select_applications()
        .and_where(Expr::col("case_id").is_null())
        .and_where(Expr::col("state").eq(state))
        .and_where(Expr::col("bundle").eq(0))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, ApplicationRow::read).await
}

/// Applications in a state with a case, after an identification.
pub async fn with_case(
    run: &mut impl Run,
    state: i64,
    after: &str,
    limit: u64,
) -> Result<Vec<ApplicationRow>, Fault> {
    let question = select_applications()
        .and_where(Expr::col("case_id").is_not_null())
        .and_where(Expr::col("state").eq(state))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, ApplicationRow::read).await
}

/// Applications after an identification, in order: for sealing anew.
pub async fn applications_after(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<ApplicationRow>, Fault> {
    let question = select_applications()
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, ApplicationRow::read).await
}

/// Jobs that are due, the longest first.
pub async fn jobs_due(run: &mut impl Run, now: i64, limit: u64) -> Result<Vec<JobRow>, Fault> {
    let question = Query::select()
        .columns(names(JOB))
        .from("application_jobs")
        .and_where(Expr::col("aside").eq(0))
        .and_where(Expr::col("next_at").lte(now))
        .order_by("next_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, JobRow::read).await
}

/// Jobs set aside, the oldest first.
pub async fn jobs_aside(run: &mut impl Run, limit: u64) -> Result<Vec<JobRow>, Fault> {
    let question = Query::select()
        .columns(names(JOB))
        .from("application_jobs")
        .and_where(Expr::col("aside").eq(1))
        .order_by("next_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, MOST))
        .to_owned();
    many(run, &question, JobRow::read).await
}

/// How many jobs are set aside.
pub async fn count_aside(run: &mut impl Run) -> Result<i64, Fault> {
    let question = Query::select()
        .expr_as(Func::count(Expr::col("id")), "rows")
        .from("application_jobs")
        .and_where(Expr::col("aside").eq(1))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map_or(Ok(0), |row| row.i64("rows"))
}

/// Numbers of these applications (1,000 at most) with their identifications, in no order.
pub async fn numbers(run: &mut impl Run, ids: &[String]) -> Result<Vec<(String, String)>, Fault> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let question = Query::select()
        .columns(["id", "number"])
        .from("applications")
        .and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)))
        .to_owned();
    let pair = |row: &SqlRow| Ok((row.text("id")?, row.text("number")?));
    run.fetch_all(&question).await?.iter().map(pair).collect()
}

/// Jobs of one application, whether due or not.
pub async fn jobs_of(run: &mut impl Run, application: &str) -> Result<Vec<JobRow>, Fault> {
    let question = Query::select()
        .columns(names(JOB))
        .from("application_jobs")
        .and_where(Expr::col("application").eq(application))
        .order_by("id", Order::Asc)
        .limit(MOST)
        .to_owned();
    many(run, &question, JobRow::read).await
}

/// What a service was answered under this key.
pub async fn served(run: &mut impl Run, key: &str) -> Result<Option<String>, Fault> {
    let question = Query::select()
        .column("answer")
        .from("application_served")
        .and_where(Expr::col("key").eq(key))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| row.text("answer")).transpose()
}

/// Sums of the days from one (inclusive) to another (exclusive), by organisation; the day of every
/// row is the first.
pub async fn days(run: &mut impl Run, from: i64, to: i64) -> Result<Vec<DayRow>, Fault> {
    let mut question = Query::select();
    question.column("organisation").from("application_days");
    for name in [
        "submitted",
        "online",
        "decided",
        "on_time",
        "rated",
        "good",
        "bad",
        "answered",
    ] {
        // A sum of integers is numeric in PostgreSQL.
        question.expr_as(Func::sum(Expr::col(name)).cast_as("bigint"), name);
    }
    question
        .and_where(Expr::col("day").gte(from))
        .and_where(Expr::col("day").lt(to))
        .group_by_col("organisation")
        .order_by("organisation", Order::Asc)
        .limit(10_000);
    let read = |row: &SqlRow| {
        Ok(DayRow {
            organisation: row.text("organisation")?,
            day: 0,
            counts: Counts::read(row)?,
        })
    };
    many(run, &question, read).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn open_drafts_are_found_among_open_ones() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        let plan = crate::sql::plan(&store, &open_of("a", 1, 50)).await;
        let by = "SEARCH application_drafts USING INDEX application_drafts_open_of (owner=?)";
        assert_eq!(plan[0], by);
        store.close().await;
    }
}
