//! A city in memory: just enough of every engine for the gateway to talk to.

use async_trait::async_trait;
use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::alerts::{Alert, AlertFilter, AlertVerb, Alerts};
use kernel::devices::*;
use kernel::observations::*;
use kernel::records::*;
use kernel::{City, Fault, SystemClock, Time};
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use tokio::sync::Semaphore;

pub struct FakeObservations {
    things: Mutex<Vec<Arc<str>>>,
    columns: Mutex<Vec<Arc<Column>>>,
    pub values: Mutex<HashMap<(u32, u8, i64, u32), f64>>,
    /// Each write needs a permit; plenty unless a test takes them away.
    pub gate: Arc<Semaphore>,
    /// The next so many writes are refused as overloaded.
    pub refuse: AtomicUsize,
    pub writes: AtomicU64,
    /// Count only: for measuring the gateway alone.
    pub forgets: AtomicBool,
}

impl Default for FakeObservations {
    fn default() -> Self {
        FakeObservations {
            things: Mutex::default(),
            columns: Mutex::default(),
            values: Mutex::default(),
            gate: Arc::new(Semaphore::new(1_000_000)),
            refuse: AtomicUsize::new(0),
            writes: AtomicU64::new(0),
            forgets: AtomicBool::new(false),
        }
    }
}

impl FakeObservations {
    /// Value by names, for checking.
    pub fn value(&self, thing: &str, kind: &str, property: &str, time: &str) -> Option<f64> {
        let kind = Kind::parse(kind).unwrap();
        let time = Time::parse(time).unwrap().0;
        let thing = self.find_thing(thing)?.0;
        let wanted = Column {
            property: property.into(),
            statistic: kind.statistic,
            basis: kind.basis,
        };
        let column = self.columns.lock().iter().position(|c| **c == wanted)? as u32;
        self.values
            .lock()
            .get(&(thing, kind.period as u8, time, column))
            .copied()
    }
}

#[async_trait]
impl Observations for FakeObservations {
    fn thing(&self, name: &str) -> Result<ThingId, Fault> {
        let mut things = self.things.lock();
        let at = things.iter().position(|t| &**t == name).unwrap_or_else(|| {
            things.push(name.into());
            things.len() - 1
        });
        Ok(ThingId(at as u32))
    }
    fn find_thing(&self, name: &str) -> Option<ThingId> {
        let at = self.things.lock().iter().position(|t| &**t == name)?;
        Some(ThingId(at as u32))
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
        let wanted = Column {
            property: property.into(),
            statistic,
            basis,
        };
        let mut columns = self.columns.lock();
        let at = columns
            .iter()
            .position(|c| **c == wanted)
            .unwrap_or_else(|| {
                columns.push(Arc::new(wanted));
                columns.len() - 1
            });
        Ok(ColumnId(at as u32))
    }
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        self.columns.lock().get(id.0 as usize).cloned()
    }
    async fn write(&self, rows: Vec<Row>) -> Result<Receipt, Fault> {
        if self
            .refuse
            .fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1))
            .is_ok()
        {
            return Err(Fault::overloaded("test", 1));
        }
        let _permit = self.gate.acquire().await.unwrap();
        self.writes.fetch_add(1, SeqCst);
        let mut receipt = Receipt::default();
        if self.forgets.load(SeqCst) {
            receipt.stored = rows.iter().map(|row| row.cells.len() as u64).sum();
            return Ok(receipt);
        }
        let mut values = self.values.lock();
        for row in rows {
            let mut seen = HashSet::new();
            for cell in row.cells {
                assert!(seen.insert(cell.column), "a column twice in one row");
                assert!(cell.value.is_finite());
                let place = (row.thing.0, row.period as u8, row.time.0, cell.column.0);
                match values.insert(place, cell.value) {
                    Some(before) if before == cell.value => receipt.duplicates += 1,
                    before => {
                        receipt.stored += 1;
                        receipt.corrected += u64::from(before.is_some());
                    }
                }
            }
        }
        Ok(receipt)
    }
    fn latest(&self, _: &[SeriesName]) -> Vec<Option<Latest>> {
        unreachable!("the gateway only writes")
    }
    fn latest_of_thing(&self, _: &str) -> Vec<(SeriesName, Latest)> {
        unreachable!("the gateway only writes")
    }
    fn last_received(&self, _: &str) -> Option<Time> {
        unreachable!("the gateway only writes")
    }
    fn list_series(&self, _: &SeriesFilter) -> Vec<SeriesInfo> {
        unreachable!("the gateway only writes")
    }
    async fn range(&self, _: RangeQuery) -> Result<RangeAnswer, Fault> {
        unreachable!("the gateway only writes")
    }
    fn counters(&self) -> EngineCounters {
        EngineCounters::default()
    }
}

#[derive(Default)]
pub struct FakeDevices {
    pub devices: Mutex<HashMap<String, Device>>,
    pub frames: Mutex<Vec<Frame>>,
    pub commands: Mutex<Vec<Command>>,
}

impl FakeDevices {
    /// The last written state of a command.
    pub fn command(&self, id: &str) -> Option<Command> {
        self.commands
            .lock()
            .iter()
            .rev()
            .find(|c| c.id == id)
            .cloned()
    }
}

#[async_trait]
impl Devices for FakeDevices {
    fn touch(&self, device: &Device) {
        self.devices
            .lock()
            .insert(device.thing.clone(), device.clone());
    }
    fn get(&self, thing: &str) -> Option<Device> {
        self.devices.lock().get(thing).cloned()
    }
    fn list(&self, _: &DeviceFilter) -> (Vec<Device>, usize) {
        unreachable!("the desk lists")
    }
    async fn set_state(&self, _: &str, _: DeviceState) -> Result<(), Fault> {
        unreachable!("the desk claims")
    }
    fn keep_frame(&self, frame: Frame) {
        self.frames.lock().push(frame);
    }
    fn frames(&self, _: Option<&str>, _: bool, _: Option<&str>, _: usize) -> Vec<Frame> {
        self.frames.lock().clone()
    }
    fn rejected_counts(&self) -> Vec<(String, String, u64)> {
        vec![]
    }
    async fn put_command(&self, command: &Command) -> Result<(), Fault> {
        self.commands.lock().push(command.clone());
        Ok(())
    }
    async fn commands(&self, _: Option<&str>, _: usize) -> Result<Vec<Command>, Fault> {
        Ok(self.commands.lock().clone())
    }
}

/// A register with one station, `KNOWN`.
struct OneStation;

#[async_trait]
impl Registers for OneStation {
    async fn get(
        &self,
        _: &str,
        _: &str,
        _: Option<Time>,
        _: Option<Time>,
    ) -> Result<Option<Record>, Fault> {
        unreachable!("the gateway asks the cache")
    }
    async fn list(&self, _: &str, _: &RecordQuery) -> Result<RecordPage, Fault> {
        unreachable!("the gateway asks the cache")
    }
    async fn history(&self, _: &str, _: &str) -> Result<Vec<Record>, Fault> {
        unreachable!("the gateway asks the cache")
    }
    async fn apply(&self, _: &Actor, _: Vec<RecordChange>) -> Result<Vec<Record>, Fault> {
        unreachable!("the gateway records nothing")
    }
    fn cached(&self, register: &str, key: &str) -> Option<Arc<Record>> {
        let mut fields = serde_json::Map::new();
        fields.insert("hj212_period_end".into(), Value::Bool(key == "KNOWN_END"));
        (register == "station" && key.starts_with("KNOWN")).then(|| {
            Arc::new(Record {
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
            })
        })
    }
    fn cached_all(&self, _: &str) -> Vec<Arc<Record>> {
        vec![]
    }
}

struct Nothing;

#[async_trait]
impl Alerts for Nothing {
    async fn get(&self, _: &str) -> Result<Option<Alert>, Fault> {
        Ok(None)
    }
    async fn list(&self, _: &AlertFilter) -> Result<(Vec<Alert>, Option<String>, u64), Fault> {
        Ok((vec![], None, 0))
    }
    async fn open_counts(&self) -> Result<[u64; 4], Fault> {
        Ok([0; 4])
    }
    async fn act(&self, _: &Actor, id: &str, _: AlertVerb, _: Option<i64>) -> Result<Alert, Fault> {
        Err(Fault::missing(id))
    }
}

impl Policy for Nothing {
    fn may(&self, _: &Actor, _: Verb, _: &str) -> Decision {
        Decision::denied(vec![])
    }
}

/// A city with the parts a test looks into.
pub struct Town {
    pub city: City,
    pub observations: Arc<FakeObservations>,
    pub devices: Arc<FakeDevices>,
}

pub fn town() -> Town {
    let observations = Arc::new(FakeObservations::default());
    let devices = Arc::new(FakeDevices::default());
    let city = City {
        clock: Arc::new(SystemClock),
        observations: observations.clone(),
        registers: Arc::new(OneStation),
        alerts: Arc::new(Nothing),
        devices: devices.clone(),
        policy: Arc::new(Nothing),
        declared: Arc::default(),
        applications: None,
        gateways: vec![],
    };
    Town {
        city,
        observations,
        devices,
    }
}
