//! One report's view of the city: its stations, and hours and readings of their series, each
//! fetched once and with bounded concurrency.

use crate::quality::{Hour, hours_of};
use crate::stations::{STATIONS_LIMIT, Station, stations};
use crate::suspects::Reading;
use futures::StreamExt;
use kernel::observations::{
    Basis, Kind, Latest, Period, RangeAnswer, RangeQuery, SeriesName, Statistic, Step,
};
use kernel::time::HOUR;
use kernel::{City, Fault, Span, Time};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Range questions under way at once.
const AT_ONCE: usize = 16;
/// Station-days of hours one report may ask for: 300 stations for 40 days.
const STATION_DAYS_LIMIT: i64 = 12_000;

type HoursKey = (String, String, Basis, Time, Time);
type NewestOfThing = Arc<Vec<(SeriesName, Latest)>>;

/// What a report reads from. Cheap to clone.
#[derive(Clone)]
pub struct Data {
    /// The city.
    pub city: City,
    /// Its stations in order of key.
    pub stations: Arc<Vec<Arc<Station>>>,
    hours: Arc<Mutex<HashMap<HoursKey, Arc<Vec<Hour>>>>>,
    latest: Arc<Mutex<HashMap<String, NewestOfThing>>>,
}

const fn kind(period: Period, statistic: Statistic, basis: Basis) -> Kind {
    Kind {
        period,
        statistic,
        basis,
    }
}

impl Data {
    /// Looks at the city.
    pub fn new(city: City) -> Result<Data, Fault> {
        let stations = stations(&city);
        if stations.len() > STATIONS_LIMIT {
            return Err(Fault::invalid_at(
                "station",
                format!("站点超过 {STATIONS_LIMIT} 个，请缩小范围"),
                format!("there are more than {STATIONS_LIMIT} stations; narrow the question"),
            ));
        }
        Ok(Data {
            city,
            stations: Arc::new(stations),
            hours: Arc::default(),
            latest: Arc::default(),
        })
    }

    /// A station by key.
    pub fn station(&self, key: &str) -> Option<Arc<Station>> {
        let at = self.stations.binary_search_by(|s| s.key.as_str().cmp(key));
        at.ok().map(|at| self.stations[at].clone())
    }

    /// Stations of a kind.
    pub fn of_kind(&self, kind: &str) -> Vec<Arc<Station>> {
        let all = self.stations.iter();
        all.filter(|s| s.kind == kind).cloned().collect()
    }

    /// Refuses a question about so many stations over so long a time.
    pub fn bounded(&self, stations: usize, from: Time, to: Time) -> Result<(), Fault> {
        let days = (to.since(from).0 / kernel::time::DAY).max(1);
        if days * stations as i64 <= STATION_DAYS_LIMIT {
            return Ok(());
        }
        Err(Fault::invalid_at(
            "from",
            format!("{stations} 个站点 {days} 天的数据过多，请缩短时间或指定站点"),
            format!("{days} days of {stations} stations are too much at once; shorten the range"),
        ))
    }

    /// Newest values of all series of a station.
    pub fn latest(&self, thing: &str) -> NewestOfThing {
        if let Some(known) = self.latest.lock().get(thing) {
            return known.clone();
        }
        let found = Arc::new(self.city.observations.latest_of_thing(thing));
        self.latest.lock().insert(thing.into(), found.clone());
        found
    }

    fn has(&self, thing: &str, property: &str, kind: Kind) -> bool {
        let series = self.latest(thing);
        series
            .iter()
            .any(|(name, _)| name.property == property && name.kind == kind)
    }

    /// Asks many questions at once, bounded; answers in the order asked.
    pub async fn each<T, R, F>(
        &self,
        items: Vec<T>,
        ask: impl Fn(Data, T) -> F,
    ) -> Result<Vec<R>, Fault>
    where
        F: Future<Output = Result<R, Fault>>,
    {
        let asked: Vec<F> = items
            .into_iter()
            .map(|item| ask(self.clone(), item))
            .collect();
        let mut answers = futures::stream::iter(asked).buffered(AT_ONCE);
        let mut all = vec![];
        while let Some(answer) = answers.next().await {
            all.push(answer?);
        }
        Ok(all)
    }

    async fn range(
        &self,
        thing: &str,
        property: &str,
        kind: Kind,
        (from, to): (Time, Time),
        step: Step,
        limit: usize,
    ) -> Result<RangeAnswer, Fault> {
        let query = RangeQuery {
            series: SeriesName {
                thing: thing.into(),
                property: property.into(),
                kind,
            },
            from,
            to,
            step,
            as_of: None,
            limit,
        };
        self.city.observations.range(query).await
    }

    /// Valid readings of a series as stored, at most `limit`.
    pub async fn readings(
        &self,
        thing: &str,
        property: &str,
        kind: Kind,
        range: (Time, Time),
        limit: usize,
    ) -> Result<Vec<Reading>, Fault> {
        if !self.has(thing, property, kind) {
            return Ok(vec![]);
        }
        let answer = self.range(thing, property, kind, range, Step::Raw, limit);
        Ok(match answer.await? {
            RangeAnswer::Points(points, _) => {
                let valid = points.iter().filter(|p| p.flag.valid());
                valid.map(|p| (p.time, p.value)).collect()
            }
            RangeAnswer::Buckets(..) => vec![],
        })
    }

    /// Hours of a property between two whole hours: the device's own hourly means where it sent
    /// them, else means of its minutes, else of its real-time readings, with the minutes for which
    /// valid values speak. Hours in which nothing came are left out.
    pub async fn hours(
        &self,
        thing: &str,
        property: &str,
        basis: Basis,
        (from, to): (Time, Time),
    ) -> Result<Arc<Vec<Hour>>, Fault> {
        let key = (thing.to_string(), property.to_string(), basis, from, to);
        if let Some(known) = self.hours.lock().get(&key) {
            return Ok(known.clone());
        }
        let whole = ((to.0 - from.0) / HOUR).max(0) as usize;
        let mut by_hour: BTreeMap<Time, Hour> = BTreeMap::new();
        let hourly = kind(Period::Hour, Statistic::Mean, basis);
        if self.has(thing, property, hourly) {
            let limit = whole.saturating_mul(2) + 2;
            let answer = self.range(thing, property, hourly, (from, to), Step::Raw, limit);
            if let RangeAnswer::Points(points, _) = answer.await? {
                for point in points {
                    let start = point.time.floor(Span(HOUR));
                    let valid = point.flag.valid();
                    let hour = Hour {
                        start,
                        mean: if valid { point.value } else { f64::NAN },
                        minutes: if valid { 60.0 } else { 0.0 },
                    };
                    by_hour.insert(start, hour);
                }
            }
        }
        for finer in [
            kind(Period::Minute, Statistic::Mean, basis),
            kind(Period::RealTime, Statistic::Value, basis),
        ] {
            if by_hour.len() >= whole || !self.has(thing, property, finer) {
                continue;
            }
            let step = Step::Bucket(Span::minutes(10));
            let limit = whole.saturating_mul(6) + 6;
            let answer = self.range(thing, property, finer, (from, to), step, limit);
            if let RangeAnswer::Buckets(buckets, _, _) = answer.await? {
                for hour in hours_of(&buckets) {
                    by_hour.entry(hour.start).or_insert(hour);
                }
            }
        }
        let found = Arc::new(by_hour.into_values().collect::<Vec<_>>());
        self.hours.lock().insert(key, found.clone());
        Ok(found)
    }

    /// Smallest and largest real-time value of every hour, as two readings: enough for a meter that
    /// only grows.
    pub async fn extremes(
        &self,
        thing: &str,
        property: &str,
        range: (Time, Time),
    ) -> Result<Vec<Reading>, Fault> {
        if !self.has(thing, property, Kind::REAL_TIME) {
            return Ok(vec![]);
        }
        let step = Step::Bucket(Span(HOUR));
        let limit = (range.1.since(range.0).0 / HOUR).max(0) as usize + 1;
        let answer = self.range(thing, property, Kind::REAL_TIME, range, step, limit);
        let RangeAnswer::Buckets(buckets, _, _) = answer.await? else {
            return Ok(vec![]);
        };
        let valid = buckets.iter().filter(|b| b.valid > 0);
        Ok(valid
            .flat_map(|b| [(b.time, b.min), (b.time, b.max)])
            .collect())
    }

    /// Hours of a property as its limit reads them: flue gas converted to reference oxygen, by the
    /// device or (when it does not convert) by us from its oxygen; everything else as measured.
    pub async fn judged_hours(
        &self,
        station: &Station,
        property: &str,
        range: (Time, Time),
    ) -> Result<Arc<Vec<Hour>>, Fault> {
        let key = &station.key;
        if station.kind != "flue_gas" || property == "a24088" {
            return self.hours(key, property, Basis::Measured, range).await;
        }
        let converted = self.hours(key, property, Basis::Converted, range).await?;
        if !converted.is_empty() {
            return Ok(converted);
        }
        let measured = self.hours(key, property, Basis::Measured, range).await?;
        let Some(reference) = station.standard_o2 else {
            return Ok(measured);
        };
        let oxygen = self.hours(key, "a19001", Basis::Measured, range).await?;
        let convert = |hour: &Hour| {
            let at = oxygen.binary_search_by_key(&hour.start, |o| o.start).ok()?;
            let mean = crate::gas::at_reference_oxygen(hour.mean, oxygen[at].mean, reference)?;
            Some(Hour { mean, ..*hour })
        };
        Ok(Arc::new(measured.iter().filter_map(convert).collect()))
    }
}
