//! Delegations: one lets another act for them, within a period and a scope, never with more than
//! they may do themselves, and not further. What is lent is worked out anew at every request, so
//! a giver who loses a role lends it no more.

use crate::acts::reason_problem;
use crate::book::{Book, Draft};
use crate::check::problem;
use crate::model::{Delegation, DelegationState, NewDelegation};
use crate::people::refuse;
use kernel::access::{Lent, Party, Tie};
use kernel::fault::FaultKind;
use kernel::{Actor, Fault, Span, Time, new_id};

/// Longest period.
const LONGEST: Span = Span::days(400);
/// Delegations one account gives at a time, at most.
const GIVEN_LIMIT: usize = 50;
/// Roles or objects of one delegation, at most.
const SCOPE_LIMIT: usize = 50;

fn stands(delegation: &Delegation, at: Time) -> bool {
    let open = matches!(
        delegation.state,
        DelegationState::Agreed | DelegationState::Offered
    );
    open && delegation.to > at
}

/// Makes a delegation. That the giver holds what they give is the caller's to check; using it
/// checks again.
pub(crate) fn make(
    draft: &mut Draft,
    giver: &str,
    new: NewDelegation,
    leave: Option<&str>,
) -> Result<Delegation, Fault> {
    let now = draft.now;
    let from = new.from.unwrap_or(now);
    let mut found = vec![];
    reason_problem(&new.reason, &mut found);
    if new.receiver == giver {
        found.push(problem(
            "receiver",
            "不能委托给本人",
            "nobody stands in for themselves",
        ));
    }
    let left = draft.book.members.get(&new.receiver);
    if left.is_some_and(|m| m.left_at.is_some()) {
        found.push(problem(
            "receiver",
            "此人已离职",
            "they have left the service",
        ));
    }
    let to = new.to.unwrap_or(from);
    if to <= from || to <= now || to - LONGEST > from {
        found.push(problem(
            "to",
            "须写明止期：晚于起期、在未来、不超过 400 天",
            "say when it ends: after it begins, in the future, within 400 days",
        ));
    }
    if new.roles.len() > SCOPE_LIMIT || new.objects.len() > SCOPE_LIMIT {
        found.push(problem(
            "roles",
            format!("角色与对象各至多 {SCOPE_LIMIT} 个"),
            format!("at most {SCOPE_LIMIT} roles and as many objects"),
        ));
    }
    let matter = new.matter.filter(|m| !m.is_empty());
    if matter
        .as_ref()
        .is_some_and(|m| m.len() > 200 || m.contains('/'))
    {
        found.push(problem(
            "matter",
            "事项须为一个编号，不含斜线",
            "a matter is one identification without a slash",
        ));
    }
    let given = draft.book.delegations.values();
    let given = given.filter(|d| d.giver == giver && stands(d, now));
    if given.count() >= GIVEN_LIMIT {
        found.push(problem(
            "receiver",
            format!("同时有效的委托至多 {GIVEN_LIMIT} 项"),
            format!("at most {GIVEN_LIMIT} delegations stand at a time"),
        ));
    }
    refuse(found)?;
    let delegation = Delegation {
        id: new_id(now),
        giver: giver.into(),
        receiver: new.receiver,
        from,
        to,
        roles: new.roles,
        objects: new.objects,
        matter,
        reason: new.reason.trim().into(),
        state: if new.must_accept {
            DelegationState::Offered
        } else {
            DelegationState::Agreed
        },
        made_at: now,
        ended_at: None,
        ended_by: None,
        ended_why: None,
        leave: leave.map(String::from),
    };
    draft.put_delegation(delegation.clone());
    Ok(delegation)
}

fn over() -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        "该委托已经结束",
        "the delegation is over",
    )
}

/// The receiver accepts or refuses what was offered.
pub(crate) fn answer(
    draft: &mut Draft,
    receiver: &str,
    id: &str,
    accept: bool,
) -> Result<Delegation, Fault> {
    let old = draft.book.delegations.get(id).cloned();
    let old = old.filter(|d| d.receiver == receiver);
    let old = old.ok_or_else(|| Fault::missing(&format!("delegation {id}")))?;
    if old.state != DelegationState::Offered || old.to <= draft.now {
        return Err(over());
    }
    let mut new = (*old).clone();
    if accept {
        new.state = DelegationState::Agreed;
    } else {
        new.state = DelegationState::Refused;
        new.ended_at = Some(draft.now);
        new.ended_by = Some(receiver.into());
    }
    draft.put_delegation(new.clone());
    Ok(new)
}

/// Ends a delegation at once. Giver and receiver may; others only when `any`.
pub(crate) fn end(
    draft: &mut Draft,
    by: &str,
    id: &str,
    why: &str,
    any: bool,
) -> Result<Delegation, Fault> {
    let old = draft.book.delegations.get(id).cloned();
    let old = old.filter(|d| any || d.giver == by || d.receiver == by);
    let old = old.ok_or_else(|| Fault::missing(&format!("delegation {id}")))?;
    let mut found = vec![];
    reason_problem(why, &mut found);
    refuse(found)?;
    if !stands(&old, draft.now) {
        return Err(over());
    }
    close(draft, by, id, why);
    draft
        .book
        .delegations
        .get(id)
        .map(|d| (**d).clone())
        .ok_or_else(over)
}

/// Ends a delegation if it still stands.
pub(crate) fn close(draft: &mut Draft, by: &str, id: &str, why: &str) {
    let Some(old) = draft.book.delegations.get(id).cloned() else {
        return;
    };
    if !stands(&old, draft.now) {
        return;
    }
    draft.put_delegation(Delegation {
        state: DelegationState::Ended,
        ended_at: Some(draft.now),
        ended_by: Some(by.into()),
        ended_why: Some(why.into()),
        ..(*old).clone()
    });
}

/// Ends everything somebody has given or received: they left, or their account is disabled.
/// Answers which.
pub(crate) fn close_all(draft: &mut Draft, by: &str, account: &str, why: &str) -> Vec<String> {
    let now = draft.now;
    let standing: Vec<String> = draft
        .book
        .delegations
        .values()
        .filter(|d| (d.giver == account || d.receiver == account) && stands(d, now))
        .map(|d| d.id.clone())
        .collect();
    for id in &standing {
        close(draft, by, id, why);
    }
    standing
}

/// The delegation, if this account may use it now.
pub(crate) fn in_force(book: &Book, receiver: &str, id: &str, now: Time) -> Option<Delegation> {
    let found = book.delegations.get(id)?;
    let usable = found.receiver == receiver
        && found.state == DelegationState::Agreed
        && found.from <= now
        && now < found.to;
    let left = book.members.get(&found.giver);
    let giver_left = left.is_some_and(|m| m.left_at.is_some_and(|at| at <= now));
    (usable && !giver_left).then(|| (**found).clone())
}

/// What a delegation lends for one request: roles the giver has now and the delegation names.
/// `path` is what the request asks for; a delegation of one matter lends for no other.
pub fn lend(delegation: &Delegation, giver: &Actor, path: &str) -> (Party, Lent) {
    let party = Party {
        tie: Tie::Delegation,
        party: giver.account.clone(),
        display: giver.display.clone(),
        document: delegation.id.clone(),
    };
    let named = |role: &&String| delegation.roles.is_empty() || delegation.roles.contains(role);
    let concerns = delegation
        .matter
        .as_ref()
        .is_none_or(|matter| path.split('/').any(|part| part == matter));
    let roles = if concerns {
        giver.roles.iter().filter(named).cloned().collect()
    } else {
        vec![]
    };
    let lent = Lent {
        roles,
        objects: delegation.objects.clone(),
    };
    (party, lent)
}
