//! Alerts: the table of the officers' queue, gravest and newest first, and the memory of the
//! rules engine between restarts.

use crate::migrations::{Migration, step};
use crate::sql::{Run, SqlRow};
use crate::{Store, Tx, cursors};
use kernel::alerts::{Alert, AlertFilter, AlertState, AlertStep, Level};
use kernel::fault::Words;
use kernel::{Fault, Time};
use sea_query::{
    ColumnDef, Cond, Expr, ExprTrait, Func, Index, LikeExpr, OnConflict, Order, Query,
    SelectStatement, Table,
};

/// Alerts of one page, at most.
pub const PAGE_LIMIT: usize = 1000;
/// Name of the rules engine's cursor in the log.
pub const CURSOR: &str = "rules";
/// Identifications in one question, at most.
const IDS: usize = 200;
/// The memory of the rules engine unpacks to at most this.
const STATE_LIMIT: usize = 1 << 30;

const COLUMNS: [&str; 26] = [
    "id",
    "system",
    "rule",
    "title_zh",
    "title_en",
    "thing",
    "property",
    "kind",
    "level",
    "state",
    "since",
    "raised_at",
    "ended_at",
    "value",
    "limit_value",
    "unit",
    "message_zh",
    "message_en",
    "assignee",
    "escalated_to",
    "escalate_at",
    "steps",
    "version",
    "sought",
    "open",
    "judged",
];

/// What this module adds to the store, in order.
pub(crate) fn migrations() -> Vec<Migration> {
    vec![Migration {
        name: "alerts_1",
        statements: |_| {
            let mut table = Table::create();
            table.table("alerts");
            for name in COLUMNS {
                let mut column = ColumnDef::new(name);
                match name {
                    "level" | "state" | "since" | "raised_at" | "version" | "open" | "judged" => {
                        column.big_integer().not_null()
                    }
                    "ended_at" | "escalate_at" => column.big_integer(),
                    "value" | "limit_value" => column.double(),
                    "property" | "kind" | "assignee" | "escalated_to" => column.text(),
                    _ => column.text().not_null(),
                };
                if name == "id" {
                    column.primary_key();
                }
                table.col(column);
            }
            let index = |name, first: Option<&'static str>| {
                let mut index = Index::create();
                index.name(name).table("alerts");
                if let Some(first) = first {
                    index.col(first);
                }
                index.col("level").col("raised_at").col("id");
                step(index)
            };
            let by = |name, column: &'static str| {
                step(
                    Index::create()
                        .name(name)
                        .table("alerts")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
            };
            let memory = Table::create()
                .table("rules_state")
                .col(ColumnDef::new("name").text().not_null().primary_key())
                .col(ColumnDef::new("body").blob().not_null())
                .to_owned();
            vec![
                step(table),
                index("alerts_queue", None),
                index("alerts_open", Some("open")),
                index("alerts_by_thing", Some("thing")),
                index("alerts_by_rule", Some("rule")),
                index("alerts_by_assignee", Some("assignee")),
                by("alerts_raised", "raised_at"),
                by("alerts_ended", "ended_at"),
                by("alerts_escalate", "escalate_at"),
                step(memory),
            ]
        },
    }]
}

/// An alert and when it is to be escalated if nobody looks at it.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertRow {
    /// The alert.
    pub alert: Alert,
    /// When; `None` when it was, or need not be.
    pub escalate_at: Option<Time>,
    /// Number of the event up to which rules have judged it.
    pub judged: i64,
}

fn values(row: &AlertRow) -> Vec<Expr> {
    let alert = &row.alert;
    let steps = serde_json::to_string(&alert.steps).unwrap_or_else(|_| "[]".into());
    let sought = [
        &alert.thing,
        &alert.title.zh,
        &alert.title.en,
        &alert.message.zh,
        &alert.message.en,
    ];
    let sought = sought.map(|text| text.to_lowercase()).join("\n");
    vec![
        Expr::val(alert.id.as_str()),
        Expr::val(alert.system.as_str()),
        Expr::val(alert.rule.as_str()),
        Expr::val(alert.title.zh.as_str()),
        Expr::val(alert.title.en.as_str()),
        Expr::val(alert.thing.as_str()),
        Expr::val(alert.property.clone()),
        Expr::val(alert.kind.clone()),
        Expr::val(alert.level as i64),
        Expr::val(alert.state as i64),
        Expr::val(alert.since.0),
        Expr::val(alert.raised_at.0),
        Expr::val(alert.ended_at.map(|t| t.0)),
        Expr::val(alert.value),
        Expr::val(alert.limit),
        Expr::val(alert.unit.as_str()),
        Expr::val(alert.message.zh.as_str()),
        Expr::val(alert.message.en.as_str()),
        Expr::val(alert.assignee.clone()),
        Expr::val(alert.escalated_to.clone()),
        Expr::val(row.escalate_at.map(|t| t.0)),
        Expr::val(steps),
        Expr::val(alert.version),
        Expr::val(sought),
        Expr::val(i64::from(alert.state != AlertState::Closed)),
        Expr::val(row.judged),
    ]
}

fn read(row: &SqlRow) -> Result<AlertRow, Fault> {
    let damaged = |what: &str| Fault::internal("reading an alert", what);
    let level = row.i64("level")?;
    let level = Level::ALL.into_iter().find(|l| *l as i64 == level);
    let state = row.i64("state")?;
    let states = [
        AlertState::Open,
        AlertState::Acknowledged,
        AlertState::Assigned,
        AlertState::Closed,
    ];
    let state = states.into_iter().find(|s| *s as i64 == state);
    let steps: Vec<AlertStep> = serde_json::from_str(&row.text("steps")?)
        .map_err(|e| Fault::internal("reading the steps of an alert", e))?;
    let alert = Alert {
        id: row.text("id")?,
        system: row.text("system")?,
        rule: row.text("rule")?,
        title: Words::new(row.text("title_zh")?, row.text("title_en")?),
        thing: row.text("thing")?,
        property: row.opt_text("property")?,
        kind: row.opt_text("kind")?,
        level: level.ok_or_else(|| damaged("level"))?,
        state: state.ok_or_else(|| damaged("state"))?,
        since: Time(row.i64("since")?),
        raised_at: Time(row.i64("raised_at")?),
        ended_at: row.opt_i64("ended_at")?.map(Time),
        value: row.opt_f64("value")?,
        limit: row.opt_f64("limit_value")?,
        unit: row.text("unit")?,
        message: Words::new(row.text("message_zh")?, row.text("message_en")?),
        assignee: row.opt_text("assignee")?,
        escalated_to: row.opt_text("escalated_to")?,
        steps,
        version: row.i64("version")?,
    };
    Ok(AlertRow {
        alert,
        escalate_at: row.opt_i64("escalate_at")?.map(Time),
        judged: row.i64("judged")?,
    })
}

fn select() -> SelectStatement {
    Query::select().columns(COLUMNS).from("alerts").to_owned()
}

/// Writes an alert in place of the one with its identification.
pub async fn put(tx: &mut Tx, row: &AlertRow) -> Result<(), Fault> {
    let insert = Query::insert()
        .into_table("alerts")
        .columns(COLUMNS)
        .values_panic(values(row))
        .on_conflict(
            OnConflict::column("id")
                .update_columns(COLUMNS.into_iter().skip(1))
                .to_owned(),
        )
        .to_owned();
    tx.execute(&insert).await.map(drop)
}

/// The alerts with these identifications, as far as there are any.
pub async fn get_many(run: &mut impl Run, ids: &[String]) -> Result<Vec<AlertRow>, Fault> {
    let mut found = vec![];
    for some in ids.chunks(IDS) {
        let some = some.iter().map(String::as_str);
        let question = select().and_where(Expr::col("id").is_in(some)).to_owned();
        for row in run.fetch_all(&question).await? {
            found.push(read(&row)?);
        }
    }
    Ok(found)
}

/// One alert.
pub async fn get(run: &mut impl Run, id: &str) -> Result<Option<AlertRow>, Fault> {
    let question = select().and_where(Expr::col("id").eq(id)).to_owned();
    let row = run.fetch_optional(&question).await?;
    row.map(|row| read(&row)).transpose()
}

/// A page of the queue: gravest first, then newest; the cursor of the next page; and how many
/// match in all. A cursor that is none is refused.
pub async fn page(
    run: &mut impl Run,
    filter: &AlertFilter,
) -> Result<(Vec<Alert>, Option<String>, u64), Fault> {
    let matching = conditions(filter);
    let count = Query::select()
        .expr_as(Func::count(Expr::col("id")), "total")
        .from("alerts")
        .cond_where(matching.clone())
        .to_owned();
    let total = run.fetch_optional(&count).await?;
    let total = total.map_or(Ok(0), |row| row.i64("total"))?;
    let limit = match filter.limit {
        0 => PAGE_LIMIT,
        limit => limit.min(PAGE_LIMIT),
    };
    let mut question = select();
    question.cond_where(matching);
    if let Some(after) = &filter.after {
        question.cond_where(beyond(after)?);
    }
    for column in ["level", "raised_at", "id"] {
        question.order_by(column, Order::Desc);
    }
    let rows = run.fetch_all(question.limit(limit as u64 + 1)).await?;
    let more = rows.len() > limit;
    let alerts: Result<Vec<AlertRow>, Fault> = rows.iter().take(limit).map(read).collect();
    let alerts: Vec<Alert> = alerts?.into_iter().map(|row| row.alert).collect();
    let last = alerts.last().filter(|_| more);
    let next = last.map(|a| format!("{}.{}.{}", a.level as i64, a.raised_at.0, a.id));
    Ok((alerts, next, total as u64))
}

/// What comes after the alert a cursor names.
fn beyond(cursor: &str) -> Result<Cond, Fault> {
    let mut parts = cursor.splitn(3, '.');
    let mut number = || parts.next()?.parse::<i64>().ok();
    let (level, raised) = (number(), number());
    let (Some(level), Some(raised), Some(id)) = (level, raised, parts.next()) else {
        return Err(Fault::invalid_at(
            "after",
            "不是有效的翻页标记",
            "this is no cursor of a page",
        ));
    };
    let same_level = Cond::all().add(Expr::col("level").eq(level));
    let same_time = same_level.clone().add(Expr::col("raised_at").eq(raised));
    Ok(Cond::any()
        .add(Expr::col("level").lt(level))
        .add(same_level.add(Expr::col("raised_at").lt(raised)))
        .add(same_time.add(Expr::col("id").lt(id))))
}

fn conditions(filter: &AlertFilter) -> Cond {
    let mut all = Cond::all();
    if !filter.states.is_empty() {
        let states = filter.states.iter().map(|s| *s as i64);
        all = all.add(Expr::col("state").is_in(states));
        if !filter.states.contains(&AlertState::Closed) {
            all = all.add(Expr::col("open").eq(1)); // the short index
        }
    }
    if !filter.levels.is_empty() {
        let levels = filter.levels.iter().map(|l| *l as i64);
        all = all.add(Expr::col("level").is_in(levels));
    }
    let equal = [
        ("rule", &filter.rule),
        ("thing", &filter.thing),
        ("assignee", &filter.assignee),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            all = all.add(Expr::col(column).eq(value.as_str()));
        }
    }
    all = match filter.active {
        None => all,
        Some(true) => all.add(Expr::col("ended_at").is_null()),
        Some(false) => all.add(Expr::col("ended_at").is_not_null()),
    };
    if let Some(text) = &filter.text {
        let pattern = like_pattern(&text.to_lowercase());
        all = all.add(Expr::col("sought").like(LikeExpr::new(pattern).escape('!')));
    }
    if let Some(from) = filter.from {
        all = all.add(Expr::col("raised_at").gte(from.0));
    }
    if let Some(to) = filter.to {
        all = all.add(Expr::col("raised_at").lt(to.0));
    }
    all
}

/// A pattern that finds `text` as it is, anywhere.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// How many alerts are not closed, by level: blue, yellow, orange, red.
pub async fn open_counts(run: &mut impl Run) -> Result<[u64; 4], Fault> {
    let question = Query::select()
        .column("level")
        .expr_as(Func::count(Expr::col("id")), "total")
        .from("alerts")
        .and_where(Expr::col("open").eq(1))
        .group_by_col("level")
        .to_owned();
    let mut counts = [0; 4];
    for row in run.fetch_all(&question).await? {
        let level = usize::try_from(row.i64("level")? - 1).unwrap_or(usize::MAX);
        if let Some(count) = counts.get_mut(level) {
            *count = row.i64("total")? as u64;
        }
    }
    Ok(counts)
}

/// Alerts whose time to be escalated has come, earliest first.
pub async fn due(run: &mut impl Run, now: Time, limit: u64) -> Result<Vec<AlertRow>, Fault> {
    let question = select()
        .and_where(Expr::col("escalate_at").lte(now.0))
        .order_by("escalate_at", Order::Asc)
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    run.fetch_all(&question).await?.iter().map(read).collect()
}

/// Alerts whose condition lasts, in order of identification, after this one.
pub async fn lasting(run: &mut impl Run, after: &str, limit: u64) -> Result<Vec<AlertRow>, Fault> {
    let question = select()
        .and_where(Expr::col("ended_at").is_null())
        .and_where(Expr::col("id").gt(after))
        .order_by("id", Order::Asc)
        .limit(limit)
        .to_owned();
    run.fetch_all(&question).await?.iter().map(read).collect()
}

/// What the rules engine remembers: how far it has read the log, and its memory then.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Number of the last event it had judged.
    pub cursor: i64,
    /// The evaluator's memory.
    pub state: Vec<u8>,
    /// The records it judges by, JSON.
    pub records: String,
}

/// Keeps the memory of the rules engine together with its cursor; `records` only when changed.
pub async fn keep(
    tx: &mut Tx,
    cursor: i64,
    state: &[u8],
    records: Option<&str>,
) -> Result<(), Fault> {
    cursors::set(tx, CURSOR, cursor).await?;
    let parts = [
        ("state", Some(state)),
        ("records", records.map(str::as_bytes)),
    ];
    for (name, body) in parts {
        let Some(body) = body else { continue };
        let fault = |e| Fault::internal("packing the memory of the rules", e);
        let mut packed = (body.len() as u64).to_le_bytes().to_vec();
        packed.extend(zstd::bulk::compress(body, 1).map_err(fault)?);
        let insert = Query::insert()
            .into_table("rules_state")
            .columns(["name", "body"])
            .values_panic([Expr::val(name), Expr::val(packed)])
            .on_conflict(OnConflict::column("name").update_column("body").to_owned())
            .to_owned();
        tx.execute(&insert).await?;
    }
    Ok(())
}

/// The memory of the rules engine; `None` before its first checkpoint.
pub async fn memory(store: &Store) -> Result<Option<Memory>, Fault> {
    let Some(cursor) = store.cursors().get(CURSOR).await? else {
        return Ok(None);
    };
    let question = Query::select()
        .columns(["name", "body"])
        .from("rules_state")
        .limit(2)
        .to_owned();
    let (mut state, mut records) = (None, None);
    for row in store.reader().await?.fetch_all(&question).await? {
        let body = unpack(&row.bytes("body")?)
            .ok_or_else(|| Fault::internal("unpacking the memory of the rules", "damaged"))?;
        match row.text("name")?.as_str() {
            "state" => state = Some(body),
            _ => records = String::from_utf8(body).ok(),
        }
    }
    Ok(state.zip(records).map(|(state, records)| Memory {
        cursor,
        state,
        records,
    }))
}

fn unpack(body: &[u8]) -> Option<Vec<u8>> {
    let (length, packed) = body.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    if length > STATE_LIMIT {
        return None;
    }
    zstd::bulk::decompress(packed, length).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_taken_by_letter() {
        let check = |text: &str, expect: &str| assert_eq!(like_pattern(text), expect);
        check("锅炉", "%锅炉%");
        check("50%_!", "%50!%!_!!%");
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        assert!(beyond("3.17.dark:L-1::5").is_ok());
        for text in ["", "3", "3.17", "x.17.a", "3.x.a"] {
            assert!(beyond(text).is_err(), "{text}");
        }
    }
}
