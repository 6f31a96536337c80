//! testkit: what tests of many rooms need and no running city does. A PostgreSQL server of their
//! own, keys that open nothing real, and one way to run a test on every database a store can live in.

mod authenticator;
mod crypto;
mod killed;
mod ports;
mod postgres;

pub use authenticator::{Authenticator, one_time_code};
pub use crypto::FakeCrypto;
pub use killed::{killed, lines};
pub use ports::free_port;
pub use postgres::{PostgresServer, StartError};

use std::sync::OnceLock;
use store::Store;

/// The one server of this test process; it stops when the process ends, however it ends.
fn server() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(|| match PostgresServer::start() {
        Ok(server) => server,
        Err(error) => panic!("tests need a PostgreSQL server: {error}"),
    })
}

/// The address of a fresh, empty PostgreSQL database of this test process.
pub fn fresh_postgres() -> String {
    let server = server();
    match server.create_database() {
        Ok(address) => address,
        Err(error) => panic!("making a database for a test: {error}"),
    }
}

/// Runs a test on the address of an empty place, once for each database: for tests that open the
/// store themselves.
pub async fn each_address<F, T>(test: F)
where
    F: Fn(String) -> T,
    T: Future<Output = ()>,
{
    let dir = tempfile::tempdir().unwrap_or_else(|e| panic!("making a folder for a test: {e}"));
    eprintln!("on SQLite");
    test(format!("sqlite:{}", dir.path().join("test.db").display())).await;
    eprintln!("on PostgreSQL");
    test(fresh_postgres()).await;
}

/// Runs a test on an open, empty store, once for each database.
pub async fn each_store<F, T>(test: F)
where
    F: Fn(Store) -> T,
    T: Future<Output = ()>,
{
    let test = &test;
    each_address(|address| async move {
        let store = match Store::open(&address).await {
            Ok(store) => store,
            Err(fault) => panic!("opening {address}: {fault}"),
        };
        test(store.clone()).await;
        store.close().await;
    })
    .await;
}
