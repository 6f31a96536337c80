//! Crypto: keys by the name of their use, and what may be done with them. The suite is chosen by
//! configuration; the keys never leave the provider. A software provider is the default; a
//! certified module (SDF, GM/T 0018, or PKCS#11) takes its place behind the same trait.

use crate::fault::Fault;
use serde::{Deserialize, Serialize};

/// Which family of algorithms a city uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    /// ECDSA P-256 (ES256) or Ed25519, SHA-256, AES-256-GCM.
    International,
    /// SM2 (GB/T 32918), SM3 (GB/T 32905), SM4-GCM (GB/T 32907).
    National,
}

/// What signs. Names as in JOSE where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256; the signature is r ‖ s, 64 bytes (RFC 7518, 3.4).
    #[serde(rename = "ES256")]
    Es256,
    /// Ed25519; 64 bytes (RFC 8032).
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// SM2 with SM3, identification 1234567812345678; r ‖ s, 64 bytes (GB/T 32918.2).
    #[serde(rename = "SM2")]
    Sm2,
}

/// A use of keys: a ring holds the versions of one key, the newest signs and seals, older ones
/// still verify and open until they are retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ring {
    /// Checkpoints of the audit log.
    Audit,
    /// Tokens of the OpenID provider: always ES256, whatever the suite, because foreign clients
    /// must verify them.
    OpenId,
    /// Secrets kept in the store: second factors, client secrets, gateway keys.
    Secrets,
    /// Backups.
    Backup,
    /// Licences and documents.
    Seal,
    /// Letters and prints as PDF: always ES256, whatever the suite, because readers of PDF must
    /// verify them.
    Letters,
}

impl Ring {
    /// All rings.
    pub const ALL: [Ring; 6] = [
        Ring::Audit,
        Ring::OpenId,
        Ring::Secrets,
        Ring::Backup,
        Ring::Seal,
        Ring::Letters,
    ];
    /// The word in addresses, files and key identifications.
    pub fn word(self) -> &'static str {
        ["audit", "open_id", "secrets", "backup", "seal", "letters"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Ring> {
        Ring::ALL.into_iter().find(|ring| ring.word() == word)
    }
}

impl Suite {
    /// The word in configuration and files.
    pub fn word(self) -> &'static str {
        ["international", "national"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Suite> {
        let both = [Suite::International, Suite::National];
        both.into_iter().find(|suite| suite.word() == word)
    }
}

impl Algorithm {
    /// The name, as in JOSE where there is one.
    pub fn word(self) -> &'static str {
        ["ES256", "EdDSA", "SM2"][self as usize]
    }
    /// From its name.
    pub fn parse(word: &str) -> Option<Algorithm> {
        let all = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Sm2];
        all.into_iter().find(|algorithm| algorithm.word() == word)
    }
}

/// A signature with what made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Identification of the key.
    pub key: String,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// The bytes; see [`Algorithm`].
    pub bytes: Vec<u8>,
}

/// The public half of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// Identification (`kid`).
    pub key: String,
    /// Algorithm.
    pub algorithm: Algorithm,
    /// Elliptic curves: x ‖ y, 64 bytes; Ed25519: 32 bytes.
    pub bytes: Vec<u8>,
    /// When it was made, microseconds UTC.
    pub created_at: i64,
    /// Signs now; the others of the ring only verify.
    pub current: bool,
}

/// The keys of the city.
pub trait Crypto: Send + Sync {
    /// Suite in force.
    fn suite(&self) -> Suite;
    /// Digest of the suite: SHA-256 or SM3.
    fn digest(&self, bytes: &[u8]) -> [u8; 32];
    /// Signs with the newest key of a ring.
    fn sign(&self, ring: Ring, message: &[u8]) -> Result<Signature, Fault>;
    /// Is this a signature of the message by a key of the ring, retired ones excepted?
    fn verify(&self, ring: Ring, message: &[u8], signature: &Signature) -> Result<bool, Fault>;
    /// Public keys of a ring, the signing one first.
    fn public_keys(&self, ring: Ring) -> Result<Vec<PublicKey>, Fault>;
    /// Encrypts and authenticates; `context` must be the same to open (a table and a key, say), so
    /// that a sealed value cannot be moved elsewhere. The answer names its key.
    fn seal(&self, ring: Ring, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, Fault>;
    /// Opens what [`Crypto::seal`] made with any key of the ring that is not retired.
    fn open(&self, ring: Ring, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Fault>;
    /// Was this sealed with the newest key of the ring? What was not is sealed anew before its key
    /// is retired.
    fn is_current(&self, _ring: Ring, _sealed: &[u8]) -> bool {
        true
    }
}
