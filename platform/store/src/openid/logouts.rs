//! The table of logout messages that are to reach applications (OpenID Back-Channel Logout).

use super::{PAGE_LIMIT, many};
use crate::Tx;
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{Expr, ExprTrait, Order, Query};

const LOGOUT: [&str; 9] = [
    "id",
    "client",
    "subject",
    "session",
    "created_at",
    "attempts",
    "next_at",
    "done_at",
    "error",
];

/// A message that a session is over, on its way to one application.
#[derive(Clone, Debug, PartialEq)]
pub struct LogoutRow {
    /// Identification, and `jti` of the logout token.
    pub id: String,
    /// To which application.
    pub client: String,
    /// `sub` it knows the person by.
    pub subject: String,
    /// `sid` it knows the session by.
    pub session: String,
    /// When the session ended.
    pub created_at: i64,
    /// Deliveries tried.
    pub attempts: i64,
    /// When to try next; `None` when delivered or given up.
    pub next_at: Option<i64>,
    /// When it was delivered.
    pub done_at: Option<i64>,
    /// Why the last delivery failed.
    pub error: Option<String>,
}

fn read(row: &SqlRow) -> Result<LogoutRow, Fault> {
    Ok(LogoutRow {
        id: row.text("id")?,
        client: row.text("client")?,
        subject: row.text("subject")?,
        session: row.text("session")?,
        created_at: row.i64("created_at")?,
        attempts: row.i64("attempts")?,
        next_at: row.opt_i64("next_at")?,
        done_at: row.opt_i64("done_at")?,
        error: row.opt_text("error")?,
    })
}

/// Writes a message to be delivered.
pub async fn insert_logout(tx: &mut Tx, row: &LogoutRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_logouts")
        .columns(LOGOUT)
        .values_panic([
            Expr::val(row.id.as_str()),
            Expr::val(row.client.as_str()),
            Expr::val(row.subject.as_str()),
            Expr::val(row.session.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.attempts),
            Expr::val(row.next_at),
            Expr::val(row.done_at),
            Expr::val(row.error.clone()),
        ])
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Messages due now, the oldest first.
pub async fn logouts_due(
    run: &mut impl Run,
    now: i64,
    limit: u64,
) -> Result<Vec<LogoutRow>, Fault> {
    let question = Query::select()
        .columns(LOGOUT)
        .from("openid_logouts")
        .and_where(Expr::col("next_at").lte(now))
        .order_by("next_at", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read).await
}

/// The last messages to an application, newest first.
pub async fn logouts_of(
    run: &mut impl Run,
    client: &str,
    limit: u64,
) -> Result<Vec<LogoutRow>, Fault> {
    let question = Query::select()
        .columns(LOGOUT)
        .from("openid_logouts")
        .and_where(Expr::col("client").eq(client))
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read).await
}

/// Writes how deliveries went.
pub async fn update_logouts(tx: &mut Tx, rows: &[LogoutRow]) -> Result<(), Fault> {
    for row in rows {
        let update = Query::update()
            .table("openid_logouts")
            .value("attempts", row.attempts)
            .value("next_at", row.next_at)
            .value("done_at", row.done_at)
            .value("error", row.error.clone())
            .and_where(Expr::col("id").eq(row.id.as_str()))
            .to_owned();
        tx.execute(&update).await?;
    }
    Ok(())
}

/// Removes messages delivered or given up that were made before a time.
pub async fn sweep_logouts(tx: &mut Tx, before: i64) -> Result<u64, Fault> {
    let delete = Query::delete()
        .from_table("openid_logouts")
        .and_where(Expr::col("created_at").lte(before))
        .and_where(Expr::col("next_at").is_null())
        .to_owned();
    tx.execute(&delete).await
}
