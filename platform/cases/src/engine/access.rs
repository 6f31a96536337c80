//! Who may do what.

use super::work::Open;
use super::{Engine, faults};
use kernel::access::Actor;
use kernel::cases::TaskState;
use kernel::{Facts, Fault, Verb};
use std::collections::BTreeSet;
use store::cases::{TaskRow, read};

/// Holders of one person, at most.
const HOLDERS: usize = 500;

/// Is it the machine itself?
pub(super) fn is_machine(actor: &Actor) -> bool {
    actor.account == "system" && actor.standing.session.is_none()
}

/// What a person holds: their account, organisations, roles, and roles within organisations.
pub(super) fn holders(actor: &Actor, own: bool, offered: bool) -> Vec<String> {
    let mut holders = vec![];
    if own && !actor.account.is_empty() {
        holders.push(format!("a:{}", actor.account));
    }
    if !offered {
        return holders;
    }
    let mut organisations: Vec<&String> = actor.standing.organisations.iter().collect();
    organisations.extend(&actor.organisation);
    organisations.dedup();
    let roles: BTreeSet<&str> = actor.roles_for("cases").collect();
    holders.extend(organisations.iter().map(|o| format!("o:{o}")));
    holders.extend(roles.iter().map(|role| format!("r:{role}")));
    for organisation in organisations {
        holders.extend(roles.iter().map(|role| format!("r:{role}@{organisation}")));
    }
    holders.truncate(HOLDERS);
    holders
}

/// Was the task offered to this person, whoever has it now?
fn offered(actor: &Actor, task: &TaskRow) -> bool {
    let offered = TaskRow {
        assignee: None,
        ..task.clone()
    };
    let signature = offered.place().signature;
    let held = holders(actor, false, true);
    signature
        .split('\n')
        .any(|holder| !holder.is_empty() && held.iter().any(|h| h == holder))
}

/// May this person do the task? The answer to who comes too late says who was first; who has no
/// part in it does not learn that it is there.
pub(super) fn may_do(actor: &Actor, task: &TaskRow) -> Result<(), Fault> {
    let own = task.assignee.as_deref() == Some(actor.account.as_str());
    let machine = is_machine(actor);
    if !(own || machine || offered(actor, task)) {
        let had = task.ended_by.as_deref() == Some(actor.account.as_str())
            || task.owner.as_deref() == Some(actor.account.as_str());
        if !had {
            return Err(Fault::missing(&task.id));
        }
        if task.state == TaskState::Open {
            return Err(faults::not_yours(
                "该任务不在您手上",
                "the task is not in your hand",
            ));
        }
    }
    if task.state != TaskState::Open {
        return Err(faults::over(task));
    }
    if task.assignee.is_some() && !own && !machine {
        return Err(faults::taken(task));
    }
    Ok(())
}

impl Engine {
    /// May this person see the case? Those who started it, have or had a task of it, or whom the
    /// policy lets read it.
    pub(super) async fn may_see(
        &self,
        run: &mut impl store::Run,
        actor: &Actor,
        open: &Open,
    ) -> Result<bool, Fault> {
        let row = &open.row;
        if actor.account.is_empty() {
            return Ok(false);
        }
        if is_machine(actor) || row.started_by == actor.account {
            return Ok(true);
        }
        if self.may_this(actor, Verb::Read, open) {
            return Ok(true);
        }
        if read::took_part(run, &row.id, &actor.account).await? {
            return Ok(true);
        }
        let tasks = read::tasks_of(run, &row.id, TaskState::Open, None, 1000).await?;
        Ok(tasks.iter().any(|task| offered(actor, task)))
    }

    /// Does the policy allow it on this case?
    pub(super) fn may_this(&self, actor: &Actor, verb: Verb, open: &Open) -> bool {
        let facts = facts(open);
        let policy = &self.means.policy;
        is_machine(actor) || policy.may_this(actor, verb, "cases", &facts).allowed()
    }

    /// The same as an error; answers the actor under the grant.
    pub(super) fn demand_this(
        &self,
        actor: &Actor,
        verb: Verb,
        open: &Open,
    ) -> Result<Actor, Fault> {
        if is_machine(actor) {
            return Ok(actor.clone());
        }
        let facts = facts(open);
        self.means.policy.demand_this(actor, verb, "cases", &facts)
    }

    /// The same of a kind of thing.
    pub(super) fn demand(&self, actor: &Actor, verb: Verb, object: &str) -> Result<Actor, Fault> {
        if is_machine(actor) {
            return Ok(actor.clone());
        }
        self.means.policy.demand(actor, verb, object)
    }
}

fn facts(open: &Open) -> Facts {
    Facts {
        key: open.row.number.clone(),
        owner: open.row.organisation.clone(),
        ..Facts::default()
    }
}
