//! Lists: the inbox, page by page along one index a queue, and cases.

use super::read::select_cases;
use super::rows::{CaseRow, NEVER, TaskRow};
use crate::sql::Run;
use kernel::cases::{CaseFilter, Light};
use kernel::{Fault, Time};
use sea_query::{Cond, Expr, ExprTrait, Func, LikeExpr, Order, Query, UnionType};
use std::collections::BTreeMap;

/// Queues of one person, at most.
const QUEUES: u64 = 2_000;
/// Rows of a page, at most.
pub const PAGE: usize = 200;
/// Queues in one question, at most.
const UNITED: usize = 100;
/// Holders of one person, at most.
const HOLDERS: usize = 500;

/// What is asked of an inbox.
#[derive(Clone, Debug, Default)]
pub struct InboxQuestion {
    /// Whose: holders, of which any may stand in the signature of a queue.
    pub holders: Vec<String>,
    /// Of this process.
    pub process: Option<String>,
    /// With this light at [`InboxQuestion::now`].
    pub light: Option<Light>,
    /// Number, title or name contains this.
    pub text: Option<String>,
    /// After this row: when it is due, and its identification.
    pub after: Option<(i64, String)>,
    /// Rows, at most.
    pub limit: usize,
    /// Now.
    pub now: Time,
}

/// A page: the rows, whether more follow, and how many match in all.
pub type Page<T> = (Vec<T>, bool, i64);

/// The queues of these holders with how many tasks are open in each.
async fn queues(run: &mut impl Run, question: &InboxQuestion) -> Result<Vec<(i64, i64)>, Fault> {
    let holders = question.holders.iter().take(HOLDERS).map(String::as_str);
    let of_holders = Query::select()
        .column("queue")
        .from("case_holders")
        .and_where(Expr::col("holder").is_in(holders))
        .to_owned();
    let mut select = Query::select();
    select
        .columns(["id", "open"])
        .from("case_queues")
        .and_where(Expr::col("id").in_subquery(of_holders))
        .and_where(Expr::col("open").gt(0));
    if let Some(process) = &question.process {
        select.and_where(Expr::col("process").eq(process.as_str()));
    }
    select.order_by("id", Order::Asc).limit(QUEUES);
    let rows = run.fetch_all(&select).await?;
    rows.iter()
        .map(|row| Ok((row.i64("id")?, row.i64("open")?)))
        .collect()
}

/// What a row must be, besides being in the queue.
fn conditions(question: &InboxQuestion) -> Option<Cond> {
    let mut all = Cond::all();
    let now = question.now.0;
    match question.light {
        None => {}
        Some(Light::Red) => all = all.add(Expr::col("due_at").lte(now)),
        Some(Light::Yellow) => {
            all = all
                .add(Expr::col("due_at").gt(now))
                .add(Expr::col("due_at").lt(NEVER - 1))
                .add(Expr::col("yellow_at").lte(now));
        }
        Some(Light::Green) => {
            all = all
                .add(Expr::col("due_at").gt(now))
                .add(Expr::col("due_at").lt(NEVER - 1))
                .add(Expr::col("yellow_at").gt(now));
        }
        Some(Light::Paused) => all = all.add(Expr::col("due_at").eq(NEVER - 1)),
    }
    if let Some(text) = &question.text {
        let columns = ["number", "title", "name"].into_iter();
        all = all.add(columns.fold(Cond::any(), |any, column| any.add(contains(column, text))));
    }
    (question.light.is_some() || question.text.is_some()).then_some(all)
}

fn contains(column: &'static str, text: &str) -> Expr {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if ['%', '_', '!'].contains(&c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Expr::col(column).like(LikeExpr::new(pattern).escape('!'))
}

/// Where a row stands in an inbox: when it is due, and its identification.
type Place = (i64, String);

/// A page of an inbox, what is due first first. Ask it of a snapshot, so that the count is that of
/// the very rows.
///
/// Of each queue the first few places are read from its index, all queues in one question; only
/// queues whose last place would still be on the page are read further. Rows are read for the page
/// alone.
pub async fn inbox(run: &mut impl Run, question: &InboxQuestion) -> Result<Page<TaskRow>, Fault> {
    let queues = queues(run, question).await?;
    let conditions = conditions(question);
    let limit = question.limit.clamp(1, PAGE);
    let count = match &conditions {
        None => queues.iter().map(|(_, open)| open).sum(),
        Some(conditions) => counted(run, &queues, conditions).await?,
    };
    let wanted = limit + 1;
    let mut chunk = std::cmp::min(wanted, std::cmp::max(8, 4 * wanted / (queues.len() + 1)));
    let mut next: Vec<(i64, Option<Place>)> = queues
        .iter()
        .map(|(queue, _)| (*queue, question.after.clone()))
        .collect();
    let mut places: Vec<Place> = vec![];
    while !next.is_empty() {
        let found = first_places(run, &next, conditions.as_ref(), chunk).await?;
        let mut more = vec![];
        for (queue, of_queue) in found {
            if of_queue.len() == chunk {
                more.push((queue, of_queue.last().cloned()));
            }
            places.extend(of_queue);
        }
        places.sort_unstable();
        places.truncate(wanted);
        let full = places.len() == wanted;
        let bound = places.last().filter(|_| full);
        more.retain(|(_, last)| bound.is_none_or(|bound| last.as_ref() < Some(bound)));
        next = more;
        chunk = wanted;
    }
    let more = places.len() > limit;
    places.truncate(limit);
    let ids: Vec<String> = places.into_iter().map(|(_, id)| id).collect();
    let mut rows = super::read::tasks(run, &ids).await?;
    rows.sort_unstable_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
    Ok((rows, more, count))
}

/// The first places of queues, each after one of its own.
async fn first_places(
    run: &mut impl Run,
    queues: &[(i64, Option<Place>)],
    conditions: Option<&Cond>,
    chunk: usize,
) -> Result<Vec<(i64, Vec<Place>)>, Fault> {
    let of_one = |(queue, after): &(i64, Option<Place>)| {
        let mut select = Query::select();
        select
            .columns(["queue", "due_at", "id"])
            .from("case_tasks")
            .and_where(Expr::col("queue").eq(*queue));
        if let Some((due_at, id)) = after {
            let place = Expr::tuple([Expr::col("due_at"), Expr::col("id")]);
            let before = Expr::tuple([Expr::val(*due_at), Expr::val(id.as_str())]);
            select.and_where(place.gt(before));
        }
        if let Some(conditions) = conditions {
            select.cond_where(conditions.clone());
        }
        select
            .order_by("due_at", Order::Asc)
            .order_by("id", Order::Asc)
            .limit(chunk as u64);
        // Around it once more: a part of a union has no limit of its own in SQLite.
        Query::select()
            .columns(["queue", "due_at", "id"])
            .from_subquery(select, "one")
            .to_owned()
    };
    let mut found: BTreeMap<i64, Vec<Place>> = BTreeMap::new();
    for some in queues.chunks(UNITED) {
        let mut parts = some.iter().map(of_one);
        let Some(mut all) = parts.next() else {
            continue;
        };
        for part in parts {
            all.union(UnionType::All, part);
        }
        for row in run.fetch_all(&all).await? {
            let place = (row.i64("due_at")?, row.text("id")?);
            found.entry(row.i64("queue")?).or_default().push(place);
        }
    }
    // The order within a union is nobody's promise.
    found.values_mut().for_each(|places| places.sort_unstable());
    Ok(found.into_iter().collect())
}

async fn counted(
    run: &mut impl Run,
    queues: &[(i64, i64)],
    conditions: &Cond,
) -> Result<i64, Fault> {
    let mut count = 0;
    for some in queues.chunks(HOLDERS) {
        let select = Query::select()
            .expr_as(Func::count(Expr::col("id")), "rows")
            .from("case_tasks")
            .and_where(Expr::col("queue").is_in(some.iter().map(|(queue, _)| *queue)))
            .cond_where(conditions.clone())
            .to_owned();
        let row = run.fetch_optional(&select).await?;
        count += row.map_or(Ok(0), |row| row.i64("rows"))?;
    }
    Ok(count)
}

/// Which cases may be seen: those of these organisations, those one has a part in, or all.
#[derive(Clone, Debug, Default)]
pub struct Sight {
    /// All.
    pub all: bool,
    /// Those of these organisations.
    pub organisations: Vec<String>,
    /// Those this account started.
    pub account: String,
    /// Those of these organisations only: the one asked for and those whose work it has. Any when
    /// empty.
    pub asked: Vec<String>,
}

/// A page of cases, the newest first.
pub async fn cases(
    run: &mut impl Run,
    filter: &CaseFilter,
    sight: &Sight,
    limit: usize,
) -> Result<Page<CaseRow>, Fault> {
    let mut all = Cond::all();
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|state| *state as i64);
        all = all.add(Expr::col("state").is_in(states));
    }
    if let Some(process) = &filter.process {
        all = all.add(Expr::col("process").eq(process.as_str()));
    }
    if !sight.asked.is_empty() {
        let asked = sight.asked.iter().take(HOLDERS).map(String::as_str);
        all = all.add(Expr::col("organisation").is_in(asked));
    }
    if filter.mine {
        all = all.add(Expr::col("started_by").eq(sight.account.as_str()));
    }
    if filter.stuck {
        all = all.add(Expr::col("stuck").gt(0));
    }
    if let Some(text) = &filter.text {
        all = all.add(
            Cond::any()
                .add(contains("number", text))
                .add(contains("title", text)),
        );
    }
    if !sight.all {
        let organisations = sight.organisations.iter().take(HOLDERS);
        all = all.add(
            Cond::any()
                .add(Expr::col("started_by").eq(sight.account.as_str()))
                .add(Expr::col("organisation").is_in(organisations.map(String::as_str))),
        );
    }
    let count = Query::select()
        .expr_as(Func::count(Expr::col("id")), "rows")
        .from("cases")
        .cond_where(all.clone())
        .to_owned();
    let count = run.fetch_optional(&count).await?;
    let count = count.map_or(Ok(0), |row| row.i64("rows"))?;
    let mut select = select_cases();
    select.cond_where(all);
    if let Some(after) = &filter.after {
        select.and_where(Expr::col("id").lt(after.as_str()));
    }
    let limit = limit.clamp(1, PAGE);
    select.order_by("id", Order::Desc).limit(limit as u64 + 1);
    let rows = run.fetch_all(&select).await?;
    let more = rows.len() > limit;
    let rows: Result<Vec<CaseRow>, Fault> = rows.iter().take(limit).map(CaseRow::read).collect();
    Ok((rows?, more, count))
}
