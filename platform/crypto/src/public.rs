//! Public keys as files others read: JSON Web Keys (RFC 7517) and PEM (SubjectPublicKeyInfo).

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use kernel::crypto::{Algorithm, PublicKey};
use serde_json::{Value, json};

/// SubjectPublicKeyInfo up to the key itself (RFC 5480, RFC 8410; SM2: GM/T 0015).
fn head(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::Es256 => &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
        ],
        Algorithm::EdDsa => &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
        ],
        Algorithm::Sm2 => &[
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
            0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00, 0x04,
        ],
    }
}

/// A public key as PEM.
pub fn pem(key: &PublicKey) -> String {
    let text = BASE64_STANDARD.encode([head(key.algorithm), &key.bytes].concat());
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        lines.join("\n")
    )
}

/// A public key as a JSON Web Key; SM2 is an elliptic curve key with the curve `SM2`, which no
/// registry names yet.
pub fn jwk(key: &PublicKey) -> Value {
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let half = key.bytes.len() / 2;
    let (x, y) = key.bytes.split_at(half);
    let mut jwk = match key.algorithm {
        Algorithm::Es256 => json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y)}),
        Algorithm::EdDsa => json!({"kty": "OKP", "crv": "Ed25519", "x": text(&key.bytes)}),
        Algorithm::Sm2 => json!({"kty": "EC", "crv": "SM2", "x": text(x), "y": text(y)}),
    };
    jwk["alg"] = json!(key.algorithm);
    jwk["use"] = json!("sig");
    jwk["kid"] = json!(key.key);
    jwk
}
