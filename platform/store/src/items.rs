//! Items of service: where each stands, its published versions, and the working copies of
//! designers. Rows of the items engine.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{
    ColumnDef, Expr, ExprTrait, Func, Index, OnConflict, Order, Query, SelectStatement, Table,
};

const ITEM: [&str; 7] = [
    "item",
    "state",
    "version",
    "revision",
    "successors",
    "line",
    "copied",
];

const VERSION: [&str; 6] = [
    "item",
    "version",
    "digest",
    "note",
    "published_at",
    "published_by",
];

const COPY: [&str; 6] = [
    "item",
    "content",
    "digest",
    "saved_at",
    "saved_by",
    "from_version",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "items_1",
        statements: |_| {
            let text = |name: &'static str| ColumnDef::new(name).text().not_null().to_owned();
            let number =
                |name: &'static str| ColumnDef::new(name).big_integer().not_null().to_owned();
            let items = Table::create()
                .table("items")
                .col(ColumnDef::new("item").text().not_null().primary_key())
                .col(text("state"))
                .col(number("version"))
                .col(number("revision"))
                .col(text("successors"))
                .col(text("line"))
                .col(number("copied"))
                .to_owned();
            let versions = Table::create()
                .table("item_versions")
                .col(text("item"))
                .col(number("version"))
                .col(text("digest"))
                .col(text("note"))
                .col(number("published_at"))
                .col(text("published_by"))
                .col(text("content"))
                .primary_key(Index::create().col("item").col("version"))
                .to_owned();
            let copies = Table::create()
                .table("item_copies")
                .col(ColumnDef::new("item").text().not_null().primary_key())
                .col(text("content"))
                .col(text("digest"))
                .col(number("saved_at"))
                .col(text("saved_by"))
                .col(number("from_version"))
                .to_owned();
            vec![
                step(items),
                step(
                    Index::create()
                        .name("items_by_revision")
                        .table("items")
                        .col("revision")
                        .unique()
                        .to_owned(),
                ),
                step(versions),
                step(copies),
            ]
        },
    }]
}

/// Where an item stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRow {
    /// Name.
    pub item: String,
    /// Word of its state.
    pub state: String,
    /// Newest published version; 0 for none.
    pub version: i64,
    /// Number of its last change among the changes of all items; greater than any before it.
    pub revision: i64,
    /// Items in its place, JSON.
    pub successors: String,
    /// What lists show and search, JSON.
    pub line: String,
    /// A working copy exists.
    pub copied: bool,
}

/// A published version.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRow {
    /// Item.
    pub item: String,
    /// 1 for the first.
    pub version: i64,
    /// SHA-256 of the content, hexadecimal.
    pub digest: String,
    /// What changed.
    pub note: String,
    /// When, microseconds UTC.
    pub published_at: i64,
    /// Account.
    pub published_by: String,
}

/// A working copy.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyRow {
    /// Item.
    pub item: String,
    /// Content, JSON.
    pub content: String,
    /// SHA-256 of it, hexadecimal.
    pub digest: String,
    /// When, microseconds UTC.
    pub saved_at: i64,
    /// Account.
    pub saved_by: String,
    /// Version it was begun from.
    pub from_version: i64,
}

fn item(row: &SqlRow) -> Result<ItemRow, Fault> {
    Ok(ItemRow {
        item: row.text("item")?,
        state: row.text("state")?,
        version: row.i64("version")?,
        revision: row.i64("revision")?,
        successors: row.text("successors")?,
        line: row.text("line")?,
        copied: row.i64("copied")? != 0,
    })
}

fn version(row: &SqlRow) -> Result<VersionRow, Fault> {
    Ok(VersionRow {
        item: row.text("item")?,
        version: row.i64("version")?,
        digest: row.text("digest")?,
        note: row.text("note")?,
        published_at: row.i64("published_at")?,
        published_by: row.text("published_by")?,
    })
}

/// Items that changed after this revision, in order of their changes.
pub async fn changed(
    run: &mut impl Run,
    after_revision: i64,
    limit: u64,
) -> Result<Vec<ItemRow>, Fault> {
    let query = Query::select()
        .columns(ITEM)
        .from("items")
        .and_where(Expr::col("revision").gt(after_revision))
        .order_by("revision", Order::Asc)
        .limit(limit)
        .to_owned();
    run.fetch_all(&query).await?.iter().map(item).collect()
}

/// Where one item stands.
pub async fn get(run: &mut impl Run, name: &str) -> Result<Option<ItemRow>, Fault> {
    let query = Query::select()
        .columns(ITEM)
        .from("items")
        .and_where(Expr::col("item").eq(name))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.as_ref().map(item).transpose()
}

/// How many items there are.
pub async fn count(run: &mut impl Run) -> Result<i64, Fault> {
    let query = Query::select()
        .expr_as(Func::count(Expr::col("item")), "items")
        .from("items")
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map_or(Ok(0), |row| row.i64("items"))
}

/// Writes where an item stands, new or known; its revision becomes the greatest of all, whatever the
/// row says, and is answered.
pub async fn put(tx: &mut Tx, row: &ItemRow) -> Result<i64, Fault> {
    let last = Query::select()
        .expr_as(Func::max(Expr::col("revision")), "last")
        .from("items")
        .to_owned();
    let last = tx.fetch_optional(&last).await?;
    let last = last.map_or(Ok(None), |row| row.opt_i64("last"))?;
    let revision = last.unwrap_or(0) + 1;
    let statement = Query::insert()
        .into_table("items")
        .columns(ITEM)
        .values_panic([
            Expr::val(row.item.as_str()),
            Expr::val(row.state.as_str()),
            Expr::val(row.version),
            Expr::val(revision),
            Expr::val(row.successors.as_str()),
            Expr::val(row.line.as_str()),
            Expr::val(i64::from(row.copied)),
        ])
        .on_conflict(
            OnConflict::column("item")
                .update_columns(ITEM.into_iter().skip(1))
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await?;
    tx.pending.catalogue = true;
    Ok(revision)
}

/// Adds a version. One of the same number fails.
pub async fn publish(tx: &mut Tx, row: &VersionRow, content: &str) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("item_versions")
        .columns(VERSION.into_iter().chain(["content"]))
        .values_panic([
            Expr::val(row.item.as_str()),
            Expr::val(row.version),
            Expr::val(row.digest.as_str()),
            Expr::val(row.note.as_str()),
            Expr::val(row.published_at),
            Expr::val(row.published_by.as_str()),
            Expr::val(content),
        ])
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

fn versions_of(name: &str) -> SelectStatement {
    Query::select()
        .columns(VERSION.into_iter().chain(["content"]))
        .from("item_versions")
        .and_where(Expr::col("item").eq(name))
        .order_by("version", Order::Desc)
        .to_owned()
}

/// A version with its content.
pub async fn at_version(
    run: &mut impl Run,
    name: &str,
    number: i64,
) -> Result<Option<(VersionRow, String)>, Fault> {
    let query = versions_of(name)
        .and_where(Expr::col("version").eq(number))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map(|row| Ok((version(&row)?, row.text("content")?)))
        .transpose()
}

/// Versions with their contents, the newest first.
pub async fn versions(
    run: &mut impl Run,
    name: &str,
    limit: u64,
) -> Result<Vec<(VersionRow, String)>, Fault> {
    let query = versions_of(name).limit(limit).to_owned();
    let rows = run.fetch_all(&query).await?;
    rows.iter()
        .map(|row| Ok((version(row)?, row.text("content")?)))
        .collect()
}

/// The working copy of an item.
pub async fn copy(run: &mut impl Run, name: &str) -> Result<Option<CopyRow>, Fault> {
    let query = Query::select()
        .columns(COPY)
        .from("item_copies")
        .and_where(Expr::col("item").eq(name))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map(|row| {
        Ok(CopyRow {
            item: row.text("item")?,
            content: row.text("content")?,
            digest: row.text("digest")?,
            saved_at: row.i64("saved_at")?,
            saved_by: row.text("saved_by")?,
            from_version: row.i64("from_version")?,
        })
    })
    .transpose()
}

/// Keeps a working copy in the place of the one before.
pub async fn put_copy(tx: &mut Tx, row: &CopyRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("item_copies")
        .columns(COPY)
        .values_panic([
            Expr::val(row.item.as_str()),
            Expr::val(row.content.as_str()),
            Expr::val(row.digest.as_str()),
            Expr::val(row.saved_at),
            Expr::val(row.saved_by.as_str()),
            Expr::val(row.from_version),
        ])
        .on_conflict(
            OnConflict::column("item")
                .update_columns(COPY.into_iter().skip(1))
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// Removes a working copy; says whether there was one.
pub async fn drop_copy(tx: &mut Tx, name: &str) -> Result<bool, Fault> {
    let statement = Query::delete()
        .from_table("item_copies")
        .and_where(Expr::col("item").eq(name))
        .to_owned();
    Ok(tx.execute(&statement).await? > 0)
}
