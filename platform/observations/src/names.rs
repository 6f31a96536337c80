//! Names to numbers: things and columns are interned, so that a row holds four bytes instead of
//! a name. Numbers are given at once and written down in the same transaction as the first batch
//! that uses them; both books are bounded.

use crate::parsed::{MAX_PROPERTY_BYTES, MAX_THING_BYTES, valid_name};
use kernel::Fault;
use kernel::fault::FaultKind;
use kernel::observations::{Basis, Column, ColumnId, Statistic, ThingId};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Most things in one store.
pub const MAX_THINGS: usize = 1_000_000;
/// Most columns in one store.
pub const MAX_COLUMNS: usize = 65_536;

/// A property has at most this many columns: five statistics, two bases.
const VARIANTS: usize = 10;

/// Both books, and what is not yet on disk.
#[derive(Default)]
pub(crate) struct Names {
    /// Things in order of name, which is the order series are listed in.
    sorted: BTreeMap<Arc<str>, u32>,
    numbers: HashMap<Arc<str>, u32>,
    things: Vec<Arc<str>>,
    properties: HashMap<Arc<str>, [u32; VARIANTS]>,
    columns: Vec<Arc<Column>>,
    /// Things and columns below these numbers are on disk.
    saved: (usize, usize),
}

fn variant(statistic: Statistic, basis: Basis) -> usize {
    statistic as usize * 2 + basis as usize
}

fn too_many(zh: &str, en: &str, most: usize) -> Fault {
    Fault::new(
        FaultKind::TooMany,
        "input.too_many",
        format!("{zh}已达上限 {most}"),
        format!("the limit of {most} {en} is reached"),
    )
}

impl Names {
    /// Fills the books at start, in order of number.
    pub fn load(&mut self, things: Vec<String>, columns: Vec<Column>) {
        for name in things {
            self.add_thing(name.into());
        }
        for column in columns {
            self.add_column(column);
        }
        self.saved = (self.things.len(), self.columns.len());
    }

    pub fn find_thing(&self, name: &str) -> Option<ThingId> {
        self.numbers.get(name).copied().map(ThingId)
    }

    pub fn thing(&mut self, name: &str) -> Result<ThingId, Fault> {
        if let Some(known) = self.find_thing(name) {
            return Ok(known);
        }
        if !valid_name(name, MAX_THING_BYTES) {
            return Err(Fault::invalid_at(
                "thing",
                "设备标识为空、过长或含控制字符",
                "the name of a thing is empty, too long or holds control characters",
            ));
        }
        if self.things.len() >= MAX_THINGS {
            return Err(too_many("设备数", "things", MAX_THINGS));
        }
        Ok(ThingId(self.add_thing(name.into())))
    }

    fn add_thing(&mut self, name: Arc<str>) -> u32 {
        let id = self.things.len() as u32;
        self.things.push(name.clone());
        self.sorted.insert(name.clone(), id);
        self.numbers.insert(name, id);
        id
    }

    pub fn thing_name(&self, id: u32) -> Option<&Arc<str>> {
        self.things.get(id as usize)
    }

    pub fn find_column(&self, property: &str, statistic: Statistic, basis: Basis) -> Option<u32> {
        let id = self.properties.get(property)?[variant(statistic, basis)];
        (id != u32::MAX).then_some(id)
    }

    pub fn column(
        &mut self,
        property: &str,
        statistic: Statistic,
        basis: Basis,
    ) -> Result<ColumnId, Fault> {
        if let Some(known) = self.find_column(property, statistic, basis) {
            return Ok(ColumnId(known));
        }
        if !valid_name(property, MAX_PROPERTY_BYTES) {
            return Err(Fault::invalid_at(
                "property",
                "要素名为空、过长或含控制字符",
                "the name of a property is empty, too long or holds control characters",
            ));
        }
        if self.columns.len() >= MAX_COLUMNS {
            return Err(too_many("要素列数", "columns", MAX_COLUMNS));
        }
        Ok(ColumnId(self.add_column(Column {
            property: property.into(),
            statistic,
            basis,
        })))
    }

    fn add_column(&mut self, column: Column) -> u32 {
        let id = self.columns.len() as u32;
        let variants = self
            .properties
            .entry(column.property.clone())
            .or_insert([u32::MAX; VARIANTS]);
        variants[variant(column.statistic, column.basis)] = id;
        self.columns.push(Arc::new(column));
        id
    }

    pub fn column_meaning(&self, id: u32) -> Option<&Arc<Column>> {
        self.columns.get(id as usize)
    }

    pub fn counts(&self) -> (usize, usize) {
        (self.things.len(), self.columns.len())
    }

    /// Things in order of name from `from` on.
    pub fn sorted_from<'a>(&'a self, from: &str) -> impl Iterator<Item = (&'a Arc<str>, u32)> {
        self.sorted
            .range::<str, _>((std::ops::Bound::Included(from), std::ops::Bound::Unbounded))
            .map(|(name, &id)| (name, id))
    }

    /// What has to go into the next transaction, and how far the books will be on disk then.
    pub fn unsaved(&self) -> Unsaved {
        let (things, columns) = self.saved;
        Unsaved {
            things: self
                .things
                .iter()
                .enumerate()
                .skip(things)
                .map(|(id, name)| (id as u32, name.clone()))
                .collect(),
            columns: self
                .columns
                .iter()
                .enumerate()
                .skip(columns)
                .map(|(id, c)| (id as u32, c.clone()))
                .collect(),
            upto: self.counts(),
        }
    }

    /// Notes that the transaction of [`Names::unsaved`] is on disk.
    pub fn saved(&mut self, upto: (usize, usize)) {
        self.saved = (self.saved.0.max(upto.0), self.saved.1.max(upto.1));
    }
}

/// New entries of the books.
#[derive(Default)]
pub(crate) struct Unsaved {
    pub things: Vec<(u32, Arc<str>)>,
    pub columns: Vec<(u32, Arc<Column>)>,
    pub upto: (usize, usize),
}
