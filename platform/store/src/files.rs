//! Files: what the documents engine keeps. The files of government services in sealed chunks, so
//! that backup, log shipping and restore cover them, and the numbered letters of offices. What is
//! personal arrives here sealed.

mod letters;

pub use letters::{
    By, LetterRow, add_letter, issue_letter, letter, letters_about, letters_after, letters_with,
    next_number, put_request, unwritten, withdraw_letter,
};

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Backend, Plain, Run, SqlRow};
use kernel::Fault;
use sea_query::{
    ColumnDef, ConditionalStatement, Expr, ExprTrait, Func, Index, Order, Query, SelectStatement,
    Table, UpdateStatement, Value,
};

/// Rows listed at once, at most.
pub const PAGE_LIMIT: u64 = 1000;

const FILE: [&str; 16] = [
    "id",
    "owner",
    "slot",
    "sealed_name",
    "kind",
    "size",
    "pages",
    "sha256",
    "sm3",
    "chunks",
    "person",
    "created_at",
    "created_by",
    "handed_in",
    "scanned_by",
    "whole",
];
fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().to_owned()
}
fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().to_owned()
}
fn maybe_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().to_owned()
}
fn bytes(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).blob().not_null().to_owned()
}

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    let tables = Migration {
        name: "files_1",
        statements: |backend| {
            let files = Table::create()
                .table("files")
                .col(text("id").primary_key())
                .col(text("owner"))
                .col(text("slot"))
                .col(bytes("sealed_name"))
                .col(text("kind"))
                .col(number("size"))
                .col(ColumnDef::new("pages").big_integer().to_owned())
                .col(text("sha256"))
                .col(text("sm3"))
                .col(number("chunks"))
                .col(maybe_text("person"))
                .col(number("created_at"))
                .col(text("created_by"))
                .col(number("handed_in"))
                .col(maybe_text("scanned_by"))
                .col(number("whole"))
                .to_owned();
            let chunks = Table::create()
                .table("file_chunks")
                .col(text("file"))
                .col(number("n"))
                .col(bytes("sealed"))
                .primary_key(Index::create().col("file").col("n"))
                .to_owned();
            let letters = Table::create()
                .table("letters")
                .col(text("id").primary_key())
                .col(text("once").unique_key())
                .col(text("office"))
                .col(text("series"))
                .col(number("year"))
                .col(number("n"))
                .col(text("number").unique_key())
                .col(text("check_code"))
                .col(text("kind"))
                .col(text("title"))
                .col(text("about"))
                .col(maybe_text("person"))
                .col(bytes("sealed"))
                .col(text("template"))
                .col(number("issued_at"))
                .col(text("issued_by"))
                .col(maybe_text("file"))
                .col(text("state"))
                .col(maybe_text("reason"))
                .to_owned();
            let index = |name, table: &'static str, columns: &[&'static str], unique: bool| {
                let mut index = Index::create();
                index.name(name).table(table);
                for column in columns {
                    index.col(*column);
                }
                if unique {
                    index.unique();
                }
                step(index.to_owned())
            };
            let series = ["office", "series", "year", "n"];
            let mut steps = vec![step(files), step(chunks), step(letters)];
            if backend == Backend::Postgres {
                // Nothing compresses what is sealed; PostgreSQL's own attempt only costs time.
                steps.push(step(Plain(
                    "ALTER TABLE file_chunks ALTER COLUMN sealed SET STORAGE EXTERNAL",
                )));
            }
            steps.extend([
                index("files_by_owner", "files", &["owner", "id"], false),
                index("files_by_sha256", "files", &["sha256"], false),
                index("files_by_whole", "files", &["whole", "id"], false),
                index("letters_by_series", "letters", &series, true),
                index("letters_by_about", "letters", &["about", "id"], false),
                index("letters_by_file", "letters", &["file"], false),
                index("letters_by_state", "letters", &["state", "id"], false),
            ]);
            steps
        },
    };
    // Nearly every file is whole: an index over that tells nothing, and SQLite took it for as good
    // as the one over owners.
    let unfinished = Migration {
        name: "files_2",
        statements: |_| {
            let mut old = Index::drop();
            old.name("files_by_whole").table("files");
            let mut new = Index::create();
            new.name("files_unfinished")
                .table("files")
                .col("id")
                .and_where(Expr::col("whole").eq(Expr::cust("0")));
            vec![step(old), step(new)]
        },
    };
    vec![tables, unfinished]
}

/// A file. Times are microseconds UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct FileRow {
    /// Identification (ULID).
    pub id: String,
    /// What it belongs to.
    pub owner: String,
    /// Which material of it.
    pub slot: String,
    /// Its name, sealed.
    pub sealed_name: Vec<u8>,
    /// `pdf`, `jpeg`, `png`, `ofd`.
    pub kind: String,
    /// Bytes.
    pub size: i64,
    /// Pages, where the kind has them.
    pub pages: Option<i64>,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// SM3 of the content, hexadecimal.
    pub sm3: String,
    /// Number of its chunks.
    pub chunks: i64,
    /// Whom it concerns (a pseudonym).
    pub person: Option<String>,
    /// When it came.
    pub created_at: i64,
    /// Account that brought it.
    pub created_by: String,
    /// 1 when it was handed in.
    pub handed_in: i64,
    /// What searched it for viruses.
    pub scanned_by: Option<String>,
    /// 1 when every chunk is there.
    pub whole: i64,
}

fn values_of_file(row: &FileRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.owner.clone().into(),
        row.slot.clone().into(),
        row.sealed_name.clone().into(),
        row.kind.clone().into(),
        row.size.into(),
        row.pages.into(),
        row.sha256.clone().into(),
        row.sm3.clone().into(),
        row.chunks.into(),
        row.person.clone().into(),
        row.created_at.into(),
        row.created_by.clone().into(),
        row.handed_in.into(),
        row.scanned_by.clone().into(),
        row.whole.into(),
    ]
}

fn read_file(row: &SqlRow) -> Result<FileRow, Fault> {
    Ok(FileRow {
        id: row.text("id")?,
        owner: row.text("owner")?,
        slot: row.text("slot")?,
        sealed_name: row.bytes("sealed_name")?,
        kind: row.text("kind")?,
        size: row.i64("size")?,
        pages: row.opt_i64("pages")?,
        sha256: row.text("sha256")?,
        sm3: row.text("sm3")?,
        chunks: row.i64("chunks")?,
        person: row.opt_text("person")?,
        created_at: row.i64("created_at")?,
        created_by: row.text("created_by")?,
        handed_in: row.i64("handed_in")?,
        scanned_by: row.opt_text("scanned_by")?,
        whole: row.i64("whole")?,
    })
}

fn select(table: &'static str, columns: &[&'static str]) -> SelectStatement {
    Query::select()
        .columns(columns.iter().copied())
        .from(table)
        .to_owned()
}

async fn add(
    tx: &mut Tx,
    table: &'static str,
    columns: &[&'static str],
    values: Vec<Value>,
) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table(table)
        .columns(columns.iter().copied())
        .values_panic(values.into_iter().map(Expr::val))
        .to_owned();
    tx.execute_later(&statement).await?;
    Ok(())
}

async fn listed(run: &mut impl Run, question: &SelectStatement) -> Result<Vec<FileRow>, Fault> {
    let rows = run.fetch_all(question).await?;
    rows.iter().map(read_file).collect()
}

/// Spelt out and not bound: SQLite prepares a statement anew each time a value is bound that could
/// decide whether a partial index serves it, here `files_unfinished`.
fn is_whole() -> Expr {
    Expr::col("whole").eq(Expr::cust("1"))
}

/// Adds a file.
pub async fn add_file(tx: &mut Tx, row: &FileRow) -> Result<(), Fault> {
    add(tx, "files", &FILE, values_of_file(row)).await
}

/// Adds a chunk of a file.
pub async fn add_chunk(tx: &mut Tx, file: &str, n: i64, sealed: Vec<u8>) -> Result<(), Fault> {
    let values = vec![file.into(), n.into(), sealed.into()];
    add(tx, "file_chunks", &["file", "n", "sealed"], values).await
}

/// Every chunk of a file is there; `false` when the file is not.
pub async fn mark_whole(tx: &mut Tx, id: &str) -> Result<bool, Fault> {
    let statement = Query::update()
        .table("files")
        .value("whole", 1_i64)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// A file whose chunks are all there.
pub async fn file(run: &mut impl Run, id: &str) -> Result<Option<FileRow>, Fault> {
    let question = select("files", &FILE)
        .and_where(Expr::col("id").eq(id))
        .and_where(is_whole())
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.as_ref().map(read_file).transpose()
}

/// A chunk of a file.
pub async fn chunk(run: &mut impl Run, file: &str, n: i64) -> Result<Option<Vec<u8>>, Fault> {
    let question = select("file_chunks", &["sealed"])
        .and_where(Expr::col("file").eq(file))
        .and_where(Expr::col("n").eq(n))
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| row.bytes("sealed")).transpose()
}

/// Writes a chunk sealed anew; it is the same content.
pub async fn put_chunk(tx: &mut Tx, file: &str, n: i64, sealed: Vec<u8>) -> Result<(), Fault> {
    let statement = Query::update()
        .table("file_chunks")
        .value("sealed", sealed)
        .and_where(Expr::col("file").eq(file))
        .and_where(Expr::col("n").eq(n))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Writes the name of a file sealed anew.
pub async fn put_name(tx: &mut Tx, id: &str, sealed: Vec<u8>) -> Result<(), Fault> {
    let statement = Query::update()
        .table("files")
        .value("sealed_name", sealed)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// Files of an owner whose chunks are all there, oldest first, [`PAGE_LIMIT`] at most.
pub async fn files_of(run: &mut impl Run, owner: &str) -> Result<Vec<FileRow>, Fault> {
    listed(run, &of_owner(owner)).await
}

fn of_owner(owner: &str) -> SelectStatement {
    select("files", &FILE)
        .and_where(Expr::col("owner").eq(owner))
        .and_where(is_whole())
        .order_by("id", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned()
}

/// Number and bytes of an owner's files, those that still arrive with them.
pub async fn usage(run: &mut impl Run, owner: &str) -> Result<(i64, i64), Fault> {
    let size = Func::sum(Expr::col("size")).cast_as("bigint");
    let question = Query::select()
        .expr_as(Func::count(Expr::col("id")), "files")
        .expr_as(size, "bytes")
        .from("files")
        .and_where(Expr::col("owner").eq(owner))
        .to_owned();
    match run.fetch_optional(&question).await? {
        Some(row) => Ok((row.i64("files")?, row.opt_i64("bytes")?.unwrap_or(0))),
        None => Ok((0, 0)),
    }
}

/// Files after this identification, whole or not, for sealing anew.
pub async fn files_after(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<FileRow>, Fault> {
    let question = select("files", &FILE)
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    listed(run, &question).await
}

/// Files that never became whole and began before this moment.
pub async fn unfinished(run: &mut impl Run, before: i64, limit: u64) -> Result<Vec<String>, Fault> {
    let question = select("files", &["id"])
        .and_where(Expr::col("whole").eq(Expr::cust("0")))
        .and_where(Expr::col("created_at").lt(before))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    let rows = run.fetch_all(&question).await?;
    rows.iter().map(|row| row.text("id")).collect()
}

/// Files of owners that begin so, which came before this moment and were never handed in.
pub async fn loose(
    run: &mut impl Run,
    prefix: &str,
    before: i64,
    limit: u64,
) -> Result<Vec<FileRow>, Fault> {
    let question = select("files", &FILE)
        .and_where(Expr::col("owner").gte(prefix))
        .and_where(Expr::col("owner").lt(format!("{prefix}\u{10FFFF}")))
        .and_where(Expr::col("handed_in").eq(0_i64))
        .and_where(is_whole())
        .and_where(Expr::col("created_at").lt(before))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    listed(run, &question).await
}

/// Removes a file with its chunks; `false` when it is not there or was handed in meanwhile.
pub async fn remove_file(tx: &mut Tx, id: &str) -> Result<bool, Fault> {
    let statement = Query::delete()
        .from_table("files")
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::col("handed_in").eq(0_i64))
        .to_owned();
    let removed = tx.execute(&statement).await? == 1;
    if removed {
        remove_chunks(tx, id).await?;
    }
    Ok(removed)
}

/// Removes a file that never became whole, handed in or not.
pub async fn remove_unfinished(tx: &mut Tx, id: &str) -> Result<bool, Fault> {
    let statement = Query::delete()
        .from_table("files")
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::col("whole").eq(Expr::cust("0")))
        .to_owned();
    let removed = tx.execute(&statement).await? == 1;
    if removed {
        remove_chunks(tx, id).await?;
    }
    Ok(removed)
}

async fn remove_chunks(tx: &mut Tx, id: &str) -> Result<(), Fault> {
    let statement = Query::delete()
        .from_table("file_chunks")
        .and_where(Expr::col("file").eq(id))
        .to_owned();
    tx.execute_later(&statement).await?;
    Ok(())
}

/// Gives every whole file of one owner to another, handed in; of one to itself, those that were
/// not handed in before. Says how many.
pub async fn attach(tx: &mut Tx, from: &str, to: &str) -> Result<u64, Fault> {
    tx.execute(&giving(from, to)).await
}

fn giving(from: &str, to: &str) -> UpdateStatement {
    let mut statement = Query::update();
    statement
        .table("files")
        .value("owner", to)
        .value("handed_in", 1_i64)
        .and_where(Expr::col("owner").eq(from))
        .and_where(is_whole());
    if from == to {
        statement.and_where(Expr::col("handed_in").eq(0_i64));
    }
    statement
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn files_of_an_owner_are_found_by_the_owner() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        for plan in [
            crate::sql::plan(&store, &of_owner("draft/1")).await,
            crate::sql::plan(&store, &giving("draft/1", "draft/1")).await,
        ] {
            assert_eq!(plan, ["SEARCH files USING INDEX files_by_owner (owner=?)"]);
        }
        store.close().await;
    }
}
