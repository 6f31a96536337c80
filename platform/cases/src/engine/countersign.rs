//! 会签 while it goes on: one more countersigner, one fewer, an opinion taken back. Those added count
//! like those drawn, so the condition of the countersign is asked over all who really sign.

use super::access::{is_machine, may_do};
use super::desk::Reply;
use super::faults;
use super::follow::Cause;
use super::signing::{SIGNERS, plain};
use super::work::{Change, Open, Work};
use super::{Engine, office};
use crate::bpmn::{Loop, Node, NodeKind, TaskKind as Drawn};
use crate::machine::{Added, Awaited, Happened, Id, Repeats};
use kernel::access::Actor;
use kernel::cases::{Countersign, Countersigner, Place, Signed, TaskState, TaskVerb};
use kernel::{Fault, Verb};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use store::Run;
use store::cases::{TaskRow, read};

/// Countersigners shown with a task, at most.
const SHOWN: usize = 500;

/// The countersign a task is of.
struct Turns<'a> {
    /// Scope that counts.
    count: Id,
    /// Number of the task's own turn.
    own: u32,
    repeats: &'a Repeats,
    node: &'a Node,
    sequential: bool,
}

impl<'a> Turns<'a> {
    /// `None` for a task that is done once, and when the countersign is over.
    fn of(open: &'a Open, task: &TaskRow) -> Option<Turns<'a>> {
        let drawing = open.drawing().ok()?;
        let node = &drawing.nodes[drawing.find(&task.node)?];
        let Some(Loop::Instances { sequential, .. }) = &node.repeats else {
            return None;
        };
        let instance = &open.kept.instance;
        let (count, own) = match instance.waits.get(&(task.wait as u64)) {
            Some(wait) => {
                let turn = instance.scopes.get(&wait.scope)?;
                (turn.parent?, turn.turn?)
            }
            None => instance.scopes.iter().find_map(|(id, scope)| {
                let signed = &scope.repeats.as_ref()?.signed;
                let by_task = |(_, wait): &(&u32, &Id)| **wait as i64 == task.wait;
                Some((*id, *signed.iter().find(by_task)?.0))
            })?,
        };
        Some(Turns {
            count,
            own,
            repeats: instance.scopes.get(&count)?.repeats.as_ref()?,
            node,
            sequential: *sequential,
        })
    }

    /// Turns under way: number, and the wait for the person who signs.
    fn under_way(&self, open: &Open) -> BTreeMap<u32, Id> {
        let scopes = &open.kept.instance.scopes;
        let waits = open.kept.instance.waits.iter();
        let persons = waits.filter(|(_, wait)| wait.what == Awaited::Person);
        let turn = |(id, wait): (&Id, &crate::machine::Wait)| {
            let scope = scopes.get(&wait.scope)?;
            (scope.parent == Some(self.count)).then_some((scope.turn?, *id))
        };
        persons.filter_map(turn).collect()
    }

    fn to_come(&self) -> Vec<u32> {
        match self.sequential {
            true => self.repeats.to_come(),
            false => vec![],
        }
    }

    /// Is the item of a turn the account that signs?
    fn item_is_account(&self) -> bool {
        let Some(Loop::Instances { item, .. }) = &self.node.repeats else {
            return false;
        };
        let NodeKind::Task(Drawn::User(assigned) | Drawn::Manual(assigned)) = &self.node.kind
        else {
            return false;
        };
        let assignee = assigned.assignee.as_deref().map(str::trim);
        item.is_some() && assignee == item.as_deref()
    }

    /// Who signs a turn that has not begun.
    fn expected(&self, number: u32) -> Option<String> {
        if let Some(added) = self.repeats.added.get(&number) {
            return Some(added.to.clone());
        }
        let item = self.repeats.items.get(number as usize)?.as_str()?;
        self.item_is_account().then(|| item.to_string())
    }

    fn pending_id(&self, open: &Open, number: u32) -> String {
        format!("{}-{}.{number}", open.row.id, self.count)
    }
}

/// For whom a turn was added, if its scope is one that was.
pub(super) fn added_for(open: &Open, scope: Id) -> Option<&str> {
    let scopes = &open.kept.instance.scopes;
    let turn = scopes.get(&scope)?;
    let count = scopes.get(&turn.parent?)?;
    let added = count.repeats.as_ref()?.added.get(&turn.turn?)?;
    Some(&added.to)
}

impl Engine {
    /// Who may steer the case may add and take away countersigners at anybody's turn.
    pub(super) fn steers(&self, by: &Actor, open: &Open, task: &TaskRow, verb: &TaskVerb) -> bool {
        let signers = matches!(
            verb,
            TaskVerb::RemoveSigner { .. }
                | TaskVerb::AddSigner {
                    countersign: Some(_),
                    ..
                }
        );
        signers
            && task.state == TaskState::Open
            && Turns::of(open, task).is_some()
            && self.may_this(by, Verb::Operate, open)
    }

    /// The countersign a task is of, as the asker sees it.
    pub(super) async fn countersign(
        &self,
        run: &mut impl Run,
        by: &Actor,
        open: &Open,
        task: &TaskRow,
    ) -> Result<Option<Countersign>, Fault> {
        let Some(turns) = Turns::of(open, task) else {
            return Ok(None);
        };
        let repeats = turns.repeats;
        let (under_way, to_come) = (turns.under_way(open), turns.to_come());
        let numbers = 0..u32::try_from(repeats.items.len()).unwrap_or(u32::MAX);
        let is_done = |number: &u32| {
            !repeats.removed.contains(number)
                && !under_way.contains_key(number)
                && !to_come.contains(number)
        };
        let mut done: Vec<u32> = numbers.filter(is_done).collect();
        done.sort_by_key(|number| repeats.signed.get(number));
        let all = done.into_iter().map(|number| (number, Signed::Done));
        let all = all.chain(under_way.keys().map(|number| (*number, Signed::Open)));
        let all = all.chain(to_come.iter().map(|number| (*number, Signed::Pending)));
        let all: Vec<(u32, Signed)> = all.take(SHOWN).collect();
        let wait = |number: u32| {
            let begun = under_way.get(&number).copied();
            begun.or_else(|| repeats.signed.get(&number).copied())
        };
        let ids = all.iter().filter_map(|(number, _)| wait(*number));
        let ids: Vec<String> = ids.map(|wait| open.of_wait(wait)).collect();
        let rows = read::tasks(run, &ids).await?;
        let rows: HashMap<i64, TaskRow> = rows.into_iter().map(|row| (row.wait, row)).collect();
        let steers = self.may_this(by, Verb::Operate, open);
        let acts = task.state == TaskState::Open && (steers || may_do(by, task).is_ok());
        let signer = |(number, state): (u32, Signed)| {
            let row = wait(number).and_then(|wait| rows.get(&(wait as i64)));
            let added_by = repeats.added.get(&number).map(|added| added.by.clone());
            let mine = added_by.as_ref() == Some(&by.account);
            Countersigner {
                signer: row.map_or_else(|| turns.pending_id(open, number), |row| row.id.clone()),
                account: match (state, row) {
                    (Signed::Pending, _) => turns.expected(number),
                    (Signed::Done, Some(row)) => row.ended_by.clone(),
                    (_, row) => row.and_then(|row| row.assignee.clone()),
                },
                organisation: row.and_then(|row| self.shown_at(row)),
                state,
                removable: acts && state != Signed::Done && number != turns.own && (mine || steers),
                added_by,
            }
        };
        Ok(Some(Countersign {
            sequential: turns.sequential,
            instances: repeats.instances(),
            done: repeats.done,
            signers: all.into_iter().map(signer).collect(),
        }))
    }
}

/// The task that was acted at has changed, unless the step changed it already.
fn touch(change: &mut Change, mut task: TaskRow) {
    if !change.tasks.iter().any(|changed| changed.id == task.id) {
        task.revision += 1;
        change.tasks.push(task);
    }
}

impl Work<'_> {
    /// 加签 of one more countersigner.
    pub(super) async fn add_countersigner(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: TaskRow,
        (to, reason): (&str, &str),
        place: Place,
    ) -> Result<Reply, Fault> {
        faults::text("to", to, 64)?;
        faults::note("reason", reason, 500)?;
        plain(&task)?;
        let Some(turns) = Turns::of(open, &task) else {
            return Err(Fault::invalid_at(
                "countersign",
                "该任务不是会签任务，只能征求意见",
                "the task is of no countersign; only an opinion can be asked for",
            ));
        };
        if turns.repeats.added.len() >= SIGNERS as usize {
            return Err(Fault::invalid_at(
                "to",
                format!("加签至多 {SIGNERS} 人"),
                format!("{SIGNERS} signers at most"),
            ));
        }
        self.flush().await?;
        let known = self.engine.countersign(self.tx, by, open, &task).await?;
        let mut signers = known.into_iter().flat_map(|known| known.signers);
        if signers.any(|signer| signer.account.as_deref() == Some(to)) {
            return Err(faults::unfit(
                format!("{to} 已在会签人之中"),
                format!("{to} is a countersigner already"),
            ));
        }
        self.official("to", to).await?;
        let item = match turns.item_is_account() {
            true => Some(json!(to)),
            // A department, say: they sign for the one the task is for.
            false => turns.repeats.items.get(turns.own as usize).cloned(),
        };
        let happened = Happened::AddTurn {
            count: turns.count,
            item: item.unwrap_or(Value::Null),
            added: Added {
                to: to.into(),
                by: by.account.clone(),
            },
            next: place == Place::Next,
        };
        let cause = Cause::of(by, "countersigner_added", Some(&task))
            .with("to", to)
            .with("reason", reason);
        let mut change = self.advance(open, happened, cause).await?;
        let said = json!({ "task": task.id, "to": to, "countersign": place });
        change.audit(self.now, by, "add_signer", said);
        let id = task.id.clone();
        touch(&mut change, task);
        self.hand_in(change, &id)
    }

    /// 减签 of a countersigner who has not signed. Whoever signs takes away those they added
    /// themselves: nobody's voice is taken by an equal. Who steers the case takes away any.
    pub(super) async fn remove_countersigner(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: TaskRow,
        (signer, reason): (&str, &str),
    ) -> Result<Reply, Fault> {
        faults::note("reason", reason, 500)?;
        let Some(turns) = Turns::of(open, &task) else {
            return Err(Fault::missing(signer));
        };
        let (number, who) = self.countersigner(open, &task, &turns, signer).await?;
        if number == turns.own {
            return Err(Fault::invalid_at(
                "signer",
                "不能减去本任务自身，可转办或委托",
                "that is the task itself; transfer or delegate it instead",
            ));
        }
        let added = turns.repeats.added.get(&number);
        let mine = added.is_some_and(|added| added.by == by.account);
        if !mine && !is_machine(by) && !self.engine.may_this(by, Verb::Operate, open) {
            return Err(faults::not_yours(
                "只能减去自己加签的会签人；流程所定的会签人由办件管理人员减去",
                "only countersigners you added yourself; those drawn are taken away by who steers the case",
            ));
        }
        let happened = Happened::RemoveTurn {
            count: turns.count,
            number,
        };
        let cause = Cause::of(by, "countersigner_removed", Some(&task))
            .with("to", who.as_deref().unwrap_or(signer))
            .with("reason", reason);
        let mut change = self.advance(open, happened, cause).await?;
        let said = json!({ "task": task.id, "signer": signer, "to": who, "reason": reason });
        change.audit(self.now, by, "remove_signer", said);
        let id = task.id.clone();
        touch(&mut change, task);
        self.hand_in(change, &id)
    }

    /// The turn of a countersigner who has not signed, and who that is.
    async fn countersigner(
        &mut self,
        open: &Open,
        task: &TaskRow,
        turns: &Turns<'_>,
        signer: &str,
    ) -> Result<(u32, Option<String>), Fault> {
        let prefix = format!("{}-{}.", open.row.id, turns.count);
        if let Some(number) = signer.strip_prefix(&prefix) {
            let number: u32 = number.parse().map_err(|_| Fault::missing(signer))?;
            if turns.to_come().contains(&number) {
                return Ok((number, turns.expected(number)));
            }
            // It has begun since, or was taken away.
            let begun = turns.under_way(open).get(&number).copied();
            let wait = begun.or(turns.repeats.signed.get(&number).copied());
            let Some(wait) = wait else {
                return Err(faults::unfit("已减签", "it was taken away already"));
            };
            return self.begun(open, task, turns, &open.of_wait(wait)).await;
        }
        self.begun(open, task, turns, signer).await
    }

    async fn begun(
        &mut self,
        open: &Open,
        task: &TaskRow,
        turns: &Turns<'_>,
        signer: &str,
    ) -> Result<(u32, Option<String>), Fault> {
        let found = self.task(signer).await?;
        let same = |one: &TaskRow| one.case_id == task.case_id && one.node == task.node;
        let found = found.filter(|one| same(one) && plain(one).is_ok());
        let found = found.ok_or_else(|| Fault::missing(signer))?;
        if found.state != TaskState::Open {
            return Err(faults::over(&found));
        }
        let other = Turns::of(open, &found).filter(|other| other.count == turns.count);
        let other = other.ok_or_else(|| Fault::missing(signer))?;
        Ok((other.own, found.assignee))
    }

    /// 撤回 of an opinion, until the countersign is over. Where they sign one after the other, until
    /// the next one has begun.
    pub(super) async fn take_back_opinion(
        &mut self,
        by: &Actor,
        open: &Arc<Open>,
        task: &TaskRow,
        reason: &str,
    ) -> Result<Reply, Fault> {
        let Some(turns) = Turns::of(open, task) else {
            return Err(faults::unfit(
                "会签已经结束，意见不能再撤回，请由下一环节驳回",
                "the countersign is over; have it sent back instead",
            ));
        };
        if turns.sequential {
            let wait = task.wait as u64;
            let later = turns.repeats.signed.values().filter(|at| **at > wait).max();
            let present = turns.under_way(open).into_values().next();
            for next in later.copied().into_iter().chain(present) {
                if let Some(next) = self.task(&open.of_wait(next)).await? {
                    office::untouched(&next)?;
                }
            }
        }
        self.nothing_went_out(open, task).await?;
        let happened = Happened::TakeBackTurn {
            count: turns.count,
            number: turns.own,
        };
        let mut cause = Cause::of(by, "withdrawn", Some(task))
            .with("to", task.node.as_str())
            .with("reason", reason);
        cause.assign = Some((task.node.clone(), by.account.clone()));
        let mut change = self.advance(open, happened, cause).await?;
        let said = json!({ "task": task.id, "node": task.node, "reason": reason });
        change.audit(self.now, by, "withdraw", said);
        let mut task = task.clone();
        task.state = TaskState::Withdrawn;
        task.ended_at = Some(self.now);
        let id = task.id.clone();
        touch(&mut change, task);
        self.hand_in(change, &id)
    }
}
