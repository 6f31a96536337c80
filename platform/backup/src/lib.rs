//! backup: the city kept a second time. A running city on SQLite ships what it commits into a
//! repository every few seconds ([`shipper`]); the repository ([`repository`]) holds images of the
//! database file and the segments since, each sealed ([`sealed`]); from it the city is restored as
//! it was at any moment ([`mod@restore`]). Old backups are forgotten by a policy ([`mod@forget`]), all of
//! it can be read and checked ([`mod@verify`]) and copied to a second place ([`mod@copy`]).
//!
//! Writers do not wait for any of this. A crash of the city or of the shipper at any moment
//! leaves a repository that can be used: files get their names when they are whole.

pub mod archive;
pub mod copy;
mod faults;
pub mod forget;
pub mod repository;
pub mod restore;
pub mod sealed;
mod segments;
pub mod shipper;
pub mod verify;

pub use copy::{Copied, copy};
pub use forget::{Policy, forget};
pub use repository::{Contents, Repository};
pub use restore::{Moment, Restored, restore};
pub use shipper::{Options, Shipper, State};
pub use verify::{Verdict, verify};
