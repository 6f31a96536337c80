//! What cases tell each other: messages, signals, calls and their ends.

use super::desk::Reply;
use super::faults;
use super::follow::Cause;
use super::publish::not_published;
use super::start::{DEPTH, Origin, digest, size};
use super::work::{Change, Open, Work};
use crate::machine::{Happened, ROOT};
use kernel::access::Actor;
use kernel::cases::{CaseState, Correlated, Message, NewCase};
use kernel::{Fault, Verb};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::cases::outbox::START;
use store::cases::{JobRow, JobState, KeyRow, WaitRow, outbox, read};

/// Cases a signal reaches in one step of its job.
const SIGNALLED: u64 = 50;

impl Work<'_> {
    pub(super) async fn message(&mut self, by: &Actor, message: &Message) -> Result<Reply, Fault> {
        let by = self.engine.demand(by, Verb::Write, "cases")?;
        faults::text("name", &message.name, 200)?;
        size("data", &message.data)?;
        let key = match &message.once {
            Some(once) => match self.used(&by, once, &digest(message)?).await? {
                Ok(case) => {
                    let began = false;
                    return Ok(Reply::Correlated(Correlated { case, began }));
                }
                Err(key) => Some(key),
            },
            None => None,
        };
        let reached = self.correlate(&by, message, key).await?;
        Ok(Reply::Correlated(reached))
    }

    /// Brings a message to whom it is for.
    async fn correlate(
        &mut self,
        by: &Actor,
        message: &Message,
        key: Option<KeyRow>,
    ) -> Result<Correlated, Fault> {
        let found = match &message.case {
            Some(case) => {
                let open = self.case_or_number(case).await?;
                open.running()?;
                self.flush().await?;
                let key = (!message.key.is_null()).then(|| message.key.to_string());
                let (case, name) = (&open.row.id, &message.name);
                let waits = read::waits_of(self.tx, case, name, key.as_deref()).await?;
                // What waits for this very key comes before what takes any.
                let exact = waits.iter().find(|wait| key.as_ref() == Some(&wait.key));
                exact.or(waits.first()).cloned()
            }
            None => {
                self.flush().await?;
                let text = message.key.to_string();
                let (name, key) = (&message.name, Some(text.as_str()));
                let waits = read::waits_for(self.tx, "message", name, key, "", 100).await?;
                self.first_running(waits).await?
            }
        };
        let Some(wait) = found else {
            return self.begun_by(by, message, key).await;
        };
        let open = self.case(&wait.case_id).await?;
        let mut cause = Cause::of(by, "message", None).with("name", message.name.as_str());
        cause.answered = Some(wait.wait as u64);
        let happened = Happened::Came {
            wait: wait.wait as u64,
            variables: message.data.clone(),
        };
        let mut change = self.advance(&open, happened, cause).await?;
        change.audit(self.now, by, "message", json!({ "name": message.name }));
        change.key = key.map(|key| KeyRow {
            case_id: open.row.id.clone(),
            ..key
        });
        self.take(change)?;
        Ok(Correlated {
            case: wait.case_id,
            began: false,
        })
    }

    /// The first wait of a case that goes on.
    async fn first_running(&mut self, waits: Vec<WaitRow>) -> Result<Option<WaitRow>, Fault> {
        for wait in waits {
            if self.case(&wait.case_id).await?.row.state == CaseState::Running {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }

    /// Nobody waits for it: perhaps it begins a case.
    async fn begun_by(
        &mut self,
        by: &Actor,
        message: &Message,
        key: Option<KeyRow>,
    ) -> Result<Correlated, Fault> {
        let beginning = self.engine.shelf.begun_by(&message.name);
        let Some(beginning) = beginning.filter(|_| message.case.is_none()) else {
            return Err(Fault::missing(&format!(
                "{} {}（没有办件在等待该消息 nobody waits for it）",
                message.name, message.key
            )));
        };
        let new = NewCase {
            process: beginning.process,
            version: Some(beginning.version),
            data: message.data.clone(),
            ..NewCase::default()
        };
        let origin = Origin {
            node: Some(beginning.node),
            ..Origin::default()
        };
        let open = self.begin(by, &new, origin, key).await?;
        Ok(Correlated {
            case: open.row.id.clone(),
            began: true,
        })
    }

    pub(super) fn signal(
        &mut self,
        by: &Actor,
        name: &str,
        data: &Map<String, Value>,
    ) -> Result<Reply, Fault> {
        let by = self.engine.demand(by, Verb::Operate, "cases")?;
        faults::text("name", name, 200)?;
        size("data", data)?;
        let id = kernel::new_id(self.now);
        let job = JobRow {
            id: id.clone(),
            kind: "signal".into(),
            name: name.into(),
            body: json!({ "variables": data, "by": by.account }).to_string(),
            next_at: self.now.0,
            at: self.now.0,
            ..JobRow::default()
        };
        self.put_job(id, Some(job));
        let details = json!({ "signal": name });
        let entry = super::work::audit(self.now, &by, "signal", "cases", name, details);
        self.writes.audits.push(entry);
        Ok(Reply::Nothing)
    }

    /// Does a job other than a service, and takes it away with what it did.
    pub(super) async fn do_job(&mut self, job: &JobRow) -> Result<Reply, Fault> {
        self.flush().await?;
        // As it stands now: another program may have done it, or a part of it.
        let there = outbox::job(self.tx, &job.id).await?;
        let due = |there: &JobRow| there.state != JobState::Aside && there.next_at <= self.now.0;
        let there = there.filter(due);
        let Some(job) = &there else {
            return Ok(Reply::Nothing); // done already, or of no use any more
        };
        let body: Value =
            serde_json::from_str(&job.body).map_err(|e| Fault::internal("reading a job", e))?;
        let variables = body["variables"].as_object().cloned().unwrap_or_default();
        match job.kind.as_str() {
            "message" => {
                let message = Message {
                    name: job.name.clone(),
                    key: body["key"].clone(),
                    data: variables,
                    ..Message::default()
                };
                self.correlate(&Actor::system(), &message, None).await?;
            }
            "signal" => return self.do_signal(job, &body, variables).await,
            START => return self.begin_by_timer(job).await,
            "call" => self.do_call(job).await?,
            "escalation" => self.do_escalation(job).await?,
            "return" => self.do_return(job).await?,
            "cancel" => self.do_cancel(job, &body).await?,
            _ => {}
        }
        self.put_job(job.id.clone(), None);
        Ok(Reply::Nothing)
    }

    /// Gives a signal to the next cases that wait for it, then begins those it begins; one that
    /// cannot take it is passed over.
    async fn do_signal(
        &mut self,
        job: &JobRow,
        body: &Value,
        variables: Map<String, Value>,
    ) -> Result<Reply, Fault> {
        if body["begun"].is_string() {
            return self.begin_by_signal(job, body, variables).await;
        }
        let after = body["after"].as_str().unwrap_or("").to_string();
        let waits = read::waits_for(self.tx, "signal", &job.name, None, &after, SIGNALLED).await?;
        let next = waits.last().map(|wait| wait.id.clone());
        let mut before = after;
        for wait in waits {
            // Waits of one case stand together; the machine serves all of them at once.
            if super::work::case_of(&before) == Some(wait.case_id.as_str()) {
                continue;
            }
            before = wait.id.clone();
            let open = self.case(&wait.case_id).await?;
            let happened = Happened::Signal {
                name: job.name.clone(),
                variables: variables.clone(),
            };
            let cause = Cause::system("signal", json!({ "name": job.name }));
            let outcome = match self.advance(&open, happened, cause).await {
                Ok(change) => self.take(change).map(drop),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = outcome {
                tracing::warn!(%fault, case = wait.case_id, signal = job.name, "a signal");
            }
        }
        // Who waits is looked for before any case begins: what the signal began does not hear it again.
        let mut body = json!({ "variables": variables, "by": body["by"] });
        match next {
            Some(next) => body["after"] = json!(next),
            None => body["begun"] = json!(""),
        }
        self.go_on_later(job, &body);
        Ok(Reply::Nothing)
    }

    /// A job that is not yet done whole goes on with what its body says now.
    fn go_on_later(&mut self, job: &JobRow, body: &Value) {
        let mut job = job.clone();
        (job.body, job.next_at) = (body.to_string(), self.now.0);
        self.put_job(job.id.clone(), Some(job));
    }

    /// Begins a case of the next processes whose newest version a signal begins.
    async fn begin_by_signal(
        &mut self,
        job: &JobRow,
        body: &Value,
        variables: Map<String, Value>,
    ) -> Result<Reply, Fault> {
        let after = body["begun"].as_str().unwrap_or("");
        let shelf = &self.engine.shelf;
        let beginnings = shelf.begun_by_signal(&job.name, after, SIGNALLED as usize);
        let Some(last) = beginnings.last().map(|last| last.process.clone()) else {
            self.put_job(job.id.clone(), None);
            return Ok(Reply::Nothing);
        };
        let by = match body["by"].as_str() {
            Some(account) => Actor {
                account: account.into(),
                ..Actor::default()
            },
            None => Actor::system(),
        };
        for beginning in beginnings {
            let new = NewCase {
                process: beginning.process,
                version: Some(beginning.version),
                data: variables.clone(),
                ..NewCase::default()
            };
            let origin = Origin {
                node: Some(beginning.node),
                ..Origin::default()
            };
            if let Err(fault) = self.begin(&by, &new, origin, None).await {
                if fault.code.starts_with("store.") {
                    return Err(fault);
                }
                let process = new.process;
                tracing::warn!(%fault, process, signal = job.name, "a signal begins a case");
            }
        }
        let body = json!({ "variables": variables, "by": body["by"], "begun": last });
        self.go_on_later(job, &body);
        Ok(Reply::Nothing)
    }

    /// Begins the process a call activity names. Too deep, it is a circle: the caller gets the error
    /// `call_depth`.
    async fn do_call(&mut self, job: &JobRow) -> Result<(), Fault> {
        let open = self.case(&job.case_id).await?;
        open.running()?;
        let wait = job.wait as u64;
        let Some(found) = open.kept.instance.waits.get(&wait) else {
            return Ok(());
        };
        if self.engine.shelf.newest(&job.name).is_none() {
            // Trying again would not help before somebody publishes it: it is shown, and tried again by hand.
            let words = not_published(&job.name);
            let mut cause = Cause::system("blocked", json!({ "process": job.name }));
            cause.answered = Some(wait);
            let happened = Happened::Blocked { wait, words };
            let change = self.advance(&open, happened, cause).await?;
            self.take(change)?;
            return Ok(());
        }
        if open.row.depth + 1 >= DEPTH {
            let mut cause = Cause::system("failed", json!({ "code": "call_depth" }));
            cause.answered = Some(wait);
            let happened = Happened::Failed {
                wait,
                code: "call_depth".into(),
                variables: Map::new(),
            };
            let change = self.advance(&open, happened, cause).await?;
            self.take(change)?;
            return Ok(());
        }
        let new = NewCase {
            process: job.name.clone(),
            title: open.row.title.clone(),
            organisation: open.row.organisation.clone(),
            data: open.kept.instance.variables(found.scope),
            ..NewCase::default()
        };
        let origin = Origin {
            parent: Some((open.row.id.clone(), wait)),
            depth: open.row.depth + 1,
            ..Origin::default()
        };
        let by = Actor {
            account: open.row.started_by.clone(),
            ..Actor::default()
        };
        self.begin(&by, &new, origin, None).await?;
        Ok(())
    }

    /// A called case escalated and nothing in it caught that: its caller may.
    async fn do_escalation(&mut self, job: &JobRow) -> Result<(), Fault> {
        let child = self.case(&job.case_id).await?;
        let Some((open, wait)) = self.caller(&child).await? else {
            return Ok(());
        };
        open.running()?;
        let code = job.name.clone();
        let details = json!({ "case": child.row.id, "code": code });
        let cause = Cause::system("escalation", details);
        let change = self
            .advance(&open, Happened::Escalated { wait, code }, cause)
            .await?;
        self.take(change)?;
        Ok(())
    }

    /// A called case has ended: its caller goes on, with its variables. What it escalated before
    /// comes first.
    async fn do_return(&mut self, job: &JobRow) -> Result<(), Fault> {
        for before in outbox::jobs_of(self.tx, &job.case_id, "escalation").await? {
            self.do_escalation(&before).await?;
            self.put_job(before.id, None);
        }
        let child = self.case(&job.case_id).await?;
        let Some((open, wait)) = self.caller(&child).await? else {
            return Ok(());
        };
        open.running()?;
        let root = child.kept.instance.scopes.get(&ROOT);
        let variables = root.map(|root| root.variables.clone()).unwrap_or_default();
        let (happened, what) = match child.row.state {
            CaseState::Completed => (Happened::Came { wait, variables }, "returned"),
            _ => {
                let code = child.row.error.clone();
                let code = code.unwrap_or_else(|| "cancelled".into());
                let failed = Happened::Failed {
                    wait,
                    code,
                    variables: Map::new(),
                };
                (failed, "failed")
            }
        };
        let mut cause = Cause::system(what, json!({ "case": child.row.id }));
        cause.answered = Some(wait);
        let change = self.advance(&open, happened, cause).await?;
        self.take(change)?;
        Ok(())
    }

    /// What was called is of no use any more.
    async fn do_cancel(&mut self, job: &JobRow, body: &Value) -> Result<(), Fault> {
        let wait = body["wait"].as_i64();
        for row in read::called_by(self.tx, &job.case_id).await? {
            if Some(row.parent_wait) != wait {
                continue;
            }
            let open: Arc<Open> = self.case(&row.id).await?;
            let details = json!({ "reason": "its caller gave it up" });
            let cause = Cause::system("cancelled", details);
            let change: Change = self.advance(&open, Happened::Cancel, cause).await?;
            self.take(change)?;
        }
        Ok(())
    }
}
