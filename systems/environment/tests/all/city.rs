//! A city in memory: what the reports see of the engines, and nothing more.

use crate::declarations::declared;
use async_trait::async_trait;
use kernel::alerts::{Alert, AlertFilter, AlertVerb, Alerts};
use kernel::devices::{Command, Device, DeviceFilter, DeviceState, Devices, Frame};
use kernel::observations::*;
use kernel::records::{Record, RecordChange, RecordPage, RecordQuery, Registers};
use kernel::{Actor, City, Decision, Fault, ManualClock, Policy, Span, Time, Verb};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What the city holds; turned into a handle by [`Town::city`].
#[derive(Default)]
pub struct Town {
    pub now: Option<Time>,
    pub series: BTreeMap<(String, String, String), Vec<Point>>,
    pub records: BTreeMap<(String, String), Arc<Record>>,
    pub alerts: Vec<Alert>,
    pub devices: Vec<Device>,
    /// Range questions asked.
    pub asked: AtomicUsize,
}

impl Town {
    /// A town at a moment.
    pub fn at(now: &str) -> Town {
        let now = Some(Time::parse(now).unwrap());
        Town {
            now,
            ..Town::default()
        }
    }

    /// Puts a record; the key is the value of `key`.
    pub fn record(&mut self, register: &str, key: &str, fields: Value) {
        let mut fields = fields.as_object().unwrap().clone();
        let declared = declared();
        let decl = declared.register(register).unwrap();
        fields.insert(decl.key.clone(), json!(key));
        for field in fields.keys() {
            assert!(decl.field(field).is_some(), "{register} has no {field}");
        }
        let record = Record {
            register: register.into(),
            key: key.into(),
            fields,
            valid_from: Time(0),
            valid_to: None,
            recorded_at: Time(0),
            superseded_at: None,
            version: 1,
            by: "test".into(),
            reason: None,
        };
        let at = (register.to_string(), key.to_string());
        self.records.insert(at, Arc::new(record));
    }

    /// Puts values every `every` from `from` on.
    pub fn values(
        &mut self,
        thing: &str,
        (property, kind): (&str, &str),
        from: &str,
        every: Span,
        values: impl IntoIterator<Item = f64>,
    ) {
        assert!(Kind::parse(kind).is_some());
        let name = (thing.to_string(), property.to_string(), kind.to_string());
        let points = self.series.entry(name).or_default();
        let mut time = Time::parse(from).unwrap();
        for value in values {
            points.push(Point {
                time,
                value,
                flag: Flag::NORMAL,
                received: time,
            });
            time = time + every;
        }
        points.sort_by_key(|p| p.time);
    }

    /// The handle.
    pub fn city(self) -> (City, Arc<Town>) {
        let now = self.now.unwrap();
        let town = Arc::new(self);
        let city = City {
            clock: Arc::new(ManualClock::new(now)),
            observations: town.clone(),
            registers: town.clone(),
            alerts: town.clone(),
            devices: town.clone(),
            policy: town.clone(),
            declared: Arc::new(declared()),
            applications: None,
            gateways: vec![],
        };
        (city, town)
    }
}

fn bucketed(points: &[Point], span: Span) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = vec![];
    for point in points {
        let time = point.time.floor(span);
        if buckets.last().is_none_or(|b| b.time != time) {
            buckets.push(Bucket {
                time,
                count: 0,
                valid: 0,
                min: f64::NAN,
                max: f64::NAN,
                sum: 0.0,
            });
        }
        let bucket = buckets.last_mut().unwrap();
        bucket.count += 1;
        if point.flag.valid() {
            bucket.valid += 1;
            bucket.min = bucket.min.min(point.value);
            bucket.max = bucket.max.max(point.value);
            bucket.sum += point.value;
        }
    }
    buckets
}

#[async_trait]
impl Observations for Town {
    fn thing(&self, _: &str) -> Result<ThingId, Fault> {
        Err(Fault::missing("thing"))
    }
    fn find_thing(&self, _: &str) -> Option<ThingId> {
        None
    }
    fn thing_name(&self, _: ThingId) -> Option<Arc<str>> {
        None
    }
    fn column(&self, _: &str, _: Statistic, _: Basis) -> Result<ColumnId, Fault> {
        Err(Fault::missing("column"))
    }
    fn column_meaning(&self, _: ColumnId) -> Option<Arc<Column>> {
        None
    }
    async fn write(&self, _: Vec<Row>) -> Result<Receipt, Fault> {
        Err(Fault::missing("write"))
    }
    fn latest(&self, series: &[SeriesName]) -> Vec<Option<Latest>> {
        series.iter().map(|_| None).collect()
    }
    fn latest_of_thing(&self, thing: &str) -> Vec<(SeriesName, Latest)> {
        let of_thing = self.series.iter().filter(|((t, _, _), _)| t == thing);
        let newest = of_thing.map(|((thing, property, kind), points)| {
            let last = points.last().unwrap();
            let name = SeriesName {
                thing: thing.clone(),
                property: property.clone(),
                kind: Kind::parse(kind).unwrap(),
            };
            let latest = Latest {
                time: last.time,
                value: last.value,
                flag: last.flag,
            };
            (name, latest)
        });
        newest.collect()
    }
    fn last_received(&self, thing: &str) -> Option<Time> {
        let of_thing = self.series.iter().filter(|((t, _, _), _)| t == thing);
        of_thing.flat_map(|(_, p)| p).map(|p| p.received).max()
    }
    fn list_series(&self, _: &SeriesFilter) -> Vec<SeriesInfo> {
        vec![]
    }
    async fn range(&self, query: RangeQuery) -> Result<RangeAnswer, Fault> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let name = query.series;
        let key = (name.thing, name.property, name.kind.to_string());
        let inside = |p: &&Point| p.time >= query.from && p.time < query.to;
        let points = self.series.get(&key).into_iter().flatten().filter(inside);
        let mut points: Vec<Point> = points.copied().collect();
        match query.step {
            Step::Bucket(span) => {
                let mut buckets = bucketed(&points, span);
                let cut = buckets.len() > query.limit;
                buckets.truncate(query.limit);
                Ok(RangeAnswer::Buckets(buckets, span, cut))
            }
            _ => {
                let cut = points.len() > query.limit;
                points.truncate(query.limit);
                Ok(RangeAnswer::Points(points, cut))
            }
        }
    }
    fn counters(&self) -> EngineCounters {
        EngineCounters {
            values: self.series.values().map(|p| p.len() as u64).sum(),
            ..EngineCounters::default()
        }
    }
}

#[async_trait]
impl Registers for Town {
    async fn get(
        &self,
        register: &str,
        key: &str,
        _: Option<Time>,
        _: Option<Time>,
    ) -> Result<Option<Record>, Fault> {
        Ok(self.cached(register, key).map(|r| (*r).clone()))
    }
    async fn list(&self, _: &str, _: &RecordQuery) -> Result<RecordPage, Fault> {
        Err(Fault::missing("list"))
    }
    async fn history(&self, _: &str, _: &str) -> Result<Vec<Record>, Fault> {
        Err(Fault::missing("history"))
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        Err(Fault::missing("apply"))
    }
    fn cached(&self, register: &str, key: &str) -> Option<Arc<Record>> {
        self.records.get(&(register.into(), key.into())).cloned()
    }
    fn cached_all(&self, register: &str) -> Vec<Arc<Record>> {
        let of_register = self.records.iter().filter(|((r, _), _)| r == register);
        of_register.map(|(_, record)| record.clone()).collect()
    }
}

#[async_trait]
impl Alerts for Town {
    async fn get(&self, _: &str) -> Result<Option<Alert>, Fault> {
        Ok(None)
    }
    async fn list(&self, filter: &AlertFilter) -> Result<(Vec<Alert>, Option<String>, u64), Fault> {
        let fits = |a: &&Alert| {
            (filter.states.is_empty() || filter.states.contains(&a.state))
                && (filter.levels.is_empty() || filter.levels.contains(&a.level))
                && filter
                    .active
                    .is_none_or(|active| a.ended_at.is_none() == active)
                && filter.from.is_none_or(|from| a.raised_at >= from)
                && filter.to.is_none_or(|to| a.raised_at < to)
        };
        // Pages of two, so that paging is walked.
        let found: Vec<Alert> = self.alerts.iter().filter(fits).cloned().collect();
        let from = filter.after.as_ref().map_or(0, |a| a.parse().unwrap());
        let page: Vec<Alert> = found.iter().skip(from).take(2).cloned().collect();
        let next = (from + 2 < found.len()).then(|| (from + 2).to_string());
        Ok((page, next, found.len() as u64))
    }
    async fn open_counts(&self) -> Result<[u64; 4], Fault> {
        Ok([0, 1, 2, 3])
    }
    async fn act(&self, _: &Actor, _: &str, _: AlertVerb, _: Option<i64>) -> Result<Alert, Fault> {
        Err(Fault::missing("act"))
    }
}

#[async_trait]
impl Devices for Town {
    fn touch(&self, _: &Device) {}
    fn get(&self, thing: &str) -> Option<Device> {
        self.devices.iter().find(|d| d.thing == thing).cloned()
    }
    fn list(&self, filter: &DeviceFilter) -> (Vec<Device>, usize) {
        let fits = |d: &&Device| filter.state.is_none_or(|s| d.state == s);
        let found: Vec<Device> = self.devices.iter().filter(fits).cloned().collect();
        let count = found.len();
        (found, count)
    }
    async fn set_state(&self, _: &str, _: DeviceState) -> Result<(), Fault> {
        Ok(())
    }
    fn keep_frame(&self, _: Frame) {}
    fn frames(&self, _: Option<&str>, _: bool, _: Option<&str>, _: usize) -> Vec<Frame> {
        vec![]
    }
    fn rejected_counts(&self) -> Vec<(String, String, u64)> {
        vec![]
    }
    async fn put_command(&self, _: &Command) -> Result<(), Fault> {
        Ok(())
    }
    async fn commands(&self, _: Option<&str>, _: usize) -> Result<Vec<Command>, Fault> {
        Ok(vec![])
    }
}

impl Policy for Town {
    fn may(&self, _: &Actor, _: Verb, _: &str) -> Decision {
        Decision::denied(vec![])
    }
}
