//! A measurement, not a test: how fast entries are recorded in batches, one by one by many at once,
//! and put into the trees; and how soon a proof among ten million comes.
//!
//! ```text
//! cargo run --release -p audit --example log -- [entries] [leaves] [sqlite:… | postgres://…]
//! ```
//! The peer is what a city without proofs would do: the same rows into the same table by the same
//! store, no hashes, no index of persons (`plain`). The trees of ten million are filled with leaves
//! only; the rows of that many entries are not, since a proof reads one row by its number.

use audit::{Engine, Options};
use kernel::crypto::{Algorithm, Crypto, PublicKey, Ring, Signature, Suite};
use kernel::{Fault, SystemClock, Time};
use sea_query::{ColumnDef, Expr, Query, Table};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use store::audit::AuditEntry;
use store::{Run, Store, audit_tree};

const BATCH: usize = 1000;

/// Keys that cost nothing, so that the log is measured and not the signature.
struct NoKeys;

impl Crypto for NoKeys {
    fn suite(&self) -> Suite {
        Suite::International
    }
    fn digest(&self, _: &[u8]) -> [u8; 32] {
        [0; 32]
    }
    fn sign(&self, _: Ring, _: &[u8]) -> Result<Signature, Fault> {
        Ok(Signature {
            key: "none".into(),
            algorithm: Algorithm::EdDsa,
            bytes: vec![0; 64],
        })
    }
    fn verify(&self, _: Ring, _: &[u8], _: &Signature) -> Result<bool, Fault> {
        Ok(true)
    }
    fn public_keys(&self, _: Ring) -> Result<Vec<PublicKey>, Fault> {
        Ok(vec![PublicKey {
            key: "none".into(),
            algorithm: Algorithm::EdDsa,
            bytes: vec![0; 32],
            created_at: 0,
            current: true,
        }])
    }
    fn seal(&self, _: Ring, _: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(plain.to_vec())
    }
    fn open(&self, _: Ring, _: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(sealed.to_vec())
    }
}

fn entry(n: usize, person: bool) -> AuditEntry {
    let records = match person {
        true => json!([{"key": format!("r{n}"), "person": format!("{:032x}", n % 5000)}]),
        false => json!([]),
    };
    AuditEntry {
        at: Time(1_795_190_400_000_000 + n as i64),
        account: format!("clerk{}", n % 200),
        verb: "read".into(),
        object: "register.resident".into(),
        subject: format!("r{n}"),
        purpose: "办理户籍业务".into(),
        basis: "《中华人民共和国户口登记条例》第三条".into(),
        details: json!({"display": "演示人员", "organisation": "data_bureau", "fields": ["number", "name"], "case": null, "records": records}),
        outcome: "done".into(),
    }
}

/// The same rows without chain and index, into a table of their own: the peer of a measurement.
async fn plain_rows(store: &Store, entries: &[AuditEntry]) -> Result<(), Fault> {
    let mut tx = store.begin().await?;
    let mut table = Table::create();
    table
        .table("audit_plain")
        .if_not_exists()
        .col(ColumnDef::new("number").big_integer().not_null());
    let columns = ["number", "at"].into_iter().chain(store::audit::TEXTS);
    let columns: Vec<&str> = columns.collect();
    table.col(ColumnDef::new("at").big_integer().not_null());
    for name in store::audit::TEXTS {
        table.col(ColumnDef::new(name).text().not_null());
    }
    tx.execute(&table).await?;
    for some in entries.chunks(250) {
        let mut statement = Query::insert();
        statement
            .into_table("audit_plain")
            .columns(columns.iter().copied());
        for (number, entry) in some.iter().enumerate() {
            statement.values_panic([
                Expr::val(number as i64),
                Expr::val(entry.at.0),
                Expr::val(entry.account.as_str()),
                Expr::val(entry.verb.as_str()),
                Expr::val(entry.object.as_str()),
                Expr::val(entry.subject.as_str()),
                Expr::val(entry.purpose.as_str()),
                Expr::val(entry.basis.as_str()),
                Expr::val(entry.details.to_string()),
                Expr::val(entry.outcome.as_str()),
            ]);
        }
        tx.execute(&statement).await?;
    }
    tx.commit().await
}

fn say(what: &str, count: usize, since: Instant) {
    let s = since.elapsed().as_secs_f64();
    println!(
        "{what:50} {count:>9} in {s:6.2} s = {:>9.0}/s",
        count as f64 / s
    );
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(100_000);
    let leaves: u64 = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10_000_000);
    let folder = std::env::temp_dir().join(format!("jicheng-audit-{}", std::process::id()));
    let url = arguments.next();
    let store = match &url {
        Some(url) => Store::open(url).await?,
        None => Store::in_folder(&folder).await?,
    };
    let outcome = measure(&store, count, leaves).await;
    store.close().await;
    let _ = std::fs::remove_dir_all(folder);
    outcome
}

async fn measure(store: &Store, count: usize, leaves: u64) -> Result<(), Fault> {
    let options = Options {
        origin: "jicheng/bench/audit".into(),
        file: None,
    };
    let clock = Arc::new(SystemClock);
    let engine = Engine::open(store.clone(), clock, Arc::new(NoKeys), options).await?;

    let since = Instant::now();
    for from in (0..count).step_by(BATCH) {
        let some: Vec<AuditEntry> = (from..from + BATCH).map(|n| entry(n, true)).collect();
        plain_rows(store, &some).await?;
    }
    say("plain rows, batches of 1,000 (the peer)", count, since);

    let since = Instant::now();
    for from in (0..count).step_by(BATCH) {
        engine
            .record((from..from + BATCH).map(|n| entry(n, true)).collect())
            .await?;
    }
    say(
        "recorded, batches of 1,000, each about a person",
        count,
        since,
    );
    let since = Instant::now();
    for from in (0..count).step_by(BATCH) {
        engine
            .record((from..from + BATCH).map(|n| entry(n, false)).collect())
            .await?;
    }
    say("recorded, batches of 1,000, about nobody", count, since);
    let since = Instant::now();
    let mut tasks = vec![];
    let each = count / 500;
    for writer in 0..500 {
        let engine = engine.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..each {
                engine.record(vec![entry(writer * each + n, true)]).await?;
            }
            Ok::<_, Fault>(())
        }));
    }
    for task in tasks {
        task.await.map_err(|e| Fault::internal("measuring", e))??;
    }
    say("recorded one by one by 500 at once", each * 500, since);
    let since = Instant::now();
    let size = engine.integrate().await?;
    say("put into both trees", size as usize, since);

    let since = Instant::now();
    engine.fill_for_a_measurement(leaves).await?;
    say("leaves filled in", (leaves - size) as usize, since);
    engine.checkpoint().await?;
    let size = audit_tree::size(&mut store.reader().await?).await?;
    let mut times: Vec<f64> = vec![];
    for n in 0..300u64 {
        let seq = 1 + (n * 7919) % (2 * count as u64);
        let since = Instant::now();
        engine.inclusion(seq as i64, Some(size)).await?;
        times.push(since.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "proof of one entry among {size}: p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms",
        times[150], times[297], times[299]
    );
    let mut times: Vec<f64> = vec![];
    for n in 1..=100u64 {
        let since = Instant::now();
        engine.consistency(n * (size / 101), size).await?;
        times.push(since.elapsed().as_secs_f64() * 1000.0);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "proof that it only grew: p50 {:.2} ms, p99 {:.2} ms",
        times[50], times[99]
    );
    Ok(())
}
