//! What follows from a step of the machine: tasks that open and close, timers, waits, jobs, history.

use super::brought;
use super::budget::Budget;
use super::clocks::{self, TaskClock, Timers};
use super::countersign::added_for;
use super::work::{Change, Open, Work};
use crate::bpmn::{Assignment, NodeKind, TaskKind as Drawn};
use crate::clock::Counted;
use crate::machine::{Awaited, Effect, Happened, Place, Standing, Step, step};
use kernel::cases::{CaseState, TaskKind, TaskState};
use kernel::{Fault, Time};
use serde_json::{Map, Value, json};
use store::cases::{JobRow, NEVER, TaskRow, TimerRow, WaitRow};

/// Nodes named in one entry of the history, at most.
const NAMED: usize = 100;

/// Why a step is taken, and by whom.
#[derive(Clone, Default)]
pub(super) struct Cause {
    /// Account; `system` for the engine.
    pub(super) by: String,
    /// Their name.
    pub(super) name: String,
    /// What they did.
    pub(super) what: &'static str,
    /// At which task.
    pub(super) task: Option<TaskRow>,
    /// How that task ends.
    pub(super) ends_as: Option<TaskState>,
    /// Particulars.
    pub(super) details: Map<String, Value>,
    /// The task at this node goes to this account.
    pub(super) assign: Option<(String, String)>,
    /// The wait that is answered.
    pub(super) answered: Option<u64>,
}

impl Cause {
    pub(super) fn system(what: &'static str, details: Value) -> Cause {
        let details = match details {
            Value::Object(details) => details,
            _ => Map::new(),
        };
        Cause {
            by: "system".into(),
            what,
            details,
            ..Cause::default()
        }
    }

    pub(super) fn of(
        actor: &kernel::access::Actor,
        what: &'static str,
        task: Option<&TaskRow>,
    ) -> Cause {
        Cause {
            by: actor.account.clone(),
            name: actor.display.clone(),
            what,
            task: task.cloned(),
            ..Cause::default()
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Cause {
        self.details.insert(name.into(), value.into());
        self
    }
}

impl Work<'_> {
    /// Takes a step of a case.
    pub(super) async fn advance(
        &mut self,
        open: &Open,
        happened: Happened,
        mut cause: Cause,
    ) -> Result<Change, Fault> {
        if let Some(brought) = brought::step(open, &happened) {
            cause = cause.with(brought::BROUGHT, brought);
        }
        let taken = {
            let calendar = self.engine.days();
            let budget = Budget::new(&*open.expressions);
            let expressions = Counted {
                expressions: &budget,
                calendar: &calendar,
            };
            let instance = &open.kept.instance;
            step(&open.model, instance, happened, &expressions, self.now)?
        };
        self.follow(open, taken, cause).await
    }

    /// What follows from a step: everything that is to be written.
    pub(super) async fn follow(
        &mut self,
        before: &Open,
        step: Step,
        cause: Cause,
    ) -> Result<Change, Fault> {
        let mut change = Change::of(before);
        change.case.kept.instance = step.instance;
        let row = &mut change.case.row;
        let stuck = |place: &Place| matches!(place, Place::Stuck { .. });
        let tokens = change.case.kept.instance.tokens.values();
        row.stuck = tokens.filter(|token| stuck(&token.place)).count() as i64;
        let closed: Vec<u64> = step
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Closed { wait } => Some(*wait),
                _ => None,
            })
            .collect();
        for wait in closed {
            self.close(before, wait, &cause, &mut change).await?;
        }
        let mut details = cause.details.clone();
        for (number, effect) in step.effects.iter().enumerate() {
            self.effect(effect, number, &cause, &mut change).await?;
        }
        walked(&mut details, &step.effects, &change.case)?;
        let at = self.now;
        change.decided(at, &cause, &step.effects, &mut details)?;
        change.note(
            at,
            &cause.by,
            cause.what,
            cause.task.as_ref(),
            Value::Object(details),
        );
        if change.case.kept.instance.ended() {
            self.end(&mut change, &cause);
        }
        Ok(change)
    }

    /// A wait is over: what hangs on it goes.
    async fn close(
        &mut self,
        before: &Open,
        wait: u64,
        cause: &Cause,
        change: &mut Change,
    ) -> Result<(), Fault> {
        let Some(found) = before.kept.instance.waits.get(&wait) else {
            return Ok(()); // opened and closed in the same step
        };
        let id = before.of_wait(wait);
        match &found.what {
            Awaited::Person => {
                let Some(mut task) = self.task(&id).await? else {
                    return Ok(());
                };
                let acted = cause.task.as_ref().is_some_and(|t| t.id == id);
                if task.signers > 0 {
                    self.drop_signers(before, &task, change).await?;
                    task.signers = 0;
                }
                change.timers.extend(clocks::drop_task(&task, self.now));
                task.state = match cause.ends_as {
                    Some(state) if acted => state,
                    _ => TaskState::Dropped,
                };
                task.ended_at = Some(self.now);
                task.ended_in = change.case.row.revision;
                task.ended_by = Some(cause.by.clone());
                task.ended_name = cause.name.clone();
                task.revision += 1;
                change.tasks.push(task);
            }
            Awaited::Service { .. } => change.jobs.push((id, None)),
            Awaited::Message { .. } | Awaited::Signal { .. } => change.waits.push((id, None)),
            Awaited::Timer { .. } => change.timers.push((id, None)),
            Awaited::Call { .. } => {
                change.jobs.push((id.clone(), None));
                // What is called is of no use any more, unless it has just answered.
                if cause.answered != Some(wait) {
                    let id = format!("{id}-cancel");
                    let job = self.job(&id, &change.case, 0, "cancel", "", json!({ "wait": wait }));
                    change.jobs.push((id, Some(job)));
                }
            }
            Awaited::Condition { .. } => {}
        }
        Ok(())
    }

    async fn drop_signers(
        &mut self,
        before: &Open,
        task: &TaskRow,
        change: &mut Change,
    ) -> Result<(), Fault> {
        let open = self
            .tasks_of(&before.row.id, TaskState::Open, Some(&task.node))
            .await?;
        for mut signer in open {
            if signer.kind == TaskKind::Signer && signer.parent.as_ref() == Some(&task.id) {
                signer.state = TaskState::Dropped;
                signer.ended_at = Some(self.now);
                signer.ended_in = change.case.row.revision;
                signer.revision += 1;
                change.tasks.push(signer);
            }
        }
        Ok(())
    }

    pub(super) fn job(
        &self,
        id: &str,
        case: &Open,
        wait: u64,
        kind: &str,
        name: &str,
        body: Value,
    ) -> JobRow {
        JobRow {
            id: id.into(),
            case_id: case.row.id.clone(),
            wait: wait as i64,
            kind: kind.into(),
            name: name.into(),
            body: body.to_string(),
            next_at: self.now.0,
            at: self.now.0,
            ..JobRow::default()
        }
    }

    async fn effect(
        &mut self,
        effect: &Effect,
        number: usize,
        cause: &Cause,
        change: &mut Change,
    ) -> Result<(), Fault> {
        let later = |change: &Change| {
            let row = &change.case.row;
            format!("{}-e{}-{number}", row.id, row.revision)
        };
        match effect {
            Effect::Opened { wait } => self.opened(*wait, cause, change).await?,
            Effect::Sent {
                name,
                key,
                variables,
            } => {
                let id = later(change);
                let body = json!({ "key": key, "variables": variables });
                let job = self.job(&id, &change.case, 0, "message", name, body);
                change.jobs.push((id, Some(job)));
            }
            Effect::Signalled { name, variables } => {
                let id = later(change);
                let body = json!({ "variables": variables });
                let job = self.job(&id, &change.case, 0, "signal", name, body);
                change.jobs.push((id, Some(job)));
            }
            Effect::Escalated { code } => {
                let at = self.now;
                change.note(at, &cause.by, "escalated", None, json!({ "code": code }));
                if change.case.row.parent.is_some() {
                    let id = later(change);
                    let job = self.job(&id, &change.case, 0, "escalation", code, json!({}));
                    change.jobs.push((id, Some(job)));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Something is waited for from now on.
    async fn opened(&mut self, wait: u64, cause: &Cause, change: &mut Change) -> Result<(), Fault> {
        let Some(found) = change.case.kept.instance.waits.get(&wait).cloned() else {
            return Ok(()); // over again already
        };
        let id = change.case.of_wait(wait);
        let row = |kind: &str, name: &str, key: String| WaitRow {
            id: id.clone(),
            case_id: change.case.row.id.clone(),
            wait: wait as i64,
            kind: kind.into(),
            name: name.into(),
            key,
        };
        match &found.what {
            Awaited::Person => {
                let (task, timers) = self.new_task(&id, wait, &found, cause, change).await?;
                change.opened.push(id);
                change.tasks.push(task);
                change.timers.extend(timers);
            }
            Awaited::Message { name, key } => {
                let row = row("message", name, key.to_string());
                change.waits.push((id, Some(row)));
            }
            Awaited::Signal { name } => {
                let row = row("signal", name, "null".into());
                change.waits.push((id, Some(row)));
            }
            Awaited::Timer { due, .. } => {
                let timer = TimerRow {
                    id: id.clone(),
                    case_id: change.case.row.id.clone(),
                    wait: wait as i64,
                    kind: "timer".into(),
                    due_at: due.0,
                    ..TimerRow::default()
                };
                change.timers.push((id, Some(timer)));
            }
            Awaited::Service { function } => {
                let job = self.job(&id, &change.case, wait, "service", function, json!({}));
                change.jobs.push((id, Some(job)));
            }
            Awaited::Call { process } => {
                let job = self.job(&id, &change.case, wait, "call", process, json!({}));
                change.jobs.push((id, Some(job)));
            }
            Awaited::Condition { .. } => {}
        }
        Ok(())
    }

    /// The task of a wait for a person.
    async fn new_task(
        &self,
        id: &str,
        wait: u64,
        found: &crate::machine::Wait,
        cause: &Cause,
        change: &Change,
    ) -> Result<(TaskRow, Timers), Fault> {
        let case = &change.case;
        let node = &case.drawing()?.nodes[found.node];
        let none = Assignment::default();
        let assignment = match &node.kind {
            NodeKind::Task(Drawn::User(assignment) | Drawn::Manual(assignment)) => assignment,
            _ => &none,
        };
        let variables = case.kept.instance.variables(found.scope);
        let text = |expression: &Option<String>| self.text_of(expression.as_deref(), &variables);
        let mut assignee = text(&assignment.assignee);
        let mut organisation = text(&assignment.organisation);
        let mut roles = assignment.roles.clone();
        // Whoever was added to a countersign signs in person.
        if let Some(account) = added_for(case, found.scope) {
            assignee = Some(account.into());
            (organisation, roles) = (None, vec![]);
        }
        if let Some((at, account)) = &cause.assign
            && *at == node.id
        {
            assignee = Some(account.clone());
        }
        // One who is not there, or there no more, would never see it.
        if let Some(account) = &assignee
            && self.nobody(account).await?
        {
            assignee = None;
        }
        // A task nobody would see is shown to the organisation in charge.
        if assignee.is_none() && organisation.is_none() && roles.is_empty() {
            organisation = case.row.organisation.clone();
        }
        let organisation = organisation.map(|code| self.engine.heir(code));
        let due = assignment.due.as_deref();
        let clock = due.and_then(|due| TaskClock::parse(due, self.now));
        let clock = clock.or_else(|| TaskClock::parse(&text(&assignment.due)?, self.now));
        let mut task = TaskRow {
            id: id.into(),
            wait: wait as i64,
            node: node.id.clone(),
            name: node.name.clone(),
            assignee,
            roles,
            organisation,
            form: assignment.form.clone(),
            clock: clock.and_then(|clock| serde_json::to_string(&clock).ok()),
            ..blank_task(case, self.now)
        };
        let calendar = self.engine.days();
        let timers = clocks::set_task(&mut task, &case.kept.pauses, &calendar, self.now);
        Ok((task, timers))
    }

    /// The text an expression gives; what gives none is nobody.
    fn text_of(&self, expression: Option<&str>, variables: &Map<String, Value>) -> Option<String> {
        let expressions = &self.engine.means.expressions;
        match expressions.evaluate(expression?, variables) {
            Ok(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// The case came to its end.
    fn end(&mut self, change: &mut Change, cause: &Cause) {
        let (state, error) = match &change.case.kept.instance.state {
            Standing::Failed { code } => (CaseState::Failed, Some(code.clone())),
            Standing::Cancelled => (CaseState::Cancelled, None),
            Standing::Running | Standing::Completed => (CaseState::Completed, None),
        };
        let row = &mut change.case.row;
        (row.state, row.error) = (state, error.clone());
        row.ended_at = Some(self.now);
        (row.clocked, row.stuck) = (0, 0);
        if let Some(pause) = change.case.kept.pauses.last_mut() {
            pause.to.get_or_insert(self.now);
        }
        let calendar = self.engine.days();
        let timers = clocks::case_timers(&change.case, &calendar, self.now);
        change.timers.extend(timers);
        let at = self.now;
        let details = json!({ "state": state.word(), "error": error });
        change.note(at, &cause.by, "ended", None, details);
        if change.case.row.parent.is_some() {
            let id = format!("{}-return", change.case.row.id);
            let job = self.job(&id, &change.case, 0, "return", "", json!({}));
            change.jobs.push((id, Some(job)));
        }
    }
}

/// A task of a case, not yet for anybody.
pub(super) fn blank_task(case: &Open, now: Time) -> TaskRow {
    TaskRow {
        id: String::new(),
        case_id: case.row.id.clone(),
        wait: 0,
        number: case.row.number.clone(),
        title: case.row.title.clone(),
        process: case.row.process.clone(),
        node: String::new(),
        name: String::new(),
        kind: TaskKind::Task,
        state: TaskState::Open,
        queue: None,
        assignee: None,
        owner: None,
        roles: vec![],
        organisation: None,
        parent: None,
        form: None,
        opened_at: now,
        opened_in: case.row.revision,
        claimed_at: None,
        ended_at: None,
        ended_in: 0,
        ended_by: None,
        ended_name: String::new(),
        due_at: NEVER,
        yellow_at: NEVER,
        clock: None,
        signers: 0,
        urged: 0,
        urged_at: None,
        revision: 1,
    }
}

/// Says which nodes were entered, left and given up.
fn walked(details: &mut Map<String, Value>, effects: &[Effect], case: &Open) -> Result<(), Fault> {
    let drawing = case.drawing()?;
    let mut said = |word: &str, node: &usize| {
        let list = details.entry(word).or_insert_with(|| json!([]));
        if let (Some(list), Some(node)) = (list.as_array_mut(), drawing.nodes.get(*node))
            && list.len() < NAMED
        {
            list.push(json!(node.id));
        }
    };
    for effect in effects {
        match effect {
            Effect::Entered { node, .. } => said("entered", node),
            Effect::Left { node, .. } => said("left", node),
            Effect::Cancelled { node, .. } => said("given_up", node),
            _ => {}
        }
    }
    for effect in effects {
        if let Effect::Stuck { token } = effect
            && let Some(token) = case.kept.instance.tokens.get(token)
            && let Place::Stuck { zh, en } = &token.place
        {
            details.insert("stuck".into(), json!({ "zh": zh, "en": en }));
        }
    }
    Ok(())
}
