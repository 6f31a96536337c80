//! crypto: the keys of the city and what is done with them. A software provider of
//! [`kernel::crypto::Crypto`] with both suites, international and national.
//!
//! Rings of keys are made on the first start and kept in the store, each version encrypted under a
//! master key that is not in the store: a file `master.key` (0600) in the data folder, another file
//! named by the configuration, or an environment variable. The wrong master key stops the start
//! with `crypto.master_key`; new keys are never made silently in place of old ones. The master key
//! is escrowed by threshold: any `t` of `n` shares make it anew ([`escrow`]).
//!
//! Every version of a ring holds a signing key and a sealing key. The newest signs and seals; older
//! ones verify and open until they are retired. [`kernel::crypto::Ring::OpenId`] and
//! [`kernel::crypto::Ring::Letters`] sign with ES256 in every suite, because foreign clients must
//! verify them.
//!
//! # A certified module in its place
//!
//! Commercial-cryptography review (GB/T 39786) asks for a certified module. It takes the place of
//! this engine behind the same trait, and nothing else changes:
//!
//! | `Crypto` | SDF (GM/T 0018) | PKCS#11 |
//! |---|---|---|
//! | `sign` | `SDF_GetPrivateKeyAccessRight`, `SDF_InternalSign_ECC` over `SDF_HashInit(SGD_SM3, public key, id)` | `C_Sign` with `CKM_ECDSA` or the vendor's SM2 mechanism |
//! | `verify`, `public_keys` | `SDF_ExportSignPublicKey_ECC`, `SDF_ExternalVerify_ECC` | `C_Verify`, `C_GetAttributeValue(CKA_EC_POINT)` |
//! | `digest` | `SDF_Hash*` (SGD_SM3) | `C_Digest` |
//! | `seal`, `open` | `SDF_GenerateKeyWithKEK` once for each ring and version, `SDF_ImportKeyWithKEK`, `SDF_AuthEnc`/`SDF_AuthDec` (SM4-GCM) | `C_Encrypt` with `CKM_AES_GCM` or the vendor's SM4-GCM |
//!
//! A ring becomes an index of a container (SDF) or a label (PKCS#11), a version its number; the row
//! of [`store::keys`] keeps the public half and, instead of the encrypted secrets, that index. The
//! master key then is the device's, and escrow is the device's own backup. Such an adapter is a
//! crate of its own beside this one (it needs `unsafe` for the C interface, which this one denies),
//! chosen by a setting in the program. The trait is not async: a device answers in under a
//! millisecond, and callers that sign in bulk already sit on blocking threads.

mod engine;
pub mod escrow;
mod keys;
mod master;
mod public;
mod sm2_public;
mod suites;

pub use engine::{Engine, KeyInfo, Options, RingInfo};
pub use master::{MasterKey, MasterSource};
pub use public::{jwk, pem};
pub use suites::{digest, verify};
