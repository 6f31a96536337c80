//! Entities of every set but Observations, in order of their ids, read page by page.

use crate::model::{Entity, Set, Source, ThingRow, parse_series_id};
use crate::view::View;
use kernel::observations::{Basis, Kind, Period, SeriesFilter, SeriesInfo, SeriesName, Statistic};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::iter::Peekable;

/// Series read from the engine at once.
const PAGE: usize = 1_000;
/// The last name in order of property and kind: continuing after it skips to the next thing.
const LAST_KIND: Kind = Kind {
    period: Period::Day,
    statistic: Statistic::Total,
    basis: Basis::Converted,
};

/// Series of a source in order of name.
pub struct SeriesPages<'a> {
    view: &'a View<'a>,
    filter: SeriesFilter,
    buffer: VecDeque<SeriesInfo>,
    ended: bool,
}

impl<'a> SeriesPages<'a> {
    /// Begins after a series, or at the first.
    pub fn new(view: &'a View<'a>, source: &Source, after: Option<SeriesName>) -> SeriesPages<'a> {
        SeriesPages {
            view,
            filter: SeriesFilter {
                thing: source.thing.clone(),
                property: source.property.clone(),
                kind: source.kind,
                after,
                limit: PAGE,
            },
            buffer: VecDeque::new(),
            ended: false,
        }
    }
}

impl Iterator for SeriesPages<'_> {
    type Item = SeriesInfo;

    fn next(&mut self) -> Option<SeriesInfo> {
        if self.buffer.is_empty() && !self.ended {
            let page = self.view.city.observations.list_series(&self.filter);
            self.ended = page.len() < self.filter.limit;
            self.filter.after = page.last().map(|s| s.name.clone());
            self.buffer = page.into();
        }
        self.buffer.pop_front()
    }
}

/// Names of things that have series, in order, without reading all their series.
struct ObservedThings<'a> {
    view: &'a View<'a>,
    after: Option<SeriesName>,
    buffer: VecDeque<String>,
    ended: bool,
}

impl Iterator for ObservedThings<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.buffer.is_empty() && !self.ended {
            let filter = SeriesFilter {
                after: self.after.take(),
                limit: PAGE,
                ..SeriesFilter::default()
            };
            let page = self.view.city.observations.list_series(&filter);
            self.ended = page.len() < PAGE;
            for series in page {
                if self.buffer.back() != Some(&series.name.thing) {
                    self.buffer.push_back(series.name.thing);
                }
            }
            self.after = self.buffer.back().map(|thing| after_thing(thing));
        }
        self.buffer.pop_front()
    }
}

fn after_thing(thing: &str) -> SeriesName {
    SeriesName {
        thing: thing.into(),
        property: "\u{10FFFF}".into(),
        kind: LAST_KIND,
    }
}

/// Entities of a source in order of id, those after `after` only.
pub type Entities<'a> = Box<dyn Iterator<Item = Entity> + Send + 'a>;

/// Lists a source; Observations have a door of their own.
pub fn entities<'a>(view: &'a View<'a>, source: &Source, after: Option<&str>) -> Entities<'a> {
    match source.set {
        Set::Things => Box::new(things(view, source, after).map(Entity::Thing)),
        Set::FeaturesOfInterest => Box::new(things(view, source, after).map(Entity::Feature)),
        Set::Locations => Box::new(
            things(view, source, after)
                .filter(|row| view.point(row).is_some())
                .map(Entity::Location),
        ),
        Set::Sensors => Box::new(sensors(view, source, after).map(Entity::Sensor)),
        Set::Datastreams => Box::new(datastreams(view, source, after)),
        Set::ObservedProperties => Box::new(
            properties(view, source, after)
                .into_iter()
                .map(Entity::Property),
        ),
        Set::HistoricalLocations | Set::Observations => Box::new(std::iter::empty()),
    }
}

fn datastreams<'a>(
    view: &'a View<'a>,
    source: &Source,
    after: Option<&str>,
) -> impl Iterator<Item = Entity> + Send + 'a {
    SeriesPages::new(view, source, after.and_then(parse_series_id))
        .map(|series| Entity::Datastream(series.into()))
}

fn sensors<'a>(
    view: &'a View<'a>,
    source: &Source,
    after: Option<&str>,
) -> Box<dyn Iterator<Item = String> + Send + 'a> {
    match &source.thing {
        Some(thing) => {
            let there = after.is_none_or(|a| thing.as_str() > a) && view.has_series(thing);
            Box::new(there.then(|| thing.clone()).into_iter())
        }
        None => Box::new(ObservedThings {
            view,
            after: after.map(after_thing),
            buffer: VecDeque::new(),
            ended: false,
        }),
    }
}

/// Declared properties and those that were observed undeclared.
fn properties(view: &View<'_>, source: &Source, after: Option<&str>) -> BTreeSet<String> {
    let declared = view
        .city
        .declared
        .systems
        .iter()
        .flat_map(|s| &s.properties);
    let mut names: BTreeSet<String> = declared.map(|p| p.name.clone()).collect();
    match &source.property {
        Some(wanted) => {
            let observed = SeriesPages::new(view, source, None).next().is_some();
            let there = observed || names.contains(wanted);
            names = there.then(|| wanted.clone()).into_iter().collect();
        }
        None => names.extend(SeriesPages::new(view, source, None).map(|s| s.name.property)),
    }
    names.retain(|name| after.is_none_or(|a| name.as_str() > a));
    names
}

/// Things on record and things known from observations, merged in order of name.
fn things<'a>(
    view: &'a View<'a>,
    source: &Source,
    after: Option<&str>,
) -> Box<dyn Iterator<Item = ThingRow> + Send + 'a> {
    if let Some(name) = &source.thing {
        let row = view
            .find_thing(name)
            .filter(|row| after.is_none_or(|a| row.name.as_str() > a));
        return Box::new(row.into_iter());
    }
    let places: &BTreeMap<_, _> = view.places();
    let after_owned = after.map(str::to_string);
    let recorded = places
        .iter()
        .filter(move |(name, _)| after_owned.as_ref().is_none_or(|a| *name > a))
        .map(|(name, record)| ThingRow {
            name: name.clone(),
            record: Some(record.clone()),
        });
    let observed = ObservedThings {
        view,
        after: after.map(after_thing),
        buffer: VecDeque::new(),
        ended: false,
    };
    Box::new(Merge {
        recorded: recorded.peekable(),
        observed: observed.peekable(),
    })
}

struct Merge<R: Iterator, O: Iterator> {
    recorded: Peekable<R>,
    observed: Peekable<O>,
}

impl<R, O> Iterator for Merge<R, O>
where
    R: Iterator<Item = ThingRow>,
    O: Iterator<Item = String>,
{
    type Item = ThingRow;

    fn next(&mut self) -> Option<ThingRow> {
        let Some(observed) = self.observed.peek() else {
            return self.recorded.next();
        };
        match self.recorded.peek() {
            Some(recorded) if recorded.name <= *observed => {
                if recorded.name == *observed {
                    self.observed.next();
                }
                self.recorded.next()
            }
            _ => self
                .observed
                .next()
                .map(|name| ThingRow { name, record: None }),
        }
    }
}
