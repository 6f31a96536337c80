//! What is done after a step: timers that are due, jobs, services. Each is tried again after a
//! growing wait and set aside after too many failures, where an operator sees it; none holds the
//! others up.

use super::Engine;
use super::budget::Budget;
use super::desk::{Deed, Reply};
use super::follow::Cause;
use super::work::{Change, Open, Work, audit};
use crate::machine::{Awaited, Effect, Happened, Standing, step};
use futures::future::join_all;
use kernel::access::Actor;
use kernel::cases::{CaseState, Served};
use kernel::{Fault, Noted, Span, Time, Verb, Words};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use store::Backend;
use store::cases::{JobRow, JobState, TimerRow, outbox};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Timers or jobs looked at in one round, at most.
const ROUND: u64 = 256;
/// What is due of a suspended case is looked at again after this.
const SUSPENDED_WAIT: Span = Span::seconds(60);
/// How much longer than its limit a service is reserved, to write down its end.
const LEASE_SLACK: Span = Span::seconds(30);

impl Engine {
    /// At the start: reservations of a process that is gone are given up. On PostgreSQL another
    /// process may hold them; there they run out by themselves.
    pub(super) async fn recover(&self) -> Result<(), Fault> {
        if self.store.backend() == Backend::Postgres {
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        let freed = outbox::release_all(&mut tx, self.clock.now()).await?;
        tx.commit().await?;
        if freed > 0 {
            tracing::info!(freed, "services that a stop cut short are called again");
        }
        Ok(())
    }

    /// Does what is due, until `stop` is ready. A store that does not answer is logged and tried
    /// again.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let services = Arc::new(Semaphore::new(self.tuning.services));
        let mut calls = JoinSet::new();
        // Beside the work, which waits for no clock: a stop cuts it short again.
        calls.spawn(self.clone().resume_recounts());
        loop {
            let more = match self.round(&services, &mut calls).await {
                Ok(more) => more,
                Err(fault) => {
                    tracing::warn!(%fault, "looking for what is due");
                    false
                }
            };
            while calls.try_join_next().is_some() {}
            let tick = if more {
                std::time::Duration::ZERO
            } else {
                self.tuning.tick
            };
            tokio::select! {
                () = &mut stop => break,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(tick) => {}
            }
        }
        calls.shutdown().await;
    }

    /// Does everything that is due now and waits for the services it calls; for tests and tools.
    pub async fn settle(self: &Arc<Self>) -> Result<(), Fault> {
        let services = Arc::new(Semaphore::new(self.tuning.services));
        let mut calls = JoinSet::new();
        loop {
            let more = self.round(&services, &mut calls).await?;
            let called = !calls.is_empty();
            while calls.join_next().await.is_some() {}
            if !more && !called {
                return Ok(());
            }
        }
    }

    /// One look at what is due. Says whether something was done.
    async fn round(
        self: &Arc<Self>,
        services: &Arc<Semaphore>,
        calls: &mut JoinSet<()>,
    ) -> Result<bool, Fault> {
        let now = self.clock.now();
        let busy = self.busy_services();
        let (timers, jobs, due) = {
            let mut reader = self.store.reader().await?;
            let timers = outbox::due_timers(&mut reader, now, ROUND).await?;
            let jobs = outbox::due_jobs(&mut reader, now, false, &[], ROUND).await?;
            let due = outbox::due_jobs(&mut reader, now, true, &busy, ROUND).await?;
            (timers, jobs, due)
        };
        let done = !timers.is_empty() || !jobs.is_empty();
        for job in due {
            let Ok(permit) = services.clone().try_acquire_owned() else {
                break; // its turn comes when one of the others has answered
            };
            if !self.begins(&job) {
                continue;
            }
            let engine = self.clone();
            calls.spawn(async move {
                let (id, name) = (job.id.clone(), job.name.clone());
                if let Err(fault) = engine.call_service(job).await {
                    tracing::warn!(%fault, job = id, "calling a service");
                }
                engine.doing.lock().remove(&(name, id));
                drop(permit);
                engine.wake.notify_one();
            });
        }
        // In one task, so that they are handed in in their order: what was due first is first.
        let timers = timers.into_iter().map(|timer| self.try_timer(timer));
        join_all(timers).await;
        join_all(jobs.into_iter().map(|job| self.try_job(job))).await;
        Ok(done)
    }

    /// Calls of one function at the same time: one that hangs leaves room for the others.
    fn calls_of_one(&self) -> usize {
        std::cmp::max(self.tuning.services / 4, 1)
    }

    /// Functions that are called as often as they may be.
    fn busy_services(&self) -> Vec<String> {
        let doing = self.doing.lock();
        let mut busy: Vec<String> = vec![];
        for (name, _) in doing.iter() {
            let calls = doing.iter().filter(|(other, _)| other == name).count();
            if calls >= self.calls_of_one() && busy.last() != Some(name) {
                busy.push(name.clone());
            }
        }
        busy
    }

    /// Notes that a service is being called; not when it is already, or too often at once.
    fn begins(&self, job: &JobRow) -> bool {
        let mut doing = self.doing.lock();
        let calls = doing.iter().filter(|(name, _)| *name == job.name).count();
        calls < self.calls_of_one() && doing.insert((job.name.clone(), job.id.clone()))
    }

    async fn try_timer(&self, timer: TimerRow) {
        if let Err(fault) = self.submit(Deed::Fire(timer.clone())).await {
            let id = timer.id.clone();
            let failed = Deed::TimerFailed(timer, Noted::from(&fault));
            if let Err(fault) = self.submit(failed).await {
                tracing::warn!(%fault, timer = id, "noting a timer that failed");
            }
        }
    }

    async fn try_job(&self, job: JobRow) {
        if let Err(fault) = self.submit(Deed::Job(job.clone())).await {
            self.note_failure(job, fault).await;
        }
    }

    async fn note_failure(&self, job: JobRow, fault: Fault) {
        let id = job.id.clone();
        let failed = Deed::JobFailed(job, Noted::from(&fault));
        if let Err(fault) = self.submit(failed).await {
            tracing::warn!(%fault, job = id, "noting a job that failed");
        }
    }

    /// Reserves, calls, and writes down the answer.
    async fn call_service(&self, mut job: JobRow) -> Result<(), Fault> {
        let until = self.clock.now() + self.tuning.service_limit + LEASE_SLACK;
        let reserve = Deed::Reserve(job.clone(), until);
        if !matches!(self.submit(reserve).await?, Reply::Reserved(true)) {
            return Ok(());
        }
        job.attempts += 1;
        let input = {
            let mut reader = self.store.reader().await?;
            let ids = [job.case_id.clone()];
            let rows = store::cases::read::cases(&mut reader, &ids).await?;
            let row = rows.into_iter().next();
            let kept = super::work::kept(&row.ok_or_else(|| Fault::missing(&job.case_id))?)?;
            let wait = kept.instance.waits.get(&(job.wait as u64));
            let Some(wait) = wait else { return Ok(()) };
            let mut input = kept.instance.variables(wait.scope);
            // Which case calls; a variable of that name would mean something else.
            input.insert("case".into(), job.case_id.clone().into());
            input
        };
        let services = self.means.services.clone();
        let (name, key) = (job.name.clone(), job.id.clone());
        let limit = std::time::Duration::from_micros(self.tuning.service_limit.0.unsigned_abs());
        // In a task of its own: a function that breaks breaks only this call.
        let mut call = tokio::spawn(async move { services.call(&name, &key, input).await });
        let outcome = match tokio::time::timeout(limit, &mut call).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(broken)) => Err(Fault::internal("calling a service", broken)),
            Err(_) => {
                call.abort();
                let doing = "calling a service";
                Err(Fault::internal(doing, "it did not answer in time"))
            }
        };
        match outcome {
            Ok(served) => {
                if let Err(fault) = self.submit(Deed::Served(job.clone(), served)).await {
                    self.note_failure(job, fault).await;
                }
            }
            Err(fault) => self.note_failure(job, fault).await,
        }
        Ok(())
    }

    /// The wait after so many failures.
    fn wait_after(&self, failures: i64) -> Span {
        let doublings = (failures - 1).clamp(0, 40);
        let wait = self.tuning.retry_wait.0.saturating_mul(1 << doublings);
        Span(std::cmp::min(wait, self.tuning.retry_wait_limit.0))
    }
}

impl Work<'_> {
    pub(super) async fn reserve(&mut self, job: &JobRow, until: Time) -> Result<Reply, Fault> {
        self.flush().await?;
        let open = self.case(&job.case_id).await;
        if let Ok(open) = &open
            && open.row.state == CaseState::Suspended
        {
            let mut job = job.clone();
            job.next_at = (self.now + SUSPENDED_WAIT).0;
            self.wrote();
            outbox::failed(self.tx, &job).await?;
            return Ok(Reply::Reserved(false));
        }
        self.wrote();
        let reserved = outbox::reserve(self.tx, job, until, self.now).await?;
        Ok(Reply::Reserved(reserved))
    }

    /// A service answered: the case goes on, and the job is gone, in one step.
    pub(super) async fn served(&mut self, job: &JobRow, served: &Served) -> Result<Reply, Fault> {
        let open = self.case(&job.case_id).await?;
        let wait = job.wait as u64;
        let waited = open.kept.instance.waits.get(&wait);
        let waits = waited.is_some_and(|w| matches!(w.what, Awaited::Service { .. }));
        if !waits || open.row.state.ended() {
            self.put_job(job.id.clone(), None);
            return Ok(Reply::Nothing);
        }
        if let Served::Refused { code, variables } = served
            && code.starts_with("input.")
            && !self.catches(&open, wait, code)?
        {
            let error = refusal(code, variables);
            return self.put_aside(job.clone(), Some(&open), &error).await;
        }
        let (happened, what) = match served.clone() {
            Served::Done(variables) => (Happened::Came { wait, variables }, "served"),
            Served::Refused { code, variables } => {
                let failed = Happened::Failed {
                    wait,
                    code,
                    variables,
                };
                (failed, "refused")
            }
        };
        let details = json!({ "function": job.name, "attempts": job.attempts });
        let mut cause = Cause::system(what, details);
        cause.answered = Some(wait);
        let change = self.advance(&open, happened, cause).await?;
        self.take(change)?;
        Ok(Reply::Nothing)
    }

    /// Does the drawing catch an error of what is waited for?
    fn catches(&self, open: &Open, wait: u64, code: &str) -> Result<bool, Fault> {
        let failed = Happened::Failed {
            wait,
            code: code.into(),
            variables: serde_json::Map::new(),
        };
        let expressions = Budget::new(&*self.engine.means.expressions);
        let instance = &open.kept.instance;
        let taken = step(&open.model, instance, failed, &expressions, self.now)?;
        // Whoever catches it is entered, whatever follows.
        let entered = |effect: &Effect| matches!(effect, Effect::Entered { .. });
        let fails = matches!(taken.instance.state, Standing::Failed { .. });
        Ok(!fails || taken.effects.iter().any(entered))
    }

    /// Sets a job aside, where an operator sees it.
    async fn put_aside(
        &mut self,
        mut job: JobRow,
        open: Option<&Open>,
        error: &Noted,
    ) -> Result<Reply, Fault> {
        self.flush().await?;
        job.at = self.now.0;
        job.state = JobState::Aside;
        job.next_at = self.now.0;
        job.error = error.to_text();
        if let Some(open) = open {
            let mut change = Change::of(open);
            let details = json!({
                "kind": job.kind, "name": job.name, "attempts": job.attempts,
                "error": error,
            });
            change.note(self.now, "system", "set_aside", None, details);
            self.take(change)?;
        }
        self.wrote();
        outbox::failed(self.tx, &job).await?;
        Ok(Reply::Nothing)
    }

    /// Notes a failure: tried again later, or set aside. A suspended case is no failure.
    pub(super) async fn job_failed(&mut self, job: &JobRow, error: &Noted) -> Result<Reply, Fault> {
        self.flush().await?;
        let mut job = job.clone();
        let open = self.case(&job.case_id).await.ok();
        job.at = self.now.0;
        job.state = JobState::Waiting;
        if open
            .as_ref()
            .is_some_and(|open| open.row.state == CaseState::Suspended)
        {
            job.next_at = (self.now + SUSPENDED_WAIT).0;
        } else {
            // Reserving has counted the attempt of a service.
            job.attempts += i64::from(job.kind != "service");
            job.error = error.to_text();
            job.next_at = (self.now + self.engine.wait_after(job.attempts)).0;
            if job.attempts >= self.engine.tuning.attempts {
                return self.put_aside(job, open.as_deref(), error).await;
            }
        }
        self.wrote();
        outbox::failed(self.tx, &job).await?;
        Ok(Reply::Nothing)
    }

    pub(super) async fn timer_failed(
        &mut self,
        timer: &TimerRow,
        error: &Noted,
    ) -> Result<Reply, Fault> {
        self.flush().await?;
        let mut timer = timer.clone();
        timer.attempts += 1;
        timer.error = error.to_text();
        timer.due_at = (self.now + self.engine.wait_after(timer.attempts)).0;
        timer.aside = i64::from(timer.attempts >= self.engine.tuning.attempts);
        self.wrote();
        outbox::timer_failed(self.tx, &timer).await?;
        Ok(Reply::Nothing)
    }

    /// A timer is due. One that was missed in a long stop fires once.
    pub(super) async fn fire(&mut self, timer: &TimerRow) -> Result<Reply, Fault> {
        self.flush().await?;
        let Some(timer) = outbox::timer(self.tx, &timer.id).await? else {
            return Ok(Reply::Nothing); // fired already, or of no use any more
        };
        if timer.due_at > self.now.0 || timer.aside == 1 {
            return Ok(Reply::Nothing);
        }
        let open = self.case(&timer.case_id).await?;
        if open.row.state == CaseState::Suspended && timer.kind == "timer" {
            let mut timer = timer;
            timer.due_at = (self.now + SUSPENDED_WAIT).0;
            self.wrote();
            outbox::timer_failed(self.tx, &timer).await?;
            return Ok(Reply::Nothing);
        }
        let wait = timer.wait as u64;
        if timer.kind != "timer" {
            return self.light(&open, &timer).await;
        }
        if !open.kept.instance.waits.contains_key(&wait) {
            self.writes.timers.insert(timer.id.clone(), None);
            return Ok(Reply::Nothing);
        }
        let happened = Happened::Came {
            wait,
            variables: serde_json::Map::new(),
        };
        let details = json!({ "due": Time(timer.due_at).rfc3339() });
        let mut cause = Cause::system("timer", details);
        cause.answered = Some(wait);
        let change = self.advance(&open, happened, cause).await?;
        self.take(change)?;
        Ok(Reply::Nothing)
    }

    pub(super) async fn try_again(&mut self, by: &Actor, id: &str) -> Result<Reply, Fault> {
        let by = self.engine.demand(by, Verb::Operate, "cases")?;
        self.flush().await?;
        let job = outbox::job(self.tx, id).await?;
        let job = job.filter(|job| job.state == JobState::Aside);
        let timer = outbox::timer(self.tx, id).await?;
        let timer = timer.filter(|timer| timer.aside == 1);
        if let Some(mut job) = job {
            self.wrote();
            (job.state, job.attempts, job.next_at) = (JobState::Waiting, 0, self.now.0);
            outbox::failed(self.tx, &job).await?;
            self.put_job(job.id.clone(), Some(job));
        } else if let Some(mut timer) = timer {
            self.wrote();
            (timer.aside, timer.attempts, timer.due_at) = (0, 0, self.now.0);
            outbox::timer_failed(self.tx, &timer).await?;
        } else {
            return Err(Fault::missing(id));
        }
        let entry = audit(self.now, &by, "try_again", "cases", id, json!({}));
        self.writes.audits.push(entry);
        Ok(Reply::Nothing)
    }
}

/// What a function said of what it was given.
fn refusal(code: &str, variables: &Map<String, Value>) -> Noted {
    let problems = variables.get("problems").and_then(Value::as_array);
    let lines = |language: &str, otherwise: &str| {
        let said = problems.into_iter().flatten();
        let said: Vec<&str> = said.filter_map(|words| words[language].as_str()).collect();
        match said.is_empty() {
            true => otherwise.to_string(),
            false => said.join("\n"),
        }
    };
    Noted {
        code: Some(code.into()),
        words: Words::new(
            lines("zh", "所给的数据不合要求"),
            lines("en", "what it was given does not fit"),
        ),
    }
}
