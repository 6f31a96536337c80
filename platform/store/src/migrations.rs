//! Migrations: how the tables came to be, step by step. Each module of the store lists its own;
//! a step runs once, in one transaction with the note that it ran, and is never changed after a
//! release: a new step follows it.

use crate::sql::{Backend, Run, Statement};
use crate::{Tx, faults};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, Order, Query, Table};
use std::collections::BTreeSet;

/// One step: a name that never changes and the statements that take it.
pub(crate) struct Migration {
    /// Unique, such as `events_1`.
    pub(crate) name: &'static str,
    /// The statements in order; they may differ between the databases.
    pub(crate) statements: fn(Backend) -> Vec<Box<dyn Statement>>,
}

/// A statement for the list of a migration.
pub(crate) fn step(statement: impl Statement + 'static) -> Box<dyn Statement> {
    Box::new(statement)
}

/// Names of the steps a store has taken, in the order they were taken.
pub(crate) async fn taken(run: &mut impl Run) -> Result<Vec<String>, Fault> {
    let query = Query::select()
        .column("name")
        .from("migrations")
        .order_by("number", Order::Asc)
        .to_owned();
    let rows = run.fetch_all(&query).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// Takes the steps not yet taken, in one transaction; `only` limits them to some. Refuses a store
/// that has taken steps this edition does not know: it was written by a newer one.
pub(crate) async fn take(
    tx: &mut Tx,
    known: &[Migration],
    only: Option<&BTreeSet<String>>,
) -> Result<(), Fault> {
    let notes = Table::create()
        .table("migrations")
        .if_not_exists()
        .col(ColumnDef::new("name").text().not_null().primary_key())
        .col(ColumnDef::new("number").big_integer().not_null())
        .to_owned();
    tx.execute(&notes).await?;
    let taken = taken(tx).await?;
    let unknown: Vec<&str> = taken
        .iter()
        .filter(|name| !known.iter().any(|step| step.name == name.as_str()))
        .map(String::as_str)
        .collect();
    if !unknown.is_empty() {
        let cause = format!(
            "written by a newer edition, unknown steps: {}",
            unknown.join(", ")
        );
        return Err(faults::unavailable("opening the store", &cause));
    }
    let mut number = taken.len() as i64;
    for migration in known {
        let wanted = only.is_none_or(|only| only.contains(migration.name));
        if !wanted || taken.iter().any(|name| name == migration.name) {
            continue;
        }
        for statement in (migration.statements)(tx.backend()) {
            tx.execute(&statement).await?;
        }
        number += 1;
        let note = Query::insert()
            .into_table("migrations")
            .columns(["name", "number"])
            .values_panic([Expr::val(migration.name), Expr::val(number)])
            .to_owned();
        tx.execute(&note).await?;
    }
    Ok(())
}
