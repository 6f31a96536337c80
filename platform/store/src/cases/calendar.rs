//! Calendars of years: which days are not what their weekday says.

use super::rows::{CASE, CaseRow, TASK, TaskRow, names};
use super::small::{TIMER, TimerRow};
use crate::Tx;
use crate::sql::Run;
use kernel::cases::{CalendarDay, TaskState};
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query};

/// Years read, at most.
const YEARS: u64 = 500;

/// Every calendar, by year.
pub async fn all(run: &mut impl Run) -> Result<Vec<(i16, Vec<CalendarDay>)>, Fault> {
    let question = Query::select()
        .columns(["year", "days"])
        .from("case_calendar")
        .order_by("year", Order::Asc)
        .limit(YEARS)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    let read = |row: &crate::SqlRow| {
        let days = serde_json::from_str(&row.text("days")?)
            .map_err(|e| Fault::internal("reading a calendar", e))?;
        let year = i16::try_from(row.i64("year")?)
            .map_err(|e| Fault::internal("reading a calendar", e))?;
        Ok((year, days))
    };
    rows.iter().map(read).collect()
}

/// Puts the calendar of a year.
pub async fn put(
    tx: &mut Tx,
    year: i16,
    days: &[CalendarDay],
    at: Time,
    by: &str,
) -> Result<(), Fault> {
    let text = serde_json::to_string(days).map_err(|e| Fault::internal("writing a calendar", e))?;
    let statement = Query::insert()
        .into_table("case_calendar")
        .columns(["year", "days", "at", "by"])
        .values_panic([
            Expr::val(i64::from(year)),
            Expr::val(text),
            Expr::val(at.0),
            Expr::val(by),
        ])
        .on_conflict(
            OnConflict::column("year")
                .update_columns(["days", "at", "by"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await.map(drop)
}

/// Open cases with a clock after an identification, in their order.
pub async fn clocked_cases(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<CaseRow>, Fault> {
    let question = Query::select()
        .columns(names(CASE))
        .from("cases")
        .and_where(Expr::col("id").gt(after))
        .and_where(Expr::col("state").lt(2))
        .and_where(Expr::col("clocked").eq(1))
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(CaseRow::read).collect()
}

/// Open tasks with a clock of their own after an identification, in their order.
pub async fn clocked_tasks(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<TaskRow>, Fault> {
    let question = Query::select()
        .columns(names(TASK))
        .from("case_tasks")
        .and_where(Expr::col("id").gt(after))
        .and_where(Expr::col("state").eq(TaskState::Open as i64))
        .and_where(Expr::col("clock").is_not_null())
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TaskRow::read).collect()
}

/// Timers of drawings after an identification, in their order; not those set aside.
pub async fn drawn_timers(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<TimerRow>, Fault> {
    let question = Query::select()
        .columns(names(TIMER))
        .from("case_timers")
        .and_where(Expr::col("id").gt(after))
        .and_where(Expr::col("kind").eq("timer"))
        .and_where(Expr::col("aside").eq(0))
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TimerRow::read).collect()
}
