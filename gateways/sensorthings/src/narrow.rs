//! What a filter says about where to look: ids and times at the top of an "and" narrow the
//! source before anything is read. The filter is judged afterwards all the same, so narrowing
//! may only ever leave out what the filter would refuse.

use crate::filter::{Expr, Op, Val};
use crate::model::{Set, Source, is_id, parse_observation_id, parse_series_id};
use crate::view::View;

/// Instants in microseconds: from (inclusive), to (exclusive).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub from: i64,
    pub to: i64,
}

impl Bounds {
    /// All of time an observation can have: the years 1 to 9999.
    pub const ALL: Bounds = Bounds {
        from: -62_135_596_800_000_000,
        to: 253_402_300_800_000_000,
    };

    fn meet(&mut self, from: i64, to: i64) {
        self.from = self.from.max(from);
        self.to = self.to.min(to);
    }
}

/// Narrows a source by a filter; `None` when nothing can match.
pub fn narrow(view: &View<'_>, source: &Source, filter: &Expr) -> Option<(Source, Bounds)> {
    let mut source = source.clone();
    let mut bounds = Bounds::ALL;
    let parts = match filter {
        Expr::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    for part in parts {
        match part {
            Expr::Pair(op, left, right) => match (left.as_ref(), right.as_ref()) {
                (Expr::Path(path), value) if value.is_constant() => {
                    let value = value.value(view, None);
                    by_pair(&mut source, &mut bounds, path, *op, &value)?;
                }
                (value, Expr::Path(path)) if value.is_constant() => {
                    let value = value.value(view, None);
                    by_pair(&mut source, &mut bounds, path, turned(*op), &value)?;
                }
                _ => {}
            },
            Expr::Call(name, arguments) if name == "during" => {
                if let [Expr::Path(path), span] = arguments.as_slice()
                    && span.is_constant()
                    && is_time(&source, path)
                    && let Some((from, to)) = span.value(view, None).times()
                {
                    bounds.meet(from.0, to.0);
                }
            }
            _ => {}
        }
    }
    Some((source, bounds))
}

/// The operator seen from the other side.
fn turned(op: Op) -> Op {
    match op {
        Op::Gt => Op::Lt,
        Op::Ge => Op::Le,
        Op::Lt => Op::Gt,
        Op::Le => Op::Ge,
        same => same,
    }
}

fn is_time(source: &Source, path: &[String]) -> bool {
    source.set == Set::Observations
        && matches!(path, [one] if one == "phenomenonTime" || one == "resultTime")
}

fn by_pair(
    source: &mut Source,
    bounds: &mut Bounds,
    path: &[String],
    op: Op,
    value: &Val,
) -> Option<()> {
    if is_time(source, path) {
        if let Some((from, to)) = value.times() {
            match op {
                Op::Eq => bounds.meet(from.0, to.0.saturating_add(1)),
                Op::Gt => bounds.meet(to.0.saturating_add(1), i64::MAX),
                Op::Ge => bounds.meet(to.0, i64::MAX),
                Op::Lt => bounds.meet(i64::MIN, from.0),
                Op::Le => bounds.meet(i64::MIN, from.0.saturating_add(1)),
                _ => {}
            }
        }
        return Some(());
    }
    match (op, value) {
        (Op::Eq, Val::Text(id)) => by_id(source, bounds, path, id),
        _ => Some(()),
    }
}

/// `… eq 'id'` for a path that ends in an id.
fn by_id(source: &mut Source, bounds: &mut Bounds, path: &[String], id: &str) -> Option<()> {
    let Some((last, links)) = path.split_last() else {
        return Some(());
    };
    let mut set = source.set;
    for link in links {
        match set.link(link) {
            Some(link) if link.one => set = link.to,
            _ => return Some(()),
        }
    }
    if !is_id(last) {
        return Some(());
    }
    let mut wanted = Source::all(set);
    match set {
        Set::Things | Set::Locations | Set::Sensors | Set::FeaturesOfInterest => {
            wanted.thing = Some(id.into());
        }
        Set::ObservedProperties => wanted.property = Some(id.into()),
        Set::Datastreams => wanted.narrow_to_series(&parse_series_id(id)?),
        Set::Observations => {
            let (series, time) = parse_observation_id(id)?;
            wanted.narrow_to_series(&series);
            bounds.meet(time, time.saturating_add(1));
        }
        Set::HistoricalLocations => return None,
    }
    take(&mut source.thing, wanted.thing)?;
    take(&mut source.property, wanted.property)?;
    take(&mut source.kind, wanted.kind)
}

/// Both demands at once; `None` when they contradict one another.
fn take<T: PartialEq>(have: &mut Option<T>, want: Option<T>) -> Option<()> {
    match (&have, want) {
        (_, None) => Some(()),
        (Some(have), Some(want)) => (*have == want).then_some(()),
        (None, want) => {
            *have = want;
            Some(())
        }
    }
}
