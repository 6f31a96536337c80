//! Writing what happened to a licence: new ones and changes, each with its step in the history, its
//! entry in the audit log and the event that tells others, in the transaction of the caller.

use crate::{CAPACITY, Engine};
use kernel::access::Actor;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use kernel::{Fault, Time};
use serde_json::{Value, json};
use store::audit::{self, AuditEntry};
use store::licences::{self as rows, LicenceRow, StepRow};
use store::{Tx, events};

impl Engine {
    /// Writes new licences; their numbers among all are given here.
    pub(crate) async fn write_new(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        now: Time,
        mut fresh: Vec<LicenceRow>,
        what: &str,
        why: &str,
    ) -> Result<(), Fault> {
        let first = rows::next_seq(tx).await?;
        for (n, row) in (first..).zip(fresh.iter_mut()) {
            row.seq = n;
            (row.status_list, row.status_index) = self.sealing.status_place(n, CAPACITY);
        }
        rows::add_licences(tx, &fresh).await?;
        let step = |row: &LicenceRow| step_of(row, now, actor, what, why, &Value::Null);
        rows::add_steps(tx, &fresh.iter().map(step).collect::<Vec<_>>()).await?;
        let entries: Vec<AuditEntry> = fresh
            .iter()
            .map(|row| entry_of(row, now, actor, what, why, json!({})))
            .collect();
        audit::append_many(tx, &entries).await?;
        for row in &fresh {
            tell(tx, row, now, actor, what).await?;
        }
        Ok(())
    }

    /// Writes a licence that stands otherwise now, with its step, audit and event.
    pub(crate) async fn write_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        now: Time,
        row: &mut LicenceRow,
        what: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        row.version += 1;
        row.reason = Some(reason.to_string()).filter(|reason| !reason.is_empty());
        if !rows::put_licence(tx, row).await? {
            return Err(stale());
        }
        let step = step_of(row, now, actor, what, reason, &Value::Null);
        rows::add_steps(tx, &[step]).await?;
        let details = json!({ "state": row.state });
        audit::append(tx, &entry_of(row, now, actor, what, reason, details)).await?;
        tell(tx, row, now, actor, what).await
    }
}

pub(crate) fn stale() -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.stale",
        "证照已被他人更改，请刷新后再试",
        "the licence was changed by somebody else; please look again",
    )
}

fn step_of(
    row: &LicenceRow,
    now: Time,
    actor: &Actor,
    what: &str,
    reason: &str,
    details: &Value,
) -> StepRow {
    StepRow {
        licence: row.id.clone(),
        version: row.version,
        at: now.0,
        by_account: actor.account.clone(),
        what: what.into(),
        state: row.state.clone(),
        reason: reason.into(),
        details: details.to_string(),
    }
}

/// The entry of the audit log for a change of a licence; nothing personal in it.
fn entry_of(
    row: &LicenceRow,
    now: Time,
    actor: &Actor,
    what: &str,
    reason: &str,
    mut details: Value,
) -> AuditEntry {
    details["what"] = what.into();
    details["kind"] = row.kind.clone().into();
    if !reason.is_empty() {
        details["reason"] = reason.into();
    }
    AuditEntry {
        at: now,
        account: actor.account.clone(),
        verb: "write".into(),
        object: "licences".into(),
        subject: row.identifier.clone(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: actor.on_behalf(details),
        outcome: "done".into(),
    }
}

/// The event that tells others.
async fn tell(
    tx: &mut Tx,
    row: &LicenceRow,
    now: Time,
    actor: &Actor,
    what: &str,
) -> Result<(), Fault> {
    let body = json!({
        "identifier": row.identifier,
        "kind": row.kind,
        "what": what,
        "state": row.state,
        "by": actor.account,
    });
    let body = body.to_string();
    events::append(
        tx,
        now,
        EventKind::Licence,
        &row.identifier,
        body.as_bytes(),
    )
    .await?;
    Ok(())
}
