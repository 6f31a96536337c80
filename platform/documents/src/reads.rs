//! Reads: who read which file, under which purpose and basis. Reads that come at once share one
//! transaction; each caller waits until theirs is on the disk, and only then gets the content.

use kernel::Fault;
use std::sync::Arc;
use store::Store;
use store::audit::{self, AuditEntry};
use store::together::Together;

/// Reads of one transaction, at most.
const BATCH: usize = 500;
/// Reads that wait, at most.
const WAITING: usize = 5_000;

/// Writes reads down.
pub(crate) struct Reads {
    store: Store,
    queue: Arc<Together<AuditEntry, ()>>,
}

impl Reads {
    pub(crate) fn new(store: Store) -> Arc<Reads> {
        Arc::new(Reads {
            store,
            queue: Together::new("documents", BATCH, WAITING),
        })
    }

    /// Writes a read down and answers when it is on the disk.
    pub(crate) async fn note(self: &Arc<Reads>, entry: AuditEntry) -> Result<(), Fault> {
        let reads = self.clone();
        let work = move |entries: Vec<AuditEntry>| {
            let reads = reads.clone();
            async move {
                let outcome = reads.commit(&entries).await;
                vec![outcome; entries.len()]
            }
        };
        self.queue.ask(entry, work).await
    }

    async fn commit(&self, entries: &[AuditEntry]) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        audit::append_many(&mut tx, entries).await?;
        tx.commit().await
    }
}
