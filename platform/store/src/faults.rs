//! Faults of the databases in our words: full disk, lost connection, somebody else first.

use kernel::Fault;
use kernel::fault::FaultKind;
use sqlx::error::{DatabaseError, ErrorKind};

/// When to try again what a full disk or a lost database prevented.
const RETRY_AFTER_S: u32 = 30;

/// The fault a database error means, said with what was being attempted.
pub(crate) fn from_sqlx(doing: &str, error: sqlx::Error) -> Fault {
    match &error {
        sqlx::Error::Database(database) => from_database(doing, database.as_ref()),
        sqlx::Error::PoolTimedOut => Fault::overloaded("store", 1),
        sqlx::Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
            disk_full(doing, &error.to_string())
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Configuration(_) => unavailable(doing, &error.to_string()),
        _ => Fault::internal(doing, error),
    }
}

fn from_database(doing: &str, error: &dyn DatabaseError) -> Fault {
    let code = error.code().unwrap_or_default().into_owned();
    let cause = error.to_string();
    if error.kind() == ErrorKind::UniqueViolation {
        return conflict(&cause);
    }
    match meaning(&code) {
        Meaning::DiskFull => disk_full(doing, &cause),
        Meaning::Unavailable => unavailable(doing, &cause),
        Meaning::Busy => Fault::overloaded("store", 1),
        Meaning::Other => Fault::internal(doing, cause),
    }
}

#[derive(Debug, PartialEq)]
enum Meaning {
    DiskFull,
    Unavailable,
    Busy,
    Other,
}

/// Codes of SQLite are numbers whose low byte is the primary code; those of PostgreSQL have five
/// characters (SQLSTATE, appendix A of its manual). `53100` is five digits too, and no extended
/// code of SQLite comes near it.
fn meaning(code: &str) -> Meaning {
    if code.len() < 5 {
        let primary = code.parse::<i32>().unwrap_or(0) & 0xff;
        return match primary {
            13 => Meaning::DiskFull,
            5 | 6 => Meaning::Busy,
            8 | 10 | 11 | 14 | 26 => Meaning::Unavailable,
            _ => Meaning::Other,
        };
    }
    match code {
        "53100" => Meaning::DiskFull,
        "40001" | "40P01" | "55P03" | "53200" | "53300" | "53400" | "57014" => Meaning::Busy,
        "25006" => Meaning::Unavailable,
        _ if code.starts_with("08") || code.starts_with("57P") || code.starts_with("58") => {
            Meaning::Unavailable
        }
        _ if code.starts_with("28") || code.starts_with("3D") => Meaning::Unavailable,
        _ => Meaning::Other,
    }
}

/// No room left where the store lives; nothing was written.
pub(crate) fn disk_full(doing: &str, cause: &str) -> Fault {
    let fault = Fault::new(
        FaultKind::Overloaded,
        "store.disk_full",
        "存储空间已满，未做任何更改；请清理磁盘后重试",
        format!("the disk of the store is full, nothing was changed ({doing}: {cause})"),
    );
    later(fault)
}

/// The database does not answer or cannot be used.
pub(crate) fn unavailable(doing: &str, cause: &str) -> Fault {
    let fault = Fault::new(
        FaultKind::Overloaded,
        "store.unavailable",
        "数据库暂时无法使用，请联系系统运维人员",
        format!("the store cannot be used ({doing}: {cause})"),
    );
    later(fault)
}

/// Not the fault of the request: the same may work once somebody has looked after the store.
fn later(mut fault: Fault) -> Fault {
    fault.retry_after_s = Some(RETRY_AFTER_S);
    fault
}

/// It exists already.
fn conflict(cause: &str) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        "已存在相同的内容，未做任何更改",
        format!("it exists already, nothing was changed ({cause})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::{Plain, Run};
    use crate::{Store, Tx, events};
    use kernel::Time;
    use kernel::events::EventKind;

    async fn append(tx: &mut Tx) -> Result<i64, Fault> {
        events::append(tx, Time(1), EventKind::Record, "x", &[7; 100_000]).await
    }

    #[tokio::test]
    async fn a_full_disk_is_said_and_costs_nothing_that_was_committed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        // SQLite answers the same when it may not grow as when the disk has no room.
        let mut tx = store.begin().await.unwrap();
        tx.fetch_all(&Plain("PRAGMA max_page_count = 400"))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut committed = 0;
        let fault = loop {
            let mut tx = store.begin().await.unwrap();
            let written = match append(&mut tx).await {
                Ok(seq) => tx.commit().await.map(|()| seq),
                Err(fault) => Err(fault),
            };
            match written {
                Ok(seq) => committed = seq,
                Err(fault) => break fault,
            }
        };
        assert_eq!(fault.code, "store.disk_full", "{fault}");
        assert_eq!((fault.status(), fault.retry_after_s), (503, Some(30)));
        assert_eq!(store.trouble().map(|f| f.code), Some("store.disk_full"));
        assert!(committed > 3);
        assert_eq!(store.events().last_on_disk().await.unwrap(), committed);
        // The limit was that of a connection which is no longer used: writing goes on.
        let mut tx = store.begin().await.unwrap();
        assert_eq!(append(&mut tx).await, Ok(committed + 1));
        tx.commit().await.unwrap();
        assert_eq!(store.trouble(), None);
        store.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_full_disk_takes_only_what_nobody_was_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::in_folder(dir.path()).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.fetch_all(&Plain("PRAGMA max_page_count = 600"))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let store = store.clone();
            tasks.spawn(async move {
                let mut tx = store.begin().await?;
                let seq = append(&mut tx).await?;
                tx.commit().await.map(|()| seq)
            });
        }
        let (mut told, mut refused) = (vec![], 0);
        while let Some(outcome) = tasks.join_next().await {
            match outcome.unwrap() {
                Ok(seq) => told.push(seq),
                Err(fault) => {
                    assert_eq!(fault.code, "store.disk_full", "{fault}");
                    refused += 1;
                }
            }
        }
        told.sort();
        assert!(refused > 0 && told.iter().copied().eq(1..=told.len() as i64));
        let kept = store.events().last_on_disk().await.unwrap();
        assert_eq!(kept, told.len() as i64);
        store.close().await;
    }

    #[test]
    fn codes_of_both_databases_mean_the_same() {
        let check = |code: &str, expect: Meaning| assert_eq!(meaning(code), expect, "{code}");
        check("13", Meaning::DiskFull);
        check("53100", Meaning::DiskFull);
        check("5", Meaning::Busy);
        check("517", Meaning::Busy); // SQLITE_BUSY_SNAPSHOT
        check("40001", Meaning::Busy);
        check("778", Meaning::Unavailable); // SQLITE_IOERR_WRITE
        check("26", Meaning::Unavailable);
        check("57P01", Meaning::Unavailable);
        check("08006", Meaning::Unavailable);
        check("1", Meaning::Other);
        check("42601", Meaning::Other);
    }
}
