//! Whom a task may go to, and which organisation has the work of one that stands no longer.

use super::Engine;
use super::work::Work;
use kernel::cases::{CaseState, TaskState, Worker};
use kernel::fault::Problem;
use kernel::{Fault, Words};
use store::cases::{CaseRow, TaskRow};

impl Engine {
    /// The organisation that has the work of this one now: itself while it stands.
    pub(super) fn heir(&self, code: String) -> String {
        self.means.people.successor(&code).unwrap_or(code)
    }

    /// The organisation a task is shown with: where it is to be done, or was.
    pub(super) fn shown_at(&self, task: &TaskRow) -> Option<String> {
        let code = task.organisation.clone();
        match task.state {
            TaskState::Open => code.map(|code| self.heir(code)),
            _ => code,
        }
    }

    /// The organisation in charge of a case: now, or when it ended.
    pub(super) fn in_charge(&self, case: &CaseRow) -> Option<String> {
        let code = case.organisation.clone();
        match case.state {
            CaseState::Running | CaseState::Suspended => code.map(|code| self.heir(code)),
            _ => code,
        }
    }
}

impl Work<'_> {
    /// Is there nobody of this name who could do a task? Residents do tasks that are drawn for
    /// them.
    pub(super) async fn nobody(&self, account: &str) -> Result<bool, Fault> {
        let known = self.engine.means.people.worker(account).await?;
        Ok(matches!(known, Worker::Unknown | Worker::Disabled))
    }

    /// Work is handed to officials only.
    pub(super) async fn official(&self, at: &str, account: &str) -> Result<(), Fault> {
        self.officials(at, std::iter::once(account)).await
    }

    /// The same of several; all who are none are named.
    pub(super) async fn officials(
        &self,
        at: &str,
        accounts: impl Iterator<Item = &str>,
    ) -> Result<(), Fault> {
        let mut problems = vec![];
        for account in accounts {
            let (zh, en) = match self.engine.means.people.worker(account).await? {
                Worker::Official => continue,
                Worker::Unknown => (
                    format!("没有账号“{account}”"),
                    format!("there is no account \"{account}\""),
                ),
                Worker::Disabled => (
                    format!("账号“{account}”已停用"),
                    format!("the account \"{account}\" is disabled"),
                ),
                Worker::Resident => (
                    format!("“{account}”不是工作人员账号，不能办理任务"),
                    format!("\"{account}\" is no official and cannot work on tasks"),
                ),
            };
            problems.push(Problem {
                at: at.into(),
                words: Words::new(zh, en),
            });
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Fault::invalid(problems))
    }
}
