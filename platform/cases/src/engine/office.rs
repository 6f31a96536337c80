//! The verbs of Chinese offices: 转办、委托、驳回、退回发起人、撤回、催办.

use super::access::is_machine;
use super::desk::Reply;
use super::faults;
use super::follow::Cause;
use super::signing::plain;
use super::work::{Open, Work};
use crate::bpmn::{EventWhat, Moment, Node, NodeIndex, NodeKind, Process, TaskKind as Drawn};
use crate::machine::{Awaited, Happened, Id, leads};
use kernel::access::Actor;
use kernel::cases::{TaskKind, TaskState};
use kernel::{Fault, Span};
use serde_json::{Value, json};
use std::sync::Arc;
use store::cases::{TaskRow, read};

/// Urging again must wait so long.
const URGE_EVERY: Span = Span::hours(1);

impl Work<'_> {
    /// 转办 or 委托: another has it from now on, for good or for its owner.
    pub(super) async fn hand_on(
        &mut self,
        by: &Actor,
        open: &Open,
        mut task: TaskRow,
        (to, reason): (&str, &str),
        for_owner: bool,
    ) -> Result<Reply, Fault> {
        faults::text("to", to, 64)?;
        faults::note("reason", reason, 500)?;
        plain(&task)?;
        if task.assignee.as_deref() == Some(to) {
            return Err(Fault::invalid_at(
                "to",
                "该任务已在此人手上",
                "that person has the task already",
            ));
        }
        self.official("to", to).await?;
        let from = task.assignee.clone();
        let what = if for_owner {
            // Delegated further it stays its first owner's.
            task.owner.get_or_insert_with(|| by.account.clone());
            "delegated"
        } else {
            task.owner = None;
            "transferred"
        };
        task.assignee = Some(to.into());
        task.claimed_at = None;
        let details = json!({ "from": from, "to": to, "reason": reason });
        self.changed(by, open, task, what, details)
    }

    /// 驳回: the token of the task goes back to a task that was done, to who did it.
    pub(super) async fn send_back(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: TaskRow,
        to: &str,
        reason: &str,
    ) -> Result<Reply, Fault> {
        faults::text("reason", reason, 500)?;
        let who = self.who_did(open, to).await?;
        self.lead_back(by, open, &task, (to, &who), (reason, "sent_back"))
            .await
    }

    /// Who did a task of a case last, of those at this node.
    pub(super) async fn who_did(&mut self, open: &Open, node: &str) -> Result<String, Fault> {
        let done = self.tasks_of(&open.row.id, TaskState::Done, Some(node));
        let mut done = done.await?.into_iter();
        let Some(done) = done.rfind(|task| task.kind == TaskKind::Task) else {
            return Err(Fault::invalid_at(
                "to",
                "只能驳回到该办件已办结的环节",
                "that is no task of the case that was done",
            ));
        };
        Ok(done.owner.or(done.ended_by).unwrap_or_default())
    }

    /// 退回发起人: back to the first task of the case, to who started it.
    pub(super) async fn return_to_starter(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: TaskRow,
        reason: &str,
    ) -> Result<Reply, Fault> {
        faults::text("reason", reason, 500)?;
        self.flush().await?;
        let first = read::first_task(self.tx, &open.row.id).await?;
        let Some(first) = first.filter(|first| first.node != task.node) else {
            return Err(faults::unfit(
                "该任务已是首个环节，无法再退回",
                "this is the first task of the case already",
            ));
        };
        let who = open.row.started_by.clone();
        self.lead_back(by, open, &task, (&first.node, &who), (reason, "returned"))
            .await
    }

    async fn lead_back(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: &TaskRow,
        (to, who): (&str, &str),
        (reason, what): (&str, &'static str),
    ) -> Result<Reply, Fault> {
        plain(task)?;
        let drawing = open.drawing()?;
        let from = drawing.find(&task.node);
        let from = from.ok_or_else(|| Fault::missing(&task.node))?;
        let node = back(drawing, to, from)?;
        let token = token_of(open, task)?;
        let mut cause = Cause::of(by, what, Some(task))
            .with("to", to)
            .with("reason", reason);
        cause.ends_as = Some(TaskState::SentBack);
        cause.assign = back_to(&drawing.nodes[node], who);
        let moved = Happened::Move { token, to: node };
        let mut change = self.advance(open, moved, cause).await?;
        let said = json!({ "task": task.id, "node": task.node, "to": to, "reason": reason });
        change.audit(self.now, by, what, said);
        self.hand_in(change, &task.id)
    }

    /// 撤回: takes back what one has done, while nobody has gone on with it.
    pub(super) async fn withdraw(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: &TaskRow,
        reason: &str,
    ) -> Result<Reply, Fault> {
        faults::note("reason", reason, 500)?;
        if task.ended_by.as_deref() != Some(by.account.as_str()) {
            return Err(Fault::missing(&task.id));
        }
        open.running()?;
        plain(task)?;
        if task.state != TaskState::Done {
            return Err(faults::over(task));
        }
        let drawing = open.drawing()?;
        let node = drawing.find(&task.node);
        let node = node.ok_or_else(|| Fault::missing(&task.node))?;
        if drawing.nodes[node].repeats.is_some() {
            return self.take_back_opinion(by, open, task, reason).await;
        }
        self.flush().await?;
        let followed = read::opened_in(self.tx, &open.row.id, task.ended_in).await?;
        let Some(next) = followed.first().cloned() else {
            return Err(faults::unfit(
                "之后没有环节，无法撤回",
                "no task followed; it cannot be taken back",
            ));
        };
        for next in &followed {
            self.know(next);
            untouched(next)?;
            let at = drawing.find(&next.node);
            if !at.is_some_and(|at| leads(drawing, node, at)) {
                return Err(faults::unfit(
                    "办结后还启动了其他分支的环节，无法撤回",
                    "tasks of other branches began with it; it cannot be taken back",
                ));
            }
        }
        self.nothing_went_out(open, task).await?;
        let token = token_of(open, &next)?;
        let mut cause = Cause::of(by, "withdrawn", Some(&next))
            .with("to", task.node.as_str())
            .with("reason", reason);
        cause.ends_as = Some(TaskState::Withdrawn);
        cause.assign = Some((task.node.clone(), by.account.clone()));
        let moved = Happened::Move { token, to: node };
        let mut change = self.advance(open, moved, cause).await?;
        let said = json!({ "task": task.id, "node": task.node, "reason": reason });
        change.audit(self.now, by, "withdraw", said);
        self.hand_in(change, &next.id)
    }

    /// What went out with a task cannot be called back: messages, signals, functions, other
    /// processes.
    pub(super) async fn nothing_went_out(
        &mut self,
        open: &Open,
        task: &TaskRow,
    ) -> Result<(), Fault> {
        let drawing = open.drawing()?;
        let entries = read::entries_of_task(self.tx, &open.row.id, &task.id).await?;
        let done = entries.iter().rfind(|entry| entry.what == "completed");
        let entered = done.and_then(|entry| entry.details["entered"].as_array());
        let nodes = entered.into_iter().flatten().filter_map(Value::as_str);
        let nodes = nodes.filter_map(|node| drawing.find(node));
        let out = nodes
            .map(|at| &drawing.nodes[at])
            .find(|node| goes_out(&node.kind));
        match out {
            None => Ok(()),
            Some(node) => {
                let name = if node.name.is_empty() {
                    &node.id
                } else {
                    &node.name
                };
                Err(faults::unfit(
                    format!("办结后已自动执行“{name}”，不能撤回"),
                    format!("\"{name}\" was done with it and cannot be called back"),
                ))
            }
        }
    }

    /// 催办: whoever started the case, or had a part in it, asks to hurry.
    pub(super) async fn urge(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: &TaskRow,
        words: &str,
    ) -> Result<Reply, Fault> {
        faults::note("words", words, 500)?;
        if !self.engine.may_see(self.tx, by, open).await? && !is_machine(by) {
            return Err(Fault::missing(&task.id));
        }
        if task.state != TaskState::Open {
            return Err(faults::over(task));
        }
        open.running()?;
        if let Some(last) = task.urged_at
            && self.now < last + URGE_EVERY
        {
            let next = (last + URGE_EVERY).for_people();
            return Err(faults::unfit(
                format!("一小时内已催办，{next} 后可再次催办"),
                format!("it was urged within the hour; again after {next}"),
            ));
        }
        let mut task = task.clone();
        task.urged += 1;
        task.urged_at = Some(self.now);
        self.changed(by, open, task, "urged", json!({ "words": words }))
    }
}

/// The node of this name, if it leads to another.
pub(super) fn back(drawing: &Process, to: &str, from: NodeIndex) -> Result<NodeIndex, Fault> {
    let node = drawing.find(to).ok_or_else(|| Fault::missing(to))?;
    if leads(drawing, node, from) {
        return Ok(node);
    }
    Err(Fault::invalid_at(
        "to",
        "该环节在另一条并行分支上，不通向当前环节，不能驳回到那里",
        "that task is in another branch and does not lead here; it cannot be sent back to",
    ))
}

/// Whose a task is that was sent back to: who did it. Of a repeated task every turn is somebody
/// else's.
pub(super) fn back_to(node: &Node, who: &str) -> Option<(String, String)> {
    let known = node.repeats.is_none() && !who.is_empty() && who != "system";
    known.then(|| (node.id.clone(), who.to_string()))
}

/// Has nobody touched what followed?
pub(super) fn untouched(next: &TaskRow) -> Result<(), Fault> {
    if next.state != TaskState::Open {
        return Err(faults::over(next));
    }
    if next.claimed_at.is_some() || next.signers > 0 || next.revision > 1 {
        return Err(faults::taken(next));
    }
    Ok(())
}

/// Does a node do something outside its case?
fn goes_out(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Task(task) => matches!(task, Drawn::Send(_) | Drawn::Service(_)),
        NodeKind::Call { .. } => true,
        NodeKind::Event { moment, what } => {
            matches!(moment, Moment::Throw | Moment::End)
                && matches!(what, EventWhat::Message(_) | EventWhat::Signal(_))
        }
        _ => false,
    }
}

/// The token that waits at a task.
fn token_of(open: &Open, task: &TaskRow) -> Result<Id, Fault> {
    let wait = open.kept.instance.waits.get(&(task.wait as u64));
    let person = wait.filter(|wait| wait.what == Awaited::Person);
    let token = person.and_then(|wait| wait.token);
    token.ok_or_else(|| Fault::missing(&task.id))
}
