//! Keys for tests: ES256 by ring, sealing by AES-256-GCM, rotation at will.

use kernel::Fault;
use kernel::crypto::{Algorithm, Crypto, PublicKey, Ring, Signature, Suite};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use serde_json::{Value, json};
use std::sync::Mutex;

pub(crate) struct TestKey {
    pub(crate) kid: String,
    pair: EcdsaKeyPair,
}

impl TestKey {
    pub(crate) fn new(kid: &str) -> TestKey {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let bytes = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        TestKey {
            kid: kid.into(),
            pair: EcdsaKeyPair::from_pkcs8(algorithm, bytes.as_ref(), &random).unwrap(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    pub(crate) fn jwks(&self) -> Value {
        let (x, y) = self.public()[1..].split_at(32);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig",
            "x": crate::b64(x), "y": crate::b64(y),
        }] })
    }
}

pub(crate) struct TestCrypto {
    /// The newest first.
    keys: Mutex<Vec<TestKey>>,
    sealing: LessSafeKey,
}

impl Default for TestCrypto {
    fn default() -> TestCrypto {
        TestCrypto {
            keys: Mutex::new(vec![TestKey::new("key-1")]),
            sealing: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap()),
        }
    }
}

impl TestCrypto {
    pub(crate) fn rotate(&self) {
        let mut keys = self.keys.lock().unwrap();
        let kid = format!("key-{}", keys.len() + 1);
        keys.insert(0, TestKey::new(&kid));
    }
}

impl Crypto for TestCrypto {
    fn suite(&self) -> Suite {
        Suite::International
    }
    fn digest(&self, bytes: &[u8]) -> [u8; 32] {
        use sha2::Digest;
        sha2::Sha256::digest(bytes).into()
    }
    fn sign(&self, _: Ring, message: &[u8]) -> Result<Signature, Fault> {
        let keys = self.keys.lock().unwrap();
        Ok(Signature {
            key: keys[0].kid.clone(),
            algorithm: Algorithm::Es256,
            bytes: keys[0].sign(message),
        })
    }
    fn verify(&self, _: Ring, message: &[u8], signature: &Signature) -> Result<bool, Fault> {
        let keys = self.keys.lock().unwrap();
        let key = keys.iter().find(|key| key.kid == signature.key);
        Ok(key.is_some_and(|key| {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public())
                .verify(message, &signature.bytes)
                .is_ok()
        }))
    }
    fn public_keys(&self, _: Ring) -> Result<Vec<PublicKey>, Fault> {
        let keys = self.keys.lock().unwrap();
        let shown = keys.iter().enumerate().map(|(n, key)| PublicKey {
            key: key.kid.clone(),
            algorithm: Algorithm::Es256,
            bytes: key.public()[1..].to_vec(),
            created_at: 0,
            current: n == 0,
        });
        Ok(shown.collect())
    }
    fn seal(&self, _: Ring, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let nonce: [u8; 12] = rand::random();
        let mut bytes = plain.to_vec();
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                &mut bytes,
            )
            .unwrap();
        Ok([nonce.to_vec(), bytes].concat())
    }
    fn open(&self, _: Ring, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let wrong = || Fault::internal("opening a sealed value", "it is not sound");
        let (nonce, rest) = sealed.split_at_checked(12).ok_or_else(wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| wrong())?;
        let mut bytes = rest.to_vec();
        let plain = self
            .sealing
            .open_in_place(nonce, Aad::from(context), &mut bytes)
            .map_err(|_| wrong())?;
        Ok(plain.to_vec())
    }
}
