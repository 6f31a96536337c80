//! Writing: what follows from one decision is put into a transaction whole, or not at all when
//! something it was decided upon has changed meanwhile. Several decisions share a transaction.

use super::read::{self, By};
use super::rows::{
    APPLICATION, ApplicationRow, Counts, DAY, DRAFT, DayRow, DraftRow, JOB, JobRow, names,
};
use super::tables::Columns;
use crate::Tx;
use crate::audit::AuditEntry;
use crate::sql::Run;
use kernel::{Fault, Time};
use sea_query::{Expr, ExprTrait, OnConflict, Query, Value};
use std::collections::BTreeMap;

/// A row with the version it was decided upon; 0 for a new one.
#[derive(Clone)]
pub struct Put<T> {
    /// The row as it is to be.
    pub row: T,
    /// Version it has now.
    pub was: i64,
}

/// Everything that follows from one decision.
#[derive(Clone, Default)]
pub struct Write {
    /// Drafts.
    pub drafts: Vec<Put<DraftRow>>,
    /// Drafts that go: identification, version they have now.
    pub forget: Vec<(String, i64)>,
    /// Applications. New ones have no number yet; those of one write get theirs in order.
    pub applications: Vec<Put<ApplicationRow>>,
    /// Applications that must have this version still, though they are not changed.
    pub guards: Vec<(String, i64)>,
    /// Things to be done afterwards.
    pub jobs: Vec<JobRow>,
    /// Jobs that are done: identifications.
    pub done: Vec<String>,
    /// Who did what.
    pub audits: Vec<AuditEntry>,
    /// Events: when, about, body.
    pub events: Vec<(Time, String, serde_json::Value)>,
    /// Counts of days.
    pub days: Vec<DayRow>,
    /// A service that was answered: key, application, answer.
    pub served: Option<(String, String, String)>,
    /// An owner of drafts may have fewer open than so many, at this moment.
    pub most_open: Option<(String, i64, i64)>,
    /// Day the numbers of new applications are counted on.
    pub day: i64,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is written; numbers of the new applications, in order.
    Done(Vec<String>),
    /// Something it was decided upon has changed: nothing was written.
    Stale,
}

/// Gives a new application its number: organisation, day, running number.
pub type Numbered<'a> = &'a (dyn Fn(&mut ApplicationRow, i64) + Send + Sync);

/// Puts one decision into a transaction; audits and events are left to the caller, who writes
/// those of many at once. New applications get their numbers here, without gaps.
pub async fn apply(
    tx: &mut Tx,
    write: &mut Write,
    numbered: Numbered<'_>,
) -> Result<Applied, Fault> {
    let alone = stands(tx, write).await?;
    let Some(alone) = alone else {
        return Ok(Applied::Stale);
    };
    let fits = |was: i64| (alone == Alone::Unread).then_some(was);
    let mut numbers = vec![];
    let mut added = vec![];
    // First what may turn out to be stale: nothing is written before it then.
    for put in write.drafts.iter().filter(|put| put.was > 0) {
        let (values, was) = (put.row.values(), fits(put.was));
        let kept = match put.row.open_key {
            Some(_) => OPEN,
            None => BEGUN,
        };
        if !replace(tx, "application_drafts", DRAFT, values, kept, was).await? {
            return Ok(Applied::Stale);
        }
    }
    for put in write.applications.iter().filter(|put| put.was > 0) {
        let (values, was) = (put.row.values(), fits(put.was));
        if !replace(tx, "applications", APPLICATION, values, KEPT, was).await? {
            return Ok(Applied::Stale);
        }
    }
    for put in write.applications.iter_mut().filter(|put| put.was == 0) {
        let last = next_number(tx, &put.row.organisation, write.day).await?;
        numbered(&mut put.row, last);
        numbers.push(put.row.number.clone());
        added.push(put.row.values());
    }
    insert(tx, "applications", APPLICATION, added).await?;
    let new = write.drafts.iter().filter(|put| put.was == 0);
    let added = new.map(|put| put.row.values()).collect();
    insert(tx, "application_drafts", DRAFT, added).await?;
    for (id, _) in &write.forget {
        delete(tx, "application_drafts", "id", id).await?;
    }
    let jobs = write.jobs.iter().map(JobRow::values).collect();
    insert(tx, "application_jobs", JOB, jobs).await?;
    for id in &write.done {
        delete(tx, "application_jobs", "id", id).await?;
    }
    if let Some((key, application, answer)) = &write.served {
        const SERVED: Columns = &[("key", 't'), ("application", 't'), ("answer", 't')];
        let row: Vec<Value> = vec![
            key.as_str().into(),
            application.as_str().into(),
            answer.as_str().into(),
        ];
        insert(tx, "application_served", SERVED, vec![row]).await?;
    }
    Ok(Applied::Done(numbers))
}

/// Whether the version of the one row a decision changes was read before.
#[derive(PartialEq)]
enum Alone {
    /// It is compared as the row is written: one statement less.
    Unread,
    /// Every version was read.
    Read,
}

/// Is everything as it was when it was decided? `None` when it is not.
async fn stands(tx: &mut Tx, write: &Write) -> Result<Option<Alone>, Fault> {
    let changed = write.applications.iter().filter(|put| put.was > 0).count();
    let changed = changed + write.drafts.iter().filter(|put| put.was > 0).count();
    let alone = match changed {
        1 => Alone::Unread,
        _ => Alone::Read,
    };
    for put in &write.applications {
        if put.was > 0 && alone == Alone::Unread {
            continue;
        }
        let now = match put.was {
            0 => read::application(tx, By::Source, &put.row.source)
                .await?
                .map_or(0, |row| row.version),
            _ => version(tx, "applications", &put.row.id).await?,
        };
        if now != put.was {
            return Ok(None);
        }
    }
    for (id, was) in &write.guards {
        if version(tx, "applications", id).await? != *was {
            return Ok(None);
        }
    }
    for put in &write.drafts {
        if put.was > 0 && alone == Alone::Unread {
            continue;
        }
        let now = match (put.was, &put.row.open_key) {
            (0, Some(key)) => read::open_draft(tx, key)
                .await?
                .map_or(0, |row| row.version),
            _ => version(tx, "application_drafts", &put.row.id).await?,
        };
        if now != put.was {
            return Ok(None);
        }
    }
    for (id, was) in &write.forget {
        if version(tx, "application_drafts", id).await? != *was {
            return Ok(None);
        }
    }
    if let Some((owner, most, now)) = &write.most_open {
        let limit = most.unsigned_abs();
        let open = read::drafts_of(tx, owner, *now, limit).await?;
        if open.len() as u64 >= limit {
            return Ok(None);
        }
    }
    if let Some((key, ..)) = &write.served
        && read::served(tx, key).await?.is_some()
    {
        return Ok(None);
    }
    Ok(Some(alone))
}

async fn version(tx: &mut Tx, table: &'static str, id: &str) -> Result<i64, Fault> {
    let question = Query::select()
        .column("version")
        .from(table)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    let row = tx.fetch_optional(&question).await?;
    row.map_or(Ok(0), |row| row.i64("version"))
}

async fn insert(
    tx: &mut Tx,
    table: &'static str,
    columns: Columns,
    rows: Vec<Vec<Value>>,
) -> Result<(), Fault> {
    for some in rows.chunks(200) {
        let mut statement = Query::insert();
        statement.into_table(table).columns(names(columns));
        for row in some {
            statement.values_panic(row.iter().cloned().map(Expr::val));
        }
        tx.execute_later(&statement).await?;
    }
    Ok(())
}

/// What an application keeps as it was handed in: its indexes need not be written again.
const KEPT: &[&str] = &[
    "number",
    "item",
    "item_version",
    "channel",
    "matter",
    "owner",
    "source",
    "parent",
    "bundle",
    "submitted_at",
    "title_zh",
    "title_en",
    "check_digest",
];
/// What a draft keeps from its beginning.
const BEGUN: &[&str] = &["owner", "item"];
/// What it keeps as long as it is open.
const OPEN: &[&str] = &["owner", "item", "open_key", "submitted_as"];

/// Writes a row in place of the one with its key, the first column, but what it keeps; `false` when
/// that has another version than the one asked for.
async fn replace(
    tx: &mut Tx,
    table: &'static str,
    columns: Columns,
    values: Vec<Value>,
    kept: &[&str],
    was: Option<i64>,
) -> Result<bool, Fault> {
    let key = values.first().cloned().unwrap_or(Value::String(None));
    let changes = names(columns).zip(values.into_iter().map(Expr::val));
    let changes = changes.filter(|(name, _)| !kept.contains(name));
    let statement = Query::update()
        .table(table)
        .values(changes.skip(1))
        .and_where(Expr::col("id").eq(Expr::val(key)))
        .and_where_option(was.map(|was| Expr::col("version").eq(was)))
        .to_owned();
    let touched = tx.execute(&statement).await?;
    Ok(was.is_none() || touched == 1)
}

async fn delete(
    tx: &mut Tx,
    table: &'static str,
    column: &'static str,
    value: &str,
) -> Result<(), Fault> {
    let statement = Query::delete()
        .from_table(table)
        .and_where(Expr::col(column).eq(value))
        .to_owned();
    tx.execute_later(&statement).await?;
    Ok(())
}

/// The next running number of an organisation on a day. Taken in the transaction of the
/// application that gets it, so there are no gaps.
async fn next_number(tx: &mut Tx, organisation: &str, day: i64) -> Result<i64, Fault> {
    let known = Expr::col(("application_numbers", "last"));
    let statement = Query::insert()
        .into_table("application_numbers")
        .columns(["organisation", "day", "last"])
        .values_panic([Expr::val(organisation), Expr::val(day), Expr::val(1_i64)])
        .on_conflict(
            OnConflict::columns(["organisation", "day"])
                .value("last", known.add(1_i64))
                .to_owned(),
        )
        .returning_col("last")
        .to_owned();
    let row = tx.fetch_optional(&statement).await?;
    let lost = || Fault::internal("numbering an application", "no number");
    row.ok_or_else(lost)?.i64("last")
}

/// Adds to the counts of days; those of one organisation and day together.
pub async fn add_days(tx: &mut Tx, rows: &[DayRow]) -> Result<(), Fault> {
    let mut sums: BTreeMap<(String, i64), Counts> = BTreeMap::new();
    for row in rows {
        let sum = sums.entry((row.organisation.clone(), row.day)).or_default();
        sum.add(&row.counts);
    }
    for ((organisation, day), counts) in sums {
        let question = Query::select()
            .columns(names(DAY))
            .from("application_days")
            .and_where(Expr::col("organisation").eq(organisation.as_str()))
            .and_where(Expr::col("day").eq(day))
            .to_owned();
        let row = tx.fetch_optional(&question).await?;
        let mut sum = row.map_or(Ok(Counts::default()), |row| Counts::read(&row))?;
        sum.add(&counts);
        let mut values = vec![Expr::val(organisation.as_str()), Expr::val(day)];
        values.extend(sum.values().map(Expr::val));
        let statement = Query::insert()
            .into_table("application_days")
            .columns(names(DAY))
            .values_panic(values)
            .on_conflict(
                OnConflict::columns(["organisation", "day"])
                    .update_columns(names(DAY).skip(2))
                    .to_owned(),
            )
            .to_owned();
        tx.execute_later(&statement).await?;
    }
    Ok(())
}

/// Writes a job as it stands now.
pub async fn put_job(tx: &mut Tx, row: &JobRow) -> Result<(), Fault> {
    replace(tx, "application_jobs", JOB, row.values(), &[], None).await?;
    Ok(())
}

/// Removes jobs.
pub async fn remove_jobs(tx: &mut Tx, ids: &[String]) -> Result<(), Fault> {
    let statement = Query::delete()
        .from_table("application_jobs")
        .and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)))
        .to_owned();
    tx.execute_later(&statement).await?;
    Ok(())
}

/// Writes the content of a draft sealed anew; it is the same draft.
pub async fn reseal_draft(tx: &mut Tx, id: &str, body: Vec<u8>) -> Result<(), Fault> {
    reseal(tx, "application_drafts", id, body).await
}

/// Writes the content of an application sealed anew; it is the same application.
pub async fn reseal_application(tx: &mut Tx, id: &str, body: Vec<u8>) -> Result<(), Fault> {
    reseal(tx, "applications", id, body).await
}

async fn reseal(tx: &mut Tx, table: &'static str, id: &str, body: Vec<u8>) -> Result<(), Fault> {
    let statement = Query::update()
        .table(table)
        .value("body", body)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    tx.execute(&statement).await?;
    Ok(())
}
