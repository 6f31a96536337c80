//! Signed tokens (JWS, compact form): ours through the city's keys, those of wallets with the key
//! they name. The key decides which algorithm counts, never the token.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use kernel::Fault;
use kernel::crypto::{Algorithm, Crypto, PublicKey, Ring, Signature};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

/// Bytes of a token we look at, at most.
pub(crate) const TOKEN_LIMIT: usize = 64 * 1024;

/// Base64 for addresses, without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    B64.encode(bytes)
}

/// The bytes of base64 for addresses; `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    B64.decode(text).ok()
}

/// Signs claims with the newest key of a ring.
pub(crate) fn sign(
    crypto: &dyn Crypto,
    ring: Ring,
    typ: &str,
    claims: &Value,
) -> Result<String, Fault> {
    // The ring may be rotated between the two questions.
    for _ in 0..3 {
        let keys = crypto.public_keys(ring)?;
        let none = || Fault::internal("signing a document", "no current key");
        let key = keys.into_iter().find(|key| key.current).ok_or_else(none)?;
        let header = json!({ "alg": key.algorithm, "kid": key.key, "typ": typ });
        let message = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let signature = crypto.sign(ring, message.as_bytes())?;
        if signature.key == key.key {
            return Ok(format!("{message}.{}", encode(&signature.bytes)));
        }
    }
    Err(Fault::overloaded("keys", 1))
}

/// A token in its parts, nothing of it believed yet.
pub(crate) struct Token<'a> {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    message: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Reads a token; `None` for anything that is none.
    pub(crate) fn parse(text: &'a str) -> Option<Token<'a>> {
        if text.len() > TOKEN_LIMIT {
            return None;
        }
        let (message, last) = text.rsplit_once('.')?;
        let (first, second) = message.split_once('.')?;
        if second.contains('.') {
            return None;
        }
        let header: Value = serde_json::from_slice(&decode(first)?).ok()?;
        let claims: Value = serde_json::from_slice(&decode(second)?).ok()?;
        // `crit` names extensions that must be understood; we understand none.
        let plain = header.is_object() && claims.is_object() && header.get("crit").is_none();
        let signature = decode(last)?;
        plain.then_some(Token {
            header,
            claims,
            message,
            signature,
        })
    }

    /// Its type, as its header says.
    pub(crate) fn typ(&self) -> &str {
        self.header["typ"].as_str().unwrap_or_default()
    }

    /// A claim that is a text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }

    /// Was it signed by a key of one of these rings? `None` when its key is none of theirs.
    pub(crate) fn is_ours(
        &self,
        crypto: &dyn Crypto,
        rings: &[Ring],
    ) -> Result<Option<bool>, Fault> {
        let kid = self.header["kid"].as_str().unwrap_or_default();
        for ring in rings {
            let keys = crypto.public_keys(*ring)?;
            let Some(key) = keys.into_iter().find(|key| key.key == kid) else {
                continue;
            };
            if self.header["alg"].as_str() != Some(key.algorithm.word()) {
                return Ok(Some(false));
            }
            let signature = Signature {
                key: key.key,
                algorithm: key.algorithm,
                bytes: self.signature.clone(),
            };
            let message = self.message.as_bytes();
            return crypto.verify(*ring, message, &signature).map(Some);
        }
        Ok(None)
    }

    /// Was it signed by the holder of this public key (a JWK: P-256 or Ed25519)?
    pub(crate) fn is_signed_by(&self, jwk: &Value) -> bool {
        let part = |name: &str| jwk[name].as_str().and_then(decode);
        let algorithm = self.header["alg"].as_str().unwrap_or_default();
        let message = self.message.as_bytes();
        match (jwk["kty"].as_str(), jwk["crv"].as_str(), algorithm) {
            (Some("EC"), Some("P-256"), "ES256") => {
                let (Some(x), Some(y)) = (part("x"), part("y")) else {
                    return false;
                };
                let point = [&[4][..], &x, &y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, &self.signature)
                    .is_ok()
            }
            (Some("OKP"), Some("Ed25519"), "EdDSA" | "Ed25519") => part("x").is_some_and(|x| {
                UnparsedPublicKey::new(&ED25519, x)
                    .verify(message, &self.signature)
                    .is_ok()
            }),
            _ => false,
        }
    }
}

/// The public part of a wallet's key, and nothing else of what it sent; `None` when it is no key
/// that can sign here.
pub(crate) fn public_part(jwk: &Value) -> Option<Value> {
    let part = |name: &str| {
        jwk[name]
            .as_str()
            .filter(|text| decode(text).is_some_and(|b| b.len() == 32))
    };
    match (jwk["kty"].as_str()?, jwk["crv"].as_str()?) {
        ("EC", "P-256") => {
            Some(json!({"kty": "EC", "crv": "P-256", "x": part("x")?, "y": part("y")?}))
        }
        ("OKP", "Ed25519") => Some(json!({"kty": "OKP", "crv": "Ed25519", "x": part("x")?})),
        _ => None,
    }
}

/// A public key of ours as a JWK; SM2 with the curve `SM2`, which no registry names yet.
pub(crate) fn jwk(key: &PublicKey) -> Value {
    let (x, y) = key.bytes.split_at(key.bytes.len() / 2);
    let mut jwk = match key.algorithm {
        Algorithm::Es256 => json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}),
        Algorithm::EdDsa => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&key.bytes)}),
        Algorithm::Sm2 => json!({"kty": "EC", "crv": "SM2", "x": encode(x), "y": encode(y)}),
    };
    jwk["alg"] = json!(key.algorithm);
    jwk["use"] = json!("sig");
    jwk["kid"] = json!(key.key);
    jwk
}
