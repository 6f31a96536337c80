//! Superiors: who is told when a task is over. The first are the heads of the office of whoever has
//! it, the next those of the office above. An office without a head is passed over, and nobody is
//! their own superior.

use super::reminders::Reminders;
use kernel::cases::{CaseFile, Task, Told};
use kernel::fault::FaultKind;
use kernel::office::Members;
use kernel::organisations::Organisations;
use kernel::{Fault, Time};
use std::collections::BTreeSet;

/// Heads of one office.
#[derive(Debug, Default)]
pub(super) struct Superiors {
    pub accounts: BTreeSet<String>,
    /// The office.
    pub office: Option<String>,
}

impl Superiors {
    /// What is noted of them; those who have the task are told that already.
    pub fn told(self, light: &str, due: Time, to: &BTreeSet<String>) -> Told {
        let superiors: Vec<String> = self.accounts.difference(to).cloned().collect();
        Told {
            key: format!("{light}-{}", due.0),
            light: light.into(),
            to: to.iter().cloned().collect(),
            heads_of: self.office.into_iter().collect(),
            superiors,
        }
    }
}

/// The superiors of a task, so many levels up: 0 for the nearest.
pub(super) async fn superiors(
    reminders: &Reminders,
    file: &CaseFile,
    task: &Task,
    level: usize,
) -> Result<Superiors, Fault> {
    let holder = task.assignee.as_deref();
    let home = holder.and_then(|account| reminders.staff.member(account));
    let home = home.map(|member| member.organisation);
    let home = home.or_else(|| task.organisation.clone());
    let Some(home) = home.or_else(|| file.case.organisation.clone()) else {
        return Ok(Superiors::default());
    };
    let organisations = &reminders.organisations;
    let mut chain = vec![home.clone()];
    chain.extend(organisations.above(&home, None));
    let mut left = level;
    for office in chain {
        let mut accounts = BTreeSet::new();
        for name in organisations.heads(&office) {
            if Some(name.as_str()) != holder && stands(reminders, &name).await? {
                accounts.insert(name);
            }
        }
        if accounts.is_empty() {
            continue;
        }
        if left == 0 {
            return Ok(Superiors {
                accounts,
                office: Some(office),
            });
        }
        left -= 1;
    }
    Ok(Superiors::default())
}

/// May this account still sign in?
async fn stands(reminders: &Reminders, name: &str) -> Result<bool, Fault> {
    match reminders.identity.account(name).await {
        Ok(account) => Ok(!account.disabled),
        Err(fault) if fault.kind == FaultKind::Missing => Ok(false),
        Err(fault) => Err(fault),
    }
}
