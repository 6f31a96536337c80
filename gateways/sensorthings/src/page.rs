//! One page of a collection: which entities, how many match in all, and where the next begins.

use crate::Refusal;
use crate::filter::{Expr, Val};
use crate::list;
use crate::model::{Entity, Set, Source, is_id, series_id};
use crate::narrow::{Bounds, narrow};
use crate::options::Options;
use crate::scan::{Row, Rows};
use crate::view::View;

/// Matching observations that may be sorted by something other than time.
const MAX_SORTED: usize = 200_000;

/// A page.
#[derive(Default)]
pub struct Page {
    /// Its entities.
    pub entities: Vec<Entity>,
    /// How many match in all; `None` when not asked, or not counted to the end.
    pub count: Option<u64>,
    /// Counting was given up: too many rows would have to be read.
    pub count_given_up: bool,
    /// Query of the next page.
    pub next: Option<String>,
}

/// The order a page is read in.
enum Order {
    /// By id, as things are kept.
    Natural,
    /// Observations by time; downwards if so.
    ByTime(bool),
    /// Anything else: all matches are gathered and sorted.
    Sorted,
}

fn order_of(source: &Source, options: &Options) -> Order {
    let name = |expr: &Expr| match expr {
        Expr::Path(path) if path.len() == 1 => path[0].clone(),
        _ => String::new(),
    };
    let single = source.thing.is_some() && source.property.is_some() && source.kind.is_some();
    match options.order.as_slice() {
        [] => Order::Natural,
        [(expr, false), ..] if is_id(&name(expr)) => Order::Natural,
        [(expr, down), rest @ ..]
            if source.set == Set::Observations
                && ["phenomenonTime", "resultTime"].contains(&name(expr).as_str())
                && (single || rest.iter().all(|(e, down)| is_id(&name(e)) && !down)) =>
        {
            Order::ByTime(*down)
        }
        _ => Order::Sorted,
    }
}

/// Reads a page of a source.
pub async fn read(view: &View<'_>, source: &Source, options: &Options) -> Result<Page, Refusal> {
    let narrowed = match &options.filter {
        Some(filter) => narrow(view, source, filter),
        None => Some((source.clone(), Bounds::ALL)),
    };
    let Some((source, bounds)) = narrowed else {
        return Ok(Page {
            count: options.count.then_some(0),
            ..Page::default()
        });
    };
    let order = order_of(&source, options);
    let mut page = match (order, source.set) {
        (Order::Sorted, _) => return sorted(view, &source, bounds, options).await,
        (order, Set::Observations) => {
            let token = options.token.as_deref();
            let down = match order {
                Order::ByTime(down) => Some(down),
                _ => None,
            };
            let rows = match down {
                Some(down) => Rows::merged(view, &source, bounds, down, token)?,
                None => Rows::natural(view, &source, bounds, token),
            };
            observations(view, rows, options, down.is_some()).await?
        }
        _ => plain(view, &source, options)?,
    };
    if options.count {
        view.restart_scan();
        page.count = count(view, &source, bounds, options).await?;
        page.count_given_up = page.count.is_none();
    }
    Ok(page)
}

fn passes(view: &View<'_>, options: &Options, entity: &Entity) -> bool {
    options
        .filter
        .as_ref()
        .is_none_or(|f| f.holds(view, entity))
}

fn too_much() -> Refusal {
    Refusal::bad(
        "需要读取的数据过多，请缩小 $filter 的范围",
        "too much would have to be read; narrow the $filter",
    )
}

/// Any set but Observations, in order of id.
fn plain(view: &View<'_>, source: &Source, options: &Options) -> Result<Page, Refusal> {
    let mut page = Page::default();
    let mut skip = options.skip;
    for entity in list::entities(view, source, options.token.as_deref()) {
        if !view.may_scan() {
            return Err(too_much());
        }
        if !passes(view, options, &entity) {
            continue;
        }
        if skip > 0 {
            skip -= 1;
        } else if page.entities.len() < options.page_size() {
            page.entities.push(entity);
        } else {
            let last = page.entities.last().map(Entity::id);
            page.next = last.map(|id| options.next_query(("$skiptoken", id)));
            break;
        }
    }
    Ok(page)
}

fn token((series, point): &Row, by_time: bool) -> String {
    let id = series_id(&series.name);
    match by_time {
        true => format!("{}@{id}", point.time.0),
        false => format!("{id}@{}", point.time.0),
    }
}

/// Observations. When the request has read its share before the page is full, the page ends
/// there and the next one goes on: short, but never wrong.
async fn observations<'a>(
    view: &'a View<'a>,
    mut rows: Rows<'a>,
    options: &Options,
    by_time: bool,
) -> Result<Page, Refusal> {
    let mut page = Page::default();
    let mut skip = options.skip;
    let mut last: Option<Row> = None;
    while let Some(row) = rows.next(view).await? {
        let entity = Entity::Observation(row.0.clone(), row.1);
        if passes(view, options, &entity) {
            if skip > 0 {
                skip -= 1;
            } else if page.entities.len() == options.page_size() {
                page.next = last.map(|l| options.next_query(("$skiptoken", token(&l, by_time))));
                return Ok(page);
            } else {
                page.entities.push(entity);
            }
        }
        if !view.may_scan() {
            if skip > 0 {
                return Err(too_much());
            }
            page.next = Some(options.next_query(("$skiptoken", token(&row, by_time))));
            return Ok(page);
        }
        last = Some(row);
    }
    Ok(page)
}

/// Counts all matches, or gives up.
async fn count(
    view: &View<'_>,
    source: &Source,
    bounds: Bounds,
    options: &Options,
) -> Result<Option<u64>, Refusal> {
    let mut count = 0;
    if source.set != Set::Observations {
        for entity in list::entities(view, source, None) {
            if !view.may_scan() {
                return Ok(None);
            }
            count += u64::from(passes(view, options, &entity));
        }
        return Ok(Some(count));
    }
    let mut rows = Rows::natural(view, source, bounds, None);
    while let Some((series, point)) = rows.next(view).await? {
        if !view.may_scan() {
            return Ok(None);
        }
        count += u64::from(passes(view, options, &Entity::Observation(series, point)));
    }
    Ok(Some(count))
}

/// Gathers every match and sorts; what cannot be gathered whole is refused, because a sorted
/// part would be a wrong answer.
async fn sorted(
    view: &View<'_>,
    source: &Source,
    bounds: Bounds,
    options: &Options,
) -> Result<Page, Refusal> {
    let mut found: Vec<(Vec<Val>, String, Entity)> = vec![];
    let keep = |found: &mut Vec<(Vec<Val>, String, Entity)>, entity: Entity| {
        if !view.may_scan() || found.len() == MAX_SORTED {
            return Err(too_much());
        }
        if passes(view, options, &entity) {
            let keys = options.order.iter();
            let keys = keys
                .map(|(key, _)| key.value(view, Some(&entity)))
                .collect();
            found.push((keys, entity.id(), entity));
        }
        Ok(())
    };
    if source.set == Set::Observations {
        let mut rows = Rows::natural(view, source, bounds, None);
        while let Some((series, point)) = rows.next(view).await? {
            keep(&mut found, Entity::Observation(series, point))?;
        }
    } else {
        for entity in list::entities(view, source, None) {
            keep(&mut found, entity)?;
        }
    }
    found.sort_by(|(a, a_id, _), (b, b_id, _)| {
        let by_keys = a
            .iter()
            .zip(b)
            .zip(&options.order)
            .map(|((a, b), (_, down))| match down {
                true => b.order(a),
                false => a.order(b),
            });
        by_keys
            .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            .then_with(|| a_id.cmp(b_id))
    });
    let count = found.len();
    let end = options.skip.saturating_add(options.page_size());
    let entities = found.into_iter().map(|(_, _, entity)| entity);
    Ok(Page {
        entities: entities
            .skip(options.skip)
            .take(options.page_size())
            .collect(),
        count: options.count.then_some(count as u64),
        count_given_up: false,
        next: (end < count).then(|| options.next_query(("$skip", end.to_string()))),
    })
}
