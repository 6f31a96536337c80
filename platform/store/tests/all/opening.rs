//! Opening: migrations, refusals, and what both databases must agree on.

use kernel::Time;
use kernel::events::EventKind;
use kernel::fault::FaultKind;
use sea_query::{Expr, ExprTrait, Func, Query};
use store::{Run, Store, events};
use testkit::{each_address, each_store};

#[tokio::test]
async fn opening_twice_changes_nothing() {
    each_address(|address| async move {
        let notes = async |store: &Store| {
            let query = Query::select().column("name").from("migrations").to_owned();
            let rows = store
                .reader()
                .await
                .unwrap()
                .fetch_all(&query)
                .await
                .unwrap();
            rows.iter()
                .map(|row| row.text("name").unwrap())
                .collect::<Vec<_>>()
        };
        let store = Store::open(&address).await.unwrap();
        let first = notes(&store).await;
        assert!(first.iter().any(|name| name == "events_1"), "{first:?}");
        store.close().await;
        let store = Store::open(&address).await.unwrap();
        assert_eq!(notes(&store).await, first);
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_store_of_a_newer_edition_is_refused() {
    each_address(|address| async move {
        let store = Store::open(&address).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let newer = Query::insert()
            .into_table("migrations")
            .columns(["name", "number"])
            .values_panic([Expr::val("from_tomorrow_1"), Expr::val(999)])
            .to_owned();
        tx.execute(&newer).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        let fault = Store::open(&address).await.err().unwrap();
        assert_eq!(fault.code, "store.unavailable");
        assert!(fault.words.en.contains("from_tomorrow_1"), "{fault}");
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_opened_is_unavailable() {
    let dir = tempfile::tempdir().unwrap();
    let not_a_store = dir.path().join("text.db");
    std::fs::write(&not_a_store, "not a database ".repeat(1000)).unwrap();
    let nowhere = dir.path().join("no/such/folder/x.db");
    let missing_database = testkit::fresh_postgres().replace("test_", "absent_");
    for address in [
        format!("sqlite:{}", not_a_store.display()),
        format!("sqlite:{}", nowhere.display()),
        missing_database,
        "postgres://127.0.0.1:1/none".to_owned(),
        "mysql://somewhere/db".to_owned(),
    ] {
        let fault = Store::open(&address).await.err().unwrap();
        assert_eq!(fault.code, "store.unavailable", "{address}: {fault}");
    }
}

#[tokio::test]
async fn a_new_reader_waits_for_no_writer() {
    each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        events::append(&mut tx, Time(1), EventKind::Alert, "a", b"")
            .await
            .unwrap();
        // More at once than have been opened so far: every one is a new connection.
        let mut readers = vec![];
        for _ in 0..3 {
            readers.push(store.snapshot().await.unwrap());
        }
        assert_eq!(readers.len(), 3);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_failed_statement_spoils_its_transaction() {
    each_store(|store| async move {
        let mut tx = store.begin().await.unwrap();
        events::append(&mut tx, Time(1), EventKind::Alert, "a", b"")
            .await
            .unwrap();
        let again = Query::insert()
            .into_table("events")
            .columns(["seq", "at", "kind", "about", "body"])
            .values_panic(
                [1, 1, 1]
                    .map(Expr::val)
                    .into_iter()
                    .chain([Expr::val("x"), Expr::val(vec![0_u8])]),
            )
            .to_owned();
        let fault = tx.execute(&again).await.unwrap_err();
        assert_eq!(
            (fault.code, fault.kind),
            ("input.conflict", FaultKind::Conflict)
        );
        assert!(tx.commit().await.is_err());
        assert_eq!(store.events().last_seq(), 0);
        assert!(store.events().read(0, 1).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_reader_cannot_write() {
    each_store(|store| async move {
        let write = Query::delete().from_table("events").to_owned();
        assert!(store.reader().await.unwrap().execute(&write).await.is_err());
        assert!(
            store
                .snapshot()
                .await
                .unwrap()
                .execute(&write)
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn values_mean_the_same_on_both() {
    each_store(|store| async move {
        let mut reader = store.reader().await.unwrap();
        let query = Query::select()
            .expr_as(Expr::val(i64::MIN).cast_as("bigint"), "least")
            .expr_as(Expr::val(true), "truth")
            .expr_as(Expr::val(0.1), "tenth")
            .expr_as(Expr::val("中文 ' \" \\ ?"), "text")
            .expr_as(Expr::val(vec![0_u8, 255]), "bytes")
            .expr_as(Expr::val(Option::<i64>::None), "nothing")
            .to_owned();
        let row = reader.fetch_optional(&query).await.unwrap().unwrap();
        assert_eq!(row.i64("least").unwrap(), i64::MIN);
        assert_eq!(row.i64("truth").unwrap(), 1);
        assert_eq!(row.f64("tenth").unwrap(), 0.1);
        assert_eq!(row.text("text").unwrap(), "中文 ' \" \\ ?");
        assert_eq!(row.bytes("bytes").unwrap(), [0, 255]);
        assert_eq!(row.opt_i64("nothing").unwrap(), None);
        assert!(row.i64("nothing").is_err(), "NULL where a number must be");
        assert!(row.i64("no_such_column").is_err());
        for (pattern, found) in [("a%", true), ("A%", false)] {
            let like = Expr::val("abc").like(pattern);
            let query = Query::select()
                .expr_as(Expr::val(1), "one")
                .and_where(like)
                .to_owned();
            let row = reader.fetch_optional(&query).await.unwrap();
            assert_eq!(row.is_some(), found, "abc LIKE {pattern}");
        }
        let zero = Query::select().expr(Expr::val("a\0b")).to_owned();
        let fault = reader.fetch_optional(&zero).await.err().unwrap();
        assert_eq!(fault.code, "input.invalid");
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_sees_one_state() {
    each_store(|store| async move {
        let count = Query::select()
            .expr_as(Expr::col("seq").count(), "n")
            .from("events")
            .to_owned();
        let mut snapshot = store.snapshot().await.unwrap();
        let before = snapshot.fetch_optional(&count).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        events::append(&mut tx, Time(1), EventKind::Alert, "a", b"")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let after = snapshot.fetch_optional(&count).await.unwrap().unwrap();
        assert_eq!((before.i64("n").unwrap(), after.i64("n").unwrap()), (0, 0));
        drop(snapshot);
        let now = store
            .reader()
            .await
            .unwrap()
            .fetch_optional(&count)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(now.i64("n").unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_size_grows_with_what_is_stored() {
    each_store(|store| async move {
        let before = store.size_bytes().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let body = vec![7; 2_000_000];
        events::append(&mut tx, Time(1), EventKind::Alert, "a", &body)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let after = store.size_bytes().await.unwrap();
        assert!(after >= before + 1_900_000, "{before} and then {after}");
    })
    .await;
}

/// Ends every other connection to the database of this store.
pub async fn end_connections(store: &Store) {
    let call = |name: &'static str| Func::cust(name);
    let others = Query::select()
        .expr(call("pg_terminate_backend").arg(Expr::col("pid")))
        .from("pg_stat_activity")
        .and_where(Expr::col("datname").eq(call("current_database")))
        .and_where(Expr::col("pid").ne(call("pg_backend_pid")))
        .to_owned();
    store
        .reader()
        .await
        .unwrap()
        .execute(&others)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_said_and_made_again() {
    let address = testkit::fresh_postgres();
    let store = Store::open(&address).await.unwrap();
    let mut tx = store.begin().await.unwrap();
    events::append(&mut tx, Time(1), EventKind::Alert, "a", b"")
        .await
        .unwrap();
    end_connections(&store).await;
    assert_eq!(tx.commit().await.unwrap_err().code, "store.unavailable");
    let mut tx = store.begin().await.unwrap();
    let seq = events::append(&mut tx, Time(1), EventKind::Alert, "b", b"")
        .await
        .unwrap();
    assert_eq!(seq, 1, "the lost transaction left nothing");
    tx.commit().await.unwrap();
    assert_eq!(store.events().read(0, 100).await.unwrap().len(), 1);
    store.close().await;
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable() {
    let server = testkit::PostgresServer::start().unwrap();
    let store = Store::open(&server.create_database().unwrap())
        .await
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    drop(server);
    let written = events::append(&mut tx, Time(1), EventKind::Alert, "a", b"").await;
    assert_eq!(written.unwrap_err().code, "store.unavailable");
    drop(tx);
    let fault = store.begin().await.err().unwrap();
    assert!(
        ["store.unavailable", "system.overloaded"].contains(&fault.code),
        "{fault}"
    );
}

#[tokio::test]
async fn a_database_that_sorts_otherwise_is_refused() {
    let server = testkit::PostgresServer::start().unwrap();
    let address = server.create_database_in("C", "SQL_ASCII").unwrap();
    let fault = Store::open(&address).await.err().unwrap();
    assert_eq!(fault.code, "store.unavailable");
    assert!(fault.words.en.contains("LOCALE 'C'"), "{fault}");
}
