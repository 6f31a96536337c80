//! What residents ask about, or object to, in the use of their data, and what they were answered.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, ExprTrait, Index, Order, Query, Table};

const COLUMNS: [&str; 14] = [
    "id",
    "person",
    "party",
    "account",
    "seq",
    "kind",
    "text",
    "state",
    "created_at",
    "answer",
    "measure",
    "answered_by",
    "answered_at",
    "version",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "questions_1",
        statements: |_| {
            let mut table = Table::create();
            table.table("data_questions");
            for name in [
                "id", "person", "party", "account", "kind", "text", "state", "answer", "measure",
            ] {
                let mut column = ColumnDef::new(name);
                column.text().not_null();
                if name == "id" {
                    column.primary_key();
                }
                table.col(column);
            }
            for name in ["seq", "created_at", "version"] {
                table.col(ColumnDef::new(name).big_integer().not_null());
            }
            table
                .col(ColumnDef::new("answered_by").text())
                .col(ColumnDef::new("answered_at").big_integer());
            let index = |name, column| {
                step(
                    Index::create()
                        .name(name)
                        .table("data_questions")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
            };
            vec![
                step(table),
                index("data_questions_by_person", "person"),
                index("data_questions_by_state", "state"),
            ]
        },
    }]
}

/// A question or objection.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionRow {
    /// Identification.
    pub id: String,
    /// Pseudonym of the resident.
    pub person: String,
    /// The party they are kept as; empty for none.
    pub party: String,
    /// Account it was asked from.
    pub account: String,
    /// The entry of the audit log it is about.
    pub seq: i64,
    /// Word of its kind.
    pub kind: String,
    /// What the resident says.
    pub text: String,
    /// Word of its state.
    pub state: String,
    /// When it was asked.
    pub created_at: i64,
    /// What was answered; empty before.
    pub answer: String,
    /// Word for what was done about it; empty before.
    pub measure: String,
    /// Account that answered.
    pub answered_by: Option<String>,
    /// When.
    pub answered_at: Option<i64>,
    /// 1 when asked, one more with every change.
    pub version: i64,
}

fn question(row: &SqlRow) -> Result<QuestionRow, Fault> {
    Ok(QuestionRow {
        id: row.text("id")?,
        person: row.text("person")?,
        party: row.text("party")?,
        account: row.text("account")?,
        seq: row.i64("seq")?,
        kind: row.text("kind")?,
        text: row.text("text")?,
        state: row.text("state")?,
        created_at: row.i64("created_at")?,
        answer: row.text("answer")?,
        measure: row.text("measure")?,
        answered_by: row.opt_text("answered_by")?,
        answered_at: row.opt_i64("answered_at")?,
        version: row.i64("version")?,
    })
}

/// Adds one.
pub async fn add(tx: &mut Tx, row: &QuestionRow) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("data_questions")
        .columns(COLUMNS)
        .values_panic([
            Expr::val(row.id.as_str()),
            Expr::val(row.person.as_str()),
            Expr::val(row.party.as_str()),
            Expr::val(row.account.as_str()),
            Expr::val(row.seq),
            Expr::val(row.kind.as_str()),
            Expr::val(row.text.as_str()),
            Expr::val(row.state.as_str()),
            Expr::val(row.created_at),
            Expr::val(row.answer.as_str()),
            Expr::val(row.measure.as_str()),
            Expr::val(row.answered_by.as_deref()),
            Expr::val(row.answered_at),
            Expr::val(row.version),
        ])
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// Writes the answer of one.
pub async fn answer(tx: &mut Tx, row: &QuestionRow) -> Result<(), Fault> {
    let statement = Query::update()
        .table("data_questions")
        .value("state", row.state.as_str())
        .value("answer", row.answer.as_str())
        .value("measure", row.measure.as_str())
        .value("answered_by", row.answered_by.as_deref())
        .value("answered_at", row.answered_at)
        .value("version", row.version)
        .and_where(Expr::col("id").eq(row.id.as_str()))
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

/// One of them.
pub async fn get(run: &mut impl Run, id: &str) -> Result<Option<QuestionRow>, Fault> {
    let query = Query::select()
        .columns(COLUMNS)
        .from("data_questions")
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.as_ref().map(question).transpose()
}

/// Those of a person, or in a state, or all: newest first, below the identification `before`.
pub async fn list(
    run: &mut impl Run,
    person: Option<&str>,
    state: Option<&str>,
    before: Option<&str>,
    limit: u64,
) -> Result<(Vec<QuestionRow>, u64), Fault> {
    let mut query = Query::select();
    query
        .columns(COLUMNS)
        .from("data_questions")
        .and_where_option(person.map(|person| Expr::col("person").eq(person)))
        .and_where_option(state.map(|state| Expr::col("state").eq(state)))
        .and_where_option(before.map(|id| Expr::col("id").lt(id)))
        .order_by("id", Order::Desc)
        .limit(limit);
    let rows = run.fetch_all(&query).await?;
    let mut count = Query::select();
    count
        .expr_as(Expr::col("id").count(), "total")
        .from("data_questions")
        .and_where_option(person.map(|person| Expr::col("person").eq(person)))
        .and_where_option(state.map(|state| Expr::col("state").eq(state)));
    let total = run.fetch_optional(&count).await?;
    let total = total.map_or(Ok(0), |row| row.i64("total"))?;
    let found: Result<Vec<QuestionRow>, Fault> = rows.iter().map(question).collect();
    Ok((found?, total.unsigned_abs()))
}
