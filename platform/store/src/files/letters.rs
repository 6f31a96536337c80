//! Letters of offices: their numbers, what was asked for (sealed), where they stand.

use super::{PAGE_LIMIT, add, select};
use crate::Tx;
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{Expr, ExprTrait, Func, Order, Query, Value};

const LETTER: [&str; 19] = [
    "id",
    "once",
    "office",
    "series",
    "year",
    "n",
    "number",
    "check_code",
    "kind",
    "title",
    "about",
    "person",
    "sealed",
    "template",
    "issued_at",
    "issued_by",
    "file",
    "state",
    "reason",
];

/// A letter. Times are microseconds UTC.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterRow {
    /// Identification (ULID).
    pub id: String,
    /// The key it is written once for.
    pub once: String,
    /// Code of the office.
    pub office: String,
    /// Series of its number.
    pub series: String,
    /// Year of its number.
    pub year: i64,
    /// Its number in the series, from 1.
    pub n: i64,
    /// Number as printed.
    pub number: String,
    /// Code printed beside it.
    pub check_code: String,
    /// Name of its template.
    pub kind: String,
    /// Title.
    pub title: String,
    /// What it is about.
    pub about: String,
    /// Whom it concerns (a pseudonym).
    pub person: Option<String>,
    /// What was asked for, sealed.
    pub sealed: Vec<u8>,
    /// Digest of the template it is written with.
    pub template: String,
    /// When it was issued.
    pub issued_at: i64,
    /// Account that issued it.
    pub issued_by: String,
    /// Its PDF, once that is kept.
    pub file: Option<String>,
    /// `numbered`, `issued`, `withdrawn`.
    pub state: String,
    /// Why it was withdrawn.
    pub reason: Option<String>,
}

fn values_of_letter(row: &LetterRow) -> Vec<Value> {
    vec![
        row.id.clone().into(),
        row.once.clone().into(),
        row.office.clone().into(),
        row.series.clone().into(),
        row.year.into(),
        row.n.into(),
        row.number.clone().into(),
        row.check_code.clone().into(),
        row.kind.clone().into(),
        row.title.clone().into(),
        row.about.clone().into(),
        row.person.clone().into(),
        row.sealed.clone().into(),
        row.template.clone().into(),
        row.issued_at.into(),
        row.issued_by.clone().into(),
        row.file.clone().into(),
        row.state.clone().into(),
        row.reason.clone().into(),
    ]
}

fn read_letter(row: &SqlRow) -> Result<LetterRow, Fault> {
    Ok(LetterRow {
        id: row.text("id")?,
        once: row.text("once")?,
        office: row.text("office")?,
        series: row.text("series")?,
        year: row.i64("year")?,
        n: row.i64("n")?,
        number: row.text("number")?,
        check_code: row.text("check_code")?,
        kind: row.text("kind")?,
        title: row.text("title")?,
        about: row.text("about")?,
        person: row.opt_text("person")?,
        sealed: row.bytes("sealed")?,
        template: row.text("template")?,
        issued_at: row.i64("issued_at")?,
        issued_by: row.text("issued_by")?,
        file: row.opt_text("file")?,
        state: row.text("state")?,
        reason: row.opt_text("reason")?,
    })
}

/// Adds a letter.
pub async fn add_letter(tx: &mut Tx, row: &LetterRow) -> Result<(), Fault> {
    add(tx, "letters", &LETTER, values_of_letter(row)).await
}

/// What a letter is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Identification.
    Id,
    /// The key it is written once for.
    Once,
    /// Number as printed.
    Number,
    /// Its PDF.
    File,
}

/// A letter.
pub async fn letter(run: &mut impl Run, by: By, value: &str) -> Result<Option<LetterRow>, Fault> {
    let column = match by {
        By::Id => "id",
        By::Once => "once",
        By::Number => "number",
        By::File => "file",
    };
    let question = select("letters", &LETTER)
        .and_where(Expr::col(column).eq(value))
        .limit(1)
        .to_owned();
    let row = run.fetch_optional(&question).await?;
    row.as_ref().map(read_letter).transpose()
}

/// Letters about something, oldest first, [`PAGE_LIMIT`] at most; those whose PDF is not kept yet
/// are left out.
pub async fn letters_about(run: &mut impl Run, about: &str) -> Result<Vec<LetterRow>, Fault> {
    let question = select("letters", &LETTER)
        .and_where(Expr::col("about").eq(about))
        .and_where(Expr::col("file").is_not_null())
        .order_by("id", Order::Asc)
        .limit(PAGE_LIMIT)
        .to_owned();
    run.fetch_all(&question)
        .await?
        .iter()
        .map(read_letter)
        .collect()
}

/// Letters that have a number and no PDF yet, numbered before this moment.
pub async fn unwritten(
    run: &mut impl Run,
    before: i64,
    limit: u64,
) -> Result<Vec<LetterRow>, Fault> {
    let question = select("letters", &LETTER)
        .and_where(Expr::col("state").eq("numbered"))
        .and_where(Expr::col("issued_at").lt(before))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    run.fetch_all(&question)
        .await?
        .iter()
        .map(read_letter)
        .collect()
}

/// Letters after this identification, for sealing anew.
pub async fn letters_after(
    run: &mut impl Run,
    after: &str,
    limit: u64,
) -> Result<Vec<LetterRow>, Fault> {
    let question = select("letters", &LETTER)
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(std::cmp::min(limit, PAGE_LIMIT))
        .to_owned();
    run.fetch_all(&question)
        .await?
        .iter()
        .map(read_letter)
        .collect()
}

/// The next number of a series: asked and used in one transaction, it has neither gap nor twin.
pub async fn next_number(tx: &mut Tx, office: &str, series: &str, year: i64) -> Result<i64, Fault> {
    let question = Query::select()
        .expr_as(Func::max(Expr::col("n")), "last")
        .from("letters")
        .and_where(Expr::col("office").eq(office))
        .and_where(Expr::col("series").eq(series))
        .and_where(Expr::col("year").eq(year))
        .to_owned();
    let row = tx.fetch_optional(&question).await?;
    let last = row.map_or(Ok(None), |row| row.opt_i64("last"))?;
    Ok(last.unwrap_or(0) + 1)
}

/// The letter's PDF is kept: it is issued. `false` when another was quicker.
pub async fn issue_letter(tx: &mut Tx, id: &str, file: &str) -> Result<bool, Fault> {
    let statement = Query::update()
        .table("letters")
        .value("file", file)
        .value("state", "issued")
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::col("state").eq("numbered"))
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// The letter counts no more; `false` when it did not count.
pub async fn withdraw_letter(tx: &mut Tx, id: &str, reason: &str) -> Result<bool, Fault> {
    let statement = Query::update()
        .table("letters")
        .value("state", "withdrawn")
        .value("reason", reason)
        .and_where(Expr::col("id").eq(id))
        .and_where(Expr::col("state").eq("issued"))
        .to_owned();
    Ok(tx.execute(&statement).await? == 1)
}

/// Writes what was asked for sealed anew.
pub async fn put_request(tx: &mut Tx, id: &str, sealed: Vec<u8>) -> Result<(), Fault> {
    let statement = Query::update()
        .table("letters")
        .value("sealed", sealed)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}

/// The PDFs of letters with this digest, a handful at most.
pub async fn letters_with(run: &mut impl Run, sha256: &str) -> Result<Vec<LetterRow>, Fault> {
    let question = select("files", &["id"])
        .and_where(Expr::col("sha256").eq(sha256))
        .and_where(Expr::col("owner").like("letter/%"))
        .and_where(super::is_whole())
        .limit(8)
        .to_owned();
    let mut found = vec![];
    for row in run.fetch_all(&question).await? {
        found.extend(letter(run, By::File, &row.text("id")?).await?);
    }
    Ok(found)
}
