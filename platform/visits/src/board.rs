//! The board in the hall, which names nobody, and the figures of its windows.

use crate::Engine;
use crate::book::day_text;
use crate::today;
use kernel::access::{Actor, Verb};
use kernel::numbers::Day;
use kernel::time::MINUTE;
use kernel::visits::{Board, Called, QueueLength, WindowFigures};
use kernel::{Fault, Span, Time};
use std::collections::BTreeMap;
use store::visits as rows;

/// Days of figures in one answer, at most.
const DAYS: i64 = 92;

/// Sums of a window on a day.
#[derive(Default)]
struct Sums {
    waiting: i64,
    served: i64,
    skipped: i64,
    called: i64,
    waited: i64,
    service: i64,
}

fn mean(sum: i64, count: i64) -> Option<f64> {
    (count > 0).then(|| sum as f64 / count as f64 / MINUTE as f64)
}

impl Engine {
    pub(crate) async fn show_board(&self, hall: &str) -> Result<Board, Fault> {
        let hall = self.one_hall(hall).await?;
        let (open, hall) = (hall.open, hall.set);
        let now = self.clock.now();
        let day = day_text(today(now));
        let mut reader = self.store.reader().await?;
        let active = ["called", "serving"];
        let mut found =
            rows::tickets(&mut reader, &hall.code, &day, &active, rows::PAGE_LIMIT).await?;
        found.sort_by_key(|row| std::cmp::Reverse((row.called_at, row.id.clone())));
        let called = found.into_iter().filter_map(|row| {
            Some(Called {
                serving: row.state == "serving",
                number: row.number,
                window: row.window_code?,
                at: Time(row.called_at?),
            })
        });
        let called = called.collect();
        let waiting = self.limits.waiting;
        let waiting = rows::tickets(&mut reader, &hall.code, &day, &["waiting"], waiting).await?;
        let mut letters: BTreeMap<char, &str> = BTreeMap::new();
        for matter in &hall.matters {
            letters.entry(matter.letter).or_insert(&matter.code);
        }
        let mut queues = vec![];
        for (letter, matter) in letters {
            let wait = waiting.iter().filter(|row| row.letter.starts_with(letter));
            let wait = u32::try_from(wait.count()).unwrap_or(u32::MAX);
            let pace = self.pace(&mut reader, &hall, &day, matter).await?;
            queues.push(QueueLength {
                letter,
                waiting: wait,
                wait_min: pace.minutes(wait),
            });
        }
        Ok(Board {
            hall: hall.code,
            title: hall.title,
            at: now,
            open,
            called,
            queues,
        })
    }

    pub(crate) async fn count_figures(
        &self,
        by: &Actor,
        hall: &str,
        from: Day,
        to: Day,
    ) -> Result<Vec<WindowFigures>, Fault> {
        let hall = self.one_hall(hall).await?.set;
        self.demand(by, Verb::Read, &hall)?;
        if to < from || to.starts().since(from.starts()) >= Span::days(DAYS) {
            return Err(Fault::invalid_at(
                "to",
                format!("起止日期最多 {DAYS} 天"),
                format!("from a day to a later one, {DAYS} days at most"),
            ));
        }
        let mut reader = self.store.reader().await?;
        let found = rows::figures(&mut reader, &hall.code, &day_text(from), &day_text(to)).await?;
        let mut sums: BTreeMap<(String, Option<String>), Sums> = BTreeMap::new();
        for row in found {
            let one = sums.entry((row.day, row.window_code)).or_default();
            one.called += row.called;
            one.waited += row.waited;
            match row.state.as_str() {
                "waiting" => one.waiting += row.count,
                "skipped" => one.skipped += row.count,
                "finished" => {
                    one.served += row.count;
                    one.service += row.service;
                }
                _ => {}
            }
        }
        let figures = sums.into_iter().map(|((day, window), one)| {
            let form = || Fault::internal("reading figures", "day of the store");
            Ok(WindowFigures {
                day: Day::parse(&day).ok_or_else(form)?,
                window,
                waiting: one.waiting.unsigned_abs(),
                served: one.served.unsigned_abs(),
                skipped: one.skipped.unsigned_abs(),
                mean_wait_min: mean(one.waited, one.called),
                mean_service_min: mean(one.service, one.served),
            })
        });
        figures.collect()
    }
}
