//! Background jobs of the program: what is done again and again without anybody asking. Shown on
//! the operator's page; each may be repeated at any time.

use crate::app::App;
use crate::backups;
use crate::window::Reminders;
use kernel::{Fault, Span};
use std::pin::Pin;
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
            parties.reseal().await?;
            parties.destroy_erased().await.map(|_| ())
        }
    });
    let policy = app.policy.clone();
    jobs.register(every("refresh_grants", Span::minutes(1)), move || {
        let policy = policy.clone();
        async move { policy.refresh().await }
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
    let metering = app.metering.clone();
    jobs.register(daily("prune_meters", 2), move || {
        let metering = metering.clone();
        async move { metering.prune().await }
    });
    let weak = Arc::downgrade(&app);
    jobs.register(daily("expire_observations", 3), move || {
        let app = weak.upgrade();
        async move {
            match app {
                Some(app) => backups::expire(&app).await,
                None => Ok(()),
            }
        }
    });
    let log = app.log.clone();
    jobs.register(daily("verify_audit", 4), move || {
        let log = log.clone();
        async move {
            match log.verify().await?.damage {
                None => Ok(()),
                Some((seq, what)) => Err(Fault::internal(
                    "verifying the audit log",
                    format!("entry {seq}: {what:?}"),
                )),
            }
        }
    });
    window_jobs(&mut jobs, &app);
    backup_jobs(&mut jobs, &app);
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

/// The jobs of the one window.
fn window_jobs(jobs: &mut Jobs, app: &Arc<App>) {
    let every = |name, span| JobPlan::new(name, Schedule::Every(span));
    let applications = app.applications.clone();
    jobs.register(every("deem_accepted", Span::minutes(10)), move || {
        let applications = applications.clone();
        async move { applications.deem_accepted().await.map(|_| ()) }
    });
    let applications = app.applications.clone();
    jobs.register(every("tidy_applications", Span::hours(1)), move || {
        let applications = applications.clone();
        async move {
            applications.tidy().await?;
            applications.repair().await?;
            applications.reseal().await.map(|_| ())
        }
    });
    let messages = app.messages.clone();
    jobs.register(every("tidy_messages", Span::hours(1)), move || {
        let messages = messages.clone();
        async move {
            messages.tidy().await?;
            messages.reseal().await.map(|_| ())
        }
    });
    let (office, visits) = (app.office.clone(), app.visits.clone());
    jobs.register(every("remind", Span::minutes(1)), move || {
        let (office, visits) = (office.clone(), visits.clone());
        async move {
            office.remind().await?;
            visits.remind().await.map(|_| ())
        }
    });
    let reminders = Arc::new(Reminders::of(app));
    jobs.register(every("remind_of_deadlines", Span::minutes(1)), move || {
        let reminders = reminders.clone();
        async move { reminders.follow().await.map(|_| ()) }
    });
    let visits = app.visits.clone();
    jobs.register(every("tidy_visits", Span::hours(1)), move || {
        let visits = visits.clone();
        async move {
            visits.tidy().await?;
            visits.reseal().await.map(|_| ())
        }
    });
    let documents = app.documents.clone();
    jobs.register(every("tidy_documents", Span::minutes(10)), move || {
        let documents = documents.clone();
        async move {
            documents.tidy().await?;
            documents.reseal().await.map(|_| ())
        }
    });
    let weak = Arc::downgrade(app);
    jobs.register(every("tidy_attachments", Span::hours(1)), move || {
        let app = weak.upgrade();
        async move {
            match app {
                Some(app) => crate::http::attachments::tidy(&app).await,
                None => Ok(()),
            }
        }
    });
    let staff = app.staff.clone();
    jobs.register(every("refresh_staff", Span::minutes(1)), move || {
        let staff = staff.clone();
        async move { staff.refresh().await }
    });
}

/// The jobs that look after the repository. Without one they have nothing to do and are not there.
fn backup_jobs(jobs: &mut Jobs, app: &Arc<App>) {
    if app.backups.shipper.is_none() {
        return;
    }
    type Work = for<'a> fn(&'a App) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;
    let all: [(&'static str, Schedule, Work); 5] = [
        ("backup_base", Schedule::Every(Span::days(1)), |app| {
            Box::pin(backups::base(app))
        }),
        ("backup_copy", Schedule::Every(Span::hours(1)), |app| {
            Box::pin(backups::copy(app))
        }),
        ("backup_forget", Schedule::DailyAt(Span::hours(5)), |app| {
            Box::pin(backups::forget(app))
        }),
        ("backup_verify", Schedule::Every(Span::days(7)), |app| {
            Box::pin(backups::verify(app))
        }),
        ("restore_drill", Schedule::Every(Span::days(30)), |app| {
            Box::pin(backups::drill(app))
        }),
    ];
    for (name, schedule, work) in all {
        let plan = JobPlan {
            time_limit: Span::hours(12),
            attempts: 2,
            ..JobPlan::new(name, schedule)
        };
        let weak = Arc::downgrade(app);
        jobs.register(plan, move || {
            let app = weak.upgrade();
            async move {
                match app {
                    Some(app) => work(&app).await,
                    None => Ok(()),
                }
            }
        });
    }
}
