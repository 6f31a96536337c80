//! The table of registered applications.

use super::{PAGE_LIMIT, many, one};
use crate::Tx;
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

const CLIENT: [&str; 9] = [
    "id",
    "spec",
    "secret",
    "old_secret",
    "old_secret_until",
    "disabled",
    "created_by",
    "created_at",
    "version",
];

/// A registered application.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientRow {
    /// `client_id`.
    pub id: String,
    /// What it registered with, JSON.
    pub spec: String,
    /// SHA-256 of its secret, hexadecimal.
    pub secret: Option<String>,
    /// SHA-256 of the secret before, while that still counts.
    pub old_secret: Option<String>,
    /// Until when the secret before counts.
    pub old_secret_until: Option<i64>,
    /// May do nothing.
    pub disabled: bool,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: i64,
    /// Number of changes, from 1.
    pub version: i64,
}

fn read(row: &SqlRow) -> Result<ClientRow, Fault> {
    Ok(ClientRow {
        id: row.text("id")?,
        spec: row.text("spec")?,
        secret: row.opt_text("secret")?,
        old_secret: row.opt_text("old_secret")?,
        old_secret_until: row.opt_i64("old_secret_until")?,
        disabled: row.i64("disabled")? != 0,
        created_by: row.text("created_by")?,
        created_at: row.i64("created_at")?,
        version: row.i64("version")?,
    })
}

fn select() -> SelectStatement {
    Query::select()
        .columns(CLIENT)
        .from("openid_clients")
        .to_owned()
}

/// An application by its identification.
pub async fn client(run: &mut impl Run, id: &str) -> Result<Option<ClientRow>, Fault> {
    let question = select().and_where(Expr::col("id").eq(id)).to_owned();
    one(run, &question, read).await
}

/// Applications after one of them in order, [`PAGE_LIMIT`] at most.
pub async fn clients(run: &mut impl Run, after: &str, limit: u64) -> Result<Vec<ClientRow>, Fault> {
    let question = select()
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read).await
}

/// Registers an application; `input.conflict` when the identification is taken.
pub async fn insert_client(tx: &mut Tx, row: &ClientRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_clients")
        .columns(CLIENT)
        .values_panic([
            Expr::val(row.id.as_str()),
            Expr::val(row.spec.as_str()),
            Expr::val(row.secret.clone()),
            Expr::val(row.old_secret.clone()),
            Expr::val(row.old_secret_until),
            Expr::val(i64::from(row.disabled)),
            Expr::val(row.created_by.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.version),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Writes an application as it now is.
pub async fn update_client(tx: &mut Tx, row: &ClientRow) -> Result<(), Fault> {
    let update = Query::update()
        .table("openid_clients")
        .value("spec", row.spec.as_str())
        .value("secret", row.secret.clone())
        .value("old_secret", row.old_secret.clone())
        .value("old_secret_until", row.old_secret_until)
        .value("disabled", i64::from(row.disabled))
        .value("version", row.version)
        .and_where(Expr::col("id").eq(row.id.as_str()))
        .to_owned();
    tx.execute(&update).await?;
    Ok(())
}
