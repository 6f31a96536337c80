//! Signed tokens (JWS, compact form). Ours are signed and verified through the city's keys and are
//! always ES256. Those of others are verified with their published keys: the key decides which
//! algorithm counts, never the token, so that `none` or an HMAC made with a public key verify
//! nothing.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as B64;
use kernel::Fault;
use kernel::crypto::{Algorithm, Crypto, PublicKey, Ring, Signature};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Value, json};

/// Bytes of a token we look at, at most.
pub const TOKEN_LIMIT: usize = 16 * 1024;
/// Keys of one set we look at, at most.
const KEYS_LIMIT: usize = 64;

/// Algorithms of others that count.
pub const ALGORITHMS: [&str; 8] = [
    "ES256", "ES384", "RS256", "RS384", "RS512", "PS256", "PS384", "EdDSA",
];

/// Base64 for addresses, without padding.
pub(crate) fn encode(bytes: &[u8]) -> String {
    B64.encode(bytes)
}

/// The bytes of base64 for addresses; `None` for anything else.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    B64.decode(text).ok()
}

/// Signs claims with the newest key of the provider.
pub(crate) fn sign(crypto: &dyn Crypto, typ: &str, claims: &Value) -> Result<String, Fault> {
    let keys = crypto.public_keys(Ring::OpenId)?;
    let key = keys
        .iter()
        .find(|key| key.current)
        .ok_or_else(|| Fault::internal("signing a token", "no current key"))?;
    if key.algorithm != Algorithm::Es256 {
        return Err(Fault::internal(
            "signing a token",
            "the key is not of ES256",
        ));
    }
    let header = json!({ "alg": "ES256", "kid": key.key, "typ": typ });
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let signature = crypto.sign(Ring::OpenId, message.as_bytes())?;
    if signature.key != key.key {
        // Rotated between the two questions: once more with the new one.
        return sign(crypto, typ, claims);
    }
    Ok(format!("{message}.{}", encode(&signature.bytes)))
}

/// Header, claims, the signed part and the signature of a token, nothing of it believed yet.
fn parts(token: &str) -> Option<(Value, Value, &str, Vec<u8>)> {
    if token.len() > TOKEN_LIMIT {
        return None;
    }
    let (message, last) = token.rsplit_once('.')?;
    let (first, second) = message.split_once('.')?;
    if second.contains('.') {
        return None;
    }
    let header: Value = serde_json::from_slice(&decode(first)?).ok()?;
    let claims: Value = serde_json::from_slice(&decode(second)?).ok()?;
    // `crit` names extensions that must be understood; we understand none.
    let plain = header.is_object() && claims.is_object() && header.get("crit").is_none();
    plain.then_some((header, claims, message, decode(last)?))
}

/// The claims of a token of ours with a sound signature; nothing else of it is looked at.
pub(crate) fn verify_own(crypto: &dyn Crypto, token: &str) -> Result<Option<Value>, Fault> {
    let Some((header, claims, message, bytes)) = parts(token) else {
        return Ok(None);
    };
    let (Some("ES256"), Some(kid)) = (header["alg"].as_str(), header["kid"].as_str()) else {
        return Ok(None);
    };
    if bytes.len() != 64 {
        return Ok(None);
    }
    let signature = Signature {
        key: kid.into(),
        algorithm: Algorithm::Es256,
        bytes,
    };
    let sound = crypto.verify(Ring::OpenId, message.as_bytes(), &signature)?;
    Ok(sound.then_some(claims))
}

/// A public key of ours as a JWK.
pub(crate) fn jwk(key: &PublicKey) -> Option<Value> {
    if key.algorithm != Algorithm::Es256 || key.bytes.len() != 64 {
        return None;
    }
    let (x, y) = key.bytes.split_at(32);
    Some(json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.key,
        "x": encode(x), "y": encode(y),
    }))
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// A public key of somebody else.
pub struct ForeignKey {
    kid: Option<String>,
    alg: Option<String>,
    material: Material,
}

fn field(jwk: &Value, name: &str) -> Option<Vec<u8>> {
    decode(jwk[name].as_str()?)
}

fn point(jwk: &Value, length: usize) -> Option<Vec<u8>> {
    let (x, y) = (field(jwk, "x")?, field(jwk, "y")?);
    if x.len() != length || y.len() != length {
        return None;
    }
    Some([vec![4], x, y].concat())
}

/// Reads a set of keys (RFC 7517); those that do not sign, or not in a way we know, are left out.
pub fn keys_of(set: &Value) -> Vec<ForeignKey> {
    let list = set["keys"].as_array().map_or(&[][..], Vec::as_slice);
    let known = list.iter().take(KEYS_LIMIT).filter_map(|jwk| {
        if jwk["use"].as_str().is_some_and(|word| word != "sig") {
            return None;
        }
        let material = match (jwk["kty"].as_str()?, jwk["crv"].as_str()) {
            ("RSA", _) => Material::Rsa {
                n: field(jwk, "n")?,
                e: field(jwk, "e")?,
            },
            ("EC", Some("P-256")) => Material::P256(point(jwk, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(jwk, 48)?),
            ("OKP", Some("Ed25519")) => {
                Material::Ed25519(field(jwk, "x").filter(|x| x.len() == 32)?)
            }
            _ => return None,
        };
        Some(ForeignKey {
            kid: jwk["kid"].as_str().map(String::from),
            alg: jwk["alg"].as_str().map(String::from),
            material,
        })
    });
    known.collect()
}

impl ForeignKey {
    /// Is this a signature of the message, made with this algorithm and this key?
    fn verifies(&self, alg: &str, message: &[u8], bytes: &[u8]) -> bool {
        if self.alg.as_deref().is_some_and(|own| own != alg) {
            return false;
        }
        let plain = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(algorithm, key)
                .verify(message, bytes)
                .is_ok()
        };
        match (&self.material, alg) {
            (Material::P256(key), "ES256") => plain(&signature::ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), "ES384") => plain(&signature::ECDSA_P384_SHA384_FIXED, key),
            (Material::Ed25519(key), "EdDSA") => plain(&signature::ED25519, key),
            (Material::Rsa { n, e }, alg) => {
                let parameters = match alg {
                    "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
                    "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
                    "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
                    "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
                    "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
                    _ => return false,
                };
                let key = RsaPublicKeyComponents { n, e };
                key.verify(parameters, message, bytes).is_ok()
            }
            _ => false,
        }
    }
}

/// Why a token of others does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// It is not a token, or its algorithm is not among those that count here.
    Form,
    /// None of the keys it may be signed with is known: they may have been rotated.
    Key,
    /// The signature is not right.
    Signature,
}

/// The claims of a token of others, signed with one of the keys by one of these algorithms.
pub fn verify_foreign(token: &str, keys: &[ForeignKey], algs: &[&str]) -> Result<Value, Unsound> {
    let (header, claims, message, bytes) = parts(token).ok_or(Unsound::Form)?;
    let alg = header["alg"].as_str().ok_or(Unsound::Form)?;
    if !algs.contains(&alg) || !ALGORITHMS.contains(&alg) {
        return Err(Unsound::Form);
    }
    let kid = header["kid"].as_str();
    let mut fitting = keys
        .iter()
        .filter(|key| kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid)
        .peekable();
    if fitting.peek().is_none() {
        return Err(Unsound::Key);
    }
    match fitting.any(|key| key.verifies(alg, message.as_bytes(), &bytes)) {
        true => Ok(claims),
        false => Err(Unsound::Signature),
    }
}

/// The header word `typ` of a token, not believed.
pub fn typ_of(token: &str) -> Option<String> {
    let first = token.split('.').next()?;
    let header: Value = serde_json::from_slice(&decode(first)?).ok()?;
    header["typ"].as_str().map(String::from)
}
