//! The calendar: loaded from the store, set year by year; every running clock is counted anew.

use super::Engine;
use super::recount::{Count, KINDS, Kind};
use super::work::{Work, audit};
use crate::clock::{Calendar, Day};
use kernel::access::Actor;
use kernel::cases::{CalendarDay, Left, Limit, Moved};
use kernel::fault::Problem;
use kernel::{Fault, Time, Verb, Words};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::cases::calendar;
use store::{Tx, documents};

/// Years that were changed and whose clocks are not all counted yet: documents by year.
const MARKS: &str = "calendar_recounts";
/// Of them, at most.
const YEARS: u64 = 500;
/// Until what could not be counted is tried again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Reads the calendar of a year, naming everything that is wrong.
fn checked(year: i16, days: &[CalendarDay]) -> Result<(), Fault> {
    let mut problems = vec![];
    let mut say = |at: String, zh: &str, en: &str| {
        let words = Words::new(zh, en);
        problems.push(Problem { at, words });
    };
    if !(1990..=2200).contains(&year) {
        say("year".into(), "应为 1990 至 2200", "should be 1990 to 2200");
    }
    if days.is_empty() || days.len() > 366 {
        say("days".into(), "应为 1 至 366 天", "should be 1 to 366 days");
    }
    let mut seen = BTreeSet::new();
    for (at, day) in days.iter().take(400).enumerate() {
        let read = Day::parse(&day.day);
        let at = format!("/days/{at}/day");
        match read {
            None => say(
                at,
                "不是日期（如 2026-10-01）",
                "is no day such as 2026-10-01",
            ),
            Some(read) if read.year() != year => {
                say(at, "不在该年度内", "is not within the year");
            }
            Some(read) if !seen.insert(read) => say(at, "日期重复", "comes twice"),
            Some(_) => {}
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

fn enter(calendar: &mut Calendar, days: &[CalendarDay]) {
    for day in days {
        if let Some(read) = Day::parse(&day.day) {
            calendar.set(read, day.worked);
        }
    }
}

impl Engine {
    pub(super) async fn load_calendar(&self) -> Result<(), Fault> {
        let mut reader = self.store.reader().await?;
        let mut fresh = Calendar::new();
        for (_, days) in calendar::all(&mut reader).await? {
            enter(&mut fresh, &days);
        }
        *self.calendar.write() = Arc::new(fresh);
        Ok(())
    }

    /// Where a clock that started then stands now, if it never paused: what other engines count
    /// their own limits by.
    pub fn left(&self, from: Time, limit: Limit) -> Left {
        let calendar = self.calendar.read().clone();
        crate::clock::Clock::start(from, limit).left(&calendar, self.clock.now())
    }

    /// Is the day of this moment worked, by the calendar that is published?
    pub fn is_worked(&self, at: Time) -> bool {
        self.calendar.read().is_worked(Day::of(at))
    }

    pub(super) async fn year(&self, year: i16) -> Result<Vec<CalendarDay>, Fault> {
        let mut reader = self.store.reader().await?;
        let all = calendar::all(&mut reader).await?;
        let found = all.into_iter().find(|(known, _)| *known == year);
        Ok(found.map(|(_, days)| days).unwrap_or_default())
    }

    /// Sets a year and counts every running clock anew; with `dry` says only what would move. Once
    /// begun it is finished though nobody waits for it any more, after a stop too.
    pub(super) async fn set_year(
        &self,
        by: &Actor,
        year: i16,
        days: Vec<CalendarDay>,
        dry: bool,
    ) -> Result<Vec<Moved>, Fault> {
        let by = self.demand(by, Verb::Operate, "calendar")?;
        checked(year, &days)?;
        if dry {
            let after = self.with_year(year, &days).await?;
            let before = self.days();
            return self.count(Count::new(before, Arc::new(after)), None).await;
        }
        let Some(engine) = self.myself.upgrade() else {
            return Err(Fault::overloaded("cases", 1));
        };
        let work = tokio::spawn(async move {
            let _alone = engine.recounting.lock().await;
            // What cannot be counted of an earlier change does not keep this one back.
            if let Err(fault) = engine.finish_recounts().await {
                tracing::warn!(%fault, "clocks that a stop left uncounted");
            }
            engine.change_year(&by, year, days).await
        });
        let done = work.await;
        done.unwrap_or_else(|e| Err(Fault::internal("setting a calendar", e)))
    }

    /// The calendar with these days of a year instead of its own.
    async fn with_year(&self, year: i16, days: &[CalendarDay]) -> Result<Calendar, Fault> {
        let mut fresh = Calendar::new();
        let mut reader = self.store.reader().await?;
        for (known, known_days) in calendar::all(&mut reader).await? {
            if known != year {
                enter(&mut fresh, &known_days);
            }
        }
        enter(&mut fresh, days);
        Ok(fresh)
    }

    /// What is still to be counted is written down with the change.
    async fn change_year(
        &self,
        by: &Actor,
        year: i16,
        days: Vec<CalendarDay>,
    ) -> Result<Vec<Moved>, Fault> {
        let fresh = Arc::new(self.with_year(year, &days).await?);
        let before = self.days();
        let mut mark = Mark {
            year,
            before: self.year(year).await?,
            kind: Kind::Cases,
            last: String::new(),
        };
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        calendar::put(&mut tx, year, &days, now, &by.account).await?;
        mark.put(&mut tx).await?;
        let details = json!({ "days": days.len() });
        let entry = audit(now, by, "set", "calendar", &year.to_string(), details);
        store::audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        *self.calendar.write() = fresh.clone();
        self.count(Count::new(before, fresh), Some(&mut mark)).await
    }

    /// Goes on counting where the program stopped, as [`Engine::run`] begins; what cannot be counted
    /// is tried again.
    pub(super) async fn resume_recounts(self: Arc<Self>) {
        loop {
            let alone = self.recounting.lock().await;
            let Err(fault) = self.finish_recounts().await else {
                return;
            };
            tracing::warn!(%fault, "clocks that a stop left uncounted");
            drop(alone);
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn finish_recounts(&self) -> Result<(), Fault> {
        let documents = self.store.documents();
        for left in documents.list_by_prefix(MARKS, "", None, YEARS).await? {
            let mut mark: Mark = serde_json::from_value(left.json)
                .map_err(|e| Fault::internal("reading what is to be counted", e))?;
            tracing::info!(year = mark.year, "clocks are counted on after a stop");
            let before = self.with_year(mark.year, &mark.before).await?;
            let count = Count::new(Arc::new(before), self.days());
            self.count(count, Some(&mut mark)).await?;
        }
        Ok(())
    }

    /// Counts page by page, each in one transaction with how far it is.
    async fn count(
        &self,
        mut count: Count,
        mut mark: Option<&mut Mark>,
    ) -> Result<Vec<Moved>, Fault> {
        count.dry = mark.is_none();
        let (from, mut last) = match &mark {
            Some(mark) => (mark.kind, mark.last.clone()),
            None => (Kind::Cases, String::new()),
        };
        for kind in KINDS.into_iter().filter(|kind| *kind >= from) {
            loop {
                let mut tx = self.store.begin().await?;
                let mut work = Work::new(self, &mut tx);
                let Some(end) = count.page(&mut work, kind, &last).await? else {
                    break;
                };
                last = end;
                if work.finish().await?.wrote {
                    if let Some(mark) = &mut mark {
                        (mark.kind, mark.last) = (kind, last.clone());
                        mark.put(&mut tx).await?;
                    }
                    tx.commit().await?;
                }
            }
            last = String::new();
        }
        if let Some(mark) = mark {
            let mut tx = self.store.begin().await?;
            documents::delete(&mut tx, MARKS, &mark.year.to_string()).await?;
            tx.commit().await?;
        }
        Ok(count.moved)
    }
}

/// A year that was changed and whose clocks are not all counted yet.
#[derive(Serialize, Deserialize)]
struct Mark {
    year: i16,
    /// Its days until then.
    before: Vec<CalendarDay>,
    kind: Kind,
    /// Counted up to this identification.
    last: String,
}

impl Mark {
    async fn put(&self, tx: &mut Tx) -> Result<(), Fault> {
        let json = serde_json::to_value(self)
            .map_err(|e| Fault::internal("writing what is to be counted", e))?;
        documents::put(tx, MARKS, &self.year.to_string(), &json, None).await?;
        Ok(())
    }
}
