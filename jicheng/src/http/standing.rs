//! What a caller's positions and a delegation in use add to them: organisations, scope, roles;
//! and the line in the audit log that names both who acts and for whom.

use super::problem::Refusal;
use crate::app::App;
use axum::http::request::Parts;
use kernel::access::{Actor, Tie};
use kernel::fault::{Fault, FaultKind};
use kernel::organisations::Organisations;
use serde_json::json;

/// Header with the identification of the delegation a request is made under.
pub const DELEGATION: &str = "x-delegation";

/// Dresses a recognised caller for a request.
pub async fn dress(app: &App, parts: &Parts, mut actor: Actor) -> Result<Actor, Refusal> {
    app.organisations.dress(&mut actor);
    let Some(id) = parts.headers.get(DELEGATION) else {
        return Ok(actor);
    };
    let not_in_force = || {
        Refusal(Fault::new(
            FaultKind::Denied,
            "access.denied",
            "该委托未生效、已结束或不属于您",
            "the delegation is not in force, is over, or is not yours",
        ))
    };
    let id = id.to_str().map_err(|_| not_in_force())?;
    let delegation = app.organisations.delegation_in_force(&actor.account, id);
    let delegation = delegation.ok_or_else(not_in_force)?;
    let giver = app.identity.account(&delegation.giver).await?;
    if giver.disabled {
        return Err(not_in_force());
    }
    let mut giver = giver.actor();
    app.organisations.dress(&mut giver);
    let (party, lent) = organisations::lend(&delegation, &giver, parts.uri.path());
    actor.standing.acts_for = Some(party);
    actor.standing.lent = Some(lent);
    Ok(actor)
}

/// Writes down a request made under a delegation, with both names.
pub async fn note(
    app: &App,
    actor: &Actor,
    method: &str,
    path: &str,
    status: u16,
) -> Result<(), Fault> {
    let party = actor.standing.acts_for.as_ref();
    let Some(party) = party.filter(|p| p.tie == Tie::Delegation) else {
        return Ok(());
    };
    let entry = store::audit::AuditEntry {
        at: app.city.clock.now(),
        account: actor.account.clone(),
        verb: "act_for".into(),
        object: "delegations".into(),
        subject: party.document.clone(),
        purpose: actor.grant.purpose.clone(),
        basis: actor.grant.basis.clone(),
        details: json!({
            "by": actor.account, "by_name": actor.display,
            "for": party.party, "for_name": party.display,
            "method": method, "path": path, "status": status,
        }),
        outcome: if status < 400 { "done" } else { "refused" }.into(),
    };
    let mut tx = app.store.begin().await?;
    store::audit::append(&mut tx, &entry).await?;
    tx.commit().await
}
