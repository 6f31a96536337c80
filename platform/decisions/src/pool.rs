//! Pool: a few threads with a large stack for evaluations that loop, call functions or read models.
//! A caller waits for its turn and its answer for a limited time and then goes on without it; the
//! evaluation itself stops at its next step. What waits is bounded.

use crate::limits::{QUEUE_LIMIT, STACK_BYTES, TIME_LIMIT, WAIT_LIMIT, WORKERS};
use crate::run;
use kernel::Fault;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when the pool is dropped.
pub(crate) struct Pool {
    jobs: SyncSender<Job>,
}

impl Pool {
    /// Starts the threads.
    pub(crate) fn start() -> Result<Pool, Fault> {
        let (jobs, waiting) = sync_channel::<Job>(QUEUE_LIMIT);
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..WORKERS {
            let waiting = waiting.clone();
            std::thread::Builder::new()
                .name(format!("decisions-{number}"))
                .stack_size(STACK_BYTES)
                .spawn(move || work(&waiting))
                .map_err(|e| Fault::internal("starting a thread for decisions", e))?;
        }
        Ok(Pool { jobs })
    }

    /// Does something on one of the threads and waits for it. Refused with `system.overloaded` when
    /// too many wait or none gets its turn, with `decisions.budget` when it takes too long.
    pub(crate) fn run<T, F>(&self, act: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
    {
        self.run_within(TIME_LIMIT, act)
    }

    /// The same for something that may take another time.
    pub(crate) fn run_within<T, F>(&self, time: Duration, act: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Fault> + Send + 'static,
    {
        let (answer, answered) = sync_channel(1);
        let begun = Arc::new(AtomicBool::new(false));
        let given_up = Arc::new(AtomicBool::new(false));
        let (begins, left) = (begun.clone(), given_up.clone());
        let job: Job = Box::new(move || {
            begins.store(true, Ordering::SeqCst);
            if !left.load(Ordering::SeqCst) {
                // Nobody may wait for it any more.
                let _ = answer.send(act());
            }
        });
        if self.jobs.try_send(job).is_err() {
            return Err(Fault::overloaded("decisions", 2));
        }
        match answered.recv_timeout(WAIT_LIMIT + time) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                given_up.store(true, Ordering::SeqCst);
                match begun.load(Ordering::SeqCst) {
                    true => Err(run::budget("超时", "it takes too long")),
                    false => Err(Fault::overloaded("decisions", 2)),
                }
            }
            Err(RecvTimeoutError::Disconnected) => Err(run::failed("it was not carried out")),
        }
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().recv();
        let Ok(job) = job else {
            return;
        };
        // A job catches its own panics; should one escape, the thread goes on all the same.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("a decision ended in a panic that was not caught where it should be");
        }
    }
}
