//! Timeline: what the city believes about one record, as stretches of valid time that never
//! overlap, and what a change does to it. Pure: it plans rows, others write them.
//!
//! The rules. A new version valid from `v` holds until the next version already believed to begin
//! after `v`; what covered `v` before keeps the part before `v`. An end at `v` ends the record:
//! what covered `v` keeps the part before, everything that was to follow is withdrawn (and if
//! nothing covered it, no end remains: the record is as if never announced). Nothing is
//! overwritten: rows that no longer say what is believed are superseded, others take their place.

use store::records::{FOREVER, RecordRow};

/// Who changes, why, and when.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// Valid from, microseconds.
    pub(crate) at: i64,
    /// Recorded at, microseconds.
    pub(crate) now: i64,
    /// Account.
    pub(crate) by: String,
    /// Reason.
    pub(crate) reason: Option<String>,
}

/// Why a change does not fit what is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispute {
    /// It must not exist, and does.
    Exists,
    /// It is based on another version than this one.
    Stale(i64),
    /// There is nothing to end.
    NotThere,
}

/// What is believed about one record, and the rows a plan writes. All changes of one plan are
/// recorded at one instant.
#[derive(Debug)]
pub(crate) struct Timeline {
    key: String,
    /// Believed stretches in order.
    standing: Vec<RecordRow>,
    /// Latest version ever given; 0 for none.
    version: i64,
    /// When that was recorded: belief never runs backwards, even if the clock does.
    recorded_at: i64,
    /// New rows.
    written: Vec<RecordRow>,
    /// Rows of the store that are superseded.
    gone: Vec<i64>,
}

impl Timeline {
    /// From the believed rows of the record in order, and its latest version and when that was
    /// recorded.
    pub(crate) fn new(key: &str, standing: Vec<RecordRow>, latest: Option<(i64, i64)>) -> Timeline {
        let (version, recorded_at) = latest.unwrap_or((0, i64::MIN));
        Timeline {
            key: key.into(),
            standing,
            version,
            recorded_at,
            written: vec![],
            gone: vec![],
        }
    }

    /// Believed stretches in order.
    pub(crate) fn standing(&self) -> &[RecordRow] {
        &self.standing
    }

    /// Rows to write.
    pub(crate) fn written(&self) -> &[RecordRow] {
        &self.written
    }

    /// Rows of the store to supersede, and when.
    pub(crate) fn gone(&self) -> (&[i64], i64) {
        (&self.gone, self.recorded_at)
    }

    /// The latest version, if believed rows of the store that stay must be told of it.
    pub(crate) fn revision_for_others(&self) -> Option<i64> {
        let mine = |row: &RecordRow| self.written.iter().any(|w| w.id == row.id);
        let others = self.standing.iter().any(|row| !mine(row));
        (others && !self.written.is_empty()).then_some(self.version)
    }

    /// The stretch that covers an instant.
    pub(crate) fn at(&self, instant: i64) -> Option<&RecordRow> {
        self.standing
            .iter()
            .find(|row| row.valid_from <= instant && instant < row.valid_to)
    }

    /// Does a change at `at` based on `expect` fit? `Some(0)`: nothing may be valid at or after.
    pub(crate) fn check(&self, expect: Option<i64>, at: i64) -> Result<(), Dispute> {
        let stands = self.standing.iter().any(|row| row.valid_to > at);
        match expect {
            None => Ok(()),
            Some(0) if stands => Err(Dispute::Exists),
            Some(0) => Ok(()),
            Some(version) if !self.standing.is_empty() && version == self.version => Ok(()),
            Some(_) => Err(Dispute::Stale(self.version)),
        }
    }

    /// Plans a new version and returns its row. `next_id` is the number of the next row.
    pub(crate) fn put(&mut self, deed: &Deed, body: String, next_id: &mut i64) -> RecordRow {
        self.begin(deed);
        let covering = self.at(deed.at).cloned();
        let until = match &covering {
            Some(row) => row.valid_to,
            None => {
                let later = self.standing.iter().map(|row| row.valid_from);
                later
                    .filter(|from| *from > deed.at)
                    .min()
                    .unwrap_or(FOREVER)
            }
        };
        if let Some(row) = covering {
            self.supersede(row.id);
            if row.valid_from < deed.at {
                self.write(
                    RecordRow {
                        valid_to: deed.at,
                        ..row
                    },
                    next_id,
                );
            }
        }
        self.write(self.row(deed, deed.at, until, body), next_id)
    }

    /// Plans the end and returns the last row of the record, which names who ended it and why.
    pub(crate) fn end(&mut self, deed: &Deed, next_id: &mut i64) -> Result<RecordRow, Dispute> {
        let ending: Vec<RecordRow> = self
            .standing
            .iter()
            .filter(|row| row.valid_to > deed.at)
            .cloned()
            .collect();
        let Some(first) = ending.first() else {
            return Err(Dispute::NotThere);
        };
        self.begin(deed);
        for row in &ending {
            self.supersede(row.id);
        }
        let from = first.valid_from.min(deed.at);
        let last = self.row(deed, from, deed.at, first.body.clone());
        let last = self.write(last, next_id);
        if last.valid_from == last.valid_to {
            // Nothing of it was ever valid; the row only tells that it was withdrawn.
            self.supersede(last.id);
        }
        Ok(last)
    }

    fn begin(&mut self, deed: &Deed) {
        self.version += 1;
        self.recorded_at = self.recorded_at.max(deed.now);
    }

    fn row(&self, deed: &Deed, valid_from: i64, valid_to: i64, body: String) -> RecordRow {
        RecordRow {
            id: 0,
            key: self.key.clone(),
            version: self.version,
            revision: self.version,
            valid_from,
            valid_to,
            recorded_at: self.recorded_at,
            superseded_at: FOREVER,
            by: deed.by.clone(),
            reason: deed.reason.clone(),
            body,
        }
    }

    fn write(&mut self, mut row: RecordRow, next_id: &mut i64) -> RecordRow {
        row.id = *next_id;
        *next_id += 1;
        row.recorded_at = self.recorded_at;
        row.superseded_at = FOREVER;
        let place = self
            .standing
            .partition_point(|r| r.valid_from < row.valid_from);
        self.standing.insert(place, row.clone());
        self.written.push(row.clone());
        for standing in self.standing.iter_mut().chain(self.written.iter_mut()) {
            standing.revision = self.version;
        }
        row.revision = self.version;
        row
    }

    fn supersede(&mut self, id: i64) {
        self.standing.retain(|row| row.id != id);
        match self.written.iter_mut().find(|row| row.id == id) {
            Some(row) => row.superseded_at = self.recorded_at,
            None => self.gone.push(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// What is believed, said the simplest way: from each instant on, this body or nothing.
    #[derive(Default)]
    struct Model(BTreeMap<i64, Option<String>>);

    impl Model {
        fn put(&mut self, at: i64, body: &str) {
            self.0.insert(at, Some(body.into()));
        }
        fn end(&mut self, at: i64) -> bool {
            let there = self.at(at).is_some() || self.0.range(at..).any(|(_, b)| b.is_some());
            if there {
                self.0.split_off(&at);
                // Withdrawing what was to come later leaves no end behind.
                if self.at(at - 1).is_some() {
                    self.0.insert(at, None);
                }
            }
            there
        }
        fn at(&self, instant: i64) -> Option<String> {
            self.0
                .range(..=instant)
                .next_back()
                .and_then(|(_, b)| b.clone())
        }
    }

    /// All rows as a store would keep them: superseded ones are marked, never removed.
    fn keep(rows: &mut Vec<RecordRow>, plan: &Timeline) {
        let (gone, at) = plan.gone();
        for row in rows.iter_mut().filter(|row| gone.contains(&row.id)) {
            row.superseded_at = at;
        }
        rows.extend(plan.written().iter().cloned());
        if let Some(revision) = plan.revision_for_others() {
            for row in rows.iter_mut().filter(|row| row.superseded_at == FOREVER) {
                row.revision = revision;
            }
        }
    }

    fn reopen(rows: &[RecordRow]) -> Timeline {
        let mut standing: Vec<RecordRow> = rows
            .iter()
            .filter(|row| row.superseded_at == FOREVER)
            .cloned()
            .collect();
        standing.sort_by_key(|row| row.valid_from);
        let latest = rows.iter().map(|row| (row.version, row.recorded_at)).max();
        Timeline::new("k", standing, latest)
    }

    fn asked(rows: &[RecordRow], valid_at: i64, as_of: i64) -> Vec<&RecordRow> {
        let valid = |r: &&RecordRow| r.valid_from <= valid_at && valid_at < r.valid_to;
        let known = |r: &&RecordRow| r.recorded_at <= as_of && as_of < r.superseded_at;
        rows.iter().filter(valid).filter(known).collect()
    }

    fn deed(at: i64, now: i64) -> Deed {
        Deed {
            at,
            now,
            by: "w".into(),
            reason: None,
        }
    }

    #[test]
    fn a_correction_in_the_middle_splits() {
        let mut next_id = 1;
        let mut timeline = Timeline::new("k", vec![], None);
        timeline.put(&deed(10, 100), "a".into(), &mut next_id);
        timeline.put(&deed(30, 101), "b".into(), &mut next_id);
        let middle = timeline.put(&deed(20, 102), "c".into(), &mut next_id);
        assert_eq!(
            (middle.valid_from, middle.valid_to, middle.version),
            (20, 30, 3)
        );
        let found: Vec<(i64, i64, &str)> = timeline
            .standing()
            .iter()
            .map(|r| (r.valid_from, r.valid_to, r.body.as_str()))
            .collect();
        assert_eq!(found, [(10, 20, "a"), (20, 30, "c"), (30, FOREVER, "b")]);
    }

    #[test]
    fn versions_guard_against_each_other() {
        let mut next_id = 1;
        let mut timeline = Timeline::new("k", vec![], None);
        assert_eq!(timeline.check(Some(1), 10), Err(Dispute::Stale(0)));
        assert_eq!(timeline.check(Some(0), 10), Ok(()));
        assert!(timeline.end(&deed(10, 100), &mut next_id).is_err());
        timeline.put(&deed(10, 100), "a".into(), &mut next_id);
        assert_eq!(timeline.check(Some(0), 5), Err(Dispute::Exists));
        assert_eq!(timeline.check(Some(1), 5), Ok(()));
        // A correction of the past makes a reader of the present stale too.
        timeline.put(&deed(5, 101), "b".into(), &mut next_id);
        assert_eq!(timeline.check(Some(1), 20), Err(Dispute::Stale(2)));
        assert_eq!(
            timeline.at(20).map(|row| (row.version, row.revision)),
            Some((1, 2))
        );
        timeline.end(&deed(20, 102), &mut next_id).unwrap();
        assert_eq!(timeline.check(Some(0), 20), Ok(()));
        assert_eq!(timeline.check(Some(0), 19), Err(Dispute::Exists));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_plan_agrees_with_the_model(
            steps in prop::collection::vec((0..4u8, 0..20i64, 0..2i64, any::<bool>()), 1..24),
        ) {
            let mut rows = vec![];
            let mut next_id = 1;
            let mut model = Model::default();
            let mut believed: Vec<(i64, Vec<Option<String>>)> = vec![];
            let mut now = 1000;
            let mut timeline = reopen(&rows);
            for (number, (what, at, later, stays_open)) in steps.into_iter().enumerate() {
                if later > 0 {
                    keep(&mut rows, &timeline);
                    timeline = reopen(&rows);
                    now += later;
                }
                if what == 0 {
                    let ended = timeline.end(&deed(at, now), &mut next_id);
                    prop_assert_eq!(ended.is_ok(), model.end(at));
                } else {
                    let body = format!("b{number}");
                    model.put(at, &body);
                    timeline.put(&deed(at, now), body, &mut next_id);
                }
                // Several changes may be planned together, or each be written before the next.
                if !stays_open {
                    keep(&mut rows, &timeline);
                    timeline = reopen(&rows);
                }
                let state: Vec<Option<String>> = (0..22).map(|t| model.at(t)).collect();
                match believed.last_mut() {
                    Some((instant, known)) if *instant == now => *known = state,
                    _ => believed.push((now, state)),
                }
            }
            keep(&mut rows, &timeline);
            for (as_of, state) in &believed {
                for (valid_at, expect) in state.iter().enumerate() {
                    let found = asked(&rows, valid_at as i64, *as_of);
                    prop_assert!(found.len() <= 1, "two rows at {} as of {}", valid_at, as_of);
                    let body = found.first().map(|row| row.body.clone());
                    prop_assert_eq!(&body, expect, "at {} as of {}", valid_at, as_of);
                }
            }
            let latest = rows.iter().map(|row| row.version).max();
            for row in rows.iter().filter(|row| row.superseded_at == FOREVER) {
                prop_assert_eq!(Some(row.revision), latest);
            }
        }
    }
}
