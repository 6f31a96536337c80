//! Reading cases and tasks by what they are known by.

use super::rows::{CASE, CaseRow, TASK, TaskRow, names};
use super::small::{KeyRow, WAIT, WaitRow};
use crate::sql::Run;
use kernel::cases::{Entry, TaskState};
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

/// Identifications in one question, at most.
const IDS: usize = 200;
/// Tasks of one case read at once, at most.
pub const TASKS: u64 = 10_000;

pub(super) fn select_cases() -> SelectStatement {
    Query::select()
        .columns(names(CASE))
        .from("cases")
        .to_owned()
}

pub(super) fn select_tasks() -> SelectStatement {
    Query::select()
        .columns(names(TASK))
        .from("case_tasks")
        .to_owned()
}

/// The cases of these identifications, as far as there are any.
pub async fn cases(run: &mut impl Run, ids: &[String]) -> Result<Vec<CaseRow>, Fault> {
    let mut found = vec![];
    for some in ids.chunks(IDS) {
        let some = some.iter().map(String::as_str);
        let question = select_cases()
            .and_where(Expr::col("id").is_in(some))
            .to_owned();
        for row in run.fetch_all(&question).await? {
            found.push(CaseRow::read(&row)?);
        }
    }
    Ok(found)
}

/// The case of a number.
pub async fn case_of_number(run: &mut impl Run, number: &str) -> Result<Option<CaseRow>, Fault> {
    let question = select_cases()
        .and_where(Expr::col("number").eq(number))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| CaseRow::read(&row)).transpose()
}

/// Cases that a case has called and that have not ended; 1,000 at most.
pub async fn called_by(run: &mut impl Run, parent: &str) -> Result<Vec<CaseRow>, Fault> {
    let question = select_cases()
        .and_where(Expr::col("parent").eq(parent))
        .and_where(Expr::col("state").lt(2))
        .limit(1000)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(CaseRow::read).collect()
}

/// Cases of a version that have not ended, after an identification, in order.
pub async fn open_of(
    run: &mut impl Run,
    process: &str,
    version: i64,
    after: &str,
    limit: u64,
) -> Result<Vec<CaseRow>, Fault> {
    let question = select_cases()
        .and_where(Expr::col("process").eq(process))
        .and_where(Expr::col("version").eq(version))
        .and_where(Expr::col("state").lt(2))
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(CaseRow::read).collect()
}

/// The tasks of these identifications, as far as there are any.
pub async fn tasks(run: &mut impl Run, ids: &[String]) -> Result<Vec<TaskRow>, Fault> {
    let mut found = vec![];
    for some in ids.chunks(IDS) {
        let some = some.iter().map(String::as_str);
        let question = select_tasks()
            .and_where(Expr::col("id").is_in(some))
            .to_owned();
        for row in run.fetch_all(&question).await? {
            found.push(TaskRow::read(&row)?);
        }
    }
    Ok(found)
}

/// Tasks of a case in a state; at one node when it is named. In order of their opening.
pub async fn tasks_of(
    run: &mut impl Run,
    case: &str,
    state: TaskState,
    node: Option<&str>,
    limit: u64,
) -> Result<Vec<TaskRow>, Fault> {
    let mut question = select_tasks();
    question
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("state").eq(state as i64));
    if let Some(node) = node {
        question.and_where(Expr::col("node").eq(node));
    }
    question
        .order_by("opened_in", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(limit);
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TaskRow::read).collect()
}

/// Nodes of a case at which a task was done.
pub async fn passed(run: &mut impl Run, case: &str) -> Result<Vec<String>, Fault> {
    let question = Query::select()
        .distinct()
        .column("node")
        .from("case_tasks")
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("state").eq(TaskState::Done as i64))
        .and_where(Expr::col("kind").eq(0))
        .order_by("node", Order::Asc)
        .limit(TASKS)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(|row| row.text("node")).collect()
}

/// Did this account ever have a task of the case, open or done?
pub async fn took_part(run: &mut impl Run, case: &str, account: &str) -> Result<bool, Fault> {
    let any = sea_query::Cond::any()
        .add(Expr::col("assignee").eq(account))
        .add(Expr::col("owner").eq(account))
        .add(Expr::col("ended_by").eq(account));
    let question = Query::select()
        .column("id")
        .from("case_tasks")
        .and_where(Expr::col("case_id").eq(case))
        .cond_where(any)
        .limit(1)
        .to_owned();
    Ok(run.fetch_optional(&question).await?.is_some())
}

/// The first task of a case.
pub async fn first_task(run: &mut impl Run, case: &str) -> Result<Option<TaskRow>, Fault> {
    let question = select_tasks()
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("kind").eq(0))
        .order_by("opened_in", Order::Asc)
        .order_by("wait", Order::Asc)
        .limit(1)
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| TaskRow::read(&row)).transpose()
}

/// Tasks of a case opened in a revision of it.
pub async fn opened_in(
    run: &mut impl Run,
    case: &str,
    revision: i64,
) -> Result<Vec<TaskRow>, Fault> {
    let question = select_tasks()
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("opened_in").eq(revision))
        .limit(TASKS)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(TaskRow::read).collect()
}

/// Entries of a history after a number, in order.
pub async fn history(
    run: &mut impl Run,
    case: &str,
    after: i64,
    limit: u64,
) -> Result<Vec<Entry>, Fault> {
    let question = Query::select()
        .columns(["number", "at", "by", "what", "task", "node", "details"])
        .from("case_history")
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("number").gt(after))
        .order_by("number", Order::Asc)
        .limit(limit)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(entry).collect()
}

/// Entries of a history that a task is named in, in order.
pub async fn entries_of_task(
    run: &mut impl Run,
    case: &str,
    task: &str,
) -> Result<Vec<Entry>, Fault> {
    let question = Query::select()
        .columns(["number", "at", "by", "what", "task", "node", "details"])
        .from("case_history")
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("task").eq(task))
        .order_by("number", Order::Asc)
        .limit(TASKS)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(entry).collect()
}

/// An entry of a history.
pub(super) fn entry(row: &crate::SqlRow) -> Result<Entry, Fault> {
    Ok(Entry {
        number: row.i64("number")?,
        at: Time(row.i64("at")?),
        by: row.text("by")?,
        what: row.text("what")?,
        task: row.opt_text("task")?,
        node: row.opt_text("node")?,
        details: serde_json::from_str(&row.text("details")?)
            .map_err(|e| Fault::internal("reading a history", e))?,
    })
}

/// An idempotency key, if it was used.
pub async fn key(run: &mut impl Run, key: &str) -> Result<Option<KeyRow>, Fault> {
    let question = Query::select()
        .columns(["key", "case_id", "said", "at"])
        .from("case_keys")
        .and_where(Expr::col("key").eq(key))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    let read = |row: crate::SqlRow| {
        Ok(KeyRow {
            key: row.text("key")?,
            case_id: row.text("case_id")?,
            said: row.text("said")?,
            at: Time(row.i64("at")?),
        })
    };
    row.map(read).transpose()
}

/// Who waits for a message or signal: for this key or for any, after an identification, in order.
pub async fn waits_for(
    run: &mut impl Run,
    kind: &str,
    name: &str,
    key: Option<&str>,
    after: &str,
    limit: u64,
) -> Result<Vec<WaitRow>, Fault> {
    let mut question = Query::select();
    question
        .columns(names(WAIT))
        .from("case_waits")
        .and_where(Expr::col("kind").eq(kind))
        .and_where(Expr::col("name").eq(name))
        .and_where(Expr::col("id").gt(after));
    if let Some(key) = key {
        question.and_where(Expr::col("key").is_in([key, "null"]));
    }
    question.order_by("id", Order::Asc).limit(limit);
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(WaitRow::read).collect()
}

/// What a case waits for by messages of a name, for this key or for any, in the order it began to
/// wait; 100 at most.
pub async fn waits_of(
    run: &mut impl Run,
    case: &str,
    name: &str,
    key: Option<&str>,
) -> Result<Vec<WaitRow>, Fault> {
    let mut question = Query::select();
    question
        .columns(names(WAIT))
        .from("case_waits")
        .and_where(Expr::col("case_id").eq(case))
        .and_where(Expr::col("kind").eq("message"))
        .and_where(Expr::col("name").eq(name));
    if let Some(key) = key {
        question.and_where(Expr::col("key").is_in([key, "null"]));
    }
    question.order_by("wait", Order::Asc).limit(100);
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(WaitRow::read).collect()
}
