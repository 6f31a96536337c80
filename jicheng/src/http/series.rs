//! Series over HTTP: write a batch, list, latest of many, a range with automatic rollup, export.

use super::guard::Caller;
use super::input::{Json, Query};
use super::output::{Listing, TableFormat, file, table_file};
use super::problem::{Answer, Refusal};
use super::table::{Table, line};
use crate::app::App;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use kernel::fault::{Fault, FaultKind};
use kernel::metering::{Meter, Meters, Payer};
use kernel::observations::{
    Bucket, Kind, Latest, Point, RangeAnswer, RangeQuery, SeriesFilter, SeriesName, Step,
};
use kernel::{Access, Span, Time, Verb, Words};
use lake::{ExportRow, FileNotes, LakeError};
use observations::Precision;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// At most so many series in one question for latest values.
const LATEST_LIMIT: usize = 100_000;
/// An export holds at most so many rows.
const EXPORT_LIMIT: usize = 1_000_000;

const RANGE: &[&str] = &[
    "thing: text (required)",
    "property: text (required)",
    "kind: such as real_time, minute.mean, hour.total.converted",
    "from: time (required)",
    "to: time (required)",
    "step: auto, raw, thin, or a span such as 10 min, 1 h, 1 d",
    "points: number",
    "as_of: time",
];

/// Adds the routes of this file.
pub fn add(table: &mut Table) {
    let read = Access::May(Verb::Read, "observations");
    table.add(
        line(
            "POST /api/v1/observations",
            Access::May(Verb::Write, "observations"),
            "批量写入监测数据（行协议或 NDJSON）",
            "Write a batch (line protocol or NDJSON)",
        )
        .query(&["precision: ns, us, ms or s"])
        .takes("ObservationBatch")
        .large()
        .gives("Receipt"),
        write,
    );
    table.add(
        line("GET /api/v1/series", read, "序列目录", "List series")
            .query(&[
                "thing: text",
                "property: text",
                "kind: text",
                "after: cursor",
                "limit: number",
            ])
            .gives("SeriesPage"),
        list,
    );
    table.add(
        line(
            "POST /api/v1/series/latest",
            read,
            "最新值",
            "Latest values of many series",
        )
        .takes("LatestQuestion")
        .large()
        .gives("LatestPage"),
        latest,
    );
    table.add(
        line(
            "GET /api/v1/series/range",
            read,
            "时段数据",
            "Observations or buckets of a range",
        )
        .query(RANGE)
        .gives("Range"),
        range,
    );
    table.add(
        line(
            "GET /api/v1/series/export",
            Access::May(Verb::Export, "observations"),
            "导出 CSV 或 Parquet",
            "Export as CSV or Parquet",
        )
        .query(&[
            "thing: text",
            "property: text",
            "kind: text",
            "from: time",
            "to: time",
            "format: csv, xlsx or parquet",
        ]),
        export,
    );
}

async fn write(
    State(app): State<Arc<App>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
    body: bytes::Bytes,
) -> Answer<Response> {
    let precision = query.choice("precision", "ns, us, ms, s", Precision::parse);
    query.finish()?;
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or("");
    let receipt = match kind.split(';').next().unwrap_or("").trim() {
        "text/plain" | "" => {
            app.observations
                .write_lines(&body, precision.unwrap_or_default())
                .await?
        }
        "application/x-ndjson" | "application/json" => app.observations.write_ndjson(&body).await?,
        other => {
            return Err(Refusal(Fault::new(
                FaultKind::Invalid,
                "input.unsupported_format",
                format!("不支持的格式 {other}；请用 text/plain（行协议）或 application/x-ndjson"),
                format!(
                    "format {other} is not supported; send text/plain (line protocol) or application/x-ndjson"
                ),
            )));
        }
    };
    let payer = Payer::of(caller.0.as_ref());
    app.metering
        .count(payer, Meter::Observations, receipt.stored);
    Ok(axum::Json(receipt).into_response())
}

/// Title and unit of a property, as declared.
pub fn meaning(app: &App, property: &str) -> (Words, String) {
    match app.city.declared.property(property) {
        Some(found) => (found.title.clone(), found.unit.clone()),
        None => match hj212::vocabulary::factor(property) {
            Some(factor) => (factor.name.clone(), factor.unit.to_string()),
            None => (Words::new(property, property), String::new()),
        },
    }
}

fn latest_json(latest: &Latest) -> Value {
    json!({"time": latest.time, "value": latest.value, "flag": latest.flag.text()})
}

async fn list(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let kind = query.choice("kind", "real_time, minute.mean …", Kind::parse);
    let after = query.choice("after", "cursor", series_name);
    let limit = query.number("limit", 1, 10_000, 200);
    let filter = SeriesFilter {
        thing: query.text("thing"),
        property: query.text("property"),
        kind,
        after,
        limit,
    };
    query.finish()?;
    let found = app.city.observations.list_series(&filter);
    let next = if found.len() == limit {
        found.last().map(|s| cursor(&s.name))
    } else {
        None
    };
    let items: Vec<Value> = found
        .iter()
        .map(|s| {
            let (title, unit) = meaning(&app, &s.name.property);
            json!({"thing": s.name.thing, "property": s.name.property, "title": title, "unit": unit,
                "kind": s.name.kind, "first": s.first, "latest": latest_json(&s.latest)})
        })
        .collect();
    let total = count(&app, filter);
    Ok(Listing { items, next, total }.into_response())
}

/// How many series match in all.
fn count(app: &App, filter: SeriesFilter) -> u64 {
    if filter.thing.is_none() && filter.property.is_none() && filter.kind.is_none() {
        return app.city.observations.counters().series;
    }
    let mut page = SeriesFilter {
        after: None,
        limit: 10_000,
        ..filter
    };
    let mut total = 0;
    loop {
        let found = app.city.observations.list_series(&page);
        total += found.len() as u64;
        if found.len() < page.limit {
            return total;
        }
        page.after = found.into_iter().last().map(|s| s.name);
    }
}

fn cursor(name: &SeriesName) -> String {
    format!("{}\u{1f}{}\u{1f}{}", name.thing, name.property, name.kind)
}

fn series_name(text: &str) -> Option<SeriesName> {
    let mut parts = text.split('\u{1f}');
    let (thing, property, kind) = (parts.next()?, parts.next()?, Kind::parse(parts.next()?)?);
    Some(SeriesName {
        thing: thing.into(),
        property: property.into(),
        kind,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LatestQuestion {
    #[serde(default)]
    series: Vec<SeriesName>,
    #[serde(default)]
    things: Vec<String>,
}

async fn latest(
    State(app): State<Arc<App>>,
    Json(question): Json<LatestQuestion>,
) -> Answer<Response> {
    if question.series.len() + question.things.len() > LATEST_LIMIT {
        let (zh, en) = (
            format!("最多 {LATEST_LIMIT} 个"),
            format!("at most {LATEST_LIMIT}"),
        );
        return Err(Fault::invalid_at("series", zh, en).into());
    }
    let engine = &app.city.observations;
    let named = engine.latest(&question.series);
    let of_things: Vec<_> = question
        .things
        .iter()
        .flat_map(|thing| engine.latest_of_thing(thing))
        .collect();
    if of_things.len() > LATEST_LIMIT {
        return Err(Fault::invalid_at("things", "结果过多", "too many series").into());
    }
    let asked = question
        .series
        .iter()
        .zip(&named)
        .map(|(name, found)| found.as_ref().map(|l| LatestItem::of(name, l)));
    let others = of_things
        .iter()
        .map(|(name, latest)| Some(LatestItem::of(name, latest)));
    Ok(Listing::whole(asked.chain(others).collect()).into_response())
}

/// The newest value of a series; borrows, because there may be a hundred thousand.
#[derive(Serialize)]
struct LatestItem<'a> {
    thing: &'a str,
    property: &'a str,
    kind: Kind,
    time: Time,
    value: f64,
    flag: String,
}

impl<'a> LatestItem<'a> {
    fn of(name: &'a SeriesName, latest: &Latest) -> LatestItem<'a> {
        LatestItem {
            thing: &name.thing,
            property: &name.property,
            kind: name.kind,
            time: latest.time,
            value: latest.value,
            flag: latest.flag.text(),
        }
    }
}

fn step(query: &Query) -> Step {
    let points = query.number("points", 2, 100_000, 500);
    let text = query.text("step").unwrap_or_else(|| "auto".into());
    match text.as_str() {
        "auto" => Step::Auto(points),
        "raw" => Step::Raw,
        "thin" => Step::Thin(points),
        _ => query
            .span("step")
            .filter(|s| s.0 > 0)
            .map_or(Step::Auto(points), Step::Bucket),
    }
}

async fn range(State(app): State<Arc<App>>, query: Query) -> Answer<Response> {
    let series = SeriesName {
        thing: query.demand("thing"),
        property: query.demand("property"),
        kind: query
            .choice("kind", "real_time, minute.mean …", Kind::parse)
            .unwrap_or(Kind::REAL_TIME),
    };
    query.demand("from");
    query.demand("to");
    let (from, to) = (
        query.time("from").unwrap_or_default(),
        query.time("to").unwrap_or_default(),
    );
    let question = RangeQuery {
        series,
        from,
        to,
        step: step(&query),
        as_of: query.time("as_of"),
        limit: 100_000,
    };
    query.finish()?;
    if from >= to {
        return Err(
            Fault::invalid_at("to", "结束时间应晚于开始时间", "must be later than from").into(),
        );
    }
    let name = question.series.clone();
    let answer = app.city.observations.range(question).await?;
    let (title, unit) = meaning(&app, &name.property);
    let mut body = json!({"thing": name.thing, "property": name.property, "title": title, "unit": unit, "kind": name.kind});
    match answer {
        RangeAnswer::Points(points, cut) => {
            body["step_s"] = Value::Null;
            body["points"] = points.iter().map(point).collect();
            body["cut"] = json!(cut);
        }
        RangeAnswer::Buckets(buckets, length, cut) => {
            body["step_s"] = json!(length.as_seconds());
            body["buckets"] = buckets.iter().map(bucket).collect();
            body["cut"] = json!(cut);
        }
    }
    Ok(axum::Json(body).into_response())
}

fn point(p: &Point) -> Value {
    json!([p.time.0 / 1000, p.value, p.flag.text()])
}

fn bucket(b: &Bucket) -> Value {
    // JSON has no NaN: a bucket without a valid value has nulls.
    json!([
        b.time.0 / 1000,
        b.mean(),
        b.min,
        b.max,
        b.count,
        b.valid,
        b.sum
    ])
}

async fn export(State(app): State<Arc<App>>, caller: Caller, query: Query) -> Answer<Response> {
    let kind = query.choice("kind", "real_time, minute.mean …", Kind::parse);
    let filter = SeriesFilter {
        thing: query.text("thing"),
        property: query.text("property"),
        kind,
        after: None,
        limit: 10_000,
    };
    query.demand("from");
    query.demand("to");
    let (from, to) = (
        query.time("from").unwrap_or_default(),
        query.time("to").unwrap_or_default(),
    );
    let format = query.choice("format", "csv, xlsx, parquet", |f| {
        ["csv", "xlsx", "parquet"].into_iter().find(|x| *x == f)
    });
    let format = format.unwrap_or("csv");
    query.finish()?;
    if filter.thing.is_none() && filter.property.is_none() {
        return Err(Fault::invalid_at(
            "thing",
            "请指定 thing 或 property",
            "name a thing or a property",
        )
        .into());
    }
    let details = json!({"thing": filter.thing, "property": filter.property, "from": from, "to": to, "format": format});
    app.audit(caller.actor()?, Verb::Export, "observations", "*", details)
        .await?;
    let bytes = collect(&app, &filter, from, to, format).await?;
    match TableFormat::parse(format) {
        Some(table) => table_file("observations", table, bytes).await,
        None => {
            let kind = "application/vnd.apache.parquet";
            Ok(file("observations.parquet", kind, bytes))
        }
    }
}

/// Rows of the export, refused whole when there are too many, written off the async threads.
async fn collect(
    app: &App,
    filter: &SeriesFilter,
    from: Time,
    to: Time,
    format: &'static str,
) -> Answer<Vec<u8>> {
    if to.since(from) > Span::days(400) || from >= to {
        return Err(Fault::invalid_at(
            "to",
            "时段应在 400 天以内",
            "the range must be within 400 days",
        )
        .into());
    }
    let mut rows: Vec<ExportRow> = vec![];
    let mut full = false;
    app.observations
        .export_rows(filter, from, to, |name: &SeriesName, point: Point| {
            full = rows.len() >= EXPORT_LIMIT;
            if !full {
                rows.push(export_row(name, point, rows.last()));
            }
            !full
        })
        .await?;
    if full {
        return Err(Fault::from(LakeError::TooLarge {
            limit: EXPORT_LIMIT as u64,
        })
        .into());
    }
    let mut units: Vec<(String, String)> = vec![];
    for row in &rows {
        if units
            .last()
            .is_none_or(|(known, _)| *known != *row.property)
        {
            units.push((row.property.to_string(), meaning(app, &row.property).1));
        }
    }
    units.sort();
    units.dedup();
    let now = ("exported_at".to_string(), app.city.clock.now().rfc3339());
    let notes = FileNotes {
        units,
        datum: "CGCS2000".into(),
        more: vec![now],
    };
    let work = tokio::task::spawn_blocking(move || {
        let mut bytes = vec![];
        let limit = EXPORT_LIMIT as u64;
        let written = match format {
            "parquet" => lake::write_parquet(&mut bytes, rows.into_iter(), limit, &notes),
            _ => lake::write_csv(&mut bytes, rows.into_iter(), limit, true),
        };
        written.map(|_| bytes).map_err(Fault::from)
    });
    Ok(work
        .await
        .map_err(|e| Refusal(Fault::internal("writing the export", e)))??)
}

/// Rows of one series share its names.
fn export_row(name: &SeriesName, point: Point, before: Option<&ExportRow>) -> ExportRow {
    let shared = |known: Option<&Arc<str>>, text: &str| match known {
        Some(known) if **known == *text => known.clone(),
        _ => text.into(),
    };
    ExportRow {
        thing: shared(before.map(|r| &r.thing), &name.thing),
        property: shared(before.map(|r| &r.property), &name.property),
        kind: name.kind,
        time: point.time,
        value: point.value,
        flag: point.flag,
        received: point.received,
    }
}
