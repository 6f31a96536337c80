//! The desk: deeds that arrive together are decided one after the other and written together. A
//! deed that is refused leaves nothing behind and does not disturb the others; when the writing
//! itself fails, or a deed breaks the machine, each is tried alone, so that only the one to blame
//! fails.

use super::Engine;
use super::judging::Judged;
use super::work::Work;
use kernel::access::Actor;
use kernel::cases::{Acted, Case, CaseVerb, Correlated, Message, NewCase, Served, TaskVerb, Told};
use kernel::{Fault, Noted, Time};
use serde_json::{Map, Value};
use std::sync::Arc;
use store::cases::{JobRow, TimerRow};
use store::together::Together;

/// Deeds of one transaction, at most.
const BATCH: usize = 64;
/// Deeds that wait, at most.
const WAITING: usize = 10_000;

/// Something to be done to a case.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Start(Actor, NewCase),
    Act(Actor, String, Option<i64>, TaskVerb, Judged),
    Rule(Actor, String, Option<i64>, CaseVerb),
    Message(Actor, Message),
    Signal(Actor, String, Map<String, Value>),
    /// A timer is due.
    Fire(TimerRow),
    /// A job other than a service is due.
    Job(JobRow),
    /// A job is to be reserved until then.
    Reserve(JobRow, Time),
    /// A service answered.
    Served(JobRow, Served),
    /// An attempt failed.
    JobFailed(JobRow, Noted),
    TimerFailed(TimerRow, Noted),
    /// Work set aside is to be tried again.
    TryAgain(Actor, String),
    /// A case was read.
    Looked(Actor, String),
    /// Who is told of the clock of a task.
    Told(String, Told),
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Case(Box<Case>),
    Acted(Box<Acted>),
    Correlated(Correlated),
    Reserved(bool),
    Told(Told),
    Nothing,
}

/// Deeds that wait.
pub(super) type Desk = Together<Deed, Reply>;

pub(super) fn desk() -> Arc<Desk> {
    Together::new("cases", BATCH, WAITING)
}

impl Engine {
    /// Does a deed; returns when it is durable. It is done even if the caller no longer waits.
    pub(super) async fn submit(&self, deed: Deed) -> Result<Reply, Fault> {
        let engine = self.myself.upgrade();
        let engine = engine.ok_or_else(|| Fault::overloaded("cases", 1))?;
        let work = move |deeds| engine.clone().do_all(deeds);
        self.desk.ask(deed, work).await
    }

    async fn do_all(self: Arc<Self>, deeds: Vec<Deed>) -> Vec<Result<Reply, Fault>> {
        let deeds = Arc::new(deeds);
        match self.attempt(deeds.clone(), None).await {
            Ok(replies) => replies,
            Err(fault) if deeds.len() == 1 => vec![Err(fault)],
            Err(fault) => {
                tracing::warn!(%fault, deeds = deeds.len(), "deeds are tried one by one");
                let mut replies = vec![];
                for one in 0..deeds.len() {
                    let outcome = self.attempt(deeds.clone(), Some(one)).await;
                    replies.push(outcome.and_then(|mut replies| match replies.pop() {
                        Some(reply) => reply,
                        None => Err(Fault::internal("working at a case", "no answer")),
                    }));
                }
                replies
            }
        }
    }

    /// One transaction; in a task of its own, so that a deed that breaks it breaks nothing else.
    async fn attempt(
        self: &Arc<Self>,
        deeds: Arc<Vec<Deed>>,
        only: Option<usize>,
    ) -> Result<Vec<Result<Reply, Fault>>, Fault> {
        let engine = self.clone();
        let task = tokio::spawn(async move {
            let deeds = match only {
                Some(one) => &deeds[one..=one],
                None => &deeds[..],
            };
            let mut tx = engine.store.begin().await?;
            let mut work = Work::new(&engine, &mut tx);
            work.load(deeds).await?;
            let mut replies = vec![];
            for deed in deeds {
                let outcome = work.apply(deed).await;
                if let Err(fault) = &outcome
                    && fault.code.starts_with("store.")
                {
                    return Err(fault.clone());
                }
                replies.push(outcome);
            }
            let done = work.finish().await?;
            if done.wrote {
                tx.commit().await?;
            }
            engine.queues.lock().extend(done.queues);
            if done.jobs {
                engine.wake.notify_one();
            }
            Ok(replies)
        });
        let outcome = task.await;
        outcome.unwrap_or_else(|e| Err(Fault::internal("working at a case", e)))
    }
}
