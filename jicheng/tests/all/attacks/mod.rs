//! Attackers: each module one way in. docs/attacks.md says which attack is tried by which test; a
//! test checks that the table tells the truth.

mod backup;
mod http;
pub(crate) mod parties;
mod signon;
mod table;
mod window;
