//! Series by name: newest values, extents, pages in order of thing, property, kind. All from
//! memory.

use crate::cells::group_of;
use crate::engine::Engine;
use crate::group::Series;
use crate::names::Names;
use crate::table::Table;
use kernel::Time;
use kernel::observations::{Flag, Kind, Latest, Period, SeriesFilter, SeriesInfo, SeriesName};

/// A page holds at most so many series.
const MAX_PAGE: usize = 10_000;

fn find<'a>(names: &Names, table: &'a Table, name: &SeriesName) -> Option<&'a Series> {
    let thing = names.find_thing(&name.thing)?;
    let column = names.find_column(&name.property, name.kind.statistic, name.kind.basis)?;
    table
        .group(group_of(thing, name.kind.period))?
        .series(column)
}

fn newest(series: &Series) -> Option<Latest> {
    (series.time != i64::MIN).then_some(Latest {
        time: Time(series.time),
        value: series.value,
        flag: Flag(series.flag),
    })
}

pub(crate) fn latest(engine: &Engine, series: &[SeriesName]) -> Vec<Option<Latest>> {
    let names = engine.names.read();
    let table = engine.table.read();
    series
        .iter()
        .map(|name| find(&names, &table, name).and_then(newest))
        .collect()
}

pub(crate) fn last_received(engine: &Engine, thing: &str) -> Option<Time> {
    let thing = engine.names.read().find_thing(thing)?;
    let table = engine.table.read();
    let groups = Period::ALL
        .iter()
        .filter_map(|&period| table.group(group_of(thing, period)));
    groups
        .map(|g| g.received)
        .filter(|&received| received > 0)
        .max()
        .map(Time)
}

/// A page of the series that match.
pub(crate) fn list(engine: &Engine, filter: &SeriesFilter) -> Vec<SeriesInfo> {
    let limit = if filter.thing.is_some() {
        filter.limit
    } else {
        filter.limit.min(MAX_PAGE)
    };
    let mut page = Vec::new();
    let names = engine.names.read();
    let table = engine.table.read();
    let after = filter.after.as_ref();
    let from = filter
        .thing
        .as_deref()
        .or(after.map(|a| a.thing.as_str()))
        .unwrap_or("");
    for (name, thing) in names.sorted_from(from) {
        if filter.thing.as_deref().is_some_and(|only| only != &**name) || page.len() >= limit {
            break;
        }
        let mut infos = of_thing(&names, &table, name, thing, filter);
        if let Some(after) = after {
            let key = |n: &SeriesName| (n.thing.clone(), n.property.clone(), n.kind);
            infos.retain(|info| key(&info.name) > key(after));
        }
        infos.truncate(limit - page.len());
        page.append(&mut infos);
    }
    page
}

/// Series of one thing that match, in order of property and kind.
fn of_thing(
    names: &Names,
    table: &Table,
    name: &str,
    thing: u32,
    filter: &SeriesFilter,
) -> Vec<SeriesInfo> {
    let mut infos = Vec::new();
    for period in Period::ALL {
        let Some(group) = table.group(group_of(kernel::observations::ThingId(thing), period))
        else {
            continue;
        };
        for series in &group.series {
            let (Some(column), Some(latest)) =
                (names.column_meaning(series.column), newest(series))
            else {
                continue;
            };
            let kind = Kind {
                period,
                statistic: column.statistic,
                basis: column.basis,
            };
            let other_property = filter
                .property
                .as_deref()
                .is_some_and(|only| only != &*column.property);
            if other_property || filter.kind.is_some_and(|only| only != kind) {
                continue;
            }
            let name = SeriesName {
                thing: name.to_string(),
                property: column.property.to_string(),
                kind,
            };
            infos.push(SeriesInfo {
                name,
                first: Time(series.first),
                latest,
            });
        }
    }
    infos.sort_by(|a, b| (&a.name.property, a.name.kind).cmp(&(&b.name.property, b.name.kind)));
    infos
}
