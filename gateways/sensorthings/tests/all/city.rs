//! A city of three things for tests: two stations on record and one device that nobody knows.

use async_trait::async_trait;
use kernel::alerts::{Alert, AlertFilter, AlertVerb, Alerts};
use kernel::declare::check::load;
use kernel::devices::{Command, Device, DeviceFilter, DeviceState, Devices, Frame};
use kernel::observations::*;
use kernel::records::{Record, RecordChange, RecordPage, RecordQuery, Registers};
use kernel::{Actor, City, Decision, Fault, ManualClock, Policy, Span, Time, Verb};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// 2026-11-21T00:00:00+08:00.
pub const START: Time = Time(1_795_190_400_000_000);
/// Stations on record.
pub const A: &str = "13019900000001";
pub const B: &str = "13019900000002";
/// A device nobody has claimed; its name needs escaping.
pub const C: &str = "外来 'X'/1";

const SCHEMA: &str = r#"{"title": "站点", "x-title-en": "Station", "x-owner": "o1", "x-key": "mn",
"x-cached": true, "x-place": ["lon", "lat"], "x-summary": ["mn", "title"], "type": "object",
"additionalProperties": false, "required": ["mn"], "properties": {
  "mn": {"type": "string", "title": "编号", "x-title-en": "Id"},
  "state": {"type": "string", "title": "状态", "x-title-en": "State"},
  "title": {"type": "string", "title": "名称", "x-title-en": "Name"},
  "lon": {"type": "number", "title": "经度", "x-title-en": "Longitude"},
  "lat": {"type": "number", "title": "纬度", "x-title-en": "Latitude"},
  "phone": {"type": "string", "title": "电话", "x-title-en": "Phone", "x-personal": true}
}}"#;

/// The city: A has a34004 by hour (48) and by minute (1,000), B a34004 by hour (10), C w01018.
/// With `dense`, A has also 45,000 readings within an hour and one dated far ahead.
pub fn city(dense: bool) -> City {
    let files = BTreeMap::from(
        [
            (
                "cities/c/city.yaml",
                "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n",
            ),
            (
                "cities/c/organisations.yaml",
                "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n",
            ),
            (
                "systems/air/system.yaml",
                "title: {zh: 空气, en: Air}\nowner: o1\nuses: [registers]\nmaturity: draft\n",
            ),
            ("systems/air/registers/station.schema.json", SCHEMA),
            (
                "systems/air/observations/air.yaml",
                "a34004: {title: {zh: 细颗粒物, en: PM2.5}, unit: μg/m³, range: [0, 1000]}\n",
            ),
        ]
        .map(|(path, text)| (path.to_string(), text.to_string())),
    );
    City {
        clock: Arc::new(ManualClock::new(START + Span::hours(48))),
        observations: Arc::new(Fake::new().with_dense(dense)),
        registers: Arc::new(Fake::new()),
        alerts: Arc::new(Fake::new()),
        devices: Arc::new(Fake::new()),
        policy: Arc::new(Fake::new()),
        declared: Arc::new(load(&files).unwrap()),
        applications: None,
        gateways: vec![],
    }
}

struct Fake {
    series: BTreeMap<(String, String, Kind), Vec<Point>>,
    records: BTreeMap<String, Arc<Record>>,
}

impl Fake {
    fn new() -> Fake {
        let hour = Kind::parse("hour.mean").unwrap();
        let series = [
            (A, "a34004", hour, 48, 3600),
            (A, "a34004", Kind::parse("minute.mean").unwrap(), 1_000, 60),
            (B, "a34004", hour, 10, 3600),
            (C, "w01018", Kind::REAL_TIME, 3, 60),
        ];
        let series = series.map(|(thing, property, kind, count, step_s)| {
            let points = (0..count).map(|n| Point {
                time: START + Span::seconds(n * step_s),
                value: n as f64,
                flag: if n % 2 == 0 { Flag::NORMAL } else { Flag(b'D') },
                received: START + Span::seconds(n * step_s + 5),
            });
            (
                (thing.to_string(), property.to_string(), kind),
                points.collect(),
            )
        });
        let records = [(A, "一号站", 114.4), (B, "二号站", 114.6)];
        let records = records.map(|(key, title, lon)| {
            let fields = json!({
                "mn": key, "state": "running", "title": title, "lon": lon, "lat": 38.0, "phone": "00000000000",
            });
            let record = Record {
                register: "station".into(),
                key: key.into(),
                fields: fields.as_object().unwrap().clone(),
                valid_from: START,
                valid_to: None,
                recorded_at: START,
                superseded_at: None,
                version: 1,
                by: "system".into(),
                reason: None,
            };
            (key.to_string(), Arc::new(record))
        });
        Fake {
            series: series.into(),
            records: records.into(),
        }
    }

    fn with_dense(mut self, dense: bool) -> Fake {
        let point = |n: i64, at: Span| Point {
            time: START + at,
            value: n as f64,
            flag: Flag::NORMAL,
            received: START,
        };
        if dense {
            let mut points: Vec<Point> = (0..45_000).map(|n| point(n, Span(n * 50_000))).collect();
            points.push(point(45_000, Span::hours(1_000)));
            let key = (A.to_string(), "dense".to_string(), Kind::REAL_TIME);
            self.series.insert(key, points);
        }
        self
    }
}

/// The newest point that is not dated ahead of the clock.
fn latest(points: &[Point]) -> Latest {
    let now = START + Span::hours(48);
    let last = points
        .iter()
        .rfind(|p| p.time <= now + FUTURE_LIMIT)
        .unwrap();
    Latest {
        time: last.time,
        value: last.value,
        flag: last.flag,
    }
}

#[async_trait]
impl Observations for Fake {
    fn thing(&self, _: &str) -> Result<ThingId, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    fn find_thing(&self, _: &str) -> Option<ThingId> {
        unreachable!("SensorThings does not ask this")
    }
    fn thing_name(&self, _: ThingId) -> Option<Arc<str>> {
        unreachable!("SensorThings does not ask this")
    }
    fn column(&self, _: &str, _: Statistic, _: Basis) -> Result<ColumnId, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    fn column_meaning(&self, _: ColumnId) -> Option<Arc<Column>> {
        unreachable!("SensorThings does not ask this")
    }
    async fn write(&self, _: Vec<Row>) -> Result<Receipt, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    fn latest(&self, _: &[SeriesName]) -> Vec<Option<Latest>> {
        unreachable!("SensorThings does not ask this")
    }
    fn latest_of_thing(&self, _: &str) -> Vec<(SeriesName, Latest)> {
        unreachable!("SensorThings does not ask this")
    }
    fn last_received(&self, _: &str) -> Option<Time> {
        unreachable!("SensorThings does not ask this")
    }
    fn list_series(&self, filter: &SeriesFilter) -> Vec<SeriesInfo> {
        let after = filter
            .after
            .as_ref()
            .map(|a| (a.thing.clone(), a.property.clone(), a.kind));
        self.series
            .iter()
            .filter(|(key, _)| after.as_ref().is_none_or(|a| *key > a))
            .filter(|(key, _)| filter.thing.as_ref().is_none_or(|t| key.0 == *t))
            .filter(|(key, _)| filter.property.as_ref().is_none_or(|p| key.1 == *p))
            .filter(|(key, _)| filter.kind.is_none_or(|k| key.2 == k))
            .take(filter.limit)
            .map(|(key, points)| SeriesInfo {
                name: SeriesName {
                    thing: key.0.clone(),
                    property: key.1.clone(),
                    kind: key.2,
                },
                first: points[0].time,
                latest: latest(points),
            })
            .collect()
    }
    async fn range(&self, q: RangeQuery) -> Result<RangeAnswer, Fault> {
        assert_eq!(q.step, Step::Raw);
        let key = (q.series.thing, q.series.property, q.series.kind);
        let within = |p: &&Point| p.time >= q.from && p.time < q.to;
        let all: Vec<Point> = self.series[&key].iter().filter(within).copied().collect();
        let cut = all.len() > q.limit;
        Ok(RangeAnswer::Points(
            all.into_iter().take(q.limit).collect(),
            cut,
        ))
    }
    fn counters(&self) -> EngineCounters {
        EngineCounters::default()
    }
}

#[async_trait]
impl Registers for Fake {
    async fn get(
        &self,
        _: &str,
        _: &str,
        _: Option<Time>,
        _: Option<Time>,
    ) -> Result<Option<Record>, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn list(&self, _: &str, _: &RecordQuery) -> Result<RecordPage, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn history(&self, _: &str, _: &str) -> Result<Vec<Record>, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    fn cached(&self, register: &str, key: &str) -> Option<Arc<Record>> {
        assert_eq!(register, "station");
        self.records.get(key).cloned()
    }
    fn cached_all(&self, register: &str) -> Vec<Arc<Record>> {
        assert_eq!(register, "station");
        self.records.values().cloned().collect()
    }
}

#[async_trait]
impl Devices for Fake {
    fn touch(&self, _: &Device) {}
    fn get(&self, thing: &str) -> Option<Device> {
        (thing != B).then(|| Device {
            thing: thing.into(),
            gateway: "hj212".into(),
            edition: "2017".into(),
            state: if thing == A {
                DeviceState::Claimed
            } else {
                DeviceState::Quarantined
            },
            ..Device::default()
        })
    }
    fn list(&self, _: &DeviceFilter) -> (Vec<Device>, usize) {
        unreachable!("SensorThings does not ask this")
    }
    async fn set_state(&self, _: &str, _: DeviceState) -> Result<(), Fault> {
        unreachable!("SensorThings does not ask this")
    }
    fn keep_frame(&self, _: Frame) {}
    fn frames(&self, _: Option<&str>, _: bool, _: Option<&str>, _: usize) -> Vec<Frame> {
        unreachable!("SensorThings does not ask this")
    }
    fn rejected_counts(&self) -> Vec<(String, String, u64)> {
        unreachable!("SensorThings does not ask this")
    }
    async fn put_command(&self, _: &Command) -> Result<(), Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn commands(&self, _: Option<&str>, _: usize) -> Result<Vec<Command>, Fault> {
        unreachable!("SensorThings does not ask this")
    }
}

#[async_trait]
impl Alerts for Fake {
    async fn get(&self, _: &str) -> Result<Option<Alert>, Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn list(&self, _: &AlertFilter) -> Result<(Vec<Alert>, Option<String>, u64), Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn open_counts(&self) -> Result<[u64; 4], Fault> {
        unreachable!("SensorThings does not ask this")
    }
    async fn act(&self, _: &Actor, _: &str, _: AlertVerb, _: Option<i64>) -> Result<Alert, Fault> {
        unreachable!("SensorThings does not ask this")
    }
}

impl Policy for Fake {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        assert_eq!((verb, object), (Verb::Read, "register.station"));
        match actor.roles.iter().any(|r| r == "officer") {
            true => Decision::Allowed {
                role: "officer".into(),
                purpose: "p".into(),
                basis: "b".into(),
            },
            false => Decision::denied(vec![]),
        }
    }
}
