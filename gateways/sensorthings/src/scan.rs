//! Reads observations in order, a few at a time: one series upwards or downwards in time, many
//! series one after another, or many series merged by time.

use crate::Refusal;
use crate::list::SeriesPages;
use crate::model::{Source, parse_series_id};
use crate::narrow::Bounds;
use crate::view::View;
use kernel::Time;
use kernel::observations::{Period, Point, RangeAnswer, RangeQuery, SeriesInfo, Step};
use kernel::time::{DAY, HOUR};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// Observations asked of the engine at once, at first and at most.
const FIRST_CHUNK: usize = 256;
const MAX_CHUNK: usize = 20_000;
/// Series that may be merged by time.
const MAX_MERGED: usize = 50_000;

/// One observation and its series.
pub type Row = (Arc<SeriesInfo>, Point);

/// Reads one series.
pub struct SeriesScan {
    series: Arc<SeriesInfo>,
    bounds: Bounds,
    down: bool,
    chunk: usize,
    window: i64,
    /// Downwards: what is dated ahead of the latest value is still to be asked for.
    ahead: bool,
    buffer: VecDeque<Point>,
    ended: bool,
}

impl SeriesScan {
    fn new(series: Arc<SeriesInfo>, bounds: Bounds, down: bool) -> SeriesScan {
        let window = match series.name.kind.period {
            Period::RealTime => HOUR,
            Period::Minute => 10 * HOUR,
            Period::Hour => 10 * DAY,
            Period::Day => 200 * DAY,
        };
        SeriesScan {
            bounds: Bounds {
                from: bounds.from.max(series.first.0),
                to: bounds.to,
            },
            series,
            down,
            chunk: FIRST_CHUNK,
            window,
            ahead: true,
            buffer: VecDeque::new(),
            ended: false,
        }
    }

    async fn next(&mut self, view: &View<'_>) -> Result<Option<Point>, Refusal> {
        self.fill(view).await?;
        Ok(self.buffer.pop_front())
    }

    /// Reads until there is something in the buffer or nothing left.
    async fn fill(&mut self, view: &View<'_>) -> Result<(), Refusal> {
        while self.buffer.is_empty() && !self.ended {
            if self.bounds.from >= self.bounds.to {
                self.ended = true;
            } else if self.down {
                self.fill_down(view).await?;
            } else {
                self.fill_up(view).await?;
            }
        }
        Ok(())
    }

    async fn range(
        &self,
        view: &View<'_>,
        from: i64,
        to: i64,
        limit: usize,
    ) -> Result<(Vec<Point>, bool), Refusal> {
        let query = RangeQuery {
            series: self.series.name.clone(),
            from: Time(from),
            to: Time(to),
            step: Step::Raw,
            as_of: None,
            limit,
        };
        match view.city.observations.range(query).await? {
            RangeAnswer::Points(points, cut) => Ok((points, cut)),
            RangeAnswer::Buckets(..) => Ok((vec![], false)),
        }
    }

    async fn fill_up(&mut self, view: &View<'_>) -> Result<(), Refusal> {
        let Bounds { from, to } = self.bounds;
        let (points, cut) = self.range(view, from, to, self.chunk).await?;
        match points.last() {
            Some(last) if cut => self.bounds.from = last.time.0.saturating_add(1),
            _ => self.ended = true,
        }
        self.chunk = (self.chunk * 4).min(MAX_CHUNK);
        self.buffer = points.into();
        Ok(())
    }

    /// The engine reads upwards, so downwards goes window by window, each as long as experience
    /// with the one before suggests. What is dated ahead of the latest value comes first.
    async fn fill_down(&mut self, view: &View<'_>) -> Result<(), Refusal> {
        let Bounds { from, to } = self.bounds;
        let after_latest = self.series.latest.time.0.saturating_add(1);
        let ahead = std::mem::take(&mut self.ahead) && to > after_latest;
        let start = match ahead {
            true => after_latest.max(from),
            false => to.saturating_sub(self.window).max(from),
        };
        let (points, cut) = self.range(view, start, to, MAX_CHUNK).await?;
        if cut && to - start > 1 {
            self.window = ((to - start) / 4).max(1);
            return Ok(());
        }
        if !ahead && points.len() < FIRST_CHUNK {
            self.window = self.window.saturating_mul(4);
        }
        self.bounds.to = start;
        self.buffer = points.into_iter().rev().collect();
        Ok(())
    }
}

/// In which order observations come.
pub enum Rows<'a> {
    /// By id: series after series, upwards in time.
    Natural {
        pages: SeriesPages<'a>,
        bounds: Bounds,
        current: Option<Box<SeriesScan>>,
    },
    /// By time over all series, upwards or downwards; equal times in order of series.
    Merged {
        scans: Vec<SeriesScan>,
        heap: BinaryHeap<Reverse<Head>>,
    },
}

/// The next time of a series, negated downwards; not yet read unless `read`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    key: i64,
    scan: usize,
    read: bool,
}

impl<'a> Rows<'a> {
    /// By id, after the observation whose series and time are given.
    pub fn natural(
        view: &'a View<'a>,
        source: &Source,
        bounds: Bounds,
        after: Option<&str>,
    ) -> Rows<'a> {
        let after = after.and_then(|token| {
            let (series, micros) = token.rsplit_once('@')?;
            Some((parse_series_id(series)?, micros.parse::<i64>().ok()?))
        });
        let current = after.as_ref().and_then(|(name, time)| {
            let series = view.find_series(name).filter(|_| source.holds(name))?;
            let rest = Bounds {
                from: bounds.from.max(time.saturating_add(1)),
                to: bounds.to,
            };
            Some(Box::new(SeriesScan::new(series.into(), rest, false)))
        });
        Rows::Natural {
            pages: SeriesPages::new(view, source, after.map(|(name, _)| name)),
            bounds,
            current,
        }
    }

    /// By time, after `micros@series` (the token of the page before).
    pub fn merged(
        view: &'a View<'a>,
        source: &Source,
        bounds: Bounds,
        down: bool,
        after: Option<&str>,
    ) -> Result<Rows<'a>, Refusal> {
        let after = after.and_then(|token| {
            let (micros, series) = token.split_once('@')?;
            Some((micros.parse::<i64>().ok()?, parse_series_id(series)?))
        });
        let single = source.thing.is_some() && source.property.is_some() && source.kind.is_some();
        let mut scans = vec![];
        for series in SeriesPages::new(view, source, None) {
            if scans.len() == MAX_MERGED {
                return Err(Refusal::bad(
                    format!("按时间排序涉及的序列超过 {MAX_MERGED} 条，请限定 Datastream 或 Thing"),
                    format!(
                        "ordering by time would merge more than {MAX_MERGED} series; \
                         name a Datastream or a Thing"
                    ),
                ));
            }
            let mut bounds = bounds;
            if down && !single {
                // The latest value is what makes merging cheap; rows dated ahead of the clock
                // are no latest value and show only in their own datastream.
                bounds.to = bounds.to.min(series.latest.time.0.saturating_add(1));
            }
            if let Some((time, name)) = &after {
                let key = |n: &kernel::observations::SeriesName| {
                    (n.thing.clone(), n.property.clone(), n.kind)
                };
                let passed = key(&series.name) <= key(name);
                match (down, passed) {
                    (true, true) => bounds.to = bounds.to.min(*time),
                    (true, false) => bounds.to = bounds.to.min(time.saturating_add(1)),
                    (false, true) => bounds.from = bounds.from.max(time.saturating_add(1)),
                    (false, false) => bounds.from = bounds.from.max(*time),
                }
            }
            scans.push(SeriesScan::new(series.into(), bounds, down));
        }
        let heads = scans.iter().enumerate().map(|(scan, s)| {
            Reverse(Head {
                key: if down {
                    -s.bounds.to.saturating_sub(1)
                } else {
                    s.bounds.from
                },
                scan,
                read: false,
            })
        });
        let heap = heads.collect();
        Ok(Rows::Merged { scans, heap })
    }

    /// The next observation.
    pub async fn next(&mut self, view: &'a View<'a>) -> Result<Option<Row>, Refusal> {
        match self {
            Rows::Natural {
                pages,
                bounds,
                current,
            } => loop {
                if let Some(scan) = current
                    && let Some(point) = scan.next(view).await?
                {
                    return Ok(Some((scan.series.clone(), point)));
                }
                match pages.next() {
                    None => return Ok(None),
                    Some(series) => {
                        // A series costs as much as a row: many may be empty in these bounds.
                        view.may_scan();
                        *current = Some(Box::new(SeriesScan::new(series.into(), *bounds, false)));
                    }
                }
            },
            Rows::Merged { scans, heap } => {
                while let Some(Reverse(head)) = heap.pop() {
                    let scan = &mut scans[head.scan];
                    if !head.read {
                        scan.fill(view).await?;
                        if let Some(first) = scan.buffer.front() {
                            let key = if scan.down {
                                -first.time.0
                            } else {
                                first.time.0
                            };
                            heap.push(Reverse(Head {
                                key,
                                read: true,
                                ..head
                            }));
                        }
                        continue;
                    }
                    let Some(point) = scan.buffer.pop_front() else {
                        continue;
                    };
                    let (key, read) = match scan.buffer.front() {
                        Some(next) => (next.time.0, true),
                        // Nothing read yet beyond this one: at best just after it.
                        None if scan.down => (point.time.0 - 1, false),
                        None => (point.time.0 + 1, false),
                    };
                    let key = if scan.down { -key } else { key };
                    if !(scan.ended && scan.buffer.is_empty()) {
                        heap.push(Reverse(Head {
                            key,
                            scan: head.scan,
                            read,
                        }));
                    }
                    return Ok(Some((scan.series.clone(), point)));
                }
                Ok(None)
            }
        }
    }
}
