//! The view of the city one request looks through: the handle, the address links begin with, and
//! how much the request may still read.

use crate::Refusal;
use crate::model::{Entity, ThingRow};
use crate::url;
use kernel::declare::RegisterDecl;
use kernel::facts::{Facts, Filter};
use kernel::observations::{SeriesFilter, SeriesInfo, SeriesName};
use kernel::records::Record;
use kernel::{Actor, City, Verb};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Rows (entities or observations) one request may look at.
pub const MAX_SCANNED: usize = 2_000_000;
/// Entities one answer may hold, expanded ones included.
pub const MAX_ANSWERED: usize = 100_000;

/// A register whose records this request may see: all of them, or those a condition lets through,
/// with personal fields as they may be seen.
struct Readable<'a> {
    decl: &'a RegisterDecl,
    reader: Option<&'a Actor>,
    filter: Filter,
    masked: bool,
}

impl Readable<'_> {
    /// The record as the reader sees it, if at all.
    fn shown(&self, city: &City, record: Arc<Record>) -> Option<Arc<Record>> {
        let Some(reader) = self.reader else {
            return Some(record);
        };
        if self.filter == Filter::Everything && !self.masked {
            return Some(record);
        }
        let object = format!("register.{}", self.decl.name);
        let facts = Facts::of(self.decl, &record);
        let seen = match &self.filter {
            Filter::Everything => true,
            Filter::Nothing => false,
            Filter::Where(narrowing) => narrowing.holds(&facts),
            Filter::Ask => city
                .policy
                .may_this(reader, Verb::Read, &object, &facts)
                .allowed(),
        };
        if !seen || !self.masked {
            return seen.then_some(record);
        }
        let mut record = Record::clone(&record);
        let mask = city.policy.mask(reader, Verb::Read, &object, Some(&facts));
        // The key names the thing in every address; a register of things has no personal key.
        let key = record.key.clone();
        mask.apply(self.decl, &mut record);
        record.key = key;
        Some(Arc::new(record))
    }
}

/// See the room's heading.
pub struct View<'a> {
    pub city: &'a City,
    pub base: &'a str,
    scanned: AtomicUsize,
    answered: AtomicUsize,
    registers: Vec<Readable<'a>>,
    places: OnceLock<BTreeMap<String, Arc<Record>>>,
}

impl<'a> View<'a> {
    /// A fresh view; with a reader, only records that reader may read, as they may be seen.
    pub fn new(city: &'a City, reader: Option<&'a Actor>, base: &'a str) -> View<'a> {
        let placed = city
            .declared
            .registers()
            .filter(|r| r.cached && r.place.is_some());
        let readable = placed.map(|decl| {
            let object = format!("register.{}", decl.name);
            let filter = reader.map(|reader| city.policy.filter(reader, Verb::Read, &object));
            Readable {
                decl,
                reader,
                filter: filter.unwrap_or(Filter::Everything),
                masked: decl.fields.iter().any(|f| f.personal),
            }
        });
        View {
            registers: readable.filter(|r| !r.filter.is_nothing()).collect(),
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
                for record in self.city.registers.cached_all(&register.decl.name) {
                    if let Some(record) = register.shown(self.city, record) {
                        places.entry(record.key.clone()).or_insert(record);
                    }
                }
            }
            places
        })
    }

    /// A thing with its record, whether or not it exists.
    pub fn thing_row(&self, name: &str) -> ThingRow {
        let record = match self.places.get() {
            Some(places) => places.get(name).cloned(),
            None => self.registers.iter().find_map(|register| {
                let record = self.city.registers.cached(&register.decl.name, name)?;
                register.shown(self.city, record)
            }),
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
