//! Backup and restore: the whole store in one portable file, made while the city runs, read by
//! either database. The archive is itself a SQLite file that any tool opens: every table with its
//! rows, and a manifest that says how many rows each has and what they hash to. It is one
//! consistent state, because it is read in one snapshot; it appears under its name only when it is
//! complete and on the disk.

mod census;
mod keyring;
mod schema;
#[cfg(test)]
mod tests;

pub use census::Census;
pub use keyring::Keyring;
pub use schema::{ColumnKind, ColumnShape, IndexShape, TableShape};

use crate::audit::AuditHead;
use crate::sql::{Link, Plain, Run, stream};
use crate::{Store, Tx, faults, migrations};
use futures::TryStreamExt;
use kernel::fault::FaultKind;
use kernel::{Fault, Time};
use sea_query::{ColumnDef, Expr, Query, Table};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Edition of the archive's layout.
const FORMAT: u32 = 1;
/// Rows of one insert, at most.
const BATCH_ROWS: usize = 200;
/// Values of one insert, at most; SQLite allows 32,766.
const BATCH_VALUES: usize = 20_000;
/// Bytes of one insert, about.
const BATCH_BYTES: usize = 4 << 20;
/// The one table of an archive that is not the store's.
const MANIFEST: &str = "archive_manifest";
/// Filled by the migrations themselves.
const MIGRATIONS: &str = "migrations";

/// A table in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContent {
    /// Its shape.
    pub shape: TableShape,
    /// Number of rows.
    pub rows: u64,
    /// SHA-256 over all rows in order of the key, in hexadecimal.
    pub sha256: String,
}

/// What an archive holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout of the archive.
    pub format: u32,
    /// Edition of the program that wrote it.
    pub edition: String,
    /// When it was made.
    pub at: Time,
    /// Migrations the store had taken.
    pub migrations: Vec<String>,
    /// Head of the audit log: proof that nothing was cut off since.
    pub audit: AuditHead,
    /// Every table but that of the migrations, by name.
    pub tables: Vec<TableContent>,
}

impl Store {
    /// Writes everything into a new file at `to`; the city may go on running. On a busy SQLite
    /// store the write-ahead log grows while this takes, because the snapshot is held. Fails with
    /// `input.conflict` when the file exists; a failed backup leaves nothing under that name.
    pub async fn backup(&self, to: &Path, at: Time) -> Result<Manifest, Fault> {
        if to.exists() {
            return Err(occupied(&to.display().to_string()));
        }
        let mut partial = PathBuf::from(to).into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        if partial.exists() {
            std::fs::remove_file(&partial).map_err(file_fault)?;
        }
        let outcome = self.write_archive(&partial, at).await;
        let outcome = match outcome {
            Ok(manifest) => finish_file(&partial, to).await.map(|()| manifest),
            Err(fault) => Err(fault),
        };
        if outcome.is_err() && partial.exists() {
            std::fs::remove_file(&partial).map_err(file_fault)?;
        }
        outcome
    }

    async fn write_archive(&self, to: &Path, at: Time) -> Result<Manifest, Fault> {
        // First of all, so that the chain of the snapshot goes through it.
        let audit = self.audit().head().await?;
        let mut source = self.snapshot().await?;
        let mut archive = Archive::create(to).await?;
        archive.execute(&Plain("BEGIN")).await?;
        let mut manifest = Manifest {
            format: FORMAT,
            edition: env!("CARGO_PKG_VERSION").to_owned(),
            at,
            migrations: migrations::taken(&mut source).await?,
            audit,
            tables: vec![],
        };
        for shape in schema::tables(&mut source).await? {
            if shape.name == MIGRATIONS {
                continue;
            }
            archive.execute(&shape.create()).await?;
            let mut hasher = Sha256::new();
            let rows = copy(&mut source, &mut archive, &shape, Some(&mut hasher)).await?;
            let sha256 = hex(hasher);
            manifest.tables.push(TableContent {
                shape,
                rows,
                sha256,
            });
        }
        archive.write_manifest(&manifest).await?;
        archive.execute(&Plain("COMMIT")).await?;
        archive.close().await?;
        Ok(manifest)
    }

    /// Reads an archive into an empty place (`sqlite:/path/file.db` or `postgres://…`) and brings
    /// the tables up to this edition; all or nothing. Every row is checked against the manifest
    /// before anything is written. Fails with `input.conflict` when the place is not empty, with
    /// `input.invalid` when the archive is damaged or of a newer edition.
    pub async fn restore(archive: &Path, into: &str) -> Result<Manifest, Fault> {
        let mut source = Archive::open(archive).await?;
        let manifest = source.read_manifest().await?;
        source.check(&manifest).await?;
        let store = Store::connect(into).await?;
        let outcome = store.fill_from(&mut source, &manifest).await;
        store.close().await;
        source.close().await?;
        outcome.map(|()| manifest)
    }

    async fn fill_from(&self, source: &mut Archive, manifest: &Manifest) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        let existing = schema::tables(&mut tx).await?;
        if let Some(table) = existing.first() {
            return Err(occupied(&format!("table {}", table.name)));
        }
        let known = crate::migrations();
        let then: BTreeSet<String> = manifest.migrations.iter().cloned().collect();
        migrations::take(&mut tx, &known, Some(&then)).await?;
        let made: Vec<TableShape> = schema::tables(&mut tx).await?;
        for table in &manifest.tables {
            fill_table(source, &mut tx, &table.shape, &made).await?;
        }
        migrations::take(&mut tx, &known, None).await?;
        tx.commit().await
    }
}

/// Fills one table, making it when the migrations have not.
async fn fill_table(
    source: &mut Archive,
    tx: &mut Tx,
    shape: &TableShape,
    made: &[TableShape],
) -> Result<(), Fault> {
    if made.iter().any(|table| table.name == shape.name) {
        // A migration may have put rows in; the archive's are the truth.
        tx.execute(&Query::delete().from_table(shape.name.clone()).to_owned())
            .await?;
        copy(source, tx, shape, None).await?;
        return Ok(());
    }
    tx.execute(&shape.create()).await?;
    copy(source, tx, shape, None).await?;
    for index in shape.create_indexes() {
        tx.execute(&index).await?;
    }
    Ok(())
}

/// Carries the rows of a table over, adding them to the hash if one is asked for; returns their
/// number.
async fn copy(
    from: &mut impl Run,
    to: &mut impl Run,
    shape: &TableShape,
    mut hasher: Option<&mut Sha256>,
) -> Result<u64, Fault> {
    let mut rows = stream(from.link(), &shape.select())?;
    let (mut count, mut batch, mut bytes) = (0, vec![], 0);
    let limit = std::cmp::min(BATCH_ROWS, BATCH_VALUES / shape.columns.len());
    while let Some(row) = rows.try_next().await? {
        let cells = shape.cells(&row)?;
        count += 1;
        for cell in &cells {
            bytes += cell.size();
            if let Some(hasher) = &mut hasher {
                cell.hash_into(hasher);
            }
        }
        batch.push(cells);
        if batch.len() >= limit || bytes >= BATCH_BYTES {
            insert(to, shape, std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
    }
    insert(to, shape, batch).await?;
    Ok(count)
}

async fn insert(
    to: &mut impl Run,
    shape: &TableShape,
    rows: Vec<Vec<schema::Cell>>,
) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = Query::insert();
    statement
        .into_table(shape.name.clone())
        .columns(shape.column_names());
    for row in rows {
        statement.values_panic(row.into_iter().map(schema::Cell::into_expr));
    }
    to.execute(&statement).await.map(drop)
}

fn hex(hasher: Sha256) -> String {
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An archive that is being written or read.
struct Archive(SqliteConnection);

impl Run for Archive {
    fn link(&mut self) -> Link<'_> {
        Link::Sqlite(&mut self.0)
    }
}

fn archive_fault(error: sqlx::Error) -> Fault {
    faults::from_sqlx("opening the archive", error)
}

fn damaged(cause: &str) -> Fault {
    Fault::invalid_at(
        "archive",
        format!("备份文件无法使用：{cause}"),
        format!("unusable: {cause}"),
    )
}

/// What is already where something new should go.
fn occupied(by: &str) -> Fault {
    Fault::new(
        FaultKind::Conflict,
        "input.conflict",
        format!("目标位置已有内容（{by}），未做任何更改"),
        format!("something is there already ({by}), nothing was changed"),
    )
}

impl Archive {
    async fn create(at: &Path) -> Result<Archive, Fault> {
        let connection = SqliteConnectOptions::new()
            .filename(at)
            .create_if_missing(true)
            .page_size(8192)
            // Nothing of a half-written archive is kept, and it is synced as a whole at the end.
            .journal_mode(SqliteJournalMode::Off)
            .pragma("synchronous", "off")
            .disable_statement_logging()
            .connect()
            .await
            .map_err(archive_fault)?;
        Ok(Archive(connection))
    }

    async fn open(at: &Path) -> Result<Archive, Fault> {
        let options = SqliteConnectOptions::new().filename(at).read_only(true);
        let connection = options.disable_statement_logging().connect().await;
        Ok(Archive(connection.map_err(|e| damaged(&e.to_string()))?))
    }

    async fn close(self) -> Result<(), Fault> {
        self.0.close().await.map_err(archive_fault)
    }

    async fn write_manifest(&mut self, manifest: &Manifest) -> Result<(), Fault> {
        let table = Table::create()
            .table(MANIFEST)
            .col(ColumnDef::new("json").text().not_null().primary_key())
            .to_owned();
        self.execute(&table).await?;
        let json = serde_json::to_string(manifest)
            .map_err(|e| Fault::internal("writing the manifest", e))?;
        let row = Query::insert()
            .into_table(MANIFEST)
            .columns(["json"])
            .values_panic([Expr::val(json)])
            .to_owned();
        self.execute(&row).await.map(drop)
    }

    async fn read_manifest(&mut self) -> Result<Manifest, Fault> {
        let query = Query::select().column("json").from(MANIFEST).to_owned();
        let row = self
            .fetch_optional(&query)
            .await
            .map_err(|fault| damaged(&fault.words.en))?;
        let row = row.ok_or_else(|| damaged("no manifest"))?;
        let manifest: Manifest =
            serde_json::from_str(&row.text("json")?).map_err(|e| damaged(&e.to_string()))?;
        let known = crate::migrations();
        let newer = |name: &&String| !known.iter().any(|step| step.name == name.as_str());
        if manifest.format != FORMAT || manifest.migrations.iter().any(|name| newer(&name)) {
            let edition = &manifest.edition;
            return Err(damaged(&format!("written by the newer edition {edition}")));
        }
        Ok(manifest)
    }

    /// Compares every row with the manifest.
    async fn check(&mut self, manifest: &Manifest) -> Result<(), Fault> {
        for table in &manifest.tables {
            let mut hasher = Sha256::new();
            let mut count = 0;
            let mut rows = stream(self.link(), &table.shape.select())?;
            while let Some(row) = rows
                .try_next()
                .await
                .map_err(|fault| damaged(&fault.words.en))?
            {
                count += 1;
                for cell in &table.shape.cells(&row)? {
                    cell.hash_into(&mut hasher);
                }
            }
            if (count, hex(hasher)) != (table.rows, table.sha256.clone()) {
                return Err(damaged(&format!("table {} was altered", table.shape.name)));
            }
        }
        Ok(())
    }
}

fn file_fault(error: std::io::Error) -> Fault {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return faults::disk_full("writing the archive", &error.to_string());
    }
    Fault::internal("writing the archive", error)
}

/// Puts the finished file under its name, on the disk.
async fn finish_file(partial: &Path, to: &Path) -> Result<(), Fault> {
    let sync = |path: &Path| -> std::io::Result<()> { std::fs::File::open(path)?.sync_all() };
    let (partial, to) = (partial.to_owned(), to.to_owned());
    let work = move || {
        sync(&partial)?;
        std::fs::rename(&partial, &to)?;
        to.parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .map_or(Ok(()), sync)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Fault::internal("writing the archive", e))?
        .map_err(file_fault)
}
