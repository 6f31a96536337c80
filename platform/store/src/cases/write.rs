//! Writing: what follows from a batch of steps, in a few statements of one transaction.

use super::rows::{CASE, CaseRow, Queue, TASK, TaskRow, names};
use super::small::{ENTRY, EntryRow, JOB, JobRow, KeyRow, TIMER, TimerRow, WAIT, WaitRow};
use crate::audit::{self, AuditEntry};
use crate::decisions::{self, EvaluationRow};
use crate::sql::Run;
use crate::{Tx, events};
use kernel::events::EventKind;
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, OnConflict, Query};
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one statement: SQLite takes 32,766 values in one.
const ROWS: usize = 250;

/// What is to be written. A later row of the same identification takes the place of the earlier.
#[derive(Default)]
pub struct Writes {
    /// Cases, new or changed.
    pub cases: BTreeMap<String, CaseRow>,
    /// Of them those that are new.
    pub begun: BTreeSet<String>,
    /// Tasks, new or changed.
    pub tasks: BTreeMap<String, TaskRow>,
    /// By how many open tasks each queue changes.
    pub queues: BTreeMap<i64, (Queue, i64)>,
    /// Entries of histories.
    pub entries: Vec<EntryRow>,
    /// Timers, by identification; `None` takes one away.
    pub timers: BTreeMap<String, Option<TimerRow>>,
    /// Waits; likewise.
    pub waits: BTreeMap<String, Option<WaitRow>>,
    /// Jobs; likewise.
    pub jobs: BTreeMap<String, Option<JobRow>>,
    /// Idempotency keys.
    pub keys: Vec<KeyRow>,
    /// Events: what each is about, and its body.
    pub events: Vec<(Time, String, Vec<u8>)>,
    /// Deeds for the audit log.
    pub audits: Vec<AuditEntry>,
    /// Decisions that steps rest on, each with its outcome (JSON).
    pub evaluations: Vec<(EvaluationRow, String)>,
}

/// Writes. `known` are queues whose holders are in the store already. Fails with `input.conflict`,
/// and the transaction with it, when somebody else has changed one of the cases meanwhile.
pub async fn write(tx: &mut Tx, writes: &Writes, known: &BTreeSet<i64>) -> Result<(), Fault> {
    put_cases(tx, writes).await?;
    put_tasks(tx, writes).await?;
    put_queues(tx, writes, known).await?;
    let entries = writes.entries.iter().map(EntryRow::values).collect();
    insert(tx, "case_history", ENTRY, entries, None).await?;
    replace(tx, "case_timers", TIMER, &writes.timers, TimerRow::values).await?;
    replace(tx, "case_waits", WAIT, &writes.waits, WaitRow::values).await?;
    replace(tx, "case_jobs", JOB, &writes.jobs, JobRow::values).await?;
    put_keys(tx, &writes.keys).await?;
    for (at, about, body) in &writes.events {
        events::append(tx, *at, EventKind::Case, about, body).await?;
    }
    if !writes.audits.is_empty() {
        audit::append_many(tx, &writes.audits).await?;
    }
    decisions::keep_many(tx, &writes.evaluations).await?;
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    table: &'static str,
    columns: &'static [(&'static str, char)],
    rows: Vec<Vec<Expr>>,
    conflict: Option<OnConflict>,
) -> Result<u64, Fault> {
    let mut written = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut statement = Query::insert();
        statement.into_table(table).columns(names(columns));
        for row in rows.by_ref().take(ROWS) {
            statement.values_panic(row);
        }
        if let Some(conflict) = &conflict {
            statement.on_conflict(conflict.clone());
        }
        written += tx.execute(&statement).await?;
    }
    Ok(written)
}

/// What to do with a row that is there already: it takes the values of the new one.
fn update(columns: &'static [(&'static str, char)]) -> OnConflict {
    OnConflict::column("id")
        .update_columns(names(columns).skip(1))
        .to_owned()
}

/// New cases are inserted; changed ones replace the revision they were read in, or a step of
/// somebody else would be lost.
async fn put_cases(tx: &mut Tx, writes: &Writes) -> Result<(), Fault> {
    let (new, changed): (Vec<_>, Vec<_>) = writes
        .cases
        .values()
        .partition(|case| writes.begun.contains(&case.id));
    let new = new.into_iter().map(CaseRow::values).collect();
    insert(tx, "cases", CASE, new, None).await?;
    let count = changed.len() as u64;
    let changed = changed.into_iter().map(CaseRow::values).collect();
    let later = Expr::col(("cases", "revision")).lt(Expr::col(("excluded", "revision")));
    let conflict = update(CASE).action_and_where(later).to_owned();
    let written = insert(tx, "cases", CASE, changed, Some(conflict)).await?;
    if written != count {
        return Err(Fault::new(
            kernel::fault::FaultKind::Conflict,
            "input.conflict",
            "办件已被他人更新，请刷新后重试",
            "somebody else has changed the case; look again",
        ));
    }
    Ok(())
}

async fn put_tasks(tx: &mut Tx, writes: &Writes) -> Result<(), Fault> {
    let tasks = writes.tasks.values().map(TaskRow::values).collect();
    insert(tx, "case_tasks", TASK, tasks, Some(update(TASK)))
        .await
        .map(drop)
}

async fn put_queues(tx: &mut Tx, writes: &Writes, known: &BTreeSet<i64>) -> Result<(), Fault> {
    let touched: Vec<_> = writes.queues.values().collect();
    for some in touched.chunks(ROWS) {
        let mut statement = Query::insert();
        statement
            .into_table("case_queues")
            .columns(["id", "process", "signature", "open"]);
        for (queue, change) in some {
            statement.values_panic([
                Expr::val(queue.id),
                Expr::val(queue.process.as_str()),
                Expr::val(queue.signature.as_str()),
                Expr::val(*change),
            ]);
        }
        let sum = Expr::col(("case_queues", "open")).add(Expr::col(("excluded", "open")));
        statement.on_conflict(OnConflict::column("id").value("open", sum).to_owned());
        tx.execute(&statement).await?;
    }
    let new = touched
        .iter()
        .filter(|(queue, _)| !known.contains(&queue.id));
    let holders: Vec<(&str, i64)> = new
        .flat_map(|(queue, _)| queue.signature.split('\n').map(|holder| (holder, queue.id)))
        .collect();
    for some in holders.chunks(ROWS) {
        let mut statement = Query::insert();
        statement
            .into_table("case_holders")
            .columns(["holder", "queue"]);
        for (holder, queue) in some {
            statement.values_panic([Expr::val(*holder), Expr::val(*queue)]);
        }
        statement.on_conflict(
            OnConflict::columns(["holder", "queue"])
                .do_nothing()
                .to_owned(),
        );
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// Takes away what is to go and puts what is to be there.
async fn replace<T>(
    tx: &mut Tx,
    table: &'static str,
    columns: &'static [(&'static str, char)],
    rows: &BTreeMap<String, Option<T>>,
    values: fn(&T) -> Vec<Expr>,
) -> Result<(), Fault> {
    let gone: Vec<&str> = rows
        .iter()
        .filter(|(_, row)| row.is_none())
        .map(|(id, _)| id.as_str())
        .collect();
    for some in gone.chunks(ROWS) {
        let statement = Query::delete()
            .from_table(table)
            .and_where(Expr::col("id").is_in(some.iter().copied()))
            .to_owned();
        tx.execute(&statement).await?;
    }
    let put = rows.values().flatten().map(values).collect();
    insert(tx, table, columns, put, Some(update(columns)))
        .await
        .map(drop)
}

async fn put_keys(tx: &mut Tx, keys: &[KeyRow]) -> Result<(), Fault> {
    for some in keys.chunks(ROWS) {
        let mut statement = Query::insert();
        statement
            .into_table("case_keys")
            .columns(["key", "case_id", "said", "at"]);
        for key in some {
            statement.values_panic([
                Expr::val(key.key.as_str()),
                Expr::val(key.case_id.as_str()),
                Expr::val(key.said.as_str()),
                Expr::val(key.at.0),
            ]);
        }
        tx.execute(&statement).await?;
    }
    Ok(())
}
