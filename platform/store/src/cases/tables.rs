//! The tables of cases.

use super::rows::{CASE, TASK};
use super::small::{ENTRY, JOB, TIMER, WAIT};
use crate::migrations::{Migration, step};
use crate::sql::Statement;
use sea_query::{ColumnDef, Index, Table};

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "cases_1",
        statements: |_| {
            let mut steps = vec![];
            steps.extend(processes());
            steps.extend(cases());
            steps.extend(tasks());
            steps.extend(events());
            steps.extend(others());
            steps
        },
    }]
}

/// Types of columns: `t` text, `n` number, `b` bytes; a capital may be NULL.
type Columns = &'static [(&'static str, char)];

fn table(name: &'static str, columns: Columns, key: &[&'static str]) -> Box<dyn Statement> {
    let mut table = Table::create();
    table.table(name);
    for (name, kind) in columns {
        let mut column = ColumnDef::new(*name);
        match kind.to_ascii_lowercase() {
            't' => column.text(),
            'n' => column.big_integer(),
            _ => column.blob(),
        };
        if kind.is_ascii_lowercase() {
            column.not_null();
        }
        table.col(column);
    }
    let mut primary = Index::create();
    for column in key {
        primary.col(*column);
    }
    table.primary_key(&mut primary);
    step(table.to_owned())
}

fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
    unique: bool,
) -> Box<dyn Statement> {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    step(index.to_owned())
}

fn processes() -> Vec<Box<dyn Statement>> {
    const COLUMNS: Columns = &[
        ("process", 't'),
        ("version", 'n'),
        ("name", 't'),
        ("xml", 't'),
        ("digest", 't'),
        ("published_at", 'n'),
        ("published_by", 't'),
    ];
    vec![table("case_processes", COLUMNS, &["process", "version"])]
}

fn cases() -> Vec<Box<dyn Statement>> {
    vec![
        table("cases", CASE, &["id"]),
        index("cases_by_number", "cases", &["number"], true),
        index("cases_by_state", "cases", &["state", "id"], false),
        index(
            "cases_by_process",
            "cases",
            &["process", "version", "state", "id"],
            false,
        ),
        index(
            "cases_by_organisation",
            "cases",
            &["organisation", "state", "id"],
            false,
        ),
        index("cases_by_starter", "cases", &["started_by", "id"], false),
        index("cases_by_parent", "cases", &["parent"], false),
        index("cases_stuck", "cases", &["stuck", "id"], false),
    ]
}

fn tasks() -> Vec<Box<dyn Statement>> {
    const QUEUES: Columns = &[
        ("id", 'n'),
        ("process", 't'),
        ("signature", 't'),
        ("open", 'n'),
    ];
    const HOLDERS: Columns = &[("holder", 't'), ("queue", 'n')];
    vec![
        table("case_tasks", TASK, &["id"]),
        index(
            "case_tasks_queue",
            "case_tasks",
            &["queue", "due_at", "id"],
            false,
        ),
        index(
            "case_tasks_by_case",
            "case_tasks",
            &["case_id", "state", "node"],
            false,
        ),
        index(
            "case_tasks_by_ender",
            "case_tasks",
            &["ended_by", "ended_at"],
            false,
        ),
        table("case_queues", QUEUES, &["id"]),
        table("case_holders", HOLDERS, &["holder", "queue"]),
    ]
}

fn events() -> Vec<Box<dyn Statement>> {
    vec![
        table("case_history", ENTRY, &["case_id", "number"]),
        table("case_timers", TIMER, &["id"]),
        index(
            "case_timers_due",
            "case_timers",
            &["aside", "due_at", "id"],
            false,
        ),
        index("case_timers_by_case", "case_timers", &["case_id"], false),
        table("case_waits", WAIT, &["id"]),
        index(
            "case_waits_for",
            "case_waits",
            &["kind", "name", "key", "id"],
            false,
        ),
        index("case_waits_by_case", "case_waits", &["case_id"], false),
        table("case_jobs", JOB, &["id"]),
        index(
            "case_jobs_due",
            "case_jobs",
            &["state", "next_at", "id"],
            false,
        ),
        index("case_jobs_by_case", "case_jobs", &["case_id"], false),
    ]
}

fn others() -> Vec<Box<dyn Statement>> {
    const KEYS: Columns = &[("key", 't'), ("case_id", 't'), ("said", 't'), ("at", 'n')];
    const CALENDAR: Columns = &[("year", 'n'), ("days", 't'), ("at", 'n'), ("by", 't')];
    vec![
        table("case_keys", KEYS, &["key"]),
        table("case_calendar", CALENDAR, &["year"]),
    ]
}
