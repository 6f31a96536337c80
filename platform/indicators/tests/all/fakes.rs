//! A city in which only observations do anything: they keep rows in memory.

use async_trait::async_trait;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::alerts::{Alert, AlertFilter, AlertVerb, Alerts};
use kernel::devices::{Command, Device, DeviceFilter, DeviceState, Devices, Frame};
use kernel::observations::*;
use kernel::records::*;
use kernel::{City, Clock, Fault, Span, Time};
use parking_lot::Mutex;
use std::sync::Arc;

/// So many minutes after noon.
pub fn at(minute: i64) -> Time {
    Time::parse("2026-01-10T12:00").unwrap() + Span::minutes(minute)
}

#[derive(Default)]
pub struct Fake {
    columns: Mutex<Vec<Arc<Column>>>,
    rows: Mutex<Vec<Row>>,
}

impl Fake {
    pub fn city(self: &Arc<Fake>, clock: Arc<dyn Clock>) -> City {
        City {
            clock,
            observations: self.clone(),
            registers: self.clone(),
            alerts: self.clone(),
            devices: self.clone(),
            policy: self.clone(),
            declared: Arc::default(),
            applications: None,
            gateways: vec![],
        }
    }

    fn points(&self, property: &str) -> Vec<Point> {
        let columns = self.columns.lock();
        let of = |cell: &&Cell| *columns[cell.column.0 as usize].property == *property;
        let point = |row: &Row| {
            let cell = row.cells.iter().find(of)?;
            Some(Point {
                time: row.time,
                value: cell.value,
                flag: cell.flag,
                received: row.time,
            })
        };
        self.rows.lock().iter().filter_map(point).collect()
    }
}

fn nothing<T>() -> Result<T, Fault> {
    Err(Fault::missing("anything"))
}

#[async_trait]
impl Observations for Fake {
    fn thing(&self, name: &str) -> Result<ThingId, Fault> {
        assert_eq!(name, indicators::THING);
        Ok(ThingId(0))
    }
    fn find_thing(&self, _: &str) -> Option<ThingId> {
        None
    }
    fn thing_name(&self, _: ThingId) -> Option<Arc<str>> {
        None
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
    fn column_meaning(&self, _: ColumnId) -> Option<Arc<Column>> {
        None
    }
    async fn write(&self, rows: Vec<Row>) -> Result<Receipt, Fault> {
        self.rows.lock().extend(rows);
        Ok(Receipt::default())
    }
    fn latest(&self, series: &[SeriesName]) -> Vec<Option<Latest>> {
        let newest = |name: &SeriesName| {
            let point = self.points(&name.property).pop()?;
            Some(Latest {
                time: point.time,
                value: point.value,
                flag: point.flag,
            })
        };
        series.iter().map(newest).collect()
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
    async fn range(&self, query: RangeQuery) -> Result<RangeAnswer, Fault> {
        let mut points = self.points(&query.series.property);
        points.retain(|point| query.from <= point.time && point.time < query.to);
        Ok(RangeAnswer::Points(points, false))
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
        nothing()
    }
    async fn list(&self, _: &str, _: &RecordQuery) -> Result<RecordPage, Fault> {
        nothing()
    }
    async fn history(&self, _: &str, _: &str) -> Result<Vec<Record>, Fault> {
        nothing()
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        nothing()
    }
    fn cached(&self, _: &str, _: &str) -> Option<Arc<Record>> {
        None
    }
    fn cached_all(&self, _: &str) -> Vec<Arc<Record>> {
        vec![]
    }
}

#[async_trait]
impl Alerts for Fake {
    async fn get(&self, _: &str) -> Result<Option<Alert>, Fault> {
        nothing()
    }
    async fn list(&self, _: &AlertFilter) -> Result<(Vec<Alert>, Option<String>, u64), Fault> {
        nothing()
    }
    async fn open_counts(&self) -> Result<[u64; 4], Fault> {
        nothing()
    }
    async fn act(&self, _: &Actor, _: &str, _: AlertVerb, _: Option<i64>) -> Result<Alert, Fault> {
        nothing()
    }
}

#[async_trait]
impl Devices for Fake {
    fn touch(&self, _: &Device) {}
    fn get(&self, _: &str) -> Option<Device> {
        None
    }
    fn list(&self, _: &DeviceFilter) -> (Vec<Device>, usize) {
        (vec![], 0)
    }
    async fn set_state(&self, _: &str, _: DeviceState) -> Result<(), Fault> {
        nothing()
    }
    fn keep_frame(&self, _: Frame) {}
    fn frames(&self, _: Option<&str>, _: bool, _: Option<&str>, _: usize) -> Vec<Frame> {
        vec![]
    }
    fn rejected_counts(&self) -> Vec<(String, String, u64)> {
        vec![]
    }
    async fn put_command(&self, _: &Command) -> Result<(), Fault> {
        nothing()
    }
    async fn commands(&self, _: Option<&str>, _: usize) -> Result<Vec<Command>, Fault> {
        nothing()
    }
}

impl Policy for Fake {
    fn may(&self, _: &Actor, _: Verb, _: &str) -> Decision {
        Decision::denied(vec![])
    }
}
