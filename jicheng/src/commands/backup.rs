//! `jicheng backup`, `restore` and `drill`: the city kept a second time, from the command line.

use super::say;
use crate::backups::{blocking, open_keys, write_keys};
use crate::config::Config;
use crate::drill;
use backup::repository::PlainFile;
use backup::{Moment, Repository};
use clap::Subcommand;
use kernel::crypto::Crypto;
use kernel::{Clock, Fault, SystemClock, Time};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::Store;
use store::audit::AuditEntry;

/// `jicheng backup …`
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Backup {
    #[command(subcommand)]
    what: Option<What>,
    /// The file to write: the whole city, for either database, sealed with its keys.
    file: Option<PathBuf>,
    /// Write the archive unsealed: a SQLite file that any tool reads.
    #[arg(long)]
    open: bool,
}

/// What to do with the repository.
#[derive(Subcommand)]
enum What {
    /// What there is: bases, segments, sizes, moments.
    List(Which),
    /// Read everything and check it.
    Verify(Which),
    /// Remove what the policy does not keep.
    Forget {
        #[command(flatten)]
        which: Which,
        /// Such as window=7d,last=2,daily=14; otherwise the setting backup_keep.
        #[arg(long)]
        keep: Option<String>,
    },
    /// Copy what is missing to a second place.
    Copy {
        #[command(flatten)]
        which: Which,
        /// The folder of the second place.
        #[arg(long)]
        to: PathBuf,
        /// Remove there what is not here any more.
        #[arg(long)]
        prune: bool,
    },
    /// Ship everything and make a new base; the city must not be running.
    Base,
    /// Write the city's keys, wrapped by its master key, for `seal` and `unseal`.
    Keys {
        /// The file to write.
        file: PathBuf,
    },
    /// Seal one file, such as a log of PostgreSQL (its archive_command).
    Seal(OneFile),
    /// Open one sealed file (PostgreSQL's restore_command).
    Unseal(OneFile),
}

/// One file sealed or opened.
#[derive(clap::Args)]
struct OneFile {
    /// The wrapped keys, from `backup keys`.
    #[arg(long)]
    keys: PathBuf,
    /// The file to read.
    from: PathBuf,
    /// The file to write.
    to: PathBuf,
}

/// Which repository.
#[derive(clap::Args)]
struct Which {
    /// The repository; otherwise the setting backup_folder.
    #[arg(long)]
    from: Option<PathBuf>,
}

/// `jicheng restore …`
#[derive(clap::Args)]
pub struct Restore {
    /// The archive to read.
    #[arg(conflicts_with = "from", required_unless_present = "from")]
    file: Option<PathBuf>,
    /// The repository to restore from.
    #[arg(long)]
    from: Option<PathBuf>,
    /// The moment, such as 2026-11-25T10:31+08:00.
    #[arg(long, requires = "from", conflicts_with_all = ["latest", "base"])]
    at: Option<String>,
    /// Everything there is.
    #[arg(long, requires = "from")]
    latest: bool,
    /// The state of this base.
    #[arg(long, requires = "from", conflicts_with = "latest")]
    base: Option<u64>,
    /// The data folder to fill; otherwise that of the configuration.
    #[arg(long, requires = "from")]
    into: Option<PathBuf>,
}

/// `jicheng drill …`
#[derive(clap::Args)]
pub struct Drill {
    /// The repository; otherwise the setting backup_folder.
    #[arg(long)]
    from: Option<PathBuf>,
    /// The moment to restore; otherwise the newest.
    #[arg(long)]
    at: Option<String>,
}

/// A moment as people write it: with or without seconds.
fn moment(text: &str) -> Result<Time, String> {
    let with_seconds = || {
        let (day, rest) = text.split_once('T')?;
        let (clock, zone) = rest.split_at_checked(5)?;
        Time::parse(&format!("{day}T{clock}:00{zone}"))
    };
    Time::parse(text)
        .or_else(with_seconds)
        .ok_or_else(|| format!("--at {text}: 应形如 / expected such as 2026-11-25T10:31+08:00"))
}

fn folder(config: &Config, given: Option<&PathBuf>) -> Result<PathBuf, String> {
    given.cloned().or_else(|| config.backup_folder()).ok_or_else(|| {
        "未指定备份库：--from 或 backup_folder / no repository: --from or the setting backup_folder"
            .to_string()
    })
}

async fn keys_of(config: &Config, repository: &Repository) -> Result<Arc<dyn Crypto>, Fault> {
    let keys: Option<serde_json::Value> = repository.plain(PlainFile::Keys)?;
    let keys = keys.ok_or_else(|| Fault::missing("keys.json"))?;
    Ok(open_keys(config, &keys).await?)
}

/// `jicheng backup …`
pub async fn backup(config: &Config, input: Backup) -> Result<(), String> {
    match (input.what, input.file) {
        (None, Some(file)) => archive(config, &file, input.open).await.map_err(say),
        (None, None) => Err("写入哪个文件 / which file to write: jicheng backup FILE".into()),
        (Some(What::List(which)), _) => list(&folder(config, which.from.as_ref())?).map_err(say),
        (Some(What::Verify(which)), _) => {
            verify(config, &folder(config, which.from.as_ref())?).await
        }
        (Some(What::Forget { which, keep }), _) => {
            let policy = match keep {
                None => config.backup_policy(),
                Some(text) => backup::Policy::parse(&text).ok_or_else(|| {
                    format!("--keep {text}: 应形如 / expected such as window=7d,last=2,daily=14")
                })?,
            };
            let now = SystemClock.now();
            let folder = folder(config, which.from.as_ref())?;
            let gone = Repository::open_to_write(&folder, now)
                .and_then(|repository| backup::forget(&repository, &policy, now))
                .map_err(say)?;
            println!(
                "已清除 / forgotten: {} bases, {} segments, {} bytes",
                gone.bases.len(),
                gone.segments.len(),
                gone.bytes
            );
            Ok(())
        }
        (Some(What::Copy { which, to, prune }), _) => {
            let folder = folder(config, which.from.as_ref())?;
            let bar = progress();
            let copied = Repository::open(&folder)
                .and_then(|from| backup::copy(&from, &to, prune, |done| bar.set_position(done)))
                .map_err(say)?;
            bar.finish_and_clear();
            println!(
                "已复制 / copied: {} files, {} bytes; {} kept, {} removed",
                copied.files, copied.bytes, copied.kept, copied.removed
            );
            Ok(())
        }
        (Some(What::Base), _) => base(config).await.map_err(say),
        (Some(What::Keys { file }), _) => export_keys(config, &file).await.map_err(say),
        (Some(What::Seal(one)), _) => seal(config, one).await.map_err(say),
        (Some(What::Unseal(one)), _) => unseal(config, one).await.map_err(say),
    }
}

/// The whole city into one file, for either database.
async fn archive(config: &Config, file: &Path, open: bool) -> Result<(), Fault> {
    std::fs::create_dir_all(config.data())
        .map_err(|e| Fault::internal("making the data folder", e))?;
    let store = Store::open(&config.store_url()).await?;
    let manifest = if open {
        store.backup(file, SystemClock.now()).await?
    } else {
        seal_archive(config, &store, file).await?
    };
    println!(
        "已备份 / backed up: {}\n{}",
        file.display(),
        serde_json::to_string_pretty(&manifest).unwrap_or_default()
    );
    Ok(())
}

async fn seal_archive(
    config: &Config,
    store: &Store,
    file: &Path,
) -> Result<store::backup::Manifest, Fault> {
    if file.exists() {
        let name = file.display();
        return Err(Fault::new(
            kernel::fault::FaultKind::Conflict,
            "input.conflict",
            format!("文件已存在：{name}"),
            format!("there is a file already: {name}"),
        ));
    }
    let clock = Arc::new(SystemClock);
    let engine = crypto::Engine::open(store.clone(), clock, config.crypto_options()).await?;
    let keys = store::backup::Keyring::read(store).await?;
    let keys = serde_json::to_value(keys).map_err(|e| Fault::internal("sealing", e))?;
    // Beside the target, so that nothing unsealed leaves its disk.
    let beside = file.parent().filter(|p| !p.as_os_str().is_empty());
    let place = tempfile::tempdir_in(beside.unwrap_or(Path::new(".")))
        .map_err(|e| Fault::internal("making the archive", e))?;
    let plain = place.path().join("archive");
    let manifest = store.backup(&plain, SystemClock.now()).await?;
    let file = file.to_owned();
    blocking(move || backup::archive::seal(&*engine, &keys, &plain, &file)).await?;
    Ok(manifest)
}

fn list(folder: &Path) -> Result<(), Fault> {
    let repository = Repository::open(folder)?;
    let contents = repository.contents()?;
    println!("{} {}", folder.display(), repository.identity().id);
    println!("基础备份 bases");
    for base in &contents.bases {
        let facts = &base.facts;
        println!(
            "  {:>6}  {}  {:>14} bytes  chain {}",
            facts.number,
            facts.at.rfc3339(),
            base.bytes,
            facts.chain
        );
    }
    let bytes: u64 = contents.segments.iter().map(|s| s.bytes).sum();
    println!("增量 segments: {}, {bytes} bytes", contents.segments.len());
    let mut begin: Option<(&str, Time, Time)> = None;
    for segment in &contents.segments {
        let facts = &segment.facts;
        match &mut begin {
            Some((chain, _, until)) if *chain == facts.chain => *until = facts.until,
            other => {
                say_chain(*other);
                *other = Some((&facts.chain, facts.from, facts.until));
            }
        }
    }
    say_chain(begin);
    match (contents.bases.first(), contents.newest()) {
        (Some(first), Some(newest)) => println!(
            "可恢复 can be restored: {} … {}",
            first.facts.at.rfc3339(),
            newest.rfc3339()
        ),
        _ => println!("还没有基础备份 / no base yet"),
    }
    Ok(())
}

fn say_chain(chain: Option<(&str, Time, Time)>) {
    if let Some((chain, from, until)) = chain {
        println!("  chain {chain}  {} … {}", from.rfc3339(), until.rfc3339());
    }
}

fn progress() -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{bytes} {bytes_per_sec} {elapsed}");
    let bar = indicatif::ProgressBar::new_spinner();
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

async fn verify(config: &Config, folder: &Path) -> Result<(), String> {
    let repository = Repository::open(folder).map_err(say)?;
    let crypto = keys_of(config, &repository).await.map_err(say)?;
    let bar = progress();
    let verdict = backup::verify(&repository, &*crypto, |done, _| bar.set_position(done));
    bar.finish_and_clear();
    let verdict = verdict.map_err(say)?;
    println!(
        "已读 / read: {} bases, {} segments, {} bytes",
        verdict.bases, verdict.segments, verdict.bytes
    );
    if verdict.faults.is_empty() {
        println!("备份完好 / the backup is whole");
        return Ok(());
    }
    let lines = verdict.faults.iter().map(|w| format!("{}\n{}", w.zh, w.en));
    Err(lines.collect::<Vec<_>>().join("\n"))
}

/// A base of a city that is not running.
async fn base(config: &Config) -> Result<(), Fault> {
    let folder = config
        .backup_folder()
        .ok_or_else(|| Fault::missing("backup_folder"))?;
    let now = SystemClock.now();
    let repository = Repository::open_to_write(&folder, now)?;
    let store = Store::open_shipped(&config.store_url()).await?;
    let clock = Arc::new(SystemClock);
    let keys = crypto::Engine::open(store.clone(), clock.clone(), config.crypto_options()).await?;
    write_keys(&store, &repository).await?;
    let options = config.backup_options();
    let shipper = backup::Shipper::start(&store, repository, keys, clock, options).await?;
    shipper.base().await?;
    let state = shipper.state();
    let parting = shipper.stop().await?;
    store.close().await;
    parting.note()?;
    println!("已备份 / backed up: {}", folder.display());
    if let Some(at) = state.base_at {
        println!("  {}", at.rfc3339());
    }
    Ok(())
}

fn io(path: &Path, error: std::io::Error) -> Fault {
    Fault::internal("backing up", format!("{}: {error}", path.display()))
}

async fn export_keys(config: &Config, file: &Path) -> Result<(), Fault> {
    let store = Store::open(&config.store_url()).await?;
    let clock = Arc::new(SystemClock);
    crypto::Engine::open(store.clone(), clock, config.crypto_options()).await?;
    let keys = store::backup::Keyring::read(&store).await?;
    let text = serde_json::to_string_pretty(&keys).map_err(|e| Fault::internal("writing", e))?;
    std::fs::write(file, text).map_err(|e| io(file, e))
}

async fn keys_in(
    config: &Config,
    file: &Path,
) -> Result<(Arc<crypto::Engine>, serde_json::Value), Fault> {
    let text = std::fs::read_to_string(file).map_err(|e| io(file, e))?;
    let keys = serde_json::from_str(&text).map_err(|e| {
        Fault::invalid_at(file.display().to_string(), "密钥文件有误", e.to_string())
    })?;
    Ok((open_keys(config, &keys).await?, keys))
}

/// Seals a file. Asked again for the same content, it agrees; for another, it refuses: so
/// PostgreSQL wants its archive_command.
async fn seal(config: &Config, one: OneFile) -> Result<(), Fault> {
    let (engine, keys) = keys_in(config, &one.keys).await?;
    blocking(move || {
        if !one.to.exists() {
            return backup::archive::seal(&*engine, &keys, &one.from, &one.to).map(drop);
        }
        let place = tempfile::tempdir().map_err(|e| io(&one.to, e))?;
        let there = place.path().join("there");
        backup::archive::open(&*engine, &one.to, &there)?;
        let read = |path: &Path| std::fs::read(path).map_err(|e| io(path, e));
        if read(&there)? == read(&one.from)? {
            return Ok(());
        }
        let name = one.to.display();
        Err(Fault::new(
            kernel::fault::FaultKind::Conflict,
            "input.conflict",
            format!("文件已存在且内容不同：{name}"),
            format!("there is another file already: {name}"),
        ))
    })
    .await
}

async fn unseal(config: &Config, one: OneFile) -> Result<(), Fault> {
    let (engine, _) = keys_in(config, &one.keys).await?;
    blocking(move || {
        // PostgreSQL names a file that may be there already, half written.
        let _ = std::fs::remove_file(&one.to);
        backup::archive::open(&*engine, &one.from, &one.to)
    })
    .await
}

/// `jicheng restore …`
pub async fn restore(config: &Config, input: Restore) -> Result<(), String> {
    if let Some(file) = input.file {
        return restore_archive(config, &file).await.map_err(say);
    }
    let Some(from) = &input.from else {
        return Err("从哪里恢复 / from where: FILE or --from FOLDER".into());
    };
    let which = match (&input.at, input.base, input.latest) {
        (Some(text), _, _) => Moment::At(moment(text)?),
        (None, Some(number), _) => Moment::OfBase(number),
        (None, None, true) => Moment::Latest,
        _ => return Err("恢复到何时 / to which moment: --at, --latest or --base".into()),
    };
    let into = input.into.unwrap_or_else(|| config.data());
    restore_moment(config, from, which, &into)
        .await
        .map_err(say)
}

async fn restore_moment(
    config: &Config,
    from: &Path,
    which: Moment,
    into: &Path,
) -> Result<(), Fault> {
    let repository = Repository::open(from)?;
    // The master key waits in the new place, or is where the configuration says.
    let there = into.join("master.key");
    let keyed = match there.exists() {
        true => config.with(&[("master_key_file", there.display().to_string())]),
        false => config.clone(),
    };
    let crypto = keys_of(&keyed, &repository).await?;
    let bar = progress();
    let begun = std::time::Instant::now();
    let restored = backup::restore(&repository, &*crypto, which, into, |done| {
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    let restored = restored?;
    let seconds = begun.elapsed().as_secs_f64();
    let store = Store::in_folder(into).await?;
    let outcome = after_restore(&store, &restored, from).await;
    store.close().await;
    let verdict = outcome?;
    println!(
        "已恢复 / restored: {}\n  截至 as of {}\n  {} segments, {} bytes, {seconds:.1} s, {:.0} MB/s",
        into.display(),
        restored.at.rfc3339(),
        restored.segments,
        restored.bytes,
        restored.bytes as f64 / seconds / 1e6
    );
    println!("  审计日志 audit log: {verdict}");
    if restored.short {
        let until = restored.covered.map_or_else(|| "-".into(), Time::rfc3339);
        println!(
            "  注意：备份库没有到该时刻的全部内容，已知完整至 {until}\n  note: the repository does not hold everything up to that moment; it is known to be complete until {until}"
        );
    }
    if !there.exists() {
        println!(
            "  请把原城市的 master.key 放到 / bring the city's master.key to {}",
            there.display()
        );
    }
    Ok(())
}

/// Verifies the audit log of what was restored, and writes there that it was.
async fn after_restore(
    store: &Store,
    restored: &backup::Restored,
    from: &Path,
) -> Result<String, Fault> {
    let verdict = store.audit().verify_against(&restored.base.audit).await?;
    let said = match &verdict.damage {
        None => format!("完好 whole, {} entries", verdict.checked),
        Some((entry, damage)) => format!("第 {entry} 条有误 / entry {entry}: {damage:?}"),
    };
    let entry = AuditEntry {
        at: SystemClock.now(),
        account: "system".into(),
        verb: "restore".into(),
        object: "backups".into(),
        subject: restored.repository.clone(),
        purpose: String::new(),
        basis: String::new(),
        details: json!({
            "from": from.display().to_string(),
            "base": restored.base.number,
            "segments": restored.segments,
            "as_of": restored.at,
            "short": restored.short,
            "audit_before": said,
        }),
        outcome: "done".into(),
    };
    let mut tx = store.begin().await?;
    store::audit::append(&mut tx, &entry).await?;
    tx.commit().await?;
    Ok(said)
}

async fn restore_archive(config: &Config, file: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(config.data())
        .map_err(|e| Fault::internal("making the data folder", e))?;
    let place = tempfile::tempdir_in(config.data())
        .map_err(|e| Fault::internal("opening the archive", e))?;
    let mut plain = file.to_owned();
    if backup::archive::is_sealed(file) {
        let crypto = open_keys(config, &backup::archive::keys(file)?).await?;
        plain = place.path().join("archive");
        let (from, to) = (file.to_owned(), plain.clone());
        blocking(move || backup::archive::open(&*crypto, &from, &to)).await?;
    }
    let manifest = Store::restore(&plain, &config.store_url()).await?;
    println!(
        "已恢复 / restored: {}\n{}",
        file.display(),
        serde_json::to_string_pretty(&manifest).unwrap_or_default()
    );
    if !matches!(config.master_key().read(), Ok(Some(_))) {
        println!(
            "请把原城市的 master.key 放到 {place}，否则密钥打不开 / bring the master.key of the city to {place}, or its keys stay closed",
            place = config.master_key().place()
        );
    }
    Ok(())
}

/// `jicheng drill`
pub async fn drill(config: &Config, input: Drill) -> Result<(), String> {
    let folder = folder(config, input.from.as_ref())?;
    let moment = match &input.at {
        Some(text) => Moment::At(moment(text)?),
        None => Moment::Latest,
    };
    let repository = Repository::open(&folder).map_err(say)?;
    let crypto = keys_of(config, &repository).await.map_err(say)?;
    let bar = progress();
    let asked = drill::Asked {
        repository: &repository,
        crypto: &*crypto,
        moment,
        config,
        clock: Arc::new(SystemClock),
    };
    let outcome = drill::run(asked, |done| bar.set_position(done)).await;
    bar.finish_and_clear();
    println!(
        "{}",
        serde_json::to_string_pretty(&outcome).unwrap_or_default()
    );
    // Into the city, when there is one here.
    if !config.text("store").is_empty() || config.data().join("jicheng.db").exists() {
        let store = match config.backup_folder() {
            Some(_) => Store::open_shipped(&config.store_url()).await,
            None => Store::open(&config.store_url()).await,
        };
        let store = store.map_err(say)?;
        drill::record(&store, &outcome, "system")
            .await
            .map_err(say)?;
        store.close().await;
    }
    match outcome.fault {
        None => Ok(()),
        Some(words) => Err(format!(
            "演练失败 / the drill failed: {}\n{}",
            words.zh, words.en
        )),
    }
}
