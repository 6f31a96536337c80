//! Tests of the crypto engine: rings on both stores and in both suites, the master key and its
//! loss, rotation and retirement, what must not open.

use crypto::{Engine, MasterKey, MasterSource, Options};
use kernel::crypto::{Algorithm, Crypto, Ring, Suite};
use kernel::{Actor, ManualClock, Time};
use std::path::Path;
use std::sync::Arc;
use store::Store;
use store::audit::AuditFilter;
use testkit::each_store;

const BOTH: [Suite; 2] = [Suite::International, Suite::National];

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(Time(1_770_000_000_000_000)))
}

fn options(suite: Suite, file: &Path) -> Options {
    Options {
        suite,
        master: MasterSource::File(file.to_path_buf()),
    }
}

async fn open(store: &Store, suite: Suite, file: &Path) -> Result<Arc<Engine>, kernel::Fault> {
    Engine::open(store.clone(), clock(), options(suite, file)).await
}

fn code<T>(outcome: Result<T, kernel::Fault>) -> &'static str {
    outcome.err().map_or("ok", |fault| fault.code)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_sealed_is_known_after_a_restart() {
    each_store(|store| async move {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("master.key");
        let first = open(&store, Suite::National, &file).await.unwrap();
        let signature = first.sign(Ring::Audit, b"said").unwrap();
        assert_eq!(signature.algorithm, Algorithm::Sm2);
        let sealed = first
            .seal(Ring::Secrets, b"totp/anna", b"JBSWY3DPEHPK")
            .unwrap();
        assert!(!sealed.windows(12).any(|w| w == b"JBSWY3DPEHPK"));
        drop(first);
        let again = open(&store, Suite::National, &file).await.unwrap();
        assert!(again.verify(Ring::Audit, b"said", &signature).unwrap());
        assert!(!again.verify(Ring::Audit, b"Said", &signature).unwrap());
        assert!(
            !again.verify(Ring::Seal, b"said", &signature).unwrap(),
            "another ring"
        );
        let opened = again.open(Ring::Secrets, b"totp/anna", &sealed).unwrap();
        assert_eq!(opened, b"JBSWY3DPEHPK");
        // Moved to another row, another ring, or altered in any byte: not opened.
        let elsewhere = again.open(Ring::Secrets, b"totp/bert", &sealed);
        assert_eq!(code(elsewhere), "crypto.not_opened");
        assert_eq!(
            code(again.open(Ring::Backup, b"totp/anna", &sealed)),
            "crypto.not_opened"
        );
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 0x20;
            assert!(
                again.open(Ring::Secrets, b"totp/anna", &altered).is_err(),
                "byte {at}"
            );
        }
        for length in 0..sealed.len() {
            assert!(
                again
                    .open(Ring::Secrets, b"totp/anna", &sealed[..length])
                    .is_err()
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_suite_signs_with_its_own_and_openid_always_with_es256() {
    for suite in BOTH {
        let engine = Engine::in_memory(suite, clock()).unwrap();
        assert_eq!(engine.suite(), suite);
        for ring in Ring::ALL {
            let signature = engine.sign(ring, b"m").unwrap();
            assert_eq!(signature.bytes.len(), 64);
            assert!(engine.verify(ring, b"m", &signature).unwrap());
            let key = engine.public_keys(ring).unwrap().remove(0);
            assert!(key.current && key.key == signature.key);
            assert!(crypto::verify(
                key.algorithm,
                &key.bytes,
                b"m",
                &signature.bytes
            ));
            match (ring, suite) {
                (Ring::OpenId | Ring::Letters, _) => {
                    assert_eq!(key.algorithm, Algorithm::Es256);
                }
                (_, Suite::National) => assert_eq!(key.algorithm, Algorithm::Sm2),
                _ => assert_ne!(key.algorithm, Algorithm::Sm2),
            }
            let sealed = engine.seal(ring, b"c", b"plain").unwrap();
            assert_ne!(sealed, engine.seal(ring, b"c", b"plain").unwrap());
            assert_eq!(engine.open(ring, b"c", &sealed).unwrap(), b"plain");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_algorithm_is_the_keys_and_never_the_signatures() {
    let engine = Engine::in_memory(Suite::International, clock()).unwrap();
    let mut signature = engine.sign(Ring::OpenId, b"m").unwrap();
    signature.algorithm = Algorithm::EdDsa;
    assert!(!engine.verify(Ring::OpenId, b"m", &signature).unwrap());
    signature.algorithm = Algorithm::Es256;
    signature.key = "open_id-0000000000000000".into();
    assert!(!engine.verify(Ring::OpenId, b"m", &signature).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_wrong_master_key_stops_the_start_and_makes_nothing() {
    each_store(|store| async move {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("master.key");
        let first = open(&store, Suite::International, &file).await.unwrap();
        let keys = first.public_keys(Ring::Audit).unwrap();
        let shares = first.escrow(&Actor::system(), 5, 3).await.unwrap();
        let content = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let lost = open(&store, Suite::International, &file).await;
        assert_eq!(code(lost), "crypto.master_key");
        assert!(!file.exists(), "no new master key in place of the lost one");
        for wrong in ["", "zz", &"0".repeat(64), &content[..40]] {
            std::fs::write(&file, wrong).unwrap();
            let opened = open(&store, Suite::International, &file).await;
            assert_eq!(code(opened), "crypto.master_key", "{wrong:?}");
        }
        std::fs::remove_file(&file).unwrap();
        // Three of the five shares bring it back.
        let some = [&*shares[4], &*shares[0], &*shares[2]];
        let master = crypto::escrow::combine(&some).unwrap();
        Engine::check_master(&store, &master).await.unwrap();
        let other = MasterKey::random();
        assert_eq!(
            code(Engine::check_master(&store, &other).await),
            "crypto.master_key"
        );
        master.write_new(&file).unwrap();
        assert!(master.write_new(&file).is_err(), "a file is never replaced");
        let again = open(&store, Suite::International, &file).await.unwrap();
        assert_eq!(again.public_keys(Ring::Audit).unwrap(), keys);
        // The shares are in no log.
        let log = store.audit().list(&AuditFilter::default()).await.unwrap();
        let log = format!("{log:?}");
        assert!(log.contains("escrow") && !log.contains("jcshare1"));
    })
    .await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_is_for_its_owner_only_and_may_come_as_text() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let file = dir.path().join("master.key");
    let engine = open(&store, Suite::International, &file).await.unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&file).unwrap();
    let by_text = Options {
        suite: Suite::International,
        master: MasterSource::Text(text.into()),
    };
    let same = Engine::open(store.clone(), clock(), by_text).await.unwrap();
    assert_eq!(same.master_id(), engine.master_id());
    store.close().await;
    // Not one byte of a secret is in the database.
    let master = std::fs::read_to_string(&file).unwrap();
    let database = std::fs::read(dir.path().join("jicheng.db")).unwrap();
    assert!(!database.windows(64).any(|w| w == master.trim().as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_is_rotated_and_an_old_key_retired() {
    each_store(|store| async move {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("master.key");
        let engine = open(&store, Suite::International, &file).await.unwrap();
        let neighbour = open(&store, Suite::International, &file).await.unwrap();
        let old = engine.sign(Ring::Secrets, b"m").unwrap();
        let sealed = engine.seal(Ring::Secrets, b"c", b"plain").unwrap();
        let actor = Actor {
            account: "olga".into(),
            ..Actor::default()
        };
        assert_eq!(
            code(engine.rotate(&actor, Ring::Secrets, " ").await),
            "input.invalid"
        );
        let new = engine
            .rotate(&actor, Ring::Secrets, "yearly")
            .await
            .unwrap();
        assert_eq!((new.version, new.current), (2, true));
        assert_eq!(engine.sign(Ring::Secrets, b"m").unwrap().key, new.id);
        assert!(engine.verify(Ring::Secrets, b"m", &old).unwrap());
        assert_eq!(engine.open(Ring::Secrets, b"c", &sealed).unwrap(), b"plain");
        // Another process of the same city learns of it.
        let young = engine.seal(Ring::Secrets, b"c", b"young").unwrap();
        assert!(neighbour.open(Ring::Secrets, b"c", &young).is_err());
        neighbour.refresh().await.unwrap();
        assert_eq!(
            neighbour.open(Ring::Secrets, b"c", &young).unwrap(),
            b"young"
        );

        let refused = engine.retire(&actor, Ring::Secrets, &new.id, "no").await;
        assert_eq!(code(refused), "input.conflict");
        let missing = engine.retire(&actor, Ring::Audit, &new.id, "no").await;
        assert_eq!(code(missing), "input.not_found");
        let gone = engine
            .retire(&actor, Ring::Secrets, &old.key, "leaked")
            .await
            .unwrap();
        assert!(gone.retired_at.is_some() && !gone.current);
        let twice = engine
            .retire(&actor, Ring::Secrets, &old.key, "leaked")
            .await;
        assert_eq!(code(twice), "input.conflict");
        assert!(!engine.verify(Ring::Secrets, b"m", &old).unwrap());
        assert_eq!(
            code(engine.open(Ring::Secrets, b"c", &sealed)),
            "crypto.not_opened"
        );
        assert_eq!(engine.public_keys(Ring::Secrets).unwrap().len(), 1);
        let filter = AuditFilter {
            account: Some("olga".into()),
            ..AuditFilter::default()
        };
        let log = store.audit().list(&filter).await.unwrap();
        let said: Vec<String> = log
            .iter()
            .map(|row| row.entry.details.to_string())
            .collect();
        assert_eq!(
            said,
            [
                r#"{"act":"retire","reason":"leaked"}"#,
                r#"{"act":"rotate","reason":"yearly"}"#
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_city_changes_its_suite_and_keeps_what_it_signed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let file = dir.path().join("master.key");
    let before = open(&store, Suite::International, &file).await.unwrap();
    let old = before.sign(Ring::Audit, b"m").unwrap();
    let token = before.sign(Ring::OpenId, b"m").unwrap();
    let after = open(&store, Suite::National, &file).await.unwrap();
    let new = after.sign(Ring::Audit, b"m").unwrap();
    assert_eq!(
        (old.algorithm, new.algorithm),
        (Algorithm::EdDsa, Algorithm::Sm2)
    );
    assert!(after.verify(Ring::Audit, b"m", &old).unwrap());
    assert!(after.verify(Ring::OpenId, b"m", &token).unwrap());
    let versions = |engine: &Engine| -> Vec<usize> {
        engine.rings().iter().map(|ring| ring.keys.len()).collect()
    };
    assert_eq!(versions(&after), [2; 6]);
    let again = open(&store, Suite::National, &file).await.unwrap();
    assert_eq!(versions(&again), [2; 6], "once, not at every start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_altered_in_the_store_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::in_folder(dir.path()).await.unwrap();
    let file = dir.path().join("master.key");
    drop(open(&store, Suite::International, &file).await.unwrap());
    // The public half of another key slipped in: whoever trusts it would trust a forger.
    let forger = Engine::in_memory(Suite::International, clock()).unwrap();
    let mut tx = store.begin().await.unwrap();
    let mut rows = store::keys::all(&mut tx).await.unwrap();
    let mut row = rows.remove(0);
    let ring = Ring::parse(&row.ring).unwrap();
    row.version = 9;
    row.id = "slipped-in".into();
    row.public = forger.public_keys(ring).unwrap().remove(0).bytes;
    store::keys::add(&mut tx, &row).await.unwrap();
    tx.commit().await.unwrap();
    let opened = open(&store, Suite::International, &file).await;
    assert_eq!(code(opened), "crypto.master_key");
}

#[test]
fn public_keys_as_others_read_them() {
    for suite in BOTH {
        let engine = Engine::in_memory(suite, clock()).unwrap();
        for ring in [Ring::Audit, Ring::OpenId] {
            let key = engine.public_keys(ring).unwrap().remove(0);
            let pem = crypto::pem(&key);
            assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\nM"));
            let jwk = crypto::jwk(&key);
            assert_eq!(jwk["kid"], key.key.as_str());
            let curve = match key.algorithm {
                Algorithm::Es256 => "P-256",
                Algorithm::EdDsa => "Ed25519",
                Algorithm::Sm2 => "SM2",
            };
            assert_eq!(jwk["crv"], curve);
            assert!(jwk.get("d").is_none());
        }
    }
}
