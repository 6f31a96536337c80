//! Who may be given work, and which organisation does the work of another; cases ask it of the
//! program.

use crate::fault::Fault;
use async_trait::async_trait;

/// What an account is to the offices of the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worker {
    /// Works for the city: has a position, or roles beyond those of residents.
    Official,
    /// Somebody who works for nobody here.
    Resident,
    /// May not sign in any more.
    Disabled,
    /// There is no such account.
    Unknown,
}

/// Who works where.
#[async_trait]
pub trait People: Send + Sync {
    /// What an account is. Asked within the step of a case, so it should be quick.
    async fn worker(&self, account: &str) -> Result<Worker, Fault>;
    /// The organisation that has the work of one that stands no longer.
    fn successor(&self, organisation: &str) -> Option<String>;
    /// Those that stand no longer and whose work is with this one.
    fn predecessors(&self, organisation: &str) -> Vec<String>;
}
