//! One version of a ring: how it is made, how its secrets are wrapped under the master key, and
//! what it signs, seals and opens.

use crate::master::{MasterKey, fault};
use crate::suites::{self, NONCE, SigningKey};
use kernel::Fault;
use kernel::crypto::{Algorithm, PublicKey, Ring, Suite};
use store::keys::KeyRow;
use zeroize::Zeroizing;

/// First byte of everything sealed.
const FORM: u8 = 1;
/// Random bytes from which the key of one sealed value is derived, so that the number of values a
/// ring may seal is not limited by the length of a nonce.
const SALT: usize = 16;

/// A version of a ring, its secrets in memory.
pub(crate) struct Key {
    pub(crate) ring: Ring,
    pub(crate) version: i64,
    pub(crate) id: String,
    pub(crate) suite: Suite,
    pub(crate) algorithm: Algorithm,
    pub(crate) public: Vec<u8>,
    pub(crate) created_at: i64,
    pub(crate) retired_at: Option<i64>,
    pub(crate) reason: String,
    signing: SigningKey,
    sealing: Zeroizing<[u8; 32]>,
}

/// What a ring signs with in a suite.
pub(crate) fn algorithm(ring: Ring, suite: Suite) -> Algorithm {
    match (ring, suite) {
        // Foreign clients must verify it, whatever the suite.
        (Ring::OpenId | Ring::Letters, _) => Algorithm::Es256,
        (_, Suite::National) => Algorithm::Sm2,
        (Ring::Seal, Suite::International) => Algorithm::Es256,
        (_, Suite::International) => Algorithm::EdDsa,
    }
}

/// Identification of a key: its ring, and a digest of the public half.
pub(crate) fn identification(ring: Ring, algorithm: Algorithm, public: &[u8]) -> String {
    let named = [algorithm.word().as_bytes(), &[0], public].concat();
    let digest = suites::digest(Suite::International, &named);
    let hex: String = digest[..8].iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{hex}", ring.word())
}

/// The key that wraps the secrets of a suite's keys.
fn wrapping(master: &MasterKey, suite: Suite) -> Zeroizing<[u8; 32]> {
    suites::keyed(suite, master.bytes(), &[b"jicheng wrapping key 1"])
}

/// Encrypts under the master key; `about` must be the same to open.
pub(crate) fn wrap(
    master: &MasterKey,
    suite: Suite,
    about: &str,
    secret: &[u8],
) -> Option<Vec<u8>> {
    let nonce: [u8; NONCE] = rand::random();
    let sealed = suites::encrypt(
        suite,
        &wrapping(master, suite),
        &nonce,
        about.as_bytes(),
        secret,
    )?;
    Some([nonce.as_slice(), &sealed].concat())
}

/// Opens what [`wrap`] made; `None` under another master key.
pub(crate) fn unwrap(
    master: &MasterKey,
    suite: Suite,
    about: &str,
    wrapped: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = wrapped.split_at_checked(NONCE)?;
    let key = wrapping(master, suite);
    suites::decrypt(
        suite,
        &key,
        nonce.try_into().ok()?,
        about.as_bytes(),
        sealed,
    )
    .map(Zeroizing::new)
}

fn about(ring: &str, version: i64, id: &str, suite: &str, algorithm: &str) -> String {
    format!("{ring} {version} {id} {suite} {algorithm}")
}

/// A new version of a ring as a row for the store.
pub(crate) fn make(
    master: &MasterKey,
    ring: Ring,
    version: i64,
    suite: Suite,
    now: i64,
    reason: &str,
) -> Result<KeyRow, Fault> {
    let algorithm = algorithm(ring, suite);
    let mut secrets = Zeroizing::new([0; 64]);
    let signing = loop {
        *secrets = rand::random();
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(&secrets[..32]);
        if let Some(key) = SigningKey::from_secret(algorithm, &secret) {
            break key;
        }
    };
    let public = signing.public();
    let id = identification(ring, algorithm, &public);
    let about = about(ring.word(), version, &id, suite.word(), algorithm.word());
    let sealed = wrap(master, suite, &about, &secrets[..])
        .ok_or_else(|| Fault::internal("wrapping a key", "the cipher refused"))?;
    Ok(KeyRow {
        ring: ring.word().into(),
        version,
        id,
        suite: suite.word().into(),
        algorithm: algorithm.word().into(),
        public,
        sealed,
        created_at: now,
        retired_at: None,
        reason: reason.into(),
    })
}

impl Key {
    /// Opens a row of the store.
    pub(crate) fn open(master: &MasterKey, row: KeyRow) -> Result<Key, Fault> {
        let broken = || {
            fault(
                format!("密钥 {} 无法解开：它被改动过", row.id),
                format!("the key {} cannot be opened: it was altered", row.id),
            )
        };
        let ring = Ring::parse(&row.ring).ok_or_else(broken)?;
        let suite = Suite::parse(&row.suite).ok_or_else(broken)?;
        let algorithm = Algorithm::parse(&row.algorithm).ok_or_else(broken)?;
        let about = about(&row.ring, row.version, &row.id, &row.suite, &row.algorithm);
        let secrets = unwrap(master, suite, &about, &row.sealed).ok_or_else(broken)?;
        let (first, second) = secrets.split_at_checked(32).ok_or_else(broken)?;
        let first: &[u8; 32] = first.try_into().map_err(|_| broken())?;
        let signing = SigningKey::from_secret(algorithm, first).ok_or_else(broken)?;
        // The public half in the row is for people; what counts comes from the secret.
        let public = signing.public();
        if public != row.public || identification(ring, algorithm, &public) != row.id {
            return Err(broken());
        }
        let mut sealing = Zeroizing::new([0; 32]);
        if second.len() != 32 {
            return Err(broken());
        }
        sealing.copy_from_slice(second);
        Ok(Key {
            ring,
            version: row.version,
            id: row.id,
            suite,
            algorithm,
            public,
            created_at: row.created_at,
            retired_at: row.retired_at,
            reason: row.reason,
            signing,
            sealing,
        })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.signing.sign(message)
    }

    pub(crate) fn public_key(&self, current: bool) -> PublicKey {
        PublicKey {
            key: self.id.clone(),
            algorithm: self.algorithm,
            bytes: self.public.clone(),
            created_at: self.created_at,
            current,
        }
    }

    /// Form, length and name of the key, salt, nonce, then what the cipher made.
    pub(crate) fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let salt: [u8; SALT] = rand::random();
        let nonce: [u8; NONCE] = rand::random();
        let mut sealed = vec![FORM, u8::try_from(self.id.len()).ok()?];
        sealed.extend(self.id.as_bytes());
        sealed.extend(salt);
        sealed.extend(nonce);
        let body = suites::encrypt(self.suite, &self.derive(&salt), &nonce, context, plain)?;
        sealed.extend(body);
        Some(sealed)
    }

    pub(crate) fn open_sealed(&self, context: &[u8], parts: &Parts<'_>) -> Option<Vec<u8>> {
        let key = self.derive(parts.salt);
        suites::decrypt(self.suite, &key, parts.nonce, context, parts.body)
    }

    fn derive(&self, salt: &[u8]) -> Zeroizing<[u8; 32]> {
        let parts: [&[u8]; 3] = [b"jicheng sealed value 1", self.id.as_bytes(), salt];
        suites::keyed(self.suite, &self.sealing[..], &parts)
    }
}

/// A sealed value taken apart.
pub(crate) struct Parts<'a> {
    pub(crate) key: &'a str,
    salt: &'a [u8],
    nonce: &'a [u8; NONCE],
    body: &'a [u8],
}

/// Takes a sealed value apart; `None` when it is not one.
pub(crate) fn parts(sealed: &[u8]) -> Option<Parts<'_>> {
    let (head, rest) = sealed.split_at_checked(2)?;
    if head[0] != FORM {
        return None;
    }
    let (key, rest) = rest.split_at_checked(head[1] as usize)?;
    let (salt, rest) = rest.split_at_checked(SALT)?;
    let (nonce, body) = rest.split_at_checked(NONCE)?;
    Some(Parts {
        key: std::str::from_utf8(key).ok()?,
        salt,
        nonce: nonce.try_into().ok()?,
        body,
    })
}
