//! Called cases and who called them: 驳回 out of a called case into its caller, and what of both may
//! be sent back to.

use super::desk::Reply;
use super::follow::Cause;
use super::office::{back, back_to};
use super::signing::plain;
use super::start::DEPTH;
use super::work::{Open, Work, kept};
use super::{Engine, faults, views};
use crate::bpmn::NodeIndex;
use crate::machine::{Awaited, Happened, leads};
use kernel::Fault;
use kernel::access::Actor;
use kernel::cases::{Acted, Target, TaskKind, TaskState};
use serde_json::json;
use std::sync::Arc;
use store::Run;
use store::cases::{TaskRow, read};

/// The node at which a case waits for one that it called, by the wait.
fn calls(open: &Open, wait: u64) -> Option<NodeIndex> {
    let found = open.kept.instance.waits.get(&wait)?;
    let calls = matches!(found.what, Awaited::Call { .. }) && !open.row.state.ended();
    calls.then_some(found.node)
}

impl Engine {
    /// A case, whoever asks.
    pub(super) async fn read_case(&self, run: &mut impl Run, id: &str) -> Result<Open, Fault> {
        let row = read::cases(run, &[id.to_string()]).await?.pop();
        let row = row.ok_or_else(|| Fault::missing(id))?;
        Ok(Open {
            kept: kept(&row)?,
            model: self.model(run, &row.process, row.version).await?,
            row,
            expressions: self.means.expressions.clone(),
        })
    }

    /// Tasks that were done and lead to this one: of its case first, then of those that called it.
    pub(super) async fn targets(
        &self,
        run: &mut impl Run,
        open: &Open,
        task: &TaskRow,
    ) -> Result<Vec<Target>, Fault> {
        let mut targets = vec![];
        let mut from = open.drawing()?.find(&task.node);
        if task.state != TaskState::Open || task.kind != TaskKind::Task {
            return Ok(targets);
        }
        let mut at = open.clone();
        while let Some(here) = from {
            let drawing = at.drawing()?;
            for id in read::passed(run, &at.row.id).await? {
                let Some(node) = drawing.find(&id).filter(|to| leads(drawing, *to, here)) else {
                    continue;
                };
                targets.push(Target {
                    case: at.row.id.clone(),
                    number: at.row.number.clone(),
                    process: drawing.name.clone(),
                    node: id,
                    name: drawing.nodes[node].name.clone(),
                });
            }
            let Some(parent) = &at.row.parent else { break };
            let wait = at.row.parent_wait as u64;
            at = self.read_case(run, parent).await?;
            from = calls(&at, wait);
        }
        Ok(targets)
    }
}

impl Work<'_> {
    /// The case that called this one and still waits for it, with the wait.
    pub(super) async fn caller(&mut self, child: &Open) -> Result<Option<(Arc<Open>, u64)>, Fault> {
        let Some(parent) = &child.row.parent else {
            return Ok(None);
        };
        let open = self.case(parent).await?;
        let wait = child.row.parent_wait as u64;
        Ok(calls(&open, wait).map(|_| (open, wait)))
    }

    /// 驳回 into a case that called this one: this one ends, and those between; the caller goes back.
    pub(super) async fn send_back_to_caller(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: TaskRow,
        (case, to): (&str, &str),
        reason: &str,
    ) -> Result<Reply, Fault> {
        faults::text("reason", reason, 500)?;
        plain(&task)?;
        // Those that end, each with its wait for the one it called.
        let mut ending: Vec<(Arc<Open>, Option<u64>)> = vec![(open.clone(), None)];
        let (caller, wait) = loop {
            let last = ending.last().map(|(last, _)| last.clone());
            let found = match last.filter(|_| ending.len() <= DEPTH as usize) {
                Some(last) => self.caller(&last).await?,
                None => None,
            };
            let Some((caller, wait)) = found else {
                return Err(Fault::invalid_at(
                    "case",
                    "不是调用本办件、且仍在等待它的办件",
                    "that case did not call this one, or waits for it no more",
                ));
            };
            if caller.row.id == case {
                break (caller, wait);
            }
            ending.push((caller, Some(wait)));
        };
        for (open, _) in ending.iter().skip(1).chain([&(caller.clone(), None)]) {
            open.running().map_err(|fault| {
                let number = &open.row.number;
                let (zh, en) = (&fault.words.zh, &fault.words.en);
                faults::unfit(
                    format!("上级办件 {number}：{zh}"),
                    format!("the calling case {number}: {en}"),
                )
            })?;
        }
        let who = self.who_did(&caller, to).await?;
        let drawing = caller.drawing()?;
        let found = caller.kept.instance.waits.get(&wait);
        let found = found.ok_or_else(|| Fault::missing(case))?;
        let node = back(drawing, to, found.node)?;
        let token = found.token.ok_or_else(|| Fault::missing(case))?;
        let mut cause = Cause::of(by, "sent_back", None)
            .with("to", to)
            .with("reason", reason)
            .with("called", open.row.number.as_str());
        cause.answered = Some(wait);
        cause.assign = back_to(&drawing.nodes[node], &who);
        let moved = Happened::Move { token, to: node };
        let above = self.advance(&caller, moved, cause).await?;
        let mut changes = vec![];
        for (place, (ended, waited)) in ending.iter().enumerate() {
            let own = (place == 0).then_some(&task);
            let mut cause = Cause::of(by, "sent_back", own)
                .with("reason", reason)
                .with("caller", caller.row.number.as_str())
                .with("caller_step", drawing.nodes[node].name.as_str());
            cause.ends_as = Some(TaskState::SentBack);
            cause.answered = *waited;
            changes.push(self.advance(ended, Happened::Cancel, cause).await?);
        }
        if let Some(change) = changes.first_mut() {
            let said = json!({
                "task": task.id, "node": task.node, "caller": caller.row.number, "to": to,
                "reason": reason,
            });
            change.audit(self.now, by, "sent_back", said);
        }
        let find = |id: &String| above.tasks.iter().find(|task| task.id == *id).cloned();
        let opened: Vec<TaskRow> = above.opened.iter().filter_map(find).collect();
        let above = self.take(above)?;
        let mut ended = None;
        for change in changes {
            let open = self.take(change)?;
            ended.get_or_insert(open);
        }
        let (task, ended) = (self.task(&task.id).await?, ended);
        let (Some(task), Some(ended)) = (task, ended) else {
            return Err(Fault::missing(case));
        };
        let (engine, calendar, now) = (self.engine, self.engine.days(), self.now);
        let view =
            |task: &TaskRow, of: &Open| views::task(engine, task, &of.kept.pauses, &calendar, now);
        Ok(Reply::Acted(Box::new(Acted {
            task: view(&task, &ended),
            case: self.view(&ended),
            opened: opened.iter().map(|task| view(task, &above)).collect(),
        })))
    }
}
