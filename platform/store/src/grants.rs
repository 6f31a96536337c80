//! Grants for some time: what an account or a role may do beyond the declared roles, from and
//! until when, why and on which legal basis, who granted it, and what the review of it came to.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, ExprTrait, Index, Order, Query, SelectStatement, Table};

/// Grants in force at a time, at most.
pub const FORCE_LIMIT: u64 = 10_000;
/// Grants listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

const COLUMNS: [&str; 19] = [
    "id",
    "kind",
    "account",
    "role",
    "verbs",
    "object",
    "record",
    "scope",
    "fields",
    "reason",
    "basis",
    "granted_by",
    "granted_at",
    "begins_at",
    "ends_at",
    "reviewed_by",
    "reviewed_at",
    "outcome",
    "remark",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "grants_1",
        statements: |_| {
            let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
            let number =
                |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
            let grants = Table::create()
                .table("grants")
                .col(text("id").primary_key())
                .col(text("kind"))
                .col(ColumnDef::new("account").text())
                .col(ColumnDef::new("role").text())
                .col(text("verbs"))
                .col(text("object"))
                .col(ColumnDef::new("record").text())
                .col(text("scope"))
                .col(text("fields"))
                .col(text("reason"))
                .col(text("basis"))
                .col(text("granted_by"))
                .col(number("granted_at"))
                .col(number("begins_at"))
                .col(number("ends_at"))
                .col(ColumnDef::new("reviewed_by").text())
                .col(ColumnDef::new("reviewed_at").big_integer())
                .col(ColumnDef::new("outcome").text())
                .col(ColumnDef::new("remark").text())
                .to_owned();
            let by_end = Index::create()
                .name("grants_by_end")
                .table("grants")
                .col("ends_at")
                .to_owned();
            vec![step(grants), step(by_end)]
        },
    }]
}

/// A grant. Times are microseconds UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantRow {
    /// ULID.
    pub id: String,
    /// `temporary` or `break_glass`.
    pub kind: String,
    /// To this account …
    pub account: Option<String>,
    /// … or to everybody in this role.
    pub role: Option<String>,
    /// Verbs, a JSON list.
    pub verbs: String,
    /// Object of access.
    pub object: String,
    /// Only this record of it.
    pub record: Option<String>,
    /// Which of its records.
    pub scope: String,
    /// Personal fields shown as they are, a JSON list.
    pub fields: String,
    /// Why.
    pub reason: String,
    /// On which legal basis.
    pub basis: String,
    /// Who granted it.
    pub granted_by: String,
    /// When.
    pub granted_at: i64,
    /// In force from (inclusive).
    pub begins_at: i64,
    /// In force to (exclusive).
    pub ends_at: i64,
    /// Who reviewed it afterwards.
    pub reviewed_by: Option<String>,
    /// When.
    pub reviewed_at: Option<i64>,
    /// `approved` or `objected`.
    pub outcome: Option<String>,
    /// What the reviewer said, or why it was ended early.
    pub remark: Option<String>,
}

fn read(row: &SqlRow) -> Result<GrantRow, Fault> {
    Ok(GrantRow {
        id: row.text("id")?,
        kind: row.text("kind")?,
        account: row.opt_text("account")?,
        role: row.opt_text("role")?,
        verbs: row.text("verbs")?,
        object: row.text("object")?,
        record: row.opt_text("record")?,
        scope: row.text("scope")?,
        fields: row.text("fields")?,
        reason: row.text("reason")?,
        basis: row.text("basis")?,
        granted_by: row.text("granted_by")?,
        granted_at: row.i64("granted_at")?,
        begins_at: row.i64("begins_at")?,
        ends_at: row.i64("ends_at")?,
        reviewed_by: row.opt_text("reviewed_by")?,
        reviewed_at: row.opt_i64("reviewed_at")?,
        outcome: row.opt_text("outcome")?,
        remark: row.opt_text("remark")?,
    })
}

fn rows() -> SelectStatement {
    Query::select().columns(COLUMNS).from("grants").to_owned()
}

/// Writes a new grant.
pub async fn insert(tx: &mut Tx, grant: &GrantRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("grants")
        .columns(COLUMNS)
        .values_panic([
            Expr::val(grant.id.as_str()),
            Expr::val(grant.kind.as_str()),
            Expr::val(grant.account.clone()),
            Expr::val(grant.role.clone()),
            Expr::val(grant.verbs.as_str()),
            Expr::val(grant.object.as_str()),
            Expr::val(grant.record.clone()),
            Expr::val(grant.scope.as_str()),
            Expr::val(grant.fields.as_str()),
            Expr::val(grant.reason.as_str()),
            Expr::val(grant.basis.as_str()),
            Expr::val(grant.granted_by.as_str()),
            Expr::val(grant.granted_at),
            Expr::val(grant.begins_at),
            Expr::val(grant.ends_at),
            Expr::val(grant.reviewed_by.clone()),
            Expr::val(grant.reviewed_at),
            Expr::val(grant.outcome.clone()),
            Expr::val(grant.remark.clone()),
        ])
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Writes the end and the review of a grant.
pub async fn update(tx: &mut Tx, grant: &GrantRow) -> Result<(), Fault> {
    let statement = Query::update()
        .table("grants")
        .value("ends_at", grant.ends_at)
        .value("reviewed_by", grant.reviewed_by.clone())
        .value("reviewed_at", grant.reviewed_at)
        .value("outcome", grant.outcome.clone())
        .value("remark", grant.remark.clone())
        .and_where(Expr::col("id").eq(grant.id.as_str()))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// A grant by its identification.
pub async fn find(run: &mut impl Run, id: &str) -> Result<Option<GrantRow>, Fault> {
    let query = rows().and_where(Expr::col("id").eq(id)).to_owned();
    run.fetch_optional(&query)
        .await?
        .as_ref()
        .map(read)
        .transpose()
}

/// Grants that are in force at `now` or will be, in the order they were given.
pub async fn in_force(run: &mut impl Run, now: i64) -> Result<Vec<GrantRow>, Fault> {
    let query = rows()
        .and_where(Expr::col("ends_at").gt(now))
        .order_by("id", Order::Asc)
        .limit(FORCE_LIMIT)
        .to_owned();
    run.fetch_all(&query).await?.iter().map(read).collect()
}

/// Grants newest first, before this identification, at most [`PAGE_LIMIT`]; with `unreviewed`, only
/// broken glass nobody has reviewed.
pub async fn page(
    run: &mut impl Run,
    unreviewed: bool,
    before: Option<&str>,
    limit: u64,
) -> Result<Vec<GrantRow>, Fault> {
    let mut query = rows();
    if unreviewed {
        query
            .and_where(Expr::col("kind").eq("break_glass"))
            .and_where(Expr::col("outcome").is_null());
    }
    query
        .and_where_option(before.map(|before| Expr::col("id").lt(before)))
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT));
    run.fetch_all(&query).await?.iter().map(read).collect()
}

/// How often somebody broke the glass since.
pub async fn broken_since(run: &mut impl Run, account: &str, since: i64) -> Result<u64, Fault> {
    let query = rows()
        .and_where(Expr::col("kind").eq("break_glass"))
        .and_where(Expr::col("account").eq(account))
        .and_where(Expr::col("granted_at").gte(since))
        .limit(PAGE_LIMIT)
        .to_owned();
    Ok(run.fetch_all(&query).await?.len() as u64)
}
