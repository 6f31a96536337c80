//! The past of cases, for those who learn from it: the cases that began in a period, with their
//! tasks and histories, page by page.

use super::read::{select_cases, select_tasks};
use super::rows::{CaseRow, TaskRow};
use crate::sql::Run;
use kernel::cases::{Entry, TaskKind};
use kernel::{Fault, Time, first_id};
use sea_query::{Cond, Expr, ExprTrait, Func, Order, Query};

/// Tasks or entries of one page of cases, at most.
pub const ROWS: u64 = 100_000;

/// Of a process, begun from `from` on and before `to`. Identifications are in the order cases began
/// in, so that only those of the period are looked at.
fn begun_in(process: &str, from: Time, to: Time) -> Cond {
    Cond::all()
        .add(Expr::col("process").eq(process))
        .add(Expr::col("id").gte(first_id(from)))
        .add(Expr::col("id").lt(first_id(Time(to.0.saturating_add(1_000)))))
        .add(Expr::col("started_at").gte(from.0))
        .add(Expr::col("started_at").lt(to.0))
}

/// How many cases of a process began in a period.
pub async fn count(run: &mut impl Run, process: &str, from: Time, to: Time) -> Result<i64, Fault> {
    let question = Query::select()
        .expr_as(Func::count(Expr::col("id")), "rows")
        .from("cases")
        .cond_where(begun_in(process, from, to))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map_or(Ok(0), |row| row.i64("rows"))
}

/// Cases of a process that began in a period, after an identification, in order.
pub async fn begun(
    run: &mut impl Run,
    process: &str,
    (from, to): (Time, Time),
    after: &str,
    limit: u64,
) -> Result<Vec<CaseRow>, Fault> {
    let question = select_cases()
        .cond_where(begun_in(process, from, to))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(CaseRow::read).collect()
}

/// Tasks drawn in the process of these cases (200 at most), whatever became of them, in the order
/// they opened; [`ROWS`] at most.
pub async fn tasks(run: &mut impl Run, cases: &[String]) -> Result<Vec<TaskRow>, Fault> {
    let question = select_tasks()
        .and_where(Expr::col("case_id").is_in(cases.iter().map(String::as_str)))
        .and_where(Expr::col("kind").eq(TaskKind::Task as i64))
        .order_by("case_id", Order::Asc)
        .order_by("wait", Order::Asc)
        .limit(ROWS)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TaskRow::read).collect()
}

/// Histories of these cases (200 at most): case and entry, in order; [`ROWS`] at most.
pub async fn histories(
    run: &mut impl Run,
    cases: &[String],
) -> Result<Vec<(String, Entry)>, Fault> {
    let question = Query::select()
        .columns([
            "case_id", "number", "at", "by", "what", "task", "node", "details",
        ])
        .from("case_history")
        .and_where(Expr::col("case_id").is_in(cases.iter().map(String::as_str)))
        .order_by("case_id", Order::Asc)
        .order_by("number", Order::Asc)
        .limit(ROWS)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    let read = |row: &crate::SqlRow| Ok((row.text("case_id")?, super::read::entry(row)?));
    rows.iter().map(read).collect()
}
