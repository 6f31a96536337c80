//! The restore drill: proof that the backup can be used, by using it. The newest base is restored
//! and compared with its census; then the newest state, whose audit log must be whole and go
//! through the head noted with the base; then a city is opened on it. What it took is the recovery
//! time that can be expected, what was missing is the recovery point.

use crate::config::Config;
use crate::run::{Parts, Running};
use backup::{Moment, Repository};
use kernel::crypto::Crypto;
use kernel::events::EventKind;
use kernel::{Clock, Fault, Time, Words};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use store::Store;
use store::audit::AuditEntry;

/// Documents of drills; the key is the moment of the drill.
pub const COLLECTION: &str = "drills";

/// What is to be practised.
pub struct Asked<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// Its keys.
    pub crypto: &'a dyn Crypto,
    /// Which state.
    pub moment: Moment,
    /// Configuration of the city.
    pub config: &'a Config,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// How a drill went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// When it began.
    pub at: Time,
    /// Everything was as it should be.
    pub ok: bool,
    /// What was not.
    pub fault: Option<Words>,
    /// The state restored is that of this moment.
    pub restored_to: Option<Time>,
    /// Seconds between that moment and the drill: what would have been lost.
    pub rpo_s: Option<f64>,
    /// Seconds from the beginning until a city was open on the restored state.
    pub rto_s: f64,
    /// Bytes restored.
    pub bytes: u64,
    /// Bytes a second of restoring.
    pub bytes_per_s: f64,
    /// Segments replayed.
    pub segments: u64,
    /// Tables compared with the census of the base.
    pub tables: u64,
    /// Entries of the audit log verified.
    pub audit_entries: u64,
}

/// Practises. The outcome says what went wrong; nothing of the copy is left.
pub async fn run(asked: Asked<'_>, progress: impl FnMut(u64) + Send) -> Outcome {
    let at = asked.clock.now();
    let begun = Instant::now();
    let mut outcome = Outcome {
        at,
        ok: false,
        fault: None,
        restored_to: None,
        rpo_s: None,
        rto_s: 0.0,
        bytes: 0,
        bytes_per_s: 0.0,
        segments: 0,
        tables: 0,
        audit_entries: 0,
    };
    match practise(&asked, &mut outcome, progress).await {
        Ok(()) => outcome.ok = true,
        Err(fault) => outcome.fault = Some(fault.words),
    }
    if outcome.rto_s == 0.0 {
        outcome.rto_s = begun.elapsed().as_secs_f64();
    }
    outcome
}

async fn practise(
    asked: &Asked<'_>,
    outcome: &mut Outcome,
    mut progress: impl FnMut(u64) + Send,
) -> Result<(), Fault> {
    let place = match asked.config.text("drill_folder") {
        "" => tempfile::tempdir(),
        folder => tempfile::tempdir_in(folder),
    };
    let place = place.map_err(|e| Fault::internal("making the folder of the drill", e))?;
    // The recovery as it would be.
    let begun = Instant::now();
    let data = place.path().join("city");
    let restored = backup::restore(
        asked.repository,
        asked.crypto,
        asked.moment,
        &data,
        &mut progress,
    )
    .await?;
    outcome.bytes = restored.bytes;
    outcome.bytes_per_s = restored.bytes as f64 / begun.elapsed().as_secs_f64();
    outcome.segments = restored.segments;
    outcome.restored_to = Some(restored.at);
    let covered = match asked.moment {
        Moment::Latest => restored.covered.unwrap_or(restored.at),
        _ => restored.at,
    };
    outcome.rpo_s = Some(outcome.at.since(covered).as_seconds().max(0.0));
    open_city(asked.config, &data, asked.clock.clone()).await?;
    outcome.rto_s = begun.elapsed().as_secs_f64();
    if restored.short {
        return Err(wrong(
            "备份库缺少最新的增量",
            "the newest segments are missing in the repository",
        ));
    }
    let file = data.join("jicheng.db");
    if let Some(complaint) = store::wal::check_file(&file).await?.first() {
        return Err(wrong(
            "恢复出的数据库文件有损坏",
            format!("the restored file is damaged: {complaint}"),
        ));
    }
    let store = Store::in_folder(&data).await?;
    let verdict = store.audit().verify_against(&restored.base.audit).await;
    store.close().await;
    let verdict = verdict?;
    outcome.audit_entries = verdict.checked;
    if let Some((entry, damage)) = verdict.damage {
        return Err(wrong(
            format!("审计日志第 {entry} 条被改动"),
            format!("entry {entry} of the audit log: {damage:?}"),
        ));
    }
    compare_census(asked, &restored.base, place.path(), outcome).await
}

fn wrong(zh: impl Into<String>, en: impl Into<String>) -> Fault {
    let mut fault = Fault::internal("the restore drill", "");
    fault.words = Words::new(zh, en);
    fault
}

/// The base itself, row for row as many as were counted when it was made.
async fn compare_census(
    asked: &Asked<'_>,
    base: &backup::repository::BaseFacts,
    place: &Path,
    outcome: &mut Outcome,
) -> Result<(), Fault> {
    let data = place.join("base");
    let moment = Moment::OfBase(base.number);
    backup::restore(asked.repository, asked.crypto, moment, &data, |_| {}).await?;
    let store = Store::in_folder(&data).await?;
    let census = store.census().await;
    store.close().await;
    let census = census?;
    for (table, rows) in &base.tables {
        let found = census.tables.iter().find(|(name, _)| name == table);
        let found = found.map_or(0, |(_, rows)| *rows);
        // Opening takes the migrations of this edition, and nothing else writes.
        if found != *rows && table != "migrations" {
            return Err(wrong(
                format!("表 {table} 应有 {rows} 行，恢复出 {found} 行"),
                format!("table {table} has {found} rows instead of {rows}"),
            ));
        }
        outcome.tables += 1;
    }
    Ok(())
}

/// Opens every engine on the restored data, as a start of the city does, and stops again.
async fn open_city(config: &Config, data: &Path, clock: Arc<dyn Clock>) -> Result<(), Fault> {
    let mut changes = vec![
        ("data", data.display().to_string()),
        ("store", String::new()),
        ("backup_folder", String::new()),
        ("jobs", "false".to_string()),
    ];
    if let crypto::MasterSource::File(file) = config.master_key() {
        changes.push(("master_key_file", file.display().to_string()));
    }
    let config = config.with(&changes);
    let declared = crate::run::declared(&config).map_err(|problems| {
        Fault::internal("reading the declarations", crate::commands::show(&problems))
    })?;
    let parts = Parts {
        http: false,
        gateways: false,
        simulated: false,
        replaying: false,
    };
    // A city starts a city: the compiler needs to be told that this ends.
    let start: std::pin::Pin<Box<dyn Future<Output = Result<Running, Fault>> + Send>> =
        Box::pin(Running::start(config, declared, clock, parts));
    let running = start.await?;
    running.stop().await;
    Ok(())
}

/// Writes the outcome down in the city: a document, an event and an entry of the audit log.
pub async fn record(store: &Store, outcome: &Outcome, account: &str) -> Result<(), Fault> {
    let json =
        serde_json::to_value(outcome).map_err(|e| Fault::internal("writing down a drill", e))?;
    let entry = AuditEntry {
        at: outcome.at,
        account: account.into(),
        verb: "drill".into(),
        object: "backups".into(),
        subject: outcome.at.rfc3339(),
        purpose: String::new(),
        basis: String::new(),
        details: json!({"rto_s": outcome.rto_s, "rpo_s": outcome.rpo_s, "fault": outcome.fault}),
        outcome: if outcome.ok { "done" } else { "failed" }.into(),
    };
    let mut tx = store.begin().await?;
    let key = format!("{:020}", outcome.at.0);
    store::documents::put(&mut tx, COLLECTION, &key, &json, None).await?;
    let body = json.to_string();
    store::events::append(
        &mut tx,
        outcome.at,
        EventKind::Backup,
        "drill",
        body.as_bytes(),
    )
    .await?;
    store::audit::append(&mut tx, &entry).await?;
    tx.commit().await
}
