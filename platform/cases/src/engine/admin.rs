//! What is done to a case as a whole: stopped, resumed, ended, its clocks stopped for a legal reason.

use super::clocks;
use super::desk::Reply;
use super::faults;
use super::follow::Cause;
use super::start::size;
use super::work::{Change, Open, Work};
use crate::machine::{Happened, Place, ROOT};
use kernel::access::Actor;
use kernel::cases::{CaseState, CaseVerb, Pause, TaskState};
use kernel::{Fault, Verb};
use serde_json::{Value, json};
use std::sync::Arc;

impl Work<'_> {
    pub(super) async fn rule(
        &mut self,
        by: &Actor,
        case: &str,
        seen: Option<i64>,
        verb: &CaseVerb,
    ) -> Result<Reply, Fault> {
        let open = self.case_or_number(case).await?;
        let by = self.ruler(by, &open, verb).await?;
        let by = &by;
        if let Some(seen) = seen
            && seen != open.row.revision
        {
            return Err(faults::stale(seen, open.row.revision));
        }
        if open.row.state.ended() {
            return Err(faults::not_running(open.row.state));
        }
        match verb {
            CaseVerb::Suspend { reason } => {
                faults::text("reason", reason, 500)?;
                open.running()?;
                let details = json!({ "reason": reason });
                self.set_state(by, &open, CaseState::Suspended, "suspended", details)
            }
            CaseVerb::Resume => {
                if open.row.state != CaseState::Suspended {
                    return Err(faults::not_running(open.row.state));
                }
                self.set_state(by, &open, CaseState::Running, "resumed", json!({}))
            }
            CaseVerb::Cancel { reason } => {
                faults::text("reason", reason, 500)?;
                let cause = Cause::of(by, "cancelled", None).with("reason", reason.as_str());
                let details = json!({ "reason": reason });
                self.step(by, &open, Happened::Cancel, cause, details).await
            }
            CaseVerb::Pause { .. } => self.pause(by, &open, verb).await,
            CaseVerb::Unpause => self.unpause(by, &open).await,
            CaseVerb::Set { data } => {
                size("data", data)?;
                let fields: Vec<&String> = data.keys().collect();
                let details = json!({ "fields": fields });
                let cause = Cause::of(by, "set", None).with("fields", details["fields"].clone());
                let happened = Happened::Set {
                    scope: ROOT,
                    variables: data.clone(),
                };
                self.step(by, &open, happened, cause, details).await
            }
            CaseVerb::Retry => self.retry(by, open).await,
            CaseVerb::Move { token, to, reason } => {
                faults::text("reason", reason, 500)?;
                let node = open.drawing()?.find(to);
                let happened = Happened::Move {
                    token: *token,
                    to: node.ok_or_else(|| Fault::missing(to))?,
                };
                let details = json!({ "to": to, "reason": reason });
                let cause = Cause::of(by, "moved", None)
                    .with("to", to.as_str())
                    .with("reason", reason.as_str());
                self.step(by, &open, happened, cause, details).await
            }
        }
    }

    /// Who may: the policy says; clocks are also for whoever has a task of the case in hand.
    async fn ruler(&mut self, by: &Actor, open: &Open, verb: &CaseVerb) -> Result<Actor, Fault> {
        if matches!(verb, CaseVerb::Pause { .. } | CaseVerb::Unpause) {
            let tasks = self.tasks_of(&open.row.id, TaskState::Open, None).await?;
            let holds = |task: &store::cases::TaskRow| {
                task.assignee.as_deref() == Some(by.account.as_str()) && task.claimed_at.is_some()
            };
            if tasks.iter().any(holds) {
                return Ok(by.clone());
            }
        }
        match self.engine.demand_this(by, Verb::Operate, open) {
            Ok(by) => Ok(by),
            Err(fault) if self.engine.may_see(self.tx, by, open).await? => Err(fault),
            Err(_) => Err(Fault::missing(&open.row.id)),
        }
    }

    async fn step(
        &mut self,
        by: &Actor,
        open: &Open,
        happened: Happened,
        cause: Cause,
        details: Value,
    ) -> Result<Reply, Fault> {
        let what = cause.what;
        let mut change = self.advance(open, happened, cause).await?;
        change.audit(self.now, by, what, details);
        let open = self.take(change)?;
        Ok(Reply::Case(Box::new(self.view(&open))))
    }

    fn set_state(
        &mut self,
        by: &Actor,
        open: &Open,
        state: CaseState,
        what: &str,
        details: Value,
    ) -> Result<Reply, Fault> {
        let mut change = Change::of(open);
        change.case.row.state = state;
        change.note(self.now, &by.account, what, None, details.clone());
        change.audit(self.now, by, what, details);
        let open = self.take(change)?;
        Ok(Reply::Case(Box::new(self.view(&open))))
    }

    async fn pause(&mut self, by: &Actor, open: &Open, verb: &CaseVerb) -> Result<Reply, Fault> {
        let CaseVerb::Pause { kind, basis, note } = verb else {
            return Ok(Reply::Nothing);
        };
        faults::text("basis", basis, 200)?;
        faults::note("note", note, 500)?;
        let pauses = &open.kept.pauses;
        if pauses.last().is_some_and(|pause| pause.to.is_none()) {
            return Err(faults::unfit("计时已暂停", "the clock is stopped already"));
        }
        if pauses.len() >= clocks::PAUSES {
            let limit = clocks::PAUSES;
            return Err(faults::unfit(
                format!("暂停次数已达上限（{limit}）"),
                format!("the clock was stopped {limit} times, which is the limit"),
            ));
        }
        let mut change = Change::of(open);
        change.case.kept.pauses.push(Pause {
            from: self.now,
            to: None,
            kind: *kind,
            basis: basis.clone(),
            note: note.clone(),
            by: by.account.clone(),
        });
        let details = json!({ "kind": kind, "basis": basis, "note": note });
        self.clocks_changed(by, change, "paused", details).await
    }

    async fn unpause(&mut self, by: &Actor, open: &Open) -> Result<Reply, Fault> {
        let mut change = Change::of(open);
        let last = change.case.kept.pauses.last_mut();
        let Some(pause) = last.filter(|pause| pause.to.is_none()) else {
            return Err(faults::unfit("计时未暂停", "the clock is not stopped"));
        };
        pause.to = Some(self.now);
        let details = json!({ "kind": pause.kind, "since": pause.from });
        self.clocks_changed(by, change, "unpaused", details).await
    }

    /// Counts the clocks of a case anew.
    async fn clocks_changed(
        &mut self,
        by: &Actor,
        mut change: Change,
        what: &str,
        details: Value,
    ) -> Result<Reply, Fault> {
        let calendar = self.engine.days();
        let id = change.case.row.id.clone();
        for mut task in self.tasks_of(&id, TaskState::Open, None).await? {
            if task.clock.is_some() {
                let pauses = &change.case.kept.pauses;
                let timers = clocks::set_task(&mut task, pauses, &calendar, self.now);
                change.timers.extend(timers);
                change.tasks.push(task);
            }
        }
        let timers = clocks::case_timers(&change.case, &calendar, self.now);
        change.timers.extend(timers);
        change.note(self.now, &by.account, what, None, details.clone());
        change.audit(self.now, by, what, details);
        let open = self.take(change)?;
        Ok(Reply::Case(Box::new(self.view(&open))))
    }

    /// Every token that cannot go on tries again, one step each.
    async fn retry(&mut self, by: &Actor, open: Arc<Open>) -> Result<Reply, Fault> {
        let tokens = open.kept.instance.tokens.iter();
        let stuck: Vec<u64> = tokens
            .filter(|(_, token)| matches!(token.place, Place::Stuck { .. }))
            .map(|(id, _)| *id)
            .collect();
        let mut open = open;
        for token in stuck {
            let there = open.kept.instance.tokens.contains_key(&token);
            if !there || open.row.state.ended() {
                continue;
            }
            let cause = Cause::of(by, "retried", None).with("token", token);
            let mut change = self
                .advance(&open, Happened::Retry { token }, cause)
                .await?;
            change.audit(self.now, by, "retry", json!({ "token": token }));
            open = self.take(change)?;
        }
        Ok(Reply::Case(Box::new(self.view(&open))))
    }
}
