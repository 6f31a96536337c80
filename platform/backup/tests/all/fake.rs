//! Keys for tests, and a city small enough to compare whole.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use backup::{Options, Repository, Shipper};
use kernel::crypto::{Crypto, PublicKey, Ring, Signature, Suite};
use kernel::events::EventKind;
use kernel::{Clock, Fault, SystemClock, Time};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use store::{Store, events};

/// Seals with one key.
pub struct FakeKeys {
    pub suite: Suite,
    pub key: [u8; 32],
}

pub fn keys() -> Arc<dyn Crypto> {
    Arc::new(FakeKeys {
        suite: Suite::International,
        key: [7; 32],
    })
}

impl Crypto for FakeKeys {
    fn suite(&self) -> Suite {
        self.suite
    }
    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }
    fn sign(&self, _: Ring, _: &[u8]) -> Result<Signature, Fault> {
        Err(Fault::internal("signing", "a backup signs nothing"))
    }
    fn verify(&self, _: Ring, _: &[u8], _: &Signature) -> Result<bool, Fault> {
        Err(Fault::internal("signing", "a backup signs nothing"))
    }
    fn public_keys(&self, _: Ring) -> Result<Vec<PublicKey>, Fault> {
        Ok(vec![])
    }
    fn seal(&self, ring: Ring, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Fault> {
        assert_eq!(ring, Ring::Backup);
        let cipher = Aes256Gcm::new(&self.key.into());
        let nonce = Nonce::from([0; 12]);
        Ok(cipher.encrypt(&nonce, Payload { msg, aad }).unwrap())
    }
    fn open(&self, ring: Ring, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Fault> {
        assert_eq!(ring, Ring::Backup);
        let cipher = Aes256Gcm::new(&self.key.into());
        let nonce = Nonce::from([0; 12]);
        cipher
            .decrypt(&nonce, Payload { msg, aad })
            .map_err(|_| Fault::invalid_at("key", "打不开", "does not open"))
    }
}

/// A city of nothing but numbered events.
pub struct City {
    pub store: Store,
    pub shipper: Shipper,
}

impl City {
    pub async fn start(dir: &Path, options: Options) -> City {
        City::start_with(dir, options, keys()).await
    }

    pub async fn start_with(dir: &Path, options: Options, keys: Arc<dyn Crypto>) -> City {
        let data = dir.join("data");
        std::fs::create_dir_all(&data).unwrap();
        let url = format!("sqlite:{}", data.join("jicheng.db").display());
        let store = Store::open_shipped(&url).await.unwrap();
        let repository = Repository::open_to_write(&dir.join("backup"), SystemClock.now()).unwrap();
        let clock = Arc::new(SystemClock);
        let shipper = Shipper::start(&store, repository, keys, clock, options)
            .await
            .unwrap();
        City { store, shipper }
    }

    /// Writes one event; returns its number and the moment it was acknowledged.
    pub async fn write(&self, size: usize) -> (i64, Time) {
        let mut tx = self.store.begin().await.unwrap();
        let body: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
        let seq = events::append(&mut tx, SystemClock.now(), EventKind::Record, "x", &body)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        (seq, SystemClock.now())
    }

    pub async fn stop(self) {
        let parting = self.shipper.stop().await.unwrap();
        self.store.close().await;
        parting.note().unwrap();
    }
}

/// Looks often, folds often.
pub fn quick() -> Options {
    Options {
        interval: Duration::from_millis(50),
        fold_bytes: 400_000,
        ..Options::default()
    }
}

/// Looks only when asked.
pub fn slow() -> Options {
    Options {
        interval: Duration::from_secs(3600),
        ..Options::default()
    }
}

/// Number of the last event in a restored folder, whose file must be sound.
pub async fn last_event(into: &Path) -> i64 {
    let file = into.join("jicheng.db");
    assert_eq!(store::wal::check_file(&file).await.unwrap(), [""; 0]);
    let store = Store::in_folder(into).await.unwrap();
    let last = store.events().last_seq();
    let mut numbers: Vec<i64> = vec![];
    loop {
        let after = numbers.last().copied().unwrap_or(0);
        let page = store.events().read(after, 1 << 30).await.unwrap();
        if page.is_empty() {
            break;
        }
        numbers.extend(page.iter().map(|event| event.seq));
    }
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>(), "without a gap");
    store.close().await;
    last
}
