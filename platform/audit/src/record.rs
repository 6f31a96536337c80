//! Writing many deeds at once: whoever comes while a transaction is being written waits and is
//! taken along by the next one, so that a thousand readers of personal data cost a few commits.

use crate::engine::Engine;
use kernel::Fault;
use store::audit::AuditEntry;
use tokio::sync::oneshot;

/// Entries that wait, at most; more are refused with `system.overloaded`.
const WAITING_LIMIT: usize = 50_000;
/// Entries of one transaction, at most, unless one caller brings more.
const BATCH_LIMIT: usize = 5_000;

/// Entries of one caller, and where to tell that they are on the disk.
pub(crate) struct Waiting {
    entries: Vec<AuditEntry>,
    done: oneshot::Sender<Result<(), Fault>>,
}

impl Engine {
    /// Writes entries down and returns when they are on the disk. They stand in the log in their
    /// order, though not always next to each other.
    pub async fn record(&self, entries: Vec<AuditEntry>) -> Result<(), Fault> {
        if entries.is_empty() {
            return Ok(());
        }
        let (done, told) = oneshot::channel();
        {
            let mut queue = self.shared.waiting.lock();
            let waiting: usize = queue.iter().map(|w| w.entries.len()).sum();
            if waiting + entries.len() > WAITING_LIMIT && waiting > 0 {
                return Err(Fault::overloaded("audit", 2));
            }
            queue.push_back(Waiting { entries, done });
        }
        // On a task of its own: those taken along must not fail because one of them left.
        let shared = self.shared.clone();
        tokio::spawn(async move {
            let _turn = shared.turn.lock().await;
            let taken = take(&mut shared.waiting.lock());
            if taken.is_empty() {
                return;
            }
            let mut all = vec![];
            let mut callers = vec![];
            for waiting in taken {
                all.extend(waiting.entries);
                callers.push(waiting.done);
            }
            let outcome = write(&shared.store, &all).await;
            for caller in callers {
                let _ = caller.send(outcome.clone());
            }
        });
        let gone = |_| Err(Fault::internal("writing the audit log", "the writer ended"));
        told.await.unwrap_or_else(gone)
    }
}

/// The first that wait, up to the size of a batch.
fn take(queue: &mut std::collections::VecDeque<Waiting>) -> Vec<Waiting> {
    let mut taken: Vec<Waiting> = vec![];
    let mut count = 0;
    while let Some(next) = queue.front() {
        if count > 0 && count + next.entries.len() > BATCH_LIMIT {
            break;
        }
        count += next.entries.len();
        taken.extend(queue.pop_front());
    }
    taken
}

async fn write(store: &store::Store, entries: &[AuditEntry]) -> Result<(), Fault> {
    let mut tx = store.begin().await?;
    store::audit::append_many(&mut tx, entries).await?;
    tx.commit().await
}
