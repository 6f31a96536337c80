//! Shelf: connections to SQLite that are lent and put back without a word. The pool of the library
//! asks every connection that comes back whether it is still there, which wakes the connection's
//! thread once more for every statement; a file in the same machine does not go away. Asked is only
//! the connection whose last answer nobody waited for: whoever gets it next would wait behind that.

use parking_lot::Mutex;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many connections, opened when they are first needed.
pub(crate) struct Shelf {
    options: SqliteConnectOptions,
    /// Said to a new connection, while this is set.
    first: Option<(Arc<AtomicBool>, &'static str)>,
    free: Mutex<Vec<SqliteConnection>>,
    count: u32,
    places: Arc<Semaphore>,
    closed: AtomicBool,
    patience: Duration,
}

impl Shelf {
    /// Opens one of `count` connections, so that what is wrong with the file is known now. Whoever
    /// borrows waits as long as `patience`.
    pub(crate) async fn open(
        options: SqliteConnectOptions,
        count: u32,
        patience: Duration,
        first: Option<(Arc<AtomicBool>, &'static str)>,
    ) -> Result<Arc<Shelf>, sqlx::Error> {
        let shelf = Shelf {
            options,
            first,
            free: Mutex::default(),
            count,
            places: Arc::new(Semaphore::new(count as usize)),
            closed: AtomicBool::new(false),
            patience,
        };
        let connection = shelf.connect().await?;
        shelf.free.lock().push(connection);
        Ok(Arc::new(shelf))
    }

    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        if let Some((set, statement)) = &self.first
            && set.load(Ordering::Relaxed)
        {
            sqlx::query(*statement).execute(&mut connection).await?;
        }
        Ok(connection)
    }

    /// Borrows a connection.
    pub(crate) async fn lend(self: &Arc<Shelf>) -> Result<Lent, sqlx::Error> {
        let place = tokio::time::timeout(self.patience, self.places.clone().acquire_owned());
        let place = place.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let place = place.map_err(|_| sqlx::Error::PoolClosed)?;
        if self.closed.load(Ordering::Acquire) {
            return Err(sqlx::Error::PoolClosed);
        }
        // The last one put back: what it read before is still in its memory.
        let free = self.free.lock().pop();
        let connection = match free {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Lent {
            shelf: self.clone(),
            connection: Some(connection),
            place: Some(place),
            asked: false,
            given_up: false,
        })
    }

    /// Closes every connection, once it is put back; nothing is lent any more.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let all = self.places.acquire_many(self.count).await;
        let free = std::mem::take(&mut *self.free.lock());
        for connection in free {
            // What was acknowledged is on the disk; folding the log at the end is a courtesy.
            if let Err(cause) = connection.close().await {
                tracing::warn!(%cause, "closing the store");
            }
        }
        self.places.close();
        drop(all);
    }
}

/// A connection that is put back when dropped.
pub(crate) struct Lent {
    shelf: Arc<Shelf>,
    /// `None` only when dropped.
    connection: Option<SqliteConnection>,
    place: Option<OwnedSemaphorePermit>,
    /// A statement was begun, and nobody said that it ended.
    asked: bool,
    given_up: bool,
}

impl Lent {
    /// The last statement was answered to its end.
    pub(crate) fn answered(&mut self) {
        self.asked = false;
    }

    /// It is closed and not put back.
    pub(crate) fn give_up(&mut self) {
        self.given_up = true;
    }
}

impl Deref for Lent {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is taken only when it is dropped"),
        }
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.asked = true;
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!("the connection is taken only when it is dropped"),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let (Some(mut connection), place) = (self.connection.take(), self.place.take()) else {
            return;
        };
        if !self.asked && !self.given_up {
            self.shelf.free.lock().push(connection);
            return;
        }
        // Without a runtime its thread ends by itself.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (shelf, given_up) = (self.shelf.clone(), self.given_up);
        runtime.spawn(async move {
            let broken = match given_up {
                true => connection.close().await.err(),
                false => match connection.ping().await {
                    Ok(()) => {
                        shelf.free.lock().push(connection);
                        None
                    }
                    broken => broken.err(),
                },
            };
            if let Some(cause) = broken {
                tracing::warn!(%cause, "a connection to the store is given up");
            }
            drop(place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::Row;

    async fn shelf(count: u32) -> (tempfile::TempDir, Arc<Shelf>) {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("store"))
            .create_if_missing(true);
        let patience = Duration::from_millis(200);
        let shelf = Shelf::open(options, count, patience, None).await.unwrap();
        (folder, shelf)
    }

    async fn one(lent: &mut Lent, text: &'static str) -> i64 {
        let row = sqlx::query(text).fetch_one(&mut **lent).await.unwrap();
        lent.answered();
        row.get(0)
    }

    #[tokio::test]
    async fn no_more_than_there_are() {
        let (_folder, shelf) = shelf(2).await;
        let (first, second) = (shelf.lend().await.unwrap(), shelf.lend().await.unwrap());
        let refused = shelf.lend().await;
        assert!(matches!(refused, Err(sqlx::Error::PoolTimedOut)));
        drop(first);
        let mut third = shelf.lend().await.unwrap();
        assert_eq!(one(&mut third, "SELECT 3").await, 3);
        drop((second, third));
        assert_eq!(shelf.free.lock().len(), 2, "none is made anew");
    }

    /// A statement nobody waits for keeps its connection until it has ended.
    #[tokio::test]
    async fn an_unanswered_one_is_not_lent() {
        let (_folder, shelf) = shelf(1).await;
        let mut lent = shelf.lend().await.unwrap();
        let long = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) \
                    SELECT COUNT(*) FROM n";
        let slow = sqlx::query(long).fetch_one(&mut *lent);
        let soon = tokio::time::timeout(Duration::from_millis(1), slow).await;
        assert!(soon.is_err(), "it takes longer");
        drop(lent);
        assert!(shelf.free.lock().is_empty(), "it is still at work");
        let patient = async {
            loop {
                if let Ok(lent) = shelf.lend().await {
                    return lent;
                }
            }
        };
        let mut lent = patient.await;
        assert_eq!(one(&mut lent, "SELECT 7").await, 7);
    }

    #[tokio::test]
    async fn one_given_up_does_not_come_back() {
        let (_folder, shelf) = shelf(1).await;
        let mut lent = shelf.lend().await.unwrap();
        let small = sqlx::query("PRAGMA cache_size = 17");
        small.execute(&mut *lent).await.unwrap();
        lent.give_up();
        drop(lent);
        let mut next = shelf.lend().await.unwrap();
        assert_ne!(one(&mut next, "PRAGMA cache_size").await, 17);
    }

    #[tokio::test]
    async fn closing_waits_for_what_is_lent() {
        let (_folder, shelf) = shelf(2).await;
        let mut lent = shelf.lend().await.unwrap();
        let closing = tokio::spawn({
            let shelf = shelf.clone();
            async move { shelf.close().await }
        });
        tokio::task::yield_now().await;
        assert_eq!(one(&mut lent, "SELECT 5").await, 5);
        assert!(!closing.is_finished());
        drop(lent);
        closing.await.unwrap();
        assert!(matches!(shelf.lend().await, Err(sqlx::Error::PoolClosed)));
    }
}
