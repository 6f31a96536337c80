//! The view of the city one request looks through: the handle, the address links begin with, and
//! how much the request may still read.

use crate::Refusal;
use crate::model::{Entity, ThingRow};
use crate::url;
use kernel::observations::{SeriesFilter, SeriesInfo, SeriesName};
use kernel::records::Record;
use kernel::{Actor, City, Decision, Verb};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Rows (entities or observations) one request may look at.
pub const MAX_SCANNED: usize = 2_000_000;
/// Entities one answer may hold, expanded ones included.
pub const MAX_ANSWERED: usize = 100_000;

/// See the room's heading.
pub struct View<'a> {
    pub city: &'a City,
    pub base: &'a str,
    scanned: AtomicUsize,
    answered: AtomicUsize,
    registers: Vec<&'a str>,
    places: OnceLock<BTreeMap<String, Arc<Record>>>,
}

impl<'a> View<'a> {
    /// A fresh view; with a reader, only records of registers that reader may read.
    pub fn new(city: &'a City, reader: Option<&Actor>, base: &'a str) -> View<'a> {
        let placed = city
            .declared
            .registers()
            .filter(|r| r.cached && r.place.is_some());
        let names = placed.map(|r| r.name.as_str());
        let readable = |name: &&str| {
            let object = format!("register.{name}");
            reader.is_none_or(|reader| {
                let decision = city.policy.may(reader, Verb::Read, &object);
                matches!(decision, Decision::Allowed { .. })
            })
        };
        View {
            registers: names.filter(readable).collect(),
            city,
            base,
            scanned: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            places: OnceLock::new(),
        }
    }

    /// Takes note of one more row looked at; `false` when the request has looked at enough.
    pub fn may_scan(&self) -> bool {
        self.scanned.fetch_add(1, Ordering::Relaxed) < MAX_SCANNED
    }

    /// Lets a count begin afresh: it is a second look at the same rows.
    pub fn restart_scan(&self) {
        self.scanned.store(0, Ordering::Relaxed);
    }

    /// Takes note of one more entity in the answer.
    pub fn answer_one_more(&self) -> Result<(), Refusal> {
        if self.answered.fetch_add(1, Ordering::Relaxed) < MAX_ANSWERED {
            return Ok(());
        }
        Err(Refusal::bad(
            format!("答复超过 {MAX_ANSWERED} 个实体，请减小 $top 或 $expand"),
            format!("the answer has more than {MAX_ANSWERED} entities; lower $top or $expand"),
        ))
    }

    /// Records that have a place, of registers kept in memory, by key. When two registers share
    /// a key the first declared one counts.
    pub fn places(&self) -> &BTreeMap<String, Arc<Record>> {
        self.places.get_or_init(|| {
            let mut places = BTreeMap::new();
            for register in &self.registers {
                for record in self.city.registers.cached_all(register) {
                    places.entry(record.key.clone()).or_insert(record);
                }
            }
            places
        })
    }

    /// A thing with its record, whether or not it exists.
    pub fn thing_row(&self, name: &str) -> ThingRow {
        let record = match self.places.get() {
            Some(places) => places.get(name).cloned(),
            None => self
                .registers
                .iter()
                .find_map(|register| self.city.registers.cached(register, name)),
        };
        ThingRow {
            name: name.into(),
            record,
        }
    }

    /// A thing that exists: on record, or known from observations.
    pub fn find_thing(&self, name: &str) -> Option<ThingRow> {
        let row = self.thing_row(name);
        (row.record.is_some() || self.has_series(name)).then_some(row)
    }

    /// Whether anything was ever observed at the thing.
    pub fn has_series(&self, thing: &str) -> bool {
        let filter = SeriesFilter {
            thing: Some(thing.into()),
            limit: 1,
            ..SeriesFilter::default()
        };
        !self.city.observations.list_series(&filter).is_empty()
    }

    /// A series by name.
    pub fn find_series(&self, name: &SeriesName) -> Option<SeriesInfo> {
        let filter = SeriesFilter {
            thing: Some(name.thing.clone()),
            property: Some(name.property.clone()),
            kind: Some(name.kind),
            after: None,
            limit: 1,
        };
        self.city.observations.list_series(&filter).pop()
    }

    /// The address of an entity.
    pub fn self_link(&self, entity: &Entity) -> String {
        let key = url::key(&entity.id());
        format!("{}/{}{key}", self.base, entity.set().name())
    }
}
