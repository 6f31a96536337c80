//! The tables of the providers in front of this city, and of the accounts linked to them.

use super::{PAGE_LIMIT, many, one};
use crate::Tx;
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query, SelectStatement};

const UPSTREAM: [&str; 7] = [
    "id",
    "spec",
    "secret",
    "disabled",
    "created_by",
    "created_at",
    "version",
];
const LINK: [&str; 5] = ["upstream", "subject", "account", "linked_at", "last_used"];

/// A provider in front of this city.
#[derive(Clone, Debug, PartialEq)]
pub struct UpstreamRow {
    /// Short name, part of addresses.
    pub id: String,
    /// How it is used, JSON.
    pub spec: String,
    /// Our secret there, sealed.
    pub secret: Option<Vec<u8>>,
    /// Not offered.
    pub disabled: bool,
    /// Who set it up.
    pub created_by: String,
    /// When.
    pub created_at: i64,
    /// Number of changes, from 1.
    pub version: i64,
}

/// A subject of a provider and the account here that is theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkRow {
    /// Which provider.
    pub upstream: String,
    /// `sub` there.
    pub subject: String,
    /// Account here.
    pub account: String,
    /// Linked at.
    pub linked_at: i64,
    /// Last signed in through it at.
    pub last_used: i64,
}

fn read_upstream(row: &SqlRow) -> Result<UpstreamRow, Fault> {
    Ok(UpstreamRow {
        id: row.text("id")?,
        spec: row.text("spec")?,
        secret: row.opt_bytes("secret")?,
        disabled: row.i64("disabled")? != 0,
        created_by: row.text("created_by")?,
        created_at: row.i64("created_at")?,
        version: row.i64("version")?,
    })
}

fn read_link(row: &SqlRow) -> Result<LinkRow, Fault> {
    Ok(LinkRow {
        upstream: row.text("upstream")?,
        subject: row.text("subject")?,
        account: row.text("account")?,
        linked_at: row.i64("linked_at")?,
        last_used: row.i64("last_used")?,
    })
}

fn select_upstreams() -> SelectStatement {
    Query::select()
        .columns(UPSTREAM)
        .from("openid_upstreams")
        .to_owned()
}

/// A provider by its short name.
pub async fn upstream(run: &mut impl Run, id: &str) -> Result<Option<UpstreamRow>, Fault> {
    let question = select_upstreams()
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    one(run, &question, read_upstream).await
}

/// Every provider in order, [`PAGE_LIMIT`] at most.
pub async fn upstreams(run: &mut impl Run) -> Result<Vec<UpstreamRow>, Fault> {
    let question = select_upstreams()
        .order_by("id", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_upstream).await
}

/// Writes a provider as it now is, new or not.
pub async fn put_upstream(tx: &mut Tx, row: &UpstreamRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_upstreams")
        .columns(UPSTREAM)
        .values_panic([
            Expr::val(row.id.as_str()),
            Expr::val(row.spec.as_str()),
            Expr::val(row.secret.clone()),
            Expr::val(i64::from(row.disabled)),
            Expr::val(row.created_by.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.version),
        ])
        .on_conflict(
            OnConflict::column("id")
                .update_columns(["spec", "secret", "disabled", "version"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// The account linked to a subject.
pub async fn link(
    run: &mut impl Run,
    upstream: &str,
    subject: &str,
) -> Result<Option<LinkRow>, Fault> {
    let question = Query::select()
        .columns(LINK)
        .from("openid_links")
        .and_where(Expr::col("upstream").eq(upstream))
        .and_where(Expr::col("subject").eq(subject))
        .to_owned();
    one(run, &question, read_link).await
}

/// The links of an account, [`PAGE_LIMIT`] at most.
pub async fn links_of(run: &mut impl Run, account: &str) -> Result<Vec<LinkRow>, Fault> {
    let question = Query::select()
        .columns(LINK)
        .from("openid_links")
        .and_where(Expr::col("account").eq(account))
        .order_by("upstream", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_link).await
}

/// Writes a link, or when it was last used.
pub async fn put_link(tx: &mut Tx, row: &LinkRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("openid_links")
        .columns(LINK)
        .values_panic([
            Expr::val(row.upstream.as_str()),
            Expr::val(row.subject.as_str()),
            Expr::val(row.account.as_str()),
            Expr::val(row.linked_at),
            Expr::val(row.last_used),
        ])
        .on_conflict(
            OnConflict::columns(["upstream", "subject"])
                .update_column("last_used")
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await?;
    Ok(())
}

/// Removes a link; says whether there was one.
pub async fn remove_link(tx: &mut Tx, account: &str, upstream: &str) -> Result<bool, Fault> {
    let delete = Query::delete()
        .from_table("openid_links")
        .and_where(Expr::col("upstream").eq(upstream))
        .and_where(Expr::col("account").eq(account))
        .to_owned();
    Ok(tx.execute(&delete).await? > 0)
}
