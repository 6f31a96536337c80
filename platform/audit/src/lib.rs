//! audit: makes the audit log of the store provable. Two Merkle trees (RFC 6962, RFC 9162) stand
//! over the same entries, one of SHA-256 and one of SM3, so that neither a change of suite nor the
//! fall of one digest takes the proof away. Checkpoints (C2SP checkpoint: origin, size, root,
//! signatures) are signed by the audit ring and appended to a file that witnesses carry away: an
//! operator with the database but without the key cannot make a log that agrees with them.
//!
//! Entries are written by `store::audit` in the transaction of the deed, or in bulk by
//! [`Engine::record`]. They are put into the trees afterwards, in batches ([`Engine::integrate`]),
//! never in the transaction of the deed. Nodes are kept as tiles of 256 hashes, so that a proof
//! among ten million entries reads about six rows.
//!
//! The engine also keeps what residents ask about the use of their data ([`questions`]).

mod checkpoint;
mod engine;
mod inspect;
mod proof;
mod pseudonyms;
pub mod questions;
mod record;
mod tree;

pub use checkpoint::{Checkpoint, Signatures, notes};
pub use engine::{Engine, Options};
pub use inspect::{Damage, Verdict};
pub use proof::{Consistency, Export, Inclusion};
pub use tree::{Digest, Hash, leaf};
