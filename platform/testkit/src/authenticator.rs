//! What a person carries: an application with one-time codes, and a passkey in software (WebAuthn Level 3, sections 6 and 7): makes one key with attestation
//! `none` and answers challenges with it. Everything a thief or a clone would change can be
//! changed: origin, relying party, counter, verification of the user.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD as BASE64, Engine};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The six digits an application shows at an instant (microseconds UTC) for a secret in base 32.
pub fn one_time_code(secret: &str, at: i64) -> String {
    let mut bits = String::new();
    for letter in secret.bytes() {
        let value = match letter {
            b'2'..=b'7' => letter - b'2' + 26,
            _ => letter - b'A',
        };
        bits.push_str(&format!("{value:05b}"));
    }
    let (bytes, _) = bits.as_bytes().as_chunks::<8>();
    let key: Vec<u8> = bytes
        .iter()
        .map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | (bit - b'0')))
        .collect();
    let step = (at / 30_000_000) as u64;
    let Ok(mut mac) = Hmac::<sha1::Sha1>::new_from_slice(&key) else {
        return String::new();
    };
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let from = usize::from(digest[19] & 15);
    let number = digest[from..from + 4]
        .iter()
        .fold(0, |n, b| n << 8 | u32::from(*b));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// One passkey and the browser around it.
#[derive(Clone)]
pub struct Authenticator {
    key: SigningKey,
    credential: [u8; 16],
    handle: Option<String>,
    /// Address of the page, as the browser sees it.
    pub origin: String,
    /// Name the relying party is asked under.
    pub rp_id: String,
    /// Signatures made; each adds one. 0 stays 0, as with synchronised passkeys.
    pub counter: u32,
    /// The device asked for a finger or a PIN.
    pub verifies_user: bool,
}

impl Authenticator {
    /// A new key for pages at this address.
    pub fn new(origin: &str, rp_id: &str) -> Authenticator {
        let key = loop {
            let bytes: [u8; 32] = rand::random();
            // All but a few of all numbers are keys.
            if let Ok(key) = SigningKey::from_slice(&bytes) {
                break key;
            }
        };
        Authenticator {
            key,
            credential: rand::random(),
            handle: None,
            origin: origin.into(),
            rp_id: rp_id.into(),
            counter: 1,
            verifies_user: true,
        }
    }

    fn client_data(&self, kind: &str, question: &Value) -> String {
        json!({
            "type": kind, "challenge": question["publicKey"]["challenge"],
            "origin": self.origin, "crossOrigin": false,
        })
        .to_string()
    }

    fn head(&mut self, flags: u8) -> Vec<u8> {
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        // User present; user verified.
        data.push(flags | 1 | if self.verifies_user { 4 } else { 0 });
        data.extend(self.counter.to_be_bytes());
        if self.counter > 0 {
            self.counter += 1;
        }
        data
    }

    /// Answers `navigator.credentials.create`.
    pub fn create(&mut self, question: &Value) -> Value {
        self.handle = question["publicKey"]["user"]["id"]
            .as_str()
            .map(String::from);
        let client = self.client_data("webauthn.create", question);
        let mut data = self.head(0x40);
        data.extend([0; 16]);
        data.extend((self.credential.len() as u16).to_be_bytes());
        data.extend(self.credential);
        let point = self.key.verifying_key().to_sec1_point(false);
        let point = point.as_bytes();
        // COSE key: EC2, ES256, P-256, x, y.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[33..65]);
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": bytes}
        let mut attestation = vec![0xa3, 0x63];
        attestation.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x59");
        attestation.extend((data.len() as u16).to_be_bytes());
        attestation.extend(data);
        json!({
            "id": BASE64.encode(self.credential), "rawId": BASE64.encode(self.credential),
            "type": "public-key",
            "response": {
                "attestationObject": BASE64.encode(attestation),
                "clientDataJSON": BASE64.encode(client),
            },
        })
    }

    /// Answers `navigator.credentials.get`.
    pub fn get(&mut self, question: &Value) -> Value {
        let client = self.client_data("webauthn.get", question);
        let data = self.head(0);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(client.as_bytes()));
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": BASE64.encode(self.credential), "rawId": BASE64.encode(self.credential),
            "type": "public-key",
            "response": {
                "authenticatorData": BASE64.encode(data),
                "clientDataJSON": BASE64.encode(client),
                "signature": BASE64.encode(der(&signature.to_bytes())),
                "userHandle": self.handle,
            },
        })
    }
}

/// A signature r ‖ s as ASN.1 DER.
fn der(both: &[u8]) -> Vec<u8> {
    let (r, s) = both.split_at(both.len() / 2);
    let mut body = vec![];
    for number in [r, s] {
        let leading = number.iter().take_while(|b| **b == 0).count();
        let mut plain = number[leading.min(number.len() - 1)..].to_vec();
        if plain[0] & 0x80 != 0 {
            plain.insert(0, 0);
        }
        body.extend([2, plain.len() as u8]);
        body.extend(plain);
    }
    let mut whole = vec![0x30, body.len() as u8];
    whole.extend(body);
    whole
}
