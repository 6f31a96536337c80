//! Metered: observations that gateways write are counted for the organisation that owns the
//! station, and counters are written down once a second.

use crate::app::App;
use async_trait::async_trait;
use kernel::declare::Declared;
use kernel::metering::{Meter, Meters, Payer};
use kernel::observations::{
    Basis, Column, ColumnId, EngineCounters, Latest, Observations, RangeAnswer, RangeQuery,
    Receipt, Row, SeriesFilter, SeriesInfo, SeriesName, Statistic, ThingId,
};
use kernel::records::Registers;
use kernel::{Fault, Time};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The register whose keys are things.
const STATIONS: &str = "station";
/// Under which application gateways are counted.
const GATEWAYS: &str = "gateways";
/// Bytes of one value before it is packed: time and number.
const VALUE_BYTES: u64 = 16;
/// How often counters are written down.
const EVERY: Duration = Duration::from_secs(1);

/// Writes counters down until the city stops; the last time is the program's.
pub async fn write_down(app: Arc<App>) {
    let mut stopping = app.stopping.clone();
    loop {
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            _ = tokio::time::sleep(EVERY) => {}
        }
        if let Err(fault) = app.metering.flush().await {
            tracing::warn!(%fault, "counters were not written; they are kept for the next time");
        }
    }
}

/// Observations with a meter.
pub struct Metered {
    engine: Arc<observations::Engine>,
    registers: Arc<dyn Registers>,
    meters: Arc<dyn Meters>,
    /// The organisation that owns the register of stations.
    owner: String,
}

impl Metered {
    /// Counts what is written through it.
    pub fn new(
        engine: Arc<observations::Engine>,
        registers: Arc<dyn Registers>,
        meters: Arc<dyn Meters>,
        declared: &Declared,
    ) -> Metered {
        let owner = declared.register(STATIONS).map(|r| r.owner.clone());
        Metered {
            engine,
            registers,
            meters,
            owner: owner.unwrap_or_default(),
        }
    }
}

#[async_trait]
impl Observations for Metered {
    fn thing(&self, name: &str) -> Result<ThingId, Fault> {
        self.engine.thing(name)
    }
    fn find_thing(&self, name: &str) -> Option<ThingId> {
        self.engine.find_thing(name)
    }
    fn thing_name(&self, id: ThingId) -> Option<Arc<str>> {
        self.engine.thing_name(id)
    }
    fn column(
        &self,
        property: &str,
        statistic: Statistic,
        basis: Basis,
    ) -> Result<ColumnId, Fault> {
        self.engine.column(property, statistic, basis)
    }
    fn column_meaning(&self, id: ColumnId) -> Option<Arc<Column>> {
        self.engine.column_meaning(id)
    }

    /// Values of a claimed station are its owner's, those of a device nobody claimed nobody's.
    async fn write(&self, rows: Vec<Row>) -> Result<Receipt, Fault> {
        let mut values: HashMap<ThingId, u64> = HashMap::new();
        for row in &rows {
            *values.entry(row.thing).or_default() += row.cells.len() as u64;
        }
        let receipt = self.engine.write(rows).await?;
        for (thing, count) in values {
            let name = self.engine.thing_name(thing);
            let claimed = name.is_some_and(|n| self.registers.cached(STATIONS, &n).is_some());
            let payer = Payer {
                organisation: if claimed { &self.owner } else { "" },
                application: GATEWAYS,
            };
            self.meters.count(payer, Meter::Observations, count);
            self.meters
                .count(payer, Meter::StorageBytes, count * VALUE_BYTES);
        }
        Ok(receipt)
    }

    fn latest(&self, series: &[SeriesName]) -> Vec<Option<Latest>> {
        self.engine.latest(series)
    }
    fn latest_of_thing(&self, thing: &str) -> Vec<(SeriesName, Latest)> {
        self.engine.latest_of_thing(thing)
    }
    fn last_received(&self, thing: &str) -> Option<Time> {
        self.engine.last_received(thing)
    }
    fn list_series(&self, filter: &SeriesFilter) -> Vec<SeriesInfo> {
        self.engine.list_series(filter)
    }
    async fn range(&self, query: RangeQuery) -> Result<RangeAnswer, Fault> {
        self.engine.range(query).await
    }
    fn counters(&self) -> EngineCounters {
        self.engine.counters()
    }
}
