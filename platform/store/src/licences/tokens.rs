//! Secrets that are good once: codes of a QR, offers to wallets, their access, requests for
//! presentations. Only their digests are here.

use super::rows::{TOKEN, read_token, values_of_token};
use super::{PAGE_LIMIT, TOGETHER, TokenRow, add, many, named, one, select};
use crate::Tx;
use crate::sql::Run;
use kernel::Fault;
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query};
use std::collections::BTreeSet;

/// Adds a secret.
pub async fn add_token(tx: &mut Tx, row: &TokenRow) -> Result<(), Fault> {
    let values = std::iter::once(values_of_token(row));
    add(tx, "licence_tokens", &TOKEN, values).await
}

/// A secret by digest.
pub async fn token(run: &mut impl Run, digest: &str) -> Result<Option<TokenRow>, Fault> {
    let question = select("licence_tokens", &TOKEN)
        .and_where(Expr::col("digest").eq(digest))
        .to_owned();
    one(run, &question, read_token).await
}

/// Secrets by their digests, in no order.
pub async fn tokens(run: &mut impl Run, digests: &[&str]) -> Result<Vec<TokenRow>, Fault> {
    let mut found = vec![];
    for some in digests.chunks(TOGETHER) {
        let question = select("licence_tokens", &TOKEN)
            .and_where(Expr::col("digest").is_in(named(some)))
            .limit(PAGE_LIMIT)
            .to_owned();
        found.extend(many(run, &question, read_token).await?);
    }
    Ok(found)
}

/// Uses a secret up; `false` when it was used before, is over, or is not there.
pub async fn use_token(tx: &mut Tx, digest: &str, now: i64) -> Result<bool, Fault> {
    let statement = Query::update()
        .table("licence_tokens")
        .value("used_at", now)
        .and_where(Expr::col("digest").eq(digest))
        .and_where(Expr::col("used_at").is_null())
        .and_where(Expr::col("expires_at").gt(now))
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// Uses secrets up, each named once; answers those that were good, as [`use_token`] judges each.
pub async fn use_tokens(
    tx: &mut Tx,
    digests: &[&str],
    now: i64,
) -> Result<BTreeSet<String>, Fault> {
    let mut used = BTreeSet::new();
    for some in digests.chunks(TOGETHER) {
        let statement = Query::update()
            .table("licence_tokens")
            .value("used_at", now)
            .and_where(Expr::col("digest").is_in(named(some)))
            .and_where(Expr::col("used_at").is_null())
            .and_where(Expr::col("expires_at").gt(now))
            .returning(Query::returning().column("digest"))
            .to_owned();
        for row in tx.fetch_all(&statement).await? {
            used.insert(row.text("digest")?);
        }
    }
    Ok(used)
}

/// Notes a secret that was not kept before as used up; `false` when it was used before.
pub async fn spend_token(tx: &mut Tx, row: &TokenRow) -> Result<bool, Fault> {
    let statement = Query::insert()
        .into_table("licence_tokens")
        .columns(TOKEN)
        .values_panic(values_of_token(row).into_iter().map(Expr::val))
        .on_conflict(OnConflict::column("digest").do_nothing().to_owned())
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// Takes a use of a secret back, within the transaction that used it up.
pub async fn free_token(tx: &mut Tx, digest: &str) -> Result<(), Fault> {
    let statement = Query::update()
        .table("licence_tokens")
        .value("used_at", Option::<i64>::None)
        .and_where(Expr::col("digest").eq(digest))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Writes what became of a secret.
pub async fn put_token(tx: &mut Tx, row: &TokenRow) -> Result<(), Fault> {
    let statement = Query::update()
        .table("licence_tokens")
        .value("body", row.body.as_str())
        .value("sealed", row.sealed.clone())
        .value("used_at", row.used_at)
        .and_where(Expr::col("digest").eq(row.digest.as_str()))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Secrets of a licence that can still be used, [`PAGE_LIMIT`] at most: how many there are.
pub async fn open_tokens(
    run: &mut impl Run,
    licence: &str,
    kind: &str,
    now: i64,
) -> Result<u64, Fault> {
    let question = select("licence_tokens", &["digest"])
        .and_where(Expr::col("licence").eq(licence))
        .and_where(Expr::col("kind").eq(kind))
        .and_where(Expr::col("used_at").is_null())
        .and_where(Expr::col("expires_at").gt(now))
        .limit(PAGE_LIMIT)
        .to_owned();
    Ok(run.fetch_all(&question).await?.len() as u64)
}

/// Secrets of one kind of a licence (or of who asked), newest first, below the one of this time and
/// digest; [`PAGE_LIMIT`] at most.
pub async fn tokens_of(
    run: &mut impl Run,
    licence: &str,
    kind: &str,
    below: Option<(i64, &str)>,
    limit: u64,
) -> Result<Vec<TokenRow>, Fault> {
    let mut question = select("licence_tokens", &TOKEN)
        .and_where(Expr::col("licence").eq(licence))
        .and_where(Expr::col("kind").eq(kind))
        .order_by("created_at", Order::Desc)
        .order_by("digest", Order::Desc)
        .limit(Ord::min(limit, PAGE_LIMIT))
        .to_owned();
    if let Some((at, digest)) = below {
        let earlier = Expr::col("created_at").lt(at);
        let same = Expr::col("created_at").eq(at);
        question.and_where(earlier.or(same.and(Expr::col("digest").lt(digest))));
    }
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(read_token).collect()
}

/// Forgets secrets that were over before this time, requests for presentations that were before
/// that one; says how many.
pub async fn sweep_tokens(tx: &mut Tx, before: i64, requests: i64) -> Result<u64, Fault> {
    let over = Expr::col("expires_at").lt(before);
    let request = Expr::col("kind").eq("request");
    let old = Expr::col("expires_at").lt(requests);
    let statement = Query::delete()
        .from_table("licence_tokens")
        .and_where(over.and(request.not().or(old)))
        .to_owned();
    tx.execute(&statement).await
}
