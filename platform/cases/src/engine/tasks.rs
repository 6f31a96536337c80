//! What is done at a task: taken, given back, done.

use super::access::may_do;
use super::desk::Reply;
use super::follow::Cause;
use super::judging::{self, Judged};
use super::start::size;
use super::work::{Change, Open, Work, case_of};
use super::{faults, views};
use crate::machine::Happened;
use kernel::Fault;
use kernel::access::Actor;
use kernel::cases::{Acted, TaskKind, TaskState, TaskVerb};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::cases::TaskRow;

impl Work<'_> {
    pub(super) async fn act(
        &mut self,
        by: &Actor,
        id: &str,
        seen: Option<i64>,
        verb: &TaskVerb,
        judged: Judged,
    ) -> Result<Reply, Fault> {
        let task = self.task(id).await?;
        let task = task.ok_or_else(|| Fault::missing(id))?;
        let case = case_of(id).ok_or_else(|| Fault::missing(id))?;
        let open = self.case(case).await?;
        match verb {
            TaskVerb::Withdraw { reason } => return self.withdraw(by, &open, &task, reason).await,
            TaskVerb::Urge { words } => return self.urge(by, &open, &task, words).await,
            _ if self.engine.steers(by, &open, &task, verb) => {}
            _ => may_do(by, &task)?,
        }
        if let Some(seen) = seen
            && seen != task.revision
        {
            return Err(faults::stale(seen, task.revision));
        }
        // What is to be read may be read whenever.
        if task.kind != TaskKind::Reading {
            open.running()?;
        }
        match verb {
            TaskVerb::Claim => self.claim(by, &open, task),
            TaskVerb::Release => self.release(by, &open, task),
            TaskVerb::Complete { data } => self.complete(by, &open, task, (data, judged)).await,
            TaskVerb::Transfer { to, reason } => {
                self.hand_on(by, &open, task, (to, reason), false).await
            }
            TaskVerb::Delegate { to, reason } => {
                self.hand_on(by, &open, task, (to, reason), true).await
            }
            TaskVerb::AddSigner {
                to,
                reason,
                countersign: None,
            } => self.add_signer(by, &open, task, to, reason).await,
            TaskVerb::AddSigner {
                to,
                reason,
                countersign: Some(place),
            } => {
                self.add_countersigner(by, &open, task, (to, reason), *place)
                    .await
            }
            TaskVerb::RemoveSigner { signer, reason } => {
                self.remove_signer(by, &open, task, (signer, reason)).await
            }
            TaskVerb::SendBack { to, case, reason } => match case {
                Some(case) if *case != open.row.id => {
                    self.send_back_to_caller(by, &open, task, (case, to), reason)
                        .await
                }
                _ => self.send_back(by, &open, task, to, reason).await,
            },
            TaskVerb::ReturnToStarter { reason } => {
                self.return_to_starter(by, &open, task, reason).await
            }
            TaskVerb::Circulate { to, reason } => self.circulate(by, &open, task, to, reason).await,
            TaskVerb::Withdraw { .. } | TaskVerb::Urge { .. } => Ok(Reply::Nothing),
        }
    }

    fn claim(&mut self, by: &Actor, open: &Open, mut task: TaskRow) -> Result<Reply, Fault> {
        if task.assignee.is_some() && task.claimed_at.is_some() {
            // A second click of the same person.
            return self.acted(open, &task, &[]);
        }
        task.assignee = Some(by.account.clone());
        task.claimed_at = Some(self.now);
        self.changed(by, open, task, "claimed", json!({}))
    }

    fn release(&mut self, by: &Actor, open: &Open, mut task: TaskRow) -> Result<Reply, Fault> {
        if task.roles.is_empty() && task.organisation.is_none() {
            return Err(faults::unfit(
                "该任务指定由您办理，无处可退，可转办他人",
                "the task was given to you alone; transfer it instead",
            ));
        }
        task.assignee = None;
        task.claimed_at = None;
        task.owner = None;
        self.changed(by, open, task, "released", json!({}))
    }

    /// A task that changed without a step of the case.
    pub(super) fn changed(
        &mut self,
        by: &Actor,
        open: &Open,
        mut task: TaskRow,
        what: &str,
        details: Value,
    ) -> Result<Reply, Fault> {
        task.revision += 1;
        let mut change = Change::of(open);
        change.note(self.now, &by.account, what, Some(&task), details.clone());
        let said = json!({ "task": task.id, "node": task.node, "details": details });
        change.audit(self.now, by, what, said);
        let id = task.id.clone();
        change.tasks.push(task);
        self.hand_in(change, &id)
    }

    /// Hands a change in and answers with the task it was about.
    pub(super) fn hand_in(&mut self, change: Change, task: &str) -> Result<Reply, Fault> {
        let find = |id: &str| change.tasks.iter().find(|task| task.id == id).cloned();
        let about = find(task).ok_or_else(|| Fault::missing(task))?;
        let opened: Vec<TaskRow> = change.opened.iter().filter_map(|id| find(id)).collect();
        let open = self.take(change)?;
        self.acted(&open, &about, &opened)
    }

    pub(super) fn acted(
        &self,
        open: &Open,
        task: &TaskRow,
        opened: &[TaskRow],
    ) -> Result<Reply, Fault> {
        let calendar = self.engine.days();
        let view =
            |task: &TaskRow| views::task(self.engine, task, &open.kept.pauses, &calendar, self.now);
        Ok(Reply::Acted(Box::new(Acted {
            task: view(task),
            case: self.view(open),
            opened: opened.iter().map(view).collect(),
        })))
    }

    async fn complete(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        mut task: TaskRow,
        (data, judged): (&Map<String, Value>, Judged),
    ) -> Result<Reply, Fault> {
        size("data", data)?;
        match task.kind {
            TaskKind::Task => {}
            TaskKind::Signer => return self.sign(by, open, task, data).await,
            TaskKind::Reading => {
                task.state = TaskState::Done;
                task.ended_at = Some(self.now);
                task.ended_by = Some(by.account.clone());
                task.ended_name = by.display.clone();
                return self.changed(by, open, task, "read", json!({}));
            }
        }
        if task.signers > 0 {
            return Err(faults::unfit(
                format!("尚有 {} 位加签人未签署意见", task.signers),
                format!(
                    "{} added signers have not given their opinion",
                    task.signers
                ),
            ));
        }
        judging::settable(&task, data, judged)?;
        let wait = task.wait as u64;
        let mut cause = Cause::of(by, "completed", Some(&task));
        cause.ends_as = Some(TaskState::Done);
        cause.answered = Some(wait);
        if let Some(owner) = &task.owner {
            cause = cause.with("for", owner.as_str());
        }
        let happened = Happened::Came {
            wait,
            variables: data.clone(),
        };
        let mut change = self.advance(open, happened, cause).await?;
        let said = json!({
            "task": task.id, "node": task.node,
            "fields": data.keys().collect::<Vec<_>>(),
        });
        change.audit(self.now, by, "complete", said);
        self.hand_in(change, &task.id)
    }
}
