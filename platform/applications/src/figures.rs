//! Figures for the oversight of the service, live: sums of counters kept by organisation and day,
//! so that a million applications cost nothing.

use crate::Engine;
use crate::desk::one_day;
use kernel::access::Actor;
use kernel::applications::ServiceFigures;
use kernel::items::{Channel, ItemFilter, ItemState};
use kernel::{Fault, Time};
use std::collections::BTreeMap;
use store::applications::read;

/// Items of a page of the catalogue.
const PAGE: usize = 200;
/// Items counted, at most.
const ITEMS: usize = 20_000;

impl Engine {
    /// Figures of a period by organisation, the sum of all first, under an empty name; what an
    /// organisation did that stands no longer counts for whoever has its work. The period
    /// is taken in whole days of Beijing: from the day of `from` to the day before `to`, or that of
    /// `to` when it is not midnight. Parts of a bundle count, the bundle itself does not; a mark
    /// counts on its day, and so does its answer.
    pub(crate) async fn figures_of(
        &self,
        _: &Actor,
        from: Time,
        to: Time,
    ) -> Result<Vec<ServiceFigures>, Fault> {
        if from >= to {
            return Err(Fault::invalid_at(
                "to",
                "截止时间须晚于起始时间",
                "the end must be after the beginning",
            ));
        }
        let mut of: BTreeMap<String, ServiceFigures> = BTreeMap::new();
        self.count_items(&mut of).await?;
        let (first, end) = (one_day(from.0), one_day(to.0 - 1) + 1);
        let rows = read::days(&mut self.store.reader().await?, first, end).await?;
        for row in rows {
            let counts = row.counts;
            let figures = of.entry(self.office(&row.organisation)).or_default();
            figures.submitted += counts.submitted;
            figures.submitted_online += counts.online;
            figures.decided += counts.decided;
            figures.decided_on_time += counts.on_time;
            figures.rated += counts.rated;
            figures.rated_good += counts.good;
            figures.bad += counts.bad;
            figures.bad_answered += counts.answered;
        }
        let mut all = vec![ServiceFigures::default()];
        for (organisation, mut figures) in of {
            add(&mut all[0], &figures);
            figures.title = self.means.offices.title(&organisation).unwrap_or_default();
            figures.organisation = organisation;
            all.push(figures);
        }
        Ok(all)
    }

    async fn count_items(&self, of: &mut BTreeMap<String, ServiceFigures>) -> Result<(), Fault> {
        let mut filter = ItemFilter {
            limit: PAGE,
            ..ItemFilter::default()
        };
        let mut seen = 0;
        loop {
            let page = self.means.items.items(None, &filter).await?;
            seen += page.rows.len();
            for line in page.rows.iter().filter(|l| l.state == ItemState::InForce) {
                let online = [Channel::Web, Channel::Phone];
                let online = line.channels.iter().any(|way| online.contains(way));
                let figures = of.entry(self.office(&line.organisation)).or_default();
                figures.items += 1;
                figures.items_online += i64::from(online);
                figures.items_one_visit += i64::from(line.visits <= 1);
            }
            match page.next {
                Some(next) if seen < ITEMS => filter.after = Some(next),
                _ => return Ok(()),
            }
        }
    }
}

fn add(sum: &mut ServiceFigures, one: &ServiceFigures) {
    sum.items += one.items;
    sum.items_online += one.items_online;
    sum.items_one_visit += one.items_one_visit;
    sum.submitted += one.submitted;
    sum.submitted_online += one.submitted_online;
    sum.decided += one.decided;
    sum.decided_on_time += one.decided_on_time;
    sum.rated += one.rated;
    sum.rated_good += one.rated_good;
    sum.bad += one.bad;
    sum.bad_answered += one.bad_answered;
}
