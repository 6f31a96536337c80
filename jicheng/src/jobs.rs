//! Background jobs of the program: what is done again and again without anybody asking. Shown on
//! the operator's page; each may be repeated at any time.

use crate::app::App;
use kernel::{Fault, Span};
use std::sync::Arc;
use store::jobs::{JobPlan, Jobs, Schedule};

/// Registers and starts all jobs; the task ends when the program stops.
pub async fn start(app: Arc<App>) -> Result<tokio::task::JoinHandle<()>, Fault> {
    let mut jobs = Jobs::new(app.store.clone(), app.city.clock.clone());
    let every = |name, span| JobPlan::new(name, Schedule::Every(span));
    let daily = |name, hour| JobPlan::new(name, Schedule::DailyAt(Span::hours(hour)));

    let store = app.store.clone();
    jobs.register(every("prune_events", Span::minutes(5)), move || {
        let store = store.clone();
        async move {
            store.events().prune(i64::MAX).await?;
            store.reclaim().await
        }
    });
    let weak = Arc::downgrade(&app);
    jobs.register(every("forget_answers", Span::hours(1)), move || {
        let app = weak.upgrade();
        async move {
            match app {
                Some(app) => app.forget_answers().await,
                None => Ok(()),
            }
        }
    });
    let identity = app.identity.clone();
    jobs.register(every("tidy_sessions", Span::minutes(1)), move || {
        let identity = identity.clone();
        async move { identity.tidy().await.map(|_| ()) }
    });
    let keys = app.key_rings.clone();
    jobs.register(every("refresh_keys", Span::minutes(1)), move || {
        let keys = keys.clone();
        async move { keys.refresh().await }
    });
    let parties = app.parties.clone();
    jobs.register(every("tidy_parties", Span::hours(1)), move || {
        let parties = parties.clone();
        async move {
            parties.tidy().await?;
            parties.destroy_erased().await.map(|_| ())
        }
    });
    let openid = app.openid.clone();
    jobs.register(every("tidy_openid", Span::hours(1)), move || {
        let openid = openid.clone();
        async move { openid.tidy().await.map(|_| ()) }
    });
    let (openid, caller) = (app.openid.clone(), app.caller.clone());
    jobs.register(every("deliver_logouts", Span::seconds(10)), move || {
        let (openid, caller) = (openid.clone(), caller.clone());
        async move {
            openid.look_for_ended().await?;
            openid.deliver(&*caller).await.map(|_| ())
        }
    });
    let observations = app.observations.clone();
    jobs.register(daily("expire_observations", 3), move || {
        let observations = observations.clone();
        async move { observations.expire().await }
    });
    let store = app.store.clone();
    jobs.register(daily("verify_audit", 4), move || {
        let store = store.clone();
        async move {
            match store.audit().verify().await?.damage {
                None => Ok(()),
                Some((seq, _)) => Err(Fault::internal(
                    "verifying the audit log",
                    format!("entry {seq} was altered"),
                )),
            }
        }
    });
    jobs.prepare().await?;
    let jobs = Arc::new(jobs);
    let _ = app.jobs.set(jobs.clone());
    let mut stopping = app.stopping.clone();
    Ok(tokio::spawn(async move {
        let stop = async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        };
        jobs.run(stop).await;
    }))
}
