//! Decisions: published models, every version of them, and evaluations that were kept. Rows of the
//! decisions engine.

use crate::Tx;
use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use kernel::Fault;
use sea_query::{ColumnDef, Expr, ExprTrait, Index, Order, Query, SelectStatement, Table};

const MODEL: [&str; 7] = [
    "model",
    "version",
    "title",
    "digest",
    "note",
    "published_at",
    "published_by",
];

const EVALUATION: [&str; 11] = [
    "id", "at", "account", "model", "version", "decision", "case_id", "person", "purpose", "basis",
    "result",
];

/// Evaluations of one statement.
const ROWS: usize = 50;

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "decisions_1",
        statements: |_| {
            let mut models = Table::create();
            models.table("decision_models");
            for name in ["model", "title", "digest", "note", "published_by", "xml"] {
                models.col(ColumnDef::new(name).text().not_null());
            }
            models
                .col(ColumnDef::new("version").big_integer().not_null())
                .col(ColumnDef::new("published_at").big_integer().not_null())
                .primary_key(Index::create().col("model").col("version"));
            let mut evaluations = Table::create();
            evaluations
                .table("decision_evaluations")
                .col(ColumnDef::new("id").text().not_null().primary_key());
            for name in ["at", "version"] {
                evaluations.col(ColumnDef::new(name).big_integer().not_null());
            }
            for name in [
                "account", "model", "decision", "case_id", "person", "purpose", "basis", "result",
                "outcome",
            ] {
                evaluations.col(ColumnDef::new(name).text().not_null());
            }
            let index = |name: &'static str, column: &'static str| {
                step(
                    Index::create()
                        .name(name)
                        .table("decision_evaluations")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
            };
            vec![
                step(models),
                step(evaluations),
                index("decision_evaluations_by_case", "case_id"),
                index("decision_evaluations_by_person", "person"),
                index("decision_evaluations_by_model", "model"),
            ]
        },
    }]
}

/// A version of a model, without its XML.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRow {
    /// Code of the model.
    pub model: String,
    /// 1 for the first.
    pub version: i64,
    /// Name in its XML.
    pub title: String,
    /// SHA-256 of the XML, hexadecimal.
    pub digest: String,
    /// What was new.
    pub note: String,
    /// When it was published.
    pub published_at: i64,
    /// Account that published it.
    pub published_by: String,
}

/// An evaluation that was kept, without its outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationRow {
    /// Identification.
    pub id: String,
    /// When.
    pub at: i64,
    /// Account that asked.
    pub account: String,
    /// Code of the model.
    pub model: String,
    /// Its version.
    pub version: i64,
    /// Name of the decision.
    pub decision: String,
    /// The case; empty for none.
    pub case: String,
    /// The person; empty for none.
    pub person: String,
    /// What for.
    pub purpose: String,
    /// Legal basis.
    pub basis: String,
    /// The result, JSON.
    pub result: String,
}

/// Which evaluations.
#[derive(Clone, Debug, Default)]
pub struct Which<'a> {
    /// Of this model.
    pub model: Option<&'a str>,
    /// Of this case.
    pub case: Option<&'a str>,
    /// About this person.
    pub person: Option<&'a str>,
    /// Below this identification.
    pub before: Option<&'a str>,
}

fn model(row: &SqlRow) -> Result<ModelRow, Fault> {
    Ok(ModelRow {
        model: row.text("model")?,
        version: row.i64("version")?,
        title: row.text("title")?,
        digest: row.text("digest")?,
        note: row.text("note")?,
        published_at: row.i64("published_at")?,
        published_by: row.text("published_by")?,
    })
}

fn evaluation(row: &SqlRow) -> Result<EvaluationRow, Fault> {
    Ok(EvaluationRow {
        id: row.text("id")?,
        at: row.i64("at")?,
        account: row.text("account")?,
        model: row.text("model")?,
        version: row.i64("version")?,
        decision: row.text("decision")?,
        case: row.text("case_id")?,
        person: row.text("person")?,
        purpose: row.text("purpose")?,
        basis: row.text("basis")?,
        result: row.text("result")?,
    })
}

/// Adds a version.
pub async fn publish(tx: &mut Tx, row: &ModelRow, xml: &str) -> Result<(), Fault> {
    let statement = Query::insert()
        .into_table("decision_models")
        .columns(MODEL.into_iter().chain(["xml"]))
        .values_panic([
            Expr::val(row.model.as_str()),
            Expr::val(row.version),
            Expr::val(row.title.as_str()),
            Expr::val(row.digest.as_str()),
            Expr::val(row.note.as_str()),
            Expr::val(row.published_at),
            Expr::val(row.published_by.as_str()),
            Expr::val(xml),
        ])
        .to_owned();
    tx.execute(&statement).await.map(|_| ())
}

fn of_model(code: &str) -> SelectStatement {
    Query::select()
        .columns(MODEL)
        .from("decision_models")
        .and_where(Expr::col("model").eq(code))
        .order_by("version", Order::Desc)
        .to_owned()
}

/// The newest version of a model.
pub async fn newest(run: &mut impl Run, code: &str) -> Result<Option<ModelRow>, Fault> {
    let query = of_model(code).limit(1).to_owned();
    let row = run.fetch_optional(&query).await?;
    row.as_ref().map(model).transpose()
}

/// The number of the version in force at a moment: the newest that was published by then; the first
/// when none was.
pub async fn in_force(run: &mut impl Run, code: &str, at: i64) -> Result<Option<i64>, Fault> {
    let by_then = of_model(code)
        .and_where(Expr::col("published_at").lte(at))
        .limit(1)
        .to_owned();
    let first = of_model(code)
        .clear_order_by()
        .order_by("version", Order::Asc)
        .limit(1)
        .to_owned();
    let found = match run.fetch_optional(&by_then).await? {
        Some(row) => Some(row),
        None => run.fetch_optional(&first).await?,
    };
    found.map(|row| row.i64("version")).transpose()
}

/// A version of a model with its XML; the newest for `None`.
pub async fn with_xml(
    run: &mut impl Run,
    code: &str,
    version: Option<i64>,
) -> Result<Option<(ModelRow, String)>, Fault> {
    let query = of_model(code)
        .column("xml")
        .and_where_option(version.map(|version| Expr::col("version").eq(version)))
        .limit(1)
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map(|row| Ok((model(&row)?, row.text("xml")?)))
        .transpose()
}

/// Versions of a model, newest first, below the number `before`.
pub async fn versions(
    run: &mut impl Run,
    code: &str,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<ModelRow>, Fault> {
    let query = of_model(code)
        .and_where_option(before.map(|version| Expr::col("version").lt(version)))
        .limit(limit)
        .to_owned();
    run.fetch_all(&query).await?.iter().map(model).collect()
}

/// The newest version of every model, by code, after this code.
pub async fn models(
    run: &mut impl Run,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<ModelRow>, Fault> {
    let newest = Query::select()
        .column("model")
        .expr_as(Expr::col("version").max(), "version")
        .from("decision_models")
        .and_where_option(after.map(|code| Expr::col("model").gt(code)))
        .group_by_col("model")
        .order_by("model", Order::Asc)
        .limit(limit)
        .to_owned();
    let mut found = vec![];
    for row in run.fetch_all(&newest).await? {
        let (code, version) = (row.text("model")?, row.i64("version")?);
        let query = of_model(&code)
            .and_where(Expr::col("version").eq(version))
            .to_owned();
        if let Some(row) = run.fetch_optional(&query).await? {
            found.push(model(&row)?);
        }
    }
    Ok(found)
}

/// Keeps an evaluation; `outcome` is JSON.
pub async fn keep(tx: &mut Tx, row: &EvaluationRow, outcome: &str) -> Result<(), Fault> {
    keep_many(tx, &[(row.clone(), outcome.to_owned())]).await
}

/// Keeps evaluations, each with its outcome (JSON).
pub async fn keep_many(tx: &mut Tx, rows: &[(EvaluationRow, String)]) -> Result<(), Fault> {
    for some in rows.chunks(ROWS) {
        let mut statement = Query::insert();
        statement
            .into_table("decision_evaluations")
            .columns(EVALUATION.into_iter().chain(["outcome"]));
        for (row, outcome) in some {
            statement.values_panic([
                Expr::val(row.id.as_str()),
                Expr::val(row.at),
                Expr::val(row.account.as_str()),
                Expr::val(row.model.as_str()),
                Expr::val(row.version),
                Expr::val(row.decision.as_str()),
                Expr::val(row.case.as_str()),
                Expr::val(row.person.as_str()),
                Expr::val(row.purpose.as_str()),
                Expr::val(row.basis.as_str()),
                Expr::val(row.result.as_str()),
                Expr::val(outcome.as_str()),
            ]);
        }
        tx.execute(&statement).await?;
    }
    Ok(())
}

/// An evaluation with its outcome.
pub async fn get(run: &mut impl Run, id: &str) -> Result<Option<(EvaluationRow, String)>, Fault> {
    let query = Query::select()
        .columns(EVALUATION.into_iter().chain(["outcome"]))
        .from("decision_evaluations")
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    let row = run.fetch_optional(&query).await?;
    row.map(|row| Ok((evaluation(&row)?, row.text("outcome")?)))
        .transpose()
}

/// Evaluations, newest first.
pub async fn list(
    run: &mut impl Run,
    which: &Which<'_>,
    limit: u64,
) -> Result<Vec<EvaluationRow>, Fault> {
    let query = Query::select()
        .columns(EVALUATION)
        .from("decision_evaluations")
        .and_where_option(which.model.map(|model| Expr::col("model").eq(model)))
        .and_where_option(which.case.map(|case| Expr::col("case_id").eq(case)))
        .and_where_option(which.person.map(|person| Expr::col("person").eq(person)))
        .and_where_option(which.before.map(|id| Expr::col("id").lt(id)))
        .order_by("id", Order::Desc)
        .limit(limit)
        .to_owned();
    run.fetch_all(&query)
        .await?
        .iter()
        .map(evaluation)
        .collect()
}

/// Removes the evaluation with this identification; says whether it was there.
pub async fn forget(tx: &mut Tx, id: &str) -> Result<bool, Fault> {
    let statement = Query::delete()
        .from_table("decision_evaluations")
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    Ok(tx.execute(&statement).await? > 0)
}
