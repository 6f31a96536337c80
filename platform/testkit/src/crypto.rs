//! Keys for tests of rooms that sign or seal: real ES256 signatures, so that foreign libraries can
//! verify them, and real AES-GCM, under secrets everybody can read here. Never for a city.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use kernel::crypto::{Algorithm, Crypto, PublicKey, Ring, Signature, Suite};
use kernel::fault::{Fault, FaultKind};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::{Signer, Verifier};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A [`Crypto`] without a store. Every ring signs with ES256; [`FakeCrypto::rotate`] adds a
/// version, [`FakeCrypto::retire`] takes the oldest away.
#[derive(Default)]
pub struct FakeCrypto {
    /// By ring: oldest version that still counts, newest version.
    rings: Mutex<BTreeMap<Ring, (u32, u32)>>,
    nonces: AtomicU64,
}

fn secret(ring: Ring, version: u32) -> [u8; 32] {
    Sha256::digest(format!("test key {} {version}", ring.word())).into()
}

fn signing(ring: Ring, version: u32) -> SigningKey {
    match SigningKey::from_slice(&secret(ring, version)) {
        Ok(key) => key,
        Err(error) => panic!("making a key for a test: {error}"),
    }
}

fn name(ring: Ring, version: u32) -> String {
    format!("{}-test-{version}", ring.word())
}

fn not_opened() -> Fault {
    let (zh, en) = ("加密内容无法解开", "sealed content cannot be opened");
    Fault::new(FaultKind::Internal, "crypto.not_opened", zh, en)
}

impl FakeCrypto {
    fn versions(&self, ring: Ring) -> (u32, u32) {
        let rings = self.rings.lock().unwrap_or_else(|e| e.into_inner());
        rings.get(&ring).copied().unwrap_or((1, 1))
    }

    fn change(&self, ring: Ring, change: impl Fn(&mut (u32, u32))) {
        let mut rings = self.rings.lock().unwrap_or_else(|e| e.into_inner());
        change(rings.entry(ring).or_insert((1, 1)));
    }

    /// A new version signs from now on.
    pub fn rotate(&self, ring: Ring) {
        self.change(ring, |(_, newest)| *newest += 1);
    }

    /// The oldest version counts no more; the newest always does.
    pub fn retire(&self, ring: Ring) {
        self.change(ring, |(oldest, newest)| {
            *oldest = (*oldest + 1).min(*newest)
        });
    }

    fn version(&self, ring: Ring, key: &str) -> Option<u32> {
        let (oldest, newest) = self.versions(ring);
        (oldest..=newest).find(|version| name(ring, *version) == key)
    }
}

impl Crypto for FakeCrypto {
    fn suite(&self) -> Suite {
        Suite::International
    }

    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    fn sign(&self, ring: Ring, message: &[u8]) -> Result<Signature, Fault> {
        let newest = self.versions(ring).1;
        let signature: p256::ecdsa::Signature = signing(ring, newest).sign(message);
        Ok(Signature {
            key: name(ring, newest),
            algorithm: Algorithm::Es256,
            bytes: signature.to_bytes().to_vec(),
        })
    }

    fn verify(&self, ring: Ring, message: &[u8], signature: &Signature) -> Result<bool, Fault> {
        let Some(version) = self.version(ring, &signature.key) else {
            return Ok(false);
        };
        let given = p256::ecdsa::Signature::from_slice(&signature.bytes);
        let key = signing(ring, version);
        Ok(signature.algorithm == Algorithm::Es256
            && given.is_ok_and(|given| key.verifying_key().verify(message, &given).is_ok()))
    }

    fn public_keys(&self, ring: Ring) -> Result<Vec<PublicKey>, Fault> {
        let (oldest, newest) = self.versions(ring);
        let public = |version: u32| PublicKey {
            key: name(ring, version),
            algorithm: Algorithm::Es256,
            bytes: signing(ring, version)
                .verifying_key()
                .to_sec1_point(false)
                .as_bytes()[1..]
                .to_vec(),
            created_at: i64::from(version),
            current: version == newest,
        };
        Ok((oldest..=newest).rev().map(public).collect())
    }

    fn seal(&self, ring: Ring, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let newest = self.versions(ring).1;
        let mut nonce = [0; 12];
        let number = self.nonces.fetch_add(1, Ordering::Relaxed);
        nonce[..8].copy_from_slice(&number.to_be_bytes());
        let payload = Payload {
            msg: plain,
            aad: context,
        };
        let cipher = Aes256Gcm::new(&secret(ring, newest).into());
        let body = cipher
            .encrypt(&nonce.into(), payload)
            .map_err(|_| not_opened())?;
        Ok([newest.to_be_bytes().as_slice(), &nonce, &body].concat())
    }

    fn is_current(&self, ring: Ring, sealed: &[u8]) -> bool {
        sealed.starts_with(&self.versions(ring).1.to_be_bytes())
    }

    fn open(&self, ring: Ring, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let (version, rest) = sealed.split_first_chunk::<4>().ok_or_else(not_opened)?;
        let (nonce, body) = rest.split_first_chunk::<12>().ok_or_else(not_opened)?;
        let version = u32::from_be_bytes(*version);
        let (oldest, newest) = self.versions(ring);
        if !(oldest..=newest).contains(&version) {
            return Err(not_opened());
        }
        let payload = Payload {
            msg: body,
            aad: context,
        };
        let cipher = Aes256Gcm::new(&secret(ring, version).into());
        cipher
            .decrypt(nonce.into(), payload)
            .map_err(|_| not_opened())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_behaves_as_the_contract_says() {
        let crypto = FakeCrypto::default();
        let ring = Ring::OpenId;
        let old = crypto.sign(ring, b"m").unwrap();
        let sealed = crypto.seal(ring, b"c", b"plain").unwrap();
        assert!(crypto.is_current(ring, &sealed));
        crypto.rotate(ring);
        assert!(!crypto.is_current(ring, &sealed));
        assert_ne!(crypto.sign(ring, b"m").unwrap().key, old.key);
        assert!(crypto.verify(ring, b"m", &old).unwrap());
        assert!(!crypto.verify(Ring::Audit, b"m", &old).unwrap());
        assert_eq!(crypto.open(ring, b"c", &sealed).unwrap(), b"plain");
        assert!(crypto.open(ring, b"d", &sealed).is_err());
        assert!(!crypto.is_current(ring, &sealed));
        crypto.retire(ring);
        assert!(!crypto.verify(ring, b"m", &old).unwrap());
        assert!(crypto.open(ring, b"c", &sealed).is_err());
        assert_eq!(crypto.public_keys(ring).unwrap().len(), 1);
    }
}
