//! Records: how the table of a register is made and extended from its declaration.

use super::{CellKind, CellsOf, Column, FIXED, Shape};
use crate::sql::Run;
use crate::{Store, Tx};
use kernel::Fault;
use sea_query::{Alias, ColumnDef, Expr, ExprTrait, Index, Order, Query, Table};
use std::collections::{BTreeMap, BTreeSet};

/// Makes the table and its indexes, or extends them: a column the declaration has gained is added
/// and filled from the records kept; one it has lost stays, marked as no longer filled. All or
/// nothing.
pub async fn prepare(store: &Store, shape: &Shape, cells: &CellsOf<'_>) -> Result<(), Fault> {
    let mut tx = store.begin().await?;
    create(&mut tx, shape).await?;
    let known = known_columns(&mut tx, shape).await?;
    let declared: BTreeSet<String> = shape.columns.iter().map(|c| c.name().0).collect();
    for name in known.keys().filter(|name| !declared.contains(*name)) {
        mark(&mut tx, shape, name, false, true).await?;
    }
    let mut to_fill = vec![];
    for column in &shape.columns {
        let name = column.name().0;
        let before = known.get(&name).copied();
        if before.is_none() {
            let added = Table::alter()
                .table(shape.table())
                .add_column(column_def(column))
                .to_owned();
            tx.execute(&added).await?;
            let index = shape.index_name(&name);
            create_index(&mut tx, shape, &index, &[&name]).await?;
        }
        if before != Some(true) {
            mark(&mut tx, shape, &name, true, before.is_some()).await?;
            to_fill.push(column.clone());
        }
    }
    if !to_fill.is_empty() {
        fill(&mut tx, shape, &to_fill, cells).await?;
    }
    if !shape.access.is_empty() {
        index_reach(&mut tx, shape).await?;
    }
    tx.commit().await
}

/// The index for narrowed lists, in the order of keys. Declared anew with other columns it gets
/// another name; the former stays until somebody drops it.
async fn index_reach(tx: &mut Tx, shape: &Shape) -> Result<(), Fault> {
    let reach = shape.reach();
    let mut index = Index::create();
    index
        .name(shape.index_name(&format!("reach {}", reach.join(" "))))
        .if_not_exists()
        .table(shape.table());
    for column in ["superseded_at", "key", "valid_from", "valid_to"] {
        index.col(column);
    }
    for column in reach {
        index.col(Alias::new(column));
    }
    tx.execute(&index).await?;
    Ok(())
}

fn column_def(column: &Column) -> ColumnDef {
    let mut def = ColumnDef::new(column.name());
    match column.kind {
        CellKind::Text => def.text(),
        CellKind::Integer => def.big_integer(),
        CellKind::Double => def.double(),
    };
    def
}

async fn create(tx: &mut Tx, shape: &Shape) -> Result<(), Fault> {
    let mut table = Table::create()
        .table(shape.table())
        .if_not_exists()
        .to_owned();
    table
        .col(ColumnDef::new("id").big_integer().not_null().primary_key())
        .col(ColumnDef::new("key").text().not_null());
    for name in &FIXED[2..8] {
        table.col(ColumnDef::new(*name).big_integer().not_null());
    }
    table
        .col(ColumnDef::new("by_account").text().not_null())
        .col(ColumnDef::new("reason").text())
        .col(ColumnDef::new("body").text().not_null());
    tx.execute(&table).await?;
    let by_key = Index::create()
        .name(shape.index_name("key"))
        .if_not_exists()
        .table(shape.table())
        .col("key")
        .col("version")
        .to_owned();
    tx.execute(&by_key).await?;
    create_index(tx, shape, &shape.index_name("current"), &[]).await
}

async fn create_index(
    tx: &mut Tx,
    shape: &Shape,
    name: &str,
    columns: &[&str],
) -> Result<(), Fault> {
    let mut index = Index::create();
    index.name(name).if_not_exists().table(shape.table());
    index.col("superseded_at");
    for column in columns {
        index.col(Alias::new(*column));
    }
    // With the valid time in it, counting and skipping need not look into the table.
    index.col("key").col("valid_from").col("valid_to");
    tx.execute(&index).await?;
    Ok(())
}

async fn known_columns(tx: &mut Tx, shape: &Shape) -> Result<BTreeMap<String, bool>, Fault> {
    let question = Query::select()
        .columns(["name", "filled"])
        .from("register_columns")
        .and_where(Expr::col("register").eq(shape.register.as_str()))
        .to_owned();
    let rows = tx.fetch_all(&question).await?;
    rows.iter()
        .map(|row| Ok((row.text("name")?, row.i64("filled")? != 0)))
        .collect()
}

async fn mark(
    tx: &mut Tx,
    shape: &Shape,
    name: &str,
    filled: bool,
    known: bool,
) -> Result<(), Fault> {
    if known {
        let update = Query::update()
            .table("register_columns")
            .value("filled", i64::from(filled))
            .and_where(Expr::col("register").eq(shape.register.as_str()))
            .and_where(Expr::col("name").eq(name))
            .to_owned();
        tx.execute(&update).await?;
    } else {
        let insert = Query::insert()
            .into_table("register_columns")
            .columns(["register", "name", "filled"])
            .values_panic([
                Expr::val(shape.register.as_str()),
                Expr::val(name),
                Expr::val(i64::from(filled)),
            ])
            .to_owned();
        tx.execute(&insert).await?;
    }
    Ok(())
}

async fn fill(
    tx: &mut Tx,
    shape: &Shape,
    columns: &[Column],
    cells: &CellsOf<'_>,
) -> Result<(), Fault> {
    let mut after = 0;
    loop {
        let page = Query::select()
            .columns(["id", "body"])
            .from(shape.table())
            .and_where(Expr::col("id").gt(after))
            .order_by("id", Order::Asc)
            .limit(1000)
            .to_owned();
        let rows = tx.fetch_all(&page).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        after = last.i64("id")?;
        for row in &rows {
            let found = cells(columns, &row.text("body")?)?;
            let pairs = columns.iter().zip(&found);
            let update = Query::update()
                .table(shape.table())
                .values(pairs.map(|(column, cell)| (column.name(), cell.expr())))
                .and_where(Expr::col("id").eq(row.i64("id")?))
                .to_owned();
            tx.execute(&update).await?;
        }
    }
}
