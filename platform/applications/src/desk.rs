//! The desk: decisions that arrive together are written together. Each names the versions it was
//! made upon; one whose ground has moved is given back and made again. When the writing itself
//! fails, each is tried alone, so that only the one to blame fails.

use crate::Engine;
use kernel::Fault;
use kernel::events::EventKind;
use std::sync::Arc;
use store::applications::{ApplicationRow, Applied, Write, write};
use store::audit;
use store::together::Together;

/// Decisions of one transaction, at most.
const BATCH: usize = 64;
/// Decisions that wait, at most.
const WAITING: usize = 10_000;

/// Decisions that wait.
pub(crate) type Desk = Together<Write, Applied>;

pub(crate) fn desk() -> Arc<Desk> {
    Together::new("applications", BATCH, WAITING)
}

impl Engine {
    /// Writes a decision; numbers of new applications when it is durable, `None` when its ground
    /// has moved. It is done even if the caller no longer waits.
    pub(crate) async fn put(&self, write: Write) -> Result<Option<Vec<String>>, Fault> {
        let wakes = !write.jobs.is_empty();
        let engine = self.myself.upgrade();
        let engine = engine.ok_or_else(|| Fault::overloaded("applications", 1))?;
        let work = move |writes| engine.clone().write_all(writes);
        match self.desk.ask(write, work).await? {
            Applied::Done(numbers) => {
                if wakes {
                    self.wake.notify_one();
                }
                Ok(Some(numbers))
            }
            Applied::Stale => Ok(None),
        }
    }

    async fn write_all(self: Arc<Self>, writes: Vec<Write>) -> Vec<Result<Applied, Fault>> {
        if writes.len() > 1 {
            match self.attempt(writes.clone()).await {
                Ok(applied) => return applied.into_iter().map(Ok).collect(),
                Err(fault) => {
                    tracing::warn!(%fault, writes = writes.len(), "writes are tried one by one");
                }
            }
        }
        let mut outcomes = vec![];
        for write in writes {
            let outcome = self.attempt(vec![write]).await;
            outcomes.push(outcome.and_then(|applied| {
                let none = || Fault::internal("writing an application", "no answer");
                applied.into_iter().next().ok_or_else(none)
            }));
        }
        outcomes
    }

    /// One transaction; in a task of its own, so that one that breaks it breaks nothing else.
    async fn attempt(self: &Arc<Self>, writes: Vec<Write>) -> Result<Vec<Applied>, Fault> {
        let engine = self.clone();
        let task = tokio::spawn(async move { engine.transact(writes).await });
        let outcome = task.await;
        outcome.unwrap_or_else(|e| Err(Fault::internal("writing an application", e)))
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Applied>, Fault> {
        let mut tx = self.store.begin().await?;
        let mut applied = vec![];
        let numbered = |row: &mut ApplicationRow, last: i64| {
            let office = self.means.offices.number_word(&row.organisation);
            let office = office.unwrap_or_else(|| row.organisation.clone());
            row.number = crate::numbered(&office, one_day(row.submitted_at), last);
            let code = std::mem::take(&mut row.check_digest);
            row.check_digest = self.sealing.check(&row.number, &code);
        };
        let (mut audits, mut events, mut days) = (vec![], vec![], vec![]);
        for mut one in writes {
            let outcome = write::apply(&mut tx, &mut one, &numbered).await?;
            if let Applied::Done(numbers) = &outcome {
                name_new(&mut one, numbers);
                audits.append(&mut one.audits);
                events.append(&mut one.events);
                days.append(&mut one.days);
            }
            applied.push(outcome);
        }
        if audits.is_empty() && applied.iter().all(|one| *one == Applied::Stale) {
            return Ok(applied);
        }
        write::add_days(&mut tx, &days).await?;
        for (at, about, body) in events {
            let body = body.to_string().into_bytes();
            store::events::append(&mut tx, at, EventKind::Application, &about, &body).await?;
        }
        audit::append_many(&mut tx, &audits).await?;
        tx.commit().await?;
        Ok(applied)
    }
}

/// Day of an instant, counted from 1970-01-01 in Beijing.
pub(crate) fn one_day(at: i64) -> i64 {
    (at + kernel::time::BEIJING_OFFSET).div_euclid(kernel::time::DAY)
}

/// Numbers given just now stand in audit log and events too.
fn name_new(write: &mut Write, numbers: &[String]) {
    if numbers.is_empty() {
        return;
    }
    let new = write.applications.iter().filter(|put| put.was == 0);
    for put in new {
        for audit in write.audits.iter_mut().filter(|a| a.subject == put.row.id) {
            if let Some(details) = audit.details.as_object_mut() {
                details.insert("number".into(), put.row.number.as_str().into());
            }
        }
        for (_, about, body) in &mut write.events {
            if *about == put.row.id
                && let Some(body) = body.as_object_mut()
            {
                body.insert("number".into(), put.row.number.as_str().into());
            }
        }
    }
}
