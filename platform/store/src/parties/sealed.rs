//! Sealed values of the tables of parties, whichever table they lie in, for sealing them anew.

use super::{PAGE_LIMIT, many};
use crate::Tx;
use crate::sql::Run;
use kernel::Fault;
use sea_query::{Cond, Expr, ExprTrait, Order, Query};

/// A table and column that holds sealed values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedIn {
    /// Number, name and birth of natural persons.
    Parties,
    /// Mobile numbers of accounts.
    Accounts,
    /// Names of holders as given.
    Ties,
    /// Texts of requests.
    Requests,
    /// What stood before a step.
    Steps,
}

impl SealedIn {
    /// All of them. Codes are left out: they are over within minutes.
    pub const ALL: [SealedIn; 5] = [
        SealedIn::Parties,
        SealedIn::Accounts,
        SealedIn::Ties,
        SealedIn::Requests,
        SealedIn::Steps,
    ];

    /// Table, key and column.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            SealedIn::Parties => ("parties", "id", "sealed"),
            SealedIn::Accounts => ("portal_accounts", "account", "phone"),
            SealedIn::Ties => ("party_ties", "id", "note"),
            SealedIn::Requests => ("party_requests", "id", "sealed"),
            SealedIn::Steps => ("party_steps", "subject", "sealed"),
        }
    }
}

/// A sealed value with its key.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedRow {
    /// Key of its row.
    pub key: String,
    /// Number of the step; 0 elsewhere.
    pub version: i64,
    /// The value.
    pub bytes: Vec<u8>,
}

/// Sealed values after this key and version, in their order.
pub async fn sealed(
    run: &mut impl Run,
    which: SealedIn,
    after: &(String, i64),
    limit: u64,
) -> Result<Vec<SealedRow>, Fault> {
    let (table, key, column) = which.names();
    let steps = which == SealedIn::Steps;
    let beyond = match steps {
        false => Cond::all().add(Expr::col(key).gt(after.0.as_str())),
        true => Cond::any().add(Expr::col(key).gt(after.0.as_str())).add(
            Cond::all()
                .add(Expr::col(key).eq(after.0.as_str()))
                .add(Expr::col("version").gt(after.1)),
        ),
    };
    let mut question = Query::select();
    question
        .expr_as(Expr::col(key), "key")
        .expr_as(Expr::col(column), "bytes")
        .from(table)
        .cond_where(beyond)
        .and_where(Expr::col(column).is_not_null())
        .order_by(key, Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT));
    match steps {
        true => question.column("version").order_by("version", Order::Asc),
        false => question.expr_as(Expr::val(0_i64), "version"),
    };
    many(run, &question, |row| {
        Ok(SealedRow {
            key: row.text("key")?,
            version: row.i64("version")?,
            bytes: row.bytes("bytes")?,
        })
    })
    .await
}

/// Writes a sealed value in place of the one that is there.
pub async fn put_sealed(tx: &mut Tx, which: SealedIn, row: &SealedRow) -> Result<(), Fault> {
    let (table, key, column) = which.names();
    let mut statement = Query::update();
    statement
        .table(table)
        .value(column, row.bytes.clone())
        .and_where(Expr::col(key).eq(row.key.as_str()));
    if which == SealedIn::Steps {
        statement.and_where(Expr::col("version").eq(row.version));
    }
    tx.execute(&statement).await?;
    Ok(())
}
