//! Changes of where a licence stands: suspended and resumed, withdrawn, cancelled, taken away; and
//! the end of its days, written into its history by a job.

use crate::Engine;
use crate::content::state_of;
use crate::issue::{demand_issuer, reason_problem};
use crate::written::stale;
use kernel::Fault;
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::licences::{Change, Licence, State};
use store::licences as rows;

/// Licences whose end is written in one transaction, at most.
const BATCH: u64 = 200;

/// What a change is called, and whether it may be made.
fn verb(from: State, to: State) -> Option<&'static str> {
    use State::{Cancelled, InForce, Penalty, Suspended, Withdrawn};
    match (from, to) {
        (InForce, Suspended) => Some("suspend"),
        (Suspended, InForce) => Some("resume"),
        (InForce | Suspended, Withdrawn | Cancelled | Penalty) => Some("revoke"),
        _ => None,
    }
}

impl Engine {
    pub(crate) async fn change_state(
        &self,
        actor: &Actor,
        identifier: &str,
        change: &Change,
    ) -> Result<Licence, Fault> {
        crate::refuse(reason_problem(&change.reason).into_iter().collect())?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = self.row_of(&mut tx, identifier).await?;
        demand_issuer(actor, self.type_of(&row)?.as_ref())?;
        if change.version.is_some_and(|seen| seen != row.version) {
            return Err(stale());
        }
        let from = state_of(&row)?;
        let Some(what) = verb(from, change.to) else {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                "证照当前的状态不允许这样变更",
                format!(
                    "a licence that is {} cannot become {}",
                    from.word(),
                    change.to.word()
                ),
            ));
        };
        let content = self.sound_content(&row)?;
        row.state = change.to.word().into();
        row.status = change.to.status().into();
        let reason = change.reason.trim();
        self.write_change(&mut tx, actor, now, &mut row, what, reason)
            .await?;
        self.note_seen(&mut tx, actor, &row, &content, now).await?;
        tx.commit().await?;
        self.lists.changed();
        self.licence(&row, content)
    }

    /// Writes the end of licences whose last day has passed into their histories; says how many.
    pub(crate) async fn note_ended(&self) -> Result<u64, Fault> {
        let actor = Actor::system();
        let mut count = 0;
        loop {
            let now = self.clock.now();
            let mut tx = self.store.begin().await?;
            let ended = rows::licences_ended(&mut tx, now.0, BATCH).await?;
            let full = ended.len() as u64 == BATCH;
            for mut row in ended {
                row.expired_at = Some(now.0);
                let reason = row.reason.clone().unwrap_or_default();
                self.write_change(&mut tx, &actor, now, &mut row, "expire", &reason)
                    .await?;
                count += 1;
            }
            tx.commit().await?;
            if !full {
                return Ok(count);
            }
        }
    }
}
