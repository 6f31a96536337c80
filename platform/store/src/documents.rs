//! Documents: small state of engines as JSON, by collection and key, each with a version that
//! guards against writing over somebody else's change. For hundreds or thousands of small things;
//! what is large or queried by field deserves a table of its own.

use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use crate::{Store, Tx};
use kernel::Fault;
use kernel::fault::FaultKind;
use sea_query::{ColumnDef, Expr, ExprTrait, Index, OnConflict, Order, Query, Table};
use serde_json::Value;

/// Bytes of one document as JSON, at most.
pub const SIZE_LIMIT: usize = 1 << 20;
/// Documents of one page, at most.
pub const PAGE_LIMIT: u64 = 1000;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "documents_1",
        statements: |_| {
            vec![step(
                Table::create()
                    .table("documents")
                    .col(ColumnDef::new("collection").text().not_null())
                    .col(ColumnDef::new("key").text().not_null())
                    .col(ColumnDef::new("json").text().not_null())
                    .col(ColumnDef::new("version").big_integer().not_null())
                    .primary_key(Index::create().col("collection").col("key"))
                    .to_owned(),
            )]
        },
    }]
}

/// A stored document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its key, unique in its collection.
    pub key: String,
    /// Its content.
    pub json: Value,
    /// 1 when made, one more with every change.
    pub version: i64,
}

fn document(row: &SqlRow) -> Result<Document, Fault> {
    let text = row.text("json")?;
    Ok(Document {
        key: row.text("key")?,
        json: serde_json::from_str(&text).map_err(|e| Fault::internal("reading a document", e))?,
        version: row.i64("version")?,
    })
}

async fn find(run: &mut impl Run, collection: &str, key: &str) -> Result<Option<Document>, Fault> {
    let query = Query::select()
        .columns(["key", "json", "version"])
        .from("documents")
        .and_where(Expr::col("collection").eq(collection))
        .and_where(Expr::col("key").eq(key))
        .to_owned();
    run.fetch_optional(&query)
        .await?
        .as_ref()
        .map(document)
        .transpose()
}

/// Writes a document and returns its new version. With `expect_version` the document must have
/// that version now (`Some(0)`: must not exist); otherwise `input.stale`. Larger than
/// [`SIZE_LIMIT`] is `input.too_large`.
pub async fn put(
    tx: &mut Tx,
    collection: &str,
    key: &str,
    json: &Value,
    expect_version: Option<i64>,
) -> Result<i64, Fault> {
    let text = json.to_string();
    if text.len() > SIZE_LIMIT {
        return Err(Fault::new(
            FaultKind::TooLarge,
            "input.too_large",
            format!("文档过大（{} 字节，上限 {SIZE_LIMIT} 字节）", text.len()),
            format!(
                "the document has {} bytes, the limit is {SIZE_LIMIT}",
                text.len()
            ),
        ));
    }
    let now = find(tx, collection, key)
        .await?
        .map_or(0, |found| found.version);
    if expect_version.is_some_and(|expected| expected != now) {
        return Err(Fault::new(
            FaultKind::Conflict,
            "input.stale",
            format!("内容已被他人更改（当前版本 {now}），请刷新后重试"),
            format!("{collection}/{key} was changed meanwhile, its version is {now}"),
        ));
    }
    let statement = Query::insert()
        .into_table("documents")
        .columns(["collection", "key", "json", "version"])
        .values_panic([
            Expr::val(collection),
            Expr::val(key),
            Expr::val(text),
            Expr::val(now + 1),
        ])
        .on_conflict(
            OnConflict::columns(["collection", "key"])
                .update_columns(["json", "version"])
                .to_owned(),
        )
        .to_owned();
    tx.execute(&statement).await?;
    Ok(now + 1)
}

/// Removes a document; says whether there was one.
pub async fn delete(tx: &mut Tx, collection: &str, key: &str) -> Result<bool, Fault> {
    let statement = Query::delete()
        .from_table("documents")
        .and_where(Expr::col("collection").eq(collection))
        .and_where(Expr::col("key").eq(key))
        .to_owned();
    Ok(tx.execute(&statement).await? > 0)
}

/// The documents of a store, for reading.
pub struct Documents(Store);

impl Documents {
    pub(crate) fn new(store: Store) -> Documents {
        Documents(store)
    }

    /// One document.
    pub async fn get(&self, collection: &str, key: &str) -> Result<Option<Document>, Fault> {
        find(&mut self.0.reader().await?, collection, key).await
    }

    /// Documents whose key begins with `prefix`, in order of key, after the key `after`; at most
    /// `limit`, capped at [`PAGE_LIMIT`].
    pub async fn list_by_prefix(
        &self,
        collection: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Document>, Fault> {
        let mut query = Query::select();
        query
            .columns(["key", "json", "version"])
            .from("documents")
            .and_where(Expr::col("collection").eq(collection))
            .and_where(Expr::col("key").gte(prefix))
            .and_where_option(after.map(|after| Expr::col("key").gt(after)))
            .order_by("key", Order::Asc)
            .limit(std::cmp::min(limit, PAGE_LIMIT));
        if !prefix.is_empty() {
            // Keys sort by bytes; U+10FFFF is no character and in no key.
            query.and_where(Expr::col("key").lte(format!("{prefix}\u{10FFFF}")));
        }
        let rows = self.0.reader().await?.fetch_all(&query).await?;
        rows.iter().map(document).collect()
    }
}
