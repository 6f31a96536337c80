//! Organisations: what the engine of organisations holds in memory, row by row as JSON, and the
//! number of its last change. Nothing is asked of these rows but all of them: the engine answers
//! from memory, and reads them at the start or when another process has written.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::Run;
use kernel::Fault;
use sea_query::{ColumnDef, Cond, Expr, ExprTrait, Index, OnConflict, Order, Query, Table};

/// Rows read or written by one statement, at most.
const PAGE: u64 = 500;
/// Kind of the row that holds the number of the last change.
const META: &str = "meta";

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "organisations_1",
        statements: |_| {
            vec![step(
                Table::create()
                    .table("organisation_rows")
                    .col(ColumnDef::new("kind").text().not_null())
                    .col(ColumnDef::new("id").text().not_null())
                    .col(ColumnDef::new("body").text().not_null())
                    .primary_key(Index::create().col("kind").col("id"))
                    .to_owned(),
            )]
        },
    }]
}

/// A row: its kind, identification and content (JSON).
#[derive(Clone, Debug, PartialEq)]
pub struct OrganisationRow {
    /// `organisation`, `position`, `appointment` …
    pub kind: String,
    /// Identification within its kind.
    pub id: String,
    /// JSON.
    pub body: String,
}

/// The number of the last change; 0 when there was none.
pub async fn version(run: &mut impl Run) -> Result<i64, Fault> {
    let question = Query::select()
        .column("body")
        .from("organisation_rows")
        .and_where(Expr::col("kind").eq(META))
        .and_where(Expr::col("id").eq("version"))
        .to_owned();
    let Some(row) = run.fetch_optional(&question).await? else {
        return Ok(0);
    };
    let text = row.text("body")?;
    text.parse()
        .map_err(|e| Fault::internal("reading the number of the last change", e))
}

/// Every row, in order of kind and identification.
pub async fn all(run: &mut impl Run) -> Result<Vec<OrganisationRow>, Fault> {
    let mut rows: Vec<OrganisationRow> = vec![];
    loop {
        let mut question = Query::select();
        question
            .columns(["kind", "id", "body"])
            .from("organisation_rows")
            .and_where(Expr::col("kind").ne(META))
            .order_by("kind", Order::Asc)
            .order_by("id", Order::Asc)
            .limit(PAGE);
        if let Some(last) = rows.last() {
            let (kind, id) = (last.kind.clone(), last.id.clone());
            let same = Cond::all()
                .add(Expr::col("kind").eq(kind.clone()))
                .add(Expr::col("id").gt(id));
            question.cond_where(Cond::any().add(Expr::col("kind").gt(kind)).add(same));
        }
        let page = run.fetch_all(&question).await?;
        let full = page.len() as u64 == PAGE;
        for row in &page {
            rows.push(OrganisationRow {
                kind: row.text("kind")?,
                id: row.text("id")?,
                body: row.text("body")?,
            });
        }
        if !full {
            return Ok(rows);
        }
    }
}

/// Writes rows, new or changed, and the number of this change.
pub async fn put(tx: &mut Tx, rows: &[OrganisationRow], version: i64) -> Result<(), Fault> {
    let meta = OrganisationRow {
        kind: META.into(),
        id: "version".into(),
        body: version.to_string(),
    };
    for page in rows.chunks(PAGE as usize).chain([&[meta][..]]) {
        let mut statement = Query::insert();
        statement
            .into_table("organisation_rows")
            .columns(["kind", "id", "body"]);
        for row in page {
            statement.values_panic([
                Expr::val(row.kind.as_str()),
                Expr::val(row.id.as_str()),
                Expr::val(row.body.as_str()),
            ]);
        }
        statement.on_conflict(
            OnConflict::columns(["kind", "id"])
                .update_column("body")
                .to_owned(),
        );
        tx.execute(&statement).await?;
    }
    Ok(())
}
