//! The runner: claims jobs that are due, runs them, and writes down how it went. A job is run by
//! one process at a time: a claim is a lease that ends with the time limit of the run.

use super::{JobPlan, JobState, JobStatus, read_all};
use crate::sql::{Backend, Run};
use crate::{Store, Tx};
use kernel::{Clock, Fault, Span, Time};
use sea_query::{Expr, ExprTrait, OnConflict, Query, UpdateStatement};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// How often the runner looks for jobs that are due.
const TICK: Duration = Duration::from_millis(500);
/// How long a stopping runner waits for jobs to end before it stops them.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How much longer than its time limit a run may be claimed, to write down its end.
const LEASE_SLACK: Span = Span::seconds(60);
/// Characters of an error that are kept.
const ERROR_LIMIT: usize = 2000;

/// What a job does. Called once for each run.
pub type Handler =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>> + Send + Sync>;

/// The jobs of a city: register them all, then share and run.
pub struct Jobs {
    store: Store,
    clock: Arc<dyn Clock>,
    registered: BTreeMap<&'static str, (JobPlan, Handler)>,
    wake: Notify,
}

impl Jobs {
    /// No jobs yet, on this clock.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Jobs {
        Jobs {
            store,
            clock,
            registered: BTreeMap::new(),
            wake: Notify::new(),
        }
    }

    /// Registers a job. A name registered twice is a mistake of the program: the later one counts.
    pub fn register<F, T>(&mut self, plan: JobPlan, work: F)
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move || Box::pin(work()));
        let before = self.registered.insert(plan.name, (plan, handler));
        debug_assert!(before.is_none(), "a job is registered twice");
    }

    /// Every job by name, for the operator's page.
    pub async fn list(&self) -> Result<Vec<JobStatus>, Fault> {
        read_all(&mut self.store.reader().await?).await
    }

    /// Makes a job due now, also one marked failed. A run under way is not disturbed. Unknown
    /// names are `input.not_found`.
    pub async fn run_now(&self, name: &str) -> Result<(), Fault> {
        let statement = Query::update()
            .table("jobs")
            .value("next_at", self.clock.now().0)
            .and_where(Expr::col("name").eq(name))
            .to_owned();
        let mut tx = self.store.begin().await?;
        if tx.execute(&statement).await? == 0 {
            return Err(Fault::missing(name));
        }
        tx.commit().await?;
        self.wake.notify_one();
        Ok(())
    }

    /// Writes down the jobs that are new; the others keep their time. A new job is due at its
    /// first regular time. On SQLite nobody else can be running one: runs a crash cut short are
    /// due again at once.
    pub async fn prepare(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        for (plan, _) in self.registered.values() {
            let statement = Query::insert()
                .into_table("jobs")
                .columns(["name", "state", "next_at", "attempts", "runs", "failures"])
                .values_panic([
                    Expr::val(plan.name),
                    Expr::val(JobState::Waiting.word()),
                    Expr::val(plan.schedule.next(now).0),
                    Expr::val(0),
                    Expr::val(0),
                    Expr::val(0),
                ])
                .on_conflict(OnConflict::column("name").do_nothing().to_owned())
                .to_owned();
            tx.execute(&statement).await?;
            // A shorter schedule than before counts from now.
            let sooner = Query::update()
                .table("jobs")
                .value("next_at", plan.schedule.next(now).0)
                .and_where(Expr::col("name").eq(plan.name))
                .and_where(Expr::col("next_at").gt(plan.schedule.next(now).0))
                .to_owned();
            tx.execute(&sooner).await?;
        }
        if tx.backend() == Backend::Sqlite {
            let cut_short = Query::update()
                .table("jobs")
                .value("state", JobState::Waiting.word())
                .value("next_at", now.0)
                .and_where(Expr::col("state").eq(JobState::Running.word()))
                .to_owned();
            tx.execute(&cut_short).await?;
        }
        tx.commit().await
    }

    /// Runs jobs when they are due, until `stop` is ready. A store that does not answer is
    /// logged and tried again.
    pub async fn run(self: Arc<Self>, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut running = JoinSet::new();
        let mut prepared = false;
        loop {
            let started = if prepared {
                Ok(())
            } else {
                self.prepare().await
            };
            let claimed = match started {
                Ok(()) => {
                    prepared = true;
                    self.claim_due().await
                }
                Err(fault) => Err(fault),
            };
            match claimed {
                Ok(names) => names.into_iter().for_each(|name| {
                    let jobs = self.clone();
                    running.spawn(async move { jobs.run_claimed(name).await });
                }),
                Err(fault) => tracing::warn!(%fault, "looking for jobs that are due"),
            }
            tokio::select! {
                () = &mut stop => break,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(TICK) => {}
            }
            while running.try_join_next().is_some() {}
        }
        let ended = async { while running.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
            running.shutdown().await;
        }
    }

    /// Runs the jobs that are due now, one after the other, and returns their names.
    pub async fn run_due(&self) -> Result<Vec<&'static str>, Fault> {
        let names = self.claim_due().await?;
        for name in &names {
            self.run_claimed(name).await;
        }
        Ok(names)
    }

    /// Claims the jobs that are due.
    async fn claim_due(&self) -> Result<Vec<&'static str>, Fault> {
        let now = self.clock.now();
        let due = |job: &JobStatus| {
            let claimed = job.state == JobState::Running;
            let lost = job.lease_until.is_none_or(|until| until <= now);
            (!claimed && job.next_at <= now || claimed && lost)
                && self.registered.contains_key(job.name.as_str())
        };
        // Writers are not disturbed at every tick: first a look.
        if !read_all(&mut self.store.reader().await?)
            .await?
            .iter()
            .any(due)
        {
            return Ok(vec![]);
        }
        let mut tx = self.store.begin().await?;
        let mut names = vec![];
        for job in read_all(&mut tx).await?.iter().filter(|job| due(job)) {
            let Some((name, (plan, _))) = self.registered.get_key_value(job.name.as_str()) else {
                continue;
            };
            let statement = update(name)
                .value("state", JobState::Running.word())
                .value("started_at", now.0)
                .value("lease_until", (now + plan.time_limit + LEASE_SLACK).0)
                // A request to run while it runs moves this again and is not lost.
                .value("next_at", plan.schedule.next(now).0)
                .to_owned();
            tx.execute(&statement).await?;
            names.push(*name);
        }
        tx.commit().await?;
        Ok(names)
    }

    /// Runs a claimed job and writes down how it went.
    async fn run_claimed(&self, name: &'static str) {
        let Some((plan, handler)) = self.registered.get(name) else {
            return;
        };
        let limit = Duration::from_micros(plan.time_limit.0.unsigned_abs());
        // A task of its own, so that a panic in a job is a failed run and nothing more.
        let mut task = tokio::spawn(handler());
        let outcome = match tokio::time::timeout(limit, &mut task).await {
            Ok(Ok(outcome)) => outcome.map_err(|fault| fault.to_string()),
            Ok(Err(panic)) => Err(format!("the job stopped: {panic}")),
            Err(_) => {
                task.abort();
                Err(format!("took longer than {}", plan.time_limit))
            }
        };
        if let Err(error) = &outcome {
            tracing::warn!(job = name, error, "a job failed");
        }
        if let Err(fault) = self.write_down(plan, outcome).await {
            // Its lease ends and it is run again: jobs may be repeated.
            tracing::warn!(job = name, %fault, "writing down the end of a job");
        }
    }

    async fn write_down(&self, plan: &JobPlan, outcome: Result<(), String>) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let jobs = read_all(&mut tx).await?;
        let Some(job) = jobs.into_iter().find(|job| job.name == plan.name) else {
            return Err(Fault::missing(plan.name));
        };
        end_of_run(&mut tx, plan, &job, now, outcome.err()).await?;
        tx.commit().await
    }
}

fn update(name: &str) -> UpdateStatement {
    Query::update()
        .table("jobs")
        .and_where(Expr::col("name").eq(name))
        .to_owned()
}

/// Decides what follows a run and writes it.
async fn end_of_run(
    tx: &mut Tx,
    plan: &JobPlan,
    job: &JobStatus,
    now: Time,
    error: Option<String>,
) -> Result<(), Fault> {
    let regular = plan.schedule.next(now);
    let failures = job.attempts.saturating_add(1);
    let (state, attempts, next) = match &error {
        None => (JobState::Waiting, 0, regular),
        Some(_) if failures >= plan.attempts => (JobState::Failed, 0, regular),
        Some(_) => {
            let retry = now + plan.wait_after(failures);
            (JobState::Retrying, failures, std::cmp::min(retry, regular))
        }
    };
    // The claim set the next regular time; another one means somebody asked for a run meanwhile.
    let asked = job
        .started_at
        .is_some_and(|started| job.next_at != plan.schedule.next(started));
    let next = if asked { now } else { next };
    let failed = i64::from(error.is_some());
    let error: Option<String> = error.map(|text| text.chars().take(ERROR_LIMIT).collect());
    let statement = update(plan.name)
        .value("state", state.word())
        .value("attempts", attempts)
        .value("next_at", next.0)
        .value("ended_at", now.0)
        .value("lease_until", Option::<i64>::None)
        .value("runs", job.runs as i64 + 1)
        .value("failures", job.failures as i64 + failed)
        .value("error", error)
        .to_owned();
    tx.execute(&statement).await.map(drop)
}
