//! Jobs on a clock the test moves: schedule, retry, failure, run now, limits.

use kernel::{Clock, Fault, ManualClock, Span, Time};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use store::Store;
use store::jobs::{JobPlan, JobState, JobStatus, Jobs, Schedule};
use testkit::each_store;

fn begin() -> Time {
    Time::parse("2026-11-21T10:00:00+08:00").unwrap()
}

fn plan(name: &'static str) -> JobPlan {
    JobPlan {
        attempts: 3,
        ..JobPlan::new(name, Schedule::Every(Span::hours(1)))
    }
}

/// A job that counts its runs and fails the first `fails` of them.
fn job(jobs: &mut Jobs, plan: JobPlan, fails: u32) -> Arc<AtomicU32> {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    jobs.register(plan, move || {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        async move {
            if run <= fails {
                Err(Fault::missing(&format!("thing {run}")))
            } else {
                Ok(())
            }
        }
    });
    runs
}

async fn status(jobs: &Jobs, name: &str) -> JobStatus {
    let list = jobs.list().await.unwrap();
    list.into_iter().find(|job| job.name == name).unwrap()
}

#[tokio::test]
async fn a_job_runs_when_it_is_due_and_not_before() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        let mut jobs = Jobs::new(store, clock.clone());
        let runs = job(&mut jobs, plan("fold"), 0);
        jobs.prepare().await.unwrap();
        assert_eq!(jobs.run_due().await.unwrap(), [] as [&str; 0]);
        clock.advance(Span::minutes(59));
        assert_eq!(jobs.run_due().await.unwrap(), [] as [&str; 0]);
        clock.advance(Span::minutes(1));
        assert_eq!(jobs.run_due().await.unwrap(), ["fold"]);
        assert_eq!(jobs.run_due().await.unwrap(), [] as [&str; 0], "once only");
        let now = status(&jobs, "fold").await;
        assert_eq!(
            (now.state, now.runs, now.failures),
            (JobState::Waiting, 1, 0)
        );
        assert_eq!(now.next_at, begin() + Span::hours(2));
        assert_eq!(now.ended_at, Some(begin() + Span::hours(1)));
        // Down for a day: one run makes up for it.
        clock.advance(Span::days(1));
        assert_eq!(jobs.run_due().await.unwrap(), ["fold"]);
        assert_eq!(jobs.run_due().await.unwrap(), [] as [&str; 0]);
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    })
    .await;
}

#[tokio::test]
async fn a_failing_job_is_tried_again_with_growing_waits_and_then_marked() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        let mut jobs = Jobs::new(store, clock.clone());
        job(&mut jobs, plan("lame"), 4);
        jobs.prepare().await.unwrap();
        clock.advance(Span::hours(1));
        let expected = [
            (JobState::Retrying, 1, Span::seconds(10)),
            (JobState::Retrying, 2, Span::seconds(20)),
            (JobState::Failed, 0, Span::hours(1)),
            (JobState::Retrying, 1, Span::seconds(10)),
            (JobState::Waiting, 0, Span::hours(1)),
        ];
        for (round, (state, attempts, wait)) in (1..).zip(expected) {
            assert_eq!(jobs.run_due().await.unwrap(), ["lame"], "round {round}");
            let now = status(&jobs, "lame").await;
            assert_eq!(
                (now.state, now.attempts, now.runs),
                (state, attempts, round)
            );
            assert_eq!(now.next_at, clock.now() + wait, "round {round}");
            assert_eq!(now.failures, std::cmp::min(round, 4));
            let error = now.error.unwrap_or_default();
            assert_eq!(
                error.contains(&format!("thing {round}")),
                round < 5,
                "{error}"
            );
            clock.advance(Span(wait.0 - 1));
            assert!(
                jobs.run_due().await.unwrap().is_empty(),
                "round {round}: too early"
            );
            clock.advance(Span(1));
        }
    })
    .await;
}

#[tokio::test]
async fn run_now_makes_a_job_due_and_unknown_ones_are_missing() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        let mut jobs = Jobs::new(store, clock.clone());
        let runs = job(&mut jobs, plan("fold"), 0);
        jobs.prepare().await.unwrap();
        jobs.run_now("fold").await.unwrap();
        assert_eq!(jobs.run_due().await.unwrap(), ["fold"]);
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        assert_eq!(
            jobs.run_now("none").await.unwrap_err().code,
            "input.not_found"
        );
    })
    .await;
}

#[tokio::test]
async fn asked_for_while_it_runs_it_runs_again() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        let gate = Arc::new(tokio::sync::Semaphore::new(0));
        let mut jobs = Jobs::new(store, clock.clone());
        let waits = gate.clone();
        jobs.register(plan("slow"), move || {
            let waits = waits.clone();
            async move {
                waits
                    .acquire()
                    .await
                    .map_err(|e| Fault::internal("waiting", e))?
                    .forget();
                Ok(())
            }
        });
        jobs.prepare().await.unwrap();
        jobs.run_now("slow").await.unwrap();
        let jobs = Arc::new(jobs);
        let running = tokio::spawn({
            let jobs = jobs.clone();
            async move { jobs.run_due().await }
        });
        while status(&jobs, "slow").await.state != JobState::Running {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(
            jobs.run_due().await.unwrap().is_empty(),
            "never twice at a time"
        );
        clock.advance(Span::seconds(5));
        jobs.run_now("slow").await.unwrap();
        gate.add_permits(2);
        assert_eq!(running.await.unwrap().unwrap(), ["slow"]);
        assert_eq!(jobs.run_due().await.unwrap(), ["slow"]);
        assert!(jobs.run_due().await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_panic_or_a_run_without_end_is_a_failed_run() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        let mut jobs = Jobs::new(store, clock.clone());
        jobs.register(plan("panics"), || async { panic!("on purpose, by a test") });
        let short = JobPlan {
            time_limit: Span(20_000),
            ..plan("stuck")
        };
        jobs.register(short, std::future::pending);
        jobs.prepare().await.unwrap();
        clock.advance(Span::hours(1));
        assert_eq!(jobs.run_due().await.unwrap(), ["panics", "stuck"]);
        for (name, error) in [("panics", "stopped"), ("stuck", "longer than")] {
            let now = status(&jobs, name).await;
            assert_eq!(now.state, JobState::Retrying);
            assert!(
                now.error.as_deref().unwrap_or("").contains(error),
                "{now:?}"
            );
        }
    })
    .await;
}

/// A store whose process died while a job ran.
async fn died_running(store: &Store, clock: &Arc<ManualClock>) {
    let mut jobs = Jobs::new(store.clone(), clock.clone());
    jobs.register(plan("fold"), std::future::pending);
    jobs.prepare().await.unwrap();
    jobs.run_now("fold").await.unwrap();
    let jobs = Arc::new(jobs);
    let running = tokio::spawn({
        let jobs = jobs.clone();
        async move { jobs.run_due().await }
    });
    while status(&jobs, "fold").await.state != JobState::Running {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_run_cut_short_by_a_crash_is_repeated() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        died_running(&store, &clock).await;
        let mut jobs = Jobs::new(store.clone(), clock.clone());
        job(&mut jobs, plan("fold"), 0);
        jobs.prepare().await.unwrap();
        if store.backend() == store::Backend::Postgres {
            // Another process may be running it, until its lease ends.
            assert!(jobs.run_due().await.unwrap().is_empty());
            clock.advance(Span::minutes(31));
        }
        assert_eq!(jobs.run_due().await.unwrap(), ["fold"]);
        assert_eq!(status(&jobs, "fold").await.state, JobState::Waiting);
    })
    .await;
}

#[tokio::test]
async fn the_runner_runs_them_and_stops() {
    each_store(|store| async move {
        let clock = Arc::new(ManualClock::new(begin()));
        let mut jobs = Jobs::new(store, clock.clone());
        let runs = job(&mut jobs, plan("fold"), 0);
        let jobs = Arc::new(jobs);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let runner = tokio::spawn(jobs.clone().run(async { drop(stopped.await) }));
        let wait_for = async |count| {
            let reached = async {
                while runs.load(Ordering::SeqCst) < count {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), reached)
                .await
                .unwrap();
        };
        while jobs.list().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        clock.advance(Span::hours(1));
        wait_for(1).await;
        while status(&jobs, "fold").await.state == JobState::Running {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        jobs.run_now("fold").await.unwrap();
        wait_for(2).await;
        stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(10), runner)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(status(&jobs, "fold").await.runs, 2);
    })
    .await;
}
