//! The backup of the running city: the shipper, and the jobs that look after the repository. What
//! they found last is kept as documents, so that pages and the security posture can show it.

use crate::app::App;
use crate::config::Config;
use crate::drill;
use backup::repository::PlainFile;
use backup::shipper::Parting;
use backup::{Repository, Shipper};
use kernel::{Clock, Fault, Time};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use store::backup::Keyring;
use store::{Backend, Store};

/// Documents of this module.
pub const COLLECTION: &str = "backups";
/// A backup later than so many intervals is late, and at least so many seconds.
const LATE_INTERVALS: i64 = 6;
const LATE_LEAST_S: i64 = 60;

/// What is being done to the repository just now.
#[derive(Clone, Debug, Serialize)]
pub struct Doing {
    /// `verify`, `drill`, `copy`, `forget`, `base`.
    pub what: &'static str,
    /// Since when.
    pub since: Time,
    /// Bytes done.
    pub done: u64,
    /// Bytes in all; 0 when not known.
    pub all: u64,
}

/// The backup of a running city.
pub struct Backups {
    /// The shipper; `None` without a repository or on PostgreSQL.
    pub shipper: Option<Shipper>,
    doing: Mutex<Option<Doing>>,
    /// Headers read so far; a page that looks every few seconds reads only new ones.
    contents: Arc<Mutex<backup::Contents>>,
}

impl Backups {
    /// Starts shipping when a repository is configured. A repository that cannot be opened stops
    /// the start: an operator who asked for a backup must not learn later that there is none.
    pub async fn start(
        config: &Config,
        store: &Store,
        crypto: Arc<dyn kernel::crypto::Crypto>,
        clock: Arc<dyn Clock>,
    ) -> Result<Backups, Fault> {
        let shipper = match (config.backup_folder(), store.backend()) {
            (Some(folder), Backend::Sqlite) => {
                let repository = Repository::open_to_write(&folder, clock.now())?;
                write_keys(store, &repository).await?;
                let options = config.backup_options();
                Some(Shipper::start(store, repository, crypto, clock, options).await?)
            }
            _ => None,
        };
        Ok(Backups {
            shipper,
            doing: Mutex::default(),
            contents: Arc::default(),
        })
    }

    /// What the repository holds, handed to `look`.
    pub async fn contents<T: Send + 'static>(
        &self,
        repository: Arc<Repository>,
        look: impl FnOnce(&backup::Contents) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let contents = self.contents.clone();
        blocking(move || {
            let mut contents = contents.lock();
            repository.refresh(&mut contents)?;
            Ok(look(&contents))
        })
        .await
    }

    /// What is being done just now.
    pub fn doing(&self) -> Option<Doing> {
        self.doing.lock().clone()
    }

    /// How long ago the repository was complete, in seconds.
    pub fn age_s(&self, now: Time) -> Option<f64> {
        let covered = self.shipper.as_ref()?.state().covered?;
        Some(now.since(covered).as_seconds())
    }

    /// Is the backup later than it should be? `None` when there is none to be late.
    pub fn late(&self, config: &Config, started_at: Time, now: Time) -> Option<bool> {
        self.shipper.as_ref()?;
        let interval = i64::from(config.number("backup_interval_s"));
        let limit = std::cmp::max(LATE_LEAST_S, interval * LATE_INTERVALS);
        let since_start = now.since(started_at).as_seconds();
        let age = self.age_s(now).unwrap_or(since_start).min(since_start);
        Some(age > limit as f64)
    }

    /// Ships the rest and lets the writers' gate be held until the store is closed.
    pub async fn stop(&self) -> Option<Parting> {
        match self.shipper.as_ref()?.stop().await {
            Ok(parting) => Some(parting),
            Err(fault) => {
                tracing::warn!(%fault, "the last of the log was not shipped");
                None
            }
        }
    }

    fn begin(&self, what: &'static str, since: Time) -> Turn<'_> {
        *self.doing.lock() = Some(Doing {
            what,
            since,
            done: 0,
            all: 0,
        });
        Turn(self)
    }

    fn advance(&self, done: u64, all: u64) {
        if let Some(doing) = &mut *self.doing.lock() {
            (doing.done, doing.all) = (done, all);
        }
    }
}

/// Ends what is being done, however it ends.
struct Turn<'a>(&'a Backups);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.doing.lock() = None;
    }
}

/// Keeps the city's keys, as they are in the store, in the repository.
pub async fn write_keys(store: &Store, repository: &Repository) -> Result<(), Fault> {
    match Keyring::read(store).await? {
        Some(keys) => repository.put_plain(PlainFile::Keys, &keys, true),
        None => Ok(()),
    }
}

/// The keys of a repository, opened with the master key of the configuration.
pub async fn open_keys(config: &Config, keys: &Value) -> Result<Arc<crypto::Engine>, Fault> {
    let wrong = |e| Fault::invalid_at("keys.json", "密钥文件无法读取", format!("{e}"));
    let keys: Keyring = serde_json::from_value(keys.clone()).map_err(wrong)?;
    let folder = tempfile::tempdir().map_err(|e| Fault::internal("opening the keys", e))?;
    let store = Store::in_folder(folder.path()).await?;
    keys.put_into(&store).await?;
    let clock = Arc::new(kernel::SystemClock);
    let engine = crypto::Engine::open(store.clone(), clock, config.crypto_options()).await;
    store.close().await;
    engine
}

/// Runs file work beside the runtime.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Fault::internal("backing up", e)))
}

fn shipping(app: &App) -> Result<&Shipper, Fault> {
    app.backups.shipper.as_ref().ok_or_else(|| {
        Fault::new(
            kernel::fault::FaultKind::Missing,
            "backup.not_there",
            "未配置 backup_folder，没有连续备份",
            "no backup_folder is configured, there is no continuous backup",
        )
    })
}

async fn note(app: &App, key: &str, json: &Value) -> Result<(), Fault> {
    let mut tx = app.store.begin().await?;
    store::documents::put(&mut tx, COLLECTION, key, json, None).await?;
    tx.commit().await
}

/// Job: a new base.
pub async fn base(app: &App) -> Result<(), Fault> {
    let shipper = shipping(app)?;
    let _turn = app.backups.begin("base", app.city.clock.now());
    shipper.base().await
}

/// Job: read everything and check it.
pub async fn verify(app: &App) -> Result<(), Fault> {
    let repository = shipping(app)?.repository().clone();
    let at = app.city.clock.now();
    let _turn = app.backups.begin("verify", at);
    let (crypto, doing) = (app.crypto.clone(), app.backups.clone());
    let verdict = blocking(move || {
        backup::verify(&repository, &*crypto, |done, all| doing.advance(done, all))
    })
    .await?;
    let end = app.city.clock.now();
    let json = json!({"at": at, "seconds": end.since(at).as_seconds(), "verdict": verdict});
    note(app, "last_verify", &json).await?;
    match verdict.faults.first() {
        None => Ok(()),
        Some(words) => Err(Fault::internal("verifying the backup", &words.en)),
    }
}

/// Job: forget what the policy does not keep.
pub async fn forget(app: &App) -> Result<(), Fault> {
    let repository = shipping(app)?.repository().clone();
    let at = app.city.clock.now();
    let _turn = app.backups.begin("forget", at);
    let policy = app.config.backup_policy();
    let gone = blocking(move || backup::forget(&repository, &policy, at)).await?;
    let json = json!({"at": at, "bases": gone.bases.len(), "segments": gone.segments.len(), "bytes": gone.bytes});
    note(app, "last_forget", &json).await
}

/// Job: copy the repository to the second place.
pub async fn copy(app: &App) -> Result<(), Fault> {
    let to = app.config.text("backup_copy_folder").to_string();
    if to.is_empty() || app.backups.shipper.is_none() {
        return Ok(());
    }
    let repository = shipping(app)?.repository().clone();
    let at = app.city.clock.now();
    let _turn = app.backups.begin("copy", at);
    let doing = app.backups.clone();
    let copied = blocking(move || {
        backup::copy(&repository, Path::new(&to), true, |done| {
            doing.advance(done, 0)
        })
    })
    .await?;
    note(app, "last_copy", &json!({"at": at, "copied": copied})).await
}

/// Job: a restore drill.
pub async fn drill(app: &App) -> Result<(), Fault> {
    let repository = shipping(app)?.repository().clone();
    let _turn = app.backups.begin("drill", app.city.clock.now());
    let doing = app.backups.clone();
    let asked = drill::Asked {
        repository: &repository,
        crypto: &*app.crypto,
        moment: backup::Moment::Latest,
        config: &app.config,
        clock: app.city.clock.clone(),
    };
    let outcome = drill::run(asked, move |done| doing.advance(done, 0)).await;
    drill::record(&app.store, &outcome, "system").await?;
    match outcome.fault {
        None => Ok(()),
        Some(words) => Err(Fault::internal("the restore drill", words.en)),
    }
}

/// Job: remove observations that have outlived their retention and are not held, and write down
/// how many.
pub async fn expire(app: &App) -> Result<(), Fault> {
    let at = app.city.clock.now();
    let expired = app.observations.expire().await?;
    let json = json!({"at": at, "expired": expired});
    let mut tx = app.store.begin().await?;
    store::documents::put(&mut tx, COLLECTION, "last_expiry", &json, None).await?;
    if expired.values + expired.rollups > 0 {
        let entry = store::audit::AuditEntry {
            at,
            account: "system".into(),
            verb: "expire".into(),
            object: "observations".into(),
            subject: String::new(),
            purpose: "按声明的保存期限清理".into(),
            basis: "《中华人民共和国个人信息保护法》第十九条".into(),
            details: json,
            outcome: "done".into(),
        };
        store::audit::append(&mut tx, &entry).await?;
    }
    tx.commit().await
}
