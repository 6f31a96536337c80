//! Ranges: observations of one series from blocks and head together, in order of time, the newest
//! received at each time; raw, thinned, or in buckets. Read in pages of blocks, so that a long
//! range takes little memory.

use crate::cells::group_of;
use crate::engine::Engine;
use crate::flush::unpack;
use crate::rollup;
use crate::thin::thin;
use kernel::observations::*;
use kernel::{Fault, Span, Time};
use std::collections::{BTreeMap, HashSet, VecDeque};
use store::observations::{self as tables, BlockRow};

/// The engine gives at most so many points or buckets.
const MAX_POINTS: usize = 100_000;
/// Blocks read at once.
const PAGE: u64 = 32;
/// While a range is thinned, at most so many points are held before they are thinned once.
const HELD: usize = 400_000;
const DAY: Span = Span::days(1);
const HOUR: Span = Span::hours(1);
/// Buckets `Step::Auto` chooses from.
const STEPS: [Span; 10] = [
    Span::minutes(1),
    Span::minutes(10),
    Span::hours(1),
    Span::hours(6),
    Span::days(1),
    Span::days(7),
    Span::days(30),
    Span::days(365),
    Span::days(3_650),
    Span::days(365_000),
];

/// Answers a question for a range.
pub(crate) async fn range(engine: &Engine, query: RangeQuery) -> Result<RangeAnswer, Fault> {
    let limit = query.limit.min(MAX_POINTS);
    match query.step {
        Step::Raw => {
            let (points, cut) = raw(engine, &query, limit).await?;
            Ok(RangeAnswer::Points(points, cut))
        }
        Step::Thin(keep) => {
            let points = thinned(engine, &query, keep.min(limit)).await?;
            Ok(RangeAnswer::Points(points, false))
        }
        Step::Bucket(span) if span.0 <= 0 => Err(Fault::invalid_at(
            "step",
            "步长必须大于零",
            "the step must be longer than nothing",
        )),
        Step::Bucket(span) => buckets(engine, &query, span, limit).await,
        Step::Auto(most) => {
            let most = most.clamp(1, limit.max(1));
            let expired = has_expired(engine, &query).await?;
            let (points, cut) = raw(engine, &query, most).await?;
            if !cut && !expired {
                return Ok(RangeAnswer::Points(points, false));
            }
            let extent = extent(engine, &query);
            let fits = |span: &&Span| {
                (extent / span.0) as usize + 2 <= most && (!expired || span.0 % HOUR.0 == 0)
            };
            let span = STEPS
                .iter()
                .find(fits)
                .copied()
                .unwrap_or(STEPS[STEPS.len() - 1]);
            buckets(engine, &query, span, limit).await
        }
    }
}

/// How long the part of the asked range is in which the series has anything.
fn extent(engine: &Engine, query: &RangeQuery) -> i64 {
    let Some((group, column)) = place(engine, &query.series) else {
        return 0;
    };
    let table = engine.table.read();
    let Some(group) = table.group(group) else {
        return 0;
    };
    let first = group.series(column).map_or(query.from.0, |s| s.first);
    let last = group
        .rows
        .iter()
        .map(|r| r.time)
        .max()
        .unwrap_or(i64::MIN)
        .max(group.tail.end);
    query
        .to
        .0
        .min(last.saturating_add(1))
        .saturating_sub(query.from.0.max(first))
        .max(0)
}

async fn raw(
    engine: &Engine,
    query: &RangeQuery,
    limit: usize,
) -> Result<(Vec<Point>, bool), Fault> {
    let mut points = Vec::new();
    let mut pages = Pages::open(engine, query);
    while let Some(mut page) = pages.next().await? {
        points.append(&mut page);
        if points.len() > limit {
            points.truncate(limit);
            return Ok((points, true));
        }
    }
    Ok((points, false))
}

async fn thinned(engine: &Engine, query: &RangeQuery, keep: usize) -> Result<Vec<Point>, Fault> {
    let mut points = Vec::new();
    let mut pages = Pages::open(engine, query);
    while let Some(mut page) = pages.next().await? {
        points.append(&mut page);
        if points.len() > HELD {
            points = thin(&points, HELD / 2);
        }
    }
    Ok(thin(&points, keep))
}

/// Buckets from kept hours where there are any, from raw rows elsewhere.
async fn buckets(
    engine: &Engine,
    query: &RangeQuery,
    span: Span,
    limit: usize,
) -> Result<RangeAnswer, Fault> {
    let mut sums = Sums::new(span, limit);
    let mut raw = vec![(query.from, query.to)];
    if span.0 % HOUR.0 == 0 && query.as_of.is_none() {
        raw = add_hours(engine, query, &mut sums).await?;
    }
    for (from, to) in raw {
        let part = RangeQuery {
            from,
            to,
            ..query.clone()
        };
        let mut pages = Pages::open(engine, &part);
        while let Some(page) = pages.next().await? {
            page.iter().for_each(|point| sums.add(point));
            if sums.is_beyond(page.last()) {
                break;
            }
        }
    }
    let (buckets, cut) = sums.finish();
    Ok(RangeAnswer::Buckets(buckets, span, cut))
}

/// Adds kept hours; returns the ranges for which raw rows are to be read.
async fn add_hours(
    engine: &Engine,
    query: &RangeQuery,
    sums: &mut Sums,
) -> Result<Vec<(Time, Time)>, Fault> {
    let Some((group, column)) = place(engine, &query.series) else {
        return Ok(vec![]);
    };
    // Days with rows in the head are computed from raw rows: the kept hours know nothing of them.
    let fresh: HashSet<i64> = {
        let table = engine.table.read();
        let rows = table.group(group).map_or(&[][..], |g| &g.rows);
        rows.iter().map(|row| Time(row.time).floor(DAY).0).collect()
    };
    let mut raw = Vec::new();
    let mut from = query.from;
    let mut day = query.from.floor(DAY).0;
    let mut reader = engine.store.reader().await?;
    loop {
        let rows = tables::rollups_between(&mut reader, group, day, query.to.0, PAGE).await?;
        for row in &rows {
            let end = Time(row.day) + DAY;
            let whole = query.from.0 <= row.day && end <= query.to && !fresh.contains(&row.day);
            if !row.is_final && !whole {
                continue;
            }
            for (_, hour) in rollup::decode(row, Some(column))? {
                if hour.time >= query.from && hour.time < query.to {
                    sums.join(&hour);
                }
            }
            if !row.is_final {
                if from.0 < row.day {
                    raw.push((from, Time(row.day)));
                }
                from = end;
            }
        }
        match rows.last() {
            Some(last) if rows.len() as u64 == PAGE => day = last.day + 1,
            _ => break,
        }
    }
    if from < query.to {
        raw.push((from, query.to));
    }
    Ok(raw)
}

/// Whether raw rows of the range have expired and only their hours are left.
async fn has_expired(engine: &Engine, query: &RangeQuery) -> Result<bool, Fault> {
    let kept = engine
        .options
        .retention
        .contains_key(&query.series.property);
    let Some((group, _)) = place(engine, &query.series).filter(|_| kept) else {
        return Ok(false);
    };
    let from = query.from.floor(DAY).0;
    let mut reader = engine.store.reader().await?;
    let rows = tables::rollups_between(&mut reader, group, from, query.to.0, 1).await?;
    Ok(rows.first().is_some_and(|row| row.is_final))
}

/// Buckets being filled; the latest are given up when there are too many.
struct Sums {
    span: Span,
    limit: usize,
    cut: bool,
    done: BTreeMap<Time, Bucket>,
    /// The bucket being filled: points come in order, so it changes seldom.
    current: Option<Bucket>,
}

impl Sums {
    fn new(span: Span, limit: usize) -> Sums {
        Sums {
            span,
            limit,
            cut: false,
            done: BTreeMap::new(),
            current: None,
        }
    }

    fn at(&mut self, time: Time) -> &mut Bucket {
        let span = self.span.0;
        let inside = |b: &Bucket| (0..span).contains(&time.0.wrapping_sub(b.time.0));
        if !self.current.as_ref().is_some_and(inside) {
            self.put_away();
            let start = time.floor(self.span);
            self.current = Some(self.done.remove(&start).unwrap_or(rollup::empty(start)));
        }
        self.current.get_or_insert(rollup::empty(time))
    }

    fn put_away(&mut self) {
        if let Some(bucket) = self.current.take() {
            self.done.insert(bucket.time, bucket);
        }
        if self.done.len() > self.limit {
            self.done.pop_last();
            self.cut = true;
        }
    }

    /// The limit is reached and this point lies behind everything that is left: so do all after it.
    fn is_beyond(&self, point: Option<&Point>) -> bool {
        let last = self.done.keys().next_back();
        self.cut
            && point
                .zip(last)
                .is_some_and(|(point, last)| point.time >= *last + self.span)
    }

    fn add(&mut self, point: &Point) {
        rollup::add(self.at(point.time), point.value, point.flag);
    }

    fn join(&mut self, hour: &Bucket) {
        rollup::join(self.at(hour.time), hour);
    }

    fn finish(mut self) -> (Vec<Bucket>, bool) {
        self.put_away();
        (self.done.into_values().collect(), self.cut)
    }
}

fn place(engine: &Engine, name: &SeriesName) -> Option<(u32, u32)> {
    let names = engine.names.read();
    let thing = names.find_thing(&name.thing)?;
    let column = names.find_column(&name.property, name.kind.statistic, name.kind.basis)?;
    Some((group_of(thing, name.kind.period), column))
}

/// Points of a series, page by page.
pub(crate) struct Pages<'a> {
    engine: &'a Engine,
    group: u32,
    column: u32,
    from: i64,
    to: i64,
    as_of: i64,
    /// Points of the head, sorted by time and reception, not yet given.
    head: VecDeque<Point>,
    next: Next,
    /// Points up to this time have been given: a block that is cut in two between pages must not
    /// come again.
    given: i64,
}

/// Which blocks come next.
enum Next {
    First,
    After(i64),
    Head,
    Done,
}

impl<'a> Pages<'a> {
    /// The head is taken first and the blocks later: a row that moves meanwhile is met twice,
    /// which merging mends, and never missed.
    pub fn open(engine: &'a Engine, query: &RangeQuery) -> Pages<'a> {
        let as_of = query.as_of.map_or(i64::MAX, |t| t.0);
        let mut pages = Pages {
            engine,
            group: 0,
            column: 0,
            from: query.from.0,
            to: query.to.0,
            as_of,
            head: VecDeque::new(),
            next: Next::Done,
            given: i64::MIN,
        };
        let Some((group, column)) = place(engine, &query.series) else {
            return pages;
        };
        (pages.group, pages.column) = (group, column);
        let table = engine.table.read();
        let Some(state) = table.group(group) else {
            return pages;
        };
        let mut head = Vec::new();
        for (at, row) in state.rows.iter().enumerate() {
            let received = table.batches.get(row.batch).received;
            let wanted = row.batch.before(table.committed) && received <= as_of;
            if !wanted || row.time < query.from.0 || row.time >= query.to.0 {
                continue;
            }
            let cell = state.cells_of(at).filter(|c| c.column.0 == column).last();
            head.extend(cell.map(|c| Point {
                time: Time(row.time),
                value: c.value,
                flag: c.flag,
                received: Time(received),
            }));
        }
        head.sort_by_key(|p| (p.time, p.received));
        pages.head = head.into();
        pages.next = if state.tail.rows > 0 {
            Next::First
        } else {
            Next::Head
        };
        pages
    }

    /// The next points; `None` at the end. A page may be empty.
    pub async fn next(&mut self) -> Result<Option<Vec<Point>>, Fault> {
        let rows = match self.next {
            Next::Done => return Ok(None),
            Next::Head => {
                self.next = Next::Done;
                return Ok(Some(newest_only(self.head.drain(..).collect())));
            }
            Next::First => {
                let mut reader = self.engine.store.reader().await?;
                let first = tables::block_before(&mut reader, self.group, self.from).await?;
                self.next = Next::After(
                    first
                        .as_ref()
                        .map_or(self.from.saturating_sub(1), |row| row.start),
                );
                first
                    .into_iter()
                    .filter(|row| row.end >= self.from)
                    .collect()
            }
            Next::After(start) => {
                let mut reader = self.engine.store.reader().await?;
                let rows = tables::blocks_between(
                    &mut reader,
                    self.group,
                    start.saturating_add(1),
                    self.to,
                    PAGE,
                )
                .await?;
                self.next = match rows.last() {
                    Some(last) if rows.len() as u64 == PAGE => Next::After(last.start),
                    _ => Next::Head,
                };
                rows
            }
        };
        let mut points = Vec::new();
        for row in &rows {
            self.take_block(row, &mut points)?;
        }
        self.given = points.last().map_or(self.given, |p| p.time.0);
        Ok(Some(points))
    }

    /// Appends the points of a block and those of the head up to its end.
    fn take_block(&mut self, row: &BlockRow, points: &mut Vec<Point>) -> Result<(), Fault> {
        let block = unpack(row, Some(self.column))?;
        let mut some = Vec::with_capacity(block.rows());
        if let Some(column) = block.columns.first() {
            for (at, &time) in block.times.iter().enumerate() {
                let (value, received) = (column.values[at], block.received[at]);
                let wanted = time >= self.from
                    && time < self.to
                    && time > self.given
                    && received <= self.as_of;
                if !wanted || value.is_nan() {
                    continue;
                }
                some.push(Point {
                    time: Time(time),
                    value,
                    flag: Flag(column.flags[at]),
                    received: Time(received),
                });
            }
        }
        let mixed = self.head.front().is_some_and(|p| p.time.0 <= row.end);
        while let Some(point) = self.head.pop_front_if(|p| p.time.0 <= row.end) {
            some.push(point);
        }
        if mixed {
            some.sort_by_key(|p| (p.time, p.received));
        }
        points.append(&mut newest_only(some));
        Ok(())
    }
}

/// Of points sorted by time and reception, the last at each time.
fn newest_only(points: Vec<Point>) -> Vec<Point> {
    if points.windows(2).all(|pair| pair[0].time < pair[1].time) {
        return points;
    }
    let next = |at: usize| points.get(at + 1).map(|p| p.time);
    (0..points.len())
        .filter(|&at| next(at) != Some(points[at].time))
        .map(|at| points[at])
        .collect()
}

impl Engine {
    /// Streams every observation of the series that match, series by series in order of name and
    /// each in order of time, for export. Ends early when `each` says no.
    pub async fn export_rows(
        &self,
        filter: &SeriesFilter,
        from: Time,
        to: Time,
        mut each: impl FnMut(&SeriesName, Point) -> bool + Send,
    ) -> Result<(), Fault> {
        let mut filter = SeriesFilter {
            limit: 1000,
            ..filter.clone()
        };
        loop {
            let series = self.list_series(&filter);
            let Some(last) = series.last() else {
                return Ok(());
            };
            filter.after = Some(last.name.clone());
            for info in series {
                let query = RangeQuery {
                    series: info.name,
                    from,
                    to,
                    step: Step::Raw,
                    as_of: None,
                    limit: 0,
                };
                let mut pages = Pages::open(self, &query);
                while let Some(points) = pages.next().await? {
                    if !points.into_iter().all(|point| each(&query.series, point)) {
                        return Ok(());
                    }
                }
            }
        }
    }
}
