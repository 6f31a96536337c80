//! The algorithms of both suites behind plain functions: digest, keyed digest, authenticated
//! encryption, signature. All of them other people's (RustCrypto, dalek, ring); here they are only
//! given one shape. Signatures of SM2 are verified over the library's points by `sm2_public`.

use crate::sm2_public;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, AesGcm};
use ed25519_dalek::Signer;
use hmac::Mac;
use kernel::crypto::{Algorithm, Suite};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use sha2::Digest;
use zeroize::Zeroizing;

/// SM4 (GB/T 32907) in GCM with a nonce of 96 bits, as in RFC 8998.
pub(crate) type Sm4Gcm = AesGcm<sm4::Sm4, aes_gcm::aead::consts::U12>;

/// Bytes of a nonce.
pub(crate) const NONCE: usize = 12;

/// Digest of a suite: SHA-256 or SM3.
pub fn digest(suite: Suite, bytes: &[u8]) -> [u8; 32] {
    match suite {
        Suite::International => sha2::Sha256::digest(bytes).into(),
        Suite::National => sm3::Sm3::digest(bytes).into(),
    }
}

/// A keyed digest of a suite: HMAC with SHA-256 or SM3 over the parts, each with its length before
/// it.
pub(crate) fn keyed(suite: Suite, key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    fn over<M: Mac + hmac::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        let mut mac = <M as hmac::KeyInit>::new_from_slice(key).ok()?;
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        Some(mac.finalize().into_bytes().to_vec())
    }
    let bytes = match suite {
        Suite::International => over::<hmac::Hmac<sha2::Sha256>>(key, parts),
        Suite::National => over::<hmac::Hmac<sm3::Sm3>>(key, parts),
    };
    let mut out = Zeroizing::new([0; 32]);
    // HMAC takes keys of any length, so there is always an answer.
    out.copy_from_slice(&Zeroizing::new(bytes.unwrap_or_else(|| vec![0; 32])));
    out
}

/// Encrypts and authenticates with AES-256-GCM, or SM4-GCM under the first half of the key.
pub(crate) fn encrypt(
    suite: Suite,
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    aad: &[u8],
    plain: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload { msg: plain, aad };
    match suite {
        Suite::International => Aes256Gcm::new(key.into())
            .encrypt(nonce.into(), payload)
            .ok(),
        Suite::National => Sm4Gcm::new_from_slice(&key[..16])
            .ok()?
            .encrypt(nonce.into(), payload)
            .ok(),
    }
}

/// The reverse; `None` when anything was altered.
pub(crate) fn decrypt(
    suite: Suite,
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload { msg: sealed, aad };
    match suite {
        Suite::International => Aes256Gcm::new(key.into())
            .decrypt(nonce.into(), payload)
            .ok(),
        Suite::National => Sm4Gcm::new_from_slice(&key[..16])
            .ok()?
            .decrypt(nonce.into(), payload)
            .ok(),
    }
}

/// A private key ready to sign.
pub(crate) enum SigningKey {
    Es256(Box<p256::ecdsa::SigningKey>),
    EdDsa(Box<ed25519_dalek::SigningKey>),
    Sm2(Box<sm2::dsa::SigningKey>),
}

impl SigningKey {
    /// From its secret; `None` when these bytes are no key of the algorithm (one in 2^32, and the
    /// maker tries others).
    pub(crate) fn from_secret(algorithm: Algorithm, secret: &[u8; 32]) -> Option<SigningKey> {
        Some(match algorithm {
            Algorithm::Es256 => {
                SigningKey::Es256(Box::new(p256::ecdsa::SigningKey::from_slice(secret).ok()?))
            }
            Algorithm::EdDsa => {
                SigningKey::EdDsa(Box::new(ed25519_dalek::SigningKey::from_bytes(secret)))
            }
            Algorithm::Sm2 => SigningKey::Sm2(Box::new(
                sm2::dsa::SigningKey::from_slice(sm2_public::IDENTIFICATION, secret).ok()?,
            )),
        })
    }

    /// The public half: x ‖ y, or the 32 bytes of Ed25519.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            // SEC 1, uncompressed, without its first byte.
            SigningKey::Es256(key) => key.verifying_key().to_sec1_bytes_uncompressed(),
            SigningKey::EdDsa(key) => key.verifying_key().to_bytes().to_vec(),
            SigningKey::Sm2(key) => key.verifying_key().to_sec1_bytes_uncompressed(),
        }
    }

    /// Signs a message; 64 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            SigningKey::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
                signature.to_bytes().to_vec()
            }
            SigningKey::EdDsa(key) => key.try_sign(message).ok()?.to_bytes().to_vec(),
            SigningKey::Sm2(key) => {
                let signature: sm2::dsa::Signature = key.try_sign(message).ok()?;
                signature.to_bytes().to_vec()
            }
        })
    }
}

/// x ‖ y of a point.
trait Uncompressed {
    fn to_sec1_bytes_uncompressed(&self) -> Vec<u8>;
}

impl Uncompressed for p256::ecdsa::VerifyingKey {
    fn to_sec1_bytes_uncompressed(&self) -> Vec<u8> {
        self.to_sec1_point(false).as_bytes()[1..].to_vec()
    }
}

impl Uncompressed for sm2::dsa::VerifyingKey {
    fn to_sec1_bytes_uncompressed(&self) -> Vec<u8> {
        self.to_sec1_bytes()[1..].to_vec()
    }
}

/// Is this a signature of the message by the holder of this public key? Anything malformed is no.
pub fn verify(algorithm: Algorithm, public: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let point = || [&[4], public].concat();
    let checked = match algorithm {
        // By `ring`: three times as fast, and licences are verified by the thousand a second.
        Algorithm::Es256 => {
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point());
            key.verify(message, signature).ok()
        }
        Algorithm::EdDsa => || -> Option<()> {
            let key = ed25519_dalek::VerifyingKey::from_bytes(public.try_into().ok()?).ok()?;
            let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
            key.verify_strict(message, &signature).ok()
        }(),
        Algorithm::Sm2 => || -> Option<()> {
            let key = sm2_public::ready(public)?;
            key.verifies(message, signature).then_some(())
        }(),
    };
    checked.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
            .collect()
    }

    #[test]
    fn digests_of_both_suites() {
        let sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(digest(Suite::National, b"abc").to_vec(), hex(sm3));
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(Suite::International, b"abc").to_vec(), hex(sha256));
    }

    /// GB/T 32907, example 1.
    #[test]
    fn one_block_of_sm4() {
        use sm4::cipher::{BlockCipherEncrypt, KeyInit};
        let key = hex("0123456789abcdeffedcba9876543210");
        let cipher = sm4::Sm4::new_from_slice(&key).unwrap();
        let mut block: [u8; 16] = key.try_into().unwrap();
        cipher.encrypt_block((&mut block).into());
        assert_eq!(block.to_vec(), hex("681edf34d206965e86b3e94f536e4246"));
    }

    /// RFC 8998, appendix A.1.
    #[test]
    fn sm4_gcm_as_in_rfc_8998() {
        let mut key = [0; 32];
        key[..16].copy_from_slice(&hex("0123456789ABCDEFFEDCBA9876543210"));
        let nonce: [u8; NONCE] = hex("00001234567800000000ABCD").try_into().unwrap();
        let aad = hex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2");
        let plain = hex("AAAAAAAAAAAAAAAABBBBBBBBBBBBBBBB
            CCCCCCCCCCCCCCCCDDDDDDDDDDDDDDDD
            EEEEEEEEEEEEEEEEFFFFFFFFFFFFFFFF
            EEEEEEEEEEEEEEEEAAAAAAAAAAAAAAAA");
        let expect = hex("17F399F08C67D5EE19D0DC9969C4BB7D
            5FD46FD3756489069157B282BB200735
            D82710CA5C22F0CCFA7CBF93D496AC15
            A56834CBCF98C397B4024A2691233B8D
            83DE3541E4C2B58177E065A9BF7B62EC");
        let sealed = encrypt(Suite::National, &key, &nonce, &aad, &plain).unwrap();
        assert_eq!(sealed, expect);
        let opened = decrypt(Suite::National, &key, &nonce, &aad, &sealed);
        assert_eq!(opened.unwrap(), plain);
        let mut altered = sealed;
        altered[3] ^= 1;
        assert_eq!(decrypt(Suite::National, &key, &nonce, &aad, &altered), None);
    }

    /// RFC 7515, appendix A.3: a signature of somebody else's.
    #[test]
    fn a_foreign_es256_signature() {
        use base64::prelude::{BASE64_URL_SAFE_NO_PAD as B, Engine};
        let public = [
            B.decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")
                .unwrap(),
            B.decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")
                .unwrap(),
        ]
        .concat();
        let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = B
            .decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
            .unwrap();
        assert!(verify(Algorithm::Es256, &public, message, &signature));
        assert!(!verify(Algorithm::Es256, &public, b"other", &signature));
        assert!(!verify(Algorithm::Sm2, &public, message, &signature));
    }

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn a_foreign_ed25519_signature() {
        let secret = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::from_secret(Algorithm::EdDsa, &secret.try_into().unwrap()).unwrap();
        let public = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        assert_eq!(key.public(), public);
        let expect = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        assert_eq!(key.sign(&[0x72]).unwrap(), expect);
        assert!(verify(Algorithm::EdDsa, &public, &[0x72], &expect));
    }

    /// GB/T 32918.5, annex A.2: the example key, message and signature.
    #[test]
    fn a_foreign_sm2_signature() {
        let secret = hex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8");
        let key = SigningKey::from_secret(Algorithm::Sm2, &secret.try_into().unwrap()).unwrap();
        let public = hex(
            "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020
             CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13",
        );
        assert_eq!(key.public(), public);
        let signature = hex(
            "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
             B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA",
        );
        assert!(verify(
            Algorithm::Sm2,
            &public,
            b"message digest",
            &signature
        ));
        assert!(!verify(
            Algorithm::Sm2,
            &public,
            b"message digesT",
            &signature
        ));
        let own = key.sign(b"message digest").unwrap();
        assert!(verify(Algorithm::Sm2, &public, b"message digest", &own));
    }

    #[test]
    fn garbage_verifies_nothing() {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Sm2] {
            for length in [0, 31, 32, 63, 64, 65, 1000] {
                let bytes = vec![7; length];
                assert!(!verify(algorithm, &bytes, b"m", &bytes));
                assert!(!verify(algorithm, &vec![0; length], b"m", &vec![0; length]));
            }
        }
    }
}
