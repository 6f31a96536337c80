//! Licences: the tables of types of licences, of the licences themselves with their history, of
//! who used them, and of the secrets they are shown with. What is personal arrives here sealed;
//! what is searched by is a keyed digest.

mod rows;
mod tokens;

pub use rows::{LicenceRow, StepRow, TokenRow, UseRow};
pub use tokens::{
    add_token, free_token, open_tokens, put_token, spend_token, sweep_tokens, token, tokens,
    tokens_of, use_token, use_tokens,
};

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{
    ColumnDef, Expr, ExprTrait, Func, Index, IndexCreateStatement, Order, Query, SelectStatement,
    Table, TableCreateStatement, Value,
};

use rows::*;

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;
/// Rows of one statement: SQLite takes 32,766 values in one.
const ROWS: usize = 500;

fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}
fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}
fn maybe_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().to_owned()
}
fn maybe_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().to_owned()
}
fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().to_owned()
}

fn index(
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}

fn licences() -> TableCreateStatement {
    Table::create()
        .table("licences")
        .col(text("id").primary_key())
        .col(text("identifier").unique_key())
        .col(text("kind"))
        .col(number("kind_version"))
        .col(text("holder"))
        .col(maybe_text("person"))
        .col(text("name"))
        .col(text("source").unique_key())
        .col(text("request"))
        .col(bytes("sealed"))
        .col(text("signed_by"))
        .col(text("algorithm"))
        .col(bytes("signature"))
        .col(text("state"))
        .col(maybe_text("reason"))
        .col(number("status"))
        .col(number("status_list"))
        .col(number("status_index"))
        .col(number("valid_from"))
        .col(maybe_number("valid_to"))
        .col(number("issued_at"))
        .col(maybe_number("expired_at"))
        .col(maybe_text("replaces"))
        .col(maybe_text("replaced_by"))
        .col(number("seq").unique_key())
        .col(number("version"))
        .to_owned()
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    let tables = Migration {
        name: "licences_1",
        statements: |_| {
            let types = Table::create()
                .table("licence_types")
                .col(text("name"))
                .col(number("version"))
                .col(number("at"))
                .col(text("body"))
                .primary_key(Index::create().col("name").col("version"))
                .to_owned();
            let steps = Table::create()
                .table("licence_steps")
                .col(text("licence"))
                .col(number("version"))
                .col(number("at"))
                .col(text("by_account"))
                .col(text("what"))
                .col(text("state"))
                .col(text("reason"))
                .col(text("details"))
                .primary_key(Index::create().col("licence").col("version"))
                .to_owned();
            let mut uses = Table::create();
            uses.table("licence_uses").col(text("id").primary_key());
            uses.col(text("licence")).col(number("at"));
            for name in &USE[3..] {
                uses.col(text(name));
            }
            let tokens = Table::create()
                .table("licence_tokens")
                .col(text("digest").primary_key())
                .col(text("kind"))
                .col(text("licence"))
                .col(text("body"))
                .col(ColumnDef::new("sealed").blob().to_owned())
                .col(number("created_at"))
                .col(number("expires_at"))
                .col(maybe_number("used_at"))
                .to_owned();
            let by = |name, columns: &[&'static str]| step(index(name, "licences", columns));
            vec![
                step(types),
                step(licences()),
                step(steps),
                step(uses.to_owned()),
                step(tokens),
                by("licences_by_holder", &["holder", "id"]),
                by("licences_by_kind", &["kind", "id"]),
                by("licences_by_status", &["status_list", "status"]),
                by("licences_by_end", &["expired_at", "valid_to"]),
                step(index(
                    "licence_uses_by_licence",
                    "licence_uses",
                    &["licence", "id"],
                )),
                step(index(
                    "licence_tokens_by_end",
                    "licence_tokens",
                    &["expires_at"],
                )),
            ]
        },
    };
    let secrets = Migration {
        name: "licences_2",
        statements: |_| {
            vec![step(index(
                "licence_tokens_by_licence",
                "licence_tokens",
                &["licence", "kind", "created_at"],
            ))]
        },
    };
    vec![tables, secrets]
}

fn select(table: &'static str, columns: &[&'static str]) -> SelectStatement {
    Query::select()
        .columns(columns.iter().copied())
        .from(table)
        .to_owned()
}

async fn one<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let row = run.fetch_optional(question).await?;
    row.as_ref().map(read).transpose()
}

async fn many<T>(
    run: &mut impl Run,
    question: &SelectStatement,
    read: fn(&SqlRow) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    run.fetch_all(question).await?.iter().map(read).collect()
}

/// Adds rows; none of their keys may be there.
async fn add(
    tx: &mut Tx,
    table: &'static str,
    columns: &[&'static str],
    rows: impl Iterator<Item = Vec<Value>>,
) -> Result<(), Fault> {
    let rows: Vec<Vec<Value>> = rows.collect();
    for some in rows.chunks(ROWS) {
        let mut statement = Query::insert();
        statement.into_table(table).columns(columns.iter().copied());
        for row in some {
            statement.values_panic(row.iter().cloned().map(Expr::val));
        }
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// A version of a type, with its number.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeRow {
    /// Name.
    pub name: String,
    /// Version, from 1.
    pub version: i64,
    /// In force since.
    pub at: i64,
    /// JSON.
    pub body: String,
}

/// Every version of every type, in order of name and version.
pub async fn types(run: &mut impl Run) -> Result<Vec<TypeRow>, Fault> {
    let mut found: Vec<TypeRow> = vec![];
    loop {
        let question = select("licence_types", &["name", "version", "at", "body"])
            .order_by("name", Order::Asc)
            .order_by("version", Order::Asc)
            .limit(PAGE_LIMIT)
            .offset(found.len() as u64)
            .to_owned();
        let page = many(run, &question, |row| {
            Ok(TypeRow {
                name: row.text("name")?,
                version: row.i64("version")?,
                at: row.i64("at")?,
                body: row.text("body")?,
            })
        })
        .await?;
        let full = page.len() as u64 == PAGE_LIMIT;
        found.extend(page);
        if !full {
            return Ok(found);
        }
    }
}

/// Adds a version of a type.
pub async fn add_type(tx: &mut Tx, row: &TypeRow) -> Result<(), Fault> {
    let values: Vec<Value> = vec![
        row.name.clone().into(),
        row.version.into(),
        row.at.into(),
        row.body.clone().into(),
    ];
    let columns = ["name", "version", "at", "body"];
    add(tx, "licence_types", &columns, std::iter::once(values)).await
}

/// Number of the next licence.
pub async fn next_seq(run: &mut impl Run) -> Result<i64, Fault> {
    let question = Query::select()
        .expr_as(Func::max(Expr::col("seq")), "last")
        .from("licences")
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    let last = row.map_or(Ok(None), |row| row.opt_i64("last"))?;
    Ok(last.map_or(0, |last| last + 1))
}

/// Adds licences.
pub async fn add_licences(tx: &mut Tx, rows: &[LicenceRow]) -> Result<(), Fault> {
    add(tx, "licences", &LICENCE, rows.iter().map(values_of_licence)).await
}

/// Writes a licence as it now is; `false` when it is at another version than the one before.
pub async fn put_licence(tx: &mut Tx, row: &LicenceRow) -> Result<bool, Fault> {
    let values = values_of_licence(row);
    let changes = LICENCE
        .iter()
        .copied()
        .zip(values.into_iter().map(Expr::val));
    let statement = Query::update()
        .table("licences")
        .values(changes.skip(1))
        .and_where(Expr::col("id").eq(row.id.as_str()))
        .and_where(Expr::col("version").eq(row.version - 1))
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// What a licence is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Identification.
    Id,
    /// Identifier of GB/T 36904.
    Identifier,
    /// Keyed digest of the reference it was issued for.
    Source,
}

impl By {
    fn column(self) -> &'static str {
        match self {
            By::Id => "id",
            By::Identifier => "identifier",
            By::Source => "source",
        }
    }
}

/// Values one statement names, at most.
const TOGETHER: usize = 128;

/// Values to name in a statement, as many as a power of two, the last again and again: a statement
/// is prepared for each number there is.
fn named<'a>(values: &[&'a str]) -> impl Iterator<Item = &'a str> {
    let rest = values.len().next_power_of_two() - values.len();
    let last = values.last().copied().into_iter().cycle().take(rest);
    values.iter().copied().chain(last)
}

/// A licence.
pub async fn licence(run: &mut impl Run, by: By, value: &str) -> Result<Option<LicenceRow>, Fault> {
    let question = select("licences", &LICENCE)
        .and_where(Expr::col(by.column()).eq(value))
        .to_owned();
    one(run, &question, read_licence).await
}

/// Licences that are found by one of these, in no order.
pub async fn licences_by(
    run: &mut impl Run,
    by: By,
    values: &[&str],
) -> Result<Vec<LicenceRow>, Fault> {
    let mut found = vec![];
    for some in values.chunks(TOGETHER) {
        let question = select("licences", &LICENCE)
            .and_where(Expr::col(by.column()).is_in(named(some)))
            .limit(PAGE_LIMIT)
            .to_owned();
        found.extend(many(run, &question, read_licence).await?);
    }
    Ok(found)
}

/// Identifiers among these that are taken.
pub async fn taken_identifiers(
    run: &mut impl Run,
    identifiers: &[String],
) -> Result<Vec<String>, Fault> {
    let mut found = vec![];
    for some in identifiers.chunks(ROWS) {
        let question = select("licences", &["identifier"])
            .and_where(Expr::col("identifier").is_in(some.iter().map(String::as_str)))
            .limit(PAGE_LIMIT)
            .to_owned();
        found.extend(many(run, &question, |row| row.text("identifier")).await?);
    }
    Ok(found)
}

/// Licences of a holder, newest first, before this identification.
pub async fn licences_of_holder(
    run: &mut impl Run,
    holder: &str,
    kind: Option<&str>,
    before: Option<&str>,
    limit: u64,
) -> Result<Vec<LicenceRow>, Fault> {
    let question = select("licences", &LICENCE)
        .and_where(Expr::col("holder").eq(holder))
        .and_where_option(kind.map(|kind| Expr::col("kind").eq(kind)))
        .and_where_option(before.map(|before| Expr::col("id").lt(before)))
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_licence).await
}

/// Licences after this identification, for sealing and signing anew.
pub async fn licences_after(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<LicenceRow>, Fault> {
    let question = select("licences", &LICENCE)
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_licence).await
}

/// Licences of a type, newest first, before this identification.
pub async fn licences_of_kind(
    run: &mut impl Run,
    kind: &str,
    before: Option<&str>,
    limit: u64,
) -> Result<Vec<LicenceRow>, Fault> {
    let question = select("licences", &LICENCE)
        .and_where(Expr::col("kind").eq(kind))
        .and_where_option(before.map(|before| Expr::col("id").lt(before)))
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_licence).await
}

/// Licences whose end has passed and is not in their history yet; those over before are left out.
pub async fn licences_ended(
    run: &mut impl Run,
    now: i64,
    limit: u64,
) -> Result<Vec<LicenceRow>, Fault> {
    let question = select("licences", &LICENCE)
        .and_where(Expr::col("expired_at").is_null())
        .and_where(Expr::col("valid_to").lte(now))
        .and_where(Expr::col("state").is_in(["in_force", "suspended"]))
        .order_by("valid_to", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_licence).await
}

/// Places of a status list that are not 0: place, value.
pub async fn statuses(run: &mut impl Run, list: i64) -> Result<Vec<(i64, i64)>, Fault> {
    let mut found: Vec<(i64, i64)> = vec![];
    loop {
        let last = found.last().map_or(-1, |(index, _)| *index);
        let question = select("licences", &["status_index", "status"])
            .and_where(Expr::col("status_list").eq(list))
            .and_where(Expr::col("status").gt(0))
            .and_where(Expr::col("status_index").gt(last))
            .order_by("status_index", Order::Asc)
            .limit(PAGE_LIMIT)
            .to_owned();
        let page = many(run, &question, |row| {
            Ok((row.i64("status_index")?, row.i64("status")?))
        })
        .await?;
        let full = page.len() as u64 == PAGE_LIMIT;
        found.extend(page);
        if !full {
            return Ok(found);
        }
    }
}

/// Writes the content of a licence sealed or signed anew; it is the same licence.
pub async fn put_signed(tx: &mut Tx, row: &LicenceRow) -> Result<(), Fault> {
    let statement = Query::update()
        .table("licences")
        .value("sealed", row.sealed.clone())
        .value("signed_by", row.signed_by.as_str())
        .value("algorithm", row.algorithm.as_str())
        .value("signature", row.signature.clone())
        .and_where(Expr::col("id").eq(row.id.as_str()))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Adds steps of histories.
pub async fn add_steps(tx: &mut Tx, rows: &[StepRow]) -> Result<(), Fault> {
    add(tx, "licence_steps", &STEP, rows.iter().map(values_of_step)).await
}

/// The history of a licence, oldest first, [`PAGE_LIMIT`] at most.
pub async fn steps(run: &mut impl Run, licence: &str) -> Result<Vec<StepRow>, Fault> {
    let question = select("licence_steps", &STEP)
        .and_where(Expr::col("licence").eq(licence))
        .order_by("version", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    many(run, &question, read_step).await
}

/// Adds uses.
pub async fn add_uses(tx: &mut Tx, rows: &[UseRow]) -> Result<(), Fault> {
    let columns = USE.iter().copied();
    for some in rows.chunks(ROWS) {
        let mut statement = Query::insert();
        statement
            .into_table("licence_uses")
            .columns(columns.clone());
        for row in some {
            statement.values_panic(values_of_use(row).into_iter().map(Expr::val));
        }
        tx.execute_later(&statement).await?;
    }
    Ok(())
}

/// Was this licence used in this way for this matter before?
pub async fn was_used(
    run: &mut impl Run,
    licence: &str,
    way: &str,
    matter: &str,
) -> Result<bool, Fault> {
    let question = select("licence_uses", &["id"])
        .and_where(Expr::col("licence").eq(licence))
        .and_where(Expr::col("way").eq(way))
        .and_where(Expr::col("matter").eq(matter))
        .limit(1)
        .to_owned();
    Ok(run.fetch_optional(&question).await?.is_some())
}

/// Uses of a licence, newest first, before this identification.
pub async fn uses(
    run: &mut impl Run,
    licence: &str,
    before: Option<&str>,
    limit: u64,
) -> Result<Vec<UseRow>, Fault> {
    let question = select("licence_uses", &USE)
        .and_where(Expr::col("licence").eq(licence))
        .and_where_option(before.map(|before| Expr::col("id").lt(before)))
        .order_by("id", Order::Desc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    many(run, &question, read_use).await
}
