//! Work set aside: what was tried too often after a change, where an operator sees it and tries it
//! once more.

use crate::{Engine, OBJECT};
use kernel::access::Actor;
use kernel::applications::SetAside;
use kernel::{Fault, Noted, Time, Verb};
use serde_json::json;
use std::collections::HashMap;
use store::applications::{JobRow, read, write};
use store::audit::{self, AuditEntry};

/// Rows of one answer, at most.
const MOST: usize = 1_000;

impl Engine {
    /// Work that was tried too often, the oldest first: what an operator looks at. Needs `operate`
    /// on `service_applications`.
    pub async fn set_aside(&self, by: &Actor, limit: usize) -> Result<Vec<SetAside>, Fault> {
        self.means.policy.demand(by, Verb::Operate, OBJECT)?;
        let mut reader = self.store.reader().await?;
        let limit = limit.clamp(1, MOST) as u64;
        let jobs = read::jobs_aside(&mut reader, limit).await?;
        let mut ids: Vec<String> = jobs.iter().map(|job| job.application.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let numbers = read::numbers(&mut reader, &ids).await?;
        let numbers: HashMap<String, String> = numbers.into_iter().collect();
        let now = self.clock.now();
        let shown = |job: JobRow| SetAside {
            number: numbers.get(&job.application).cloned(),
            id: job.id,
            application: job.application,
            kind: job.kind,
            name: job.name,
            attempts: job.attempts,
            error: Noted::from_text(&job.error),
            // An older program wrote when it would have been tried next.
            at: std::cmp::min(Time(job.next_at), now),
        };
        Ok(jobs.into_iter().map(shown).collect())
    }

    /// How much work is set aside: a number for who watches over the machine, of nobody's
    /// application.
    pub async fn count_aside(&self) -> Result<i64, Fault> {
        read::count_aside(&mut self.store.reader().await?).await
    }

    /// Tries work set aside once more. Needs `operate` on `service_applications`. What is not set
    /// aside, or is done, is not found.
    pub async fn try_again(&self, by: &Actor, id: &str) -> Result<(), Fault> {
        let by = self.means.policy.demand(by, Verb::Operate, OBJECT)?;
        let application = id.split('/').next().unwrap_or_default();
        let mut tx = self.store.begin().await?;
        let jobs = read::jobs_of(&mut tx, application).await?;
        let job = jobs.into_iter().find(|job| job.id == id && job.aside == 1);
        let job = job.ok_or_else(|| Fault::missing(id))?;
        let now = self.clock.now();
        let entry = AuditEntry {
            at: now,
            account: by.account.clone(),
            verb: "try_again".into(),
            object: OBJECT.into(),
            subject: job.application.clone(),
            purpose: by.grant.purpose.clone(),
            basis: by.grant.basis.clone(),
            details: by.on_behalf(json!({ "job": job.id })),
            outcome: "done".into(),
        };
        write::put_job(&mut tx, &due(job, now)).await?;
        audit::append(&mut tx, &entry).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }

    /// A job is due now, as if it had never failed.
    pub(crate) async fn revive(&self, job: JobRow) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        write::put_job(&mut tx, &due(job, self.clock.now())).await?;
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }
}

fn due(job: JobRow, now: Time) -> JobRow {
    JobRow {
        next_at: now.0,
        attempts: 0,
        aside: 0,
        ..job
    }
}
