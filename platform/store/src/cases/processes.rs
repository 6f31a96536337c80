//! Versions of processes.

use super::outbox::START;
use super::rows::NEVER;
use super::small::JobState;
use crate::Tx;
use crate::sql::{Run, SqlRow};
use kernel::cases::Process;
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, Func, Order, Query, SelectStatement};
use std::collections::BTreeMap;

/// Versions read at once, at most.
const LIMIT: u64 = 10_000;

fn select() -> SelectStatement {
    Query::select()
        .columns([
            "process",
            "version",
            "name",
            "digest",
            "published_at",
            "published_by",
        ])
        .from("case_processes")
        .limit(LIMIT)
        .to_owned()
}

/// What is known of versions beside their rows, by process and version.
struct Beside {
    open: BTreeMap<(String, i64), i64>,
    begins: BTreeMap<(String, i64), i64>,
}

fn read(row: &SqlRow, beside: &Beside) -> Result<Process, Fault> {
    let (process, version) = (row.text("process")?, row.i64("version")?);
    let key = (process.clone(), version);
    Ok(Process {
        open: beside.open.get(&key).copied().unwrap_or(0),
        begins_at: beside.begins.get(&key).copied().map(Time),
        process,
        version,
        name: row.text("name")?,
        published_at: Time(row.i64("published_at")?),
        published_by: row.text("published_by")?,
        digest: row.text("digest")?,
    })
}

/// What is known beside the rows of one process, or of all.
async fn beside(run: &mut impl Run, process: Option<&str>) -> Result<Beside, Fault> {
    Ok(Beside {
        open: open(run, process).await?,
        begins: begins(run, process).await?,
    })
}

/// When timers begin the next case, by process and version.
async fn begins(
    run: &mut impl Run,
    process: Option<&str>,
) -> Result<BTreeMap<(String, i64), i64>, Fault> {
    let mut question = Query::select();
    question
        .columns(["name", "wait"])
        .expr_as(Func::min(Expr::col("next_at")), "next")
        .from("case_jobs")
        .and_where(Expr::col("kind").eq(START))
        .and_where(Expr::col("state").eq(JobState::Waiting as i64))
        .and_where(Expr::col("next_at").lt(NEVER));
    if let Some(process) = process {
        question.and_where(Expr::col("name").eq(process));
    }
    question.add_group_by([Expr::col("name"), Expr::col("wait")]);
    let rows = run.fetch_all(&question).await?;
    rows.iter()
        .map(|row| {
            let key = (row.text("name")?, row.i64("wait")?);
            Ok((key, row.i64("next")?))
        })
        .collect()
}

/// Cases that have not ended, by process and version.
async fn open(
    run: &mut impl Run,
    process: Option<&str>,
) -> Result<BTreeMap<(String, i64), i64>, Fault> {
    let mut question = Query::select();
    question
        .columns(["process", "version"])
        .expr_as(Func::count(Expr::col("id")), "open")
        .from("cases")
        .and_where(Expr::col("state").lt(2));
    if let Some(process) = process {
        question.and_where(Expr::col("process").eq(process));
    }
    question.add_group_by([Expr::col("process"), Expr::col("version")]);
    let rows = run.fetch_all(&question).await?;
    rows.iter()
        .map(|row| {
            let key = (row.text("process")?, row.i64("version")?);
            Ok((key, row.i64("open")?))
        })
        .collect()
}

/// The newest version of every process.
pub async fn newest(run: &mut impl Run) -> Result<Vec<Process>, Fault> {
    let beside = beside(run, None).await?;
    let question = select()
        .order_by("process", Order::Asc)
        .order_by("version", Order::Desc)
        .to_owned();
    let mut found: Vec<Process> = vec![];
    for row in run.fetch_all(&question).await? {
        let one = read(&row, &beside)?;
        if found.last().is_none_or(|last| last.process != one.process) {
            found.push(one);
        }
    }
    Ok(found)
}

/// Versions of a process, the newest first.
pub async fn versions(run: &mut impl Run, process: &str) -> Result<Vec<Process>, Fault> {
    let beside = beside(run, Some(process)).await?;
    let question = select()
        .and_where(Expr::col("process").eq(process))
        .order_by("version", Order::Desc)
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(|row| read(row, &beside)).collect()
}

/// The file of a version.
pub async fn file(
    run: &mut impl Run,
    process: &str,
    version: i64,
) -> Result<Option<String>, Fault> {
    let question = Query::select()
        .column("xml")
        .from("case_processes")
        .and_where(Expr::col("process").eq(process))
        .and_where(Expr::col("version").eq(version))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| row.text("xml")).transpose()
}

/// The newest version of a process and the digest of its file, as the writer sees them.
pub async fn last(run: &mut impl Run, process: &str) -> Result<Option<(i64, String)>, Fault> {
    let question = Query::select()
        .columns(["version", "digest"])
        .from("case_processes")
        .and_where(Expr::col("process").eq(process))
        .order_by("version", Order::Desc)
        .limit(1)
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| Ok((row.i64("version")?, row.text("digest")?)))
        .transpose()
}

/// Adds a version.
pub async fn put(tx: &mut Tx, process: &Process, xml: &str) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("case_processes")
        .columns([
            "process",
            "version",
            "name",
            "xml",
            "digest",
            "published_at",
            "published_by",
        ])
        .values_panic([
            Expr::val(process.process.as_str()),
            Expr::val(process.version),
            Expr::val(process.name.as_str()),
            Expr::val(xml),
            Expr::val(process.digest.as_str()),
            Expr::val(process.published_at.0),
            Expr::val(process.published_by.as_str()),
        ])
        .to_owned();
    tx.execute(&statement).await.map(drop)
}
