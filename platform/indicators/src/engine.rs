//! The engine: computes what is due, keeps the newest values, writes the history.

use crate::take::number;
use kernel::city::Report;
use kernel::declare::{Declared, IndicatorDecl};
use kernel::observations::{
    Basis, Cell, Flag, Kind, Period, RangeAnswer, RangeQuery, Row, SeriesName, Statistic, Step,
};
use kernel::{City, Clock, Fault, Span, Time, Words};
use parking_lot::RwLock;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use store::{Store, documents};
use tokio::sync::watch;

/// The thing whose series are the indicators.
pub const THING: &str = "indicator";

/// Where failures are kept.
const COLLECTION: &str = "indicators";
/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(1);
/// A report that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// A failed report is asked again after this long, or at its own pace when that is quicker.
const RETRY: Span = Span::minutes(1);
/// Points of a trend, and how many periods it looks back.
const TREND_POINTS: usize = 100;

/// A number with its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndicatorValue {
    /// System that declares it.
    pub system: String,
    /// Name.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Unit.
    pub unit: String,
    /// The newest number; `None` before the first.
    pub value: Option<f64>,
    /// Target, if there is one.
    pub target: Option<f64>,
    /// `higher` or `lower` is better.
    pub better: String,
    /// Where the number and its target come from.
    pub source: String,
    /// Path of the page that shows its parts; empty when none does.
    pub page: String,
    /// When the number was computed.
    pub computed_at: Option<Time>,
    /// Why there is no newer number.
    pub error: Option<Words>,
    /// Since when there is none.
    pub failing_since: Option<Time>,
}

struct Entry {
    decl: IndicatorDecl,
    report: Report,
    value: IndicatorValue,
    next: Time,
}

type Entries = BTreeMap<(String, String), Entry>;

/// The indicators of the city.
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
    city: City,
    entries: RwLock<Entries>,
    stop: watch::Sender<bool>,
    worker: parking_lot::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Engine {
    /// Takes up the last numbers and computes what is due in a task of its own until
    /// [`Engine::shutdown`]. An indicator whose report is not bound is a fault.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
        reports: BTreeMap<(String, String), Report>,
        city: City,
    ) -> Result<Arc<Engine>, Fault> {
        let engine = Engine::prepare(store, clock, declared, reports, city).await?;
        *engine.worker.lock() = Some(tokio::spawn(engine.clone().follow()));
        Ok(engine)
    }

    /// The engine without its task: for tests that call [`Engine::compute_due`] themselves.
    pub async fn prepare(
        store: Store,
        clock: Arc<dyn Clock>,
        declared: Arc<Declared>,
        reports: BTreeMap<(String, String), Report>,
        city: City,
    ) -> Result<Arc<Engine>, Fault> {
        let mut entries = Entries::new();
        for decl in declared.indicators() {
            let name = (decl.system.clone(), decl.report.clone());
            let report = reports.get(&name).copied().ok_or_else(|| {
                Fault::internal("opening the indicators", format!("no report {name:?}"))
            })?;
            let entry = restore(&store, &city, decl, report).await?;
            entries.insert((decl.system.clone(), decl.name.clone()), entry);
        }
        Ok(Arc::new(Engine {
            store,
            clock,
            city,
            entries: RwLock::new(entries),
            stop: watch::channel(false).0,
            worker: parking_lot::Mutex::default(),
        }))
    }

    /// Stops computing.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        let worker = self.worker.lock().take();
        if let Some(worker) = worker
            && let Err(error) = worker.await
        {
            tracing::error!(%error, "the indicators did not stop cleanly");
        }
    }

    /// All indicators in order of system and name.
    pub fn list(&self) -> Vec<IndicatorValue> {
        let entries = self.entries.read();
        entries.values().map(|entry| entry.value.clone()).collect()
    }

    /// The course of an indicator over its last hundred periods (at least a day), as at most a
    /// hundred pairs of milliseconds since 1970 and number.
    pub async fn trend(&self, system: &str, name: &str) -> Result<Vec<(i64, f64)>, Fault> {
        let key = (system.to_string(), name.to_string());
        let every = self.entries.read().get(&key).map(|entry| entry.decl.every);
        let Some(every) = every else {
            return Err(Fault::missing(&format!("indicator {system}/{name}")));
        };
        let now = self.clock.now();
        let back = Span(every.0.saturating_mul(TREND_POINTS as i64)).max(Span::days(1));
        let query = RangeQuery {
            series: series(name),
            from: now - back,
            to: Time(now.0.saturating_add(1)),
            step: Step::Thin(TREND_POINTS),
            as_of: None,
            limit: TREND_POINTS,
        };
        Ok(match self.city.observations.range(query).await? {
            RangeAnswer::Points(points, _) => {
                let pair = |p: &kernel::observations::Point| (p.time.0 / 1000, p.value);
                points.iter().map(pair).collect()
            }
            RangeAnswer::Buckets(buckets, ..) => {
                let some = buckets.iter().filter(|bucket| bucket.valid > 0);
                some.map(|b| (b.time.0 / 1000, b.mean())).collect()
            }
        })
    }

    async fn follow(self: Arc<Engine>) {
        let mut stop = self.stop.subscribe();
        while !*stop.borrow() {
            if let Err(fault) = self.compute_due().await {
                tracing::warn!(%fault, "indicators were computed but not kept");
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Computes every indicator whose time has come; each report is asked once.
    pub async fn compute_due(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let due: Vec<(IndicatorDecl, Report)> = {
            let entries = self.entries.read();
            let due = entries.values().filter(|entry| entry.next <= now);
            due.map(|e| (e.decl.clone(), e.report)).collect()
        };
        let mut answers: HashMap<(String, String), Result<Value, Words>> = HashMap::new();
        let mut computed = vec![];
        for (decl, report) in due {
            if *self.stop.borrow() {
                return Ok(());
            }
            let name = (decl.system.clone(), decl.report.clone());
            if !answers.contains_key(&name) {
                let answer = ask(report, self.city.clone()).await;
                answers.insert(name.clone(), answer);
            }
            let outcome = match &answers[&name] {
                Ok(answer) => number(answer, &decl.field),
                Err(words) => Err(words.clone()),
            };
            computed.push((decl, outcome));
        }
        self.keep(now, computed).await
    }

    async fn keep(
        &self,
        now: Time,
        computed: Vec<(IndicatorDecl, Result<f64, Words>)>,
    ) -> Result<(), Fault> {
        let mut cells = vec![];
        let mut failures = vec![];
        for (decl, outcome) in &computed {
            if let Ok(value) = outcome {
                cells.push(self.cell(&decl.name, *value)?);
            }
            failures.extend(self.note(decl, outcome, now));
        }
        if !failures.is_empty() {
            let mut tx = self.store.begin().await?;
            for (key, failing) in failures {
                match failing {
                    Some(json) => {
                        documents::put(&mut tx, COLLECTION, &key, &json, None).await?;
                    }
                    None => {
                        documents::delete(&mut tx, COLLECTION, &key).await?;
                    }
                }
            }
            tx.commit().await?;
        }
        if cells.is_empty() {
            return Ok(());
        }
        let row = Row {
            thing: self.city.observations.thing(THING)?,
            period: Period::RealTime,
            time: now,
            cells,
        };
        self.city.observations.write(vec![row]).await.map(drop)
    }

    fn cell(&self, name: &str, value: f64) -> Result<Cell, Fault> {
        let observations = &self.city.observations;
        Ok(Cell {
            column: observations.column(name, Statistic::Value, Basis::Measured)?,
            value,
            flag: Flag::NORMAL,
        })
    }

    /// Notes an outcome; answers what is to be kept of a failure when it begins or ends.
    fn note(
        &self,
        decl: &IndicatorDecl,
        outcome: &Result<f64, Words>,
        now: Time,
    ) -> Option<(String, Option<Value>)> {
        let mut entries = self.entries.write();
        let entry = entries.get_mut(&(decl.system.clone(), decl.name.clone()))?;
        let value = &mut entry.value;
        let failed_before = value.failing_since.is_some();
        match outcome {
            Ok(number) => {
                value.value = Some(*number);
                value.computed_at = Some(now);
                value.error = None;
                value.failing_since = None;
                entry.next = now + decl.every;
            }
            Err(words) => {
                value.error = Some(words.clone());
                value.failing_since = value.failing_since.or(Some(now));
                entry.next = now + decl.every.min(RETRY);
            }
        }
        let key = format!("{}/{}", decl.system, decl.name);
        match (failed_before, &entry.value.failing_since) {
            (false, Some(since)) => Some((key, Some(json!({ "failing_since": since.0 })))),
            (true, None) => Some((key, None)),
            _ => None,
        }
    }
}

/// Asks a report for its answer, within [`PATIENCE`]; a report that panics has failed.
async fn ask(report: Report, city: City) -> Result<Value, Words> {
    let question = tokio::spawn(async move { report(city, BTreeMap::new()).await });
    let stop = question.abort_handle();
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(Ok(answer))) => Ok(answer),
        Ok(Ok(Err(fault))) => Err(fault.words),
        Ok(Err(error)) => {
            tracing::error!(%error, "a report broke off");
            Err(Words::new("报表计算中断", "the report broke off"))
        }
        Err(_) => {
            stop.abort();
            Err(Words::new(
                "报表计算超时",
                "the report took longer than a minute",
            ))
        }
    }
}

fn series(name: &str) -> SeriesName {
    SeriesName {
        thing: THING.into(),
        property: name.into(),
        kind: Kind::REAL_TIME,
    }
}

/// An entry with its last number and, if it was failing, since when.
async fn restore(
    store: &Store,
    city: &City,
    decl: &IndicatorDecl,
    report: Report,
) -> Result<Entry, Fault> {
    let latest = city.observations.latest(&[series(&decl.name)]);
    let latest = latest.into_iter().flatten().next();
    let key = format!("{}/{}", decl.system, decl.name);
    let failing = store.documents().get(COLLECTION, &key).await?;
    let since = failing.and_then(|found| found.json["failing_since"].as_i64());
    let value = IndicatorValue {
        system: decl.system.clone(),
        name: decl.name.clone(),
        title: decl.title.clone(),
        unit: decl.unit.clone(),
        value: latest.as_ref().map(|found| found.value),
        target: decl.target,
        better: decl.better.clone(),
        source: decl.source.clone(),
        page: decl.page.clone(),
        computed_at: latest.as_ref().map(|found| found.time),
        error: since.map(|_| Words::new("报表未能计算", "the report failed")),
        failing_since: since.map(Time),
    };
    Ok(Entry {
        // Computed at once after a start: what it says may have changed meanwhile.
        next: Time(i64::MIN),
        decl: decl.clone(),
        report,
        value,
    })
}
