//! The tables of applications.

use super::rows::{APPLICATION, DAY, DRAFT, JOB};
use crate::migrations::{Migration, step};
use crate::sql::Statement;
use sea_query::{ColumnDef, ConditionalStatement, Expr, ExprTrait, Index, Table};

/// Types of columns: `t` text, `n` number, `b` bytes; a capital may be NULL.
pub(super) type Columns = &'static [(&'static str, char)];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    let tables = Migration {
        name: "applications_1",
        statements: |_| {
            let mut steps = drafts();
            steps.extend(applications());
            steps.extend(others());
            steps
        },
    };
    // Open drafts are few, even of a clerk who handed in thousands: only they are looked for by
    // whose they are.
    let open = Migration {
        name: "applications_2",
        statements: |_| {
            let mut old = Index::drop();
            old.name("application_drafts_by_owner")
                .table("application_drafts");
            let mut new = Index::create();
            new.name("application_drafts_open_of")
                .table("application_drafts")
                .col("owner")
                .col("saved_at")
                .and_where(Expr::col("open_key").is_not_null());
            vec![step(old), step(new)]
        },
    };
    vec![tables, open]
}

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

fn drafts() -> Vec<Box<dyn Statement>> {
    let by =
        |name, columns: &[&'static str], unique| index(name, "application_drafts", columns, unique);
    vec![
        table("application_drafts", DRAFT, &["id"]),
        by("application_drafts_open", &["open_key"], true),
        by("application_drafts_by_owner", &["owner", "saved_at"], false),
        by("application_drafts_by_end", &["expires_at"], false),
    ]
}

fn applications() -> Vec<Box<dyn Statement>> {
    let by = |name, columns: &[&'static str], unique| index(name, "applications", columns, unique);
    vec![
        table("applications", APPLICATION, &["id"]),
        by("applications_by_number", &["number"], true),
        by("applications_by_source", &["source"], true),
        by("applications_by_owner", &["owner", "id"], false),
        by(
            "applications_by_organisation",
            &["organisation", "id"],
            false,
        ),
        by(
            "applications_waiting",
            &["organisation", "state", "due_at", "id"],
            false,
        ),
        by("applications_by_state", &["state", "due_at", "id"], false),
        by("applications_by_item", &["item", "id"], false),
        by("applications_by_parent", &["parent"], false),
        by("applications_by_case", &["case_id"], false),
        by(
            "applications_by_delivery",
            &["undelivered", "organisation", "id"],
            false,
        ),
        by(
            "applications_by_answer",
            &["unanswered", "organisation", "id"],
            false,
        ),
    ]
}

fn others() -> Vec<Box<dyn Statement>> {
    const NUMBERS: Columns = &[("organisation", 't'), ("day", 'n'), ("last", 'n')];
    const SERVED: Columns = &[("key", 't'), ("application", 't'), ("answer", 't')];
    vec![
        table("application_jobs", JOB, &["id"]),
        index(
            "application_jobs_due",
            "application_jobs",
            &["aside", "next_at", "id"],
            false,
        ),
        index(
            "application_jobs_of",
            "application_jobs",
            &["application"],
            false,
        ),
        table("application_numbers", NUMBERS, &["organisation", "day"]),
        table("application_served", SERVED, &["key"]),
        table("application_days", DAY, &["organisation", "day"]),
        index(
            "application_days_by_day",
            "application_days",
            &["day"],
            false,
        ),
    ]
}
