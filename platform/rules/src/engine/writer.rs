//! The engine's pen: outcomes, escalations and reconciliations become rows and events, each in
//! one transaction.

use super::*;
use crate::evaluator::{Change, Ending};
use store::Tx;
use store::alerts::AlertRow;

/// Alerts handled in one transaction besides those of the log, at most.
const PAGE: u64 = 200;

/// Which rules escalate, and which alerts close by themselves.
pub(super) struct Escalations {
    by_rule: BTreeMap<String, (Option<(Span, String)>, bool)>,
}

impl Escalations {
    pub fn of(declared: &Declared) -> Escalations {
        let rules = declared.rules();
        let by_rule = rules.map(|rule| {
            (
                rule.name.clone(),
                (rule.escalate.clone(), rule.closes_itself),
            )
        });
        Escalations {
            by_rule: by_rule.collect(),
        }
    }

    fn after(&self, rule: &str) -> Option<Span> {
        self.by_rule.get(rule)?.0.as_ref().map(|(after, _)| *after)
    }

    fn role(&self, rule: &str) -> Option<&str> {
        self.by_rule.get(rule)?.0.as_ref().map(|(_, role)| &**role)
    }

    /// Alerts of a rule that is gone close by themselves: nothing will end them.
    fn closes_itself(&self, rule: &str) -> bool {
        self.by_rule.get(rule).is_none_or(|(_, closes)| *closes)
    }
}

/// Writes an alert and its event.
pub(super) async fn put(tx: &mut Tx, row: &AlertRow, at: Time) -> Result<(), Fault> {
    table::put(tx, row).await?;
    let body = serde_json::to_vec(&row.alert)
        .map_err(|e| Fault::internal("writing the event of an alert", e))?;
    store::events::append(tx, at, EventKind::Alert, &row.alert.id, &body).await?;
    Ok(())
}

impl Engine {
    /// Writes outcomes, however long the store refuses: the evaluator has moved on, so nothing
    /// may be left out. Gives up only when the engine stops; the log is then read again.
    pub(super) async fn write_until_done(
        &self,
        evaluator: &Evaluator,
        judged: &[(i64, Vec<Outcome>)],
    ) -> Result<(), Fault> {
        let mut stop = self.stop.subscribe();
        let mut pause = RETRY[0];
        loop {
            let Err(fault) = self.write(evaluator, judged).await else {
                return Ok(());
            };
            tracing::warn!(%fault, "alerts wait to be written");
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Err(fault),
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(RETRY[1]);
        }
    }

    /// Writes outcomes, given by the number of the event that brought them, in one transaction.
    pub(super) async fn write(
        &self,
        evaluator: &Evaluator,
        judged: &[(i64, Vec<Outcome>)],
    ) -> Result<(), Fault> {
        let all = || {
            judged
                .iter()
                .flat_map(|(seq, some)| some.iter().map(|o| (*seq, o)))
        };
        let id = |outcome: &Outcome| outcome.alert_id(&evaluator.rule(outcome.rule).name);
        let mut ids: Vec<String> = all().map(|(_, outcome)| id(outcome)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        ids.sort();
        ids.dedup();
        let mut tx = self.store.begin().await?;
        let known = table::get_many(&mut tx, &ids).await?;
        // Each with the number it was judged by before this transaction.
        let mut rows: BTreeMap<String, (AlertRow, i64, bool)> = known
            .into_iter()
            .map(|row| (row.alert.id.clone(), (row.clone(), row.judged, false)))
            .collect();
        let mut written = 0;
        for (seq, outcome) in all() {
            let id = id(outcome);
            let Some((row, before, changed)) = rows.get_mut(&id) else {
                if let Some(alert) = alert::begin(evaluator, outcome) {
                    let row = self.new_row(alert, seq);
                    rows.insert(id, (row, -1, true));
                    written += 1;
                }
                continue;
            };
            let closes = self.escalations.closes_itself(&row.alert.rule);
            let news = seq > *before;
            if alert::apply(&mut row.alert, &outcome.change, outcome.at, closes, news) {
                row.judged = seq.max(row.judged);
                *changed = true;
                written += 1;
            }
        }
        let now = self.clock.now();
        let changed = rows.values_mut().filter(|(_, _, changed)| *changed);
        for (row, ..) in changed {
            if row.alert.state != AlertState::Open {
                row.escalate_at = None;
            }
            put(&mut tx, row, now).await?;
        }
        if written == 0 {
            return Ok(()); // all of it was written before
        }
        tx.commit().await?;
        self.counters.outcomes.fetch_add(written, Ordering::Relaxed);
        Ok(())
    }

    fn new_row(&self, alert: Alert, seq: i64) -> AlertRow {
        let after = self.escalations.after(&alert.rule);
        AlertRow {
            escalate_at: after.map(|after| alert.raised_at + after),
            judged: seq,
            alert,
        }
    }

    /// Hands alerts nobody has looked at in time to the role their rule names.
    pub(super) async fn escalate(&self, now: Time) -> Result<(), Fault> {
        loop {
            let due = table::due(&mut self.store.reader().await?, now, PAGE).await?;
            if due.is_empty() {
                return Ok(());
            }
            let mut tx = self.store.begin().await?;
            for found in due {
                // Read again: an officer may have been quicker.
                let Some(mut row) = table::get(&mut tx, &found.alert.id).await? else {
                    continue;
                };
                if row.escalate_at.take().is_none() {
                    continue;
                }
                let role = self.escalations.role(&row.alert.rule);
                let at = found.escalate_at.unwrap_or(now);
                match role.is_some_and(|role| alert::escalate(&mut row.alert, role, at)) {
                    true => put(&mut tx, &row, now).await?,
                    false => table::put(&mut tx, &row).await?,
                }
            }
            tx.commit().await?;
        }
    }

    /// Ends alerts whose condition the evaluator does not hold to last: their rule is gone or was
    /// changed, or a deadline fired before a batch that was on its way. To be called once after a
    /// start, when everything in the log has been judged.
    pub async fn reconcile(&self) -> Result<(), Fault> {
        let evaluator = self.evaluator.lock().await;
        let now = self.clock.now();
        let mut after = String::new();
        loop {
            let mut reader = self.store.reader().await?;
            let lasting = table::lasting(&mut reader, &after, PAGE).await?;
            drop(reader);
            let Some(last) = lasting.last() else {
                return Ok(());
            };
            after = last.alert.id.clone();
            let held =
                |a: &Alert| evaluator.is_raised(&a.rule, &a.thing, a.property.as_deref(), a.since);
            let gone = lasting.iter().filter(|row| !held(&row.alert));
            let gone: Vec<String> = gone.map(|row| row.alert.id.clone()).collect();
            if gone.is_empty() {
                continue;
            }
            let mut tx = self.store.begin().await?;
            for mut row in table::get_many(&mut tx, &gone).await? {
                let end = Change::End {
                    at: now,
                    value: None,
                    why: Ending::RuleGone,
                };
                let closes = self.escalations.closes_itself(&row.alert.rule);
                if alert::apply(&mut row.alert, &end, now, closes, true) {
                    row.escalate_at = None;
                    put(&mut tx, &row, now).await?;
                }
            }
            tx.commit().await?;
        }
    }
}
