//! Reads: who read which file, under which purpose and basis. Reads that come at once share one
//! transaction; each caller waits until theirs is on the disk, and only then gets the content.

use kernel::Fault;
use parking_lot::Mutex;
use std::sync::Arc;
use store::Store;
use store::audit::{self, AuditEntry};
use tokio::sync::oneshot;

/// Reads of one transaction, at most.
const BATCH: usize = 500;
/// Reads that wait, at most.
const WAITING: usize = 5_000;

type Waiting = (AuditEntry, oneshot::Sender<Result<(), Fault>>);

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    running: bool,
}

/// Writes reads down.
pub(crate) struct Reads {
    store: Store,
    queue: Mutex<Queue>,
}

/// Takes the mark away when the writer ends, however it ends.
struct Running(Option<Arc<Reads>>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(reads) = self.0.take() {
            let mut queue = reads.queue.lock();
            queue.running = false;
            // Whoever still waits learns that nothing was written.
            queue.waiting.clear();
        }
    }
}

impl Reads {
    pub(crate) fn new(store: Store) -> Arc<Reads> {
        Arc::new(Reads {
            store,
            queue: Mutex::default(),
        })
    }

    /// Writes a read down and answers when it is on the disk.
    pub(crate) async fn note(self: &Arc<Reads>, entry: AuditEntry) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        {
            let mut queue = self.queue.lock();
            if queue.waiting.len() >= WAITING {
                return Err(Fault::overloaded("documents", 1));
            }
            queue.waiting.push((entry, answer));
            if !queue.running {
                queue.running = true;
                tokio::spawn(self.clone().run(Running(Some(self.clone()))));
            }
        }
        let gone = |_| Err(Fault::overloaded("documents", 1));
        answered.await.unwrap_or_else(gone)
    }

    async fn run(self: Arc<Reads>, mut running: Running) {
        loop {
            let some: Vec<Waiting> = {
                let mut queue = self.queue.lock();
                let most = queue.waiting.len().min(BATCH);
                if most == 0 {
                    queue.running = false;
                    running.0 = None;
                    return;
                }
                queue.waiting.drain(..most).collect()
            };
            let (entries, answers): (Vec<_>, Vec<_>) = some.into_iter().unzip();
            let outcome = self.commit(&entries).await;
            for answer in answers {
                // Whoever asked may be gone; the read stays written.
                let _ = answer.send(outcome.clone());
            }
        }
    }

    async fn commit(&self, entries: &[AuditEntry]) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        audit::append_many(&mut tx, entries).await?;
        tx.commit().await
    }
}
