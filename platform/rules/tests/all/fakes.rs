//! A small city to judge: one register of stations, one of limits, and engines that keep
//! everything in memory.

use kernel::access::Actor;
use kernel::declare::{Declared, check};
use kernel::observations::*;
use kernel::records::*;
use kernel::{Clock, Fault, ManualClock, Span, Time};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::Store;

const CITY: &str = "code: '130199'\ntitle: {zh: 城, en: City}\ncentre: [114.5, 38.0]\n";
const SYSTEM: &str =
    "title: {zh: 环境, en: Environment}\nowner: o1\nuses: [registers, rules]\nmaturity: draft\n";
const STATION: &str = r#"{"title": "站", "x-title-en": "Station", "x-owner": "o1", "x-key": "id",
"x-cached": true, "type": "object", "required": ["id"], "properties": {
"id": {"type": "string", "title": "编号", "x-title-en": "Id"},
"kind": {"type": "string", "title": "类", "x-title-en": "Kind"},
"class": {"type": "string", "title": "级", "x-title-en": "Class"}}}"#;
const LIMIT: &str = r#"{"title": "限值", "x-title-en": "Limit", "x-owner": "o1", "x-key": "id",
"x-cached": true, "type": "object", "required": ["id"], "properties": {
"id": {"type": "string", "title": "编号", "x-title-en": "Id"},
"limit": {"type": "number", "title": "限", "x-title-en": "Limit"}}}"#;
const PROPERTIES: &str = "so2: {title: {zh: 二氧化硫, en: SO2}, unit: mg/m³, digits: 1}\n\
nox: {title: {zh: 氮氧化物, en: NOx}, unit: mg/m³}\n\
power: {title: {zh: 功率, en: Power}, unit: kW}\n";

/// The declarations with these rules (name, text).
pub fn declared(rules: &[(&str, &str)]) -> Declared {
    let mut files: BTreeMap<String, String> = [
        ("cities/c/city.yaml", CITY),
        (
            "cities/c/organisations.yaml",
            "organisations:\n  o1: {title: {zh: 局, en: Bureau}}\n",
        ),
        (
            "cities/c/thresholds.yaml",
            "thresholds:\n  boiler: {source: GB 13271, limits: {so2: 50}}\n  kiln: {source: GB 9078, limits: {so2: 200}}\n",
        ),
        (
            "cities/c/roles.yaml",
            "roles:\n  duty: {title: {zh: 值班, en: Duty}, may: [{do: [handle], on: [alerts], purpose: p, basis: b}]}\n",
        ),
        ("systems/e/system.yaml", SYSTEM),
        ("systems/e/registers/station.schema.json", STATION),
        ("systems/e/registers/emission_limit.schema.json", LIMIT),
        ("systems/e/observations/all.yaml", PROPERTIES),
    ]
    .into_iter()
    .map(|(file, text)| (file.to_string(), text.to_string()))
    .collect();
    for (name, text) in rules {
        let head = "title: {zh: 规则, en: Rule}\nabout: station\n";
        let message = "message: {zh: \"{thing}的{property}为{value}{unit}，限值{limit}，{for}\", en: \"{value} {unit} of {thing}\"}";
        let text = format!("{head}{}\n", text.replace("MESSAGE", message));
        files.insert(format!("systems/e/rules/{name}.yaml"), text);
    }
    check::load(&files).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A time of the day of the tests.
pub fn at(hour: i64, minute: i64) -> Time {
    Time::parse("2026-01-10").unwrap() + Span::minutes(hour * 60 + minute)
}

/// Names of things and columns; writes go to the event log of a store.
pub struct Observed {
    store: Store,
    clock: Arc<ManualClock>,
    things: Mutex<Vec<Arc<str>>>,
    columns: Mutex<Vec<Arc<Column>>>,
}

impl Observed {
    pub fn new(store: Store, clock: Arc<ManualClock>) -> Arc<Observed> {
        Arc::new(Observed {
            store,
            clock,
            things: Mutex::default(),
            columns: Mutex::default(),
        })
    }

    /// A real-time value at this minute's device time.
    pub fn row(&self, thing: &str, property: &str, time: Time, value: f64) -> Row {
        let column = self.column(property, Statistic::Value, Basis::Measured);
        Row {
            thing: self.thing(thing).unwrap(),
            period: Period::RealTime,
            time,
            cells: vec![Cell {
                column: column.unwrap(),
                value,
                flag: Flag::NORMAL,
            }],
        }
    }
}

#[async_trait::async_trait]
impl Observations for Observed {
    fn thing(&self, name: &str) -> Result<ThingId, Fault> {
        let mut things = self.things.lock();
        let number = things.iter().position(|known| **known == *name);
        let number = number.unwrap_or_else(|| {
            things.push(name.into());
            things.len() - 1
        });
        Ok(ThingId(number as u32))
    }
    fn find_thing(&self, name: &str) -> Option<ThingId> {
        let number = self.things.lock().iter().position(|t| **t == *name);
        number.map(|n| ThingId(n as u32))
    }
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>> {
        self.things.lock().get(id.0 as usize).cloned()
    }
    fn column(
        &self,
        property: &str,
        statistic: Statistic,
        basis: Basis,
    ) -> Result<ColumnId, Fault> {
        let column = Column {
            property: property.into(),
            statistic,
            basis,
        };
        let mut columns = self.columns.lock();
        let number = columns.iter().position(|known| **known == column);
        let number = number.unwrap_or_else(|| {
            columns.push(Arc::new(column));
            columns.len() - 1
        });
        Ok(ColumnId(number as u32))
    }
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        self.columns.lock().get(id.0 as usize).cloned()
    }
    async fn write(&self, rows: Vec<Row>) -> Result<Receipt, Fault> {
        let now = self.clock.now();
        let packed = store::observations::pack_batch(&wire::encode(now, &rows));
        let mut tx = self.store.begin().await?;
        store::observations::append_batch(&mut tx, now, &packed).await?;
        tx.commit().await?;
        Ok(Receipt::default())
    }
    fn latest(&self, series: &[SeriesName]) -> Vec<Option<Latest>> {
        vec![None; series.len()]
    }
    fn latest_of_thing(&self, _: &str) -> Vec<(SeriesName, Latest)> {
        vec![]
    }
    fn last_received(&self, _: &str) -> Option<Time> {
        None
    }
    fn list_series(&self, _: &SeriesFilter) -> Vec<SeriesInfo> {
        vec![]
    }
    async fn range(&self, _: RangeQuery) -> Result<RangeAnswer, Fault> {
        Ok(RangeAnswer::Points(vec![], false))
    }
    fn counters(&self) -> EngineCounters {
        EngineCounters::default()
    }
}

/// Registers in memory; changes go to the event log of a store.
pub struct Recorded {
    store: Store,
    clock: Arc<ManualClock>,
    records: Mutex<BTreeMap<(String, String), Arc<Record>>>,
}

impl Recorded {
    pub fn new(store: Store, clock: Arc<ManualClock>) -> Arc<Recorded> {
        Arc::new(Recorded {
            store,
            clock,
            records: Mutex::default(),
        })
    }

    /// Records these fields (JSON), or ends the record (`null`), with its event.
    pub async fn put(&self, register: &str, key: &str, fields: serde_json::Value) {
        let now = self.clock.now();
        let ended = fields.is_null();
        let mut record = Record {
            register: register.into(),
            key: key.into(),
            fields: fields.as_object().cloned().unwrap_or_default(),
            valid_from: now,
            valid_to: ended.then_some(now),
            recorded_at: now,
            superseded_at: None,
            version: 1,
            by: "test".into(),
            reason: None,
        };
        record.fields.insert("id".into(), key.into());
        let mut tx = self.store.begin().await.unwrap();
        let (about, body) = (
            format!("{register}/{key}"),
            serde_json::to_vec(&record).unwrap(),
        );
        let kind = kernel::events::EventKind::Record;
        store::events::append(&mut tx, now, kind, &about, &body)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let name = (register.to_string(), key.to_string());
        match ended {
            true => self.records.lock().remove(&name),
            false => self.records.lock().insert(name, Arc::new(record)),
        };
    }
}

#[async_trait::async_trait]
impl Registers for Recorded {
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
        Ok(vec![])
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        Err(Fault::missing("apply"))
    }
    fn cached(&self, register: &str, key: &str) -> Option<Arc<Record>> {
        let name = (register.to_string(), key.to_string());
        self.records.lock().get(&name).cloned()
    }
    fn cached_all(&self, register: &str) -> Vec<Arc<Record>> {
        let records = self.records.lock();
        let of = records.iter().filter(|((name, _), _)| name == register);
        of.map(|(_, record)| record.clone()).collect()
    }
}
